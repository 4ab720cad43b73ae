/* demo.h: simulated participants on seeded contracts, for `serve --demo`.
 *
 * Market makers quote around a fair value that reverts to a seasonal curve, funds leave limit
 * orders away from it, takers come as a Poisson stream, and now and then a product is put up for
 * auction. All of them act through the same way in as clients do. The node calls demo_tick on a
 * timer; how many commands come is bounded by the rate, whatever the timer does.
 *
 * Invariants: (1) the same seed, times and answers give the same commands; (2) at most rate_max
 * commands a second on average, DEMO_BURST_MS worth of them in one call; (3) nobody's orders but
 * those of its own accounts are touched; (4) integers only.
 *
 * Upstream: node. Downstream: the venue's submit and query (gate/venue.h).
 */
#ifndef DOJIMA_NODE_DEMO_H
#define DOJIMA_NODE_DEMO_H

#include "base/random.h"
#include "gate/venue.h"

#include <stdbool.h>

enum {
    DEMO_MAKERS = 10,
    DEMO_FUNDS = 10,
    DEMO_TAKERS = 4,
    DEMO_PARTICIPANTS = DEMO_MAKERS + DEMO_FUNDS + DEMO_TAKERS,
    DEMO_INSTRUMENTS_MAX = 1024,
    DEMO_PRODUCTS_MAX = 64,
    DEMO_ORDERS_MAX = 128,    /* of one fund */
    DEMO_RATE_DEFAULT = 120,  /* commands a second */
    DEMO_RATE_MAX = 1000,
    DEMO_BURST_MS = 250,
};

#define DEMO_GUEST "guest" /* the account that a visitor of the page may trade for */

struct demo_product {
    uint32_t id; /* 0: the place is empty */
    uint32_t state;
    uint32_t flags;
    uint8_t contract_unit;
    uint8_t settlement;
    uint8_t reserved[2];
    int64_t contract_size;
    price_t floor;
};

struct demo_instrument {
    uint32_t id;
    uint32_t product;
    uint32_t legs[SPREAD_LEGS_MAX]; /* of a spread, else 0 */
    uint32_t weight; /* how often it is acted on; 0: not now */
    uint32_t lots;   /* a usual size's unit */
    price_t tick;
    int64_t mean;    /* of the fair value, 10^-6 USD */
    int64_t own;     /* its own deviation, 10^-9 of the mean */
    bool settled;    /* it has a settlement price */
};

struct demo_fund {
    uint32_t count;
    uint32_t reserved;
    uint64_t orders[DEMO_ORDERS_MAX];
};

struct demo_index { /* that the makers submit to (INDEX-02) */
    uint32_t id; /* 0: there is none of theirs */
    int64_t hour; /* the last one submitted, counted from 1970 */
};

struct demo_counts {
    uint64_t commands;
    uint64_t rejects;
    uint64_t trades; /* caused by its own commands */
};

struct demo {
    const struct venue *venue;
    struct random random;
    uint32_t rate;
    uint32_t guest; /* account */
    uint32_t accounts[DEMO_PARTICIPANTS];
    struct demo_fund funds[DEMO_FUNDS];
    struct demo_product products[DEMO_PRODUCTS_MAX]; /* [id] */
    struct demo_instrument instruments[DEMO_INSTRUMENTS_MAX];
    uint32_t instrument_count;
    uint32_t weight_sum;
    int64_t market;  /* deviation of all fair values, 10^-9 */
    int64_t trend;   /* its latest changes, smoothed */
    ts_t last;       /* tick */
    ts_t stepped;    /* fair values */
    ts_t refreshed;  /* directory */
    ts_t open_at;    /* when what is in pre_open opens */
    struct demo_index index;
    ts_t settle_at;
    uint32_t settle_next; /* instrument in a settlement that is under way; 0: none */
    uint32_t auction_product; /* 0: none */
    ts_t auction_at; /* the next one's start, or the end of the present one */
    struct demo_counts counts;
};

/* Seeds what is missing (contracts, accounts, deposits by two officers), opens trading. The venue
 * outlives the demo. rate: commands a second, 0 for the default. 0, or negative when the venue
 * takes no commands. */
int demo_start(struct demo *d, const struct venue *venue, uint64_t seed, uint32_t rate);

/* Acts for the time since the last call. Negative when the venue takes no commands now: to be
 * called again later. */
int demo_tick(struct demo *d, ts_t now);

/* Withdraws the participants' orders. */
void demo_stop(struct demo *d);

#endif
