/* gate.c: see gate.h: from a request to its answer, and the wait in between. */
#include "gate/gate_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, TICKS_A_SECOND = 10, SESSIONS_OF_ACCOUNT = 256 };

struct gate_options gate_options_default(void)
{
    return (struct gate_options){.server = server_options_default(), .rate = 500, .burst = 500,
                                 .cancel_rate = 2000, .held_bytes_max = 64 << 20};
}

static ts_t now_of(const struct gate *g) { return g->venue->now(g->venue->context); }
static ts_t real_of(const struct gate *g) { return venue_real(g->venue); }

/* ---- answers ---- */

static void deliver(struct gate *g, const struct held_answer *h, const char *bytes)
{
    struct connection *c = server_find(g->server, h->connection);
    char headers[96];
    if (c == NULL) return; /* it is gone, and what it asked for has happened all the same */
    g->answers += 1;
    if (connection_is_websocket(c)) {
        connection_send(c, bytes, h->size);
        if (h->close) connection_close(c, WEBSOCKET_NORMAL, "logged out");
        return;
    }
    snprintf(headers, sizeof headers, "Cache-Control: no-store\r\n");
    if (h->retry_after > 0)
        snprintf(headers, sizeof headers, "Cache-Control: no-store\r\nRetry-After: %d\r\n",
                 h->retry_after);
    connection_respond(c, h->status, "application/json", headers, bytes, h->size);
}

/* Answers that show what is not durable yet wait, in order of seq. */
static void hold(struct gate *g, struct held_answer h, const char *bytes)
{
    if (g->held_count == g->held_capacity) {
        uint32_t first = g->held_first;
        if (first != 0) {
            memmove(g->held, g->held + first, (g->held_count - first) * sizeof *g->held);
            g->held_first = 0;
            g->held_count -= first;
        }
        if (g->held_count > g->held_capacity / 2 || g->held_capacity == 0) {
            uint32_t n = g->held_capacity == 0 ? 1024 : g->held_capacity * 2;
            struct held_answer *grown = realloc(g->held, n * sizeof *grown);
            ASSERT(grown != NULL); /* bounded by held_bytes_max */
            g->held = grown;
            g->held_capacity = n;
        }
    }
    h.offset = g->held_base + g->held_bytes.used;
    buffer_append(&g->held_bytes, bytes, h.size);
    g->held[g->held_count++] = h;
}

static void answer_send(struct gate *g, struct connection *c, const struct rpc_answer *a,
                        int64_t wait_ns, bool close)
{
    struct held_answer h = {.seq = a->seq, .connection = connection_id(c),
                            .size = (uint32_t)a->length, .status = a->status, .close = close};
    if (wait_ns > 0) h.retry_after = (int32_t)(wait_ns / NS_PER_SECOND) + 1;
    if (h.seq <= g->durable) deliver(g, &h, a->bytes);
    else hold(g, h, a->bytes);
}

static void release(struct gate *g)
{
    while (g->held_first < g->held_count && g->held[g->held_first].seq <= g->durable) {
        const struct held_answer *h = &g->held[g->held_first++];
        deliver(g, h, g->held_bytes.at + (h->offset - g->held_base));
    }
    if (g->held_first == g->held_count) {
        g->held_base += g->held_bytes.used;
        g->held_bytes.used = 0;
        g->held_first = g->held_count = 0;
    } else if (g->held[g->held_first].offset - g->held_base > g->held_bytes.used / 2) {
        uint64_t gone = g->held[g->held_first].offset - g->held_base;
        buffer_consume(&g->held_bytes, (size_t)gone);
        g->held_base += gone;
    }
}

bool gate_is_waiting(const struct gate *g) { return g->held_first < g->held_count; }

/* ---- calls ---- */

/* GUARD-06: 0, or how long to wait. Cancels pass until their own, higher limit. */
static int64_t throttled(struct gate *g, struct session *s, uint32_t flags, ts_t now)
{
    struct key *key = s->number == 0 ? s->who.key : NULL; /* signed requests: by key */
    int64_t *bucket = key != NULL ? key->bucket : s->bucket;
    int64_t wait = throttle_take(&g->throttle[0], &bucket[0], now);
    if (wait != 0 && (flags & RPC_METHOD_cancel) != 0)
        wait = throttle_take(&g->throttle[1], &bucket[1], now);
    if (wait != 0) g->throttled += 1;
    return wait;
}

/* Beyond the throttle by as much again: logout. */
static bool is_excessive(struct gate *g, struct session *s, ts_t now)
{
    return s->number != 0 && throttle_take(&g->excess, &s->bucket_excess, now) != 0;
}

static void call(struct gate *g, struct session *s, enum reject read, const struct rpc_request *q,
                 ts_t received)
{
    struct rpc_answer answer;
    struct rpc_caller caller = session_caller(g, s, received);
    int64_t wait = throttled(g, s, q->flags, received);
    if (wait != 0) {
        if (is_excessive(g, s, received)) {
            session_logout(g, s);
            connection_close(s->connection, WEBSOCKET_POLICY,
                             "throttled: too many requests after the limit was passed");
            return;
        }
        rpc_refuse(g->rpc, &caller, q, REJECT_throttled, NULL, &answer);
    } else if (read != REJECT_none) {
        rpc_refuse(g->rpc, &caller, q, read, NULL, &answer);
    } else if (g->held_bytes.used > g->options.held_bytes_max) {
        wait = 1;
        rpc_refuse(g->rpc, &caller, q, REJECT_throttled, "the venue is behind", &answer);
    } else if (!session_handle(g, s, &caller, q, &answer)) {
        rpc_run(g->rpc, &caller, q, &answer);
    }
    if (answer.reason == REJECT_unauthorised) g->unauthorised += 1;
    answer_send(g, s->connection, &answer, wait, s->logged_out);
}

static struct session *session_of(struct gate *g, struct connection *c)
{
    struct session *s = *connection_user(c);
    if (s != NULL) return s;
    s = calloc(1, sizeof *s);
    ASSERT(s != NULL); /* bounded by connections_max */
    s->connection = c;
    s->subscriptions.connection = c;
    s->next = g->sessions;
    if (g->sessions != NULL) g->sessions->previous = s;
    g->sessions = s;
    *connection_user(c) = s;
    return s;
}

static void on_message(void *context, struct connection *c, char *text, size_t size)
{
    struct gate *g = context;
    struct session *s = session_of(g, c);
    struct rpc_request q = {0};
    s->heard = real_of(g);
    s->tested = TS(0);
    if (s->number == 0) s->number = ++g->session_last;
    call(g, s, rpc_read(g->rpc, text, size, &q), &q, s->heard);
}

static void on_closed(void *context, struct connection *c)
{
    struct gate *g = context;
    struct session *s = *connection_user(c);
    if (s == NULL) return;
    *connection_user(c) = NULL;
    session_logout(g, s);
    channel_unsubscribe_all(g->channels, &s->subscriptions, false);
    if (s->next != NULL) s->next->previous = s->previous;
    if (s->previous != NULL) s->previous->next = s->next;
    else g->sessions = s->next;
    s->subscriptions.connection = NULL;
    s->next = g->dead;
    g->dead = s;
}

static void dead_free(struct gate *g)
{
    while (g->dead != NULL) {
        struct session *s = g->dead;
        g->dead = s->next;
        free(s);
    }
}

static bool on_upgrade(void *context, struct connection *c, const struct http_request *r)
{
    struct gate *g = context;
    if (!slice_is(r->path, "/ws/api/v2")) return false;
    struct session *s = session_of(g, c);
    s->who = (struct auth_identity){0};
    s->heard = real_of(g);
    s->number = ++g->session_last;
    return true;
}

static const char prefix[] = "/api/v2";
enum { PREFIX = sizeof prefix - 1 };

/* The method in the path behind /api/v2/; size 0: none is named there. */
static struct slice method_of(const struct http_request *r)
{
    struct slice m = {r->path.at + PREFIX, r->path.size - PREFIX};
    if (m.size > 0) m.at += 1, m.size -= 1;
    return m;
}

static enum reject read_http(struct gate *g, const struct http_request *r, struct rpc_request *q)
{
    struct slice method = method_of(r);
    if (r->method == HTTP_POST && r->body.size != 0) {
        enum reject read = rpc_read(g->rpc, r->body.at, r->body.size, q);
        bool same = method.size == 0 || slice_is(method, q->method);
        return read == REJECT_none && !same ? REJECT_malformed_request : read;
    }
    return rpc_read_get(g->rpc, method.at, method.size, r->query.at, r->query.size, q);
}

static void serve_api(struct gate *g, struct connection *c, const struct http_request *r)
{
    struct rpc_request q = {0};
    struct rpc_answer answer;
    ts_t now = real_of(g);
    struct session *s = session_of(g, c);
    if (r->method != HTTP_GET && r->method != HTTP_POST) {
        connection_respond(c, 405, "text/plain", "Allow: GET, POST\r\n", "GET or POST\n", 12);
        return;
    }
    enum auth_result who = auth_request(g->auth, now, r, &s->who);
    if (who == AUTH_OK || who == AUTH_ABSENT) {
        call(g, s, read_http(g, r, &q), &q, now);
    } else {
        struct rpc_caller nobody = {.received_ts = now};
        enum reject read = read_http(g, r, &q); /* for the id */
        g->unauthorised += 1;
        rpc_refuse(g->rpc, &nobody, read == REJECT_none ? &q : NULL,
                   who == AUTH_BUSY ? REJECT_throttled : REJECT_unauthorised, auth_reason(who),
                   &answer);
        answer_send(g, c, &answer, who == AUTH_BUSY ? 1 : 0, false);
    }
    s = *connection_user(c);
    if (s != NULL) s->who = (struct auth_identity){0};
}

static void on_request(void *context, struct connection *c, const struct http_request *r)
{
    struct gate *g = context;
    bool api = r->path.size >= PREFIX && memcmp(r->path.at, prefix, PREFIX) == 0 &&
               (r->path.size == PREFIX || r->path.at[PREFIX] == '/');
    if (api) serve_api(g, c, r);
    else page_serve(g, c, r);
}

/* ---- cancel-on-disconnect ---- */

static int cancel_left(struct gate *g, uint32_t account, uint32_t session)
{
    struct command c = {0};
    const struct outbox *events = NULL;
    c.header.kind = COMMAND_cancel_many;
    c.header.size = command_size_full(COMMAND_cancel_many);
    c.header.account = account;
    c.header.session = session;
    c.cancel_many.scope = CANCEL_SCOPE_account;
    c.cancel_many.select = session != 0 ? CANCEL_SELECT_SESSION : 0;
    return g->venue->submit(g->venue->context, &c, &events);
}

void gate_cancel_left(struct gate *g, uint32_t account, uint32_t session)
{
    if (cancel_left(g, account, session) == 0) return;
    if (g->left_count == g->left_capacity) {
        uint32_t n = g->left_capacity == 0 ? 64 : g->left_capacity * 2;
        struct left_order *grown = realloc(g->left, n * sizeof *grown);
        ASSERT(grown != NULL); /* bounded by connections_max while the venue is busy */
        g->left = grown;
        g->left_capacity = n;
    }
    g->left[g->left_count++] = (struct left_order){account, session};
}

static void cancel_left_again(struct gate *g)
{
    while (g->left_count > 0) {
        const struct left_order *l = &g->left[g->left_count - 1];
        if (cancel_left(g, l->account, l->session) != 0) return;
        g->left_count -= 1;
    }
}

/* Orders that carry a session were to be cancelled when it ended; a restart has ended them all. */
static void cancel_of_earlier_run(struct gate *g)
{
    uint32_t sessions[SESSIONS_OF_ACCOUNT];
    uint32_t accounts = directory_count(g->directory, DIRECTORY_account);
    for (uint32_t a = 1; a <= accounts; a++) {
        const struct outbox *events = NULL;
        struct query q = {.kind = QUERY_orders, .account = a, .now = now_of(g)};
        g->venue->query(g->venue->context, &q, &events);
        uint32_t count = 0;
        const struct event_header *h = NULL;
        while ((h = outbox_next(events, h)) != NULL && count < SESSIONS_OF_ACCOUNT) {
            const struct event_order *o = (const struct event_order *)(const void *)h;
            if (h->kind != EVENT_order || o->session == 0) continue;
            bool known = false;
            for (uint32_t i = 0; i < count; i++) known |= sessions[i] == o->session;
            if (!known) sessions[count++] = o->session;
        }
        for (uint32_t i = 0; i < count; i++) gate_cancel_left(g, a, sessions[i]);
    }
}

/* ---- time ---- */

static void every_second(struct gate *g, ts_t now)
{
    (void)keys_refresh(g->keys);
    for (struct session *s = g->sessions, *next; s != NULL; s = next) {
        next = s->next;
        if (s->number == 0) continue;
        if (s->who.key != NULL && s->who.key->revoked)
            connection_close(s->connection, WEBSOCKET_POLICY, "the key was revoked");
        else session_beat(g, s, now);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct gate *g = timer->data;
    dead_free(g);
    cancel_left_again(g);
    channels_tick(g->channels, g->durable);
    if (++g->ticks % TICKS_A_SECOND == 0) every_second(g, real_of(g));
}

void gate_events(struct gate *g, const unsigned char *bytes, size_t size)
{
    channels_apply(g->channels, bytes, size);
}

void gate_released(struct gate *g, uint64_t durable)
{
    g->durable = durable;
    release(g);
    channels_flush(g->channels, durable);
    if (g->server != NULL) server_flush(g->server);
}

/* ---- opening and closing ---- */

struct gate *gate_open(uv_loop_t *loop, const struct gate_options *options,
                       const struct venue *venue, const struct directory *directory, char *error,
                       size_t error_size)
{
    struct gate *g = calloc(1, sizeof *g);
    snprintf(error, error_size, "out of memory");
    if (g == NULL) return NULL;
    g->loop = loop;
    g->options = *options;
    g->venue = venue;
    g->directory = directory;
    g->throttle[0] = throttle_make(options->rate, options->burst);
    g->throttle[1] = throttle_make(options->cancel_rate, options->cancel_rate);
    g->excess = throttle_make(options->rate, 2 * options->rate);
    g->keys = keys_open(options->directory, error, error_size);
    if (g->keys != NULL) g->auth = auth_open(g->keys, options->started);
    g->rpc = rpc_open(venue, directory);
    g->channels = channels_open(venue, directory);
    if (g->auth == NULL || g->rpc == NULL || g->channels == NULL) {
        gate_close(g);
        return NULL;
    }
    rpc_require_guards(g->rpc, options->require_guards);
    return g;
}

void gate_nonce_used(struct gate *g, uint64_t nonce, ts_t ts)
{
    auth_nonce_used(g->auth, nonce, ts);
}

int gate_start(struct gate *g, char *error, size_t error_size)
{
    const struct server_handler handler = {.request = on_request, .upgrade = on_upgrade,
                                           .message = on_message, .closed = on_closed,
                                           .context = g};
    snprintf(error, error_size, "out of memory");
    if (channels_load(g->channels) != 0) return -1;
    cancel_of_earlier_run(g);
    g->server = server_open(g->loop, &g->options.server, &handler, error, error_size);
    if (g->server == NULL) return -1;
    channels_server_set(g->channels, g->server);
    (void)uv_timer_init(g->loop, &g->timer);
    g->timer.data = g;
    g->timer_open = true;
    return uv_timer_start(&g->timer, on_tick, TICK_MS, TICK_MS);
}

static void server_gone(void *context)
{
    struct gate *g = context;
    g->server = NULL;
    if (g->stopped != NULL) g->stopped(g->stopped_context);
}

void gate_stop(struct gate *g, void (*done)(void *context), void *context)
{
    g->stopped = done;
    g->stopped_context = context;
    if (g->timer_open) uv_close((uv_handle_t *)&g->timer, NULL);
    g->timer_open = false;
    if (g->server != NULL) server_close(g->server, server_gone, g);
    else if (done != NULL) done(context);
}

void gate_close(struct gate *g)
{
    if (g == NULL) return;
    dead_free(g);
    channels_close(g->channels);
    rpc_close(g->rpc);
    auth_close(g->auth);
    keys_close(g->keys);
    buffer_free(&g->held_bytes);
    free(g->held);
    free(g->left);
    free(g);
}

int gate_port(const struct gate *g) { return server_port(g->server); }
bool gate_has_tls(const struct gate *g) { return server_has_tls(g->server); }
uint32_t gate_keys(const struct gate *g) { return keys_count(g->keys); }
