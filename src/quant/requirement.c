/* requirement.c: see requirement.h. */
#include "quant/requirement.h"

#include "base/units.h"
#include "quant/shortfall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_OF_YEAR 365.0

int quant_micro_ceil(double usd, int64_t *micro)
{
    double scaled = ceil(usd * 1e6);
    *micro = INT64_MAX;
    if (!(scaled <= 4e18) || !(scaled >= -4e18)) return -1;
    *micro = (int64_t)scaled;
    return 0;
}

int requirement_work_open(struct requirement_work *w, const struct risk *r,
                          struct quant_error *error)
{
    uint32_t stressed = r->stress != NULL ? r->stress->count : 0;
    size_t n = 2 * (size_t)r->method.window;
    if (n < stressed) n = stressed;
    w->outcomes = calloc(n, sizeof(double));
    w->alone = calloc(n, sizeof(double));
    w->select = calloc(n, sizeof(double));
    w->net = calloc(r->count, sizeof(double));
    w->gross = calloc(r->count, sizeof(double));
    w->lots = calloc(r->count, sizeof(double));
    if (w->outcomes != NULL && w->alone != NULL && w->select != NULL && w->net != NULL &&
        w->gross != NULL && w->lots != NULL)
        return 0;
    requirement_work_close(w);
    return quant_fail(error, "margin", 0, "no memory");
}

void requirement_work_close(struct requirement_work *w)
{
    free(w->outcomes);
    free(w->alone);
    free(w->select);
    free(w->net);
    free(w->gross);
    free(w->lots);
    *w = (struct requirement_work){0};
}

static double normal_below(double x) { return 0.5 * erfc(-x / sqrt(2.0)); }

double position_value(const struct position *p, double price)
{
    if (p->kind == POSITION_future) return price;
    double sign = p->kind == POSITION_call ? 1 : -1;
    double years = p->days / DAYS_OF_YEAR, deviation = p->volatility * sqrt(years);
    if (price <= 0 || p->strike <= 0 || deviation <= 0) return fmax(0, sign * (price - p->strike));
    double d1 = log(price / p->strike) / deviation + deviation / 2, d2 = d1 - deviation;
    return sign * (price * normal_below(sign * d1) - p->strike * normal_below(sign * d2));
}

/* Which scenarios a measure is over. */
enum scenario_kind { OVER_filtered, OVER_long_run, OVER_stress };

static uint32_t outcome_count(const struct risk *r, enum scenario_kind kind)
{
    return kind == OVER_stress ? r->stressed : 2 * r->scenarios;
}

/* Profit of one position in every scenario of a kind; joint moves first, their mirrors behind. */
static void outcomes_of(const struct risk *r, const struct position *p, enum scenario_kind kind,
                        double *out)
{
    const struct risk_instrument *n = &r->instruments[p->instrument];
    double factor = (double)p->lots * n->contract_size;
    double base = position_value(p, n->price);
    if (kind == OVER_stress) {
        const double *shock = &r->shock[(size_t)p->instrument * r->stress->count];
        for (uint32_t s = 0; s < r->stressed; s++)
            out[s] = p->kind == POSITION_future
                         ? factor * shock[s]
                         : factor * (position_value(p, n->price + shock[s]) - base);
        return;
    }
    const double *z = &r->z[(size_t)p->instrument * r->method.window];
    double unit = (kind == OVER_filtered ? n->sigma : n->sigma_long) * n->scale;
    for (uint32_t s = 0; s < r->scenarios; s++) {
        double change = z[s] * unit;
        if (p->kind == POSITION_future) {
            out[s] = factor * change;
            out[r->scenarios + s] = -out[s];
        } else {
            out[s] = factor * (position_value(p, n->price + change) - base);
            out[r->scenarios + s] = factor * (position_value(p, n->price - change) - base);
        }
    }
}

static double tail_of(const struct risk *r, enum scenario_kind kind, const double *outcomes,
                      double *select)
{
    uint32_t n = outcome_count(r, kind);
    memcpy(select, outcomes, n * sizeof *select);
    double tail = kind == OVER_long_run ? shortfall_var(select, n, r->method.tail_ppm)
                                        : shortfall_es(select, n, r->method.tail_ppm);
    return tail > 0 ? tail : 0;
}

/* One measure over all positions; by instrument into `gross` where that is given. */
static int measure(const struct risk *r, const struct position *positions, uint32_t count,
                   enum scenario_kind kind, struct requirement_work *w, double *gross,
                   struct measure *m)
{
    uint32_t n = outcome_count(r, kind), worst = 0;
    *m = (struct measure){0};
    if (n == 0) return 0;
    for (uint32_t s = 0; s < n; s++) w->outcomes[s] = 0;
    double alone = 0;
    for (uint32_t k = 0; k < count; k++) {
        outcomes_of(r, &positions[k], kind, w->alone);
        for (uint32_t s = 0; s < n; s++) w->outcomes[s] += w->alone[s];
        double own = tail_of(r, kind, w->alone, w->select);
        alone += own;
        if (gross != NULL) gross[positions[k].instrument] += own;
    }
    for (uint32_t s = 1; s < n; s++) {
        if (w->outcomes[s] < w->outcomes[worst]) worst = s;
    }
    double joint = tail_of(r, kind, w->outcomes, w->select);
    double saved = alone > joint ? alone - joint : 0;
    double kept = (double)(SHORTFALL_MILLION - r->method.offset_max_ppm) / SHORTFALL_MILLION;
    m->mirrored = kind != OVER_stress && worst >= r->scenarios;
    m->worst = m->mirrored ? worst - r->scenarios : worst;
    double loss = -w->outcomes[worst];
    if (quant_micro_ceil(joint, &m->joint) != 0 || quant_micro_ceil(alone, &m->alone) != 0 ||
        quant_micro_ceil(joint + kept * saved, &m->value) != 0 ||
        quant_micro_ceil(loss > 0 ? loss : 0, &m->worst_loss) != 0)
        return -1;
    return 0;
}

/* What needs no scenarios: liquidity, delivery, floors, short options; concentration. */
static int add_ons(const struct risk *r, const struct position *positions, uint32_t count,
                   struct requirement_work *w, struct requirement *out)
{
    double liquidity = 0, delivery = 0, volume = 0, options = 0, concentration = 0, notional = 0;
    memset(w->net, 0, r->count * sizeof *w->net);
    memset(w->lots, 0, r->count * sizeof *w->lots);
    for (uint32_t k = 0; k < count; k++) {
        const struct position *p = &positions[k];
        const struct risk_instrument *n = &r->instruments[p->instrument];
        double lots = fabs((double)p->lots);
        liquidity += lots * n->contract_size * n->half_spread;
        if (p->kind == POSITION_future) delivery += lots * n->delivery;
        else if (p->lots < 0) options += lots * n->short_option;
        volume += lots * n->ct_per_lot * n->floor_ct;
        w->lots[p->instrument] += lots;
        if (p->kind == POSITION_future)
            w->net[n->product] += (double)p->lots * n->contract_size * n->price * n->floor_share;
    }
    for (uint32_t i = 0; i < r->count; i++) {
        const struct risk_instrument *n = &r->instruments[i];
        double days = w->lots[i] / (r->method.participation * n->adv);
        double more = sqrt(days / (double)r->method.horizon) - 1;
        if (more > 0) concentration += w->gross[i] * more;
        notional += fabs(w->net[i]);
    }
    if (quant_micro_ceil(liquidity, &out->liquidity) != 0 ||
        quant_micro_ceil(delivery, &out->delivery) != 0 ||
        quant_micro_ceil(volume, &out->floor_volume) != 0 ||
        quant_micro_ceil(options, &out->short_option) != 0 ||
        quant_micro_ceil(concentration, &out->concentration) != 0 ||
        quant_micro_ceil(notional, &out->floor_notional) != 0)
        return -1;
    return 0;
}

int requirement_combine(const struct risk *r, int64_t credit, struct requirement *out)
{
    int128_t weight = r->method.stress_weight_ppm;
    int128_t blended = (SHORTFALL_MILLION - weight) * out->filtered.value +
                       weight * out->stressed.value;
    out->blended = (int64_t)int128_div_ceil(blended, SHORTFALL_MILLION);
    out->core = int64_max(out->blended, out->long_run.value);
    int128_t sum = (int128_t)out->core + out->liquidity + out->concentration + out->delivery;
    if (!money_fits(sum)) return -1;
    out->total = (int64_t)sum;
    out->binding = BINDING_core;
    const int64_t floors[] = {out->floor_notional, out->floor_volume, out->short_option};
    for (int i = 0; i < 3; i++) {
        if (floors[i] <= out->total) continue;
        out->total = floors[i];
        out->binding = (enum requirement_binding)(BINDING_floor_notional + i);
    }
    out->credit = int64_min(credit, out->total);
    out->total -= out->credit;
    return 0;
}

int requirement_compute(const struct risk *r, const struct position *positions, uint32_t count,
                        int64_t credit, struct requirement_work *w, struct requirement *out,
                        struct quant_error *error)
{
    *out = (struct requirement){0};
    memset(w->gross, 0, r->count * sizeof *w->gross);
    if (measure(r, positions, count, OVER_filtered, w, w->gross, &out->filtered) != 0 ||
        measure(r, positions, count, OVER_stress, w, NULL, &out->stressed) != 0 ||
        measure(r, positions, count, OVER_long_run, w, NULL, &out->long_run) != 0 ||
        add_ons(r, positions, count, w, out) != 0 || requirement_combine(r, credit, out) != 0)
        return quant_fail(error, "margin", 0, "an amount is beyond what the ledger can hold");
    return 0;
}

double requirement_stress_loss(const struct risk *r, const struct position *positions,
                               uint32_t count, uint32_t stressed)
{
    double sum = 0;
    for (uint32_t k = 0; k < count; k++) {
        const struct position *p = &positions[k];
        const struct risk_instrument *n = &r->instruments[p->instrument];
        double shock = r->shock[(size_t)p->instrument * r->stress->count + stressed];
        sum += (double)p->lots * n->contract_size *
               (position_value(p, n->price + shock) - position_value(p, n->price));
    }
    return -sum;
}
