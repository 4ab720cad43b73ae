/* recovery.c: newest usable snapshot, then the commands behind it.
 *
 * Invariants: (1) the same commands give the same state: snapshot + tail = full replay, by hash;
 * (2) a snapshot that cannot be used is said and passed over, never silently; (3) a journal that
 * ends before any snapshot's seq has lost durable commands: refused; (4) what is recovered is what
 * the disk holds (io_settle), so that it may be built upon.
 *
 * Upstream: journal, snapshot. Downstream: sequencer, replay, sim.
 */
#include "seq/recovery.h"

#include "seq/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SNAPSHOTS_MAX = 256 };

struct recovery {
    struct io *io;
    struct machine *machine;
    const struct recovery_options *options;
    struct recovery_result *result;
    char *error;
    size_t error_size;
    uint64_t log_id;
    uint64_t snapshot_newest; /* by name, usable or not */
};

static int fail(struct recovery *r, const char *text)
{
    (void)snprintf(r->error, r->error_size, "%s", text);
    return -1;
}

static void say(struct recovery *r, const char *text)
{
    if (r->options->say != NULL) r->options->say(r->options->context, text);
}

int recovery_limits(struct io *io, struct machine_limits *limits, char *error, size_t error_size)
{
    struct journal_reader *reader = journal_reader_open(io, UINT64_MAX, false, error, error_size);
    if (reader == NULL) return -1;
    const struct journal_segment *s = journal_reader_segment(reader);
    if (s != NULL) *limits = s->limits;
    journal_reader_close(reader);
    return s != NULL;
}

/* Whether there is a journal, and whether it is this machine's. 1, 0, -1. */
static int journal_look(struct recovery *r)
{
    struct machine_limits limits;
    struct journal_reader *reader =
        journal_reader_open(r->io, UINT64_MAX, !r->options->read_only, r->error, r->error_size);
    if (reader == NULL) return -1;
    const struct journal_segment *s = journal_reader_segment(reader);
    if (s != NULL) limits = s->limits;
    r->log_id = journal_reader_position(reader)->log_id;
    journal_reader_close(reader);
    if (s == NULL) return 0;
    if (memcmp(&limits, &r->machine->limits, sizeof limits) != 0)
        return fail(r, "recovery: the journal was written with other limits than these; a machine "
                       "of other limits would answer differently");
    return 1;
}

/* Loads the newest snapshot that can be used, if any. */
static int snapshot_choose(struct recovery *r)
{
    uint64_t seqs[SNAPSHOTS_MAX];
    int64_t count = snapshot_list(r->io, seqs, SNAPSHOTS_MAX);
    if (count < 0) return fail(r, "recovery: the directory cannot be listed");
    if (count > 0) r->snapshot_newest = seqs[count - 1];
    if (count > 0 && r->log_id == 0)
        return fail(r, "recovery: there are snapshots, but no journal: its files are missing");
    const struct recovery_options *o = r->options;
    for (int64_t i = count - 1; i >= 0 && !o->full; i--) {
        if (o->until != 0 && seqs[i] > o->until) continue;
        if (o->events_from != 0 && seqs[i] >= o->events_from) continue;
        struct snapshot_header header;
        char why[128];
        char text[256];
        int unusable = snapshot_load(r->io, seqs[i], r->machine, &header, why, sizeof why);
        if (unusable == 0 && header.log_id == r->log_id) {
            r->result->snapshot_seq = header.seq;
            return 0;
        }
        if (unusable == 0) (void)snprintf(why, sizeof why, "it belongs to another journal");
        (void)snprintf(text, sizeof text, "recovery: %s cannot be used: %s; %s",
                       snapshot_name(seqs[i]).text, why,
                       i > 0 ? "trying the one before" : "replaying from the first command");
        say(r, text);
    }
    r->machine->verbs->clear(r->machine->state);
    if (r->machine->verbs->open(r->machine->state) < 0)
        return fail(r, "recovery: the machine cannot be opened");
    return 0;
}

static int replay(struct recovery *r, struct journal_reader *reader, struct outbox *outbox)
{
    const struct recovery_options *o = r->options;
    struct machine *m = r->machine;
    int got = 0;
    const struct command *c;
    while ((o->until == 0 || r->result->seq < o->until) &&
           (got = journal_reader_next(reader, &c)) == 1) {
        if (r->result->replayed == 0 && c->header.ts.v < m->verbs->ts(m->state).v)
            return fail(r, "recovery: the journal's time goes back behind the snapshot's");
        if (c->header.seq != r->result->seq + 1)
            return fail(r, "recovery: the journal does not continue the snapshot");
        assert_seq_current = c->header.seq;
        outbox_reset(outbox, c->header.seq, c->header.ts);
        m->verbs->step(m->state, c, outbox);
        r->result->seq = c->header.seq;
        r->result->replayed += 1;
        if (o->events != NULL && o->events_from != 0 && c->header.seq >= o->events_from)
            o->events(o->context, c, outbox);
    }
    assert_seq_current = 0;
    if (got < 0) return -1;
    r->result->position = *journal_reader_position(reader);
    return 0;
}

/* What the end of the log says. */
static int end_check(struct recovery *r)
{
    const struct journal_position *p = &r->result->position;
    char text[256];
    if (r->options->until != 0) {
        if (r->result->seq == r->options->until) return 0;
        (void)snprintf(text, sizeof text, "recovery: the journal ends at seq %" PRIu64, p->seq);
        say(r, text);
    }
    if (p->seq < r->snapshot_newest) {
        (void)snprintf(text, sizeof text,
                       "recovery: the journal ends at seq %" PRIu64 ", yet there is a snapshot of "
                       "seq %" PRIu64 ": durable commands are missing", p->seq,
                       r->snapshot_newest);
        return fail(r, text);
    }
    if (p->torn_bytes != 0) {
        (void)snprintf(text, sizeof text,
                       "recovery: a torn group of %" PRIu64 " bytes after seq %" PRIu64
                       " is cut off (%s, offset %" PRIu64 "): it was never acknowledged",
                       p->torn_bytes, p->seq, journal_segment_name(p->torn_segment).text,
                       p->torn_offset);
        say(r, text);
    }
    return 0;
}

int recovery_run(struct io *io, struct machine *machine, const struct recovery_options *options,
                 struct recovery_result *result, char *error, size_t error_size)
{
    struct recovery r = {.io = io, .machine = machine, .options = options, .result = result,
                         .error = error, .error_size = error_size};
    ASSERT(options->until == 0 || options->read_only);
    *result = (struct recovery_result){0};
    int exists = journal_look(&r);
    if (exists < 0 || snapshot_choose(&r) < 0) return -1;
    if (exists == 0) return 0;
    result->seq = result->snapshot_seq;
    struct journal_reader *reader =
        journal_reader_open(io, result->seq + 1, false, error, error_size);
    if (reader == NULL) return -1;
    struct outbox outbox = {.bytes = aligned_alloc(64, (machine->outbox_bytes + 63) / 64 * 64),
                            .capacity = machine->outbox_bytes};
    int failed = outbox.bytes == NULL ? fail(&r, "recovery: out of memory")
                                      : replay(&r, reader, &outbox);
    free(outbox.bytes);
    journal_reader_close(reader);
    if (failed == 0) failed = end_check(&r);
    if (failed == 0) {
        /* The log may end within its reader's skipped part: then its time is the snapshot's. */
        ts_t ts = machine->verbs->ts(machine->state);
        if (result->position.ts.v < ts.v) result->position.ts = ts;
        machine->verbs->check(machine->state);
    }
    return failed;
}
