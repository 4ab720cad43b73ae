/* io_test.c: io over a real directory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/io.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/dojima-io-XXXXXX");
    return mkdtemp(path) == NULL;
}

static int teardown(void **state)
{
    (void)state;
    char error[256];
    struct io *io = io_directory_open(path, 0, error, sizeof error);
    struct io_name *names;
    int64_t count = io_list_all(io, &names);
    for (int64_t i = 0; i < count; i++) (void)io_remove(io, names[i].text);
    free(names);
    io_directory_close(io);
    return rmdir(path);
}

static void files(void **state)
{
    (void)state;
    char error[256];
    char bytes[8192];
    struct io *io = io_directory_open(path, 0, error, sizeof error);
    assert_non_null(io);
    int file = io_create(io, "b");
    assert_true(file >= 0);
    assert_int_equal(io_create(io, "b"), -EEXIST);
    assert_int_equal(io_write_zeros(io, file, 0, 100000), 0);
    assert_int_equal(io_write(io, file, 4096, "abc", 3), 0);
    assert_int_equal(io_write_sync(io, file, 8192, "def", 3), 0);
    assert_int_equal(io_sync(io, file), 0);
    assert_int_equal(io_settle(io, file), 0);
    assert_int_equal(io_size(io, file), 100000);
    assert_int_equal(io_read(io, file, 4096, bytes, 4099), 4099);
    assert_memory_equal(bytes, "abc", 3);
    assert_memory_equal(bytes + 4096, "def", 3);
    assert_int_equal(io_read(io, file, 99999, bytes, 10), 1);
    assert_int_equal(io_read(io, file, 200000, bytes, 10), 0);
    assert_int_equal(io_close(io, file), 0);
    assert_int_equal(io_rename(io, "b", "a"), 0);
    assert_int_equal(io_open(io, "b", IO_OPEN_READ), -ENOENT);
    assert_int_equal(io_close(io, io_create(io, "c")), 0);
    assert_int_equal(io_sync_directory(io), 0);
    struct io_name *names;
    assert_int_equal(io_list_all(io, &names), 3);
    assert_string_equal(names[0].text, "a");
    assert_string_equal(names[1].text, "c");
    assert_string_equal(names[2].text, "lock");
    free(names);
    uint64_t random[2] = {0};
    assert_int_equal(io_entropy(io, random, sizeof random), 0);
    assert_true(random[0] != 0 && random[0] != random[1]);
    assert_true(io_now(io).v > INT64_C(1700000000) * NS_PER_SECOND);
    io_directory_close(io);
}

static void lock_keeps_others_out(void **state)
{
    (void)state;
    char error[256];
    struct io *io = io_directory_open(path, IO_DIRECTORY_CREATE, error, sizeof error);
    assert_non_null(io);
    assert_null(io_directory_open(path, 0, error, sizeof error));
    assert_non_null(strstr(error, "another process has it open"));
    struct io *reader = io_directory_open(path, IO_DIRECTORY_READ_ONLY, error, sizeof error);
    assert_non_null(reader);
    io_directory_close(reader);
    io_directory_close(io);
    io = io_directory_open(path, 0, error, sizeof error);
    assert_non_null(io);
    io_directory_close(io);
}

static void unusable_is_one_line(void **state)
{
    (void)state;
    char error[256] = "";
    assert_null(io_directory_open("/dev/null", IO_DIRECTORY_CREATE, error, sizeof error));
    assert_non_null(strstr(error, "/dev/null cannot be opened"));
    assert_null(strchr(error, '\n'));
    assert_null(io_directory_open("/proc/dojima", IO_DIRECTORY_CREATE, error, sizeof error));
    assert_non_null(strstr(error, "cannot be made"));
    assert_null(io_directory_open("/proc/self", 0, error, sizeof error));
    assert_non_null(strstr(error, "cannot be written"));
}

enum { TASKS = 200 };
static pthread_t ran_in[TASKS];
static int ran[TASKS];
static int ran_count;
static int done_count;
static atomic_int wakes;

static void run(struct io_task *t)
{
    size_t i = (size_t)(uintptr_t)t->context;
    ran_in[i] = pthread_self();
    ran[ran_count++] = (int)i;
}

static void done(struct io_task *t)
{
    t->result = 1;
    done_count += 1;
}

static void wake(void *context) { atomic_fetch_add((atomic_int *)context, 1); }

static void tasks_run_in_order_elsewhere(void **state)
{
    (void)state;
    static struct io_task tasks[TASKS];
    char error[256];
    struct io *io = io_directory_open(path, 0, error, sizeof error);
    io_directory_wake_set(io, wake, &wakes);
    assert_int_equal(io_wait(io), 0);
    for (int i = 0; i < TASKS; i++) {
        tasks[i] = (struct io_task){.run = run, .done = done, .context = (void *)(uintptr_t)i};
        io_submit(io, IO_QUEUE_journal, &tasks[i]);
    }
    while (done_count < TASKS) assert_true(io_wait(io) > 0);
    assert_int_equal(io_poll(io), 0);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(ran[i], i);
        assert_int_equal(tasks[i].result, 1);
        assert_false(pthread_equal(ran_in[i], pthread_self()));
    }
    io_directory_close(io);
    assert_int_equal(atomic_load(&wakes), TASKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files, setup, teardown),
        cmocka_unit_test_setup_teardown(lock_keeps_others_out, setup, teardown),
        cmocka_unit_test(unusable_is_one_line),
        cmocka_unit_test_setup_teardown(tasks_run_in_order_elsewhere, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
