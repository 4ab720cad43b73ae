/* remargin_kernel.h: the product and the selection of remargin.c. Not for other files.
 *
 * Written once in 8-lane vectors and compiled for what the processor has. No fused operations: the
 * same bits everywhere.
 */
#ifndef DOJIMA_QUANT_REMARGIN_KERNEL_H
#define DOJIMA_QUANT_REMARGIN_KERNEL_H

#include <stdint.h>

enum {
    KERNEL_LANES = 8,
    KERNEL_TILE = 64,   /* moves that are worked on together: eight vectors */
    KERNEL_BLOCK = 16,  /* accounts that pass over a tile together */
    KERNEL_ROOM = 24,
    KERNEL_TAIL_MAX = 64, /* greater tails are selected by shortfall_select */
};

struct kernel_holding {
    uint32_t instrument;
    double now, long_run; /* USD of one z, at today's and at long-run volatility */
};

struct kernel_job {
    const double *tiles; /* [tile][instrument][KERNEL_TILE] of z; 0 behind the last move */
    uint32_t tile_count, instruments;
    const struct kernel_holding *holdings; /* of the block's accounts, one after the other */
    const uint32_t *first;                 /* accounts + 1 */
    uint32_t accounts;                     /* at most KERNEL_BLOCK */
    double *now, *long_run;                /* [account][tile_count x KERNEL_TILE] profits */
};

/* Both products; kernel_single only that of today's volatility. */
typedef void kernel_product(const struct kernel_job *job);

/* The k greatest of |values|, 1 <= k <= KERNEL_TAIL_MAX, and k <= n: their mean and the least of
 * them. n is a multiple of KERNEL_TILE; `room` holds n + KERNEL_ROOM values. */
struct kernel_tail {
    double mean, least;
};
typedef void kernel_select(const double *values, uint32_t n, uint32_t k, double *room,
                           struct kernel_tail *tail);

struct kernel {
    const char *name;
    kernel_product *both, *single;
    kernel_select *select;
};

/* The best that this processor runs. */
const struct kernel *kernel_best(void);
/* All that it runs, the plainest first; for tests. */
const struct kernel *kernel_list(uint32_t *count);

#endif
