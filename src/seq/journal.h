/* journal.h: the log of one node, as files. The format stands in journal.c. */
#ifndef DOJIMA_SEQ_JOURNAL_H
#define DOJIMA_SEQ_JOURNAL_H

#include "io/io.h"
#include "seq/log.h"
#include "seq/machine.h"

enum {
    JOURNAL_VERSION = 1,
    JOURNAL_BLOCK = 4096, /* groups begin and end on it */
    JOURNAL_SEGMENT_BYTES_MIN = 8 * JOURNAL_BLOCK,
    JOURNAL_GROUP_BYTES_MIN = 2 * JOURNAL_BLOCK,
    JOURNAL_GROUP_BYTES_MAX = 16 << 20,
};

struct journal_options {
    uint64_t segment_bytes;   /* [64 MiB]; a multiple of 4096; as group_bytes_max, of new logs: a
                                 log that exists keeps its own */
    uint32_t group_bytes_max; /* [1 MiB]; a multiple of 4096; below a segment by a block or more */
    uint32_t inline_max;      /* a lone group of at most so many commands is made durable in the
                                 caller's thread: [64]; 0: never */
    bool prune;               /* drop segments that no kept snapshot needs; [false] */
};

struct journal_options journal_options_default(void);

/* ---- format (journal.c explains) ---- */

struct journal_segment {
    uint64_t magic;
    uint64_t checksum; /* XXH3-64 of the block with this field zero */
    uint32_t version;
    uint32_t index; /* 1, 2, 3, ...: also in the name */
    uint64_t log_id; /* random, the same in every file of one data directory */
    uint64_t segment_bytes;
    uint32_t group_bytes_max;
    uint32_t command_bytes_max;
    ts_t created;
    struct machine_limits limits;
    unsigned char reserved[JOURNAL_BLOCK - 56 - MACHINE_LIMITS_SIZE];
};
ASSERT_SIZE(struct journal_segment, JOURNAL_BLOCK);

enum journal_group_kind { JOURNAL_GROUP_commands = 0, JOURNAL_GROUP_seal, JOURNAL_GROUP_count };

struct journal_group {
    uint64_t magic;
    uint64_t checksum; /* XXH3-64 of the group, padding included, with this field zero */
    uint64_t log_id;
    uint64_t previous;  /* the checksum of the group before; of the first: log_id */
    uint64_t index;     /* 1, 2, 3, ... over all segments */
    uint64_t first_seq; /* of its first command; of a seal: the next there will be */
    uint32_t bytes;     /* in use, this header included; a multiple of 8 */
    uint32_t count;     /* commands */
    uint32_t segment;
    uint32_t kind;
};
ASSERT_SIZE(struct journal_group, 64);

#define JOURNAL_SEGMENT_MAGIC UINT64_C(0x4c4e524a4a4f4401) /* 01 "DOJJRNL" */
#define JOURNAL_GROUP_MAGIC UINT64_C(0x5055524f474a4401)   /* 01 "DJGROUP" */

/* Bytes that a group takes on disk. */
static inline uint64_t journal_padded(uint64_t bytes)
{
    return (bytes + JOURNAL_BLOCK - 1) / JOURNAL_BLOCK * JOURNAL_BLOCK;
}

uint64_t journal_segment_checksum(struct journal_segment *s);
uint64_t journal_group_checksum(struct journal_group *g, size_t padded);

/* The file's name of a segment; whether a name is one, and which. */
struct io_name journal_segment_name(uint32_t index);
bool journal_segment_index(const char *name, uint32_t *index);

/* ---- reading (journal_read.c) ---- */

/* Where the log ends, and so where it goes on. */
struct journal_position {
    uint64_t log_id;      /* 0: there is no journal yet */
    uint64_t chain;       /* checksum of the last group */
    uint64_t group;       /* index of the last group */
    uint64_t seq;         /* of the last command */
    ts_t ts;              /* of the last command */
    uint32_t segment;     /* with the last group, or the first segment */
    uint32_t segment_last; /* the last that exists: equal, or one ahead */
    uint64_t offset;      /* of the next group in `segment` */
    uint64_t torn_bytes;  /* of a torn tail behind it: to be written over with zeros */
    uint64_t torn_offset;
    uint32_t torn_segment; /* `segment`, or the one after it */
    uint32_t group_bytes_max; /* of the segments that exist: the geometry of a log is fixed */
    uint64_t segment_bytes;
};

struct journal_reader;

/* Opens the journal at the group that holds `from` (or where the log ends before it). With
 * `settle`, reads show what the disk holds. Returns NULL and a line in `error` (IO errors, damage).
 * A directory without a journal gives a reader that ends at once with position.log_id 0. */
struct journal_reader *journal_reader_open(struct io *io, uint64_t from, bool settle, char *error,
                                           size_t error_size);

/* The next command, valid until the next call: 1. At the end: 0. Damage or an error: -1, and a line
 * with file, offset and seq in `error`. */
int journal_reader_next(struct journal_reader *r, const struct command **command);

/* The end, once next has returned 0; before it, how far it has read. */
const struct journal_position *journal_reader_position(const struct journal_reader *r);

/* The header of the first segment that exists; NULL: there is no journal. */
const struct journal_segment *journal_reader_segment(const struct journal_reader *r);

void journal_reader_close(struct journal_reader *r);

/* ---- writing (journal.c) ---- */

/* Opens for appending where a reader came to the end: writes zeros over a torn tail, makes the tail
 * durable and seals it. A position without a log begins a new one. NULL and a line on failure. */
struct log *journal_open(struct io *io, const struct journal_options *options,
                         const struct machine_limits *limits, const struct journal_position *at,
                         const struct log_listener *listener, char *error, size_t error_size);

/* The random name of a log that journal_open gave. */
uint64_t journal_log_id(const struct log *log);

#endif
