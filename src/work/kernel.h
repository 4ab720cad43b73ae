/* kernel.h: products of small integers without a library, and the row functions of fixed.h over
 * whole rows, by what vectors the processor has.
 *
 * Invariant: the same integers with any vectors (all sums are exact).
 *
 * Upstream: fixed.h. Downstream: decoder, backends, check.
 */
#ifndef DOJIMA_WORK_KERNEL_H
#define DOJIMA_WORK_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Sets of vectors, each with what is before it. */
enum kernel_vectors { KERNEL_plain, KERNEL_avx2, KERNEL_avx512, KERNEL_vnni };

/* The best that this processor has; no better one than `most` from now on (for tests, before other
 * threads start). */
enum kernel_vectors kernel_vectors(void);
void kernel_limit(enum kernel_vectors most);
const char *kernel_name(void); /* of what kernel_product uses */

/* c[i * c_stride + n] = row i of a times column n of w, for `rows` rows and `columns` columns (a
 * multiple of 4) of `depth` elements. Row i of a begins at a + i * a_stride, column n at
 * w + n * w_stride: a column's weights lie together. No sum may reach 2^30. */
void kernel_product(const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w,
                    size_t w_stride, uint32_t columns, uint32_t depth, int32_t *c,
                    size_t c_stride);

/* One row to int8; returns the greatest size in it, at least 1. */
uint32_t kernel_quantise(const int32_t *v, uint32_t count, int8_t *a);
/* Normed, times gain (NULL: one), to int8; `scratch` has width elements. Returns the same. */
uint32_t kernel_norm(const int32_t *x, const int32_t *gain, uint32_t width, int32_t *scratch,
                     int8_t *a);
/* How a product of one matrix becomes numbers. */
struct kernel_scale {
    const uint16_t *each; /* by column; NULL: all */
    uint32_t all, shift;
};
/* A row of a product as numbers: fixed_scale, within limit. */
void kernel_scale_row(const int32_t *c, uint32_t top, const struct kernel_scale *s, uint32_t count,
                      int32_t limit, int32_t *out);
/* x += scaled row, kept within the residual stream. */
void kernel_residual(const int32_t *c, uint32_t top, const struct kernel_scale *s, uint32_t count,
                     int32_t *x);
/* One head: pairs (i, i + pairs) of wide values, rotated, as int8. */
void kernel_rotate(const int32_t *wide, const int32_t *cosine, const int32_t *sine, uint32_t pairs,
                   int8_t *out);
/* hidden = silu(gate) * up. */
void kernel_swiglu(const int32_t *gate, const int32_t *up, uint32_t count, int32_t *hidden);
/* Scores of a query to how much each key counts, as int8; returns the sum of counts. */
int32_t kernel_counts(const int32_t *scores, uint32_t seen, uint32_t scale, int8_t *counts);
/* Sums of counts times values to their means, in place. */
void kernel_means(int32_t *sums, uint32_t size, int32_t counts);
/* int8 to float and whole float back to int32, in place where the caller wishes. */
void kernel_floats(const int8_t *a, size_t count, float *out);
void kernel_integers(float *c, size_t count);

#endif
