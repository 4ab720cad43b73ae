/* channel_feed.c: what is said to those who listen. See channel.h. */
#include "gate/channel_internal.h"
#include "gate/rpc_delivery.h"
#include "gate/rpc_settlement.h"

#include <stdlib.h>
#include <string.h>

/* ---- sending ---- */

struct json_writer *channel_message(struct channels *c, const struct channel *ch, uint64_t seq)
{
    struct json_writer *w = &c->out;
    json_reset(w);
    json_open_object(w);
    json_key_string(w, "jsonrpc", "2.0");
    json_key_string(w, "method", "subscription");
    json_key(w, "params");
    json_open_object(w);
    json_key_string(w, "channel", ch->name);
    json_key_int(w, "seq", (int64_t)seq);
    json_key(w, "data");
    return w;
}

static bool notification_close(struct json_writer *w)
{
    json_close_object(w);
    json_close_object(w);
    return !w->overflow;
}

/* To every listener; one that is evicted here takes itself off the list, so from the end. */
static void broadcast(struct channels *c, struct channel *ch, const char *bytes, size_t size)
{
    for (uint32_t i = ch->count; i-- > 0;) {
        c->notifications += 1;
        connection_send(ch->listeners[i]->connection, bytes, size);
    }
}

void channel_send(struct channels *c, struct channel *ch)
{
    if (notification_close(&c->out)) broadcast(c, ch, c->out.bytes, c->out.used);
}

void channel_send_held(struct channels *c, struct channel *ch, uint64_t seq, uint64_t durable)
{
    if (seq <= durable) {
        channel_send(c, ch);
        return;
    }
    if (!notification_close(&c->out)) return;
    if (c->held_count == c->held_capacity) {
        uint32_t n = c->held_capacity == 0 ? 64 : c->held_capacity * 2;
        struct held_notification *grown = realloc(c->held, n * sizeof *grown);
        if (grown == NULL) return;
        c->held = grown;
        c->held_capacity = n;
    }
    char *copy = malloc(c->out.used);
    if (copy == NULL) return;
    memcpy(copy, c->out.bytes, c->out.used);
    c->held[c->held_count++] = (struct held_notification){seq, ch, c->out.used, copy};
}

void channel_forget_held(struct channels *c, const struct channel *channel)
{
    for (uint32_t i = 0; i < c->held_count; i++) {
        if (c->held[i].channel == channel) c->held[i].channel = NULL;
    }
}

static void release_held(struct channels *c, uint64_t durable)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->held_count; i++) {
        struct held_notification *h = &c->held[i];
        if (h->seq > durable) {
            c->held[kept++] = *h;
            continue;
        }
        if (h->channel != NULL) broadcast(c, h->channel, h->bytes, h->size);
        free(h->bytes);
    }
    c->held_count = kept;
}

/* ---- books ---- */

/* What of the amount is implied stands behind it, where any is. */
static void write_level(struct json_writer *w, const char *action, price_t price, int64_t amount,
                        int64_t implied)
{
    json_open_array(w);
    if (action != NULL) json_string(w, action);
    json_fixed(w, price.v, 6);
    json_int(w, amount);
    if (implied != 0) json_int(w, implied);
    json_close_array(w);
}

static void book_head(struct channels *c, struct json_writer *w, const struct channel *ch,
                      ts_t ts, const char *type)
{
    json_open_object(w);
    if (type != NULL) json_key_string(w, "type", type);
    json_key_ms(w, "timestamp", ts);
    json_key_string(w, "instrument_name",
                    directory_name(c->directory, DIRECTORY_instrument, ch->instrument));
}

static void say_level(void *context, enum side side, const struct mirror_level *l, int64_t before)
{
    struct channels *c = context;
    write_level(&c->sides[side == SIDE_buy ? 0 : 1],
                before == 0 ? "new" : l->amount == 0 ? "delete" : "change", l->price, l->amount,
                l->implied);
}

static void say_book(struct channels *c, struct channel *ch)
{
    struct mirror_book *b = mirror_book(&c->mirror, ch->instrument);
    enum mirror_interval interval = (enum mirror_interval)ch->interval;
    if (b == NULL || !b->dirty[interval]) return;
    uint64_t before = b->said_id[interval];
    for (int i = 0; i < 2; i++) {
        json_reset(&c->sides[i]);
        json_open_array(&c->sides[i]);
    }
    size_t empty = c->sides[0].used;
    mirror_say(b, interval, say_level, c);
    if (c->sides[0].used == empty && c->sides[1].used == empty) { /* there and back again */
        b->said_id[interval] = before;
        return;
    }
    struct json_writer *w = channel_message(c, ch, b->change_id);
    book_head(c, w, ch, b->ts, "change");
    json_key_int(w, "prev_change_id", (int64_t)before);
    json_key_int(w, "change_id", (int64_t)b->change_id);
    for (int i = 0; i < 2; i++) {
        json_close_array(&c->sides[i]);
        json_key(w, i == 0 ? "bids" : "asks");
        json_raw(w, c->sides[i].bytes, c->sides[i].used);
    }
    json_close_object(w);
    channel_send(c, ch);
}

/* The best `depth` levels as they are. */
static void write_sides(struct json_writer *w, const struct mirror_book *b, uint32_t depth)
{
    for (int n = 0; n < 2; n++) {
        json_key(w, n == 0 ? "bids" : "asks");
        json_open_array(w);
        uint32_t told = 0;
        for (uint32_t i = 0; i < b->side[n].count && told < depth; i++) {
            const struct mirror_level *l = &b->side[n].levels[i];
            if (l->amount == 0) continue;
            write_level(w, NULL, l->price, l->amount, l->implied);
            told += 1;
        }
        json_close_array(w);
    }
}

static void say_depth(struct channels *c, struct channel *ch)
{
    struct mirror_book *b = mirror_book(&c->mirror, ch->instrument);
    if (b == NULL) return;
    struct json_writer *w = channel_message(c, ch, b->change_id);
    book_head(c, w, ch, b->ts, NULL);
    json_key_int(w, "change_id", (int64_t)b->change_id);
    write_sides(w, b, ch->depth);
    json_close_object(w);
    channel_send(c, ch);
}

/* A book as the channel's other listeners know it, so that the next change continues it. */
static void snapshot_book(struct channels *c, struct channel *ch, struct subscriptions *to)
{
    struct mirror_book *b = mirror_book(&c->mirror, ch->instrument);
    if (b == NULL) return;
    struct json_writer *w = channel_message(c, ch, b->said_id[ch->interval]);
    book_head(c, w, ch, b->said_ts[ch->interval], "snapshot");
    json_key_int(w, "change_id", (int64_t)b->said_id[ch->interval]);
    for (int n = 0; n < 2; n++) {
        json_key(w, n == 0 ? "bids" : "asks");
        json_open_array(w);
        for (uint32_t i = 0; i < b->side[n].count; i++) {
            const struct mirror_level *l = &b->side[n].levels[i];
            if (l->said[ch->interval] != 0)
                write_level(w, "new", l->price, l->said[ch->interval],
                            l->implied_said[ch->interval]);
        }
        json_close_array(w);
    }
    json_close_object(w);
    if (notification_close(w)) connection_send(to->connection, w->bytes, w->used);
}

void channel_start(struct channels *c, struct channel *ch)
{
    struct mirror_book *b = ch->kind == CHANNEL_book ? mirror_book(&c->mirror, ch->instrument)
                                                     : NULL;
    if (b != NULL) mirror_listen(b, (enum mirror_interval)ch->interval);
}

/* Books begin with a snapshot at once, states of the moment with the next turn. */
void channel_snapshot(struct channels *c, struct channel *ch, struct subscriptions *to)
{
    if (ch->kind == CHANNEL_book) snapshot_book(c, ch, to);
    if (ch->kind == CHANNEL_depth || ch->kind == CHANNEL_ticker || ch->kind == CHANNEL_quote ||
        ch->kind == CHANNEL_user_portfolio || (ch->kind == CHANNEL_spot && ch->product != ANY))
        channel_touch(c, ch);
}

/* ---- what is read from the state ---- */

const void *channel_ask(struct channels *c, const struct query *q, enum event_kind kind,
                        uint64_t *seq)
{
    const struct outbox *events = NULL;
    c->venue->query(c->venue->context, q, &events);
    *seq = events->seq;
    const struct event_header *h = outbox_next(events, NULL);
    while (h != NULL && h->kind != kind) h = outbox_next(events, h);
    return h;
}

static void say_ticker(struct channels *c, struct channel *ch, uint64_t durable)
{
    uint64_t seq = 0;
    struct query q = {.kind = QUERY_ticker, .instrument = ch->instrument,
                      .now = c->venue->now(c->venue->context)};
    const struct event_ticker *t = channel_ask(c, &q, EVENT_ticker, &seq);
    if (t == NULL) return;
    struct json_writer *w = channel_message(c, ch, seq);
    if (ch->kind == CHANNEL_ticker) {
        rpc_write_ticker(w, c->directory, t);
    } else {
        json_open_object(w);
        json_key_ms(w, "timestamp", q.now);
        json_key_string(w, "instrument_name",
                        directory_name(c->directory, DIRECTORY_instrument, ch->instrument));
        json_key_price(w, "best_bid_price", t->bid);
        json_key_int(w, "best_bid_amount", t->bid_qty.v);
        json_key_price(w, "best_ask_price", t->ask);
        json_key_int(w, "best_ask_amount", t->ask_qty.v);
        json_close_object(w);
    }
    channel_send_held(c, ch, seq, durable);
}

static void say_portfolio(struct channels *c, struct channel *ch, uint64_t durable)
{
    uint64_t seq = 0;
    struct query q = {.kind = QUERY_account, .account = ch->account,
                      .now = c->venue->now(c->venue->context)};
    const struct event_account *a = channel_ask(c, &q, EVENT_account, &seq);
    if (a == NULL) return;
    rpc_write_account(channel_message(c, ch, seq), c->directory, a);
    channel_send_held(c, ch, seq, durable);
}

/* ---- trades and orders ---- */

static void append(struct channel *ch, struct buffer *b, const struct json_writer *w)
{
    if (b->used + w->used > PENDING_MAX) return; /* the next REST answer has them all */
    if (b->used != 0) buffer_append(b, ",", 1);
    buffer_append(b, w->bytes, w->used);
    (void)ch;
}

static void write_array(struct json_writer *w, const struct buffer *b)
{
    json_open_array(w);
    if (b->used != 0) json_raw(w, b->at, b->used);
    json_close_array(w);
}

void channel_say_pending(struct channels *c, struct channel *ch)
{
    if (ch->pending.used == 0) return;
    write_array(channel_message(c, ch, ch->seq), &ch->pending);
    ch->pending.used = 0;
    channel_send(c, ch);
}

/* user.changes: orders and trades since, and the positions of one instrument as they are now. */
static void say_changes(struct channels *c, struct channel *ch, uint64_t durable)
{
    if (ch->pending.used == 0 && ch->pending2.used == 0) return;
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_positions, .account = ch->account,
                      .instrument = ch->instrument, .now = c->venue->now(c->venue->context)};
    c->venue->query(c->venue->context, &q, &events);
    struct json_writer *w = channel_message(c, ch, events->seq);
    json_open_object(w);
    json_key_string(w, "instrument_name",
                    ch->instrument == ANY ? "any"
                                          : directory_name(c->directory, DIRECTORY_instrument,
                                                           ch->instrument));
    json_key(w, "orders");
    write_array(w, &ch->pending);
    json_key(w, "trades");
    write_array(w, &ch->pending2);
    json_key(w, "positions");
    json_open_array(w);
    const struct event_header *h = NULL;
    while ((h = outbox_next(events, h)) != NULL) {
        const struct event_position *p = (const struct event_position *)(const void *)h;
        if (h->kind == EVENT_position && channel_wants(c, ch, p->instrument))
            rpc_write_position(w, c->directory, p);
    }
    json_close_array(w);
    json_close_object(w);
    ch->pending.used = 0;
    ch->pending2.used = 0;
    channel_send_held(c, ch, events->seq, durable);
}

/* ---- events ---- */

static void touch_instrument(struct channels *c, uint32_t instrument, bool book)
{
    if (instrument >= c->instruments) return;
    for (struct channel *ch = c->by_instrument[instrument].first; ch != NULL; ch = ch->next_key) {
        if (ch->kind == CHANNEL_ticker || ch->kind == CHANNEL_quote) channel_touch(c, ch);
        if (book && (ch->kind == CHANNEL_book || ch->kind == CHANNEL_depth)) channel_touch(c, ch);
    }
}

static void touch_account(struct channels *c, uint32_t account)
{
    if (account >= c->accounts) return;
    for (struct channel *ch = c->by_account[account].first; ch != NULL; ch = ch->next_key) {
        if (ch->kind == CHANNEL_user_portfolio) channel_touch(c, ch);
    }
}

void channel_note(struct channels *c, struct channel *ch, struct buffer *b, uint64_t seq)
{
    ch->seq = seq;
    append(ch, b, &c->item);
    channel_touch(c, ch);
}

/* The state of this order after the trade, further on in the same command. */
static const struct event_order *order_after(const struct event_header *h,
                                             const unsigned char *end, uint64_t order_id)
{
    uint64_t seq = h->seq;
    for (;;) {
        const unsigned char *next = (const unsigned char *)h + h->size;
        if (next >= end) return NULL;
        h = (const struct event_header *)(const void *)next;
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->seq != seq) return NULL;
        if (h->kind == EVENT_order && o->order_id == order_id) return o;
    }
}

static void user_trade(struct channels *c, const struct event_trade *t, int side,
                       const unsigned char *end)
{
    uint32_t account = t->account[side];
    if (account >= c->accounts || c->by_account[account].first == NULL) return;
    touch_account(c, account);
    json_reset(&c->item);
    rpc_write_trade(&c->item, c->directory, t, side,
                    order_after(&t->header, end, t->order_id[side]));
    for (struct channel *ch = c->by_account[account].first; ch != NULL; ch = ch->next_key) {
        if (!channel_wants(c, ch, t->instrument)) continue;
        if (ch->kind == CHANNEL_user_trades) channel_note(c, ch, &ch->pending, t->header.seq);
        if (ch->kind == CHANNEL_user_changes) channel_note(c, ch, &ch->pending2, t->header.seq);
    }
}

static void apply_trade(struct channels *c, const struct event_trade *t, const unsigned char *end)
{
    touch_instrument(c, t->instrument, false);
    user_trade(c, t, SIDE_buy, end);
    if (t->account[1] != t->account[0] || t->order_id[1] != t->order_id[0])
        user_trade(c, t, SIDE_sell, end);
    if (!trade_is_public((enum trade_kind)t->kind)) return; /* no print of its own book */
    struct channel *own = t->instrument < c->instruments ? c->by_instrument[t->instrument].first
                                                         : NULL;
    if (own == NULL && c->wild.first == NULL) return;
    json_reset(&c->item);
    rpc_write_trade(&c->item, c->directory, t, -1, NULL);
    for (struct channel *ch = own; ch != NULL; ch = ch->next_key) {
        if (ch->kind == CHANNEL_trades) channel_note(c, ch, &ch->pending, t->header.seq);
    }
    for (struct channel *ch = c->wild.first; ch != NULL; ch = ch->next_key) {
        if (ch->kind == CHANNEL_trades && channel_wants(c, ch, t->instrument))
            channel_note(c, ch, &ch->pending, t->header.seq);
    }
}

/* The label of an order: behind its first event, or to be asked for; it never changes. */
static const struct event_order_text *text_of(struct channels *c, const struct event_order *o,
                                              const unsigned char *end)
{
    const unsigned char *next = (const unsigned char *)o + o->header.size;
    const struct event_order_text *text = (const struct event_order_text *)(const void *)next;
    if (next < end && text->header.kind == EVENT_order_text && text->order_id == o->order_id)
        return text;
    uint64_t seq = 0;
    struct query q = {.kind = QUERY_order, .order_id = o->order_id, .account = o->account,
                      .now = c->venue->now(c->venue->context)};
    return channel_ask(c, &q, EVENT_order_text, &seq);
}

static void apply_order(struct channels *c, const struct event_order *o, const unsigned char *end)
{
    if (o->account >= c->accounts || c->by_account[o->account].first == NULL) return;
    touch_account(c, o->account);
    bool wanted = false;
    for (struct channel *ch = c->by_account[o->account].first; ch != NULL; ch = ch->next_key) {
        wanted |= (ch->kind == CHANNEL_user_orders || ch->kind == CHANNEL_user_changes) &&
                  channel_wants(c, ch, o->instrument);
    }
    if (!wanted) return;
    json_reset(&c->item);
    rpc_write_order(&c->item, c->directory, o, text_of(c, o, end));
    for (struct channel *ch = c->by_account[o->account].first; ch != NULL; ch = ch->next_key) {
        if (!channel_wants(c, ch, o->instrument)) continue;
        if (ch->kind == CHANNEL_user_changes ||
            (ch->kind == CHANNEL_user_orders && ch->interval != MIRROR_raw)) {
            channel_note(c, ch, &ch->pending, o->header.seq);
        } else if (ch->kind == CHANNEL_user_orders) { /* raw: one object a change, as Deribit's */
            json_raw(channel_message(c, ch, o->header.seq), c->item.bytes, c->item.used);
            channel_send(c, ch);
        }
    }
}

static bool hears_halts(const struct channel *ch, uint32_t product)
{
    return ch->kind == CHANNEL_halts && (ch->product == ANY || ch->product == product);
}

/* Interruptions, and protections that were changed (GUARD-02 to GUARD-05). */
static void apply_halt(struct channels *c, const struct event_halt *e)
{
    for (struct channel *ch = c->wild.first; ch != NULL; ch = ch->next_key) {
        if (!hears_halts(ch, e->product)) continue;
        rpc_write_halt(channel_message(c, ch, e->header.seq), c->directory, e);
        channel_send(c, ch);
    }
}

static void apply_guards(struct channels *c, const struct event_guards *e)
{
    for (struct channel *ch = c->wild.first; ch != NULL; ch = ch->next_key) {
        if (!hears_halts(ch, e->product)) continue;
        rpc_write_guards(channel_message(c, ch, e->header.seq), c->directory, e);
        channel_send(c, ch);
    }
}

static void apply_state(struct channels *c, const struct event_state *e)
{
    uint32_t count = directory_count(c->directory, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= count && i < c->instruments; i++) {
        const struct event_instrument *in = directory_instrument(c->directory, i);
        if (in != NULL && in->product == e->product) touch_instrument(c, i, false);
    }
    for (struct channel *ch = c->wild.first; ch != NULL; ch = ch->next_key) {
        if (!hears_halts(ch, e->product)) continue;
        struct json_writer *w = channel_message(c, ch, e->header.seq);
        json_open_object(w);
        json_key_string(w, "type", "state");
        json_key_ms(w, "timestamp", e->header.ts);
        json_key_string(w, "product",
                        directory_name(c->directory, DIRECTORY_product, e->product));
        if (e->instrument != 0)
            json_key_string(w, "instrument_name",
                            directory_name(c->directory, DIRECTORY_instrument, e->instrument));
        json_key_string(w, "state", rpc_state_name(e->state));
        json_key_string(w, "before", rpc_state_name(e->before));
        json_key_string(w, "reason", e->reason);
        json_close_object(w);
        channel_send(c, ch);
    }
}

/* CLEAR-09: every step of an account's margin call, at once. */
static void apply_call(struct channels *c, const struct event_call *e)
{
    if (e->account >= c->accounts) return;
    touch_account(c, e->account);
    for (struct channel *ch = c->by_account[e->account].first; ch != NULL; ch = ch->next_key) {
        if (ch->kind != CHANNEL_user_calls) continue;
        rpc_write_call(channel_message(c, ch, e->header.seq), c->directory, e);
        channel_send(c, ch);
    }
}

static void index_write(struct channels *c, const struct channel *ch,
                        const struct event_index_price *e, const unsigned char *end)
{
    struct json_writer *w = channel_message(c, ch, e->header.seq);
    json_open_object(w);
    json_key_string(w, "index_name", directory_name(c->directory, DIRECTORY_index, e->index));
    if (end != NULL) rpc_write_index_hour(w, c->directory, e, end);
    else rpc_write_index_price(w, e);
    json_key_ms(w, "timestamp", e->header.ts);
    json_close_object(w);
}

/* With more sellers than there is room for, the price alone: public/get_index has the rest. */
static void apply_index(struct channels *c, const struct event_index_price *e,
                        const unsigned char *end)
{
    for (struct channel *ch = c->wild.first; ch != NULL; ch = ch->next_key) {
        if (ch->kind != CHANNEL_index || ch->index != e->index) continue;
        index_write(c, ch, e, end);
        if (c->out.overflow) index_write(c, ch, e, NULL);
        channel_send(c, ch);
    }
}

/* DELIV-04: what anybody may know of deliveries, of one instrument or of all. */
static void delivery_tell(struct channels *c, struct channel *ch, const struct event_header *e)
{
    for (; ch != NULL; ch = ch->next_key) {
        if (ch->kind != CHANNEL_delivery) continue;
        rpc_write_delivery(channel_message(c, ch, e->seq), c->directory, e);
        channel_send(c, ch);
    }
}

static void apply_delivery(struct channels *c, const struct event_header *e)
{
    uint32_t instrument = rpc_delivery_instrument(e);
    if (instrument < c->instruments) delivery_tell(c, c->by_instrument[instrument].first, e);
    delivery_tell(c, c->wild.first, e);
}

static void apply_one(struct channels *c, const struct event_header *h, const unsigned char *end)
{
    const void *e = h;
    switch (h->kind) {
    case EVENT_level:
        if (mirror_apply(&c->mirror, e) == 0)
            touch_instrument(c, ((const struct event_level *)e)->instrument, true);
        break;
    case EVENT_trade: apply_trade(c, e, end); break;
    case EVENT_order: apply_order(c, e, end); break;
    case EVENT_state: apply_state(c, e); break;
    case EVENT_index_price: apply_index(c, e, end); break;
    case EVENT_call: apply_call(c, e); break;
    case EVENT_halt: apply_halt(c, e); break;
    case EVENT_guards: apply_guards(c, e); break;
    case EVENT_spot_auction: channel_spot_auction(c, e, end); break;
    case EVENT_spot_bid: channel_spot_bid(c, e); break;
    case EVENT_notice:
    case EVENT_allocation:
    case EVENT_delivery_hour:
    case EVENT_delivery_cash: apply_delivery(c, e); break;
    case EVENT_settlement:
        touch_instrument(c, ((const struct event_settlement *)e)->instrument, false);
        break;
    case EVENT_auction:
        touch_instrument(c, ((const struct event_auction *)e)->instrument, false);
        break;
    case EVENT_posting: touch_account(c, ((const struct event_posting *)e)->account); break;
    case EVENT_balance: touch_account(c, ((const struct event_balance *)e)->account); break;
    case EVENT_position: touch_account(c, ((const struct event_position *)e)->account); break;
    default: break;
    }
}

void channels_apply(struct channels *c, const unsigned char *bytes, size_t size)
{
    const unsigned char *end = bytes + size;
    while (bytes < end) {
        const struct event_header *h = (const struct event_header *)(const void *)bytes;
        if ((h->flags & (EVENT_FLAG_REPEAT | EVENT_FLAG_ANSWER)) == 0) apply_one(c, h, end);
        bytes += h->size;
    }
}

static void say_touched(struct channels *c, enum mirror_interval interval, uint64_t durable)
{
    struct channel *ch = c->touched[interval];
    c->touched[interval] = NULL;
    while (ch != NULL) {
        struct channel *next = ch->next_touched;
        ch->touched = false;
        ch->next_touched = NULL;
        switch ((enum channel_kind)ch->kind) {
        case CHANNEL_book: say_book(c, ch); break;
        case CHANNEL_depth: say_depth(c, ch); break;
        case CHANNEL_ticker:
        case CHANNEL_quote: say_ticker(c, ch, durable); break;
        case CHANNEL_user_portfolio: say_portfolio(c, ch, durable); break;
        case CHANNEL_user_changes: say_changes(c, ch, durable); break;
        case CHANNEL_trades:
        case CHANNEL_user_orders:
        case CHANNEL_user_trades:
        case CHANNEL_user_spot: channel_say_pending(c, ch); break;
        case CHANNEL_spot: channel_say_spot(c, ch, durable); break;
        case CHANNEL_user_calls:
        case CHANNEL_halts:
        case CHANNEL_index:
        case CHANNEL_delivery: break;
        }
        ch = next;
    }
}

void channels_flush(struct channels *c, uint64_t durable)
{
    if (c->held_count != 0) release_held(c, durable);
    if (c->touched[MIRROR_raw] != NULL) say_touched(c, MIRROR_raw, durable);
}

void channels_tick(struct channels *c, uint64_t durable)
{
    channels_sweep(c);
    if (c->held_count != 0) release_held(c, durable);
    if (c->touched[MIRROR_100ms] != NULL) say_touched(c, MIRROR_100ms, durable);
}
