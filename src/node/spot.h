/* spot.h: who solves the day-ahead auctions (INDEX-01): the venue's own worker. It reads a closed
 * auction's bids, has them cleared (quant/spot.h), and gives the solution back as a command, which
 * the core checks like anybody's.
 *
 * The number of nodes is a constant, so that what is found does not depend on the machine's speed.
 * A solution for bids that have changed meanwhile is refused by the core, and sought again.
 *
 * Upstream: node's turn, script. Downstream: gate's venue, quant.
 */
#ifndef DOJIMA_NODE_SPOT_H
#define DOJIMA_NODE_SPOT_H

#include "gate/rpc.h"

#include <stdbool.h>

enum { SPOT_NODES = 400 };

struct spot_work;

/* The auction that awaits a solution; 0: none does. */
uint64_t spot_waiting(const struct venue *venue, uint64_t *version);
/* Reads an auction's bids; NULL: no memory, or there is no such auction. */
struct spot_work *spot_work_open(const struct venue *venue, const struct directory *names,
                                 uint64_t auction);
void spot_work_close(struct spot_work *w);
/* Any thread: touches nothing but the work. 0; negative: it could not be solved. */
int spot_work_solve(struct spot_work *w);
/* The solution as a command; header.principal is the caller's to set. */
void spot_work_command(const struct spot_work *w, struct command *c);
uint64_t spot_work_auction(const struct spot_work *w);
uint64_t spot_work_version(const struct spot_work *w);

/* At once, where nobody waits: solves what awaits it. 0; -1: a solution was refused, or could not
 * be found. */
int spot_solve_waiting(const struct venue *venue, const struct directory *names,
                       uint32_t principal);

#endif
