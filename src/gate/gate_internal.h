/* gate_internal.h: what gate.c, session.c and page.c share. */
#ifndef DOJIMA_GATE_GATE_INTERNAL_H
#define DOJIMA_GATE_GATE_INTERNAL_H

#include "gate/auth.h"
#include "gate/channel.h"
#include "gate/gate.h"
#include "gate/rpc.h"
#include "gate/server_internal.h"
#include "gate/throttle.h"

enum disconnect_scope { DISCONNECT_none = 0, DISCONNECT_connection, DISCONNECT_account };

/* What is known of a WebSocket, or for the time of one HTTP request. */
struct session {
    struct connection *connection;
    struct auth_identity who;
    struct subscriptions subscriptions;
    uint32_t number;       /* of header.session; 0: HTTP */
    uint8_t disconnect;    /* enum disconnect_scope */
    bool logged_out;
    uint32_t heartbeat_s;  /* 0: off */
    ts_t heard;            /* the last message */
    ts_t beaten;           /* the last heartbeat */
    ts_t tested;           /* a test_request that is not answered yet; 0: none */
    int64_t bucket[2];
    int64_t bucket_excess;
    struct session *next;
    struct session *previous;
};

/* An answer that waits for its seq to be durable. */
struct held_answer {
    uint64_t seq;
    uint64_t connection;
    uint64_t offset; /* in the bytes kept */
    uint32_t size;
    int status;
    int32_t retry_after; /* seconds; 0: none */
    bool close;          /* after it */
};

/* Orders to be cancelled because a connection ended, while the venue was busy. */
struct left_order { uint32_t account; uint32_t session; };

struct gate {
    uv_loop_t *loop;
    struct gate_options options;
    const struct venue *venue;
    const struct directory *directory;
    struct server *server;
    struct keys *keys;
    struct auth *auth;
    struct rpc *rpc;
    struct channels *channels;
    struct throttle throttle[2]; /* [0]: all; [1]: cancels beyond that */
    struct throttle excess;
    struct session *sessions;
    struct session *dead; /* ended, to be freed when nobody is in the middle of them */
    uint32_t session_last;
    uint64_t durable;
    uint64_t seq_seen; /* of the last command that the venue applied for us */
    struct held_answer *held;
    uint32_t held_first;
    uint32_t held_count;
    uint32_t held_capacity;
    struct buffer held_bytes;
    uint64_t held_base; /* offset of held_bytes' first byte */
    struct left_order *left;
    uint32_t left_count;
    uint32_t left_capacity;
    uv_timer_t timer; /* ten times a second */
    uint32_t ticks;
    bool timer_open;
    uint64_t throttled;
    uint64_t unauthorised;
    uint64_t answers;
    void (*stopped)(void *context);
    void *stopped_context;
    int handles;
};

/* session.c: methods that belong to a connection. True: it was one, and *answer is set. */
bool session_handle(struct gate *g, struct session *s, const struct rpc_caller *caller,
                    const struct rpc_request *q, struct rpc_answer *answer);
void session_beat(struct gate *g, struct session *s, ts_t now);
/* Ends the login: private channels and cancel-on-disconnect go with it. */
void session_logout(struct gate *g, struct session *s);
struct rpc_caller session_caller(struct gate *g, const struct session *s, ts_t received);

/* gate.c */
/* Cancels what a session left; kept for later when the venue is busy. */
void gate_cancel_left(struct gate *g, uint32_t account, uint32_t session);

/* page.c: everything that is not the API. */
void page_serve(struct gate *g, struct connection *c, const struct http_request *r);

#endif
