/* history.h: price histories by series, and moves within one contract.
 *
 * What is read, told apart by the title line:
 *   date,series,price[,contract]  the project's own: any number of series in one file; a series'
 *       first row of a day is the price that counts, further rows of that day are other contracts
 *       of the series (both sides of a roll)
 *   date,price_contract,price_settle,carry_...,forward_...  daily futures, one market a file, with
 *       the neighbours of the contract that counts. `*_settle` is taken, never `*_close23`, which
 *       goes stale; a row without a price is passed over
 *   ts_utc,machine,gpu_model,region,usd_gpu_hour_ondemand,usd_gpu_hour_spot,flag,...  published
 *       prices of GPU hours, many offers a version: a chained index over the offers that stand in
 *       both of two versions (matched model), so that offers that come and go do not move it. Rows
 *       flagged INCOMPLETE_PRICE are left out; a version later on the same day replaces the earlier
 *   any other with a date and a price: columns by the options date=TITLE and price=TITLE, else the
 *       titles date, date_utc or day, and price, close, or one that begins with usd_
 * Options are comma-separated; TITLE=TEXT keeps the rows that have this text in that column;
 * kind=spot or kind=ondemand is which price of a GPU hour [ondemand]; fill=weekdays gives every
 * weekday the price of the latest day at or before it, for published lists, whose price is in force
 * until the next version.
 *
 * Invariants: (1) days of a series ascend; (2) prices are finite; a day has a contract once;
 * (3) a file is taken whole or not at all; (4) a move is between two prices of one contract: across
 * a roll it is that of the new contract, else of the old, else there is none.
 *
 * Upstream: files, read by cli. Downstream: risk, backtest.
 */
#ifndef DOJIMA_QUANT_HISTORY_H
#define DOJIMA_QUANT_HISTORY_H

#include "quant/csv.h"

enum { HISTORY_SERIES_MAX = 256, HISTORY_QUOTES_MAX = 1 << 20, HISTORY_NONE = -1 };

struct quote {
    int32_t day;
    int32_t contract; /* YYYYMM; 0: the series does not roll */
    double price;
};

struct series {
    char name[QUANT_NAME_SIZE];
    struct quote *quotes; /* by day; of a day the one that counts first */
    uint32_t quote_count, quote_capacity;
    uint32_t *first; /* by day's index: its first quote */
    uint32_t days, day_capacity;
};

struct history {
    struct series series[HISTORY_SERIES_MAX];
    uint32_t count;
};

struct history_source {
    const char *name;    /* of the series; unused where the file names them */
    const char *file;    /* for messages */
    const char *text;
    size_t length;
    const char *options; /* "" for none */
};

void history_open(struct history *h);
void history_close(struct history *h);

/* 0, or -1 with the sentence in *error and the history as it was. */
int history_read(struct history *h, const struct history_source *source,
                 struct quant_error *error);

/* The index of a series, or HISTORY_NONE. */
int history_find(const struct history *h, const char *name);

static inline int32_t series_day(const struct series *s, uint32_t i)
{
    return s->quotes[s->first[i]].day;
}
static inline double series_price(const struct series *s, uint32_t i)
{
    return s->quotes[s->first[i]].price;
}

/* The index of the last day at or before this one, or HISTORY_NONE. */
int series_at(const struct series *s, int32_t day);

/* Prices of one contract on the days of these indices; false: there are none. */
bool series_move(const struct series *s, uint32_t from, uint32_t to, double *p0, double *p1);

/* ---- for the readers ---- */

/* Adds a quote; days must not go back. -1 and the sentence when it may not stand there. */
int series_add(struct series *s, struct csv *c, int32_t day, int32_t contract, double price);

/* The value of an option in "a=b,c=d", copied; false when it is not there. */
bool history_option(const char *options, const char *key, char value[QUANT_NAME_SIZE]);

/* Whether the line has what the options ask of columns in `titles`. */
struct history_filter {
    int column[8];
    char text[8][QUANT_NAME_SIZE];
    int count;
};
int history_filter_make(struct history_filter *f, struct csv *titles, const char *options);
bool history_filter_pass(const struct history_filter *f, const struct csv *line);

/* Matched-model index of published GPU prices; the title line stands in *c. */
int history_read_gpu(struct series *s, struct csv *c, const char *options);

#endif
