/* certify_svg.c: the result page as a drawing: a table, and how the latencies lie (or, offline, how
 * the throughput went). By hand; see certify.h. */
#include "cli/certify.h"

#include "base/decimal.h"
#include "msg/compute.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WIDTH = 960, HEIGHT = 620, LEFT = 60, CHART_TOP = 290, CHART_HEIGHT = 250,
       CHART_WIDTH = 390, LINE = 22, BINS = 60, POINTS = 200 };

static void escaped(FILE *f, const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '<') (void)fputs("&lt;", f);
        else if (*text == '&') (void)fputs("&amp;", f);
        else (void)fputc(*text, f);
    }
}

/* A line of the table, at `y`. */
static void row(FILE *f, int y, const char *name, const char *value)
{
    (void)fprintf(f, "<text x='%d' y='%d' fill='#666'>%s</text><text x='%d' y='%d'>", LEFT, y, name,
                  LEFT + 110, y);
    escaped(f, value);
    (void)fputs("</text>\n", f);
}

static void frame(FILE *f, int x, const char *title, const char *from, const char *to)
{
    int bottom = CHART_TOP + CHART_HEIGHT;
    (void)fprintf(f, "<text x='%d' y='%d' font-weight='bold'>%s</text>\n"
                  "<rect x='%d' y='%d' width='%d' height='%d' fill='none' stroke='#bbb'/>\n"
                  "<text x='%d' y='%d' fill='#666'>%s</text>"
                  "<text x='%d' y='%d' fill='#666' text-anchor='end'>%s</text>\n",
                  x, CHART_TOP - 10, title, x, CHART_TOP, CHART_WIDTH, CHART_HEIGHT, x,
                  bottom + 18, from, x + CHART_WIDTH, bottom + 18, to);
}

/* The share of queries at or below each time; the bound as a line. */
static void distribution(FILE *f, int x, const char *name, const struct certify_phase *p,
                         bool first)
{
    const struct certify_latency *l = first ? &p->ttft : &p->tpot;
    int64_t *times = calloc(p->count + 1, sizeof *times), most = l->bound;
    char title[96], to[32], ms[CERTIFY_NUMBER_SIZE];
    uint32_t count = 0;
    if (times == NULL) return;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct load_query *q = &p->queries[i];
        if (q->tokens > 1 || (first && q->tokens > 0))
            times[count++] = first ? q->first - q->arrived
                                   : (q->last - q->first) / (int64_t)(q->tokens - 1);
    }
    statistics_sort(times, count);
    if (count > 0 && times[count - 1] > most) most = times[count - 1];
    if (most <= 0) most = 1;
    (void)snprintf(title, sizeof title, "%s, share of queries within", name);
    (void)snprintf(to, sizeof to, "%s ms", certify_ms(ms, most));
    frame(f, x, title, "0", to);
    (void)fputs("<polyline fill='none' stroke='#1f77b4' stroke-width='2' points='", f);
    for (uint32_t i = 0; count > 0 && i <= POINTS; i++) {
        uint32_t k = (uint32_t)((uint64_t)(count - 1) * i / POINTS);
        (void)fprintf(f, "%.1f,%.1f ", x + (double)times[k] / (double)most * CHART_WIDTH,
                      CHART_TOP + CHART_HEIGHT * (1 - (double)(k + 1) / count));
    }
    (void)fputs("'/>\n", f);
    double bound = x + (double)l->bound / (double)most * CHART_WIDTH;
    double high = CHART_TOP + CHART_HEIGHT * 0.01;
    (void)fprintf(f, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='#d62728' "
                  "stroke-dasharray='5,4'/>\n<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' "
                  "stroke='#999' stroke-dasharray='2,3'/>\n", bound, CHART_TOP, bound,
                  CHART_TOP + CHART_HEIGHT, x, high, x + CHART_WIDTH, high);
    free(times);
}

/* FLOP of the tasks that ended in each part of the time. */
static void throughput(FILE *f, const struct certify_phase *p)
{
    double bins[BINS] = {0}, most = 0, width = 2.0 * CHART_WIDTH + 50;
    char to[32], rate[CERTIFY_NUMBER_SIZE];
    for (uint32_t i = 0; i < p->count; i++) {
        double at = (double)p->queries[i].last * 1e-9 / p->seconds * BINS;
        int bin = at >= BINS ? BINS - 1 : at < 0 ? 0 : (int)at;
        bins[bin] += (double)p->queries[i].flop;
    }
    for (int i = 0; i < BINS; i++)
        if (bins[i] > most) most = bins[i];
    (void)snprintf(to, sizeof to, "%.0f s", p->seconds);
    (void)fprintf(f, "<text x='%d' y='%d' font-weight='bold'>Work of finished tasks; the line is "
                  "the mean, %s; top %s</text>\n", LEFT, CHART_TOP - 10,
                  certify_rate(rate, p->flop / p->seconds),
                  certify_rate((char[CERTIFY_NUMBER_SIZE]){0}, most * BINS / p->seconds));
    for (int i = 0; i < BINS && most > 0; i++) {
        double height = bins[i] / most * CHART_HEIGHT;
        (void)fprintf(f, "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='#1f77b4'/>\n",
                      LEFT + width * i / BINS, CHART_TOP + CHART_HEIGHT - height,
                      width / BINS - 1, height);
    }
    double mean = most > 0 ? p->flop / BINS / most * CHART_HEIGHT : 0;
    (void)fprintf(f, "<line x1='%d' y1='%.1f' x2='%.1f' y2='%.1f' stroke='#d62728'/>\n"
                  "<text x='%d' y='%d' fill='#666'>0</text><text x='%.1f' y='%d' fill='#666' "
                  "text-anchor='end'>%s</text>\n", LEFT, CHART_TOP + CHART_HEIGHT - mean,
                  LEFT + width, CHART_TOP + CHART_HEIGHT - mean, LEFT,
                  CHART_TOP + CHART_HEIGHT + 18, LEFT + width, CHART_TOP + CHART_HEIGHT + 18, to);
}

static void table(FILE *f, const struct certify_heading *h, const struct certify_result *r)
{
    char text[256], work[DECIMAL_TEXT_SIZE], rate[CERTIFY_NUMBER_SIZE];
    int y = 70;
    row(f, y, "hardware", h->hardware);
    (void)snprintf(text, sizeof text, "%s, %s %s; %" PRIu32 " sequences", r->backend.name,
                   r->backend.kernel, r->backend.precision, r->slots);
    row(f, y += LINE, "multiplied", text);
    (void)decimal_format(work, r->work_per_hour, 9);
    if (r->passed)
        (void)snprintf(text, sizeof text, "%s CT/h (%s, %.1f%% of the bare product)", work,
                       certify_rate(rate, r->flops), 100 * r->share);
    else (void)snprintf(text, sizeof text, "not passed: %.200s", r->reason);
    row(f, y += LINE, "result", text);
    (void)snprintf(text, sizeof text, "%" PRIu32 " of %" PRIu32 " tasks done again equal bit by "
                   "bit (%s)", r->equal, r->sampled, r->other);
    row(f, y += LINE, "quality", text);
    if (r->chosen >= 0) {
        const struct certify_phase *p = &r->phases[r->chosen];
        int length = snprintf(text, sizeof text, "%" PRIu32 " tasks in %.1f s", p->count,
                              p->seconds);
        if (p->rate > 0)
            (void)snprintf(text + length, sizeof text - (size_t)length,
                           ", Poisson arrivals at %.4g a second; over the bound: TTFT %" PRIu32
                           ", TPOT %" PRIu32, p->rate, p->ttft.over, p->tpot.over);
        row(f, y += LINE, "run", text);
    }
    row(f, y += LINE, "started", h->started);
    if (h->evidence[0] != 0) row(f, y += LINE, "evidence", h->evidence);
}

void certify_svg(FILE *f, const struct certify_heading *h, const struct certify_result *r)
{
    (void)fprintf(f, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
                  "font-family='sans-serif' font-size='13'>\n"
                  "<rect width='100%%' height='100%%' fill='white'/>\n"
                  "<text x='%d' y='34' font-size='18'>%s, grade %s, vintage %" PRIu32
                  "%s</text>\n", WIDTH, HEIGHT, LEFT, h->plan->workload->name,
                  grade_name(h->plan->grade), h->plan->vintage,
                  h->plan->quick ? " (quick: a try)" : "");
    table(f, h, r);
    if (r->chosen >= 0) {
        const struct certify_phase *p = &r->phases[r->chosen];
        if (p->rate > 0) {
            distribution(f, LEFT, "Time to first token", p, true);
            distribution(f, LEFT + CHART_WIDTH + 50, "Time per further token", p, false);
        } else if (p->seconds > 0) throughput(f, p);
    }
    (void)fputs("</svg>\n", f);
}
