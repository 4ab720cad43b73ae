/* offbook.c: see offbook.h. */
#include "core/offbook.h"

#include "core/default.h"
#include "core/margin.h"
#include "core/novation.h"

/* As buyer and seller, with lots above zero. */
struct sides {
    uint32_t account[2]; /* [SIDE_buy], [SIDE_sell] */
    int64_t lots;
};

static struct sides sides_of(const struct offbook *t)
{
    bool reversed = t->lots.v < 0;
    struct sides s = {.lots = reversed ? -t->lots.v : t->lots.v};
    s.account[SIDE_buy] = reversed ? t->from : t->to;
    s.account[SIDE_sell] = reversed ? t->to : t->from;
    return s;
}

/* An estate is one, too. */
static bool may_be_party(const struct core *c, uint32_t account)
{
    return account_exists(c, account) && c->accounts[account].system != SYSTEM_clearing;
}

/* What the house of a defaulter had is its estate's: nothing comes back (CLEAR-10). */
static bool is_frozen(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    return a->system == SYSTEM_none && a->origin == ORIGIN_house &&
           member_is_in_default(c, a->member);
}

static price_t leg_b_price(const struct core *c, const struct offbook *t)
{
    const struct event_instrument *terms = &c->instruments[t->instrument].terms;
    return price_is_none(t->leg_b) ? novation_leg_b(c, terms->legs[1]) : t->leg_b;
}

static enum reject terms_check(const struct core *c, const struct offbook *t)
{
    ASSERT(trade_is_off_book(t->kind) && t->reference <= UINT32_MAX);
    if (!may_be_party(c, t->from) || !may_be_party(c, t->to)) return REJECT_unknown_account;
    if (t->instrument == NIL || t->instrument > c->s->instruments) {
        return REJECT_unknown_instrument;
    }
    if (is_frozen(c, t->from) || is_frozen(c, t->to)) return REJECT_in_default;
    if (t->from == t->to) return REJECT_malformed_request;
    const struct event_instrument *terms = &c->instruments[t->instrument].terms;
    if (terms->expired != 0) return REJECT_instrument_expired;
    if (t->lots.v == 0 || t->lots.v > QTY_MAX || t->lots.v < -QTY_MAX) {
        return REJECT_invalid_amount;
    }
    if (!price_fits(t->price)) return REJECT_invalid_price;
    if (terms->is_spread != 0) {
        int64_t b = leg_b_price(c, t).v;
        if (!price_fits(PRICE(b)) || !price_fits(PRICE(b + t->price.v))) {
            return REJECT_invalid_price;
        }
    }
    return REJECT_none;
}

/* The exposures of one side: made if need be. */
static bool exposures_get(struct core *c, const struct offbook *t, uint32_t account, uint32_t e[2])
{
    const struct event_instrument *terms = &c->instruments[t->instrument].terms;
    bool spread = terms->is_spread != 0;
    e[0] = exposure_get(c, account, spread ? terms->legs[0] : t->instrument);
    e[1] = spread ? exposure_get(c, account, terms->legs[1]) : NIL;
    return e[0] != NIL && (!spread || e[1] != NIL);
}

/* Both accounts, or (not NIL) this one. */
static enum reject sides_check(struct core *c, const struct offbook *t, uint32_t only,
                               int64_t *missing)
{
    int64_t lacking = INT64_MIN;
    if (missing != NULL) *missing = INT64_MIN;
    enum reject reason = terms_check(c, t);
    if (reason != REJECT_none) return reason;
    struct sides s = sides_of(t);
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        uint32_t e[2];
        if (only != NIL && s.account[side] != only) continue;
        if (!exposures_get(c, t, s.account[side], e)) return REJECT_capacity_exhausted;
        reason = margin_admit(c, s.account[side], t->instrument, e[0], e[1], (enum side)side,
                              t->price, s.lots, &lacking);
        /* A shortfall with a number is a want of money; without one the range or the account's mode
         * forbids the trade, whoever asks. */
        bool forbidden = reason == REJECT_insufficient_margin && lacking == INT64_MIN;
        if (forbidden || (reason != REJECT_none && t->margined)) {
            if (missing != NULL) *missing = lacking;
            return reason;
        }
    }
    return REJECT_none;
}

enum reject offbook_check_side(struct core *c, const struct offbook *t, uint32_t account,
                               int64_t *missing)
{
    c->limit.waived = !t->margined; /* GUARD-07 asks whoever trades, not what has to move */
    enum reject reason = sides_check(c, t, account, missing);
    c->limit.waived = false;
    return reason;
}

enum reject offbook_check(struct core *c, const struct offbook *t, int64_t *missing)
{
    return offbook_check_side(c, t, NIL, missing);
}

static struct event_trade *event_push(struct core *c, const struct offbook *t,
                                      const struct sides *s, uint32_t instrument,
                                      enum trade_kind kind, price_t price)
{
    struct event_trade *e = outbox_push(c->out, EVENT_trade, sizeof *e);
    e->trade_id = ++c->s->trade_id;
    e->instrument_seq = ++c->instruments[instrument].trade_seq;
    e->instrument = instrument;
    e->kind = (uint8_t)kind;
    e->aggressor_side = SIDE_buy; /* neither rested */
    e->reserved[0] = e->reserved[1] = 0;
    e->price = price;
    e->qty = QTY(s->lots);
    e->mark = c->instruments[instrument].settlement;
    e->busted = 0;
    e->reserved2 = 0;
    e->reference = (uint32_t)t->reference;
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        e->order_id[side] = 0;
        e->account[side] = s->account[side];
        e->maker[side] = 0;
        e->fee[side] = MONEY(0);
    }
    return e;
}

static void contract_fill(struct core *c, const struct sides *s, struct event_trade *e)
{
    struct novation_fill f = {.instrument = e->instrument, .price = e->price, .qty = s->lots};
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        f.exposure[side] = exposure_find(c, s->account[side], e->instrument);
        ASSERT(f.exposure[side] != NIL); /* offbook_check made it */
    }
    novation_fill(c, &f, e->trade_id);
}

/* MATCH-02: what reduce-only orders still have to reduce. */
static void follow(struct core *c, const struct sides *s, uint32_t instrument)
{
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        uint32_t e = exposure_find(c, s->account[side], instrument);
        if (c->exposures[e].reduce_only > 0) reduce_only_cut(c, e);
    }
}

static void trade_outright(struct core *c, const struct offbook *t, const struct sides *s)
{
    struct event_trade *e = event_push(c, t, s, t->instrument, t->kind, t->price);
    contract_fill(c, s, e);
    if (t->fees) {
        novation_fee_trade(c, e);
        novation_fee_clearing(c, e);
    }
    novation_keep(c, e);
    follow(c, s, t->instrument);
}

/* Buying the spread buys its first leg and sells its second. */
static void trade_spread(struct core *c, const struct offbook *t, const struct sides *s)
{
    const struct event_instrument *terms = &c->instruments[t->instrument].terms;
    price_t b = leg_b_price(c, t);
    struct sides first = *s, other = {.lots = spread_lots(c, t->instrument, 1, s->lots)};
    first.lots = spread_lots(c, t->instrument, 0, s->lots);
    other.account[SIDE_buy] = s->account[SIDE_sell];
    other.account[SIDE_sell] = s->account[SIDE_buy];
    struct event_trade *e = event_push(c, t, s, t->instrument, t->kind, t->price);
    struct event_trade *leg[2];
    leg[0] = event_push(c, t, &first, terms->legs[0], TRADE_implied_leg, PRICE(b.v + t->price.v));
    contract_fill(c, &first, leg[0]);
    leg[1] = event_push(c, t, &other, terms->legs[1], TRADE_implied_leg, b);
    contract_fill(c, &other, leg[1]);
    novation_finish_spread(c, e, leg, t->fees);
    follow(c, s, terms->legs[0]);
    follow(c, s, terms->legs[1]);
}

uint64_t offbook_trade(struct core *c, const struct offbook *t)
{
    ASSERT(terms_check(c, t) == REJECT_none);
    struct sides s = sides_of(t);
    uint64_t id = c->s->trade_id + 1;
    if (is_spread(c, t->instrument)) trade_spread(c, t, &s);
    else trade_outright(c, t, &s);
    if (t->kind == TRADE_block || t->kind == TRADE_efp) {
        novation_volume(c, t->instrument, s.lots);
    }
    return id;
}

enum reject offbook_movable(struct core *c, uint32_t from, uint32_t to, uint32_t instrument,
                            qty_t lots, price_t price)
{
    struct offbook t = {.from = from, .to = to, .instrument = instrument, .lots = lots,
                        .price = price, .leg_b = PRICE_NONE, .kind = TRADE_transfer};
    return offbook_check(c, &t, NULL);
}

void offbook_move(struct core *c, uint32_t from, uint32_t to, uint32_t instrument, qty_t lots,
                  price_t price, enum trade_kind kind, uint64_t reference)
{
    struct offbook t = {.from = from, .to = to, .instrument = instrument, .lots = lots,
                        .price = price, .leg_b = PRICE_NONE, .kind = kind,
                        .reference = reference};
    (void)offbook_trade(c, &t);
}
