/* convert.c: micros into the standard contract of the same hours, or back, on request and at no
 * cost (CONTRACT-03).
 *
 * Two contracts convert when SPAN gives them one maturity and when deltas and contract sizes stand
 * in the same whole ratio. The account's lots of one go to the clearing house's account
 * "conversion", as many of the other come from there, both at the mark of the larger contract: what
 * the account has gained or lost so far stays with what it gave up and is settled with the next
 * mark, and nothing else changes. "conversion" then holds the two against each other; it earns or
 * pays only what their settlement prices differ by.
 *
 * "conversion" delivers nothing and takes nothing. When trading in a day ends that is delivered,
 * its lots go: whoever holds the larger contract on the other side of it, in the order of the
 * contract's list, has the smaller ones of the same hours instead (conversion_unwind). Hours of the
 * spot market, which are delivered the moment their trading ends, are not converted.
 *
 * Upstream: novation, span. Downstream: core.c, settle.
 */
#include "core/delivery.h"
#include "core/margin.h"
#include "core/novation.h"
#include "core/settle.h"

struct conversion {
    uint32_t account;
    uint32_t from;
    uint32_t to;
    int64_t lots_from;
    int64_t lots_to;
    price_t price;
};

/* How many of the smaller make one of the larger; 0: they do not convert. */
static int64_t ratio_of(const struct core *c, uint32_t larger, uint32_t smaller)
{
    const struct span_instrument *a = &c->span_instruments[larger];
    const struct span_instrument *b = &c->span_instruments[smaller];
    int64_t size;
    if (a->group == 0 || a->group != b->group || a->maturity != b->maturity) return 0;
    if (a->delta <= b->delta || a->delta % b->delta != 0) return 0;
    int64_t ratio = a->delta / b->delta;
    bool fits = !__builtin_mul_overflow(c->instruments[smaller].terms.contract_size, ratio, &size);
    return fits && size == c->instruments[larger].terms.contract_size ? ratio : 0;
}

static bool is_traded(const struct core *c, uint32_t instrument)
{
    return instrument != NIL && instrument <= c->s->instruments && !is_spread(c, instrument);
}

static bool is_prompt(const struct core *c, uint32_t instrument)
{
    return delivery_applies(c, instrument) && delivery_is_prompt(c, instrument);
}

static bool pair_fill(const struct core *c, const struct command_margin_convert *m,
                      struct conversion *v)
{
    int64_t up = ratio_of(c, m->to, m->from), down = ratio_of(c, m->from, m->to);
    v->from = m->from;
    v->to = m->to;
    v->lots_from = v->lots_to = m->lots.v;
    if (up != 0) return !__builtin_mul_overflow(m->lots.v, up, &v->lots_from);
    return down != 0 && !__builtin_mul_overflow(m->lots.v, down, &v->lots_to);
}

static enum reject conversion_check(const struct core *c, const struct command *cmd,
                                    struct conversion *v)
{
    const struct command_margin_convert *m = &cmd->margin_convert;
    v->account = cmd->header.account;
    if (!account_exists(c, v->account)) return REJECT_unknown_account;
    const struct account *a = &c->accounts[v->account];
    if (a->system != 0) return REJECT_unauthorised;
    if (!is_traded(c, m->from) || !is_traded(c, m->to)) return REJECT_unknown_instrument;
    bool expired = c->instruments[m->from].terms.expired || c->instruments[m->to].terms.expired;
    if (expired) return REJECT_instrument_expired;
    if (m->lots.v < 1 || m->lots.v > QTY_MAX) return REJECT_invalid_amount;
    if (is_prompt(c, m->from) || is_prompt(c, m->to)) return REJECT_not_convertible;
    if (a->mode != MODE_margined || !pair_fill(c, m, v)) return REJECT_not_convertible;
    uint32_t e = exposure_find(c, v->account, v->from), f = exposure_find(c, v->account, v->to);
    int64_t held = e == NIL ? 0 : c->exposures[e].position;
    if (int64_max(held, -held) < v->lots_from) return REJECT_not_convertible;
    int64_t other = f == NIL ? 0 : c->exposures[f].position;
    if (int64_max(other, -other) + v->lots_to > margin_lots_max(c)) return REJECT_amount_overflow;
    if (held < 0) {
        v->lots_from = -v->lots_from;
        v->lots_to = -v->lots_to;
    }
    if (a->status != ACCOUNT_normal) return REJECT_reduce_only_account;
    bool up = c->span_instruments[v->to].delta > c->span_instruments[v->from].delta;
    v->price = price_mark(c, up ? v->to : v->from);
    return price_is_none(v->price) ? REJECT_no_settlement_price : REJECT_none;
}

/* The clearing house's side of conversions; NIL: there is no room to open it. */
static uint32_t account_conversion(struct core *c)
{
    struct span_venue *v = c->span_venue;
    if (v->account_conversion != NIL) return v->account_conversion;
    if (!account_room_own(c, 1)) return NIL;
    return v->account_conversion = account_open_own(c, "conversion");
}

/* `lots` (negative: taken away) of an instrument to the account, from the clearing house. */
static void lots_move(struct core *c, const struct conversion *v, uint32_t instrument,
                      int64_t lots)
{
    uint32_t own = exposure_find(c, v->account, instrument);
    uint32_t house = exposure_find(c, c->span_venue->account_conversion, instrument);
    bool gains = lots > 0;
    struct novation_fill f = {.instrument = instrument, .price = v->price,
                              .exposure = {gains ? own : house, gains ? house : own},
                              .qty = gains ? lots : -lots};
    novation_fill(c, &f, 0);
    if (c->exposures[own].reduce_only > 0) reduce_only_cut(c, own);
}

void margin_convert(struct core *c, const struct command *cmd)
{
    struct conversion v;
    enum reject reason = conversion_check(c, cmd, &v);
    if (reason == REJECT_none) {
        uint32_t house = account_conversion(c);
        bool room = house != NIL && exposure_get(c, v.account, v.to) != NIL &&
                    exposure_get(c, house, v.from) != NIL && exposure_get(c, house, v.to) != NIL;
        if (!room) reason = REJECT_capacity_exhausted;
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    lots_move(c, &v, v.from, -v.lots_from);
    lots_move(c, &v, v.to, v.lots_to);
}

/* ---- before delivery ---- */

static int64_t house_lots(const struct core *c, uint32_t instrument)
{
    uint32_t e = exposure_find(c, c->span_venue->account_conversion, instrument);
    return e == NIL ? 0 : c->exposures[e].position;
}

/* So many lots of exposure e for smaller ones, as many as there is room for: how many it were. */
static int64_t holder_swap(struct core *c, uint32_t e, uint32_t smaller, int64_t ratio,
                           int64_t lots)
{
    const struct exposure *x = &c->exposures[e];
    int64_t part = int64_min(lots, int64_abs(x->position)), sign = x->position < 0 ? -1 : 1;
    struct conversion v = {.account = x->account, .from = x->instrument, .to = smaller,
                           .price = price_mark(c, x->instrument)};
    uint32_t f = exposure_get(c, v.account, smaller);
    if (f == NIL) return 0;
    part = int64_min(part, (margin_lots_max(c) - int64_abs(c->exposures[f].position)) / ratio);
    if (part <= 0) return 0;
    delivery_age_move(c, e, f, sign * part, ratio);
    lots_move(c, &v, v.from, -sign * part);
    lots_move(c, &v, v.to, sign * part * ratio);
    return part;
}

static void pair_unwind(struct core *c, uint32_t larger, uint32_t smaller, int64_t ratio)
{
    uint32_t house = c->span_venue->account_conversion;
    int64_t own = house_lots(c, larger), other = house_lots(c, smaller);
    if (own == 0 || other == 0 || (own < 0) == (other < 0)) return;
    if (price_is_none(price_mark(c, larger))) return;
    int64_t lots = int64_min(int64_abs(own), int64_abs(other) / ratio);
    for (uint32_t e = c->instruments[larger].exposures; e != NIL && lots > 0;
         e = c->exposures[e].next_of_instrument) {
        const struct exposure *x = &c->exposures[e];
        bool opposite = x->position != 0 && (x->position < 0) != (own < 0);
        bool margined = c->accounts[x->account].mode == MODE_margined;
        if (opposite && margined && x->account != house)
            lots -= holder_swap(c, e, smaller, ratio, lots);
    }
}

void conversion_unwind(struct core *c, uint32_t instrument)
{
    if (c->span_venue->account_conversion == NIL || house_lots(c, instrument) == 0) return;
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        if (is_spread(c, i) || instrument_is_final(c, i)) continue;
        int64_t up = ratio_of(c, i, instrument), down = ratio_of(c, instrument, i);
        if (up != 0) pair_unwind(c, i, instrument, up);
        else if (down != 0) pair_unwind(c, instrument, i, down);
    }
}
