/* import_pairs.h: the currency pairs of a file, each an instrument of the venue in memory.
 *
 * Prices and volumes are decimals whose widths differ by pair. A first reading finds for each pair
 * how many digits behind the point are in use; the venue then counts in units of the last of them,
 * as integers, from which the digits as written can be made again.
 */
#ifndef DOJIMA_CLI_IMPORT_PAIRS_H
#define DOJIMA_CLI_IMPORT_PAIRS_H

#include "cli/import.h"

enum { IMPORT_PAIRS_MAX = 48, IMPORT_PAIR_NAME_SIZE = PRODUCT_NAME_SIZE };

struct import_pair {
    char name[IMPORT_PAIR_NAME_SIZE]; /* letters and digits only */
    uint32_t instrument;
    int price_width; /* digits behind the point as written, of the widest */
    int volume_width;
    int price_scale; /* digits in use */
    int volume_scale;
    uint64_t rows;
};

struct import_pairs {
    struct import_pair pairs[IMPORT_PAIRS_MAX];
    int count;
};

/* The pair of this name (a slash in it is left out), made when `make`; NULL: unknown, or too many
 * or too long a name. */
struct import_pair *import_pair_find(struct import_pairs *p, const char *base, const char *quote,
                                     bool make);
/* Takes one price and one volume into account; false when they are no decimals. */
bool import_pair_measure(struct import_pair *pair, const char *price, const char *volume);
/* Lists every pair; 0 or -1 with v->error. */
int import_pairs_list(struct import_pairs *p, struct import_venue *v, enum trading_state state);

#endif
