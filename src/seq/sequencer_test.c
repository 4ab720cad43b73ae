/* sequencer_test.c: the sequencer over a real directory and its threads, with a tiny machine. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "seq/sequencer.h"
#include "seq/snapshot.h"
#include "sim/disk.h"
#include "sim/tiny.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
    char path[64];
    struct io *io;
    struct machine *machine;
    struct sequencer *sequencer;
    struct sequencer_options options;
    uint64_t durable;
    uint64_t replayed_first;
    uint64_t replayed;
    uint64_t snapshots;
    uint64_t failures;
    char error[512];
};

static void on_durable(void *context, uint64_t seq)
{
    struct node *n = context;
    assert_true(seq > n->durable);
    n->durable = seq;
}

static void on_failed(void *context, const char *text)
{
    (void)text;
    ((struct node *)context)->failures += 1;
}

static void on_say(void *context, const char *text)
{
    if (strncmp(text, "snapshot at seq", 15) == 0) ((struct node *)context)->snapshots += 1;
}

static void on_events(void *context, const struct command *command, const struct outbox *events)
{
    struct node *n = context;
    if (n->replayed == 0) n->replayed_first = command->header.seq;
    assert_int_equal(events->seq, command->header.seq);
    n->replayed += 1;
}

static void node_open(struct node *n)
{
    struct sequencer_listener l = {.durable = on_durable, .failed = on_failed, .say = on_say,
                                   .note = on_say, .events = on_events, .context = n};
    n->io = io_directory_open(n->path, IO_DIRECTORY_CREATE, n->error, sizeof n->error);
    assert_non_null(n->io);
    n->sequencer =
        sequencer_open(n->io, n->machine, &n->options, &l, n->error, sizeof n->error);
    assert_non_null(n->sequencer);
}

static void node_close(struct node *n)
{
    assert_int_equal(sequencer_close(n->sequencer), 0);
    n->sequencer = NULL;
    io_directory_close(n->io);
    n->io = NULL;
}

static int setup(void **state)
{
    struct node *n = calloc(1, sizeof *n);
    (void)snprintf(n->path, sizeof n->path, "/tmp/dojima-seq-XXXXXX");
    assert_non_null(mkdtemp(n->path));
    n->machine = tiny_new();
    n->options = sequencer_options_default();
    n->options.journal.segment_bytes = 1 << 18;
    n->options.journal.group_bytes_max = 1 << 15;
    n->options.snapshot_commands = 300;
    node_open(n);
    *state = n;
    return 0;
}

static int teardown(void **state)
{
    struct node *n = *state;
    if (n->sequencer != NULL) node_close(n);
    n->io = io_directory_open(n->path, 0, n->error, sizeof n->error);
    struct io_name *names;
    int64_t count = io_list_all(n->io, &names);
    for (int64_t i = 0; i < count; i++) (void)io_remove(n->io, names[i].text);
    free(names);
    io_directory_close(n->io);
    tiny_free(n->machine);
    int result = rmdir(n->path);
    free(n);
    return result;
}

static void submit(struct node *n, uint64_t count)
{
    for (; count > 0; count--) {
        struct command c;
        const struct outbox *events;
        enum sequencer_status status;
        do {
            c = (struct command){.header = {.kind = COMMAND_order_cancel,
                                            .size = sizeof c.header + sizeof c.order_cancel}};
            c.order_cancel.order_id = count;
            status = sequencer_submit(n->sequencer, &c, &events);
            if (status == SEQUENCER_BUSY) (void)sequencer_wait(n->sequencer);
        } while (status == SEQUENCER_BUSY);
        assert_int_equal(status, SEQUENCER_OK);
        assert_int_equal(events->seq, c.header.seq);
        assert_int_equal(c.header.seq, sequencer_seq(n->sequencer));
    }
}

static void releases_only_what_is_durable(void **state)
{
    struct node *n = *state;
    submit(n, 10);
    assert_int_equal(n->durable, 0);
    assert_int_equal(sequencer_seq(n->sequencer), 10);
    assert_int_equal(sequencer_durable(n->sequencer), 0);
    assert_int_equal(sequencer_wait(n->sequencer), 0);
    assert_int_equal(n->durable, 10);
    submit(n, 2); /* few: made durable by the flush itself */
    sequencer_flush(n->sequencer);
    assert_int_equal(n->durable, 12);
}

static void restarts_where_it_was(void **state)
{
    struct node *n = *state;
    for (int i = 0; i < 40; i++) {
        submit(n, 100);
        sequencer_flush(n->sequencer);
        sequencer_poll(n->sequencer);
    }
    assert_int_equal(sequencer_wait(n->sequencer), 0);
    uint64_t hash = n->machine->verbs->hash(n->machine->state);
    node_close(n);
    assert_true(n->snapshots >= 2);
    n->durable = 0;
    node_open(n);
    assert_int_equal(sequencer_seq(n->sequencer), 4000);
    assert_int_equal(sequencer_durable(n->sequencer), 4000);
    assert_int_equal(sequencer_recovery(n->sequencer)->snapshot_seq, 4000);
    assert_true(n->machine->verbs->hash(n->machine->state) == hash);
    node_close(n);
    n->options.events_from = 3990; /* an older snapshot, or none, and the events from there */
    node_open(n);
    assert_true(sequencer_recovery(n->sequencer)->snapshot_seq < 3990);
    assert_int_equal(n->replayed_first, 3990);
    assert_int_equal(n->replayed, 11);
    assert_true(n->machine->verbs->hash(n->machine->state) == hash);
    submit(n, 1);
    assert_int_equal(sequencer_seq(n->sequencer), 4001);
}

static void invalid_never_reaches_the_log(void **state)
{
    struct node *n = *state;
    struct command c = {.header = {.kind = COMMAND_order_new, .size = 72}};
    const struct outbox *events;
    assert_int_equal(sequencer_submit(n->sequencer, &c, &events), SEQUENCER_INVALID);
    c.header.size = 1 << 20;
    assert_int_equal(sequencer_submit(n->sequencer, &c, &events), SEQUENCER_INVALID);
    assert_int_equal(sequencer_seq(n->sequencer), 0);
}

static void ticks_come_when_due(void **state)
{
    struct node *n = *state;
    const struct outbox *events;
    assert_int_equal(sequencer_tick(n->sequencer, &events), SEQUENCER_OK);
    assert_non_null(events); /* a fresh tiny machine is due at 1970 */
    assert_int_equal(sequencer_tick(n->sequencer, &events), SEQUENCER_OK);
    assert_null(events);
    assert_int_equal(sequencer_seq(n->sequencer), 1);
}

struct follower {
    struct tap *tap;
    struct tap_reader reader;
    uint64_t until;
    uint64_t last;
    int64_t bytes;
};

static void *follow(void *argument)
{
    struct follower *f = argument;
    unsigned char events[4096];
    while (f->reader.seq < f->until) {
        int64_t got = tap_read(f->tap, &f->reader, events, sizeof events);
        if (got < 0) return "evicted";
        for (int64_t at = 0; at < got;) {
            struct event_header h;
            memcpy(&h, events + at, sizeof h);
            if (h.seq < f->last) return "out of order";
            f->last = h.seq;
            at += h.size;
        }
        f->bytes += got;
        if (got == 0) tap_wait(f->tap, &f->reader, 50 * NS_PER_MS);
    }
    return NULL;
}

static void tap_is_followed_from_another_thread(void **state)
{
    struct node *n = *state;
    struct follower f = {.tap = sequencer_tap(n->sequencer), .until = 3000};
    pthread_t thread;
    void *wrong = NULL;
    tap_start(f.tap, &f.reader);
    assert_int_equal(pthread_create(&thread, NULL, follow, &f), 0);
    for (int i = 0; i < 30; i++) {
        submit(n, 100);
        sequencer_flush(n->sequencer);
        sequencer_poll(n->sequencer);
    }
    assert_int_equal(sequencer_wait(n->sequencer), 0);
    assert_int_equal(pthread_join(thread, &wrong), 0);
    assert_null(wrong);
    assert_true(f.bytes > 3000);
}

static void slow_reader_is_evicted(void **state)
{
    (void)state;
    struct tap *t = tap_new(1000, 5);
    struct tap_reader slow;
    struct tap_reader quick;
    unsigned char events[100] = {0};
    unsigned char got[500];
    tap_start(t, &slow);
    tap_start(t, &quick);
    assert_int_equal(slow.seq, 5);
    assert_int_equal(tap_read(t, &quick, got, sizeof got), 0);
    for (uint64_t seq = 6; seq < 40; seq++) {
        assert_true(tap_has_room(t));
        tap_push(t, seq, events, sizeof events);
        assert_int_equal(tap_read(t, &quick, got, sizeof got), 0);
        tap_release(t, seq);
        assert_int_equal(tap_read(t, &quick, got, 99), TAP_BUFFER_TOO_SMALL);
        assert_int_equal(tap_read(t, &quick, got, sizeof got), 100);
        assert_int_equal(quick.seq, seq);
    }
    assert_int_equal(tap_read(t, &slow, got, sizeof got), TAP_EVICTED);
    uint64_t seq = 40;
    for (; tap_has_room(t); seq++) tap_push(t, seq, events, sizeof events);
    assert_int_equal(tap_read(t, &quick, got, sizeof got), 0); /* none of those is released */
    tap_push(t, seq, events, 1 << 20); /* more than the ring: a gap that evicts everybody */
    tap_push(t, seq + 1, events, sizeof events);
    tap_release(t, seq + 1);
    while (quick.seq < seq - 1) assert_true(tap_read(t, &quick, got, sizeof got) > 0);
    assert_int_equal(tap_read(t, &quick, got, sizeof got), TAP_EVICTED);
    tap_start(t, &quick);
    assert_int_equal(quick.seq, seq + 1);
    tap_free(t);
}

/* The tap is full of what is not durable: the sequencer says so, applies nothing, and goes on. */
static void busy_applies_nothing(void **state)
{
    (void)state;
    struct disk *d = disk_new(1);
    struct machine *m = tiny_new();
    struct sequencer_listener l = {0};
    struct sequencer_options o = sequencer_options_default();
    char error[256];
    o.tap_bytes = 1000;
    o.journal.segment_bytes = 1 << 16;
    o.journal.group_bytes_max = 1 << 13;
    o.journal.inline_max = 0;
    struct sequencer *s = sequencer_open(disk_io(d), m, &o, &l, error, sizeof error);
    assert_non_null(s);
    enum sequencer_status status = SEQUENCER_OK;
    struct command c = {.header = {.kind = COMMAND_tick, .size = sizeof c.header}};
    const struct outbox *events;
    uint64_t count = 0;
    while ((status = sequencer_submit(s, &c, &events)) == SEQUENCER_OK) count += 1;
    assert_int_equal(status, SEQUENCER_BUSY);
    assert_int_equal(sequencer_seq(s), count);
    assert_int_equal(m->verbs->seq(m->state), count);
    assert_int_equal(sequencer_wait(s), 0);
    assert_int_equal(sequencer_submit(s, &c, &events), SEQUENCER_OK);
    assert_int_equal(sequencer_close(s), 0);
    tiny_free(m);
    disk_free(d);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(releases_only_what_is_durable),
        T(restarts_where_it_was),
        T(invalid_never_reaches_the_log),
        T(ticks_come_when_due),
        T(tap_is_followed_from_another_thread),
        cmocka_unit_test(slow_reader_is_evicted),
        cmocka_unit_test(busy_applies_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
