/* reclaim.h: exposures of expired instruments give their places back, so that a venue that lists
 * hours and days for years does not run out of them.
 *
 * Instruments keep theirs: an instrument's id is the name of an asset in the ledger and of
 * everything in the history, for ever; how many there may be over a venue's life is a limit
 * (core_limits.instruments). Balances of money are bounded by accounts and assets.
 *
 * Invariants: (1) a place that is free has account NIL and is in the list of the free; (2) what is
 * given back had no position, no cost, no order, no margin, and no other exposure leads through it;
 * (3) exposures_before names what comes before each exposure in both of its lists, and
 * span_exposure.led counts whom it leads, so that giving one back takes the same time however many
 * there are.
 *
 * Upstream: settle (expiry). Downstream: ledger (exposure_get takes free places first).
 */
#ifndef DOJIMA_CORE_RECLAIM_H
#define DOJIMA_CORE_RECLAIM_H

#include "core/state.h"

/* After an instrument has expired and its positions are closed. */
void reclaim_exposures(struct core *c, uint32_t instrument);
void reclaim_check(const struct core *c);

#endif
