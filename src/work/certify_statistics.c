/* certify_statistics.c: see certify_statistics.h. */
#include "work/certify_statistics.h"

#include <math.h>
#include <stdlib.h>

/* The terms are summed from the largest that counts downward, so that none of them underflows. */
double statistics_binomial_cdf(uint64_t k, uint64_t n, double p)
{
    if (k >= n) return 1;
    double count = (double)n, top = floor(p * (count + 1));
    uint64_t from = k < (uint64_t)top ? k : (uint64_t)top;
    double logarithm = lgamma(count + 1) - lgamma((double)from + 1) -
                       lgamma(count - (double)from + 1) + (double)from * log(p) +
                       (count - (double)from) * log1p(-p);
    double start = exp(logarithm), sum = start, term = start;
    for (uint64_t i = from; i > 0 && term > start * 1e-18; i--) {
        term *= (double)i / (count - (double)i + 1) * ((1 - p) / p);
        sum += term;
    }
    term = start;
    for (uint64_t i = from; i < k && term > start * 1e-18; i++) {
        term *= (count - (double)i) / ((double)i + 1) * (p / (1 - p));
        sum += term;
    }
    return sum < 1 ? sum : 1;
}

/* The smallest rank r from 1 with P(X <= r - 1) > level, X the queries below the percentile;
 * count + 1 when there is none. */
static size_t rank_above(size_t count, double p, double level)
{
    size_t low = 0, high = count + 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (statistics_binomial_cdf(middle - 1, count, p) > level) high = middle;
        else low = middle;
    }
    return high;
}

/* The value of rank r is below the percentile with P(X >= r), at or above it with P(X <= r - 1). */
struct quantile statistics_quantile(const int64_t *sorted, size_t count, double p,
                                    double confidence)
{
    double tail = (1 - confidence) / 2;
    size_t rank = (size_t)ceil(p * (double)count - 1e-9);
    if (rank < 1) rank = 1;
    struct quantile q = {.value = sorted[rank - 1], .low = INT64_MIN, .high = INT64_MAX};
    size_t low = rank_above(count, p, tail) - 1, high = rank_above(count, p, 1 - tail);
    if (low > 0) q.low = sorted[low - 1];
    if (high <= count) q.high = sorted[high - 1];
    return q;
}

bool statistics_holds(uint64_t over, uint64_t count, double p, double confidence)
{
    return count > over && statistics_binomial_cdf(over, count, 1 - p) <= 1 - confidence;
}

uint64_t statistics_queries_needed(uint64_t over, double p, double confidence)
{
    uint64_t low = over, high = over + 1; /* low does not hold */
    while (!statistics_holds(over, high, p, confidence)) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (statistics_holds(over, middle, p, confidence)) high = middle;
        else low = middle;
    }
    return high;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void statistics_sort(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
}

double statistics_ks_exponential(const double *sorted, size_t count, double rate)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double expected = -expm1(-rate * sorted[i]);
        double below = expected - (double)i / (double)count;
        double above = (double)(i + 1) / (double)count - expected;
        most = fmax(most, fmax(below, above));
    }
    return most;
}

int64_t statistics_gap_ns(struct random *random, double rate)
{
    /* 53 bits, shifted by half so that the logarithm is finite */
    double u = ((double)(random_next(random) >> 11) + 0.5) * 0x1p-53;
    return (int64_t)(-log(u) / rate * 1e9);
}
