/* token.c: see token.h. Places of assets, issue, retirement and transfer; pledges are in
 * token_cover.c, escrow and expiry in token_escrow.c. */
#include "core/token.h"

#include "core/closeout.h"
#include "core/ledger.h"
#include "core/schedule.h"

void tokens_cut(struct core *c, struct arena *a)
{
    const struct core_limits *l = &c->limits;
    struct tokens *m = &c->token;
    m->slot_max = l->balances / 4;
    m->cover_max = l->accounts;
    m->s = arena_cut(a, 1, sizeof *m->s);
    m->slots = arena_cut(a, m->slot_max + 1, sizeof *m->slots);
    m->covers = arena_cut(a, m->cover_max + 1, sizeof *m->covers);
    m->account_covers = arena_cut(a, l->accounts + 1, sizeof *m->account_covers);
    map_cut(&m->slot_map, a, m->slot_max, a->base ? &m->s->slot_map_count : NULL);
}

/* ---- places of assets ---- */

uint32_t token_slot_find(const struct core *c, uint32_t asset)
{
    const uint32_t *found = map_find(&c->token.slot_map, asset);
    return found == NULL ? NIL : *found;
}

static uint32_t slot_get(struct core *c, uint32_t asset)
{
    struct tokens *m = &c->token;
    uint32_t place = token_slot_find(c, asset);
    if (place != NIL) return place;
    place = m->s->slot_free;
    if (place != NIL) m->s->slot_free = m->slots[place].next;
    else place = ++m->s->slots;
    ASSERT(place <= m->slot_max);
    m->slots[place] = (struct token_slot){.asset = asset};
    map_insert(&m->slot_map, asset, place);
    return place;
}

void token_balance_made(struct core *c, uint32_t balance)
{
    struct balance *b = &c->balances[balance];
    struct token_slot *slot = &c->token.slots[token_slot_find(c, b->asset)];
    b->asset_next = slot->balances;
    slot->balances = balance;
}

void token_slot_release(struct core *c, uint32_t place)
{
    struct tokens *m = &c->token;
    struct token_slot *slot = &m->slots[place];
    ASSERT(slot->pledged == 0 && slot->escrowed == 0);
    for (uint32_t b = slot->balances, next; b != NIL; b = next) {
        next = c->balances[b].asset_next;
        balance_release(c, b);
    }
    if (slot->over != 0) m->s->over -= 1;
    map_remove(&m->slot_map, slot->asset);
    *slot = (struct token_slot){.next = m->s->slot_free};
    m->s->slot_free = place;
}

/* ---- small readers ---- */

int64_t token_balance(const struct core *c, uint32_t account, uint32_t asset)
{
    return account == NIL ? 0 : c->balances[balance_find(c, account, asset)].amount;
}

int64_t token_free(const struct core *c, uint32_t account, const struct token_class *class,
                   int64_t hour)
{
    uint32_t id = token_class_find(c, class);
    if (id == NIL || !token_hour_is_open(c, hour)) return 0;
    return token_balance(c, account, token_asset(id, hour));
}

bool token_hour_is_open(const struct core *c, int64_t hour)
{
    return token_hour_is_valid(hour) && !promise_is_over(c, hour);
}

void event_token_push(const struct core *c, struct outbox *out, const struct token_move *m)
{
    const struct token_slot *slot = &c->token.slots[token_slot_find(c, m->asset)];
    struct event_token *e = outbox_push(out, EVENT_token, sizeof *e);
    struct event_header header = e->header;
    *e = (struct event_token){
        .header = header, .asset = m->asset, .class = token_asset_class(m->asset),
        .hour = token_asset_hour(m->asset), .pledged = slot->pledged, .escrowed = slot->escrowed,
        .outstanding = -token_balance(c, c->s->account_issuer, m->asset),
        .certified = m->certified, .promised = m->promised, .cause = m->cause,
        .account = m->account, .resource = m->resource, .to = m->to, .amount = m->amount};
}

void token_post(struct core *c, uint32_t from, uint32_t to, uint32_t asset, int64_t amount,
                enum posting_code code)
{
    struct ledger_chain chain = ledger_chain_open(c, NIL, 0);
    ledger_chain_asset(&chain, from, asset, -amount, code);
    ledger_chain_asset(&chain, to, asset, amount, code);
    ledger_chain_close(&chain);
}

/* ---- room ---- */

void token_needs_add(const struct core *c, struct token_needs *n, uint32_t asset,
                     uint32_t account, uint32_t other)
{
    bool made = token_slot_find(c, asset) != NIL;
    n->slots += made ? 0 : 1;
    n->balances += made && balance_find(c, account, asset) != NIL ? 0 : 1;
    n->balances += made && balance_find(c, other, asset) != NIL ? 0 : 1;
}

/* Every account that may still be opened has a place for its money. */
bool token_needs_fit(const struct core *c, const struct token_needs *n)
{
    uint64_t kept = c->limits.accounts - c->s->accounts;
    return n->slots <= c->token.slot_max - c->token.s->slot_map_count &&
           (uint64_t)c->s->balance_map_count + kept + n->balances <= c->limits.balances;
}

/* The first refusal in reject.def's order. */
static enum reject reject_first(enum reject a, enum reject b)
{
    if (a == REJECT_none || b == REJECT_none) return a == REJECT_none ? b : a;
    return a < b ? a : b;
}

/* ---- issued, and retired ---- */

static enum reject issue_hour_check(const struct core *c, const struct command *cmd, int64_t hour)
{
    const struct command_token_issue *t = &cmd->token_issue;
    struct token_class class;
    int64_t work = certificate_work(c, t->resource, hour);
    if (work == 0 || !resource_class(c, t->resource, &class)) return REJECT_uncertified;
    if (certificate_supply(c, t->resource, hour) < t->amount) return REJECT_insufficient_supply;
    if (!token_hour_is_open(c, hour)) return REJECT_invalid_hour;
    uint32_t asset = token_asset(token_class_find(c, &class), hour);
    int64_t issued = -token_balance(c, c->s->account_issuer, asset);
    return money_fits((int128_t)issued + t->amount) ? REJECT_none : REJECT_amount_overflow;
}

static enum reject retire_hour_check(const struct core *c, const struct command *cmd, int64_t hour)
{
    const struct command_token_issue *t = &cmd->token_issue;
    struct token_class class;
    if (!resource_class(c, t->resource, &class)) return REJECT_uncertified;
    const struct promise *p = promise_find(c, t->resource, hour);
    if (p == NULL || p->issued < t->amount ||
        token_free(c, cmd->header.account, &class, hour) < t->amount)
        return REJECT_insufficient_funds;
    return token_hour_is_open(c, hour) ? REJECT_none : REJECT_invalid_hour;
}

/* Accounts of the clearing house's own that the first token opens. */
static uint32_t own_missing(const struct core *c)
{
    uint32_t issuing = c->s->account_issuer == NIL ? 2 : 0; /* and what holds collateral */
    return issuing + (c->token.s->account_escrow == NIL ? 1 : 0);
}

static void own_open(struct core *c)
{
    if (c->s->account_issuer == NIL) {
        c->s->account_issuer = account_open_own(c, "issuer");
        c->s->account_collateral = account_open_own(c, "collateral");
    }
    if (c->token.s->account_escrow == NIL)
        c->token.s->account_escrow = account_open_own(c, "escrow");
}

static enum reject issue_room(const struct core *c, const struct command *cmd)
{
    const struct command_token_issue *t = &cmd->token_issue;
    struct token_needs needs = {.balances = own_missing(c)};
    struct token_class class;
    uint32_t promises = 0;
    (void)resource_class(c, t->resource, &class);
    for (uint32_t i = 0; i < t->hours; i++) {
        uint32_t asset = token_asset(token_class_find(c, &class), t->hour + i);
        token_needs_add(c, &needs, asset, cmd->header.account, c->s->account_issuer);
        promises += promise_find(c, t->resource, t->hour + i) == NULL;
    }
    bool room = account_room_own(c, own_missing(c)) && token_needs_fit(c, &needs) &&
                promises <= promise_room(c);
    return room ? REJECT_none : REJECT_capacity_exhausted;
}

static enum reject issue_check(const struct core *c, const struct command *cmd)
{
    const struct command_token_issue *t = &cmd->token_issue;
    enum reject reason = REJECT_none;
    if (!account_is_customer(c, cmd->header.account)) return REJECT_unknown_account;
    if (!resource_exists(c, t->resource) ||
        resource_account(c, t->resource) != cmd->header.account) return REJECT_unknown_resource;
    if (closeout_freezes(c, cmd->header.account)) return REJECT_in_default;
    if (t->amount < 1 || t->amount > WORK_PER_HOUR_MAX) return REJECT_invalid_amount;
    for (uint32_t i = 0; i < t->hours; i++) {
        int64_t hour = t->hour + i;
        reason = reject_first(reason, t->retire != 0 ? retire_hour_check(c, cmd, hour)
                                                     : issue_hour_check(c, cmd, hour));
    }
    if (reason != REJECT_none || t->retire != 0) return reason;
    return issue_room(c, cmd);
}

static void issue_hour(struct core *c, uint32_t account, uint32_t resource, uint32_t class,
                       int64_t hour, int64_t amount)
{
    uint32_t asset = token_asset(class, hour);
    (void)slot_get(c, asset);
    struct promise *p = promise_get(c, resource, hour);
    p->issued += amount;
    p->backed = certificate_work(c, resource, hour);
    token_post(c, c->s->account_issuer, account, asset, amount, POSTING_issue);
    event_token_push(c, c->out, &(struct token_move){.asset = asset, .cause = TOKEN_issued,
                                                     .account = account, .resource = resource,
                                                     .amount = amount});
}

static void retire_hour(struct core *c, uint32_t account, uint32_t resource, uint32_t class,
                        int64_t hour, int64_t amount)
{
    uint32_t asset = token_asset(class, hour);
    promise_find(c, resource, hour)->issued -= amount;
    promise_settle(c, resource, hour);
    token_post(c, account, c->s->account_issuer, asset, amount, POSTING_retire);
    event_token_push(c, c->out, &(struct token_move){.asset = asset, .cause = TOKEN_retired,
                                                     .account = account, .resource = resource,
                                                     .amount = amount});
    if (token_balance(c, c->s->account_issuer, asset) == 0)
        token_slot_release(c, token_slot_find(c, asset));
}

void token_issue(struct core *c, const struct command *cmd)
{
    const struct command_token_issue *t = &cmd->token_issue;
    enum reject reason = issue_check(c, cmd);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct token_class class;
    (void)resource_class(c, t->resource, &class);
    uint32_t id = token_class_find(c, &class);
    own_open(c);
    token_hours_begin(c);
    for (uint32_t i = 0; i < t->hours; i++) {
        if (t->retire != 0)
            retire_hour(c, cmd->header.account, t->resource, id, t->hour + i, t->amount);
        else issue_hour(c, cmd->header.account, t->resource, id, t->hour + i, t->amount);
    }
    schedule_tokens(c);
}

/* ---- transferred ---- */

static enum reject transfer_check(const struct core *c, const struct command *cmd)
{
    const struct command_token_transfer *t = &cmd->token_transfer;
    uint32_t from = cmd->header.account, class = token_class_find(c, &t->class);
    struct token_needs needs = {0};
    enum reject reason = REJECT_none;
    if (from == t->to) return REJECT_malformed_request;
    if (!account_is_customer(c, from) || !account_is_customer(c, t->to))
        return REJECT_unknown_account;
    if (class == NIL) return REJECT_unknown_asset;
    if (closeout_freezes(c, from) || closeout_freezes(c, t->to)) return REJECT_in_default;
    if (t->amount < 1 || t->amount > MONEY_MAX) return REJECT_invalid_amount;
    for (uint32_t i = 0; i < t->hours; i++) {
        int64_t hour = t->hour + i;
        if (token_free(c, from, &t->class, hour) < t->amount)
            reason = reject_first(reason, REJECT_insufficient_funds);
        if (!token_hour_is_open(c, hour)) reason = reject_first(reason, REJECT_invalid_hour);
        else token_needs_add(c, &needs, token_asset(class, hour), from, t->to);
    }
    if (reason != REJECT_none) return reason;
    return token_needs_fit(c, &needs) ? REJECT_none : REJECT_capacity_exhausted;
}

void token_transfer(struct core *c, const struct command *cmd)
{
    const struct command_token_transfer *t = &cmd->token_transfer;
    uint32_t from = cmd->header.account, class = token_class_find(c, &t->class);
    enum reject reason = transfer_check(c, cmd);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    for (uint32_t i = 0; i < t->hours; i++) {
        uint32_t asset = token_asset(class, t->hour + i);
        token_post(c, from, t->to, asset, t->amount, POSTING_transfer);
        event_token_push(c, c->out,
                         &(struct token_move){.asset = asset, .cause = TOKEN_transferred,
                                              .account = from, .to = t->to, .amount = t->amount});
    }
}
