/* gpu_stdint.h: what a GPU's compiler is given as stdint.h; it has no system headers. 64-bit
 * pointers, as on every machine that its libraries are for. */
#ifndef DOJIMA_WORK_GPU_STDINT_H
#define DOJIMA_WORK_GPU_STDINT_H

typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef unsigned long long uintptr_t;

#define INT32_C(x) x
#define UINT32_C(x) x##u
#define INT64_C(x) x##ll
#define UINT64_C(x) x##ull
#define INT8_MIN (-128)
#define INT8_MAX 127
#define INT16_MAX 32767
#define INT32_MIN (-2147483647 - 1)
#define INT32_MAX 2147483647
#define UINT32_MAX 0xffffffffu
#define INT64_MIN (-9223372036854775807ll - 1)
#define INT64_MAX 9223372036854775807ll
#define UINT64_MAX 0xffffffffffffffffull

#endif
