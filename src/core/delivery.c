/* delivery.c: see delivery.h. The pools, the clock, what is said and asked; every state has a
 * deadline, and allocation_step is the one place where a deadline comes true. */
#include "core/delivery_internal.h"

#include "core/default.h"
#include "core/schedule.h"

#include <string.h>

enum {
    HOURS_PER_ALLOCATION = 28, /* a day's, and some to make up in */
    STEPS_PER_COMMAND = 16,
    CASH_KEPT = 4096,
    NOTICES_KEPT = 512,
};

/* ---- memory ---- */

static uint32_t kept(uint32_t most, const struct core_limits *l)
{
    return l->settlements < most ? l->settlements : most;
}

void delivery_cut(struct core *c, struct arena *a)
{
    const struct core_limits *l = &c->limits;
    struct deliveries *d = &c->deliver;
    d->allocation_max = l->allocations;
    d->hour_max = l->allocations * HOURS_PER_ALLOCATION;
    d->tender_max = l->allocations;
    d->age_max = l->exposures;
    d->cash_max = kept(CASH_KEPT, l);
    d->notice_max = kept(NOTICES_KEPT, l);
    d->s = arena_cut(a, 1, sizeof *d->s);
    d->allocations = arena_cut(a, d->allocation_max + 1, sizeof *d->allocations);
    d->hours = arena_cut(a, d->hour_max + 1, sizeof *d->hours);
    d->tenders = arena_cut(a, d->tender_max + 1, sizeof *d->tenders);
    d->intakes = arena_cut(a, d->tender_max + 1, sizeof *d->intakes);
    d->ages = arena_cut(a, d->age_max + 1, sizeof *d->ages);
    d->age_first = arena_cut(a, l->exposures + 1, sizeof *d->age_first);
    d->pending = arena_cut(a, l->accounts + 1, sizeof *d->pending);
    d->cash = arena_cut(a, d->cash_max, sizeof *d->cash);
    d->notices = arena_cut(a, d->notice_max, sizeof *d->notices);
    map_cut(&d->map, a, d->allocation_max, a->base ? &d->s->map_count : NULL);
}

void delivery_start(struct core *c) { c->deliver.s->due = INT64_MAX; }

size_t delivery_outbox_bytes(const struct core_limits *l)
{
    /* A notice says each exposure's posting pair and, at most, its end in money, and each
     * allocation; a step an allocation's hours with their tokens and payments; the end of a sale
     * each allocation that comes of it, with its hour and its margins. */
    const size_t hour = sizeof(struct event_delivery_hour) + sizeof(struct event_delivery_cash) +
                        16 * sizeof(struct event_posting);
    return (size_t)l->exposures * (2 * sizeof(struct event_delivery_cash) +
                                   6 * sizeof(struct event_posting)) +
           (size_t)l->allocations * (sizeof(struct event_allocation) +
                                     sizeof(struct event_tender) + sizeof(struct event_intake) +
                                     hour) +
           (size_t)STEPS_PER_COMMAND * 64 * hour +
           DELIVERY_HOURS_ASKED_MAX * sizeof(struct event_delivery_hour) +
           (size_t)(CASH_KEPT + NOTICES_KEPT) * sizeof(struct event_delivery_cash);
}

/* ---- small readers ---- */

int64_t delivery_value(int64_t work, int64_t price)
{
    return money_clamp(int128_div_half_even((int128_t)work * price, NS_PER_SECOND)); /* nano-CT */
}

int64_t delivery_share_floor(int64_t amount, int64_t share_e6)
{
    return money_clamp(int128_div_floor((int128_t)amount * share_e6, E6));
}

static ts_t instant_before(int64_t start, int64_t days, uint32_t second)
{
    int64_t day = int64_div_floor(start, NS_PER_DAY) - days;
    return TS(day * NS_PER_DAY + (int64_t)second * NS_PER_SECOND);
}

ts_t delivery_instant(const struct core *c, uint32_t instrument, int64_t days, uint32_t second)
{
    return instant_before(c->instruments[instrument].terms.start.v, days, second);
}

/* ---- terms ---- */

static bool days_are_valid(const struct delivery_terms *t)
{
    const uint32_t most = 60;
    uint32_t days[6] = {t->last_days, t->position_days, t->notice_days, t->margin_days,
                        t->canary_days, t->canary_days};
    uint32_t at[6] = {t->last_at, 0, t->notice_at, t->margin_at, t->canary_at, t->canary_by};
    int64_t before = INT64_MIN;
    for (int i = 0; i < 6; i++) {
        if (days[i] > most || at[i] >= DAY_SECONDS) return false;
        int64_t instant = -(int64_t)days[i] * DAY_SECONDS + at[i];
        bool opens = i == 1; /* the position day may begin before trading ends */
        if (!opens && instant <= before) return false;
        if (!opens) before = instant;
    }
    int64_t position = -(int64_t)t->position_days * DAY_SECONDS;
    int64_t notice = -(int64_t)t->notice_days * DAY_SECONDS + t->notice_at;
    return position < notice && before <= 0 && t->pay_at < DAY_SECONDS;
}

static bool shares_are_valid(const struct delivery_terms *t)
{
    const int64_t most = 10 * E6;
    for (uint32_t i = 0; i < GRADE_count; i++) {
        if (!within(t->grade_e6[i], 1, most)) return false;
        if (i > 0 && t->grade_e6[i] < t->grade_e6[i - 1]) return false;
    }
    return within(t->grade_cap_e6, E6, most) && within(t->tolerance_hour_e6, 0, E6) &&
           within(t->tolerance_day_e6, 0, E6) && within(t->margin_seller_e6, 1, most) &&
           within(t->margin_buyer_e6, 1, most) && within(t->buy_in_e6, E6, most) &&
           within(t->buy_in_max_e6, t->buy_in_e6, 100 * E6) &&
           within(t->damages_short_e6, 0, most) && within(t->damages_nothing_e6, 0, most) &&
           within(t->damages_falsified_e6, 0, most) && within(t->fee, 0, PRICE_MAX);
}

static bool times_are_valid(const struct delivery_terms *t)
{
    const int64_t most = 60 * NS_PER_DAY;
    return within(t->meter_ns, 1, NS_PER_DAY) && within(t->sign_ns, 1, t->meter_ns) &&
           within(t->make_up_ns, 0, 7 * NS_PER_DAY) && within(t->buy_in_ns, 1, NS_PER_DAY) &&
           within(t->challenge_ns, 1, most) && within(t->answer_ns, 1, most);
}

static bool is_zero(const struct delivery_terms *t)
{
    static const struct delivery_terms none;
    return memcmp(t, &none, sizeof none) == 0;
}

bool delivery_terms_valid(const struct command_product_create *p)
{
    const struct delivery_terms *t = &p->delivery;
    if (t->class.vintage == 0) return is_zero(t);
    if (p->settlement != SETTLEMENT_physical || p->contract_unit != UNIT_hour) return false;
    if (t->class.grade >= GRADE_count) return false;
    /* A physical product has no mean of hours to settle at. */
    return p->settlement_rules.index == 0 && days_are_valid(t) && shares_are_valid(t) &&
           times_are_valid(t);
}

bool delivery_can_open(const struct core *c, const struct command_product_create *p)
{
    bool open = p->delivery.class.vintage == 0 || c->deliver.s->account != NIL;
    return open || account_room_own(c, 1);
}

void delivery_open(struct core *c, const struct command_product_create *p)
{
    if (p->delivery.class.vintage == 0 || c->deliver.s->account != NIL) return;
    c->deliver.s->account = clearing_account(c, "delivery", NIL);
    ASSERT(c->deliver.s->account != NIL);
}

bool delivery_applies(const struct core *c, uint32_t instrument)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    if (t->is_spread || product_of(c, instrument)->terms.delivery.class.vintage == 0) return false;
    return t->period == PERIOD_day || t->period == PERIOD_hour;
}

ts_t delivery_last_trading(const struct command_product_create *p, ts_t start)
{
    return instant_before(start.v, p->delivery.last_days, p->delivery.last_at);
}

/* Trading that goes on beyond notice day (an hour of the spot market) ends with its notice: margin
 * and tokens are due at once, and there is no canary. */
ts_t delivery_notice_at(const struct core *c, uint32_t instrument)
{
    const struct delivery_terms *t = terms_of(c, instrument);
    ts_t at = delivery_instant(c, instrument, t->notice_days, t->notice_at);
    return TS(int64_max(at.v, c->instruments[instrument].terms.expires_at.v));
}

bool delivery_is_prompt(const struct core *c, uint32_t instrument)
{
    const struct delivery_terms *t = terms_of(c, instrument);
    ts_t canary = delivery_instant(c, instrument, t->canary_days, t->canary_at);
    return delivery_notice_at(c, instrument).v >= canary.v;
}

static ts_t notice_at(const struct core *c, uint32_t instrument)
{
    return TS(int64_max(delivery_notice_at(c, instrument).v, c->deliver.s->retry.v));
}

static void due_lower(struct core *c, int64_t due)
{
    c->deliver.s->due = int64_min(c->deliver.s->due, due);
    schedule_delivery(c);
}

void delivery_listed(struct core *c, uint32_t instrument)
{
    if (!delivery_applies(c, instrument)) return;
    c->deliver.s->waiting += 1;
    due_lower(c, notice_at(c, instrument).v);
}

/* ---- pools ---- */

uint32_t allocation_find(const struct core *c, uint64_t id)
{
    const uint32_t *found = id == 0 ? NULL : map_find(&c->deliver.map, id);
    return found == NULL ? NIL : *found;
}

static void allocation_forget(struct core *c, uint32_t a)
{
    struct deliveries *d = &c->deliver;
    uint32_t next;
    for (uint32_t h = d->allocations[a].hours; h != NIL; h = next) {
        next = d->hours[h].next;
        d->hours[h] = (struct allotment_hour){.next = d->s->hour_free};
        d->s->hour_free = h;
        d->s->hours_used -= 1;
    }
    map_remove(&d->map, d->allocations[a].said.id);
    d->allocations[a] = (struct allotment){0};
}

void allocation_drop(struct core *c, uint32_t a)
{
    allocation_forget(c, a);
    c->deliver.s->live -= 1;
}

/* The closed one that was opened first; NIL: none. */
static uint32_t oldest_closed(const struct core *c)
{
    const struct deliveries *d = &c->deliver;
    uint32_t found = NIL;
    for (uint32_t a = 1; a <= d->s->allocations; a++) {
        const struct allotment *x = &d->allocations[a];
        if (x->said.id == 0 || x->said.state != ALLOCATION_closed) continue;
        if (found == NIL || x->said.id < d->allocations[found].said.id) found = a;
    }
    return found;
}

static uint32_t place_free(const struct core *c)
{
    const struct deliveries *d = &c->deliver;
    if (d->s->allocations < d->allocation_max) return d->s->allocations + 1;
    for (uint32_t a = 1; a <= d->s->allocations; a++) {
        if (d->allocations[a].said.id == 0) return a;
    }
    return NIL;
}

uint32_t allocation_take(struct core *c, uint32_t hours)
{
    struct deliveries *d = &c->deliver;
    uint32_t place = place_free(c);
    while (place == NIL || d->hour_max - d->s->hours_used < hours) {
        uint32_t old = oldest_closed(c);
        if (old == NIL) return NIL;
        allocation_forget(c, old);
        if (place == NIL) place = old;
    }
    if (place > d->s->allocations) d->s->allocations = place;
    d->allocations[place].said.id = ++d->s->allocation_id;
    map_insert(&d->map, d->s->allocation_id, place);
    d->s->live += 1;
    return place;
}

uint32_t hour_add(struct core *c, uint32_t a, int64_t hour, int64_t work_due)
{
    struct deliveries *d = &c->deliver;
    struct allotment *x = &d->allocations[a];
    uint32_t h = d->s->hour_free;
    if (h != NIL) d->s->hour_free = d->hours[h].next;
    else if (d->s->hours < d->hour_max) h = ++d->s->hours;
    if (h == NIL) return NIL;
    d->s->hours_used += 1;
    d->hours[h] = (struct allotment_hour){.allocation = a};
    struct event_delivery_hour *e = &d->hours[h].said;
    e->allocation = x->said.id;
    e->instrument = x->said.instrument;
    e->hour = TS(hour * NS_PER_HOUR);
    e->work_due = work_due;
    e->bound_e6 = E6;
    e->reference = PRICE_NONE;
    if (x->hour_last == NIL) x->hours = h;
    else d->hours[x->hour_last].next = h;
    x->hour_last = h;
    return h;
}

uint32_t hour_of_allocation(const struct core *c, uint32_t a, int64_t hour)
{
    uint32_t h = c->deliver.allocations[a].hours;
    while (h != NIL && c->deliver.hours[h].said.hour.v != hour * NS_PER_HOUR)
        h = c->deliver.hours[h].next;
    return h;
}

uint32_t tender_find(const struct core *c, uint32_t account, uint32_t instrument,
                     uint32_t resource)
{
    for (uint32_t t = 1; t <= c->deliver.s->tenders; t++) {
        const struct tender *x = &c->deliver.tenders[t];
        if (x->account == account && x->terms.instrument == instrument &&
            (resource == 0 || x->terms.resource == resource))
            return t;
    }
    return NIL;
}

uint32_t intake_find(const struct core *c, uint32_t account, uint32_t instrument)
{
    for (uint32_t t = 1; t <= c->deliver.s->intakes; t++) {
        const struct intake *x = &c->deliver.intakes[t];
        if (x->account == account && x->terms.instrument == instrument) return t;
    }
    return NIL;
}

uint32_t intake_for(const struct core *c, uint32_t account, uint32_t instrument)
{
    uint32_t t = intake_find(c, account, instrument);
    return t == NIL && delivery_is_prompt(c, instrument) ? intake_find(c, account, NIL) : t;
}

/* ---- what is said ---- */

void event_allocation_push(const struct core *c, struct outbox *out, uint32_t a)
{
    struct event_allocation *e = outbox_push(out, EVENT_allocation, sizeof *e);
    struct event_header header = e->header;
    *e = c->deliver.allocations[a].said;
    e->header = header;
}

void event_delivery_hour_push(const struct core *c, struct outbox *out, uint32_t h)
{
    struct event_delivery_hour *e = outbox_push(out, EVENT_delivery_hour, sizeof *e);
    struct event_header header = e->header;
    *e = c->deliver.hours[h].said;
    e->header = header;
}

void delivery_cash_say(struct core *c, const struct event_delivery_cash *said)
{
    struct event_delivery_cash *e = outbox_push(c->out, EVENT_delivery_cash, sizeof *e);
    struct event_header header = e->header;
    *e = *said;
    e->header = header;
    c->deliver.cash[++c->deliver.s->cash_id % c->deliver.cash_max] = *e;
}

/* ---- the clock ---- */

/* CLEAR-10: house accounts of a member in default deliver no more. */
static bool is_gone(const struct core *c, uint32_t account)
{
    const struct account *x = &c->accounts[account];
    return x->origin == ORIGIN_house && member_is_in_default(c, x->member);
}

static bool party_is_gone(const struct core *c, const struct allotment *x)
{
    switch ((enum allocation_state)x->said.state) {
    case ALLOCATION_allotted:
    case ALLOCATION_escrowed:
    case ALLOCATION_ready: return is_gone(c, x->said.buyer) || is_gone(c, x->said.seller);
    case ALLOCATION_making_up: return is_gone(c, x->said.seller);
    default: return false;
    }
}

static bool is_paid(const struct allotment *x)
{
    return (x->said.flags & ALLOCATION_FLAG_PAID) != 0;
}

static int64_t ready_due(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    bool on_sale = (x->said.flags & ALLOCATION_FLAG_ON_SALE) != 0;
    int64_t due = on_sale ? x->auction_closes.v : INT64_MAX;
    for (uint32_t h = c->deliver.allocations[a].hours; h != NIL; h = c->deliver.hours[h].next) {
        const struct event_delivery_hour *e = &c->deliver.hours[h].said;
        bool open = e->state < HOUR_metered && (e->flags & HOUR_FLAG_MAKE_UP) == 0;
        if (open) due = int64_min(due, hour_closes(c, a, h).v);
    }
    return due;
}

static int64_t challenge_due(const struct core *c, uint32_t a)
{
    int64_t due = INT64_MAX;
    for (uint32_t h = c->deliver.allocations[a].hours; h != NIL; h = c->deliver.hours[h].next) {
        const struct event_delivery_hour *e = &c->deliver.hours[h].said;
        if (e->state == HOUR_challenged) due = int64_min(due, e->challenged_until.v);
    }
    return due;
}

static int64_t state_due(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    uint32_t i = x->said.instrument;
    switch ((enum allocation_state)x->said.state) {
    case ALLOCATION_allotted: return delivery_instant(c, i, t->margin_days, t->margin_at).v;
    case ALLOCATION_escrowed: return delivery_instant(c, i, t->canary_days, t->canary_by).v;
    case ALLOCATION_ready: return ready_due(c, a);
    case ALLOCATION_making_up: return x->make_up_until.v + t->meter_ns;
    case ALLOCATION_buying_in: return x->auction_closes.v;
    case ALLOCATION_window: /* however short the window is, payment comes first */
        return has_challenge(c, a) || !is_paid(x) ? INT64_MAX : x->said.window_until.v;
    default: return INT64_MAX;
    }
}

static int64_t due_of(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    if (x->said.id == 0 || x->said.state == ALLOCATION_closed) return INT64_MAX;
    if (party_is_gone(c, x)) return c->s->ts.v;
    int64_t due = int64_min(state_due(c, a), challenge_due(c, a));
    bool unpaid = x->said.state > ALLOCATION_ready && !is_paid(x);
    if (unpaid && !has_challenge(c, a)) due = int64_min(due, allocation_pay_at(c, a).v);
    return due;
}

void allocation_say(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    int64_t due = due_of(c, a);
    x->due = due;
    x->said.due = TS(due == INT64_MAX ? 0 : due);
    due_lower(c, due);
    event_allocation_push(c, c->out, a);
}

void allocation_close(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    ASSERT(x->escrow_buyer.v == 0 && x->escrow_seller.v == 0 && x->escrow_first.v == 0);
    ASSERT(x->tokens == 0);
    ASSERT(x->pending_buyer.v == 0 && x->pending_seller.v == 0);
    x->said.state = ALLOCATION_closed;
    c->deliver.s->live -= 1;
    allocation_say(c, a);
}

static void party_leaves(struct core *c, uint32_t a)
{
    const struct event_allocation *e = &c->deliver.allocations[a].said;
    bool seller = is_gone(c, e->seller);
    enum delivery_reason reason =
        seller ? DELIVERY_REASON_seller_default : DELIVERY_REASON_buyer_default;
    if (e->state == ALLOCATION_allotted) {
        allocation_cancel(c, a, reason, seller ? e->seller : e->buyer);
    } else if (e->state == ALLOCATION_making_up) {
        buy_in_begin(c, a, reason);
    } else {
        hours_end(c, a, reason);
    }
}

/* The window is over: what is left of the margins goes home. */
static void window_end(struct core *c, uint32_t a)
{
    escrow_release(c, a, SIDE_buyer);
    escrow_release(c, a, SIDE_seller);
    allocation_close(c, a);
}

static void state_end(struct core *c, uint32_t a)
{
    switch ((enum allocation_state)c->deliver.allocations[a].said.state) {
    case ALLOCATION_allotted: allocation_margin_day(c, a); return;
    case ALLOCATION_escrowed: hours_end(c, a, DELIVERY_REASON_canary); return;
    case ALLOCATION_ready:
        if (resale_is_over(c, a)) resale_end(c, a);
        else hours_meter(c, a);
        return;
    case ALLOCATION_making_up: make_up_end(c, a); return;
    case ALLOCATION_buying_in: buy_in_end(c, a); return;
    case ALLOCATION_window: window_end(c, a); return;
    default: ASSERT(false);
    }
}

/* One thing that is due. Payment comes before the window's end, challenges before payment. */
static void allocation_step(struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    int64_t now = c->s->ts.v;
    if (party_is_gone(c, x)) {
        party_leaves(c, a);
        return;
    }
    if (challenge_due(c, a) <= now) {
        challenges_lapse(c, a);
        return;
    }
    bool unpaid = x->said.state > ALLOCATION_ready && !is_paid(x);
    if (unpaid && !has_challenge(c, a) && allocation_pay_at(c, a).v <= now) block_pay(c, a);
    else state_end(c, a);
}

/* At most one notice a command: it looks at every exposure of its instrument. */
static bool notices_run(struct core *c)
{
    uint32_t waiting = 0, due = NIL;
    if (c->deliver.s->waiting == 0) return false;
    for (uint32_t i = c->s->live_first; i != NIL; i = c->instruments[i].live_next) {
        if (!delivery_applies(c, i)) continue;
        waiting += 1;
        if (due == NIL && notice_at(c, i).v <= c->s->ts.v) due = i;
    }
    c->deliver.s->waiting = waiting;
    if (due == NIL) return false;
    notice_run(c, due);
    return true;
}

static int64_t due_earliest(const struct core *c)
{
    int64_t due = INT64_MAX;
    uint32_t first = c->deliver.s->waiting > 0 ? c->s->live_first : NIL;
    for (uint32_t i = first; i != NIL; i = c->instruments[i].live_next) {
        if (delivery_applies(c, i)) due = int64_min(due, notice_at(c, i).v);
    }
    for (uint32_t a = 1; a <= c->deliver.s->allocations; a++) {
        const struct allotment *x = &c->deliver.allocations[a];
        if (x->said.id != 0) due = int64_min(due, x->due);
    }
    return due;
}

int64_t delivery_due(const struct core *c) { return c->deliver.s->due; }

void delivery_run(struct core *c)
{
    struct delivery_state *s = c->deliver.s;
    uint32_t steps = notices_run(c) ? STEPS_PER_COMMAND / 2 : 0;
    for (uint32_t seen = 0; seen < s->allocations && steps < STEPS_PER_COMMAND; seen++) {
        s->cursor = s->cursor % s->allocations + 1;
        const struct allotment *x = &c->deliver.allocations[s->cursor];
        while (x->said.id != 0 && x->due <= c->s->ts.v && steps < STEPS_PER_COMMAND) {
            allocation_step(c, s->cursor);
            steps += 1;
        }
    }
    s->due = due_earliest(c);
}

static bool is_of(const struct core *c, uint32_t party, uint32_t account, uint32_t member)
{
    return (account != NIL && party == account) ||
           (member != NIL && c->accounts[party].member == member);
}

bool delivery_is_open(const struct core *c, uint32_t account, uint32_t member)
{
    for (uint32_t a = 1; a <= c->deliver.s->allocations && c->deliver.s->live > 0; a++) {
        const struct event_allocation *e = &c->deliver.allocations[a].said;
        if (e->id == 0 || e->state == ALLOCATION_closed) continue;
        uint32_t first = c->deliver.allocations[a].first_buyer;
        if (is_of(c, e->buyer, account, member) || is_of(c, e->seller, account, member) ||
            (first != NIL && is_of(c, first, account, member)))
            return true;
    }
    return false;
}

void delivery_default(struct core *c)
{
    for (uint32_t a = 1; a <= c->deliver.s->allocations; a++) {
        struct allotment *x = &c->deliver.allocations[a];
        if (x->said.id == 0 || !party_is_gone(c, x)) continue;
        x->due = c->s->ts.v;
        due_lower(c, x->due);
    }
}

void allocation_check_due(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    ASSERT(party_is_gone(c, x) ? x->due <= c->s->ts.v : x->due == due_of(c, a));
}
