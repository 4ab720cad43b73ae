/* import_reader.c: lines of a CSV file, plain or gz, cut into fields in place; a progress bar.
 *
 * Lines longer than a field of an exchange's message could ever be are an error, not a guess.
 */
#include "base/decimal.h"
#include "cli/import.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BAR_WIDTH = 40 };

int import_reader_open(struct import_reader *r, const char *path, bool progress)
{
    *r = (struct import_reader){.permille = progress ? 0 : -1};
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        (void)snprintf(r->error, sizeof r->error, "%.160s: cannot be read", path);
        if (f != NULL) (void)fclose(f);
        return -1;
    }
    r->bytes_total = ftell(f);
    (void)fclose(f);
    gzFile gz = gzopen(path, "rb");
    r->gz = gz;
    if (gz == NULL || gzbuffer(gz, 1 << 17) != 0) {
        (void)snprintf(r->error, sizeof r->error, "%.160s: cannot be read", path);
        return -1;
    }
    return 0;
}

static void draw_bar(struct import_reader *r)
{
    if (r->permille < 0 || r->line % 512 != 0) return;
    int64_t at = gzoffset(r->gz);
    int permille = r->bytes_total > 0 ? (int)(at * 1000 / r->bytes_total) : 1000;
    if (permille <= r->permille) return;
    r->permille = permille;
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++) bar[i] = i * 1000 < permille * BAR_WIDTH ? '#' : '.';
    bar[BAR_WIDTH] = 0;
    (void)fprintf(stderr, "\r%s %3d%%  line %llu", bar, permille / 10, (unsigned long long)r->line);
}

int import_reader_bad(struct import_reader *r, const char *what)
{
    if (r->error[0] == 0)
        (void)snprintf(r->error, sizeof r->error, "line %llu: %s", (unsigned long long)r->line,
                       what);
    return -1;
}

int import_reader_next(struct import_reader *r)
{
    if (gzgets(r->gz, r->text, sizeof r->text) == NULL) {
        int code = Z_OK;
        const char *text = gzerror(r->gz, &code);
        return code == Z_OK || code == Z_STREAM_END ? 0 : import_reader_bad(r, text);
    }
    r->line += 1;
    draw_bar(r);
    size_t length = strlen(r->text);
    if (length > 0 && r->text[length - 1] != '\n' && !gzeof(r->gz))
        return import_reader_bad(r, "longer than any message of this format");
    while (length > 0 && (r->text[length - 1] == '\n' || r->text[length - 1] == '\r')) length -= 1;
    r->text[length] = 0;
    r->count = 0;
    char *at = r->text;
    while (at != NULL) {
        if (r->count == IMPORT_FIELDS_MAX) return import_reader_bad(r, "too many fields");
        r->fields[r->count++] = at;
        at = strchr(at, ',');
        if (at != NULL) *at++ = 0;
    }
    return 1;
}

void import_reader_close(struct import_reader *r)
{
    if (r->permille > 0) (void)fprintf(stderr, "\r%*s\r", BAR_WIDTH + 32, "");
    if (r->gz != NULL) (void)gzclose(r->gz);
    r->gz = NULL;
}

bool import_number(const char *field, int scale, int64_t *value)
{
    return decimal_parse(field, strlen(field), scale, value) == DECIMAL_exact;
}

bool import_time(const char *field, ts_t *ts)
{
    enum decimal_result r = decimal_parse(field, strlen(field), 9, &ts->v);
    return (r == DECIMAL_exact || r == DECIMAL_inexact) && ts->v >= 0 &&
           ts->v <= INT64_C(4102444800) * NS_PER_SECOND; /* the year 2100 */
}

int import_decimals(const char *field, int *significant)
{
    int64_t value;
    if (decimal_parse(field, strlen(field), 0, &value) == DECIMAL_malformed) return -1;
    const char *exponent = strpbrk(field, "eE"), *point = strchr(field, '.');
    const char *end = exponent != NULL ? exponent : field + strlen(field);
    int count = point == NULL ? 0 : (int)(end - point - 1), used = 0, shift = 0;
    for (int i = 0; i < count; i++) {
        if (point[1 + i] != '0') used = i + 1;
    }
    if (exponent != NULL) { /* 9e-05 has five digits behind the point */
        shift = (int)strtol(exponent + 1, NULL, 10);
        if (shift < -18 || shift > 18) return -1;
        count = used - shift > 0 ? used - shift : 0;
    }
    *significant = used - shift > 0 ? used - shift : 0;
    return count;
}
