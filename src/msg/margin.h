/* margin.h: commands and events of SPAN-16 and of margin runs (CLEAR-05, -06, -08).
 *
 * A margin group is what SPAN calls a combined commodity: products whose prices are one risk. Its
 * parameters are data, each set with the text that says where they come from. Everything is per
 * delta: a lot of a product has delta_scale deltas, times the hours of its block where the product
 * is quoted by the hour, so that one delta may be one CT.
 *
 * Same rules for layout as command.h. Included by command.h and event.h only.
 *
 * Upstream: base. Downstream: core/span, gate/rpc_margin.
 */
#ifndef DOJIMA_MSG_MARGIN_H
#define DOJIMA_MSG_MARGIN_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum {
    SPAN_SCENARIOS = 16,
    SPAN_TIERS_MAX = 6,
    SPAN_PRODUCTS_MAX = 8,   /* in a group */
    SPAN_SPREADS_MAX = 21,   /* pairs of tiers */
    SPAN_GROUPS_MAX = 64,
    SPAN_INTERS_MAX = 32,
    SPAN_LEGS_MAX = 16,      /* of a what-if */
    MARGIN_GROUP_NAME_SIZE = 16,
    MARGIN_SOURCE_SIZE = 64,
    MARGIN_REASON_SIZE = 64,
    MARGIN_RESULTS_MAX = 48,
};

struct margin_product {
    uint32_t product;
    uint32_t reserved;
    int64_t delta_scale; /* deltas of a lot (of a lot and hour, where the unit is the hour) */
};
ASSERT_SIZE(struct margin_product, 16);

/* Instruments whose delivery starts at or after `start` and before the next tier's. */
struct margin_tier {
    ts_t start;
    money_t price_scan;    /* per delta */
    int64_t vol_scan_e6;   /* of volatility; moves options only, kept with the array's form */
    money_t spot_spread;   /* spot month: per delta consumed in spreads */
    money_t spot_outright; /* spot month: per delta left over */
};
ASSERT_SIZE(struct margin_tier, 40);

/* What one delta long in a tier against one short in the other is charged. */
struct margin_spread {
    uint32_t tier_a; /* from 0 */
    uint32_t tier_b;
    money_t charge;
};
ASSERT_SIZE(struct margin_spread, 16);

enum { /* command_margin_set.given */
    MARGIN_GIVEN_products = 1,
    MARGIN_GIVEN_tiers = 2,
    MARGIN_GIVEN_spreads = 4,
    MARGIN_GIVEN_extreme = 8,
    MARGIN_GIVEN_inter_scale = 16,
    MARGIN_GIVEN_netting = 32,
    MARGIN_GIVEN_short_option = 64,
    MARGIN_GIVEN_ALL = 127,
};

/* Makes a group, or changes what is given of one. */
struct command_margin_set {
    char group[MARGIN_GROUP_NAME_SIZE];
    uint32_t given; /* MARGIN_GIVEN_ */
    uint8_t product_count;
    uint8_t tier_count;
    uint8_t spread_count;
    uint8_t reserved;
    int64_t extreme_move_e6;  /* of the price scan: scenarios 15 and 16 [3.0] */
    int64_t extreme_cover_e6; /* of which this share is charged [0.33] */
    int64_t inter_scale;      /* common units of a delta, for credits between groups [1] */
    int64_t netting_e6;       /* the most that netting within the group takes off [1.0] */
    money_t short_option;     /* minimum per delta of short options */
    struct margin_product products[SPAN_PRODUCTS_MAX];
    struct margin_tier tiers[SPAN_TIERS_MAX];
    struct margin_spread spreads[SPAN_SPREADS_MAX];
    char source[MARGIN_SOURCE_SIZE];
    char reason[MARGIN_REASON_SIZE];
};
ASSERT_SIZE(struct command_margin_set, 24 + 40 + 128 + 240 + 336 + 128);

/* One common unit long in one group against one short in the other. */
struct margin_inter {
    char group_a[MARGIN_GROUP_NAME_SIZE];
    char group_b[MARGIN_GROUP_NAME_SIZE];
    int64_t credit_e6; /* share of both legs' scan that is given back */
};
ASSERT_SIZE(struct margin_inter, 40);

/* Replaces the whole table of credits between groups. */
struct command_margin_inter {
    uint32_t count;
    uint32_t reserved;
    int64_t offset_e6; /* the most that credits take off, of the sum of the groups [0.8] */
    struct margin_inter inters[SPAN_INTERS_MAX];
    char source[MARGIN_SOURCE_SIZE];
    char reason[MARGIN_REASON_SIZE];
};
ASSERT_SIZE(struct command_margin_inter, 16 + 1280 + 128);

/* The margin per lot of a product of the flat model. */
struct command_margin_flat {
    uint32_t product;
    uint32_t reserved;
    money_t flat_margin;
    char source[MARGIN_SOURCE_SIZE];
    char reason[MARGIN_REASON_SIZE];
};
ASSERT_SIZE(struct command_margin_flat, 144);

enum margin_phase { MARGIN_RUN_begin = 0, MARGIN_RUN_commit, MARGIN_RUN_abort, MARGIN_RUN_count };

/* A run of CLEAR-05 over all accounts: it begins (positions are those of this moment), its results
 * come in any number of commands, and it is committed or given up as a whole. */
struct command_margin_run {
    uint64_t run;   /* ascending over the venue's life */
    uint32_t phase; /* enum margin_phase */
    uint32_t count; /* commit: how many accounts have results */
};
ASSERT_SIZE(struct command_margin_run, 16);

struct margin_result {
    uint32_t account;
    uint32_t reserved;
    money_t core;          /* ES part */
    money_t liquidity;
    money_t concentration;
    money_t floor;
    money_t total;         /* the requirement; after credits */
    money_t stress_loss;   /* worst of the stress set, for the fund (CLEAR-11) */
};
ASSERT_SIZE(struct margin_result, 56);

struct command_margin_result {
    uint64_t run;
    uint32_t count;
    uint32_t reserved;
    struct margin_result results[MARGIN_RESULTS_MAX]; /* cut to count */
};
ASSERT_SIZE(struct command_margin_result, 16 + 56 * 48);

/* Lots of one contract into the other of the same hours (CONTRACT-03). */
struct command_margin_convert {
    uint32_t from;
    uint32_t to;
    qty_t lots; /* of the larger one */
};
ASSERT_SIZE(struct command_margin_convert, 16);

#endif
