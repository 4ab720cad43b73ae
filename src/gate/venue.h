/* venue.h: what a gate needs of the machine behind it: a way in for commands and for questions.
 *
 * The node gives the sequencer, `dojima script` a bare core, tests a stub.
 */
#ifndef DOJIMA_GATE_VENUE_H
#define DOJIMA_GATE_VENUE_H

#include "msg/event.h"
#include "msg/query.h"

struct venue {
    void *context;
    /* Stamps c->header.seq and .ts, applies it, and points *events at what it caused, valid until
     * the next call. 0, or negative when the machine takes no commands now. The events may be shown
     * to others only when their seq is durable. */
    int (*submit)(void *context, struct command *c, const struct outbox **events);
    /* Answers a question; same rules for the events. */
    void (*query)(void *context, const struct query *q, const struct outbox **events);
    ts_t (*now)(void *context);
};

#endif
