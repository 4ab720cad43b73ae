/* spot.h: the spot market of hours (INDEX-01): auctions, their sealed bids, the check of a solution
 * and what becomes of it; and the balancing auction of delivery (DELIV-05).
 *
 * A day-ahead auction opens by its product's clock or by an officer; its hours are listed then, so
 * that what a bid may cause is margined like a working order of each hour's instrument (CLEAR-08).
 * At the close it waits for a solution from outside, whose every claim is checked in whole numbers;
 * then account by account and hour by hour the net of what was accepted becomes a trade with the
 * clearing house at the uniform price. Without a solution at its deadline it fails, and is void.
 *
 * Invariants: (1) an auction's bids are linked in order of id; (2) what stands of bids counts as
 * working lots of its account in each hour's instrument, and in nothing else; (3) `due` is the
 * earliest instant at which something happens by the clock.
 *
 * Upstream: core.c, delivery. Downstream: offbook, margin, instrument.
 */
#ifndef DOJIMA_CORE_SPOT_H
#define DOJIMA_CORE_SPOT_H

#include "core/state.h"

void spot_open(struct core *c, const struct command *cmd);
void spot_bid(struct core *c, const struct command *cmd);
void spot_cancel(struct core *c, const struct command *cmd);
void spot_result(struct core *c, const struct command *cmd);

/* ---- balancing: a uniform-price auction of sealed offers, cleared by the clock (DELIV-05) ---- */

enum { BALANCING_HOURS_MAX = SPOT_HOURS_MAX };

/* What is to be bought in: tokens of a class, for up to 25 hours in a row. */
struct balancing {
    uint32_t vintage;
    uint32_t grade;
    char region[16];
    int64_t first_hour;   /* since 1970 */
    uint32_t hours;       /* 1 .. BALANCING_HOURS_MAX */
    uint32_t reserved;
    int64_t work[BALANCING_HOURS_MAX]; /* nano-CT wanted, by hour; 0: none */
    price_t price_max;    /* USD a CT; offers above it are not taken */
    ts_t closes;          /* later than now */
    uint64_t reference;   /* the caller's own; goes back with the awards */
};

/* One offer of an hour that was taken, wholly or in part. */
struct balancing_award {
    uint32_t account;     /* who delivers */
    uint32_t hour;        /* from first_hour */
    int64_t work;         /* nano-CT */
    price_t price;        /* the hour's uniform price, USD a CT */
};

#endif
