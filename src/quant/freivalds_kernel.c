/* freivalds_kernel.c: see freivalds_kernel.h. */
#include "quant/freivalds_kernel.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define KERNEL_X86 1
#else
#define KERNEL_X86 0
#endif

/* ---- plain C ---- */

static void dot_plain(const int8_t *x, size_t count, const struct freivalds_limbs *f, int limbs,
                      int64_t sums[FREIVALDS_LIMBS])
{
    for (int i = 0; i < limbs; i++) {
        int64_t sum = 0;
        for (size_t j = 0; j < count; j++) sum += (int32_t)x[j] * f->limb[i][j];
        sums[i] = sum;
    }
}

static void dot32_plain(const int32_t *x, size_t count, const int32_t *r0, const int32_t *r1,
                        uint64_t sums[2])
{
    for (size_t j = 0; j < count; j++) {
        sums[0] += (uint64_t)((int64_t)x[j] * r0[j]);
        sums[1] += (uint64_t)((int64_t)x[j] * r1[j]);
    }
}

static void strip_plain(const int8_t *x, size_t rows, const struct freivalds_limbs *f,
                        int32_t sums[4][16])
{
    memset(sums, 0, 4 * sizeof sums[0]);
    for (size_t row = 0; row < rows; row++)
        for (int i = 0; i < 4; i++)
            for (int place = 0; place < 16; place++)
                sums[i][place] += x[64 * row + (size_t)place] * f->limb[i][row];
}

/* ---- AVX2 ---- */

#if KERNEL_X86
#define AVX2 __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline))

/* Rows follow each other in memory, but the processor's own prefetching ends with a page. */
enum { AHEAD = 2048 };
INLINE void prefetch(const void *x) { _mm_prefetch((const char *)x + AHEAD, _MM_HINT_T0); }

AVX2 static inline int64_t lanes_sum(__m256i v)
{
    __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(v)),
                                    _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1)));
    __m128i half = _mm_add_epi64(_mm256_castsi256_si128(wide),
                                 _mm256_extracti128_si256(wide, 1));
    return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

/* A row of up to FREIVALDS_BLOCK: 128 additions of at most 2^23 to a lane. */
AVX2 INLINE void dot_some(const int8_t *x, size_t count, const struct freivalds_limbs *f,
                          const int limbs, int64_t *sums)
{
    __m256i sum[FREIVALDS_LIMBS];
    for (int i = 0; i < limbs; i++) sum[i] = _mm256_setzero_si256();
    for (size_t j = 0; j < count; j += 16) {
        __m128i bytes;
        if (j % 64 == 0) prefetch(x + j);
        if (count - j >= 16) {
            memcpy(&bytes, x + j, sizeof bytes);
        } else {
            bytes = _mm_setzero_si128();
            memcpy(&bytes, x + j, count - j);
        }
        __m256i words = _mm256_cvtepi8_epi16(bytes);
#pragma GCC unroll 8
        for (int i = 0; i < limbs; i++) {
            __m256i limb = _mm256_load_si256((const void *)&f->limb[i][j]);
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(words, limb));
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < limbs; i++) sums[i] = lanes_sum(sum[i]);
}

AVX2 static void dot_avx2(const int8_t *x, size_t count, const struct freivalds_limbs *f,
                          int limbs, int64_t sums[FREIVALDS_LIMBS])
{
    if (limbs == 4) dot_some(x, count, f, 4, sums);
    else dot_some(x, count, f, 8, sums);
}

/* The odd lanes of a vector of int32, where the multiplication reads. */
AVX2 INLINE __m256i odd(__m256i v) { return _mm256_srli_epi64(v, 32); }

AVX2 static void dot32_avx2(const int32_t *x, size_t count, const int32_t *r0, const int32_t *r1,
                            uint64_t sums[2])
{
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    size_t j = 0;
    for (; j + 8 <= count; j += 8) {
        if (j % 16 == 0) prefetch(x + j);
        __m256i v = _mm256_loadu_si256((const void *)(x + j));
        __m256i p = _mm256_loadu_si256((const void *)(r0 + j));
        __m256i q = _mm256_loadu_si256((const void *)(r1 + j));
        __m256i w = odd(v);
        a = _mm256_add_epi64(a, _mm256_mul_epi32(v, p));
        b = _mm256_add_epi64(b, _mm256_mul_epi32(w, odd(p)));
        c = _mm256_add_epi64(c, _mm256_mul_epi32(v, q));
        d = _mm256_add_epi64(d, _mm256_mul_epi32(w, odd(q)));
    }
    uint64_t lanes[2][4];
    a = _mm256_add_epi64(a, b);
    c = _mm256_add_epi64(c, d);
    memcpy(lanes[0], &a, sizeof lanes[0]);
    memcpy(lanes[1], &c, sizeof lanes[1]);
    for (int i = 0; i < 2; i++) sums[i] += lanes[i][0] + lanes[i][1] + lanes[i][2] + lanes[i][3];
    dot32_plain(x + j, count - j, r0 + j, r1 + j, sums);
}

/* Two rows side by side, so that the multiply-add adds over rows: 128 times at most 2^23. */
AVX2 static void strip_avx2(const int8_t *x, size_t rows, const struct freivalds_limbs *f,
                            int32_t sums[4][16])
{
    __m256i low[4], high[4];
    for (int i = 0; i < 4; i++) low[i] = high[i] = _mm256_setzero_si256();
    for (size_t row = 0; row < rows; row += 2) {
        __m128i first, second;
        memcpy(&first, x + 64 * row, sizeof first);
        memcpy(&second, x + 64 * (row + 1), sizeof second);
        __m256i pair_low = _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(first, second));
        __m256i pair_high = _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(first, second));
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            int32_t both;
            memcpy(&both, &f->limb[i][row], sizeof both);
            __m256i limb = _mm256_set1_epi32(both);
            low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(pair_low, limb));
            high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(pair_high, limb));
        }
    }
    for (int i = 0; i < 4; i++) {
        memcpy(&sums[i][0], &low[i], sizeof low[i]);
        memcpy(&sums[i][8], &high[i], sizeof high[i]);
    }
}
#endif

static const struct freivalds_kernel kernels[] = {
    {"plain", dot_plain, dot32_plain, strip_plain},
#if KERNEL_X86
    {"AVX2", dot_avx2, dot32_avx2, strip_avx2},
#endif
};

const struct freivalds_kernel *freivalds_kernel_list(uint32_t *count)
{
    *count = 1;
#if KERNEL_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) *count = 2;
#endif
    return kernels;
}

const struct freivalds_kernel *freivalds_kernel_best(void)
{
    uint32_t count;
    const struct freivalds_kernel *list = freivalds_kernel_list(&count);
    return &list[count - 1];
}
