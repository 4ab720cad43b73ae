/* calendar.c: see calendar.h. */
#include "core/calendar.h"

#include <string.h>

static bool year_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the year's first day. */
static int64_t year_first_day(int year)
{
    int64_t before = year - 1;
    int64_t leaps = before / 4 - before / 100 + before / 400;
    int64_t leaps_1970 = 1969 / 4 - 1969 / 100 + 1969 / 400;
    return 365 * (int64_t)(year - 1970) + leaps - leaps_1970;
}

int calendar_month_days(int year, int month)
{
    static const int days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    ASSERT(month >= 1 && month <= 12);
    return month == 2 && year_is_leap(year) ? 29 : days[month];
}

int64_t calendar_day(int year, int month, int day)
{
    int64_t d = year_first_day(year);
    for (int m = 1; m < month; m++) d += calendar_month_days(year, m);
    return d + day - 1;
}

struct date calendar_date(int64_t day)
{
    /* 400 years are 146,097 days: the estimate is at most a year off. */
    int year = (int)(1970 + int64_div_floor(day * 400, 146097));
    while (year_first_day(year) > day) year -= 1;
    while (year_first_day(year + 1) <= day) year += 1;
    int left = (int)(day - year_first_day(year));
    int month = 1;
    while (left >= calendar_month_days(year, month)) {
        left -= calendar_month_days(year, month);
        month += 1;
    }
    return (struct date){year, month, left + 1};
}

int calendar_weekday(int64_t day)
{
    int64_t since_monday = day + 3; /* 1970-01-01 was a Thursday */
    return (int)(since_monday - 7 * int64_div_floor(since_monday, 7));
}

int64_t calendar_week_one(int year)
{
    int64_t fourth = calendar_day(year, 1, 4); /* is always in week 1 */
    return fourth - calendar_weekday(fourth);
}

int calendar_weeks(int year)
{
    return (int)((calendar_week_one(year + 1) - calendar_week_one(year)) / 7);
}

int64_t calendar_month_number(int64_t day)
{
    struct date d = calendar_date(day);
    return (int64_t)(d.year - 1970) * 12 + d.month - 1;
}

/* Reads `digits` decimal digits at *at and moves on; -1 when they are not there. */
static int digits_read(const char **at, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        char ch = **at;
        if (ch < '0' || ch > '9') return -1;
        value = value * 10 + (ch - '0');
        *at += 1;
    }
    return value;
}

static void period_days(struct period *p, enum period_kind kind, int64_t first, int64_t end)
{
    p->kind = kind;
    p->first_hour = first * 24;
    p->end_hour = end * 24;
}

static int64_t month_after(int year, int month)
{
    return month == 12 ? year_first_day(year + 1) : calendar_day(year, month + 1, 1);
}

static bool quarter_read(const char **at, int year, struct period *p)
{
    int quarter = digits_read(at, 1);
    if (quarter < 1 || quarter > 4) return false;
    period_days(p, PERIOD_quarter, calendar_day(year, quarter * 3 - 2, 1),
                month_after(year, quarter * 3));
    return true;
}

static bool week_read(const char **at, int year, struct period *p)
{
    int week = digits_read(at, 2);
    if (week < 1 || week > calendar_weeks(year)) return false;
    int64_t monday = calendar_week_one(year) + 7 * (int64_t)(week - 1);
    period_days(p, PERIOD_week, monday, monday + 7);
    return true;
}

static bool month_read(const char **at, int year, struct period *p)
{
    int month = digits_read(at, 2);
    if (month < 1 || month > 12) return false;
    period_days(p, PERIOD_month, calendar_day(year, month, 1), month_after(year, month));
    return true;
}

static bool day_read(const char **at, int year, struct period *p)
{
    int month = digits_read(at, 2);
    if (month < 1 || month > 12) return false;
    int day = digits_read(at, 2);
    if (day < 1 || day > calendar_month_days(year, month)) return false;
    int64_t first = calendar_day(year, month, day);
    period_days(p, PERIOD_day, first, first + 1);
    if (**at != 'H') return true;
    *at += 1;
    int hour = digits_read(at, 2);
    if (hour < 0 || hour > 23) return false;
    p->kind = PERIOD_hour;
    p->first_hour += hour;
    p->end_hour = p->first_hour + 1;
    return true;
}

static bool span_read(const char **at, struct period *p)
{
    int year = digits_read(at, 4);
    if (year < CALENDAR_YEAR_MIN || year > CALENDAR_YEAR_MAX) return false;
    char kind = **at;
    if (kind == 0 || kind == '-') {
        period_days(p, PERIOD_year, year_first_day(year), year_first_day(year + 1));
        return true;
    }
    *at += 1;
    switch (kind) {
    case 'Q': return quarter_read(at, year, p);
    case 'W': return week_read(at, year, p);
    case 'M': return month_read(at, year, p);
    case 'D': return day_read(at, year, p);
    default: return false;
    }
}

bool calendar_period_read(const char *text, struct period *period)
{
    const char *at = text;
    *period = (struct period){.block = BLOCK_base};
    if (!span_read(&at, period)) return false;
    if (at[0] == 0) return true;
    if (at[0] != '-') return false;
    if (at[1] == 'P' && at[2] == 'K') period->block = BLOCK_peak;
    else if (at[1] == 'O' && at[2] == 'P') period->block = BLOCK_off_peak;
    else return false;
    return at[3] == 0;
}

/* ---- names ---- */

static char *digits_write(char *at, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10) at[i] = (char)('0' + value % 10);
    return at + digits;
}

static char *part_write(char *at, char letter, int value, int digits)
{
    *at = letter;
    return digits_write(at + 1, value, digits);
}

/* The year that an ISO week belongs to is that of its Thursday. */
static char *week_write(char *at, int64_t monday)
{
    int year = calendar_date(monday + 3).year;
    at = digits_write(at, year, 4);
    return part_write(at, 'W', (int)((monday - calendar_week_one(year)) / 7) + 1, 2);
}

void calendar_period_name(const struct period *p, char *name)
{
    int64_t first = int64_div_floor(p->first_hour, 24);
    struct date d = calendar_date(first);
    char *at = name;
    memset(name, 0, PERIOD_NAME_SIZE);
    if (p->kind == PERIOD_week) at = week_write(at, first);
    else at = digits_write(at, d.year, 4);
    if (p->kind == PERIOD_quarter) at = part_write(at, 'Q', (d.month + 2) / 3, 1);
    if (p->kind == PERIOD_month) at = part_write(at, 'M', d.month, 2);
    if (p->kind == PERIOD_day || p->kind == PERIOD_hour) {
        at = part_write(at, 'D', d.month, 2);
        at = digits_write(at, d.day, 2);
    }
    if (p->kind == PERIOD_hour) at = part_write(at, 'H', (int)(p->first_hour - first * 24), 2);
    if (p->block != BLOCK_base) memcpy(at, p->block == BLOCK_peak ? "-PK" : "-OP", 3);
}

/* ---- cascades ---- */

static uint32_t months_put(struct period *parts, uint32_t count, int year, int month, int months)
{
    for (int m = month; m < month + months; m++)
        period_days(&parts[count++], PERIOD_month, calendar_day(year, m, 1), month_after(year, m));
    return count;
}

uint32_t calendar_parts(const struct period *p, struct period parts[CALENDAR_PARTS_MAX])
{
    int64_t first = int64_div_floor(p->first_hour, 24), end = int64_div_floor(p->end_hour, 24);
    struct date d = calendar_date(first);
    uint32_t count = 0;
    if (p->kind == PERIOD_year || p->kind == PERIOD_quarter)
        count = months_put(parts, count, d.year, d.month, 3);
    for (int month = 4; p->kind == PERIOD_year && month <= 10; month += 3)
        period_days(&parts[count++], PERIOD_quarter, calendar_day(d.year, month, 1),
                    month_after(d.year, month + 2));
    bool in_days = p->kind == PERIOD_month || p->kind == PERIOD_week;
    for (int64_t day = first; in_days && day < end; day++)
        period_days(&parts[count++], PERIOD_day, day, day + 1);
    for (uint32_t i = 0; i < count; i++) parts[i].block = p->block;
    return count;
}

int64_t calendar_business_before(int64_t day, uint32_t n)
{
    while (n > 0) {
        day -= 1;
        n -= calendar_weekday(day) < 5 ? 1 : 0;
    }
    return day;
}

int64_t calendar_last_trading(const struct last_trading *rule, const struct period *p)
{
    int64_t first = int64_div_floor(p->first_hour, 24);
    int64_t end = int64_div_floor(p->end_hour + 23, 24), day = 0;
    switch ((enum last_trading_rule)rule->rule) {
    case LAST_TRADING_business_days: day = calendar_business_before(first, rule->days); break;
    case LAST_TRADING_days: day = first - rule->days; break;
    case LAST_TRADING_last_business: day = calendar_business_before(end, 1); break;
    case LAST_TRADING_end:
    case LAST_TRADING_count: return p->end_hour * NS_PER_HOUR;
    }
    return day * NS_PER_DAY + (int64_t)rule->second * NS_PER_SECOND;
}

/* ---- blocks ---- */

bool calendar_hour_is_peak(int64_t hour, int peak_start, int peak_end)
{
    int64_t day = int64_div_floor(hour, 24);
    int of_day = (int)(hour - day * 24);
    bool crosses = peak_end <= peak_start;
    /* A session belongs to the day it starts on (UNIT-04): its morning part to the day before. */
    if (crosses && of_day < peak_end && calendar_weekday(day - 1) < 5) return true;
    if (of_day < peak_start || (!crosses && of_day >= peak_end)) return false;
    return calendar_weekday(day) < 5;
}

uint32_t calendar_hours(const struct period *period, int peak_start, int peak_end)
{
    uint32_t base = (uint32_t)(period->end_hour - period->first_hour);
    if (period->block == BLOCK_base) return base;
    uint32_t peak = 0;
    for (int64_t hour = period->first_hour; hour < period->end_hour; hour++) {
        peak += calendar_hour_is_peak(hour, peak_start, peak_end) ? 1 : 0;
    }
    return period->block == BLOCK_peak ? peak : base - peak;
}
