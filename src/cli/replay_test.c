/* replay_test.c: `dojima replay` on a directory that a sequencer wrote. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/cli.h"
#include "seq/machine_core.h"
#include "seq/sequencer.h"
#include "sim/workload.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMANDS = 500 };
static char path[64];
static char output[4 << 20];
static uint64_t hashes[COMMANDS + 1];
static uint64_t events_total;
static uint64_t snapshots;

static void on_note(void *context, const char *text)
{
    (void)context;
    if (strncmp(text, "snapshot at seq", 15) == 0) snapshots += 1;
}

static int directory_make(void **state)
{
    (void)state;
    char error[256];
    (void)snprintf(path, sizeof path, "/tmp/dojima-replay-XXXXXX");
    assert_non_null(mkdtemp(path));
    struct io *io = io_directory_open(path, 0, error, sizeof error);
    struct core_limits limits = core_limits_small();
    struct machine *m = machine_core_new(&limits);
    struct sequencer_options o = sequencer_options_default();
    struct sequencer_listener l = {.note = on_note};
    o.journal.segment_bytes = 1 << 16;
    o.journal.group_bytes_max = 1 << 13;
    o.snapshot_commands = 100;
    o.snapshots_kept = 4;
    struct sequencer *s = sequencer_open(io, m, &o, &l, error, sizeof error);
    assert_non_null(s);
    struct workload w = {.random = {7}};
    for (uint64_t i = 1; i <= COMMANDS; i++) {
        struct command c;
        const struct outbox *events;
        workload_next(&w, i, &c);
        assert_int_equal(sequencer_submit(s, &c, &events), SEQUENCER_OK);
        workload_see(&w, events);
        events_total += events->count;
        hashes[i] = m->verbs->hash(m->state);
        if (i % 5 == 0) assert_int_equal(sequencer_wait(s), 0);
        sequencer_poll(s);
    }
    assert_int_equal(sequencer_close(s), 0);
    assert_true(snapshots >= 2);
    machine_core_free(m);
    io_directory_close(io);
    return 0;
}

static int directory_remove(void **state)
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

/* Runs the subcommand; its exit status, and what it said (both streams) in `output`. */
static int replay(const char *option, const char *value, const char *other)
{
    char *argv[8] = {(char *)(uintptr_t) "replay", (char *)(uintptr_t) "--data", path};
    int argc = 3;
    if (option != NULL) argv[argc++] = (char *)(uintptr_t)option;
    if (value != NULL) argv[argc++] = (char *)(uintptr_t)value;
    if (other != NULL) argv[argc++] = (char *)(uintptr_t)other;
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fflush(stdout);
    int out = dup(1);
    int err = dup(2);
    (void)dup2(fileno(file), 1);
    (void)dup2(fileno(file), 2);
    int status = cli_replay(argc, argv);
    (void)fflush(stdout);
    (void)dup2(out, 1);
    (void)dup2(err, 2);
    (void)close(out);
    (void)close(err);
    rewind(file);
    output[fread(output, 1, sizeof output - 1, file)] = 0;
    (void)fclose(file);
    return status;
}

static void hash_is_the_live_one(void **state)
{
    (void)state;
    char expected[64];
    assert_int_equal(replay("--hash", NULL, NULL), 0);
    (void)snprintf(expected, sizeof expected, "%016" PRIx64 "\n", hashes[COMMANDS]);
    assert_string_equal(output, expected);
    assert_int_equal(replay("--hash", "--full", NULL), 0);
    assert_string_equal(output, expected);
    for (uint64_t until = 1; until < COMMANDS; until += 83) {
        char number[32];
        (void)snprintf(number, sizeof number, "--until=%" PRIu64, until);
        (void)snprintf(expected, sizeof expected, "%016" PRIx64 "\n", hashes[until]);
        assert_int_equal(replay("--hash", number, NULL), 0);
        assert_string_equal(output, expected);
    }
    assert_int_equal(replay("--until=501", NULL, NULL), 1);
    assert_non_null(strstr(output, "seq 501 is not reached"));
}

static void snapshots_agree_with_the_journal(void **state)
{
    (void)state;
    assert_int_equal(replay("--verify", NULL, NULL), 0);
    assert_non_null(strstr(output, "verified: 500 commands and "));
    assert_int_equal(replay("--verify", "--json", NULL), 0);
    assert_non_null(strstr(output, "{\"verified\":true,\"seq\":500,"));
}

static uint64_t lines(void)
{
    uint64_t count = 0;
    for (const char *p = output; (p = strchr(p, '\n')) != NULL; p++) count += 1;
    return count;
}

static void dump_has_every_event(void **state)
{
    (void)state;
    assert_int_equal(replay("--dump", NULL, NULL), 0);
    assert_int_equal(lines(), events_total);
    assert_non_null(strstr(output, "1 0 product "));
    assert_non_null(strstr(output, " account=account6 "));
    assert_non_null(strstr(output, " trade "));
    assert_int_equal(replay("--dump", "--json", NULL), 0);
    assert_int_equal(lines(), events_total);
    assert_non_null(strstr(output, "{\"event\":\"product\",\"seq\":1,\"index\":0"));
    assert_int_equal(replay("--dump", "--from=400", NULL), 0);
    assert_true(lines() < events_total / 2);
    assert_true(strncmp(output, "400 0 ", 6) == 0);
    assert_non_null(strstr(output, "account6"));
}

static void damage_is_refused_and_can_be_stopped_before(void **state)
{
    (void)state;
    char name[128];
    (void)snprintf(name, sizeof name, "%s/journal-00000001.seg", path);
    int file = open(name, O_RDWR);
    char byte;
    assert_int_equal(pread(file, &byte, 1, 12 * 4096 + 100), 1);
    byte = (char)(byte ^ 1);
    assert_int_equal(pwrite(file, &byte, 1, 12 * 4096 + 100), 1);
    assert_int_equal(replay("--full", NULL, NULL), 1);
    assert_non_null(strstr(output, "damaged: journal-00000001.seg, offset 49152, after seq "));
    assert_int_equal(replay("--verify", NULL, NULL), 1);
    assert_int_equal(replay("--full", "--until=20", "--hash"), 0);
    byte = (char)(byte ^ 1);
    assert_int_equal(pwrite(file, &byte, 1, 12 * 4096 + 100), 1);
    (void)close(file);
    assert_int_equal(replay("--full", NULL, NULL), 0);
}

static void nothing_there_is_said(void **state)
{
    (void)state;
    char kept[sizeof path];
    memcpy(kept, path, sizeof path);
    (void)snprintf(path, sizeof path, "/tmp/dojima-nowhere");
    assert_int_equal(replay(NULL, NULL, NULL), 1);
    assert_non_null(strstr(output, "cannot be opened"));
    memcpy(path, kept, sizeof path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_the_live_one),
        cmocka_unit_test(snapshots_agree_with_the_journal),
        cmocka_unit_test(dump_has_every_event),
        cmocka_unit_test(damage_is_refused_and_can_be_stopped_before),
        cmocka_unit_test(nothing_there_is_said),
    };
    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
