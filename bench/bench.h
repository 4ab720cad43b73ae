/* bench.h: what the sub-benchmarks of `dojima bench` share: the table's rows, the clock, the
 * figures.
 *
 * A sub-benchmark prints, beside its figures, the hash of the state it ended in, and what it
 * leaves out. Latency is timed one command at a time; a percentile is printed only where it is at
 * least ten times what the timer itself costs.
 *
 * Upstream: base. Downstream: bench.c, bench_*.c.
 */
#ifndef DOJIMA_BENCH_BENCH_H
#define DOJIMA_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_options {
    uint64_t commands; /* 0: the benchmark's own number */
    uint32_t rounds;   /* 0: the benchmark's own number; the median of the rounds is printed */
    const char *file;  /* NULL: not given */
};

struct bench {
    const char *name;
    const char *summary;
    int (*run)(const struct bench_options *options); /* 0; 1: a bound was missed; 2: cannot run */
};

extern const struct bench bench_book, bench_core_mix, bench_core_span, bench_core_lobster;
extern const struct bench bench_durable, bench_recovery; /* recovery.c */
extern const struct bench bench_node;
extern const struct bench bench_end_of_day;
extern const struct bench bench_cascade;
extern const struct bench bench_kill;
extern const struct bench bench_margin;
extern const struct bench bench_work;
extern const struct bench bench_freivalds, bench_receipts; /* bench_proof.c */
extern const struct bench bench_spot;
extern const struct bench bench_detection;

/* `dojima bench [--commands N] [--rounds N] [--file FILE] [NAME...]`; without a name, all. */
int bench_main(int argc, char **argv);

/* Nanoseconds of a clock that never goes back. */
uint64_t bench_now(void);

double bench_median(double *values, size_t count);

/* Prints p50, p99, p99.9 and the maximum of these times, less the timer's cost; sorts them. */
void bench_percentiles_print(uint32_t *times, size_t count);

/* How many allocations the process holds, by the allocator's own account. */
struct bench_heap {
    size_t used;
    size_t mapped;
};
struct bench_heap bench_heap_now(void);

/* Prints and returns whether the heap is as it was. */
bool bench_heap_same(struct bench_heap before);

#endif
