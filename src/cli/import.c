/* import.c: `dojima import lobster|kraken-l2|independent-reserve FILE`: real order flow through the
 * real core, in memory, and what came of it in figures.
 *
 * Exit status: 0 all that the format lets us check holds; 1 it does not, or the file is broken; 2
 * usage.
 */
#include "cli/import.h"

#include "cli/cli.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

void import_figure(struct import_report *r, const char *key, const char *label, int64_t value)
{
    ASSERT(r->count < IMPORT_FIGURES_MAX);
    r->figures[r->count++] = (struct import_figure){.key = key, .label = label, .value = value};
}

int64_t import_value(const struct import_report *r, const char *key)
{
    for (int i = 0; i < r->count; i++) {
        if (strcmp(r->figures[i].key, key) == 0) return r->figures[i].value;
    }
    return INT64_MIN;
}

struct arguments {
    const char *format;
    struct import_options options;
    bool json;
};

static const struct {
    const char *name;
    int (*run)(const struct import_options *options, struct import_report *report);
} formats[] = {
    {"lobster", import_lobster},
    {"kraken-l2", import_kraken},
    {"independent-reserve", import_independent_reserve},
};

enum { KEY_JSON = 256, KEY_DEPTH };

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_JSON: a->json = true; return 0;
    case KEY_DEPTH: {
        int64_t depth;
        if (!import_number(text, 0, &depth) || depth < 10 || depth > 4000)
            argp_error(state, "--depth is a number from 10 to 4000");
        a->options.depth = (uint32_t)depth;
        return 0;
    }
    case ARGP_KEY_ARG:
        if (state->arg_num == 0) a->format = text;
        else if (state->arg_num == 1) a->options.path = text;
        else argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num < 2) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"json", KEY_JSON, NULL, 0, "Print the figures as one JSON object", 0},
    {"depth", KEY_DEPTH, "N", 0, "kraken-l2: levels that the subscription keeps [1000]", 0},
    {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "lobster|kraken-l2|independent-reserve FILE",
    .doc = "Real order flow through the real core, in memory; figures at the end.\v"
           "FILE is plain CSV or gz. Formats: LOBSTER message files (NASDAQ); Kraken's level-2 "
           "feed with its checksums; Independent Reserve's order-by-order feed. Exit status: 0 "
           "when all that the format lets us check holds, 1 when it does not, 2 on usage."};

static void print_json(const struct arguments *a, const struct import_report *r)
{
    (void)printf("{\"format\":\"%s\"", a->format);
    for (int i = 0; i < r->count; i++)
        (void)printf(",\"%s\":%lld", r->figures[i].key, (long long)r->figures[i].value);
    (void)printf(",\"ok\":%s}\n", r->ok ? "true" : "false");
}

static void print_table(const struct import_report *r)
{
    int width = 0;
    for (int i = 0; i < r->count; i++) {
        int length = (int)strlen(r->figures[i].label);
        width = length > width ? length : width;
    }
    for (int i = 0; i < r->count; i++)
        (void)printf("%-*s %14lld\n", width, r->figures[i].label, (long long)r->figures[i].value);
}

int cli_import(int argc, char **argv)
{
    struct arguments a = {.options = {.depth = 1000}};
    static char name[] = "dojima import";
    argv[0] = name;
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return 2;
    a.options.progress = uv_guess_handle(fileno(stderr)) == UV_TTY;
    size_t i = 0, count = sizeof formats / sizeof formats[0];
    while (i < count && strcmp(formats[i].name, a.format) != 0) i++;
    if (i == count) {
        (void)fprintf(stderr, "dojima import: there is no format %s\n", a.format);
        return 2;
    }
    struct import_report report = {0};
    int status = formats[i].run(&a.options, &report);
    if (status != 0) {
        (void)fprintf(stderr, "dojima import: %s\n", report.error);
        return 1;
    }
    if (a.json) print_json(&a, &report);
    else print_table(&report);
    if (!report.ok)
        (void)fprintf(stderr, "dojima import: not all checks hold. %s\n", report.error);
    return report.ok ? 0 : 1;
}
