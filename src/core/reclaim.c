/* reclaim.c: see reclaim.h. */
#include "core/reclaim.h"

#include "core/default.h"
#include "core/span.h"

/* Whether another exposure of the account counts its deltas in this one (CLEAR-06). */
static bool leads_another(const struct core *c, uint32_t e)
{
    uint32_t other = c->accounts[c->exposures[e].account].exposures;
    for (; other != NIL; other = c->exposures[other].next) {
        if (other != e && c->span_exposures[other].lead == e) return true;
    }
    return false;
}

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
    return still && !leads_another(c, e);
}

static void release(struct core *c, uint32_t e)
{
    struct exposure *x = &c->exposures[e];
    struct account *a = &c->accounts[x->account];
    uint32_t *link = &a->exposures;
    while (*link != e) link = &c->exposures[*link].next;
    *link = x->next;
    link = &c->instruments[x->instrument].exposures;
    while (*link != e) link = &c->exposures[*link].next_of_instrument;
    *link = x->next_of_instrument;
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

void reclaim_check(const struct core *c)
{
    uint32_t freed = 0, used = 0;
    for (uint32_t e = c->s->exposure_free; e != NIL; e = c->exposures[e].next) {
        ASSERT(c->exposures[e].account == NIL && c->exposures[e].instrument == NIL);
        freed += 1;
    }
    for (uint32_t e = 1; e <= c->s->exposures; e++) used += c->exposures[e].account != NIL;
    ASSERT(freed + used == c->s->exposures && used == c->s->exposure_map_count);
}
