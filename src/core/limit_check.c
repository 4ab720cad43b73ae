/* limit_check.c: asserts what limit.h promises (GUARD-07): holdings are the sums of their
 * exposures. Complete and slow.
 *
 * Upstream: state. Downstream: check.c.
 */
#include "core/limit.h"

static void check_exposure(const struct core *c, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    const struct limit_link *link = &c->limit.links[e];
    const struct limit_map *map = &c->limit.maps[x->instrument];
    bool limited = c->accounts[x->account].system == 0 && product_of(c, x->instrument)->limited &&
                   c->instruments[x->instrument].terms.expired == 0;
    ASSERT(x->limited <= 1);
    if (limited) ASSERT(x->limited == 1);
    if (x->limited == 0) {
        ASSERT(link->count == 0);
        return;
    }
    ASSERT(x->lot_margin < 0 && link->count == map->count);
    ASSERT(link->position == x->position && link->buys == x->open_buys &&
           link->sells == x->open_sells);
    for (uint32_t i = 0; i < link->count; i++) {
        const struct limit_holding *h = &c->limit.holdings[link->holding[i]];
        ASSERT(h->owner == limit_owner_key(c, x->account) && h->bucket == map->bucket[i]);
    }
}

static void check_holding(const struct core *c, uint32_t at)
{
    const struct limit_holding *h = &c->limit.holdings[at];
    int128_t net = 0, buys = 0, sells = 0;
    uint32_t links = 0;
    for (uint32_t e = 1; e <= c->s->exposures && h->links != 0; e++) {
        const struct limit_link *link = &c->limit.links[e];
        const struct limit_map *map = &c->limit.maps[c->exposures[e].instrument];
        for (uint32_t i = 0; i < link->count; i++) {
            if (link->holding[i] != at) continue;
            int128_t unit = i + 1 == link->count ? (int128_t)map->all_unit : map->unit;
            net += unit * link->position;
            buys += unit * link->buys;
            sells += unit * link->sells;
            links += 1;
        }
    }
    ASSERT(links == h->links && net == h->net && buys == h->buys && sells == h->sells);
}

void limits_check(const struct core *c)
{
    for (uint32_t e = 1; e <= c->s->exposures; e++) {
        if (c->exposures[e].account != NIL) check_exposure(c, e);
    }
    for (uint32_t h = 1; h <= c->limit.s->holdings; h++) check_holding(c, h);
    for (uint32_t b = 1; b <= c->limit.s->buckets; b++) {
        const struct limit_bucket *bucket = &c->limit.buckets[b];
        ASSERT(bucket->group == NIL || bucket->group <= c->s->products);
    }
}
