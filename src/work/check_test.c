/* check_test.c: an honest opening is found right; whatever is altered is found, also when the
 * seller has committed to what he altered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "work/internal.h"

enum { STEPS_MAX = 512 };

static void must(int result, const struct work_error *error)
{
    if (result != 0) fail_msg("%s", error->text);
}

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

/* A world with one task done and opened. */
struct world {
    const struct work_workload *w;
    struct work_weights *weights;
    struct work_engine *engine;
    struct work_checker *checker;
    struct work_spec spec;
    struct work_result result;
    struct opening opening;
};

static void world_open(struct world *o, const char *name, uint64_t seed, uint32_t temperature)
{
    struct work_error error = {0};
    const uint8_t secret[32] = {1, 2, 3};
    *o = (struct world){.w = work_workload_named(2026, name)};
    struct digest nonce = digest_of(&seed, sizeof seed);
    must(work_weights_seeded(o->w, &o->weights, &error), &error);
    const struct work_engine_options options = {.slots = 4};
    must(work_engine_open(o->w, o->weights, &options, &o->engine, &error), &error);
    must(work_checker_open(o->w, o->weights, secret, &o->checker, &error), &error);
    work_spec_default(o->w, &nonce, &o->spec);
    o->spec.temperature = temperature;
    must(work_task_run(o->engine, &o->spec, &o->result, &error), &error);
    must(work_open(o->engine, &o->spec, &o->result.answer, opening_take, &o->opening, &error),
         &error);
}

static void world_close(struct world *o)
{
    opening_free(&o->opening);
    work_checker_close(o->checker);
    work_engine_close(o->engine);
    work_weights_close(o->weights);
}

static int check_world(struct world *o)
{
    return check(o->checker, &o->spec, &o->result, &o->opening);
}

/* The same after committing anew to what the opening and the answer are now. */
static int check_committed(struct world *o)
{
    struct work_result honest = o->result;
    o->result.commit.transcript = root_of(&o->opening);
    o->result.commit.answer = work_answer_digest(&o->result.answer);
    int fault = check_world(o);
    o->result = honest;
    return fault;
}

static void honest_is_right(void **state)
{
    (void)state;
    static const char *const names[] = {"test", "gemm-test", "test-30m"};
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct world o;
        uint32_t temperature = seed % 3 != 1 && seed % 2 == 0 ? 65536 : 0;
        world_open(&o, names[seed < 27 ? seed % 3 % 2 : 2], seed, 0);
        if (o.w->kind == WORK_KIND_decoder && temperature != 0) {
            world_close(&o);
            world_open(&o, o.w->name, seed, temperature);
        }
        struct digest root = root_of(&o.opening);
        assert_memory_equal(&root, &o.result.commit.transcript, sizeof root);
        assert_int_equal(check_world(&o), WORK_FAULT_none);
        assert_int_equal(check_world(&o), WORK_FAULT_none); /* a checker serves many times */
        world_close(&o);
    }
}

/* One bit of one element, in every step; with the old commitment and with a new one. */
static void every_bit_counts(void **state)
{
    (void)state;
    static const char *const names[] = {"test", "gemm-test"};
    struct random r = {1};
    for (size_t n = 0; n < 2; n++) {
        struct world o;
        world_open(&o, names[n], 7, 0);
        for (uint32_t round = 0; round < 400; round++) {
            struct commit_step *s = &o.opening.steps[round % o.opening.count];
            int32_t *c = (int32_t *)(uintptr_t)s->c + random_below(&r, (uint64_t)s->m * s->n);
            int8_t *a = (int8_t *)(uintptr_t)s->a + random_below(&r, (uint64_t)s->m * s->k);
            int32_t was_c = *c;
            int8_t was_a = *a;
            *c = (int32_t)((uint32_t)*c ^ (1u << random_below(&r, 32)));
            assert_int_not_equal(check_world(&o), WORK_FAULT_none);
            int fault = check_committed(&o);
            assert_true(fault == WORK_FAULT_product || fault == WORK_FAULT_opening);
            *c = was_c;
            *a = (int8_t)(*a ^ (1 << random_below(&r, 8)));
            assert_int_equal(check_world(&o), WORK_FAULT_input);
            assert_int_equal(check_committed(&o), WORK_FAULT_input);
            *a = was_a;
        }
        /* differences that cancel in a row's sum */
        struct commit_step *s = &o.opening.steps[0];
        int32_t *c = (int32_t *)(uintptr_t)s->c;
        c[0]++;
        c[1]--;
        assert_int_equal(check_committed(&o), WORK_FAULT_product);
        c[0]--;
        c[1]++;
        assert_int_equal(check_world(&o), WORK_FAULT_none);
        world_close(&o);
    }
}

/* Sellers who compute less: a layer passed over, products in eight bits, zeros. */
static void less_work_is_found(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct world o;
        world_open(&o, "test", 11, 0);
        for (uint32_t i = 4; i < 8; i++) { /* layer 1 */
            struct commit_step *s = &o.opening.steps[i];
            int32_t *c = (int32_t *)(uintptr_t)s->c;
            for (size_t k = 0; k < (size_t)s->m * s->n; k++) {
                if (way == 0) c[k] = 0;
                if (way == 1) c[k] = c[k] / 128 * 128;
                if (way == 2) c[k] = (int32_t)(float)(c[k] & ~1);
                if (way == 3 && k >= (size_t)s->m * s->n / 2) c[k] = 0;
            }
        }
        assert_int_equal(check_world(&o), WORK_FAULT_product);
        assert_int_equal(check_committed(&o), WORK_FAULT_product);
        world_close(&o);
    }
}

static void answers_follow(void **state)
{
    (void)state;
    for (uint32_t temperature = 0; temperature <= 65536; temperature += 65536) {
        struct world o;
        world_open(&o, "test", 13, temperature);
        struct work_answer honest = o.result.answer;
        for (uint32_t i = 0; i < honest.count; i++) {
            o.result.answer.tokens[i] = (honest.tokens[i] + 1) % o.w->shape.vocabulary;
            assert_int_equal(check_world(&o), WORK_FAULT_answer); /* not what was committed */
            int fault = check_committed(&o);
            assert_true(fault == WORK_FAULT_sample || fault == WORK_FAULT_input);
            o.result.answer = honest;
        }
        o.result.answer.tokens[0] = o.w->shape.vocabulary;
        assert_int_equal(check_committed(&o), WORK_FAULT_answer);
        o.result.answer = honest;
        o.result.answer.count = 0;
        assert_int_equal(check_committed(&o), WORK_FAULT_flop);
        o.result.answer = honest;
        /* cut short, with the FLOP that it then has */
        o.result.answer.count--;
        uint128_t flop = o.result.commit.flop;
        o.result.commit.flop = work_flop(o.w, o.spec.prompt_count, o.result.answer.count);
        assert_int_equal(check_committed(&o), WORK_FAULT_answer);
        o.result.answer = honest;
        o.result.commit.flop = flop + 1;
        assert_int_equal(check_world(&o), WORK_FAULT_flop);
        o.result.commit.flop = flop;
        assert_int_equal(check_world(&o), WORK_FAULT_none);
        world_close(&o);
    }
}

/* An answer that stops at its token, and one that claims to. */
static void stop_tokens(void **state)
{
    (void)state;
    struct world o;
    struct work_error error = {0};
    world_open(&o, "test", 17, 0);
    uint32_t count = o.result.answer.count;
    o.spec.stop = o.result.answer.tokens[3];
    opening_free(&o.opening);
    must(work_task_run(o.engine, &o.spec, &o.result, &error), &error);
    assert_true(o.result.answer.count <= 4 && o.result.answer.count < count);
    must(work_open(o.engine, &o.spec, &o.result.answer, opening_take, &o.opening, &error), &error);
    assert_int_equal(check_world(&o), WORK_FAULT_none);
    o.result.answer.tokens[o.result.answer.count - 1]++;
    assert_int_equal(check_committed(&o), WORK_FAULT_answer);
    world_close(&o);
}

static void openings_of_other_shapes(void **state)
{
    (void)state;
    struct world o;
    world_open(&o, "test", 19, 0);
    struct opening *p = &o.opening;
    p->count--;
    assert_int_equal(check_world(&o), WORK_FAULT_opening);
    p->count++;
    p->steps[p->count] = p->steps[0];
    p->count++;
    assert_int_equal(check_world(&o), WORK_FAULT_opening);
    p->count--;
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t *fields[] = {&p->steps[i].op, &p->steps[i].m, &p->steps[i].k, &p->steps[i].n};
        for (int f = 0; f < 4; f++) {
            uint32_t was = *fields[f];
            *fields[f] = was == 0 ? 1 : was - 1;
            assert_int_equal(check_world(&o), WORK_FAULT_opening);
            *fields[f] = was;
        }
    }
    struct commit_step first = p->steps[0]; /* in another order */
    p->steps[0] = p->steps[4];
    p->steps[4] = first;
    assert_int_not_equal(check_world(&o), WORK_FAULT_none);
    p->steps[4] = p->steps[0];
    p->steps[0] = first;
    o.result.commit.transcript.v[0] ^= 1; /* right work, another commitment */
    assert_int_equal(check_world(&o), WORK_FAULT_transcript);
    o.result.commit.transcript.v[0] ^= 1;
    assert_int_equal(check_world(&o), WORK_FAULT_none);
    world_close(&o);
}

/* The work of another hour or task under this one's name. */
static void replays(void **state)
{
    (void)state;
    struct world o, other;
    world_open(&o, "test", 23, 0);
    world_open(&other, "test", 24, 0);
    struct work_result honest = o.result;
    o.result.answer = other.result.answer;
    o.result.commit.answer = other.result.commit.answer;
    o.result.commit.transcript = other.result.commit.transcript;
    assert_int_equal(check(o.checker, &o.spec, &o.result, &other.opening), WORK_FAULT_input);
    o.result.commit.spec = other.result.commit.spec;
    assert_int_equal(check(o.checker, &o.spec, &o.result, &other.opening), WORK_FAULT_spec);
    o.result = honest;
    o.spec.nonce.v[0] ^= 1;
    assert_int_equal(check_world(&o), WORK_FAULT_spec);
    o.spec.nonce.v[0] ^= 1;
    o.spec.weights.v[0] = 1; /* weights that the checker has not */
    assert_int_equal(check_world(&o), WORK_FAULT_spec);
    o.spec.weights.v[0] = 0;
    o.spec.vintage = 2027;
    assert_int_equal(check_world(&o), WORK_FAULT_spec);
    world_close(&other);
    world_close(&o);
}

/* Opening an answer that is not the task's is refused. */
static void opening_of_a_wrong_answer(void **state)
{
    (void)state;
    struct world o;
    struct work_error error = {0};
    world_open(&o, "test", 29, 0);
    opening_free(&o.opening);
    o.result.answer.tokens[2] ^= 1;
    assert_int_equal(work_open(o.engine, &o.spec, &o.result.answer, opening_take, &o.opening,
                               &error), -1);
    assert_string_equal(error.text, "the answer is not this task's");
    world_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_is_right),     cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(less_work_is_found),  cmocka_unit_test(answers_follow),
        cmocka_unit_test(stop_tokens),         cmocka_unit_test(openings_of_other_shapes),
        cmocka_unit_test(replays),             cmocka_unit_test(opening_of_a_wrong_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
