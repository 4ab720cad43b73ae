/* load.c: see load.h. */
#include "work/load.h"

#include "work/internal.h"

#include <stdlib.h>
#include <string.h>

struct seat { /* a sequence's place on the machine */
    struct work_task *task; /* NULL: free */
    uint32_t query, answers; /* answers: tokens asked for */
    uint32_t first, rows;    /* of the pass under way */
    bool answering;          /* its prompt is done */
    bool sampled, ended;     /* in the pass just done */
    struct work_result result;
};

struct run {
    const struct load_options *o;
    struct load_result *r;
    struct random gaps;
    int64_t began, next; /* next: when the next query arrives, ns since began */
    uint32_t capacity, admitted, done;
    bool closed; /* no more arrivals */
    struct seat *seats;
    struct work_row *rows;
    int32_t *logits;
    uint64_t *fingerprints;
    uint32_t *before; /* of each row of the pass: rows with logits in front of it */
    const struct work_forward *forward;
    int64_t progress_at;
};

struct digest load_nonce(const struct digest *seed, uint32_t phase, uint32_t index)
{
    uint8_t bytes[DIGEST_BYTES + 8];
    memcpy(bytes, seed->v, DIGEST_BYTES);
    for (int i = 0; i < 4; i++) {
        bytes[DIGEST_BYTES + i] = (uint8_t)(phase >> (24 - 8 * i));
        bytes[DIGEST_BYTES + 4 + i] = (uint8_t)(index >> (24 - 8 * i));
    }
    return digest_of(bytes, sizeof bytes);
}

static int64_t elapsed(const struct run *run)
{
    return run->o->machine.now(run->o->machine.context) - run->began;
}

/* ---- arrivals ---- */

static int query_add(struct run *run, int64_t arrived, struct work_error *error)
{
    if (run->r->count == run->capacity) {
        uint32_t capacity = run->capacity == 0 ? 1024 : 2 * run->capacity;
        struct load_query *more = realloc(run->r->queries, capacity * sizeof *more);
        if (more == NULL) return work_fail(error, "no memory");
        run->r->queries = more;
        run->capacity = capacity;
    }
    run->r->queries[run->r->count++] = (struct load_query){.arrived = arrived};
    return 0;
}

/* Whether another query is to come at `at`. */
static bool arrivals_open(const struct run *run, int64_t at)
{
    const struct load_options *o = run->o;
    uint32_t most = o->queries_max > 0 ? o->queries_max : LOAD_QUERIES_MAX;
    return run->r->count < most && (at < o->duration || run->r->count < o->queries_min);
}

/* All that have arrived by now; without a rate, as many as there are free seats. */
static int arrivals_take(struct run *run, int64_t now, struct work_error *error)
{
    const struct load_options *o = run->o;
    uint32_t busy = run->admitted - run->done;
    while (!run->closed) {
        int64_t at = o->rate > 0 ? run->next : now;
        if (o->rate > 0 ? at > now : busy + run->r->count - run->admitted >= o->slots) return 0;
        if (!arrivals_open(run, at)) {
            run->closed = true;
            return 0;
        }
        if (query_add(run, o->rate > 0 ? at : 0, error) != 0) return -1;
        if (o->rate > 0) run->next += statistics_gap_ns(&run->gaps, o->rate);
    }
    return 0;
}

static int seats_fill(struct run *run, struct work_error *error)
{
    const struct load_options *o = run->o;
    for (uint32_t i = 0; i < o->slots && run->admitted < run->r->count; i++) {
        if (run->seats[i].task != NULL) continue;
        struct digest nonce = load_nonce(&o->seed, o->phase, run->admitted);
        struct work_spec spec;
        work_spec_default(o->workload, &nonce, &spec);
        run->seats[i] = (struct seat){.query = run->admitted, .answers = spec.answer_count};
        if (work_task_open(o->workload, &spec, i, &run->seats[i].task, error) != 0) return -1;
        run->admitted += 1;
    }
    return 0;
}

/* ---- a pass ---- */

static void query_end(struct run *run, struct seat *s)
{
    struct load_query *q = &run->r->queries[s->query];
    const struct load_options *o = run->o;
    work_task_close(s->task);
    s->task = NULL;
    q->tokens = s->result.answer.count;
    q->flop = (uint64_t)s->result.commit.flop;
    q->answer = s->result.commit.answer;
    q->transcript = s->result.commit.transcript;
    run->done += 1;
    run->r->tokens += q->tokens;
    run->r->flop += (double)q->flop;
    if (o->ttft_max > 0 && q->first - q->arrived > o->ttft_max) run->r->ttft_over += 1;
    if (o->tpot_max > 0 && q->tokens > 1 &&
        q->last - q->first > o->tpot_max * (int64_t)(q->tokens - 1)) run->r->tpot_over += 1;
}

/* First one row for each that is being answered, then prompts, the oldest first, as many rows as a
 * pass takes. A task that has no more rows has met its stop token. */
static uint32_t rows_collect(struct run *run)
{
    uint32_t count = 0, most = run->o->rows_max;
    for (uint32_t i = 0; i < run->o->slots; i++) {
        struct seat *s = &run->seats[i];
        s->rows = 0;
        if (s->task == NULL || !s->answering || count == most) continue;
        s->first = count;
        s->rows = work_task_rows(s->task, run->rows + count, 1);
        count += s->rows;
        if (s->rows != 0) continue;
        work_task_finish(s->task, &s->result);
        query_end(run, s);
    }
    while (count < most) {
        struct seat *oldest = NULL;
        for (uint32_t i = 0; i < run->o->slots; i++) {
            struct seat *s = &run->seats[i];
            if (s->task != NULL && !s->answering && s->rows == 0 &&
                (oldest == NULL || s->query < oldest->query)) oldest = s;
        }
        if (oldest == NULL) break;
        oldest->first = count;
        oldest->rows = work_task_rows(oldest->task, run->rows + count, most - count);
        if (oldest->rows == 0) break;
        count += oldest->rows;
    }
    return count;
}

/* What a pass gave, to one seat's task; its end, when that was its last token. */
static void seat_take(void *context, uint32_t i, uint32_t thread)
{
    struct run *run = context;
    struct seat *s = &run->seats[i];
    (void)thread;
    s->sampled = s->ended = false;
    if (s->task == NULL || s->rows == 0) return;
    size_t at = (size_t)run->before[s->first] * run->o->workload->shape.vocabulary;
    s->sampled = work_task_take(s->task, run->forward, s->first, run->logits + at);
    s->ended = s->sampled && work_task_sampled(s->task) == s->answers;
    if (s->ended) work_task_finish(s->task, &s->result);
}

/* Tokens are there when they are sampled, not when their logits are. */
static void pass_take(struct run *run, const struct work_forward *f)
{
    uint32_t before = 0;
    for (uint32_t k = 0; k < f->count; k++) {
        run->before[k] = before;
        before += f->rows[k].logits;
    }
    run->forward = f;
    pool_run(run->o->pool, run->o->slots, seat_take, run);
    int64_t now = elapsed(run);
    for (uint32_t i = 0; i < run->o->slots; i++) {
        struct seat *s = &run->seats[i];
        if (s->task == NULL || !s->sampled) continue;
        struct load_query *q = &run->r->queries[s->query];
        if (!s->answering) q->first = now;
        s->answering = true;
        s->sampled = false;
        q->last = now;
        if (s->ended) query_end(run, s);
    }
}

static int pass(struct run *run, struct work_error *error)
{
    const struct load_machine *machine = &run->o->machine;
    struct work_forward f = {.rows = run->rows, .logits = run->logits,
                             .fingerprints = run->fingerprints};
    f.count = rows_collect(run);
    if (f.count == 0) return 0; /* those that were left had met their stop tokens */
    if (machine->forward(machine->context, &f, error) != 0) return -1;
    pass_take(run, &f);
    run->r->passes += 1;
    run->r->rows += f.count;
    run->r->elapsed = elapsed(run);
    return 0;
}

/* ---- the run ---- */

static void progress(struct run *run, int64_t now)
{
    const struct load_options *o = run->o;
    if (o->progress == NULL || now < run->progress_at) return;
    run->progress_at = now + 200000000;
    const struct load_progress p = {
        .elapsed = now, .planned = o->duration, .arrived = run->r->count, .done = run->done,
        .over = run->r->ttft_over + run->r->tpot_over, .flop = (uint64_t)run->r->flop};
    o->progress(o->context, &p);
}

static int loop(struct run *run, struct work_error *error)
{
    const struct load_options *o = run->o;
    for (;;) {
        int64_t now = elapsed(run);
        if (*o->stop != 0) run->r->end = LOAD_END_stopped;
        else if (o->over_max > 0 && (run->r->ttft_over > o->over_max ||
                                     run->r->tpot_over > o->over_max))
            run->r->end = LOAD_END_given_up;
        if (run->r->end != LOAD_END_done) return 0;
        if (arrivals_take(run, now, error) != 0 || seats_fill(run, error) != 0) return -1;
        progress(run, now);
        if (run->admitted == run->done) {
            if (run->closed) return 0;
            o->machine.wait(o->machine.context, run->began + run->next);
            continue;
        }
        if (pass(run, error) != 0) return -1;
    }
}

static int run_take(struct run *run, struct work_error *error)
{
    const struct load_options *o = run->o;
    const struct work_shape *shape = &o->workload->shape;
    size_t steps = work_steps(o->workload);
    run->seats = calloc(o->slots, sizeof *run->seats);
    run->rows = calloc(o->rows_max, sizeof *run->rows);
    run->logits = calloc((size_t)o->slots * shape->vocabulary, sizeof *run->logits);
    run->fingerprints = calloc(steps * o->rows_max * 2, sizeof *run->fingerprints);
    run->before = calloc(o->rows_max, sizeof *run->before);
    if (run->seats != NULL && run->rows != NULL && run->logits != NULL &&
        run->fingerprints != NULL && run->before != NULL) return 0;
    return work_fail(error, "no memory for %u rows", o->rows_max);
}

int load_run(const struct load_options *o, struct load_result *result,
                 struct work_error *error)
{
    struct run run = {.o = o, .r = result};
    *result = (struct load_result){.end = LOAD_END_done};
    struct digest start = load_nonce(&o->seed, o->phase, UINT32_MAX);
    for (int i = 0; i < 8; i++) run.gaps.state = run.gaps.state << 8 | start.v[i];
    int status = run_take(&run, error);
    if (status == 0) {
        run.began = o->machine.now(o->machine.context);
        if (o->rate > 0) run.next = statistics_gap_ns(&run.gaps, o->rate);
        status = loop(&run, error);
    }
    for (uint32_t i = 0; run.seats != NULL && i < o->slots; i++)
        if (run.seats[i].task != NULL) work_task_close(run.seats[i].task);
    free(run.seats);
    free(run.rows);
    free(run.logits);
    free(run.fingerprints);
    free(run.before);
    return status;
}
