/* server.c: see server.h: listening, the table of connections, the sweep of timeouts. */
#include "gate/server_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct server_options server_options_default(void)
{
    return (struct server_options){
        .listen = "127.0.0.1:8080", .connections_max = 4096, .address_max = 256,
        .head_bytes_max = 16384, .body_bytes_max = 131072, .message_bytes_max = 131072,
        .send_bytes_max = 4 << 20, .request_ms = 10000, .idle_ms = 75000, .ping_ms = 20000,
        .linger_ms = 3000};
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strncmp(address, "::ffff:127.", 11) == 0;
}

static void address_read(struct connection *c)
{
    struct sockaddr_storage peer;
    int size = sizeof peer;
    snprintf(c->address, sizeof c->address, "unknown");
    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&peer, &size) != 0) return;
    if (peer.ss_family == AF_INET)
        uv_ip4_name((struct sockaddr_in *)&peer, c->address, sizeof c->address);
    else if (peer.ss_family == AF_INET6)
        uv_ip6_name((struct sockaddr_in6 *)&peer, c->address, sizeof c->address);
    c->loopback = is_loopback(c->address);
}

/* Whether one more connection of this address is too many. */
static bool address_is_full(const struct server *s, const struct connection *c)
{
    uint32_t same = 0;
    if (c->loopback) return false;
    for (uint32_t i = 0; i < s->options.connections_max; i++) {
        if (s->slots[i] != NULL && strcmp(s->slots[i]->address, c->address) == 0) same += 1;
    }
    return same > s->options.address_max; /* c itself is among them */
}

static void refused_closed(uv_handle_t *h)
{
    free(h);
}

/* Over the bound: a word and out, without a place in the table. */
static void refuse(uv_stream_t *listener, struct server *s)
{
    static char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
                         "Content-Length: 0\r\nConnection: close\r\n\r\n";
    uv_tcp_t *tcp = calloc(1, sizeof *tcp);
    if (tcp == NULL || uv_tcp_init(s->loop, tcp) != 0) {
        free(tcp);
        return;
    }
    s->counts.refused += 1;
    if (uv_accept(listener, (uv_stream_t *)tcp) == 0 && s->tls == NULL) {
        uv_buf_t buffer = uv_buf_init(text, sizeof text - 1);
        (void)uv_try_write((uv_stream_t *)tcp, &buffer, 1);
    }
    uv_close((uv_handle_t *)tcp, refused_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    if (status < 0) return; /* no descriptor left, or the peer is gone again */
    if (s->free_count == 0) {
        refuse(listener, s);
        return;
    }
    struct connection *c = connection_open(s);
    if (c == NULL) {
        refuse(listener, s);
        return;
    }
    s->counts.open += 1;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) {
        connection_abort(c);
        return;
    }
    s->counts.accepted += 1;
    address_read(c);
    if (address_is_full(s, c)) {
        s->counts.refused += 1;
        connection_abort(c);
        return;
    }
    (void)uv_tcp_nodelay(&c->tcp, 1);
    connection_start(c);
}

static void on_sweep(uv_timer_t *timer)
{
    struct server *s = timer->data;
    uint64_t now = uv_now(s->loop);
    for (uint32_t i = 0; i < s->options.connections_max; i++) {
        if (s->slots[i] != NULL && s->slots[i]->state != CONNECTION_closed)
            connection_sweep(s->slots[i], now);
    }
}

void server_flush(struct server *s)
{
    while (s->dirty != NULL) {
        struct connection *c = s->dirty;
        s->dirty = c->dirty_next;
        c->dirty_next = NULL;
        c->dirty = false;
        connection_flush(c);
        if (c->state == CONNECTION_http && c->in.used > 0) connection_process(c);
    }
}

static void on_flush(uv_prepare_t *prepare)
{
    server_flush(prepare->data);
}

/* HOST:PORT or [HOST]:PORT into an address; 0, or a libuv error. */
static int address_parse(const char *listen, struct sockaddr_storage *address)
{
    char host[64];
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || colon == listen) return UV_EINVAL;
    size_t size = (size_t)(colon - listen);
    if (listen[0] == '[' && listen[size - 1] == ']') listen += 1, size -= 2;
    if (size == 0 || size >= sizeof host) return UV_EINVAL;
    memcpy(host, listen, size);
    host[size] = 0;
    if (strcmp(host, "localhost") == 0) snprintf(host, sizeof host, "127.0.0.1");
    char *end = NULL;
    long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end != 0 || port < 0 || port > 65535) return UV_EINVAL;
    if (strchr(host, ':') != NULL)
        return uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)address);
    return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)address);
}

/* The port that was really given, for port 0. */
static int port_read(const uv_tcp_t *tcp)
{
    struct sockaddr_storage own;
    int size = sizeof own;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&own, &size) != 0) return 0;
    unsigned port = own.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&own)->sin6_port
                                              : ((struct sockaddr_in *)&own)->sin_port;
    return (int)(((port & 0xffu) << 8) | (port >> 8));
}

static bool memory_take(struct server *s)
{
    uint32_t n = s->options.connections_max;
    s->slots = calloc(n, sizeof *s->slots);
    s->free_slots = calloc(n, sizeof *s->free_slots);
    s->read_buffer = malloc(READ_BYTES);
    s->tls_buffer = malloc(READ_BYTES);
    if (!s->slots || !s->free_slots || !s->read_buffer || !s->tls_buffer) return false;
    for (uint32_t i = 0; i < n; i++) s->free_slots[i] = n - 1 - i;
    s->free_count = n;
    return true;
}

static void memory_free(struct server *s)
{
    tls_context_close(s->tls);
    free(s->slots);
    free(s->free_slots);
    free(s->read_buffer);
    free(s->tls_buffer);
    free(s);
}

static int start(struct server *s)
{
    struct sockaddr_storage address = {0};
    int status = address_parse(s->options.listen, &address);
    if (status != 0) return status;
    (void)uv_tcp_init(s->loop, &s->listener);
    (void)uv_timer_init(s->loop, &s->sweep);
    (void)uv_prepare_init(s->loop, &s->flush);
    s->handles = 3;
    s->listener.data = s;
    s->sweep.data = s;
    s->flush.data = s;
    status = uv_tcp_bind(&s->listener, (struct sockaddr *)&address, 0);
    if (status == 0) status = uv_listen((uv_stream_t *)&s->listener, 1024, on_connection);
    if (status == 0) status = uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (status == 0) status = uv_prepare_start(&s->flush, on_flush);
    s->port = port_read(&s->listener);
    return status;
}

struct server *server_open(uv_loop_t *loop, const struct server_options *options,
                           const struct server_handler *handler, char *error, size_t error_size)
{
    struct server *s = calloc(1, sizeof *s);
    snprintf(error, error_size, "out of memory");
    if (s == NULL) return NULL;
    s->loop = loop;
    s->options = *options;
    if (s->options.connections_max > 65535) s->options.connections_max = 65535;
    s->handler = *handler;
    if (!memory_take(s)) {
        memory_free(s);
        return NULL;
    }
    if (options->tls_cert != NULL) {
        s->tls = tls_context_open(options->tls_cert, options->tls_key, error, error_size);
        if (s->tls == NULL) {
            memory_free(s);
            return NULL;
        }
    }
    int status = start(s);
    s->options.listen = NULL; /* the caller's, not kept */
    s->options.tls_cert = s->options.tls_key = NULL;
    if (status == 0) return s;
    snprintf(error, error_size, "cannot listen on %s: %s", options->listen, uv_strerror(status));
    if (s->handles == 0) memory_free(s);
    else server_close(s, NULL, NULL);
    return NULL;
}

void server_finish(struct server *s)
{
    if (!s->closing || s->handles != 0 || s->counts.open != 0) return;
    void (*done)(void *) = s->done;
    void *context = s->done_context;
    memory_free(s);
    if (done != NULL) done(context);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct server *s = h->data;
    s->handles -= 1;
    server_finish(s);
}

/* The sweep and the flush go on until the last connection has been drained. */
static void helpers_close(struct server *s)
{
    if (s->counts.open != 0 || uv_is_closing((uv_handle_t *)&s->sweep)) return;
    uv_close((uv_handle_t *)&s->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&s->flush, on_handle_closed);
}

void server_close(struct server *s, void (*done)(void *context), void *context)
{
    s->closing = true;
    s->done = done;
    s->done_context = context;
    uv_close((uv_handle_t *)&s->listener, on_handle_closed);
    for (uint32_t i = 0; i < s->options.connections_max; i++) {
        struct connection *c = s->slots[i];
        if (c != NULL && c->state != CONNECTION_closed && c->state != CONNECTION_draining)
            connection_close(c, WEBSOCKET_GOING_AWAY, "the node is shutting down");
    }
    helpers_close(s);
}

void server_release(struct server *s, struct connection *c)
{
    s->slots[c->slot] = NULL;
    s->free_slots[s->free_count++] = c->slot;
    s->counts.open -= 1;
    if (s->closing) {
        helpers_close(s);
        server_finish(s);
    }
}

struct connection *server_find(struct server *s, uint64_t id)
{
    uint32_t slot = (uint32_t)(id & 0xffff);
    if (slot >= s->options.connections_max) return NULL;
    struct connection *c = s->slots[slot];
    return c != NULL && c->id == id && c->state < CONNECTION_draining ? c : NULL;
}

int server_port(const struct server *s) { return s->port; }
bool server_has_tls(const struct server *s) { return s->tls != NULL; }
const struct server_counts *server_counts(const struct server *s) { return &s->counts; }
