/* sample.c: see sample.h (DELIV-04).
 *
 * Probabilities are kept as a mantissa of 64 bits and a binary exponent, in integers, so that they
 * are the same on every machine; every operation rounds up.
 */
#include "proof/sample.h"

#include "base/assert.h"
#include "base/units.h"

#include <string.h>

/* ---- drawing ---- */

struct digest sample_seed(const struct digest *root, const uint8_t nonce[32])
{
    return digest_of_pieces((const struct digest_piece[]){{root->v, DIGEST_BYTES}, {nonce, 32}}, 2);
}

struct draw {
    const struct digest *seed;
    uint64_t next; /* number of the next word */
    struct digest block;
};

static uint64_t big_endian(const uint8_t *bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | bytes[i];
    return v;
}

static uint64_t draw_word(struct draw *d)
{
    if (d->next % 4 == 0) {
        uint8_t number[8];
        for (int i = 0; i < 8; i++) number[i] = (uint8_t)(d->next / 4 >> 8 * (7 - i));
        d->block = digest_of_pieces((const struct digest_piece[]){{d->seed->v, DIGEST_BYTES},
                                                                  {number, sizeof number}}, 2);
    }
    return big_endian(d->block.v + 8 * (d->next++ % 4));
}

/* Uniform below `bound`, without bias. */
static uint64_t draw_below(struct draw *d, uint64_t bound)
{
    uint64_t beyond = (UINT64_MAX % bound + 1) % bound; /* 2^64 modulo bound */
    for (;;) {
        uint64_t word = draw_word(d);
        if (beyond == 0 || word < UINT64_MAX - beyond + 1) return word % bound;
    }
}

/* Where `index` is or would be among `count` ascending ones. */
static uint32_t place_of(const uint64_t *indices, uint32_t count, uint64_t index)
{
    uint32_t low = 0;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        if (indices[middle] < index) low = middle + 1;
        else count = middle;
    }
    return low;
}

uint32_t sample_choose(const struct digest *seed, uint64_t population, uint32_t count,
                       uint64_t *indices)
{
    struct draw d = {.seed = seed};
    uint32_t n = count < population ? count : (uint32_t)population;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t last = population - n + i;
        uint64_t chosen = draw_below(&d, last + 1);
        uint32_t at = place_of(indices, i, chosen);
        if (at < i && indices[at] == chosen) {
            chosen = last; /* larger than all before */
            at = i;
        }
        memmove(indices + at + 1, indices + at, (i - at) * sizeof *indices);
        indices[at] = chosen;
    }
    return n;
}

/* ---- probabilities ---- */

/* mantissa x 2^exponent, the mantissa's highest bit set; mantissa 0: nothing. */
struct chance {
    uint64_t mantissa;
    int64_t exponent;
};

static const struct chance one = {UINT64_C(1) << 63, -63};

/* v x 2^exponent, rounded up to 64 bits. */
static struct chance chance_of(uint128_t v, bool more, int64_t exponent)
{
    if (v == 0) return (struct chance){more, exponent};
    while (v >> 64 != 0) {
        more = more || (v & 1) != 0;
        v >>= 1;
        exponent += 1;
    }
    if (more && ++v >> 64 != 0) {
        v >>= 1;
        exponent += 1;
    }
    int zeros = __builtin_clzll((uint64_t)v);
    return (struct chance){(uint64_t)v << zeros, exponent - zeros};
}

/* x a / b, up; b is not 0. */
static struct chance chance_scale(struct chance x, uint64_t a, uint64_t b)
{
    if (x.mantissa == 0 || a == 0) return (struct chance){0, 0};
    int shift_a = __builtin_clzll(a), shift_b = __builtin_clzll(b);
    uint128_t product = (uint128_t)x.mantissa * (a << shift_a);
    uint128_t quotient = product / (b << shift_b);
    bool more = product % (b << shift_b) != 0;
    return chance_of(quotient, more, x.exponent - shift_a + shift_b);
}

static struct chance chance_add(struct chance x, struct chance y)
{
    if (x.mantissa == 0) return y;
    if (y.mantissa == 0) return x;
    if (x.exponent < y.exponent) return chance_add(y, x);
    int64_t apart = x.exponent - y.exponent;
    uint128_t small = apart > 63 ? 0 : y.mantissa >> apart;
    bool more = apart > 63 || (y.mantissa & ((UINT64_C(1) << apart) - 1)) != 0;
    return chance_of((uint128_t)x.mantissa + small, more, x.exponent);
}

/* x > ppm / 10^6, where what rounding may have added is not taken for more: each of at most some
 * 10^6 operations adds less than 2^-63 of it, so 2^-40 of it is more than all of them. */
static bool chance_above(struct chance x, uint32_t ppm)
{
    if (x.mantissa == 0) return false;
    x.mantissa -= x.mantissa >> 40;
    if (x.exponent < -120) return ppm == 0;
    if (x.exponent > -63) return ppm < SAMPLE_PPM;
    uint128_t left = (uint128_t)x.mantissa * SAMPLE_PPM; /* below 2^84 */
    int64_t shift = -x.exponent;                         /* left / 2^shift against ppm */
    uint128_t whole = left >> shift;
    return whole > ppm || (whole == ppm && (left & (((uint128_t)1 << shift) - 1)) != 0);
}

/* That a sample of n out of N, F of them wrong, shows its smallest possible number of wrong ones,
 * *least. */
static struct chance chance_least(uint64_t N, uint64_t F, uint64_t n, uint64_t *least)
{
    uint64_t good = N - F;
    struct chance x = one;
    *least = n > good ? n - good : 0;
    if (*least > 0) { /* all good ones are in it */
        for (uint64_t i = 0; i < good; i++) x = chance_scale(x, n - i, N - i);
        return x;
    }
    uint64_t steps = n < F ? n : F; /* of C(N - F, n) / C(N, n) = C(N - n, F) / C(N, F) */
    for (uint64_t i = 0; i < steps; i++) x = chance_scale(x, N - (n < F ? F : n) - i, N - i);
    return x;
}

/* That it shows `failed` or fewer. */
static struct chance chance_at_most(uint64_t N, uint64_t F, uint64_t n, uint64_t failed)
{
    uint64_t i;
    struct chance term = chance_least(N, F, n, &i), sum = {0, 0};
    for (; i <= failed && i <= F && i <= n; i++) {
        sum = chance_add(sum, term);
        if (i == F || i == n) break;
        term = chance_scale(term, F - i, i + 1);
        term = chance_scale(term, n - i, N - F - n + i + 1);
    }
    return sum;
}

/* ---- the bound ---- */

enum { DOUBT_PPM = 50000 }; /* 1 - 95 % */

/* Whether more wrong tasks than this share of all can still be. */
static bool more_possible(uint64_t tasks, uint64_t sampled, uint64_t failed, uint32_t ppm)
{
    uint64_t wrong = (uint64_t)((uint128_t)tasks * ppm / SAMPLE_PPM) + 1;
    if (wrong <= failed) return true;
    if (wrong > tasks - (sampled - failed)) return false; /* so many right ones were seen */
    return chance_above(chance_at_most(tasks, wrong, sampled, failed), DOUBT_PPM);
}

bool sample_bound_right(uint64_t tasks, uint64_t sampled, uint64_t failed, uint32_t ppm)
{
    ASSERT(failed <= sampled && sampled <= tasks && sampled <= SAMPLE_MAX);
    if (sampled == 0 || ppm >= SAMPLE_PPM)
        return ppm == SAMPLE_PPM &&
               (sampled == 0 || more_possible(tasks, sampled, failed, SAMPLE_PPM - 1));
    return !more_possible(tasks, sampled, failed, ppm) &&
           (ppm == 0 || more_possible(tasks, sampled, failed, ppm - 1));
}

uint32_t sample_bound_ppm(uint64_t tasks, uint64_t sampled, uint64_t failed)
{
    ASSERT(failed <= sampled && sampled <= tasks && sampled <= SAMPLE_MAX);
    if (sampled == 0) return SAMPLE_PPM;
    uint32_t low = 0, high = SAMPLE_PPM; /* no more than high can be */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (more_possible(tasks, sampled, failed, middle)) low = middle + 1;
        else high = middle;
    }
    return high;
}

uint64_t sample_size(uint64_t tasks, uint32_t rate_ppm, uint32_t confidence_ppm)
{
    ASSERT(rate_ppm > 0 && rate_ppm <= SAMPLE_PPM && confidence_ppm < SAMPLE_PPM);
    uint64_t N = tasks == 0 ? SAMPLE_PPM : tasks;
    uint64_t wrong = (uint64_t)(((uint128_t)N * rate_ppm + SAMPLE_PPM - 1) / SAMPLE_PPM);
    struct chance missed = one;
    uint64_t n = 0;
    while (chance_above(missed, SAMPLE_PPM - confidence_ppm)) {
        uint64_t gone = tasks == 0 ? 0 : n;
        uint64_t right = N - wrong > gone ? N - wrong - gone : 0;
        missed = chance_scale(missed, right, N - gone);
        n += 1;
    }
    return n;
}

uint32_t sample_detection_ppm(uint64_t tasks, uint64_t wrong, uint64_t sampled)
{
    ASSERT(wrong <= tasks && sampled <= tasks);
    uint64_t least;
    if (tasks == 0) return 0;
    struct chance missed = chance_least(tasks, wrong, sampled, &least);
    if (least > 0) return SAMPLE_PPM;
    uint32_t low = 0, high = SAMPLE_PPM; /* the smallest ppm that missed does not exceed */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (chance_above(missed, middle)) low = middle + 1;
        else high = middle;
    }
    return SAMPLE_PPM - high;
}
