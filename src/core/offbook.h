/* offbook.h: a trade outside the book between two accounts: blocks and EFP (MATCH-11), adjusted
 * trades (MATCH-10), porting (CLEAR-02), liquidation (CLEAR-09), awards of a default (CLEAR-10).
 *
 * It is novated and posted like any trade (CLEAR-01): positions, costs, open interest, ledger,
 * requirements. It elects no stop and sets no last price; blocks and EFP count in the volume.
 *
 * Invariants: (1) after offbook_check answers REJECT_none, and until anything else changes,
 * offbook_trade with the same terms cannot fail; (2) neither account is the clearing house's own,
 * and the two differ; (3) an account in collateralised mode never becomes short.
 *
 * Upstream: novation, ledger, margin. Downstream: block, bust, default, porting, liquidation.
 */
#ifndef DOJIMA_CORE_OFFBOOK_H
#define DOJIMA_CORE_OFFBOOK_H

#include "core/state.h"

struct offbook {
    uint32_t from;       /* account: sells, when lots > 0 */
    uint32_t to;         /* account: buys, when lots > 0 */
    uint32_t instrument; /* an outright, or a spread: then both legs */
    enum trade_kind kind; /* one that is off book */
    qty_t lots;          /* not 0; negative: `from` buys, `to` sells (a short position moves) */
    price_t price;       /* of a spread: net */
    price_t leg_b;       /* of a spread's second leg; PRICE_NONE: by the fine print's rule */
    uint64_t reference;  /* of what it comes from: block, request, default; below 2^32 */
    bool margined;       /* both sides must have the margin for it (CLEAR-08) */
    bool fees;           /* CLEAR-12: both are charged as takers */
};

/* REJECT_none, or why not with nothing changed (but for empty exposures that were made): unknown,
 * expired, out of range, no room; with `margined`, also insufficient_margin for want of money.
 * `missing`, where not NULL, gets the shortfall. Trading states and limits are the caller's. */
enum reject offbook_check(struct core *c, const struct offbook *t, int64_t *missing);

/* The same, asking only this one of the two accounts. */
enum reject offbook_check_side(struct core *c, const struct offbook *t, uint32_t account,
                               int64_t *missing);

/* Carries out a trade that was checked. Returns its trade id (of a spread: the spread's; the legs
 * have the two that follow). */
uint64_t offbook_trade(struct core *c, const struct offbook *t);

/* The short form: no fee, no margin asked. Checked with offbook_movable. */
enum reject offbook_movable(struct core *c, uint32_t from, uint32_t to, uint32_t instrument,
                            qty_t lots, price_t price);
void offbook_move(struct core *c, uint32_t from, uint32_t to, uint32_t instrument, qty_t lots,
                  price_t price, enum trade_kind kind, uint64_t reference);

#endif
