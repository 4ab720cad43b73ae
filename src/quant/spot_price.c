/* spot_price.c: prices at which a choice of blocks clears and nobody loses. See spot.h.
 *
 * Each hour clears in a range of prices. First the middles are tried; where a family loses there,
 * prices are moved towards what it needs; where that does not end, a small linear program says
 * whether any prices will do, nearest to the middles. What is answered is on the tick, and was
 * verified in whole numbers.
 */
#include "quant/spot_internal.h"

#include "base/assert.h"

#include <Clp_C_Interface.h>
#include <math.h>
#include <string.h>

enum { MOVES_MAX = 200, ROUNDS_MAX = 64, PROGRAM_ROWS = 256 };

struct family { /* a taken block and the taken blocks below it */
    int64_t lots[SPOT_PROBLEM_HOURS]; /* sold less bought */
    int128_t value;
    uint32_t block;
    uint32_t reserved;
};

struct pricing {
    const struct spot_market_view *v;
    struct spot_range range[SPOT_PROBLEM_HOURS];
    struct family families[SPOT_PROBLEM_BLOCKS]; /* those that may lose somewhere in the ranges */
    uint32_t count;
    uint32_t place[SPOT_PROBLEM_BLOCKS];
};

static int128_t family_gain(const struct pricing *p, uint32_t f, const int64_t *prices)
{
    const struct family *a = &p->families[f];
    int128_t gain = a->value;
    for (uint32_t h = 0; h < p->v->problem->hours; h++) gain += (int128_t)prices[h] * a->lots[h];
    return gain;
}

/* At the prices of the ranges that suit it most, or least. */
static int128_t family_extreme(const struct pricing *p, const struct family *a, bool most)
{
    int128_t gain = a->value;
    for (uint32_t h = 0; h < p->v->problem->hours; h++) {
        bool high = (a->lots[h] > 0) == most;
        gain += (int128_t)(high ? p->range[h].high : p->range[h].low) * a->lots[h];
    }
    return gain;
}

/* Sums from children to parents; keeps those that are not safe at any price. Answers the worst that
 * loses at every price; count: none. */
static uint32_t families_gather(struct pricing *p, const struct spot_choice *c, int128_t *losses)
{
    const struct spot_market_view *v = p->v;
    uint32_t blocks = v->problem->block_count, loser = blocks, all = 0;
    int128_t worst = 0;
    for (uint32_t i = 0; i < blocks; i++) {
        if (!c->taken[i]) continue;
        struct family *f = &p->families[p->place[i] = all++];
        f->block = i;
        f->value = v->block_value[i];
        for (uint32_t h = 0; h < v->problem->hours; h++) f->lots[h] = spot_block_lots(v, i, h);
    }
    for (uint32_t k = all; k > 0; k--) {
        const struct family *f = &p->families[k - 1];
        int128_t gain = family_extreme(p, f, true);
        if (gain < 0) *losses -= gain;
        if (gain < worst) {
            worst = gain;
            loser = f->block;
        }
        uint32_t parent = v->problem->blocks[f->block].parent;
        if (parent == 0) continue;
        struct family *to = &p->families[p->place[parent - 1]];
        to->value += f->value;
        for (uint32_t h = 0; h < v->problem->hours; h++) to->lots[h] += f->lots[h];
    }
    p->count = 0;
    for (uint32_t k = 0; k < all; k++) {
        if (family_extreme(p, &p->families[k], false) >= 0) continue;
        if (p->count != k) p->families[p->count] = p->families[k];
        p->count += 1;
    }
    return loser;
}

/* The family that loses most; count: none loses. */
static uint32_t family_worst(const struct pricing *p, const int64_t *prices)
{
    uint32_t found = p->count;
    int128_t worst = 0;
    for (uint32_t f = 0; f < p->count; f++) {
        int128_t gain = family_gain(p, f, prices);
        if (gain >= worst) continue;
        worst = gain;
        found = f;
    }
    return found;
}

static void middles(const struct pricing *p, int64_t *prices)
{
    int64_t tick = p->v->problem->tick;
    for (uint32_t h = 0; h < p->v->problem->hours; h++) {
        int64_t ticks = (p->range[h].high - p->range[h].low) / tick;
        prices[h] = p->range[h].low + ticks / 2 * tick;
    }
}

/* Where hour h's price may go for a family that loses: one end of the range. */
static int64_t room_of(const struct pricing *p, const struct family *a, uint32_t h, int64_t price)
{
    if (a->lots[h] > 0) return p->range[h].high - price;
    return a->lots[h] < 0 ? price - p->range[h].low : 0;
}

/* Moves prices by the least that makes the family whole, spread by its lots; to the tick beyond. */
static bool family_help(const struct pricing *p, uint32_t f, int64_t *prices)
{
    const struct family *a = &p->families[f];
    int64_t tick = p->v->problem->tick;
    double lack = -(double)family_gain(p, f, prices), weight = 0;
    bool moved = false;
    for (uint32_t h = 0; h < p->v->problem->hours; h++) {
        if (room_of(p, a, h, prices[h]) > 0) weight += (double)a->lots[h] * (double)a->lots[h];
    }
    if (weight <= 0) return false;
    for (uint32_t h = 0; h < p->v->problem->hours; h++) {
        int64_t room = room_of(p, a, h, prices[h]) / tick;
        if (room <= 0) continue;
        double ticks = ceil(lack * fabs((double)a->lots[h]) / weight / (double)tick);
        int64_t by = ticks >= (double)room ? room : (int64_t)ticks;
        if (by <= 0) continue;
        prices[h] += (a->lots[h] > 0 ? by : -by) * tick;
        moved = true;
    }
    return moved;
}

static bool moves_try(const struct pricing *p, int64_t *prices, int moves)
{
    for (int i = 0; i < moves; i++) {
        uint32_t f = family_worst(p, prices);
        if (f == p->count) return true;
        if (!family_help(p, f, prices)) return false;
    }
    return false;
}

/* ---- the linear program ---- */

struct program {
    int start[2 * SPOT_PROBLEM_HOURS + 1];
    int *row;
    double *element;
    double low[2 * SPOT_PROBLEM_HOURS];
    double high[2 * SPOT_PROBLEM_HOURS];
    double cost[2 * SPOT_PROBLEM_HOURS];
};

/* A price is its middle, plus what it is above, less what it is below; in ticks. */
static int program_fill(const struct pricing *p, const int64_t *middle, struct program *g)
{
    double tick = (double)p->v->problem->tick;
    int n = 0, columns = 0;
    for (uint32_t h = 0; h < p->v->problem->hours; h++) {
        for (int sign = 1; sign >= -1; sign -= 2) {
            int64_t room = sign > 0 ? p->range[h].high - middle[h] : middle[h] - p->range[h].low;
            g->start[columns] = n;
            g->low[columns] = 0;
            g->high[columns] = (double)room / tick;
            g->cost[columns] = 1;
            for (uint32_t f = 0; f < p->count; f++) {
                if (p->families[f].lots[h] == 0) continue;
                g->row[n] = (int)f;
                g->element[n++] = sign * (double)p->families[f].lots[h];
            }
            columns += 1;
        }
    }
    g->start[columns] = n;
    return columns;
}

/* 0: prices that will do, but for rounding; 1: there are none; -1: not known. */
static int program_solve(const struct pricing *p, const struct program *g, int columns,
                         int64_t *prices)
{
    static const double infinite = 1e30;
    double tick = (double)p->v->problem->tick, least[SPOT_PROBLEM_BLOCKS],
           most[SPOT_PROBLEM_BLOCKS];
    for (uint32_t f = 0; f < p->count; f++) {
        least[f] = -(double)family_gain(p, f, prices) / tick;
        most[f] = infinite;
    }
    Clp_Simplex *model = Clp_newModel();
    if (model == NULL) return -1;
    Clp_setLogLevel(model, 0);
    Clp_loadProblem(model, columns, (int)p->count, g->start, g->row, g->element, g->low, g->high,
                    g->cost, least, most);
    Clp_setPerturbation(model, 100);
    (void)Clp_dual(model, 0);
    int status = Clp_status(model);
    const double *x = Clp_primalColumnSolution(model);
    for (uint32_t h = 0; h < p->v->problem->hours && status == 0; h++) {
        int64_t ticks = llround(x[2 * h] - x[2 * h + 1]);
        prices[h] += ticks * p->v->problem->tick;
        if (prices[h] > p->range[h].high) prices[h] = p->range[h].high;
        if (prices[h] < p->range[h].low) prices[h] = p->range[h].low;
    }
    Clp_deleteModel(model);
    return status == 0 ? 0 : status == 1 ? 1 : -1;
}

static enum spot_priced program_run(const struct pricing *p, int64_t *prices)
{
    struct program g;
    int row[2 * SPOT_PROBLEM_HOURS * PROGRAM_ROWS];
    double element[2 * SPOT_PROBLEM_HOURS * PROGRAM_ROWS];
    if (p->count > PROGRAM_ROWS) return SPOT_UNRESOLVED; /* more than are ever open at once */
    g.row = row;
    g.element = element;
    int columns = program_fill(p, prices, &g);
    int found = program_solve(p, &g, columns, prices);
    if (found != 0) return found == 1 ? SPOT_LOSES : SPOT_UNRESOLVED;
    return moves_try(p, prices, ROUNDS_MAX) ? SPOT_PRICED : SPOT_UNRESOLVED;
}

/* Large, and called very often. */
static struct pricing *pricing_begin(const struct spot_market_view *v, const struct spot_choice *c)
{
    static _Thread_local struct pricing p;
    int128_t surplus;
    p.v = v;
    for (uint32_t h = 0; h < v->problem->hours; h++) {
        bool clears = spot_hour_clear(v, h, c->net[h], &surplus, &p.range[h]);
        ASSERT(clears); /* the caller summed its surplus */
    }
    return &p;
}

int128_t spot_losses(const struct spot_market_view *v, const struct spot_choice *c)
{
    int128_t losses = 0;
    (void)families_gather(pricing_begin(v, c), c, &losses);
    return losses;
}

enum spot_priced spot_prices(const struct spot_market_view *v, const struct spot_choice *c,
                             int64_t *prices, uint32_t *loser)
{
    struct pricing *p = pricing_begin(v, c);
    int128_t losses = 0;
    *loser = families_gather(p, c, &losses);
    if (*loser != v->problem->block_count) return SPOT_LOSES;
    middles(p, prices);
    uint32_t worst = family_worst(p, prices);
    if (worst == p->count) return SPOT_PRICED;
    *loser = p->families[worst].block;
    if (moves_try(p, prices, MOVES_MAX)) return SPOT_PRICED;
    middles(p, prices);
    return program_run(p, prices);
}
