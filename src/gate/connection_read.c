/* connection_read.c: the receiving side of one connection: bytes to requests and messages. */
#include "gate/server_internal.h"

#include <string.h>
#include <stdio.h>

/* Answers a request that is refused before anybody sees it, and closes. */
static void refuse_request(struct connection *c, int status)
{
    char body[96];
    int n = snprintf(body, sizeof body, "%d %s\n", status, http_status_text(status));
    c->server->counts.malformed += 1;
    c->keep_alive = false;
    c->head_only = false;
    c->state = CONNECTION_answering;
    connection_respond(c, status, "text/plain", NULL, body, (size_t)n);
}

static void on_data(void *context, const void *bytes, size_t size)
{
    struct connection *c = context;
    buffer_append(&c->message, bytes, size);
}

/* A text message, whole: to the handler, in place. */
static void on_message(void *context)
{
    struct connection *c = context;
    char none[1] = {0};
    c->server->counts.messages += 1;
    c->server->handler.message(c->server->handler.context, c,
                               c->message.used == 0 ? none : c->message.at, c->message.used);
    buffer_consume(&c->message, c->message.used);
    if (c->state != CONNECTION_websocket) websocket_stop(c->websocket);
}

static void on_send(void *context, const void *bytes, size_t size)
{
    struct connection *c = context;
    buffer_append(&c->out, bytes, size);
}

static bool has_room(void *context)
{
    struct connection *c = context;
    return connection_queued(c) <= c->server->options.send_bytes_max;
}

static void on_ended(void *context, int code, bool broken, const char *reason)
{
    struct connection *c = context;
    if (broken) c->server->counts.malformed += 1;
    connection_close(c, code, reason);
}

static const struct websocket_handler websocket_handler = {
    .data = on_data, .message = on_message, .send = on_send, .has_room = has_room,
    .ended = on_ended};

static void switch_to_websocket(struct connection *c, const struct http_request *r)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];
    char head[256];
    if (!slice_is(r->websocket_version, "13") || r->method != HTTP_GET ||
        !websocket_accept(r->websocket_key.at, r->websocket_key.size, accept)) {
        refuse_request(c, r->method == HTTP_GET && !slice_is(r->websocket_version, "13") ? 426
                                                                                          : 400);
        return;
    }
    c->websocket = websocket_open(&websocket_handler, c, c->server->options.message_bytes_max);
    if (c->websocket == NULL) {
        refuse_request(c, 503);
        return;
    }
    if (!c->server->handler.upgrade(c->server->handler.context, c, r)) {
        refuse_request(c, 404);
        return;
    }
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    buffer_append(&c->out, head, (size_t)n);
    c->state = CONNECTION_websocket;
    c->is_websocket = true;
    c->announced = true;
    c->server->counts.websockets += 1;
}

/* A whole request is at the front of `in`. */
static void hand_over(struct connection *c, struct http_request *r, size_t head_size)
{
    size_t size = head_size + (size_t)r->content_length;
    r->body = (struct slice){c->in.at + head_size, (size_t)r->content_length};
    c->keep_alive = r->keep_alive;
    c->head_only = r->method == HTTP_HEAD;
    c->continued = false;
    c->need = 0;
    c->request_ms = 0;
    c->server->counts.requests += 1;
    if (r->upgrade_websocket) {
        switch_to_websocket(c, r);
    } else {
        c->state = CONNECTION_answering;
        c->announced = true;
        c->server->handler.request(c->server->handler.context, c, r);
    }
    if (c->state != CONNECTION_closed) buffer_consume(&c->in, size);
}

/* Takes one request; false when more bytes must come, or nothing more is to be read. */
static bool process_http(struct connection *c)
{
    const struct server_options *o = &c->server->options;
    struct http_request r;
    size_t head_size = 0;
    int status = 0;
    if (c->in.used == 0 || c->in.used < c->need) return false;
    if (c->request_ms == 0) c->request_ms = uv_now(c->server->loop);
    switch (http_parse(c->in.at, c->in.used, o->head_bytes_max, &r, &head_size, &status)) {
    case HTTP_MORE: return false;
    case HTTP_BAD: refuse_request(c, status); return false;
    case HTTP_DONE: break;
    }
    if (r.content_length > o->body_bytes_max) {
        refuse_request(c, 413);
        return false;
    }
    c->need = head_size + (size_t)r.content_length;
    if (c->in.used >= c->need) {
        hand_over(c, &r, head_size);
        return c->state <= CONNECTION_websocket;
    }
    if (r.expect_continue && !c->continued) {
        static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
        c->continued = true;
        buffer_append(&c->out, text, sizeof text - 1);
        connection_flush(c);
    }
    return false;
}

static void process_websocket(struct connection *c)
{
    websocket_read(c->websocket, c->in.at, c->in.used);
    buffer_consume(&c->in, c->in.used);
}

void connection_process(struct connection *c)
{
    while (c->state == CONNECTION_http && process_http(c)) continue;
    if (c->state == CONNECTION_websocket) process_websocket(c);
    if (c->state == CONNECTION_http) connection_resume(c);
    if (c->state == CONNECTION_websocket || c->state == CONNECTION_http) connection_flush(c);
}

void connection_read(struct connection *c, const char *bytes, size_t size)
{
    if (c->state >= CONNECTION_draining) return; /* read only to see the peer's end */
    buffer_append(&c->in, bytes, size);
    if (c->state != CONNECTION_answering) {
        connection_process(c);
    } else if (c->in.used > PIPELINE_BYTES && c->reading) { /* later requests wait their turn */
        c->reading = false;
        (void)uv_read_stop((uv_stream_t *)&c->tcp);
    }
}
