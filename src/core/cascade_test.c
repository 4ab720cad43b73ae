/* cascade_test.c: random positions in contracts of all lengths cascade in random order, beside a
 * twin that only keeps each account's lots hour by hour (CONTRACT-01); refusals; limits. */
#include "core/world_test.h"

#include "base/random.h"
#include "core/calendar.h"
#include "core/cascade.h"

enum { ACCOUNTS = 6, FIRST_DAY_YEAR = 2028, HOURS = 366 * 24 };

struct twin {
    int64_t lots[ACCOUNTS][HOURS];
};

static struct twin now, before;

static struct command terms_of(bool all)
{
    struct command cmd = world_product_terms("CT");
    struct command_product_create *p = &cmd.product_create;
    p->contract_unit = UNIT_hour;
    p->contract_size = 10 * E6;
    p->settlement = SETTLEMENT_physical;
    p->calendar.cascades = 1u << PERIOD_year | 1u << PERIOD_quarter | 1u << PERIOD_month;
    if (all) p->calendar.cascades |= 1u << PERIOD_week;
    return cmd;
}

/* What every account holds in every hour of the year, from the positions alone. */
static void twin_read(const struct world *w, uint32_t first, struct twin *t)
{
    int64_t from = calendar_day(FIRST_DAY_YEAR, 1, 1) * 24;
    memset(t, 0, sizeof *t);
    for (uint32_t e = 1; e <= w->c->s->exposures; e++) {
        const struct exposure *x = &w->c->exposures[e];
        if (x->account < first || x->account >= first + ACCOUNTS || x->position == 0) continue;
        const struct event_instrument *i = &w->c->instruments[x->instrument].terms;
        for (int64_t h = i->start.v / NS_PER_HOUR; h < i->end.v / NS_PER_HOUR; h++) {
            bool peak = calendar_hour_is_peak(h, 14, 2);
            if (h < from || h >= from + HOURS) continue;
            if (i->block != BLOCK_base && peak != (i->block == BLOCK_peak)) continue;
            t->lots[x->account - first][h - from] += x->position;
        }
    }
}

/* Cash and what is not settled yet, of each account, in 10^-6 USD x 10^6. */
static int128_t worth(const struct world *w, uint32_t account)
{
    int128_t sum = (int128_t)ledger_cash(w->c, account) * E6;
    for (uint32_t e = w->c->accounts[account].exposures; e != NIL;
         e = w->c->exposures[e].next) {
        const struct exposure *x = &w->c->exposures[e];
        const struct instrument *i = &w->c->instruments[x->instrument];
        if (price_is_none(i->settlement)) continue;
        sum += ((int128_t)x->position * i->settlement.v - x->cost) * i->terms.contract_size;
    }
    return sum;
}

static const char *const periods[] = {"2028", "2028Q1", "2028Q3", "2028M02", "2028M07", "2028M12",
                                      "2028W09", "2028W30", "2028D0229"};
static const char *const blocks[] = {"", "-PK", "-OP"};

/* All contracts at one flat price: then no cascade changes what anybody is worth. */
static void settle_all(struct world *w, int64_t price)
{
    for (uint32_t i = 1; i <= w->c->s->instruments; i++) {
        if (w->c->instruments[i].terms.expired != EXPIRY_done)
            assert_int_equal(world_settle(w, i, price), REJECT_none);
    }
}

static void cascade_one(struct world *w, uint32_t first, uint32_t i)
{
    int128_t was[ACCOUNTS];
    uint32_t count = w->c->s->instruments;
    twin_read(w, first, &before);
    for (uint32_t a = 0; a < ACCOUNTS; a++) was[a] = worth(w, first + a);
    assert_int_equal(world_expire(w, i), REJECT_none);
    const struct event_cascade *e = world_event(w, EVENT_cascade);
    twin_read(w, first, &now);
    assert_memory_equal(&now, &before, sizeof now);
    for (uint32_t a = 0; a < ACCOUNTS; a++) assert_true(worth(w, first + a) == was[a]);
    assert_int_equal(w->c->instruments[i].terms.expired, EXPIRY_done);
    if (e == NULL) return; /* nobody held it */
    assert_int_equal(e->hours, w->c->instruments[i].terms.hours);
    assert_true(e->children >= 1 && e->listed == w->c->s->instruments - count);
}

static void hours_are_conserved(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.instruments = 1500;
    limits.exposures = 12000;
    limits.postings = 1024;
    struct random r = {7};
    for (uint32_t round = 0; round < 12; round++) {
        struct world w = world_open(&limits);
        struct command terms = terms_of(true);
        uint32_t product = world_product(&w, &terms), first = 0;
        w.check_every = 16;
        for (uint32_t a = 0; a < ACCOUNTS; a++) {
            char name[8] = {'a', (char)('0' + a)}, member[8] = {'m', (char)('0' + a)};
            uint32_t id = world_account(&w, name, member);
            if (a == 0) first = id;
            assert_int_equal(world_deposit(&w, id, INT64_C(1000000000) * E6), REJECT_none);
        }
        for (size_t p = 0; p < sizeof periods / sizeof periods[0]; p++) {
            char name[PERIOD_NAME_SIZE];
            size_t length = strlen(periods[p]);
            const char *block = blocks[random_below(&r, 3)];
            memcpy(name, periods[p], length);
            memcpy(name + length, block, strlen(block) + 1);
            (void)world_list(&w, product, name);
        }
        assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
        uint32_t listed = w.c->s->instruments;
        for (uint32_t k = 0; k < 60; k++) {
            uint32_t i = 1 + (uint32_t)random_below(&r, listed);
            uint32_t a = (uint32_t)random_below(&r, ACCOUNTS);
            uint32_t b = (a + 1 + (uint32_t)random_below(&r, ACCOUNTS - 1)) % ACCOUNTS;
            world_trade(&w, i, first + a, first + b, 1000 * (int64_t)(1 + random_below(&r, 4000)),
                        1 + (int64_t)random_below(&r, 9));
        }
        settle_all(&w, 2123457);
        for (uint32_t k = 0; k < 40; k++) {
            uint32_t i = 1 + (uint32_t)random_below(&r, w.c->s->instruments);
            if (!cascade_applies(w.c, i)) continue;
            if (w.c->instruments[i].terms.expired == EXPIRY_done) continue;
            cascade_one(&w, first, i);
        }
        core_check(w.c);
        world_close(&w);
    }
}

static void without_room_nothing_moves(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.instruments = 20; /* a month of days does not fit */
    struct world w = world_open(&limits);
    struct command terms = terms_of(false);
    uint32_t product = world_product(&w, &terms);
    uint32_t month = world_list(&w, product, "2028M07");
    uint32_t quarter = world_list(&w, product, "2028Q4");
    uint32_t a = world_account(&w, "a", "a"), b = world_account(&w, "b", "b");
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    world_trade(&w, month, a, b, 2000000, 3);
    world_trade(&w, quarter, a, b, 2000000, 3);
    assert_int_equal(world_settle(&w, month, 2000000), REJECT_none);
    assert_int_equal(world_settle(&w, quarter, 2000000), REJECT_none);
    assert_int_equal(world_expire(&w, month), REJECT_capacity_exhausted);
    assert_int_equal(world_exposure(&w, a, month)->position, 3);
    assert_int_equal(w.c->instruments[month].terms.expired, EXPIRY_none);
    assert_int_equal(w.c->s->instruments, 2);
    assert_int_equal(world_expire(&w, quarter), REJECT_none);
    assert_int_equal(world_exposure(&w, b, instrument_find(w.c, product, &(struct period){
        .kind = PERIOD_month, .first_hour = calendar_day(2028, 11, 1) * 24}))->position, -3);
    world_close(&w);
}

/* A quarter in its last days: its first month's own last trading day has passed. */
static void what_is_late_goes_on_at_once(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.instruments = 200;
    limits.exposures = 1000;
    struct world w = world_open(&limits);
    struct command terms = terms_of(false);
    terms.product_create.calendar.last[PERIOD_month] = (struct last_trading){
        .rule = LAST_TRADING_business_days, .days = 8, .second = 52200};
    uint32_t product = world_product(&w, &terms);
    uint32_t quarter = world_list(&w, product, "2027Q2");
    uint32_t a = world_account(&w, "a", "a"), b = world_account(&w, "b", "b");
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    world_trade(&w, quarter, a, b, 2000000, 3);
    assert_int_equal(world_settle(&w, quarter, 2000000), REJECT_none);
    w.ts = TS(calendar_day(2027, 3, 30) * NS_PER_DAY);
    assert_int_equal(world_expire(&w, quarter), REJECT_none);
    struct period april = {.kind = PERIOD_month, .first_hour = calendar_day(2027, 4, 1) * 24};
    uint32_t month = instrument_find(w.c, product, &april);
    assert_int_equal(w.c->instruments[month].terms.expired, EXPIRY_waits);
    assert_int_equal(world_order(&w, a, month, SIDE_buy, 2000000, 1), REJECT_instrument_expired);
    assert_int_equal(core_due(w.c).v, w.ts.v);
    struct command tick = {0};
    assert_int_equal(world_step(&w, &tick, COMMAND_tick, 0), REJECT_none);
    assert_int_equal(w.c->instruments[month].terms.expired, EXPIRY_done);
    struct period day = {.kind = PERIOD_day, .first_hour = calendar_day(2027, 4, 30) * 24};
    assert_int_equal(world_exposure(&w, a, instrument_find(w.c, product, &day))->position, 3);
    april.first_hour = calendar_day(2027, 5, 1) * 24;
    april.kind = PERIOD_month;
    uint32_t may = instrument_find(w.c, product, &april);
    assert_int_equal(w.c->instruments[may].terms.expired, EXPIRY_none);
    assert_true(cascade_came_from(w.c, may, quarter) && !cascade_came_from(w.c, may, month));
    world_close(&w);
}

static void last_trading_days(void **state)
{
    (void)state;
    struct period p;
    struct last_trading eight = {.rule = LAST_TRADING_business_days, .days = 8, .second = 52200};
    assert_true(calendar_period_read("2027M03", &p)); /* begins on a Monday */
    assert_int_equal(calendar_last_trading(&eight, &p),
                     calendar_day(2027, 2, 17) * NS_PER_DAY + 52200 * NS_PER_SECOND);
    struct last_trading six = {.rule = LAST_TRADING_days, .days = 6, .second = 43200};
    assert_true(calendar_period_read("2027D0301-PK", &p));
    assert_int_equal(calendar_last_trading(&six, &p),
                     calendar_day(2027, 2, 23) * NS_PER_DAY + 43200 * NS_PER_SECOND);
    struct last_trading last = {.rule = LAST_TRADING_last_business, .second = 52200};
    assert_true(calendar_period_read("2027M01", &p)); /* ends on a Sunday */
    assert_int_equal(calendar_last_trading(&last, &p),
                     calendar_day(2027, 1, 29) * NS_PER_DAY + 52200 * NS_PER_SECOND);
    assert_int_equal(calendar_last_trading(&(struct last_trading){0}, &p),
                     p.end_hour * NS_PER_HOUR);
}

/* Every name that is read is written the same, and its parts cover it, each hour once. */
static void names_and_parts(void **state)
{
    (void)state;
    const char *const names[] = {"2027", "2028", "2027Q1", "2027Q4-PK", "2027M02", "2028M02-OP",
                                 "2026W53", "2027W01", "2027W52-PK", "2027D1231", "2027D0101H00",
                                 "2027D0315H23-OP"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct period p, parts[CALENDAR_PARTS_MAX];
        char name[PERIOD_NAME_SIZE];
        assert_true(calendar_period_read(names[i], &p));
        calendar_period_name(&p, name);
        assert_string_equal(name, names[i]);
        uint32_t count = calendar_parts(&p, parts);
        int64_t hour = p.first_hour;
        for (uint32_t k = 0; k < count; k++) {
            struct period again;
            assert_int_equal(parts[k].first_hour, hour);
            hour = parts[k].end_hour;
            calendar_period_name(&parts[k], name);
            assert_true(calendar_period_read(name, &again));
            assert_memory_equal(&again, &parts[k], sizeof again);
        }
        assert_true(count == 0 || hour == p.end_hour);
        assert_int_equal(count == 0, p.kind == PERIOD_day || p.kind == PERIOD_hour);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_parts),        cmocka_unit_test(last_trading_days),
        cmocka_unit_test(hours_are_conserved),    cmocka_unit_test(without_room_nothing_moves),
        cmocka_unit_test(what_is_late_goes_on_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
