/* trigger.c: stops, take orders and trailing stops wait by their trigger and are elected by trades;
 * MATCH-08.
 *
 * Triggers lie in books of their own. A print elects, in the order in which the price passed them,
 * then by entry; the elected queue behind those elected before; each enters as a new order when the
 * aggressor before it has finished, and its own prints elect at the tail. What cannot run within
 * one command (fills are bounded) stays queued and runs before the next.
 *
 * A stop's book key is its negated trigger, so that "highest first" of the buy side means the
 * lowest trigger, which a rise passes first; take orders need no turning.
 */
#include "core/state.h"

static bool is_take(const struct order *o)
{
    return o->type == ORDER_TYPE_take_limit || o->type == ORDER_TYPE_take_market;
}

struct book *trigger_book(const struct core *c, uint32_t o)
{
    struct instrument *in = &c->instruments[order_at(c, o)->instrument];
    return is_take(order_at(c, o)) ? &in->takes : &in->stops;
}

static int64_t last_ticks(const struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    return int64_div_floor(in->session_last.v, in->tick.v);
}

bool trigger_met(const struct core *c, uint32_t instrument, bool rises, px_t trigger)
{
    if (price_is_none(c->instruments[instrument].session_last)) return false;
    int64_t last = last_ticks(c, instrument);
    return rises ? last >= trigger.v : last <= trigger.v;
}

/* ---- the election queue ---- */

void election_push(struct core *c, uint32_t o)
{
    uint32_t capacity = order_slots(&c->limits);
    ASSERT(c->s->elections_count < capacity);
    uint32_t at = c->s->elections_first + c->s->elections_count;
    c->elections[at >= capacity ? at - capacity : at] = o;
    c->s->elections_count += 1;
    order_at(c, o)->flags |= ORDER_BIT_QUEUED;
}

void election_drop(struct core *c, uint32_t o)
{
    uint32_t capacity = order_slots(&c->limits), kept = 0;
    for (uint32_t i = 0; i < c->s->elections_count; i++) {
        uint32_t at = (c->s->elections_first + i) % capacity;
        uint32_t to = (c->s->elections_first + kept) % capacity;
        if (c->elections[at] == o) continue;
        c->elections[to] = c->elections[at];
        kept += 1;
    }
    ASSERT(kept + 1 == c->s->elections_count);
    c->s->elections_count = kept;
    order_at(c, o)->flags &= ~(uint32_t)ORDER_BIT_QUEUED;
}

static uint32_t election_pop(struct core *c)
{
    uint32_t o = c->elections[c->s->elections_first];
    uint32_t capacity = order_slots(&c->limits);
    c->s->elections_first = c->s->elections_first + 1 == capacity ? 0 : c->s->elections_first + 1;
    c->s->elections_count -= 1;
    order_at(c, o)->flags &= ~(uint32_t)ORDER_BIT_QUEUED;
    return o;
}

/* ---- waiting ---- */

static void trigger_place(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    px_t trigger = c->info[o].trigger_px;
    order->px = is_take(order) ? trigger : PX(-trigger.v);
    order->shown = order->left;
    order->flags |= ORDER_BIT_TRIGGER;
    book_add(&c->pools, trigger_book(c, o), o);
}

px_t trigger_limit(const struct core *c, uint32_t instrument, enum side side, px_t trigger)
{
    const struct product *p = product_of(c, instrument);
    int64_t ticks = 0;
    if (p->terms.flags & PRODUCT_FLAG_HAS_PROTECTION)
        ticks = p->terms.protection.v / p->terms.tick.v;
    int64_t px = trigger.v + (side == SIDE_buy ? ticks : -ticks);
    bool floored = (p->terms.flags & PRODUCT_FLAG_HAS_FLOOR) && !is_spread(c, instrument);
    if (floored && px * p->terms.tick.v < p->terms.floor.v)
        px = -int64_div_floor(-p->terms.floor.v, p->terms.tick.v);
    return PX(px);
}

/* The limit of an elected order: its own, or the trigger with the product's protection. */
static px_t elected_px(const struct core *c, uint32_t o)
{
    const struct order *order = order_at(c, o);
    if (order->type == ORDER_TYPE_stop_limit || order->type == ORDER_TYPE_take_limit)
        return price_limit_clip(c, order->instrument, (enum side)order->side, c->info[o].limit_px);
    return price_limit_clip(c, order->instrument, (enum side)order->side,
                      trigger_limit(c, order->instrument, (enum side)order->side,
                                    c->info[o].trigger_px));
}

/* From a waiting trigger to an open order that is in no book yet. */
static void trigger_elect(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    order_work(c, o, -order->left.v);
    if (order->flags & ORDER_BIT_TRIGGER) trigger_remove(c, o);
    order->state = ORDER_STATE_open;
    order->flags |= ORDER_BIT_ELECTED;
    order->px = elected_px(c, o);
    c->info[o].modified = c->s->ts;
    order_work(c, o, order->left.v);
    event_order_push(c, c->out, o, CAUSE_triggered);
    uint32_t sibling = c->info[o].link_sibling;
    if (sibling != NIL) link_filled(c, o); /* the partner goes when one is triggered */
}

void trigger_add(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    struct order_info *info = &c->info[o];
    bool rises = trigger_rises((enum side)order->side, (enum order_type)order->type);
    if (trigger_met(c, order->instrument, rises, info->trigger_px) ||
        !book_has_room(&c->pools)) { /* only a linked order that wakes can be met already */
        trigger_elect(c, o);
        if (order->state == ORDER_STATE_open) election_push(c, o);
        return;
    }
    if (order->type == ORDER_TYPE_trailing_stop)
        special_add(c, &c->instruments[order->instrument].special, o);
    trigger_place(c, o);
}

void trigger_remove(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    book_remove(&c->pools, trigger_book(c, o), o);
    order->flags &= ~(uint32_t)ORDER_BIT_TRIGGER;
    if (order->type == ORDER_TYPE_trailing_stop)
        special_remove(c, &c->instruments[order->instrument].special, o);
}

/* ---- election ---- */

/* The trigger that this price elects next, or NIL: rises from the lowest, falls from the highest;
 * at one trigger by entry, which ids follow. */
static uint32_t trigger_next(const struct core *c, uint32_t instrument, bool rises, int64_t px)
{
    const struct instrument *in = &c->instruments[instrument];
    const struct level *stop = book_best(&c->pools, &in->stops, rises ? SIDE_buy : SIDE_sell);
    const struct level *take = book_best(&c->pools, &in->takes, rises ? SIDE_sell : SIDE_buy);
    uint32_t s = NIL, t = NIL;
    if (stop != NULL && (rises ? -stop->px.v <= px : -stop->px.v >= px)) s = stop->first;
    if (take != NULL && (rises ? take->px.v <= px : take->px.v >= px)) t = take->first;
    if (s == NIL || t == NIL) return s != NIL ? s : t;
    if (-stop->px.v == take->px.v) return order_at(c, s)->id < order_at(c, t)->id ? s : t;
    return (rises ? -stop->px.v < take->px.v : -stop->px.v > take->px.v) ? s : t;
}

/* A trailing stop follows the last trade at its distance, and never back. */
static void trailing_follow(struct core *c, uint32_t instrument, int64_t px)
{
    uint32_t next;
    for (uint32_t o = c->instruments[instrument].special; o != NIL; o = next) {
        struct order *order = order_at(c, o);
        struct order_info *info = &c->info[o];
        next = info->special_next;
        if (!(order->flags & ORDER_BIT_TRIGGER)) continue;
        bool buy = order->side == SIDE_buy;
        int64_t trigger = buy ? px + info->offset : px - info->offset;
        if (buy ? trigger >= info->trigger_px.v : trigger <= info->trigger_px.v) continue;
        order_work(c, o, -order->left.v);
        book_remove(&c->pools, trigger_book(c, o), o);
        info->trigger_px = PX(trigger);
        order_work(c, o, order->left.v);
        trigger_place(c, o);
        event_order_push(c, c->out, o, CAUSE_repriced);
    }
}

void trigger_print(struct core *c, uint32_t instrument, px_t px)
{
    const struct instrument *in = &c->instruments[instrument];
    if (in->stops.side[0].orders + in->stops.side[1].orders + in->takes.side[0].orders +
            in->takes.side[1].orders == 0)
        return;
    if (c->prints_count > 0) {
        const struct print *before = &c->prints[c->prints_count - 1];
        if (before->instrument == instrument && before->px.v == px.v) return;
    }
    ASSERT(c->prints_count <= c->limits.fills_per_command);
    c->prints[c->prints_count++] = (struct print){.instrument = instrument, .px = px};
}

void trigger_elect_prints(struct core *c)
{
    for (uint32_t i = 0; i < c->prints_count; i++) {
        uint32_t instrument = c->prints[i].instrument, o;
        int64_t px = c->prints[i].px.v;
        for (int rises = 1; rises >= 0; rises--) {
            while ((o = trigger_next(c, instrument, rises != 0, px)) != NIL) {
                trigger_elect(c, o);
                if (order_at(c, o)->state == ORDER_STATE_open) election_push(c, o);
            }
        }
        trailing_follow(c, instrument, px);
    }
    c->prints_count = 0;
}

/* Elects what an auction's price meets; the elected join the book as limit orders with new time. */
bool trigger_elect_auction(struct core *c, uint32_t instrument, px_t px)
{
    bool any = false;
    uint32_t o;
    for (int rises = 1; rises >= 0; rises--) {
        while ((o = trigger_next(c, instrument, rises != 0, px.v)) != NIL) {
            trigger_elect(c, o);
            if (order_at(c, o)->state == ORDER_STATE_open) match_rest(c, o);
            any = true;
        }
    }
    return any;
}

void trigger_run(struct core *c)
{
    while (c->s->elections_count > 0 && c->fills_left > 0) {
        uint32_t o = election_pop(c);
        if (order_at(c, o)->flags & ORDER_BIT_HELD) {
            link_activate(c, o);
        } else if (order_at(c, o)->level != NIL) {
            continue; /* grew while it was the aggressor itself, and rests by now */
        } else if (state_of(c, order_at(c, o)->instrument) == STATE_open) {
            match_enter(c, o);
        } else {
            match_rest(c, o);
        }
        if (c->prints_count > 0) trigger_elect_prints(c);
    }
}
