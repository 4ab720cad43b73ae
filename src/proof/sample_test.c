/* sample_test.c: the sample is uniform, the same everywhere and without repetition; bounds and
 * sizes are those of the exact distributions, here summed in long double.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "proof/sample.h"

#include <math.h>
#include <string.h>

static void test_choice(void **state)
{
    (void)state;
    struct random r = {1};
    for (int round = 0; round < 3000; round++) {
        struct digest seed;
        uint64_t chosen[64], again[64];
        for (int i = 0; i < 32; i++) seed.v[i] = (uint8_t)random_next(&r);
        uint64_t population = random_below(&r, 2) ? 1 + random_below(&r, 80)
                                                  : 1 + (random_next(&r) >> 1);
        uint32_t count = (uint32_t)random_below(&r, 65);
        uint32_t n = sample_choose(&seed, population, count, chosen);
        assert_int_equal(n, count < population ? count : population);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(chosen[i] < population);
            assert_true(i == 0 || chosen[i - 1] < chosen[i]);
        }
        assert_int_equal(sample_choose(&seed, population, count, again), n);
        assert_memory_equal(chosen, again, n * sizeof chosen[0]);
    }
}

/* The generator is documented: others must find the same. SHA-256 of 32 zero bytes and the number
 * of the block, worked with another program. */
static void test_choice_known(void **state)
{
    (void)state;
    static const struct digest zero = {{0}};
    uint64_t chosen[5];
    assert_int_equal(sample_choose(&zero, 1000, 5, chosen), 5);
    static const uint64_t expected[5] = {125, 533, 620, 758, 840};
    assert_memory_equal(chosen, expected, sizeof expected);
}

/* Each of 12 is chosen a quarter of the time when 3 are, each pair as often as any other. */
static void test_choice_uniform(void **state)
{
    (void)state;
    enum { POPULATION = 12, COUNT = 3, DRAWS = 40000 };
    static uint32_t single[POPULATION], pair[POPULATION][POPULATION];
    for (uint32_t i = 0; i < DRAWS; i++) {
        struct digest seed = digest_of(&i, sizeof i);
        uint64_t c[COUNT];
        (void)sample_choose(&seed, POPULATION, COUNT, c);
        for (int a = 0; a < COUNT; a++) {
            single[c[a]] += 1;
            for (int b = a + 1; b < COUNT; b++) pair[c[a]][c[b]] += 1;
        }
    }
    double expected = DRAWS * 3.0 / 12, pairs = DRAWS * 3.0 / 66;
    for (int a = 0; a < POPULATION; a++) {
        assert_true(fabs(single[a] - expected) < 5 * sqrt(expected * 0.75));
        for (int b = a + 1; b < POPULATION; b++)
            assert_true(fabs(pair[a][b] - pairs) < 5 * sqrt(pairs));
    }
}

static void test_sizes(void **state)
{
    (void)state;
    assert_int_equal(sample_size(0, 50000, 990000), 90);  /* DELIV-04 */
    assert_int_equal(sample_size(0, 10000, 990000), 459);
    assert_int_equal(sample_size(0, 1000000, 990000), 1);
    assert_int_equal(sample_size(0, 500000, 0), 0);
    assert_int_equal(sample_size(1, 1, 999999), 1);
    assert_int_equal(sample_size(100, 10000, 990000), 99); /* one of a hundred: 99 see it at 99 % */
    assert_true(sample_size(10000000, 50000, 990000) == 90);
    assert_true(sample_size(500, 50000, 990000) < 90);
    assert_true(sample_detection_ppm(10000000, 500000, 90) >= 990000);
    assert_true(sample_detection_ppm(10000000, 500000, 89) < 990000);
    assert_int_equal(sample_detection_ppm(100, 1, 25), 250000);
    assert_int_equal(sample_detection_ppm(100, 80, 21), 1000000);
    assert_int_equal(sample_detection_ppm(100, 0, 100), 0);
}

static long double log_choose(uint64_t n, uint64_t k)
{
    return lgammal((long double)n + 1) - lgammal((long double)k + 1) -
           lgammal((long double)(n - k) + 1);
}

/* P(at most k of n are wrong | F of N are). */
static long double naive_at_most(uint64_t N, uint64_t F, uint64_t n, uint64_t k)
{
    long double sum = 0;
    for (uint64_t i = 0; i <= k && i <= F && i <= n; i++)
        if (n - i <= N - F)
            sum += expl(log_choose(F, i) + log_choose(N - F, n - i) - log_choose(N, n));
    return sum;
}

/* Every small case, against the largest number of wrong tasks that is still likely enough. */
static void test_bound_exact(void **state)
{
    (void)state;
    for (uint64_t N = 1; N <= 40; N++) {
        for (uint64_t n = 1; n <= N; n++) {
            for (uint64_t k = 0; k <= n; k++) {
                uint64_t worst = k;
                for (uint64_t F = k; F <= N - (n - k); F++)
                    if (naive_at_most(N, F, n, k) > 0.05L + 1e-12L) worst = F;
                uint64_t expected = (worst * 1000000 + N - 1) / N;
                assert_int_equal(sample_bound_ppm(N, n, k), expected);
                assert_true(sample_bound_right(N, n, k, (uint32_t)expected));
                if (expected > 0)
                    assert_false(sample_bound_right(N, n, k, (uint32_t)expected - 1));
                if (expected < 1000000)
                    assert_false(sample_bound_right(N, n, k, (uint32_t)expected + 1));
            }
        }
    }
}

/* P(at most k of n), each wrong with chance p: Clopper and Pearson's bound solves it for 5 %. */
static long double binomial_at_most(uint64_t n, uint64_t k, long double p)
{
    long double sum = 0;
    for (uint64_t i = 0; i <= k; i++)
        sum += expl(log_choose(n, i) + (long double)i * logl(p) +
                    (long double)(n - i) * log1pl(-p));
    return sum;
}

static void test_bound_large(void **state)
{
    (void)state;
    uint64_t huge = UINT64_C(1) << 62;
    /* Rule of three: 1 - 0.05^(1/n). */
    assert_int_equal(sample_bound_ppm(huge, 90, 0), 32739); /* 0.0327380 */
    assert_int_equal(sample_bound_ppm(huge, 459, 0), 6506);  /* 0.0065054 */
    struct random r = {7};
    for (int round = 0; round < 40; round++) {
        uint64_t n = 1 + random_below(&r, 2000), k = random_below(&r, n < 60 ? n : 60);
        uint32_t ppm = sample_bound_ppm(huge, n, k);
        if (ppm == 1000000) continue;
        long double above = binomial_at_most(n, k, ((long double)ppm + 1e-3L) / 1e6L);
        long double below = binomial_at_most(n, k, ((long double)ppm - 1 - 1e-3L) / 1e6L);
        assert_true(above <= 0.05L && below > 0.05L);
        assert_true(sample_bound_right(huge, n, k, ppm));
        assert_false(sample_bound_right(huge, n, k, ppm + 1));
    }
    assert_int_equal(sample_bound_ppm(huge, SAMPLE_MAX, SAMPLE_MAX), 1000000);
    assert_int_equal(sample_bound_ppm(1000, 1000, 3), 3000);
    assert_int_equal(sample_bound_ppm(1000, 1000, 0), 0);
    assert_int_equal(sample_bound_ppm(5, 0, 0), 1000000);
}

/* Of hours with a known share of wrong tasks, at most 5 % get a bound below it. */
static void test_bound_covers(void **state)
{
    (void)state;
    enum { TASKS = 500, WRONG = 30, SAMPLED = 60, HOURS = 4000 };
    uint32_t missed = 0;
    for (uint32_t hour = 0; hour < HOURS; hour++) {
        struct digest seed = digest_of(&hour, sizeof hour);
        uint64_t c[SAMPLED], failed = 0;
        uint32_t n = sample_choose(&seed, TASKS, SAMPLED, c);
        for (uint32_t i = 0; i < n; i++) failed += c[i] % (TASKS / 10) < WRONG / 10;
        missed += sample_bound_ppm(TASKS, SAMPLED, failed) < WRONG * 1000000 / TASKS;
    }
    assert_true(missed <= HOURS / 20 + 40); /* 5 %, and three standard deviations */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),      cmocka_unit_test(test_choice_known),
        cmocka_unit_test(test_choice_uniform), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_bound_exact), cmocka_unit_test(test_bound_large),
        cmocka_unit_test(test_bound_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
