/* settlement_curve.c: a product's settlement prices of a day, all months together (CLEAR-03).
 *
 * Outrights fall into those whose whole period is listed in shorter ones (a year in quarters or
 * months, a week in days, ...), which follow from these parts weighted by hours, and the rest, the
 * atoms, which are priced by tiers, family by family (one kind of period, one block):
 *   1. the window's volume-weighted average, for all of them;
 *   2. the first of a family, if it did not trade in its window: its last trade of the day;
 *   3. calendar spreads that traded in the window, from atoms already priced: of those that can
 *      be priced so, the nearest first, from all that are priced by then;
 *   4. the last trade of the day, nearest first, each followed by 3;
 *   5. what a longer period traded at says of its parts that did not trade, shortest first;
 *   6. the previous settlement, nearest first, each followed by 3.
 * Then longer periods follow from their parts, and spreads from their legs.
 *
 * Work is linear in instruments and spreads but for the sorting of instruments and of those that
 * wait for a spread (n log n): an atom is priced once, a spread looked at once from either leg, a
 * part read once for each of the at most five longer periods that hold it.
 *
 * Invariants: (1) an atom is priced at most once a run; (2) a price outside PRICE_MAX is not made;
 * (3) what has a final price or two officers' price for the day keeps it.
 *
 * Upstream: settlement.c, calendar. Downstream: settlement.c (settle_day), schedule.
 */
#include "core/calendar.h"
#include "core/settlement.h"

enum curve_state {
    CURVE_out = 0, /* has no part in this */
    CURVE_open,    /* an atom without a price yet */
    CURVE_taken,   /* an atom that a spread will price */
    CURVE_priced,
    CURVE_fixed,   /* its price stands */
    CURVE_whole,   /* follows from its parts */
};

struct curve_key {
    uint64_t key; /* block, kind, first hour */
    uint32_t instrument;
    uint32_t reserved;
};

struct curve {
    uint8_t *state;         /* by instrument */
    struct curve_key *keys; /* the product's outrights, sorted */
    uint32_t *queue;        /* atoms priced, whose spreads are still to be looked at */
    uint32_t *heap;         /* places of atoms that a spread joins to a priced one */
    uint32_t *place;        /* by instrument: where it stands in keys */
    uint32_t *parts;        /* of the longer period being looked at */
    uint32_t count;         /* keys */
    uint32_t queue_first;
    uint32_t queue_count;
    uint32_t heap_count;
    uint32_t parts_count;

    uint32_t cycle;
    uint32_t principal;
    int64_t day;
};

/* One block: the struct, then its arrays, the widest records first. */
size_t curve_bytes(const struct core_limits *limits)
{
    size_t n = (size_t)limits->instruments + 1;
    return sizeof(struct curve) + n * (sizeof(struct curve_key) + 4 * sizeof(uint32_t) + 1);
}

void curve_open(struct curve *cv, const struct core_limits *limits)
{
    size_t n = (size_t)limits->instruments + 1;
    cv->keys = (struct curve_key *)(void *)(cv + 1);
    cv->queue = (uint32_t *)(void *)(cv->keys + n);
    cv->heap = cv->queue + n;
    cv->place = cv->heap + n;
    cv->parts = cv->place + n;
    cv->state = (uint8_t *)(cv->parts + n);
}

/* ---- the product's outrights, in order ---- */

static uint64_t key_of(uint32_t block, uint32_t kind, int64_t hour)
{
    return (uint64_t)block << 60 | (uint64_t)kind << 56 | (uint64_t)hour;
}

static void key_sink(struct curve_key *keys, uint32_t at, uint32_t count)
{
    struct curve_key moved = keys[at];
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && keys[child + 1].key > keys[child].key) child += 1;
        if (keys[child].key <= moved.key) break;
        keys[at] = keys[child];
        at = child;
    }
    keys[at] = moved;
}

static void keys_sort(struct curve_key *keys, uint32_t count)
{
    for (uint32_t at = count / 2; at > 0; at--) key_sink(keys, at - 1, count);
    for (uint32_t left = count; left > 1; left--) {
        struct curve_key last = keys[left - 1];
        keys[left - 1] = keys[0];
        keys[0] = last;
        key_sink(keys, 0, left - 1);
    }
}

static uint32_t outright_find(const struct curve *cv, uint32_t block, uint32_t kind, int64_t hour)
{
    uint64_t key = key_of(block, kind, hour);
    uint32_t low = 0, high = cv->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cv->keys[middle].key < key) low = middle + 1;
        else high = middle;
    }
    return low < cv->count && cv->keys[low].key == key ? cv->keys[low].instrument : NIL;
}

static enum curve_state state_at_start(const struct core *c, const struct curve *cv, uint32_t i)
{
    const struct instrument *in = &c->instruments[i];
    bool priced = !price_is_none(in->settlement);
    bool averaged = product_of(c, i)->terms.settlement_rules.index != 0;
    bool over = instrument_is_final(c, i) || (in->terms.expired == EXPIRY_waits && averaged);
    if (over) return priced ? CURVE_fixed : CURVE_out;
    bool stands = in->settlement_tier == SETTLEMENT_TIER_override && in->settlement_day == cv->day;
    return stands ? CURVE_fixed : CURVE_open;
}

static void curve_begin(const struct core *c, struct curve *cv, uint32_t product)
{
    cv->count = 0;
    cv->queue_first = cv->queue_count = cv->heap_count = 0;
    for (uint32_t i = c->products[product].instruments; i != NIL;
         i = c->instruments[i].next_of_product) {
        const struct event_instrument *t = &c->instruments[i].terms;
        cv->state[i] = CURVE_out;
        if (t->is_spread) continue;
        cv->state[i] = (uint8_t)state_at_start(c, cv, i);
        if (cv->state[i] == CURVE_fixed) cv->queue[cv->queue_count++] = i;
        cv->keys[cv->count++] = (struct curve_key){
            .key = key_of(t->block, t->period, t->start.v / NS_PER_HOUR), .instrument = i};
    }
    keys_sort(cv->keys, cv->count);
    for (uint32_t k = 0; k < cv->count; k++) cv->place[cv->keys[k].instrument] = k;
}

/* ---- parts of longer periods ---- */

static enum period_kind period_below(enum period_kind kind)
{
    switch (kind) {
    case PERIOD_year: return PERIOD_quarter;
    case PERIOD_quarter: return PERIOD_month;
    case PERIOD_month:
    case PERIOD_week: return PERIOD_day;
    case PERIOD_day: return PERIOD_hour;
    default: return PERIOD_none;
    }
}

/* The hour behind a period of this kind that begins at `hour`. */
static int64_t period_end(enum period_kind kind, int64_t hour)
{
    if (kind == PERIOD_hour) return hour + 1;
    if (kind == PERIOD_day) return hour + 24;
    struct date d = calendar_date(hour / 24);
    int months = d.month - 1 + (kind == PERIOD_quarter ? 3 : 1);
    return calendar_day(d.year + months / 12, months % 12 + 1, 1) * 24;
}

static bool parts_find(const struct core *c, struct curve *cv, const struct period *p);

static bool part_find(const struct core *c, struct curve *cv, const struct period *p)
{
    uint32_t mark = cv->parts_count;
    if (parts_find(c, cv, p)) return true;
    cv->parts_count = mark;
    uint32_t i = outright_find(cv, p->block, p->kind, p->first_hour);
    if (i != NIL && cv->state[i] != CURVE_out) {
        cv->parts[cv->parts_count++] = i;
        return true;
    }
    if (i != NIL || p->block == BLOCK_base) return false;
    const struct command_product_create *t =
        &c->products[c->instruments[cv->keys[0].instrument].product].terms;
    return calendar_hours(p, t->peak_start_hour, t->peak_end_hour) == 0; /* a weekend's peak */
}

/* Adds the shortest listed periods that make up `p`; false: some of it is not listed in shorter. */
static bool parts_find(const struct core *c, struct curve *cv, const struct period *p)
{
    struct period part = {.kind = period_below(p->kind), .block = p->block};
    if (part.kind == PERIOD_none) return false;
    for (int64_t at = p->first_hour; at < p->end_hour; at = part.end_hour) {
        part.first_hour = at;
        part.end_hour = period_end(part.kind, at);
        if (!part_find(c, cv, &part)) return false;
    }
    return true;
}

/* Fills cv->parts; false: it is an atom. */
static bool whole_parts(const struct core *c, struct curve *cv, uint32_t instrument)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    struct period p = {.kind = (enum period_kind)t->period, .block = (enum block_kind)t->block,
                       .first_hour = t->start.v / NS_PER_HOUR, .end_hour = t->end.v / NS_PER_HOUR};
    uint64_t hours = 0;
    cv->parts_count = 0;
    if (!parts_find(c, cv, &p)) return false;
    for (uint32_t i = 0; i < cv->parts_count; i++)
        hours += c->instruments[cv->parts[i]].terms.hours;
    return hours == t->hours && cv->parts_count > 0;
}

static void wholes_find(const struct core *c, struct curve *cv)
{
    for (uint32_t k = 0; k < cv->count; k++) {
        uint32_t i = cv->keys[k].instrument;
        if (cv->state[i] == CURVE_open && whole_parts(c, cv, i)) cv->state[i] = CURVE_whole;
    }
}

/* ---- tiers of one instrument ---- */

static struct settlement_made made_of(const struct core *c, const struct curve *cv, uint32_t i)
{
    struct settlement_made made = settlement_made_of(c, i, cv->day);
    made.cycle = cv->cycle;
    made.principal = cv->principal;
    return made;
}

static struct event_settlement *price_set(struct core *c, struct curve *cv, uint32_t i,
                                          const struct settlement_made *made)
{
    bool atom = cv->state[i] != CURVE_whole;
    cv->state[i] = CURVE_priced;
    if (atom) cv->queue[cv->queue_count++] = i;
    return settlement_open(c, i, made);
}

static bool tier_vwap(struct core *c, struct curve *cv, uint32_t i)
{
    const struct window *w = settlement_window(c, i, cv->day, cv->cycle);
    if (w == NULL) return false;
    struct settlement_made made = made_of(c, cv, i);
    made.tier = SETTLEMENT_TIER_vwap;
    made.unit = c->instruments[i].tick;
    made.numerator = w->value;
    made.denominator = w->qty;
    made.trades = w->trades;
    made.price = PRICE(settlement_round(w->value, w->qty, made.unit.v, made.previous));
    settlement_close(c, price_set(c, cv, i, &made));
    return true;
}

static price_t price_within(price_t price, price_t bid, price_t ask)
{
    if (!price_is_none(bid) && price.v < bid.v) return bid;
    return !price_is_none(ask) && price.v > ask.v ? ask : price;
}

/* The last trade or the previous settlement, within bid and ask. */
static bool tier_held(struct core *c, struct curve *cv, uint32_t i, enum settlement_tier tier)
{
    struct settlement_made made = made_of(c, cv, i);
    price_t from = tier == SETTLEMENT_TIER_last ? made.last : made.previous;
    if (price_is_none(from)) return false;
    made.tier = tier;
    made.price = price_within(from, made.bid, made.ask);
    settlement_close(c, price_set(c, cv, i, &made));
    return true;
}

/* ---- calendar spreads ---- */

static int64_t periods_apart(const struct event_instrument *a, const struct event_instrument *b)
{
    int64_t hours = (b->start.v - a->start.v) / NS_PER_HOUR, apart = hours;
    int64_t months = calendar_month_number(b->start.v / NS_PER_DAY) -
                     calendar_month_number(a->start.v / NS_PER_DAY);
    switch ((enum period_kind)a->period) {
    case PERIOD_year: apart = months / 12; break;
    case PERIOD_quarter: apart = months / 3; break;
    case PERIOD_month: apart = months; break;
    case PERIOD_week: apart = hours / 168; break;
    case PERIOD_day: apart = hours / 24; break;
    default: break;
    }
    return apart < 0 ? -apart : apart;
}

/* The window of a spread between two atoms of one family; NULL: of no use. */
static const struct window *spread_window(const struct core *c, const struct curve *cv,
                                          uint32_t spread)
{
    const struct event_instrument *s = &c->instruments[spread].terms;
    const struct event_instrument *a = &c->instruments[s->legs[0]].terms;
    const struct event_instrument *b = &c->instruments[s->legs[1]].terms;
    if (a->product != b->product || a->product != s->product) return NULL;
    if (a->period != b->period || a->block != b->block) return NULL;
    if (s->ratios[0] != 1 || s->ratios[1] != -1) return NULL; /* no calendar spread */
    return settlement_window(c, spread, cv->day, cv->cycle);
}

/* What the spread says of atom `i`; false: nothing. */
static bool spread_source(const struct core *c, const struct curve *cv, uint32_t spread,
                          uint32_t i, struct event_settlement_source *source)
{
    const struct event_instrument *s = &c->instruments[spread].terms;
    const struct window *w = spread_window(c, cv, spread);
    uint32_t other = s->legs[0] == i ? s->legs[1] : s->legs[0];
    if (w == NULL) return false;
    if (cv->state[other] != CURVE_priced && cv->state[other] != CURVE_fixed) return false;
    int64_t apart = periods_apart(&c->instruments[s->legs[0]].terms,
                                  &c->instruments[s->legs[1]].terms);
    int64_t mean = (int64_t)int128_div_half_even(w->value, w->qty);
    price_t price = c->instruments[other].settlement;
    int64_t implied = price.v + (s->legs[0] == i ? mean : -mean);
    if (implied > PRICE_MAX || implied < -PRICE_MAX) return false;
    *source = (struct event_settlement_source){
        .instrument = other, .spread = spread, .price = price, .implied = PRICE(implied),
        .weight = (int64_t)int128_div_half_even((int128_t)w->qty * E6, apart), .volume = w->qty,
        .value_high = (int64_t)(w->value >> 64), .value_low = (uint64_t)w->value,
        .apart = (uint32_t)apart};
    return source->weight > 0;
}

/* Prices an atom by its spreads to all atoms that have a price already. */
static void tier_spread(struct core *c, struct curve *cv, uint32_t i)
{
    struct event_settlement_source source;
    struct settlement_made made = made_of(c, cv, i);
    uint32_t first = c->instruments[i].spread_first;
    made.tier = SETTLEMENT_TIER_spread;
    made.unit = c->instruments[i].tick;
    made.denominator = 0;
    for (uint32_t r = first; r != NIL; r = c->spread_refs[r].next) {
        if (!spread_source(c, cv, c->spread_refs[r].spread, i, &source)) continue;
        made.numerator += (int128_t)source.weight * source.implied.v;
        made.denominator += source.weight;
    }
    ASSERT(made.denominator > 0);
    made.price = PRICE(settlement_round(made.numerator, made.denominator, made.unit.v,
                                        made.previous));
    /* Not priced itself yet while its sources are told: a month is no source of its own. */
    struct event_settlement *e = settlement_open(c, i, &made);
    for (uint32_t r = first; r != NIL; r = c->spread_refs[r].next) {
        if (spread_source(c, cv, c->spread_refs[r].spread, i, &source))
            settlement_source(c, e, &source);
    }
    settlement_close(c, e);
}

/* ---- chaining: of all that a spread joins to what is priced, the nearest first ---- */

static void heap_push(struct curve *cv, uint32_t place)
{
    uint32_t at = cv->heap_count++;
    for (; at > 0 && cv->heap[(at - 1) / 2] > place; at = (at - 1) / 2)
        cv->heap[at] = cv->heap[(at - 1) / 2];
    cv->heap[at] = place;
}

static uint32_t heap_pop(struct curve *cv)
{
    uint32_t first = cv->heap[0], moved = cv->heap[--cv->heap_count], at = 0;
    for (uint32_t child = 1; child < cv->heap_count; child = 2 * at + 1) {
        if (child + 1 < cv->heap_count && cv->heap[child + 1] < cv->heap[child]) child += 1;
        if (cv->heap[child] >= moved) break;
        cv->heap[at] = cv->heap[child];
        at = child;
    }
    cv->heap[at] = moved;
    return first;
}

/* Atoms without a price that a spread joins to `from` wait for their turn. */
static void neighbours_push(const struct core *c, struct curve *cv, uint32_t from)
{
    struct event_settlement_source source;
    for (uint32_t r = c->instruments[from].spread_first; r != NIL; r = c->spread_refs[r].next) {
        uint32_t spread = c->spread_refs[r].spread;
        const struct event_instrument *s = &c->instruments[spread].terms;
        uint32_t other = s->legs[0] == from ? s->legs[1] : s->legs[0];
        if (c->instruments[other].product != s->product) continue;
        if (cv->state[other] != CURVE_open) continue;
        if (!spread_source(c, cv, spread, other, &source)) continue;
        cv->state[other] = CURVE_taken;
        heap_push(cv, cv->place[other]);
    }
}

static void spreads_run(struct core *c, struct curve *cv)
{
    for (;;) {
        for (; cv->queue_first < cv->queue_count; cv->queue_first++)
            neighbours_push(c, cv, cv->queue[cv->queue_first]);
        if (cv->heap_count == 0) return;
        uint32_t i = cv->keys[heap_pop(cv)].instrument;
        tier_spread(c, cv, i);
        cv->state[i] = CURVE_priced;
        cv->queue[cv->queue_count++] = i;
    }
}

/* ---- what longer periods say ---- */

/* The price at which a longer period traded: its window's, else its last of the day, as a
 * fraction. */
static bool whole_traded(const struct core *c, const struct curve *cv, uint32_t whole,
                         struct event_settlement_source *source)
{
    const struct window *w = settlement_window(c, whole, cv->day, cv->cycle);
    struct settlement_made made = made_of(c, cv, whole);
    int128_t value = w != NULL ? w->value : 0;
    *source = (struct event_settlement_source){.instrument = whole, .implied = PRICE_NONE,
                                               .weight = c->instruments[whole].terms.hours};
    if (w == NULL) {
        if (price_is_none(made.last)) return false;
        value = price_within(made.last, made.bid, made.ask).v;
    }
    source->volume = w != NULL ? w->qty : 1;
    source->value_high = (int64_t)(value >> 64);
    source->value_low = (uint64_t)value;
    source->price = PRICE((int64_t)int128_div_half_even(value, source->volume));
    return true;
}

static int128_t source_value(const struct event_settlement_source *s)
{
    return int128_join(s->value_high, s->value_low);
}

/* What a whole that traded leaves to its parts without a price: their previous settlements, shifted
 * alike, or one level where one of them has none. */
struct shift {
    bool based;
    int128_t numerator;
    int128_t denominator; /* 0: no part is without a price */
};

static struct shift shift_of(const struct core *c, const struct curve *cv, uint32_t whole,
                             const struct event_settlement_source *source)
{
    int128_t known = 0, hours = 0;
    struct shift shift = {.based = true};
    for (uint32_t k = 0; k < cv->parts_count; k++) {
        uint32_t i = cv->parts[k];
        if (cv->state[i] == CURVE_open && price_is_none(settlement_previous(c, i, cv->day)))
            shift.based = false;
    }
    for (uint32_t k = 0; k < cv->parts_count; k++) {
        uint32_t i = cv->parts[k];
        int128_t h = c->instruments[i].terms.hours;
        bool open = cv->state[i] == CURVE_open;
        if (!open) known += h * c->instruments[i].settlement.v;
        else if (shift.based) known += h * settlement_previous(c, i, cv->day).v;
        if (open) hours += h;
    }
    shift.numerator = source_value(source) * c->instruments[whole].terms.hours -
                      known * source->volume;
    shift.denominator = hours * source->volume;
    return shift;
}

static void tier_parent(struct core *c, struct curve *cv, uint32_t i, const struct shift *shift,
                        const struct event_settlement_source *source)
{
    struct settlement_made made = made_of(c, cv, i);
    int128_t price = int128_div_half_even(shift->numerator, shift->denominator);
    if (shift->based) price += made.previous.v;
    if (price > PRICE_MAX || price < -PRICE_MAX) return;
    made.tier = SETTLEMENT_TIER_parent;
    made.based = shift->based;
    made.numerator = shift->numerator;
    made.denominator = shift->denominator;
    made.price = PRICE((int64_t)price);
    struct event_settlement *e = price_set(c, cv, i, &made);
    settlement_source(c, e, source);
    settlement_close(c, e);
}

static void whole_back_out(struct core *c, struct curve *cv, uint32_t whole)
{
    struct event_settlement_source source;
    if (!whole_traded(c, cv, whole, &source) || !whole_parts(c, cv, whole)) return;
    struct shift shift = shift_of(c, cv, whole, &source);
    if (shift.denominator == 0) return;
    for (uint32_t k = 0; k < cv->parts_count; k++) {
        if (cv->state[cv->parts[k]] == CURVE_open)
            tier_parent(c, cv, cv->parts[k], &shift, &source);
    }
    spreads_run(c, cv);
}

static void whole_settle(struct core *c, struct curve *cv, uint32_t whole)
{
    struct settlement_made made = made_of(c, cv, whole);
    bool ok = whole_parts(c, cv, whole);
    ASSERT(ok);
    made.tier = SETTLEMENT_TIER_parts;
    made.denominator = c->instruments[whole].terms.hours;
    for (uint32_t k = 0; k < cv->parts_count; k++) {
        const struct instrument *part = &c->instruments[cv->parts[k]];
        uint8_t state = cv->state[cv->parts[k]];
        ok = ok && (state == CURVE_priced || state == CURVE_fixed);
        if (ok) made.numerator += (int128_t)part->terms.hours * part->settlement.v;
    }
    if (!ok) { /* a part is without a price: the whole stands for itself */
        if (tier_vwap(c, cv, whole) || tier_held(c, cv, whole, SETTLEMENT_TIER_last)) return;
        (void)tier_held(c, cv, whole, SETTLEMENT_TIER_previous);
        return;
    }
    made.price = PRICE((int64_t)int128_div_half_even(made.numerator, made.denominator));
    struct event_settlement *e = price_set(c, cv, whole, &made);
    for (uint32_t k = 0; k < cv->parts_count; k++) {
        const struct instrument *part = &c->instruments[cv->parts[k]];
        struct event_settlement_source source = {.instrument = cv->parts[k],
                                                 .price = part->settlement,
                                                 .implied = part->settlement,
                                                 .weight = part->terms.hours};
        settlement_source(c, e, &source);
    }
    settlement_close(c, e);
}

/* ---- spreads from their legs ---- */

static void spread_settle(struct core *c, struct curve *cv, uint32_t spread)
{
    const struct instrument *s = &c->instruments[spread];
    const struct instrument *a = &c->instruments[s->terms.legs[0]];
    const struct instrument *b = &c->instruments[s->terms.legs[1]];
    if (s->terms.expired != EXPIRY_none) return;
    if (a->settlement_day != cv->day || b->settlement_day != cv->day) return;
    struct settlement_made made = made_of(c, cv, spread);
    int128_t price = (int128_t)a->settlement.v * s->terms.ratios[0] +
                     (int128_t)b->settlement.v * s->terms.ratios[1];
    if (price > PRICE_MAX || price < -PRICE_MAX) return;
    made.tier = SETTLEMENT_TIER_legs;
    made.price = PRICE((int64_t)price);
    struct event_settlement *e = settlement_open(c, spread, &made);
    for (int leg = 0; leg < SPREAD_LEGS_MAX; leg++) {
        struct event_settlement_source source = {
            .instrument = s->terms.legs[leg], .weight = s->terms.ratios[leg],
            .price = c->instruments[s->terms.legs[leg]].settlement};
        source.implied = source.price;
        settlement_source(c, e, &source);
    }
    settlement_close(c, e);
}

/* Every spread with a leg in this product, once: from the leg that comes later in the order. */
static void spreads_settle(struct core *c, struct curve *cv)
{
    for (int step = 0; step < 2; step++) {
        for (uint32_t k = 0; k < cv->count; k++) {
            uint32_t leg = cv->keys[k].instrument;
            for (uint32_t r = c->instruments[leg].spread_first; r != NIL;
                 r = c->spread_refs[r].next) {
                uint32_t spread = c->spread_refs[r].spread;
                if (step == 0) cv->state[spread] = CURVE_open;
                else if (cv->state[spread] == CURVE_open) spread_settle(c, cv, spread);
                if (step == 1) cv->state[spread] = CURVE_out;
            }
        }
    }
}

/* ---- the run ---- */

static bool same_family(const struct curve *cv, uint32_t a, uint32_t b)
{
    return cv->keys[a].key >> 56 == cv->keys[b].key >> 56;
}

/* The first of each family still traded: its own last trade comes before spreads. */
static void leads_settle(struct core *c, struct curve *cv)
{
    bool led = false;
    for (uint32_t k = 0; k < cv->count; k++) {
        uint32_t i = cv->keys[k].instrument;
        if (k == 0 || !same_family(cv, k - 1, k)) led = false;
        if (led || c->instruments[i].terms.expired != EXPIRY_none) continue;
        led = true;
        if (cv->state[i] == CURVE_open) (void)tier_held(c, cv, i, SETTLEMENT_TIER_last);
    }
}

static void atoms_settle(struct core *c, struct curve *cv, enum settlement_tier tier)
{
    for (uint32_t k = 0; k < cv->count; k++) {
        uint32_t i = cv->keys[k].instrument;
        if (cv->state[i] != CURVE_open) continue;
        if (tier == SETTLEMENT_TIER_vwap) (void)tier_vwap(c, cv, i);
        else if (tier_held(c, cv, i, tier)) spreads_run(c, cv);
    }
}

static void wholes_run(struct core *c, struct curve *cv,
                       void (*run)(struct core *c, struct curve *cv, uint32_t whole))
{
    static const enum period_kind shortest_first[] = {PERIOD_day, PERIOD_week, PERIOD_month,
                                                      PERIOD_quarter, PERIOD_year};
    for (size_t kind = 0; kind < sizeof shortest_first / sizeof shortest_first[0]; kind++) {
        for (uint32_t k = 0; k < cv->count; k++) {
            uint32_t i = cv->keys[k].instrument;
            if (c->instruments[i].terms.period != shortest_first[kind]) continue;
            if (cv->state[i] == CURVE_whole) run(c, cv, i);
        }
    }
}

void curve_settle(struct core *c, uint32_t product, uint32_t cycle, int64_t day,
                  uint32_t principal)
{
    struct curve *cv = c->curve;
    cv->cycle = cycle;
    cv->day = day;
    cv->principal = principal;
    curve_begin(c, cv, product);
    wholes_find(c, cv);
    atoms_settle(c, cv, SETTLEMENT_TIER_vwap);
    leads_settle(c, cv);
    spreads_run(c, cv);
    atoms_settle(c, cv, SETTLEMENT_TIER_last);
    wholes_run(c, cv, whole_back_out);
    atoms_settle(c, cv, SETTLEMENT_TIER_previous);
    wholes_run(c, cv, whole_settle);
    spreads_settle(c, cv);
}
