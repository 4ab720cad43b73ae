/* engine.h: the engine's inside, for engine.c and run.c.
 *
 * Upstream: work.h, decoder.h. Downstream: engine, run.
 */
#ifndef DOJIMA_WORK_ENGINE_H
#define DOJIMA_WORK_ENGINE_H

#include "work/decoder.h"

struct work_engine {
    const struct work_workload *workload;
    const struct work_weights *weights;
    const struct backend *backend;
    void *state; /* the backend's */
    struct pool *pool;
    uint32_t slots, rows_max, rows_batch;
    uint64_t passes, rows; /* forward passes so far, and their rows */
    struct backend_matrix **matrices; /* by step; NULL: the backend has its own decoder */
    struct decoder *host;
    struct backend_decoder *device;
    int8_t *gemm_a; /* a gemm task's, kept: to take 10^8 bytes anew costs as much as to fill them */
    int32_t *gemm_c;
    uint64_t *gemm_prints;
};

#endif
