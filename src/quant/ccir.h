/* ccir.h: the method by which CCIR publishes its indices of rented GPUs, versions 1.1.0 and 1.1.1
 * (github.com/ccir-index/cri-h100), so that its values can be had again from its offers (INDEX-04).
 *
 * Of each day with at least `offers_min` [8; 10 in 1.1.0] offers: the mean without the
 * max(1, floor(n / 10)) lowest and as many highest; what is farther from it than 2.5 sample
 * standard deviations of all is left out. The index is the median of what is left of the trailing 7
 * days, to 4 places.
 *
 * Upstream: files, read by cli. Downstream: cli (dojima index ccir).
 */
#ifndef DOJIMA_QUANT_CCIR_H
#define DOJIMA_QUANT_CCIR_H

#include "quant/csv.h"

enum { CCIR_WINDOW_DAYS = 7, CCIR_OFFERS_MAX = 1 << 20 };

struct ccir_offer {
    int32_t day;
    double price; /* USD per GPU and hour */
};

struct ccir_offers {
    struct ccir_offer *offers; /* as in the file */
    uint32_t count, capacity;
};

struct ccir_index {
    int64_t value_e4;    /* 10^-4 USD */
    uint32_t observations;
    uint32_t days;       /* that had enough offers */
    double low, high, mean, deviation;
};

/* Rows of this model; columns model_id, date, dph_per_gpu_usd. */
int ccir_read(struct ccir_offers *o, const char *model, const char *file, const char *text,
              size_t length, struct quant_error *error);
void ccir_close(struct ccir_offers *o);

/* False: no day of the window has enough offers. */
bool ccir_make(const struct ccir_offers *o, int32_t last_day, uint32_t offers_min,
               struct ccir_index *index);

#endif
