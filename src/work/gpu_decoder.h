/* gpu_decoder.h: a decoder in a GPU's memory (backend_gpu's), and the weights of one matrix there.
 *
 * Weights are int8, made on the device from their key (or brought there, the buyer's), keys and
 * values int8, products int8 to int32: about a byte a parameter. Llama 2 70B's shape takes 69 GB,
 * and 97 MB for each sequence of the certifying task's length.
 *
 * Invariant: whatever number of rows, whichever kernel multiplies, a row's bits are the same; they
 * are engine.c's (gpu_decoder_test.c compares step by step).
 *
 * Upstream: gpu, gpu_kernels, work. Downstream: backend_gpu.c.
 */
#ifndef DOJIMA_WORK_GPU_DECODER_H
#define DOJIMA_WORK_GPU_DECODER_H

#include "work/gpu.h"
#include "work/work.h"

/* The kernels of gpu_kernels.h, by number. */
enum gpu_kernel {
    GPU_KERNEL_weights, GPU_KERNEL_embed, GPU_KERNEL_clear, GPU_KERNEL_widen_fp32,
    GPU_KERNEL_widen_bf16, GPU_KERNEL_narrow, GPU_KERNEL_product, GPU_KERNEL_norm,
    GPU_KERNEL_quantise, GPU_KERNEL_qkv, GPU_KERNEL_attention, GPU_KERNEL_swiglu,
    GPU_KERNEL_logits, GPU_KERNEL_count
};
extern const char *const gpu_kernel_names[GPU_KERNEL_count];

/* How products are made: by the vendor's library, by the kernel `product`, or as it goes faster. */
enum gpu_products { GPU_PRODUCTS_fastest, GPU_PRODUCTS_library, GPU_PRODUCTS_plain };

struct gpu_decoder;

/* `g` is open and its kernels are built; both outlive the decoder. NULL and the reason. */
struct gpu_decoder *gpu_decoder_open(struct gpu *g, const struct work_weights *weights,
                                     const struct work_workload *w, uint32_t slots,
                                     uint32_t rows_max, enum gpu_products products,
                                     struct work_error *error);
void gpu_decoder_close(struct gpu_decoder *d);
int gpu_decoder_forward(struct gpu_decoder *d, const struct work_forward *f,
                        struct work_error *error);
/* From now on; for the quality check, which does tasks again by the other way. */
void gpu_decoder_products(struct gpu_decoder *d, enum gpu_products products);

/* Enqueues the weights of a matrix into device memory of columns x depth bytes. 0, or -1 and the
 * reason. */
int gpu_weights_make(struct gpu *g, const struct work_matrix_info *info, gpu_memory to,
                     struct work_error *error);

#endif
