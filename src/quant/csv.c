/* csv.c: see csv.h. */
#include "quant/csv.h"

#include "base/time_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSV_NUMBER_MAX 1e15

static int fail_with(struct quant_error *e, const char *file, uint64_t line, const char *format,
                     va_list list)
{
    if (e->text[0] != 0) return -1;
    int used = line != 0 ? snprintf(e->text, sizeof e->text, "%.120s:%llu: ", file,
                                    (unsigned long long)line)
                         : snprintf(e->text, sizeof e->text, "%.120s: ", file);
    (void)vsnprintf(e->text + used, sizeof e->text - (size_t)used, format, list);
    for (char *at = e->text; *at != 0; at++) {
        if (*at < ' ' || *at > '~') *at = '?'; /* what a file holds may stand in the sentence */
    }
    return -1;
}

int quant_fail(struct quant_error *e, const char *file, uint64_t line, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fail_with(e, file, line, format, list);
    va_end(list);
    return -1;
}

int csv_bad(struct csv *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)fail_with(c->error, c->name, c->line, format, list);
    va_end(list);
    return -1;
}

void csv_open(struct csv *c, const char *name, const char *text, size_t length,
              struct quant_error *error)
{
    *c = (struct csv){.name = name, .at = text, .end = text + length, .error = error};
}

/* Cuts the fields of [start, end). */
static int cut(struct csv *c, const char *start, const char *end)
{
    c->count = 0;
    const char *at = start;
    for (;;) {
        if (c->count == CSV_FIELDS_MAX) return csv_bad(c, "more than %d fields", CSV_FIELDS_MAX);
        const char *from = at, *to;
        if (at < end && *at == '"') {
            from = at + 1;
            to = memchr(from, '"', (size_t)(end - from));
            if (to == NULL) return csv_bad(c, "a quote is not closed");
            at = to + 1;
            if (at < end && *at != ',') return csv_bad(c, "text behind a closing quote");
        } else {
            to = memchr(at, ',', (size_t)(end - at));
            if (to == NULL) to = end;
            at = to;
            while (from < to && *from == ' ') from++;
            while (to > from && to[-1] == ' ') to--;
        }
        c->fields[c->count++] = (struct csv_field){from, (size_t)(to - from)};
        if (at >= end) return 1;
        at += 1; /* the comma */
    }
}

int csv_next(struct csv *c)
{
    if (c->error->text[0] != 0) return -1;
    while (c->at < c->end) {
        const char *start = c->at;
        const char *newline = memchr(start, '\n', (size_t)(c->end - start));
        const char *end = newline != NULL ? newline : c->end;
        c->at = newline != NULL ? newline + 1 : c->end;
        c->line += 1;
        if (memchr(start, 0, (size_t)(end - start)) != NULL) return csv_bad(c, "a zero byte");
        while (end > start && (end[-1] == '\r' || end[-1] == ' ')) end--;
        if (end == start || *start == '#') continue;
        return cut(c, start, end);
    }
    return 0;
}

struct csv_field csv_field(const struct csv *c, int i)
{
    if (i < 0 || (uint32_t)i >= c->count) return (struct csv_field){"", 0};
    return c->fields[i];
}

bool csv_empty(const struct csv *c, int i) { return csv_field(c, i).length == 0; }

bool csv_is(const struct csv *c, int i, const char *text)
{
    struct csv_field f = csv_field(c, i);
    return f.length == strlen(text) && memcmp(f.text, text, f.length) == 0;
}

int csv_column(const struct csv *c, const char *title)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (csv_is(c, (int)i, title)) return (int)i;
    }
    return -1;
}

int csv_columns(struct csv *c, const char *const *titles, int count, int needed, int *column)
{
    for (int i = 0; i < count; i++) {
        column[i] = csv_column(c, titles[i]);
        if (column[i] < 0 && i < needed) return csv_bad(c, "there is no column %s", titles[i]);
    }
    return 0;
}

int csv_titles(struct csv *c, const char *const *titles, int count, int needed, int *column)
{
    int more = csv_next(c);
    if (more < 0) return -1;
    if (more == 0) return quant_fail(c->error, c->name, 0, "the file is empty");
    return csv_columns(c, titles, count, needed, column);
}

static size_t digits(const char *text, size_t at, size_t length)
{
    size_t from = at;
    while (at < length && text[at] >= '0' && text[at] <= '9') at++;
    return at - from;
}

bool quant_number(const char *text, size_t length, double *value)
{
    char copy[CSV_NUMBER_SIZE];
    if (length == 0 || length >= sizeof copy) return false;
    size_t at = text[0] == '-' || text[0] == '+';
    size_t whole = digits(text, at, length), fraction = 0;
    at += whole;
    if (at < length && text[at] == '.') {
        fraction = digits(text, at + 1, length);
        at += 1 + fraction;
    }
    if (whole + fraction == 0) return false;
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at += 1;
        if (at < length && (text[at] == '-' || text[at] == '+')) at += 1;
        size_t exponent = digits(text, at, length);
        if (exponent == 0 || exponent > 3) return false;
        at += exponent;
    }
    if (at != length) return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    double parsed = strtod(copy, NULL);
    if (!isfinite(parsed) || fabs(parsed) > CSV_NUMBER_MAX) return false;
    *value = parsed;
    return true;
}

bool csv_number(const struct csv *c, int i, double *value)
{
    struct csv_field f = csv_field(c, i);
    return quant_number(f.text, f.length, value);
}

bool csv_integer(const struct csv *c, int i, int64_t *value)
{
    struct csv_field f = csv_field(c, i);
    size_t at = f.length > 0 && (f.text[0] == '-' || f.text[0] == '+');
    size_t count = digits(f.text, at, f.length);
    if (count == 0 || count > 15 || at + count != f.length) return false;
    int64_t sum = 0;
    for (size_t k = at; k < f.length; k++) sum = sum * 10 + (f.text[k] - '0');
    *value = f.text[0] == '-' ? -sum : sum;
    return true;
}

static int64_t digits_value(const char *text, size_t count)
{
    int64_t sum = 0;
    for (size_t k = 0; k < count; k++) sum = sum * 10 + (text[k] - '0');
    return sum;
}

bool quant_day(const char *t, size_t length, int32_t *day)
{
    if (length < 10 || (length > 10 && t[10] != 'T' && t[10] != ' ')) return false;
    if (digits(t, 0, 4) != 4 || t[4] != '-' || digits(t, 5, 7) != 2 || t[7] != '-' ||
        digits(t, 8, 10) != 2)
        return false;
    int64_t y = digits_value(t, 4), m = digits_value(t + 5, 2), d = digits_value(t + 8, 2);
    if (y < 1900 || y > 2261 || m < 1 || m > 12 || d < 1) return false;
    int64_t days = time_days_of_date(y, m, d), back_y, back_m, back_d;
    time_date_of_days(days, &back_y, &back_m, &back_d);
    if (back_y != y || back_m != m || back_d != d) return false;
    *day = (int32_t)days;
    return true;
}

bool csv_date(const struct csv *c, int i, int32_t *day)
{
    struct csv_field f = csv_field(c, i);
    return quant_day(f.text, f.length, day);
}

bool csv_name(const struct csv *c, int i, char name[QUANT_NAME_SIZE])
{
    struct csv_field f = csv_field(c, i);
    if (f.length == 0 || f.length >= QUANT_NAME_SIZE) return false;
    for (size_t k = 0; k < f.length; k++) {
        if (f.text[k] <= ' ' || f.text[k] > '~') return false;
    }
    memcpy(name, f.text, f.length);
    name[f.length] = 0;
    return true;
}

const char *quant_date(char text[QUANT_DATE_SIZE], int32_t day)
{
    int64_t y, m, d;
    time_date_of_days(day, &y, &m, &d);
    (void)snprintf(text, QUANT_DATE_SIZE, "%04d-%02d-%02d", (int)y, (int)m, (int)d);
    return text;
}
