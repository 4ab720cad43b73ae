/* margin_test.c: CLEAR-08 at entry: flat model, spreads in both legs, collateralised accounts, the
 * bounds beyond which nothing is admitted. */
#include "core/world_test.h"

enum { USD = 1000000 };

struct desk {
    struct world w;
    uint32_t product, i, j, spread, a, b;
};

static struct desk desk_open(struct command *terms, enum account_mode mode)
{
    struct core_limits limits = core_limits_small();
    struct desk d = {.w = world_open(&limits)};
    d.product = world_product(&d.w, terms);
    d.i = world_list(&d.w, d.product, "2027M03");
    d.j = world_list(&d.w, d.product, "2027M04");
    assert_int_equal(world_try_spread(&d.w, d.i, d.j), REJECT_none);
    d.spread = d.w.c->s->instruments;
    assert_int_equal(world_try_account(&d.w, "a", "m", mode), REJECT_none);
    d.a = d.w.c->s->accounts;
    d.b = world_account(&d.w, "b", "n");
    assert_int_equal(world_deposit(&d.w, d.a, 100 * USD), REJECT_none);
    assert_int_equal(world_deposit(&d.w, d.b, INT64_C(1000000) * USD), REJECT_none);
    assert_int_equal(world_state(&d.w, d.product, STATE_open), REJECT_none);
    return d;
}

static int64_t required(const struct desk *d) { return d->w.c->accounts[d->a].requirement.v; }

static void flat_worst_case(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flat_margin = MONEY(10 * USD);
    struct desk d = desk_open(&terms, MODE_margined);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, 5 * USD, 11),
                     REJECT_insufficient_margin);
    const struct event_reject *r = world_event(&d.w, EVENT_reject);
    assert_int_equal(r->detail, 10 * USD); /* what is missing */
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, 5 * USD, 6), REJECT_none);
    assert_int_equal(required(&d), 60 * USD);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 6 * USD, 6), REJECT_none);
    assert_int_equal(required(&d), 60 * USD); /* the worse side alone counts */
    assert_int_equal(world_order(&d.w, d.a, d.j, SIDE_sell, 6 * USD, 5),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.a, d.j, SIDE_sell, 6 * USD, 4), REJECT_none);
    assert_int_equal(required(&d), 100 * USD); /* exactly the cash */
    assert_int_equal(world_order(&d.w, d.b, d.i, SIDE_sell, 5 * USD, 6), REJECT_none);
    assert_int_equal(required(&d), 100 * USD); /* a fill never raises it */
    assert_int_equal(world_exposure(&d.w, d.a, d.i)->position, 6);
    /* Under water, what does not raise the sum still passes. */
    assert_int_equal(world_settle(&d.w, d.i, 0), REJECT_none);
    assert_int_equal(world_mark(&d.w), REJECT_none);
    assert_int_equal(ledger_cash(d.w.c, d.a), 70 * USD);
    assert_true(margin_available(d.w.c, d.a) < 0);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 7 * USD, 6), REJECT_none);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 7 * USD, 1),
                     REJECT_insufficient_margin);
    world_close(&d.w);
}

static void spread_counts_in_both_legs(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flat_margin = MONEY(10 * USD);
    struct desk d = desk_open(&terms, MODE_margined);
    assert_int_equal(world_order(&d.w, d.a, d.spread, SIDE_buy, USD, 6),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.a, d.spread, SIDE_buy, USD, 5), REJECT_none);
    assert_int_equal(required(&d), 100 * USD);
    assert_int_equal(world_exposure(&d.w, d.a, d.i)->open_buys, 5);
    assert_int_equal(world_exposure(&d.w, d.a, d.j)->open_sells, 5);
    assert_int_equal(world_exposure(&d.w, d.a, d.j)->open_buys, 0);
    /* The other way round in each leg: no leg gets worse. */
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 9 * USD, 5), REJECT_none);
    assert_int_equal(world_order(&d.w, d.a, d.j, SIDE_buy, USD, 5), REJECT_none);
    assert_int_equal(world_order(&d.w, d.a, d.j, SIDE_buy, USD, 1), REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.b, d.spread, SIDE_sell, USD, 5), REJECT_none);
    assert_int_equal(world_exposure(&d.w, d.a, d.j)->position, -5);
    assert_int_equal(required(&d), 100 * USD);
    /* Selling the spread closes both legs first, and may turn them over. */
    struct command all = {.cancel_many = {.scope = CANCEL_SCOPE_account}};
    assert_int_equal(world_step(&d.w, &all, COMMAND_cancel_many, d.a), REJECT_none);
    assert_int_equal(world_order(&d.w, d.a, d.spread, SIDE_buy, USD, 1),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.a, d.spread, SIDE_sell, 9 * USD, 11),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.a, d.spread, SIDE_sell, 9 * USD, 10), REJECT_none);
    assert_int_equal(required(&d), 100 * USD);
    world_close(&d.w);
}

static void collateralised_pays_in_full(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flags = PRODUCT_FLAG_HAS_FLOOR;
    terms.product_create.contract_size = 2 * USD;
    struct desk d = desk_open(&terms, MODE_collateralised);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, 10 * USD, 6),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, 10 * USD, 4), REJECT_none);
    assert_int_equal(required(&d), 80 * USD);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 20 * USD, 1),
                     REJECT_insufficient_margin); /* a short */
    assert_int_equal(world_order(&d.w, d.a, d.spread, SIDE_buy, USD, 1),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.b, d.i, SIDE_sell, 9 * USD, 3), REJECT_none);
    assert_int_equal(required(&d), 80 * USD); /* 3 bought at 10, 1 still works */
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 20 * USD, 2), REJECT_none);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 21 * USD, 2),
                     REJECT_insufficient_margin); /* 2 of 3 are being sold already */
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, 21 * USD, 1), REJECT_none);
    assert_int_equal(world_order(&d.w, d.b, d.i, SIDE_buy, 20 * USD, 2), REJECT_none);
    /* 1 long left; bought for 30, sold for 40: nothing more can be lost on it. */
    assert_int_equal(required(&d), 20 * USD);
    assert_int_equal(world_settle(&d.w, d.i, 10 * USD), REJECT_none);
    assert_int_equal(world_mark(&d.w), REJECT_none);
    assert_int_equal(ledger_cash(d.w.c, d.a), 140 * USD); /* +10 +10 +0, twice */
    assert_int_equal(required(&d), 40 * USD);             /* 1 x 10 held, 1 x 10 works */
    /* A mark moves cash and reserve alike. */
    assert_int_equal(world_settle(&d.w, d.i, 4 * USD), REJECT_none);
    assert_int_equal(world_mark(&d.w), REJECT_none);
    assert_int_equal(ledger_cash(d.w.c, d.a), 128 * USD);
    assert_int_equal(required(&d), 28 * USD);
    world_close(&d.w);
}

/* What a summary shows: equity with what is not yet marked, margin with and without orders. */
static void summary_of_an_account(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flat_margin = MONEY(10 * USD);
    struct desk d = desk_open(&terms, MODE_margined);
    world_trade(&d.w, d.i, d.a, d.b, 5 * USD, 3);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, 4 * USD, 2), REJECT_none);
    assert_int_equal(world_settle(&d.w, d.i, 3 * USD), REJECT_none);
    outbox_reset(&d.w.out, d.w.seq, d.w.ts);
    event_account_push(d.w.c, &d.w.out, d.a);
    const struct event_account *e = world_event(&d.w, EVENT_account);
    assert_int_equal(e->cash.v, 100 * USD);
    assert_int_equal(e->unrealised.v, -6 * USD);
    assert_int_equal(e->equity.v, 94 * USD);
    assert_int_equal(e->initial_margin.v, 50 * USD);
    assert_int_equal(e->maintenance_margin.v, 30 * USD);
    assert_int_equal(e->available.v, 50 * USD);
    world_close(&d.w);
}

/* What is repriced later is admitted at its worst: a stop with the product's protection; a peg,
 * which has no worst, not at all. */
static void collateralised_counts_the_worst(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flags = PRODUCT_FLAG_HAS_FLOOR | PRODUCT_FLAG_HAS_PROTECTION;
    terms.product_create.protection = PRICE(40 * USD);
    struct desk d = desk_open(&terms, MODE_collateralised);
    struct command stop = {.order_new = {
        .instrument = d.i, .side = SIDE_buy, .type = ORDER_TYPE_stop_market,
        .flags = ORDER_FLAG_HAS_QTY | ORDER_FLAG_HAS_TRIGGER, .trigger = PRICE(10 * USD),
        .qty = QTY(3)}};
    assert_int_equal(world_step(&d.w, &stop, COMMAND_order_new, d.a), REJECT_insufficient_margin);
    stop.order_new.qty = QTY(2);
    assert_int_equal(world_step(&d.w, &stop, COMMAND_order_new, d.a), REJECT_none);
    assert_int_equal(required(&d), 100 * USD);
    world_trade(&d.w, d.i, d.b, d.b, 10 * USD, 1); /* elects it */
    assert_int_equal(required(&d), 100 * USD);
    struct command peg = {.order_new = {
        .instrument = d.i, .side = SIDE_buy, .type = ORDER_TYPE_pegged, .peg = PEG_primary,
        .flags = ORDER_FLAG_HAS_QTY, .qty = QTY(1)}};
    assert_int_equal(world_deposit(&d.w, d.a, 1000 * (int64_t)USD), REJECT_none);
    assert_int_equal(world_step(&d.w, &peg, COMMAND_order_new, d.a), REJECT_insufficient_margin);
    world_close(&d.w);
}

static void collateralised_needs_a_floor(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    struct desk d = desk_open(&terms, MODE_collateralised);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, USD, 1), REJECT_insufficient_margin);
    world_close(&d.w);
    terms.product_create.flags = PRODUCT_FLAG_HAS_FLOOR;
    terms.product_create.floor = PRICE(-1);
    d = desk_open(&terms, MODE_collateralised);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, USD, 1), REJECT_insufficient_margin);
    world_close(&d.w);
}

static void bounds_are_refused(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flat_margin = MONEY(MONEY_MAX);
    struct desk d = desk_open(&terms, MODE_margined);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, USD, QTY_MAX),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, USD, 2), REJECT_insufficient_margin);
    world_close(&d.w);
    /* Without margin: lots are bounded all the same, and costs until they are marked. */
    terms.product_create.flat_margin = MONEY(0);
    d = desk_open(&terms, MODE_margined);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, PRICE_MAX, QTY_MAX), REJECT_none);
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, PRICE_MAX, 1),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&d.w, d.b, d.i, SIDE_sell, PRICE_MAX, QTY_MAX), REJECT_none);
    d.w.c->exposures[exposure_find(d.w.c, d.a, d.i)].cost = MARGIN_COST_MAX + 1;
    d.w.check_every = 0;
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_sell, PRICE_MAX, 1),
                     REJECT_insufficient_margin);
    world_close(&d.w);
}

/* Requirement grows with every lot that works and shrinks with every lot that leaves, whatever the
 * position: random walks over one exposure against the rule as written. */
static void margin_is_monotone(void **state)
{
    (void)state;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flat_margin = MONEY(3);
    struct desk d = desk_open(&terms, MODE_margined);
    struct core *c = d.w.c;
    assert_int_equal(world_order(&d.w, d.a, d.i, SIDE_buy, USD, 1), REJECT_none);
    uint32_t e = exposure_find(c, d.a, d.i);
    struct exposure *x = &c->exposures[e];
    struct random r = {.state = 11};
    for (int at = 0; at < 100000; at++) {
        x->position = (int64_t)random_below(&r, 2001) - 1000;
        margin_update(c, e);
        enum side side = random_below(&r, 2) == 0 ? SIDE_buy : SIDE_sell;
        int64_t open = side == SIDE_buy ? x->open_buys : x->open_sells;
        int64_t lots = (int64_t)random_below(&r, 100) + 1;
        bool adds = open < lots || random_below(&r, 2) == 0;
        int64_t before = x->requirement.v;
        margin_work(c, d.i, e, NIL, side, PRICE(USD), adds ? lots : -lots);
        assert_true(adds ? x->requirement.v >= before : x->requirement.v <= before);
        int64_t up = x->position + x->open_buys, down = x->position - x->open_sells;
        int64_t worst = int64_max(up < 0 ? -up : up, down < 0 ? -down : down);
        assert_int_equal(x->requirement.v, worst * 3);
        assert_int_equal(c->accounts[d.a].requirement.v, worst * 3);
        if (x->open_buys < 1) continue;
        /* A fill moves a working lot into the position: never more. */
        before = x->requirement.v;
        margin_work(c, d.i, e, NIL, SIDE_buy, PRICE(USD), -1);
        x->position += 1;
        margin_update(c, e);
        assert_true(x->requirement.v <= before);
    }
    world_close(&d.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_worst_case),
        cmocka_unit_test(spread_counts_in_both_legs),
        cmocka_unit_test(collateralised_pays_in_full),
        cmocka_unit_test(summary_of_an_account),
        cmocka_unit_test(collateralised_counts_the_worst),
        cmocka_unit_test(collateralised_needs_a_floor),
        cmocka_unit_test(bounds_are_refused),
        cmocka_unit_test(margin_is_monotone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
