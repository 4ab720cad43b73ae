/* margin.c: `dojima margin PORTFOLIO`: the margin of a file of positions, part by part, with the
 * scenario that drives each (CLEAR-05, CLEAR-07).
 *
 * Invariant: nothing is printed until everything is computed.
 *
 * Upstream: files. Downstream: quant.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/margin.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

struct arguments {
    struct margin_files files;
    const char *portfolio_path, *account, *svg;
    bool json, fund;
    struct portfolio portfolio;
    struct risk risk;
    struct margin_accounts results;
    struct margin_fund cover; /* its size NULL: not asked for */
};

enum { KEY_ACCOUNT = 700, KEY_SVG, KEY_JSON, KEY_FUND };

static const struct argp_option options[] = {
    {"account", KEY_ACCOUNT, "NAME", 0, "Only this account", 1},
    {"svg", KEY_SVG, "FILE", 0, "Also draw the parts, as SVG", 1},
    {"fund", KEY_FUND, NULL, 0, "Size the default fund of the members too", 1},
    {"json", KEY_JSON, NULL, 0, "Print one JSON object", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->files; return 0;
    case KEY_ACCOUNT: a->account = text; return 0;
    case KEY_SVG: a->svg = text; return 0;
    case KEY_JSON: a->json = true; return 0;
    case KEY_FUND: a->fund = true; return 0;
    case ARGP_KEY_ARG:
        if (a->portfolio_path != NULL) argp_usage(state);
        a->portfolio_path = text;
        return 0;
    case ARGP_KEY_END:
        if (a->portfolio_path == NULL) argp_usage(state);
        if (a->fund && a->account != NULL)
            argp_error(state, "--fund is about all accounts, not about one");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&margin_files_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options, .parser = parse, .args_doc = "PORTFOLIO", .children = children,
    .doc = "Initial margin of the positions in a file, every part with what drives it.\v"
           "`dojima margin backtest` tests the method on price histories; "
           "it has a --help of its own."};

/* As of the day asked for, or the latest that any of the histories has. */
static int set_today(struct arguments *a, struct quant_error *error)
{
    int32_t day = INT32_MIN;
    struct risk *r = &a->risk;
    if (a->files.date != NULL) {
        if (margin_day("--date", a->files.date, &day, error) != 0) return -1;
    } else {
        for (uint32_t i = 0; i < r->count; i++) {
            const struct series *s = &a->files.history.series[r->instruments[i].series];
            if (series_day(s, s->days - 1) > day) day = series_day(s, s->days - 1);
        }
    }
    return risk_as_of(r, &a->files.history, day, error);
}

static int compute(struct arguments *a, struct quant_error *error)
{
    const struct portfolio *p = &a->portfolio;
    if (risk_open(&a->risk, &a->files.parameters, &a->files.history, &a->files.stress,
                  (const char (*)[QUANT_NAME_SIZE])p->instruments, p->instrument_count,
                  error) != 0 ||
        set_today(a, error) != 0 ||
        margin_accounts_compute(&a->results, p, &a->risk, a->account, error) != 0)
        return -1;
    if (a->results.count == 0)
        return quant_fail(error, a->portfolio_path, 0, "there is no account %s", a->account);
    return a->fund ? margin_fund_cover(&a->cover, p, &a->risk, &a->results, error) : 0;
}

/* ---- table ---- */

static void row(struct table *t, const char *part, int64_t amount, const char *what)
{
    char text[MARGIN_USD_SIZE];
    bool strong = strcmp(part, "margin") == 0 || strcmp(part, "core") == 0;
    table_add(t, strong ? TABLE_BOLD : TABLE_PLAIN, part);
    table_add(t, strong ? TABLE_BOLD : TABLE_PLAIN, margin_usd(text, amount));
    table_add(t, TABLE_DIM, what);
}

static void offset_text(char *text, size_t size, const struct measure *m)
{
    int64_t saved = m->alone - m->value;
    if (saved <= 0) (void)snprintf(text, size, "no offsets");
    else {
        char usd[MARGIN_USD_SIZE];
        (void)snprintf(text, size, "offsets save %s", margin_usd(usd, saved));
    }
}

static void measure_row(struct table *t, const struct risk *r, const char *part,
                        const struct measure *m, bool stress)
{
    char driver[MARGIN_DRIVER_SIZE], offset[64], text[2 * MARGIN_DRIVER_SIZE];
    offset_text(offset, sizeof offset, m);
    (void)margin_driver(driver, r, m, stress);
    (void)snprintf(text, sizeof text, "%s; %s", driver, offset);
    row(t, part, m->value, text);
}

static int print_account(const struct arguments *a, const struct margin_account *account,
                         bool colour)
{
    static const struct table_column columns[] = {
        {"part", TABLE_TEXT}, {"USD", TABLE_NUMBER}, {"driven by", TABLE_TEXT}, {NULL, 0}};
    static const char *const bindings[] = {
        "core and add-ons", "the floor of notional", "the floor of open volume",
        "the short-option minimum"};
    const struct requirement *q = &account->requirement;
    struct table *t = table_new(columns, colour);
    if (t == NULL) return 1;
    measure_row(t, &a->risk, "filtered ES", &q->filtered, false);
    measure_row(t, &a->risk, "stress ES", &q->stressed, true);
    row(t, "blended", q->blended, "weighted sum of both");
    measure_row(t, &a->risk, "long-run VaR", &q->long_run, false);
    row(t, "core", q->core, q->blended >= q->long_run.value ? "blended" : "long-run VaR");
    row(t, "liquidity", q->liquidity, "half the stressed spread");
    row(t, "concentration", q->concentration, "days to close out beyond the horizon");
    row(t, "delivery", q->delivery, "");
    row(t, "floor of notional", q->floor_notional, "net by product");
    row(t, "floor of volume", q->floor_volume, "CT, not netted");
    row(t, "short options", q->short_option, "minimum");
    row(t, "credits", -q->credit, "");
    row(t, "margin", q->total, bindings[q->binding]);
    (void)printf("%s\n", account->name);
    table_print(t, stdout, true);
    table_free(t);
    return 0;
}

static int print(const struct arguments *a)
{
    char date[QUANT_DATE_SIZE], usd[MARGIN_USD_SIZE];
    int64_t sum = 0;
    bool colour = client_colour();
    (void)printf("as of %s: %u joint moves and their mirrors, %u stress scenarios\n\n",
                 quant_date(date, a->risk.day[a->risk.today]), a->risk.scenarios,
                 a->risk.stressed);
    for (uint32_t i = 0; i < a->results.count; i++) {
        if (print_account(a, &a->results.items[i], colour) != 0) return 1;
        (void)putchar('\n');
        sum += a->results.items[i].requirement.total;
    }
    (void)printf("margin of %u account%s: USD %s\n", a->results.count,
                 a->results.count == 1 ? "" : "s", margin_usd(usd, sum));
    margin_fund_print(&a->cover, &a->risk);
    return 0;
}

/* ---- JSON ---- */

static void measure_json(struct json_writer *w, const char *name, const struct risk *r,
                         const struct measure *m, bool stress)
{
    char driver[MARGIN_DRIVER_SIZE];
    json_key(w, name);
    json_open_object(w);
    json_key_fixed(w, "value", m->value, 6);
    json_key_fixed(w, "joint", m->joint, 6);
    json_key_fixed(w, "alone", m->alone, 6);
    json_key_fixed(w, "worst_loss", m->worst_loss, 6);
    json_key_string(w, "driver", margin_driver(driver, r, m, stress));
    json_close_object(w);
}

static void account_json(struct json_writer *w, const struct risk *r,
                         const struct margin_account *account)
{
    const struct requirement *q = &account->requirement;
    json_open_object(w);
    json_key_string(w, "account", account->name);
    measure_json(w, "filtered_es", r, &q->filtered, false);
    measure_json(w, "stress_es", r, &q->stressed, true);
    measure_json(w, "long_run_var", r, &q->long_run, false);
    json_key_fixed(w, "blended", q->blended, 6);
    json_key_fixed(w, "core", q->core, 6);
    json_key_fixed(w, "liquidity", q->liquidity, 6);
    json_key_fixed(w, "concentration", q->concentration, 6);
    json_key_fixed(w, "delivery", q->delivery, 6);
    json_key_fixed(w, "floor_notional", q->floor_notional, 6);
    json_key_fixed(w, "floor_volume", q->floor_volume, 6);
    json_key_fixed(w, "short_option", q->short_option, 6);
    json_key_fixed(w, "credit", q->credit, 6);
    json_key_fixed(w, "margin", q->total, 6);
    json_key_string(w, "binding", margin_binding(q->binding));
    json_close_object(w);
}

static int print_json(const struct arguments *a)
{
    size_t capacity = 512 + (size_t)a->results.count * 2048;
    struct json_writer w = {.bytes = malloc(capacity), .capacity = capacity};
    char date[QUANT_DATE_SIZE];
    if (w.bytes == NULL) return 1;
    json_reset(&w);
    json_open_object(&w);
    json_key_string(&w, "date", quant_date(date, a->risk.day[a->risk.today]));
    json_key_int(&w, "joint_moves", a->risk.scenarios);
    json_key_int(&w, "stress_scenarios", a->risk.stressed);
    json_key(&w, "accounts");
    json_open_array(&w);
    for (uint32_t i = 0; i < a->results.count; i++)
        account_json(&w, &a->risk, &a->results.items[i]);
    json_close_array(&w);
    if (a->cover.size != NULL) json_key_fixed(&w, "fund", a->cover.size->worst.cover, 6);
    json_close_object(&w);
    int status = margin_json_print(&w);
    free(w.bytes);
    return status;
}

static int margin_portfolio(int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (a == NULL) return 1;
    struct quant_error error = {0};
    margin_files_init(&a->files);
    client_parse(&argp, argc, argv, a);
    size_t length;
    int status = margin_files_read(&a->files);
    char *text = status == 0 ? margin_file_load(a->portfolio_path, &length, &error) : NULL;
    if (text != NULL &&
        portfolio_read(&a->portfolio, a->portfolio_path, text, length, &error) == 0)
        (void)compute(a, &error);
    free(text);
    if (status == 0 && error.text[0] != 0) status = margin_say(&error);
    if (status == 0) status = a->json ? print_json(a) : print(a);
    if (status == 0 && a->svg != NULL) status = margin_svg(a->svg, &a->results);
    margin_accounts_free(&a->results);
    margin_fund_free(&a->cover);
    risk_close(&a->risk);
    portfolio_close(&a->portfolio);
    margin_files_close(&a->files);
    free(a);
    return status;
}

int cli_margin(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "backtest") == 0) {
        argv[1] = "margin backtest";
        return cli_margin_backtest(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "run") == 0) {
        argv[1] = "margin run";
        return cli_margin_run(argc - 1, argv + 1);
    }
    return margin_portfolio(argc, argv);
}
