/* rpc.c: the envelope: reading a request, finding its method, who may call it, and the answer. */
#include "gate/rpc_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOKENS_MAX = 4096,
    ANSWER_BYTES = 16 << 20, /* touched only as far as answers reach */
    GET_BYTES = 1 << 16,
};

struct rpc {
    const struct venue *venue;
    const struct directory *names;
    struct json json;
    struct json_token tokens[TOKENS_MAX];
    struct json_writer out;
    size_t result_at; /* where the result begins */
    char get[GET_BYTES]; /* a GET request, rewritten as JSON */
    char param[80];      /* what was wrong while reading */
    struct command command;
    bool guards_required;
};

struct rpc *rpc_open(const struct venue *venue, const struct directory *directory)
{
    struct rpc *r = calloc(1, sizeof *r);
    if (r == NULL) return NULL;
    r->venue = venue;
    r->names = directory;
    r->json = (struct json){.tokens = r->tokens, .capacity = TOKENS_MAX};
    r->out = (struct json_writer){.bytes = malloc(ANSWER_BYTES), .capacity = ANSWER_BYTES};
    if (r->out.bytes == NULL) {
        free(r);
        return NULL;
    }
    return r;
}

void rpc_close(struct rpc *r)
{
    if (r == NULL) return;
    free(r->out.bytes);
    free(r);
}

void rpc_require_guards(struct rpc *r, bool required) { r->guards_required = required; }

static const struct rpc_method *method_find(const char *name)
{
    const struct rpc_method *m = rpc_methods;
    while (m->name != NULL && strcmp(m->name, name) != 0) m++;
    return m->name == NULL ? NULL : m;
}

static enum reject refuse_reading(struct rpc *r, const char *what)
{
    snprintf(r->param, sizeof r->param, "%s", what);
    return REJECT_malformed_request;
}

/* A raw id is echoed: it is bounded, so that an answer is. */
static bool id_is_fit(const struct json *j, uint32_t id)
{
    const struct json_token *t = &j->tokens[id];
    return t->kind <= JSON_string && t->kind != JSON_true && t->kind != JSON_false &&
           t->length <= 128;
}

enum reject rpc_read(struct rpc *r, const char *text, size_t length, struct rpc_request *q)
{
    memset(q, 0, sizeof *q);
    r->param[0] = 0;
    q->json = &r->json;
    int e = length >= UINT32_MAX / 2 ? JSON_ERROR_capacity : json_parse(&r->json, text, length);
    if (e != JSON_OK) return refuse_reading(r, json_error_text(e));
    if (r->tokens[0].kind != JSON_object) return refuse_reading(r, "not an object");
    uint32_t id = json_member(&r->json, 0, "id");
    if (id != 0 && !id_is_fit(&r->json, id)) return refuse_reading(r, "id");
    q->id = id;
    uint32_t version = json_member(&r->json, 0, "jsonrpc");
    if (version != 0 && !json_equals(&r->json, version, "2.0"))
        return refuse_reading(r, "jsonrpc");
    uint32_t method = json_member(&r->json, 0, "method");
    if (method == 0 || r->tokens[method].kind != JSON_string) return refuse_reading(r, "method");
    int n = json_text(&r->json, method, q->method, sizeof q->method);
    uint32_t params = json_member(&r->json, 0, "params");
    if (params != 0 && r->tokens[params].kind != JSON_object && r->tokens[params].kind != JSON_null)
        return refuse_reading(r, "params");
    q->params = params != 0 && r->tokens[params].kind == JSON_object ? params : 0;
    if (n < 0) return REJECT_unknown_method;
    const struct rpc_method *m = method_find(q->method);
    q->known = m != NULL;
    q->flags = m == NULL ? 0 : m->flags;
    q->scopes = m == NULL ? 0 : m->scopes;
    return REJECT_none;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* One percent-encoded name or value, up to `stop` or the end; false: not well encoded, too long. */
static bool percent_read(const char **at, const char *end, char stop, char *text, size_t size,
                         size_t *length)
{
    size_t n = 0;
    for (; *at < end && **at != stop && **at != '&'; *at += 1) {
        char c = **at == '+' ? ' ' : **at;
        if (c == '%') {
            if (end - *at < 3 || hex_value((*at)[1]) < 0 || hex_value((*at)[2]) < 0) return false;
            c = (char)(hex_value((*at)[1]) * 16 + hex_value((*at)[2]));
            *at += 2;
        }
        if (n == size) return false;
        text[n++] = c;
    }
    *length = n;
    return true;
}

/* A value of a query string: text, or an array or object where it reads as one. */
static void query_value(struct rpc *r, struct json_writer *w, const char *text, size_t length)
{
    bool nested = length > 0 && (text[0] == '[' || text[0] == '{') &&
                  json_parse(&r->json, text, length) == JSON_OK;
    if (nested) json_raw(w, text, length);
    else json_string_n(w, text, length);
}

static bool query_rewrite(struct rpc *r, const char *query, size_t length, struct json_writer *w)
{
    char name[128], value[8192];
    size_t name_length, value_length;
    const char *at = query, *end = query + length;
    while (at < end) {
        if (!percent_read(&at, end, '=', name, sizeof name, &name_length)) return false;
        value_length = 0;
        if (at < end && *at == '=') {
            at += 1;
            if (!percent_read(&at, end, '&', value, sizeof value, &value_length)) return false;
        }
        if (at < end) at += 1; /* the & */
        if (name_length == 0) continue;
        json_string_n(w, name, name_length);
        if (w->overflow || w->used == w->capacity) return false;
        w->bytes[w->used++] = ':';
        w->comma = false;
        query_value(r, w, value, value_length);
    }
    return true;
}

enum reject rpc_read_get(struct rpc *r, const char *method, size_t method_length,
                         const char *query, size_t query_length, struct rpc_request *q)
{
    struct json_writer w = {.bytes = r->get, .capacity = sizeof r->get};
    memset(q, 0, sizeof *q);
    q->json = &r->json;
    json_open_object(&w);
    json_key(&w, "method");
    json_string_n(&w, method, method_length);
    json_key(&w, "params");
    json_open_object(&w);
    if (!query_rewrite(r, query, query_length, &w)) return refuse_reading(r, "query");
    json_close_object(&w);
    json_close_object(&w);
    if (w.overflow) return refuse_reading(r, "query");
    return rpc_read(r, w.bytes, w.used, q);
}

/* ---- the answer ---- */

static void envelope_open(struct rpc *r, const struct rpc_request *q)
{
    json_reset(&r->out);
    json_open_object(&r->out);
    json_key_string(&r->out, "jsonrpc", "2.0");
    json_key(&r->out, "id");
    if (q == NULL || q->id == 0) {
        json_null(&r->out);
    } else {
        const struct json_token *t = &q->json->tokens[q->id];
        size_t quotes = t->kind == JSON_string ? 1 : 0;
        json_raw(&r->out, q->json->text + t->start - quotes, t->length + 2 * quotes);
    }
}

/* The last applied command's number, for answers that did not need the machine. */
static uint64_t seq_ask(struct rpc *r)
{
    const struct outbox *events = NULL;
    r->venue->query(r->venue->context, &(struct query){.kind = QUERY_requests}, &events);
    return events == NULL ? 0 : events->seq;
}

static void envelope_close(struct rpc *r, const struct rpc_caller *caller, uint64_t seq,
                           struct rpc_answer *answer)
{
    int64_t out = venue_real(r->venue).v / 1000;
    int64_t in = caller->received_ts.v == 0 ? out : caller->received_ts.v / 1000;
    json_key_int(&r->out, "seq", (int64_t)seq);
    json_key_int(&r->out, "usIn", in);
    json_key_int(&r->out, "usOut", out);
    json_key_int(&r->out, "usDiff", out - in);
    json_key_bool(&r->out, "testnet", false);
    json_close_object(&r->out);
    answer->bytes = r->out.bytes;
    answer->length = r->out.used;
    answer->seq = seq;
}

struct json_writer *rpc_result_open(struct rpc *r, const struct rpc_request *q)
{
    envelope_open(r, q);
    json_key(&r->out, "result");
    r->result_at = r->out.used;
    return &r->out;
}

void rpc_result_close(struct rpc *r, const struct rpc_caller *caller, uint64_t seq,
                      struct rpc_answer *answer)
{
    struct json_writer *w = &r->out;
    *answer = (struct rpc_answer){.status = 200};
    if (seq == 0) seq = seq_ask(r);
    if (!w->overflow && w->used > r->result_at + 1 && w->bytes[r->result_at] == '{') {
        w->used -= 1; /* an object carries seq itself */
        w->comma = w->used > r->result_at + 1;
        json_key_int(w, "seq", (int64_t)seq);
        json_close_object(w);
    }
    envelope_close(r, caller, seq, answer);
    if (w->overflow) rpc_refuse(r, caller, NULL, REJECT_capacity_exhausted, "answer", answer);
}

static int http_status(enum reject reason)
{
    switch (reason) {
    case REJECT_unauthorised: return 401;
    case REJECT_throttled: return 429;
    case REJECT_capacity_exhausted: return 503;
    default: return 400;
    }
}

/* What the core's sentence may quote. */
static void detail_write(struct json_writer *w, const struct event_reject *e)
{
    if (e == NULL || e->detail == INT64_MIN) return;
    switch (e->reason) {
    case REJECT_price_out_of_band:
    case REJECT_price_limit: json_key_fixed(w, "limit", e->detail, 6); break;
    case REJECT_position_limit: json_key_int(w, "limit", e->detail); break;
    case REJECT_missing_hours: json_key_int(w, "first_missing", e->detail); break;
    case REJECT_insufficient_margin:
    case REJECT_insufficient_funds: json_key_fixed(w, "missing", e->detail, 6); break;
    default: break;
    }
}

static void error_write(struct rpc *r, enum reject reason, const char *param,
                        const struct event_reject *detail)
{
    const struct reject_text *t = reject_text(reason);
    json_key(&r->out, "error");
    json_open_object(&r->out);
    json_key_int(&r->out, "code", t->code);
    json_key_string(&r->out, "message", t->name);
    json_key(&r->out, "data");
    json_open_object(&r->out);
    json_key_string(&r->out, "reason", t->name);
    json_key_string(&r->out, "rule", t->rule);
    json_key_string(&r->out, "sentence", t->sentence);
    if (param != NULL && param[0] != 0) json_key_string(&r->out, "param", param);
    detail_write(&r->out, detail);
    json_close_object(&r->out);
    json_close_object(&r->out);
}

void rpc_refuse(struct rpc *r, const struct rpc_caller *caller, const struct rpc_request *q,
                enum reject reason, const char *param, struct rpc_answer *answer)
{
    *answer = (struct rpc_answer){.status = http_status(reason), .reason = reason};
    if (param == NULL && reason == REJECT_malformed_request) param = r->param;
    envelope_open(r, q);
    error_write(r, reason, param, NULL);
    envelope_close(r, caller, seq_ask(r), answer);
}

static void unavailable_write(struct rpc *r, const struct rpc_caller *caller,
                              const struct rpc_request *q, struct rpc_answer *answer)
{
    *answer = (struct rpc_answer){.status = 503, .unavailable = true};
    envelope_open(r, q);
    json_key(&r->out, "error");
    json_open_object(&r->out);
    json_key_int(&r->out, "code", 11051);
    json_key_string(&r->out, "message", "system_maintenance");
    json_close_object(&r->out);
    envelope_close(r, caller, 0, answer);
}

/* The order of reject.def: malformed, unknown method, unauthorised, then what the method finds. */
static int call_run(struct rpc_call *c)
{
    int reason = params_check(c, c->params, c->method->params);
    if (reason != REJECT_none) return reason;
    if (c->caller->unknown) return REJECT_unknown_account;
    if (c->method->scopes != 0 && (c->method->scopes & c->caller->scopes) == 0)
        return REJECT_unauthorised;
    return c->method->run(c);
}

void rpc_run(struct rpc *r, const struct rpc_caller *caller, const struct rpc_request *q,
             struct rpc_answer *answer)
{
    const struct rpc_method *m = method_find(q->method);
    if (m == NULL) {
        rpc_refuse(r, caller, q, REJECT_unknown_method, q->method, answer);
        return;
    }
    struct rpc_call c = {.rpc = r,
                         .venue = r->venue,
                         .names = r->names,
                         .caller = caller,
                         .json = q->json,
                         .method = m,
                         .params = q->params,
                         .out = rpc_result_open(r, q),
                         .command = &r->command,
                         .now = r->venue->now(r->venue->context),
                         .guards_required = r->guards_required};
    int reason = call_run(&c);
    if (reason == REJECT_none) {
        rpc_result_close(r, caller, c.seq, answer);
    } else if (reason == RPC_UNAVAILABLE) {
        unavailable_write(r, caller, q, answer);
    } else {
        *answer = (struct rpc_answer){.status = http_status((enum reject)reason),
                                      .reason = (enum reject)reason};
        envelope_open(r, q);
        error_write(r, (enum reject)reason, c.param,
                    c.reject.header.size == 0 ? NULL : &c.reject);
        envelope_close(r, caller, c.seq == 0 ? seq_ask(r) : c.seq, answer);
    }
}

void rpc_handle(struct rpc *r, const struct rpc_caller *caller, const char *text, size_t length,
                struct rpc_answer *answer)
{
    struct rpc_request q;
    enum reject reason = rpc_read(r, text, length, &q);
    if (reason == REJECT_none) rpc_run(r, caller, &q, answer);
    else rpc_refuse(r, caller, &q, reason, NULL, answer);
}
