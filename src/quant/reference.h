/* reference.h: an hour's reference price again, from what was published of it (INDEX-02, INDEX-03).
 *
 * Written from the text of docs/index.md and not from the venue's code, which it shares nothing
 * with but integer arithmetic: whoever doubts a price can read this file alone. Prices are in
 * 10^-6 USD, volumes in lots, times in ms of UTC; nothing is rounded but where the text says so.
 *
 * Invariants: (1) what a function finds depends on its arguments only; (2) nothing overflows for
 * prices within 10^15, volumes within 10^18 and at most REFERENCE_SELLERS_MAX sellers: more is
 * refused by the reader.
 *
 * Upstream: base. Downstream: cli (dojima index recompute), series (the greatest weight).
 */
#ifndef DOJIMA_QUANT_REFERENCE_H
#define DOJIMA_QUANT_REFERENCE_H

#include "base/units.h"

enum { REFERENCE_SELLERS_MAX = 1 << 16, REFERENCE_INPUTS_MAX = 64, REFERENCE_TIERS_MAX = 8 };

enum reference_tier {
    REFERENCE_none = 0,
    REFERENCE_spot,
    REFERENCE_submissions,
    REFERENCE_previous_hour,
    REFERENCE_committee,
    REFERENCE_tier_count
};

struct reference_terms {
    uint8_t tiers[REFERENCE_TIERS_MAX]; /* enum reference_tier; ends with 0 */
    int64_t minimum;      /* sources */
    int64_t carries_max;
    int64_t staleness_ms;
    int64_t deviation_e6;
    int64_t deviation_min;
    int64_t spot_sellers;
    int64_t spot_volume;
    int64_t spot_share_e6;
};

enum reference_input_status {
    REFERENCE_INPUT_given = 0,
    REFERENCE_INPUT_counted,
    REFERENCE_INPUT_trimmed,
    REFERENCE_INPUT_wild,
    REFERENCE_INPUT_stale,
    REFERENCE_INPUT_count
};

struct reference_input {
    int64_t value;
    int64_t observed_ms;
    uint32_t status; /* found */
};

/* What a tier finds. */
struct reference_price {
    bool found;
    int64_t price;
    int64_t median_twice; /* of submissions */
    bool has_median;
    int64_t counted;
    int64_t trimmed;      /* at each end */
};

void reference_submissions(const struct reference_terms *t, int64_t hour_end_ms,
                           struct reference_input *inputs, uint32_t count,
                           struct reference_price *out);

enum reference_seller_status {
    REFERENCE_SELLER_excluded = 0,
    REFERENCE_SELLER_counted,
    REFERENCE_SELLER_capped,
    REFERENCE_SELLER_trimmed,
    REFERENCE_SELLER_count
};

struct reference_seller {
    int64_t volume;
    int128_t value;  /* sum of price x lots */
    int64_t price;   /* found; INT64_MIN: no volume */
    int64_t weight;  /* found */
    uint32_t status; /* found */
};

enum reference_spot_result {
    REFERENCE_SPOT_priced = 0,
    REFERENCE_SPOT_no_trades,
    REFERENCE_SPOT_few_sellers,
    REFERENCE_SPOT_low_volume,
    REFERENCE_SPOT_incomplete,
    REFERENCE_SPOT_count
};

struct reference_spot {
    uint32_t result;
    int64_t price;   /* if priced */
    int64_t volume;
    int64_t sellers;
    int64_t trimmed;
    int64_t cap;     /* 0: none was needed */
    bool in_order;   /* sellers rise in price, then in volume */
};

/* Sellers in their published order, those without volume last. */
void reference_spot(const struct reference_terms *t, int64_t unkept,
                    struct reference_seller *sellers, uint32_t count, struct reference_spot *out);

/* The greatest weight c with c x 10^6 <= share x sum of min(volume, c): in one pass over volumes
 * in rising order, which are to be above 0. Where only 0 is such a number, the least volume. */
int64_t reference_cap(const int64_t *rising, uint32_t count, int64_t share_e6);

/* Final settlement: sum over count, to the unit, half-even (INDEX-03). */
int64_t reference_mean(int128_t sum, int64_t count, int64_t unit);

#endif
