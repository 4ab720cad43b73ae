/* margin.h: what an account must hold before an order is accepted (CLEAR-08).
 *
 * Flat model (mode margined). An exposure needs max(|position + open_buys|, |position -
 * open_sells|) x flat_margin of its product; the account the sum over its exposures. Stops are
 * counted; a spread order is counted in both legs, in the second on the opposite side. An order is
 * admitted when the new sum is within cash less what is reserved for withdrawals, or does not raise
 * the sum. The requirement of an exposure never falls when a working order is added and never rises
 * when one fills or is cancelled, so admission is the only gate.
 *
 * Collateralised mode. Longs are paid in full, only where the product's floor is 0 or above; shorts
 * are refused unless they close a long that no other working sell closes already, or capacity that
 * is pledged covers them; spreads are refused. An exposure reserves (max(0, cost) + buy_value) x
 * contract_size, rounded up: `cost` is what the position was bought for less what it was sold for
 * since the last mark, so the reserve is all that the account can still lose at a price of 0;
 * buy_value is the working buys at their limit prices. A mark moves cash and cost by the same
 * amount and leaves what is free unchanged.
 *
 * With capacity of a contract's hours pledged (collateral.h), so many lots may be short: price x
 * size is then owed by nobody, because what the short may lose is what the capacity is worth more.
 * Where there is such cover the reserve is max(0, cost + buy_value).
 *
 * In both modes an order is refused, as insufficiently margined, when position and working orders
 * would leave the range in which a trade cannot overflow (MARGIN_COST_MAX, margin_lots_max).
 *
 * SPAN (model span, mode margined): see span.h; such exposures require nothing of their own.
 *
 * Upstream: state, span. Downstream: order, match, novation, settle, account, check.
 */
#ifndef DOJIMA_CORE_MARGIN_H
#define DOJIMA_CORE_MARGIN_H

#include "core/span.h"

/* |cost| beyond which no order is admitted until the next mark: far above 10^15 lots x 2 x 10^15,
 * what all working orders may still add, and far below 2^127. */
#define MARGIN_COST_MAX ((int128_t)1 << 120)

/* The most lots that an account may hold or work towards in one instrument: open interest and sums
 * over all accounts then fit in 64 bits. */
int64_t margin_lots_max(const struct core *c);

/* What this exposure needs as it stands; equal to its `requirement` after every command. */
money_t margin_exposure(const struct core *c, uint32_t e);

/* The same, and for SPAN what it would be without netting. */
money_t margin_alone(const struct core *c, uint32_t e);

/* Of the position alone. */
money_t margin_maintenance(const struct core *c, uint32_t e);

/* Variation not yet settled, at price_mark, half-even; 0 where there is no mark. Out of range: the
 * nearest bound. */
money_t margin_unrealised(const struct core *c, uint32_t e);

/* Of an account, whatever its model. */
int64_t margin_maintenance_account(const struct core *c, uint32_t account);

/* Cash that is neither reserved for a withdrawal nor required, with what pledged capacity counts
 * for and the unsettled variation of what SPAN margins. May be negative. */
int64_t margin_available(const struct core *c, uint32_t account);
/* The same less unsettled losses: what may be taken away (CLEAR-08). Unsettled gains do not count;
 * in collateralised mode losses are reserved for already. */
int64_t margin_withdrawable(const struct core *c, uint32_t account);
/* Whether so much of the account's cash may be paid away: REJECT_none, insufficient_funds or
 * insufficient_margin. */
enum reject margin_spares(const struct core *c, uint32_t account, int64_t amount);

/* ---- margin_flat.c ---- */
void margin_flat(struct core *c, const struct command *cmd);

#endif
