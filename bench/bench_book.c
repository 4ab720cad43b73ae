/* bench_book.c: the book alone: 100,000 live orders on 1, 100 and 10,000 levels, and on 10,000
 * levels spread over all of int64. A bound is checked: sparse prices cost at most twice dense
 * ones.
 *
 * The mix keeps the number of orders: 60% new, 35% cancels, 5% that take five orders at the touch.
 * What is done is drawn before the clock starts. Left out: everything but the book.
 */
#include "bench.h"

#include "base/random.h"
#include "core/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 100000, ORDERS = 2 * LIVE, LEVELS = 20002, TAKEN = 5 };

struct operation {
    int64_t px;
    uint32_t pick;
    uint8_t what; /* 0 new, 1 cancel, 2 take */
    uint8_t side;
    uint16_t reserved;
};

struct table {
    struct book_pools pools;
    struct book book;
    void *block;
    size_t bytes;
    uint32_t free_slot; /* chained by next */
    uint32_t live[ORDERS];
    uint32_t place[ORDERS + 1]; /* of a slot in `live` */
    uint32_t live_count;
};

static void table_open(struct table *t)
{
    struct arena a = {0};
    memset(t, 0, sizeof *t);
    book_pools_cut(&t->pools, &a, ORDERS, LEVELS);
    t->bytes = a.used;
    t->block = aligned_alloc(64, t->bytes);
    if (t->block == NULL) abort();
    memset(t->block, 0, t->bytes);
    a = (struct arena){.base = t->block, .capacity = t->bytes};
    book_pools_cut(&t->pools, &a, ORDERS, LEVELS);
    for (uint32_t o = ORDERS; o >= 1; o--) {
        t->pools.orders[o].next = t->free_slot;
        t->free_slot = o;
    }
}

static void order_add(struct table *t, const struct operation *op)
{
    uint32_t o = t->free_slot;
    struct order *x = &t->pools.orders[o];
    t->free_slot = x->next;
    x->px = PX(op->px);
    x->left = QTY(10);
    x->shown = QTY(10);
    x->side = op->side;
    book_add(&t->pools, &t->book, o);
    t->place[o] = t->live_count;
    t->live[t->live_count++] = o;
}

static void order_remove(struct table *t, uint32_t o)
{
    book_remove(&t->pools, &t->book, o);
    uint32_t last = t->live[--t->live_count];
    t->live[t->place[o]] = last;
    t->place[last] = t->place[o];
    t->pools.orders[o].next = t->free_slot;
    t->free_slot = o;
}

static void apply(struct table *t, const struct operation *op)
{
    if (op->what == 0) {
        if (t->live_count < ORDERS) order_add(t, op);
    } else if (op->what == 1) {
        if (t->live_count > 0)
            order_remove(t, t->live[(uint64_t)op->pick * t->live_count >> 32]);
    } else {
        for (int i = 0; i < TAKEN; i++) {
            const struct level *best = book_best(&t->pools, &t->book, (enum side)op->side);
            if (best == NULL) break;
            order_remove(t, best->first);
        }
    }
}

/* Buys below zero, sells at or above: a tick apart, or anywhere in int64. */
static void draw(struct operation *ops, size_t count, uint32_t levels, bool sparse, bool only_new)
{
    struct random r = {7};
    for (size_t i = 0; i < count; i++) {
        uint64_t dice = random_below(&r, 100);
        uint64_t level = random_below(&r, levels);
        int64_t step = sparse ? (int64_t)(random_mix(level + 1) >> 1) : (int64_t)level;
        uint8_t side = (uint8_t)random_below(&r, 2);
        ops[i] = (struct operation){.px = side == SIDE_buy ? -1 - step : step,
                                    .pick = (uint32_t)random_next(&r), .side = side,
                                    .what = only_new || dice < 60 ? 0 : dice < 95 ? 1 : 2};
    }
}

static uint64_t table_hash(const struct table *t)
{
    uint64_t h = 1;
    for (int side = 0; side < 2; side++) {
        for (uint32_t at = t->book.side[side].best; at != NIL; at = t->pools.levels[at].worse) {
            const struct level *l = &t->pools.levels[at];
            h = random_mix(h ^ (uint64_t)l->px.v) + (uint64_t)l->total.v;
            for (uint32_t o = l->first; o != NIL; o = t->pools.orders[o].next)
                h = random_mix(h ^ o);
        }
    }
    return h;
}

static double measure(struct table *t, struct operation *ops, size_t count, uint32_t levels,
                      bool sparse, uint32_t rounds, const char *name)
{
    double ns[64];
    uint64_t hash = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        table_open(t);
        draw(ops, LIVE, levels, sparse, true);
        for (size_t k = 0; k < LIVE; k++) apply(t, &ops[k]);
        draw(ops, count, levels, sparse, false);
        uint64_t start = bench_now();
        for (size_t k = 0; k < count; k++) apply(t, &ops[k]);
        ns[i] = (double)(bench_now() - start) / (double)count;
        hash = table_hash(t);
        free(t->block);
    }
    double median = bench_median(ns, rounds);
    printf("  %-28s %6.1f ns an operation (best %.1f)  hash %016llx\n", name, median, ns[0],
           (unsigned long long)hash);
    return ns[0];
}

static int run(const struct bench_options *options)
{
    size_t count = options->commands != 0 ? options->commands : 1000000;
    uint32_t rounds = options->rounds != 0 ? options->rounds : 5;
    if (rounds > 64) rounds = 64;
    size_t drawn = count > LIVE ? count : LIVE;
    struct operation *ops = malloc(drawn * sizeof *ops);
    struct table *t = malloc(sizeof *t);
    if (ops == NULL || t == NULL) abort();
    double one = measure(t, ops, count, 1, false, rounds, "1 level a side");
    (void)measure(t, ops, count, 100, false, rounds, "100 levels a side");
    double many = measure(t, ops, count, 10000, false, rounds, "10,000 levels a side");
    double sparse = measure(t, ops, count, 10000, true, rounds, "10,000 anywhere in int64");
    printf("  10,000 levels / 1 level: %.2f; sparse / dense: %.2f (at most 2)\n",
           many / one, sparse / many);
    printf("  %d orders live at the start; ratios are of the best rounds\n"
           "  left out: matching, accounts, margin, events\n", LIVE);
    free(ops);
    free(t);
    return sparse / many <= 2 ? 0 : 1;
}

const struct bench bench_book = {"book", "the price-time book alone, by number of levels", run};
