/* parameters.h: the numbers of the margin method, by scope, each with its source.
 *
 * A file of lines scope,name,value,source. A scope is `*`, a product (what stands before the first
 * '-' of an instrument's name) or an instrument; the narrowest that gives a value counts. Besides
 * the names of parameters.def there are two texts: `series`, which price history an instrument
 * follows (without it the series of its own name, else of its product's), and `factor`, which moves
 * of the stress set apply to it.
 *
 * Invariants: (1) a scope gives a name once; (2) every number is within the bounds of
 * parameters.def; (3) shares that are counted in integers (confidence, stress_weight, offset_max)
 * are exact in millionths.
 *
 * Upstream: a file. Downstream: risk, requirement.
 */
#ifndef DOJIMA_QUANT_PARAMETERS_H
#define DOJIMA_QUANT_PARAMETERS_H

#include "quant/csv.h"

enum parameter {
#define PARAMETER(name, kind, least, greatest, text) PARAMETER_##name,
#include "quant/parameters.def"
#undef PARAMETER
    PARAMETER_series,
    PARAMETER_factor,
    PARAMETERS,
};

enum { PARAMETER_ENTRIES_MAX = 4096 };

struct parameter_entry {
    char scope[QUANT_NAME_SIZE];
    char text[QUANT_NAME_SIZE]; /* of series and factor */
    double number;
    int64_t ppm; /* the number in millionths, where it is exact in them; else -1 */
    enum parameter parameter;
};

struct parameters {
    struct parameter_entry entries[PARAMETER_ENTRIES_MAX];
    uint32_t count;
    char file[128];
};

/* Replaces *p; on -1 the sentence is in *error and *p as it was. */
int parameters_read(struct parameters *p, const char *file, const char *text, size_t length,
                    struct quant_error *error);

/* The narrowest value for an instrument ("*" for the method's own). -1 and the sentence when there
 * is none. */
int parameters_number(const struct parameters *p, const char *instrument,
                      enum parameter parameter, double *value, struct quant_error *error);
/* In millionths. */
int parameters_ppm(const struct parameters *p, const char *instrument, enum parameter parameter,
                   uint32_t *ppm, struct quant_error *error);
/* NULL: none. */
const char *parameters_text(const struct parameters *p, const char *instrument,
                            enum parameter parameter);

/* The product of an instrument's name: what stands before the first '-'. */
void parameters_product(const char *instrument, char product[QUANT_NAME_SIZE]);

#endif
