/* map.h: a fixed-capacity hash map from a non-zero 64-bit key to a 32-bit value.
 *
 * Linear probing over a power-of-two table, at most half full, with backward-shift deletion: no
 * tombstones, so a long life does not slow it. Key 0 marks an empty slot, therefore zeroed memory
 * is an empty map. The map owns no memory: the table is cut from an arena. Iteration over slots is
 * in table order, which is the same wherever the same operations were made.
 *
 * Upstream: arena. Downstream: core (ids to slots), feed.
 */
#ifndef DOJIMA_BASE_MAP_H
#define DOJIMA_BASE_MAP_H

#include "base/arena.h"
#include "base/assert.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t key; /* 0: empty */
    uint32_t value;
    uint32_t reserved;
};
ASSERT_SIZE(struct map_slot, 16);

struct map {
    struct map_slot *slots;
    uint32_t mask;     /* slots - 1 */
    uint32_t capacity; /* entries at most: half the slots */
    uint32_t *count;   /* lives with the slots' owner, so that a snapshot of the arena has it */
};

/* The number of slots for `entries` entries: a power of two, at least twice as many. */
static inline uint32_t map_slots_for(uint32_t entries)
{
    uint32_t n = 16;
    while (n < entries * 2u) n *= 2u;
    return n;
}

/* A map of so many entries from the arena; `count` lies beside it, in the state. */
static inline void map_cut(struct map *m, struct arena *a, uint32_t entries, uint32_t *count)
{
    uint32_t slots = map_slots_for(entries);
    m->slots = arena_cut(a, slots, sizeof *m->slots);
    m->mask = slots - 1;
    m->capacity = entries;
    m->count = count;
}

static inline uint32_t map_home(const struct map *m, uint64_t key)
{
    return (uint32_t)random_mix(key) & m->mask;
}

/* The value's place, or NULL when the key is absent. */
static inline uint32_t *map_find(const struct map *m, uint64_t key)
{
    for (uint32_t i = map_home(m, key);; i = (i + 1) & m->mask) {
        if (m->slots[i].key == key) return &m->slots[i].value;
        if (m->slots[i].key == 0) return NULL;
    }
}

static inline bool map_full(const struct map *m) { return *m->count >= m->capacity; }

/* Inserts an absent key; the caller has checked map_full. */
static inline void map_insert(struct map *m, uint64_t key, uint32_t value)
{
    ASSERT(key != 0 && !map_full(m));
    uint32_t i = map_home(m, key);
    while (m->slots[i].key != 0) {
        ASSERT(m->slots[i].key != key);
        i = (i + 1) & m->mask;
    }
    m->slots[i].key = key;
    m->slots[i].value = value;
    *m->count += 1;
}

/* Removes a present key. */
static inline void map_remove(struct map *m, uint64_t key)
{
    uint32_t i = map_home(m, key);
    while (m->slots[i].key != key) {
        ASSERT(m->slots[i].key != 0);
        i = (i + 1) & m->mask;
    }
    for (uint32_t j = (i + 1) & m->mask; m->slots[j].key != 0; j = (j + 1) & m->mask) {
        uint32_t home = map_home(m, m->slots[j].key);
        if (((j - home) & m->mask) >= ((j - i) & m->mask)) {
            m->slots[i] = m->slots[j];
            i = j;
        }
    }
    m->slots[i] = (struct map_slot){0};
    *m->count -= 1;
}

#endif
