/* agent_store.h: what a seller's agent and a buyer's gateway must not forget: the tasks of their
 * hours and the notes about them, in one SQLite file of their data directory.
 *
 * Invariants: (1) the tasks of an hour are 0, 1, 2, ... without a gap, each once: a task that is
 * there is never changed, and the same task again is the same task; (2) what a commit has returned
 * from is on the disk (WAL, synchronous FULL), so that a process killed at any instant goes on from
 * its last commit; (3) a note is kept once under its name, and another text under that name is
 * refused; (4) one process at a time has the directory (a lock of the kernel's).
 *
 * All functions may be called from several threads; a batch (begin ... commit) holds the others up.
 *
 * Upstream: a directory. Downstream: deliver, intake, verify_watch.
 */
#ifndef DOJIMA_CLI_AGENT_STORE_H
#define DOJIMA_CLI_AGENT_STORE_H

#include "proof/commit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum agent_store_result {
    AGENT_STORE_new = 0,
    AGENT_STORE_same,   /* was there already, and is the same */
    AGENT_STORE_other,  /* something else is there under that index or name */
    AGENT_STORE_gap,    /* the task before it is missing */
    AGENT_STORE_failed, /* the disk; the process should end */
};

enum { AGENT_STORE_NAME_SIZE = 32, AGENT_STORE_ERROR_SIZE = 256 };

struct agent_hour {
    uint64_t allocation;
    int64_t hour; /* since 1970 */
};

struct agent_task {
    uint64_t index;
    const uint8_t *spec; /* canonical bytes (work_spec_encode) */
    size_t spec_size;
    const uint8_t *answer;
    size_t answer_size;
    struct digest transcript;
    uint64_t flop;
};

struct agent_store;

/* Makes the directory when it is not there. NULL and a line. */
struct agent_store *agent_store_open(const char *directory, char *error, size_t size);
void agent_store_close(struct agent_store *s);

/* Several changes that become durable together, or not at all; a batch within a batch is part of
 * it. */
void agent_store_begin(struct agent_store *s);
bool agent_store_commit(struct agent_store *s); /* false: failed; nothing of it is kept */
void agent_store_abandon(struct agent_store *s); /* the commit will keep nothing of it */

/* By itself, or within a batch. */
enum agent_store_result agent_store_task_put(struct agent_store *s, const struct agent_hour *h,
                                             const struct agent_task *t);
/* How many tasks there are, and the FLOP of all of them. */
bool agent_store_hour(struct agent_store *s, const struct agent_hour *h, uint64_t *tasks,
                      uint128_t *flop);
/* *bytes holds spec and answer, to be freed. false: there is no such task. */
bool agent_store_task_get(struct agent_store *s, const struct agent_hour *h, uint64_t index,
                          struct agent_task *t, uint8_t **bytes);
/* The leaves of tasks 0 .. count - 1. false: there are fewer. */
bool agent_store_leaves(struct agent_store *s, const struct agent_hour *h, uint64_t count,
                        struct digest *leaves);

/* Texts: a receipt, a nonce, a mark. */
enum agent_store_result agent_store_note_put(struct agent_store *s, const struct agent_hour *h,
                                             const char *name, const char *text);
/* Puts it whatever is there. */
bool agent_store_note_set(struct agent_store *s, const struct agent_hour *h, const char *name,
                          const char *text);
/* Its length with a zero byte behind; 0: there is none, or it does not fit. */
size_t agent_store_note_get(struct agent_store *s, const struct agent_hour *h, const char *name,
                            char *text, size_t size);

/* The leaf of a task as it is committed to. */
struct digest agent_task_leaf(const struct agent_task *t);

#endif
