/* span_params.c: the parameters of SPAN as data (CLEAR-06), and what follows from them. A command
 * carries the text of its source; what it changes is in force at once: the arrays of all
 * instruments concerned are made again and every account that holds them is margined anew, in time
 * linear in their exposures. One officer may tighten; anything else takes two (GUARD-05).
 *
 * Upstream: span, dual. Downstream: core.c (commands), instrument.c (listing).
 */
#include "core/call.h"
#include "core/dual.h"
#include "core/margin.h"
#include "core/span.h"

#include <string.h>

enum {
    EXTREME_MOVE_E6 = 3000000,  /* [3 x the scan] (CME SPAN) */
    EXTREME_COVER_E6 = 330000,  /* [of which 33 %] */
    OFFSET_E6 = 800000,         /* [80 %] (EMIR RTS 153 art. 27) */
    SCALE_MAX = 1000000,
    MOVE_MAX_E6 = 100000000,
};
#define ARRAY_MAX (INT64_C(1) << 56) /* of a lot: far above any contract */

/* Price moves of the 16 scenarios in thirds of the scan, two by two for volatility up and down;
 * the last two are the extreme ones (CME SPAN). */
enum { EXTREME = 99 };
static const int8_t moves[SPAN_SCENARIOS] = {0, 0, 1, 1, -1, -1, 2, 2, -2, -2, 3, 3, -3, -3,
                                             EXTREME, -EXTREME};

void span_start(struct core *c) { c->span_venue->table.offset_e6 = OFFSET_E6; }

/* ---- finding ---- */

static uint32_t group_find(const struct core *c, const char *name)
{
    for (uint32_t g = 1; g <= c->span_venue->groups; g++) {
        if (strncmp(c->span_groups[g].terms.group, name, MARGIN_GROUP_NAME_SIZE) == 0) return g;
    }
    return 0;
}

static uint32_t group_of_product(const struct core *c, uint32_t product)
{
    for (uint32_t g = 1; g <= c->span_venue->groups; g++) {
        const struct command_margin_set *t = &c->span_groups[g].terms;
        for (uint32_t p = 0; p < t->product_count; p++) {
            if (t->products[p].product == product) return g;
        }
    }
    return 0;
}

static int64_t scale_of(const struct command_margin_set *t, uint32_t product)
{
    for (uint32_t p = 0; p < t->product_count; p++) {
        if (t->products[p].product == product) return t->products[p].delta_scale;
    }
    return 0;
}

/* ---- what follows from the terms ---- */

static int64_t effect_of(const struct command_margin_set *t, const struct margin_spread *s)
{
    const struct margin_tier *a = &t->tiers[s->tier_a], *b = &t->tiers[s->tier_b];
    return s->charge.v + a->spot_spread.v - a->spot_outright.v + b->spot_spread.v -
           b->spot_outright.v;
}

/* The most that charges change when a delta is added to, or taken from, one side of a tier. */
static int64_t charge_bound(const struct command_margin_set *t)
{
    int64_t outright = 0, high = 0, low = 0;
    for (uint32_t i = 0; i < t->tier_count; i++) {
        outright = int64_max(outright, t->tiers[i].spot_outright.v);
    }
    for (uint32_t i = 0; i < t->spread_count; i++) {
        int64_t effect = effect_of(t, &t->spreads[i]);
        high = int64_max(high, effect);
        low = int64_min(low, effect);
    }
    return outright + high - low;
}

static void pairs_sort(struct span_group *g)
{
    for (uint32_t i = 0; i < g->terms.spread_count; i++) {
        const struct margin_spread *s = &g->terms.spreads[i];
        struct span_pair p = {s->tier_a, s->tier_b, s->charge.v, effect_of(&g->terms, s)};
        uint32_t at = i;
        for (; at > 0 && g->pairs[at - 1].effect < p.effect; at--) g->pairs[at] = g->pairs[at - 1];
        g->pairs[at] = p;
    }
}

/* The least that a common unit of the group adds to its scan. */
static int64_t unit_scan(const struct command_margin_set *t)
{
    int64_t least = t->tiers[0].price_scan.v;
    for (uint32_t i = 1; i < t->tier_count; i++) {
        least = int64_min(least, t->tiers[i].price_scan.v);
    }
    return least / t->inter_scale;
}

static int64_t saving_of_delta(const struct span_inter *n, const struct span_group *g)
{
    int64_t saving;
    bool fits = !__builtin_mul_overflow(n->saving, g->terms.inter_scale, &saving);
    return fits ? saving : INT64_MAX; /* no order is then admitted by its bound alone */
}

static void inters_derive(struct core *c)
{
    struct span_venue *v = c->span_venue;
    for (uint32_t g = 1; g <= v->groups; g++) {
        c->span_groups[g].inter = 0;
        c->span_groups[g].saving_max = 0;
    }
    for (uint32_t i = 0; i < v->table.count; i++) {
        const struct margin_inter *m = &v->table.inters[i];
        struct span_inter n = {.a = group_find(c, m->group_a), .b = group_find(c, m->group_b)};
        struct span_group *a = &c->span_groups[n.a], *b = &c->span_groups[n.b];
        int128_t scan = (int128_t)unit_scan(&a->terms) + unit_scan(&b->terms);
        n.saving = (int64_t)int128_div_floor(scan * m->credit_e6, E6);
        a->inter = b->inter = 1;
        a->saving_max = int64_max(a->saving_max, saving_of_delta(&n, a));
        b->saving_max = int64_max(b->saving_max, saving_of_delta(&n, b));
        uint32_t at = i;
        for (; at > 0 && v->inters[at - 1].saving < n.saving; at--) {
            v->inters[at] = v->inters[at - 1];
        }
        v->inters[at] = n;
    }
}

/* ---- an instrument's arrays ---- */

static uint32_t tier_of(const struct command_margin_set *t, ts_t start)
{
    uint32_t tier = 0;
    while (tier + 1 < t->tier_count && t->tiers[tier + 1].start.v <= start.v) tier += 1;
    return tier;
}

static int64_t move_of(const struct command_margin_set *t, uint32_t tier, int thirds)
{
    int128_t scan = t->tiers[tier].price_scan.v;
    if (thirds != EXTREME) return (int64_t)int128_div_ceil(scan * thirds, 3);
    int128_t part = int128_div_ceil(scan * t->extreme_move_e6, E6);
    return (int64_t)int128_div_ceil(part * t->extreme_cover_e6, E6);
}

/* Deltas of a lot; false when out of range. */
static bool delta_of(const struct core *c, const struct command_margin_set *t,
                     const struct event_instrument *terms, int64_t *delta)
{
    const struct command_product_create *p = &c->products[terms->product].terms;
    int64_t hours = p->contract_unit == UNIT_hour ? (int64_t)terms->hours : 1;
    return !__builtin_mul_overflow(scale_of(t, terms->product), hours, delta);
}

/* Whether what a lot adds to any sum is in range. */
static bool array_fits(const struct core *c, const struct command_margin_set *t,
                       const struct event_instrument *terms)
{
    int64_t delta;
    if (!delta_of(c, t, terms, &delta)) return false;
    uint32_t tier = tier_of(t, terms->start);
    int128_t worst = int64_max(move_of(t, tier, 3), move_of(t, tier, EXTREME));
    int128_t all = worst + charge_bound(t) + 1 + t->inter_scale;
    return all <= ARRAY_MAX && delta <= ARRAY_MAX && all * delta <= ARRAY_MAX;
}

bool span_instrument_fits(const struct core *c, const struct event_instrument *terms)
{
    uint32_t group = group_of_product(c, terms->product);
    return group == 0 || array_fits(c, &c->span_groups[group].terms, terms);
}

static bool same_hours(const struct event_instrument *a, const struct event_instrument *b)
{
    return a->start.v == b->start.v && a->end.v == b->end.v && a->block == b->block;
}

/* The instrument that stands for these hours in the group; itself when it is the first. */
static uint32_t maturity_of(const struct core *c, uint32_t group, uint32_t instrument)
{
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        const struct span_instrument *s = &c->span_instruments[i];
        if (s->group != group || s->maturity != i) continue;
        if (same_hours(&c->instruments[i].terms, &c->instruments[instrument].terms)) return i;
    }
    return instrument;
}

static void array_make(struct core *c, uint32_t group, uint32_t instrument)
{
    const struct span_group *g = &c->span_groups[group];
    const struct event_instrument *terms = &c->instruments[instrument].terms;
    struct span_instrument *i = &c->span_instruments[instrument];
    if (i->group == 0) i->maturity = maturity_of(c, group, instrument);
    i->group = group;
    i->tier = tier_of(&g->terms, terms->start);
    bool fits = delta_of(c, &g->terms, terms, &i->delta);
    ASSERT(fits);
    i->worst = 0;
    for (int s = 0; s < SPAN_SCENARIOS; s++) {
        int thirds = moves[s] < 0 ? -moves[s] : moves[s];
        int64_t loss = i->delta * move_of(&g->terms, i->tier, thirds);
        i->fall[s] = moves[s] < 0 ? loss : 0;
        i->rise[s] = moves[s] > 0 ? loss : 0;
        i->worst = int64_max(i->worst, loss);
    }
    i->weight = i->worst + i->delta * (g->charge_bound + 1 + g->terms.inter_scale);
    int128_t bound = i->worst + (int128_t)i->delta * ((int128_t)g->charge_bound + g->saving_max);
    i->bound = bound > INT64_MAX ? INT64_MAX : (int64_t)bound;
}

void span_instrument_listed(struct core *c, uint32_t instrument)
{
    uint32_t group = group_of_product(c, c->instruments[instrument].product);
    if (group != 0) array_make(c, group, instrument);
}

static uint32_t outright_next(const struct core *c, uint32_t i)
{
    while (i != NIL && is_spread(c, i)) i = c->instruments[i].next_of_product;
    return i;
}

#define EACH_INSTRUMENT(c, i, product)                                                            \
    for (uint32_t i = outright_next(c, (c)->products[product].instruments); i != NIL;             \
         i = outright_next(c, (c)->instruments[i].next_of_product))

static void arrays_make(struct core *c)
{
    for (uint32_t g = 1; g <= c->span_venue->groups; g++) {
        const struct command_margin_set *t = &c->span_groups[g].terms;
        for (uint32_t p = 0; p < t->product_count; p++) {
            EACH_INSTRUMENT(c, i, t->products[p].product) array_make(c, g, i);
        }
    }
}

/* ---- margining anew ---- */

static void group_clear(struct core *c, uint32_t group)
{
    for (uint32_t n = 1; n <= c->span_venue->records; n++) {
        struct span_record *r = &c->span_records[n];
        if (r->group != group) continue;
        c->span_accounts[r->account].groups -= r->requirement;
        *r = (struct span_record){.account = r->account, .group = group, .next = r->next};
    }
}

static void group_exposures(struct core *c, uint32_t group, bool clear)
{
    const struct command_margin_set *t = &c->span_groups[group].terms;
    for (uint32_t p = 0; p < t->product_count; p++) {
        EACH_INSTRUMENT(c, i, t->products[p].product) {
            for (uint32_t e = c->instruments[i].exposures; e != NIL;
                 e = c->exposures[e].next_of_instrument) {
                struct span_exposure *x = &c->span_exposures[e];
                bool spans = c->exposures[e].lot_margin == LOT_MARGIN_SPAN;
                if (!spans) continue;
                if (x->record == NIL) {
                    bool ready = span_prepare(c, c->exposures[e].account, i);
                    ASSERT(ready); /* group_has_room */
                    span_attach(c, e);
                }
                if (clear) x->low = x->high = x->delta_low = x->delta_high = 0;
                else span_exposure_update(c, e);
            }
        }
    }
}

/* Every account of the group; returns how many. */
static uint32_t group_margin(struct core *c, uint32_t group)
{
    uint32_t accounts = 0;
    group_clear(c, group);
    group_exposures(c, group, true);
    group_exposures(c, group, false);
    for (uint32_t n = 1; n <= c->span_venue->records; n++) {
        if (c->span_records[n].group != group) continue;
        span_account_update(c, c->span_records[n].account);
        accounts += 1;
    }
    return accounts;
}

/* ---- checks of a group's terms ---- */

static bool name_is_fit(const char *name)
{
    if (name[0] == 0) return false;
    for (size_t i = 0; name[i] != 0; i++) {
        char ch = name[i];
        if (!((ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_')) return false;
    }
    return true;
}

static bool tiers_are_fit(const struct command_margin_set *t)
{
    if (t->tier_count == 0) return false;
    for (uint32_t i = 0; i < t->tier_count; i++) {
        const struct margin_tier *m = &t->tiers[i];
        if (i > 0 && m->start.v <= t->tiers[i - 1].start.v) return false;
        if (!within(m->price_scan.v, 0, PRICE_MAX) || !within(m->vol_scan_e6, 0, PRICE_MAX) ||
            !within(m->spot_spread.v, 0, PRICE_MAX) || !within(m->spot_outright.v, 0, PRICE_MAX)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < t->spread_count; i++) {
        const struct margin_spread *s = &t->spreads[i];
        if (s->tier_a > s->tier_b || s->tier_b >= t->tier_count) return false;
        if (!within(s->charge.v, 0, PRICE_MAX)) return false;
        for (uint32_t j = 0; j < i; j++) {
            const struct margin_spread *other = &t->spreads[j];
            if (other->tier_a == s->tier_a && other->tier_b == s->tier_b) return false;
        }
    }
    int64_t bound = charge_bound(t);
    for (uint32_t i = 0; i < t->tier_count; i++) { /* span.h: why no charge may outweigh the scan */
        if (t->tiers[i].price_scan.v < bound) return false;
    }
    return true;
}

static bool numbers_are_fit(const struct command_margin_set *t)
{
    return within(t->extreme_move_e6, 0, MOVE_MAX_E6) && within(t->extreme_cover_e6, 0, E6) &&
           within(t->inter_scale, 1, SCALE_MAX) && within(t->netting_e6, 0, E6) &&
           within(t->short_option.v, 0, PRICE_MAX);
}

/* Products stay in their group: those of before come first, in their order. */
static enum reject products_check(const struct core *c, uint32_t group,
                                  const struct command_margin_set *t)
{
    const struct command_margin_set *old = &c->span_groups[group].terms;
    uint32_t kept = group == 0 ? 0 : old->product_count;
    for (uint32_t i = 0; i < t->product_count; i++) {
        uint32_t product = t->products[i].product;
        if (product == 0 || product > c->s->products) return REJECT_unknown_product;
    }
    if (t->product_count == 0 || t->product_count < kept) return REJECT_invalid_margin_parameters;
    for (uint32_t i = 0; i < t->product_count; i++) {
        uint32_t product = t->products[i].product;
        uint32_t has = group_of_product(c, product);
        if (c->products[product].terms.margin_model != MARGIN_span ||
            !within(t->products[i].delta_scale, 1, SCALE_MAX) ||
            (i < kept ? product != old->products[i].product : has != 0)) {
            return REJECT_invalid_margin_parameters;
        }
        for (uint32_t j = 0; j < i; j++) {
            if (t->products[j].product == product) return REJECT_invalid_margin_parameters;
        }
    }
    return REJECT_none;
}

static bool arrays_fit(const struct core *c, const struct command_margin_set *t)
{
    for (uint32_t p = 0; p < t->product_count; p++) {
        EACH_INSTRUMENT(c, i, t->products[p].product) {
            if (!array_fits(c, t, &c->instruments[i].terms)) return false;
        }
    }
    return true;
}

/* As maturity_of will find it when the products of t are the group's: first what already stands
 * for the hours, else the first instrument of those hours in the order of products. */
static uint32_t maturity_to_be(const struct core *c, uint32_t group,
                               const struct command_margin_set *t, uint32_t instrument)
{
    uint32_t found = group == 0 ? instrument : maturity_of(c, group, instrument);
    if (found != instrument || c->span_instruments[instrument].group != 0) return found;
    for (uint32_t p = 0; p < t->product_count; p++) {
        EACH_INSTRUMENT(c, i, t->products[p].product) {
            if (c->span_instruments[i].group != 0) continue;
            if (same_hours(&c->instruments[i].terms, &c->instruments[instrument].terms)) return i;
        }
    }
    return instrument;
}

/* Room for those who already have exposures in the products that join. Exposures that are made on
 * the way are empty: they harm nobody when the command is refused after all. */
static bool group_has_room(struct core *c, uint32_t group, const struct command_margin_set *t)
{
    uint64_t more = 0;
    for (uint32_t p = 0; p < t->product_count; p++) {
        EACH_INSTRUMENT(c, i, t->products[p].product) {
            if (c->span_instruments[i].group != 0) continue;
            uint32_t maturity = maturity_to_be(c, group, t, i);
            for (uint32_t e = c->instruments[i].exposures; e != NIL;
                 e = c->exposures[e].next_of_instrument) {
                if (c->exposures[e].lot_margin != LOT_MARGIN_SPAN) continue;
                more += 1;
                if (maturity == i) continue;
                if (exposure_get(c, c->exposures[e].account, maturity) == NIL) return false;
            }
        }
    }
    return c->span_venue->records + more <= span_records_max(&c->limits);
}

/* ---- loosening ---- */

static int64_t charge_of(const struct command_margin_set *t, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < t->spread_count; i++) {
        if (t->spreads[i].tier_a == a && t->spreads[i].tier_b == b) return t->spreads[i].charge.v;
    }
    return 0;
}

/* Whether anything but a plain tightening: another structure counts as loosening. */
static bool loosens(const struct command_margin_set *old, const struct command_margin_set *t)
{
    if (t->tier_count != old->tier_count || t->inter_scale != old->inter_scale) return true;
    for (uint32_t i = 0; i < old->product_count; i++) {
        if (t->products[i].delta_scale != old->products[i].delta_scale) return true;
    }
    for (uint32_t i = 0; i < t->tier_count; i++) {
        const struct margin_tier *m = &t->tiers[i], *o = &old->tiers[i];
        if (m->start.v != o->start.v || m->price_scan.v < o->price_scan.v ||
            m->vol_scan_e6 < o->vol_scan_e6 || m->spot_spread.v < o->spot_spread.v ||
            m->spot_outright.v < o->spot_outright.v) {
            return true;
        }
        for (uint32_t j = i; j < t->tier_count; j++) {
            if (charge_of(t, i, j) < charge_of(old, i, j)) return true;
        }
    }
    return t->extreme_move_e6 < old->extreme_move_e6 ||
           t->extreme_cover_e6 < old->extreme_cover_e6 || t->netting_e6 > old->netting_e6 ||
           t->short_option.v < old->short_option.v;
}

/* A tier without a scan has no margin: GUARD-05, nobody takes it away. */
static bool switches_off(const struct command_margin_set *old, const struct command_margin_set *t)
{
    for (uint32_t i = 0; i < t->tier_count; i++) {
        bool had = i >= old->tier_count || old->tiers[i].price_scan.v != 0;
        if (had && t->tiers[i].price_scan.v == 0) return true;
    }
    return false;
}

/* ---- commands ---- */

/* What the group will be: what is given over what it is. */
static void terms_merge(const struct core *c, uint32_t group, const struct command_margin_set *m,
                        struct command_margin_set *t)
{
    const uint32_t given = m->given;
    *t = c->span_groups[group].terms;
    if (group == 0) {
        *t = (struct command_margin_set){.extreme_move_e6 = EXTREME_MOVE_E6, .netting_e6 = E6,
                                         .extreme_cover_e6 = EXTREME_COVER_E6, .inter_scale = 1};
        memcpy(t->group, m->group, sizeof t->group);
    }
    t->given = MARGIN_GIVEN_ALL;
    if (given & MARGIN_GIVEN_products) {
        t->product_count = m->product_count;
        memcpy(t->products, m->products, sizeof t->products);
    }
    if (given & MARGIN_GIVEN_tiers) {
        t->tier_count = m->tier_count;
        memcpy(t->tiers, m->tiers, sizeof t->tiers);
    }
    if (given & MARGIN_GIVEN_spreads) {
        t->spread_count = m->spread_count;
        memcpy(t->spreads, m->spreads, sizeof t->spreads);
    }
    if (given & MARGIN_GIVEN_extreme) {
        t->extreme_move_e6 = m->extreme_move_e6;
        t->extreme_cover_e6 = m->extreme_cover_e6;
    }
    if (given & MARGIN_GIVEN_inter_scale) t->inter_scale = m->inter_scale;
    if (given & MARGIN_GIVEN_netting) t->netting_e6 = m->netting_e6;
    if (given & MARGIN_GIVEN_short_option) t->short_option = m->short_option;
    memcpy(t->source, m->source, sizeof t->source);
    memcpy(t->reason, m->reason, sizeof t->reason);
}

static enum reject terms_check(struct core *c, uint32_t group,
                               const struct command_margin_set *t)
{
    if (!name_is_fit(t->group)) return REJECT_malformed_request;
    enum reject reason = products_check(c, group, t);
    if (reason != REJECT_none) return reason;
    if (!numbers_are_fit(t) || !tiers_are_fit(t)) return REJECT_invalid_margin_parameters;
    if (!arrays_fit(c, t)) return REJECT_amount_overflow;
    bool full = group == 0 && c->span_venue->groups >= SPAN_GROUPS_MAX;
    if (!full) full = !group_has_room(c, group, t);
    return full ? REJECT_capacity_exhausted : REJECT_none;
}

static void event_terms_push(const struct core *c, struct outbox *out, uint32_t group,
                             uint32_t accounts)
{
    struct event_margin_terms *e = outbox_push(out, EVENT_margin_terms, sizeof *e);
    e->id = group;
    e->accounts = accounts;
    e->terms = c->span_groups[group].terms;
}

void query_margin_terms(const struct core *c, struct outbox *out)
{
    for (uint32_t g = 1; g <= c->span_venue->groups; g++) event_terms_push(c, out, g, 0);
    struct event_margin_inter *e = outbox_push(out, EVENT_margin_inter, sizeof *e);
    e->table = c->span_venue->table;
}

void margin_set(struct core *c, const struct command *cmd)
{
    struct command_margin_set t;
    uint32_t group = group_find(c, cmd->margin_set.group);
    terms_merge(c, group, &cmd->margin_set, &t);
    enum reject reason = terms_check(c, group, &t);
    if (reason == REJECT_none && group != 0 && switches_off(&c->span_groups[group].terms, &t))
        reason = REJECT_guard_needed;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (group != 0 && loosens(&c->span_groups[group].terms, &t) && dual_wait(c, cmd)) return;
    if (group == 0) group = ++c->span_venue->groups;
    struct span_group *g = &c->span_groups[group];
    g->terms = t;
    g->charge_bound = charge_bound(&t);
    pairs_sort(g);
    inters_derive(c);
    arrays_make(c);
    uint32_t accounts = group_margin(c, group);
    event_terms_push(c, c->out, group, accounts);
    call_run(c); /* CLEAR-09 */
}

static enum reject inter_check(const struct core *c, const struct command_margin_inter *t)
{
    if (!within(t->offset_e6, 0, E6)) return REJECT_invalid_margin_parameters;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct margin_inter *m = &t->inters[i];
        uint32_t a = group_find(c, m->group_a), b = group_find(c, m->group_b);
        if (a == 0 || b == 0 || a == b) return REJECT_invalid_margin_parameters;
        if (!within(m->credit_e6, 0, t->offset_e6)) return REJECT_invalid_margin_parameters;
        for (uint32_t j = 0; j < i; j++) {
            uint32_t x = group_find(c, t->inters[j].group_a);
            uint32_t y = group_find(c, t->inters[j].group_b);
            if ((x == a && y == b) || (x == b && y == a)) return REJECT_invalid_margin_parameters;
        }
    }
    return REJECT_none;
}

static int64_t credit_between(const struct command_margin_inter *t, const struct margin_inter *m)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct margin_inter *o = &t->inters[i];
        bool same = memcmp(o->group_a, m->group_a, sizeof m->group_a) == 0 &&
                    memcmp(o->group_b, m->group_b, sizeof m->group_b) == 0;
        if (same) return o->credit_e6;
    }
    return 0;
}

static bool inter_loosens(const struct command_margin_inter *old,
                          const struct command_margin_inter *t)
{
    if (t->offset_e6 > old->offset_e6) return true;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->inters[i].credit_e6 > credit_between(old, &t->inters[i])) return true;
    }
    return false;
}

void margin_inter(struct core *c, const struct command *cmd)
{
    struct span_venue *v = c->span_venue;
    enum reject reason = inter_check(c, &cmd->margin_inter);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (inter_loosens(&v->table, &cmd->margin_inter) && dual_wait(c, cmd)) return;
    v->table = cmd->margin_inter;
    inters_derive(c);
    arrays_make(c);
    for (uint32_t a = 1; a <= c->s->accounts; a++) c->span_accounts[a].inter = 0;
    for (uint32_t n = 1; n <= v->records; n++) {
        const struct span_record *r = &c->span_records[n];
        c->span_accounts[r->account].inter += c->span_groups[r->group].inter;
    }
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (c->span_accounts[a].records != NIL) span_account_update(c, a);
    }
    struct event_margin_inter *e = outbox_push(c->out, EVENT_margin_inter, sizeof *e);
    e->table = v->table;
    call_run(c); /* CLEAR-09 */
}
