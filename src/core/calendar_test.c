/* calendar_test.c: dates against a walk over every day; period names; peak and off-peak hours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/calendar.h"

static struct period read_ok(const char *text)
{
    struct period p;
    if (!calendar_period_read(text, &p)) fail_msg("%s should be a period", text);
    return p;
}

static uint32_t hours(const char *text)
{
    struct period p = read_ok(text);
    return calendar_hours(&p, 14, 2);
}

/* Walks day by day, with the plainest rules, and compares. */
static void dates_walk(void **state)
{
    (void)state;
    int64_t day = 0;
    int weekday = 3;
    for (int y = 1970; y < 2300; y++) {
        bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        int days_of[12] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        for (int m = 1; m <= 12; m++) {
            for (int d = 1; d <= days_of[m - 1]; d++) {
                assert_int_equal(calendar_day(y, m, d), day);
                struct date back = calendar_date(day);
                assert_true(back.year == y && back.month == m && back.day == d);
                assert_int_equal(calendar_weekday(day), weekday);
                assert_int_equal(calendar_month_number(day), (y - 1970) * 12 + m - 1);
                day += 1;
                weekday = (weekday + 1) % 7;
            }
        }
    }
    assert_int_equal(calendar_day(2027, 1, 4), 20822); /* date -d 2027-01-04 +%s / 86400 */
}

static void iso_weeks(void **state)
{
    (void)state;
    /* ISO 8601: years with 53 weeks from 2000 to 2060. */
    const int long_years[] = {2004, 2009, 2015, 2020, 2026, 2032, 2037, 2043, 2048, 2054, 2060};
    size_t at = 0;
    for (int y = 2000; y <= 2060; y++) {
        bool is_long = at < 11 && long_years[at] == y;
        if (is_long) at += 1;
        assert_int_equal(calendar_weeks(y), is_long ? 53 : 52);
    }
    assert_int_equal(at, 11);
    struct period p = read_ok("2027W07");
    assert_int_equal(p.kind, PERIOD_week);
    assert_int_equal(p.first_hour, calendar_day(2027, 2, 15) * 24);
    assert_int_equal(p.end_hour, calendar_day(2027, 2, 22) * 24);
    /* Week 53 of 2026 reaches into 2027; week 1 of 2025 begins in 2024. */
    p = read_ok("2026W53");
    assert_int_equal(p.first_hour, calendar_day(2026, 12, 28) * 24);
    p = read_ok("2025W01");
    assert_int_equal(p.first_hour, calendar_day(2024, 12, 30) * 24);
}

static void period_names(void **state)
{
    (void)state;
    assert_int_equal(read_ok("2027").kind, PERIOD_year);
    assert_int_equal(read_ok("2027Q1").kind, PERIOD_quarter);
    assert_int_equal(read_ok("2027M03").kind, PERIOD_month);
    assert_int_equal(read_ok("2027D0315").kind, PERIOD_day);
    assert_int_equal(read_ok("2027D0315H07").kind, PERIOD_hour);
    assert_int_equal(read_ok("2027D0315H07-OP").block, BLOCK_off_peak);
    assert_int_equal(read_ok("2027Q4-PK").block, BLOCK_peak);
    assert_int_equal(read_ok("2027").block, BLOCK_base);
    struct period p = read_ok("2027Q4");
    assert_int_equal(p.first_hour, calendar_day(2027, 10, 1) * 24);
    assert_int_equal(p.end_hour, calendar_day(2028, 1, 1) * 24);
    p = read_ok("2027D0315H07");
    assert_int_equal(p.first_hour, calendar_day(2027, 3, 15) * 24 + 7);
    assert_int_equal(p.end_hour - p.first_hour, 1);
    const char *const wrong[] = {
        "", "2", "202", "20277", "1999", "2200", "2027Q", "2027Q0", "2027Q5", "2027Q11", "2027W",
        "2027W00", "2027W53", "2027W7", "2027M00", "2027M13", "2027M3", "2027M031", "2027D0229",
        "2027D0431", "2027D1301", "2027D0100", "2027D031", "2027D0315H", "2027D0315H24",
        "2027D0315H7", "2027D0315H070", "2027-", "2027-P", "2027-PKX", "2027-pk", "2027-XX",
        "2027M03PK", "2027M03-PK-OP", " 2027", "2027 ", "-2027", "2027m03", "2027X1", "2027M+3",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (calendar_period_read(wrong[i], &p)) fail_msg("'%s' should be refused", wrong[i]);
    }
}

static void leap_years(void **state)
{
    (void)state;
    assert_int_equal(hours("2024"), 8784);
    assert_int_equal(hours("2027"), 8760);
    assert_int_equal(hours("2100"), 8760);
    assert_int_equal(hours("2000"), 8784);
    assert_int_equal(hours("2028M02"), 696);
    assert_int_equal(hours("2027M02"), 672);
    (void)read_ok("2028D0229");
    struct period p;
    assert_false(calendar_period_read("2100D0229", &p));
}

/* UNIT-04: a session belongs to the day it starts on, its hours to the period they lie in. */
static void peak_over_midnight(void **state)
{
    (void)state;
    assert_int_equal(hours("2027D0304-PK"), 12); /* a Thursday: 00, 01 of Wednesday's, 14 to 23 */
    assert_int_equal(hours("2027D0301-PK"), 10); /* Monday: no session began on Sunday */
    assert_int_equal(hours("2027D0306-PK"), 2);  /* Saturday: the rest of Friday's */
    assert_int_equal(hours("2027D0307-PK"), 0);  /* Sunday */
    assert_int_equal(hours("2027D0306-OP"), 22);
    assert_int_equal(hours("2027D0306H01-PK"), 1);
    assert_int_equal(hours("2027D0306H02-PK"), 0);
    assert_int_equal(hours("2027D0305H13-PK"), 0);
    assert_int_equal(hours("2027D0305H14-PK"), 1);
    assert_int_equal(hours("2027W09-PK"), 60);
    struct period p = read_ok("2027D0304-PK");
    assert_int_equal(calendar_hours(&p, 8, 20), 12); /* within a day */
    assert_int_equal(calendar_hours(&p, 0, 0), 24);  /* end at the start: the whole day */
    p = read_ok("2027D0306-PK");
    assert_int_equal(calendar_hours(&p, 8, 20), 0);
}

/* Base = Peak + Off-peak; days add up to months, months to years, whatever the session. */
static void blocks_add_up(void **state)
{
    (void)state;
    const int sessions[][2] = {{14, 2}, {8, 20}, {0, 0}, {22, 6}, {23, 23}};
    for (size_t s = 0; s < sizeof sessions / sizeof sessions[0]; s++) {
        for (int y = 2024; y <= 2030; y++) {
            uint32_t year_peak = 0;
            for (int m = 1; m <= 12; m++) {
                char name[32];
                uint32_t of[BLOCK_count], days = 0;
                const char *const behind[BLOCK_count] = {"", "-PK", "-OP"};
                for (int b = 0; b < BLOCK_count; b++) {
                    (void)snprintf(name, sizeof name, "%dM%02d%s", y, m, behind[b]);
                    struct period p = read_ok(name);
                    of[b] = calendar_hours(&p, sessions[s][0], sessions[s][1]);
                }
                for (int d = 1; d <= calendar_month_days(y, m); d++) {
                    (void)snprintf(name, sizeof name, "%dD%02d%02d-PK", y, m, d);
                    struct period p = read_ok(name);
                    days += calendar_hours(&p, sessions[s][0], sessions[s][1]);
                }
                assert_int_equal(of[BLOCK_base], calendar_month_days(y, m) * 24);
                assert_int_equal(of[BLOCK_base], of[BLOCK_peak] + of[BLOCK_off_peak]);
                assert_int_equal(of[BLOCK_peak], days);
                year_peak += of[BLOCK_peak];
            }
            char name[32];
            (void)snprintf(name, sizeof name, "%d-PK", y);
            struct period p = read_ok(name);
            assert_int_equal(calendar_hours(&p, sessions[s][0], sessions[s][1]), year_peak);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_walk),   cmocka_unit_test(iso_weeks),
        cmocka_unit_test(period_names), cmocka_unit_test(leap_years),
        cmocka_unit_test(peak_over_midnight), cmocka_unit_test(blocks_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
