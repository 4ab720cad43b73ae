/* supply.c: see supply.h. */
#include "core/supply.h"

#include "core/calendar.h"
#include "core/limit.h"
#include "core/margin.h"
#include "core/token.h"
#include "core/value.h"

#include <string.h>

bool supply_terms_are_valid(const struct command_product_create *p)
{
    const struct supply_terms *s = &p->supply;
    bool some = s->certified != 0 || s->short_share_e6 != 0;
    if (s->certified > 1 || s->short_share_e6 > E6 || !within(s->short_margin.v, 0, PRICE_MAX))
        return false;
    if (s->short_margin.v != 0 && s->short_share_e6 == 0) return false;
    if (s->certified != 0 && p->limits.spot_cap.v == 0) return false; /* it would bound nothing */
    return !some || p->delivery.class.vintage != 0;
}

/* ---- deliverable supply ---- */

/* nano-CT of one hour that all resources could still deliver into the class. */
static int128_t deliverable(const struct core *c, const struct token_class *class, int64_t hour)
{
    int128_t sum = 0;
    for (uint32_t i = 1; i <= c->certify.s->resources; i++) {
        struct token_class own;
        if (!resource_class(c, i, &own) || !token_class_serves(&own, class)) continue;
        int64_t left = certificate_work_now(c, i) - promise_of(c, i, hour);
        sum += int64_max(left, 0);
    }
    return sum;
}

static void bucket_freeze(struct core *c, uint32_t product, struct limit_bucket *b)
{
    const struct command_product_create *p = &c->products[product].terms;
    int128_t least = -1;
    for (int64_t h = b->start.v / NS_PER_HOUR; h < b->end.v / NS_PER_HOUR; h++) {
        int128_t one = deliverable(c, &p->delivery.class, h);
        if (least < 0 || one < least) least = one;
    }
    int128_t lots = least / token_product_work(p);
    b->supply = lots > QTY_MAX ? QTY_MAX : (int64_t)lots;
    struct event_supply *e = outbox_push(c->out, EVENT_supply, sizeof *e);
    e->product = product;
    e->instrument = NIL;
    e->amount = QTY(b->supply);
    memset(e->reason, 0, sizeof e->reason);
    memcpy(e->reason, "certified and not promised, ", 28);
    memcpy(e->reason + 28, b->name, strnlen(b->name, sizeof b->name - 1));
}

void supply_freeze(struct core *c)
{
    for (uint32_t p = 1; p <= c->s->products; p++) {
        if (c->products[p].terms.supply.certified == 0) continue;
        for (uint32_t b = c->limit.groups[p].buckets; b != NIL; b = c->limit.buckets[b].next) {
            struct limit_bucket *bucket = &c->limit.buckets[b];
            bool month = bucket->end.v != 0 && limit_in_spot(c, bucket);
            if (month && bucket->supply < 0) bucket_freeze(c, p, bucket);
        }
    }
}

/* ---- shorts ---- */

/* nano-CT an hour that the account may be short. */
static int128_t short_bound(const struct core *c, uint32_t account,
                            const struct command_product_create *p)
{
    int128_t capacity = certify_capacity(c, account, &p->delivery.class);
    return capacity * p->supply.short_share_e6 / E6;
}

/* Whether the two are of one class, so that hours of one count against hours of the other. */
static bool counts_with(const struct core *c, uint32_t instrument, uint32_t other)
{
    return token_class_equal(&product_of(c, instrument)->terms.delivery.class,
                             &product_of(c, other)->terms.delivery.class) &&
           !instrument_is_past(c, other);
}

/* What the account is short of this hour, working sells included; below zero: long. */
static int128_t short_at(const struct core *c, uint32_t account, uint32_t instrument,
                         int64_t lots, int64_t hour)
{
    int128_t sum = lots * token_lot_work(c, instrument);
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        if (!counts_with(c, instrument, x->instrument) || !block_has_hour(c, x->instrument, hour))
            continue;
        sum += ((int128_t)x->open_sells - x->position) * token_lot_work(c, x->instrument);
    }
    return sum;
}

/* The sum of what is held is the same in all peak hours, and in all others, between where one
 * instrument begins or ends and where the next does: these hours alone are looked at. */
static bool fits_from(const struct core *c, uint32_t account, uint32_t instrument, int64_t lots,
                      int64_t from, int128_t bound)
{
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    const struct event_instrument *t = &c->instruments[instrument].terms;
    int64_t end = t->end.v / NS_PER_HOUR;
    bool seen[2] = {t->block == BLOCK_peak, t->block == BLOCK_off_peak}; /* has none of these */
    for (int64_t h = block_hour_next(c, instrument, from); h < end && !(seen[0] && seen[1]);
         h = block_hour_next(c, instrument, h + 1)) {
        bool peak = calendar_hour_is_peak(h, p->peak_start_hour, p->peak_end_hour);
        if (seen[peak]) continue;
        seen[peak] = true;
        if (short_at(c, account, instrument, lots, h) > bound) return false;
    }
    return true;
}

bool short_admits(const struct core *c, uint32_t account, uint32_t instrument, int64_t lots)
{
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    if (p->supply.short_margin.v != 0 || c->accounts[account].mode == MODE_collateralised ||
        c->accounts[account].system != SYSTEM_none || c->limit.waived) return true;
    int128_t bound = short_bound(c, account, p);
    if (!fits_from(c, account, instrument, lots, 0, bound)) return false;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct event_instrument *t = &c->instruments[c->exposures[e].instrument].terms;
        if (!counts_with(c, instrument, t->id)) continue;
        if (!fits_from(c, account, instrument, lots, t->start.v / NS_PER_HOUR, bound) ||
            !fits_from(c, account, instrument, lots, t->end.v / NS_PER_HOUR, bound)) return false;
    }
    return true;
}

bool short_margin(const struct core *c, uint32_t account, uint32_t instrument, int64_t lots,
                  int64_t *margin)
{
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    *margin = 0;
    if (p->supply.short_margin.v == 0 || lots <= 0) return true;
    int128_t free = short_bound(c, account, p) / token_product_work(p), charge;
    if (lots <= free) return true;
    return int128_mul(lots - free, p->supply.short_margin.v, &charge) &&
           value_ceil(charge, c->instruments[instrument].terms.contract_size, margin);
}

void short_refresh(struct core *c, uint32_t account)
{
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        if (product_of(c, c->exposures[e].instrument)->terms.supply.short_margin.v != 0)
            margin_update(c, e);
    }
}
