/* run.c: tasks carried out, their transcripts committed to, and opened again.
 *
 * Upstream: engine, sample, task. Downstream: cli (certify, deliver), bench.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "work/engine.h"
#include "work/fixed.h"

/* ---- one task on its way ---- */

struct work_task {
    const struct work_workload *workload;
    struct work_spec spec;
    struct digest spec_digest;
    uint64_t key;
    uint32_t slot, position, given; /* rows that were given out last */
    uint32_t limit;                 /* positions at most */
    bool done;
    struct work_answer answer;
    uint32_t *prompt;
    uint64_t *prints; /* [steps][limit][2]; of the head by token of the answer */
};

int work_task_open(const struct work_workload *w, const struct work_spec *spec, uint32_t slot,
                   struct work_task **task, struct work_error *error)
{
    if (work_spec_check(spec, error) != 0) return -1;
    if (w->kind != WORK_KIND_decoder || spec->workload != w->id)
        return work_fail(error, "a task of another workload");
    struct work_task *t = calloc(1, sizeof *t);
    if (t == NULL) return work_fail(error, "no memory");
    *t = (struct work_task){.workload = w, .spec = *spec, .slot = slot,
                            .limit = spec->prompt_count + spec->answer_count - 1,
                            .spec_digest = work_spec_digest(spec)};
    t->key = work_key(&t->spec_digest);
    t->prompt = calloc(spec->prompt_count, sizeof t->prompt[0]);
    t->prints = calloc((size_t)work_steps(w) * t->limit * 2, sizeof t->prints[0]);
    if (t->prompt == NULL || t->prints == NULL) {
        work_task_close(t);
        return work_fail(error, "no memory for a task");
    }
    work_prompt(spec, &w->shape, t->prompt);
    *task = t;
    return 0;
}

void work_task_close(struct work_task *t)
{
    if (t == NULL) return;
    free(t->prompt);
    free(t->prints);
    free(t);
}

uint32_t work_task_sampled(const struct work_task *t)
{
    return t->answer.count;
}

uint32_t work_task_rows(struct work_task *t, struct work_row *rows, uint32_t room)
{
    uint32_t prompt = t->spec.prompt_count;
    t->given = 0;
    if (t->done || room == 0) return 0;
    if (t->position >= prompt) {
        rows[0] = (struct work_row){.slot = t->slot, .position = t->position, .logits = true,
                                    .token = t->answer.tokens[t->answer.count - 1]};
        return t->given = 1;
    }
    t->given = room < prompt - t->position ? room : prompt - t->position;
    for (uint32_t i = 0; i < t->given; i++) {
        uint32_t p = t->position + i;
        rows[i] = (struct work_row){.slot = t->slot, .position = p, .token = t->prompt[p],
                                    .logits = p == prompt - 1};
    }
    return t->given;
}

bool work_task_take(struct work_task *t, const struct work_forward *f, uint32_t first,
                    const int32_t *logits)
{
    uint32_t steps = work_steps(t->workload);
    ASSERT(t->given != 0 && first + t->given <= f->count && f->fingerprints != NULL);
    for (uint32_t s = 0; s + 1 < steps; s++)
        memcpy(&t->prints[((size_t)s * t->limit + t->position) * 2],
               &f->fingerprints[((size_t)s * f->count + first) * 2],
               (size_t)t->given * 2 * sizeof t->prints[0]);
    t->position += t->given;
    uint32_t last = first + t->given - 1;
    t->given = 0;
    if (!f->rows[last].logits) return false;
    memcpy(&t->prints[((size_t)(steps - 1) * t->limit + t->answer.count) * 2],
           &f->fingerprints[((size_t)(steps - 1) * f->count + last) * 2],
           2 * sizeof t->prints[0]);
    uint32_t token = work_sample(&t->spec, t->key, t->answer.count, logits,
                                 t->workload->shape.vocabulary);
    t->answer.tokens[t->answer.count++] = token;
    t->done = token == t->spec.stop || t->answer.count == t->spec.answer_count;
    return true;
}

struct digest work_transcript(const struct work_workload *w, const uint64_t *prints,
                              uint32_t stride, uint32_t positions, uint32_t answers)
{
    struct merkle tree = {0};
    uint32_t steps = work_steps(w);
    for (uint32_t s = 0; s < steps; s++) {
        struct commit_step step = work_step_shape(w, s, positions, answers);
        const uint64_t *at = prints + (size_t)s * stride * 2;
        struct digest a = fingerprint_digest(at, step.m, 2);
        struct digest c = fingerprint_digest(at + 1, step.m, 2);
        struct digest leaf = commit_step_leaf_of(s, &step, &a, &c);
        merkle_append(&tree, &leaf);
    }
    return merkle_root(&tree);
}

void work_task_finish(struct work_task *t, struct work_result *result)
{
    ASSERT(t->done);
    uint32_t prompt = t->spec.prompt_count, count = t->answer.count;
    result->answer = t->answer;
    result->commit = (struct commit_task){
        .spec = t->spec_digest,
        .answer = work_answer_digest(&t->answer),
        .transcript = work_transcript(t->workload, t->prints, t->limit, prompt + count - 1, count),
        .flop = work_flop(t->workload, prompt, count)};
}

/* ---- many tasks at once ---- */

struct work_stream {
    struct work_engine *engine;
    struct work_task **tasks;    /* by slot; NULL: none */
    struct work_result *results; /* of a slot's task that is done */
    uint64_t *tags;
    uint32_t *first;             /* its first row in this pass */
    uint32_t *before;            /* rows with logits in front of its own */
    struct work_row *rows;
    int32_t *logits;
    uint64_t *prints;
    const struct work_forward *forward; /* under way */
    uint32_t active;             /* slots with a task */
};

void work_stream_close(struct work_stream *s)
{
    if (s == NULL) return;
    for (uint32_t i = 0; s->tasks != NULL && i < s->engine->slots; i++)
        work_task_close(s->tasks[i]);
    free(s->tasks);
    free(s->results);
    free(s->tags);
    free(s->first);
    free(s->before);
    free(s->rows);
    free(s->logits);
    free(s->prints);
    free(s);
}

int work_stream_open(struct work_engine *e, struct work_stream **stream, struct work_error *error)
{
    if (e->workload->kind != WORK_KIND_decoder)
        return work_fail(error, "%s is a product: its tasks are done one by one",
                         e->workload->name);
    struct work_stream *s = calloc(1, sizeof *s);
    if (s == NULL) return work_fail(error, "no memory for a stream of tasks");
    s->engine = e;
    s->tasks = calloc(e->slots, sizeof(struct work_task *));
    s->results = calloc(e->slots, sizeof s->results[0]);
    s->tags = calloc(e->slots, sizeof s->tags[0]);
    s->first = calloc(e->slots, sizeof s->first[0]);
    s->before = calloc(e->slots, sizeof s->before[0]);
    s->rows = calloc(e->rows_batch, sizeof s->rows[0]);
    s->logits = calloc((size_t)e->slots * e->workload->shape.vocabulary, sizeof s->logits[0]);
    s->prints = calloc((size_t)work_steps(e->workload) * e->rows_batch * 2, sizeof s->prints[0]);
    if (s->tasks == NULL || s->results == NULL || s->tags == NULL || s->first == NULL ||
        s->before == NULL || s->rows == NULL || s->logits == NULL || s->prints == NULL) {
        work_stream_close(s);
        return work_fail(error, "no memory for a stream of tasks");
    }
    *stream = s;
    return 0;
}

uint32_t work_stream_active(const struct work_stream *s) { return s->active; }
bool work_stream_room(const struct work_stream *s) { return s->active < s->engine->slots; }

int work_stream_add(struct work_stream *s, const struct work_spec *spec, uint64_t tag,
                    struct work_error *error)
{
    uint32_t i = 0;
    ASSERT(work_stream_room(s));
    while (s->tasks[i] != NULL) i++;
    if (work_task_open(s->engine->workload, spec, i, &s->tasks[i], error) != 0) return -1;
    s->tags[i] = tag;
    s->active += 1;
    return 0;
}

/* What a pass gave, to one slot's task. */
static void stream_give(void *context, uint32_t i, uint32_t thread)
{
    struct work_stream *s = context;
    struct work_task *t = s->tasks[i];
    (void)thread;
    if (t == NULL || t->given == 0) return;
    size_t at = (size_t)s->before[i] * s->engine->workload->shape.vocabulary;
    (void)work_task_take(t, s->forward, s->first[i], s->logits + at);
    if (t->done) work_task_finish(t, &s->results[i]);
}

/* A row of each task that decodes, and as much of prompts as there is room for. */
int work_stream_pass(struct work_stream *s, struct work_error *error)
{
    struct work_engine *e = s->engine;
    struct work_forward f = {.rows = s->rows, .logits = s->logits, .fingerprints = s->prints};
    uint32_t with_logits = 0;
    for (int decoding = 1; decoding >= 0; decoding--) {
        for (uint32_t i = 0; i < e->slots; i++) {
            struct work_task *t = s->tasks[i];
            if (t == NULL || (t->position >= t->spec.prompt_count) != (decoding == 1)) continue;
            s->first[i] = f.count;
            s->before[i] = with_logits; /* logits stand in the order of the rows */
            f.count += work_task_rows(t, s->rows + f.count, e->rows_batch - f.count);
            if (t->given != 0) with_logits += s->rows[f.count - 1].logits;
        }
    }
    if (f.count == 0) return 0; /* all are done, and not yet taken */
    if (work_engine_forward(e, &f, error) != 0) return -1;
    s->forward = &f;
    pool_run(e->pool, e->slots, stream_give, s);
    s->forward = NULL;
    return 0;
}

static void slot_free(struct work_stream *s, uint32_t i)
{
    work_task_close(s->tasks[i]);
    s->tasks[i] = NULL;
    s->active -= 1;
}

const struct work_result *work_stream_take(struct work_stream *s, uint64_t *tag)
{
    for (uint32_t i = 0; i < s->engine->slots; i++) {
        if (s->tasks[i] == NULL || !s->tasks[i]->done) continue;
        *tag = s->tags[i];
        slot_free(s, i);
        return &s->results[i];
    }
    return NULL;
}

void work_stream_cancel(struct work_stream *s, uint64_t tag)
{
    for (uint32_t i = 0; i < s->engine->slots; i++)
        if (s->tasks[i] != NULL && s->tags[i] == tag) slot_free(s, i);
}

static int decode_all(struct work_engine *e, const struct work_spec *specs, uint32_t count,
                      struct work_result *results, bool (*done)(void *context, uint32_t index),
                      void *context, struct work_error *error)
{
    struct work_stream *s = NULL;
    uint32_t next = 0;
    int status = work_stream_open(e, &s, error);
    while (status == 0) {
        for (; next < count && work_stream_room(s) && status == 0; next++)
            status = work_stream_add(s, &specs[next], next, error);
        if (status != 0 || s->active == 0) break;
        status = work_stream_pass(s, error);
        uint64_t index;
        const struct work_result *r;
        while (status == 0 && (r = work_stream_take(s, &index)) != NULL) {
            results[index] = *r;
            if (done != NULL && !done(context, (uint32_t)index)) status = 1;
        }
    }
    work_stream_close(s);
    return status;
}

/* ---- products ---- */

void work_gemm_rows(const struct work_workload *w, const struct work_spec *spec, uint32_t first,
                    uint32_t count, int8_t *a)
{
    uint64_t key = work_key(&spec->nonce), at = (uint64_t)first * w->depth / 8;
    size_t groups = (size_t)count * w->depth / 8;
    for (size_t i = 0; i < groups; i++) {
        uint64_t random = fixed_random(key, at + i);
        for (uint32_t n = 0; n < 8; n++) a[8 * i + n] = (int8_t)fixed_activation(random, n);
    }
}

struct gemm {
    const struct work_workload *workload;
    const struct work_spec *spec;
    int8_t *a;
    int32_t *c;
    uint64_t *prints;
};

static void gemm_fill_row(void *context, uint32_t i, uint32_t thread)
{
    const struct gemm *g = context;
    (void)thread;
    work_gemm_rows(g->workload, g->spec, i, 1, g->a + (size_t)i * g->workload->depth);
}

static void gemm_print_row(void *context, uint32_t i, uint32_t thread)
{
    const struct gemm *g = context;
    size_t depth = g->workload->depth, columns = g->workload->columns;
    (void)thread;
    g->prints[2 * (size_t)i] = fingerprint_row(g->a + i * depth, depth);
    g->prints[2 * (size_t)i + 1] = fingerprint_row(g->c + i * columns, 4 * columns);
}

void work_gemm_result(const struct work_workload *w, const struct work_spec *spec,
                      const uint64_t *prints, struct work_result *result)
{
    *result = (struct work_result){0};
    result->answer.product = fingerprint_digest(prints + 1, w->rows, 2);
    result->commit = (struct commit_task){
        .spec = work_spec_digest(spec),
        .answer = work_answer_digest(&result->answer),
        .transcript = work_transcript(w, prints, w->rows, w->rows, 0),
        .flop = work_flop(w, 0, 0)};
}

static int gemm_run(struct work_engine *e, const struct work_spec *spec,
                    struct work_result *result,
                    int (*step)(void *context, uint32_t index, const struct commit_step *step),
                    void *context, struct work_error *error)
{
    const struct work_workload *w = e->workload;
    struct gemm g = {.workload = w, .spec = spec, .a = e->gemm_a, .c = e->gemm_c,
                     .prints = e->gemm_prints};
    if (work_spec_check(spec, error) != 0) return -1;
    if (spec->workload != w->id) return work_fail(error, "a task of another workload");
    pool_run(e->pool, w->rows, gemm_fill_row, &g);
    if (e->backend->product(e->matrices[0], g.a, w->rows, g.c, error) != 0) return -1;
    struct commit_step s = work_step_shape(w, 0, w->rows, 0);
    s.a = g.a;
    s.c = g.c;
    pool_run(e->pool, w->rows, gemm_print_row, &g);
    work_gemm_result(w, spec, g.prints, result);
    if (step != NULL && step(context, 0, &s) != 0)
        return work_fail(error, "whoever took the steps has stopped");
    return 0;
}

/* ---- what is asked for ---- */

int work_batch_run(struct work_engine *e, const struct work_spec *specs, uint32_t count,
                   struct work_result *results, bool (*done)(void *context, uint32_t index),
                   void *context, struct work_error *error)
{
    if (e->workload->kind == WORK_KIND_decoder)
        return decode_all(e, specs, count, results, done, context, error);
    for (uint32_t i = 0; i < count; i++) {
        if (gemm_run(e, &specs[i], &results[i], NULL, NULL, error) != 0) return -1;
        if (done != NULL && !done(context, i)) return 1;
    }
    return 0;
}

int work_task_run(struct work_engine *e, const struct work_spec *spec, struct work_result *result,
                  struct work_error *error)
{
    return work_batch_run(e, spec, 1, result, NULL, NULL, error);
}

/* ---- openings ---- */

struct commit_step work_step_shape(const struct work_workload *w, uint32_t step,
                                   uint32_t positions, uint32_t answers)
{
    const struct work_shape *h = &w->shape;
    enum work_matrix matrix = work_step_matrix(w, step);
    struct commit_step s = {.op = (uint32_t)matrix, .m = positions, .k = h->width, .n = h->width};
    switch (matrix) {
    case WORK_MATRIX_qkv: s.n = (h->heads + 2 * h->kv_heads) * h->head_size; break;
    case WORK_MATRIX_out: break;
    case WORK_MATRIX_up: s.n = 2 * h->hidden; break;
    case WORK_MATRIX_down: s.k = h->hidden; break;
    case WORK_MATRIX_head:
        s.m = answers;
        s.n = h->vocabulary;
        break;
    case WORK_MATRIX_gemm:
        s.m = w->rows;
        s.k = w->depth;
        s.n = w->columns;
        break;
    }
    return s;
}

uint64_t work_opening_size(const struct work_workload *w, uint32_t prompt_count,
                           uint32_t answer_count)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < work_steps(w); i++) {
        struct commit_step s =
            work_step_shape(w, i, prompt_count + answer_count - 1, answer_count);
        size += s.m * ((uint64_t)s.k + 4 * (uint64_t)s.n);
    }
    return size;
}

/* Every position of the task at once: the answer is known. */
void work_forced_rows(const struct work_spec *spec, const struct work_shape *h,
                      const struct work_answer *answer, uint32_t *tokens, struct work_row *rows)
{
    uint32_t prompt = spec->prompt_count;
    work_prompt(spec, h, tokens);
    for (uint32_t p = 0; p < prompt + answer->count - 1; p++)
        rows[p] = (struct work_row){.position = p, .logits = p >= prompt - 1,
                                    .token = p < prompt ? tokens[p] : answer->tokens[p - prompt]};
}

/* Whether each token of the answer follows from its logits: the first that does not, or count. */
uint32_t work_sampled(const struct work_spec *spec, const struct work_answer *answer,
                      const int32_t *logits, uint32_t vocabulary)
{
    struct digest d = work_spec_digest(spec);
    uint64_t key = work_key(&d);
    for (uint32_t i = 0; i < answer->count; i++)
        if (work_sample(spec, key, i, logits + (size_t)i * vocabulary, vocabulary) !=
            answer->tokens[i])
            return i;
    return answer->count;
}

int work_answer_check(const struct work_spec *spec, const struct work_shape *h,
                      const struct work_answer *answer, struct work_error *error)
{
    static const struct digest none;
    if (answer->count == 0 || answer->count > spec->answer_count)
        return work_fail(error, "the answer has %u tokens; 1 to %u were asked for", answer->count,
                         spec->answer_count);
    for (uint32_t i = 0; i < answer->count; i++) {
        if (answer->tokens[i] >= h->vocabulary)
            return work_fail(error, "token %u of the answer is not in the vocabulary", i);
        if (answer->tokens[i] == spec->stop && i + 1 != answer->count)
            return work_fail(error, "the answer goes on behind its stop token");
    }
    if (answer->count != spec->answer_count && answer->tokens[answer->count - 1] != spec->stop)
        return work_fail(error, "the answer is cut short: %u of %u tokens", answer->count,
                         spec->answer_count);
    return digest_equal(&answer->product, &none)
               ? 0 : work_fail(error, "an answer of tokens names a product");
}

static int decoder_open_task(struct work_engine *e, const struct work_spec *spec,
                             const struct work_answer *answer,
                             int (*step)(void *, uint32_t, const struct commit_step *),
                             void *context, struct work_error *error)
{
    const struct work_shape *h = &e->workload->shape;
    uint32_t positions = spec->prompt_count + answer->count - 1;
    if (positions > e->rows_max)
        return work_fail(error, "this engine takes %u positions at once, the task has %u",
                         e->rows_max, positions);
    struct work_row *rows = calloc(positions, sizeof rows[0]);
    uint32_t *tokens = calloc(spec->prompt_count, sizeof tokens[0]);
    int32_t *logits = calloc((size_t)answer->count * h->vocabulary, sizeof logits[0]);
    int status = -1;
    if (rows == NULL || tokens == NULL || logits == NULL) {
        work_fail(error, "no memory to open a task");
    } else {
        work_forced_rows(spec, h, answer, tokens, rows);
        struct work_forward f = {.rows = rows, .count = positions, .logits = logits, .sink = step,
                                 .context = context};
        status = work_engine_forward(e, &f, error);
        if (status == 0 && work_sampled(spec, answer, logits, h->vocabulary) != answer->count)
            status = work_fail(error, "the answer is not this task's");
    }
    free(rows);
    free(tokens);
    free(logits);
    return status;
}

int work_open(struct work_engine *e, const struct work_spec *spec,
              const struct work_answer *answer,
              int (*step)(void *context, uint32_t index, const struct commit_step *step),
              void *context, struct work_error *error)
{
    struct work_result result;
    if (work_spec_check(spec, error) != 0) return -1;
    if (spec->workload != e->workload->id) return work_fail(error, "a task of another workload");
    if (e->workload->kind == WORK_KIND_decoder) {
        if (work_answer_check(spec, &e->workload->shape, answer, error) != 0) return -1;
        return decoder_open_task(e, spec, answer, step, context, error);
    }
    if (gemm_run(e, spec, &result, step, context, error) != 0) return -1;
    return digest_equal(&result.answer.product, &answer->product)
               ? 0 : work_fail(error, "the answer is not this task's");
}
