/* novation.h: what novation offers beside novation_trade (state.h). */
#ifndef DOJIMA_CORE_NOVATION_H
#define DOJIMA_CORE_NOVATION_H

#include "core/state.h"

/* As novation_trade, with the price of a spread's second leg given (the first follows: A = B + S):
 * for implied trades, whose legs have real prices. PRICE_NONE: by the fine print's rule.
 *
 * In both, an order of NIL stands for the clearing house itself: the print of one order alone, as
 * implied trades make them. Their prints together must leave the clearing house flat. */
void novation_trade_legs(struct core *c, const struct trade *t, price_t leg_b);

/* What is left of entry_cost when `closed` of `lots` (both > 0, closed <= lots) are closed; the
 * part taken away is pro rata, rounded half-even. */
int128_t entry_cost_left(int128_t entry_cost, int64_t lots, int64_t closed);

/* Cost and entry cost of an exposure whose position is about to change by `lots` (signed). */
void novation_exposure_trade(struct exposure *x, int64_t lots, price_t price);

/* The two sides of one contract changing hands. */
struct novation_fill {
    uint32_t instrument;
    uint32_t exposure[2]; /* [SIDE_buy], [SIDE_sell] */
    price_t price;
    int64_t qty;
};

/* ---- the parts of a trade, for those made outside the book (offbook.c) ---- */

/* What an exposure counts in the open interest; the clearing house's own: nothing. */
static inline int64_t novation_longs(const struct core *c, uint32_t e, uint32_t ccp)
{
    return e == ccp ? 0 : int64_max(c->exposures[e].position, 0);
}
/* Moves the contract from seller to buyer through the clearing house: positions, costs, open
 * interest, postings, requirements. */
void novation_fill(struct core *c, const struct novation_fill *f, uint64_t trade_id);
/* Counts lots in the day's volume. */
void novation_volume(struct core *c, uint32_t instrument, int64_t lots);
/* CLEAR-12: the trading fee, and the clearing fee, of both sides; posted and set in the event. */
void novation_fee_trade(struct core *c, struct event_trade *e);
void novation_fee_clearing(struct core *c, struct event_trade *e);
/* Keeps the finished event for questions. */
void novation_keep(struct core *c, const struct event_trade *e);
/* What follows for the three prints of a spread trade: the first pays for trading, its legs for
 * clearing. */
void novation_finish_spread(struct core *c, struct event_trade *e,
                            struct event_trade *const leg[SPREAD_LEGS_MAX], bool fees);
/* The second leg's price of a direct spread trade: last of this session, else settlement, else
 * 0. */
price_t novation_leg_b(const struct core *c, uint32_t leg);

#endif
