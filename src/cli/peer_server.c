/* peer_server.c: see peer.h: the answering side: gate's server, and a handler on a worker's thread.
 *
 *   loop      a request is read whole, its signature checked, copied into a job
 *   worker    the handler makes the answer
 *   loop      the answer goes to the connection, if it is still there
 */
#include "cli/peer_internal.h"

#include "gate/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer_server {
    uv_loop_t loop;
    struct server *server;
    uv_async_t stop;
    uv_signal_t signals[2];
    peer_handler *handler;
    void *context;
    void (*stopping)(void *context);
    uint32_t pending;
    bool closing;
};

struct job {
    uv_work_t work;
    struct peer_server *server;
    uint64_t connection;
    char path[PEER_PATH_SIZE];
    struct peer_request request;
    struct peer_response response;
    char body[];
};

static void respond(struct connection *c, const struct peer_response *r)
{
    static const char nothing[] = "{\"error\":\"no memory\"}";
    bool empty = r->body == NULL;
    connection_respond(c, empty ? 500 : r->status,
                       r->bytes ? "application/octet-stream" : "application/json", NULL,
                       empty ? nothing : r->body, empty ? sizeof nothing - 1 : r->size);
}

static void refuse(struct connection *c, int status, const char *text)
{
    struct peer_response r = {0};
    peer_refuse(&r, status, "%s", text);
    respond(c, &r);
    free(r.body);
}

static void job_run(uv_work_t *work)
{
    struct job *j = work->data;
    j->server->handler(j->server->context, &j->request, &j->response);
}

static void job_done(uv_work_t *work, int status)
{
    struct job *j = work->data;
    struct peer_server *s = j->server;
    struct connection *c = s->closing ? NULL : server_find(s->server, j->connection);
    (void)status;
    s->pending -= 1;
    if (c != NULL) respond(c, &j->response);
    free(j->response.body);
    free(j);
}

static void on_request(void *context, struct connection *c, const struct http_request *r)
{
    struct peer_server *s = context;
    uint8_t key[NOTE_KEY_SIZE];
    char path[PEER_PATH_SIZE];
    if (r->method != HTTP_POST || r->path.size >= sizeof path) {
        refuse(c, r->method != HTTP_POST ? 405 : 404, "POST, to a path of this agent");
        return;
    }
    memcpy(path, r->path.at, r->path.size);
    path[r->path.size] = 0;
    const char *wrong = peer_signature_check(r->authorization.at, r->authorization.size, path,
                                             r->body.at, r->body.size, peer_now_ms(), key);
    if (wrong != NULL) {
        refuse(c, 401, wrong);
        return;
    }
    struct job *j = s->pending >= PEER_PENDING_MAX ? NULL : calloc(1, sizeof *j + r->body.size + 1);
    if (j == NULL) {
        refuse(c, 503, "too many requests are under way");
        return;
    }
    j->work.data = j;
    j->server = s;
    j->connection = connection_id(c);
    memcpy(j->path, path, sizeof path);
    if (r->body.size > 0) memcpy(j->body, r->body.at, r->body.size);
    j->request = (struct peer_request){.path = j->path, .body = j->body, .size = r->body.size};
    memcpy(j->request.key, key, sizeof key);
    s->pending += 1;
    if (uv_queue_work(&s->loop, &j->work, job_run, job_done) != 0) {
        s->pending -= 1;
        free(j);
        refuse(c, 503, "no thread is free");
    }
}

static bool on_upgrade(void *context, struct connection *c, const struct http_request *r)
{
    (void)context;
    (void)c;
    (void)r;
    return false;
}

static void on_message(void *context, struct connection *c, char *text, size_t size)
{
    (void)context;
    (void)c;
    (void)text;
    (void)size;
}

static void on_closed(void *context, struct connection *c)
{
    (void)context;
    (void)c;
}

/* ---- beginning and end ---- */

static void end(struct peer_server *s)
{
    if (s->closing) return;
    s->closing = true;
    if (s->stopping != NULL) s->stopping(s->context);
    server_close(s->server, NULL, NULL);
    uv_close((uv_handle_t *)&s->stop, NULL);
    for (int i = 0; i < 2; i++) uv_close((uv_handle_t *)&s->signals[i], NULL);
}

static void on_stop(uv_async_t *stop) { end(stop->data); }

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    end(handle->data);
}

struct peer_server *peer_server_open(const struct peer_options *options, peer_handler *handler,
                                     void *context, char *error, size_t size)
{
    struct peer_server *s = calloc(1, sizeof *s);
    struct server_options o = server_options_default();
    const struct server_handler h = {.request = on_request, .upgrade = on_upgrade,
                                     .message = on_message, .closed = on_closed, .context = s};
    static const int numbers[] = {SIGTERM, SIGINT};
    (void)snprintf(error, size, "out of memory");
    if (s == NULL) return NULL;
    if (uv_loop_init(&s->loop) != 0) {
        free(s);
        return NULL;
    }
    o.listen = options->listen;
    o.tls_cert = options->tls_cert;
    o.tls_key = options->tls_key;
    o.connections_max = 256;
    o.body_bytes_max = PEER_REQUEST_MAX;
    o.request_ms = 30000;
    s->handler = handler;
    s->context = context;
    s->server = server_open(&s->loop, &o, &h, error, size);
    if (s->server == NULL) {
        (void)uv_run(&s->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&s->loop);
        free(s);
        return NULL;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)uv_async_init(&s->loop, &s->stop, on_stop);
    s->stop.data = s;
    for (int i = 0; i < 2; i++) {
        (void)uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        (void)uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    return s;
}

int peer_server_port(const struct peer_server *s) { return server_port(s->server); }

void peer_server_run(struct peer_server *s, void (*stopping)(void *context))
{
    s->stopping = stopping;
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&s->loop);
    free(s);
}

void peer_server_stop(struct peer_server *s) { (void)uv_async_send(&s->stop); }
