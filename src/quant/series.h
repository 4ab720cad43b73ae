/* series.h: one price of a GPU hour for each hour or day, out of a panel whose members come and go
 * (INDEX-04).
 *
 * Matched offers, chained: from one period to the next the index moves by what the offers did that
 * have a price in both, and by nothing else. An offer that appears, or goes, moves nothing.
 *   1. An offer's price in a period: where a quote holds until the next (steps), the time-weighted
 *      mean over the whole period, of offers that were quoted before it began; else the mean of its
 *      quotes in it. What was not quoted for longer than `stale_ms` has no price.
 *   2. Moves are logarithms of the ratio of the two prices. An offer weighs 1; a provider's offers
 *      together at most `share` of all (the greatest number c with c <= share x sum of
 *      min(offers, c)).
 *   3. An offer whose move is farther than `wild` from the weighted median of all moves is left
 *      out: a wrong price comes and goes without a trace. Of what is left, in order of the moves,
 *      `trim` of the weight is left out at either end; the index moves by the weighted mean of the
 *      rest. trim is 0 unless asked for: prices of GPU hours stand still most of the time, so that
 *      cutting by rank would forget every change that few make at once, and drift away.
 *   4. With fewer than `offers_min` matched offers, or fewer than `providers_min` providers behind
 *      them, the index stays where it was, and says so.
 * The first level is the weighted median of the prices of the first period that has offers_min
 * offers. The naive median is what it is shown beside: of all prices of the period, whoever was
 * there.
 *
 * Invariants: (1) levels are finite and above 0; (2) periods ascend without a gap; (3) the same
 * panel gives the same series wherever log and exp give the same doubles.
 *
 * Upstream: panel, reference (the cap). Downstream: cli.
 */
#ifndef DOJIMA_QUANT_SERIES_H
#define DOJIMA_QUANT_SERIES_H

#include "quant/panel.h"

enum { SERIES_POINTS_MAX = 1 << 18 };

struct series_method {
    int64_t period_ms;
    int64_t stale_ms;
    double wild;          /* of the logarithm; above 0 */
    double trim;          /* of the weight, at either end; below 0.5 */
    double share;         /* of a provider */
    uint32_t offers_min;
    uint32_t providers_min;
};

enum series_status { SERIES_none = 0, SERIES_base, SERIES_chained, SERIES_held };

struct series_point {
    int64_t ms;        /* the period's beginning */
    double level;      /* 0: before the first */
    double naive;      /* 0: none */
    uint32_t offers;   /* that have a price */
    uint32_t matched;  /* of them, with one in the period before */
    uint32_t providers; /* behind the matched */
    uint32_t status;   /* enum series_status */
};

struct index_series_made {
    struct series_point *points;
    uint32_t count;
};

/* The method as docs/index.md gives it, for this period and kind of panel. */
struct series_method series_method_default(const struct panel *p, int64_t period_ms);

int series_make(struct index_series_made *s, const struct panel *p, const struct series_method *m,
                struct quant_error *error);
void series_free(struct index_series_made *s);

/* Standard deviation of the moves of either, annualised by the number of periods in 365 days.
 * Moves between neighbouring periods that both have one; false: fewer than two. */
bool series_volatility(const struct index_series_made *s, int64_t period_ms, bool naive,
                       double *volatility, uint32_t *moves);

/* One offer's price in each period, as step 1; NAN: none. `prices` has a place for each period. */
struct series_periods {
    int64_t first_ms;
    uint32_t count;
};
struct series_periods series_periods_of(const struct panel *p, int64_t period_ms);
int series_offer(const struct panel *p, const struct series_method *m, uint32_t offer,
                 double *prices);

#endif
