/* default_due.c: what the clock brings to the fund and to defaults (CLEAR-10), what belongs to the
 * state hash, and the invariants of default.h.
 *
 * Upstream: default.h. Downstream: core.c, settle.c, hash.c, check.c.
 */
#include "core/default.h"

#include "core/closeout.h"

#include <string.h>

static void due_at(int64_t *next, ts_t at)
{
    if (at.v != 0 && (*next == 0 || at.v < *next)) *next = at.v;
}

void default_due_set(struct core *c)
{
    int64_t next = 0;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        const struct portfolio *a = &c->defaults[m].auction;
        const struct fund_member *f = &c->fund_members[m];
        if (a->status == PORTFOLIO_open) due_at(&next, a->deadline);
        if (member_is_in_default(c, m)) due_at(&next, c->defaults[m].porting_until);
        if (!(f->flags & FUND_SHARE_CALL_MISSED)) due_at(&next, f->call_deadline);
        if (!(f->flags & FUND_SHARE_ASSESSMENT_MISSED)) due_at(&next, f->assessment_deadline);
    }
    c->s->default_due = TS(next);
}

/* A call that was not paid in time is said once; what follows of it is an officer's to declare. */
static void call_miss(struct core *c, uint32_t member)
{
    struct fund_member *f = &c->fund_members[member];
    uint32_t flags = f->flags;
    bool call = f->call_deadline.v != 0 && f->call_deadline.v <= c->s->ts.v;
    bool assessment = f->assessment_deadline.v != 0 && f->assessment_deadline.v <= c->s->ts.v;
    if (call && fund_call(c, member) > 0) f->flags |= FUND_SHARE_CALL_MISSED;
    if (call && fund_call(c, member) == 0) f->call_deadline = TS(0);
    if (assessment && f->assessment.v > 0) f->flags |= FUND_SHARE_ASSESSMENT_MISSED;
    if (f->flags != flags) event_fund_share_push(c, c->out, member);
}

void default_run(struct core *c)
{
    for (uint32_t m = 1; m <= c->s->members; m++) {
        const struct portfolio *a = &c->defaults[m].auction;
        call_miss(c, m);
        if (a->status == PORTFOLIO_open && a->deadline.v <= c->s->ts.v) portfolio_end(c, m);
        ts_t window = c->defaults[m].porting_until;
        if (!member_is_in_default(c, m) || window.v == 0 || window.v > c->s->ts.v) continue;
        c->defaults[m].porting_until = TS(0);
        closeout_window_end(c, m);
    }
    default_due_set(c);
}

/* ---- the state hash ---- */

void default_hash(const struct core *c, void (*add)(void *to, const void *bytes, size_t size),
                  void *to)
{
    const struct fund_state *f = c->fund;
    if (f->date == 0 && f->number == 0 && f->capital == NIL) {
        add(to, &f->settings, sizeof f->settings);
        return; /* nothing but settings, and perhaps contributions, which are balances */
    }
    size_t members = (size_t)c->s->members + 1;
    add(to, f, sizeof *f);
    add(to, c->fund_members, members * sizeof *c->fund_members);
    add(to, c->defaults, members * sizeof *c->defaults);
    for (uint32_t m = 1; m < members; m++) {
        if (c->defaults[m].status != DEFAULT_STATUS_none) {
            add(to, tier_at(c, m, 0), members);
            add(to, bound_at(c, m, 0), members * sizeof(int64_t));
        }
    }
    add(to, c->bids, f->bids * sizeof *c->bids);
    add(to, c->claims, f->claims * sizeof *c->claims);
    add(to, c->gains, ((size_t)c->s->accounts + 1) * sizeof *c->gains);
}

/* ---- invariants ---- */

static void check_member(const struct core *c, uint32_t m)
{
    const struct fund_member *f = &c->fund_members[m];
    ASSERT(f->due.v >= 0 && fund_balance(c, m) >= 0);
    ASSERT(f->assessment.v >= 0 && f->assessed.v >= f->assessment.v);
    ASSERT(f->assessed.v <= fund_cap(c, m));
    if (f->account != NIL) ASSERT(c->accounts[f->account].system == SYSTEM_clearing);
}

static void check_default(const struct core *c, uint32_t m)
{
    const struct default_record *d = &c->defaults[m];
    if (d->status == DEFAULT_STATUS_none) return;
    ASSERT(c->accounts[d->estate].system == SYSTEM_estate);
    ASSERT(c->members[m].killed != 0);
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        const struct account *account = &c->accounts[a];
        if (account->member != m || account->system != 0) continue;
        ASSERT(account->order_count == 0);
        if (account->origin != ORIGIN_house) continue;
        for (uint32_t e = account->exposures; e != NIL; e = c->exposures[e].next) {
            ASSERT(c->exposures[e].position == 0 && c->exposures[e].cost == 0);
        }
    }
}

void default_check(const struct core *c)
{
    const struct fund_state *f = c->fund;
    uint32_t open = 0;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        check_member(c, m);
        check_default(c, m);
        open += c->defaults[m].status == DEFAULT_STATUS_open;
    }
    ASSERT(open == f->open);
    closeout_check(c);
    if (f->capital != NIL) ASSERT(ledger_cash(c, f->capital) >= 0);
    if (f->skin != NIL) ASSERT(ledger_cash(c, f->skin) >= 0);
    for (uint32_t i = 0; i < f->claims; i++) {
        ASSERT(c->claims[i].amount > 0 && member_is_in_default(c, c->claims[i].member));
        ASSERT(c->claims[i].layer > LAYER_none && c->claims[i].layer < LAYER_count);
    }
    for (uint32_t i = 0; i < f->bids; i++) ASSERT(portfolio_is_open(c, c->bids[i].auction));
}
