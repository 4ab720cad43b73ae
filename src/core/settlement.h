/* settlement.h: settlement prices and how they are made (CLEAR-03).
 *
 * Flow: novation.c counts trades into an instrument's window (settlement_trade); settlement_curve.c
 * makes a product's prices of a day from windows, books and spreads; settlement.c keeps windows and
 * records, and settlement_open is the only place that sets a price. schedule.c calls all this by
 * the clock, settle.c pays what follows from it.
 *
 * Invariants: (1) an instrument's price is that of its latest record; (2) a window holds the trades
 * from `open` to before `close` and no other; (3) every price computed follows from its record
 * alone (msg/settlement_event.h); (4) a price is made for a day once more only from the same
 * `previous`: the price in force before it was first computed for that day.
 *
 * Upstream: state, calendar. Downstream: core.c, novation, settle, schedule.
 */
#ifndef DOJIMA_CORE_SETTLEMENT_H
#define DOJIMA_CORE_SETTLEMENT_H

#include "core/state.h"

/* More lots are not counted in a window, so that weights stay within 64 bits. */
#define WINDOW_LOTS_MAX INT64_C(9000000000000)

struct window {
    int64_t open;  /* the window that the sums are of; ns, 0: none yet */
    int64_t close;
    int64_t qty;
    uint32_t trades;
    uint32_t reserved;
    int128_t value; /* sum of price (10^-6) x lots */
};

/* What a settlement's record says beside its sources. */
struct settlement_made {
    price_t price;
    enum settlement_tier tier;
    bool final;
    bool based;
    uint32_t cycle;
    uint32_t principal;
    int64_t day;
    price_t previous;
    price_t bid;
    price_t ask;
    price_t last;
    price_t unit;
    int128_t numerator;
    int128_t denominator;
    uint32_t trades;
};

/* ---- settlement.c ---- */
/* Counts a print of this instant; called where it is not before in->window_open. */
void settlement_trade(struct core *c, uint32_t instrument, price_t price, int64_t lots);
/* Takes a print of `ts` out again, when its window is still kept (MATCH-10). */
void settlement_untrade(struct core *c, uint32_t instrument, ts_t ts, price_t price, int64_t lots);
/* The trades of a cycle's window on a day; NULL: none. */
const struct window *settlement_window(const struct core *c, uint32_t instrument, int64_t day,
                                       uint32_t cycle);
struct settlement_cycle settlement_cycle_of(const struct core *c, uint32_t product,
                                            uint32_t cycle);
bool settlement_rules_are_valid(const struct settlement_rules *r);

/* A made-up record: prices none, tier none, of this day. */
struct settlement_made settlement_made_of(const struct core *c, uint32_t instrument, int64_t day);
/* The price in force before the day's was computed (an officer's of the same day is such a one);
 * PRICE_NONE: none. */
price_t settlement_previous(const struct core *c, uint32_t instrument, int64_t day);
/* numerator / denominator (> 0) to `unit`, ties towards previous, without one to even; held within
 * PRICE_MAX. */
int64_t settlement_round(int128_t numerator, int128_t denominator, int64_t unit,
                         price_t previous);

/* Sets the price and begins its record; sources follow, then settlement_close. */
struct event_settlement *settlement_open(struct core *c, uint32_t instrument,
                                         const struct settlement_made *made);
void settlement_source(struct core *c, struct event_settlement *e,
                       const struct event_settlement_source *source); /* header unused */
void settlement_close(struct core *c, const struct event_settlement *e);

void settlement_price(struct core *c, const struct command *cmd);
void settle_day(struct core *c, const struct command *cmd);
void query_settlements(const struct core *c, const struct query *q, struct outbox *out);
void settlement_check(const struct core *c);

/* ---- settlement_curve.c ---- */
struct curve;
size_t curve_bytes(const struct core_limits *limits); /* of its scratch */
void curve_open(struct curve *cv, const struct core_limits *limits); /* over such zeroed bytes */
/* Makes the prices of a product's outrights and spreads for the day. */
void curve_settle(struct core *c, uint32_t product, uint32_t cycle, int64_t day,
                  uint32_t principal);

#endif
