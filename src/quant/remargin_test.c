/* remargin_test.c: many accounts at once give what one by one gives, whatever the threads and the
 * processor's vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "quant/remargin.h"
#include "quant/remargin_kernel.h"
#include "quant/shortfall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INSTRUMENTS = 23, MOVES = 777, STRESSED = 25, ACCOUNTS = 1003, HELD_MAX = 12 };

static struct stress_set stress = {.count = STRESSED};
static struct risk_instrument instruments[INSTRUMENTS];
static double z[INSTRUMENTS * MOVES], shock[INSTRUMENTS * STRESSED];
static struct position positions[ACCOUNTS * HELD_MAX];
static uint32_t first[ACCOUNTS + 1];
static int64_t credits[ACCOUNTS];
static struct risk risk;

static double unit(struct random *r) { return (double)random_below(r, 1 << 20) / (1 << 20); }

static void make(struct random *r, bool equal)
{
    for (uint32_t i = 0; i < INSTRUMENTS; i++)
        instruments[i] = (struct risk_instrument){
            .product = i / 3 * 3, .contract_size = 10 + unit(r) * 100, .half_spread = unit(r),
            .adv = 50 + unit(r) * 5000, .floor_share = 0.02, .floor_ct = 0.01,
            .ct_per_lot = unit(r) * 100, .delivery = i % 7 == 0 ? 3 : 0, .price = 20 * unit(r),
            .scale = 5 + 20 * unit(r), .sigma = 0.005 + 0.03 * unit(r),
            .sigma_long = 0.01 + 0.02 * unit(r)};
    for (uint32_t i = 0; i < INSTRUMENTS * MOVES; i++)
        z[i] = equal ? (double)random_below(r, 3) - 1
                     : (unit(r) + unit(r) + unit(r) - 1.5) * (random_below(r, 50) == 0 ? 6 : 2);
    for (uint32_t i = 0; i < INSTRUMENTS * STRESSED; i++) shock[i] = 10 * unit(r) - 5;
    risk = (struct risk){.method = {.tail_ppm = 10000, .stress_weight_ppm = 250000,
                                    .offset_max_ppm = 800000, .participation = 0.15,
                                    .horizon = 2, .window = MOVES},
                         .stress = &stress, .instruments = instruments, .count = INSTRUMENTS,
                         .scenarios = MOVES, .z = z, .stressed = STRESSED, .shock = shock};
    uint32_t at = 0;
    for (uint32_t a = 0; a < ACCOUNTS; a++) {
        uint32_t count = (uint32_t)random_below(r, HELD_MAX + 1), i = 0;
        first[a] = at;
        credits[a] = random_below(r, 3) == 0 ? (int64_t)random_below(r, 2000000000) : 0;
        for (uint32_t k = 0; k < count && i < INSTRUMENTS; k++, i += 1 + (uint32_t)unit(r) * 3)
            positions[at++] = (struct position){.account = a, .instrument = i,
                                                .lots = (int64_t)random_below(r, 400) - 200};
    }
    first[ACCOUNTS] = at;
}

static void same(int64_t a, int64_t b)
{
    if (llabs(a - b) > 2) fail_msg("%lld is not %lld", (long long)a, (long long)b);
}

static void compare(bool equal, uint32_t tail_ppm, uint64_t seed)
{
    static struct requirement many[ACCOUNTS], threaded[ACCOUNTS];
    struct random r = {seed};
    struct requirement_work work = {0};
    struct quant_error error = {0};
    make(&r, equal);
    risk.method.tail_ppm = tail_ppm;
    struct remargin m = {.risk = &risk, .positions = positions, .first = first,
                         .accounts = ACCOUNTS, .credits = credits, .threads = 1};
    assert_int_equal(requirement_work_open(&work, &risk, &error), 0);
    assert_int_equal(remargin_run(&m, many, &error), 0);
    m.threads = 3;
    assert_int_equal(remargin_run(&m, threaded, &error), 0);
    assert_memory_equal(many, threaded, sizeof many);
    for (uint32_t a = 0; a < ACCOUNTS; a++) {
        struct requirement q;
        assert_int_equal(requirement_compute(&risk, &positions[first[a]], first[a + 1] - first[a],
                                             credits[a], &work, &q, &error), 0);
        const struct measure *x[] = {&q.filtered, &q.stressed, &q.long_run};
        const struct measure *y[] = {&many[a].filtered, &many[a].stressed, &many[a].long_run};
        for (int i = 0; i < 3; i++) {
            same(x[i]->joint, y[i]->joint);
            same(x[i]->alone, y[i]->alone);
            same(x[i]->value, y[i]->value);
        }
        same(q.concentration, many[a].concentration);
        same(q.liquidity, many[a].liquidity);
        same(q.delivery, many[a].delivery);
        same(q.floor_notional, many[a].floor_notional);
        same(q.floor_volume, many[a].floor_volume);
        if (llabs(q.total - many[a].total) > 6) fail_msg("account %u", a);
    }
    requirement_work_close(&work);
}

static void as_one_by_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) compare(false, 10000, seed);
    compare(false, 100000, 4); /* a tail that is longer than the kernel selects */
    compare(true, 10000, 5);   /* very many moves alike */
}

static void every_vector_gives_the_same_bits(void **state)
{
    (void)state;
    enum { N = 20 * KERNEL_TILE };
    static double values[N], room[N + KERNEL_ROOM], sorted[N];
    struct random r = {9};
    uint32_t count;
    const struct kernel *list = kernel_list(&count);
    for (int round = 0; round < 600; round++) {
        uint32_t k = 1 + (uint32_t)random_below(&r, KERNEL_TAIL_MAX);
        uint64_t kinds = round % 4 == 0 ? 3 : round % 4 == 1 ? 200 : 1 << 30;
        for (uint32_t i = 0; i < N; i++)
            sorted[i] = fabs(values[i] = (double)random_below(&r, kinds) - (double)(kinds / 2));
        double least = shortfall_select(sorted, N, k), sum = 0;
        for (uint32_t i = 0; i < k; i++) sum += sorted[i];
        struct kernel_tail plain = {0};
        for (uint32_t i = 0; i < count; i++) {
            struct kernel_tail tail;
            list[i].select(values, N, k, room, &tail);
            if (i == 0) plain = tail;
            assert_memory_equal(&tail, &plain, sizeof tail);
            assert_true(tail.least >= least && tail.least <= least);
            assert_true(fabs(tail.mean - sum / k) <= 1e-12 * sum / k);
        }
    }
    /* and the product */
    static double tiles[3 * 5 * KERNEL_TILE], now[3][3 * KERNEL_TILE], later[3][3 * KERNEL_TILE];
    const struct kernel_holding held[] = {{4, 1.1, -3.7}, {0, 0.3, 1e-9}, {2, -7.7, 0.123}};
    const uint32_t firsts[] = {0, 3};
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) tiles[i] = unit(&r) - 0.5;
    for (uint32_t i = 0; i < count; i++) {
        const struct kernel_job job = {.tiles = tiles, .tile_count = 3, .instruments = 5,
                                       .holdings = held, .first = firsts, .accounts = 1,
                                       .now = now[i], .long_run = later[i]};
        list[i].both(&job);
        assert_memory_equal(now[i], now[0], sizeof now[0]);
        assert_memory_equal(later[i], later[0], sizeof later[0]);
        list[i].single(&job);
        assert_memory_equal(now[i], now[0], sizeof now[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_one_by_one),
        cmocka_unit_test(every_vector_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
