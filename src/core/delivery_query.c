/* delivery_query.c: what is asked of delivery, its part of the state hash, and its invariants. */
#include "core/delivery_internal.h"

#include <string.h>

enum { ALLOCATIONS_DEFAULT = 100, ALLOCATIONS_MAX = 1000 };

void query_tenders(const struct core *c, const struct query *q, struct outbox *out)
{
    for (uint32_t t = 1; t <= c->deliver.s->tenders; t++) {
        const struct tender *x = &c->deliver.tenders[t];
        if (x->account == NIL || (q->account != 0 && x->account != q->account)) continue;
        if (q->instrument != 0 && x->terms.instrument != q->instrument) continue;
        event_tender_push(out, x, false);
    }
    for (uint32_t t = 1; t <= c->deliver.s->intakes; t++) {
        const struct intake *x = &c->deliver.intakes[t];
        if (x->account == NIL || (q->account != 0 && x->account != q->account)) continue;
        if (q->instrument != 0 && x->terms.instrument != q->instrument) continue;
        event_intake_push(out, x);
    }
}

/* The latest one below `id` that is asked for; NIL: none. */
static uint32_t allocation_before(const struct core *c, const struct query *q, uint64_t id)
{
    uint32_t found = NIL;
    for (uint32_t a = 1; a <= c->deliver.s->allocations; a++) {
        const struct event_allocation *e = &c->deliver.allocations[a].said;
        bool party = q->account == 0 || e->buyer == q->account || e->seller == q->account;
        bool of = q->instrument == 0 || e->instrument == q->instrument;
        if (e->id == 0 || e->id >= id || !party || !of) continue;
        if (found == NIL || e->id > c->deliver.allocations[found].said.id) found = a;
    }
    return found;
}

void query_allocations(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t count = q->count == 0 ? ALLOCATIONS_DEFAULT : q->count;
    uint64_t id = q->from_id == 0 ? UINT64_MAX : q->from_id;
    if (count > ALLOCATIONS_MAX) count = ALLOCATIONS_MAX;
    for (; count > 0; count--) {
        uint32_t a = allocation_before(c, q, id);
        if (a == NIL) return;
        event_allocation_push(c, out, a);
        id = c->deliver.allocations[a].said.id;
    }
}

static uint32_t hours_push(const struct core *c, struct outbox *out, uint32_t a, uint32_t most)
{
    uint32_t said = 0;
    for (uint32_t h = c->deliver.allocations[a].hours; h != NIL && said < most;
         h = c->deliver.hours[h].next, said++)
        event_delivery_hour_push(c, out, h);
    return said;
}

static void *kept_push(struct outbox *out, enum event_kind kind, size_t size, const void *kept)
{
    struct event_header *h = outbox_push(out, kind, size);
    struct event_header header = *h;
    memcpy(h, kept, size);
    uint64_t seq = h->seq; /* of the command that it was said with */
    ts_t ts = h->ts;
    *h = header;
    h->seq = seq;
    h->ts = ts;
    return h;
}

static void history_push(const struct core *c, uint32_t instrument, struct outbox *out)
{
    const struct deliveries *d = &c->deliver;
    for (uint32_t i = 0; i < d->notice_max; i++) {
        if (d->notices[i].instrument == instrument && instrument != 0)
            (void)kept_push(out, EVENT_notice, sizeof d->notices[i], &d->notices[i]);
    }
    uint64_t last = d->s->cash_id, first = last > d->cash_max ? last - d->cash_max : 0;
    for (uint64_t id = first + 1; id <= last; id++) {
        const struct event_delivery_cash *e = &d->cash[id % d->cash_max];
        if (e->instrument == instrument)
            (void)kept_push(out, EVENT_delivery_cash, sizeof *e, e);
    }
}

void query_delivery(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t most = DELIVERY_HOURS_ASKED_MAX;
    if (q->order_id != 0) {
        uint32_t a = allocation_find(c, q->order_id);
        if (a == NIL) return;
        event_allocation_push(c, out, a);
        (void)hours_push(c, out, a, most);
        return;
    }
    history_push(c, q->instrument, out);
    for (uint32_t a = 1; a <= c->deliver.s->allocations; a++) {
        const struct event_allocation *e = &c->deliver.allocations[a].said;
        if (e->id == 0 || e->instrument != q->instrument) continue;
        most -= hours_push(c, out, a, most);
    }
}

/* ---- the state hash ---- */

void delivery_hash(const struct core *c, void (*add)(void *, const void *, size_t), void *to)
{
    const struct deliveries *d = &c->deliver;
    uint64_t words[6] = {d->s->allocation_id, d->s->cash_id, d->s->notice_id,
                         (uint64_t)d->s->due, d->s->live, d->s->waiting};
    add(to, words, sizeof words);
    for (uint32_t a = 1; a <= d->s->allocations; a++) {
        struct allotment x = d->allocations[a];
        if (x.said.id == 0) continue;
        x.hours = x.hour_last = 0; /* places */
        add(to, &x, sizeof x);
        for (uint32_t h = d->allocations[a].hours; h != NIL; h = d->hours[h].next) {
            struct allotment_hour y = d->hours[h];
            y.next = y.allocation = 0;
            add(to, &y, sizeof y);
        }
    }
    for (uint32_t t = 1; t <= d->s->tenders; t++) {
        if (d->tenders[t].account != NIL) add(to, &d->tenders[t], sizeof d->tenders[t]);
    }
    for (uint32_t t = 1; t <= d->s->intakes; t++) {
        if (d->intakes[t].account != NIL) add(to, &d->intakes[t], sizeof d->intakes[t]);
    }
    for (uint32_t e = 1; e <= c->s->exposures; e++) {
        for (uint32_t g = d->age_first[e]; g != NIL; g = d->ages[g].next) {
            int64_t age[3] = {e, d->ages[g].day, d->ages[g].lots};
            add(to, age, sizeof age);
        }
    }
    add(to, d->pending, ((size_t)c->s->accounts + 1) * sizeof *d->pending);
}

/* ---- invariants ---- */

static uint32_t check_hours(const struct core *c, uint32_t a)
{
    const struct deliveries *d = &c->deliver;
    const struct allotment *x = &d->allocations[a];
    uint32_t count = 0, block = 0;
    int64_t before = INT64_MIN, short_work = 0;
    for (uint32_t h = x->hours; h != NIL; h = d->hours[h].next, count++) {
        const struct allotment_hour *y = &d->hours[h];
        bool extra = (y->said.flags & HOUR_FLAG_MAKE_UP) != 0;
        ASSERT(y->allocation == a && y->said.allocation == x->said.id);
        ASSERT(extra || count == block);
        if (!extra) ASSERT(y->said.hour.v > before); /* (4) */
        before = y->said.hour.v;
        block += extra ? 0 : 1;
        ASSERT(y->escrowed >= 0 && y->said.work >= 0 && y->short_work >= 0);
        ASSERT(x->tokens != 0 || y->escrowed == 0);
        short_work += y->short_work;
        if (d->hours[h].next == NIL) ASSERT(x->hour_last == h);
    }
    ASSERT(block == x->block_hours && short_work == x->said.work_short);
    return count;
}

static void check_ages(const struct core *c)
{
    const struct deliveries *d = &c->deliver;
    uint32_t used = 0, unused = 0;
    for (uint32_t e = 1; e <= c->s->exposures; e++) {
        int64_t before = INT64_MIN;
        for (uint32_t g = d->age_first[e]; g != NIL; g = d->ages[g].next, used++) {
            ASSERT(d->ages[g].lots > 0 && d->ages[g].day >= before); /* (5) */
            before = d->ages[g].day;
        }
    }
    for (uint32_t g = d->s->age_free; g != NIL; g = d->ages[g].next) unused += 1;
    ASSERT(used + unused == d->s->ages);
}

void delivery_check(const struct core *c)
{
    const struct deliveries *d = &c->deliver;
    int128_t held = 0, pending = 0, required = 0;
    uint32_t live = 0, hours = 0, unused = 0;
    for (uint32_t a = 1; a <= d->s->allocations; a++) {
        const struct allotment *x = &d->allocations[a];
        if (x->said.id == 0) continue;
        ASSERT(allocation_find(c, x->said.id) == a);
        allocation_check_due(c, a); /* (3) */
        bool closed = x->said.state == ALLOCATION_closed;
        ASSERT(x->escrow_buyer.v >= 0 && x->escrow_seller.v >= 0 && x->escrow_first.v >= 0);
        ASSERT(x->first_buyer != NIL || x->escrow_first.v == 0); /* (7) */
        ASSERT((x->first_buyer != NIL) == ((x->said.flags & ALLOCATION_FLAG_RESOLD) != 0));
        ASSERT(x->said.state == ALLOCATION_ready || (x->said.flags & ALLOCATION_FLAG_ON_SALE) == 0);
        held += (int128_t)x->escrow_buyer.v + x->escrow_seller.v + x->escrow_first.v;
        pending += (int128_t)x->pending_buyer.v + x->pending_seller.v;
        bool none = x->escrow_buyer.v == 0 && x->escrow_seller.v == 0 && x->tokens == 0 &&
                    x->escrow_first.v == 0;
        if (closed) ASSERT(none && x->said.work_short == 0);
        if (!closed) ASSERT(x->due != INT64_MAX && d->s->due <= int64_max(x->due, c->s->ts.v));
        if (x->said.state != ALLOCATION_allotted)
            ASSERT(x->pending_buyer.v == 0 && x->pending_seller.v == 0);
        live += closed ? 0 : 1;
        hours += check_hours(c, a);
    }
    for (uint32_t h = d->s->hour_free; h != NIL; h = d->hours[h].next) unused += 1;
    ASSERT(live == d->s->live && hours == d->s->hours_used);
    ASSERT(hours + unused == d->s->hours);
    for (uint32_t a = 1; a <= c->s->accounts; a++) required += d->pending[a];
    ASSERT(required == pending); /* (2) */
    int64_t cash = d->s->account == NIL ? 0 : ledger_cash(c, d->s->account);
    ASSERT(held == cash); /* (1) */
    check_ages(c);
}
