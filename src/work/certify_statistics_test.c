/* Percentiles, their confidence and Poisson arrivals against known values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "work/certify_statistics.h"

static void assert_near(double got, double expected, double share)
{
    if (fabs(got - expected) > share * fabs(expected)) fail_msg("%.12g, not %.12g", got, expected);
}

/* R: pbinom(3, 10, 0.5), pbinom(2, 100, 0.01), pbinom(990, 1000, 0.99), pbinom(50, 10000, 0.01) */
static void test_binomial(void **state)
{
    (void)state;
    assert_near(statistics_binomial_cdf(3, 10, 0.5), 176.0 / 1024, 1e-12);
    assert_near(statistics_binomial_cdf(0, 10, 0.5), 1.0 / 1024, 1e-12);
    assert_near(statistics_binomial_cdf(9, 10, 0.5), 1023.0 / 1024, 1e-12);
    assert_near(statistics_binomial_cdf(10, 10, 0.5), 1, 1e-15);
    assert_near(statistics_binomial_cdf(2, 100, 0.01), 0.920626797, 1e-8);
    assert_near(statistics_binomial_cdf(0, 459, 0.01), 0.00992, 1e-3);
}

/* The naive sum, term by term from Pascal's rule in logarithms. */
static double naive_cdf(uint64_t k, uint64_t n, double p)
{
    double sum = 0;
    for (uint64_t i = 0; i <= k && i <= n; i++) {
        double logarithm = (double)i * log(p) + (double)(n - i) * log(1 - p);
        for (uint64_t j = 1; j <= i; j++) logarithm += log((double)(n - j + 1) / (double)j);
        sum += exp(logarithm);
    }
    return sum;
}

static void test_binomial_naive(void **state)
{
    (void)state;
    static const double levels[] = {0.01, 0.1, 0.5, 0.9, 0.99};
    for (uint64_t n = 1; n <= 200; n += 7)
        for (uint64_t k = 0; k <= n; k += 1 + n / 9)
            for (int i = 0; i < 5; i++)
                assert_near(statistics_binomial_cdf(k, n, levels[i]), naive_cdf(k, n, levels[i]),
                            1e-9);
}

/* Wilks' numbers for 99/99 (459, 662), and for 95/95 (59, 93); MLPerf's 64 for 90 with one over. */
static void test_early_stopping(void **state)
{
    (void)state;
    assert_int_equal(statistics_queries_needed(0, 0.99, 0.99), 459);
    assert_int_equal(statistics_queries_needed(1, 0.99, 0.99), 662);
    assert_int_equal(statistics_queries_needed(0, 0.95, 0.95), 59);
    assert_int_equal(statistics_queries_needed(1, 0.95, 0.95), 93);
    assert_int_equal(statistics_queries_needed(0, 0.90, 0.99), 44);
    assert_int_equal(statistics_queries_needed(1, 0.90, 0.99), 64);
    assert_true(statistics_holds(0, 459, 0.99, 0.99));
    assert_false(statistics_holds(0, 458, 0.99, 0.99));
    assert_false(statistics_holds(0, 0, 0.99, 0.99));
    assert_false(statistics_holds(5, 5, 0.99, 0.99));
    /* a long run at 0.5% over holds, one at 1% does not */
    assert_true(statistics_holds(50, 10000, 0.99, 0.99));
    assert_false(statistics_holds(100, 10000, 0.99, 0.99));
}

/* Median of 9: ranks 2 and 8 hold it with 96.1% (tables of the sign test). */
static void test_quantile(void **state)
{
    (void)state;
    int64_t values[1000];
    for (int64_t i = 0; i < 1000; i++) values[i] = 10 * (i + 1);
    struct quantile q = statistics_quantile(values, 9, 0.5, 0.95);
    assert_int_equal(q.value, 50);
    assert_int_equal(q.low, 20);
    assert_int_equal(q.high, 80);
    q = statistics_quantile(values, 1000, 0.99, 0.95);
    assert_int_equal(q.value, 9900);
    assert_true(q.low >= 9820 && q.low <= 9850);
    assert_true(q.high >= 9950 && q.high <= 9980);
    /* too few to bound the 99th percentile from above; the largest is all that is known */
    q = statistics_quantile(values, 100, 0.99, 0.95);
    assert_int_equal(q.value, 990);
    assert_true(q.high == INT64_MAX);
    q = statistics_quantile(values, 1, 0.99, 0.95);
    assert_int_equal(q.value, 10);
    assert_true(q.low == INT64_MIN || q.low == 10);
}

/* The interval covers the true percentile at least as often as it says. */
static void test_coverage(void **state)
{
    (void)state;
    struct random random = {.state = 11};
    enum { RUNS = 2000, COUNT = 300 };
    int64_t values[COUNT], truth = (int64_t)(0.9 * 1e9);
    int held = 0;
    for (int run = 0; run < RUNS; run++) {
        for (int i = 0; i < COUNT; i++) values[i] = (int64_t)random_below(&random, 1000000000);
        statistics_sort(values, COUNT);
        struct quantile q = statistics_quantile(values, COUNT, 0.9, 0.95);
        if (q.low <= truth && truth <= q.high) held += 1;
    }
    assert_true(held >= RUNS * 95 / 100 - 20);
    assert_true(held <= RUNS * 99 / 100);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Gaps are exponential: the distance stays below the 1% point 1.63 / sqrt(n); a wrong rate and
 * even gaps do not. The counts in a second are Poisson: variance equals mean. */
static void test_poisson(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    double *gaps = calloc(COUNT, sizeof *gaps), rate = 37.5, critical = 1.63 / sqrt(COUNT);
    struct random random = {.state = 2026}, again = {.state = 2026};
    uint32_t counts[600] = {0};
    double at = 0, sum = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) {
        int64_t gap = statistics_gap_ns(&random, rate);
        assert_int_equal(gap, statistics_gap_ns(&again, rate));
        gaps[i] = (double)gap * 1e-9;
        at += gaps[i];
        if (at < 500) counts[(int)at] += 1;
    }
    qsort(gaps, COUNT, sizeof *gaps, ascending);
    assert_true(statistics_ks_exponential(gaps, COUNT, rate) < critical);
    assert_true(statistics_ks_exponential(gaps, COUNT, rate * 1.05) > critical);
    for (int i = 0; i < 500; i++) {
        sum += counts[i];
        squares += (double)counts[i] * counts[i];
    }
    double mean = sum / 500, variance = squares / 500 - mean * mean;
    assert_near(mean, rate, 0.03);
    assert_near(variance / mean, 1, 0.2);
    for (int i = 0; i < COUNT; i++) gaps[i] = 1 / rate;
    assert_true(statistics_ks_exponential(gaps, COUNT, rate) > critical);
    free(gaps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binomial),       cmocka_unit_test(test_binomial_naive),
        cmocka_unit_test(test_early_stopping), cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_coverage),       cmocka_unit_test(test_poisson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
