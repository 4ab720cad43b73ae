/* spot.h: the spot market of hours (INDEX-01): auctions, their sealed bids, the check of a solution
 * and what becomes of it; and delivery's own auctions, balancing and resale (DELIV-05).
 *
 * A day-ahead auction opens by its product's clock or by an officer; its hours are listed then, so
 * that what a bid may cause is margined like a working order of each hour's instrument (CLEAR-08);
 * their books open when it is over. At the close it waits for a solution from outside, whose every
 * claim is checked in whole numbers; then account by account and hour by hour the net of what was
 * accepted becomes a trade with the clearing house at the uniform price. Without a solution at its
 * deadline it fails, and is void.
 *
 * Invariants, asserted by spot_check: (1) an auction's bids are linked in order of id, a block
 * after its parent; (2) what stands of bids of a live day-ahead auction counts as working lots of
 * its account in each hour's instrument, and nothing else of them does; (3) `due` is the earliest
 * instant at which something happens by the clock; (4) an instrument belongs to at most one live
 * auction, and no order of it trades meanwhile; (5) bids to delivery's auctions have their margin
 * in their account's requirement while they stand, and when taken until delivery has the award.
 *
 * Upstream: core.c, delivery. Downstream: offbook, margin, instrument.
 */
#ifndef DOJIMA_CORE_SPOT_H
#define DOJIMA_CORE_SPOT_H

#include "core/state.h"

void spot_cut(struct core *c, struct arena *a);
void spot_start(struct core *c); /* at a fresh start */
size_t spot_outbox_bytes(const struct core_limits *l);

/* ---- commands ---- */
void spot_open(struct core *c, const struct command *cmd);
void spot_bid(struct core *c, const struct command *cmd);
void spot_cancel(struct core *c, const struct command *cmd);
void spot_result(struct core *c, const struct command *cmd);

/* ---- the clock ---- */
void spot_run(struct core *c);
/* A product was created: when its first auction opens. */
void spot_product(struct core *c, uint32_t product);
bool spot_terms_are_valid(const struct command_product_create *p);

/* ---- what ends bids from elsewhere ---- */
/* Of an account that may not trade any more: all its bids go. Returns how many. */
uint32_t spot_cancel_account(struct core *c, uint32_t account);
/* GUARD-07: the account's latest bid that works towards this side of an instrument; NIL: none. */
uint32_t spot_bid_latest(const struct core *c, uint32_t account, uint32_t instrument,
                         enum side side);
ts_t spot_bid_created(const struct core *c, uint32_t bid);
/* Cancels it, with the blocks that name it; *bid is the next latest, NIL: none. How many went. */
uint32_t spot_bid_cut(struct core *c, uint32_t *bid, uint32_t instrument);
/* An instrument is gone: the auction that it is in is void. */
void spot_instrument_gone(struct core *c, uint32_t instrument);

/* ---- questions ---- */
void query_spot(const struct core *c, const struct query *q, struct outbox *out);
void query_spot_waiting(const struct core *c, struct outbox *out);
void query_spot_bids(const struct core *c, const struct query *q, struct outbox *out);
/* What an account's bids work towards in an instrument: adds to both. */
void spot_working(const struct core *c, uint32_t account, uint32_t instrument, int64_t *buys,
                  int64_t *sells);
void spot_check(const struct core *c);
void spot_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t count),
               void *h);

/* ---- spot_day.c: civil days on the grid of UTC hours (UNIT-04) ---- */
struct spot_day {
    int64_t first_hour; /* since 1970 */
    uint32_t hours;     /* 23 .. 25 */
};
/* The hours of a date (days since 1970) where this zone's clocks are. */
struct spot_day spot_day_of(enum spot_zone zone, int offset_hours, int64_t date);

/* ---- balancing, resale: uniform-price auctions of sealed bids, cleared by the clock (DELIV-05):
 * delivery wants work, and takes the cheapest offers; or has work to sell, and takes the best bids
 * ---- */

enum { BALANCING_HOURS_MAX = SPOT_HOURS_MAX };

/* What is to be bought in, or sold: work of a class, for up to 25 hours in a row. */
struct balancing {
    struct token_class class;
    int64_t first_hour;   /* since 1970 */
    uint32_t hours;       /* 1 .. BALANCING_HOURS_MAX */
    uint32_t kind;        /* SPOT_balancing, SPOT_resale */
    int64_t work[BALANCING_HOURS_MAX]; /* nano-CT wanted, or for sale, by hour; 0: none */
    price_t price_max;    /* USD a CT; bids above it are not taken */
    ts_t closes;          /* later than now */
    uint64_t reference;   /* the caller's own; goes back with the awards */
};

/* Opens it and says so. Its id; 0: no room, nothing changed. */
uint64_t balancing_open(struct core *c, const struct balancing *b);

/* What an account has won of an hour, with one bid or several. */
struct balancing_award {
    uint32_t account;     /* who delivers, or takes */
    uint32_t hour;        /* from first_hour */
    int64_t work;         /* nano-CT */
    price_t price;        /* the hour's uniform price, USD a CT */
};

/* What an auction that is over gave, in order of hour and of the accounts' first bids; for the
 * caller's `take`. Returns how many there are: none when no offer came, or it is not over. */
typedef void balancing_take(struct core *c, void *context, const struct balancing_award *award);
uint32_t balancing_awards(struct core *c, uint64_t auction, balancing_take *take, void *context);
/* Nobody waits for it any more: its bids are cancelled, what was awarded is not taken. */
void balancing_void(struct core *c, uint64_t auction);
/* Whether it is over: 1; 0: not yet; -1: there is no such auction, or it is forgotten. */
int balancing_over(const struct core *c, uint64_t auction);

#endif
