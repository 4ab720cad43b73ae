/* report.c: `dojima report pfmi`: the figures of PFMI's quantitative disclosures, as Markdown that
 * is a table in a terminal too, or as JSON (CLEAR-11).
 *
 * Upstream: report_node.c, report_history.c. Downstream: standard output.
 */
#include "cli/report.h"

#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_DATABASE = 900, KEY_FROM, KEY_TO, KEY_PARAMETERS, YEAR = 365 };

struct arguments {
    struct client client;
    const char *database, *from, *to, *parameters_path, *name;
    struct parameters parameters;
    struct report report;
};

static const struct argp_option options[] = {
    {"database", KEY_DATABASE, "FILE", 0,
     "The node's history, history.sqlite of its data directory", 1},
    {"from", KEY_FROM, "YYYY-MM-DD", 0, "The first day [a year before the last]", 1},
    {"to", KEY_TO, "YYYY-MM-DD", 0, "The last day [today]", 1},
    {"parameters", KEY_PARAMETERS, "FILE", 0,
     "Numbers of the margin method [config/margin/parameters.csv]", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case KEY_DATABASE: a->database = text; return 0;
    case KEY_FROM: a->from = text; return 0;
    case KEY_TO: a->to = text; return 0;
    case KEY_PARAMETERS: a->parameters_path = text; return 0;
    case ARGP_KEY_ARG:
        if (a->name != NULL || strcmp(text, "pfmi") != 0) argp_usage(state);
        a->name = text;
        return 0;
    case ARGP_KEY_END:
        if (a->name == NULL) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&client_argp, 0, "The node:", 10}, {0}};
static const struct argp argp = {
    .options = options, .parser = parse, .args_doc = "pfmi", .children = children,
    .doc = "CPMI-IOSCO's public quantitative disclosures of a running node. The key needs the "
           "scopes clear or auditor."};

void report_add(struct report *r, const char *number, const char *text, const char *unit,
                const char *source, const char *format, ...)
{
    if (r->count == REPORT_ITEMS_MAX) return;
    struct report_item *item = &r->items[r->count++];
    *item = (struct report_item){.number = number, .text = text, .unit = unit,
                                 .source = source, .order = r->count};
    if (format == NULL) return;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(item->value, sizeof item->value, format, list);
    va_end(list);
}

static int set_days(struct arguments *a, struct quant_error *error)
{
    a->report.to = margin_today();
    if (a->to != NULL && margin_day("--to", a->to, &a->report.to, error) != 0) return -1;
    a->report.from = a->report.to - YEAR + 1;
    if (a->from != NULL && margin_day("--from", a->from, &a->report.from, error) != 0) return -1;
    if (a->report.from > a->report.to)
        return quant_fail(error, "--from", 0, "is behind --to");
    return 0;
}

/* "6.10" would stand behind "6.8"; those of one heading as they were added. */
static int by_number(const void *a, const void *b)
{
    const struct report_item *x = a, *y = b;
    const char *p = x->number, *q = y->number;
    while (*p != 0 && *q != 0) {
        long m = strtol(p, (char **)(void *)&p, 10), n = strtol(q, (char **)(void *)&q, 10);
        if (m != n) return m < n ? -1 : 1;
        p += *p == '.';
        q += *q == '.';
    }
    if ((*p == 0) != (*q == 0)) return *p == 0 ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void print(const struct report *r)
{
    char from[QUANT_DATE_SIZE], to[QUANT_DATE_SIZE];
    (void)printf("# Quantitative disclosures, %s to %s\n\n4 to 7: under the headings of "
                 "CPMI-IOSCO, Public quantitative disclosure standards for central counterparties, "
                 "2015; from 13 on: under the principle of PFMI.\n\n"
                 "| no. | disclosure | value | unit | from |\n|---|---|---|---|---|\n",
                 quant_date(from, r->from), quant_date(to, r->to));
    for (uint32_t i = 0; i < r->count; i++) {
        const struct report_item *item = &r->items[i];
        (void)printf("| %s | %s | %s | %s | %s |\n", item->number, item->text,
                     item->value[0] != 0 ? item->value : "none", item->unit, item->source);
    }
}

static int print_json(const struct report *r)
{
    static char bytes[REPORT_ITEMS_MAX * 1024];
    struct json_writer w = {.bytes = bytes, .capacity = sizeof bytes};
    char date[QUANT_DATE_SIZE];
    json_reset(&w);
    json_open_object(&w);
    json_key_string(&w, "from", quant_date(date, r->from));
    json_key_string(&w, "to", quant_date(date, r->to));
    json_key(&w, "disclosures");
    json_open_array(&w);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct report_item *item = &r->items[i];
        json_open_object(&w);
        json_key_string(&w, "number", item->number);
        json_key_string(&w, "text", item->text);
        if (item->value[0] != 0) json_key_string(&w, "value", item->value);
        else json_key_null(&w, "value");
        json_key_string(&w, "unit", item->unit);
        json_key_string(&w, "source", item->source);
        json_close_object(&w);
    }
    json_close_array(&w);
    json_close_object(&w);
    return margin_json_print(&w);
}

int cli_report(int argc, char **argv)
{
    struct arguments *a = calloc(1, sizeof *a);
    struct quant_error error = {0};
    if (a == NULL) return 1;
    client_init(&a->client);
    a->parameters_path = MARGIN_PARAMETERS_PATH;
    client_parse(&argp, argc, argv, a);
    int status = 0;
    if (set_days(a, &error) != 0 ||
        margin_parameters_read(&a->parameters, a->parameters_path, &error) != 0)
        status = margin_say(&error);
    if (status == 0) status = report_node(&a->report, &a->client);
    if (status == 0) status = report_history(&a->report, a->database);
    if (status == 0) status = report_model(&a->report, &a->parameters);
    if (status == 0) {
        qsort(a->report.items, a->report.count, sizeof a->report.items[0], by_number);
        if (a->client.json) status = print_json(&a->report);
        else print(&a->report);
    }
    client_close(&a->client);
    free(a);
    return status;
}
