/* settlement_test.c: settlement prices over random days against a naive twin, and again from the
 * published records alone (CLEAR-03); variation from them sums to zero (CLEAR-04).
 *
 * The twin knows twelve months and their spreads, and goes over all of them for every price.
 */
#include "core/world_test.h"

#include "base/random.h"
#include "core/calendar.h"
#include "core/settlement.h"

enum { MONTHS = 12, WHOLES = 5, SPREADS = 18, ACCOUNTS = 4, TICK = 250, DAYS = 400 };

struct market {
    struct world w;
    struct random r;
    uint32_t month[MONTHS];
    uint32_t whole[WHOLES];    /* four quarters, the year */
    uint32_t spread[SPREADS];
    int near[SPREADS], far[SPREADS]; /* months of its legs */
    uint32_t account[ACCOUNTS];

    /* The twin's. */
    int128_t value[MONTHS + SPREADS]; /* of the window, months then spreads */
    int64_t lots[MONTHS + SPREADS];
    int64_t price[MONTHS];
    int64_t before[MONTHS];    /* INT64_MIN: none */
    int64_t last[MONTHS];      /* of the day; INT64_MIN: none */
    bool set[MONTHS];
    bool whole_traded;
};

static struct market market_open(uint64_t seed)
{
    struct core_limits l = core_limits_small();
    l.instruments = 64;
    l.exposures = 1024;
    l.settlements = 256;
    l.spreads_per_leg = 16;
    struct market m = {.w = world_open(&l), .r = {seed}};
    m.w.check_every = 97;
    m.w.ts = TS(calendar_day(2025, 11, 1) * NS_PER_DAY); /* long before any of it ends */
    struct command terms = world_product_terms("ZZ");
    terms.product_create.tick = PRICE(TICK);
    uint32_t product = world_product(&m.w, &terms);
    char name[PERIOD_NAME_SIZE] = "2027M00";
    for (int i = 0; i < MONTHS; i++) {
        name[5] = (char)('0' + (i + 1) / 10);
        name[6] = (char)('0' + (i + 1) % 10);
        m.month[i] = world_list(&m.w, product, name);
    }
    const char *const wholes[WHOLES] = {"2027Q1", "2027Q2", "2027Q3", "2027Q4", "2027"};
    for (int i = 0; i < WHOLES; i++) m.whole[i] = world_list(&m.w, product, wholes[i]);
    for (int i = 0; i < SPREADS; i++) { /* neighbours, then any */
        m.near[i] = i < MONTHS - 1 ? i : (int)random_below(&m.r, MONTHS - 4);
        m.far[i] = i < MONTHS - 1 ? i + 1 : m.near[i] + 2 + (i - MONTHS + 1) % 2;
        if (world_try_spread(&m.w, m.month[m.near[i]], m.month[m.far[i]]) != REJECT_none) i--;
        else m.spread[i] = m.w.c->s->instruments;
    }
    const char *const names[ACCOUNTS] = {"a", "b", "c", "d"};
    for (int i = 0; i < ACCOUNTS; i++) m.account[i] = world_account(&m.w, names[i], "m");
    assert_int_equal(world_state(&m.w, product, STATE_open), REJECT_none);
    for (int i = 0; i < MONTHS; i++) m.before[i] = INT64_MIN;
    return m;
}

/* ---- a day's trades ---- */

static int64_t trade_any(struct market *m, uint32_t instrument, int64_t middle, int64_t *lots)
{
    uint32_t buyer = (uint32_t)random_below(&m->r, ACCOUNTS), seller = (buyer + 1) % ACCOUNTS;
    int64_t price = (middle + (int64_t)random_below(&m->r, 41) - 20) * TICK;
    *lots = 1 + (int64_t)random_below(&m->r, 9);
    world_trade(&m->w, instrument, m->account[buyer], m->account[seller], price, *lots);
    return price;
}

static void day_trade(struct market *m)
{
    int64_t day = m->w.ts.v / NS_PER_DAY + 1, lots;
    memset(m->value, 0, sizeof m->value);
    memset(m->lots, 0, sizeof m->lots);
    m->whole_traded = false;
    for (int i = 0; i < MONTHS; i++) m->last[i] = INT64_MIN;
    m->w.ts = TS(day * NS_PER_DAY + 9 * NS_PER_HOUR);
    for (int i = 0; i < MONTHS; i++) { /* before the window */
        if (random_below(&m->r, 6) == 0) m->last[i] = trade_any(m, m->month[i], 400, &lots);
    }
    m->w.ts = TS(day * NS_PER_DAY + 14 * NS_PER_HOUR + 28 * 60 * NS_PER_SECOND);
    for (int n = (int)random_below(&m->r, 16); n > 0; n--) {
        int at = (int)random_below(&m->r, MONTHS + SPREADS);
        bool month = at < MONTHS;
        int64_t price = trade_any(m, month ? m->month[at] : m->spread[at - MONTHS],
                                  month ? 400 : 0, &lots);
        m->value[at] += (int128_t)price * lots;
        m->lots[at] += lots;
        if (month) m->last[at] = price;
        m->w.ts.v += 3 * NS_PER_SECOND;
    }
    if (random_below(&m->r, 4) == 0) {
        (void)trade_any(m, m->whole[random_below(&m->r, WHOLES)], 420, &lots);
        m->whole_traded = true;
    }
    m->w.ts = TS(day * NS_PER_DAY + 14 * NS_PER_HOUR + 30 * 60 * NS_PER_SECOND);
}

/* ---- the twin ---- */

static int64_t naive_round(int128_t n, int128_t d, int64_t before)
{
    int64_t best = 0;
    int128_t low = int128_div_floor(n, d * TICK);
    for (int k = 0; k < 2; k++) { /* the nearer of two ticks, by trying both */
        int64_t tick = (int64_t)(low + k) * TICK;
        int128_t off = tick * d - n, off_best = best * d - n;
        if (off < 0) off = -off;
        if (off_best < 0) off_best = -off_best;
        bool nearer = k == 0 || off < off_best;
        if (k == 1 && off == off_best) {
            int128_t a = (int128_t)before - best, b = (int128_t)before - tick;
            if (a < 0) a = -a;
            if (b < 0) b = -b;
            nearer = before == INT64_MIN || a == b ? (tick / TICK) % 2 == 0 : b < a;
        }
        if (nearer) best = tick;
    }
    return best;
}

static bool naive_spread(struct market *m, int month)
{
    int128_t sum = 0, weights = 0;
    for (int s = 0; s < SPREADS; s++) {
        if (m->lots[MONTHS + s] == 0 || (m->near[s] != month && m->far[s] != month)) continue;
        int other = m->near[s] == month ? m->far[s] : m->near[s];
        if (!m->set[other]) continue;
        int64_t mean = (int64_t)int128_div_half_even(m->value[MONTHS + s], m->lots[MONTHS + s]);
        int64_t implied = m->price[other] + (m->near[s] == month ? mean : -mean);
        int128_t weight = int128_div_half_even((int128_t)m->lots[MONTHS + s] * E6,
                                               m->far[s] - m->near[s]);
        sum += weight * implied;
        weights += weight;
    }
    if (weights == 0) return false;
    m->price[month] = naive_round(sum, weights, m->before[month]);
    m->set[month] = true;
    return true;
}

/* The nearest month that spreads can price, again and again. */
static void naive_chain(struct market *m)
{
    for (int i = 0; i < MONTHS; i++) {
        if (!m->set[i] && naive_spread(m, i)) i = -1;
    }
}

static void naive_take(struct market *m, int month, int64_t price)
{
    if (m->set[month] || price == INT64_MIN) return;
    m->price[month] = price;
    m->set[month] = true;
    naive_chain(m);
}

static void naive_settle(struct market *m)
{
    memset(m->set, 0, sizeof m->set);
    for (int i = 0; i < MONTHS; i++) {
        if (m->lots[i] == 0) continue;
        m->price[i] = naive_round(m->value[i], m->lots[i], m->before[i]);
        m->set[i] = true;
    }
    if (!m->set[0] && m->last[0] != INT64_MIN) {
        m->price[0] = m->last[0];
        m->set[0] = true;
    }
    naive_chain(m);
    for (int i = 0; i < MONTHS; i++) naive_take(m, i, m->last[i]);
    for (int i = 0; i < MONTHS; i++) naive_take(m, i, m->before[i]);
}

/* ---- again from the record alone ---- */

static int64_t held(int64_t price, price_t bid, price_t ask)
{
    if (!price_is_none(bid) && price < bid.v) return bid.v;
    return !price_is_none(ask) && price > ask.v ? ask.v : price;
}

static int64_t from_record(const struct outbox *out, const struct event_settlement *s)
{
    int128_t n = 0, d = 0, legs = 0;
    const struct event_header *h = &s->header;
    for (uint32_t i = 0; i < s->sources; i++) {
        h = outbox_next(out, h);
        const struct event_settlement_source *source = (const void *)h;
        assert_int_equal(h->kind, EVENT_settlement_source);
        assert_int_equal(source->settlement_id, s->id);
        n += (int128_t)source->weight * source->implied.v;
        d += source->weight;
        legs += (int128_t)source->weight * source->price.v;
    }
    int128_t numerator = int128_join(s->numerator_high, s->numerator_low);
    int128_t denominator = int128_join(s->denominator_high, s->denominator_low);
    switch ((enum settlement_tier)s->tier) {
    case SETTLEMENT_TIER_vwap:
        return naive_round(numerator, denominator, s->previous.v);
    case SETTLEMENT_TIER_spread: return naive_round(n, d, s->previous.v);
    case SETTLEMENT_TIER_last: return held(s->last.v, s->bid, s->ask);
    case SETTLEMENT_TIER_previous: return held(s->previous.v, s->bid, s->ask);
    case SETTLEMENT_TIER_parent:
        return (s->based != 0 ? s->previous.v : 0) +
               (int64_t)int128_div_half_even(numerator, denominator);
    case SETTLEMENT_TIER_parts: return (int64_t)int128_div_half_even(n, d);
    case SETTLEMENT_TIER_legs: return (int64_t)legs;
    default: return s->price.v;
    }
}

static void records_check(struct market *m)
{
    const struct event_header *h = NULL;
    while ((h = outbox_next(&m->w.out, h)) != NULL) {
        const struct event_settlement *s = (const void *)h;
        if (h->kind == EVENT_settlement) assert_int_equal(from_record(&m->w.out, s), s->price.v);
    }
}

/* ---- longer periods ---- */

static int128_t hours_of(int month) { return calendar_month_days(2027, month + 1) * 24; }

static void wholes_check(struct market *m)
{
    for (int i = 0; i < WHOLES; i++) {
        int first = i < 4 ? i * 3 : 0, end = i < 4 ? first + 3 : MONTHS;
        int128_t sum = 0, hours = 0;
        bool all = true;
        for (int k = first; k < end; k++) {
            price_t p = m->w.c->instruments[m->month[k]].settlement;
            all = all && !price_is_none(p);
            if (all) sum += hours_of(k) * p.v;
            hours += hours_of(k);
        }
        if (!all) continue;
        assert_int_equal(m->w.c->instruments[m->whole[i]].settlement.v,
                         (int64_t)int128_div_half_even(sum, hours));
    }
}

static void prices_compare(struct market *m)
{
    for (int i = 0; i < MONTHS; i++) {
        price_t got = m->w.c->instruments[m->month[i]].settlement;
        assert_int_equal(price_is_none(got), !m->set[i]);
        if (m->set[i]) assert_int_equal(got.v, m->price[i]);
    }
}

static void variation_check(struct market *m)
{
    int128_t sum = 0;
    const struct event_header *h = NULL;
    assert_int_equal(world_mark(&m->w), REJECT_none);
    while ((h = outbox_next(&m->w.out, h)) != NULL) {
        const struct event_posting *p = (const void *)h;
        if (h->kind == EVENT_posting) sum += p->amount;
    }
    assert_true(sum == 0);
    assert_int_equal(ledger_cash(m->w.c, m->w.c->s->account_ccp), 0);
}

static void days_against_the_twin(void **state)
{
    (void)state;
    uint32_t tiers[SETTLEMENT_TIER_count] = {0};
    struct market m = market_open(7);
    for (int d = 0; d < DAYS; d++) {
        struct command settle = {.settle_day = {.product = 1}};
        day_trade(&m);
        assert_int_equal(world_step(&m.w, &settle, COMMAND_settle_day, 0), REJECT_none);
        const struct event_header *h = NULL;
        while ((h = outbox_next(&m.w.out, h)) != NULL) {
            if (h->kind == EVENT_settlement)
                tiers[((const struct event_settlement *)(const void *)h)->tier] += 1;
        }
        records_check(&m);
        naive_settle(&m);
        if (!m.whole_traded) prices_compare(&m); /* the twin knows no longer periods */
        wholes_check(&m);
        variation_check(&m);
        for (int i = 0; i < MONTHS; i++) {
            price_t p = m.w.c->instruments[m.month[i]].settlement;
            m.before[i] = price_is_none(p) ? INT64_MIN : p.v;
        }
        if (m.w.c->instruments[m.month[0]].terms.expired != 0) break;
    }
    for (int t = SETTLEMENT_TIER_vwap; t <= SETTLEMENT_TIER_legs; t++) {
        assert_true(tiers[t] > 5); /* every way is really taken */
    }
    world_close(&m.w);
}

/* The same window again gives the same prices: nothing is made from what was made. */
static void settling_twice_changes_nothing(void **state)
{
    (void)state;
    struct market m = market_open(11);
    struct command settle = {.settle_day = {.product = 1}};
    for (int d = 0; d < 20; d++) {
        int64_t once[64];
        day_trade(&m);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(world_step(&m.w, &settle, COMMAND_settle_day, 0), REJECT_none);
            for (uint32_t i = 1; i <= m.w.c->s->instruments; i++) {
                int64_t price = m.w.c->instruments[i].settlement.v;
                if (k == 0) once[i] = price;
                else assert_int_equal(price, once[i]);
            }
        }
    }
    world_close(&m.w);
}

static void rounding_to_the_unit(void **state)
{
    (void)state;
    const price_t none = PRICE_NONE;
    assert_int_equal(settlement_round(25, 2, 5, none), 10);   /* 12.5: to even, 10 = 2 x 5 */
    assert_int_equal(settlement_round(35, 2, 5, none), 20);   /* 17.5: to even */
    assert_int_equal(settlement_round(25, 2, 5, PRICE(100)), 15);
    assert_int_equal(settlement_round(25, 2, 5, PRICE(-100)), 10);
    assert_int_equal(settlement_round(-25, 2, 5, PRICE(-100)), -15);
    assert_int_equal(settlement_round(-25, 2, 5, PRICE(0)), -10);
    assert_int_equal(settlement_round(26, 2, 5, PRICE(-100)), 15);
    assert_int_equal(settlement_round(24, 2, 5, PRICE(100)), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_to_the_unit),
        cmocka_unit_test(days_against_the_twin),
        cmocka_unit_test(settling_twice_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
