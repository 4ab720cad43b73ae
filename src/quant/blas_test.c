/* blas_test.c: OpenBLAS and LAPACKE as they are loaded; skipped, saying so, where they are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quant/blas.h"

#include <math.h>
#include <stdlib.h>

static void products_and_eigenvalues(void **state)
{
    (void)state;
    struct blas b;
    struct quant_error error = {0};
    if (blas_open(&b, &error) != 0) {
        print_message("skipped: %s\n", error.text);
        skip();
    }
    const double a[] = {1, 2, 3, 4, 5, 6}, x[] = {1, 0, 2, 1, 3, 1};
    double c[4] = {9, 9, 9, 9};
    b.dgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_NO_TRANSPOSE, 2, 2, 3, 1, a, 3, x, 2, 0, c, 2);
    const double expected[] = {14, 5, 32, 11};
    for (int i = 0; i < 4; i++) assert_true(fabs(c[i] - expected[i]) < 1e-12);
    if (b.dsyev != NULL) {
        double s[] = {2, 1, 1, 2}, w[2];
        assert_int_equal(b.dsyev(BLAS_ROW_MAJOR, 'V', 'U', 2, s, 2, w), 0);
        assert_true(fabs(w[0] - 1) < 1e-12 && fabs(w[1] - 3) < 1e-12);
        assert_true(fabs(fabs(s[1]) - sqrt(0.5)) < 1e-12);
    }
    print_message("kernels: %s\n", b.core);
    blas_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_and_eigenvalues)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
