/* table.c: see table.h. */
#include "cli/table.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

struct cell {
    enum table_colour colour;
    char text[TABLE_CELL_SIZE];
};

struct table {
    const struct table_column *columns;
    size_t width; /* columns */
    struct cell *cells;
    size_t count;
    size_t capacity;
    bool colour;
};

struct table *table_new(const struct table_column *columns, bool colour)
{
    struct table *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->columns = columns;
    t->colour = colour;
    while (columns[t->width].title != NULL) t->width += 1;
    ASSERT(t->width > 0 && t->width <= TABLE_COLUMNS_MAX);
    return t;
}

void table_free(struct table *t)
{
    if (t == NULL) return;
    free(t->cells);
    free(t);
}

void table_add(struct table *t, enum table_colour colour, const char *text)
{
    if (t->count == t->capacity) {
        size_t capacity = t->capacity == 0 ? 256 : t->capacity * 2;
        struct cell *cells = realloc(t->cells, capacity * sizeof *cells);
        if (cells == NULL) return;
        t->cells = cells;
        t->capacity = capacity;
    }
    struct cell *c = &t->cells[t->count++];
    c->colour = colour;
    (void)snprintf(c->text, sizeof c->text, "%s", text);
    /* Nothing that a server sends may steer the terminal. */
    for (char *p = c->text; *p != 0; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    }
}

size_t table_rows(const struct table *t) { return t->count / t->width; }

/* Characters, not bytes, of UTF-8. */
static int length_of(const char *text)
{
    int n = 0;
    for (; *text != 0; text++) n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Digits behind the point; -1: not a number, which takes no zeros. */
static int places_of(const char *text)
{
    if (text[0] == 0 || text[strspn(text, "-+0123456789.")] != 0) return -1;
    const char *point = strchr(text, '.');
    return point == NULL ? 0 : (int)strlen(point + 1);
}

struct layout {
    int width;
    int places; /* TABLE_DECIMAL */
};

/* Zeros that a decimal of this column wants behind it, its point included. */
static int missing(const struct layout *l, const char *text)
{
    int places = places_of(text);
    if (places < 0 || l->places == 0) return 0;
    return l->places - places + (places == 0);
}

static void lay_out(const struct table *t, bool titles, struct layout *layout)
{
    for (size_t c = 0; c < t->width; c++) {
        struct layout *l = &layout[c];
        *l = (struct layout){.width = titles ? length_of(t->columns[c].title) : 0};
        bool decimal = t->columns[c].align == TABLE_DECIMAL;
        for (size_t i = c; decimal && i < t->count; i += t->width) {
            int places = places_of(t->cells[i].text);
            if (places > l->places) l->places = places;
        }
        for (size_t i = c; i < t->count; i += t->width) {
            int n = length_of(t->cells[i].text) + (decimal ? missing(l, t->cells[i].text) : 0);
            if (n > l->width) l->width = n;
        }
    }
}

static void print_cell(const struct table *t, FILE *out, size_t column, const struct layout *l,
                       const char *text, enum table_colour colour)
{
    static const char *const on[] = {"", "\033[32m", "\033[31m", "\033[2m", "\033[1m"};
    enum table_align align = t->columns[column].align;
    bool last = column + 1 == t->width, coloured = t->colour && colour != TABLE_PLAIN;
    int zeros = align == TABLE_DECIMAL ? missing(l, text) : 0;
    int pad = l->width - length_of(text) - zeros;
    if (column > 0) (void)fputs("  ", out);
    if (align != TABLE_TEXT) (void)fprintf(out, "%*s", pad, "");
    (void)fprintf(out, "%s%s", coloured ? on[colour] : "", text);
    if (zeros > 0) {
        if (strchr(text, '.') == NULL) {
            (void)fputc('.', out);
            zeros -= 1;
        }
        for (; zeros > 0; zeros--) (void)fputc('0', out);
    }
    if (coloured) (void)fputs("\033[0m", out);
    if (align == TABLE_TEXT && !last) (void)fprintf(out, "%*s", pad, "");
}

void table_print(const struct table *t, FILE *out, bool titles)
{
    struct layout layout[TABLE_COLUMNS_MAX];
    lay_out(t, titles, layout);
    for (size_t c = 0; titles && c < t->width; c++)
        print_cell(t, out, c, &layout[c], t->columns[c].title, TABLE_BOLD);
    if (titles) (void)fputc('\n', out);
    for (size_t i = 0; i + t->width <= t->count; i += t->width) {
        for (size_t c = 0; c < t->width; c++) {
            const struct cell *cell = &t->cells[i + c];
            print_cell(t, out, c, &layout[c], cell->text, cell->colour);
        }
        (void)fputc('\n', out);
    }
}
