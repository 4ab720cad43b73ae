/* supply.h: certified supply as a bound on positions (CERT-03): what can be delivered, for the
 * limits of the spot period (GUARD-07), and how far an account may be short of its own capacity.
 *
 * Capacity is what certificates in effect certify now, of the product's class or of one that serves
 * it, also for hours after a certificate's end: contracts run for years, certificates for a month,
 * and one that is not renewed counts no more from then on. Deliverable is what of it no token
 * promises in the worst hour of the contract's period.
 *
 * A product with `short_share_e6` lets nobody be shorter, in any hour, than this share of own
 * capacity: all instruments of the class count in the hours that they have, longs against shorts.
 * With `short_margin` it lets them, for so much more margin per CT of each lot beyond, instrument
 * by instrument. Accounts in collateralised mode are covered otherwise (token.h). Products without
 * either pay nothing.
 *
 * Upstream: certify_supply, token_cover. Downstream: limit, margin.
 */
#ifndef DOJIMA_CORE_SUPPLY_H
#define DOJIMA_CORE_SUPPLY_H

#include "core/state.h"

bool supply_terms_are_valid(const struct command_product_create *p);

/* Freezes what can be delivered in every contract month whose spot period has begun (GUARD-07). */
void supply_freeze(struct core *c);

/* CERT-03: whether the account may be short `lots` more of this instrument. */
bool short_admits(const struct core *c, uint32_t account, uint32_t instrument, int64_t lots);
/* Extra margin of an exposure that is, or could be, short by so many lots; false: out of range. */
bool short_margin(const struct core *c, uint32_t account, uint32_t instrument, int64_t lots,
                  int64_t *margin);
/* After the account's capacity has changed. */
void short_refresh(struct core *c, uint32_t account);

static inline bool short_is_limited(const struct command_product_create *p)
{
    return p->supply.short_share_e6 != 0;
}

#endif
