/* machine_core.h: the core as the machine that the sequencer drives. */
#ifndef DOJIMA_SEQ_MACHINE_CORE_H
#define DOJIMA_SEQ_MACHINE_CORE_H

#include "core/core.h"
#include "seq/machine.h"

/* A machine over a core of these limits, closed until recovery has opened it. NULL: out of memory.
 * The state block and its handle are the machine's. */
struct machine *machine_core_new(const struct core_limits *limits);
void machine_core_free(struct machine *m);

/* The limits that a journal was written with, as recovery_limits reads them: 0, or -1 when they are
 * not of this version. */
int machine_core_limits(const struct machine_limits *recorded, struct core_limits *limits);

#endif
