/* verify_watch.h: what the files of `dojima verify --watch` share.
 *
 *   verify_watch.c  options; which hours wait for a verdict, the verdict
 *   verify_open.c   a sample drawn, opened by the seller, checked task by task
 *
 * Invariants: (1) the nonce of a sample is drawn after the receipt is known, kept before the seller
 * hears of a task, and never drawn again for that hour: nobody shops for a sample; (2) a verdict is
 * kept before it is submitted, and it alone is submitted again; (3) a seller is accused only of a
 * task that was opened and found wrong; what cannot be judged here is no verdict; (4) every proof
 * file stays under DATA/proofs for whoever wants to check it (`dojima verify FILE`).
 */
#ifndef DOJIMA_CLI_VERIFY_WATCH_H
#define DOJIMA_CLI_VERIFY_WATCH_H

#include "cli/agent_delivery.h"
#include "proof/sample.h"
#include "proof/verdict.h"
#include "work/verify.h"

struct watch {
    struct agent agent; /* first: an agent is cast to it */
    uint32_t samples;   /* tasks of an hour that are opened [90] */
    uint32_t canaries;  /* tasks of a canary [4] */
    uint32_t patience_s; /* venue seconds that a seller has to answer [1800] */
    uint32_t timeout_s; /* real seconds for one request [120] */
    const char *workload; /* of canaries; NULL: the vintage's first of grade offline */
    bool test_workloads; /* workloads that count for nothing are accepted: demonstrations */
    struct deliveries_seen seen;
};

/* What came of a sample. */
struct watch_sample {
    uint8_t nonce[32];
    uint64_t sampled; /* opened and judged */
    uint64_t failed;
    uint64_t flop_least; /* of a task that was right: the least; UINT64_MAX: none was */
    bool answered;    /* every task asked for was opened */
    bool unknown;     /* some could not be judged */
    char reason[WORK_ERROR_SIZE]; /* of the first that failed, or of why there is no answer */
};

/* The hour's sample, once for each kind. False: it has to be tried again. */
bool watch_hour(struct watch *w, const struct delivery_allocation *al,
                const struct delivery_hour *h, enum proof_kind kind, struct watch_sample *s);
/* Tasks that the seller has to do now; *root, *flop are of what it did. */
bool watch_canary(struct watch *w, const struct delivery_allocation *al, struct watch_sample *s,
                  struct digest *root, uint128_t *flop);

/* `dojima verify --watch ...` */
int verify_watch(int argc, char **argv);

#endif
