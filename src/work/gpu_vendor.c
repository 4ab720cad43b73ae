/* gpu_vendor.c: see gpu_vendor.h. */
#include "work/gpu_vendor.h"

#include <string.h>

#define AT(member, name) {offsetof(struct gpu_calls, member), name, false}
#define MAYBE(member, name) {offsetof(struct gpu_calls, member), name, true}

/* ---- NVIDIA ---- */

/* library_types.h and cublas_api.h */
enum { CUDA_R_32F = 0, CUDA_R_8I = 3, CUDA_R_32I = 10, CUDA_R_16BF = 14 };
enum { CUBLAS_COMPUTE_32F = 68, CUBLAS_COMPUTE_32I = 72 };
enum { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_GEMM_DEFAULT = -1 };

typedef int cublas_gemm_ex(void *handle, int ta, int tb, int m, int n, int k, const void *alpha,
                           const void *a, int a_type, int lda, const void *b, int b_type, int ldb,
                           const void *beta, void *c, int c_type, int ldc, int compute, int algo);

static void *pointer_of(gpu_memory memory) { return (void *)(uintptr_t)memory; }

/* The libraries are column-major: c transposed [n x m] = b as it is held, transposed, times a as it
 * is held; this is the one order that the int8 units take. */
static int gemm_nvidia(const struct gpu_calls *calls, void *blas, enum gpu_path path, int32_t m,
                       int32_t n, int32_t k, gpu_memory a, gpu_memory b, gpu_memory c)
{
    static const int operand[] = {CUDA_R_32F, CUDA_R_16BF, CUDA_R_8I};
    bool whole = path == GPU_PATH_int8;
    float one = 1, zero = 0;
    int32_t one_whole = 1, zero_whole = 0;
    cublas_gemm_ex *gemm = (cublas_gemm_ex *)calls->gemm_ex;
    return gemm(blas, CUBLAS_OP_T, CUBLAS_OP_N, n, m, k,
                whole ? (const void *)&one_whole : (const void *)&one, pointer_of(b),
                operand[path], k, pointer_of(a), operand[path], k,
                whole ? (const void *)&zero_whole : (const void *)&zero, pointer_of(c),
                whole ? CUDA_R_32I : CUDA_R_32F, n,
                whole ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}

const struct gpu_vendor gpu_nvidia = {
    .name = "NVIDIA",
    .driver = {"libcuda.so.1"},
    .blas = {"libcublas.so.13", "libcublas.so.12"},
    .compiler = {"libnvrtc.so.13", "libnvrtc.so.12"},
    .driver_functions = {
        AT(init, "cuInit"), AT(driver_version, "cuDriverGetVersion"),
        AT(device_count, "cuDeviceGetCount"), AT(device_get, "cuDeviceGet"),
        AT(device_name, "cuDeviceGetName"), AT(device_address, "cuDeviceGetPCIBusId"),
        AT(device_memory, "cuDeviceTotalMem_v2"), AT(device_attribute, "cuDeviceGetAttribute"),
        AT(context_retain, "cuDevicePrimaryCtxRetain"),
        AT(context_release, "cuDevicePrimaryCtxRelease_v2"), AT(context_set, "cuCtxSetCurrent"),
        AT(take, "cuMemAlloc_v2"), AT(drop, "cuMemFree_v2"), AT(write, "cuMemcpyHtoD_v2"),
        AT(read, "cuMemcpyDtoH_v2"), AT(wait, "cuCtxSynchronize"),
        AT(module_load, "cuModuleLoadData"), AT(module_unload, "cuModuleUnload"),
        AT(module_function, "cuModuleGetFunction"), AT(launch, "cuLaunchKernel"),
        AT(error_text, "cuGetErrorString")},
    .blas_functions = {AT(blas_create, "cublasCreate_v2"), AT(blas_destroy, "cublasDestroy_v2"),
                       AT(gemm_ex, "cublasGemmEx"), AT(blas_version, "cublasGetVersion_v2")},
    .compiler_functions = {
        AT(program_create, "nvrtcCreateProgram"), AT(program_compile, "nvrtcCompileProgram"),
        AT(program_log_size, "nvrtcGetProgramLogSize"), AT(program_log, "nvrtcGetProgramLog"),
        AT(program_code_size, "nvrtcGetCUBINSize"), AT(program_code, "nvrtcGetCUBIN"),
        AT(program_destroy, "nvrtcDestroyProgram")},
    .gemm = gemm_nvidia,
    .attribute_processors = 16, /* CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT */
    .attribute_major = 75,      /* CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR */
    .attribute_minor = 76,
};

/* ---- AMD ---- */

/* rocblas-types.h */
enum { ROCBLAS_R_32F = 151, ROCBLAS_R_8I = 160, ROCBLAS_R_32I = 162, ROCBLAS_R_16BF = 168 };
enum { ROCBLAS_NONE = 111, ROCBLAS_TRANSPOSE = 112 };

typedef int rocblas_gemm_ex(void *handle, int ta, int tb, int m, int n, int k, const void *alpha,
                            const void *a, int a_type, int lda, const void *b, int b_type, int ldb,
                            const void *beta, const void *c, int c_type, int ldc, void *d,
                            int d_type, int ldd, int compute, int algo, int32_t solution,
                            uint32_t flags);

static int gemm_amd(const struct gpu_calls *calls, void *blas, enum gpu_path path, int32_t m,
                    int32_t n, int32_t k, gpu_memory a, gpu_memory b, gpu_memory c)
{
    static const int operand[] = {ROCBLAS_R_32F, ROCBLAS_R_16BF, ROCBLAS_R_8I};
    bool whole = path == GPU_PATH_int8;
    float one = 1, zero = 0;
    int32_t one_whole = 1, zero_whole = 0;
    int result = whole ? ROCBLAS_R_32I : ROCBLAS_R_32F;
    rocblas_gemm_ex *gemm = (rocblas_gemm_ex *)calls->gemm_ex;
    return gemm(blas, ROCBLAS_TRANSPOSE, ROCBLAS_NONE, n, m, k,
                whole ? (const void *)&one_whole : (const void *)&one, pointer_of(b),
                operand[path], k, pointer_of(a), operand[path], k,
                whole ? (const void *)&zero_whole : (const void *)&zero, pointer_of(c), result, n,
                pointer_of(c), result, n, result, 0, 0, 0);
}

const struct gpu_vendor gpu_amd = {
    .name = "AMD",
    .driver = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"},
    .blas = {"librocblas.so.5", "librocblas.so.4", "librocblas.so.3", "librocblas.so.0",
             "librocblas.so"},
    .compiler = {"libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "libhiprtc.so"},
    .driver_functions = {
        AT(init, "hipInit"), AT(driver_version, "hipDriverGetVersion"),
        AT(device_count, "hipGetDeviceCount"), AT(device_get, "hipDeviceGet"),
        AT(device_name, "hipDeviceGetName"), AT(device_address, "hipDeviceGetPCIBusId"),
        AT(device_memory, "hipDeviceTotalMem"), AT(device_attribute, "hipDeviceGetAttribute"),
        AT(context_retain, "hipDevicePrimaryCtxRetain"),
        AT(context_release, "hipDevicePrimaryCtxRelease"), AT(context_set, "hipCtxSetCurrent"),
        AT(take, "hipMalloc"), AT(drop, "hipFree"), AT(write, "hipMemcpyHtoD"),
        AT(read, "hipMemcpyDtoH"), AT(wait, "hipDeviceSynchronize"),
        AT(module_load, "hipModuleLoadData"), AT(module_unload, "hipModuleUnload"),
        AT(module_function, "hipModuleGetFunction"), AT(launch, "hipModuleLaunchKernel"),
        AT(error_text_direct, "hipGetErrorString")},
    .blas_functions = {AT(blas_create, "rocblas_create_handle"),
                       AT(blas_destroy, "rocblas_destroy_handle"), AT(gemm_ex, "rocblas_gemm_ex"),
                       MAYBE(blas_version_text, "rocblas_get_version_string")},
    .compiler_functions = {
        AT(program_create, "hiprtcCreateProgram"), AT(program_compile, "hiprtcCompileProgram"),
        AT(program_log_size, "hiprtcGetProgramLogSize"), AT(program_log, "hiprtcGetProgramLog"),
        AT(program_code_size, "hiprtcGetCodeSize"), AT(program_code, "hiprtcGetCode"),
        AT(program_destroy, "hiprtcDestroyProgram")},
    .gemm = gemm_amd,
    .attribute_processors = -1, /* the numbers moved between HIP 5 and 6 */
    .attribute_major = -1,
    .attribute_minor = -1,
};
