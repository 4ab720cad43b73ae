/* certify_products.c: what the libraries' bare products reach on this machine; see certify.h.
 *
 * The largest matrix of the workload, by every way to multiply that the device has. Some rows of
 * what comes out, and a row of the greatest operands, are compared with integer sums: a library
 * that is not exact is seen here before anything is built on it (UNIT-03).
 */
#include "work/certify.h"

#include "quant/blas.h"
#include "work/backend_gpu.h"
#include "work/engine.h"
#include "work/fixed.h"
#include "work/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKED = 8, TIMED_MIN = 2, TIMED_MAX = 200 };
static const double timed_seconds = 0.5;

struct operands {
    const struct certify_plan *plan;
    const struct work_weights *weights;
    enum work_matrix matrix;
    uint32_t rows, depth, columns;
    int8_t *a, *b;
    int32_t *c, *expected;
    uint32_t checked[CHECKED];
};

static void operands_free(struct operands *o)
{
    free(o->a);
    free(o->b);
    free(o->c);
    free(o->expected);
}

static int operands_make(struct operands *o, struct work_error *error)
{
    uint64_t key = work_key(&o->plan->seed);
    size_t a = (size_t)o->rows * o->depth, c = (size_t)o->rows * o->columns;
    o->a = malloc(a);
    o->b = malloc((size_t)o->depth * o->columns);
    o->c = malloc(4 * c);
    o->expected = malloc(4 * (size_t)CHECKED * o->columns);
    if (o->a == NULL || o->b == NULL || o->c == NULL || o->expected == NULL)
        return work_fail(error, "no memory for a product");
    for (size_t i = 0; i < a / 8; i++) {
        uint64_t random = fixed_random(key, i);
        for (uint32_t n = 0; n < 8; n++) o->a[8 * i + n] = (int8_t)fixed_activation(random, n);
    }
    work_matrix_fill(o->weights, 0, o->matrix, 0, o->columns, o->b);
    for (uint32_t k = 0; k < o->depth; k++) /* the greatest sum that column 0 can have */
        o->a[k] = o->b[k] < 0 ? -WORK_ACTIVATION_MAX : WORK_ACTIVATION_MAX;
    for (uint32_t i = 0; i < CHECKED; i++) {
        o->checked[i] = i == 0 ? 0 : (uint32_t)(fixed_random(key, a + i) % o->rows);
        kernel_product(o->a + (size_t)o->checked[i] * o->depth, o->depth, 1, o->b, o->depth,
                       o->columns, o->depth, o->expected + (size_t)i * o->columns, o->columns);
    }
    return 0;
}

static bool exact(const struct operands *o)
{
    for (uint32_t i = 0; i < CHECKED; i++)
        if (memcmp(o->c + (size_t)o->checked[i] * o->columns,
                   o->expected + (size_t)i * o->columns, 4 * (size_t)o->columns) != 0) return false;
    return true;
}

static struct certify_product *add(struct certify_result *r, const struct operands *o,
                                   const char *library, const char *precision)
{
    if (r->product_count == CERTIFY_PRODUCTS_MAX) return NULL;
    struct certify_product *p = &r->products[r->product_count++];
    *p = (struct certify_product){.rows = o->rows, .depth = o->depth, .columns = o->columns};
    (void)snprintf(p->library, sizeof p->library, "%.31s", library);
    (void)snprintf(p->precision, sizeof p->precision, "%.7s", precision);
    return p;
}

/* FLOP a second of `once`, which multiplies `times` times. */
static double rate(const struct operands *o, int (*once)(void *context, uint32_t times),
                   void *context)
{
    double flop = 2.0 * o->rows * o->depth * o->columns;
    uint32_t times = TIMED_MIN;
    if (once(context, 1) != 0) return 0; /* warm */
    for (;;) {
        int64_t begun = work_now();
        if (once(context, times) != 0) return 0;
        double took = 1e-9 * (double)(work_now() - begun);
        if (took >= timed_seconds || times >= TIMED_MAX)
            return took > 0 ? flop * times / took : 0;
        times = took > 0 && timed_seconds / took < 16
                    ? (uint32_t)((double)times * timed_seconds / took * 1.2) + 1 : 16 * times;
        if (times > TIMED_MAX) times = TIMED_MAX;
    }
}

/* ---- a backend's product ---- */

struct one {
    const struct backend *backend;
    struct backend_matrix *m;
    struct operands *o;
    struct work_error error;
};

static int once_backend(void *context, uint32_t times)
{
    struct one *one = context;
    for (uint32_t i = 0; i < times; i++)
        if (one->backend->product(one->m, one->o->a, one->o->rows, one->o->c, &one->error) != 0)
            return -1;
    return 0;
}

static int once_gpu(void *context, uint32_t times)
{
    struct one *one = context;
    return backend_gpu_repeat(one->m, one->o->rows, times, &one->error);
}

/* A backend that cannot be opened in this precision is left out. */
static int backend_product(const struct backend *backend, enum work_precision precision,
                           struct operands *o, struct certify_result *r, struct work_error *error)
{
    struct backend_options options = o->plan->backend_options;
    struct backend_description d;
    struct one one = {.backend = backend, .o = o};
    void *state;
    options.precision = precision;
    if (backend->open(&options, &state, &one.error) != 0) return 0;
    backend->describe(state, &d);
    int status = backend->matrix_open(state, o->weights, 0, o->matrix, &one.m, error);
    if (status == 0) {
        struct certify_product *p = add(r, o, d.name, d.precision);
        memset(o->c, 0x55, 4 * (size_t)o->rows * o->columns);
        status = backend->product(one.m, o->a, o->rows, o->c, error);
        if (status == 0 && p != NULL) {
            p->exact = exact(o);
            p->flops = rate(o, backend == &backend_gpu ? once_gpu : once_backend, &one);
            if (p->flops <= 0) status = work_fail(error, "%s", one.error.text);
        }
        backend->matrix_close(one.m);
    }
    backend->close(state);
    return status;
}

/* ---- OpenBLAS itself, one call, all its threads ---- */

struct bare {
    struct blas blas;
    const struct operands *o;
    float *a, *b, *c;
};

static int once_bare(void *context, uint32_t times)
{
    struct bare *bare = context;
    const struct operands *o = bare->o;
    for (uint32_t i = 0; i < times; i++)
        bare->blas.sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_TRANSPOSE, (int)o->rows,
                         (int)o->columns, (int)o->depth, 1, bare->a, (int)o->depth, bare->b,
                         (int)o->depth, 0, bare->c, (int)o->columns);
    return 0;
}

static int bare_product(struct operands *o, uint32_t threads, struct certify_result *r,
                        struct work_error *error)
{
    struct quant_error e = {0};
    struct bare bare = {.o = o};
    size_t a = (size_t)o->rows * o->depth, b = (size_t)o->depth * o->columns;
    size_t c = (size_t)o->rows * o->columns;
    char name[64];
    if (blas_open(&bare.blas, &e) != 0) return 0; /* not there: not measured */
    bare.blas.set_threads((int)threads);
    bare.a = malloc(sizeof(float) * a);
    bare.b = malloc(sizeof(float) * b);
    bare.c = malloc(sizeof(float) * c);
    int status = bare.a != NULL && bare.b != NULL && bare.c != NULL
                     ? 0 : work_fail(error, "no memory for a product in fp32");
    if (status == 0) {
        kernel_floats(o->a, a, bare.a);
        kernel_floats(o->b, b, bare.b);
        (void)snprintf(name, sizeof name, "%.15s %.8s, bare", bare.blas.build, bare.blas.core);
        struct certify_product *p = add(r, o, name, "fp32");
        if (p != NULL) p->flops = rate(o, once_bare, &bare);
        for (size_t i = 0; i < c; i++) o->c[i] = (int32_t)bare.c[i];
        if (p != NULL) p->exact = exact(o);
    }
    free(bare.a);
    free(bare.b);
    free(bare.c);
    blas_close(&bare.blas);
    return status;
}

static bool same(const struct certify_product *p, const struct backend_description *d)
{
    return strncmp(p->library, d->name, sizeof p->library - 1) == 0 &&
           strcmp(p->precision, d->precision) == 0;
}

int certify_products(const struct certify_plan *plan, const struct work_weights *weights,
                     struct certify_result *r, struct work_error *error)
{
    const struct work_workload *w = plan->workload;
    struct operands o = {.plan = plan, .weights = weights,
                         .matrix = w->kind == WORK_KIND_gemm ? WORK_MATRIX_gemm : WORK_MATRIX_up};
    struct work_matrix_info m = work_matrix_info(weights, 0, o.matrix);
    o.rows = w->kind == WORK_KIND_gemm ? w->rows : r->rows_max;
    o.depth = m.depth;
    o.columns = m.columns;
    int status = operands_make(&o, error);
    if (plan->backend == &backend_gpu) {
        static const enum work_precision paths[] = {WORK_PRECISION_fp32, WORK_PRECISION_bf16,
                                                    WORK_PRECISION_int8};
        for (int i = 0; i < 3 && status == 0; i++)
            status = backend_product(plan->backend, paths[i], &o, r, error);
    } else {
        static const struct backend *const all[] = {&backend_onednn, &backend_openblas,
                                                    &backend_plain};
        if (status == 0) status = bare_product(&o, r->backend.threads, r, error);
        for (int i = 0; i < 3 && status == 0; i++)
            status = backend_product(all[i], WORK_PRECISION_auto, &o, r, error);
    }
    for (uint32_t i = 0; i < r->product_count; i++)
        r->products[i].used = same(&r->products[i], &r->backend);
    operands_free(&o);
    return status;
}
