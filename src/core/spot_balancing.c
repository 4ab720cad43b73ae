/* spot_balancing.c: delivery's own auctions (DELIV-05): balancing, in which it buys in what a
 * seller did not deliver, and resale, in which it sells what a buyer does not take. See spot.h.
 *
 * Bids are sealed steps of nano-CT, hour by hour. At the close, by the clock, each hour of a
 * balancing auction takes the cheapest offers, at one price in order of time, until what is wanted
 * is there; all are paid the price of the dearest that is taken. A resale is its mirror: the
 * highest bids, all at the lowest that is taken. A bid that could not be honoured any more is
 * passed over, and the next one taken. What nobody bid for stays: delivery settles it in cash, or
 * it stays with its buyer. Bids above the most that a CT may cost are not entered at all.
 *
 * Upstream: delivery, spot.c. Downstream: delivery (awards).
 */
#include "core/spot_internal.h"

static bool is_before(const struct core *c, uint32_t x, uint32_t y)
{
    const struct spot_order *a = &c->spot.bids[x], *b = &c->spot.bids[y];
    if (a->price.v == b->price.v) return a->id < b->id;
    return a->side == SIDE_sell ? a->price.v < b->price.v : a->price.v > b->price.v;
}

/* Sinks the heap's element at `i`: the last in order lies on top. */
static void heap_sink(const struct core *c, struct share *heap, uint32_t count, uint32_t i)
{
    for (uint32_t child; (child = 2 * i + 1) < count; i = child) {
        bool right = child + 1 < count && is_before(c, heap[child].order, heap[child + 1].order);
        if (right) child += 1;
        if (!is_before(c, heap[i].order, heap[child].order)) return;
        struct share kept = heap[i];
        heap[i] = heap[child];
        heap[child] = kept;
    }
}

/* An hour's bids, the best first; returns how many. */
static uint32_t bids_sort(struct core *c, const struct spot_auction *a, uint32_t hour)
{
    uint32_t count = 0;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        if (c->spot.bids[i].hour == hour) c->shares[count++] = (struct share){.order = i};
    }
    for (uint32_t i = count / 2; i > 0; i--) heap_sink(c, c->shares, count, i - 1);
    for (uint32_t left = count; left > 1; left--) {
        struct share kept = c->shares[0];
        c->shares[0] = c->shares[left - 1];
        c->shares[left - 1] = kept;
        heap_sink(c, c->shares, left - 1, 0);
    }
    return count;
}

/* What a bid gets of what is left, if with all that its account has won in this hour it can be
 * honoured. */
static void bid_fill(struct core *c, const struct spot_hour *h, uint32_t bid)
{
    struct spot_order *b = &c->spot.bids[bid];
    int64_t *won = &c->spot.net[b->account];
    int64_t work = int64_min(b->qty, h->wanted - h->qty);
    b->filled = work > 0 && firm_holds(c, bid, *won + work) ? work : 0;
    *won += b->filled;
    b->state = (uint8_t)(work > b->filled ? SPOT_BID_passed_over : spot_step_state(b));
}

static void hour_clear(struct core *c, struct spot_auction *a, uint32_t hour)
{
    struct spot_hour *h = &a->hour[hour];
    uint32_t count = bids_sort(c, a, hour);
    for (uint32_t i = 0; i < count; i++) c->spot.net[c->spot.bids[c->shares[i].order].account] = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct spot_order *b = &c->spot.bids[c->shares[i].order];
        bid_fill(c, h, c->shares[i].order);
        if (b->filled == 0) {
            firm_set(c, c->shares[i].order, MONEY(0));
            continue;
        }
        h->qty += b->filled;
        h->price = h->low = h->high = b->price;
        int64_t gain = a->kind == SPOT_balancing ? a->price_max.v - b->price.v
                                                 : b->price.v - a->price_min.v;
        a->surplus += (int128_t)gain * b->filled;
        a->accepted += 1;
    }
}

void balancing_clear(struct core *c, struct spot_auction *a)
{
    for (uint32_t h = 0; h < a->hours; h++) hour_clear(c, a, h);
    a->state = SPOT_STATE_done;
    a->done = c->s->ts;
    a->bound = a->claimed = a->surplus; /* the best first: nothing is better */
    a->optimal = 1;
    a->awaited = 1;
    event_spot_auction_push(c->out, a);
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next)
        event_spot_bid_push(c, c->out, i);
    for (uint32_t h = 0; h < a->hours; h++) event_spot_hour_push(c->out, a, h);
}

static bool balancing_is_valid(const struct core *c, const struct balancing *b)
{
    if (b->kind != SPOT_balancing && b->kind != SPOT_resale) return false;
    if (b->hours < 1 || b->hours > BALANCING_HOURS_MAX || b->closes.v <= c->s->ts.v) return false;
    for (uint32_t h = 0; h < b->hours; h++) {
        if (!within(b->work[h], 0, WORK_PER_HOUR_MAX)) return false;
    }
    return within(b->price_max.v, 0, PRICE_MAX);
}

uint64_t balancing_open(struct core *c, const struct balancing *b)
{
    ASSERT(balancing_is_valid(c, b));
    struct spot_auction *a = spot_place(c);
    if (a == NULL) return 0;
    a->kind = (uint8_t)b->kind;
    a->reference = b->reference;
    a->hours = b->hours;
    a->first_hour = b->first_hour;
    a->closes = b->closes;
    a->deadline = b->closes;
    a->price_max = b->price_max;
    a->class = b->class;
    for (uint32_t h = 0; h < b->hours; h++) a->hour[h].wanted = b->work[h];
    c->spot.s->auction_id = a->id;
    spot_due_set(c);
    event_spot_auction_push(c->out, a);
    for (uint32_t h = 0; h < a->hours; h++) event_spot_hour_push(c->out, a, h);
    return a->id;
}

int balancing_over(const struct core *c, uint64_t auction)
{
    const struct spot_auction *a = spot_find(c, auction);
    if (a == NULL || a->kind == SPOT_day_ahead) return -1;
    return spot_is_live(a) ? 0 : 1;
}

void balancing_void(struct core *c, uint64_t auction)
{
    struct spot_auction *a = spot_find(c, auction);
    if (a == NULL || (!spot_is_live(a) && a->awaited == 0)) return;
    bool live = spot_is_live(a);
    a->awaited = 0;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        firm_set(c, i, MONEY(0));
        if (live) c->spot.bids[i].state = SPOT_BID_cancelled;
    }
    if (!live) return;
    a->state = SPOT_STATE_failed;
    a->done = c->s->ts;
    a->version += 1;
    spot_due_set(c);
    event_spot_auction_push(c->out, a);
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next)
        event_spot_bid_push(c, c->out, i);
}

/* What each account has won of an hour, at the hour's one price: one award each, so that crumbs
 * cannot fill delivery's places. Its firm margin goes into escrow with it. */
static void hour_won(struct core *c, const struct spot_auction *a, uint32_t hour)
{
    int64_t *won = c->spot.net;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next)
        won[c->spot.bids[i].account] = 0;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        if (b->hour != hour || b->filled == 0) continue;
        won[b->account] += b->filled;
        firm_set(c, i, MONEY(0));
    }
}

uint32_t balancing_awards(struct core *c, uint64_t auction, balancing_take *take, void *context)
{
    struct spot_auction *a = spot_find(c, auction);
    uint32_t count = 0;
    if (balancing_over(c, auction) != 1) return 0;
    a->awaited = 0;
    for (uint32_t h = 0; h < a->hours; h++) {
        hour_won(c, a, h);
        for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
            uint32_t account = c->spot.bids[i].account;
            struct balancing_award award = {.account = account, .hour = h,
                                            .work = c->spot.net[account],
                                            .price = a->hour[h].price};
            if (award.work == 0) continue;
            c->spot.net[account] = 0;
            take(c, context, &award);
            count += 1;
        }
    }
    return count;
}
