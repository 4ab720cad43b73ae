/* verify.h: whether the tasks that a proof file opens are the ones that were committed to, and
 * right (DELIV-03): path, spec, nonce, and the whole transcript by check.c.
 *
 * Models are made when a task first asks for one, from the workload's seed, or from the buyer's
 * weights that the caller has; each is kept with its folded random vectors. The random vectors come
 * from a secret that must not be known to the seller before the proof is in hand.
 *
 * Invariants: (1) a task is right only if everything was looked at: what cannot be judged (another
 * vintage, weights that are not here, no memory) is said as that, never as right or wrong; (2)
 * nothing of the venue is asked or believed.
 *
 * Upstream: proof, check. Downstream: cli (verify), the verifier's agent, detection.
 */
#ifndef DOJIMA_WORK_VERIFY_H
#define DOJIMA_WORK_VERIFY_H

#include "proof/proof.h"
#include "work/work.h"

enum { VERIFY_MODELS_MAX = 8 };

enum verify_outcome {
    VERIFY_right = 0,
    VERIFY_uncommitted, /* not what the hour's root commits to */
    VERIFY_foreign,     /* of another allocation, hour or index, or another vintage */
    VERIFY_wrong,       /* committed to and false: see fault */
    VERIFY_unknown,     /* cannot be judged here: see reason */
};

struct verify_result {
    uint64_t index;
    enum verify_outcome outcome;
    enum work_fault fault; /* with VERIFY_wrong */
    const struct work_workload *workload; /* NULL: none was recognised */
    uint128_t flop; /* as committed */
    char reason[WORK_ERROR_SIZE]; /* a sentence unless right */
};

/* Bytes of a buyer's weights of this workload and digest; NULL: they are not here. They outlive the
 * models. */
typedef const uint8_t *verify_weights(void *context, const struct work_workload *w,
                                      const struct digest *digest, size_t *size);

struct verify; /* the models */
struct verify *verify_open(const uint8_t secret[32], verify_weights *weights, void *context);
void verify_close(struct verify *v);

/* One task that proof_task_next gave. */
void verify_task(struct verify *v, const struct proof *p, const struct proof_task *t,
                 struct verify_result *result);

const char *verify_outcome_text(enum verify_outcome outcome);

#endif
