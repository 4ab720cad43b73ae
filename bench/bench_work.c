/* bench_work.c: reference work on this machine's processors (UNIT-01): products of a prompt's size,
 * conversion in and out included, as a share of what the library's own call reaches on operands in
 * its own form; whole tasks; and their check.
 *
 * Bare call and own product take turns in the same run; the share is the median of the rounds'
 * ratios. Every product is compared with the program's own kernel; the hash is of all C.
 *
 * Upstream: bench.c. Downstream: work.
 */
#include "bench.h"

#include "work/internal.h"
#include "work/kernel.h"
#include "work/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { ROUNDS = 9, ROUNDS_MAX = 64, PROMPT_ROWS = 512, TASKS = 4 };
#define SHARE_MIN 0.85

static const struct backend *const backends[] = {&backend_onednn, &backend_openblas,
                                                 &backend_plain};

struct sizes {
    int8_t *a;
    int32_t *c;
    uint32_t rows, depth, columns;
};

static bool sizes_take(struct sizes *s)
{
    s->a = malloc((size_t)s->rows * s->depth);
    s->c = malloc((size_t)s->rows * s->columns * sizeof s->c[0]);
    if (s->a == NULL || s->c == NULL) return false;
    for (size_t i = 0; i < (size_t)s->rows * s->depth; i++)
        s->a[i] = (int8_t)((i * 2654435761u >> 13) % 255) - 127;
    return true;
}

/* Some rows again by the program's own kernel. */
static bool sizes_right(const struct sizes *s, const int8_t *b)
{
    int32_t *row = malloc(s->columns * sizeof *row);
    bool right = row != NULL;
    for (uint32_t i = 0; right && i < s->rows; i += s->rows / 7 + 1) {
        kernel_product(s->a + (size_t)i * s->depth, s->depth, 1, b, s->depth, s->columns, s->depth,
                       row, s->columns);
        right = memcmp(row, s->c + (size_t)i * s->columns, s->columns * sizeof *row) == 0;
    }
    free(row);
    return right;
}

/* One matrix: returns the median share of the bare call, 0 where there is none, -1 on failure. */
static double product_bench(const struct backend *backend, void *state,
                            const struct work_weights *weights, enum work_matrix matrix,
                            uint32_t rounds, struct digest *hash)
{
    struct work_matrix_info m = work_matrix_info(weights, 0, matrix);
    struct sizes s = {.rows = PROMPT_ROWS, .depth = m.depth, .columns = m.columns};
    struct backend_matrix *b = NULL;
    struct work_error error = {0};
    double share[ROUNDS_MAX], own[ROUNDS_MAX], bare[ROUNDS_MAX], result = -1;
    int8_t *copy = malloc((size_t)m.columns * m.depth);
    double flop = 2.0 * s.rows * s.depth * s.columns;
    uint32_t count = 0;
    bool good = sizes_take(&s) && copy != NULL &&
                backend->matrix_open(state, weights, 0, matrix, &b, &error) == 0;
    for (uint32_t i = 0; good && i <= rounds; i++) { /* the first round warms up */
        int64_t library = backend->bare(b, s.a, s.rows, s.c);
        uint64_t start = bench_now();
        good = backend->product(b, s.a, s.rows, s.c, &error) == 0;
        double ns = (double)(bench_now() - start);
        if (i == 0) continue;
        own[count] = flop / ns;
        bare[count] = library > 0 ? flop / (double)library : 0;
        share[count++] = library > 0 ? (double)library / ns : 0;
    }
    if (good) {
        work_matrix_fill(weights, 0, matrix, 0, m.columns, copy);
        good = sizes_right(&s, copy);
        struct digest parts[2] = {*hash, digest_of(s.c, (size_t)s.rows * s.columns * 4)};
        *hash = digest_of(parts, sizeof parts);
    }
    if (good) {
        result = bench_median(share, count);
        printf("  %u x %u x %u  %7.1f GFLOP/s", s.rows, s.depth, s.columns,
               bench_median(own, count));
        if (result > 0)
            printf(", the bare call %7.1f: %.0f %%", bench_median(bare, count), 100 * result);
        printf("\n");
    } else {
        printf("  %u x %u x %u: %s\n", s.rows, s.depth, s.columns,
               error.text[0] != '\0' ? error.text : "the product is not exact");
    }
    if (b != NULL) backend->matrix_close(b);
    free(copy);
    free(s.a);
    free(s.c);
    return result;
}

/* Every product of a layer; 0, 1 when a share is below the bound, 2 when something is wrong. The
 * bound is for the backend that is taken: the first that is here. */
static int backend_bench(const struct backend *backend, const struct work_weights *weights,
                         uint32_t rounds, bool *taken)
{
    struct work_error error = {0};
    struct backend_description d;
    struct digest hash = {0};
    char text[DIGEST_TEXT_SIZE];
    void *state;
    int result = 0;
    if (backend->open(&(struct backend_options){0}, &state, &error) != 0) {
        printf("%s: %s\n", backend->name, error.text);
        return 0;
    }
    backend->describe(state, &d);
    printf("%s: %s, %s, %s, %u threads\n", backend->name, d.name, d.kernel, d.precision, d.threads);
    for (uint32_t matrix = WORK_MATRIX_qkv; matrix <= WORK_MATRIX_down; matrix++) {
        double share =
            product_bench(backend, state, weights, (enum work_matrix)matrix, rounds, &hash);
        if (share < 0) result = 2;
        else if (share > 0 && share < SHARE_MIN && result == 0 && !*taken) result = 1;
    }
    digest_text(text, &hash);
    printf("  hash of C %.16s\n", text);
    backend->close(state);
    *taken = true;
    return result;
}

/* ---- whole tasks ---- */

struct opened {
    struct work_checker *checker;
    struct commit_step *steps;
    uint32_t count, at;
};

static int opened_take(void *context, uint32_t index, const struct commit_step *step)
{
    struct opened *o = context;
    size_t a = (size_t)step->m * step->k, c = 4 * (size_t)step->m * step->n;
    void *copy_a = malloc(a), *copy_c = malloc(c);
    if (copy_a == NULL || copy_c == NULL) {
        free(copy_a);
        free(copy_c);
        return -1;
    }
    memcpy(copy_a, step->a, a);
    memcpy(copy_c, step->c, c);
    o->steps[index] = *step;
    o->steps[index].a = copy_a;
    o->steps[index].c = copy_c;
    o->count = index + 1;
    return 0;
}

static bool opened_next(void *context, struct commit_step *step)
{
    struct opened *o = context;
    if (o->at == o->count) return false;
    *step = o->steps[o->at++];
    return true;
}

static int check_bench(struct work_engine *engine, const struct work_workload *w,
                       const struct work_weights *weights, const struct work_spec *spec,
                       const struct work_result *result)
{
    struct opened o = {.steps = calloc(work_steps(w), sizeof o.steps[0])};
    struct work_error error = {0};
    uint8_t secret[32];
    int fault = -1;
    uint64_t times[4] = {bench_now()};
    if (o.steps != NULL && getrandom(secret, sizeof secret, 0) == (ssize_t)sizeof secret &&
        work_checker_open(w, weights, secret, &o.checker, &error) == 0) {
        times[1] = bench_now();
        fault = work_open(engine, spec, &result->answer, opened_take, &o, &error);
        times[2] = bench_now();
        if (fault == 0) fault = work_check(o.checker, spec, result, opened_next, &o, &error);
        times[3] = bench_now();
    }
    if (fault == 0)
        printf("  opened in %.2f s (%llu MB), checked in %.2f s; weights folded once in %.2f s\n",
               1e-9 * (double)(times[2] - times[1]),
               (unsigned long long)work_opening_size(w, spec->prompt_count, spec->answer_count) /
                   1000000,
               1e-9 * (double)(times[3] - times[2]), 1e-9 * (double)(times[1] - times[0]));
    else printf("  not checked: %s\n", error.text);
    for (uint32_t i = 0; i < o.count; i++) {
        free((void *)(uintptr_t)o.steps[i].a);
        free((void *)(uintptr_t)o.steps[i].c);
    }
    free(o.steps);
    work_checker_close(o.checker);
    return fault == 0 ? 0 : 2;
}

/* One at a time, then several at once. */
static int tasks_bench(const struct work_workload *w, const struct work_weights *weights)
{
    struct work_engine *engine;
    struct work_error error = {0};
    struct work_spec specs[TASKS];
    struct work_result *results = calloc(TASKS, sizeof results[0]);
    struct work_engine_options options = {.slots = TASKS};
    struct backend_description d;
    char text[DIGEST_TEXT_SIZE];
    uint64_t start = bench_now();
    if (results == NULL || work_engine_open(w, weights, &options, &engine, &error) != 0) {
        printf("%s: %s\n", w->name, error.text);
        free(results);
        return 2;
    }
    work_engine_describe(engine, &d);
    printf("%s, %u + %u tokens, by %s (weights made in %.1f s)\n", w->name, w->prompt_count,
           w->answer_count, d.name, 1e-9 * (double)(bench_now() - start));
    int status = 0;
    for (uint32_t i = 0; i < TASKS; i++) {
        struct digest nonce = digest_of(&i, sizeof i);
        work_spec_default(w, &nonce, &specs[i]);
    }
    for (uint32_t at_once = 1; at_once <= TASKS && status == 0; at_once *= TASKS) {
        start = bench_now();
        status = work_batch_run(engine, specs, at_once, results, NULL, NULL, &error);
        double s = 1e-9 * (double)(bench_now() - start), flop = 0;
        for (uint32_t i = 0; i < at_once; i++) flop += (double)results[i].commit.flop;
        printf("  %u at once: %.2f s, %.1f GFLOP/s, %.6f CT/h\n", at_once, s, flop / s * 1e-9,
               flop / s * 3600 * 1e-18);
    }
    if (status == 0) {
        digest_text(text, &results[0].commit.answer);
        printf("  answer %.16s", text);
        digest_text(text, &results[0].commit.transcript);
        printf(", transcript %.16s\n", text);
        status = check_bench(engine, w, weights, &specs[0], &results[0]);
    } else {
        printf("  %s\n", error.text);
    }
    work_engine_close(engine);
    free(results);
    return status == 0 ? 0 : 2;
}

static int run(const struct bench_options *options)
{
    const struct work_workload *w = work_workload_named(2026, "tinyllama-1.1b");
    uint32_t rounds = options->rounds == 0 ? ROUNDS : options->rounds;
    struct work_weights *weights;
    struct work_error error = {0};
    if (rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    if (work_weights_seeded(w, &weights, &error) != 0) {
        printf("%s\n", error.text);
        return 2;
    }
    printf("Products of a layer of %s at %u positions; %u rounds\n", w->name, PROMPT_ROWS, rounds);
    int worst = 0;
    bool taken = false;
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        int result = backend_bench(backends[i], weights, rounds, &taken);
        if (result > worst) worst = result;
    }
    int result = tasks_bench(w, weights);
    if (result > worst) worst = result;
    printf("Not in it: other loads on the machine, prompts longer than %u, weights from a file.\n",
           PROMPT_ROWS);
    work_weights_close(weights);
    return worst;
}

const struct bench bench_work = {
    "work", "reference work: products as a share of the library's call, tasks, their check", run};
