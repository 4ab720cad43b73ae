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
 * price on the bid side, lowest on the ask side; (4) an order's `level` says where it rests.
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
    uint32_t reserved[5];
};
ASSERT_SIZE(struct level, 64);

/* A ladder finds the level of a price. Its nodes are defined in book.c. */
struct book_side {
    uint32_t best;   /* level; NIL: empty */
    uint32_t ladder; /* root node; NIL: empty */
    uint32_t levels; /* how many */
    uint32_t orders; /* how many */
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

/* Whether one more order at any price can be added: a level and its nodes are free. */
bool book_has_room(const struct book_pools *p);

/* Puts order `o` (px, side, left, shown set; in no book) at the end of its price's queue.
 * Requires book_has_room. O(1) when the level exists at the touch or next to it. */
void book_add(struct book_pools *p, struct book *b, uint32_t o);

/* Takes order `o` out of its level; the level goes when it was the last. Never searches by price
 * unless the level goes. */
void book_remove(struct book_pools *p, struct book *b, uint32_t o);

/* Moves order `o` to the end of its own level's queue (an iceberg's refreshed part). */
void book_requeue(struct book_pools *p, struct book *b, uint32_t o);

/* Changes `o`'s left and shown by these (usually negative) amounts, and its level's sums. The order
 * stays even at zero: the caller removes it. */
void book_change(struct book_pools *p, struct book *b, uint32_t o, int64_t left, int64_t shown);

/* The level at this price, or NIL. */
uint32_t book_level_at(const struct book_pools *p, const struct book *b, enum side side, px_t px);

/* Asserts the invariants of one book. */
void book_check(const struct book_pools *p, const struct book *b);

static inline const struct level *book_best(const struct book_pools *p, const struct book *b,
                                            enum side side)
{
    uint32_t best = b->side[side].best;
    return best == NIL ? NULL : &p->levels[best];
}

/* Whether price a is better than b for an order of this side: higher to buy, lower to sell. */
static inline bool px_better(enum side side, px_t a, px_t b)
{
    return side == SIDE_buy ? a.v > b.v : a.v < b.v;
}

#endif
