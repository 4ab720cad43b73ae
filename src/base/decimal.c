/* decimal.c: see decimal.h. */
#include "base/decimal.h"

#include "base/assert.h"

#include <stdbool.h>

/* What the grammar found: where the digits are and where the point stands. */
struct decimal_shape {
    size_t first;     /* of the mantissa's digits and point */
    size_t end;       /* behind them */
    int64_t integers; /* digits before the point */
    int64_t exponent; /* saturated far beyond any scale */
    bool negative;
};

static bool is_digit(const char *text, size_t length, size_t at)
{
    return at < length && text[at] >= '0' && text[at] <= '9';
}

static bool exponent_read(const char *text, size_t length, size_t at, struct decimal_shape *s)
{
    if (at == length) return true;
    if (text[at] != 'e' && text[at] != 'E') return false;
    at += 1;
    bool negative = at < length && text[at] == '-';
    if (at < length && (text[at] == '-' || text[at] == '+')) at += 1;
    if (!is_digit(text, length, at)) return false;
    for (; is_digit(text, length, at); at++) {
        if (s->exponent < 1000000000) s->exponent = s->exponent * 10 + (text[at] - '0');
    }
    if (negative) s->exponent = -s->exponent;
    return at == length;
}

static bool shape_read(const char *text, size_t length, struct decimal_shape *s)
{
    size_t at = 0;
    s->negative = length > 0 && text[0] == '-';
    if (s->negative) at = 1;
    s->first = at;
    while (is_digit(text, length, at)) at += 1;
    s->integers = (int64_t)(at - s->first);
    if (s->integers == 0 || (s->integers > 1 && text[s->first] == '0')) return false;
    if (at < length && text[at] == '.') {
        at += 1;
        if (!is_digit(text, length, at)) return false;
        while (is_digit(text, length, at)) at += 1;
    }
    s->end = at;
    return exponent_read(text, length, at, s);
}

enum decimal_result decimal_parse(const char *text, size_t length, int scale, int64_t *value)
{
    ASSERT(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
    struct decimal_shape s = {0};
    *value = 0;
    if (!shape_read(text, length, &s)) return DECIMAL_malformed;
    int64_t power = s.integers - 1 + s.exponent + scale; /* of the next digit, in the result */
    int64_t v = 0;
    bool inexact = false, range = false;
    for (size_t i = s.first; i < s.end; i++) {
        if (text[i] == '.') continue;
        int64_t digit = text[i] - '0';
        if (power < 0) {
            inexact = inexact || digit != 0;
        } else if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v)) {
            range = true;
            break;
        }
        power -= 1;
    }
    for (; !range && v != 0 && power >= 0; power--) range = __builtin_mul_overflow(v, 10, &v);
    if (range) v = INT64_MAX;
    *value = s.negative ? -v : v;
    return range ? DECIMAL_range : inexact ? DECIMAL_inexact : DECIMAL_exact;
}

size_t decimal_format(char text[DECIMAL_TEXT_SIZE], int128_t value, int scale)
{
    ASSERT(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
    char reversed[DECIMAL_TEXT_SIZE];
    size_t n = 0, length = 0;
    bool negative = value < 0;
    uint128_t v = negative ? (uint128_t)0 - (uint128_t)value : (uint128_t)value;
    while (scale > 0 && v % 10 == 0) {
        v /= 10;
        scale -= 1;
    }
    for (int digit = 0; v != 0 || digit <= scale; digit++) {
        if (digit == scale && scale > 0) reversed[n++] = '.';
        reversed[n++] = (char)('0' + (int)(v % 10));
        v /= 10;
    }
    if (negative) text[length++] = '-';
    while (n > 0) text[length++] = reversed[--n];
    text[length] = 0;
    return length;
}
