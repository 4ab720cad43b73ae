/* tap.h: the released events as one stream of bytes, for readers in other threads.
 *
 * A ring of bounded size. The sequencer pushes each command's events as it applies it, and releases
 * them when they are durable; only then can a reader see them. The writer never waits for a reader:
 * one that falls behind by more than the ring is evicted, and has to start again from the journal
 * (recovery with events_from). So is every reader by a command whose events do not fit. Readers are
 * independent and own their place.
 *
 * A lock is held for one copy at a time; pushing costs a copy and an uncontended lock.
 *
 * Upstream: sequencer. Downstream: feed, store.
 */
#ifndef DOJIMA_SEQ_TAP_H
#define DOJIMA_SEQ_TAP_H

#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tap;

struct tap_reader {
    uint64_t position; /* the tap's */
    uint64_t seq;      /* all up to this seq was read (or released before the reader started) */
};

enum { TAP_EVICTED = -1, TAP_BUFFER_TOO_SMALL = -2 };

/* NULL: out of memory. `bytes` of ring; `seq`: the last released. */
struct tap *tap_new(size_t bytes, uint64_t seq);
void tap_free(struct tap *t);

/* The sequencer's side. Before a command: whether the ring's larger half is free of what is not yet
 * released. Then its events, whatever their size. seq grows by one. */
bool tap_has_room(struct tap *t);
void tap_push(struct tap *t, uint64_t seq, const void *events, size_t bytes);
void tap_release(struct tap *t, uint64_t seq);

/* A reader that sees what is released from now on: first the events of reader->seq + 1. */
void tap_start(struct tap *t, struct tap_reader *reader);

/* Copies the released events of as many whole commands as fit: bytes; 0: nothing new. reader->seq
 * moves on. TAP_EVICTED: some were missed. TAP_BUFFER_TOO_SMALL: one command's events need more. */
int64_t tap_read(struct tap *t, struct tap_reader *reader, void *events, size_t size);

/* Waits until something is released behind the reader, or the time has passed. */
void tap_wait(struct tap *t, const struct tap_reader *reader, int64_t timeout_ns);

#endif
