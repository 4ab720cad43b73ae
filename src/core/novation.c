/* novation.c: a trade becomes two positions against the clearing house (CLEAR-01, CLEAR-12,
 * MATCH-06).
 *
 * Invariants: (1) over the accounts, positions of an instrument and their costs sum to zero after
 * every trade; (2) a spread is held in its legs only; (3) the clearing house is flat after every
 * command.
 *
 * Order of events: the trade and its postings; of a spread the trade, then per leg its trade and
 * postings; then the fees.
 *
 * Upstream: ledger, fee, margin. Downstream: match, auction.
 */
#include "core/novation.h"

#include "core/fee.h"
#include "core/index_spot.h"
#include "core/ledger.h"
#include "core/margin.h"
#include "core/settlement.h"

/* ---- positions ---- */

static uint64_t magnitude64(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

/* n x closed / lots, half-even, where the product leaves 128 bits: by quotient and remainder. */
static uint128_t part_wide(uint128_t n, uint64_t lots, uint64_t closed)
{
    uint128_t whole = (n / lots) * closed;
    uint128_t rest = (n % lots) * closed;
    uint128_t part = whole + rest / lots;
    uint128_t twice = (rest % lots) * 2;
    return part + (twice > lots || (twice == lots && (part & 1) != 0) ? 1 : 0);
}

int128_t entry_cost_left(int128_t entry_cost, int64_t lots, int64_t closed)
{
    ASSERT(closed > 0 && closed <= lots);
    if (closed == lots) return 0;
    uint128_t n = entry_cost < 0 ? 0 - (uint128_t)entry_cost : (uint128_t)entry_cost;
    uint128_t part;
    uint64_t product;
    if (n <= UINT64_MAX && !__builtin_mul_overflow((uint64_t)n, (uint64_t)closed, &product)) {
        uint64_t q = product / (uint64_t)lots; /* the usual way: no 128-bit division */
        uint64_t rest = product - q * (uint64_t)lots;
        uint64_t other = (uint64_t)lots - rest;
        part = q + (rest > other || (rest == other && (q & 1) != 0) ? 1 : 0);
    } else {
        part = part_wide(n, (uint64_t)lots, (uint64_t)closed);
    }
    return entry_cost < 0 ? entry_cost + (int128_t)part : entry_cost - (int128_t)part;
}

/* Cost of a position that changes by `lots` (signed) at this price; its average entry price stays
 * when it grows, the closed part leaves pro rata, and beyond zero it begins anew. */
static inline void exposure_trade(struct exposure *x, int64_t lots, price_t price)
{
    x->cost += (int128_t)lots * price.v;
    bool grows = x->position == 0 || (x->position > 0) == (lots > 0);
    if (grows) {
        x->entry_cost += (int128_t)lots * price.v;
        return;
    }
    int64_t held = (int64_t)magnitude64(x->position);
    int64_t traded = (int64_t)magnitude64(lots);
    if (traded <= held) {
        x->entry_cost = entry_cost_left(x->entry_cost, held, traded);
        return;
    }
    int64_t beyond = lots > 0 ? traded - held : held - traded;
    x->entry_cost = (int128_t)beyond * price.v;
}

void novation_exposure_trade(struct exposure *x, int64_t lots, price_t price)
{
    exposure_trade(x, lots, price);
}

void novation_fill(struct core *c, const struct novation_fill *f, uint64_t trade_id)
{
    struct instrument *in = &c->instruments[f->instrument];
    uint32_t ccp = in->exposure_ccp;
    uint32_t buyer = f->exposure[SIDE_buy], seller = f->exposure[SIDE_sell];
    bool same = buyer == seller;
    int64_t before = novation_longs(c, buyer, ccp) + (same ? 0 : novation_longs(c, seller, ccp));
    struct exposure *b = &c->exposures[buyer], *s = &c->exposures[seller];
    if (same) { /* one account on both sides: nothing changes */
        ledger_post_trade(c, f->instrument, buyer, seller, f->qty, trade_id);
        return;
    }
    if (buyer != ccp) exposure_trade(b, f->qty, f->price);
    else b->cost += (int128_t)f->qty * f->price.v;
    if (seller != ccp) exposure_trade(s, -f->qty, f->price);
    else s->cost -= (int128_t)f->qty * f->price.v;
    ledger_post_trade(c, f->instrument, buyer, seller, f->qty, trade_id);
    in->open_interest.v += novation_longs(c, buyer, ccp) + novation_longs(c, seller, ccp) - before;
    margin_update(c, buyer);
    margin_update(c, seller);
}

/* ---- what the instrument remembers ---- */

static void day_begin(struct core *c, struct instrument *in)
{
    if (in->day == c->s->day) return;
    in->day = c->s->day;
    in->volume = QTY(0);
    in->open = PRICE_NONE;
    in->high = PRICE_NONE;
    in->low = PRICE_NONE;
}

void novation_volume(struct core *c, uint32_t instrument, int64_t lots)
{
    struct instrument *in = &c->instruments[instrument];
    day_begin(c, in);
    if (!int64_add(in->volume.v, lots, &in->volume.v)) in->volume = QTY(INT64_MAX);
}

static uint32_t side_account(const struct core *c, const struct trade *t, enum side side)
{
    uint32_t o = t->order[side];
    return o == NIL ? c->s->account_ccp : c->pools.orders[o].account;
}

/* What only some products ask of a print. */
static void product_print(struct core *c, const struct trade *t, price_t price)
{
    uint32_t flags = product_of(c, t->instrument)->terms.flags;
    if (flags & PRODUCT_FLAG_GUARDED) guard_print(c, t->instrument, t->px);
    if ((flags & PRODUCT_FLAG_SPOT) == 0) return;
    uint32_t seller = side_account(c, t, SIDE_sell), buyer = side_account(c, t, SIDE_buy);
    if (t->kind == TRADE_auction)
        index_spot_pooled(c, t->instrument, seller, buyer, price, t->qty.v);
    else index_spot_trade(c, t->instrument, seller, buyer, price, t->qty.v);
}

static void instrument_print(struct core *c, const struct trade *t, price_t price)
{
    struct instrument *in = &c->instruments[t->instrument];
    novation_volume(c, t->instrument, t->qty.v);
    if (t->kind != TRADE_continuous && t->kind != TRADE_auction) return;
    in->last = price;
    in->session_last = price;
    if (price_is_none(in->open)) in->open = price;
    if (price_is_none(in->high) || price.v > in->high.v) in->high = price;
    if (price_is_none(in->low) || price.v < in->low.v) in->low = price;
    if (c->s->ts.v >= in->window_open) settlement_trade(c, t->instrument, price, t->qty.v);
    if (c->products[in->product].terms.flags & (PRODUCT_FLAG_GUARDED | PRODUCT_FLAG_SPOT))
        product_print(c, t, price);
}

/* ---- the trade event ---- */

/* Fees are set later, the ring's copy with them. */
static struct event_trade *event_trade_push(struct core *c, const struct trade *t,
                                            uint32_t instrument, enum trade_kind kind,
                                            price_t price)
{
    struct event_trade *e = outbox_push(c->out, EVENT_trade, sizeof *e);
    e->trade_id = ++c->s->trade_id;
    e->instrument_seq = ++c->instruments[instrument].trade_seq;
    e->instrument = instrument;
    e->kind = (uint8_t)kind;
    e->aggressor_side = (uint8_t)t->aggressor;
    e->reserved[0] = 0;
    e->reserved[1] = 0;
    e->price = price;
    e->qty = t->qty;
    e->mark = c->instruments[instrument].settlement;
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        uint32_t o = t->order[side];
        e->order_id[side] = o == NIL ? 0 : c->pools.orders[o].id;
        e->account[side] = side_account(c, t, (enum side)side);
        e->maker[side] = t->maker[side] && t->kind != TRADE_auction;
        e->fee[side] = MONEY(0);
    }
    e->busted = 0;
    e->reserved2 = 0;
    e->reference = 0;
    return e;
}

void novation_keep(struct core *c, const struct event_trade *e)
{
    c->trades[e->trade_id % c->limits.trades] = *e;
}

/* ---- fees ---- */

static void fee_charge(struct core *c, struct event_trade *e, enum side side, int128_t fee,
                       enum posting_code code)
{
    uint32_t account = e->account[side];
    if (c->accounts[account].system != 0 || fee == 0) return;
    int64_t posted = ledger_post_fee(c, account, fee, code, e->instrument, e->trade_id);
    /* fees_paid and the event count what they can hold; the ledger is exact. */
    (void)int64_add(e->fee[side].v, posted, &e->fee[side].v);
    money_t *paid = &c->accounts[account].fees_paid;
    (void)int64_add(paid->v, posted, &paid->v);
}

void novation_fee_trade(struct core *c, struct event_trade *e)
{
    uint32_t product = c->instruments[e->instrument].product;
    if (c->products[product].terms.fee_tier_count == 0) return;
    int64_t month = fee_month(c);
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        uint32_t account = e->account[side];
        int128_t fee = fee_of_trade(c, account, product, e->maker[side] != 0, e->qty.v, month);
        fee_charge(c, e, (enum side)side, fee, POSTING_fee_trade);
    }
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        uint32_t account = e->account[side];
        if (c->accounts[account].system == 0) fee_count_lots(c, account, product, e->qty.v, month);
    }
}

void novation_fee_clearing(struct core *c, struct event_trade *e)
{
    int64_t fee = product_of(c, e->instrument)->terms.clearing_fee.v;
    if (fee == 0) return;
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        fee_charge(c, e, (enum side)side, (int128_t)fee * e->qty.v, POSTING_fee_clearing);
    }
}

/* ---- outrights and spreads ---- */

static uint32_t side_exposure(const struct core *c, const struct trade *t, enum side side,
                              uint32_t leg, uint32_t instrument)
{
    uint32_t o = t->order[side];
    if (o == NIL) return c->instruments[instrument].exposure_ccp;
    return leg == 0 ? c->pools.orders[o].exposure : c->info[o].exposure_b;
}

static void trade_outright(struct core *c, const struct trade *t, price_t price)
{
    struct novation_fill f = {.instrument = t->instrument, .price = price, .qty = t->qty.v};
    f.exposure[SIDE_buy] = side_exposure(c, t, SIDE_buy, 0, t->instrument);
    f.exposure[SIDE_sell] = side_exposure(c, t, SIDE_sell, 0, t->instrument);
    struct event_trade *e = event_trade_push(c, t, t->instrument, t->kind, price);
    novation_fill(c, &f, e->trade_id);
    if (fee_is_charged(&product_of(c, t->instrument)->terms)) {
        novation_fee_trade(c, e);
        novation_fee_clearing(c, e);
    }
    novation_keep(c, e);
}

/* The legs' prices of a direct spread trade: B = last of this session, else settlement, else 0. */
price_t novation_leg_b(const struct core *c, uint32_t leg)
{
    price_t reference = price_reference(&c->instruments[leg]);
    return price_is_none(reference) ? PRICE(0) : reference;
}

void novation_finish_spread(struct core *c, struct event_trade *e,
                            struct event_trade *const leg[SPREAD_LEGS_MAX], bool fees)
{
    if (fees) {
        novation_fee_trade(c, e);
        novation_fee_clearing(c, leg[0]);
        novation_fee_clearing(c, leg[1]);
    }
    novation_keep(c, e);
    novation_keep(c, leg[0]);
    novation_keep(c, leg[1]);
}

/* Buying the spread buys its first leg and sells its second. */
static struct event_trade *trade_leg(struct core *c, const struct trade *t, uint32_t leg,
                                     uint32_t instrument, price_t price)
{
    struct trade as = *t;
    if (leg == 1) {
        as.order[SIDE_buy] = t->order[SIDE_sell];
        as.order[SIDE_sell] = t->order[SIDE_buy];
        as.maker[SIDE_buy] = t->maker[SIDE_sell];
        as.maker[SIDE_sell] = t->maker[SIDE_buy];
        as.aggressor = opposite(t->aggressor);
    }
    as.qty = QTY(spread_lots(c, t->instrument, leg, t->qty.v));
    struct event_trade *e = event_trade_push(c, &as, instrument, TRADE_implied_leg, price);
    struct novation_fill f = {.instrument = instrument, .price = price, .qty = as.qty.v};
    f.exposure[SIDE_buy] = side_exposure(c, &as, SIDE_buy, leg, instrument);
    f.exposure[SIDE_sell] = side_exposure(c, &as, SIDE_sell, leg, instrument);
    novation_fill(c, &f, e->trade_id);
    return e;
}

static void trade_spread(struct core *c, const struct trade *t, price_t price, price_t leg_b)
{
    const struct event_instrument *terms = &c->instruments[t->instrument].terms;
    price_t b = leg_b;
    if (price_is_none(b))
        b = price_limit_leg(c, t->instrument, novation_leg_b(c, terms->legs[1]), price);
    struct event_trade *e = event_trade_push(c, t, t->instrument, t->kind, price);
    struct event_trade *leg[2];
    leg[0] = trade_leg(c, t, 0, terms->legs[0], PRICE(b.v + price.v));
    leg[1] = trade_leg(c, t, 1, terms->legs[1], b);
    novation_finish_spread(c, e, leg, true);
}

void novation_trade_legs(struct core *c, const struct trade *t, price_t leg_b)
{
    price_t price = price_of(c, t->instrument, t->px);
    ASSERT(t->qty.v > 0 && !price_is_none(price));
    if (__builtin_expect(is_spread(c, t->instrument), 0)) trade_spread(c, t, price, leg_b);
    else trade_outright(c, t, price);
    instrument_print(c, t, price);
}

void novation_trade(struct core *c, const struct trade *t)
{
    novation_trade_legs(c, t, PRICE_NONE);
}
