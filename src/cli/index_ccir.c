/* index_ccir.c: `dojima index ccir`: CCIR's indices again from its offers, by its method; with its
 * publications beside, each is compared (INDEX-04).
 *
 * Upstream: files. Downstream: standard output.
 */
#include "cli/index.h"

#include "cli/client.h"
#include "cli/margin.h"
#include "quant/ccir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OFFERS_1_1_0 = 10, OFFERS_1_1_1 = 8 };

struct arguments {
    const char *path, *published, *model, *last;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'p': a->published = text; return 0;
    case 'm': a->model = text; return 0;
    case 'e': a->last = text; return 0;
    case ARGP_KEY_ARG:
        if (a->path != NULL) argp_usage(state);
        a->path = text;
        return 0;
    case ARGP_KEY_END:
        if (a->path == NULL || (a->published == NULL) != (a->model != NULL && a->last != NULL))
            argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

struct work {
    const char *file, *text;
    size_t length;
    struct quant_error *error;
    uint32_t compared, equal;
};

/* CCIR's name of an index is not that of the model it is of. */
static const char *model_of(const struct csv *c, int column)
{
    static const char *const names[][2] = {
        {"cri-h100", "h100-sxm-us"}, {"cri-h200", "h200-us"}, {"cri-l40s", "l40s-us"},
        {"cri-4090", "rtx4090-us"},  {"cri-a100", "a100-pcie-us"}, {"cri-v100", "v100-us"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (csv_is(c, column, names[i][0])) return names[i][1];
    }
    return NULL;
}

static int make(struct work *w, const char *model, int32_t last, uint32_t offers_min,
                struct ccir_index *index)
{
    struct ccir_offers offers;
    if (ccir_read(&offers, model, w->file, w->text, w->length, w->error) != 0) return -1;
    bool any = ccir_make(&offers, last, offers_min, index);
    ccir_close(&offers);
    if (any) return 0;
    return quant_fail(w->error, w->file, 0, "no day of the window has enough offers of %s", model);
}

static bool near(double a, double b) { return fabs(a - b) <= 0.00005000001; }

/* A published line: its value, and what it says of the offers behind it. */
static int line_check(struct work *w, struct csv *c, const int *at)
{
    int32_t last;
    double value, low, high, mean, deviation;
    int64_t observations, days;
    struct ccir_index found;
    const char *model = model_of(c, at[0]);
    if (model == NULL) return csv_bad(c, "an index that is not known");
    if (!csv_date(c, at[1], &last) || !csv_number(c, at[2], &value) ||
        !csv_integer(c, at[3], &observations) || !csv_integer(c, at[4], &days) ||
        !csv_number(c, at[5], &low) || !csv_number(c, at[6], &high) ||
        !csv_number(c, at[7], &mean) || !csv_number(c, at[8], &deviation))
        return csv_bad(c, "a number or date is none");
    uint32_t offers_min = csv_is(c, at[9], "1.1.0") ? OFFERS_1_1_0 : OFFERS_1_1_1;
    if (make(w, model, last, offers_min, &found) != 0) return -1;
    bool equal = found.value_e4 == llround(value * 1e4) && found.observations == observations &&
                 found.days == days && near(found.low, low) && near(found.high, high) &&
                 near(found.mean, mean) && near(found.deviation, deviation);
    char date[QUANT_DATE_SIZE];
    (void)printf("%-14s to %s  published %.4f  computed %.4f  of %u offers, %u days  %s\n", model,
                 quant_date(date, last), value, (double)found.value_e4 / 1e4, found.observations,
                 found.days, equal ? "equal" : "DIFFERS");
    w->compared += 1;
    w->equal += equal;
    return 0;
}

static int published_check(struct work *w, const char *path)
{
    static const char *const titles[] = {"file", "window_end", "index_value",
                                         "total_observations", "valid_days", "obs_min", "obs_max",
                                         "obs_mean", "obs_stdev", "methodology_version"};
    int at[10], more;
    struct csv c;
    size_t length;
    char *text = index_load(path, &length, w->error);
    if (text == NULL) return -1;
    csv_open(&c, path, text, length, w->error);
    int status = csv_titles(&c, titles, 10, 10, at);
    while (status == 0 && (more = csv_next(&c)) != 0)
        status = more < 0 ? -1 : line_check(w, &c, at);
    free(text);
    return status;
}

static int one_print(struct work *w, const struct arguments *a)
{
    int32_t last;
    struct ccir_index found;
    if (!quant_day(a->last, strlen(a->last), &last))
        return quant_fail(w->error, "--end", 0, "is no date");
    if (make(w, a->model, last, OFFERS_1_1_1, &found) != 0) return -1;
    (void)printf("%s to %s: %.4f USD per GPU and hour, of %u offers, %u days\n", a->model, a->last,
                 (double)found.value_e4 / 1e4, found.observations, found.days);
    return 0;
}

int index_main_ccir(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"published", 'p', "FILE", 0, "CCIR's publications: each is computed and compared", 0},
        {"model", 'm', "NAME", 0, "One index instead: its model ...", 0},
        {"end", 'e', "YYYY-MM-DD", 0, "... and the last day of its window", 0},
        {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "OFFERS",
        .doc = "CCIR's indices of rented GPUs from its filtered offers. Exit status 1 when a "
               "published value differs."};
    struct arguments a = {0};
    struct quant_error error = {{0}};
    struct work w = {.error = &error};
    client_parse(&argp, argc, argv, &a);
    char *text = index_load(a.path, &w.length, &error);
    if (text == NULL) return margin_say(&error);
    w.file = a.path;
    w.text = text;
    int status = a.published != NULL ? published_check(&w, a.published) : one_print(&w, &a);
    free(text);
    if (status != 0) return margin_say(&error);
    if (a.published != NULL) (void)printf("%u of %u equal\n", w.equal, w.compared);
    return w.equal == w.compared ? 0 : 1;
}
