/* backend_cpu.c: products on this machine's processors: by oneDNN's int8, by OpenBLAS's fp32, or by
 * this program's own kernel.
 *
 * oneDNN takes the integers as they are and shares the work out itself. For OpenBLAS a product is
 * cut into panels of columns that the pool's threads take, each calling it with one thread, after
 * it has turned its panel of weights into floats: to keep all weights as floats would cost four
 * times the memory and, for few rows, four times the time to read them. Few rows go to the own
 * kernel with any library: it reads each weight once, and neither library does well there.
 *
 * The libraries are loaded when asked for, not linked; before one is used it must give the right
 * sums of the greatest operands (a library may saturate within: then it is refused).
 *
 * Upstream: quant/blas.h, kernel, pool. Downstream: engine.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "quant/blas.h"
#include "work/internal.h"
#include "work/kernel.h"
#include "work/pool.h"

enum { FEW_ROWS = 12, PANEL_STEP = 16, ROWS_BLOCK = 512 };

enum path { PATH_plain, PATH_openblas, PATH_onednn };

/* Of oneDNN (its own declaration, dnnl.h): row-major, c = alpha (a - ao)(b - bo) + beta c + co. */
typedef int gemm_s8s8s32(char ta, char tb, char offset, int64_t m, int64_t n, int64_t k,
                         float alpha, const int8_t *a, int64_t lda, int8_t ao, const int8_t *b,
                         int64_t ldb, int8_t bo, float beta, int32_t *c, int64_t ldc,
                         const int32_t *co);

struct cpu {
    enum path path;
    struct pool *pool;
    bool own_pool;
    struct blas blas;
    void *library; /* oneDNN */
    gemm_s8s8s32 *gemm;
    void (*set_threads)(int count); /* of the OpenMP it runs on; NULL: none */
    char version[32];
    float *a; /* OpenBLAS: the rows of A as floats */
    size_t a_size;
    float *panels; /* and a panel of weights for each thread */
    size_t panel_size;
};

struct backend_matrix {
    struct cpu *cpu;
    uint32_t depth, columns;
    const int8_t *rows; /* columns x depth */
    int8_t *owned;      /* made from the seed; NULL: the buyer's bytes */
};

struct job {
    struct cpu *cpu;
    const struct backend_matrix *m;
    const int8_t *a;
    uint32_t rows, panel;
    int32_t *c;
};

/* ---- one panel of columns ---- */

static uint32_t panel_of(const struct job *j, uint32_t piece, size_t *first)
{
    *first = (size_t)piece * j->panel;
    size_t left = j->m->columns - *first;
    return left < j->panel ? (uint32_t)left : j->panel;
}

static void panel_plain(void *context, uint32_t piece, uint32_t thread)
{
    const struct job *j = context;
    size_t first;
    uint32_t count = panel_of(j, piece, &first);
    (void)thread;
    kernel_product(j->a, j->m->depth, j->rows, j->m->rows + first * j->m->depth, j->m->depth, count,
                   j->m->depth, j->c + first, j->m->columns);
}

static void panel_openblas(void *context, uint32_t piece, uint32_t thread)
{
    const struct job *j = context;
    struct cpu *cpu = j->cpu;
    size_t first, depth = j->m->depth, columns = j->m->columns;
    uint32_t count = panel_of(j, piece, &first);
    float *panel = cpu->panels + thread * cpu->panel_size;
    kernel_floats(j->m->rows + first * depth, count * depth, panel);
    for (uint32_t row = 0; row < j->rows; row += ROWS_BLOCK) {
        uint32_t block = j->rows - row < ROWS_BLOCK ? j->rows - row : ROWS_BLOCK;
        float *c = (float *)(j->c + row * columns + first);
        cpu->blas.sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_TRANSPOSE, (int)block, (int)count,
                        (int)depth, 1, cpu->a + row * depth, (int)depth, panel, (int)depth, 0, c,
                        (int)columns);
        for (uint32_t i = 0; i < block; i++) kernel_integers(c + i * columns, count);
    }
}

/* oneDNN shares the work among its OpenMP's threads as well as panels would. */
static void product_onednn(const struct job *j)
{
    static const int32_t none;
    const struct backend_matrix *m = j->m;
    struct cpu *cpu = j->cpu;
    if (cpu->set_threads != NULL) cpu->set_threads((int)pool_threads(cpu->pool)); /* the caller's */
    int status = cpu->gemm('N', 'T', 'F', j->rows, m->columns, m->depth, 1, j->a, m->depth, 0,
                           m->rows, m->depth, 0, 0, j->c, m->columns, &none);
    ASSERT(status == 0); /* its arguments are the program's own */
}

/* ---- a product ---- */

static void floats_piece(void *context, uint32_t i, uint32_t thread)
{
    const struct job *j = context;
    size_t depth = j->m->depth;
    (void)thread;
    kernel_floats(j->a + i * depth, depth, j->cpu->a + i * depth);
}

static bool grow(float **memory, size_t *size, size_t wanted)
{
    if (wanted <= *size) return true;
    free(*memory);
    *memory = NULL;
    *size = 0;
    void *taken = NULL;
    if (posix_memalign(&taken, 64, wanted * sizeof **memory) != 0) return false;
    *memory = taken;
    *size = wanted;
    return true;
}

/* Columns of a panel. OpenBLAS packs all of A again for each of its calls, so its panels are few;
 * the own kernel's are many, for it reads the weights once and ends when its slowest thread does.
 */
static uint32_t panel_choose(const struct cpu *cpu, uint32_t columns, bool own_kernel)
{
    uint32_t threads = pool_threads(cpu->pool), pieces = own_kernel ? 4 * threads : threads;
    uint32_t least = own_kernel ? PANEL_STEP : 128, most = own_kernel ? 512 : 2816;
    uint32_t panel = (columns + pieces - 1) / pieces;
    panel = (panel + PANEL_STEP - 1) / PANEL_STEP * PANEL_STEP;
    return panel < least ? least : panel > most ? most : panel;
}

static int floats_prepare(struct job *j, struct work_error *error)
{
    struct cpu *cpu = j->cpu;
    size_t depth = j->m->depth, panel = j->panel * depth, threads = pool_threads(cpu->pool);
    size_t all = cpu->panel_size * threads;
    if (panel > cpu->panel_size) {
        if (!grow(&cpu->panels, &all, panel * threads)) {
            cpu->panel_size = 0;
            return work_fail(error, "no memory for panels of weights");
        }
        cpu->panel_size = panel;
    }
    if (!grow(&cpu->a, &cpu->a_size, j->rows * depth))
        return work_fail(error, "no memory for %u rows as floats", j->rows);
    pool_run(cpu->pool, j->rows, floats_piece, j);
    return 0;
}

static int cpu_product(struct backend_matrix *m, const int8_t *a, uint32_t rows, int32_t *c,
                       struct work_error *error)
{
    struct cpu *cpu = m->cpu;
    bool own_kernel = cpu->path == PATH_plain || rows <= FEW_ROWS;
    struct job j = {.cpu = cpu, .m = m, .a = a, .rows = rows, .c = c,
                    .panel = panel_choose(cpu, m->columns, own_kernel)};
    uint32_t panels = (m->columns + j.panel - 1) / j.panel;
    if (rows == 0) return 0;
    if (own_kernel) {
        pool_run(cpu->pool, panels, panel_plain, &j);
    } else if (cpu->path == PATH_onednn) {
        product_onednn(&j);
    } else {
        if (floats_prepare(&j, error) != 0) return -1;
        pool_run(cpu->pool, panels, panel_openblas, &j);
    }
    return 0;
}

/* ---- the library's own call, to be compared with ---- */

static int64_t bare_openblas(struct backend_matrix *m, const int8_t *a, uint32_t rows, int32_t *c)
{
    struct cpu *cpu = m->cpu;
    size_t depth = m->depth, of_a = rows * depth, of_b = m->columns * depth;
    void *fa = NULL, *fb = NULL;
    int64_t ns = -1;
    if (posix_memalign(&fa, 64, of_a * sizeof(float)) == 0 &&
        posix_memalign(&fb, 64, of_b * sizeof(float)) == 0) {
        kernel_floats(a, of_a, fa);
        kernel_floats(m->rows, of_b, fb);
        cpu->blas.set_threads((int)pool_threads(cpu->pool));
        ns = work_now();
        cpu->blas.sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_TRANSPOSE, (int)rows,
                        (int)m->columns, (int)depth, 1, fa, (int)depth, fb, (int)depth, 0,
                        (float *)c, (int)m->columns);
        ns = work_now() - ns;
        cpu->blas.set_threads(1);
    }
    free(fa);
    free(fb);
    return ns;
}

static int64_t bare_onednn(struct backend_matrix *m, const int8_t *a, uint32_t rows, int32_t *c)
{
    const struct job j = {.cpu = m->cpu, .m = m, .a = a, .rows = rows, .c = c};
    int64_t ns = work_now();
    product_onednn(&j);
    return work_now() - ns;
}

static int64_t cpu_bare(struct backend_matrix *m, const int8_t *a, uint32_t rows, int32_t *c)
{
    if (m->cpu->path == PATH_openblas) return bare_openblas(m, a, rows, c);
    return m->cpu->path == PATH_onednn ? bare_onednn(m, a, rows, c) : -1;
}

/* ---- matrices ---- */

struct filling {
    const struct work_weights *weights;
    struct backend_matrix *m;
    uint32_t layer;
    enum work_matrix matrix;
};

enum { FILL_COLUMNS = 64 };

static void fill_piece(void *context, uint32_t i, uint32_t thread)
{
    const struct filling *f = context;
    uint32_t first = i * FILL_COLUMNS, left = f->m->columns - first;
    (void)thread;
    work_matrix_fill(f->weights, f->layer, f->matrix, first,
                     left < FILL_COLUMNS ? left : FILL_COLUMNS,
                     f->m->owned + (size_t)first * f->m->depth);
}

static void cpu_matrix_close(struct backend_matrix *m)
{
    if (m == NULL) return;
    free(m->owned);
    free(m);
}

static int cpu_matrix_open(void *state, const struct work_weights *weights, uint32_t layer,
                           enum work_matrix matrix, struct backend_matrix **out,
                           struct work_error *error)
{
    struct cpu *cpu = state;
    struct work_matrix_info info = work_matrix_info(weights, layer, matrix);
    struct backend_matrix *m = calloc(1, sizeof *m);
    if (m == NULL) return work_fail(error, "no memory for a matrix");
    *m = (struct backend_matrix){.cpu = cpu, .depth = info.depth, .columns = info.columns,
                                 .rows = info.rows};
    if (m->rows == NULL) {
        void *owned = NULL;
        if (posix_memalign(&owned, 64, (size_t)info.columns * info.depth) != 0) {
            free(m);
            return work_fail(error, "no memory for a matrix of %u x %u", info.depth, info.columns);
        }
        m->owned = owned;
        m->rows = owned;
        struct filling f = {weights, m, layer, matrix};
        pool_run(cpu->pool, (info.columns + FILL_COLUMNS - 1) / FILL_COLUMNS, fill_piece, &f);
    }
    *out = m;
    return 0;
}

/* ---- opening and closing ---- */

/* The environment is changed before a library is loaded: backends are opened before threads that
 * might read it. */

static void cpu_close(void *state)
{
    struct cpu *cpu = state;
    if (cpu == NULL) return;
    blas_close(&cpu->blas);
    /* oneDNN stays loaded: its OpenMP has threads that would return into it */
    if (cpu->own_pool) pool_close(cpu->pool);
    free(cpu->a);
    free(cpu->panels);
    free(cpu);
}

static bool find(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    memcpy(function, &address, sizeof address);
    return address != NULL;
}

static int open_onednn(struct cpu *cpu, struct work_error *error)
{
    struct version {
        int major, minor, patch;
    };
    const struct version *(*version)(void);
    /* its OpenMP's threads would spin for milliseconds after a product, when the pool's are due */
    if (setenv("OMP_WAIT_POLICY", "passive", 0) != 0) return work_fail(error, "no memory");
    cpu->library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (cpu->library == NULL) cpu->library = dlopen("libdnnl.so.3", RTLD_NOW | RTLD_LOCAL);
    if (cpu->library == NULL || !find(cpu->library, "dnnl_gemm_s8s8s32", &cpu->gemm))
        return work_fail(error, "libdnnl.so.2 is not there (libdnnl2)");
    if (!find(cpu->library, "omp_set_num_threads", &cpu->set_threads)) cpu->set_threads = NULL;
    if (find(cpu->library, "dnnl_version", &version))
        (void)snprintf(cpu->version, sizeof cpu->version, "oneDNN %d.%d.%d", version()->major,
                       version()->minor, version()->patch);
    return 0;
}

static int open_openblas(struct cpu *cpu, struct work_error *error)
{
    struct quant_error e = {0};
    if (blas_open(&cpu->blas, &e) != 0) return work_fail(error, "%s", e.text);
    cpu->blas.set_threads(1);
    (void)snprintf(cpu->version, sizeof cpu->version, "%.15s", cpu->blas.build);
    return 0;
}

/* The greatest operands, both signs, at a depth where a narrow sum would have saturated. */
static int prove_exact(struct cpu *cpu, struct work_error *error)
{
    enum { ROWS = FEW_ROWS + 4, DEPTH = 4096, COLUMNS = 32 };
    int8_t *a = malloc((size_t)ROWS * DEPTH), *w = malloc((size_t)COLUMNS * DEPTH);
    int32_t *c = malloc((size_t)ROWS * COLUMNS * sizeof *c);
    int result = a == NULL || w == NULL || c == NULL ? work_fail(error, "no memory") : 0;
    if (result == 0) {
        for (size_t i = 0; i < (size_t)ROWS * DEPTH; i++) a[i] = i / DEPTH % 2 == 0 ? 127 : -127;
        for (size_t i = 0; i < (size_t)COLUMNS * DEPTH; i++) w[i] = i / DEPTH % 3 == 0 ? 4 : -4;
        struct backend_matrix m = {.cpu = cpu, .depth = DEPTH, .columns = COLUMNS, .rows = w};
        result = cpu_product(&m, a, ROWS, c, error);
        for (int i = 0; result == 0 && i < ROWS * COLUMNS; i++) {
            int32_t sign = (i / COLUMNS % 2 == 0) == (i % COLUMNS % 3 == 0) ? 1 : -1;
            if (c[i] != sign * 127 * 4 * DEPTH)
                result = work_fail(error, "%s is not exact: %d for %d", cpu->version, c[i],
                                   sign * 127 * 4 * DEPTH);
        }
    }
    free(a);
    free(w);
    free(c);
    return result;
}

static int cpu_open(enum path path, enum work_precision precision,
                    const struct backend_options *options, void **state, struct work_error *error)
{
    if (options->precision != WORK_PRECISION_auto && options->precision != precision)
        return work_fail(error, "this backend has another precision");
    struct cpu *cpu = calloc(1, sizeof *cpu);
    if (cpu == NULL) return work_fail(error, "no memory");
    cpu->path = path;
    (void)snprintf(cpu->version, sizeof cpu->version, "dojima");
    cpu->pool = options->pool;
    if (cpu->pool == NULL) {
        cpu->pool = pool_open(options->threads);
        cpu->own_pool = true;
    }
    int result = cpu->pool == NULL ? work_fail(error, "no threads") : 0;
    if (result == 0 && path == PATH_onednn) result = open_onednn(cpu, error);
    if (result == 0 && path == PATH_openblas) result = open_openblas(cpu, error);
    if (result == 0) result = prove_exact(cpu, error);
    if (result != 0) {
        cpu_close(cpu);
        return -1;
    }
    *state = cpu;
    return 0;
}

static int plain_open(const struct backend_options *o, void **state, struct work_error *error)
{
    return cpu_open(PATH_plain, WORK_PRECISION_int8, o, state, error);
}

static int openblas_open(const struct backend_options *o, void **state, struct work_error *error)
{
    return cpu_open(PATH_openblas, WORK_PRECISION_fp32, o, state, error);
}

static int onednn_open(const struct backend_options *o, void **state, struct work_error *error)
{
    return cpu_open(PATH_onednn, WORK_PRECISION_int8, o, state, error);
}

static void cpu_describe(const void *state, struct backend_description *d)
{
    const struct cpu *cpu = state;
    *d = (struct backend_description){.threads = pool_threads(cpu->pool)};
    (void)snprintf(d->name, sizeof d->name, "%s", cpu->version);
    const char *kernel = kernel_name();
    if (cpu->path == PATH_openblas) kernel = cpu->blas.core;
    if (cpu->path == PATH_onednn) kernel = "as the library chooses"; /* it does not tell */
    (void)snprintf(d->kernel, sizeof d->kernel, "%s", kernel);
    (void)snprintf(d->precision, sizeof d->precision, "%s",
                   cpu->path == PATH_openblas ? "fp32" : "int8");
}

#define CPU_BACKEND(label, opens)                                                                 \
    {                                                                                             \
        .name = label, .open = opens, .close = cpu_close, .describe = cpu_describe,               \
        .matrix_open = cpu_matrix_open, .product = cpu_product, .matrix_close = cpu_matrix_close, \
        .bare = cpu_bare                                                                          \
    }

const struct backend backend_plain = CPU_BACKEND("plain", plain_open);
const struct backend backend_openblas = CPU_BACKEND("openblas", openblas_open);
const struct backend backend_onednn = CPU_BACKEND("onednn", onednn_open);
