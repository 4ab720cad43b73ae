/* closeout.c: see closeout.h. */
#include "core/closeout.h"

#include "core/call.h"
#include "core/default.h"
#include "core/delivery.h"

#include <string.h>

static bool is_client(const struct core *c, uint32_t account)
{
    return c->accounts[account].system == 0 && c->accounts[account].origin == ORIGIN_client;
}

static bool is_closing(const struct core *c, uint32_t account)
{
    return c->calls[account].state == CALL_closing;
}

bool closeout_is_over(const struct core *c, uint32_t account)
{
    return c->calls[account].state == CALL_closed;
}

bool closeout_freezes(const struct core *c, uint32_t account)
{
    return member_is_in_default(c, c->accounts[account].member) && !closeout_is_over(c, account);
}

bool closeout_is_needed(const struct core *c, uint32_t member)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (c->accounts[a].member != member || !is_client(c, a)) continue;
        if (!account_is_flat(c, a) || ledger_cash(c, a) < 0) return true;
    }
    return false;
}

static void event_close_out_push(struct core *c, uint32_t account, bool over, int64_t shortfall,
                                 const char *reason)
{
    struct event_close_out *e = outbox_push(c->out, EVENT_close_out, sizeof *e);
    e->account = account;
    e->member = c->accounts[account].member;
    e->over = over ? 1 : 0;
    e->slices = c->calls[account].slices;
    e->cash = MONEY(ledger_cash(c, account));
    e->shortfall = MONEY(shortfall);
    memset(e->reason, 0, sizeof e->reason);
    memcpy(e->reason, reason, strnlen(reason, sizeof e->reason - 1));
}

static void start(struct core *c, uint32_t account, const char *reason)
{
    /* The declaration cancelled them; this says so whatever came between. */
    (void)order_cancel_account(c, account, CAUSE_cancelled_killed);
    c->accounts[account].status = ACCOUNT_defaulted;
    call_close_out(c, account);
    event_close_out_push(c, account, false, 0, reason);
}

void closeout_window_end(struct core *c, uint32_t member)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (c->accounts[a].member != member || !is_client(c, a)) continue;
        if (!is_closing(c, a) && !closeout_is_over(c, a)) start(c, a, "porting window passed");
    }
}

static enum reject check(const struct core *c, const struct command *cmd)
{
    uint32_t account = cmd->header.account;
    if (!account_exists(c, account)) return REJECT_unknown_account;
    if (cmd->close_out.reason[0] == 0) return REJECT_reason_needed;
    if (!is_client(c, account)) return REJECT_unauthorised;
    const struct default_record *d = &c->defaults[c->accounts[account].member];
    if (d->status == DEFAULT_STATUS_none) return REJECT_not_in_default;
    bool begun = is_closing(c, account) || closeout_is_over(c, account);
    return begun ? REJECT_invalid_state : REJECT_none;
}

void close_out(struct core *c, const struct command *cmd)
{
    enum reject reason = check(c, cmd);
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
    else start(c, cmd->header.account, cmd->close_out.reason);
}

static bool has_pledged(const struct core *c, uint32_t account)
{
    for (uint32_t asset = ASSET_USD + 1; asset <= c->s->assets; asset++) {
        uint32_t id = balance_find(c, account, asset);
        if (id != NIL && c->balances[id].pledged > 0) return true;
    }
    return false;
}

bool closeout_finish(struct core *c, uint32_t account)
{
    uint32_t member = c->accounts[account].member;
    const struct default_record *d = &c->defaults[member];
    int64_t shortfall = int64_max(0, -ledger_cash(c, account));
    if (delivery_is_open(c, account, NIL)) return false; /* its margins may come back */
    if (shortfall > 0) {
        if (has_pledged(c, account)) return false;
        if (!money_fits((int128_t)ledger_cash(c, d->estate) - shortfall)) return false;
        ASSERT(d->status == DEFAULT_STATUS_open); /* (3): it is not closed while one owes */
        struct ledger_chain chain = ledger_chain_open(c, NIL, d->number);
        ledger_chain_cash(&chain, d->estate, -shortfall, POSTING_default_client);
        ledger_chain_cash(&chain, account, shortfall, POSTING_default_client);
        ledger_chain_close(&chain);
    }
    c->accounts[account].status = ACCOUNT_normal; /* what is left may leave; nothing trades */
    event_close_out_push(c, account, true, shortfall, "");
    if (shortfall > 0) event_default_push(c, c->out, member);
    return true;
}

void closeout_check(const struct core *c)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (!is_closing(c, a)) continue;
        ASSERT(is_client(c, a) && member_is_in_default(c, c->accounts[a].member));
        ASSERT(c->accounts[a].status == ACCOUNT_defaulted && c->accounts[a].order_count == 0);
    }
    for (uint32_t m = 1; m <= c->s->members; m++) {
        bool closed = c->defaults[m].status == DEFAULT_STATUS_closed;
        if (closed) ASSERT(!closeout_is_needed(c, m));
    }
}
