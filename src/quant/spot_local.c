/* spot_local.c: good choices of blocks near a fractional one. See spot.h. A choice is only kept
 * with prices at which nobody loses, and only when it is better than the best. */
#include "quant/spot_internal.h"

#include "base/random.h"

#include <string.h>

enum { PASSES_MAX = 20, WEIGHT_MAX = 16 };

/* With all that is below it. */
static void subtree_drop(const struct spot_market_view *v, struct spot_choice *c, uint32_t block)
{
    for (uint32_t child = v->first_child[block]; child != 0; child = v->next_child[child - 1]) {
        if (c->taken[child - 1]) subtree_drop(v, c, child - 1);
    }
    spot_choice_flip(v, c, block);
}

static bool may_take(const struct spot_market_view *v, const struct spot_choice *c, uint32_t block)
{
    uint32_t parent = v->problem->blocks[block].parent;
    return parent == 0 || c->taken[parent - 1];
}

enum spot_priced spot_offer(const struct spot_market_view *v, const struct spot_choice *c,
                            struct spot_best *best, uint32_t *loser)
{
    int128_t surplus;
    int64_t prices[SPOT_PROBLEM_HOURS] = {0};
    *loser = v->problem->block_count;
    if (!spot_choice_surplus(v, c, &surplus)) return SPOT_UNRESOLVED;
    enum spot_priced priced = spot_prices(v, c, prices, loser);
    if (priced != SPOT_PRICED || (best->found && surplus <= best->surplus)) return priced;
    best->choice = *c;
    memcpy(best->prices, prices, sizeof prices);
    best->surplus = surplus;
    best->found = true;
    return priced;
}

/* Where an hour does not balance, the largest block on the side that is too much goes. */
static bool balance(const struct spot_market_view *v, struct spot_choice *c)
{
    for (uint32_t h = 0; h < v->problem->hours; h++) {
        int128_t one;
        struct spot_range range;
        while (!spot_hour_clear(v, h, c->net[h], &one, &range)) {
            int64_t most = 0;
            uint32_t found = v->problem->block_count;
            for (uint32_t b = 0; b < v->problem->block_count; b++) {
                int64_t lots = c->taken[b] ? spot_block_lots(v, b, h) : 0;
                if (c->net[h] < 0) lots = -lots;
                if (lots <= most) continue;
                most = lots;
                found = b;
            }
            if (found == v->problem->block_count) return false;
            subtree_drop(v, c, found);
            h = 0; /* the others may be out of balance now */
        }
    }
    return true;
}

/* Drops who loses until nobody does. */
static bool repair(const struct spot_market_view *v, struct spot_choice *c, struct spot_best *best)
{
    for (;;) {
        uint32_t loser;
        if (!balance(v, c)) return false;
        if (spot_offer(v, c, best, &loser) == SPOT_PRICED) return true;
        if (loser == v->problem->block_count) return false;
        subtree_drop(v, c, loser);
    }
}

/* Takes or drops one block (with what is below it) when that gains and can be priced. */
static bool improve(const struct spot_market_view *v, struct spot_choice *c, int128_t *surplus)
{
    bool changed = false;
    for (uint32_t b = 0; b < v->problem->block_count; b++) {
        struct spot_choice other;
        int64_t prices[SPOT_PROBLEM_HOURS];
        int128_t sum;
        uint32_t loser;
        if (!c->taken[b] && !may_take(v, c, b)) continue;
        other = *c;
        if (other.taken[b]) subtree_drop(v, &other, b);
        else spot_choice_flip(v, &other, b);
        if (!spot_choice_surplus(v, &other, &sum) || sum <= *surplus) continue;
        if (spot_prices(v, &other, prices, &loser) != SPOT_PRICED) continue;
        *c = other;
        *surplus = sum;
        changed = true;
    }
    return changed;
}

static void climb(const struct spot_market_view *v, struct spot_choice *c, struct spot_best *best)
{
    int128_t surplus;
    uint32_t loser;
    if (!spot_choice_surplus(v, c, &surplus)) return;
    for (int pass = 0; pass < PASSES_MAX && improve(v, c, &surplus); pass++) {}
    (void)spot_offer(v, c, best, &loser);
}

/* ---- losses at a price ---- */

static bool worth_of(const struct spot_market_view *v, const struct spot_choice *c, int weight,
                     int128_t *worth)
{
    if (!spot_choice_surplus(v, c, worth)) return false;
    *worth -= spot_losses(v, c) * weight;
    return true;
}

/* Takes or drops blocks while that raises the surplus less so many times what families lose: who
 * loses need not be who goes. */
static bool bargain(const struct spot_market_view *v, struct spot_choice *c, int weight)
{
    bool changed = false;
    int128_t worth, other_worth;
    if (!worth_of(v, c, weight, &worth)) return false;
    for (uint32_t b = 0; b < v->problem->block_count; b++) {
        struct spot_choice other;
        if (!c->taken[b] && !may_take(v, c, b)) continue;
        other = *c;
        if (other.taken[b]) subtree_drop(v, &other, b);
        else spot_choice_flip(v, &other, b);
        if (!worth_of(v, &other, weight, &other_worth) || other_worth <= worth) continue;
        *c = other;
        worth = other_worth;
        changed = true;
    }
    return changed;
}

static void bargains(const struct spot_market_view *v, struct spot_choice *c,
                     struct spot_best *best)
{
    for (int weight = 1; weight <= WEIGHT_MAX; weight *= 4) {
        for (int pass = 0; pass < PASSES_MAX && bargain(v, c, weight); pass++) {}
    }
    if (repair(v, c, best)) climb(v, c, best);
}

void spot_round(const struct spot_market_view *v, const double *x, double threshold,
                struct spot_best *best)
{
    struct spot_choice c = {0}, other;
    for (uint32_t b = 0; b < v->problem->block_count; b++) {
        if (x[b] >= threshold && may_take(v, &c, b)) spot_choice_flip(v, &c, b);
    }
    other = c;
    if (repair(v, &c, best)) climb(v, &c, best);
    if (balance(v, &other)) bargains(v, &other, best);
}

/* One out, another in. */
static bool exchange_one(const struct spot_market_view *v, struct spot_best *best, uint32_t out)
{
    struct spot_choice without = best->choice;
    subtree_drop(v, &without, out);
    for (uint32_t in = 0; in < v->problem->block_count; in++) {
        uint32_t loser;
        int128_t sum, before = best->surplus;
        if (in == out || without.taken[in] || !may_take(v, &without, in)) continue;
        spot_choice_flip(v, &without, in);
        bool gains = spot_choice_surplus(v, &without, &sum) && sum > before;
        if (gains && spot_offer(v, &without, best, &loser) == SPOT_PRICED) return true;
        spot_choice_flip(v, &without, in);
    }
    return false;
}

void spot_exchange(const struct spot_market_view *v, struct spot_best *best)
{
    bool changed = best->found;
    for (int pass = 0; pass < PASSES_MAX && changed; pass++) {
        changed = false;
        for (uint32_t b = 0; b < v->problem->block_count; b++) {
            if (best->choice.taken[b] && exchange_one(v, best, b)) changed = true;
        }
        struct spot_choice c = best->choice;
        climb(v, &c, best);
    }
}

/* From the best, some blocks changed at random. */
void spot_shake(const struct spot_market_view *v, struct spot_best *best, struct random *r)
{
    struct spot_choice c = best->choice;
    uint64_t share = 4 + random_below(r, 40);
    for (uint32_t b = 0; b < v->problem->block_count; b++) {
        if (random_below(r, share) != 0) continue;
        if (c.taken[b]) subtree_drop(v, &c, b);
        else if (may_take(v, &c, b)) spot_choice_flip(v, &c, b);
    }
    if (balance(v, &c)) bargains(v, &c, best);
}
