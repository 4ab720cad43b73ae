/* blas.c: see blas.h. */
#include "quant/blas.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* OpenBLAS's name for what this processor has; NULL: leave it to the library. */
static const char *core_of_processor(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return "SKYLAKEX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "HASWELL";
#endif
    return NULL;
}

/* A function's address where ISO C has only objects' addresses. */
static bool find(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    memcpy(function, &address, sizeof address);
    return address != NULL;
}

int blas_open(struct blas *b, struct quant_error *error)
{
    char *(*text)(void);
    const char *core = core_of_processor();
    *b = (struct blas){.core = "unknown", .build = "OpenBLAS"};
    if (core != NULL && setenv("OPENBLAS_CORETYPE", core, 0) != 0)
        return quant_fail(error, "OpenBLAS", 0, "no memory");
    b->library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (b->library == NULL || !find(b->library, "cblas_dgemm", &b->dgemm) ||
        !find(b->library, "cblas_sgemm", &b->sgemm) ||
        !find(b->library, "openblas_set_num_threads", &b->set_threads)) {
        blas_close(b);
        return quant_fail(error, "OpenBLAS", 0, "libopenblas.so.0 is not there (libopenblas0)");
    }
    if (find(b->library, "openblas_get_corename", &text)) b->core = text();
    if (find(b->library, "openblas_get_config", &text)) b->build = text();
    b->lapack = dlopen("liblapacke.so.3", RTLD_NOW | RTLD_LOCAL);
    if (b->lapack != NULL && !find(b->lapack, "LAPACKE_dsyev", &b->dsyev)) b->dsyev = NULL;
    return 0;
}

void blas_close(struct blas *b)
{
    if (b->lapack != NULL) (void)dlclose(b->lapack);
    if (b->library != NULL) (void)dlclose(b->library);
    *b = (struct blas){0};
}
