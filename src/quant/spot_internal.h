/* spot_internal.h: what the files of the spot solver share. Flow: spot_search.c (branch and bound)
 * -> spot_relax.c (CLP) -> spot_local.c (solutions near a fractional one) -> spot_price.c (prices
 * at which no accepted block loses) -> spot_hour.c (an hour's steps). */
#ifndef DOJIMA_QUANT_SPOT_INTERNAL_H
#define DOJIMA_QUANT_SPOT_INTERNAL_H

#include "quant/spot.h"

/* ---- spot_hour.c: the steps of an hour, by price ---- */

struct spot_level {
    int64_t price;
    int64_t buy;
    int64_t sell;
    /* Sums over other levels of the hour. */
    int64_t buy_above;   /* lots */
    int64_t sell_below;
    int128_t buy_value_above; /* price x lots */
    int128_t sell_value_below;
};

struct spot_curve {
    struct spot_level *levels; /* by rising price; each has lots */
    uint32_t count;
    uint32_t reserved;
    int64_t buys;        /* all */
    int64_t sells;
    int128_t buy_value;
    int128_t sell_value;
};

struct spot_range { /* of prices */
    int64_t low;
    int64_t high;
};

struct spot_market_view { /* the problem, made ready */
    const struct spot_problem *problem;
    struct spot_curve curves[SPOT_PROBLEM_HOURS];
    struct spot_level *pool;
    int128_t block_value[SPOT_PROBLEM_BLOCKS]; /* what its bid is worth: bought less asked */
    uint32_t first_child[SPOT_PROBLEM_BLOCKS]; /* index + 1 */
    uint32_t next_child[SPOT_PROBLEM_BLOCKS];
};

int spot_view_open(struct spot_market_view *v, const struct spot_problem *problem);
void spot_view_close(struct spot_market_view *v);

/* What an hour's steps are worth when blocks sell it `net` lots more than they buy, and the prices
 * at which it clears; false: it does not balance. */
bool spot_hour_clear(const struct spot_market_view *v, uint32_t hour, int64_t net,
                     int128_t *surplus, struct spot_range *range);
/* What its steps would earn at this price if each had its way. */
int128_t spot_hour_dual(const struct spot_market_view *v, uint32_t hour, int64_t price);

/* ---- a choice of blocks ---- */

struct spot_choice {
    uint8_t taken[SPOT_PROBLEM_BLOCKS];
    int64_t net[SPOT_PROBLEM_HOURS]; /* lots that taken blocks sell less those that they buy */
    int128_t value;                  /* of taken blocks */
};

void spot_choice_flip(const struct spot_market_view *v, struct spot_choice *c, uint32_t block);
/* False: an hour does not balance. */
bool spot_choice_surplus(const struct spot_market_view *v, const struct spot_choice *c,
                         int128_t *surplus);
static inline int64_t spot_block_lots(const struct spot_market_view *v, uint32_t block,
                                      uint32_t hour)
{
    const struct spot_problem_block *b = &v->problem->blocks[block];
    return b->sell ? b->qty[hour] : -b->qty[hour];
}
/* What a block earns at these prices, by itself. */
int128_t spot_block_gain(const struct spot_market_view *v, uint32_t block, const int64_t *prices);

/* ---- spot_price.c ---- */
enum spot_priced { SPOT_PRICED, SPOT_LOSES, SPOT_UNRESOLVED };
/* Prices on the tick at which the choice clears and no taken block loses. SPOT_LOSES: there are
 * none, and *loser is a block whose family cannot be saved; SPOT_UNRESOLVED: none were found, and
 * it is not known that there are none. */
enum spot_priced spot_prices(const struct spot_market_view *v, const struct spot_choice *c,
                             int64_t *prices, uint32_t *loser);

/* What families lose at the prices of the hours' ranges that suit each most; 0: perhaps nothing. */
int128_t spot_losses(const struct spot_market_view *v, const struct spot_choice *c);

/* ---- spot_relax.c ---- */
struct spot_relaxation;
struct spot_relaxation *spot_relax_open(const struct spot_market_view *v);
void spot_relax_close(struct spot_relaxation *r);

enum { SPOT_FREE = 0, SPOT_OUT, SPOT_IN }; /* what a node has decided of a block */
struct spot_relaxed {
    double x[SPOT_PROBLEM_BLOCKS];
    double cost[SPOT_PROBLEM_BLOCKS]; /* of moving it from its bound, in 10^-6 x lots */
    int64_t dual[SPOT_PROBLEM_HOURS];
    int128_t bound; /* exact: the Lagrangian at `dual`, with what is fixed */
};
/* 0; 1: infeasible; -1: the relaxation could not be solved (then the bound is still valid). */
int spot_relax(struct spot_relaxation *r, const uint8_t *fixed, struct spot_relaxed *out);
/* The Lagrangian at whole prices: no choice that keeps to `fixed` has a greater surplus. */
int128_t spot_lagrangian(const struct spot_market_view *v, const uint8_t *fixed,
                         const int64_t *prices);

/* ---- spot_local.c ---- */
struct spot_best {
    struct spot_choice choice;
    int64_t prices[SPOT_PROBLEM_HOURS];
    int128_t surplus;
    bool found;
};
/* From a fractional choice: rounds it, drops what loses, adds what gains; keeps what is better. */
void spot_round(const struct spot_market_view *v, const double *x, double threshold,
                struct spot_best *best);
/* Exchanges of two blocks, as long as they gain. */
void spot_exchange(const struct spot_market_view *v, struct spot_best *best);
struct random;
void spot_shake(const struct spot_market_view *v, struct spot_best *best, struct random *r);
/* Keeps the choice if it is priced and better. */
enum spot_priced spot_offer(const struct spot_market_view *v, const struct spot_choice *c,
                            struct spot_best *best, uint32_t *loser);

#endif
