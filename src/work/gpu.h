/* gpu.h: a graphics processor, through its vendor's own libraries found at run time.
 *
 * Nothing is linked and no toolkit is needed to build: the libraries are opened by name when a GPU
 * is asked for (NVIDIA: libcuda, libcublas, libnvrtc; AMD: libamdhip64, librocblas, libhiprtc), and
 * what is missing is said in one sentence. Kernels are compiled on the machine that runs them, from
 * the text of gpu_kernels.h and fixed.h, the same text that the processor's path is compiled from.
 *
 * (1) One device, one stream: what is asked for is done in the order in which it was asked for.
 * (2) A product is exact by every path: its operands' bounds are the caller's (work.h), and no
 *     path rounds below 2^24.
 * (3) A verb that fails leaves a sentence, and the device is given up: nothing after it counts.
 *
 * Upstream: the vendor's libraries. Downstream: backend_gpu.c, gpu_decoder.c, cli/certify.
 */
#ifndef DOJIMA_WORK_GPU_H
#define DOJIMA_WORK_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GPU_TEXT_SIZE = 160, GPU_ARGUMENTS_MAX = 16 };

/* What multiplies: the type of the operands. C is float for the first two, else int32_t. */
enum gpu_path { GPU_PATH_fp32, GPU_PATH_bf16, GPU_PATH_int8, GPU_PATH_count };

struct gpu_facts {
    char vendor[16];  /* NVIDIA, AMD */
    char name[96];    /* the driver's name of the device */
    char address[24]; /* on the PCI bus, 0000:19:00.0 */
    char driver[48];  /* what the driver says of itself */
    char blas[48];    /* the library that multiplies, with its version */
    uint64_t memory;  /* bytes */
    int32_t processors; /* multiprocessors or compute units; 0: not said */
    int32_t capability; /* 90: NVIDIA's 9.0; 0: not NVIDIA's */
};

typedef uint64_t gpu_memory; /* an address on the device; 0: none */

/* A kernel's argument: a device address or a number, in 8 or 4 bytes. */
struct gpu_argument {
    union { gpu_memory memory; int64_t wide; int32_t narrow; } as;
};

struct gpu;
struct gpu_verbs {
    gpu_memory (*take)(struct gpu *g, uint64_t bytes);
    void (*drop)(struct gpu *g, gpu_memory memory);
    int (*write)(struct gpu *g, gpu_memory to, const void *from, uint64_t bytes);
    int (*read)(struct gpu *g, void *to, gpu_memory from, uint64_t bytes);
    int (*gemm)(struct gpu *g, enum gpu_path path, int32_t m, int32_t n, int32_t k, gpu_memory a,
                gpu_memory b, gpu_memory c);
    int (*build)(struct gpu *g, const char *const *names, int32_t count);
    int (*launch)(struct gpu *g, int32_t kernel, uint32_t blocks, uint32_t threads,
                  struct gpu_argument *arguments, int32_t count);
    int (*wait)(struct gpu *g);
    void (*close)(struct gpu *g);
};
struct gpu {
    const struct gpu_verbs *verbs;
    struct gpu_facts facts;
    uint32_t lanes;       /* threads that run in step; 1: emulated */
    uint32_t threads_max; /* of a block */
    char error[GPU_TEXT_SIZE]; /* why the last verb failed */
};

/* The first device of the first vendor that has one; NULL, and why not in `why`. */
struct gpu *gpu_open(char why[static GPU_TEXT_SIZE]);
static inline void gpu_close(struct gpu *g) { g->verbs->close(g); }

/* Bytes of the device's memory, 256-aligned; 0: there is not so much. */
static inline gpu_memory gpu_take(struct gpu *g, uint64_t bytes)
{
    return g->verbs->take(g, bytes);
}
static inline void gpu_drop(struct gpu *g, gpu_memory memory) { g->verbs->drop(g, memory); }

/* 0, or -1 and g->error. Both wait. */
static inline int gpu_write(struct gpu *g, gpu_memory to, const void *from, uint64_t bytes)
{
    return g->verbs->write(g, to, from, bytes);
}
static inline int gpu_read(struct gpu *g, void *to, gpu_memory from, uint64_t bytes)
{
    return g->verbs->read(g, to, from, bytes);
}

/* c[m x n] = a[m x k] . b, all row-major; b is held the other way round, as b[n x k]. Does not
 * wait. 0, or -1 and g->error. int8: n and k are multiples of 4. */
static inline int gpu_gemm(struct gpu *g, enum gpu_path path, int32_t m, int32_t n, int32_t k,
                           gpu_memory a, gpu_memory b, gpu_memory c)
{
    return g->verbs->gemm(g, path, m, n, k, a, b, c);
}

/* Compiles gpu_kernels.h; kernel i is then names[i]. 0, or -1 and g->error. */
static inline int gpu_build(struct gpu *g, const char *const *names, int32_t count)
{
    return g->verbs->build(g, names, count);
}

/* Does not wait. */
static inline int gpu_launch(struct gpu *g, int32_t kernel, uint32_t blocks, uint32_t threads,
                             struct gpu_argument *arguments, int32_t count)
{
    return g->verbs->launch(g, kernel, blocks, threads, arguments, count);
}

/* Until all that was asked for is done. */
static inline int gpu_wait(struct gpu *g) { return g->verbs->wait(g); }

#endif
