/* match.c: continuous trading: an order meets the opposite side, best price first; MATCH-01..04.
 *
 * An aggressor trades while its limit allows and fills are left to the command, then rests or is
 * cancelled as its time in force says. Each fill goes through novation.c; each order that filled is
 * announced after each of its fills. What trades set off (stops, linked orders) is only remembered
 * here and runs when the aggressor has finished (MATCH-08).
 *
 * Invariants: (1) an aggressor is in no book while it trades; (2) after match_enter the book is not
 * crossed; (3) a resting order whose displayed part is gone is refreshed or closed at once.
 */
#include "core/implied.h"

void book_touched(struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    if ((in->pegged | in->implied) == 0) return;
    if (in->implied != 0) implied_mark(c, instrument);
    book_pegs_touched(c, instrument);
}

void book_pegs_touched(struct core *c, uint32_t instrument)
{
    if (c->instruments[instrument].pegged == NIL) return;
    for (uint32_t i = 0; i < c->touched_count; i++) {
        if (c->touched[i] == instrument) return;
    }
    if (c->touched_count < TOUCHED_MAX) c->touched[c->touched_count++] = instrument;
}

/* ---- self-match prevention, MATCH-04 ---- */

bool smp_conflict(const struct core *c, uint32_t a, uint32_t r)
{
    if (!(order_at(c, a)->flags & ORDER_BIT_TERMS)) return false;
    uint64_t id = c->info[a].smp_id;
    if (id == 0 || c->info[r].smp_id != id) return false;
    uint32_t account_a = order_at(c, a)->account, account_r = order_at(c, r)->account;
    return c->accounts[account_a].member == c->accounts[account_r].member;
}

/* Takes lots off an order's amount without a trade. Returns false when nothing is left of it. */
static bool order_decrement(struct core *c, uint32_t o, int64_t lots)
{
    struct order *order = order_at(c, o);
    int64_t hidden = order->left.v - order->shown.v;
    int64_t shown = int64_max(0, lots - hidden); /* hidden lots go first */
    order_work(c, o, -lots);
    c->info[o].qty.v -= lots;
    if (order->level != NIL) {
        book_change(&c->pools, book_of(c, order->instrument), o, -lots, -shown);
        book_touched(c, order->instrument);
        event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px,
                         order->level);
    } else {
        order->left.v -= lots;
        order->shown.v -= shown;
    }
    if (order->left.v == 0) {
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_self_match);
        return false;
    }
    event_order_push(c, c->out, o, CAUSE_decremented);
    return true;
}

bool smp_decrement(struct core *c, uint32_t a, int64_t lots_a, uint32_t r, int64_t lots_r)
{
    (void)order_decrement(c, r, lots_r);
    if (order_at(c, a)->state != ORDER_STATE_open) return false;
    return order_decrement(c, a, lots_a);
}

bool smp_resolve(struct core *c, uint32_t a, uint32_t r)
{
    enum smp_mode mode = (enum smp_mode)c->info[a].smp_mode;
    int64_t least = int64_min(order_at(c, a)->left.v, order_at(c, r)->left.v);
    switch (mode) {
    case SMP_cancel_aggressing:
        order_close(c, a, ORDER_STATE_cancelled, CAUSE_cancelled_self_match);
        return false;
    case SMP_cancel_both:
        order_close(c, r, ORDER_STATE_cancelled, CAUSE_cancelled_self_match);
        if (order_at(c, a)->state == ORDER_STATE_open)
            order_close(c, a, ORDER_STATE_cancelled, CAUSE_cancelled_self_match);
        return false;
    case SMP_decrement:
        return smp_decrement(c, a, least, r, least);
    default:
        order_close(c, r, ORDER_STATE_cancelled, CAUSE_cancelled_self_match);
        return order_at(c, a)->state == ORDER_STATE_open;
    }
}

/* ---- fills ---- */

void order_filled(struct core *c, uint32_t o, px_t px, int64_t qty)
{
    struct order_info *info = &c->info[o];
    const struct order *order = order_at(c, o);
    info->filled.v += qty;
    info->notional += (int128_t)qty * px.v * c->instruments[order->instrument].tick.v;
    info->modified = c->s->ts;
}

void order_refresh(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    struct instrument *in = &c->instruments[order->instrument];
    int64_t show = int64_min(c->info[o].max_show.v, order->left.v);
    book_change(&c->pools, &in->book, o, 0, show - order->shown.v);
    book_requeue(&c->pools, &in->book, o);
    if (in->top[order->side] == o) in->top[order->side] = NIL;
}

/* MATCH-02: after every fill, each reduce-only order of the position is cut to it. */
void reduce_only_cut(struct core *c, uint32_t exposure)
{
    const struct exposure *x = &c->exposures[exposure];
    uint32_t next;
    for (uint32_t o = c->accounts[x->account].orders; o != NIL && x->reduce_only > 0; o = next) {
        struct order *order = order_at(c, o);
        next = c->info[o].account_next;
        if (!(order->flags & ORDER_FLAG_REDUCE_ONLY) || (order->flags & ORDER_BIT_HELD)) continue;
        if (order->exposure != exposure) continue;
        int64_t most = order->side == SIDE_buy ? -x->position : x->position;
        if (order->left.v <= int64_max(most, 0)) continue;
        if (most <= 0) {
            uint32_t before = c->accounts[x->account].order_count;
            order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_reduce_only);
            if (c->accounts[x->account].order_count + 1 != before)
                next = c->accounts[x->account].orders; /* linked orders went with it */
            continue;
        }
        int64_t off = order->left.v - most;
        int64_t shown = int64_max(0, order->shown.v - most);
        order_work(c, o, -off);
        c->info[o].qty.v -= off;
        if (order->level != NIL && !(order->flags & ORDER_BIT_TRIGGER)) {
            book_change(&c->pools, book_of(c, order->instrument), o, -off, -shown);
            book_touched(c, order->instrument);
            event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px,
                             order->level);
        } else if (order->flags & ORDER_BIT_TRIGGER) {
            book_change(&c->pools, trigger_book(c, o), o, -off, -shown);
        } else {
            order->left.v -= off;
            order->shown.v -= shown;
        }
        event_order_push(c, c->out, o, CAUSE_cut);
    }
}

/* After a fill: what the two accounts' reduce-only orders, and linked orders, make of it. */
void match_follow(struct core *c, uint32_t o)
{
    const struct order *order = order_at(c, o);
    if (c->exposures[order->exposure].reduce_only > 0) reduce_only_cut(c, order->exposure);
    const struct order_info *info = &c->info[o];
    if (__builtin_expect((order->flags & ORDER_BIT_SPREAD) != 0, 0) &&
        c->exposures[info->exposure_b].reduce_only > 0)
        reduce_only_cut(c, info->exposure_b); /* a spread's second leg moved too */
    if (!(order->flags & ORDER_BIT_TERMS)) return;
    bool linked = info->link_child != NIL || info->link_sibling != NIL;
    if (linked && order->state == ORDER_STATE_open) link_filled(c, o); /* else order_close did */
}

/* The resting side of a fill: its book, its refresh or its end. */
static void fill_resting(struct core *c, uint32_t r, int64_t qty)
{
    struct order *order = order_at(c, r);
    struct instrument *in = &c->instruments[order->instrument];
    book_change(&c->pools, &in->book, r, -qty, -qty);
    if (order->left.v == 0) {
        order_close(c, r, ORDER_STATE_filled, CAUSE_filled);
        return;
    }
    if (order->shown.v == 0) order_refresh(c, r);
    event_order_push(c, c->out, r, CAUSE_filled);
}

void match_fill(struct core *c, uint32_t a, uint32_t r, int64_t qty)
{
    struct order *aggressor = order_at(c, a), *resting = order_at(c, r);
    enum side side = (enum side)aggressor->side;
    px_t px = resting->px;
    uint32_t instrument = resting->instrument;
    struct trade t = {.instrument = instrument, .kind = TRADE_continuous, .aggressor = side,
                      .px = px, .qty = QTY(qty)};
    t.order[side] = a;
    t.order[opposite(side)] = r;
    t.maker[opposite(side)] = true;
    ASSERT(qty > 0 && qty <= aggressor->left.v && qty <= resting->shown.v);
    order_work(c, a, -qty);
    order_work(c, r, -qty);
    novation_trade(c, &t);
    order_filled(c, a, px, qty);
    order_filled(c, r, px, qty);
    aggressor->left.v -= qty;
    aggressor->shown.v = int64_min(aggressor->shown.v, aggressor->left.v);
    c->fills_left -= 1;
    trigger_print(c, instrument, px);
    fill_resting(c, r, qty);
    match_follow(c, r);
    if (aggressor->state == ORDER_STATE_open) match_follow(c, a);
}

/* ---- the aggressor's way ---- */

/* The next fill at the best level under FIFO; false when the aggressor is finished. */
static bool match_next_fifo(struct core *c, uint32_t a, const struct level *best)
{
    uint32_t r = best->first;
    if (smp_conflict(c, a, r)) return smp_resolve(c, a, r);
    match_fill(c, a, r, int64_min(order_at(c, a)->left.v, order_at(c, r)->shown.v));
    return order_at(c, a)->state == ORDER_STATE_open;
}

static void match_trade(struct core *c, uint32_t a)
{
    const struct order *order = order_at(c, a);
    uint32_t instrument = order->instrument;
    enum side other = opposite((enum side)order->side);
    struct book *book = book_of(c, instrument);
    bool shares = allocate_applies(c, instrument);
    bool implied = c->instruments[instrument].implied != 0;
    bool guarded = (product_of(c, instrument)->terms.flags & PRODUCT_FLAG_GUARDED) != 0;
    px_t px = PX_NONE;
    bool go = true;
    while (go && order->left.v > 0 && c->fills_left > 0) {
        const struct level *best = book_best(&c->pools, book, other);
        bool direct = best != NULL && px_acceptable((enum side)order->side, order->px, best->px);
        struct implied_source source; /* MATCH-06: at a price, direct orders come first */
        if (__builtin_expect(implied, 0) &&
            implied_meets(c, a, direct ? best->px : PX_NONE, &source)) {
            go = implied_is_stopped(c, instrument, &source)
                     ? state_of(c, instrument) == STATE_open
                     : implied_trade(c, a, &source);
            continue;
        }
        if (!direct) break;
        if (guarded && !guard_slot_holds(&c->guards[instrument].trades, best->px)) {
            guard_breach(c, instrument, best->px); /* GUARD-02, GUARD-03 */
            break;
        }
        if (best->px.v != px.v) {
            if (!px_is_none(px)) level_say(c, instrument, other, px);
            px = best->px;
        }
        go = shares ? allocate_round(c, a) : match_next_fifo(c, a, best);
    }
    if (!px_is_none(px)) {
        level_say(c, instrument, other, px);
        book_touched(c, instrument);
    }
}

/* The lots that count for a fill-or-kill: hidden ones too, own ones not (MATCH-04). */
int64_t match_available(const struct core *c, const struct entry *e)
{
    enum side side = (enum side)e->side;
    const struct book *book = book_of(c, e->instrument);
    bool stops_at_own = e->smp_mode == SMP_cancel_aggressing || e->smp_mode == SMP_cancel_both ||
                        e->smp_mode == SMP_decrement;
    uint32_t member = c->accounts[e->account].member;
    int64_t sum = 0;
    const struct level *first = book_best(&c->pools, book, opposite(side));
    bool guarded = (product_of(c, e->instrument)->terms.flags & PRODUCT_FLAG_GUARDED) != 0;
    if (c->instruments[e->instrument].implied != 0) {
        struct entry near = *e; /* as far as the guards let it come */
        px_t met = guarded ? implied_opposite(c, e->instrument, side) : PX_NONE;
        px_t end = px_is_none(met) ? e->px : guard_reach(c, e->instrument, side, met);
        if (px_better(side, e->px, end)) near.px = end;
        return implied_available(c, &near);
    }
    px_t reach = guarded && first != NULL ? guard_reach(c, e->instrument, side, first->px) : e->px;
    for (uint32_t l = book->side[opposite(side)].best; l != NIL && sum < e->qty;
         l = c->pools.levels[l].worse) {
        const struct level *level = &c->pools.levels[l];
        if (!px_acceptable(side, e->px, level->px)) break;
        if (!px_acceptable(side, reach, level->px)) break;
        if (e->smp_id == 0) {
            sum += level->total.v;
            continue;
        }
        for (uint32_t o = level->first; o != NIL && sum < e->qty; o = order_at(c, o)->next) {
            bool own = c->info[o].smp_id == e->smp_id &&
                       c->accounts[order_at(c, o)->account].member == member;
            if (own && stops_at_own) return sum;
            if (!own) sum += order_at(c, o)->left.v;
        }
    }
    return sum;
}

/* TOP (MATCH-01): the order that comes to rest better than every other of its side. */
static void top_assign(struct core *c, uint32_t o)
{
    const struct order *order = order_at(c, o);
    struct instrument *in = &c->instruments[order->instrument];
    const struct product *p = &c->products[in->product];
    if (!(p->terms.flags & PRODUCT_FLAG_TOP) || state_of(c, order->instrument) != STATE_open)
        return;
    const struct level *best = book_best(&c->pools, &in->book, (enum side)order->side);
    if (best != NULL && !px_better((enum side)order->side, order->px, best->px)) return;
    int64_t minimum = p->terms.top_minimum.v > 0 ? p->terms.top_minimum.v : 1;
    if (order->left.v >= minimum) in->top[order->side] = o;
}

void match_rest(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    struct book *book = book_of(c, order->instrument);
    if (!book_has_room(&c->pools)) {
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_limit);
        return;
    }
    int64_t show = order->flags & ORDER_BIT_ICEBERG ? c->info[o].max_show.v : 0;
    order->shown = show != 0 ? QTY(int64_min(show, order->left.v)) : order->left;
    top_assign(c, o);
    book_add(&c->pools, book, o);
    event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px,
                     order->level);
    book_touched(c, order->instrument);
}

/* Whether the order still meets someone: the fills of its command are used up. */
static bool match_crosses(const struct core *c, uint32_t a)
{
    const struct order *order = order_at(c, a);
    const struct level *best = book_best(&c->pools, book_of(c, order->instrument),
                                         opposite((enum side)order->side));
    if (best != NULL && px_acceptable((enum side)order->side, order->px, best->px)) return true;
    struct implied_source source;
    return c->instruments[order->instrument].implied != 0 &&
           implied_meets(c, a, PX_NONE, &source);
}

/* GUARD-02, GUARD-03: the order that would have traded beyond them waits for the auction, unless it
 * was for the moment or without a price. */
static void match_interrupted(struct core *c, uint32_t a, int64_t filled_before)
{
    const struct order *order = order_at(c, a);
    bool limit = order->type == ORDER_TYPE_limit || order->type == ORDER_TYPE_pegged ||
                 order->type == ORDER_TYPE_stop_limit || order->type == ORDER_TYPE_take_limit;
    if (!limit || order->tif == TIF_immediate_or_cancel || order->tif == TIF_fill_or_kill) {
        order_close(c, a, ORDER_STATE_cancelled, CAUSE_cancelled_guard);
        return;
    }
    if (c->info[a].filled.v > filled_before) event_order_push(c, c->out, a, CAUSE_filled);
    match_rest(c, a);
}

/* What becomes of the aggressor when it can trade no more. */
static void match_end(struct core *c, uint32_t a, int64_t filled_before)
{
    const struct order *order = order_at(c, a);
    if (order->state != ORDER_STATE_open) return;
    if (order->left.v == 0) {
        order_close(c, a, ORDER_STATE_filled, CAUSE_filled);
        return;
    }
    if (state_of(c, order->instrument) != STATE_open) {
        match_interrupted(c, a, filled_before);
    } else if (order->tif == TIF_immediate_or_cancel || order->tif == TIF_fill_or_kill) {
        order_close(c, a, ORDER_STATE_cancelled, CAUSE_cancelled_remainder);
    } else if (match_crosses(c, a)) {
        order_close(c, a, ORDER_STATE_cancelled, CAUSE_cancelled_limit);
    } else {
        if (c->info[a].filled.v > filled_before) event_order_push(c, c->out, a, CAUSE_filled);
        match_rest(c, a);
    }
}

void match_enter(struct core *c, uint32_t a)
{
    const struct order *order = order_at(c, a);
    const struct order_info *info = &c->info[a];
    bool terms = (order->flags & ORDER_BIT_TERMS) != 0;
    bool guarded = (product_of(c, order->instrument)->terms.flags & PRODUCT_FLAG_GUARDED) != 0;
    if (guarded && c->s->ts.v >= c->guards[order->instrument].due.v)
        guard_roll(c, order->instrument);
    int64_t least = order->tif == TIF_fill_or_kill ? order->left.v : terms ? info->min_qty.v : 0;
    if (least > 0) {
        struct entry e = {.account = order->account, .instrument = order->instrument,
                          .side = order->side, .px = order->px, .qty = least,
                          .smp_id = info->smp_id, .smp_mode = info->smp_mode};
        if (match_available(c, &e) < least) {
            order_close(c, a, ORDER_STATE_cancelled, CAUSE_cancelled_remainder);
            return;
        }
    }
    int64_t filled = info->filled.v;
    px_t px = order->px;
    uint32_t instrument = order->instrument;
    match_trade(c, a);
    match_end(c, a, filled);
    if (guarded &&
        (px.v == c->guards[instrument].limits.low.v || px.v == c->guards[instrument].limits.high.v))
        price_limit_touch(c, instrument); /* GUARD-04 */
}

/* A directed execution (replays only): trades with the named resting order at its price, no
 * other. */
void match_directed(struct core *c, uint32_t a, uint32_t target)
{
    const struct order *r = order_at(c, target);
    px_t px = r->px;
    uint32_t instrument = r->instrument;
    enum side side = (enum side)r->side;
    if (px_acceptable((enum side)order_at(c, a)->side, order_at(c, a)->px, px)) {
        match_fill(c, a, target, int64_min(order_at(c, a)->left.v, r->shown.v));
        level_say(c, instrument, side, px);
        book_touched(c, instrument);
    }
    if (order_at(c, a)->state != ORDER_STATE_open) return;
    bool filled = order_at(c, a)->left.v == 0;
    order_close(c, a, filled ? ORDER_STATE_filled : ORDER_STATE_cancelled,
                filled ? CAUSE_filled : CAUSE_cancelled_remainder);
}
