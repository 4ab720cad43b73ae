/* history.c: the SQL history beside the journal: a reader of released events on its own thread, and
 * the loop's own connection, which only reads, for questions to the past: a page of rows by their
 * index, which writers never make wait. */
#include "node/node_internal.h"

#include "cli/store_replay.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAST_BYTES = 8 << 20 }; /* the largest page: 21 auctions, 1,024 blocks named of each */

/* On the history's thread: replays the journal into a machine of its own. */
static int catch_up(void *context, struct store *store, uint64_t after_seq)
{
    const struct node *n = context;
    char error[NODE_ERROR_SIZE];
    struct store_replay_result result;
    struct io *io = io_directory_open(n->options.data, IO_DIRECTORY_READ_ONLY, error,
                                      sizeof error);
    if (io == NULL) {
        node_log(n, "warning", "history: %s", error);
        return -1;
    }
    int status = store_replay(io, store, after_seq, NULL, NULL, &result, error, sizeof error);
    if (status != 0) node_log(n, "warning", "history: %s", error);
    io_directory_close(io);
    return status;
}

static void history_path(const struct node *n, char path[4200])
{
    snprintf(path, 4200, "%s/history.sqlite", n->options.data);
}

static int past_open(struct node *n)
{
    char path[4200];
    history_path(n, path);
    if (n->past_answer.bytes == NULL) n->past_answer.bytes = malloc(PAST_BYTES);
    n->past_answer.capacity = PAST_BYTES;
    if (n->past_answer.bytes != NULL && store_open_read(path, &n->past) == 0) return 0;
    if (n->past != NULL) node_log(n, "warning", "%s", store_error(n->past));
    store_close(n->past);
    n->past = NULL;
    return -1;
}

int node_past(void *context, const struct query *q, const struct outbox **events)
{
    struct node *n = context;
    if (n->past == NULL && past_open(n) != 0) return -1;
    *events = &n->past_answer;
    if (store_answer(n->past, q, &n->past_answer) >= 0) return 0;
    node_log(n, "warning", "%s", store_error(n->past));
    return -1;
}

int node_history_start(struct node *n, char *error, size_t error_size)
{
    char path[4200];
    if (!n->options.history) return 0;
    history_path(n, path);
    struct store_worker_options o = {.path = path, .catch_up = catch_up, .context = n};
    n->history = store_worker_start(&o);
    if (n->history != NULL) return 0;
    snprintf(error, error_size, "the history %s cannot be opened; it may be removed", path);
    return -1;
}

/* What was released after the loop's last turn is handed over too, so that the next start finds
 * nothing to catch up with and can begin with the newest snapshot. */
void node_history_stop(struct node *n)
{
    int64_t got = 1;
    while (n->history != NULL && got > 0) {
        got = tap_read(sequencer_tap(n->sequencer), &n->reader, n->events, n->events_size);
        if (got > 0) (void)store_worker_push(n->history, n->events, (size_t)got);
    }
    store_close(n->past);
    free(n->past_answer.bytes);
    store_worker_stop(n->history);
}
