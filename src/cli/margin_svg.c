/* margin_svg.c: drawings as SVG; the parts of each account's margin as stacked bars. See margin.h.
 */
#include "cli/margin.h"

#include "base/units.h"

enum { WIDTH = 900, LEFT = 150, RIGHT = 170, BAR = 26, GAP = 14, TOP = 70, NAME_MAX_SHOWN = 20 };

struct part {
    const char *name, *colour;
    int64_t amount;
};

/* What stands in the bar: the parts where they bind, else the floor that does. */
static int parts_of(const struct requirement *q, struct part *parts)
{
    if (q->binding != BINDING_core) {
        static const char *const names[] = {"", "floor of notional", "floor of volume",
                                            "short options"};
        parts[0] = (struct part){names[q->binding], "#8c6d31", q->total + q->credit};
        return 1;
    }
    parts[0] = (struct part){"core", "#1f77b4", q->core};
    parts[1] = (struct part){"liquidity", "#2ca02c", q->liquidity};
    parts[2] = (struct part){"concentration", "#d62728", q->concentration};
    parts[3] = (struct part){"delivery", "#9467bd", q->delivery};
    return 4;
}

static void bar(FILE *f, const struct margin_account *account, int y, double scale)
{
    struct part parts[4];
    char usd[MARGIN_USD_SIZE];
    int count = parts_of(&account->requirement, parts);
    double x = LEFT;
    (void)fprintf(f, "<text x='%d' y='%d' text-anchor='end'>", LEFT - 8, y + BAR - 8);
    margin_svg_text(f, account->name, NAME_MAX_SHOWN);
    (void)fputs("</text>\n", f);
    for (int i = 0; i < count; i++) {
        double width = (double)parts[i].amount * scale;
        (void)fprintf(f, "<rect x='%.1f' y='%d' width='%.1f' height='%d' fill='%s'>"
                      "<title>%s %s</title></rect>\n", x, y, width, BAR, parts[i].colour,
                      parts[i].name, margin_usd(usd, parts[i].amount));
        x += width;
    }
    (void)fprintf(f, "<text x='%.1f' y='%d'>%s</text>\n", x + 6, y + BAR - 8,
                  margin_usd(usd, account->requirement.total));
}

static void legend(FILE *f)
{
    static const struct part parts[] = {{"core", "#1f77b4", 0}, {"liquidity", "#2ca02c", 0},
                                        {"concentration", "#d62728", 0},
                                        {"delivery", "#9467bd", 0}, {"a floor", "#8c6d31", 0}};
    for (int i = 0; i < 5; i++)
        (void)fprintf(f, "<rect x='%d' y='38' width='12' height='12' fill='%s'/>"
                      "<text x='%d' y='49'>%s</text>\n", LEFT + i * 120, parts[i].colour,
                      LEFT + 16 + i * 120, parts[i].name);
}

FILE *margin_svg_open(const char *path, int width, int height, int font, int left,
                      const char *title)
{
    FILE *f = fopen(path, "w");
    if (f == NULL) {
        (void)fprintf(stderr, "dojima: %s: the file cannot be written\n", path);
        return NULL;
    }
    (void)fprintf(f, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
                  "font-family='sans-serif' font-size='%d'>\n"
                  "<rect width='100%%' height='100%%' fill='white'/>\n"
                  "<text x='%d' y='24' font-size='16'>%s</text>\n", width, height, font, left,
                  title);
    return f;
}

int margin_svg_close(FILE *f, const char *path)
{
    (void)fputs("</svg>\n", f);
    if (fclose(f) == 0) return 0;
    (void)fprintf(stderr, "dojima: %s: the file cannot be written\n", path);
    return 1;
}

void margin_svg_text(FILE *f, const char *text, int most)
{
    for (int i = 0; text[i] != 0 && i < most; i++) {
        if (text[i] == '<') (void)fputs("&lt;", f);
        else if (text[i] == '&') (void)fputs("&amp;", f);
        else (void)fputc(text[i], f);
    }
}

int margin_svg(const char *path, const struct margin_accounts *a)
{
    int height = TOP + (int)a->count * (BAR + GAP) + 20;
    FILE *f = margin_svg_open(path, WIDTH, height, 13, LEFT, "Initial margin, USD, before credits; "
                              "the figure is what is due");
    if (f == NULL) return 1;
    int64_t most = 1;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct requirement *q = &a->items[i].requirement;
        most = int64_max(most, q->total + q->credit);
    }
    double scale = (double)(WIDTH - LEFT - RIGHT) / (double)most;
    legend(f);
    for (uint32_t i = 0; i < a->count; i++)
        bar(f, &a->items[i], TOP + (int)i * (BAR + GAP), scale);
    return margin_svg_close(f, path);
}
