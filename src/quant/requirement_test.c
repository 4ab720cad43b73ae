/* requirement_test.c: margin of made portfolios: its properties, and a slow twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/units.h"
#include "quant/fund.h"
#include "quant/shortfall.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS = 420, INSTRUMENTS = 6, POSITIONS_MAX = 12, ROUNDS = 400 };

static struct history history;
static struct parameters parameters;
static struct stress_set stress;
static struct risk risk;
static struct requirement_work work;

static const char parameter_text[] =
    "scope,name,value,source\n*,confidence,0.99,t\n*,lambda,0.97,t\n*,horizon,2,t\n"
    "*,window,300,t\n*,window_min,250,t\n*,burn_in,60,t\n*,long_run_days,2500,t\n"
    "*,long_run_floor,0.5,t\n*,stress_weight,0.25,t\n*,stress_scenarios_min,3,t\n"
    "*,offset_max,0.8,t\n*,participation,0.15,t\n*,stale_days,5,t\n*,gap_days,10,t\n"
    "*,contract_size,100,t\n*,volatility_min,0.005,t\n*,price_scale_min,1,t\n"
    "*,half_spread,0.01,t\n*,adv,1000,t\n*,floor_share,0.15,t\n*,floor_ct,0.01,t\n"
    "*,ct_per_lot,10,t\n*,short_option,5,t\n*,delivery,0,t\n*,tenor_months,3,t\n"
    "D,delivery,7,t\n*,factor,f,t\n";
static const char stress_text[] =
    "scenario,kind,from,to,factor,tenor_min,tenor_max,move,unit,source\n"
    "a,hypothetical,,,f,,,-0.3,relative,t\nb,hypothetical,,,f,,,0.4,relative,t\n"
    "c,hypothetical,,,*,,,4,sigma,t\n";

/* Six series that move together in part; the last is near zero and crosses it. */
static int make_history(void)
{
    static char text[DAYS * INSTRUMENTS * 40];
    struct random r = {42};
    double price[INSTRUMENTS] = {50, 40, 30, 100, 20, 1};
    size_t used = (size_t)snprintf(text, sizeof text, "date,series,price\n");
    for (int d = 0; d < DAYS; d++) {
        double common = (double)random_below(&r, 2001) / 1000 - 1;
        for (int i = 0; i < INSTRUMENTS; i++) {
            char date[QUANT_DATE_SIZE];
            double own = (double)random_below(&r, 2001) / 1000 - 1;
            double move = 0.02 * (0.6 * common + 0.8 * own);
            if (i < INSTRUMENTS - 1) price[i] *= 1 + move;
            else price[i] = 2 * sin(d / 40.0) + 20 * move;
            used += (size_t)snprintf(text + used, sizeof text - used, "%s,%c,%.5f\n",
                                     quant_date(date, 19000 + d), 'A' + i, price[i]);
        }
    }
    struct quant_error error = {0};
    const struct history_source source = {.file = "h", .text = text, .length = used,
                                          .options = ""};
    history_open(&history);
    return history_read(&history, &source, &error);
}

static int open_all(void **state)
{
    (void)state;
    struct quant_error error = {0};
    static const char names[INSTRUMENTS][QUANT_NAME_SIZE] = {"A", "B", "C", "D", "E", "F"};
    int status = make_history();
    status |= parameters_read(&parameters, "p", parameter_text, strlen(parameter_text), &error);
    status |= stress_read(&stress, "s", stress_text, strlen(stress_text), &error);
    status |= risk_open(&risk, &parameters, &history, &stress, names, INSTRUMENTS, &error);
    status |= status != 0 || risk_at(&risk, risk.days - 1, RISK_now, &error);
    status |= status != 0 || requirement_work_open(&work, &risk, &error);
    if (error.text[0] != 0) print_message("%s\n", error.text);
    return status;
}

static int close_all(void **state)
{
    (void)state;
    requirement_work_close(&work);
    risk_close(&risk);
    history_close(&history);
    return 0;
}

static uint32_t draw(struct random *r, struct position *p, bool options)
{
    uint32_t count = 1 + (uint32_t)random_below(r, INSTRUMENTS), first = 0;
    for (uint32_t k = 0; k < count; k++) {
        first += (uint32_t)random_below(r, 2);
        if (first >= INSTRUMENTS) return k;
        p[k] = (struct position){.instrument = first++,
                                 .lots = 1 + (int64_t)random_below(r, 900)};
        if (random_below(r, 2) == 0) p[k].lots = -p[k].lots;
        if (options && random_below(r, 3) == 0) {
            p[k].kind = random_below(r, 2) == 0 ? POSITION_call : POSITION_put;
            p[k].strike = 20 + (double)random_below(r, 60);
            p[k].volatility = 0.4;
            p[k].days = (int32_t)random_below(r, 200);
        }
    }
    return count;
}

static struct requirement of(const struct position *p, uint32_t count, int64_t credit)
{
    struct requirement q;
    struct quant_error error = {0};
    assert_int_equal(requirement_compute(&risk, p, count, credit, &work, &q, &error), 0);
    return q;
}

static void never_negative_and_the_sum_of_its_parts(void **state)
{
    (void)state;
    struct random r = {1};
    struct position p[POSITIONS_MAX];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t count = draw(&r, p, true);
        int64_t credit = random_below(&r, 2) == 0 ? 0 : (int64_t)random_below(&r, 1000000000000);
        struct requirement q = of(p, count, credit);
        const int64_t parts[] = {q.filtered.value, q.stressed.value, q.long_run.value, q.core,
                                 q.liquidity, q.concentration, q.delivery, q.floor_notional,
                                 q.floor_volume, q.short_option, q.credit, q.total};
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) assert_true(parts[k] >= 0);
        int64_t sum = q.core + q.liquidity + q.concentration + q.delivery;
        int64_t before = int64_max(int64_max(sum, q.floor_notional),
                                   int64_max(q.floor_volume, q.short_option));
        assert_int_equal(q.total, int64_max(0, before - credit));
        assert_true(q.core >= q.long_run.value && q.core >= q.blended);
    }
}

static void offsets_are_capped(void **state)
{
    (void)state;
    struct random r = {2};
    struct position p[POSITIONS_MAX];
    int granted = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t count = draw(&r, p, true);
        struct requirement q = of(p, count, 0);
        const struct measure *m[] = {&q.filtered, &q.stressed, &q.long_run};
        for (int k = 0; k < 3; k++) {
            assert_true(m[k]->value >= m[k]->joint || m[k]->joint > m[k]->alone);
            assert_true((int128_t)m[k]->value * 5 >= m[k]->alone); /* at most 80 % saved */
            granted += m[k]->value < m[k]->alone;
        }
    }
    assert_true(granted > ROUNDS); /* there were offsets to cap */
    /* what offsets wholly: a long and a short of one instrument, as two positions */
    const struct position pair[] = {{.instrument = 0, .lots = 10}, {.instrument = 0, .lots = -10}};
    struct requirement q = of(pair, 2, 0);
    assert_int_equal(q.filtered.joint, 0);
    assert_true(llabs(q.filtered.value * 5 - q.filtered.alone) <= 10);
}

/* Margin of futures is homogeneous below concentration, and never falls with size. */
static void grows_with_size(void **state)
{
    (void)state;
    struct random r = {3};
    struct position p[POSITIONS_MAX];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t count = draw(&r, p, false), times = 2 + (uint32_t)random_below(&r, 5);
        struct requirement one = of(p, count, 0);
        for (uint32_t k = 0; k < count; k++) p[k].lots *= times;
        struct requirement many = of(p, count, 0);
        assert_true(llabs(many.core - one.core * times) <= 3 * (int64_t)times);
        assert_true(many.concentration >= one.concentration * times - (int64_t)times);
        assert_true(many.total >= one.total * times - 5 * (int64_t)times);
        for (uint32_t k = 0; k < count; k++) p[k].lots = -p[k].lots;
        struct requirement turned = of(p, count, 0); /* mirrored moves: both sides alike */
        assert_int_equal(turned.filtered.value, many.filtered.value);
    }
}

/* More of a position, where nothing else stands against it, never needs less. */
static void monotone_in_added_risk(void **state)
{
    (void)state;
    struct random r = {4};
    for (int i = 0; i < ROUNDS; i++) {
        struct position p = {.instrument = (uint32_t)random_below(&r, INSTRUMENTS),
                             .lots = 1 + (int64_t)random_below(&r, 3000)};
        if (random_below(&r, 2) == 0) p.lots = -p.lots;
        struct requirement before = of(&p, 1, 0);
        p.lots += p.lots < 0 ? -1 - (int64_t)random_below(&r, 50)
                             : 1 + (int64_t)random_below(&r, 50);
        struct requirement after = of(&p, 1, 0);
        assert_true(after.total > before.total);
        assert_true(after.core > before.core && after.concentration >= before.concentration);
    }
}

static void order_does_not_matter(void **state)
{
    (void)state;
    struct random r = {5};
    struct position p[POSITIONS_MAX];
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t count = draw(&r, p, true);
        struct requirement a = of(p, count, 0);
        for (uint32_t k = count; k > 1; k--) {
            uint32_t other = (uint32_t)random_below(&r, k);
            struct position t = p[k - 1];
            p[k - 1] = p[other];
            p[other] = t;
        }
        struct requirement b = of(p, count, 0); /* sums of doubles differ in their last digits */
        assert_true(llabs(a.total - b.total) <= 2);
    }
}

/* The filtered ES of one future, worked out without the machinery. */
static void a_slow_twin_agrees(void **state)
{
    (void)state;
    const struct position p = {.instrument = 0, .lots = 7};
    const struct series *s = &history.series[0];
    double daily[DAYS], sigma[DAYS + 1], loss[2 * DAYS], seed = 0;
    for (uint32_t d = 0; d < s->days; d++)
        daily[d] = d == 0 ? NAN : series_price(s, d) / series_price(s, d - 1) - 1;
    for (uint32_t d = 1; d <= 60; d++) seed += daily[d] * daily[d] / 60;
    ewma_sigma(daily, s->days, 0.97, seed, sigma);
    double all = 0;
    for (uint32_t d = 1; d < s->days; d++) all += daily[d] * daily[d];
    double least = fmax(0.005, 0.5 * sqrt(all / (s->days - 1)));
    uint32_t n = 0;
    for (uint32_t d = s->days - 1; d >= 62 && n < 300; d--) {
        double move = series_price(s, d) / series_price(s, d - 2) - 1;
        double z = move / fmax(sigma[d - 1], least);
        double change = z * fmax(sigma[s->days], least) * series_price(s, s->days - 1);
        loss[n++] = fabs(change) * 700; /* a move and its mirror: one of them loses */
    }
    assert_int_equal(n, 300);
    double sum = 0;
    for (int k = 0; k < 6; k++) { /* ceil(0.01 x 600) */
        uint32_t most = 0;
        for (uint32_t i = 1; i < n; i++) most = loss[i] > loss[most] ? i : most;
        sum += loss[most] / 6;
        loss[most] = 0;
    }
    assert_true(llabs(of(&p, 1, 0).filtered.value - (int64_t)ceil(sum * 1e6)) <= 1);
}

static void parts_by_hand(void **state)
{
    (void)state;
    const struct position p[] = {{.instrument = 3, .lots = -600}};
    struct requirement q = of(p, 1, 0);
    assert_int_equal(q.liquidity, 600 * 100 * 10000);   /* 600 x 100 x 0.01 USD */
    assert_int_equal(q.delivery, INT64_C(600) * 7 * 1000000);
    assert_int_equal(q.floor_volume, 600 * 10 * 10000); /* 600 x 10 CT x 0.01 USD */
    double price = risk.instruments[3].price, days = 600 / (0.15 * 1000);
    int64_t notional;
    assert_int_equal(quant_micro_ceil(600 * 100 * price * 0.15, &notional), 0);
    assert_true(llabs(q.floor_notional - notional) <= 1);
    double more = (double)q.filtered.alone * (sqrt(days / 2) - 1);
    assert_true(fabs((double)q.concentration - more) < 4);
    const struct position option[] = {{.instrument = 0, .lots = -3, .kind = POSITION_put,
                                       .strike = 0.01, .volatility = 0.1, .days = 1}};
    q = of(option, 1, 0); /* worthless, and still 5 USD a lot */
    assert_int_equal(q.short_option, 15 * 1000000);
    /* Black 1976 at the money: forward x (2 N(sigma sqrt(t) / 2) - 1) */
    const struct position money = {.kind = POSITION_call, .strike = 100, .volatility = 0.2,
                                   .days = 365};
    assert_true(fabs(position_value(&money, 100) - 100 * (erf(0.1 / sqrt(2.0)))) < 1e-9);
    assert_true(position_value(&money, -37.63) == 0);
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    struct requirement q;
    struct quant_error error = {0};
    const struct position p = {.instrument = 3, .lots = PORTFOLIO_LOTS_MAX};
    assert_int_equal(requirement_compute(&risk, &p, 1, 0, &work, &q, &error), -1);
    assert_non_null(strstr(error.text, "beyond what the ledger can hold"));
}

/* Cover 2 from shortfalls that are worked out by hand. */
static void the_fund_covers_two_members_in_one_scenario(void **state)
{
    (void)state;
    static struct fund fund;
    struct quant_error error = {0};
    const struct position held[] = {{.instrument = 0, .lots = 10}, {.instrument = 0, .lots = -30},
                                    {.instrument = 1, .lots = 20}, {.instrument = 1, .lots = -5},
                                    {.instrument = 0, .lots = 1}};
    const struct fund_account accounts[] = {{.member = 0, .first = 0, .count = 1},
                                            {.member = 1, .first = 1, .count = 1, .margin = 7},
                                            {.member = 2, .first = 2, .count = 1},
                                            {.member = 0, .first = 3, .count = 1},
                                            {.member = 3, .first = 4, .count = 1,
                                             .margin = INT64_MAX}};
    int64_t worst[4], best_cover = 0;
    assert_int_equal(fund_cover(&risk, held, accounts, 5, 4, 2, &fund, worst, &error), 0);
    assert_int_equal(fund.count, 3);
    for (uint32_t s = 0; s < 3; s++) {
        int64_t member[4] = {0};
        for (int a = 0; a < 5; a++) {
            double loss = requirement_stress_loss(&risk, &held[accounts[a].first], 1, s);
            int64_t micro = (int64_t)ceil(loss * 1e6);
            if (micro > accounts[a].margin)
                member[accounts[a].member] += micro - accounts[a].margin;
        }
        int64_t top = 0, second = 0;
        for (int m = 0; m < 4; m++) {
            assert_true(member[m] <= worst[m]);
            if (member[m] > top) second = top, top = member[m];
            else if (member[m] > second) second = member[m];
        }
        assert_int_equal(fund.scenarios[s].cover, top + second);
        best_cover = int64_max(best_cover, top + second);
    }
    assert_int_equal(fund.worst.cover, best_cover);
    assert_int_equal(worst[3], 0); /* its margin covers everything */
    assert_true(fund.worst.count == 2 && fund.worst.shortfalls[0] >= fund.worst.shortfalls[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_negative_and_the_sum_of_its_parts),
        cmocka_unit_test(offsets_are_capped),
        cmocka_unit_test(grows_with_size),
        cmocka_unit_test(monotone_in_added_risk),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(a_slow_twin_agrees),
        cmocka_unit_test(parts_by_hand),
        cmocka_unit_test(the_fund_covers_two_members_in_one_scenario),
        cmocka_unit_test(what_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
