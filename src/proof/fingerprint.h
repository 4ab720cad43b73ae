/* fingerprint.h: what of a matrix goes into a commitment: 8 bytes a row.
 *
 * SHA-256 over every element would cost a GPU more than the product itself. A matrix is therefore
 * hashed in two levels: digest = SHA-256(fingerprint of row 0 || fingerprint of row 1 || ...), each
 * 8 bytes, little-endian, where
 *
 *     fingerprint(row) = sum over i of mix(pair i + (i + 1) x 0x9e3779b97f4a7c15)   mod 2^64
 *
 * pair i is 8 bytes of the row, little-endian (a row that is no multiple of 8 bytes is filled with
 * zeros), mix the finalizer of splitmix64. A sum has no order: any number of threads, rows from any
 * batch. It is not linear and not of low degree in the elements, so nobody has a row's fingerprint
 * for less than the row: with a linear one a seller could commit to A (B r) without making A B.
 * Two rows with one fingerprint can be found; that is worth nothing to anybody, since the row that
 * passes the check of its product is the only one: the commitment says that it was there in time.
 *
 * Plain C without a library, for a GPU's compiler as well.
 *
 * Upstream: nothing. Downstream: commit; work (prover, checker, device kernels).
 */
#ifndef DOJIMA_PROOF_FINGERPRINT_H
#define DOJIMA_PROOF_FINGERPRINT_H

#ifdef DOJIMA_DEVICE /* the device's compiler defines the names of the types and this */
#define FINGERPRINT_FUNCTION __device__ static inline
#else
#include <stdint.h>
#define FINGERPRINT_FUNCTION static inline
#endif

#define FINGERPRINT_STEP 0x9e3779b97f4a7c15ull

/* The part of pair `i`; the parts of all pairs add up to the row's fingerprint. */
FINGERPRINT_FUNCTION uint64_t fingerprint_part(uint64_t pair, uint32_t i)
{
    uint64_t z = pair + ((uint64_t)i + 1) * FINGERPRINT_STEP;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

#ifndef DOJIMA_DEVICE
#include <stddef.h>

#include "proof/digest.h"

/* Of one row of so many bytes (fingerprint.c). */
uint64_t fingerprint_row(const void *row, size_t bytes);
/* Of a matrix: `rows` rows of `bytes` bytes, one behind the other. */
struct digest fingerprint_matrix(const void *matrix, size_t rows, size_t bytes);
/* The same from the rows' fingerprints, the first at parts[0], the next `stride` further. */
struct digest fingerprint_digest(const uint64_t *parts, size_t rows, size_t stride);
#endif

#endif
