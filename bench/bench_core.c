/* bench_core.c: the whole core under a steady mix: `core-mix`.
 *
 * 100,000 live orders; of the commands 60% are new orders, 35% cancels and 5% immediate-or-cancel
 * orders that take about five resting ones, so that the number of live orders stays. 1, 100 and
 * 10,000 price levels a side, on 1 and on 1,000 instruments; 100 accounts with margin checked
 * before every order. What is done is drawn before the clock starts; which order a cancel names is
 * looked up while it runs, and every event is walked, as a gateway would.
 *
 * Throughput is timed over a whole round; percentiles in rounds of their own, around core_step
 * alone. Bound: 10,000 levels cost at most 1.5 times one level (one instrument). Nothing may be
 * allocated.
 */
#include "bench.h"
#include "venue.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 100000, ORDERS = 1 << 18, LEVELS = 1 << 18, ACCOUNTS = 100, LOTS = 10, TAKEN = 5,
       SLOT_MASK = (1 << 24) - 1, MIDDLE = 1000000,
       SPAN_ACCOUNTS = 1000, SPAN_INSTRUMENTS = 20, SPAN_LEVELS = 100, SPAN_KINDS = 3,
       SPAN_SHARE_MIN = 40 /* per cent */ };

struct operation {
    uint32_t step; /* levels away from the touch */
    uint32_t pick;
    uint32_t instrument;
    uint8_t what; /* 0 new, 1 cancel, 2 take */
    uint8_t side;
    uint16_t account;
};

struct mix {
    struct venue venue;
    uint64_t live[ORDERS];           /* order ids */
    uint32_t place[SLOT_MASK + 1];   /* of a slot's order in `live`, from 1; 0: not live */
    uint16_t account[SLOT_MASK + 1]; /* of a slot's order */
    uint32_t live_count;
    uint64_t trades;
    uint64_t rejects;
};

static void operations_draw(struct operation *ops, size_t count, uint32_t levels,
                            uint32_t instruments, uint32_t accounts, bool only_new)
{
    struct random r = {11};
    for (size_t i = 0; i < count; i++) {
        uint64_t dice = random_below(&r, 100);
        ops[i] = (struct operation){.step = (uint32_t)random_below(&r, levels),
                                    .pick = (uint32_t)random_next(&r),
                                    .instrument = 1 + (uint32_t)random_below(&r, instruments),
                                    .what = only_new || dice < 60 ? 0 : dice < 95 ? 1 : 2,
                                    .side = (uint8_t)random_below(&r, 2),
                                    .account = (uint16_t)random_below(&r, accounts)};
    }
}

static void live_drop(struct mix *m, uint64_t id)
{
    uint32_t place = m->place[id & SLOT_MASK];
    if (place == 0 || m->live[place - 1] != id) return;
    uint64_t last = m->live[--m->live_count];
    m->live[place - 1] = last;
    m->place[last & SLOT_MASK] = place;
    m->place[id & SLOT_MASK] = 0;
}

/* Follows which orders live, from the events alone. */
static void events_walk(struct mix *m, uint16_t account)
{
    const struct event_header *h = NULL;
    while ((h = outbox_next(&m->venue.out, h)) != NULL) {
        if (h->kind == EVENT_order) {
            const struct event_order *o = (const struct event_order *)(const void *)h;
            if (o->state != ORDER_STATE_open) {
                live_drop(m, o->order_id);
            } else if (o->cause == CAUSE_new && o->tif == TIF_good_til_cancelled) {
                m->live[m->live_count] = o->order_id;
                m->place[o->order_id & SLOT_MASK] = ++m->live_count;
                m->account[o->order_id & SLOT_MASK] = account;
            }
        } else if (h->kind == EVENT_trade) {
            m->trades += 1;
        } else if (h->kind == EVENT_reject) {
            m->rejects += 1;
        }
    }
}

static struct command *command_make(struct mix *m, const struct operation *op)
{
    struct venue *v = &m->venue;
    if (op->what == 1 && m->live_count > 0) {
        uint64_t id = m->live[(uint64_t)op->pick * m->live_count >> 32];
        v->cancel.header.account = v->account_first + m->account[id & SLOT_MASK];
        v->cancel.order_cancel.order_id = id;
        return &v->cancel;
    }
    bool take = op->what == 2;
    int64_t away = take ? -(int64_t)MIDDLE / 2 : 1 + (int64_t)op->step;
    struct command *c = &v->create;
    c->header.account = v->account_first + op->account;
    c->order_new.instrument = op->instrument;
    c->order_new.side = op->side;
    c->order_new.tif = take ? TIF_immediate_or_cancel : TIF_good_til_cancelled;
    c->order_new.qty = QTY(take ? LOTS * TAKEN : LOTS);
    c->order_new.price = PRICE((MIDDLE + (op->side == SIDE_buy ? -away : away)) * 1000);
    return c;
}

static void mix_open(struct mix *m, uint32_t instruments)
{
    memset(m, 0, sizeof *m);
    struct core_limits l = venue_limits(ACCOUNTS, instruments, ORDERS, LEVELS);
    struct venue_terms t = {.accounts = ACCOUNTS, .instruments = instruments, .tick = 1000,
                            .flat_margin = E6, .cash = 1000000000};
    venue_open(&m->venue, &l, &t);
}

static double round_run(struct mix *m, const struct operation *ops, size_t count, uint32_t *times)
{
    uint64_t start = bench_now();
    for (size_t i = 0; i < count; i++) {
        struct command *c = command_make(m, &ops[i]);
        if (times != NULL) {
            uint64_t before = bench_now();
            venue_step(&m->venue, c);
            times[i] = (uint32_t)(bench_now() - before);
        } else {
            venue_step(&m->venue, c);
        }
        events_walk(m, ops[i].account);
    }
    return (double)(bench_now() - start) / (double)count;
}

struct buffers {
    struct mix *mix;
    struct operation *ops;
    uint32_t *times;
    size_t count;
    uint32_t rounds;
    bool same_heap;
};

/* One setting: returns the best round's ns a command. */
static double setting_run(struct buffers *b, uint32_t levels, uint32_t instruments)
{
    struct mix *m = b->mix;
    double ns[64];
    mix_open(m, instruments);
    operations_draw(b->ops, LIVE, levels, instruments, ACCOUNTS, true);
    (void)round_run(m, b->ops, LIVE, NULL);
    operations_draw(b->ops, b->count, levels, instruments, ACCOUNTS, false);
    struct bench_heap heap = bench_heap_now();
    for (uint32_t i = 0; i < b->rounds; i++) ns[i] = round_run(m, b->ops, b->count, NULL);
    double median = bench_median(ns, b->rounds);
    printf("  %5u levels %4u instruments: %7.0f thousand commands/s (%.0f ns; best %.0f)", levels,
           instruments, 1e6 / median, median, ns[0]);
    printf("  %u live, %llu trades, %llu rejected\n", m->live_count, (unsigned long long)m->trades,
           (unsigned long long)m->rejects);
    (void)round_run(m, b->ops, b->count, b->times);
    b->same_heap = bench_heap_same(heap) && b->same_heap;
    bench_percentiles_print(b->times, b->count);
    printf("  hash %016llx after %llu commands\n", (unsigned long long)core_hash(m->venue.core),
           (unsigned long long)m->venue.seq);
    venue_close(&m->venue);
    return ns[0];
}

static struct buffers buffers_take(const struct bench_options *options)
{
    struct buffers b = {.count = options->commands != 0 ? options->commands : 1000000,
                        .rounds = options->rounds != 0 ? options->rounds : 3, .same_heap = true};
    if (b.rounds > 64) b.rounds = 64;
    size_t most = b.count > LIVE ? b.count : LIVE;
    b.mix = malloc(sizeof *b.mix);
    b.ops = malloc(most * sizeof *b.ops);
    b.times = malloc(most * sizeof *b.times);
    if (b.mix == NULL || b.ops == NULL || b.times == NULL) abort();
    memset(b.times, 0, most * sizeof *b.times);
    return b;
}

static int run(const struct bench_options *options)
{
    struct buffers b = buffers_take(options);
    double one = setting_run(&b, 1, 1);
    (void)setting_run(&b, 100, 1);
    double many = setting_run(&b, 10000, 1);
    (void)setting_run(&b, 1, 1000);
    (void)setting_run(&b, 100, 1000);
    (void)setting_run(&b, 10000, 1000);
    printf("  10,000 levels / 1 level, 1 instrument: %.2f (at most 1.5; best rounds)\n"
           "  nothing was allocated while commands ran: %s\n"
           "  left out: gateway, validation of bytes, journal, release of events, feeds;\n"
           "  included: drawing on the order table, walking the events\n",
           many / one, b.same_heap ? "yes" : "NO");
    free(b.mix);
    free(b.ops);
    free(b.times);
    return many / one <= 1.5 && b.same_heap ? 0 : 1;
}

const struct bench bench_core_mix = {
    "core-mix", "the whole core: 60% new, 35% cancel, 5% aggressive; by levels and instruments",
    run};

/* ---- core-span ---- */

/* The same mix over accounts that hold and work all of 20 instruments, whatever margins them. Each
 * kind has a venue of its own, and their rounds take turns, so that the machine is the same for
 * all; returns the kind's time of this round. */
static double span_round(struct buffers *b, struct mix *m, uint32_t accounts)
{
    operations_draw(b->ops, b->count, SPAN_LEVELS, SPAN_INSTRUMENTS, accounts, false);
    return round_run(m, b->ops, b->count, NULL);
}

static void span_open(struct buffers *b, struct mix *m, uint32_t kind)
{
    struct core_limits l = venue_limits(SPAN_ACCOUNTS, SPAN_INSTRUMENTS, ORDERS, LEVELS);
    struct venue_terms t = {.accounts = SPAN_ACCOUNTS, .instruments = SPAN_INSTRUMENTS,
                            .tick = 1000, .flat_margin = kind == 1 ? E6 : 0,
                            .cash = 1000000000, .span = kind == 2};
    memset(m, 0, sizeof *m);
    venue_open(&m->venue, &l, &t);
    operations_draw(b->ops, LIVE, SPAN_LEVELS, SPAN_INSTRUMENTS, SPAN_ACCOUNTS, true);
    (void)round_run(m, b->ops, LIVE, NULL);
    (void)span_round(b, m, SPAN_ACCOUNTS); /* positions come about */
}

static int run_span(const struct bench_options *options)
{
    static const char *const kinds[SPAN_KINDS] = {"no margin", "flat margin", "SPAN"};
    struct buffers b = buffers_take(options);
    struct mix *mixes[SPAN_KINDS];
    double ns[SPAN_KINDS][64], median[SPAN_KINDS];
    for (uint32_t k = 0; k < SPAN_KINDS; k++) {
        mixes[k] = malloc(sizeof *mixes[k]);
        if (mixes[k] == NULL) abort();
        span_open(&b, mixes[k], k);
    }
    struct bench_heap heap = bench_heap_now();
    for (uint32_t i = 0; i < b.rounds; i++) {
        for (uint32_t k = 0; k < SPAN_KINDS; k++) {
            ns[k][i] = span_round(&b, mixes[k], SPAN_ACCOUNTS);
        }
    }
    b.same_heap = bench_heap_same(heap);
    for (uint32_t k = 0; k < SPAN_KINDS; k++) {
        struct mix *m = mixes[k];
        median[k] = bench_median(ns[k], b.rounds);
        printf("  %-11s %7.0f thousand commands/s (%.0f ns)  %u live, %llu trades, %llu rejected\n"
               "              hash %016llx after %llu commands\n",
               kinds[k], 1e6 / median[k], median[k], m->live_count,
               (unsigned long long)m->trades, (unsigned long long)m->rejects,
               (unsigned long long)core_hash(m->venue.core), (unsigned long long)m->venue.seq);
        venue_close(&m->venue);
        free(m);
    }
    double none = 100 * median[0] / median[2], flat = 100 * median[1] / median[2];
    printf("  SPAN at %.0f %% of the throughput without margin, %.0f %% of that with flat margin"
           " (at least %d %%)\n"
           "  %d accounts, each with %d instruments in three tiers; nothing was allocated: %s\n",
           none, flat, SPAN_SHARE_MIN, SPAN_ACCOUNTS, SPAN_INSTRUMENTS, b.same_heap ? "yes" : "NO");
    free(b.mix);
    free(b.ops);
    free(b.times);
    return none >= SPAN_SHARE_MIN && flat >= SPAN_SHARE_MIN && b.same_heap ? 0 : 1;
}

const struct bench bench_core_span = {
    "core-span", "the whole core with SPAN before every order, beside flat margin and none",
    run_span};
