/* delivery_bid.c: what delivery asks of those who bid in its auctions (DELIV-05): who may, what of
 * theirs is required while they do, and at the close whether they still can.
 *
 * An auction names its allocation. In a balancing auction sellers offer: each needs a standing
 * tender of a resource certified for the hour, at the close its tokens too, and margin for the
 * dearest price at which the auction may clear. In a resale buyers bid: each needs a standing
 * intake whose constraints allow the seller, and the margin of a buyer at its own price.
 *
 * Upstream: spot_bid, spot_firm. Downstream: certify, token.
 */
#include "core/delivery_internal.h"

/* The allocation that an auction is for; NIL: it is gone, or there never was one. */
static uint32_t allocation_for(const struct core *c, const struct spot_auction *s)
{
    return allocation_find(c, s->reference);
}

uint32_t intake_of_bidder(const struct core *c, uint32_t a, uint32_t account)
{
    const struct allotment *x = &c->deliver.allocations[a];
    if (a == NIL || account == x->said.buyer || account == x->said.seller) return NIL;
    uint32_t t = intake_find(c, account, NIL);
    bool allowed = t != NIL && intake_allows(&c->deliver.intakes[t], &x->class, x->said.grade,
                                             x->said.seller);
    return allowed ? t : NIL;
}

enum reject delivery_may_bid(const struct core *c, const struct spot_auction *s, uint32_t account,
                             int64_t hour)
{
    uint32_t a = allocation_for(c, s);
    if (s->kind == SPOT_resale)
        return intake_of_bidder(c, a, account) == NIL ? REJECT_no_intake : REJECT_none;
    if (a != NIL && c->deliver.allocations[a].said.buyer == account) return REJECT_not_tenderable;
    return tender_standing(c, account, &s->class, hour) == NIL ? REJECT_not_tenderable
                                                               : REJECT_none;
}

bool delivery_bid_margin(const struct core *c, const struct spot_auction *s, price_t price,
                         int64_t work, int64_t *need)
{
    uint32_t a = allocation_for(c, s);
    int64_t buyer, seller;
    *need = 0;
    if (a == NIL) return true;
    bool sale = s->kind == SPOT_resale;
    const struct delivery_terms *t = terms_of(c, c->deliver.allocations[a].said.instrument);
    if (!delivery_margins(t, work, sale ? price : s->price_max, &buyer, &seller)) return false;
    *need = sale ? buyer : seller;
    return true;
}

bool delivery_honours(const struct core *c, const struct spot_auction *s, uint32_t account,
                      int64_t hour, int64_t work)
{
    uint32_t a = allocation_for(c, s);
    if (c->accounts[account].status != ACCOUNT_normal) return false;
    if (s->kind == SPOT_resale) return intake_of_bidder(c, a, account) != NIL;
    if (a == NIL) return true;
    uint32_t t = tender_standing(c, account, &s->class, hour);
    struct token_class class;
    if (t == NIL || !resource_class(c, c->deliver.tenders[t].terms.resource, &class)) return false;
    return token_escrow_check(c, account, c->deliver.tenders[t].terms.resource, &class, hour,
                              work) == REJECT_none;
}
