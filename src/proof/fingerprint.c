/* fingerprint.c: see fingerprint.h. */
#include "proof/fingerprint.h"

#include <string.h>

/* Whole pairs of a row. */
static inline __attribute__((always_inline)) uint64_t pairs_sum(const unsigned char *at,
                                                                size_t pairs)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < pairs; i++) {
        uint64_t pair;
        memcpy(&pair, at + 8 * i, sizeof pair);
        sum += fingerprint_part(pair, (uint32_t)i);
    }
    return sum;
}

/* The same compiled for vectors that multiply 64 bits; where there are none, for none. */
#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"))) static uint64_t pairs_wide(
    const unsigned char *at, size_t pairs)
{
    return pairs_sum(at, pairs);
}
#endif

uint64_t fingerprint_row(const void *row, size_t bytes)
{
    const unsigned char *at = row;
    size_t pairs = bytes / 8, rest = bytes % 8;
    uint64_t sum;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        sum = pairs_wide(at, pairs);
    else
#endif
        sum = pairs_sum(at, pairs);
    if (rest != 0) {
        uint64_t pair = 0;
        memcpy(&pair, at + 8 * pairs, rest);
        sum += fingerprint_part(pair, (uint32_t)pairs);
    }
    return sum;
}

struct digest fingerprint_digest(const uint64_t *parts, size_t rows, size_t stride)
{
    struct digest_stream s = {0};
    digest_begin(&s);
    for (size_t i = 0; i < rows; i++) digest_add(&s, &parts[i * stride], sizeof parts[0]);
    struct digest d = digest_end(&s);
    digest_free(&s);
    return d;
}

struct digest fingerprint_matrix(const void *matrix, size_t rows, size_t bytes)
{
    const unsigned char *at = matrix;
    struct digest_stream s = {0};
    digest_begin(&s);
    for (size_t i = 0; i < rows; i++) {
        uint64_t part = fingerprint_row(at + i * bytes, bytes);
        digest_add(&s, &part, sizeof part);
    }
    struct digest d = digest_end(&s);
    digest_free(&s);
    return d;
}
