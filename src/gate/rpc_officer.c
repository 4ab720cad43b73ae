/* rpc_officer.c: what officers do: accounts, money, states, settlement. Products: rpc_product.c. */
#include "gate/rpc_internal.h"
#include "wire/event_json_settlement.h"

#include <string.h>

/* ---- accounts and money (CLEAR-02, CLEAR-13) ---- */

static bool name_is_fit(const char *text)
{
    for (const char *p = text; *p != 0; p++) {
        if (strchr(":,;\"\\ ", *p) != NULL) return false;
    }
    return text[0] != 0;
}

int rpc_create_account(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_account_create,
                                        sizeof cmd->header + sizeof cmd->account_create);
    struct command_account_create *a = &cmd->account_create;
    param_text(c, c->params, "account", a->account, sizeof a->account);
    param_text(c, c->params, "member", a->member, sizeof a->member);
    a->mode = (uint32_t)param_enum(c, c->params, "mode", rpc_mode_names, MODE_margined);
    a->origin = (uint32_t)param_enum(c, c->params, "origin", rpc_origin_names, ORIGIN_house);
    if (!name_is_fit(a->account)) return malformed(c, "account");
    if (!name_is_fit(a->member)) return malformed(c, "member");
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_account *e = event_find(events, EVENT_account);
    json_open_object(c->out);
    json_key_string(c->out, "account", a->account);
    json_key_string(c->out, "member", a->member);
    json_key_string(c->out, "mode", rpc_mode_names[a->mode]);
    json_key_string(c->out, "origin", rpc_origin_names[a->origin]);
    if (e != NULL) json_key_int(c->out, "account_id", e->id);
    json_close_object(c->out);
    return REJECT_none;
}

/* The balance after the command: the last posting's. */
static const struct event_posting *posting_last(const struct outbox *events, uint32_t account,
                                                uint32_t asset)
{
    const struct event_posting *found = NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_posting *p = (const struct event_posting *)(const void *)h;
        if (h->kind == EVENT_posting && p->account == account && p->asset == asset) found = p;
    }
    return found;
}

/* Deposit, withdrawal and transfer differ in their kind and in who may ask. */
static int money_move(struct rpc_call *c, enum command_kind kind, uint32_t account, uint32_t to)
{
    const struct outbox *events;
    uint32_t asset;
    const char *name = param_find(c, c->params, "asset") != 0 ? "asset" : "currency";
    int reason = asset_of(c, name, &asset);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, kind, sizeof cmd->header + sizeof cmd->transfer);
    struct command_transfer *t = &cmd->transfer;
    cmd->header.account = account;
    t->asset = asset;
    t->to = to;
    if (param_decimal(c, c->params, "amount", asset_scale(asset), &t->amount.v) != DECIMAL_exact ||
        t->amount.v <= 0)
        return REJECT_invalid_amount;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_request *r = event_find(events, EVENT_request);
    const struct event_posting *p = posting_last(events, account, asset);
    json_open_object(c->out);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, account));
    if (to != 0)
        json_key_string(c->out, "destination", directory_name(c->names, DIRECTORY_account, to));
    json_key_string(c->out, "asset", directory_name(c->names, DIRECTORY_asset, asset));
    json_key_fixed(c->out, "amount", t->amount.v, asset_scale(asset));
    json_key_string(c->out, "state",
                    r != NULL && r->status == REQUEST_awaiting ? "awaiting" : "confirmed");
    if (r != NULL) json_key_int(c->out, "request", (int64_t)r->request_id);
    if (p != NULL) json_key_fixed(c->out, "balance", p->balance, asset_scale(asset));
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_deposit(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_named(c, "account", &account);
    return reason != REJECT_none ? reason : money_move(c, COMMAND_deposit, account, 0);
}

int rpc_officer_withdraw(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_named(c, "account", &account);
    return reason != REJECT_none ? reason : money_move(c, COMMAND_withdraw, account, 0);
}

int rpc_withdraw(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_own(c, &account);
    return reason != REJECT_none ? reason : money_move(c, COMMAND_withdraw, account, 0);
}

int rpc_transfer(struct rpc_call *c)
{
    uint32_t account, to, source;
    const uint32_t any = RPC_SCOPE_officer | RPC_SCOPE_clear;
    int reason = account_named(c, "source", &source);
    bool given = param_find(c, c->params, "source") != 0;
    if (given && source != c->caller->account && (c->caller->scopes & any) == 0)
        return REJECT_unauthorised;
    account = given ? source : c->caller->account;
    if (reason == REJECT_none) reason = account_named(c, "destination", &to);
    if (reason == REJECT_none && account == 0) reason = REJECT_unknown_account;
    return reason != REJECT_none ? reason : money_move(c, COMMAND_transfer, account, to);
}

/* ---- trading states ---- */

static void auction_trades_write(struct rpc_call *c, const struct outbox *events)
{
    json_key(c->out, "trades");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        if (h->kind == EVENT_trade && t->kind != TRADE_implied_leg)
            rpc_write_trade(c->out, c->names, t, -1, NULL);
    }
    json_close_array(c->out);
}

int rpc_set_state(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_state_set,
                                        sizeof cmd->header + sizeof cmd->state_set);
    cmd->state_set.product = product;
    cmd->state_set.state = (uint32_t)param_enum(c, c->params, "state", trading_state_words, 0);
    param_text(c, c->params, "reason", cmd->state_set.reason, sizeof cmd->state_set.reason);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_state *e = event_find(events, EVENT_state);
    if (e == NULL && request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, product));
    json_key_string(c->out, "state", rpc_state_name(cmd->state_set.state));
    if (e != NULL) json_key_string(c->out, "before", rpc_state_name(e->before));
    auction_trades_write(c, events);
    json_close_object(c->out);
    return REJECT_none;
}

/* MATCH-09: the kill switch, by account or by firm. */
int rpc_kill(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t account, member, cancelled = 0;
    int reason = account_named(c, "account", &account);
    if (reason == REJECT_none) reason = member_of(c, "member", &member);
    if (reason != REJECT_none) return reason;
    if ((account == 0) == (member == 0)) return malformed(c, "account or member");
    struct command *cmd = command_begin(c, COMMAND_kill, sizeof cmd->header + sizeof cmd->kill);
    cmd->kill.account = account;
    cmd->kill.member = member;
    cmd->kill.on = param_bool(c, c->params, "on", true) ? 1 : 0;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->kind == EVENT_order && o->cause == CAUSE_cancelled_killed) cancelled += 1;
    }
    json_open_object(c->out);
    if (account != 0)
        json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, account));
    else json_key_string(c->out, "member", directory_name(c->names, DIRECTORY_member, member));
    json_key_bool(c->out, "on", cmd->kill.on != 0);
    json_key_int(c->out, "cancelled", cancelled);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- clearing (CLEAR-04); prices: rpc_settlement.c ---- */

/* How many participants' accounts were paid or charged, and how much was paid. The clearing house
 * stands between them in the ledger and is not counted. */
static void variation_write(struct rpc_call *c, const struct outbox *events)
{
    int64_t count = 0;
    int128_t moved = 0;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_posting *p = (const struct event_posting *)(const void *)h;
        if (h->kind != EVENT_posting || p->asset > ASSET_INSTRUMENT) continue;
        const struct event_account *a = directory_account(c->names, p->account);
        if (a != NULL && a->system != 0) continue;
        count += 1;
        if (p->amount > 0) moved += p->amount;
    }
    json_key_int(c->out, "accounts", count);
    json_key_fixed(c->out, "paid", moved, 6);
}

int rpc_mark_to_market(struct rpc_call *c)
{
    const struct outbox *events;
    command_begin(c, COMMAND_mark_to_market, sizeof(struct command_header));
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    variation_write(c, events);
    const struct event_mark *m = event_find(events, EVENT_mark);
    if (m != NULL) json_key_int(c->out, "instruments", m->instruments);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_expire(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t instrument;
    int reason = instrument_of(c, "instrument_name", &instrument);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_expire,
                                        sizeof cmd->header + sizeof cmd->expire);
    cmd->expire.instrument = instrument;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_settlement *e = event_find(events, EVENT_settlement);
    json_open_object(c->out);
    json_key_string(c->out, "instrument_name",
                    directory_name(c->names, DIRECTORY_instrument, instrument));
    const struct event_cascade *k = event_find(events, EVENT_cascade);
    if (e != NULL) json_key_price(c->out, "settlement_price", e->price);
    variation_write(c, events);
    if (k != NULL) {
        json_key(c->out, "cascade");
        json_open_object(c->out);
        cascade_write(c->out, k);
        json_close_object(c->out);
    }
    json_close_object(c->out);
    return REJECT_none;
}
