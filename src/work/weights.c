/* weights.c: a model's integers: made from a seed, or the buyer's bytes.
 *
 * A file of weights, little-endian, parts in this order, each begun at a multiple of 8 bytes with
 * zeros between:
 *
 *   "dojweigh", version 4 = 1, layers 4, width 4, heads 4, kv heads 4, head size 4, hidden 4,
 *     vocabulary 4, context 4, embedding scale 4, attention scale 4, 0 4      (56 bytes)
 *   frequencies   head size / 2 of 8 bytes: turns a position, times 2^64
 *   gains         (2 layers + 1) x width of 4 bytes, signed: Q12, |gain| <= 2^20
 *   shifts        4 layers + 1 of 4 bytes: 16..48
 *   scales        of each matrix in turn: its columns, 2 bytes each, 1..32767
 *   embedding     vocabulary x width of 1 byte, signed
 *   matrices      of each in turn: columns x depth of 1 byte, -4..4
 *
 * Invariant: everything is checked before a handle is given out: nothing later can leave the bounds
 * of fixed.h.
 *
 * Upstream: registry, fixed.h. Downstream: engine, backends, check.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "work/fixed.h"
#include "work/internal.h"

enum { SCALE_MAX = 32767, GAIN_MAX = 1 << 20, SHIFT_MIN = 16, SHIFT_MAX = 48 };
enum { EMBEDDING_MATRIX = 6, EMBEDDING_SEEDED = 2048, EMBEDDING_MAX = 65536 };
enum { HEAD_BYTES = 56, VERSION = 1 };

struct matrix_part {
    uint32_t depth, columns;
    uint32_t shift;
    uint16_t scale_all;
    uint64_t key;
    const uint16_t *scale; /* NULL: seeded */
    const int8_t *rows;
};

struct work_weights {
    const struct work_workload *workload;
    struct digest digest;
    int32_t embedding_scale;
    uint32_t attention_scale;
    uint64_t embedding_key;
    const int8_t *embedding;
    const int32_t *gains;
    uint64_t frequencies[WORK_HEAD_MAX / 2];
    uint32_t count; /* of matrices */
    struct matrix_part matrices[];
};

uint32_t work_steps(const struct work_workload *w)
{
    return w->kind == WORK_KIND_gemm ? 1 : 4 * w->shape.layers + 1;
}

enum work_matrix work_step_matrix(const struct work_workload *w, uint32_t step)
{
    if (w->kind == WORK_KIND_gemm) return WORK_MATRIX_gemm;
    return step == 4 * w->shape.layers ? WORK_MATRIX_head : (enum work_matrix)(step % 4);
}

uint32_t work_step_layer(const struct work_workload *w, uint32_t step)
{
    return work_step_matrix(w, step) <= WORK_MATRIX_down ? step / 4 : 0;
}

static uint32_t step_of(const struct work_workload *w, uint32_t layer, enum work_matrix matrix)
{
    if (matrix == WORK_MATRIX_gemm) return 0;
    return matrix == WORK_MATRIX_head ? 4 * w->shape.layers : 4 * layer + (uint32_t)matrix;
}

/* Binary places of what is quantised before a matrix, and of what its product becomes. */
static const struct {
    uint32_t in, out;
} places[] = {[WORK_MATRIX_qkv] = {16, 11}, [WORK_MATRIX_out] = {15, 12},
              [WORK_MATRIX_up] = {16, 12}, [WORK_MATRIX_down] = {12, 12},
              [WORK_MATRIX_head] = {16, 16}, [WORK_MATRIX_gemm] = {0, 0}};

/* The scale of a seeded matrix: its product has the size of what went in:
 * scale / 2^shift = 2^(out - in) / (127 sqrt(4.5 depth)), with scale in [16384, 32767]. */
static void seeded_scale(struct matrix_part *m, enum work_matrix matrix)
{
    uint64_t divisor = 127 * fixed_root(((uint64_t)9 * m->depth / 2) << 16); /* Q8 */
    uint32_t e = 0;
    while (((uint64_t)1 << e) / divisor < 16384) e++;
    m->scale_all = (uint16_t)(((uint64_t)1 << e) / divisor);
    m->shift = e - 8 + places[matrix].in - places[matrix].out;
    ASSERT(m->scale_all <= SCALE_MAX && m->shift >= SHIFT_MIN && m->shift <= SHIFT_MAX);
}

/* Turns a position of each pair, for a base of 10000. ratio = floor(2^64 10000^(-2 / size)). */
static int seeded_frequencies(struct work_weights *weights, uint32_t size)
{
    static const struct {
        uint32_t size;
        uint64_t ratio;
    } ratios[] = {{16, 5833372668713515884u}, {32, 10373366507857047691u},
                  {64, 13833106561912589466u}, {128, 15974222249986187368u}};
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++) {
        if (ratios[i].size != size) continue;
        uint64_t f = 2935890503282001226u; /* floor(2^64 / (2 pi)) */
        for (uint32_t k = 0; k < size / 2; k++) {
            weights->frequencies[k] = f;
            f = fixed_multiply_high(f, ratios[i].ratio);
        }
        return 0;
    }
    return -1;
}

static struct work_weights *weights_new(const struct work_workload *w)
{
    uint32_t count = work_steps(w);
    struct work_weights *weights = calloc(1, sizeof *weights + count * sizeof weights->matrices[0]);
    if (weights == NULL) return NULL;
    weights->workload = w;
    weights->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct commit_step s = work_step_shape(w, i, 0, 0);
        weights->matrices[i] = (struct matrix_part){.depth = s.k, .columns = s.n};
    }
    return weights;
}

int work_weights_seeded(const struct work_workload *w, struct work_weights **out,
                        struct work_error *error)
{
    struct work_weights *weights = weights_new(w);
    if (weights == NULL) return work_fail(error, "no memory for the weights of %s", w->name);
    weights->embedding_scale = EMBEDDING_SEEDED;
    weights->embedding_key = fixed_matrix_key(w->seed, 0, EMBEDDING_MATRIX);
    for (uint32_t i = 0; i < weights->count; i++) {
        enum work_matrix matrix = work_step_matrix(w, i);
        weights->matrices[i].key =
            fixed_matrix_key(w->seed, work_step_layer(w, i), (uint32_t)matrix);
        seeded_scale(&weights->matrices[i], matrix);
    }
    if (w->kind == WORK_KIND_decoder) {
        /* log2(e) / 2^10 / sqrt(head size), Q32: scores of int8 that stand for 1/32 each */
        uint64_t one = 6051102;
        weights->attention_scale = (uint32_t)fixed_root(one * one / w->shape.head_size);
        if (seeded_frequencies(weights, w->shape.head_size) != 0) {
            free(weights);
            return work_fail(error, "no frequencies for heads of %u", w->shape.head_size);
        }
    }
    *out = weights;
    return 0;
}

void work_weights_close(struct work_weights *weights)
{
    free(weights);
}

/* ---- the buyer's ---- */

struct reader {
    const uint8_t *bytes;
    size_t size, at;
    struct work_error *error;
};

/* The next part, or NULL: the file ends before it does, or (then it is said) it is not filled up
 * with zeros. */
static const void *part(struct reader *r, uint64_t size)
{
    size_t at = r->at;
    if (size > r->size - at) return NULL;
    size_t end = at + (size_t)size, next = (end + 7) & ~(size_t)7;
    if (next > r->size) return NULL;
    for (size_t i = end; i < next; i++) {
        if (r->bytes[i] == 0) continue;
        (void)work_fail(r->error, "byte %zu fills a part up to 8 bytes and is not 0", i);
        return NULL;
    }
    r->at = next;
    return r->bytes + at;
}

static uint64_t filled(uint64_t size) { return (size + 7) & ~UINT64_C(7); }

uint64_t work_weights_size(const struct work_workload *w)
{
    const struct work_shape *h = &w->shape;
    uint32_t count = work_steps(w);
    if (w->kind != WORK_KIND_decoder) return 0;
    uint64_t size = HEAD_BYTES + 8 * (uint64_t)(h->head_size / 2) +
                    filled(4 * (2 * (uint64_t)h->layers + 1) * h->width) +
                    filled(4 * (uint64_t)count) + filled((uint64_t)h->vocabulary * h->width);
    for (uint32_t i = 0; i < count; i++) {
        struct commit_step s = work_step_shape(w, i, 0, 0);
        size += filled(2 * (uint64_t)s.n) + filled((uint64_t)s.n * s.k);
    }
    return size;
}

static int read_head(struct work_weights *weights, struct reader *r, struct work_error *error)
{
    const uint8_t *head = part(r, HEAD_BYTES);
    if (head == NULL || memcmp(head, "dojweigh", 8) != 0)
        return work_fail(error, "not a file of weights: it does not begin with dojweigh");
    uint32_t words[12];
    memcpy(words, head + 8, sizeof words);
    if (words[0] != VERSION) return work_fail(error, "no version %u of weights", words[0]);
    const struct work_shape *h = &weights->workload->shape;
    const uint32_t shape[8] = {h->layers, h->width, h->heads, h->kv_heads, h->head_size, h->hidden,
                               h->vocabulary, h->context};
    static const char *const names[8] = {"layers", "width", "heads", "kv heads", "head size",
                                         "hidden", "vocabulary", "context"};
    for (int i = 0; i < 8; i++) {
        if (words[1 + i] != shape[i])
            return work_fail(error, "%s is %u; %s has %u", names[i], words[1 + i],
                             weights->workload->name, shape[i]);
    }
    if (words[9] == 0 || words[9] > EMBEDDING_MAX)
        return work_fail(error, "the embedding's scale is %u: 1 to %d may be", words[9],
                         EMBEDDING_MAX);
    if (words[10] == 0 || words[10] > INT32_MAX)
        return work_fail(error, "the attention's scale is %u: 1 to 2^31 - 1 may be", words[10]);
    if (words[11] != 0) return work_fail(error, "the last word of the head is not 0");
    weights->embedding_scale = (int32_t)words[9];
    weights->attention_scale = words[10];
    return 0;
}

static int read_gains(struct work_weights *weights, struct reader *r, struct work_error *error)
{
    const struct work_shape *h = &weights->workload->shape;
    uint64_t count = (2 * (uint64_t)h->layers + 1) * h->width;
    const void *frequencies = part(r, 8 * (uint64_t)(h->head_size / 2));
    if (frequencies == NULL) return work_fail(error, "it ends within the frequencies");
    memcpy(weights->frequencies, frequencies, 8 * (size_t)(h->head_size / 2));
    weights->gains = part(r, 4 * count);
    if (weights->gains == NULL) return work_fail(error, "it ends within the gains");
    for (uint64_t i = 0; i < count; i++) {
        if (weights->gains[i] > GAIN_MAX || weights->gains[i] < -GAIN_MAX)
            return work_fail(error, "gain %llu is %d: at most 2^20 in size may be",
                             (unsigned long long)i, weights->gains[i]);
    }
    return 0;
}

static int read_scales(struct work_weights *weights, struct reader *r, struct work_error *error)
{
    const uint32_t *shifts = part(r, 4 * (uint64_t)weights->count);
    if (shifts == NULL) return work_fail(error, "it ends within the shifts");
    for (uint32_t i = 0; i < weights->count; i++) {
        struct matrix_part *m = &weights->matrices[i];
        if (shifts[i] < SHIFT_MIN || shifts[i] > SHIFT_MAX)
            return work_fail(error, "the shift of matrix %u is %u: 16 to 48 may be", i, shifts[i]);
        m->shift = shifts[i];
        m->scale = part(r, 2 * (uint64_t)m->columns);
        if (m->scale == NULL) return work_fail(error, "it ends within the scales of matrix %u", i);
        for (uint32_t n = 0; n < m->columns; n++) {
            if (m->scale[n] == 0 || m->scale[n] > SCALE_MAX)
                return work_fail(error, "the scale of column %u of matrix %u is %u: 1 to %d may be",
                                 n, i, m->scale[n], SCALE_MAX);
        }
    }
    return 0;
}

static int read_matrices(struct work_weights *weights, struct reader *r, struct work_error *error)
{
    const struct work_shape *h = &weights->workload->shape;
    weights->embedding = part(r, (uint64_t)h->vocabulary * h->width);
    if (weights->embedding == NULL) return work_fail(error, "it ends within the embedding");
    for (uint32_t i = 0; i < weights->count; i++) {
        struct matrix_part *m = &weights->matrices[i];
        uint64_t count = (uint64_t)m->columns * m->depth, outside = 0;
        m->rows = part(r, count);
        if (m->rows == NULL) return work_fail(error, "it ends within matrix %u", i);
        for (uint64_t k = 0; k < count; k++)
            outside += (uint8_t)(m->rows[k] + WORK_WEIGHT_MAX) > 2 * WORK_WEIGHT_MAX;
        if (outside != 0)
            return work_fail(error, "%llu weights of matrix %u are not within -4..4",
                             (unsigned long long)outside, i);
    }
    return r->at == r->size ? 0 : work_fail(error, "%zu bytes behind the last matrix",
                                            r->size - r->at);
}

int work_weights_bytes(const struct work_workload *w, const uint8_t *bytes, size_t size,
                       struct work_weights **out, struct work_error *error)
{
    if (w->kind != WORK_KIND_decoder)
        return work_fail(error, "%s is a product: it takes no weights", w->name);
    if ((uintptr_t)bytes % 8 != 0)
        return work_fail(error, "weights begin at a multiple of 8 bytes");
    struct work_weights *weights = weights_new(w);
    if (weights == NULL) return work_fail(error, "no memory for the weights of %s", w->name);
    struct reader r = {.bytes = bytes, .size = size, .error = error};
    if (read_head(weights, &r, error) != 0 || read_gains(weights, &r, error) != 0 ||
        read_scales(weights, &r, error) != 0 || read_matrices(weights, &r, error) != 0) {
        free(weights);
        return -1;
    }
    weights->digest = digest_of(bytes, size);
    *out = weights;
    return 0;
}

/* ---- what is asked of either ---- */

struct digest work_weights_digest(const struct work_weights *weights)
{
    return weights->digest;
}

struct work_matrix_info work_matrix_info(const struct work_weights *weights, uint32_t layer,
                                         enum work_matrix matrix)
{
    uint32_t step = step_of(weights->workload, layer, matrix);
    ASSERT(step < weights->count);
    const struct matrix_part *m = &weights->matrices[step];
    return (struct work_matrix_info){.depth = m->depth, .columns = m->columns, .shift = m->shift,
                                     .scale = m->scale, .scale_all = m->scale_all, .key = m->key,
                                     .rows = m->rows};
}

/* Sixteen weights of each block, from a table of pairs by byte. */
static void fill_seeded(uint64_t key, uint64_t first, uint64_t blocks, int8_t *out)
{
    uint16_t pairs[256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t low = (uint8_t)fixed_weight(i, 0), high = (uint8_t)fixed_weight(i, 1);
        pairs[i] = (uint16_t)(low | high << 8);
    }
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t block = fixed_weight_block(key, first + i);
        uint16_t made[8];
        for (int b = 0; b < 8; b++) made[b] = pairs[block >> (8 * b) & 255u];
        memcpy(out + 16 * i, made, sizeof made);
    }
}

void work_matrix_fill(const struct work_weights *weights, uint32_t layer, enum work_matrix matrix,
                      uint32_t first, uint32_t count, int8_t *out)
{
    struct work_matrix_info m = work_matrix_info(weights, layer, matrix);
    ASSERT(first <= m.columns && count <= m.columns - first && m.depth % 16 == 0);
    uint64_t at = (uint64_t)first * m.depth, size = (uint64_t)count * m.depth;
    if (m.rows != NULL) memcpy(out, m.rows + at, size);
    else fill_seeded(m.key, at / 16, size / 16, out);
}

void work_embedding(const struct work_weights *weights, uint32_t token, int32_t *row)
{
    uint32_t width = weights->workload->shape.width;
    uint64_t at = (uint64_t)token * width;
    for (uint32_t i = 0; i < width; i++) {
        int32_t e;
        if (weights->embedding != NULL) {
            e = weights->embedding[at + i];
        } else {
            uint64_t block = fixed_weight_block(weights->embedding_key, (at + i) / 16);
            e = fixed_weight(block, (uint32_t)((at + i) % 16));
        }
        row[i] = e * weights->embedding_scale;
    }
}

const int32_t *work_gain(const struct work_weights *weights, uint32_t norm)
{
    if (weights->gains == NULL) return NULL;
    return weights->gains + (size_t)norm * weights->workload->shape.width;
}

uint32_t work_attention_scale(const struct work_weights *weights)
{
    return weights->attention_scale;
}

const uint64_t *work_frequencies(const struct work_weights *weights)
{
    return weights->frequencies;
}
