/* check.c: asserts every invariant of the whole state (numbered in state.h). Slow, and complete:
 * for tests, simulation, and after recovery.
 */
#include "core/default.h"
#include "core/implied.h"
#include "core/ledger.h"
#include "core/block.h"
#include "core/token.h"
#include "core/limit.h"
#include "core/state.h"
#include "core/span.h"
#include "core/spot.h"

/* (1) and (3): positions sum to zero; working lots are the sums over live orders. */
static void check_exposures(const struct core *c)
{
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        int128_t sum = 0, longs = 0;
        for (uint32_t x = c->instruments[i].exposures; x != NIL;
             x = c->exposures[x].next_of_instrument) {
            ASSERT(c->exposures[x].instrument == i);
            sum += c->exposures[x].position;
            if (c->exposures[x].position > 0) longs += c->exposures[x].position;
        }
        ASSERT(sum == 0);
        ASSERT(longs == c->instruments[i].open_interest.v);
    }
    for (uint32_t x = 1; x <= c->s->exposures; x++) {
        ASSERT(c->exposures[x].open_buys >= 0 && c->exposures[x].open_sells >= 0);
        ASSERT(c->exposures[x].buy_value >= 0 || c->exposures[x].open_buys > 0);
    }
}

static void check_working(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    uint32_t orders = 0;
    int128_t requirement = 0;
    for (uint32_t x = a->exposures; x != NIL; x = c->exposures[x].next) {
        int64_t buys = 0, sells = 0;
        uint32_t reduce_only = 0;
        requirement += c->exposures[x].requirement.v;
        for (uint32_t o = a->orders; o != NIL; o = c->info[o].account_next) {
            const struct order *order = order_at(c, o);
            bool leg_a = order->exposure == x, leg_b = c->info[o].exposure_b == x;
            if (leg_a && (order->flags & ORDER_FLAG_REDUCE_ONLY)) reduce_only += 1;
            if ((!leg_a && !leg_b) || (order->flags & ORDER_BIT_HELD)) continue;
            bool buys_leg = (order->side == SIDE_buy) != leg_b;
            int64_t lots = order->left.v;
            if (order->flags & ORDER_BIT_SPREAD)
                lots = spread_lots(c, order->instrument, leg_b ? 1 : 0, lots);
            if (buys_leg) buys += lots;
            else sells += lots;
        }
        spot_working(c, account, c->exposures[x].instrument, &buys, &sells);
        ASSERT(buys == c->exposures[x].open_buys && sells == c->exposures[x].open_sells);
        ASSERT(reduce_only == c->exposures[x].reduce_only);
    }
    for (uint32_t o = a->orders; o != NIL; o = c->info[o].account_next) {
        ASSERT(order_is_live(order_at(c, o)) && order_at(c, o)->account == account);
        orders += 1;
    }
    ASSERT(orders == a->order_count);
    requirement += c->span_accounts[account].contribution + c->deliver.pending[account] +
                   c->spot.firm[account];
    ASSERT(requirement == a->requirement.v); /* (4) */
}

/* (2) what is credited is debited. */
static void check_balances(const struct core *c)
{
    for (uint32_t asset = 1; asset <= c->s->assets; asset++) {
        int128_t sum = 0;
        for (uint32_t b = 1; b <= c->s->balances; b++) {
            if (c->balances[b].asset == asset) sum += c->balances[b].amount;
            ASSERT(c->balances[b].pending_out >= 0);
        }
        ASSERT(sum == 0);
    }
}

/* (5) and (6): each live order stands in exactly one place. */
static void check_orders(const struct core *c)
{
    uint32_t live = 0;
    uint64_t standing = 0, in_books = 0;
    for (uint32_t o = 1; o <= c->s->orders_used; o++) {
        const struct order *order = order_at(c, o);
        if (!order_is_live(order)) continue;
        live += 1;
        ASSERT(order->left.v > 0 && order->shown.v > 0 && order->shown.v <= order->left.v);
        ASSERT(c->info[o].filled.v + order->left.v == c->info[o].qty.v);
        if (order->level != NIL) standing += 1;
        else
            ASSERT((order->flags & (ORDER_BIT_HELD | ORDER_BIT_QUEUED)) ||
                   order->type == ORDER_TYPE_pegged);
    }
    ASSERT(live == c->s->orders_live);
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        const struct instrument *in = &c->instruments[i];
        book_check(&c->pools, &in->book);
        book_check(&c->pools, &in->stops);
        book_check(&c->pools, &in->takes);
        for (int side = 0; side < 2; side++)
            in_books += in->book.side[side].orders + in->stops.side[side].orders +
                        in->takes.side[side].orders;
        const struct level *bid = book_best(&c->pools, &in->book, SIDE_buy);
        const struct level *ask = book_best(&c->pools, &in->book, SIDE_sell);
        if (state_of(c, i) == STATE_open && c->s->elections_count == 0)
            ASSERT(bid == NULL || ask == NULL || bid->px.v < ask->px.v);
    }
    ASSERT(standing == in_books);
}

static void check_timers(const struct core *c)
{
    for (uint32_t i = 1; i <= c->s->timers; i++) {
        ASSERT(c->info[c->timer_heap[i]].timer == i);
        ASSERT(i == 1 || c->info[c->timer_heap[i / 2]].expires_at.v <=
                             c->info[c->timer_heap[i]].expires_at.v);
    }
}

void core_check(const struct core *c)
{
    check_exposures(c);
    check_balances(c);
    for (uint32_t a = 1; a <= c->s->accounts; a++) check_working(c, a);
    check_orders(c);
    check_timers(c);
    clearing_check(c);
    default_check(c);
    implied_check(c);
    instruments_check(c);
    limits_check(c);
    span_check(c);
    deals_check(c);
    spot_check(c);
    guard_check(c);
    certify_check(c);
}
