/* book_fuzz.c: any sequence of operations on the book and its naive twin, eight bytes an operation.
 *
 * Byte 0: operation, side, book, how the price is formed; byte 1: which order, which quantity;
 * bytes 2..7: the price, small and signed, or all over int64.
 */
#include "core/book_naive.c" /* it is in no library: only tests have it */

#include <stddef.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair *x = pair_open();
    for (size_t at = 0; at + 8 <= size && at < 8 * 2048; at += 8) {
        uint8_t how = data[at];
        int64_t px = (int8_t)data[at + 2];
        if ((how & 64) != 0) {
            uint64_t wide = 0;
            memcpy(&wide, data + at + 2, 6);
            px = (int64_t)(wide << (how >> 7 != 0 ? 16 : 4) ^ wide);
            if (px == INT64_MIN) px = INT64_MAX;
        }
        pair_step(x, how >> 3 & 1, (enum pair_operation)((how & 7) % 5),
                  (enum side)(how >> 4 & 1), px, data[at + 1]);
        if (at % 256 == 0) pair_compare(x, px);
        if (at % 2048 == 0) pair_move(x);
    }
    pair_compare(x, 0);
    pair_close(x);
    return 0;
}
