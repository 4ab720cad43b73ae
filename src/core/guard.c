/* guard.c: where trades may happen: the dynamic circuit breaker (GUARD-02) and velocity (GUARD-03).
 *
 * Both look back over a window of prices: none may rise more than so much above the window's lowest
 * nor fall more than so much below its highest (as CME's Dynamic Circuit Breakers and Velocity
 * Logic do). A window is kept in sixty slots of time, whatever was traded in it, so memory and work
 * are bounded. Prices before an interruption do not count after it.
 *
 * Upstream: match.c, novation.c (prints), entry.c. Downstream: guard_halt.c.
 */
#include "core/guard.h"

#include "core/state.h"

static const struct guard_slot nothing = {{INT64_MAX}, {-INT64_MAX}};
static const struct guard_slot anything = {{-INT64_MAX}, {INT64_MAX}};

/* ---- GUARD-00, GUARD-01 ---- */

int64_t guard_width(const struct command_product_create *terms, int64_t share_e6, price_t of)
{
    int64_t size = of.v < 0 ? -of.v : of.v, width;
    int64_t least = terms->guards.v[GUARD_minimum_ticks] * terms->tick.v;
    if (__builtin_mul_overflow(size, share_e6, &width))
        width = (int64_t)((int128_t)size * share_e6 / E6);
    else
        width /= E6;
    return int64_max(width, least);
}

int64_t guard_band(const struct command_product_create *terms, price_t reference)
{
    int64_t share = terms->guards.v[GUARD_band_percent];
    bool points = (terms->flags & PRODUCT_FLAG_HAS_BAND) != 0;
    if (share == 0) return points ? terms->band.v : -1;
    int64_t width = guard_width(terms, share, reference);
    return points ? int64_min(width, terms->band.v) : width;
}

/* ---- windows ---- */

bool guard_slot_holds(const struct guard_slot *s, px_t px)
{
    return px.v >= s->low.v && px.v <= s->high.v;
}

static void slot_add(struct guard_slot *s, const struct guard_slot *more)
{
    s->low = PX(int64_min(s->low.v, more->low.v));
    s->high = PX(int64_max(s->high.v, more->high.v));
}

static bool slot_is_empty(const struct guard_slot *s) { return s->low.v > s->high.v; }

static void window_clear(struct guard_window *w, int64_t slot)
{
    w->slot = slot;
    w->all = nothing;
    for (uint32_t i = 0; i <= GUARD_SLOTS; i++) w->slots[i] = nothing;
}

static struct guard_slot window_all(const struct guard_window *w)
{
    struct guard_slot all = nothing;
    for (uint32_t i = 0; i <= GUARD_SLOTS; i++) slot_add(&all, &w->slots[i]);
    return all;
}

/* Lets go of the slots that count no more when `slot` is the newest. */
static void window_roll(struct guard_window *w, int64_t slot)
{
    if (slot <= w->slot) return;
    if (slot - w->slot > GUARD_SLOTS || slot_is_empty(&w->all)) {
        window_clear(w, slot);
        return;
    }
    for (int64_t s = w->slot + 1; s <= slot; s++) w->slots[s % (GUARD_SLOTS + 1)] = nothing;
    w->slot = slot;
    w->all = window_all(w);
}

static int64_t slot_length(int64_t window) { return (window + GUARD_SLOTS - 1) / GUARD_SLOTS; }

/* ---- an instrument ---- */

static const int64_t *terms_of(const struct core *c, uint32_t instrument)
{
    return product_of(c, instrument)->terms.guards.v;
}

/* What the windows allow now, and when to look again. */
static void trades_find(struct core *c, uint32_t instrument)
{
    struct guard *g = &c->guards[instrument];
    const int64_t *v = terms_of(c, instrument);
    int64_t ticks = v[GUARD_velocity_ticks];
    g->trades = anything;
    g->due = TS(INT64_MAX);
    if (g->variant != 0 && !slot_is_empty(&g->breaker.all)) {
        g->trades.low = PX(g->breaker.all.high.v - g->variant);
        g->trades.high = PX(g->breaker.all.low.v + g->variant);
        g->due = TS((g->breaker.slot + 1) * slot_length(v[GUARD_breaker_window_minutes]));
    }
    if (ticks != 0 && !slot_is_empty(&g->velocity.all)) {
        int64_t due = (g->velocity.slot + 1) * slot_length(v[GUARD_velocity_milliseconds]);
        g->trades.low = PX(int64_max(g->trades.low.v, g->velocity.all.high.v - ticks));
        g->trades.high = PX(int64_min(g->trades.high.v, g->velocity.all.low.v + ticks));
        g->due = TS(int64_min(g->due.v, due));
    }
}

void guard_open(struct core *c, uint32_t instrument)
{
    struct guard *g = &c->guards[instrument];
    *g = (struct guard){.trades = anything, .limits = anything, .due = TS(INT64_MAX),
                        .base = PRICE_NONE};
    window_clear(&g->breaker, 0);
    window_clear(&g->velocity, 0);
    price_limit_refresh(c, instrument);
}

void guard_forget(struct core *c, uint32_t instrument)
{
    struct guard *g = &c->guards[instrument];
    window_clear(&g->breaker, 0);
    window_clear(&g->velocity, 0);
    trades_find(c, instrument);
}

void guard_roll(struct core *c, uint32_t instrument)
{
    struct guard *g = &c->guards[instrument];
    const int64_t *v = terms_of(c, instrument);
    int64_t now = c->s->ts.v;
    if (v[GUARD_breaker_percent] != 0)
        window_roll(&g->breaker, now / slot_length(v[GUARD_breaker_window_minutes]));
    if (v[GUARD_velocity_ticks] != 0)
        window_roll(&g->velocity, now / slot_length(v[GUARD_velocity_milliseconds]));
    trades_find(c, instrument);
}

/* GUARD-02: the previous settlement's share, rounded down to the tick; outrights only. */
void guard_refresh(struct core *c, uint32_t instrument)
{
    struct guard *g = &c->guards[instrument];
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    int64_t share = p->guards.v[GUARD_breaker_percent];
    bool has = share != 0 && !price_is_none(g->base) && !is_spread(c, instrument);
    g->variant = has ? int64_max(1, guard_width(p, share, g->base) / p->tick.v) : 0;
    guard_roll(c, instrument);
}

static void window_print(struct guard_window *w, int64_t window, int64_t now, px_t px)
{
    const struct guard_slot one = {px, px};
    window_roll(w, now / slot_length(window));
    slot_add(&w->slots[w->slot % (GUARD_SLOTS + 1)], &one);
    slot_add(&w->all, &one);
}

void guard_print(struct core *c, uint32_t instrument, px_t px)
{
    struct guard *g = &c->guards[instrument];
    const int64_t *v = terms_of(c, instrument);
    if (v[GUARD_breaker_percent] != 0)
        window_print(&g->breaker, v[GUARD_breaker_window_minutes], c->s->ts.v, px);
    if (v[GUARD_velocity_ticks] != 0)
        window_print(&g->velocity, v[GUARD_velocity_milliseconds], c->s->ts.v, px);
    trades_find(c, instrument);
}

/* A first fill narrows what follows, even within one command. */
px_t guard_reach(const struct core *c, uint32_t instrument, enum side side, px_t first)
{
    const struct guard *g = &c->guards[instrument];
    int64_t ticks = terms_of(c, instrument)[GUARD_velocity_ticks], width = INT64_MAX;
    if (g->variant != 0) width = g->variant;
    if (ticks != 0) width = int64_min(width, ticks);
    if (width == INT64_MAX) return side == SIDE_buy ? g->trades.high : g->trades.low;
    return side == SIDE_buy ? PX(int64_min(g->trades.high.v, first.v + width))
                            : PX(int64_max(g->trades.low.v, first.v - width));
}

/* The circuit breaker is the stronger: where both stop, it does. */
void guard_breach(struct core *c, uint32_t instrument, px_t px)
{
    const struct guard *g = &c->guards[instrument];
    const struct guard_slot *w = &g->breaker.all;
    uint32_t product = c->instruments[instrument].product;
    bool breaker = g->variant != 0 && !slot_is_empty(w) &&
                   (px.v > w->low.v + g->variant || px.v < w->high.v - g->variant);
    px_t limit = px.v > g->trades.high.v ? g->trades.high : g->trades.low;
    struct halt_cause cause = {.rule = breaker ? GUARD_RULE_breaker : GUARD_RULE_velocity,
                               .instrument = instrument, .price = price_of(c, instrument, px),
                               .limit = price_of(c, instrument, limit),
                               .reason = breaker ? "circuit breaker" : "velocity"};
    if (!breaker) halt_group(c, product, GUARD_PHASE_auction, 0, &cause);
    else if (guard_lead(c, product) == instrument)
        halt_group(c, product, GUARD_PHASE_halt, halt_length(c, product), &cause);
    else
        halt_instrument(c, instrument, halt_length(c, product), &cause);
}

/* ---- invariants ---- */

static void check_window(const struct guard_window *w)
{
    struct guard_slot all = window_all(w);
    ASSERT(all.low.v == w->all.low.v && all.high.v == w->all.high.v);
}

static void check_instrument(const struct core *c, uint32_t i, int64_t *due)
{
    const struct guard *g = &c->guards[i];
    const struct instrument *in = &c->instruments[i];
    check_window(&g->breaker);
    check_window(&g->velocity);
    const struct level *bid = book_best(&c->pools, &in->book, SIDE_buy);
    const struct level *ask = book_best(&c->pools, &in->book, SIDE_sell);
    ASSERT(bid == NULL || bid->px.v <= g->limits.high.v); /* (2) */
    ASSERT(ask == NULL || ask->px.v >= g->limits.low.v);
    ASSERT(in->spot == 0 || g->phase == GUARD_PHASE_none); /* INDEX-01: held by its auction */
    ASSERT(in->own_state == (in->spot != 0                 ? STATE_halted
                             : g->phase == GUARD_PHASE_halt      ? STATE_halted
                             : g->phase == GUARD_PHASE_auction ? STATE_auction
                                                               : STATE_closed)); /* (3) */
    if (g->phase != GUARD_PHASE_none) *due = int64_min(*due, g->until.v);
}

void guard_check(const struct core *c)
{
    int64_t due = INT64_MAX;
    for (uint32_t i = 1; i <= c->s->instruments; i++) check_instrument(c, i, &due);
    for (uint32_t p = 1; p <= c->s->products; p++) {
        const struct guard_interruption *x = &c->products[p].interruption;
        enum trading_state state = (enum trading_state)c->products[p].state;
        ASSERT(x->phase != GUARD_PHASE_halt || state == STATE_halted);
        ASSERT(x->phase != GUARD_PHASE_auction || state == STATE_auction);
        ASSERT(x->step <= DAILY_STEPS); /* (5) */
        ASSERT(x->step < DAILY_STEPS || state == STATE_closed);
        if (x->phase == GUARD_PHASE_halt || x->phase == GUARD_PHASE_auction)
            due = int64_min(due, x->until.v);
    }
    ASSERT(due == c->s->guard_due.v); /* (4) */
}
