/* client_ids.h: the client ids of the orders that rest, and the engine's own id of each, as a
 * gateway would keep them.
 *
 * Open addressing with linear probing, at most half full. The table grows with the orders that
 * rest, not with the ids ever used: a direct table of scattered ids misses every cache.
 *
 * Upstream: report_ring.h (memory_take), base/random.h. Downstream: whole_core.c.
 */
#ifndef DOJIMA_BENCH_CLIENT_IDS_H
#define DOJIMA_BENCH_CLIENT_IDS_H

#include "report_ring.h"

#include "base/random.h"

enum { IDS_FIRST = 4096 };

struct id {
    uint64_t client;
    uint64_t own; /* 0: a free place */
};

static struct id *ids;
static uint64_t ids_mask;
static uint64_t ids_count;

static inline uint64_t ids_home(uint64_t client) { return random_mix(client) & ids_mask; }

/* The place of a client id, or the free one where it belongs. */
static inline struct id *ids_find(uint64_t client)
{
    uint64_t i = ids_home(client);
    while (ids[i].client != client && ids[i].own != 0) i = (i + 1) & ids_mask;
    return &ids[i];
}

/* The table follows the orders that rest, so that it stays in a near cache. */
static inline void ids_grow(void)
{
    struct id *old = ids;
    uint64_t places = old == NULL ? 0 : ids_mask + 1;
    ids_mask = old == NULL ? IDS_FIRST - 1 : places * 2 - 1;
    ids = memory_take((ids_mask + 1) * sizeof *ids, 0);
    if (ids == NULL) abort();
    for (uint64_t i = 0; i < places; i++) {
        if (old[i].own != 0) *ids_find(old[i].client) = old[i];
    }
    if (old != NULL) munmap(old, places * sizeof *old);
}

static inline void ids_put(uint64_t client, uint64_t own)
{
    struct id *at = ids_find(client);
    ids_count += at->own == 0;
    *at = (struct id){client, own};
    if (ids_count * 2 > ids_mask) ids_grow();
}

/* Forgets an order that rests no more, unless its client id was used again since. */
static inline void ids_drop(uint64_t client, uint64_t own)
{
    struct id *at = ids_find(client);
    if (at->own != own) return;
    uint64_t i = (uint64_t)(at - ids), next = i;
    for (;;) { /* those behind that would be cut off from their home move up */
        next = (next + 1) & ids_mask;
        if (ids[next].own == 0) break;
        uint64_t home = ids_home(ids[next].client);
        if (((next - home) & ids_mask) < ((next - i) & ids_mask)) continue;
        ids[i] = ids[next];
        i = next;
    }
    ids[i].own = 0;
    ids_count -= 1;
}

#endif
