/* limit_sweep.c: what works when a position limit falls (GUARD-07).
 *
 * With a new date the limit of a spot period may fall below what an owner holds and works towards,
 * and officers may set any limit lower. What it holds it may keep and reduce; orders, and bids of a
 * day-ahead auction that awaits its result, that could take it beyond the new limit are cancelled,
 * the latest first, before anything can trade with them. A walk over all exposures, a bounded part
 * with each command, from the fall on; what is left goes on at once.
 *
 * Upstream: session_day, limit_set.c, core.c. Downstream: order_close, spot_bid.c.
 */
#include "core/limit.h"

#include "core/spot.h"
#include "core/supply.h"

enum { LOOKED_AT_ONCE = 65536, CANCELLED_AT_ONCE = 1024 }; /* exposures, orders of one command */

void limit_sweep_start(struct core *c)
{
    c->s->limit_sweep = c->limit.s->holdings > 0 ? 1 : 0;
}

/* Whether all that works on this side of exposure e stays within every limit. */
static bool side_fits(struct core *c, uint32_t e, enum side side)
{
    const struct limit_link *link = &c->limit.links[e];
    for (uint32_t i = 0; i < link->count; i++) {
        struct limit_holding *h = &c->limit.holdings[link->holding[i]];
        limit_extra_refresh(c, h);
        int128_t limit = limit_of(c, &c->limit.buckets[h->bucket], &h->extra, side);
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

/* The orders that count on this side of exposure e into c->shares, the latest first; gathered,
 * since closing one may close linked others. Returns how many. */
static uint32_t side_orders(struct core *c, uint32_t e, enum side side)
{
    uint32_t count = 0;
    for (uint32_t o = c->accounts[c->exposures[e].account].orders; o != NIL;
         o = c->info[o].account_next) {
        bool here = order_at(c, o)->exposure == e || c->info[o].exposure_b == e;
        if (here && side_in(c, o, e) == side) c->shares[count++] = (struct share){.order = o};
    }
    return count;
}

/* Of orders and bids, the latest first. */
static uint32_t side_cut(struct core *c, uint32_t e, enum side side)
{
    uint32_t account = c->exposures[e].account, instrument = c->exposures[e].instrument;
    uint32_t count = side_orders(c, e, side), i = 0, cut = 0;
    uint32_t bid = spot_bid_latest(c, account, instrument, side);
    while ((i < count || bid != NIL) && !side_fits(c, e, side)) {
        uint32_t o = i < count ? c->shares[i].order : NIL;
        bool works = o != NIL && order_is_live(order_at(c, o)) &&
                     (order_at(c, o)->flags & ORDER_BIT_HELD) == 0; /* asked when it wakes */
        if (o != NIL && !works) {
            i += 1;
        } else if (o == NIL || (bid != NIL && spot_bid_created(c, bid).v >= c->info[o].created.v)) {
            cut += spot_bid_cut(c, &bid, instrument);
        } else {
            i += 1;
            order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_position_limit);
            cut += 1;
        }
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
