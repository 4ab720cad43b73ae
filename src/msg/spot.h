/* spot.h: the spot market of hours (INDEX-01), balancing and resale auctions (DELIV-05), in
 * commands and in a product's terms.
 *
 * An auction covers a run of 1 .. 25 hours of UTC: a civil day may have 23, 24 or 25. A bid is a
 * step (one hour, one price, a quantity that may be filled in part) or a block (one price, a
 * quantity for each hour, all or none; it may name a parent, three deep, without which it is not
 * accepted). Bids are sealed: nobody but their account sees them before the result.
 *
 * Who solves the auction is outside the core; its solution is a command, small because prices and
 * accepted blocks say all: what each step gets follows from them (core/spot_result.c).
 *
 * Upstream: base. Downstream: command.h, spot_event.h.
 */
#ifndef DOJIMA_MSG_SPOT_H
#define DOJIMA_MSG_SPOT_H

#include "base/assert.h"
#include "base/units.h"

#include <stdint.h>

enum {
    SPOT_HOURS_MAX = 25,
    SPOT_STEPS_MAX = 100,    /* of one command: four an hour of the longest day */
    SPOT_BLOCKS_MAX = 1024,  /* of one auction */
    SPOT_DEPTH_MAX = 3,      /* a block, its parent, its parent's parent */
};

/* Whose civil day an auction covers; daylight saving by the rule of the zone's law. */
enum spot_zone {
    SPOT_ZONE_utc = 0,
    SPOT_ZONE_europe,  /* last Sunday of March .. last Sunday of October, at 01:00 UTC */
    SPOT_ZONE_america, /* second Sunday of March .. first of November, at 02:00 local */
    SPOT_ZONE_count
};

enum { /* spot_terms.flags */
    SPOT_FLAG_AUCTION = 1,  /* an auction a day, opened by the clock */
    SPOT_FLAG_INTRADAY = 2, /* its hours are listed by the clock, auction or not */
};

/* Of a product whose contract is by the hour; all zero: it has no spot market of its own. Times
 * are seconds of the UTC date before the delivery day. */
struct spot_terms {
    uint32_t flags;      /* SPOT_FLAG_ */
    uint8_t zone;        /* enum spot_zone */
    int8_t offset_hours; /* the zone's standard time less UTC */
    uint8_t reserved[2];
    uint32_t opens_at;   /* below closes_at */
    uint32_t closes_at;  /* [12:00] */
    uint32_t result_within; /* seconds after the close; then the auction fails and is void */
    uint32_t reserved2;
    price_t price_min;   /* of bids and results; multiples of the tick */
    price_t price_max;
};
ASSERT_SIZE(struct spot_terms, 40);

/* An officer's: an auction beside those of the clock. */
struct command_spot_open {
    uint32_t product;
    uint32_t hours;      /* 1 .. SPOT_HOURS_MAX */
    ts_t start;          /* of the first hour */
    ts_t closes;         /* later than now, not later than start */
    ts_t deadline;       /* of the result; later than closes, not later than start */
};
ASSERT_SIZE(struct command_spot_open, 32);

enum spot_bid_kind { SPOT_BID_step = 0, SPOT_BID_block, SPOT_BID_count };

struct spot_step {
    uint32_t hour;       /* of the auction, from 0 */
    uint32_t inexact;    /* 1: amount, 2: price had more digits than can be */
    price_t price;
    qty_t qty;           /* lots; in delivery's auctions nano-CT */
};
ASSERT_SIZE(struct spot_step, 24);

/* header.account's: `count` steps, each a bid of its own, all accepted for entry or none; or one
 * block, whose quantities are the steps' (each hour once) and whose price is the first's. */
struct command_spot_bid {
    uint64_t auction;
    uint64_t parent;     /* of a block: the bid that must be accepted too; 0: none */
    uint64_t replaces;   /* a bid that goes when these come; 0: none */
    uint8_t kind;        /* enum spot_bid_kind */
    uint8_t side;        /* enum side */
    uint16_t count;      /* 1 .. SPOT_STEPS_MAX */
    uint32_t reserved;
    struct spot_step steps[SPOT_STEPS_MAX]; /* cut to count */
};
ASSERT_SIZE(struct command_spot_bid, 32 + SPOT_STEPS_MAX * 24);

struct command_spot_cancel {
    uint64_t auction;
    uint64_t bid;        /* 0: all of header.account's */
};
ASSERT_SIZE(struct command_spot_cancel, 16);

enum { SPOT_RESULT_OPTIMAL = 1 }; /* the solver searched to the end */

/* A surplus is a sum of price (10^-6 USD) x lots, 128-bit in two words. */
struct spot_surplus {
    int64_t high;
    uint64_t low;
};
ASSERT_SIZE(struct spot_surplus, 16);

/* What a solver found. `version` is the auction's when its bids were read. */
struct command_spot_result {
    uint64_t auction;
    uint64_t version;
    uint32_t flags;      /* SPOT_RESULT_ */
    uint32_t nodes;      /* of the search */
    struct spot_surplus surplus; /* that the solution reaches: checked */
    struct spot_surplus bound;   /* that no solution passes: the solver's word */
    price_t prices[SPOT_HOURS_MAX];
    price_t dual[SPOT_HOURS_MAX]; /* prices that prove a bound: reckoned by the core */
    uint8_t accepted[SPOT_BLOCKS_MAX / 8]; /* bit i: the auction's block i, in order of id */
};
ASSERT_SIZE(struct command_spot_result, 56 + 2 * 8 * SPOT_HOURS_MAX + SPOT_BLOCKS_MAX / 8);

enum spot_kind {
    SPOT_day_ahead = 0,
    SPOT_balancing, /* delivery buys what a seller did not deliver: offers to sell */
    SPOT_resale,    /* delivery sells what a buyer does not take: bids to buy */
    SPOT_kind_count
};

enum spot_state {
    SPOT_STATE_none = 0,
    SPOT_STATE_open,     /* takes bids */
    SPOT_STATE_closed,   /* awaits its result */
    SPOT_STATE_done,
    SPOT_STATE_failed,   /* no result in time: void */
    SPOT_STATE_count
};

enum spot_bid_state {
    SPOT_BID_none = 0,
    SPOT_BID_standing,
    SPOT_BID_cancelled,
    SPOT_BID_accepted,   /* filled wholly */
    SPOT_BID_partly,     /* a step at the margin */
    SPOT_BID_rejected,
    SPOT_BID_paradoxical, /* rejected although its block is in the money at the prices */
    SPOT_BID_passed_over, /* of delivery's auctions: it could not be honoured at the close */
    SPOT_BID_state_count
};

#endif
