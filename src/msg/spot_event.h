/* spot_event.h: what the spot market says (INDEX-01, DELIV-05); a part of event.h. */
#ifndef DOJIMA_MSG_SPOT_EVENT_H
#define DOJIMA_MSG_SPOT_EVENT_H

/* An auction, after what happened to it; it counts bids and tells nothing of them until done. */
struct event_spot_auction {
    struct event_header header;
    uint64_t id;
    uint64_t version;    /* goes up with every bid that comes or goes */
    uint64_t reference;  /* of balancing: what it buys for */
    uint32_t product;    /* 0: balancing */
    uint32_t hours;
    uint8_t kind;        /* enum spot_kind */
    uint8_t state;       /* enum spot_state */
    uint8_t optimal;     /* the solver says so */
    uint8_t reserved;
    uint32_t steps;      /* how many stand */
    uint32_t blocks;
    uint32_t accounts_reserved;
    ts_t start;          /* of the first hour */
    ts_t opened;
    ts_t closes;
    ts_t deadline;
    ts_t done;           /* 0: not yet */
    price_t price_min;
    price_t price_max;
    struct spot_surplus surplus;
    struct spot_surplus bound;  /* proved by the core from the result's dual prices */
    struct spot_surplus claimed; /* the solver's own, from its search */
    uint32_t nodes;
    uint32_t accepted;   /* blocks */
    uint32_t paradoxical; /* blocks: each is said by a spot_bid event */
    uint32_t reserved2;
    struct token_class class; /* of balancing: whose tokens are bought */
};
ASSERT_SIZE(struct event_spot_auction, 32 + 24 + 24 + 56 + 48 + 16 + 24);

/* An hour of an auction that is done, or of one of delivery's that opens: what is wanted, or
 * offered. The price is none where nothing traded. */
struct event_spot_hour {
    struct event_header header;
    uint64_t auction;
    uint32_t hour;       /* from 0 */
    uint32_t instrument; /* 0: balancing */
    ts_t start;
    price_t price;       /* PRICE_NONE: nothing traded */
    price_t price_low;   /* the range of prices that clear the same volumes */
    price_t price_high;
    qty_t qty;           /* lots; balancing: nano-CT */
    qty_t wanted;        /* of balancing; 0 otherwise */
};
ASSERT_SIZE(struct event_spot_hour, 32 + 64);

/* A bid after what happened to it: its account's alone, until the auction is done. */
struct event_spot_bid {
    struct event_header header;
    uint64_t id;
    uint64_t auction;
    uint64_t parent;
    uint32_t account;
    uint8_t kind;        /* enum spot_bid_kind */
    uint8_t side;
    uint8_t state;       /* enum spot_bid_state */
    uint8_t hour;        /* of a step */
    ts_t created;
    price_t price;
    qty_t filled;        /* of a step; of a block, all hours together */
    qty_t qty[SPOT_HOURS_MAX]; /* by hour of the auction */
};
ASSERT_SIZE(struct event_spot_bid, 32 + 56 + 8 * SPOT_HOURS_MAX);

#endif
