/* book.c: the ladder behind a book: from a price to its level, and from a new level to its
 * neighbours. The rest of the book, which needs no search, is inline in book.h.
 *
 * The ladder of a side is a radix tree over the price's 64 bits, six at a time, with one-child
 * nodes left out. A node holds 64 references and a bitmap of those in use; so the nearest level
 * below or above a new one is found with one count of zero bits a step, and linked: a walk over
 * levels in order of price never enters the tree again.
 *
 * Most levels of a moving market are made better than all others and go again at once. So the best
 * few (NEAR_MAX at most) may be left out of the ladder: they are only linked, and looked through
 * one by one. A level that falls off their end is put into the ladder.
 *
 * Invariants: (1) a node has at least two children; (2) all keys below a node agree with its prefix
 * above its six bits, and with its parent's slot; (3) so there are fewer nodes than levels;
 * (4) a free level or node is zero but for the link of its free list; (5) the levels that are not
 * in the ladder are the best `near` ones of their side.
 *
 * Upstream: book.h. Downstream: order, match, auction, implied.
 */
#include "core/book.h"

#include <stddef.h>
#include <string.h>

enum { NEAR_MAX = 8 };

/* Prices in unsigned order. */
static inline uint64_t ladder_key(px_t px) { return (uint64_t)px.v ^ (UINT64_C(1) << 63); }

/* Which child of n the key belongs to; 64 or more: it lies outside n. */
static inline uint64_t ladder_slot(const struct ladder_node *n, uint64_t key)
{
    return (key ^ n->prefix) >> n->shift;
}

static inline unsigned bit_lowest(uint64_t x) { return (unsigned)__builtin_ctzll(x); }
static inline unsigned bit_highest(uint64_t x) { return 63u - (unsigned)__builtin_clzll(x); }

void book_pools_cut(struct book_pools *p, struct arena *a, uint32_t orders, uint32_t levels)
{
    ASSERT(orders < UINT32_MAX && levels < LADDER_NODE - 1);
    p->order_capacity = orders;
    p->level_capacity = levels;
    p->node_capacity = levels;
    p->orders = arena_cut(a, (size_t)orders + 1, sizeof(struct order));
    p->levels = arena_cut(a, (size_t)levels + 1, sizeof(struct level));
    p->nodes = arena_cut(a, (size_t)levels + 1, sizeof(struct ladder_node));
    p->counts = arena_cut(a, 1, sizeof(struct book_pool_counts));
}

static uint32_t level_take(struct book_pools *p)
{
    struct book_pool_counts *c = p->counts;
    uint32_t at = c->level_free;
    if (at != NIL) c->level_free = p->levels[at].worse;
    else at = ++c->level_high;
    ASSERT(at <= p->level_capacity);
    c->level_live += 1;
    return at;
}

static void level_give(struct book_pools *p, uint32_t at)
{
    struct book_pool_counts *c = p->counts;
    p->levels[at] = (struct level){.worse = c->level_free};
    c->level_free = at;
    c->level_live -= 1;
}

static uint32_t node_take(struct book_pools *p)
{
    struct book_pool_counts *c = p->counts;
    uint32_t at = c->node_free;
    if (at != NIL) c->node_free = p->nodes[at].parent;
    else at = ++c->node_high;
    ASSERT(at <= p->node_capacity);
    c->node_live += 1;
    return at;
}

static void node_give(struct book_pools *p, uint32_t at)
{
    struct book_pool_counts *c = p->counts;
    struct ladder_node *n = &p->nodes[at];
    n->prefix = 0;
    n->occupied = 0;
    n->shift = 0;
    n->slot = 0;
    n->parent = c->node_free;
    c->node_free = at;
    c->node_live -= 1;
}

/* Makes `ref` the child `slot` of node `at`, or the root when `at` is NIL. */
static inline void ladder_put(struct book_pools *p, struct book_side *s, uint32_t at, unsigned slot,
                              uint32_t ref)
{
    if (at == NIL) {
        s->ladder = ref;
    } else {
        p->nodes[at].child[slot] = ref;
        p->nodes[at].occupied |= UINT64_C(1) << slot;
    }
    if ((ref & LADDER_NODE) != 0) {
        struct ladder_node *n = &p->nodes[ref & ~LADDER_NODE];
        n->parent = at;
        n->slot = (uint8_t)slot;
    } else {
        p->levels[ref].node = at;
    }
}

uint32_t book_level_at(const struct book_pools *p, const struct book *b, enum side side, px_t px)
{
    const struct book_side *s = &b->side[side];
    uint32_t at = s->best;
    for (uint32_t i = s->near; i > 0; i--, at = p->levels[at].worse) {
        if (p->levels[at].px.v == px.v) return at;
    }
    uint64_t key = ladder_key(px);
    uint32_t ref = s->ladder;
    while ((ref & LADDER_NODE) != 0) {
        const struct ladder_node *n = &p->nodes[ref & ~LADDER_NODE];
        uint64_t slot = ladder_slot(n, key);
        if (slot >= 64 || (n->occupied >> slot & 1) == 0) return NIL;
        ref = n->child[slot];
    }
    return ref != NIL && p->levels[ref].px.v == px.v ? ref : NIL;
}

/* The level with the lowest or highest key at or below a reference. */
static uint32_t ladder_lowest(const struct book_pools *p, uint32_t ref)
{
    while ((ref & LADDER_NODE) != 0) {
        const struct ladder_node *n = &p->nodes[ref & ~LADDER_NODE];
        ref = n->child[bit_lowest(n->occupied)];
    }
    return ref;
}

static uint32_t ladder_highest(const struct book_pools *p, uint32_t ref)
{
    while ((ref & LADDER_NODE) != 0) {
        const struct ladder_node *n = &p->nodes[ref & ~LADDER_NODE];
        ref = n->child[bit_highest(n->occupied)];
    }
    return ref;
}

/* Puts a new node where reference `other` was (child `slot` of `at`), above both `other`, one of
 * whose keys is `other_key`, and the new level. Returns the node. */
static uint32_t ladder_split(struct book_pools *p, struct book_side *s, uint32_t at, unsigned slot,
                             uint32_t other, uint64_t other_key, uint64_t key)
{
    uint32_t made = node_take(p);
    struct ladder_node *n = &p->nodes[made];
    unsigned shift = bit_highest(other_key ^ key) / 6u * 6u;
    n->shift = (uint8_t)shift;
    n->prefix = (key >> shift >> 6) << 6 << shift;
    ladder_put(p, s, at, slot, made | LADDER_NODE);
    ladder_put(p, s, made, (unsigned)ladder_slot(n, other_key), other);
    return made;
}

/* A place in the ladder: child `slot` of node `at`, NIL: the root. */
struct place {
    uint32_t at;
    unsigned slot;
    uint32_t found; /* the level that is there already; NIL: none */
};

/* The place of a key, with nodes made so that it is free when no level has the key. */
static inline struct place ladder_reach(struct book_pools *p, struct book_side *s, uint64_t key)
{
    uint32_t at = NIL;
    unsigned slot = 0;
    uint32_t ref = s->ladder;
    while (ref != NIL) {
        uint64_t other;
        if ((ref & LADDER_NODE) == 0) {
            other = ladder_key(p->levels[ref].px);
            if (other == key) return (struct place){at, slot, ref};
        } else {
            const struct ladder_node *n = &p->nodes[ref & ~LADDER_NODE];
            uint64_t inside = ladder_slot(n, key);
            if (inside < 64) {
                at = ref & ~LADDER_NODE;
                slot = (unsigned)inside;
                ref = (n->occupied >> slot & 1) != 0 ? n->child[slot] : NIL;
                continue;
            }
            other = n->prefix;
        }
        at = ladder_split(p, s, at, slot, ref, other, key);
        slot = (unsigned)ladder_slot(&p->nodes[at], key);
        break;
    }
    return (struct place){at, slot, NIL};
}

/* Links a level before `worse`, after `better` (NIL: none on that side). */
static inline void level_link(struct book_pools *p, struct book_side *s, uint32_t level,
                              uint32_t better, uint32_t worse)
{
    p->levels[level].better = better;
    p->levels[level].worse = worse;
    p->levels[better].worse = level; /* of NIL: nobody reads it */
    p->levels[worse].better = level;
    s->best = uint32_select(better == NIL, level, s->best);
}

/* Links a new level of the ladder, child `slot` of node `at`, between its neighbours. The node has
 * another child: the nearest level on one side is under it, and the one on the other side is that
 * one's link. */
static void ladder_link(struct book_pools *p, struct book_side *s, enum side side, uint32_t level,
                        uint32_t at, unsigned slot)
{
    const struct ladder_node *n = &p->nodes[at];
    uint64_t lower = n->occupied & ((UINT64_C(1) << slot) - 1);
    uint32_t found;
    bool found_better;
    if (lower != 0) {
        found = ladder_highest(p, n->child[bit_highest(lower)]);
        found_better = side == SIDE_sell;
    } else {
        found = ladder_lowest(p, n->child[bit_lowest(n->occupied & ~(UINT64_C(1) << slot))]);
        found_better = side == SIDE_buy;
    }
    if (found_better) level_link(p, s, level, found, p->levels[found].worse);
    else level_link(p, s, level, p->levels[found].better, found);
}

/* Makes a level that stays out of the ladder, before `worse`. */
static inline uint32_t near_make(struct book_pools *p, struct book_side *s, px_t px, uint32_t worse)
{
    uint32_t level = level_take(p);
    p->levels[level].px = px;
    p->levels[level].node = LADDER_NEAR;
    uint32_t better = worse != NIL ? p->levels[worse].better : s->near_last;
    level_link(p, s, level, better, worse);
    if (better == s->near_last) s->near_last = level;
    s->near += 1;
    s->levels += 1;
    if (s->near > NEAR_MAX) {
        uint32_t falls = s->near_last;
        s->near_last = p->levels[falls].better;
        s->near -= 1;
        struct place place = ladder_reach(p, s, ladder_key(p->levels[falls].px));
        ladder_put(p, s, place.at, place.slot, falls);
    }
    return level;
}

uint32_t book_level_reach(struct book_pools *p, struct book_side *s, enum side side, px_t px)
{
    int64_t rank = px_rank(side, px);
    uint32_t below = s->near == 0 ? s->best : p->levels[s->near_last].worse;
    if (below == NIL || px_rank(side, p->levels[below].px) < rank) { /* before the ladder */
        uint32_t at = s->best;
        while (at != below && px_rank(side, p->levels[at].px) > rank) at = p->levels[at].worse;
        if (at != below && p->levels[at].px.v == px.v) return at;
        return near_make(p, s, px, at);
    }
    struct place place = ladder_reach(p, s, ladder_key(px));
    if (place.found != NIL) return place.found;
    uint32_t level = level_take(p);
    p->levels[level].px = px;
    ladder_put(p, s, place.at, place.slot, level);
    ladder_link(p, s, side, level, place.at, place.slot);
    s->levels += 1;
    return level;
}

/* Takes the level out of the ladder; a node with one child left goes, the child moves up. */
static void ladder_drop(struct book_pools *p, struct book_side *s, const struct level *l)
{
    if (l->node == NIL) {
        s->ladder = NIL;
        return;
    }
    struct ladder_node *n = &p->nodes[l->node];
    n->occupied &= ~(UINT64_C(1) << ladder_slot(n, ladder_key(l->px)));
    if ((n->occupied & (n->occupied - 1)) != 0) return;
    uint32_t gone = l->node;
    ladder_put(p, s, n->parent, n->slot, n->child[bit_lowest(n->occupied)]);
    node_give(p, gone);
}

void book_level_drop(struct book_pools *p, struct book_side *s, uint32_t level)
{
    struct level *l = &p->levels[level];
    ASSERT(l->count == 0 && l->shown.v == 0 && l->total.v == 0);
    p->levels[l->better].worse = l->worse; /* of NIL: nobody reads it */
    p->levels[l->worse].better = l->better;
    s->best = uint32_select(l->better == NIL, l->worse, s->best);
    if (l->node == LADDER_NEAR) {
        s->near -= 1;
        s->near_last = uint32_select(s->near_last == level, l->better, s->near_last);
    } else {
        ladder_drop(p, s, l);
    }
    s->levels -= 1;
    level_give(p, level);
}

/* Asserts a subtree's structure; returns its levels. Its depth is at most eleven. */
static uint32_t ladder_check(const struct book_pools *p, uint32_t ref, uint32_t parent,
                             unsigned slot, unsigned depth)
{
    ASSERT(depth <= 11);
    if ((ref & LADDER_NODE) == 0) {
        ASSERT(ref != NIL && p->levels[ref].node == parent);
        return 1;
    }
    const struct ladder_node *n = &p->nodes[ref & ~LADDER_NODE];
    ASSERT(n->parent == parent && n->slot == slot && n->shift % 6 == 0 && n->shift <= 60);
    ASSERT((n->occupied & (n->occupied - 1)) != 0);
    uint32_t levels = 0;
    for (uint64_t left = n->occupied; left != 0; left &= left - 1) {
        unsigned i = bit_lowest(left);
        uint32_t child = n->child[i];
        uint64_t key = (child & LADDER_NODE) != 0 ? p->nodes[child & ~LADDER_NODE].prefix
                                                  : ladder_key(p->levels[child].px);
        ASSERT(ladder_slot(n, key) == i);
        levels += ladder_check(p, child, ref & ~LADDER_NODE, i, depth + 1);
    }
    return levels;
}

static uint32_t level_check(const struct book_pools *p, enum side side, uint32_t at)
{
    const struct level *l = &p->levels[at];
    uint32_t orders = 0;
    int64_t shown = 0;
    int64_t total = 0;
    uint32_t prev = NIL;
    for (uint32_t o = l->first; o != NIL; o = p->orders[o].next) {
        const struct order *x = &p->orders[o];
        ASSERT(x->level == at && x->side == side && x->px.v == l->px.v && x->prev == prev);
        shown += x->shown.v;
        total += x->left.v;
        orders += 1;
        prev = o;
    }
    ASSERT(orders > 0 && orders == l->count && l->last == prev);
    ASSERT(shown == l->shown.v && total == l->total.v);
    return orders;
}

void book_check(const struct book_pools *p, const struct book *b)
{
    for (int i = 0; i < 2; i++) {
        enum side side = (enum side)i;
        const struct book_side *s = &b->side[side];
        uint32_t levels = 0;
        uint32_t orders = 0;
        uint32_t better = NIL;
        for (uint32_t at = s->best; at != NIL; at = p->levels[at].worse) {
            const struct level *l = &p->levels[at];
            ASSERT(l->better == better);
            ASSERT(better == NIL || px_better(side, p->levels[better].px, l->px));
            ASSERT(book_level_at(p, b, side, l->px) == at);
            ASSERT((l->node == LADDER_NEAR) == (levels < s->near));
            if (levels + 1 == s->near) ASSERT(s->near_last == at);
            orders += level_check(p, side, at);
            levels += 1;
            better = at;
        }
        ASSERT(levels == s->levels && orders == s->orders);
        ASSERT(s->near <= NEAR_MAX && s->near <= levels && (s->near > 0 || s->near_last == NIL));
        ASSERT((s->ladder == NIL) == (levels == s->near));
        if (s->ladder == NIL) continue;
        ASSERT(ladder_check(p, s->ladder, NIL, 0, 0) == levels - s->near);
    }
    ASSERT(p->counts->level_live <= p->level_capacity && p->counts->node_live <= p->node_capacity);
}
