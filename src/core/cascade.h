/* cascade.h: long contracts become shorter ones of the same hours (CONTRACT-01).
 *
 * When trading in such a contract has ended and its final settlement price stands, every position
 * is marked to that price, and then stands, lot for lot, in each of the shorter contracts, opened
 * at the same price: a lot is so much an hour, so each account's hours are what they were, and no
 * money moves. Shorter ones that are not listed yet are listed. One whose own last trading instant
 * has passed takes no orders, and goes on at once; of one that has become shorter ones already,
 * those take its place: a year in its last days becomes the days of January. One that has been
 * settled for good takes nothing more: its hours end at the long contract's price.
 *
 * It happens whole or not at all: without room for the contracts or the positions the long contract
 * keeps them, waits, and says so (settlement_wait); an officer's expire tries again.
 *
 * Invariants: (1) the blocks of the shorter contracts are those of the long one, each hour once;
 * (2) per instrument, what is posted adds up to nothing; (3) a contract has come from one longer
 * one of a kind at most: a day from its week, month, quarter and year.
 *
 * Upstream: calendar, instrument, ledger, novation. Downstream: settle.
 */
#ifndef DOJIMA_CORE_CASCADE_H
#define DOJIMA_CORE_CASCADE_H

#include "core/calendar.h"
#include "core/state.h"

enum { CASCADE_CHILDREN_MAX = 366 };
struct cascade {
    uint32_t instrument;
    uint32_t children[CASCADE_CHILDREN_MAX];
    struct period parts[CASCADE_CHILDREN_MAX]; /* of the same, in order */
    uint32_t count;
    uint32_t listed;
    uint32_t hours;
    price_t price;
};

/* Whether this outright becomes shorter ones. */
bool cascade_applies(const struct core *c, uint32_t instrument);

/* Finds or lists the shorter contracts and makes room for every position: REJECT_none,
 * capacity_exhausted or amount_overflow, what was listed stays listed; instrument_expired: all of
 * them have been settled, and nothing was done. */
enum reject cascade_prepare(struct core *c, uint32_t instrument, price_t price, struct cascade *k);
/* After cascade_prepare, with every position marked at the price: the positions move. */
void cascade_move(struct core *c, const struct cascade *k);

/* Whether `instrument`, not yet expired itself, has come from `parent`, by one cascade or
 * several. */
bool cascade_came_from(const struct core *c, uint32_t instrument, uint32_t parent);

#endif
