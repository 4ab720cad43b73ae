/* book_naive.h: a plainly correct book, and a pair of it and the real one that do the same things.
 *
 * The naive book is one array of orders, always sorted by side, price and time; every operation is
 * a search from the front. Tests and fuzzers drive the pair and compare what both books hold, level
 * by level and order by order.
 *
 * Upstream: book.h. Downstream: book_test.c, book_fuzz.c.
 */
#ifndef DOJIMA_CORE_BOOK_NAIVE_H
#define DOJIMA_CORE_BOOK_NAIVE_H

#include "core/book.h"

enum { NAIVE_ORDERS_MAX = 1024, PAIR_BOOKS = 2, PAIR_LEVELS = 200 };

struct naive_order {
    uint32_t slot; /* in the real book's pool */
    uint32_t side;
    int64_t px;
    int64_t left;
    int64_t shown;
};

struct naive {
    struct naive_order orders[NAIVE_ORDERS_MAX]; /* buys best first, then sells best first */
    uint32_t count;
};

void naive_add(struct naive *n, struct naive_order order);
void naive_remove(struct naive *n, uint32_t slot);
void naive_requeue(struct naive *n, uint32_t slot);
void naive_change(struct naive *n, uint32_t slot, int64_t left, int64_t shown);
/* How many orders lie at this price. */
uint32_t naive_count_at(const struct naive *n, enum side side, int64_t px);
/* How many levels both sides have. */
uint32_t naive_levels(const struct naive *n);
/* Hash of all levels (price, shown, total, count) and orders (slot, left, shown) in priority
 * order. */
uint64_t naive_hash(const struct naive *n);
uint64_t book_content_hash(const struct book_pools *p, const struct book *b);

/* Two real books over one set of pools, and their naive twins. */
struct pair {
    unsigned char *block; /* the arena of the pools */
    size_t bytes;
    struct book_pools pools;
    struct book books[PAIR_BOOKS];
    struct naive naive[PAIR_BOOKS];
    uint32_t free_slots[PAIR_BOOKS * NAIVE_ORDERS_MAX];
    uint32_t free_count;
};

struct pair *pair_open(void);
void pair_close(struct pair *x);

enum pair_operation { PAIR_add, PAIR_remove, PAIR_requeue, PAIR_change, PAIR_take };

/* Does one operation on both books of pair `book`. `pick` chooses the order (by place in the naive
 * book) or the quantity; what is impossible (no room, no orders) is skipped. */
void pair_step(struct pair *x, uint32_t book, enum pair_operation operation, enum side side,
               int64_t px, uint32_t pick);

/* Asserts that both books hold the same, that a lookup at px agrees, and the real ones'
 * invariants. */
void pair_compare(const struct pair *x, int64_t px);

/* Moves the real books to another block by copying bytes: a snapshot must be the same book. */
void pair_move(struct pair *x);

#endif
