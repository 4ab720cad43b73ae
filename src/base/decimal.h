/* decimal.h: decimal text to integers scaled by a power of ten, and back; never through a double.
 *
 * The grammar is JSON's number: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? and nothing else.
 *
 * Upstream: units. Downstream: wire (requests and answers), gate, cli.
 */
#ifndef DOJIMA_BASE_DECIMAL_H
#define DOJIMA_BASE_DECIMAL_H

#include "base/units.h"

#include <stddef.h>
#include <stdint.h>

enum decimal_result {
    DECIMAL_malformed = -1, /* not of the grammar; *value is 0 */
    DECIMAL_exact = 0,
    DECIMAL_inexact = 1, /* more digits than the scale; *value is cut towards zero */
    DECIMAL_range = 2,   /* beyond +/- INT64_MAX; *value is +/- INT64_MAX */
};

enum { DECIMAL_SCALE_MAX = 18, DECIMAL_TEXT_SIZE = 48 };

/* `length` bytes of text as *value / 10^scale. scale: 0 to DECIMAL_SCALE_MAX. */
enum decimal_result decimal_parse(const char *text, size_t length, int scale, int64_t *value);

/* Writes value / 10^scale exactly, without trailing zeros, and a zero byte. Returns the length. */
size_t decimal_format(char text[DECIMAL_TEXT_SIZE], int128_t value, int scale);

#endif
