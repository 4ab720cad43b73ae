/* bare_book.c: the book alone behind the Matching Engine Performance Challenge: src/core/book with
 * a FIFO matching loop and a table from client order ids to slots. No accounts, no margin,
 * no ledger, no events: what the structure can do, not what the exchange does (whole_core.c is
 * that).
 *
 * Invariants: (1) `ids` has the client id and the slot of every resting order; (2) a
 * slot not in the book is on the free list or was never used.
 *
 * Built by hand: see README.md of this folder.
 */
#include "report_ring.h"

#include "base/random.h"
#include "core/book.c"

enum { ORDERS = 1 << 22, LEVELS = 1 << 20, TOUCHED = 4 << 20 };

static const me_transport_t transport = {ring_create, ring_push, ring_drain, ring_flush,
                                         ring_destroy};
static struct ring *ring;
static struct book_pools pools;
static struct book book;
static uint32_t slot_free; /* chained by next */
static uint32_t slot_high;
static uint64_t *ids;     /* hash of a client id << 32 | slot; 0: a free place */
static uint64_t ids_mask;
static uint64_t ids_count;

/* ---- the client ids of the orders that rest: open addressing, two thirds full at most; grows
 * with them, because a direct table of scattered ids would miss every cache. Half of client_ids.h's
 * bytes a place: here the order itself has its client id, and its slot is all that is asked ---- */

static inline uint64_t ids_tag(uint64_t id) { return random_mix(id) & UINT32_MAX; }

static void ids_grow(void)
{
    uint64_t *old = ids, places = old == NULL ? 0 : ids_mask + 1;
    ids_mask = old == NULL ? 4095 : places * 2 - 1;
    ids = memory_take((ids_mask + 1) * sizeof *ids, 0);
    if (ids == NULL) abort();
    for (uint64_t i = 0; i < places; i++) {
        if (old[i] == 0) continue;
        uint64_t at = (old[i] >> 32) & ids_mask;
        while (ids[at] != 0) at = (at + 1) & ids_mask;
        ids[at] = old[i];
    }
    if (old != NULL) munmap(old, places * sizeof *old);
}

static inline void ids_put(uint64_t id, uint32_t slot)
{
    uint64_t tag = ids_tag(id), at = tag & ids_mask;
    while (ids[at] != 0) at = (at + 1) & ids_mask;
    ids[at] = tag << 32 | slot;
    if (++ids_count * 3 > ids_mask * 2) ids_grow();
}

/* The place of an order that rests under this id; the free one behind it when there is none. */
static inline uint64_t ids_find(uint64_t id)
{
    uint64_t tag = ids_tag(id), at = tag & ids_mask;
    while (ids[at] != 0 && (ids[at] >> 32 != tag || pools.orders[(uint32_t)ids[at]].id != id))
        at = (at + 1) & ids_mask;
    return at;
}

static inline void ids_drop(uint64_t at)
{
    for (uint64_t next = (at + 1) & ids_mask; ids[next] != 0; next = (next + 1) & ids_mask) {
        uint64_t home = (ids[next] >> 32) & ids_mask;
        if (((next - home) & ids_mask) < ((next - at) & ids_mask)) continue;
        ids[at] = ids[next];
        at = next;
    }
    ids[at] = 0;
    ids_count -= 1;
}

const me_transport_t *engine_get_transport(void) { return &transport; }

void engine_init(uint64_t seed, const me_transport_t *given, void *report_sink)
{
    (void)seed;
    (void)given;
    ring = report_sink;
    struct arena a = {0};
    book_pools_cut(&pools, &a, ORDERS, LEVELS);
    a = (struct arena){.base = memory_take(a.used, 0), .capacity = a.used};
    if (a.base == NULL) abort();
    ids_grow();
    book_pools_cut(&pools, &a, ORDERS, LEVELS);
    for (size_t i = 0; i < TOUCHED; i += 4096) {
        ((volatile unsigned char *)pools.orders)[i] = 0;
        ((volatile unsigned char *)pools.levels)[i] = 0;
        ((volatile unsigned char *)pools.nodes)[i] = 0;
    }
}

void engine_shutdown(void) {}
void engine_flush(void) { ring_publish(ring); }

/* `at` is the place of its client id. */
static inline void slot_give(uint32_t o, uint64_t at)
{
    ids_drop(at);
    pools.orders[o].next = slot_free;
    slot_free = o;
}

/* Fills against the opposite side, best price first, oldest first; returns what is left. */
static inline int64_t match(enum side side, px_t px, int64_t left, uint64_t seq, uint64_t id)
{
    struct book_side *s = &book.side[1 - side];
    while (left > 0 && s->best != NIL && !px_better((enum side)(1 - side), px,
                                                     pools.levels[s->best].px)) {
        uint32_t maker = pools.levels[s->best].first;
        struct order *x = &pools.orders[maker];
        int64_t take = int64_min(left, x->left.v);
        ring_put_trade(ring, seq, id, x->px.v, (uint32_t)take, x->id);
        left -= take;
        if (take < x->left.v) {
            book_change(&pools, &book, maker, -take, -take);
        } else {
            book_remove(&pools, &book, maker);
            slot_give(maker, ids_find(x->id));
        }
    }
    return left;
}

static inline void rest(enum side side, px_t px, int64_t left, uint64_t id)
{
    uint32_t o = slot_free;
    if (o != NIL) slot_free = pools.orders[o].next;
    else o = ++slot_high;
    if (o > ORDERS || !book_has_room(&pools)) abort();
    struct order *x = &pools.orders[o];
    x->id = id;
    x->px = px;
    x->left = QTY(left);
    x->shown = QTY(left);
    x->side = (uint8_t)side;
    ids_put(id, o);
    book_add(&pools, &book, o);
}

void engine_on_new_order(const new_order_t *m)
{
    enum side side = (enum side)m->side;
    px_t px = PX(m->price_ticks);
    ring_put(ring, ME_ORDER_ACK, m->sequence_number, m->order_id, m->side, px.v, m->quantity);
    int64_t left = match(side, px, m->quantity, m->sequence_number, m->order_id);
    if (left == 0) return;
    if (m->ioc == 0) {
        rest(side, px, left, m->order_id);
    } else {
        ring_put(ring, ME_CANCEL_ACK, m->sequence_number, m->order_id, m->side, px.v,
                 (uint32_t)left);
    }
}

void engine_on_cancel(const cancel_t *m)
{
    uint64_t at = ids_find(m->order_id);
    uint32_t o = (uint32_t)ids[at];
    if (o == NIL) {
        ring_put(ring, ME_CANCEL_REJECT, m->sequence_number, m->order_id, 0, 0, 0);
        return;
    }
    const struct order *x = &pools.orders[o];
    ring_put(ring, ME_CANCEL_ACK, m->sequence_number, m->order_id, x->side, x->px.v,
             (uint32_t)x->left.v);
    book_remove(&pools, &book, o);
    slot_give(o, at);
}

void engine_on_modify(const modify_t *m)
{
    uint64_t at = ids_find(m->order_id);
    uint32_t o = (uint32_t)ids[at];
    if (o == NIL) {
        ring_put(ring, ME_MODIFY_REJECT, m->sequence_number, m->order_id, 0, 0, 0);
        return;
    }
    enum side side = (enum side)pools.orders[o].side;
    px_t px = PX(m->new_price_ticks);
    book_remove(&pools, &book, o);
    slot_give(o, at);
    int64_t left = match(side, px, m->new_quantity, m->sequence_number, m->order_id);
    if (left > 0) rest(side, px, left, m->order_id);
    ring_put(ring, ME_MODIFY_ACK, m->sequence_number, m->order_id, m->side, px.v,
             m->new_quantity);
}

int64_t engine_query_best_bid(void)
{
    const struct level *l = book_best(&pools, &book, SIDE_buy);
    return l == NULL ? INT64_MIN : l->px.v;
}

int64_t engine_query_best_ask(void)
{
    const struct level *l = book_best(&pools, &book, SIDE_sell);
    return l == NULL ? INT64_MAX : l->px.v;
}

uint64_t engine_query_depth_at(int64_t price_ticks, uint8_t side)
{
    uint32_t l = book_level_at(&pools, &book, (enum side)side, PX(price_ticks));
    return l == NIL ? 0 : (uint64_t)pools.levels[l].total.v;
}
