/* commit.h: how work is committed to: steps under a task's transcript, tasks under an hour's root.
 *
 *     step leaf  = H(0x00 || index 4 || op 4 || m 4 || k 4 || n 4 || H(A) || H(C))
 *     transcript = Merkle root of the task's steps, in order
 *     task leaf  = H(0x00 || index 8 || H(spec) || H(answer) || transcript || flop 16)
 *     hour root  = Merkle root of the tasks, in the order of their index from 0
 *
 * Integers are unsigned, big-endian, of the bytes said. A is int8, C is int32, little-endian, row
 * by row; H(A) and H(C) are fingerprint_matrix's, SHA-256 over 8 bytes a row (fingerprint.h says
 * why not over all). A step is one matrix product C[m x n] = A[m x k] B[k x n] over all positions
 * of the task; B is known from the weights.
 *
 * Upstream: merkle. Downstream: proof; work (prover, gateway, checker).
 */
#ifndef DOJIMA_PROOF_COMMIT_H
#define DOJIMA_PROOF_COMMIT_H

#include "base/units.h"
#include "proof/fingerprint.h"
#include "proof/merkle.h"

struct commit_step {
    uint32_t op;      /* which product of the workload's: defined by the workload */
    uint32_t m, k, n;
    const int8_t *a;  /* m x k */
    const int32_t *c; /* m x n */
};

struct commit_task {
    uint64_t index; /* in the hour, from 0 */
    struct digest spec, answer, transcript;
    uint128_t flop;
};

struct digest commit_step_leaf(uint32_t index, const struct commit_step *s);
/* The same when A's and C's digests are at hand: s->a and s->c are not read. */
struct digest commit_step_leaf_of(uint32_t index, const struct commit_step *s,
                                  const struct digest *a, const struct digest *c);
struct digest commit_task_leaf(const struct commit_task *t);

/* The nonce that a task of this hour must have in its spec: SHA-256("dojima task 1\n" ||
 * allocation 8 || hour 8 || index 8). A task done for another allocation, hour or index has
 * another, so no answer serves twice. */
struct digest commit_nonce(uint64_t allocation, int64_t hour, uint64_t index);

#endif
