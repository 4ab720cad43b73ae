/* closeout.h: what becomes of a defaulter's clients that no other member takes (CLEAR-10).
 *
 * A client can be ported for the porting window, which begins with the declaration. What is not
 * ported by then, or earlier when an officer says so and why, is closed out: the clearing house
 * liquidates its positions by the slices of an unmet call (call.h), day after day. When it holds
 * nothing and all is marked, its own margin has paid its own loss. What is left is its own, to
 * withdraw; what it owes beyond its margin its member is liable for: the estate pays, and so the
 * waterfall. Client money never pays for the house or for another client.
 *
 * Invariants, asserted by closeout_check: (1) an account that is closing is a client of a member in
 * default, has no order and may enter none; (2) once closed out it holds nothing, until it is
 * ported or its member readmitted; (3) a default is not closed while a client of it holds anything
 * or owes.
 *
 * Upstream: call (timer), default. Downstream: ledger, default.
 */
#ifndef DOJIMA_CORE_CLOSEOUT_H
#define DOJIMA_CORE_CLOSEOUT_H

#include "core/state.h"

void close_out(struct core *c, const struct command *cmd);
/* The porting window of a defaulter has passed: all clients that are still there. */
void closeout_window_end(struct core *c, uint32_t member);
/* Flat: settles with the estate; false: not yet, its pledged capacity is to be sold before. */
bool closeout_finish(struct core *c, uint32_t account);
/* Whether some client of the member holds anything or owes. */
bool closeout_is_needed(const struct core *c, uint32_t member);
/* A client of a defaulter whose close-out is over: what is left may leave. */
bool closeout_is_over(const struct core *c, uint32_t account);
/* CLEAR-10: an account of a defaulter from which nothing may leave. */
bool closeout_freezes(const struct core *c, uint32_t account);
void closeout_check(const struct core *c);

#endif
