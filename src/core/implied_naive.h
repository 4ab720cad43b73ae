/* implied_naive.h: what a venue's books imply, plainly: every resting order is asked for, and each
 * implied price is worked out from all of them each time, straight from the formulas of MATCH-06.
 *
 * It sees only what the core's questions answer: no book, no level, no cached quote. Upstream:
 * core.h. Downstream: implied_test.c.
 */
#ifndef DOJIMA_CORE_IMPLIED_NAIVE_H
#define DOJIMA_CORE_IMPLIED_NAIVE_H

#include "core/core.h"

enum { NAIVE_ORDERS_MAX = 256, NAIVE_SPREADS_MAX = 8, NAIVE_INSTRUMENTS_MAX = 16 };

struct naive_order {
    uint32_t instrument;
    uint32_t side;
    int64_t price;
    int64_t shown;
};

struct naive_spread {
    uint32_t id;
    uint32_t legs[2];
    int64_t ratios[2]; /* both positive */
};

struct naive_book {
    bool open;
    int64_t tick;
    int64_t floor; /* INT64_MIN: none */
};

struct naive {
    struct naive_spread spreads[NAIVE_SPREADS_MAX]; /* in listing order */
    uint32_t spread_count;
    struct naive_book books[NAIVE_INSTRUMENTS_MAX]; /* by instrument */
    uint32_t instruments;
    struct naive_order orders[NAIVE_ORDERS_MAX];
    uint32_t order_count;
};

struct naive_quote {
    bool any;
    int64_t price;
    int64_t qty;
};

/* Reads all resting orders anew; `answer` is room for the answers. */
void naive_read(struct naive *n, const struct core *c, struct outbox *answer);
/* Lots displayed by orders at this price, and implied there by all spreads. */
int64_t naive_shown(const struct naive *n, uint32_t instrument, enum side side, int64_t price);
int64_t naive_implied(const struct naive *n, uint32_t instrument, enum side side, int64_t price);
/* How many different prices a side of the book has, orders' and implied ones. */
uint32_t naive_levels(const struct naive *n, uint32_t instrument, enum side side);
/* Whether a spread's order crosses what the orders of its legs imply: a ring of three. */
bool naive_crosses_three(const struct naive *n);
/* Whether two spreads imply prices of a common leg that cross: a ring of four, of ratios 1. */
bool naive_crosses_four(const struct naive *n);

#endif
