/* freivalds_kernel.h: the inner products of freivalds.c. Not for other files.
 *
 * A factor of up to 64 bits is cut into signed limbs of 16 bits, so that a processor's 16 x 16 ->
 * 32 bit multiply-add does the work: int8 x limb is at most 2^22, and a block of FREIVALDS_BLOCK
 * of them in the lanes of one vector stays below 2^31.
 *
 * Upstream: nothing. Downstream: freivalds.c, freivalds_test.c.
 */
#ifndef DOJIMA_QUANT_FREIVALDS_KERNEL_H
#define DOJIMA_QUANT_FREIVALDS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

enum {
    FREIVALDS_BLOCK = 2048, /* entries of a row that are worked on together */
    FREIVALDS_LIMBS = 8,    /* at most: of two rounds */
    FREIVALDS_STRIP = 256,  /* columns of B, whole pairs, that freivalds_kernel.strip takes */
};

/* limb[i][j]: limb i of factor j; zero behind `count`. */
struct freivalds_limbs {
    _Alignas(64) int16_t limb[FREIVALDS_LIMBS][FREIVALDS_BLOCK];
};

struct freivalds_kernel {
    const char *name;
    /* sums[i] = the inner product of x (`count` <= FREIVALDS_BLOCK) with limb i, for `limbs` (4 or
     * 8) of them. */
    void (*dot)(const int8_t *x, size_t count, const struct freivalds_limbs *f, int limbs,
                int64_t sums[FREIVALDS_LIMBS]);
    /* low, high += x (int32) times r of two rounds: sums[0], sums[1], wrapping. */
    void (*dot32)(const int32_t *x, size_t count, const int32_t *r0, const int32_t *r1,
                  uint64_t sums[2]);
    /* For 16 places: sums[i][place] = the sum over `rows` (even, <= FREIVALDS_STRIP) rows of x,
     * 64 bytes apart, of x[row][place] times f->limb[i][row], i below 4. */
    void (*strip)(const int8_t *x, size_t rows, const struct freivalds_limbs *f,
                  int32_t sums[4][16]);
};

/* The best that this processor runs. */
const struct freivalds_kernel *freivalds_kernel_best(void);
/* All that it runs, the plainest first; for tests. */
const struct freivalds_kernel *freivalds_kernel_list(uint32_t *count);

#endif
