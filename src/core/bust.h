/* bust.h: trades are busted or adjusted by rule, by two officers (MATCH-10).
 *
 * A trade may be busted that was made outside the no-bust range about the price before it, when the
 * request comes in time. It is undone by postings that reverse it: positions, variation already
 * paid, fees; nothing is erased. An adjustment undoes it and makes it anew, off book, at the edge
 * of the range that it left; fees stay. A spread trade goes with its legs, an implied trade with
 * every print that was made with it: the clearing house is flat before and after.
 *
 * Invariants: (1) what a bust posts sums to zero in each asset; (2) a trade is undone once; (3)
 * costs and positions are then as if the trade had not been made (the average entry price, where
 * lots were closed in between, is not).
 *
 * Upstream: dual, ledger, margin. Downstream: offbook.
 */
#ifndef DOJIMA_CORE_BUST_H
#define DOJIMA_CORE_BUST_H

#include "core/state.h"

void bust_cut(struct core *c, struct arena *a);
void trade_bust(struct core *c, const struct command *cmd);
/* An instrument was marked at this price: what a later bust must give back. */
void bust_note_mark(struct core *c, uint32_t instrument, price_t price);

#endif
