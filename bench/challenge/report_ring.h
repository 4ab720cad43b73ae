/* report_ring.h: the queue over which an adapter's reports leave: one producer, one consumer.
 *
 * A power-of-two ring of 32-byte records. A report without a maker takes one; a trade takes two.
 * The consumer expands them into the challenge's 64-byte reports, so half as many cache lines cross
 * between the cores. Each side keeps a copy of the other's index and reads the shared one only when
 * the copy says full or empty; the producer publishes once in RING_BATCH records (and at flush).
 *
 * Invariants: (1) head <= published <= tail <= head + slots; (2) only the producer writes tail and
 * published, only the consumer writes head; (3) a trade's two records are published together.
 *
 * Upstream: the challenge's matching_engine_api.h. Downstream: the adapters of this folder.
 */
#ifndef DOJIMA_BENCH_REPORT_RING_H
#define DOJIMA_BENCH_REPORT_RING_H

#include <assert.h>
#pragma GCC visibility push(default) /* all else may be hidden: -fvisibility=hidden */
#include "matching_engine_api.h"
#pragma GCC visibility pop

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { RING_AHEAD = 32 };  /* records between a line's prefetch and its use */
enum { RING_BATCH = 128 }; /* records between two publications */

/* Whole words, written one by one: a record put together on the stack and then copied stalls. */
struct ring_record {
    uint64_t seq;
    uint64_t order_id;
    int64_t px;
    uint64_t rest; /* quantity | type << 32 | side << 40; 2nd record of a trade: maker's id */
};
static_assert(sizeof(struct ring_record) == 32, "two records a cache line");

struct ring {
    struct ring_record *records;
    uint64_t mask;
    size_t bytes;
    _Alignas(64) uint64_t tail; /* producer's own */
    uint64_t head_seen;
    uint64_t published_own;
    _Alignas(64) _Atomic uint64_t published;
    _Alignas(64) uint64_t head_own; /* consumer's own */
    uint64_t published_seen;
    _Alignas(64) _Atomic uint64_t head;
};

/* Zeroed memory in large pages where the system has them, every page touched; NULL on failure. */
static inline void *memory_take(size_t bytes, size_t touched)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return NULL;
    (void)madvise(p, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < touched; i += 4096) ((volatile unsigned char *)p)[i] = 0;
    return p;
}

static inline void ring_publish(struct ring *r)
{
    r->published_own = r->tail;
    atomic_store_explicit(&r->published, r->tail, memory_order_release);
}

/* Waits until there is room for `count` more records. */
static inline void ring_wait(struct ring *r, uint64_t count)
{
    while (__builtin_expect(r->tail + count - r->head_seen > r->mask + 1, 0)) {
        ring_publish(r);
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
    }
}

static inline void ring_advance(struct ring *r, uint64_t count)
{
    r->tail += count;
    if (r->tail - r->published_own >= RING_BATCH) ring_publish(r);
}

static inline void ring_write(struct ring *r, uint64_t at, me_report_type_t type, uint64_t seq,
                              uint64_t order_id, uint8_t side, int64_t px, uint32_t qty)
{
    struct ring_record *c = &r->records[at & r->mask];
    /* The line was last read by the other core: asked for ahead, it does not hold up the stores
     * of the messages in between, which retire in order. */
    __builtin_prefetch(&r->records[(at + RING_AHEAD) & r->mask], 1, 3);
    c->seq = seq;
    c->order_id = order_id;
    c->px = px;
    c->rest = qty | (uint64_t)type << 32 | (uint64_t)side << 40;
}

static inline void ring_put(struct ring *r, me_report_type_t type, uint64_t seq, uint64_t order_id,
                            uint8_t side, int64_t px, uint32_t qty)
{
    ring_wait(r, 1);
    ring_write(r, r->tail, type, seq, order_id, side, px, qty);
    ring_advance(r, 1);
}

static inline void ring_put_trade(struct ring *r, uint64_t seq, uint64_t taker, int64_t px,
                                  uint32_t qty, uint64_t maker)
{
    ring_wait(r, 2);
    ring_write(r, r->tail, ME_TRADE, seq, taker, 0, px, qty);
    r->records[(r->tail + 1) & r->mask].rest = maker;
    ring_advance(r, 2);
}

static inline void *ring_create(uint32_t capacity)
{
    struct ring *r = aligned_alloc(64, sizeof *r);
    if (r == NULL) return NULL;
    memset(r, 0, sizeof *r);
    uint64_t slots = 64;
    while (slots < (uint64_t)capacity * 2) slots *= 2;
    r->mask = slots - 1;
    r->bytes = slots * sizeof(struct ring_record);
    r->records = memory_take(r->bytes, r->bytes);
    if (r->records == NULL) {
        free(r);
        return NULL;
    }
    return r;
}

static inline uint32_t ring_drain(void *handle, me_report_t *out, uint32_t max)
{
    struct ring *r = handle;
    if (r->head_own == r->published_seen) {
        r->published_seen = atomic_load_explicit(&r->published, memory_order_acquire);
    }
    uint64_t at = r->head_own;
    uint32_t n = 0;
    for (; n < max && at != r->published_seen; n++) {
        const struct ring_record *c = &r->records[at++ & r->mask];
        out[n] = (me_report_t){.type = (uint8_t)(c->rest >> 32), .side = (uint8_t)(c->rest >> 40),
                               .sequence_number = c->seq, .order_id = c->order_id,
                               .price_ticks = c->px, .quantity = (uint32_t)c->rest};
        if (out[n].type != ME_TRADE) continue;
        out[n].taker_order_id = c->order_id;
        out[n].maker_order_id = r->records[at++ & r->mask].rest;
    }
    if (at != r->head_own) {
        r->head_own = at;
        atomic_store_explicit(&r->head, at, memory_order_release);
    }
    return n;
}

static inline void ring_flush(void *handle) { ring_publish(handle); }

static inline void ring_destroy(void *handle)
{
    struct ring *r = handle;
    munmap(r->records, r->bytes);
    free(r);
}

/* For a caller who has whole reports; the adapters write records at once. */
static inline int ring_push(void *handle, const me_report_t *report)
{
    const me_report_t *m = report;
    if (m->type == ME_TRADE) {
        ring_put_trade(handle, m->sequence_number, m->order_id, m->price_ticks, m->quantity,
                       m->maker_order_id);
    } else {
        ring_put(handle, (me_report_type_t)m->type, m->sequence_number, m->order_id, m->side,
                 m->price_ticks, m->quantity);
    }
    return 1;
}

#endif
