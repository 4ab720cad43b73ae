/* call.h: margin calls and what follows when they are not met (CLEAR-09).
 *
 * After each mark-to-market, margin run or change of a margin's or collateral's terms, and when
 * asked, every margined account is looked at by itself: client margin is gross, so no account's
 * excess helps another. Where equity (cash less what is reserved, with unsettled variation) and
 * credit (collateral.h) are below maintenance, a call is made: for what is missing to the whole
 * requirement, by a deadline. It is met by money or by less risk, and looked at after every command
 * that touches the account. Not met by its deadline:
 *
 *   unmet        the account may only reduce; its orders that do not are cancelled
 *   liquidating  one slice_ns later: all its orders are cancelled, it may enter none, and the
 *                clearing house closes positions in slices (liquidate.c), one each slice_ns
 *   ended        slices_per_day were done, or nothing is left to close, and margin is still
 *                missing: officers may declare a default. Only an officer's call starts it again.
 *
 * At any of these the account is as before when its margin is there again (met).
 *
 * Invariants, asserted by call_check: (1) only margined accounts are called; a collateralised
 * account never is, and is never liquidated; (2) an account has at most one call that lives, and
 * lives exactly while it is in the heap; (3) while liquidating, an account has no order, so no
 * slice can trade with it or with another account under liquidation; (4) slices of a day never pass
 * slices_per_day, and a slice only ever reduces a position.
 *
 * Upstream: core, settle, collateral. Downstream: margin, order.
 */
#ifndef DOJIMA_CORE_CALL_H
#define DOJIMA_CORE_CALL_H

#include "core/state.h"

/* Looks at every account: calls are made, raised, met. */
void call_run(struct core *c);
/* The same for one account, after it moved to another member. */
void call_account(struct core *c, uint32_t account);
/* After a command: whether what it touched has met its call. */
void call_look(struct core *c);
/* What is due by now: deadlines and slices, a bounded number; the rest stays due. */
void call_timer_run(struct core *c);
ts_t call_due(const struct core *c);
/* A client of a defaulter is liquidated by the same slices until it holds nothing (closeout.h). */
void call_close_out(struct core *c, uint32_t account);
/* Ends what lives, and a close-out that is over with the default it belonged to: when the member is
 * declared in default (what it was called for is that default's matter), is readmitted, or when a
 * client that was to be closed out is ported. */
void call_drop(struct core *c, uint32_t account);

static inline bool call_is_live(const struct core *c, uint32_t account)
{
    return c->calls[account].place != 0;
}

/* CLEAR-09: nothing leaves an account that is called, or not as usual. */
static inline bool call_withholds(const struct core *c, uint32_t account)
{
    return call_is_live(c, account) || c->accounts[account].status != ACCOUNT_normal;
}

/* CLEAR-09: whether an account whose status is not normal may enter (or change to) this. */
enum reject call_admits(const struct core *c, const struct entry *e, int64_t working,
                        uint32_t linked);

void call_margin(struct core *c, const struct command *cmd);
void clearing_set(struct core *c, const struct command *cmd);

/* Keeps an event of a call, a slice or a port for questions. */
void clearing_keep(struct core *c, const void *event);
void event_clearing_push(const struct core *c, struct outbox *out, const char *reason);
void query_calls(const struct core *c, uint32_t account, struct outbox *out);
void call_check(const struct core *c);

/* What an account stands at; amounts beyond what money can be are cut to it. */
struct standing {
    int64_t equity;
    int64_t credit;
    int64_t requirement;
    int64_t maintenance;
    int64_t missing; /* to be wholly margined; 0: nothing */
};
struct standing call_standing(const struct core *c, uint32_t account);

/* ---- liquidate.c ---- */

/* Closes one slice; false when no position is left to close. */
bool liquidate_slice(struct core *c, uint32_t account);

#endif
