/* kernel_rows.c: fixed.h over whole rows; see kernel.h. One text for every processor: it is
 * compiled for each set of vectors, and the one for this machine is taken. */

/* The quotient as a float64, cut off: with a dividend below 2^40 and a divisor below 2^20 the exact
 * quotient is either whole, and then found exactly, or at least 2^-20 below the next whole number,
 * and rounding (at most 2^-30 of a quotient below 2^24) cannot reach that. */
#define FIXED_QUOTIENT(dividend, divisor) ((int32_t)((double)(dividend) / (double)(divisor)))
#include "work/fixed.h"

#include <stdbool.h>
#include <string.h>

#include "work/kernel.h"

#define BODY static inline __attribute__((always_inline))

BODY uint32_t quantise(const int32_t *v, uint32_t count, int8_t *a)
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

BODY uint32_t norm(const int32_t *x, const int32_t *gain, uint32_t width, int32_t *scratch,
                   int8_t *a)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += (uint64_t)((int64_t)x[i] * x[i]);
    uint64_t inverse = fixed_norm_inverse(sum, width);
    if (gain == NULL) {
        for (uint32_t i = 0; i < width; i++) scratch[i] = fixed_norm(x[i], inverse, FIXED_GAIN_ONE);
    } else {
        for (uint32_t i = 0; i < width; i++) scratch[i] = fixed_norm(x[i], inverse, gain[i]);
    }
    return quantise(scratch, width, a);
}

BODY void scale_row(const int32_t *restrict c, uint32_t top, const struct kernel_scale *s,
                    uint32_t count, int32_t limit, int32_t *restrict out)
{
    const uint16_t *restrict each = s->each;
    const uint32_t all = s->all, shift = s->shift;
    if (each == NULL) {
        for (uint32_t i = 0; i < count; i++)
            out[i] = fixed_clamp(fixed_scale(c[i], top, all, shift), limit);
    } else {
        for (uint32_t i = 0; i < count; i++)
            out[i] = fixed_clamp(fixed_scale(c[i], top, each[i], shift), limit);
    }
}

BODY void residual(const int32_t *restrict c, uint32_t top, const struct kernel_scale *s,
                   uint32_t count, int32_t *restrict x)
{
    const uint16_t *restrict each = s->each;
    const uint32_t all = s->all, shift = s->shift;
    if (each == NULL) {
        for (uint32_t i = 0; i < count; i++)
            x[i] = fixed_clamp(x[i] + fixed_scale(c[i], top, all, shift), FIXED_RESIDUAL_MAX);
    } else {
        for (uint32_t i = 0; i < count; i++)
            x[i] = fixed_clamp(x[i] + fixed_scale(c[i], top, each[i], shift), FIXED_RESIDUAL_MAX);
    }
}

BODY void swiglu(const int32_t *restrict gate, const int32_t *restrict up, uint32_t count,
                 int32_t *restrict hidden)
{
    for (uint32_t i = 0; i < count; i++) hidden[i] = fixed_swiglu(gate[i], up[i]);
}

BODY void rotate(const int32_t *restrict wide, const int32_t *restrict cosine,
                 const int32_t *restrict sine, uint32_t pairs, int8_t *restrict out)
{
    const int32_t *second = wide + pairs;
    int8_t *out_second = out + pairs;
    for (uint32_t i = 0; i < pairs; i++)
        out[i] = (int8_t)fixed_rotate_first(wide[i], second[i], cosine[i], sine[i]);
    for (uint32_t i = 0; i < pairs; i++)
        out_second[i] = (int8_t)fixed_rotate_second(wide[i], second[i], cosine[i], sine[i]);
}

BODY int32_t counts_of(const int32_t *scores, uint32_t seen, uint32_t scale, int8_t *counts)
{
    int32_t top = INT32_MIN, sum = 0;
    for (uint32_t j = 0; j < seen; j++) top = scores[j] > top ? scores[j] : top;
    for (uint32_t j = 0; j < seen; j++) {
        int32_t count = fixed_attention(top - scores[j], scale);
        counts[j] = (int8_t)count;
        sum += count;
    }
    return sum;
}

BODY void means(int32_t *sums, uint32_t size, int32_t counts)
{
    for (uint32_t d = 0; d < size; d++) sums[d] = fixed_mean(sums[d], counts);
}

BODY void floats(const int8_t *a, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)a[i];
}

BODY void integers(float *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t whole = (int32_t)c[i];
        memcpy(&c[i], &whole, sizeof whole);
    }
}

struct rows {
    uint32_t (*quantise)(const int32_t *v, uint32_t count, int8_t *a);
    uint32_t (*norm)(const int32_t *x, const int32_t *gain, uint32_t width, int32_t *scratch,
                     int8_t *a);
    void (*scale)(const int32_t *c, uint32_t top, const struct kernel_scale *s, uint32_t count,
                  int32_t limit, int32_t *out);
    void (*residual)(const int32_t *c, uint32_t top, const struct kernel_scale *s, uint32_t count,
                     int32_t *x);
    void (*swiglu)(const int32_t *gate, const int32_t *up, uint32_t count, int32_t *hidden);
    void (*rotate)(const int32_t *wide, const int32_t *cosine, const int32_t *sine, uint32_t pairs,
                   int8_t *out);
    int32_t (*counts)(const int32_t *scores, uint32_t seen, uint32_t scale, int8_t *counts);
    void (*means)(int32_t *sums, uint32_t size, int32_t counts);
    void (*floats)(const int8_t *a, size_t count, float *out);
    void (*integers)(float *c, size_t count);
};

/* The same bodies for one set of vectors. */
#define ROWS(name, target)                                                                        \
    target static uint32_t name##_quantise(const int32_t *v, uint32_t n, int8_t *a)               \
    {                                                                                             \
        return quantise(v, n, a);                                                                 \
    }                                                                                             \
    target static uint32_t name##_norm(const int32_t *x, const int32_t *g, uint32_t n,            \
                                       int32_t *scratch, int8_t *a)                               \
    {                                                                                             \
        return norm(x, g, n, scratch, a);                                                         \
    }                                                                                             \
    target static void name##_scale(const int32_t *c, uint32_t top, const struct kernel_scale *s, \
                                    uint32_t n, int32_t limit, int32_t *out)                      \
    {                                                                                             \
        scale_row(c, top, s, n, limit, out);                                                      \
    }                                                                                             \
    target static void name##_residual(const int32_t *c, uint32_t top,                            \
                                       const struct kernel_scale *s, uint32_t n, int32_t *x)      \
    {                                                                                             \
        residual(c, top, s, n, x);                                                                \
    }                                                                                             \
    target static void name##_swiglu(const int32_t *g, const int32_t *u, uint32_t n, int32_t *h)  \
    {                                                                                             \
        swiglu(g, u, n, h);                                                                       \
    }                                                                                             \
    target static void name##_rotate(const int32_t *w, const int32_t *c, const int32_t *s,        \
                                     uint32_t n, int8_t *out)                                     \
    {                                                                                             \
        rotate(w, c, s, n, out);                                                                  \
    }                                                                                             \
    target static int32_t name##_counts(const int32_t *s, uint32_t n, uint32_t scale, int8_t *c)  \
    {                                                                                             \
        return counts_of(s, n, scale, c);                                                         \
    }                                                                                             \
    target static void name##_means(int32_t *s, uint32_t n, int32_t counts)                       \
    {                                                                                             \
        means(s, n, counts);                                                                      \
    }                                                                                             \
    target static void name##_floats(const int8_t *a, size_t n, float *out)                       \
    {                                                                                             \
        floats(a, n, out);                                                                        \
    }                                                                                             \
    target static void name##_integers(float *c, size_t n)                                        \
    {                                                                                             \
        integers(c, n);                                                                           \
    }                                                                                             \
    static const struct rows name##_rows = {                                                      \
        name##_quantise, name##_norm,   name##_scale, name##_residual, name##_swiglu,             \
        name##_rotate,   name##_counts, name##_means, name##_floats,   name##_integers}

ROWS(plain, );
#if defined(__x86_64__)
ROWS(avx2, __attribute__((target("avx2"))));
ROWS(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))));
#endif

static const struct rows *rows(void)
{
#if defined(__x86_64__)
    enum kernel_vectors vectors = kernel_vectors();
    if (vectors >= KERNEL_avx512) return &avx512_rows;
    if (vectors == KERNEL_avx2) return &avx2_rows;
#endif
    return &plain_rows;
}

uint32_t kernel_quantise(const int32_t *v, uint32_t count, int8_t *a)
{
    return rows()->quantise(v, count, a);
}

uint32_t kernel_norm(const int32_t *x, const int32_t *gain, uint32_t width, int32_t *scratch,
                     int8_t *a)
{
    return rows()->norm(x, gain, width, scratch, a);
}

void kernel_scale_row(const int32_t *c, uint32_t top, const struct kernel_scale *s, uint32_t count,
                      int32_t limit, int32_t *out)
{
    rows()->scale(c, top, s, count, limit, out);
}

void kernel_residual(const int32_t *c, uint32_t top, const struct kernel_scale *s, uint32_t count,
                     int32_t *x)
{
    rows()->residual(c, top, s, count, x);
}

void kernel_swiglu(const int32_t *gate, const int32_t *up, uint32_t count, int32_t *hidden)
{
    rows()->swiglu(gate, up, count, hidden);
}

void kernel_rotate(const int32_t *wide, const int32_t *cosine, const int32_t *sine, uint32_t pairs,
                   int8_t *out)
{
    rows()->rotate(wide, cosine, sine, pairs, out);
}

int32_t kernel_counts(const int32_t *scores, uint32_t seen, uint32_t scale, int8_t *counts)
{
    return rows()->counts(scores, seen, scale, counts);
}

void kernel_means(int32_t *sums, uint32_t size, int32_t counts)
{
    rows()->means(sums, size, counts);
}

void kernel_floats(const int8_t *a, size_t count, float *out)
{
    rows()->floats(a, count, out);
}

void kernel_integers(float *c, size_t count)
{
    rows()->integers(c, count);
}
