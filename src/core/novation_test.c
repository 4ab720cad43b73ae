/* novation_test.c: trades become positions against the clearing house; spreads, entry prices, fees,
 * tiers and rebates (CLEAR-01, CLEAR-12, MATCH-06). */
#include "core/novation.h"
#include "core/world_test.h"

enum { USD = 1000000 };

struct desk {
    struct world w;
    uint32_t product, i, j, spread, a, b;
};

static struct desk desk_open(struct command *terms)
{
    struct core_limits limits = core_limits_small();
    struct desk d = {.w = world_open(&limits)};
    d.product = world_product(&d.w, terms);
    d.i = world_list(&d.w, d.product, "2027M03");
    d.j = world_list(&d.w, d.product, "2027M04");
    assert_int_equal(world_try_spread(&d.w, d.i, d.j), REJECT_none);
    d.spread = d.w.c->s->instruments;
    d.a = world_account(&d.w, "a", "m");
    d.b = world_account(&d.w, "b", "n");
    assert_int_equal(world_state(&d.w, d.product, STATE_open), REJECT_none);
    return d;
}

static void four_postings(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    struct desk d = desk_open(&terms);
    world_trade(&d.w, d.i, d.a, d.b, 5 * USD, 3);
    const struct event_trade *t = world_event(&d.w, EVENT_trade);
    assert_true(t->trade_id == 1 && t->instrument_seq == 1 && t->price.v == 5 * USD);
    assert_true(t->account[SIDE_buy] == d.a && t->account[SIDE_sell] == d.b);
    assert_true(t->maker[SIDE_buy] == 1 && t->maker[SIDE_sell] == 0);
    assert_true(price_is_none(t->mark) && t->aggressor_side == SIDE_sell);
    uint32_t ccp = d.w.c->s->account_ccp;
    const uint32_t accounts[] = {d.a, ccp, ccp, d.b};
    const int64_t amounts[] = {3, -3, 3, -3}, balances[] = {3, -3, 0, -3};
    const struct event_header *e = NULL;
    int at = 0;
    while ((e = outbox_next(&d.w.out, e)) != NULL) {
        if (e->kind != EVENT_posting) continue;
        const struct event_posting *p = (const void *)e;
        assert_true(at < 4 && p->account == accounts[at] && p->amount == amounts[at]);
        assert_true(p->balance == balances[at] && p->asset == ASSET_INSTRUMENT + d.i);
        assert_true(p->code == POSTING_trade && p->reference == 1 && p->instrument == d.i);
        assert_memory_equal(p, &d.w.c->postings[p->posting_id % d.w.c->limits.postings],
                            sizeof *p);
        at += 1;
    }
    assert_int_equal(at, 4);
    assert_memory_equal(t, &d.w.c->trades[1], sizeof *t);
    const struct instrument *in = &d.w.c->instruments[d.i];
    assert_true(in->open_interest.v == 3 && in->volume.v == 3 && in->last.v == 5 * USD);
    world_trade(&d.w, d.i, d.b, d.a, 4 * USD, 2);
    assert_true(in->open_interest.v == 1 && in->volume.v == 5 && in->low.v == 4 * USD);
    assert_true(in->high.v == 5 * USD && in->open.v == 5 * USD);
    world_trade(&d.w, d.i, d.a, d.a, 6 * USD, 2); /* with itself: a price, no position */
    assert_true(in->open_interest.v == 1 && in->last.v == 6 * USD && in->volume.v == 7);
    assert_int_equal(world_exposure(&d.w, d.a, d.i)->position, 1);
    d.w.ts = TS(d.w.ts.v + NS_PER_DAY); /* another session day */
    world_trade(&d.w, d.i, d.a, d.b, 3 * USD, 1);
    assert_true(in->volume.v == 1 && in->open.v == 3 * USD && in->high.v == 3 * USD);
    world_close(&d.w);
}

static int64_t entry(const struct desk *d, uint32_t account)
{
    return (int64_t)world_exposure(&d->w, account, d->i)->entry_cost;
}

static void entry_price_follows(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    struct desk d = desk_open(&terms);
    world_trade(&d.w, d.i, d.a, d.b, 5 * USD, 2);
    world_trade(&d.w, d.i, d.a, d.b, 8 * USD, 1);
    assert_int_equal(entry(&d, d.a), 18 * USD);
    assert_int_equal(entry(&d, d.b), -18 * USD);
    world_trade(&d.w, d.i, d.b, d.a, 100 * USD, 1); /* a third is closed at whatever price */
    assert_int_equal(entry(&d, d.a), 12 * USD);
    assert_int_equal(entry(&d, d.b), -12 * USD);
    assert_true(world_exposure(&d.w, d.a, d.i)->cost == -82 * (int128_t)USD);
    world_trade(&d.w, d.i, d.b, d.a, 7 * USD, 5); /* through zero: begins anew */
    assert_int_equal(entry(&d, d.a), -21 * USD);
    assert_int_equal(entry(&d, d.b), 21 * USD);
    world_trade(&d.w, d.i, d.a, d.b, -2 * USD, 3); /* closed; a negative price is a price */
    assert_int_equal(entry(&d, d.a), 0);
    world_close(&d.w);
}

static void entry_cost_rounds_half_even(void **state)
{
    (void)state;
    assert_true(entry_cost_left(10, 4, 1) == 8);  /* 2.5 -> 2 */
    assert_true(entry_cost_left(14, 4, 1) == 10); /* 3.5 -> 4 */
    assert_true(entry_cost_left(-10, 4, 1) == -8);
    assert_true(entry_cost_left(-14, 4, 1) == -10);
    assert_true(entry_cost_left(-14, 4, 4) == 0);
    /* The three ways of computing agree: against plain 128-bit arithmetic where it fits. */
    struct random r = {.state = 7};
    for (int i = 0; i < 200000; i++) {
        int64_t lots = 1 + (int64_t)random_below(&r, UINT64_C(1) << (1 + random_below(&r, 40)));
        int64_t closed = 1 + (int64_t)random_below(&r, (uint64_t)lots);
        int128_t cost = (int128_t)random_below(&r, UINT64_C(1) << (1 + random_below(&r, 62)));
        if (random_below(&r, 2) == 1) cost = -cost;
        if (random_below(&r, 4) == 1) cost *= 4096;
        int128_t want = cost - int128_div_half_even(cost * closed, lots);
        if (closed == lots) want = 0;
        assert_true(entry_cost_left(cost, lots, closed) == want);
    }
    /* Beyond 128 bits between: 10^30 x 10^15. */
    int128_t big = (int128_t)QTY_MAX * PRICE_MAX;
    assert_true(entry_cost_left(big, QTY_MAX, QTY_MAX - 1) == PRICE_MAX);
    assert_true(entry_cost_left(-big, QTY_MAX, 1) == -big + PRICE_MAX);
}

/* MATCH-06: a spread prints in the spread; its legs are priced B = last this session, else
 * settlement, else 0, and A = B + S; legs set no last. */
static void spread_is_held_in_legs(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    struct desk d = desk_open(&terms);
    world_trade(&d.w, d.spread, d.a, d.b, -2 * USD, 4);
    assert_int_equal(world_count(&d.w, EVENT_trade), 3);
    assert_int_equal(world_count(&d.w, EVENT_posting), 8);
    const struct exposure *near = world_exposure(&d.w, d.a, d.i),
                          *far = world_exposure(&d.w, d.a, d.j);
    assert_true(near->position == 4 && far->position == -4);
    assert_true(near->cost == -8 * (int128_t)USD && far->cost == 0); /* B = 0 */
    assert_true(price_is_none(d.w.c->instruments[d.i].last));
    assert_int_equal(d.w.c->instruments[d.spread].last.v, -2 * USD);
    assert_int_equal(world_settle(&d.w, d.j, 30 * USD), REJECT_none);
    world_trade(&d.w, d.spread, d.a, d.b, -2 * USD, 1); /* B = 30, A = 28 */
    assert_true(near->cost == (-8 + 28) * (int128_t)USD);
    assert_true(far->cost == -30 * (int128_t)USD);
    world_trade(&d.w, d.j, d.b, d.a, 40 * USD, 1);
    world_trade(&d.w, d.spread, d.b, d.a, USD, 1); /* B = 40, A = 41, sold */
    assert_true(near->cost == (-8 + 28 - 41) * (int128_t)USD);
    assert_true(near->position == 4);
    /* After the session only the settlement price counts. */
    assert_int_equal(world_state(&d.w, d.product, STATE_closed), REJECT_none);
    assert_int_equal(world_state(&d.w, d.product, STATE_open), REJECT_none);
    assert_int_equal(world_settle(&d.w, d.j, 10 * USD), REJECT_none);
    world_trade(&d.w, d.spread, d.a, d.b, 3 * USD, 1); /* B = 10, A = 13 */
    assert_true(near->cost == (-8 + 28 - 41 + 13) * (int128_t)USD);
    const struct event_header *e = NULL;
    const struct event_trade *leg[3];
    int at = 0;
    while ((e = outbox_next(&d.w.out, e)) != NULL) {
        if (e->kind == EVENT_trade && at < 3) leg[at++] = (const void *)e;
    }
    assert_true(leg[0]->instrument == d.spread && leg[0]->kind == TRADE_continuous);
    assert_true(leg[1]->instrument == d.i && leg[1]->kind == TRADE_implied_leg);
    assert_true(leg[2]->instrument == d.j && leg[2]->account[SIDE_buy] == d.b);
    assert_true(leg[2]->price.v == 10 * USD && leg[1]->price.v == 13 * USD);
    world_close(&d.w);
}

/* Each order of an implied trade prints alone, against the clearing house, which ends flat. */
static void implied_prints_net_out(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    struct desk d = desk_open(&terms);
    struct core *c = d.w.c;
    uint32_t x = world_account(&d.w, "x", "o");
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 95 * USD, 3), REJECT_none);
    uint32_t ask = c->s->orders_used;
    assert_int_equal(world_order(&d.w, d.b, d.j, SIDE_buy, 94 * USD, 3), REJECT_none);
    uint32_t bid = c->s->orders_used;
    assert_int_equal(world_order(&d.w, x, d.spread, SIDE_buy, -9 * USD, 3), REJECT_none);
    uint32_t spread = c->s->orders_used;
    c->out = &d.w.out;
    outbox_reset(&d.w.out, d.w.seq, d.w.ts);
    /* Someone buys the spread at 1 from the ask at 95 and the bid at 94. */
    struct trade whole = {.instrument = d.spread, .px = PX(1000), .qty = QTY(2),
                          .order = {spread, NIL}};
    struct trade first = {.instrument = d.i, .px = PX(95000), .qty = QTY(2), .order = {NIL, ask},
                          .maker = {false, true}};
    struct trade second = {.instrument = d.j, .px = PX(94000), .qty = QTY(2), .order = {bid, NIL},
                           .maker = {true, false}};
    novation_trade_legs(c, &whole, PRICE(94 * USD));
    novation_trade(c, &first);
    novation_trade(c, &second);
    assert_int_equal(world_count(&d.w, EVENT_trade), 5);
    assert_int_equal(world_count(&d.w, EVENT_posting), 8);
    assert_int_equal(world_exposure(&d.w, x, d.i)->position, 2);
    assert_int_equal(world_exposure(&d.w, x, d.j)->position, -2);
    assert_int_equal(world_exposure(&d.w, d.a, d.i)->position, -2);
    assert_true(world_exposure(&d.w, x, d.i)->cost == 190 * (int128_t)USD);
    assert_true(world_exposure(&d.w, x, d.j)->cost == -188 * (int128_t)USD);
    assert_int_equal(c->instruments[d.i].open_interest.v, 2);
    assert_int_equal(c->instruments[d.i].last.v, 95 * USD);
    clearing_check(c);
    world_close(&d.w);
}

static struct command fee_terms(void)
{
    struct command terms = world_product_terms("FEE");
    struct command_product_create *p = &terms.product_create;
    p->fee_tier_count = 2;
    p->fee_tiers[0] = (struct fee_tier){QTY(0), MONEY(-200), MONEY(500)}; /* a rebate */
    p->fee_tiers[1] = (struct fee_tier){QTY(10), MONEY(-300), MONEY(400)};
    p->clearing_fee = MONEY(7);
    return terms;
}

static void fees_tiers_and_rebates(void **state)
{
    (void)state;
    struct command terms = fee_terms();
    struct desk d = desk_open(&terms);
    uint32_t fees = d.w.c->s->account_fees;
    world_trade(&d.w, d.i, d.a, d.b, USD, 9); /* a makes, b takes: tier 0 */
    const struct event_trade *t = world_event(&d.w, EVENT_trade);
    assert_int_equal(t->fee[SIDE_buy].v, 9 * (-200 + 7));
    assert_int_equal(t->fee[SIDE_sell].v, 9 * (500 + 7));
    assert_int_equal(ledger_cash(d.w.c, d.a), 9 * 193);
    assert_int_equal(ledger_cash(d.w.c, d.b), -9 * 507);
    assert_int_equal(ledger_cash(d.w.c, fees), 9 * (507 - 193));
    assert_int_equal(d.w.c->accounts[d.b].fees_paid.v, 9 * 507);
    assert_memory_equal(t, &d.w.c->trades[1], sizeof *t);
    world_trade(&d.w, d.i, d.a, d.b, USD, 1); /* 9 lots before it: still tier 0 */
    t = world_event(&d.w, EVENT_trade);
    assert_int_equal(t->fee[SIDE_sell].v, 507);
    world_trade(&d.w, d.i, d.a, d.b, USD, 1); /* from 10 on: tier 1 */
    t = world_event(&d.w, EVENT_trade);
    assert_int_equal(t->fee[SIDE_sell].v, 407);
    assert_int_equal(t->fee[SIDE_buy].v, -293);
    d.w.ts = TS(d.w.ts.v + 27 * NS_PER_DAY); /* 31 January */
    world_trade(&d.w, d.i, d.a, d.b, USD, 1);
    assert_int_equal(((const struct event_trade *)world_event(&d.w, EVENT_trade))->fee[1].v, 407);
    d.w.ts = TS(d.w.ts.v + NS_PER_DAY); /* 1 February: the tiers begin again */
    world_trade(&d.w, d.i, d.a, d.b, USD, 1);
    assert_int_equal(((const struct event_trade *)world_event(&d.w, EVENT_trade))->fee[1].v, 507);
    world_close(&d.w);
}

/* A spread pays the trading fee once and the clearing fee for each leg. */
static void fees_of_spreads(void **state)
{
    (void)state;
    struct command terms = fee_terms();
    struct desk d = desk_open(&terms);
    world_trade(&d.w, d.spread, d.a, d.b, USD, 2);
    assert_int_equal(ledger_cash(d.w.c, d.a), 2 * (200 - 14));
    assert_int_equal(ledger_cash(d.w.c, d.b), -2 * (500 + 14));
    assert_int_equal(d.w.c->accounts[d.a].month_lots.v, 2);
    world_close(&d.w);
}

/* In an auction nobody makes. */
static void fees_in_auctions(void **state)
{
    (void)state;
    struct command terms = fee_terms();
    struct desk d = desk_open(&terms);
    assert_int_equal(world_state(&d.w, d.product, STATE_auction), REJECT_none);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, USD, 2), REJECT_none);
    assert_int_equal(world_order(&d.w, d.b, d.i, SIDE_sell, USD, 2), REJECT_none);
    assert_int_equal(world_state(&d.w, d.product, STATE_open), REJECT_none);
    const struct event_trade *t = world_event(&d.w, EVENT_trade);
    assert_non_null(t);
    assert_int_equal(t->kind, TRADE_auction);
    assert_int_equal(ledger_cash(d.w.c, d.a), -2 * 507);
    assert_int_equal(ledger_cash(d.w.c, d.b), -2 * 507);
    world_close(&d.w);
}

/* Fees that no balance could hold are cut, and nothing breaks. */
static void fees_at_the_bounds(void **state)
{
    (void)state;
    struct command terms = world_product_terms("FEE");
    terms.product_create.fee_tier_count = 1;
    terms.product_create.fee_tiers[0] =
        (struct fee_tier){QTY(0), MONEY(MONEY_MAX), MONEY(MONEY_MAX)};
    terms.product_create.clearing_fee = MONEY(MONEY_MAX);
    struct desk d = desk_open(&terms);
    world_trade(&d.w, d.i, d.a, d.b, USD, QTY_MAX);
    world_trade(&d.w, d.i, d.b, d.a, USD, QTY_MAX);
    assert_int_equal(ledger_cash(d.w.c, d.w.c->s->account_fees), MONEY_MAX);
    assert_int_equal(ledger_cash(d.w.c, d.a) + ledger_cash(d.w.c, d.b), -MONEY_MAX);
    world_close(&d.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_postings),          cmocka_unit_test(entry_price_follows),
        cmocka_unit_test(entry_cost_rounds_half_even),
        cmocka_unit_test(spread_is_held_in_legs), cmocka_unit_test(implied_prints_net_out),
        cmocka_unit_test(fees_tiers_and_rebates),
        cmocka_unit_test(fees_of_spreads),        cmocka_unit_test(fees_in_auctions),
        cmocka_unit_test(fees_at_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
