/* load.h: queries arrive, a machine carries them out, times are kept: one run of a certification.
 *
 * Every forward pass carries one row for each sequence that is being answered and as many rows of
 * prompts as fit beside them in rows_max (chunked prefill; Agrawal et al., Sarathi-Serve, OSDI
 * 2024): without a bound, who is being answered would wait for whole prompts of others.
 *
 * TTFT runs from a query's scheduled arrival to its first token, waiting included; TPOT is the mean
 * time of the tokens after the first (MLPerf Inference's llama2-70b). Queries that have arrived are
 * all carried out, also after the last arrival, and all count.
 *
 * Invariants:
 * (1) queries are admitted in the order of their arrival, none is dropped or retried;
 * (2) times come from the machine's clock alone, which never goes back.
 *
 * Upstream: work, certify_statistics. Downstream: certify.c.
 */
#ifndef DOJIMA_WORK_LOAD_H
#define DOJIMA_WORK_LOAD_H

#include "work/certify_statistics.h"
#include "work/pool.h"
#include "work/work.h"

#include <signal.h>

enum { LOAD_QUERIES_MAX = 1 << 20 };

/* What carries the rows out, and its clock. */
struct load_machine {
    void *context;
    int (*forward)(void *context, const struct work_forward *f, struct work_error *error);
    int64_t (*now)(void *context);                /* ns, monotonic */
    void (*wait)(void *context, int64_t until);   /* until then, or earlier */
};

struct load_query {
    int64_t arrived, first, last; /* ns since the run began; first, last: of its tokens */
    uint32_t tokens;
    uint64_t flop;
    struct digest answer, transcript;
};

struct load_progress {
    int64_t elapsed, planned; /* ns */
    uint32_t arrived, done, over;
    uint64_t flop;
};

struct load_options {
    const struct work_workload *workload;
    struct load_machine machine;
    struct pool *pool;      /* samples tokens and hashes transcripts between the passes */
    uint32_t slots, rows_max;
    double rate;            /* queries a second; 0: all at once (Offline) */
    int64_t duration;       /* ns in which queries arrive */
    uint32_t queries_min;   /* arrivals go on until there are so many */
    uint32_t queries_max;   /* and end with so many; 0: LOAD_QUERIES_MAX */
    int64_t ttft_max, tpot_max; /* ns; 0: no bound (Offline) */
    uint32_t over_max;      /* give up when more queries than this are over a bound */
    struct digest seed;     /* of arrivals and of every query's nonce */
    uint32_t phase;         /* the run's number under that seed */
    void (*progress)(void *context, const struct load_progress *p); /* may be NULL */
    void *context;
    const volatile sig_atomic_t *stop; /* not 0: leave */
};

enum load_end { LOAD_END_done, LOAD_END_given_up, LOAD_END_stopped };

struct load_result {
    struct load_query *queries; /* in the order of their arrival; free() */
    uint32_t count;                 /* all of them done, unless given up or stopped */
    int64_t elapsed;                /* from the beginning to the last token, ns */
    uint64_t tokens;
    uint64_t passes, rows;
    uint32_t ttft_over, tpot_over;
    double flop;
    enum load_end end;
};

/* -1: the machine failed. result->queries is free()d by the caller in any case. */
int load_run(const struct load_options *options, struct load_result *result,
                 struct work_error *error);

/* The nonce of query `index` of a phase. */
struct digest load_nonce(const struct digest *seed, uint32_t phase, uint32_t index);

#endif
