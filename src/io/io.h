/* io.h: files of one data directory, the clock and entropy, behind a small table of functions, so
 * that the simulator can stand in for the machine.
 *
 * Every name is that of a file in the one directory that an io was opened for. Errors are negative
 * errno values; io_error_text says them. A file is a small non-negative number.
 *
 * Durability, as the callers rely on it and as sim/disk.c breaks it when they do not:
 *   (1) what io_write wrote is durable after io_sync of that file, not before, and until then any
 *       part of it may be lost, torn or replaced by garbage when the power goes;
 *   (2) io_write_sync makes exactly its own range durable;
 *   (3) a created, renamed or removed name is durable after io_sync_directory, not before;
 *   (4) after a failed sync nothing is known of what was written: the caller stops for good;
 *   (5) io_settle makes a file's reads show what the disk holds, whatever a cache believed: a
 *       process that restarts after a failed sync would otherwise read back what never got there.
 *
 * Tasks are work off the loop's thread: `run` on the worker of its queue, one after the other and
 * in order; then `done` in the thread that calls io_poll. The functions marked (any) may be called
 * by any thread, the others by the loop's thread only.
 *
 * Upstream: base. Downstream: seq, node, cli, sim.
 */
#ifndef DOJIMA_IO_IO_H
#define DOJIMA_IO_IO_H

#include "base/units.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IO_NAME_SIZE = 64 };

enum io_queue { IO_QUEUE_journal = 0, IO_QUEUE_background, IO_QUEUE_count };

enum io_open_mode { IO_OPEN_READ = 0, IO_OPEN_WRITE };

struct io_task {
    void (*run)(struct io_task *task);
    void (*done)(struct io_task *task);
    void *context;
    int result;           /* run's own word to done */
    struct io_task *next; /* the queue's */
};

struct io_name { char text[IO_NAME_SIZE]; };

struct io;
struct io_verbs {
    int (*open)(struct io *io, const char *name, enum io_open_mode mode);
    int (*create)(struct io *io, const char *name);
    int (*close)(struct io *io, int file);
    int64_t (*read)(struct io *io, int file, uint64_t offset, void *bytes, size_t size);
    int (*write)(struct io *io, int file, uint64_t offset, const void *bytes, size_t size);
    int (*write_sync)(struct io *io, int file, uint64_t offset, const void *bytes, size_t size);
    int (*sync)(struct io *io, int file);
    int (*settle)(struct io *io, int file);
    int64_t (*size)(struct io *io, int file);
    int (*rename)(struct io *io, const char *from, const char *to);
    int (*remove)(struct io *io, const char *name);
    int (*sync_directory)(struct io *io);
    int64_t (*list)(struct io *io, struct io_name *names, size_t names_max);
    ts_t (*now)(struct io *io);
    int (*entropy)(struct io *io, void *bytes, size_t size);
    void (*submit)(struct io *io, enum io_queue queue, struct io_task *task);
    size_t (*poll)(struct io *io);
    size_t (*wait)(struct io *io);
};
struct io { const struct io_verbs *verbs; };

/* An existing file; its number, or an error. (any) */
static inline int io_open(struct io *io, const char *name, enum io_open_mode mode)
{
    return io->verbs->open(io, name, mode);
}

/* A new file that must not exist yet, for reading and writing. (any) */
static inline int io_create(struct io *io, const char *name) { return io->verbs->create(io, name); }

static inline int io_close(struct io *io, int file) { return io->verbs->close(io, file); }

/* The bytes read: fewer than size only at the end of the file; or an error. (any) */
static inline int64_t io_read(struct io *io, int file, uint64_t offset, void *bytes, size_t size)
{
    return io->verbs->read(io, file, offset, bytes, size);
}

/* All of it, or an error. (any) */
static inline int io_write(struct io *io, int file, uint64_t offset, const void *bytes, size_t size)
{
    return io->verbs->write(io, file, offset, bytes, size);
}

/* Writes and makes durable this range of a file whose size does not change. (any) */
static inline int io_write_sync(struct io *io, int file, uint64_t offset, const void *bytes,
                                size_t size)
{
    return io->verbs->write_sync(io, file, offset, bytes, size);
}

/* Makes what was written to the file durable, its size included. (any) */
static inline int io_sync(struct io *io, int file) { return io->verbs->sync(io, file); }

/* See (5). (any) */
static inline int io_settle(struct io *io, int file) { return io->verbs->settle(io, file); }

/* Bytes of the file. (any) */
static inline int64_t io_size(struct io *io, int file) { return io->verbs->size(io, file); }

/* Replaces `to` when it exists. (any) */
static inline int io_rename(struct io *io, const char *from, const char *to)
{
    return io->verbs->rename(io, from, to);
}

static inline int io_remove(struct io *io, const char *name)
{
    return io->verbs->remove(io, name);
}

static inline int io_sync_directory(struct io *io) { return io->verbs->sync_directory(io); }

/* The names of all files, in byte order: how many (of which names_max are given). (any) */
static inline int64_t io_list(struct io *io, struct io_name *names, size_t names_max)
{
    return io->verbs->list(io, names, names_max);
}

/* All names, in byte order, in memory that the caller frees (NULL: none, or an error): how many, or
 * an error. (any) */
int64_t io_list_all(struct io *io, struct io_name **names);

/* The wall clock, UTC. It may go back. (any) */
static inline ts_t io_now(struct io *io) { return io->verbs->now(io); }

/* Random bytes that cannot be guessed. (any) */
static inline int io_entropy(struct io *io, void *bytes, size_t size)
{
    return io->verbs->entropy(io, bytes, size);
}

/* Queues a task, which stays the caller's and must live until its done has been called. */
static inline void io_submit(struct io *io, enum io_queue queue, struct io_task *task)
{
    io->verbs->submit(io, queue, task);
}

/* Calls done of every task that has run; how many. Never waits. */
static inline size_t io_poll(struct io *io) { return io->verbs->poll(io); }

/* Waits until a task has run, if any is under way, then as io_poll. 0: none was under way. */
static inline size_t io_wait(struct io *io) { return io->verbs->wait(io); }

/* Writes zeros over [offset, offset + size) of a file; not yet durable. (any) */
int io_write_zeros(struct io *io, int file, uint64_t offset, uint64_t size);

/* What an error is, in words; static storage. */
const char *io_error_text(int error);

/* ---- the machine's own files (io_directory.c) ---- */

enum { IO_DIRECTORY_CREATE = 1, IO_DIRECTORY_READ_ONLY = 2 };

/* Opens a data directory and locks it, so that no other process writes to it (a read-only opening
 * takes no lock and writes nothing). NULL, with one line for the operator in `error`, when that is
 * not possible. `path` is not kept. */
struct io *io_directory_open(const char *path, unsigned flags, char *error, size_t error_size);

/* What a worker calls when a task has run, so that the loop calls io_poll: uv_async_send or the
 * like. To be set before the first task. */
void io_directory_wake_set(struct io *io, void (*wake)(void *context), void *context);

/* Waits for the tasks that are queued, stops the workers, unlocks. */
void io_directory_close(struct io *io);

#endif
