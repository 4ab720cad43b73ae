/* The GPU's decoder against the processor's, step by step and bit by bit, on an emulated device;
 * and what is said where there is no GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/random.h"
#include "work/backend_gpu.h"
#include "work/decoder.h"
#include "work/gpu_emulated_test.h"
#include "work/weights_file_test.h"

enum { SLOTS = 3, ROWS_MAX = 40 };

static struct gpu *device = &emulated; /* then this machine's, where there is one */

/* Groups of 2, 1, 10 and 8 queries to a key; heads of 16 to 64; more than a tile of
 * positions, and more than have their scores kept. */
static const struct work_workload shapes[] = {
    {.name = "group of two", .kind = WORK_KIND_decoder, .shape = {2, 64, 4, 2, 16, 96, 256, 160},
     .prompt_count = 130, .answer_count = 14, .seed = 1},
    {.name = "group of one", .kind = WORK_KIND_decoder, .shape = {1, 128, 4, 4, 32, 48, 112, 64},
     .prompt_count = 20, .answer_count = 10, .seed = 2},
    {.name = "group of ten", .kind = WORK_KIND_decoder, .shape = {2, 320, 20, 2, 16, 208, 64, 64},
     .prompt_count = 20, .answer_count = 10, .seed = 3},
    {.name = "group of eight", .kind = WORK_KIND_decoder, .shape = {1, 512, 8, 1, 64, 320, 96, 64},
     .prompt_count = 20, .answer_count = 10, .seed = 4},
    {.name = "long", .kind = WORK_KIND_decoder, .shape = {1, 64, 4, 2, 16, 32, 64, 1024},
     .prompt_count = 690, .answer_count = 30, .seed = 5},
};

/* Steps of a pass, by the bytes of A and C. */
struct seen {
    uint64_t digest;
    uint32_t steps;
};

static int see(void *context, uint32_t index, const struct commit_step *s)
{
    struct seen *seen = context;
    assert_int_equal(index, seen->steps);
    seen->steps += 1;
    for (uint32_t i = 0; i < s->m; i++) {
        uint64_t a = fingerprint_row(s->a + (size_t)i * s->k, s->k);
        uint64_t c = fingerprint_row(s->c + (size_t)i * s->n, 4 * (size_t)s->n);
        seen->digest = fixed_mix(seen->digest + a + fixed_mix(c + s->op + s->n));
    }
    return 0;
}

/* The processor's own product: weights made afresh. */
struct plain {
    const struct work_workload *w;
    const struct work_weights *weights;
};

static int plain_product(void *context, uint32_t step, const int8_t *a, uint32_t rows, int32_t *c,
                         struct work_error *error)
{
    const struct plain *p = context;
    (void)error;
    enum work_matrix matrix = work_step_matrix(p->w, step);
    uint32_t layer = work_step_layer(p->w, step);
    struct work_matrix_info m = work_matrix_info(p->weights, layer, matrix);
    int8_t *w = malloc((size_t)m.columns * m.depth);
    work_matrix_fill(p->weights, layer, matrix, 0, m.columns, w);
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t j = 0; j < m.columns; j++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < m.depth; k++)
                sum += a[(size_t)i * m.depth + k] * w[(size_t)j * m.depth + k];
            c[(size_t)i * m.columns + j] = sum;
        }
    free(w);
    return 0;
}

struct pair { /* the two decoders, side by side */
    const struct work_workload *w;
    const struct work_weights *weights;
    struct pool *pool;
    struct decoder *processor;
    struct gpu_decoder *decoder; /* the device's */
    uint32_t next[SLOTS]; /* positions */
    struct random random;
    struct work_row rows[ROWS_MAX];
};

static void both(struct pair *p, uint32_t count, bool sink)
{
    uint32_t steps = work_steps(p->w), vocabulary = p->w->shape.vocabulary;
    size_t marks = (size_t)steps * count * 2, logits = (size_t)count * vocabulary;
    uint64_t *marks_a = calloc(marks, 8), *marks_b = calloc(marks, 8);
    int32_t *logits_a = calloc(logits, 4), *logits_b = calloc(logits, 4);
    struct seen seen_a = {0}, seen_b = {0};
    struct work_error error = {0};
    struct plain plain = {p->w, p->weights};
    const struct decoder_product product = {plain_product, &plain};
    struct work_forward f = {.rows = p->rows, .count = count, .logits = logits_a,
                             .fingerprints = marks_a, .sink = sink ? see : NULL,
                             .context = &seen_a};
    assert_int_equal(decoder_forward(p->processor, &product, &f, &error), 0);
    f.logits = logits_b;
    f.fingerprints = marks_b;
    f.context = &seen_b;
    if (gpu_decoder_forward(p->decoder, &f, &error) != 0) fail_msg("%s", error.text);
    for (size_t i = 0; i < marks; i++)
        if (marks_a[i] != marks_b[i])
            fail_msg("%s: step %zu, row %zu, %s differs", p->w->name, i / 2 / count,
                     i / 2 % count, i % 2 == 0 ? "A" : "C");
    assert_memory_equal(logits_a, logits_b, logits * 4);
    assert_int_equal(seen_a.steps, seen_b.steps);
    assert_true(seen_a.digest == seen_b.digest);
    free(marks_a);
    free(marks_b);
    free(logits_a);
    free(logits_b);
}

/* Rows of a slot, from where it stands. */
static uint32_t rows_add(struct pair *p, uint32_t at, uint32_t slot, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        p->rows[at + i] = (struct work_row){
            .slot = slot, .position = p->next[slot]++,
            .token = (uint32_t)random_below(&p->random, p->w->shape.vocabulary),
            .logits = random_below(&p->random, 3) == 0};
    return at + count;
}

static void pair_open(struct pair *p, const struct work_workload *w,
                      const struct work_weights *weights)
{
    struct work_error error = {0};
    *p = (struct pair){.w = w, .weights = weights, .random = {.state = w->seed}};
    p->pool = pool_open(1);
    assert_non_null(p->pool);
    assert_int_equal(decoder_open(w, weights, p->pool, SLOTS, w->prompt_count + w->answer_count,
                                  ROWS_MAX, &p->processor, &error), 0);
    p->decoder = gpu_decoder_open(device, weights, w, SLOTS, ROWS_MAX, GPU_PRODUCTS_library,
                                 &error);
    if (p->decoder == NULL) fail_msg("%s", error.text);
}

static void pair_close(struct pair *p)
{
    gpu_decoder_close(p->decoder);
    decoder_close(p->processor);
    pool_close(p->pool);
}

/* Prompts in pieces, batches of sequences at different positions, a slot begun anew. */
static void passes(struct pair *p)
{
    uint32_t positions = p->w->prompt_count + p->w->answer_count;
    both(p, rows_add(p, 0, 0, 17), true);
    both(p, rows_add(p, rows_add(p, 0, 1, 5), 0, 1), false);
    gpu_decoder_products(p->decoder, GPU_PRODUCTS_plain);
    both(p, rows_add(p, rows_add(p, rows_add(p, 0, 2, 9), 0, 1), 1, 2), true);
    gpu_decoder_products(p->decoder, GPU_PRODUCTS_fastest);
    p->next[1] = 0;
    both(p, rows_add(p, rows_add(p, 0, 1, 3), 2, 1), false);
    while (p->next[0] < positions) {
        uint32_t left = positions - p->next[0];
        both(p, rows_add(p, 0, 0, left < ROWS_MAX ? left : ROWS_MAX), false);
    }
}

static void test_seeded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct work_weights *weights;
        struct work_error error = {0};
        struct pair p;
        if (work_weights_seeded(&shapes[i], &weights, &error) != 0) fail_msg("%s", error.text);
        pair_open(&p, &shapes[i], weights);
        passes(&p);
        pair_close(&p);
        work_weights_close(weights);
    }
}

/* ---- the buyer's weights: scales by column, gains, another embedding ---- */

static struct weights_file buyers_file(const struct work_workload *w,
                                       const struct work_weights *like)
{
    const struct work_shape *h = &w->shape;
    struct weights_file f = {0};
    struct random random = {.state = 77};
    const uint32_t words[12] = {1, h->layers, h->width, h->heads, h->kv_heads, h->head_size,
                                h->hidden, h->vocabulary, h->context, 100, 700000, 0};
    uint32_t steps = work_steps(w), gains = (2 * h->layers + 1) * h->width;
    uint8_t *head = weights_file_part(&f, 56);
    memcpy(head, "dojweigh", 8);
    memcpy(head + 8, words, sizeof words);
    memcpy(weights_file_part(&f, 4 * h->head_size), work_frequencies(like), 4 * h->head_size);
    int32_t *gain = weights_file_part(&f, 4 * gains);
    for (uint32_t i = 0; i < gains; i++)
        gain[i] = 2000 + (int32_t)random_below(&random, 6000) - (i % 7 == 0 ? 9000 : 0);
    uint32_t *shift = weights_file_part(&f, 4 * steps);
    for (uint32_t step = 0; step < steps; step++)
        shift[step] = work_matrix_info(like, work_step_layer(w, step),
                                       work_step_matrix(w, step)).shift;
    for (uint32_t step = 0; step < steps; step++) {
        uint32_t columns = work_step_shape(w, step, 1, 1).n;
        uint16_t *scale = weights_file_part(&f, 2 * columns);
        for (uint32_t n = 0; n < columns; n++)
            scale[n] = (uint16_t)(8000 + random_below(&random, 24000));
    }
    int8_t *embedding = weights_file_part(&f, h->vocabulary * h->width);
    for (uint32_t i = 0; i < h->vocabulary * h->width; i++)
        embedding[i] = (int8_t)((int32_t)random_below(&random, 255) - 127);
    for (uint32_t step = 0; step < steps; step++) {
        struct commit_step s = work_step_shape(w, step, 1, 1);
        int8_t *rows = weights_file_part(&f, (size_t)s.n * s.k);
        for (size_t i = 0; i < (size_t)s.n * s.k; i++)
            rows[i] = (int8_t)((int32_t)random_below(&random, 9) - 4);
    }
    return f;
}

static void test_buyers(void **state)
{
    (void)state;
    const struct work_workload *w = &shapes[2];
    struct work_weights *like, *weights;
    struct work_error error = {0};
    struct pair p;
    assert_int_equal(work_weights_seeded(w, &like, &error), 0);
    struct weights_file f = buyers_file(w, like);
    if (work_weights_bytes(w, f.bytes, f.size, &weights, &error) != 0) fail_msg("%s", error.text);
    pair_open(&p, w, weights);
    passes(&p);
    pair_close(&p);
    work_weights_close(weights);
    work_weights_close(like);
    free(f.bytes);
}

/* ---- single products, by every path ---- */

static void test_products(void **state)
{
    (void)state;
    static const struct work_workload w = {.name = "gemm", .kind = WORK_KIND_gemm, .rows = 33,
                                           .depth = 2048, .columns = 48, .seed = 5};
    static const enum work_precision paths[] = {WORK_PRECISION_fp32, WORK_PRECISION_bf16,
                                                WORK_PRECISION_int8};
    struct work_weights *weights;
    struct work_error error = {0};
    assert_int_equal(work_weights_seeded(&w, &weights, &error), 0);
    int8_t *a = malloc(w.rows * w.depth), *b = malloc(w.depth * w.columns);
    int32_t *c = calloc(w.rows * w.columns, 4);
    work_matrix_fill(weights, 0, WORK_MATRIX_gemm, 0, w.columns, b);
    for (uint32_t i = 0; i < w.rows * w.depth; i++) /* rows of nothing but the greatest as well */
        a[i] = i < 2 * w.depth ? (b[i % w.depth] < 0 ? -127 : 127)
                               : (int8_t)((int32_t)(fixed_mix(i) % 255) - 127);
    gpu_borrowed = device;
    for (int path = 0; path < 3; path++) {
        const struct backend_options options = {.precision = paths[path]};
        struct backend_matrix *m;
        void *gpu;
        assert_int_equal(backend_gpu.open(&options, &gpu, &error), 0);
        assert_int_equal(backend_gpu.matrix_open(gpu, weights, 0, WORK_MATRIX_gemm, &m, &error), 0);
        memset(c, 0, 4 * (size_t)w.rows * w.columns);
        assert_int_equal(backend_gpu.product(m, a, w.rows, c, &error), 0);
        for (uint32_t i = 0; i < w.rows; i++)
            for (uint32_t j = 0; j < w.columns; j++) {
                int32_t sum = 0;
                for (uint32_t k = 0; k < w.depth; k++)
                    sum += a[i * w.depth + k] * b[j * w.depth + k];
                assert_int_equal(c[i * w.columns + j], sum);
            }
        assert_int_equal(backend_gpu_repeat(m, w.rows, 2, &error), 0);
        backend_gpu.matrix_close(m);
        backend_gpu.close(gpu);
    }
    gpu_borrowed = NULL;
    work_weights_close(weights);
    free(a);
    free(b);
    free(c);
}

/* A device that is too small is an error with a sentence, and nothing of it is left. */
static void test_too_small(void **state)
{
    (void)state;
    struct work_weights *weights;
    struct work_error error = {0};
    assert_int_equal(work_weights_seeded(&shapes[0], &weights, &error), 0);
    emulated_limit = emulated_taken + 200000;
    assert_null(gpu_decoder_open(&emulated, weights, &shapes[0], SLOTS, ROWS_MAX,
                                 GPU_PRODUCTS_fastest, &error));
    emulated_limit = UINT64_MAX;
    assert_non_null(strstr(error.text, "memory does not hold"));
    work_weights_close(weights);
}

/* Where there is a GPU it is opened and closed, where there is none the reason is a sentence. */
static void test_absent(void **state)
{
    (void)state;
    const struct backend_options options = {0};
    struct work_error error = {0};
    char why[GPU_TEXT_SIZE] = "";
    void *gpu;
    struct gpu *g = gpu_open(why);
    if (g != NULL) {
        gpu_close(g);
        print_message("skipped: this machine has a GPU, so that nothing says there is none\n");
        skip();
    }
    print_message("%s\n", why);
    assert_non_null(strstr(why, "no GPU: NVIDIA's driver"));
    assert_non_null(strstr(why, "AMD's driver"));
    assert_int_equal(backend_gpu.open(&options, &gpu, &error), -1);
    assert_non_null(strstr(error.text, "no GPU"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeded),    cmocka_unit_test(test_buyers),
        cmocka_unit_test(test_products),  cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_absent),
    };
    const struct CMUnitTest on_device[] = {
        cmocka_unit_test(test_seeded), cmocka_unit_test(test_buyers),
        cmocka_unit_test(test_products)};
    char why[GPU_TEXT_SIZE] = "";
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    struct gpu *g = gpu_open(why);
    if (g == NULL) return failures;
    print_message("%s %s, %s, %s\n", g->facts.vendor, g->facts.name, g->facts.driver,
                  g->facts.blas);
    if (gpu_build(g, gpu_kernel_names, GPU_KERNEL_count) != 0) {
        print_error("%s\n", g->error);
        return 1;
    }
    device = g;
    failures += cmocka_run_group_tests(on_device, NULL, NULL);
    gpu_close(g);
    return failures;
}
