/* guard_limit.c: daily price limits; GUARD-04.
 *
 * The base is the settlement price that stood when the UTC date began (a contract's first
 * settlement counts at once). Orders that name a price outside are refused; at the limit price
 * itself trading goes on. When the lead month trades there, or is bid at the upper or offered at
 * the lower limit, its group halts and goes on with the next, wider limit, as NYMEX's special price
 * fluctuation limits do; at the last one the day is over. Other months only lock. With the next
 * date limits are the first again, about the new base.
 *
 * Upstream: entry.c, match.c, settle.c, session.c. Downstream: guard_halt.c.
 */
#include "core/guard.h"
#include "core/implied.h"

static bool has_limits(const struct core *c, uint32_t product)
{
    return c->products[product].terms.guards.v[GUARD_limit_percent] != 0;
}

/* The share of the present step, in delivery the smaller one. */
static int64_t limit_share(const struct core *c, uint32_t instrument)
{
    const struct product *p = product_of(c, instrument);
    const int64_t *v = p->terms.guards.v;
    uint32_t step = p->interruption.step < DAILY_STEPS ? p->interruption.step : DAILY_STEPS - 1;
    bool delivers = v[GUARD_delivery_limit_percent] != 0 &&
                    c->s->ts.v >= c->instruments[instrument].terms.start.v;
    return v[(delivers ? GUARD_delivery_limit_percent : GUARD_limit_percent) + step];
}

/* To the tick, inwards. */
static struct guard_slot limits_outright(const struct core *c, uint32_t instrument)
{
    const struct guard *g = &c->guards[instrument];
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    int64_t tick = p->tick.v;
    int64_t width = guard_width(p, limit_share(c, instrument), g->base);
    return (struct guard_slot){PX(-int64_div_floor(-(g->base.v - width), tick)),
                               PX(int64_div_floor(g->base.v + width, tick))};
}

static bool is_limited(const struct guard_slot *s) { return s->high.v != INT64_MAX; }

/* What a spread may cost while both of its legs stay inside. */
static struct guard_slot limits_spread(const struct core *c, uint32_t instrument)
{
    const struct event_instrument *terms = &c->instruments[instrument].terms;
    const struct guard_slot *a = &c->guards[terms->legs[0]].limits;
    const struct guard_slot *b = &c->guards[terms->legs[1]].limits;
    int64_t tick = c->instruments[instrument].tick.v;
    if (!is_limited(a) || !is_limited(b))
        return (struct guard_slot){PX(-INT64_MAX), PX(INT64_MAX)};
    int64_t ta = c->instruments[terms->legs[0]].tick.v, tb = c->instruments[terms->legs[1]].tick.v;
    int64_t low = a->low.v * ta - b->high.v * tb, high = a->high.v * ta - b->low.v * tb;
    return (struct guard_slot){PX(-int64_div_floor(-low, tick)), PX(int64_div_floor(high, tick))};
}

/* Buys above and sells below can rest no longer: they would trade outside. */
static void outside_cancel(struct core *c, uint32_t instrument)
{
    const struct guard_slot limits = c->guards[instrument].limits;
    struct book *b = book_of(c, instrument);
    uint32_t count = 0;
    for (int side = 0; side < 2; side++) {
        for (uint32_t l = b->side[side].best; l != NIL; l = c->pools.levels[l].worse) {
            int64_t px = c->pools.levels[l].px.v;
            if (side == SIDE_buy ? px <= limits.high.v : px >= limits.low.v) break;
            for (uint32_t o = c->pools.levels[l].first; o != NIL; o = order_at(c, o)->next)
                c->shares[count++] = (struct share){.order = o};
        }
    }
    for (uint32_t i = 0; i < count; i++) { /* gathered first: closing one may close others */
        if (order_at(c, c->shares[i].order)->state == ORDER_STATE_open)
            order_close(c, c->shares[i].order, ORDER_STATE_cancelled, CAUSE_cancelled_guard);
    }
}

static void price_limits_set(struct core *c, uint32_t instrument)
{
    struct guard *g = &c->guards[instrument];
    bool spread = is_spread(c, instrument);
    bool none = !spread && (price_is_none(g->base) ||
                            !has_limits(c, c->instruments[instrument].product));
    struct guard_slot next = spread ? limits_spread(c, instrument)
                             : none ? (struct guard_slot){PX(-INT64_MAX), PX(INT64_MAX)}
                                    : limits_outright(c, instrument);
    if (next.low.v == g->limits.low.v && next.high.v == g->limits.high.v) return;
    g->limits = next;
    outside_cancel(c, instrument);
    if (c->instruments[instrument].implied == 0) return;
    implied_mark(c, instrument); /* implied prices lie inside, too */
    c->s->implied_sweep = 1;
}

void price_limit_refresh(struct core *c, uint32_t instrument)
{
    price_limits_set(c, instrument);
    if (is_spread(c, instrument)) return;
    for (uint32_t r = c->instruments[instrument].spread_first; r != NIL;
         r = c->spread_refs[r].next)
        price_limits_set(c, c->spread_refs[r].spread);
}

void price_limit_base(struct core *c, uint32_t instrument)
{
    struct guard *g = &c->guards[instrument];
    if (!price_is_none(g->base)) return; /* from the next date on */
    g->base = c->instruments[instrument].settlement;
    guard_refresh(c, instrument);
    price_limit_refresh(c, instrument);
}

void price_limit_day(struct core *c)
{
    for (uint32_t p = 1; p <= c->s->products; p++) {
        struct guard_interruption *x = &c->products[p].interruption;
        x->step = 0;
        if (x->phase == GUARD_PHASE_closed) x->phase = GUARD_PHASE_none;
    }
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        if (is_spread(c, i)) continue;
        c->guards[i].base = c->instruments[i].settlement;
        if (!(product_of(c, i)->terms.flags & PRODUCT_FLAG_GUARDED)) continue;
        guard_refresh(c, i);
        price_limit_refresh(c, i);
    }
}

/* ---- orders ---- */

enum reject price_limit_admit(const struct core *c, const struct entry *e, int64_t *limit)
{
    const struct guard_slot *s = &c->guards[e->instrument].limits;
    int64_t tick = c->instruments[e->instrument].tick.v;
    px_t prices[2] = {e->px, type_is_trigger((enum order_type)e->type) ? e->trigger : PX_NONE};
    for (int i = 0; i < 2 && is_limited(s); i++) {
        if (px_is_none(prices[i]) || guard_slot_holds(s, prices[i])) continue;
        bool above = prices[i].v > s->high.v;
        if (e->waking && above != (e->side == SIDE_buy)) continue; /* it can do no harm there */
        *limit = (above ? s->high.v : s->low.v) * tick;
        return REJECT_price_limit;
    }
    return REJECT_none;
}

px_t price_limit_clip(const struct core *c, uint32_t instrument, enum side side, px_t px)
{
    const struct guard_slot *s = &c->guards[instrument].limits;
    if (px_is_none(px)) return px;
    return side == SIDE_buy ? PX(int64_min(px.v, s->high.v)) : PX(int64_max(px.v, s->low.v));
}

price_t price_limit_leg(const struct core *c, uint32_t spread, price_t second, price_t price)
{
    const struct event_instrument *terms = &c->instruments[spread].terms;
    const struct guard_slot *a = &c->guards[terms->legs[0]].limits;
    const struct guard_slot *b = &c->guards[terms->legs[1]].limits;
    if (!is_limited(a) || !is_limited(b)) return second;
    int64_t ta = c->instruments[terms->legs[0]].tick.v, tb = c->instruments[terms->legs[1]].tick.v;
    int64_t low = int64_max(b->low.v * tb, a->low.v * ta - price.v);
    int64_t high = int64_min(b->high.v * tb, a->high.v * ta - price.v);
    return PRICE(int64_min(int64_max(second.v, low), high));
}

/* ---- at the limit ---- */

void price_limit_touch(struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    const struct guard_slot s = c->guards[instrument].limits;
    struct product *p = &c->products[in->product];
    if (!is_limited(&s) || is_spread(c, instrument) || p->state != STATE_open) return;
    const struct level *bid = book_best(&c->pools, &in->book, SIDE_buy);
    const struct level *ask = book_best(&c->pools, &in->book, SIDE_sell);
    int64_t last = price_is_none(in->session_last) ? INT64_MIN : in->session_last.v;
    bool up = (bid != NULL && bid->px.v == s.high.v) || last == s.high.v * in->tick.v;
    bool down = (ask != NULL && ask->px.v == s.low.v) || last == s.low.v * in->tick.v;
    if (!up && !down) return; /* nearly always; who leads is looked for among all contracts */
    if (guard_lead(c, in->product) != instrument) return; /* another month locks */
    price_t limit = price_of(c, instrument, up ? s.high : s.low);
    struct halt_cause cause = {.rule = GUARD_RULE_limit, .instrument = instrument,
                               .price = limit, .limit = limit, .reason = "daily limit"};
    bool last_step = p->interruption.step + 1 >= DAILY_STEPS;
    if (last_step) halt_close(c, in->product, &cause);
    else
        halt_group(c, in->product, GUARD_PHASE_halt,
                   p->terms.guards.v[GUARD_limit_halt_seconds], &cause);
}
