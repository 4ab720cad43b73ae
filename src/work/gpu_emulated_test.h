/* gpu_emulated_test.h: a GPU that is this processor: gpu_kernels.h compiled as C, one thread a
 * block, one block after the other, and products in plain C. What is computed is tested so where
 * there is no GPU; what only a device can get wrong (order of threads) is not.
 *
 * Upstream: gpu_kernels.h. Downstream: tests of gpu_decoder and backend_gpu.
 */
#ifndef DOJIMA_WORK_GPU_EMULATED_TEST_H
#define DOJIMA_WORK_GPU_EMULATED_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t gpu_emulated_block, gpu_emulated_blocks;

#include "work/gpu_decoder.h"
#include "work/gpu_kernels.h"

static uint64_t emulated_taken, emulated_limit = UINT64_MAX;

static gpu_memory emulated_take(struct gpu *g, uint64_t bytes)
{
    (void)g;
    if (emulated_taken + bytes > emulated_limit) return 0;
    unsigned char *memory = NULL;
    if (posix_memalign((void **)&memory, 256, bytes + 256) != 0) return 0;
    memset(memory, 0xa5, bytes); /* nothing may count on zeros */
    emulated_taken += bytes;
    return (gpu_memory)(uintptr_t)memory;
}

static void *at(gpu_memory memory) { return (void *)(uintptr_t)memory; }

static void emulated_drop(struct gpu *g, gpu_memory memory)
{
    (void)g;
    free(at(memory));
}

static int emulated_write(struct gpu *g, gpu_memory to, const void *from, uint64_t bytes)
{
    (void)g;
    memcpy(at(to), from, bytes);
    return 0;
}

static int emulated_read(struct gpu *g, void *to, gpu_memory from, uint64_t bytes)
{
    (void)g;
    memcpy(to, at(from), bytes);
    return 0;
}

static float emulated_element(enum gpu_path path, gpu_memory memory, uint64_t i)
{
    if (path == GPU_PATH_fp32) return ((const float *)at(memory))[i];
    if (path == GPU_PATH_int8) return ((const int8_t *)at(memory))[i];
    union { uint32_t u; float f; } bits;
    bits.u = (uint32_t)((const uint16_t *)at(memory))[i] << 16;
    return bits.f;
}

static int emulated_gemm(struct gpu *g, enum gpu_path path, int32_t m, int32_t n, int32_t k,
                         gpu_memory a, gpu_memory b, gpu_memory c)
{
    (void)g;
    for (int32_t i = 0; i < m; i++)
        for (int32_t j = 0; j < n; j++) {
            float sum = 0;
            for (int32_t l = 0; l < k; l++)
                sum += emulated_element(path, a, (uint64_t)i * (uint64_t)k + (uint64_t)l) *
                       emulated_element(path, b, (uint64_t)j * (uint64_t)k + (uint64_t)l);
            uint64_t to = (uint64_t)i * (uint64_t)n + (uint64_t)j;
            if (path == GPU_PATH_int8) ((int32_t *)at(c))[to] = (int32_t)sum;
            else ((float *)at(c))[to] = sum;
        }
    return 0;
}

static int emulated_build(struct gpu *g, const char *const *names, int32_t count)
{
    (void)g;
    (void)names;
    return count == GPU_KERNEL_count ? 0 : -1;
}

#define MEMORY(i) at(arguments[i].as.memory)
#define NUMBER(i) ((uint32_t)arguments[i].as.narrow)
#define WIDE(i) ((uint64_t)arguments[i].as.wide)

static void emulated_one(int32_t kernel, const struct gpu_argument *arguments)
{
    switch (kernel) {
    case GPU_KERNEL_weights: gpu_weights(WIDE(0), MEMORY(1), WIDE(2)); break;
    case GPU_KERNEL_embed: gpu_embed(MEMORY(0), MEMORY(1), MEMORY(2), NUMBER(3)); break;
    case GPU_KERNEL_clear: gpu_clear(MEMORY(0), WIDE(1)); break;
    case GPU_KERNEL_widen_fp32: gpu_widen_fp32(MEMORY(0), MEMORY(1), WIDE(2)); break;
    case GPU_KERNEL_widen_bf16: gpu_widen_bf16(MEMORY(0), MEMORY(1), WIDE(2)); break;
    case GPU_KERNEL_narrow: gpu_narrow(MEMORY(0), WIDE(1)); break;
    case GPU_KERNEL_product:
        gpu_product(MEMORY(0), MEMORY(1), MEMORY(2), NUMBER(3), NUMBER(4), NUMBER(5));
        break;
    case GPU_KERNEL_norm:
        gpu_norm(MEMORY(0), MEMORY(1), MEMORY(2), MEMORY(3), NUMBER(4), NUMBER(5), MEMORY(6),
                 MEMORY(7), MEMORY(8), MEMORY(9), MEMORY(10), MEMORY(11), NUMBER(12));
        break;
    case GPU_KERNEL_quantise:
        gpu_quantise(MEMORY(0), WIDE(1), MEMORY(2), MEMORY(3), MEMORY(4), NUMBER(5), NUMBER(6));
        break;
    case GPU_KERNEL_qkv:
        gpu_qkv(MEMORY(0), MEMORY(1), MEMORY(2), MEMORY(3), MEMORY(4), NUMBER(5), NUMBER(6),
                MEMORY(7), MEMORY(8), MEMORY(9), MEMORY(10), MEMORY(11));
        break;
    case GPU_KERNEL_attention:
        gpu_attention(MEMORY(0), MEMORY(1), MEMORY(2), MEMORY(3), MEMORY(4), MEMORY(5), MEMORY(6));
        break;
    case GPU_KERNEL_swiglu:
        gpu_swiglu(MEMORY(0), MEMORY(1), MEMORY(2), NUMBER(3), NUMBER(4), MEMORY(5), MEMORY(6),
                   NUMBER(7), NUMBER(8));
        break;
    case GPU_KERNEL_logits:
        gpu_logits(MEMORY(0), MEMORY(1), MEMORY(2), NUMBER(3), NUMBER(4), MEMORY(5), MEMORY(6),
                   NUMBER(7), NUMBER(8));
        break;
    default: abort();
    }
}

static int emulated_launch(struct gpu *g, int32_t kernel, uint32_t blocks, uint32_t threads,
                           struct gpu_argument *arguments, int32_t count)
{
    (void)g;
    (void)count;
    if (threads != 1) abort();
    gpu_emulated_blocks = blocks;
    for (uint32_t i = 0; i < blocks; i++) {
        gpu_emulated_block = i;
        emulated_one(kernel, arguments);
    }
    return 0;
}

static int emulated_wait(struct gpu *g)
{
    (void)g;
    return 0;
}

static void emulated_close(struct gpu *g) { (void)g; }

static const struct gpu_verbs emulated_verbs = {
    .take = emulated_take, .drop = emulated_drop, .write = emulated_write, .read = emulated_read,
    .gemm = emulated_gemm, .build = emulated_build, .launch = emulated_launch,
    .wait = emulated_wait, .close = emulated_close};

static struct gpu emulated = {
    .verbs = &emulated_verbs,
    .facts = {.vendor = "none", .name = "emulated", .blas = "plain C", .memory = 1 << 20},
    .lanes = 1, .threads_max = 1};

#endif
