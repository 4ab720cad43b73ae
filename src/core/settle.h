/* settle.h: what settlement offers beside the commands (state.h). */
#ifndef DOJIMA_CORE_SETTLE_H
#define DOJIMA_CORE_SETTLE_H

#include "core/state.h"

/* Expires an instrument as the command does: REJECT_none, or why not with nothing changed. */
enum reject expire_instrument(struct core *c, uint32_t instrument);

/* Marks every instrument that has a settlement price: REJECT_none or amount_overflow with nothing
 * changed. */
enum reject mark_all(struct core *c);

/* By the clock: schedule.h. */
void mark_scheduled(struct core *c);
void expiry_run(struct core *c, uint32_t instrument);

#endif
