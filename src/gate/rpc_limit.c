/* rpc_limit.c: position limits (GUARD-07): a product's limits, owners, deliverable supply,
 * exemptions, and the report of large positions. */
#include "gate/rpc_limit.h"

#include <string.h>

enum { SPOT_DAYS = 3, MICRO_RATIO = 10, LARGE_POSITION = 25 }; /* [defaults] */

static const struct param_spec limits_specs[] = {
    {.name = "spot_month", .kind = PARAM_int},
    {.name = "spot_share", .kind = PARAM_decimal},
    {.name = "spot_days", .kind = PARAM_int},
    {.name = "spot_steps", .kind = PARAM_array},
    {.name = "single_month", .kind = PARAM_int},
    {.name = "all_months", .kind = PARAM_int},
    {.name = "accountability_single_month", .kind = PARAM_int},
    {.name = "accountability_all_months", .kind = PARAM_int},
    {.name = "micro_of", .kind = PARAM_text, .max = PRODUCT_NAME_SIZE - 1},
    {.name = "micro_ratio", .kind = PARAM_int},
    {.name = NULL},
};

/* [1, 0.5, 0.25] of the limit: each at most the one before. */
static int steps_get(struct rpc_call *c, uint32_t object, struct product_limits *l)
{
    static const uint32_t defaults[LIMIT_STEPS] = {E6, E6 / 2, E6 / 4};
    uint32_t array = param_find(c, object, "spot_steps"), n = 0;
    memcpy(l->step_e6, defaults, sizeof l->step_e6);
    if (array == 0) return REJECT_none;
    const struct json_token *tokens = c->json->tokens;
    if (json_array_count(c->json, array) != LIMIT_STEPS) return malformed(c, "spot_steps");
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next, n++) {
        int64_t step;
        if (json_decimal(c->json, i, 6, &step) != DECIMAL_exact || step < 0 || step > E6)
            return malformed(c, "spot_steps");
        if (n > 0 && (uint32_t)step > l->step_e6[n - 1]) return malformed(c, "spot_steps");
        l->step_e6[n] = (uint32_t)step;
    }
    return REJECT_none;
}

static int micro_get(struct rpc_call *c, uint32_t object, struct product_limits *l)
{
    l->micro_of = id_of(c, object, "micro_of", DIRECTORY_product);
    if (l->micro_of == 0) return REJECT_unknown_product;
    int64_t ratio = param_int(c, object, "micro_ratio", MICRO_RATIO);
    if (ratio < 2 || ratio > LIMIT_UNIT || LIMIT_UNIT % ratio != 0)
        return malformed(c, "micro_ratio");
    l->ratio = (uint32_t)ratio;
    return REJECT_none;
}

int limits_get(struct rpc_call *c, struct product_limits *l)
{
    uint32_t o = param_find(c, c->params, "limits");
    *l = (struct product_limits){0};
    if (o == 0) return REJECT_none;
    int reason = params_check(c, o, limits_specs);
    if (reason != REJECT_none) return reason;
    if (param_find(c, o, "micro_of") != 0) {
        for (const struct param_spec *s = limits_specs; s->name != NULL; s++) {
            bool micro = strncmp(s->name, "micro_", 6) == 0;
            if (!micro && param_find(c, o, s->name) != 0) return malformed(c, s->name);
        }
        return micro_get(c, o, l);
    }
    if (param_find(c, o, "micro_ratio") != 0) return malformed(c, "micro_ratio");
    reason = param_lots(c, o, "spot_month", &l->spot_cap);
    if (reason == REJECT_none) reason = param_lots(c, o, "single_month", &l->month);
    if (reason == REJECT_none) reason = param_lots(c, o, "all_months", &l->all_months);
    if (reason == REJECT_none)
        reason = param_lots(c, o, "accountability_single_month", &l->accountable_month);
    if (reason == REJECT_none)
        reason = param_lots(c, o, "accountability_all_months", &l->accountable_all);
    if (reason != REJECT_none || l->spot_cap.v == 0) {
        bool spot = param_find(c, o, "spot_share") != 0 || param_find(c, o, "spot_days") != 0 ||
                    param_find(c, o, "spot_steps") != 0;
        return reason == REJECT_none && spot ? malformed(c, "spot_month") : reason;
    }
    reason = param_fixed(c, o, "spot_share", 0, E6, &l->spot_share_e6);
    if (reason != REJECT_none) return reason;
    int64_t days = param_int(c, o, "spot_days", SPOT_DAYS);
    if (days < 1 || days > 366) return malformed(c, "spot_days");
    l->spot_days = (uint32_t)days;
    return steps_get(c, o, l);
}

static void lots_write(struct rpc_call *c, const char *name, qty_t lots)
{
    if (lots.v != 0) json_key_int(c->out, name, lots.v);
}

void limits_write(struct rpc_call *c, const struct product_limits *l)
{
    json_key(c->out, "limits");
    json_open_object(c->out);
    if (l->micro_of != 0) {
        json_key_string(c->out, "micro_of",
                        directory_name(c->names, DIRECTORY_product, l->micro_of));
        json_key_int(c->out, "micro_ratio", l->ratio);
    }
    if (l->spot_cap.v != 0) {
        json_key_int(c->out, "spot_month", l->spot_cap.v);
        if (l->spot_share_e6 != 0) json_key_fixed(c->out, "spot_share", l->spot_share_e6, 6);
        json_key_int(c->out, "spot_days", l->spot_days);
        json_key(c->out, "spot_steps");
        json_open_array(c->out);
        for (int i = 0; i < LIMIT_STEPS; i++) json_fixed(c->out, l->step_e6[i], 6);
        json_close_array(c->out);
    }
    lots_write(c, "single_month", l->month);
    lots_write(c, "all_months", l->all_months);
    lots_write(c, "accountability_single_month", l->accountable_month);
    lots_write(c, "accountability_all_months", l->accountable_all);
    json_close_object(c->out);
}

/* ---- what officers set ---- */

int rpc_set_limits(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_limits_set,
                                        sizeof cmd->header + sizeof cmd->limits_set);
    struct command_limits_set *s = &cmd->limits_set;
    s->product = product;
    param_text(c, c->params, "reason", s->reason, sizeof s->reason);
    reason = limits_get(c, &s->limits);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason == REJECT_malformed_request) return malformed(c, "limits");
    if (reason != REJECT_none) return reason;
    if (request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, product));
    limits_write(c, &s->limits);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_set_deliverable_supply(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t product = 0, instrument;
    int reason = instrument_of(c, "instrument_name", &instrument);
    if (reason == REJECT_none) reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    if (product == 0 && instrument == 0) return malformed(c, "product");
    if (instrument != 0) {
        uint32_t its = directory_instrument(c->names, instrument)->product;
        if (product != 0 && product != its) return malformed(c, "product");
        product = its;
    }
    struct command *cmd = command_begin(c, COMMAND_supply_set,
                                        sizeof cmd->header + sizeof cmd->supply_set);
    struct command_supply_set *s = &cmd->supply_set;
    s->product = product;
    s->instrument = instrument;
    param_text(c, c->params, "reason", s->reason, sizeof s->reason);
    if (param_decimal(c, c->params, "amount", 0, &s->amount.v) != DECIMAL_exact)
        return REJECT_invalid_amount;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    if (request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, product));
    if (instrument != 0)
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, instrument));
    json_key_int(c->out, "amount", s->amount.v);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_set_owner(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t account;
    int reason = account_named(c, "account", &account);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_owner_set,
                                        sizeof cmd->header + sizeof cmd->owner_set);
    cmd->header.account = account;
    param_text(c, c->params, "owner", cmd->owner_set.owner, sizeof cmd->owner_set.owner);
    param_text(c, c->params, "reason", cmd->owner_set.reason, sizeof cmd->owner_set.reason);
    reason = command_submit(c, &events);
    if (reason == REJECT_malformed_request) return malformed(c, "owner");
    if (reason != REJECT_none) return reason;
    if (request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, account));
    json_key_string(c->out, "owner", cmd->owner_set.owner);
    json_close_object(c->out);
    return REJECT_none;
}

static const char *side_name(uint32_t sides)
{
    return rpc_limit_side_names[sides == LIMIT_SIDE_LONG ? 0 : sides == LIMIT_SIDE_SHORT ? 1 : 2];
}

void limit_record_write(struct rpc_call *c, const struct limit_record *r)
{
    json_key_int(c->out, "exemption", (int64_t)r->id);
    json_key_string(c->out, "kind", r->kind == LIMIT_RECORD_physical ? "physical" : "exemption");
    json_key_string(c->out, "owner", r->owner_name);
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, r->product));
    json_key_string(c->out, "period", r->period[0] != 0 ? r->period : "all");
    json_key_string(c->out, "side", side_name(r->sides));
    json_key_int(c->out, "amount", r->amount.v);
    if (r->kind == LIMIT_RECORD_exemption) json_key_ms(c->out, "expires_at", r->expires_at);
    json_key_string(c->out, "reason", r->reason);
}

static int exemption_submit(struct rpc_call *c)
{
    const struct outbox *events;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_exemption *found = NULL; /* the last: before it, what it replaced */
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_exemption) found = (const struct event_exemption *)(const void *)h;
    }
    if (found == NULL) return request_answer(c, events) ? REJECT_none : REJECT_unknown_request;
    json_open_object(c->out);
    limit_record_write(c, &found->record);
    json_key_bool(c->out, "ended", found->ended != 0);
    json_close_object(c->out);
    return REJECT_none;
}

static int record_begin(struct rpc_call *c, enum limit_record_kind kind,
                        struct command_exemption_set **out)
{
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_exemption_set,
                                        sizeof cmd->header + sizeof cmd->exemption_set);
    struct command_exemption_set *s = &cmd->exemption_set;
    s->kind = kind;
    s->product = product;
    s->sides = LIMIT_SIDE_LONG;
    param_text(c, c->params, "owner", s->owner, sizeof s->owner);
    param_text(c, c->params, "reason", s->reason, sizeof s->reason);
    *out = s;
    return param_decimal(c, c->params, "amount", 0, &s->amount.v) == DECIMAL_exact
               ? REJECT_none
               : REJECT_invalid_amount;
}

int rpc_set_exemption(struct rpc_call *c)
{
    static const uint32_t sides[] = {LIMIT_SIDE_LONG, LIMIT_SIDE_SHORT,
                                     LIMIT_SIDE_LONG | LIMIT_SIDE_SHORT};
    struct command_exemption_set *s;
    uint32_t instrument;
    int reason = instrument_of(c, "instrument_name", &instrument);
    if (reason == REJECT_none) reason = record_begin(c, LIMIT_RECORD_exemption, &s);
    if (reason != REJECT_none) return reason;
    reason = param_time(c, c->params, "expires_at", &s->expires_at);
    if (reason != REJECT_none) return reason;
    s->instrument = instrument;
    s->sides = sides[param_enum(c, c->params, "side", rpc_limit_side_names, 2)];
    if (s->reason[0] == 0) return malformed(c, "reason");
    return exemption_submit(c);
}

int rpc_set_physical_capacity(struct rpc_call *c)
{
    struct command_exemption_set *s;
    int reason = record_begin(c, LIMIT_RECORD_physical, &s);
    return reason != REJECT_none ? reason : exemption_submit(c);
}

int rpc_revoke_exemption(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_exemption_set,
                                        sizeof cmd->header + sizeof cmd->exemption_set);
    cmd->exemption_set.revoke = (uint64_t)param_int(c, c->params, "exemption", 0);
    if (cmd->exemption_set.revoke == 0) return malformed(c, "exemption");
    param_text(c, c->params, "reason", cmd->exemption_set.reason,
               sizeof cmd->exemption_set.reason);
    return exemption_submit(c);
}

void limit_asks(struct rpc_call *c, const struct command *cmd)
{
    const struct command_exemption_set *x = &cmd->exemption_set;
    if (cmd->header.kind == COMMAND_owner_set) {
        json_key_string(c->out, "owner", cmd->owner_set.owner);
        return;
    }
    bool supply = cmd->header.kind == COMMAND_supply_set;
    uint32_t product = supply ? cmd->supply_set.product : x->product;
    uint32_t instrument = supply ? cmd->supply_set.instrument : x->instrument;
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, product));
    if (instrument != 0)
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, instrument));
    json_key_int(c->out, "amount", supply ? cmd->supply_set.amount.v : x->amount.v);
    if (supply) return;
    json_key_string(c->out, "owner", x->owner);
    json_key_string(c->out, "side", side_name(x->sides));
    if (x->kind == LIMIT_RECORD_exemption) json_key_ms(c->out, "expires_at", x->expires_at);
}

/* ---- reports ---- */

int rpc_get_exemptions(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_exemptions});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind != EVENT_exemption) continue;
        json_open_object(c->out);
        limit_record_write(c, &((const struct event_exemption *)(const void *)h)->record);
        json_close_object(c->out);
    }
    json_close_array(c->out);
    return REJECT_none;
}

static void limit_write(struct rpc_call *c, const char *name, int64_t thousandths)
{
    if (thousandths < 0) json_key_null(c->out, name);
    else json_key_fixed(c->out, name, thousandths, 3);
}

static void holding_write(struct rpc_call *c, const struct event_holding *e)
{
    int64_t held = e->net < 0 ? -e->net : e->net;
    json_open_object(c->out);
    json_key_string(c->out, "owner", e->owner);
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, e->product));
    json_key_string(c->out, "period", e->period);
    json_key_fixed(c->out, "size", e->net, 3);
    json_key_fixed(c->out, "working_buys", e->buys, 3);
    json_key_fixed(c->out, "working_sells", e->sells, 3);
    limit_write(c, "limit_long", e->limit[SIDE_buy]);
    limit_write(c, "limit_short", e->limit[SIDE_sell]);
    json_key_int(c->out, "exempt_long", e->exempt[SIDE_buy]);
    json_key_int(c->out, "exempt_short", e->exempt[SIDE_sell]);
    json_key_int(c->out, "physical", e->physical);
    json_key_bool(c->out, "in_spot_period", e->in_spot != 0);
    if (e->level != 0) {
        json_key_int(c->out, "accountability", e->level);
        json_key_bool(c->out, "accountable", held > e->level * LIMIT_UNIT);
    }
    json_close_object(c->out);
}

int rpc_get_large_positions(struct rpc_call *c)
{
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    int64_t least = param_int(c, c->params, "minimum", LARGE_POSITION);
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_large_positions, .product = product,
                                     .from_id = (uint64_t)least});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_holding)
            holding_write(c, (const struct event_holding *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}
