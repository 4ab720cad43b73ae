/* bench_end_of_day.c: what the clearing house does when a day ends, by positions: `end-of-day`, and
 * `cascade`.
 *
 * 10^4, 10^5 and 10^6 positions: 40 days' contracts, each held by every account, half of them long.
 * Timed one after the other, each as one command (expiry: one a contract): the settlement prices of
 * all contracts, the mark-to-market of all positions, the final settlement and closing of all.
 * Every event is written; nothing is journaled. Bound: from 10^5 to 10^6 positions the time a
 * position takes at most doubles: no step looks at a position more often because there are more.
 *
 * Upstream: core. Downstream: bench.c.
 */
#include "bench.h"
#include "venue.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONTRACTS = 40, TICK = 1000, MIDDLE = 2000000 };

struct phases {
    uint64_t settle;
    uint64_t mark;
    uint64_t expire;
    uint64_t postings;
};

static void order(struct venue *v, uint32_t account, uint32_t instrument, uint8_t side,
                  int64_t price)
{
    struct command *c = &v->create;
    c->header.account = v->account_first + account;
    c->order_new.instrument = instrument;
    c->order_new.side = side;
    c->order_new.qty = QTY(1 + account % 7);
    c->order_new.price = PRICE(price);
    venue_step(v, c);
}

/* Accounts trade in pairs: the second has the first's lots, short. */
static void positions_make(struct venue *v)
{
    for (uint32_t i = 1; i <= CONTRACTS; i++) {
        for (uint32_t a = 0; a + 1 < v->accounts; a += 2) {
            int64_t price = MIDDLE + (int64_t)((a * 7 + i * 13) % 101) * TICK;
            struct command *c = &v->create;
            order(v, a, i, SIDE_buy, price);
            order(v, a + 1, i, SIDE_sell, price);
            c->order_new.qty = QTY(1 + a % 7); /* what the first left of a larger second */
            struct command rest = {.header = {.kind = COMMAND_cancel_many,
                                              .size = command_size_full(COMMAND_cancel_many)}};
            for (uint32_t k = 0; k < 2; k++) {
                rest.header.account = v->account_first + a + k;
                venue_step(v, &rest);
            }
        }
    }
}

static uint64_t timed(struct venue *v, struct command *c, uint64_t *postings)
{
    c->header.size = command_size_full((enum command_kind)c->header.kind);
    uint64_t start = bench_now();
    venue_step(v, c);
    uint64_t ns = bench_now() - start;
    const struct event_header *h = NULL;
    while ((h = outbox_next(&v->out, h)) != NULL) {
        *postings += h->kind == EVENT_posting ? 1 : 0;
        if (h->kind != EVENT_reject) continue;
        fprintf(stderr, "bench: command %u was rejected\n", c->header.kind);
        exit(1);
    }
    return ns;
}

static struct phases day_end(struct venue *v)
{
    struct phases p = {0};
    struct command settle = {.header.kind = COMMAND_settle_day, .settle_day = {.product = 1}};
    struct command mark = {.header.kind = COMMAND_mark_to_market};
    p.settle = timed(v, &settle, &p.postings);
    p.mark = timed(v, &mark, &p.postings);
    for (uint32_t i = 1; i <= CONTRACTS; i++) {
        struct command expire = {.header.kind = COMMAND_expire, .expire = {.instrument = i}};
        p.expire += timed(v, &expire, &p.postings);
    }
    return p;
}

static void hash_print(struct venue *v)
{
    core_query(v->core, &(struct query){.kind = QUERY_hash}, &v->out);
    const struct event_hash *h = (const struct event_hash *)(const void *)v->out.bytes;
    printf("  state hash %016llx\n", (unsigned long long)h->hash);
}

/* ---- cascade ---- */

/* CONTRACT-01: 40 quarters, each held by every account, become 120 months: one command a quarter,
 * which marks its positions, lists the months, and moves every position into each of them. */
static int cascade_run(const struct bench_options *options)
{
    (void)options;
    enum { POSITIONS = 1000000 };
    struct venue v;
    struct core_limits l = venue_limits(POSITIONS / CONTRACTS, CONTRACTS * 4, 4096, 4096);
    struct venue_terms t = {.accounts = POSITIONS / CONTRACTS, .instruments = CONTRACTS,
                            .tick = TICK, .flat_margin = E6, .cash = 1000000, .quarters = true};
    l.exposures = (POSITIONS / CONTRACTS + 16) * CONTRACTS * 4;
    venue_open(&v, &l, &t);
    positions_make(&v);
    struct command settle = {.header.kind = COMMAND_settle_day, .settle_day = {.product = 1}};
    uint64_t postings = 0, ns = 0, slowest = 0;
    (void)timed(&v, &settle, &postings);
    struct bench_heap heap = bench_heap_now();
    postings = 0;
    for (uint32_t i = 1; i <= CONTRACTS; i++) {
        struct command expire = {.header.kind = COMMAND_expire, .expire = {.instrument = i}};
        uint64_t one = timed(&v, &expire, &postings);
        slowest = one > slowest ? one : slowest;
        ns += one;
    }
    printf("%8u positions in %u quarters -> %u positions in %u months: %.3f s, %.1f ns a "
           "position, the slowest quarter %.1f ms, %llu postings\n", POSITIONS, CONTRACTS,
           3 * POSITIONS, 3 * CONTRACTS, (double)ns / 1e9, (double)ns / POSITIONS,
           (double)slowest / 1e6, (unsigned long long)postings);
    hash_print(&v);
    bool same = bench_heap_same(heap);
    venue_close(&v);
    return same && ns < 1000000000 ? 0 : 1;
}

const struct bench bench_cascade = {
    "cascade", "10^6 positions in quarters become 3 x 10^6 in months (bound: 1 s)", cascade_run};

/* ns a position; 0: cannot run. */
static double run_one(uint32_t positions, bool check)
{
    struct venue v;
    struct core_limits l = venue_limits(positions / CONTRACTS, CONTRACTS, 4096, 4096);
    struct venue_terms t = {.accounts = positions / CONTRACTS, .instruments = CONTRACTS,
                            .tick = TICK, .flat_margin = E6, .cash = 1000000};
    venue_open(&v, &l, &t);
    positions_make(&v);
    struct bench_heap heap = bench_heap_now();
    struct phases p = day_end(&v);
    double all = (double)(p.settle + p.mark + p.expire) / positions;
    printf("%8u positions: prices %.3f ms, mark %.1f ns, expiry %.1f ns a position; "
           "in all %.1f ns, %.3f s, %llu postings\n", positions, (double)p.settle / 1e6,
           (double)p.mark / positions, (double)p.expire / positions, all,
           all * positions / 1e9, (unsigned long long)p.postings);
    if (check) core_check(v.core);
    hash_print(&v);
    bool same = bench_heap_same(heap);
    venue_close(&v);
    return same ? all : 0;
}

static int run(const struct bench_options *options)
{
    (void)options;
    (void)run_one(10000, true);
    double middle = run_one(100000, true);
    double most = run_one(1000000, false);
    if (middle == 0 || most == 0) return 1;
    printf("  a position among 10^6 takes %.2f times as long as among 10^5 (bound: 2)\n",
           most / middle);
    return most <= 2 * middle ? 0 : 1;
}

const struct bench bench_end_of_day = {
    "end-of-day", "settlement prices, mark-to-market and expiry of 10^4 to 10^6 positions", run};
