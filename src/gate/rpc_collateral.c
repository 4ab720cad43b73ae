/* rpc_collateral.c: certified capacity as collateral (CLEAR-09), and the settings of calls and
 * liquidation. Amounts of capacity have nine decimals, so that nano-CT are exact (UNIT-06). */
#include "gate/rpc_internal.h"

#include <string.h>

/* ---- settings ---- */

enum setting_unit { SETTING_seconds, SETTING_share, SETTING_count };

/* In the order of struct clearing_settings. */
static const struct setting {
    const char *name;
    enum setting_unit unit;
} settings[CLEARING_SETTINGS] = {
    {"call_seconds", SETTING_seconds},     {"slice_seconds", SETTING_seconds},
    {"slice_share", SETTING_share},        {"slice_lots_max", SETTING_count},
    {"slices_per_day", SETTING_count},     {"slice_width", SETTING_share},
    {"slice_width_ticks", SETTING_count},  {"maintenance_share", SETTING_share},
    {"collateral_cap", SETTING_share},
};

static void settings_write(struct rpc_call *c, const struct clearing_settings *s, uint32_t flags)
{
    int64_t values[CLEARING_SETTINGS];
    memcpy(values, s, sizeof values);
    for (uint32_t i = 0; i < CLEARING_SETTINGS; i++) {
        if ((flags & 1u << i) == 0) continue;
        const struct setting *t = &settings[i];
        if (t->unit == SETTING_share) json_key_fixed(c->out, t->name, values[i], 6);
        else if (t->unit == SETTING_count) json_key_int(c->out, t->name, values[i]);
        else json_key_int(c->out, t->name, values[i] / NS_PER_SECOND);
    }
}

static int setting_read(struct rpc_call *c, uint32_t i, int64_t *value)
{
    const struct setting *t = &settings[i];
    if (t->unit == SETTING_share)
        return param_fixed(c, c->params, t->name, 0, SHARE_ONE_E6, value);
    *value = param_int(c, c->params, t->name, 0);
    if (t->unit == SETTING_count) return REJECT_none;
    if (*value > 30 * 86400) return malformed(c, t->name);
    *value *= NS_PER_SECOND;
    return REJECT_none;
}

int rpc_set_clearing(struct rpc_call *c)
{
    const struct outbox *events;
    int64_t values[CLEARING_SETTINGS] = {0};
    struct command *cmd = command_begin(c, COMMAND_clearing_set,
                                        sizeof cmd->header + sizeof cmd->clearing_set);
    struct command_clearing_set *s = &cmd->clearing_set;
    for (uint32_t i = 0; i < CLEARING_SETTINGS; i++) {
        if (param_find(c, c->params, settings[i].name) == 0) continue;
        int reason = setting_read(c, i, &values[i]);
        if (reason != REJECT_none) return reason;
        s->flags |= 1u << i;
    }
    memcpy(&s->settings, values, sizeof values);
    param_text(c, c->params, "reason", s->reason, sizeof s->reason);
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_clearing *e = event_find(events, EVENT_clearing);
    if (e == NULL && request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    if (e != NULL) settings_write(c, &e->settings, UINT32_MAX);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_get_clearing(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_collateral});
    const struct event_clearing *e = event_find(events, EVENT_clearing);
    json_open_object(c->out);
    if (e != NULL) settings_write(c, &e->settings, UINT32_MAX);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- assets ---- */

static void terms_write(struct rpc_call *c, const struct collateral_terms *t)
{
    if (t->instrument != 0)
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, t->instrument));
    json_key_price(c->out, "price", t->price);
    json_key_fixed(c->out, "haircut", t->haircut_e6, 6);
    json_key_string(c->out, "source", t->source);
}

void collateral_asks(struct rpc_call *c, const struct command *cmd)
{
    const struct command_asset_issue *i = &cmd->asset_issue;
    const struct command_collateral_sell *s = &cmd->collateral_sell;
    switch ((enum command_kind)cmd->header.kind) {
    case COMMAND_clearing_set:
        settings_write(c, &cmd->clearing_set.settings, cmd->clearing_set.flags);
        break;
    case COMMAND_collateral_sell:
        json_key_string(c->out, "asset", directory_name(c->names, DIRECTORY_asset, s->asset));
        json_key_fixed(c->out, "amount", s->amount, 9);
        json_key_string(c->out, "buyer",
                        directory_name(c->names, DIRECTORY_account, s->buyer));
        json_key_fixed(c->out, "price", s->price.v, 6);
        break;
    case COMMAND_asset_set:
        json_key_string(c->out, "asset", cmd->asset_set.terms.name);
        terms_write(c, &cmd->asset_set.terms);
        break;
    default:
        json_key_string(c->out, "asset", directory_name(c->names, DIRECTORY_asset, i->asset));
        json_key_fixed(c->out, "amount", i->amount, 9);
        json_key_bool(c->out, "retire", i->retire != 0);
        json_key_string(c->out, "evidence", i->evidence);
        break;
    }
}

static void asset_write(struct rpc_call *c, const struct event_collateral *a)
{
    json_open_object(c->out);
    json_key_string(c->out, "asset", a->terms.name);
    terms_write(c, &a->terms);
    json_key_fixed(c->out, "issued", a->issued, 9);
    json_key_fixed(c->out, "pledged", a->pledged, 9);
    json_close_object(c->out);
}

int rpc_get_collateral(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_collateral});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_collateral)
            asset_write(c, (const struct event_collateral *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* The answer of what may wait for a second officer. */
static int asset_answer(struct rpc_call *c, const struct outbox *events)
{
    const struct event_collateral *a = event_find(events, EVENT_collateral);
    if (a == NULL && request_answer(c, events)) return REJECT_none;
    if (a == NULL) return REJECT_unknown_asset;
    asset_write(c, a);
    return REJECT_none;
}

int rpc_set_collateral(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t instrument;
    int reason = instrument_of(c, "instrument_name", &instrument);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_asset_set,
                                        sizeof cmd->header + sizeof cmd->asset_set);
    struct command_asset_set *s = &cmd->asset_set;
    param_text(c, c->params, "asset", s->terms.name, sizeof s->terms.name);
    s->asset = id_of(c, c->params, "asset", DIRECTORY_asset);
    s->terms.instrument = instrument;
    if (param_decimal(c, c->params, "price", 6, &s->terms.price.v) != DECIMAL_exact)
        return REJECT_invalid_price;
    reason = param_share(c, c->params, "haircut", SHARE_ONE_E6, &s->terms.haircut_e6);
    if (reason != REJECT_none) return reason;
    if (param_text(c, c->params, "source", s->terms.source, sizeof s->terms.source) == 0)
        return malformed(c, "source");
    param_text(c, c->params, "reason", s->reason, sizeof s->reason);
    reason = command_submit(c, &events);
    return reason != REJECT_none ? reason : asset_answer(c, events);
}

/* The asset of a request, which is not money. */
static int capacity_of(struct rpc_call *c, uint32_t *asset, int64_t *amount)
{
    *asset = id_of(c, c->params, "asset", DIRECTORY_asset);
    if (*asset == 0 || *asset == ASSET_USD) return REJECT_unknown_asset;
    bool exact = param_decimal(c, c->params, "amount", 9, amount) == DECIMAL_exact;
    return exact && *amount > 0 ? REJECT_none : REJECT_invalid_amount;
}

static int capacity_move(struct rpc_call *c, uint32_t retire)
{
    const struct outbox *events;
    uint32_t account, asset = 0;
    int64_t amount = 0;
    int reason = account_named(c, "account", &account);
    if (reason == REJECT_none) reason = capacity_of(c, &asset, &amount);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_asset_issue,
                                        sizeof cmd->header + sizeof cmd->asset_issue);
    struct command_asset_issue *i = &cmd->asset_issue;
    cmd->header.account = account;
    i->asset = asset;
    i->amount = amount;
    i->retire = retire;
    if (param_text(c, c->params, "evidence", i->evidence, sizeof i->evidence) == 0)
        return malformed(c, "evidence");
    reason = command_submit(c, &events);
    return reason != REJECT_none ? reason : asset_answer(c, events);
}

int rpc_issue_capacity(struct rpc_call *c) { return capacity_move(c, 0); }
int rpc_retire_capacity(struct rpc_call *c) { return capacity_move(c, 1); }

/* What a member in default had pledged is sold; two officers (CLEAR-10). */
int rpc_sell_collateral(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t account, buyer, asset = 0;
    int64_t amount = 0;
    int reason = account_named(c, "account", &account);
    if (reason == REJECT_none) reason = account_named(c, "buyer", &buyer);
    if (reason == REJECT_none) reason = capacity_of(c, &asset, &amount);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_collateral_sell,
                                        sizeof cmd->header + sizeof cmd->collateral_sell);
    struct command_collateral_sell *s = &cmd->collateral_sell;
    cmd->header.account = account;
    s->asset = asset;
    s->amount = amount;
    s->buyer = buyer;
    if (param_decimal(c, c->params, "price", 6, &s->price.v) != DECIMAL_exact || s->price.v < 0)
        return REJECT_invalid_price;
    param_text(c, c->params, "evidence", s->evidence, sizeof s->evidence);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    return request_answer(c, events) ? REJECT_none : REJECT_unknown_request;
}

/* ---- what an account pledges ---- */

static int pledge_move(struct rpc_call *c, uint32_t release)
{
    const struct outbox *events;
    uint32_t account, asset = 0;
    int64_t amount = 0;
    int reason = account_own(c, &account);
    if (reason == REJECT_none) reason = capacity_of(c, &asset, &amount);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_pledge,
                                        sizeof cmd->header + sizeof cmd->pledge);
    cmd->pledge = (struct command_pledge){.asset = asset, .release = release, .amount = amount};
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_account *a = event_find(events, EVENT_account);
    if (a == NULL) return REJECT_unknown_account;
    rpc_write_account(c->out, c->names, a);
    return REJECT_none;
}

int rpc_pledge(struct rpc_call *c) { return pledge_move(c, 0); }
int rpc_release(struct rpc_call *c) { return pledge_move(c, 1); }

/* Every asset of an account: money and capacity, free and pledged. */
int rpc_get_balances(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_read(c, &account);
    if (reason != REJECT_none) return reason;
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_account, .account = account, .now = c->now});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_balance *b = (const struct event_balance *)(const void *)h;
        if (h->kind != EVENT_balance) continue;
        int scale = asset_scale(b->asset);
        json_open_object(c->out);
        json_key_string(c->out, "asset", directory_name(c->names, DIRECTORY_asset, b->asset));
        json_key_fixed(c->out, "balance", b->balance, scale);
        json_key_fixed(c->out, "pending_withdrawals", b->pending_out, scale);
        json_key_fixed(c->out, "pledged", b->pledged, scale);
        json_close_object(c->out);
    }
    json_close_array(c->out);
    return REJECT_none;
}
