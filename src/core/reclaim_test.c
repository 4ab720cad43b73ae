/* reclaim_test.c: a venue lists, trades and expires contracts one after the other, many more than
 * it has room for positions at once; what has expired gives its places back. */
#include "core/reclaim.h"
#include "core/world_test.h"

enum { USD = 1000000, ROUNDS = 60 };

static struct world world_of(uint32_t *product, uint32_t accounts[2])
{
    struct core_limits limits = core_limits_small();
    limits.instruments = ROUNDS + 2;
    limits.exposures = ROUNDS + 8; /* the clearing house's own of each, and a few */
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    terms.product_create.limits = (struct product_limits){.month = QTY(100),
                                                          .all_months = QTY(1000)};
    *product = world_product(&w, &terms);
    accounts[0] = world_account(&w, "a", "m");
    accounts[1] = world_account(&w, "b", "n");
    assert_int_equal(world_state(&w, *product, STATE_open), REJECT_none);
    return w;
}

static void period_of(char name[16], int day)
{
    static const int days[] = {31, 28, 31, 30};
    int month = 0;
    while (day >= days[month]) day -= days[month++];
    char text[] = "2027D0101";
    text[6] = (char)('1' + month);
    text[7] = (char)('0' + (day + 1) / 10);
    text[8] = (char)('0' + (day + 1) % 10);
    memcpy(name, text, sizeof text);
}

static void expired_contracts_give_their_places_back(void **state)
{
    (void)state;
    uint32_t product, accounts[2];
    struct world w = world_of(&product, accounts);
    for (int i = 0; i < ROUNDS; i++) {
        char name[16];
        period_of(name, i);
        uint32_t instrument = world_list(&w, product, name);
        world_trade(&w, instrument, accounts[0], accounts[1], 5 * USD, 3);
        /* an order still works when it expires */
        assert_int_equal(world_order(&w, accounts[0], instrument, SIDE_buy, USD, 2), REJECT_none);
        assert_int_equal(world_settle(&w, instrument, 6 * USD), REJECT_none);
        assert_int_equal(world_expire(&w, instrument), REJECT_none);
        assert_int_equal(exposure_find(w.c, accounts[0], instrument), NIL);
    }
    assert_true(ledger_cash(w.c, accounts[0]) == (int64_t)3 * ROUNDS * USD);
    assert_true(w.c->s->exposures <= ROUNDS + 3);
    assert_int_equal(w.c->limit.s->holding_map_count, 0);
    world_close(&w);
}

static void what_is_held_elsewhere_stays(void **state)
{
    (void)state;
    uint32_t product, accounts[2];
    struct world w = world_of(&product, accounts);
    uint32_t i = world_list(&w, product, "2027M03"), j = world_list(&w, product, "2027M04");
    world_trade(&w, i, accounts[0], accounts[1], 5 * USD, 3);
    world_trade(&w, j, accounts[0], accounts[1], 5 * USD, 4);
    assert_int_equal(world_settle(&w, i, 6 * USD), REJECT_none);
    assert_int_equal(world_expire(&w, i), REJECT_none);
    assert_int_equal(exposure_find(w.c, accounts[0], i), NIL);
    assert_true(world_exposure(&w, accounts[0], j)->position == 4);
    world_trade(&w, j, accounts[1], accounts[0], 5 * USD, 9);
    assert_true(world_exposure(&w, accounts[0], j)->position == -5);
    world_close(&w);
}

/* CLEAR-06: micros are margined with the standard contract of their hours, whose exposure waits for
 * theirs; limits that come in between do not keep it (GUARD-07). */
static void what_leads_waits_for_whom_it_leads(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command set = {.margin_set = {.group = "A", .given = MARGIN_GIVEN_products |
                                                               MARGIN_GIVEN_tiers,
                                         .product_count = 2, .tier_count = 1}};
    uint32_t i[2], accounts[2] = {world_account(&w, "a", "m"), world_account(&w, "b", "n")};
    for (uint32_t p = 0; p < 2; p++) {
        struct command terms = world_product_terms(p == 0 ? "AA" : "AM");
        terms.product_create.margin_model = MARGIN_span;
        uint32_t product = world_product(&w, &terms);
        i[p] = world_list(&w, product, "2027M03");
        set.margin_set.products[p] = (struct margin_product){product, 0, p == 0 ? 10 : 1};
        assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    }
    set.margin_set.tiers[0].price_scan = MONEY(100);
    assert_int_equal(world_step(&w, &set, COMMAND_margin_set, 0), REJECT_none);
    for (int a = 0; a < 2; a++) world_deposit(&w, accounts[a], 100000 * (int64_t)USD);
    for (int p = 0; p < 2; p++) {
        world_trade(&w, i[p], accounts[0], accounts[1], 5 * USD, 3);
        assert_int_equal(world_settle(&w, i[p], 6 * USD), REJECT_none);
    }
    assert_int_equal(world_expire(&w, i[0]), REJECT_none);
    assert_int_not_equal(exposure_find(w.c, accounts[0], i[0]), NIL);
    struct command limit = {.limits_set = {.product = 1, .limits = {.month = QTY(100)}}};
    assert_int_equal(world_step(&w, &limit, COMMAND_limits_set, 0), REJECT_none);
    assert_int_equal(world_expire(&w, i[1]), REJECT_none);
    for (int a = 0; a < 2; a++) {
        for (int p = 0; p < 2; p++) {
            assert_int_equal(exposure_find(w.c, accounts[a], i[p]), NIL);
        }
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_leads_waits_for_whom_it_leads),
        cmocka_unit_test(expired_contracts_give_their_places_back),
        cmocka_unit_test(what_is_held_elsewhere_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
