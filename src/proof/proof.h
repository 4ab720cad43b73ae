/* proof.h: the file in which a seller opens sampled tasks (DELIV-03).
 *
 * All integers little-endian; every part begins at a multiple of 8 bytes, what is between is zero.
 *
 *   header   "dojproof", version 4 = 1, vintage 4, allocation 8, hour 8 (since 1970), tasks 8 (in
 *            the hour), opened 4, 0 4, root 32
 *   task     index 8, flop 16, spec bytes 4, answer bytes 4, steps 4, path 4; then spec, answer,
 *            path x 32, steps
 *   step     op 4, m 4, k 4, n 4, A (m x k bytes), C (m x n x 4 bytes)
 *
 * Tasks stand in ascending order of index, each once. Nothing stands behind the last.
 *
 * Invariants: (1) every number is checked against its bound and against what is left before it is
 * used; (2) parsing copies nothing: what comes out points into the caller's bytes, which begin at a
 * multiple of 8; (3) proof_task_committed says whether the task is the one that was committed to,
 * by recomputing transcript, leaf and path; whether the work is right is the checker's question.
 *
 * Upstream: commit. Downstream: work (prover, checker), cli (verify).
 */
#ifndef DOJIMA_PROOF_PROOF_H
#define DOJIMA_PROOF_PROOF_H

#include "proof/commit.h"

enum {
    PROOF_SPEC_MAX = 1 << 20,   /* bytes */
    PROOF_ANSWER_MAX = 1 << 20, /* bytes */
    PROOF_STEPS_MAX = 1 << 20,  /* a task */
    PROOF_DIMENSION_MAX = 1 << 20,
    PROOF_OPENED_MAX = 65536,
    PROOF_ERROR_SIZE = 160,
};
#define PROOF_MATRIX_MAX (UINT64_C(1) << 30) /* bytes of one A or C */

struct proof_error {
    uint64_t at; /* offset of what is wrong */
    char text[PROOF_ERROR_SIZE];
};

struct proof_header {
    uint32_t vintage;
    uint64_t allocation;
    int64_t hour;
    uint64_t tasks;  /* in the hour */
    uint32_t opened; /* in this file */
    struct digest root;
};

struct proof {
    struct proof_header header;
    const uint8_t *bytes;
    size_t size, at;   /* at: the next task */
    uint32_t read;     /* tasks read so far */
    uint64_t previous; /* index of the last one */
};

struct proof_task {
    uint64_t index;
    uint128_t flop;
    const uint8_t *spec, *answer;
    uint32_t spec_size, answer_size;
    struct merkle_path path;
    uint32_t steps;
    const uint8_t *step_bytes;
    size_t step_size; /* bytes of all steps */
};

struct proof_steps { /* an iteration */
    const uint8_t *bytes;
    size_t size, at;
    uint32_t left;
};

bool proof_recognised(const void *bytes, size_t size);

/* 0, or -1 and the reason. */
int proof_parse(struct proof *p, const void *bytes, size_t size, struct proof_error *error);
/* 1: a task; 0: there are no more, and nothing behind them; -1 and the reason. */
int proof_task_next(struct proof *p, struct proof_task *task, struct proof_error *error);
/* The steps of a task that proof_task_next gave. */
void proof_steps_begin(struct proof_steps *s, const struct proof_task *task);
bool proof_step_next(struct proof_steps *s, struct commit_step *step);

/* Whether the task is committed to under the header's root, by all its bytes; `commitment` is what
 * they come to. */
bool proof_task_committed(const struct proof *p, const struct proof_task *task,
                          struct commit_task *commitment);

/* ---- writing: into memory that grows ---- */

struct proof_writer {
    uint8_t *bytes; /* free() it */
    size_t size, capacity, limit; /* limit: at most so many bytes; 0: 2^40 */
    size_t task_at;
    uint32_t opened, steps;
    bool failed; /* no memory, or beyond the limit */
};
void proof_write_begin(struct proof_writer *w, const struct proof_header *header);
void proof_write_task(struct proof_writer *w, uint64_t index, uint128_t flop, const void *spec,
                      uint32_t spec_size, const void *answer, uint32_t answer_size,
                      const struct merkle_path *path);
void proof_write_step(struct proof_writer *w, const struct commit_step *step);
/* Counts are filled in. 0; -1: it did not fit (nothing is of use). */
int proof_write_end(struct proof_writer *w);

#endif
