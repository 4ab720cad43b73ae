/* detection.c: see detection.h. */
#include "work/detection.h"

#include "base/random.h"
#include "proof/sample.h"
#include "work/certify_statistics.h"
#include "work/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALLOCATION = 1, HOUR = 499742, VINTAGE = 2026,
       AGAIN = 1,         /* honest tasks that are verified again in each run */
       AGAIN_HONEST = 8,  /* of a seller who is honest */
};

struct detection {
    const struct work_workload *workload;
    struct work_weights *weights;
    struct work_engine *engine;
    struct verify *verify;
    uint32_t tasks;
    uint64_t accused;
    struct digest *honest;                 /* leaves, by index */
    struct digest *falsified[CHEAT_kind_count]; /* where they do not depend on the seed; NULL yet */
    struct digest *leaves;                 /* of the run */
    bool *is_false;
};

/* ---- tasks ---- */

static struct work_spec spec_of(const struct detection *d, int64_t hour, uint64_t index)
{
    struct work_spec s;
    struct digest nonce = commit_nonce(ALLOCATION, hour, index);
    work_spec_default(d->workload, &nonce, &s);
    return s;
}

/* The honest result, or what passes for it. */
static int task_run(struct detection *d, const struct cheat *c, uint64_t index,
                    struct work_result *result, struct work_error *error)
{
    struct work_spec spec = spec_of(d, HOUR, index), first = spec_of(d, HOUR, 0);
    struct work_spec before = spec_of(d, HOUR - 1, index);
    if (cheat_task_run(c, d->engine, index, &spec, &first, &before, result, error) != 0) return -1;
    result->commit.index = index;
    return 0;
}

static int write_step(void *context, uint32_t index, const struct commit_step *step)
{
    (void)index;
    proof_write_step(context, step);
    return 0;
}

/* The task as it stands in this tree, opened into a proof file, read and verified. */
static int task_verify(struct detection *d, const struct cheat *c, const struct digest *root,
                       uint64_t index, enum verify_outcome *outcome, struct work_error *error)
{
    uint8_t spec_bytes[WORK_SPEC_SIZE_MAX], answer_bytes[WORK_ANSWER_SIZE_MAX];
    const struct proof_header header = {.vintage = VINTAGE, .allocation = ALLOCATION,
                                        .hour = HOUR, .tasks = d->tasks, .root = *root};
    struct work_spec spec = spec_of(d, HOUR, index);
    struct work_result *r = malloc(sizeof *r);
    struct proof_writer w = {0};
    struct merkle_path path;
    struct proof proof;
    struct proof_task task;
    struct verify_result found;
    if (r == NULL || task_run(d, c, index, r, error) != 0) {
        free(r);
        return -1;
    }
    (void)merkle_path_of(d->leaves, d->tasks, index, &path);
    proof_write_begin(&w, &header);
    proof_write_task(&w, index, r->commit.flop, spec_bytes,
                     (uint32_t)work_spec_encode(&spec, spec_bytes), answer_bytes,
                     (uint32_t)work_answer_encode(&r->answer, answer_bytes), &path);
    int status = cheat_open(c, d->engine, index, &spec, &r->answer, write_step, &w, error);
    if (status == 0) status = proof_write_end(&w);
    if (status == 0 && proof_parse(&proof, w.bytes, w.size, NULL) == 0 &&
        proof_task_next(&proof, &task, NULL) == 1) {
        verify_task(d->verify, &proof, &task, &found);
        *outcome = found.outcome;
    } else {
        status = work_fail(error, "a proof cannot be written or read");
    }
    free(w.bytes);
    free(r);
    return status;
}

/* ---- the hour ---- */

static int leaves_make(struct detection *d, const struct cheat *c, struct digest *leaves,
                       struct work_error *error)
{
    struct work_result *r = malloc(sizeof *r);
    int status = r == NULL ? work_fail(error, "no memory") : 0;
    for (uint64_t i = 0; i < d->tasks && status == 0; i++) {
        status = task_run(d, c, i, r, error);
        if (status == 0) leaves[i] = commit_task_leaf(&r->commit);
    }
    free(r);
    return status;
}

static int honest_make(struct detection *d, struct work_error *error)
{
    const struct cheat none = {.kind = CHEAT_none};
    enum verify_outcome outcome = VERIFY_unknown;
    if (leaves_make(d, &none, d->honest, error) != 0) return -1;
    memcpy(d->leaves, d->honest, d->tasks * sizeof d->leaves[0]);
    struct digest root = merkle_root_of(d->leaves, d->tasks);
    for (uint64_t i = 0; i < d->tasks; i++) {
        if (task_verify(d, &none, &root, i, &outcome, error) != 0) return -1;
        d->accused += outcome != VERIFY_right;
    }
    return 0;
}

int detection_open(const char *workload, uint32_t tasks, struct detection **detection,
                   struct work_error *error)
{
    static const uint8_t secret[32] = "a seller in a test knows nothing";
    const struct work_engine_options o = {.backend = &backend_plain,
                                          .backend_options = {.threads = 1}};
    struct detection *d = calloc(1, sizeof *d);
    if (d == NULL || tasks == 0 || tasks > DETECTION_TASKS_MAX) {
        free(d);
        return work_fail(error, "from 1 to %d tasks", DETECTION_TASKS_MAX);
    }
    d->workload = work_workload_named(VINTAGE, workload);
    d->tasks = tasks;
    d->verify = verify_open(secret, NULL, NULL);
    d->honest = calloc(tasks, sizeof d->honest[0]);
    d->leaves = calloc(tasks, sizeof d->leaves[0]);
    d->is_false = calloc(tasks, sizeof d->is_false[0]);
    if (d->workload == NULL || d->verify == NULL || d->honest == NULL || d->leaves == NULL ||
        d->is_false == NULL)
        (void)work_fail(error, "no such workload, or no memory");
    else if (work_weights_seeded(d->workload, &d->weights, error) == 0 &&
             work_engine_open(d->workload, d->weights, &o, &d->engine, error) == 0 &&
             honest_make(d, error) == 0) {
        *detection = d;
        return 0;
    }
    detection_close(d);
    return -1;
}

void detection_close(struct detection *d)
{
    if (d == NULL) return;
    verify_close(d->verify);
    if (d->engine != NULL) work_engine_close(d->engine);
    if (d->weights != NULL) work_weights_close(d->weights);
    for (int i = 0; i < CHEAT_kind_count; i++) free(d->falsified[i]);
    free(d->honest);
    free(d->leaves);
    free(d->is_false);
    free(d);
}

uint64_t detection_accused(const struct detection *d) { return d->accused; }

/* ---- runs ---- */

struct run {
    struct cheat cheat;
    struct random random;
    struct digest root;
    uint64_t sample[SAMPLE_MAX];
    uint32_t sampled;
    uint32_t falsified;
};

/* What its version of a task is: none of the seed's, but for answers from nowhere. */
static bool version_is_fixed(enum cheat_kind kind)
{
    return kind != CHEAT_garbage && kind != CHEAT_one_in_100;
}

/* Which tasks are false in this run, and the leaves that are claimed. */
static int hour_claim(struct detection *d, const struct detection_case *c, struct run *r,
                      struct work_error *error)
{
    struct work_result *result = malloc(sizeof *result);
    int status = result == NULL ? work_fail(error, "no memory") : 0;
    r->falsified = 0;
    for (uint64_t i = 0; i < d->tasks && status == 0; i++) {
        bool drawn = c->share_ppm == DETECTION_ALL_PPM || c->kind == CHEAT_one_in_100 ||
                     random_below(&r->random, DETECTION_ALL_PPM) < c->share_ppm;
        d->is_false[i] = drawn && cheat_is_false(&r->cheat, i);
        r->falsified += d->is_false[i];
        if (!d->is_false[i]) {
            d->leaves[i] = d->honest[i];
        } else if (version_is_fixed(c->kind)) {
            d->leaves[i] = d->falsified[c->kind][i];
        } else {
            status = task_run(d, &r->cheat, i, result, error);
            if (status == 0) d->leaves[i] = commit_task_leaf(&result->commit);
        }
    }
    r->root = merkle_root_of(d->leaves, d->tasks);
    free(result);
    return status;
}

/* Opens the sample; true in *caught when a task is found wrong. */
static int hour_verify(struct detection *d, struct run *r, struct detection_row *row, bool *caught,
                       struct work_error *error)
{
    const struct cheat none = {.kind = CHEAT_none};
    uint32_t again = r->cheat.kind == CHEAT_none ? AGAIN_HONEST : AGAIN;
    *caught = false;
    for (uint32_t i = 0; i < r->sampled && !*caught; i++) {
        enum verify_outcome outcome = VERIFY_unknown;
        uint64_t index = r->sample[i];
        bool is_false = d->is_false[index];
        if (!is_false && again == 0) continue;
        again -= !is_false;
        if (task_verify(d, is_false ? &r->cheat : &none, &r->root, index, &outcome, error) != 0)
            return -1;
        row->opened += 1;
        row->passed += is_false && outcome == VERIFY_right;
        row->accused += !is_false && outcome != VERIFY_right;
        *caught = outcome != VERIFY_right && outcome != VERIFY_unknown;
    }
    return 0;
}

static int hour_run(struct detection *d, const struct detection_case *c, struct run *r,
                    struct detection_row *row, struct work_error *error)
{
    uint8_t nonce[32];
    bool caught = false;
    if (hour_claim(d, c, r, error) != 0) return -1;
    for (size_t i = 0; i < sizeof nonce; i++) nonce[i] = (uint8_t)random_next(&r->random);
    struct digest seed = sample_seed(&r->root, nonce);
    r->sampled = sample_choose(&seed, d->tasks, c->sampled, r->sample);
    if (hour_verify(d, r, row, &caught, error) != 0) return -1;
    double p = sample_detection_ppm(d->tasks, r->falsified, r->sampled) / 1e6;
    row->runs += 1;
    row->caught += caught;
    row->predicted += p;
    row->deviation += p * (1 - p);
    row->falsified += r->falsified;
    for (int i = 0; i < DIGEST_BYTES; i++) row->hash = random_mix(row->hash ^ r->root.v[i]);
    row->hash = random_mix(row->hash ^ caught);
    return 0;
}

/* The versions that are the same in every run, made once. */
static int falsified_make(struct detection *d, enum cheat_kind kind, struct work_error *error)
{
    if (kind == CHEAT_none || !version_is_fixed(kind) || d->falsified[kind] != NULL) return 0;
    d->falsified[kind] = calloc(d->tasks, sizeof d->falsified[kind][0]);
    if (d->falsified[kind] == NULL) return work_fail(error, "no memory");
    return leaves_make(d, &(struct cheat){.kind = kind}, d->falsified[kind], error);
}

int detection_run(struct detection *d, const struct detection_case *c, uint32_t runs,
                  uint64_t seed, struct detection_row *row, struct work_error *error)
{
    struct run *r = calloc(1, sizeof *r);
    *row = (struct detection_row){.hash = seed};
    int status = r == NULL ? work_fail(error, "no memory") : falsified_make(d, c->kind, error);
    for (uint32_t i = 0; i < runs && status == 0; i++) {
        r->random.state = seed + i;
        r->random.state = random_next(&r->random) ^ c->kind;
        r->cheat = (struct cheat){.kind = c->kind, .seed = random_next(&r->random)};
        status = hour_run(d, c, r, row, error);
    }
    row->deviation = sqrt(row->deviation);
    free(r);
    return status;
}

/* ---- the interval ---- */

/* P(at least k of n; k > 0) or, when `less`, P(at most k of n), each with chance p. */
static double tail(uint32_t n, uint32_t k, double p, bool less)
{
    return less ? statistics_binomial_cdf(k, n, p) : 1 - statistics_binomial_cdf(k - 1, n, p);
}

/* The p at which a tail is 2.5 %. */
static double solve(uint32_t n, uint32_t k, bool less)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if ((tail(n, k, middle, less) > 0.025) == less) low = middle;
        else high = middle;
    }
    return (low + high) / 2;
}

void detection_interval(uint32_t runs, uint32_t caught, double *low, double *high)
{
    *low = caught == 0 ? 0 : solve(runs, caught, false);
    *high = caught == runs ? 1 : solve(runs, caught, true);
}
