/* remargin_kernel.c: see remargin_kernel.h. */
#include "quant/remargin_kernel.h"

#include "quant/shortfall.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define KERNEL_X86 1
#else
#define KERNEL_X86 0
#endif

enum { CANDIDATES_MAX = 256 };

#define INLINE static inline __attribute__((always_inline))

typedef double lanes __attribute__((vector_size(KERNEL_LANES * sizeof(double))));

/* By name and not by function: a vector wider than the plainest processor's has no way to be
 * passed. */
#define LOAD(v, from) memcpy(&(v), (from), sizeof(v))
#define STORE(to, v) memcpy((to), &(v), sizeof(v))

#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

/* One account over one tile; the sums stay in registers. */
INLINE void tile_both(const double *tile, const struct kernel_holding *h, uint32_t count,
                      double *now, double *long_run)
{
#define BEGIN(i) lanes a##i = {0}, b##i = {0};
    EACH(BEGIN)
    for (uint32_t k = 0; k < count; k++) {
        const double *row = tile + (size_t)h[k].instrument * KERNEL_TILE;
        double x = h[k].now, y = h[k].long_run;
#define ADD(i)                                                                                    \
    {                                                                                             \
        lanes z;                                                                                  \
        LOAD(z, row + i * KERNEL_LANES);                                                          \
        a##i += z * x;                                                                            \
        b##i += z * y;                                                                            \
    }
        EACH(ADD)
    }
#define END(i)                                                                                    \
    STORE(now + i * KERNEL_LANES, a##i);                                                          \
    STORE(long_run + i * KERNEL_LANES, b##i);
    EACH(END)
#undef BEGIN
#undef ADD
#undef END
}

INLINE void tile_single(const double *tile, const struct kernel_holding *h, uint32_t count,
                        double *now)
{
#define BEGIN(i) lanes a##i = {0};
    EACH(BEGIN)
    for (uint32_t k = 0; k < count; k++) {
        const double *row = tile + (size_t)h[k].instrument * KERNEL_TILE;
        double x = h[k].now;
#define ADD(i)                                                                                    \
    {                                                                                             \
        lanes z;                                                                                  \
        LOAD(z, row + i * KERNEL_LANES);                                                          \
        a##i += z * x;                                                                            \
    }
        EACH(ADD)
    }
#define END(i) STORE(now + i * KERNEL_LANES, a##i);
    EACH(END)
#undef BEGIN
#undef ADD
#undef END
}

INLINE void product(const struct kernel_job *job, int both)
{
    size_t row = (size_t)job->tile_count * KERNEL_TILE;
    for (uint32_t t = 0; t < job->tile_count; t++) {
        const double *tile = job->tiles + (size_t)t * job->instruments * KERNEL_TILE;
        for (uint32_t a = 0; a < job->accounts; a++) {
            const struct kernel_holding *h = job->holdings + (job->first[a] - job->first[0]);
            uint32_t count = job->first[a + 1] - job->first[a];
            size_t at = a * row + (size_t)t * KERNEL_TILE;
            if (both) tile_both(tile, h, count, job->now + at, job->long_run + at);
            else tile_single(tile, h, count, job->now + at);
        }
    }
}

/* ---- selection ---- */

/* Sorts eight, the greatest first (19 exchanges, Batcher 1968). */
#define NETWORK(DO)                                                                               \
    DO(0, 1) DO(2, 3) DO(4, 5) DO(6, 7) DO(0, 2) DO(1, 3) DO(4, 6) DO(5, 7) DO(1, 2) DO(5, 6)     \
    DO(0, 4) DO(1, 5) DO(2, 6) DO(3, 7) DO(2, 4) DO(3, 5) DO(1, 2) DO(3, 4) DO(5, 6)

INLINE void exchange(double (*v)[KERNEL_LANES], int i, int j)
{
    for (int l = 0; l < KERNEL_LANES; l++) {
        double a = v[i][l], b = v[j][l];
        v[i][l] = a > b ? a : b;
        v[j][l] = a > b ? b : a;
    }
}

/* A value that at least k of |values| reach: of 64 interleaved maxima, sorted in columns of eight,
 * the least in row ceil(k / 8). */
INLINE double bound_below(const double *values, uint32_t n, uint32_t k)
{
    double most[8][KERNEL_LANES] = {{0}};
    for (uint32_t at = 0; at < n; at += KERNEL_TILE) {
        for (int i = 0; i < 8; i++) {
            for (int l = 0; l < KERNEL_LANES; l++) {
                double v = fabs(values[at + (uint32_t)(i * KERNEL_LANES + l)]);
                most[i][l] = v > most[i][l] ? v : most[i][l];
            }
        }
    }
#define EXCHANGE(i, j) exchange(most, i, j);
    NETWORK(EXCHANGE)
#undef EXCHANGE
    const double *row = most[(k - 1) / 8];
    double least = row[0];
    for (int l = 1; l < KERNEL_LANES; l++) least = row[l] < least ? row[l] : least;
    return least;
}

/* Of the candidates the k greatest. The least of them is the smallest that fewer than k exceed; how
 * ties fall does not matter. Sums are kept by lane and added in lane order, so that every processor
 * adds alike. */
INLINE void tail_of(const double *v, uint32_t n, uint32_t k, struct kernel_tail *tail)
{
    double least = INFINITY, sums[KERNEL_LANES] = {0}, sum = 0;
    uint32_t over = 0;
    for (uint32_t i = 0; i < n; i++) {
        double x = v[i];
        uint64_t before = 0;
        for (uint32_t j = 0; j < n; j++) before += v[j] > x;
        if (before < k && x < least) least = x;
    }
    for (uint32_t i = 0; i < n; i++) {
        sums[i % KERNEL_LANES] += v[i] > least ? v[i] : 0;
        over += v[i] > least;
    }
    for (int l = 0; l < KERNEL_LANES; l++) sum += sums[l];
    tail->mean = (sum + (double)(k - over) * least) / (double)k;
    tail->least = least;
}

/* Where very many reach the bound (an account whose profits are mostly alike). */
static void tail_of_many(double *v, uint32_t n, uint32_t k, struct kernel_tail *tail)
{
    double sum = 0;
    tail->least = shortfall_select(v, n, k);
    for (uint32_t i = 0; i < k; i++) sum += v[i];
    tail->mean = sum / (double)k;
}

INLINE uint32_t compact(const double *values, uint32_t n, double bound, double *room)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < n; at += KERNEL_LANES) {
        int any = 0;
        for (int l = 0; l < KERNEL_LANES; l++) any |= fabs(values[at + (uint32_t)l]) >= bound;
        if (!any) continue;
        for (int l = 0; l < KERNEL_LANES; l++) {
            room[count] = fabs(values[at + (uint32_t)l]);
            count += room[count] >= bound;
        }
    }
    return count;
}

INLINE void select_plain(const double *values, uint32_t n, uint32_t k, double *room,
                         struct kernel_tail *tail)
{
    uint32_t count = compact(values, n, bound_below(values, n, k), room);
    if (count > CANDIDATES_MAX) tail_of_many(room, count, k, tail);
    else tail_of(room, count, k, tail);
}

/* ---- for each processor ---- */

static void both_scalar(const struct kernel_job *job) { product(job, 1); }
static void single_scalar(const struct kernel_job *job) { product(job, 0); }
static void select_scalar(const double *values, uint32_t n, uint32_t k, double *room,
                          struct kernel_tail *tail)
{
    select_plain(values, n, k, room, tail);
}

#if KERNEL_X86
#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw")))

AVX2 static void both_avx2(const struct kernel_job *job) { product(job, 1); }
AVX2 static void single_avx2(const struct kernel_job *job) { product(job, 0); }
AVX2 static void select_avx2(const double *values, uint32_t n, uint32_t k, double *room,
                             struct kernel_tail *tail)
{
    select_plain(values, n, k, room, tail);
}

AVX512 static void both_avx512(const struct kernel_job *job) { product(job, 1); }
AVX512 static void single_avx512(const struct kernel_job *job) { product(job, 0); }

/* As tail_of, at most CANDIDATES_MAX: which candidates exceed which, eight at a time. */
AVX512 static void tail_avx512(double *v, uint32_t n, uint32_t k, struct kernel_tail *tail)
{
    const __m512d none = _mm512_set1_pd(-1); /* below every |value| */
    const __m512i one = _mm512_set1_epi64(1), wanted = _mm512_set1_epi64((long long)k);
    __m512d least = _mm512_set1_pd(INFINITY), sums = _mm512_setzero_pd();
    uint32_t over = 0;
    double sum = 0, lane[KERNEL_LANES];
    _mm512_storeu_pd(v + n, none);
    _mm512_storeu_pd(v + n + KERNEL_LANES, none);
    for (uint32_t i = 0; i < n; i += 2 * KERNEL_LANES) {
        __m512d x = _mm512_loadu_pd(v + i), y = _mm512_loadu_pd(v + i + KERNEL_LANES);
        __m512i before_x = _mm512_setzero_si512(), before_y = before_x;
        for (uint32_t j = 0; j < n; j++) {
            __m512d other = _mm512_set1_pd(v[j]);
            before_x = _mm512_mask_add_epi64(before_x, _mm512_cmp_pd_mask(other, x, _CMP_GT_OQ),
                                             before_x, one);
            before_y = _mm512_mask_add_epi64(before_y, _mm512_cmp_pd_mask(other, y, _CMP_GT_OQ),
                                             before_y, one);
        }
        least = _mm512_mask_min_pd(least, _mm512_cmplt_epi64_mask(before_x, wanted), least, x);
        least = _mm512_mask_min_pd(least, _mm512_cmplt_epi64_mask(before_y, wanted), least, y);
    }
    least = _mm512_set1_pd(_mm512_reduce_min_pd(least));
    for (uint32_t i = 0; i < n; i += KERNEL_LANES) {
        __m512d x = _mm512_loadu_pd(v + i);
        __mmask8 mask = _mm512_cmp_pd_mask(x, least, _CMP_GT_OQ);
        sums = _mm512_mask_add_pd(sums, mask, sums, x);
        over += (uint32_t)__builtin_popcount(mask);
    }
    _mm512_storeu_pd(lane, sums);
    for (int l = 0; l < KERNEL_LANES; l++) sum += lane[l];
    tail->least = _mm512_cvtsd_f64(least);
    tail->mean = (sum + (double)(k - over) * tail->least) / (double)k;
}

/* As bound_below. */
AVX512 static __m512d bound_avx512(const double *values, uint32_t n, uint32_t k)
{
    __m512d m[8];
#define BEGIN(i) m[i] = _mm512_setzero_pd();
#define MOST(i) m[i] = _mm512_max_pd(m[i], _mm512_abs_pd(_mm512_loadu_pd(at + i * KERNEL_LANES)));
#define EXCHANGE(i, j)                                                                            \
    {                                                                                             \
        __m512d a = m[i], b = m[j];                                                               \
        m[i] = _mm512_max_pd(a, b);                                                               \
        m[j] = _mm512_min_pd(a, b);                                                               \
    }
    EACH(BEGIN)
    for (const double *at = values; at < values + n; at += KERNEL_TILE) {
        EACH(MOST)
    }
    NETWORK(EXCHANGE)
#undef BEGIN
#undef MOST
#undef EXCHANGE
    __m512d rows[8] = {m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]};
    return _mm512_set1_pd(_mm512_reduce_min_pd(rows[(k - 1) / 8]));
}

AVX512 static void select_avx512(const double *values, uint32_t n, uint32_t k, double *room,
                                 struct kernel_tail *tail)
{
    __m512d least = bound_avx512(values, n, k);
    uint32_t count = 0;
    for (uint32_t at = 0; at < n; at += KERNEL_LANES) {
        __m512d v = _mm512_abs_pd(_mm512_loadu_pd(values + at));
        __mmask8 mask = _mm512_cmp_pd_mask(v, least, _CMP_GE_OQ);
        _mm512_storeu_pd(room + count, _mm512_maskz_compress_pd(mask, v));
        count += (uint32_t)__builtin_popcount(mask);
    }
    if (count > CANDIDATES_MAX) tail_of_many(room, count, k, tail);
    else tail_avx512(room, count, k, tail);
}
#endif

static const struct kernel kernels[] = {
    {"scalar", both_scalar, single_scalar, select_scalar},
#if KERNEL_X86
    {"avx2", both_avx2, single_avx2, select_avx2},
    {"avx512", both_avx512, single_avx512, select_avx512},
#endif
};

const struct kernel *kernel_list(uint32_t *count)
{
    *count = 1;
#if KERNEL_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) *count = 2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        *count = 3;
#endif
    return kernels;
}

const struct kernel *kernel_best(void)
{
    uint32_t count;
    const struct kernel *list = kernel_list(&count);
    return &list[count - 1];
}
