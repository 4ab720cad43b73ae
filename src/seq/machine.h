/* machine.h: the deterministic state machine that the sequencer drives, seen through a table.
 *
 * In the node it is the core (machine_core.h); in the simulator also a tiny one. The same commands
 * must give the same events, image and hash. The machine's memory is one block without pointers: a
 * copy of it, opened again, is the same machine.
 *
 * A machine is either open, or closed between `memory` or `clear` and the next `open`.
 *
 * Upstream: msg. Downstream: sequencer, recovery, snapshot, sim.
 */
#ifndef DOJIMA_SEQ_MACHINE_H
#define DOJIMA_SEQ_MACHINE_H

#include "msg/event.h"
#include "msg/query.h"

enum { MACHINE_LIMITS_SIZE = 128 };

/* What a machine's behaviour depends on besides its commands. It is recorded in the journal, and
 * whoever replays it must have the same. Unused bytes are zero. */
struct machine_limits { unsigned char bytes[MACHINE_LIMITS_SIZE]; };

struct machine;

struct machine_verbs {
    void (*step)(void *state, const struct command *command, struct outbox *outbox);
    void (*query)(void *state, const struct query *query, struct outbox *outbox);
    uint64_t (*hash)(void *state);
    void (*check)(void *state);                           /* asserts all invariants */
    const void *(*image)(void *state, size_t *bytes);     /* of the open machine */
    struct machine *(*twin)(const void *state); /* another, closed, alike; NULL: out of memory */
    void (*drop)(struct machine *machine);      /* frees it */
    void *(*memory)(void *state, size_t *bytes);          /* closes; the block to be filled */
    void (*clear)(void *state);                           /* closes; the block is a fresh one */
    int (*open)(void *state);                             /* negative: the block is not ours */
    uint64_t (*seq)(void *state);                         /* last applied; 0: none */
    ts_t (*ts)(void *state);                              /* of the last applied */
    ts_t (*due)(void *state);                             /* next tick; INT64_MAX: never */
};

struct machine {
    const struct machine_verbs *verbs;
    void *state;
    size_t outbox_bytes; /* no command or query can write more */
    struct machine_limits limits;
};

#endif
