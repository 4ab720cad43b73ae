/* spot_query.c: questions about the spot market, its hash and its invariants (INDEX-01). Bids are
 * sealed: whose may be told to whom is the gate's to decide, and of all only when an auction is
 * over.
 *
 * Upstream: query.c, hash.c, check.c. Downstream: spot.c, spot_bid.c.
 */
#include "core/spot_internal.h"

static void auction_tell(const struct core *c, struct outbox *out, const struct spot_auction *a)
{
    event_spot_auction_push(out, a);
    for (uint32_t h = 0; h < a->hours; h++) event_spot_hour_push(out, a, h);
    if (a->state != SPOT_STATE_done) return;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        if (c->spot.bids[i].state == SPOT_BID_paradoxical) event_spot_bid_push(c, out, i);
    }
}

void query_spot(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t left = q->count == 0 ? 1 : q->count;
    if (q->order_id != 0) {
        const struct spot_auction *a = spot_find(c, q->order_id);
        if (a != NULL) auction_tell(c, out, a);
        return;
    }
    uint64_t last = c->spot.s->auction_id, count = c->spot.auction_count;
    for (uint64_t id = last; id > 0 && id + count > last && left > 0; id--) {
        const struct spot_auction *a = spot_find(c, id);
        if (a == NULL || (q->product != NIL && a->product != q->product)) continue;
        auction_tell(c, out, a);
        left -= 1;
    }
}

void query_spot_bids(const struct core *c, const struct query *q, struct outbox *out)
{
    const struct spot_auction *a = spot_find(c, q->order_id);
    uint32_t left = q->count == 0 ? UINT32_MAX : q->count;
    if (a == NULL) return;
    for (uint32_t i = a->first; i != NIL && left > 0; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        if ((q->account != NIL && b->account != q->account) || b->id <= q->from_id) continue;
        event_spot_bid_push(c, out, i);
        left -= 1;
    }
}

void query_spot_waiting(const struct core *c, struct outbox *out)
{
    const struct spot_auction *found = NULL;
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        const struct spot_auction *a = &c->spot.auctions[i];
        if (a->state == SPOT_STATE_closed && (found == NULL || a->id < found->id)) found = a;
    }
    if (found != NULL) event_spot_auction_push(out, found);
}

/* ---- hash ---- */

void spot_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t count),
               void *h)
{
    const struct spot_market *s = c->spot.s;
    uint64_t words[3] = {s->auction_id, s->bid_id, (uint64_t)s->due};
    add(h, words, sizeof words);
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        struct spot_auction a = c->spot.auctions[i];
        if (a.id == 0) continue;
        a.first = a.last = 0; /* places may differ, bids may not */
        add(h, &a, sizeof a);
        for (uint32_t b = c->spot.auctions[i].first; b != NIL; b = c->spot.bids[b].next) {
            const struct spot_order *o = &c->spot.bids[b];
            uint64_t bid[9] = {o->id, o->account,
                               (uint64_t)o->kind | (uint64_t)o->side << 8 |
                                   (uint64_t)o->state << 16 | (uint64_t)o->hour << 24,
                               (uint64_t)o->price.v, (uint64_t)o->qty, (uint64_t)o->filled,
                               o->parent == NIL ? 0 : c->spot.bids[o->parent].id,
                               (uint64_t)o->created.v, (uint64_t)o->margin.v};
            add(h, bid, sizeof bid);
            if (o->profile != NIL)
                add(h, &c->spot.profiles[o->profile], sizeof c->spot.profiles[o->profile]);
        }
    }
}

/* ---- invariants ---- */

static void auction_check(const struct core *c, uint32_t place, uint32_t *bids,
                          uint32_t *profiles)
{
    const struct spot_auction *a = &c->spot.auctions[place];
    uint32_t steps = 0, blocks = 0, before = NIL;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) { /* (1) */
        const struct spot_order *b = &c->spot.bids[i];
        ASSERT(b->auction == place && b->prev == before && b->id <= c->spot.s->bid_id);
        ASSERT(before == NIL || c->spot.bids[before].id < b->id);
        ASSERT(b->parent == NIL || c->spot.bids[b->parent].id < b->id);
        ASSERT((b->profile != NIL) == (b->kind == SPOT_BID_block));
        ASSERT((b->state == SPOT_BID_standing) == spot_is_live(a));
        if (b->kind == SPOT_BID_block) blocks += 1;
        else steps += 1;
        *profiles += b->profile != NIL;
        *bids += 1;
        before = i;
    }
    ASSERT(a->last == before);
    ASSERT(a->first == NIL || (steps == a->steps && blocks == a->blocks));
    for (uint32_t h = 0; h < a->hours && a->kind == SPOT_day_ahead; h++) { /* (4) */
        uint32_t i = a->hour[h].instrument;
        ASSERT(!spot_is_live(a) || c->instruments[i].spot == place + 1);
    }
}

void spot_check(const struct core *c)
{
    const struct spot *m = &c->spot;
    uint32_t bids = 0, profiles = 0, held = 0, hours = 0;
    int64_t due = INT64_MAX;
    int128_t firm = 0;
    for (uint32_t i = 0; i < m->auction_count; i++) {
        const struct spot_auction *a = &m->auctions[i];
        if (a->id == 0) continue;
        firm += firm_check(c, a); /* (5) */
        ASSERT(a->id % m->auction_count == i && a->id <= m->s->auction_id);
        auction_check(c, i, &bids, &profiles);
        if (spot_is_live(a) && a->kind == SPOT_day_ahead) hours += a->hours;
        if (a->state == SPOT_STATE_open) due = int64_min(due, a->closes.v);
        if (a->state == SPOT_STATE_closed) due = int64_min(due, a->deadline.v);
    }
    for (uint32_t p = 1; p <= c->s->products; p++) due = int64_min(due, c->products[p].spot_due);
    ASSERT(due == m->s->due); /* (3) */
    for (uint32_t a = 1; a <= c->s->accounts; a++) firm -= m->firm[a];
    ASSERT(firm == 0);
    for (uint32_t i = 1; i <= c->s->instruments; i++) held += c->instruments[i].spot != 0;
    ASSERT(held == hours);
    for (uint32_t b = m->s->bids_free; b != NIL; b = m->bids[b].next) bids += 1;
    ASSERT(bids == m->s->bids_used);
    for (uint32_t p = m->s->profiles_free; p != NIL; p = (uint32_t)m->profiles[p].qty[0])
        profiles += 1;
    ASSERT(profiles == m->s->profiles_used);
}
