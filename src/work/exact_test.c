/* exact_test.c: the bounds of work.h at their edge: products of the greatest operands are exact in
 * fp32, in bf16 with fp32 accumulation and in int8; one step further they are not. And the row
 * functions: the same with any vectors, and near to what they stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "quant/blas.h"
#include "work/fixed.h"
#include "work/kernel.h"
#include "work/work.h"

enum { ROWS = 18, COLUMNS = 8, DEEP = WORK_DEPTH_MAX + 2 };

static int8_t a[ROWS * DEEP], w[COLUMNS * DEEP];
static float fa[ROWS * DEEP], fw[COLUMNS * DEEP], fc[ROWS * COLUMNS];
static int64_t wanted[ROWS * COLUMNS];

/* Kinds of operands: all at the bound, signs in runs, signs at random, anything at random. */
static void fill(int kind, struct random *r, uint32_t depth)
{
    for (size_t i = 0; i < (size_t)ROWS * depth; i++) {
        uint64_t n = random_next(r);
        a[i] = (int8_t)(kind == 3 ? (int)(n % 255) - 127 : 127);
        if ((kind == 1 && i % depth >= depth / 2) || (kind == 2 && n % 2 != 0)) a[i] = -127;
    }
    for (size_t i = 0; i < (size_t)COLUMNS * depth; i++) {
        uint64_t n = random_next(r);
        w[i] = (int8_t)(kind == 3 ? (int)(n % 9) - 4 : 4);
        if (kind == 2 && n % 2 != 0) w[i] = -4;
    }
    for (size_t i = 0; i < (size_t)ROWS * depth; i++) fa[i] = a[i];
    for (size_t i = 0; i < (size_t)COLUMNS * depth; i++) fw[i] = w[i];
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t n = 0; n < COLUMNS; n++) {
            int64_t sum = 0;
            for (size_t k = 0; k < depth; k++) sum += a[i * depth + k] * w[n * depth + k];
            wanted[i * COLUMNS + n] = sum;
        }
    }
}

static float to_bf16(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits &= 0xffff0000u; /* cut off: what is exact needs no rounding */
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* fp32 accumulation of bf16 operands, in the order of a machine with `lanes` partial sums. */
static float dot_bf16(const float *x, const float *y, uint32_t depth, uint32_t lanes)
{
    float sums[64] = {0}, sum = 0;
    for (uint32_t k = 0; k < depth; k++) sums[k % lanes] += to_bf16(x[k]) * to_bf16(y[k]);
    for (uint32_t l = 0; l < lanes; l++) sum += sums[l];
    return sum;
}

static void exact_at_the_bounds(void **state)
{
    (void)state;
    const uint32_t depths[] = {1, 16, 63, 64, 65, 1000, WORK_DEPTH_MAX};
    static int32_t c[ROWS * COLUMNS];
    struct random r = {7};
    struct blas blas;
    struct quant_error error = {0};
    bool has_blas = blas_open(&blas, &error) == 0;
    if (!has_blas) print_message("fp32 is not tried: %s\n", error.text);
    for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
        uint32_t depth = depths[d];
        for (int kind = 0; kind < 4; kind++) {
            fill(kind, &r, depth);
            kernel_product(a, depth, ROWS, w, depth, COLUMNS, depth, c, COLUMNS);
            for (size_t i = 0; i < ROWS * COLUMNS; i++) assert_int_equal(c[i], wanted[i]);
            for (uint32_t lanes = 1; lanes <= 64; lanes *= 8)
                assert_true(dot_bf16(fa, fw, depth, lanes) == (float)wanted[0]);
            if (!has_blas) continue;
            blas.sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_TRANSPOSE, ROWS, COLUMNS,
                       (int)depth, 1, fa, (int)depth, fw, (int)depth, 0, fc, COLUMNS);
            kernel_integers(fc, ROWS * COLUMNS);
            memcpy(c, fc, sizeof c);
            for (size_t i = 0; i < ROWS * COLUMNS; i++) assert_int_equal(c[i], wanted[i]);
        }
    }
    if (has_blas) blas_close(&blas);
}

/* 33,026 products of 508 are 2^24 - 8: still exact. With one more of 9 the sum is 2^24 + 1, which
 * fp32 has not. WORK_DEPTH_MAX is one below the last depth that is safe. */
static void not_exact_beyond(void **state)
{
    (void)state;
    uint32_t depth = WORK_DEPTH_MAX + 2;
    int64_t sum = 0;
    for (uint32_t k = 0; k < depth; k++) {
        fa[k] = k + 1 == depth ? 3 : 127;
        fw[k] = k + 1 == depth ? 3 : 4;
        sum += (int64_t)fa[k] * (int64_t)fw[k];
    }
    assert_int_equal(sum, (1 << 24) + 1);
    assert_true((int64_t)dot_bf16(fa, fw, depth, 1) != sum);
    assert_true((int64_t)dot_bf16(fa, fw, depth - 1, 1) == sum - 9);
    struct blas blas;
    struct quant_error error = {0};
    if (blas_open(&blas, &error) == 0) {
        blas.sgemm(BLAS_ROW_MAJOR, BLAS_NO_TRANSPOSE, BLAS_TRANSPOSE, 1, 1, (int)depth, 1, fa,
                   (int)depth, fw, (int)depth, 0, fc, 1);
        assert_true((int64_t)fc[0] != sum);
        blas_close(&blas);
    }
    /* operands: 256 is the last integer before one that bf16 has not */
    assert_true(to_bf16(256) == 256.0f && to_bf16(257) != 257.0f);
    /* weights of 5 at the greatest depth pass 2^24 as well */
    assert_true((int64_t)WORK_DEPTH_MAX * 127 * 4 < 1 << 24);
    assert_true((int64_t)WORK_DEPTH_MAX * 127 * 5 > 1 << 24);
}

/* ---- fixed.h ---- */

static void against_real_numbers(void **state)
{
    (void)state;
    double worst = 0;
    for (uint32_t i = 0; i < 1u << 16; i++) {
        double turn = i / 65536.0;
        worst = fmax(worst, fabs(fixed_sine(i << 16) / 16384.0 - sin(2 * M_PI * turn)));
    }
    assert_true(worst < 1.0 / 16384);
    worst = 0;
    for (uint32_t f = 0; f < 65536; f++)
        worst = fmax(worst, fabs(fixed_power(f) / 65536.0 - exp2(-(double)f / 65536)));
    assert_true(worst < 1.0 / 32768);
    worst = 0;
    for (int32_t g = -FIXED_GATE_MAX; g <= FIXED_GATE_MAX; g += 97) {
        double x = g / 4096.0, silu = x / (1 + exp(-x));
        worst = fmax(worst, fabs(fixed_swiglu(g, 4096) / 4096.0 - silu) / fmax(1, fabs(x)));
    }
    assert_true(worst < 1.0 / 2048);
    for (uint32_t bits = 0; bits < 63; bits++) {
        uint64_t root = (uint64_t)1 << (bits / 2);
        for (uint64_t v = root * root - 1; v <= root * root + 1; v++) {
            uint64_t s = fixed_root(v);
            assert_true(s * s <= v && (s + 1) * (s + 1) > v);
        }
    }
    struct random r = {3};
    for (int i = 0; i < 100000; i++) {
        __extension__ typedef unsigned __int128 wide;
        uint64_t x = random_next(&r) >> (i % 64), y = random_next(&r) >> (i / 64 % 64);
        assert_true(fixed_multiply_high(x, y) == (uint64_t)(((wide)x * y) >> 64));
    }
}

static void seeded_weights_are_normal(void **state)
{
    (void)state;
    int64_t sum = 0, squares = 0;
    uint32_t seen[9] = {0};
    enum { BLOCKS = 1 << 16 };
    for (uint64_t i = 0; i < BLOCKS; i++) {
        uint64_t block = fixed_weight_block(12345, i);
        for (uint32_t n = 0; n < 16; n++) {
            int32_t v = fixed_weight(block, n);
            assert_in_range(v + 4, 0, 8);
            seen[v + 4]++;
            sum += v;
            squares += v * v;
        }
    }
    assert_true(llabs(sum) < 16 * BLOCKS / 100);
    assert_true(fabs((double)squares / (16.0 * BLOCKS) - 4.5) < 0.05);
    for (int i = 0; i < 9; i++) assert_true(seen[i] > BLOCKS / 2);
    for (uint32_t byte = 0; byte < 256; byte++)
        assert_in_range(fixed_activation(byte, 0) + 127, 0, 254);
}

/* Rows of every size against the functions one by one, with integer division. */
static void rows_like_elements(void **state)
{
    (void)state;
    enum { MOST = 300 };
    static int32_t x[MOST], y[MOST], out[MOST], scratch[MOST];
    static int8_t narrow[MOST];
    struct random r = {11};
    for (uint32_t n = 2; n < MOST; n += 7) {
        uint32_t bits = n % 25;
        for (uint32_t i = 0; i < n; i++) {
            x[i] = (int32_t)(random_next(&r) >> 39) - (1 << 24);
            if (x[i] == -(1 << 24)) x[i]++;
            x[i] /= 1 << bits;
            y[i] = (int32_t)(random_next(&r) >> 42) - FIXED_UP_MAX - 1;
        }
        int32_t top = 1;
        for (uint32_t i = 0; i < n; i++) top = abs(x[i]) > top ? abs(x[i]) : top;
        assert_int_equal(kernel_quantise(x, n, narrow), top);
        for (uint32_t i = 0; i < n; i++) {
            uint64_t inverse = fixed_quantise_inverse((uint32_t)top);
            assert_int_equal(narrow[i], fixed_quantise(x[i], inverse));
            assert_true(fabs(narrow[i] - x[i] * 127.0 / top) < 0.500001);
        }
        uint64_t sum = 0;
        for (uint32_t i = 0; i < n; i++) sum += (uint64_t)((int64_t)x[i] * x[i]);
        (void)kernel_norm(x, NULL, n, scratch, narrow);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(scratch[i], fixed_norm(x[i], fixed_norm_inverse(sum, n),
                                                    FIXED_GAIN_ONE));
        for (uint32_t i = 0; i < n; i++) x[i] = fixed_clamp(x[i], FIXED_GATE_MAX);
        kernel_swiglu(x, y, n, out);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(out[i], fixed_swiglu(x[i], y[i]));
        const uint16_t each[4] = {1, 77, 32767, 20000};
        uint16_t scales[MOST];
        for (uint32_t i = 0; i < n; i++) scales[i] = each[i % 4];
        for (int own = 0; own < 2; own++) {
            struct kernel_scale s = {own ? scales : NULL, 22017, 16 + n % 33};
            kernel_scale_row(y, (uint32_t)top, &s, n, FIXED_WIDE_MAX, out);
            memcpy(scratch, x, sizeof scratch);
            kernel_residual(y, (uint32_t)top, &s, n, scratch);
            for (uint32_t i = 0; i < n; i++) {
                int64_t v = fixed_scale(y[i], (uint32_t)top, own ? scales[i] : 22017, s.shift);
                assert_int_equal(out[i], fixed_clamp(v, FIXED_WIDE_MAX));
                assert_int_equal(scratch[i], fixed_clamp(x[i] + v, FIXED_RESIDUAL_MAX));
            }
        }
        for (uint32_t i = 0; i < n; i++) scratch[i] = y[i] >> 1;
        int32_t greatest = INT32_MIN, all = 0;
        for (uint32_t i = 0; i < n; i++) greatest = scratch[i] > greatest ? scratch[i] : greatest;
        uint32_t sharp = (uint32_t)1 << n % 31;
        int32_t total = kernel_counts(scratch, n, sharp, narrow);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(narrow[i], fixed_attention(greatest - scratch[i], sharp));
            all += narrow[i];
        }
        assert_int_equal(total, all);
        int32_t counts = 127 + (int32_t)(random_next(&r) % 500000);
        for (uint32_t i = 0; i < n; i++)
            out[i] = (int32_t)random_below(&r, 254 * (uint64_t)counts) - 127 * counts;
        memcpy(y, out, sizeof y);
        kernel_means(out, n, counts);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(out[i], fixed_mean(y[i], counts));
    }
}

/* The same with every set of vectors that this processor has, down to none. */
static void with_fewer_vectors(void **state)
{
    enum kernel_vectors best = kernel_vectors();
    for (int most = (int)best - 1; most >= 0; most--) {
        kernel_limit((enum kernel_vectors)most);
        assert_int_equal(kernel_vectors(), most);
        exact_at_the_bounds(state);
        rows_like_elements(state);
    }
    kernel_limit(KERNEL_vnni);
    print_message("all of them up to %s\n", kernel_name());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_at_the_bounds),   cmocka_unit_test(not_exact_beyond),
        cmocka_unit_test(against_real_numbers),  cmocka_unit_test(seeded_weights_are_normal),
        cmocka_unit_test(rows_like_elements),    cmocka_unit_test(with_fewer_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
