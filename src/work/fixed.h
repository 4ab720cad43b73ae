/* fixed.h: all that a decoder does between its matrix products, in integers.
 *
 * Plain C without a library: a GPU's compiler takes this text as it stands (it defines
 * DOJIMA_DEVICE and the names of the integer types first). Every function is defined for every
 * value that the bounds below allow, and gives the same bits on every machine; docs/workloads.md
 * says the same in words.
 *
 * Numbers are "Qn": an integer times 2^-n. Division of integers truncates, and is only done on what
 * is not negative; a shift to the right is floor division by a power of two, of negative values
 * too. `fixed_round` rounds to the nearest, halves up.
 *
 * Invariants: (1) the residual stream is Q12, |x| < 2^24; (2) what goes into fixed_quantise is
 * below 2^24 in size; (3) products are below 2^24 in size; (4) no function overflows 64 bits within
 * these bounds, width <= 2^15, head_size <= 512, context <= 2^16.
 *
 * Upstream: nothing. Downstream: engine, weights, check; device kernels.
 */
#ifndef DOJIMA_WORK_FIXED_H
#define DOJIMA_WORK_FIXED_H

#ifdef DOJIMA_DEVICE
#define FIXED_FUNCTION __device__ static inline
#else
#include <stdint.h>
#define FIXED_FUNCTION static inline
#endif

enum {
    FIXED_RESIDUAL_MAX = (1 << 24) - 1, /* Q12 */
    FIXED_ROW_MAX = (1 << 24) - 1,      /* what is quantised */
    FIXED_GAIN_ONE = 1 << 12,           /* Q12; |gain| <= 2^20 */
    FIXED_WIDE_MAX = 127 << 6,          /* q, k, v before rotation: int8 in Q6 */
    FIXED_GATE_MAX = (1 << 19) - 1,     /* Q12 */
    FIXED_UP_MAX = (1 << 21) - 1,       /* Q12 */
    FIXED_LOGIT_MAX = 1 << 30,          /* Q16 */
    FIXED_LOG2_E = 94548,               /* Q16 */
};

/* A quotient below 2^24 of a dividend below 2^40: who has a faster way to the same integer defines
 * it first (kernel_rows.c). */
#ifndef FIXED_QUOTIENT
#define FIXED_QUOTIENT(dividend, divisor) ((dividend) / (divisor))
#endif

/* Of a seeded weight: 4 bits choose one of -4..4, in the shape of a normal distribution with a
 * variance of 4.5. Digit n (from the right) of this number, less 4. */
#define FIXED_WEIGHT_TABLE 0x8766555443332210ull

/* floor(v / 2^s). C17 leaves the shift of a negative number to the compiler; every one that can
 * build this shifts the sign in. */
FIXED_FUNCTION int64_t fixed_shift(int64_t v, uint32_t s)
{
    return v >> s;
}

/* v / 2^s to the nearest, halves up; s from 1 to 62. */
FIXED_FUNCTION int64_t fixed_round(int64_t v, uint32_t s)
{
    return fixed_shift(v + ((int64_t)1 << (s - 1)), s);
}

FIXED_FUNCTION int32_t fixed_clamp(int64_t v, int32_t limit)
{
    return v > limit ? limit : v < -(int64_t)limit ? -limit : (int32_t)v;
}

/* v where sign is 0, -v where it is -1; and that sign. No branch: rows of these are vectors. */
FIXED_FUNCTION int32_t fixed_flip(int32_t v, int32_t sign)
{
    return (v ^ sign) - sign;
}

FIXED_FUNCTION int32_t fixed_sign(int32_t v)
{
    return (int32_t)fixed_shift(v, 31);
}

/* The high half of a product. */
FIXED_FUNCTION uint64_t fixed_multiply_high(uint64_t a, uint64_t b)
{
    uint64_t a0 = a & 0xffffffffull, a1 = a >> 32, b0 = b & 0xffffffffull, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32);
    uint64_t other = a0 * b1 + (middle & 0xffffffffull);
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* floor(sqrt(v)), bit by bit. */
FIXED_FUNCTION uint64_t fixed_root(uint64_t v)
{
    uint64_t root = 0, bit = (uint64_t)1 << 62;
    while (bit > v) bit >>= 2;
    for (; bit != 0; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

/* ---- what is made from a seed ---- */

/* splitmix64's finalizer, and its number `counter` from a key. */
FIXED_FUNCTION uint64_t fixed_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

FIXED_FUNCTION uint64_t fixed_random(uint64_t key, uint64_t counter)
{
    return fixed_mix(key + (counter + 1) * 0x9e3779b97f4a7c15ull);
}

/* The key of one matrix (6: the embedding) of one layer. */
FIXED_FUNCTION uint64_t fixed_matrix_key(uint64_t seed, uint32_t layer, uint32_t matrix)
{
    return fixed_random(fixed_random(seed, layer), matrix);
}

/* Weights 16 i .. 16 i + 15 of a matrix, in the order columns x depth: 4 bits each, low first. */
FIXED_FUNCTION uint64_t fixed_weight_block(uint64_t key, uint64_t i)
{
    return fixed_random(key, i);
}

/* One weight of a block; n from 0 to 15. */
FIXED_FUNCTION int32_t fixed_weight(uint64_t block, uint32_t n)
{
    uint32_t digit = (uint32_t)(block >> (4 * n)) & 15u;
    return (int32_t)((FIXED_WEIGHT_TABLE >> (4 * digit)) & 15u) - 4;
}

/* An activation of a gemm task from one byte: -127..127. Byte n of fixed_random(key, i) makes
 * element 8 i + n of A. */
FIXED_FUNCTION int32_t fixed_activation(uint64_t random, uint32_t n)
{
    return (int32_t)((((uint32_t)(random >> (8 * n)) & 255u) * 255u) >> 8) - 127;
}

/* Token `i` of a prompt that is made from a key. */
FIXED_FUNCTION uint32_t fixed_prompt_token(uint64_t key, uint32_t i, uint32_t vocabulary)
{
    return (uint32_t)(((fixed_random(key, i) >> 32) * vocabulary) >> 32);
}

/* ---- rows: norm and quantisation ---- */

/* Of a row whose squares add up to `sum`: what each element is multiplied with. Q40 / Q12. */
FIXED_FUNCTION uint64_t fixed_norm_inverse(uint64_t sum, uint32_t width)
{
    return ((uint64_t)1 << 40) / fixed_root(sum / width + 1);
}

/* An element of the row, normed and times its gain (Q12): Q16. */
FIXED_FUNCTION int32_t fixed_norm(int32_t x, uint64_t inverse, int32_t gain)
{
    int64_t unit = fixed_round((int64_t)x * (int64_t)inverse, 24); /* Q16 */
    return fixed_clamp(fixed_round(unit * gain, 12), FIXED_ROW_MAX);
}

/* Of a row whose greatest size is `top` (at least 1). */
FIXED_FUNCTION uint64_t fixed_quantise_inverse(uint32_t top)
{
    return ((uint64_t)127 << 40) / top;
}

/* An element of the row as int8: v * 127 / top. */
FIXED_FUNCTION int32_t fixed_quantise(int32_t v, uint64_t inverse)
{
    return (int32_t)fixed_round(v * (int64_t)inverse, 40);
}

/* An element of a product as a number again: `top` is that of the row of A, scale (1..32767) and
 * shift (16..48) are the weights'. */
FIXED_FUNCTION int64_t fixed_scale(int32_t c, uint32_t top, uint32_t scale, uint32_t shift)
{
    return fixed_round((int64_t)c * (int64_t)top * (int64_t)scale, shift);
}

/* ---- position ---- */

/* sin of `turn` / 2^32 of a full turn, Q14: Taylor's polynomial on a quarter, error < 2^-14. */
FIXED_FUNCTION int32_t fixed_sine(uint32_t turn)
{
    uint32_t quarter = turn >> 30;
    int64_t x = turn & 0x3fffffffu, y, square;
    if (quarter & 1u) x = 0x40000000 - x; /* Q30 of a quarter turn */
    square = (x * x) >> 30;
    y = 172272;                             /* (pi/2)^9 / 9!, Q30 */
    y = 5026995 - ((y * square) >> 30);     /* (pi/2)^7 / 7! */
    y = 85569306 - ((y * square) >> 30);    /* (pi/2)^5 / 5! */
    y = 693598668 - ((y * square) >> 30);   /* (pi/2)^3 / 3! */
    y = 1686629713 - ((y * square) >> 30);  /* pi/2 */
    y = fixed_round((x * y) >> 30, 16);
    if (y > 16384) y = 16384;
    return (quarter & 2u) ? -(int32_t)y : (int32_t)y;
}

/* The angle of pair i at a position: `frequency` is turns a position, times 2^64. */
FIXED_FUNCTION uint32_t fixed_turn(uint64_t frequency, uint32_t position)
{
    return (uint32_t)((frequency * position) >> 32);
}

/* The first or second of a pair of wide values (Q6) after rotation, as int8. */
FIXED_FUNCTION int32_t fixed_rotate_first(int32_t first, int32_t second, int32_t cosine,
                                          int32_t sine)
{
    return fixed_clamp(fixed_round((int64_t)first * cosine - (int64_t)second * sine, 20), 127);
}

FIXED_FUNCTION int32_t fixed_rotate_second(int32_t first, int32_t second, int32_t cosine,
                                           int32_t sine)
{
    return fixed_clamp(fixed_round((int64_t)second * cosine + (int64_t)first * sine, 20), 127);
}

/* v is not rotated. */
FIXED_FUNCTION int32_t fixed_narrow(int32_t wide)
{
    return fixed_clamp(fixed_round(wide, 6), 127);
}

/* ---- attention ---- */

/* 2^-f for f < 1, both Q16: from 32768 to 65536. Taylor's polynomial, error below 2^-15. */
FIXED_FUNCTION uint32_t fixed_power(uint32_t f)
{
    uint64_t x = (uint64_t)f << 14; /* Q30; products of two numbers below 2^32 */
    uint32_t y = 165394;                                /* ln2^6 / 6!, Q30 */
    y = 1431680u - (uint32_t)((y * x) >> 30);           /* ln2^5 / 5! */
    y = 10327387u - (uint32_t)((y * x) >> 30);          /* ln2^4 / 4! */
    y = 59597083u - (uint32_t)((y * x) >> 30);          /* ln2^3 / 3! */
    y = 257941248u - (uint32_t)((y * x) >> 30);         /* ln2^2 / 2! */
    y = 744261118u - (uint32_t)((y * x) >> 30);         /* ln2 */
    y = 1073741824u - (uint32_t)((y * x) >> 30);
    y = (y + 8192u) >> 14;
    return y < 32768u ? 32768u : y;
}

/* How much a key counts whose score is `less` below the greatest: 0..127; 127 at the greatest.
 * `scale` is the model's, Q32, below 2^31: to powers of two. */
FIXED_FUNCTION int32_t fixed_attention(int32_t less, uint32_t scale)
{
    uint64_t z = ((uint64_t)(uint32_t)less * scale) >> 16; /* Q16 */
    if (z >= 8u << 16) return 0;
    uint32_t n = 16 + (uint32_t)(z >> 16);
    return (int32_t)((127u * fixed_power((uint32_t)z & 65535u) + (1u << (n - 1))) >> n);
}

/* A sum of counts times values over the sum of counts: int8 in Q10. Halves away from zero. */
FIXED_FUNCTION int32_t fixed_mean(int32_t sum, int32_t counts)
{
    int32_t sign = fixed_sign(sum);
    uint64_t size = (uint64_t)fixed_flip(sum, sign) << 10;
    uint32_t half = (uint32_t)counts >> 1;
    return fixed_flip((int32_t)FIXED_QUOTIENT(size + half, (uint32_t)counts), sign);
}

/* ---- MLP ---- */

/* silu(gate) * up, all Q12: silu(g) = g / (1 + e^-g). */
FIXED_FUNCTION int32_t fixed_swiglu(int32_t gate, int32_t up)
{
    int32_t sign = fixed_sign(gate);
    uint64_t z = ((uint64_t)fixed_flip(gate, sign) * FIXED_LOG2_E) >> 12; /* Q16 */
    uint32_t n = (uint32_t)(z >> 16), negative = (uint32_t)sign;
    uint32_t e = fixed_power((uint32_t)z & 65535u) >> (1 + (n > 30 ? 30 : n)); /* e^-|gate|, Q15 */
    uint32_t dividend = (e << 15 & negative) | (((uint32_t)1 << 30) & ~negative);
    int64_t part = (int64_t)FIXED_QUOTIENT(dividend, 32768 + e); /* Q15 */
    int64_t silu = fixed_round(gate * part, 15);
    return fixed_clamp(fixed_round(silu * up, 12), FIXED_ROW_MAX);
}

/* ---- sampling ---- */

/* What a temperature (Q16, 656..2^24) multiplies differences of logits with. */
FIXED_FUNCTION uint64_t fixed_sharpness(uint32_t temperature)
{
    return ((uint64_t)FIXED_LOG2_E << 16) / temperature;
}

/* The weight of a token whose logit is `less` below the greatest. Q40; 0 when below 2^-40. */
FIXED_FUNCTION uint64_t fixed_sample_weight(uint32_t less, uint64_t sharpness)
{
    uint64_t z = (less * sharpness) >> 16; /* Q16 */
    if (z >= 40u << 16) return 0;
    return ((uint64_t)fixed_power((uint32_t)z & 65535u) << 24) >> (z >> 16);
}

#endif
