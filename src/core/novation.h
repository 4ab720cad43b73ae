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

#endif
