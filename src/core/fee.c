/* fee.c: see fee.h. */
#include "core/fee.h"

#include "core/calendar.h"

int64_t fee_month(const struct core *c) { return calendar_month_number(c->s->day); }

static int64_t month_lots(const struct core *c, uint32_t account, int64_t month)
{
    const struct account *a = &c->accounts[account];
    return a->month_number == month ? a->month_lots.v : 0;
}

int128_t fee_of_trade(const struct core *c, uint32_t account, uint32_t product, bool maker,
                      int64_t qty, int64_t month)
{
    const struct command_product_create *p = &c->products[product].terms;
    if (p->fee_tier_count == 0) return 0;
    int64_t lots = month_lots(c, account, month);
    uint32_t tier = 0;
    while (tier + 1u < p->fee_tier_count && p->fee_tiers[tier + 1].from.v <= lots) tier += 1;
    money_t fee = maker ? p->fee_tiers[tier].maker : p->fee_tiers[tier].taker;
    return (int128_t)fee.v * qty;
}

void fee_count_lots(struct core *c, uint32_t account, uint32_t product, int64_t qty,
                    int64_t month)
{
    struct account *a = &c->accounts[account];
    if (c->products[product].terms.fee_tier_count == 0) return;
    int64_t lots = month_lots(c, account, month);
    a->month_number = month;
    /* Beyond every tier: the count stays at its end. */
    if (!int64_add(lots, qty, &lots)) lots = INT64_MAX;
    a->month_lots = QTY(lots);
}
