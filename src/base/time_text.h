/* time_text.h: RFC 3339 text to nanoseconds UTC and back. Years 1970 to 2261; no leap seconds.
 *
 * Upstream: units. Downstream: wire, gate, cli.
 */
#ifndef DOJIMA_BASE_TIME_TEXT_H
#define DOJIMA_BASE_TIME_TEXT_H

#include "base/units.h"

#include <stddef.h>

enum { TIME_TEXT_SIZE = 32 };

/* 2027-01-04T09:00:00Z, with at most 9 fractional digits and Z or a numeric offset. Returns 0, or
 * -1 when the text is anything else. */
int time_parse(const char *text, size_t length, ts_t *ts);

/* 2027-01-04, as the first instant of that day. Returns 0, or -1. */
int time_parse_date(const char *text, size_t length, ts_t *day);

/* As 2027-01-04T09:00:00Z, with as many fractional digits as it needs. Returns the length. */
size_t time_format(char text[TIME_TEXT_SIZE], ts_t ts);
/* As 2027-01-04: the day of an instant. */
size_t time_format_date(char text[TIME_TEXT_SIZE], ts_t ts);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back. */
int64_t time_days_of_date(int64_t year, int64_t month, int64_t day);
void time_date_of_days(int64_t days, int64_t *year, int64_t *month, int64_t *day);

#endif
