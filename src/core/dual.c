/* dual.c: requests that await a second officer; GUARD-05. Numbered invariants: dual.h.
 *
 * Upstream: whichever command asks (dual_wait), core.c (COMMAND_confirm). Downstream: core.c's
 * table, once more.
 */
#include "core/dual.h"

#include "core/state.h"

#include <string.h>

/* The officer's explanation in a command; "" when its kind has none. */
static const char *reason_of(const struct command *cmd)
{
    switch ((enum command_kind)cmd->header.kind) {
    case COMMAND_venue_set: return cmd->venue_set.reason;
    case COMMAND_margin_set: return cmd->margin_set.reason;
    case COMMAND_margin_inter: return cmd->margin_inter.reason;
    case COMMAND_margin_flat: return cmd->margin_flat.reason;
    case COMMAND_guards_set: return cmd->guards_set.reason;
    case COMMAND_state_set: return cmd->state_set.reason;
    case COMMAND_trade_bust: return cmd->trade_bust.reason;
    case COMMAND_limits_set: return cmd->limits_set.reason;
    case COMMAND_supply_set: return cmd->supply_set.reason;
    case COMMAND_owner_set: return cmd->owner_set.reason;
    case COMMAND_exemption_set: return cmd->exemption_set.reason;
    case COMMAND_asset_set: return cmd->asset_set.reason;
    case COMMAND_collateral_sell: return cmd->collateral_sell.evidence;
    case COMMAND_asset_issue: return cmd->asset_issue.evidence;
    case COMMAND_clearing_set: return cmd->clearing_set.reason;
    case COMMAND_index_price: return cmd->index_price.reason;
    case COMMAND_certification_set: return cmd->certification_set.reason;
    case COMMAND_accredit: return cmd->accredit.reason;
    case COMMAND_certificate_end: return cmd->certificate_end.reason;
    default: return "";
    }
}

bool dual_confirmed(const struct core *c) { return c->confirming != NULL; }

static bool moves_money(const struct command_header *h)
{
    return h->kind == COMMAND_deposit || h->kind == COMMAND_withdraw ||
           h->kind == COMMAND_transfer;
}

/* Whole: the request, then the command that it keeps. */
static void event_request_push(struct outbox *out, const struct pending_request *r,
                               enum request_status status, uint32_t confirmer,
                               enum reject refused)
{
    struct command cmd; /* its bytes, and zeros behind */
    uint32_t size = r->header.size;
    struct event_request *e = outbox_push(out, EVENT_request, sizeof *e + size);
    bool money = moves_money(&r->header);
    memset(&cmd, 0, sizeof cmd);
    memcpy(&cmd, r->bytes, size);
    e->request_id = r->id;
    e->command = r->header.kind;
    e->principal = r->header.principal;
    e->status = status;
    e->account = r->header.account;
    e->asset = money ? r->money.transfer.asset : 0;
    e->confirmer = confirmer;
    e->amount = money ? r->money.transfer.amount.v : 0;
    e->refused = refused;
    e->command_bytes = size;
    memset(e->reason, 0, sizeof e->reason);
    memcpy(e->reason, reason_of(&cmd), strnlen(reason_of(&cmd), sizeof e->reason - 1));
    memcpy(e + 1, r->bytes, size);
}

/* GUARD-05: commands that wait only because they loosen a margin or a limit say why; the others of
 * this kind ask for it in their own order of checks. */
static bool lacks_reason(const struct command *cmd)
{
    switch ((enum command_kind)cmd->header.kind) {
    case COMMAND_margin_set:
    case COMMAND_margin_inter:
    case COMMAND_margin_flat:
    case COMMAND_supply_set:
    case COMMAND_owner_set: return reason_of(cmd)[0] == 0;
    default: return false;
    }
}

bool dual_wait(struct core *c, const struct command *cmd)
{
    if (c->confirming != NULL) return false;
    ASSERT(cmd->header.size <= REQUEST_COMMAND_SIZE_MAX);
    if (lacks_reason(cmd)) {
        reject_push(c, cmd, REJECT_reason_needed, INT64_MIN);
        return true;
    }
    uint32_t place = 0;
    while (place < c->limits.requests && c->requests[place].id != 0) place += 1;
    if (place == c->limits.requests) {
        reject_push(c, cmd, REJECT_capacity_exhausted, INT64_MIN);
        return true;
    }
    struct pending_request *r = &c->requests[place];
    memset(r, 0, sizeof *r);
    r->id = ++c->s->request_id;
    memcpy(r->bytes, cmd, cmd->header.size);
    event_request_push(c->out, r, REQUEST_awaiting, 0, REJECT_none);
    return true;
}

static struct pending_request *request_find(struct core *c, uint64_t id)
{
    for (uint32_t i = 0; i < c->limits.requests && id != 0; i++) {
        if (c->requests[i].id == id) return &c->requests[i];
    }
    return NULL;
}

struct pending_request *dual_kept(struct core *c, const struct command *cmd)
{
    struct pending_request *r = request_find(c, c->s->request_id);
    return r != NULL && r->header.seq == cmd->header.seq ? r : NULL;
}

/* What waited is applied as if it arrived now; its refusal is the request's, not an answer. */
static enum reject request_run(struct core *c, const struct pending_request *r,
                               const struct command *by)
{
    struct command cmd;
    memset(&cmd, 0, sizeof cmd);
    memcpy(&cmd, r->bytes, r->header.size);
    cmd.header.seq = by->header.seq;
    cmd.header.ts = by->header.ts;
    c->confirming = r;
    c->confirmer = by->header.principal;
    c->refused = REJECT_none;
    command_apply(c, &cmd);
    c->confirming = NULL;
    return c->refused;
}

void confirm(struct core *c, const struct command *cmd)
{
    struct pending_request *r = request_find(c, cmd->confirm.request);
    if (r == NULL) {
        reject_push(c, cmd, REJECT_unknown_request, INT64_MIN);
        return;
    }
    bool refuse = cmd->confirm.refuse != 0;
    if (!refuse && r->header.principal == cmd->header.principal) { /* GUARD-05 */
        reject_push(c, cmd, REJECT_same_officer, INT64_MIN);
        return;
    }
    struct pending_request taken = *r;
    memset(r, 0, sizeof *r);
    enum reject refused = REJECT_none;
    if (refuse) {
        if (taken.chain != 0) transfer_release(c, &taken);
    } else {
        refused = request_run(c, &taken, cmd);
    }
    bool done = !refuse && refused == REJECT_none;
    event_request_push(c->out, &taken, done ? REQUEST_confirmed : REQUEST_dropped,
                       cmd->header.principal, refused);
}

void query_requests(const struct core *c, struct outbox *out)
{
    for (uint32_t i = 0; i < c->limits.requests; i++) {
        if (c->requests[i].id == 0) continue;
        event_request_push(out, &c->requests[i], REQUEST_awaiting, 0, REJECT_none);
    }
}
