/* span.c: see span.h. The way of an order: sums of scenarios kept as exposures change, and the
 * requirement that follows from them. Sums are taken modulo 2^64, so that what leaves the range
 * comes back exact; `weight` says when they may be read.
 */
#include "core/span.h"

#include "core/margin.h"

static int64_t wrap_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
static int64_t wrap_mul(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }

/* ---- a record's sums ---- */

static void tier_move(struct span_corner *k, uint32_t tier, int64_t before, int64_t after)
{
    int64_t longs = wrap_add(int64_max(after, 0), -int64_max(before, 0));
    int64_t shorts = wrap_add(-int64_min(after, 0), int64_min(before, 0));
    k->longs[tier] = wrap_add(k->longs[tier], longs);
    k->shorts[tier] = wrap_add(k->shorts[tier], shorts);
}

void span_record_move(struct span_record *r, const struct span_instrument *i, int corner,
                      int64_t lots, int64_t *delta)
{
    const int64_t *array = corner == SPAN_UPPER ? i->fall : i->rise;
    const uint64_t n = corner == SPAN_UPPER ? (uint64_t)lots : 0 - (uint64_t)lots;
    for (int s = 0; s < SPAN_SCENARIOS; s++) {
        r->loss[s] = (int64_t)((uint64_t)r->loss[s] + n * (uint64_t)array[s]);
    }
    int64_t moved = wrap_mul(lots, i->delta);
    int64_t after = wrap_add(*delta, moved);
    struct span_corner *k = &r->corner[corner];
    tier_move(k, i->tier, *delta, after);
    k->net = wrap_add(k->net, moved);
    *delta = after;
}

void span_record_worst(struct span_record *r, const struct span_instrument *i, int64_t low_before,
                       int64_t high_before, int64_t low, int64_t high)
{
    /* low <= position <= high: the larger is at or above zero. */
    int64_t change = int64_max(high, -low) - int64_max(high_before, -low_before);
    r->gross = wrap_add(r->gross, wrap_mul(change, i->worst));
    r->weight += (int128_t)change * i->weight;
}

/* ---- a record's requirement ---- */

int64_t span_scan_of(const struct span_record *r, int corner, uint32_t *scenario)
{
    /* Scenarios of a fall are met with every buy filled, those of a rise with every sell; 1 and 2
     * leave the price where it is. */
    static const uint8_t of[SPAN_CORNERS][7] = {{5, 6, 9, 10, 13, 14, 16},
                                                {3, 4, 7, 8, 11, 12, 15}};
    int64_t worst = int64_max(r->loss[0], r->loss[1]);
    uint32_t driver = r->loss[1] > r->loss[0] ? 2 : 1;
    for (int i = 0; i < 7; i++) {
        int64_t loss = r->loss[of[corner][i] - 1];
        driver = loss > worst ? of[corner][i] : driver;
        worst = int64_max(loss, worst);
    }
    *scenario = worst > 0 ? driver : 0;
    return int64_max(worst, 0);
}

struct span_charges span_charges_of(const struct span_group *g, const struct span_corner *k)
{
    const uint32_t tiers = g->terms.tier_count;
    struct span_charges sum = {0, 0};
    int64_t longs[SPAN_TIERS_MAX], shorts[SPAN_TIERS_MAX];
    int64_t any_long = 0, any_short = 0;
    for (uint32_t t = 0; t < tiers; t++) {
        longs[t] = k->longs[t];
        shorts[t] = k->shorts[t];
        any_long |= longs[t];
        any_short |= shorts[t];
        sum.spot += (longs[t] + shorts[t]) * g->terms.tiers[t].spot_outright.v;
    }
    if (any_long == 0 || any_short == 0) return sum;
    for (uint32_t p = 0; p < g->terms.spread_count; p++) {
        const struct span_pair *pair = &g->pairs[p];
        int64_t n = int64_min(longs[pair->a], shorts[pair->b]);
        longs[pair->a] -= n;
        shorts[pair->b] -= n;
        int64_t m = int64_min(longs[pair->b], shorts[pair->a]);
        longs[pair->b] -= m;
        shorts[pair->a] -= m;
        sum.intra += (n + m) * pair->charge;
        sum.spot += (n + m) * (pair->effect - pair->charge);
    }
    return sum;
}

static void corner_reckon(const struct span_group *g, struct span_record *r, int corner)
{
    uint32_t scenario;
    struct span_charges charges = span_charges_of(g, &r->corner[corner]);
    r->corner[corner].value = span_scan_of(r, corner, &scenario) + charges.intra + charges.spot;
}

int64_t span_record_requirement(const struct span_group *g, struct span_record *r, bool upper,
                                bool lower)
{
    if (__builtin_expect(r->weight > SPAN_WEIGHT_MAX, 0)) return MONEY_MAX;
    if (upper) corner_reckon(g, r, SPAN_UPPER);
    if (lower) corner_reckon(g, r, SPAN_LOWER);
    int64_t worst = int64_max(r->corner[SPAN_UPPER].value, r->corner[SPAN_LOWER].value);
    if (g->terms.netting_e6 < E6) {
        int128_t floor = int128_div_ceil((int128_t)r->gross * (E6 - g->terms.netting_e6), E6);
        worst = int64_max(worst, (int64_t)floor);
    }
    return worst;
}

/* ---- an account ---- */

int64_t span_credit(const struct core *c, const int64_t (*certain)[2])
{
    const struct span_venue *v = c->span_venue;
    int64_t left[SPAN_GROUPS_MAX + 1][2];
    int128_t credit = 0;
    for (uint32_t g = 1; g <= v->groups; g++) {
        left[g][0] = certain[g][0];
        left[g][1] = certain[g][1];
    }
    for (uint32_t i = 0; i < v->table.count; i++) {
        const struct span_inter *p = &v->inters[i];
        for (int side = 0; side < 2; side++) {
            int64_t n = int64_min(left[p->a][side], left[p->b][1 - side]);
            left[p->a][side] -= n;
            left[p->b][1 - side] -= n;
            credit += (int128_t)n * p->saving;
        }
    }
    return credit > MONEY_MAX ? MONEY_MAX : (int64_t)credit;
}

int64_t span_after_credit(const struct core *c, int128_t groups, int64_t credit, int64_t *floor)
{
    if (groups > MONEY_MAX) groups = MONEY_MAX;
    int128_t least = int128_div_ceil(groups * (E6 - c->span_venue->table.offset_e6), E6);
    int64_t left = (int64_t)(groups - credit);
    *floor = (int64_t)least;
    return int64_max(left, *floor);
}

/* Deltas that stay on their side whatever fills. A record out of range has none. */
static int64_t credit_of(const struct core *c, const struct span_account *a)
{
    int64_t certain[SPAN_GROUPS_MAX + 1][2] = {{0}};
    for (uint32_t n = a->records; n != NIL; n = c->span_records[n].next) {
        const struct span_record *r = &c->span_records[n];
        int64_t scale = c->span_groups[r->group].terms.inter_scale;
        if (r->weight > SPAN_WEIGHT_MAX) continue;
        certain[r->group][0] = int64_max(r->corner[SPAN_LOWER].net, 0) * scale;
        certain[r->group][1] = int64_max(-r->corner[SPAN_UPPER].net, 0) * scale;
    }
    return span_credit(c, (const int64_t(*)[2])certain);
}

static bool holds_nothing(const struct core *c, const struct span_account *a)
{
    for (uint32_t n = a->records; n != NIL; n = c->span_records[n].next) {
        if (c->span_records[n].weight != 0) return false;
    }
    return true;
}

void span_account_update(struct core *c, uint32_t account)
{
    struct span_account *a = &c->span_accounts[account];
    int64_t need = a->groups > MONEY_MAX ? MONEY_MAX : (int64_t)a->groups, floor;
    if (a->inter > 1) need = span_after_credit(c, a->groups, credit_of(c, a), &floor);
    a->span = need;
    if (a->run != 0) need = span_speed_path(a, need, holds_nothing(c, a));
    int64_t change = need - a->contribution;
    if (change == 0) return;
    bool ok = int64_add(c->accounts[account].requirement.v, change,
                        &c->accounts[account].requirement.v);
    ASSERT(ok); /* what is flat is within MONEY_MAX, and so is this */
    a->contribution = need;
}

/* ---- variation ---- */

int64_t span_variation(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    const struct instrument *in = &c->instruments[x->instrument];
    if (x->position == 0 && x->cost == 0) return 0;
    if (price_is_none(in->settlement)) return 0;
    int128_t gain = (int128_t)x->position * in->settlement.v - x->cost, product;
    int64_t value;
    if (gain == (int64_t)gain && !__builtin_mul_overflow((int64_t)gain, in->terms.contract_size,
                                                         &value)) {
        return int64_div_floor(value, E6);
    }
    if (!int128_mul(gain, in->terms.contract_size, &product)) {
        return gain < 0 ? -MONEY_MAX : MONEY_MAX;
    }
    product = int128_div_floor(product, E6);
    if (!money_fits(product)) return product < 0 ? -MONEY_MAX : MONEY_MAX;
    return (int64_t)product;
}

static void variation_update(struct core *c, uint32_t e)
{
    struct span_exposure *x = &c->span_exposures[e];
    struct account *a = &c->accounts[c->exposures[e].account];
    int64_t now = span_variation(c, e);
    if (now == x->variation) return;
    int128_t *sum = &c->span_accounts[c->exposures[e].account].variation;
    *sum += (int128_t)now - x->variation;
    a->variation.v = *sum > MONEY_MAX ? MONEY_MAX : *sum < -MONEY_MAX ? -MONEY_MAX : (int64_t)*sum;
    x->variation = now;
}

void span_settled(struct core *c, uint32_t instrument)
{
    uint32_t e = c->instruments[instrument].exposures;
    for (; e != NIL; e = c->exposures[e].next_of_instrument) {
        if (span_applies(c, e)) variation_update(c, e);
    }
}

/* ---- exposures ---- */

void span_note(struct core *c, uint32_t e)
{
    struct span_exposure *x = &c->span_exposures[e];
    if (x->record == NIL || x->noted != 0) return;
    x->noted = 1;
    c->span_noted[c->span_noted_count++] = e;
}

void span_exposure_update(struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    struct span_exposure *s = &c->span_exposures[e];
    const struct span_instrument *i = &c->span_instruments[x->instrument];
    struct span_record *r = &c->span_records[s->record];
    struct span_exposure *lead = &c->span_exposures[s->lead];
    int64_t low = x->position - x->open_sells, high = x->position + x->open_buys;
    bool upper = high != s->high, lower = low != s->low;
    s->noted = 0;
    variation_update(c, e);
    if (!upper && !lower) return;
    bool was_out = r->weight > SPAN_WEIGHT_MAX;
    span_record_worst(r, i, s->low, s->high, low, high);
    if (upper) span_record_move(r, i, SPAN_UPPER, high - s->high, &lead->delta_high);
    if (lower) span_record_move(r, i, SPAN_LOWER, low - s->low, &lead->delta_low);
    s->low = low;
    s->high = high;
    int64_t need = span_record_requirement(&c->span_groups[r->group], r, upper || was_out,
                                           lower || was_out);
    struct span_account *a = &c->span_accounts[x->account];
    a->groups += (int128_t)need - r->requirement;
    r->requirement = need;
    span_account_update(c, x->account);
}

void span_settle_noted(struct core *c)
{
    for (uint32_t n = 0; n < c->span_noted_count; n++) span_exposure_update(c, c->span_noted[n]);
    c->span_noted_count = 0;
}

bool span_admits(const struct core *c, uint32_t e, enum side side, int64_t lots)
{
    const struct exposure *x = &c->exposures[e];
    const struct span_instrument *i = &c->span_instruments[x->instrument];
    const struct span_record *r = &c->span_records[c->span_exposures[e].record];
    const struct span_account *a = &c->span_accounts[x->account];
    int64_t rise;
    (void)side; /* the bound holds for both */
    if (a->run != 0 && a->span == 0) return false; /* the first order brings the run's part back */
    if (lots > INT32_MAX || __builtin_mul_overflow(lots, i->bound, &rise)) return false;
    if (r->weight + (int128_t)lots * i->weight > SPAN_WEIGHT_MAX) return false;
    return rise <= margin_available(c, x->account);
}

/* ---- records ---- */

static uint32_t record_find(const struct core *c, uint32_t account, uint32_t group)
{
    uint32_t n = c->span_accounts[account].records;
    while (n != NIL && c->span_records[n].group != group) n = c->span_records[n].next;
    return n;
}

bool span_prepare(struct core *c, uint32_t account, uint32_t instrument)
{
    const struct span_instrument *i = &c->span_instruments[instrument];
    if (i->group == 0) return true;
    if (record_find(c, account, i->group) == NIL) {
        if (c->span_venue->records >= span_records_max(&c->limits)) return false;
        uint32_t n = ++c->span_venue->records;
        struct span_account *a = &c->span_accounts[account];
        c->span_records[n] = (struct span_record){.account = account, .group = i->group,
                                                  .next = a->records};
        a->records = n;
        c->accounts[account].span = 1;
        a->inter += c->span_groups[i->group].inter;
    }
    return i->maturity == instrument || exposure_get(c, account, i->maturity) != NIL;
}

void span_attach(struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    const struct span_instrument *i = &c->span_instruments[x->instrument];
    if (i->group == 0 || x->lot_margin != LOT_MARGIN_SPAN) return;
    bool own = i->maturity == x->instrument;
    uint32_t n = record_find(c, x->account, i->group);
    uint32_t lead = own ? e : exposure_find(c, x->account, i->maturity);
    ASSERT(n != NIL && lead != NIL); /* span_prepare came before */
    c->span_exposures[e] = (struct span_exposure){.record = n, .lead = lead};
    if (lead != e) c->span_exposures[lead].led += 1;
}
