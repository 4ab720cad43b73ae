/* entry.c: what an order must satisfy before it may change anything; checks in reject.def's order.
 *
 * An entry is the request with its prices in ticks. The checks fill in what the order will really
 * carry: a market order's limit (MATCH-02), a re-priced post-only, a reduce-only cut to the
 * position. Nothing here changes state.
 *
 * Upstream: order.c, link.c (a linked order that wakes). Downstream: margin.c (asked last).
 */
#include "core/implied.h"

bool type_is_trigger(enum order_type type)
{
    return type >= ORDER_TYPE_stop_limit && type <= ORDER_TYPE_trailing_stop;
}

/* Stops buy on a rise and sell on a fall; take orders the other way round. */
bool trigger_rises(enum side side, enum order_type type)
{
    bool take = type == ORDER_TYPE_take_limit || type == ORDER_TYPE_take_market;
    return (side == SIDE_buy) != take;
}

static bool needs_price(enum order_type type)
{
    return type == ORDER_TYPE_limit || type == ORDER_TYPE_stop_limit ||
           type == ORDER_TYPE_take_limit;
}

/* Prices in ticks; *off is set when one is not a multiple of the tick. */
static px_t px_from(price_t price, price_t tick, bool *off)
{
    if (price_is_none(price)) return PX_NONE;
    int64_t ticks = int64_div_floor(price.v, tick.v);
    if (ticks * tick.v != price.v) *off = true;
    return PX(ticks);
}

static bool price_in_range(price_t p)
{
    return price_is_none(p) || (p.v <= PRICE_MAX && p.v >= -PRICE_MAX);
}

/* A defaulter's estate trades by the clearing house's hand only (CLEAR-10). */
static enum reject check_account(const struct core *c, uint32_t account, uint32_t flags)
{
    if (account == 0 || account > c->s->accounts) return REJECT_unknown_account;
    uint8_t system = c->accounts[account].system;
    if (system == SYSTEM_none) return REJECT_none;
    bool hedge = system == SYSTEM_estate && (flags & ORDER_FLAG_LIQUIDATION) != 0;
    return hedge ? REJECT_none : REJECT_unknown_account;
}

/* MATCH-02 and MATCH-07: what each trading state accepts. */
static inline enum reject check_state(const struct core *c, const struct entry *e)
{
    if (instrument_is_past(c, e->instrument)) return REJECT_instrument_expired;
    enum trading_state state = state_of(c, e->instrument);
    if (state == STATE_closed) return REJECT_instrument_closed;
    if (state == STATE_halted) return REJECT_instrument_halted;
    if (e->held || type_is_trigger((enum order_type)e->type)) return REJECT_none;
    bool auction = state != STATE_open;
    if (auction) {
        if (e->type != ORDER_TYPE_limit) return REJECT_invalid_type_for_state;
        if (e->tif == TIF_immediate_or_cancel || e->tif == TIF_fill_or_kill)
            return REJECT_invalid_type_for_state;
    } else if (e->tif == TIF_at_the_opening) {
        return REJECT_invalid_type_for_state;
    }
    return REJECT_none;
}

static enum reject check_instructions(const struct entry *e)
{
    enum order_type type = (enum order_type)e->type;
    bool immediate = e->tif == TIF_immediate_or_cancel || e->tif == TIF_fill_or_kill;
    bool market = type == ORDER_TYPE_market || type == ORDER_TYPE_market_limit;
    if ((e->flags & ORDER_FLAG_POST_ONLY) && (market || type_is_trigger(type) || immediate))
        return REJECT_invalid_order_type;
    if (type == ORDER_TYPE_pegged && (immediate || e->peg == PEG_none || e->min_qty > 0))
        return REJECT_invalid_order_type;
    if (type != ORDER_TYPE_pegged && e->peg != PEG_none) return REJECT_invalid_order_type;
    if (e->tif == TIF_at_the_opening && type_is_trigger(type)) return REJECT_invalid_order_type;
    if (e->min_qty > 0 && ((e->flags & ORDER_FLAG_POST_ONLY) || type_is_trigger(type)))
        return REJECT_invalid_order_type;
    if (e->smp_mode != SMP_none && e->smp_id == 0) return REJECT_invalid_smp; /* MATCH-04 */
    return REJECT_none;
}

static inline enum reject check_qty(const struct command_product_create *p, const struct entry *e)
{
    int64_t most = p->qty_max.v != 0 ? p->qty_max.v : QTY_MAX;
    return e->qty < 1 || e->qty > most ? REJECT_invalid_amount : REJECT_none;
}

/* The amounts that a plain order does not have. */
static enum reject check_amounts(const struct entry *e)
{
    if (e->flags & ORDER_FLAG_QTY_INEXACT) return REJECT_invalid_amount;
    bool immediate = e->tif == TIF_immediate_or_cancel || e->tif == TIF_fill_or_kill;
    bool shows = (e->flags & ORDER_FLAG_HAS_MAX_SHOW) && !immediate &&
                 (e->type == ORDER_TYPE_limit || e->type == ORDER_TYPE_pegged);
    if (shows && ((e->flags & ORDER_FLAG_MAX_SHOW_INEXACT) || e->max_show < 1))
        return REJECT_invalid_amount;
    if ((e->flags & ORDER_FLAG_MIN_QTY_INEXACT) || e->min_qty < 0 || e->min_qty > e->qty)
        return REJECT_invalid_amount;
    return REJECT_none;
}

/* CONTRACT-02: the floor holds for outrights' prices and triggers, never for spreads. */
static bool below_floor(const struct core *c, const struct entry *e, px_t px)
{
    const struct product *p = product_of(c, e->instrument);
    if (px_is_none(px) || is_spread(c, e->instrument)) return false;
    if (!(p->terms.flags & PRODUCT_FLAG_HAS_FLOOR)) return false;
    return px.v * p->terms.tick.v < p->terms.floor.v;
}

static enum reject check_prices(const struct core *c, const struct entry *e)
{
    enum order_type type = (enum order_type)e->type;
    if (e->flags & ENTRY_OUT_OF_RANGE) return REJECT_invalid_price;
    if (needs_price(type) && px_is_none(e->px)) return REJECT_invalid_price;
    if (below_floor(c, e, e->px)) return REJECT_invalid_price;
    if (type_is_trigger(type) && below_floor(c, e, e->trigger)) return REJECT_invalid_price;
    if (e->flags & (ENTRY_OFF_TICK | ORDER_FLAG_PRICE_INEXACT)) return REJECT_off_tick;
    if (type_is_trigger(type) && (e->flags & ORDER_FLAG_TRIGGER_INEXACT)) return REJECT_off_tick;
    return REJECT_none;
}

static enum reject check_trigger(const struct core *c, const struct entry *e)
{
    enum order_type type = (enum order_type)e->type;
    if (!type_is_trigger(type)) return REJECT_none;
    if (type == ORDER_TYPE_trailing_stop) {
        if (e->offset <= 0) return REJECT_invalid_trigger;
        if (price_is_none(c->instruments[e->instrument].session_last) && !e->held)
            return REJECT_invalid_trigger;
        return REJECT_none;
    }
    if (px_is_none(e->trigger)) return REJECT_invalid_trigger;
    bool rises = trigger_rises((enum side)e->side, type);
    if (!e->held && !e->waking && trigger_met(c, e->instrument, rises, e->trigger))
        return REJECT_invalid_trigger;
    return REJECT_none;
}

static enum reject check_times(const struct core *c, const struct entry *e)
{
    if (e->tif == TIF_good_til_date && e->expires_at.v <= c->s->ts.v) return REJECT_expired_time;
    return REJECT_none;
}

/* GUARD-01: one-sided; without a reference there is no limit. GUARD-00: the product's own width. */
static bool band_limit(const struct core *c, const struct entry *e, int64_t *limit)
{
    const struct product *p = product_of(c, e->instrument);
    if (!(p->terms.flags & (PRODUCT_FLAG_HAS_BAND | PRODUCT_FLAG_GUARDED)) || e->held) return false;
    price_t reference = price_band_reference(c, e->instrument);
    if (price_is_none(reference)) return false;
    int64_t width = guard_band(&p->terms, reference);
    *limit = e->side == SIDE_buy ? reference.v + width : reference.v - width;
    return width >= 0;
}

static bool beyond(enum side side, int64_t price, int64_t limit)
{
    return side == SIDE_buy ? price > limit : price < limit;
}

/* Typed prices; a trigger's limit is not judged before it is elected. */
static enum reject check_band(const struct core *c, const struct entry *e, int64_t *detail)
{
    int64_t limit;
    if (e->type != ORDER_TYPE_limit || e->waking || !band_limit(c, e, &limit)) return REJECT_none;
    if (!beyond((enum side)e->side, e->px.v * c->instruments[e->instrument].tick.v, limit))
        return REJECT_none;
    *detail = limit;
    return REJECT_price_out_of_band;
}

/* GUARD-04: typed prices and triggers. */
static enum reject check_limits(const struct core *c, const struct entry *e, int64_t *detail)
{
    if (!(product_of(c, e->instrument)->terms.flags & PRODUCT_FLAG_GUARDED) || e->held)
        return REJECT_none;
    return price_limit_admit(c, e, detail);
}

/* A market order is a limit order at the best opposite price plus protection, to the tick towards
 * the best price, not below the floor and not beyond the price band (GUARD-01). */
static enum reject price_market(const struct core *c, struct entry *e, int64_t *detail)
{
    const struct product *p = product_of(c, e->instrument);
    px_t best = implied_opposite(c, e->instrument, (enum side)e->side);
    if (px_is_none(best)) return REJECT_nothing_opposite;
    int64_t ticks = 0;
    if (e->type == ORDER_TYPE_market && (p->terms.flags & PRODUCT_FLAG_HAS_PROTECTION))
        ticks = p->terms.protection.v / p->terms.tick.v;
    e->px = PX(best.v + (e->side == SIDE_buy ? ticks : -ticks));
    if (below_floor(c, e, e->px)) {
        e->px = PX((int64_t)-int128_div_floor(-(int128_t)p->terms.floor.v, p->terms.tick.v));
    }
    int64_t tick = p->terms.tick.v, limit;
    if (p->terms.flags & PRODUCT_FLAG_GUARDED)
        e->px = price_limit_clip(c, e->instrument, (enum side)e->side, e->px);
    if (!band_limit(c, e, &limit)) return REJECT_none;
    if (beyond((enum side)e->side, best.v * tick, limit)) {
        *detail = limit;
        return REJECT_price_out_of_band;
    }
    if (beyond((enum side)e->side, e->px.v * tick, limit))
        e->px = PX(e->side == SIDE_buy ? int64_div_floor(limit, tick)
                                       : -int64_div_floor(-limit, tick));
    return REJECT_none;
}

/* MATCH-02: a post-only that would trade is re-priced one tick behind the opposite best. */
static enum reject price_post_only(const struct core *c, struct entry *e)
{
    if (!(e->flags & ORDER_FLAG_POST_ONLY) || state_of(c, e->instrument) != STATE_open)
        return REJECT_none;
    px_t best = implied_touch_px(c, e->instrument, (enum side)e->side);
    if (px_is_none(best) || px_better(opposite((enum side)e->side), e->px, best))
        return REJECT_none;
    if (e->flags & ORDER_FLAG_REJECT_POST_ONLY) return REJECT_would_cross_post_only;
    e->px = PX(best.v + (e->side == SIDE_buy ? -1 : 1));
    int64_t limit;
    bool outside = below_floor(c, e, e->px) || check_limits(c, e, &limit) != REJECT_none;
    return outside ? REJECT_would_cross_post_only : REJECT_none;
}

static enum reject price_by_type(const struct core *c, struct entry *e, int64_t *detail)
{
    switch ((enum order_type)e->type) {
    case ORDER_TYPE_market:
    case ORDER_TYPE_market_limit: return e->held ? REJECT_none : price_market(c, e, detail);
    case ORDER_TYPE_limit: return e->held ? REJECT_none : price_post_only(c, e);
    case ORDER_TYPE_trailing_stop:
        if (!e->held && px_is_none(e->trigger)) {
            int64_t last = c->instruments[e->instrument].session_last.v;
            int64_t ticks = int64_div_floor(last, c->instruments[e->instrument].tick.v);
            e->trigger = PX(e->side == SIDE_buy ? ticks + e->offset : ticks - e->offset);
        }
        return REJECT_none;
    default: return REJECT_none;
    }
}

/* MATCH-02: reduce-only needs an opposite position, and is cut to it. */
static enum reject cut_reduce_only(const struct core *c, struct entry *e)
{
    if (!(e->flags & ORDER_FLAG_REDUCE_ONLY)) return REJECT_none;
    if (is_spread(c, e->instrument)) return REJECT_not_reducing;
    if (e->held) return REJECT_none;
    uint32_t x = exposure_find(c, e->account, e->instrument);
    int64_t position = x == NIL ? 0 : c->exposures[x].position;
    int64_t opposite_lots = e->side == SIDE_buy ? -position : position;
    if (opposite_lots <= 0) return REJECT_not_reducing;
    e->qty = int64_min(e->qty, opposite_lots);
    return REJECT_none;
}

/* All checks, in reject.def's order. Compiled twice: of those that a plain order cannot fail, its
 * own copy has not even the questions. */
static inline __attribute__((always_inline)) enum reject
check_all(const struct core *c, struct entry *e, int64_t *detail, const bool plain)
{
    enum reject r;
    /* The client's own GUARD-08: past this time the request was not to be executed. */
    if (!plain && e->valid_until.v != 0 && e->valid_until.v < c->s->ts.v)
        return REJECT_stale_request;
    if ((r = check_state(c, e)) != REJECT_none) return r;
    if (!plain && (r = check_instructions(e)) != REJECT_none) return r;
    const struct command_product_create *p = &product_of(c, e->instrument)->terms;
    if ((r = check_qty(p, e)) != REJECT_none) return r;
    if (!plain && (r = check_amounts(e)) != REJECT_none) return r;
    if ((r = check_prices(c, e)) != REJECT_none) return r;
    if (!plain && (r = check_trigger(c, e)) != REJECT_none) return r;
    if (!plain && (r = check_times(c, e)) != REJECT_none) return r;
    if (p->flags & (PRODUCT_FLAG_HAS_BAND | PRODUCT_FLAG_GUARDED)) {
        if ((r = check_band(c, e, detail)) != REJECT_none) return r;
        if ((r = check_limits(c, e, detail)) != REJECT_none) return r;
    }
    if (plain) return REJECT_none;
    if ((r = price_by_type(c, e, detail)) != REJECT_none) return r;
    return cut_reduce_only(c, e);
}

enum reject entry_check(const struct core *c, struct entry *e, int64_t *detail)
{
    *detail = INT64_MIN;
    if (__builtin_expect(e->plain, 1)) return check_all(c, e, detail, true);
    return check_all(c, e, detail, false);
}

/* What max_show means: at or above the amount it is a plain order; ignored where it cannot show. */
static int64_t max_show_effective(const struct entry *e, int64_t qty)
{
    bool immediate = e->tif == TIF_immediate_or_cancel || e->tif == TIF_fill_or_kill;
    if (!(e->flags & ORDER_FLAG_HAS_MAX_SHOW) || immediate) return 0;
    if (e->type != ORDER_TYPE_limit && e->type != ORDER_TYPE_pegged) return 0;
    return e->max_show >= qty ? 0 : e->max_show;
}

/* Prices and triggers of a request into the entry's ticks. */
static void entry_prices(const struct core *c, struct entry *e, price_t price, price_t trigger,
                         price_t offset)
{
    price_t tick = c->instruments[e->instrument].tick;
    bool off = false;
    bool ignores = e->type == ORDER_TYPE_market || e->type == ORDER_TYPE_market_limit ||
                   e->type == ORDER_TYPE_stop_market || e->type == ORDER_TYPE_take_market ||
                   e->type == ORDER_TYPE_trailing_stop || e->type == ORDER_TYPE_pegged;
    if (ignores || !(e->flags & ORDER_FLAG_HAS_PRICE)) price = PRICE_NONE;
    if (ignores) e->flags &= ~(uint32_t)ORDER_FLAG_PRICE_INEXACT;
    if (!(e->flags & ORDER_FLAG_HAS_TRIGGER)) trigger = PRICE_NONE;
    if (price_is_none(offset)) offset = PRICE(0);
    if (!price_in_range(price) || !price_in_range(trigger) || !price_in_range(offset)) {
        e->flags |= ENTRY_OUT_OF_RANGE;
        price = trigger = offset = PRICE(0);
    }
    e->px = px_from(price, tick, &off);
    bool dummy = false;
    bool trigger_matters = type_is_trigger((enum order_type)e->type);
    e->trigger = px_from(trigger, tick, trigger_matters ? &off : &dummy);
    e->offset = px_from(offset, tick, &off).v;
    if (off) e->flags |= ENTRY_OFF_TICK;
}

/* See struct entry. */
static inline bool is_plain(const struct command_order_new *o)
{
    const uint32_t set = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    uint64_t others = (uint64_t)o->min_qty.v | o->smp_id | (uint64_t)o->valid_until.v |
                      (uint64_t)o->offset.v | (o->flags ^ set);
    uint32_t kinds = (uint32_t)o->type | o->smp_mode | o->peg | o->link_type | o->linked_count;
    const uint32_t stays = 1u << TIF_good_til_cancelled | 1u << TIF_good_til_day |
                           1u << TIF_immediate_or_cancel;
    return (others | kinds) == 0 && (stays >> o->tif & 1) != 0;
}

/* Field by field: clearing the whole first costs more than all of these. */
static inline void entry_plain(const struct core *c, const struct command *cmd, struct entry *e)
{
    const struct command_order_new *o = &cmd->order_new;
    const struct account *a = &c->accounts[cmd->header.account];
    __builtin_prefetch(&c->exposures[a->exposure_recent], 1); /* margin will ask for them */
    __builtin_prefetch(&c->balances[a->cash], 0);
    e->account = cmd->header.account;
    e->instrument = o->instrument;
    e->exposure = e->exposure_b = NIL;
    e->flags = o->flags;
    e->side = o->side;
    e->type = ORDER_TYPE_limit;
    e->tif = o->tif;
    e->smp_mode = SMP_none;
    e->peg = PEG_none;
    e->held = e->waking = 0;
    e->plain = 1;
    e->offset = 0;
    e->qty = o->qty.v;
    e->max_show = e->min_qty = 0;
    e->smp_id = 0;
    e->expires_at = e->valid_until = TS(0);
    const price_t price = o->price;
    int64_t tick = c->instruments[e->instrument].tick.v;
    bool inside = price.v <= PRICE_MAX && price.v >= -PRICE_MAX;
    int64_t v = inside ? price.v : 0;
    int64_t px = int64_div_floor(v, tick);
    e->px = PX(px);
    e->trigger = PX_NONE;
    if (px * tick != v) e->flags |= ENTRY_OFF_TICK;
    if (!inside) e->flags |= ENTRY_OUT_OF_RANGE;
}

enum reject entry_from_new(const struct core *c, const struct command *cmd, struct entry *e)
{
    const struct command_order_new *o = &cmd->order_new;
    enum reject r = check_account(c, cmd->header.account, o->flags);
    if (r != REJECT_none) return r;
    if (o->instrument == 0 || o->instrument > c->s->instruments) return REJECT_unknown_instrument;
    if (is_plain(o)) {
        entry_plain(c, cmd, e);
        return REJECT_none;
    }
    bool estate = c->accounts[cmd->header.account].system == SYSTEM_estate; /* CLEAR-10 */
    uint32_t flags = o->flags & (estate ? (uint32_t)ORDER_FLAGS_ALL : ORDER_FLAGS_CLIENT);
    *e = (struct entry){.account = cmd->header.account, .instrument = o->instrument,
                        .flags = flags, .side = o->side, .type = o->type,
                        .tif = o->tif, .smp_mode = o->smp_mode, .peg = o->peg, .qty = o->qty.v,
                        .max_show = o->max_show.v, .min_qty = o->min_qty.v, .smp_id = o->smp_id,
                        .expires_at = o->expires_at, .valid_until = o->valid_until};
    entry_prices(c, e, o->price, o->trigger, o->offset);
    return REJECT_none;
}

void entry_from_linked(const struct core *c, const struct command *cmd, uint32_t index,
                       struct entry *e)
{
    const struct linked_order *l = &cmd->order_new.linked[index];
    *e = (struct entry){.account = cmd->header.account,
                        .instrument = cmd->order_new.instrument,
                        .flags = l->flags & ORDER_FLAGS_CLIENT, .side = l->side, .type = l->type,
                        .tif = l->tif, .smp_id = cmd->order_new.smp_id,
                        .smp_mode = cmd->order_new.smp_mode,
                        .qty = l->qty.v != 0 ? l->qty.v : cmd->order_new.qty.v,
                        .max_show = l->max_show.v};
    entry_prices(c, e, l->price, l->trigger, l->offset);
}

int64_t entry_max_show(const struct entry *e) { return max_show_effective(e, e->qty); }
