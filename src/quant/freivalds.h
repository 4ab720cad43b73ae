/* freivalds.h: whether C = A B, without multiplying (Freivalds 1977), for int8 A[m x k], int8
 * B[k x n] and int32 C[m x n], all row by row (DELIV-03).
 *
 * A round draws r with n entries, uniform over 2^31 values, and asks whether A (B r) = C r modulo
 * 2^64. Let D = C - A B over the integers. With k at most FREIVALDS_K_MAX, |A B| <= 2^14 x 2^17, so
 * |D| <= 2^31 + 2^31 = 2^32. If D is not zero, some entry d of it in a row i and column j is not;
 * fix all of r but r_j: (D r)_i = 0 (mod 2^64) then needs d r_j = a constant (mod 2^64). Two
 * different r_j cannot both do it: d (r_j - r_j') is not zero and below 2^32 x 2^31 in size, so it
 * is not zero modulo 2^64. At most one of 2^31 values does: a wrong C passes a round with a chance
 * of at most 2^-31, and R independent rounds with at most 2^-(31 R). No field is needed, and a
 * machine's own wrapping multiply-add is the ring's: that is why it is fast.
 *
 * FREIVALDS_ROUNDS = 2, so 2^-62. What it says of many products: that one given wrong product
 * passes has that chance; that a proof with at least one wrong product passes as a whole has no
 * greater one (all its wrong products would have to pass); that any of N wrong products passes by
 * itself has at most N times that (the union bound): 2^-60 for 4. Products may share r: the bounds
 * need only that A, B and C were fixed before r was drawn.
 *
 * r comes from ChaCha20 keyed with the seed; the seed must be unknown to whoever made C.
 *
 * Invariant: integers only, no branch on the values; the same result with any vector unit.
 *
 * Upstream: freivalds_kernel, libsodium (ChaCha20). Downstream: work (check.c), bench.
 */
#ifndef DOJIMA_QUANT_FREIVALDS_H
#define DOJIMA_QUANT_FREIVALDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FREIVALDS_ROUNDS = 2,
    FREIVALDS_ROUND_BITS = 31, /* the error of one round is at most 2^-31 */
    FREIVALDS_K_MAX = 1 << 17, /* so that |A B| <= 2^14 x 2^17 fits */
    FREIVALDS_SEED_SIZE = 32,
    FREIVALDS_THREADS_MAX = 64,
};

/* r[FREIVALDS_ROUNDS][n], each entry in [-2^30, 2^30), from the seed and a number (which product):
 * different numbers give independent r. */
void freivalds_random(int32_t *r, size_t n, const uint8_t seed[FREIVALDS_SEED_SIZE],
                      uint64_t number);

/* v[FREIVALDS_ROUNDS][k] = B r modulo 2^64 in the entries [first, first + rows), from so many rows
 * of B: B may come in blocks of rows. */
void freivalds_fold_rows(uint64_t *v, size_t k, size_t first, size_t rows, const int8_t *b,
                         const int32_t *r, size_t n);

/* The same where B is at hand as its transpose, n x k (a column's weights together): adds the part
 * of `columns` columns of B that begin at `first` to all of v, which is zero at first. */
void freivalds_fold_columns(uint64_t *v, size_t k, size_t first, size_t columns,
                            const int8_t *transpose, const int32_t *r, size_t n);

/* Whether A v = C r, row by row. Returns m, or the first row that is wrong. */
size_t freivalds_check(const int8_t *a, size_t m, size_t k, const uint64_t *v, const int32_t *c,
                       const int32_t *r, size_t n);

/* All of it, over `threads` threads (0: 1). true: C = A B, but for the error above. false too when
 * k is beyond FREIVALDS_K_MAX or memory is missing: a check that was not made is not passed. */
bool freivalds_verify(const int8_t *a, const int8_t *b, const int32_t *c, size_t m, size_t k,
                      size_t n, const uint8_t seed[FREIVALDS_SEED_SIZE], uint64_t number,
                      unsigned threads);

#endif
