/* coverage.c: see coverage.h. */
#include "quant/coverage.h"

#include "base/assert.h"
#include "quant/shortfall.h"

#include <math.h>

enum { GREEN_MAX = 4, YELLOW_MAX = 9 }; /* Basel Committee 1996, table 2 */

/* n ln p, which is 0 for n = 0 whatever p. */
static double term(double n, double p) { return n > 0 ? n * log(p) : 0; }

double coverage_kupiec(uint32_t observations, uint32_t exceedances, double p)
{
    double n = observations, x = exceedances;
    double null = term(n - x, 1 - p) + term(x, p);
    double seen = term(n - x, 1 - x / n) + term(x, x / n);
    return 2 * (seen - null);
}

double coverage_chi_squared_tail(double x, int degrees)
{
    ASSERT(degrees == 1 || degrees == 2);
    if (x <= 0) return 1;
    return degrees == 1 ? erfc(sqrt(x / 2)) : exp(-x / 2);
}

void coverage_test(const uint8_t *exceeded, uint32_t n, uint32_t tail_ppm, struct coverage *out)
{
    ASSERT(n >= 2);
    *out = (struct coverage){.observations = n};
    for (uint32_t i = 0; i < n; i++) {
        out->exceedances += exceeded[i];
        if (i > 0) out->transitions[exceeded[i - 1]][exceeded[i]] += 1;
    }
    out->kupiec = coverage_kupiec(n, out->exceedances, (double)tail_ppm / SHORTFALL_MILLION);
    out->kupiec_p = coverage_chi_squared_tail(out->kupiec, 1);
    double n00 = out->transitions[0][0], n01 = out->transitions[0][1];
    double n10 = out->transitions[1][0], n11 = out->transitions[1][1];
    double all = (n01 + n11) / (n00 + n01 + n10 + n11);
    double null = term(n00 + n10, 1 - all) + term(n01 + n11, all);
    double after0 = n00 + n01 > 0 ? n01 / (n00 + n01) : 0;
    double after1 = n10 + n11 > 0 ? n11 / (n10 + n11) : 0;
    double chain = term(n00, 1 - after0) + term(n01, after0) + term(n10, 1 - after1) +
                   term(n11, after1);
    double ratio = 2 * (chain - null);
    out->independence = ratio > 0 ? ratio : 0;
    out->independence_p = coverage_chi_squared_tail(out->independence, 1);
    out->conditional = out->kupiec + out->independence;
    out->conditional_p = coverage_chi_squared_tail(out->conditional, 2);
}

enum coverage_zone coverage_zone(uint32_t exceedances)
{
    if (exceedances <= GREEN_MAX) return ZONE_green;
    return exceedances <= YELLOW_MAX ? ZONE_yellow : ZONE_red;
}

enum coverage_zone coverage_zone_of(uint32_t observations, uint32_t exceedances, double p)
{
    double n = observations, sum = 0;
    for (uint32_t x = 0; x <= exceedances; x++)
        sum += exp(lgamma(n + 1) - lgamma(x + 1.0) - lgamma(n - x + 1) + term(x, p) +
                   term(n - x, 1 - p));
    if (sum < 0.95) return ZONE_green;
    return sum < 0.9999 ? ZONE_yellow : ZONE_red;
}

const char *coverage_zone_name(enum coverage_zone zone)
{
    static const char *const names[] = {"green", "yellow", "red"};
    return names[zone];
}
