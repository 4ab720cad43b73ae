/* recovery.h: from the files of a data directory to the machine as it was. */
#ifndef DOJIMA_SEQ_RECOVERY_H
#define DOJIMA_SEQ_RECOVERY_H

#include "seq/journal.h"

struct recovery_options {
    uint64_t until;       /* stop after this seq; 0: at the end of the log */
    uint64_t events_from; /* `events` is called for commands from this seq on; 0: never. An older
                             snapshot is taken if need be */
    bool full;            /* from the first command, without snapshots */
    bool read_only;       /* nothing will be appended, nothing is made durable */
    void (*events)(void *context, const struct command *command, const struct outbox *events);
    void (*say)(void *context, const char *text); /* what the operator should know; may be NULL */
    void *context;
};

struct recovery_result {
    struct journal_position position; /* for journal_open; not with `until` */
    uint64_t snapshot_seq;            /* that it started from; 0: none */
    uint64_t replayed;                /* commands */
    uint64_t seq;                     /* of the last command applied */
};

/* The limits that the journal was written with: 1; no journal yet: 0; a line in `error`: -1. */
int recovery_limits(struct io *io, struct machine_limits *limits, char *error, size_t error_size);

/* Fills and opens the machine (whatever its state), checks all its invariants. 0, or -1 and one
 * line in `error` that names what is wrong and where; the machine is then undefined. */
int recovery_run(struct io *io, struct machine *machine, const struct recovery_options *options,
                 struct recovery_result *result, char *error, size_t error_size);

#endif
