/* port.c: see port.h. */
#include "core/port.h"

#include "core/call.h"
#include "core/default.h"
#include "core/ledger.h"

static enum reject port_check(const struct core *c, uint32_t account, uint32_t member)
{
    if (!account_exists(c, account)) return REJECT_unknown_account;
    if (member == NIL || member > c->s->members) return REJECT_unknown_account;
    const struct account *a = &c->accounts[account];
    bool own = member == member_clearing(c);
    if (a->system != 0 || own) return REJECT_unauthorised;
    /* A house account is its member: there is nobody to port. */
    if (a->origin != ORIGIN_client || member == a->member) return REJECT_invalid_state;
    return REJECT_none;
}

static void event_port_push(struct core *c, uint32_t account, uint32_t from, uint32_t to,
                            enum port_state state, uint32_t orders)
{
    uint32_t positions = 0;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        positions += c->exposures[e].position != 0 ? 1 : 0;
    }
    struct event_port *e = outbox_push(c->out, EVENT_port, sizeof *e);
    e->account = account;
    e->from = from;
    e->to = to;
    e->state = state;
    e->positions = positions;
    e->orders = orders;
    e->cash = MONEY(ledger_cash(c, account));
    clearing_keep(c, e);
}

void port_accept(struct core *c, const struct command *cmd)
{
    uint32_t account = cmd->header.account, member = cmd->port.member;
    enum reject reason = port_check(c, account, member);
    bool back = cmd->port.withdraw != 0;
    if (reason == REJECT_none && back && c->accounts[account].port_to != member) {
        reason = REJECT_not_consented;
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    c->accounts[account].port_to = back ? NIL : member;
    event_port_push(c, account, c->accounts[account].member, member,
                    back ? PORT_withdrawn : PORT_accepted, 0);
}

void port(struct core *c, const struct command *cmd)
{
    uint32_t account = cmd->header.account, member = cmd->port.member;
    enum reject reason = port_check(c, account, member);
    struct account *a = &c->accounts[reason == REJECT_none ? account : NIL];
    if (reason == REJECT_none && a->port_to != member) reason = REJECT_not_consented;
    bool failed = reason == REJECT_none && c->defaults[member].status == DEFAULT_STATUS_open;
    if (failed) reason = REJECT_invalid_state; /* it cannot take anybody on */
    if (reason == REJECT_none && c->members[member].killed != 0) reason = REJECT_killed;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (c->calls[account].state == CALL_closing) call_drop(c, account); /* its close-out ends */
    uint32_t from = a->member;
    uint32_t orders = order_cancel_account(c, account, CAUSE_cancelled_by_officer);
    c->members[from].accounts -= 1;
    c->members[member].accounts += 1;
    a->member = member;
    a->port_to = NIL;
    if (a->status == ACCOUNT_defaulted) a->status = ACCOUNT_normal; /* it was the old member's */
    event_port_push(c, account, from, member, PORT_done, orders);
    event_account_push(c, c->out, account);
    call_account(c, account);
}
