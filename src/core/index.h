/* index.h: reference prices of hours (INDEX-02) and their mean over a block (INDEX-03).
 *
 * An index is data: who may submit, how many must be left, what counts as stale or wild, and in
 * which order of tiers an hour's price is looked for. An hour's price is fixed once, `delay` after
 * the hour's end, and never changes. Trades on spot are a tier of their own: index_spot.h.
 *
 * A value of one source at zero, stale, absent or wild moves nothing: what lies beyond the
 * deviation from the median is not counted, at least three must be left, and of n that are left the
 * k = floor((n + 1) / 4) highest and as many lowest are dropped (ICE LIBOR).
 *
 * Invariants: (1) hours are fixed in their order, each once: those before hour_next are fixed or
 * wait for the committee; (2) a source has one value for an hour; (3) a price follows from the
 * inputs that are published with it.
 *
 * Upstream: state. Downstream: core.c, schedule, settle (the mean).
 */
#ifndef DOJIMA_CORE_INDEX_H
#define DOJIMA_CORE_INDEX_H

#include "core/state.h"

struct index {
    struct command_index_create terms;
    int64_t hour_first; /* since 1970 */
    int64_t hour_next;  /* the next to be fixed */
    uint32_t carried;   /* hours in a row that repeat the one before */
    uint32_t reserved;
};

struct index_hour { /* ring: hour % limits.index_hours */
    int64_t hour;
    price_t price;  /* PRICE_NONE: waits for the committee */
    price_t median;
    uint8_t tier;
    uint8_t counted;
    uint8_t trimmed;
    uint8_t reserved;
    uint32_t principal;
};
ASSERT_SIZE(struct index_hour, 32);

struct index_input { /* by hour % index_input_hours, then by source */
    int64_t hour;
    price_t value;
    ts_t observed;
    uint32_t status; /* enum index_input_status */
    uint32_t reserved;
};
ASSERT_SIZE(struct index_input, 32);

uint32_t index_input_hours(const struct core_limits *l); /* for which inputs are kept */

void index_create(struct core *c, const struct command *cmd);
void index_submit(struct core *c, const struct command *cmd);
void index_price(struct core *c, const struct command *cmd);

int64_t index_due(const struct index *x); /* when its next hour is to be fixed */
void index_run(struct core *c, uint32_t index);

/* The arithmetic mean of a block's hours, as numerator / denominator; false: hours are missing. */
struct index_mean {
    int128_t sum;
    int64_t hours;
    int64_t missing;
    int64_t first_missing; /* since 1970 */
};
bool index_mean(const struct core *c, uint32_t instrument, struct index_mean *mean);

/* The fixed price of one hour; PRICE_NONE: not fixed, or no longer kept. */
price_t index_hour_price(const struct core *c, uint32_t index, int64_t hour);

void event_index_push(const struct core *c, struct outbox *out, uint32_t index);
void query_index(const struct core *c, const struct query *q, struct outbox *out);
void index_check(const struct core *c);

#endif
