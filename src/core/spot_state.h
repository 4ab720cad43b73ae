/* spot_state.h: the records of the spot market in the state block; what they mean, and their
 * invariants: spot.h.
 */
#ifndef DOJIMA_CORE_SPOT_STATE_H
#define DOJIMA_CORE_SPOT_STATE_H

#include "msg/event.h"

struct spot_market {
    uint64_t auction_id;   /* the latest */
    uint64_t bid_id;
    int64_t due;           /* INT64_MAX: nothing is */
    uint32_t bids_used;    /* highest place ever used */
    uint32_t bids_free;    /* places given back: list head, by next */
    uint32_t profiles_used;
    uint32_t profiles_free; /* by their first quantity */
};

struct spot_hour {
    uint32_t instrument;   /* NIL: balancing */
    uint32_t reserved;
    price_t price;         /* once done; PRICE_NONE: nothing traded */
    price_t low;
    price_t high;
    int64_t qty;
    int64_t wanted;        /* of balancing */
};

struct spot_auction {
    uint64_t id;           /* 0: a free place */
    uint64_t version;
    uint64_t reference;
    int64_t first_hour;    /* since 1970 */
    uint32_t product;      /* NIL: balancing */
    uint32_t hours;
    uint8_t kind;          /* enum spot_kind */
    uint8_t state;         /* enum spot_state */
    uint8_t optimal;
    uint8_t awaited;       /* 1: of delivery's, over: delivery has not taken its awards yet */
    uint8_t reserved[4];
    uint32_t first;        /* bids in order of id, those that are over too: list */
    uint32_t last;
    uint32_t steps;        /* that stand; once done, that stood */
    uint32_t blocks;
    ts_t opened;
    ts_t closes;
    ts_t deadline;
    ts_t done;
    price_t price_min;
    price_t price_max;
    int128_t surplus;
    int128_t bound;
    int128_t claimed;
    uint32_t nodes;
    uint32_t accepted;
    uint32_t paradoxical;
    uint32_t reserved2;
    struct token_class class; /* of balancing */
    int64_t reserved3;
    struct spot_hour hour[SPOT_HOURS_MAX];
};

struct spot_order {        /* a bid */
    uint64_t id;           /* 0: a free place */
    uint32_t auction;      /* place */
    uint32_t account;
    uint32_t next;         /* of the auction */
    uint32_t prev;
    uint32_t parent;       /* place of a block's parent; NIL: none */
    uint32_t profile;      /* of a block; NIL: a step */
    uint8_t kind;          /* enum spot_bid_kind */
    uint8_t side;
    uint8_t state;         /* enum spot_bid_state */
    uint8_t hour;          /* of a step */
    uint32_t reserved;
    ts_t created;
    price_t price;
    int64_t qty;           /* of a step */
    int64_t filled;        /* of a block: all its hours */
    money_t margin;        /* of a firm bid: required while it may still cost so much */
};
ASSERT_SIZE(struct spot_order, 80);

struct spot_profile {
    int64_t qty[SPOT_HOURS_MAX];
};

struct spot {
    struct spot_market *s;
    struct spot_auction *auctions; /* by id % auction_count */
    struct spot_order *bids;
    struct spot_profile *profiles;
    int64_t *firm;         /* by account: required for its firm bids, in its requirement */
    uint32_t auction_count;
    uint32_t bid_count;
    uint32_t profile_count;
    uint32_t reserved;
    /* Scratch; not state. */
    int64_t *net;          /* by account */
    int128_t *values;      /* by profile */
};

#endif
