/* span_explain.c: SPAN from nothing: the explanation of a requirement, what-ifs (CLEAR-06), SPAN of
 * positions alone, and the check of what span.c keeps. Linear in the account's exposures.
 *
 * Upstream: span. Downstream: query.c, account.c, check.c, span_run.c.
 */
#include "core/margin.h"
#include "core/span.h"
#include "core/supply.h"

#include <string.h>

/* ---- what is held and worked, by instrument ---- */

static void range_add(struct span_scratch *s, uint32_t instrument, int64_t low, int64_t high)
{
    struct span_range *r = &s->at[instrument];
    if (r->known == 0) {
        r->known = 1;
        s->at[s->count++].touched = instrument;
    }
    r->low += low;
    r->high += high;
}

static void ranges_fill(const struct core *c, uint32_t account, enum span_what what,
                        const struct query_leg *legs, uint32_t count)
{
    struct span_scratch *s = c->span_scratch;
    uint32_t e = what == SPAN_LEGS_ONLY ? NIL : c->accounts[account].exposures;
    for (; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        bool orders = what != SPAN_POSITIONS;
        range_add(s, x->instrument, x->position - (orders ? x->open_sells : 0),
                  x->position + (orders ? x->open_buys : 0));
    }
    for (uint32_t i = 0; i < count; i++) {
        int64_t lots = legs[i].lots;
        range_add(s, legs[i].instrument, legs[i].kind == 1 ? 0 : legs[i].kind == 2 ? -lots : lots,
                  legs[i].kind == 2 ? 0 : lots);
    }
}

static void ranges_clear(struct span_scratch *s)
{
    uint32_t count = s->count;
    for (uint32_t n = 0; n < count; n++) {
        struct span_range *r = &s->at[s->at[n].touched];
        r->low = r->high = r->delta_low = r->delta_high = 0;
        r->known = 0;
    }
    s->count = 0;
}

/* ---- groups ---- */

static void range_reckon(const struct core *c, uint32_t instrument, struct span_book *book)
{
    struct span_scratch *s = c->span_scratch;
    const struct span_instrument *i = &c->span_instruments[instrument];
    int64_t low = s->at[instrument].low, high = s->at[instrument].high;
    if (i->group == 0) {
        int128_t flat = (int128_t)int64_max(high, -low) *
                        product_of(c, instrument)->terms.flat_margin.v;
        book->flat = money_clamp(book->flat + flat);
        return;
    }
    struct span_record *r = &book->records[i->group];
    if (r->group == 0) {
        r->group = i->group;
        book->used[book->count++] = i->group;
    }
    if (s->at[i->maturity].known == 0) range_add(s, i->maturity, 0, 0); /* so that it is cleared */
    span_record_worst(r, i, 0, 0, low, high);
    span_record_move(r, i, SPAN_UPPER, high, &s->at[i->maturity].delta_high);
    span_record_move(r, i, SPAN_LOWER, low, &s->at[i->maturity].delta_low);
    if (r->weight != 0) book->nothing = false;
}

void span_reckon(const struct core *c, uint32_t account, enum span_what what,
                 const struct query_leg *legs, uint32_t count, struct span_book *book)
{
    struct span_scratch *s = c->span_scratch;
    int64_t certain[SPAN_GROUPS_MAX + 1][2] = {{0}};
    memset(book, 0, sizeof *book);
    book->nothing = true;
    ranges_fill(c, account, what, legs, count);
    for (uint32_t n = 0; n < s->count; n++) range_reckon(c, s->at[n].touched, book);
    uint32_t inter = 0;
    for (uint32_t n = 0; n < book->count; n++) {
        struct span_record *r = &book->records[book->used[n]];
        const struct span_group *g = &c->span_groups[r->group];
        r->requirement = span_record_requirement(g, r, true, true);
        book->groups += r->requirement;
        inter += g->inter;
        if (r->weight > SPAN_WEIGHT_MAX) continue;
        certain[r->group][0] = int64_max(r->corner[SPAN_LOWER].net, 0) * g->terms.inter_scale;
        certain[r->group][1] = int64_max(-r->corner[SPAN_UPPER].net, 0) * g->terms.inter_scale;
    }
    ranges_clear(s);
    if (inter > 1) book->credit = span_credit(c, (const int64_t(*)[2])certain);
    book->span = span_after_credit(c, book->groups, book->credit, &book->offset_floor);
}

int64_t span_of_positions(const struct core *c, uint32_t account)
{
    struct span_book book;
    span_reckon(c, account, SPAN_POSITIONS, NULL, 0, &book);
    return book.span;
}

int64_t span_maintenance(const struct core *c, uint32_t account)
{
    struct span_book book;
    if (c->span_accounts[account].records == NIL) return 0;
    span_reckon(c, account, SPAN_POSITIONS, NULL, 0, &book);
    return span_speed_path(&c->span_accounts[account], book.span, book.nothing);
}

money_t span_alone(const struct core *c, uint32_t e)
{
    const struct span_exposure *s = &c->span_exposures[e];
    const struct span_instrument *i = &c->span_instruments[c->exposures[e].instrument];
    int128_t worst = (int128_t)int64_max(s->high, -s->low) * i->worst;
    return MONEY(money_clamp(worst));
}

/* ---- the explanation ---- */

static void event_group_push(const struct core *c, struct outbox *out, uint32_t account,
                             const struct span_record *r)
{
    const struct span_group *g = &c->span_groups[r->group];
    bool out_of_range = r->weight > SPAN_WEIGHT_MAX;
    bool lower = r->corner[SPAN_LOWER].value > r->corner[SPAN_UPPER].value;
    const struct span_corner *k = &r->corner[lower ? SPAN_LOWER : SPAN_UPPER];
    struct span_charges charges = {0, 0}; /* out of range there is nothing to explain */
    if (!out_of_range) charges = span_charges_of(g, k);
    int128_t floor = int128_div_ceil((int128_t)r->gross * (E6 - g->terms.netting_e6), E6);
    struct event_margin_group *e = outbox_push(out, EVENT_margin_group, sizeof *e);
    e->account = account;
    e->group = r->group;
    memcpy(e->name, g->terms.group, sizeof e->name);
    e->lower = lower;
    e->scan = MONEY(span_scan_of(r, lower ? SPAN_LOWER : SPAN_UPPER, &e->scenario));
    if (out_of_range) e->scan = MONEY(0);
    if (out_of_range) e->scenario = 0;
    e->intra = MONEY(charges.intra);
    e->spot = MONEY(charges.spot);
    e->short_option = MONEY(0); /* futures have none; the form is SPAN's */
    e->gross = MONEY(out_of_range ? 0 : r->gross);
    e->netting_floor = MONEY(out_of_range ? 0 : (int64_t)floor);
    e->requirement = MONEY(r->requirement);
    e->net_low = r->corner[SPAN_LOWER].net;
    e->net_high = r->corner[SPAN_UPPER].net;
}

static void event_margin_push(const struct core *c, struct outbox *out, const struct query *q,
                              const struct span_book *book)
{
    const struct account *a = &c->accounts[q->account];
    const struct span_account *s = &c->span_accounts[q->account];
    bool alone = (q->flags & QUERY_FLAG_ALONE) != 0, simulated = alone || q->legs_count > 0;
    int64_t need = span_speed_path(s, book->span, book->nothing);
    if (alone) need = book->span;
    int64_t flat = simulated ? book->flat : a->requirement.v - s->contribution;
    int128_t maintenance = alone ? 0 : span_maintenance(c, q->account);
    for (uint32_t e = alone ? NIL : a->exposures; e != NIL; e = c->exposures[e].next) {
        maintenance += margin_maintenance(c, e).v;
    }
    int128_t initial = (int128_t)need + flat;
    int128_t available = margin_available(c, q->account) + (int128_t)a->requirement.v - initial;
    struct event_margin *e = outbox_push(out, EVENT_margin, sizeof *e);
    e->account = q->account;
    e->simulated = simulated;
    e->run = alone ? 0 : s->run;
    e->run_core = s->result.core;
    e->run_liquidity = s->result.liquidity;
    e->run_concentration = s->result.concentration;
    e->run_floor = s->result.floor;
    e->run_total = s->result.total;
    e->run_stress_loss = s->result.stress_loss;
    e->span_at_run = MONEY(s->span_at_run);
    e->span_groups = MONEY(money_clamp(book->groups));
    e->inter_credit = MONEY(book->credit);
    e->offset_floor = MONEY(book->offset_floor);
    e->span = MONEY(book->span);
    e->flat = MONEY(flat);
    e->initial_margin = MONEY(money_clamp(initial));
    e->maintenance_margin = MONEY(money_clamp(maintenance));
    e->variation = a->variation;
    e->available = MONEY(money_clamp(available));
}

static enum reject legs_check(const struct core *c, const struct query *q)
{
    if (!account_exists(c, q->account)) return REJECT_unknown_account;
    if (q->legs_count > SPAN_LEGS_MAX) return REJECT_malformed_request;
    if (q->legs_count > 0 && c->accounts[q->account].mode != MODE_margined) {
        return REJECT_invalid_state; /* a collateralised account is not margined so */
    }
    for (uint32_t i = 0; i < q->legs_count; i++) {
        const struct query_leg *l = &q->legs[i];
        if (l->instrument == NIL || l->instrument > c->s->instruments) {
            return REJECT_unknown_instrument;
        }
        if (is_spread(c, l->instrument)) return REJECT_malformed_request;
        int64_t least = l->kind == 0 ? -QTY_MAX : 0;
        if (l->kind > 2 || l->lots < least || l->lots > QTY_MAX) return REJECT_invalid_amount;
        bool span = product_of(c, l->instrument)->terms.margin_model == MARGIN_span;
        if (span && c->span_instruments[l->instrument].group == 0) {
            return REJECT_no_margin_parameters;
        }
    }
    return REJECT_none;
}

void query_margin(const struct core *c, const struct query *q, struct outbox *out)
{
    struct span_book book;
    enum reject reason = legs_check(c, q);
    if (reason != REJECT_none) {
        struct event_reject *e = outbox_push(out, EVENT_reject, sizeof *e);
        struct event_header header = e->header;
        *e = (struct event_reject){.header = header, .reason = (uint16_t)reason,
                                   .detail = INT64_MIN};
        return;
    }
    bool alone = (q->flags & QUERY_FLAG_ALONE) != 0;
    span_reckon(c, q->account, alone ? SPAN_LEGS_ONLY : SPAN_WITH_ORDERS, q->legs, q->legs_count,
                &book);
    for (uint32_t g = 1; g <= c->span_venue->groups; g++) {
        if (book.records[g].group != 0) event_group_push(c, out, q->account, &book.records[g]);
    }
    event_margin_push(c, out, q, &book);
}

/* ---- invariants (span.h) ---- */

static void check_record(const struct span_record *kept, const struct span_record *anew)
{
    ASSERT(kept->gross == anew->gross && kept->weight == anew->weight);
    ASSERT(kept->requirement == anew->requirement && kept->requirement >= 0);
    for (int s = 0; s < SPAN_SCENARIOS; s++) ASSERT(kept->loss[s] == anew->loss[s]);
    for (int k = 0; k < SPAN_CORNERS; k++) {
        const struct span_corner *a = &kept->corner[k], *b = &anew->corner[k];
        ASSERT(a->net == b->net);
        for (int t = 0; t < SPAN_TIERS_MAX; t++) {
            ASSERT(a->longs[t] == b->longs[t] && a->shorts[t] == b->shorts[t]);
        }
    }
}

static void check_account(const struct core *c, uint32_t account)
{
    const struct span_account *a = &c->span_accounts[account];
    struct span_book book;
    uint32_t inter = 0;
    ASSERT(a->contribution >= 0 && a->contribution <= MONEY_MAX);
    ASSERT((a->records != NIL) == (c->accounts[account].span != 0));
    if (a->records == NIL) {
        ASSERT(a->groups == 0 && a->contribution == 0 && a->variation == 0);
        return;
    }
    span_reckon(c, account, SPAN_WITH_ORDERS, NULL, 0, &book);
    for (uint32_t n = a->records; n != NIL; n = c->span_records[n].next) {
        ASSERT(c->span_records[n].account == account);
        check_record(&c->span_records[n], &book.records[c->span_records[n].group]);
        inter += c->span_groups[c->span_records[n].group].inter;
    }
    ASSERT(inter == a->inter && a->groups == book.groups && a->span == book.span);
    ASSERT(a->contribution == span_speed_path(a, book.span, book.nothing));
}

void span_check(const struct core *c)
{
    int128_t variation = 0;
    ASSERT(c->span_noted_count == 0);
    for (uint32_t e = 1; e <= c->s->exposures; e++) {
        const struct exposure *x = &c->exposures[e];
        const struct span_exposure *s = &c->span_exposures[e];
        const struct account *a = &c->accounts[x->account];
        const struct span_instrument *i = &c->span_instruments[x->instrument];
        bool margined = a->system == 0 && a->mode == MODE_margined && i->group != 0;
        ASSERT(s->noted == 0 && (s->record != NIL) == margined); /* (4) */
        if (!margined) continue;
        ASSERT(c->span_records[s->record].account == x->account);
        ASSERT(c->span_records[s->record].group == i->group);
        ASSERT(c->exposures[s->lead].instrument == i->maturity);
        ASSERT(s->low == x->position - x->open_sells && s->high == x->position + x->open_buys);
        ASSERT(s->variation == span_variation(c, e));
        const struct command_product_create *p = &product_of(c, x->instrument)->terms;
        ASSERT(x->lot_margin < 0 && (x->requirement.v == 0 || short_is_limited(p)));
        variation += s->variation;
    }
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        check_account(c, a);
        variation -= c->span_accounts[a].variation;
    }
    ASSERT(variation == 0);
}
