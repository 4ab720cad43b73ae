/* cheat.c: see cheat.h. */
#include "work/cheat.h"

#include "base/random.h"
#include "work/internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[CHEAT_kind_count] = {
    "none", "garbage", "reuse", "skip", "truncate", "low-precision", "replay", "one-in-100"};

bool cheat_parse(const char *name, enum cheat_kind *kind)
{
    for (int i = 0; i < CHEAT_kind_count; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *kind = (enum cheat_kind)i;
        return true;
    }
    return false;
}

const char *cheat_name(enum cheat_kind kind) { return names[kind]; }

static struct random random_of(const struct cheat *c, uint64_t index)
{
    struct random r = {.state = c->seed ^ (index + 1) * UINT64_C(0x9e3779b97f4a7c15)};
    (void)random_next(&r);
    return r;
}

bool cheat_is_false(const struct cheat *c, uint64_t index)
{
    struct random r = random_of(c, index);
    switch (c->kind) {
    case CHEAT_none: return false;
    case CHEAT_one_in_100: return random_below(&r, 100) == 0;
    case CHEAT_reuse: return index != 0;
    default: return true;
    }
}

/* Whether its products are altered, so that commitment and opening agree. */
static bool alters(const struct cheat *c)
{
    return c->kind == CHEAT_skip || c->kind == CHEAT_truncate || c->kind == CHEAT_low_precision;
}

/* ---- answers from nowhere ---- */

static void digest_random(struct random *r, struct digest *d)
{
    for (size_t i = 0; i < DIGEST_BYTES; i++) d->v[i] = (uint8_t)random_next(r);
}

/* What can be claimed without doing anything: an answer of the full length. */
static int garbage(const struct cheat *c, const struct work_workload *w,
                   const struct work_spec *spec, uint64_t index, struct work_result *result)
{
    struct random r = random_of(c, index);
    *result = (struct work_result){0};
    struct work_answer *a = &result->answer;
    if (w->kind == WORK_KIND_decoder) {
        a->count = spec->answer_count;
        for (uint32_t i = 0; i < a->count; i++)
            a->tokens[i] = (uint32_t)random_below(&r, w->shape.vocabulary);
    } else {
        digest_random(&r, &a->product);
    }
    digest_random(&r, &result->commit.transcript);
    return 0;
}

/* ---- altered products ---- */

struct alteration {
    const struct cheat *cheat;
    struct merkle *tree; /* NULL: none is wanted */
    uint32_t steps;      /* of the task; 0: not known */
    int (*step)(void *context, uint32_t index, const struct commit_step *step);
    void *context;
};

static void alter(const struct alteration *t, uint32_t index, const struct commit_step *s,
                  int32_t *c)
{
    size_t count = (size_t)s->m * s->n, from = count;
    if (t->cheat->kind == CHEAT_skip && (t->steps == 1 || index >= t->steps / 2))
        from = t->steps == 1 ? count / 2 : 0;
    if (t->cheat->kind == CHEAT_truncate) from = (size_t)(s->m - s->m / 2) * s->n;
    for (size_t i = 0; i < count; i++) {
        c[i] = s->c[i];
        if (i >= from) c[i] = 0;
        if (t->cheat->kind != CHEAT_low_precision) continue;
        int32_t unit = 1; /* of eight significant bits */
        while (c[i] / unit >= 256 || c[i] / unit <= -256) unit *= 2;
        c[i] = c[i] / unit * unit;
    }
}

static int on_step(void *context, uint32_t index, const struct commit_step *s)
{
    struct alteration *t = context;
    struct commit_step altered = *s;
    int32_t *c = malloc((size_t)s->m * s->n * sizeof *c);
    if (c == NULL) return -1;
    alter(t, index, s, c);
    altered.c = c;
    int status = 0;
    if (t->tree != NULL) {
        struct digest leaf = commit_step_leaf(index, &altered);
        merkle_append(t->tree, &leaf);
    }
    if (t->step != NULL) status = t->step(t->context, index, &altered);
    free(c);
    return status;
}

/* ---- tasks ---- */

/* Everything but the digest of the spec and the FLOP, which are claimed as they should be. */
static int pretend(const struct cheat *c, struct work_engine *engine, uint64_t index,
                   const struct work_spec *spec, const struct work_spec *first,
                   const struct work_spec *before, struct work_result *result,
                   struct work_error *error)
{
    const struct work_workload *w = work_engine_workload(engine);
    if (c->kind == CHEAT_reuse && first != NULL)
        return work_task_run(engine, first, result, error);
    if (c->kind == CHEAT_replay && before != NULL)
        return work_task_run(engine, before, result, error);
    if (!alters(c)) return garbage(c, w, spec, index, result);
    struct merkle tree = {0};
    struct alteration t = {.cheat = c, .tree = &tree, .steps = work_steps(w)};
    if (work_task_run(engine, spec, result, error) != 0 ||
        work_open(engine, spec, &result->answer, on_step, &t, error) != 0)
        return -1;
    result->commit.transcript = merkle_root(&tree);
    return 0;
}

int cheat_task_run(const struct cheat *c, struct work_engine *engine, uint64_t index,
                   const struct work_spec *spec, const struct work_spec *first,
                   const struct work_spec *before, struct work_result *result,
                   struct work_error *error)
{
    if (!cheat_is_false(c, index)) return work_task_run(engine, spec, result, error);
    if (pretend(c, engine, index, spec, first, before, result, error) != 0) return -1;
    const struct work_workload *w = work_engine_workload(engine);
    result->commit.spec = work_spec_digest(spec);
    result->commit.answer = work_answer_digest(&result->answer);
    result->commit.flop = work_flop(w, spec->prompt_count, result->answer.count);
    return 0;
}

int cheat_open(const struct cheat *c, struct work_engine *engine, uint64_t index,
               const struct work_spec *spec, const struct work_answer *answer,
               int (*step)(void *context, uint32_t index, const struct commit_step *step),
               void *context, struct work_error *error)
{
    if (!cheat_is_false(c, index)) return work_open(engine, spec, answer, step, context, error);
    struct work_result *honest = malloc(sizeof *honest);
    if (honest == NULL) return work_fail(error, "out of memory");
    struct alteration t = {.cheat = c, .step = step, .context = context,
                           .steps = work_steps(work_engine_workload(engine))};
    int status = work_task_run(engine, spec, honest, error);
    if (status == 0 && alters(c))
        status = work_open(engine, spec, &honest->answer, on_step, &t, error);
    else if (status == 0)
        status = work_open(engine, spec, &honest->answer, step, context, error);
    free(honest);
    return status;
}
