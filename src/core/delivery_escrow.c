/* delivery_escrow.c: the money and tokens of an allocation (DELIV-01): what is required on notice
 * day, what goes into escrow on D-3, and how it leaves.
 *
 * Money in escrow lies in the clearing house's account `delivery`, each allocation's two sums apart
 * in its record. Tokens lie in the account `escrow`, bound to the resource (token.h).
 *
 * Upstream: ledger, margin, token. Downstream: the other files of delivery.
 */
#include "core/delivery_internal.h"

#include "core/default.h"
#include "core/margin.h"

uint32_t delivery_home(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    const struct default_record *d = &c->defaults[a->member];
    bool estate = a->system == SYSTEM_none && a->origin == ORIGIN_house &&
                  d->status == DEFAULT_STATUS_open;
    return estate ? d->estate : account;
}

uint32_t allocation_account(const struct core *c, uint32_t a, enum delivery_side side)
{
    const struct allotment *x = &c->deliver.allocations[a];
    if (side == SIDE_first) return delivery_home(c, x->first_buyer);
    return delivery_home(c, side == SIDE_buyer ? x->said.buyer : x->said.seller);
}

int64_t money_move(struct core *c, uint32_t from, uint32_t to, int64_t amount,
                   enum posting_code code, uint32_t instrument, uint64_t reference)
{
    int128_t most = (int128_t)ledger_cash(c, from) + MONEY_MAX;
    int128_t room = (int128_t)MONEY_MAX - ledger_cash(c, to);
    if (most > room) most = room;
    if (amount > most) amount = (int64_t)most;
    if (amount <= 0 || from == to) return 0;
    struct ledger_chain chain = ledger_chain_open(c, instrument, reference);
    ledger_chain_cash(&chain, from, -amount, code);
    ledger_chain_cash(&chain, to, amount, code);
    ledger_chain_close(&chain);
    return amount;
}

static money_t *escrow_of(struct core *c, uint32_t a, enum delivery_side side)
{
    struct allotment *x = &c->deliver.allocations[a];
    if (side == SIDE_first) return &x->escrow_first;
    return side == SIDE_buyer ? &x->escrow_buyer : &x->escrow_seller;
}

void escrow_in(struct core *c, uint32_t a, enum delivery_side side, int64_t amount)
{
    const struct event_allocation *e = &c->deliver.allocations[a].said;
    escrow_of(c, a, side)->v += money_move(c, allocation_account(c, a, side), c->deliver.s->account,
                                           amount, POSTING_delivery_margin, e->instrument, e->id);
}

static int64_t escrow_out(struct core *c, uint32_t a, enum delivery_side side, uint32_t to,
                          int64_t amount, enum posting_code code)
{
    const struct event_allocation *e = &c->deliver.allocations[a].said;
    money_t *held = escrow_of(c, a, side);
    int64_t moved = money_move(c, c->deliver.s->account, to, int64_min(amount, held->v), code,
                               e->instrument, e->id);
    held->v -= moved;
    return moved;
}

int64_t escrow_pay(struct core *c, uint32_t a, enum delivery_side side, uint32_t to,
                   int64_t amount, enum posting_code code)
{
    const struct event_allocation *e = &c->deliver.allocations[a].said;
    int64_t moved = escrow_out(c, a, side, to, amount, code);
    return moved + money_move(c, allocation_account(c, a, side), to, amount - moved, code,
                              e->instrument, e->id);
}

/* What a full account cannot take goes to the rounding account: it never comes to that with money
 * that exists (MONEY_MAX), and escrow must be empty at the end. */
static void side_release(struct core *c, uint32_t a, enum delivery_side side)
{
    money_t *held = escrow_of(c, a, side);
    if (held->v == 0) return;
    (void)escrow_out(c, a, side, allocation_account(c, a, side), held->v,
                     POSTING_delivery_margin);
    if (held->v > 0)
        (void)escrow_out(c, a, side, c->s->account_rounding, held->v, POSTING_delivery_margin);
}

void escrow_release(struct core *c, uint32_t a, enum delivery_side side)
{
    side_release(c, a, side);
    if (side == SIDE_buyer) side_release(c, a, SIDE_first);
}

void escrow_carry(struct core *c, uint32_t a, enum delivery_side side, uint32_t to,
                  enum delivery_side to_side, int64_t amount, enum posting_code code)
{
    const struct event_allocation *e = &c->deliver.allocations[to].said;
    money_t *from = escrow_of(c, a, side), *into = escrow_of(c, to, to_side);
    int64_t part = int64_min(amount, from->v);
    from->v -= part;
    into->v += part + money_move(c, allocation_account(c, a, side), c->deliver.s->account,
                                 amount - part, code, e->instrument, e->id);
}

bool account_can_pay(struct core *c, uint32_t account, int64_t amount)
{
    if (ledger_cash_free(c, account) < amount) return false;
    if (c->accounts[account].status == ACCOUNT_defaulted) return false;
    span_current(c);
    return margin_available(c, account) >= amount;
}

/* ---- requirements on the way to D-3 ---- */

void pending_set(struct core *c, uint32_t a, enum delivery_side side, int64_t amount)
{
    struct allotment *x = &c->deliver.allocations[a];
    money_t *pending = side == SIDE_buyer ? &x->pending_buyer : &x->pending_seller;
    uint32_t account = side == SIDE_buyer ? x->said.buyer : x->said.seller;
    int64_t change = amount - pending->v;
    c->deliver.pending[account] += change;
    c->accounts[account].requirement.v += change;
    pending->v = amount;
}

static bool fits(int128_t v, int64_t *out)
{
    if (v > MONEY_MAX / 1000) return false; /* sums over allocations must fit as well */
    *out = (int64_t)v;
    return true;
}

/* The buyer: all that it may have to pay, over-delivery within tolerance included. The seller: its
 * share of the value; at a negative price also what it may have to pay. */
bool delivery_margins(const struct delivery_terms *t, int64_t work, price_t unit, int64_t *buyer,
                      int64_t *seller)
{
    int128_t value = int128_div_ceil((int128_t)work * int64_abs(unit.v), NS_PER_SECOND);
    if (value > MONEY_MAX / 1000) return false;
    int128_t most = int128_div_ceil(value * (E6 + t->tolerance_hour_e6), E6);
    int128_t share = int128_div_ceil(value * t->margin_seller_e6, E6);
    bool pays_buyer = unit.v >= 0;
    return fits(pays_buyer ? int128_div_ceil(most * t->margin_buyer_e6, E6) : 0, buyer) &&
           fits(pays_buyer ? share : share + most, seller);
}

bool allocation_margins(const struct core *c, uint32_t a, int64_t *buyer, int64_t *seller)
{
    const struct allotment *x = &c->deliver.allocations[a];
    return delivery_margins(terms_of(c, x->said.instrument), x->said.work_due, x->unit, buyer,
                            seller);
}

/* ---- tokens ---- */

static enum reject tokens_check(const struct core *c, uint32_t a)
{
    const struct allotment *x = &c->deliver.allocations[a];
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        const struct event_delivery_hour *e = &c->deliver.hours[h].said;
        enum reject reason = token_escrow_check(c, x->said.seller, x->said.resource, &x->class,
                                                e->hour.v / NS_PER_HOUR, e->work_due);
        if (reason != REJECT_none) return reason;
    }
    return REJECT_none;
}

static void tokens_return(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        if (y->escrowed == 0) continue;
        token_escrow_return(c, x->said.seller, x->said.resource, &x->class,
                            y->said.hour.v / NS_PER_HOUR, y->escrowed);
        y->escrowed = 0;
    }
    x->tokens = 0;
}

/* All hours or none. */
bool tokens_take(struct core *c, uint32_t a, enum delivery_reason *why)
{
    struct allotment *x = &c->deliver.allocations[a];
    enum reject reason = tokens_check(c, a);
    for (uint32_t h = x->hours; h != NIL && reason == REJECT_none; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        reason = token_escrow(c, x->said.seller, x->said.resource, &x->class,
                              y->said.hour.v / NS_PER_HOUR, y->said.work_due);
        if (reason == REJECT_none) y->escrowed = y->said.work_due;
    }
    x->tokens = 1;
    if (reason == REJECT_none) return true;
    tokens_return(c, a);
    *why = reason == REJECT_uncertified          ? DELIVERY_REASON_no_certificate
           : reason == REJECT_capacity_exhausted ? DELIVERY_REASON_no_room
                                                 : DELIVERY_REASON_no_tokens;
    return false;
}

static bool tokens_are_left(const struct core *c, const struct allotment *x)
{
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        if (c->deliver.hours[h].escrowed != 0) return true;
    }
    return false;
}

void tokens_end(struct core *c, uint32_t a, uint32_t h, int64_t redeemed)
{
    struct allotment *x = &c->deliver.allocations[a];
    struct allotment_hour *y = &c->deliver.hours[h];
    int64_t hour = y->said.hour.v / NS_PER_HOUR;
    redeemed = int64_min(redeemed, y->escrowed);
    if (redeemed > 0)
        token_redeem(c, x->said.seller, x->said.resource, &x->class, hour, redeemed);
    if (y->escrowed > redeemed)
        token_escrow_return(c, x->said.seller, x->said.resource, &x->class, hour,
                            y->escrowed - redeemed);
    y->escrowed = 0;
    x->tokens = tokens_are_left(c, x);
}

void tokens_divide(struct core *c, uint32_t a, uint32_t h, uint32_t to, int64_t work)
{
    struct allotment *x = &c->deliver.allocations[a], *r = &c->deliver.allocations[to];
    struct allotment_hour *y = &c->deliver.hours[h];
    int64_t part = int64_min(work, y->escrowed);
    c->deliver.hours[r->hours].escrowed = part;
    r->tokens = part > 0;
    y->escrowed -= part;
    x->tokens = tokens_are_left(c, x);
}

/* ---- the end before anything is in escrow ---- */

void allocation_cancel(struct core *c, uint32_t a, enum delivery_reason reason, uint32_t at_fault)
{
    struct allotment *x = &c->deliver.allocations[a];
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    struct event_delivery_cash e = {
        .allocation = x->said.id, .instrument = x->said.instrument, .reason = (uint32_t)reason,
        .buyer = x->said.buyer, .seller = x->said.seller, .at_fault = at_fault,
        .lots = x->said.lots, .work = x->said.work_due, .price = x->said.price,
        .reference = PRICE_NONE};
    pending_set(c, a, SIDE_buyer, 0);
    pending_set(c, a, SIDE_seller, 0);
    if (at_fault != NIL) {
        bool seller = at_fault == x->said.seller;
        int64_t value = delivery_value(x->said.work_due, int64_abs(x->unit.v));
        int64_t damages = delivery_share_floor(value, seller ? t->damages_nothing_e6
                                                             : t->damages_short_e6);
        e.damages.v = money_move(c, allocation_account(c, a, seller ? SIDE_seller : SIDE_buyer),
                                 allocation_account(c, a, seller ? SIDE_buyer : SIDE_seller),
                                 damages, POSTING_delivery_damages, x->said.instrument,
                                 x->said.id);
        if (seller) x->said.damages.v += e.damages.v;
    }
    x->said.reason = (uint32_t)reason;
    delivery_cash_say(c, &e);
    allocation_close(c, a);
}

/* ---- D-3 ---- */

static bool can_pay(struct core *c, uint32_t account, int64_t amount)
{
    if (ledger_cash_free(c, account) < amount) return false;
    span_current(c);
    return margin_available(c, account) >= 0; /* what is pending is required already */
}

void allocation_margin_day(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    enum delivery_reason why = DELIVERY_REASON_none;
    bool seller = can_pay(c, x->said.seller, x->said.margin_seller.v);
    bool buyer = can_pay(c, x->said.buyer, x->said.margin_buyer.v);
    if (!buyer) why = DELIVERY_REASON_buyer_margin;
    if (!seller) why = DELIVERY_REASON_seller_margin;
    if (seller && !tokens_take(c, a, &why)) seller = false;
    if (!seller || !buyer) {
        uint32_t at_fault = seller ? x->said.buyer : buyer ? x->said.seller : NIL;
        if (why == DELIVERY_REASON_no_room) at_fault = NIL; /* the venue's own lack */
        if (x->tokens != 0) tokens_return(c, a);
        allocation_cancel(c, a, why, at_fault);
        return;
    }
    pending_set(c, a, SIDE_buyer, 0);
    pending_set(c, a, SIDE_seller, 0);
    escrow_in(c, a, SIDE_buyer, x->said.margin_buyer.v);
    escrow_in(c, a, SIDE_seller, x->said.margin_seller.v);
    bool prompt = delivery_is_prompt(c, x->said.instrument);
    x->said.state = prompt ? ALLOCATION_ready : ALLOCATION_escrowed;
    allocation_say(c, a);
}
