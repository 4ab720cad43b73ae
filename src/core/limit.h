/* limit.h: position limits (GUARD-07).
 *
 * What is limited is a holding: what one beneficial owner has in one bucket. A bucket is a contract
 * month of a group (a product and the micros counted with it): a listed month, week, day or hour by
 * itself; a quarter or a year is its months. One more bucket of each group adds everything, in
 * months. Base, peak and off-peak of a period share a bucket. A holding keeps running sums of
 * position, working buys and working sells over all exposures that count in it, so that an order is
 * judged in a time that does not depend on how many accounts, orders or instruments there are.
 *
 * Invariants: (1) a holding's sums are those of its exposures, each in thousandths of a lot
 * (check_limits); (2) an exposure of an ordinary account in a limited product is linked to the
 * holdings of its instrument's buckets from the moment it exists, and to no other; (3) an order is
 * refused only for what it adds on the side where it adds; what reduces is never refused;
 * (4) deliverable supply is not changed in a bucket's spot period.
 *
 * An exposure of a limited product is not margined by the lot (lot_margin LOT_MARGIN_NONE, or
 * SPAN's): it goes the general way through margin.c, whose margin_update and margin_admit call
 * limit_refresh and limit_admit. Products without limits pay nothing.
 *
 * Upstream: ledger (exposures), margin. Downstream: order entry, blocks, officers' reports.
 */
#ifndef DOJIMA_CORE_LIMIT_H
#define DOJIMA_CORE_LIMIT_H

#include "core/state.h"

void limits_cut(struct core *c, struct arena *a);

/* ---- limit.c ---- */
bool limits_are_set(const struct product_limits *l);
bool limits_are_valid(const struct core *c, const struct product_limits *l);
uint32_t limit_group_of(const struct core *c, uint32_t product);
/* An outright of a limited product is listed: its buckets; capacity_exhausted: no room. */
enum reject limit_list(struct core *c, uint32_t instrument);
bool limit_can_list(const struct core *c);
void limit_expire(struct core *c, uint32_t instrument); /* all that it counted is given back */
/* An exposure is about to be made, is made, is given back. */
bool limit_has_room(const struct core *c, uint32_t account, uint32_t instrument);
void limit_attach(struct core *c, uint32_t e);
void limit_detach(struct core *c, uint32_t e);
/* After a change of position or working lots: the running sums; says when a level is passed. */
void limit_refresh(struct core *c, uint32_t e);
/* Whether `qty` more lots may work on this side, of a spread's second leg `qty_b` on the other:
 * REJECT_none or position_limit; *detail gets the limit, in lots. */
enum reject limit_admit(struct core *c, uint32_t e, uint32_t eb, enum side side, int64_t qty,
                        int64_t qty_b, int64_t *detail);
/* Thousandths of a lot; -1: no limit. */
int128_t limit_of(const struct core *c, const struct limit_bucket *b,
                  const struct limit_extra *extra, enum side side);
/* What the records say of a holding, if that changed since it was looked up. */
void limit_extra_refresh(struct core *c, struct limit_holding *h);
uint32_t limit_owner_key(const struct core *c, uint32_t account);
const char *limit_owner_name(const struct core *c, uint32_t key);
bool limit_in_spot(const struct core *c, const struct limit_bucket *b);
void event_holding_push(const struct core *c, struct outbox *out, const struct limit_holding *h,
                        uint32_t alert_account);

/* ---- limit_set.c: what officers set ---- */
void limits_set(struct core *c, const struct command *cmd);
void supply_set(struct core *c, const struct command *cmd);
void owner_set(struct core *c, const struct command *cmd);
void exemption_set(struct core *c, const struct command *cmd);
void query_large_positions(const struct core *c, uint32_t product, int64_t minimum,
                           struct outbox *out);
void query_exemptions(const struct core *c, struct outbox *out);

/* ---- limit_sweep.c: a new date, or officers, may bring lower limits ---- */
void limit_sweep_start(struct core *c);
void limit_sweep(struct core *c); /* while venue_state.limit_sweep is not 0 */

/* ---- limit_check.c ---- */
void limits_check(const struct core *c);

#endif
