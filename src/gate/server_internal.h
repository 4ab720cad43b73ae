/* server_internal.h: what server.c, connection.c and tls.c share. */
#ifndef DOJIMA_GATE_SERVER_INTERNAL_H
#define DOJIMA_GATE_SERVER_INTERNAL_H

#include "gate/server.h"
#include "gate/tls.h"
#include "gate/websocket.h"

enum { READ_BYTES = 65536, ADDRESS_TEXT = 48, SWEEP_MS = 250, ENCRYPT_BYTES = 262144,
       PIPELINE_BYTES = 65536 };

/* Bytes that grow as needed, up to bounds that the users of the buffer keep. */
struct buffer {
    char *at;
    size_t used;
    size_t capacity;
};

void buffer_append(struct buffer *b, const void *bytes, size_t size);
void buffer_consume(struct buffer *b, size_t size); /* from the front */
void buffer_free(struct buffer *b);

enum connection_state {
    CONNECTION_http = 0,  /* reads a request */
    CONNECTION_answering, /* a request is with the handler */
    CONNECTION_websocket,
    CONNECTION_draining,  /* sends what is queued, then closes */
    CONNECTION_closed,    /* uv_close was called */
};

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    struct server *server;
    struct tls *tls; /* NULL: plain */
    void *user;
    uint64_t id;
    uint32_t slot;
    enum connection_state state;
    bool is_websocket;
    bool announced;  /* the handler has heard of it */
    bool reading;
    bool writing;    /* `flying` is with the kernel */
    bool dirty;      /* in the list of those to flush */
    bool keep_alive; /* of the request under way */
    bool head_only;  /* of the request under way: HEAD */
    bool continued;  /* 100 Continue was sent for the request under way */
    bool shut;       /* our side is shut down */
    bool loopback;
    struct connection *dirty_next;
    size_t need;            /* do not look before this many bytes are in */
    struct buffer in;       /* plain text not yet understood */
    struct websocket *websocket; /* NULL: not one */
    struct buffer message;  /* what is there of the message under way */
    struct buffer out;      /* plain text to be sent */
    struct buffer flying;   /* as given to the kernel */
    uint64_t heard_ms;      /* when a byte last came */
    uint64_t written_ms;    /* when a write last ended */
    uint64_t request_ms;    /* when the request under way began; 0: none */
    uint64_t pinged_ms;
    uint64_t deadline_ms;   /* of a draining connection */
    char address[ADDRESS_TEXT];
};

struct server {
    uv_tcp_t listener;
    uv_timer_t sweep;
    uv_prepare_t flush;
    uv_loop_t *loop;
    struct tls_context *tls;
    struct server_options options;
    struct server_handler handler;
    struct server_counts counts;
    struct connection **slots; /* [connections_max] */
    uint32_t *free_slots;
    uint32_t free_count;
    struct connection *dirty;
    uint64_t serial;
    char *read_buffer; /* READ_BYTES */
    char *tls_buffer;  /* READ_BYTES */
    int port;
    bool closing;
    uint32_t handles; /* of the server itself, still open */
    void (*done)(void *context);
    void *done_context;
};

/* connection.c */
struct connection *connection_open(struct server *s);
void connection_start(struct connection *c);
void connection_flush(struct connection *c);
void connection_abort(struct connection *c); /* at once, nothing more is sent */
void connection_sweep(struct connection *c, uint64_t now_ms);
void connection_drain(struct connection *c);
void connection_resume(struct connection *c);

/* connection_read.c */
void connection_read(struct connection *c, const char *bytes, size_t size);
void connection_process(struct connection *c);

/* server.c */
void server_release(struct server *s, struct connection *c);
void server_finish(struct server *s);

#endif
