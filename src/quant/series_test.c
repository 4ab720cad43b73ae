/* series_test.c: what moves an index of GPU hours and what does not (INDEX-04): offers that come
 * and go, wrong prices, one provider's all; step functions against a sum by the millisecond; bad
 * rows, refused by name; CCIR's method on hand-made days; the cap against trying every number.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "quant/ccir.h"
#include "quant/reference.h"
#include "quant/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DAY = 86400000, OFFERS = 60, DAYS = 80 };

static struct quant_error error;

static void quote(struct panel *p, int64_t ms, uint32_t offer, double price)
{
    char name[32], provider[32];
    (void)snprintf(name, sizeof name, "o%u", offer);
    (void)snprintf(provider, sizeof provider, "p%u", offer % 9);
    assert_int_equal(panel_add(p, "f", 1, ms, provider, name, price, &error), 0);
}

static struct index_series_made made_of(const struct panel *p, int64_t period)
{
    struct series_method m = series_method_default(p, period);
    struct index_series_made s;
    assert_int_equal(series_make(&s, p, &m, &error), 0);
    return s;
}

/* Prices from 0.1 to 10, none ever changes; half of the offers are missing each day. */
static void who_comes_and_goes_moves_nothing(void **state)
{
    (void)state;
    struct random r = {1};
    struct panel p;
    double volatility;
    uint32_t moves;
    assert_int_equal(panel_open(&p, false, true, false), 0);
    for (int64_t d = 0; d < DAYS; d++) {
        for (uint32_t i = 0; i < OFFERS; i++) {
            if (random_below(&r, 2) == 0) quote(&p, d * DAY, i, 0.1 * (1 + i * i / 36.0));
        }
    }
    struct index_series_made s = made_of(&p, DAY);
    assert_int_equal(s.count, DAYS);
    assert_true(series_volatility(&s, DAY, true, &volatility, &moves) && volatility > 3);
    assert_true(series_volatility(&s, DAY, false, &volatility, &moves) && volatility < 1e-9);
    assert_int_equal(moves, DAYS - 1);
    series_free(&s);
    panel_close(&p);
}

/* All prices rise by 1% a day, half of the offers are there: so does the index, but for prices
 * carried over a day, which are caught up. */
static void what_all_do_it_does(void **state)
{
    (void)state;
    struct panel p;
    assert_int_equal(panel_open(&p, false, true, false), 0);
    for (int64_t d = 0; d < DAYS; d++) {
        for (uint32_t i = 0; i < OFFERS; i++) {
            bool there = d < 40 ? i < 40 : i >= 20; /* the panel is another from the middle on */
            if (there) quote(&p, d * DAY, i, (1 + i) * pow(1.01, (double)d));
        }
    }
    struct index_series_made s = made_of(&p, DAY);
    double want = s.points[0].level * pow(1.01, DAYS - 1);
    /* what went stays for two days at its last price, and holds the index back so long */
    assert_true(fabs(log(s.points[DAYS - 1].level / want)) < 0.011);
    series_free(&s);
    panel_close(&p);
}

static void one_wrong_price_leaves_no_trace(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 3; wrong++) {
        static const double factors[] = {0.001, 100, 5};
        struct panel p;
        assert_int_equal(panel_open(&p, false, true, false), 0);
        for (int64_t d = 0; d < 10; d++) {
            for (uint32_t i = 0; i < 12; i++)
                quote(&p, d * DAY, i, (2 + 0.1 * i) * (d == 5 && i == 3 ? factors[wrong] : 1));
        }
        struct index_series_made s = made_of(&p, DAY);
        for (uint32_t d = 1; d < 10; d++)
            assert_true(fabs(s.points[d].level - s.points[0].level) < 1e-9);
        series_free(&s);
        panel_close(&p);
    }
}

/* One provider with 40 of 48 offers moves by 30%: with 35% of the weight. */
static void a_provider_weighs_its_share_at_most(void **state)
{
    (void)state;
    struct panel p;
    char name[32], provider[32];
    assert_int_equal(panel_open(&p, false, true, false), 0);
    for (int64_t d = 0; d < 2; d++) {
        for (uint32_t i = 0; i < 48; i++) {
            bool large = i < 40;
            (void)snprintf(name, sizeof name, "o%u", i);
            (void)snprintf(provider, sizeof provider, "p%u", large ? 0 : i);
            assert_int_equal(panel_add(&p, "f", 1, d * DAY, provider, name,
                                       large && d == 1 ? 1.3 : 1, &error), 0);
        }
    }
    struct index_series_made s = made_of(&p, DAY);
    /* cap: 4.307 of 12.307 (thousandths of an offer, floored) */
    assert_true(fabs(log(s.points[1].level) - log(1.3) * 4307 / 12307) < 1e-9);
    series_free(&s);
    panel_close(&p);
}

static void too_few_hold_it(void **state)
{
    (void)state;
    struct panel p;
    assert_int_equal(panel_open(&p, false, true, false), 0);
    for (int64_t d = 0; d < 6; d++) {
        for (uint32_t i = 0; i < (d < 3 ? 4u : 2u); i++)
            quote(&p, d * 4 * DAY, i, 1 + (double)d);
    }
    struct series_method m = series_method_default(&p, 4 * (int64_t)DAY);
    struct index_series_made s;
    assert_int_equal(series_make(&s, &p, &m, &error), 0);
    assert_int_equal(s.points[1].status, SERIES_chained);
    assert_int_equal(s.points[4].status, SERIES_held);
    assert_true(s.points[5].level == s.points[2].level);
    series_free(&s);
    panel_close(&p);
}

/* Each hour's price of a step function is its mean by the millisecond. */
static void steps_are_weighted_by_time(void **state)
{
    (void)state;
    enum { HOUR = 3600, HOURS = 30 }; /* an hour of 3,600 ms, to count each of them */
    static double by_ms[HOURS * HOUR];
    struct random r = {4};
    struct panel p;
    double prices[HOURS + 1];
    assert_int_equal(panel_open(&p, true, true, false), 0);
    for (int64_t ms = 500; ms < HOURS * HOUR;) {
        double price = 1 + (double)random_below(&r, 1000) / 1000;
        assert_int_equal(panel_add(&p, "f", 1, ms, "p", "o", price, &error), 0);
        for (int64_t i = ms; i < HOURS * HOUR; i++) by_ms[i] = price;
        ms += 1 + (int64_t)random_below(&r, random_below(&r, 9) == 0 ? 9000 : 900);
    }
    struct series_method m = series_method_default(&p, HOUR);
    struct series_periods all = series_periods_of(&p, HOUR);
    assert_true(all.count >= HOURS - 4 && all.count < HOURS);
    assert_int_equal(series_offer(&p, &m, 0, prices), 0);
    assert_true(isnan(prices[0])); /* it was not quoted before 500 */
    for (uint32_t h = 1; h < all.count; h++) {
        double sum = 0;
        for (int i = 0; i < HOUR; i++) sum += by_ms[h * HOUR + (uint32_t)i];
        assert_true(fabs(prices[h] - sum / HOUR) < 1e-9);
    }
    panel_close(&p);
}

/* ---- readers ---- */

static int read_as(const char *format, bool lenient, const char *text, struct panel *p)
{
    struct panel_options o = {.format = format, .lenient = lenient};
    error = (struct quant_error){{0}};
    return panel_read_csv(p, &o, "f", text, strlen(text), &error);
}

static void bad_rows_are_refused_by_name(void **state)
{
    (void)state;
    static const char head[] = "ts_utc,region,az,instance_type,product,gpu_model,gpus,"
                               "usd_hour_spot\n2026-01-01T00:00:00Z,r,a,t,Linux,V100,8,24\n";
    static const struct { const char *row, *why; } bad[] = {
        {"2026-01-01T00:00:00Z,r,a,t,Linux,V100,8,25", "at this time already"},
        {"2025-12-31T00:00:00Z,r,a,t,Linux,V100,8,24", "goes back"},
        {"yesterday,r,a,t,Linux,V100,8,24", "the time is none"},
        {"2026-01-02T00:00:00Z,r,a,t,Linux,V100,8,-24", "no finite number above 0"},
        {"2026-01-02T00:00:00Z,r,a,t,Linux,V100,8,0", "no finite number above 0"},
        {"2026-01-02T00:00:00Z,r,a,t,Linux,V100,8,nan", "no finite number above 0"},
        {"2026-01-02T00:00:00Z,r,a,t,Linux,V100,8,1e999", "no finite number above 0"},
        {"2026-01-02T00:00:00Z,r,a,t,Linux,V100,0,24", "no finite number above 0"},
        {"2026-01-02T00:00:00Z,r,a,t,Linux,V100,8", "no finite number above 0"},
        {"2026-01-02T00:00:00Z,,a,t,Linux,V100,8,24", "make no offer"},
    };
    struct panel p;
    assert_int_equal(read_as("aws-csv", false, head, &p), 0);
    assert_true(p.quotes[0].price == 3);
    panel_close(&p);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[600];
        (void)snprintf(text, sizeof text, "%s%s\n", head, bad[i].row);
        assert_int_equal(read_as("aws-csv", false, text, &p), -1);
        assert_non_null(strstr(error.text, bad[i].why));
        assert_non_null(strstr(error.text, "f:3: "));
        if (strstr(bad[i].why, "offer") == NULL || strstr(bad[i].why, "already") != NULL) {
            assert_int_equal(read_as("aws-csv", true, text, &p), 0);
            assert_int_equal(p.quote_count, 1);
            panel_close(&p);
        }
    }
    assert_int_equal(read_as("aws-csv", false, "", &p), -1);
    assert_int_equal(read_as("aws-csv", false, "a,b\n1,2\n", &p), -1);
    assert_int_equal(read_as("no-such", false, head, &p), -1);
}

/* ---- CCIR ---- */

static void ccir_leaves_out_what_is_far(void **state)
{
    (void)state;
    char text[4096] = "model_id,date,dph_per_gpu_usd\n";
    struct ccir_offers o;
    struct ccir_index x;
    for (int i = 0; i < 12; i++) /* eleven about 2, one at 40 */
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "m,2026-03-01,%s\n",
                       i == 11 ? "40" : i % 2 ? "2.0001" : "2.0002");
    for (int i = 0; i < 7; i++) /* a day of 7 offers does not count */
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "m,2026-03-02,9\n");
    error = (struct quant_error){{0}};
    assert_int_equal(ccir_read(&o, "m", "f", text, strlen(text), &error), 0);
    int32_t day;
    assert_true(quant_day("2026-03-03", 10, &day));
    assert_true(ccir_make(&o, day, 8, &x));
    assert_int_equal(x.observations, 11);
    assert_int_equal(x.days, 1);
    assert_int_equal(x.value_e4, 20002);
    ccir_close(&o);
}

static void the_cap_against_every_number(void **state)
{
    (void)state;
    struct random r = {9};
    for (int round = 0; round < 20000; round++) {
        int64_t v[12], best = 0, share = 1 + (int64_t)random_below(&r, 1000000);
        uint32_t n = 1 + (uint32_t)random_below(&r, 12);
        for (uint32_t i = 0; i < n; i++) { /* in rising order */
            v[i] = 1 + (int64_t)random_below(&r, 60);
            for (uint32_t k = i; k > 0 && v[k - 1] > v[k]; k--) {
                int64_t kept = v[k];
                v[k] = v[k - 1];
                v[k - 1] = kept;
            }
        }
        for (int64_t c = 1; c <= v[n - 1]; c++) {
            int64_t sum = 0;
            for (uint32_t i = 0; i < n; i++) sum += v[i] < c ? v[i] : c;
            if (c * 1000000 <= sum * share) best = c;
        }
        assert_int_equal(reference_cap(v, n, share), best > 0 ? best : v[0]);
    }
}

/* The linker gives the calls of calloc to this (meson.build); the one that is due fails. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
static uint32_t callocs_left = UINT32_MAX;

void *__wrap_calloc(size_t count, size_t size)
{
    if (callocs_left == 0) return NULL;
    if (callocs_left != UINT32_MAX) callocs_left -= 1;
    return __real_calloc(count, size);
}

static void without_memory_there_is_a_sentence(void **state)
{
    (void)state;
    struct panel p;
    assert_int_equal(panel_open(&p, false, true, false), 0);
    for (int64_t d = 0; d < 3; d++) {
        for (uint32_t i = 0; i < 5; i++) quote(&p, d * DAY, i, 1);
    }
    struct series_method m = series_method_default(&p, DAY);
    struct index_series_made s;
    int status = -1;
    uint32_t failures = 0;
    for (; status != 0; failures++) {
        struct quant_error e = {{0}};
        callocs_left = failures;
        status = series_make(&s, &p, &m, &e);
        callocs_left = UINT32_MAX;
        assert_string_equal(e.text, status == 0 ? "" : "series: no memory");
    }
    assert_true(failures > 8); /* each of them was the one that fails */
    series_free(&s);
    panel_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_and_goes_moves_nothing),
        cmocka_unit_test(what_all_do_it_does),
        cmocka_unit_test(one_wrong_price_leaves_no_trace),
        cmocka_unit_test(a_provider_weighs_its_share_at_most),
        cmocka_unit_test(too_few_hold_it),
        cmocka_unit_test(steps_are_weighted_by_time),
        cmocka_unit_test(bad_rows_are_refused_by_name),
        cmocka_unit_test(ccir_leaves_out_what_is_far),
        cmocka_unit_test(the_cap_against_every_number),
        cmocka_unit_test(without_memory_there_is_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
