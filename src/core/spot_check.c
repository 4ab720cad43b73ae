/* spot_check.c: every claim of a solution of a day-ahead auction is checked, in whole numbers
 * (INDEX-01). See spot.h.
 *
 * A solution is a price for each hour and the set of accepted blocks. All else follows: a step
 * that is better than its hour's price is filled, one that is worse is not, so that no step in the
 * money is rejected and none out of it accepted; what is left over of the blocks and of these goes
 * to the steps at exactly the price, as much on both sides as can be. It holds when
 *   (a) no block is accepted without its parent;
 *   (b) every hour balances: what is left over is not more than the steps at the price can take;
 *   (c) no accepted block loses: its surplus, with that of the blocks accepted below it, is not
 *       negative (a family's rule as at Euphemia: children may save their parent, no child of its
 *       own loses);
 *   (d) it reaches the surplus that it claims, and does not pass its own bound.
 * A block that is rejected in the money is allowed, and named (spot_result.c).
 *
 * The bound that is published is the core's own: at any prices, the sum of what every bid would
 * earn if it had its way is at least the surplus of any solution (LP duality). The solver's dual
 * prices make it tight.
 *
 * Upstream: spot_result. Downstream: state.
 */
#include "core/spot_internal.h"

/* ---- one hour ---- */

struct hour_sums {
    int128_t over;       /* sold less bought, of blocks and of steps in the money */
    int128_t at_buys;    /* at exactly the price */
    int128_t at_sells;
};

static void steps_sum(const struct core *c, const struct spot_auction *a,
                      const struct command_spot_result *r, struct hour_sums *sums,
                      struct spot_judged *j)
{
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        if (b->kind != SPOT_BID_step) continue;
        struct hour_sums *s = &sums[b->hour];
        int64_t sign = b->side == SIDE_sell ? 1 : -1;
        int128_t gain = (int128_t)(r->dual[b->hour].v - b->price.v) * sign * b->qty;
        if (gain > 0) j->bound += gain;
        if (spot_step_is_in(b, r->prices[b->hour])) {
            s->over += sign * b->qty;
            j->surplus -= (int128_t)b->price.v * sign * b->qty;
        } else if (b->price.v == r->prices[b->hour].v) {
            if (sign > 0) s->at_sells += b->qty;
            else s->at_buys += b->qty;
        }
    }
}

/* (b) The most that both sides can trade at the price. */
static bool hour_balance(const struct hour_sums *s, price_t price, struct spot_margin *margin,
                         int128_t *surplus)
{
    int128_t buys, sells;
    if (s->over >= 0) {
        if (s->at_buys < s->over) return false;
        sells = s->at_buys - s->over < s->at_sells ? s->at_buys - s->over : s->at_sells;
        buys = sells + s->over;
    } else {
        if (s->at_sells < -s->over) return false;
        buys = s->at_sells + s->over < s->at_buys ? s->at_sells + s->over : s->at_buys;
        sells = buys - s->over;
    }
    ASSERT(buys <= INT64_MAX && sells <= INT64_MAX); /* margin's bounds (margin_lots_max) */
    margin->buys = (int64_t)buys;
    margin->sells = (int64_t)sells;
    *surplus += (buys - sells) * price.v;
    return true;
}

/* ---- blocks ---- */

/* What a block earns by itself at these prices. */
static int128_t block_gain(const struct core *c, const struct spot_auction *a, uint32_t bid,
                           const price_t *prices)
{
    const struct spot_order *b = &c->spot.bids[bid];
    const int64_t *qty = c->spot.profiles[b->profile].qty;
    int128_t gain = 0;
    for (uint32_t h = 0; h < a->hours; h++)
        gain += (int128_t)(prices[h].v - b->price.v) * qty[h];
    return b->side == SIDE_sell ? gain : -gain;
}

/* (a), and what accepted blocks bring to their hours and to the surplus. */
static bool blocks_sum(const struct core *c, const struct spot_auction *a,
                       const struct command_spot_result *r, struct hour_sums *sums,
                       struct spot_judged *j)
{
    uint32_t block = 0;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        if (b->kind != SPOT_BID_block) continue;
        bool taken = spot_accepts(r, block++);
        c->spot.values[b->profile] = taken ? 1 : 0;
        if (!taken) continue;
        if (b->parent != NIL && c->spot.values[c->spot.bids[b->parent].profile] == 0) return false;
        int64_t sign = b->side == SIDE_sell ? 1 : -1;
        for (uint32_t h = 0; h < a->hours; h++) {
            int64_t lots = sign * c->spot.profiles[b->profile].qty[h];
            sums[h].over += lots;
            j->surplus -= (int128_t)b->price.v * lots;
        }
        j->accepted += 1;
    }
    for (; block < SPOT_BLOCKS_MAX; block++) {
        if (spot_accepts(r, block)) return false;
    }
    return true;
}

/* From the last block to the first, so that children come before their parents: each adds what it
 * and what is below it earn to its parent, where that is to be counted. */
enum counted { COUNT_accepted, COUNT_best, COUNT_rejected };

static bool families_sum(struct core *c, const struct spot_auction *a,
                         const struct command_spot_result *r, enum counted counted,
                         const price_t *prices, int128_t *roots)
{
    uint32_t block = a->blocks;
    bool none_loses = true;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        if (c->spot.bids[i].kind == SPOT_BID_block) c->spot.values[c->spot.bids[i].profile] = 0;
    }
    for (uint32_t i = a->last; i != NIL; i = c->spot.bids[i].prev) {
        const struct spot_order *b = &c->spot.bids[i];
        if (b->kind != SPOT_BID_block) continue;
        bool taken = spot_accepts(r, --block);
        if (counted == COUNT_accepted && !taken) continue;
        if (counted == COUNT_rejected && taken) continue;
        int128_t *value = &c->spot.values[b->profile];
        *value += block_gain(c, a, i, prices);
        if (*value < 0) none_loses = false;
        if (counted != COUNT_accepted && *value < 0) continue;
        if (b->parent != NIL) c->spot.values[c->spot.bids[b->parent].profile] += *value;
        else if (roots != NULL) *roots += *value;
    }
    return none_loses;
}

void spot_forgone(struct core *c, const struct spot_auction *a,
                  const struct command_spot_result *r)
{
    (void)families_sum(c, a, r, COUNT_rejected, r->prices, NULL);
    uint32_t block = 0;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        if (b->kind != SPOT_BID_block) continue;
        bool taken = spot_accepts(r, block++), traded = true;
        for (uint32_t h = 0; h < a->hours; h++) {
            bool quiet = a->hour[h].qty == 0;
            if (quiet && c->spot.profiles[b->profile].qty[h] > 0) traded = false;
        }
        if (taken || !traded) c->spot.values[b->profile] = 0;
    }
}

/* ---- the whole ---- */

static int128_t surplus_of(const struct spot_surplus *s)
{
    return int128_join(s->high, s->low);
}

static enum reject prices_check(const struct core *c, const struct spot_auction *a,
                                const struct command_spot_result *r)
{
    int64_t tick = c->products[a->product].terms.tick.v;
    for (uint32_t h = 0; h < SPOT_HOURS_MAX; h++) {
        if (h >= a->hours) {
            if (r->prices[h].v != 0 || r->dual[h].v != 0) return REJECT_malformed_request;
            continue;
        }
        if (!within(r->prices[h].v, a->price_min.v, a->price_max.v)) return REJECT_invalid_price;
        if (!within(r->dual[h].v, -PRICE_MAX, PRICE_MAX)) return REJECT_invalid_price;
    }
    for (uint32_t h = 0; h < a->hours; h++) {
        if (r->prices[h].v % tick != 0) return REJECT_off_tick;
    }
    return REJECT_none;
}

enum reject spot_judge(struct core *c, const struct spot_auction *a,
                       const struct command_spot_result *r, struct spot_judged *j)
{
    struct hour_sums sums[SPOT_HOURS_MAX] = {0};
    *j = (struct spot_judged){0};
    enum reject reason = prices_check(c, a, r);
    if (reason != REJECT_none) return reason;
    if (!blocks_sum(c, a, r, sums, j)) return REJECT_broken_link;
    steps_sum(c, a, r, sums, j);
    for (uint32_t h = 0; h < a->hours; h++) {
        if (!hour_balance(&sums[h], r->prices[h], &j->margin[h], &j->surplus))
            return REJECT_unbalanced_result;
    }
    if (!families_sum(c, a, r, COUNT_accepted, r->prices, NULL)) return REJECT_losing_block;
    (void)families_sum(c, a, r, COUNT_best, r->dual, &j->bound);
    bool honest = surplus_of(&r->surplus) == j->surplus && surplus_of(&r->bound) >= j->surplus;
    return honest ? REJECT_none : REJECT_wrong_surplus;
}
