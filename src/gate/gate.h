/* gate.h: the JSON-RPC gate of a node: HTTP and WebSocket requests in, answers and notifications
 * out.
 *
 * Routes: GET and POST /api/v2/{public|private}/METHOD, POST /api/v2, WebSocket /ws/api/v2, the
 * page at /, /metrics (Prometheus), /health, and with a demo /demo/key.
 *
 * Invariants: (1) an answer or a notification leaves only when all that it shows is durable; (2)
 * answers of one connection leave in the order of their requests' sequence numbers; (3) nothing
 * that a client sends stops the node: every refusal is an answer or a close with a reason; (4) a
 * session's order carries its number only while cancel-on-disconnect is on, so that orders left by
 * connections of an earlier run are known and cancelled at the next start.
 *
 * Upstream: server, auth, rpc. Downstream: venue (the sequencer).
 */
#ifndef DOJIMA_GATE_GATE_H
#define DOJIMA_GATE_GATE_H

#include "gate/directory.h"
#include "gate/server.h"
#include "gate/venue.h"

struct gate;

struct gate_options {
    struct server_options server;
    const char *directory;      /* the data directory, for the keys */
    uint32_t rate;              /* GUARD-06: requests a second and session: [500] */
    uint32_t burst;             /* [500] */
    uint32_t cancel_rate;       /* cancels a second and session that pass beyond it: [2000] */
    uint32_t held_bytes_max;    /* of answers that wait to be durable: [64 MiB] */
    size_t release_bytes;       /* of one command's events at most */
    const char *demo_id;        /* a key for visitors of the page; NULL: none */
    const char *demo_secret;
    bool require_guards;        /* products must name their guards */
    ts_t started;
    /* More lines for /metrics: writes at most `size` bytes of text, returns how many. */
    size_t (*metrics)(void *context, char *text, size_t size);
    void *context;
};

struct gate_options gate_options_default(void);

/* The venue, the directory (which the owner keeps up to date) and the loop outlive the gate. */
struct gate *gate_open(uv_loop_t *loop, const struct gate_options *options,
                       const struct venue *venue, const struct directory *directory, char *error,
                       size_t error_size);

/* A nonce that a command in the journal carried; before gate_start. */
void gate_nonce_used(struct gate *g, uint64_t nonce, ts_t ts);

/* After recovery: loads the books, cancels what sessions of an earlier run left to be cancelled,
 * and listens. 0, or -1 and a line. */
int gate_start(struct gate *g, char *error, size_t error_size);

/* Released events, in order; then gate_released with the last durable seq. */
void gate_events(struct gate *g, const unsigned char *bytes, size_t size);
void gate_released(struct gate *g, uint64_t durable);

/* Whether answers wait for gate_released. */
bool gate_is_waiting(const struct gate *g);

/* Closes all connections; `done` when the last is gone. Then gate_close. */
void gate_stop(struct gate *g, void (*done)(void *context), void *context);
void gate_close(struct gate *g);

int gate_port(const struct gate *g);
bool gate_has_tls(const struct gate *g);
uint32_t gate_keys(const struct gate *g); /* how many API keys there are */

#endif
