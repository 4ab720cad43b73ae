/* index_series.c: `dojima index series`: an index of GPU hours out of a file of offers or of spot
 * prices, and in USD per CT by a certified throughput (INDEX-04, UNIT-01).
 *
 * Upstream: files. Downstream: standard output.
 */
#include "cli/index_series.h"

#include "base/time_text.h"
#include "cli/margin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000, DAY_MS = 86400000, KEY_KIND = 700, KEY_GPUS, KEY_PERIOD, KEY_LENIENT,
       KEY_WILD, KEY_TRIM, KEY_SHARE, KEY_OFFERS, KEY_PROVIDERS, KEY_STALE, KEY_CT, KEY_CERTIFICATE,
       KEY_CERTIFIED_GPUS, KEY_CSV, KEY_SVG, KEY_EACH, KEY_SUBMIT,
       KEY_OBSERVED };

struct arguments {
    struct client client;
    struct index_series_options o;
    const char *path, *certificate, *svg, *submit;
    int64_t observed_ms; /* 0: when the last price was */
    double wild, trim, share, stale_days, ct, certified_gpus; /* below 0: not given */
    long offers, providers;
    int64_t period_ms;
    bool csv, each;
};

static double number_of(struct argp_state *state, const char *name, const char *text, double low,
                        double high)
{
    double value;
    if (!quant_number(text, strlen(text), &value) || value < low || value > high)
        argp_error(state, "--%s is no number from %g to %g: %s", name, low, high, text);
    return value;
}

static void type_take(struct arguments *a, struct argp_state *state, const char *text)
{
    size_t key = strcspn(text, "=");
    if (text[key] != '=' || key == 0 || key >= sizeof a->o.types[0].name ||
        a->o.type_count == INDEX_TYPES_MAX)
        argp_error(state, "--gpus takes TYPE=N");
    memcpy(a->o.types[a->o.type_count].name, text, key);
    a->o.types[a->o.type_count++].gpus = number_of(state, "gpus", text + key + 1, 1, 1e4);
}

static error_t parse_method(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_WILD: a->wild = number_of(state, "wild", text, 1e-6, 100); return 0;
    case KEY_TRIM: a->trim = number_of(state, "trim", text, 0, 0.49); return 0;
    case KEY_SHARE: a->share = number_of(state, "share", text, 0.001, 1); return 0;
    case KEY_OFFERS: a->offers = (long)number_of(state, "minimum-offers", text, 1, 1e6); return 0;
    case KEY_PROVIDERS:
        a->providers = (long)number_of(state, "minimum-providers", text, 1, 1e4);
        return 0;
    case KEY_STALE: a->stale_days = number_of(state, "stale-days", text, 0, 1e4); return 0;
    case KEY_CT: a->ct = number_of(state, "certified-ct-per-hour", text, 1e-9, 1e9); return 0;
    case KEY_CERTIFIED_GPUS:
        a->certified_gpus = number_of(state, "certified-gpus", text, 1, 1e6);
        return 0;
    case KEY_PERIOD:
        if (strcmp(text, "hour") != 0 && strcmp(text, "day") != 0)
            argp_error(state, "--period is hour or day");
        a->period_ms = text[0] == 'h' ? HOUR_MS : DAY_MS;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case 'f': a->o.panel.format = text; return 0;
    case 'g': a->o.panel.gpu = text; return 0;
    case KEY_KIND: a->o.panel.kind = text; return 0;
    case KEY_GPUS: type_take(a, state, text); return 0;
    case KEY_LENIENT: a->o.panel.lenient = true; return 0;
    case KEY_CERTIFICATE: a->certificate = text; return 0;
    case KEY_SVG: a->svg = text; return 0;
    case KEY_SUBMIT: a->submit = text; return 0;
    case KEY_OBSERVED: {
        ts_t ts;
        if (time_parse(text, strlen(text), &ts) != 0 || ts.v < 0)
            argp_error(state, "--observed is no time: %s", text);
        a->observed_ms = ts.v / 1000000;
        return 0;
    }
    case KEY_CSV: a->csv = true; return 0;
    case KEY_EACH: a->each = true; return 0;
    case ARGP_KEY_ARG:
        if (a->path != NULL) argp_usage(state);
        a->path = text;
        return 0;
    case ARGP_KEY_END:
        if (a->path == NULL || a->o.panel.format == NULL) argp_usage(state);
        if (a->ct > 0 && a->certificate != NULL)
            argp_error(state, "the throughput comes from one place");
        return 0;
    default: return parse_method(key, text, state);
    }
}

static const struct argp_option options[] = {
    {"format", 'f', "FORMAT", 0, "aws-json, aws-csv, gcp, gpurentalprices, primeintellect, vast, "
     "vast-filtered", 1},
    {"gpu", 'g', "NAME", 0, "Only this GPU, by the file's own name", 1},
    {"kind", KEY_KIND, "KIND", 0, "Of gcp spot or ondemand; of gpurentalprices its kind", 1},
    {"gpus", KEY_GPUS, "TYPE=N", 0, "GPUs of an instance type (aws-json); several times", 1},
    {"lenient", KEY_LENIENT, NULL, 0, "Pass over rows that cannot be, and say how many", 1},
    {"period", KEY_PERIOD, "hour|day", 0, "[day]", 2},
    {"wild", KEY_WILD, "X", 0, "An offer whose price moves, as a logarithm, farther than this from "
     "the median of the moves is left out [0.5]", 2},
    {"trim", KEY_TRIM, "SHARE", 0, "Of the weight, left out at either end besides [0]", 2},
    {"share", KEY_SHARE, "SHARE", 0, "Most that a provider's offers weigh together [0.35]", 2},
    {"minimum-offers", KEY_OFFERS, "N", 0, "Matched offers without which it stays [3]", 2},
    {"minimum-providers", KEY_PROVIDERS, "N", 0, "Providers behind them [2]", 2},
    {"stale-days", KEY_STALE, "N", 0, "How long a price counts [14 of spot prices and lists, "
     "else 2]", 2},
    {"certified-ct-per-hour", KEY_CT, "X", 0, "Throughput of a GPU, or of --certified-gpus", 3},
    {"certificate", KEY_CERTIFICATE, "FILE", 0, "... from a certificate", 3},
    {"certified-gpus", KEY_CERTIFIED_GPUS, "N", 0, "GPUs that did it [1]", 3},
    {"csv", KEY_CSV, NULL, 0, "Print the periods as CSV", 4},
    {"offers", KEY_EACH, NULL, 0, "Print every offer's price in every period, as CSV", 4},
    {"svg", KEY_SVG, "FILE", 0, "Draw it", 4},
    {"submit", KEY_SUBMIT, "INDEX", 0, "Send the latest value to a node, as its source", 5},
    {"observed", KEY_OBSERVED, "TIME", 0, "When it was observed [when the last price was]", 5},
    {0}};

/* ---- the throughput ---- */

/* CT an hour of one GPU; 0: none was asked for. */
static int throughput_of(const struct arguments *a, double *ct, struct quant_error *error)
{
    *ct = a->ct > 0 ? a->ct / a->certified_gpus : 0;
    if (a->certificate == NULL) return 0;
    if (index_certificate_work(a->certificate, ct, error) != 0) return -1;
    *ct /= a->certified_gpus;
    return 0;
}

/* ---- printing ---- */

static const char *const status_words[] = {"", "base", "", "held"};

static void at_text(char text[TIME_TEXT_SIZE], int64_t ms, int64_t period_ms)
{
    (void)time_format(text, TS(ms * 1000000));
    text[period_ms == DAY_MS ? 10 : 16] = 0;
}

static void points_print(const struct arguments *a, const struct index_series_made *s, double ct)
{
    char at[TIME_TEXT_SIZE];
    (void)fputs(a->csv ? "period,usd_gpu_hour,usd_ct,naive_median,offers,matched,providers,status\n"
                       : "period            USD/GPU-h   USD/CT   naive  offers matched providers\n",
                stdout);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct series_point *p = &s->points[i];
        if (p->level <= 0) continue;
        at_text(at, p->ms, a->period_ms);
        char per_ct[24] = "";
        if (ct > 0) (void)snprintf(per_ct, sizeof per_ct, "%.*f", a->csv ? 6 : 4, p->level / ct);
        if (a->csv)
            (void)printf("%s,%.6f,%s,%.6f,%u,%u,%u,%s\n", at, p->level, per_ct, p->naive,
                         p->offers, p->matched, p->providers, status_words[p->status]);
        else
            (void)printf("%-16s %10.4f %8s %8.4f %6u %7u %9u %s\n", at, p->level, per_ct,
                         p->naive, p->offers, p->matched, p->providers, status_words[p->status]);
    }
}

static void summary_print(const struct arguments *a, const struct panel *p,
                          const struct index_series_made *s)
{
    double volatility;
    uint32_t moves, held = 0;
    FILE *out = a->csv ? stderr : stdout;
    for (uint32_t i = 0; i < s->count; i++) held += s->points[i].status == SERIES_held;
    (void)fprintf(out, "%u quotes of %u offers by %u providers; %u periods, in %u of them held\n",
                  p->quote_count, p->offer_count, p->provider_count, s->count, held);
    for (int i = 0; i < PANEL_SKIP_count; i++) {
        if (p->skipped[i] > 0)
            (void)fprintf(out, "passed over: %u, %s\n", p->skipped[i],
                          panel_skip_text((enum panel_skip)i));
    }
    for (int naive = 1; naive >= 0; naive--) {
        const char *name = naive ? "naive median" : "index";
        if (series_volatility(s, a->period_ms, naive != 0, &volatility, &moves))
            (void)fprintf(out, "annualised volatility, %s: %.1f%% (%u moves)\n", name,
                          100 * volatility, moves);
    }
}

static int offers_print(const struct arguments *a, const struct panel *p,
                        const struct series_method *m)
{
    struct series_periods all = series_periods_of(p, m->period_ms);
    char at[TIME_TEXT_SIZE];
    double *prices = calloc((size_t)all.count + 1, sizeof *prices);
    (void)puts("period,offer,usd_gpu_hour");
    for (uint32_t i = 0; prices != NULL && i < p->offer_count; i++) {
        if (series_offer(p, m, i, prices) != 0) {
            free(prices);
            return 1;
        }
        for (uint32_t t = 0; t < all.count; t++) {
            at_text(at, all.first_ms + (int64_t)t * m->period_ms, a->period_ms);
            if (!isnan(prices[t])) (void)printf("%s,%s,%.6f\n", at, p->offers[i].name, prices[t]);
        }
    }
    free(prices);
    return prices == NULL;
}

/* ---- the command ---- */

static struct series_method method_of(const struct arguments *a, const struct panel *p)
{
    struct series_method m = series_method_default(p, a->period_ms);
    if (a->wild > 0) m.wild = a->wild;
    if (a->trim >= 0) m.trim = a->trim;
    if (a->share > 0) m.share = a->share;
    if (a->offers > 0) m.offers_min = (uint32_t)a->offers;
    if (a->providers > 0) m.providers_min = (uint32_t)a->providers;
    if (a->stale_days >= 0) m.stale_ms = (int64_t)(a->stale_days * DAY_MS);
    return m;
}

static int panel_load(const struct arguments *a, struct panel *p, struct quant_error *error)
{
    size_t length;
    bool more = false;
    char *text = index_load(a->path, &length, error);
    if (text == NULL) return -1;
    int status = strcmp(a->o.panel.format, "aws-json") == 0
                     ? index_aws_read(p, &a->o, a->path, text, length, &more, error)
                     : panel_read_csv(p, &a->o.panel, a->path, text, length, error);
    free(text);
    if (more)
        (void)fprintf(stderr, "dojima: %s: the last page names a next one: there is more\n",
                      a->path);
    return status;
}

/* By the CT where a throughput is given. A value that only stands because too few were matched is
 * nobody's observation. */
static int submit(struct arguments *a, const struct panel *p, const struct index_series_made *s,
                  double ct)
{
    const struct series_point *last = &s->points[s->count - 1];
    int64_t observed = a->observed_ms > 0 ? a->observed_ms : p->quotes[p->quote_count - 1].ms;
    if (last->status != SERIES_chained && last->status != SERIES_base) {
        (void)fprintf(stderr, "dojima: too few offers are matched: nothing is submitted\n");
        return 1;
    }
    double value = ct > 0 ? last->level / ct : last->level;
    return index_series_submit(&a->client, a->submit, value, observed);
}

static int make_and_print(struct arguments *a, const struct panel *p, double ct)
{
    struct series_method m = method_of(a, p);
    struct index_series_made made;
    struct quant_error error = {{0}};
    char title[200];
    if (a->each) return offers_print(a, p, &m);
    if (series_make(&made, p, &m, &error) != 0) return margin_say(&error);
    points_print(a, &made, ct);
    summary_print(a, p, &made);
    (void)snprintf(title, sizeof title, "%.40s%s%.40s: USD per GPU and hour", a->o.panel.format,
                   a->o.panel.gpu != NULL ? ", " : "",
                   a->o.panel.gpu != NULL ? a->o.panel.gpu : "");
    int status = a->svg != NULL ? index_series_svg(a->svg, title, &made) : 0;
    if (status == 0 && a->submit != NULL) status = submit(a, p, &made, ct);
    series_free(&made);
    return status;
}

int index_main_series(int argc, char **argv)
{
    static const struct argp_child children[] = {{&client_argp, 0, "The node:", 10}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "FILE|-", .children = children,
        .doc = "An index of GPU hours: matched offers, chained, so that offers that come and go "
               "move nothing; docs/index.md says how. Beside it the naive median."};
    static struct arguments a; /* a client is large */
    a = (struct arguments){.wild = -1, .trim = -1, .share = -1, .stale_days = -1, .ct = -1,
                          .certified_gpus = 1, .period_ms = DAY_MS};
    struct quant_error error = {{0}};
    struct panel panel;
    double ct;
    client_init(&a.client);
    client_parse(&argp, argc, argv, &a);
    if (throughput_of(&a, &ct, &error) != 0) return margin_say(&error);
    if (panel_load(&a, &panel, &error) != 0) return margin_say(&error);
    int status = make_and_print(&a, &panel, ct);
    client_close(&a.client);
    panel_close(&panel);
    return status;
}
