/* delivery_pay.c: from figures to money (DELIV-01 D+1, DELIV-05's tolerance).
 *
 * An hour is within tolerance when its work is not less than (1 - [2%]) of what was due. If the
 * hours within tolerance, over- and under-delivery together, are then not more than [0.5%] of the
 * day short, each is paid as due at the contract's price, and what it is over or under is settled
 * at the hour's reference price: over-delivery counts to (1 + [2%]) of an hour and [0.5%] of the
 * day. Otherwise what is short in any is short like the rest, and work is paid as it came.
 *
 * Money goes from the buyer's escrow, then cash, to the seller: half-even to 10^-6 USD, both sides
 * of a posting alike, so that nothing is left over. At a negative price it goes the other way.
 *
 * Upstream: delivery_meter, index. Downstream: delivery_short.
 */
#include "core/delivery_internal.h"

#include "core/index.h"

/* INDEX-02; while the hour has none: the final settlement price. */
price_t hour_reference(const struct core *c, uint32_t a, uint32_t h)
{
    const struct allotment *x = &c->deliver.allocations[a];
    uint32_t index = terms_of(c, x->said.instrument)->index;
    int64_t hour = c->deliver.hours[h].said.hour.v / NS_PER_HOUR;
    price_t price = index == 0 ? PRICE_NONE : index_hour_price(c, index, hour);
    return price_is_none(price) ? x->said.price : price;
}

ts_t allocation_pay_at(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    int64_t last = int64_div_floor(x->said.end.v - 1, NS_PER_DAY);
    return TS((last + 1) * NS_PER_DAY + (int64_t)t->pay_at * NS_PER_SECOND);
}

static bool in_block(const struct allotment_hour *y)
{
    return (y->said.flags & HOUR_FLAG_MAKE_UP) == 0;
}

/* ---- tolerance ---- */

/* How far an hour within tolerance is over (or under, negative); false: it is beyond. */
static bool hour_within(const struct delivery_terms *t, const struct allotment_hour *y,
                        int64_t *over)
{
    int128_t due = y->said.work_due;
    int128_t least = int128_div_ceil(due * (E6 - t->tolerance_hour_e6), E6);
    int128_t most = int128_div_floor(due * (E6 + t->tolerance_hour_e6), E6);
    int128_t work = y->said.work > most ? most : (int128_t)y->said.work;
    *over = (int64_t)(work - due);
    return y->said.work >= least && y->said.state != HOUR_falsified;
}

static void hour_short(struct core *c, uint32_t a, struct allotment_hour *y)
{
    y->short_work = int64_max(0, y->said.work_due - y->said.work);
    if (y->short_work > 0) y->said.flags |= HOUR_FLAG_SHORT;
    c->deliver.allocations[a].said.work_short += y->short_work;
}

/* Over-delivery beyond the day's tolerance is not paid: the latest first. */
static void over_cut(struct core *c, uint32_t a, int64_t cut)
{
    const struct allotment *x = &c->deliver.allocations[a];
    while (cut > 0) {
        struct allotment_hour *latest = NULL;
        for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
            struct allotment_hour *y = &c->deliver.hours[h];
            if (in_block(y) && y->payable > y->said.work_due) latest = y;
        }
        if (latest == NULL) return;
        int64_t part = int64_min(cut, latest->payable - latest->said.work_due);
        latest->payable -= part;
        cut -= part;
    }
}

void block_close(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    int128_t net = 0, due = 0;
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        int64_t over;
        due += y->said.work_due;
        if (!hour_within(t, y, &over)) {
            hour_short(c, a, y);
            continue;
        }
        net += over;
        y->payable = y->said.work_due + over;
    }
    int128_t day = int128_div_floor(due * t->tolerance_day_e6, E6);
    if (net > day) over_cut(c, a, (int64_t)(net - day));
    for (uint32_t h = x->hours; net < -day && h != NIL; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        if (y->short_work == 0) hour_short(c, a, y);
    }
    if (x->said.work_short == 0) window_begin(c, a);
    else make_up_begin(c, a);
}

/* ---- payment ---- */

static void fee_take(struct core *c, uint32_t a, int64_t work)
{
    const struct allotment *x = &c->deliver.allocations[a];
    int64_t fee = terms_of(c, x->said.instrument)->fee;
    int64_t each = money_clamp(int128_div_floor((int128_t)work * fee, NS_PER_SECOND));
    for (enum delivery_side side = SIDE_buyer; each > 0 && side <= SIDE_seller; side++) {
        (void)ledger_post_fee(c, allocation_account(c, a, side), each, POSTING_delivery_fee,
                              x->said.instrument, x->said.id);
    }
}

/* What the first buyer of a resold hour adds. */
static int64_t first_pay(struct core *c, uint32_t a, uint32_t h, int64_t amount, int64_t contract)
{
    const struct allotment *x = &c->deliver.allocations[a];
    if (x->first_buyer == NIL || amount <= 0) return 0;
    int64_t added = int64_min(amount, delivery_value(contract, x->top_up.v));
    int64_t moved = escrow_pay(c, a, SIDE_first, allocation_account(c, a, SIDE_seller), added,
                               POSTING_delivery_difference);
    c->deliver.hours[h].paid_first.v += moved;
    return moved;
}

void work_pay(struct core *c, uint32_t a, uint32_t h, int64_t amount, int64_t work,
              int64_t contract)
{
    struct allotment *x = &c->deliver.allocations[a];
    struct event_delivery_hour *e = &c->deliver.hours[h].said;
    enum delivery_side payer = amount >= 0 ? SIDE_buyer : SIDE_seller;
    uint32_t to = allocation_account(c, a, amount >= 0 ? SIDE_seller : SIDE_buyer);
    int64_t moved = first_pay(c, a, h, amount, contract);
    moved += escrow_pay(c, a, payer, to, int64_abs(amount) - moved, POSTING_delivery_payment);
    if (payer == SIDE_seller) moved = -moved;
    e->paid.v += moved;
    x->said.paid.v += moved;
    fee_take(c, a, work);
}

/* Of what is paid for an hour, at the contract's price; the rest is at the reference price. */
static int64_t hour_contract(const struct allotment_hour *y)
{
    return (y->said.flags & HOUR_FLAG_SHORT) != 0 ? y->payable : y->said.work_due;
}

static int64_t hour_amount(const struct core *c, uint32_t a, uint32_t h)
{
    const struct allotment *x = &c->deliver.allocations[a];
    const struct allotment_hour *y = &c->deliver.hours[h];
    int64_t contract = hour_contract(y);
    int64_t due = delivery_value(contract, x->unit.v);
    int64_t apart = delivery_value(y->payable - contract, y->said.reference.v);
    return money_clamp((int128_t)due + apart);
}

void block_pay(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        if (!in_block(y)) continue;
        y->said.reference = hour_reference(c, a, h);
        work_pay(c, a, h, hour_amount(c, a, h), y->payable, hour_contract(y));
        event_delivery_hour_push(c, c->out, h);
    }
    x->said.flags |= ALLOCATION_FLAG_PAID;
    if (x->said.state == ALLOCATION_window) escrow_release(c, a, SIDE_buyer);
    allocation_say(c, a);
}
