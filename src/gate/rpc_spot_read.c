/* rpc_spot_read.c: what may be known of the spot market (INDEX-01): auctions, their results with
 * the bounds that prove them, curves once they are over; an account's own bids; all of them for
 * whoever solves. Nobody else sees a bid before the result. */
#include "gate/rpc_spot.h"

#include "wire/event_json_spot.h"

#include <stdlib.h>

enum { BIDS_DEFAULT = 100, BIDS_MAX = 1000, AUCTIONS_DEFAULT = 10, AUCTIONS_MAX = 64 };

/* ---- one auction ---- */

/* A sum of price (10^-6) x lots as money: a lot is contract_size for 1.0 of price; of balancing,
 * 10^-9 CT. */
static void money_write(struct rpc_call *c, const char *key, const struct event_spot_auction *a,
                        int128_t sum)
{
    const struct event_product *p = directory_product(c->names, a->product);
    int64_t size = p == NULL ? 1 : p->terms.contract_size;
    int64_t unit = a->kind == SPOT_balancing ? 1000 * (int64_t)E6 : E6;
    int128_t product, money = sum / unit * size;
    if (int128_mul(sum, size, &product)) money = int128_div_half_even(product, unit);
    json_key_fixed(c->out, key, money, 6);
}

static void sums_write(struct rpc_call *c, const struct event_spot_auction *a)
{
    int128_t surplus = int128_join(a->surplus.high, a->surplus.low);
    int128_t bound = int128_join(a->bound.high, a->bound.low);
    int128_t claimed = int128_join(a->claimed.high, a->claimed.low);
    int128_t least = claimed < bound ? claimed : bound;
    money_write(c, "surplus", a, surplus);
    money_write(c, "bound", a, bound);
    money_write(c, "claimed_bound", a, claimed);
    json_key(c->out, "gap"); /* 10^-9, rounded up */
    json_fixed(c->out, least <= surplus ? 0 : int128_div_ceil((least - surplus) * 1000000000,
                                                              least < 0 ? -least : least), 9);
}

static void auction_members(struct rpc_call *c, const struct event_spot_auction *a)
{
    if (a->product != 0)
        json_key_string(c->out, "product",
                        directory_name(c->names, DIRECTORY_product, a->product));
    spot_auction_write(c->out, a);
    if (a->state == SPOT_STATE_done) sums_write(c, a);
}

void rpc_write_spot_auction(struct rpc_call *c, const struct event_spot_auction *a)
{
    json_open_object(c->out);
    auction_members(c, a);
    json_close_object(c->out);
}

static void hour_write(struct rpc_call *c, const struct event_spot_auction *a,
                       const struct event_spot_hour *h)
{
    int scale = spot_scale(a->kind);
    json_open_object(c->out);
    json_key_int(c->out, "hour", h->hour);
    json_key_ms(c->out, "start", h->start);
    if (h->instrument != 0)
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, h->instrument));
    if (a->kind == SPOT_balancing) json_key_fixed(c->out, "wanted", h->wanted.v, scale);
    if (a->state == SPOT_STATE_done) {
        json_key_price(c->out, "price", h->price);
        json_key_price(c->out, "price_low", h->price_low);
        json_key_price(c->out, "price_high", h->price_high);
        json_key_fixed(c->out, "amount", h->qty.v, scale);
    }
    json_close_object(c->out);
}

static void paradoxes_write(struct rpc_call *c, const struct outbox *events)
{
    json_key(c->out, "paradoxically_rejected");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_spot_bid)
            json_int(c->out, (int64_t)((const struct event_spot_bid *)(const void *)h)->id);
    }
    json_close_array(c->out);
}

struct curve_step {
    int64_t price;
    int64_t amount;
};

static int step_order(const void *x, const void *y)
{
    const struct curve_step *a = x, *b = y;
    return (a->price > b->price) - (a->price < b->price);
}

/* An hour's steps of one side, at most `most`; returns how many. */
static size_t steps_gather(const struct outbox *events, uint32_t hour, uint32_t side,
                           struct curve_step *steps, size_t most)
{
    size_t count = 0;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL && count < most;
         h = outbox_next(events, h)) {
        const struct event_spot_bid *b = (const struct event_spot_bid *)(const void *)h;
        if (h->kind != EVENT_spot_bid || b->kind != SPOT_BID_step) continue;
        if (b->hour == hour && b->side == side)
            steps[count++] = (struct curve_step){b->price.v, b->qty[hour].v};
    }
    return count;
}

/* As [price, amount], cheapest first, equal prices together. */
static void curve_write(struct rpc_call *c, const struct outbox *events, uint32_t hour,
                        uint32_t side, struct curve_step *steps, size_t most)
{
    size_t count = steps_gather(events, hour, side, steps, most);
    qsort(steps, count, sizeof *steps, step_order);
    json_key(c->out, side == SIDE_buy ? "buys" : "sells");
    json_open_array(c->out);
    for (size_t i = 0; i < count; i++) {
        int64_t amount = steps[i].amount;
        while (i + 1 < count && steps[i + 1].price == steps[i].price) amount += steps[++i].amount;
        json_open_array(c->out);
        json_fixed(c->out, steps[i].price, 6);
        json_int(c->out, amount);
        json_close_array(c->out);
    }
    json_close_array(c->out);
}

static int curves_write(struct rpc_call *c, const struct event_spot_auction *a)
{
    int64_t hour = param_int(c, c->params, "curve_hour", -1);
    if (hour < 0) return REJECT_none;
    if (hour >= a->hours) return malformed(c, "curve_hour");
    if (a->state != SPOT_STATE_done || a->kind != SPOT_day_ahead)
        return REJECT_invalid_state; /* bids are sealed */
    struct curve_step *steps = malloc(((size_t)a->steps + 1) * sizeof *steps);
    if (steps == NULL) return REJECT_capacity_exhausted;
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_spot_bids, .order_id = a->id});
    json_key(c->out, "curve");
    json_open_object(c->out);
    json_key_int(c->out, "hour", hour);
    curve_write(c, events, (uint32_t)hour, SIDE_buy, steps, a->steps);
    curve_write(c, events, (uint32_t)hour, SIDE_sell, steps, a->steps);
    json_close_object(c->out);
    free(steps);
    return REJECT_none;
}

int rpc_get_spot_auction(struct rpc_call *c)
{
    struct event_spot_auction a;
    int reason = spot_auction_ask(c, &a);
    if (reason != REJECT_none) return reason;
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_spot, .order_id = a.id});
    json_open_object(c->out);
    auction_members(c, &a);
    json_key(c->out, "hours");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_spot_hour)
            hour_write(c, &a, (const struct event_spot_hour *)(const void *)h);
    }
    json_close_array(c->out);
    if (a.state == SPOT_STATE_done) paradoxes_write(c, events);
    reason = curves_write(c, &a);
    json_close_object(c->out);
    return reason;
}

int rpc_get_spot_auctions(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_spot};
    int64_t count = param_int(c, c->params, "count", AUCTIONS_DEFAULT);
    int reason = product_of(c, "product", &q.product);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > AUCTIONS_MAX) return malformed(c, "count");
    q.count = (uint32_t)count;
    const struct outbox *events = query_ask(c, &q);
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_spot_auction)
            rpc_write_spot_auction(c, (const struct event_spot_auction *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- bids ---- */

void rpc_write_spot_bid(struct rpc_call *c, const struct event_spot_auction *a,
                        const struct event_spot_bid *b, bool own)
{
    int scale = spot_scale(a->kind);
    json_open_object(c->out);
    json_key_int(c->out, "bid", (int64_t)b->id);
    if (!own)
        json_key_string(c->out, "account",
                        directory_name(c->names, DIRECTORY_account, b->account));
    json_key_bool(c->out, "block", b->kind == SPOT_BID_block);
    json_key_string(c->out, "side", rpc_side_names[b->side & 1]);
    json_key_string(c->out, "state", spot_bid_state_words[b->state % SPOT_BID_state_count]);
    json_key_price(c->out, "price", b->price);
    json_key_fixed(c->out, "filled_amount", b->filled.v, scale);
    if (b->kind == SPOT_BID_step) {
        json_key_int(c->out, "hour", b->hour);
        json_key_fixed(c->out, "amount", b->qty[b->hour % SPOT_HOURS_MAX].v, scale);
    } else {
        if (b->parent != 0) json_key_int(c->out, "parent", (int64_t)b->parent);
        json_key(c->out, "amounts");
        json_open_array(c->out);
        for (uint32_t h = 0; h < a->hours && h < SPOT_HOURS_MAX; h++)
            json_fixed(c->out, b->qty[h].v, scale);
        json_close_array(c->out);
    }
    json_close_object(c->out);
}

static int bids_write(struct rpc_call *c, uint32_t account)
{
    struct event_spot_auction a;
    int64_t count = param_int(c, c->params, "count", BIDS_DEFAULT);
    int64_t from = param_int(c, c->params, "from_id", 0);
    int reason = spot_auction_ask(c, &a);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > BIDS_MAX) return malformed(c, "count");
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_spot_bids, .order_id = a.id,
                                     .account = account, .count = (uint32_t)count,
                                     .from_id = (uint64_t)from});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_spot_bid)
            rpc_write_spot_bid(c, &a, (const struct event_spot_bid *)(const void *)h,
                               account != 0);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_get_spot_bids(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_own(c, &account);
    return reason == REJECT_none ? bids_write(c, account) : reason;
}

int rpc_clearing_spot_bids(struct rpc_call *c) { return bids_write(c, 0); }
