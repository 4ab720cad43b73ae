/* settle_test.c: settlement prices, mark-to-market against a published example, rounding, overflow,
 * expiry (CLEAR-03, CLEAR-04). */
#include "core/world_test.h"

enum { USD = 1000000 };

/* Short 1 contract of 125,000 at 1.3140 with a balance of 1,700: the published example. */
static void mark_published_example(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("EURFX");
    terms.product_create.tick = PRICE(100);
    terms.product_create.contract_size = INT64_C(125000) * USD;
    uint32_t product = world_product(&w, &terms);
    uint32_t i = world_list(&w, product, "2027M03");
    uint32_t shorty = world_account(&w, "short", "alpha");
    uint32_t other = world_account(&w, "long", "beta");
    assert_int_equal(world_deposit(&w, shorty, INT64_C(1700) * USD), REJECT_none);
    assert_int_equal(world_deposit(&w, other, INT64_C(5000) * USD), REJECT_none);
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    world_trade(&w, i, other, shorty, 1314000, 1);
    assert_int_equal(world_mark(&w), REJECT_none); /* no settlement price: nothing moves */
    assert_int_equal(ledger_cash(w.c, shorty), INT64_C(1700) * USD);
    const int64_t prices[] = {1314000, 1312600, 1313300, 1304900};
    const int64_t balances[] = {1700000000, 1875000000, 1787500000, 2837500000};
    for (int at = 0; at < 4; at++) {
        assert_int_equal(world_settle(&w, i, prices[at]), REJECT_none);
        assert_int_equal(world_mark(&w), REJECT_none);
        assert_int_equal(ledger_cash(w.c, shorty), balances[at]);
    }
    assert_int_equal(ledger_cash(w.c, other), (INT64_C(5000) + 1700) * USD - balances[3]);
    assert_int_equal(world_exposure(&w, shorty, i)->realised.v, 1137500000);
    assert_int_equal(world_mark(&w), REJECT_none); /* again: nothing more */
    assert_int_equal(world_count(&w, EVENT_posting), 0);
    world_close(&w);
}

/* One linked chain that nets to zero, the clearing house flat, the rest to the rounding account. */
static void mark_rounds_and_conserves(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ODD");
    terms.product_create.tick = PRICE(1);
    terms.product_create.contract_size = 500000; /* half a dollar: half micro-dollars appear */
    uint32_t product = world_product(&w, &terms);
    uint32_t i = world_list(&w, product, "2027M03");
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m"),
             d = world_account(&w, "d", "m");
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    world_trade(&w, i, a, d, 100, 1);
    world_trade(&w, i, b, d, 100, 1);
    assert_int_equal(world_settle(&w, i, 103), REJECT_none);
    assert_int_equal(world_mark(&w), REJECT_none);
    /* a and b gain 1.5 each, half-even 2; d loses 3: rounding pays 1. */
    assert_int_equal(ledger_cash(w.c, a), 2);
    assert_int_equal(ledger_cash(w.c, b), 2);
    assert_int_equal(ledger_cash(w.c, d), -3);
    assert_int_equal(ledger_cash(w.c, w.c->s->account_rounding), -1);
    assert_int_equal(ledger_cash(w.c, w.c->s->account_ccp), 0);
    const struct event_header *e = NULL;
    uint64_t chain = 0;
    int64_t sum = 0;
    while ((e = outbox_next(&w.out, e)) != NULL) {
        if (e->kind != EVENT_posting) continue;
        const struct event_posting *p = (const void *)e;
        if (chain == 0) chain = p->chain_id;
        assert_int_equal(p->chain_id, chain);
        sum += p->amount;
    }
    assert_int_equal(sum, 0);
    /* 102.5 for everyone once more: 0.5 rounds to 0 for a and b, and 1 for d; all is re-based. */
    assert_int_equal(world_settle(&w, i, 102), REJECT_none);
    assert_int_equal(world_mark(&w), REJECT_none);
    assert_int_equal(ledger_cash(w.c, a), 2);
    assert_int_equal(ledger_cash(w.c, d), -2);
    assert_int_equal(ledger_cash(w.c, w.c->s->account_rounding), -2);
    assert_true(world_exposure(&w, a, i)->cost == 102);
    world_close(&w);
}

static void settlement_price_bounds(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    uint32_t i = world_list(&w, world_product(&w, &terms), "2027M03");
    assert_int_equal(world_settle(&w, 0, 1), REJECT_unknown_instrument);
    assert_int_equal(world_settle(&w, i + 1, 1), REJECT_unknown_instrument);
    assert_int_equal(world_settle(&w, i, PRICE_MAX + 1), REJECT_invalid_price);
    assert_int_equal(world_settle(&w, i, -PRICE_MAX - 1), REJECT_invalid_price);
    assert_int_equal(world_settle(&w, i, INT64_MIN), REJECT_invalid_price);
    assert_int_equal(world_settle(&w, i, -PRICE_MAX), REJECT_none);
    assert_int_equal(world_settle(&w, i, 37630123), REJECT_none); /* off the tick: any value */
    const struct event_settlement *e = world_event(&w, EVENT_settlement);
    assert_int_equal(e->price.v, 37630123);
    assert_int_equal(e->id, 2);
    assert_int_equal(price_mark(w.c, i).v, 37630123);
    world_close(&w);
}

/* CLEAR-04: a mark that does not fit is refused, and nothing has changed. */
static void mark_overflow_changes_nothing(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("BIG");
    terms.product_create.contract_size = INT64_C(1000000) * USD;
    uint32_t product = world_product(&w, &terms);
    uint32_t i = world_list(&w, product, "2027M03"), j = world_list(&w, product, "2027M04");
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    world_trade(&w, i, a, b, 0, 1);
    world_trade(&w, j, a, b, 0, 1000000000);
    assert_int_equal(world_settle(&w, i, USD), REJECT_none);
    assert_int_equal(world_settle(&w, j, PRICE_MAX), REJECT_none);
    uint64_t postings = w.c->s->posting_id;
    assert_int_equal(world_mark(&w), REJECT_amount_overflow);
    assert_int_equal(w.c->s->posting_id, postings);
    assert_int_equal(ledger_cash(w.c, a), 0);
    assert_true(world_exposure(&w, a, i)->cost == 0);
    assert_int_equal(world_expire(&w, j), REJECT_amount_overflow);
    assert_int_equal(w.c->instruments[j].terms.expired, 0);
    assert_int_equal(world_settle(&w, j, 1000), REJECT_none);
    assert_int_equal(world_mark(&w), REJECT_none);
    assert_int_equal(ledger_cash(w.c, a), INT64_C(1000000) * USD + INT64_C(1000000000000) * USD);
    world_close(&w);
}

/* Each account could bear it, but not the clearing house in between. */
static void mark_overflow_in_sum(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("BIG");
    uint32_t product = world_product(&w, &terms);
    uint32_t i = world_list(&w, product, "2027M03");
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    const char *const names[] = {"a", "b", "c", "d"};
    uint32_t account[4];
    for (int at = 0; at < 4; at++) account[at] = world_account(&w, names[at], "m");
    world_trade(&w, i, account[0], account[1], 0, 2500000000000);
    world_trade(&w, i, account[2], account[3], 0, 2500000000000);
    assert_int_equal(world_settle(&w, i, USD), REJECT_none);
    assert_int_equal(world_mark(&w), REJECT_amount_overflow);
    assert_int_equal(world_settle(&w, i, USD / 10), REJECT_none);
    assert_int_equal(world_mark(&w), REJECT_none);
    assert_int_equal(ledger_cash(w.c, account[3]), INT64_C(-250000000000) * USD);
    world_close(&w);
}

static void expire_settles_and_closes(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flat_margin = MONEY(10 * USD);
    uint32_t product = world_product(&w, &terms);
    uint32_t i = world_list(&w, product, "2027M03"), j = world_list(&w, product, "2027M04");
    assert_int_equal(world_try_spread(&w, i, j), REJECT_none);
    uint32_t spread = w.c->s->instruments;
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    assert_int_equal(world_deposit(&w, a, INT64_C(1000) * USD), REJECT_none);
    assert_int_equal(world_deposit(&w, b, INT64_C(1000) * USD), REJECT_none);
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    world_trade(&w, i, a, b, 5 * USD, 4);
    assert_int_equal(world_order(&w, a, i, SIDE_sell, 7 * USD, 2), REJECT_none);
    assert_int_equal(world_order(&w, a, j, SIDE_sell, 7 * USD, 2), REJECT_none);
    assert_int_equal(world_order(&w, b, spread, SIDE_buy, -USD, 3), REJECT_none);
    assert_int_equal(world_expire(&w, 0), REJECT_unknown_instrument);
    assert_int_equal(world_expire(&w, i), REJECT_no_settlement_price);
    assert_int_equal(world_settle(&w, i, 6500000), REJECT_none);
    assert_int_equal(world_expire(&w, i), REJECT_none);
    assert_int_equal(world_count(&w, EVENT_order), 2); /* its own order and the spread's */
    assert_int_equal(world_count(&w, EVENT_instrument), 2);
    const struct event_settlement *e = world_event(&w, EVENT_settlement);
    assert_true(e->final == 1 && e->price.v == 6500000);
    assert_int_equal(ledger_cash(w.c, a), INT64_C(1006) * USD);
    assert_int_equal(ledger_cash(w.c, b), INT64_C(994) * USD);
    assert_int_equal(world_exposure(&w, a, i)->position, 0);
    assert_int_equal(w.c->accounts[b].requirement.v, 0);
    assert_int_equal(w.c->accounts[a].requirement.v, 20 * USD); /* the order in the other month */
    assert_int_equal(w.c->instruments[i].terms.expired, 1);
    assert_int_equal(w.c->instruments[spread].terms.expired, 1);
    assert_int_equal(world_expire(&w, i), REJECT_instrument_expired);
    assert_int_equal(world_settle(&w, i, USD), REJECT_instrument_expired);
    assert_int_equal(world_order(&w, a, i, SIDE_buy, USD, 1), REJECT_instrument_expired);
    assert_int_equal(world_order(&w, a, spread, SIDE_buy, USD, 1), REJECT_instrument_expired);
    assert_int_equal(world_try_spread(&w, i, j), REJECT_already_exists);
    assert_int_equal(world_try_spread(&w, j, i), REJECT_instrument_expired);
    world_close(&w);
}

/* Closed positions are owed what they gained, with or without a settlement price. */
static void expire_pays_closed_positions(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    uint32_t product = world_product(&w, &terms);
    uint32_t i = world_list(&w, product, "2027M03");
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    world_trade(&w, i, a, b, 5 * USD, 4);
    world_trade(&w, i, b, a, 6 * USD, 4);
    assert_int_equal(world_exposure(&w, a, i)->position, 0);
    assert_int_equal(world_expire(&w, i), REJECT_none);
    assert_null(world_event(&w, EVENT_settlement));
    assert_int_equal(ledger_cash(w.c, a), 4 * USD);
    assert_int_equal(ledger_cash(w.c, b), -4 * USD);
    assert_int_equal(w.c->instruments[i].terms.expired, 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mark_published_example),
        cmocka_unit_test(mark_rounds_and_conserves),
        cmocka_unit_test(settlement_price_bounds),
        cmocka_unit_test(mark_overflow_changes_nothing),
        cmocka_unit_test(mark_overflow_in_sum),
        cmocka_unit_test(expire_settles_and_closes),
        cmocka_unit_test(expire_pays_closed_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
