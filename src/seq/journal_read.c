/* journal_read.c: reads the journal back, in order, and finds its end; the format and the
 * invariants stand in journal.c.
 *
 * Whatever the files hold, this ends with one of three: a command, the end, or damage with its
 * place. The end is where no valid group follows; what is not zero there is a torn tail, if it lies
 * where the one group that was under way could lie. Anything else is damage, and nothing is cut:
 *   - a valid group that does not continue the chain, the index or the seq;
 *   - a group that is not valid with a valid one anywhere behind it;
 *   - bytes that are not zero beyond the reach of one group behind the end;
 *   - a segment that is missing, cut short, or whose header is not valid.
 *
 * Upstream: io. Downstream: recovery, replay, journal_fuzz.
 */
#include "seq/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { WINDOW_BYTES_MIN = 1 << 18 };

enum group_state { GROUP_valid, GROUP_zero, GROUP_bad, GROUP_error };

struct journal_reader {
    struct io *io;
    bool settle;
    bool chained; /* position.chain and .group are known: not before the first group is read */
    bool ended;
    uint64_t from;
    struct journal_segment header; /* of the first segment that exists */
    uint32_t first;                /* segments that exist: first .. last */
    uint32_t last;
    struct journal_position position;

    int file; /* of window_segment; -1: none */
    uint32_t window_segment;
    uint64_t window_offset;
    size_t window_bytes;
    size_t window_capacity;
    unsigned char *window;

    const unsigned char *next; /* commands left in the current group */
    uint32_t next_count;
    uint32_t next_bytes;
    struct command command; /* the current one, zeros behind what it uses */

    char *error;
    size_t error_size;
};

/* ---- access ---- */

static int segment_switch(struct journal_reader *r, uint32_t segment)
{
    if (r->file >= 0 && r->window_segment == segment) return 0;
    if (r->file >= 0) (void)io_close(r->io, r->file);
    r->window_bytes = 0;
    r->window_segment = segment;
    r->file = io_open(r->io, journal_segment_name(segment).text, IO_OPEN_READ);
    int error = r->file < 0 ? r->file : 0;
    if (error < 0) {
        r->file = -1;
        (void)snprintf(r->error, r->error_size, "journal: cannot open %s: %s",
                       journal_segment_name(segment).text, io_error_text(error));
    }
    return error;
}

/* Bytes [offset, offset + size) of a segment, 8-byte aligned; NULL and a line on failure. */
static const unsigned char *window_at(struct journal_reader *r, uint32_t segment, uint64_t offset,
                                      size_t size)
{
    if (segment_switch(r, segment) < 0) return NULL;
    if (offset >= r->window_offset && offset + size <= r->window_offset + r->window_bytes)
        return r->window + (offset - r->window_offset);
    size_t want = r->window_capacity;
    if (want > r->header.segment_bytes - offset) want = (size_t)(r->header.segment_bytes - offset);
    ASSERT(size <= want);
    r->window_bytes = 0;
    int64_t got = io_read(r->io, r->file, offset, r->window, want);
    if (got < (int64_t)size) {
        (void)snprintf(r->error, r->error_size, "journal: cannot read %s at offset %" PRIu64 ": %s",
                       journal_segment_name(segment).text, offset,
                       got < 0 ? io_error_text((int)got) : "the file is cut short");
        return NULL;
    }
    r->window_offset = offset;
    r->window_bytes = (size_t)got;
    return r->window;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* What lies at this block of a segment. */
static enum group_state group_at(struct journal_reader *r, uint32_t segment, uint64_t offset,
                                 const struct journal_group **group)
{
    const unsigned char *block = window_at(r, segment, offset, JOURNAL_BLOCK);
    if (block == NULL) return GROUP_error;
    const struct journal_group *g = (const struct journal_group *)(const void *)block;
    if (g->magic != JOURNAL_GROUP_MAGIC || g->log_id != r->header.log_id)
        return is_zero(block, JOURNAL_BLOCK) ? GROUP_zero : GROUP_bad;
    uint64_t padded = journal_padded(g->bytes);
    if (g->bytes < sizeof *g || g->bytes % 8 != 0 || g->bytes > r->header.group_bytes_max ||
        padded > r->header.segment_bytes - offset)
        return GROUP_bad;
    block = window_at(r, segment, offset, (size_t)padded);
    if (block == NULL) return GROUP_error;
    struct journal_group *whole = (struct journal_group *)(void *)(r->window + (block - r->window));
    if (journal_group_checksum(whole, (size_t)padded) != whole->checksum) return GROUP_bad;
    *group = whole;
    return GROUP_valid;
}

/* ---- damage ---- */

static int damage(struct journal_reader *r, uint32_t segment, uint64_t offset, const char *what)
{
    (void)snprintf(r->error, r->error_size,
                   "journal: damaged: %s, offset %" PRIu64 ", after seq %" PRIu64
                   ": %s; nothing was cut: restore this file from a copy, or recover up to here "
                   "with replay --until",
                   journal_segment_name(segment).text, offset, r->position.seq, what);
    return -1;
}

/* The first valid group at or after a place: 1 and where; 0: none; -1: an error. */
static int group_find(struct journal_reader *r, uint32_t *segment, uint64_t *offset)
{
    for (; *segment <= r->last; *segment += 1, *offset = JOURNAL_BLOCK) {
        for (; *offset < r->header.segment_bytes; *offset += JOURNAL_BLOCK) {
            const struct journal_group *g;
            enum group_state state = group_at(r, *segment, *offset, &g);
            if (state == GROUP_error) return -1;
            if (state == GROUP_valid) return 1;
        }
    }
    return 0;
}

/* From the end on nothing is valid: finds what is not zero and whether one torn group explains
 * it. */
static int end_measure(struct journal_reader *r)
{
    struct journal_position *p = &r->position;
    uint64_t start = p->offset;
    for (uint32_t s = p->segment; s <= r->last; s++, start = JOURNAL_BLOCK) {
        uint64_t end = 0;
        for (uint64_t at = start; at < r->header.segment_bytes; at += JOURNAL_BLOCK) {
            const unsigned char *block = window_at(r, s, at, JOURNAL_BLOCK);
            if (block == NULL) return -1;
            if (is_zero(block, JOURNAL_BLOCK)) continue;
            end = at + JOURNAL_BLOCK;
            if (end - start > r->header.group_bytes_max)
                return damage(r, s, at, "bytes that no torn group explains");
        }
        if (end == 0) continue;
        if (p->torn_bytes != 0) return damage(r, s, start, "bytes in two segments behind the end");
        p->torn_segment = s;
        p->torn_offset = start;
        p->torn_bytes = end - start;
    }
    return 0;
}

/* ---- groups in order ---- */

/* Whether a valid group continues what was read. */
static int group_enter(struct journal_reader *r, uint32_t segment, uint64_t offset,
                       const struct journal_group *g)
{
    struct journal_position *p = &r->position;
    if (!r->chained) { /* the first that is read: its predecessor is not looked at */
        bool oldest = g->index == 1;
        if (oldest && (g->previous != r->header.log_id || g->first_seq != 1))
            return damage(r, segment, offset, "the first group does not begin the log");
        if (g->index == 0 || g->first_seq == 0)
            return damage(r, segment, offset, "a group without index or seq");
        p->chain = g->previous;
        p->group = g->index - 1;
        p->seq = g->first_seq - 1;
        r->chained = true;
    }
    if (g->index != p->group + 1 || g->previous != p->chain)
        return damage(r, segment, offset, "the group does not follow the one before");
    if (g->first_seq != p->seq + 1 || g->segment != segment || g->kind >= JOURNAL_GROUP_count)
        return damage(r, segment, offset, "the group's seq, segment or kind is wrong");
    p->chain = g->checksum;
    p->group = g->index;
    p->segment = segment;
    p->offset = offset + journal_padded(g->bytes);
    r->next = (const unsigned char *)g + sizeof *g;
    r->next_count = g->count;
    r->next_bytes = g->bytes - (uint32_t)sizeof *g;
    if (g->count == 0 && r->next_bytes != 0)
        return damage(r, segment, offset, "a group without commands that is not empty");
    return 1;
}

/* No valid group at the position: the next segment, the end, or damage. 1, 0, -1. */
static int group_end(struct journal_reader *r)
{
    struct journal_position *p = &r->position;
    uint32_t segment = p->segment;
    uint64_t offset = p->offset;
    int found = group_find(r, &segment, &offset);
    if (found < 0) return -1;
    const struct journal_group *g;
    if (found == 0) {
        r->ended = true;
        p->segment_last = r->last;
        return end_measure(r);
    }
    if (segment == p->segment && offset == p->offset) { /* written since we looked */
        if (group_at(r, segment, offset, &g) != GROUP_valid) return -1;
        return group_enter(r, segment, offset, g);
    }
    bool next = segment == p->segment + 1 && offset == JOURNAL_BLOCK;
    for (uint64_t at = p->offset; next && at < r->header.segment_bytes; at += JOURNAL_BLOCK) {
        const unsigned char *block = window_at(r, p->segment, at, JOURNAL_BLOCK);
        if (block == NULL) return -1;
        if (!is_zero(block, JOURNAL_BLOCK)) next = false;
    }
    if (next) {
        if (group_at(r, segment, offset, &g) != GROUP_valid) return -1;
        if (!r->chained || (g->index == p->group + 1 && g->previous == p->chain))
            return group_enter(r, segment, offset, g);
    }
    char what[160];
    (void)snprintf(what, sizeof what, "no valid group, yet one follows in %s at offset %" PRIu64,
                   journal_segment_name(segment).text, offset);
    return damage(r, p->segment, p->offset, what);
}

/* The next group: 1; the end: 0; damage: -1. */
static int group_next(struct journal_reader *r)
{
    struct journal_position *p = &r->position;
    if (r->ended) return 0;
    if (p->offset + JOURNAL_BLOCK <= r->header.segment_bytes) {
        const struct journal_group *g;
        enum group_state state = group_at(r, p->segment, p->offset, &g);
        if (state == GROUP_error) return -1;
        if (state == GROUP_valid) return group_enter(r, p->segment, p->offset, g);
    }
    return group_end(r);
}

int journal_reader_next(struct journal_reader *r, const struct command **command)
{
    struct journal_position *p = &r->position;
    for (;;) {
        while (r->next_count == 0) {
            if (r->next_bytes != 0)
                return damage(r, p->segment, p->offset, "bytes behind a group's last command");
            int got = group_next(r);
            if (got <= 0) return got;
        }
        struct command *c = &r->command;
        uint32_t before = c->header.size;
        if (r->next_bytes < sizeof c->header)
            return damage(r, p->segment, p->offset, "a group ends within a command");
        memcpy(&c->header, r->next, sizeof c->header);
        uint32_t size = c->header.size;
        if (size < sizeof c->header || size > sizeof *c || size > r->next_bytes) {
            c->header.size = sizeof *c; /* whatever it holds is wiped by the next */
            return damage(r, p->segment, p->offset, "a command's size is wrong");
        }
        memcpy(c, r->next, size);
        if (before > size) memset((unsigned char *)c + size, 0, before - size);
        if (!command_is_valid(c, size) || c->header.seq != p->seq + 1 ||
            c->header.ts.v < p->ts.v)
            return damage(r, p->segment, p->offset, "a command is not valid here");
        r->next += size;
        r->next_bytes -= size;
        r->next_count -= 1;
        p->seq += 1;
        p->ts = c->header.ts;
        if (p->seq < r->from) continue;
        *command = c;
        return 1;
    }
}

/* ---- opening ---- */

static int header_check(struct journal_reader *r, uint32_t index, struct journal_segment *s)
{
    struct io_name name = journal_segment_name(index);
    int file = io_open(r->io, name.text, IO_OPEN_READ);
    int64_t got = file < 0 ? file : 0;
    int64_t size = 0;
    if (file >= 0) {
        if (r->settle) got = io_settle(r->io, file);
        if (got == 0) got = io_read(r->io, file, 0, s, sizeof *s);
        size = io_size(r->io, file);
        (void)io_close(r->io, file);
    }
    if (got < 0 || size < 0) {
        (void)snprintf(r->error, r->error_size, "journal: cannot read %s: %s", name.text,
                       io_error_text((int)(got < 0 ? got : size)));
        return -1;
    }
    if (got < (int64_t)sizeof *s || s->magic != JOURNAL_SEGMENT_MAGIC ||
        s->checksum != journal_segment_checksum(s))
        return damage(r, index, 0, "the segment's header is not valid");
    if (s->version != JOURNAL_VERSION)
        return damage(r, index, 0, "the segment is of another version");
    if (s->index != index || s->segment_bytes != (uint64_t)size || s->segment_bytes %
        JOURNAL_BLOCK != 0 || s->group_bytes_max < JOURNAL_GROUP_BYTES_MIN ||
        s->group_bytes_max > JOURNAL_GROUP_BYTES_MAX || s->group_bytes_max % JOURNAL_BLOCK != 0 ||
        s->group_bytes_max + (uint64_t)JOURNAL_BLOCK > s->segment_bytes || s->log_id == 0)
        return damage(r, index, 0, "the segment's size or header is wrong");
    return 0;
}

/* The headers of all segments: of one log, one geometry, without a gap. */
static int headers_check(struct journal_reader *r)
{
    if (header_check(r, r->first, &r->header) < 0) return -1;
    struct journal_segment *s = malloc(sizeof *s);
    int result = s == NULL ? -1 : 0;
    for (uint32_t i = r->first + 1; i <= r->last && result == 0; i++) {
        result = header_check(r, i, s);
        if (result < 0) break;
        if (s->log_id != r->header.log_id || s->segment_bytes != r->header.segment_bytes ||
            s->group_bytes_max != r->header.group_bytes_max ||
            memcmp(&s->limits, &r->header.limits, sizeof s->limits) != 0)
            result = damage(r, i, 0, "the segment belongs to another log");
    }
    free(s);
    return result;
}

/* Which segments there are; first == 0: none. */
static int segments_list(struct journal_reader *r)
{
    struct io_name *names;
    int64_t count = io_list_all(r->io, &names);
    if (count < 0) {
        (void)snprintf(r->error, r->error_size, "journal: cannot list the directory: %s",
                       io_error_text((int)count));
        return -1;
    }
    int result = 0;
    for (int64_t i = 0; i < count && result == 0; i++) {
        uint32_t index;
        if (!journal_segment_index(names[i].text, &index)) continue;
        if (r->first == 0) r->first = index;
        else if (index != r->last + 1) result = damage(r, r->last + 1, 0, "the segment is missing");
        r->last = index;
    }
    free(names);
    return result;
}

/* The last segment that begins at or before `from`. */
static int segment_choose(struct journal_reader *r)
{
    struct journal_position *p = &r->position;
    p->segment = r->first;
    p->offset = JOURNAL_BLOCK;
    for (uint32_t s = r->last; s >= r->first; s--) {
        const struct journal_group *g;
        enum group_state state = group_at(r, s, JOURNAL_BLOCK, &g);
        if (state == GROUP_error) return -1;
        if (state != GROUP_valid || g->first_seq > r->from) continue;
        p->segment = s;
        return 0;
    }
    const struct journal_group *g;
    if (group_at(r, r->first, JOURNAL_BLOCK, &g) == GROUP_valid) {
        (void)snprintf(r->error, r->error_size,
                       "journal: the commands before seq %" PRIu64 " are gone (pruned), seq %"
                       PRIu64 " is needed", g->first_seq, r->from);
        return -1;
    }
    if (r->first == 1) { /* a log that ends before it has begun */
        p->chain = r->header.log_id;
        r->chained = true;
        return 0;
    }
    return damage(r, r->first, JOURNAL_BLOCK, "the oldest segment does not begin with a group");
}

static int reader_begin(struct journal_reader *r)
{
    if (segments_list(r) < 0) return -1;
    if (r->first == 0) {
        r->ended = true;
        return 0;
    }
    if (headers_check(r) < 0) return -1;
    r->position.log_id = r->header.log_id;
    r->position.segment_bytes = r->header.segment_bytes;
    r->position.group_bytes_max = r->header.group_bytes_max;
    r->window_capacity = r->header.group_bytes_max;
    if (r->window_capacity < WINDOW_BYTES_MIN) r->window_capacity = WINDOW_BYTES_MIN;
    if (r->window_capacity > r->header.segment_bytes)
        r->window_capacity = (size_t)r->header.segment_bytes;
    r->window = aligned_alloc(JOURNAL_BLOCK, r->window_capacity);
    if (r->window == NULL) {
        (void)snprintf(r->error, r->error_size, "journal: out of memory");
        return -1;
    }
    return segment_choose(r);
}

struct journal_reader *journal_reader_open(struct io *io, uint64_t from, bool settle, char *error,
                                           size_t error_size)
{
    struct journal_reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        (void)snprintf(error, error_size, "journal: out of memory");
        return NULL;
    }
    r->io = io;
    r->from = from;
    r->settle = settle;
    r->file = -1;
    r->error = error;
    r->error_size = error_size;
    if (reader_begin(r) == 0) return r;
    journal_reader_close(r);
    return NULL;
}

const struct journal_position *journal_reader_position(const struct journal_reader *r)
{
    return &r->position;
}

const struct journal_segment *journal_reader_segment(const struct journal_reader *r)
{
    return r->first == 0 ? NULL : &r->header;
}

void journal_reader_close(struct journal_reader *r)
{
    if (r->file >= 0) (void)io_close(r->io, r->file);
    free(r->window);
    free(r);
}
