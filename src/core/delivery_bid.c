/* delivery_bid.c: what delivery asks of those who bid in its auctions (DELIV-05): who may, what of
 * theirs is required while they do, and at the close whether they still can.
 *
 * An auction names its allocation. In a balancing auction sellers offer: each needs a standing
 * tender of a resource certified for the hour, at the close its tokens too, and margin for the
 * dearest price at which the auction may clear.
 *
 * Upstream: spot_bid, spot_firm. Downstream: certify, token.
 */
#include "core/delivery_internal.h"

/* The allocation that an auction is for; NIL: it is gone, or there never was one. */
static uint32_t allocation_for(const struct core *c, const struct spot_auction *s)
{
    return allocation_find(c, s->reference);
}

enum reject delivery_may_bid(const struct core *c, const struct spot_auction *s, uint32_t account,
                             int64_t hour)
{
    uint32_t a = allocation_for(c, s);
    if (a != NIL && c->deliver.allocations[a].said.buyer == account) return REJECT_not_tenderable;
    return tender_standing(c, account, &s->class, hour) == NIL ? REJECT_not_tenderable
                                                               : REJECT_none;
}

bool delivery_bid_margin(const struct core *c, const struct spot_auction *s, price_t price,
                         int64_t work, int64_t *need)
{
    uint32_t a = allocation_for(c, s);
    int64_t buyer;
    *need = 0;
    (void)price;
    return a == NIL ||
           delivery_margins(terms_of(c, c->deliver.allocations[a].said.instrument), work,
                            s->price_max, &buyer, need);
}

bool delivery_honours(const struct core *c, const struct spot_auction *s, uint32_t account,
                      int64_t hour, int64_t work)
{
    if (c->accounts[account].status == ACCOUNT_defaulted) return false;
    if (allocation_for(c, s) == NIL) return true;
    uint32_t t = tender_standing(c, account, &s->class, hour);
    struct token_class class;
    if (t == NIL || !resource_class(c, c->deliver.tenders[t].terms.resource, &class)) return false;
    return token_escrow_check(c, account, c->deliver.tenders[t].terms.resource, &class, hour,
                              work) == REJECT_none;
}
