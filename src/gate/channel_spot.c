/* channel_spot.c: what is said of the spot market (INDEX-01, DELIV-05): auctions to all, bids to
 * the account whose they are, before the close as after it. See channel.h.
 */
#include "gate/channel_internal.h"
#include "gate/rpc_spot.h"

enum { SAY_AT = 1 << 18 }; /* an account's bids of one command may be thousands */

static bool hears(const struct channel *ch, const struct event_spot_auction *a)
{
    if (ch->auctions != SPOT_day_ahead) return a->kind == ch->auctions;
    return ch->product == ANY || ch->product == a->product;
}

static void auction_write(struct channels *c, const struct channel *ch,
                          const struct event_spot_auction *a, const unsigned char *end)
{
    struct json_writer *w = channel_message(c, ch, a->header.seq);
    json_open_object(w);
    rpc_write_spot_detail(w, c->directory, a, &a->header, end);
    json_key_ms(w, "timestamp", a->header.ts);
    json_close_object(w);
}

void channel_spot_auction(struct channels *c, const struct event_spot_auction *e,
                          const unsigned char *end)
{
    for (struct channel *ch = c->wild.first; ch != NULL; ch = ch->next_key) {
        if (ch->kind != CHANNEL_spot || !hears(ch, e)) continue;
        channel_forget_held(c, ch); /* what was the latest before */
        auction_write(c, ch, e, end);
        channel_send(c, ch);
    }
}

/* A subscription to a product's auctions begins with the latest as it is. */
void channel_say_spot(struct channels *c, struct channel *ch, uint64_t durable)
{
    struct query q = {.kind = QUERY_spot, .product = ch->product, .count = 1,
                      .now = c->venue->now(c->venue->context)};
    const struct outbox *events = NULL;
    c->venue->query(c->venue->context, &q, &events);
    const struct event_header *h = outbox_next(events, NULL);
    while (h != NULL && h->kind != EVENT_spot_auction) h = outbox_next(events, h);
    if (h == NULL) return;
    auction_write(c, ch, (const void *)h, events->bytes + events->used);
    channel_send_held(c, ch, events->seq, durable);
}

/* An auction's kind, hours and product never change: asked for once for its bids. */
static bool auction_know(struct channels *c, uint64_t id)
{
    uint64_t seq = 0;
    struct query q = {.kind = QUERY_spot, .order_id = id,
                      .now = c->venue->now(c->venue->context)};
    if (c->spot.id == id) return true;
    const struct event_spot_auction *a = channel_ask(c, &q, EVENT_spot_auction, &seq);
    if (a != NULL) c->spot = *a;
    return a != NULL;
}

void channel_spot_bid(struct channels *c, const struct event_spot_bid *e)
{
    bool written = false;
    if (e->account >= c->accounts) return;
    for (struct channel *ch = c->by_account[e->account].first; ch != NULL; ch = ch->next_key) {
        if (ch->kind != CHANNEL_user_spot) continue;
        if (!auction_know(c, e->auction) || !hears(ch, &c->spot)) continue;
        if (!written) {
            json_reset(&c->item);
            rpc_write_spot_own(&c->item, c->directory, &c->spot, e);
            written = true;
        }
        if (ch->pending.used + c->item.used > SAY_AT) channel_say_pending(c, ch);
        channel_note(c, ch, &ch->pending, e->header.seq);
    }
}
