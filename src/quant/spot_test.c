/* spot_test.c: the spot solver against every choice of blocks and every price on the tick, on small
 * random auctions; what it promises on larger ones; that it answers alike twice. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "quant/spot.h"

enum { STEPS = 400, BLOCKS = 40, TICK = 500000, INSTANCES = 4000 };

struct world {
    struct spot_problem problem;
    struct spot_problem_step steps[STEPS];
    struct spot_problem_block blocks[BLOCKS];
};

static int64_t between(struct random *r, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(r, (uint64_t)(high - low + 1));
}

static uint32_t depth_of(const struct world *w, uint32_t block)
{
    uint32_t depth = 1;
    for (uint32_t p = w->blocks[block].parent; p != 0; p = w->blocks[p - 1].parent) depth += 1;
    return depth;
}

static void world_make(struct world *w, struct random *r, uint32_t hours, uint32_t steps,
                       uint32_t blocks, int64_t prices)
{
    memset(w, 0, sizeof *w);
    w->problem = (struct spot_problem){
        .steps = w->steps, .blocks = w->blocks, .step_count = steps, .block_count = blocks,
        .hours = hours, .node_limit = 100000, .tick = TICK, .price_min = -2 * TICK,
        .price_max = prices * TICK};
    for (uint32_t i = 0; i < steps; i++) {
        w->steps[i] = (struct spot_problem_step){
            .price = between(r, -2, prices) * TICK, .qty = between(r, 1, 5),
            .hour = (uint32_t)between(r, 0, hours - 1), .sell = (uint32_t)between(r, 0, 1)};
    }
    for (uint32_t b = 0; b < blocks; b++) {
        w->blocks[b].price = between(r, -2, prices) * TICK;
        w->blocks[b].sell = (uint32_t)between(r, 0, 1);
        for (uint32_t h = 0; h < hours; h++) w->blocks[b].qty[h] = between(r, 0, 4);
        if (b == 0 || between(r, 0, 2) != 0) continue;
        w->blocks[b].parent = (uint32_t)between(r, 1, b);
        if (depth_of(w, b) > 3) w->blocks[b].parent = 0;
    }
}

/* ---- the long way ---- */

static bool is_closed(const struct world *w, uint32_t taken)
{
    for (uint32_t b = 0; b < w->problem.block_count; b++) {
        uint32_t parent = w->blocks[b].parent;
        if ((taken >> b & 1) && parent != 0 && !(taken >> (parent - 1) & 1)) return false;
    }
    return true;
}

static bool hour_clears(const struct world *w, uint32_t taken, uint32_t hour, int64_t price,
                        int64_t *surplus)
{
    int64_t over = 0, buys = 0, sells = 0;
    *surplus = 0;
    for (uint32_t b = 0; b < w->problem.block_count; b++) {
        int64_t lots = w->blocks[b].sell ? w->blocks[b].qty[hour] : -w->blocks[b].qty[hour];
        if (!(taken >> b & 1)) continue;
        over += lots;
        *surplus -= w->blocks[b].price * lots;
    }
    for (uint32_t i = 0; i < w->problem.step_count; i++) {
        const struct spot_problem_step *s = &w->steps[i];
        int64_t lots = s->sell ? s->qty : -s->qty;
        if (s->hour != hour) continue;
        if (s->price == price) {
            if (s->sell) sells += s->qty;
            else buys += s->qty;
        } else if (s->sell == (s->price < price)) {
            over += lots;
            *surplus -= s->price * lots;
        }
    }
    *surplus += over * price;
    return over >= 0 ? buys >= over : sells >= -over;
}

static bool nobody_loses(const struct world *w, uint32_t taken, const int64_t *prices)
{
    int64_t gain[BLOCKS] = {0};
    for (uint32_t b = w->problem.block_count; b > 0; b--) {
        const struct spot_problem_block *k = &w->blocks[b - 1];
        if (!(taken >> (b - 1) & 1)) continue;
        for (uint32_t h = 0; h < w->problem.hours; h++)
            gain[b - 1] += (prices[h] - k->price) * (k->sell ? k->qty[h] : -k->qty[h]);
        if (gain[b - 1] < 0) return false;
        if (k->parent != 0) gain[k->parent - 1] += gain[b - 1];
    }
    return true;
}

/* Whether any prices will do, hour by hour. */
static bool prices_exist(const struct world *w, uint32_t taken, uint32_t hour, int64_t *prices)
{
    int64_t surplus;
    if (hour == w->problem.hours) return nobody_loses(w, taken, prices);
    for (int64_t p = w->problem.price_min; p <= w->problem.price_max; p += TICK) {
        if (!hour_clears(w, taken, hour, p, &surplus)) continue;
        prices[hour] = p;
        if (prices_exist(w, taken, hour + 1, prices)) return true;
    }
    return false;
}

static bool subset_surplus(const struct world *w, uint32_t taken, int64_t *sum)
{
    *sum = 0;
    for (uint32_t h = 0; h < w->problem.hours; h++) {
        int64_t one, p = w->problem.price_min;
        while (p <= w->problem.price_max && !hour_clears(w, taken, h, p, &one)) p += TICK;
        if (p > w->problem.price_max) return false;
        *sum += one;
    }
    return true;
}

static int64_t best_of_all(const struct world *w)
{
    int64_t best = INT64_MIN;
    for (uint32_t taken = 0; taken < 1u << w->problem.block_count; taken++) {
        int64_t sum, prices[SPOT_PROBLEM_HOURS];
        if (!is_closed(w, taken) || !subset_surplus(w, taken, &sum) || sum <= best) continue;
        if (prices_exist(w, taken, 0, prices)) best = sum;
    }
    return best;
}

/* ---- what a solution promises ---- */

static uint32_t mask_of(const struct world *w, const struct spot_solution *s)
{
    uint32_t taken = 0;
    for (uint32_t b = 0; b < w->problem.block_count && b < 32; b++)
        taken |= (uint32_t)s->accepted[b] << b;
    return taken;
}

static void solution_holds(const struct world *w, const struct spot_solution *s)
{
    uint32_t taken = mask_of(w, s);
    int64_t sum = 0, one;
    assert_true(is_closed(w, taken));
    for (uint32_t h = 0; h < w->problem.hours; h++) {
        assert_int_equal(s->prices[h] % TICK, 0);
        assert_true(hour_clears(w, taken, h, s->prices[h], &one));
        sum += one;
    }
    assert_true(nobody_loses(w, taken, s->prices));
    assert_true((int128_t)sum == s->surplus);
    assert_true(s->bound >= s->surplus && s->root_bound >= s->bound);
    assert_true(!s->optimal || s->bound == s->surplus);
}

static void test_every_choice_was_tried(void **state)
{
    static struct world w;
    struct random r = {11};
    uint32_t with_blocks = 0, optimal = 0, paradox = 0;
    (void)state;
    for (uint32_t i = 0; i < INSTANCES; i++) {
        struct spot_solution s;
        uint32_t hours = (uint32_t)between(&r, 1, 3), blocks = (uint32_t)between(&r, 0, 8);
        world_make(&w, &r, hours, (uint32_t)between(&r, 0, 14), blocks, between(&r, 1, 8));
        assert_int_equal(spot_solve(&w.problem, &s), 0);
        solution_holds(&w, &s);
        int64_t best = best_of_all(&w);
        assert_true(s.bound >= best); /* no bound is below what can be reached */
        if (s.optimal && s.surplus != best)
            fail_msg("instance %u: %lld instead of %lld", i, (long long)s.surplus,
                     (long long)best);
        with_blocks += mask_of(&w, &s) != 0;
        optimal += s.optimal;
        paradox += s.root_bound > s.surplus;
    }
    assert_true(with_blocks > INSTANCES / 4 && paradox > INSTANCES / 20);
    assert_true(optimal >= INSTANCES - INSTANCES / 100); /* prices not on the tick may be missed */
}

/* Without blocks each hour is by itself, and optimal at the root. */
static void test_hours_alone(void **state)
{
    static struct world w;
    struct random r = {5};
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        struct spot_solution s;
        world_make(&w, &r, (uint32_t)between(&r, 1, 25), STEPS, 0, 60);
        assert_int_equal(spot_solve(&w.problem, &s), 0);
        solution_holds(&w, &s);
        assert_true(s.optimal && s.nodes <= 1);
    }
}

static void test_limits_are_of_nodes_and_answers_alike(void **state)
{
    static struct world w;
    struct random r = {9};
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        struct spot_solution a, b, root;
        world_make(&w, &r, 24, STEPS, 30, 200);
        w.problem.node_limit = 50;
        assert_int_equal(spot_solve(&w.problem, &a), 0);
        assert_int_equal(spot_solve(&w.problem, &b), 0);
        assert_memory_equal(&a, &b, sizeof a);
        solution_holds(&w, &a);
        assert_true(a.nodes <= 50);
        w.problem.node_limit = 0;
        assert_int_equal(spot_solve(&w.problem, &root), 0);
        solution_holds(&w, &root);
        assert_true(root.nodes == 0 && root.surplus <= a.surplus);
    }
}

/* A cheap block that is too large for the one buyer: the dearer step sells, though the block is in
 * the money. */
static void test_a_block_is_rejected_in_the_money(void **state)
{
    static struct world w;
    struct spot_solution s;
    (void)state;
    memset(&w, 0, sizeof w);
    w.problem = (struct spot_problem){.steps = w.steps, .blocks = w.blocks, .step_count = 2,
                                      .block_count = 1, .hours = 1, .node_limit = 100,
                                      .tick = TICK, .price_max = 100 * TICK};
    w.steps[0] = (struct spot_problem_step){.price = 60 * TICK, .qty = 10, .sell = 0};
    w.steps[1] = (struct spot_problem_step){.price = 20 * TICK, .qty = 12, .sell = 1};
    w.blocks[0] = (struct spot_problem_block){.price = 10 * TICK, .sell = 1, .qty = {12}};
    assert_int_equal(spot_solve(&w.problem, &s), 0);
    assert_int_equal(s.accepted[0], 0); /* 12 are not wanted at any price */
    assert_int_equal(s.prices[0], 20 * TICK);
    assert_true(s.optimal && s.surplus == 400 * TICK && s.root_bound > s.surplus);
}

/* A parent that would lose alone is saved by its child; a child that loses is not carried. */
static void test_children_save_their_parent(void **state)
{
    static struct world w;
    struct spot_solution s;
    (void)state;
    for (int64_t child = 20; child <= 60; child += 40) {
        memset(&w, 0, sizeof w);
        w.problem = (struct spot_problem){.steps = w.steps, .blocks = w.blocks, .step_count = 2,
                                          .block_count = 2, .hours = 2, .node_limit = 100,
                                          .tick = TICK, .price_max = 100 * TICK};
        w.steps[0] = (struct spot_problem_step){.price = 50 * TICK, .qty = 20};
        w.steps[1] = (struct spot_problem_step){.price = 50 * TICK, .qty = 20, .hour = 1};
        w.blocks[0] = (struct spot_problem_block){.price = 55 * TICK, .sell = 1, .qty = {10, 0}};
        w.blocks[1] = (struct spot_problem_block){.price = child * TICK, .parent = 1, .sell = 1,
                                                  .qty = {0, 10}};
        assert_int_equal(spot_solve(&w.problem, &s), 0);
        assert_true(s.optimal);
        assert_int_equal(s.accepted[0], child == 20);
        assert_int_equal(s.accepted[1], child == 20);
    }
}

static void test_what_is_out_of_range_is_refused(void **state)
{
    static struct world w;
    struct random r = {3};
    struct spot_solution s;
    (void)state;
    world_make(&w, &r, 3, 10, 4, 20);
    w.steps[3].qty = 0;
    assert_int_equal(spot_solve(&w.problem, &s), -2);
    world_make(&w, &r, 3, 10, 4, 20);
    w.blocks[1].parent = 2;
    assert_int_equal(spot_solve(&w.problem, &s), -2);
    world_make(&w, &r, 3, 10, 4, 20);
    w.blocks[1].qty[3] = 1;
    assert_int_equal(spot_solve(&w.problem, &s), -2);
    world_make(&w, &r, 3, 10, 4, 20);
    w.problem.hours = 26;
    assert_int_equal(spot_solve(&w.problem, &s), -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_choice_was_tried),
        cmocka_unit_test(test_hours_alone),
        cmocka_unit_test(test_limits_are_of_nodes_and_answers_alike),
        cmocka_unit_test(test_a_block_is_rejected_in_the_money),
        cmocka_unit_test(test_children_save_their_parent),
        cmocka_unit_test(test_what_is_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
