/* log.h: an ordered log of commands that says when they are durable. The journal of one node
 * implements it, a replicated log may, and the simulator runs the journal over a disk of its own.
 *
 * Commands are appended in order of seq, without gaps, and go out in groups: at most one group is
 * under way, and what is appended meanwhile makes up the next one. A log that has failed stays
 * failed: nothing more becomes committed, and the process has to stop and recover.
 *
 * Upstream: msg. Downstream: sequencer.
 */
#ifndef DOJIMA_SEQ_LOG_H
#define DOJIMA_SEQ_LOG_H

#include "msg/command.h"

#include <stdbool.h>

struct log;

struct log_listener {
    void (*committed)(void *context, uint64_t seq); /* all up to seq is durable */
    void (*failed)(void *context, const char *text); /* once; the text is one line */
    void (*say)(void *context, const char *text);    /* worth the operator's attention */
    void (*note)(void *context, const char *text);   /* what went well, one line */
    void *context;
};

struct log_verbs {
    bool (*has_room)(const struct log *log, uint32_t bytes);
    void (*append)(struct log *log, const struct command *command);
    void (*flush)(struct log *log);
    void (*snapshot)(struct log *log, uint64_t seq);
    int (*close)(struct log *log);
};

struct log {
    const struct log_verbs *verbs;
    struct log_listener listener;
    uint64_t appended;  /* last seq */
    uint64_t committed; /* last seq that is durable; <= appended */
    uint64_t bytes;     /* of commands, appended since it was opened */
    bool failed;
};

/* Whether a command of this size can be appended now; when not, wait for `committed`. */
static inline bool log_has_room(const struct log *l, uint32_t bytes)
{
    return l->verbs->has_room(l, bytes);
}

/* Takes a copy of the next command: seq = appended + 1, log_has_room. Durable only once
 * committed. */
static inline void log_append(struct log *l, const struct command *c) { l->verbs->append(l, c); }

/* Lets what was appended become durable: the loop calls it when it has nothing else to append. */
static inline void log_flush(struct log *l) { l->verbs->flush(l); }

/* A snapshot at seq is durable: the log may drop what only older states need. */
static inline void log_snapshot(struct log *l, uint64_t seq) { l->verbs->snapshot(l, seq); }

/* Makes all durable, closes cleanly. Negative when the log has failed. The memory is freed. */
static inline int log_close(struct log *l) { return l->verbs->close(l); }

#endif
