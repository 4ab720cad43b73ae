/* shortfall.c: see shortfall.h. */
#include "quant/shortfall.h"

#include "base/assert.h"

#include <math.h>

uint32_t shortfall_count(uint32_t tail_ppm, uint32_t n)
{
    ASSERT(tail_ppm > 0 && tail_ppm < SHORTFALL_MILLION && n > 0);
    uint64_t product = (uint64_t)tail_ppm * n;
    return (uint32_t)((product + (uint64_t)SHORTFALL_MILLION - 1) / (uint64_t)SHORTFALL_MILLION);
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's quickselect, descending, pivot the median of three; equal values cannot degrade it. */
double shortfall_select(double *v, uint32_t n, uint32_t k)
{
    ASSERT(k >= 1 && k <= n);
    int64_t low = 0, high = (int64_t)n - 1, target = (int64_t)k - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (v[middle] > v[low]) swap(&v[middle], &v[low]);
        if (v[high] > v[low]) swap(&v[high], &v[low]);
        if (v[high] > v[middle]) swap(&v[high], &v[middle]);
        double pivot = v[middle];
        int64_t i = low, j = high;
        while (i <= j) {
            while (v[i] > pivot) i++;
            while (v[j] < pivot) j--;
            if (i <= j) swap(&v[i++], &v[j--]);
        }
        if (target <= j) high = j;
        else if (target >= i) low = i;
        else return v[target];
    }
    return v[target];
}

/* The losses' side of outcomes: signs turned, so that large is bad. */
static uint32_t worst_in_front(double *outcomes, uint32_t n, uint32_t tail_ppm)
{
    uint32_t k = shortfall_count(tail_ppm, n);
    for (uint32_t i = 0; i < n; i++) outcomes[i] = -outcomes[i];
    (void)shortfall_select(outcomes, n, k);
    return k;
}

double shortfall_es(double *outcomes, uint32_t n, uint32_t tail_ppm)
{
    uint32_t k = worst_in_front(outcomes, n, tail_ppm);
    /* In descending order the sum does not depend on how the outcomes stood. */
    for (uint32_t i = 1; i < k; i++) {
        for (uint32_t j = i; j > 0 && outcomes[j] > outcomes[j - 1]; j--)
            swap(&outcomes[j], &outcomes[j - 1]);
    }
    double sum = 0;
    for (uint32_t i = 0; i < k; i++) sum += outcomes[i];
    return sum / (double)k;
}

double shortfall_var(double *outcomes, uint32_t n, uint32_t tail_ppm)
{
    uint32_t k = worst_in_front(outcomes, n, tail_ppm);
    double smallest = outcomes[0];
    for (uint32_t i = 1; i < k; i++) smallest = outcomes[i] < smallest ? outcomes[i] : smallest;
    return smallest;
}

void ewma_sigma(const double *returns, uint32_t n, double lambda, double first_variance,
                double *sigma)
{
    double variance = first_variance;
    for (uint32_t t = 0; t < n; t++) {
        sigma[t] = sqrt(variance);
        if (!isnan(returns[t]))
            variance = lambda * variance + (1 - lambda) * (returns[t] * returns[t]);
    }
    sigma[n] = sqrt(variance);
}
