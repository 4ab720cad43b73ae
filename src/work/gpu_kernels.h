/* gpu_kernels.h: what a GPU does of a decoder between its products.
 *
 * This text is given to the compiler of the GPU's vendor on the machine that runs it (gpu.c), and
 * to the processor's compiler by gpu_decoder_test.c, which runs every kernel with one thread a
 * block and so tests what is computed where there is no GPU. The arithmetic is fixed.h's; here is
 * only which thread does what.
 *
 * A row is one position of one sequence; a block does a row or part of one. Sums, greatest values
 * and fingerprints of a row are of integers, so that the order in which threads add to them does
 * not matter. Sizes of rows are multiples of 16 (work.h).
 *
 * gpu_decoder.c takes the sizes and structs of it alone (GPU_SIZES_ONLY).
 *
 * Upstream: fixed.h, fingerprint.h. Downstream: gpu_decoder.c names the kernels.
 */
#ifndef DOJIMA_WORK_GPU_KERNELS_H
#define DOJIMA_WORK_GPU_KERNELS_H

#ifdef DOJIMA_DEVICE
#ifdef __HIP_DEVICE_COMPILE__
#define GPU_DOT_4(a, b, c) __builtin_amdgcn_sdot4((int)(a), (int)(b), c, false)
#else
#define GPU_DOT_4(a, b, c) __dp4a((int)(a), (int)(b), c)
#endif
#include "stdint.h"
#define GPU_KERNEL extern "C" __global__ void
#define GPU_FUNCTION __device__ static inline
#define GPU_SHARED __shared__ __align__(16)
#define GPU_THREAD threadIdx.x
#define GPU_THREADS blockDim.x
#define GPU_BLOCK blockIdx.x
#define GPU_BLOCKS gridDim.x
#define GPU_SYNC() __syncthreads()
#define GPU_ADD_64(to, v) atomicAdd((unsigned long long *)(to), (unsigned long long)(v))
#define GPU_MAX_32(to, v) atomicMax(to, v)
#define GPU_LANES 32u
#ifdef __HIP_DEVICE_COMPILE__
#define GPU_LANE_OTHER(v, i) __shfl_xor(v, i, 32)
#else
#define GPU_LANE_OTHER(v, i) __shfl_xor_sync(0xffffffffu, v, i)
#endif
#define GPU_UNROLL _Pragma("unroll")
#else
#define GPU_KERNEL static void
#define GPU_FUNCTION static inline
#define GPU_SHARED static
#define GPU_THREAD 0u
#define GPU_THREADS 1u
#define GPU_BLOCK gpu_emulated_block
#define GPU_BLOCKS gpu_emulated_blocks
#define GPU_SYNC() ((void)0)
#define GPU_ADD_64(to, v) (*(to) += (v))
#define GPU_MAX_32(to, v) (*(to) = *(to) < (v) ? (v) : *(to))
#define GPU_LANES 1u
#define GPU_LANE_OTHER(v, i) ((void)(i), (v))
#define GPU_UNROLL
#endif

#include "proof/fingerprint.h"
#include "work/fixed.h"

#define GPU_WARPS_MAX 32u   /* of a block */
#define GPU_GROUP 8u        /* query heads that one block of attention serves */
#define GPU_TILE 128u       /* positions that are in shared memory at once; a multiple of 16 */
#define GPU_SCORES 640u     /* positions whose scores are kept; of others they are made twice */
#define GPU_HEAD_MAX 128u   /* head_size */
#define GPU_HELD 8u         /* loads of a thread that are under way at once */
#define GPU_APART 16u       /* bytes between staged rows, so that threads meet different banks */
#define GPU_ROWS_SMALL 8u   /* rows that `product` takes at once */

/* What every kernel needs to know of the model. */
struct gpu_shape {
    uint32_t width, heads, kv_heads, head_size, hidden, vocabulary;
    uint32_t capacity; /* positions of a slot, a multiple of 16 */
    uint32_t attention_scale;
};

/* A row's place. */
struct gpu_row { uint32_t slot, position, token; };

#ifndef GPU_SIZES_ONLY

struct gpu_four { uint32_t v[4]; }; /* 16 bytes at a time */

#ifdef DOJIMA_DEVICE
GPU_FUNCTION gpu_four gpu_load_four(const void *from)
{
    uint4 v = *(const uint4 *)from;
    struct gpu_four four;
    four.v[0] = v.x;
    four.v[1] = v.y;
    four.v[2] = v.z;
    four.v[3] = v.w;
    return four;
}

GPU_FUNCTION void gpu_store_four(void *to, struct gpu_four four)
{
    uint4 v;
    v.x = four.v[0];
    v.y = four.v[1];
    v.z = four.v[2];
    v.w = four.v[3];
    *(uint4 *)to = v;
}
#else
static int32_t gpu_dot_4(uint32_t a, uint32_t b, int32_t c)
{
    for (int i = 0; i < 4; i++)
        c += (int32_t)(int8_t)(a >> (8 * i)) * (int32_t)(int8_t)(b >> (8 * i));
    return c;
}
#define GPU_DOT_4(a, b, c) gpu_dot_4(a, b, c)

static struct gpu_four gpu_load_four(const void *from)
{
    struct gpu_four four;
    memcpy(&four, from, sizeof four);
    return four;
}

static void gpu_store_four(void *to, struct gpu_four four) { memcpy(to, &four, sizeof four); }
#endif

/* ---- over the lanes of a warp, and all threads of a block ---- */

GPU_FUNCTION int32_t gpu_lane_sum(int32_t v)
{
    for (uint32_t i = GPU_LANES / 2; i > 0; i /= 2) v += GPU_LANE_OTHER(v, (int)i);
    return v;
}

/* `shared`: GPU_WARPS_MAX numbers, free before and after. */
GPU_FUNCTION uint64_t gpu_block_sum(uint64_t value, uint64_t *shared)
{
    uint64_t sum = 0;
    unsigned long long v = value;
    for (uint32_t i = GPU_LANES / 2; i > 0; i /= 2) v += GPU_LANE_OTHER(v, (int)i);
    if (GPU_THREAD % GPU_LANES == 0) shared[GPU_THREAD / GPU_LANES] = v;
    GPU_SYNC();
    for (uint32_t i = 0; i < GPU_THREADS / GPU_LANES; i++) sum += shared[i];
    GPU_SYNC();
    return sum;
}

GPU_FUNCTION uint64_t gpu_block_max(uint64_t value, uint64_t *shared)
{
    uint64_t most = 0;
    unsigned long long v = value;
    for (uint32_t i = GPU_LANES / 2; i > 0; i /= 2) {
        unsigned long long other = GPU_LANE_OTHER(v, (int)i);
        if (other > v) v = other;
    }
    if (GPU_THREAD % GPU_LANES == 0) shared[GPU_THREAD / GPU_LANES] = v;
    GPU_SYNC();
    for (uint32_t i = 0; i < GPU_THREADS / GPU_LANES; i++)
        if (shared[i] > most) most = shared[i];
    GPU_SYNC();
    return most;
}

/* fixed_norm_inverse, with the root from the floating-point unit and put right: the same number in
 * a tenth of the time. */
GPU_FUNCTION uint64_t gpu_norm_inverse(uint64_t sum, uint32_t width)
{
    uint64_t v = sum / width + 1, root = (uint64_t)sqrt((double)v);
    while (root * root > v) root -= 1;
    while ((root + 1) * (root + 1) <= v) root += 1;
    return ((uint64_t)1 << 40) / root;
}

GPU_FUNCTION uint32_t gpu_size(int32_t v)
{
    return v < 0 ? (uint32_t)(-(int64_t)v) : (uint32_t)v;
}

/* Two numbers of a row of C, as the fingerprint takes them. */
GPU_FUNCTION uint64_t gpu_pair(int32_t first, int32_t second)
{
    return (uint64_t)(uint32_t)first | (uint64_t)(uint32_t)second << 32;
}

GPU_FUNCTION uint32_t gpu_scale_of(const uint16_t *scale, uint32_t scale_all, uint32_t column)
{
    return scale != 0 ? scale[column] : scale_all;
}

/* ---- weights and embeddings ---- */

/* Weights of a matrix from its key; 16 at a time. */
GPU_KERNEL gpu_weights(uint64_t key, uint64_t *out, uint64_t blocks)
{
    uint64_t step = (uint64_t)GPU_BLOCKS * GPU_THREADS;
    for (uint64_t i = (uint64_t)GPU_BLOCK * GPU_THREADS + GPU_THREAD; i < blocks; i += step) {
        uint64_t block = fixed_weight_block(key, i), half[2];
        half[0] = 0;
        half[1] = 0;
        for (uint32_t n = 0; n < 16; n++)
            half[n / 8] |= (uint64_t)(uint8_t)fixed_weight(block, n) << (8 * (n & 7u));
        out[2 * i] = half[0];
        out[2 * i + 1] = half[1];
    }
}

/* The token's row of the embedding into the residual stream; one block a row. */
GPU_KERNEL gpu_embed(const int32_t *table, const struct gpu_row *rows, int32_t *x, uint32_t width)
{
    const int32_t *from = table + (uint64_t)rows[GPU_BLOCK].token * width;
    for (uint32_t i = GPU_THREAD; i < width; i += GPU_THREADS)
        x[(uint64_t)GPU_BLOCK * width + i] = from[i];
}

/* Zeros, 8 bytes at a time. */
GPU_KERNEL gpu_clear(uint64_t *out, uint64_t count)
{
    uint64_t step = (uint64_t)GPU_BLOCKS * GPU_THREADS;
    for (uint64_t i = (uint64_t)GPU_BLOCK * GPU_THREADS + GPU_THREAD; i < count; i += step)
        out[i] = 0;
}

/* ---- other types for a product ---- */

GPU_KERNEL gpu_widen_fp32(const int8_t *from, float *to, uint64_t count)
{
    uint64_t step = (uint64_t)GPU_BLOCKS * GPU_THREADS;
    for (uint64_t i = (uint64_t)GPU_BLOCK * GPU_THREADS + GPU_THREAD; i < count; i += step)
        to[i] = (float)from[i];
}

/* bf16 is the upper half of an fp32; integers below 256 lose nothing. */
GPU_KERNEL gpu_widen_bf16(const int8_t *from, uint16_t *to, uint64_t count)
{
    uint64_t step = (uint64_t)GPU_BLOCKS * GPU_THREADS;
    for (uint64_t i = (uint64_t)GPU_BLOCK * GPU_THREADS + GPU_THREAD; i < count; i += step) {
        union { float f; uint32_t u; } bits;
        bits.f = (float)from[i];
        to[i] = (uint16_t)(bits.u >> 16);
    }
}

/* Sums in fp32 as integers, in their own place. */
GPU_KERNEL gpu_narrow(int32_t *c, uint64_t count)
{
    uint64_t step = (uint64_t)GPU_BLOCKS * GPU_THREADS;
    for (uint64_t i = (uint64_t)GPU_BLOCK * GPU_THREADS + GPU_THREAD; i < count; i += step) {
        union { int32_t i; float f; } bits;
        bits.i = c[i];
        c[i] = (int32_t)bits.f;
    }
}

/* ---- a product in integers, without a library ---- */

/* c[rows x columns] = a[rows x depth] b; b[columns x depth]. The lanes of a warp share a column;
 * GPU_ROWS_SMALL rows at a time, so that each weight is read once for them. */
GPU_KERNEL gpu_product(const int8_t *a, const int8_t *b, int32_t *c, uint32_t rows,
                       uint32_t columns, uint32_t depth)
{
    uint32_t lane = GPU_THREAD % GPU_LANES, warps = GPU_THREADS / GPU_LANES;
    uint32_t groups = (rows + GPU_ROWS_SMALL - 1) / GPU_ROWS_SMALL;
    uint32_t first = GPU_BLOCK % groups * GPU_ROWS_SMALL;
    uint32_t column = GPU_BLOCK / groups * warps + GPU_THREAD / GPU_LANES;
    int32_t sum[GPU_ROWS_SMALL];
    GPU_UNROLL
    for (uint32_t r = 0; r < GPU_ROWS_SMALL; r++) sum[r] = 0;
    if (column >= columns) return;
    const int8_t *weights = b + (uint64_t)column * depth;
    for (uint32_t k = lane * 16; k < depth; k += GPU_LANES * 16) {
        struct gpu_four w = gpu_load_four(weights + k);
        GPU_UNROLL
        for (uint32_t r = 0; r < GPU_ROWS_SMALL; r++) {
            if (first + r >= rows) continue;
            struct gpu_four x = gpu_load_four(a + (uint64_t)(first + r) * depth + k);
            GPU_UNROLL
            for (int i = 0; i < 4; i++) sum[r] = GPU_DOT_4(x.v[i], w.v[i], sum[r]);
        }
    }
    GPU_UNROLL
    for (uint32_t r = 0; r < GPU_ROWS_SMALL; r++) {
        int32_t all = gpu_lane_sum(sum[r]);
        if (lane == 0 && first + r < rows) c[(uint64_t)(first + r) * columns + column] = all;
    }
}

/* ---- rows ---- */

/* Eight numbers of a row. */
GPU_FUNCTION void gpu_load_eight(const int32_t *from, int32_t *to)
{
    struct gpu_four low = gpu_load_four(from), high = gpu_load_four(from + 4);
    GPU_UNROLL
    for (int n = 0; n < 4; n++) {
        to[n] = (int32_t)low.v[n];
        to[4 + n] = (int32_t)high.v[n];
    }
}

/* Eight numbers of the residual stream take those of a product; returns the part of their
 * fingerprint. */
GPU_FUNCTION uint64_t gpu_residual(int32_t *values, const int32_t *products, uint32_t i,
                                   uint32_t top, const uint16_t *scale, uint32_t scale_all,
                                   uint32_t shift, int32_t *x)
{
    int32_t c[8];
    uint64_t part = 0;
    gpu_load_eight(products + 8 * i, c);
    gpu_load_eight(values + 8 * i, x);
    GPU_UNROLL
    for (uint32_t n = 0; n < 8; n++) {
        uint32_t s = gpu_scale_of(scale, scale_all, 8 * i + n);
        x[n] = fixed_clamp(x[n] + fixed_scale(c[n], top, s, shift), FIXED_RESIDUAL_MAX);
    }
    GPU_UNROLL
    for (uint32_t n = 0; n < 4; n++)
        part += fingerprint_part(gpu_pair(c[2 * n], c[2 * n + 1]), 4 * i + n);
    GPU_UNROLL
    for (uint32_t n = 0; n < 8; n++) values[8 * i + n] = x[n];
    return part;
}

/* Eight numbers normed. */
GPU_FUNCTION void gpu_normed(const int32_t *values, uint32_t i, uint64_t inverse,
                             const int32_t *gain, int32_t *x)
{
    gpu_load_eight(values + 8 * i, x);
    GPU_UNROLL
    for (uint32_t n = 0; n < 8; n++)
        x[n] = fixed_norm(x[n], inverse, gain != 0 ? gain[8 * i + n] : FIXED_GAIN_ONE);
}

/* The residual stream takes what a product gave (c 0: nothing); the row is normed and quantised for
 * the next product (a 0: not). One block a row; `list` 0: all rows, else where each stands in x and
 * c. `fingerprint_c` and `top_c` are of the product before, the others of the next. */
GPU_KERNEL gpu_norm(int32_t *x, const int32_t *c, const uint32_t *top_c, const uint16_t *scale,
                    uint32_t scale_all, uint32_t shift, uint64_t *fingerprint_c,
                    const int32_t *gain, int8_t *a, uint32_t *top_a, uint64_t *fingerprint_a,
                    const uint32_t *list, uint32_t width)
{
    GPU_SHARED uint64_t shared[GPU_WARPS_MAX];
    uint32_t row = list != 0 ? list[GPU_BLOCK] : GPU_BLOCK, out = GPU_BLOCK, top = 1;
    int32_t *values = x + (uint64_t)row * width, eight[8];
    const int32_t *products = c != 0 ? c + (uint64_t)row * width : 0;
    uint64_t squares = 0, part = 0;
    for (uint32_t i = GPU_THREAD; i < width / 8; i += GPU_THREADS) {
        if (c != 0)
            part += gpu_residual(values, products, i, top_c[row], scale, scale_all, shift, eight);
        else gpu_load_eight(values + 8 * i, eight);
        GPU_UNROLL
        for (uint32_t n = 0; n < 8; n++) squares += (uint64_t)((int64_t)eight[n] * eight[n]);
    }
    if (c != 0) {
        part = gpu_block_sum(part, shared);
        if (GPU_THREAD == 0) fingerprint_c[2 * (uint64_t)row] = part;
    }
    if (a == 0) return;
    uint64_t inverse = gpu_norm_inverse(gpu_block_sum(squares, shared), width);
    for (uint32_t i = GPU_THREAD; i < width / 8; i += GPU_THREADS) {
        gpu_normed(values, i, inverse, gain, eight); /* its own: the thread wrote them above */
        GPU_UNROLL
        for (uint32_t n = 0; n < 8; n++)
            if (gpu_size(eight[n]) > top) top = gpu_size(eight[n]);
    }
    top = (uint32_t)gpu_block_max(top, shared);
    uint64_t factor = fixed_quantise_inverse(top);
    part = 0;
    for (uint32_t i = GPU_THREAD; i < width / 8; i += GPU_THREADS) {
        uint64_t bytes = 0;
        gpu_normed(values, i, inverse, gain, eight);
        GPU_UNROLL
        for (uint32_t n = 0; n < 8; n++)
            bytes |= (uint64_t)(uint8_t)fixed_quantise(eight[n], factor) << (8 * n);
        ((uint64_t *)a)[(uint64_t)out * (width / 8) + i] = bytes;
        part += fingerprint_part(bytes, i);
    }
    part = gpu_block_sum(part, shared);
    if (GPU_THREAD == 0) {
        fingerprint_a[2 * (uint64_t)row] = part;
        top_a[out] = top;
    }
}

/* Rows of numbers whose greatest sizes are known, as int8. `parts` blocks a row; the rows of v are
 * `stride` apart. */
GPU_KERNEL gpu_quantise(const int32_t *v, uint64_t stride, uint32_t *tops, int8_t *a,
                        uint64_t *fingerprint, uint32_t width, uint32_t parts)
{
    GPU_SHARED uint64_t shared[GPU_WARPS_MAX];
    uint32_t row = GPU_BLOCK / parts, part_index = GPU_BLOCK % parts;
    const int32_t *values = v + (uint64_t)row * stride;
    uint32_t top = tops[row] > 1 ? tops[row] : 1;
    uint64_t factor = fixed_quantise_inverse(top), part = 0;
    for (uint32_t i = part_index * GPU_THREADS + GPU_THREAD; i < width / 8;
         i += parts * GPU_THREADS) {
        uint64_t bytes = 0;
        int32_t eight[8];
        gpu_load_eight(values + 8 * i, eight);
        GPU_UNROLL
        for (uint32_t n = 0; n < 8; n++)
            bytes |= (uint64_t)(uint8_t)fixed_quantise(eight[n], factor) << (8 * n);
        ((uint64_t *)a)[(uint64_t)row * (width / 8) + i] = bytes;
        part += fingerprint_part(bytes, i);
    }
    part = gpu_block_sum(part, shared);
    if (GPU_THREAD == 0) GPU_ADD_64(&fingerprint[2 * (uint64_t)row], part);
}

/* ---- attention ---- */

/* One head of a row: q is rotated, k rotated and kept, v kept, the other way round. */
GPU_KERNEL gpu_qkv(const struct gpu_shape *shape, const struct gpu_row *rows, const int32_t *c,
                   const uint32_t *tops, const uint16_t *scale, uint32_t scale_all, uint32_t shift,
                   uint64_t *fingerprint, const uint64_t *frequency, int8_t *q, int8_t *keys,
                   int8_t *values)
{
    GPU_SHARED uint64_t shared[GPU_WARPS_MAX];
    uint32_t size = shape->head_size, half = size / 2;
    uint32_t all = shape->heads + 2 * shape->kv_heads, columns = all * size;
    uint32_t row = GPU_BLOCK / all, head = GPU_BLOCK % all;
    const int32_t *from = c + (uint64_t)row * columns + head * size;
    struct gpu_row place = rows[row];
    uint32_t top = tops[row], capacity = shape->capacity;
    uint64_t part = 0;
    for (uint32_t i = GPU_THREAD; i < half; i += GPU_THREADS) {
        part += fingerprint_part(gpu_pair(from[2 * i], from[2 * i + 1]), head * half + i);
        uint32_t one = head * size + i, two = one + half;
        int32_t first = fixed_clamp(fixed_scale(from[i], top, gpu_scale_of(scale, scale_all, one),
                                                shift), FIXED_WIDE_MAX);
        int32_t second = fixed_clamp(fixed_scale(from[i + half], top,
                                                 gpu_scale_of(scale, scale_all, two), shift),
                                     FIXED_WIDE_MAX);
        if (head >= shape->heads + shape->kv_heads) {
            uint32_t kv = head - shape->heads - shape->kv_heads;
            uint64_t at = ((uint64_t)place.slot * shape->kv_heads + kv) * size * capacity;
            values[at + (uint64_t)i * capacity + place.position] = (int8_t)fixed_narrow(first);
            values[at + (uint64_t)(i + half) * capacity + place.position] =
                (int8_t)fixed_narrow(second);
            continue;
        }
        uint32_t turn = fixed_turn(frequency[i], place.position);
        int32_t sine = fixed_sine(turn), cosine = fixed_sine(turn + 0x40000000u);
        int8_t *to = q + ((uint64_t)row * shape->heads + head) * size;
        if (head >= shape->heads) {
            uint32_t kv = head - shape->heads;
            to = keys + (((uint64_t)place.slot * shape->kv_heads + kv) * capacity +
                         place.position) * size;
        }
        to[i] = (int8_t)fixed_rotate_first(first, second, cosine, sine);
        to[i + half] = (int8_t)fixed_rotate_second(first, second, cosine, sine);
    }
    part = gpu_block_sum(part, shared);
    if (GPU_THREAD == 0) GPU_ADD_64(&fingerprint[2 * (uint64_t)row], part);
}

/* Scores of one key with `heads` queries (q: rows of `size`, in shared memory). */
GPU_FUNCTION void gpu_scores(const int8_t *q, const int8_t *key, uint32_t heads, uint32_t size,
                             int32_t *scores)
{
    GPU_UNROLL
    for (uint32_t h = 0; h < GPU_GROUP; h++) scores[h] = 0;
    for (uint32_t k = 0; k < size; k += 16) {
        struct gpu_four w = gpu_load_four(key + k);
        GPU_UNROLL
        for (uint32_t h = 0; h < GPU_GROUP; h++) {
            if (h >= heads) continue;
            struct gpu_four x = gpu_load_four(q + h * size + k);
            GPU_UNROLL
            for (int i = 0; i < 4; i++) scores[h] = GPU_DOT_4(x.v[i], w.v[i], scores[h]);
        }
    }
}

/* `count` rows of `size` bytes, `stride` apart, into shared memory, `apart` bytes apart. Many loads
 * are under way before the first is stored. */
GPU_FUNCTION void gpu_stage(struct gpu_four *stage, uint32_t apart, const int8_t *from,
                            uint32_t count, uint32_t size, uint64_t stride)
{
    uint32_t fours = size / 16, all = count * fours;
    struct gpu_four held[GPU_HELD];
    for (uint32_t first = GPU_THREAD; first < all; first += GPU_HELD * GPU_THREADS) {
        GPU_UNROLL
        for (uint32_t n = 0; n < GPU_HELD; n++) {
            uint32_t i = first + n * GPU_THREADS;
            if (i < all) held[n] = gpu_load_four(from + i / fours * stride + 16 * (i % fours));
        }
        GPU_UNROLL
        for (uint32_t n = 0; n < GPU_HELD; n++) {
            uint32_t i = first + n * GPU_THREADS;
            if (i < all) stage[i / fours * (apart / 16) + i % fours] = held[n];
        }
    }
}

/* The scores of the staged keys, position by position from `tile`; the greatest by head. */
GPU_FUNCTION void gpu_score(const int8_t *q, const int8_t *stage, uint32_t heads, uint32_t size,
                            uint32_t tile, uint32_t count, int32_t *kept, int32_t *most)
{
    int32_t scores[GPU_GROUP];
    for (uint32_t p = GPU_THREAD; p < count; p += GPU_THREADS) {
        gpu_scores(q, stage + p * (size + GPU_APART), heads, size, scores);
        GPU_UNROLL
        for (uint32_t h = 0; h < GPU_GROUP; h++) {
            if (scores[h] > most[h]) most[h] = scores[h];
            if (tile < GPU_SCORES) kept[h * GPU_SCORES + tile + p] = scores[h];
        }
    }
}

/* The counts of GPU_TILE positions from `tile`, by head; what is not seen counts 0. Adds them up by
 * thread, two heads in one number. Scores that were not kept are made again from staged keys. */
GPU_FUNCTION void gpu_count(const int8_t *q, const int8_t *stage, uint32_t heads, uint32_t size,
                            uint32_t scale, uint32_t tile, uint32_t count, const int32_t *kept,
                            const int32_t *most, int8_t *counts, uint64_t *total)
{
    int32_t scores[GPU_GROUP];
    for (uint32_t p = GPU_THREAD; p < GPU_TILE; p += GPU_THREADS) {
        bool seen = p < count;
        if (seen && tile >= GPU_SCORES)
            gpu_scores(q, stage + p * (size + GPU_APART), heads, size, scores);
        GPU_UNROLL
        for (uint32_t h = 0; h < GPU_GROUP; h++) {
            int32_t n = 0;
            if (seen && h < heads) {
                int32_t s = tile < GPU_SCORES ? kept[h * GPU_SCORES + tile + p] : scores[h];
                n = fixed_attention(most[h] - s, scale);
            }
            counts[h * GPU_TILE + p] = (int8_t)n;
            total[h / 2] += (uint64_t)(uint32_t)n << (32 * (h & 1u));
        }
    }
}

/* Of one value's element over a tile: sums by head. */
GPU_FUNCTION void gpu_weigh(const int8_t *counts, const int8_t *value, uint32_t end, int32_t *sums)
{
    for (uint32_t p = 0; p < end; p += 16) {
        struct gpu_four w = gpu_load_four(value + p);
        GPU_UNROLL
        for (uint32_t h = 0; h < GPU_GROUP; h++) {
            struct gpu_four n = gpu_load_four(counts + h * GPU_TILE + p);
            GPU_UNROLL
            for (int i = 0; i < 4; i++) sums[h] = GPU_DOT_4(n.v[i], w.v[i], sums[h]);
        }
    }
}

/* One element of each head, `size` apart: sums over counts. Returns the greatest size, or top. */
GPU_FUNCTION uint32_t gpu_means(const int32_t *sums, const uint64_t *total, uint32_t heads,
                                uint32_t size, uint32_t top, int32_t *to)
{
    GPU_UNROLL
    for (uint32_t h = 0; h < GPU_GROUP; h++) {
        if (h >= heads) continue;
        uint32_t counted = (uint32_t)(total[h / 2] >> (32 * (h & 1u)));
        int32_t mean = fixed_mean(sums[h], (int32_t)counted);
        to[h * size] = mean;
        if (gpu_size(mean) > top) top = gpu_size(mean);
    }
    return top;
}

/* One row, the query heads of one head of keys and values (at most GPU_GROUP of them a block):
 * scores and the greatest of them; then, tile by tile, counts and the sums of the values that they
 * weigh. Each thread has one element of the values in each round. */
GPU_KERNEL gpu_attention(const struct gpu_shape *shape, const struct gpu_row *rows, const int8_t *q,
                         const int8_t *keys, const int8_t *values, int32_t *out, uint32_t *tops)
{
    GPU_SHARED struct gpu_four stage[GPU_TILE * (GPU_HEAD_MAX + GPU_APART) / 16];
    GPU_SHARED struct gpu_four queries[GPU_GROUP * GPU_HEAD_MAX / 16];
    GPU_SHARED struct gpu_four counts[GPU_GROUP * GPU_TILE / 16];
    GPU_SHARED int32_t kept[GPU_GROUP * GPU_SCORES];
    GPU_SHARED uint64_t shared[GPU_WARPS_MAX];
    uint32_t size = shape->head_size, group = shape->heads / shape->kv_heads;
    uint32_t chunks = (group + GPU_GROUP - 1) / GPU_GROUP;
    uint32_t row = GPU_BLOCK / (shape->kv_heads * chunks);
    uint32_t kv = GPU_BLOCK / chunks % shape->kv_heads, chunk = GPU_BLOCK % chunks;
    uint32_t first = kv * group + chunk * GPU_GROUP;
    uint32_t heads = group - chunk * GPU_GROUP < GPU_GROUP ? group - chunk * GPU_GROUP : GPU_GROUP;
    struct gpu_row place = rows[row];
    uint32_t length = place.position + 1, capacity = shape->capacity, top = 1;
    uint64_t base = ((uint64_t)place.slot * shape->kv_heads + kv) * size * capacity;
    const int8_t *query = (const int8_t *)queries, *staged = (const int8_t *)stage;
    const int8_t *from = q + ((uint64_t)row * shape->heads + first) * size;
    int32_t most[GPU_GROUP], sums[GPU_GROUP];
    for (uint32_t i = GPU_THREAD; i < heads * size / 16; i += GPU_THREADS)
        queries[i] = gpu_load_four(from + 16 * i);
    GPU_UNROLL
    for (uint32_t h = 0; h < GPU_GROUP; h++) most[h] = INT32_MIN;
    for (uint32_t tile = 0; tile < length; tile += GPU_TILE) {
        uint32_t count = length - tile < GPU_TILE ? length - tile : GPU_TILE;
        GPU_SYNC();
        gpu_stage(stage, size + GPU_APART, keys + base + (uint64_t)tile * size, count, size, size);
        GPU_SYNC();
        gpu_score(query, staged, heads, size, tile, count, kept, most);
    }
    GPU_UNROLL
    for (uint32_t h = 0; h < GPU_GROUP; h++) /* moved up, since the block's maximum is unsigned */
        most[h] = (int32_t)((int64_t)gpu_block_max((uint64_t)((int64_t)most[h] + 2147483648ll),
                                                   shared) - 2147483648ll);
    for (uint32_t round = 0; round < size; round += GPU_THREADS) {
        uint32_t d = round + GPU_THREAD;
        uint64_t total[GPU_GROUP / 2];
        GPU_UNROLL
        for (uint32_t h = 0; h < GPU_GROUP; h++) {
            sums[h] = 0;
            total[h / 2] = 0;
        }
        for (uint32_t tile = 0; tile < length; tile += GPU_TILE) {
            uint32_t count = length - tile < GPU_TILE ? length - tile : GPU_TILE;
            GPU_SYNC();
            if (tile >= GPU_SCORES) {
                gpu_stage(stage, size + GPU_APART, keys + base + (uint64_t)tile * size, count,
                          size, size);
                GPU_SYNC();
            }
            gpu_count(query, staged, heads, size, shape->attention_scale, tile, count, kept, most,
                      (int8_t *)counts, total);
            GPU_SYNC();
            /* whole sixteens: what is behind the last position counts 0 */
            gpu_stage(stage, GPU_TILE + GPU_APART, values + base + tile, size,
                      (count + 15) / 16 * 16, capacity);
            GPU_SYNC();
            if (d < size)
                gpu_weigh((const int8_t *)counts, staged + d * (GPU_TILE + GPU_APART), count,
                          sums);
        }
        GPU_UNROLL
        for (uint32_t h = 0; h < GPU_GROUP / 2; h++) total[h] = gpu_block_sum(total[h], shared);
        if (d < size)
            top = gpu_means(sums, total, heads, size, top,
                            out + (uint64_t)row * shape->width + first * size + d);
    }
    GPU_MAX_32(&tops[row], top);
}

/* ---- MLP and head ---- */

/* silu(gate) x up, into the gate's place in c. `parts` blocks a row. */
GPU_KERNEL gpu_swiglu(int32_t *c, const uint32_t *top_c, const uint16_t *scale, uint32_t scale_all,
                      uint32_t shift, uint64_t *fingerprint, uint32_t *tops, uint32_t hidden,
                      uint32_t parts)
{
    GPU_SHARED uint64_t shared[GPU_WARPS_MAX];
    uint32_t row = GPU_BLOCK / parts, part_index = GPU_BLOCK % parts;
    int32_t *gates = c + (uint64_t)row * 2 * hidden, *ups = gates + hidden;
    uint32_t before = top_c[row], top = 1;
    uint64_t part = 0;
    for (uint32_t i = part_index * GPU_THREADS + GPU_THREAD; i < hidden / 4;
         i += parts * GPU_THREADS) {
        struct gpu_four g = gpu_load_four(gates + 4 * i), u = gpu_load_four(ups + 4 * i);
        GPU_UNROLL
        for (uint32_t n = 0; n < 2; n++) {
            uint64_t gate_pair = g.v[2 * n] | (uint64_t)g.v[2 * n + 1] << 32;
            uint64_t up_pair = u.v[2 * n] | (uint64_t)u.v[2 * n + 1] << 32;
            part += fingerprint_part(gate_pair, 2 * i + n);
            part += fingerprint_part(up_pair, hidden / 2 + 2 * i + n);
        }
        GPU_UNROLL
        for (uint32_t n = 0; n < 4; n++) {
            uint32_t gate_scale = gpu_scale_of(scale, scale_all, 4 * i + n);
            uint32_t up_scale = gpu_scale_of(scale, scale_all, hidden + 4 * i + n);
            int32_t gate = fixed_clamp(fixed_scale((int32_t)g.v[n], before, gate_scale, shift),
                                       FIXED_GATE_MAX);
            int32_t up = fixed_clamp(fixed_scale((int32_t)u.v[n], before, up_scale, shift),
                                     FIXED_UP_MAX);
            int32_t v = fixed_swiglu(gate, up);
            g.v[n] = (uint32_t)v;
            if (gpu_size(v) > top) top = gpu_size(v);
        }
        gpu_store_four(gates + 4 * i, g);
    }
    top = (uint32_t)gpu_block_max(top, shared);
    part = gpu_block_sum(part, shared);
    if (GPU_THREAD == 0) {
        GPU_MAX_32(&tops[row], top);
        GPU_ADD_64(&fingerprint[2 * (uint64_t)row], part);
    }
}

/* Logits in the place of the head's product; list: which row each is of. */
GPU_KERNEL gpu_logits(int32_t *c, const uint32_t *top_c, const uint16_t *scale, uint32_t scale_all,
                      uint32_t shift, uint64_t *fingerprint, const uint32_t *list,
                      uint32_t vocabulary, uint32_t parts)
{
    GPU_SHARED uint64_t shared[GPU_WARPS_MAX];
    uint32_t row = GPU_BLOCK / parts, part_index = GPU_BLOCK % parts;
    int32_t *values = c + (uint64_t)row * vocabulary;
    uint64_t part = 0;
    for (uint32_t i = part_index * GPU_THREADS + GPU_THREAD; i < vocabulary / 2;
         i += parts * GPU_THREADS) {
        part += fingerprint_part(gpu_pair(values[2 * i], values[2 * i + 1]), i);
        for (uint32_t n = 2 * i; n < 2 * i + 2; n++)
            values[n] = fixed_clamp(fixed_scale(values[n], top_c[row],
                                                gpu_scale_of(scale, scale_all, n), shift),
                                    FIXED_LOGIT_MAX);
    }
    part = gpu_block_sum(part, shared);
    if (GPU_THREAD == 0) GPU_ADD_64(&fingerprint[2 * (uint64_t)list[row]], part);
}

#endif /* GPU_SIZES_ONLY */
#endif
