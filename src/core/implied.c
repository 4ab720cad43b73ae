/* implied.c: finds what a spread's books imply for one another, and publishes it; see implied.h.
 *
 * Matching always looks at the books themselves. What is published is kept beside each spread and
 * brought up to date when the command has done all else: only the spreads of books that it touched
 * are looked at again, and only quotes that changed are said.
 *
 * A second-generation source has one real leg, and for the other the first-generation price of
 * another spread; the outright behind that spread is no leg of the first, so that no book is used
 * twice. It is the same set of four orders from whichever of the four one looks, so that what the
 * last of them to arrive can trade, no other could have traded before. Ratios other than 1 make no
 * second generation.
 */
#include "core/implied.h"

/* ---- books ---- */

static bool book_is_open(const struct core *c, uint32_t instrument)
{
    return state_of(c, instrument) == STATE_open && !instrument_is_past(c, instrument);
}

/* Implied prices exist while all three books are open. */
static bool spread_is_open(const struct core *c, uint32_t spread)
{
    const struct spread *s = &c->spreads[spread];
    return book_is_open(c, spread) && book_is_open(c, s->legs[0]) && book_is_open(c, s->legs[1]);
}

/* GUARD-04: a bid below the lower limit may rest, and nobody can sell to it; nor can a spread. */
static bool leg_is_inside(const struct core *c, uint32_t instrument, px_t px)
{
    if (!(product_of(c, instrument)->terms.flags & PRODUCT_FLAG_GUARDED)) return true;
    return guard_slot_holds(&c->guards[instrument].limits, px);
}

/* What a fill-or-kill counts ends where the guards would stop it (GUARD-02, GUARD-03). */
static bool leg_is_near(const struct core *c, const struct implied_leg *leg)
{
    if (!(product_of(c, leg->instrument)->terms.flags & PRODUCT_FLAG_GUARDED)) return true;
    const struct level *first = book_best(&c->pools, book_of(c, leg->instrument), leg->side);
    if (first == NULL || !leg_is_inside(c, leg->instrument, first->px)) return first == NULL;
    px_t reach = guard_reach(c, leg->instrument, opposite(leg->side), first->px);
    return !px_better(leg->side, reach, c->pools.levels[leg->level].px);
}

static bool leg_best(const struct core *c, struct implied_depth *depth, uint32_t instrument,
                     enum side side, struct implied_leg *leg)
{
    if (depth != NULL)
        return implied_depth_best(c, depth, instrument, side, leg) && leg_is_near(c, leg);
    const struct level *best = book_best(&c->pools, book_of(c, instrument), side);
    if (best == NULL || !leg_is_inside(c, instrument, best->px)) return false;
    *leg = (struct implied_leg){
        .instrument = instrument, .side = side, .price = price_of(c, instrument, best->px),
        .level = book_of(c, instrument)->side[side].best, .lots = best->shown.v,
        .total = best->total.v, .ratio = 1, .leg_b = PRICE_NONE};
    return true;
}

static enum implied_role role_of(const struct spread *s, uint32_t instrument)
{
    if (s->legs[0] == instrument) return IMPLIED_a;
    return s->legs[1] == instrument ? IMPLIED_b : IMPLIED_spread;
}

static uint32_t book_of_role(const struct core *c, uint32_t spread, enum implied_role role)
{
    return role == IMPLIED_spread ? spread : c->spreads[spread].legs[role];
}

/* ---- one source ---- */

static int64_t units_of(const struct implied_leg *leg)
{
    if (leg->ratio == 1) return leg->lots;
    int64_t units = leg->lots / leg->ratio;
    return units == 0 && !leg->barred && leg->total >= leg->ratio ? 1 : units;
}

/* What is displayed of a source, and so published. */
static int64_t units_displayed(const struct implied_source *s)
{
    int64_t units = INT64_MAX;
    for (uint32_t i = 0; i < s->count; i++)
        units = int64_min(units, s->legs[i].lots / s->legs[i].ratio);
    return units;
}

/* The price in the book's ticks; false where the book can have no such price: off its tick, out of
 * range, or below an outright's floor (CONTRACT-02). */
static bool source_price(const struct core *c, uint32_t instrument, price_t price,
                         struct implied_source *s)
{
    const struct product *p = product_of(c, instrument);
    int64_t tick = c->instruments[instrument].tick.v;
    if (price.v > PRICE_MAX || price.v < -PRICE_MAX || price.v % tick != 0) return false;
    bool floored = (p->terms.flags & PRODUCT_FLAG_HAS_FLOOR) != 0 && !is_spread(c, instrument);
    if (floored && price.v < p->terms.floor.v) return false;
    s->px = PX(price.v / tick);
    bool guarded = (p->terms.flags & PRODUCT_FLAG_GUARDED) != 0; /* GUARD-04 */
    return !guarded || guard_slot_holds(&c->guards[instrument].limits, s->px);
}

static void source_units(struct implied_source *s)
{
    s->units = units_of(&s->legs[0]);
    for (uint32_t i = 1; i < s->count; i++) s->units = int64_min(s->units, units_of(&s->legs[i]));
}

/* The two books behind role's quote, in print order, and how their prices combine: the first is
 * always added, on the quote's own side. */
struct parts {
    uint32_t first;
    uint32_t second;
    enum side second_side;
    int64_t sign;
};

static struct parts parts_of(const struct core *c, uint32_t spread, enum implied_role role,
                             enum side side)
{
    const struct spread *s = &c->spreads[spread];
    switch (role) {
    case IMPLIED_a: return (struct parts){s->legs[1], spread, side, 1};
    case IMPLIED_b: return (struct parts){s->legs[0], spread, opposite(side), -1};
    default: return (struct parts){s->legs[0], s->legs[1], opposite(side), -1};
    }
}

static int64_t ratio_of(const struct spread *s, enum implied_role role)
{
    return role == IMPLIED_spread ? 1 : s->ratios[role];
}

/* Sets the second leg's price of every spread in the source: its own book's, where that is B. */
static void source_leg_b(struct implied_source *s, enum implied_role role, price_t price,
                         price_t first, price_t second)
{
    s->leg_b = PRICE_NONE;
    if (role == IMPLIED_spread) s->leg_b = second;
    else s->legs[s->count - 1].leg_b = role == IMPLIED_a ? first : price;
}

/* The first generation: of one spread, for the book that plays `role` in it. */
static bool source_first(const struct core *c, struct implied_depth *depth, uint32_t spread,
                         enum implied_role role, enum side side, struct implied_source *s)
{
    const struct spread *sp = &c->spreads[spread];
    struct parts p = parts_of(c, spread, role, side);
    if (!leg_best(c, depth, p.first, side, &s->legs[0])) return false;
    if (!leg_best(c, depth, p.second, p.second_side, &s->legs[1])) return false;
    price_t price = PRICE(s->legs[0].price.v + p.sign * s->legs[1].price.v);
    if (!source_price(c, book_of_role(c, spread, role), price, s)) return false;
    s->count = 2;
    s->ratio = ratio_of(sp, role);
    s->legs[0].ratio = ratio_of(sp, role_of(sp, p.first));
    s->legs[1].ratio = ratio_of(sp, role_of(sp, p.second));
    source_leg_b(s, role, price, s->legs[0].price, s->legs[1].price);
    source_units(s);
    return true;
}

/* The second generation: as the first, with what spread `via` implies in the place of the first or
 * second part, which is an outright. */
static bool source_second(const struct core *c, struct implied_depth *depth, uint32_t spread,
                          enum implied_role role, enum side side, uint32_t part, uint32_t via,
                          struct implied_source *s)
{
    struct parts p = parts_of(c, spread, role, side);
    uint32_t implied = part == 0 ? p.first : p.second;
    uint32_t real = part == 0 ? p.second : p.first;
    enum side implied_side = part == 0 ? side : p.second_side;
    enum side real_side = part == 0 ? p.second_side : side;
    struct implied_source inner;
    struct implied_leg leg;
    if (!leg_best(c, depth, real, real_side, &leg)) return false;
    if (!source_first(c, depth, via, role_of(&c->spreads[via], implied), implied_side, &inner))
        return false;
    price_t behind = price_of(c, implied, inner.px);
    price_t first = part == 0 ? behind : leg.price;
    price_t second = part == 0 ? leg.price : behind;
    price_t price = PRICE(first.v + p.sign * second.v);
    if (!source_price(c, book_of_role(c, spread, role), price, s)) return false;
    uint32_t at = part == 0 ? 0 : 1;
    s->count = 3;
    s->ratio = 1;
    s->legs[at] = inner.legs[0];
    s->legs[at + 1] = inner.legs[1];
    s->legs[part == 0 ? 2 : 0] = leg;
    source_leg_b(s, role, price, first, second);
    source_units(s);
    return true;
}

/* ---- the best source ---- */

struct search {
    const struct core *c;
    struct implied_depth *depth;
    enum side side;
    int64_t lots; /* that the aggressor has: a unit must not need more */
    bool found;
    struct implied_source *best;
};

static void search_take(struct search *f, const struct implied_source *s)
{
    /* In a count of depth only: a source whose next unit would come to an own order ends it. */
    bool barred = false;
    for (uint32_t i = 0; i < s->count; i++) barred = barred || s->legs[i].barred;
    for (uint32_t i = 0; i < s->count; i++)
        barred = barred && int64_max(s->legs[i].lots, s->legs[i].total) >= s->legs[i].ratio;
    if (s->ratio > f->lots || (s->units == 0 && !barred)) return;
    if (f->found && !px_better(f->side, s->px, f->best->px)) return;
    *f->best = *s;
    f->found = true;
}

/* Whether the outright behind `via`, seen from its leg `implied`, is no leg of `spread`. */
static bool leads_away(const struct core *c, uint32_t spread, uint32_t implied, uint32_t via)
{
    const struct spread *s = &c->spreads[spread], *v = &c->spreads[via];
    uint32_t beyond = v->legs[0] == implied ? v->legs[1] : v->legs[0];
    return via != spread && beyond != s->legs[0] && beyond != s->legs[1];
}

static bool has_unit_ratios(const struct spread *s)
{
    return s->ratios[0] == 1 && s->ratios[1] == 1;
}

static void search_second(struct search *f, uint32_t spread, enum implied_role role)
{
    const struct core *c = f->c;
    struct parts p = parts_of(c, spread, role, f->side);
    struct implied_source s;
    if (!has_unit_ratios(&c->spreads[spread])) return;
    for (uint32_t part = 0; part < 2; part++) {
        uint32_t implied = part == 0 ? p.first : p.second;
        if (implied == spread) continue; /* a spread's own order is always real here */
        uint32_t ref = c->instruments[implied].spread_first;
        for (; ref != NIL; ref = c->spread_refs[ref].next) {
            uint32_t via = c->spread_refs[ref].spread;
            if (!leads_away(c, spread, implied, via) || !has_unit_ratios(&c->spreads[via]))
                continue;
            if (!spread_is_open(c, via)) continue;
            if (source_second(c, f->depth, spread, role, f->side, part, via, &s))
                search_take(f, &s);
        }
    }
}

static void search_spread(struct search *f, uint32_t spread, enum implied_role role, int generation)
{
    struct implied_source s;
    if (!spread_is_open(f->c, spread)) return;
    if (generation == 2) search_second(f, spread, role);
    else if (source_first(f->c, f->depth, spread, role, f->side, &s)) search_take(f, &s);
}

bool implied_find(const struct core *c, struct implied_depth *depth, uint32_t instrument,
                  enum side side, int generation, int64_t lots, struct implied_source *source)
{
    struct search f = {.c = c, .depth = depth, .side = side, .lots = lots, .best = source};
    if (is_spread(c, instrument)) {
        search_spread(&f, instrument, IMPLIED_spread, generation);
        return f.found;
    }
    uint32_t ref = c->instruments[instrument].spread_first;
    for (; ref != NIL; ref = c->spread_refs[ref].next) {
        uint32_t spread = c->spread_refs[ref].spread;
        search_spread(&f, spread, role_of(&c->spreads[spread], instrument), generation);
    }
    return f.found;
}

static px_t px_best(enum side side, px_t a, px_t b)
{
    if (px_is_none(a) || px_is_none(b)) return px_is_none(a) ? b : a;
    return px_better(side, a, b) ? a : b;
}

static px_t generation_best(const struct core *c, uint32_t instrument, enum side side,
                            int generation)
{
    struct implied_source s;
    if (c->instruments[instrument].implied == 0) return PX_NONE;
    return implied_find(c, NULL, instrument, side, generation, QTY_MAX, &s) ? s.px : PX_NONE;
}

static px_t direct_best(const struct core *c, uint32_t instrument, enum side side)
{
    const struct level *best = book_best(&c->pools, book_of(c, instrument), side);
    return best == NULL ? PX_NONE : best->px;
}

px_t implied_opposite(const struct core *c, uint32_t instrument, enum side side)
{
    enum side other = opposite(side);
    px_t best = direct_best(c, instrument, other);
    if (c->instruments[instrument].implied == 0) return best;
    best = px_best(other, best, generation_best(c, instrument, other, 1));
    return px_is_none(best) ? generation_best(c, instrument, other, 2) : best;
}

px_t implied_touch_px(const struct core *c, uint32_t instrument, enum side side)
{
    enum side other = opposite(side);
    px_t best = direct_best(c, instrument, other);
    if (c->instruments[instrument].implied == 0) return best;
    best = px_best(other, best, generation_best(c, instrument, other, 1));
    return px_best(other, best, generation_best(c, instrument, other, 2));
}

/* ---- what is published ---- */

static struct implied_quote quote_now(const struct core *c, uint32_t spread,
                                      enum implied_role role, enum side side)
{
    struct implied_source s;
    if (!spread_is_open(c, spread) || !source_first(c, NULL, spread, role, side, &s))
        return (struct implied_quote){0};
    int64_t units = units_displayed(&s);
    if (units == 0) return (struct implied_quote){0};
    return (struct implied_quote){.px = s.px, .qty = QTY(units * s.ratio)};
}

static void quote_set(struct core *c, uint32_t spread, enum implied_role role, enum side side)
{
    struct implied_quote *quote = &c->spreads[spread].quotes[role][side];
    struct implied_quote before = *quote, now = quote_now(c, spread, role, side);
    uint32_t instrument = book_of_role(c, spread, role);
    if (before.px.v == now.px.v && before.qty.v == now.qty.v) return;
    *quote = now;
    if (before.qty.v != 0) level_say(c, instrument, side, before.px);
    if (now.qty.v != 0 && (now.px.v != before.px.v || before.qty.v == 0))
        level_say(c, instrument, side, now.px);
    book_pegs_touched(c, instrument); /* a peg stops behind what is implied */
}

static bool order_crosses(const struct core *c, uint32_t spread)
{
    for (int side = 0; side < 2; side++) {
        px_t own = direct_best(c, spread, (enum side)side);
        const struct implied_quote *in = &c->spreads[spread].quotes[IMPLIED_spread][1 - side];
        if (!px_is_none(own) && in->qty.v != 0 &&
            !px_better((enum side)(1 - side), own, in->px))
            return true;
    }
    return false;
}

static void spread_publish(struct core *c, uint32_t spread)
{
    for (int role = 0; role < IMPLIED_roles; role++) {
        quote_set(c, spread, (enum implied_role)role, SIDE_buy);
        quote_set(c, spread, (enum implied_role)role, SIDE_sell);
    }
    if (order_crosses(c, spread)) c->s->implied_sweep = 1; /* pegged orders moved: next command */
}

/* The spreads whose implied prices this book is part of. */
static void spreads_each(struct core *c, uint32_t instrument,
                         void (*each)(struct core *c, uint32_t spread))
{
    if (is_spread(c, instrument)) {
        each(c, instrument);
        return;
    }
    uint32_t ref = c->instruments[instrument].spread_first;
    for (; ref != NIL; ref = c->spread_refs[ref].next) each(c, c->spread_refs[ref].spread);
}

/* An order that comes trades with all that it may; still, a spread's order can be left that crosses
 * what its legs imply: where the floor, the tick or the range kept the implied price out of the
 * book of the order that came, and where what went was a level that implied nothing (by its price,
 * or with less than a unit) and stood before one that does. */
bool implied_settle(struct core *c)
{
    uint32_t fills = c->fills_left;
    for (uint32_t i = 0; i < c->implied_dirty_count; i++)
        spreads_each(c, c->implied_dirty[i], implied_sweep_spread);
    if (c->prints_count > 0) trigger_elect_prints(c);
    return c->fills_left != fills;
}

void implied_mark(struct core *c, uint32_t instrument)
{
    if (c->implied_marks[instrument] != 0) return;
    c->implied_marks[instrument] = 1;
    c->implied_dirty[c->implied_dirty_count++] = instrument;
}

void implied_publish(struct core *c)
{
    for (uint32_t i = 0; i < c->implied_dirty_count; i++) {
        uint32_t instrument = c->implied_dirty[i];
        c->implied_marks[instrument] = 0;
        spreads_each(c, instrument, spread_publish);
    }
    c->implied_dirty_count = 0;
}

/* The quote of the next source of a book: of a spread its own, of an outright each spread's. */
static const struct implied_quote *quote_next(const struct core *c, uint32_t instrument,
                                              enum side side, uint32_t *ref)
{
    uint32_t spread = instrument;
    if (is_spread(c, instrument)) {
        if (*ref != NIL) return NULL;
        *ref = instrument;
    } else {
        *ref = *ref == NIL ? c->instruments[instrument].spread_first : c->spread_refs[*ref].next;
        if (*ref == NIL) return NULL;
        spread = c->spread_refs[*ref].spread;
    }
    const struct spread *s = &c->spreads[spread];
    return &s->quotes[role_of(s, instrument)][side];
}

int64_t implied_at(const struct core *c, uint32_t instrument, enum side side, px_t px)
{
    int64_t sum = 0;
    uint32_t ref = NIL;
    const struct implied_quote *q;
    while ((q = quote_next(c, instrument, side, &ref)) != NULL) {
        if (q->qty.v != 0 && q->px.v == px.v) sum += q->qty.v;
    }
    return sum;
}

px_t implied_next(const struct core *c, uint32_t instrument, enum side side, px_t than)
{
    px_t best = PX_NONE;
    uint32_t ref = NIL;
    const struct implied_quote *q;
    if (c->instruments[instrument].implied == 0) return PX_NONE;
    while ((q = quote_next(c, instrument, side, &ref)) != NULL) {
        if (q->qty.v == 0 || (!px_is_none(than) && !px_better(side, than, q->px))) continue;
        best = px_best(side, best, q->px);
    }
    return best;
}

/* ---- listing, states, time ---- */

/* When the next leg of any spread passes its last instant. */
static void expiry_set(struct core *c)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        int64_t at = c->instruments[i].terms.expires_at.v;
        if (c->instruments[i].implied != 0 && at > c->s->ts.v) next = int64_min(next, at);
    }
    c->s->implied_expiry = TS(next);
}

void implied_list(struct core *c, uint32_t spread)
{
    const struct spread *s = &c->spreads[spread];
    c->instruments[spread].implied = 1;
    c->instruments[s->legs[0]].implied += 1;
    c->instruments[s->legs[1]].implied += 1;
    implied_mark(c, spread);
    expiry_set(c);
}

void implied_expire(struct core *c)
{
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        if (c->instruments[i].implied != 0 &&
            c->instruments[i].terms.expires_at.v <= c->s->ts.v)
            implied_mark(c, i);
    }
    expiry_set(c);
}

void implied_state_changed(struct core *c, uint32_t product, bool opened)
{
    bool any = false;
    for (uint32_t i = c->products[product].instruments; i != NIL;
         i = c->instruments[i].next_of_product) {
        if (c->instruments[i].implied == 0) continue;
        implied_mark(c, i);
        any = true;
    }
    if (!any || !opened) return;
    c->s->implied_sweep = 1;
    implied_sweep(c);
}

/* ---- check.c ---- */

static void check_spread(const struct core *c, uint32_t spread)
{
    const struct spread *s = &c->spreads[spread];
    for (int role = 0; role < IMPLIED_roles; role++) {
        for (int side = 0; side < 2; side++) {
            struct implied_quote now = quote_now(c, spread, (enum implied_role)role,
                                                 (enum side)side);
            ASSERT(now.px.v == s->quotes[role][side].px.v);
            ASSERT(now.qty.v == s->quotes[role][side].qty.v);
        }
    }
    ASSERT(c->s->implied_sweep != 0 || !order_crosses(c, spread));
}

void implied_check(const struct core *c)
{
    ASSERT(c->implied_dirty_count == 0 && c->s->implied_expiry.v > c->s->ts.v);
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        if (is_spread(c, i)) check_spread(c, i);
    }
}
