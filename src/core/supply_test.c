/* supply_test.c: how short an account may be (CERT-03), against every hour counted by itself. */
#include "core/compute_world_test.h"

#include "base/random.h"
#include "core/calendar.h"
#include "core/supply.h"

enum { INSTRUMENTS = 8, CAPACITY = 10, BOUND = 9, LOT = 1000000000 };

static const char *const periods[INSTRUMENTS] = {"2027M03",    "2027M04",    "2027W10",
                                                 "2027W13",    "2027M04-PK", "2027M04-OP",
                                                 "2027Q2",     "2027W13-PK"};

struct bench {
    struct world w;
    struct random random;
    uint32_t alice;
    uint32_t bob;
    uint32_t instrument[INSTRUMENTS];
};

static void certify(struct world *w, const char *name, uint32_t account, int64_t work)
{
    struct command cmd = compute_certificate(w, name, 1, work * LOT, 700);
    assert_int_equal(world_step(w, &cmd, COMMAND_certificate_submit, account), REJECT_none);
}

static void bench_open(struct bench *b, uint64_t seed)
{
    struct core_limits l = core_limits_small();
    *b = (struct bench){.w = world_open(&l), .random = {seed}};
    b->alice = world_account(&b->w, "alice", "alpha");
    b->bob = world_account(&b->w, "bob", "beta");
    assert_int_equal(compute_accredit(&b->w, "first", ROLE_certifier, 1), REJECT_none);
    certify(&b->w, "r0", b->alice, CAPACITY);
    certify(&b->w, "r1", b->bob, 1000000);
    compute_wait(&b->w, 48 * NS_PER_HOUR);
    struct command p = world_product_terms("CTP");
    p.product_create.contract_unit = UNIT_hour;
    p.product_create.contract_size = E6; /* 1 CT an hour */
    p.product_create.settlement = SETTLEMENT_physical;
    p.product_create.delivery = (struct delivery_terms){
        .class = {.vintage = 2026, .grade = GRADE_server, .region = "eu"},
        .grade_e6 = {E6, E6, E6}, .grade_cap_e6 = E6, .margin_seller_e6 = E6,
        .margin_buyer_e6 = E6, .buy_in_e6 = E6, .buy_in_max_e6 = E6, .last_days = 6,
        .position_days = 5, .notice_days = 4, .margin_days = 3, .canary_days = 1, .canary_by = 1,
        .meter_ns = 1, .sign_ns = 1, .buy_in_ns = 1, .challenge_ns = 1, .answer_ns = 1};
    p.product_create.supply.short_share_e6 = 950000; /* of 10: 9.5, of which 9 whole lots */
    uint32_t product = world_product(&b->w, &p);
    for (uint32_t i = 0; i < INSTRUMENTS; i++)
        b->instrument[i] = world_list(&b->w, product, periods[i]);
    assert_int_equal(world_state(&b->w, product, STATE_open), REJECT_none);
}

static bool has_hour(const struct bench *b, uint32_t i, int64_t hour)
{
    struct period p;
    assert_true(calendar_period_read(periods[i], &p));
    if (hour < p.first_hour || hour >= p.end_hour) return false;
    bool peak = calendar_hour_is_peak(hour, 14, 2);
    (void)b;
    return p.block == BLOCK_base || peak == (p.block == BLOCK_peak);
}

/* Every hour of the instrument by itself. */
static bool may_sell(const struct bench *b, uint32_t i, int64_t lots)
{
    struct period p;
    assert_true(calendar_period_read(periods[i], &p));
    for (int64_t hour = p.first_hour; hour < p.end_hour; hour++) {
        int64_t held = lots;
        if (!has_hour(b, i, hour)) continue;
        for (uint32_t k = 0; k < INSTRUMENTS; k++) {
            uint32_t e = exposure_find(b->w.c, b->alice, b->instrument[k]);
            if (e == NIL || !has_hour(b, k, hour)) continue;
            held += b->w.c->exposures[e].open_sells - b->w.c->exposures[e].position;
        }
        if (held > BOUND) return false;
    }
    return true;
}

static void test_every_hour_counts(void **state)
{
    (void)state;
    uint32_t sold = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct bench b;
        bench_open(&b, seed);
        b.w.check_every = 16;
        for (uint32_t n = 0; n < 150; n++) {
            uint32_t i = (uint32_t)random_below(&b.random, INSTRUMENTS);
            int64_t lots = 1 + (int64_t)random_below(&b.random, n < 4 ? 12 : 5);
            if (random_below(&b.random, 3) == 0) {
                assert_int_equal(world_order(&b.w, b.bob, b.instrument[i], SIDE_sell, E6, lots),
                                 REJECT_none);
                assert_int_equal(world_order(&b.w, b.alice, b.instrument[i], SIDE_buy, E6, lots),
                                 REJECT_none);
                continue;
            }
            bool may = may_sell(&b, i, lots), rests = random_below(&b.random, 4) == 0;
            if (may && !rests)
                assert_int_equal(world_order(&b.w, b.bob, b.instrument[i], SIDE_buy, E6, lots),
                                 REJECT_none);
            enum reject reason = world_order(&b.w, b.alice, b.instrument[i], SIDE_sell,
                                             rests ? 2 * E6 : E6, lots);
            assert_int_equal(reason, may ? REJECT_none : REJECT_short_limit);
            sold += may;
            refused += !may;
            struct command cancel = {0};
            if (random_below(&b.random, 8) == 0)
                assert_int_equal(world_step(&b.w, &cancel, COMMAND_cancel_many, b.alice),
                                 REJECT_none);
        }
        core_check(b.w.c);
        world_close(&b.w);
    }
    assert_true(sold > 100 && refused > 100); /* both were looked at */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_hour_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
