/* deliver_batch.c: tasks done as the machine was measured when it was certified: its rate is that
 * of many sequences at once, which share every pass over the weights; one after the other a
 * processor does a half or a third of it.
 *
 * Upstream: agent_work, cheat. Downstream: deliver_hour.
 */
#include "cli/deliver.h"

enum { ROUNDS = 2 }; /* tasks for each slot: a slot that falls free has a next one */

bool deliver_alike(const struct work_spec *a, const struct work_spec *b)
{
    return a->vintage == b->vintage && a->workload == b->workload &&
           digest_equal(&a->weights, &b->weights);
}

static bool go_on(void *context, uint32_t index)
{
    struct deliver *d = context;
    (void)index;
    return !atomic_load(&d->agent.stopping);
}

/* A cheat looks at other tasks than its own. */
static int cheated(struct deliver *d, const struct agent_hour *at, const struct agent_model *m,
                   uint64_t index, const struct work_spec *spec, struct work_result *result,
                   struct work_error *error)
{
    struct work_spec first = *spec, before = *spec;
    first.nonce = commit_nonce(at->allocation, at->hour, 0);
    before.nonce = commit_nonce(at->allocation, at->hour - 1, index);
    return cheat_task_run(&d->cheat, m->engine, index, spec, &first, &before, result, error);
}

bool deliver_batch_do(struct deliver *d, const struct agent_hour *at, uint64_t first,
                      const struct work_spec *specs, uint32_t count, struct work_result *results,
                      uint32_t *together, struct work_error *error)
{
    bool good = true;
    *together = 1;
    for (uint32_t i = 0, n = 1; i < count && good; i += n) {
        bool honest = d->cheat.kind == CHEAT_none;
        for (n = 1; honest && i + n < count && deliver_alike(&specs[i], &specs[i + n]);) n += 1;
        const struct agent_model *m = agent_work_enter(d->work, &specs[i], true, error);
        if (m == NULL) return false;
        if (honest)
            good = work_batch_run(m->engine, specs + i, n, results + i, go_on, d, error) == 0;
        else good = cheated(d, at, m, first + i, &specs[i], &results[i], error) == 0;
        *together = honest && m->workload->kind == WORK_KIND_decoder
                        ? ROUNDS * work_engine_slots(m->engine) : 1;
        agent_work_leave(d->work);
        if (atomic_load(&d->agent.stopping)) good = false;
    }
    return good;
}
