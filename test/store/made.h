/* made.h: a made-up stream of events, consistent as a venue's: orders that rest, fill and are
 * cancelled, trades against the clearing house, fees, deposits, settlement and variation, over
 * several days. Balances are kept here too, so that tests can compare.
 */
#ifndef DOJIMA_TEST_STORE_MADE_H
#define DOJIMA_TEST_STORE_MADE_H

#include "base/random.h"
#include "msg/event.h"

enum {
    MADE_ACCOUNTS = 8,    /* 1 is the clearing house, 2 the bank, 3 the fees; traders follow */
    MADE_TRADER = 4,      /* the first trader */
    MADE_INSTRUMENTS = 3, /* 1 .. 3 */
    MADE_OPEN_MAX = 512,
    MADE_SPOT_BIDS = 12,
    MADE_STEP_BYTES = 16384, /* more than any step writes */
};

struct made_order {
    struct event_order state;
};

struct made {
    struct random random;
    struct outbox out;
    uint64_t seq;
    ts_t ts;
    uint64_t order_serial;
    uint64_t trade_id;
    uint64_t instrument_seq[MADE_INSTRUMENTS + 1];
    uint64_t posting_id;
    uint64_t chain_id;
    uint64_t settlement_id;
    int64_t cash[MADE_ACCOUNTS + 1];
    int64_t position[MADE_ACCOUNTS + 1][MADE_INSTRUMENTS + 1];
    struct made_order open[MADE_OPEN_MAX];
    uint32_t open_count;
    int64_t ns_per_step;
    struct event_spot_auction spot; /* the latest, and its bids */
    struct event_spot_bid spot_bids[MADE_SPOT_BIDS];
    uint32_t spot_bid_count;
    uint64_t spot_bid_id;
    uint32_t spot_phase;
};

/* `ns_per_step`: how far the clock moves with each command. */
void made_start(struct made *m, uint64_t seed, int64_t ns_per_step);

/* The next command's events into `bytes` (MADE_STEP_BYTES are enough): how many bytes. The first
 * step is the directory. */
size_t made_step(struct made *m, unsigned char *bytes);

#endif
