/* limit_sweep.c: orders that work when a position limit steps down (GUARD-07).
 *
 * With a new date the limit of a spot period may fall below what an owner holds and works towards.
 * What it holds it may keep and reduce; orders that could take it beyond the new limit are
 * cancelled, the latest first, before anything can trade with them. A walk over all exposures, a
 * bounded part with each command, from the date's first on; what is left goes on at once.
 *
 * Upstream: session_day, core.c. Downstream: order_close.
 */
#include "core/limit.h"

#include "core/supply.h"

enum { LOOKED_AT_ONCE = 65536, CANCELLED_AT_ONCE = 1024 }; /* exposures, orders of one command */

void limit_sweep_start(struct core *c)
{
    supply_freeze(c);
    c->s->limit_sweep = c->limit.s->holdings > 0 ? 1 : 0;
}

/* Whether all that works on this side of exposure e stays within every spot limit. */
static bool side_fits(struct core *c, uint32_t e, enum side side)
{
    const struct limit_link *link = &c->limit.links[e];
    for (uint32_t i = 0; i < link->count; i++) {
        struct limit_holding *h = &c->limit.holdings[link->holding[i]];
        const struct limit_bucket *b = &c->limit.buckets[h->bucket];
        if (b->end.v == 0 || !limit_in_spot(c, b)) continue;
        limit_extra_refresh(c, h);
        int128_t limit = limit_of(c, b, &h->extra, side);
        int128_t worst = side == SIDE_buy ? h->net + h->buys : h->sells - h->net;
        if (limit >= 0 && worst > limit) return false;
    }
    return true;
}

/* The side on which an order counts in this exposure; a spread's second leg is the opposite. */
static enum side side_in(const struct core *c, uint32_t o, uint32_t e)
{
    enum side side = (enum side)order_at(c, o)->side;
    return order_at(c, o)->exposure == e ? side : opposite(side);
}

/* Gathered first: closing one may close linked others. An account's orders come latest first. */
static uint32_t side_cut(struct core *c, uint32_t e, enum side side)
{
    uint32_t count = 0, cut = 0;
    for (uint32_t o = c->accounts[c->exposures[e].account].orders; o != NIL;
         o = c->info[o].account_next) {
        bool here = order_at(c, o)->exposure == e || c->info[o].exposure_b == e;
        if (here && side_in(c, o, e) == side) c->shares[count++] = (struct share){.order = o};
    }
    for (uint32_t i = 0; i < count && !side_fits(c, e, side); i++) {
        uint32_t o = c->shares[i].order;
        if (!order_is_live(order_at(c, o))) continue;
        if (order_at(c, o)->flags & ORDER_BIT_HELD) continue; /* not counted: asked when it wakes */
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_position_limit);
        cut += 1;
    }
    return cut;
}

void limit_sweep(struct core *c)
{
    uint32_t e = c->s->limit_sweep, cut = 0;
    for (uint32_t n = 0; n < LOOKED_AT_ONCE && e <= c->s->exposures; n++, e++) {
        const struct exposure *x = &c->exposures[e];
        if (x->account == NIL || x->limited == 0) continue;
        if (cut >= CANCELLED_AT_ONCE) break;
        if (x->open_buys > 0 && !side_fits(c, e, SIDE_buy)) cut += side_cut(c, e, SIDE_buy);
        if (x->open_sells > 0 && !side_fits(c, e, SIDE_sell)) cut += side_cut(c, e, SIDE_sell);
    }
    c->s->limit_sweep = e <= c->s->exposures ? e : 0;
}
