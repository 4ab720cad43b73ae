/* server.h: listens on a libuv loop and speaks HTTP/1.1 and WebSocket over TCP or TLS; knows
 * nothing of what is said.
 *
 * Invariants: (1) everything that a client can make grow has a bound in server_options; (2) a
 * connection whose send queue passes its bound is told why and closed: the slow never hold up the
 * others (what is sent to many is never waited for); (3) one HTTP request of a connection is under
 * way at a time, later ones wait in the bounded buffer; WebSocket messages are not held back;
 * (4) what is queued in one turn of the loop goes out with one write.
 *
 * Upstream: bytes of clients, http, websocket, tls. Downstream: gate.
 */
#ifndef DOJIMA_GATE_SERVER_H
#define DOJIMA_GATE_SERVER_H

#include "gate/http.h"

#include <uv.h>

struct server_options {
    const char *listen;       /* HOST:PORT, [HOST]:PORT; port 0: any free one */
    const char *tls_cert;     /* PEM files; NULL: plain */
    const char *tls_key;
    uint32_t connections_max; /* [4096] */
    uint32_t address_max;     /* connections of one address, loopback excepted: [256] */
    uint32_t head_bytes_max;  /* of a request: [16384] */
    uint32_t body_bytes_max;  /* of a request: [131072] */
    uint32_t message_bytes_max; /* of a WebSocket message: [131072] */
    uint32_t send_bytes_max;  /* queued to one connection: [4 MiB] */
    uint32_t request_ms;      /* from a request's first byte to its last: [10000] */
    uint32_t idle_ms;         /* without a request, HTTP: [75000] */
    uint32_t ping_ms;         /* without a byte, WebSocket: a ping; closed after three: [20000] */
    uint32_t linger_ms;       /* for what is left to send to a closing connection: [3000] */
};

struct server_options server_options_default(void);

struct server;
struct connection;

/* What the server tells its user; called on the loop. Slices and texts live until the return. */
struct server_handler {
    /* To be answered with connection_respond, now or later. */
    void (*request)(void *context, struct connection *c, const struct http_request *request);
    /* Whether a WebSocket may be opened at this path. */
    bool (*upgrade)(void *context, struct connection *c, const struct http_request *request);
    void (*message)(void *context, struct connection *c, char *text, size_t size);
    /* Once for every connection of which anything was said; its id is not used again. */
    void (*closed)(void *context, struct connection *c);
    void *context;
};

struct server_counts {
    uint64_t accepted;
    uint64_t refused;         /* over a bound on connections */
    uint64_t evicted;         /* slow readers */
    uint64_t timed_out;
    uint64_t malformed;       /* closed for a protocol error */
    uint64_t requests;
    uint64_t messages;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint32_t open;
    uint32_t websockets;
};

/* Starts to listen. NULL, and one line for the operator in `error`, when that is not possible.
 * The handler is copied; the options' strings are not kept. */
struct server *server_open(uv_loop_t *loop, const struct server_options *options,
                           const struct server_handler *handler, char *error, size_t error_size);

/* Stops listening and closes all connections, WebSockets with code 1001; `done` is called when the
 * last is gone, after which the server's memory is freed. */
void server_close(struct server *s, void (*done)(void *context), void *context);

int server_port(const struct server *s);
bool server_has_tls(const struct server *s);
const struct server_counts *server_counts(const struct server *s);

/* Sends what is queued now, instead of at the end of the loop's turn. */
void server_flush(struct server *s);

/* The connection of an id, unless it is closing or gone: NULL. */
struct connection *server_find(struct server *s, uint64_t id);

uint64_t connection_id(const struct connection *c); /* never 0, never used twice */
bool connection_is_websocket(const struct connection *c);
const char *connection_address(const struct connection *c); /* the peer's, as text */
void **connection_user(struct connection *c); /* the user's own pointer; NULL at first */
size_t connection_queued(const struct connection *c); /* bytes that wait to be sent */

/* Answers the request under way. `headers` are further lines, each with its CRLF, or NULL. */
void connection_respond(struct connection *c, int status, const char *content_type,
                        const char *headers, const void *body, size_t size);

/* Queues one text message to a WebSocket; evicts it when its queue is full. */
void connection_send(struct connection *c, const char *text, size_t size);

/* Closes after what is queued was sent; a WebSocket with this code and reason. */
void connection_close(struct connection *c, int code, const char *reason);

#endif
