/* standing.h: where each account stood after a mark-to-market: the margin of its statement.
 *
 * After each mark of all instruments, what every account that is not the clearing house's own had
 * and had to have is said as an event, and the latest of each of its last STANDINGS_KEPT days with
 * a mark is kept. An account without position, order or money is passed over, but for the first
 * time, so that what is kept of it ends with zeros.
 *
 * Invariants, asserted by standing_check: (1) an account's kept records are of rising days and
 * rising marks, none of them beyond the venue's latest; (2) of a day there is one, its last; (3)
 * missing = max(0, initial - equity - credit) in a margined account, else 0. The work of a mark is
 * linear in accounts and exposures.
 *
 * Upstream: settle. Downstream: call (standing), query, hash, check.
 */
#ifndef DOJIMA_CORE_STANDING_H
#define DOJIMA_CORE_STANDING_H

#include "core/state.h"

enum { STANDINGS_KEPT = 8 };

/* After a mark of all instruments. */
void standing_run(struct core *c);

/* As it stands, and then the records that are kept, newest first. */
void query_standings(const struct core *c, uint32_t account, struct outbox *out);

/* The most that a mark and a question may say. */
size_t standing_outbox_bytes(const struct core_limits *l);

void standing_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t size),
                   void *h);
void standing_check(const struct core *c);

#endif
