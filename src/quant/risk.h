/* risk.h: what may happen to prices: joint moves of the past at today's volatility, and the stress
 * set (CLEAR-05).
 *
 * Scale. A move is measured against S(p) = max(p, price_scale_min): relative where prices are well
 * above zero, absolute (in units of price_scale_min) near and below it, without a jump in between.
 * Volatility. EWMA of daily moves; sigma(t) is what was forecast before t. Both today's and each
 * past sigma are held above a floor, the larger of volatility_min and long_run_floor x long-run
 * volatility: a price that stands still for months (a price list) has no variance of its own, and
 * its first step would otherwise be divided by almost nothing.
 * Joint moves. On the days that all series have; over `horizon` days, overlapping, each within one
 * contract (no move across a roll), none over more than gap_days. z = move / sigma at its start;
 * a scenario's price change is z x sigma(today) x S(price today).
 *
 * Invariants: (1) nothing behind the day that risk_at was asked for enters what it gives;
 * (2) every number it gives is finite.
 *
 * Upstream: history, parameters, stress. Downstream: requirement, remargin, backtest.
 */
#ifndef DOJIMA_QUANT_RISK_H
#define DOJIMA_QUANT_RISK_H

#include "quant/history.h"
#include "quant/parameters.h"
#include "quant/stress.h"

struct method {
    uint32_t tail_ppm, stress_weight_ppm, offset_max_ppm;
    double lambda, long_run_floor, participation;
    uint32_t horizon, window, window_min, burn_in, long_run_days, stress_min, stale_days, gap_days;
};

struct risk_instrument {
    char name[QUANT_NAME_SIZE];
    char factor[QUANT_NAME_SIZE]; /* empty: only `*` moves it */
    uint32_t series;
    uint32_t product; /* the first instrument of the same product */
    double contract_size, volatility_min, price_scale_min, half_spread, adv;
    double floor_share, floor_ct, ct_per_lot, short_option, delivery;
    int32_t tenor;
    /* today */
    double price, scale;
    double sigma;      /* today's forecast, floored */
    double sigma_ewma; /* before the floor */
    double sigma_long;
    double sigma_floor;
};

struct risk {
    struct method method;
    const struct stress_set *stress; /* NULL: none */
    struct risk_instrument *instruments;
    uint32_t count;
    /* the grid: days that all series have; arrays [instrument][day], by row */
    uint32_t days;
    int32_t *day;
    double *price, *daily, *moves; /* daily and horizon moves over S; NaN where there is none */
    double *sigma;                 /* [days + 1]; sigma[d] forecasts daily[d] */
    double *squares, *seen;        /* running sums of daily^2 and of how many, [days + 1] */
    /* today */
    uint32_t today;       /* index of the day */
    uint32_t scenarios;   /* joint moves that count */
    uint32_t *move_start, *move_end; /* indices of days */
    double *z;            /* [instrument][window] */
    uint32_t stressed;    /* stress scenarios that count */
    uint32_t *stress_index;
    double *shock;        /* [instrument][stress->count], USD of price */
};

int method_make(struct method *m, const struct parameters *p, struct quant_error *error);

/* Aligns and filters the histories of these instruments. On -1 nothing is held. */
int risk_open(struct risk *r, const struct parameters *p, const struct history *h,
              const struct stress_set *s, const char (*names)[QUANT_NAME_SIZE], uint32_t count,
              struct quant_error *error);
void risk_close(struct risk *r);

enum risk_view {
    RISK_now,   /* all of the stress set */
    RISK_past,  /* for a backtest: historical scenarios only when they are over by then */
};

/* Sets today to day index `at`. -1 when the moves are fewer than window_min. */
int risk_at(struct risk *r, uint32_t at, enum risk_view view, struct quant_error *error);

/* Today's price of instrument i is another than the history's last (a settlement price): scale and
 * stress follow; volatility stays. Its tenor may have been set before. -1 when the price needs a
 * price_scale_min and there is none. */
int risk_reprice(struct risk *r, uint32_t i, double price, struct quant_error *error);

/* Sets today, with all of the stress set, to the last day in common up to `day`. -1 when that, or
 * the end of a series, is more than stale_days before it. */
int risk_as_of(struct risk *r, const struct history *h, int32_t day, struct quant_error *error);

/* Whether every instrument has a move that ends on day index `at`. */
bool risk_moved(const struct risk *r, uint32_t at);

#endif
