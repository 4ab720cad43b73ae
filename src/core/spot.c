/* spot.c: auctions of the spot market: how they open, close and fail, by command and by the clock
 * (INDEX-01). See spot.h.
 *
 * Upstream: core.c. Downstream: spot_bid, spot_result, spot_balancing.
 */
#include "core/spot_internal.h"

#include "core/calendar.h"
#include "core/implied.h"

enum { /* capacity, by the venue's limits */
    ORDERS_PER_BID = 8,
    ORDERS_PER_PROFILE = 128,
    BIDS_MIN = 16,
    AUCTIONS_PER_REQUEST = 4, /* places: requests / 4 */
    AUCTIONS_MIN = 8,
};

static uint32_t bids_max(const struct core_limits *l)
{
    return l->orders / ORDERS_PER_BID > BIDS_MIN ? l->orders / ORDERS_PER_BID : BIDS_MIN;
}
static uint32_t profiles_max(const struct core_limits *l)
{
    return l->orders / ORDERS_PER_PROFILE > BIDS_MIN ? l->orders / ORDERS_PER_PROFILE : BIDS_MIN;
}
static uint32_t auctions_max(const struct core_limits *l)
{
    uint32_t by_requests = l->requests / AUCTIONS_PER_REQUEST;
    return by_requests > AUCTIONS_MIN ? by_requests : AUCTIONS_MIN;
}

void spot_cut(struct core *c, struct arena *a)
{
    struct spot *m = &c->spot;
    m->auction_count = auctions_max(&c->limits);
    m->bid_count = bids_max(&c->limits);
    m->profile_count = profiles_max(&c->limits);
    m->s = arena_cut(a, 1, sizeof *m->s);
    m->auctions = arena_cut(a, m->auction_count, sizeof *m->auctions);
    m->bids = arena_cut(a, m->bid_count + 1, sizeof *m->bids);
    m->profiles = arena_cut(a, m->profile_count + 1, sizeof *m->profiles);
    m->firm = arena_cut(a, c->limits.accounts + 1, sizeof *m->firm);
}

void spot_start(struct core *c) { c->spot.s->due = INT64_MAX; }

/* What a result, or a question about bids, says at most. */
size_t spot_outbox_bytes(const struct core_limits *l)
{
    return (size_t)bids_max(l) * sizeof(struct event_spot_bid) +
           (size_t)auctions_max(l) *
               (sizeof(struct event_spot_auction) +
                SPOT_HOURS_MAX * (sizeof(struct event_spot_hour) + sizeof(struct event_state) +
                                  sizeof(struct event_instrument)));
}

/* ---- auctions ---- */

struct spot_auction *spot_find(const struct core *c, uint64_t id)
{
    struct spot_auction *a = &c->spot.auctions[id % c->spot.auction_count];
    return id != 0 && a->id == id ? a : NULL;
}

static void surplus_set(struct spot_surplus *to, int128_t value)
{
    to->high = (int64_t)(value >> 64);
    to->low = (uint64_t)value;
}

void event_spot_auction_push(struct outbox *out, const struct spot_auction *a)
{
    struct event_spot_auction *e = outbox_push(out, EVENT_spot_auction, sizeof *e);
    struct event_header header = e->header;
    *e = (struct event_spot_auction){
        .header = header, .id = a->id, .version = a->version, .reference = a->reference,
        .product = a->product, .hours = a->hours, .kind = a->kind, .state = a->state,
        .optimal = a->optimal, .steps = a->steps, .blocks = a->blocks,
        .start = TS(a->first_hour * NS_PER_HOUR), .opened = a->opened, .closes = a->closes,
        .deadline = a->deadline, .done = a->done, .price_min = a->price_min,
        .price_max = a->price_max, .nodes = a->nodes, .accepted = a->accepted,
        .paradoxical = a->paradoxical, .class = a->class};
    surplus_set(&e->surplus, a->surplus);
    surplus_set(&e->bound, a->bound);
    surplus_set(&e->claimed, a->claimed);
}

void event_spot_hour_push(struct outbox *out, const struct spot_auction *a, uint32_t hour)
{
    const struct spot_hour *h = &a->hour[hour];
    struct event_spot_hour *e = outbox_push(out, EVENT_spot_hour, sizeof *e);
    e->auction = a->id;
    e->hour = hour;
    e->instrument = h->instrument;
    e->start = TS((a->first_hour + hour) * NS_PER_HOUR);
    e->price = h->price;
    e->price_low = h->low;
    e->price_high = h->high;
    e->qty = QTY(h->qty);
    e->wanted = QTY(h->wanted);
}

void spot_due_set(struct core *c)
{
    int64_t due = INT64_MAX;
    for (uint32_t p = 1; p <= c->s->products; p++)
        due = int64_min(due, c->products[p].spot_due);
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        const struct spot_auction *a = &c->spot.auctions[i];
        if (a->state == SPOT_STATE_open) due = int64_min(due, a->closes.v);
        if (a->state == SPOT_STATE_closed) due = int64_min(due, a->deadline.v);
    }
    c->spot.s->due = due;
}

/* The next id's place: of what is over, the oldest goes. One that lives keeps its place: the ids in
 * between are never given. */
struct spot_auction *spot_place(struct core *c)
{
    for (uint64_t id = c->spot.s->auction_id + 1;
         id <= c->spot.s->auction_id + c->spot.auction_count; id++) {
        struct spot_auction *a = &c->spot.auctions[id % c->spot.auction_count];
        if (!spot_is_spent(a)) continue;
        if (id > UINT32_MAX) return NULL; /* trades refer to it in 32 bits */
        spot_forget(c, a);
        *a = (struct spot_auction){.id = id, .version = 1, .state = SPOT_STATE_open,
                                   .opened = c->s->ts};
        for (uint32_t h = 0; h < SPOT_HOURS_MAX; h++)
            a->hour[h] = (struct spot_hour){.price = PRICE_NONE, .low = PRICE_NONE,
                                            .high = PRICE_NONE};
        return a;
    }
    return NULL;
}

/* ---- the hours ---- */

static uint32_t hour_find(const struct core *c, uint32_t product, int64_t hour,
                          struct period *period)
{
    *period = (struct period){.kind = PERIOD_hour, .block = BLOCK_base, .first_hour = hour,
                              .end_hour = hour + 1};
    return instrument_find(c, product, period);
}

/* Finds or lists an hour's instrument, which trades until the hour begins. */
static enum reject hour_open(struct core *c, uint32_t product, int64_t hour, uint32_t *id)
{
    struct period period;
    *id = hour_find(c, product, hour, &period);
    if (*id != NIL) {
        const struct instrument *in = &c->instruments[*id];
        if (instrument_is_past(c, *id)) return REJECT_instrument_expired;
        if (in->spot != 0) return REJECT_already_exists;
        return in->own_state == 0 ? REJECT_none : REJECT_invalid_state; /* a protection's */
    }
    struct command_instrument_list l = {.product = product, .expires_at = TS(hour * NS_PER_HOUR)};
    calendar_period_name(&period, l.period);
    return instrument_open(c, &l, false, id);
}

/* While it gathers bids, and until its result stands, an hour's book is halted. */
static void hour_hold(struct core *c, uint32_t instrument, uint32_t auction)
{
    struct instrument *in = &c->instruments[instrument];
    enum trading_state before = state_of(c, instrument);
    in->spot = auction;
    in->own_state = STATE_halted;
    event_instrument_state_push(c, instrument, before, "day-ahead auction");
}

void spot_release_hours(struct core *c, struct spot_auction *a)
{
    for (uint32_t h = 0; h < a->hours; h++) {
        uint32_t i = a->hour[h].instrument;
        if (i == NIL || c->instruments[i].spot == 0) continue;
        enum trading_state before = state_of(c, i);
        c->instruments[i].spot = 0;
        c->instruments[i].own_state = STATE_closed;
        event_instrument_state_push(c, i, before, "day-ahead auction is over");
        bool opens = state_of(c, i) == STATE_open && before != STATE_open &&
                     !c->instruments[i].terms.expired;
        if (opens) auction_uncross(c, i);
        if (c->instruments[i].implied == 0) continue;
        implied_mark(c, i);
        if (opens) c->s->implied_sweep = 1;
    }
}

/* Hours that were listed on the way stay listed. */
static enum reject hours_open(struct core *c, uint32_t product, int64_t first, uint32_t hours,
                              uint32_t instruments[SPOT_HOURS_MAX])
{
    for (uint32_t h = 0; h < hours; h++) {
        enum reject reason = hour_open(c, product, first + h, &instruments[h]);
        if (reason != REJECT_none) return reason;
    }
    return REJECT_none;
}

/* ---- opening ---- */

struct opening {
    uint32_t product;
    uint32_t hours;
    int64_t first_hour;
    ts_t closes;
    ts_t deadline;
};

static enum reject auction_open(struct core *c, const struct opening *o)
{
    uint32_t instruments[SPOT_HOURS_MAX];
    const struct spot_terms *t = &c->products[o->product].terms.spot;
    spot_retire(c, o->product);
    enum reject reason = hours_open(c, o->product, o->first_hour, o->hours, instruments);
    if (reason != REJECT_none) return reason;
    struct spot_auction *a = spot_place(c);
    if (a == NULL) return REJECT_capacity_exhausted;
    a->product = o->product;
    a->kind = SPOT_day_ahead;
    a->hours = o->hours;
    a->first_hour = o->first_hour;
    a->closes = o->closes;
    a->deadline = o->deadline;
    a->price_min = t->price_min;
    a->price_max = t->price_max;
    for (uint32_t h = 0; h < o->hours; h++) {
        a->hour[h].instrument = instruments[h];
        hour_hold(c, instruments[h], spot_index(c, a) + 1);
    }
    c->spot.s->auction_id = a->id;
    spot_due_set(c);
    event_spot_auction_push(c->out, a);
    return REJECT_none;
}

static enum reject open_check(const struct core *c, const struct command_spot_open *o)
{
    bool sane = o->hours >= 1 && o->hours <= SPOT_HOURS_MAX && o->start.v > 0 &&
                o->start.v % NS_PER_HOUR == 0 && o->start.v / NS_PER_HOUR < INT64_C(2000000);
    if (!sane) return REJECT_malformed_request;
    if (o->product == NIL || o->product > c->s->products) return REJECT_unknown_product;
    const struct spot_terms *t = &c->products[o->product].terms.spot;
    if (t->price_max.v <= t->price_min.v) return REJECT_not_offered;
    bool timely = o->closes.v > c->s->ts.v && o->deadline.v > o->closes.v &&
                  o->deadline.v <= o->start.v;
    if (!timely) return REJECT_expired_time;
    for (uint32_t h = 0; h < o->hours; h++) {
        struct period period;
        uint32_t i = hour_find(c, o->product, o->start.v / NS_PER_HOUR + h, &period);
        if (i != NIL && c->instruments[i].spot != 0) return REJECT_already_exists;
    }
    return REJECT_none;
}

void spot_open(struct core *c, const struct command *cmd)
{
    const struct command_spot_open *o = &cmd->spot_open;
    enum reject reason = open_check(c, o);
    if (reason == REJECT_none) {
        struct opening opening = {.product = o->product, .hours = o->hours,
                                  .first_hour = o->start.v / NS_PER_HOUR, .closes = o->closes,
                                  .deadline = o->deadline};
        reason = auction_open(c, &opening);
    }
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}

/* ---- the end without a result ---- */

static void auction_fail(struct core *c, struct spot_auction *a)
{
    spot_unwork(c, a);
    for (uint32_t b = a->first; b != NIL; b = c->spot.bids[b].next)
        c->spot.bids[b].state = SPOT_BID_cancelled;
    a->state = SPOT_STATE_failed;
    a->done = c->s->ts;
    a->version += 1;
    spot_release_hours(c, a);
    spot_due_set(c);
    event_spot_auction_push(c->out, a);
    for (uint32_t b = a->first; b != NIL; b = c->spot.bids[b].next)
        event_spot_bid_push(c, c->out, b);
}

void spot_instrument_gone(struct core *c, uint32_t instrument)
{
    uint32_t place = c->instruments[instrument].spot;
    if (place != 0) auction_fail(c, &c->spot.auctions[place - 1]);
}

/* ---- the clock ---- */

bool spot_terms_are_valid(const struct command_product_create *p)
{
    const struct spot_terms *t = &p->spot;
    static const struct spot_terms none;
    if (memcmp(t, &none, sizeof none) == 0) return true;
    bool zoned = t->zone == SPOT_ZONE_utc       ? within(t->offset_hours, -12, 14)
                 : t->zone == SPOT_ZONE_europe  ? within(t->offset_hours, 0, 2)
                 : t->zone == SPOT_ZONE_america ? within(t->offset_hours, -10, -4)
                                                : false;
    int64_t ahead = int64_max(t->offset_hours + (t->zone != SPOT_ZONE_utc), 0);
    int64_t earliest = DAY_SECONDS - 3600 * ahead;
    bool timed = t->opens_at < t->closes_at && t->result_within > 0 &&
                 t->closes_at < DAY_SECONDS && t->result_within < DAY_SECONDS &&
                 t->closes_at + t->result_within <= earliest;
    bool priced = within(t->price_min.v, -PRICE_MAX, PRICE_MAX) &&
                  within(t->price_max.v, -PRICE_MAX, PRICE_MAX) &&
                  t->price_min.v < t->price_max.v && t->price_min.v % p->tick.v == 0 &&
                  t->price_max.v % p->tick.v == 0;
    bool floored = (p->flags & PRODUCT_FLAG_HAS_FLOOR) == 0 || t->price_min.v >= p->floor.v;
    return t->flags <= (SPOT_FLAG_AUCTION | SPOT_FLAG_INTRADAY) && zoned && timed && priced &&
           floored && p->contract_unit == UNIT_hour;
}

/* When the next day's auction opens that does not close at once. */
static int64_t opening_next(const struct spot_terms *t, int64_t now)
{
    if (t->flags == 0) return INT64_MAX;
    int64_t day = int64_div_floor(now, NS_PER_DAY) * NS_PER_DAY;
    bool over = now >= day + (int64_t)t->closes_at * NS_PER_SECOND;
    return day + (over ? NS_PER_DAY : 0) + (int64_t)t->opens_at * NS_PER_SECOND;
}

void spot_product(struct core *c, uint32_t product)
{
    struct product *p = &c->products[product];
    p->spot_due = opening_next(&p->terms.spot, c->s->ts.v);
    spot_due_set(c);
}

/* The day has no auction, or not all its hours: there was no room, or an hour had been listed with
 * an end of its own. Said as an auction without a number that failed. */
static void unopened_say(struct core *c, const struct opening *o)
{
    struct spot_auction none = {.product = o->product, .state = SPOT_STATE_failed,
                                .hours = o->hours, .first_hour = o->first_hour,
                                .opened = c->s->ts, .closes = o->closes,
                                .deadline = o->deadline, .done = c->s->ts};
    event_spot_auction_push(c->out, &none);
}

/* The auction, or only the hours, of the civil day after the date of `due`. One that was missed
 * altogether is left out. */
static void day_open(struct core *c, uint32_t product)
{
    struct product *p = &c->products[product];
    const struct spot_terms *t = &p->terms.spot;
    int64_t day = int64_div_floor(p->spot_due, NS_PER_DAY);
    struct spot_day civil = spot_day_of((enum spot_zone)t->zone, t->offset_hours, day + 1);
    struct opening o = {.product = product, .hours = civil.hours, .first_hour = civil.first_hour};
    uint32_t instruments[SPOT_HOURS_MAX];
    o.closes = TS(day * NS_PER_DAY + (int64_t)t->closes_at * NS_PER_SECOND);
    o.deadline = TS(o.closes.v + (int64_t)t->result_within * NS_PER_SECOND);
    p->spot_due = opening_next(t, int64_max(o.closes.v, c->s->ts.v));
    if (c->s->ts.v >= o.closes.v) return;
    enum reject reason = (t->flags & SPOT_FLAG_AUCTION) != 0
                             ? auction_open(c, &o)
                             : hours_open(c, product, o.first_hour, o.hours, instruments);
    if (reason != REJECT_none) unopened_say(c, &o);
}

static void auction_close(struct core *c, struct spot_auction *a)
{
    if (a->kind != SPOT_day_ahead) {
        balancing_clear(c, a);
        return;
    }
    a->state = SPOT_STATE_closed;
    event_spot_auction_push(c->out, a);
}

void spot_run(struct core *c)
{
    if (c->s->ts.v < c->spot.s->due) return;
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        struct spot_auction *a = &c->spot.auctions[i];
        if (a->state == SPOT_STATE_open && a->closes.v <= c->s->ts.v) auction_close(c, a);
        if (a->state == SPOT_STATE_closed && a->deadline.v <= c->s->ts.v) auction_fail(c, a);
    }
    for (uint32_t p = 1; p <= c->s->products; p++) {
        if (c->products[p].spot_due <= c->s->ts.v) day_open(c, p);
    }
    spot_due_set(c);
}
