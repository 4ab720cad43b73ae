/* series.c: see series.h. */
#include "quant/series.h"

#include "quant/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHT_ONE = 1000, DAY_MS = 86400000 };
#define WORK_MAX (UINT64_C(1) << 28) /* periods x offers */

struct series_method series_method_default(const struct panel *p, int64_t period_ms)
{
    return (struct series_method){
        .period_ms = period_ms,
        .stale_ms = p->steps ? 14 * (int64_t)DAY_MS : 2 * (int64_t)DAY_MS,
        .wild = 0.5, .trim = 0, .share = 0.35, .offers_min = 3, .providers_min = 2};
}

/* ---- step 1: prices by period ---- */

struct walk {
    const struct panel *p;
    const struct series_method *m;
    uint32_t at;     /* next quote */
    double *quote;   /* by offer: the latest; of a sampled panel, its latest mean */
    double *sum;     /* of the period */
    double *value;   /* price in the period; NAN: none */
    double *before;  /* in the period before */
    int64_t *mark;   /* up to when `sum` counts; sampled: how many quotes */
    int64_t *first;  /* when first quoted; -1: never */
    int64_t *last;
    double *all;     /* the period's prices, for the naive median */
    uint32_t all_count;
};

static void walk_close(struct walk *w)
{
    free(w->quote);
    free(w->sum);
    free(w->value);
    free(w->before);
    free(w->mark);
    free(w->first);
    free(w->last);
    free(w->all);
    *w = (struct walk){0}; /* maker_close closes again what could not be opened */
}

static int walk_open(struct walk *w, const struct panel *p, const struct series_method *m)
{
    uint32_t n = p->offer_count + 1;
    *w = (struct walk){.p = p, .m = m};
    w->quote = calloc(n, sizeof *w->quote);
    w->sum = calloc(n, sizeof *w->sum);
    w->value = calloc(n, sizeof *w->value);
    w->before = calloc(n, sizeof *w->before);
    w->mark = calloc(n, sizeof *w->mark);
    w->first = calloc(n, sizeof *w->first);
    w->last = calloc(n, sizeof *w->last);
    w->all = calloc((size_t)p->quote_count + n, sizeof *w->all);
    if (w->quote == NULL || w->sum == NULL || w->value == NULL || w->before == NULL ||
        w->mark == NULL || w->first == NULL || w->last == NULL || w->all == NULL) {
        walk_close(w);
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        w->value[i] = NAN;
        w->first[i] = w->last[i] = -1;
    }
    return 0;
}

static void quote_take(struct walk *w, const struct panel_quote *q)
{
    uint32_t i = q->offer;
    if (w->p->steps) {
        if (w->last[i] >= 0) w->sum[i] += w->quote[i] * (double)(q->ms - w->mark[i]);
        w->mark[i] = q->ms;
        w->quote[i] = q->price;
    } else {
        w->sum[i] += q->price;
        w->mark[i] += 1;
        w->all[w->all_count++] = q->price;
    }
    if (w->first[i] < 0) w->first[i] = q->ms;
    w->last[i] = q->ms;
}

static double value_of(struct walk *w, uint32_t i, int64_t from, int64_t to)
{
    if (w->last[i] < 0) return NAN;
    if (w->p->steps) {
        if (w->first[i] > from || to - w->last[i] > w->m->stale_ms) return NAN;
        double sum = w->sum[i] + w->quote[i] * (double)(to - w->mark[i]);
        return sum / (double)(to - from);
    }
    if (w->mark[i] > 0) w->quote[i] = w->sum[i] / (double)w->mark[i];
    return from - w->last[i] <= w->m->stale_ms ? w->quote[i] : NAN;
}

static void walk_period(struct walk *w, int64_t from, int64_t to)
{
    const struct panel *p = w->p;
    double *swap = w->before;
    w->before = w->value;
    w->value = swap;
    w->all_count = 0;
    for (uint32_t i = 0; i < p->offer_count; i++) {
        w->sum[i] = 0;
        w->mark[i] = p->steps ? from : 0;
    }
    for (; w->at < p->quote_count && p->quotes[w->at].ms < to; w->at++)
        quote_take(w, &p->quotes[w->at]);
    for (uint32_t i = 0; i < p->offer_count; i++) {
        w->value[i] = value_of(w, i, from, to);
        if (p->steps && !isnan(w->value[i])) w->all[w->all_count++] = w->value[i];
    }
}

/* Of steps, whole periods only: the last quote ends what is known. */
struct series_periods series_periods_of(const struct panel *p, int64_t period_ms)
{
    struct series_periods s = {0};
    if (p->quote_count == 0) return s;
    int64_t first = p->quotes[0].ms / period_ms;
    int64_t last = p->quotes[p->quote_count - 1].ms / period_ms;
    s.first_ms = first * period_ms;
    int64_t count = last - first + (p->steps ? 0 : 1);
    s.count = count > SERIES_POINTS_MAX ? UINT32_MAX : (uint32_t)count;
    return s;
}

/* ---- steps 2 to 4 ---- */

struct match {
    double move;  /* for the base: a price */
    double weight;
    uint32_t offer;
};

static int by_move(const void *a, const void *b)
{
    const struct match *x = a, *y = b;
    if (x->move != y->move) return x->move < y->move ? -1 : 1;
    return x->offer < y->offer ? -1 : x->offer > y->offer;
}

static int by_count(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

struct maker {
    struct walk walk;
    struct match *matches;
    uint32_t count;
    uint32_t *offers_of;  /* by provider: matched offers */
    int64_t *rising;      /* of those above 0, x WEIGHT_ONE */
    uint32_t providers;
};

/* Weights of the matches; counts providers. */
static void weigh(struct maker *k)
{
    const struct panel *p = k->walk.p;
    memset(k->offers_of, 0, (p->provider_count + 1) * sizeof *k->offers_of);
    for (uint32_t i = 0; i < k->count; i++)
        k->offers_of[p->offers[k->matches[i].offer].provider] += 1;
    k->providers = 0;
    for (uint32_t i = 0; i < p->provider_count; i++) {
        if (k->offers_of[i] > 0) k->rising[k->providers++] = (int64_t)k->offers_of[i] * WEIGHT_ONE;
    }
    qsort(k->rising, k->providers, sizeof *k->rising, by_count);
    int64_t share_e6 = (int64_t)lround(k->walk.m->share * 1e6);
    int64_t cap = reference_cap(k->rising, k->providers, share_e6);
    for (uint32_t i = 0; i < k->count; i++) {
        uint32_t n = k->offers_of[p->offers[k->matches[i].offer].provider];
        int64_t all = (int64_t)n * WEIGHT_ONE;
        k->matches[i].weight = (double)(all < cap ? all : cap) / (double)n;
    }
    qsort(k->matches, k->count, sizeof *k->matches, by_move);
}

static double weight_sum(const struct maker *k)
{
    double all = 0;
    for (uint32_t i = 0; i < k->count; i++) all += k->matches[i].weight;
    return all;
}

/* Mean of what lies between the shares `trim` and 1 - `trim` of the weight. */
static double trimmed_mean(const struct maker *k, double trim)
{
    double all = weight_sum(k), low = trim * all, high = all - low, at = 0, sum = 0, kept = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        double from = at, to = at + k->matches[i].weight;
        at = to;
        if (from < low) from = low;
        if (to > high) to = high;
        if (to <= from) continue;
        sum += (to - from) * k->matches[i].move;
        kept += to - from;
    }
    return kept > 0 ? sum / kept : 0;
}

static double weighted_median(const struct maker *k)
{
    double all = weight_sum(k), at = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        at += k->matches[i].weight;
        if (at * 2 == all && i + 1 < k->count)
            return (k->matches[i].move + k->matches[i + 1].move) / 2;
        if (at * 2 >= all) return k->matches[i].move;
    }
    return 0;
}

/* Drops the wild: weights of what is left stay. */
static void drop_wild(struct maker *k)
{
    double middle = weighted_median(k);
    uint32_t left = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        if (fabs(k->matches[i].move - middle) <= k->walk.m->wild)
            k->matches[left++] = k->matches[i];
    }
    k->count = left;
}

static int by_price(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median_of(double *all, uint32_t count)
{
    if (count == 0) return 0;
    qsort(all, count, sizeof *all, by_price);
    return count % 2 == 1 ? all[count / 2] : (all[count / 2 - 1] + all[count / 2]) / 2;
}

static void base_make(struct maker *k, struct series_point *point)
{
    const struct walk *w = &k->walk;
    k->count = 0;
    for (uint32_t i = 0; i < w->p->offer_count; i++) {
        if (!isnan(w->value[i]))
            k->matches[k->count++] = (struct match){.move = w->value[i], .offer = i};
    }
    weigh(k);
    if (k->count < w->m->offers_min || k->providers < w->m->providers_min) return;
    point->level = weighted_median(k);
    point->status = SERIES_base;
}

static void move_make(struct maker *k, struct series_point *point, double level)
{
    const struct walk *w = &k->walk;
    k->count = 0;
    for (uint32_t i = 0; i < w->p->offer_count; i++) {
        if (isnan(w->value[i]) || isnan(w->before[i])) continue;
        k->matches[k->count++] =
            (struct match){.move = log(w->value[i] / w->before[i]), .offer = i};
    }
    weigh(k);
    point->matched = k->count;
    point->providers = k->providers;
    point->level = level;
    point->status = SERIES_held;
    if (k->count < w->m->offers_min || k->providers < w->m->providers_min) return;
    drop_wild(k);
    double next = level * exp(trimmed_mean(k, w->m->trim));
    if (!isfinite(next) || next < 1e-9 || next > 1e9) return;
    point->level = next;
    point->status = SERIES_chained;
}

static void point_make(struct maker *k, struct series_point *point, double level)
{
    struct walk *w = &k->walk;
    walk_period(w, point->ms, point->ms + w->m->period_ms);
    for (uint32_t i = 0; i < w->p->offer_count; i++) point->offers += isnan(w->value[i]) ? 0 : 1;
    point->naive = median_of(w->all, w->all_count);
    if (level > 0) move_make(k, point, level);
    else base_make(k, point);
}

static int maker_open(struct maker *k, const struct panel *p, const struct series_method *m)
{
    *k = (struct maker){0};
    if (walk_open(&k->walk, p, m) != 0) return -1;
    k->matches = calloc(p->offer_count + 1, sizeof *k->matches);
    k->offers_of = calloc(p->provider_count + 1, sizeof *k->offers_of);
    k->rising = calloc(p->provider_count + 1, sizeof *k->rising);
    return k->matches == NULL || k->offers_of == NULL || k->rising == NULL ? -1 : 0;
}

static void maker_close(struct maker *k)
{
    walk_close(&k->walk);
    free(k->matches);
    free(k->offers_of);
    free(k->rising);
}

void series_free(struct index_series_made *s)
{
    free(s->points);
    *s = (struct index_series_made){0};
}

int series_make(struct index_series_made *s, const struct panel *p, const struct series_method *m,
                struct quant_error *error)
{
    struct series_periods all = series_periods_of(p, m->period_ms);
    struct maker k;
    *s = (struct index_series_made){0};
    if (all.count == 0) return quant_fail(error, "series", 0, "there is no whole period");
    if (all.count > SERIES_POINTS_MAX || (uint64_t)all.count * p->offer_count > WORK_MAX)
        return quant_fail(error, "series", 0, "too long a time for so many offers");
    s->points = calloc(all.count, sizeof *s->points);
    int status = maker_open(&k, p, m);
    if (s->points == NULL) status = -1;
    for (uint32_t i = 0; status == 0 && i < all.count; i++) {
        double before = i == 0 ? 0 : s->points[i - 1].level;
        s->points[i].ms = all.first_ms + (int64_t)i * m->period_ms;
        point_make(&k, &s->points[i], before);
        s->count = i + 1;
    }
    maker_close(&k);
    if (status == 0) return 0;
    series_free(s);
    return quant_fail(error, "series", 0, "no memory");
}

bool series_volatility(const struct index_series_made *s, int64_t period_ms, bool naive,
                       double *volatility, uint32_t *moves)
{
    double sum = 0, squares = 0;
    uint32_t n = 0;
    for (uint32_t i = 1; i < s->count; i++) {
        double a = naive ? s->points[i - 1].naive : s->points[i - 1].level;
        double b = naive ? s->points[i].naive : s->points[i].level;
        if (a <= 0 || b <= 0) continue;
        sum += log(b / a);
        squares += log(b / a) * log(b / a);
        n += 1;
    }
    *moves = n;
    if (n < 2) return false;
    double variance = (squares - sum * sum / n) / (n - 1);
    *volatility = sqrt((variance > 0 ? variance : 0) * 365.0 * DAY_MS / (double)period_ms);
    return true;
}

int series_offer(const struct panel *p, const struct series_method *m, uint32_t offer,
                 double *prices)
{
    struct series_periods all = series_periods_of(p, m->period_ms);
    struct walk w;
    if (all.count > SERIES_POINTS_MAX || walk_open(&w, p, m) != 0) return -1;
    for (uint32_t i = 0; i < all.count; i++) {
        int64_t from = all.first_ms + (int64_t)i * m->period_ms;
        walk_period(&w, from, from + m->period_ms);
        prices[i] = w.value[offer];
    }
    walk_close(&w);
    return 0;
}
