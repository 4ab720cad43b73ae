/* fee.h: what a trade costs (CLEAR-12).
 *
 * Fees are whole micro-USD a lot, so lots x fee is exact: nothing is rounded and no remainder is
 * left. The tier is the one reached by the lots that the account traded in the calendar month (UTC)
 * before this trade, in products that have tiers. A maker's fee may be a rebate. In auctions both
 * sides are takers. The trading fee is the traded instrument's product's, once per lot (of a
 * spread: per spread); the clearing fee is taken per lot of each contract that is cleared (of a
 * spread: for each leg, by the leg's product).
 *
 * Upstream: calendar, state. Downstream: novation.
 */
#ifndef DOJIMA_CORE_FEE_H
#define DOJIMA_CORE_FEE_H

#include "core/state.h"

/* The calendar month it is now, for the following two. */
int64_t fee_month(const struct core *c);

/* The trading fee of `qty` lots; negative: a rebate. */
int128_t fee_of_trade(const struct core *c, uint32_t account, uint32_t product, bool maker,
                      int64_t qty, int64_t month);

/* Counts the lots towards the account's tier. */
void fee_count_lots(struct core *c, uint32_t account, uint32_t product, int64_t qty,
                    int64_t month);

static inline bool fee_is_charged(const struct command_product_create *p)
{
    return p->fee_tier_count != 0 || p->clearing_fee.v != 0;
}

#endif
