/* time_text.c: see time_text.h. */
#include "base/time_text.h"

#include "base/assert.h"

#include <stdbool.h>
#include <stdio.h>

int64_t time_days_of_date(int64_t year, int64_t month, int64_t day)
{
    /* Years begin in March, so that the leap day is the last of its year. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t era = int64_div_floor(y, 400);
    int64_t of_era = y - era * 400;
    int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

void time_date_of_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t z = days + 719468;
    int64_t era = int64_div_floor(z, 146097);
    int64_t of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day_of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = y + era * 400 + (*month <= 2 ? 1 : 0);
}

/* `count` digits at *at as a number; -1 when they are not there. */
static int64_t digits_read(const char *text, size_t length, size_t *at, size_t count)
{
    int64_t v = 0;
    for (size_t i = 0; i < count; i++, *at += 1) {
        if (*at >= length || text[*at] < '0' || text[*at] > '9') return -1;
        v = v * 10 + (text[*at] - '0');
    }
    return v;
}

static bool char_read(const char *text, size_t length, size_t *at, char upper, char other)
{
    if (*at >= length || (text[*at] != upper && text[*at] != other)) return false;
    *at += 1;
    return true;
}

static bool date_read(const char *text, size_t length, size_t *at, int64_t *days)
{
    int64_t year = digits_read(text, length, at, 4);
    if (!char_read(text, length, at, '-', '-')) return false;
    int64_t month = digits_read(text, length, at, 2);
    if (!char_read(text, length, at, '-', '-')) return false;
    int64_t day = digits_read(text, length, at, 2);
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    *days = time_days_of_date(year, month, day);
    int64_t y, m, d;
    time_date_of_days(*days, &y, &m, &d);
    return y == year && m == month && d == day; /* no 30th of February */
}

static bool clock_read(const char *text, size_t length, size_t *at, int64_t *ns)
{
    int64_t hour = digits_read(text, length, at, 2);
    if (!char_read(text, length, at, ':', ':')) return false;
    int64_t minute = digits_read(text, length, at, 2);
    if (!char_read(text, length, at, ':', ':')) return false;
    int64_t second = digits_read(text, length, at, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    *ns = ((hour * 60 + minute) * 60 + second) * NS_PER_SECOND;
    if (!char_read(text, length, at, '.', '.')) return true;
    int64_t unit = NS_PER_SECOND;
    size_t first = *at;
    while (*at < length && text[*at] >= '0' && text[*at] <= '9') {
        unit /= 10;
        if (unit == 0) return false;
        *ns += (text[*at] - '0') * unit;
        *at += 1;
    }
    return *at > first;
}

static bool offset_read(const char *text, size_t length, size_t *at, int64_t *ns)
{
    *ns = 0;
    if (char_read(text, length, at, 'Z', 'z')) return true;
    int64_t sign = char_read(text, length, at, '+', '+') ? 1 : -1;
    if (sign < 0 && !char_read(text, length, at, '-', '-')) return false;
    int64_t hour = digits_read(text, length, at, 2);
    if (!char_read(text, length, at, ':', ':')) return false;
    int64_t minute = digits_read(text, length, at, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
    *ns = sign * (hour * 60 + minute) * 60 * NS_PER_SECOND;
    return true;
}

int time_parse(const char *text, size_t length, ts_t *ts)
{
    size_t at = 0;
    int64_t days, ns, offset;
    if (!date_read(text, length, &at, &days)) return -1;
    if (!char_read(text, length, &at, 'T', 't')) return -1;
    if (!clock_read(text, length, &at, &ns)) return -1;
    if (!offset_read(text, length, &at, &offset) || at != length) return -1;
    int64_t v = days * NS_PER_DAY + ns - offset; /* years to 2261 stay below INT64_MAX */
    if (v < 0) return -1;
    *ts = TS(v);
    return 0;
}

int time_parse_date(const char *text, size_t length, ts_t *day)
{
    size_t at = 0;
    int64_t days;
    if (!date_read(text, length, &at, &days) || at != length) return -1;
    *day = TS(days * NS_PER_DAY);
    return 0;
}

size_t time_format(char text[TIME_TEXT_SIZE], ts_t ts)
{
    int64_t days = int64_div_floor(ts.v, NS_PER_DAY), year, month, day;
    int64_t ns = ts.v - days * NS_PER_DAY;
    time_date_of_days(days, &year, &month, &day);
    int64_t seconds = ns / NS_PER_SECOND, fraction = ns % NS_PER_SECOND;
    int n = snprintf(text, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09d", (int)year,
                     (int)month, (int)day, (int)(seconds / 3600), (int)(seconds / 60 % 60),
                     (int)(seconds % 60), (int)fraction);
    ASSERT(n == 29);
    size_t length = 29;
    while (text[length - 1] == '0') length -= 1;
    if (text[length - 1] == '.') length -= 1;
    text[length++] = 'Z';
    text[length] = 0;
    return length;
}

size_t time_format_date(char text[TIME_TEXT_SIZE], ts_t ts)
{
    const size_t length = sizeof "2027-01-04" - 1;
    (void)time_format(text, ts);
    text[length] = 0;
    return length;
}
