/* value.h: from lots x price (10^-6 USD) to money (10^-6 USD), rounding named.
 *
 * contract_size is 10^-6 USD per 1.0 of price and lot, so money = lots x price x contract_size /
 * 10^6. A product that leaves 128 bits is far outside MONEY_MAX: the caller is told so.
 *
 * Upstream: base. Downstream: margin, settle, account.
 */
#ifndef DOJIMA_CORE_VALUE_H
#define DOJIMA_CORE_VALUE_H

#include "base/units.h"

/* Into *money; false, and *money untouched, when out of range. */
static inline bool value_half_even(int128_t notional, int64_t contract_size, int64_t *money)
{
    int128_t product;
    if (notional == 0) {
        *money = 0;
        return true;
    }
    if (!int128_mul(notional, contract_size, &product)) return false;
    int128_t value = int128_div_half_even(product, E6);
    if (!money_fits(value)) return false;
    *money = (int64_t)value;
    return true;
}

/* As above, towards plus infinity: for what an account must hold. */
static inline bool value_ceil(int128_t notional, int64_t contract_size, int64_t *money)
{
    int128_t product;
    if (notional == 0) {
        *money = 0;
        return true;
    }
    if (!int128_mul(notional, contract_size, &product)) return false;
    int128_t value = int128_div_ceil(product, E6);
    if (!money_fits(value)) return false;
    *money = (int64_t)value;
    return true;
}

#endif
