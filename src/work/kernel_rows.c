/* kernel_rows.c: fixed.h over whole rows; see kernel.h. The same C for every processor: with gcc it
 * is compiled several times and the loader takes the one for this machine. */
#include <string.h>

#include "work/fixed.h"
#include "work/kernel.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTORS __attribute__((target_clones("default", "avx2", "arch=skylake-avx512")))
#else
#define VECTORS
#endif

VECTORS uint32_t kernel_quantise(const int32_t *v, uint32_t count, int8_t *a)
{
    int32_t top = 1;
    for (uint32_t i = 0; i < count; i++) {
        int32_t size = v[i] < 0 ? -v[i] : v[i];
        top = size > top ? size : top;
    }
    uint64_t inverse = fixed_quantise_inverse((uint32_t)top);
    for (uint32_t i = 0; i < count; i++) a[i] = (int8_t)fixed_quantise(v[i], inverse);
    return (uint32_t)top;
}

VECTORS uint32_t kernel_norm(const int32_t *x, const int32_t *gain, uint32_t width,
                             int32_t *scratch, int8_t *a)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += (uint64_t)((int64_t)x[i] * x[i]);
    uint64_t inverse = fixed_norm_inverse(sum, width);
    if (gain == NULL) {
        for (uint32_t i = 0; i < width; i++) scratch[i] = fixed_norm(x[i], inverse, FIXED_GAIN_ONE);
    } else {
        for (uint32_t i = 0; i < width; i++) scratch[i] = fixed_norm(x[i], inverse, gain[i]);
    }
    return kernel_quantise(scratch, width, a);
}

VECTORS void kernel_scale(const int32_t *c, uint32_t top, const uint16_t *scale,
                          uint16_t scale_all, uint32_t shift, uint32_t count, int32_t limit,
                          int32_t *out)
{
    if (scale == NULL) {
        for (uint32_t i = 0; i < count; i++)
            out[i] = fixed_clamp(fixed_scale(c[i], top, scale_all, shift), limit);
    } else {
        for (uint32_t i = 0; i < count; i++)
            out[i] = fixed_clamp(fixed_scale(c[i], top, scale[i], shift), limit);
    }
}

VECTORS void kernel_residual(const int32_t *c, uint32_t top, const uint16_t *scale,
                             uint16_t scale_all, uint32_t shift, uint32_t count, int32_t *x)
{
    if (scale == NULL) {
        for (uint32_t i = 0; i < count; i++)
            x[i] = fixed_clamp(x[i] + fixed_scale(c[i], top, scale_all, shift), FIXED_RESIDUAL_MAX);
    } else {
        for (uint32_t i = 0; i < count; i++)
            x[i] = fixed_clamp(x[i] + fixed_scale(c[i], top, scale[i], shift), FIXED_RESIDUAL_MAX);
    }
}

VECTORS void kernel_swiglu(const int32_t *gate, const int32_t *up, uint32_t count, int32_t *hidden)
{
    for (uint32_t i = 0; i < count; i++) hidden[i] = fixed_swiglu(gate[i], up[i]);
}

VECTORS void kernel_attention(const int8_t *q, const int8_t *k, const int8_t *v, uint32_t seen,
                              uint32_t size, uint32_t scale, int32_t *counts, int32_t *out)
{
    int32_t top = INT32_MIN, sum = 0;
    for (uint32_t j = 0; j < seen; j++) {
        const int8_t *key = k + (size_t)j * size;
        int32_t score = 0;
        for (uint32_t d = 0; d < size; d++) score += (int16_t)((int16_t)q[d] * (int16_t)key[d]);
        counts[j] = score;
        top = score > top ? score : top;
    }
    for (uint32_t j = 0; j < seen; j++) {
        counts[j] = fixed_attention(top - counts[j], scale);
        sum += counts[j];
    }
    memset(out, 0, size * sizeof out[0]);
    for (uint32_t j = 0; j < seen; j++) {
        const int8_t *value = v + (size_t)j * size;
        if (counts[j] == 0) continue;
        for (uint32_t d = 0; d < size; d++) out[d] += counts[j] * value[d];
    }
    for (uint32_t d = 0; d < size; d++) out[d] = fixed_mean(out[d], sum);
}

VECTORS void kernel_floats(const int8_t *a, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)a[i];
}

VECTORS void kernel_integers(float *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t whole = (int32_t)c[i];
        memcpy(&c[i], &whole, sizeof whole);
    }
}
