/* sim.c: the durable half of the node against a disk that does its worst, from one seed.
 *
 * The production sequencer, journal, snapshots and recovery run over sim/disk.c. A run is one
 * history: commands, flushes, completions in any order, snapshots, clean restarts, killed
 * processes, power cuts at any operation (recovery included), failed syncs, full disks, a clock
 * that jumps. Beside it, at operations drawn at random, the disk is copied, the power of the copy
 * is cut, and it is recovered: each is one crash state. Checked every time:
 *   (1) what was released (durable was called) is there;
 *   (2) what is there is a prefix of what was submitted: no gap, nothing else;
 *   (3) the recovered state has the hash that the live state had at that seq;
 *   (4) a recovered node goes on: what it then acknowledges survives the next power cut;
 *   (5) readers of the tap see only what is durable;
 *   (6) flipped bits: refused with the place, or provably harmless; a snapshot that rots is passed
 *       over.
 *
 * sim SEED STEPS [tiny|core] [RUNS]: with RUNS, seeds SEED .. SEED + RUNS - 1. Exit status 1 and
 * the seed on a failure; the same build, seed and steps fail the same way.
 *
 * Upstream: disk, tiny, workload, seq. Downstream: nobody.
 */
#include "commit.h"
#include "seq/machine_core.h"
#include "seq/sequencer.h"
#include "seq/snapshot.h"
#include "sim/disk.h"
#include "sim/tiny.h"
#include "sim/workload.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
    uint64_t seed;
    uint64_t step;
    bool core;
    struct random random;
    struct disk *disk;
    struct machine *machine; /* live */
    struct machine *other;   /* of the copies */
    struct workload workload;
    struct sequencer *sequencer; /* NULL: the node is down */
    struct tap_reader reader;
    bool failed;      /* the node has said that it must stop */
    bool damaged;     /* a failed sync is expected to have said so */
    uint64_t *hashes; /* [seq], of the live state after it */
    uint64_t submitted;
    uint64_t hashes_max;
    uint64_t durable; /* released */
    bool pruned;
    bool rotting; /* bits are being flipped */
    ts_t clock;

    uint64_t crash_states;
    uint64_t recoveries;
    uint64_t commands;
    uint64_t snapshots;
    uint64_t rots;
    uint64_t rots_refused;
    uint64_t torn;
    uint64_t fallbacks;
};

_Noreturn static void fail(const struct world *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "sim: FAILED: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\nsim: seed %" PRIu64 ", step %" PRIu64 ", %s machine, commit %s\n",
                  w->seed, w->step, w->core ? "core" : "tiny", SIM_COMMIT);
    va_end(arguments);
    exit(1);
}

static struct machine *machine_make(const struct world *w)
{
    if (!w->core) return tiny_new();
    struct core_limits limits = core_limits_small();
    struct machine *m = machine_core_new(&limits);
    ASSERT(m != NULL);
    return m;
}

static void machine_drop(const struct world *w, struct machine *m)
{
    if (w->core) machine_core_free(m);
    else tiny_free(m);
}

/* ---- what the node says ---- */

static void on_durable(void *context, uint64_t seq)
{
    struct world *w = context;
    if (seq < w->durable || seq > w->submitted) fail(w, "released seq %" PRIu64, seq);
    if (w->failed) fail(w, "released seq %" PRIu64 " after it had failed", seq);
    w->durable = seq;
}

static void on_failed(void *context, const char *text)
{
    struct world *w = context;
    if (!disk_is_faulty(w->disk)) fail(w, "failed on a good disk: %s", text);
    w->failed = true;
}

static void on_say(void *context, const char *text)
{
    struct world *w = context;
    if (strstr(text, "torn group") != NULL) w->torn += 1;
    if (strstr(text, "cannot be used") != NULL) {
        if (!w->rotting) fail(w, "a snapshot with a final name is no good: %s", text);
        w->fallbacks += 1;
    }
    if (strncmp(text, "snapshot at seq", 15) == 0) w->snapshots += 1;
}

/* ---- copies whose power is cut ---- */

static struct sequencer_options options_draw(struct world *w, struct random *r)
{
    struct sequencer_options o = sequencer_options_default();
    o.journal.segment_bytes = JOURNAL_BLOCK * (8 + random_below(r, 8));
    o.journal.group_bytes_max = JOURNAL_BLOCK * 2;
    o.journal.inline_max = random_below(r, 2) == 0 ? 0 : 3;
    o.journal.prune = random_below(r, 8) == 0;
    o.snapshot_commands = (w->core ? 200 : 30) + random_below(r, 100);
    o.snapshots_kept = 1 + (uint32_t)random_below(r, 3);
    o.snapshot_at_close = random_below(r, 2) == 0;
    o.tap_bytes = 4096 + random_below(r, 1 << 16);
    return o;
}

static void state_check(const struct world *w, struct machine *m, uint64_t seq, const char *where)
{
    if (seq < w->durable)
        fail(w, "%s: seq %" PRIu64 " was acknowledged, recovered only to %" PRIu64, where,
             w->durable, seq);
    if (seq > w->submitted)
        fail(w, "%s: recovered seq %" PRIu64 " of %" PRIu64, where, seq, w->submitted);
    if (m->verbs->seq(m->state) != seq) fail(w, "%s: the machine is at another seq", where);
    if (m->verbs->hash(m->state) != w->hashes[seq])
        fail(w, "%s: the state at seq %" PRIu64 " is not what it was live", where, seq);
}

struct branch { /* a recovered copy that goes on by itself */
    struct world *w;
    uint64_t durable;
    bool failed;
};

static void branch_durable(void *context, uint64_t seq)
{
    ((struct branch *)context)->durable = seq;
}

static void branch_failed(void *context, const char *text)
{
    (void)text;
    ((struct branch *)context)->failed = true;
}
static void branch_say(void *context, const char *text)
{
    on_say(((struct branch *)context)->w, text);
}

/* A recovered copy takes commands, and after one more power cut has what it acknowledged. */
static void branch_go_on(struct world *w, struct disk *copy, struct random *r)
{
    char error[512];
    struct branch b = {.w = w};
    struct sequencer_listener l = {.durable = branch_durable, .failed = branch_failed,
                                   .say = branch_say, .note = branch_say, .context = &b};
    struct sequencer_options o = options_draw(w, r);
    if (random_below(r, 4) == 0) disk_stop_after(copy, 1 + random_below(r, 60));
    struct sequencer *s = sequencer_open(disk_io(copy), w->other, &o, &l, error, sizeof error);
    if (s == NULL && !disk_stopped(copy)) fail(w, "a copy cannot be opened: %s", error);
    uint64_t hash[32] = {0};
    uint64_t start = s == NULL ? 0 : sequencer_seq(s);
    uint64_t count = 0;
    if (s != NULL) {
        state_check(w, w->other, start, "copy");
        b.durable = start;
        struct workload work = w->workload;
        for (uint64_t n = random_below(r, 20); count < n; count++) {
            struct command c;
            const struct outbox *events;
            workload_next(&work, start + count + 1, &c);
            if (sequencer_submit(s, &c, &events) != SEQUENCER_OK) break;
            hash[count + 1] = w->other->verbs->hash(w->other->state);
            if (random_below(r, 3) == 0) sequencer_flush(s);
            if (random_below(r, 3) == 0) sequencer_poll(s);
        }
        hash[0] = w->hashes[start];
        (void)sequencer_wait(s);
        disk_stop_after(copy, 1); /* nothing more reaches the disk */
        (void)sequencer_close(s);
    }
    disk_crash(copy, (enum disk_crash)random_below(r, DISK_CRASH_count));
    struct recovery_options ro = {.say = branch_say, .context = &b};
    struct recovery_result result;
    if (recovery_run(disk_io(copy), w->other, &ro, &result, error, sizeof error) < 0)
        fail(w, "a copy cannot be recovered a second time: %s", error);
    w->crash_states += 1;
    if (s == NULL) {
        state_check(w, w->other, result.seq, "copy, recovered twice");
        return;
    }
    if (result.seq < b.durable || result.seq > start + count)
        fail(w, "copy: acknowledged %" PRIu64 ", recovered %" PRIu64, b.durable, result.seq);
    if (w->other->verbs->hash(w->other->state) != hash[result.seq - start])
        fail(w, "copy: the state at seq %" PRIu64 " is not what it was", result.seq);
}

/* One crash state: the power goes now. */
static void copy_crash(struct world *w, const struct disk *d)
{
    struct random r = {random_next(&w->random)};
    struct disk *copy = disk_clone(d, random_next(&r));
    disk_crash(copy, (enum disk_crash)random_below(&r, DISK_CRASH_count));
    w->crash_states += 1;
    if (random_below(&r, 5) == 0) {
        branch_go_on(w, copy, &r);
    } else {
        char error[512];
        struct branch b = {.w = w};
        struct recovery_options o = {.say = branch_say, .context = &b};
        struct recovery_result result;
        o.full = !w->pruned && random_below(&r, 4) == 0;
        o.read_only = random_below(&r, 2) == 0;
        if (recovery_run(disk_io(copy), w->other, &o, &result, error, sizeof error) < 0)
            fail(w, "a copy cannot be recovered: %s", error);
        state_check(w, w->other, result.seq, o.full ? "copy, full replay" : "copy");
    }
    disk_free(copy);
}

static void on_operation(void *context, struct disk *d)
{
    struct world *w = context;
    uint64_t often = w->core ? 1 : 2;
    for (uint64_t n = random_below(&w->random, often + 2); n > 0; n--) copy_crash(w, d);
}

/* ---- bit rot ---- */

/* Flips a bit of a journal or snapshot of a copy: refused with the place, or no harm. */
static void rot_check(struct world *w)
{
    struct random r = {random_next(&w->random)};
    struct disk *copy = disk_clone(w->disk, random_next(&r));
    disk_crash(copy, DISK_CRASH_all_kept);
    struct io_name names[64];
    int64_t count = io_list(disk_io(copy), names, 64);
    for (int tries = 0; tries < 8; tries++) {
        const char *name = names[random_below(&r, (uint64_t)count)].text;
        size_t size;
        const unsigned char *bytes = disk_bytes(copy, name, &size);
        uint32_t index;
        uint64_t seq;
        if (size == 0 || bytes == NULL) continue;
        bool journal = journal_segment_index(name, &index);
        if (!journal && !snapshot_seq(name, &seq)) continue;
        size_t at = (size_t)random_below(&r, size);
        unsigned char mask = (unsigned char)(1u << random_below(&r, 8));
        disk_flip(copy, name, at, mask);
        char error[512] = "";
        struct branch b = {.w = w};
        struct recovery_options o = {.read_only = true, .say = branch_say, .context = &b};
        o.full = !w->pruned && random_below(&r, 2) == 0;
        struct recovery_result result;
        w->rotting = true;
        bool refused = recovery_run(disk_io(copy), w->other, &o, &result, error, sizeof error) < 0;
        w->rotting = false;
        w->rots += 1;
        w->rots_refused += refused;
        if (refused && journal && strstr(error, "damaged") != NULL && strstr(error, name) == NULL)
            fail(w, "bit flipped in %s, yet refused with: %s", name, error);
        if (refused && !journal && !w->pruned)
            fail(w, "bit flipped in %s at %zu, and the journal was not enough: %s", name, at,
                 error);
        /* Only the very last group can rot unseen, as a torn tail (journal.c). */
        if (!refused) {
            if (result.seq > w->submitted ||
                w->other->verbs->hash(w->other->state) != w->hashes[result.seq])
                fail(w, "bit flipped in %s at %zu: recovered another state", name, at);
            if (result.seq < w->durable && (!journal || result.position.torn_bytes == 0))
                fail(w, "bit flipped in %s at %zu: seq %" PRIu64 " lost without a word", name, at,
                     w->durable);
        }
        disk_flip(copy, name, at, mask);
    }
    disk_free(copy);
}

/* Without its newest snapshot a copy comes to the same state from the one before: no segment that
 * the older one needs was pruned. */
static void older_check(struct world *w)
{
    struct random r = {random_next(&w->random)};
    struct disk *copy = disk_clone(w->disk, random_next(&r));
    disk_crash(copy, DISK_CRASH_all_kept);
    uint64_t seqs[16];
    int64_t count = snapshot_list(disk_io(copy), seqs, 16);
    if (count >= 2 || (count == 1 && !w->pruned)) {
        char error[512];
        struct recovery_options o = {.read_only = true};
        struct recovery_result result;
        (void)io_remove(disk_io(copy), snapshot_name(seqs[count - 1]).text);
        if (recovery_run(disk_io(copy), w->other, &o, &result, error, sizeof error) < 0)
            fail(w, "a copy without its newest snapshot cannot be recovered: %s", error);
        state_check(w, w->other, result.seq, "copy without its newest snapshot");
    }
    disk_free(copy);
}

/* ---- the node ---- */

static void node_start(struct world *w)
{
    char error[512];
    struct sequencer_listener l = {.durable = on_durable, .failed = on_failed, .say = on_say,
                                   .note = on_say, .context = w};
    struct sequencer_options o = options_draw(w, &w->random);
    if (o.journal.prune) w->pruned = true;
    w->failed = false;
    w->sequencer = sequencer_open(disk_io(w->disk), w->machine, &o, &l, error, sizeof error);
    w->recoveries += 1;
    if (w->sequencer == NULL) {
        if (!disk_stopped(w->disk) && !w->damaged) fail(w, "the node cannot start: %s", error);
        return;
    }
    uint64_t seq = sequencer_seq(w->sequencer);
    state_check(w, w->machine, seq, "restart");
    w->submitted = seq; /* what was not acknowledged and is not there is gone for good */
    w->durable = seq;
    tap_start(sequencer_tap(w->sequencer), &w->reader);
}

/* The node is gone without a word to it; its memory is freed behind a dead disk. */
static void node_drop(struct world *w)
{
    if (w->sequencer == NULL) return;
    disk_hook_set(w->disk, NULL, NULL);
    disk_stop_after(w->disk, 1);
    (void)io_sync_directory(disk_io(w->disk));
    w->failed = true;
    uint64_t durable = w->durable;
    (void)sequencer_close(w->sequencer);
    w->durable = durable;
    w->sequencer = NULL;
    disk_hook_set(w->disk, on_operation, w);
}

static void node_crash(struct world *w)
{
    node_drop(w);
    if (random_below(&w->random, 4) == 0) disk_kill(w->disk);
    else disk_crash(w->disk, (enum disk_crash)random_below(&w->random, DISK_CRASH_count));
    w->damaged = false;
}

static void node_close(struct world *w)
{
    uint64_t before = w->submitted;
    int result = sequencer_close(w->sequencer);
    w->sequencer = NULL;
    if (result == 0 && w->durable != before) fail(w, "closed, yet not all was durable");
    if (result < 0 && !w->failed && !disk_stopped(w->disk)) fail(w, "closing failed in silence");
    if (result < 0) {
        disk_crash(w->disk, DISK_CRASH_some);
        w->damaged = false;
    }
    if (result == 0) rot_check(w);
}

static void submit(struct world *w)
{
    struct command c;
    const struct outbox *events;
    workload_next(&w->workload, w->submitted + 1, &c);
    enum sequencer_status status = sequencer_submit(w->sequencer, &c, &events);
    if (status == SEQUENCER_INVALID) fail(w, "a valid command was refused");
    if (status != SEQUENCER_OK) return;
    w->submitted += 1;
    w->commands += 1;
    if (w->submitted >= w->hashes_max) {
        w->hashes_max *= 2;
        w->hashes = realloc(w->hashes, w->hashes_max * sizeof *w->hashes);
        ASSERT(w->hashes != NULL);
    }
    if (c.header.seq != w->submitted) fail(w, "seq %" PRIu64 " was skipped", w->submitted);
    w->hashes[w->submitted] = w->machine->verbs->hash(w->machine->state);
    workload_see(&w->workload, events);
}

static void tap_look(struct world *w)
{
    static unsigned char events[1 << 20];
    int64_t got = tap_read(sequencer_tap(w->sequencer), &w->reader, events, sizeof events);
    if (got == TAP_EVICTED) tap_start(sequencer_tap(w->sequencer), &w->reader);
    if (w->reader.seq > w->durable) fail(w, "a reader saw seq %" PRIu64, w->reader.seq);
    for (int64_t at = 0; got > 0 && at < got;) {
        struct event_header e;
        memcpy(&e, events + at, sizeof e);
        if (e.seq > w->durable || e.size == 0) fail(w, "a reader saw an event too early");
        at += e.size;
    }
}

static void clock_turn(struct world *w)
{
    int64_t jump = (int64_t)random_below(&w->random, 2000000000) - 200000000;
    w->clock.v += jump;
    disk_clock_set(w->disk, w->clock);
}

static void fault(struct world *w)
{
    switch (random_below(&w->random, 8)) {
    case 0: node_close(w); return;
    case 1:
        w->damaged = true;
        disk_fail_sync_after(w->disk, 1 + random_below(&w->random, 6));
        return;
    case 2: disk_space_set(w->disk, 40000 + random_below(&w->random, 300000)); return;
    case 3: node_crash(w); return;
    case 4: disk_stop_at_names(w->disk); return;
    default: disk_stop_after(w->disk, 1 + random_below(&w->random, 40)); return;
    }
}

static void world_step(struct world *w)
{
    if (w->sequencer == NULL) {
        if (random_below(&w->random, 4) == 0)
            disk_stop_after(w->disk, 1 + random_below(&w->random, 25));
        node_start(w);
        if (w->sequencer == NULL) {
            disk_crash(w->disk, (enum disk_crash)random_below(&w->random, DISK_CRASH_count));
            w->damaged = false;
        }
        return;
    }
    if (w->failed || disk_stopped(w->disk)) {
        node_crash(w);
        return;
    }
    uint64_t luck = random_below(&w->random, 100);
    if (luck < 55) {
        for (uint64_t n = 1 + random_below(&w->random, 12); n > 0 && !w->failed; n--) submit(w);
    } else if (luck < 72) sequencer_flush(w->sequencer);
    else if (luck < 88) sequencer_poll(w->sequencer);
    else if (luck < 91) tap_look(w);
    else if (luck < 93) clock_turn(w);
    else if (luck < 94) sequencer_snapshot(w->sequencer);
    else if (luck < 95) rot_check(w);
    else if (luck < 96) older_check(w);
    else if (luck < 98) fault(w);
    else if (random_below(&w->random, 2) == 0) (void)sequencer_wait(w->sequencer);
}

static void world_run(struct world *w, uint64_t steps)
{
    w->random.state = w->seed;
    w->disk = disk_new(random_next(&w->random));
    w->machine = machine_make(w);
    w->other = machine_make(w);
    w->workload.random.state = random_next(&w->random);
    w->clock = io_now(disk_io(w->disk));
    w->hashes_max = 1024;
    w->hashes = calloc(w->hashes_max, sizeof *w->hashes);
    ASSERT(w->hashes != NULL);
    w->machine->verbs->clear(w->machine->state);
    if (w->machine->verbs->open(w->machine->state) < 0) fail(w, "no fresh machine");
    w->hashes[0] = w->machine->verbs->hash(w->machine->state);
    disk_hook_set(w->disk, on_operation, w);
    for (w->step = 0; w->step < steps; w->step++) world_step(w);
    node_drop(w);
    machine_drop(w, w->machine);
    machine_drop(w, w->other);
    disk_free(w->disk);
    free(w->hashes);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: sim SEED STEPS [tiny|core] [RUNS]\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    uint64_t steps = strtoull(argv[2], NULL, 10);
    uint64_t runs = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 28); /* the same blocks are taken again and again */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 28);
    struct world sum = {0};
    for (uint64_t i = 0; i < runs; i++) {
        struct world w = {.seed = seed + i, .core = argc > 3 && strcmp(argv[3], "core") == 0};
        world_run(&w, steps);
        sum.crash_states += w.crash_states;
        sum.recoveries += w.recoveries;
        sum.commands += w.commands;
        sum.snapshots += w.snapshots;
        sum.rots += w.rots;
        sum.rots_refused += w.rots_refused;
        sum.torn += w.torn;
        sum.fallbacks += w.fallbacks;
    }
    (void)printf("sim: %" PRIu64 " runs of %" PRIu64 " steps from seed %" PRIu64 ": %" PRIu64
                 " crash states, %" PRIu64 " starts, %" PRIu64 " commands, %" PRIu64
                 " snapshots, %" PRIu64 " torn tails cut, %" PRIu64 " snapshots passed over, %"
                 PRIu64 " bits flipped (%" PRIu64 " refused); all held; commit %s\n",
                 runs, steps, seed, sum.crash_states, sum.recoveries, sum.commands, sum.snapshots,
                 sum.torn, sum.fallbacks, sum.rots, sum.rots_refused, SIM_COMMIT);
    return 0;
}
