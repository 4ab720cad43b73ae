/* margin_run.c: `dojima margin run`: margins every account of a node and puts the results in force
 * (CLEAR-05), and sizes the default fund (CLEAR-11).
 *
 * The run begins first, so that what is traded from then on is counted by SPAN on top of it; then
 * positions, settlement prices and terms are read, everything is computed, and only when all of it
 * stands are the results submitted and committed. What fails in between gives the run up: nothing
 * is in force of it.
 *
 * Upstream: a node; price histories, parameters, stress set. Downstream: the node.
 */
#include "base/decimal.h"
#include "cli/margin_node.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_RUN = 800, KEY_DRY, KEY_FUND, BATCH = 16, RUN_VALID_S = 600 };

struct arguments {
    struct client client;
    struct margin_files files;
    int64_t run;
    bool dry, fund;
    struct node node;
    struct risk risk;
    int32_t day;
    struct margin_accounts results;
    struct margin_fund cover; /* its size NULL: nobody holds anything */
};

static const struct argp_option options[] = {
    {"run", KEY_RUN, "N", 0, "The run's number, above all before it [seconds since 1970]", 1},
    {"dry-run", KEY_DRY, NULL, 0, "Compute and print; submit nothing", 1},
    {"fund", KEY_FUND, NULL, 0, "Submit the size of the default fund too", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->client;
        state->child_inputs[1] = &a->files;
        return 0;
    case KEY_RUN:
        if (decimal_parse(text, strlen(text), 0, &a->run) != DECIMAL_exact || a->run < 1)
            argp_error(state, "--run is a whole number above 0");
        return 0;
    case KEY_DRY: a->dry = true; return 0;
    case KEY_FUND: a->fund = true; return 0;
    case ARGP_KEY_ARG: argp_usage(state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&client_argp, 0, "The node:", 10}, {&margin_files_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .options = options, .parser = parse, .children = children,
    .doc = "Margins every account of a running node by CLEAR-05 and puts the results in force. The "
           "key needs the scopes clear and auditor."};

/* ---- computing ---- */

static int set_day(struct arguments *a, struct quant_error *error)
{
    if (a->files.date != NULL) return margin_day("--date", a->files.date, &a->day, error);
    a->day = margin_today();
    return 0;
}

static int open_risk(struct arguments *a, struct quant_error *error)
{
    struct risk *r = &a->risk;
    const struct portfolio *p = &a->node.portfolio;
    if (set_day(a, error) != 0 ||
        risk_open(r, &a->files.parameters, &a->files.history, &a->files.stress,
                  (const char (*)[QUANT_NAME_SIZE])p->instruments, p->instrument_count,
                  error) != 0 ||
        risk_as_of(r, &a->files.history, a->day, error) != 0)
        return -1;
    return margin_node_apply(&a->node, r, a->day, error);
}

static int compute(struct arguments *a, struct quant_error *error)
{
    const struct portfolio *p = &a->node.portfolio;
    if (p->count == 0) return 0; /* nobody holds anything */
    if (open_risk(a, error) != 0 ||
        margin_accounts_compute(&a->results, p, &a->risk, NULL, error) != 0)
        return -1;
    return margin_fund_cover(&a->cover, p, &a->risk, &a->results, error);
}

/* ---- submitting ---- */

static int phase(struct arguments *a, const char *name, const char *key, int64_t value)
{
    client_begin(&a->client);
    json_key_int(&a->client.params, "run", a->run);
    json_key_string(&a->client.params, "phase", name);
    if (key != NULL) json_key_int(&a->client.params, key, value);
    return client_call(&a->client, "private/clearing_margin_run");
}

static void result_write(struct json_writer *w, const char *account, const struct requirement *q)
{
    int64_t least = q->floor_notional > q->floor_volume ? q->floor_notional : q->floor_volume;
    if (q->short_option > least) least = q->short_option;
    json_open_object(w);
    json_key_string(w, "account", account);
    json_key_fixed(w, "core", q->core, 6);
    json_key_fixed(w, "liquidity", q->liquidity, 6);
    json_key_fixed(w, "concentration", q->concentration, 6);
    json_key_fixed(w, "floor", least, 6);
    json_key_fixed(w, "total", q->total, 6);
    json_key_fixed(w, "stress_loss", q->stressed.worst_loss, 6);
    json_close_object(w);
}

static int submit(struct arguments *a)
{
    const struct portfolio *p = &a->node.portfolio;
    struct client *c = &a->client;
    for (uint32_t from = 0; from < p->account_count; from += BATCH) {
        client_begin(c);
        json_key_int(&c->params, "run", a->run);
        json_key(&c->params, "results");
        json_open_array(&c->params);
        for (uint32_t i = from; i < from + BATCH && i < p->account_count; i++)
            result_write(&c->params, p->accounts[i].name, &a->results.items[i].requirement);
        json_close_array(&c->params);
        if (client_call(c, "private/clearing_margin_results") != 0) return 1;
    }
    return phase(a, "commit", "accounts", p->account_count);
}

/* Each member's shortfall in its own worst scenario. The node makes the fund the sum of the two
 * greatest, which is never less than two members' in one scenario. */
static int submit_fund(struct arguments *a)
{
    struct client *c = &a->client;
    char date[QUANT_DATE_SIZE];
    client_begin(c);
    json_key_string(&c->params, "date", quant_date(date, a->day));
    json_key_string(&c->params, "basis", "stress_loss");
    json_key(&c->params, "shares");
    json_open_array(&c->params);
    for (uint32_t m = 0; m < a->cover.member_count; m++) {
        json_open_object(&c->params);
        json_key_string(&c->params, "member", a->cover.members[m]);
        json_key_fixed(&c->params, "stress_loss", a->cover.member_worst[m], 6);
        json_close_object(&c->params);
    }
    json_close_array(&c->params);
    return client_call(c, "private/clearing_fund_size");
}

/* ---- what was done ---- */

static int print(const struct arguments *a)
{
    static const struct table_column columns[] = {
        {"account", TABLE_TEXT}, {"core", TABLE_NUMBER}, {"liquidity", TABLE_NUMBER},
        {"concentration", TABLE_NUMBER}, {"margin", TABLE_NUMBER}, {"binding", TABLE_TEXT},
        {"driven by", TABLE_TEXT}, {NULL, 0}};
    const struct portfolio *p = &a->node.portfolio;
    struct table *t = table_new(columns, a->client.colour);
    if (t == NULL) return 1;
    for (uint32_t i = 0; i < p->account_count; i++) {
        const struct requirement *q = &a->results.items[i].requirement;
        char usd[MARGIN_USD_SIZE], driver[MARGIN_DRIVER_SIZE];
        table_add(t, TABLE_PLAIN, p->accounts[i].name);
        table_add(t, TABLE_PLAIN, margin_usd(usd, q->core));
        table_add(t, TABLE_PLAIN, margin_usd(usd, q->liquidity));
        table_add(t, TABLE_PLAIN, margin_usd(usd, q->concentration));
        table_add(t, TABLE_BOLD, margin_usd(usd, q->total));
        table_add(t, TABLE_PLAIN, margin_binding(q->binding));
        table_add(t, TABLE_DIM, margin_driver(driver, &a->risk, &q->filtered, false));
    }
    if (table_rows(t) > 0) table_print(t, stdout, true);
    table_free(t);
    (void)printf("run %lld: %u of %u accounts hold positions%s\n", (long long)a->run,
                 p->account_count, a->node.accounts, a->dry ? "; nothing was submitted" : "");
    margin_fund_print(&a->cover, &a->risk);
    return 0;
}

static int print_json(const struct arguments *a)
{
    const struct portfolio *p = &a->node.portfolio;
    size_t capacity = 512 + (size_t)(p->account_count + 1) * 512;
    struct json_writer w = {.bytes = malloc(capacity), .capacity = capacity};
    if (w.bytes == NULL) return 1;
    json_reset(&w);
    json_open_object(&w);
    json_key_int(&w, "run", a->run);
    json_key_bool(&w, "submitted", !a->dry);
    json_key_fixed(&w, "fund", a->cover.size != NULL ? a->cover.size->worst.cover : 0, 6);
    json_key(&w, "results");
    json_open_array(&w);
    for (uint32_t i = 0; i < p->account_count; i++)
        result_write(&w, p->accounts[i].name, &a->results.items[i].requirement);
    json_close_array(&w);
    json_close_object(&w);
    int status = margin_json_print(&w);
    free(w.bytes);
    return status;
}

/* Whether any margin falls short anywhere: a fund of nothing is not submitted. */
static bool needs_fund(const struct margin_fund *f)
{
    for (uint32_t m = 0; m < f->member_count; m++) {
        if (f->member_worst[m] > 0) return true;
    }
    return false;
}

static int run(struct arguments *a)
{
    struct quant_error error = {0};
    if (margin_files_read(&a->files) != 0) return 1;
    if (!a->dry && phase(a, "begin", "valid_s", RUN_VALID_S) != 0) return 1;
    int status = margin_node_read(&a->client, &a->node);
    if (status == 0 && compute(a, &error) != 0) status = margin_say(&error);
    if (status == 0 && !a->dry) status = submit(a);
    if (status != 0 && !a->dry) {
        (void)fprintf(stderr, "dojima: run %lld is given up, nothing of it is in force\n",
                      (long long)a->run);
        (void)phase(a, "abort", NULL, 0);
        return 1;
    }
    if (status == 0 && a->fund && !a->dry && a->cover.size != NULL && needs_fund(&a->cover))
        status = submit_fund(a);
    if (status != 0) return 1;
    return a->client.json ? print_json(a) : print(a);
}

int cli_margin_run(int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    if (a == NULL) return 1;
    client_init(&a->client);
    margin_files_init(&a->files);
    a->run = (int64_t)time(NULL);
    client_parse(&argp, argc, argv, a);
    int status = run(a);
    client_close(&a->client);
    risk_close(&a->risk);
    margin_node_close(&a->node);
    margin_files_close(&a->files);
    margin_accounts_free(&a->results);
    margin_fund_free(&a->cover);
    free(a);
    return status;
}
