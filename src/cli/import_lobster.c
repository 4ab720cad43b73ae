/* import_lobster.c: LOBSTER message files (NASDAQ's order flow, one stock, one day) through the
 * core.
 *
 * A line: seconds after midnight, type, order id, size, price (USD x 10^4), direction (1 buy, -1
 * sell: of the resting order). Types: 1 a new limit order, 2 a part of one cancelled, 3 the whole,
 * 4 an execution of a visible order, 5 of a hidden one. The file begins with the session, not with
 * a book, so that some messages name orders that it never introduced: they are counted.
 *
 * An execution is an incoming order that names whom it executes (a product made for replays), since
 * the order that truly executed may have met hidden ones before. Who was first in the queue at the
 * best price at that moment is looked up in the core's book, so that the figure says how far
 * price-time priority (MATCH-01) explains the executions.
 */
#include "base/map.h"
#include "cli/import.h"

#include <stdlib.h>
#include <string.h>

enum { LIVE_MAX = IMPORT_ORDERS, TYPES = 8 };

struct live {
    uint64_t order_id; /* the core's */
    int64_t total;     /* what the core has as its amount: with what is filled */
    int64_t left;
    int64_t price;
    enum side side;
    uint32_t next_free;
};

struct lobster {
    struct import_venue venue;
    struct import_reader reader;
    struct map map; /* LOBSTER's id -> place in live */
    uint32_t map_count;
    struct live *live; /* [1 .. LIVE_MAX] */
    uint32_t free;     /* list head; 0: none */
    uint32_t instrument;
    int64_t types[TYPES];
    int64_t unknown_partial, unknown_deletes, unknown_executions;
    int64_t executions_known, executions_best, executions_front;
    int64_t traded_at_entry, crossed, size_mismatches, execution_mismatches;
    int64_t resting_max;
};

struct message {
    int type;
    uint64_t id;
    int64_t size;
    int64_t price; /* 10^-6 */
    enum side side;
};

static int message_read(struct lobster *l, struct message *m)
{
    struct import_reader *r = &l->reader;
    ts_t ts;
    int64_t type, id, price, direction;
    if (r->count != 6) return import_reader_bad(r, "six fields are expected");
    if (!import_time(r->fields[0], &ts)) return import_reader_bad(r, "no time");
    if (!import_number(r->fields[1], 0, &type) || type < 1 || type >= TYPES)
        return import_reader_bad(r, "no message type");
    if (!import_number(r->fields[2], 0, &id) || id < 0) return import_reader_bad(r, "no order id");
    if (!import_number(r->fields[3], 0, &m->size)) return import_reader_bad(r, "no size");
    if (!import_number(r->fields[4], 0, &price) || price < -PRICE_MAX / 100 ||
        price > PRICE_MAX / 100)
        return import_reader_bad(r, "no price");
    if (!import_number(r->fields[5], 0, &direction) || (direction != 1 && direction != -1))
        return import_reader_bad(r, "no direction");
    if (m->size <= 0 && type <= 4) return import_reader_bad(r, "a size below one");
    m->type = (int)type;
    m->id = (uint64_t)id;
    m->price = price * 100;
    m->side = direction == 1 ? SIDE_buy : SIDE_sell;
    import_venue_time(&l->venue, TS(INT64_C(1799020800) * NS_PER_SECOND + ts.v));
    return 0;
}

static struct live *live_find(struct lobster *l, const struct message *m)
{
    uint32_t *place = m->id == 0 ? NULL : map_find(&l->map, m->id);
    return place == NULL ? NULL : &l->live[*place];
}

static void live_remove(struct lobster *l, const struct message *m, struct live *o)
{
    map_remove(&l->map, m->id);
    o->next_free = l->free;
    l->free = (uint32_t)(o - l->live);
}

static int apply_new(struct lobster *l, const struct message *m)
{
    if (m->id == 0 || live_find(l, m) != NULL)
        return import_reader_bad(&l->reader, "an order id that is in use");
    if (l->free == 0) return import_reader_bad(&l->reader, "too many orders at once");
    struct import_order order = {.account = l->venue.holders[0], .instrument = l->instrument,
                                 .side = m->side, .price = m->price, .qty = m->size};
    uint64_t id = import_order_new(&l->venue, &order);
    if (id == 0) return 0; /* counted as a refusal */
    l->traded_at_entry += import_traded(&l->venue);
    uint32_t place = l->free;
    l->free = l->live[place].next_free;
    l->live[place] = (struct live){.order_id = id, .total = m->size, .left = m->size,
                                   .price = m->price, .side = m->side};
    map_insert(&l->map, m->id, place);
    l->resting_max = int64_max(l->resting_max, l->map_count);
    return 0;
}

static void apply_partial_cancel(struct lobster *l, const struct message *m)
{
    struct live *o = live_find(l, m);
    if (o == NULL) {
        l->unknown_partial += 1;
        return;
    }
    if (m->size >= o->left) l->size_mismatches += 1;
    o->total -= m->size;
    o->left -= m->size;
    /* MATCH-03: a lower quantity keeps its place. */
    (void)import_order_edit(&l->venue, l->venue.holders[0], o->order_id, o->total);
    if (o->left <= 0) live_remove(l, m, o);
}

static void apply_delete(struct lobster *l, const struct message *m)
{
    struct live *o = live_find(l, m);
    if (o == NULL) {
        l->unknown_deletes += 1;
        return;
    }
    if (m->size != o->left) l->size_mismatches += 1;
    (void)import_order_cancel(&l->venue, l->venue.holders[0], o->order_id);
    live_remove(l, m, o);
}

/* Whether this order is at the best price of its side, and whether first there, in the core's book.
 * Orders come in priority order, so the first of the side is the one that would be next. */
static void look_at_queue(struct lobster *l, const struct live *o)
{
    import_query(&l->venue, QUERY_book_orders, l->instrument, 0);
    const struct outbox *out = &l->venue.out;
    for (const struct event_header *e = outbox_next(out, NULL); e != NULL;
         e = outbox_next(out, e)) {
        const struct event_order *order = (const void *)e;
        if (e->kind != EVENT_order || order->side != o->side) continue;
        l->executions_best += order->price.v == o->price;
        l->executions_front += order->order_id == o->order_id;
        return;
    }
}

static void apply_execution(struct lobster *l, const struct message *m)
{
    struct live *o = live_find(l, m);
    if (o == NULL) {
        l->unknown_executions += 1;
        return;
    }
    l->executions_known += 1;
    look_at_queue(l, o);
    struct import_order taker = {
        .account = l->venue.taking, .instrument = l->instrument,
        .side = o->side == SIDE_buy ? SIDE_sell : SIDE_buy, .tif = TIF_immediate_or_cancel,
        .price = o->price, .qty = m->size, .target = o->order_id};
    if (import_order_new(&l->venue, &taker) == 0 || import_traded(&l->venue) != m->size)
        l->execution_mismatches += 1;
    o->left -= m->size;
    if (o->left <= 0) live_remove(l, m, o);
}

static int apply(struct lobster *l, const struct message *m)
{
    l->types[m->type] += 1;
    switch (m->type) {
    case 1: if (apply_new(l, m) != 0) return -1; break;
    case 2: apply_partial_cancel(l, m); break;
    case 3: apply_delete(l, m); break;
    case 4: apply_execution(l, m); break;
    default: return 0; /* hidden executions, crosses and halts change no visible book */
    }
    l->crossed += import_crossed(&l->venue, l->instrument);
    return 0;
}

/* What the core has at the end, against what the file says of each order. */
static int64_t count_resting(struct lobster *l, int64_t *lots)
{
    import_query(&l->venue, QUERY_book_orders, l->instrument, 0);
    const struct outbox *out = &l->venue.out;
    int64_t count = 0;
    *lots = 0;
    for (const struct event_header *e = outbox_next(out, NULL); e != NULL;
         e = outbox_next(out, e)) {
        if (e->kind != EVENT_order) continue;
        count += 1;
        *lots += ((const struct event_order *)(const void *)e)->left.v;
    }
    return count;
}

static void report(struct lobster *l, struct import_report *r)
{
    int64_t lots = 0, resting = count_resting(l, &lots);
    import_figure(r, "messages", "messages", (int64_t)l->reader.line);
    import_figure(r, "new_orders", "type 1, new orders", l->types[1]);
    import_figure(r, "partial_cancels", "type 2, partial cancels", l->types[2]);
    import_figure(r, "deletes", "type 3, deletes", l->types[3]);
    import_figure(r, "executions", "type 4, executions of visible orders", l->types[4]);
    import_figure(r, "hidden_executions", "type 5, of hidden orders (not applied)", l->types[5]);
    import_figure(r, "other", "types 6 and 7, crosses and halts (not applied)",
                  l->types[6] + l->types[7]);
    import_figure(r, "unknown", "references to orders that predate the file",
                  l->unknown_partial + l->unknown_deletes + l->unknown_executions);
    import_figure(r, "unknown_deletes", "  deletes", l->unknown_deletes);
    import_figure(r, "unknown_executions", "  executions", l->unknown_executions);
    import_figure(r, "unknown_partial_cancels", "  partial cancels", l->unknown_partial);
    import_figure(r, "executions_known", "executions of known orders", l->executions_known);
    import_figure(r, "executions_best", "  at the best price", l->executions_best);
    import_figure(r, "executions_front", "  at the front of the queue", l->executions_front);
    import_figure(r, "executions_not_front", "  not at the front",
                  l->executions_known - l->executions_front);
    import_figure(r, "execution_mismatches", "  that the core did not fill as said",
                  l->execution_mismatches);
    import_figure(r, "traded_at_entry", "lots that a new order traded at entry",
                  l->traded_at_entry);
    import_figure(r, "crossed", "messages after which the book was crossed", l->crossed);
    import_figure(r, "size_mismatches", "cancels whose size was not what was left",
                  l->size_mismatches);
    import_figure(r, "resting_max", "most orders at once", l->resting_max);
    import_figure(r, "resting", "orders resting at the end", resting);
    import_figure(r, "resting_lots", "  their lots", lots);
    import_venue_figures(&l->venue, r);
    core_check(l->venue.core);
    r->ok = l->venue.rejects == 0 && l->crossed == 0 && l->traded_at_entry == 0 &&
            l->size_mismatches == 0 && l->execution_mismatches == 0 &&
            resting == (int64_t)l->map_count;
}

static int run(struct lobster *l)
{
    int more;
    while ((more = import_reader_next(&l->reader)) > 0) {
        struct message m = {0};
        if (message_read(l, &m) != 0 || apply(l, &m) != 0) return -1;
    }
    return more;
}

static int lobster_open(struct lobster *l, const struct import_options *o)
{
    l->live = calloc(LIVE_MAX + 1, sizeof *l->live);
    l->map.slots = calloc(map_slots_for(LIVE_MAX), sizeof *l->map.slots);
    if (l->live == NULL || l->map.slots == NULL)
        return import_reader_bad(&l->reader, "no memory");
    for (uint32_t i = 1; i < LIVE_MAX; i++) l->live[i].next_free = i + 1;
    l->free = 1;
    l->map.mask = map_slots_for(LIVE_MAX) - 1;
    l->map.capacity = LIVE_MAX;
    l->map.count = &l->map_count;
    if (import_reader_open(&l->reader, o->path, o->progress) != 0) return -1;
    if (import_venue_open(&l->venue, o) != 0) return -1;
    l->instrument = import_venue_list(&l->venue, "LOBSTER", 10000, PRODUCT_FLAG_DIRECTED,
                                      STATE_open); /* NASDAQ's tick: USD 0.01 */
    return l->instrument == 0 ? -1 : 0;
}

int import_lobster(const struct import_options *o, struct import_report *r)
{
    struct lobster *l = calloc(1, sizeof *l);
    if (l == NULL) return -1;
    int status = lobster_open(l, o);
    if (status == 0) status = run(l);
    import_reader_close(&l->reader);
    if (status == 0) report(l, r);
    else
        (void)snprintf(r->error, sizeof r->error, "%s",
                       l->reader.error[0] != 0 ? l->reader.error : l->venue.error);
    import_venue_close(&l->venue);
    free(l->map.slots);
    free(l->live);
    free(l);
    return status;
}
