/* requirement.h: the initial margin of one account, part by part (CLEAR-05, CLEAR-07).
 *
 *   core  = max(w_fhs ES(joint moves, mirrored) + w_stress ES(stress set), VaR at long-run vol)
 *   total = max(core + liquidity + concentration + delivery, floor of notional, floor of volume,
 *               short-option minimum), less credits, never below 0
 *
 * Offsets. ES of the account is at least (1 - offset_max) of the sum of its positions' ES taken
 * alone: what a joint move nets is granted at most to offset_max (EMIR RTS 153/2013 art. 27). Each
 * of the three measures is treated so. The floor of notional counts the net position of a product,
 * |sum of lots x size x price|; the floor of volume counts |lots| x CT without netting, so that a
 * spread of great volume is never margined at its spread's volatility alone (GreenHat, PJM 2018).
 * Concentration is by instrument, from the ES that its positions have alone. Options are valued
 * afresh in every scenario (Black 1976 without discounting; intrinsic where a price is not above
 * 0), volatility unchanged.
 *
 * Results are micro-USD, each part rounded up once; sums and maxima are of integers.
 *
 * Invariants: (1) every part and the total are >= 0; (2) the order of positions and of scenarios
 * does not matter; (3) without credits, k times a portfolio of futures needs at least k times the
 * margin less rounding, k >= 1 (concentration grows faster).
 *
 * Upstream: risk, portfolio. Downstream: cli, fund, backtest.
 */
#ifndef DOJIMA_QUANT_REQUIREMENT_H
#define DOJIMA_QUANT_REQUIREMENT_H

#include "quant/portfolio.h"
#include "quant/risk.h"

enum requirement_binding {
    BINDING_core = 0, /* core + liquidity + concentration + delivery */
    BINDING_floor_notional,
    BINDING_floor_volume,
    BINDING_short_option,
};

struct measure {
    int64_t joint;  /* as the scenarios net it, rounded up */
    int64_t alone;  /* sum over positions taken alone, rounded up */
    int64_t value;  /* with offsets capped, rounded up */
    uint32_t worst; /* the scenario of the greatest loss */
    bool mirrored;  /* of joint moves: against its sign */
    int64_t worst_loss; /* of that scenario, rounded up; 0 where nothing loses */
};

struct requirement {
    struct measure filtered, stressed, long_run;
    int64_t blended; /* w_fhs filtered + w_stress stressed */
    int64_t core, liquidity, concentration, delivery;
    int64_t floor_notional, floor_volume, short_option;
    int64_t credit; /* what was taken off, at most what there was to take off */
    int64_t total;
    enum requirement_binding binding;
};

struct requirement_work {
    double *outcomes; /* of all, mirrored behind */
    double *alone;    /* of one position */
    double *select;   /* consumed by selection */
    double *net;      /* notional by product */
    double *gross;    /* ES alone by instrument */
    double *lots;     /* |lots| by instrument */
};

int requirement_work_open(struct requirement_work *w, const struct risk *r,
                          struct quant_error *error);
void requirement_work_close(struct requirement_work *w);

/* The value of a position's lot at a price of its instrument, USD of price. */
double position_value(const struct position *p, double price);

/* Margin of these positions at r's today. -1 when an amount passes what 64 bits of micro-USD
 * hold. */
int requirement_compute(const struct risk *r, const struct position *positions, uint32_t count,
                        int64_t credit, struct requirement_work *w, struct requirement *out,
                        struct quant_error *error);

/* Core, floors and credit from the parts that are set; -1 when the sum is beyond 4 x 10^18. */
int requirement_combine(const struct risk *r, int64_t credit, struct requirement *out);

/* The loss in USD of these positions in a stress scenario (index among those that count). */
double requirement_stress_loss(const struct risk *r, const struct position *positions,
                               uint32_t count, uint32_t stressed);

/* ceil(usd x 10^6); -1 and INT64_MAX where that is beyond 4 x 10^18. */
int quant_micro_ceil(double usd, int64_t *micro);

#endif
