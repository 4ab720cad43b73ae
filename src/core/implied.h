/* implied.h: prices that the books of a spread and of its two legs imply for one another; MATCH-06.
 *
 * A spread S of the legs A and B is S = A - B. Each of the three books gets, on each side, at most
 * one implied price of this spread, made of the best levels of the other two:
 *
 *   in    S bid = A bid - B ask      S ask = A ask - B bid
 *   out   A bid = S bid + B bid      A ask = S ask + B ask
 *         B bid = A bid - S ask      B ask = A ask - S bid
 *
 * with the least of floor(displayed / ratio) of the two. That is the first generation, of real
 * orders alone, and what is published. A source of the second generation has a
 * first-generation price in the place of one leg's order: it is looked for only by an aggressor
 * that the first generation leaves unfilled.
 *
 * Invariants: (1) after every command the published quote of each spread, book and side is what the
 * books' best levels imply; (2) while S, A and B are open, no order of S crosses what A and B
 * imply, unless a sweep is due (venue_state.implied_sweep); (3) an implied trade fills all of its
 * legs, each at its own price or better, and leaves the clearing house flat; (4) the work of one
 * order is bounded by spreads_per_leg (first generation), its square (second) and the command's
 * fills; an instrument without spreads pays one branch.
 *
 * A command ends with implied_settle, for what the arrival of orders cannot see, and
 * implied_publish; both look only at spreads of books that the command touched.
 *
 * implied.c finds sources and publishes; implied_trade.c trades with them; implied_depth.c counts
 * what could trade, for fill-or-kill.
 *
 * Upstream: match, order, peg, session, query. Downstream: book, allocate, novation.
 */
#ifndef DOJIMA_CORE_IMPLIED_H
#define DOJIMA_CORE_IMPLIED_H

#include "core/state.h"

enum { IMPLIED_LEGS_MAX = 3, IMPLIED_GENERATIONS = 2 };

/* One book's level that stands behind an implied price. */
struct implied_leg {
    uint32_t instrument;
    uint32_t level;
    enum side side;   /* of the orders that rest there */
    price_t price;
    int64_t lots;     /* displayed; in a count of depth: not yet counted, hidden ones too */
    int64_t total;    /* hidden ones too: used where what is displayed is less than one unit */
    int64_t ratio;    /* lots of this leg for one unit of the source */
    price_t leg_b;    /* of a spread: its second leg's price in this source */
    bool barred;      /* in a count of depth: behind `lots` comes an own order that ends it */
};

/* An implied price for one side of a book. */
struct implied_source {
    px_t px;
    int64_t units;
    int64_t ratio;    /* lots of the book's instrument for one unit */
    price_t leg_b;    /* of a spread: its second leg's price */
    uint32_t count;
    struct implied_leg legs[IMPLIED_LEGS_MAX]; /* in the order in which they print: A, B, S */
};

/* Counts depth without touching a book: what of each book's best levels is used up. */
struct implied_depth;

/* ---- implied.c ---- */
void implied_list(struct core *c, uint32_t spread); /* a spread was listed; its ratios are set */
/* The best source for `side` of the instrument's book from `generation` (1, 2) that gives at least
 * one unit of at most `lots`; the spread listed first among equals. depth NULL: the books. */
bool implied_find(const struct core *c, struct implied_depth *depth, uint32_t instrument,
                  enum side side, int generation, int64_t lots, struct implied_source *source);
/* Direct and published implied: the best opposite price that an order meets; PX_NONE: none. */
px_t implied_opposite(const struct core *c, uint32_t instrument, enum side side);
/* Both of all kinds: where a post-only or pegged order of this side would trade. */
px_t implied_touch_px(const struct core *c, uint32_t instrument, enum side side);
/* What is published at a price, and the best published price that is worse than `than` (PX_NONE:
 * of all). */
int64_t implied_at(const struct core *c, uint32_t instrument, enum side side, px_t px);
px_t implied_next(const struct core *c, uint32_t instrument, enum side side, px_t than);
void implied_mark(struct core *c, uint32_t instrument); /* its book changed: publish later */
void implied_state_changed(struct core *c, uint32_t product, bool opened);
bool implied_settle(struct core *c); /* before publishing; true: something traded */
void implied_publish(struct core *c);
void implied_expire(struct core *c); /* the clock passed the last instant of some leg */
void implied_check(const struct core *c);

/* ---- implied_trade.c ---- */
/* One trade of aggressor `a` with the source; false when the aggressor is finished, or the fills of
 * the command are. */
bool implied_trade(struct core *c, uint32_t a, const struct implied_source *source);
/* The source that `a` meets next when the best direct price is `direct` (PX_NONE: none). */
bool implied_meets(const struct core *c, uint32_t a, px_t direct, struct implied_source *source);
/* Orders of this spread that cross what its legs imply, in the first generation. */
void implied_sweep_spread(struct core *c, uint32_t spread);
/* GUARD-02, GUARD-03: a trade with the source would print beyond a guard, of the instrument or of a
 * leg; what that interrupts is interrupted. */
bool implied_is_stopped(struct core *c, uint32_t instrument, const struct implied_source *source);
void implied_sweep(struct core *c); /* spread orders that cross their legs trade with them */

/* ---- implied_depth.c ---- */
size_t implied_depth_bytes(uint32_t instruments); /* of the scratch, zeroed at first */
int64_t implied_available(const struct core *c, const struct entry *e);
bool implied_depth_best(const struct core *c, struct implied_depth *d, uint32_t instrument,
                        enum side side, struct implied_leg *leg);

#endif
