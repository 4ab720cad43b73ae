/* bench_kill.c: how long a firm keeps trading after its switch is thrown: `kill` (MATCH-09).
 *
 * Knight Capital, 1 August 2012: 45 minutes of orders in 154 stocks that nobody could stop. Here a
 * firm has 10,000 working orders in 154 instruments, among ten times as many of others; one command
 * cancels them all. Timed: from the command to the last of its events, in the core; not the journal
 * nor the network. Beside it the floor: the same events, merely copied. Bound: 100 ms.
 *
 * Upstream: core. Downstream: bench.c.
 */
#include "bench.h"
#include "venue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSTRUMENTS = 154, OTHERS = 40, ORDERS = 10000, TICK = 1000, MIDDLE = 2000000, ROUNDS = 9 };
static const uint64_t BOUND_NS = 100000000;

/* One resting order; prices of both sides never meet. */
static void order(struct venue *v, uint32_t account, uint64_t n)
{
    struct command *c = &v->create;
    int64_t away = (int64_t)(n * 7919 % 200 + 1) * TICK;
    c->header.account = v->account_first + account;
    c->order_new.instrument = 1 + (uint32_t)(n % INSTRUMENTS);
    c->order_new.side = (uint8_t)(n / INSTRUMENTS % 2);
    c->order_new.qty = QTY(1 + (int64_t)(n % 9));
    c->order_new.price = PRICE(c->order_new.side == SIDE_buy ? MIDDLE - away : MIDDLE + away);
    venue_step(v, c);
}

static uint32_t member_of(struct venue *v, uint32_t account)
{
    const struct event_header *h = NULL;
    core_query(v->core, &(struct query){.kind = QUERY_directory}, &v->out);
    while ((h = outbox_next(&v->out, h)) != NULL) {
        const struct event_account *a = (const struct event_account *)(const void *)h;
        if (h->kind == EVENT_account && a->id == account) return a->member;
    }
    return 0;
}

static uint64_t cancels(const struct venue *v)
{
    uint64_t count = 0;
    const struct event_header *h = NULL;
    while ((h = outbox_next(&v->out, h)) != NULL) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        count += h->kind == EVENT_order && o->cause == CAUSE_cancelled_killed ? 1 : 0;
    }
    return count;
}

struct figures {
    double kill;
    double floor;
    uint64_t events;
    uint64_t hash;
};

static int run_once(uint64_t orders, struct figures *f)
{
    struct venue v;
    uint64_t all = orders * 11;
    struct core_limits limits = venue_limits(OTHERS + 1, INSTRUMENTS, (uint32_t)all + 16,
                                             INSTRUMENTS * 512);
    const struct venue_terms terms = {.accounts = OTHERS + 1, .instruments = INSTRUMENTS,
                                      .tick = TICK, .flat_margin = 1000000, .cash = 1000000000};
    venue_open(&v, &limits, &terms);
    for (uint64_t n = 0; n < all; n++) order(&v, n % 11 == 0 ? 0 : 1 + (uint32_t)(n % OTHERS), n);
    struct command kill = {.header.kind = COMMAND_kill};
    kill.header.size = command_size_full(COMMAND_kill);
    kill.kill = (struct command_kill){.member = member_of(&v, v.account_first), .on = 1};
    uint64_t start = bench_now();
    venue_step(&v, &kill);
    f->kill = (double)(bench_now() - start);
    unsigned char *copy = malloc(v.out.used);
    if (copy == NULL) return 2;
    memset(copy, 1, v.out.used); /* its pages are there, as the outbox's are */
    start = bench_now();
    memcpy(copy, v.out.bytes, v.out.used);
    __asm__ volatile("" : : "r"(copy) : "memory"); /* it is read, as far as anybody knows */
    f->floor = (double)(bench_now() - start);
    f->events = v.out.count;
    free(copy);
    bool whole = cancels(&v) == orders;
    if (!whole) fprintf(stderr, "bench: not every order was cancelled\n");
    f->hash = core_hash(v.core);
    venue_close(&v);
    return whole ? 0 : 2;
}

static int run(const struct bench_options *options)
{
    uint64_t orders = options->commands != 0 ? options->commands : ORDERS;
    uint32_t rounds = options->rounds != 0 ? options->rounds : ROUNDS;
    double *kills = calloc(rounds, sizeof *kills), *floors = calloc(rounds, sizeof *floors);
    struct figures f = {0};
    int status = kills == NULL || floors == NULL || orders > 1000000 ? 2 : 0;
    for (uint32_t r = 0; r < rounds && status == 0; r++) {
        status = run_once(orders, &f);
        kills[r] = f.kill;
        floors[r] = f.floor;
    }
    if (status == 0) {
        double kill = bench_median(kills, rounds), floor = bench_median(floors, rounds);
        printf("  %llu orders of a firm in %d instruments, among %llu: %.3f ms to the last of %llu "
               "events (worst %.3f ms)\n",
               (unsigned long long)orders, INSTRUMENTS, (unsigned long long)(orders * 11),
               kill / 1e6, (unsigned long long)f.events, kills[rounds - 1] / 1e6);
        printf("  floor, the same events copied: %.3f ms; hash %016llx\n", floor / 1e6,
               (unsigned long long)f.hash);
        status = kills[rounds - 1] <= (double)BOUND_NS || orders != ORDERS ? 0 : 1;
        if (status != 0) printf("  the bound of 100 ms was missed\n");
    }
    free(kills);
    free(floors);
    return status;
}

const struct bench bench_kill = {
    .name = "kill", .summary = "a firm's kill switch, to its last cancelled order", .run = run};
