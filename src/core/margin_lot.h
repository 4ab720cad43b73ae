/* margin_lot.h: the usual case of margin.h, for the way of every order: an outright of an account
 * that is margined by the lot (exposure.lot_margin >= 0), at amounts for which 64 bits are plenty.
 * Whole numbers, no division, no look at products or prices; anything else is margin.c's.
 *
 * Upstream: state. Downstream: order, margin.
 */
#ifndef DOJIMA_CORE_MARGIN_LOT_H
#define DOJIMA_CORE_MARGIN_LOT_H

#include "core/state.h"

/* max(|position + buys|, |position - sells|): the side on which the position lies only grows with
 * its own orders, so neither sum need be looked at below zero. */
static inline int64_t margin_lots_worst(int64_t position, int64_t buys, int64_t sells)
{
    return int64_max(position + buys, sells - position);
}

/* The requirement of an exposure that is margined by the lot, with this much working; -1: out of
 * the range in which it may be reckoned so, or not margined by the lot. */
static inline int64_t margin_lots_need(const struct exposure *x, int64_t buys, int64_t sells)
{
    int64_t worst = margin_lots_worst(x->position, buys, sells);
    int64_t need;
    if (x->lot_margin < 0 || worst > INT32_MAX) return -1;
    if (__builtin_mul_overflow(worst, x->lot_margin, &need)) return -1;
    return need <= MONEY_MAX ? need : -1;
}

/* Keeps the exposure's requirement and its account's sum. */
static inline void margin_lots_set(struct core *c, struct exposure *x, int64_t need)
{
    int64_t change = need - x->requirement.v; /* 0 as often as not: no branch on it */
    int64_t *sum = &c->accounts[x->account].requirement.v; /* bounded by margin_lots_max */
    ASSERT(!__builtin_add_overflow(*sum, change, sum));
    x->requirement.v = need;
}

/* margin_work where it can be done by the lot; false, and nothing changed: where it cannot. */
static inline bool margin_lot_work(struct core *c, uint32_t e, enum side side, int64_t lots)
{
    struct exposure *x = &c->exposures[e];
    const int64_t sell_mask = -(int64_t)side;
    int64_t buys = x->open_buys + (lots & ~sell_mask);
    int64_t sells = x->open_sells + (lots & sell_mask);
    int64_t need = margin_lots_need(x, buys, sells);
    if (__builtin_expect(need < 0, 0)) return false;
    ASSERT((buys | sells) >= 0);
    x->open_buys = buys;
    x->open_sells = sells;
    margin_lots_set(c, x, need);
    return true;
}

/* Whether margin_admit says yes, found by the lot; false: it is margin_admit's to say. */
static inline bool margin_lot_admits(const struct core *c, uint32_t e, enum side side, int64_t lots)
{
    const struct exposure *x = &c->exposures[e];
    const int64_t sell_mask = -(int64_t)side;
    const int64_t high = (int64_t)(x->cost >> 64);
    if (lots > INT32_MAX || high > INT64_C(1) << 55 || high < -(INT64_C(1) << 55)) return false;
    int64_t need = margin_lots_need(x, x->open_buys + (lots & ~sell_mask),
                                    x->open_sells + (lots & sell_mask));
    if (need < 0) return false;
    int64_t rise = need - x->requirement.v;
    const struct account *a = &c->accounts[x->account];
    const struct balance *b = &c->balances[a->cash];
    if (__builtin_expect(a->span != 0, 0)) return false; /* it trades on equity (span.h) */
    int64_t after; /* amount and pending_out are within MONEY_MAX */
    if (__builtin_add_overflow(a->requirement.v, rise, &after)) return false;
    return (rise <= 0) | (after <= b->amount - b->pending_out);
}

#endif
