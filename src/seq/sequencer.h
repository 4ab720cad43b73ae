/* sequencer.h: gives commands their one order, applies them, makes them durable, says when.
 *
 * How the loop uses it:
 *     sequencer_submit(s, &command, &events)   applies at once; `events` are the caller's to turn
 *                                              into answers until the next submit or query
 *     ... more of both, while there is input ...
 *     sequencer_flush(s)                       once, before the loop sleeps
 *     sequencer_poll(s)                        when the io's wake was called
 * and whatever was built from the events of seq N leaves only when durable(N) has been called (or
 * sequencer_durable(s) >= N). A query's answer may show all that was applied: it leaves when
 * sequencer_seq(s), as it was at the query, is durable.
 *
 * durable may be called within submit, flush and poll. It must not submit.
 */
#ifndef DOJIMA_SEQ_SEQUENCER_H
#define DOJIMA_SEQ_SEQUENCER_H

#include "seq/journal.h"
#include "seq/machine.h"
#include "seq/recovery.h"
#include "seq/tap.h"

struct sequencer_listener {
    void (*durable)(void *context, uint64_t seq);    /* all up to seq is; may be released */
    void (*failed)(void *context, const char *text); /* once: print the line and exit 1 */
    void (*say)(void *context, const char *text);    /* worth the operator's attention */
    void (*note)(void *context, const char *text);   /* what went well, one line */
    /* Events of commands replayed at opening, from events_from on. */
    void (*events)(void *context, const struct command *command, const struct outbox *events);
    void *context;
};

struct sequencer_options {
    struct journal_options journal;
    uint64_t snapshot_commands; /* [1,000,000] applied since the last snapshot; 0: never by this */
    uint64_t snapshot_bytes;    /* [256 MiB] journaled since the last snapshot; 0: never by this */
    uint32_t snapshots_kept;    /* [2] */
    bool snapshot_at_close;     /* [true] */
    size_t tap_bytes;           /* [64 MiB] of events kept for readers; 0: no tap */
    uint64_t events_from;       /* [0: none] replay calls listener.events from this seq on */
    ts_t (*now)(void *context); /* the clock that stamps; NULL: the io's */
    void *now_context;
};

enum sequencer_status {
    SEQUENCER_OK = 0,
    SEQUENCER_BUSY = -1,    /* nothing happened: submit again when something became durable */
    SEQUENCER_INVALID = -2, /* not a valid command (command_is_valid): a bug of the caller */
    SEQUENCER_FAILED = -3,  /* the log has failed; stop */
};

struct sequencer;

struct sequencer_options sequencer_options_default(void);

/* Recovers the machine from the directory and opens the log. The machine and the io stay the
 * caller's and must outlive it. NULL, and one line in `error`, when the directory cannot be used:
 * damaged, of other limits, not writable. */
struct sequencer *sequencer_open(struct io *io, struct machine *machine,
                                 const struct sequencer_options *options,
                                 const struct sequencer_listener *listener, char *error,
                                 size_t error_size);

/* Stamps (command->header.seq, .ts), applies and appends. Whatever the caller put into seq and ts
 * is written over. What lies in *command behind header.size is not looked at. */
enum sequencer_status sequencer_submit(struct sequencer *s, struct command *command,
                                       const struct outbox **events);

/* The events of a tick, if the machine's due time has come: SEQUENCER_OK and *events, or *events ==
 * NULL when none is due. To be called until then, before other commands. */
enum sequencer_status sequencer_tick(struct sequencer *s, const struct outbox **events);

/* Answers a query from the state as it is now. */
void sequencer_query(struct sequencer *s, const struct query *query, const struct outbox **events);

void sequencer_flush(struct sequencer *s);
void sequencer_poll(struct sequencer *s);

/* Flushes and waits until all that was applied is durable; negative when the log has failed. */
int sequencer_wait(struct sequencer *s);

uint64_t sequencer_seq(const struct sequencer *s);     /* last applied */
uint64_t sequencer_durable(const struct sequencer *s); /* last durable */
ts_t sequencer_due(const struct sequencer *s);         /* when sequencer_tick has work */
uint64_t sequencer_snapshot_seq(const struct sequencer *s); /* last durable one; 0: none yet */
const struct recovery_result *sequencer_recovery(const struct sequencer *s);
struct tap *sequencer_tap(struct sequencer *s); /* NULL without one */

/* Asks for a snapshot now, beside the loop. */
void sequencer_snapshot(struct sequencer *s);

/* Makes all durable, takes the last snapshot, seals the journal, frees. Negative: it had failed. */
int sequencer_close(struct sequencer *s);

#endif
