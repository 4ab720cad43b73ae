/* history.c: the SQL history beside the journal: a reader of released events on its own thread. */
#include "node/node_internal.h"

#include <stdio.h>
#include <stdlib.h>

static void on_event(void *context, const struct command *command, const struct outbox *events)
{
    struct store *store = context;
    (void)command;
    (void)store_apply(store, events->bytes, events->used);
}

/* On the history's thread: replays the journal into a machine of its own. */
static int catch_up(void *context, struct store *store, uint64_t after_seq)
{
    const struct node *n = context;
    char error[NODE_ERROR_SIZE];
    struct machine_limits recorded;
    struct core_limits limits;
    int status = -1;
    struct machine *machine = NULL;
    struct io *io = io_directory_open(n->options.data, IO_DIRECTORY_READ_ONLY, error,
                                      sizeof error);
    if (io == NULL) return -1;
    if (recovery_limits(io, &recorded, error, sizeof error) != 1) goto out;
    if (machine_core_limits(&recorded, &limits) != 0) goto out;
    machine = machine_core_new(&limits);
    if (machine == NULL) goto out;
    struct recovery_options o = {.read_only = true, .events_from = after_seq + 1,
                                 .events = on_event, .context = store};
    struct recovery_result r;
    status = recovery_run(io, machine, &o, &r, error, sizeof error);
    if (status == 0) status = store_flush(store);
out:
    if (status != 0) node_log(n, "warning", "history: %s", error);
    if (machine != NULL) machine_core_free(machine);
    io_directory_close(io);
    return status;
}

int node_history_start(struct node *n, char *error, size_t error_size)
{
    char path[4200];
    if (!n->options.history) return 0;
    snprintf(path, sizeof path, "%s/history.sqlite", n->options.data);
    struct store_worker_options o = {.path = path, .catch_up = catch_up, .context = n};
    n->history = store_worker_start(&o);
    if (n->history != NULL) return 0;
    snprintf(error, error_size, "the history %s cannot be opened; it may be removed", path);
    return -1;
}

void node_history_stop(struct node *n)
{
    store_worker_stop(n->history);
}
