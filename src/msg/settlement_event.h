/* settlement_event.h: what settlement and reference prices say (CLEAR-03, CLEAR-04, INDEX-02,
 * INDEX-03): with these records alone anybody can compute the prices again. Included by event.h.
 *
 * A settlement is followed by its sources, in one command. How its price follows:
 *   vwap      numerator / denominator is the window's value over its lots; to `unit`, ties towards
 *             `previous`
 *   spread    sum of weight x implied over sum of weight of the sources; to `unit`, ties likewise
 *   last      `last`, held within bid and ask
 *   parent    base + numerator / denominator, half-even: the source is the longer period that
 *             traded; base is the previous settlement, or 0 where `based` is 0
 *   previous  `previous`, held within bid and ask
 *   parts     sum of weight x price over sum of weight (hours) of the sources, half-even
 *   legs      sum of weight x price of the two sources: weights are the ratios of the legs
 *   index     numerator / denominator, sum of the hours' prices over their count; to `unit`,
 *             half-even
 *   standing  price of the source: the settlement in force, made final
 *   manual, override   the officers'
 */
#ifndef DOJIMA_MSG_SETTLEMENT_EVENT_H
#define DOJIMA_MSG_SETTLEMENT_EVENT_H

struct event_settlement {
    struct event_header header;
    uint32_t instrument;
    uint32_t final; /* 1: at expiry */
    price_t price;
    uint64_t id; /* 1, 2, 3, ... */
    uint8_t tier;  /* enum settlement_tier */
    uint8_t cycle; /* 0 the day's, 1 within the day */
    uint8_t based; /* of tier parent */
    uint8_t reserved;
    uint32_t sources;      /* how many follow */
    uint64_t source_first; /* id of the first; 0: none */
    int64_t day;           /* since 1970: the UTC date that it settles */
    price_t previous;      /* PRICE_NONE: none; likewise the next three */
    price_t bid;
    price_t ask;
    price_t last;          /* of the day */
    price_t unit;          /* rounded to it; 1: to 10^-6 */
    int64_t numerator_high; /* 128 bits */
    uint64_t numerator_low;
    int64_t denominator_high;
    uint64_t denominator_low;
    uint32_t trades;       /* in the window */
    uint32_t principal;    /* the officer who asked; 0: the clock */
};
ASSERT_SIZE(struct event_settlement, 160);

struct event_settlement_source {
    struct event_header header;
    uint64_t id;            /* 1, 2, 3, ... */
    uint64_t settlement_id;
    uint32_t instrument;    /* whose price counts here */
    uint32_t spread;        /* by which it is chained; 0: none */
    price_t price;          /* of the instrument */
    price_t implied;        /* what it says of the one that is settled */
    int64_t weight;         /* hours; of spreads 10^-6 lots over periods apart, half-even */
    int64_t volume;         /* lots that the spread (or the parent) traded in the window */
    int64_t value_high;     /* sum of price x lots of these, 128 bits */
    uint64_t value_low;
    uint32_t apart;         /* periods between the spread's legs */
    uint32_t reserved;
};
ASSERT_SIZE(struct event_settlement_source, 112);

/* An instrument is over and cannot settle yet; said when that is found, and when it changes. */
struct event_settlement_wait {
    struct event_header header;
    uint32_t instrument;
    uint32_t reason;     /* enum reject: no_settlement_price, missing_hours, amount_overflow */
    ts_t first_missing;  /* hour; 0: none */
    uint32_t missing;    /* hours */
    uint32_t reserved;
};
ASSERT_SIZE(struct event_settlement_wait, 56);

/* A mark-to-market that was made, at the end of its postings. */
struct event_mark {
    struct event_header header;
    uint64_t mark_id;  /* 1, 2, 3, ... */
    uint64_t chain_id; /* of its postings */
    uint32_t scheduled; /* 1: by the clock */
    uint32_t instruments;
    uint64_t positions; /* exposures that were paid or charged */
    money_t paid;       /* what gained; all that lost is as much, but for rounding */
};
ASSERT_SIZE(struct event_mark, 72);

struct event_index {
    struct event_header header;
    uint32_t id;
    uint32_t reserved;
    struct command_index_create terms;
    ts_t hour_first;
};
ASSERT_SIZE(struct event_index, 32 + 8 + 176 + 8);

/* The reference price of an hour, followed in the same command by its inputs; then, where trades on
 * spot are a tier, by what they came to. */
struct event_index_price {
    struct event_header header;
    uint32_t index;
    uint8_t tier;    /* enum index_tier; none: it waits for the committee */
    uint8_t inputs;  /* how many follow */
    uint8_t counted; /* left after stale and wild ones, before trimming */
    uint8_t trimmed; /* dropped at each end */
    ts_t hour;
    price_t price;   /* PRICE_NONE: none yet */
    price_t median;  /* twice the median of the fresh ones; PRICE_NONE: none */
    uint32_t principal; /* committee: who asked */
    uint32_t spot;      /* 1: an event_index_spot follows the inputs */
};
ASSERT_SIZE(struct event_index_price, 72);

enum index_input_status {
    INDEX_INPUT_absent = 0,
    INDEX_INPUT_given,   /* and not judged yet */
    INDEX_INPUT_counted,
    INDEX_INPUT_trimmed, /* among the k highest or lowest */
    INDEX_INPUT_wild,    /* beyond the deviation */
    INDEX_INPUT_stale,
    INDEX_INPUT_count
};

struct event_index_input {
    struct event_header header;
    uint32_t index;
    uint32_t source; /* account */
    ts_t hour;
    price_t value;
    ts_t observed;
    uint32_t status; /* enum index_input_status */
    uint32_t reserved;
};
ASSERT_SIZE(struct event_index_input, 72);

/* A contract has become shorter ones, of the same hours: every position stands in each of them,
 * lot for lot, at `price`, and no money moved (CONTRACT-01). */
struct event_cascade {
    struct event_header header;
    uint32_t instrument;
    uint32_t children;
    uint32_t listed;     /* of them, for this */
    uint32_t hours;      /* of the block, and of its children together */
    uint64_t positions;
    int64_t open_interest; /* lots */
    price_t price;
    uint64_t chain_id;   /* of the postings of the first; one more for each child */
};
ASSERT_SIZE(struct event_cascade, 80);

/* What the hour's trades on spot came to; its sellers follow in rising order of price.
 *
 * A seller's price is value / volume, half-even. The sellers in order of price, then volume, then
 * as they follow: the k = floor((n + 1) / 4) lowest and highest are trimmed. Each that is left
 * weighs its volume, at most `cap`: the largest number with cap x 10^6 <= share x sum of
 * min(volume, cap). The hour's price is sum of weight x price over sum of weight, half-even. */
enum index_spot_result {
    INDEX_SPOT_priced = 0,  /* it has a price; whether it is the hour's, the tier says */
    INDEX_SPOT_no_trades,
    INDEX_SPOT_few_sellers,
    INDEX_SPOT_low_volume,
    INDEX_SPOT_incomplete,  /* some trades could not be kept: not to be used */
    INDEX_SPOT_result_count
};

struct event_index_spot {
    struct event_header header;
    uint32_t index;
    uint32_t result;   /* enum index_spot_result */
    ts_t hour;
    price_t price;     /* PRICE_NONE: none */
    int64_t volume;    /* lots, of all sellers */
    int64_t cap;       /* lots; 0: none was needed */
    int64_t unkept;    /* lots for which there was no room */
    uint32_t sellers;  /* beneficial owners with volume that counts */
    uint32_t trimmed;  /* at each end */
    uint32_t inputs;   /* sellers that follow, those without such volume last */
    uint32_t reserved;
};
ASSERT_SIZE(struct event_index_spot, 96);

enum index_seller_status {
    INDEX_SELLER_excluded = 0, /* nothing that counts */
    INDEX_SELLER_counted,
    INDEX_SELLER_capped,       /* weighs less than its volume */
    INDEX_SELLER_trimmed,
    INDEX_SELLER_count
};

struct event_index_seller {
    struct event_header header;
    uint32_t index;
    uint32_t account;   /* of the owner: the one that sold first */
    ts_t hour;
    price_t price;      /* PRICE_NONE: nothing counts */
    int64_t volume;     /* lots that count */
    int64_t value_high; /* of them, price x lots, 128 bits */
    uint64_t value_low;
    int64_t related;    /* lots sold to the same owner: excluded */
    int64_t busted;     /* lots of trades undone: excluded */
    int64_t weight;     /* lots */
    uint32_t status;    /* enum index_seller_status */
    uint32_t reserved;
};
ASSERT_SIZE(struct event_index_seller, 112);

#endif
