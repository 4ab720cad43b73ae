/* margin_chart.c: see margin_chart.h. Losses are drawn downwards, by notional. */
#include "cli/margin_chart.h"

#include <math.h>

enum {
    COLUMNS = 72,
    LEVELS = 8,
    WIDTH = 1000,
    LEFT = 60,
    RIGHT = 20,
    PANEL = 220,
    TITLE = 34,
    POINTS_MAX = 1400,
};

/* What a column stands for. */
static void span(uint32_t count, uint32_t column, uint32_t *from, uint32_t *to)
{
    *from = (uint32_t)((uint64_t)count * column / COLUMNS);
    *to = (uint32_t)((uint64_t)count * (column + 1) / COLUMNS);
}

void margin_chart_print(const struct margin_case *c)
{
    static const char *const bars[LEVELS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct backtest *b = &c->test;
    char from_text[QUANT_DATE_SIZE], to_text[QUANT_DATE_SIZE];
    (void)printf("\n%s %s, core: loss by margin; a figure counts exceedances\n ", c->name, c->side);
    for (uint32_t column = 0; column < COLUMNS; column++) {
        uint32_t from, to, x = 0;
        span(b->count, column, &from, &to);
        for (uint32_t i = from; i < to; i++) x += backtest_exceeds(b, BACKTEST_core, i);
        if (x == 0) (void)putchar(' ');
        else (void)putchar(x < 10 ? (char)('0' + x) : '+');
    }
    (void)fputs("\n ", stdout);
    for (uint32_t column = 0; column < COLUMNS; column++) {
        uint32_t from, to;
        double most = 0;
        span(b->count, column, &from, &to);
        for (uint32_t i = from; i < to; i++) {
            double margin = b->margin[BACKTEST_core][i];
            if (margin > 0) most = fmax(most, -b->profit[i] / margin);
        }
        (void)fputs(bars[(int)fmin(LEVELS, ceil(most * LEVELS))], stdout);
    }
    (void)printf("\n %-*s%s\n", COLUMNS - 10, quant_date(from_text, b->day[0]),
                 quant_date(to_text, b->day[b->count - 1]));
}

/* ---- SVG ---- */

struct panel {
    FILE *f;
    const struct backtest *b;
    double top, most; /* USD by notional at the panel's edge */
};

static double x_of(const struct panel *p, uint32_t i)
{
    double days = p->b->day[p->b->count - 1] - p->b->day[0];
    return LEFT + (WIDTH - LEFT - RIGHT) * (p->b->day[i] - p->b->day[0]) / (days > 0 ? days : 1);
}

static double y_of(const struct panel *p, double rate)
{
    return p->top + TITLE + (PANEL - TITLE - 26) * (p->most - rate) / (2 * p->most);
}

static void margin_line(const struct panel *p, enum backtest_margin m, const char *colour)
{
    uint32_t step = p->b->count / POINTS_MAX + 1;
    (void)fprintf(p->f, "<polyline fill='none' stroke='%s' stroke-width='1.2' points='", colour);
    for (uint32_t i = 0; i < p->b->count; i += step)
        (void)fprintf(p->f, "%.1f,%.1f ", x_of(p, i),
                      y_of(p, -p->b->margin[m][i] / p->b->scale[i]));
    (void)fputs("'/>\n", p->f);
}

/* Profits and losses as one path of thin strokes: the extremes of each stretch of days. */
static void profits(const struct panel *p)
{
    uint32_t step = p->b->count / POINTS_MAX + 1;
    (void)fputs("<path fill='none' stroke='#9aa5b1' stroke-width='0.8' d='", p->f);
    for (uint32_t i = 0; i < p->b->count; i += step) {
        double low = 0, high = 0;
        for (uint32_t k = i; k < i + step && k < p->b->count; k++) {
            low = fmin(low, p->b->profit[k] / p->b->scale[k]);
            high = fmax(high, p->b->profit[k] / p->b->scale[k]);
        }
        (void)fprintf(p->f, "M%.1f %.1fV%.1f", x_of(p, i), y_of(p, high), y_of(p, low));
    }
    (void)fputs("'/>\n", p->f);
}

static void exceedances(const struct panel *p)
{
    char date[QUANT_DATE_SIZE];
    for (uint32_t i = 0; i < p->b->count; i++) {
        if (!backtest_exceeds(p->b, BACKTEST_core, i)) continue;
        double rate = p->b->profit[i] / p->b->scale[i];
        (void)fprintf(p->f, "<circle cx='%.1f' cy='%.1f' r='3' fill='#d62728'><title>%s: %.1f %%, "
                      "margin %.1f %%</title></circle>\n", x_of(p, i), y_of(p, rate),
                      quant_date(date, p->b->day[i]), 100 * rate,
                      100 * p->b->margin[BACKTEST_core][i] / p->b->scale[i]);
    }
}

static void axes(const struct panel *p)
{
    char from[QUANT_DATE_SIZE], to[QUANT_DATE_SIZE];
    for (int i = -1; i <= 1; i++) {
        double y = y_of(p, i * p->most);
        (void)fprintf(p->f, "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='#dddddd'/>"
                      "<text x='%d' y='%.1f' text-anchor='end'>%.0f %%</text>\n", LEFT,
                      WIDTH - RIGHT, y, y, LEFT - 6, y + 4, 100 * i * p->most);
    }
    double bottom = p->top + PANEL - 8;
    (void)fprintf(p->f, "<text x='%d' y='%.1f'>%s</text><text x='%d' y='%.1f' "
                  "text-anchor='end'>%s</text>\n", LEFT, bottom, quant_date(from, p->b->day[0]),
                  WIDTH - RIGHT, bottom, quant_date(to, p->b->day[p->b->count - 1]));
}

static void draw(FILE *f, const struct margin_case *c, uint32_t index)
{
    struct panel p = {.f = f, .b = &c->test, .top = 40 + (double)index * PANEL, .most = 0.01};
    const struct backtest_result *q = &c->result[BACKTEST_core];
    for (uint32_t i = 0; i < p.b->count; i++) {
        p.most = fmax(p.most, fabs(p.b->profit[i]) / p.b->scale[i]);
        p.most = fmax(p.most, p.b->margin[BACKTEST_core][i] / p.b->scale[i]);
    }
    (void)fprintf(f, "<text x='%d' y='%.0f' font-size='14'>", LEFT, p.top + 20);
    margin_svg_text(f, c->name, QUANT_NAME_SIZE);
    (void)fprintf(f, " %s: %u of %u exceed, %s</text>\n", c->side, q->coverage.exceedances,
                  q->coverage.observations, coverage_zone_name(q->zone));
    axes(&p);
    profits(&p);
    margin_line(&p, BACKTEST_filtered, "#ff9f1c");
    margin_line(&p, BACKTEST_core, "#1f77b4");
    exceedances(&p);
}

int margin_chart_svg(const char *path, const struct margin_case *cases, uint32_t count)
{
    FILE *f = margin_svg_open(path, WIDTH, 60 + (int)count * PANEL, 11, LEFT,
                              "Profit and loss over the horizon by notional (grey), margin: core "
                              "(blue), filtered (orange), exceedances (red)");
    if (f == NULL) return 1;
    for (uint32_t i = 0; i < count; i++) draw(f, &cases[i], i);
    return margin_svg_close(f, path);
}
