/* engine.c: a model on a backend. What the backend does not do itself (decoder_open) is done here
 * in host memory over its products.
 *
 * Upstream: backends, decoder, weights. Downstream: run; who schedules rows on his own.
 */
#include "work/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "msg/compute.h"
#include "work/backend_gpu.h"

int backend_find(const char *name, const struct backend **backend, struct work_error *error)
{
    /* the GPU's is behind one that is always there: it is taken only by name */
    static const struct backend *const all[] = {&backend_onednn, &backend_openblas, &backend_plain,
                                                &backend_gpu};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (name != NULL && strcmp(name, all[i]->name) != 0) continue;
        void *state;
        struct work_error e = {0};
        if (all[i]->open(&(struct backend_options){.threads = 1}, &state, &e) == 0) {
            all[i]->close(state);
            *backend = all[i];
            return 0;
        }
        if (name != NULL) return work_fail(error, "%s", e.text);
    }
    return work_fail(error, "no backend %s", name == NULL ? "" : name);
}

/* GPU: the more rows a pass has, the more work, and the longer a token takes. */
struct work_engine_size work_engine_size(const struct backend *backend, uint32_t grade)
{
    static const uint32_t rows_gpu[GRADE_count] = {1024, 768, 256};
    ASSERT(grade < GRADE_count);
    if (backend != &backend_gpu) return (struct work_engine_size){.slots = 16, .rows_max = 512};
    uint32_t rows = rows_gpu[grade]; /* each sequence has a row in every pass */
    return (struct work_engine_size){.slots = rows < 512 ? rows : 512, .rows_max = rows};
}

static int product_run(void *context, uint32_t step, const int8_t *a, uint32_t rows, int32_t *c,
                       struct work_error *error)
{
    struct work_engine *e = context;
    return e->backend->product(e->matrices[step], a, rows, c, error);
}

static int open_matrices(struct work_engine *e, struct work_error *error)
{
    e->matrices = calloc(work_steps(e->workload), sizeof(struct backend_matrix *));
    if (e->matrices == NULL) return work_fail(error, "no memory");
    for (uint32_t i = 0; i < work_steps(e->workload); i++) {
        if (e->backend->matrix_open(e->state, e->weights, work_step_layer(e->workload, i),
                                    work_step_matrix(e->workload, i), &e->matrices[i], error) != 0)
            return -1;
    }
    return 0;
}

static int open_gemm(struct work_engine *e, struct work_error *error)
{
    size_t rows = e->workload->rows;
    e->gemm_a = malloc(rows * e->workload->depth);
    e->gemm_c = malloc(rows * e->workload->columns * sizeof e->gemm_c[0]);
    e->gemm_prints = malloc(rows * 2 * sizeof e->gemm_prints[0]);
    if (e->gemm_a != NULL && e->gemm_c != NULL && e->gemm_prints != NULL) return 0;
    return work_fail(error, "no memory for a product");
}

static int open_all(struct work_engine *e, const struct work_engine_options *o,
                    struct work_error *error)
{
    struct backend_options options = o->backend_options;
    e->backend = o->backend;
    if (e->backend == NULL && backend_find(NULL, &e->backend, error) != 0) return -1;
    e->pool = pool_open(options.threads);
    if (e->pool == NULL) return work_fail(error, "no threads");
    options.pool = e->pool;
    if (e->backend->open(&options, &e->state, error) != 0) {
        e->state = NULL;
        return -1;
    }
    if (e->workload->kind == WORK_KIND_decoder && e->backend->decoder_open != NULL)
        return e->backend->decoder_open(e->state, e->weights, e->workload, e->slots, e->rows_max,
                                        &e->device, error);
    if (open_matrices(e, error) != 0) return -1;
    if (e->workload->kind == WORK_KIND_gemm) return open_gemm(e, error);
    return decoder_open(e->workload, e->weights, e->pool, e->slots, e->workload->shape.context,
                        e->rows_max, &e->host, error);
}

int work_engine_open(const struct work_workload *w, const struct work_weights *weights,
                     const struct work_engine_options *options, struct work_engine **engine,
                     struct work_error *error)
{
    struct work_engine *e = calloc(1, sizeof *e);
    if (e == NULL) return work_fail(error, "no memory");
    *e = (struct work_engine){.workload = w, .weights = weights,
                              .slots = options->slots == 0 ? 1 : options->slots,
                              .rows_max = options->rows_max};
    if (e->rows_max == 0)
        e->rows_max = e->slots > w->shape.context ? e->slots : w->shape.context;
    e->rows_batch = options->rows_batch == 0 ? e->rows_max : options->rows_batch;
    if (e->rows_batch > e->rows_max) e->rows_max = e->rows_batch;
    if (open_all(e, options, error) != 0) {
        work_engine_close(e);
        return -1;
    }
    *engine = e;
    return 0;
}

void work_engine_close(struct work_engine *e)
{
    if (e == NULL) return;
    decoder_close(e->host);
    if (e->device != NULL) e->backend->decoder_close(e->device);
    for (uint32_t i = 0; e->matrices != NULL && i < work_steps(e->workload); i++)
        if (e->matrices[i] != NULL) e->backend->matrix_close(e->matrices[i]);
    free(e->matrices);
    if (e->state != NULL) e->backend->close(e->state);
    pool_close(e->pool);
    free(e->gemm_a);
    free(e->gemm_c);
    free(e->gemm_prints);
    free(e);
}

const struct work_workload *work_engine_workload(const struct work_engine *e)
{
    return e->workload;
}

uint32_t work_engine_slots(const struct work_engine *e) { return e->slots; }

void work_engine_describe(const struct work_engine *e, struct backend_description *d)
{
    e->backend->describe(e->state, d);
}

int work_engine_forward(struct work_engine *e, const struct work_forward *f,
                        struct work_error *error)
{
    ASSERT(e->workload->kind == WORK_KIND_decoder);
    e->passes += 1;
    e->rows += f->count;
    if (e->device != NULL) return e->backend->decoder_forward(e->device, f, error);
    return decoder_forward(e->host, &(struct decoder_product){product_run, e}, f, error);
}
