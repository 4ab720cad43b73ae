/* rpc_product.c: products as data (UNIT-05), and listing what is traded. */
#include "gate/rpc_compute.h"
#include "gate/rpc_delivery.h"
#include "gate/rpc_limit.h"
#include "gate/rpc_settlement.h"
#include "gate/rpc_spot.h"

#include <string.h>

enum { PEAK_START = 14, PEAK_END = 2, PRO_RATA_MINIMUM = 2, TOP_MINIMUM = 1 }; /* [defaults] */

static const struct param_spec matching_specs[] = {
    {.name = "algorithm", .kind = PARAM_enum, .required = REQUIRED, .names = rpc_algorithm_names},
    {.name = "pro_rata_minimum", .kind = PARAM_int},
    {.name = "fifo_share", .kind = PARAM_decimal},
    {.name = "top", .kind = PARAM_bool},
    {.name = "top_minimum", .kind = PARAM_int},
    {.name = "top_maximum", .kind = PARAM_int},
    {.name = "lmm", .kind = PARAM_array},
    {.name = NULL},
};
static const struct param_spec lmm_specs[] = {
    {.name = "account", .kind = PARAM_text, .required = REQUIRED, .max = 31},
    {.name = "share", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};
static const struct param_spec fees_specs[] = {
    {.name = "maker", .kind = PARAM_decimal},
    {.name = "taker", .kind = PARAM_decimal},
    {.name = "clearing", .kind = PARAM_decimal},
    {.name = "tiers", .kind = PARAM_array},
    {.name = NULL},
};
static const struct param_spec tier_specs[] = {
    {.name = "from", .kind = PARAM_int, .required = REQUIRED},
    {.name = "maker", .kind = PARAM_decimal},
    {.name = "taker", .kind = PARAM_decimal},
    {.name = NULL},
};
static const struct param_spec peak_specs[] = {
    {.name = "start", .kind = PARAM_int, .required = REQUIRED},
    {.name = "end", .kind = PARAM_int, .required = REQUIRED},
    {.name = NULL},
};
static const struct param_spec leg_specs[] = {
    {.name = "instrument_name", .kind = PARAM_text, .required = REQUIRED, .max = 63},
    {.name = "ratio", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};

static int lmm_get(struct rpc_call *c, uint32_t object, struct command_product_create *p)
{
    uint32_t array = param_find(c, object, "lmm");
    const struct json_token *tokens = c->json->tokens;
    int64_t sum = 0;
    if (array == 0) return REJECT_none;
    if (json_array_count(c->json, array) > LMM_MAX) return malformed(c, "lmm");
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        int64_t share = 0;
        if (tokens[i].kind != JSON_object) return malformed(c, "lmm");
        int reason = params_check(c, i, lmm_specs);
        if (reason == REJECT_none) reason = param_fixed(c, i, "share", 0, E6, &share);
        if (reason != REJECT_none) return reason;
        uint32_t account = id_of(c, i, "account", DIRECTORY_account);
        if (account == 0) return REJECT_unknown_account;
        sum += share;
        p->lmm[p->lmm_count++] = (struct lmm_share){account, (uint32_t)share};
    }
    return sum > E6 ? malformed(c, "lmm") : REJECT_none;
}

static int matching_get(struct rpc_call *c, struct command_product_create *p)
{
    uint32_t m = param_find(c, c->params, "matching");
    int reason = m == 0 ? REJECT_none : params_check(c, m, matching_specs);
    if (reason != REJECT_none) return reason;
    p->algorithm = (uint8_t)param_enum(c, m, "algorithm", rpc_algorithm_names, ALGORITHM_fifo);
    bool top = param_bool(c, m, "top", p->algorithm == ALGORITHM_allocation);
    if (top && p->algorithm != ALGORITHM_fifo) p->flags |= PRODUCT_FLAG_TOP;
    p->pro_rata_minimum = QTY(PRO_RATA_MINIMUM);
    p->top_minimum = QTY(TOP_MINIMUM);
    reason = param_lots(c, m, "pro_rata_minimum", &p->pro_rata_minimum);
    if (reason == REJECT_none) reason = param_lots(c, m, "top_minimum", &p->top_minimum);
    if (reason == REJECT_none) reason = param_lots(c, m, "top_maximum", &p->top_maximum);
    if (reason == REJECT_none) reason = param_fixed(c, m, "fifo_share", 0, E6, &p->fifo_share_e6);
    if (reason == REJECT_none) reason = lmm_get(c, m, p);
    return reason;
}

static int tiers_get(struct rpc_call *c, uint32_t array, struct command_product_create *p)
{
    const struct json_token *tokens = c->json->tokens;
    uint32_t count = json_array_count(c->json, array);
    if (count == 0 || count > FEE_TIERS_MAX) return malformed(c, "tiers");
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        struct fee_tier *t = &p->fee_tiers[p->fee_tier_count];
        if (tokens[i].kind != JSON_object) return malformed(c, "tiers");
        int reason = params_check(c, i, tier_specs);
        if (reason == REJECT_none) reason = param_lots(c, i, "from", &t->from);
        if (reason == REJECT_none)
            reason = param_fixed(c, i, "maker", -PRICE_MAX, PRICE_MAX, &t->maker.v);
        if (reason == REJECT_none)
            reason = param_fixed(c, i, "taker", -PRICE_MAX, PRICE_MAX, &t->taker.v);
        if (reason != REJECT_none) return reason;
        bool first = p->fee_tier_count == 0;
        if (first ? t->from.v != 0 : t->from.v <= t[-1].from.v) return malformed(c, "from");
        p->fee_tier_count += 1;
    }
    return REJECT_none;
}

/* CLEAR-12: either one maker and taker fee, or tiers by volume. */
static int fees_get(struct rpc_call *c, struct command_product_create *p)
{
    uint32_t fees = param_find(c, c->params, "fees");
    if (fees == 0) return REJECT_none;
    int reason = params_check(c, fees, fees_specs);
    uint32_t tiers = param_find(c, fees, "tiers");
    struct fee_tier flat = {0};
    if (reason == REJECT_none)
        reason = param_fixed(c, fees, "clearing", 0, PRICE_MAX, &p->clearing_fee.v);
    if (reason == REJECT_none)
        reason = param_fixed(c, fees, "maker", -PRICE_MAX, PRICE_MAX, &flat.maker.v);
    if (reason == REJECT_none)
        reason = param_fixed(c, fees, "taker", -PRICE_MAX, PRICE_MAX, &flat.taker.v);
    if (reason != REJECT_none) return reason;
    if (tiers != 0) {
        if (flat.maker.v != 0 || flat.taker.v != 0) return malformed(c, "tiers");
        return tiers_get(c, tiers, p);
    }
    p->fee_tiers[0] = flat;
    p->fee_tier_count = 1;
    return REJECT_none;
}

static int peak_get(struct rpc_call *c, struct command_product_create *p)
{
    uint32_t peak = param_find(c, c->params, "peak_hours");
    int reason = peak == 0 ? REJECT_none : params_check(c, peak, peak_specs);
    if (reason != REJECT_none) return reason;
    int64_t start = param_int(c, peak, "start", PEAK_START);
    int64_t end = param_int(c, peak, "end", PEAK_END);
    if (start > 23 || end > 23) return malformed(c, "peak_hours");
    p->peak_start_hour = (uint8_t)start;
    p->peak_end_hour = (uint8_t)end;
    return REJECT_none;
}

static int guards_get(struct rpc_call *c, struct command_product_create *p)
{
    uint32_t o = c->params;
    int reason = guards_create(c, param_find(c, o, "guards"), p);
    if (reason == REJECT_none)
        reason = param_fixed(c, o, "price_floor", -PRICE_MAX, PRICE_MAX, &p->floor.v);
    if (reason == REJECT_none) reason = param_fixed(c, o, "price_band", 0, PRICE_MAX, &p->band.v);
    if (reason == REJECT_none)
        reason = param_fixed(c, o, "protection_points", 0, PRICE_MAX, &p->protection.v);
    if (reason == REJECT_none)
        reason = param_fixed(c, o, "flat_margin", 0, PRICE_MAX, &p->flat_margin.v);
    if (reason != REJECT_none) return reason;
    if (param_find(c, o, "price_floor") != 0) p->flags |= PRODUCT_FLAG_HAS_FLOOR;
    if (param_find(c, o, "price_band") != 0) p->flags |= PRODUCT_FLAG_HAS_BAND;
    if (param_find(c, o, "protection_points") != 0) p->flags |= PRODUCT_FLAG_HAS_PROTECTION;
    if (!c->guards_required) return REJECT_none;
    if ((reason = guards_required(c, p)) != REJECT_none) return reason;
    if (p->flat_margin.v == 0 && p->margin_model == MARGIN_flat) return malformed(c, "flat_margin");
    return REJECT_none;
}

/* Letters, digits and underscores: what separates the parts of an instrument's name is none. */
static bool product_name_is_fit(const char *text)
{
    for (const char *p = text; *p != 0; p++) {
        bool letter = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z');
        if (!letter && *p != '_' && !(*p >= '0' && *p <= '9')) return false;
    }
    return text[0] != 0;
}

static int product_build(struct rpc_call *c, struct command_product_create *p)
{
    uint32_t o = c->params;
    param_text(c, o, "product", p->name, sizeof p->name);
    if (!product_name_is_fit(p->name)) return malformed(c, "product");
    p->settlement = (uint8_t)param_enum(c, o, "settlement", rpc_settlement_names, SETTLEMENT_cash);
    p->contract_unit = (uint8_t)param_enum(c, o, "contract_unit", rpc_unit_names, UNIT_lot);
    p->margin_model = (uint8_t)param_enum(c, o, "margin_model", rpc_margin_names,
                                          MARGIN_flat);
    if (param_bool(c, o, "directed", false)) p->flags |= PRODUCT_FLAG_DIRECTED;
    int reason = param_fixed(c, o, "tick_size", 1, PRICE_MAX, &p->tick.v);
    if (reason == REJECT_none)
        reason = param_fixed(c, o, "contract_size", 1, PRICE_MAX, &p->contract_size);
    if (reason == REJECT_none) reason = param_lots(c, o, "max_amount", &p->qty_max);
    if (reason == REJECT_none) reason = matching_get(c, p);
    if (reason == REJECT_none) reason = guards_get(c, p);
    if (reason == REJECT_none) reason = fees_get(c, p);
    if (reason == REJECT_none) reason = peak_get(c, p);
    if (reason == REJECT_none) reason = limits_get(c, &p->limits);
    if (reason == REJECT_none) reason = offbook_get(c, &p->offbook);
    if (reason == REJECT_none) reason = settlement_rules_get(c, p);
    if (reason == REJECT_none) reason = calendar_get(c, p);
    if (reason == REJECT_none) reason = spot_terms_get(c, p);
    if (reason == REJECT_none) reason = supply_terms_get(c, p);
    if (reason == REJECT_none) reason = delivery_terms_get(c, p);
    return reason;
}

int rpc_create_product(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_product_create,
                                        sizeof cmd->header + sizeof cmd->product_create);
    int reason = product_build(c, &cmd->product_create);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_product *p = event_find(events, EVENT_product);
    json_open_object(c->out);
    json_key_string(c->out, "product", cmd->product_create.name);
    if (p != NULL) json_key_int(c->out, "product_id", p->id);
    json_key_string(c->out, "state", rpc_state_name(p == NULL ? STATE_closed : p->state));
    json_close_object(c->out);
    return REJECT_none;
}

static int listed_write(struct rpc_call *c, const struct outbox *events)
{
    const struct event_instrument *i = event_find(events, EVENT_instrument);
    if (i == NULL) return REJECT_unknown_instrument;
    rpc_write_instrument(c->out, c->names, i);
    return REJECT_none;
}

int rpc_list_instrument(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_instrument_list,
                                        sizeof cmd->header + sizeof cmd->instrument_list);
    struct command_instrument_list *l = &cmd->instrument_list;
    reason = param_time(c, c->params, "expires_at", &l->expires_at);
    if (reason != REJECT_none) return reason;
    l->product = product;
    param_text(c, c->params, "period", l->period, sizeof l->period);
    reason = command_submit(c, &events);
    if (reason == REJECT_malformed_request) return malformed(c, "period");
    return reason != REJECT_none ? reason : listed_write(c, events);
}

int rpc_list_spread(struct rpc_call *c)
{
    const struct outbox *events;
    const struct json_token *tokens = c->json->tokens;
    uint32_t array = param_find(c, c->params, "legs"), n = 0;
    struct command *cmd = command_begin(c, COMMAND_spread_list,
                                        sizeof cmd->header + sizeof cmd->spread_list);
    if (json_array_count(c->json, array) != SPREAD_LEGS_MAX) return malformed(c, "legs");
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next, n++) {
        int64_t ratio;
        if (tokens[i].kind != JSON_object) return malformed(c, "legs");
        int reason = params_check(c, i, leg_specs);
        if (reason != REJECT_none) return reason;
        if (param_decimal(c, i, "ratio", 0, &ratio) != DECIMAL_exact ||
            ratio > SPREAD_RATIO_MAX || ratio < -SPREAD_RATIO_MAX)
            return malformed(c, "ratio");
        cmd->spread_list.legs[n] = id_of(c, i, "instrument_name", DIRECTORY_instrument);
        cmd->spread_list.ratios[n] = (int32_t)ratio;
        if (cmd->spread_list.legs[n] == 0) return REJECT_unknown_instrument;
    }
    int reason = command_submit(c, &events);
    if (reason == REJECT_malformed_request) return malformed(c, "legs");
    return reason != REJECT_none ? reason : listed_write(c, events);
}
