/* block.h: blocks, EFP and EFRP (MATCH-11): one side proposes, the other accepts, both within the
 * product's window from the execution; then it is a trade outside the book (offbook.h).
 *
 * Invariants: (1) a proposal lies at place id % capacity; (2) `due` is the earliest deadline of
 * those that wait; (3) a proposal holds nothing back: margin and limits of both sides are checked
 * when it is accepted (and the proposer's also when it proposes).
 *
 * Upstream: core.c. Downstream: offbook.c.
 */
#ifndef DOJIMA_CORE_BLOCK_H
#define DOJIMA_CORE_BLOCK_H

#include "core/state.h"

void deals_cut(struct core *c, struct arena *a);
void deals_start(struct core *c); /* at a fresh start */
void block_propose(struct core *c, const struct command *cmd);
void block_answer(struct core *c, const struct command *cmd);
void block_run(struct core *c); /* what has not been accepted in time expires */
void query_blocks(const struct core *c, uint32_t account, struct outbox *out);
void deals_check(const struct core *c);

#endif
