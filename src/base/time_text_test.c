/* time_text_test.c: RFC 3339 in and out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/time_text.h"

#include <string.h>

static void expect(const char *text, int64_t ns)
{
    ts_t ts = TS(-1);
    assert_int_equal(time_parse(text, strlen(text), &ts), 0);
    if (ts.v != ns) fail_msg("%s: %lld", text, (long long)ts.v);
}

static void test_parse(void **state)
{
    (void)state;
    expect("1970-01-01T00:00:00Z", 0);
    expect("2027-01-04T00:00:00Z", INT64_C(1799020800) * NS_PER_SECOND);
    expect("2027-01-04t09:00:01.5z", INT64_C(1799053201) * NS_PER_SECOND + 500000000);
    expect("2027-01-04T00:00:00.000000001Z", INT64_C(1799020800) * NS_PER_SECOND + 1);
    expect("2027-01-04T01:30:00+01:30", INT64_C(1799020800) * NS_PER_SECOND);
    expect("2027-01-03T19:00:00-05:00", INT64_C(1799020800) * NS_PER_SECOND);
    expect("2028-02-29T00:00:00Z", INT64_C(1835395200) * NS_PER_SECOND);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "2027-01-04", "2027-01-04T00:00:00", "2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z",
        "2027-01-04T24:00:00Z", "2027-01-04T00:00:60Z", "2027-01-04T00:00:00.Z",
        "2027-01-04T00:00:00.0000000001Z", "2027-01-04 00:00:00Z", "2027-01-04T00:00:00Z ",
        "1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "2027-01-04T00:00:00+1:00",
        "1970-01-01T00:00:00+01:00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ts_t ts;
        if (time_parse(bad[i], strlen(bad[i]), &ts) != -1) fail_msg("%s was accepted", bad[i]);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 106000; day += 7) {
        ts_t ts = TS(day * NS_PER_DAY + (day % 86400) * NS_PER_SECOND + day), back;
        char text[TIME_TEXT_SIZE];
        size_t n = time_format(text, ts);
        assert_int_equal(time_parse(text, n, &back), 0);
        assert_true(back.v == ts.v);
    }
    char text[TIME_TEXT_SIZE];
    time_format(text, TS(INT64_C(1799053201) * NS_PER_SECOND + 120000000));
    assert_string_equal(text, "2027-01-04T09:00:01.12Z");
}

static void test_date(void **state)
{
    static const char *const bad[] = {"", "2027-1-4", "2027-01-04T00:00:00Z", "2027-02-29",
                                      "2027-01-041", "2027-01-0", "1969-12-31", "2027/01/04"};
    char text[TIME_TEXT_SIZE];
    ts_t day;
    (void)state;
    assert_int_equal(time_parse_date("2027-01-04", 10, &day), 0);
    assert_int_equal(day.v, INT64_C(1799020800) * NS_PER_SECOND);
    assert_int_equal(time_format_date(text, TS(day.v + NS_PER_DAY - 1)), 10);
    assert_string_equal(text, "2027-01-04");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(time_parse_date(bad[i], strlen(bad[i]), &day), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_date),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
