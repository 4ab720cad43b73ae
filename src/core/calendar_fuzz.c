/* calendar_fuzz.c: any text as a period's name. What is read must be a sane stretch of hours, and
 * its name, written anew from the dates, must be the very text that was read.
 */
#include "core/calendar.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The ISO year and week of a Monday. */
static void week_of(int64_t monday, int *year, int *week)
{
    *year = calendar_date(monday + 3).year; /* its Thursday says the year */
    *week = (int)((monday - calendar_week_one(*year)) / 7) + 1;
}

static void name_write(char *out, size_t size, const struct period *p)
{
    struct date d = calendar_date(p->first_hour / 24);
    int year = d.year, week = 0;
    switch (p->kind) {
    case PERIOD_year: (void)snprintf(out, size, "%04d", d.year); break;
    case PERIOD_quarter:
        (void)snprintf(out, size, "%04dQ%d", d.year, (d.month + 2) / 3);
        break;
    case PERIOD_month: (void)snprintf(out, size, "%04dM%02d", d.year, d.month); break;
    case PERIOD_week:
        week_of(p->first_hour / 24, &year, &week);
        (void)snprintf(out, size, "%04dW%02d", year, week);
        break;
    case PERIOD_day:
        (void)snprintf(out, size, "%04dD%02d%02d", d.year, d.month, d.day);
        break;
    default:
        (void)snprintf(out, size, "%04dD%02d%02dH%02d", d.year, d.month, d.day,
                       (int)(p->first_hour % 24));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[PERIOD_NAME_SIZE] = {0}, again[PERIOD_NAME_SIZE] = {0};
    struct period p;
    if (size < 2) return 0;
    int start = data[0] % 24, end = data[1] % 24;
    size_t length = size - 2 < sizeof text - 1 ? size - 2 : sizeof text - 1;
    memcpy(text, data + 2, length);
    if (!calendar_period_read(text, &p)) return 0;
    ASSERT(p.end_hour > p.first_hour && p.end_hour - p.first_hour <= 8784);
    ASSERT(p.kind < PERIOD_none && p.block < BLOCK_count);
    name_write(again, sizeof again - 4, &p);
    const char *const behind[BLOCK_count] = {"", "-PK", "-OP"};
    memcpy(again + strlen(again), behind[p.block], strlen(behind[p.block]) + 1);
    ASSERT(strcmp(text, again) == 0);
    uint32_t hours[BLOCK_count];
    for (int block = 0; block < BLOCK_count; block++) {
        struct period of = p;
        of.block = (enum block_kind)block;
        hours[block] = calendar_hours(&of, start, end);
    }
    ASSERT(hours[BLOCK_base] == (uint32_t)(p.end_hour - p.first_hour));
    ASSERT(hours[BLOCK_base] == hours[BLOCK_peak] + hours[BLOCK_off_peak]);
    return 0;
}
