/* transfer.c: money comes in, goes out, and moves between accounts of one member (CLEAR-13).
 *
 * Where the venue asks for two officers (settings.dual_transfers), what is asked for is kept as a
 * request (dual.h); what would leave an account is reserved (pending_out) meanwhile. A request
 * whose money has gone by then is dropped.
 * Officers cannot make money: it comes from the bank's account, which is the outside world.
 *
 * Upstream: ledger, margin. Downstream: core.c.
 */
#include "core/call.h"
#include "core/closeout.h"
#include "core/ledger.h"
#include "core/margin.h"

static struct ledger_line line(uint32_t account, const struct command_transfer *t, int64_t sign)
{
    return (struct ledger_line){account, t->asset, sign * t->amount.v};
}

static bool leaves_account(const struct command *cmd)
{
    return cmd->header.kind != COMMAND_deposit;
}

static enum posting_code code_of(const struct command_header *h)
{
    if (h->kind == COMMAND_deposit) return POSTING_deposit;
    return h->kind == COMMAND_withdraw ? POSTING_withdrawal : POSTING_transfer;
}

/* From whom and to whom. */
static void parties(const struct core *c, const struct command_header *h,
                    const struct command_transfer *t, uint32_t *from, uint32_t *to)
{
    *from = h->kind == COMMAND_deposit ? c->s->account_bank : h->account;
    *to = h->account;
    if (h->kind == COMMAND_withdraw) *to = c->s->account_bank;
    if (h->kind == COMMAND_transfer) *to = t->to;
}

static bool is_system(const struct core *c, uint32_t account)
{
    return account_exists(c, account) && c->accounts[account].system != 0;
}

/* CLEAR-02: a client's money goes neither to its member nor to another client, unless both accounts
 * are known to have one owner. */
static bool is_segregated(const struct core *c, uint32_t from, uint32_t to)
{
    if (c->accounts[from].origin != ORIGIN_client) return false;
    uint32_t owner = c->limit.account_owner[from];
    return owner == NIL || owner != c->limit.account_owner[to];
}

static enum reject parties_check(const struct core *c, const struct command *cmd)
{
    const struct command_transfer *t = &cmd->transfer;
    uint32_t account = cmd->header.account;
    bool between = cmd->header.kind == COMMAND_transfer;
    if (t->asset == 0 || t->asset > c->s->assets) return REJECT_malformed_request;
    bool money = t->asset == ASSET_USD;
    if (between ? t->to == account : t->to != 0) return REJECT_malformed_request;
    if (is_system(c, account) || (between && is_system(c, t->to))) return REJECT_unauthorised;
    if (between && account_exists(c, account) && account_exists(c, t->to) &&
        (c->accounts[account].member != c->accounts[t->to].member ||
         is_segregated(c, account, t->to))) {
        return REJECT_unauthorised; /* only within a member */
    }
    if (!account_exists(c, account) || (between && !account_exists(c, t->to))) {
        return REJECT_unknown_account;
    }
    if (!money && !between) return REJECT_unknown_asset; /* capacity is issued (CLEAR-09) */
    return t->amount.v < 1 || t->amount.v > MONEY_MAX ? REJECT_invalid_amount : REJECT_none;
}

/* Whether an account can spare the amount: `reserved` of it is counted as pending already. */
static enum reject cover_check(const struct core *c, uint32_t account,
                               const struct command_transfer *t, int64_t reserved)
{
    const struct balance *b = &c->balances[balance_find(c, account, t->asset)];
    int128_t free = (int128_t)b->amount - b->pending_out + reserved;
    if (closeout_freezes(c, account)) return REJECT_in_default;
    if (free < t->amount.v) return REJECT_insufficient_funds;
    if (t->asset != ASSET_USD) return REJECT_none;
    if (call_withholds(c, account)) return REJECT_call_open;
    /* A withdrawal cannot take margin away (CLEAR-08). */
    bool margined = (int128_t)margin_withdrawable(c, account) + reserved >= t->amount.v;
    return margined ? REJECT_none : REJECT_insufficient_margin;
}

/* A request that was kept reserves what will leave. */
static void request_reserve(struct core *c, const struct command *cmd)
{
    struct pending_request *r = dual_kept(c, cmd);
    if (r == NULL || !leaves_account(cmd)) return;
    enum reject reason = ledger_pend(c, cmd->header.account, cmd->transfer.asset,
                                     cmd->transfer.amount.v, code_of(&cmd->header), r->id);
    ASSERT(reason == REJECT_none); /* cover_check came before */
    r->chain = c->s->chain_id;
}

static enum reject transfer_post(struct core *c, const struct command_header *h,
                                 const struct command_transfer *t, uint64_t reference)
{
    uint32_t from, to;
    parties(c, h, t, &from, &to);
    struct ledger_line lines[2] = {line(from, t, -1), line(to, t, 1)};
    return ledger_post(c, lines, 2, code_of(h), 0, reference);
}

/* A confirmed request's reserved money goes out, or back when that is not possible any more. */
static enum reject request_post(struct core *c, const struct pending_request *r,
                                enum reject reason)
{
    const struct command_transfer *t = &r->money.transfer;
    uint32_t from, to;
    parties(c, &r->header, t, &from, &to);
    uint32_t target = reason == REJECT_none ? balance_find(c, to, t->asset) : NIL;
    int128_t after = (int128_t)c->balances[target].amount + t->amount.v;
    if (reason == REJECT_none && target == NIL) reason = REJECT_unknown_account;
    if (reason == REJECT_none && !money_fits(after)) reason = REJECT_amount_overflow;
    ledger_unpend(c, from, t->asset, t->amount.v, code_of(&r->header), r->id,
                  reason == REJECT_none, to);
    return reason;
}

void transfer_release(struct core *c, const struct pending_request *r)
{
    (void)request_post(c, r, REJECT_unknown_request);
}

static void transfer_any(struct core *c, const struct command *cmd)
{
    const struct pending_request *r = c->confirming;
    bool reserved = r != NULL && r->chain != 0;
    enum reject reason = parties_check(c, cmd);
    if (reason == REJECT_none && leaves_account(cmd)) {
        reason = cover_check(c, cmd->header.account, &cmd->transfer,
                             reserved ? cmd->transfer.amount.v : 0);
    }
    if (reserved) {
        reason = request_post(c, r, reason);
    } else if (reason == REJECT_none && c->s->settings.dual_transfers != 0 && dual_wait(c, cmd)) {
        request_reserve(c, cmd);
    } else if (reason == REJECT_none) {
        reason = transfer_post(c, &cmd->header, &cmd->transfer, r != NULL ? r->id : 0);
    }
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}

void deposit(struct core *c, const struct command *cmd) { transfer_any(c, cmd); }
void withdraw(struct core *c, const struct command *cmd) { transfer_any(c, cmd); }
void transfer(struct core *c, const struct command *cmd) { transfer_any(c, cmd); }
