/* kernel.c: products of int8; see kernel.h. */
#include "work/kernel.h"

#include <stdbool.h>

#include "base/assert.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { COLUMNS = 4 };

/* Without any intrinsics: the compiler makes vectors of it. */
static inline __attribute__((always_inline)) void columns_plain(
    const int8_t *a, const int8_t *w, size_t w_stride, uint32_t depth, int32_t *c)
{
    for (uint32_t n = 0; n < COLUMNS; n++) {
        const int8_t *column = w + n * w_stride;
        int32_t sum = 0;
        for (uint32_t k = 0; k < depth; k++) sum += (int16_t)((int16_t)a[k] * (int16_t)column[k]);
        c[n] = sum;
    }
}

static inline __attribute__((always_inline)) void product_any(
    const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w, size_t w_stride,
    uint32_t columns, uint32_t depth, int32_t *c, size_t c_stride)
{
    for (uint32_t n = 0; n < columns; n += COLUMNS)
        for (uint32_t i = 0; i < rows; i++)
            columns_plain(a + i * a_stride, w + n * w_stride, w_stride, depth,
                          c + i * c_stride + n);
}

static void product_c(const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w,
                      size_t w_stride, uint32_t columns, uint32_t depth, int32_t *c,
                      size_t c_stride)
{
    product_any(a, a_stride, rows, w, w_stride, columns, depth, c, c_stride);
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

AVX2 static void product_avx2(const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w,
                              size_t w_stride, uint32_t columns, uint32_t depth, int32_t *c,
                              size_t c_stride)
{
    product_any(a, a_stride, rows, w, w_stride, columns, depth, c, c_stride);
}

AVX512 static void product_avx512(const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w,
                                  size_t w_stride, uint32_t columns, uint32_t depth, int32_t *c,
                                  size_t c_stride)
{
    product_any(a, a_stride, rows, w, w_stride, columns, depth, c, c_stride);
}

/* vpdpbusd multiplies unsigned with signed: a is taken as a + 128, and 128 times the sum of the
 * column is taken off again. `count` rows, 1 to 4, known when this is compiled. */
VNNI static inline __attribute__((always_inline)) void tile_vnni(
    const int8_t *a, size_t a_stride, const int8_t *w, size_t w_stride, uint32_t depth, int32_t *c,
    size_t c_stride, uint32_t count)
{
    const __m512i offset = _mm512_set1_epi8((char)0x80);
    __m512i sums[4][COLUMNS], offsets[COLUMNS];
    for (uint32_t n = 0; n < COLUMNS; n++) {
        offsets[n] = _mm512_setzero_si512();
        for (uint32_t i = 0; i < count; i++) sums[i][n] = _mm512_setzero_si512();
    }
    for (uint32_t k = 0; k < depth; k += 64) {
        uint32_t left = depth - k;
        __mmask64 mask = left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
        __m512i rows[4];
        for (uint32_t i = 0; i < count; i++)
            rows[i] = _mm512_xor_si512(
                _mm512_maskz_loadu_epi8(mask, a + i * a_stride + k), offset);
        for (uint32_t n = 0; n < COLUMNS; n++) {
            __m512i column = _mm512_maskz_loadu_epi8(mask, w + n * w_stride + k);
            offsets[n] = _mm512_dpbusd_epi32(offsets[n], offset, column);
            for (uint32_t i = 0; i < count; i++)
                sums[i][n] = _mm512_dpbusd_epi32(sums[i][n], rows[i], column);
        }
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t n = 0; n < COLUMNS; n++)
            c[i * c_stride + n] = _mm512_reduce_add_epi32(_mm512_sub_epi32(sums[i][n], offsets[n]));
}

VNNI static void product_vnni(const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w,
                              size_t w_stride, uint32_t columns, uint32_t depth, int32_t *c,
                              size_t c_stride)
{
    for (uint32_t n = 0; n < columns; n += COLUMNS) {
        const int8_t *column = w + n * w_stride;
        uint32_t i = 0;
        for (; i + 4 <= rows; i += 4)
            tile_vnni(a + i * a_stride, a_stride, column, w_stride, depth, c + i * c_stride + n,
                      c_stride, 4);
        if (rows - i == 3)
            tile_vnni(a + i * a_stride, a_stride, column, w_stride, depth, c + i * c_stride + n,
                      c_stride, 3);
        if (rows - i == 2)
            tile_vnni(a + i * a_stride, a_stride, column, w_stride, depth, c + i * c_stride + n,
                      c_stride, 2);
        if (rows - i == 1)
            tile_vnni(a + i * a_stride, a_stride, column, w_stride, depth, c + i * c_stride + n,
                      c_stride, 1);
    }
}
#endif

typedef void product_function(const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w,
                              size_t w_stride, uint32_t columns, uint32_t depth, int32_t *c,
                              size_t c_stride);

static enum kernel_vectors limit = KERNEL_vnni;

void kernel_limit(enum kernel_vectors most)
{
    limit = most;
}

enum kernel_vectors kernel_vectors(void)
{
    enum kernel_vectors best = KERNEL_plain;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        best = KERNEL_avx2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            best = __builtin_cpu_supports("avx512vnni") ? KERNEL_vnni : KERNEL_avx512;
    }
#endif
    return best < limit ? best : limit;
}

const char *kernel_name(void)
{
    static const char *const names[] = {"C", "AVX2", "AVX-512", "AVX-512 VNNI"};
    return names[kernel_vectors()];
}

void kernel_product(const int8_t *a, size_t a_stride, uint32_t rows, const int8_t *w,
                    size_t w_stride, uint32_t columns, uint32_t depth, int32_t *c,
                    size_t c_stride)
{
    ASSERT(columns % COLUMNS == 0);
    product_function *product = product_c;
#if defined(__x86_64__)
    enum kernel_vectors vectors = kernel_vectors();
    if (vectors == KERNEL_vnni) product = product_vnni;
    else if (vectors == KERNEL_avx512) product = product_avx512;
    else if (vectors == KERNEL_avx2) product = product_avx2;
#endif
    product(a, a_stride, rows, w, w_stride, columns, depth, c, c_stride);
}
