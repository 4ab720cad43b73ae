/* connection.c: the life and the sending side of one connection. See server.h for the rules. */
#include "gate/server_internal.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_KEEP = 65536 }; /* an empty buffer larger than this gives its memory back */

void buffer_append(struct buffer *b, const void *bytes, size_t size)
{
    if (size == 0) return;
    if (b->used + size > b->capacity) {
        size_t capacity = b->capacity == 0 ? 1024 : b->capacity;
        while (capacity < b->used + size) capacity *= 2;
        char *at = realloc(b->at, capacity);
        ASSERT(at != NULL); /* all growth is bounded by options: the machine is out of memory */
        b->at = at;
        b->capacity = capacity;
    }
    memcpy(b->at + b->used, bytes, size);
    b->used += size;
}

void buffer_consume(struct buffer *b, size_t size)
{
    ASSERT(size <= b->used);
    b->used -= size;
    if (b->used != 0) memmove(b->at, b->at + size, b->used);
    else if (b->capacity > BUFFER_KEEP) buffer_free(b);
}

void buffer_free(struct buffer *b)
{
    free(b->at);
    *b = (struct buffer){0};
}

struct connection *connection_open(struct server *s)
{
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    if (s->tls != NULL && (c->tls = tls_open(s->tls)) == NULL) {
        free(c);
        return NULL;
    }
    if (uv_tcp_init(s->loop, &c->tcp) != 0) {
        tls_close(c->tls);
        free(c);
        return NULL;
    }
    c->server = s;
    c->tcp.data = c;
    c->write.data = c;
    c->slot = s->free_slots[--s->free_count];
    s->slots[c->slot] = c;
    s->serial += 1;
    c->id = (s->serial << 16) | c->slot;
    c->heard_ms = c->written_ms = uv_now(s->loop);
    c->request_ms = c->heard_ms;
    return c;
}

static void on_closed(uv_handle_t *h)
{
    struct connection *c = h->data;
    struct server *s = c->server;
    tls_close(c->tls);
    websocket_close(c->websocket);
    buffer_free(&c->in);
    buffer_free(&c->out);
    buffer_free(&c->message);
    buffer_free(&c->flying);
    server_release(s, c);
    free(c);
}

/* The handler hears of the end as soon as it is decided, so that cancel-on-disconnect is prompt. */
static void announce_end(struct connection *c)
{
    if (!c->announced) return;
    c->announced = false;
    if (c->is_websocket) c->server->counts.websockets -= 1;
    c->server->handler.closed(c->server->handler.context, c);
}

static void unlink_dirty(struct connection *c)
{
    if (!c->dirty) return;
    struct connection **p = &c->server->dirty;
    while (*p != c) p = &(*p)->dirty_next;
    *p = c->dirty_next;
    c->dirty = false;
}

void connection_abort(struct connection *c)
{
    if (c->state == CONNECTION_closed) return;
    c->state = CONNECTION_closed;
    announce_end(c);
    unlink_dirty(c);
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void mark_dirty(struct connection *c)
{
    if (c->dirty || c->state == CONNECTION_closed) return;
    c->dirty = true;
    c->dirty_next = c->server->dirty;
    c->server->dirty = c;
}

void connection_drain(struct connection *c)
{
    if (c->state >= CONNECTION_draining) return;
    c->state = CONNECTION_draining;
    c->deadline_ms = uv_now(c->server->loop) + c->server->options.linger_ms;
    announce_end(c);
    mark_dirty(c);
}

static void alloc_read(uv_handle_t *h, size_t suggested, uv_buf_t *buffer)
{
    struct connection *c = h->data;
    (void)suggested;
    *buffer = uv_buf_init(c->server->read_buffer, READ_BYTES);
}

/* Through TLS: what comes out as plain text is handed on piece by piece. */
static void read_tls(struct connection *c, const char *bytes, size_t size)
{
    if (!tls_feed(c->tls, bytes, size)) {
        connection_abort(c);
        return;
    }
    for (;;) {
        int n = tls_read(c->tls, c->server->tls_buffer, READ_BYTES);
        if (n < 0) {
            c->server->counts.malformed += tls_is_ready(c->tls) ? 0 : 1;
            connection_drain(c);
        }
        mark_dirty(c); /* the handshake may have something to say */
        if (n <= 0 || c->state == CONNECTION_closed) return;
        connection_read(c, c->server->tls_buffer, (size_t)n);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct connection *c = stream->data;
    if (n == 0 || c->state == CONNECTION_closed) return;
    if (n < 0) {
        connection_abort(c);
        return;
    }
    c->heard_ms = uv_now(c->server->loop);
    c->server->counts.bytes_in += (uint64_t)n;
    if (c->tls != NULL) read_tls(c, buffer->base, (size_t)n);
    else connection_read(c, buffer->base, (size_t)n);
}

void connection_resume(struct connection *c)
{
    if (c->reading || c->state == CONNECTION_closed) return;
    if (uv_read_start((uv_stream_t *)&c->tcp, alloc_read, on_read) == 0) c->reading = true;
    else connection_abort(c);
}

void connection_start(struct connection *c)
{
    connection_resume(c);
}

static void on_written(uv_write_t *write, int status)
{
    struct connection *c = write->data;
    c->writing = false;
    c->flying.used = 0;
    if (c->flying.capacity > BUFFER_KEEP) buffer_free(&c->flying);
    if (c->state == CONNECTION_closed) return;
    if (status < 0) {
        connection_abort(c);
        return;
    }
    c->written_ms = uv_now(c->server->loop);
    connection_flush(c);
}

/* Fills `flying` with what goes to the kernel next. */
static bool prepare_flying(struct connection *c)
{
    if (c->tls == NULL) {
        struct buffer empty = c->flying;
        c->flying = c->out;
        c->out = empty;
        return true;
    }
    size_t size = c->out.used < ENCRYPT_BYTES ? c->out.used : ENCRYPT_BYTES;
    size_t taken = 0;
    while (taken < size && tls_is_ready(c->tls)) {
        int n = tls_write(c->tls, c->out.at + taken, size - taken);
        if (n < 0) return false;
        if (n == 0) break;
        taken += (size_t)n;
    }
    buffer_consume(&c->out, taken);
    char chunk[16384];
    for (size_t n; (n = tls_drain(c->tls, chunk, sizeof chunk)) > 0;)
        buffer_append(&c->flying, chunk, n);
    return true;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)status;
    free(shutdown);
}

/* Nothing is left to send: a draining connection says goodbye and waits for the peer's end. */
static void finish_drained(struct connection *c)
{
    if (c->state != CONNECTION_draining || c->shut) return;
    c->shut = true;
    if (c->tls != NULL) {
        tls_goodbye(c->tls);
        if (prepare_flying(c) && c->flying.used > 0) {
            uv_buf_t buffer = uv_buf_init(c->flying.at, (unsigned)c->flying.used);
            (void)uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
            c->flying.used = 0;
        }
    }
    uv_shutdown_t *shutdown = calloc(1, sizeof *shutdown);
    if (shutdown == NULL || uv_shutdown(shutdown, (uv_stream_t *)&c->tcp, on_shutdown) != 0) {
        free(shutdown);
        connection_abort(c);
    }
}

void connection_flush(struct connection *c)
{
    while (!c->writing && c->state != CONNECTION_closed) {
        if (!prepare_flying(c)) {
            connection_abort(c);
            return;
        }
        if (c->flying.used == 0) {
            finish_drained(c);
            return;
        }
        uv_buf_t buffer = uv_buf_init(c->flying.at, (unsigned)c->flying.used);
        int n = uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
        if (n < 0 && n != UV_EAGAIN) {
            connection_abort(c);
            return;
        }
        size_t sent = n > 0 ? (size_t)n : 0;
        c->server->counts.bytes_out += c->flying.used;
        if (sent == c->flying.used) {
            c->flying.used = 0;
            c->written_ms = uv_now(c->server->loop);
            if (c->flying.capacity > BUFFER_KEEP) buffer_free(&c->flying);
            continue;
        }
        c->writing = true;
        buffer = uv_buf_init(c->flying.at + sent, (unsigned)(c->flying.used - sent));
        if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written) != 0) {
            c->writing = false;
            connection_abort(c);
        }
    }
}

size_t connection_queued(const struct connection *c)
{
    return c->out.used + c->flying.used;
}

/* GUARD-06's sister: who does not read is told so and closed, and holds nobody up. */
static void evict(struct connection *c)
{
    char reason[100];
    snprintf(reason, sizeof reason, "slow reader: more than %u bytes wait to be sent",
             c->server->options.send_bytes_max);
    c->server->counts.evicted += 1;
    c->out.used = 0;
    connection_close(c, WEBSOCKET_POLICY, reason);
}

static void queue_frame(struct connection *c, enum websocket_opcode opcode, const void *bytes,
                        size_t size)
{
    websocket_write(c->websocket, opcode, bytes, size);
    mark_dirty(c);
}

void connection_send(struct connection *c, const char *text, size_t size)
{
    if (c->state != CONNECTION_websocket) return;
    if (connection_queued(c) + size > c->server->options.send_bytes_max) evict(c);
    else queue_frame(c, WEBSOCKET_TEXT, text, size);
}

void connection_close(struct connection *c, int code, const char *reason)
{
    if (c->state >= CONNECTION_draining) return;
    if (c->state == CONNECTION_websocket) {
        unsigned char payload[WEBSOCKET_CONTROL_MAX];
        size_t n = strlen(reason);
        if (n > sizeof payload - 2) n = sizeof payload - 2;
        payload[0] = (unsigned char)(code >> 8);
        payload[1] = (unsigned char)code;
        memcpy(payload + 2, reason, n);
        queue_frame(c, WEBSOCKET_CLOSE, payload, n + 2);
    }
    connection_drain(c);
    connection_resume(c); /* so that the peer's end is seen */
}

void connection_respond(struct connection *c, int status, const char *content_type,
                        const char *headers, const void *body, size_t size)
{
    char head[1024];
    if (c->state != CONNECTION_answering) return;
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "X-Content-Type-Options: nosniff\r\n%s%s\r\n",
                     status, http_status_text(status), content_type, size,
                     headers == NULL ? "Cache-Control: no-store\r\n" : headers,
                     c->keep_alive ? "" : "Connection: close\r\n");
    ASSERT(n > 0 && (size_t)n < sizeof head);
    buffer_append(&c->out, head, (size_t)n);
    if (!c->head_only) buffer_append(&c->out, body, size);
    mark_dirty(c);
    c->request_ms = 0;
    if (!c->keep_alive || c->server->closing) {
        connection_drain(c);
        connection_resume(c);
        return;
    }
    c->state = CONNECTION_http;
    c->written_ms = uv_now(c->server->loop);
}

/* What has lasted too long. */
void connection_sweep(struct connection *c, uint64_t now_ms)
{
    const struct server_options *o = &c->server->options;
    if (c->state == CONNECTION_draining) {
        if (now_ms >= c->deadline_ms) connection_abort(c);
        return;
    }
    bool late = c->state == CONNECTION_http && c->request_ms != 0 &&
                now_ms - c->request_ms > o->request_ms;
    bool idle = c->state == CONNECTION_http && c->request_ms == 0 &&
                now_ms - c->written_ms > o->idle_ms;
    bool stuck = c->writing && now_ms - c->written_ms > o->idle_ms;
    bool dead = c->state == CONNECTION_websocket && now_ms - c->heard_ms > 3ull * o->ping_ms;
    if (late || idle || stuck || dead) {
        c->server->counts.timed_out += 1;
        if (stuck) connection_abort(c);
        else connection_close(c, WEBSOCKET_GOING_AWAY, "idle for too long");
        return;
    }
    if (c->state == CONNECTION_websocket && now_ms - c->heard_ms > o->ping_ms &&
        now_ms - c->pinged_ms > o->ping_ms) {
        c->pinged_ms = now_ms;
        queue_frame(c, WEBSOCKET_PING, "", 0);
    }
}

uint64_t connection_id(const struct connection *c) { return c->id; }
bool connection_is_websocket(const struct connection *c) { return c->is_websocket; }
const char *connection_address(const struct connection *c) { return c->address; }
void **connection_user(struct connection *c) { return &c->user; }
