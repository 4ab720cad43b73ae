/* turn.c: what one turn of the loop does.
 *
 *   poll      requests come in: wire -> command -> submitted, applied, its answer built and held
 *   prepare   ticks that are due; what was appended becomes durable (a lone command at once, more
 *             as one group on the journal's thread); what is durable is released: answers, then
 *             notifications; one write a connection
 *   wake      the journal's thread is done: the next prepare releases
 *
 * Invariant: an answer or a notification leaves only in release, for a seq that is durable.
 */
#include "node/node_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLOCK_TURN_MS = 20 };

void node_failed(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "dojima serve: %s\n", text);
    fflush(NULL);
    _Exit(1); /* nothing more may be said or kept: recovery does the rest */
}

ts_t node_now(void *context)
{
    const struct node *n = context;
    return clock_now(&n->clock);
}

/* ---- the venue ---- */

static void take(struct node *n, const struct outbox *events)
{
    n->commands += 1;
    if (directory_apply(n->directory, events) != 0) node_failed(n, "out of memory for names");
}

static void tick(struct node *n)
{
    const struct outbox *events = NULL;
    while (sequencer_tick(n->sequencer, &events) == SEQUENCER_OK && events != NULL)
        take(n, events);
}

static int venue_submit(void *context, struct command *c, const struct outbox **events)
{
    struct node *n = context;
    if (n->stopping) return SEQUENCER_BUSY;
    if (sequencer_due(n->sequencer).v <= node_now(n).v) tick(n);
    if (c->header.received_ts.v != 0)
        c->header.received_ts = clock_stamp(&n->clock, c->header.received_ts);
    int status = sequencer_submit(n->sequencer, c, events);
    if (status == SEQUENCER_BUSY) { /* the disk is behind: wait for it rather than refuse */
        n->busy += 1;
        if (sequencer_wait(n->sequencer) == 0) status = sequencer_submit(n->sequencer, c, events);
    }
    if (status == SEQUENCER_OK) take(n, *events);
    return status;
}

static void venue_query(void *context, const struct query *q, const struct outbox **events)
{
    struct node *n = context;
    sequencer_query(n->sequencer, q, events);
}

static ts_t venue_world(void *context)
{
    const struct node *n = context;
    return clock_real(&n->clock);
}

/* ---- a demonstration's clock ---- */

/* Goes on with a jump for a while: stands at each instant at which something falls due until it is
 * done. What a turn's share does not reach, or the disk has no room for, the next turns do. */
static void clock_advance(struct node *n)
{
    ts_t stop = TS(io_now(n->io).v + CLOCK_TURN_MS * NS_PER_MS);
    if (n->spot != NULL) return; /* time stands while an auction is solved: it ends a turn */
    while (n->clock.moving && io_now(n->io).v < stop.v) {
        ts_t due = sequencer_due(n->sequencer);
        if (due.v > n->clock.target.v) {
            clock_arrive(&n->clock);
            return;
        }
        uint64_t seq = sequencer_seq(n->sequencer);
        clock_stand(&n->clock, due);
        tick(n);
        if (sequencer_seq(n->sequencer) == seq) break; /* no room: first what is there goes out */
        node_auction_look(n);
        if (n->spot != NULL) return;
    }
    if (n->clock.moving) (void)uv_async_send(&n->wake);
}

static void venue_clock(void *context, const struct venue_clock_ask *ask, struct venue_clock *clock)
{
    struct node *n = context;
    if (ask->rate_e6 >= 0) clock_rate_set(&n->clock, ask->rate_e6);
    if (ask->at.v > clock_now(&n->clock).v) {
        clock_move(&n->clock, ask->at);
        clock_advance(n);
    }
    n->due_set = INT64_MIN; /* the timer is set anew */
    *clock = (struct venue_clock){.now = clock_now(&n->clock), .rate_e6 = n->clock.rate_e6};
    clock->target = n->clock.moving ? n->clock.target : clock->now;
}

void node_venue_make(struct node *n)
{
    n->venue = (struct venue){.context = n, .submit = venue_submit, .query = venue_query,
                              .past = n->options.history ? node_past : NULL,
                              .now = node_now, .real = venue_world,
                              .clock = n->clock.demonstration ? venue_clock : NULL};
}

/* ---- the turn ---- */

/* A timer for the next tick that the core needs. */
static void on_due(uv_timer_t *timer)
{
    struct node *n = timer->data;
    n->due_set = INT64_MAX; /* the prepare behind this does the tick */
}

static void due_arm(struct node *n)
{
    int64_t due = sequencer_due(n->sequencer).v;
    if (due == n->due_set || n->stopping) return;
    n->due_set = due;
    int64_t wait = INT64_MAX;
    if (due != INT64_MAX) wait = clock_real_ms_ceil(&n->clock, due - node_now(n).v);
    if (wait == INT64_MAX) (void)uv_timer_stop(&n->due);
    else (void)uv_timer_start(&n->due, on_due, (uint64_t)wait, 0);
}

static void release(struct node *n)
{
    if (n->durable == n->released) return;
    n->released = n->durable;
    for (;;) {
        int64_t got = tap_read(sequencer_tap(n->sequencer), &n->reader, n->events, n->events_size);
        if (got == TAP_EVICTED) node_failed(n, "the loop fell behind its own events");
        if (got == TAP_BUFFER_TOO_SMALL) node_failed(n, "a command's events pass their bound");
        if (got == 0) break;
        gate_events(n->gate, n->events, (size_t)got);
        if (n->history != NULL) (void)store_worker_push(n->history, n->events, (size_t)got);
    }
    gate_released(n->gate, n->released);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct node *n = prepare->data;
    if (n->clock.moving) clock_advance(n);
    else if (sequencer_due(n->sequencer).v <= node_now(n).v) tick(n);
    for (int i = 0; i < 4; i++) { /* a release may cause commands: orders of those who left */
        uint64_t before = sequencer_seq(n->sequencer);
        sequencer_flush(n->sequencer);
        release(n);
        if (sequencer_seq(n->sequencer) == before) break;
    }
    node_auction_look(n);
    due_arm(n);
}

static void on_durable(void *context, uint64_t seq)
{
    struct node *n = context;
    n->durable = seq;
}

static void on_wake(uv_async_t *wake)
{
    struct node *n = wake->data;
    sequencer_poll(n->sequencer);
}

/* Any thread. */
static void wake_up(void *context)
{
    struct node *n = context;
    (void)uv_async_send(&n->wake);
}

int node_reader_start(struct node *n)
{
    n->durable = n->released = sequencer_durable(n->sequencer);
    n->events_size = n->machine->outbox_bytes + (1u << 20);
    n->events = malloc(n->events_size);
    if (n->events == NULL) return -1;
    tap_start(sequencer_tap(n->sequencer), &n->reader);
    return 0;
}

static void on_demo(uv_timer_t *timer)
{
    struct node *n = timer->data;
    if (!n->stopping) (void)demo_tick(n->demo, node_now(n));
}

/* Before the sequencer is opened: its tasks wake the loop. */
void node_wake_set(struct node *n)
{
    (void)uv_async_init(&n->loop, &n->wake, on_wake);
    n->wake.data = n;
    io_directory_wake_set(n->io, wake_up, n);
}

void node_turn_start(struct node *n)
{
    n->due_set = INT64_MAX;
    (void)uv_prepare_init(&n->loop, &n->prepare);
    (void)uv_timer_init(&n->loop, &n->due);
    (void)uv_timer_init(&n->loop, &n->demo_timer);
    n->prepare.data = n->due.data = n->demo_timer.data = n;
    (void)uv_prepare_start(&n->prepare, on_prepare);
    if (n->demo != NULL) (void)uv_timer_start(&n->demo_timer, on_demo, 50, 50);
}

void node_turn_stop(struct node *n)
{
    uv_close((uv_handle_t *)&n->prepare, NULL);
    uv_close((uv_handle_t *)&n->due, NULL);
    uv_close((uv_handle_t *)&n->demo_timer, NULL);
}

static void on_say(void *context, const char *text) { node_log(context, "warning", "%s", text); }

static void on_note(void *context, const char *text) { node_log(context, "info", "%s", text); }

struct sequencer_listener node_listener(struct node *n)
{
    return (struct sequencer_listener){.durable = on_durable, .failed = node_failed,
                                       .say = on_say, .note = on_note, .context = n};
}
