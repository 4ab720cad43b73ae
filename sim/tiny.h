/* tiny.h: the smallest machine that depends on every byte of every command: for many crash states
 * in little time, and for tests of seq that need no venue. */
#ifndef DOJIMA_SIM_TINY_H
#define DOJIMA_SIM_TINY_H

#include "seq/machine.h"

struct machine *tiny_new(void);
void tiny_free(struct machine *m);

#endif
