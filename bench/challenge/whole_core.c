/* whole_core.c: the whole core behind the Matching Engine Performance Challenge: every message is a
 * command to core_step, and the reports are made from its events.
 *
 * 1,000 accounts trade one instrument with flat margin checked before every order, fees zero, each
 * trade novated (four postings). An order's account is its client id modulo 1,000. A modify is an
 * edit with a new price and total amount. Left out: the gateway, the journal and the feeds; of
 * closed orders, trades and postings the last KEPT are kept for questions, of which none come.
 *
 * Invariants: (1) `ids` has the client ids of the orders that rest, as a gateway would keep them,
 * and the core's id of the last one entered under each; (2) by_slot[slot] tells the client id and
 * the filled lots of the order in that slot.
 *
 * Built by hand: see README.md of this folder.
 */
#include "client_ids.h"

#include "../venue.h"

enum { ACCOUNTS = 1000, ORDERS = 1 << 18, LEVELS = 1 << 17, TICK = 5000 };
enum { SLOT_MASK = (1 << 24) - 1, KEPT = 64 };

struct slot {
    uint64_t client;
    int64_t filled;
};

static const me_transport_t transport = {ring_create, ring_push, ring_drain, ring_flush,
                                         ring_destroy};
static struct ring *ring;
static struct venue venue;
static struct slot *by_slot; /* by the core's order id, low bits */

const me_transport_t *engine_get_transport(void) { return &transport; }

void engine_init(uint64_t seed, const me_transport_t *given, void *report_sink)
{
    (void)seed;
    (void)given;
    ring = report_sink;
    struct core_limits limits = venue_limits(ACCOUNTS, 1, ORDERS, LEVELS);
    limits.orders_closed = limits.trades = limits.postings = KEPT;
    struct venue_terms terms = {.accounts = ACCOUNTS, .instruments = 1, .tick = TICK,
                                .flat_margin = E6, .cash = 1000000000};
    venue_open(&venue, &limits, &terms);
    by_slot = memory_take((SLOT_MASK + 1) * sizeof *by_slot, 4u << 20);
    if (by_slot == NULL) abort();
    ids_grow();
}

void engine_shutdown(void) {}
void engine_flush(void) { ring_publish(ring); }

static uint32_t account_of(uint64_t client)
{
    return venue.account_first + (uint32_t)(client % ACCOUNTS);
}

static struct slot *slot_of(uint64_t order_id) { return &by_slot[order_id & SLOT_MASK]; }

static const struct event_header *event_after(const struct event_header *h)
{
    return outbox_next(&venue.out, h);
}

static const struct event_order *as_order(const struct event_header *h)
{
    return (const struct event_order *)(const void *)h;
}

/* Reports the fills of a command from event `h` on, and keeps what every order has filled. Returns
 * the last event of the command's own order: how it ended; `first` when there is none. */
static const struct event_order *fills_report(uint64_t seq, uint64_t client,
                                              const struct event_order *first,
                                              const struct event_header *h)
{
    const struct event_order *last = first;
    for (; h != NULL; h = event_after(h)) {
        if (h->kind == EVENT_trade) {
            const struct event_trade *t = (const struct event_trade *)(const void *)h;
            uint64_t maker = t->order_id[t->maker[SIDE_buy] ? SIDE_buy : SIDE_sell];
            ring_put_trade(ring, seq, client, t->price.v / TICK, (uint32_t)t->qty.v,
                           slot_of(maker)->client);
        } else if (h->kind == EVENT_order) {
            const struct event_order *o = as_order(h);
            slot_of(o->order_id)->filled = o->filled.v;
            if (o->state != ORDER_STATE_open)
                ids_drop(slot_of(o->order_id)->client, o->order_id);
            if (o->order_id == first->order_id) last = o;
        }
    }
    return last;
}

void engine_on_new_order(const new_order_t *m)
{
    struct command *c = &venue.create;
    c->header.account = account_of(m->order_id);
    c->order_new.side = m->side;
    c->order_new.tif = m->ioc != 0 ? TIF_immediate_or_cancel : TIF_good_til_cancelled;
    c->order_new.price = PRICE(m->price_ticks * TICK);
    c->order_new.qty = QTY(m->quantity);
    venue_step(&venue, c);
    const struct event_order *first = as_order(event_after(NULL));
    if (first->header.kind != EVENT_order) abort(); /* the workload is never refused */
    *slot_of(first->order_id) = (struct slot){.client = m->order_id};
    ids_put(m->order_id, first->order_id);
    ring_put(ring, ME_ORDER_ACK, m->sequence_number, m->order_id, m->side, m->price_ticks,
             m->quantity);
    const struct event_header *next = event_after(&first->header);
    if (next->kind == EVENT_level) return; /* it rests, and nothing traded */
    const struct event_order *last = fills_report(m->sequence_number, m->order_id, first, next);
    if (last->state != ORDER_STATE_cancelled) return;
    ring_put(ring, ME_CANCEL_ACK, m->sequence_number, m->order_id, m->side, m->price_ticks,
             (uint32_t)(last->qty.v - last->filled.v));
}

/* What a cancel says of its order: behind the level that it left, if any. NULL: refused. */
static const struct event_order *cancelled(void)
{
    const struct event_header *h = event_after(NULL);
    if (h->kind == EVENT_level) h = event_after(h);
    return h->kind == EVENT_order ? as_order(h) : NULL;
}

void engine_on_cancel(const cancel_t *m)
{
    struct command *c = &venue.cancel;
    c->header.account = account_of(m->order_id);
    c->order_cancel.order_id = ids_find(m->order_id)->own;
    venue_step(&venue, c);
    const struct event_order *o = cancelled();
    if (o == NULL) {
        ring_put(ring, ME_CANCEL_REJECT, m->sequence_number, m->order_id, 0, 0, 0);
        return;
    }
    ids_drop(m->order_id, o->order_id);
    ring_put(ring, ME_CANCEL_ACK, m->sequence_number, m->order_id, o->side, o->price.v / TICK,
             (uint32_t)(o->qty.v - o->filled.v));
}

void engine_on_modify(const modify_t *m)
{
    struct command *c = &venue.edit;
    uint64_t own = ids_find(m->order_id)->own;
    c->header.account = account_of(m->order_id);
    c->order_edit.order_id = own;
    c->order_edit.price = PRICE(m->new_price_ticks * TICK);
    c->order_edit.qty = QTY(m->new_quantity + slot_of(own)->filled);
    venue_step(&venue, c);
    const struct event_header *h = event_after(NULL);
    if (h->kind == EVENT_reject) {
        ring_put(ring, ME_MODIFY_REJECT, m->sequence_number, m->order_id, 0, 0, 0);
        return;
    }
    if (h->kind == EVENT_level) h = event_after(h); /* where it rested before */
    (void)fills_report(m->sequence_number, m->order_id, as_order(h), event_after(h));
    ring_put(ring, ME_MODIFY_ACK, m->sequence_number, m->order_id, m->side, m->new_price_ticks,
             m->new_quantity);
}

/* The book's levels by a query, as a client would see them; `px` INT64_MIN: the best. */
static const struct event_level *level_ask(uint8_t side, int64_t px)
{
    struct query q = {.kind = QUERY_book, .instrument = 1,
                      .count = px == INT64_MIN ? 1 : 1000000};
    core_query(venue.core, &q, &venue.out);
    const struct event_header *h = NULL;
    while ((h = outbox_next(&venue.out, h)) != NULL) {
        const struct event_level *l = (const struct event_level *)(const void *)h;
        if (h->kind == EVENT_level && l->side == side &&
            (px == INT64_MIN || l->price.v == px * TICK))
            return l;
    }
    return NULL;
}

int64_t engine_query_best_bid(void)
{
    const struct event_level *l = level_ask(SIDE_buy, INT64_MIN);
    return l == NULL ? INT64_MIN : l->price.v / TICK;
}

int64_t engine_query_best_ask(void)
{
    const struct event_level *l = level_ask(SIDE_sell, INT64_MIN);
    return l == NULL ? INT64_MAX : l->price.v / TICK;
}

uint64_t engine_query_depth_at(int64_t price_ticks, uint8_t side)
{
    const struct event_level *l = level_ask(side, price_ticks);
    return l == NULL ? 0 : (uint64_t)l->shown.v;
}
