/* settle.c: settlement prices, mark-to-market, expiry (CLEAR-03 by hand, CLEAR-04).
 *
 * A mark pays every exposure (position x settlement - cost) x contract_size, half-even to
 * micro-USD, and re-bases its cost to position x settlement. It is one linked chain: per
 * instrument, those who lost pay to the clearing house, the clearing house pays those who gained,
 * and what rounding leaves there goes to (or comes from) the rounding account, so that the clearing
 * house is flat again. Everything is checked before anything is posted.
 *
 * Invariants: (1) over an instrument's exposures positions and costs sum to zero, so the exact
 * variations do; (2) an expired instrument has no position, no cost and no order.
 *
 * Upstream: ledger, margin, order (cancels). Downstream: core.c, account (price_mark).
 */
#include "core/call.h"
#include "core/collateral.h"
#include "core/settle.h"

#include "core/default.h"
#include "core/implied.h"
#include "core/bust.h"
#include "core/ledger.h"
#include "core/limit.h"
#include "core/margin.h"
#include "core/value.h"

/* What is being marked: every instrument at its settlement price, or one alone at `price`. */
struct marking {
    uint32_t only; /* NIL: all */
    price_t price;
};

price_t price_mark(const struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    return price_is_none(in->settlement) ? in->last : in->settlement;
}

static price_t marking_price(const struct core *c, const struct marking *m, uint32_t instrument)
{
    if (m->only == NIL) return c->instruments[instrument].settlement;
    return m->only == instrument ? m->price : PRICE_NONE;
}

/* ---- settlement prices ---- */

static void settlement_keep(struct core *c, uint32_t instrument, price_t price, bool final)
{
    struct event_settlement *e = outbox_push(c->out, EVENT_settlement, sizeof *e);
    e->instrument = instrument;
    e->final = final ? 1 : 0;
    e->price = price;
    e->id = ++c->s->settlement_id;
    c->settlements[e->id % c->limits.settlements] = *e;
    c->instruments[instrument].settlement = price;
    if (c->span_instruments[instrument].group != 0) span_settled(c, instrument);
}

static enum reject instrument_check(const struct core *c, uint32_t instrument)
{
    if (instrument == NIL || instrument > c->s->instruments) return REJECT_unknown_instrument;
    bool expired = c->instruments[instrument].terms.expired != 0;
    return expired ? REJECT_instrument_expired : REJECT_none;
}

void settlement_price(struct core *c, const struct command *cmd)
{
    const struct command_settlement_price *s = &cmd->settlement_price;
    enum reject reason = instrument_check(c, s->instrument);
    bool in_range = s->price.v >= -PRICE_MAX && s->price.v <= PRICE_MAX;
    if (reason == REJECT_none && !in_range) reason = REJECT_invalid_price;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    settlement_keep(c, s->instrument, s->price, false);
}

/* ---- mark-to-market ---- */

/* The variation of one exposure; false when out of range. */
static bool variation_of(const struct core *c, const struct exposure *x, price_t price,
                         int64_t *variation)
{
    int128_t gain = (int128_t)x->position * price.v - x->cost;
    return value_half_even(gain, c->instruments[x->instrument].terms.contract_size, variation);
}

/* Whether the account's cash stays in range whatever the order of its postings. */
static bool account_can_mark(const struct core *c, const struct marking *m, uint32_t account)
{
    int128_t cash = ledger_cash(c, account);
    int128_t reach = cash < 0 ? -cash : cash;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        price_t price = marking_price(c, m, x->instrument);
        int64_t v, realised;
        if (price_is_none(price)) continue;
        if (!variation_of(c, x, price, &v)) return false;
        if (!int64_add(x->realised.v, v, &realised) || !money_fits(realised)) return false;
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

static bool can_mark(const struct core *c, const struct marking *m)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (!account_can_mark(c, m, a)) return false;
    }
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        price_t price = marking_price(c, m, i);
        if (!price_is_none(price) && !instrument_can_mark(c, i, price)) return false;
    }
    return money_fits((int128_t)ledger_cash(c, c->s->account_rounding) + c->limits.exposures) &&
           money_fits((int128_t)ledger_cash(c, c->s->account_rounding) - c->limits.exposures);
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

static void instrument_mark(struct core *c, struct ledger_chain *chain, uint32_t instrument,
                            price_t price)
{
    const struct instrument *in = &c->instruments[instrument];
    uint32_t ccp = c->s->account_ccp;
    int64_t lost = 0, gained = 0;
    chain->instrument = instrument;
    bust_note_mark(c, instrument, price);
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        lost += exposure_mark(c, chain, e, price, false);
    }
    ledger_chain_cash(chain, ccp, -lost, POSTING_variation);
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        gained += exposure_mark(c, chain, e, price, true);
    }
    ledger_chain_cash(chain, ccp, -gained, POSTING_variation);
    int64_t left = -lost - gained;
    ledger_chain_cash(chain, ccp, -left, POSTING_rounding);
    ledger_chain_cash(chain, c->s->account_rounding, left, POSTING_rounding);
}

static void mark_run(struct core *c, const struct marking *m)
{
    struct ledger_chain chain = ledger_chain_open(c, NIL, 0);
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        price_t price = marking_price(c, m, i);
        if (!price_is_none(price)) instrument_mark(c, &chain, i, price);
    }
    ledger_chain_close(&chain);
}

enum reject mark_all(struct core *c)
{
    struct marking all = {.only = NIL};
    if (!can_mark(c, &all)) return REJECT_amount_overflow;
    mark_run(c, &all);
    call_run(c); /* CLEAR-09 */
    default_marked(c);
    return REJECT_none;
}

void mark_to_market(struct core *c, const struct command *cmd)
{
    enum reject reason = mark_all(c);
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
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

static void instrument_close(struct core *c, uint32_t instrument)
{
    /* Expired first: nothing that a cancel sets off can enter the book again. */
    c->instruments[instrument].terms.expired = 1;
    if (c->instruments[instrument].implied != 0) implied_mark(c, instrument); /* implies no more */
    (void)order_cancel_instrument(c, instrument, CAUSE_cancelled_expired);
}

/* A spread ends with either of its legs. */
static void spreads_close(struct core *c, uint32_t leg)
{
    uint32_t ref = c->instruments[leg].spread_first;
    for (; ref != NIL; ref = c->spread_refs[ref].next) {
        uint32_t spread = c->spread_refs[ref].spread;
        if (c->instruments[spread].terms.expired != 0) continue;
        instrument_close(c, spread);
        event_instrument_push(c, c->out, spread);
    }
}

/* Closes every position against the clearing house; variation has been paid. */
static void positions_close(struct core *c, uint32_t instrument)
{
    struct instrument *in = &c->instruments[instrument];
    struct ledger_chain chain = ledger_chain_open(c, instrument, 0);
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        struct exposure *x = &c->exposures[e];
        int64_t lots = x->position;
        if (e == in->exposure_ccp || lots == 0) continue;
        ledger_chain_position(&chain, e, -lots, POSTING_settlement);
        ledger_chain_position(&chain, in->exposure_ccp, lots, POSTING_settlement);
        x->cost = 0;
        x->entry_cost = 0;
        margin_update(c, e);
    }
    ledger_chain_close(&chain);
    in->open_interest = QTY(0);
    limit_expire(c, instrument);
}

static void outright_expire(struct core *c, const struct marking *m, bool priced)
{
    uint32_t instrument = m->only;
    instrument_close(c, instrument);
    spreads_close(c, instrument);
    if (priced) settlement_keep(c, instrument, m->price, true);
    mark_run(c, m);
    positions_close(c, instrument);
    collateral_expire(c, instrument);
    call_run(c);
}

enum reject expire_instrument(struct core *c, uint32_t instrument)
{
    enum reject reason = instrument_check(c, instrument);
    if (reason != REJECT_none) return reason;
    if (is_spread(c, instrument)) {
        instrument_close(c, instrument);
        event_instrument_push(c, c->out, instrument);
        return REJECT_none;
    }
    price_t settlement = c->instruments[instrument].settlement;
    bool priced = !price_is_none(settlement);
    if (!priced && is_held(c, instrument)) return REJECT_no_settlement_price;
    /* With no position left, what was gained or lost does not depend on the price. */
    struct marking m = {.only = instrument, .price = priced ? settlement : PRICE(0)};
    if (!can_mark(c, &m)) return REJECT_amount_overflow;
    outright_expire(c, &m, priced);
    event_instrument_push(c, c->out, instrument);
    return REJECT_none;
}

void expire(struct core *c, const struct command *cmd)
{
    enum reject reason = expire_instrument(c, cmd->expire.instrument);
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}
