/* settlement.h: the words of settlement and of reference prices (CLEAR-03, CLEAR-04, INDEX-02,
 * INDEX-03): a product's rules, and the commands. Same rules for layout as command.h, which
 * includes it.
 */
#ifndef DOJIMA_MSG_SETTLEMENT_H
#define DOJIMA_MSG_SETTLEMENT_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum {
    DAY_SECONDS = 86400,
    SETTLEMENT_CYCLES = 2,   /* the day's settlement, and one within the day */
    MARK_TIMES_MAX = 4,      /* a day */
    INDEX_NAME_SIZE = 32,
    INDEX_SOURCES_MAX = 16,
    INDEX_TIERS_MAX = 4,
    INDEX_REASON_SIZE = 64,
};

/* How a price was made, in order of precedence for a month that is not the first (CLEAR-03). */
enum settlement_tier {
    SETTLEMENT_TIER_none = 0,
    SETTLEMENT_TIER_vwap,     /* of the window's trades, to the tick */
    SETTLEMENT_TIER_spread,   /* chained by calendar spreads from months already settled */
    SETTLEMENT_TIER_last,     /* the day's last trade, within bid and ask */
    SETTLEMENT_TIER_parent,   /* backed out of a quarter or year that traded */
    SETTLEMENT_TIER_previous, /* the previous settlement, within bid and ask */
    SETTLEMENT_TIER_parts,    /* of a longer period: its parts, weighted by hours */
    SETTLEMENT_TIER_legs,     /* of a spread: the difference of its legs */
    SETTLEMENT_TIER_standing, /* final: the settlement in force when trading ended */
    SETTLEMENT_TIER_index,    /* final: the mean of the hours' reference prices (INDEX-03) */
    SETTLEMENT_TIER_manual,   /* an officer's, where nothing was computed for the day */
    SETTLEMENT_TIER_cascade,  /* the final one of the contract it came from (CONTRACT-01) */
    SETTLEMENT_TIER_auction,  /* of an hour: the day-ahead auction's (INDEX-01) */
    SETTLEMENT_TIER_override, /* two officers', in place of a computed one */
    SETTLEMENT_TIER_count
};

/* A window and when its price is made; seconds of the UTC day, start < end <= at < a day. */
struct settlement_cycle {
    uint32_t start;
    uint32_t end; /* 0: there is no such cycle; for the day's: [14:28, 14:30) */
    uint32_t at;
};
ASSERT_SIZE(struct settlement_cycle, 12);

enum { SETTLEMENT_RULE_AUTOMATIC = 1 }; /* prices are made when `at` comes, by a tick */

/* A product's; all zero: the window [14:28, 14:30), prices only on demand, no index. */
struct settlement_rules {
    struct settlement_cycle cycles[SETTLEMENT_CYCLES]; /* [0] the day's, [1] within the day */
    uint32_t flags;     /* SETTLEMENT_RULE_ */
    uint32_t index;     /* a cash product's: it settles at the mean of its hours; 0: none */
    int64_t final_unit; /* 10^-6 USD: final settlement at a mean is rounded to it; 0: [100] */
    uint32_t spot_index; /* trades in its hours are this index's spot tier (INDEX-02); 0: none */
    uint32_t reserved;
};
ASSERT_SIZE(struct settlement_rules, 48);

/* As they hold, with what a product leaves out: CLEAR-03's window, INDEX-03's 0.0001. */
static inline struct settlement_cycle settlement_rules_cycle(const struct settlement_rules *r,
                                                             uint32_t cycle)
{
    const uint32_t start = 14 * 3600 + 28 * 60, end = 14 * 3600 + 30 * 60;
    if (cycle == 0 && r->cycles[0].end == 0) return (struct settlement_cycle){start, end, end};
    return r->cycles[cycle];
}
static inline price_t settlement_rules_unit(const struct settlement_rules *r)
{
    return PRICE(r->final_unit == 0 ? 100 : r->final_unit);
}

struct command_settle_day {
    uint32_t product;
    uint32_t cycle; /* 0 the day's, 1 within the day */
};
ASSERT_SIZE(struct command_settle_day, 8);

/* How a reference price is looked for; in which order, the index says: trades on spot first. */
enum index_tier {
    INDEX_TIER_none = 0,
    INDEX_TIER_submissions,   /* trimmed mean of the sources' */
    INDEX_TIER_previous_hour,
    INDEX_TIER_committee,     /* waits for officers */
    INDEX_TIER_spot,          /* trimmed mean of the sellers' in the hour, by volume */
    INDEX_TIER_count
};

struct command_index_create {
    char name[INDEX_NAME_SIZE];
    uint32_t sources[INDEX_SOURCES_MAX]; /* accounts that may submit */
    uint32_t source_count;
    uint32_t minimum;       /* sources that must be left; at least 3, so that none decides alone */
    uint32_t carries_max;   /* hours in a row that may repeat the previous one */
    uint8_t tiers[INDEX_TIERS_MAX]; /* enum index_tier, in order; ends with 0 */
    int64_t staleness_ns;   /* observed longer than this before the hour's end: not counted */
    int64_t delay_ns;       /* after the hour's end, when its price is fixed */
    int64_t deviation_e6;   /* of the median: what lies beyond it is not counted ... */
    price_t deviation_min;  /* ... but within this of it is always counted (GUARD-00) */
    price_t value_min;      /* a lower value is refused */
    /* Of tier spot; all zero without it. */
    uint32_t spot_sellers;  /* unrelated ones that it needs; at least 3 */
    uint32_t reserved;
    int64_t spot_volume;    /* lots that it needs */
    int64_t spot_share_e6;  /* of all weight, the most that one seller may have */
};
ASSERT_SIZE(struct command_index_create, 176);

/* header.account's, once an hour. */
struct command_index_submit {
    uint32_t index;
    uint32_t reserved;
    ts_t hour;     /* its beginning */
    ts_t observed; /* 0: now */
    price_t value;
};
ASSERT_SIZE(struct command_index_submit, 32);

/* The committee's: two officers fix an hour that has no price. */
struct command_index_price {
    uint32_t index;
    uint32_t reserved;
    ts_t hour;
    price_t value;
    char reason[INDEX_REASON_SIZE];
};
ASSERT_SIZE(struct command_index_price, 88);

#endif
