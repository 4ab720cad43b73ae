/* spot_internal.h: what the files of the spot market share. Flow: spot.c (auctions, the clock) ->
 * spot_bid.c (bids) -> spot_check.c (a solution is judged) -> spot_result.c (it is carried out);
 * spot_balancing.c; spot_query.c.
 */
#ifndef DOJIMA_CORE_SPOT_INTERNAL_H
#define DOJIMA_CORE_SPOT_INTERNAL_H

#include "core/spot.h"

/* ---- spot.c ---- */
struct spot_auction *spot_find(const struct core *c, uint64_t id); /* NULL: none of this id */
void event_spot_auction_push(struct outbox *out, const struct spot_auction *a);
void event_spot_hour_push(struct outbox *out, const struct spot_auction *a, uint32_t hour);
/* A place for an auction of which nothing stands any more; NULL: none. Its id is the next, its
 * hours have no prices. */
struct spot_auction *spot_place(struct core *c);
/* After an auction's state or times changed. */
void spot_due_set(struct core *c);
/* Its hours' books may open; after the result, or when it is void. */
void spot_release_hours(struct core *c, struct spot_auction *a);

/* ---- spot_bid.c ---- */
void event_spot_bid_push(const struct core *c, struct outbox *out, uint32_t bid);
/* A bid's lots in an hour of its auction. */
int64_t spot_lots(const struct core *c, uint32_t bid, uint32_t hour);
/* All that stands no longer counts as working. */
void spot_unwork(struct core *c, struct spot_auction *a);
/* Frees the bids of the product's auctions that are over; of one. */
void spot_retire(struct core *c, uint32_t product);
void spot_forget(struct core *c, struct spot_auction *a);
/* Whether there are so many places for bids and for blocks' profiles; auctions that are over give
 * theirs back for it, the oldest first. */
bool spot_bid_room(struct core *c, uint32_t count, uint32_t profiles);

/* ---- spot_firm.c: bids to delivery's auctions ---- */
/* What it may put into escrow at most is required from now on, or it is refused. */
enum reject firm_admit(struct core *c, uint32_t bid, int64_t *missing);
void firm_set(struct core *c, uint32_t bid, money_t margin); /* 0: nothing is required any more */
/* At the close: whether its account can still honour so much work in its hour, all that it wins
 * there. */
bool firm_holds(struct core *c, uint32_t bid, int64_t work);
/* What is required for an auction's bids. */
int128_t firm_check(const struct core *c, const struct spot_auction *a);

/* ---- spot_check.c ---- */
struct spot_margin { /* what bids at exactly the price get, in order of time */
    int64_t buys;
    int64_t sells;
};
struct spot_judged {
    int128_t surplus;
    int128_t bound;
    struct spot_margin margin[SPOT_HOURS_MAX];
    uint32_t accepted;
};
/* Every claim of a solution (INDEX-01): REJECT_none, or the first that does not hold. */
enum reject spot_judge(struct core *c, const struct spot_auction *a,
                       const struct command_spot_result *r, struct spot_judged *j);
/* Marks what rejected blocks would have earned at the prices: spot.values, by profile; those whose
 * hours did not all trade earn nothing. */
void spot_forgone(struct core *c, const struct spot_auction *a,
                  const struct command_spot_result *r);
static inline bool spot_accepts(const struct command_spot_result *r, uint32_t block)
{
    return (r->accepted[block / 8] >> (block % 8) & 1) != 0;
}

/* ---- spot_balancing.c ---- */
void balancing_clear(struct core *c, struct spot_auction *a);

/* A step that is better than its hour's price is filled. */
static inline bool spot_step_is_in(const struct spot_order *b, price_t price)
{
    return b->side == SIDE_buy ? b->price.v > price.v : b->price.v < price.v;
}
static inline enum spot_bid_state spot_step_state(const struct spot_order *b)
{
    if (b->filled == b->qty) return SPOT_BID_accepted;
    return b->filled > 0 ? SPOT_BID_partly : SPOT_BID_rejected;
}
static inline uint32_t spot_index(const struct core *c, const struct spot_auction *a)
{
    return (uint32_t)(a - c->spot.auctions);
}
static inline bool spot_is_live(const struct spot_auction *a)
{
    return a->state == SPOT_STATE_open || a->state == SPOT_STATE_closed;
}
/* Nobody needs its bids any more but for reading. */
static inline bool spot_is_spent(const struct spot_auction *a)
{
    return !spot_is_live(a) && a->awaited == 0;
}

#endif
