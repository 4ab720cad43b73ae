/* work_test.c: tasks give the same bits on every backend, in every batch and with any number of
 * threads; golden answers; specs and answers have one encoding, and bad ones are refused. */
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

/* Whoever changes one of these has changed the definition: a new vintage is due.
 * test/cli/workload_test.py has the same from a second writing of the definition. */
static void golden_answers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *answer, *transcript;
        uint64_t flop;
        uint32_t tokens[4], temperature, top_k;
    } golden[] = {
        {"test", "2b38456c9a95e21a7e566630e97103468921909d897a52e62319eebd7dd949f9",
         "22aed7616f022a9bb97ef8adafb5a424d24f57bcc64f745f7c8aaaabe3318531", 4925440,
         {50, 20, 90, 8}, 0, 0},
        {"test", "93bb24ddeab4faf7928ffecd92e5e9a5b3dd055fbe66ff8fefdf90943ac2fffc",
         "2c74c1e3db6a836877d367d957fc5945ad871a4ca4f7f7b4d4faa7285eafba9b", 4925440,
         {172, 137, 208, 209}, 65536, 40},
        {"gemm-test", "bccbb8156bb52539ddcc65ca2e9f00a3b546838adc65a6ba4d00977183b10fd7",
         "96c6cd84b4eaf629acba401632b429b4b7a187be6be50c147de26709b2609329", 196608, {0}, 0, 0},
        {"test-30m", "ac34f3fe7308d6b4b1f29c0741f26ad9c84e706b6a82bbae67d826fee173e4a2",
         "5b6bc44fbe63158aedc44143859dc8df63df28c200e1889c86fcf11100b1805f", 4095082496,
         {1849, 3366, 2090, 2820}, 0, 0},
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
        spec.temperature = golden[i].temperature;
        spec.top_k = golden[i].top_k;
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

/* ---- bytes of specs and answers ---- */

static void specs_as_bytes(void **state)
{
    (void)state;
    enum { TASKS = 24 };
    struct work_spec specs[TASKS], back;
    struct work_error error = {0};
    static uint8_t bytes[WORK_SPEC_SIZE_MAX], again[WORK_SPEC_SIZE_MAX];
    static uint32_t prompt[40], tokens[WORK_PROMPT_MAX];
    make_specs(work_workload_named(2026, "test"), specs, TASKS, prompt);
    for (uint32_t i = 0; i < TASKS; i++) {
        size_t size = work_spec_encode(&specs[i], bytes);
        must(work_spec_decode(bytes, size, &back, tokens, &error), &error);
        assert_int_equal(work_spec_encode(&back, again), size);
        assert_memory_equal(bytes, again, size);
        for (size_t n = 0; n < size; n++) {
            error = (struct work_error){0};
            assert_int_equal(work_spec_decode(bytes, n, &back, tokens, &error), -1);
            assert_true(error.text[0] != '\0');
        }
        for (size_t k = 0; k < 36; k++) { /* whatever is still a spec is another one */
            bytes[k] ^= 1;
            error = (struct work_error){0};
            if (work_spec_decode(bytes, size, &back, tokens, &error) == 0) {
                assert_int_equal(work_spec_encode(&back, again), size);
                assert_memory_equal(bytes, again, size);
            }
            bytes[k] ^= 1;
        }
    }
    struct work_answer answer = {.count = 3, .tokens = {1, 2, 3}}, other;
    size_t size = work_answer_encode(&answer, bytes);
    must(work_answer_decode(bytes, size, &other, &error), &error);
    assert_memory_equal(answer.tokens, other.tokens, sizeof answer.tokens);
    assert_int_equal(work_answer_decode(bytes, size - 1, &other, &error), -1);
    assert_int_equal(work_answer_decode(bytes, size + 1, &other, &error), -1);
    bytes[4] = 0xff;
    assert_int_equal(work_answer_decode(bytes, size, &other, &error), -1);
}

static void bad_specs(void **state)
{
    (void)state;
    const uint32_t beyond[] = {256};
    struct work_spec good;
    struct digest nonce = nonce_of(1);
    work_spec_default(work_workload_named(2026, "test"), &nonce, &good);
    struct work_spec bad[12];
    for (size_t i = 0; i < 12; i++) bad[i] = good;
    bad[0].vintage = 2025;
    bad[1].workload = 99;
    bad[2].prompt_count = 0;
    bad[3].answer_count = 0;
    bad[4].prompt_count = 121; /* with 8 beyond the context of 128 */
    bad[5].temperature = 1;
    bad[6].top_k = 5;
    bad[7].stop = 256;
    bad[8].prompt_count = 1;
    bad[8].prompt = beyond;
    bad[9].answer_count = WORK_ANSWER_MAX + 1;
    bad[10].temperature = 65536;
    bad[10].top_k = 257;
    bad[11].workload = work_workload_named(2026, "gemm-test")->id;
    for (size_t i = 0; i < 12; i++) {
        struct work_error error = {0};
        assert_int_equal(work_spec_check(&bad[i], &error), -1);
        assert_true(error.text[0] != '\0');
    }
}

/* ---- the registry ---- */

static void vintages_are_frozen(void **state)
{
    (void)state;
    const struct work_vintage *v = work_vintage_find(2026);
    char text[DIGEST_TEXT_SIZE];
    struct digest d = work_vintage_digest(v);
    digest_text(text, &d);
    assert_string_equal(text,
                        "60c376ccf2c2df3a2b322f60a65cd64868717a9b24ff2f6b9fb30151584095db");
    assert_null(work_vintage_find(2025));
    assert_int_equal(work_workload_vintage(&(struct work_workload){.id = 1}), 0);
    for (uint32_t i = 0; i < v->count; i++) {
        const struct work_workload *w = &v->workloads[i];
        const struct work_shape *h = &w->shape;
        assert_ptr_equal(work_workload_find(2026, w->id), w);
        assert_ptr_equal(work_workload_named(2026, w->name), w);
        assert_int_equal(work_workload_vintage(w), 2026);
        assert_int_equal(w->test, w->grades == 0);
        for (uint32_t step = 0; step < work_steps(w); step++) {
            struct commit_step s = work_step_shape(w, step, 1, 1);
            assert_true(s.k <= WORK_DEPTH_MAX && s.k % 16 == 0 && s.n % 16 == 0);
        }
        if (w->kind == WORK_KIND_gemm) continue;
        assert_int_equal(h->heads * h->head_size, h->width);
        assert_int_equal(h->heads % h->kv_heads, 0);
        assert_true(w->prompt_count + w->answer_count <= h->context);
    }
    const struct work_shape *large = &work_workload_named(2026, "llama-2-70b")->shape;
    assert_true(work_parameters(large) == 68976648192u); /* as published: 69.0 billion */
    assert_true(work_parameters(&work_workload_named(2026, "tinyllama-1.1b")->shape) ==
                1100048384u);
}

/* The formula against a count of every multiply-add, position by position. */
static void flop_are_counted(void **state)
{
    (void)state;
    const struct work_workload *w = work_workload_named(2026, "test");
    const struct work_shape *h = &w->shape;
    for (uint32_t prompt = 1; prompt < 60; prompt += 7) {
        for (uint32_t answer = 1; answer < 60; answer += 11) {
            uint64_t count = 0;
            for (uint32_t step = 0; step < work_steps(w); step++) {
                struct commit_step s = work_step_shape(w, step, prompt + answer - 1, answer);
                count += (uint64_t)s.m * s.k * s.n;
            }
            for (uint32_t p = 0; p < prompt + answer - 1; p++)
                for (uint32_t seen = 0; seen <= p; seen++)
                    count += 2 * (uint64_t)h->layers * h->heads * h->head_size;
            assert_true(work_flop(w, prompt, answer) == 2 * count);
        }
    }
    const struct work_workload *large = work_workload_named(2026, "llama-2-70b");
    assert_true(work_flop(work_workload_named(2026, "gemm-test"), 0, 0) == 2 * 32 * 64 * 48);
    /* about 2 FLOP a parameter and position */
    double per = (double)work_flop(large, 294, 294) / (587.0 * 68976648192.0);
    assert_true(per > 1.95 && per < 2.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_answers),
        cmocka_unit_test(same_everywhere),    cmocka_unit_test(specs_as_bytes),
        cmocka_unit_test(bad_specs),          cmocka_unit_test(vintages_are_frozen),
        cmocka_unit_test(flop_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
