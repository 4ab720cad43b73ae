/* store_replay.h: from the journal of a data directory to its history.
 *
 * Upstream: seq (recovery), core. Downstream: store.
 */
#ifndef DOJIMA_CLI_STORE_REPLAY_H
#define DOJIMA_CLI_STORE_REPLAY_H

#include "io/io.h"
#include "store/store.h"

struct store_replay_result {
    uint64_t seq;      /* of the last command of the journal */
    uint64_t commands; /* whose events were applied */
};

/* Applies the events of all commands after `after_seq` of the journal in `io`, and the directory,
 * which holds also what no command made (the clearing house's own accounts); flushes. Takes a core
 * of its own while it runs, changes nothing in the directory, and may be called on any thread.
 * `progress` may be NULL. 0, or -1 and one line in `error`. */
int store_replay(struct io *io, struct store *store, uint64_t after_seq,
                 void (*progress)(void *context, uint64_t seq), void *context,
                 struct store_replay_result *result, char *error, size_t error_size);

#endif
