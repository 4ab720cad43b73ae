/* internal.h: what the files of work share among themselves and with device backends.
 *
 * Upstream: work.h. Downstream: every file of work.
 */
#ifndef DOJIMA_WORK_INTERNAL_H
#define DOJIMA_WORK_INTERNAL_H

#include <time.h>

#include "work/work.h"

/* A clock that never goes back, ns. */
static inline int64_t work_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum { WORK_HEAD_MAX = 512, WORK_GROUP_MAX = 64 }; /* head_size; heads / kv_heads */

/* Of a model's shape: steps of a task, which matrix a step is, and of which layer (0 where the
 * matrix is of none). */
uint32_t work_steps(const struct work_workload *w);
enum work_matrix work_step_matrix(const struct work_workload *w, uint32_t step);
uint32_t work_step_layer(const struct work_workload *w, uint32_t step);

/* The first 8 bytes of a digest, little-endian: a key of fixed_random. */
uint64_t work_key(const struct digest *d);

/* Of fixed_attention; and turns a position of each pair (head_size / 2). */
uint32_t work_attention_scale(const struct work_weights *weights);
const uint64_t *work_frequencies(const struct work_weights *weights);

/* The token that follows from these logits, as token i of the answer (sample.c). */
uint32_t work_sample(const struct work_spec *s, uint64_t key, uint32_t i, const int32_t *logits,
                     uint32_t vocabulary);
/* How many tokens of the answer follow from its rows of logits, up to the first that does not. */
uint32_t work_sampled(const struct work_spec *spec, const struct work_answer *answer,
                      const int32_t *logits, uint32_t vocabulary);
/* Whether an answer can be one to this spec at all. */
int work_answer_check(const struct work_spec *spec, const struct work_shape *h,
                      const struct work_answer *answer, struct work_error *error);
/* A step's op and sizes in a task of so many positions and tokens; a and c are NULL. */
struct commit_step work_step_shape(const struct work_workload *w, uint32_t step,
                                   uint32_t positions, uint32_t answers);
/* The transcript's root from fingerprints [steps][stride][2] of its rows. */
struct digest work_transcript(const struct work_workload *w, const uint64_t *prints,
                              uint32_t stride, uint32_t positions, uint32_t answers);
/* The rows of all positions when the answer is known: prompt_count + answer->count - 1 of them.
 * tokens: prompt_count. */
void work_forced_rows(const struct work_spec *spec, const struct work_shape *h,
                      const struct work_answer *answer, uint32_t *tokens, struct work_row *rows);
/* A gemm task's rows of A, and its result from the fingerprints [rows][2]. */
void work_gemm_rows(const struct work_workload *w, const struct work_spec *spec, uint32_t first,
                    uint32_t count, int8_t *a);
void work_gemm_result(const struct work_workload *w, const struct work_spec *spec,
                      const uint64_t *prints, struct work_result *result);

#endif
