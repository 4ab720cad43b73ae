/* history_gpu.c: published prices of GPU hours as a chained matched-model index; see history.h.
 *
 * index(v) = index(v-1) x sum of the prices in v / sum of the same offers' prices in v-1, over the
 * offers (machine and region) that both versions hold. An offer that is new, or has gone, moves
 * nothing. The first level is the mean of the first version's prices.
 */
#include "quant/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OFFERS_MAX = 4096, OFFER_NAME_SIZE = 96 };

struct offer {
    char name[OFFER_NAME_SIZE];
    double before, now; /* prices; 0: it is not in that version */
};

struct gpu {
    struct series *series;
    struct csv *c;
    struct offer *offers;
    uint32_t count, at; /* `at`: where the last one stood; rows come in the same order */
    int32_t day;
    double level;
    uint32_t rows; /* of the version that is open */
    char version[QUANT_NAME_SIZE];
};

static struct offer *offer_of(struct gpu *g, const char *name)
{
    for (uint32_t i = 0; i < g->count; i++) {
        uint32_t k = g->at + 1 + i < g->count ? g->at + 1 + i : g->at + 1 + i - g->count;
        if (k >= g->count || strcmp(g->offers[k].name, name) != 0) continue;
        g->at = k;
        return &g->offers[k];
    }
    if (g->count == OFFERS_MAX) return NULL;
    g->at = g->count;
    struct offer *o = &g->offers[g->count++];
    *o = (struct offer){0};
    memcpy(o->name, name, strlen(name) + 1);
    return o;
}

/* The last day's price, when a later version of the same day takes its place. */
static int put_level(struct gpu *g)
{
    struct series *s = g->series;
    if (s->days > 0 && series_day(s, s->days - 1) == g->day) {
        s->quotes[s->quote_count - 1].price = g->level;
        return 0;
    }
    return series_add(s, g->c, g->day, 0, g->level);
}

static int version_end(struct gpu *g)
{
    if (g->rows == 0) return 0;
    double now = 0, before = 0, all = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        struct offer *o = &g->offers[i];
        if (o->now > 0) all += o->now;
        if (o->now > 0 && o->before > 0) {
            now += o->now;
            before += o->before;
        }
        o->before = o->now;
        o->now = 0;
    }
    if (g->level <= 0) g->level = all / (double)g->rows;
    else if (before > 0) g->level *= now / before;
    g->rows = 0;
    return put_level(g);
}

static int take(struct gpu *g, int machine, int region, int price)
{
    char a[QUANT_NAME_SIZE], b[QUANT_NAME_SIZE], name[OFFER_NAME_SIZE];
    double value;
    if (csv_empty(g->c, price)) return 0; /* spot prices begin later than the list */
    if (!csv_number(g->c, price, &value) || value <= 0)
        return csv_bad(g->c, "the price is not a number above 0");
    if (!csv_name(g->c, machine, a) || !csv_name(g->c, region, b) ||
        strlen(a) + strlen(b) + 2 > sizeof name)
        return csv_bad(g->c, "machine and region name no offer");
    (void)snprintf(name, sizeof name, "%.46s@%.46s", a, b);
    struct offer *o = offer_of(g, name);
    if (o == NULL) return csv_bad(g->c, "more than %d offers", OFFERS_MAX);
    if (o->now > 0) return csv_bad(g->c, "%s stands twice in one version", name);
    o->now = value;
    g->rows += 1;
    return 0;
}

static int read_rows(struct gpu *g, const struct history_filter *filter, int price)
{
    int ts = csv_column(g->c, "ts_utc"), machine = csv_column(g->c, "machine");
    int region = csv_column(g->c, "region"), flag = csv_column(g->c, "flag");
    if (ts < 0 || machine < 0 || region < 0)
        return csv_bad(g->c, "columns ts_utc, machine and region must be there");
    int more;
    while ((more = csv_next(g->c)) == 1) {
        char version[QUANT_NAME_SIZE];
        int32_t day;
        if (!history_filter_pass(filter, g->c) || csv_is(g->c, flag, "INCOMPLETE_PRICE")) continue;
        if (!csv_date(g->c, ts, &day) || !csv_name(g->c, ts, version))
            return csv_bad(g->c, "ts_utc is no time");
        if (strcmp(version, g->version) != 0) {
            if (version_end(g) != 0) return -1;
            memcpy(g->version, version, sizeof version);
            g->day = day;
        }
        if (take(g, machine, region, price) != 0) return -1;
    }
    return more == 0 ? version_end(g) : -1;
}

int history_read_gpu(struct series *s, struct csv *c, const char *options)
{
    char kind[QUANT_NAME_SIZE] = "ondemand", title[2 * QUANT_NAME_SIZE];
    (void)history_option(options, "kind", kind);
    (void)snprintf(title, sizeof title, "usd_gpu_hour_%s", kind);
    int price = csv_column(c, title);
    if (price < 0) return csv_bad(c, "there is no column %s", title);
    struct history_filter filter;
    if (history_filter_make(&filter, c, options) != 0) return -1;
    struct gpu g = {.series = s, .c = c, .offers = calloc(OFFERS_MAX, sizeof *g.offers)};
    if (g.offers == NULL) return csv_bad(c, "no memory");
    int status = read_rows(&g, &filter, price);
    free(g.offers);
    return status;
}
