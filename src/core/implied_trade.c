/* implied_trade.c: trades with implied prices: all legs or none; MATCH-06.
 *
 * A trade is planned first: how many units, and which orders of each leg's best level fill by how
 * much, as the leg's own algorithm shares it out (MATCH-01). Nothing can fail after that. Then each
 * order prints in its own instrument against the clearing house, the aggressor first, then the legs
 * A, B, S; then orders are closed or refreshed and levels said; then what fills set off is followed
 * (reduce-only, linked orders). The clearing house is flat when the last has printed.
 *
 * An aggressor is split over its sources before each trade: the best price first; at one price the
 * direct orders, then the spreads in listing order, each to the end of the levels that stand behind
 * its price. A sweep is the same trade with a level of spread orders in the aggressor's place.
 *
 * Invariants: (1) a plan's orders are all in books and fill by no more than they display, but for a
 * unit of several lots of which less is displayed: hidden lots complete it; (2) the lots of each
 * leg are its ratio times the same number of units; (3) every print uses up one of the command's
 * fills.
 */
#include "core/implied.h"
#include "core/novation.h"

enum { PARTS_MAX = IMPLIED_LEGS_MAX + 1 };

/* A level's share of the plan: places [from, from + count) of c->shares. */
struct part {
    struct implied_leg leg;
    px_t px;     /* at which its orders fill */
    bool maker;
    bool shared; /* by an algorithm other than plain FIFO */
    uint32_t from;
    uint32_t count;
};

struct plan {
    struct part parts[PARTS_MAX];
    uint32_t count;
    uint32_t allowed; /* prints that each part may make */
    uint32_t aggressor; /* NIL: the first part's orders are */
    int64_t units;
};

/* ---- self-match prevention, MATCH-04: as for direct orders, leg by leg ---- */

/* The order of the leg's level that the aggressor must not meet next; NIL: none. Under FIFO those
 * that the next unit would take are looked at, under sharing all. */
static uint32_t leg_conflict(const struct core *c, uint32_t a, const struct implied_leg *leg)
{
    int64_t most = allocate_applies(c, leg->instrument) ? INT64_MAX : leg->ratio, sum = 0;
    uint32_t o = c->pools.levels[leg->level].first;
    if (!(order_at(c, a)->flags & ORDER_BIT_TERMS)) return NIL;
    for (; o != NIL && sum < most; o = order_at(c, o)->next) {
        if (smp_conflict(c, a, o)) return o;
        sum += order_at(c, o)->shown.v;
    }
    return NIL;
}

/* Decrement takes the same units off both; of less than a unit the resting order is cancelled. */
static bool conflict_resolve(struct core *c, uint32_t a, uint32_t r, int64_t ratio_a,
                             int64_t ratio_r)
{
    if (c->info[a].smp_mode != SMP_decrement || (ratio_a == 1 && ratio_r == 1))
        return smp_resolve(c, a, r);
    int64_t units = int64_min(order_at(c, a)->left.v / ratio_a, order_at(c, r)->left.v / ratio_r);
    if (units > 0) return smp_decrement(c, a, units * ratio_a, r, units * ratio_r);
    order_close(c, r, ORDER_STATE_cancelled, CAUSE_cancelled_self_match);
    return order_at(c, a)->state == ORDER_STATE_open;
}

/* ---- the plan ---- */

/* After a fill of this order its account's reduce-only orders may be cut (MATCH-02). */
static bool cuts_others(const struct core *c, uint32_t o)
{
    return c->exposures[order_at(c, o)->exposure].reduce_only +
               c->exposures[c->info[o].exposure_b].reduce_only > 0;
}

/* In time order, up to an own order of the aggressor, or, with a unit complete, to one whose fill
 * may cut others. */
static int64_t part_fifo(struct core *c, const struct plan *p, struct part *part, int64_t most)
{
    int64_t sum = 0;
    uint32_t o = c->pools.levels[part->leg.level].first;
    part->count = 0;
    while (o != NIL && sum < most && part->count < p->allowed) {
        if (p->aggressor != NIL && smp_conflict(c, p->aggressor, o)) break;
        int64_t take = int64_min(order_at(c, o)->shown.v, most - sum);
        c->shares[part->from + part->count++] = (struct share){.order = o, .take = take};
        sum += take;
        if (sum >= part->leg.ratio && cuts_others(c, o)) break;
        o = order_at(c, o)->next;
    }
    return sum;
}

/* Hidden lots, in time order, for one unit of which less is displayed; returns what was taken. */
static int64_t part_hidden(struct core *c, const struct part *part, int64_t lots)
{
    int64_t sum = 0;
    for (uint32_t i = part->from; i < part->from + part->count && sum < lots; i++) {
        struct share *s = &c->shares[i];
        int64_t take = int64_min(order_at(c, s->order)->left.v - s->take, lots - sum);
        s->take += take;
        sum += take;
    }
    return sum;
}

/* The part's orders for so many lots, as far as the plan allows; returns how many lots that is. */
static int64_t part_fill(struct core *c, const struct plan *p, struct part *part, int64_t lots)
{
    int64_t sum;
    if (!part->shared) {
        sum = part_fifo(c, p, part, lots);
    } else {
        part->count = allocate_level(c, part->leg.level, lots, c->shares + part->from);
        sum = int64_min(lots, c->pools.levels[part->leg.level].shown.v);
    }
    if (sum < part->leg.ratio && sum < lots) sum += part_hidden(c, part, part->leg.ratio - sum);
    return sum;
}

/* Whether orders of one account would fill beyond the position that its reduce-only ones close. */
static bool part_overfills(const struct core *c, const struct part *part)
{
    const struct share *shares = c->shares + part->from;
    for (uint32_t i = 0; i < part->count; i++) {
        const struct order *order = order_at(c, shares[i].order);
        if (!(order->flags & ORDER_FLAG_REDUCE_ONLY) || shares[i].take == 0) continue;
        int64_t position = c->exposures[order->exposure].position, sum = 0;
        for (uint32_t k = 0; k < part->count; k++) {
            if (order_at(c, shares[k].order)->exposure == order->exposure) sum += shares[k].take;
        }
        if (sum > (order->side == SIDE_buy ? -position : position)) return true;
    }
    return false;
}

/* Each part's orders for the plan's units. */
static void plan_share(struct core *c, struct plan *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct part *part = &p->parts[i];
        int64_t lots = p->units * part->leg.ratio;
        part->from = i == 0 ? 0 : part[-1].from + part[-1].count;
        int64_t filled = part_fill(c, p, part, lots);
        ASSERT(filled == lots);
    }
}

/* How many units the parts' orders, and the prints that are left, allow. */
static bool plan_make(struct core *c, struct plan *p)
{
    uint32_t prints = c->fills_left - (p->aggressor != NIL && c->fills_left > 0 ? 1 : 0);
    p->allowed = prints / p->count;
    for (uint32_t i = 0; i < p->count; i++) {
        struct part *part = &p->parts[i];
        const struct level *level = &c->pools.levels[part->leg.level];
        int64_t lots = p->units * part->leg.ratio;
        part->shared = allocate_applies(c, part->leg.instrument);
        part->from = 0; /* only counted, so far */
        if (part->shared && level->count > p->allowed) lots = int64_min(lots, p->allowed);
        lots = part_fill(c, p, part, lots);
        p->units = int64_min(p->units, lots / part->leg.ratio);
    }
    if (p->units == 0) return false;
    plan_share(c, p);
    for (uint32_t i = 0; i < p->count && p->units > 1; i++) {
        if (!p->parts[i].shared || !part_overfills(c, &p->parts[i])) continue;
        p->units = 1; /* one by one, then: each cut is made before the next fill */
        plan_share(c, p);
    }
    return true;
}

/* ---- carrying it out ---- */

/* One order's side of the trade, against the clearing house. */
static void print(struct core *c, uint32_t o, int64_t qty, px_t px, price_t leg_b, bool maker)
{
    struct order *order = order_at(c, o);
    enum side side = (enum side)order->side;
    struct trade t = {.instrument = order->instrument, .kind = TRADE_continuous,
                      .aggressor = maker ? opposite(side) : side, .px = px, .qty = QTY(qty)};
    ASSERT(qty > 0 && qty <= order->left.v && c->fills_left > 0);
    ASSERT(px_acceptable(side, order->px, px));
    t.order[side] = o;
    t.maker[side] = maker;
    order_work(c, o, -qty);
    novation_trade_legs(c, &t, leg_b);
    order_filled(c, o, px, qty);
    if (order->level != NIL) {
        book_change(&c->pools, book_of(c, order->instrument), o, -qty,
                    -int64_min(qty, order->shown.v));
    } else {
        order->left.v -= qty;
        order->shown.v = int64_min(order->shown.v, order->left.v);
    }
    c->fills_left -= 1;
    trigger_print(c, order->instrument, px);
}

static void part_print(struct core *c, const struct part *part)
{
    for (uint32_t i = part->from; i < part->from + part->count; i++) {
        if (c->shares[i].take == 0) continue;
        print(c, c->shares[i].order, c->shares[i].take, part->px, part->leg.leg_b, part->maker);
    }
}

/* The orders of a part after all have printed: closed, refreshed, or announced; then the level. */
static void part_finish(struct core *c, const struct part *part)
{
    uint32_t instrument = part->leg.instrument;
    px_t px = c->pools.levels[part->leg.level].px;
    for (uint32_t i = part->from; i < part->from + part->count; i++) {
        uint32_t o = c->shares[i].order;
        const struct order *order = order_at(c, o);
        if (c->shares[i].take == 0 || order->state != ORDER_STATE_open) continue;
        if (order->left.v == 0) {
            order_close(c, o, ORDER_STATE_filled, CAUSE_filled);
        } else {
            if (order->shown.v == 0) order_refresh(c, o);
            event_order_push(c, c->out, o, CAUSE_filled);
        }
    }
    level_say(c, instrument, part->leg.side, px);
    book_touched(c, instrument);
}

static void part_follow(struct core *c, const struct part *part)
{
    for (uint32_t i = part->from; i < part->from + part->count; i++) {
        if (c->shares[i].take > 0) match_follow(c, c->shares[i].order);
    }
}

static void plan_carry_out(struct core *c, const struct plan *p, const struct implied_source *s)
{
    if (p->aggressor != NIL)
        print(c, p->aggressor, p->units * s->ratio, s->px, s->leg_b, false);
    for (uint32_t i = 0; i < p->count; i++) part_print(c, &p->parts[i]);
    for (uint32_t i = 0; i < p->count; i++) part_finish(c, &p->parts[i]);
    for (uint32_t i = 0; i < p->count; i++) part_follow(c, &p->parts[i]);
}

static void plan_add(const struct core *c, struct plan *p, const struct implied_leg *leg)
{
    p->parts[p->count++] = (struct part){.leg = *leg, .px = c->pools.levels[leg->level].px,
                                         .maker = true};
}

bool implied_trade(struct core *c, uint32_t a, const struct implied_source *source)
{
    const struct order *order = order_at(c, a);
    struct plan p = {.aggressor = a, .units = source->units};
    for (uint32_t i = 0; i < source->count; i++) {
        uint32_t own = leg_conflict(c, a, &source->legs[i]);
        if (own != NIL) return conflict_resolve(c, a, own, source->ratio, source->legs[i].ratio);
        plan_add(c, &p, &source->legs[i]);
    }
    p.units = int64_min(p.units, order->left.v / source->ratio);
    if (!plan_make(c, &p)) return false;
    plan_carry_out(c, &p, source);
    if (order->state == ORDER_STATE_open) match_follow(c, a);
    return order->state == ORDER_STATE_open;
}

bool implied_meets(const struct core *c, uint32_t a, px_t direct, struct implied_source *source)
{
    const struct order *order = order_at(c, a);
    enum side side = (enum side)order->side, other = opposite(side);
    int64_t lots = order->left.v;
    for (int generation = 1; generation <= IMPLIED_GENERATIONS; generation++) {
        if (implied_find(c, NULL, order->instrument, other, generation, lots, source) &&
            px_acceptable(side, order->px, source->px) &&
            (px_is_none(direct) || px_better(other, source->px, direct)))
            return true;
        if (!px_is_none(direct)) return false; /* the first generation, with it, goes on */
    }
    return false;
}

/* The source would print beyond what the guards allow somewhere: that interrupts there. */
static bool stops_at(struct core *c, uint32_t instrument, px_t px)
{
    if (!(product_of(c, instrument)->terms.flags & PRODUCT_FLAG_GUARDED)) return false;
    if (c->s->ts.v >= c->guards[instrument].due.v) guard_roll(c, instrument);
    if (guard_slot_holds(&c->guards[instrument].trades, px)) return false;
    guard_breach(c, instrument, px);
    return true;
}

bool implied_is_stopped(struct core *c, uint32_t instrument, const struct implied_source *source)
{
    if (stops_at(c, instrument, source->px)) return true;
    for (uint32_t i = 0; i < source->count; i++) {
        const struct implied_leg *leg = &source->legs[i];
        if (stops_at(c, leg->instrument, c->pools.levels[leg->level].px)) return true;
    }
    return false;
}

/* ---- sweeps ---- */

/* The orders of the spread's best level trade with what crosses them; false: none does. */
static bool sweep_level(struct core *c, uint32_t spread, enum side side, int generation)
{
    uint32_t best = book_of(c, spread)->side[side].best;
    struct implied_source s;
    if (best == NIL) return false;
    const struct level *level = &c->pools.levels[best];
    if (!implied_find(c, NULL, spread, opposite(side), generation, QTY_MAX, &s)) return false;
    if (!px_acceptable(side, level->px, s.px)) return false;
    if (implied_is_stopped(c, spread, &s)) return false;
    struct implied_leg own = {.instrument = spread, .level = best, .side = side, .ratio = 1,
                              .lots = level->shown.v, .leg_b = s.leg_b};
    struct plan p = {.units = int64_min(s.units, own.lots)};
    plan_add(c, &p, &own);
    p.parts[0].px = s.px;
    p.parts[0].maker = false;
    for (uint32_t i = 0; i < s.count; i++) plan_add(c, &p, &s.legs[i]);
    if (!plan_make(c, &p)) { /* the fills are used up: goes on with the next command */
        c->s->implied_sweep = 1;
        return false;
    }
    plan_carry_out(c, &p, &s);
    return true;
}

static void sweep_spread(struct core *c, uint32_t spread, int generations)
{
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        for (int generation = 1; generation <= generations; generation++) {
            while (sweep_level(c, spread, (enum side)side, generation)) {
            }
        }
    }
}

void implied_sweep_spread(struct core *c, uint32_t spread) { sweep_spread(c, spread, 1); }

void implied_sweep(struct core *c)
{
    c->s->implied_sweep = 0;
    for (uint32_t i = 1; i <= c->s->instruments && c->s->implied_sweep == 0; i++) {
        if (is_spread(c, i)) sweep_spread(c, i, IMPLIED_GENERATIONS);
    }
    if (c->prints_count > 0) trigger_elect_prints(c);
}
