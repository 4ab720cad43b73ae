/* span_naive_test.h: SPAN written down a second time, plainly and from the parameters alone, for
 * the tests: one portfolio of positions, nested loops, no sums kept.
 */
#ifndef DOJIMA_CORE_SPAN_NAIVE_TEST_H
#define DOJIMA_CORE_SPAN_NAIVE_TEST_H

#include "core/world_test.h"

enum { NAIVE_INSTRUMENTS = 32 };

static inline int64_t naive_ceil(int128_t a, int64_t b)
{
    return (int64_t)((a + b - 1) / b);
}

static inline uint32_t naive_group(const struct core *c, uint32_t instrument, int64_t *scale)
{
    for (uint32_t g = 1; g <= c->span_venue->groups; g++) {
        const struct command_margin_set *t = &c->span_groups[g].terms;
        for (uint32_t p = 0; p < t->product_count; p++) {
            if (t->products[p].product != c->instruments[instrument].product) continue;
            *scale = t->products[p].delta_scale;
            bool hourly = product_of(c, instrument)->terms.contract_unit == UNIT_hour;
            if (hourly) *scale *= c->instruments[instrument].terms.hours;
            return g;
        }
    }
    return 0;
}

static inline uint32_t naive_tier(const struct command_margin_set *t, ts_t start)
{
    uint32_t tier = 0;
    for (uint32_t i = 1; i < t->tier_count; i++) {
        if (t->tiers[i].start.v <= start.v) tier = i;
    }
    return tier;
}

/* The gain of one delta in scenario 1 to 16. */
static inline int64_t naive_gain(const struct command_margin_set *t, uint32_t tier, int scenario)
{
    int64_t scan = t->tiers[tier].price_scan.v;
    if (scenario <= 2) return 0;
    if (scenario >= 15) {
        int64_t moved = naive_ceil((int128_t)scan * t->extreme_move_e6, E6);
        int64_t covered = naive_ceil((int128_t)moved * t->extreme_cover_e6, E6);
        return scenario == 15 ? covered : -covered;
    }
    int thirds = (scenario + 1) / 4; /* 3..6: 1, 7..10: 2, 11..14: 3 */
    int64_t gain = naive_ceil((int128_t)scan * thirds, 3);
    return (scenario - 3) % 4 < 2 ? gain : -gain;
}

static inline bool naive_same_hours(const struct core *c, uint32_t i, uint32_t j)
{
    const struct event_instrument *a = &c->instruments[i].terms, *b = &c->instruments[j].terms;
    return a->start.v == b->start.v && a->end.v == b->end.v && a->block == b->block;
}

/* Charges: spreads are formed one kind after the other, the dearest effect first. */
static inline int64_t naive_charges(const struct command_margin_set *t, int64_t longs[],
                                    int64_t shorts[])
{
    bool done[SPAN_SPREADS_MAX] = {false};
    int64_t sum = 0, used[SPAN_TIERS_MAX] = {0}, all[SPAN_TIERS_MAX];
    for (uint32_t i = 0; i < t->tier_count; i++) all[i] = longs[i] + shorts[i];
    for (uint32_t round = 0; round < t->spread_count; round++) {
        uint32_t best = SPAN_SPREADS_MAX;
        int64_t best_effect = 0;
        for (uint32_t s = 0; s < t->spread_count; s++) {
            const struct margin_tier *a = &t->tiers[t->spreads[s].tier_a];
            const struct margin_tier *b = &t->tiers[t->spreads[s].tier_b];
            int64_t effect = t->spreads[s].charge.v + a->spot_spread.v - a->spot_outright.v +
                             b->spot_spread.v - b->spot_outright.v;
            if (done[s] || (best != SPAN_SPREADS_MAX && effect <= best_effect)) continue;
            best = s;
            best_effect = effect;
        }
        done[best] = true;
        uint32_t a = t->spreads[best].tier_a, b = t->spreads[best].tier_b;
        for (int way = 0; way < 2; way++) {
            uint32_t from = way == 0 ? a : b, to = way == 0 ? b : a;
            int64_t n = int64_min(longs[from], shorts[to]);
            longs[from] -= n;
            shorts[to] -= n;
            used[from] += n;
            used[to] += n;
            sum += n * t->spreads[best].charge.v;
        }
    }
    for (uint32_t i = 0; i < t->tier_count; i++) {
        sum += used[i] * t->tiers[i].spot_spread.v +
               (all[i] - used[i]) * t->tiers[i].spot_outright.v;
    }
    return sum;
}

/* A group's requirement for exactly these positions; *net gets its deltas. Without netting_e6. */
static inline int64_t naive_requirement(const struct core *c, uint32_t group,
                                        const int64_t *position, int64_t *net)
{
    const struct command_margin_set *t = &c->span_groups[group].terms;
    int64_t longs[SPAN_TIERS_MAX] = {0}, shorts[SPAN_TIERS_MAX] = {0}, worst = 0, scale;
    *net = 0;
    for (int scenario = 1; scenario <= SPAN_SCENARIOS; scenario++) {
        int64_t loss = 0;
        for (uint32_t i = 1; i <= c->s->instruments; i++) {
            if (naive_group(c, i, &scale) != group || is_spread(c, i)) continue;
            uint32_t tier = naive_tier(t, c->instruments[i].terms.start);
            loss -= position[i] * scale * naive_gain(t, tier, scenario);
        }
        worst = int64_max(worst, loss);
    }
    for (uint32_t i = 1; i <= c->s->instruments; i++) {
        int64_t delta = 0;
        bool first = true;
        if (is_spread(c, i) || naive_group(c, i, &scale) != group) continue;
        for (uint32_t j = 1; j <= c->s->instruments; j++) {
            if (is_spread(c, j) || naive_group(c, j, &scale) != group) continue;
            if (!naive_same_hours(c, i, j)) continue;
            if (j < i) first = false;
            delta += position[j] * scale;
        }
        if (!first) continue;
        uint32_t tier = naive_tier(t, c->instruments[i].terms.start);
        *net += delta;
        if (delta > 0) longs[tier] += delta;
        else shorts[tier] -= delta;
    }
    return worst + naive_charges(t, longs, shorts);
}

/* Credits for deltas that are certain: [group][0] long, [1] short. */
static inline int64_t naive_credit(const struct core *c, int64_t certain[][2])
{
    const struct command_margin_inter *m = &c->span_venue->table;
    bool done[SPAN_INTERS_MAX] = {false};
    int64_t credit = 0;
    for (uint32_t round = 0; round < m->count; round++) {
        uint32_t best = SPAN_INTERS_MAX, best_a = 0, best_b = 0;
        int64_t best_saving = -1;
        for (uint32_t i = 0; i < m->count; i++) {
            int64_t unit[2] = {0, 0};
            uint32_t id[2] = {0, 0};
            for (uint32_t g = 1; g <= c->span_venue->groups; g++) {
                const struct command_margin_set *t = &c->span_groups[g].terms;
                int64_t least = INT64_MAX;
                for (uint32_t k = 0; k < t->tier_count; k++)
                    least = int64_min(least, t->tiers[k].price_scan.v);
                for (int leg = 0; leg < 2; leg++) {
                    const char *name = leg == 0 ? m->inters[i].group_a : m->inters[i].group_b;
                    if (strcmp(t->group, name) != 0) continue;
                    unit[leg] = least / t->inter_scale;
                    id[leg] = g;
                }
            }
            int64_t saving = (unit[0] + unit[1]) * m->inters[i].credit_e6 / E6;
            if (done[i] || saving <= best_saving) continue;
            best = i;
            best_saving = saving;
            best_a = id[0];
            best_b = id[1];
        }
        done[best] = true;
        for (int side = 0; side < 2; side++) {
            int64_t n = int64_min(certain[best_a][side], certain[best_b][1 - side]);
            certain[best_a][side] -= n;
            certain[best_b][1 - side] -= n;
            credit += n * best_saving;
        }
    }
    return credit;
}

/* What an account must hold when its instruments may end anywhere between low and high: the larger
 * corner of each group, less credits for deltas that no outcome takes away. */
static inline int64_t naive_span(const struct core *c, const int64_t *low, const int64_t *high)
{
    int64_t certain[SPAN_GROUPS_MAX + 1][2] = {{0}}, sum = 0;
    for (uint32_t g = 1; g <= c->span_venue->groups; g++) {
        int64_t net_low, net_high, scale = c->span_groups[g].terms.inter_scale;
        int64_t upper = naive_requirement(c, g, high, &net_high);
        int64_t lower = naive_requirement(c, g, low, &net_low);
        sum += int64_max(upper, lower);
        certain[g][0] = int64_max(net_low, 0) * scale;
        certain[g][1] = int64_max(-net_high, 0) * scale;
    }
    int64_t floor = naive_ceil((int128_t)sum * (E6 - c->span_venue->table.offset_e6), E6);
    return int64_max(sum - naive_credit(c, certain), floor);
}

#endif
