/* intake.h: what the files of `dojima intake` share.
 *
 *   intake.c         options, what the venue is told and asked
 *   intake_tasks.c   which task an hour's index is: a reference workload's, or the buyer's prompts
 *                    over the buyer's weights
 *   intake_answer.c  what sellers ask: tasks, weights, taking answers, the countersignature
 *
 * Invariants: (1) an index of an hour is one task, whoever asks and however often, across restarts;
 * (2) an answer is kept before it is acknowledged, once, and never replaced; (3) a receipt is
 * signed only over exactly what was kept: its tasks, FLOP and root are this side's own; one a hour,
 * for ever; (4) no more work is given out than the hour is due, but for the last task.
 */
#ifndef DOJIMA_CLI_INTAKE_H
#define DOJIMA_CLI_INTAKE_H

#include "cli/agent_delivery.h"
#include "cli/agent_work.h"

enum { INTAKE_INSTRUMENTS_MAX = 16, INTAKE_REGIONS_MAX = 4, INTAKE_EXCLUDED_MAX = 8 };

struct prompts {
    uint32_t *tokens; /* of all prompts, one behind the other */
    uint64_t *begin;  /* [count + 1] */
    uint64_t count;
};

struct intake {
    struct agent agent; /* first: an agent is cast to it */
    struct agent_filing instruments[INTAKE_INSTRUMENTS_MAX];
    uint32_t instrument_count;
    bool standing;       /* takes what it buys in resales, and hours of the spot market */
    bool standing_filed;
    const char *regions[INTAKE_REGIONS_MAX];
    uint32_t region_count;
    const char *excluded[INTAKE_EXCLUDED_MAX];
    uint32_t excluded_count;
    const char *grade;        /* the least that is taken; NULL: par */
    const char *workload;     /* NULL: the vintage's first that fits (intake_workload) */
    const char *prompts_path;
    const char *weights_path;
    uint32_t vintage;         /* of the weights [2026] */
    uint32_t answer_tokens;   /* 0: the workload's */
    struct prompts prompts;
    uint8_t *weights;
    size_t weights_size;
    struct digest weights_digest; /* zeros: none */
    pthread_mutex_t store_mutex;  /* from a look at an hour to what is kept of it */
    /* under the agent's mutex */
    struct deliveries_seen seen;
    bool looked; /* the venue has told them, since this process began */
    struct verifiers verifiers;
};

/* intake_tasks.c */
bool intake_load(struct intake *n, char *error, size_t size); /* prompts and weights */
const struct work_workload *intake_workload(const struct intake *n, uint32_t vintage);
/* The task of this index. *prompt is for the spec's prompt. False: there is no such task. */
bool intake_spec(struct intake *n, uint32_t vintage, const struct agent_hour *at, uint64_t index,
                 struct work_spec *spec, uint32_t prompt[WORK_PROMPT_MAX]);
/* Writes the answers of an hour to DATA/answers: one line a task, its tokens. */
bool intake_answers_write(struct intake *n, const struct agent_hour *at, uint64_t tasks);

/* intake_answer.c */
void intake_answer(void *context, const struct peer_request *request,
                   struct peer_response *response);

#endif
