/* index_svg.c: an index and the naive median beside it, drawn as SVG. */
#include "cli/index_series.h"

#include "base/time_text.h"
#include "cli/margin.h"

enum { WIDTH = 900, HEIGHT = 380, LEFT = 70, RIGHT = 20, TOP = 60, BOTTOM = 40, TICKS = 5 };

struct frame {
    const struct index_series_made *s;
    double high;
};

static double x_of(const struct frame *g, uint32_t i)
{
    double span = g->s->count > 1 ? (double)(g->s->count - 1) : 1;
    return LEFT + (WIDTH - LEFT - RIGHT) * (double)i / span;
}

static double y_of(const struct frame *g, double price)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * price / g->high;
}

static void line(FILE *f, const struct frame *g, bool naive, const char *colour)
{
    bool open = false;
    for (uint32_t i = 0; i < g->s->count; i++) {
        double price = naive ? g->s->points[i].naive : g->s->points[i].level;
        if (price <= 0) continue;
        if (!open) (void)fprintf(f, "<polyline fill='none' stroke='%s' stroke-width='2' points='",
                                 colour);
        open = true;
        (void)fprintf(f, "%.1f,%.1f ", x_of(g, i), y_of(g, price));
    }
    if (open) (void)fputs("'/>\n", f);
}

static void axes(FILE *f, const struct frame *g)
{
    for (int i = 0; i <= TICKS; i++) {
        double price = g->high * i / TICKS, y = y_of(g, price);
        (void)fprintf(f, "<line x1='%d' y1='%.1f' x2='%d' y2='%.1f' stroke='#dddddd'/>"
                      "<text x='%d' y='%.1f' text-anchor='end'>%.3f</text>\n", LEFT, y,
                      WIDTH - RIGHT, y, LEFT - 6, y + 4, price);
    }
    for (int i = 0; i < 2; i++) {
        char at[TIME_TEXT_SIZE];
        uint32_t point = i == 0 ? 0 : g->s->count - 1;
        (void)time_format(at, TS(g->s->points[point].ms * 1000000));
        (void)fprintf(f, "<text x='%.1f' y='%d' text-anchor='%s'>%.10s</text>\n",
                      x_of(g, point), HEIGHT - 14, i == 0 ? "start" : "end", at);
    }
}

int index_series_svg(const char *path, const char *title, const struct index_series_made *s)
{
    struct frame g = {.s = s, .high = 0};
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->points[i].level > g.high) g.high = s->points[i].level;
        if (s->points[i].naive > g.high) g.high = s->points[i].naive;
    }
    FILE *f = g.high > 0 ? fopen(path, "w") : NULL;
    if (f == NULL) {
        (void)fprintf(stderr, "dojima: %s cannot be written\n", path);
        return 1;
    }
    g.high *= 1.1;
    (void)fprintf(f, "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' "
                  "font-family='sans-serif' font-size='12'>\n"
                  "<rect width='%d' height='%d' fill='white'/>\n<text x='%d' y='22' "
                  "font-size='15'>", WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT);
    margin_svg_text(f, title, 90);
    (void)fprintf(f, "</text>\n<text x='%d' y='42' fill='#999999'>median of whoever offered</text>"
                  "\n<text x='%d' y='42' fill='#1f77b4'>index, matched offers, chained</text>\n",
                  LEFT, LEFT + 200);
    axes(f, &g);
    line(f, &g, true, "#999999");
    line(f, &g, false, "#1f77b4");
    (void)fputs("</svg>\n", f);
    bool failed = ferror(f) != 0;
    if (fclose(f) == 0 && !failed) return 0;
    (void)fprintf(stderr, "dojima: %s cannot be written\n", path);
    return 1;
}
