/* workload.h: random valid commands from a seed: a venue is set up, then orders, edits, cancels,
 * quotes, deposits, states and ticks follow, on what the events have named. */
#ifndef DOJIMA_SIM_WORKLOAD_H
#define DOJIMA_SIM_WORKLOAD_H

#include "base/random.h"
#include "msg/event.h"

enum { WORKLOAD_ORDERS = 64, WORKLOAD_IDS = 8, WORKLOAD_SETUP = 16 };

struct workload {
    struct random random;
    uint64_t orders[WORKLOAD_ORDERS]; /* latest ids seen */
    uint32_t order_accounts[WORKLOAD_ORDERS];
    uint32_t order_count;
    uint32_t accounts[WORKLOAD_IDS];
    uint32_t account_count;
    uint32_t instruments[WORKLOAD_IDS];
    uint32_t instrument_count;
    uint64_t serial;
};

/* The command that would get this seq: the first WORKLOAD_SETUP seqs set the venue up. */
void workload_next(struct workload *w, uint64_t seq, struct command *command);

/* A limit order, as workload_next gives among others: for benchmarks of one kind. */
void workload_order(struct workload *w, struct command *command);

/* Learns ids from the events of a command. */
void workload_see(struct workload *w, const struct outbox *events);

#endif
