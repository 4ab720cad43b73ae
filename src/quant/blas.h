/* blas.h: OpenBLAS and LAPACKE, loaded when they are asked for.
 *
 * Not linked: OPENBLAS_CORETYPE must be set before the library is loaded (0.3.21 takes processors
 * that it does not know for the plainest), and a node that margins needs none of it. blas_open
 * chooses by what the processor can, unless the environment has chosen, and says what it got.
 *
 * Upstream: nothing. Downstream: work (the CPU backend), bench (the library's
 * product beside remargin's).
 */
#ifndef DOJIMA_QUANT_BLAS_H
#define DOJIMA_QUANT_BLAS_H

#include "quant/csv.h"

struct blas {
    void *library, *lapack; /* lapack NULL: it is not there */
    const char *core;       /* OpenBLAS's name of the kernels in use */
    const char *build;      /* its own account of itself: "OpenBLAS 0.3.21 ..." */
    /* c[m x n] = a[m x k] b[k x n], row-major, leading dimensions k, n, n */
    void (*dgemm)(int layout, int ta, int tb, int m, int n, int k, double alpha, const double *a,
                  int lda, const double *b, int ldb, double beta, double *c, int ldc);
    /* the same in float */
    void (*sgemm)(int layout, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                  int lda, const float *b, int ldb, float beta, float *c, int ldc);
    /* eigenvalues ascending into w, vectors into the columns of a[n x n]; row-major, 0: done */
    int (*dsyev)(int layout, char job, char half, int n, double *a, int lda, double *w);
    void (*set_threads)(int count);
};

enum { BLAS_ROW_MAJOR = 101, BLAS_NO_TRANSPOSE = 111, BLAS_TRANSPOSE = 112 };

/* -1 and the sentence when the library is not there. Changes the environment: call it before other
 * threads start. */
int blas_open(struct blas *b, struct quant_error *error);
void blas_close(struct blas *b);

#endif
