/* rpc_margin.c: margin's parameters, runs and explanations (CLEAR-05, CLEAR-06, CLEAR-08).
 * Tiers are counted from 1 in requests and answers. */
#include "gate/rpc_internal.h"

#include <string.h>

static const struct param_spec product_specs[] = {
    {.name = "product", .kind = PARAM_text, .required = REQUIRED, .max = 15},
    {.name = "delta_scale", .kind = PARAM_int},
    {.name = NULL},
};
static const struct param_spec tier_specs[] = {
    {.name = "start", .kind = PARAM_int},
    {.name = "price_scan", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = "vol_scan", .kind = PARAM_decimal},
    {.name = "spot_spread", .kind = PARAM_decimal},
    {.name = "spot_outright", .kind = PARAM_decimal},
    {.name = NULL},
};
static const struct param_spec spread_specs[] = {
    {.name = "tier_a", .kind = PARAM_int, .required = REQUIRED},
    {.name = "tier_b", .kind = PARAM_int, .required = REQUIRED},
    {.name = "charge", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};
static const struct param_spec credit_specs[] = {
    {.name = "group_a", .kind = PARAM_text, .required = REQUIRED, .max = 15},
    {.name = "group_b", .kind = PARAM_text, .required = REQUIRED, .max = 15},
    {.name = "credit", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};
static const struct param_spec result_specs[] = {
    {.name = "account", .kind = PARAM_text, .required = REQUIRED, .max = 31},
    {.name = "core", .kind = PARAM_decimal},
    {.name = "liquidity", .kind = PARAM_decimal},
    {.name = "concentration", .kind = PARAM_decimal},
    {.name = "floor", .kind = PARAM_decimal},
    {.name = "total", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = "stress_loss", .kind = PARAM_decimal},
    {.name = NULL},
};
static const struct param_spec order_specs[] = {
    {.name = "instrument_name", .kind = PARAM_text, .required = REQUIRED, .max = 63},
    {.name = "direction", .kind = PARAM_enum, .required = REQUIRED, .names = rpc_side_names},
    {.name = "amount", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};
static const struct param_spec position_specs[] = {
    {.name = "instrument_name", .kind = PARAM_text, .required = REQUIRED, .max = 63},
    {.name = "amount", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};

/* What the numbers may be is the core's to judge. */
static int fixed_get(struct rpc_call *c, uint32_t object, const char *name, int64_t *value)
{
    return param_fixed(c, object, name, INT64_MIN, INT64_MAX, value);
}

/* ---- parameters ---- */

static int product_get(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    struct margin_product *p = &((struct command_margin_set *)into)->products[at];
    p->product = id_of(c, object, "product", DIRECTORY_product);
    p->delta_scale = param_int(c, object, "delta_scale", 1);
    return p->product == 0 ? REJECT_unknown_product : REJECT_none;
}

static int tier_get(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    struct margin_tier *t = &((struct command_margin_set *)into)->tiers[at];
    int reason = param_time(c, object, "start", &t->start);
    if (reason == REJECT_none) reason = fixed_get(c, object, "price_scan", &t->price_scan.v);
    if (reason == REJECT_none) reason = fixed_get(c, object, "vol_scan", &t->vol_scan_e6);
    if (reason == REJECT_none) reason = fixed_get(c, object, "spot_spread", &t->spot_spread.v);
    if (reason == REJECT_none) reason = fixed_get(c, object, "spot_outright", &t->spot_outright.v);
    return reason;
}

static int spread_get(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    struct margin_spread *s = &((struct command_margin_set *)into)->spreads[at];
    int64_t a = param_int(c, object, "tier_a", 0), b = param_int(c, object, "tier_b", 0);
    if (a < 1 || a > SPAN_TIERS_MAX) return malformed(c, "tier_a");
    if (b < 1 || b > SPAN_TIERS_MAX) return malformed(c, "tier_b");
    s->tier_a = (uint32_t)int64_min(a, b) - 1;
    s->tier_b = (uint32_t)int64_max(a, b) - 1;
    return fixed_get(c, object, "charge", &s->charge.v);
}

static int group_arrays_get(struct rpc_call *c, struct command_margin_set *m)
{
    uint32_t n;
    int reason = param_objects(c, "products", product_specs, SPAN_PRODUCTS_MAX, product_get, m, &n);
    m->product_count = (uint8_t)n;
    if (param_find(c, c->params, "products") != 0) m->given |= MARGIN_GIVEN_products;
    if (reason == REJECT_none)
        reason = param_objects(c, "tiers", tier_specs, SPAN_TIERS_MAX, tier_get, m, &n);
    m->tier_count = (uint8_t)n;
    if (param_find(c, c->params, "tiers") != 0) m->given |= MARGIN_GIVEN_tiers;
    if (reason == REJECT_none)
        reason = param_objects(c, "spreads", spread_specs, SPAN_SPREADS_MAX, spread_get, m, &n);
    m->spread_count = (uint8_t)n;
    if (param_find(c, c->params, "spreads") != 0) m->given |= MARGIN_GIVEN_spreads;
    return reason;
}

static int group_numbers_get(struct rpc_call *c, struct command_margin_set *m)
{
    uint32_t o = c->params;
    bool extreme = param_find(c, o, "extreme_move") != 0;
    if (extreme != (param_find(c, o, "extreme_cover") != 0)) return malformed(c, "extreme_cover");
    if (extreme) m->given |= MARGIN_GIVEN_extreme;
    if (param_find(c, o, "inter_scale") != 0) m->given |= MARGIN_GIVEN_inter_scale;
    if (param_find(c, o, "netting_max") != 0) m->given |= MARGIN_GIVEN_netting;
    if (param_find(c, o, "short_option_minimum") != 0) m->given |= MARGIN_GIVEN_short_option;
    m->inter_scale = param_int(c, o, "inter_scale", 0);
    int reason = fixed_get(c, o, "extreme_move", &m->extreme_move_e6);
    if (reason == REJECT_none) reason = fixed_get(c, o, "extreme_cover", &m->extreme_cover_e6);
    if (reason == REJECT_none) reason = fixed_get(c, o, "netting_max", &m->netting_e6);
    if (reason == REJECT_none) reason = fixed_get(c, o, "short_option_minimum", &m->short_option.v);
    return reason;
}

static int set_group(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_margin_set,
                                        sizeof cmd->header + sizeof cmd->margin_set);
    struct command_margin_set *m = &cmd->margin_set;
    param_text(c, c->params, "group", m->group, sizeof m->group);
    param_text(c, c->params, "source", m->source, sizeof m->source);
    param_text(c, c->params, "reason", m->reason, sizeof m->reason);
    int reason = group_arrays_get(c, m);
    if (reason == REJECT_none) reason = group_numbers_get(c, m);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none || request_answer(c, events)) return reason;
    const struct event_margin_terms *e = event_find(events, EVENT_margin_terms);
    json_open_object(c->out);
    json_key_string(c->out, "group", m->group);
    json_key_string(c->out, "state", "in_force");
    if (e != NULL) json_key_int(c->out, "accounts", e->accounts);
    json_close_object(c->out);
    return REJECT_none;
}

static int set_flat(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    if (param_find(c, c->params, "flat_margin") == 0) return malformed(c, "flat_margin");
    struct command *cmd = command_begin(c, COMMAND_margin_flat,
                                        sizeof cmd->header + sizeof cmd->margin_flat);
    struct command_margin_flat *m = &cmd->margin_flat;
    m->product = product;
    param_text(c, c->params, "source", m->source, sizeof m->source);
    param_text(c, c->params, "reason", m->reason, sizeof m->reason);
    reason = fixed_get(c, c->params, "flat_margin", &m->flat_margin.v);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none || request_answer(c, events)) return reason;
    const struct event_margin_flat *e = event_find(events, EVENT_margin_flat);
    json_open_object(c->out);
    json_key_string(c->out, "product", directory_name(c->names, DIRECTORY_product, product));
    json_key_string(c->out, "state", "in_force");
    if (e != NULL) {
        json_key_fixed(c->out, "before", e->before.v, 6);
        json_key_fixed(c->out, "flat_margin", e->flat_margin.v, 6);
    }
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_set_margin(struct rpc_call *c)
{
    bool group = param_find(c, c->params, "group") != 0;
    bool product = param_find(c, c->params, "product") != 0;
    if (group == product) return malformed(c, "group or product");
    return group ? set_group(c) : set_flat(c);
}

static int credit_get(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    struct margin_inter *m = &((struct command_margin_inter *)into)->inters[at];
    param_text(c, object, "group_a", m->group_a, sizeof m->group_a);
    param_text(c, object, "group_b", m->group_b, sizeof m->group_b);
    return fixed_get(c, object, "credit", &m->credit_e6);
}

int rpc_set_margin_credits(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_margin_inter,
                                        sizeof cmd->header + sizeof cmd->margin_inter);
    struct command_margin_inter *m = &cmd->margin_inter;
    param_text(c, c->params, "source", m->source, sizeof m->source);
    param_text(c, c->params, "reason", m->reason, sizeof m->reason);
    int reason = param_objects(c, "credits", credit_specs, SPAN_INTERS_MAX, credit_get, m,
                               &m->count);
    if (reason == REJECT_none) reason = fixed_get(c, c->params, "offset_max", &m->offset_e6);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none || request_answer(c, events)) return reason;
    json_open_object(c->out);
    json_key_string(c->out, "state", "in_force");
    json_key_int(c->out, "credits", m->count);
    json_key_fixed(c->out, "offset_max", m->offset_e6, 6);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- how parameters are written ---- */

static void group_products_write(struct rpc_call *c, const struct command_margin_set *t)
{
    struct json_writer *w = c->out;
    json_key(w, "products");
    json_open_array(w);
    for (uint32_t i = 0; i < t->product_count; i++) {
        json_open_object(w);
        json_key_string(w, "product",
                        directory_name(c->names, DIRECTORY_product, t->products[i].product));
        json_key_int(w, "delta_scale", t->products[i].delta_scale);
        json_close_object(w);
    }
    json_close_array(w);
}

static void group_tiers_write(struct json_writer *w, const struct command_margin_set *t)
{
    json_key(w, "tiers");
    json_open_array(w);
    for (uint32_t i = 0; i < t->tier_count; i++) {
        json_open_object(w);
        json_key_ms(w, "start", t->tiers[i].start);
        json_key_fixed(w, "price_scan", t->tiers[i].price_scan.v, 6);
        json_key_fixed(w, "vol_scan", t->tiers[i].vol_scan_e6, 6);
        json_key_fixed(w, "spot_spread", t->tiers[i].spot_spread.v, 6);
        json_key_fixed(w, "spot_outright", t->tiers[i].spot_outright.v, 6);
        json_close_object(w);
    }
    json_close_array(w);
}

static void group_spreads_write(struct json_writer *w, const struct command_margin_set *t)
{
    json_key(w, "spreads");
    json_open_array(w);
    for (uint32_t i = 0; i < t->spread_count; i++) {
        json_open_object(w);
        json_key_int(w, "tier_a", t->spreads[i].tier_a + 1);
        json_key_int(w, "tier_b", t->spreads[i].tier_b + 1);
        json_key_fixed(w, "charge", t->spreads[i].charge.v, 6);
        json_close_object(w);
    }
    json_close_array(w);
}

/* Of a group what is `given`: MARGIN_GIVEN_. */
static void group_terms_write(struct rpc_call *c, const struct command_margin_set *t,
                              uint32_t given)
{
    struct json_writer *w = c->out;
    json_key_string(w, "group", t->group);
    if (given & MARGIN_GIVEN_products) group_products_write(c, t);
    if (given & MARGIN_GIVEN_tiers) group_tiers_write(w, t);
    if (given & MARGIN_GIVEN_spreads) group_spreads_write(w, t);
    if (given & MARGIN_GIVEN_extreme) {
        json_key_fixed(w, "extreme_move", t->extreme_move_e6, 6);
        json_key_fixed(w, "extreme_cover", t->extreme_cover_e6, 6);
    }
    if (given & MARGIN_GIVEN_inter_scale) json_key_int(w, "inter_scale", t->inter_scale);
    if (given & MARGIN_GIVEN_netting) json_key_fixed(w, "netting_max", t->netting_e6, 6);
    if (given & MARGIN_GIVEN_short_option)
        json_key_fixed(w, "short_option_minimum", t->short_option.v, 6);
    json_key_string(w, "source", t->source);
}

static void credits_write(struct json_writer *w, const struct command_margin_inter *m)
{
    json_key(w, "credits");
    json_open_array(w);
    for (uint32_t i = 0; i < m->count; i++) {
        json_open_object(w);
        json_key_string(w, "group_a", m->inters[i].group_a);
        json_key_string(w, "group_b", m->inters[i].group_b);
        json_key_fixed(w, "credit", m->inters[i].credit_e6, 6);
        json_close_object(w);
    }
    json_close_array(w);
}

void margin_asks(struct rpc_call *c, const struct command *cmd)
{
    switch ((enum command_kind)cmd->header.kind) {
    case COMMAND_margin_set:
        group_terms_write(c, &cmd->margin_set, cmd->margin_set.given);
        break;
    case COMMAND_margin_inter:
        credits_write(c->out, &cmd->margin_inter);
        json_key_fixed(c->out, "offset_max", cmd->margin_inter.offset_e6, 6);
        json_key_string(c->out, "source", cmd->margin_inter.source);
        break;
    default:
        json_key_string(c->out, "product",
                        directory_name(c->names, DIRECTORY_product, cmd->margin_flat.product));
        json_key_fixed(c->out, "flat_margin", cmd->margin_flat.flat_margin.v, 6);
        json_key_string(c->out, "source", cmd->margin_flat.source);
        break;
    }
}

static void terms_write(struct rpc_call *c, const struct command_margin_set *t)
{
    json_open_object(c->out);
    group_terms_write(c, t, MARGIN_GIVEN_ALL);
    json_key_string(c->out, "reason", t->reason);
    json_close_object(c->out);
}

int rpc_get_margin_parameters(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_margin_terms});
    const struct event_margin_inter *table = event_find(events, EVENT_margin_inter);
    json_open_object(c->out);
    json_key(c->out, "groups");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_margin_terms)
            terms_write(c, &((const struct event_margin_terms *)(const void *)h)->terms);
    }
    json_close_array(c->out);
    credits_write(c->out, table == NULL ? &(struct command_margin_inter){0} : &table->table);
    if (table != NULL) {
        json_key_fixed(c->out, "offset_max", table->table.offset_e6, 6);
        json_key_string(c->out, "credits_source", table->table.source);
    }
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- runs of CLEAR-05 ---- */

static void run_write(struct rpc_call *c, const struct outbox *events, const char *state)
{
    const struct event_margin_run *e = event_find(events, EVENT_margin_run);
    json_open_object(c->out);
    json_key_string(c->out, "state", state);
    if (e != NULL) {
        json_key_int(c->out, "run", (int64_t)e->run);
        json_key_int(c->out, "accounts", e->count);
        json_key_ms(c->out, "begun", e->begun);
    }
    json_close_object(c->out);
}

const char *const rpc_margin_phase_names[] = {"begin", "commit", "abort", NULL};

int rpc_margin_run(struct rpc_call *c)
{
    static const char *const states[] = {"open", "committed", "aborted"};
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_margin_run,
                                        sizeof cmd->header + sizeof cmd->margin_run);
    struct command_margin_run *m = &cmd->margin_run;
    int phase = param_enum(c, c->params, "phase", rpc_margin_phase_names, 0);
    m->run = (uint64_t)param_int(c, c->params, "run", 0);
    m->phase = (uint32_t)phase;
    const char *number = m->phase == MARGIN_RUN_begin ? "valid_s" : "accounts";
    int64_t count = param_int(c, c->params, number, 0);
    if (count > 7 * 86400 && m->phase == MARGIN_RUN_begin) return malformed(c, number);
    if (count > UINT32_MAX) return malformed(c, number);
    m->count = (uint32_t)count;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    run_write(c, events, states[phase % 3]);
    return REJECT_none;
}

static int result_get(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    struct margin_result *r = &((struct command_margin_result *)into)->results[at];
    r->account = id_of(c, object, "account", DIRECTORY_account);
    if (r->account == 0) return REJECT_unknown_account;
    int reason = fixed_get(c, object, "core", &r->core.v);
    if (reason == REJECT_none) reason = fixed_get(c, object, "liquidity", &r->liquidity.v);
    if (reason == REJECT_none) reason = fixed_get(c, object, "concentration", &r->concentration.v);
    if (reason == REJECT_none) reason = fixed_get(c, object, "floor", &r->floor.v);
    if (reason == REJECT_none) reason = fixed_get(c, object, "total", &r->total.v);
    if (reason == REJECT_none) reason = fixed_get(c, object, "stress_loss", &r->stress_loss.v);
    return reason;
}

int rpc_margin_results(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_margin_result,
                                        sizeof cmd->header + sizeof cmd->margin_result);
    struct command_margin_result *m = &cmd->margin_result;
    m->run = (uint64_t)param_int(c, c->params, "run", 0);
    int reason = param_objects(c, "results", result_specs, MARGIN_RESULTS_MAX, result_get, m,
                           &m->count);
    if (reason != REJECT_none) return reason;
    cmd->header.size = (uint32_t)(sizeof cmd->header +
                                  offsetof(struct command_margin_result, results) +
                                  m->count * sizeof m->results[0]);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    run_write(c, events, "open");
    return REJECT_none;
}

/* ---- explanations ---- */

static void group_write(struct rpc_call *c, const struct event_margin_group *g)
{
    struct json_writer *w = c->out;
    json_open_object(w);
    json_key_string(w, "group", g->name);
    json_key_fixed(w, "requirement", g->requirement.v, 6);
    json_key_fixed(w, "scan", g->scan.v, 6);
    if (g->scenario != 0) json_key_int(w, "scenario", g->scenario);
    json_key_string(w, "worst_when", g->lower != 0 ? "sells_fill" : "buys_fill");
    json_key_fixed(w, "intra_commodity", g->intra.v, 6);
    json_key_fixed(w, "spot_month", g->spot.v, 6);
    json_key_fixed(w, "short_option_minimum", g->short_option.v, 6);
    json_key_fixed(w, "gross", g->gross.v, 6);
    json_key_fixed(w, "netting_floor", g->netting_floor.v, 6);
    json_key_int(w, "delta_low", g->net_low);
    json_key_int(w, "delta_high", g->net_high);
    json_close_object(w);
}

static void run_components_write(struct rpc_call *c, const struct event_margin *m)
{
    struct json_writer *w = c->out;
    json_key(w, "run");
    json_open_object(w);
    json_key_int(w, "run", (int64_t)m->run);
    json_key_fixed(w, "core", m->run_core.v, 6);
    json_key_fixed(w, "liquidity", m->run_liquidity.v, 6);
    json_key_fixed(w, "concentration", m->run_concentration.v, 6);
    json_key_fixed(w, "floor", m->run_floor.v, 6);
    json_key_fixed(w, "total", m->run_total.v, 6);
    json_key_fixed(w, "stress_loss", m->run_stress_loss.v, 6);
    json_key_fixed(w, "span_at_run", m->span_at_run.v, 6);
    json_close_object(w);
}

static int margin_write(struct rpc_call *c, const struct query *q)
{
    const struct outbox *events = query_ask(c, q);
    const struct event_margin *m = event_find(events, EVENT_margin);
    const struct event_reject *r = event_find(events, EVENT_reject);
    struct json_writer *w = c->out;
    if (r != NULL) return (int)r->reason;
    if (m == NULL) return REJECT_unknown_account;
    json_open_object(w);
    json_key_string(w, "account", directory_name(c->names, DIRECTORY_account, m->account));
    json_key_bool(w, "simulated", m->simulated != 0);
    json_key_fixed(w, "initial_margin", m->initial_margin.v, 6);
    json_key_fixed(w, "maintenance_margin", m->maintenance_margin.v, 6);
    json_key_fixed(w, "available_funds", m->available.v, 6);
    json_key_fixed(w, "variation", m->variation.v, 6);
    json_key_fixed(w, "flat", m->flat.v, 6);
    json_key_fixed(w, "span", m->span.v, 6);
    json_key_fixed(w, "span_groups", m->span_groups.v, 6);
    json_key_fixed(w, "inter_commodity_credit", m->inter_credit.v, 6);
    json_key_fixed(w, "offset_floor", m->offset_floor.v, 6);
    if (m->run != 0) run_components_write(c, m);
    json_key(w, "groups");
    json_open_array(w);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_margin_group)
            group_write(c, (const struct event_margin_group *)(const void *)h);
    }
    json_close_array(w);
    json_close_object(w);
    return REJECT_none;
}

int rpc_get_margin(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_margin, .now = c->now};
    int reason = account_read(c, &q.account);
    return reason != REJECT_none ? reason : margin_write(c, &q);
}

static int leg_get(struct rpc_call *c, uint32_t object, struct query_leg *l)
{
    l->instrument = id_of(c, object, "instrument_name", DIRECTORY_instrument);
    if (l->instrument == 0) return REJECT_unknown_instrument;
    bool whole = param_decimal(c, object, "amount", 0, &l->lots) == DECIMAL_exact;
    return whole ? REJECT_none : REJECT_invalid_amount;
}

static int position_get(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    return leg_get(c, object, &((struct query_leg *)into)[at]);
}

static int order_get(struct rpc_call *c, uint32_t object, uint32_t at, void *into)
{
    struct query_leg *l = &((struct query_leg *)into)[at];
    l->kind = param_enum(c, object, "direction", rpc_side_names, 0) == 0 ? 1 : 2;
    return leg_get(c, object, l);
}

/* What an order or a portfolio would require, without placing it. */
int rpc_simulate_margin(struct rpc_call *c)
{
    struct query_leg legs[SPAN_LEGS_MAX] = {0};
    struct query q = {.kind = QUERY_margin, .now = c->now, .legs = legs};
    uint32_t positions = 0, orders = 0;
    int reason = account_read(c, &q.account);
    if (reason == REJECT_none)
        reason = param_objects(c, "positions", position_specs, SPAN_LEGS_MAX, position_get, legs,
                           &positions);
    if (reason == REJECT_none)
        reason = param_objects(c, "orders", order_specs, SPAN_LEGS_MAX - positions, order_get,
                           legs + positions, &orders);
    if (reason != REJECT_none) return reason;
    q.legs_count = positions + orders;
    if (!param_bool(c, c->params, "add_positions", true)) q.flags |= QUERY_FLAG_ALONE;
    return margin_write(c, &q);
}

/* ---- CONTRACT-03 ---- */

/* What the account's positions became, from its postings. */
static void converted_write(struct rpc_call *c, const struct outbox *events, uint32_t account)
{
    json_key(c->out, "positions");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_posting *p = (const struct event_posting *)(const void *)h;
        if (h->kind != EVENT_posting || p->account != account) continue;
        json_open_object(c->out);
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, p->instrument));
        json_key_int(c->out, "change", p->amount);
        json_key_int(c->out, "size", p->balance);
        json_close_object(c->out);
    }
    json_close_array(c->out);
}

int rpc_convert(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t account, from, to;
    int reason = account_own(c, &account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &from);
    if (reason == REJECT_none) reason = instrument_of(c, "into", &to);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_margin_convert,
                                        sizeof cmd->header + sizeof cmd->margin_convert);
    cmd->header.account = account;
    cmd->margin_convert.from = from;
    cmd->margin_convert.to = to;
    if (param_decimal(c, c->params, "amount", 0, &cmd->margin_convert.lots.v) != DECIMAL_exact)
        return REJECT_invalid_amount;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    converted_write(c, events, account);
    json_close_object(c->out);
    return REJECT_none;
}
