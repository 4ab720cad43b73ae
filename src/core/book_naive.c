/* book_naive.c: see book_naive.h. Simple before fast: this is what the fast book is judged by. */
#include "core/book_naive.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

/* Whether order a comes before a later order b. */
static bool naive_before(const struct naive_order *a, const struct naive_order *b)
{
    if (a->side != b->side) return a->side < b->side;
    if (a->px != b->px) return a->side == SIDE_buy ? a->px > b->px : a->px < b->px;
    return true;
}

void naive_add(struct naive *n, struct naive_order order)
{
    ASSERT(n->count < NAIVE_ORDERS_MAX);
    uint32_t i = 0;
    while (i < n->count && naive_before(&n->orders[i], &order)) i++;
    memmove(&n->orders[i + 1], &n->orders[i], (n->count - i) * sizeof n->orders[0]);
    n->orders[i] = order;
    n->count += 1;
}

static uint32_t naive_find(const struct naive *n, uint32_t slot)
{
    uint32_t i = 0;
    while (n->orders[i].slot != slot) {
        i++;
        ASSERT(i < n->count);
    }
    return i;
}

void naive_remove(struct naive *n, uint32_t slot)
{
    uint32_t i = naive_find(n, slot);
    memmove(&n->orders[i], &n->orders[i + 1], (n->count - i - 1) * sizeof n->orders[0]);
    n->count -= 1;
}

void naive_requeue(struct naive *n, uint32_t slot)
{
    struct naive_order order = n->orders[naive_find(n, slot)];
    naive_remove(n, slot);
    naive_add(n, order);
}

void naive_change(struct naive *n, uint32_t slot, int64_t left, int64_t shown)
{
    struct naive_order *order = &n->orders[naive_find(n, slot)];
    order->left += left;
    order->shown += shown;
}

uint32_t naive_count_at(const struct naive *n, enum side side, int64_t px)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        count += n->orders[i].side == side && n->orders[i].px == px;
    }
    return count;
}

/* The end of the level that begins at order i. */
static uint32_t naive_level_end(const struct naive *n, uint32_t i)
{
    uint32_t end = i;
    while (end < n->count && n->orders[end].side == n->orders[i].side &&
           n->orders[end].px == n->orders[i].px) {
        end++;
    }
    return end;
}

uint32_t naive_levels(const struct naive *n)
{
    uint32_t levels = 0;
    for (uint32_t i = 0; i < n->count; i = naive_level_end(n, i)) levels++;
    return levels;
}

static uint64_t hash_mix(uint64_t h, uint64_t x) { return random_mix(h ^ x) + x; }

uint64_t naive_hash(const struct naive *n)
{
    uint64_t h = 1;
    for (uint32_t i = 0; i < n->count;) {
        uint32_t end = naive_level_end(n, i);
        int64_t shown = 0;
        int64_t total = 0;
        for (uint32_t j = i; j < end; j++) {
            shown += n->orders[j].shown;
            total += n->orders[j].left;
        }
        h = hash_mix(hash_mix(h, n->orders[i].side), (uint64_t)n->orders[i].px);
        h = hash_mix(hash_mix(hash_mix(h, (uint64_t)shown), (uint64_t)total), end - i);
        for (; i < end; i++) {
            h = hash_mix(hash_mix(h, n->orders[i].slot), (uint64_t)n->orders[i].left);
            h = hash_mix(h, (uint64_t)n->orders[i].shown);
        }
    }
    return h;
}

uint64_t book_content_hash(const struct book_pools *p, const struct book *b)
{
    uint64_t h = 1;
    for (uint32_t side = 0; side < 2; side++) {
        for (uint32_t at = b->side[side].best; at != NIL; at = p->levels[at].worse) {
            const struct level *l = &p->levels[at];
            h = hash_mix(hash_mix(h, side), (uint64_t)l->px.v);
            h = hash_mix(hash_mix(hash_mix(h, (uint64_t)l->shown.v), (uint64_t)l->total.v),
                         l->count);
            for (uint32_t o = l->first; o != NIL; o = p->orders[o].next) {
                h = hash_mix(hash_mix(h, o), (uint64_t)p->orders[o].left.v);
                h = hash_mix(h, (uint64_t)p->orders[o].shown.v);
            }
        }
    }
    return h;
}

static unsigned char *block_take(size_t bytes)
{
    unsigned char *block = aligned_alloc(64, bytes);
    ASSERT(block != NULL);
    memset(block, 0, bytes);
    return block;
}

struct pair *pair_open(void)
{
    struct pair *x = calloc(1, sizeof *x);
    ASSERT(x != NULL);
    struct arena a = {0};
    book_pools_cut(&x->pools, &a, PAIR_BOOKS * NAIVE_ORDERS_MAX, PAIR_LEVELS);
    x->bytes = a.used;
    x->block = block_take(x->bytes);
    a = (struct arena){.base = x->block, .capacity = x->bytes};
    book_pools_cut(&x->pools, &a, PAIR_BOOKS * NAIVE_ORDERS_MAX, PAIR_LEVELS);
    for (uint32_t slot = PAIR_BOOKS * NAIVE_ORDERS_MAX; slot >= 1; slot--) {
        x->free_slots[x->free_count++] = slot;
    }
    return x;
}

void pair_close(struct pair *x)
{
    free(x->block);
    free(x);
}

static void pair_add(struct pair *x, uint32_t book, enum side side, int64_t px, uint32_t pick)
{
    uint32_t levels = 0;
    for (uint32_t i = 0; i < PAIR_BOOKS; i++) levels += naive_levels(&x->naive[i]);
    ASSERT(book_has_room(&x->pools) == (levels < PAIR_LEVELS));
    if (levels == PAIR_LEVELS || x->naive[book].count == NAIVE_ORDERS_MAX) return;
    uint32_t slot = x->free_slots[--x->free_count];
    int64_t left = 1 + pick % 100;
    int64_t shown = pick % 3 == 0 ? 1 + left / 2 : left;
    struct order *o = &x->pools.orders[slot];
    *o = (struct order){.id = slot, .px = PX(px), .left = QTY(left), .shown = QTY(shown),
                        .side = (uint8_t)side};
    book_add(&x->pools, &x->books[book], slot);
    naive_add(&x->naive[book], (struct naive_order){slot, side, px, left, shown});
}

static void pair_remove(struct pair *x, uint32_t book, uint32_t slot)
{
    book_remove(&x->pools, &x->books[book], slot);
    naive_remove(&x->naive[book], slot);
    x->free_slots[x->free_count++] = slot;
}

/* Fills up to three orders at the touch, as an aggressor would. */
static void pair_take(struct pair *x, uint32_t book, enum side side, uint32_t pick)
{
    const struct book *b = &x->books[book];
    int64_t left = 1 + pick % 200;
    for (int i = 0; i < 3 && left > 0; i++) {
        const struct level *best = book_best(&x->pools, b, side);
        if (best == NULL) return;
        uint32_t slot = best->first;
        int64_t take = int64_min(left, x->pools.orders[slot].left.v);
        left -= take;
        if (take == x->pools.orders[slot].left.v) {
            pair_remove(x, book, slot);
        } else {
            int64_t shown = int64_min(take, x->pools.orders[slot].shown.v);
            book_change(&x->pools, &x->books[book], slot, -take, -shown);
            naive_change(&x->naive[book], slot, -take, -shown);
        }
    }
}

void pair_step(struct pair *x, uint32_t book, enum pair_operation operation, enum side side,
               int64_t px, uint32_t pick)
{
    struct naive *n = &x->naive[book];
    if (operation == PAIR_add) {
        pair_add(x, book, side, px, pick);
        return;
    }
    if (n->count == 0) return;
    uint32_t slot = n->orders[pick % n->count].slot;
    if (operation == PAIR_remove) {
        pair_remove(x, book, slot);
    } else if (operation == PAIR_requeue) {
        book_requeue(&x->pools, &x->books[book], slot);
        naive_requeue(n, slot);
    } else if (operation == PAIR_change) {
        int64_t by = (int64_t)(pick % 7) - 3;
        if (x->pools.orders[slot].shown.v + by < 0) return;
        book_change(&x->pools, &x->books[book], slot, by, by);
        naive_change(n, slot, by, by);
    } else {
        pair_take(x, book, side, pick);
    }
}

void pair_compare(const struct pair *x, int64_t px)
{
    for (uint32_t i = 0; i < PAIR_BOOKS; i++) {
        const struct book *b = &x->books[i];
        book_check(&x->pools, b);
        ASSERT(book_content_hash(&x->pools, b) == naive_hash(&x->naive[i]));
        for (int side = 0; side < 2; side++) {
            uint32_t level = book_level_at(&x->pools, b, (enum side)side, PX(px));
            uint32_t count = naive_count_at(&x->naive[i], (enum side)side, px);
            ASSERT((level == NIL) == (count == 0));
            ASSERT(level == NIL || x->pools.levels[level].count == count);
        }
    }
}

void pair_move(struct pair *x)
{
    unsigned char *block = block_take(x->bytes);
    memcpy(block, x->block, x->bytes);
    memset(x->block, 0xa5, x->bytes);
    free(x->block);
    x->block = block;
    struct arena a = {.base = block, .capacity = x->bytes};
    book_pools_cut(&x->pools, &a, PAIR_BOOKS * NAIVE_ORDERS_MAX, PAIR_LEVELS);
}
