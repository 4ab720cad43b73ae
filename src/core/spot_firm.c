/* spot_firm.c: bids to delivery's own auctions are firm (DELIV-05). See spot.h.
 *
 * Whoever could win and then not deliver, or not pay, would have a free option at the cost of those
 * who would: so what a bid may put into escrow at most is required of its account from its entry
 * until its award is taken, and at the close a bid that cannot be honoured any more is passed over.
 * What must be so is delivery's to say (delivery_bid.c); a bid says how much of it stands.
 *
 * Upstream: spot_bid, spot_balancing. Downstream: delivery, margin.
 */
#include "core/spot_internal.h"

#include "core/delivery.h"
#include "core/ledger.h"
#include "core/margin.h"

#include <string.h>

static const struct spot_auction *auction_of(const struct core *c, uint32_t bid)
{
    return &c->spot.auctions[c->spot.bids[bid].auction];
}

static void firm_change(struct core *c, uint32_t account, int64_t change)
{
    c->spot.firm[account] += change;
    c->accounts[account].requirement.v += change;
}

void firm_set(struct core *c, uint32_t bid, money_t margin)
{
    struct spot_order *b = &c->spot.bids[bid];
    firm_change(c, b->account, margin.v - b->margin.v);
    b->margin = margin;
}

/* In cash, for escrow takes nothing else. */
static int128_t free_after(struct core *c, uint32_t account, int64_t more)
{
    span_current(c);
    int128_t cash = (int128_t)ledger_cash_free(c, account) - c->spot.firm[account] - more;
    int128_t margin = (int128_t)margin_available(c, account) - more;
    return cash < margin ? cash : margin;
}

enum reject firm_admit(struct core *c, uint32_t bid, int64_t *missing)
{
    const struct spot_order *b = &c->spot.bids[bid];
    const struct spot_auction *a = auction_of(c, bid);
    int64_t need, work = int64_min(b->qty, a->hour[b->hour].wanted);
    if (!delivery_bid_margin(c, a, b->price, work, &need)) return REJECT_insufficient_margin;
    int128_t left = free_after(c, b->account, need);
    if (left < 0) {
        *missing = money_clamp(-left);
        return REJECT_insufficient_margin;
    }
    firm_set(c, bid, MONEY(need));
    return REJECT_none;
}

/* Auctions that close at one instant: what the account has won of the same tokens before. */
static int64_t won_before(const struct core *c, const struct spot_auction *a,
                          const struct spot_order *b)
{
    int64_t hour = a->first_hour + b->hour, won = 0;
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        const struct spot_auction *other = &c->spot.auctions[i];
        if (other->awaited == 0 || memcmp(&other->class, &a->class, sizeof a->class) != 0) continue;
        for (uint32_t o = other->first; o != NIL; o = c->spot.bids[o].next) {
            const struct spot_order *x = &c->spot.bids[o];
            if (x->account == b->account && other->first_hour + x->hour == hour) won += x->filled;
        }
    }
    return won;
}

bool firm_holds(struct core *c, uint32_t bid, int64_t work)
{
    const struct spot_order *b = &c->spot.bids[bid];
    const struct spot_auction *a = auction_of(c, bid);
    if (free_after(c, b->account, 0) < 0) return false;
    return delivery_honours(c, a, b->account, a->first_hour + b->hour,
                            work + won_before(c, a, b));
}

int128_t firm_check(const struct core *c, const struct spot_auction *a)
{
    int128_t sum = 0;
    for (uint32_t i = a->first; i != NIL; i = c->spot.bids[i].next) {
        const struct spot_order *b = &c->spot.bids[i];
        bool held = spot_is_live(a) || (a->awaited != 0 && b->filled > 0);
        ASSERT(b->margin.v >= 0 && (b->margin.v == 0 || (a->kind != SPOT_day_ahead && held)));
        sum += b->margin.v;
    }
    return sum;
}
