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

/* "AVX-512 VNNI", "AVX2", "C": what kernel_product uses. */
const char *kernel_name(void);

/* c[i * stride + n] = row i of a times column n of w, for `rows` rows and `columns` columns (a
 * multiple of 4) of `depth` elements each, a and w row-major (w: a column's weights together). */
void kernel_product(const int8_t *a, uint32_t rows, const int8_t *w, uint32_t columns,
                    uint32_t depth, int32_t *c, size_t stride);

/* One row to int8; returns the greatest size in it, at least 1. */
uint32_t kernel_quantise(const int32_t *v, uint32_t count, int8_t *a);
/* Normed, times gain (NULL: one), to int8; `scratch` has width elements. Returns the same. */
uint32_t kernel_norm(const int32_t *x, const int32_t *gain, uint32_t width, int32_t *scratch,
                     int8_t *a);
/* A row of a product as numbers: fixed_scale, within limit; scale NULL: scale_all. */
void kernel_scale(const int32_t *c, uint32_t top, const uint16_t *scale, uint16_t scale_all,
                  uint32_t shift, uint32_t count, int32_t limit, int32_t *out);
/* x += scaled row, kept within the residual stream. */
void kernel_residual(const int32_t *c, uint32_t top, const uint16_t *scale, uint16_t scale_all,
                     uint32_t shift, uint32_t count, int32_t *x);
/* hidden = silu(gate) * up. */
void kernel_swiglu(const int32_t *gate, const int32_t *up, uint32_t count, int32_t *hidden);
/* One query head over `seen` keys of one kv head: k and v are [position][size]. `counts` takes
 * `seen` elements, `out` size. */
void kernel_attention(const int8_t *q, const int8_t *k, const int8_t *v, uint32_t seen,
                      uint32_t size, uint32_t scale, int32_t *counts, int32_t *out);
/* int8 to float and whole float back to int32, in place where the caller wishes. */
void kernel_floats(const int8_t *a, size_t count, float *out);
void kernel_integers(float *c, size_t count);

#endif
