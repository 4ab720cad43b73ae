/* auction.c: opening, closing and resumption auctions: one price for all; MATCH-07.
 *
 * The price: of all ticks between the lowest and the highest limit, (1) most volume; (2) least
 * surplus; (3) all that remain have buy surplus: the highest, all sell: the lowest; (4) otherwise
 * the nearest to the reference (last trade of the session, else settlement); none, or two equally
 * near: the lowest. Volume and surplus change only at limits, so whole stretches of ticks between
 * two limits are judged at once, walking both sides' levels from one end to the other.
 *
 * Allocation is by price, then time, whatever the product's algorithm; an iceberg's displayed part
 * has its time, its refreshed parts go behind. Stops that the price elects join as limit orders and
 * the price is found again, until none is elected.
 */
#include "core/state.h"

/* A stretch of ticks with one volume and surplus. */
struct stretch {
    int64_t low;
    int64_t high;
    int64_t demand;
    int64_t supply;
};

/* Walks the stretches from the lowest limit to the highest. */
struct walk {
    const struct core *c;
    uint32_t bid;    /* the level whose price comes next, walking up from the worst bid */
    uint32_t ask;    /* walking up from the best ask */
    int64_t demand;  /* of bids at or above the present tick */
    int64_t supply;  /* of asks at or below it */
    int64_t at;
    int64_t top;
};

static uint32_t worst_level(const struct core *c, const struct book *b, enum side side, px_t stop)
{
    uint32_t l = b->side[side].best, last = NIL;
    for (; l != NIL; l = c->pools.levels[l].worse) {
        if (c->pools.levels[l].px.v < stop.v) break;
        last = l;
    }
    return last;
}

/* Bids below the best ask and asks above the best bid cannot trade and need no walking: between
 * those two prices volume is highest, and outside it falls. */
static bool walk_start(struct walk *w, const struct core *c, uint32_t instrument)
{
    const struct book *b = book_of(c, instrument);
    const struct level *bid = book_best(&c->pools, b, SIDE_buy);
    const struct level *ask = book_best(&c->pools, b, SIDE_sell);
    if (bid == NULL || ask == NULL || bid->px.v < ask->px.v) return false;
    *w = (struct walk){.c = c, .at = ask->px.v, .top = bid->px.v};
    w->ask = b->side[SIDE_sell].best;
    w->bid = worst_level(c, b, SIDE_buy, ask->px);
    for (uint32_t l = w->bid; l != NIL; l = c->pools.levels[l].better)
        w->demand += c->pools.levels[l].total.v;
    return true;
}

/* The next stretch; false at the end. A limit's own tick is a stretch of its own. */
static bool walk_next(struct walk *w, struct stretch *s)
{
    const struct level *levels = w->c->pools.levels;
    if (w->at > w->top) return false;
    while (w->ask != NIL && levels[w->ask].px.v <= w->at) {
        w->supply += levels[w->ask].total.v;
        w->ask = levels[w->ask].worse;
    }
    int64_t high = w->top;
    if (w->ask != NIL) high = int64_min(high, levels[w->ask].px.v - 1);
    if (w->bid != NIL) {
        int64_t px = levels[w->bid].px.v;
        high = int64_min(high, px);
    }
    *s = (struct stretch){.low = w->at, .high = high, .demand = w->demand, .supply = w->supply};
    if (w->bid != NIL && levels[w->bid].px.v == high) {
        w->demand -= levels[w->bid].total.v;
        w->bid = levels[w->bid].better;
    }
    w->at = high + 1;
    return true;
}

static int64_t stretch_qty(const struct stretch *s) { return int64_min(s->demand, s->supply); }

static int64_t surplus_size(const struct stretch *s)
{
    int64_t surplus = s->demand - s->supply;
    return surplus < 0 ? -surplus : surplus;
}

/* Rule (4): the tick of [low, high] nearest to the reference. */
static int64_t nearest(const struct stretch *s, int64_t reference)
{
    if (reference < s->low) return s->low;
    return reference > s->high ? s->high : reference;
}

struct best {
    int64_t qty;     /* (1) */
    int64_t surplus; /* (2), its size */
    int64_t lowest;
    int64_t highest;
    bool all_buy;
    bool all_sell;
    bool any;
};

static void best_take(struct best *b, const struct stretch *s)
{
    int64_t qty = stretch_qty(s), size = surplus_size(s), surplus = s->demand - s->supply;
    if (b->any && (qty < b->qty || (qty == b->qty && size > b->surplus))) return;
    if (!b->any || qty > b->qty || size < b->surplus) {
        *b = (struct best){.qty = qty, .surplus = size, .lowest = s->low, .highest = s->high,
                           .all_buy = surplus > 0, .all_sell = surplus < 0, .any = true};
        return;
    }
    b->highest = s->high;
    b->all_buy = b->all_buy && surplus > 0;
    b->all_sell = b->all_sell && surplus < 0;
}

/* Among the stretches that are as good as `b`, the tick nearest to the reference. In 10^-6 USD, so
 * that a settlement price between two ticks is as near as it is. */
static int64_t best_nearest(const struct core *c, uint32_t instrument, const struct best *b,
                            price_t reference)
{
    int64_t tick = c->instruments[instrument].tick.v, found = b->lowest;
    if (price_is_none(reference)) return found;
    int128_t distance_least = -1;
    struct walk w;
    struct stretch s;
    if (!walk_start(&w, c, instrument)) return found;
    while (walk_next(&w, &s)) {
        if (stretch_qty(&s) != b->qty || surplus_size(&s) != b->surplus) continue;
        int64_t ticks = int64_div_floor(reference.v, tick);
        int64_t candidates[2] = {nearest(&s, ticks), nearest(&s, ticks + 1)};
        for (int i = 0; i < 2; i++) {
            int128_t distance = (int128_t)candidates[i] * tick - reference.v;
            if (distance < 0) distance = -distance;
            if (distance_least >= 0 && distance >= distance_least) continue;
            distance_least = distance;
            found = candidates[i];
        }
    }
    return found;
}

struct auction auction_find(const struct core *c, uint32_t instrument)
{
    struct walk w;
    struct stretch s;
    struct best b = {0};
    if (!walk_start(&w, c, instrument)) return (struct auction){.px = PX_NONE};
    while (walk_next(&w, &s)) best_take(&b, &s);
    ASSERT(b.any && b.qty > 0);
    int64_t px;
    if (b.all_buy) px = b.highest;
    else if (b.all_sell) px = b.lowest;
    else px = best_nearest(c, instrument, &b, price_reference(&c->instruments[instrument]));
    int64_t surplus = 0;
    if (walk_start(&w, c, instrument)) {
        while (walk_next(&w, &s)) {
            if (px >= s.low && px <= s.high) surplus = s.demand - s.supply;
        }
    }
    return (struct auction){.px = PX(px), .qty = b.qty, .surplus = surplus};
}

void event_auction_push(struct core *c, uint32_t instrument, struct auction a, bool final)
{
    struct instrument *in = &c->instruments[instrument];
    in->indicative_price = final ? PRICE_NONE : price_of(c, instrument, a.px);
    in->indicative_qty = QTY(final ? 0 : a.qty);
    struct event_auction *e = outbox_push(c->out, EVENT_auction, sizeof *e);
    e->instrument = instrument;
    e->final = final;
    e->price = price_of(c, instrument, a.px);
    e->qty = QTY(a.qty);
    e->surplus = QTY(a.surplus);
}

/* ---- allocation ---- */

/* The marginal level: `left` lots among its orders, displayed parts in time order, then refreshed
 * parts round after round. Whole rounds are skipped by division, so that a tiny displayed part of a
 * huge order costs no more than another. */
static void share_level(const struct core *c, struct share *shares, uint32_t count, int64_t left)
{
    while (left > 0) {
        int64_t round = 0, rounds = INT64_MAX;
        for (uint32_t i = 0; i < count; i++) {
            const struct order *o = order_at(c, shares[i].order);
            int64_t show = c->info[shares[i].order].max_show.v;
            int64_t rest = o->left.v - shares[i].take;
            if (rest == 0) continue;
            if (show == 0 || shares[i].take == 0) { /* first displayed parts: one round by itself */
                int64_t part = int64_min(int64_min(rest, o->shown.v), left);
                shares[i].take += part;
                left -= part;
                rounds = 0;
                continue;
            }
            round += int64_min(show, rest);
            rounds = int64_min(rounds, rest / show);
        }
        if (rounds == 0 && round == 0) continue;
        int64_t whole = round > 0 ? int64_min(int64_max(rounds, 0), left / round) : 0;
        for (uint32_t i = 0; i < count && left > 0; i++) {
            int64_t show = c->info[shares[i].order].max_show.v;
            int64_t rest = order_at(c, shares[i].order)->left.v - shares[i].take;
            if (rest == 0 || show == 0) continue;
            int64_t part = whole > 0 ? show * whole : int64_min(show, rest);
            part = int64_min(part, left);
            shares[i].take += part;
            left -= part;
        }
    }
}

/* What each order of a side gets of `qty` lots at this price; returns how many orders get some. */
static uint32_t share_side(const struct core *c, uint32_t instrument, enum side side, px_t px,
                           int64_t qty, struct share *shares)
{
    const struct book *b = book_of(c, instrument);
    uint32_t count = 0;
    for (uint32_t l = b->side[side].best; l != NIL && qty > 0; l = c->pools.levels[l].worse) {
        const struct level *level = &c->pools.levels[l];
        if (px_better(side, px, level->px)) break;
        uint32_t from = count;
        bool whole = level->total.v <= qty;
        for (uint32_t o = level->first; o != NIL; o = order_at(c, o)->next)
            shares[count++] = (struct share){.order = o, .shown = order_at(c, o)->shown.v,
                                             .take = whole ? order_at(c, o)->left.v : 0};
        if (!whole) share_level(c, shares + from, count - from, qty);
        qty -= int64_min(qty, level->total.v);
    }
    ASSERT(qty == 0);
    return count;
}

static void uncross_trade(struct core *c, uint32_t instrument, px_t px, uint32_t buy,
                          uint32_t sell, int64_t qty)
{
    struct trade t = {.instrument = instrument, .kind = TRADE_auction, .px = px, .qty = QTY(qty)};
    t.aggressor = order_at(c, buy)->id > order_at(c, sell)->id ? SIDE_buy : SIDE_sell;
    t.order[SIDE_buy] = buy;
    t.order[SIDE_sell] = sell;
    order_work(c, buy, -qty);
    order_work(c, sell, -qty);
    novation_trade(c, &t);
    order_filled(c, buy, px, qty);
    order_filled(c, sell, px, qty);
    uint32_t both[2] = {buy, sell};
    for (int i = 0; i < 2; i++) {
        struct order *o = order_at(c, both[i]);
        int64_t shown = o->left.v - qty < o->shown.v ? o->left.v - qty - o->shown.v : 0;
        book_change(&c->pools, book_of(c, instrument), both[i], -qty, shown);
    }
}

/* What an iceberg shows after the auction: the rest of the part that was being consumed. Time is
 * kept while that is still the first part. */
static void uncross_refresh(struct core *c, const struct share *share)
{
    struct order *o = order_at(c, share->order);
    struct book *book = book_of(c, o->instrument);
    int64_t show = c->info[share->order].max_show.v;
    bool first = share->take < share->shown;
    int64_t used = first ? share->take : (share->take - share->shown) % show;
    int64_t part = (first ? share->shown : show) - used;
    book_change(&c->pools, book, share->order, 0, int64_min(part, o->left.v) - o->shown.v);
    if (first) return;
    book_requeue(&c->pools, book, share->order);
    struct instrument *in = &c->instruments[o->instrument];
    if (in->top[o->side] == share->order) in->top[o->side] = NIL;
}

/* After its last trade of the auction: closed, refreshed, or announced. */
static void uncross_order(struct core *c, const struct share *share)
{
    struct order *order = order_at(c, share->order);
    px_t px = order->px;
    uint32_t instrument = order->instrument;
    enum side side = (enum side)order->side;
    if (share->take == 0 || order->state != ORDER_STATE_open) return;
    if (order->left.v == 0) {
        order_close(c, share->order, ORDER_STATE_filled, CAUSE_filled);
    } else {
        if (c->info[share->order].max_show.v != 0 && order->level != NIL)
            uncross_refresh(c, share);
        event_order_push(c, c->out, share->order, CAUSE_filled);
    }
    level_say(c, instrument, side, px);
    book_touched(c, instrument);
}

/* After all trades: positions are final, so reduce-only orders and links can be looked at. */
static void uncross_follow(struct core *c, const struct share *shares, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct order *order = order_at(c, shares[i].order);
        if (shares[i].take == 0) continue;
        if (c->exposures[order->exposure].reduce_only > 0) reduce_only_cut(c, order->exposure);
        bool linked = c->info[shares[i].order].link_child != NIL ||
                      c->info[shares[i].order].link_sibling != NIL;
        if (linked && order->state == ORDER_STATE_open) link_filled(c, shares[i].order);
    }
}

static void uncross_at(struct core *c, uint32_t instrument, struct auction a)
{
    struct share *buys = c->shares, *sells = c->shares_opposite;
    uint32_t nb = share_side(c, instrument, SIDE_buy, a.px, a.qty, buys);
    uint32_t ns = share_side(c, instrument, SIDE_sell, a.px, a.qty, sells);
    uint32_t b = 0, s = 0;
    int64_t buy_left = nb > 0 ? buys[0].take : 0, sell_left = ns > 0 ? sells[0].take : 0;
    while (b < nb && s < ns) {
        int64_t qty = int64_min(buy_left, sell_left);
        if (qty > 0) uncross_trade(c, instrument, a.px, buys[b].order, sells[s].order, qty);
        buy_left -= qty;
        sell_left -= qty;
        if (buy_left == 0 && ++b < nb) buy_left = buys[b].take;
        if (sell_left == 0 && ++s < ns) sell_left = sells[s].take;
    }
    for (uint32_t i = 0; i < nb; i++) uncross_order(c, &buys[i]);
    for (uint32_t i = 0; i < ns; i++) uncross_order(c, &sells[i]);
    uncross_follow(c, buys, nb);
    uncross_follow(c, sells, ns);
}

/* What an auction leaves of orders that were for it alone, or for the moment only. */
static void uncross_leftovers(struct core *c, uint32_t instrument)
{
    uint32_t count = 0; /* gathered first: closing one may close linked others */
    for (int side = 0; side < 2; side++) {
        uint32_t l = book_of(c, instrument)->side[side].best;
        for (; l != NIL; l = c->pools.levels[l].worse) {
            for (uint32_t o = c->pools.levels[l].first; o != NIL; o = order_at(c, o)->next) {
                uint8_t tif = order_at(c, o)->tif;
                if (tif == TIF_at_the_opening || tif == TIF_immediate_or_cancel ||
                    tif == TIF_fill_or_kill)
                    c->shares[count++] = (struct share){.order = o};
            }
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (order_at(c, c->shares[i].order)->state == ORDER_STATE_open)
            order_close(c, c->shares[i].order, ORDER_STATE_cancelled, CAUSE_cancelled_remainder);
    }
}

void auction_uncross(struct core *c, uint32_t instrument)
{
    struct auction a = auction_find(c, instrument);
    while (!px_is_none(a.px) && trigger_elect_auction(c, instrument, a.px))
        a = auction_find(c, instrument);
    if (!px_is_none(a.px)) {
        event_auction_push(c, instrument, a, true);
        uncross_at(c, instrument, a);
        trigger_print(c, instrument, a.px);
        trigger_elect_prints(c);
    }
    c->instruments[instrument].indicative_price = PRICE_NONE;
    c->instruments[instrument].indicative_qty = QTY(0);
    uncross_leftovers(c, instrument);
}
