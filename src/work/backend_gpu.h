/* backend_gpu.h: the GPU as a backend, and what a certification wants of it beyond the vtable.
 *
 * Upstream: gpu_decoder. Downstream: registry of backends, certify.
 */
#ifndef DOJIMA_WORK_BACKEND_GPU_H
#define DOJIMA_WORK_BACKEND_GPU_H

#include "work/gpu_decoder.h"

/* Opening it fails with one sentence where there is no GPU. */
extern const struct backend backend_gpu;

/* The device of an open state of backend_gpu. */
struct gpu *backend_gpu_device(void *state);

/* The bare product of a matrix, `times` times over what last was multiplied, waiting at the end. */
int backend_gpu_repeat(struct backend_matrix *m, uint32_t rows, uint32_t times,
                       struct work_error *error);

/* How a decoder of backend_gpu multiplies from now on. */
void backend_gpu_products(struct backend_decoder *decoder, enum gpu_products products);

/* Not NULL: used instead of a device of this machine (tests). */
extern struct gpu *gpu_borrowed;

#endif
