/* settle.h: what settlement offers beside the commands (state.h). */
#ifndef DOJIMA_CORE_SETTLE_H
#define DOJIMA_CORE_SETTLE_H

#include "core/state.h"

/* By the clock: schedule.h. */
void mark_scheduled(struct core *c);
void expiry_run(struct core *c, uint32_t instrument);

/* ---- delivery (DELIV-01) ---- */
/* Whatever is still missing at the notice: trading ends, positions are marked to the settlement, or
 * without one to the last trade. False: out of range, nothing changed. */
bool settle_finally(struct core *c, uint32_t instrument);
/* The positions, marked, leave the ledger: they are allocations now, or have ended in money. */
void settle_delivered(struct core *c, uint32_t instrument);

#endif
