/* settle.c: mark-to-market and expiry (CLEAR-04, INDEX-03). Prices: settlement.c.
 *
 * A mark pays every exposure (position x settlement - cost) x contract_size, half-even to
 * micro-USD, and re-bases its cost to position x settlement. It is one linked chain: per
 * instrument, those who lost pay to the clearing house, the clearing house pays those who gained,
 * and what rounding leaves there goes to (or comes from) the rounding account, so that the clearing
 * house is flat again. Everything is checked before anything is posted.
 *
 * Invariants: (1) over an instrument's exposures positions and costs sum to zero, so the exact
 * variations do; (2) an expired instrument has no position, no cost and no order; (3) one that
 * waits for its final price has no order; (4) a mark looks at each exposure a fixed number of
 * times, an expiry at those of its instrument only.
 *
 * Upstream: ledger, margin, order (cancels), settlement, index. Downstream: core.c, schedule.
 */
#include "core/call.h"
#include "core/collateral.h"
#include "core/settle.h"

#include "core/default.h"
#include "core/delivery.h"
#include "core/implied.h"
#include "core/bust.h"
#include "core/cascade.h"
#include "core/index.h"
#include "core/ledger.h"
#include "core/limit.h"
#include "core/margin.h"
#include "core/reclaim.h"
#include "core/schedule.h"
#include "core/settlement.h"
#include "core/spot.h"
#include "core/standing.h"
#include "core/value.h"

/* What is being marked: every instrument at its settlement price, or one alone at `price`. */
struct marking {
    uint32_t only; /* NIL: all */
    price_t price;
    uint32_t instruments; /* marked; the rest likewise is for the event at the end */
    uint64_t positions;
    int64_t paid;
};

price_t price_mark(const struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    return price_is_none(in->settlement) ? in->last : in->settlement;
}

static price_t marking_price(const struct core *c, const struct marking *m, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    if (m->only == NIL) return in->terms.expired == EXPIRY_done ? PRICE_NONE : in->settlement;
    return m->only == instrument ? m->price : PRICE_NONE;
}

/* ---- mark-to-market ---- */

static enum reject instrument_check(const struct core *c, uint32_t instrument)
{
    if (instrument == NIL || instrument > c->s->instruments) return REJECT_unknown_instrument;
    return instrument_is_final(c, instrument) ? REJECT_instrument_expired : REJECT_none;
}

/* The variation of one exposure; false when out of range. */
static bool variation_of(const struct core *c, const struct exposure *x, price_t price,
                         int64_t *variation)
{
    int128_t gain = (int128_t)x->position * price.v - x->cost;
    return value_half_even(gain, c->instruments[x->instrument].terms.contract_size, variation);
}

/* The same, when what it has been paid in all stays in range with it. */
static bool exposure_can_mark(const struct core *c, const struct exposure *x, price_t price,
                              int64_t *variation)
{
    return variation_of(c, x, price, variation) && money_fits((int128_t)x->realised.v + *variation);
}

/* Whether the account's cash stays in range whatever the order of its postings. */
static bool account_can_mark(const struct core *c, const struct marking *m, uint32_t account)
{
    int128_t cash = ledger_cash(c, account);
    int128_t reach = cash < 0 ? -cash : cash;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        price_t price = marking_price(c, m, x->instrument);
        int64_t v;
        if (price_is_none(price)) continue;
        if (!exposure_can_mark(c, x, price, &v)) return false;
        cash += v;
        reach += v < 0 ? -v : v;
    }
    return money_fits(cash) && reach <= (int128_t)2 * MONEY_MAX;
}

/* Whether what an instrument's losers pay fits in the clearing house's account meanwhile. */
static bool instrument_can_mark(const struct core *c, uint32_t instrument, price_t price)
{
    int128_t paid = 0;
    uint32_t e = c->instruments[instrument].exposures;
    for (; e != NIL; e = c->exposures[e].next_of_instrument) {
        int64_t v;
        if (!variation_of(c, &c->exposures[e], price, &v)) return false;
        paid += v < 0 ? -v : v;
    }
    return money_fits(paid);
}

/* The accounts in one instrument: each has one exposure there. */
static bool holders_can_mark(const struct core *c, const struct marking *m)
{
    uint32_t e = c->instruments[m->only].exposures;
    for (; e != NIL; e = c->exposures[e].next_of_instrument) {
        const struct exposure *x = &c->exposures[e];
        int64_t v;
        if (!exposure_can_mark(c, x, m->price, &v)) return false;
        if (!money_fits((int128_t)ledger_cash(c, x->account) + v)) return false;
    }
    return true;
}

static bool rounding_can_mark(const struct core *c)
{
    int128_t rounding = ledger_cash(c, c->s->account_rounding);
    return money_fits(rounding + c->limits.exposures) && money_fits(rounding - c->limits.exposures);
}

static bool can_mark(const struct core *c, const struct marking *m)
{
    if (m->only != NIL)
        return holders_can_mark(c, m) && instrument_can_mark(c, m->only, m->price) &&
               rounding_can_mark(c);
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (!account_can_mark(c, m, a)) return false;
    }
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        price_t price = marking_price(c, m, i);
        if (!price_is_none(price) && !instrument_can_mark(c, i, price)) return false;
    }
    return rounding_can_mark(c);
}

/* Posts the variation of exposure e if it has this sign, and re-bases its cost. */
static int64_t exposure_mark(struct core *c, struct ledger_chain *chain, uint32_t e, price_t price,
                             bool gains)
{
    struct exposure *x = &c->exposures[e];
    int64_t v;
    bool ok = variation_of(c, x, price, &v);
    ASSERT(ok);
    if ((v < 0) == gains) return 0;
    ledger_chain_cash(chain, x->account, v, POSTING_variation);
    x->realised.v += v;
    x->cost = (int128_t)x->position * price.v;
    margin_update(c, e);
    return v;
}

static void instrument_mark(struct core *c, struct ledger_chain *chain, struct marking *m,
                            uint32_t instrument, price_t price)
{
    int64_t v;
    const struct instrument *in = &c->instruments[instrument];
    uint32_t ccp = c->s->account_ccp;
    int64_t lost = 0, gained = 0;
    chain->instrument = instrument;
    bust_note_mark(c, instrument, price);
    chain->reference = in->settlement_id; /* what the postings were reckoned from */
    m->instruments += 1;
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        v = exposure_mark(c, chain, e, price, false);
        m->positions += v != 0 ? 1 : 0;
        lost += v;
    }
    ledger_chain_cash(chain, ccp, -lost, POSTING_variation);
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        v = exposure_mark(c, chain, e, price, true);
        m->positions += v != 0 ? 1 : 0;
        gained += v;
    }
    ledger_chain_cash(chain, ccp, -gained, POSTING_variation);
    int64_t left = -lost - gained;
    (void)int64_add(m->paid, gained, &m->paid);
    ledger_chain_cash(chain, ccp, -left, POSTING_rounding);
    ledger_chain_cash(chain, c->s->account_rounding, left, POSTING_rounding);
}

static void mark_run(struct core *c, struct marking *m)
{
    struct ledger_chain chain = ledger_chain_open(c, NIL, 0);
    uint32_t first = m->only != NIL ? m->only : 1;
    uint32_t last = m->only != NIL ? m->only : c->s->instruments;
    for (uint32_t i = first; i <= last; i++) {
        price_t price = marking_price(c, m, i);
        if (!price_is_none(price)) instrument_mark(c, &chain, m, i, price);
    }
    ledger_chain_close(&chain);
}

static void event_mark_push(struct core *c, const struct marking *m, uint64_t chain,
                            bool scheduled)
{
    struct event_mark *e = outbox_push(c->out, EVENT_mark, sizeof *e);
    e->mark_id = ++c->s->mark_id;
    e->chain_id = chain;
    e->scheduled = scheduled ? 1 : 0;
    e->instruments = m->instruments;
    e->positions = m->positions;
    e->paid = MONEY(m->paid);
}

/* Marks every instrument that has a settlement price: REJECT_none or amount_overflow with nothing
 * changed. */
static enum reject mark_all(struct core *c, bool scheduled)
{
    struct marking all = {.only = NIL};
    if (!can_mark(c, &all)) return REJECT_amount_overflow;
    mark_run(c, &all);
    event_mark_push(c, &all, c->s->chain_id, scheduled);
    call_run(c); /* CLEAR-09 */
    default_marked(c);
    standing_run(c);
    return REJECT_none;
}

void mark_to_market(struct core *c, const struct command *cmd)
{
    enum reject reason = mark_all(c, false);
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}

/* By the clock. One that does not fit says so as an officer's would: with a reject. */
void mark_scheduled(struct core *c)
{
    static const struct command asked = {.header.kind = COMMAND_mark_to_market};
    enum reject reason = mark_all(c, true);
    if (reason != REJECT_none) reject_push(c, &asked, reason, INT64_MIN);
}

/* ---- expiry ---- */

static bool is_held(const struct core *c, uint32_t instrument)
{
    uint32_t e = c->instruments[instrument].exposures;
    for (; e != NIL; e = c->exposures[e].next_of_instrument) {
        if (c->exposures[e].position != 0) return true;
    }
    return false;
}

static void instrument_close(struct core *c, uint32_t instrument, enum expiry expiry)
{
    /* First: nothing that a cancel sets off can enter the book again. */
    if (expiry == EXPIRY_done) instrument_end(c, instrument);
    else c->instruments[instrument].terms.expired = (uint8_t)expiry;
    if (c->instruments[instrument].implied != 0) implied_mark(c, instrument); /* implies no more */
    (void)order_cancel_instrument(c, instrument, CAUSE_cancelled_expired);
    spot_instrument_gone(c, instrument);
}

/* A spread ends with either of its legs. */
static void spreads_close(struct core *c, uint32_t leg)
{
    uint32_t ref = c->instruments[leg].spread_first;
    for (; ref != NIL; ref = c->spread_refs[ref].next) {
        uint32_t spread = c->spread_refs[ref].spread;
        if (c->instruments[spread].terms.expired != 0) continue;
        instrument_close(c, spread, EXPIRY_done);
        event_instrument_push(c, c->out, spread);
    }
}

/* Closes every position against the clearing house; variation has been paid. */
static void positions_close(struct core *c, uint32_t instrument, enum posting_code code)
{
    struct instrument *in = &c->instruments[instrument];
    struct ledger_chain chain = ledger_chain_open(c, instrument, 0);
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        struct exposure *x = &c->exposures[e];
        int64_t lots = x->position;
        if (e == in->exposure_ccp || lots == 0) continue;
        ledger_chain_position(&chain, e, -lots, code);
        ledger_chain_position(&chain, in->exposure_ccp, lots, code);
        x->cost = 0;
        x->entry_cost = 0;
        margin_update(c, e);
    }
    ledger_chain_close(&chain);
    in->open_interest = QTY(0);
}

/* This price becomes the final one. */
static void settlement_stand_at(struct core *c, uint32_t instrument, price_t price)
{
    struct settlement_made made = settlement_made_of(c, instrument, c->s->day);
    struct event_settlement_source source = {.instrument = instrument, .weight = 1};
    made.tier = SETTLEMENT_TIER_standing;
    made.final = true;
    made.price = source.price = source.implied = price;
    struct event_settlement *e = settlement_open(c, instrument, &made);
    settlement_source(c, e, &source);
    settlement_close(c, e);
}

/* The settlement in force becomes the final one. */
static void settlement_stand(struct core *c, uint32_t instrument)
{
    settlement_stand_at(c, instrument, c->instruments[instrument].settlement);
}

static void outright_close(struct core *c, uint32_t instrument, enum expiry expiry)
{
    instrument_close(c, instrument, expiry);
    spreads_close(c, instrument);
}

/* Nobody holds it any more. */
static void outright_leave(struct core *c, uint32_t instrument)
{
    limit_expire(c, instrument);
    reclaim_exposures(c, instrument);
    collateral_expire(c, instrument);
    call_run(c);
    event_instrument_push(c, c->out, instrument);
}

static void outright_expire(struct core *c, struct marking *m)
{
    uint32_t instrument = m->only;
    c->instruments[instrument].expiry_due = INT64_MAX;
    mark_run(c, m);
    positions_close(c, instrument, POSTING_settlement);
    outright_leave(c, instrument);
}

/* Its final price is the settlement in force. */
static enum reject expire_at_settlement(struct core *c, uint32_t instrument)
{
    price_t settlement = c->instruments[instrument].settlement;
    bool priced = !price_is_none(settlement);
    if (!priced && is_held(c, instrument)) return REJECT_no_settlement_price;
    /* With no position left, what was gained or lost does not depend on the price. */
    struct marking m = {.only = instrument, .price = priced ? settlement : PRICE(0)};
    if (!can_mark(c, &m)) return REJECT_amount_overflow;
    outright_close(c, instrument, EXPIRY_done);
    if (priced) settlement_stand(c, instrument);
    outright_expire(c, &m);
    return REJECT_none;
}

/* INDEX-03: its final price is the mean of its hours, never one print. */
static enum reject expire_at_mean(struct core *c, uint32_t instrument, struct index_mean *mean)
{
    const struct settlement_rules *r = &product_of(c, instrument)->terms.settlement_rules;
    if (!index_mean(c, instrument, mean)) return REJECT_missing_hours;
    struct settlement_made made = settlement_made_of(c, instrument, c->s->day);
    made.tier = SETTLEMENT_TIER_index;
    made.final = true;
    made.unit = settlement_rules_unit(r);
    made.numerator = mean->sum;
    made.denominator = mean->hours;
    made.price = PRICE(settlement_round(mean->sum, mean->hours, made.unit.v, PRICE_NONE));
    struct marking m = {.only = instrument, .price = made.price};
    if (!can_mark(c, &m)) return REJECT_amount_overflow;
    outright_close(c, instrument, EXPIRY_done);
    settlement_close(c, settlement_open(c, instrument, &made));
    outright_expire(c, &m);
    return REJECT_none;
}

/* CONTRACT-01: what is held goes on in shorter contracts. */
static enum reject expire_by_cascade(struct core *c, uint32_t instrument)
{
    price_t settlement = c->instruments[instrument].settlement;
    bool priced = !price_is_none(settlement);
    if (!is_held(c, instrument)) return expire_at_settlement(c, instrument);
    if (!priced) return REJECT_no_settlement_price;
    struct marking m = {.only = instrument, .price = settlement};
    struct cascade k;
    if (!can_mark(c, &m)) return REJECT_amount_overflow;
    enum reject reason = cascade_prepare(c, instrument, settlement, &k);
    if (reason == REJECT_instrument_expired) return expire_at_settlement(c, instrument);
    if (reason != REJECT_none) return reason;
    outright_close(c, instrument, EXPIRY_done);
    settlement_stand(c, instrument);
    c->instruments[instrument].expiry_due = INT64_MAX;
    mark_run(c, &m);
    cascade_move(c, &k);
    outright_leave(c, instrument);
    return REJECT_none;
}

/* CONTRACT-03: before the notice, so that who gets other contracts for it can file for these. */
static void conversions_leave(struct core *c, uint32_t instrument)
{
    bool in_time = delivery_applies(c, instrument) &&
                   c->s->ts.v < delivery_notice_at(c, instrument).v;
    if (in_time) conversion_unwind(c, instrument);
}

/* DELIV-01: trading is over, the price is final, positions are marked to it and stay. */
static enum reject expire_to_delivery(struct core *c, uint32_t instrument, price_t price)
{
    struct marking m = {.only = instrument, .price = price};
    if (!can_mark(c, &m)) return REJECT_amount_overflow;
    conversions_leave(c, instrument);
    if (!can_mark(c, &m)) return REJECT_amount_overflow;
    outright_close(c, instrument, EXPIRY_delivers);
    settlement_stand_at(c, instrument, price);
    c->instruments[instrument].expiry_due = INT64_MAX;
    mark_run(c, &m);
    call_run(c);
    event_instrument_push(c, c->out, instrument);
    return REJECT_none;
}

/* Whether every position stands at the price: none came since the last mark. */
static bool is_marked(const struct core *c, uint32_t instrument, price_t price)
{
    uint32_t e = c->instruments[instrument].exposures;
    for (; e != NIL; e = c->exposures[e].next_of_instrument) {
        const struct exposure *x = &c->exposures[e];
        if (x->cost != (int128_t)x->position * price.v) return false;
    }
    return true;
}

/* What came after the last trading day, from a longer contract, has its own price still. */
static bool remark(struct core *c, uint32_t instrument)
{
    struct marking m = {.only = instrument, .price = c->instruments[instrument].settlement};
    if (is_marked(c, instrument, m.price)) return true;
    if (!can_mark(c, &m)) return false;
    mark_run(c, &m);
    return true;
}

bool settle_finally(struct core *c, uint32_t instrument)
{
    if (c->instruments[instrument].terms.expired == EXPIRY_delivers) return remark(c, instrument);
    if (!is_held(c, instrument)) return expire_at_settlement(c, instrument) == REJECT_none;
    price_t price = price_mark(c, instrument);
    if (price_is_none(price)) price = PRICE(0); /* moved in, never traded nor settled */
    return expire_to_delivery(c, instrument, price) == REJECT_none;
}

void settle_delivered(struct core *c, uint32_t instrument)
{
    instrument_end(c, instrument);
    positions_close(c, instrument, POSTING_delivery);
    outright_leave(c, instrument);
}

static enum reject expire_any(struct core *c, uint32_t instrument, struct index_mean *mean)
{
    *mean = (struct index_mean){0};
    enum reject reason = instrument_check(c, instrument);
    if (reason != REJECT_none) return reason;
    if (is_spread(c, instrument)) {
        instrument_close(c, instrument, EXPIRY_done);
        event_instrument_push(c, c->out, instrument);
        return REJECT_none;
    }
    if (cascade_applies(c, instrument)) return expire_by_cascade(c, instrument);
    if (delivery_applies(c, instrument) && is_held(c, instrument)) {
        price_t price = c->instruments[instrument].settlement;
        return price_is_none(price) ? REJECT_no_settlement_price
                                    : expire_to_delivery(c, instrument, price);
    }
    if (product_of(c, instrument)->terms.settlement_rules.index != 0)
        return expire_at_mean(c, instrument, mean);
    return expire_at_settlement(c, instrument);
}

void expire(struct core *c, const struct command *cmd)
{
    struct index_mean mean;
    enum reject reason = expire_any(c, cmd->expire.instrument, &mean);
    if (reason == REJECT_none) return;
    /* The first hour that is missing is named, in ms. */
    int64_t detail = reason == REJECT_missing_hours ? mean.first_missing * 3600 * 1000 : INT64_MIN;
    reject_push(c, cmd, reason, detail);
}

/* ---- expiry by the clock ---- */

static void event_wait_push(struct core *c, uint32_t instrument, enum reject reason,
                            const struct index_mean *mean)
{
    struct event_settlement_wait *e = outbox_push(c->out, EVENT_settlement_wait, sizeof *e);
    e->instrument = instrument;
    e->reason = (uint32_t)reason;
    e->first_missing = TS(mean->missing > 0 ? mean->first_missing * NS_PER_HOUR : 0);
    e->missing = (uint32_t)mean->missing;
    e->reserved = 0;
}

/* A product without an index settles at its last day's settlement price; an older one, or one made
 * within the day, is not final. */
static bool is_final(const struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    int64_t last_day = int64_div_floor(in->terms.expires_at.v - 1, NS_PER_DAY);
    return in->settlement_id != 0 && in->settlement_day >= last_day && in->settlement_cycle == 0;
}

/* When the last hour of an index product's period is to be fixed, if that is still to come. */
static int64_t last_hour_due(const struct core *c, uint32_t instrument)
{
    uint32_t index = product_of(c, instrument)->terms.settlement_rules.index;
    if (index == 0 || cascade_applies(c, instrument)) return INT64_MIN;
    return c->instruments[instrument].terms.end.v + c->indices[index].terms.delay_ns;
}

void expiry_run(struct core *c, uint32_t instrument)
{
    struct instrument *in = &c->instruments[instrument];
    struct index_mean mean = {0};
    if (instrument_is_final(c, instrument)) return;
    if (in->terms.expired == EXPIRY_none) {
        outright_close(c, instrument, EXPIRY_waits);
        conversions_leave(c, instrument);
        event_instrument_push(c, c->out, instrument);
    }
    int64_t due = last_hour_due(c, instrument);
    if (due > c->s->ts.v) {
        schedule_expiry(c, instrument, TS(due));
        return;
    }
    bool averaged = due != INT64_MIN;
    enum reject reason = REJECT_no_settlement_price;
    if (averaged || is_final(c, instrument) || !is_held(c, instrument))
        reason = expire_any(c, instrument, &mean);
    if (reason != REJECT_none) event_wait_push(c, instrument, reason, &mean);
}
