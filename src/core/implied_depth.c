/* implied_depth.c: how much an order could trade at once, hidden and implied lots included, without
 * trading: for fill-or-kill and minimum quantities (MATCH-02) in books with implied prices.
 *
 * It takes the steps that matching would take, over whole levels instead of orders, and notes
 * beside the books what of each side's levels is used up. Each step uses up a level or ends.
 *
 * Own orders (MATCH-04) do not count; where the aggressor's mode would touch the aggressor itself,
 * the count ends when it comes to one.
 *
 * Upstream: match. Downstream: implied.c, which asks back for the best level that is left.
 */
#include "core/implied.h"

/* The best level of a book's side that is not used up. */
struct depth_side {
    uint64_t count; /* of which count this is: another's is as good as none */
    uint32_t level; /* NIL: the side is used up */
    bool barred;    /* an own order comes behind `left` */
    int64_t left;
    int64_t behind; /* lots of the level from that own order on */
};

struct implied_depth {
    const struct entry *entry;
    uint64_t count;
    struct depth_side sides[];
};

size_t implied_depth_bytes(uint32_t instruments)
{
    size_t sides = 2 * ((size_t)instruments + 1);
    return sizeof(struct implied_depth) + sides * sizeof(struct depth_side);
}

static bool ends_at_own(const struct entry *e)
{
    return e->smp_mode == SMP_cancel_aggressing || e->smp_mode == SMP_cancel_both ||
           e->smp_mode == SMP_decrement;
}

static bool is_own(const struct core *c, const struct entry *e, uint32_t o)
{
    if (!(order_at(c, o)->flags & ORDER_BIT_TERMS) || c->info[o].smp_id != e->smp_id) return false;
    return c->accounts[order_at(c, o)->account].member == c->accounts[e->account].member;
}

/* What of a level counts. Lots ahead of an own order are those displayed there now: parts that are
 * refreshed go behind it. */
static void level_read(const struct core *c, const struct entry *e, uint32_t instrument,
                       uint32_t at, struct depth_side *s)
{
    const struct level *level = &c->pools.levels[at];
    s->level = at;
    s->behind = 0;
    s->barred = false;
    s->left = level->total.v;
    if (e->smp_id == 0) return;
    int64_t others = 0, ahead = 0;
    for (uint32_t o = level->first; o != NIL; o = order_at(c, o)->next) {
        if (is_own(c, e, o)) {
            s->barred = ends_at_own(e);
            if (s->barred) break;
            continue;
        }
        others += order_at(c, o)->left.v;
        ahead += order_at(c, o)->shown.v;
    }
    s->left = others;
    if (!s->barred) return;
    s->left = allocate_applies(c, instrument) ? 0 : ahead;
    s->behind = level->total.v - s->left;
}

static struct depth_side *side_of(struct implied_depth *d, uint32_t instrument, enum side side)
{
    return &d->sides[2 * (size_t)instrument + (size_t)side];
}

bool implied_depth_best(const struct core *c, struct implied_depth *d, uint32_t instrument,
                        enum side side, struct implied_leg *leg)
{
    struct depth_side *s = side_of(d, instrument, side);
    if (s->count != d->count) {
        *s = (struct depth_side){.count = d->count};
        uint32_t best = book_of(c, instrument)->side[side].best;
        if (best != NIL) level_read(c, d->entry, instrument, best, s);
    }
    while (s->level != NIL && s->left == 0 && !s->barred) {
        uint32_t worse = c->pools.levels[s->level].worse;
        if (worse != NIL) level_read(c, d->entry, instrument, worse, s);
        else s->level = NIL;
    }
    if (s->level == NIL) return false;
    *leg = (struct implied_leg){
        .instrument = instrument, .side = side, .level = s->level, .lots = s->left, .ratio = 1,
        .total = s->left + s->behind,
        .price = price_of(c, instrument, c->pools.levels[s->level].px), .leg_b = PRICE_NONE,
        .barred = s->barred};
    return true;
}

/* The implied source that comes before the best direct price (PX_NONE: none); as implied_meets. */
static bool source_next(const struct core *c, const struct entry *e, px_t direct, int64_t lots,
                        struct implied_source *s)
{
    enum side other = opposite((enum side)e->side);
    for (int generation = 1; generation <= IMPLIED_GENERATIONS; generation++) {
        if (implied_find(c, c->depth, e->instrument, other, generation, lots, s) &&
            px_acceptable((enum side)e->side, e->px, s->px) &&
            (px_is_none(direct) || px_better(other, s->px, direct)))
            return true;
        if (!px_is_none(direct)) return false;
    }
    return false;
}

int64_t implied_available(const struct core *c, const struct entry *e)
{
    struct implied_depth *d = c->depth;
    enum side other = opposite((enum side)e->side);
    int64_t sum = 0;
    d->entry = e;
    d->count += 1;
    while (sum < e->qty) {
        struct implied_leg leg;
        struct implied_source s;
        bool direct = implied_depth_best(c, d, e->instrument, other, &leg);
        px_t px = direct ? c->pools.levels[leg.level].px : PX_NONE;
        if (direct && !px_acceptable((enum side)e->side, e->px, px)) px = PX_NONE;
        if (source_next(c, e, px, e->qty - sum, &s)) {
            int64_t units = int64_min(s.units, (e->qty - sum) / s.ratio);
            if (units == 0) return sum; /* an own order ends it */
            for (uint32_t i = 0; i < s.count; i++)
                side_of(d, s.legs[i].instrument, s.legs[i].side)->left -= units * s.legs[i].ratio;
            sum += units * s.ratio;
            continue;
        }
        if (px_is_none(px) || leg.lots == 0) return sum;
        int64_t lots = int64_min(leg.lots, e->qty - sum);
        side_of(d, e->instrument, other)->left -= lots;
        sum += lots;
    }
    return sum;
}
