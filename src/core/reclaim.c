/* reclaim.c: see reclaim.h. */
#include "core/reclaim.h"

#include "core/default.h"
#include "core/delivery.h"
#include "core/span.h"

static bool is_done(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    const struct instrument *in = &c->instruments[x->instrument];
    const struct span_exposure *s = &c->span_exposures[e];
    if (x->account == NIL || in->terms.expired == 0 || e == in->exposure_ccp) return false;
    bool empty = x->position == 0 && x->cost == 0 && x->entry_cost == 0 && x->open_buys == 0 &&
                 x->open_sells == 0 && x->buy_value == 0 && x->reduce_only == 0 &&
                 x->limited == 0 && x->requirement.v == 0;
    if (!empty || s->noted != 0) return false;
    if (s->record == NIL) return true;
    bool still = s->low == 0 && s->high == 0 && s->variation == 0 && s->delta_low == 0 &&
                 s->delta_high == 0;
    return still && s->led == 0; /* nobody's deltas are counted in it (CLEAR-06) */
}

/* Out of its account's list and its instrument's. What would be said to the one behind the last is
 * said to place NIL, where nobody reads it. */
static void exposure_unlink(struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    struct exposure_before before = c->exposures_before[e];
    uint32_t *to = before.of_account == NIL ? &c->accounts[x->account].exposures
                                            : &c->exposures[before.of_account].next;
    *to = x->next;
    to = before.of_instrument == NIL ? &c->instruments[x->instrument].exposures
                                     : &c->exposures[before.of_instrument].next_of_instrument;
    *to = x->next_of_instrument;
    c->exposures_before[x->next].of_account = before.of_account;
    c->exposures_before[x->next_of_instrument].of_instrument = before.of_instrument;
}

static void release(struct core *c, uint32_t e)
{
    struct exposure *x = &c->exposures[e];
    struct account *a = &c->accounts[x->account];
    uint32_t lead = c->span_exposures[e].lead;
    delivery_age_drop(c, e);
    exposure_unlink(c, e);
    if (lead != NIL && lead != e) c->span_exposures[lead].led -= 1;
    if (a->exposure_recent == e) a->exposure_recent = NIL;
    /* What it had gained stays a gain of its account (CLEAR-10). */
    int64_t *base = &c->gains[x->account].base;
    (void)int64_add(*base, -x->realised.v, base);
    map_remove(&c->exposure_map, (uint64_t)x->account << 32 | x->instrument);
    *x = (struct exposure){.next = c->s->exposure_free};
    c->span_exposures[e] = (struct span_exposure){0};
    c->s->exposure_free = e;
}

void reclaim_exposures(struct core *c, uint32_t instrument)
{
    uint32_t next;
    span_current(c);
    for (uint32_t e = c->instruments[instrument].exposures; e != NIL; e = next) {
        uint32_t lead = c->span_exposures[e].lead;
        next = c->exposures[e].next_of_instrument;
        if (!is_done(c, e)) continue;
        release(c, e);
        /* What led it may have waited for it: of another instrument, expired before. */
        if (lead != NIL && lead != e && c->exposures[lead].instrument != instrument &&
            is_done(c, lead))
            release(c, lead);
    }
}

static void check_exposure(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    const struct exposure_before *before = &c->exposures_before[e];
    uint32_t led = 0;
    ASSERT(e == (before->of_account == NIL ? c->accounts[x->account].exposures
                                           : c->exposures[before->of_account].next));
    ASSERT(e == (before->of_instrument == NIL
                     ? c->instruments[x->instrument].exposures
                     : c->exposures[before->of_instrument].next_of_instrument));
    for (uint32_t o = c->accounts[x->account].exposures; o != NIL; o = c->exposures[o].next) {
        led += o != e && c->span_exposures[o].lead == e;
    }
    ASSERT(led == c->span_exposures[e].led);
}

void reclaim_check(const struct core *c)
{
    uint32_t freed = 0, used = 0;
    for (uint32_t e = c->s->exposure_free; e != NIL; e = c->exposures[e].next) {
        ASSERT(c->exposures[e].account == NIL && c->exposures[e].instrument == NIL);
        freed += 1;
    }
    for (uint32_t e = 1; e <= c->s->exposures; e++) {
        if (c->exposures[e].account == NIL) continue;
        check_exposure(c, e);
        used += 1;
    }
    ASSERT(freed + used == c->s->exposures && used == c->s->exposure_map_count);
}
