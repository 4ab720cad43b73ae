/* certify_page.c: what a certification found, for a terminal; see certify.h. */
#include "cli/certify.h"

#include "base/decimal.h"
#include "msg/compute.h"

#include <inttypes.h>

const char *certify_rate(char text[CERTIFY_NUMBER_SIZE], double flops)
{
    static const char *const units[] = {"FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s",
                                        "PFLOP/s"};
    int unit = 0;
    for (; flops >= 1000 && unit < 5; unit++) flops /= 1000;
    (void)snprintf(text, CERTIFY_NUMBER_SIZE, "%.*f %s", flops < 10 ? 2 : flops < 100 ? 1 : 0,
                   flops, units[unit]);
    return text;
}

const char *certify_ms(char text[CERTIFY_NUMBER_SIZE], int64_t ns)
{
    double ms = (double)ns / 1e6;
    if (ns == INT64_MIN || ns == INT64_MAX) (void)snprintf(text, CERTIFY_NUMBER_SIZE, "-");
    else (void)snprintf(text, CERTIFY_NUMBER_SIZE, "%.*f", ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
    return text;
}

static void products(FILE *f, const struct certify_result *r)
{
    char rate[CERTIFY_NUMBER_SIZE];
    for (uint32_t i = 0; i < r->product_count; i++) {
        const struct certify_product *p = &r->products[i];
        (void)fprintf(f, "  %-11s %-30s %-5s %12s  %s%s\n", i == 0 ? "products" : "", p->library,
                      p->precision, certify_rate(rate, p->flops),
                      p->exact ? "exact" : "NOT EXACT", p->used ? ", used" : "");
    }
    if (r->product_count > 0)
        (void)fprintf(f, "  %-11s %" PRIu32 " x %" PRIu32 " by %" PRIu32 " x %" PRIu32 "\n", "",
                      r->products[0].rows, r->products[0].depth, r->products[0].depth,
                      r->products[0].columns);
}

static void quantile(FILE *f, const char *name, const struct quantile *q)
{
    char value[CERTIFY_NUMBER_SIZE], low[CERTIFY_NUMBER_SIZE], high[CERTIFY_NUMBER_SIZE];
    (void)fprintf(f, "  %s %s (%s..%s)", name, certify_ms(value, q->value),
                  certify_ms(low, q->low), certify_ms(high, q->high));
}

static void latency(FILE *f, const char *name, const struct certify_latency *l)
{
    (void)fprintf(f, "  %-11s", name);
    quantile(f, "p50", &l->p50);
    quantile(f, "p90", &l->p90);
    quantile(f, "p99", &l->p99);
    if (l->bound > 0)
        (void)fprintf(f, "  bound %.0f: %" PRIu32 " of %" PRIu32 " over, %s",
                      (double)l->bound / 1e6, l->over, l->count,
                      l->shown  ? "kept with 99% confidence"
                      : l->kept ? "kept, not shown with 99% confidence" : "NOT KEPT");
    (void)fputc('\n', f);
}

static void phases(FILE *f, const struct certify_result *r)
{
    char rate[CERTIFY_NUMBER_SIZE], flops[CERTIFY_NUMBER_SIZE], a[CERTIFY_NUMBER_SIZE];
    char b[CERTIFY_NUMBER_SIZE];
    for (uint32_t i = 0; i < r->phase_count; i++) {
        const struct certify_phase *p = &r->phases[i];
        if (p->rate > 0) (void)snprintf(rate, sizeof rate, "%.4g/s", p->rate);
        else (void)snprintf(rate, sizeof rate, "-");
        (void)fprintf(f, "  %-11s %9s %7.1f s %7" PRIu32 " tasks %12s", p->name, rate, p->seconds,
                      p->count, certify_rate(flops, p->seconds > 0 ? p->flop / p->seconds : 0));
        if (p->rate > 0)
            (void)fprintf(f, "  p99 TTFT %s TPOT %s ms  %s", certify_ms(a, p->ttft.p99.value),
                          certify_ms(b, p->tpot.p99.value),
                          p->given_up ? "given up" : p->passed ? "passed" : "not passed");
        (void)fprintf(f, "%s\n", (int32_t)i == r->chosen ? "  <- certified" : "");
    }
}

void certify_page(FILE *f, const struct certify_heading *h, const struct certify_result *r)
{
    char flops[CERTIFY_NUMBER_SIZE], work[DECIMAL_TEXT_SIZE];
    const struct certify_plan *plan = h->plan;
    (void)fprintf(f, "%s, %s, vintage %" PRIu32 "%s%s\n  %-11s %s\n  %-11s %s, %s%s%s\n",
                  plan->workload->name, grade_name(plan->grade), plan->vintage,
                  plan->quick ? ", QUICK: a try" : "",
                  plan->workload->test ? ", a workload for tests" : "", "hardware", h->hardware,
                  "multiplied", r->backend.name, r->backend.kernel,
                  r->backend.precision[0] != 0 ? ", " : "", r->backend.precision);
    (void)fprintf(f, "  %-11s %" PRIu32 " sequences, passes of at most %" PRIu32 " rows", "batch",
                  r->slots, r->rows_max);
    if (r->backend.threads > 0) (void)fprintf(f, ", %" PRIu32 " threads", r->backend.threads);
    (void)fputc('\n', f);
    products(f, r);
    phases(f, r);
    if (r->chosen >= 0 && r->phases[r->chosen].rate > 0) {
        (void)fprintf(f, "  ms, with 95%% intervals of the true percentile\n");
        latency(f, "TTFT", &r->phases[r->chosen].ttft);
        latency(f, "TPOT", &r->phases[r->chosen].tpot);
    }
    if (r->sampled > 0)
        (void)fprintf(f, "  %-11s %" PRIu32 " of %" PRIu32 " tasks done again were equal bit by "
                      "bit (%s)\n", "quality", r->equal, r->sampled, r->other);
    if (!r->passed) {
        (void)fprintf(f, "  %-11s not passed: %s\n", "result", r->reason);
        return;
    }
    (void)decimal_format(work, r->work_per_hour, 9);
    (void)fprintf(f, "  %-11s %s CT/h: %s, %.1f%% of the bare product\n", "result", work,
                  certify_rate(flops, r->flops), 100 * r->share);
}
