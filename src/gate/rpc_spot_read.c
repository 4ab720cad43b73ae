/* rpc_spot_read.c: what may be known of the spot market (INDEX-01): auctions, their results with
 * the bounds that prove them, curves once they are over; an account's own bids; all of them for
 * whoever solves. Nobody else sees a bid before the result. */
#include "gate/rpc_spot.h"

#include "wire/event_json_spot.h"

#include <stdlib.h>

enum { BIDS_DEFAULT = 100, BIDS_MAX = 1000, AUCTIONS_DEFAULT = 10, AUCTIONS_MAX = 64 };

/* ---- one auction ---- */

/* A sum of price (10^-6) x lots as money: a lot is contract_size for 1.0 of price; of delivery's,
 * 10^-9 CT. */
static void money_write(struct json_writer *w, const char *key, int64_t size, int64_t unit,
                        int128_t sum)
{
    int128_t product, money = sum / unit * size;
    if (int128_mul(sum, size, &product)) money = int128_div_half_even(product, unit);
    json_key_fixed(w, key, money, 6);
}

static void sums_write(struct json_writer *w, const struct directory *d,
                       const struct event_spot_auction *a)
{
    const struct event_product *p = directory_product(d, a->product);
    int64_t size = p == NULL ? 1 : p->terms.contract_size;
    int64_t unit = a->kind != SPOT_day_ahead ? 1000 * (int64_t)E6 : E6;
    int128_t surplus = int128_join(a->surplus.high, a->surplus.low);
    int128_t bound = int128_join(a->bound.high, a->bound.low);
    int128_t claimed = int128_join(a->claimed.high, a->claimed.low);
    int128_t least = claimed < bound ? claimed : bound;
    money_write(w, "surplus", size, unit, surplus);
    money_write(w, "bound", size, unit, bound);
    money_write(w, "claimed_bound", size, unit, claimed);
    json_key(w, "gap"); /* 10^-9, rounded up */
    json_fixed(w, least <= surplus ? 0 : int128_div_ceil((least - surplus) * 1000000000,
                                                         least < 0 ? -least : least), 9);
}

static void auction_members(struct json_writer *w, const struct directory *d,
                            const struct event_spot_auction *a)
{
    if (a->product != 0)
        json_key_string(w, "product", directory_name(d, DIRECTORY_product, a->product));
    spot_auction_write(w, a);
    if (a->state == SPOT_STATE_done) sums_write(w, d, a);
}

void rpc_write_spot_auction(struct json_writer *w, const struct directory *d,
                            const struct event_spot_auction *a)
{
    json_open_object(w);
    auction_members(w, d, a);
    json_close_object(w);
}

static void hour_write(struct json_writer *w, const struct directory *d,
                       const struct event_spot_auction *a, const struct event_spot_hour *h)
{
    int scale = spot_scale(a->kind);
    json_open_object(w);
    json_key_int(w, "hour", h->hour);
    json_key_ms(w, "start", h->start);
    if (h->instrument != 0)
        json_key_string(w, "instrument_name",
                        directory_name(d, DIRECTORY_instrument, h->instrument));
    if (a->kind != SPOT_day_ahead)
        json_key_fixed(w, a->kind == SPOT_balancing ? "wanted" : "offered", h->wanted.v, scale);
    if (a->state == SPOT_STATE_done) {
        json_key_price(w, "price", h->price);
        json_key_price(w, "price_low", h->price_low);
        json_key_price(w, "price_high", h->price_high);
        json_key_fixed(w, "amount", h->qty.v, scale);
    }
    json_close_object(w);
}

/* The next event of the same command; NULL: none. */
static const struct event_header *next_of(const struct event_header *h, const unsigned char *end)
{
    const unsigned char *next = (const unsigned char *)h + h->size;
    const struct event_header *e = (const struct event_header *)(const void *)next;
    return next < end && e->seq == h->seq ? e : NULL;
}

void rpc_write_spot_detail(struct json_writer *w, const struct directory *d,
                           const struct event_spot_auction *a, const struct event_header *from,
                           const unsigned char *end)
{
    auction_members(w, d, a);
    json_key(w, "hours");
    json_open_array(w);
    for (const struct event_header *h = from; h != NULL; h = next_of(h, end)) {
        const struct event_spot_hour *hour = (const struct event_spot_hour *)(const void *)h;
        if (h->kind == EVENT_spot_hour && hour->auction == a->id) hour_write(w, d, a, hour);
    }
    json_close_array(w);
    if (a->state != SPOT_STATE_done) return;
    json_key(w, "paradoxically_rejected");
    json_open_array(w);
    for (const struct event_header *h = from; h != NULL; h = next_of(h, end)) {
        const struct event_spot_bid *b = (const struct event_spot_bid *)(const void *)h;
        if (h->kind == EVENT_spot_bid && b->auction == a->id && b->state == SPOT_BID_paradoxical)
            json_int(w, (int64_t)b->id);
    }
    json_close_array(w);
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
    const struct event_spot_auction *told = event_find(events, EVENT_spot_auction);
    json_open_object(c->out);
    if (told != NULL)
        rpc_write_spot_detail(c->out, c->names, told, &told->header,
                              events->bytes + events->used);
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
            rpc_write_spot_auction(c->out, c->names, (const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- bids ---- */

static void bid_members(struct json_writer *w, const struct event_spot_auction *a,
                        const struct event_spot_bid *b)
{
    int scale = spot_scale(a->kind);
    json_key_bool(w, "block", b->kind == SPOT_BID_block);
    json_key_string(w, "side", rpc_side_names[b->side & 1]);
    json_key_string(w, "state", spot_bid_state_words[b->state % SPOT_BID_state_count]);
    json_key_price(w, "price", b->price);
    json_key_fixed(w, "filled_amount", b->filled.v, scale);
    if (b->kind == SPOT_BID_step) {
        json_key_int(w, "hour", b->hour);
        json_key_fixed(w, "amount", b->qty[b->hour % SPOT_HOURS_MAX].v, scale);
        return;
    }
    if (b->parent != 0) json_key_int(w, "parent", (int64_t)b->parent);
    json_key(w, "amounts");
    json_open_array(w);
    for (uint32_t h = 0; h < a->hours && h < SPOT_HOURS_MAX; h++)
        json_fixed(w, b->qty[h].v, scale);
    json_close_array(w);
}

void rpc_write_spot_bid(struct json_writer *w, const struct directory *d,
                        const struct event_spot_auction *a, const struct event_spot_bid *b,
                        bool own)
{
    json_open_object(w);
    json_key_int(w, "bid", (int64_t)b->id);
    if (!own) json_key_string(w, "account", directory_name(d, DIRECTORY_account, b->account));
    bid_members(w, a, b);
    json_close_object(w);
}

void rpc_write_spot_own(struct json_writer *w, const struct directory *d,
                        const struct event_spot_auction *a, const struct event_spot_bid *b)
{
    json_open_object(w);
    json_key_int(w, "bid", (int64_t)b->id);
    json_key_int(w, "auction", (int64_t)b->auction);
    if (a->product != 0)
        json_key_string(w, "product", directory_name(d, DIRECTORY_product, a->product));
    json_key_ms(w, "created_at", b->created);
    json_key_ms(w, "timestamp", b->header.ts);
    bid_members(w, a, b);
    json_close_object(w);
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
            rpc_write_spot_bid(c->out, c->names, &a, (const void *)h, account != 0);
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
