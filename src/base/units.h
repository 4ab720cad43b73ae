/* units.h: price, quantity, money and time as distinct types, with checked arithmetic.
 *
 * A struct of one int64_t costs nothing in registers and lets the compiler refuse a price where a
 * quantity is meant. All are signed; what may not be negative is checked where it enters.
 *
 *   px_t     an order's price in ticks of its product; may be negative (CONTRACT-02)
 *   price_t  a settlement, index, mark or quoted price in 10^-6 USD; may be negative
 *   qty_t    an amount in whole lots
 *   money_t  money in 10^-6 of its asset's unit (micro-USD)
 *   ts_t     nanoseconds since 1970-01-01T00:00:00Z; UTC, no leap seconds
 *
 * Bounds are chosen so that price x quantity always fits in 128 bits with room for sums:
 * |price_t| <= PRICE_MAX (10^15: a thousand million USD), qty_t <= QTY_MAX (10^15 lots),
 * |money_t| <= MONEY_MAX (4 x 10^18: four million million USD).
 *
 * Upstream: nothing. Downstream: everything.
 */
#ifndef DOJIMA_BASE_UNITS_H
#define DOJIMA_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct { int64_t v; } px_t;
typedef struct { int64_t v; } price_t;
typedef struct { int64_t v; } qty_t;
typedef struct { int64_t v; } money_t;
typedef struct { int64_t v; } ts_t;

__extension__ typedef __int128 int128_t;
__extension__ typedef unsigned __int128 uint128_t;

#define PX(x) ((px_t){(x)})
#define PRICE(x) ((price_t){(x)})
#define QTY(x) ((qty_t){(x)})
#define MONEY(x) ((money_t){(x)})
#define TS(x) ((ts_t){(x)})

#define PRICE_MAX INT64_C(1000000000000000)
#define QTY_MAX INT64_C(1000000000000000)
#define MONEY_MAX INT64_C(4000000000000000000)
#define E6 INT64_C(1000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_HOUR (INT64_C(3600) * NS_PER_SECOND)
#define NS_PER_DAY (INT64_C(86400) * NS_PER_SECOND)

/* A price that is absent: outside every bound, so it can never be one. */
#define PRICE_NONE ((price_t){INT64_MIN})
#define PX_NONE ((px_t){INT64_MIN})

static inline bool px_is_none(px_t p) { return p.v == INT64_MIN; }
static inline bool price_is_none(price_t p) { return p.v == INT64_MIN; }

static inline int64_t int64_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t int64_max(int64_t a, int64_t b) { return a > b ? a : b; }

/* Of anything but INT64_MIN. */
static inline int64_t int64_abs(int64_t v) { return v < 0 ? -v : v; }

/* Both ends are within. */
static inline bool within(int64_t v, int64_t low, int64_t high)
{
    return v >= low && v <= high;
}

/* pick ? a : b without a branch, for choices that a processor cannot foretell. */
static inline uint32_t uint32_select(bool pick, uint32_t a, uint32_t b)
{
    return b ^ ((a ^ b) & (0u - (uint32_t)pick));
}

/* a + b into *sum; false, and *sum untouched, on overflow. */
static inline bool int64_add(int64_t a, int64_t b, int64_t *sum)
{
    int64_t r;
    if (__builtin_add_overflow(a, b, &r)) return false;
    *sum = r;
    return true;
}

/* a x b into *product; false, and *product untouched, on overflow. */
static inline bool int128_mul(int128_t a, int128_t b, int128_t *product)
{
    int128_t r;
    if (__builtin_mul_overflow(a, b, &r)) return false;
    *product = r;
    return true;
}

static inline bool price_fits(price_t p) { return within(p.v, -PRICE_MAX, PRICE_MAX); }

/* Whether a 128-bit sum of money may be kept as money_t. */
static inline bool money_fits(int128_t m) { return m >= -MONEY_MAX && m <= MONEY_MAX; }

/* The sum, or the bound that it lies beyond. */
static inline int64_t money_clamp(int128_t m)
{
    if (m > MONEY_MAX) return MONEY_MAX;
    return m < -MONEY_MAX ? -MONEY_MAX : (int64_t)m;
}

/* a / b rounded towards minus infinity; b > 0. */
static inline int128_t int128_div_floor(int128_t a, int128_t b)
{
    int128_t q = a / b;
    return (a % b != 0 && a < 0) ? q - 1 : q;
}

/* a / b rounded towards plus infinity; b > 0. */
static inline int128_t int128_div_ceil(int128_t a, int128_t b)
{
    int128_t q = a / b;
    return (a % b != 0 && a > 0) ? q + 1 : q;
}

/* a / b rounded to the nearest, ties to the even quotient; b > 0. */
static inline int128_t int128_div_half_even(int128_t a, int128_t b)
{
    int128_t q = int128_div_floor(a, b);
    int128_t twice = (a - q * b) * 2;
    if (twice > b || (twice == b && (q & 1) != 0)) q += 1;
    return q;
}

/* The 128 bits whose halves these are. */
static inline int128_t int128_join(int64_t high, uint64_t low)
{
    return (int128_t)((uint128_t)(uint64_t)high << 64 | low);
}

/* a / b rounded towards minus infinity, 64-bit; b > 0. */
static inline int64_t int64_div_floor(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return (a % b != 0 && a < 0) ? q - 1 : q;
}

#endif
