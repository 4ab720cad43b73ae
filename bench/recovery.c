/* recovery.c: durability in figures (DOJIMA_BENCH_DIR says where the files go; [/var/tmp]): what
 * the disk costs, what an acknowledgement costs, and how fast a node comes back.
 *
 *   bench_durable   floors: one 4 KiB block made durable on space written beforehand, by pwrite +
 *                   fdatasync, by pwritev2(RWF_DSYNC); then one order at a time through the
 *                   sequencer (core, journal, release), made durable in the loop's thread and by
 *                   the worker; then full groups.
 *   bench_recovery  the same commands applied from memory by the core alone, and recovered from a
 *                   journal on disk (read, checked, applied); goal: at least half the rate. Both
 *                   end in the same state hash, which is printed.
 *
 * Upstream: seq, core, sim/workload. Downstream: bench.c's table.
 */
#include "bench.h"

#include "seq/machine_core.h"
#include "seq/sequencer.h"
#include "sim/workload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SYNCS = 2000, WARM = 200 };

static char directory[128];

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int double_compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void percentiles_print(const char *what, double *us, size_t count)
{
    qsort(us, count, sizeof *us, double_compare);
    (void)printf("  %-52s p50 %7.1f  p99 %7.1f  max %8.1f us\n", what, us[count / 2],
                 us[count * 99 / 100], us[count - 1]);
}

static struct io *directory_take(const char *where)
{
    char error[256];
    (void)snprintf(directory, sizeof directory, "%s/dojima-bench-XXXXXX",
                   where == NULL ? "/var/tmp" : where);
    if (mkdtemp(directory) == NULL) {
        (void)fprintf(stderr, "bench: cannot make %s\n", directory);
        return NULL;
    }
    struct io *io = io_directory_open(directory, 0, error, sizeof error);
    if (io == NULL) (void)fprintf(stderr, "bench: %s\n", error);
    return io;
}

static void directory_give(struct io *io)
{
    struct io_name *names;
    int64_t count = io_list_all(io, &names);
    for (int64_t i = 0; i < count; i++) (void)io_remove(io, names[i].text);
    free(names);
    io_directory_close(io);
    (void)rmdir(directory);
}

/* ---- what one durable write costs ---- */

static void floor_measure(struct io *io, bool at_once)
{
    static double us[SYNCS];
    static unsigned char block[JOURNAL_BLOCK];
    int file = io_create(io, at_once ? "floor-1" : "floor-2");
    if (file < 0 || io_write_zeros(io, file, 0, (uint64_t)SYNCS * sizeof block) < 0 ||
        io_sync(io, file) < 0)
        return;
    memset(block, 7, sizeof block);
    for (uint64_t i = 0; i < SYNCS; i++) {
        double start = now_us();
        int error = 0;
        if (at_once) {
            error = io_write_sync(io, file, i * sizeof block, block, sizeof block);
        } else {
            error = io_write(io, file, i * sizeof block, block, sizeof block);
            if (error == 0) error = io_sync(io, file);
        }
        us[i] = now_us() - start;
        if (error < 0) return;
    }
    (void)io_close(io, file);
    percentiles_print(at_once ? "4 KiB, pwritev2 with RWF_DSYNC" : "4 KiB, pwrite + fdatasync", us,
                      SYNCS);
}

/* `batch` orders, flushed, until they are durable; over and over. */
static void sequencer_measure(uint32_t inline_max, uint32_t batch, const char *what)
{
    static double us[SYNCS];
    char error[512];
    struct io *io = directory_take(getenv("DOJIMA_BENCH_DIR"));
    if (io == NULL) return;
    struct core_limits limits = core_limits_small();
    limits.orders = 1 << 16;
    struct machine *m = machine_core_new(&limits);
    struct sequencer_options o = sequencer_options_default();
    struct sequencer_listener l = {0};
    o.journal.inline_max = inline_max;
    o.snapshot_at_close = false;
    struct sequencer *s = sequencer_open(io, m, &o, &l, error, sizeof error);
    struct workload w = {.random = {1}};
    struct command c;
    const struct outbox *events;
    double total = 0;
    for (uint64_t i = 0; s != NULL && i < WORKLOAD_SETUP + WARM + SYNCS; i++) {
        double start = now_us();
        for (uint32_t n = 0; n < (i < WORKLOAD_SETUP ? 1 : batch); n++) {
            if (i < WORKLOAD_SETUP) workload_next(&w, i + 1, &c);
            else workload_order(&w, &c);
            if (sequencer_submit(s, &c, &events) != SEQUENCER_OK) return;
            workload_see(&w, events);
        }
        sequencer_flush(s);
        while (sequencer_durable(s) < sequencer_seq(s)) {
            if (io_wait(io) == 0) break;
        }
        if (i < WORKLOAD_SETUP + WARM) continue;
        us[i - WORKLOAD_SETUP - WARM] = now_us() - start;
        total += us[i - WORKLOAD_SETUP - WARM];
    }
    if (s == NULL) (void)fprintf(stderr, "bench: %s\n", error);
    else (void)sequencer_close(s);
    percentiles_print(what, us, SYNCS);
    if (batch > 1)
        (void)printf("    = %.0f durable commands/s, one group at a time\n",
                     1e6 * SYNCS * batch / total);
    machine_core_free(m);
    directory_give(io);
}

static int durable_run(const struct bench_options *options)
{
    (void)options;
    struct io *io = directory_take(getenv("DOJIMA_BENCH_DIR"));
    if (io == NULL) return 2;
    (void)printf("durable writes, %d each, one at a time, in %s\n", SYNCS, directory);
    floor_measure(io, false);
    floor_measure(io, true);
    directory_give(io);
    sequencer_measure(4, 1, "1 order to durable, in the loop's thread");
    sequencer_measure(0, 1, "1 order to durable, by the worker");
    sequencer_measure(0, 64, "64 orders to durable, by the worker");
    sequencer_measure(0, 1024, "1024 orders to durable, by the worker");
    return 0;
}

/* ---- how fast a node comes back ---- */

struct recorded { /* the commands as they lie behind each other */
    unsigned char *bytes;
    size_t used;
    size_t capacity;
};

static void record(struct recorded *r, const struct command *c)
{
    if (r->used + sizeof *c > r->capacity) {
        r->capacity = r->capacity == 0 ? 1 << 20 : r->capacity * 2;
        r->bytes = realloc(r->bytes, r->capacity);
        ASSERT(r->bytes != NULL);
    }
    memcpy(r->bytes + r->used, c, c->header.size);
    r->used += c->header.size;
}

/* Fills a directory through the sequencer and keeps the commands. */
static uint64_t journal_make(struct io *io, const struct core_limits *limits, uint64_t count,
                             struct recorded *kept)
{
    char error[512];
    struct machine *m = machine_core_new(limits);
    struct sequencer_options o = sequencer_options_default();
    struct sequencer_listener l = {0};
    o.snapshot_commands = 0;
    o.snapshot_bytes = 0;
    o.snapshot_at_close = false;
    struct sequencer *s = sequencer_open(io, m, &o, &l, error, sizeof error);
    ASSERT(s != NULL);
    struct workload w = {.random = {1}};
    const struct outbox *events;
    uint64_t trades = 0;
    uint64_t rejects = 0;
    double start = now_us();
    for (uint64_t i = 1; i <= count; i++) {
        struct command c;
        workload_next(&w, i, &c);
        enum sequencer_status status;
        while ((status = sequencer_submit(s, &c, &events)) == SEQUENCER_BUSY) (void)io_wait(io);
        ASSERT(status == SEQUENCER_OK);
        workload_see(&w, events);
        record(kept, &c);
        for (const struct event_header *e = NULL; (e = outbox_next(events, e)) != NULL;) {
            trades += e->kind == EVENT_trade;
            rejects += e->kind == EVENT_reject;
        }
        if (i % 256 == 0) {
            sequencer_flush(s);
            sequencer_poll(s);
        }
    }
    (void)sequencer_wait(s);
    (void)printf("  live, durable, groups of up to 256 and more: %.0f commands/s (%" PRIu64
                 " commands, %" PRIu64 " trades, %" PRIu64 " rejects)\n",
                 1e6 * (double)count / (now_us() - start), count, trades, rejects);
    uint64_t hash = m->verbs->hash(m->state);
    (void)sequencer_close(s);
    machine_core_free(m);
    return hash;
}

/* The core alone, from memory: commands a second. */
static double core_measure(const struct core_limits *limits, const struct recorded *kept,
                           uint64_t count, uint64_t *hash)
{
    struct machine *m = machine_core_new(limits);
    struct outbox o = {.bytes = aligned_alloc(64, (m->outbox_bytes + 63) / 64 * 64),
                       .capacity = m->outbox_bytes};
    ASSERT(m != NULL && o.bytes != NULL);
    m->verbs->clear(m->state);
    int failed = m->verbs->open(m->state);
    ASSERT(failed == 0);
    static struct command c;
    double start = now_us();
    for (size_t at = 0; at < kept->used; at += c.header.size) {
        const struct command_header *h = (const void *)(kept->bytes + at);
        memset(&c, 0, sizeof c.header + sizeof c.order_new);
        memcpy(&c, kept->bytes + at, h->size);
        outbox_reset(&o, c.header.seq, c.header.ts);
        m->verbs->step(m->state, &c, &o);
    }
    double rate = 1e6 * (double)count / (now_us() - start);
    *hash = m->verbs->hash(m->state);
    free(o.bytes);
    machine_core_free(m);
    return rate;
}

static int recovery_run_all(const struct bench_options *options)
{
    uint64_t count = options->commands == 0 ? 1000000 : options->commands;
    uint32_t rounds = options->rounds == 0 ? 3 : options->rounds;
    struct core_limits limits = core_limits_small();
    limits.orders = 1 << 16;
    struct io *io = directory_take(getenv("DOJIMA_BENCH_DIR"));
    if (io == NULL) return 2;
    (void)printf("recovery of %" PRIu64 " commands in %s\n", count, directory);
    struct recorded kept = {0};
    uint64_t hash_live = journal_make(io, &limits, count, &kept);
    double best_core = 0;
    double best_recovery = 0;
    bool same = true;
    for (uint32_t round = 0; round < rounds; round++) {
        char error[512];
        uint64_t hash_core = 0;
        double rate = core_measure(&limits, &kept, count, &hash_core);
        if (rate > best_core) best_core = rate;
        struct machine *m = machine_core_new(&limits);
        struct recovery_options o = {.full = true};
        struct recovery_result r;
        double start = now_us();
        int failed = recovery_run(io, m, &o, &r, error, sizeof error);
        rate = 1e6 * (double)count / (now_us() - start);
        if (failed < 0) (void)fprintf(stderr, "bench: %s\n", error);
        if (rate > best_recovery) best_recovery = rate;
        same = same && failed == 0 && hash_core == hash_live &&
               m->verbs->hash(m->state) == hash_live;
        machine_core_free(m);
    }
    (void)printf("  the core alone, from memory: %.0f commands/s\n"
                 "  recovery, from disk:         %.0f commands/s = %.0f%% of the core's own\n"
                 "  state hash %016" PRIx64 ": %s\n",
                 best_core, best_recovery, 100 * best_recovery / best_core, hash_live,
                 same ? "the same three ways" : "DIFFERENT");
    free(kept.bytes);
    directory_give(io);
    return same && best_recovery >= best_core / 2 ? 0 : 1;
}

const struct bench bench_durable = {
    "durable", "a durable write and a durable order: floors, loop's thread, worker, groups",
    durable_run};
const struct bench bench_recovery = {
    "recovery", "a journal read, checked and applied, against the core alone", recovery_run_all};
