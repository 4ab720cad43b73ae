/* spot_hour.c: an hour's steps as one curve, and choices of blocks over them; whole numbers. See
 * spot.h. */
#include "quant/spot_internal.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

#define SUM_MAX ((int128_t)1 << 120)

static int step_order(const void *x, const void *y)
{
    const struct spot_problem_step *a = x, *b = y;
    if (a->hour != b->hour) return a->hour < b->hour ? -1 : 1;
    return a->price < b->price ? -1 : a->price > b->price;
}

static bool step_is_valid(const struct spot_problem *p, const struct spot_problem_step *s)
{
    return s->hour < p->hours && s->qty > 0 && s->qty <= QTY_MAX && s->price >= p->price_min &&
           s->price <= p->price_max;
}

static bool block_is_valid(const struct spot_problem *p, uint32_t i)
{
    const struct spot_problem_block *b = &p->blocks[i];
    if (b->parent > i || b->price < p->price_min || b->price > p->price_max) return false;
    for (uint32_t h = 0; h < SPOT_PROBLEM_HOURS; h++) {
        if (b->qty[h] < 0 || b->qty[h] > QTY_MAX || (h >= p->hours && b->qty[h] != 0))
            return false;
    }
    return true;
}

/* Equal prices of an hour become one level. */
static void levels_fill(struct spot_market_view *v, const struct spot_problem_step *sorted)
{
    struct spot_level *level = v->pool;
    for (uint32_t i = 0; i < v->problem->step_count; i++) {
        const struct spot_problem_step *s = &sorted[i];
        struct spot_curve *c = &v->curves[s->hour];
        if (c->count == 0) c->levels = level;
        if (c->count == 0 || level[-1].price != s->price) {
            *level++ = (struct spot_level){.price = s->price};
            c->count += 1;
        }
        if (s->sell) level[-1].sell += s->qty;
        else level[-1].buy += s->qty;
    }
}

static bool curve_sum(struct spot_curve *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct spot_level *l = &c->levels[i];
        l->sell_below = c->sells;
        l->sell_value_below = c->sell_value;
        if (!int64_add(c->sells, l->sell, &c->sells)) return false;
        c->sell_value += (int128_t)l->price * l->sell;
    }
    for (uint32_t i = c->count; i > 0; i--) {
        struct spot_level *l = &c->levels[i - 1];
        l->buy_above = c->buys;
        l->buy_value_above = c->buy_value;
        if (!int64_add(c->buys, l->buy, &c->buys)) return false;
        c->buy_value += (int128_t)l->price * l->buy;
    }
    return c->buys < INT64_MAX / 4 && c->sells < INT64_MAX / 4;
}

static bool blocks_ready(struct spot_market_view *v)
{
    const struct spot_problem *p = v->problem;
    int128_t lots = 0;
    for (uint32_t i = p->block_count; i > 0; i--) {
        const struct spot_problem_block *b = &p->blocks[i - 1];
        if (!block_is_valid(p, i - 1)) return false;
        for (uint32_t h = 0; h < p->hours; h++) {
            v->block_value[i - 1] -= (int128_t)b->price * spot_block_lots(v, i - 1, h);
            lots += b->qty[h];
        }
        if (b->parent == 0) continue;
        v->next_child[i - 1] = v->first_child[b->parent - 1];
        v->first_child[b->parent - 1] = i;
    }
    return lots < INT64_MAX / 4;
}

int spot_view_open(struct spot_market_view *v, const struct spot_problem *p)
{
    *v = (struct spot_market_view){.problem = p};
    if (p->hours < 1 || p->hours > SPOT_PROBLEM_HOURS || p->block_count > SPOT_PROBLEM_BLOCKS)
        return -2;
    if (p->tick <= 0 || p->price_min > p->price_max) return -2;
    for (uint32_t i = 0; i < p->step_count; i++) {
        if (!step_is_valid(p, &p->steps[i])) return -2;
    }
    if (!blocks_ready(v)) return -2;
    size_t count = (size_t)p->step_count + 1;
    struct spot_problem_step *sorted = malloc(count * sizeof *sorted);
    v->pool = malloc(count * sizeof *v->pool);
    int e = sorted == NULL || v->pool == NULL ? -1 : 0;
    if (e == 0) {
        if (p->step_count > 0) memcpy(sorted, p->steps, p->step_count * sizeof *sorted);
        qsort(sorted, p->step_count, sizeof *sorted, step_order);
        levels_fill(v, sorted);
        for (uint32_t h = 0; h < p->hours && e == 0; h++) e = curve_sum(&v->curves[h]) ? 0 : -2;
    }
    free(sorted);
    if (e != 0) spot_view_close(v);
    return e;
}

void spot_view_close(struct spot_market_view *v)
{
    free(v->pool);
    v->pool = NULL;
}

/* How much more is sold than bought just above a level. */
static int64_t excess_above(const struct spot_level *l)
{
    return l->sell_below + l->sell - l->buy_above;
}

/* The first level at whose upper side at least `target` is sold beyond what is bought; count: none.
 */
static uint32_t level_find(const struct spot_curve *c, int64_t target)
{
    uint32_t low = 0, high = c->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (excess_above(&c->levels[middle]) >= target) high = middle;
        else low = middle + 1;
    }
    return low;
}

bool spot_hour_clear(const struct spot_market_view *v, uint32_t hour, int64_t net,
                     int128_t *surplus, struct spot_range *range)
{
    const struct spot_curve *c = &v->curves[hour];
    int64_t target = -net; /* what steps must sell beyond what they buy */
    *range = (struct spot_range){v->problem->price_min, v->problem->price_max};
    if (target < -c->buys || target > c->sells) return false;
    if (target == -c->buys) { /* every buyer, no seller */
        *surplus = c->buy_value;
        if (c->count > 0) range->high = c->levels[0].price;
        /* Sellers at the lowest level may trade with buyers there: the same surplus. */
        return true;
    }
    uint32_t k = level_find(c, target);
    ASSERT(k < c->count);
    const struct spot_level *l = &c->levels[k];
    int128_t over = (int128_t)net + l->sell_below - l->buy_above; /* bought at the level */
    *surplus = l->buy_value_above - l->sell_value_below + over * l->price;
    range->low = range->high = l->price;
    if (excess_above(l) == target)
        range->high = k + 1 < c->count ? c->levels[k + 1].price : v->problem->price_max;
    return true;
}

int128_t spot_hour_dual(const struct spot_market_view *v, uint32_t hour, int64_t price)
{
    const struct spot_curve *c = &v->curves[hour];
    uint32_t low = 0, high = c->count; /* the first level at or above the price */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->levels[middle].price >= price) high = middle;
        else low = middle + 1;
    }
    if (low == c->count) return (int128_t)price * c->sells - c->sell_value;
    const struct spot_level *l = &c->levels[low]; /* its sells and, at the price, its buys: 0 */
    int128_t buys = l->buy_value_above + (int128_t)l->price * l->buy -
                    (int128_t)price * ((int128_t)l->buy_above + l->buy);
    int128_t sells = (int128_t)price * l->sell_below - l->sell_value_below;
    return buys + sells;
}

/* ---- choices ---- */

void spot_choice_flip(const struct spot_market_view *v, struct spot_choice *c, uint32_t block)
{
    int64_t sign = c->taken[block] ? -1 : 1;
    c->taken[block] ^= 1;
    c->value += sign * v->block_value[block];
    for (uint32_t h = 0; h < v->problem->hours; h++)
        c->net[h] += sign * spot_block_lots(v, block, h);
}

bool spot_choice_surplus(const struct spot_market_view *v, const struct spot_choice *c,
                         int128_t *surplus)
{
    *surplus = c->value;
    for (uint32_t h = 0; h < v->problem->hours; h++) {
        int128_t one;
        struct spot_range range;
        if (!spot_hour_clear(v, h, c->net[h], &one, &range)) return false;
        *surplus += one;
    }
    return *surplus < SUM_MAX;
}

int128_t spot_block_gain(const struct spot_market_view *v, uint32_t block, const int64_t *prices)
{
    int128_t gain = v->block_value[block];
    for (uint32_t h = 0; h < v->problem->hours; h++)
        gain += (int128_t)prices[h] * spot_block_lots(v, block, h);
    return gain;
}
