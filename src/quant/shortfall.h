/* shortfall.h: expected shortfall and value at risk of a set of outcomes, and filtered historical
 * rescaling (CLEAR-05).
 *
 * At confidence c the count of worst outcomes is ceil((1 - c) n), found in integers: c is given as
 * its tail in millionths (99 % is 10000), so that 0.01 x 100 is 1 and not 2. ES is the mean of the
 * worst `count` losses; VaR the smallest of them. A loss is positive; where the worst outcomes are
 * gains, ES is negative. By selection, not by sorting: the order of `outcomes` is changed.
 *
 * EWMA: sigma(t)^2 = lambda sigma(t-1)^2 + (1 - lambda) r(t-1)^2, so that sigma(t) is the forecast
 * that was made before r(t) was seen (RiskMetrics Technical Document, 1996; Hull and White, J. Risk
 * 1998, for the rescaling r(t) sigma(T) / sigma(t)).
 *
 * Upstream: nothing. Downstream: risk, requirement, backtest.
 */
#ifndef DOJIMA_QUANT_SHORTFALL_H
#define DOJIMA_QUANT_SHORTFALL_H

#include <stdint.h>

#define SHORTFALL_MILLION INT64_C(1000000)

/* ceil(tail_ppm x n / 10^6); 0 < tail_ppm < 10^6, n > 0. */
uint32_t shortfall_count(uint32_t tail_ppm, uint32_t n);

/* Of profits and losses (a loss is negative), n of them. Reorders. */
double shortfall_es(double *outcomes, uint32_t n, uint32_t tail_ppm);
double shortfall_var(double *outcomes, uint32_t n, uint32_t tail_ppm);

/* The k-th largest of n values, 1 <= k <= n; afterwards the k largest stand in front. */
double shortfall_select(double *values, uint32_t n, uint32_t k);

/* sigma[0..n]: sigma[t] the forecast for returns[t], sigma[n] the one for what comes next. A
 * return that is not a number leaves the forecast as it was. */
void ewma_sigma(const double *returns, uint32_t n, double lambda, double first_variance,
                double *sigma);

#endif
