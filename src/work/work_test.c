/* work_test.c: tasks give the same bits on every backend, in every batch and with any number of
 * threads; golden answers; what is opened is found right, and whatever is altered is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "work/internal.h"

enum { STEPS_MAX = 512 };

static const struct backend *const backends[] = {&backend_plain, &backend_openblas,
                                                 &backend_onednn};

static void must(int result, const struct work_error *error)
{
    if (result != 0) fail_msg("%s", error->text);
}

static struct digest nonce_of(uint64_t n)
{
    return digest_of(&n, sizeof n);
}

struct world {
    const struct work_workload *w;
    struct work_weights *weights;
    struct work_engine *engine;
};

/* false: this backend is not to be had here; says so. */
static bool world_open(struct world *o, const char *name, const struct backend *backend,
                       uint32_t threads, uint32_t slots, uint32_t rows_max)
{
    struct work_error error = {0};
    o->w = work_workload_named(2026, name);
    assert_non_null(o->w);
    must(work_weights_seeded(o->w, &o->weights, &error), &error);
    const struct work_engine_options options = {.backend = backend, .slots = slots,
                                                .backend_options = {.threads = threads},
                                                .rows_max = rows_max};
    if (work_engine_open(o->w, o->weights, &options, &o->engine, &error) == 0) return true;
    print_message("skipped: %s\n", error.text);
    work_weights_close(o->weights);
    return false;
}

static void world_close(struct world *o)
{
    work_engine_close(o->engine);
    work_weights_close(o->weights);
}

static void assert_same(const struct work_result *a, const struct work_result *b)
{
    assert_int_equal(a->answer.count, b->answer.count);
    assert_memory_equal(a->answer.tokens, b->answer.tokens, a->answer.count * 4);
    assert_memory_equal(&a->commit.spec, &b->commit.spec, sizeof a->commit.spec);
    assert_memory_equal(&a->commit.answer, &b->commit.answer, sizeof a->commit.answer);
    assert_memory_equal(&a->commit.transcript, &b->commit.transcript, sizeof a->commit.transcript);
    assert_true(a->commit.flop == b->commit.flop);
}

/* Specs of every kind: given prompts and made ones, greedy and sampled, with a stop token. */
static void make_specs(const struct work_workload *w, struct work_spec *specs, uint32_t count,
                       uint32_t *prompt)
{
    for (uint32_t i = 0; i < 40; i++) prompt[i] = (i * i * 37 + 11) % w->shape.vocabulary;
    for (uint32_t i = 0; i < count; i++) {
        struct digest nonce = nonce_of(i);
        work_spec_default(w, &nonce, &specs[i]);
        specs[i].prompt_count = 1 + i * 7 % 40;
        specs[i].answer_count = 1 + i * 5 % 16;
        if (i % 3 == 1) specs[i].temperature = 65536 * (i % 4 + 1) / 2;
        if (i % 6 == 1) specs[i].top_k = 1 + i % 50;
        if (i % 4 == 2) specs[i].stop = i * 13 % w->shape.vocabulary;
        if (i % 5 == 3) specs[i].prompt = prompt;
    }
}

/* ---- one computation on every machine ---- */

/* Whoever changes one of these has changed the definition: a new vintage is due. */
static void golden_answers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *answer, *transcript;
        uint64_t flop;
        uint32_t tokens[4];
    } golden[] = {
        {"test", "2b38456c9a95e21a7e566630e97103468921909d897a52e62319eebd7dd949f9",
         "22aed7616f022a9bb97ef8adafb5a424d24f57bcc64f745f7c8aaaabe3318531", 4925440,
         {50, 20, 90, 8}},
        {"gemm-test", "bccbb8156bb52539ddcc65ca2e9f00a3b546838adc65a6ba4d00977183b10fd7",
         "96c6cd84b4eaf629acba401632b429b4b7a187be6be50c147de26709b2609329", 196608, {0}},
        {"test-30m", "ac34f3fe7308d6b4b1f29c0741f26ad9c84e706b6a82bbae67d826fee173e4a2",
         "5b6bc44fbe63158aedc44143859dc8df63df28c200e1889c86fcf11100b1805f", 4095082496,
         {1849, 3366, 2090, 2820}},
    };
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        struct world o;
        struct work_error error = {0};
        struct work_spec spec;
        struct work_result result;
        struct digest nonce = nonce_of(2026);
        char text[DIGEST_TEXT_SIZE];
        assert_true(world_open(&o, golden[i].name, &backend_plain, 1, 1, 0));
        work_spec_default(o.w, &nonce, &spec);
        must(work_task_run(o.engine, &spec, &result, &error), &error);
        assert_memory_equal(result.answer.tokens, golden[i].tokens,
                            o.w->kind == WORK_KIND_decoder ? sizeof golden[i].tokens : 0);
        digest_text(text, &result.commit.answer);
        assert_string_equal(text, golden[i].answer);
        digest_text(text, &result.commit.transcript);
        assert_string_equal(text, golden[i].transcript);
        assert_true(result.commit.flop == golden[i].flop);
        world_close(&o);
    }
}

static void same_everywhere(void **state)
{
    (void)state;
    enum { TASKS = 24 };
    struct work_spec specs[TASKS];
    struct work_result *first = calloc(TASKS, sizeof *first);
    struct work_result *other = calloc(TASKS, sizeof *other);
    uint32_t prompt[40];
    struct world o;
    struct work_error error = {0};
    make_specs(work_workload_named(2026, "test"), specs, TASKS, prompt);
    assert_true(world_open(&o, "test", &backend_plain, 1, 1, 0));
    for (uint32_t i = 0; i < TASKS; i++)
        must(work_task_run(o.engine, &specs[i], &first[i], &error), &error);
    world_close(&o);
    static const struct {
        uint32_t threads, slots, rows;
    } ways[] = {{1, 1, 7}, {2, 5, 64}, {3, 24, 100}, {1, 8, 0}, {2, 9, 5}};
    for (size_t b = 0; b < sizeof backends / sizeof backends[0]; b++) {
        for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
            if (!world_open(&o, "test", backends[b], ways[i].threads, ways[i].slots, ways[i].rows))
                break;
            memset(other, 0, TASKS * sizeof *other);
            must(work_batch_run(o.engine, specs, TASKS, other, NULL, NULL, &error), &error);
            for (uint32_t k = 0; k < TASKS; k++) assert_same(&first[k], &other[k]);
            world_close(&o);
        }
    }
    free(first);
    free(other);
}

/* ---- openings ---- */

struct opening {
    struct commit_step steps[STEPS_MAX];
    uint32_t count, at;
};

static int opening_take(void *context, uint32_t index, const struct commit_step *step)
{
    struct opening *o = context;
    assert_int_equal(index, o->count);
    struct commit_step *s = &o->steps[o->count++];
    size_t a = (size_t)step->m * step->k, c = (size_t)step->m * step->n * 4;
    int8_t *copy_a = malloc(a);
    int32_t *copy_c = malloc(c);
    *s = *step;
    memcpy(copy_a, step->a, a);
    memcpy(copy_c, step->c, c);
    s->a = copy_a;
    s->c = copy_c;
    return 0;
}

static bool opening_next(void *context, struct commit_step *step)
{
    struct opening *o = context;
    if (o->at == o->count) return false;
    *step = o->steps[o->at++];
    return true;
}

static void opening_free(struct opening *o)
{
    for (uint32_t i = 0; i < o->count; i++) {
        free((void *)(uintptr_t)o->steps[i].a);
        free((void *)(uintptr_t)o->steps[i].c);
    }
    *o = (struct opening){0};
}

static int check(struct work_checker *checker, const struct work_spec *spec,
                 const struct work_result *claimed, struct opening *o)
{
    struct work_error error = {0};
    o->at = 0;
    int fault = work_check(checker, spec, claimed, opening_next, o, &error);
    assert_true((fault == WORK_FAULT_none) == (error.text[0] == '\0'));
    return fault;
}

static struct digest root_of(const struct opening *o)
{
    struct merkle tree = {0};
    for (uint32_t i = 0; i < o->count; i++) {
        struct digest leaf = commit_step_leaf(i, &o->steps[i]);
        merkle_append(&tree, &leaf);
    }
    return merkle_root(&tree);
}

static void open_and_check(void **state)
{
    (void)state;
    static const char *const names[] = {"test", "gemm-test", "test-30m"};
    const uint8_t secret[32] = {1, 2, 3};
    struct work_error error = {0};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct world o;
        struct work_checker *checker;
        struct opening opening = {0};
        struct work_result result = {0};
        struct work_spec spec;
        struct digest nonce = nonce_of(n);
        assert_true(world_open(&o, names[n], NULL, 0, 1, 0));
        must(work_checker_open(o.w, o.weights, secret, &checker, &error), &error);
        work_spec_default(o.w, &nonce, &spec);
        if (o.w->kind == WORK_KIND_decoder) spec.temperature = 65536;
        must(work_task_run(o.engine, &spec, &result, &error), &error);
        must(work_open(o.engine, &spec, &result.answer, opening_take, &opening, &error), &error);
        struct digest root = root_of(&opening);
        assert_memory_equal(&root, &result.commit.transcript, sizeof root);
        assert_int_equal(check(checker, &spec, &result, &opening), WORK_FAULT_none);
        opening_free(&opening);
        work_checker_close(checker);
        world_close(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_answers),
        cmocka_unit_test(same_everywhere),
        cmocka_unit_test(open_and_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
