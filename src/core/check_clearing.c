/* check_clearing.c: asserts every invariant of the clearing house: CLEAR-01 (positions, costs and
 * money sum to zero, the clearing house is flat), CLEAR-08 (requirements are what the positions and
 * working orders need), and that records find each other. Complete and slow.
 *
 * Upstream: state. Downstream: check.c, tests.
 */
#include "core/call.h"
#include "core/collateral.h"
#include "core/delivery.h"
#include "core/ledger.h"
#include "core/token.h"
#include "core/index.h"
#include "core/margin.h"
#include "core/reclaim.h"
#include "core/schedule.h"
#include "core/settlement.h"
#include "core/standing.h"

static void check_instrument(const struct core *c, uint32_t i)
{
    const struct instrument *in = &c->instruments[i];
    int128_t position = 0, cost = 0, longs = 0;
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        const struct exposure *x = &c->exposures[e];
        ASSERT(x->instrument == i);
        position += x->position;
        cost += x->cost;
        if (x->position > 0) longs += x->position;
    }
    ASSERT(position == 0 && cost == 0 && longs == in->open_interest.v);
    ASSERT(in->terms.id == i && in->terms.product == in->product);
    if (is_spread(c, i)) {
        ASSERT(in->exposures == NIL && in->exposure_ccp == NIL);
        return;
    }
    const struct exposure *ccp = &c->exposures[in->exposure_ccp];
    ASSERT(ccp->account == c->s->account_ccp && ccp->instrument == i);
    ASSERT(ccp->position == 0 && ccp->cost == 0);
}

static void check_exposure(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    const struct instrument *in = &c->instruments[x->instrument];
    ASSERT(exposure_find(c, x->account, x->instrument) == e);
    ASSERT(x->open_buys >= 0 && x->open_sells >= 0 && x->buy_value >= 0);
    ASSERT(x->open_buys > 0 || x->buy_value == 0);
    ASSERT(x->position != 0 || x->entry_cost == 0);
    ASSERT(x->requirement.v == margin_exposure(c, e).v);
    ASSERT(x->requirement.v >= 0);
    if (in->terms.expired != EXPIRY_none) ASSERT(x->open_buys == 0 && x->open_sells == 0);
    if (in->terms.expired == EXPIRY_done) {
        ASSERT(x->position == 0 && x->cost == 0);
    }
    if (c->accounts[x->account].mode == MODE_collateralised) {
        ASSERT(x->position + x->cover >= x->open_sells || x->open_sells == 0);
        /* Tokens cover until the first of the hours is over (token.h). */
        bool over = promise_is_over(c, block_hour_next(c, x->instrument, 0));
        ASSERT(x->position + x->cover >= 0 || over);
    }
}

/* What requests hold back of a balance. */
static int128_t pending_requests(const struct core *c, const struct balance *b)
{
    int128_t sum = 0;
    for (uint32_t i = 0; i < c->limits.requests; i++) {
        const struct pending_request *r = &c->requests[i];
        if (r->id == 0 || r->chain == 0) continue;
        if (r->header.account == b->account && r->money.transfer.asset == b->asset) {
            sum += r->money.transfer.amount.v;
        }
    }
    return sum;
}

static void check_account(const struct core *c, uint32_t a)
{
    const struct account *account = &c->accounts[a];
    int128_t requirement = 0;
    ASSERT(account->cash != NIL && account->member != NIL);
    ASSERT(c->balances[account->cash].asset == ASSET_USD);
    for (uint32_t e = account->exposures; e != NIL; e = c->exposures[e].next) {
        ASSERT(c->exposures[e].account == a);
        requirement += c->exposures[e].requirement.v;
    }
    requirement += c->span_accounts[a].contribution + c->spot.firm[a];
    ASSERT(requirement + c->deliver.pending[a] == account->requirement.v);
    for (uint32_t b = account->cash; b != NIL; b = c->balances[b].next) {
        ASSERT(c->balances[b].account == a);
        ASSERT(balance_find(c, a, c->balances[b].asset) == b);
    }
}

void clearing_check(const struct core *c)
{
    int128_t sums[ASSETS_MAX + 1] = {0};
    for (uint32_t i = 1; i <= c->s->instruments; i++) check_instrument(c, i);
    for (uint32_t e = 1; e <= c->s->exposures; e++) {
        if (c->exposures[e].account != NIL) check_exposure(c, e);
    }
    reclaim_check(c);
    for (uint32_t a = 1; a <= c->s->accounts; a++) check_account(c, a);
    for (uint32_t b = 1; b <= c->s->balances; b++) {
        const struct balance *balance = &c->balances[b];
        ASSERT(money_fits(balance->amount));
        ASSERT(balance->pending_out == pending_requests(c, balance));
        if (!asset_is_token(balance->asset)) sums[balance->asset] += balance->amount;
    }
    for (uint32_t asset = 1; asset <= c->s->assets; asset++) ASSERT(sums[asset] == 0);
    ASSERT(ledger_cash(c, c->s->account_ccp) == 0);
    collateral_check(c);
    delivery_check(c);
    token_check(c); /* each of their assets likewise */
    call_check(c);
    standing_check(c);
    settlement_check(c);
    schedule_check(c);
    index_check(c);
}
