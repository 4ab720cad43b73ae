/* stress.h: the stress set: joint moves on dates that happened, and some that have not (CLEAR-05).
 *
 * A file of lines scenario,kind,from,to,factor,tenor_min,tenor_max,move,unit,source. Lines of one
 * scenario stand together and agree on kind and dates. kind: historical (from and to are the dates
 * of the two prices) or hypothetical. A line moves every instrument of its factor (`*`: of any)
 * whose tenor in months is within tenor_min and tenor_max (blank: unbounded); the factor's own line
 * goes before `*`. What no line of a scenario speaks of does not move. unit: relative (to the scale
 * price), absolute (USD), sigma (multiples of long-run volatility over the horizon).
 *
 * Invariants: (1) a scenario has a factor and tenor once; (2) from is before to; (3) moves are
 * finite and within the bounds below.
 *
 * Upstream: a file. Downstream: risk, fund.
 */
#ifndef DOJIMA_QUANT_STRESS_H
#define DOJIMA_QUANT_STRESS_H

#include "quant/csv.h"

enum { STRESS_SCENARIOS_MAX = 512, STRESS_MOVES_MAX = 4096 };

enum stress_unit { STRESS_relative = 0, STRESS_absolute, STRESS_sigma };

struct stress_move {
    char factor[QUANT_NAME_SIZE];
    int32_t tenor_min, tenor_max;
    double move;
    enum stress_unit unit;
};

struct stress_scenario {
    char name[QUANT_NAME_SIZE];
    bool historical;
    int32_t from, to; /* days; 0 of a hypothetical one */
    uint32_t first, count; /* in moves */
};

struct stress_set {
    struct stress_scenario scenarios[STRESS_SCENARIOS_MAX];
    struct stress_move moves[STRESS_MOVES_MAX];
    uint32_t count, move_count;
    char file[128];
};

/* Replaces *s; on -1 the sentence is in *error and *s as it was. */
int stress_read(struct stress_set *s, const char *file, const char *text, size_t length,
                struct quant_error *error);

/* The line of a scenario that moves a factor at a tenor; NULL: it does not move. */
const struct stress_move *stress_find(const struct stress_set *s, uint32_t scenario,
                                      const char *factor, int32_t tenor);

#endif
