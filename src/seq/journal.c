/* journal.c: appends groups of commands to segment files.
 *
 * Format, little-endian, version 1. A data directory holds
 *
 *   journal-00000001.seg, journal-00000002.seg, ...   the journal, oldest first
 *   journal.tmp                                       a segment that is being prepared
 *   snapshot-*.snap, snapshot.tmp                     see snapshot.c
 *   lock                                              see io_directory.c
 *
 * A segment has a fixed size, `segment_bytes`, all of it written before the first use: an append
 * then changes no metadata, which halves the time of a sync. It begins with one block of 4096
 * bytes, `struct journal_segment`: magic, checksum, version, index, the journal's random log_id and
 * the limits of the machine that the commands are for. Behind it lie groups, each on a block's
 * boundary and padded with zeros to whole blocks:
 *
 *   struct journal_group       64 bytes: checksum of the whole group, checksum of the group before,
 *                              log_id, index of the group, first seq, count, bytes in use, segment
 *   struct command ...         `count` of them, each header.size bytes, cut to what they use
 *   zeros                      to the end of the block
 *
 * A seal is a group without commands: it is written when the journal is opened and when it is
 * closed, so that what lies before it is known to have been durable. Behind the last group all is
 * zero. A group never spans segments; a segment is left when the next group does not fit.
 *
 * Invariants:
 *   (1) at most one group is being written; so at most the last one can be torn, and damage with a
 *       valid group behind it is corruption, never a torn tail;
 *   (2) group.index and seq grow by one without gaps, across segments; group.previous chains them;
 *   (3) a segment gets its name only after its zeros and header are durable, and no group is
 *       written to it before the directory is durable;
 *   (4) nothing is written over a valid group, ever; a torn tail is written over with zeros, and
 *       those are durable, before the first new group;
 *   (5) `committed` grows only after a successful sync. The first failure of any write or sync is
 *       final: no retry, because nobody can say what the failed one left on the disk.
 * What this cannot tell: damage to the very last group when no seal, snapshot or later group
 * follows it (a crash, then rot before the restart) looks like a torn tail.
 *
 * Upstream: sequencer. Downstream: io.
 */
#include "seq/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const char prepare_name[] = "journal.tmp";
static const char segment_format[] = "journal-%08" PRIu32 ".seg";

enum { PREPARE_PART = 1 << 20 };

enum next_state { NEXT_none = 0, NEXT_preparing, NEXT_ready, NEXT_no_space };

struct buffer {
    unsigned char *bytes; /* group_bytes_max: header, commands, padding */
    uint32_t used;
    uint32_t count;
    uint64_t first_seq;
};

struct journal {
    struct log log; /* first: a log is cast to its journal */
    struct io *io;
    struct journal_options options;
    struct machine_limits limits;
    uint64_t log_id;
    uint64_t chain;
    uint64_t group;
    uint64_t offset; /* of the next group in the segment */
    uint32_t segment;
    int file;
    struct buffer buffers[2];
    uint32_t filling; /* which of the two is filled; the other may be under way */

    /* the group under way: the worker reads these, nobody changes them meanwhile */
    struct io_task write;
    bool write_under_way;
    uint64_t write_offset;
    uint64_t write_size;
    uint64_t write_seq; /* committed when it is done */

    /* the next segment */
    struct io_task prepare;
    enum next_state next;
    bool next_last_chance;
    int next_file;

    struct io_task prune;
    bool prune_under_way;
    uint64_t prune_seq;
    uint32_t prune_segment; /* segments from this one on are in use */
};

static struct journal *journal_of(struct log *l) { return (struct journal *)(void *)l; }

struct journal_options journal_options_default(void)
{
    return (struct journal_options){
        .segment_bytes = UINT64_C(64) << 20, .group_bytes_max = 1u << 20, .inline_max = 64};
}

/* ---- format ---- */

uint64_t journal_segment_checksum(struct journal_segment *s)
{
    uint64_t kept = s->checksum;
    s->checksum = 0;
    uint64_t sum = XXH3_64bits(s, sizeof *s);
    s->checksum = kept;
    return sum;
}

uint64_t journal_group_checksum(struct journal_group *g, size_t padded)
{
    uint64_t kept = g->checksum;
    g->checksum = 0;
    uint64_t sum = XXH3_64bits(g, padded);
    g->checksum = kept;
    return sum;
}

struct io_name journal_segment_name(uint32_t index)
{
    struct io_name name;
    (void)snprintf(name.text, sizeof name.text, segment_format, index);
    return name;
}

bool journal_segment_index(const char *name, uint32_t *index)
{
    uint32_t i;
    if (strlen(name) != 20 || sscanf(name, "journal-%8" SCNu32 ".seg", &i) != 1) return false;
    struct io_name again = journal_segment_name(i);
    if (i == 0 || strcmp(again.text, name) != 0) return false;
    *index = i;
    return true;
}

/* ---- failure ---- */

static void journal_say(struct journal *j, const char *text)
{
    if (j->log.listener.say != NULL) j->log.listener.say(j->log.listener.context, text);
}

static void journal_fail(struct journal *j, const char *what, uint32_t segment, int error)
{
    if (j->log.failed) return;
    j->log.failed = true;
    char text[256];
    (void)snprintf(text, sizeof text,
                   "journal: %s (%s, offset %" PRIu64 "): %s; durable up to seq %" PRIu64
                   "; stopping, nothing is retried",
                   what, journal_segment_name(segment).text, j->offset, io_error_text(error),
                   j->log.committed);
    if (j->log.listener.failed != NULL) j->log.listener.failed(j->log.listener.context, text);
}

/* ---- segments ---- */

static int segment_fill(struct journal *j, int file, uint32_t index)
{
    struct journal_segment *s = calloc(1, sizeof *s);
    if (s == NULL) return -ENOMEM;
    s->magic = JOURNAL_SEGMENT_MAGIC;
    s->version = JOURNAL_VERSION;
    s->index = index;
    s->log_id = j->log_id;
    s->segment_bytes = j->options.segment_bytes;
    s->group_bytes_max = j->options.group_bytes_max;
    s->command_bytes_max = (uint32_t)COMMAND_SIZE_MAX;
    s->created = io_now(j->io);
    s->limits = j->limits;
    s->checksum = journal_segment_checksum(s);
    int error = io_write(j->io, file, 0, s, sizeof *s);
    for (uint64_t at = sizeof *s; at < s->segment_bytes && error == 0;) {
        uint64_t part = s->segment_bytes - at; /* in parts, so that appends can get between */
        if (part > PREPARE_PART) part = PREPARE_PART;
        error = io_write_zeros(j->io, file, at, part);
        if (error == 0) error = io_sync(j->io, file);
        at += part;
    }
    free(s);
    return error;
}

/* Creates a segment under its final name, all of it durable (3): its file, or an error. */
static int segment_create(struct journal *j, uint32_t index)
{
    int error = io_remove(j->io, prepare_name);
    if (error < 0 && error != -ENOENT) return error;
    int file = io_create(j->io, prepare_name);
    if (file < 0) return file;
    error = segment_fill(j, file, index);
    if (error == 0) error = io_rename(j->io, prepare_name, journal_segment_name(index).text);
    if (error == 0) error = io_sync_directory(j->io);
    if (error == 0) return file;
    (void)io_close(j->io, file);
    (void)io_remove(j->io, prepare_name);
    return error;
}

static void prepare_run(struct io_task *task)
{
    struct journal *j = task->context;
    task->result = segment_create(j, j->segment + 1);
}

static void prepare_begin(struct journal *j)
{
    j->next = NEXT_preparing;
    io_submit(j->io, IO_QUEUE_background, &j->prepare);
}

static void journal_flush(struct log *log);

static void prepare_done(struct io_task *task)
{
    struct journal *j = task->context;
    if (task->result >= 0) {
        j->next = NEXT_ready;
        j->next_file = task->result;
        j->next_last_chance = false;
        journal_flush(&j->log);
        return;
    }
    j->next = NEXT_no_space;
    bool no_space = task->result == -ENOSPC || task->result == -EDQUOT;
    if (!no_space || j->next_last_chance) {
        journal_fail(j, no_space ? "disk full, the next segment cannot be made"
                                 : "cannot make the next segment",
                     j->segment + 1, task->result);
        return;
    }
    char text[160];
    (void)snprintf(text, sizeof text,
                   "journal: disk full: the next segment cannot be made; %" PRIu64
                   " bytes are left in this one: free space now",
                   j->options.segment_bytes - j->offset);
    journal_say(j, text);
}

/* Goes over to the next segment. False: it is not ready; its preparation will flush again. */
static bool journal_roll(struct journal *j)
{
    if (j->next == NEXT_no_space) { /* space may have been freed; if not, it is the end */
        j->next_last_chance = true;
        prepare_begin(j);
    }
    if (j->next != NEXT_ready) return false;
    int error = io_close(j->io, j->file);
    if (error < 0) {
        journal_fail(j, "cannot close a segment", j->segment, error);
        return false;
    }
    j->file = j->next_file;
    j->segment += 1;
    j->offset = JOURNAL_BLOCK;
    prepare_begin(j);
    return true;
}

/* ---- groups ---- */

static void buffer_reset(struct buffer *b)
{
    b->used = sizeof(struct journal_group);
    b->count = 0;
}

/* Writes the header and the padding of a group; the bytes it takes on disk. */
static uint64_t group_finish(struct journal *j, struct buffer *b, enum journal_group_kind kind)
{
    uint64_t padded = journal_padded(b->used);
    memset(b->bytes + b->used, 0, padded - b->used);
    struct journal_group *g = (struct journal_group *)(void *)b->bytes;
    *g = (struct journal_group){.magic = JOURNAL_GROUP_MAGIC, .log_id = j->log_id,
                                .previous = j->chain, .index = j->group + 1,
                                .first_seq = b->first_seq, .bytes = b->used, .count = b->count,
                                .segment = j->segment, .kind = kind};
    g->checksum = journal_group_checksum(g, padded);
    j->chain = g->checksum;
    j->group += 1;
    return padded;
}

static void write_run(struct io_task *task)
{
    struct journal *j = task->context;
    task->result = io_write_sync(j->io, j->file, j->write_offset,
                                 j->buffers[j->filling ^ 1u].bytes, j->write_size);
}

static void write_done(struct io_task *task)
{
    struct journal *j = task->context;
    j->write_under_way = false;
    if (task->result < 0) {
        journal_fail(j, "a group cannot be made durable", j->segment, task->result);
        return;
    }
    if (j->log.failed) return;
    j->offset += j->write_size;
    j->log.committed = j->write_seq;
    if (j->log.listener.committed != NULL)
        j->log.listener.committed(j->log.listener.context, j->log.committed);
    journal_flush(&j->log);
}

static void journal_flush(struct log *log)
{
    struct journal *j = journal_of(log);
    struct buffer *b = &j->buffers[j->filling];
    if (log->failed || j->write_under_way || b->count == 0) return;
    if (j->offset + journal_padded(b->used) > j->options.segment_bytes && !journal_roll(j)) return;
    j->write_size = group_finish(j, b, JOURNAL_GROUP_commands);
    j->write_offset = j->offset;
    j->write_seq = b->first_seq + b->count - 1;
    j->write_under_way = true;
    j->filling ^= 1u;
    buffer_reset(&j->buffers[j->filling]);
    if (b->count > j->options.inline_max) {
        io_submit(j->io, IO_QUEUE_journal, &j->write);
    } else { /* few commands: two thread switches would cost more than the loop's wait */
        write_run(&j->write);
        write_done(&j->write);
    }
}

static bool journal_has_room(const struct log *log, uint32_t bytes)
{
    const struct journal *j = (const struct journal *)(const void *)log;
    if (j->buffers[j->filling].used + bytes <= j->options.group_bytes_max) return true;
    return !log->failed && !j->write_under_way &&
           j->offset + j->options.group_bytes_max <= j->options.segment_bytes;
}

static void journal_append(struct log *log, const struct command *c)
{
    struct journal *j = journal_of(log);
    ASSERT(c->header.seq == log->appended + 1);
    uint32_t size = c->header.size;
    if (j->buffers[j->filling].used + size > j->options.group_bytes_max) journal_flush(log);
    struct buffer *b = &j->buffers[j->filling];
    ASSERT(b->used + size <= j->options.group_bytes_max || log->failed);
    log->appended = c->header.seq;
    if (log->failed) return;
    if (b->count == 0) b->first_seq = c->header.seq;
    memcpy(b->bytes + b->used, c, size);
    b->used += size;
    b->count += 1;
    log->bytes += size;
}

/* Writes a seal in the caller's thread; nothing may be under way. */
static int journal_seal(struct journal *j)
{
    struct buffer *b = &j->buffers[j->filling];
    ASSERT(!j->write_under_way && b->count == 0);
    /* Full: the next one begins it. */
    if (j->offset + JOURNAL_BLOCK > j->options.segment_bytes) return 0;
    b->first_seq = j->log.appended + 1;
    uint64_t size = group_finish(j, b, JOURNAL_GROUP_seal);
    int error = io_write_sync(j->io, j->file, j->offset, b->bytes, size);
    buffer_reset(b);
    if (error < 0) return error;
    j->offset += size;
    return 0;
}

/* ---- pruning ---- */

/* The first seq of a segment's first group; 0: it has none that can be read. */
static uint64_t segment_first_seq(struct io *io, uint32_t index)
{
    struct journal_group g;
    int file = io_open(io, journal_segment_name(index).text, IO_OPEN_READ);
    if (file < 0) return 0;
    int64_t got = io_read(io, file, JOURNAL_BLOCK, &g, sizeof g);
    (void)io_close(io, file);
    return got == sizeof g && g.magic == JOURNAL_GROUP_MAGIC ? g.first_seq : 0;
}

static void prune_run(struct io_task *task)
{
    struct journal *j = task->context;
    task->result = 0;
    struct io_name *names;
    int64_t count = io_list_all(j->io, &names);
    for (int64_t i = 0; i < count; i++) { /* oldest first: never a gap */
        uint32_t index;
        if (!journal_segment_index(names[i].text, &index)) continue;
        if (index + 1 >= j->prune_segment) break;
        uint64_t next = segment_first_seq(j->io, index + 1);
        if (next == 0 || next > j->prune_seq + 1) break;
        if (io_remove(j->io, names[i].text) < 0 || io_sync_directory(j->io) < 0) break;
    }
    free(names);
}

static void prune_done(struct io_task *task)
{
    struct journal *j = task->context;
    j->prune_under_way = false;
}

static void journal_snapshot(struct log *log, uint64_t seq)
{
    struct journal *j = journal_of(log);
    if (!j->options.prune || j->prune_under_way || log->failed) return;
    j->prune_under_way = true;
    j->prune_seq = seq;
    j->prune_segment = j->segment;
    io_submit(j->io, IO_QUEUE_background, &j->prune);
}

/* ---- opening and closing ---- */

static void journal_free(struct journal *j)
{
    if (j->file >= 0) (void)io_close(j->io, j->file);
    if (j->next == NEXT_ready) (void)io_close(j->io, j->next_file);
    free(j->buffers[0].bytes);
    free(j->buffers[1].bytes);
    free(j);
}

static int journal_close(struct log *log)
{
    struct journal *j = journal_of(log);
    journal_flush(log);
    while (!log->failed && log->committed < log->appended && io_wait(j->io) > 0) continue;
    while ((j->write_under_way || j->next == NEXT_preparing || j->prune_under_way) &&
           io_wait(j->io) > 0)
        continue;
    if (!log->failed) {
        int error = journal_seal(j);
        if (error < 0) journal_fail(j, "the journal cannot be sealed", j->segment, error);
    }
    int result = log->failed ? -EIO : 0;
    journal_free(j);
    return result;
}

static const struct log_verbs journal_verbs = {
    .has_room = journal_has_room,
    .append = journal_append,
    .flush = journal_flush,
    .snapshot = journal_snapshot,
    .close = journal_close,
};

static struct journal *journal_new(struct io *io, const struct journal_options *options)
{
    ASSERT(options->segment_bytes % JOURNAL_BLOCK == 0);
    ASSERT(options->group_bytes_max % JOURNAL_BLOCK == 0);
    ASSERT(options->group_bytes_max >= JOURNAL_GROUP_BYTES_MIN);
    ASSERT(options->group_bytes_max <= JOURNAL_GROUP_BYTES_MAX);
    ASSERT(options->group_bytes_max + JOURNAL_BLOCK <= options->segment_bytes);
    struct journal *j = calloc(1, sizeof *j);
    if (j == NULL) return NULL;
    j->io = io;
    j->options = *options;
    j->file = -1;
    j->log.verbs = &journal_verbs;
    j->write = (struct io_task){.run = write_run, .done = write_done, .context = j};
    j->prepare = (struct io_task){.run = prepare_run, .done = prepare_done, .context = j};
    j->prune = (struct io_task){.run = prune_run, .done = prune_done, .context = j};
    for (int i = 0; i < 2; i++) {
        j->buffers[i].bytes = aligned_alloc(JOURNAL_BLOCK, options->group_bytes_max);
        if (j->buffers[i].bytes == NULL) {
            journal_free(j);
            return NULL;
        }
        buffer_reset(&j->buffers[i]);
    }
    return j;
}

/* The first segment of a new journal. */
static int journal_begin(struct journal *j)
{
    while (j->log_id == 0) {
        int error = io_entropy(j->io, &j->log_id, sizeof j->log_id);
        if (error < 0) return error;
    }
    j->chain = j->log_id;
    j->segment = 1;
    j->offset = JOURNAL_BLOCK;
    j->file = segment_create(j, 1);
    return j->file < 0 ? j->file : 0;
}

/* Continues where the reader came to the end. */
static int journal_resume(struct journal *j, const struct journal_position *at)
{
    j->log_id = at->log_id;
    j->chain = at->chain;
    j->group = at->group;
    j->segment = at->segment;
    j->offset = at->offset;
    j->log.appended = at->seq;
    j->log.committed = at->seq;
    int error = io_sync_directory(j->io); /* the names it found may not be durable yet (3) */
    if (error < 0) return error;
    j->file = io_open(j->io, journal_segment_name(at->segment).text, IO_OPEN_WRITE);
    if (j->file < 0) return j->file;
    if (at->segment_last > at->segment) {
        j->next_file = io_open(j->io, journal_segment_name(at->segment + 1).text, IO_OPEN_WRITE);
        if (j->next_file < 0) return j->next_file;
        j->next = NEXT_ready;
    }
    if (at->torn_bytes == 0) return 0;
    int file = at->torn_segment == at->segment ? j->file : j->next_file;
    error = io_write_zeros(j->io, file, at->torn_offset, at->torn_bytes);
    return error < 0 ? error : io_sync(j->io, file);
}

struct log *journal_open(struct io *io, const struct journal_options *options,
                         const struct machine_limits *limits, const struct journal_position *at,
                         const struct log_listener *listener, char *error, size_t error_size)
{
    struct journal_options o = *options;
    if (at->log_id != 0) {
        o.segment_bytes = at->segment_bytes;
        o.group_bytes_max = at->group_bytes_max;
    }
    struct journal *j = journal_new(io, &o);
    if (j == NULL) {
        (void)snprintf(error, error_size, "journal: out of memory");
        return NULL;
    }
    j->limits = *limits;
    j->log.listener = *listener;
    int failed = at->log_id == 0 ? journal_begin(j) : journal_resume(j, at);
    if (failed == 0) failed = journal_seal(j);
    if (failed < 0) {
        (void)snprintf(error, error_size, "journal: cannot be opened for writing: %s",
                       io_error_text(failed));
        journal_free(j);
        return NULL;
    }
    if (j->next == NEXT_none) prepare_begin(j);
    return &j->log;
}

uint64_t journal_log_id(const struct log *log)
{
    return ((const struct journal *)(const void *)log)->log_id;
}
