/* collateral.h: what secures an account beside cash: certified capacity (CLEAR-08, CLEAR-09).
 *
 * Capacity is an asset, counted in 10^-9 of its unit. It comes into existence against evidence, by
 * two officers, out of the issuer's account, which stands below zero by what exists. Pledged, it
 * lies in the account that holds collateral; the balance of whoever pledged it says how much of it
 * is his. Price, haircut and their source are data, set by command.
 *
 * A margined account's credit is the value of what it pledged after haircut, of which at most
 * clearing.collateral_cap_e6 of the requirement counts: the value of capacity falls when prices do,
 * so the rest must be money. A collateralised account gets no credit: there capacity of the very
 * hours of a contract covers lots sold short, contract_size units each.
 *
 * Invariants, asserted by collateral_check: (1) an asset's `issued` is what the issuer's account
 * stands below zero, its `pledged` what the collateral account holds, and that is the sum of what
 * accounts pledged; (2) an account's `credit` is the value of what it pledged; what counts of it
 * never passes the cap; (3) an exposure's `cover` is floor(pledged / units in a lot), of accounts
 * in collateralised mode and products with a floor at or above 0, else 0; and the lots that tokens
 * are pledged for (token.h).
 *
 * Upstream: state, ledger. Downstream: core, margin, transfer, account, call.
 */
#ifndef DOJIMA_CORE_COLLATERAL_H
#define DOJIMA_CORE_COLLATERAL_H

#include "core/state.h"

enum { COLLATERAL_CAP_DEFAULT_E6 = 250000 }; /* CLEAR-09, of a venue that sets nothing */

/* What pledged capacity counts for when the account's requirement is this. */
int64_t collateral_credit_capped(const struct core *c, const struct account *a,
                                 int64_t requirement);
static inline int64_t collateral_credit(const struct core *c, uint32_t account,
                                        int64_t requirement)
{
    const struct account *a = &c->accounts[account];
    return a->credit.v == 0 ? 0 : collateral_credit_capped(c, a, requirement);
}

static inline bool asset_is_capacity(const struct core *c, uint32_t asset)
{
    return asset > ASSET_USD && asset <= c->s->assets;
}

/* Lots short in this instrument that the account's pledged capacity covers; 0 in other modes. */
int64_t collateral_cover(const struct core *c, uint32_t account, uint32_t instrument);
/* Values what an account has pledged anew: its credit, or what covers its shorts. */
void collateral_update(struct core *c, uint32_t account);
/* The same for all who pledged capacity of this instrument's hours: it has expired. */
void collateral_expire(struct core *c, uint32_t instrument);

void asset_set(struct core *c, const struct command *cmd);
void asset_issue(struct core *c, const struct command *cmd);
void pledge(struct core *c, const struct command *cmd);
void collateral_sell(struct core *c, const struct command *cmd); /* collateral_sell.c */

void event_asset_push(const struct core *c, struct outbox *out, uint32_t asset);
void collateral_check(const struct core *c);

#endif
