/* index_test.c: reference prices of random hours against a naive twin; what one source can and
 * cannot do (INDEX-02); the mean of a block's hours (INDEX-03); bad input, refused by name.
 */
#include "core/world_test.h"

#include "base/random.h"
#include "core/index.h"
#include "core/settlement.h"

enum { SOURCES = 9, HOURS = 4000 };

struct board {
    struct world w;
    uint32_t account[SOURCES];
    int64_t hour; /* the running one */
};

static struct command terms_of(const struct board *b, uint32_t sources, uint32_t minimum)
{
    struct command cmd = {0};
    struct command_index_create *t = &cmd.index_create;
    memcpy(t->name, "IX", 2);
    memcpy(t->sources, b->account, sources * sizeof t->sources[0]);
    t->source_count = sources;
    t->minimum = minimum;
    t->carries_max = 2;
    t->tiers[0] = INDEX_TIER_submissions;
    t->tiers[1] = INDEX_TIER_previous_hour;
    t->tiers[2] = INDEX_TIER_committee;
    t->staleness_ns = NS_PER_HOUR / 2;
    t->delay_ns = NS_PER_SECOND;
    t->deviation_e6 = 100000;
    t->deviation_min = PRICE(2);
    return cmd;
}

static struct board board_open(void)
{
    struct core_limits l = core_limits_small();
    l.accounts = 32;
    l.balances = 64;
    l.index_hours = 64;
    struct board b = {.w = world_open(&l)};
    char name[ACCOUNT_NAME_SIZE] = "s0";
    for (int i = 0; i < SOURCES; i++) {
        name[1] = (char)('0' + i);
        b.account[i] = world_account(&b.w, name, "m");
    }
    b.w.check_every = 31;
    b.hour = b.w.ts.v / NS_PER_HOUR;
    return b;
}

static enum reject submit(struct board *b, uint32_t source, int64_t hour, int64_t observed,
                          int64_t value)
{
    struct command cmd = {.index_submit = {.index = 1, .hour = TS(hour * NS_PER_HOUR),
                                           .observed = TS(observed), .value = PRICE(value)}};
    return world_step(&b->w, &cmd, COMMAND_index_submit, b->account[source]);
}

static void tick_until(struct board *b, int64_t to)
{
    while (core_due(b->w.c).v <= to) {
        struct command tick = {0};
        b->w.ts = TS(int64_max(core_due(b->w.c).v, b->w.ts.v));
        assert_int_equal(world_step(&b->w, &tick, COMMAND_tick, 0), REJECT_none);
    }
    b->w.ts = TS(to);
}

/* ---- the twin ---- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* INT64_MIN: fewer than `minimum` are left. */
static int64_t naive(int64_t *values, uint32_t n, uint32_t minimum)
{
    int64_t left[SOURCES];
    uint32_t count = 0;
    if (n == 0) return INT64_MIN;
    qsort(values, n, sizeof *values, compare);
    int64_t twice = values[(n - 1) / 2] + values[n / 2];
    for (uint32_t i = 0; i < n; i++) {
        int64_t off = 2 * values[i] - twice;
        if (off < 0) off = -off;
        if (off <= 4 || off * 10 <= twice) left[count++] = values[i];
    }
    uint32_t k = (count + 1) / 4;
    int128_t sum = 0;
    if (count < minimum) return INT64_MIN;
    for (uint32_t i = k; i < count - k; i++) sum += left[i];
    return (int64_t)int128_div_half_even(sum, count - 2 * k);
}

static void hours_against_the_twin(void **state)
{
    (void)state;
    struct board b = board_open();
    struct random r = {3};
    struct command create = terms_of(&b, SOURCES, 4);
    uint32_t tiers[INDEX_TIER_count] = {0}, carried = 0;
    int64_t before = INT64_MIN;
    assert_int_equal(world_step(&b.w, &create, COMMAND_index_create, 0), REJECT_none);
    for (int h = 0; h < HOURS; h++) {
        int64_t values[SOURCES], lows = INT64_MAX, highs = 0;
        uint32_t n = 0;
        b.w.ts = TS(b.hour * NS_PER_HOUR + NS_PER_HOUR / 2);
        bool silent = random_below(&r, 5) == 0;
        for (uint32_t s = 0; s < SOURCES; s++) {
            if (random_below(&r, silent ? 2 : 8) == 0 && (silent || s < 5)) continue;
            int64_t value = 1000000 + (int64_t)random_below(&r, 90000);
            if (s == 0) value = (int64_t)random_below(&r, 3) * 5000000; /* 0, or wild */
            assert_int_equal(submit(&b, s, b.hour, 0, value), REJECT_none);
            values[n++] = value;
            if (s > 0) lows = int64_min(lows, value);
            if (s > 0) highs = int64_max(highs, value);
        }
        tick_until(&b, (b.hour + 1) * NS_PER_HOUR + NS_PER_SECOND);
        const struct event_index_price *p = world_event(&b.w, EVENT_index_price);
        assert_non_null(p);
        int64_t price = naive(values, n, 4);
        if (price != INT64_MIN) {
            assert_true(price >= lows && price <= highs); /* the wild one moves nothing out */
            carried = 0;
        } else if (before != INT64_MIN && carried < 2) {
            price = before;
            carried += 1;
        } else {
            carried = 0;
        }
        assert_int_equal(p->price.v, price);
        tiers[p->tier] += 1;
        before = price;
        b.hour += 1;
    }
    assert_true(tiers[INDEX_TIER_none] > 0 && tiers[INDEX_TIER_submissions] > HOURS / 2 &&
                tiers[INDEX_TIER_previous_hour] > 5);
    world_close(&b.w);
}

static void bad_input_is_refused_by_name(void **state)
{
    (void)state;
    struct board b = board_open();
    struct command good = terms_of(&b, 4, 3), bad;
    const struct { uint32_t sources, minimum; } few[] = {{2, 2}, {3, 2}, {3, 4}, {0, 0}};
    for (size_t i = 0; i < sizeof few / sizeof few[0]; i++) {
        bad = terms_of(&b, few[i].sources, few[i].minimum);
        assert_int_equal(world_step(&b.w, &bad, COMMAND_index_create, 0),
                         REJECT_malformed_request);
    }
    bad = good;
    bad.index_create.sources[1] = bad.index_create.sources[0];
    assert_int_equal(world_step(&b.w, &bad, COMMAND_index_create, 0), REJECT_malformed_request);
    bad = good;
    bad.index_create.tiers[1] = INDEX_TIER_submissions;
    assert_int_equal(world_step(&b.w, &bad, COMMAND_index_create, 0), REJECT_malformed_request);
    bad = good;
    bad.index_create.sources[3] = 999;
    assert_int_equal(world_step(&b.w, &bad, COMMAND_index_create, 0), REJECT_unknown_account);
    assert_int_equal(submit(&b, 0, b.hour, 0, 1), REJECT_unknown_index);
    assert_int_equal(world_step(&b.w, &good, COMMAND_index_create, 0), REJECT_none);
    assert_int_equal(world_step(&b.w, &good, COMMAND_index_create, 0), REJECT_already_exists);
    b.w.ts = TS(b.hour * NS_PER_HOUR + NS_PER_HOUR / 2);
    assert_int_equal(submit(&b, 8, b.hour, 0, 1), REJECT_unauthorised);
    assert_int_equal(submit(&b, 0, b.hour, 0, -1), REJECT_invalid_price);
    assert_int_equal(submit(&b, 0, b.hour, 0, PRICE_MAX + 1), REJECT_invalid_price);
    assert_int_equal(submit(&b, 0, b.hour, 0, INT64_MIN), REJECT_invalid_price);
    assert_int_equal(submit(&b, 0, b.hour + 1, 0, 1), REJECT_invalid_hour);
    assert_int_equal(submit(&b, 0, b.hour - 1, 0, 1), REJECT_stale_price);
    assert_int_equal(submit(&b, 0, b.hour, b.w.ts.v + 1, 1), REJECT_invalid_hour);
    assert_int_equal(submit(&b, 0, b.hour, b.w.ts.v - 1, 1), REJECT_stale_price);
    assert_int_equal(submit(&b, 0, b.hour, 0, 1), REJECT_none);
    assert_int_equal(submit(&b, 0, b.hour, 0, 1), REJECT_duplicate_price);
    world_close(&b.w);
}

/* A peak day's hours are the session's only, and the mean is exact. */
static void mean_of_the_hours_of_a_block(void **state)
{
    (void)state;
    struct board b = board_open();
    struct command create = terms_of(&b, 3, 3), terms = world_product_terms("CTF");
    int64_t sum = 0;
    struct index_mean mean;
    assert_int_equal(world_step(&b.w, &create, COMMAND_index_create, 0), REJECT_none);
    terms.product_create.settlement_rules.index = 1;
    uint32_t product = world_product(&b.w, &terms);
    uint32_t peak = world_list(&b.w, product, "2027D0105-PK"); /* 0-2 and 14-24 of a Tuesday */
    uint32_t base = world_list(&b.w, product, "2027D0105");
    assert_int_equal(world_try_list(&b.w, product, "2027M01"), REJECT_capacity_exhausted);
    for (int h = 0; h < 48; h++) {
        b.w.ts = TS(b.hour * NS_PER_HOUR + NS_PER_HOUR / 2);
        for (uint32_t s = 0; s < 3; s++)
            assert_int_equal(submit(&b, s, b.hour, 0, 1000000 + h * 17), REJECT_none);
        if (h >= 24 && (h % 24 < 2 || h % 24 >= 14)) sum += 1000000 + h * 17;
        if (h == 47) {
            assert_false(index_mean(b.w.c, base, &mean)); /* its last hour is not fixed yet */
            assert_int_equal(mean.missing, 1);
            assert_int_equal(mean.first_missing, b.hour);
        }
        tick_until(&b, (b.hour + 1) * NS_PER_HOUR + NS_PER_SECOND);
        b.hour += 1;
    }
    assert_int_equal(b.w.c->instruments[peak].terms.expired, EXPIRY_done);
    assert_int_equal(b.w.c->instruments[base].terms.expired, EXPIRY_done);
    assert_true(index_mean(b.w.c, peak, &mean));
    assert_int_equal(mean.hours, 12);
    assert_true(mean.sum == sum);
    assert_int_equal(b.w.c->instruments[peak].settlement.v,
                     settlement_round(sum, 12, 100, PRICE_NONE));
    world_close(&b.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_against_the_twin),
        cmocka_unit_test(bad_input_is_refused_by_name),
        cmocka_unit_test(mean_of_the_hours_of_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
