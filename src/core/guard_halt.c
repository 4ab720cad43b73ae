/* guard_halt.c: interruptions of trading, from the halt over an auction back to trading.
 *
 * What stops trading: a circuit breaker (halt, auction), velocity (auction at once), a daily limit
 * (halt, auction with the next limit; at the last one the day ends), or an officer. The lead
 * month's takes the products of its group along; another month's circuit breaker stops that
 * instrument alone. An auction lasts its seconds and then ends at random within some more
 * (MATCH-07): drawn from what has happened so far, so that every replay draws the same.
 *
 * An officer may lengthen an interruption alone; trading before its time takes two (GUARD-05),
 * by whatever other states it goes.
 *
 * Upstream: guard.c, guard_limit.c, session.c. Downstream: session.c (product_move).
 */
#include "base/random.h"
#include "core/guard.h"
#include "core/implied.h"

#include <string.h>

/* ---- what is said ---- */

static struct event_halt *halt_kept(struct core *c, uint64_t id)
{
    struct event_halt *h = &c->halts[id % HALTS_KEPT];
    return id != 0 && h->id == id ? h : NULL;
}

static void halt_push(struct outbox *out, const struct event_halt *h)
{
    struct event_halt *e = outbox_push(out, EVENT_halt, sizeof *e);
    struct event_header header = e->header;
    *e = *h;
    e->header = header;
}

static uint64_t halt_begin(struct core *c, uint32_t product, uint32_t instrument,
                           enum guard_phase phase, ts_t until, const struct halt_cause *cause)
{
    uint64_t id = ++c->s->halt_id;
    struct event_halt *h = &c->halts[id % HALTS_KEPT];
    *h = (struct event_halt){.id = id, .product = product, .instrument = instrument,
                             .rule = cause->rule, .phase = phase, .cause = cause->instrument,
                             .step = c->products[product].interruption.step,
                             .price = cause->price, .limit = cause->limit, .began = c->s->ts,
                             .until = until};
    memcpy(h->reason, cause->reason, strnlen(cause->reason, sizeof h->reason - 1));
    halt_push(c->out, h);
    return id;
}

static void halt_say(struct core *c, uint64_t id, enum guard_phase phase, ts_t until)
{
    struct event_halt *h = halt_kept(c, id);
    if (h == NULL) return;
    h->phase = phase;
    h->until = until;
    if (phase == GUARD_PHASE_none) h->ended = c->s->ts;
    halt_push(c->out, h);
}

/* ---- lengths ---- */

static int64_t auction_length(const struct core *c, uint32_t product)
{
    const struct venue_state *s = c->s;
    const int64_t *v = c->products[product].terms.guards.v;
    int64_t spread = v[GUARD_auction_random_seconds];
    struct random r = {random_mix(s->seq ^ (uint64_t)s->ts.v) + s->order_serial + s->posting_id};
    int64_t more = spread > 0 ? (int64_t)random_below(&r, (uint64_t)spread) : 0;
    return v[GUARD_auction_seconds] + more;
}

int64_t halt_length(const struct core *c, uint32_t product)
{
    const int64_t *v = c->products[product].terms.guards.v;
    int64_t end = v[GUARD_session_end], left = end - (c->s->ts.v - c->s->day * NS_PER_DAY);
    bool late = end != 0 && left >= 0 && left <= v[GUARD_late_minutes];
    return late ? v[GUARD_late_halt_seconds] : v[GUARD_halt_seconds];
}

uint32_t guard_lead(const struct core *c, uint32_t product)
{
    uint32_t lead = NIL;
    bool lead_month = false;
    for (uint32_t i = c->products[product].instruments; i != NIL;
         i = c->instruments[i].next_of_product) {
        const struct event_instrument *t = &c->instruments[i].terms;
        bool month = t->period == PERIOD_month && t->block == BLOCK_base;
        if (t->is_spread || t->expired || t->expires_at.v <= c->s->ts.v) continue;
        bool sooner = lead == NIL || t->expires_at.v < c->instruments[lead].terms.expires_at.v;
        if (lead != NIL && month != lead_month ? !month : !sooner) continue;
        lead = i;
        lead_month = month;
    }
    return lead;
}

/* ---- the clock ---- */

static void due_at(struct core *c, ts_t until)
{
    if (until.v < c->s->guard_due.v) c->s->guard_due = until;
}

static bool is_timed(uint32_t phase)
{
    return phase == GUARD_PHASE_halt || phase == GUARD_PHASE_auction;
}

static void due_find(struct core *c)
{
    c->s->guard_due = TS(INT64_MAX);
    for (uint32_t p = 1; p <= c->s->products; p++) {
        const struct guard_interruption *x = &c->products[p].interruption;
        if (is_timed(x->phase)) due_at(c, x->until);
    }
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        if (is_timed(c->guards[i].phase)) due_at(c, c->guards[i].until);
    }
}

/* ---- products ---- */

static void product_interrupt(struct core *c, uint32_t product, enum guard_phase phase,
                              int64_t length, const struct halt_cause *cause)
{
    struct product *p = &c->products[product];
    struct guard_interruption *x = &p->interruption;
    bool halts = phase == GUARD_PHASE_halt;
    if (cause->rule == GUARD_RULE_limit && p->terms.guards.v[GUARD_limit_percent] != 0)
        x->step += 1;
    x->phase = phase;
    x->until = TS(c->s->ts.v + length);
    x->halt = halt_begin(c, product, 0, phase, x->until, cause);
    due_at(c, x->until);
    product_move(c, product, halts ? STATE_halted : STATE_auction, cause->reason);
    for (uint32_t i = p->instruments; i != NIL; i = c->instruments[i].next_of_product) {
        guard_forget(c, i);
        if (cause->rule == GUARD_RULE_limit) price_limit_refresh(c, i);
    }
}

static bool in_group(const struct core *c, uint32_t product, uint32_t other)
{
    const char *a = c->products[product].terms.guards.group;
    const char *b = c->products[other].terms.guards.group;
    return product == other || (a[0] != 0 && memcmp(a, b, GUARD_GROUP_SIZE) == 0);
}

void halt_group(struct core *c, uint32_t product, enum guard_phase phase, int64_t length,
                const struct halt_cause *cause)
{
    if (phase == GUARD_PHASE_auction) length = auction_length(c, product);
    for (uint32_t p = 1; p <= c->s->products; p++) {
        if (in_group(c, product, p) && c->products[p].state == STATE_open)
            product_interrupt(c, p, phase, length, cause);
    }
}

void halt_close(struct core *c, uint32_t product, const struct halt_cause *cause)
{
    for (uint32_t p = 1; p <= c->s->products; p++) {
        struct guard_interruption *x = &c->products[p].interruption;
        if (!in_group(c, product, p) || c->products[p].state != STATE_open) continue;
        x->step = DAILY_STEPS;
        x->phase = GUARD_PHASE_closed;
        x->until = TS((c->s->day + 1) * NS_PER_DAY);
        x->halt = halt_begin(c, p, 0, GUARD_PHASE_closed, x->until, cause);
        product_move(c, p, STATE_closed, cause->reason);
    }
}

static void product_next(struct core *c, uint32_t product)
{
    struct guard_interruption *x = &c->products[product].interruption;
    int64_t length = x->phase == GUARD_PHASE_halt ? auction_length(c, product) : 0;
    if (length > 0) {
        x->phase = GUARD_PHASE_auction;
        x->until = TS(c->s->ts.v + length);
        halt_say(c, x->halt, GUARD_PHASE_auction, x->until);
        product_move(c, product, STATE_auction, "auction");
        return;
    }
    uint64_t id = x->halt;
    x->phase = GUARD_PHASE_none;
    x->halt = 0;
    halt_say(c, id, GUARD_PHASE_none, c->s->ts);
    product_move(c, product, STATE_open, "trading resumes");
}

/* ---- one instrument ---- */

static void instrument_phase(struct core *c, uint32_t i, enum guard_phase phase, ts_t until,
                             const char *reason)
{
    struct instrument *in = &c->instruments[i];
    struct guard *g = &c->guards[i];
    enum trading_state before = state_of(c, i);
    g->phase = phase;
    g->until = until;
    in->own_state = phase == GUARD_PHASE_halt      ? STATE_halted
                    : phase == GUARD_PHASE_auction ? STATE_auction
                                                   : STATE_closed;
    event_instrument_state_push(c, i, before, reason);
    if (phase == GUARD_PHASE_none) g->halt = 0;
    bool opens = state_of(c, i) == STATE_open && before != STATE_open && !in->terms.expired;
    if (opens) auction_uncross(c, i);
    if (in->implied == 0) return;
    implied_mark(c, i);
    if (opens) c->s->implied_sweep = 1;
}

void halt_instrument(struct core *c, uint32_t instrument, int64_t length,
                     const struct halt_cause *cause)
{
    struct guard *g = &c->guards[instrument];
    ts_t until = TS(c->s->ts.v + length);
    g->halt = halt_begin(c, c->instruments[instrument].product, instrument, GUARD_PHASE_halt,
                         until, cause);
    instrument_phase(c, instrument, GUARD_PHASE_halt, until, cause->reason);
    guard_forget(c, instrument);
    due_at(c, until);
}

static void instrument_next(struct core *c, uint32_t i)
{
    struct guard *g = &c->guards[i];
    int64_t length = g->phase == GUARD_PHASE_halt ? auction_length(c, c->instruments[i].product)
                                                  : 0;
    enum guard_phase phase = length > 0 ? GUARD_PHASE_auction : GUARD_PHASE_none;
    ts_t until = TS(c->s->ts.v + length);
    halt_say(c, g->halt, phase, until);
    instrument_phase(c, i, phase, until, length > 0 ? "auction" : "trading resumes");
}

void halt_run(struct core *c)
{
    for (uint32_t p = 1; p <= c->s->products; p++) {
        const struct guard_interruption *x = &c->products[p].interruption;
        if (is_timed(x->phase) && x->until.v <= c->s->ts.v) product_next(c, p);
    }
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        const struct guard *g = &c->guards[i];
        if (is_timed(g->phase) && g->until.v <= c->s->ts.v) instrument_next(c, i);
    }
    due_find(c);
}

/* ---- officers ---- */

bool halt_shortened(const struct core *c, uint32_t product, enum trading_state after)
{
    const struct guard_interruption *x = &c->products[product].interruption;
    return after == STATE_open && (is_timed(x->phase) || c->s->ts.v < x->not_before.v);
}

/* A timed auction where the product has one (MATCH-07), no sooner than what it replaces. */
static void officer_auction(struct core *c, uint32_t product, const struct halt_cause *cause)
{
    struct guard_interruption *x = &c->products[product].interruption;
    const int64_t *v = c->products[product].terms.guards.v;
    if (v[GUARD_auction_seconds] + v[GUARD_auction_random_seconds] == 0) return;
    int64_t from = int64_max(c->s->ts.v, x->not_before.v);
    x->phase = GUARD_PHASE_auction;
    x->until = TS(from + auction_length(c, product));
    x->halt = halt_begin(c, product, 0, GUARD_PHASE_auction, x->until, cause);
}

void halt_by_officer(struct core *c, uint32_t product, enum trading_state after,
                     const char *reason)
{
    struct guard_interruption *x = &c->products[product].interruption;
    struct halt_cause cause = {.rule = GUARD_RULE_officer, .price = PRICE_NONE,
                               .limit = PRICE_NONE, .reason = reason};
    if (is_timed(x->phase)) x->not_before = TS(int64_max(x->not_before.v, x->until.v));
    if (after == STATE_open) x->not_before = TS(0);
    if (x->halt != 0 && x->phase != GUARD_PHASE_closed) {
        uint64_t id = x->halt;
        x->phase = GUARD_PHASE_none;
        x->halt = 0;
        halt_say(c, id, GUARD_PHASE_none, c->s->ts);
    }
    if (after == STATE_auction) officer_auction(c, product, &cause);
    if (after == STATE_halted)
        x->halt = halt_begin(c, product, 0, GUARD_PHASE_halt, TS(0), &cause);
    for (uint32_t i = c->products[product].instruments; i != NIL && after == STATE_closed;
         i = c->instruments[i].next_of_product) {
        if (!is_timed(c->guards[i].phase)) continue;
        halt_say(c, c->guards[i].halt, GUARD_PHASE_none, c->s->ts);
        instrument_phase(c, i, GUARD_PHASE_none, c->s->ts, reason);
    }
    due_find(c);
}

/* ---- questions ---- */

void query_halts(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t count = q->count == 0 || q->count > HALTS_KEPT ? HALTS_KEPT : q->count;
    for (uint64_t id = c->s->halt_id; id > 0 && c->s->halt_id - id < HALTS_KEPT; id--) {
        const struct event_halt *h = &c->halts[id % HALTS_KEPT];
        if (q->product != 0 && h->product != q->product) continue;
        if (count-- == 0) break;
        halt_push(out, h);
    }
}
