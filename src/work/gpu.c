/* gpu.c: see gpu.h. */
#include "work/gpu.h"

#include "work/gpu_text.h"
#include "work/gpu_vendor.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KERNELS_MAX = 32 };

struct vendor_gpu {
    struct gpu gpu; /* first: what the verbs get */
    const struct gpu_vendor *vendor;
    struct gpu_calls calls;
    void *driver, *blas_library, *compiler; /* what dlopen gave */
    int device;
    void *context, *blas, *module;
    void *kernels[KERNELS_MAX];
};

static struct vendor_gpu *of(struct gpu *g) { return (struct vendor_gpu *)g; }

__attribute__((format(printf, 2, 3)))
static int fail(struct vendor_gpu *v, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(v->gpu.error, sizeof v->gpu.error, format, list);
    va_end(list);
    return -1;
}

/* The driver's verdict on a call, as 0 or -1 and the sentence. */
static int check(struct vendor_gpu *v, const char *what, int error)
{
    if (error == 0) return 0;
    const char *text = NULL;
    if (v->calls.error_text != NULL) (void)v->calls.error_text(error, &text);
    else if (v->calls.error_text_direct != NULL) text = v->calls.error_text_direct(error);
    return fail(v, "%s's driver: %s: %s (%d)", v->vendor->name, what, text != NULL ? text : "error",
                error);
}

/* ---- libraries ---- */

static void *library_open(const char *const *names)
{
    for (int i = 0; i < GPU_LIBRARY_NAMES && names[i] != NULL; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (library != NULL) return library;
    }
    return NULL;
}

static int functions_find(struct vendor_gpu *v, void *library, const struct gpu_function *functions,
                          int count)
{
    for (int i = 0; i < count && functions[i].name != NULL; i++) {
        void *address = dlsym(library, functions[i].name);
        if (address == NULL && !functions[i].optional)
            return fail(v, "%s's library has no %s", v->vendor->name, functions[i].name);
        memcpy((char *)&v->calls + functions[i].at, &address, sizeof address);
    }
    return 0;
}

/* The driver alone says whether there is a device; the other two are asked for when there is. */
static int driver_open(struct vendor_gpu *v)
{
    int count = 0;
    v->driver = library_open(v->vendor->driver);
    if (v->driver == NULL) return fail(v, "%s's driver is not there", v->vendor->name);
    if (functions_find(v, v->driver, v->vendor->driver_functions, GPU_FUNCTIONS_MAX) != 0)
        return -1;
    if (check(v, "start", v->calls.init(0)) != 0) return -1;
    if (check(v, "count of devices", v->calls.device_count(&count)) != 0) return -1;
    if (count == 0) return fail(v, "%s's driver has no device", v->vendor->name);
    if (check(v, "device", v->calls.device_get(&v->device, 0)) != 0) return -1;
    if (check(v, "context", v->calls.context_retain(&v->context, v->device)) != 0) return -1;
    return check(v, "context", v->calls.context_set(v->context));
}

static int libraries_open(struct vendor_gpu *v)
{
    v->blas_library = library_open(v->vendor->blas);
    if (v->blas_library == NULL)
        return fail(v, "%s's %s is not there", v->vendor->name, v->vendor->blas[0]);
    if (functions_find(v, v->blas_library, v->vendor->blas_functions, GPU_LIBRARY_NAMES) != 0)
        return -1;
    v->compiler = library_open(v->vendor->compiler);
    if (v->compiler == NULL)
        return fail(v, "%s's %s is not there", v->vendor->name, v->vendor->compiler[0]);
    if (functions_find(v, v->compiler, v->vendor->compiler_functions, 8) != 0) return -1;
    int error = v->calls.blas_create(&v->blas);
    return error == 0 ? 0 : fail(v, "%s's product library does not start (%d)", v->vendor->name,
                                 error);
}

static int32_t attribute(struct vendor_gpu *v, int32_t number)
{
    int value = 0;
    if (number < 0 || v->calls.device_attribute(&value, number, v->device) != 0) return 0;
    return value;
}

static int facts_read(struct vendor_gpu *v)
{
    struct gpu_facts *f = &v->gpu.facts;
    size_t bytes = 0;
    int version = 0;
    char text[32] = "";
    (void)snprintf(f->vendor, sizeof f->vendor, "%s", v->vendor->name);
    if (check(v, "name", v->calls.device_name(f->name, sizeof f->name, v->device)) != 0 ||
        check(v, "memory", v->calls.device_memory(&bytes, v->device)) != 0 ||
        check(v, "version", v->calls.driver_version(&version)) != 0) return -1;
    if (v->calls.device_address(f->address, sizeof f->address, v->device) != 0) f->address[0] = 0;
    f->memory = bytes;
    f->processors = attribute(v, v->vendor->attribute_processors);
    f->capability = 10 * attribute(v, v->vendor->attribute_major) +
                    attribute(v, v->vendor->attribute_minor);
    (void)snprintf(f->driver, sizeof f->driver, "%s %d.%d",
                   v->vendor == &gpu_nvidia ? "CUDA" : "HIP", version / 1000, version % 1000 / 10);
    if (v->calls.blas_version != NULL && v->calls.blas_version(v->blas, &version) == 0)
        (void)snprintf(f->blas, sizeof f->blas, "cuBLAS %d.%d.%d", version / 10000,
                       version / 100 % 100, version % 100);
    else if (v->calls.blas_version_text != NULL &&
             v->calls.blas_version_text(text, sizeof text) == 0)
        (void)snprintf(f->blas, sizeof f->blas, "rocBLAS %s", text);
    return 0;
}

/* ---- verbs ---- */

static gpu_memory vendor_take(struct gpu *g, uint64_t bytes)
{
    struct vendor_gpu *v = of(g);
    uint64_t memory = 0;
    if (check(v, "memory", v->calls.take(&memory, bytes > 0 ? bytes : 1)) != 0) return 0;
    return memory;
}

static void vendor_drop(struct gpu *g, gpu_memory memory)
{
    if (memory != 0) (void)of(g)->calls.drop(memory);
}

static int vendor_write(struct gpu *g, gpu_memory to, const void *from, uint64_t bytes)
{
    return check(of(g), "write", of(g)->calls.write(to, from, bytes));
}

static int vendor_read(struct gpu *g, void *to, gpu_memory from, uint64_t bytes)
{
    return check(of(g), "read", of(g)->calls.read(to, from, bytes));
}

static int vendor_gemm(struct gpu *g, enum gpu_path path, int32_t m, int32_t n, int32_t k,
                       gpu_memory a, gpu_memory b, gpu_memory c)
{
    struct vendor_gpu *v = of(g);
    int error = v->vendor->gemm(&v->calls, v->blas, path, m, n, k, a, b, c);
    if (error == 0) return 0;
    return fail(v, "%s does not multiply %d x %d by %d x %d (status %d)", v->gpu.facts.blas, m, k,
                k, n, error);
}

static int vendor_launch(struct gpu *g, int32_t kernel, uint32_t blocks, uint32_t threads,
                         struct gpu_argument *arguments, int32_t count)
{
    struct vendor_gpu *v = of(g);
    void *pointers[GPU_ARGUMENTS_MAX];
    for (int32_t i = 0; i < count; i++) pointers[i] = &arguments[i].as;
    return check(v, "kernel", v->calls.launch(v->kernels[kernel], blocks, 1, 1, threads, 1, 1, 0,
                                              NULL, pointers, NULL));
}

static int vendor_wait(struct gpu *g) { return check(of(g), "wait", of(g)->calls.wait()); }

static void vendor_close(struct gpu *g)
{
    struct vendor_gpu *v = of(g);
    if (v->module != NULL) (void)v->calls.module_unload(v->module);
    if (v->blas != NULL) (void)v->calls.blas_destroy(v->blas);
    if (v->context != NULL) (void)v->calls.context_release(v->device);
    if (v->compiler != NULL) (void)dlclose(v->compiler);
    if (v->blas_library != NULL) (void)dlclose(v->blas_library);
    if (v->driver != NULL) (void)dlclose(v->driver);
    free(v);
}

/* ---- kernels ---- */

/* What the compiler said, its first line, into the error. */
static int compile_failed(struct vendor_gpu *v, void *program)
{
    size_t size = 0;
    char *log = NULL;
    if (v->calls.program_log_size(program, &size) == 0 && size > 0) log = calloc(1, size + 1);
    if (log != NULL && v->calls.program_log(program, log) == 0) {
        if (getenv("DOJIMA_GPU_LOG") != NULL) (void)fprintf(stderr, "%s\n", log);
        log[strcspn(log, "\n")] = 0;
        (void)fail(v, "kernels do not compile: %s", log);
    } else (void)fail(v, "kernels do not compile");
    free(log);
    return -1;
}

static int kernels_load(struct vendor_gpu *v, void *program, const char *const *names,
                        int32_t count)
{
    size_t size = 0;
    if (v->calls.program_code_size(program, &size) != 0 || size == 0)
        return fail(v, "the compiler of kernels gives no code");
    char *code = malloc(size);
    if (code == NULL) return fail(v, "no memory");
    int status = v->calls.program_code(program, code) == 0
                     ? check(v, "code", v->calls.module_load(&v->module, code))
                     : fail(v, "the compiler of kernels gives no code");
    free(code);
    for (int32_t i = 0; status == 0 && i < count; i++)
        status = check(v, names[i],
                       v->calls.module_function(&v->kernels[i], v->module, names[i]));
    return status;
}

static int vendor_build(struct gpu *g, const char *const *names, int32_t count)
{
    struct vendor_gpu *v = of(g);
    static const char *const headers[] = {"stdint.h", "proof/fingerprint.h", "work/fixed.h"};
    static const char *const texts[] = {gpu_text_stdint, gpu_text_fingerprint, gpu_text_fixed};
    char architecture[48];
    const char *const nvidia[] = {"-DDOJIMA_DEVICE=1", "-std=c++17", architecture};
    const char *const amd[] = {"-DDOJIMA_DEVICE=1", "-std=c++17"};
    void *program = NULL;
    if (count > KERNELS_MAX) return fail(v, "more than %d kernels", KERNELS_MAX);
    if (v->module != NULL) return 0;
    (void)snprintf(architecture, sizeof architecture, "--gpu-architecture=sm_%d",
                   v->gpu.facts.capability);
    if (v->calls.program_create(&program, gpu_text_kernels, "gpu_kernels.h", 3, texts, headers) !=
        0)
        return fail(v, "the compiler of kernels does not start");
    int status = v->vendor == &gpu_nvidia ? v->calls.program_compile(program, 3, nvidia)
                                          : v->calls.program_compile(program, 2, amd);
    status = status != 0 ? compile_failed(v, program) : kernels_load(v, program, names, count);
    (void)v->calls.program_destroy(&program);
    return status;
}

/* ---- opening ---- */

static const struct gpu_verbs verbs = {
    .take = vendor_take, .drop = vendor_drop, .write = vendor_write, .read = vendor_read,
    .gemm = vendor_gemm, .build = vendor_build, .launch = vendor_launch, .wait = vendor_wait,
    .close = vendor_close};

static struct gpu *vendor_open(const struct gpu_vendor *vendor, char why[static GPU_TEXT_SIZE])
{
    struct vendor_gpu *v = calloc(1, sizeof *v);
    if (v == NULL) {
        (void)snprintf(why, GPU_TEXT_SIZE, "no memory");
        return NULL;
    }
    v->gpu.verbs = &verbs;
    v->gpu.lanes = 32; /* as gpu_kernels.h takes them */
    v->gpu.threads_max = 1024;
    v->vendor = vendor;
    if (driver_open(v) == 0 && libraries_open(v) == 0 && facts_read(v) == 0) return &v->gpu;
    (void)snprintf(why, GPU_TEXT_SIZE, "%s", v->gpu.error);
    vendor_close(&v->gpu);
    return NULL;
}

struct gpu *gpu_open(char why[static GPU_TEXT_SIZE])
{
    static const struct gpu_vendor *const vendors[] = {&gpu_nvidia, &gpu_amd};
    char reasons[2][GPU_TEXT_SIZE];
    for (int i = 0; i < 2; i++) {
        struct gpu *g = vendor_open(vendors[i], reasons[i]);
        if (g != NULL) return g;
    }
    (void)snprintf(why, GPU_TEXT_SIZE, "no GPU: %.70s; %.70s", reasons[0], reasons[1]);
    return NULL;
}
