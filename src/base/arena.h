/* arena.h: one block of zeroed memory, taken at start, cut from the front, never given back in
 * part.
 *
 * Invariants: (1) every cut is 64-byte aligned; (2) memory is zero when cut; (3) running out aborts
 * at start, never later, because sizes come from limits and the sum is computed first.
 *
 * A first pass with base == NULL only counts: the same code then measures and cuts.
 */
#ifndef DOJIMA_BASE_ARENA_H
#define DOJIMA_BASE_ARENA_H

#include "base/assert.h"

#include <stddef.h>
#include <stdint.h>

struct arena {
    unsigned char *base; /* NULL: only count */
    size_t capacity;     /* bytes */
    size_t used;         /* bytes, a multiple of 64 */
};

static inline void *arena_cut(struct arena *a, size_t count, size_t size)
{
    size_t bytes = (count * size + 63u) & ~(size_t)63u;
    ASSERT(size == 0 || count <= SIZE_MAX / 2 / size);
    void *p = a->base == NULL ? NULL : a->base + a->used;
    a->used += bytes;
    ASSERT(a->base == NULL || a->used <= a->capacity);
    return p;
}

#endif
