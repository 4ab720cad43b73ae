/* fingerprint.c: see fingerprint.h. */
#include "proof/fingerprint.h"

#include <string.h>

uint64_t fingerprint_row(const void *row, size_t bytes)
{
    const unsigned char *at = row;
    uint64_t sum = 0;
    size_t pairs = bytes / 8, rest = bytes % 8;
    for (size_t i = 0; i < pairs; i++) {
        uint64_t pair;
        memcpy(&pair, at + 8 * i, sizeof pair);
        sum += fingerprint_part(pair, (uint32_t)i);
    }
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
