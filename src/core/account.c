/* account.c: members, their accounts, and the clearing house's own accounts (CLEAR-02, MATCH-09).
 *
 * Invariants: (1) every account has a USD balance from its creation, so that fees and variation
 * never need room; (2) names are unique; (3) the clearing house's accounts (ccp, bank, fees,
 * rounding; `system`) are opened at a fresh start, belong to the member "clearing", which nobody
 * else can join, and never trade.
 *
 * Upstream: ledger, margin. Downstream: core.c, query.c.
 */
#include "core/collateral.h"
#include "core/default.h"
#include "core/margin.h"
#include "core/state.h"
#include "core/value.h"

#include <string.h>

bool account_name_is_valid(const char *name)
{
    if (name[0] == 0) return false;
    for (size_t i = 0; name[i] != 0; i++) {
        char ch = name[i];
        bool ok = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
                  (ch >= '0' && ch <= '9') || ch == '_' || ch == '.' || ch == '-';
        if (!ok) return false;
    }
    return true;
}

static uint32_t member_find(const struct core *c, const char *name)
{
    for (uint32_t i = 1; i <= c->s->members; i++) {
        if (strncmp(c->members[i].name, name, MEMBER_NAME_SIZE) == 0) return i;
    }
    return NIL;
}

uint32_t account_find(const struct core *c, const char *name)
{
    for (uint32_t i = 1; i <= c->s->accounts; i++) {
        if (strncmp(c->accounts[i].name, name, ACCOUNT_NAME_SIZE) == 0) return i;
    }
    return NIL;
}

static uint32_t member_add(struct core *c, const char name[MEMBER_NAME_SIZE])
{
    ASSERT(c->s->members < c->limits.members);
    uint32_t id = ++c->s->members;
    memcpy(c->members[id].name, name, MEMBER_NAME_SIZE);
    return id;
}

static uint32_t account_add(struct core *c, const char name[ACCOUNT_NAME_SIZE], uint32_t member,
                            uint32_t mode, uint32_t origin)
{
    ASSERT(c->s->accounts < c->limits.accounts);
    uint32_t id = ++c->s->accounts;
    struct account *a = &c->accounts[id];
    memcpy(a->name, name, ACCOUNT_NAME_SIZE);
    a->member = member;
    a->mode = (uint8_t)mode;
    a->origin = (uint8_t)origin;
    c->members[member].accounts += 1;
    uint32_t cash = balance_get(c, id, ASSET_USD);
    ASSERT(cash != NIL && a->cash == cash);
    return id;
}

static uint32_t account_add_system(struct core *c, const char *name, uint32_t member)
{
    char padded[ACCOUNT_NAME_SIZE] = {0};
    memcpy(padded, name, strlen(name));
    uint32_t id = account_add(c, padded, member, MODE_margined, ORIGIN_house);
    c->accounts[id].system = SYSTEM_clearing;
    return id;
}

void account_open_system(struct core *c)
{
    ASSERT(c->s->accounts == 0);
    c->s->assets = ASSET_USD;
    c->assets[ASSET_USD] = (struct asset){.terms = {.name = "USD"}};
    char clearing[MEMBER_NAME_SIZE] = "clearing";
    uint32_t member = member_add(c, clearing);
    c->s->account_ccp = account_add_system(c, "ccp", member);
    c->s->account_bank = account_add_system(c, "bank", member);
    c->s->account_fees = account_add_system(c, "fees", member);
    c->s->account_rounding = account_add_system(c, "rounding", member);
}

bool account_room_own(const struct core *c, uint32_t count)
{
    return c->s->accounts + count <= c->limits.accounts &&
           c->s->balance_map_count + count <= c->balance_map.capacity;
}

uint32_t account_open_own(struct core *c, const char *name)
{
    uint32_t id = account_add_system(c, name, member_clearing(c));
    event_account_push(c, c->out, id);
    return id;
}

/* Names of accounts that the clearing house opens when it needs them. */
static bool name_is_own(const char *name)
{
    static const char *const own[] = {"issuer", "collateral", "capital", "skin", "conversion",
                                      "escrow", "delivery"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(name, own[i]) == 0) return true;
    }
    return false;
}

static enum reject account_check(const struct core *c, const struct command_account_create *a)
{
    if (!account_name_is_valid(a->account) || !account_name_is_valid(a->member)) {
        return REJECT_malformed_request;
    }
    uint32_t member = member_find(c, a->member);
    if (member != NIL && member == member_clearing(c)) {
        return REJECT_unauthorised; /* the clearing house's own */
    }
    if (account_find(c, a->account) != NIL || name_is_own(a->account)) {
        return REJECT_already_exists;
    }
    if (member != NIL && member_is_in_default(c, member)) return REJECT_in_default;
    bool full = (member == NIL && c->s->members >= c->limits.members) ||
                c->s->accounts >= c->limits.accounts ||
                map_full(&c->balance_map);
    return full ? REJECT_capacity_exhausted : REJECT_none;
}

void account_create(struct core *c, const struct command *cmd)
{
    const struct command_account_create *a = &cmd->account_create;
    enum reject reason = account_check(c, a);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t member = member_find(c, a->member);
    if (member == NIL) {
        member = member_add(c, a->member);
        event_member_push(c, c->out, member);
    }
    event_account_push(c, c->out, account_add(c, a->account, member, a->mode, a->origin));
}

void event_killed_push(struct core *c, uint32_t account, uint32_t member, uint32_t on)
{
    struct event_killed *e = outbox_push(c->out, EVENT_killed, sizeof *e);
    e->account = account;
    e->member = member;
    e->on = on;
    e->reserved = 0;
}

static enum reject kill_check(const struct core *c, const struct command_kill *k)
{
    if ((k->account == NIL) == (k->member == NIL) || k->on > 1) return REJECT_malformed_request;
    if (k->account > c->s->accounts || k->member > c->s->members) return REJECT_unknown_account;
    uint32_t member = k->member != NIL ? k->member : c->accounts[k->account].member;
    if (member == member_clearing(c)) return REJECT_unauthorised;
    if (k->on == 0 && member_is_in_default(c, member)) return REJECT_in_default;
    return REJECT_none;
}

/* The kill switch (MATCH-09): switching on cancels whatever works. */
void account_kill(struct core *c, const struct command *cmd)
{
    const struct command_kill *k = &cmd->kill;
    enum reject reason = kill_check(c, k);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (k->member != NIL) c->members[k->member].killed = k->on;
    else c->accounts[k->account].killed = (uint8_t)k->on;
    event_killed_push(c, k->account, k->member, k->on);
    if (k->on == 0) return;
    for (uint32_t i = 1; i <= c->s->accounts; i++) {
        bool hit = k->member != NIL ? c->accounts[i].member == k->member : i == k->account;
        if (hit) (void)order_cancel_account(c, i, CAUSE_cancelled_killed);
    }
}

void event_member_push(const struct core *c, struct outbox *out, uint32_t member)
{
    const struct member *m = &c->members[member];
    struct event_member *e = outbox_push(out, EVENT_member, sizeof *e);
    e->id = member;
    e->killed = m->killed;
    memcpy(e->name, m->name, sizeof e->name);
}

bool account_holds(const struct core *c, uint32_t account)
{
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        if (c->exposures[e].position != 0) return true;
    }
    return false;
}

bool account_is_flat(const struct core *c, uint32_t account)
{
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        if (c->exposures[e].position != 0 || c->exposures[e].cost != 0) return false;
    }
    return true;
}

void event_account_push(const struct core *c, struct outbox *out, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    const struct balance *cash = &c->balances[a->cash];
    int128_t unrealised = 0;
    for (uint32_t i = a->exposures; i != NIL; i = c->exposures[i].next) {
        unrealised += margin_unrealised(c, i).v;
    }
    struct event_account *e = outbox_push(out, EVENT_account, sizeof *e);
    e->id = account;
    e->member = a->member;
    e->mode = a->mode;
    e->origin = a->origin;
    e->killed = a->killed;
    e->system = a->system != 0;
    e->cash = MONEY(cash->amount);
    e->pending = MONEY(cash->pending_out);
    e->unrealised = MONEY(money_clamp(unrealised));
    e->equity = MONEY(money_clamp(cash->amount + unrealised));
    e->initial_margin = a->requirement;
    e->maintenance_margin = MONEY(margin_maintenance_account(c, account));
    e->available = MONEY(money_clamp(margin_available(c, account)));
    e->fees_paid = a->fees_paid;
    e->credit = MONEY(collateral_credit(c, account, a->requirement.v));
    e->status = a->status;
    e->reserved = 0;
    memcpy(e->name, a->name, sizeof e->name);
}
