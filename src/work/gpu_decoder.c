/* gpu_decoder.c: see gpu_decoder.h.
 *
 * A forward pass is one queue of kernels and products, without waiting in between: ten launches a
 * layer. What the rows need is written before it, logits and fingerprints are read after it.
 */
#include "work/gpu_decoder.h"

#include "base/assert.h"
#include "work/internal.h"
#define GPU_SIZES_ONLY
#include "work/gpu_kernels.h"

#include <stdlib.h>
#include <string.h>

enum {
    THREADS = 256, /* of a block, where nothing else is said */
    THREADS_ROW = 1024, THREADS_HEAD = 64, THREADS_ATTENTION = 128,
    ROWS_PLAIN = 2,    /* up to here the kernel `product` is faster than the library */
    ROWS_MULTIPLE = 32, /* the library's kernels like whole tiles */
};

const char *const gpu_kernel_names[GPU_KERNEL_count] = {
    "gpu_weights", "gpu_embed", "gpu_clear", "gpu_widen_fp32", "gpu_widen_bf16", "gpu_narrow",
    "gpu_product", "gpu_norm", "gpu_quantise", "gpu_qkv", "gpu_attention", "gpu_swiglu",
    "gpu_logits"};

struct device_matrix {
    struct work_matrix_info info;
    gpu_memory b, scale; /* scale 0: all alike */
};

struct gpu_decoder {
    struct gpu *g;
    const struct work_workload *workload;
    enum gpu_products products;
    uint32_t slots, rows_max, steps, capacity;
    struct device_matrix *matrices; /* by step */
    gpu_memory shape, frequency, embedding, gains;
    gpu_memory keys, values;        /* layer, slot, head of keys and values */
    uint64_t cache_layer;           /* bytes of one layer of either */
    gpu_memory x, a, c, q, o;
    gpu_memory rows, list;          /* struct gpu_row; u32 */
    gpu_memory fingerprints, tops;  /* [steps][count][2]; [steps][count] */
    struct gpu_row *host_rows;
    uint32_t *host_list;
    int8_t *host_a;                 /* for a sink; taken when there is one */
    int32_t *host_c;
    /* the pass under way */
    const struct work_forward *f;
    uint32_t count, logits;
};

static int failed(struct gpu *g, struct work_error *error)
{
    return work_fail(error, "GPU: %s", g->error);
}

static struct gpu_argument address(gpu_memory memory)
{
    return (struct gpu_argument){.as.memory = memory};
}
static struct gpu_argument number(uint32_t value)
{
    return (struct gpu_argument){.as.narrow = (int32_t)value};
}
static struct gpu_argument wide(uint64_t value)
{
    return (struct gpu_argument){.as.wide = (int64_t)value};
}

static int launch(struct gpu *g, enum gpu_kernel kernel, uint64_t blocks, uint32_t threads,
                  struct gpu_argument *arguments, int32_t count)
{
    ASSERT(blocks > 0 && blocks <= UINT32_MAX && count <= GPU_ARGUMENTS_MAX);
    if (threads > g->threads_max) threads = g->threads_max;
    return gpu_launch(g, (int32_t)kernel, (uint32_t)blocks, threads, arguments, count);
}
#define LAUNCH(g, kernel, blocks, threads, ...) \
    launch(g, kernel, blocks, threads, (struct gpu_argument[]){__VA_ARGS__}, \
           (int32_t)(sizeof((struct gpu_argument[]){__VA_ARGS__}) / sizeof(struct gpu_argument)))

/* Blocks for so many elements, each thread several. */
static uint64_t spread(uint64_t elements)
{
    uint64_t blocks = (elements + THREADS - 1) / THREADS;
    return blocks < 1 ? 1 : blocks > 16384 ? 16384 : blocks;
}

/* ---- weights ---- */

int gpu_weights_make(struct gpu *g, const struct work_matrix_info *info, gpu_memory to,
                     struct work_error *error)
{
    uint64_t bytes = (uint64_t)info->depth * info->columns;
    int status = info->rows != NULL
                     ? gpu_write(g, to, info->rows, bytes)
                     : LAUNCH(g, GPU_KERNEL_weights, spread(bytes / 16), THREADS, wide(info->key),
                              address(to), wide(bytes / 16));
    return status == 0 ? 0 : failed(g, error);
}

/* Enqueues c = a b by the kernel `product`. */
static int product_plain(struct gpu *g, uint32_t rows, const struct work_matrix_info *info,
                         gpu_memory a, gpu_memory b, gpu_memory c)
{
    uint32_t threads = THREADS < g->threads_max ? THREADS : g->threads_max;
    uint32_t warps = threads / g->lanes, groups = (rows + GPU_ROWS_SMALL - 1) / GPU_ROWS_SMALL;
    uint64_t blocks = (uint64_t)groups * ((info->columns + warps - 1) / warps);
    return LAUNCH(g, GPU_KERNEL_product, blocks, threads, address(a), address(b), address(c),
                  number(rows), number(info->columns), number(info->depth));
}

static int matrix_make(struct gpu_decoder *d, const struct work_weights *weights, uint32_t step,
                       struct work_error *error)
{
    struct device_matrix *m = &d->matrices[step];
    m->info = work_matrix_info(weights, work_step_layer(d->workload, step),
                               work_step_matrix(d->workload, step));
    m->b = gpu_take(d->g, (uint64_t)m->info.depth * m->info.columns);
    if (m->b == 0)
        return work_fail(error, "the GPU's memory does not hold %s", d->workload->name);
    if (m->info.scale != NULL) {
        m->scale = gpu_take(d->g, 2 * (uint64_t)m->info.columns);
        if (m->scale == 0 ||
            gpu_write(d->g, m->scale, m->info.scale, 2 * (uint64_t)m->info.columns) != 0)
            return failed(d->g, error);
    }
    return gpu_weights_make(d->g, &m->info, m->b, error);
}

/* The embedding as numbers of the residual stream, brought over in pieces. */
static int embedding_make(struct gpu_decoder *d, const struct work_weights *weights,
                          struct work_error *error)
{
    enum { PIECE = 256 };
    const struct work_shape *h = &d->workload->shape;
    uint64_t row = 4 * (uint64_t)h->width;
    int32_t *piece = malloc(PIECE * row);
    int status = 0;
    d->embedding = gpu_take(d->g, row * h->vocabulary);
    if (piece == NULL || d->embedding == 0) {
        free(piece);
        return work_fail(error, "no memory for the embedding of %s", d->workload->name);
    }
    for (uint32_t t = 0; t < h->vocabulary && status == 0; t += PIECE) {
        uint32_t count = h->vocabulary - t < PIECE ? h->vocabulary - t : PIECE;
        for (uint32_t i = 0; i < count; i++)
            work_embedding(weights, t + i, piece + (size_t)i * h->width);
        status = gpu_write(d->g, d->embedding + t * row, piece, count * row);
    }
    free(piece);
    return status == 0 ? 0 : failed(d->g, error);
}

static int constants_make(struct gpu_decoder *d, const struct work_weights *weights,
                          struct work_error *error)
{
    const struct work_shape *h = &d->workload->shape;
    const struct gpu_shape shape = {
        h->width, h->heads, h->kv_heads, h->head_size, h->hidden, h->vocabulary, d->capacity,
        work_attention_scale(weights)};
    uint64_t gains = 4 * (2 * (uint64_t)h->layers + 1) * h->width;
    d->shape = gpu_take(d->g, sizeof shape);
    d->frequency = gpu_take(d->g, 4 * (uint64_t)h->head_size);
    if (d->shape == 0 || d->frequency == 0) return failed(d->g, error);
    if (gpu_write(d->g, d->shape, &shape, sizeof shape) != 0 ||
        gpu_write(d->g, d->frequency, work_frequencies(weights), 4 * (uint64_t)h->head_size) != 0)
        return failed(d->g, error);
    if (work_gain(weights, 0) == NULL) return 0;
    d->gains = gpu_take(d->g, gains);
    if (d->gains == 0 || gpu_write(d->g, d->gains, work_gain(weights, 0), gains) != 0)
        return failed(d->g, error);
    return 0;
}

/* ---- memory ---- */

static int room_take(struct gpu_decoder *d, struct work_error *error)
{
    const struct work_shape *h = &d->workload->shape;
    uint64_t rows = (d->rows_max + ROWS_MULTIPLE - 1) / ROWS_MULTIPLE * ROWS_MULTIPLE;
    uint32_t depth = h->hidden > h->width ? h->hidden : h->width;
    uint32_t qkv = (h->heads + 2 * h->kv_heads) * h->head_size, columns = 2 * h->hidden;
    if (columns < qkv) columns = qkv;
    if (columns < h->vocabulary) columns = h->vocabulary;
    d->cache_layer = (uint64_t)d->slots * h->kv_heads * h->head_size * d->capacity;
    const struct { gpu_memory *memory; uint64_t bytes; } parts[] = {
        {&d->keys, h->layers * d->cache_layer}, {&d->values, h->layers * d->cache_layer},
        {&d->x, 4 * rows * h->width}, {&d->a, rows * depth}, {&d->c, 4 * rows * columns},
        {&d->q, rows * h->width}, {&d->o, 4 * rows * h->width},
        {&d->rows, rows * sizeof(struct gpu_row)}, {&d->list, 4 * rows},
        {&d->fingerprints, 16 * rows * d->steps}, {&d->tops, 4 * rows * d->steps + 8}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i].memory = gpu_take(d->g, parts[i].bytes);
        if (*parts[i].memory == 0)
            return work_fail(error, "the GPU's memory does not hold %u sequences of %u positions "
                             "and %u rows beside %s", d->slots, d->capacity, d->rows_max,
                             d->workload->name);
    }
    d->host_rows = calloc(rows, sizeof *d->host_rows);
    d->host_list = calloc(rows, sizeof *d->host_list);
    if (d->host_rows == NULL || d->host_list == NULL) return work_fail(error, "no memory");
    return 0;
}

struct gpu_decoder *gpu_decoder_open(struct gpu *g, const struct work_weights *weights,
                                     const struct work_workload *w, uint32_t slots,
                                     uint32_t rows_max, enum gpu_products products,
                                     struct work_error *error)
{
    uint32_t positions = w->prompt_count + w->answer_count;
    struct gpu_decoder *d = calloc(1, sizeof *d);
    if (d == NULL || w->shape.head_size > GPU_HEAD_MAX) {
        (void)work_fail(error, d == NULL ? "no memory" : "heads of more than 128");
        free(d);
        return NULL;
    }
    if (positions > w->shape.context) positions = w->shape.context;
    *d = (struct gpu_decoder){.g = g, .workload = w, .products = products, .slots = slots,
                              .rows_max = rows_max, .steps = work_steps(w),
                              .capacity = (positions + 15) / 16 * 16};
    d->matrices = calloc(d->steps, sizeof *d->matrices);
    int status = d->matrices != NULL ? 0 : work_fail(error, "no memory");
    for (uint32_t step = 0; step < d->steps && status == 0; step++)
        status = matrix_make(d, weights, step, error);
    if (status == 0) status = embedding_make(d, weights, error);
    if (status == 0) status = constants_make(d, weights, error);
    if (status == 0) status = room_take(d, error);
    if (status == 0 && gpu_wait(g) != 0) status = failed(g, error);
    if (status == 0) return d;
    gpu_decoder_close(d);
    return NULL;
}

void gpu_decoder_close(struct gpu_decoder *d)
{
    for (uint32_t i = 0; d->matrices != NULL && i < d->steps; i++) {
        gpu_drop(d->g, d->matrices[i].b);
        gpu_drop(d->g, d->matrices[i].scale);
    }
    const gpu_memory parts[] = {d->shape, d->frequency, d->embedding, d->gains, d->keys, d->values,
                                d->x, d->a, d->c, d->q, d->o, d->rows, d->list, d->fingerprints,
                                d->tops};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) gpu_drop(d->g, parts[i]);
    free(d->matrices);
    free(d->host_rows);
    free(d->host_list);
    free(d->host_a);
    free(d->host_c);
    free(d);
}

void gpu_decoder_products(struct gpu_decoder *d, enum gpu_products products)
{
    d->products = products;
}

/* ---- a pass ---- */

/* Where a step's fingerprints begin: of A, and of C 8 bytes further. */
static gpu_memory fingerprint_at(const struct gpu_decoder *d, uint32_t step)
{
    return d->fingerprints + 16 * (uint64_t)step * d->count;
}
static gpu_memory top_at(const struct gpu_decoder *d, uint32_t step)
{
    return d->tops + 4 * (uint64_t)step * d->count;
}

/* What a step multiplied and got, to whoever wants to see it. */
static int sink(struct gpu_decoder *d, uint32_t step, uint32_t rows, struct work_error *error)
{
    const struct work_matrix_info *m = &d->matrices[step].info;
    uint64_t a_bytes = (uint64_t)rows * m->depth, c_bytes = 4 * (uint64_t)rows * m->columns;
    free(d->host_a);
    free(d->host_c);
    d->host_a = malloc(a_bytes);
    d->host_c = malloc(c_bytes);
    if (d->host_a == NULL || d->host_c == NULL) return work_fail(error, "no memory");
    if (gpu_read(d->g, d->host_a, d->a, a_bytes) != 0 ||
        gpu_read(d->g, d->host_c, d->c, c_bytes) != 0) return failed(d->g, error);
    const struct commit_step s = {.op = (uint32_t)work_step_matrix(d->workload, step), .m = rows,
                                  .k = m->depth, .n = m->columns, .a = d->host_a, .c = d->host_c};
    return d->f->sink(d->f->context, step, &s) == 0 ? 0 : work_fail(error, "stopped");
}

static int product(struct gpu_decoder *d, uint32_t step, uint32_t rows, struct work_error *error)
{
    const struct device_matrix *m = &d->matrices[step];
    bool plain = d->products == GPU_PRODUCTS_plain ||
                 (d->products == GPU_PRODUCTS_fastest && rows <= ROWS_PLAIN);
    uint32_t padded = (rows + ROWS_MULTIPLE - 1) / ROWS_MULTIPLE * ROWS_MULTIPLE;
    int status = plain ? product_plain(d->g, rows, &m->info, d->a, m->b, d->c)
                       : gpu_gemm(d->g, GPU_PATH_int8, (int32_t)padded, (int32_t)m->info.columns,
                                  (int32_t)m->info.depth, d->a, m->b, d->c);
    if (status != 0) return failed(d->g, error);
    return d->f->sink != NULL ? sink(d, step, rows, error) : 0;
}

/* The residual stream takes the product of step `before` (UINT32_MAX: none) and is normed for step
 * `next` (UINT32_MAX: not). list 0: all rows. */
static int norm(struct gpu_decoder *d, uint32_t before, uint32_t next, uint32_t gain,
                gpu_memory list, uint32_t rows)
{
    uint32_t width = d->workload->shape.width;
    const struct device_matrix *m = before != UINT32_MAX ? &d->matrices[before] : NULL;
    bool out = next != UINT32_MAX;
    return LAUNCH(d->g, GPU_KERNEL_norm, rows, THREADS_ROW, address(d->x),
                  address(m != NULL ? d->c : 0), address(m != NULL ? top_at(d, before) : 0),
                  address(m != NULL ? m->scale : 0), number(m != NULL ? m->info.scale_all : 0),
                  number(m != NULL ? m->info.shift : 0),
                  address(m != NULL ? fingerprint_at(d, before) + 8 : 0),
                  address(d->gains != 0 ? d->gains + 4 * (uint64_t)gain * width : 0),
                  address(out ? d->a : 0), address(out ? top_at(d, next) : 0),
                  address(out ? fingerprint_at(d, next) : 0), address(list), number(width));
}

/* Blocks to a row that together keep the device busy. */
static uint32_t parts_of(const struct gpu_decoder *d, uint32_t elements)
{
    uint32_t most = (elements + THREADS - 1) / THREADS, wanted = 4096 / d->count + 1;
    return most < wanted ? most : wanted;
}

static int quantise(struct gpu_decoder *d, gpu_memory v, uint64_t stride, uint32_t step,
                    uint32_t width)
{
    uint32_t parts = parts_of(d, width / 8);
    return LAUNCH(d->g, GPU_KERNEL_quantise, (uint64_t)d->count * parts, THREADS, address(v),
                  wide(stride), address(top_at(d, step)), address(d->a),
                  address(fingerprint_at(d, step)), number(width), number(parts));
}

/* Queries, keys and values of one layer, and what attention makes of them, ready for `out`. */
static int attention(struct gpu_decoder *d, uint32_t layer, struct work_error *error)
{
    const struct work_shape *h = &d->workload->shape;
    const struct device_matrix *m = &d->matrices[4 * layer];
    uint32_t step = 4 * layer, group = h->heads / h->kv_heads;
    uint32_t blocks = h->kv_heads * ((group + GPU_GROUP - 1) / GPU_GROUP);
    gpu_memory keys = d->keys + layer * d->cache_layer;
    gpu_memory values = d->values + layer * d->cache_layer;
    int status = LAUNCH(d->g, GPU_KERNEL_qkv, (uint64_t)d->count * (h->heads + 2 * h->kv_heads),
                        THREADS_HEAD, address(d->shape), address(d->rows), address(d->c),
                        address(top_at(d, step)), address(m->scale), number(m->info.scale_all),
                        number(m->info.shift), address(fingerprint_at(d, step) + 8),
                        address(d->frequency), address(d->q), address(keys), address(values));
    if (status == 0)
        status = LAUNCH(d->g, GPU_KERNEL_attention, (uint64_t)d->count * blocks, THREADS_ATTENTION,
                        address(d->shape), address(d->rows), address(d->q), address(keys),
                        address(values), address(d->o), address(top_at(d, step + 1)));
    if (status == 0) status = quantise(d, d->o, h->width, step + 1, h->width);
    return status == 0 ? 0 : failed(d->g, error);
}

static int mlp(struct gpu_decoder *d, uint32_t layer, struct work_error *error)
{
    const struct work_shape *h = &d->workload->shape;
    uint32_t step = 4 * layer + 2, parts = parts_of(d, h->hidden / 4);
    const struct device_matrix *m = &d->matrices[step];
    int status = LAUNCH(d->g, GPU_KERNEL_swiglu, (uint64_t)d->count * parts, THREADS,
                        address(d->c), address(top_at(d, step)), address(m->scale),
                        number(m->info.scale_all), number(m->info.shift),
                        address(fingerprint_at(d, step) + 8), address(top_at(d, step + 1)),
                        number(h->hidden), number(parts));
    if (status == 0) status = quantise(d, d->c, 2 * (uint64_t)h->hidden, step + 1, h->hidden);
    return status == 0 ? 0 : failed(d->g, error);
}

static int layer_pass(struct gpu_decoder *d, uint32_t layer, struct work_error *error)
{
    uint32_t step = 4 * layer, before = layer > 0 ? step - 1 : UINT32_MAX;
    if (norm(d, before, step, 2 * layer, 0, d->count) != 0) return failed(d->g, error);
    if (product(d, step, d->count, error) != 0 || attention(d, layer, error) != 0) return -1;
    if (product(d, step + 1, d->count, error) != 0) return -1;
    if (norm(d, step + 1, step + 2, 2 * layer + 1, 0, d->count) != 0) return failed(d->g, error);
    if (product(d, step + 2, d->count, error) != 0 || mlp(d, layer, error) != 0) return -1;
    return product(d, step + 3, d->count, error);
}

static int head_pass(struct gpu_decoder *d, struct work_error *error)
{
    const struct work_shape *h = &d->workload->shape;
    uint32_t step = 4 * h->layers, parts = parts_of(d, h->vocabulary / 2);
    const struct device_matrix *m = &d->matrices[step];
    if (norm(d, step - 1, UINT32_MAX, 0, 0, d->count) != 0) return failed(d->g, error);
    if (d->logits == 0) return 0;
    if (norm(d, UINT32_MAX, step, 2 * h->layers, d->list, d->logits) != 0)
        return failed(d->g, error);
    if (product(d, step, d->logits, error) != 0) return -1;
    int status = LAUNCH(d->g, GPU_KERNEL_logits, (uint64_t)d->logits * parts, THREADS,
                        address(d->c), address(top_at(d, step)), address(m->scale),
                        number(m->info.scale_all), number(m->info.shift),
                        address(fingerprint_at(d, step) + 8), address(d->list),
                        number(h->vocabulary), number(parts));
    return status == 0 ? 0 : failed(d->g, error);
}

static int rows_write(struct gpu_decoder *d, struct work_error *error)
{
    uint64_t marks = 2 * (uint64_t)d->steps * d->count;
    uint64_t tops = ((uint64_t)d->steps * d->count + 1) / 2;
    d->logits = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        const struct work_row *r = &d->f->rows[i];
        if (r->slot >= d->slots || r->position >= d->capacity ||
            r->token >= d->workload->shape.vocabulary)
            return work_fail(error, "row %u is out of bounds", i);
        d->host_rows[i] = (struct gpu_row){r->slot, r->position, r->token};
        if (r->logits) d->host_list[d->logits++] = i;
    }
    if (gpu_write(d->g, d->rows, d->host_rows, d->count * sizeof *d->host_rows) != 0 ||
        gpu_write(d->g, d->list, d->host_list, d->count * sizeof *d->host_list) != 0 ||
        LAUNCH(d->g, GPU_KERNEL_clear, spread(marks), THREADS, address(d->fingerprints),
               wide(marks)) != 0 ||
        LAUNCH(d->g, GPU_KERNEL_clear, spread(tops), THREADS, address(d->tops), wide(tops)) != 0 ||
        LAUNCH(d->g, GPU_KERNEL_embed, d->count, THREADS, address(d->embedding), address(d->rows),
               address(d->x), number(d->workload->shape.width)) != 0)
        return failed(d->g, error);
    return 0;
}

int gpu_decoder_forward(struct gpu_decoder *d, const struct work_forward *f,
                        struct work_error *error)
{
    if (f->count == 0 || f->count > d->rows_max)
        return work_fail(error, "%u rows in a pass of at most %u", f->count, d->rows_max);
    d->f = f;
    d->count = f->count;
    if (rows_write(d, error) != 0) return -1;
    for (uint32_t layer = 0; layer < d->workload->shape.layers; layer++)
        if (layer_pass(d, layer, error) != 0) return -1;
    if (head_pass(d, error) != 0) return -1;
    if (f->logits != NULL && d->logits > 0 &&
        gpu_read(d->g, f->logits, d->c,
                 4 * (uint64_t)d->logits * d->workload->shape.vocabulary) != 0)
        return failed(d->g, error);
    if (f->fingerprints != NULL &&
        gpu_read(d->g, f->fingerprints, d->fingerprints, 16 * (uint64_t)d->steps * d->count) != 0)
        return failed(d->g, error);
    return gpu_wait(d->g) == 0 ? 0 : failed(d->g, error);
}
