/* certify.c: see certify.h. */
#include "work/certify.h"

#include "msg/compute.h"
#include "work/backend_gpu.h"
#include "work/engine.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PROBES_MAX = 7,    /* of a search */
    TRIES_MAX = 5,     /* of the run at the rate that was found */
    PROBE_PART = 20,   /* a probe takes this part of the set time, */
    PROBE_SECONDS_MIN = 5,
};
static const double share_first = 0.97; /* of the rate that the search found */
static const double share_next = 0.95;  /* when it was not kept */
static const double percentile = 0.99, confidence = 0.99, interval = 0.95;
/* A task that a processor does again in this many operations, in a minute or so. */
static const double flop_processor = 2e12;

struct conduct {
    const struct certify_plan *plan;
    struct certify_result *r;
    struct work_weights *weights;
    struct work_engine *engine;
    struct certify_bounds bounds;
    const char *phase; /* under way */
    double rate;
    uint32_t numbered; /* phases so far: each has nonces of its own */
};

struct certify_bounds certify_bounds(uint32_t grade)
{
    static const struct certify_bounds bounds[GRADE_count] = {
        [GRADE_server] = {INT64_C(2000000000), INT64_C(200000000)},
        [GRADE_interactive] = {INT64_C(450000000), INT64_C(40000000)}};
    return bounds[grade];
}

/* ---- the machine and its clock ---- */

static int64_t clock_now(void *context)
{
    (void)context;
    return work_now();
}

/* At most a tenth of a second at once, so that a stop is seen. */
static void clock_wait(void *context, int64_t until)
{
    int64_t left = until - work_now();
    (void)context;
    if (left <= 0) return;
    if (left > 100000000) left = 100000000;
    (void)nanosleep(&(struct timespec){.tv_sec = 0, .tv_nsec = (long)left}, NULL);
}

static int engine_forward(void *context, const struct work_forward *f, struct work_error *error)
{
    return work_engine_forward(context, f, error);
}

/* ---- progress ---- */

static void tell(const struct conduct *c, double share)
{
    if (c->plan->progress == NULL) return;
    const struct certify_progress p = {.phase = c->phase, .share = share, .rate = c->rate};
    c->plan->progress(c->plan->context, &p);
}

static void on_progress(void *context, const struct load_progress *s)
{
    const struct conduct *c = context;
    double seconds = (double)s->elapsed * 1e-9;
    const struct certify_progress p = {
        .phase = c->phase, .rate = c->rate, .done = s->done, .arrived = s->arrived,
        .over = s->over, .flops = seconds > 0 ? (double)s->flop / seconds : 0,
        .share = s->planned > 0 ? fmin(1, (double)s->elapsed / (double)s->planned) : 0};
    c->plan->progress(c->plan->context, &p);
}

/* ---- latencies ---- */

static void latency_read(struct certify_latency *l, int64_t *times, uint32_t count, int64_t bound)
{
    *l = (struct certify_latency){.bound = bound, .count = count};
    if (count == 0) return;
    statistics_sort(times, count);
    l->p50 = statistics_quantile(times, count, 0.5, interval);
    l->p90 = statistics_quantile(times, count, 0.9, interval);
    l->p99 = statistics_quantile(times, count, percentile, interval);
    for (uint32_t i = count; bound > 0 && i > 0 && times[i - 1] > bound; i--) l->over += 1;
    l->kept = bound == 0 || l->p99.value <= bound;
    l->shown = bound == 0 || statistics_holds(l->over, count, percentile, confidence);
}

void certify_latencies(struct certify_phase *phase, const struct certify_bounds *bounds,
                       bool confident)
{
    uint32_t ttft_count = 0, tpot_count = 0;
    int64_t *ttft = calloc(phase->count + 1, sizeof *ttft);
    int64_t *tpot = calloc(phase->count + 1, sizeof *tpot);
    for (uint32_t i = 0; ttft != NULL && tpot != NULL && i < phase->count; i++) {
        const struct load_query *q = &phase->queries[i];
        if (q->tokens == 0) continue; /* given up before its end */
        ttft[ttft_count++] = q->first - q->arrived;
        if (q->tokens > 1) tpot[tpot_count++] = (q->last - q->first) / (int64_t)(q->tokens - 1);
    }
    if (ttft != NULL && tpot != NULL) {
        latency_read(&phase->ttft, ttft, ttft_count, bounds->ttft);
        latency_read(&phase->tpot, tpot, tpot_count, bounds->tpot);
        phase->passed = !phase->given_up && phase->ttft.kept && phase->tpot.kept &&
                        (!confident || (phase->ttft.shown && phase->tpot.shown));
    }
    free(ttft);
    free(tpot);
}

/* ---- phases ---- */

static struct certify_phase *phase_add(struct conduct *c, const char *name, double rate)
{
    struct certify_phase *phase = &c->r->phases[c->r->phase_count++];
    *phase = (struct certify_phase){.name = name, .rate = rate, .number = ++c->numbered};
    c->phase = name;
    c->rate = rate;
    return phase;
}

static void phase_take(struct certify_phase *phase, struct load_result *s)
{
    phase->queries = s->queries;
    phase->count = s->count;
    phase->seconds = (double)s->elapsed * 1e-9;
    phase->flop = s->flop;
    phase->tokens = s->tokens;
    phase->passes = s->passes;
    phase->rows = s->rows;
    phase->given_up = s->end == LOAD_END_given_up;
}

/* One run of queries. 0, 1: stopped, -1. */
static int phase_run(struct conduct *c, struct certify_phase *phase, double seconds,
                     uint32_t queries_min, bool probe, struct work_error *error)
{
    struct load_options o = {
        .workload = c->plan->workload, .slots = c->r->slots, .rows_max = c->r->rows_max,
        .machine = {c->engine, engine_forward, clock_now, clock_wait}, .pool = c->engine->pool,
        .rate = phase->rate, .duration = (int64_t)(seconds * 1e9), .queries_min = queries_min,
        .seed = c->plan->seed, .phase = phase->number, .stop = c->plan->stop,
        .progress = c->plan->progress != NULL ? on_progress : NULL, .context = c};
    if (phase->rate > 0) {
        o.ttft_max = c->bounds.ttft;
        o.tpot_max = c->bounds.tpot;
        double expected = fmax(phase->rate * seconds, queries_min);
        if (probe) o.over_max = (uint32_t)(expected * (1 - percentile)) + 1;
        else o.over_max = (uint32_t)(2 * expected * (1 - percentile)) + 3;
    }
    struct load_result s;
    int status = load_run(&o, &s, error);
    phase_take(phase, &s);
    if (status != 0) return -1;
    if (s.end == LOAD_END_stopped) return 1;
    const struct certify_bounds none = {0};
    certify_latencies(phase, phase->rate > 0 ? &c->bounds : &none,
                      phase->rate > 0 && !probe && !c->plan->quick);
    return 0;
}

/* Products, one task after the other: there is nothing to schedule. */
static int products_run(struct conduct *c, struct certify_phase *phase, struct work_error *error)
{
    int64_t begun = work_now(), duration = (int64_t)c->plan->seconds * 1000000000, now = 0;
    uint32_t capacity = 0;
    for (; now < duration; now = work_now() - begun) {
        struct digest nonce = load_nonce(&c->plan->seed, phase->number, phase->count);
        struct work_spec spec;
        struct work_result result;
        if (*c->plan->stop != 0) return 1;
        if (phase->count == capacity) {
            capacity = capacity == 0 ? 256 : 2 * capacity;
            void *more = realloc(phase->queries, capacity * sizeof *phase->queries);
            if (more == NULL) return work_fail(error, "no memory");
            phase->queries = more;
        }
        work_spec_default(c->plan->workload, &nonce, &spec);
        if (work_task_run(c->engine, &spec, &result, error) != 0) return -1;
        phase->queries[phase->count++] = (struct load_query){
            .arrived = now, .first = work_now() - begun, .last = work_now() - begun,
            .tokens = 1, .flop = (uint64_t)result.commit.flop, .answer = result.commit.answer,
            .transcript = result.commit.transcript};
        phase->flop += (double)result.commit.flop;
        phase->seconds = (double)(work_now() - begun) * 1e-9;
        const struct load_progress p = {.elapsed = now, .planned = duration,
                                            .arrived = phase->count, .done = phase->count,
                                            .flop = (uint64_t)phase->flop};
        if (c->plan->progress != NULL) on_progress(c, &p);
    }
    phase->passed = phase->count > 0;
    return 0;
}

static int offline(struct conduct *c, double seconds, struct work_error *error)
{
    struct certify_phase *phase = phase_add(c, "offline", 0);
    if (c->plan->workload->kind == WORK_KIND_gemm) return products_run(c, phase, error);
    return phase_run(c, phase, seconds, 1, false, error);
}

/* How long a probe takes: a part of the set time, and twice what an answer took with all sequences
 * busy, so that as many come and go as there will be. */
static double probe_seconds(const struct conduct *c)
{
    const struct certify_phase *first = &c->r->phases[0];
    double seconds = fmax((double)c->plan->seconds / PROBE_PART, PROBE_SECONDS_MIN), sum = 0;
    for (uint32_t i = 0; i < first->count; i++)
        sum += (double)(first->queries[i].last - first->queries[i].first) * 1e-9;
    return fmin(fmax(seconds, 2 * sum / first->count), c->plan->seconds);
}

/* Half-way between the rate that was kept and the one that was not, from the offline rate down. */
static int search(struct conduct *c, double *rate, struct work_error *error)
{
    const struct certify_phase *first = &c->r->phases[0];
    double low = 0, high = (double)first->count / first->seconds;
    double seconds = probe_seconds(c);
    for (int i = 0; i < PROBES_MAX && high - low > 0.03 * high; i++) {
        double rate_next = i == 0 ? 0.85 * high : (low + high) / 2;
        struct certify_phase *phase = phase_add(c, "search", rate_next);
        int status = phase_run(c, phase, seconds, 10, true, error);
        if (status != 0) return status;
        if (phase->passed) low = phase->rate;
        else high = phase->rate;
    }
    *rate = low;
    return 0;
}

static int at_rate(struct conduct *c, double rate, struct work_error *error)
{
    uint32_t needed = c->plan->quick
                          ? 1 : (uint32_t)statistics_queries_needed(0, percentile, confidence);
    for (int i = 0; i < TRIES_MAX; i++, rate *= share_next) {
        struct certify_phase *phase = phase_add(c, "run", rate);
        int status = phase_run(c, phase, c->plan->seconds, needed, false, error);
        if (status != 0) return status;
        if (!phase->passed) continue;
        c->r->chosen = (int32_t)c->r->phase_count - 1;
        return 0;
    }
    (void)snprintf(c->r->reason, sizeof c->r->reason,
                   "the bounds were not kept at %.4g queries a second, nor above",
                   rate / share_next);
    return 0;
}

static int latency_grade(struct conduct *c, struct work_error *error)
{
    double rate = c->plan->rate, seconds = (double)c->plan->seconds / PROBE_PART;
    if (rate <= 0) {
        int status = offline(c, fmax(seconds, 2 * PROBE_SECONDS_MIN), error);
        if (status == 0) status = search(c, &rate, error);
        if (status != 0) return status;
        rate *= share_first;
    }
    if (rate > 0) return at_rate(c, rate, error);
    (void)snprintf(c->r->reason, sizeof c->r->reason, "no rate that was tried kept the bounds");
    return 0;
}

/* ---- quality ---- */

static bool go_on(void *context, uint32_t index)
{
    const struct conduct *c = context;
    (void)index;
    return *c->plan->stop == 0;
}

/* The tasks again on this engine, by products of another kind and in another batch. */
static int again(struct conduct *c, struct work_engine *engine, uint32_t count,
                 struct work_result *results, struct work_error *error)
{
    struct work_spec specs[CERTIFY_SAMPLES_MAX] = {0};
    for (uint32_t i = 0; i < count; i++) {
        const struct certify_phase *p = &c->r->phases[c->r->sample_phase[i]];
        struct digest nonce = load_nonce(&c->plan->seed, p->number, c->r->sample_query[i]);
        work_spec_default(c->plan->workload, &nonce, &specs[i]);
    }
    int status = work_batch_run(engine, specs, count, results, go_on, c, error);
    for (uint32_t i = 0; i < count && status == 0; i++) {
        const struct certify_phase *p = &c->r->phases[c->r->sample_phase[i]];
        const struct load_query *q = &p->queries[c->r->sample_query[i]];
        c->r->equal += digest_equal(&results[i].commit.answer, &q->answer) &&
                       digest_equal(&results[i].commit.transcript, &q->transcript);
    }
    return status;
}

/* Which tasks: drawn from what was answered, so that nobody knew them before (invariant 3). */
static void samples_draw(struct conduct *c, uint32_t count)
{
    const struct certify_phase *p = &c->r->phases[c->r->chosen];
    struct digest_stream stream = {0};
    digest_begin(&stream);
    digest_add(&stream, c->plan->seed.v, DIGEST_BYTES);
    for (uint32_t i = 0; i < p->count; i++)
        digest_add(&stream, p->queries[i].transcript.v, DIGEST_BYTES);
    struct digest d = digest_end(&stream);
    struct random random = {.state = work_key(&d)};
    digest_free(&stream);
    for (uint32_t i = 0; i < count; i++) {
        c->r->sample_phase[i] = (uint32_t)c->r->chosen;
        c->r->sample_query[i] = (uint32_t)random_below(&random, p->count);
    }
    c->r->sampled = count;
}

static int quality_on_device(struct conduct *c, uint32_t count, struct work_result *results,
                             struct work_error *error)
{
    (void)snprintf(c->r->other, sizeof c->r->other, "the device's own kernel in integers");
    backend_gpu_products(c->engine->device, GPU_PRODUCTS_plain);
    int status = again(c, c->engine, count, results, error);
    backend_gpu_products(c->engine->device, GPU_PRODUCTS_fastest);
    return status;
}

static int quality_on_processor(struct conduct *c, uint32_t count, struct work_result *results,
                                struct work_error *error)
{
    const struct backend *other = c->plan->backend == &backend_plain ? &backend_openblas
                                                                     : &backend_plain;
    struct work_engine *engine = NULL;
    struct work_engine_options o = {.backend = other, .slots = 1,
                                    .rows_max = c->plan->workload->prompt_count,
                                    .backend_options = {.threads = c->r->backend.threads}};
    struct work_error none = {0};
    if (o.rows_max == 0) o.rows_max = 1;
    if (work_engine_open(c->plan->workload, c->weights, &o, &engine, &none) != 0) {
        o.backend = &backend_plain; /* the other library is not there */
        if (work_engine_open(c->plan->workload, c->weights, &o, &engine, error) != 0) return -1;
    }
    struct backend_description d;
    work_engine_describe(engine, &d);
    (void)snprintf(c->r->other, sizeof c->r->other, "%.31s %.15s on the processor", d.name,
                   d.precision);
    int status = again(c, engine, count, results, error);
    work_engine_close(engine);
    return status;
}

static int quality(struct conduct *c, struct work_error *error)
{
    const struct work_workload *w = c->plan->workload;
    uint32_t count = c->plan->samples < CERTIFY_SAMPLES_MAX ? c->plan->samples
                                                            : CERTIFY_SAMPLES_MAX;
    struct work_result *results = calloc(count + 1, sizeof *results);
    if (results == NULL) return work_fail(error, "no memory");
    c->phase = "quality";
    c->rate = 0;
    tell(c, 0);
    samples_draw(c, count);
    bool small = (double)work_flop(w, w->prompt_count, w->answer_count) <= flop_processor;
    int status = c->engine->device != NULL && !small
                     ? quality_on_device(c, count, results, error)
                     : quality_on_processor(c, count, results, error);
    tell(c, 1);
    free(results);
    return status;
}

/* ---- the whole ---- */

static int machine_open(struct conduct *c, struct work_error *error)
{
    struct certify_result *r = c->r;
    uint32_t slots = c->plan->slots, rows = c->plan->rows_max;
    struct work_engine_size size = work_engine_size(c->plan->backend, c->plan->grade);
    if (rows == 0) rows = size.rows_max;
    if (slots == 0) slots = size.slots;
    if (slots > rows && c->plan->slots == 0) slots = rows; /* each has a row in every pass */
    r->slots = slots;
    r->rows_max = rows < slots ? slots : rows;
    const struct work_engine_options o = {
        .backend = c->plan->backend, .backend_options = c->plan->backend_options,
        .slots = r->slots, .rows_max = r->rows_max};
    hardware_read(&r->hardware, "");
    if (work_weights_seeded(c->plan->workload, &c->weights, error) != 0) return -1;
    void *state; /* who will multiply, before what is large is made */
    if (c->plan->backend->open(&c->plan->backend_options, &state, error) != 0) return -1;
    c->plan->backend->describe(state, &r->backend);
    if (c->plan->backend == &backend_gpu) {
        r->has_gpu = true;
        r->gpu = backend_gpu_device(state)->facts;
    }
    c->plan->backend->close(state);
    c->phase = "products";
    tell(c, 0);
    if (certify_products(c->plan, c->weights, r, error) != 0) return -1;
    c->phase = "weights";
    tell(c, 0);
    int64_t begun = work_now();
    if (work_engine_open(c->plan->workload, c->weights, &o, &c->engine, error) != 0) return -1;
    r->load_seconds = (double)(work_now() - begun) * 1e-9;
    return 0;
}

/* What the chosen phase comes to. */
static void conclude(struct conduct *c)
{
    struct certify_result *r = c->r;
    if (r->chosen < 0) return;
    const struct certify_phase *p = &r->phases[r->chosen];
    r->flops = p->seconds > 0 ? p->flop / p->seconds : 0;
    r->work_per_hour = (int64_t)floor(r->flops * 3600 / 1e9);
    for (uint32_t i = 0; i < r->product_count; i++) {
        const struct certify_product *product = &r->products[i];
        if (product->used && product->flops > 0) r->share = r->flops / product->flops;
        if (product->used && !product->exact)
            (void)snprintf(r->reason, sizeof r->reason, "%s %s is not exact", product->library,
                           product->precision);
    }
    if (r->equal != r->sampled)
        (void)snprintf(r->reason, sizeof r->reason,
                       "%" PRIu32 " of %" PRIu32 " tasks done again were not the same",
                       r->sampled - r->equal, r->sampled);
    if (r->sampled == 0) (void)snprintf(r->reason, sizeof r->reason, "no task was done again");
    if (r->work_per_hour < 1) (void)snprintf(r->reason, sizeof r->reason, "nothing was done");
    r->passed = r->reason[0] == 0;
}

int certify_measure(const struct certify_plan *plan, struct certify_result *r,
                    struct work_error *error)
{
    struct conduct c = {.plan = plan, .r = r, .bounds = certify_bounds(plan->grade)};
    *r = (struct certify_result){.chosen = -1};
    int status = machine_open(&c, error);
    if (status == 0 && *plan->stop != 0) status = 1;
    if (status == 0 && plan->grade == GRADE_offline) {
        status = offline(&c, plan->seconds, error);
        if (status == 0) r->chosen = 0;
    } else if (status == 0) status = latency_grade(&c, error);
    if (status == 0 && r->chosen >= 0) status = quality(&c, error);
    if (status == 0 && *plan->stop != 0) status = 1;
    if (status == 0) conclude(&c);
    work_engine_close(c.engine);
    if (c.weights != NULL) work_weights_close(c.weights);
    return status;
}

void certify_free(struct certify_result *r)
{
    for (uint32_t i = 0; i < r->phase_count; i++) {
        free(r->phases[i].queries);
        r->phases[i].queries = NULL;
    }
}
