/* snapshot.c: writes and loads images of the machine, and takes them beside the loop.
 *
 * Format, version 1, of snapshot-00000000000000000042.snap (the seq of the last command applied):
 * struct snapshot_header (208 bytes), then one zstd frame of the image, image_bytes unpacked.
 *
 * Invariants: (1) a snapshot is written to snapshot.tmp, made durable, renamed, and the directory
 * made durable; a final name therefore stands for a whole file; (2) it gets its final name only
 * when the journal is durable up to its seq, so a snapshot ahead of the journal means that durable
 * commands are missing; (3) loading trusts nothing: header, packed bytes, unpacked size and the
 * state's hash must all agree; (4) older ones are removed only after a newer one is durable; (5) a
 * full disk costs the snapshot, never the node; any other failure of the disk stops the node.
 *
 * The loop pays nothing for a snapshot: the taker owns a twin of the machine, and when one is due
 * the background worker reads the twin's commands from the journal's durable part, applies them,
 * and writes the twin's image. (A copy of the machine's image took the loop 60 ms at the default
 * limits; the twin takes the same memory, and a second time the core's work, off the loop.)
 *
 * Upstream: machine, io. Downstream: sequencer, recovery.
 */
#include "seq/snapshot.h"

#include "seq/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

static const char write_name[] = "snapshot.tmp";
enum { PART_BYTES = 1 << 20, PACK_LEVEL = 1, PAGE = 4096, LIST_MAX = 256 };

struct io_name snapshot_name(uint64_t seq)
{
    struct io_name name;
    (void)snprintf(name.text, sizeof name.text, "snapshot-%020" PRIu64 ".snap", seq);
    return name;
}

bool snapshot_seq(const char *name, uint64_t *seq)
{
    uint64_t s;
    if (strlen(name) != 34 || sscanf(name, "snapshot-%20" SCNu64 ".snap", &s) != 1) return false;
    struct io_name again = snapshot_name(s);
    if (strcmp(again.text, name) != 0) return false;
    *seq = s;
    return true;
}

int64_t snapshot_list(struct io *io, uint64_t *seqs, size_t max)
{
    struct io_name *names;
    int64_t count = io_list_all(io, &names);
    size_t found = 0;
    for (int64_t i = 0; i < count; i++) { /* byte order is order of seq */
        uint64_t seq;
        if (!snapshot_seq(names[i].text, &seq)) continue;
        if (found == max) memmove(seqs, seqs + 1, (--found) * sizeof *seqs);
        seqs[found++] = seq;
    }
    free(names);
    return count < 0 ? count : (int64_t)found;
}

static uint64_t header_checksum(struct snapshot_header *h)
{
    uint64_t kept = h->checksum;
    h->checksum = 0;
    uint64_t sum = XXH3_64bits(h, sizeof *h);
    h->checksum = kept;
    return sum;
}

/* ---- writing ---- */

struct packer {
    struct io *io;
    int file;
    ZSTD_CCtx *zstd;
    XXH3_state_t *sum;
    unsigned char *part;
    uint64_t offset;
};

static int pack_image(struct packer *p, const void *image, size_t bytes)
{
    ZSTD_inBuffer in = {.src = image, .size = bytes};
    for (;;) {
        ZSTD_outBuffer out = {.dst = p->part, .size = PART_BYTES};
        size_t left = ZSTD_compressStream2(p->zstd, &out, &in, ZSTD_e_end);
        if (ZSTD_isError(left)) return -ENOMEM;
        (void)XXH3_64bits_update(p->sum, p->part, out.pos);
        int error = io_write(p->io, p->file, p->offset, p->part, out.pos);
        if (error < 0) return error;
        p->offset += out.pos;
        if (left == 0) return 0;
    }
}

static int snapshot_fill(struct packer *p, struct snapshot_header *h, const void *image)
{
    if (p->zstd == NULL || p->sum == NULL || p->part == NULL) return -ENOMEM;
    (void)ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, PACK_LEVEL);
    (void)XXH3_64bits_reset(p->sum);
    p->offset = sizeof *h;
    int error = pack_image(p, image, (size_t)h->image_bytes);
    if (error < 0) return error;
    h->magic = SNAPSHOT_MAGIC;
    h->version = SNAPSHOT_VERSION;
    h->reserved = 0;
    h->packed_bytes = p->offset - sizeof *h;
    h->packed_checksum = XXH3_64bits_digest(p->sum);
    h->checksum = header_checksum(h);
    error = io_write(p->io, p->file, 0, h, sizeof *h);
    return error < 0 ? error : io_sync(p->io, p->file);
}

int snapshot_write(struct io *io, struct snapshot_header *header, const void *image)
{
    int error = io_remove(io, write_name);
    if (error < 0 && error != -ENOENT) return error;
    struct packer p = {.io = io, .file = io_create(io, write_name)};
    if (p.file < 0) return p.file;
    p.zstd = ZSTD_createCCtx();
    p.sum = XXH3_createState();
    p.part = malloc(PART_BYTES);
    error = snapshot_fill(&p, header, image);
    (void)ZSTD_freeCCtx(p.zstd);
    (void)XXH3_freeState(p.sum);
    free(p.part);
    int closed = io_close(io, p.file);
    if (error == 0) error = closed;
    if (error == 0) error = io_rename(io, write_name, snapshot_name(header->seq).text);
    if (error == 0) error = io_sync_directory(io);
    if (error < 0) (void)io_remove(io, write_name);
    return error;
}

/* ---- loading ---- */

static int refuse(char *why, size_t why_size, const char *text)
{
    (void)snprintf(why, why_size, "%s", text);
    return 1;
}

/* Unpacks the frame behind the header into the block, exactly. NULL or what is wrong. */
static const char *image_unpack(struct io *io, int file, const struct snapshot_header *h,
                                unsigned char *block, unsigned char *part, ZSTD_DCtx *zstd,
                                XXH3_state_t *sum)
{
    if (part == NULL || zstd == NULL || sum == NULL) return "out of memory";
    (void)XXH3_64bits_reset(sum);
    ZSTD_outBuffer out = {.dst = block, .size = (size_t)h->image_bytes};
    size_t left = 1;
    for (uint64_t at = 0; at < h->packed_bytes;) {
        uint64_t want = h->packed_bytes - at < PART_BYTES ? h->packed_bytes - at : PART_BYTES;
        if (io_read(io, file, sizeof *h + at, part, (size_t)want) != (int64_t)want)
            return "it cannot be read whole";
        (void)XXH3_64bits_update(sum, part, (size_t)want);
        ZSTD_inBuffer in = {.src = part, .size = (size_t)want};
        while (in.pos < in.size) {
            if (left == 0) return "there is more behind the image";
            size_t in_before = in.pos;
            size_t out_before = out.pos;
            left = ZSTD_decompressStream(zstd, &out, &in);
            if (ZSTD_isError(left)) return "the image cannot be unpacked";
            if (in.pos == in_before && out.pos == out_before) return "the image is too long";
        }
        at += want;
    }
    if (left != 0 || out.pos != out.size) return "the image is not whole";
    return XXH3_64bits_digest(sum) == h->packed_checksum ? NULL : "the image's checksum is wrong";
}

static const char *header_check(struct snapshot_header *h, uint64_t seq, int64_t size)
{
    if (h->magic != SNAPSHOT_MAGIC || h->checksum != header_checksum(h))
        return "the header's checksum is wrong";
    if (h->version != SNAPSHOT_VERSION) return "it is of another version";
    if (h->seq != seq) return "it is of another seq than its name says";
    if (size < 0 || (uint64_t)size != sizeof *h + h->packed_bytes) return "its size is wrong";
    return NULL;
}

static int image_load(struct io *io, int file, struct machine *m, const struct snapshot_header *h,
                      char *why, size_t why_size)
{
    size_t bytes;
    unsigned char *block = m->verbs->memory(m->state, &bytes);
    if (bytes != h->image_bytes)
        return refuse(why, why_size, "the image has another size than this machine");
    unsigned char *part = malloc(PART_BYTES);
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    XXH3_state_t *sum = XXH3_createState();
    const char *wrong = image_unpack(io, file, h, block, part, zstd, sum);
    free(part);
    (void)ZSTD_freeDCtx(zstd);
    (void)XXH3_freeState(sum);
    if (wrong != NULL) return refuse(why, why_size, wrong);
    if (m->verbs->open(m->state) < 0)
        return refuse(why, why_size, "the image is of other limits or another version");
    if (m->verbs->seq(m->state) != h->seq || m->verbs->hash(m->state) != h->state_hash)
        return refuse(why, why_size, "the state's hash is wrong");
    return 0;
}

int snapshot_load(struct io *io, uint64_t seq, struct machine *machine,
                  struct snapshot_header *header, char *why, size_t why_size)
{
    int file = io_open(io, snapshot_name(seq).text, IO_OPEN_READ);
    if (file < 0) return refuse(why, why_size, io_error_text(file));
    int result;
    const char *wrong = "it is cut short";
    if (io_read(io, file, 0, header, sizeof *header) == (int64_t)sizeof *header)
        wrong = header_check(header, seq, io_size(io, file));
    if (wrong == NULL && memcmp(&header->limits, &machine->limits, sizeof header->limits) != 0)
        wrong = "it is of other limits";
    if (wrong != NULL) result = refuse(why, why_size, wrong);
    else result = image_load(io, file, machine, header, why, why_size);
    (void)io_close(io, file);
    return result;
}

/* ---- taking them beside the loop ---- */

struct snapshot_taker {
    struct io *io;
    struct log *log;
    struct snapshot_taker_options options;
    struct io_task task;
    bool writing;
    bool forced;
    uint64_t begun_seq; /* of the last that was begun, or where the log was opened */
    uint64_t begun_bytes;
    uint64_t last; /* of the last durable */

    /* the worker's while writing */
    struct machine *twin;
    struct outbox outbox; /* what the twin answers, unread */
    uint64_t target;
    uint64_t oldest; /* of those kept */
    struct snapshot_header header;
    char error[256]; /* empty: task.result says it */
};

/* Removes all but the newest; the oldest that stays. */
static uint64_t snapshots_trim(struct io *io, uint32_t kept)
{
    uint64_t seqs[LIST_MAX];
    int64_t count = snapshot_list(io, seqs, LIST_MAX);
    if (count <= 0) return 0;
    int64_t drop = count - (int64_t)kept;
    for (int64_t i = 0; i < drop; i++) (void)io_remove(io, snapshot_name(seqs[i]).text);
    if (drop > 0) (void)io_sync_directory(io); /* if not: they come back, and do no harm */
    return seqs[drop > 0 ? drop : 0];
}

/* Brings the twin to the target, which is durable. */
static int twin_follow(struct snapshot_taker *t)
{
    const struct machine *m = t->twin;
    uint64_t seq = m->verbs->seq(m->state);
    struct journal_reader *r =
        journal_reader_open(t->io, seq + 1, false, t->error, sizeof t->error);
    if (r == NULL) return -EIO;
    const struct command *c;
    int got = 1;
    while (seq < t->target && (got = journal_reader_next(r, &c)) == 1) {
        ASSERT(c->header.seq == seq + 1);
        assert_seq_current = c->header.seq;
        outbox_reset(&t->outbox, c->header.seq, c->header.ts);
        m->verbs->step(m->state, c, &t->outbox);
        seq = c->header.seq;
    }
    assert_seq_current = 0;
    journal_reader_close(r);
    if (seq == t->target) return 0;
    if (got == 0)
        (void)snprintf(t->error, sizeof t->error, "journal: seq %" PRIu64 " was durable, and the "
                       "journal now ends at seq %" PRIu64, t->target, seq);
    return -EIO;
}

static void taker_run(struct io_task *task)
{
    struct snapshot_taker *t = task->context;
    const struct machine *m = t->twin;
    t->error[0] = 0;
    t->header = (struct snapshot_header){.seq = t->target};
    task->result = twin_follow(t);
    if (task->result < 0) return;
    size_t bytes;
    const void *image = m->verbs->image(m->state, &bytes);
    t->header = (struct snapshot_header){.log_id = t->options.log_id, .image_bytes = bytes,
                                         .seq = t->target, .ts = m->verbs->ts(m->state),
                                         .state_hash = m->verbs->hash(m->state),
                                         .limits = m->limits};
    task->result = snapshot_write(t->io, &t->header, image);
    if (task->result == 0) t->oldest = snapshots_trim(t->io, t->options.kept);
}

static void taker_done(struct io_task *task)
{
    struct snapshot_taker *t = task->context;
    const struct log_listener *l = &t->options.listener;
    char text[384];
    t->writing = false;
    int error = task->result;
    if (error == 0) {
        t->last = t->header.seq;
        log_snapshot(t->log, t->oldest);
        (void)snprintf(text, sizeof text,
                       "snapshot at seq %" PRIu64 ": %" PRIu64 " bytes of state in %" PRIu64,
                       t->header.seq, t->header.image_bytes, t->header.packed_bytes);
        if (l->note != NULL) l->note(l->context, text);
        return;
    }
    (void)snprintf(text, sizeof text, "snapshot at seq %" PRIu64 " could not be written: %s",
                   t->header.seq, t->error[0] != 0 ? t->error : io_error_text(error));
    if (error == -ENOSPC || error == -EDQUOT || error == -ENOMEM) {
        if (l->say != NULL) l->say(l->context, text); /* the journal has everything: go on */
    } else if (l->failed != NULL) {
        l->failed(l->context, text);
    }
}

/* The machine's image as it is now, at start, into the twin. */
static int twin_make(struct snapshot_taker *t, struct machine *machine)
{
    t->twin = machine->verbs->twin(machine->state);
    t->outbox = (struct outbox){.bytes = aligned_alloc(64, (machine->outbox_bytes + 63) / 64 * 64),
                                .capacity = machine->outbox_bytes};
    if (t->twin == NULL || t->outbox.bytes == NULL) return -1;
    size_t bytes;
    size_t twin_bytes;
    const unsigned char *image = machine->verbs->image(machine->state, &bytes);
    t->twin->verbs->clear(t->twin->state);
    unsigned char *memory = t->twin->verbs->memory(t->twin->state, &twin_bytes);
    ASSERT(bytes == twin_bytes);
    for (size_t at = 0; at < bytes; at += PAGE) { /* pages of zeros stay untouched, and free */
        size_t part = bytes - at < PAGE ? bytes - at : PAGE;
        if (memcmp(memory + at, image + at, part) != 0) memcpy(memory + at, image + at, part);
    }
    return t->twin->verbs->open(t->twin->state);
}

struct snapshot_taker *snapshot_taker_new(struct io *io, struct machine *machine, struct log *log,
                                          const struct snapshot_taker_options *options)
{
    struct snapshot_taker *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->io = io;
    t->log = log;
    t->options = *options;
    ASSERT(options->kept >= 1);
    t->task = (struct io_task){.run = taker_run, .done = taker_done, .context = t};
    t->begun_seq = log->committed;
    if (twin_make(t, machine) == 0) return t;
    snapshot_taker_free(t);
    return NULL;
}

static bool taker_is_due(const struct snapshot_taker *t)
{
    const struct snapshot_taker_options *o = &t->options;
    uint64_t seq = t->log->committed;
    if (seq == 0 || (seq == t->begun_seq && !t->forced)) return false;
    return t->forced || (o->commands != 0 && seq - t->begun_seq >= o->commands) ||
           (o->bytes != 0 && t->log->bytes - t->begun_bytes >= o->bytes);
}

void snapshot_taker_turn(struct snapshot_taker *t)
{
    if (t->writing || t->log->failed || !taker_is_due(t)) return;
    t->target = t->log->committed;
    t->begun_seq = t->target;
    t->begun_bytes = t->log->bytes;
    t->forced = false;
    t->writing = true;
    io_submit(t->io, IO_QUEUE_background, &t->task);
}

void snapshot_taker_force(struct snapshot_taker *t)
{
    t->forced = true;
    snapshot_taker_turn(t);
}

bool snapshot_taker_is_busy(const struct snapshot_taker *t) { return t->writing; }

uint64_t snapshot_taker_last(const struct snapshot_taker *t) { return t->last; }

void snapshot_taker_free(struct snapshot_taker *t)
{
    while (t->writing && io_wait(t->io) > 0) continue;
    if (t->twin != NULL) t->twin->verbs->drop(t->twin);
    free(t->outbox.bytes);
    free(t);
}
