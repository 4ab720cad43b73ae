/* work_fuzz.c: every byte that comes to work from outside. The first byte says what the rest is:
 *
 *   0  a spec: what is decoded encodes to the same bytes
 *   1  an answer: the same
 *   2  changes to a good file of weights: what is accepted runs a task, within every bound
 *   3  changes to a good opening: found wrong unless they change nothing
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "work/weights_file_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 9, EDIT = 4 };

static void fuzz_spec(const uint8_t *data, size_t size)
{
    static uint8_t again[WORK_SPEC_SIZE_MAX];
    static uint32_t prompt[WORK_PROMPT_MAX];
    struct work_spec s;
    struct work_error error = {0};
    if (work_spec_decode(data, size, &s, prompt, &error) != 0) {
        ASSERT(error.text[0] != '\0');
        return;
    }
    ASSERT(work_spec_encode(&s, again) == size && memcmp(again, data, size) == 0);
}

static void fuzz_answer(const uint8_t *data, size_t size)
{
    static uint8_t again[WORK_ANSWER_SIZE_MAX];
    static struct work_answer a;
    struct work_error error = {0};
    if (work_answer_decode(data, size, &a, &error) != 0) return;
    ASSERT(work_answer_encode(&a, again) == size && memcmp(again, data, size) == 0);
}

/* Edits of 4 bytes each: where (3 bytes, little-endian, modulo the size) and what. */
static void edit(uint8_t *bytes, size_t length, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + EDIT <= size; i += EDIT) {
        size_t at = data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
        bytes[at % length] = data[i + 3];
    }
}

static void run_with(const struct work_workload *w, const struct work_weights *weights)
{
    struct work_engine *engine;
    struct work_spec spec;
    struct work_result result;
    struct work_error error = {0};
    const struct work_engine_options o = {.backend = &backend_plain,
                                          .backend_options = {.threads = 1}};
    struct digest digest = work_weights_digest(weights);
    work_spec_default(w, &digest, &spec);
    spec.weights = digest;
    spec.prompt_count = 5;
    spec.answer_count = 3;
    spec.temperature = digest.v[0] % 2 == 0 ? 0 : 656;
    ASSERT(work_engine_open(w, weights, &o, &engine, &error) == 0);
    ASSERT(work_task_run(engine, &spec, &result, &error) == 0);
    for (uint32_t i = 0; i < result.answer.count; i++)
        ASSERT(result.answer.tokens[i] < w->shape.vocabulary);
    work_engine_close(engine);
}

static void fuzz_weights(const uint8_t *data, size_t size)
{
    static struct weights_file good;
    static uint8_t *bytes;
    const struct work_workload *w = work_workload_named(2026, "test");
    struct work_weights *weights;
    struct work_error error = {0};
    if (bytes == NULL) {
        ASSERT(work_weights_seeded(w, &weights, &error) == 0);
        good = weights_file_write(w, weights);
        work_weights_close(weights);
        bytes = malloc(good.size);
        ASSERT(bytes != NULL);
    }
    memcpy(bytes, good.bytes, good.size);
    edit(bytes, good.size, data, size);
    size_t length = size % EDIT == 3 && size > 3 ? (data[size - 1] * good.size) >> 8 : good.size;
    if (work_weights_bytes(w, bytes, length, &weights, &error) != 0) {
        ASSERT(error.text[0] != '\0');
        return;
    }
    run_with(w, weights);
    work_weights_close(weights);
}

/* ---- an opening ---- */

static struct opened {
    struct work_checker *checker;
    struct work_spec spec;
    struct work_result result;
    struct commit_step good[STEPS], now[STEPS];
    uint32_t count, at;
} opened;

static int keep(void *context, uint32_t index, const struct commit_step *step)
{
    (void)context;
    size_t a = (size_t)step->m * step->k, c = 4 * (size_t)step->m * step->n;
    for (int copy = 0; copy < 2; copy++) {
        void *of_a = malloc(a), *of_c = malloc(c);
        ASSERT(of_a != NULL && of_c != NULL && index < STEPS);
        memcpy(of_a, step->a, a);
        memcpy(of_c, step->c, c);
        struct commit_step *s = copy == 0 ? &opened.good[index] : &opened.now[index];
        *s = *step;
        s->a = of_a;
        s->c = of_c;
    }
    return 0;
}

static bool next(void *context, struct commit_step *step)
{
    (void)context;
    if (opened.at == opened.count) return false;
    *step = opened.now[opened.at++];
    return true;
}

static void open_once(void)
{
    static struct work_weights *weights;
    const struct work_workload *w = work_workload_named(2026, "test");
    const struct work_engine_options o = {.backend = &backend_plain,
                                          .backend_options = {.threads = 1}};
    const uint8_t secret[32] = {9};
    struct work_engine *engine;
    struct work_error error = {0};
    struct digest nonce = digest_of("fuzz", 4);
    work_spec_default(w, &nonce, &opened.spec);
    ASSERT(work_weights_seeded(w, &weights, &error) == 0);
    ASSERT(work_engine_open(w, weights, &o, &engine, &error) == 0);
    ASSERT(work_checker_open(w, weights, secret, &opened.checker, &error) == 0);
    ASSERT(work_task_run(engine, &opened.spec, &opened.result, &error) == 0);
    ASSERT(work_open(engine, &opened.spec, &opened.result.answer, keep, NULL, &error) == 0);
    work_engine_close(engine);
}

static void fuzz_opening(const uint8_t *data, size_t size)
{
    struct work_error error = {0};
    if (opened.checker == NULL) open_once();
    if (size < 2) return;
    struct commit_step *s = &opened.now[data[0] % STEPS];
    const struct commit_step *good = &opened.good[data[0] % STEPS];
    size_t a = (size_t)good->m * good->k, c = 4 * (size_t)good->m * good->n;
    uint8_t *of_a = (uint8_t *)(uintptr_t)s->a, *of_c = (uint8_t *)(uintptr_t)s->c;
    opened.count = STEPS - (data[1] == 255);
    opened.at = 0;
    if (data[1] == 254) s->m += 1;
    if (data[1] == 253) s->n ^= 16;
    if (data[1] % 2 == 0) edit(of_a, a, data + 2, size - 2);
    else edit(of_c, c, data + 2, size - 2);
    bool same = memcmp(of_a, good->a, a) == 0 && memcmp(of_c, good->c, c) == 0 &&
                opened.count == STEPS && s->m == good->m && s->n == good->n;
    int fault = work_check(opened.checker, &opened.spec, &opened.result, next, NULL, &error);
    ASSERT((fault == WORK_FAULT_none) == same);
    memcpy(of_a, good->a, a);
    memcpy(of_c, good->c, c);
    s->m = good->m;
    s->n = good->n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    switch (data[0] % 4) {
    case 0: fuzz_spec(data + 1, size - 1); break;
    case 1: fuzz_answer(data + 1, size - 1); break;
    case 2: fuzz_weights(data + 1, size - 1); break;
    default: fuzz_opening(data + 1, size - 1); break;
    }
    return 0;
}
