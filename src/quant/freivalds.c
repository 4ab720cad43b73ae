/* freivalds.c: see freivalds.h. The sums of both rounds are made together, so that A, B and C are
 * read once; blocks of a row keep the limbs that they are multiplied with in the first cache. */
#include "quant/freivalds.h"

#include "quant/freivalds_kernel.h"

#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 128 }; /* rows that share a block's limbs; a thread's share */

_Static_assert(FREIVALDS_SEED_SIZE == crypto_stream_chacha20_KEYBYTES, "ChaCha20's key");
_Static_assert(FREIVALDS_ROUNDS == 2, "the kernels make the sums of two rounds");

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

void freivalds_random(int32_t *r, size_t n, const uint8_t seed[FREIVALDS_SEED_SIZE],
                      uint64_t number)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    for (size_t i = 0; i < sizeof nonce; i++) nonce[i] = (uint8_t)(number >> 8 * i);
    (void)crypto_stream_chacha20((uint8_t *)r, FREIVALDS_ROUNDS * n * sizeof *r, nonce, seed);
    for (size_t i = 0; i < FREIVALDS_ROUNDS * n; i++) {
        uint32_t word;
        memcpy(&word, &r[i], sizeof word);
        r[i] = (int32_t)(word >> 1) - (1 << 30);
    }
}

/* ---- limbs ---- */

/* Signed limbs of both rounds' r; |r| <= 2^30, so the upper one fits. */
static void limbs_of_r(struct freivalds_limbs *f, const int32_t *r, size_t n, size_t first,
                       size_t count)
{
    for (int round = 0; round < FREIVALDS_ROUNDS; round++) {
        const int32_t *from = r + (size_t)round * n + first;
        for (size_t j = 0; j < count; j++) {
            int16_t low = (int16_t)from[j];
            f->limb[2 * round][j] = low;
            f->limb[2 * round + 1][j] = (int16_t)((from[j] - low) >> 16);
        }
    }
}

/* And of v, modulo 2^64: what is carried out of the uppermost is a multiple of 2^64. */
static void limbs_of_v(struct freivalds_limbs *f, const uint64_t *v, size_t k, size_t first,
                       size_t count)
{
    for (int round = 0; round < FREIVALDS_ROUNDS; round++) {
        const uint64_t *from = v + (size_t)round * k + first;
        for (size_t j = 0; j < count; j++) {
            uint64_t left = from[j];
            for (int i = 0; i < 4; i++) {
                int16_t low = (int16_t)left;
                f->limb[4 * round + i][j] = low;
                left = (left - (uint64_t)(int64_t)low) >> 16;
            }
        }
    }
}

/* Behind `count`, up to a whole vector. */
static void limbs_end(struct freivalds_limbs *f, int limbs, size_t count)
{
    size_t end = smaller((count + 31) & ~(size_t)31, FREIVALDS_BLOCK);
    for (int i = 0; i < limbs; i++)
        memset(&f->limb[i][count], 0, (end - count) * sizeof f->limb[i][0]);
}

/* ---- B r ---- */

void freivalds_fold_rows(uint64_t *v, size_t k, size_t first, size_t rows, const int8_t *b,
                         const int32_t *r, size_t n)
{
    const struct freivalds_kernel *kernel = freivalds_kernel_best();
    struct freivalds_limbs f;
    for (int round = 0; round < FREIVALDS_ROUNDS; round++)
        memset(v + (size_t)round * k + first, 0, rows * sizeof *v);
    for (size_t at = 0; at < n; at += FREIVALDS_BLOCK) {
        size_t count = smaller(n - at, FREIVALDS_BLOCK);
        limbs_of_r(&f, r, n, at, count);
        limbs_end(&f, 4, count);
        for (size_t row = 0; row < rows; row++) {
            int64_t s[FREIVALDS_LIMBS];
            kernel->dot(b + row * n + at, count, &f, 4, s);
            v[first + row] += (uint64_t)s[0] + ((uint64_t)s[1] << 16);
            v[k + first + row] += (uint64_t)s[2] + ((uint64_t)s[3] << 16);
        }
    }
}

/* 64 places of up to FREIVALDS_STRIP columns, packed: rows of a matrix whose width is a power of
 * two would drive each other out of the cache. */
static void fold_strip(const struct freivalds_kernel *kernel, uint64_t *v, size_t k, size_t place,
                       const int8_t *transpose, size_t columns, const struct freivalds_limbs *f)
{
    int8_t packed[(FREIVALDS_STRIP + 1) * 64];
    int32_t sums[4][16];
    size_t width = smaller(k - place, 64);
    for (size_t j = 0; j < columns; j++) {
        memcpy(packed + 64 * j, transpose + j * k + place, width);
        memset(packed + 64 * j + width, 0, 64 - width);
    }
    memset(packed + 64 * columns, 0, 64);
    for (size_t at = 0; at < width; at += 16) {
        kernel->strip(packed + at, (columns + 1) & ~(size_t)1, f, sums);
        for (size_t i = 0; i < smaller(width - at, 16); i++) {
            v[place + at + i] += (uint64_t)(int64_t)sums[0][i] +
                                 ((uint64_t)(int64_t)sums[1][i] << 16);
            v[k + place + at + i] += (uint64_t)(int64_t)sums[2][i] +
                                     ((uint64_t)(int64_t)sums[3][i] << 16);
        }
    }
}

void freivalds_fold_columns(uint64_t *v, size_t k, size_t first, size_t columns,
                            const int8_t *transpose, const int32_t *r, size_t n)
{
    const struct freivalds_kernel *kernel = freivalds_kernel_best();
    struct freivalds_limbs f;
    for (size_t at = 0; at < columns; at += FREIVALDS_STRIP) {
        size_t count = smaller(columns - at, FREIVALDS_STRIP);
        limbs_of_r(&f, r, n, first + at, count);
        limbs_end(&f, 4, count);
        for (size_t place = 0; place < k; place += 64)
            fold_strip(kernel, v, k, place, transpose + at * k, count, &f);
    }
}

/* ---- A v = C r ---- */

/* The first of up to TILE rows for which it does not hold, or `rows`. */
static size_t check_tile(const struct freivalds_kernel *kernel, const int8_t *a, size_t rows,
                         size_t k, const uint64_t *v, const int32_t *c, const int32_t *r, size_t n)
{
    struct freivalds_limbs f;
    uint64_t left[TILE][FREIVALDS_ROUNDS] = {{0}};
    for (size_t at = 0; at < k; at += FREIVALDS_BLOCK) {
        size_t count = smaller(k - at, FREIVALDS_BLOCK);
        limbs_of_v(&f, v, k, at, count);
        limbs_end(&f, FREIVALDS_LIMBS, count);
        for (size_t row = 0; row < rows; row++) {
            int64_t s[FREIVALDS_LIMBS];
            kernel->dot(a + row * k + at, count, &f, FREIVALDS_LIMBS, s);
            for (int i = 0; i < FREIVALDS_LIMBS; i++)
                left[row][i / 4] += (uint64_t)s[i] << 16 * (i % 4);
        }
    }
    for (size_t row = 0; row < rows; row++) {
        uint64_t right[FREIVALDS_ROUNDS] = {0};
        kernel->dot32(c + row * n, n, r, r + n, right);
        if (left[row][0] != right[0] || left[row][1] != right[1]) return row;
    }
    return rows;
}

size_t freivalds_check(const int8_t *a, size_t m, size_t k, const uint64_t *v, const int32_t *c,
                       const int32_t *r, size_t n)
{
    const struct freivalds_kernel *kernel = freivalds_kernel_best();
    for (size_t row = 0; row < m; row += TILE) {
        size_t rows = smaller(m - row, TILE);
        size_t good = check_tile(kernel, a + row * k, rows, k, v, c + row * n, r, n);
        if (good < rows) return row + good;
    }
    return m;
}

/* ---- all of it ---- */

/* One product, worked on by whoever comes: rows of B are folded in chunks; when all are, rows of C
 * are checked in chunks. Threads are started once, and none is needed but the caller's own. */
struct whole {
    const int8_t *a, *b;
    const int32_t *c;
    size_t m, k, n;
    int32_t *r;
    uint64_t *v;
    atomic_size_t fold_next, fold_done, check_next;
    atomic_bool wrong;
};

static void *whole_run(void *context)
{
    struct whole *w = context;
    size_t at;
    while ((at = atomic_fetch_add(&w->fold_next, TILE)) < w->k) {
        size_t rows = smaller(w->k - at, TILE);
        freivalds_fold_rows(w->v, w->k, at, rows, w->b + at * w->n, w->r, w->n);
        (void)atomic_fetch_add(&w->fold_done, rows);
    }
    while (atomic_load(&w->fold_done) < w->k) (void)sched_yield(); /* less than a chunk's time */
    while (!atomic_load(&w->wrong) && (at = atomic_fetch_add(&w->check_next, TILE)) < w->m) {
        size_t rows = smaller(w->m - at, TILE);
        if (freivalds_check(w->a + at * w->k, rows, w->k, w->v, w->c + at * w->n, w->r, w->n) !=
            rows)
            atomic_store(&w->wrong, true);
    }
    return NULL;
}

static bool whole_check(struct whole *w, unsigned threads)
{
    pthread_t thread[FREIVALDS_THREADS_MAX];
    unsigned started = 0;
    while (started + 1 < threads &&
           pthread_create(&thread[started], NULL, whole_run, w) == 0) started += 1;
    (void)whole_run(w);
    for (unsigned i = 0; i < started; i++) (void)pthread_join(thread[i], NULL);
    return !atomic_load(&w->wrong);
}

bool freivalds_verify(const int8_t *a, const int8_t *b, const int32_t *c, size_t m, size_t k,
                      size_t n, const uint8_t seed[FREIVALDS_SEED_SIZE], uint64_t number,
                      unsigned threads)
{
    if (k == 0 || n == 0 || k > FREIVALDS_K_MAX) return false;
    if (threads > FREIVALDS_THREADS_MAX) threads = FREIVALDS_THREADS_MAX;
    struct whole w = {.a = a, .b = b, .c = c, .m = m, .k = k, .n = n,
                      .r = malloc(FREIVALDS_ROUNDS * n * sizeof *w.r),
                      .v = malloc(FREIVALDS_ROUNDS * k * sizeof *w.v)};
    bool good = w.r != NULL && w.v != NULL;
    if (good) {
        freivalds_random(w.r, n, seed, number);
        good = whole_check(&w, threads);
    }
    free(w.r);
    free(w.v);
    return good;
}
