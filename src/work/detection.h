/* detection.h: how often sampling catches sellers who cheat, measured, beside what it should
 * (DELIV-04); and whether honest ones are ever accused.
 *
 * A run is an hour: tasks of a small reference workload, carried out; of a share of them, chosen by
 * the run's seed, a falsified version instead (cheat.h); the Merkle tree over what is claimed; a
 * nonce drawn after the root; the sample that both give; and the sampled tasks opened as a proof
 * file and verified by verify.h until one is found wrong. Every falsified task that is sampled goes
 * through all of that. An honest task gives the same bytes in every run: it went through it once
 * when the hour was made, and a few again in every run.
 *
 * The prediction is that of drawing without replacement, summed over the runs with the number of
 * tasks that each really falsified.
 *
 * Upstream: work, cheat, verify, sample. Downstream: bench (detection), detection_test.
 */
#ifndef DOJIMA_WORK_DETECTION_H
#define DOJIMA_WORK_DETECTION_H

#include "work/cheat.h"

enum { DETECTION_TASKS_MAX = 4000, DETECTION_ALL_PPM = 1000000 };

struct detection_case {
    enum cheat_kind kind;
    uint32_t share_ppm; /* of its tasks are falsified; with CHEAT_one_in_100: its own share */
    uint32_t sampled;
};

struct detection_row {
    uint32_t runs, caught;
    double predicted;     /* expected number of runs caught */
    double deviation;     /* its standard deviation */
    uint64_t falsified;   /* tasks, over all runs */
    uint64_t opened;      /* tasks that were opened and verified in these runs */
    uint64_t passed;      /* falsified tasks that were opened and found right */
    uint64_t accused;     /* honest tasks found wrong, or not judged */
    uint64_t hash;        /* of every root and every outcome */
};

struct detection;

/* Makes an hour of so many tasks and verifies each. -1 and the reason. */
int detection_open(const char *workload, uint32_t tasks, struct detection **detection,
                   struct work_error *error);
void detection_close(struct detection *d);
uint64_t detection_accused(const struct detection *d); /* honest tasks found wrong when made */

/* `runs` hours of one case. -1: the machine failed. */
int detection_run(struct detection *d, const struct detection_case *c, uint32_t runs,
                  uint64_t seed, struct detection_row *row, struct work_error *error);

/* Exact (Clopper and Pearson) 95 % interval of a rate of which `caught` of `runs` were seen. */
void detection_interval(uint32_t runs, uint32_t caught, double *low, double *high);

#endif
