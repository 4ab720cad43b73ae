/* node_internal.h: what node.c, turn.c and history.c share. */
#ifndef DOJIMA_NODE_NODE_INTERNAL_H
#define DOJIMA_NODE_NODE_INTERNAL_H

#include "node/clock.h"
#include "node/demo.h"
#include "node/node.h"
#include "seq/machine_core.h"
#include "seq/sequencer.h"
#include "store/store.h"

enum {
    NODE_ERROR_SIZE = 512,
    NODE_PRINCIPAL = 0x7ffffff0, /* the node itself, for its configuration; no key has it */
};

struct node {
    struct node_options options;
    uv_loop_t loop;
    struct io *io;
    struct clock clock;
    struct machine *machine;
    struct sequencer *sequencer;
    struct directory *directory;
    struct venue venue;
    struct gate *gate;
    struct demo *demo;
    struct store_worker *history;
    struct store *past;        /* a reader of its file, the loop's; opened when first asked */
    struct outbox past_answer;
    char demo_id[32];
    char demo_secret[80];
    uv_prepare_t prepare;
    uv_async_t wake;
    uv_timer_t due;
    uv_timer_t demo_timer;
    uv_signal_t signals[2];
    int64_t due_set;  /* for which the timer runs; INT64_MAX: it does not */
    uint64_t durable;
    uint64_t released;
    struct tap_reader reader;
    unsigned char *events; /* one or more commands' released events */
    size_t events_size;
    uint64_t commands;
    uint64_t busy;
    bool running;
    bool stopping;
    ts_t started;
    struct spot_work *spot; /* an auction that is being solved; NULL: none */
    uv_work_t spot_request;
    int spot_status;
    uint64_t spot_looked;   /* the seq at which it was last asked whether one waits */
    uint64_t spot_auction;  /* that was tried last, with these bids */
    uint64_t spot_version;
};

/* One JSON line on standard error. */
void node_log(const struct node *n, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* turn.c: the loop's work, and the venue that gates see. */
void node_venue_make(struct node *n);
ts_t node_now(void *context); /* venue time */
void node_wake_set(struct node *n);
struct sequencer_listener node_listener(struct node *n);
void node_turn_start(struct node *n);
void node_turn_stop(struct node *n);
void node_failed(void *context, const char *text); /* the log's end, and ours */
int node_reader_start(struct node *n);

/* auction.c */
void node_auction_look(struct node *n);

/* history.c */
int node_history_start(struct node *n, char *error, size_t error_size);
void node_history_stop(struct node *n);
int node_past(void *context, const struct query *q, const struct outbox **events); /* venue.h */

#endif
