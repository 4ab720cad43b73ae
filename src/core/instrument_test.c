/* instrument_test.c: products, instruments, spreads, as listed and as refused. */
#include "core/calendar.h"
#include "core/world_test.h"

static const struct event_instrument *listed(const struct world *w)
{
    const struct event_instrument *e = world_event(w, EVENT_instrument);
    assert_non_null(e);
    return e;
}

static void product_refusals(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.products = 2;
    struct world w = world_open(&limits);
    const char *const names[] = {"", "zz", "Z Z", "Z-Z", "Z:Z", "\xc3\x9c"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct command cmd = world_product_terms(names[i]);
        assert_int_equal(world_step(&w, &cmd, COMMAND_product_create, 0),
                         REJECT_malformed_request);
    }
#define REFUSED(field, value, reason)                                                             \
    do {                                                                                          \
        struct command cmd = world_product_terms("ZZ");                                           \
        cmd.product_create.field = value;                                                         \
        assert_int_equal(world_step(&w, &cmd, COMMAND_product_create, 0), reason);                \
    } while (0)
    REFUSED(tick, PRICE(0), REJECT_malformed_request);
    REFUSED(tick, PRICE(-1), REJECT_malformed_request);
    REFUSED(contract_size, 0, REJECT_malformed_request);
    REFUSED(contract_size, -E6, REJECT_malformed_request);
    REFUSED(kind, 1, REJECT_malformed_request);
    REFUSED(flags, 1u << 20, REJECT_malformed_request);
    REFUSED(flat_margin, MONEY(-1), REJECT_malformed_request);
    REFUSED(clearing_fee, MONEY(-1), REJECT_malformed_request);
    REFUSED(fifo_share_e6, E6 + 1, REJECT_malformed_request);
    REFUSED(qty_max, QTY(-1), REJECT_malformed_request);
    REFUSED(qty_max, QTY(QTY_MAX + 1), REJECT_malformed_request);
    REFUSED(band, PRICE(-1), REJECT_malformed_request);
    REFUSED(floor, PRICE(INT64_MIN), REJECT_malformed_request);
    REFUSED(lmm_count, 1, REJECT_unknown_account);
#undef REFUSED
    struct command tiers = world_product_terms("ZZ");
    tiers.product_create.fee_tier_count = 2;
    tiers.product_create.fee_tiers[1].from = QTY(0);
    assert_int_equal(world_step(&w, &tiers, COMMAND_product_create, 0), REJECT_malformed_request);
    tiers.product_create.fee_tiers[0].from = QTY(5);
    tiers.product_create.fee_tiers[1].from = QTY(10);
    assert_int_equal(world_step(&w, &tiers, COMMAND_product_create, 0), REJECT_malformed_request);
    assert_int_equal(w.c->s->products, 0);
    struct command ok = world_product_terms("ZZ_9");
    (void)world_product(&w, &ok);
    const struct event_product *e = world_event(&w, EVENT_product);
    assert_true(e->id == 1 && e->state == STATE_closed);
    assert_memory_equal(&e->terms, &ok.product_create, sizeof e->terms);
    assert_int_equal(world_step(&w, &ok, COMMAND_product_create, 0), REJECT_already_exists);
    struct command second = world_product_terms("ABCDEFGHIJKLMNO");
    (void)world_product(&w, &second);
    struct command third = world_product_terms("THIRD");
    assert_int_equal(world_step(&w, &third, COMMAND_product_create, 0), REJECT_capacity_exhausted);
    world_close(&w);
}

static void instrument_terms(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command block = world_product_terms("CTP");
    block.product_create.contract_unit = UNIT_hour;
    block.product_create.contract_size = 10 * E6;
    uint32_t ctp = world_product(&w, &block);
    struct command lot = world_product_terms("ZZ");
    uint32_t zz = world_product(&w, &lot);
    (void)world_list(&w, ctp, "2027M04");
    const struct event_instrument *e = listed(&w);
    assert_string_equal(e->name, "CTP-2027M04");
    assert_true(e->hours == 720 && e->contract_size == 7200 * E6); /* a 30-day Base */
    assert_true(e->start.v == TS(INT64_C(1806537600) * NS_PER_SECOND).v); /* 2027-04-01 */
    assert_true(e->end.v == e->start.v + 720 * NS_PER_HOUR && e->expires_at.v == e->end.v);
    assert_true(e->period == PERIOD_month && e->block == BLOCK_base && e->is_spread == 0);
    (void)world_list(&w, ctp, "2027W09-PK");
    e = listed(&w);
    assert_string_equal(e->name, "CTP-2027W09-PK");
    assert_true(e->hours == 60 && e->contract_size == 600 * E6 && e->block == BLOCK_peak);
    (void)world_list(&w, zz, "2027M04");
    e = listed(&w);
    assert_true(e->hours == 720 && e->contract_size == E6);
    assert_int_equal(world_try_list(&w, zz, "2027M04"), REJECT_already_exists);
    assert_int_equal(world_try_list(&w, ctp, "2027D0307-PK"), REJECT_malformed_request);
    assert_int_equal(world_try_list(&w, ctp, "2027M13"), REJECT_malformed_request);
    assert_int_equal(world_try_list(&w, 3, "2027M13"), REJECT_malformed_request);
    assert_int_equal(world_try_list(&w, 3, "2027M03"), REJECT_unknown_product);
    assert_int_equal(world_try_list(&w, 0, "2027M03"), REJECT_unknown_product);
    struct command given = {.instrument_list = {.product = zz, .period = "2027M05",
                                                .expires_at = w.ts}};
    assert_int_equal(world_step(&w, &given, COMMAND_instrument_list, 0), REJECT_expired_time);
    given.instrument_list.expires_at = TS(w.ts.v + 1);
    assert_int_equal(world_step(&w, &given, COMMAND_instrument_list, 0), REJECT_none);
    assert_int_equal(listed(&w)->expires_at.v, w.ts.v + 1);
    struct command huge = world_product_terms("HUGE");
    huge.product_create.contract_unit = UNIT_hour;
    huge.product_create.contract_size = MONEY_MAX / 700;
    uint32_t big = world_product(&w, &huge);
    assert_int_equal(world_try_list(&w, big, "2027M04"), REJECT_amount_overflow);
    assert_int_equal(world_try_list(&w, big, "2027D0401"), REJECT_none);
    world_close(&w);
}

static void spread_terms(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command ctf = world_product_terms("CTF"), ctp = world_product_terms("CTP");
    ctp.product_create.tick = PRICE(5000);
    uint32_t f = world_product(&w, &ctf), p = world_product(&w, &ctp);
    uint32_t f3 = world_list(&w, f, "2027M03"), f4 = world_list(&w, f, "2027M04");
    uint32_t p3 = world_list(&w, p, "2027M03");
    assert_int_equal(world_try_spread(&w, f3, f4), REJECT_none);
    const struct event_instrument *e = listed(&w);
    uint32_t first = e->id;
    assert_string_equal(e->name, "CTF-2027M03:2027M04");
    assert_true(e->is_spread == 1 && e->legs[0] == f3 && e->legs[1] == f4);
    assert_true(e->period == PERIOD_none && e->product == f && e->tick.v == 1000);
    assert_int_equal(world_try_spread(&w, p3, f3), REJECT_none);
    e = listed(&w);
    uint32_t second = e->id;
    assert_string_equal(e->name, "CTP-2027M03:CTF-2027M03");
    assert_true(e->period == PERIOD_month && e->product == p && e->tick.v == 5000);
    /* Both legs know their spreads, in listing order. */
    uint32_t ref = w.c->instruments[f3].spread_first;
    assert_int_equal(w.c->spread_refs[ref].spread, first);
    ref = w.c->spread_refs[ref].next;
    assert_int_equal(w.c->spread_refs[ref].spread, second);
    assert_int_equal(w.c->spread_refs[ref].next, NIL);
    assert_int_equal(world_try_spread(&w, f3, f4), REJECT_already_exists);
    assert_int_equal(world_try_spread(&w, f3, f3), REJECT_malformed_request);
    assert_int_equal(world_try_spread(&w, first, f3), REJECT_malformed_request);
    assert_int_equal(world_try_spread(&w, f3, 99), REJECT_unknown_instrument);
    static const int32_t not_ratios[][2] = {{2, -2}, {0, -1}, {1, 1}, {-1, 1}, {1, 0}, {1, -1001}};
    for (size_t i = 0; i < sizeof not_ratios / sizeof not_ratios[0]; i++) {
        struct command cmd = {.spread_list = {.legs = {f4, f3}}};
        memcpy(cmd.spread_list.ratios, not_ratios[i], sizeof cmd.spread_list.ratios);
        assert_int_equal(world_step(&w, &cmd, COMMAND_spread_list, 0), REJECT_malformed_request);
    }
    world_close(&w);
}

static void longest_names_fit(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command a = world_product_terms("ABCDEFGHIJKLMNO");
    struct command b = world_product_terms("OOOOOOOOOOOOOOO");
    uint32_t pa = world_product(&w, &a), pb = world_product(&w, &b);
    uint32_t ia = world_list(&w, pa, "2027D0315H14-PK"), ib = world_list(&w, pb, "2027D0315H14-PK");
    assert_int_equal(world_try_spread(&w, ia, ib), REJECT_none);
    assert_string_equal(listed(&w)->name,
                        "ABCDEFGHIJKLMNO-2027D0315H14-PK:OOOOOOOOOOOOOOO-2027D0315H14-PK");
    world_close(&w);
}

static void capacity_is_a_reject(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.instruments = 2;
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    uint32_t p = world_product(&w, &terms);
    uint32_t i = world_list(&w, p, "2027M03"), j = world_list(&w, p, "2027M04");
    assert_int_equal(world_try_list(&w, p, "2027M05"), REJECT_capacity_exhausted);
    assert_int_equal(world_try_spread(&w, i, j), REJECT_capacity_exhausted);
    world_close(&w);
    limits.instruments = 16;
    limits.exposures = 1;
    w = world_open(&limits);
    p = world_product(&w, &terms);
    (void)world_list(&w, p, "2027M03");
    assert_int_equal(world_try_list(&w, p, "2027M05"), REJECT_capacity_exhausted);
    world_close(&w);
}

/* Who has expired, in whatever order, leaves the list of those that live; its name stays taken and
 * finds it. */
static void names_outlive_contracts(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    uint32_t p = world_product(&w, &terms), id[4];
    static const char *const months[4] = {"2027M03", "2027M04", "2027M05", "2027M06"};
    static const uint8_t order[4] = {1, 3, 0, 2};
    static const uint8_t firsts[4] = {0, 0, 2, 4}; /* of those that live, after each */
    for (int i = 0; i < 4; i++) id[i] = world_list(&w, p, months[i]);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(world_expire(&w, id[order[i]]), REJECT_none);
        assert_int_equal(w.c->s->live_first, firsts[i] == 4 ? NIL : id[firsts[i]]);
    }
    for (int i = 0; i < 4; i++) {
        struct period period;
        assert_true(calendar_period_read(months[i], &period));
        assert_int_equal(instrument_find(w.c, p, &period), id[i]);
        assert_int_equal(world_try_list(&w, p, months[i]), REJECT_already_exists);
    }
    uint32_t next = world_list(&w, p, "2027M07");
    assert_int_equal(w.c->s->live_first, next);
    assert_int_equal(w.c->s->live_last, next);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product_refusals), cmocka_unit_test(instrument_terms),
        cmocka_unit_test(spread_terms),     cmocka_unit_test(longest_names_fit),
        cmocka_unit_test(capacity_is_a_reject), cmocka_unit_test(names_outlive_contracts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
