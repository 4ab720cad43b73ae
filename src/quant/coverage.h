/* coverage.h: whether exceedances of a margin are as many, and as independent, as its confidence
 * says (CLEAR-11).
 *
 * Kupiec's proportion of failures (J. Derivatives 1995): LR = -2 ln[(1-p)^(T-x) p^x /
 * ((1-x/T)^(T-x) (x/T)^x)], chi-squared with 1 degree. Christoffersen (Int. Economic Review 1998):
 * LR of independence from the transitions of a first-order Markov chain, 1 degree; conditional
 * coverage is the sum of both, 2 degrees. The Basel Committee's traffic light (1996) on 250
 * observations at 99 %: green 0 to 4, yellow 5 to 9, red 10 and more.
 *
 * Upstream: nothing. Downstream: backtest, cli.
 */
#ifndef DOJIMA_QUANT_COVERAGE_H
#define DOJIMA_QUANT_COVERAGE_H

#include <stdint.h>

enum coverage_zone { ZONE_green = 0, ZONE_yellow, ZONE_red };

struct coverage {
    uint32_t observations, exceedances;
    uint32_t transitions[2][2]; /* [yesterday][today]; 1: an exceedance */
    double kupiec, kupiec_p;
    double independence, independence_p;
    double conditional, conditional_p;
};

double coverage_kupiec(uint32_t observations, uint32_t exceedances, double p);

/* exceeded[i] is 0 or 1; n at least 2; tail_ppm as in shortfall.h. */
void coverage_test(const uint8_t *exceeded, uint32_t n, uint32_t tail_ppm, struct coverage *out);

/* Of 250 observations at 99 %. */
enum coverage_zone coverage_zone(uint32_t exceedances);
/* Of any number, by the same probabilities: yellow from where P(X <= x) reaches 95 %, red from
 * 99.99 % (X binomial). */
enum coverage_zone coverage_zone_of(uint32_t observations, uint32_t exceedances, double p);
const char *coverage_zone_name(enum coverage_zone zone);

/* P(X > x) of chi-squared with 1 or 2 degrees. */
double coverage_chi_squared_tail(double x, int degrees);

#endif
