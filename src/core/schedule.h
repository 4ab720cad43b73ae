/* schedule.h: what falls due by the clock in the clearing house: certificates (CERT-01), tokens of
 * an hour that is over (UNIT-02), hours' reference prices (INDEX-02), settlement prices (CLEAR-03),
 * marks (CLEAR-04), expiry, deliveries (DELIV-01).
 *
 * One job a tick, the earliest due first; at one instant in the order above, then by id: what a
 * tick can cause is bounded by its largest job, and the clock asks again at once while something is
 * due (core_due). A job that was missed while the node was down is done once, for the latest day
 * it was due.
 *
 * Invariants: (1) schedule_due is at or before everything that is due; (2) a job moves its own due
 * time on, so that ticks come to an end.
 *
 * Upstream: settlement, index, settle, certify, token, delivery. Downstream: core.c (tick,
 * core_due).
 */
#ifndef DOJIMA_CORE_SCHEDULE_H
#define DOJIMA_CORE_SCHEDULE_H

#include "core/state.h"

/* Enters what a new product, instrument, index or the venue's settings bring. */
void schedule_product(struct core *c, uint32_t product);
void schedule_instrument(struct core *c, uint32_t instrument);
void schedule_marks(struct core *c);
void schedule_index(struct core *c, uint32_t index);
void schedule_certificates(struct core *c);
void schedule_tokens(struct core *c);
void schedule_delivery(struct core *c);
/* Looks at an instrument's expiry at `at`. */
void schedule_expiry(struct core *c, uint32_t instrument, ts_t at);
/* Looks again at all that waits for hours of this index. */
void schedule_waiting(struct core *c, uint32_t index);

/* Does the one job that is due first; nothing when none is. Only from a tick. */
void schedule_run(struct core *c);

void schedule_check(const struct core *c);

#endif
