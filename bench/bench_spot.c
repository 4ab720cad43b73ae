/* bench_spot.c: the day-ahead auction at its design size (INDEX-01): `spot`.
 *
 * 24 hours, 10,000 hourly bids and 500 blocks over three hours and more, 100 of them linked, up to
 * three deep; prices about a day's profile, so that many blocks are near the margin. Each round is
 * another seed. Timed: the solver, by its own limit of nodes. The gap is of the bound that the
 * core proves from the dual prices alone, and of the solver's search. Bounds: 10 s and 0.1%.
 *
 * Upstream: quant. Downstream: bench.c.
 */
#include "bench.h"

#include "base/random.h"
#include "quant/spot.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HOURS = 24,
    STEPS = 10000,
    STEPS_THIN = 1000, /* also shown, without a bound: blocks are most of the market */
    BLOCKS = 500,
    LINKED = 100,
    TICK = 1000,
    NODES = 400,  /* as the venue's own worker */
    ROUNDS = 5,
    SECONDS_MAX = 10,
};
#define GAP_MAX 0.001

struct instance {
    struct spot_problem problem;
    struct spot_problem_step steps[STEPS];
    struct spot_problem_block blocks[BLOCKS];
};

static int64_t between(struct random *r, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(r, (uint64_t)(high - low + 1));
}

/* A day's profile of prices, in ticks: cheap at night, dear in the afternoon. */
static int64_t middle_of(uint32_t hour)
{
    static const int64_t profile[HOURS] = {1500, 1450, 1400, 1380, 1400, 1450, 1550, 1700,
                                           1850, 1950, 2000, 2050, 2100, 2200, 2400, 2500,
                                           2550, 2500, 2400, 2300, 2150, 1950, 1750, 1600};
    return profile[hour];
}

static void steps_make(struct instance *x, struct random *r, uint32_t steps)
{
    for (uint32_t i = 0; i < steps; i++) {
        struct spot_problem_step *s = &x->steps[i];
        s->hour = i % HOURS;
        s->sell = (uint32_t)between(r, 0, 1);
        int64_t spread = between(r, 0, 1200) + between(r, 0, 1200) - 1000;
        int64_t ticks = middle_of(s->hour) + (s->sell ? spread - 200 : 200 - spread);
        s->price = (ticks < 0 ? 0 : ticks) * TICK;
        s->qty = between(r, 1, 40);
    }
}

/* Of a run of hours, at about what these hours are worth. */
static void block_make(struct spot_problem_block *b, struct random *r)
{
    uint32_t length = (uint32_t)between(r, 3, HOURS);
    uint32_t first = (uint32_t)between(r, 0, HOURS - length);
    int64_t lots = between(r, 5, 120), worth = 0;
    bool shaped = between(r, 0, 3) == 0;
    *b = (struct spot_problem_block){.sell = between(r, 0, 9) < 7};
    for (uint32_t h = first; h < first + length; h++) {
        b->qty[h] = shaped ? between(r, 1, 2 * lots) : lots;
        worth += middle_of(h);
    }
    b->price = worth / length * between(r, 80, 120) / 100 * TICK;
}

static void instance_make(struct instance *x, uint64_t seed, uint32_t steps)
{
    struct random r = {seed};
    steps_make(x, &r, steps);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        block_make(&x->blocks[i], &r);
        if (i < BLOCKS - LINKED) continue;
        uint32_t k = (i - (BLOCKS - LINKED)) % 3; /* a child, and two of its own */
        x->blocks[i].parent = k == 0 ? (uint32_t)between(&r, 1, BLOCKS - LINKED) : i - k + 1;
    }
    x->problem = (struct spot_problem){.steps = x->steps, .blocks = x->blocks,
                                       .step_count = steps, .block_count = BLOCKS,
                                       .hours = HOURS, .node_limit = NODES, .tick = TICK,
                                       .price_min = 0, .price_max = 10000 * (int64_t)TICK};
}

static double gap_of(int128_t surplus, int128_t bound)
{
    return bound == surplus ? 0 : (double)(bound - surplus) / (double)bound;
}

/* FNV-1a over the solution's numbers. */
static uint64_t hash_of(const struct spot_solution *s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (uint32_t i = 0; i < HOURS; i++) h = (h ^ (uint64_t)s->prices[i]) * UINT64_C(1099511628211);
    for (uint32_t i = 0; i < BLOCKS; i++) h = (h ^ s->accepted[i]) * UINT64_C(1099511628211);
    return (h ^ (uint64_t)s->surplus) * UINT64_C(1099511628211);
}

struct worst {
    double seconds;
    double gap; /* that the core proves */
};

/* 0; 2: no memory. */
static int round_run(struct instance *x, const struct bench_options *o, uint32_t seed,
                     uint32_t steps, struct worst *worst)
{
    struct spot_solution s;
    uint32_t taken = 0;
    instance_make(x, seed, steps);
    if (o->commands != 0) x->problem.node_limit = (uint32_t)o->commands;
    uint64_t start = bench_now();
    if (spot_solve(&x->problem, &s) != 0) return 2;
    double seconds = (double)(bench_now() - start) / 1e9;
    for (uint32_t b = 0; b < BLOCKS; b++) taken += s.accepted[b];
    double proved = gap_of(s.surplus, s.root_bound), gap = gap_of(s.surplus, s.bound);
    printf("  seed %u: %.2f s, %u nodes, %u of %u blocks, surplus %.2f, gap %.5f%% "
           "(by duality alone %.5f%%), hash %016llx\n",
           seed, seconds, s.nodes, taken, BLOCKS, (double)s.surplus / 1e6, gap * 100,
           proved * 100, (unsigned long long)hash_of(&s));
    if (seconds > worst->seconds) worst->seconds = seconds;
    if (proved > worst->gap) worst->gap = proved;
    return 0;
}

static int spot_run(const struct bench_options *o)
{
    struct instance *x = malloc(sizeof *x);
    uint32_t rounds = o->rounds != 0 ? o->rounds : ROUNDS;
    struct worst worst = {0}, thin = {0};
    int e = x == NULL ? 2 : 0;
    for (uint32_t seed = 1; seed <= rounds && e == 0; seed++)
        e = round_run(x, o, seed, STEPS, &worst);
    if (e == 0)
        printf("  worst: %.2f s (bound %d s), gap proved by the core %.4f%% (bound %.1f%%)\n",
               worst.seconds, SECONDS_MAX, worst.gap * 100, GAP_MAX * 100);
    if (e == 0) printf("  a thin market, %d hourly bids to %d such blocks:\n", STEPS_THIN, BLOCKS);
    for (uint32_t seed = 1; seed <= rounds && e == 0; seed++)
        e = round_run(x, o, seed, STEPS_THIN, &thin);
    free(x);
    if (e != 0) return e;
    return worst.seconds <= SECONDS_MAX && worst.gap <= GAP_MAX ? 0 : 1;
}

const struct bench bench_spot = {
    "spot", "day-ahead auction: 10,000 hourly bids, 500 blocks (100 linked); nodes: --commands",
    spot_run};
