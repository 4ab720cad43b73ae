/* decimal_test.c: decimals in and out, at and beyond every bound. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/decimal.h"

#include <stdio.h>
#include <string.h>

static void expect(const char *text, int scale, enum decimal_result result, int64_t value)
{
    int64_t v = 99;
    enum decimal_result r = decimal_parse(text, strlen(text), scale, &v);
    if (r != result || v != value) fail_msg("%s: result %d value %lld", text, r, (long long)v);
}

static void test_parse_exact(void **state)
{
    (void)state;
    expect("0", 6, DECIMAL_exact, 0);
    expect("-0", 6, DECIMAL_exact, 0);
    expect("100.5", 6, DECIMAL_exact, 100500000);
    expect("-37.63", 6, DECIMAL_exact, -37630000);
    expect("0.1", 1, DECIMAL_exact, 1);
    expect("40.000000000000000000000000000000", 0, DECIMAL_exact, 40);
    expect("1e3", 0, DECIMAL_exact, 1000);
    expect("1.25E+2", 0, DECIMAL_exact, 125);
    expect("12500e-2", 0, DECIMAL_exact, 125);
    expect("0e999999999999", 6, DECIMAL_exact, 0);
    expect("9223372036854775807", 0, DECIMAL_exact, INT64_MAX);
    expect("-9223372036854.775807", 6, DECIMAL_exact, -INT64_MAX);
}

static void test_parse_inexact_and_range(void **state)
{
    (void)state;
    expect("1.5", 0, DECIMAL_inexact, 1);
    expect("-1.5", 0, DECIMAL_inexact, -1);
    expect("0.0000001", 6, DECIMAL_inexact, 0);
    expect("1e-400", 6, DECIMAL_inexact, 0);
    expect("9223372036854775808", 0, DECIMAL_range, INT64_MAX);
    expect("-9223372036854775808", 0, DECIMAL_range, -INT64_MAX);
    expect("1e999999999999", 0, DECIMAL_range, INT64_MAX);
    expect("10000000000000", 6, DECIMAL_range, INT64_MAX);
}

static void test_parse_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-", ".5", "5.", "+5", "05", "1e", "1e+", "0x10", "1 ",
                                      " 1", "NaN", "Infinity", "1_0", "--1", "1.2.3", "1,5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(bad[i], 6, DECIMAL_malformed, 0);
}

static void test_format(void **state)
{
    (void)state;
    char t[DECIMAL_TEXT_SIZE];
    decimal_format(t, 100500000, 6);
    assert_string_equal(t, "100.5");
    decimal_format(t, -1, 6);
    assert_string_equal(t, "-0.000001");
    decimal_format(t, 0, 6);
    assert_string_equal(t, "0");
    decimal_format(t, 1000000, 6);
    assert_string_equal(t, "1");
    decimal_format(t, 1000, 0);
    assert_string_equal(t, "1000");
    decimal_format(t, INT64_MIN, 6);
    assert_string_equal(t, "-9223372036854.775808");
}

static void test_round_trip(void **state)
{
    (void)state;
    uint64_t x = 1;
    for (int i = 0; i < 100000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        int64_t v = (int64_t)(x >> (i % 63 + 1)) * (i % 2 == 0 ? 1 : -1), back;
        int scale = i % (DECIMAL_SCALE_MAX + 1);
        char t[DECIMAL_TEXT_SIZE];
        size_t n = decimal_format(t, v, scale);
        assert_int_equal(decimal_parse(t, n, scale, &back), DECIMAL_exact);
        assert_true(back == v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_exact),     cmocka_unit_test(test_parse_inexact_and_range),
        cmocka_unit_test(test_parse_malformed), cmocka_unit_test(test_format),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
