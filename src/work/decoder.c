/* decoder.c: see decoder.h; docs/workloads.md has the same in words.
 *
 * For each layer: x -> norm -> A -> qkv -> rotation, cache -> attention -> A -> out -> x += ;
 * x -> norm -> A -> up -> silu(gate) * up -> A -> down -> x += . Then norm -> A -> head -> logits.
 *
 * Invariant: what is computed of a row depends on that row's token and position and on the cache of
 * its slot alone.
 */
#include "work/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "work/fixed.h"
#include "work/kernel.h"

struct decoder {
    const struct work_workload *workload;
    const struct work_weights *weights;
    struct work_shape h;
    struct pool *pool;
    uint32_t slots, positions, rows_max, qkv, widest;
    int32_t *cosine, *sine; /* [positions][head_size / 2], Q14 */
    int8_t *keys;           /* [slot][layer][kv head][position][head_size] */
    int8_t *values;         /* [slot][layer][kv head][head_size][position] */
    int32_t *x;             /* [rows][width] */
    int8_t *a;              /* [rows][max(width, hidden)] */
    int8_t *q;              /* [rows][width] */
    int32_t *mean;          /* [rows][width] */
    uint32_t *top;          /* [rows] */
    int32_t *c;             /* [rows][widest] */
    int32_t *scratch;       /* [threads][scratch_size] */
    size_t scratch_size;
    uint32_t *head_rows; /* rows with logits */
    /* the pass in progress */
    const struct work_forward *f;
    uint32_t layer, rows, norm;
    struct work_matrix_info m;
    struct kernel_scale scale; /* its */
};

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void *take(size_t count, size_t size)
{
    void *memory = NULL;
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    size_t bytes = count * size + 64;
    return posix_memalign(&memory, 64, bytes) == 0 ? memory : NULL;
}

static void make_tables(struct decoder *d)
{
    uint32_t pairs = d->h.head_size / 2;
    const uint64_t *frequencies = work_frequencies(d->weights);
    for (uint32_t p = 0; p < d->positions; p++) {
        for (uint32_t i = 0; i < pairs; i++) {
            uint32_t turn = fixed_turn(frequencies[i], p);
            d->sine[(size_t)p * pairs + i] = fixed_sine(turn);
            d->cosine[(size_t)p * pairs + i] = fixed_sine(turn + 0x40000000u);
        }
    }
}

int decoder_open(const struct work_workload *w, const struct work_weights *weights,
                 struct pool *pool, uint32_t slots, uint32_t positions, uint32_t rows_max,
                 struct decoder **decoder, struct work_error *error)
{
    const struct work_shape *h = &w->shape;
    ASSERT(w->kind == WORK_KIND_decoder && positions <= h->context);
    ASSERT(h->head_size <= WORK_HEAD_MAX && h->heads / h->kv_heads <= WORK_GROUP_MAX);
    struct decoder *d = calloc(1, sizeof *d);
    if (d == NULL) return work_fail(error, "no memory for a decoder");
    *d = (struct decoder){.workload = w, .weights = weights, .h = *h, .pool = pool, .slots = slots,
                          .positions = (positions + 3) & ~3u, .rows_max = rows_max};
    d->qkv = (h->heads + 2 * h->kv_heads) * h->head_size;
    d->widest = greater(greater(d->qkv, 2 * h->hidden), greater(h->width, h->vocabulary));
    size_t rows = rows_max, half = (size_t)d->positions * (h->head_size / 2);
    size_t cache = (size_t)slots * h->layers * h->kv_heads * d->positions * h->head_size;
    d->scratch_size = greater(greater(h->width, 3 * h->hidden), d->qkv) +
                      2 * (size_t)(h->heads / h->kv_heads) * d->positions;
    d->cosine = take(half, sizeof d->cosine[0]);
    d->sine = take(half, sizeof d->sine[0]);
    d->keys = calloc(cache, 1); /* zeros: what lies behind the last position is read */
    d->values = calloc(cache, 1);
    d->x = take(rows * h->width, sizeof d->x[0]);
    d->a = take(rows * greater(h->width, h->hidden), 1);
    d->q = take(rows * h->width, 1);
    d->mean = take(rows * h->width, sizeof d->mean[0]);
    d->top = take(rows, sizeof d->top[0]);
    d->c = take(rows * d->widest, sizeof d->c[0]);
    d->scratch = take(pool_threads(pool) * d->scratch_size, sizeof d->scratch[0]);
    d->head_rows = take(rows, sizeof d->head_rows[0]);
    if (d->cosine == NULL || d->sine == NULL || d->keys == NULL || d->values == NULL ||
        d->x == NULL || d->a == NULL || d->q == NULL || d->mean == NULL || d->top == NULL ||
        d->c == NULL || d->scratch == NULL || d->head_rows == NULL) {
        decoder_close(d);
        return work_fail(error, "no memory for a decoder of %u rows and %u sequences", rows_max,
                         slots);
    }
    make_tables(d);
    *decoder = d;
    return 0;
}

void decoder_close(struct decoder *d)
{
    if (d == NULL) return;
    free(d->cosine);
    free(d->sine);
    free(d->keys);
    free(d->values);
    free(d->x);
    free(d->a);
    free(d->q);
    free(d->mean);
    free(d->top);
    free(d->c);
    free(d->scratch);
    free(d->head_rows);
    free(d);
}

/* Where a slot's keys (or values) of the layer stand. */
static size_t cache_at(const struct decoder *d, uint32_t slot)
{
    size_t one = (size_t)d->h.kv_heads * d->positions * d->h.head_size;
    return ((size_t)slot * d->h.layers + d->layer) * one;
}

/* ---- pieces: one row each, but for attention ---- */

static void embed_row(void *context, uint32_t i, uint32_t thread)
{
    struct decoder *d = context;
    (void)thread;
    work_embedding(d->weights, d->f->rows[i].token, d->x + (size_t)i * d->h.width);
}

static void norm_row(void *context, uint32_t i, uint32_t thread)
{
    struct decoder *d = context;
    uint32_t width = d->h.width;
    d->top[i] = kernel_norm(d->x + (size_t)i * width, work_gain(d->weights, d->norm), width,
                            d->scratch + thread * d->scratch_size, d->a + (size_t)i * width);
}

static void qkv_row(void *context, uint32_t i, uint32_t thread)
{
    struct decoder *d = context;
    const struct work_row *row = &d->f->rows[i];
    uint32_t size = d->h.head_size, pairs = size / 2, position = row->position;
    const int32_t *cosine = d->cosine + (size_t)position * pairs;
    const int32_t *sine = d->sine + (size_t)position * pairs;
    int32_t *wide = d->scratch + thread * d->scratch_size;
    kernel_scale_row(d->c + (size_t)i * d->qkv, d->top[i], &d->scale, d->qkv, FIXED_WIDE_MAX, wide);
    for (uint32_t n = 0; n < d->h.heads; n++)
        kernel_rotate(wide + (size_t)n * size, cosine, sine, pairs,
                      d->q + (size_t)i * d->h.width + (size_t)n * size);
    const int32_t *k = wide + d->h.width, *v = k + (size_t)d->h.kv_heads * size;
    for (uint32_t n = 0; n < d->h.kv_heads; n++) {
        size_t at = cache_at(d, row->slot) + (size_t)n * d->positions * size;
        kernel_rotate(k + (size_t)n * size, cosine, sine, pairs,
                      d->keys + at + (size_t)position * size);
        for (uint32_t e = 0; e < size; e++)
            d->values[at + (size_t)e * d->positions + position] =
                (int8_t)fixed_narrow(v[(size_t)n * size + e]);
    }
}

/* The query heads of one row that share a kv head: two small products with a row function between
 * them. Keys behind the last that is seen are computed too, up to a whole vector, and not used. */
static void attend(void *context, uint32_t piece, uint32_t thread)
{
    struct decoder *d = context;
    uint32_t i = piece / d->h.kv_heads, n = piece % d->h.kv_heads;
    uint32_t size = d->h.head_size, group = d->h.heads / d->h.kv_heads;
    const struct work_row *row = &d->f->rows[i];
    uint32_t seen = row->position + 1, padded = (seen + 3) & ~3u;
    size_t at = cache_at(d, row->slot) + (size_t)n * d->positions * size;
    size_t q = (size_t)i * d->h.width + (size_t)n * group * size;
    int32_t *scores = d->scratch + thread * d->scratch_size;
    int8_t *counts = (int8_t *)(scores + (size_t)group * d->positions);
    int32_t sums[WORK_GROUP_MAX];
    kernel_product(d->q + q, size, group, d->keys + at, size, padded, size, scores, padded);
    for (uint32_t k = 0; k < group; k++)
        sums[k] = kernel_counts(scores + (size_t)k * padded, seen, work_attention_scale(d->weights),
                                counts + (size_t)k * seen);
    kernel_product(counts, seen, group, d->values + at, d->positions, size, seen, d->mean + q,
                   size);
    for (uint32_t k = 0; k < group; k++)
        kernel_means(d->mean + q + (size_t)k * size, size, sums[k]);
}

static void mean_row(void *context, uint32_t i, uint32_t thread)
{
    struct decoder *d = context;
    size_t at = (size_t)i * d->h.width;
    (void)thread;
    d->top[i] = kernel_quantise(d->mean + at, d->h.width, d->a + at);
}

static void residual_row(void *context, uint32_t i, uint32_t thread)
{
    struct decoder *d = context;
    size_t at = (size_t)i * d->h.width;
    (void)thread;
    kernel_residual(d->c + at, d->top[i], &d->scale, d->h.width, d->x + at);
}

static void hidden_row(void *context, uint32_t i, uint32_t thread)
{
    struct decoder *d = context;
    uint32_t hidden = d->h.hidden;
    int32_t *gate = d->scratch + thread * d->scratch_size, *up = gate + hidden;
    const int32_t *c = d->c + (size_t)i * 2 * hidden;
    struct kernel_scale of_up = d->scale;
    if (of_up.each != NULL) of_up.each += hidden;
    kernel_scale_row(c, d->top[i], &d->scale, hidden, FIXED_GATE_MAX, gate);
    kernel_scale_row(c + hidden, d->top[i], &of_up, hidden, FIXED_UP_MAX, up);
    kernel_swiglu(gate, up, hidden, gate + 2 * (size_t)hidden);
    d->top[i] = kernel_quantise(gate + 2 * (size_t)hidden, hidden, d->a + (size_t)i * hidden);
}

static void logits_row(void *context, uint32_t i, uint32_t thread)
{
    struct decoder *d = context;
    size_t at = (size_t)i * d->h.vocabulary;
    (void)thread;
    kernel_scale_row(d->c + at, d->top[i], &d->scale, d->h.vocabulary, FIXED_LOGIT_MAX,
                     d->f->logits + at);
}

/* ---- the pass ---- */

struct print {
    struct decoder *d;
    uint32_t step;
};

static void fingerprint_piece(void *context, uint32_t i, uint32_t thread)
{
    const struct print *p = context;
    const struct decoder *d = p->d;
    (void)thread;
    uint32_t row = p->step == 4 * d->h.layers ? d->head_rows[i] : i;
    uint64_t *out = d->f->fingerprints + ((size_t)p->step * d->f->count + row) * 2;
    out[0] = fingerprint_row(d->a + (size_t)i * d->m.depth, d->m.depth);
    out[1] = fingerprint_row(d->c + (size_t)i * d->m.columns, (size_t)d->m.columns * 4);
}

static int step_run(struct decoder *d, const struct decoder_product *product, uint32_t step,
                    struct work_error *error)
{
    enum work_matrix matrix = work_step_matrix(d->workload, step);
    d->m = work_matrix_info(d->weights, d->layer, matrix);
    d->scale = (struct kernel_scale){d->m.scale, d->m.scale_all, d->m.shift};
    if (product->run(product->context, step, d->a, d->rows, d->c, error) != 0) return -1;
    if (d->f->fingerprints != NULL)
        pool_run(d->pool, d->rows, fingerprint_piece, &(struct print){d, step});
    if (d->f->sink == NULL) return 0;
    const struct commit_step s = {.op = (uint32_t)matrix, .m = d->rows, .k = d->m.depth,
                                  .n = d->m.columns, .a = d->a, .c = d->c};
    if (d->f->sink(d->f->context, step, &s) != 0)
        return work_fail(error, "whoever took the steps has stopped");
    return 0;
}

static int layer_run(struct decoder *d, const struct decoder_product *product,
                     struct work_error *error)
{
    uint32_t rows = d->rows, first = 4 * d->layer;
    d->norm = 2 * d->layer;
    pool_run(d->pool, rows, norm_row, d);
    if (step_run(d, product, first + WORK_MATRIX_qkv, error) != 0) return -1;
    pool_run(d->pool, rows, qkv_row, d);
    pool_run(d->pool, rows * d->h.kv_heads, attend, d);
    pool_run(d->pool, rows, mean_row, d);
    if (step_run(d, product, first + WORK_MATRIX_out, error) != 0) return -1;
    pool_run(d->pool, rows, residual_row, d);
    d->norm = 2 * d->layer + 1;
    pool_run(d->pool, rows, norm_row, d);
    if (step_run(d, product, first + WORK_MATRIX_up, error) != 0) return -1;
    pool_run(d->pool, rows, hidden_row, d);
    if (step_run(d, product, first + WORK_MATRIX_down, error) != 0) return -1;
    pool_run(d->pool, rows, residual_row, d);
    return 0;
}

/* The rows whose logits are wanted, moved to the front. */
static void gather_head_rows(struct decoder *d)
{
    d->rows = 0;
    for (uint32_t i = 0; i < d->f->count; i++) {
        if (!d->f->rows[i].logits) continue;
        size_t width = d->h.width;
        if (d->rows != i)
            memcpy(d->x + d->rows * width, d->x + i * width, width * sizeof d->x[0]);
        d->head_rows[d->rows++] = i;
    }
}

int decoder_forward(struct decoder *d, const struct decoder_product *product,
                    const struct work_forward *f, struct work_error *error)
{
    if (f->count == 0 || f->count > d->rows_max)
        return work_fail(error, "a pass of %u rows; 1 to %u may be", f->count, d->rows_max);
    for (uint32_t i = 0; i < f->count; i++)
        ASSERT(f->rows[i].slot < d->slots && f->rows[i].position < d->positions &&
               f->rows[i].token < d->h.vocabulary);
    d->f = f;
    d->rows = f->count;
    pool_run(d->pool, d->rows, embed_row, d);
    for (d->layer = 0; d->layer < d->h.layers; d->layer++)
        if (layer_run(d, product, error) != 0) return -1;
    gather_head_rows(d);
    d->layer = 0;
    d->norm = 2 * d->h.layers;
    if (d->rows == 0) return 0;
    pool_run(d->pool, d->rows, norm_row, d);
    if (step_run(d, product, 4 * d->h.layers, error) != 0) return -1;
    if (f->logits != NULL) pool_run(d->pool, d->rows, logits_row, d);
    return 0;
}
