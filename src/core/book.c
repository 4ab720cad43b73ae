/* book.c: the ladder behind a book: from a price to its level, and from a new level to its
 * neighbours. The rest of the book, which needs no search, is inline in book.h.
 *
 * The ladder of a side is a radix tree over the price's 64 bits, six at a time, with one-child nodes
 * left out. A node holds 64 references and a bitmap of those in use; so the nearest level below or
 * above a new one is found with one count of zero bits a step, and linked: a walk over levels in
 * order of price never enters the tree again.
 *
 * Invariants: (1) a node has at least two children; (2) all keys below a node agree with its prefix
 * above its six bits, and with its parent's slot; (3) so there are fewer nodes than levels;
 * (4) a free level or node is zero but for the link of its free list.
 *
 * Upstream: book.h. Downstream: order, match, auction, implied.
 */
#include "core/book.h"

#include <stddef.h>
#include <string.h>

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
    uint64_t key = ladder_key(px);
    uint32_t ref = b->side[side].ladder;
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

/* Links a new level, child `slot` of node `at`, between its neighbours. The node has another child;
 * the nearest level on one side is under it, and the one on the other side is that one's link. */
static void level_link(struct book_pools *p, struct book_side *s, enum side side, uint32_t level,
                       uint32_t at, unsigned slot)
{
    const struct ladder_node *n = &p->nodes[at];
    struct level *l = &p->levels[level];
    uint64_t lower = n->occupied & ((UINT64_C(1) << slot) - 1);
    bool found_better; /* the neighbour found is better than the new level */
    uint32_t near;
    if (lower != 0) {
        near = ladder_highest(p, n->child[bit_highest(lower)]);
        found_better = side == SIDE_sell;
    } else {
        near = ladder_lowest(p, n->child[bit_lowest(n->occupied & ~(UINT64_C(1) << slot))]);
        found_better = side == SIDE_buy;
    }
    l->better = found_better ? near : p->levels[near].better;
    l->worse = found_better ? p->levels[near].worse : near;
    if (l->better == NIL) s->best = level;
    else p->levels[l->better].worse = level;
    if (l->worse != NIL) p->levels[l->worse].better = level;
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

uint32_t book_level_reach(struct book_pools *p, struct book_side *s, enum side side, px_t px)
{
    uint64_t key = ladder_key(px);
    uint32_t at = NIL; /* the node above ref */
    unsigned slot = 0; /* which child of `at` ref is */
    uint32_t ref = s->ladder;
    while (ref != NIL) {
        if ((ref & LADDER_NODE) == 0) {
            if (p->levels[ref].px.v == px.v) return ref;
            at = ladder_split(p, s, at, slot, ref, ladder_key(p->levels[ref].px), key);
            slot = (unsigned)ladder_slot(&p->nodes[at], key);
            break;
        }
        const struct ladder_node *n = &p->nodes[ref & ~LADDER_NODE];
        uint64_t inside = ladder_slot(n, key);
        if (inside >= 64) {
            at = ladder_split(p, s, at, slot, ref, n->prefix, key);
            slot = (unsigned)ladder_slot(&p->nodes[at], key);
            break;
        }
        at = ref & ~LADDER_NODE;
        slot = (unsigned)inside;
        ref = (n->occupied >> slot & 1) != 0 ? n->child[slot] : NIL;
    }
    uint32_t level = level_take(p);
    p->levels[level].px = px;
    p->levels[level].worse = NIL;
    ladder_put(p, s, at, slot, level);
    if (at == NIL) s->best = level;
    else level_link(p, s, side, level, at, slot);
    s->levels += 1;
    return level;
}

void book_level_drop(struct book_pools *p, struct book_side *s, enum side side, uint32_t level)
{
    (void)side;
    struct level *l = &p->levels[level];
    ASSERT(l->count == 0 && l->shown.v == 0 && l->total.v == 0);
    if (l->better == NIL) s->best = l->worse;
    else p->levels[l->better].worse = l->worse;
    if (l->worse != NIL) p->levels[l->worse].better = l->better;
    if (l->node == NIL) {
        s->ladder = NIL;
    } else {
        struct ladder_node *n = &p->nodes[l->node];
        n->occupied &= ~(UINT64_C(1) << ladder_slot(n, ladder_key(l->px)));
        if ((n->occupied & (n->occupied - 1)) == 0) { /* one child is left: it moves up */
            uint32_t gone = l->node;
            uint32_t only = n->child[bit_lowest(n->occupied)];
            ladder_put(p, s, n->parent, n->slot, only);
            node_give(p, gone);
        }
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
            orders += level_check(p, side, at);
            levels += 1;
            better = at;
        }
        ASSERT(levels == s->levels && orders == s->orders);
        ASSERT((s->ladder == NIL) == (levels == 0));
        if (levels > 0) ASSERT(ladder_check(p, s->ladder, NIL, 0, 0) == levels);
    }
    ASSERT(p->counts->level_live <= p->level_capacity && p->counts->node_live <= p->node_capacity);
}
