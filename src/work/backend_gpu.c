/* backend_gpu.c: reference workloads on a GPU; see work.h's struct backend, gpu.h, gpu_decoder.h.
 *
 * Single products go through host memory and the vendor's library in the precision that is asked
 * for: fp32, bf16 with fp32 sums, int8 with int32 sums. A decoder stays on the device, in int8.
 *
 * Upstream: gpu, gpu_decoder. Downstream: engine (through the vtable), certify.
 */
#include "work/backend_gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gpu_state {
    struct gpu *g;
    bool borrowed; /* not to be closed here */
    enum gpu_path path;
    gpu_memory narrow, a, c; /* room for a product: A as int8, A as it multiplies, C */
    uint64_t narrow_bytes, a_bytes, c_bytes;
};

struct backend_matrix {
    struct gpu_state *state;
    struct work_matrix_info info;
    gpu_memory b;
};

static const char *const path_names[GPU_PATH_count] = {"fp32", "bf16", "int8"};
static const uint32_t path_bytes[GPU_PATH_count] = {4, 2, 1};

static int failed(struct gpu_state *s, struct work_error *error)
{
    return work_fail(error, "GPU: %s", s->g->error);
}

/* ---- opening ---- */

struct gpu *gpu_borrowed; /* tests put an emulated device here */

static int state_open(const struct backend_options *options, void **state,
                      struct work_error *error)
{
    char why[GPU_TEXT_SIZE];
    struct gpu_state *s = calloc(1, sizeof *s);
    if (s == NULL) return work_fail(error, "no memory");
    s->path = options->precision == WORK_PRECISION_fp32   ? GPU_PATH_fp32
              : options->precision == WORK_PRECISION_bf16 ? GPU_PATH_bf16
                                                          : GPU_PATH_int8;
    s->borrowed = gpu_borrowed != NULL;
    s->g = s->borrowed ? gpu_borrowed : gpu_open(why);
    if (s->g == NULL) {
        free(s);
        return work_fail(error, "%s", why);
    }
    if (gpu_build(s->g, gpu_kernel_names, GPU_KERNEL_count) != 0) {
        (void)failed(s, error);
        if (!s->borrowed) gpu_close(s->g);
        free(s);
        return -1;
    }
    *state = s;
    return 0;
}

static void state_close(void *state)
{
    struct gpu_state *s = state;
    gpu_drop(s->g, s->narrow);
    gpu_drop(s->g, s->a);
    gpu_drop(s->g, s->c);
    if (!s->borrowed) gpu_close(s->g);
    free(s);
}

static void describe(const void *state, struct backend_description *d)
{
    const struct gpu_state *s = state;
    *d = (struct backend_description){.memory = s->g->facts.memory};
    (void)snprintf(d->name, sizeof d->name, "%.31s", s->g->facts.blas);
    (void)snprintf(d->kernel, sizeof d->kernel, "%.63s", s->g->facts.name);
    (void)snprintf(d->precision, sizeof d->precision, "%s", path_names[s->path]);
}

struct gpu *backend_gpu_device(void *state) { return ((struct gpu_state *)state)->g; }

/* ---- products ---- */

/* A kernel over all elements of a matrix, each thread several. */
static int launch(struct gpu_state *s, enum gpu_kernel kernel, struct gpu_argument *arguments,
                  int32_t count)
{
    uint32_t threads = s->g->threads_max < 256 ? s->g->threads_max : 256;
    return gpu_launch(s->g, (int32_t)kernel, 4096, threads, arguments, count);
}

static int widen(struct gpu_state *s, gpu_memory from, gpu_memory to, uint64_t count)
{
    struct gpu_argument arguments[] = {{.as.memory = from}, {.as.memory = to},
                                       {.as.wide = (int64_t)count}};
    return launch(s, s->path == GPU_PATH_fp32 ? GPU_KERNEL_widen_fp32 : GPU_KERNEL_widen_bf16,
                  arguments, 3);
}

/* The library's kernels like whole tiles of rows. */
static uint32_t padded(uint32_t rows) { return (rows + 15) / 16 * 16; }

static int matrix_open(void *state, const struct work_weights *weights, uint32_t layer,
                       enum work_matrix matrix, struct backend_matrix **out,
                       struct work_error *error)
{
    struct gpu_state *s = state;
    struct backend_matrix *m = calloc(1, sizeof *m);
    if (m == NULL) return work_fail(error, "no memory");
    m->state = s;
    m->info = work_matrix_info(weights, layer, matrix);
    uint64_t count = (uint64_t)m->info.depth * m->info.columns;
    bool whole = s->path == GPU_PATH_int8;
    gpu_memory narrow = gpu_take(s->g, count);
    m->b = whole ? narrow : gpu_take(s->g, count * path_bytes[s->path]);
    int status = narrow != 0 && m->b != 0 ? gpu_weights_make(s->g, &m->info, narrow, error)
                                          : failed(s, error);
    if (status == 0 && !whole && widen(s, narrow, m->b, count) != 0) status = failed(s, error);
    if (status == 0 && gpu_wait(s->g) != 0) status = failed(s, error);
    if (!whole) gpu_drop(s->g, narrow);
    if (status == 0) {
        *out = m;
        return 0;
    }
    gpu_drop(s->g, m->b);
    free(m);
    return -1;
}

static void matrix_close(struct backend_matrix *m)
{
    gpu_drop(m->state->g, m->b);
    free(m);
}

/* Room of at least so many bytes. */
static int room(struct gpu_state *s, gpu_memory *memory, uint64_t *has, uint64_t bytes)
{
    if (*has >= bytes) return 0;
    gpu_drop(s->g, *memory);
    *memory = gpu_take(s->g, bytes);
    *has = *memory != 0 ? bytes : 0;
    return *memory != 0 ? 0 : -1;
}

/* A and C on the device for so many rows; `a` is what multiplies. */
static int rooms(struct gpu_state *s, const struct work_matrix_info *m, uint32_t rows,
                 gpu_memory *a)
{
    uint64_t whole = padded(rows), elements = whole * m->depth;
    if (room(s, &s->narrow, &s->narrow_bytes, elements) != 0 ||
        room(s, &s->c, &s->c_bytes, 4 * whole * m->columns) != 0) return -1;
    *a = s->narrow;
    if (s->path == GPU_PATH_int8) return 0;
    if (room(s, &s->a, &s->a_bytes, elements * path_bytes[s->path]) != 0) return -1;
    *a = s->a;
    return 0;
}

static int multiply(struct backend_matrix *m, gpu_memory a, uint32_t rows)
{
    struct gpu_state *s = m->state;
    return gpu_gemm(s->g, s->path, (int32_t)padded(rows), (int32_t)m->info.columns,
                    (int32_t)m->info.depth, a, m->b, s->c);
}

static int product(struct backend_matrix *m, const int8_t *a, uint32_t rows, int32_t *c,
                   struct work_error *error)
{
    struct gpu_state *s = m->state;
    uint64_t elements = (uint64_t)rows * m->info.depth, count = (uint64_t)rows * m->info.columns;
    gpu_memory operand;
    if (rooms(s, &m->info, rows, &operand) != 0 || gpu_write(s->g, s->narrow, a, elements) != 0)
        return failed(s, error);
    if (s->path != GPU_PATH_int8 && widen(s, s->narrow, s->a, elements) != 0)
        return failed(s, error);
    if (multiply(m, operand, rows) != 0) return failed(s, error);
    if (s->path != GPU_PATH_int8) {
        struct gpu_argument arguments[] = {{.as.memory = s->c}, {.as.wide = (int64_t)count}};
        if (launch(s, GPU_KERNEL_narrow, arguments, 2) != 0) return failed(s, error);
    }
    return gpu_read(s->g, c, s->c, 4 * count) == 0 ? 0 : failed(s, error);
}

int backend_gpu_repeat(struct backend_matrix *m, uint32_t rows, uint32_t times,
                       struct work_error *error)
{
    struct gpu_state *s = m->state;
    gpu_memory operand;
    if (rooms(s, &m->info, rows, &operand) != 0) return failed(s, error);
    for (uint32_t i = 0; i < times; i++)
        if (multiply(m, operand, rows) != 0) return failed(s, error);
    return gpu_wait(s->g) == 0 ? 0 : failed(s, error);
}

/* ---- decoder ---- */

struct backend_decoder { struct gpu_decoder *decoder; };

static int decoder_open(void *state, const struct work_weights *weights,
                        const struct work_workload *w, uint32_t slots, uint32_t rows_max,
                        struct backend_decoder **decoder, struct work_error *error)
{
    struct gpu_state *s = state;
    struct backend_decoder *d = calloc(1, sizeof *d);
    if (d == NULL) return work_fail(error, "no memory");
    d->decoder = gpu_decoder_open(s->g, weights, w, slots, rows_max, GPU_PRODUCTS_fastest, error);
    if (d->decoder == NULL) {
        free(d);
        return -1;
    }
    *decoder = d;
    return 0;
}

static int decoder_forward(struct backend_decoder *d, const struct work_forward *f,
                           struct work_error *error)
{
    return gpu_decoder_forward(d->decoder, f, error);
}

static void decoder_close(struct backend_decoder *d)
{
    gpu_decoder_close(d->decoder);
    free(d);
}

void backend_gpu_products(struct backend_decoder *d, enum gpu_products products)
{
    gpu_decoder_products(d->decoder, products);
}

const struct backend backend_gpu = {
    .name = "gpu", .open = state_open, .close = state_close, .describe = describe,
    .matrix_open = matrix_open, .product = product, .matrix_close = matrix_close,
    .decoder_open = decoder_open, .decoder_forward = decoder_forward,
    .decoder_close = decoder_close};
