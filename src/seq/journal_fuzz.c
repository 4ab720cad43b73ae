/* journal_fuzz.c: arbitrary bytes as a journal.
 *
 * The first byte says what is made good before reading, so that the fuzzer gets past the checksums:
 * 1 the segment's header, 2 the groups' magic and log_id, 4 their chain, index, first seq and
 * checksum, 8 a command's seq and time; 16 cuts the bytes into two segments. Whatever comes: no
 * crash; a refusal has a line; what is accepted can be opened for writing, and then recovers to the
 * same state.
 */
#include "seq/recovery.h"
#include "sim/disk.h"
#include "sim/tiny.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENT = JOURNAL_SEGMENT_BYTES_MIN, GROUP_MAX = 2 * JOURNAL_BLOCK, LOG_ID = 77 };

struct fixer {
    unsigned flags;
    uint64_t chain;
    uint64_t index;
    uint64_t seq;
    struct machine_limits limits;
};

static void header_fix(const struct fixer *f, unsigned char *bytes, uint32_t index)
{
    struct journal_segment *s = (struct journal_segment *)(void *)bytes;
    if ((f->flags & 1) == 0) return;
    s->magic = JOURNAL_SEGMENT_MAGIC;
    s->version = JOURNAL_VERSION;
    s->index = index;
    s->log_id = LOG_ID;
    s->segment_bytes = SEGMENT;
    s->group_bytes_max = GROUP_MAX;
    s->limits = f->limits;
    s->checksum = journal_segment_checksum(s);
}

static void commands_fix(struct fixer *f, struct journal_group *g)
{
    unsigned char *at = (unsigned char *)(g + 1);
    size_t left = g->bytes - sizeof *g;
    g->count = 0;
    while (left >= sizeof(struct command_header)) {
        struct command_header *h = (struct command_header *)(void *)at;
        size_t size = h->size;
        if (size % 8 != 0 || size < sizeof *h || size > left) break;
        h->seq = ++f->seq;
        h->ts = TS((int64_t)f->seq);
        g->count += 1;
        at += size;
        left -= size;
    }
    g->bytes -= (uint32_t)left;
}

static void groups_fix(struct fixer *f, unsigned char *bytes, uint32_t segment)
{
    for (size_t at = JOURNAL_BLOCK; at < SEGMENT;) {
        struct journal_group *g = (struct journal_group *)(void *)(bytes + at);
        if (g->bytes == 0) { /* an empty block stays the end */
            at += JOURNAL_BLOCK;
            continue;
        }
        if ((f->flags & 2) != 0) {
            g->magic = JOURNAL_GROUP_MAGIC;
            g->log_id = LOG_ID;
            g->bytes = (uint32_t)sizeof *g + g->bytes % (GROUP_MAX - sizeof *g) / 8 * 8;
            if (journal_padded(g->bytes) > SEGMENT - at) g->bytes = sizeof *g;
        }
        if (g->bytes < sizeof *g || g->bytes > GROUP_MAX || at + journal_padded(g->bytes) > SEGMENT)
            return;
        size_t padded = (size_t)journal_padded(g->bytes);
        if ((f->flags & 4) != 0) {
            g->previous = f->chain;
            g->index = ++f->index;
            g->first_seq = f->seq + 1;
            g->segment = segment;
            g->kind = g->kind % JOURNAL_GROUP_count;
            if ((f->flags & 8) != 0) commands_fix(f, g);
            else f->seq += g->count;
            size_t now = (size_t)journal_padded(g->bytes);
            memset(bytes + at + now, 0, padded - now);
            padded = now;
            g->checksum = journal_group_checksum(g, padded);
            f->chain = g->checksum;
        }
        at += padded;
    }
}

static struct disk *disk_make(const uint8_t *data, size_t size, const struct machine *m)
{
    static unsigned char bytes[2 * SEGMENT] __attribute__((aligned(64)));
    struct fixer f = {.flags = data[0], .chain = LOG_ID, .limits = m->limits};
    struct disk *d = disk_new(1);
    uint32_t segments = (f.flags & 16) != 0 ? 2 : 1;
    memset(bytes, 0, sizeof bytes);
    if (size - 1 > segments * SEGMENT) size = segments * SEGMENT + 1;
    /* Groups come first in the input; the header, which needs little, is left to the fixer. */
    for (size_t i = 1, at = JOURNAL_BLOCK; i < size && at < segments * SEGMENT; i++, at++) {
        if (at == SEGMENT) at += JOURNAL_BLOCK;
        bytes[at] = data[i];
    }
    for (uint32_t i = 0; i < segments; i++) {
        header_fix(&f, bytes + i * SEGMENT, i + 1);
        groups_fix(&f, bytes + i * SEGMENT, i + 1);
        disk_put(d, journal_segment_name(i + 1).text, bytes + i * SEGMENT, SEGMENT);
    }
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    struct machine *m = tiny_new();
    struct disk *d = disk_make(data, size, m);
    char error[512] = "";
    struct recovery_options o = {0};
    struct recovery_result r;
    disk_eager_set(d, true);
    if (recovery_run(disk_io(d), m, &o, &r, error, sizeof error) < 0) {
        ASSERT(error[0] != 0);
    } else {
        struct journal_options jo = journal_options_default();
        struct log_listener l = {0};
        struct recovery_result again;
        uint64_t hash = m->verbs->hash(m->state);
        struct log *log = journal_open(disk_io(d), &jo, &m->limits, &r.position, &l, error,
                                       sizeof error);
        ASSERT(log != NULL && log_close(log) == 0);
        int failed = recovery_run(disk_io(d), m, &o, &again, error, sizeof error);
        ASSERT(failed == 0 && again.seq == r.seq && again.position.torn_bytes == 0);
        ASSERT(m->verbs->hash(m->state) == hash);
    }
    disk_free(d);
    tiny_free(m);
    return 0;
}
