/* instrument.c: products, instruments and spreads, as an officer lists them (UNIT-04, UNIT-05,
 * MATCH-06).
 *
 * Invariants: (1) a product's instruments are linked in listing order; (2) an outright has the
 * clearing house's own exposure from the start, so that a trade never has to make it; (3) a spread
 * is referred to by both of its legs, in listing order; (4) names are unique over the venue.
 *
 * Upstream: calendar, ledger (the clearing house's exposure). Downstream: core.c.
 */
#include "core/calendar.h"
#include "core/delivery.h"
#include "core/implied.h"
#include "core/index_spot.h"
#include "core/limit.h"
#include "core/schedule.h"
#include "core/settlement.h"
#include "core/state.h"
#include "core/span.h"
#include "core/spot.h"
#include "core/supply.h"

#include <string.h>
#include <xxhash.h>

enum {
    PRODUCT_FLAGS_KNOWN = PRODUCT_FLAG_TOP | PRODUCT_FLAG_HAS_FLOOR | PRODUCT_FLAG_HAS_BAND |
                          PRODUCT_FLAG_DIRECTED | PRODUCT_FLAG_HAS_PROTECTION,
};

static bool product_name_is_valid(const char *name)
{
    if (name[0] == 0) return false;
    for (size_t i = 0; i < PRODUCT_NAME_SIZE && name[i] != 0; i++) {
        char ch = name[i];
        bool ok = (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';
        if (!ok) return false;
    }
    return true;
}

static bool fee_tiers_are_valid(const struct command_product_create *p)
{
    for (uint32_t i = 0; i < p->fee_tier_count; i++) {
        const struct fee_tier *t = &p->fee_tiers[i];
        if (!within(t->maker.v, -MONEY_MAX, MONEY_MAX)) return false;
        if (!within(t->taker.v, -MONEY_MAX, MONEY_MAX)) return false;
        if (i == 0 ? t->from.v != 0 : t->from.v <= p->fee_tiers[i - 1].from.v) return false;
    }
    return true;
}

static bool lmm_shares_are_valid(const struct command_product_create *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->lmm_count; i++) sum += p->lmm[i].share_e6;
    return sum <= (uint64_t)E6;
}

/* CONTRACT-01: lots per hour are carried over, so only what is counted by the hour cascades. */
static bool calendar_is_valid(const struct command_product_create *p)
{
    const struct trading_calendar *t = &p->calendar;
    const uint32_t may = 1u << PERIOD_year | 1u << PERIOD_quarter | 1u << PERIOD_month |
                         1u << PERIOD_week;
    for (uint32_t i = 0; i < TRADING_PERIODS; i++) {
        const struct last_trading *l = &t->last[i];
        bool counted = l->rule == LAST_TRADING_business_days || l->rule == LAST_TRADING_days;
        if (l->rule >= LAST_TRADING_count || l->second >= DAY_SECONDS) return false;
        if (l->days > (counted ? LAST_TRADING_DAYS_MAX : 0)) return false;
        if (l->rule == LAST_TRADING_business_days && l->days == 0) return false;
    }
    if (t->reserved != 0 || (t->cascades & ~may) != 0) return false;
    return t->cascades == 0 || p->contract_unit == UNIT_hour;
}

static bool product_terms_are_valid(const struct command_product_create *p)
{
    if (!product_name_is_valid(p->name) || p->kind != 0) return false;
    if ((p->flags & ~(uint32_t)PRODUCT_FLAGS_KNOWN) != 0) return false;
    return within(p->tick.v, 1, PRICE_MAX) && within(p->contract_size, 1, MONEY_MAX) &&
           within(p->qty_max.v, 0, QTY_MAX) && within(p->floor.v, -PRICE_MAX, PRICE_MAX) &&
           within(p->band.v, 0, PRICE_MAX) && within(p->protection.v, 0, PRICE_MAX) &&
           within(p->pro_rata_minimum.v, 0, QTY_MAX) && within(p->top_minimum.v, 0, QTY_MAX) &&
           within(p->top_maximum.v, 0, QTY_MAX) && within(p->fifo_share_e6, 0, E6) &&
           within(p->flat_margin.v, 0, MONEY_MAX) && within(p->clearing_fee.v, 0, MONEY_MAX) &&
           lmm_shares_are_valid(p) && fee_tiers_are_valid(p) &&
           settlement_rules_are_valid(&p->settlement_rules) && spot_terms_are_valid(p) &&
           guard_terms_valid(p) && calendar_is_valid(p);
}

static bool lmm_accounts_exist(const struct core *c, const struct command_product_create *p)
{
    for (uint32_t i = 0; i < p->lmm_count; i++) {
        if (p->lmm[i].account == NIL || p->lmm[i].account > c->s->accounts) return false;
    }
    return true;
}

static bool product_name_taken(const struct core *c, const char *name)
{
    for (uint32_t i = 1; i <= c->s->products; i++) {
        if (strncmp(c->products[i].terms.name, name, PRODUCT_NAME_SIZE) == 0) return true;
    }
    return false;
}

static enum reject product_check(const struct core *c, const struct command_product_create *p)
{
    const struct product_offbook *o = &p->offbook;
    if (!within(o->block_minimum.v, 0, QTY_MAX) || !within(o->window_ns, 0, NS_PER_DAY) ||
        !within(o->block_range.v, 0, PRICE_MAX) || !within(o->no_bust_range.v, 0, PRICE_MAX) ||
        !within(o->bust_window_ns, 0, NS_PER_DAY)) {
        return REJECT_malformed_request;
    }
    if (!product_terms_are_valid(p) || !limits_are_valid(c, &p->limits) ||
        !delivery_terms_valid(p) || !supply_terms_are_valid(p)) {
        return REJECT_malformed_request;
    }
    uint32_t spot = p->settlement_rules.spot_index;
    if (spot != 0 && spot <= c->s->indices && !index_spot_takes(c, spot, p))
        return REJECT_malformed_request;
    if (!lmm_accounts_exist(c, p)) return REJECT_unknown_account;
    const struct settlement_rules *r = &p->settlement_rules;
    if (r->index > c->s->indices || r->spot_index > c->s->indices) return REJECT_unknown_index;
    if (p->delivery.index > c->s->indices) return REJECT_unknown_index;
    if (product_name_taken(c, p->name)) return REJECT_already_exists;
    if (c->s->products >= c->limits.products || !delivery_can_open(c, p))
        return REJECT_capacity_exhausted;
    return REJECT_none;
}

void product_create(struct core *c, const struct command *cmd)
{
    enum reject reason = product_check(c, &cmd->product_create);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t id = ++c->s->products;
    c->products[id] = (struct product){.terms = cmd->product_create, .state = STATE_closed,
                                        .limited = limits_are_set(&cmd->product_create.limits)};
    schedule_product(c, id);
    product_guard_flag(&c->products[id].terms);
    index_spot_flag(&c->products[id].terms);
    spot_product(c, id);
    delivery_open(c, &c->products[id].terms);
    event_product_push(c, c->out, id);
}

void event_product_push(const struct core *c, struct outbox *out, uint32_t product)
{
    struct event_product *e = outbox_push(out, EVENT_product, sizeof *e);
    e->id = product;
    e->state = c->products[product].state;
    e->terms = c->products[product].terms;
}

void event_instrument_push(const struct core *c, struct outbox *out, uint32_t instrument)
{
    struct event_instrument *e = outbox_push(out, EVENT_instrument, sizeof *e);
    struct event_header header = e->header;
    *e = c->instruments[instrument].terms;
    e->header = header;
}

/* Puts `text` behind what is in `name`; false when it does not fit. */
static bool name_append(char name[INSTRUMENT_NAME_SIZE], const char *text)
{
    size_t used = strlen(name);
    size_t more = strlen(text);
    if (used + more >= INSTRUMENT_NAME_SIZE) return false;
    memcpy(name + used, text, more);
    return true;
}

/* Not 0. Another name with the same key would be refused as taken: names are an officer's. */
static uint64_t name_key(const char *name)
{
    uint64_t key = XXH3_64bits(name, strnlen(name, INSTRUMENT_NAME_SIZE));
    return key != 0 ? key : 1;
}

static bool instrument_name_taken(const struct core *c, const char *name)
{
    return map_find(&c->name_map, name_key(name)) != NULL;
}

static void live_add(struct core *c, uint32_t id)
{
    uint32_t last = c->s->live_last;
    if (last == NIL) c->s->live_first = id;
    else c->instruments[last].live_next = id;
    c->instruments[id].live_before = last;
    c->s->live_last = id;
}

void instrument_end(struct core *c, uint32_t instrument)
{
    struct instrument *i = &c->instruments[instrument];
    ASSERT(i->terms.expired != EXPIRY_done);
    i->terms.expired = EXPIRY_done;
    if (i->live_before == NIL) c->s->live_first = i->live_next;
    else c->instruments[i->live_before].live_next = i->live_next;
    if (i->live_next == NIL) c->s->live_last = i->live_before;
    else c->instruments[i->live_next].live_before = i->live_before;
    i->live_next = i->live_before = NIL;
}

void instruments_check(const struct core *c)
{
    uint32_t before = NIL, i = c->s->live_first;
    for (uint32_t id = 1; id <= c->s->instruments; id++) {
        const struct event_instrument *t = &c->instruments[id].terms;
        const uint32_t *named = map_find(&c->name_map, name_key(t->name));
        ASSERT(named != NULL && *named == id);
        if (t->expired == EXPIRY_done) {
            ASSERT(c->instruments[id].live_next == NIL && c->instruments[id].live_before == NIL);
            continue;
        }
        ASSERT(i == id && c->instruments[id].live_before == before);
        before = i;
        i = c->instruments[id].live_next;
    }
    ASSERT(i == NIL && c->s->live_last == before && c->s->name_map_count == c->s->instruments);
}

/* Takes the next instrument slot for these terms, and links it into its product. */
static uint32_t instrument_add(struct core *c, const struct event_instrument *terms)
{
    uint32_t id = ++c->s->instruments;
    struct instrument *i = &c->instruments[id];
    *i = (struct instrument){
        .product = terms->product, .tick = terms->tick, .last = PRICE_NONE,
        .session_last = PRICE_NONE, .settlement = PRICE_NONE, .open = PRICE_NONE,
        .high = PRICE_NONE, .low = PRICE_NONE, .indicative_price = PRICE_NONE,
        .settlement_before = PRICE_NONE, .settlement_day = INT64_MIN, .expiry_due = INT64_MAX,
        .terms = *terms,
    };
    i->terms.id = id;
    i->terms.created = c->s->ts;
    struct product *p = &c->products[terms->product];
    if (p->instrument_last == NIL) p->instruments = id;
    else c->instruments[p->instrument_last].next_of_product = id;
    p->instrument_last = id;
    live_add(c, id);
    map_insert(&c->name_map, name_key(terms->name), id);
    schedule_instrument(c, id);
    guard_open(c, id);
    return id;
}

/* Into zeroed bytes. */
static void outright_name(char name[INSTRUMENT_NAME_SIZE], const struct command_product_create *p,
                          const char *period)
{
    bool fits = name_append(name, p->name) && name_append(name, "-") && name_append(name, period);
    ASSERT(fits);
}

/* Fills in the terms of an outright, and says what forbids it. */
static enum reject instrument_terms(const struct core *c, const struct command_instrument_list *l,
                                    bool by_cascade, struct event_instrument *terms)
{
    struct period period;
    if (!calendar_period_read(l->period, &period)) return REJECT_malformed_request;
    if (l->product == NIL || l->product > c->s->products) return REJECT_unknown_product;
    const struct command_product_create *p = &c->products[l->product].terms;
    uint32_t hours = calendar_hours(&period, p->peak_start_hour, p->peak_end_hour);
    if (hours == 0) return REJECT_malformed_request; /* a peak block of a weekend day */
    *terms = (struct event_instrument){
        .product = l->product, .period = (uint8_t)period.kind, .block = (uint8_t)period.block,
        .hours = hours, .start = TS(period.first_hour * NS_PER_HOUR),
        .end = TS(period.end_hour * NS_PER_HOUR), .expires_at = l->expires_at, .tick = p->tick,
        .contract_size = p->contract_size,
    };
    const struct last_trading *rule = &p->calendar.last[period.kind];
    if (l->expires_at.v == 0) terms->expires_at = TS(calendar_last_trading(rule, &period));
    bool delivers = p->delivery.class.vintage != 0 && period.kind >= PERIOD_day;
    if (delivers && l->expires_at.v == 0 && rule->rule == LAST_TRADING_end)
        terms->expires_at = delivery_last_trading(p, terms->start); /* DELIV-01 */
    outright_name(terms->name, p, l->period);
    if (instrument_name_taken(c, terms->name)) return REJECT_already_exists;
    bool dated = l->expires_at.v != 0 || rule->rule != LAST_TRADING_end || delivers;
    if (dated && !by_cascade && terms->expires_at.v <= c->s->ts.v) return REJECT_expired_time;
    /* What is delivered is not traded while it is. */
    if (delivers && terms->expires_at.v > terms->start.v) return REJECT_malformed_request;
    if (p->contract_unit == UNIT_hour &&
        (__builtin_mul_overflow(p->contract_size, (int64_t)hours, &terms->contract_size) ||
         terms->contract_size > MONEY_MAX)) {
        return REJECT_amount_overflow;
    }
    return REJECT_none;
}

/* INDEX-03: the index must still have the block's first hour when its last is fixed. */
static bool hours_pass_kept(const struct core *c, const struct event_instrument *terms,
                            enum reject reason)
{
    if (reason != REJECT_none) return false;
    if (c->products[terms->product].terms.settlement_rules.index == 0) return false;
    return (terms->end.v - terms->start.v) / NS_PER_HOUR > c->limits.index_hours;
}

enum reject instrument_open(struct core *c, const struct command_instrument_list *l,
                            bool by_cascade, uint32_t *id)
{
    struct event_instrument terms;
    enum reject reason = instrument_terms(c, l, by_cascade, &terms);
    bool full = c->s->instruments >= c->limits.instruments || hours_pass_kept(c, &terms, reason) ||
                map_full(&c->exposure_map);
    bool limited = reason == REJECT_none && c->products[terms.product].limited != 0;
    if (limited && !limit_can_list(c)) full = true; /* GUARD-07 */
    if (reason == REJECT_none && !span_instrument_fits(c, &terms)) reason = REJECT_amount_overflow;
    if (reason == REJECT_none && full) reason = REJECT_capacity_exhausted;
    if (reason != REJECT_none) return reason;
    *id = instrument_add(c, &terms);
    if (limited) {
        reason = limit_list(c, *id);
        ASSERT(reason == REJECT_none);
    }
    c->instruments[*id].exposure_ccp = exposure_get(c, c->s->account_ccp, *id);
    ASSERT(c->instruments[*id].exposure_ccp != NIL);
    span_instrument_listed(c, *id);
    delivery_listed(c, *id);
    event_instrument_push(c, c->out, *id);
    return REJECT_none;
}

uint32_t instrument_find(const struct core *c, uint32_t product, const struct period *period)
{
    char name[INSTRUMENT_NAME_SIZE] = {0}, text[PERIOD_NAME_SIZE];
    calendar_period_name(period, text);
    outright_name(name, &c->products[product].terms, text);
    const uint32_t *found = map_find(&c->name_map, name_key(name));
    return found == NULL ? NIL : *found;
}

void instrument_list(struct core *c, const struct command *cmd)
{
    uint32_t id;
    enum reject reason = instrument_open(c, &cmd->instrument_list, false, &id);
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}

/* FIRSTLEG:PERIOD2 within a product, FIRSTLEG:SECONDLEG across. */
static void spread_name(char name[INSTRUMENT_NAME_SIZE], const struct instrument *a,
                        const struct instrument *b, const struct product *of_b)
{
    const char *second = b->terms.name;
    if (a->product == b->product) second += strlen(of_b->terms.name) + 1;
    bool fits = name_append(name, a->terms.name) && name_append(name, ":") &&
                name_append(name, second);
    ASSERT(fits);
}

static uint32_t divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The first leg is bought, the second sold, in smallest terms. One unit of a spread must be able to
 * trade within one command, should every lot of a leg be an order of its own. */
static bool ratios_are_valid(const struct core *c, const int32_t ratios[SPREAD_LEGS_MAX])
{
    int32_t most = (int32_t)int64_min(SPREAD_RATIO_MAX, c->limits.fills_per_command / 4);
    if (ratios[0] < 1 || ratios[0] > most || ratios[1] > -1 || ratios[1] < -most) return false;
    return divisor((uint32_t)ratios[0], (uint32_t)-ratios[1]) == 1;
}

static enum reject spread_terms(const struct core *c, const struct command_spread_list *l,
                                struct event_instrument *terms)
{
    if (!ratios_are_valid(c, l->ratios)) return REJECT_malformed_request;
    if (l->legs[0] == l->legs[1]) return REJECT_malformed_request;
    for (int i = 0; i < SPREAD_LEGS_MAX; i++) {
        bool known = l->legs[i] != NIL && l->legs[i] <= c->s->instruments;
        if (known && is_spread(c, l->legs[i])) return REJECT_malformed_request;
    }
    for (int i = 0; i < SPREAD_LEGS_MAX; i++) {
        if (l->legs[i] == NIL || l->legs[i] > c->s->instruments) return REJECT_unknown_instrument;
    }
    const struct instrument *a = &c->instruments[l->legs[0]];
    const struct instrument *b = &c->instruments[l->legs[1]];
    *terms = a->terms;
    memset(terms->name, 0, sizeof terms->name);
    spread_name(terms->name, a, b, &c->products[b->product]);
    bool one_period = a->terms.start.v == b->terms.start.v && a->terms.end.v == b->terms.end.v;
    terms->period = one_period ? a->terms.period : PERIOD_none;
    terms->is_spread = 1;
    terms->legs[0] = l->legs[0];
    terms->legs[1] = l->legs[1];
    terms->ratios[0] = l->ratios[0];
    terms->ratios[1] = l->ratios[1];
    terms->start = TS(int64_min(a->terms.start.v, b->terms.start.v));
    terms->end = TS(int64_max(a->terms.end.v, b->terms.end.v));
    terms->expires_at = TS(int64_min(a->terms.expires_at.v, b->terms.expires_at.v));
    if (instrument_name_taken(c, terms->name)) return REJECT_already_exists;
    if (a->terms.expired != 0 || b->terms.expired != 0) return REJECT_instrument_expired;
    return REJECT_none;
}

/* Leg refers to spread, behind the spreads that were listed before. */
static void spread_ref_add(struct core *c, uint32_t leg, uint32_t spread)
{
    uint32_t id = ++c->s->spread_refs;
    c->spread_refs[id] = (struct spread_ref){.spread = spread};
    uint32_t *link = &c->instruments[leg].spread_first;
    while (*link != NIL) link = &c->spread_refs[*link].next;
    *link = id;
}

void spread_list(struct core *c, const struct command *cmd)
{
    struct event_instrument terms;
    enum reject reason = spread_terms(c, &cmd->spread_list, &terms);
    bool full = c->s->instruments >= c->limits.instruments;
    for (int i = 0; i < SPREAD_LEGS_MAX && reason == REJECT_none; i++)
        full = full || c->instruments[terms.legs[i]].implied >= c->limits.spreads_per_leg;
    if (reason == REJECT_none && full) reason = REJECT_capacity_exhausted;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t id = instrument_add(c, &terms);
    spread_ref_add(c, terms.legs[0], id);
    spread_ref_add(c, terms.legs[1], id);
    c->spreads[id] = (struct spread){
        .legs = {terms.legs[0], terms.legs[1]},
        .ratios = {(uint32_t)terms.ratios[0], (uint32_t)-terms.ratios[1]}};
    implied_list(c, id);
    event_instrument_push(c, c->out, id);
}
