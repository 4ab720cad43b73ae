/* settle.h: what settlement offers beside the commands (state.h). */
#ifndef DOJIMA_CORE_SETTLE_H
#define DOJIMA_CORE_SETTLE_H

#include "core/state.h"

/* By the clock: schedule.h. */
void mark_scheduled(struct core *c);
void expiry_run(struct core *c, uint32_t instrument);

#endif
