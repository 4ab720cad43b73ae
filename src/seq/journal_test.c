/* journal_test.c: the journal's own promises, on the simulated disk with a tiny machine; what only
 * a power cut at any moment can show is the simulator's (sim/sim.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "seq/recovery.h"
#include "sim/disk.h"
#include "sim/tiny.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct disk *disk;
    struct machine *machine;
    struct log *log;
    struct recovery_result recovered;
    char error[512];
    char said[512];
    char failure[512];
    uint64_t committed;
    unsigned failures;
};

static void on_committed(void *context, uint64_t seq) { ((struct node *)context)->committed = seq; }

static void on_failed(void *context, const char *text)
{
    struct node *n = context;
    n->failures += 1;
    (void)snprintf(n->failure, sizeof n->failure, "%s", text);
}

static void on_say(void *context, const char *text)
{
    struct node *n = context;
    (void)snprintf(n->said, sizeof n->said, "%s", text);
}

static struct journal_options small(void)
{
    return (struct journal_options){.segment_bytes = JOURNAL_SEGMENT_BYTES_MIN,
                                    .group_bytes_max = JOURNAL_GROUP_BYTES_MIN};
}

static bool node_recover(struct node *n)
{
    struct recovery_options o = {.say = on_say, .context = n};
    n->said[0] = 0;
    return recovery_run(disk_io(n->disk), n->machine, &o, &n->recovered, n->error,
                        sizeof n->error) == 0;
}

static bool node_open(struct node *n)
{
    struct log_listener l = {.committed = on_committed, .failed = on_failed, .say = on_say,
                             .context = n};
    struct journal_options o = small();
    if (!node_recover(n)) return false;
    n->log = journal_open(disk_io(n->disk), &o, &n->machine->limits, &n->recovered.position, &l,
                          n->error, sizeof n->error);
    return n->log != NULL;
}

static void node_append(struct node *n, uint64_t count)
{
    for (; count > 0; count--) {
        struct command c = {.header = {.kind = COMMAND_tick, .size = sizeof c.header}};
        c.header.seq = n->log->appended + 1;
        c.header.ts = TS((int64_t)c.header.seq);
        log_append(n->log, &c);
    }
}

/* One group, durable. */
static void node_group(struct node *n, uint64_t count)
{
    node_append(n, count);
    log_flush(n->log);
    while (n->committed < n->log->appended && n->failures == 0 && io_wait(disk_io(n->disk)) > 0)
        continue;
}

static int setup(void **state)
{
    struct node *n = calloc(1, sizeof *n);
    n->disk = disk_new(3);
    n->machine = tiny_new();
    disk_eager_set(n->disk, true);
    assert_true(node_open(n));
    *state = n;
    return 0;
}

static int teardown(void **state)
{
    struct node *n = *state;
    if (n->log != NULL) (void)log_close(n->log);
    tiny_free(n->machine);
    disk_free(n->disk);
    free(n);
    return 0;
}

static void node_close(struct node *n)
{
    assert_int_equal(log_close(n->log), 0);
    n->log = NULL;
}

static void segments_follow_each_other(void **state)
{
    struct node *n = *state;
    for (int i = 0; i < 40; i++) node_group(n, 3);
    assert_int_equal(n->committed, 120);
    node_close(n);
    assert_true(node_recover(n));
    assert_int_equal(n->recovered.seq, 120);
    assert_int_equal(n->recovered.position.torn_bytes, 0);
    assert_true(n->recovered.position.segment >= 6);
    assert_string_equal(n->said, "");
}

static void groups_under_way_gather_the_next(void **state)
{
    struct node *n = *state;
    node_append(n, 1);
    log_flush(n->log);
    node_append(n, 5);
    log_flush(n->log);
    assert_int_equal(n->committed, 0);
    while (n->committed < 6 && io_wait(disk_io(n->disk)) > 0) continue;
    assert_int_equal(n->committed, 6);
    assert_true(log_has_room(n->log, 64));
    struct journal_options o = small();
    while (log_has_room(n->log, 64)) {
        node_append(n, 1);
        if (n->log->appended == 20) log_flush(n->log); /* one under way: then only one fills */
    }
    assert_true(n->log->appended < 20 + o.group_bytes_max / 64);
    while (n->committed < n->log->appended && io_wait(disk_io(n->disk)) > 0) continue;
    assert_true(log_has_room(n->log, 64));
}

static void torn_tail_is_cut_and_said(void **state)
{
    struct node *n = *state;
    node_group(n, 2);
    node_append(n, 100); /* two blocks, on their way when the power goes */
    struct disk *copy = NULL;
    for (uint64_t seed = 1; seed < 50 && n->recovered.position.torn_bytes == 0; seed++) {
        node_close(n);
        if (copy != NULL) disk_free(copy);
        assert_true(node_open(n));
        node_append(n, 100);
        disk_stop_after(n->disk, 1);
        log_flush(n->log);
        (void)io_wait(disk_io(n->disk));
        copy = disk_clone(n->disk, seed);
        disk_crash(copy, DISK_CRASH_some);
        (void)log_close(n->log);
        n->log = NULL;
        struct disk *live = n->disk;
        n->disk = copy;
        uint64_t before = n->committed;
        assert_true(node_recover(n));
        assert_true(n->recovered.seq >= before);
        n->disk = live;
        disk_crash(live, DISK_CRASH_all_lost);
        n->failures = 0;
        bool torn = n->recovered.position.torn_bytes != 0;
        if (torn) assert_non_null(strstr(n->said, "torn group"));
        if (torn) assert_non_null(strstr(n->said, "after seq"));
        struct recovery_result kept = n->recovered;
        assert_true(node_open(n));
        n->recovered = kept;
    }
    assert_true(n->recovered.position.torn_bytes != 0);
    disk_free(copy);
}

static void damage_is_refused_with_its_place(void **state)
{
    struct node *n = *state;
    for (int i = 0; i < 4; i++) node_group(n, 3);
    node_close(n);
    /* Block 0: header, 1: seal, then groups of seq 1-3, 4-6, 7-9, 10-12, seal. */
    for (size_t block = 0; block <= 5; block++) {
        size_t at = block * JOURNAL_BLOCK + 70;
        disk_flip(n->disk, "journal-00000001.seg", at, 4);
        assert_false(node_recover(n));
        assert_non_null(strstr(n->error, "damaged: journal-00000001.seg"));
        char place[64];
        (void)snprintf(place, sizeof place, "offset %zu, after seq %zu", block * JOURNAL_BLOCK,
                       block < 3 ? (size_t)0 : (block - 2) * 3);
        assert_non_null(strstr(n->error, place));
        disk_flip(n->disk, "journal-00000001.seg", at, 4);
    }
    /* In the padding, too. */
    disk_flip(n->disk, "journal-00000001.seg", 3 * JOURNAL_BLOCK - 1, 128);
    assert_false(node_recover(n));
    disk_flip(n->disk, "journal-00000001.seg", 3 * JOURNAL_BLOCK - 1, 128);
    /* Behind the end, out of a torn group's reach. */
    disk_flip(n->disk, "journal-00000002.seg", 7 * JOURNAL_BLOCK, 1);
    assert_false(node_recover(n));
    assert_non_null(strstr(n->error, "journal-00000002.seg, offset 28672"));
    disk_flip(n->disk, "journal-00000002.seg", 7 * JOURNAL_BLOCK, 1);
    assert_true(node_recover(n));
    assert_int_equal(n->recovered.seq, 12);
}

static void missing_segment_is_refused(void **state)
{
    struct node *n = *state;
    for (int i = 0; i < 30; i++) node_group(n, 3);
    node_close(n);
    assert_int_equal(io_remove(disk_io(n->disk), "journal-00000003.seg"), 0);
    assert_false(node_recover(n));
    assert_non_null(strstr(n->error, "journal-00000003.seg"));
    assert_non_null(strstr(n->error, "missing"));
}

/* A segment of another history of the same log fits by name, seq and checksum; not by the chain. */
static void segment_of_another_history_is_refused(void **state)
{
    struct node *n = *state;
    for (int i = 0; i < 7; i++) node_group(n, 3);
    struct node other = {.disk = disk_clone(n->disk, 5), .machine = tiny_new()};
    disk_eager_set(other.disk, true);
    disk_crash(other.disk, DISK_CRASH_all_kept);
    node_close(n);
    assert_true(node_open(n)); /* the two have now other groups: a seal more */
    for (int i = 0; i < 12; i++) node_group(n, 3);
    node_close(n);
    assert_true(node_open(&other));
    other.committed = other.recovered.seq;
    for (int i = 0; i < 12; i++) node_group(&other, 3);
    node_close(&other);
    size_t size;
    const unsigned char *bytes = disk_bytes(other.disk, "journal-00000003.seg", &size);
    assert_non_null(bytes);
    assert_int_equal(io_remove(disk_io(n->disk), "journal-00000003.seg"), 0);
    disk_put(n->disk, "journal-00000003.seg", bytes, size);
    assert_false(node_recover(n));
    assert_non_null(strstr(n->error, "damaged: journal-0000000"));
    tiny_free(other.machine);
    disk_free(other.disk);
}

static void other_limits_are_refused(void **state)
{
    struct node *n = *state;
    node_group(n, 3);
    node_close(n);
    n->machine->limits.bytes[9] = 1;
    assert_false(node_recover(n));
    assert_non_null(strstr(n->error, "other limits"));
    struct machine_limits limits;
    assert_int_equal(recovery_limits(disk_io(n->disk), &limits, n->error, sizeof n->error), 1);
    assert_memory_equal(limits.bytes, "tiny", 5);
}

static void first_failed_sync_is_final(void **state)
{
    struct node *n = *state;
    node_group(n, 3);
    disk_fail_sync_after(n->disk, 1);
    node_append(n, 3);
    log_flush(n->log);
    while (io_poll(disk_io(n->disk)) > 0) continue;
    node_append(n, 3);
    log_flush(n->log);
    while (io_poll(disk_io(n->disk)) > 0) continue;
    assert_int_equal(n->failures, 1);
    assert_true(n->log->failed);
    assert_int_equal(n->committed, 3);
    assert_non_null(strstr(n->failure, "durable up to seq 3"));
    assert_null(strchr(n->failure, '\n'));
    assert_true(log_close(n->log) < 0);
    n->log = NULL;
}

static void full_disk_is_said_early_and_ends_cleanly(void **state)
{
    struct node *n = *state;
    while (io_poll(disk_io(n->disk)) > 0) continue;
    disk_space_set(n->disk, 2 * JOURNAL_SEGMENT_BYTES_MIN + 5000); /* two segments, no third */
    for (int i = 0; i < 60 && n->failures == 0; i++) {
        node_group(n, 3);
        if (n->committed == 24) assert_non_null(strstr(n->said, "disk full"));
    }
    assert_int_equal(n->failures, 1);
    assert_non_null(strstr(n->failure, "disk full"));
    uint64_t acknowledged = n->committed;
    assert_true(acknowledged >= 30);
    (void)log_close(n->log);
    n->log = NULL;
    disk_crash(n->disk, DISK_CRASH_all_lost);
    n->failures = 0;
    assert_true(node_open(n));
    assert_int_equal(n->recovered.seq, acknowledged);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(segments_follow_each_other),
        T(groups_under_way_gather_the_next),
        T(torn_tail_is_cut_and_said),
        T(damage_is_refused_with_its_place),
        T(missing_segment_is_refused),
        T(segment_of_another_history_is_refused),
        T(other_limits_are_refused),
        T(first_failed_sync_is_final),
        T(full_disk_is_said_early_and_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
