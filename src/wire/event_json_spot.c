/* event_json_spot.c: the events of the spot market as JSON (event_json.h). Surpluses are sums of
 * price x lots, as they are kept, in 10^-6. */
#include "wire/event_json_spot.h"

#include "wire/event_json_compute.h"
#include "wire/event_json_internal.h"
#include "wire/words.h"

static void surplus_write(struct json_writer *w, const char *key, const struct spot_surplus *s)
{
    json_key_fixed(w, key, int128_join(s->high, s->low), 6);
}

void spot_auction_write(struct json_writer *w, const struct event_spot_auction *a)
{
    json_key_int(w, "auction", (int64_t)a->id);
    json_key_string(w, "kind", spot_kind_words[a->kind % SPOT_kind_count]);
    json_key_string(w, "state", spot_state_words[a->state % SPOT_STATE_count]);
    json_key_int(w, "version", (int64_t)a->version);
    json_key_ms(w, "start", a->start);
    json_key_int(w, "hour_count", a->hours);
    json_key_ms(w, "opened_at", a->opened);
    json_key_ms(w, "closes_at", a->closes);
    json_key_ms(w, "deadline", a->deadline);
    json_key_price(w, "price_min", a->price_min);
    json_key_price(w, "price_max", a->price_max);
    json_key_int(w, "hourly_bids", a->steps);
    json_key_int(w, "block_bids", a->blocks);
    if (a->kind != SPOT_day_ahead) {
        token_class_write(w, &a->class);
        json_key_int(w, "reference", (int64_t)a->reference);
    }
    if (a->state != SPOT_STATE_done) return;
    json_key_ms(w, "done_at", a->done);
    json_key_bool(w, "optimal", a->optimal != 0);
    json_key_int(w, "nodes", a->nodes);
    json_key_int(w, "accepted_blocks", a->accepted);
    json_key_int(w, "paradoxically_rejected_blocks", a->paradoxical);
}

static void auction_event(struct json_writer *w, const struct event_spot_auction *a,
                          const struct event_names *names)
{
    ID(product, a->product);
    spot_auction_write(w, a);
    if (a->state != SPOT_STATE_done) return;
    surplus_write(w, "surplus", &a->surplus);
    surplus_write(w, "bound", &a->bound);
    surplus_write(w, "claimed_bound", &a->claimed);
}

static void hour_write(struct json_writer *w, const struct event_spot_hour *h,
                       const struct event_names *names)
{
    json_key_int(w, "auction", (int64_t)h->auction);
    json_key_int(w, "hour", h->hour);
    ID(instrument, h->instrument);
    json_key_ms(w, "start", h->start);
    json_key_price(w, "price", h->price);
    json_key_price(w, "price_low", h->price_low);
    json_key_price(w, "price_high", h->price_high);
    json_key_int(w, "amount", h->qty.v);
    json_key_int(w, "wanted", h->wanted.v);
}

static void bid_write(struct json_writer *w, const struct event_spot_bid *b,
                      const struct event_names *names)
{
    json_key_int(w, "bid", (int64_t)b->id);
    json_key_int(w, "auction", (int64_t)b->auction);
    ID(account, b->account);
    json_key_string(w, "kind", spot_bid_kind_words[b->kind % SPOT_BID_count]);
    json_key_string(w, "side", b->side == 0 ? "buy" : "sell");
    json_key_string(w, "state", spot_bid_state_words[b->state % SPOT_BID_state_count]);
    json_key_price(w, "price", b->price);
    if (b->parent != 0) json_key_int(w, "parent", (int64_t)b->parent);
    json_key_int(w, "filled", b->filled.v);
    json_key(w, "amounts");
    json_open_array(w);
    for (uint32_t i = 0; i < SPOT_HOURS_MAX; i++) json_int(w, b->qty[i].v);
    json_close_array(w);
}

bool event_json_spot(struct json_writer *w, const struct event_header *event,
                     const struct event_names *names)
{
    const void *e = event;
    switch ((enum event_kind)event->kind) {
    case EVENT_spot_auction: auction_event(w, e, names); return true;
    case EVENT_spot_hour: hour_write(w, e, names); return true;
    case EVENT_spot_bid: bid_write(w, e, names); return true;
    default: return false;
    }
}
