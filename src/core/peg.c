/* peg.c: pegged orders follow the book: primary the own side's best, market the opposite best,
 * midpoint the middle (towards the own side); plus an offset in ticks. MATCH-02.
 *
 * The reference is made of orders that are not pegged themselves, so pegs cannot chase each other.
 * A peg never trades as an aggressor: it stops one tick behind the opposite best, implied prices
 * included (MATCH-06), which are no reference themselves. Without a
 * reference it waits, open, in no book. A new price is a new time.
 */
#include "core/implied.h"

void special_add(struct core *c, uint32_t *head, uint32_t o)
{
    c->info[o].special_prev = NIL;
    c->info[o].special_next = *head;
    if (*head != NIL) c->info[*head].special_prev = o;
    *head = o;
}

void special_remove(struct core *c, uint32_t *head, uint32_t o)
{
    uint32_t next = c->info[o].special_next, prev = c->info[o].special_prev;
    if (prev != NIL) c->info[prev].special_next = next;
    else *head = next;
    if (next != NIL) c->info[next].special_prev = prev;
    c->info[o].special_next = c->info[o].special_prev = NIL;
}

/* The best price of a side among orders that are not pegged. */
static px_t reference_best(const struct core *c, uint32_t instrument, enum side side)
{
    const struct book *book = book_of(c, instrument);
    for (uint32_t l = book->side[side].best; l != NIL; l = c->pools.levels[l].worse) {
        uint32_t o = c->pools.levels[l].first;
        while (o != NIL && order_at(c, o)->type == ORDER_TYPE_pegged) o = order_at(c, o)->next;
        if (o != NIL) return c->pools.levels[l].px;
    }
    return PX_NONE;
}

static px_t peg_price(const struct core *c, uint32_t o)
{
    const struct order *order = order_at(c, o);
    const struct product *p = product_of(c, order->instrument);
    enum side side = (enum side)order->side;
    px_t own = reference_best(c, order->instrument, side);
    px_t other = reference_best(c, order->instrument, opposite(side));
    int64_t px;
    switch ((enum peg)c->info[o].peg) {
    case PEG_primary:
        if (px_is_none(own)) return PX_NONE;
        px = own.v;
        break;
    case PEG_market:
        if (px_is_none(other)) return PX_NONE;
        px = other.v;
        break;
    default:
        if (px_is_none(own) || px_is_none(other)) return PX_NONE;
        px = side == SIDE_buy ? int64_div_floor(own.v + other.v, 2)
                              : -int64_div_floor(-(own.v + other.v), 2);
        break;
    }
    px += c->info[o].offset;
    px_t best = implied_touch_px(c, order->instrument, side);
    if (!px_is_none(best)) {
        if (side == SIDE_buy) px = int64_min(px, best.v - 1);
        else px = int64_max(px, best.v + 1);
    }
    bool floored = (p->terms.flags & PRODUCT_FLAG_HAS_FLOOR) && !is_spread(c, order->instrument);
    if (floored && px * p->terms.tick.v < p->terms.floor.v) return PX_NONE;
    bool guarded = (p->terms.flags & PRODUCT_FLAG_GUARDED) != 0; /* GUARD-04 */
    if (guarded && !guard_slot_holds(&c->guards[order->instrument].limits, PX(px))) return PX_NONE;
    return PX(px);
}

static void peg_move(struct core *c, uint32_t o, px_t px)
{
    struct order *order = order_at(c, o);
    struct instrument *in = &c->instruments[order->instrument];
    order_work(c, o, -order->left.v);
    if (order->level != NIL) {
        uint32_t level = c->pools.levels[order->level].count > 1 ? order->level : NIL;
        book_remove(&c->pools, &in->book, o);
        if (in->top[order->side] == o) in->top[order->side] = NIL;
        if (in->implied != 0) implied_mark(c, order->instrument);
        event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px, level);
    }
    order->px = px;
    c->info[o].modified = c->s->ts;
    order_work(c, o, order->left.v);
    if (!px_is_none(px)) match_rest(c, o);
    if (order->state == ORDER_STATE_open) event_order_push(c, c->out, o, CAUSE_repriced);
}

void peg_add(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    order->px = PX_NONE;
    special_add(c, &c->instruments[order->instrument].pegged, o);
    px_t px = peg_price(c, o);
    if (!px_is_none(px)) peg_move(c, o, px);
}

void peg_run(struct core *c)
{
    for (uint32_t i = 0; i < c->touched_count; i++) {
        uint32_t instrument = c->touched[i], next;
        if (state_of(c, instrument) != STATE_open) continue;
        for (uint32_t o = c->instruments[instrument].pegged; o != NIL; o = next) {
            next = c->info[o].special_next;
            px_t px = peg_price(c, o);
            if (px.v != order_at(c, o)->px.v) peg_move(c, o, px);
        }
    }
    c->touched_count = 0;
}
