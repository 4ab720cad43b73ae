/* session.c: the methods that belong to a connection: login, subscriptions, heartbeats,
 * cancel-on-disconnect. */
#include "gate/gate_internal.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 512, CHANNELS_PER_REQUEST = 1000 };

struct rpc_caller session_caller(struct gate *g, const struct session *s, ts_t received)
{
    struct rpc_caller c = {.received_ts = received};
    const struct key *key = s->who.key;
    if (key == NULL || key->revoked) return c;
    c.scopes = s->who.scopes & key->scopes;
    c.principal = key->principal;
    c.nonce = s->who.nonce;
    c.account = directory_find_text(g->directory, DIRECTORY_account, key->account);
    c.session = s->disconnect != DISCONNECT_none ? s->number : 0;
    return c;
}

/* A call on its way: what every method below needs. */
struct call {
    struct gate *gate;
    struct session *session;
    const struct rpc_caller *caller;
    const struct rpc_request *request;
    struct rpc_answer *answer;
};

static void refuse(struct call *c, enum reject reason, const char *param)
{
    rpc_refuse(c->gate->rpc, c->caller, c->request, reason, param, c->answer);
}

static struct json_writer *result_open(struct call *c)
{
    return rpc_result_open(c->gate->rpc, c->request);
}

static void result_close(struct call *c)
{
    rpc_result_close(c->gate->rpc, c->caller, c->gate->durable, c->answer);
}

static void result_text(struct call *c, const char *text)
{
    json_string(result_open(c), text);
    result_close(c);
}

static uint32_t param(const struct call *c, const char *name)
{
    return c->request->params == 0 ? 0
                                   : json_member(c->request->json, c->request->params, name);
}

/* A parameter's text: of a string, or of a number as it stands. False: too long or of another
 * kind. Absent: "" and true. */
static bool param_read(const struct call *c, const char *name, char *text, size_t size)
{
    uint32_t token = param(c, name);
    text[0] = 0;
    if (token == 0) return true;
    const struct json_token *t = &c->request->json->tokens[token];
    if (t->kind == JSON_string) return json_text(c->request->json, token, text, size) >= 0;
    if (t->kind != JSON_number || t->length >= size) return false;
    memcpy(text, c->request->json->text + t->start, t->length);
    text[t->length] = 0;
    return true;
}

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

/* ---- public/auth ---- */

struct auth_params {
    char grant_type[32];
    char id[64];
    char secret[128];
    char timestamp[32];
    char signature[256];
    char nonce[160];
    char data[TEXT_SIZE];
    char token[128];
    char scope[TEXT_SIZE];
    char state[TEXT_SIZE];
};

static const char *auth_params_read(const struct call *c, struct auth_params *p)
{
    if (!param_read(c, "grant_type", p->grant_type, sizeof p->grant_type)) return "grant_type";
    if (!param_read(c, "client_id", p->id, sizeof p->id)) return "client_id";
    if (!param_read(c, "client_secret", p->secret, sizeof p->secret)) return "client_secret";
    if (!param_read(c, "timestamp", p->timestamp, sizeof p->timestamp)) return "timestamp";
    if (!param_read(c, "signature", p->signature, sizeof p->signature)) return "signature";
    if (!param_read(c, "nonce", p->nonce, sizeof p->nonce)) return "nonce";
    if (!param_read(c, "data", p->data, sizeof p->data)) return "data";
    if (!param_read(c, "refresh_token", p->token, sizeof p->token)) return "refresh_token";
    if (!param_read(c, "scope", p->scope, sizeof p->scope)) return "scope";
    if (!param_read(c, "state", p->state, sizeof p->state)) return "state";
    return NULL;
}

/* A narrower scope may be asked for, as a list with commas or spaces. Words of Deribit's that we
 * do not have (connection, session:x, ...) narrow nothing. */
static uint32_t scopes_asked(const char *text, uint32_t held)
{
    uint32_t asked = 0;
    char word[32];
    while (*text != 0) {
        size_t n = strcspn(text, ", ");
        if (n > 0 && n < sizeof word) {
            memcpy(word, text, n);
            word[n] = 0;
            asked |= scope_parse(word);
        }
        text += n;
        text += strspn(text, ", ");
    }
    return asked == 0 ? held : asked & held;
}

static void write_login(struct call *c, const struct auth_identity *who, const char *state)
{
    char access[AUTH_TOKEN_SIZE], refresh[AUTH_TOKEN_SIZE], scope[SCOPE_TEXT_SIZE];
    ts_t now = venue_real(c->gate->venue);
    auth_tokens_make(c->gate->auth, now, who, access, refresh);
    scope_text(who->scopes, scope);
    for (char *p = scope; *p != 0; p++) *p = *p == ',' ? ' ' : *p;
    struct json_writer *w = result_open(c);
    json_open_object(w);
    json_key_string(w, "access_token", access);
    json_key_int(w, "expires_in", AUTH_ACCESS_S);
    json_key_string(w, "refresh_token", refresh);
    json_key_string(w, "scope", scope);
    json_key_string(w, "token_type", "bearer");
    json_key_string(w, "account", who->key->account);
    if (state[0] != 0) json_key_string(w, "state", state);
    json_close_object(w);
    result_close(c);
}

static void call_auth(struct call *c)
{
    struct auth_params p;
    struct auth_identity who = {0};
    struct auth *a = c->gate->auth;
    ts_t now = venue_real(c->gate->venue);
    const char *wrong = auth_params_read(c, &p);
    if (wrong != NULL) {
        refuse(c, REJECT_malformed_request, wrong);
        return;
    }
    enum auth_result r;
    if (strcmp(p.grant_type, "client_credentials") == 0) {
        r = auth_credentials(a, now, slice_of(p.id), slice_of(p.secret), &who);
    } else if (strcmp(p.grant_type, "client_signature") == 0) {
        r = auth_signature(a, now, slice_of(p.id), slice_of(p.timestamp), slice_of(p.nonce),
                           slice_of(p.data), slice_of(p.signature), &who);
    } else if (strcmp(p.grant_type, "refresh_token") == 0) {
        r = auth_refresh(a, now, slice_of(p.token), &who);
    } else {
        refuse(c, REJECT_malformed_request, "grant_type");
        return;
    }
    if (r != AUTH_OK) {
        c->gate->unauthorised += 1;
        refuse(c, r == AUTH_BUSY ? REJECT_throttled : REJECT_unauthorised, auth_reason(r));
        return;
    }
    who.scopes = scopes_asked(p.scope, who.scopes);
    if (c->session->number != 0) { /* a WebSocket speaks for the key from here on */
        if (c->session->who.key != NULL && c->session->who.key != who.key)
            session_logout(c->gate, c->session);
        c->session->who = who;
        c->session->who.nonce = 0;
    }
    write_login(c, &who, p.state);
}

void session_logout(struct gate *g, struct session *s)
{
    channel_unsubscribe_all(g->channels, &s->subscriptions, true);
    if (s->disconnect != DISCONNECT_none && s->who.key != NULL) {
        uint32_t account = directory_find_text(g->directory, DIRECTORY_account,
                                               s->who.key->account);
        uint32_t number = s->disconnect == DISCONNECT_connection ? s->number : 0;
        if (account != 0) gate_cancel_left(g, account, number);
    }
    s->disconnect = DISCONNECT_none;
    s->who = (struct auth_identity){0};
}

static void call_logout(struct call *c)
{
    struct session *s = c->session;
    if (s->who.key == NULL) {
        refuse(c, REJECT_unauthorised, NULL);
        return;
    }
    uint32_t token = param(c, "invalidate_token");
    if (token == 0 || c->request->json->tokens[token].kind != JSON_false)
        auth_tokens_end(s->who.key);
    if (s->number != 0) s->logged_out = true; /* closed behind the answer */
    result_text(c, "ok");
}

/* ---- subscriptions ---- */

static void call_subscribe(struct call *c)
{
    struct gate *g = c->gate;
    const struct json *j = c->request->json;
    uint32_t list = param(c, "channels");
    if (c->session->number == 0 || list == 0 || j->tokens[list].kind != JSON_array ||
        json_array_count(j, list) > CHANNELS_PER_REQUEST) {
        refuse(c, REJECT_malformed_request, c->session->number == 0 ? "transport" : "channels");
        return;
    }
    bool reads = (c->caller->scopes & (SCOPE_read | SCOPE_trade)) != 0;
    char name[CHANNEL_NAME_SIZE];
    for (uint32_t t = list + 1; t < j->tokens[list].next; t = j->tokens[t].next) {
        enum channel_result r = CHANNEL_UNKNOWN;
        name[0] = 0;
        if (j->tokens[t].kind == JSON_string && json_text(j, t, name, sizeof name) > 0)
            r = channel_subscribe(g->channels, &c->session->subscriptions,
                                  reads ? c->caller->account : 0, name);
        if (r == CHANNEL_OK) continue;
        refuse(c, r == CHANNEL_PRIVATE ? REJECT_unauthorised
                  : r == CHANNEL_FULL  ? REJECT_capacity_exhausted
                                       : REJECT_malformed_request, name);
        return;
    }
    struct json_writer *w = result_open(c);
    json_open_array(w);
    for (uint32_t t = list + 1; t < j->tokens[list].next; t = j->tokens[t].next) {
        if (json_text(j, t, name, sizeof name) > 0) json_string(w, name);
    }
    json_close_array(w);
    result_close(c);
}

static void call_unsubscribe(struct call *c)
{
    const struct json *j = c->request->json;
    uint32_t list = param(c, "channels");
    if (list == 0 || j->tokens[list].kind != JSON_array) {
        refuse(c, REJECT_malformed_request, "channels");
        return;
    }
    char name[CHANNEL_NAME_SIZE];
    struct json_writer *w = result_open(c);
    json_open_array(w);
    for (uint32_t t = list + 1; t < j->tokens[list].next; t = j->tokens[t].next) {
        if (j->tokens[t].kind == JSON_string && json_text(j, t, name, sizeof name) > 0 &&
            channel_unsubscribe(c->gate->channels, &c->session->subscriptions, name))
            json_string(w, name);
    }
    json_close_array(w);
    result_close(c);
}

static void call_unsubscribe_all(struct call *c)
{
    bool private = strncmp(c->request->method, "private/", 8) == 0;
    channel_unsubscribe_all(c->gate->channels, &c->session->subscriptions, private);
    result_text(c, "ok");
}

/* ---- heartbeats ---- */

static void call_set_heartbeat(struct call *c)
{
    int64_t seconds = 0;
    uint32_t token = param(c, "interval");
    if (c->session->number == 0 || token == 0 ||
        json_decimal(c->request->json, token, 0, &seconds) != DECIMAL_exact || seconds < 10 ||
        seconds > 86400) {
        refuse(c, REJECT_malformed_request, c->session->number == 0 ? "transport" : "interval");
        return;
    }
    c->session->heartbeat_s = (uint32_t)seconds;
    c->session->beaten = c->session->heard;
    c->session->tested = TS(0);
    result_text(c, "ok");
}

static void call_disable_heartbeat(struct call *c)
{
    c->session->heartbeat_s = 0;
    result_text(c, "ok");
}

void session_beat(struct gate *g, struct session *s, ts_t now)
{
    static const char beat[] = "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":"
                               "{\"type\":\"heartbeat\"}}";
    static const char test[] = "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":"
                               "{\"type\":\"test_request\"}}";
    int64_t interval = (int64_t)s->heartbeat_s * NS_PER_SECOND;
    (void)g;
    if (interval == 0 || now.v - s->beaten.v < interval) return;
    s->beaten = now;
    bool silent = now.v - s->heard.v >= interval;
    if (silent && s->tested.v != 0) {
        connection_close(s->connection, WEBSOCKET_POLICY, "no answer to the test_request");
        return;
    }
    s->tested = silent ? now : TS(0);
    if (silent) connection_send(s->connection, test, sizeof test - 1);
    else connection_send(s->connection, beat, sizeof beat - 1);
}

/* ---- cancel-on-disconnect ---- */

static enum disconnect_scope disconnect_scope(const struct call *c, const char *otherwise)
{
    char text[32];
    if (!param_read(c, "scope", text, sizeof text)) return DISCONNECT_none;
    const char *scope = text[0] == 0 ? otherwise : text;
    if (strcmp(scope, "connection") == 0) return DISCONNECT_connection;
    if (strcmp(scope, "account") == 0) return DISCONNECT_account;
    return DISCONNECT_none;
}

static void call_disconnect(struct call *c)
{
    struct session *s = c->session;
    bool enable = strstr(c->request->method, "/enable_") != NULL;
    enum disconnect_scope scope = disconnect_scope(c, "connection");
    if ((c->caller->scopes & (SCOPE_read | SCOPE_trade)) == 0 || c->caller->account == 0) {
        refuse(c, REJECT_unauthorised, NULL);
    } else if (s->number == 0 || scope == DISCONNECT_none) {
        refuse(c, REJECT_malformed_request, s->number == 0 ? "transport" : "scope");
    } else if (strstr(c->request->method, "/get_") != NULL) {
        struct json_writer *w = result_open(c);
        json_open_object(w);
        json_key_bool(w, "enabled", s->disconnect != DISCONNECT_none);
        json_key_string(w, "scope",
                        s->disconnect == DISCONNECT_account ? "account" : "connection");
        json_close_object(w);
        result_close(c);
    } else {
        s->disconnect = enable ? (uint8_t)scope : (uint8_t)DISCONNECT_none;
        result_text(c, "ok");
    }
}

static void call_hello(struct call *c)
{
    struct json_writer *w = result_open(c);
    json_open_object(w);
    json_key_string(w, "version", "0.1.0");
    json_close_object(w);
    result_close(c);
}

/* ---- the table ---- */

static const struct { const char *name; void (*run)(struct call *c); } methods[] = {
    {"public/auth", call_auth},
    {"public/hello", call_hello},
    {"public/set_heartbeat", call_set_heartbeat},
    {"public/disable_heartbeat", call_disable_heartbeat},
    {"public/subscribe", call_subscribe},
    {"private/subscribe", call_subscribe},
    {"public/unsubscribe", call_unsubscribe},
    {"private/unsubscribe", call_unsubscribe},
    {"public/unsubscribe_all", call_unsubscribe_all},
    {"private/unsubscribe_all", call_unsubscribe_all},
    {"private/logout", call_logout},
    {"private/enable_cancel_on_disconnect", call_disconnect},
    {"private/disable_cancel_on_disconnect", call_disconnect},
    {"private/get_cancel_on_disconnect", call_disconnect},
};

bool session_handle(struct gate *g, struct session *s, const struct rpc_caller *caller,
                    const struct rpc_request *q, struct rpc_answer *answer)
{
    struct call c = {g, s, caller, q, answer};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, q->method) != 0) continue;
        methods[i].run(&c);
        return true;
    }
    return false;
}
