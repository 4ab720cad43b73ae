/* shortfall_test.c: tails, filtered rescaling and coverage tests against published numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "quant/coverage.h"
#include "quant/shortfall.h"

#include <math.h>
#include <stdlib.h>

#define NEAR(a, b, e) assert_true(fabs((a) - (b)) <= (e))

static void counts_are_integers(void **state)
{
    (void)state;
    assert_int_equal(shortfall_count(10000, 100), 1); /* 0.01 x 100 is not 1.0000000000000002 */
    assert_int_equal(shortfall_count(10000, 101), 2);
    assert_int_equal(shortfall_count(10000, 2500), 25);
    assert_int_equal(shortfall_count(10000, 1), 1);
    assert_int_equal(shortfall_count(70000, 100), 7); /* (1 - 0.93) x 100 in doubles is above 7 */
    for (uint32_t n = 1; n < 3000; n++) {
        uint32_t k = shortfall_count(10000, n);
        assert_true((uint64_t)k * 1000000 >= (uint64_t)n * 10000);
        assert_true((uint64_t)(k - 1) * 1000000 < (uint64_t)n * 10000);
    }
}

static void shortfall_of_known_outcomes(void **state)
{
    (void)state;
    double a[100];
    for (int i = 0; i < 100; i++) a[i] = (double)(i - 5);
    NEAR(shortfall_es(a, 100, 10000), 5, 0); /* the worst one of a hundred */
    for (int i = 0; i < 100; i++) a[i] = (double)(94 - i);
    NEAR(shortfall_es(a, 100, 30000), (5 + 4 + 3) / 3.0, 0);
    for (int i = 0; i < 100; i++) a[i] = (double)(i - 5);
    NEAR(shortfall_var(a, 100, 30000), 3, 0);
    for (int i = 0; i < 100; i++) a[i] = 7; /* nothing loses: the mean gain, as a negative loss */
    NEAR(shortfall_es(a, 100, 10000), -7, 0);
}

static int descending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a < b) - (a > b);
}

static void selection_is_what_sorting_gives(void **state)
{
    (void)state;
    struct random r = {7};
    double a[400], b[400];
    for (int round = 0; round < 3000; round++) {
        uint32_t n = 1 + (uint32_t)random_below(&r, 400), k = 1 + (uint32_t)random_below(&r, n);
        uint64_t values = 1 + random_below(&r, round % 3 == 0 ? 3 : 1000); /* many are equal */
        for (uint32_t i = 0; i < n; i++) a[i] = b[i] = (double)random_below(&r, values) - 2;
        qsort(b, n, sizeof *b, descending);
        NEAR(shortfall_select(a, n, k), b[k - 1], 0);
        qsort(a, k, sizeof *a, descending);
        for (uint32_t i = 0; i < k; i++) NEAR(a[i], b[i], 0);
    }
}

/* lambda 0.94, first variance 0.0004: sigma_t excludes r_t. */
static void filtered_historical_rescale(void **state)
{
    (void)state;
    static const double returns[] = {.01, -.02, .015, -.01, .03};
    static const double sigmas[] = {.02, .01954482, .01957243, .01932861, .01889919};
    static const double rescaled[] = {.00987103, -.02020183, .01513, -.0102139, .03133793};
    double sigma[6];
    ewma_sigma(returns, 5, 0.94, 0.0004, sigma);
    for (int i = 0; i < 5; i++) {
        NEAR(sigma[i], sigmas[i], 5e-9);
        NEAR(returns[i] * sigma[5] / sigma[i], rescaled[i], 5e-9);
    }
    NEAR(sigma[5], .0197420546, 5e-11);
}

static void a_missing_return_leaves_the_forecast(void **state)
{
    (void)state;
    const double returns[] = {.01, NAN, .01};
    double sigma[4];
    ewma_sigma(returns, 3, 0.9, 0.0001, sigma);
    NEAR(sigma[1], sigma[2], 0);
    NEAR(sigma[3], .01, 1e-15);
}

static void kupiec_and_the_traffic_light(void **state)
{
    (void)state;
    static const double expected[] = {5.0252, 1.1765, 0.1084, 0.0949,
                                      0.7691, 1.9568, 3.5554, 5.4970};
    for (uint32_t x = 0; x < 8; x++) NEAR(coverage_kupiec(250, x, 0.01), expected[x], 5e-5);
    assert_int_equal(coverage_zone(0), ZONE_green);
    assert_int_equal(coverage_zone(4), ZONE_green);
    assert_int_equal(coverage_zone(5), ZONE_yellow);
    assert_int_equal(coverage_zone(9), ZONE_yellow);
    assert_int_equal(coverage_zone(10), ZONE_red);
    NEAR(coverage_chi_squared_tail(3.841459, 1), 0.05, 1e-7); /* tables of chi-squared */
    NEAR(coverage_chi_squared_tail(6.634897, 1), 0.01, 1e-7);
    NEAR(coverage_chi_squared_tail(5.991465, 2), 0.05, 1e-7);
}

static void christoffersen_sees_clusters(void **state)
{
    (void)state;
    uint8_t apart[250] = {0}, together[250] = {0};
    for (int i = 0; i < 4; i++) {
        apart[30 + 60 * i] = 1;
        together[100 + i] = 1;
    }
    struct coverage a, b;
    coverage_test(apart, 250, 10000, &a);
    coverage_test(together, 250, 10000, &b);
    assert_int_equal(a.exceedances, 4);
    NEAR(a.kupiec, b.kupiec, 0);
    /* apart: 241 transitions 0-0, 4 of 0-1, 4 of 1-0; by hand from the likelihoods */
    assert_int_equal(a.transitions[0][0], 241);
    assert_int_equal(a.transitions[1][0], 4);
    double pi = 4 / 249.0, null = 245 * log(1 - pi) + 4 * log(pi);
    double chain = 241 * log(241 / 245.0) + 4 * log(4 / 245.0);
    NEAR(a.independence, 2 * (chain - null), 1e-9);
    assert_true(a.independence_p > 0.5);
    assert_true(b.independence_p < 0.001);
    NEAR(b.conditional, b.kupiec + b.independence, 1e-12);
    coverage_test((const uint8_t[4]){0, 0, 0, 0}, 4, 10000, &a); /* none: no division by zero */
    NEAR(a.independence, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_integers),
        cmocka_unit_test(shortfall_of_known_outcomes),
        cmocka_unit_test(selection_is_what_sorting_gives),
        cmocka_unit_test(filtered_historical_rescale),
        cmocka_unit_test(a_missing_return_leaves_the_forecast),
        cmocka_unit_test(kupiec_and_the_traffic_light),
        cmocka_unit_test(christoffersen_sees_clusters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
