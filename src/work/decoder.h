/* decoder.h: a decoder's forward pass in host memory, over any way to have a product.
 *
 * The engine gives it a backend's products; the checker gives it those of an opening, after it has
 * looked at them. So what is checked is what is run.
 *
 * Upstream: kernel, weights, pool. Downstream: engine, check.
 */
#ifndef DOJIMA_WORK_DECODER_H
#define DOJIMA_WORK_DECODER_H

#include "work/internal.h"
#include "work/pool.h"

struct decoder_product {
    /* c[rows x columns] of the step = a[rows x depth] times its matrix. 0 or -1 and the reason. */
    int (*run)(void *context, uint32_t step, const int8_t *a, uint32_t rows, int32_t *c,
               struct work_error *error);
    void *context;
};

struct decoder;

/* `slots` sequences of up to `positions` positions, `rows_max` rows in a pass. */
int decoder_open(const struct work_workload *w, const struct work_weights *weights,
                 struct pool *pool, uint32_t slots, uint32_t positions, uint32_t rows_max,
                 struct decoder **decoder, struct work_error *error);
void decoder_close(struct decoder *d);
int decoder_forward(struct decoder *d, const struct decoder_product *product,
                    const struct work_forward *f, struct work_error *error);

#endif
