/* margin_backtest.c: `dojima margin backtest`: exceedances of the margin over price histories, by
 * product (each series, long and short) and by account (CLEAR-11). See quant/backtest.h for what is
 * tested.
 *
 * Upstream: files. Downstream: quant; margin_chart.c draws.
 */
#include "cli/client.h"
#include "cli/margin_chart.h"
#include "wire/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    struct margin_files files;
    const char *portfolio_path, *svg;
    bool json;
    struct portfolio portfolio;
    struct margin_case *cases;
    uint32_t count;
    struct method method;
};

enum { KEY_SVG = 700, KEY_JSON, CASES_MAX = 1024 };

static const struct argp_option options[] = {
    {"svg", KEY_SVG, "FILE", 0, "Also draw moves, margin and exceedances, as SVG", 1},
    {"json", KEY_JSON, NULL, 0, "Print one JSON object", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->files; return 0;
    case KEY_SVG: a->svg = text; return 0;
    case KEY_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->portfolio_path != NULL) argp_usage(state);
        a->portfolio_path = text;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&margin_files_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options, .parser = parse, .args_doc = "[PORTFOLIO]", .children = children,
    .doc = "Tests margin against what happened: Kupiec, Christoffersen, Basel's traffic light, and "
           "how much margin rises in bad times. Every series, long and short; with a PORTFOLIO its "
           "accounts instead."};

/* One case: its own risk over the instruments it needs. */
static int run_case(struct arguments *a, const char *name, const char *side,
                    const char (*instruments)[QUANT_NAME_SIZE], uint32_t instrument_count,
                    const struct position *positions, uint32_t count, struct quant_error *error)
{
    struct risk risk;
    if (a->count == CASES_MAX)
        return quant_fail(error, "backtest", 0, "more than %d cases", CASES_MAX);
    struct margin_case *c = &a->cases[a->count];
    if (risk_open(&risk, &a->files.parameters, &a->files.history, &a->files.stress, instruments,
                  instrument_count, error) != 0)
        return -1;
    int status = backtest_run(&c->test, &risk, positions, count, error);
    if (status == 0) {
        a->method = risk.method;
        a->count += 1;
        c->side = side;
        (void)snprintf(c->name, sizeof c->name, "%s", name);
        for (int m = 0; m < BACKTEST_MARGINS; m++)
            backtest_judge(&c->test, (enum backtest_margin)m, &risk.method, &c->result[m]);
    }
    risk_close(&risk);
    return status;
}

static int run_series(struct arguments *a, struct quant_error *error)
{
    for (uint32_t i = 0; i < a->files.history.count; i++) {
        const struct series *s = &a->files.history.series[i];
        for (int short_side = 0; short_side < 2; short_side++) {
            const struct position one = {.lots = short_side ? -1 : 1};
            if (run_case(a, s->name, short_side ? "short" : "long",
                         (const char (*)[QUANT_NAME_SIZE])s->name, 1, &one, 1, error) != 0)
                return -1;
        }
    }
    return 0;
}

/* An account, over only the instruments that it holds. */
static int run_account(struct arguments *a, const struct portfolio_account *account,
                       struct quant_error *error)
{
    const struct portfolio *p = &a->portfolio;
    char (*names)[QUANT_NAME_SIZE] = calloc(account->count + 1, sizeof *names);
    struct position *held = calloc(account->count + 1, sizeof *held);
    uint32_t instruments = 0;
    int status = names != NULL && held != NULL ? 0 : quant_fail(error, "backtest", 0, "no memory");
    for (uint32_t k = 0; k < account->count && status == 0; k++) {
        held[k] = p->positions[account->first + k];
        const char *name = p->instruments[held[k].instrument];
        uint32_t at = 0;
        while (at < instruments && strcmp(names[at], name) != 0) at++;
        if (at == instruments) memcpy(names[instruments++], name, QUANT_NAME_SIZE);
        held[k].instrument = at;
    }
    if (status == 0 && account->count > 0)
        status = run_case(a, account->name, "account", (const char (*)[QUANT_NAME_SIZE])names,
                          instruments, held, account->count, error);
    free(names);
    free(held);
    return status;
}

static int run_portfolio(struct arguments *a, struct quant_error *error)
{
    size_t length;
    char *text = margin_file_load(a->portfolio_path, &length, error);
    if (text == NULL) return -1;
    int status = portfolio_read(&a->portfolio, a->portfolio_path, text, length, error);
    free(text);
    for (uint32_t i = 0; i < a->portfolio.account_count && status == 0; i++)
        status = run_account(a, &a->portfolio.accounts[i], error);
    return status;
}

/* ---- table ---- */

static const char *const margin_names[BACKTEST_MARGINS] = {"core", "filtered"};

__attribute__((format(printf, 3, 4))) static void cell(struct table *t, enum table_colour colour,
                                                       const char *format, ...)
{
    char text[TABLE_CELL_SIZE];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    table_add(t, colour, text);
}

static enum table_colour zone_colour(enum coverage_zone zone)
{
    return zone == ZONE_green ? TABLE_GREEN : zone == ZONE_red ? TABLE_RED : TABLE_BOLD;
}

static void add_case(struct table *t, const struct margin_case *c, int margin)
{
    const struct backtest_result *q = &c->result[margin];
    cell(t, TABLE_PLAIN, "%s", c->name);
    cell(t, TABLE_PLAIN, "%s", c->side);
    cell(t, TABLE_PLAIN, "%s", margin_names[margin]);
    cell(t, TABLE_PLAIN, "%u", q->coverage.observations);
    cell(t, TABLE_PLAIN, "%u", q->coverage.exceedances);
    cell(t, TABLE_PLAIN, "%.2f", 100.0 * q->coverage.exceedances / q->coverage.observations);
    cell(t, zone_colour(q->zone), "%s", coverage_zone_name(q->zone));
    cell(t, TABLE_PLAIN, "%u/%u/%u", q->windows[ZONE_green], q->windows[ZONE_yellow],
         q->windows[ZONE_red]);
    cell(t, TABLE_PLAIN, "%u", q->worst_window);
    cell(t, TABLE_PLAIN, "%.3f", q->coverage.kupiec_p);
    cell(t, TABLE_PLAIN, "%.3f", q->independence_p);
    cell(t, TABLE_PLAIN, "%.3f", q->conditional_p);
}

static int print(const struct arguments *a)
{
    static const struct table_column coverage[] = {
        {"case", TABLE_TEXT}, {"side", TABLE_TEXT}, {"margin", TABLE_TEXT}, {"tests", TABLE_NUMBER},
        {"exceeded", TABLE_NUMBER}, {"%", TABLE_DECIMAL}, {"zone", TABLE_TEXT},
        {"g/y/r", TABLE_TEXT}, {"worst", TABLE_NUMBER}, {"Kupiec p", TABLE_DECIMAL},
        {"indep. p", TABLE_DECIMAL}, {"cond. p", TABLE_DECIMAL}, {NULL, 0}};
    static const struct table_column cycle[] = {
        {"case", TABLE_TEXT}, {"side", TABLE_TEXT}, {"margin", TABLE_TEXT},
        {"peak/trough", TABLE_DECIMAL}, {"5-day rise %", TABLE_DECIMAL},
        {"30-day rise %", TABLE_DECIMAL}, {NULL, 0}};
    bool colour = client_colour();
    struct table *t = table_new(coverage, colour);
    struct table *u = table_new(cycle, colour);
    for (uint32_t i = 0; t != NULL && u != NULL && i < a->count; i++) {
        const struct margin_case *c = &a->cases[i];
        for (int m = 0; m < BACKTEST_MARGINS; m++) {
            add_case(t, c, m);
            cell(u, TABLE_PLAIN, "%s", c->name);
            cell(u, TABLE_PLAIN, "%s", c->side);
            cell(u, TABLE_PLAIN, "%s", margin_names[m]);
            cell(u, TABLE_PLAIN, "%.2f", c->result[m].peak_to_trough);
            cell(u, TABLE_PLAIN, "%.1f", 100 * c->result[m].rise_short);
            cell(u, TABLE_PLAIN, "%.1f", 100 * c->result[m].rise_long);
        }
    }
    if (t != NULL && u != NULL) {
        (void)printf("Losses over %u days against margin at %g %%; g/y/r: windows of %d tests by "
                     "zone; worst: exceedances in one\n\n", a->method.horizon,
                     100 - (double)a->method.tail_ppm / 1e4, BACKTEST_WINDOW);
        table_print(t, stdout, true);
        (void)puts("\nHow margin by notional moves with the market\n");
        table_print(u, stdout, true);
        for (uint32_t i = 0; i < a->count; i++) margin_chart_print(&a->cases[i]);
    }
    int status = t == NULL || u == NULL;
    table_free(t);
    table_free(u);
    return status;
}

/* ---- JSON ---- */

static void number_json(struct json_writer *w, const char *name, double value)
{
    char text[40];
    json_key(w, name);
    if (!isfinite(value)) json_null(w);
    else json_raw(w, text, (size_t)snprintf(text, sizeof text, "%.6f", value));
}

static void result_json(struct json_writer *w, const struct margin_case *c, int margin)
{
    const struct backtest_result *q = &c->result[margin];
    json_open_object(w);
    json_key_string(w, "case", c->name);
    json_key_string(w, "side", c->side);
    json_key_string(w, "margin", margin_names[margin]);
    json_key_int(w, "tests", q->coverage.observations);
    json_key_int(w, "exceedances", q->coverage.exceedances);
    json_key_string(w, "zone", coverage_zone_name(q->zone));
    json_key_int(w, "windows_green", q->windows[ZONE_green]);
    json_key_int(w, "windows_yellow", q->windows[ZONE_yellow]);
    json_key_int(w, "windows_red", q->windows[ZONE_red]);
    json_key_int(w, "worst_window", q->worst_window);
    number_json(w, "kupiec", q->coverage.kupiec);
    number_json(w, "kupiec_p", q->coverage.kupiec_p);
    number_json(w, "independence_p", q->independence_p);
    number_json(w, "conditional_p", q->conditional_p);
    number_json(w, "peak_to_trough", q->peak_to_trough);
    number_json(w, "rise_5", q->rise_short);
    number_json(w, "rise_30", q->rise_long);
    json_close_object(w);
}

static int print_json(const struct arguments *a)
{
    size_t capacity = 256 + (size_t)a->count * 2048;
    struct json_writer w = {.bytes = malloc(capacity), .capacity = capacity};
    if (w.bytes == NULL) return 1;
    json_reset(&w);
    json_open_object(&w);
    json_key_int(&w, "horizon", a->method.horizon);
    json_key(&w, "results");
    json_open_array(&w);
    for (uint32_t i = 0; i < a->count; i++) {
        for (int m = 0; m < BACKTEST_MARGINS; m++) result_json(&w, &a->cases[i], m);
    }
    json_close_array(&w);
    json_close_object(&w);
    int status = margin_json_print(&w);
    free(w.bytes);
    return status;
}

int cli_margin_backtest(int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (a == NULL) return 1;
    struct quant_error error = {0};
    margin_files_init(&a->files);
    client_parse(&argp, argc, argv, a);
    a->cases = calloc(CASES_MAX, sizeof *a->cases);
    int status = a->cases == NULL ? 1 : margin_files_read(&a->files);
    if (status == 0)
        (void)(a->portfolio_path != NULL ? run_portfolio(a, &error) : run_series(a, &error));
    if (status == 0 && error.text[0] != 0) status = margin_say(&error);
    if (status == 0) status = a->json ? print_json(a) : print(a);
    if (status == 0 && a->svg != NULL) status = margin_chart_svg(a->svg, a->cases, a->count);
    for (uint32_t i = 0; i < a->count; i++) backtest_close(&a->cases[i].test);
    free(a->cases);
    portfolio_close(&a->portfolio);
    margin_files_close(&a->files);
    free(a);
    return status;
}
