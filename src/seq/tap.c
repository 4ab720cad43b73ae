/* tap.c: see tap.h.
 *
 * Invariants: (1) tail <= released <= head, head - tail <= capacity: positions count bytes ever
 * pushed; (2) entries are whole between tail and head: an entry header, then its events; (3) only
 * released entries are overwritten; (4) a gap is an entry whose events did not fit: no reader
 * passes it.
 */
#include "seq/tap.h"

#include "base/assert.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct entry {
    uint64_t seq;
    uint32_t gap;   /* 1: its events are not here */
    uint32_t bytes; /* of events */
};

struct tap {
    pthread_mutex_t mutex;
    pthread_cond_t news;
    unsigned waiting;
    uint64_t capacity;
    uint64_t tail;     /* oldest entry */
    uint64_t released; /* entries before it may be read */
    uint64_t head;     /* where the next goes */
    uint64_t released_seq;
    unsigned char *ring;
};

struct tap *tap_new(size_t bytes, uint64_t seq)
{
    struct tap *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->capacity = bytes;
    t->released_seq = seq;
    t->ring = malloc(bytes);
    if (t->ring == NULL) {
        free(t);
        return NULL;
    }
    int failed = pthread_mutex_init(&t->mutex, NULL) | pthread_cond_init(&t->news, NULL);
    ASSERT(failed == 0);
    return t;
}

void tap_free(struct tap *t)
{
    (void)pthread_cond_destroy(&t->news);
    (void)pthread_mutex_destroy(&t->mutex);
    free(t->ring);
    free(t);
}

static void ring_put(struct tap *t, uint64_t at, const void *bytes, uint64_t size)
{
    uint64_t start = at % t->capacity;
    uint64_t first = size < t->capacity - start ? size : t->capacity - start;
    if (first > 0) memcpy(t->ring + start, bytes, first);
    if (size > first) memcpy(t->ring, (const unsigned char *)bytes + first, size - first);
}

static void ring_get(const struct tap *t, uint64_t at, void *bytes, uint64_t size)
{
    uint64_t start = at % t->capacity;
    uint64_t first = size < t->capacity - start ? size : t->capacity - start;
    if (first > 0) memcpy(bytes, t->ring + start, first);
    if (size > first) memcpy((unsigned char *)bytes + first, t->ring, size - first);
}

bool tap_has_room(struct tap *t)
{
    pthread_mutex_lock(&t->mutex);
    bool room = t->head - t->released <= t->capacity / 2;
    pthread_mutex_unlock(&t->mutex);
    return room;
}

void tap_push(struct tap *t, uint64_t seq, const void *events, size_t bytes)
{
    struct entry e = {.seq = seq};
    pthread_mutex_lock(&t->mutex);
    if (bytes <= UINT32_MAX && t->head - t->released + sizeof e + bytes <= t->capacity)
        e.bytes = (uint32_t)bytes;
    else
        e.gap = 1;
    bytes = e.bytes;
    uint64_t end = t->head + sizeof e + bytes;
    while (end - t->tail > t->capacity) { /* the oldest go, read or not */
        struct entry oldest;
        ASSERT(t->tail < t->released);
        ring_get(t, t->tail, &oldest, sizeof oldest);
        t->tail += sizeof oldest + oldest.bytes;
    }
    ring_put(t, t->head, &e, sizeof e);
    ring_put(t, t->head + sizeof e, events, bytes);
    t->head = end;
    pthread_mutex_unlock(&t->mutex);
}

void tap_release(struct tap *t, uint64_t seq)
{
    pthread_mutex_lock(&t->mutex);
    while (t->released < t->head) {
        struct entry e;
        ring_get(t, t->released, &e, sizeof e);
        if (e.seq > seq) break;
        t->released += sizeof e + e.bytes;
        t->released_seq = e.seq;
    }
    if (t->waiting > 0) pthread_cond_broadcast(&t->news);
    pthread_mutex_unlock(&t->mutex);
}

void tap_start(struct tap *t, struct tap_reader *reader)
{
    pthread_mutex_lock(&t->mutex);
    reader->position = t->released;
    reader->seq = t->released_seq;
    pthread_mutex_unlock(&t->mutex);
}

int64_t tap_read(struct tap *t, struct tap_reader *reader, void *events, size_t size)
{
    uint64_t used = 0;
    int64_t result = 0;
    pthread_mutex_lock(&t->mutex);
    if (reader->position < t->tail) result = TAP_EVICTED;
    while (result == 0 && reader->position < t->released) {
        struct entry e;
        ring_get(t, reader->position, &e, sizeof e);
        if (e.gap != 0) {
            if (used == 0) result = TAP_EVICTED;
            break;
        }
        if (e.bytes > size - used) {
            if (used == 0) result = TAP_BUFFER_TOO_SMALL;
            break;
        }
        ring_get(t, reader->position + sizeof e, (unsigned char *)events + used, e.bytes);
        used += e.bytes;
        reader->position += sizeof e + e.bytes;
        reader->seq = e.seq;
    }
    pthread_mutex_unlock(&t->mutex);
    return result < 0 ? result : (int64_t)used;
}

void tap_wait(struct tap *t, const struct tap_reader *reader, int64_t timeout_ns)
{
    struct timespec until;
    int failed = clock_gettime(CLOCK_REALTIME, &until);
    ASSERT(failed == 0);
    int64_t ns = (int64_t)until.tv_nsec + timeout_ns;
    until.tv_sec += ns / NS_PER_SECOND;
    until.tv_nsec = ns % NS_PER_SECOND;
    pthread_mutex_lock(&t->mutex);
    t->waiting += 1;
    while (reader->position >= t->released) {
        if (pthread_cond_timedwait(&t->news, &t->mutex, &until) == ETIMEDOUT) break;
    }
    t->waiting -= 1;
    pthread_mutex_unlock(&t->mutex);
}
