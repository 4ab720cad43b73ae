/* calendar.h: dates, ISO weeks and delivery periods in UTC, in whole numbers (UNIT-04).
 *
 * A day is counted from 1970-01-01; weekdays from Monday = 0. Nothing here knows a time zone or
 * daylight saving: the hour grid is UTC.
 *
 * A period's name is YYYY | YYYYQn | YYYYWww | YYYYMmm | YYYYDmmdd | YYYYDmmddHhh, with -PK (peak)
 * or -OP (off-peak) behind. A week is an ISO week, begun on Monday, and may reach into another
 * year. Peak is, Monday to Friday, from a start hour to an end hour; where the end is at or below
 * the start the session ends on the next day, and each of its hours belongs to the period that
 * contains it. Off-peak is Base without Peak: the three always add up.
 *
 * Upstream: base, msg. Downstream: instrument, fee.
 */
#ifndef DOJIMA_CORE_CALENDAR_H
#define DOJIMA_CORE_CALENDAR_H

#include "base/units.h"
#include "msg/event.h"

enum { CALENDAR_YEAR_MIN = 2000, CALENDAR_YEAR_MAX = 2199 };

struct date {
    int year;
    int month; /* 1 .. 12 */
    int day;   /* 1 .. 31 */
};

struct period {
    enum period_kind kind;
    enum block_kind block;
    int64_t first_hour; /* hours since 1970-01-01T00:00Z */
    int64_t end_hour;   /* the hour after the last */
};

/* Days since 1970-01-01 of a date that exists (years from 1 on). */
int64_t calendar_day(int year, int month, int day);
struct date calendar_date(int64_t day); /* day of years 1 .. 9999 */
int calendar_month_days(int year, int month);
int calendar_weekday(int64_t day);      /* Monday = 0 */
int64_t calendar_week_one(int year);    /* the Monday of ISO week 1 */
int calendar_weeks(int year);           /* 52 or 53 */
int64_t calendar_month_number(int64_t day); /* months since 1970-01, for comparing */

/* Reads a period's name, zero-terminated. False when it is none. */
bool calendar_period_read(const char *text, struct period *period);

/* The name that calendar_period_read reads; `name` has PERIOD_NAME_SIZE bytes. */
void calendar_period_name(const struct period *period, char *name);

/* What a period becomes when it cascades, in order (CONTRACT-01): a year its first three months and
 * three quarters, a quarter its months, a month or a week its days; of the same block. Returns how
 * many; 0: it does not. */
enum { CALENDAR_PARTS_MAX = 31 };
uint32_t calendar_parts(const struct period *period, struct period parts[CALENDAR_PARTS_MAX]);

/* The n-th (1 or more) day from Monday to Friday before `day`. */
int64_t calendar_business_before(int64_t day, uint32_t n);
/* The last instant of trading in the period, in ns. */
int64_t calendar_last_trading(const struct last_trading *rule, const struct period *period);

/* Whether the hour (since 1970) is in a peak session. */
bool calendar_hour_is_peak(int64_t hour, int peak_start, int peak_end);

/* Hours of the period's block. */
uint32_t calendar_hours(const struct period *period, int peak_start, int peak_end);

#endif
