/* delivery_resale.c: what a buyer does not take is resold, and it pays all the same (DELIV-05, take
 * or pay).
 *
 * When an hour is metered as not taken, the hours of the allocation that begin after the sale
 * closes and for which nothing is in are offered for [30 min] in a resale auction: bids to buy, the
 * highest first, all at the lowest that is taken, at most the contract's price. Each award by an
 * account with a standing intake whose constraints allow the seller becomes an allocation of one
 * hour between it and the same seller at the contract's price: its work, its tokens and its share
 * of the seller's margin leave the first allocation. The new buyer's escrow is that of a contract
 * at the auction's price; the first buyer adds what is missing of the contract's, from its escrow,
 * of which the rest for that work is free, then from its cash: the seller is paid the contract's
 * price for all that counts. What was added for work that never counts goes back to the first
 * buyer.
 *
 * An hour may be resold in part. What nobody buys stays with the first buyer; a later hour that is
 * not taken may offer it again. What was resold is not resold again. At a price of zero or below
 * nothing is resold.
 *
 * Upstream: delivery_meter, spot (resale auctions). Downstream: delivery.c.
 */
#include "core/delivery_internal.h"

#include <string.h>

/* ---- the sale ---- */

static bool is_for_sale(const struct allotment_hour *y, int64_t from)
{
    return y->said.state == HOUR_due && y->said.work_due > 0 && y->said.hour.v >= from;
}

static bool may_resell(const struct allotment *x)
{
    const uint32_t no = ALLOCATION_FLAG_REPLACEMENT | ALLOCATION_FLAG_RESOLD |
                        ALLOCATION_FLAG_ON_SALE;
    return x->said.state == ALLOCATION_ready && (x->said.flags & no) == 0 && x->unit.v > 0;
}

void resale_begin(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    struct balancing b = {.kind = SPOT_resale, .class = x->class, .reference = x->said.id,
                          .price_max = x->unit};
    if (!may_resell(x)) return;
    b.class.grade = x->said.grade;
    b.closes = TS(c->s->ts.v + terms_of(c, x->said.instrument)->buy_in_ns);
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        const struct allotment_hour *y = &c->deliver.hours[h];
        int64_t hour = y->said.hour.v / NS_PER_HOUR;
        if (!is_for_sale(y, b.closes.v)) continue;
        if (b.hours == 0) b.first_hour = hour;
        if (hour - b.first_hour >= BALANCING_HOURS_MAX) break;
        b.hours = (uint32_t)(hour - b.first_hour) + 1;
        b.work[b.hours - 1] = y->said.work_due;
    }
    uint64_t auction = b.hours == 0 ? 0 : balancing_open(c, &b);
    if (auction == 0) return; /* nothing to sell, or no room: the buyer keeps it, and pays */
    x->said.auction = auction;
    x->said.flags |= ALLOCATION_FLAG_ON_SALE;
    x->auction_closes = b.closes;
    x->auction_first = b.first_hour;
}

void resale_cancel(struct core *c, uint32_t a)
{
    struct event_allocation *e = &c->deliver.allocations[a].said;
    if ((e->flags & ALLOCATION_FLAG_ON_SALE) == 0) return;
    e->flags &= ~(uint32_t)ALLOCATION_FLAG_ON_SALE;
    balancing_void(c, e->auction);
}

bool resale_is_over(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    return (x->said.flags & ALLOCATION_FLAG_ON_SALE) != 0 && x->auction_closes.v <= c->s->ts.v;
}

/* ---- what is sold becomes an allocation ---- */

static void resold_fill(const struct core *c, const struct allotment *x, struct allotment *r,
                        const struct command_intake *t, const struct balancing_award *award,
                        int64_t hour)
{
    struct event_allocation *e = &r->said;
    allocation_of_hour(c, x, r, hour, award->work);
    r->class = x->class;
    r->unit = x->unit;
    r->first_buyer = x->said.buyer;
    r->top_up = PRICE(x->unit.v - award->price.v);
    e->buyer = award->account;
    e->seller = x->said.seller;
    e->resource = x->said.resource;
    e->flags = ALLOCATION_FLAG_RESOLD | ALLOCATION_FLAG_CANARY;
    e->price = x->said.price;
    e->factor_e6 = x->said.factor_e6;
    e->price_resold = award->price;
    memcpy(e->buyer_key, t->public_key, sizeof e->buyer_key);
    memcpy(e->seller_key, x->said.seller_key, sizeof e->seller_key);
    memcpy(e->buyer_endpoint, t->endpoint, sizeof e->buyer_endpoint);
    memcpy(e->seller_endpoint, x->said.seller_endpoint, sizeof e->seller_endpoint);
}

/* NIL: it cannot be taken any more: no intake, no money, no room. */
static uint32_t resold_open(struct core *c, uint32_t a, const struct balancing_award *award,
                            int64_t hour)
{
    const struct allotment *x = &c->deliver.allocations[a];
    int64_t buyer, seller;
    uint32_t t = intake_of_bidder(c, a, award->account);
    uint32_t r = t == NIL ? NIL : allocation_take(c, 1);
    if (r == NIL) return NIL;
    struct allotment *y = &c->deliver.allocations[r];
    resold_fill(c, x, y, &c->deliver.intakes[t].terms, award, hour);
    bool ok = hour_add(c, r, hour, award->work) != NIL &&
              delivery_margins(terms_of(c, x->said.instrument), award->work, award->price, &buyer,
                               &seller) &&
              account_can_pay(c, award->account, buyer);
    if (!ok) {
        allocation_drop(c, r); /* nothing was paid in yet */
        return NIL;
    }
    y->said.margin_buyer = MONEY(buyer);
    escrow_in(c, r, SIDE_buyer, buyer);
    return r;
}

static int64_t share_of(int64_t whole, int64_t work, int64_t all)
{
    return (int64_t)int128_div_floor((int128_t)whole * work, all);
}

/* Its share of both margins: the seller's goes along; of the first buyer's what it has to add, and
 * the rest is free. */
static void margins_divide(struct core *c, uint32_t a, uint32_t r, int64_t work)
{
    struct allotment *x = &c->deliver.allocations[a], *y = &c->deliver.allocations[r];
    int64_t all = x->said.work_due, added = delivery_value(work, y->top_up.v);
    int64_t seller = share_of(x->escrow_seller.v, work, all);
    int64_t buyer = share_of(x->escrow_buyer.v, work, all);
    escrow_carry(c, a, SIDE_seller, r, SIDE_seller, seller, POSTING_delivery_margin);
    escrow_carry(c, a, SIDE_buyer, r, SIDE_first, added, POSTING_delivery_margin);
    int64_t left = int64_min(int64_max(0, buyer - added), x->escrow_buyer.v);
    (void)escrow_pay(c, a, SIDE_buyer, allocation_account(c, a, SIDE_buyer), left,
                     POSTING_delivery_margin);
    y->said.margin_seller = MONEY(seller);
    x->said.margin_seller.v -= int64_min(seller, x->said.margin_seller.v);
    x->said.margin_buyer.v -= int64_min(buyer, x->said.margin_buyer.v);
}

static void resale_take(struct core *c, void *context, const struct balancing_award *award)
{
    const uint32_t a = *(const uint32_t *)context;
    struct allotment *x = &c->deliver.allocations[a];
    int64_t hour = x->auction_first + award->hour;
    uint32_t h = hour_of_allocation(c, a, hour);
    if (h == NIL || !is_for_sale(&c->deliver.hours[h], c->s->ts.v)) return; /* it has begun */
    struct allotment_hour *y = &c->deliver.hours[h];
    struct balancing_award part = *award;
    part.work = int64_min(award->work, y->said.work_due);
    uint32_t r = resold_open(c, a, &part, hour);
    if (r == NIL) return;
    margins_divide(c, a, r, part.work);
    tokens_divide(c, a, h, r, part.work);
    y->said.work_due -= part.work;
    y->said.flags |= HOUR_FLAG_RESOLD;
    if (y->said.work_due == 0) y->said.state = HOUR_metered; /* it has left */
    x->said.work_due -= part.work;
    x->said.work_resold += part.work;
    event_delivery_hour_push(c, c->out, h);
    allocation_say(c, r);
}

void resale_end(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    x->said.flags &= ~(uint32_t)ALLOCATION_FLAG_ON_SALE;
    if (balancing_over(c, x->said.auction) > 0)
        (void)balancing_awards(c, x->said.auction, resale_take, &a);
    else balancing_void(c, x->said.auction);
    hours_meter(c, a); /* the block is closed when nothing of it is left */
}
