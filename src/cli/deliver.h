/* deliver.h: what the files of `dojima deliver` share.
 *
 *   deliver.c         options, what the venue is told: tenders, tokens
 *   deliver_batch.c   tasks done, as many at once as when the machine was certified
 *   deliver_stream.c  a decoder's, one after the other without a break
 *   deliver_hour.c    an hour: tasks pulled, done, kept, handed over; its receipt
 *   deliver_answer.c  what others ask: openings, canaries
 *
 * Invariants: (1) a task's result is in the store before the buyer hears of it; (2) a receipt says
 * what the buyer has acknowledged, no more; (3) once an hour's receipt is signed its tasks are
 * those, for ever; (4) no transcript is kept: an opening does the task again.
 */
#ifndef DOJIMA_CLI_DELIVER_H
#define DOJIMA_CLI_DELIVER_H

#include "cli/agent_delivery.h"
#include "cli/agent_work.h"
#include "work/cheat.h"

enum { DELIVER_TENDERS_MAX = 16, DELIVER_BATCH_MAX = DELIVERY_TASKS_MAX, DELIVER_RUNS_MAX = 64 };

struct deliver_tender {
    struct agent_filing filing;
    int64_t lots;
};

/* Tasks of an hour that were asked for and are not in the store yet: those from `done` on. */
struct deliver_ahead {
    uint32_t count;
    uint32_t started; /* of them, in the stream or done: those in front */
    struct work_spec specs[DELIVER_BATCH_MAX];
    uint32_t *prompts[DELIVER_BATCH_MAX]; /* of the specs */
    struct work_result *results[DELIVER_BATCH_MAX]; /* NULL: not done yet */
};

/* An hour under way. */
struct deliver_run {
    struct agent_hour at; /* allocation 0: the place is free */
    uint64_t done;     /* tasks in the store */
    uint64_t handed;   /* of them, acknowledged by the buyer */
    uint128_t flop;    /* of those done */
    uint32_t batch;    /* how many are asked for at once */
    bool full;         /* the buyer gave as many as it was asked for last */
    struct deliver_ahead *ahead; /* NULL: none */
    bool finished;     /* no more tasks: the receipt is next */
    bool submitted;    /* with both signatures, or refused */
    bool claimed;      /* the venue has it, perhaps without the buyer's */
    bool own;          /* the buyer gave no tasks: reference tasks are done */
    int64_t silent_ms; /* venue time since which the buyer has not answered; 0: it does */
    bool told;         /* that it does not */
};

/* Weights that came wrong: they are not pulled again at once. */
struct deliver_wrong {
    struct digest digest;
    int64_t until_ms, wait_ms; /* agent_clock_ms; the wait doubles */
};

struct deliver {
    struct agent agent; /* first: an agent is cast to it */
    const char *resource;
    uint32_t grade; /* enum grade */
    struct deliver_tender tenders[DELIVER_TENDERS_MAX];
    uint32_t tender_count;
    bool standing;       /* ready for balancing auctions */
    bool standing_filed;
    bool own_tokens;     /* tokens are issued by hand */
    bool test_workloads; /* tasks that count for nothing are done: demonstrations */
    struct cheat cheat;
    const char *backend;
    uint32_t threads, slots, rows;
    struct agent_work *work;
    struct deliveries_seen seen; /* of the own thread */
    struct deliver_run runs[DELIVER_RUNS_MAX];
    struct deliver_wrong wrong;
    struct work_stream *stream;    /* NULL: none is open; else the work is entered */
    struct work_spec stream_model; /* its vintage, workload, weights */
    uint32_t stream_slots;
    /* under the agent's mutex, for handlers */
    struct verifiers verifiers;
};

/* deliver_batch.c: does tasks first, first + 1, ... of an hour. Neighbours of one model go together
 * on all slots of its engine; each is the same as alone. A cheat's go one by one. false: the
 * machine failed (error), or the agent is to stop; nothing of the batch counts then.
 * `together`: so many tasks keep the last one's engine busy. */
bool deliver_batch_do(struct deliver *d, const struct agent_hour *at, uint64_t first,
                      const struct work_spec *specs, uint32_t count, struct work_result *results,
                      uint32_t *together, struct work_error *error);

/* Whether two tasks are of one model. */
bool deliver_alike(const struct work_spec *a, const struct work_spec *b);

/* deliver_stream.c: what is ahead of an hour, for a while: on the stream, or, where that cannot be,
 * as a batch. false: as deliver_batch_do. */
bool deliver_ahead_do(struct deliver *d, struct deliver_run *r, struct work_error *error);
/* The first `count` are in the store, or all are given up. */
void deliver_ahead_shift(struct deliver_ahead *a, uint32_t count);
void deliver_ahead_drop(struct deliver *d, struct deliver_run *r);
/* Leaves the work to others: at once, or (`finish`) when what is under way is done. */
void deliver_stream_close(struct deliver *d, bool finish);

/* deliver_hour.c: works on every hour that is under way for a while; true: there is nothing to do
 * before the next poll. */
bool deliver_hours(struct deliver *d);

/* deliver_answer.c */
void deliver_answer(void *context, const struct peer_request *request,
                    struct peer_response *response);

#endif
