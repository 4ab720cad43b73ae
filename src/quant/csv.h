/* csv.h: lines of comma-separated text in memory, and what a field may hold.
 *
 * Every file that quant takes (price histories, portfolios, parameters, scenarios, offers) is read
 * through this: a refusal names the file, the line and what is wrong, and whoever reads throws away
 * what it had begun. Blank lines and lines that begin with '#' are passed over. A field may stand
 * in double quotes, then it may hold commas. Numbers are decimal, finite and within 10^15; no
 * hexadecimal, no "nan", no "inf".
 *
 * Invariants: (1) nothing outside [text, text + length) is read, and it need not end in a zero;
 * (2) after an error every further call gives -1 and the first sentence stays.
 *
 * Upstream: bytes of files. Downstream: history, parameters, portfolio, stress, panel, ccir.
 */
#ifndef DOJIMA_QUANT_CSV_H
#define DOJIMA_QUANT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CSV_FIELDS_MAX = 64, CSV_NUMBER_SIZE = 48, QUANT_ERROR_SIZE = 320, QUANT_NAME_SIZE = 64 };

struct quant_error {
    char text[QUANT_ERROR_SIZE]; /* "file:line: sentence"; empty: none */
};

/* Sets the sentence unless there is one; line 0: the whole file. Returns -1. */
__attribute__((format(printf, 4, 5))) int quant_fail(struct quant_error *e, const char *file,
                                                     uint64_t line, const char *format, ...);

struct csv_field {
    const char *text;
    size_t length;
};

struct csv {
    const char *name; /* of the file, for messages */
    const char *at, *end;
    uint64_t line; /* of what stands in `fields`; the first is 1 */
    uint32_t count;
    struct csv_field fields[CSV_FIELDS_MAX];
    struct quant_error *error;
};

void csv_open(struct csv *c, const char *name, const char *text, size_t length,
              struct quant_error *error);

/* 1: a line stands in `fields`; 0: the end; -1: an error. */
int csv_next(struct csv *c);

/* Refuses the line; returns -1. */
__attribute__((format(printf, 2, 3))) int csv_bad(struct csv *c, const char *format, ...);

/* The column with this title in the line that was read, or -1. */
int csv_column(const struct csv *c, const char *title);
/* Where each of `count` titles stands in it, -1 where it does not. -1 and the sentence when one of
 * the first `needed` is missing. */
int csv_columns(struct csv *c, const char *const *titles, int count, int needed, int *column);
/* The same after reading the line of titles; a file without one is empty. */
int csv_titles(struct csv *c, const char *const *titles, int count, int needed, int *column);

/* Fields; i below 0 or past the line's end is an empty field. */
struct csv_field csv_field(const struct csv *c, int i);
bool csv_empty(const struct csv *c, int i);
bool csv_is(const struct csv *c, int i, const char *text);
/* False, and nothing written, when it is anything else. */
bool csv_number(const struct csv *c, int i, double *value);
bool csv_integer(const struct csv *c, int i, int64_t *value); /* |value| <= 10^15 */
/* YYYY-MM-DD, or a time that begins with it and 'T' or ' ': days since 1970-01-01, 1900 to 2261. */
bool csv_date(const struct csv *c, int i, int32_t *day);
/* A name of printable ASCII that fits, with a zero byte behind. */
bool csv_name(const struct csv *c, int i, char name[QUANT_NAME_SIZE]);

/* The grammars of a number and of a date by themselves. */
bool quant_number(const char *text, size_t length, double *value);
bool quant_day(const char *text, size_t length, int32_t *day);

/* YYYY-MM-DD of a day. */
enum { QUANT_DATE_SIZE = 24 };
const char *quant_date(char text[QUANT_DATE_SIZE], int32_t day);

#endif
