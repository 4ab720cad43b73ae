/* disk.h: a simulated disk, clock and pair of workers behind struct io, all from one seed.
 *
 * What a process sees is the cache; what survives the power is the durable part plus whatever the
 * crash chooses of the writes that no sync has covered: sectors of 512 bytes, each lost, kept or
 * turned into garbage, in any combination; names as a prefix of the unsynced changes. A failed sync
 * drops the dirty writes but leaves them in the cache, as Linux does.
 *
 * Upstream: io.h, base. Downstream: sim.c, the tests and fuzzers of seq.
 */
#ifndef DOJIMA_SIM_DISK_H
#define DOJIMA_SIM_DISK_H

#include "base/random.h"
#include "io/io.h"

enum disk_crash {
    DISK_CRASH_all_lost = 0, /* nothing that was not synced */
    DISK_CRASH_all_kept,
    DISK_CRASH_prefix,       /* the sectors in order, up to some point */
    DISK_CRASH_some,         /* any of the sectors */
    DISK_CRASH_garbage,      /* any, and some become garbage */
    DISK_CRASH_count
};

struct disk;

/* Called before each operation that changes something, when what it writes is in the cache and not
 * yet durable: the moment to look at what a crash would leave. */
typedef void disk_hook(void *context, struct disk *d);

struct disk *disk_new(uint64_t seed);
/* The same files, cache and unsynced writes; no hook, no faults, no tasks; a seed of its own. */
struct disk *disk_clone(const struct disk *d, uint64_t seed);
void disk_free(struct disk *d);

struct io *disk_io(struct disk *d);

/* The power goes: the durable part, and what the crash leaves, is all there is. Tasks are gone. */
void disk_crash(struct disk *d, enum disk_crash how);
/* The process dies, the machine lives: the cache stays. Tasks are gone. */
void disk_kill(struct disk *d);

void disk_hook_set(struct disk *d, disk_hook *hook, void *context);
/* After this many more operations every one fails: the process is as good as dead. 0: never. */
void disk_stop_after(struct disk *d, uint64_t operations);
/* The same, when names are next about to be made durable. */
void disk_stop_at_names(struct disk *d);
bool disk_stopped(const struct disk *d);
/* The sync after this many more fails once, and leaves any part of what it covered. 0: never. */
void disk_fail_sync_after(struct disk *d, uint64_t syncs);
/* Files may take so many bytes together; 0: no limit. */
void disk_space_set(struct disk *d, uint64_t bytes);
void disk_clock_set(struct disk *d, ts_t now);
/* Whether any of these faults has been asked for since the last crash or kill. */
bool disk_is_faulty(const struct disk *d);
/* How many of the waiting tasks io_poll runs: 0: a random number; else all. */
void disk_eager_set(struct disk *d, bool eager);

/* Direct access to what is durable, for bit rot and fuzzers: the bytes of a file, NULL if absent.
 * Writing here changes the cache too. */
unsigned char *disk_bytes(struct disk *d, const char *name, size_t *size);
void disk_flip(struct disk *d, const char *name, size_t at, unsigned char mask);
/* A durable file with these bytes. */
void disk_put(struct disk *d, const char *name, const void *bytes, size_t size);

#endif
