/* commit.c: see commit.h. */
#include "proof/commit.h"

#include "base/assert.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "matrices are hashed as they lie");

static uint8_t *put(uint8_t *to, uint128_t value, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) to[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    return to + size;
}

static uint8_t *put_digest(uint8_t *to, const struct digest *d)
{
    memcpy(to, d->v, DIGEST_BYTES);
    return to + DIGEST_BYTES;
}

struct digest commit_step_leaf(uint32_t index, const struct commit_step *s)
{
    struct digest a = fingerprint_matrix(s->a, s->m, s->k);
    struct digest c = fingerprint_matrix(s->c, s->m, s->n * sizeof *s->c);
    return commit_step_leaf_of(index, s, &a, &c);
}

struct digest commit_step_leaf_of(uint32_t index, const struct commit_step *s,
                                  const struct digest *a, const struct digest *c)
{
    uint8_t bytes[5 * 4 + 2 * DIGEST_BYTES];
    uint8_t *p = put(bytes, index, 4);
    p = put(p, s->op, 4);
    p = put(p, s->m, 4);
    p = put(p, s->k, 4);
    p = put(p, s->n, 4);
    p = put_digest(p, a);
    p = put_digest(p, c);
    ASSERT(p == bytes + sizeof bytes);
    return merkle_leaf(bytes, sizeof bytes);
}

struct digest commit_task_leaf(const struct commit_task *t)
{
    uint8_t bytes[8 + 3 * DIGEST_BYTES + 16];
    uint8_t *p = put(bytes, t->index, 8);
    p = put_digest(p, &t->spec);
    p = put_digest(p, &t->answer);
    p = put_digest(p, &t->transcript);
    p = put(p, t->flop, 16);
    ASSERT(p == bytes + sizeof bytes);
    return merkle_leaf(bytes, sizeof bytes);
}

struct digest commit_nonce(uint64_t allocation, int64_t hour, uint64_t index)
{
    static const char head[] = "dojima task 1\n";
    uint8_t bytes[sizeof head - 1 + 3 * 8];
    memcpy(bytes, head, sizeof head - 1);
    uint8_t *p = put(bytes + sizeof head - 1, allocation, 8);
    p = put(p, (uint64_t)hour, 8);
    p = put(p, index, 8);
    ASSERT(p == bytes + sizeof bytes);
    return digest_of(bytes, sizeof bytes);
}
