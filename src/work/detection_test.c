/* detection_test.c: cheats are caught at the rates that sampling predicts, honest sellers never: a
 * small version of `dojima bench detection` (docs/proofs.md has the full figures). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "work/detection.h"

#include <math.h>

enum { TASKS = 120, RUNS = 80 };

static struct detection *world;

static int world_open(void **state)
{
    struct work_error error = {{0}};
    (void)state;
    if (detection_open("test", TASKS, &world, &error) == 0) return 0;
    print_error("%s\n", error.text);
    return -1;
}

static int world_close(void **state)
{
    (void)state;
    detection_close(world);
    return 0;
}

static void measure(enum cheat_kind kind, uint32_t share_ppm, uint32_t sampled,
                    struct detection_row *row)
{
    struct work_error error = {{0}};
    const struct detection_case c = {kind, share_ppm, sampled};
    if (detection_run(world, &c, RUNS, 77, row, &error) != 0) fail_msg("%s", error.text);
    assert_int_equal(row->runs, RUNS);
    assert_int_equal(row->passed, 0);
    assert_int_equal(row->accused, 0);
}

/* A seller who falsifies everything is caught by any sample. */
static void test_all_false(void **state)
{
    (void)state;
    for (int kind = CHEAT_garbage; kind < CHEAT_one_in_100; kind++) {
        struct detection_row row;
        measure((enum cheat_kind)kind, DETECTION_ALL_PPM, 2, &row);
        assert_int_equal(row.caught, RUNS); /* reuse: two, since its first task is honest */
    }
}

/* One who falsifies a part is caught as often as the sample shows one, and not oftener. */
static void test_part_false(void **state)
{
    (void)state;
    for (int kind = CHEAT_garbage; kind <= CHEAT_one_in_100; kind++) {
        struct detection_row row;
        measure((enum cheat_kind)kind, 30000, 20, &row);
        assert_true(row.deviation > 1 && row.caught > 0 && row.caught < RUNS);
        if (fabs(row.caught - row.predicted) > 4 * row.deviation)
            fail_msg("%s: caught %u, predicted %.1f +/- %.1f", cheat_name((enum cheat_kind)kind),
                     row.caught, row.predicted, row.deviation);
    }
}

static void test_honest(void **state)
{
    (void)state;
    struct detection_row row;
    assert_int_equal(detection_accused(world), 0);
    measure(CHEAT_none, 0, 20, &row);
    assert_int_equal(row.caught, 0);
    assert_int_equal(row.falsified, 0);
    assert_true(row.opened >= RUNS);
}

static void test_interval(void **state)
{
    (void)state;
    double low, high;
    detection_interval(100, 0, &low, &high); /* 1 - 0.025^(1/100) */
    assert_true(low == 0 && fabs(high - 0.036217) < 1e-6);
    detection_interval(10, 3, &low, &high); /* as published: 6.674 % to 65.245 % */
    assert_true(fabs(low - 0.066740) < 1e-5 && fabs(high - 0.652453) < 1e-5);
    detection_interval(50, 50, &low, &high);
    assert_true(high == 1 && fabs(low - 0.928878) < 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_false),
        cmocka_unit_test(test_part_false),
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_interval),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
