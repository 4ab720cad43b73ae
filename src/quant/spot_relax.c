/* spot_relax.c: the linear relaxation of a node, by CLP, and the Lagrangian that bounds it exactly.
 * See spot.h.
 *
 * Columns: what each price level sells and buys, within its lots, and each block from 0 to 1. Rows:
 * each hour balances; a child is at most its parent. From one node to the next only bounds of
 * blocks change, so the dual simplex goes on where it was.
 */
#include "quant/spot_internal.h"

#include <Clp_C_Interface.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct spot_relaxation {
    const struct spot_market_view *v;
    Clp_Simplex *model;
    int blocks_from;   /* column of block 0 */
    int columns;
    int rows;
    double *low;       /* of columns */
    double *high;
};

struct matrix {
    int *start;
    int *row;
    double *element;
    double *cost;
    int columns;
    int elements;
};

static void column_begin(struct matrix *m, double cost)
{
    m->start[m->columns] = m->elements;
    m->cost[m->columns++] = cost;
}

static void element_add(struct matrix *m, int row, double value)
{
    m->row[m->elements] = row;
    m->element[m->elements++] = value;
}

/* Prices in ticks, lots as they are: CLP scales. */
static void levels_columns(struct spot_relaxation *r, struct matrix *m)
{
    const struct spot_problem *p = r->v->problem;
    for (uint32_t h = 0; h < p->hours; h++) {
        const struct spot_curve *c = &r->v->curves[h];
        for (uint32_t i = 0; i < c->count; i++) {
            double price = (double)c->levels[i].price / (double)p->tick;
            for (int sell = 0; sell < 2; sell++) {
                int64_t lots = sell ? c->levels[i].sell : c->levels[i].buy;
                if (lots == 0) continue;
                r->low[m->columns] = 0;
                r->high[m->columns] = (double)lots;
                column_begin(m, sell ? price : -price);
                element_add(m, (int)h, sell ? 1 : -1);
            }
        }
    }
}

/* A link's row: child less parent is at most 0. */
static void blocks_columns(struct spot_relaxation *r, struct matrix *m, const int *link)
{
    const struct spot_problem *p = r->v->problem;
    r->blocks_from = m->columns;
    for (uint32_t b = 0; b < p->block_count; b++) {
        r->low[m->columns] = 0;
        r->high[m->columns] = 1;
        column_begin(m, -(double)r->v->block_value[b] / (double)p->tick);
        for (uint32_t h = 0; h < p->hours; h++) {
            int64_t lots = spot_block_lots(r->v, b, h);
            if (lots != 0) element_add(m, (int)h, (double)lots);
        }
        if (link[b] >= 0) element_add(m, link[b], 1);
        for (uint32_t c = r->v->first_child[b]; c != 0; c = r->v->next_child[c - 1])
            element_add(m, link[c - 1], -1);
    }
    m->start[m->columns] = m->elements;
    r->columns = m->columns;
}

static int model_load(struct spot_relaxation *r, struct matrix *m)
{
    const struct spot_problem *p = r->v->problem;
    int link[SPOT_PROBLEM_BLOCKS];
    double row_low[SPOT_PROBLEM_HOURS + SPOT_PROBLEM_BLOCKS];
    double row_high[SPOT_PROBLEM_HOURS + SPOT_PROBLEM_BLOCKS];
    r->rows = (int)p->hours;
    for (uint32_t b = 0; b < p->block_count; b++)
        link[b] = p->blocks[b].parent != 0 ? r->rows++ : -1;
    for (int i = 0; i < r->rows; i++) {
        row_low[i] = i < (int)p->hours ? 0 : -1;
        row_high[i] = 0;
    }
    levels_columns(r, m);
    blocks_columns(r, m, link);
    r->model = Clp_newModel();
    if (r->model == NULL) return -1;
    Clp_setLogLevel(r->model, 0);
    Clp_loadProblem(r->model, r->columns, r->rows, m->start, m->row, m->element, r->low, r->high,
                    m->cost, row_low, row_high);
    Clp_setPerturbation(r->model, 100); /* bounds as they are */
    return 0;
}

struct spot_relaxation *spot_relax_open(const struct spot_market_view *v)
{
    const struct spot_problem *p = v->problem;
    size_t columns = 2 * (size_t)p->step_count + p->block_count + 1;
    size_t elements = 2 * (size_t)p->step_count + (size_t)p->block_count * (p->hours + 2) + 1;
    struct spot_relaxation *r = calloc(1, sizeof *r);
    struct matrix m = {.start = malloc((columns + 1) * sizeof *m.start),
                       .row = malloc(elements * sizeof *m.row),
                       .element = malloc(elements * sizeof *m.element),
                       .cost = malloc(columns * sizeof *m.cost)};
    bool ok = r != NULL && m.start != NULL && m.row != NULL && m.element != NULL && m.cost != NULL;
    if (ok) {
        r->v = v;
        r->low = malloc(columns * sizeof *r->low);
        r->high = malloc(columns * sizeof *r->high);
        ok = r->low != NULL && r->high != NULL && model_load(r, &m) == 0;
    }
    free(m.start);
    free(m.row);
    free(m.element);
    free(m.cost);
    if (ok) return r;
    spot_relax_close(r);
    return NULL;
}

void spot_relax_close(struct spot_relaxation *r)
{
    if (r == NULL) return;
    if (r->model != NULL) Clp_deleteModel(r->model);
    free(r->low);
    free(r->high);
    free(r);
}

/* ---- the bound ---- */

int128_t spot_lagrangian(const struct spot_market_view *v, const uint8_t *fixed,
                         const int64_t *prices)
{
    const struct spot_problem *p = v->problem;
    int128_t below[SPOT_PROBLEM_BLOCKS] = {0}, bound = 0;
    for (uint32_t h = 0; h < p->hours; h++) bound += spot_hour_dual(v, h, prices[h]);
    for (uint32_t i = p->block_count; i > 0; i--) {
        uint32_t b = i - 1;
        if (fixed[b] == SPOT_OUT) continue; /* and then all below it */
        int128_t gain = spot_block_gain(v, b, prices) + below[b];
        if (gain < 0 && fixed[b] != SPOT_IN) continue;
        uint32_t parent = p->blocks[b].parent;
        if (parent != 0) below[parent - 1] += gain;
        else bound += gain;
    }
    return bound;
}

/* ---- a node ---- */

static int64_t price_of(const struct spot_problem *p, double ticks)
{
    double price = ticks * (double)p->tick;
    if (!(price > (double)p->price_min)) return p->price_min;
    if (!(price < (double)p->price_max)) return p->price_max;
    return llround(price);
}

int spot_relax(struct spot_relaxation *r, const uint8_t *fixed, struct spot_relaxed *out)
{
    const struct spot_problem *p = r->v->problem;
    for (uint32_t b = 0; b < p->block_count; b++) {
        r->low[r->blocks_from + (int)b] = fixed[b] == SPOT_IN ? 1 : 0;
        r->high[r->blocks_from + (int)b] = fixed[b] == SPOT_OUT ? 0 : 1;
    }
    Clp_chgColumnLower(r->model, r->low);
    Clp_chgColumnUpper(r->model, r->high);
    (void)Clp_dual(r->model, 0);
    int status = Clp_status(r->model);
    if (status == 1) return 1;
    const double *x = Clp_primalColumnSolution(r->model);
    const double *cost = Clp_dualColumnSolution(r->model);
    const double *dual = Clp_dualRowSolution(r->model);
    for (uint32_t b = 0; b < p->block_count; b++) {
        out->x[b] = x[r->blocks_from + (int)b];
        out->cost[b] = cost[r->blocks_from + (int)b] * (double)p->tick;
    }
    for (uint32_t h = 0; h < p->hours; h++) out->dual[h] = price_of(p, dual[h]);
    out->bound = spot_lagrangian(r->v, fixed, out->dual);
    return status == 0 ? 0 : -1;
}
