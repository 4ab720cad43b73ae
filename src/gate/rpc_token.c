/* rpc_token.c: tokens, claims on certified work of one hour (UNIT-02), and what a product says of
 * certified supply (CERT-03). Amounts are CT with nine decimals, exact in nano-CT (UNIT-06). */
#include "gate/rpc_compute.h"

#include "base/time_text.h"
#include "wire/event_json_compute.h"

#include <string.h>

/* ---- parameters ---- */

/* `vintage`, `grade` and `region` of an object; all three, or malformed. */
static int token_class_get(struct rpc_call *c, uint32_t object, struct token_class *class)
{
    int64_t vintage = param_int(c, object, "vintage", 0);
    int grade = param_enum(c, object, "grade", grade_words, -1);
    memset(class, 0, sizeof *class);
    if (vintage < 1 || vintage > UINT32_MAX) return malformed(c, "vintage");
    if (grade < 0) return malformed(c, "grade");
    if (param_text(c, object, "region", class->region, sizeof class->region) == 0)
        return malformed(c, "region");
    class->vintage = (uint32_t)vintage;
    class->grade = (uint32_t)grade;
    return REJECT_none;
}

/* A whole hour, in hours since 1970; not given: malformed; no whole one: invalid_hour. */
static int param_hour(struct rpc_call *c, const char *name, int64_t *hour)
{
    ts_t ts = TS(0);
    int reason = param_time(c, c->params, name, &ts);
    if (reason != REJECT_none) return reason;
    if (param_find(c, c->params, name) == 0) return malformed(c, name);
    if (ts.v < 0 || ts.v % NS_PER_HOUR != 0) return REJECT_invalid_hour;
    *hour = ts.v / NS_PER_HOUR;
    return REJECT_none;
}

/* How many hours from it on: one when not given. */
static int hours_of(struct rpc_call *c, uint32_t *hours)
{
    int64_t count = param_int(c, c->params, "hours", 1);
    if (count < 1 || count > TOKEN_HOURS_MAX) return malformed(c, "hours");
    *hours = (uint32_t)count;
    return REJECT_none;
}

static int amount_of(struct rpc_call *c, int64_t *amount)
{
    bool exact = param_decimal(c, c->params, "amount", 9, amount) == DECIMAL_exact;
    return exact && *amount > 0 ? REJECT_none : REJECT_invalid_amount;
}

/* ---- what happened, hour by hour ---- */

static void hour_write(struct rpc_call *c, const struct event_token *t)
{
    json_open_object(c->out);
    json_key_string(c->out, "token", directory_name(c->names, DIRECTORY_asset, t->asset));
    json_key_ms(c->out, "hour", TS(t->hour * NS_PER_HOUR));
    json_key_fixed(c->out, "amount", t->amount, 9);
    json_key_fixed(c->out, "outstanding", t->outstanding, 9);
    json_close_object(c->out);
}

static int token_submit(struct rpc_call *c)
{
    const struct outbox *events;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_token) hour_write(c, (const struct event_token *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}

static int issue(struct rpc_call *c, uint32_t retire)
{
    struct command *cmd = command_begin(c, COMMAND_token_issue,
                                        sizeof cmd->header + sizeof cmd->token_issue);
    struct command_token_issue *t = &cmd->token_issue;
    t->retire = retire;
    int reason = account_acting(c, &cmd->header.account);
    if (reason == REJECT_none) reason = resource_of(c, "resource", &t->resource);
    if (reason == REJECT_none) reason = hours_of(c, &t->hours);
    if (reason == REJECT_none) reason = param_hour(c, "hour", &t->hour);
    if (reason == REJECT_none) reason = amount_of(c, &t->amount);
    return reason == REJECT_none ? token_submit(c) : reason;
}

int rpc_token_issue(struct rpc_call *c) { return issue(c, 0); }
int rpc_token_retire(struct rpc_call *c) { return issue(c, 1); }

int rpc_token_transfer(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_token_transfer,
                                        sizeof cmd->header + sizeof cmd->token_transfer);
    struct command_token_transfer *t = &cmd->token_transfer;
    int reason = token_class_get(c, c->params, &t->class);
    if (reason == REJECT_none) reason = hours_of(c, &t->hours);
    if (reason == REJECT_none) reason = account_own(c, &cmd->header.account);
    if (reason == REJECT_none) reason = account_named(c, "destination", &t->to);
    if (reason == REJECT_none) reason = param_hour(c, "hour", &t->hour);
    if (reason == REJECT_none) reason = amount_of(c, &t->amount);
    return reason == REJECT_none ? token_submit(c) : reason;
}

int rpc_token_pledge(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_token_pledge,
                                        sizeof cmd->header + sizeof cmd->token_pledge);
    struct command_token_pledge *t = &cmd->token_pledge;
    int reason = account_own(c, &cmd->header.account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &t->instrument);
    if (reason != REJECT_none) return reason;
    t->release = param_bool(c, c->params, "release", false) ? 1 : 0;
    if (param_decimal(c, c->params, "amount", 0, &t->lots) != DECIMAL_exact)
        return REJECT_invalid_amount;
    return token_submit(c);
}

/* ---- what anybody may know ---- */

static void supply_write(struct rpc_call *c, const struct event_token *t)
{
    const struct token_class *class = directory_token_class(c->names, t->class);
    json_open_object(c->out);
    json_key_string(c->out, "token", directory_name(c->names, DIRECTORY_asset, t->asset));
    json_key_ms(c->out, "hour", TS(t->hour * NS_PER_HOUR));
    if (class != NULL) token_class_write(c->out, class);
    json_key_fixed(c->out, "certified", t->certified, 9);
    json_key_fixed(c->out, "promised", t->promised, 9);
    json_key_fixed(c->out, "outstanding", t->outstanding, 9);
    json_key_fixed(c->out, "pledged", t->pledged, 9);
    json_key_fixed(c->out, "escrowed", t->escrowed, 9);
    json_close_object(c->out);
}

int rpc_get_tokens(struct rpc_call *c)
{
    struct token_class class;
    struct query q = {.kind = QUERY_tokens};
    int64_t count = param_int(c, c->params, "count", TOKEN_HOURS_MAX);
    if (count < 1 || count > TOKEN_HOURS_MAX) return malformed(c, "count");
    q.count = (uint32_t)count;
    int reason = param_time(c, c->params, "start_timestamp", &q.start);
    if (reason == REJECT_none) reason = param_time(c, c->params, "end_timestamp", &q.end);
    bool all = param_find(c, c->params, "vintage") == 0 && param_find(c, c->params, "grade") == 0 &&
               param_find(c, c->params, "region") == 0;
    if (reason == REJECT_none && !all) reason = token_class_get(c, c->params, &class);
    if (reason != REJECT_none) return reason;
    if (!all) q.instrument = directory_token_class_find(c->names, &class);
    json_open_array(c->out);
    if (!all && q.instrument == 0) { /* never certified: there is nothing */
        json_close_array(c->out);
        return REJECT_none;
    }
    const struct outbox *events = query_ask(c, &q);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_token) supply_write(c, (const struct event_token *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- a product's terms ---- */

static const struct param_spec supply_specs[] = {
    {.name = "certified", .kind = PARAM_bool},
    {.name = "short_share", .kind = PARAM_decimal},
    {.name = "short_margin", .kind = PARAM_decimal},
    {.name = NULL}};

int supply_terms_get(struct rpc_call *c, struct command_product_create *p)
{
    uint32_t object = param_find(c, c->params, "supply");
    if (object == 0) return REJECT_none;
    int reason = params_check(c, object, supply_specs);
    if (reason != REJECT_none) return reason;
    p->supply.certified = param_bool(c, object, "certified", false) ? 1 : 0;
    reason = param_share(c, object, "short_share", E6, &p->supply.short_share_e6);
    if (reason != REJECT_none) return reason;
    return param_fixed(c, object, "short_margin", 0, PRICE_MAX, &p->supply.short_margin.v);
}

void supply_terms_write(struct json_writer *w, const struct supply_terms *t)
{
    json_key(w, "supply");
    json_open_object(w);
    json_key_bool(w, "certified", t->certified != 0);
    json_key_fixed(w, "short_share", t->short_share_e6, 6);
    json_key_price(w, "short_margin", t->short_margin);
    json_close_object(w);
}
