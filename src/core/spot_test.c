/* spot_test.c: the spot market in the core (INDEX-01, DELIV-05): civil days on the UTC grid, sealed
 * bids and their margin, every claim of a solution refused when it does not hold, what becomes of a
 * good one; balancing auctions against the plain rule. */
#include "core/compute_world_test.h"

#include "base/random.h"
#include "core/calendar.h"
#include "core/spot_internal.h"
#include "core/spot_naive_test.h"

enum { TICK = 1000, ALICE = 5, BOB, CARL, DORA };

static struct core_limits limits_of(void)
{
    struct core_limits l = core_limits_small();
    l.instruments = 80;
    l.exposures = 1024;
    l.orders = 1024;
    l.trades = 512;
    return l;
}

static struct world spot_world_at(int64_t ns, uint8_t zone, int8_t offset, uint32_t flags)
{
    struct core_limits l = limits_of();
    struct world w = world_open(&l);
    w.ts = TS(ns);
    struct command terms = world_product_terms("HRS");
    terms.product_create.contract_unit = UNIT_hour;
    terms.product_create.settlement = SETTLEMENT_physical;
    terms.product_create.flat_margin = MONEY(E6);
    terms.product_create.flags = PRODUCT_FLAG_HAS_FLOOR;
    terms.product_create.spot = (struct spot_terms){
        .flags = flags, .zone = zone, .offset_hours = offset, .opens_at = 8 * 3600,
        .closes_at = 12 * 3600, .result_within = 1800, .price_max = PRICE(100 * TICK)};
    world_product(&w, &terms);
    for (int i = 0; i < 4; i++) {
        static const char *const names[4] = {"alice", "bob", "carl", "dora"};
        uint32_t account = world_account(&w, names[i], names[i]);
        assert_int_equal(world_deposit(&w, account, 1000 * E6), REJECT_none);
    }
    assert_int_equal(world_state(&w, 1, STATE_open), REJECT_none);
    return w;
}

static struct world spot_world(void)
{
    return spot_world_at(INT64_C(20822) * NS_PER_DAY, SPOT_ZONE_utc, 0, 0);
}

static void tick_to(struct world *w, int64_t ns)
{
    struct command cmd = {0};
    while (core_due(w->c).v <= ns) {
        w->ts = TS(int64_max(core_due(w->c).v, w->ts.v));
        assert_int_equal(world_step(w, &cmd, COMMAND_tick, 0), REJECT_none);
    }
    w->ts = TS(ns);
}

/* Tomorrow's first `hours`, closing in an hour. */
static uint64_t auction_open(struct world *w, uint32_t hours)
{
    struct command cmd = {.spot_open = {.product = 1, .hours = hours}};
    int64_t day = w->ts.v / NS_PER_DAY + 1;
    cmd.spot_open.start = TS(day * NS_PER_DAY);
    cmd.spot_open.closes = TS(w->ts.v + NS_PER_HOUR);
    cmd.spot_open.deadline = TS(w->ts.v + 2 * NS_PER_HOUR);
    assert_int_equal(world_step(w, &cmd, COMMAND_spot_open, 0), REJECT_none);
    return w->c->spot.s->auction_id;
}

static enum reject step_bid(struct world *w, uint64_t auction, uint32_t account, uint8_t side,
                            uint32_t hour, int64_t ticks, int64_t lots)
{
    struct command cmd = {.spot_bid = {.auction = auction, .side = side, .count = 1}};
    cmd.spot_bid.steps[0] = (struct spot_step){.hour = hour, .price = PRICE(ticks * TICK),
                                               .qty = QTY(lots)};
    return world_step(w, &cmd, COMMAND_spot_bid, account);
}

/* Over the first `hours` of the auction. */
static enum reject block_bid(struct world *w, uint64_t auction, uint32_t account, uint8_t side,
                             uint32_t hours, int64_t ticks, int64_t lots, uint64_t parent)
{
    struct command cmd = {.spot_bid = {.auction = auction, .side = side, .kind = SPOT_BID_block,
                                       .parent = parent, .count = (uint16_t)hours}};
    for (uint32_t h = 0; h < hours; h++)
        cmd.spot_bid.steps[h] = (struct spot_step){.hour = h, .price = PRICE(ticks * TICK),
                                                   .qty = QTY(lots)};
    return world_step(w, &cmd, COMMAND_spot_bid, account);
}

static uint64_t last_bid(const struct world *w) { return w->c->spot.s->bid_id; }

/* ---- civil days ---- */

/* How many bids the last command told in this state. */
static uint32_t bids_said(const struct world *w, enum spot_bid_state state)
{
    uint32_t count = 0;
    for (const struct event_header *h = outbox_next(&w->out, NULL); h != NULL;
         h = outbox_next(&w->out, h)) {
        const struct event_spot_bid *b = (const struct event_spot_bid *)(const void *)h;
        count += h->kind == EVENT_spot_bid && b->state == state;
    }
    return count;
}

static void test_days_have_23_24_or_25_hours(void **state)
{
    (void)state;
    const struct {
        enum spot_zone zone;
        int offset, year, month, day;
        int64_t first; /* hours from the date's UTC midnight */
        uint32_t hours;
    } days[] = {
        {SPOT_ZONE_europe, 1, 2027, 3, 27, -1, 24},  {SPOT_ZONE_europe, 1, 2027, 3, 28, -1, 23},
        {SPOT_ZONE_europe, 1, 2027, 3, 29, -2, 24},  {SPOT_ZONE_europe, 1, 2027, 10, 31, -2, 25},
        {SPOT_ZONE_europe, 0, 2027, 10, 31, -1, 25}, {SPOT_ZONE_europe, 2, 2027, 3, 28, -2, 23},
        {SPOT_ZONE_america, -5, 2027, 3, 14, 5, 23}, {SPOT_ZONE_america, -5, 2027, 11, 7, 4, 25},
        {SPOT_ZONE_america, -8, 2027, 7, 1, 7, 24},  {SPOT_ZONE_utc, 0, 2027, 3, 28, 0, 24},
        {SPOT_ZONE_utc, 9, 2027, 3, 28, -9, 24},
    };
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        int64_t date = calendar_day(days[i].year, days[i].month, days[i].day);
        struct spot_day d = spot_day_of(days[i].zone, days[i].offset, date);
        assert_int_equal(d.first_hour, date * 24 + days[i].first);
        assert_int_equal(d.hours, days[i].hours);
    }
}

/* Every hour of UTC belongs to one day; each year has one short and one long day. */
static void test_days_leave_no_hour_out(void **state)
{
    static const int offsets[SPOT_ZONE_count][2] = {{-12, 14}, {0, 2}, {-10, -4}};
    (void)state;
    for (int zone = 0; zone < SPOT_ZONE_count; zone++) {
        for (int offset = offsets[zone][0]; offset <= offsets[zone][1]; offset++) {
            int64_t date = calendar_day(2024, 1, 1), end = calendar_day(2034, 1, 1);
            uint32_t changed = 0;
            for (; date < end; date++) {
                struct spot_day d = spot_day_of((enum spot_zone)zone, offset, date);
                struct spot_day next = spot_day_of((enum spot_zone)zone, offset, date + 1);
                assert_int_equal(d.first_hour + d.hours, next.first_hour);
                changed += d.hours != 24;
            }
            assert_int_equal(changed, zone == SPOT_ZONE_utc ? 0 : 20);
        }
    }
}

static void test_the_clock_opens_closes_and_voids(void **state)
{
    (void)state;
    int64_t sunday = calendar_day(2027, 10, 31);
    struct world w = spot_world_at((sunday - 1) * NS_PER_DAY, SPOT_ZONE_europe, 1,
                                   SPOT_FLAG_AUCTION);
    tick_to(&w, (sunday - 1) * NS_PER_DAY + 7 * NS_PER_HOUR);
    uint64_t before = w.c->spot.s->auction_id;
    tick_to(&w, (sunday - 1) * NS_PER_DAY + 8 * NS_PER_HOUR);
    assert_int_equal(w.c->spot.s->auction_id, before + 1);
    const struct spot_auction *a = &w.c->spot.auctions[(before + 1) % w.c->spot.auction_count];
    assert_int_equal(a->hours, 25);
    assert_int_equal(a->first_hour, sunday * 24 - 2);
    assert_string_equal(w.c->instruments[a->hour[0].instrument].terms.name, "HRS-2027D1030H22");
    assert_string_equal(w.c->instruments[a->hour[24].instrument].terms.name, "HRS-2027D1031H22");
    assert_int_equal(state_of(w.c, a->hour[3].instrument), STATE_halted);
    assert_int_equal(step_bid(&w, a->id, ALICE, SIDE_buy, 24, 50, 3), REJECT_none);
    tick_to(&w, (sunday - 1) * NS_PER_DAY + 12 * NS_PER_HOUR);
    assert_int_equal(a->state, SPOT_STATE_closed);
    assert_int_equal(step_bid(&w, a->id, ALICE, SIDE_buy, 2, 50, 3), REJECT_spot_closed);
    assert_true(w.c->accounts[ALICE].requirement.v > 0);
    tick_to(&w, (sunday - 1) * NS_PER_DAY + 12 * NS_PER_HOUR + 1800 * NS_PER_SECOND);
    assert_int_equal(a->state, SPOT_STATE_failed);
    assert_int_equal(bids_said(&w, SPOT_BID_cancelled), 1);
    assert_int_equal(w.c->accounts[ALICE].requirement.v, 0);
    assert_int_equal(state_of(w.c, a->hour[3].instrument), STATE_open);
    core_check(w.c);
    world_close(&w);
}

/* ---- bids ---- */

static void test_bids_are_refused_in_order(void **state)
{
    (void)state;
    struct world w = spot_world();
    uint64_t a = auction_open(&w, 3);
    assert_int_equal(step_bid(&w, a + 1, ALICE, SIDE_buy, 0, 50, 1), REJECT_unknown_spot_auction);
    assert_int_equal(step_bid(&w, a, ALICE, SIDE_buy, 3, 50, 1), REJECT_malformed_request);
    assert_int_equal(step_bid(&w, a, ALICE, SIDE_buy, 0, 50, 0), REJECT_invalid_amount);
    assert_int_equal(step_bid(&w, a, ALICE, SIDE_buy, 0, 101, 1), REJECT_invalid_price);
    struct command cmd = {.spot_bid = {.auction = a, .count = 1}};
    cmd.spot_bid.steps[0] = (struct spot_step){.price = PRICE(TICK + 1), .qty = QTY(1)};
    assert_int_equal(world_step(&w, &cmd, COMMAND_spot_bid, ALICE), REJECT_off_tick);
    assert_int_equal(step_bid(&w, a, ALICE, SIDE_sell, 0, 50, 1001), REJECT_insufficient_margin);
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 3, 50, 400, 0),
                     REJECT_insufficient_margin); /* the third hour has none left */
    assert_int_equal(w.c->accounts[ALICE].requirement.v, 0);
    assert_int_equal(last_bid(&w), 0); /* nothing came, no id is used */
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 2, 50, 1, 77), REJECT_invalid_link);
    assert_int_equal(step_bid(&w, a, ALICE, SIDE_sell, 0, 50, 5), REJECT_none);
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 2, 50, 1, 1), REJECT_invalid_link);
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 2, 50, 1, 0), REJECT_none);
    uint64_t parent = last_bid(&w);
    assert_int_equal(block_bid(&w, a, BOB, SIDE_sell, 2, 50, 1, parent), REJECT_invalid_link);
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 2, 50, 1, parent), REJECT_none);
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 2, 50, 1, last_bid(&w)), REJECT_none);
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 2, 50, 1, last_bid(&w)),
                     REJECT_invalid_link); /* a fourth */
    world_close(&w);
}

static void test_what_stands_is_margined(void **state)
{
    (void)state;
    struct world w = spot_world();
    uint64_t a = auction_open(&w, 3);
    const int64_t *need = &w.c->accounts[ALICE].requirement.v;
    assert_int_equal(step_bid(&w, a, ALICE, SIDE_buy, 0, 50, 5), REJECT_none);
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 2, 60, 7, 0), REJECT_none);
    uint64_t parent = last_bid(&w);
    assert_int_equal(*need, 14 * E6); /* per hour the worse of its sides */
    assert_int_equal(block_bid(&w, a, ALICE, SIDE_sell, 3, 60, 2, parent), REJECT_none);
    assert_int_equal(*need, 20 * E6);
    struct command cmd = {.spot_bid = {.auction = a, .replaces = 1, .count = 2}};
    cmd.spot_bid.steps[0] = (struct spot_step){.price = PRICE(TICK), .qty = QTY(2000)};
    cmd.spot_bid.steps[1] = cmd.spot_bid.steps[0];
    assert_int_equal(world_step(&w, &cmd, COMMAND_spot_bid, ALICE), REJECT_insufficient_margin);
    assert_int_equal(*need, 20 * E6); /* what was to be replaced still stands */
    cmd.spot_bid.steps[0].qty = cmd.spot_bid.steps[1].qty = QTY(6);
    assert_int_equal(world_step(&w, &cmd, COMMAND_spot_bid, ALICE), REJECT_none);
    assert_int_equal(*need, 23 * E6);
    struct command cancel = {.spot_cancel = {.auction = a, .bid = parent}};
    assert_int_equal(world_step(&w, &cancel, COMMAND_spot_cancel, BOB), REJECT_unknown_spot_bid);
    assert_int_equal(world_step(&w, &cancel, COMMAND_spot_cancel, ALICE), REJECT_none);
    assert_int_equal(*need, 12 * E6); /* the child went with it */
    struct command kill = {.kill = {.account = ALICE, .on = 1}};
    assert_int_equal(world_step(&w, &kill, COMMAND_kill, 0), REJECT_none);
    assert_int_equal(*need, 0);
    assert_int_equal(step_bid(&w, a, ALICE, SIDE_buy, 0, 50, 5), REJECT_killed);
    world_close(&w);
}

/* ---- solutions ---- */

static void bids_seed(struct world *w, uint64_t a)
{
    for (uint32_t h = 0; h < 3; h++) {
        assert_int_equal(step_bid(w, a, ALICE, SIDE_buy, h, 60 + h, 20), REJECT_none);
        assert_int_equal(step_bid(w, a, BOB, SIDE_buy, h, 40, 10), REJECT_none);
        assert_int_equal(step_bid(w, a, CARL, SIDE_sell, h, 30, 8), REJECT_none);
        assert_int_equal(step_bid(w, a, BOB, SIDE_sell, h, 55, 30), REJECT_none);
    }
    assert_int_equal(block_bid(w, a, DORA, SIDE_sell, 3, 45, 6, 0), REJECT_none);
    uint64_t parent = last_bid(w);
    assert_int_equal(block_bid(w, a, DORA, SIDE_sell, 2, 50, 3, parent), REJECT_none);
    assert_int_equal(block_bid(w, a, CARL, SIDE_sell, 3, 70, 4, 0), REJECT_none); /* loses */
}

static enum reject result_give(struct world *w, const struct command_spot_result *r)
{
    struct command cmd = {.spot_result = *r};
    return world_step(w, &cmd, COMMAND_spot_result, 0);
}

static void expect(struct world *w, struct command_spot_result r, enum reject reason)
{
    assert_int_equal(result_give(w, &r), reason);
    assert_int_equal(world_count(w, EVENT_reject), 1);
    assert_int_equal(w->out.count, 1); /* and nothing else happened */
}

static void test_a_tampered_result_is_refused(void **state)
{
    static struct naive_book book;
    struct command_spot_result good, r;
    (void)state;
    struct world w = spot_world();
    uint64_t a = auction_open(&w, 3);
    bids_seed(&w, a);
    assert_true(naive_read(w.c, a, TICK, &w.out, &book));
    assert_true(naive_result(&book, 3, &good));
    expect(&w, good, REJECT_invalid_state); /* it is open */
    tick_to(&w, w.ts.v + NS_PER_HOUR);
    for (uint32_t h = 0; h < 3; h++) {
        r = good; /* 55 is every hour's price: bob's sale is at the margin */
        assert_int_equal(r.prices[h].v, 55 * TICK);
        r.prices[h].v += TICK;
        expect(&w, r, REJECT_unbalanced_result);
        r.prices[h].v -= 2 * TICK;
        expect(&w, r, REJECT_unbalanced_result);
        r.prices[h].v += TICK + 1;
        expect(&w, r, REJECT_off_tick);
        r.prices[h].v = 101 * TICK;
        expect(&w, r, REJECT_invalid_price);
    }
    r = good;
    r.prices[3] = PRICE(TICK);
    expect(&w, r, REJECT_malformed_request);
    r = good;
    r.accepted[0] = 2; /* the child alone */
    expect(&w, r, REJECT_broken_link);
    r.accepted[0] = 3 | 8; /* a block that is none */
    expect(&w, r, REJECT_broken_link);
    r.accepted[0] = 1; /* one less: another surplus */
    expect(&w, r, REJECT_wrong_surplus);
    assert_true(naive_result(&book, 7, &r));
    expect(&w, r, REJECT_losing_block);
    r = good;
    r.surplus.low += 1;
    expect(&w, r, REJECT_wrong_surplus);
    r = good;
    r.bound.low -= 1;
    expect(&w, r, REJECT_wrong_surplus);
    r = good;
    r.version -= 1;
    expect(&w, r, REJECT_stale_result);
    r = good;
    r.auction += 1;
    expect(&w, r, REJECT_unknown_spot_auction);
    assert_int_equal(result_give(&w, &good), REJECT_none);
    expect(&w, good, REJECT_invalid_state);
    world_close(&w);
}

static void test_a_result_becomes_positions(void **state)
{
    static struct naive_book book;
    struct command_spot_result r;
    (void)state;
    struct world w = spot_world();
    uint64_t id = auction_open(&w, 3);
    bids_seed(&w, id);
    tick_to(&w, w.ts.v + NS_PER_HOUR);
    assert_true(naive_read(w.c, id, TICK, &w.out, &book));
    assert_true(naive_result(&book, 3, &r));
    for (uint32_t h = 0; h < 3; h++) r.dual[h] = PRICE(55 * TICK);
    assert_int_equal(result_give(&w, &r), REJECT_none);
    const struct spot_auction *a = &w.c->spot.auctions[id % w.c->spot.auction_count];
    assert_int_equal(a->state, SPOT_STATE_done);
    assert_true(a->bound == a->surplus); /* at 55 nobody would rather have it otherwise */
    for (uint32_t h = 0; h < 3; h++) {
        uint32_t i = a->hour[h].instrument;
        assert_int_equal(a->hour[h].qty, 20);
        assert_int_equal(world_exposure(&w, ALICE, i)->position, 20);
        assert_int_equal(world_exposure(&w, CARL, i)->position, -8);
        assert_int_equal(world_exposure(&w, DORA, i)->position, h < 2 ? -9 : -6);
        assert_int_equal(world_exposure(&w, BOB, i)->position, h < 2 ? -3 : -6);
        assert_int_equal(world_exposure(&w, ALICE, i)->open_buys, 0);
        assert_int_equal(w.c->instruments[i].settlement.v, 55 * TICK);
        assert_int_equal(state_of(w.c, i), STATE_open);
    }
    /* The hours' books are open, until each begins. */
    uint32_t first = a->hour[0].instrument;
    assert_int_equal(world_order(&w, ALICE, first, SIDE_sell, 56 * TICK, 1), REJECT_none);
    tick_to(&w, a->first_hour * NS_PER_HOUR);
    assert_int_equal(world_order(&w, ALICE, first, SIDE_sell, 56 * TICK, 1),
                     REJECT_instrument_expired);
    assert_int_equal(world_order(&w, ALICE, a->hour[1].instrument, SIDE_sell, 56 * TICK, 1),
                     REJECT_none);
    world_close(&w);
}

/* Who may not trade any more takes its bids along; the solution for the others is sought anew. */
static void test_bids_of_who_is_killed_go(void **state)
{
    static struct naive_book book;
    struct command_spot_result r;
    (void)state;
    struct world w = spot_world();
    uint64_t id = auction_open(&w, 3);
    bids_seed(&w, id);
    tick_to(&w, w.ts.v + NS_PER_HOUR);
    assert_true(naive_read(w.c, id, TICK, &w.out, &book));
    assert_true(naive_result(&book, 3, &r));
    struct command kill = {.kill = {.account = DORA, .on = 1}};
    assert_int_equal(world_step(&w, &kill, COMMAND_kill, 0), REJECT_none);
    assert_int_equal(result_give(&w, &r), REJECT_stale_result);
    assert_true(naive_read(w.c, id, TICK, &w.out, &book));
    assert_int_equal(book.blocks, 1);
    assert_true(naive_result(&book, 0, &r));
    assert_int_equal(result_give(&w, &r), REJECT_none);
    world_close(&w);
}

/* ---- GUARD-07: a limit falls while bids stand ---- */

enum { LIMIT_BIDS = 24, LIMIT_HOURS = 3 };

struct limited_bid { /* as an account entered it */
    uint64_t id;
    uint64_t parent;
    int64_t lots[LIMIT_HOURS];
    uint8_t side;
    bool gone;
};

static void limited_drop(struct limited_bid *bids, uint32_t count, uint32_t at)
{
    bids[at].gone = true;
    for (uint32_t i = at + 1; i < count; i++)
        if (!bids[i].gone && bids[i].parent == bids[at].id) limited_drop(bids, count, i);
}

/* As the rule says it, hour by hour and side by side as the account's hours were first bid for:
 * the latest goes until the rest is within the limit. */
static void limited_naive(struct limited_bid *bids, uint32_t count, const uint32_t *hours,
                          int64_t limit)
{
    for (uint32_t n = 0; n < LIMIT_HOURS; n++) {
        for (uint8_t side = 0; side < 2; side++) {
            for (uint32_t i = count; i-- > 0;) {
                int64_t sum = 0;
                for (uint32_t k = 0; k < count; k++)
                    sum += !bids[k].gone && bids[k].side == side ? bids[k].lots[hours[n]] : 0;
                if (sum <= limit) break;
                if (bids[i].gone || bids[i].side != side || bids[i].lots[hours[n]] == 0) continue;
                limited_drop(bids, count, i);
            }
        }
    }
}

static enum reject month_limit(struct world *w, int64_t lots)
{
    struct command cmd = {.limits_set = {.product = 1, .limits = {.month = QTY(lots)}}};
    return world_step(w, &cmd, COMMAND_limits_set, 0);
}

static struct limited_bid limited_enter(struct world *w, uint64_t a, struct random *r,
                                        const struct limited_bid *before, uint32_t count)
{
    struct limited_bid b = {.side = (uint8_t)random_below(r, 2)};
    int64_t lots = (int64_t)(1 + random_below(r, 9));
    uint32_t hour = (uint32_t)random_below(r, LIMIT_HOURS);
    if (random_below(r, 2) == 0 || count > 17) { /* the world has room for 16 blocks */
        b.lots[hour] = lots;
        assert_int_equal(step_bid(w, a, ALICE, b.side, hour, 50, lots), REJECT_none);
    } else {
        for (uint32_t i = 0; i < count && random_below(r, 2) == 0; i++)
            if (before[i].lots[0] > 0 && before[i].lots[1] > 0 && before[i].parent == 0)
                b.parent = before[i].id;
        for (uint32_t h = 0; h < 2 + hour % 2; h++) b.lots[h] = lots;
        assert_int_equal(block_bid(w, a, ALICE, b.side, 2 + hour % 2, 50, lots, b.parent),
                         REJECT_none);
    }
    b.id = last_bid(w);
    return b;
}

/* What stands afterwards is what a naive reader of the rule leaves; a solution that was sought for
 * more bids is refused. */
static void test_bids_beyond_a_lower_limit_go(void **state)
{
    (void)state;
    uint32_t cut = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        static struct naive_book book;
        struct random r = {seed};
        struct command_spot_result result;
        struct limited_bid bids[LIMIT_BIDS];
        struct world w = spot_world();
        assert_int_equal(month_limit(&w, 1000), REJECT_none);
        uint64_t id = auction_open(&w, LIMIT_HOURS);
        const struct spot_auction *a = &w.c->spot.auctions[id % w.c->spot.auction_count];
        uint32_t hours[LIMIT_HOURS] = {0, 1, 2}, count = 0;
        for (uint32_t h = 0; h < LIMIT_HOURS; h++) { /* exposures in the order of the hours */
            bids[count] = (struct limited_bid){.lots = {[0] = h == 0, [1] = h == 1, [2] = h == 2}};
            assert_int_equal(step_bid(&w, id, ALICE, SIDE_buy, h, 50, 1), REJECT_none);
            bids[count++].id = last_bid(&w);
        }
        while (count < LIMIT_BIDS) {
            bids[count] = limited_enter(&w, id, &r, bids, count);
            count += 1;
        }
        assert_int_equal(step_bid(&w, id, BOB, SIDE_sell, 0, 40, 3), REJECT_none);
        tick_to(&w, a->closes.v);
        assert_true(naive_read(w.c, id, TICK, &w.out, &book));
        assert_true(naive_result(&book, 0, &result));
        int64_t limit = (int64_t)(3 + random_below(&r, 40));
        assert_int_equal(month_limit(&w, limit), REJECT_none);
        limited_naive(bids, count, hours, limit);
        uint32_t left = 1, gone = bids_said(&w, SPOT_BID_cancelled);
        for (uint32_t i = 0; i < count; i++) left += !bids[i].gone;
        assert_int_equal(a->steps + a->blocks, left);
        for (uint32_t b = a->first; b != NIL; b = w.c->spot.bids[b].next) {
            uint32_t i = 0;
            while (i < count && bids[i].id != w.c->spot.bids[b].id) i += 1;
            assert_true(i == count || !bids[i].gone);
        }
        assert_int_equal(gone, count + 1 - left);
        if (gone > 0) assert_int_equal(result_give(&w, &result), REJECT_stale_result);
        cut += gone;
        core_check(w.c);
        world_close(&w);
    }
    assert_true(cut > 200);
}

static void test_an_hour_that_expires_voids_its_auction(void **state)
{
    (void)state;
    struct world w = spot_world();
    uint64_t id = auction_open(&w, 3);
    bids_seed(&w, id);
    const struct spot_auction *a = &w.c->spot.auctions[id % w.c->spot.auction_count];
    assert_int_equal(world_settle(&w, a->hour[1].instrument, 50 * TICK), REJECT_none);
    assert_int_equal(world_expire(&w, a->hour[1].instrument), REJECT_none);
    assert_int_equal(a->state, SPOT_STATE_failed);
    assert_int_equal(bids_said(&w, SPOT_BID_cancelled), a->steps + a->blocks);
    assert_int_equal(w.c->accounts[DORA].requirement.v, 0);
    world_close(&w);
}

static void test_places_of_bids_come_back(void **state)
{
    (void)state;
    struct world w = spot_world();
    w.check_every = 20;
    for (int day = 0; day < 12; day++) {
        uint64_t a = auction_open(&w, 1);
        enum reject reason = REJECT_none;
        for (uint32_t n = 0; n < w.c->spot.bid_count && reason == REJECT_none; n++)
            reason = step_bid(&w, a, (uint32_t)(ALICE + n % 4), SIDE_buy, 0, 1, 1);
        assert_int_equal(reason, REJECT_none); /* all places are there, every day */
        assert_int_equal(step_bid(&w, a, BOB, SIDE_buy, 0, 1, 1), REJECT_capacity_exhausted);
        tick_to(&w, w.ts.v + 3 * NS_PER_HOUR);
    }
    core_check(w.c);
    world_close(&w);
}

/* ---- balancing ---- */

struct taken {
    uint32_t count;
    int64_t work;
    int64_t price;
};

static void take_award(struct core *c, void *context, const struct balancing_award *award)
{
    struct taken *t = context;
    (void)c;
    t->count += 1;
    t->work += award->work;
    t->price = award->price.v;
}

/* Each account has certified hardware that it stands ready to deliver from. */
static void sellers_ready(struct world *w)
{
    static const char *const racks[4] = {"ra", "rb", "rc", "rd"};
    assert_int_equal(compute_accredit(w, "first", ROLE_certifier, 1), REJECT_none);
    for (uint32_t i = 0; i < 4; i++) {
        struct command cmd = compute_certificate(w, racks[i], 1, 1000, 700);
        assert_int_equal(world_step(w, &cmd, COMMAND_certificate_submit, ALICE + i), REJECT_none);
        struct command tender = {.tender = {.resource = i + 1, .lots = QTY(1),
                                            .grade = GRADE_server}};
        compute_key(tender.tender.public_key, (uint8_t)(10 + i));
        assert_int_equal(world_step(w, &tender, COMMAND_tender, ALICE + i), REJECT_none);
    }
    compute_wait(w, 48 * NS_PER_HOUR);
}

static uint64_t balancing(struct world *w, int64_t work, int64_t most)
{
    struct balancing b = {.kind = SPOT_balancing,
                          .class = {.vintage = 2026, .grade = GRADE_server, .region = "eu"},
                          .first_hour = w->ts.v / NS_PER_HOUR + 1, .hours = 1,
                          .work = {work}, .price_max = PRICE(most), .reference = 9,
                          .closes = TS(w->ts.v + NS_PER_SECOND)};
    outbox_reset(&w->out, w->seq, w->ts);
    w->c->out = &w->out;
    uint64_t id = balancing_open(w->c, &b);
    w->c->out = NULL;
    assert_true(id != 0);
    return id;
}

static void test_balancing_takes_the_cheapest(void **state)
{
    struct random r = {4};
    (void)state;
    struct world w = spot_world();
    uint64_t early = balancing(&w, 5, 50 * TICK);
    assert_int_equal(step_bid(&w, early, ALICE, SIDE_sell, 0, 30, 1), REJECT_not_tenderable);
    sellers_ready(&w);
    assert_int_equal(balancing_awards(w.c, early, take_award, &(struct taken){0}), 0);
    w.check_every = 30;
    for (int round = 0; round < 60; round++) {
        struct taken t = {0};
        int64_t prices[12], lots[12], left, price = 0;
        uint32_t offers = (uint32_t)random_below(&r, 13);
        int64_t wanted = (int64_t)random_below(&r, 60);
        uint64_t id = balancing(&w, wanted, 50 * TICK);
        for (uint32_t i = 0; i < offers; i++) {
            prices[i] = 30 + (int64_t)random_below(&r, 20);
            lots[i] = 1 + (int64_t)random_below(&r, 9);
            assert_int_equal(step_bid(&w, id, (uint32_t)(ALICE + i % 4), SIDE_sell, 0, prices[i],
                                      lots[i]), REJECT_none);
        }
        assert_int_equal(step_bid(&w, id, ALICE, SIDE_sell, 0, 51, 1), REJECT_invalid_price);
        assert_int_equal(step_bid(&w, id, ALICE, SIDE_buy, 0, 40, 1), REJECT_malformed_request);
        assert_int_equal(balancing_over(w.c, id), 0);
        tick_to(&w, w.ts.v + NS_PER_SECOND);
        assert_int_equal(balancing_over(w.c, id), 1);
        left = wanted;
        for (int64_t p = 30; p < 50 && left > 0; p++) {
            for (uint32_t i = 0; i < offers && left > 0; i++) {
                if (prices[i] != p) continue;
                left -= int64_min(left, lots[i]);
                price = p * TICK;
            }
        }
        uint32_t count = balancing_awards(w.c, id, take_award, &t);
        assert_int_equal(count, t.count);
        assert_int_equal(t.work, wanted - left);
        if (t.count > 0) assert_int_equal(t.price, price);
    }
    assert_int_equal(balancing_over(w.c, 1), -1); /* forgotten */
    world_close(&w);
}

/* However many auctions are opened meanwhile, awards wait until delivery has taken them. */
static void test_awards_wait_until_they_are_taken(void **state)
{
    (void)state;
    struct world w = spot_world();
    struct taken t = {0};
    sellers_ready(&w);
    uint64_t id = balancing(&w, 5, 50 * TICK);
    assert_int_equal(step_bid(&w, id, ALICE, SIDE_sell, 0, 30, 5), REJECT_none);
    tick_to(&w, w.ts.v + NS_PER_SECOND);
    for (uint32_t i = 1; i < w.c->spot.auction_count; i++) (void)balancing(&w, 1, 50 * TICK);
    assert_int_equal(balancing_over(w.c, id), 1);
    assert_true(!spot_bid_room(w.c, w.c->spot.bid_count, 0));
    assert_int_equal(balancing_awards(w.c, id, take_award, &t), 1);
    assert_int_equal(t.work, 5);
    assert_true(balancing(&w, 1, 50 * TICK) > id);
    assert_int_equal(balancing_over(w.c, id), -1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days_have_23_24_or_25_hours),
        cmocka_unit_test(test_days_leave_no_hour_out),
        cmocka_unit_test(test_the_clock_opens_closes_and_voids),
        cmocka_unit_test(test_bids_are_refused_in_order),
        cmocka_unit_test(test_what_stands_is_margined),
        cmocka_unit_test(test_a_tampered_result_is_refused),
        cmocka_unit_test(test_a_result_becomes_positions),
        cmocka_unit_test(test_bids_of_who_is_killed_go),
        cmocka_unit_test(test_bids_beyond_a_lower_limit_go),
        cmocka_unit_test(test_an_hour_that_expires_voids_its_auction),
        cmocka_unit_test(test_places_of_bids_come_back),
        cmocka_unit_test(test_balancing_takes_the_cheapest),
        cmocka_unit_test(test_awards_wait_until_they_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
