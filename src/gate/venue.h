/* venue.h: what a gate needs of the machine behind it: a way in for commands and for questions.
 *
 * The node gives the sequencer, `dojima script` a bare core, tests a stub.
 */
#ifndef DOJIMA_GATE_VENUE_H
#define DOJIMA_GATE_VENUE_H

#include "msg/event.h"
#include "msg/query.h"

struct venue_clock_ask {
    ts_t at;         /* to jump to, if it lies ahead; 0: stay */
    int64_t rate_e6; /* venue seconds in a real one; negative: as it is */
};

struct venue_clock {
    ts_t now;
    ts_t target; /* where the jump under way ends; `now` when there is none */
    int64_t rate_e6;
};

struct venue {
    void *context;
    /* Stamps c->header.seq and .ts, applies it, and points *events at what it caused, valid until
     * the next call. 0, or negative when the machine takes no commands now. The events may be shown
     * to others only when their seq is durable. */
    int (*submit)(void *context, struct command *c, const struct outbox **events);
    /* Answers a question; same rules for the events. */
    void (*query)(void *context, const struct query *q, const struct outbox **events);
    /* Answers QUERY_spot and QUERY_spot_bids, newest first and below from_id, from what ever was
     * (store.h:store_answer); NULL: there is no history. 0, or negative when it cannot be read. The
     * events are valid until the next call, and durable. */
    int (*past)(void *context, const struct query *q, const struct outbox **events);
    ts_t (*now)(void *context); /* the venue's time */
    /* The world's time, for signatures, tokens, throttles and the age of a request; NULL: it is the
     * venue's. */
    ts_t (*real)(void *context);
    /* Moves a demonstration's clock and tells it; NULL: the clock cannot be moved. */
    void (*clock)(void *context, const struct venue_clock_ask *ask, struct venue_clock *clock);
};

static inline ts_t venue_real(const struct venue *v)
{
    return v->real != NULL ? v->real(v->context) : v->now(v->context);
}

#endif
