/* rpc_spot_history.c: auctions and own bids of the spot market as far back as the venue goes
 * (INDEX-01), from the history. A page says where the next begins: `continuation`. */
#include "gate/rpc_spot.h"

enum { AUCTIONS_DEFAULT = 10, AUCTIONS_MAX = 20, BIDS_DEFAULT = 100, BIDS_MAX = 1000 };

/* One more is asked for than is told: whether there is one. */
static int page_ask(struct rpc_call *c, struct query *q, int64_t standard, int64_t most,
                    const struct outbox **events)
{
    int64_t count = param_int(c, c->params, "count", standard);
    int64_t from = param_int(c, c->params, "continuation", 0);
    int64_t auction = param_int(c, c->params, "auction", 0);
    if (count < 1 || count > most) return malformed(c, "count");
    if (from < 0) return malformed(c, "continuation");
    if (auction < 0) return malformed(c, "auction");
    q->count = (uint32_t)count + 1;
    q->from_id = (uint64_t)from;
    q->order_id = (uint64_t)auction;
    return past_ask(c, q, events);
}

static void continuation_write(struct json_writer *w, bool more, uint64_t last)
{
    json_close_array(w);
    if (more) json_key_int(w, "continuation", (int64_t)last);
    else json_key_null(w, "continuation");
    json_close_object(w);
}

int rpc_spot_auction_history(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_spot};
    const struct outbox *events;
    uint64_t last = 0;
    uint32_t n = 0;
    int reason = product_of(c, "product", &q.product);
    if (reason == REJECT_none) reason = page_ask(c, &q, AUCTIONS_DEFAULT, AUCTIONS_MAX, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    json_key(c->out, "auctions");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_spot_auction *a = (const struct event_spot_auction *)(const void *)h;
        if (h->kind != EVENT_spot_auction || ++n == q.count) continue;
        json_open_object(c->out);
        rpc_write_spot_detail(c->out, c->names, a, h, events->bytes + events->used);
        json_close_object(c->out);
        last = a->id;
    }
    continuation_write(c->out, n == q.count, last);
    return REJECT_none;
}

int rpc_spot_bid_history(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_spot_bids};
    const struct outbox *events;
    struct event_spot_auction auction = {0};
    uint64_t last = 0;
    uint32_t n = 0;
    int reason = account_own(c, &q.account);
    if (reason == REJECT_none) reason = page_ask(c, &q, BIDS_DEFAULT, BIDS_MAX, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    json_key(c->out, "bids");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_spot_bid *b = (const struct event_spot_bid *)(const void *)h;
        if (h->kind == EVENT_spot_auction)
            auction = *(const struct event_spot_auction *)(const void *)h;
        if (h->kind != EVENT_spot_bid || ++n == q.count) continue;
        rpc_write_spot_own(c->out, c->names, &auction, b);
        last = b->id;
    }
    continuation_write(c->out, n == q.count, last);
    return REJECT_none;
}
