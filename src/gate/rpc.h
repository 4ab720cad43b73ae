/* rpc.h: one JSON-RPC request to one answer.
 *
 * A request becomes a command or a question (msg), goes to the machine behind `struct venue`,
 * and its answer is built from the events that come back, and from nothing else. The shapes are
 * those of Deribit's v2 API; docs/api.md describes every method. A rejected request is an answer
 * with `error`.
 *
 * Invariants: (1) an answer is one JSON object, whatever the request was; (2) it may be shown only
 * when `seq` is durable; (3) no number passes through a double; (4) an unknown parameter is refused
 * by name, never ignored.
 *
 * Not here: whatever belongs to a connection (public/auth, subscribe, heartbeats, throttles). The
 * server looks at `rpc_request.method` first and answers those itself with rpc_result_open/_close.
 *
 * Upstream: gate's server, cli/script.c. Downstream: wire/json, venue.
 */
#ifndef DOJIMA_GATE_RPC_H
#define DOJIMA_GATE_RPC_H

#include "gate/directory.h"
#include "gate/venue.h"
#include "msg/reject.h"
#include "wire/json.h"

enum rpc_scope {
    RPC_SCOPE_read = 1,
    RPC_SCOPE_trade = 2,
    RPC_SCOPE_withdraw = 4,
    RPC_SCOPE_clear = 8,
    RPC_SCOPE_officer = 16,
    RPC_SCOPE_auditor = 32,
    RPC_SCOPE_all = 63,
};

struct rpc_caller {
    uint32_t scopes;    /* RPC_SCOPE_; 0: nobody, public methods only */
    uint32_t principal; /* the key or officer; two differ where two must */
    uint32_t account;   /* 0: none */
    uint32_t session;   /* 0: none */
    ts_t received_ts;   /* 0: unknown; usIn is then the venue's clock, and GUARD-08 does not look */
    uint64_t nonce;     /* of a signed request, hashed; 0: none */
    bool unknown;       /* named an account that does not exist: whatever it asks is refused */
};

struct rpc_answer {
    const char *bytes; /* one JSON object, not ended by a newline; valid until the next call */
    size_t length;
    int status;        /* for HTTP */
    uint64_t seq;      /* to be durable before the bytes leave */
    enum reject reason; /* REJECT_none: a result */
    bool unavailable;  /* the machine took no command: an error that is no reject */
};

enum rpc_method_flag {
    RPC_METHOD_command = 1, /* changes something: goes through the sequencer */
    RPC_METHOD_cancel = 2,  /* only takes orders away: throttles let it pass longer (GUARD-06) */
    RPC_METHOD_order = 4,   /* enters or changes orders */
};

/* A request that was read: its method, and where its id and parameters are. */
struct rpc_request {
    const struct json *json; /* valid until the next call */
    char method[64];         /* "private/buy" */
    uint32_t id;             /* token; 0: none */
    uint32_t params;         /* token of an object; 0: none */
    uint32_t flags;          /* RPC_METHOD_; 0 also for methods that are not known here */
    uint32_t scopes;         /* any one of these is needed; 0: none */
    bool known;
};

struct rpc;

/* The venue and the directory are the caller's and must outlive it. NULL: no memory. */
struct rpc *rpc_open(const struct venue *venue, const struct directory *directory);
void rpc_close(struct rpc *r);

/* With this, products must name their guards: price_band, protection_points and a margin. */
void rpc_require_guards(struct rpc *r, bool required);

/* Reads and answers one request. */
void rpc_handle(struct rpc *r, const struct rpc_caller *caller, const char *text, size_t length,
                struct rpc_answer *answer);

/* The same in two steps. rpc_read: REJECT_none, or a reject that rpc_refuse makes an answer. */
enum reject rpc_read(struct rpc *r, const char *text, size_t length, struct rpc_request *q);
/* From `GET /api/v2/{method}?{query}`: percent-encoded text; values that are JSON arrays or objects
 * are read as such. */
enum reject rpc_read_get(struct rpc *r, const char *method, size_t method_length,
                         const char *query, size_t query_length, struct rpc_request *q);
void rpc_run(struct rpc *r, const struct rpc_caller *caller, const struct rpc_request *q,
             struct rpc_answer *answer);
/* `q` may be NULL where nothing was read; `param` names what was wrong, NULL: nothing to name. */
void rpc_refuse(struct rpc *r, const struct rpc_caller *caller, const struct rpc_request *q,
                enum reject reason, const char *param, struct rpc_answer *answer);

/* An answer of the server's own: write one value between the two. */
struct json_writer *rpc_result_open(struct rpc *r, const struct rpc_request *q);
void rpc_result_close(struct rpc *r, const struct rpc_caller *caller, uint64_t seq,
                      struct rpc_answer *answer);

/* How an order, trade, ... looks, for notifications. `text` may be NULL. */
void rpc_write_order(struct json_writer *w, const struct directory *d,
                     const struct event_order *o, const struct event_order_text *text);
/* side: SIDE_buy or SIDE_sell for that side's own view (order id, fee, liquidity), or -1 for what
 * everybody sees. `order` (that side's order) adds its type and state; may be NULL. */
void rpc_write_trade(struct json_writer *w, const struct directory *d,
                     const struct event_trade *t, int side, const struct event_order *order);
void rpc_write_halt(struct json_writer *w, const struct directory *d, const struct event_halt *h);
void rpc_write_guards(struct json_writer *w, const struct directory *d,
                      const struct event_guards *e);
void rpc_write_ticker(struct json_writer *w, const struct directory *d,
                      const struct event_ticker *t);
void rpc_write_position(struct json_writer *w, const struct directory *d,
                        const struct event_position *p);
void rpc_write_account(struct json_writer *w, const struct directory *d,
                       const struct event_account *a);
void rpc_write_call(struct json_writer *w, const struct directory *d, const struct event_call *e);
void rpc_write_instrument(struct json_writer *w, const struct directory *d,
                          const struct event_instrument *i);

/* closed, pre_open, auction, open, halted. */
const char *rpc_state_name(uint32_t trading_state);

#endif
