/* snapshot.h: an image of the machine at a seq, as a file; format and promises in snapshot.c. */
#ifndef DOJIMA_SEQ_SNAPSHOT_H
#define DOJIMA_SEQ_SNAPSHOT_H

#include "io/io.h"
#include "seq/log.h"
#include "seq/machine.h"

enum { SNAPSHOT_VERSION = 1 };

struct snapshot_header {
    uint64_t magic;
    uint64_t checksum; /* XXH3-64 of this header with this field zero */
    uint32_t version;
    uint32_t reserved;
    uint64_t log_id; /* of the journal it belongs to */
    uint64_t seq;    /* of the last command applied: also in the name */
    ts_t ts;
    uint64_t state_hash;
    uint64_t image_bytes;
    uint64_t packed_bytes;
    uint64_t packed_checksum; /* XXH3-64 of the zstd frame behind the header */
    struct machine_limits limits;
};
ASSERT_SIZE(struct snapshot_header, 80 + MACHINE_LIMITS_SIZE);

#define SNAPSHOT_MAGIC UINT64_C(0x504e534d4a4f4401) /* 01 "DOJMSNP" */

struct io_name snapshot_name(uint64_t seq);
bool snapshot_seq(const char *name, uint64_t *seq);

/* The seqs of the snapshots that have a final name, rising: how many, or an error. At most `max`
 * are given, the newest. */
int64_t snapshot_list(struct io *io, uint64_t *seqs, size_t max);

/* Packs, writes and makes durable. `header` has log_id, seq, ts, state_hash, image_bytes, limits;
 * the rest is filled in. Any thread. 0 or an error of io. */
int snapshot_write(struct io *io, struct snapshot_header *header, const void *image);

/* Loads the snapshot of this seq into the machine and opens it. 0: done, *header is what it says.
 * 1: it cannot be used, `why` says why, and the machine is closed. */
int snapshot_load(struct io *io, uint64_t seq, struct machine *machine,
                  struct snapshot_header *header, char *why, size_t why_size);

/* ---- taking them beside the loop ---- */

struct snapshot_taker;

struct snapshot_taker_options {
    uint64_t commands; /* since the last one; 0: never by this */
    uint64_t bytes;    /* of journaled commands since the last one; 0: never by this */
    uint32_t kept;     /* how many stay; at least 1 */
    uint64_t log_id;
    struct log_listener listener; /* say, note and failed are used */
};

/* Makes a twin of the machine as it is now, all of which is durable. NULL: out of memory. */
struct snapshot_taker *snapshot_taker_new(struct io *io, struct machine *machine, struct log *log,
                                          const struct snapshot_taker_options *options);

/* The loop calls it after some commands became durable: when one is due, the background worker
 * brings the twin to what is durable now, and writes its image. */
void snapshot_taker_turn(struct snapshot_taker *t);

/* One is due now, whatever the interval (when a node closes). */
void snapshot_taker_force(struct snapshot_taker *t);

bool snapshot_taker_is_busy(const struct snapshot_taker *t);
uint64_t snapshot_taker_last(const struct snapshot_taker *t); /* seq of the last durable; 0: none */

/* Waits for one that is being written. */
void snapshot_taker_free(struct snapshot_taker *t);

#endif
