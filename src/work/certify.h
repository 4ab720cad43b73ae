/* certify.h: what a resource is found to do: throughput, latencies, exactness (CERT-01, UNIT-03).
 *
 * The order of a certification, each part in the result:
 *   products  bare products of the workload's largest matrix, by every precision that there is,
 *             each compared with integer sums: the peak that the rest is a share of;
 *   offline   tasks back to back on all seats for the set time: the throughput;
 *   search    latency grades: short runs with Poisson arrivals, halving between the highest rate
 *             that kept the bounds and the lowest that did not;
 *   run       latency grades: the set time (and as many queries as the test needs) at that rate;
 *             5% slower and again when the bounds are not kept;
 *   quality   tasks drawn from what was answered, done again by another path, answer and transcript
 *             compared bit by bit: all must be equal.
 *
 * What is certified is FLOP of finished tasks over the time from the first arrival to the last
 * token; of a latency grade, at the rate that kept its bounds.
 *
 * Invariants: (1) a result says passed only when everything that its grade asks for was seen in
 * this run; (2) a run that was stopped or failed has no result; (3) the seed decides arrivals and
 * prompts, and which tasks are done again is drawn after the last answer.
 *
 * Upstream: work, load, certify_statistics, certify_hardware. Downstream: cli/certify.
 */
#ifndef DOJIMA_WORK_CERTIFY_H
#define DOJIMA_WORK_CERTIFY_H

#include "work/certify_hardware.h"
#include "work/load.h"

enum {
    CERTIFY_PHASES_MAX = 40,
    CERTIFY_PRODUCTS_MAX = 6,
    CERTIFY_SECONDS = 600, /* CERT-01 */
    CERTIFY_SAMPLES_MAX = 64,
};

/* UNIT-03, in ns; 0: none. */
struct certify_bounds { int64_t ttft, tpot; };
struct certify_bounds certify_bounds(uint32_t grade);

struct certify_progress {
    const char *phase; /* "products", "weights", "offline", "search", "run", "quality" */
    double share;      /* of the phase, 0 to 1 */
    double rate;       /* queries a second asked for; 0: offline */
    uint32_t done, arrived, over;
    double flops;      /* so far */
};

struct certify_plan {
    const struct work_workload *workload;
    uint32_t vintage, grade; /* enum grade */
    const struct backend *backend;
    struct backend_options backend_options;
    uint32_t slots, rows_max;    /* 0: chosen */
    uint32_t seconds;
    bool quick;           /* bounds need only be kept as seen, not shown with confidence */
    double rate;          /* latency grades: queries a second; 0: searched for */
    uint32_t samples;     /* tasks done again */
    struct digest seed;
    void (*progress)(void *context, const struct certify_progress *p);
    void *context;
    const volatile sig_atomic_t *stop;
};

struct certify_latency {
    struct quantile p50, p90, p99; /* ns */
    int64_t bound;                 /* 0: none */
    uint32_t over, count;
    bool kept;  /* the 99th percentile, as seen */
    bool shown; /* with 99% confidence */
};

struct certify_phase {
    const char *name; /* "offline", "search", "run" */
    double rate;      /* asked for; 0: offline */
    double seconds;   /* from the beginning to the last token */
    double flop;      /* of finished tasks */
    uint64_t tokens, passes, rows;
    struct certify_latency ttft, tpot;
    bool passed, given_up;
    struct load_query *queries; /* certify_free frees them */
    uint32_t count, number;         /* number: the phase's, in the nonces */
};

/* One library's product of the workload's largest matrix. */
struct certify_product {
    char library[32], precision[8];
    uint32_t rows, depth, columns;
    double flops; /* a second */
    bool exact;   /* equal to the integer sums, in rows drawn from the seed */
    bool used;    /* the run multiplies so */
};

struct certify_result {
    struct hardware hardware;
    struct backend_description backend;
    bool has_gpu;
    struct gpu_facts gpu;
    uint32_t slots, rows_max;
    struct certify_product products[CERTIFY_PRODUCTS_MAX];
    uint32_t product_count;
    struct certify_phase phases[CERTIFY_PHASES_MAX];
    uint32_t phase_count;
    int32_t chosen;              /* the phase that is certified; -1: none */
    uint32_t sampled, equal;     /* quality */
    char other[80];              /* by what they were done again */
    uint32_t sample_phase[CERTIFY_SAMPLES_MAX], sample_query[CERTIFY_SAMPLES_MAX];
    double load_seconds;         /* until the weights stood */
    double flops;                /* certified */
    int64_t work_per_hour;       /* the same in nano-CT (10^9 FLOP) an hour, floored */
    double share;                /* of the peak that the products reached in the same precision */
    bool passed;
    char reason[WORK_ERROR_SIZE]; /* why not */
};

/* The bare products, into r->products. 0, or -1 and the reason. */
int certify_products(const struct certify_plan *plan, const struct work_weights *weights,
                     struct certify_result *r, struct work_error *error);

/* Times of a phase's queries, by which it passed or did not. `confident`: shown, not only kept. */
void certify_latencies(struct certify_phase *phase, const struct certify_bounds *bounds,
                       bool confident);

/* 0 and the result, passed or not; 1: stopped; -1: the machine failed. certify_free in any case. */
int certify_measure(const struct certify_plan *plan, struct certify_result *result,
                    struct work_error *error);
void certify_free(struct certify_result *result);

#endif
