/* delivery_age.c: how old long positions are (DELIV-01: the oldest is delivered to first).
 *
 * Lots are as old as the UTC date on which the position grew to them: what is bought and sold
 * within a date nets out, what is sold beyond that leaves first in, first out. So ages are reckoned
 * once a date, and when they are asked for, from positions as they stand: trading pays nothing for
 * them. Where the pool of ages is full, younger lots count as old as those before them.
 *
 * Upstream: state. Downstream: delivery_notice, cascade, reclaim, session.
 */
#include "core/delivery_internal.h"

static uint32_t age_take(struct core *c)
{
    struct delivery_state *s = c->deliver.s;
    uint32_t g = s->age_free;
    if (g != NIL) s->age_free = c->deliver.ages[g].next;
    else if (s->ages < c->deliver.age_max) g = ++s->ages;
    return g;
}

static void age_give(struct core *c, uint32_t g)
{
    c->deliver.ages[g] = (struct age){.next = c->deliver.s->age_free};
    c->deliver.s->age_free = g;
}

static int64_t age_sum(const struct core *c, uint32_t e)
{
    int64_t sum = 0;
    for (uint32_t g = c->deliver.age_first[e]; g != NIL; g = c->deliver.ages[g].next)
        sum += c->deliver.ages[g].lots;
    return sum;
}

/* Adds lots of a date where it belongs. */
static void age_add(struct core *c, uint32_t e, int64_t day, int64_t lots)
{
    struct age *ages = c->deliver.ages;
    uint32_t before = NIL, g = c->deliver.age_first[e];
    while (g != NIL && ages[g].day < day) {
        before = g;
        g = ages[g].next;
    }
    if (g != NIL && ages[g].day == day) {
        ages[g].lots += lots;
        return;
    }
    uint32_t made = age_take(c);
    if (made == NIL) {
        if (before == NIL) before = g;
        if (before != NIL) ages[before].lots += lots;
        return; /* without any, its lots are the youngest */
    }
    ages[made] = (struct age){.day = day, .lots = lots, .next = g};
    if (before == NIL) c->deliver.age_first[e] = made;
    else ages[before].next = made;
}

static void age_reduce(struct core *c, uint32_t e, int64_t lots)
{
    while (lots > 0) {
        uint32_t g = c->deliver.age_first[e];
        struct age *x = &c->deliver.ages[g];
        ASSERT(g != NIL);
        int64_t part = int64_min(lots, x->lots);
        x->lots -= part;
        lots -= part;
        if (x->lots > 0) return;
        c->deliver.age_first[e] = x->next;
        age_give(c, g);
    }
}

void age_reckon(struct core *c, uint32_t exposure, int64_t day)
{
    int64_t position = int64_max(c->exposures[exposure].position, 0);
    int64_t known = age_sum(c, exposure);
    if (known > position) age_reduce(c, exposure, known - position);
    else if (known < position) age_add(c, exposure, day, position - known);
}

void delivery_age_day(struct core *c)
{
    for (uint32_t p = 1; p <= c->s->products; p++) {
        if (c->products[p].terms.delivery.class.vintage == 0) continue;
        for (uint32_t i = c->products[p].instruments; i != NIL;
             i = c->instruments[i].next_of_product) {
            uint32_t e = c->instruments[i].exposures;
            for (; e != NIL; e = c->exposures[e].next_of_instrument) age_reckon(c, e, c->s->day);
        }
    }
}

void delivery_age_move(struct core *c, uint32_t from_exposure, uint32_t to_exposure, int64_t lots,
                       int64_t ratio)
{
    uint32_t product = c->instruments[c->exposures[to_exposure].instrument].product;
    if (lots <= 0 || c->products[product].terms.delivery.class.vintage == 0) return;
    uint32_t g = c->deliver.age_first[from_exposure];
    for (; g != NIL && lots > 0; g = c->deliver.ages[g].next) {
        int64_t part = int64_min(lots, c->deliver.ages[g].lots);
        age_add(c, to_exposure, c->deliver.ages[g].day, part * ratio);
        lots -= part;
    }
    if (lots > 0) age_add(c, to_exposure, c->s->day, lots * ratio);
}

void delivery_age_drop(struct core *c, uint32_t exposure)
{
    while (c->deliver.age_first[exposure] != NIL) {
        uint32_t g = c->deliver.age_first[exposure];
        c->deliver.age_first[exposure] = c->deliver.ages[g].next;
        age_give(c, g);
    }
}
