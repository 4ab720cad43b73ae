/* stress.c: see stress.h. */
#include "quant/stress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOVE_MAX 1e9
enum { TENOR_MAX = 1200 };

enum column {
    COLUMN_scenario, COLUMN_kind, COLUMN_from, COLUMN_to, COLUMN_factor, COLUMN_tenor_min,
    COLUMN_tenor_max, COLUMN_move, COLUMN_unit, COLUMN_source, COLUMNS
};
static const char *const titles[COLUMNS] = {"scenario", "kind", "from", "to", "factor",
                                            "tenor_min", "tenor_max", "move", "unit", "source"};

static int read_scenario(struct stress_set *s, struct csv *c, const int *column)
{
    struct stress_scenario fresh = {.first = s->move_count};
    if (!csv_name(c, column[COLUMN_scenario], fresh.name))
        return csv_bad(c, "the scenario has no name");
    fresh.historical = csv_is(c, column[COLUMN_kind], "historical");
    if (!fresh.historical && !csv_is(c, column[COLUMN_kind], "hypothetical"))
        return csv_bad(c, "%s: kind is historical or hypothetical", fresh.name);
    if (csv_empty(c, column[COLUMN_source]))
        return csv_bad(c, "%s: the source is missing", fresh.name);
    if (fresh.historical && (!csv_date(c, column[COLUMN_from], &fresh.from) ||
                             !csv_date(c, column[COLUMN_to], &fresh.to) || fresh.from >= fresh.to))
        return csv_bad(c, "%s: from and to are dates, one after the other", fresh.name);
    if (s->count > 0) {
        const struct stress_scenario *last = &s->scenarios[s->count - 1];
        if (strcmp(last->name, fresh.name) == 0) {
            if (last->historical != fresh.historical || last->from != fresh.from ||
                last->to != fresh.to)
                return csv_bad(c, "%s: kind and dates differ from the line before", fresh.name);
            return 0;
        }
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (strcmp(s->scenarios[i].name, fresh.name) == 0)
            return csv_bad(c, "%s: stands in two places", fresh.name);
    }
    if (s->count == STRESS_SCENARIOS_MAX)
        return csv_bad(c, "more than %d scenarios", STRESS_SCENARIOS_MAX);
    s->scenarios[s->count++] = fresh;
    return 0;
}

static bool read_tenor(const struct csv *c, int column, int32_t absent, int32_t *months)
{
    int64_t value;
    *months = absent;
    if (csv_empty(c, column)) return true;
    if (!csv_integer(c, column, &value) || value < 0 || value > TENOR_MAX) return false;
    *months = (int32_t)value;
    return true;
}

static int read_move(struct stress_set *s, struct csv *c, const int *column)
{
    struct stress_scenario *scenario = &s->scenarios[s->count - 1];
    struct stress_move m = {0};
    if (!csv_name(c, column[COLUMN_factor], m.factor))
        return csv_bad(c, "%s: the factor is missing", scenario->name);
    if (!read_tenor(c, column[COLUMN_tenor_min], 0, &m.tenor_min) ||
        !read_tenor(c, column[COLUMN_tenor_max], TENOR_MAX, &m.tenor_max) ||
        m.tenor_min > m.tenor_max)
        return csv_bad(c, "%s: the tenor is no range of months", scenario->name);
    if (csv_empty(c, column[COLUMN_move])) return csv_bad(c, "%s: no move", scenario->name);
    if (!csv_number(c, column[COLUMN_move], &m.move) || fabs(m.move) > MOVE_MAX)
        return csv_bad(c, "%s: the move is no number within %g", scenario->name, MOVE_MAX);
    if (csv_is(c, column[COLUMN_unit], "relative")) m.unit = STRESS_relative;
    else if (csv_is(c, column[COLUMN_unit], "absolute")) m.unit = STRESS_absolute;
    else if (csv_is(c, column[COLUMN_unit], "sigma")) m.unit = STRESS_sigma;
    else return csv_bad(c, "%s: unit is relative, absolute or sigma", scenario->name);
    for (uint32_t i = scenario->first; i < s->move_count; i++) {
        if (strcmp(s->moves[i].factor, m.factor) == 0 && s->moves[i].tenor_min <= m.tenor_max &&
            m.tenor_min <= s->moves[i].tenor_max)
            return csv_bad(c, "%s: %s stands twice at one tenor", scenario->name, m.factor);
    }
    if (s->move_count == STRESS_MOVES_MAX)
        return csv_bad(c, "more than %d moves", STRESS_MOVES_MAX);
    s->moves[s->move_count++] = m;
    scenario->count += 1;
    return 0;
}

static int read_all(struct stress_set *s, struct csv *c)
{
    int column[COLUMNS], more;
    if (csv_titles(c, titles, COLUMNS, COLUMNS, column) != 0) return -1;
    while ((more = csv_next(c)) == 1) {
        if (read_scenario(s, c, column) != 0 || read_move(s, c, column) != 0) return -1;
    }
    if (more == 0 && s->count == 0)
        return quant_fail(c->error, c->name, 0, "there are no scenarios");
    return more;
}

int stress_read(struct stress_set *s, const char *file, const char *text, size_t length,
                struct quant_error *error)
{
    struct stress_set *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) return quant_fail(error, file, 0, "no memory");
    (void)snprintf(fresh->file, sizeof fresh->file, "%s", file);
    struct csv c;
    csv_open(&c, file, text, length, error);
    int status = read_all(fresh, &c);
    if (status == 0) *s = *fresh;
    free(fresh);
    return status;
}

const struct stress_move *stress_find(const struct stress_set *s, uint32_t scenario,
                                      const char *factor, int32_t tenor)
{
    const struct stress_scenario *at = &s->scenarios[scenario];
    const struct stress_move *any = NULL;
    for (uint32_t i = at->first; i < at->first + at->count; i++) {
        const struct stress_move *m = &s->moves[i];
        if (tenor < m->tenor_min || tenor > m->tenor_max) continue;
        if (strcmp(m->factor, factor) == 0) return m;
        if (strcmp(m->factor, "*") == 0) any = m;
    }
    return any;
}
