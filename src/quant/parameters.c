/* parameters.c: see parameters.h. */
#include "quant/parameters.h"

#include "base/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_number, KIND_whole, KIND_text };

struct definition {
    const char *name;
    enum kind kind;
    double least, greatest;
};

static const struct definition definitions[PARAMETERS] = {
#define PARAMETER(name, kind, least, greatest, text) {#name, KIND_##kind, least, greatest},
#include "quant/parameters.def"
#undef PARAMETER
    {"series", KIND_text, 0, 0},
    {"factor", KIND_text, 0, 0},
};

void parameters_product(const char *instrument, char product[QUANT_NAME_SIZE])
{
    size_t length = strcspn(instrument, "-");
    if (length >= QUANT_NAME_SIZE) length = QUANT_NAME_SIZE - 1;
    memcpy(product, instrument, length);
    product[length] = 0;
}

static int read_value(struct csv *c, int column, struct parameter_entry *e)
{
    const struct definition *d = &definitions[e->parameter];
    struct csv_field f = csv_field(c, column);
    e->ppm = -1;
    if (d->kind == KIND_text) {
        if (!csv_name(c, column, e->text)) return csv_bad(c, "%s has no value", d->name);
        return 0;
    }
    if (csv_empty(c, column)) return csv_bad(c, "%s has no value", d->name);
    if (!csv_number(c, column, &e->number)) return csv_bad(c, "%s is no number", d->name);
    if (e->number < d->least || e->number > d->greatest)
        return csv_bad(c, "%s is not between %g and %g", d->name, d->least, d->greatest);
    if (d->kind == KIND_whole && floor(e->number) != e->number)
        return csv_bad(c, "%s is not whole", d->name);
    int64_t ppm;
    if (decimal_parse(f.text, f.length, 6, &ppm) == DECIMAL_exact) e->ppm = ppm;
    return 0;
}

static int read_line(struct parameters *p, struct csv *c, const int column[3])
{
    struct parameter_entry e = {0};
    char name[QUANT_NAME_SIZE];
    if (!csv_name(c, column[0], e.scope)) return csv_bad(c, "the scope is missing");
    if (!csv_name(c, column[1], name)) return csv_bad(c, "the parameter's name is missing");
    int found = -1;
    for (int i = 0; i < PARAMETERS; i++) {
        if (strcmp(definitions[i].name, name) == 0) found = i;
    }
    if (found < 0) return csv_bad(c, "there is no parameter %s", name);
    e.parameter = (enum parameter)found;
    if (read_value(c, column[2], &e) != 0) return -1;
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->entries[i].parameter == e.parameter && strcmp(p->entries[i].scope, e.scope) == 0)
            return csv_bad(c, "%s of %s stands twice", name, e.scope);
    }
    if (p->count == PARAMETER_ENTRIES_MAX)
        return csv_bad(c, "more than %d parameters", PARAMETER_ENTRIES_MAX);
    p->entries[p->count++] = e;
    return 0;
}

static int read_all(struct parameters *p, struct csv *c)
{
    static const char *const titles[] = {"scope", "name", "value"};
    int column[3], more;
    if (csv_titles(c, titles, 3, 3, column) != 0) return -1;
    while ((more = csv_next(c)) == 1) {
        if (read_line(p, c, column) != 0) return -1;
    }
    if (more == 0 && p->count == 0)
        return quant_fail(c->error, c->name, 0, "there are no parameters");
    return more;
}

int parameters_read(struct parameters *p, const char *file, const char *text, size_t length,
                    struct quant_error *error)
{
    struct parameters *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) return quant_fail(error, file, 0, "no memory");
    (void)snprintf(fresh->file, sizeof fresh->file, "%s", file);
    struct csv c;
    csv_open(&c, file, text, length, error);
    int status = read_all(fresh, &c);
    if (status == 0) *p = *fresh;
    free(fresh);
    return status;
}

static const struct parameter_entry *find(const struct parameters *p, const char *instrument,
                                          enum parameter parameter)
{
    char product[QUANT_NAME_SIZE];
    parameters_product(instrument, product);
    const struct parameter_entry *best = NULL;
    int rank = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct parameter_entry *e = &p->entries[i];
        if (e->parameter != parameter) continue;
        int now = strcmp(e->scope, instrument) == 0 ? 3
                  : strcmp(e->scope, product) == 0  ? 2
                  : strcmp(e->scope, "*") == 0      ? 1
                                                    : 0;
        if (now > rank) {
            rank = now;
            best = e;
        }
    }
    return best;
}

int parameters_number(const struct parameters *p, const char *instrument,
                      enum parameter parameter, double *value, struct quant_error *error)
{
    const struct parameter_entry *e = find(p, instrument, parameter);
    if (e == NULL)
        return quant_fail(error, p->file, 0, "there is no %s for %s",
                          definitions[parameter].name, instrument);
    *value = e->number;
    return 0;
}

int parameters_ppm(const struct parameters *p, const char *instrument, enum parameter parameter,
                   uint32_t *ppm, struct quant_error *error)
{
    const struct parameter_entry *e = find(p, instrument, parameter);
    if (e == NULL)
        return quant_fail(error, p->file, 0, "there is no %s for %s",
                          definitions[parameter].name, instrument);
    if (e->ppm < 0 || e->ppm > INT32_MAX)
        return quant_fail(error, p->file, 0, "%s of %s has more than six decimals",
                          definitions[parameter].name, e->scope);
    *ppm = (uint32_t)e->ppm;
    return 0;
}

const char *parameters_text(const struct parameters *p, const char *instrument,
                            enum parameter parameter)
{
    const struct parameter_entry *e = find(p, instrument, parameter);
    return e != NULL ? e->text : NULL;
}
