/* risk.c: see risk.h. */
#include "quant/risk.h"

#include "base/assert.h"
#include "quant/shortfall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct whole {
    enum parameter parameter;
    uint32_t *to;
};

int method_make(struct method *m, const struct parameters *p, struct quant_error *error)
{
    *m = (struct method){0};
    uint32_t confidence;
    const struct whole wholes[] = {
        {PARAMETER_horizon, &m->horizon}, {PARAMETER_window, &m->window},
        {PARAMETER_window_min, &m->window_min}, {PARAMETER_burn_in, &m->burn_in},
        {PARAMETER_long_run_days, &m->long_run_days},
        {PARAMETER_stress_scenarios_min, &m->stress_min},
        {PARAMETER_stale_days, &m->stale_days}, {PARAMETER_gap_days, &m->gap_days}};
    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++) {
        double value;
        if (parameters_number(p, "*", wholes[i].parameter, &value, error) != 0) return -1;
        *wholes[i].to = (uint32_t)value;
    }
    if (parameters_ppm(p, "*", PARAMETER_confidence, &confidence, error) != 0 ||
        parameters_ppm(p, "*", PARAMETER_stress_weight, &m->stress_weight_ppm, error) != 0 ||
        parameters_ppm(p, "*", PARAMETER_offset_max, &m->offset_max_ppm, error) != 0 ||
        parameters_number(p, "*", PARAMETER_lambda, &m->lambda, error) != 0 ||
        parameters_number(p, "*", PARAMETER_long_run_floor, &m->long_run_floor, error) != 0 ||
        parameters_number(p, "*", PARAMETER_participation, &m->participation, error) != 0)
        return -1;
    m->tail_ppm = (uint32_t)SHORTFALL_MILLION - confidence;
    if (m->window_min > m->window)
        return quant_fail(error, p->file, 0, "window_min is above window");
    return 0;
}

static int resolve(struct risk *r, uint32_t i, const struct parameters *p,
                   const struct history *h, const char *name, struct quant_error *error)
{
    struct risk_instrument *n = &r->instruments[i];
    *n = (struct risk_instrument){.product = i};
    char product[QUANT_NAME_SIZE], other[QUANT_NAME_SIZE];
    memcpy(n->name, name, QUANT_NAME_SIZE);
    parameters_product(name, product);
    double tenor;
    const struct { enum parameter parameter; double *to; } numbers[] = {
        {PARAMETER_contract_size, &n->contract_size},
        {PARAMETER_volatility_min, &n->volatility_min},
        {PARAMETER_price_scale_min, &n->price_scale_min},
        {PARAMETER_half_spread, &n->half_spread}, {PARAMETER_adv, &n->adv},
        {PARAMETER_floor_share, &n->floor_share}, {PARAMETER_floor_ct, &n->floor_ct},
        {PARAMETER_ct_per_lot, &n->ct_per_lot}, {PARAMETER_short_option, &n->short_option},
        {PARAMETER_delivery, &n->delivery}, {PARAMETER_tenor_months, &tenor}};
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        if (parameters_number(p, name, numbers[k].parameter, numbers[k].to, error) != 0) return -1;
    }
    n->tenor = (int32_t)tenor;
    const char *factor = parameters_text(p, name, PARAMETER_factor);
    if (factor != NULL) memcpy(n->factor, factor, QUANT_NAME_SIZE);
    const char *series = parameters_text(p, name, PARAMETER_series);
    int at = series != NULL ? history_find(h, series) : history_find(h, name);
    if (series == NULL && at == HISTORY_NONE) at = history_find(h, product);
    if (at == HISTORY_NONE)
        return quant_fail(error, "history", 0, "there is no price history of %s%s%s", name,
                          series != NULL ? ": " : "", series != NULL ? series : "");
    n->series = (uint32_t)at;
    for (uint32_t k = 0; k < i; k++) {
        parameters_product(r->instruments[k].name, other);
        if (strcmp(product, other) == 0) {
            n->product = r->instruments[k].product;
            break;
        }
    }
    return 0;
}

/* The days that all series have; also each series' index of them into at[instrument][day]. */
static int align(struct risk *r, const struct history *h, uint32_t **at_out,
                 struct quant_error *error)
{
    const struct series *first = &h->series[r->instruments[0].series];
    r->day = malloc(first->days * sizeof *r->day);
    uint32_t *at = malloc((size_t)r->count * first->days * sizeof *at);
    *at_out = at;
    if (r->day == NULL || at == NULL) return quant_fail(error, "history", 0, "no memory");
    for (uint32_t d = 0; d < first->days; d++) {
        int32_t day = series_day(first, d);
        bool all = true;
        for (uint32_t i = 0; i < r->count && all; i++) {
            const struct series *s = &h->series[r->instruments[i].series];
            int found = series_at(s, day);
            all = found >= 0 && series_day(s, (uint32_t)found) == day;
            if (all) at[(size_t)i * first->days + r->days] = (uint32_t)found;
        }
        if (all) r->day[r->days++] = day;
    }
    if (r->days < r->method.window_min + r->method.burn_in + r->method.horizon)
        return quant_fail(error, "history", 0,
                          "the series have %u days in common, at least %u are needed", r->days,
                          r->method.window_min + r->method.burn_in + r->method.horizon);
    for (uint32_t i = 1; i < r->count; i++) /* rows close up to the days in common */
        memmove(&at[(size_t)i * r->days], &at[(size_t)i * first->days], r->days * sizeof *at);
    return 0;
}

/* The move over S between two days of the grid; NaN where there is none. */
static double move_of(const struct risk *r, const struct series *s, const uint32_t *at,
                      uint32_t from, uint32_t to, double scale_min)
{
    double p0, p1;
    if (r->day[to] - r->day[from] > (int32_t)r->method.gap_days) return NAN;
    if (!series_move(s, at[from], at[to], &p0, &p1)) return NAN;
    double scale = p0 > scale_min ? p0 : scale_min;
    return scale > 0 ? (p1 - p0) / scale : NAN;
}

static double first_variance(const double *daily, uint32_t burn_in, uint32_t days)
{
    double sum = 0, count = 0;
    for (uint32_t d = 1; d < days && d <= burn_in; d++) {
        if (isnan(daily[d])) continue;
        sum += daily[d] * daily[d];
        count += 1;
    }
    return count > 0 ? sum / count : 0;
}

static int filter(struct risk *r, const struct history *h, const uint32_t *at,
                  struct quant_error *error)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct risk_instrument *n = &r->instruments[i];
        const struct series *s = &h->series[n->series];
        const uint32_t *index = &at[(size_t)i * r->days];
        double *daily = &r->daily[(size_t)i * r->days], *moves = &r->moves[(size_t)i * r->days];
        double *squares = &r->squares[(size_t)i * (r->days + 1)];
        double *seen = &r->seen[(size_t)i * (r->days + 1)];
        squares[0] = seen[0] = 0;
        for (uint32_t d = 0; d < r->days; d++) {
            double price = series_price(s, index[d]);
            char date[QUANT_DATE_SIZE];
            if (price <= 0 && n->price_scale_min <= 0)
                return quant_fail(error, "history", 0, "%s: the price of %s is not above 0 and "
                                  "there is no price_scale_min", n->name,
                                  quant_date(date, r->day[d]));
            r->price[(size_t)i * r->days + d] = price;
            daily[d] = d == 0 ? NAN : move_of(r, s, index, d - 1, d, n->price_scale_min);
            moves[d] = d < r->method.horizon ? NAN
                       : move_of(r, s, index, d - r->method.horizon, d, n->price_scale_min);
            bool is = !isnan(daily[d]);
            squares[d + 1] = squares[d] + (is ? daily[d] * daily[d] : 0);
            seen[d + 1] = seen[d] + (is ? 1 : 0);
        }
        ewma_sigma(daily, r->days, r->method.lambda,
                   first_variance(daily, r->method.burn_in, r->days),
                   &r->sigma[(size_t)i * (r->days + 1)]);
    }
    return 0;
}

static int take_memory(struct risk *r, struct quant_error *error)
{
    size_t grid = (size_t)r->count * (r->days + 1);
    uint32_t stressed = r->stress != NULL ? r->stress->count : 0;
    r->price = malloc(grid * sizeof(double));
    r->daily = malloc(grid * sizeof(double));
    r->moves = malloc(grid * sizeof(double));
    r->sigma = malloc(grid * sizeof(double));
    r->squares = malloc(grid * sizeof(double));
    r->seen = malloc(grid * sizeof(double));
    r->move_start = malloc(r->method.window * sizeof(uint32_t));
    r->move_end = malloc(r->method.window * sizeof(uint32_t));
    r->z = malloc((size_t)r->count * r->method.window * sizeof(double));
    r->stress_index = malloc((stressed + 1) * sizeof(uint32_t));
    r->shock = malloc(((size_t)r->count * stressed + 1) * sizeof(double));
    if (r->price == NULL || r->daily == NULL || r->moves == NULL || r->sigma == NULL ||
        r->squares == NULL || r->seen == NULL || r->move_start == NULL || r->move_end == NULL ||
        r->z == NULL || r->stress_index == NULL || r->shock == NULL)
        return quant_fail(error, "history", 0, "no memory");
    return 0;
}

int risk_open(struct risk *r, const struct parameters *p, const struct history *h,
              const struct stress_set *s, const char (*names)[QUANT_NAME_SIZE], uint32_t count,
              struct quant_error *error)
{
    *r = (struct risk){.stress = s, .count = count};
    uint32_t *at = NULL;
    int status = -1;
    ASSERT(count > 0);
    if (method_make(&r->method, p, error) != 0) return -1;
    if (s != NULL && s->count < r->method.stress_min)
        return quant_fail(error, s->file, 0, "%u scenarios, at least %u are needed", s->count,
                          r->method.stress_min);
    r->instruments = calloc(count, sizeof *r->instruments);
    if (r->instruments == NULL) return quant_fail(error, "history", 0, "no memory");
    for (uint32_t i = 0; i < count; i++) {
        if (resolve(r, i, p, h, names[i], error) != 0) goto out;
    }
    if (align(r, h, &at, error) != 0 || take_memory(r, error) != 0) goto out;
    status = filter(r, h, at, error);
out:
    free(at);
    if (status != 0) risk_close(r);
    return status;
}

void risk_close(struct risk *r)
{
    free(r->instruments);
    free(r->day);
    free(r->price);
    free(r->daily);
    free(r->moves);
    free(r->sigma);
    free(r->squares);
    free(r->seen);
    free(r->move_start);
    free(r->move_end);
    free(r->z);
    free(r->stress_index);
    free(r->shock);
    *r = (struct risk){0};
}

/* ---- today ---- */

static void set_volatility(struct risk *r, uint32_t i)
{
    struct risk_instrument *n = &r->instruments[i];
    const double *squares = &r->squares[(size_t)i * (r->days + 1)];
    const double *seen = &r->seen[(size_t)i * (r->days + 1)];
    uint32_t end = r->today + 1;
    uint32_t begin = end > r->method.long_run_days ? end - r->method.long_run_days : 0;
    double count = seen[end] - seen[begin], sum = squares[end] - squares[begin];
    n->sigma_long = count > 0 && sum > 0 ? sqrt(sum / count) : 0;
    n->sigma_floor = fmax(n->volatility_min, r->method.long_run_floor * n->sigma_long);
    n->sigma_ewma = r->sigma[(size_t)i * (r->days + 1) + end];
    n->sigma = fmax(n->sigma_ewma, n->sigma_floor);
    n->sigma_long = fmax(n->sigma_long, n->volatility_min);
    n->price = r->price[(size_t)i * r->days + r->today];
    n->scale = n->price > n->price_scale_min ? n->price : n->price_scale_min;
}

bool risk_moved(const struct risk *r, uint32_t at)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (isnan(r->moves[(size_t)i * r->days + at])) return false;
    }
    return true;
}

/* Joint moves, the latest first. */
static void choose_moves(struct risk *r)
{
    r->scenarios = 0;
    uint32_t oldest = r->method.burn_in + r->method.horizon;
    for (uint32_t d = r->today; d >= oldest && r->scenarios < r->method.window; d--) {
        if (!risk_moved(r, d)) continue;
        r->move_start[r->scenarios] = d - r->method.horizon;
        r->move_end[r->scenarios++] = d;
    }
}

static void standardise(struct risk *r, uint32_t i)
{
    const double *moves = &r->moves[(size_t)i * r->days];
    const double *sigma = &r->sigma[(size_t)i * (r->days + 1)];
    double *z = &r->z[(size_t)i * r->method.window];
    double least = r->instruments[i].sigma_floor;
    for (uint32_t s = 0; s < r->scenarios; s++) {
        double forecast = sigma[r->move_start[s] + 1];
        if (forecast < least) forecast = least;
        z[s] = forecast > 0 ? moves[r->move_end[s]] / forecast : 0;
    }
}

static double shock_of(const struct risk *r, const struct risk_instrument *n, uint32_t scenario)
{
    const struct stress_move *m = stress_find(r->stress, scenario, n->factor, n->tenor);
    if (m == NULL) return 0;
    if (m->unit == STRESS_absolute) return m->move;
    if (m->unit == STRESS_relative) return m->move * n->scale;
    return m->move * n->sigma_long * sqrt((double)r->method.horizon) * n->scale;
}

int risk_at(struct risk *r, uint32_t at, enum risk_view view, struct quant_error *error)
{
    ASSERT(at < r->days);
    r->today = at;
    for (uint32_t i = 0; i < r->count; i++) set_volatility(r, i);
    choose_moves(r);
    if (r->scenarios < r->method.window_min) {
        char date[QUANT_DATE_SIZE];
        return quant_fail(error, "history", 0, "%u joint moves up to %s, at least %u are needed",
                          r->scenarios, quant_date(date, r->day[at]), r->method.window_min);
    }
    for (uint32_t i = 0; i < r->count; i++) standardise(r, i);
    r->stressed = 0;
    for (uint32_t s = 0; r->stress != NULL && s < r->stress->count; s++) {
        const struct stress_scenario *scenario = &r->stress->scenarios[s];
        if (view == RISK_past && scenario->historical && scenario->to > r->day[at]) continue;
        r->stress_index[r->stressed] = s;
        for (uint32_t i = 0; i < r->count; i++)
            r->shock[(size_t)i * r->stress->count + r->stressed] =
                shock_of(r, &r->instruments[i], s);
        r->stressed += 1;
    }
    return 0;
}

int risk_reprice(struct risk *r, uint32_t i, double price, struct quant_error *error)
{
    struct risk_instrument *n = &r->instruments[i];
    if (price <= 0 && n->price_scale_min <= 0)
        return quant_fail(error, "margin", 0, "%s: the price is not above 0 and there is no "
                          "price_scale_min", n->name);
    n->price = price;
    n->scale = price > n->price_scale_min ? price : n->price_scale_min;
    for (uint32_t s = 0; s < r->stressed; s++)
        r->shock[(size_t)i * r->stress->count + s] = shock_of(r, n, r->stress_index[s]);
    return 0;
}

static int check_fresh(const struct risk *r, const struct history *h, int32_t day,
                       struct quant_error *error)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct series *s = &h->series[r->instruments[i].series];
        int last = series_at(s, day);
        char a[QUANT_DATE_SIZE], b[QUANT_DATE_SIZE];
        if (last == HISTORY_NONE || day - series_day(s, (uint32_t)last) >
                                        (int32_t)r->method.stale_days)
            return quant_fail(error, "history", 0, "%s is stale: its last price up to %s is of %s",
                              s->name, quant_date(a, day),
                              last == HISTORY_NONE ? "never"
                                                   : quant_date(b, series_day(s, (uint32_t)last)));
    }
    return 0;
}

int risk_as_of(struct risk *r, const struct history *h, int32_t day, struct quant_error *error)
{
    if (check_fresh(r, h, day, error) != 0) return -1;
    uint32_t at = r->days;
    char text[QUANT_DATE_SIZE];
    while (at > 0 && r->day[at - 1] > day) at--;
    if (at == 0 || day - r->day[at - 1] > (int32_t)r->method.stale_days)
        return quant_fail(error, "history", 0,
                          "the instruments have no day in common shortly before %s",
                          quant_date(text, day));
    return risk_at(r, at - 1, RISK_now, error);
}
