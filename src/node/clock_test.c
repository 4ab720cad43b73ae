/* clock_test.c: a demonstration's clock over a machine's clock that the test moves. */
#include "node/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ts_t machine_ns;

static ts_t now(struct io *io)
{
    (void)io;
    return machine_ns;
}

static const struct io_verbs verbs = {.now = now};

static struct clock begun(ts_t start)
{
    static struct io io = {.verbs = &verbs};
    machine_ns = TS(INT64_C(1000000000000));
    struct clock c = {.io = &io, .demonstration = start.v >= 0, .rate_e6 = CLOCK_RATE_ONE,
                      .venue = start};
    clock_begin(&c, TS(0));
    return c;
}

static void a_normal_venue_has_the_machine_s(void **state)
{
    (void)state;
    struct clock c = begun(TS(-1));
    assert_int_equal(clock_now(&c).v, machine_ns.v);
    machine_ns.v += 5;
    assert_int_equal(clock_now(&c).v, machine_ns.v);
    assert_int_equal(clock_stamp(&c, TS(77)).v, 77);
    assert_int_equal(clock_real_ms_ceil(&c, 2 * NS_PER_MS), 3);
}

static void it_runs_at_its_rate(void **state)
{
    (void)state;
    struct clock c = begun(TS(500));
    machine_ns.v += 100;
    assert_int_equal(clock_now(&c).v, 600);
    clock_rate_set(&c, 60 * CLOCK_RATE_ONE);
    assert_int_equal(clock_now(&c).v, 600);
    machine_ns.v += 10;
    assert_int_equal(clock_now(&c).v, 1200);
    clock_rate_set(&c, 0);
    machine_ns.v += 1000;
    assert_int_equal(clock_now(&c).v, 1200);
    assert_int_equal(clock_real_ms_ceil(&c, 1), INT64_MAX);
    clock_rate_set(&c, CLOCK_RATE_ONE / 2);
    assert_int_equal(clock_real_ms_ceil(&c, 10 * NS_PER_MS), 21);
}

static void it_stands_while_it_moves_and_never_goes_back(void **state)
{
    (void)state;
    struct clock c = begun(TS(500));
    clock_move(&c, TS(9000));
    machine_ns.v += 50;
    assert_int_equal(clock_now(&c).v, 500);
    clock_stand(&c, TS(700));
    clock_stand(&c, TS(600));
    assert_int_equal(clock_now(&c).v, 700);
    clock_arrive(&c);
    assert_int_equal(clock_now(&c).v, 9000);
    machine_ns.v += 1;
    assert_int_equal(clock_now(&c).v, 9001);
    machine_ns.v -= 500; /* the machine's clock may go back */
    assert_int_equal(clock_now(&c).v, 9000);
    clock_begin(&c, TS(20000));
    assert_int_equal(clock_now(&c).v, 20000);
    clock_begin(&c, TS(10));
    assert_int_equal(clock_now(&c).v, 20000);
}

/* GUARD-08: what is old is old in the world's time, whatever the rate, also after a jump. */
static void a_request_ages_in_the_world_s_time(void **state)
{
    (void)state;
    struct clock c = begun(TS(500));
    ts_t read = machine_ns;
    clock_rate_set(&c, INT64_C(3600) * CLOCK_RATE_ONE);
    machine_ns.v += 1000;
    ts_t stamp = clock_stamp(&c, read);
    assert_int_equal(clock_now(&c).v - stamp.v, 1000);
    clock_move(&c, TS(INT64_C(1) << 60));
    clock_arrive(&c);
    machine_ns.v += 3 * NS_PER_SECOND;
    stamp = clock_stamp(&c, read);
    assert_int_equal(clock_now(&c).v - stamp.v, 3 * NS_PER_SECOND + 1000);
}

static void a_directory_is_of_one_kind(void **state)
{
    (void)state;
    char path[] = "/tmp/dojima-clock-XXXXXX", name[128], error[256];
    struct clock c;
    assert_non_null(mkdtemp(path));
    struct io *io = io_directory_open(path, IO_DIRECTORY_CREATE, error, sizeof error);
    assert_non_null(io);
    assert_int_equal(clock_open(&c, io, TS(-1), error, sizeof error), 0);
    assert_int_equal(clock_open(&c, io, TS(500), error, sizeof error), 0); /* not begun yet */
    assert_true(c.demonstration);
    assert_int_equal(clock_open(&c, io, TS(-1), error, sizeof error), -1);
    assert_non_null(strstr(error, "--clock"));
    assert_int_equal(io_remove(io, CLOCK_FILE), 0);
    int file = io_create(io, "journal-00000001.seg");
    assert_true(file >= 0);
    assert_int_equal(io_close(io, file), 0);
    assert_int_equal(clock_open(&c, io, TS(500), error, sizeof error), -1);
    assert_non_null(strstr(error, "real venue"));
    assert_int_equal(clock_open(&c, io, TS(-1), error, sizeof error), 0);
    assert_int_equal(io_remove(io, "journal-00000001.seg"), 0);
    io_directory_close(io);
    (void)snprintf(name, sizeof name, "%s/lock", path);
    (void)remove(name);
    assert_int_equal(remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_normal_venue_has_the_machine_s),
        cmocka_unit_test(it_runs_at_its_rate),
        cmocka_unit_test(it_stands_while_it_moves_and_never_goes_back),
        cmocka_unit_test(a_request_ages_in_the_world_s_time),
        cmocka_unit_test(a_directory_is_of_one_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
