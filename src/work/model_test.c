/* model_test.c: the decoder against two slow ones that are written from docs/workloads.md: one in
 * integers, which must agree in every A and C and in every token, and one in real numbers, which
 * says that the integers are a transformer. And the buyer's weights: used, or refused with the
 * reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "work/weights_file_test.h"

enum { WIDTH_MAX = 512, HIDDEN_MAX = 1536, POSITIONS_MAX = 96, VOCABULARY_MAX = 4096 };

static void must(int result, const struct work_error *error)
{
    if (result != 0) fail_msg("%s", error->text);
}

/* ---- in integers: one position after the other, loops over elements ---- */

struct naive {
    const struct work_workload *w;
    const struct work_weights *weights;
    int8_t *matrices[64];
    int8_t keys[8][POSITIONS_MAX][WIDTH_MAX], values[8][POSITIONS_MAX][WIDTH_MAX];
    struct commit_step *steps; /* to be compared with */
    uint32_t position, answers;
};

static void naive_open(struct naive *n, const struct work_workload *w,
                       const struct work_weights *weights)
{
    *n = (struct naive){.w = w, .weights = weights};
    for (uint32_t i = 0; i < work_steps(w); i++) {
        enum work_matrix matrix = work_step_matrix(w, i);
        uint32_t layer = matrix == WORK_MATRIX_head ? 0 : i / 4;
        struct work_matrix_info m = work_matrix_info(weights, layer, matrix);
        n->matrices[i] = malloc((size_t)m.columns * m.depth);
        assert_non_null(n->matrices[i]);
        work_matrix_fill(weights, layer, matrix, 0, m.columns, n->matrices[i]);
    }
}

static void naive_close(struct naive *n)
{
    for (uint32_t i = 0; i < work_steps(n->w); i++) free(n->matrices[i]);
}

/* v -> int8 -> product -> numbers; looks at the step's row on the way. */
static void naive_product(struct naive *n, uint32_t step, uint32_t row, const int32_t *v,
                          int64_t *out)
{
    enum work_matrix matrix = work_step_matrix(n->w, step);
    struct work_matrix_info m =
        work_matrix_info(n->weights, matrix == WORK_MATRIX_head ? 0 : step / 4, matrix);
    const struct commit_step *s = n->steps == NULL ? NULL : &n->steps[step];
    int32_t top = 1, a[HIDDEN_MAX];
    for (uint32_t k = 0; k < m.depth; k++) top = abs(v[k]) > top ? abs(v[k]) : top;
    for (uint32_t k = 0; k < m.depth; k++) {
        a[k] = fixed_quantise(v[k], fixed_quantise_inverse((uint32_t)top));
        if (s != NULL) assert_int_equal(s->a[(size_t)row * m.depth + k], a[k]);
    }
    for (uint32_t c = 0; c < m.columns; c++) {
        int32_t sum = 0;
        for (uint32_t k = 0; k < m.depth; k++)
            sum += a[k] * n->matrices[step][(size_t)c * m.depth + k];
        if (s != NULL) assert_int_equal(s->c[(size_t)row * m.columns + c], sum);
        uint32_t scale = m.scale == NULL ? m.scale_all : m.scale[c];
        out[c] = fixed_scale(sum, (uint32_t)top, scale, m.shift);
    }
}

static void naive_norm(const struct naive *n, const int32_t *x, uint32_t norm, int32_t *out)
{
    uint32_t width = n->w->shape.width;
    const int32_t *gain = work_gain(n->weights, norm);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += (uint64_t)((int64_t)x[i] * x[i]);
    for (uint32_t i = 0; i < width; i++)
        out[i] = fixed_norm(x[i], fixed_norm_inverse(sum, width), gain == NULL ? 4096 : gain[i]);
}

static void naive_rotate(const struct naive *n, const int64_t *in, int8_t *out)
{
    uint32_t half = n->w->shape.head_size / 2;
    for (uint32_t i = 0; i < half; i++) {
        uint32_t turn = fixed_turn(work_frequencies(n->weights)[i], n->position);
        int32_t sine = fixed_sine(turn), cosine = fixed_sine(turn + (1u << 30));
        int32_t x = fixed_clamp(in[i], FIXED_WIDE_MAX);
        int32_t y = fixed_clamp(in[i + half], FIXED_WIDE_MAX);
        out[i] = (int8_t)fixed_rotate_first(x, y, cosine, sine);
        out[i + half] = (int8_t)fixed_rotate_second(x, y, cosine, sine);
    }
}

static void naive_head(const struct naive *n, uint32_t layer, uint32_t head, const int8_t *q,
                       int32_t *out)
{
    const struct work_shape *h = &n->w->shape;
    uint32_t size = h->head_size, at = head / (h->heads / h->kv_heads) * size;
    int32_t scores[POSITIONS_MAX], top = INT32_MIN, counts = 0;
    for (uint32_t j = 0; j <= n->position; j++) {
        scores[j] = 0;
        for (uint32_t d = 0; d < size; d++) scores[j] += q[d] * n->keys[layer][j][at + d];
        top = scores[j] > top ? scores[j] : top;
    }
    for (uint32_t j = 0; j <= n->position; j++) {
        scores[j] = fixed_attention(top - scores[j], work_attention_scale(n->weights));
        counts += scores[j];
    }
    for (uint32_t d = 0; d < size; d++) {
        int32_t sum = 0;
        for (uint32_t j = 0; j <= n->position; j++)
            sum += scores[j] * n->values[layer][j][at + d];
        out[d] = fixed_mean(sum, counts);
    }
}

static void naive_layer(struct naive *n, uint32_t layer, int32_t *x)
{
    const struct work_shape *h = &n->w->shape;
    static int64_t out[2 * HIDDEN_MAX];
    int32_t normed[WIDTH_MAX], mean[WIDTH_MAX], hidden[HIDDEN_MAX];
    int8_t q[WIDTH_MAX];
    uint32_t size = h->head_size, kv = h->kv_heads * size, p = n->position;
    naive_norm(n, x, 2 * layer, normed);
    naive_product(n, 4 * layer, p, normed, out);
    for (uint32_t i = 0; i < h->heads; i++) naive_rotate(n, out + i * size, q + i * size);
    for (uint32_t i = 0; i < h->kv_heads; i++)
        naive_rotate(n, out + h->width + i * size, n->keys[layer][p] + i * size);
    for (uint32_t i = 0; i < kv; i++)
        n->values[layer][p][i] =
            (int8_t)fixed_narrow(fixed_clamp(out[h->width + kv + i], FIXED_WIDE_MAX));
    for (uint32_t i = 0; i < h->heads; i++) naive_head(n, layer, i, q + i * size, mean + i * size);
    naive_product(n, 4 * layer + 1, p, mean, out);
    for (uint32_t i = 0; i < h->width; i++) x[i] = fixed_clamp(x[i] + out[i], FIXED_RESIDUAL_MAX);
    naive_norm(n, x, 2 * layer + 1, normed);
    naive_product(n, 4 * layer + 2, p, normed, out);
    for (uint32_t i = 0; i < h->hidden; i++)
        hidden[i] = fixed_swiglu(fixed_clamp(out[i], FIXED_GATE_MAX),
                                 fixed_clamp(out[h->hidden + i], FIXED_UP_MAX));
    naive_product(n, 4 * layer + 3, p, hidden, out);
    for (uint32_t i = 0; i < h->width; i++) x[i] = fixed_clamp(x[i] + out[i], FIXED_RESIDUAL_MAX);
}

/* One position; logits when `sampled`. */
static void naive_position(struct naive *n, uint32_t token, bool sampled, int32_t *logits)
{
    const struct work_shape *h = &n->w->shape;
    static int64_t out[VOCABULARY_MAX];
    int32_t x[WIDTH_MAX], normed[WIDTH_MAX];
    work_embedding(n->weights, token, x);
    for (uint32_t layer = 0; layer < h->layers; layer++) naive_layer(n, layer, x);
    n->position++;
    if (!sampled) return;
    naive_norm(n, x, 2 * h->layers, normed);
    naive_product(n, 4 * h->layers, n->answers++, normed, out);
    for (uint32_t i = 0; i < h->vocabulary; i++) logits[i] = fixed_clamp(out[i], FIXED_LOGIT_MAX);
}

struct kept {
    struct commit_step steps[64];
};

static int keep(void *context, uint32_t index, const struct commit_step *step)
{
    struct kept *k = context;
    size_t a = (size_t)step->m * step->k, c = 4 * (size_t)step->m * step->n;
    void *copy_a = malloc(a), *copy_c = malloc(c);
    memcpy(copy_a, step->a, a);
    memcpy(copy_c, step->c, c);
    k->steps[index] = *step;
    k->steps[index].a = copy_a;
    k->steps[index].c = copy_c;
    return 0;
}

static void compare_with_naive(const struct work_workload *w, const struct work_weights *weights,
                               const struct work_spec *spec)
{
    static struct naive n;
    static int32_t logits[VOCABULARY_MAX];
    struct work_engine *engine;
    struct work_error error = {0};
    struct work_result result;
    struct kept kept;
    uint32_t tokens[WORK_PROMPT_MAX];
    must(work_engine_open(w, weights, &(struct work_engine_options){0}, &engine, &error), &error);
    must(work_task_run(engine, spec, &result, &error), &error);
    must(work_open(engine, spec, &result.answer, keep, &kept, &error), &error);
    naive_open(&n, w, weights);
    n.steps = kept.steps;
    work_prompt(spec, &w->shape, tokens);
    for (uint32_t p = 0; p < spec->prompt_count + result.answer.count - 1; p++) {
        bool sampled = p + 1 >= spec->prompt_count;
        uint32_t token =
            p < spec->prompt_count ? tokens[p] : result.answer.tokens[p - spec->prompt_count];
        naive_position(&n, token, sampled, logits);
        if (!sampled || spec->temperature != 0) continue;
        uint32_t best = 0;
        for (uint32_t t = 1; t < w->shape.vocabulary; t++)
            if (logits[t] > logits[best]) best = t;
        assert_int_equal(result.answer.tokens[p + 1 - spec->prompt_count], best);
    }
    naive_close(&n);
    for (uint32_t i = 0; i < work_steps(w); i++) {
        free((void *)(uintptr_t)kept.steps[i].a);
        free((void *)(uintptr_t)kept.steps[i].c);
    }
    work_engine_close(engine);
}

static void like_the_naive_decoder(void **state)
{
    (void)state;
    struct work_error error = {0};
    for (uint32_t seed = 0; seed < 12; seed++) {
        const struct work_workload *w =
            work_workload_named(2026, seed % 6 == 5 ? "test-30m" : "test");
        struct work_weights *weights;
        struct work_spec spec;
        struct digest nonce = digest_of(&seed, sizeof seed);
        must(work_weights_seeded(w, &weights, &error), &error);
        work_spec_default(w, &nonce, &spec);
        spec.prompt_count = 1 + seed * 5 % 40;
        spec.answer_count = 1 + seed * 3 % 20;
        spec.temperature = seed % 2 == 0 ? 0 : 65536;
        compare_with_naive(w, weights, &spec);
        work_weights_close(weights);
    }
}

/* ---- in real numbers ---- */

struct real {
    const struct work_workload *w;
    double *matrices[64]; /* with their scales */
    double keys[8][POSITIONS_MAX][WIDTH_MAX], values[8][POSITIONS_MAX][WIDTH_MAX];
};

static void real_norm(const double *x, uint32_t width, double *out)
{
    double sum = 0;
    for (uint32_t i = 0; i < width; i++) sum += x[i] * x[i];
    for (uint32_t i = 0; i < width; i++) out[i] = x[i] / sqrt(sum / width);
}

static void real_product(const struct real *r, uint32_t step, const double *v, double *out)
{
    struct commit_step s = work_step_shape(r->w, step, 1, 1);
    for (uint32_t n = 0; n < s.n; n++) {
        out[n] = 0;
        for (uint32_t k = 0; k < s.k; k++) out[n] += v[k] * r->matrices[step][(size_t)n * s.k + k];
    }
}

static void real_rotate(double *head, uint32_t size, uint32_t position)
{
    for (uint32_t i = 0; i < size / 2; i++) {
        double angle = position * pow(10000, -2.0 * i / size), x = head[i], y = head[i + size / 2];
        head[i] = x * cos(angle) - y * sin(angle);
        head[i + size / 2] = y * cos(angle) + x * sin(angle);
    }
}

static void real_attention(struct real *r, uint32_t layer, uint32_t p, double *qkv, double *out)
{
    const struct work_shape *h = &r->w->shape;
    uint32_t size = h->head_size, kv = h->kv_heads * size;
    for (uint32_t i = 0; i < h->heads + h->kv_heads; i++) real_rotate(qkv + i * size, size, p);
    memcpy(r->keys[layer][p], qkv + h->width, kv * sizeof(double));
    memcpy(r->values[layer][p], qkv + h->width + kv, kv * sizeof(double));
    for (uint32_t i = 0; i < h->heads; i++) {
        uint32_t at = i / (h->heads / h->kv_heads) * size;
        double weights[POSITIONS_MAX], sum = 0;
        for (uint32_t j = 0; j <= p; j++) {
            double score = 0;
            for (uint32_t d = 0; d < size; d++)
                score += qkv[i * size + d] * r->keys[layer][j][at + d];
            sum += weights[j] = exp(score / sqrt(size));
        }
        for (uint32_t d = 0; d < size; d++) {
            out[i * size + d] = 0;
            for (uint32_t j = 0; j <= p; j++)
                out[i * size + d] += weights[j] / sum * r->values[layer][j][at + d];
        }
    }
}

static void real_position(struct real *r, const struct work_weights *weights, uint32_t token,
                          uint32_t p, double *logits)
{
    const struct work_shape *h = &r->w->shape;
    static double x[WIDTH_MAX], v[WIDTH_MAX], out[2 * HIDDEN_MAX], mean[WIDTH_MAX];
    int32_t row[WIDTH_MAX];
    work_embedding(weights, token, row);
    for (uint32_t i = 0; i < h->width; i++) x[i] = row[i] / 4096.0;
    for (uint32_t layer = 0; layer < h->layers; layer++) {
        real_norm(x, h->width, v);
        real_product(r, 4 * layer, v, out);
        real_attention(r, layer, p, out, mean);
        real_product(r, 4 * layer + 1, mean, out);
        for (uint32_t i = 0; i < h->width; i++) x[i] += out[i];
        real_norm(x, h->width, v);
        real_product(r, 4 * layer + 2, v, out);
        for (uint32_t i = 0; i < h->hidden; i++)
            out[i] = out[i] / (1 + exp(-out[i])) * out[h->hidden + i];
        double hidden[HIDDEN_MAX];
        memcpy(hidden, out, h->hidden * sizeof(double));
        real_product(r, 4 * layer + 3, hidden, out);
        for (uint32_t i = 0; i < h->width; i++) x[i] += out[i];
    }
    real_norm(x, h->width, v);
    real_product(r, 4 * h->layers, v, logits);
}

/* The integers' logits and those of the same model in real numbers lie on a line: correlation of
 * at least 0.995 at every position. */
static void like_real_numbers(void **state)
{
    (void)state;
    enum { POSITIONS = 24 };
    static struct naive n;
    static struct real r;
    static double logits[VOCABULARY_MAX];
    static int32_t whole[VOCABULARY_MAX];
    struct work_weights *weights;
    struct work_error error = {0};
    const struct work_workload *w = work_workload_named(2026, "test-30m");
    must(work_weights_seeded(w, &weights, &error), &error);
    naive_open(&n, w, weights);
    r.w = w;
    for (uint32_t i = 0; i < work_steps(w); i++) {
        struct commit_step s = work_step_shape(w, i, 1, 1);
        size_t count = (size_t)s.k * s.n;
        r.matrices[i] = malloc(count * sizeof(double));
        for (size_t k = 0; k < count; k++)
            r.matrices[i][k] = n.matrices[i][k] / sqrt(4.5 * s.k);
    }
    double worst = 1;
    for (uint32_t p = 0; p < POSITIONS; p++) {
        uint32_t token = p * 577 % w->shape.vocabulary, count = w->shape.vocabulary;
        naive_position(&n, token, true, whole);
        real_position(&r, weights, token, p, logits);
        double xy = 0, xx = 0, yy = 0;
        for (uint32_t t = 0; t < count; t++) {
            xy += logits[t] * whole[t];
            xx += logits[t] * logits[t];
            yy += (double)whole[t] * whole[t];
        }
        worst = fmin(worst, xy / sqrt(xx * yy));
        assert_true(fabs(sqrt(yy / count) / 65536 - sqrt(xx / count)) < 0.03); /* Q16, same size */
    }
    print_message("correlation with real numbers at least %.5f\n", worst);
    assert_true(worst > 0.995);
    for (uint32_t i = 0; i < work_steps(w); i++) free(r.matrices[i]);
    naive_close(&n);
    work_weights_close(weights);
}

/* ---- the buyer's weights ---- */

static void buyers_weights(void **state)
{
    (void)state;
    struct work_error error = {0};
    const struct work_workload *w = work_workload_named(2026, "test");
    struct work_weights *seeded, *bought;
    must(work_weights_seeded(w, &seeded, &error), &error);
    struct weights_file f = weights_file_write(w, seeded);
    assert_int_equal(f.size, work_weights_size(w));
    must(work_weights_bytes(w, f.bytes, f.size, &bought, &error), &error);
    struct digest digest = work_weights_digest(bought), expected = digest_of(f.bytes, f.size);
    assert_memory_equal(&digest, &expected, sizeof digest);
    struct work_spec spec;
    work_spec_default(w, &digest, &spec);
    spec.weights = digest;
    compare_with_naive(w, bought, &spec);
    work_weights_close(bought);
    /* scales, gains and embedding of its own: as the naive decoder has it */
    struct random r = {5};
    size_t gains = 56 + 8 * 8, shifts = gains + 4 * 5 * 64;
    for (size_t i = 0; i < 5 * 64; i++) {
        int32_t gain = (int32_t)(random_next(&r) % 12000) - 2000;
        memcpy(f.bytes + gains + 4 * i, &gain, sizeof gain);
    }
    size_t scales = shifts + 40;
    for (size_t i = 0; i < 2 * (128 + 64 + 384 + 64) + 256; i++) {
        uint16_t scale = (uint16_t)(1 + random_next(&r) % 32767);
        memcpy(f.bytes + scales + 2 * i, &scale, sizeof scale);
    }
    for (size_t i = 0; i < 256 * 64; i++)
        f.bytes[scales + 2 * (2 * 640 + 256) + i] = (uint8_t)random_next(&r);
    must(work_weights_bytes(w, f.bytes, f.size, &bought, &error), &error);
    spec.weights = work_weights_digest(bought);
    compare_with_naive(w, bought, &spec);
    work_weights_close(bought);
    work_weights_close(seeded);
    free(f.bytes);
}

/* Everything at its bound at once: nothing overflows (UBSan looks on), and the same numbers. */
static void extreme_weights(void **state)
{
    (void)state;
    struct work_error error = {0};
    const struct work_workload *w = work_workload_named(2026, "test");
    struct work_weights *weights;
    must(work_weights_seeded(w, &weights, &error), &error);
    struct weights_file f = weights_file_write(w, weights);
    work_weights_close(weights);
    size_t gains = 56 + 64, shifts = gains + 4 * 320, scales = shifts + 40;
    size_t embedding = scales + 2 * (2 * 640 + 256), matrices = embedding + 256 * 64;
    for (uint32_t way = 0; way < 16; way++) {
        const uint32_t words[2] = {way & 1 ? 65536 : 1, way & 2 ? INT32_MAX : 1};
        memcpy(f.bytes + 44, words, sizeof words);
        for (size_t i = 0; i < 320; i++) {
            int32_t gain = (i + way) % 3 == 0 ? -(1 << 20) : 1 << 20;
            memcpy(f.bytes + gains + 4 * i, &gain, sizeof gain);
        }
        for (size_t i = 0; i < 9; i++) {
            uint32_t shift = way & 4 ? 16 : i % 2 == 0 ? 48 : 30;
            memcpy(f.bytes + shifts + 4 * i, &shift, sizeof shift);
        }
        for (size_t i = 0; i < 2 * 640 + 256; i++) {
            uint16_t scale = i % 7 == 3 ? 1 : 32767;
            memcpy(f.bytes + scales + 2 * i, &scale, sizeof scale);
        }
        for (size_t i = 0; i < 256 * 64; i++)
            f.bytes[embedding + i] = (uint8_t)(i % 5 == 0 ? 127 : -128);
        for (size_t i = matrices; i < f.size; i++)
            f.bytes[i] = (uint8_t)(way & 8 && i % 3 == 0 ? -4 : 4);
        must(work_weights_bytes(w, f.bytes, f.size, &weights, &error), &error);
        struct work_spec spec;
        struct digest digest = work_weights_digest(weights);
        work_spec_default(w, &digest, &spec);
        spec.weights = digest;
        if (way % 2 == 1) spec.temperature = 656;
        compare_with_naive(w, weights, &spec);
        work_weights_close(weights);
    }
    free(f.bytes);
}

static void bad_weights(void **state)
{
    (void)state;
    struct work_error error = {0};
    const struct work_workload *w = work_workload_named(2026, "test");
    struct work_weights *weights;
    must(work_weights_seeded(w, &weights, &error), &error);
    struct weights_file f = weights_file_write(w, weights);
    work_weights_close(weights);
    static const struct {
        size_t at;
        uint8_t value;
        const char *reason;
    } bad[] = {
        {0, 'x', "dojweigh"},         {8, 2, "no version 2"},       {12, 3, "layers is 3"},
        {40, 64, "context is 64"},    {46, 9, "embedding's scale"},
        {51, 0x80, "attention's"},    {52, 1, "last word"},         {56 + 64 + 3, 0x7f, "gain 0"},
        {56 + 64 + 1280, 15, "shift"}, {56 + 64 + 1280 + 36, 1, "fills"},
        {56 + 64 + 1280 + 41, 0x80, "scale of column 0 of matrix 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t was = f.bytes[bad[i].at];
        f.bytes[bad[i].at] = bad[i].value;
        error = (struct work_error){0};
        int result = work_weights_bytes(w, f.bytes, f.size, &weights, &error);
        if (result == 0 || strstr(error.text, bad[i].reason) == NULL)
            fail_msg("byte %zu: %s", bad[i].at, result == 0 ? "accepted" : error.text);
        f.bytes[bad[i].at] = was;
    }
    /* a weight beyond the bound, in the first and in the last matrix */
    for (int i = 0; i < 2; i++) {
        uint8_t *at = f.bytes + (i == 0 ? f.size - (size_t)256 * 64 - 1 : f.size - 1), was = *at;
        const int8_t values[] = {5, -5, 127, -128};
        for (int k = 0; k < 4; k++) {
            *at = (uint8_t)values[k];
            error = (struct work_error){0};
            assert_int_equal(work_weights_bytes(w, f.bytes, f.size, &weights, &error), -1);
            assert_non_null(strstr(error.text, "not within -4..4"));
        }
        *at = was;
    }
    /* cut anywhere, or longer */
    for (size_t size = 0; size < f.size; size += size < 2000 ? 1 : 997) {
        error = (struct work_error){0};
        assert_int_equal(work_weights_bytes(w, f.bytes, size, &weights, &error), -1);
        assert_true(error.text[0] != '\0');
    }
    (void)weights_file_part(&f, 8);
    error = (struct work_error){0};
    assert_int_equal(work_weights_bytes(w, f.bytes, f.size, &weights, &error), -1);
    assert_non_null(strstr(error.text, "behind the last matrix"));
    error = (struct work_error){0};
    assert_int_equal(work_weights_bytes(work_workload_named(2026, "gemm-test"), f.bytes, f.size,
                                        &weights, &error), -1);
    free(f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_naive_decoder), cmocka_unit_test(like_real_numbers),
        cmocka_unit_test(buyers_weights),         cmocka_unit_test(extreme_weights),
        cmocka_unit_test(bad_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
