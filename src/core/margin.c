/* margin.c: see margin.h. Flat model: whole numbers of 64 bits and no division on the way of an
 * order or a trade. */
#include "core/margin.h"

#include "core/collateral.h"
#include "core/limit.h"
#include "core/margin_lot.h"
#include "core/supply.h"
#include "core/value.h"

/* An exposure as it would be; `requirement` follows. */
struct view {
    int64_t position;
    int64_t open_buys;
    int64_t open_sells;
    int128_t cost;
    int128_t buy_value;
    int64_t cover;
};

static struct view view_of(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    if (e == NIL) return (struct view){0};
    return (struct view){x->position, x->open_buys, x->open_sells, x->cost, x->buy_value, x->cover};
}

static int64_t worst_lots(const struct view *v)
{
    return margin_lots_worst(v->position, v->open_buys, v->open_sells);
}

/* False when out of range. */
static bool reserve_of(const struct view *v, int64_t contract_size, int64_t *need)
{
    int128_t spent = v->cost > 0 ? v->cost : 0;
    int128_t owed = spent + v->buy_value;
    /* A short that capacity covers may be bought back with what it was sold for. */
    if (v->cover > 0) owed = v->cost + v->buy_value > 0 ? v->cost + v->buy_value : 0;
    return value_ceil(owed, contract_size, need);
}

static bool need_of(const struct core *c, const struct account *a, uint32_t instrument,
                    const struct view *v, int64_t *need)
{
    if (__builtin_expect(a->mode == MODE_collateralised, 0)) {
        return reserve_of(v, c->instruments[instrument].terms.contract_size, need);
    }
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    int64_t flat = p->flat_margin.v, extra = 0;
    if (short_is_limited(p) && /* CERT-03 */
        !short_margin(c, (uint32_t)(a - c->accounts), instrument, v->open_sells - v->position,
                      &extra)) return false;
    if (flat == 0 || p->margin_model == MARGIN_span) { /* SPAN: by account, not by exposure */
        *need = extra;
        return true;
    }
    return !__builtin_mul_overflow(worst_lots(v), flat, need) &&
           int64_add(*need, extra, need) && *need <= MONEY_MAX;
}

int64_t margin_lots_max(const struct core *c)
{
    return int64_min(QTY_MAX, INT64_MAX / (int64_t)c->limits.accounts);
}

static bool lots_are_sane(const struct core *c, const struct view *v)
{
    int64_t worst = worst_lots(v);
    if (v->cost > MARGIN_COST_MAX || v->cost < -MARGIN_COST_MAX) return false;
    /* 2^31 accounts of 2^31 lots fit: the division is for what is beyond. */
    return worst <= INT32_MAX || worst <= margin_lots_max(c);
}

/* CLEAR-08, fully collateralised: whether this order is of a kind that the mode allows. */
static bool collateralised_allows(const struct core *c, uint32_t instrument, const struct view *v,
                                  enum side side, price_t price, int64_t qty)
{
    if (is_spread(c, instrument)) return false;
    if (side == SIDE_sell) return v->open_sells + qty <= v->position + v->cover;
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    bool floored = (p->flags & PRODUCT_FLAG_HAS_FLOOR) != 0 && p->floor.v >= 0;
    return floored && !price_is_none(price) && price.v >= 0;
}

static void view_add(struct view *v, enum side side, price_t price, int64_t qty)
{
    if (side == SIDE_buy) {
        v->open_buys += qty;
        if (!price_is_none(price)) v->buy_value += (int128_t)price.v * qty;
    } else {
        v->open_sells += qty;
    }
}

/* What the leg's exposure will need with the order, less what it needs now. */
static bool leg_rise(const struct core *c, const struct account *a, uint32_t instrument, uint32_t e,
                     enum side side, price_t price, int64_t qty, int128_t *rise)
{
    struct view v = view_of(c, e);
    view_add(&v, side, price, qty);
    int64_t need;
    if (!lots_are_sane(c, &v) || !need_of(c, a, instrument, &v, &need)) return false;
    *rise += need - (e == NIL ? 0 : c->exposures[e].requirement.v);
    return true;
}

/* What would be free if the requirement rose by this much. With the requirement, what pledged
 * capacity counts for rises too, but never by as much (CLEAR-09). */
static int128_t available_after(const struct core *c, uint32_t account, int128_t rise)
{
    const struct account *a = &c->accounts[account];
    const struct balance *b = &c->balances[a->cash];
    int128_t requirement = rise + a->requirement.v;
    int64_t credit = 0;
    if (a->credit.v != 0) {
        credit = requirement > MONEY_MAX
                     ? 0
                     : collateral_credit(c, account, (int64_t)requirement);
    }
    return (int128_t)b->amount - b->pending_out + a->variation.v + credit - requirement;
}

static bool is_span(const struct core *c, uint32_t e)
{
    return e != NIL && c->exposures[e].lot_margin == LOT_MARGIN_SPAN;
}

struct work { /* as margin_work takes it */
    uint32_t instrument;
    uint32_t e;
    uint32_t eb;
    enum side side;
    price_t price;
    int64_t qty;
};

static void work_do(struct core *c, const struct work *w, int64_t sign)
{
    margin_work(c, w->instrument, w->e, w->eb, w->side, w->price, sign * w->qty);
    span_settle_noted(c);
}

static bool in_range(const struct core *c, uint32_t e)
{
    return !is_span(c, e) ||
           c->span_records[c->span_exposures[e].record].weight <= SPAN_WEIGHT_MAX;
}

/* By trial: what would be required with the order at work, which is then taken back exactly. */
static enum reject span_try(struct core *c, uint32_t account, const struct work *w,
                            int64_t *missing)
{
    const int64_t before = c->accounts[account].requirement.v;
    work_do(c, w, 1);
    int64_t after = c->accounts[account].requirement.v, left = margin_available(c, account);
    bool reckoned = in_range(c, w->e) && in_range(c, w->eb);
    work_do(c, w, -1);
    ASSERT(c->accounts[account].requirement.v == before);
    if (!reckoned) return REJECT_insufficient_margin;
    if (after <= before || left >= 0) return REJECT_none;
    *missing = left < -MONEY_MAX ? MONEY_MAX : -left;
    return REJECT_insufficient_margin;
}

/* CLEAR-08 where a leg is margined by SPAN. */
static enum reject span_admit(struct core *c, uint32_t account, const struct work *w,
                              int64_t *missing)
{
    bool known = (!is_span(c, w->e) || span_applies(c, w->e)) &&
                 (!is_span(c, w->eb) || span_applies(c, w->eb));
    if (!known) return REJECT_no_margin_parameters;
    bool plain = w->eb == NIL && !short_is_limited(&product_of(c, w->instrument)->terms);
    if (plain && span_admits(c, w->e, w->side, w->qty)) return REJECT_none;
    return span_try(c, account, w, missing);
}

/* CERT-03: whether what is sold more, of either leg, may be short. */
static bool shorts_admit(const struct core *c, uint32_t account, uint32_t instrument,
                         enum side side, int64_t qty, int64_t qty_b)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    uint32_t sold = instrument;
    if (t->is_spread != 0) {
        sold = t->legs[side == SIDE_sell ? 0 : 1];
        qty = side == SIDE_sell ? qty : qty_b;
    } else if (side == SIDE_buy) {
        return true;
    }
    return !short_is_limited(&product_of(c, sold)->terms) || short_admits(c, account, sold, qty);
}

enum reject margin_admit(struct core *c, uint32_t account, uint32_t instrument, uint32_t e,
                         uint32_t eb, enum side side, price_t price, int64_t qty,
                         int64_t *missing)
{
    const struct account *a = &c->accounts[account];
    const struct event_instrument *terms = &c->instruments[instrument].terms;
    int128_t rise = 0;
    bool ok;
    *missing = INT64_MIN;
    span_current(c);
    if (eb == NIL && e != NIL && margin_lot_admits(c, e, side, qty)) return REJECT_none;
    bool spread = terms->is_spread != 0;
    int64_t qty_a = spread ? spread_lots(c, instrument, 0, qty) : qty;
    int64_t qty_b = spread ? spread_lots(c, instrument, 1, qty) : 0;
    enum reject limited = limit_admit(c, e, eb, side, qty_a, qty_b, missing); /* GUARD-07 */
    if (limited != REJECT_none) return limited;
    if (!shorts_admit(c, account, instrument, side, qty_a, qty_b)) return REJECT_short_limit;
    if (a->mode == MODE_collateralised) {
        struct view v = view_of(c, e);
        if (!collateralised_allows(c, instrument, &v, side, price, qty)) {
            return REJECT_insufficient_margin;
        }
    }
    if (spread) {
        ok = leg_rise(c, a, terms->legs[0], e, side, price, qty_a, &rise) &&
             leg_rise(c, a, terms->legs[1], eb, opposite(side), price, qty_b, &rise);
    } else {
        ok = leg_rise(c, a, instrument, e, side, price, qty, &rise);
    }
    if (!ok) return REJECT_insufficient_margin;
    if (is_span(c, e) || is_span(c, eb)) {
        struct work w = {instrument, e, eb, side, price, qty};
        return span_admit(c, account, &w, missing);
    }
    if (rise <= 0 || a->system != 0) return REJECT_none; /* an estate's hedge (CLEAR-10) */
    int128_t lacking = -available_after(c, account, rise);
    if (lacking <= 0) return REJECT_none;
    *missing = lacking > MONEY_MAX ? MONEY_MAX : (int64_t)lacking;
    return REJECT_insufficient_margin;
}

int64_t margin_available(const struct core *c, uint32_t account)
{
    int128_t left = available_after(c, account, 0);
    if (left < -MONEY_MAX * (int128_t)2) return -MONEY_MAX * 2;
    return left > MONEY_MAX ? MONEY_MAX : (int64_t)left;
}

int64_t margin_withdrawable(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    int128_t unsettled = 0;
    for (uint32_t e = a->exposures; e != NIL && a->mode == MODE_margined;
         e = c->exposures[e].next) {
        unsettled += margin_unrealised(c, e).v;
    }
    int128_t left = (int128_t)margin_available(c, account) - a->variation.v;
    if (unsettled < 0) left += unsettled;
    return left < -MONEY_MAX * (int128_t)2 ? -MONEY_MAX * 2 : (int64_t)left;
}

enum reject margin_spares(const struct core *c, uint32_t account, int64_t amount)
{
    if (ledger_cash_free(c, account) < amount) return REJECT_insufficient_funds;
    return margin_withdrawable(c, account) < amount ? REJECT_insufficient_margin : REJECT_none;
}

/* What exposure e would need in this view of it; out of range: the bound. */
static money_t view_need(const struct core *c, uint32_t e, const struct view *v)
{
    const struct exposure *x = &c->exposures[e];
    const struct account *a = &c->accounts[x->account];
    int64_t need;
    if (a->system != 0) return MONEY(0);
    if (!need_of(c, a, x->instrument, v, &need)) return MONEY(MONEY_MAX);
    return MONEY(need);
}

money_t margin_exposure(const struct core *c, uint32_t e)
{
    struct view v = view_of(c, e);
    return view_need(c, e, &v);
}

void margin_update(struct core *c, uint32_t e)
{
    struct exposure *x = &c->exposures[e];
    if (x->limited != 0) limit_refresh(c, e); /* GUARD-07 */
    if (x->lot_margin == LOT_MARGIN_SPAN) {
        span_note(c, e);
        if (!short_is_limited(&product_of(c, x->instrument)->terms)) return;
    }
    money_t need = margin_exposure(c, e);
    if (need.v == x->requirement.v) return;
    struct account *a = &c->accounts[x->account];
    bool ok = int64_add(a->requirement.v, need.v - x->requirement.v, &a->requirement.v);
    ASSERT(ok);
    x->requirement = need;
}

static void leg_work(struct core *c, uint32_t e, enum side side, price_t price, int64_t qty)
{
    struct exposure *x = &c->exposures[e];
    ASSERT(e != NIL);
    if (margin_lot_work(c, e, side, qty)) return;
    if (side == SIDE_buy) {
        x->open_buys += qty;
        ASSERT(x->open_buys >= 0);
        if (x->lot_margin < 0 && c->accounts[x->account].mode == MODE_collateralised) {
            x->buy_value += (int128_t)price.v * qty;
            ASSERT(x->buy_value >= 0);
        }
    } else {
        x->open_sells += qty;
        ASSERT(x->open_sells >= 0);
    }
    margin_update(c, e);
}

void margin_work(struct core *c, uint32_t instrument, uint32_t e, uint32_t eb, enum side side,
                 price_t price, int64_t qty)
{
    if (__builtin_expect(eb == NIL, 1)) {
        leg_work(c, e, side, price, qty);
        return;
    }
    leg_work(c, e, side, price, spread_lots(c, instrument, 0, qty));
    leg_work(c, eb, opposite(side), price, spread_lots(c, instrument, 1, qty));
}

money_t margin_maintenance(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    struct view v = {.position = x->position, .cost = x->cost};
    return view_need(c, e, &v);
}

money_t margin_unrealised(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    price_t mark = price_mark(c, x->instrument);
    if (x->position != 0 && price_is_none(mark)) return MONEY(0);
    int128_t at_mark = x->position == 0 ? 0 : (int128_t)x->position * mark.v;
    int128_t gain = at_mark - x->cost;
    int64_t money;
    if (!value_half_even(gain, c->instruments[x->instrument].terms.contract_size, &money)) {
        return MONEY(gain < 0 ? -MONEY_MAX : MONEY_MAX);
    }
    return MONEY(money);
}

money_t margin_alone(const struct core *c, uint32_t e)
{
    return span_applies(c, e) ? span_alone(c, e) : c->exposures[e].requirement;
}

int64_t margin_maintenance_account(const struct core *c, uint32_t account)
{
    int128_t sum = span_maintenance(c, account);
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        sum += margin_maintenance(c, e).v;
    }
    return money_clamp(sum);
}
