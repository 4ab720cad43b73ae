/* read_test.c: files are taken whole or refused by name and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quant/history.h"
#include "quant/parameters.h"
#include "quant/portfolio.h"
#include "quant/stress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct refusal {
    const char *text, *says;
};

static struct history history;
static struct parameters parameters;
static struct stress_set stress;
static struct portfolio portfolio;

static int read_history(const char *name, const char *text, const char *options,
                        struct quant_error *error)
{
    const struct history_source source = {.name = name, .file = "h.csv", .text = text,
                                          .length = strlen(text), .options = options};
    return history_read(&history, &source, error);
}

static void check_said(const struct quant_error *error, const char *says)
{
    if (strstr(error->text, says) == NULL) fail_msg("said: %s; not: %s", error->text, says);
}

static void histories_are_refused_by_line(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"", "h.csv: the file is empty"},
        {"date,series,price\n", "h.csv: there are no prices"},
        {"date,series,price\n2024-01-02,A,\n", "h.csv:2: A: the price is missing"},
        {"date,series,price\n2024-01-02,A,nan\n", "h.csv:2: A: the price is no number"},
        {"date,series,price\n2024-01-02,A,inf\n", "h.csv:2: A: the price is no number"},
        {"date,series,price\n2024-01-02,A,1e999\n", "h.csv:2: A: the price is no number"},
        {"date,series,price\n2024-01-02,A,0x10\n", "h.csv:2: A: the price is no number"},
        {"date,series,price\n2024-02-30,A,1\n", "h.csv:2: the date is not"},
        {"date,series,price\n\n# c\n2024-01-02,A,1\n2024-01-02,A,1\n", "h.csv:5: A: 2024-01-02"},
        {"date,series,price\n2024-01-03,A,1\n2024-01-02,A,1\n", "stands behind 2024-01-03"},
        {"date,series,price\n2024-01-03,,1\n", "h.csv:2: the series has no name"},
        {"series,price\nA,1\n", "h.csv:1: there is no column date"},
        {"date,close\n2024-01-03,1\n", "h.csv:1: the file names no series"},
        {"date,series,price\n2024-01-03,\"A,1\n", "h.csv:2: a quote is not closed"}};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct quant_error error = {0};
        history_open(&history);
        assert_int_equal(read_history(NULL, refusals[i].text, "", &error), -1);
        check_said(&error, refusals[i].says);
        assert_int_equal(history.count, 0);
    }
}

static void a_refused_file_leaves_what_was_read(void **state)
{
    (void)state;
    struct quant_error error = {0};
    history_open(&history);
    assert_int_equal(read_history(NULL, "date,series,price\n2024-01-02,A,1\n", "", &error), 0);
    assert_int_equal(
        read_history(NULL, "date,series,price\n2024-01-02,B,1\n2024-01-02,A,1\n", "", &error), -1);
    check_said(&error, "A: the series was read already");
    assert_int_equal(history.count, 1);
    assert_int_equal(history.series[0].days, 1);
    history_close(&history);
}

static void futures_move_within_one_contract(void **state)
{
    (void)state;
    static const char text[] =
        "date,carry_contract,carry_close23,carry_settle,price_contract,price_settle,"
        "forward_contract,forward_settle,flag\n"
        "2024-01-02,202402,9,9,202403,10,202404,20,\n"
        "2024-01-03,202402,9,,202403,11,202404,22,CLOSE_VS_INTRADAY_GT5PCT\n"
        "2024-01-04,202403,12,12,202404,24,202405,,\n"
        "2024-01-05,202403,,,202404,,202405,,\n"
        "2024-01-08,,,,202406,40,,,\n";
    struct quant_error error = {0};
    double p0, p1;
    history_open(&history);
    assert_int_equal(read_history("F", text, "", &error), 0);
    const struct series *s = &history.series[0];
    assert_int_equal(s->days, 4); /* the day without a price is passed over */
    assert_true(series_move(s, 0, 1, &p0, &p1));
    assert_true(p0 == 10 && p1 == 11);
    assert_true(series_move(s, 1, 2, &p0, &p1)); /* the roll: the new contract on both days */
    assert_true(p0 == 22 && p1 == 24);
    assert_true(series_move(s, 0, 2, &p0, &p1));
    assert_true(p0 == 20 && p1 == 24);
    assert_false(series_move(s, 2, 3, &p0, &p1)); /* no contract in common */
    history_close(&history);
}

static void offers_that_come_and_go_do_not_move_the_index(void **state)
{
    (void)state;
    static const char text[] =
        "ts_utc,machine,gpu_model,region,usd_gpu_hour_ondemand,usd_gpu_hour_spot,flag\n"
        "2024-01-01T01:00:00Z,m,X,a,2,,\n2024-01-01T01:00:00Z,m,X,b,4,,\n"
        "2024-01-01T01:00:00Z,m,Y,a,100,,\n"
        "2024-01-03T01:00:00Z,m,X,a,2,1,\n2024-01-03T01:00:00Z,m,X,b,4,1,\n"
        "2024-01-03T01:00:00Z,m,X,c,50,2,\n" /* new and dear */
        "2024-01-05T01:00:00Z,m,X,a,1,1,INCOMPLETE_PRICE\n"
        "2024-01-05T01:00:00Z,m,X,b,5,3,\n2024-01-05T01:00:00Z,m,X,c,55,2,\n"
        "2024-01-05T09:00:00Z,m,X,b,10,3,\n2024-01-05T09:00:00Z,m,X,c,110,2,\n";
    struct quant_error error = {0};
    history_open(&history);
    assert_int_equal(read_history("G", text, "gpu_model=X", &error), 0);
    const struct series *s = &history.series[0];
    assert_int_equal(s->days, 3);
    assert_true(fabs(series_price(s, 0) - 3) < 1e-12);
    assert_true(fabs(series_price(s, 1) - 3) < 1e-12);
    /* b and c: 54 to 60 to 120; the later version of the day stays */
    assert_true(fabs(series_price(s, 2) - 3 * 60 / 54.0 * 2) < 1e-12);
    assert_int_equal(read_history("S", text, "gpu_model=X,kind=spot,fill=weekdays", &error), 0);
    assert_int_equal(history.series[1].days, 3); /* Wednesday to Friday */
    assert_int_equal(read_history("T", text, "gpu_model=X,none=1", &error), -1);
    check_said(&error, "there is no column none");
    history_close(&history);
}

static void parameters_and_their_scopes(void **state)
{
    (void)state;
    static const char text[] = "scope,name,value,source\n*,adv,5,\"a, b\"\nCTF,adv,6,x\n"
                               "CTF-2027M03,adv,7,x\n*,confidence,0.99,x\nCTF,factor,gas,x\n";
    struct quant_error error = {0};
    double value;
    uint32_t ppm;
    assert_int_equal(parameters_read(&parameters, "p.csv", text, strlen(text), &error), 0);
    assert_int_equal(parameters_number(&parameters, "CTF-2027M03", PARAMETER_adv, &value, &error),
                     0);
    assert_true(value == 7);
    (void)parameters_number(&parameters, "CTF-2027M04", PARAMETER_adv, &value, &error);
    assert_true(value == 6);
    (void)parameters_number(&parameters, "CT", PARAMETER_adv, &value, &error);
    assert_true(value == 5);
    assert_int_equal(parameters_ppm(&parameters, "*", PARAMETER_confidence, &ppm, &error), 0);
    assert_int_equal(ppm, 990000);
    assert_string_equal(parameters_text(&parameters, "CTF-2027M04", PARAMETER_factor), "gas");
    assert_int_equal(parameters_number(&parameters, "X", PARAMETER_lambda, &value, &error), -1);
    check_said(&error, "p.csv: there is no lambda for X");
    static const struct refusal refusals[] = {
        {"scope,name,value\n*,adv,5\n*,adv,6\n", ":3: adv of * stands twice"},
        {"scope,name,value\n*,lambda,1.5\n", ":2: lambda is not between"},
        {"scope,name,value\n*,horizon,1.5\n", ":2: horizon is not whole"},
        {"scope,name,value\n*,lambda,\n", ":2: lambda has no value"},
        {"scope,name,value\n*,lambda,nan\n", ":2: lambda is no number"},
        {"scope,name,value\n*,speed,1\n", ":2: there is no parameter speed"},
        {"scope,value\n*,1\n", ":1: there is no column name"}};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct quant_error e = {0};
        assert_int_equal(parameters_read(&parameters, "p.csv", refusals[i].text,
                                         strlen(refusals[i].text), &e), -1);
        check_said(&e, refusals[i].says);
        assert_int_equal(parameters.count, 5); /* as it was */
    }
}

#define STRESS_TITLES "scenario,kind,from,to,factor,tenor_min,tenor_max,move,unit,source\n"

static void stress_sets(void **state)
{
    (void)state;
    static const char text[] = STRESS_TITLES
        "a,historical,2020-01-02,2020-01-03,gas,,0,-0.5,relative,x\n"
        "a,historical,2020-01-02,2020-01-03,gas,1,,-0.25,relative,x\n"
        "b,hypothetical,,,*,,,-4,sigma,x\nb,hypothetical,,,gas,,,-2,absolute,x\n";
    struct quant_error error = {0};
    assert_int_equal(stress_read(&stress, "s.csv", text, strlen(text), &error), 0);
    assert_int_equal(stress.count, 2);
    assert_true(stress_find(&stress, 0, "gas", 0)->move == -0.5);
    assert_true(stress_find(&stress, 0, "gas", 7)->move == -0.25);
    assert_null(stress_find(&stress, 0, "oil", 7));
    assert_true(stress_find(&stress, 1, "oil", 7)->move == -4);
    assert_true(stress_find(&stress, 1, "gas", 7)->move == -2);
    static const struct refusal refusals[] = {
        {STRESS_TITLES "a,real,,,gas,,,1,relative,x\n", ":2: a: kind is"},
        {STRESS_TITLES "a,historical,2020-01-03,2020-01-03,gas,,,1,relative,x\n", ":2: a: from"},
        {STRESS_TITLES "a,hypothetical,,,gas,,,,relative,x\n", ":2: a: no move"},
        {STRESS_TITLES "a,hypothetical,,,gas,,,inf,relative,x\n", ":2: a: the move is no number"},
        {STRESS_TITLES "a,hypothetical,,,gas,,,1,percent,x\n", ":2: a: unit is"},
        {STRESS_TITLES "a,hypothetical,,,gas,,,1,relative,\n", ":2: a: the source is missing"},
        {STRESS_TITLES "a,hypothetical,,,gas,,,1,sigma,x\na,hypothetical,,,gas,2,3,1,sigma,x\n",
         ":3: a: gas stands twice"},
        {STRESS_TITLES "a,hypothetical,,,gas,,,1,sigma,x\nb,hypothetical,,,gas,,,1,sigma,x\n"
                       "a,hypothetical,,,oil,,,1,sigma,x\n", ":4: a: stands in two places"}};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct quant_error e = {0};
        assert_int_equal(
            stress_read(&stress, "s.csv", refusals[i].text, strlen(refusals[i].text), &e), -1);
        check_said(&e, refusals[i].says);
        assert_int_equal(stress.count, 2); /* as it was */
    }
}

#define PORTFOLIO_TITLES "account,instrument,lots,kind,strike,volatility,days,amount\n"

static void portfolios(void **state)
{
    (void)state;
    static const char text[] = PORTFOLIO_TITLES "b,X,5\na,Y,-3,call,2.5,0.5,30\nb,Y,1\n"
                                                "a,,,credit,,,,12.345678\n";
    struct quant_error error = {0};
    assert_int_equal(portfolio_read(&portfolio, "f.csv", text, strlen(text), &error), 0);
    assert_int_equal(portfolio.account_count, 2);
    assert_string_equal(portfolio.accounts[0].name, "b");
    assert_int_equal(portfolio.accounts[0].count, 2);
    assert_int_equal(portfolio.accounts[1].credit, 12345678);
    portfolio_close(&portfolio);
    static const struct refusal refusals[] = {
        {"", "f.csv: the file is empty"},
        {PORTFOLIO_TITLES, "f.csv: there are no positions"},
        {PORTFOLIO_TITLES ",X,5\n", ":2: the account is missing"},
        {PORTFOLIO_TITLES "a,,5\n", ":2: a: the instrument is missing"},
        {PORTFOLIO_TITLES "a,X,\n", ":2: a: lots are whole"},
        {PORTFOLIO_TITLES "a,X,1.5\n", ":2: a: lots are whole"},
        {PORTFOLIO_TITLES "a,X,0\n", ":2: a: lots are whole"},
        {PORTFOLIO_TITLES "a,X,1\na,X,2\n", ":3: a: X stands twice"},
        {PORTFOLIO_TITLES "a,X,1\nb,X,2\na,X,2\n", "a: X stands twice"},
        {PORTFOLIO_TITLES "a,X,1,swap\n", ":2: a: kind is"},
        {PORTFOLIO_TITLES "a,X,1,call,2,0,5\n", ":2: an option's volatility"},
        {PORTFOLIO_TITLES "a,,,credit,,,,-1\n", ":2: a: a credit is"}};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct quant_error e = {0};
        assert_int_equal(portfolio_read(&portfolio, "f.csv", refusals[i].text,
                                        strlen(refusals[i].text), &e), -1);
        check_said(&e, refusals[i].says);
        assert_int_equal(portfolio.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histories_are_refused_by_line),
        cmocka_unit_test(a_refused_file_leaves_what_was_read),
        cmocka_unit_test(futures_move_within_one_contract),
        cmocka_unit_test(offers_that_come_and_go_do_not_move_the_index),
        cmocka_unit_test(parameters_and_their_scopes),
        cmocka_unit_test(stress_sets),
        cmocka_unit_test(portfolios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
