/* delivery_short.c: what is short is made up, bought in, or paid for (DELIV-05).
 *
 * Make-up: until [24 h] after the block, further hours that both sides sign count against what is
 * short, the earliest hour first, at the contract's price and without damages. Who falsified a
 * proof, failed the canary or defaulted makes nothing up.
 *
 * Buy-in: a balancing auction takes offers for [30 min] for the very hours that are still to come,
 * and for what lies behind in the next hours after it, as much an hour as the contract. Each award
 * by an account with a standing tender, margin and tokens becomes a replacement: an allocation of
 * one hour between the buyer and the new seller at the auction's price, of which the buyer pays
 * what it would have paid, and the first seller the rest.
 *
 * For each unit that is short the first seller pays max(buy-in, [110%] of the reference price) less
 * the contract's price, never less than nothing, and damages on the contract's price: [10%], for an
 * hour with nothing [25%], for a falsified proof [50%]. What of it the replacement does not cost
 * goes to the buyer. From escrow, then cash, which may fall below zero.
 *
 * A replacement that is short is not bought in again: it ends in money, and the buyer has back what
 * it put in.
 *
 * Upstream: spot (balancing), delivery_pay. Downstream: delivery.c.
 */
#include "core/delivery_internal.h"

#include <string.h>

/* ---- the window, in which the seller's margin waits ---- */

void window_begin(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    x->said.state = ALLOCATION_window;
    if ((x->said.flags & ALLOCATION_FLAG_PAID) != 0) escrow_release(c, a, SIDE_buyer);
    allocation_say(c, a);
}

/* ---- make-up ---- */

static bool may_make_up(const struct core *c, const struct allotment *x)
{
    bool replaced = (x->said.flags & ALLOCATION_FLAG_REPLACEMENT) != 0;
    return x->said.reason == DELIVERY_REASON_none && !replaced &&
           terms_of(c, x->said.instrument)->make_up_ns >= NS_PER_HOUR;
}

static void all_in_money(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        int64_t work = c->deliver.hours[h].short_work;
        if (work > 0) short_in_money(c, a, h, work);
    }
    window_begin(c, a);
}

void make_up_begin(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    if (may_make_up(c, x)) {
        x->make_up_until = TS(x->said.end.v + t->make_up_ns);
        x->said.state = ALLOCATION_making_up;
        allocation_say(c, a);
    } else if ((x->said.flags & ALLOCATION_FLAG_REPLACEMENT) != 0) {
        if (x->said.reason == DELIVERY_REASON_none) x->said.reason = DELIVERY_REASON_shortfall;
        all_in_money(c, a);
    } else {
        enum delivery_reason reason = (enum delivery_reason)x->said.reason;
        buy_in_begin(c, a, reason == DELIVERY_REASON_none ? DELIVERY_REASON_shortfall : reason);
    }
}

/* Work that came later is paid at the contract's price, against the earliest that is short. */
static void made_up(struct core *c, uint32_t a, uint32_t from, int64_t work)
{
    struct allotment *x = &c->deliver.allocations[a];
    int64_t counted = 0;
    for (uint32_t h = x->hours; h != NIL && work > 0; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        int64_t part = int64_min(work, y->short_work);
        y->short_work -= part;
        x->said.work_short -= part;
        counted += part;
        work -= part;
    }
    x->said.work_made_up += counted;
    c->deliver.hours[from].payable = counted;
    work_pay(c, a, from, delivery_value(counted, x->unit.v), counted, counted);
}

void make_up_end(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    enum delivery_reason reason = (x->said.flags & ALLOCATION_FLAG_FALSIFIED) != 0
                                      ? DELIVERY_REASON_falsified
                                      : DELIVERY_REASON_shortfall;
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        bool extra = (y->said.flags & HOUR_FLAG_MAKE_UP) != 0;
        if (!extra || y->said.state >= HOUR_metered) continue;
        hour_meter(c, a, h);
        if (y->said.work > 0) made_up(c, a, h, y->said.work);
        x->said.window_until.v = int64_max(
            x->said.window_until.v,
            y->said.hour.v + NS_PER_HOUR + terms_of(c, x->said.instrument)->challenge_ns);
    }
    if (x->said.work_short == 0) window_begin(c, a);
    else buy_in_begin(c, a, reason);
}

/* ---- the balancing auction ---- */

static price_t reference_latest(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    price_t found = x->said.price;
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        if (c->deliver.hours[h].short_work > 0) found = hour_reference(c, a, h);
    }
    return found;
}

static int64_t with_share(int64_t price, int64_t share_e6)
{
    int128_t more = int128_div_ceil((int128_t)int64_abs(price) * (share_e6 - E6), E6);
    int128_t sum = (int128_t)price + more;
    return sum > PRICE_MAX ? PRICE_MAX : (int64_t)sum;
}

/* What is wanted, by hour: hours that are still to come as they are, the rest behind each other
 * from the first that can still be delivered. What does not fit is not bid for. */
static void wanted_fill(const struct core *c, uint32_t a, struct balancing *b)
{
    const struct allotment *x = &c->deliver.allocations[a];
    int64_t late = 0;
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        const struct allotment_hour *y = &c->deliver.hours[h];
        int64_t at = y->said.hour.v / NS_PER_HOUR - b->first_hour;
        if (at >= 0 && at < BALANCING_HOURS_MAX) b->work[at] += y->short_work;
        else late += y->short_work;
    }
    int64_t most = int64_max(x->said.work_hour, 1);
    for (uint32_t i = 0; i < BALANCING_HOURS_MAX; i++) {
        int64_t part = int64_min(late, int64_max(0, most - b->work[i]));
        b->work[i] += part;
        late -= part;
        if (b->work[i] > 0) b->hours = i + 1;
    }
}

void buy_in_begin(struct core *c, uint32_t a, enum delivery_reason reason)
{
    struct allotment *x = &c->deliver.allocations[a];
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    struct balancing b = {.kind = SPOT_balancing, .class = x->class, .reference = x->said.id};
    b.class.grade = x->said.grade; /* what was promised, not what would have come */
    b.closes = TS(c->s->ts.v + t->buy_in_ns);
    int64_t first = int64_div_floor(b.closes.v + NS_PER_HOUR - 1, NS_PER_HOUR);
    if (x->said.first_hour.v / NS_PER_HOUR > first) first = x->said.first_hour.v / NS_PER_HOUR;
    b.first_hour = first;
    /* Nobody is asked to pay for delivering, though the reference price be negative. */
    b.price_max = PRICE(int64_max(0, with_share(reference_latest(c, a).v, t->buy_in_max_e6)));
    wanted_fill(c, a, &b);
    x->said.reason = (uint32_t)reason;
    x->said.state = ALLOCATION_buying_in;
    x->auction_closes = b.closes;
    x->auction_first = b.first_hour;
    x->said.auction = b.hours == 0 ? 0 : balancing_open(c, &b);
    if (x->said.auction == 0) all_in_money(c, a);
    else allocation_say(c, a);
}

/* ---- what a unit that is short costs ---- */

static int64_t damages_rate(const struct core *c, const struct allotment *x,
                            const struct allotment_hour *y)
{
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    if (y->said.state == HOUR_falsified) return t->damages_falsified_e6;
    return y->said.work == 0 ? t->damages_nothing_e6 : t->damages_short_e6;
}

/* The price of a replacement, into its escrow: of the buyer what it would have paid, with what the
 * first buyer of a resold hour adds; the rest of the seller: which is returned. */
static int64_t replacement_fund(struct core *c, uint32_t a, uint32_t r, int64_t work,
                                price_t bought)
{
    const struct allotment *x = &c->deliver.allocations[a];
    int64_t price = delivery_value(work, bought.v);
    int64_t own = int64_max(0, delivery_value(work, x->unit.v));
    int64_t buyers = int64_min(price, own), funds = price - buyers, buyer = buyers;
    if (x->first_buyer != NIL)
        buyer = int64_min(buyers, delivery_value(work, x->unit.v - x->top_up.v));
    escrow_carry(c, a, SIDE_buyer, r, SIDE_buyer, buyer, POSTING_delivery_margin);
    escrow_carry(c, a, SIDE_first, r, SIDE_first, buyers - buyer, POSTING_delivery_margin);
    escrow_carry(c, a, SIDE_seller, r, SIDE_buyer, funds, POSTING_delivery_difference);
    return funds;
}

/* Of `work` of an hour: `bought` at this price for `replacement`, or PRICE_NONE. */
static void short_settle(struct core *c, uint32_t a, uint32_t h, int64_t work, price_t bought,
                         uint32_t replacement)
{
    struct allotment *x = &c->deliver.allocations[a];
    struct allotment_hour *y = &c->deliver.hours[h];
    uint32_t buyer = allocation_account(c, a, SIDE_buyer);
    price_t reference = hour_reference(c, a, h);
    int64_t least = with_share(reference.v, terms_of(c, x->said.instrument)->buy_in_e6);
    int64_t cost = price_is_none(bought) ? least : int64_max(least, bought.v);
    int64_t difference = int64_max(0, delivery_value(work, cost) - delivery_value(work, x->unit.v));
    int64_t funds = 0;
    if (replacement != NIL) {
        funds = replacement_fund(c, a, replacement, work, bought);
        x->said.work_bought += work;
    }
    int64_t value = delivery_value(work, int64_abs(x->unit.v));
    struct event_delivery_cash e = {
        .allocation = x->said.id, .instrument = x->said.instrument, .reason = x->said.reason,
        .buyer = x->said.buyer, .seller = x->said.seller, .at_fault = x->said.seller,
        .lots = x->said.lots, .work = work, .price = x->unit, .reference = reference};
    (void)escrow_pay(c, a, SIDE_seller, buyer, int64_max(0, difference - funds),
                     POSTING_delivery_difference);
    e.difference = MONEY(difference);
    e.damages.v = escrow_pay(c, a, SIDE_seller, buyer,
                             delivery_share_floor(value, damages_rate(c, x, y)),
                             POSTING_delivery_damages);
    x->said.damages.v = money_clamp((int128_t)x->said.damages.v + e.damages.v);
    y->short_work -= work;
    x->said.work_short -= work;
    delivery_cash_say(c, &e);
}

void short_in_money(struct core *c, uint32_t a, uint32_t h, int64_t work)
{
    short_settle(c, a, h, work, PRICE_NONE, NIL);
}

/* ---- replacements ---- */

/* The award's tender that stands ready for this hour; NIL: none. */
static uint32_t tender_of_award(const struct core *c, const struct allotment *x,
                                uint32_t account, int64_t hour)
{
    struct token_class wanted = x->class;
    wanted.grade = x->said.grade;
    return tender_standing(c, account, &wanted, hour);
}

void allocation_of_hour(const struct core *c, const struct allotment *x, struct allotment *r,
                        int64_t hour, int64_t work)
{
    struct event_allocation *e = &r->said;
    r->block_hours = 1;
    e->of = x->said.id;
    e->instrument = x->said.instrument;
    e->state = ALLOCATION_ready;
    e->grade = x->said.grade;
    e->work_hour = e->work_due = work;
    e->first_hour = TS(hour * NS_PER_HOUR);
    e->end = TS((hour + 1) * NS_PER_HOUR);
    e->window_until = TS(e->end.v + terms_of(c, e->instrument)->challenge_ns);
}

static void replacement_fill(struct core *c, const struct allotment *x, struct allotment *r,
                             const struct command_tender *t, const struct balancing_award *award,
                             int64_t hour)
{
    struct event_allocation *e = &r->said;
    bool certified = resource_class(c, t->resource, &r->class);
    ASSERT(certified);
    allocation_of_hour(c, x, r, hour, award->work);
    r->unit = award->price;
    e->buyer = x->said.buyer;
    e->seller = award->account;
    e->resource = t->resource;
    e->flags = ALLOCATION_FLAG_REPLACEMENT | ALLOCATION_FLAG_CANARY;
    e->price = award->price;
    e->factor_e6 = E6;
    if (x->first_buyer != NIL) { /* of what both would have paid for it, each its part */
        int64_t both = int64_min(award->price.v, x->unit.v);
        e->flags |= ALLOCATION_FLAG_RESOLD;
        e->price_resold = PRICE(int64_min(both, x->said.price_resold.v));
        r->first_buyer = x->first_buyer;
        r->top_up = PRICE(both - e->price_resold.v);
    }
    memcpy(e->buyer_key, x->said.buyer_key, sizeof e->buyer_key);
    memcpy(e->seller_key, t->public_key, sizeof e->seller_key);
    memcpy(e->buyer_endpoint, x->said.buyer_endpoint, sizeof e->buyer_endpoint);
    memcpy(e->seller_endpoint, t->endpoint, sizeof e->seller_endpoint);
}

/* NIL: the award cannot be delivered: no tender, no tokens, no margin, no room. */
static uint32_t replacement_open(struct core *c, uint32_t a,
                                 const struct balancing_award *award, int64_t hour)
{
    const struct allotment *x = &c->deliver.allocations[a];
    enum delivery_reason why;
    int64_t buyer, seller;
    uint32_t t = tender_of_award(c, x, award->account, hour);
    if (t == NIL || award->account == x->said.buyer) return NIL;
    uint32_t r = allocation_take(c, 1);
    if (r == NIL) return NIL;
    struct allotment *y = &c->deliver.allocations[r];
    replacement_fill(c, x, y, &c->deliver.tenders[t].terms, award, hour);
    uint32_t h = hour_add(c, r, hour, award->work);
    bool ok = h != NIL && allocation_margins(c, r, &buyer, &seller) &&
              account_can_pay(c, award->account, seller) && tokens_take(c, r, &why);
    if (!ok) {
        allocation_drop(c, r); /* nothing was paid in yet */
        return NIL;
    }
    y->said.margin_buyer = MONEY(buyer);
    y->said.margin_seller = MONEY(seller);
    escrow_in(c, r, SIDE_seller, seller);
    return r;
}

static void award_take(struct core *c, void *context, const struct balancing_award *award)
{
    const uint32_t a = *(const uint32_t *)context;
    struct allotment *x = &c->deliver.allocations[a];
    struct balancing_award part = *award;
    part.work = int64_min(award->work, x->said.work_short);
    if (part.work <= 0) return;
    uint32_t r = replacement_open(c, a, &part, x->auction_first + award->hour);
    if (r == NIL) return;
    int64_t left = part.work;
    for (uint32_t h = x->hours; h != NIL && left > 0; h = c->deliver.hours[h].next) {
        int64_t work = int64_min(left, c->deliver.hours[h].short_work);
        if (work > 0) short_settle(c, a, h, work, award->price, r);
        left -= work;
    }
    allocation_say(c, r);
}

void buy_in_end(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    int over = balancing_over(c, x->said.auction);
    if (over == 0 && c->s->ts.v < x->auction_closes.v + NS_PER_HOUR) {
        x->auction_closes.v = c->s->ts.v + 1; /* it is cleared in this command's wake */
        allocation_say(c, a);
        return;
    }
    if (over > 0) (void)balancing_awards(c, x->said.auction, award_take, &a);
    all_in_money(c, a);
}
