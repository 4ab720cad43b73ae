/* gpu_vendor.h: the two vendors' libraries behind one table of functions.
 *
 * NVIDIA's driver and AMD's HIP have the same functions under other names, and with the same
 * arguments where they are called here (pointers and addresses of 64 bits); where they differ
 * (error texts, products) there is a function of each. Prototypes are ours, from the published
 * interfaces: CUDA driver API 12 and 13, cuBLAS 12 and 13, NVRTC; HIP 5 to 7, rocBLAS 3 to 5.
 *
 * Upstream: nothing. Downstream: gpu.c.
 */
#ifndef DOJIMA_WORK_GPU_VENDOR_H
#define DOJIMA_WORK_GPU_VENDOR_H

#include "work/gpu.h"

enum { GPU_LIBRARY_NAMES = 6, GPU_FUNCTIONS_MAX = 40 };

/* The functions, by what they do. Every one returns 0 or an error's number. */
struct gpu_calls {
    int (*init)(unsigned flags);
    int (*driver_version)(int *version);
    int (*device_count)(int *count);
    int (*device_get)(int *device, int ordinal);
    int (*device_name)(char *name, int size, int device);
    int (*device_address)(char *text, int size, int device);
    int (*device_memory)(size_t *bytes, int device);
    int (*device_attribute)(int *value, int attribute, int device);
    int (*context_retain)(void **context, int device);
    int (*context_release)(int device);
    int (*context_set)(void *context);
    int (*take)(uint64_t *memory, size_t bytes);
    int (*drop)(uint64_t memory);
    int (*write)(uint64_t to, const void *from, size_t bytes);
    int (*read)(void *to, uint64_t from, size_t bytes);
    int (*wait)(void);
    int (*module_load)(void **module, const void *image);
    int (*module_unload)(void *module);
    int (*module_function)(void **function, void *module, const char *name);
    int (*launch)(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                  unsigned bz, unsigned shared, void *stream, void **arguments, void **extra);
    /* the compiler of kernels */
    int (*program_create)(void **program, const char *source, const char *name, int headers,
                          const char *const *texts, const char *const *names);
    int (*program_compile)(void *program, int count, const char *const *options);
    int (*program_log_size)(void *program, size_t *size);
    int (*program_log)(void *program, char *log);
    int (*program_code_size)(void *program, size_t *size);
    int (*program_code)(void *program, char *code);
    int (*program_destroy)(void **program);
    /* the library of products */
    int (*blas_create)(void **handle);
    int (*blas_destroy)(void *handle);
    void (*gemm_ex)(void); /* called by the vendor's gemm below, with its own prototype */
    /* the vendor's own way to say an error and a version; one of each pair is NULL */
    int (*error_text)(int error, const char **text);
    const char *(*error_text_direct)(int error);
    int (*blas_version)(void *handle, int *version);
    int (*blas_version_text)(char *text, size_t size);
};

struct gpu_function { size_t at; const char *name; bool optional; };

struct gpu_vendor {
    const char *name;
    const char *driver[GPU_LIBRARY_NAMES], *blas[GPU_LIBRARY_NAMES], *compiler[GPU_LIBRARY_NAMES];
    struct gpu_function driver_functions[GPU_FUNCTIONS_MAX];
    struct gpu_function blas_functions[GPU_LIBRARY_NAMES];
    struct gpu_function compiler_functions[8];
    int (*gemm)(const struct gpu_calls *calls, void *blas, enum gpu_path path, int32_t m, int32_t n,
                int32_t k, gpu_memory a, gpu_memory b, gpu_memory c);
    int32_t attribute_processors, attribute_major, attribute_minor; /* -1: not asked */
};

extern const struct gpu_vendor gpu_nvidia, gpu_amd;

#endif
