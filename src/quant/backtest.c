/* backtest.c: see backtest.h. */
#include "quant/backtest.h"

#include "base/assert.h"
#include "quant/shortfall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void backtest_close(struct backtest *b)
{
    free(b->day);
    free(b->profit);
    free(b->scale);
    for (int m = 0; m < BACKTEST_MARGINS; m++) free(b->margin[m]);
    *b = (struct backtest){0};
}

/* Profit from day `at` to `at` + horizon at today's scale; NaN where any position has no move. */
static double profit_of(const struct risk *r, const struct position *positions, uint32_t count,
                        uint32_t at)
{
    double sum = 0;
    for (uint32_t k = 0; k < count; k++) {
        const struct risk_instrument *n = &r->instruments[positions[k].instrument];
        double move = r->moves[(size_t)positions[k].instrument * r->days + at +
                               r->method.horizon];
        sum += (double)positions[k].lots * n->contract_size * n->scale * move;
    }
    return sum;
}

static int test_day(struct backtest *b, struct risk *r, const struct position *positions,
                    uint32_t count, uint32_t at, struct requirement_work *work,
                    struct quant_error *error)
{
    struct requirement q;
    double gross = 0;
    if (risk_at(r, at, RISK_past, error) != 0 ||
        requirement_compute(r, positions, count, 0, work, &q, error) != 0)
        return -1;
    double profit = profit_of(r, positions, count, at);
    if (isnan(profit)) return 0;
    for (uint32_t k = 0; k < count; k++) {
        const struct risk_instrument *n = &r->instruments[positions[k].instrument];
        gross += fabs((double)positions[k].lots) * n->contract_size * n->scale;
    }
    b->day[b->count] = r->day[at];
    b->profit[b->count] = profit;
    b->scale[b->count] = gross;
    b->margin[BACKTEST_core][b->count] = (double)q.core / 1e6;
    b->margin[BACKTEST_filtered][b->count] = (double)q.filtered.value / 1e6;
    b->count += 1;
    return 0;
}

static int run(struct backtest *b, struct risk *r, const struct position *positions,
               uint32_t count, struct requirement_work *work, struct quant_error *error)
{
    uint32_t joint = 0;
    for (uint32_t at = r->method.burn_in + r->method.horizon;
         at + r->method.horizon < r->days; at++) {
        joint += risk_moved(r, at);
        if (joint < r->method.window_min) continue;
        if (test_day(b, r, positions, count, at, work, error) != 0) return -1;
    }
    if (b->count < BACKTEST_TESTS_MIN)
        return quant_fail(error, "history", 0, "%u days can be tested, at least %d are needed",
                          b->count, BACKTEST_TESTS_MIN);
    return 0;
}

int backtest_run(struct backtest *b, struct risk *r, const struct position *positions,
                 uint32_t count, struct quant_error *error)
{
    struct requirement_work work = {0};
    *b = (struct backtest){0};
    for (uint32_t k = 0; k < count; k++) {
        if (positions[k].kind != POSITION_future)
            return quant_fail(error, "backtest", 0, "options have no history to test against");
    }
    if (requirement_work_open(&work, r, error) != 0) return -1;
    b->day = malloc(r->days * sizeof *b->day);
    b->profit = malloc(r->days * sizeof(double));
    b->scale = malloc(r->days * sizeof(double));
    bool there = b->day != NULL && b->profit != NULL && b->scale != NULL;
    for (int m = 0; m < BACKTEST_MARGINS; m++) {
        b->margin[m] = malloc(r->days * sizeof(double));
        there = there && b->margin[m] != NULL;
    }
    int status = there ? run(b, r, positions, count, &work, error)
                       : quant_fail(error, "backtest", 0, "no memory");
    requirement_work_close(&work);
    if (status != 0) backtest_close(b);
    return status;
}

static void judge_independence(const uint8_t *exceeded, uint32_t count,
                               const struct method *method, struct backtest_result *out)
{
    uint8_t *apart = malloc(count);
    out->independence_p = out->conditional_p = 1;
    for (uint32_t phase = 0; apart != NULL && phase < method->horizon; phase++) {
        uint32_t n = 0;
        struct coverage c;
        for (uint32_t i = phase; i < count; i += method->horizon) apart[n++] = exceeded[i];
        if (n < 2) continue;
        coverage_test(apart, n, method->tail_ppm, &c);
        out->independence_p = fmin(out->independence_p, c.independence_p);
        out->conditional_p = fmin(out->conditional_p, c.conditional_p);
    }
    free(apart);
}

static void judge_cycle(const struct backtest *b, enum backtest_margin margin,
                        struct backtest_result *out)
{
    double most = 0, least = INFINITY;
    for (uint32_t i = 0; i < b->count; i++) {
        double rate = b->margin[margin][i] / b->scale[i];
        most = fmax(most, rate);
        least = fmin(least, rate);
        for (uint32_t back = 1; back <= BACKTEST_RISE_LONG && back <= i; back++) {
            double before = b->margin[margin][i - back] / b->scale[i - back];
            double rise = before > 0 ? rate / before - 1 : 0;
            if (back <= BACKTEST_RISE_SHORT) out->rise_short = fmax(out->rise_short, rise);
            out->rise_long = fmax(out->rise_long, rise);
        }
    }
    out->peak_to_trough = least > 0 ? most / least : INFINITY;
}

void backtest_judge(const struct backtest *b, enum backtest_margin margin,
                    const struct method *method, struct backtest_result *out)
{
    *out = (struct backtest_result){0};
    uint8_t *exceeded = malloc(b->count);
    ASSERT(exceeded != NULL && b->count >= 2);
    for (uint32_t i = 0; i < b->count; i++) exceeded[i] = backtest_exceeds(b, margin, i);
    coverage_test(exceeded, b->count, method->tail_ppm, &out->coverage);
    judge_independence(exceeded, b->count, method, out);
    out->zone = coverage_zone_of(b->count, out->coverage.exceedances,
                                 (double)method->tail_ppm / SHORTFALL_MILLION);
    for (uint32_t from = 0; from + BACKTEST_WINDOW <= b->count; from += BACKTEST_WINDOW) {
        uint32_t x = 0;
        for (uint32_t i = from; i < from + BACKTEST_WINDOW; i++) x += exceeded[i];
        out->windows[coverage_zone(x)] += 1;
        if (x > out->worst_window) out->worst_window = x;
    }
    free(exceeded);
    judge_cycle(b, margin, out);
}
