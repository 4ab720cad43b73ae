/* agent_work.h: the models that an agent has at hand: weights made from a workload's seed or a
 * buyer's own, and an engine over each.
 *
 * A model is opened when it is first asked for and kept; the one used longest ago goes when there
 * are too many. One computation at a time: the BLAS has all processors.
 *
 * Upstream: work. Downstream: deliver, verify_watch, intake.
 */
#ifndef DOJIMA_CLI_AGENT_WORK_H
#define DOJIMA_CLI_AGENT_WORK_H

#include "cli/agent_store.h"
#include "work/work.h"

enum { AGENT_MODELS_MAX = 3 };

struct agent_work;

struct agent_work_options {
    const char *weights;  /* a directory of buyers' weights, each named by its digest; NULL: none */
    const char *backend;  /* NULL: the best CPU backend */
    uint32_t threads;     /* 0: all */
    uint32_t grade;       /* enum grade: what it is sized for (work_engine_size) */
    uint32_t slots, rows; /* 0: of that size */
};

struct agent_work *agent_work_open(const struct agent_work_options *options);
void agent_work_close(struct agent_work *w);

/* The model that a spec asks for, locked for the caller until agent_work_leave. NULL and the
 * reason; nothing is locked then. `engine`: one is wanted, not the weights alone. */
struct agent_model {
    const struct work_workload *workload;
    struct work_weights *weights;
    struct work_engine *engine; /* NULL unless wanted */
};
const struct agent_model *agent_work_enter(struct agent_work *w, const struct work_spec *spec,
                                           bool engine, struct work_error *error);
void agent_work_leave(struct agent_work *w);
/* Who is to have it first, for as many models as it takes: several at once may. */
void agent_work_claim(struct agent_work *w);
void agent_work_release(struct agent_work *w);
bool agent_work_claimed(struct agent_work *w);
/* Whether somebody waits for it, or has claimed it: who has it for long looks, and leaves when he
 * can. */
bool agent_work_wanted(struct agent_work *w);

/* Whether the buyer's weights of this digest are in the directory (agent_weights.h). */
bool agent_work_has(const struct agent_work *w, const struct digest *weights);

#endif
