/* index.h: what the files of `dojima index` offer each other. Not for other folders. */
#ifndef DOJIMA_CLI_INDEX_H
#define DOJIMA_CLI_INDEX_H

#include "quant/csv.h"
#include "quant/reference.h"
#include "wire/json.h"

#include <argp.h>

/* ---- a publication, as read (index_json.c) ---- */

enum { INDEX_FILE_MAX = 64 << 20, INDEX_SERIES_MAX = 64, INDEX_TEXT_SIZE = 64 };

/* Whether something was published, and what it was. */
struct index_found {
    bool is;
    int64_t value;
};

struct index_hour {
    int64_t ms;          /* its beginning */
    uint32_t tier;       /* enum reference_tier */
    struct index_found price;
    struct index_found median_e7;
    int64_t counted, trimmed;
    struct reference_input *inputs;
    uint32_t *input_status; /* as published: enum reference_input_status; absent ones are not */
    uint32_t input_count;
    bool has_spot;
    uint32_t spot_result;
    struct index_found spot_price;
    int64_t spot_volume, spot_unkept, spot_sellers, spot_trimmed, spot_cap;
    struct reference_seller *sellers;
    struct reference_seller *sellers_said; /* price, weight, status as published */
    uint32_t seller_count;
};

struct index_series {
    char name[INDEX_TEXT_SIZE];
    bool has_terms;
    struct reference_terms terms;
    struct index_hour *hours; /* by time, each once */
    uint32_t count, capacity;
};

struct index_settlement { /* final, at a mean of hours */
    char instrument[INDEX_TEXT_SIZE];
    int64_t price;
    int64_t unit;
    int128_t numerator;
    int64_t denominator;
};

enum index_block { INDEX_BLOCK_base = 0, INDEX_BLOCK_peak, INDEX_BLOCK_off_peak };
struct index_instrument {
    char name[INDEX_TEXT_SIZE];
    int64_t start_ms, end_ms;
    uint32_t block; /* enum index_block */
};

struct index_file {
    const char *name;
    struct quant_error *error;
    struct index_series series[INDEX_SERIES_MAX];
    uint32_t series_count;
    struct index_settlement *settlements;
    uint32_t settlement_count, settlement_capacity;
    struct index_instrument *instruments;
    uint32_t instrument_count, instrument_capacity;
};

/* One JSON value, or one a line: answers of public/get_index, get_settlements, get_instrument(s),
 * notifications of index.*, in any order and depth. 0, or -1 with the sentence. */
int index_file_read(struct index_file *f, const char *name, const char *text, size_t length,
                    struct quant_error *error);
void index_file_close(struct index_file *f);

/* ---- what comes out (index_recompute.c) ---- */

struct index_check {
    uint32_t hours, prices, mismatches, unchecked, settlements;
    int peak_start, peak_end;
};
/* Says every mismatch on `out`. */
void index_recompute(const struct index_file *f, struct index_check *check, FILE *out);

/* ---- subcommands: argv[0] is theirs ---- */
int index_main_recompute(int argc, char **argv);
int index_main_series(int argc, char **argv);
int index_main_ccir(int argc, char **argv);

/* A file, or "-", read whole; NULL with the sentence. gzip is seen through. */
char *index_load(const char *path, size_t *length, struct quant_error *error);

#endif
