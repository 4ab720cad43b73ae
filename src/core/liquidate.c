/* liquidate.c: one slice of a liquidation (CLEAR-09): the clearing house's own order for an account
 * that did not meet its call.
 *
 * An immediate market order that only reduces, priced as any market order is (MATCH-02, inside
 * GUARD-01's band) and never further from the mark than the configured width; it takes what is
 * there and rests nothing, so it neither waits in the book nor chases its own prints (Deribit
 * 2017). Of the instruments in which something opposite is within reach it takes the one that holds
 * most of the requirement.
 *
 * Upstream: call. Downstream: entry, order.
 */
#include "core/call.h"
#include "core/margin.h"

/* A slice that could be entered, or why none can. */
struct slice {
    struct entry entry;
    uint32_t exposure;  /* NIL: none */
    enum reject reason; /* the last refusal */
};

static int64_t slice_lots(const struct core *c, const struct exposure *x)
{
    const struct clearing_settings *s = &c->s->clearing;
    int64_t most = product_of(c, x->instrument)->terms.qty_max.v;
    int64_t held = int64_abs(x->position);
    int64_t lots = (int64_t)int128_div_floor((int128_t)held * s->slice_share_e6, SHARE_ONE_E6);
    if (s->slice_lots_max != 0) lots = int64_min(lots, s->slice_lots_max);
    lots = int64_min(lots, most != 0 ? most : QTY_MAX);
    return int64_min(int64_max(lots, 1), held);
}

/* The worst price that a slice may have: GUARD-00's width from the mark, to the tick towards it. */
static px_t slice_limit(const struct core *c, uint32_t instrument, enum side side)
{
    const struct clearing_settings *s = &c->s->clearing;
    price_t mark = price_mark(c, instrument);
    int64_t tick = c->instruments[instrument].tick.v;
    if (price_is_none(mark)) return PX_NONE;
    int128_t width = int128_div_floor((int128_t)int64_abs(mark.v) * s->slice_width_e6,
                                      SHARE_ONE_E6);
    int128_t least = (int128_t)s->slice_width_ticks * tick;
    if (width < least) width = least;
    int128_t px = side == SIDE_buy ? int128_div_floor(mark.v + width, tick)
                                   : int128_div_ceil(mark.v - width, tick);
    if (px > PRICE_MAX) px = PRICE_MAX;
    return PX((int64_t)(px < -PRICE_MAX ? -PRICE_MAX : px));
}

static bool beyond(enum side side, px_t px, px_t limit)
{
    return side == SIDE_buy ? px.v > limit.v : px.v < limit.v;
}

/* Whether a slice of this exposure can trade now; fills in its entry. */
static enum reject slice_try(const struct core *c, uint32_t e, struct entry *entry)
{
    const struct exposure *x = &c->exposures[e];
    enum side side = x->position > 0 ? SIDE_sell : SIDE_buy;
    int64_t detail;
    *entry = (struct entry){.account = x->account, .instrument = x->instrument, .exposure = e,
                            .flags = ORDER_FLAG_HAS_QTY | ORDER_FLAG_REDUCE_ONLY |
                                     ORDER_FLAG_LIQUIDATION,
                            .side = (uint8_t)side, .type = ORDER_TYPE_market,
                            .tif = TIF_immediate_or_cancel, .px = PX_NONE, .trigger = PX_NONE,
                            .qty = slice_lots(c, x)};
    enum reject reason = entry_check(c, entry, &detail);
    if (reason != REJECT_none) return reason;
    px_t limit = slice_limit(c, x->instrument, side);
    if (!px_is_none(limit) && beyond(side, entry->px, limit)) entry->px = limit;
    return match_available(c, entry) > 0 ? REJECT_none : REJECT_nothing_opposite;
}

static bool is_heavier(const struct core *c, uint32_t e, uint32_t than)
{
    const struct exposure *x = &c->exposures[e], *y = &c->exposures[than];
    if (than == NIL) return true;
    int64_t alone = margin_alone(c, e).v, other = margin_alone(c, than).v;
    if (alone != other) return alone > other;
    return x->instrument < y->instrument;
}

/* False when the account holds nothing. */
static bool slice_find(const struct core *c, uint32_t account, struct slice *best)
{
    bool open = false;
    *best = (struct slice){.reason = REJECT_nothing_opposite};
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        struct entry entry;
        if (c->exposures[e].position == 0) continue;
        open = true;
        enum reject reason = slice_try(c, e, &entry);
        if (reason != REJECT_none) {
            if (reason != REJECT_nothing_opposite) best->reason = reason;
        } else if (is_heavier(c, e, best->exposure)) {
            best->exposure = e;
            best->entry = entry;
        }
    }
    return open;
}

static void event_slice_push(struct core *c, uint32_t account, const struct slice *s,
                             int64_t before, int64_t filled)
{
    const struct margin_call *call = &c->calls[account];
    bool found = s->exposure != NIL;
    bool none = !found && s->reason == REJECT_nothing_opposite;
    struct event_slice *e = outbox_push(c->out, EVENT_slice, sizeof *e);
    e->call = call->id;
    e->account = account;
    e->instrument = found ? s->entry.instrument : 0;
    e->number = call->slices;
    e->side = found ? s->entry.side : SIDE_buy;
    e->result = found ? SLICE_traded : none ? SLICE_nothing_opposite : SLICE_refused;
    e->reason = found || none ? REJECT_none : s->reason;
    e->before = QTY(before);
    e->asked = QTY(found ? s->entry.qty : 0);
    e->filled = QTY(filled);
    e->limit = found ? price_of(c, s->entry.instrument, s->entry.px) : PRICE_NONE;
    clearing_keep(c, e);
}

bool liquidate_slice(struct core *c, uint32_t account)
{
    struct slice s;
    ASSERT(c->accounts[account].order_count == 0);
    if (!slice_find(c, account, &s)) return false;
    if (s.exposure == NIL) {
        event_slice_push(c, account, &s, 0, 0);
        return true;
    }
    const struct exposure *x = &c->exposures[s.exposure];
    int64_t before = x->position;
    if (!order_enter_own(c, &s.entry)) {
        s.exposure = NIL;
        s.reason = REJECT_capacity_exhausted;
        event_slice_push(c, account, &s, before, 0);
        return true;
    }
    int64_t filled = int64_abs(before) - int64_abs(x->position);
    /* Only ever reduces. */
    ASSERT(filled >= 0 && (before > 0 ? x->position >= 0 : x->position <= 0));
    ASSERT(c->accounts[account].order_count == 0);
    event_slice_push(c, account, &s, before, filled);
    return true;
}
