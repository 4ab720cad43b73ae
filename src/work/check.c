/* check.c: whether an opened task is what its spec asks, without multiplying (DELIV-03).
 *
 * The checker runs the decoder itself, all positions at once, since it is told the answer; where
 * the decoder asks for a product, the checker takes the opening's: its A must be the A that has
 * just been computed, and C = A B must pass Freivalds' check (quant/freivalds.h) with B folded into
 * a random vector once for all tasks. The tokens must follow from the last product, and the
 * transcript's root, made from what was looked at, must be the committed one.
 *
 * Invariants: (1) nothing of an opening is used before its shape and range are checked; (2) the
 * random vectors come from the caller's secret; a seller who does not know it gets a wrong row of C
 * past with a chance of at most 2^-62.
 *
 * Upstream: decoder, freivalds, weights. Downstream: cli (verify), the buyer's gateway.
 */
#include <stdlib.h>
#include <string.h>

#include "quant/freivalds.h"
#include "work/decoder.h"

enum { BLOCK = 256 }; /* columns of weights made at a time */

struct folded {
    int32_t *r;  /* [FREIVALDS_ROUNDS][columns] */
    uint64_t *v; /* [FREIVALDS_ROUNDS][depth] */
};

struct work_checker {
    const struct work_workload *workload;
    const struct work_weights *weights;
    struct pool *pool;
    struct decoder *decoder; /* for `positions` */
    uint32_t positions;
    uint8_t secret[FREIVALDS_SEED_SIZE];
    bool no_memory;
    struct folded folded[]; /* by step */
};

/* ---- the weights, folded ---- */

static void fold_step(void *context, uint32_t step, uint32_t thread)
{
    struct work_checker *k = context;
    struct folded *f = &k->folded[step];
    enum work_matrix matrix = work_step_matrix(k->workload, step);
    uint32_t layer = work_step_layer(k->workload, step);
    struct work_matrix_info m = work_matrix_info(k->weights, layer, matrix);
    (void)thread;
    f->r = malloc((size_t)FREIVALDS_ROUNDS * m.columns * sizeof f->r[0]);
    f->v = calloc((size_t)FREIVALDS_ROUNDS * m.depth, sizeof f->v[0]);
    int8_t *block = malloc((size_t)BLOCK * m.depth);
    if (f->r == NULL || f->v == NULL || block == NULL) {
        k->no_memory = true;
        free(block);
        return;
    }
    freivalds_random(f->r, m.columns, k->secret, step);
    for (uint32_t first = 0; first < m.columns; first += BLOCK) {
        uint32_t count = m.columns - first < BLOCK ? m.columns - first : BLOCK;
        work_matrix_fill(k->weights, layer, matrix, first, count, block);
        freivalds_fold_columns(f->v, m.depth, first, count, block, f->r, m.columns);
    }
    free(block);
}

int work_checker_open(const struct work_workload *w, const struct work_weights *weights,
                      const uint8_t secret[32], struct work_checker **checker,
                      struct work_error *error)
{
    uint32_t steps = work_steps(w);
    struct work_checker *k = calloc(1, sizeof *k + steps * sizeof k->folded[0]);
    if (k == NULL) return work_fail(error, "no memory for a checker");
    k->workload = w;
    k->weights = weights;
    memcpy(k->secret, secret, sizeof k->secret);
    k->pool = pool_open(0);
    if (k->pool == NULL) k->no_memory = true;
    else pool_run(k->pool, steps, fold_step, k);
    if (k->no_memory) {
        work_checker_close(k);
        return work_fail(error, "no memory for a checker");
    }
    *checker = k;
    return 0;
}

void work_checker_close(struct work_checker *k)
{
    if (k == NULL) return;
    decoder_close(k->decoder);
    for (uint32_t i = 0; i < work_steps(k->workload); i++) {
        free(k->folded[i].r);
        free(k->folded[i].v);
    }
    pool_close(k->pool);
    free(k);
}

/* ---- one task ---- */

struct checking {
    struct work_checker *checker;
    const struct work_spec *spec;
    const struct work_answer *answer;
    bool (*next)(void *context, struct commit_step *step);
    void *context;
    uint32_t positions;
    enum work_fault fault;
};

static int found(struct checking *k, enum work_fault fault)
{
    if (k->fault == WORK_FAULT_none) k->fault = fault;
    return -1;
}

/* No sum of `depth` products is greater in size. */
static bool in_range(const struct commit_step *s)
{
    int32_t limit = (int32_t)(s->k * WORK_ACTIVATION_MAX * WORK_WEIGHT_MAX);
    size_t count = (size_t)s->m * s->n, outside = 0;
    for (size_t i = 0; i < count; i++) outside += s->c[i] > limit || s->c[i] < -limit;
    return outside == 0;
}

static int step_check(struct checking *k, uint32_t index, const int8_t *a, int32_t *c,
                      struct work_error *error)
{
    const struct work_checker *checker = k->checker;
    const struct folded *f = &checker->folded[index];
    struct commit_step s, due = work_step_shape(checker->workload, index, k->positions,
                                                k->answer->count);
    if (!k->next(k->context, &s)) {
        work_fail(error, "the opening ends before step %u", index);
        return found(k, WORK_FAULT_opening);
    }
    if (s.op != due.op || s.m != due.m || s.k != due.k || s.n != due.n) {
        work_fail(error, "step %u is %u of %u x %u x %u, not %u of %u x %u x %u", index, s.op, s.m,
                  s.k, s.n, due.op, due.m, due.k, due.n);
        return found(k, WORK_FAULT_opening);
    }
    for (uint32_t i = 0; i < s.m; i++) {
        if (memcmp(s.a + (size_t)i * s.k, a + (size_t)i * s.k, s.k) == 0) continue;
        work_fail(error, "row %u of A of step %u does not follow from what is before it", i, index);
        return found(k, WORK_FAULT_input);
    }
    if (!in_range(&s)) {
        work_fail(error, "C of step %u has a value that no product can have", index);
        return found(k, WORK_FAULT_opening);
    }
    size_t row = freivalds_check(a, s.m, s.k, f->v, s.c, f->r, s.n);
    if (row != s.m) {
        work_fail(error, "row %zu of C of step %u is not that of A B", row, index);
        return found(k, WORK_FAULT_product);
    }
    if (c != NULL) memcpy(c, s.c, (size_t)s.m * s.n * sizeof c[0]);
    return 0;
}

static int product_run(void *context, uint32_t step, const int8_t *a, uint32_t rows, int32_t *c,
                       struct work_error *error)
{
    (void)rows; /* those of the decoder's own pass */
    return step_check(context, step, a, c, error);
}

static bool decoder_ready(struct work_checker *k, uint32_t positions)
{
    if (positions <= k->positions) return true;
    decoder_close(k->decoder);
    k->decoder = NULL;
    k->positions = 0;
    if (decoder_open(k->workload, k->weights, k->pool, 1, positions, positions, &k->decoder,
                     NULL) != 0)
        return false;
    k->positions = positions;
    return true;
}

struct buffers {
    struct work_row *rows;
    uint32_t *tokens;
    int32_t *logits;
    uint64_t *prints;
};

/* 0: checked, see k->fault; -1: no memory. */
static int decoder_check(struct checking *k, const struct buffers *b, struct digest *transcript,
                         struct work_error *error)
{
    struct work_checker *checker = k->checker;
    const struct work_shape *h = &checker->workload->shape;
    work_forced_rows(k->spec, h, k->answer, b->tokens, b->rows);
    const struct work_forward f = {.rows = b->rows, .count = k->positions, .logits = b->logits,
                                   .fingerprints = b->prints};
    if (decoder_forward(checker->decoder, &(struct decoder_product){product_run, k}, &f, error) !=
        0)
        return k->fault == WORK_FAULT_none ? -1 : 0;
    uint32_t right = work_sampled(k->spec, k->answer, b->logits, h->vocabulary);
    if (right != k->answer->count) {
        work_fail(error, "token %u of the answer does not follow from its logits", right);
        found(k, WORK_FAULT_sample);
        return 0;
    }
    /* the head's stand at the rows with logits: to the front with them */
    uint64_t *head = b->prints + (size_t)4 * h->layers * k->positions * 2;
    memmove(head, head + 2 * (size_t)(k->spec->prompt_count - 1),
            (size_t)k->answer->count * 2 * sizeof head[0]);
    *transcript = work_transcript(checker->workload, b->prints, k->positions, k->positions,
                                  k->answer->count);
    return 0;
}

static int decoder_task(struct checking *k, struct digest *transcript, struct work_error *error)
{
    struct work_checker *checker = k->checker;
    const struct work_shape *h = &checker->workload->shape;
    if (work_answer_check(k->spec, h, k->answer, error) != 0) {
        found(k, WORK_FAULT_answer);
        return 0;
    }
    k->positions = k->spec->prompt_count + k->answer->count - 1;
    struct buffers b = {
        .rows = calloc(k->positions, sizeof b.rows[0]),
        .tokens = calloc(k->spec->prompt_count, sizeof b.tokens[0]),
        .logits = calloc((size_t)k->answer->count * h->vocabulary, sizeof b.logits[0]),
        .prints = calloc((size_t)work_steps(checker->workload) * k->positions * 2,
                         sizeof b.prints[0])};
    int status = -1;
    if (b.rows == NULL || b.tokens == NULL || b.logits == NULL || b.prints == NULL ||
        !decoder_ready(checker, k->positions))
        work_fail(error, "no memory to check a task");
    else status = decoder_check(k, &b, transcript, error);
    free(b.rows);
    free(b.tokens);
    free(b.logits);
    free(b.prints);
    return status;
}

/* Takes the opening's C when it has been checked: for the answer's digest. */
struct last_step {
    struct checking *k;
    struct commit_step step;
};

static bool keep_step(void *context, struct commit_step *step)
{
    struct last_step *l = context;
    if (!l->k->next(l->k->context, &l->step)) return false;
    *step = l->step;
    return true;
}

static int gemm_task(struct checking *k, struct digest *transcript, struct work_error *error)
{
    const struct work_workload *w = k->checker->workload;
    struct work_result result;
    struct last_step last = {.k = k};
    struct checking inner = *k;
    inner.next = keep_step;
    inner.context = &last;
    int8_t *a = malloc((size_t)w->rows * w->depth);
    uint64_t *prints = malloc((size_t)w->rows * 2 * sizeof prints[0]);
    int status = -1;
    if (a == NULL || prints == NULL) {
        work_fail(error, "no memory to check a task");
    } else if (k->answer->count != 0) {
        work_fail(error, "the answer to a product has no tokens");
        status = 0;
        found(k, WORK_FAULT_answer);
    } else {
        work_gemm_rows(w, k->spec, 0, w->rows, a);
        status = 0;
        if (step_check(&inner, 0, a, NULL, error) != 0) found(k, inner.fault);
    }
    if (status == 0 && k->fault == WORK_FAULT_none) {
        for (size_t i = 0; i < w->rows; i++) {
            prints[2 * i] = fingerprint_row(a + i * w->depth, w->depth);
            prints[2 * i + 1] =
                fingerprint_row(last.step.c + i * w->columns, 4 * (size_t)w->columns);
        }
        work_gemm_result(w, k->spec, prints, &result);
        *transcript = result.commit.transcript;
        if (!digest_equal(&result.answer.product, &k->answer->product)) {
            work_fail(error, "the answer is not the product's digest");
            found(k, WORK_FAULT_sample);
        }
    }
    free(a);
    free(prints);
    return status;
}

/* What needs no opening. */
static void claims_check(struct checking *k, const struct work_result *claimed,
                         struct work_error *error)
{
    const struct work_checker *checker = k->checker;
    const struct work_workload *w = checker->workload;
    struct digest weights = work_weights_digest(checker->weights);
    struct digest spec = work_spec_digest(k->spec), answer;
    if (work_spec_check(k->spec, error) != 0) {
        found(k, WORK_FAULT_spec);
    } else if (k->spec->workload != w->id || work_workload_find(k->spec->vintage, w->id) != w ||
               !digest_equal(&weights, &k->spec->weights)) {
        work_fail(error, "the task is of another model");
        found(k, WORK_FAULT_spec);
    } else if (!digest_equal(&spec, &claimed->commit.spec)) {
        work_fail(error, "what was committed is another task");
        found(k, WORK_FAULT_spec);
    } else if (k->answer->count > WORK_ANSWER_MAX) {
        work_fail(error, "the answer is too long");
        found(k, WORK_FAULT_answer);
    } else if (answer = work_answer_digest(k->answer),
               !digest_equal(&answer, &claimed->commit.answer)) {
        work_fail(error, "what was committed is another answer");
        found(k, WORK_FAULT_answer);
    } else if (claimed->commit.flop != work_flop(w, k->spec->prompt_count, k->answer->count)) {
        work_fail(error, "the task has %llu FLOP",
                  (unsigned long long)work_flop(w, k->spec->prompt_count, k->answer->count));
        found(k, WORK_FAULT_flop);
    }
}

int work_check(struct work_checker *checker, const struct work_spec *spec,
               const struct work_result *claimed,
               bool (*next)(void *context, struct commit_step *step), void *context,
               struct work_error *error)
{
    struct checking k = {.checker = checker, .spec = spec, .answer = &claimed->answer,
                         .next = next, .context = context};
    struct commit_step more;
    struct digest transcript = {0};
    claims_check(&k, claimed, error);
    if (k.fault != WORK_FAULT_none) return (int)k.fault;
    int status = checker->workload->kind == WORK_KIND_decoder
                     ? decoder_task(&k, &transcript, error)
                     : gemm_task(&k, &transcript, error);
    if (status != 0) return -1;
    if (k.fault != WORK_FAULT_none) return (int)k.fault;
    if (next(context, &more)) {
        work_fail(error, "the opening has more steps than the task");
        return WORK_FAULT_opening;
    }
    if (!digest_equal(&transcript, &claimed->commit.transcript)) {
        work_fail(error, "what was committed is not this transcript");
        return WORK_FAULT_transcript;
    }
    return WORK_FAULT_none;
}
