/* clock.h: the venue's time: the machine's, or for a demonstration one that began elsewhere and may
 * be moved.
 *
 * A normal venue has the machine's clock and nothing can change it. `serve --clock START` begins a
 * data directory whose venue time is START + (real time - the node's start) x rate. It may jump
 * forward: while it is under way there it stands at each instant at which something falls due, so
 * that everything in between happens at its own time, in order.
 *
 * Invariants: (1) it never goes back; (2) without a demonstration it is the machine's clock; (3) a
 * data directory is of one kind for ever: the file CLOCK_FILE marks a demonstration's, and neither
 * kind is opened as the other.
 *
 * Upstream: io. Downstream: node (the sequencer's stamps, the venue's now).
 */
#ifndef DOJIMA_NODE_CLOCK_H
#define DOJIMA_NODE_CLOCK_H

#include "io/io.h"

#define CLOCK_FILE "demonstration-clock"

enum { CLOCK_RATE_ONE = 1000000 };

struct clock {
    struct io *io;
    bool demonstration;
    bool moving;     /* towards target; stands still in between */
    ts_t venue;      /* venue time at `real` */
    ts_t real;
    ts_t target;     /* of the jump under way */
    int64_t rate_e6; /* venue seconds in a real one */
};

/* Checks and marks the directory. start.v < 0: a normal venue. 0, or -1 and a line. Then, once what
 * was recovered is known, clock_begin. */
int clock_open(struct clock *c, struct io *io, ts_t start, char *error, size_t error_size);
/* The time of the last command that was recovered: the clock goes on from there. */
void clock_begin(struct clock *c, ts_t recovered);

ts_t clock_now(const struct clock *c);
ts_t clock_real(const struct clock *c);

/* How long this much venue time takes, in real milliseconds, rounded up; INT64_MAX: for ever. */
int64_t clock_real_ms_ceil(const struct clock *c, int64_t venue_ns);

/* The present less what has really passed since `real`: when a request counts as received, whose
 * age (GUARD-08) no rate and no jump changes. */
ts_t clock_stamp(const struct clock *c, ts_t real);

/* Stands at `ts` from now on (while moving), not before the present. */
void clock_stand(struct clock *c, ts_t ts);
void clock_move(struct clock *c, ts_t target); /* begins a jump */
void clock_arrive(struct clock *c);            /* it is there and goes on at its rate */
void clock_rate_set(struct clock *c, int64_t rate_e6);

#endif
