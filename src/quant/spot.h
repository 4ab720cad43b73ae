/* spot.h: clearing of a day-ahead auction of hours with blocks (INDEX-01): which blocks are
 * accepted and at what uniform price each hour clears, at the greatest surplus.
 *
 * The market is that of the European power exchanges (Euphemia): steps are filled where they are
 * better than their hour's price and may be filled in part at it; blocks are all or none over their
 * hours; a child is accepted only with its parent; no accepted block loses, where a family may save
 * its parent (the surplus of a block with that of the blocks accepted below it is not negative);
 * blocks may be rejected although they would have earned. A price that is not determined by the
 * steps is the middle of what clears, to the tick towards the lower, unless accepted blocks need
 * another; then the nearest to the middles.
 *
 * Given the blocks each hour clears by itself, in whole numbers and O(log steps); the search over
 * blocks is a branch and bound over the linear relaxation (CLP), limited by nodes, never by time.
 * Where a node's relaxation is whole and yet no prices exist at which its blocks do not lose, one
 * of them must be rejected in any better solution below that node (Martin, Mueller, Pokutta 2014;
 * Madani, Van Vyve 2015), and it branches on those.
 *
 * Floating point chooses; what is returned is exact: the surplus is summed and the prices are
 * verified in whole numbers, and every bound is the Lagrangian at whole dual prices, which is valid
 * whatever the relaxation's accuracy. The same problem gives the same solution.
 *
 * Upstream: base. Downstream: node (the core's auctions), bench.
 */
#ifndef DOJIMA_QUANT_SPOT_H
#define DOJIMA_QUANT_SPOT_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

enum { SPOT_PROBLEM_HOURS = 25, SPOT_PROBLEM_BLOCKS = 1024 };

struct spot_problem_step {
    int64_t price;   /* 10^-6 USD, a multiple of the tick within the bounds */
    int64_t qty;     /* lots, > 0 */
    uint32_t hour;
    uint32_t sell;   /* 1: sells */
};

struct spot_problem_block {
    int64_t price;
    uint32_t parent; /* index + 1, below the block's own; 0: none */
    uint32_t sell;
    int64_t qty[SPOT_PROBLEM_HOURS]; /* >= 0 */
};

struct spot_problem {
    const struct spot_problem_step *steps;
    const struct spot_problem_block *blocks;
    uint32_t step_count;
    uint32_t block_count; /* <= SPOT_PROBLEM_BLOCKS */
    uint32_t hours;       /* 1 .. SPOT_PROBLEM_HOURS */
    uint32_t node_limit;  /* of the search; 0: the root alone */
    int64_t tick;         /* > 0 */
    int64_t price_min;    /* multiples of the tick */
    int64_t price_max;
};

struct spot_solution {
    int64_t prices[SPOT_PROBLEM_HOURS];
    int64_t dual[SPOT_PROBLEM_HOURS]; /* prices at which the Lagrangian is `root_bound` */
    uint8_t accepted[SPOT_PROBLEM_BLOCKS];
    int128_t surplus;     /* sum of price x lots */
    int128_t bound;       /* no solution's surplus is greater: by the search */
    int128_t root_bound;  /* ... by duality alone */
    uint32_t nodes;
    bool optimal;         /* the search ended: bound is surplus */
};

/* 0; -1: no memory; -2: blocks or steps out of range (overflow). There is always a solution: no
 * block at all. */
int spot_solve(const struct spot_problem *problem, struct spot_solution *solution);

#endif
