/* rpc_params.c: parameters against their lists, and their values. */
#include "base/time_text.h"
#include "gate/rpc_internal.h"

#include <stdio.h>
#include <string.h>

int malformed(struct rpc_call *c, const char *param)
{
    size_t n = strlen(param);
    if (n >= sizeof c->param) n = sizeof c->param - 1;
    while (n > 0 && ((unsigned char)param[n] & 0xc0) == 0x80) n -= 1; /* whole characters */
    memcpy(c->param, param, n);
    c->param[n] = 0;
    return REJECT_malformed_request;
}

static bool int_fits(const struct rpc_call *c, uint32_t token)
{
    int64_t v;
    return json_decimal(c->json, token, 0, &v) == DECIMAL_exact && v >= 0;
}

static bool text_fits(const struct rpc_call *c, uint32_t token, uint16_t max)
{
    char text[256];
    size_t size = max + 1u < sizeof text ? max + 1u : sizeof text;
    int n = json_text(c->json, token, text, size);
    if (n < 0) return false;
    for (int i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return false;
    }
    return true;
}

static bool enum_fits(const struct rpc_call *c, uint32_t token, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (json_equals(c->json, token, *names)) return true;
    }
    return false;
}

static bool value_fits(const struct rpc_call *c, uint32_t token, const struct param_spec *s)
{
    enum json_kind kind = (enum json_kind)c->json->tokens[token].kind;
    int64_t unused;
    switch ((enum param_kind)s->kind) {
    case PARAM_text: return kind == JSON_string && text_fits(c, token, s->max);
    case PARAM_note: return kind == JSON_string;
    case PARAM_bool:
        return kind == JSON_true || kind == JSON_false || json_equals(c->json, token, "true") ||
               json_equals(c->json, token, "false");
    case PARAM_int: return int_fits(c, token);
    case PARAM_decimal: return json_decimal(c->json, token, 6, &unused) != DECIMAL_malformed;
    case PARAM_enum: return kind == JSON_string && enum_fits(c, token, s->names);
    case PARAM_array: return kind == JSON_array;
    case PARAM_object: return kind == JSON_object;
    case PARAM_id:
        return kind == JSON_number ? int_fits(c, token)
                                   : kind == JSON_string && text_fits(c, token, s->max);
    }
    return false;
}

int params_check(struct rpc_call *c, uint32_t object, const struct param_spec *specs)
{
    const struct json_token *tokens = c->json->tokens;
    uint32_t end = object == 0 ? 0 : tokens[object].next;
    for (uint32_t i = object + 1; i < end; i = tokens[i + 1].next) {
        const struct param_spec *s = specs;
        while (s->name != NULL && !json_equals(c->json, i, s->name)) s++;
        if (s->name == NULL) {
            char name[80];
            if (json_equals(c->json, i, "access_token")) continue; /* the server's */
            if (json_text(c->json, i, name, sizeof name) < 0) return malformed(c, "(name)");
            return malformed(c, name);
        }
        if (tokens[i + 1].kind != JSON_null && !value_fits(c, i + 1, s))
            return malformed(c, s->name);
    }
    for (const struct param_spec *s = specs; s->name != NULL; s++) {
        if (s->required && param_find(c, object, s->name) == 0) return malformed(c, s->name);
    }
    return REJECT_none;
}

uint32_t param_find(const struct rpc_call *c, uint32_t object, const char *name)
{
    uint32_t token = object == 0 ? 0 : json_member(c->json, object, name);
    return token != 0 && c->json->tokens[token].kind == JSON_null ? 0 : token;
}

bool param_bool(const struct rpc_call *c, uint32_t object, const char *name, bool otherwise)
{
    uint32_t token = param_find(c, object, name);
    if (token == 0) return otherwise;
    return c->json->tokens[token].kind == JSON_true || json_equals(c->json, token, "true");
}

int64_t param_int(const struct rpc_call *c, uint32_t object, const char *name, int64_t otherwise)
{
    int64_t v;
    uint32_t token = param_find(c, object, name);
    if (token == 0) return otherwise;
    json_decimal(c->json, token, 0, &v);
    return v;
}

int param_enum(const struct rpc_call *c, uint32_t object, const char *name,
               const char *const *names, int otherwise)
{
    uint32_t token = param_find(c, object, name);
    if (token == 0) return otherwise;
    for (int i = 0; names[i] != NULL; i++) {
        if (json_equals(c->json, token, names[i])) return i;
    }
    return otherwise;
}

size_t param_text(const struct rpc_call *c, uint32_t object, const char *name, char *text,
                  size_t size)
{
    uint32_t token = param_find(c, object, name);
    text[0] = 0;
    if (token == 0) return 0;
    const struct json_token *t = &c->json->tokens[token];
    if (t->kind == JSON_string) {
        int n = json_text(c->json, token, text, size);
        ASSERT(n >= 0);
        return (size_t)n;
    }
    int64_t v; /* PARAM_id, given as a number */
    char digits[DECIMAL_TEXT_SIZE];
    json_decimal(c->json, token, 0, &v);
    size_t n = decimal_format(digits, v, 0);
    ASSERT(n < size);
    memcpy(text, digits, n + 1);
    return n;
}

enum decimal_result param_decimal(const struct rpc_call *c, uint32_t object, const char *name,
                                  int scale, int64_t *value)
{
    uint32_t token = param_find(c, object, name);
    *value = 0;
    if (token == 0) return DECIMAL_malformed;
    return json_decimal(c->json, token, scale, value);
}

int param_fixed(struct rpc_call *c, uint32_t object, const char *name, int64_t least, int64_t most,
                int64_t *value)
{
    int64_t v;
    if (param_find(c, object, name) == 0) return REJECT_none;
    if (param_decimal(c, object, name, 6, &v) != DECIMAL_exact || v < least || v > most)
        return malformed(c, name);
    *value = v;
    return REJECT_none;
}

int param_share(struct rpc_call *c, uint32_t object, const char *name, uint32_t most,
                uint32_t *value)
{
    int64_t v = *value;
    int reason = param_fixed(c, object, name, 0, most, &v);
    *value = (uint32_t)v;
    return reason;
}

int param_lots(struct rpc_call *c, uint32_t object, const char *name, qty_t *value)
{
    value->v = param_int(c, object, name, value->v);
    return value->v > QTY_MAX ? malformed(c, name) : REJECT_none;
}

int param_time(struct rpc_call *c, uint32_t object, const char *name, ts_t *value)
{
    int64_t ms;
    uint32_t token = param_find(c, object, name);
    if (token == 0) return REJECT_none;
    if (c->json->tokens[token].kind == JSON_string) {
        char text[TIME_TEXT_SIZE + 8];
        int n = json_text(c->json, token, text, sizeof text);
        if (n >= 0 && time_parse(text, (size_t)n, value) == 0) return REJECT_none;
    }
    if (json_decimal(c->json, token, 0, &ms) != DECIMAL_exact || ms < 0 ||
        ms > INT64_MAX / NS_PER_MS) return malformed(c, name);
    *value = TS(ms * NS_PER_MS);
    return REJECT_none;
}

int param_date(struct rpc_call *c, uint32_t object, const char *name, ts_t *value)
{
    char text[TIME_TEXT_SIZE];
    size_t n = param_text(c, object, name, text, sizeof text);
    if (param_find(c, object, name) == 0) return REJECT_none;
    return time_parse_date(text, n, value) == 0 ? REJECT_none : malformed(c, name);
}

int param_objects(struct rpc_call *c, const char *name, const struct param_spec *specs,
                  uint32_t most, param_object *one, void *into, uint32_t *count)
{
    const struct json_token *tokens = c->json->tokens;
    uint32_t array = param_find(c, c->params, name);
    *count = 0;
    if (array == 0) return REJECT_none;
    if (json_array_count(c->json, array) > most) return malformed(c, name);
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        if (tokens[i].kind != JSON_object) return malformed(c, name);
        int reason = params_check(c, i, specs);
        if (reason == REJECT_none) reason = one(c, i, *count, into);
        if (reason != REJECT_none) return reason;
        *count += 1;
    }
    return REJECT_none;
}
