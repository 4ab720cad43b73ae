/* core.h: the venue and the clearing house as one deterministic state machine; all that other
 * folders may include of core.
 *
 * core_step applies one command and writes events. It cannot fail: a refusal is an event. It does
 * no I/O, reads no clock, allocates nothing after core_open and uses no floating point: the same
 * commands give the same events and the same hash on every machine, replica and restart.
 *
 * Memory is one block whose size follows from limits. It holds no pointers, so a copy of the block
 * is a snapshot. A full pool is a named reject (capacity_exhausted), with nothing changed.
 */
#ifndef DOJIMA_CORE_CORE_H
#define DOJIMA_CORE_CORE_H

#include "msg/event.h"
#include "msg/query.h"
#include "msg/reject.h"

#include <stdbool.h>

/* How many of each there may be. All at least 1; orders below 2^24. */
struct core_limits {
    uint32_t members;
    uint32_t accounts;
    uint32_t products;
    uint32_t instruments;
    uint32_t balances;       /* (account, asset) pairs */
    uint32_t exposures;      /* (account, instrument) pairs */
    uint32_t orders;         /* live orders and triggers */
    uint32_t orders_closed;  /* closed ones kept for questions */
    uint32_t levels;         /* price levels over all books */
    uint32_t client_ids;     /* client order ids a day */
    uint32_t answer_bytes;   /* first answers kept for repeats, a day */
    uint32_t trades;         /* latest trades kept for questions */
    uint32_t postings;       /* latest postings kept for questions */
    uint32_t settlements;    /* latest settlement prices kept for questions */
    uint32_t requests;       /* that may await a second officer */
    uint32_t indices;
    uint32_t index_hours;    /* latest hours of each index kept: at least those of a block that it
                                settles */
    uint32_t fills_per_command; /* continuous trading: what is left of the aggressor is cancelled */
    uint32_t spreads_per_leg;   /* MATCH-06: the work of an order grows with its square */
    uint32_t allocations;       /* deliveries, closed ones kept for questions (DELIV-01) */
};
ASSERT_SIZE(struct core_limits, 80);

struct core;

/* Limits for a node, for a small world (script, tests, simulator). */
struct core_limits core_limits_default(void);
struct core_limits core_limits_small(void);

/* Bytes of the state block, and of an outbox that no command or query can overflow. */
size_t core_bytes(const struct core_limits *limits);
size_t core_outbox_bytes(const struct core_limits *limits);

/* A core over `memory` (core_bytes, 64-byte aligned, the caller's, to outlive the core): zeroed for
 * a fresh venue, or a copied block of a core of the same limits. NULL when a copied block is not of
 * these limits or of this version. The handle is freed by core_close; the memory is not. */
struct core *core_open(const struct core_limits *limits, void *memory);
void core_close(struct core *c);

/* Applies one valid command (command_is_valid; seq = last + 1; ts not before the last). */
void core_step(struct core *c, const struct command *command, struct outbox *outbox);

/* Answers one query; changes nothing. */
void core_query(const struct core *c, const struct query *query, struct outbox *outbox);

/* The hash of the whole state, canonical: equal states are equal hashes on every machine. */
uint64_t core_hash(const struct core *c);

/* Asserts every invariant of the whole state; for tests, simulation and after recovery. */
void core_check(const struct core *c);

/* The state block, for a snapshot. */
const void *core_image(const struct core *c, size_t *bytes);

uint64_t core_seq(const struct core *c); /* of the last command applied; 0: none */
ts_t core_ts(const struct core *c);      /* of the last command applied */
ts_t core_due(const struct core *c);     /* when a tick is next needed; INT64_MAX: never */

#endif
