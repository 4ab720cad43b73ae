/* allocate.c: how a price level is shared among its orders: MATCH-01's algorithms other than plain
 * FIFO, as CME describes them (F, C, A, K, O, Q, S, T), in their common steps:
 *
 *   TOP   the order that has TOP, its displayed part, at most top_maximum
 *   LMM   each lead market maker's share of what is left
 *   FIFO  the FIFO share of what is left (split, configurable)
 *   pro rata  floor(left x displayed / all displayed); under the minimum 0
 *   FIFO  the residue
 *
 * A level is allocated in rounds over what is displayed, one trade an order and round, in time
 * order, refreshing after each round. An aggressor at or above all displayed fills all.
 *
 * Source: CME Group, "Supported Matching Algorithms" (Globex reference guide).
 */
#include "core/state.h"

bool allocate_applies(const struct core *c, uint32_t instrument)
{
    const struct product *p = product_of(c, instrument);
    return p->terms.algorithm != ALGORITHM_fifo || p->terms.lmm_count > 0;
}

/* MATCH-04 under sharing: all own-id orders of the price first, in time order. False when the
 * aggressor is finished. */
static bool allocate_smp(struct core *c, uint32_t a, uint32_t level)
{
    px_t px = c->pools.levels[level].px;
    enum side side = opposite((enum side)order_at(c, a)->side);
    const struct book *book = book_of(c, order_at(c, a)->instrument);
    if (c->info[a].smp_id == 0) return true;
    for (;;) {
        level = book_level_at(&c->pools, book, side, px);
        if (level == NIL) return true;
        uint32_t r = c->pools.levels[level].first;
        while (r != NIL && !smp_conflict(c, a, r)) r = order_at(c, r)->next;
        if (r == NIL) return true;
        if (!smp_resolve(c, a, r)) return false;
    }
}

struct allocation {
    struct share *shares;
    uint32_t count;
    int64_t left;      /* of the aggressor, not yet given */
    int64_t displayed; /* of the level, not yet taken */
    const struct core *c;
};

static int64_t share_room(const struct allocation *al, uint32_t i)
{
    return order_at(al->c, al->shares[i].order)->shown.v - al->shares[i].take;
}

static void share_give(struct allocation *al, uint32_t i, int64_t qty)
{
    al->shares[i].take += qty;
    al->left -= qty;
    al->displayed -= qty;
}

/* Gives up to `most` in time order. */
static void share_fifo(struct allocation *al, int64_t most)
{
    for (uint32_t i = 0; i < al->count && most > 0; i++) {
        int64_t qty = int64_min(most, share_room(al, i));
        share_give(al, i, qty);
        most -= qty;
    }
}

static void share_top(struct allocation *al, const struct product *p, uint32_t top)
{
    for (uint32_t i = 0; i < al->count; i++) {
        if (al->shares[i].order != top) continue;
        int64_t most = p->terms.top_maximum.v > 0 ? p->terms.top_maximum.v : INT64_MAX;
        share_give(al, i, int64_min(int64_min(most, al->left), share_room(al, i)));
    }
}

static int64_t fraction_floor(int64_t qty, int64_t share_e6)
{
    return (int64_t)((int128_t)qty * share_e6 / E6);
}

static void share_lmm(struct allocation *al, const struct product *p)
{
    int64_t base = al->left;
    for (uint32_t m = 0; m < p->terms.lmm_count; m++) {
        int64_t most = fraction_floor(base, p->terms.lmm[m].share_e6);
        for (uint32_t i = 0; i < al->count && most > 0; i++) {
            if (order_at(al->c, al->shares[i].order)->account != p->terms.lmm[m].account) continue;
            int64_t qty = int64_min(int64_min(most, al->left), share_room(al, i));
            share_give(al, i, qty);
            most -= qty;
        }
    }
}

static void share_pro_rata(struct allocation *al, int64_t minimum)
{
    int64_t left = al->left, displayed = al->displayed;
    if (displayed == 0) return;
    for (uint32_t i = 0; i < al->count; i++) {
        int64_t room = share_room(al, i);
        int64_t qty = (int64_t)((int128_t)left * room / displayed);
        if (qty < minimum) continue;
        share_give(al, i, int64_min(qty, room));
    }
}

/* What each displayed order of the level gets of the aggressor's lots. */
static void allocate_shares(struct allocation *al, const struct product *p, uint32_t top)
{
    if (al->left >= al->displayed) {
        share_fifo(al, al->displayed);
        return;
    }
    if ((p->terms.flags & PRODUCT_FLAG_TOP) && top != NIL) share_top(al, p, top);
    if (p->terms.lmm_count > 0) share_lmm(al, p);
    bool split = p->terms.algorithm == ALGORITHM_split ||
                 p->terms.algorithm == ALGORITHM_configurable;
    if (split) share_fifo(al, fraction_floor(al->left, p->terms.fifo_share_e6));
    if (p->terms.algorithm != ALGORITHM_fifo) share_pro_rata(al, p->terms.pro_rata_minimum.v);
    share_fifo(al, al->left);
}

uint32_t allocate_level(const struct core *c, uint32_t level, int64_t qty, struct share *shares)
{
    const struct level *l = &c->pools.levels[level];
    const struct order *first = order_at(c, l->first);
    struct allocation al = {.shares = shares, .left = qty, .displayed = l->shown.v, .c = c};
    for (uint32_t r = l->first; r != NIL; r = order_at(c, r)->next)
        shares[al.count++] = (struct share){.order = r};
    allocate_shares(&al, product_of(c, first->instrument),
                    c->instruments[first->instrument].top[first->side]);
    return al.count;
}

bool allocate_round(struct core *c, uint32_t a)
{
    const struct order *order = order_at(c, a);
    enum side other = opposite((enum side)order->side);
    const struct book *book = book_of(c, order->instrument);
    px_t px = c->pools.levels[book->side[other].best].px;
    if (!allocate_smp(c, a, book->side[other].best)) return false;
    uint32_t level = book_level_at(&c->pools, book, other, px);
    if (level == NIL) return true; /* own orders were all there was */
    uint32_t count = allocate_level(c, level, order->left.v, c->shares);
    for (uint32_t i = 0; i < count && c->fills_left > 0; i++) {
        const struct order *resting = order_at(c, c->shares[i].order);
        /* A fill may have cut or cancelled orders of this level (reduce-only, linked). */
        if (c->shares[i].take == 0 || resting->level == NIL) continue;
        int64_t qty = int64_min(c->shares[i].take, resting->shown.v);
        qty = int64_min(qty, order->left.v);
        if (qty > 0) match_fill(c, a, c->shares[i].order, qty);
        if (order->state != ORDER_STATE_open) return false;
    }
    return true;
}
