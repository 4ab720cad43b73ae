/* book_test.c: the book against a naive one, over dense, sparse, clustered and wandering prices,
 * and what a random test would be unlikely to try.
 *
 * BOOK_TEST_OPERATIONS sets the number of random operations in all (default 10^6).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "core/book_naive.h"

#include <stdlib.h>
#include <string.h>

enum shape { SHAPE_dense, SHAPE_wide, SHAPE_wander, SHAPE_sparse, SHAPE_cluster, SHAPE_count };

static int64_t price(struct random *r, enum shape shape, int64_t *centre)
{
    uint64_t u = random_next(r);
    switch (shape) {
    case SHAPE_dense: return (int64_t)(u % 50) - 25;
    case SHAPE_wide: return (int64_t)(u % 40000);
    case SHAPE_wander: /* new bests in a row, then back */
        *centre += (int64_t)(u % 65) - 32;
        return *centre + (int64_t)(u >> 32) % 8;
    case SHAPE_sparse:
        if (u % 64 == 0) return INT64_MAX - (int64_t)(u >> 32 & 1);
        if (u % 64 == 1) return INT64_MIN + 1 + (int64_t)(u >> 32 & 1);
        if (u % 64 == 2) return (int64_t)(u >> 32 & 3) - 1;
        u = random_next(r);
        return (int64_t)u == INT64_MIN ? 0 : (int64_t)u;
    default: /* keys that differ in one low bit below a random high one: deep, narrow ladders */
        return (int64_t)((UINT64_C(1) << (u % 63)) + (u >> 32 & 3)) * ((u >> 40 & 1) != 0 ? 1 : -1);
    }
}

static void drive(struct pair *x, uint64_t seed, enum shape shape, uint64_t operations)
{
    struct random r = {seed};
    int64_t centre = 0;
    for (uint64_t i = 0; i < operations; i++) {
        uint32_t book = (uint32_t)random_below(&r, PAIR_BOOKS);
        enum side side = (enum side)random_below(&r, 2);
        uint64_t dice = random_below(&r, 100);
        /* Grow and shrink in turn: full pools and empty books both happen. */
        uint64_t add = i / 3000 % 2 == 0 ? 60 : 30;
        enum pair_operation operation = dice < add ? PAIR_add
                                        : dice < 80 ? PAIR_remove
                                        : dice < 85 ? PAIR_requeue
                                        : dice < 90 ? PAIR_change
                                                    : PAIR_take;
        int64_t px = price(&r, shape, &centre);
        pair_step(x, book, operation, side, px, (uint32_t)random_next(&r));
        if (i % 64 == 0) pair_compare(x, px);
        if (i % 4096 == 0) pair_move(x);
    }
    pair_compare(x, 0);
}

static void empty(struct pair *x)
{
    for (uint32_t book = 0; book < PAIR_BOOKS; book++) {
        while (x->naive[book].count > 0) pair_step(x, book, PAIR_remove, SIDE_buy, 0, 7919);
    }
    pair_compare(x, 0);
    assert_int_equal(x->pools.counts->level_live, 0);
    assert_int_equal(x->pools.counts->node_live, 0);
}

static void test_random(void **state)
{
    (void)state;
    const char *text = getenv("BOOK_TEST_OPERATIONS");
    uint64_t operations = text == NULL ? 1000000 : strtoull(text, NULL, 10);
    for (int shape = 0; shape < SHAPE_count; shape++) {
        struct pair *x = pair_open();
        for (uint64_t seed = 1; seed <= 4; seed++) {
            drive(x, seed * 1000 + (uint64_t)shape, (enum shape)shape,
                  operations / SHAPE_count / 4);
            empty(x);
        }
        pair_close(x);
    }
}

/* The same operations leave the same bytes, wherever the pools lie: a copy is a snapshot. */
static void test_state_is_a_function_of_operations(void **state)
{
    (void)state;
    struct pair *x = pair_open();
    struct pair *y = pair_open();
    drive(x, 42, SHAPE_wide, 20000);
    drive(y, 42, SHAPE_wide, 20000);
    assert_memory_equal(x->block, y->block, x->bytes);
    assert_memory_equal(x->books, y->books, sizeof x->books);
    pair_close(x);
    pair_close(y);
}

static void add(struct pair *x, enum side side, int64_t px)
{
    pair_step(x, 0, PAIR_add, side, px, 4);
    pair_compare(x, px);
}

/* Both ends of int64 beside each other in one book: no difference of prices may overflow. */
static void test_extremes(void **state)
{
    (void)state;
    struct pair *x = pair_open();
    const int64_t prices[] = {0, INT64_MAX, INT64_MIN + 1, -1, 1, INT64_MAX - 1, INT64_MIN + 2};
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        add(x, SIDE_buy, prices[i]);
        add(x, SIDE_sell, prices[i]);
        add(x, SIDE_sell, prices[i]);
    }
    assert_true(book_best(&x->pools, &x->books[0], SIDE_buy)->px.v == INT64_MAX);
    assert_true(book_best(&x->pools, &x->books[0], SIDE_sell)->px.v == INT64_MIN + 1);
    empty(x);
    pair_close(x);
}

/* As many levels as the pool has, each as far from the others as a ladder can put it: nodes must
 * suffice whatever the prices are. */
static void test_full(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 54; shift += 6) {
        struct pair *x = pair_open();
        for (uint32_t i = 0; i < PAIR_LEVELS; i++) {
            int64_t px = (int64_t)((uint64_t)(1 + i) << shift) * (i % 4 < 2 ? 1 : -1);
            assert_true(book_has_room(&x->pools));
            add(x, i % 2 == 0 ? SIDE_buy : SIDE_sell, px);
        }
        assert_false(book_has_room(&x->pools));
        assert_true(x->pools.counts->node_high < PAIR_LEVELS);
        empty(x);
        assert_true(book_has_room(&x->pools));
        pair_close(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_state_is_a_function_of_operations),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
