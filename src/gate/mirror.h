/* mirror.h: the books as the public may see them, built from released level events alone.
 *
 * Each level remembers what was last said of it at each interval, so that a notification can name
 * it new, changed or deleted, and a subscriber who comes in between starts from a snapshot that the
 * next change continues.
 *
 * Invariants: (1) levels of a side are in order of price, best first; (2) a level is kept while it
 * has an amount or somebody was told that it had; (3) an interval that nobody listens to has been
 * told everything.
 *
 * Upstream: events. Downstream: channel.
 */
#ifndef DOJIMA_GATE_MIRROR_H
#define DOJIMA_GATE_MIRROR_H

#include "msg/event.h"

#include <stdbool.h>

enum mirror_interval { MIRROR_raw = 0, MIRROR_100ms, MIRROR_INTERVALS };

struct mirror_level {
    price_t price;
    int64_t amount;                  /* displayed and implied */
    int64_t implied;                 /* of it (MATCH-06) */
    int64_t said[MIRROR_INTERVALS];  /* as the listeners of the interval know it */
    int64_t implied_said[MIRROR_INTERVALS];
    bool dirty[MIRROR_INTERVALS];
};

struct mirror_side {
    struct mirror_level *levels;
    uint32_t count;
    uint32_t capacity;
};

struct mirror_book {
    struct mirror_side side[2];
    uint64_t change_id;                     /* seq of the last event */
    ts_t ts;
    uint64_t said_id[MIRROR_INTERVALS];     /* change_id of the last notification */
    ts_t said_ts[MIRROR_INTERVALS];
    uint32_t listeners[MIRROR_INTERVALS];
    bool dirty[MIRROR_INTERVALS];           /* something to say */
    bool depth_dirty;                       /* since the last grouped notification */
};

struct mirror {
    struct mirror_book *books; /* by instrument */
    uint32_t capacity;
};

void mirror_close(struct mirror *m);

/* Takes note of one level event. 0, or -1: out of memory. */
int mirror_apply(struct mirror *m, const struct event_level *e);

/* The book of an instrument; NULL: out of memory. Valid until the next apply. */
struct mirror_book *mirror_book(struct mirror *m, uint32_t instrument);

/* Listeners of an interval come and go. */
void mirror_listen(struct mirror_book *b, enum mirror_interval i);
void mirror_unlisten(struct mirror_book *b, enum mirror_interval i);

/* Calls `say` for each level of which the listeners of the interval do not know yet, with what they
 * knew (0: nothing), and takes all as said. */
void mirror_say(struct mirror_book *b, enum mirror_interval i,
                void (*say)(void *context, enum side side, const struct mirror_level *level,
                            int64_t before),
                void *context);

#endif
