/* rpc_guard.c: a product's protections in requests and answers (GUARD-00 to GUARD-05), and the
 * interruptions of trading. What there is to name: msg/guard.def. */
#include "gate/rpc_internal.h"

#include <stdio.h>
#include <string.h>

enum unit { PERCENT, TICKS, MS, SECONDS, MINUTES, CLOCK, PRICE };

/* How a unit is written: so many decimals, each worth so much here. */
static const struct {
    int scale;
    int64_t worth;
} units[] = {
    [PERCENT] = {4, 1},
    [TICKS] = {0, 1},
    [MS] = {0, NS_PER_MS},
    [SECONDS] = {3, NS_PER_MS},
    [MINUTES] = {3, 60 * NS_PER_MS},
    [CLOCK] = {0, 60 * NS_PER_SECOND},
    [PRICE] = {6, 1},
};

static const struct {
    const char *name;
    enum unit unit;
    int64_t otherwise; /* outside */
    enum guard_field belongs;
} fields[GUARD_FIELDS] = {
#define GUARD_FIELD(name, looser, unit, otherwise, belongs)                                       \
    {#name, unit, otherwise, GUARD_##belongs},
#include "msg/guard.def"
#undef GUARD_FIELD
};

const struct param_spec rpc_guard_specs[] = {
    {.name = "minimum_ticks", .kind = PARAM_int},
    {.name = "band_percent", .kind = PARAM_decimal},
    {.name = "breaker_percent", .kind = PARAM_decimal},
    {.name = "breaker_window_minutes", .kind = PARAM_decimal},
    {.name = "halt_seconds", .kind = PARAM_decimal},
    {.name = "late_halt_seconds", .kind = PARAM_decimal},
    {.name = "late_minutes", .kind = PARAM_decimal},
    {.name = "session_end", .kind = PARAM_text, .max = 5},
    {.name = "velocity_ticks", .kind = PARAM_int},
    {.name = "velocity_milliseconds", .kind = PARAM_int},
    {.name = "limit_percent", .kind = PARAM_array},
    {.name = "delivery_limit_percent", .kind = PARAM_array},
    {.name = "limit_halt_seconds", .kind = PARAM_decimal},
    {.name = "auction_seconds", .kind = PARAM_decimal},
    {.name = "auction_random_seconds", .kind = PARAM_decimal},
    {.name = "price_band", .kind = PARAM_decimal},
    {.name = "protection_points", .kind = PARAM_decimal},
    {.name = "group", .kind = PARAM_text, .max = GUARD_GROUP_SIZE - 1},
    {.name = NULL},
};

/* ---- in ---- */

static bool clock_parse(const char *text, int64_t *minutes)
{
    unsigned hour, minute;
    char more;
    if (sscanf(text, "%2u:%2u%c", &hour, &minute, &more) != 2 || minute > 59) return false;
    *minutes = (int64_t)hour * 60 + minute;
    return *minutes <= 24 * 60;
}

static bool value_parse(struct rpc_call *c, uint32_t token, enum unit unit, int64_t *v)
{
    if (unit == CLOCK) {
        char text[8];
        if (json_text(c->json, token, text, sizeof text) < 0 || !clock_parse(text, v)) return false;
    } else if (json_decimal(c->json, token, units[unit].scale, v) != DECIMAL_exact) {
        return false;
    }
    return *v >= 0 && !__builtin_mul_overflow(*v, units[unit].worth, v);
}

/* [15, 22.5, 30]: the three steps of a daily limit. */
static bool steps_parse(struct rpc_call *c, uint32_t array, int64_t *v)
{
    const struct json_token *tokens = c->json->tokens;
    if (json_array_count(c->json, array) != 3) return false;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        if (tokens[i].kind != JSON_number && tokens[i].kind != JSON_string) return false;
        if (!value_parse(c, i, PERCENT, v++)) return false;
    }
    return true;
}

static bool is_step(int field)
{
    return (field > GUARD_limit_percent && field <= GUARD_limit_percent_3) ||
           (field > GUARD_delivery_limit_percent && field <= GUARD_delivery_limit_percent_3);
}

int guards_parse(struct rpc_call *c, uint32_t object, struct command_guards_set *s)
{
    int reason = params_check(c, object, rpc_guard_specs);
    if (reason != REJECT_none) return reason;
    for (int i = 0; i < GUARD_FIELDS; i++) {
        uint32_t token = is_step(i) ? 0 : param_find(c, object, fields[i].name);
        bool steps = i == GUARD_limit_percent || i == GUARD_delivery_limit_percent;
        if (token == 0) continue;
        if (steps ? !steps_parse(c, token, &s->v[i])
                  : !value_parse(c, token, fields[i].unit, &s->v[i]))
            return malformed(c, fields[i].name);
        s->given |= (steps ? 7u : 1u) << i;
    }
    if (param_find(c, object, "group") != 0) {
        s->given |= GUARDS_HAS_GROUP;
        param_text(c, object, "group", s->group, sizeof s->group);
    }
    return REJECT_none;
}

/* What belongs to a guard that is named and is not given itself takes its default. */
int guards_create(struct rpc_call *c, uint32_t object, struct command_product_create *p)
{
    struct command_guards_set s = {0};
    if (object == 0) return REJECT_none;
    int reason = guards_parse(c, object, &s);
    if (reason != REJECT_none) return reason;
    const uint32_t interrupts = 1u << GUARD_breaker_percent | 1u << GUARD_velocity_ticks |
                                1u << GUARD_limit_percent;
    for (int i = 0; i < GUARD_TERMS; i++) {
        bool ends = i == GUARD_auction_seconds || i == GUARD_auction_random_seconds;
        bool named = (s.given >> fields[i].belongs & 1) != 0 || i == GUARD_minimum_ticks ||
                     (ends && (s.given & interrupts) != 0);
        bool given = (s.given >> i & 1) != 0;
        if (named && !given)
            s.v[i] = fields[i].otherwise * units[fields[i].unit].worth;
        if (named && !given && units[fields[i].unit].scale == 3) s.v[i] *= 1000;
        p->guards.v[i] = s.v[i];
    }
    memcpy(p->guards.group, s.group, sizeof p->guards.group);
    if (s.given >> GUARD_price_band & 1) {
        p->band = (price_t){s.v[GUARD_price_band]};
        p->flags |= PRODUCT_FLAG_HAS_BAND;
    }
    if (s.given >> GUARD_protection_points & 1) {
        p->protection = (price_t){s.v[GUARD_protection_points]};
        p->flags |= PRODUCT_FLAG_HAS_PROTECTION;
    }
    return REJECT_none;
}

/* GUARD-05: what a running node's product must name. */
int guards_required(struct rpc_call *c, const struct command_product_create *p)
{
    static const enum guard_field needed[] = {GUARD_breaker_percent, GUARD_velocity_ticks,
                                              GUARD_limit_percent, GUARD_auction_random_seconds};
    if (!(p->flags & PRODUCT_FLAG_HAS_BAND) && p->guards.v[GUARD_band_percent] == 0)
        return malformed(c, "price_band");
    if (!(p->flags & PRODUCT_FLAG_HAS_PROTECTION)) return malformed(c, "protection_points");
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (p->guards.v[needed[i]] == 0) return malformed(c, fields[needed[i]].name);
    }
    return REJECT_none;
}

/* ---- out ---- */

static void value_write(struct json_writer *w, enum unit unit, int64_t v)
{
    if (unit == CLOCK) {
        char text[32];
        int64_t minutes = v / units[CLOCK].worth;
        snprintf(text, sizeof text, "%02d:%02d", (int)(minutes / 60), (int)(minutes % 60));
        json_string(w, text);
    } else {
        json_fixed(w, v / units[unit].worth, units[unit].scale);
    }
}

/* Of what is asked for, or (given: all) of what exists. */
static void values_write(struct json_writer *w, const int64_t *v, uint32_t given, const char *group)
{
    for (int i = 0; i < GUARD_FIELDS; i++) {
        bool steps = i == GUARD_limit_percent || i == GUARD_delivery_limit_percent;
        if (!(given >> i & 1) || is_step(i)) continue;
        json_key(w, fields[i].name);
        if (!steps) {
            value_write(w, fields[i].unit, v[i]);
            continue;
        }
        json_open_array(w);
        for (int k = 0; k < 3; k++) value_write(w, PERCENT, v[i + k]);
        json_close_array(w);
    }
    if (given & GUARDS_HAS_GROUP) json_key_string(w, "group", group);
}

void rpc_write_guard_terms(struct json_writer *w, const struct guard_terms *t)
{
    int64_t v[GUARD_FIELDS] = {0};
    uint32_t given = t->group[0] != 0 ? GUARDS_HAS_GROUP : 0;
    for (int i = 0; i < GUARD_TERMS; i++) {
        v[i] = t->v[i];
        if (v[i] != 0) given |= 1u << i;
    }
    json_open_object(w);
    values_write(w, v, given, t->group);
    json_close_object(w);
}

void rpc_write_guards_asked(struct json_writer *w, const struct command_guards_set *s)
{
    values_write(w, s->v, s->given, s->group);
}

static void guards_event_members(struct json_writer *w, const struct directory *names,
                                 const struct event_guards *e)
{
    json_key_string(w, "product", directory_name(names, DIRECTORY_product, e->product));
    json_key_bool(w, "loosened", e->loosened != 0);
    json_key(w, "guards");
    json_open_object(w);
    values_write(w, e->v, e->given, e->group);
    json_close_object(w);
    json_key_string(w, "reason", e->reason);
}

void rpc_write_guards(struct json_writer *w, const struct directory *names,
                      const struct event_guards *e)
{
    json_open_object(w);
    json_key_string(w, "type", "guards");
    json_key_ms(w, "timestamp", e->header.ts);
    guards_event_members(w, names, e);
    json_close_object(w);
}

void rpc_write_halt(struct json_writer *w, const struct directory *names,
                    const struct event_halt *h)
{
    static const char *const rules[] = {"MATCH-07", "GUARD-02", "GUARD-03", "GUARD-04"};
    static const char *const phases[] = {"over", "halt", "auction", "closed"};
    json_open_object(w);
    json_key_string(w, "type", "halt");
    json_key_int(w, "halt_id", (int64_t)h->id);
    json_key_string(w, "product", directory_name(names, DIRECTORY_product, h->product));
    if (h->instrument != 0)
        json_key_string(w, "instrument_name",
                        directory_name(names, DIRECTORY_instrument, h->instrument));
    json_key_string(w, "rule", rules[h->rule % GUARD_RULE_count]);
    json_key_string(w, "phase", phases[h->phase % GUARD_PHASE_count]);
    json_key_string(w, "reason", h->reason);
    if (h->cause != 0) {
        json_key_string(w, "cause", directory_name(names, DIRECTORY_instrument, h->cause));
        json_key_price(w, "price", h->price);
        json_key_price(w, "limit", h->limit);
    }
    json_key_ms(w, "began", h->began);
    if (h->until.v != 0) json_key_ms(w, "until", h->until);
    if (h->ended.v != 0) json_key_ms(w, "ended", h->ended);
    json_close_object(w);
}

/* ---- methods ---- */

int rpc_set_guards(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_guards_set,
                                        sizeof cmd->header + sizeof cmd->guards_set);
    struct command_guards_set *s = &cmd->guards_set;
    reason = guards_parse(c, param_find(c, c->params, "guards"), s);
    if (reason != REJECT_none) return reason;
    s->product = product;
    param_text(c, c->params, "reason", s->reason, sizeof s->reason);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_guards *e = event_find(events, EVENT_guards);
    if (e == NULL) return request_answer(c, events) ? REJECT_none : REJECT_unknown_request;
    json_open_object(c->out);
    guards_event_members(c->out, c->names, e);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_get_halts(struct rpc_call *c)
{
    uint32_t product;
    int reason = product_of(c, "product", &product);
    if (reason != REJECT_none) return reason;
    int64_t count = param_int(c, c->params, "count", 0);
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_halts, .product = product,
                           .count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_halt)
            rpc_write_halt(c->out, c->names, (const struct event_halt *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}
