/* certify_statistics.h: what a certification run says of its latencies, and when queries arrive.
 *
 * Percentiles are order statistics by nearest rank. What is known of the true percentile from n
 * queries is said without any assumption about the distribution: the number of queries beyond it
 * is binomial (David and Nagaraja, Order Statistics, 3rd ed., 7.1). A latency bound holds when a
 * system that breaks it would be seen to keep it this well with a probability of at most 1%: the
 * test of MLPerf Inference (policies, "early stopping": percentile, confidence 99%, tolerance 0),
 * by which 459 queries are the fewest that show a 99th percentile, 662 with one over.
 *
 * Arrivals are Poisson: exponential gaps from a seeded generator, as LoadGen's Server scenario.
 *
 * Upstream: libm. Downstream: load, certify, detection.
 */
#ifndef DOJIMA_WORK_CERTIFY_STATISTICS_H
#define DOJIMA_WORK_CERTIFY_STATISTICS_H

#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* P(X <= k), X binomial of n trials with probability p in (0, 1). */
double statistics_binomial_cdf(uint64_t k, uint64_t n, double p);

/* A percentile and the interval that holds the true one with at least the confidence asked for. */
struct quantile {
    int64_t value;
    int64_t low, high;   /* INT64_MIN, INT64_MAX: too few queries to bound it on that side */
};

/* `sorted` ascending, count >= 1; p and confidence in (0, 1). The interval is two-sided with equal
 * tails. */
struct quantile statistics_quantile(const int64_t *sorted, size_t count, double p,
                                    double confidence);

/* The fewest queries of which `over` may be beyond the bound, for `p` of all to be within it with
 * `confidence`. */
uint64_t statistics_queries_needed(uint64_t over, double p, double confidence);

/* Whether `over` of `count` is few enough. */
bool statistics_holds(uint64_t over, uint64_t count, double p, double confidence);

void statistics_sort(int64_t *values, size_t count);

/* Kolmogorov and Smirnov's distance of `sorted` (in seconds) from the exponential of this rate. */
double statistics_ks_exponential(const double *sorted, size_t count, double rate);

/* The next gap of a Poisson process, ns; rate per second > 0. */
int64_t statistics_gap_ns(struct random *random, double rate);

#endif
