/* deliver_stream.c: a decoder's tasks one after the other without a break: while some are handed
 * over and others asked for, those under way stay where they are, and a slot that falls free takes
 * the next. A batch by itself would end with more and more slots empty.
 *
 * The stream is the agent's thread's own, with tasks of all its hours that are of one model. It is
 * left when a handler wants the model (an opening, a canary) or another one is due: what is under
 * way is finished first. A verifier claims the work for all that it asks to see at once: it would
 * wait for its turn before every task, and a seller who is at the next hour would be one who does
 * not answer. What comes of a task is in its hour's `ahead` until it is kept.
 *
 * Upstream: work (streams), agent_work, deliver_batch. Downstream: deliver_hour.
 */
#include "cli/deliver.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_MS = 1500, ROUNDS = 2 /* tasks ahead for each slot */, TAG_BITS = 40 };

static uint64_t tag_of(const struct deliver *d, const struct deliver_run *r, uint64_t index)
{
    return (uint64_t)(r - d->runs) << TAG_BITS | index;
}

/* What is done goes to its hour; an hour that was given up has cancelled its own. */
static bool results_take(struct deliver *d)
{
    const struct work_result *done;
    uint64_t tag;
    while ((done = work_stream_take(d->stream, &tag)) != NULL) {
        struct deliver_run *r = &d->runs[tag >> TAG_BITS];
        uint64_t at = (tag & ((UINT64_C(1) << TAG_BITS) - 1)) - r->done;
        struct work_result *copy = malloc(sizeof *copy);
        if (copy == NULL) return false;
        *copy = *done;
        r->ahead->results[at] = copy;
    }
    return true;
}

static bool pass(struct deliver *d, struct work_error *error)
{
    if (work_stream_pass(d->stream, error) != 0) return false;
    if (results_take(d)) return true;
    (void)work_fail(error, "no memory for a result");
    return false;
}

void deliver_stream_close(struct deliver *d, bool finish)
{
    struct work_error error = {0};
    if (d->stream == NULL) return;
    while (finish && work_stream_active(d->stream) > 0 && !atomic_load(&d->agent.stopping) &&
           pass(d, &error)) {}
    if (error.text[0] != 0) agent_say(&d->agent, "a task cannot be done: %s", error.text);
    for (int i = 0; i < DELIVER_RUNS_MAX; i++) { /* what is lost begins anew */
        struct deliver_ahead *a = d->runs[i].ahead;
        for (uint32_t k = 0; a != NULL && k < a->started; k++)
            if (a->results[k] == NULL) a->started = k;
    }
    work_stream_close(d->stream);
    d->stream = NULL;
    agent_work_leave(d->work);
}

/* A stream of this model. */
static bool stream_open(struct deliver *d, const struct work_spec *spec, struct work_error *error)
{
    if (d->stream != NULL && deliver_alike(&d->stream_model, spec)) return true;
    deliver_stream_close(d, true);
    const struct agent_model *m = agent_work_enter(d->work, spec, true, error);
    if (m == NULL) return false;
    if (work_stream_open(m->engine, &d->stream, error) != 0) {
        agent_work_leave(d->work);
        return false;
    }
    d->stream_model = *spec;
    d->stream_model.prompt = NULL;
    d->stream_slots = work_engine_slots(m->engine);
    return true;
}

/* As many as there is room for. */
static bool fill(struct deliver *d, struct deliver_run *r, struct work_error *error)
{
    struct deliver_ahead *a = r->ahead;
    for (; a->started < a->count && work_stream_room(d->stream); a->started++) {
        if (!deliver_alike(&d->stream_model, &a->specs[a->started])) break;
        if (a->results[a->started] != NULL) continue; /* done before others of its time were lost */
        if (work_stream_add(d->stream, &a->specs[a->started], tag_of(d, r, r->done + a->started),
                            error) != 0)
            return false;
    }
    return true;
}

/* The time is over, nothing is under way, or there is room and the buyer has more. */
static bool stream_do(struct deliver *d, struct deliver_run *r, struct work_error *error)
{
    struct deliver_ahead *a = r->ahead;
    int64_t until = agent_clock_ms() + STREAM_MS;
    uint32_t least = ROUNDS * d->stream_slots;
    bool hungry = false;
    if (least > DELIVER_BATCH_MAX) least = DELIVER_BATCH_MAX;
    while (!hungry && agent_clock_ms() < until && !atomic_load(&d->agent.stopping)) {
        if (!fill(d, r, error)) return false;
        if (work_stream_active(d->stream) == 0) break;
        if (!pass(d, error)) return false;
        hungry = r->full && a->started == a->count && work_stream_room(d->stream);
    }
    if (hungry) r->batch *= 2;
    else if (a->count - a->started > r->batch / 2) r->batch /= 2;
    if (r->batch < least) r->batch = least;
    if (r->batch > DELIVER_BATCH_MAX) r->batch = DELIVER_BATCH_MAX;
    return !atomic_load(&d->agent.stopping);
}

/* All that waits, at once. */
static bool batch_do(struct deliver *d, struct deliver_run *r, struct work_error *error)
{
    struct deliver_ahead *a = r->ahead;
    uint32_t from = a->started, count = a->count - from, together = 1;
    struct work_result *results = calloc(count, sizeof *results);
    int64_t began = agent_clock_ms();
    bool good = results != NULL &&
                deliver_batch_do(d, &r->at, r->done + from, a->specs + from, count, results,
                                 &together, error);
    for (uint32_t i = 0; i < count && good; i++) {
        struct work_result *copy = malloc(sizeof *copy);
        good = copy != NULL;
        if (!good) break;
        *copy = results[i];
        free(a->results[from + i]);
        a->results[from + i] = copy;
        a->started += 1;
    }
    free(results);
    int64_t took = agent_clock_ms() - began;
    if (took < STREAM_MS / 2 && count == r->batch) r->batch *= 2;
    if (took > STREAM_MS && r->batch > 1) r->batch /= 2;
    if (r->batch < together) r->batch = together;
    if (r->batch > DELIVER_BATCH_MAX) r->batch = DELIVER_BATCH_MAX;
    return good;
}

static bool is_streamed(const struct deliver *d, const struct work_spec *spec)
{
    const struct work_workload *w = work_workload_find(spec->vintage, spec->workload);
    return d->cheat.kind == CHEAT_none && w != NULL && w->kind == WORK_KIND_decoder;
}

bool deliver_ahead_do(struct deliver *d, struct deliver_run *r, struct work_error *error)
{
    struct deliver_ahead *a = r->ahead;
    bool good = true;
    if (agent_work_claimed(d->work)) {
        deliver_stream_close(d, true);
    } else if (a->started == a->count) {
        good = d->stream == NULL || stream_do(d, r, error);
    } else if (is_streamed(d, &a->specs[a->started])) {
        good = stream_open(d, &a->specs[a->started], error) && stream_do(d, r, error);
    } else {
        deliver_stream_close(d, true);
        good = batch_do(d, r, error);
    }
    if (!good) deliver_stream_close(d, false);
    return good;
}

void deliver_ahead_shift(struct deliver_ahead *a, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free(a->prompts[i]);
        free(a->results[i]);
    }
    a->count -= count;
    a->started = a->started > count ? a->started - count : 0;
    memmove(a->specs, a->specs + count, a->count * sizeof a->specs[0]);
    memmove(a->prompts, a->prompts + count, a->count * sizeof(uint32_t *));
    memmove(a->results, a->results + count, a->count * sizeof(struct work_result *));
    memset(a->results + a->count, 0, count * sizeof(struct work_result *));
}

void deliver_ahead_drop(struct deliver *d, struct deliver_run *r)
{
    if (r->ahead == NULL) return;
    for (uint32_t i = 0; i < r->ahead->started && d->stream != NULL; i++)
        work_stream_cancel(d->stream, tag_of(d, r, r->done + i));
    deliver_ahead_shift(r->ahead, r->ahead->count);
    free(r->ahead);
    r->ahead = NULL;
}
