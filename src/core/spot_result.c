/* spot_result.c: a solution that was judged becomes trades (INDEX-01). See spot.h.
 *
 * What stood of bids no longer counts as working; then, hour by hour, each account's purchases and
 * sales are netted (at one price nothing is lost by that, and nobody trades with itself), and who
 * bought is paired with who sold, in order of account. Each trade is novated like any made outside
 * the book (CLEAR-01), with the fees of one who takes (CLEAR-12).
 *
 * Upstream: core.c. Downstream: spot_check, offbook, settlement.
 */
#include "core/spot_internal.h"

#include "core/index_spot.h"
#include "core/novation.h"
#include "core/offbook.h"
#include "core/settlement.h"

/* ---- what each bid gets ---- */

/* A step gets all, nothing, or at exactly the price what is left of the margin, in time order. */
static void step_fill(struct spot_order *b, price_t price, struct spot_margin *margin)
{
    int64_t *left = b->side == SIDE_buy ? &margin->buys : &margin->sells;
    b->filled = spot_step_is_in(b, price) ? b->qty : 0;
    if (b->price.v == price.v) {
        b->filled = int64_min(b->qty, *left);
        *left -= b->filled;
    }
    b->state = (uint8_t)spot_step_state(b);
}

static void bids_fill(struct core *c, struct spot_auction *a, const struct command_spot_result *r,
                      struct spot_judged *j)
{
    uint32_t block = 0;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        struct spot_order *b = &c->spot.bids[i];
        if (b->kind == SPOT_BID_step) {
            step_fill(b, r->prices[b->hour], &j->margin[b->hour]);
            if (b->side == SIDE_buy) a->hour[b->hour].qty += b->filled;
            continue;
        }
        bool taken = spot_accepts(r, block++);
        b->state = taken ? SPOT_BID_accepted : SPOT_BID_rejected;
        b->filled = 0;
        for (uint32_t h = 0; h < a->hours && taken; h++) {
            int64_t lots = c->spot.profiles[b->profile].qty[h];
            b->filled += lots;
            if (b->side == SIDE_buy) a->hour[h].qty += lots;
        }
    }
}

/* The prices at which the steps would be filled as they are. */
static void range_narrow(struct spot_hour *h, const struct spot_order *b)
{
    bool filled = b->filled > 0, left = b->filled < b->qty;
    bool holds_down = b->side == SIDE_buy ? filled : left; /* the price is at most this */
    bool holds_up = b->side == SIDE_buy ? left : filled;
    if (holds_down && b->price.v < h->high.v) h->high = b->price;
    if (holds_up && b->price.v > h->low.v) h->low = b->price;
}

static void hours_price(struct core *c, struct spot_auction *a,
                        const struct command_spot_result *r)
{
    for (uint32_t h = 0; h < a->hours; h++) {
        bool traded = a->hour[h].qty > 0;
        a->hour[h].price = traded ? r->prices[h] : PRICE_NONE;
        a->hour[h].low = a->price_min;
        a->hour[h].high = a->price_max;
    }
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        if (b->kind == SPOT_BID_step) range_narrow(&a->hour[b->hour], b);
    }
}

/* INDEX-01: blocks that are rejected although they would have earned are named. */
static void paradoxes_name(struct core *c, struct spot_auction *a,
                           const struct command_spot_result *r)
{
    spot_forgone(c, a, r);
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        struct spot_order *b = &c->spot.bids[i];
        if (b->kind != SPOT_BID_block || c->spot.values[b->profile] <= 0) continue;
        if (b->parent != NIL && c->spot.bids[b->parent].state != SPOT_BID_accepted) continue;
        b->state = SPOT_BID_paradoxical;
        a->paradoxical += 1;
    }
}

/* ---- trades ---- */

/* Accounts' net lots of an hour, bought above zero. */
static void hour_net(struct core *c, const struct spot_auction *a, uint32_t hour)
{
    memset(c->spot.net, 0, ((size_t)c->s->accounts + 1) * sizeof *c->spot.net);
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        int64_t lots = 0;
        if (b->kind == SPOT_BID_step) lots = b->hour == hour ? b->filled : 0;
        else if (b->state == SPOT_BID_accepted) lots = c->spot.profiles[b->profile].qty[hour];
        c->spot.net[b->account] += b->side == SIDE_buy ? lots : -lots;
    }
}

static uint32_t net_next(const struct core *c, uint32_t account, bool buys)
{
    while (account <= c->s->accounts &&
           (buys ? c->spot.net[account] <= 0 : c->spot.net[account] >= 0))
        account += 1;
    return account;
}

static void hour_trade(struct core *c, const struct spot_auction *a, uint32_t hour)
{
    const struct spot_hour *h = &a->hour[hour];
    hour_net(c, a, hour);
    uint32_t buyer = net_next(c, 1, true), seller = net_next(c, 1, false);
    while (buyer <= c->s->accounts) {
        int64_t lots = int64_min(c->spot.net[buyer], -c->spot.net[seller]);
        struct offbook t = {.from = seller, .to = buyer, .instrument = h->instrument,
                            .kind = TRADE_spot, .lots = QTY(lots), .price = h->price,
                            .leg_b = PRICE_NONE, .reference = a->id, .fees = true};
        (void)offbook_trade(c, &t);
        novation_volume(c, h->instrument, lots);
        if (product_of(c, h->instrument)->terms.flags & PRODUCT_FLAG_SPOT) /* INDEX-02 */
            index_spot_pooled(c, h->instrument, seller, buyer, h->price, lots);
        c->spot.net[buyer] -= lots;
        c->spot.net[seller] += lots;
        buyer = net_next(c, buyer, true);
        seller = net_next(c, seller, false);
    }
    ASSERT(seller > c->s->accounts); /* the hour balanced */
}

/* The uniform price stands as the hour's settlement price until trading makes another: positions
 * are marked at it, and the bands lie about it. */
static void hour_settle(struct core *c, const struct spot_hour *h)
{
    struct settlement_made made = settlement_made_of(c, h->instrument, c->s->day);
    made.tier = SETTLEMENT_TIER_auction;
    made.price = h->price;
    settlement_close(c, settlement_open(c, h->instrument, &made));
}

/* ---- the command ---- */

static void result_stand(struct core *c, struct spot_auction *a,
                         const struct command_spot_result *r, struct spot_judged *j)
{
    spot_unwork(c, a);
    bids_fill(c, a, r, j);
    hours_price(c, a, r);
    paradoxes_name(c, a, r);
    a->state = SPOT_STATE_done;
    a->done = c->s->ts;
    a->surplus = j->surplus;
    a->bound = j->bound;
    a->claimed = int128_join(r->bound.high, r->bound.low);
    a->optimal = (r->flags & SPOT_RESULT_OPTIMAL) != 0;
    a->nodes = r->nodes;
    a->accepted = j->accepted;
    event_spot_auction_push(c->out, a);
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next)
        event_spot_bid_push(c, c->out, i);
    for (uint32_t h = 0; h < a->hours; h++) {
        event_spot_hour_push(c->out, a, h);
        if (a->hour[h].qty == 0) continue;
        hour_trade(c, a, h);
        hour_settle(c, &a->hour[h]);
    }
    spot_release_hours(c, a);
    spot_due_set(c);
}

void spot_result(struct core *c, const struct command *cmd)
{
    const struct command_spot_result *r = &cmd->spot_result;
    struct spot_auction *a = spot_find(c, r->auction);
    struct spot_judged j = {0};
    enum reject reason = REJECT_none;
    if (a == NULL || a->kind != SPOT_day_ahead) reason = REJECT_unknown_spot_auction;
    else if (a->state == SPOT_STATE_closed && a->version != r->version)
        reason = REJECT_stale_result;
    else if (a->state != SPOT_STATE_closed || a->deadline.v <= c->s->ts.v)
        reason = REJECT_invalid_state;
    else reason = spot_judge(c, a, r, &j);
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
    else result_stand(c, a, r, &j);
}
