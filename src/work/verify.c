/* verify.c: see verify.h. */
#include "work/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model {
    const struct work_workload *workload;
    struct digest digest; /* of the weights; zeros: from the seed */
    struct work_weights *weights;
    struct work_checker *checker;
};

struct verify {
    uint8_t secret[32];
    verify_weights *find;
    void *context;
    uint32_t count;
    struct model models[VERIFY_MODELS_MAX];
    uint32_t prompt[WORK_PROMPT_MAX];
};

struct verify *verify_open(const uint8_t secret[32], verify_weights *weights, void *context)
{
    struct verify *v = calloc(1, sizeof *v);
    if (v == NULL) return NULL;
    memcpy(v->secret, secret, sizeof v->secret);
    v->find = weights;
    v->context = context;
    return v;
}

void verify_close(struct verify *v)
{
    if (v == NULL) return;
    for (uint32_t i = 0; i < v->count; i++) {
        work_checker_close(v->models[i].checker);
        work_weights_close(v->models[i].weights);
    }
    free(v);
}

static const struct digest seeded;

static int weights_make(struct verify *v, struct model *m, struct work_error *error)
{
    size_t size = 0;
    if (digest_equal(&m->digest, &seeded))
        return work_weights_seeded(m->workload, &m->weights, error);
    const uint8_t *bytes =
        v->find == NULL ? NULL : v->find(v->context, m->workload, &m->digest, &size);
    char text[DIGEST_TEXT_SIZE];
    digest_text(text, &m->digest);
    if (bytes == NULL) return work_fail(error, "the buyer's weights %s are not here", text);
    if (work_weights_bytes(m->workload, bytes, size, &m->weights, error) != 0) return -1;
    struct digest found = work_weights_digest(m->weights);
    if (digest_equal(&found, &m->digest)) return 0;
    work_weights_close(m->weights);
    return work_fail(error, "the weights that are here are not %s", text);
}

/* The model that a spec asks for, made if need be; NULL and the reason. */
static struct model *model_of(struct verify *v, const struct work_spec *spec,
                              const struct work_workload *w, struct work_error *error)
{
    for (uint32_t i = 0; i < v->count; i++) {
        struct model *m = &v->models[i];
        if (m->workload == w && digest_equal(&m->digest, &spec->weights)) return m;
    }
    if (v->count == VERIFY_MODELS_MAX) {
        (void)work_fail(error, "more than %d models in one proof", VERIFY_MODELS_MAX);
        return NULL;
    }
    struct model *m = &v->models[v->count];
    *m = (struct model){.workload = w, .digest = spec->weights};
    if (weights_make(v, m, error) != 0) return NULL;
    if (work_checker_open(w, m->weights, v->secret, &m->checker, error) != 0) {
        work_weights_close(m->weights);
        return NULL;
    }
    v->count += 1;
    return m;
}

__attribute__((format(printf, 3, 4)))
static void say(struct verify_result *r, enum verify_outcome outcome, const char *format, ...)
{
    r->outcome = outcome;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(r->reason, sizeof r->reason, format, list);
    va_end(list);
}

/* Whether the spec is of this hour's task; else says so. */
static bool spec_belongs(const struct proof *p, const struct proof_task *t,
                         const struct work_spec *spec, struct verify_result *r)
{
    struct digest nonce = commit_nonce(p->header.allocation, p->header.hour, t->index);
    if (spec->vintage != p->header.vintage) {
        say(r, VERIFY_foreign, "the task is of vintage %u, not %u", spec->vintage,
            p->header.vintage);
        return false;
    }
    if (digest_equal(&nonce, &spec->nonce)) return true;
    say(r, VERIFY_foreign, "the task's nonce is that of another allocation, hour or index");
    return false;
}

static bool next_step(void *context, struct commit_step *step)
{
    return proof_step_next(context, step);
}

/* The committed task itself: the spec is its, the digests are those of the bytes. */
static void transcript_check(struct verify *v, const struct work_spec *spec,
                             const struct proof_task *t, const struct work_result *claimed,
                             struct verify_result *r)
{
    struct work_error error = {{0}};
    struct proof_steps steps;
    struct model *m = model_of(v, spec, r->workload, &error);
    if (m == NULL) {
        say(r, VERIFY_unknown, "%s", error.text);
        return;
    }
    proof_steps_begin(&steps, t);
    int fault = work_check(m->checker, spec, claimed, next_step, &steps, &error);
    if (fault == WORK_FAULT_none) return;
    r->fault = fault < 0 ? WORK_FAULT_none : (enum work_fault)fault;
    say(r, fault < 0 ? VERIFY_unknown : VERIFY_wrong, "%s", error.text);
}

void verify_task(struct verify *v, const struct proof *p, const struct proof_task *t,
                 struct verify_result *r)
{
    struct work_error error = {{0}};
    struct work_spec spec;
    *r = (struct verify_result){.index = t->index, .flop = t->flop};
    struct work_result *claimed = calloc(1, sizeof *claimed);
    if (claimed == NULL) {
        say(r, VERIFY_unknown, "no memory");
    } else if (work_vintage_find(p->header.vintage) == NULL) {
        say(r, VERIFY_unknown, "vintage %u is not known to this program", p->header.vintage);
    } else if (!proof_task_committed(p, t, &claimed->commit)) {
        say(r, VERIFY_uncommitted, "what is opened is not what the hour's root commits to");
    } else if (work_spec_decode(t->spec, t->spec_size, &spec, v->prompt, &error) != 0) {
        r->fault = WORK_FAULT_spec;
        say(r, VERIFY_wrong, "%s", error.text);
    } else if (r->workload = work_workload_find(spec.vintage, spec.workload),
               spec_belongs(p, t, &spec, r)) {
        if (work_answer_decode(t->answer, t->answer_size, &claimed->answer, &error) != 0) {
            r->fault = WORK_FAULT_answer;
            say(r, VERIFY_wrong, "%s", error.text);
        } else {
            transcript_check(v, &spec, t, claimed, r);
        }
    }
    free(claimed);
}

const char *verify_outcome_text(enum verify_outcome outcome)
{
    static const char *const texts[] = {
        [VERIFY_right] = "right", [VERIFY_uncommitted] = "not committed to",
        [VERIFY_foreign] = "of another hour", [VERIFY_wrong] = "wrong",
        [VERIFY_unknown] = "not judged",
    };
    return texts[outcome];
}
