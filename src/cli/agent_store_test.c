/* agent_store_test.c: an agent's memory: each task once, nothing lost by a kill at any instant. */
#include "cli/agent_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];
static const struct agent_hour hour = {.allocation = 17, .hour = 500000};

static int make(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/dojima-agent-XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int drop(void **state)
{
    static const char *const names[] = {"agent.sqlite", "agent.sqlite-wal", "agent.sqlite-shm"};
    char path[128];
    (void)state;
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
    return rmdir(directory);
}

static struct agent_store *opened(void)
{
    char error[256];
    struct agent_store *s = agent_store_open(directory, error, sizeof error);
    if (s == NULL) print_error("%s\n", error);
    assert_non_null(s);
    return s;
}

static struct agent_task task_of(uint64_t index, char spec[32])
{
    int n = snprintf(spec, 32, "spec %llu", (unsigned long long)index);
    struct agent_task t = {.index = index, .spec = (uint8_t *)spec, .spec_size = (size_t)n,
                           .answer = (const uint8_t *)"answer", .answer_size = 6,
                           .flop = UINT64_C(6000000000000000000) + index};
    t.transcript.v[0] = (uint8_t)index;
    return t;
}

static void each_task_once_in_order(void **state)
{
    char spec[32];
    uint64_t tasks;
    uint128_t flop;
    uint8_t *bytes;
    (void)state;
    struct agent_store *s = opened();
    struct agent_task t = task_of(1, spec), got;
    assert_int_equal(agent_store_task_put(s, &hour, &t), AGENT_STORE_gap);
    for (uint64_t i = 0; i < 5; i++) {
        t = task_of(i, spec);
        assert_int_equal(agent_store_task_put(s, &hour, &t), AGENT_STORE_new);
        assert_int_equal(agent_store_task_put(s, &hour, &t), AGENT_STORE_same);
    }
    t.flop += 1;
    assert_int_equal(agent_store_task_put(s, &hour, &t), AGENT_STORE_other);
    t = task_of(4, spec);
    t.answer_size = 5;
    assert_int_equal(agent_store_task_put(s, &hour, &t), AGENT_STORE_other);
    assert_true(agent_store_hour(s, &hour, &tasks, &flop));
    assert_int_equal(tasks, 5);
    assert_true(flop == (uint128_t)UINT64_C(6000000000000000000) * 5 + 10); /* beyond 64 bits */
    assert_true(agent_store_task_get(s, &hour, 3, &got, &bytes));
    t = task_of(3, spec);
    assert_int_equal(got.spec_size, t.spec_size);
    assert_memory_equal(got.spec, t.spec, t.spec_size);
    assert_memory_equal(got.answer, "answer", 6);
    assert_int_equal(got.flop, t.flop);
    free(bytes);
    assert_false(agent_store_task_get(s, &hour, 5, &got, &bytes));
    struct digest leaves[6], leaf = agent_task_leaf(&t);
    assert_false(agent_store_leaves(s, &hour, 6, leaves));
    assert_true(agent_store_leaves(s, &hour, 5, leaves));
    assert_true(digest_equal(&leaves[3], &leaf));
    agent_store_close(s);
    s = opened();
    assert_true(agent_store_hour(s, &hour, &tasks, &flop));
    assert_int_equal(tasks, 5);
    agent_store_close(s);
}

static void a_batch_is_all_or_nothing(void **state)
{
    char spec[32];
    uint64_t tasks;
    uint128_t flop;
    const struct agent_hour other = {.allocation = 18, .hour = 1};
    (void)state;
    struct agent_store *s = opened();
    agent_store_begin(s);
    struct agent_task t = task_of(0, spec);
    assert_int_equal(agent_store_task_put(s, &other, &t), AGENT_STORE_new);
    assert_true(agent_store_note_set(s, &other, "mark", "1"));
    assert_true(agent_store_commit(s));
    assert_true(agent_store_hour(s, &other, &tasks, &flop));
    assert_int_equal(tasks, 1);
    agent_store_close(s);
}

static void a_note_stays_what_it_is(void **state)
{
    char text[64];
    (void)state;
    struct agent_store *s = opened();
    assert_int_equal(agent_store_note_get(s, &hour, "receipt", text, sizeof text), 0);
    assert_int_equal(agent_store_note_put(s, &hour, "receipt", "one\n"), AGENT_STORE_new);
    assert_int_equal(agent_store_note_put(s, &hour, "receipt", "one\n"), AGENT_STORE_same);
    assert_int_equal(agent_store_note_put(s, &hour, "receipt", "two\n"), AGENT_STORE_other);
    assert_int_equal(agent_store_note_get(s, &hour, "receipt", text, sizeof text), 4);
    assert_string_equal(text, "one\n");
    assert_int_equal(agent_store_note_get(s, &hour, "receipt", text, 4), 0); /* does not fit */
    assert_true(agent_store_note_set(s, &hour, "receipt", "three"));
    assert_int_equal(agent_store_note_get(s, &hour, "receipt", text, sizeof text), 5);
    agent_store_close(s);
}

static void one_process_has_the_directory(void **state)
{
    char error[256];
    (void)state;
    struct agent_store *s = opened();
    assert_null(agent_store_open(directory, error, sizeof error));
    assert_non_null(strstr(error, "another process"));
    agent_store_close(s);
    agent_store_close(opened());
}

/* The child tells each task that a commit has returned for; then it is killed in the middle. */
static void kill_writer(useconds_t after, uint64_t *told)
{
    int ends[2];
    uint64_t index;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char spec[32], error[256];
        uint128_t flop;
        struct agent_store *s = agent_store_open(directory, error, sizeof error);
        if (s == NULL || !agent_store_hour(s, &hour, &index, &flop)) _exit(1);
        for (;; index++) {
            struct agent_task t = task_of(index, spec);
            if (agent_store_task_put(s, &hour, &t) != AGENT_STORE_new) _exit(2);
            if (write(ends[1], &index, sizeof index) != sizeof index) _exit(3);
        }
    }
    (void)close(ends[1]);
    (void)usleep(after);
    (void)kill(child, SIGKILL);
    while (read(ends[0], &index, sizeof index) == sizeof index) *told = index + 1;
    (void)close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status)); /* it had no reason of its own to end */
}

static void what_was_told_survives_a_kill(void **state)
{
    uint64_t told = 0, tasks = 0;
    uint128_t flop;
    (void)state;
    agent_store_close(opened());
    for (useconds_t i = 0; i < 12; i++) {
        kill_writer(15000 + i * 1700, &told);
        struct agent_store *s = opened();
        assert_true(agent_store_hour(s, &hour, &tasks, &flop));
        assert_true(tasks >= told && tasks <= told + 1);
        uint8_t *bytes;
        struct agent_task got;
        for (uint64_t k = 0; k < tasks; k++) {
            assert_true(agent_store_task_get(s, &hour, k, &got, &bytes));
            free(bytes);
        }
        assert_false(agent_store_task_get(s, &hour, tasks, &got, &bytes));
        agent_store_close(s);
        told = tasks;
    }
    assert_true(tasks > 0);
}

static void a_batch_within_a_batch_is_part_of_it(void **state)
{
    struct agent_store *s = opened();
    char text[32];
    (void)state;
    for (int abandoned = 0; abandoned < 2; abandoned++) {
        const struct agent_hour at = {.allocation = 30 + (uint64_t)abandoned, .hour = 1};
        agent_store_begin(s);
        agent_store_begin(s);
        assert_int_equal(agent_store_note_put(s, &at, "inner", "1"), AGENT_STORE_new);
        assert_true(agent_store_commit(s));
        if (abandoned != 0) agent_store_abandon(s);
        assert_true(agent_store_commit(s) == (abandoned == 0));
        size_t length = agent_store_note_get(s, &at, "inner", text, sizeof text);
        assert_int_equal(length, abandoned == 0 ? 1 : 0);
    }
    agent_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_within_a_batch_is_part_of_it, make, drop),
        cmocka_unit_test_setup_teardown(each_task_once_in_order, make, drop),
        cmocka_unit_test_setup_teardown(a_batch_is_all_or_nothing, make, drop),
        cmocka_unit_test_setup_teardown(a_note_stays_what_it_is, make, drop),
        cmocka_unit_test_setup_teardown(one_process_has_the_directory, make, drop),
        cmocka_unit_test_setup_teardown(what_was_told_survives_a_kill, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
