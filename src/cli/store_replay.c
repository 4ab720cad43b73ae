/* store_replay.c: see store_replay.h. */
#include "cli/store_replay.h"

#include "seq/machine_core.h"
#include "seq/recovery.h"

#include <stdio.h>
#include <stdlib.h>

struct replay {
    struct store *store;
    int status;
    struct store_replay_result *result;
    void (*progress)(void *context, uint64_t seq);
    void *context;
};

static void take_events(void *context, const struct command *command, const struct outbox *events)
{
    struct replay *r = context;
    if (r->status != STORE_OK) return; /* the recovery cannot be stopped; the error stands */
    r->status = store_apply(r->store, events->bytes, events->used);
    r->result->commands += 1;
    if (r->progress != NULL) r->progress(r->context, command->header.seq);
}

/* The directory as it is at the end of the journal. */
static int take_directory(struct replay *r, struct machine *m)
{
    struct query q = {.kind = QUERY_directory, .now = m->verbs->ts(m->state)};
    struct outbox out = {.bytes = malloc(m->outbox_bytes), .capacity = m->outbox_bytes};
    if (out.bytes == NULL) return STORE_FAILED;
    outbox_reset(&out, m->verbs->seq(m->state), q.now);
    m->verbs->query(m->state, &q, &out);
    int status = store_apply(r->store, out.bytes, out.used);
    free(out.bytes);
    return status;
}

int store_replay(struct io *io, struct store *store, uint64_t after_seq,
                 void (*progress)(void *context, uint64_t seq), void *context,
                 struct store_replay_result *result, char *error, size_t error_size)
{
    struct machine_limits recorded;
    struct core_limits limits;
    *result = (struct store_replay_result){0};
    int found = recovery_limits(io, &recorded, error, error_size);
    if (found <= 0) return found; /* no journal yet: nothing to apply */
    if (machine_core_limits(&recorded, &limits) != 0) {
        (void)snprintf(error, error_size, "the journal is of another version's limits");
        return -1;
    }
    struct machine *m = machine_core_new(&limits);
    if (m == NULL) {
        (void)snprintf(error, error_size, "no memory for a core of the journal's limits");
        return -1;
    }
    struct replay r = {.store = store, .result = result, .progress = progress, .context = context};
    struct recovery_options options = {.events_from = after_seq + 1, .read_only = true,
                                       .events = take_events, .context = &r};
    struct recovery_result recovered;
    int status = recovery_run(io, m, &options, &recovered, error, error_size);
    if (status == 0) {
        result->seq = recovered.seq;
        if (r.status == STORE_OK) r.status = take_directory(&r, m);
        if (r.status == STORE_OK) r.status = store_flush(store);
        if (r.status != STORE_OK) {
            (void)snprintf(error, error_size, "%s", store_error(store));
            status = -1;
        }
    }
    machine_core_free(m);
    return status;
}
