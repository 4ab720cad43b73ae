/* book.h: the price-time book of one instrument: levels in price order, orders first in, first out.
 *
 * Every operation at the touch is O(1); a cancel never searches; a level far from the touch is
 * found through a ladder whose memory follows the number of levels, never the range of prices
 * (prices may lie anywhere in int64). Nothing is allocated: levels and ladder nodes come from pools
 * shared by all books. The same structure holds resting orders (key: price) and triggers (key:
 * trigger price).
 *
 * Invariants: (1) a level exists exactly while an order rests on it; (2) level.shown and .total are
 * the sums of its orders' shown and left; (3) levels are linked from best to worst; best = highest
 * price on the bid side, lowest on the ask side; (4) an order's `level` says where it rests;
 * (5) the pools' content is a function of the operations made alone: a copy of it is a snapshot.
 *
 * Upstream: base, msg. Downstream: order, match, auction, implied.
 */
#ifndef DOJIMA_CORE_BOOK_H
#define DOJIMA_CORE_BOOK_H

#include "base/arena.h"
#include "base/units.h"
#include "msg/command.h"

#include <stdbool.h>
#include <stdint.h>

enum { NIL = 0 }; /* index 0 of every pool is never used, so that zeroed memory is empty */

/* The part of an order that matching touches: one cache line. */
struct order {
    uint64_t id;    /* serial << 24 | slot; 0: the slot was never used */
    px_t px;        /* in ticks; of a trigger that waits: its trigger price */
    qty_t left;     /* not yet filled, hidden part included */
    qty_t shown;    /* of `left`, displayed; for a plain order equal to left */
    uint32_t next;  /* in its level: towards later */
    uint32_t prev;  /* in its level: towards earlier */
    uint32_t level; /* NIL: not in a book */
    uint32_t account;
    uint32_t exposure; /* (account, instrument), or of the spread's first leg */
    uint32_t instrument;
    uint8_t side;
    uint8_t type;
    uint8_t tif;
    uint8_t state;  /* enum order_state */
    uint32_t flags; /* ORDER_FLAG_ of messages, low 24 bits; ORDER_BIT_ above */
};
ASSERT_SIZE(struct order, 64);

struct level {
    px_t px;
    qty_t shown; /* sum over its orders */
    qty_t total;
    uint32_t first; /* oldest order */
    uint32_t last;
    uint32_t better; /* the next level towards the touch; NIL: this is the best */
    uint32_t worse;
    uint32_t count; /* orders */
    uint32_t node;  /* the ladder's node that holds this level; NIL: it is the root;
                       LADDER_NEAR: not in the ladder */
    uint32_t reserved[4];
};
ASSERT_SIZE(struct level, 64);

/* A ladder finds the level of a price: a radix tree over the price's bits, six at a time, in which
 * no node has fewer than two children, so that there are fewer nodes than levels. A reference to a
 * child is a level's index, or a node's index with LADDER_NODE set. */
#define LADDER_NODE (UINT32_C(1) << 31)
#define LADDER_NEAR UINT32_MAX

struct ladder_node {
    uint64_t prefix;   /* the key, see ladder_key, with the bits that differ below set to zero */
    uint64_t occupied; /* which children exist */
    uint32_t parent;   /* node; NIL: this is the root. Of a free node: the next free one */
    uint8_t shift;     /* of the six bits that choose the child: 0, 6, ..., 60 */
    uint8_t slot;      /* which child of its parent it is */
    uint8_t reserved[10];
    uint32_t child[64];
};
ASSERT_SIZE(struct ladder_node, 288);

/* Free lists (last in, first out) and high-water marks of the pools. */
struct book_pool_counts {
    uint32_t level_free; /* NIL: none */
    uint32_t level_high; /* slots ever used */
    uint32_t level_live;
    uint32_t node_free;
    uint32_t node_high;
    uint32_t node_live;
    uint32_t reserved[2];
};
ASSERT_SIZE(struct book_pool_counts, 32);

struct book_side {
    uint32_t best;   /* level; NIL: empty */
    uint32_t ladder; /* reference to the root; NIL: empty */
    uint32_t levels; /* how many */
    uint32_t orders; /* how many */
    uint32_t near;   /* how many of the best levels are not in the ladder: see book.c */
    uint32_t near_last; /* the worst of them; NIL: none */
};
struct book {
    struct book_side side[2]; /* [SIDE_buy]: highest first; [SIDE_sell]: lowest first */
};

/* The pools behind all books of a core: pointers into its state block, rebuilt at core_open. */
struct book_pools {
    struct order *orders; /* [1 .. order_capacity] */
    struct level *levels; /* [1 .. level_capacity] */
    struct ladder_node *nodes;
    struct book_pool_counts *counts; /* free lists and high-water marks, in the state block */
    uint32_t order_capacity;
    uint32_t level_capacity;
    uint32_t node_capacity;
    uint32_t reserved;
};

/* Cuts the pools from the arena (with a counting arena: only counts). Orders' slots are given out
 * by the caller (order.c); levels and nodes by book.c. */
void book_pools_cut(struct book_pools *p, struct arena *a, uint32_t orders, uint32_t levels);

/* A price as a rank: the better, the higher. Without a branch on the side, which no processor can
 * predict. */
static inline int64_t px_rank(enum side side, px_t px) { return px.v ^ -(int64_t)side; }

/* Whether price a is better than b for an order of this side: higher to buy, lower to sell. */
static inline bool px_better(enum side side, px_t a, px_t b)
{
    return px_rank(side, a) > px_rank(side, b);
}

/* Whether an order of this side with this limit may trade at px. */
static inline bool px_acceptable(enum side side, px_t limit, px_t px)
{
    return px_rank(side, px) <= px_rank(side, limit);
}

/* The level at this price, or NIL. */
uint32_t book_level_at(const struct book_pools *p, const struct book *b, enum side side, px_t px);

/* Asserts the invariants of one book. */
void book_check(const struct book_pools *p, const struct book *b);

/* The level at this price, made when there is none. For book_add. */
uint32_t book_level_reach(struct book_pools *p, struct book_side *s, enum side side, px_t px);

/* Takes an empty level out of its ladder and frees it. For book_remove. */
void book_level_drop(struct book_pools *p, struct book_side *s, uint32_t level);

/* Whether one more order at any price can be added: a level and its nodes are free. There are fewer
 * nodes than levels (see ladder), and as many slots for them: a free level implies a free node. */
static inline bool book_has_room(const struct book_pools *p)
{
    return p->counts->level_live < p->level_capacity;
}

/* Whether there is a neighbour cannot be foretold, and a wrong guess costs more than the rest: what
 * has no neighbour is written to slot NIL, which nobody reads. */
static inline void level_append(struct book_pools *p, struct level *l, struct order *x, uint32_t o)
{
    x->next = NIL;
    x->prev = l->last;
    p->orders[l->last].next = o;
    l->first = uint32_select(l->last == NIL, o, l->first);
    l->last = o;
}

static inline void level_detach(struct book_pools *p, struct level *l, const struct order *x)
{
    uint32_t next = x->next, prev = x->prev;
    p->orders[prev].next = next;
    p->orders[next].prev = prev;
    l->first = uint32_select(prev == NIL, next, l->first);
    l->last = uint32_select(next == NIL, prev, l->last);
}

/* Puts order `o` (px, side, left, shown set; in no book) at the end of its price's queue.
 * Requires book_has_room. O(1) at the touch; else the ladder's height, eleven steps at most. */
static inline void book_add(struct book_pools *p, struct book *b, uint32_t o)
{
    struct order *x = &p->orders[o];
    struct book_side *s = &b->side[x->side];
    ASSERT(x->level == NIL);
    uint32_t at = s->best;
    if (p->levels[at].px.v != x->px.v || at == NIL) {
        at = book_level_reach(p, s, (enum side)x->side, x->px);
    }
    struct level *l = &p->levels[at];
    level_append(p, l, x, o);
    x->level = at;
    l->shown.v += x->shown.v;
    l->total.v += x->left.v;
    l->count += 1;
    s->orders += 1;
}

/* Takes order `o` out of its level; the level goes when it was the last. Never searches. */
static inline void book_remove(struct book_pools *p, struct book *b, uint32_t o)
{
    struct order *x = &p->orders[o];
    struct book_side *s = &b->side[x->side];
    uint32_t at = x->level;
    ASSERT(at != NIL);
    struct level *l = &p->levels[at];
    level_detach(p, l, x);
    x->level = NIL;
    x->next = NIL;
    x->prev = NIL;
    l->shown.v -= x->shown.v;
    l->total.v -= x->left.v;
    l->count -= 1;
    s->orders -= 1;
    if (l->count == 0) book_level_drop(p, s, at);
}

/* Moves order `o` to the end of its own level's queue (an iceberg's refreshed part). */
static inline void book_requeue(struct book_pools *p, struct book *b, uint32_t o)
{
    (void)b;
    struct order *x = &p->orders[o];
    ASSERT(x->level != NIL);
    struct level *l = &p->levels[x->level];
    if (l->last == o) return;
    level_detach(p, l, x);
    level_append(p, l, x, o);
}

/* Changes `o`'s left and shown by these (usually negative) amounts, and its level's sums. The order
 * stays even at zero: the caller removes it. */
static inline void book_change(struct book_pools *p, struct book *b, uint32_t o, int64_t left,
                               int64_t shown)
{
    (void)b;
    struct order *x = &p->orders[o];
    ASSERT(x->level != NIL);
    struct level *l = &p->levels[x->level];
    x->left.v += left;
    x->shown.v += shown;
    l->total.v += left;
    l->shown.v += shown;
}

static inline const struct level *book_best(const struct book_pools *p, const struct book *b,
                                            enum side side)
{
    uint32_t best = b->side[side].best;
    return best == NIL ? NULL : &p->levels[best];
}

#endif
