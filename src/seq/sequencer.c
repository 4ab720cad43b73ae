/* sequencer.c: see sequencer.h.
 *
 * Invariants: (1) seq grows by one, ts never goes back, whatever the clock does; (2) a command is
 * checked before it is stamped: what replay would refuse never gets into the log; (3) nothing is
 * applied that the log or the tap has no room for; (4) live and replay step the same bytes: header
 * .size of them, zeros behind; (5) nothing is released after the log has failed.
 *
 * Upstream: gate. Downstream: log, machine, tap.
 */
#include "seq/sequencer.h"

#include "seq/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sequencer {
    struct io *io;
    struct machine *machine;
    struct sequencer_options options;
    struct sequencer_listener listener;
    struct recovery_result recovery;
    struct log *log;
    struct tap *tap;
    struct snapshot_taker *taker;
    ts_t ts;
    bool failed;
    struct command command; /* zeros behind what the last one used */
    uint32_t command_used;
    struct outbox outbox;        /* of commands */
    struct outbox outbox_answer; /* of queries */
};

struct sequencer_options sequencer_options_default(void)
{
    return (struct sequencer_options){
        .journal = journal_options_default(), .snapshot_commands = 1000000,
        .snapshot_bytes = UINT64_C(256) << 20, .snapshots_kept = 2, .snapshot_at_close = true,
        .tap_bytes = (size_t)64 << 20};
}

static ts_t time_now(const struct sequencer *s)
{
    return s->options.now != NULL ? s->options.now(s->options.now_context) : io_now(s->io);
}

/* ---- what the log says ---- */

static void on_committed(void *context, uint64_t seq)
{
    struct sequencer *s = context;
    if (s->failed) return;
    if (s->tap != NULL) tap_release(s->tap, seq);
    if (s->listener.durable != NULL) s->listener.durable(s->listener.context, seq);
}

static void on_failed(void *context, const char *text)
{
    struct sequencer *s = context;
    if (s->failed) return;
    s->failed = true;
    if (s->listener.failed != NULL) s->listener.failed(s->listener.context, text);
}

static void on_say(void *context, const char *text)
{
    struct sequencer *s = context;
    if (s->listener.say != NULL) s->listener.say(s->listener.context, text);
}

static void on_note(void *context, const char *text)
{
    struct sequencer *s = context;
    if (s->listener.note != NULL) s->listener.note(s->listener.context, text);
}

static void on_replayed(void *context, const struct command *command, const struct outbox *events)
{
    struct sequencer *s = context;
    if (s->listener.events != NULL) s->listener.events(s->listener.context, command, events);
}

/* ---- opening ---- */

static int memory_take(struct sequencer *s)
{
    size_t bytes = (s->machine->outbox_bytes + 63) / 64 * 64;
    s->outbox = (struct outbox){.bytes = aligned_alloc(64, bytes),
                                .capacity = s->machine->outbox_bytes};
    s->outbox_answer = (struct outbox){.bytes = aligned_alloc(64, bytes),
                                       .capacity = s->machine->outbox_bytes};
    bool ok = s->outbox.bytes != NULL && s->outbox_answer.bytes != NULL;
    if (ok && s->options.tap_bytes != 0) {
        s->tap = tap_new(s->options.tap_bytes, s->recovery.seq);
        ok = s->tap != NULL;
    }
    return ok ? 0 : -1;
}

static int log_begin(struct sequencer *s, char *error, size_t error_size)
{
    struct log_listener listener = {.committed = on_committed, .failed = on_failed, .say = on_say,
                                    .note = on_note, .context = s};
    s->log = journal_open(s->io, &s->options.journal, &s->machine->limits, &s->recovery.position,
                          &listener, error, error_size);
    if (s->log == NULL) return -1;
    struct snapshot_taker_options t = {.commands = s->options.snapshot_commands,
                                       .bytes = s->options.snapshot_bytes,
                                       .kept = s->options.snapshots_kept,
                                       .log_id = journal_log_id(s->log), .listener = listener};
    s->taker = snapshot_taker_new(s->io, s->machine, s->log, &t);
    if (s->taker != NULL) return 0;
    (void)snprintf(error, error_size, "sequencer: out of memory");
    return -1;
}

static void sequencer_free(struct sequencer *s)
{
    if (s->tap != NULL) tap_free(s->tap);
    free(s->outbox.bytes);
    free(s->outbox_answer.bytes);
    free(s);
}

struct sequencer *sequencer_open(struct io *io, struct machine *machine,
                                 const struct sequencer_options *options,
                                 const struct sequencer_listener *listener, char *error,
                                 size_t error_size)
{
    struct sequencer *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)snprintf(error, error_size, "sequencer: out of memory");
        return NULL;
    }
    s->io = io;
    s->machine = machine;
    s->options = *options;
    s->listener = *listener;
    struct recovery_options r = {.events_from = options->events_from, .events = on_replayed,
                                 .say = on_say, .context = s};
    if (recovery_run(io, machine, &r, &s->recovery, error, error_size) < 0) goto out;
    s->ts = machine->verbs->ts(machine->state);
    if (memory_take(s) < 0) {
        (void)snprintf(error, error_size, "sequencer: out of memory");
        goto out;
    }
    if (log_begin(s, error, error_size) == 0) return s;
out:
    if (s->log != NULL) (void)log_close(s->log);
    sequencer_free(s);
    return NULL;
}

/* ---- commands ---- */

/* Whether the log and the tap can take one more command. */
static bool has_room(struct sequencer *s, uint32_t size)
{
    if (s->tap != NULL && !tap_has_room(s->tap)) {
        log_flush(s->log);
        if (!tap_has_room(s->tap)) return false;
    }
    if (log_has_room(s->log, size)) return true;
    log_flush(s->log);
    return log_has_room(s->log, size);
}

enum sequencer_status sequencer_submit(struct sequencer *s, struct command *command,
                                       const struct outbox **events)
{
    if (s->failed) return SEQUENCER_FAILED;
    uint32_t size = command->header.size;
    if (size > sizeof *command || !command_is_valid(command, size)) return SEQUENCER_INVALID;
    if (!has_room(s, size)) return s->failed ? SEQUENCER_FAILED : SEQUENCER_BUSY;
    ts_t now = time_now(s);
    if (now.v > s->ts.v) s->ts = now;
    command->header.seq = s->log->appended + 1;
    command->header.ts = s->ts;
    memcpy(&s->command, command, size);
    if (s->command_used > size)
        memset((unsigned char *)&s->command + size, 0, s->command_used - size);
    s->command_used = size;
    log_append(s->log, &s->command);
    assert_seq_current = command->header.seq;
    outbox_reset(&s->outbox, command->header.seq, command->header.ts);
    s->machine->verbs->step(s->machine->state, &s->command, &s->outbox);
    assert_seq_current = 0;
    if (s->tap != NULL) tap_push(s->tap, command->header.seq, s->outbox.bytes, s->outbox.used);
    *events = &s->outbox;
    return SEQUENCER_OK;
}

enum sequencer_status sequencer_tick(struct sequencer *s, const struct outbox **events)
{
    *events = NULL;
    if (s->failed) return SEQUENCER_FAILED;
    if (sequencer_due(s).v > time_now(s).v) return SEQUENCER_OK;
    struct command tick = {.header = {.kind = COMMAND_tick, .size = sizeof tick.header}};
    return sequencer_submit(s, &tick, events);
}

void sequencer_query(struct sequencer *s, const struct query *query, const struct outbox **events)
{
    outbox_reset(&s->outbox_answer, s->log->appended, s->ts);
    s->machine->verbs->query(s->machine->state, query, &s->outbox_answer);
    *events = &s->outbox_answer;
}

void sequencer_flush(struct sequencer *s)
{
    log_flush(s->log);
    snapshot_taker_turn(s->taker);
}

void sequencer_poll(struct sequencer *s)
{
    (void)io_poll(s->io);
    snapshot_taker_turn(s->taker);
}

int sequencer_wait(struct sequencer *s)
{
    sequencer_flush(s);
    while (!s->failed && s->log->committed < s->log->appended && io_wait(s->io) > 0)
        log_flush(s->log);
    bool done = !s->failed && s->log->committed == s->log->appended;
    return done ? 0 : -1;
}

uint64_t sequencer_seq(const struct sequencer *s) { return s->log->appended; }

uint64_t sequencer_durable(const struct sequencer *s) { return s->log->committed; }

ts_t sequencer_due(const struct sequencer *s)
{
    return s->machine->verbs->due(s->machine->state);
}

uint64_t sequencer_snapshot_seq(const struct sequencer *s)
{
    return snapshot_taker_last(s->taker);
}

const struct recovery_result *sequencer_recovery(const struct sequencer *s)
{
    return &s->recovery;
}

struct tap *sequencer_tap(struct sequencer *s) { return s->tap; }

void sequencer_snapshot(struct sequencer *s) { snapshot_taker_force(s->taker); }

int sequencer_close(struct sequencer *s)
{
    int result = sequencer_wait(s);
    bool changed = s->log->appended != s->recovery.snapshot_seq &&
                   s->log->appended != snapshot_taker_last(s->taker);
    while (result == 0 && snapshot_taker_is_busy(s->taker) && io_wait(s->io) > 0) continue;
    if (result == 0 && s->options.snapshot_at_close && changed) snapshot_taker_force(s->taker);
    snapshot_taker_free(s->taker);
    if (log_close(s->log) < 0 || s->failed) result = -1;
    sequencer_free(s);
    return result;
}
