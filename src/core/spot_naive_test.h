/* spot_naive_test.h: a day-ahead auction cleared the long way, for tests: the bids as a query tells
 * them, a choice of blocks, and every price on the tick tried in every hour.
 */
#ifndef DOJIMA_CORE_SPOT_NAIVE_TEST_H
#define DOJIMA_CORE_SPOT_NAIVE_TEST_H

#include "core/core.h"

#include <string.h>

enum { NAIVE_BIDS_MAX = 64 };

struct naive_book {
    struct event_spot_auction auction;
    struct event_spot_bid bids[NAIVE_BIDS_MAX];
    uint32_t count;
    uint32_t blocks;
    int64_t tick;
};

/* The auction that awaits a solution; 0: none. */
static inline uint64_t naive_waiting(const struct core *c, struct outbox *out)
{
    core_query(c, &(struct query){.kind = QUERY_spot_waiting}, out);
    const struct event_header *h = outbox_next(out, NULL);
    return h == NULL ? 0 : ((const struct event_spot_auction *)(const void *)h)->id;
}

/* False: too many bids for it. */
static inline bool naive_read(const struct core *c, uint64_t auction, int64_t tick,
                              struct outbox *out, struct naive_book *book)
{
    *book = (struct naive_book){.tick = tick};
    core_query(c, &(struct query){.kind = QUERY_spot, .order_id = auction}, out);
    const struct event_header *h = outbox_next(out, NULL);
    if (h == NULL) return false;
    memcpy(&book->auction, h, sizeof book->auction);
    core_query(c, &(struct query){.kind = QUERY_spot_bids, .order_id = auction}, out);
    for (h = outbox_next(out, NULL); h != NULL; h = outbox_next(out, h)) {
        if (book->count == NAIVE_BIDS_MAX) return false;
        memcpy(&book->bids[book->count], h, sizeof book->bids[0]);
        book->blocks += book->bids[book->count++].kind == SPOT_BID_block;
    }
    return true;
}

/* The hour's surplus at this price with these blocks; false: it does not balance. */
static inline bool naive_hour(const struct naive_book *book, uint64_t blocks, uint32_t hour,
                              int64_t price, int128_t *surplus)
{
    int128_t over = 0, buys = 0, sells = 0, sum = 0;
    uint32_t block = 0;
    for (uint32_t i = 0; i < book->count; i++) {
        const struct event_spot_bid *b = &book->bids[i];
        int64_t lots = b->qty[hour].v, sign = b->side == SIDE_sell ? 1 : -1;
        bool taken = b->kind == SPOT_BID_block ? (blocks >> block & 1) != 0
                                               : (price - b->price.v) * sign > 0;
        if (b->kind == SPOT_BID_block) block += 1;
        if (taken) over += sign * lots;
        if (taken) sum -= (int128_t)b->price.v * sign * lots;
        if (b->kind == SPOT_BID_block || b->price.v != price) continue;
        if (sign > 0) sells += lots;
        else buys += lots;
    }
    *surplus = sum + over * price; /* what is over goes to bids at the price */
    return over >= 0 ? buys >= over : sells >= -over;
}

/* A solution with just these blocks and the lowest prices that clear; false: there is none. */
static inline bool naive_result(const struct naive_book *book, uint64_t blocks,
                                struct command_spot_result *r)
{
    int128_t surplus = 0;
    *r = (struct command_spot_result){.auction = book->auction.id,
                                      .version = book->auction.version};
    for (uint32_t b = 0; b < book->blocks; b++) {
        if (blocks >> b & 1) r->accepted[b / 8] |= (uint8_t)(1u << (b % 8));
    }
    for (uint32_t h = 0; h < book->auction.hours; h++) {
        int64_t price = book->auction.price_min.v;
        int128_t gain = 0;
        while (price <= book->auction.price_max.v && !naive_hour(book, blocks, h, price, &gain))
            price += book->tick;
        if (price > book->auction.price_max.v) return false;
        r->prices[h] = r->dual[h] = PRICE(price);
        surplus += gain;
    }
    r->surplus = r->bound = (struct spot_surplus){(int64_t)(surplus >> 64), (uint64_t)surplus};
    return true;
}

#endif
