/* freivalds_test.c: right products pass, each wrong one is found, at every shape and at the
 * extremes; the kernels agree; the error of a round is what the header says where it can be seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "quant/freivalds.h"
#include "quant/freivalds_kernel.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 400, SIDE = 90, BIG = 5000 };

static void random_bytes(int8_t *x, size_t count, struct random *r)
{
    for (size_t i = 0; i < count; i++) x[i] = (int8_t)random_next(r);
}

static void multiply(const int8_t *a, const int8_t *b, int32_t *c, size_t m, size_t k, size_t n)
{
    memset(c, 0, m * n * sizeof *c);
    for (size_t i = 0; i < m; i++)
        for (size_t l = 0; l < k; l++)
            for (size_t j = 0; j < n; j++) c[i * n + j] += a[i * k + l] * b[l * n + j];
}

static void seed_make(uint8_t seed[FREIVALDS_SEED_SIZE], struct random *r)
{
    for (int i = 0; i < FREIVALDS_SEED_SIZE; i++) seed[i] = (uint8_t)random_next(r);
}

/* Through blocks of rows or of columns of B, in any sizes. */
static size_t check_in_blocks(const int8_t *a, const int8_t *b, const int32_t *c, size_t m,
                              size_t k, size_t n, const uint8_t *seed, bool columns,
                              struct random *random)
{
    int32_t *r = calloc(2 * n, sizeof *r);
    uint64_t *v = calloc(2 * k, sizeof *v);
    int8_t *transpose = malloc(k * n);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < n; j++) transpose[j * k + i] = b[i * n + j];
    freivalds_random(r, n, seed, 7);
    size_t all = columns ? n : k;
    for (size_t at = 0, step; at < all; at += step) {
        step = 1 + random_below(random, all - at);
        if (columns) freivalds_fold_columns(v, k, at, step, transpose + at * k, r, n);
        else freivalds_fold_rows(v, k, at, step, b + at * n, r, n);
    }
    size_t row = freivalds_check(a, m, k, v, c, r, n);
    free(transpose);
    free(v);
    free(r);
    return row;
}

static void test_right_and_wrong(void **state)
{
    (void)state;
    struct random r = {1};
    static int8_t a[SIDE * SIDE], b[SIDE * SIDE];
    static int32_t c[SIDE * SIDE];
    for (int round = 0; round < ROUNDS; round++) {
        size_t m = 1 + random_below(&r, SIDE), k = 1 + random_below(&r, SIDE);
        size_t n = 1 + random_below(&r, SIDE);
        uint8_t seed[FREIVALDS_SEED_SIZE];
        seed_make(seed, &r);
        random_bytes(a, m * k, &r);
        random_bytes(b, k * n, &r);
        multiply(a, b, c, m, k, n);
        unsigned threads = (unsigned)random_below(&r, 4);
        assert_true(freivalds_verify(a, b, c, m, k, n, seed, 3, threads));
        assert_int_equal(check_in_blocks(a, b, c, m, k, n, seed, round % 2 != 0, &r), m);
        size_t at = random_below(&r, m * n);
        uint32_t change = 1u << random_below(&r, 32);
        c[at] = (int32_t)((uint32_t)c[at] ^ change);
        assert_false(freivalds_verify(a, b, c, m, k, n, seed, 3, threads));
        assert_int_equal(check_in_blocks(a, b, c, m, k, n, seed, round % 2 != 0, &r), at / n);
    }
}

/* Two entries of a row changed by opposite amounts, two rows exchanged, a row of zeros: what sums
 * alone would not see. */
static void test_wrong_that_adds_up(void **state)
{
    (void)state;
    struct random r = {2};
    enum { M = 8, K = 40, N = 33 };
    int8_t a[M * K], b[K * N];
    int32_t c[M * N], wrong[M * N];
    uint8_t seed[FREIVALDS_SEED_SIZE];
    for (int round = 0; round < 200; round++) {
        seed_make(seed, &r);
        random_bytes(a, sizeof a, &r);
        random_bytes(b, sizeof b, &r);
        multiply(a, b, c, M, K, N);
        memcpy(wrong, c, sizeof c);
        wrong[3] += 1000;
        wrong[4] -= 1000;
        assert_false(freivalds_verify(a, b, wrong, M, K, N, seed, 0, 1));
        memcpy(wrong, c, sizeof c);
        memcpy(wrong, c + N, N * sizeof c[0]);
        memcpy(wrong + N, c, N * sizeof c[0]);
        assert_false(freivalds_verify(a, b, wrong, M, K, N, seed, 0, 1));
        memcpy(wrong, c, sizeof c);
        memset(wrong + 2 * N, 0, N * sizeof c[0]);
        assert_false(freivalds_verify(a, b, wrong, M, K, N, seed, 0, 1));
    }
}

/* The largest products there are: every sum at its bound, over several blocks. */
static void test_extremes(void **state)
{
    (void)state;
    static const int8_t values[] = {-128, 127};
    enum { M = 2, N = 3, K = 3 * FREIVALDS_BLOCK + 5 };
    int8_t *a = malloc(M * K), *b = malloc(K * N);
    int32_t c[M * N];
    uint8_t seed[FREIVALDS_SEED_SIZE] = {1};
    struct random r = {5};
    for (int i = 0; i < 4; i++) {
        memset(a, values[i & 1], M * K);
        memset(b, values[i >> 1], K * N);
        multiply(a, b, c, M, K, N);
        assert_true(freivalds_verify(a, b, c, M, K, N, seed, 0, 2));
        assert_int_equal(check_in_blocks(a, b, c, M, K, N, seed, true, &r), M);
        c[5] = INT32_MIN;
        assert_false(freivalds_verify(a, b, c, M, K, N, seed, 0, 2));
    }
    assert_false(freivalds_verify(a, b, c, 1, FREIVALDS_K_MAX + 1, 1, seed, 0, 1));
    assert_false(freivalds_verify(a, b, c, 1, 0, 1, seed, 0, 1));
    free(a);
    free(b);
}

/* A wide product, so that n is more than a block too. */
static void test_wide(void **state)
{
    (void)state;
    struct random r = {3};
    enum { M = 3, K = 7 };
    static int8_t a[M * K], b[K * BIG];
    static int32_t c[M * BIG];
    uint8_t seed[FREIVALDS_SEED_SIZE] = {2};
    random_bytes(a, sizeof a, &r);
    random_bytes(b, sizeof b, &r);
    multiply(a, b, c, M, K, BIG);
    assert_true(freivalds_verify(a, b, c, M, K, BIG, seed, 0, 3));
    assert_int_equal(check_in_blocks(a, b, c, M, K, BIG, seed, true, &r), M);
    c[2 * BIG + BIG - 1] -= 1;
    assert_int_equal(check_in_blocks(a, b, c, M, K, BIG, seed, false, &r), 2);
}

/* The kernels give the same sums as the plain one, at the extremes too. */
static void test_kernels_agree(void **state)
{
    (void)state;
    uint32_t count;
    const struct freivalds_kernel *list = freivalds_kernel_list(&count);
    struct random r = {4};
    static struct freivalds_limbs f;
    static int8_t x[64 * (FREIVALDS_STRIP + 1)];
    static int32_t y[FREIVALDS_BLOCK], r0[FREIVALDS_BLOCK], r1[FREIVALDS_BLOCK];
    for (int round = 0; round < 300; round++) {
        bool extreme = round % 3 == 0;
        size_t n = round % 2 != 0 ? FREIVALDS_BLOCK : random_below(&r, FREIVALDS_BLOCK + 1);
        memset(&f, 0, sizeof f);
        for (size_t j = 0; j < n; j++) {
            for (int i = 0; i < FREIVALDS_LIMBS; i++)
                f.limb[i][j] = extreme ? INT16_MIN : (int16_t)random_next(&r);
            y[j] = extreme ? INT32_MIN : (int32_t)random_next(&r);
            r0[j] = extreme ? -(1 << 30) : (int32_t)random_next(&r) >> 1;
            r1[j] = (int32_t)random_next(&r) >> 1;
        }
        random_bytes(x, sizeof x, &r);
        if (extreme) memset(x, -128, sizeof x);
        for (uint32_t kernel = 1; kernel < count; kernel++) {
            for (int limbs = 4; limbs <= 8; limbs += 4) {
                int64_t s[FREIVALDS_LIMBS], t[FREIVALDS_LIMBS];
                list[0].dot(x, n, &f, limbs, s);
                list[kernel].dot(x, n, &f, limbs, t);
                assert_memory_equal(s, t, (size_t)limbs * sizeof s[0]);
            }
            uint64_t p[2] = {1, 2}, q[2] = {1, 2};
            list[0].dot32(y, n, r0, r1, p);
            list[kernel].dot32(y, n, r0, r1, q);
            assert_memory_equal(p, q, sizeof p);
            int32_t u[4][16], w[4][16];
            size_t rows = (n < FREIVALDS_STRIP ? n : FREIVALDS_STRIP) & ~(size_t)1;
            list[0].strip(x, rows, &f, u);
            list[kernel].strip(x, rows, &f, w);
            assert_memory_equal(u, w, sizeof u);
        }
    }
}

/* The random entries: in range, of both signs, the upper and lower halves of the range alike, and
 * another seed or number gives others. */
static void test_random(void **state)
{
    (void)state;
    enum { N = 20000 };
    static int32_t r[2 * N], s[2 * N];
    uint8_t seed[FREIVALDS_SEED_SIZE] = {1}, other[FREIVALDS_SEED_SIZE] = {2};
    freivalds_random(r, N, seed, 0);
    uint32_t octave[8] = {0};
    for (int i = 0; i < 2 * N; i++) {
        assert_in_range((int64_t)r[i] + (1 << 30), 0, INT32_MAX);
        octave[((int64_t)r[i] + (1 << 30)) >> 28] += 1;
    }
    for (int i = 0; i < 8; i++) assert_in_range(octave[i], 4700, 5300);
    assert_memory_not_equal(r, r + N, N * sizeof r[0]);
    freivalds_random(s, N, seed, 1);
    assert_memory_not_equal(r, s, sizeof r);
    freivalds_random(s, N, other, 0);
    assert_memory_not_equal(r, s, sizeof r);
    freivalds_random(s, N, seed, 0);
    assert_memory_equal(r, s, sizeof r);
}

/* The argument of the header in a world small enough to count it: entries of D up to 2^4, r of 2^3
 * values, modulo 2^8. No more than one value in 8 passes, whatever the rest of the row is. */
static void test_error_of_a_small_world(void **state)
{
    (void)state;
    for (int d = -16; d <= 16; d++) {
        if (d == 0) continue;
        for (int constant = 0; constant < 256; constant++) {
            int passed = 0;
            for (int value = -4; value < 4; value++) passed += ((d * value + constant) & 255) == 0;
            assert_true(passed <= 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_and_wrong), cmocka_unit_test(test_wrong_that_adds_up),
        cmocka_unit_test(test_extremes),        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_kernels_agree),   cmocka_unit_test(test_random),
        cmocka_unit_test(test_error_of_a_small_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
