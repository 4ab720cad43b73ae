/* transfer.c: money comes in, goes out, and moves between accounts of one member (CLEAR-13).
 *
 * Where the venue asks for two officers (settings.dual_transfers), what is asked for is kept as a
 * request until a different principal confirms it; what would leave an account is reserved
 * (pending_out) meanwhile. A request whose money has gone by then is dropped, and that is said.
 * Officers cannot make money: it comes from the bank's account, which is the outside world.
 *
 * Upstream: ledger, margin. Downstream: core.c.
 */
#include "core/ledger.h"
#include "core/margin.h"

static struct ledger_line line(uint32_t account, const struct command_transfer *t, int64_t sign)
{
    return (struct ledger_line){account, t->asset, sign * t->amount.v};
}

static uint32_t request_free(const struct core *c)
{
    for (uint32_t i = 0; i < c->limits.requests; i++) {
        if (c->requests[i].id == 0) return i;
    }
    return UINT32_MAX;
}

static void event_request_push(struct core *c, const struct pending_request *r,
                               enum request_status status, uint32_t confirmer)
{
    struct event_request *e = outbox_push(c->out, EVENT_request, sizeof *e);
    e->request_id = r->id;
    e->command = r->header.kind;
    e->principal = r->header.principal;
    e->status = status;
    e->account = r->header.account;
    e->asset = r->transfer.asset;
    e->confirmer = confirmer;
    e->amount = r->transfer.amount.v;
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

static bool account_exists(const struct core *c, uint32_t account)
{
    return account != NIL && account <= c->s->accounts;
}

static bool is_system(const struct core *c, uint32_t account)
{
    return account_exists(c, account) && c->accounts[account].system != 0;
}

static enum reject parties_check(const struct core *c, const struct command *cmd)
{
    const struct command_transfer *t = &cmd->transfer;
    uint32_t account = cmd->header.account;
    bool between = cmd->header.kind == COMMAND_transfer;
    if (t->asset == 0 || t->asset > c->s->assets) return REJECT_malformed_request;
    if (between ? t->to == account : t->to != 0) return REJECT_malformed_request;
    if (is_system(c, account) || (between && is_system(c, t->to))) return REJECT_unauthorised;
    if (between && account_exists(c, account) && account_exists(c, t->to) &&
        c->accounts[account].member != c->accounts[t->to].member) {
        return REJECT_unauthorised; /* only within a member */
    }
    if (!account_exists(c, account) || (between && !account_exists(c, t->to))) {
        return REJECT_unknown_account;
    }
    return t->amount.v < 1 || t->amount.v > MONEY_MAX ? REJECT_invalid_amount : REJECT_none;
}

/* Whether an account can spare the amount: `reserved` of it is counted as pending already. */
static enum reject cover_check(const struct core *c, uint32_t account,
                               const struct command_transfer *t, int64_t reserved)
{
    const struct balance *b = &c->balances[balance_find(c, account, t->asset)];
    int128_t free = (int128_t)b->amount - b->pending_out + reserved;
    if (free < t->amount.v) return REJECT_insufficient_funds;
    if (t->asset != ASSET_USD) return REJECT_none;
    /* A withdrawal cannot take margin away (CLEAR-08). */
    bool margined = free - c->accounts[account].requirement.v >= t->amount.v;
    return margined ? REJECT_none : REJECT_insufficient_margin;
}

/* Keeps the command until a second officer confirms it. */
static enum reject request_add(struct core *c, const struct command *cmd)
{
    uint32_t place = request_free(c);
    if (place == UINT32_MAX) return REJECT_capacity_exhausted;
    struct pending_request *r = &c->requests[place];
    *r = (struct pending_request){.id = ++c->s->request_id, .header = cmd->header,
                                  .transfer = cmd->transfer};
    if (leaves_account(cmd)) {
        enum reject reason = ledger_pend(c, cmd->header.account, cmd->transfer.asset,
                                         cmd->transfer.amount.v, code_of(&cmd->header), r->id);
        ASSERT(reason == REJECT_none); /* cover_check came before */
        r->chain = c->s->chain_id;
    }
    event_request_push(c, r, REQUEST_awaiting, 0);
    return REJECT_none;
}

static enum reject transfer_post(struct core *c, const struct command_header *h,
                                 const struct command_transfer *t, uint64_t reference)
{
    uint32_t from, to;
    parties(c, h, t, &from, &to);
    struct ledger_line lines[2] = {line(from, t, -1), line(to, t, 1)};
    return ledger_post(c, lines, 2, code_of(h), 0, reference);
}

static void transfer_any(struct core *c, const struct command *cmd)
{
    enum reject reason = parties_check(c, cmd);
    if (reason == REJECT_none && leaves_account(cmd)) {
        reason = cover_check(c, cmd->header.account, &cmd->transfer, 0);
    }
    if (reason == REJECT_none) {
        reason = c->s->settings.dual_transfers != 0
                     ? request_add(c, cmd)
                     : transfer_post(c, &cmd->header, &cmd->transfer, 0);
    }
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}

void deposit(struct core *c, const struct command *cmd) { transfer_any(c, cmd); }
void withdraw(struct core *c, const struct command *cmd) { transfer_any(c, cmd); }
void transfer(struct core *c, const struct command *cmd) { transfer_any(c, cmd); }

/* Carries a confirmed request out; false when it cannot be any more. */
static bool request_run(struct core *c, const struct pending_request *r)
{
    const struct command_transfer *t = &r->transfer;
    enum posting_code code = code_of(&r->header);
    if (r->chain == 0) return transfer_post(c, &r->header, t, r->id) == REJECT_none;
    uint32_t from, to;
    parties(c, &r->header, t, &from, &to);
    bool post = cover_check(c, from, t, t->amount.v) == REJECT_none;
    uint32_t target = balance_find(c, to, t->asset);
    int128_t after = (int128_t)c->balances[target].amount + t->amount.v;
    post = post && target != NIL && money_fits(after);
    ledger_unpend(c, from, t->asset, t->amount.v, code, r->id, post, to);
    return post;
}

void confirm(struct core *c, const struct command *cmd)
{
    struct pending_request *r = NULL;
    for (uint32_t i = 0; i < c->limits.requests && cmd->confirm.request != 0; i++) {
        if (c->requests[i].id == cmd->confirm.request) r = &c->requests[i];
    }
    if (r == NULL) {
        reject_push(c, cmd, REJECT_unknown_request, INT64_MIN);
        return;
    }
    if (r->header.principal == cmd->header.principal) { /* GUARD-05 */
        reject_push(c, cmd, REJECT_same_officer, INT64_MIN);
        return;
    }
    struct pending_request taken = *r;
    *r = (struct pending_request){0};
    bool done = request_run(c, &taken);
    event_request_push(c, &taken, done ? REQUEST_confirmed : REQUEST_dropped,
                       cmd->header.principal);
}
