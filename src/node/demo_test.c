/* demo_test.c: the demonstration over a bare core at virtual time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/core.h"
#include "node/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START TS(INT64_C(1795000000) * NS_PER_SECOND) /* November 2026 */

struct world {
    struct core *core;
    void *memory;
    struct outbox outbox;
    ts_t now;
    struct venue venue;
    uint64_t rejects[REJECT_count];
    uint64_t states[STATE_count]; /* how often a product came into it */
    uint64_t auctioned;
    uint64_t index_inputs;
    bool refuses;
    struct demo demo;
};

static int world_submit(void *context, struct command *c, const struct outbox **events)
{
    struct world *w = context;
    if (w->refuses) return -1;
    c->header.seq = core_seq(w->core) + 1;
    c->header.ts = w->now;
    assert_true(command_is_valid(c, c->header.size));
    outbox_reset(&w->outbox, c->header.seq, w->now);
    core_step(w->core, c, &w->outbox);
    const struct event_header *e = NULL;
    while ((e = outbox_next(&w->outbox, e)) != NULL) {
        const struct event_reject *r = (const void *)e;
        const struct event_state *s = (const void *)e;
        const struct event_trade *t = (const void *)e;
        if (e->kind == EVENT_reject) w->rejects[r->reason]++;
        if (e->kind == EVENT_state) w->states[s->state]++;
        if (e->kind == EVENT_trade && t->kind == TRADE_auction) w->auctioned++;
        if (e->kind == EVENT_index_input) w->index_inputs++;
    }
    *events = &w->outbox;
    return 0;
}

static void world_query(void *context, const struct query *q, const struct outbox **events)
{
    struct world *w = context;
    outbox_reset(&w->outbox, core_seq(w->core), w->now);
    core_query(w->core, q, &w->outbox);
    *events = &w->outbox;
}

static ts_t world_now(void *context)
{
    return ((struct world *)context)->now;
}

static struct world *world_open(void)
{
    struct core_limits limits = core_limits_small();
    limits.accounts = 64;
    limits.members = 64;
    limits.instruments = 256;
    limits.balances = 8192;
    limits.index_hours = 31 * 24 * 4; /* of a quarter, and more (INDEX-03) */
    limits.exposures = 8192;
    limits.orders = 16384;
    limits.levels = 16384;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    size_t bytes = (core_bytes(&limits) + 63) / 64 * 64;
    w->memory = aligned_alloc(64, bytes);
    assert_non_null(w->memory);
    memset(w->memory, 0, bytes);
    w->core = core_open(&limits, w->memory);
    assert_non_null(w->core);
    w->outbox.capacity = core_outbox_bytes(&limits);
    w->outbox.bytes = malloc(w->outbox.capacity);
    assert_non_null(w->outbox.bytes);
    w->now = START;
    w->venue = (struct venue){.context = w, .submit = world_submit, .query = world_query,
                        .now = world_now};
    return w;
}

static void world_close(struct world *w)
{
    core_close(w->core);
    free(w->memory);
    free(w->outbox.bytes);
    free(w);
}

static void world_dual(struct world *w)
{
    struct command c;
    memset(&c, 0, sizeof c);
    c.header.kind = COMMAND_venue_set;
    c.header.size = command_size_full(COMMAND_venue_set);
    c.venue_set.flags = VENUE_HAS_DUAL_TRANSFERS;
    c.venue_set.settings.dual_transfers = 1;
    const struct outbox *events;
    assert_int_equal(world_submit(w, &c, &events), 0);
}

static void world_run(struct world *w, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += 25) {
        w->now.v += 25 * NS_PER_MS;
        assert_int_equal(demo_tick(&w->demo, w->now), 0);
    }
}

static struct event_account account(struct world *w, uint32_t id)
{
    struct query q = {.kind = QUERY_account, .account = id, .now = w->now};
    const struct outbox *events;
    world_query(w, &q, &events);
    const struct event_header *e = outbox_next(events, NULL);
    assert_non_null(e);
    assert_int_equal(e->kind, EVENT_account);
    return *(const struct event_account *)(const void *)e;
}

/* How many outrights there are, and how many of them have both sides. */
static void count_sides(struct world *w, unsigned *outrights, unsigned *two_sided)
{
    *outrights = *two_sided = 0;
    for (uint32_t k = 0; k < w->demo.instrument_count; k++) {
        struct query q = {.kind = QUERY_ticker, .instrument = w->demo.instruments[k].id,
                          .now = w->now};
        const struct outbox *events;
        world_query(w, &q, &events);
        const struct event_ticker *t = (const void *)outbox_next(events, NULL);
        if (w->demo.instruments[k].legs[0] != 0) continue;
        *outrights += 1;
        *two_sided += !price_is_none(t->bid) && !price_is_none(t->ask);
        assert_int_equal(t->state, STATE_open);
        assert_false(price_is_none(t->settlement));
    }
}

static void seeds_and_is_lively_within_seconds(void **state)
{
    (void)state;
    struct world *w = world_open();
    world_dual(w);
    assert_int_equal(demo_start(&w->demo, &w->venue, 1, 0), 0);
    assert_int_equal(account(w, w->demo.guest).cash.v, INT64_C(1000000) * E6);
    assert_int_equal(account(w, w->demo.accounts[0]).cash.v, INT64_C(5000000000) * E6);
    world_run(w, 20000);
    assert_true(w->demo.instrument_count >= 26);
    assert_true(w->demo.counts.trades > 100);
    unsigned two_sided, outrights;
    count_sides(w, &outrights, &two_sided);
    assert_int_equal(two_sided, outrights);
    assert_int_not_equal(w->demo.index.id, 0);
    assert_int_equal(w->rejects[REJECT_position_limit], 0);
    core_check(w->core);
    world_close(w);
}

static void the_rate_is_kept_and_little_is_refused(void **state)
{
    (void)state;
    struct world *w = world_open();
    assert_int_equal(demo_start(&w->demo, &w->venue, 7, 100), 0);
    world_run(w, 5000);
    uint64_t before = w->demo.counts.commands;
    world_run(w, 60000);
    uint64_t acted = w->demo.counts.commands - before;
    assert_in_range(acted, 60 * 80, 60 * 120);
    /* A fund may cancel what has been filled; nothing else is a matter of course. */
    uint64_t others = w->demo.counts.rejects - w->rejects[REJECT_unknown_order];
    for (int r = 1; r < REJECT_count; r++) {
        if (w->rejects[r] != 0) print_message("%s: %llu\n", reject_text((enum reject)r)->name,
                                              (unsigned long long)w->rejects[r]);
    }
    assert_true(others * 100 < w->demo.counts.commands);
    /* A timer that was late does not make up for all it missed. */
    before = w->demo.counts.commands;
    w->now.v += 100 * NS_PER_SECOND;
    assert_int_equal(demo_tick(&w->demo, w->now), 0);
    assert_true(w->demo.counts.commands - before < 100);
    world_close(w);
}

static void auctions_come_and_end(void **state)
{
    (void)state;
    struct world *w = world_open();
    assert_int_equal(demo_start(&w->demo, &w->venue, 3, 50), 0);
    world_run(w, 310 * 1000);
    assert_true(w->states[STATE_auction] >= 1);
    for (uint32_t p = 1; p < DEMO_PRODUCTS_MAX; p++) {
        if (w->demo.products[p].id != 0)
            assert_int_equal(w->demo.products[p].state, STATE_open);
    }
    assert_true(w->auctioned > 0);
    core_check(w->core);
    world_close(w);
}

static void an_hour_goes_well(void **state)
{
    (void)state;
    struct world *w = world_open();
    assert_int_equal(demo_start(&w->demo, &w->venue, 9, 0), 0);
    for (int m = 0; m < 60; m++) {
        world_run(w, 60 * 1000);
        for (uint32_t k = 0; k < w->demo.instrument_count; k++) {
            const struct demo_instrument *i = &w->demo.instruments[k];
            int64_t drift = INT64_C(1000000000) * 6 / 100; /* six standard deviations and more */
            assert_in_range(w->demo.market + i->own + drift, 0, 2 * drift);
        }
    }
    while (w->demo.auction_product != 0) world_run(w, 1000);
    unsigned two_sided, outrights;
    count_sides(w, &outrights, &two_sided);
    assert_true(two_sided + 1 >= outrights); /* one may just have been taken out */
    uint64_t others = w->demo.counts.rejects - w->rejects[REJECT_unknown_order];
    assert_true(others * 100 < w->demo.counts.commands);
    assert_true(w->demo.counts.trades > 50000);
    assert_int_equal(w->rejects[REJECT_position_limit], 0);
    assert_true(w->index_inputs >= 5); /* an hour's reference price from each source (INDEX-02) */
    core_check(w->core);
    world_close(w);
}

static void the_same_seed_is_the_same_market(void **state)
{
    (void)state;
    uint64_t hashes[3];
    for (int n = 0; n < 3; n++) {
        struct world *w = world_open();
        assert_int_equal(demo_start(&w->demo, &w->venue, n == 2 ? 12 : 11, 0), 0);
        world_run(w, 10000);
        hashes[n] = core_hash(w->core);
        world_close(w);
    }
    assert_true(hashes[0] == hashes[1]);
    assert_true(hashes[0] != hashes[2]);
}

static void a_restart_goes_on_and_stop_leaves_nothing(void **state)
{
    (void)state;
    struct world *w = world_open();
    assert_int_equal(demo_start(&w->demo, &w->venue, 5, 0), 0);
    world_run(w, 10000);
    struct event_account guest = account(w, w->demo.guest);
    w->demo.market = INT64_C(40000000);
    world_run(w, 20000);
    int64_t market = w->demo.market;
    uint32_t instruments = w->demo.instrument_count;
    assert_int_equal(demo_start(&w->demo, &w->venue, 6, 0), 0);
    assert_int_equal(w->demo.instrument_count, instruments);
    assert_in_range(w->demo.market - market + 10000000, 0, 20000000); /* within 1% */
    assert_int_equal(account(w, w->demo.guest).cash.v, guest.cash.v);
    world_run(w, 5000);
    assert_true(w->demo.counts.trades > 10);
    demo_stop(&w->demo);
    struct query q = {.kind = QUERY_hash};
    const struct outbox *events;
    world_query(w, &q, &events);
    const struct event_hash *h = (const void *)outbox_next(events, NULL);
    assert_int_equal(h->orders_live, 0);
    world_close(w);
}

static void a_venue_that_takes_nothing_is_reported(void **state)
{
    (void)state;
    struct world *w = world_open();
    w->refuses = true;
    assert_true(demo_start(&w->demo, &w->venue, 5, 0) < 0);
    w->refuses = false;
    assert_int_equal(demo_start(&w->demo, &w->venue, 5, 0), 0);
    world_run(w, 3000);
    w->refuses = true;
    w->now.v += NS_PER_SECOND;
    assert_true(demo_tick(&w->demo, w->now) < 0);
    w->refuses = false;
    world_run(w, 3000);
    assert_true(w->demo.counts.trades > 0);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_and_is_lively_within_seconds),
        cmocka_unit_test(the_rate_is_kept_and_little_is_refused),
        cmocka_unit_test(auctions_come_and_end),
        cmocka_unit_test(an_hour_goes_well),
        cmocka_unit_test(the_same_seed_is_the_same_market),
        cmocka_unit_test(a_restart_goes_on_and_stop_leaves_nothing),
        cmocka_unit_test(a_venue_that_takes_nothing_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
