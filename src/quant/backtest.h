/* backtest.h: each day's margin against what then happened (CLEAR-11).
 *
 * Positions are held still. On day T margin is computed from what was known on T (risk_at with
 * RISK_past) and compared with the loss from T to T + horizon, within one contract; a day whose
 * move crosses a roll without a common contract, or a gap, is not tested. Two margins are tested:
 * the core (CLEAR-05), and its filtered ES alone, which is what the core would be without stress
 * and long-run parts. Floors and add-ons are left out: they would only hide the model.
 *
 * Coverage. Kupiec on all days. Because moves of neighbouring days overlap, independence is tested
 * on each of the `horizon` interleaved sets of days that do not; the smallest p is kept. Basel's
 * zones by consecutive windows of 250 tests, and for the whole sample by the same probabilities.
 * Anti-procyclicality (Murphy, Vasios and Vause, Bank of England Financial Stability Paper 29,
 * 2014): greatest over least margin, and the greatest rise within n tests, of margin by notional.
 *
 * Upstream: risk, requirement, coverage. Downstream: cli.
 */
#ifndef DOJIMA_QUANT_BACKTEST_H
#define DOJIMA_QUANT_BACKTEST_H

#include "quant/coverage.h"
#include "quant/requirement.h"

enum backtest_margin { BACKTEST_core = 0, BACKTEST_filtered, BACKTEST_MARGINS };
enum { BACKTEST_TESTS_MIN = 50, BACKTEST_WINDOW = 250, BACKTEST_RISE_SHORT = 5,
       BACKTEST_RISE_LONG = 30 };

struct backtest {
    uint32_t count;
    int32_t *day;    /* T */
    double *profit;  /* from T to T + horizon, USD */
    double *scale;   /* gross notional at T, USD; above 0 */
    double *margin[BACKTEST_MARGINS]; /* USD */
};

struct backtest_result {
    struct coverage coverage;         /* all tests */
    double independence_p, conditional_p; /* smallest over the sets without overlap */
    enum coverage_zone zone;          /* of the whole sample */
    uint32_t windows[3];              /* whole windows of 250 by zone */
    uint32_t worst_window;            /* exceedances in the worst */
    double peak_to_trough, rise_short, rise_long; /* ratios; rises less 1 */
};

/* The account's positions (futures only) over r's whole history. On -1 nothing is held. */
int backtest_run(struct backtest *b, struct risk *r, const struct position *positions,
                 uint32_t count, struct quant_error *error);
void backtest_close(struct backtest *b);

/* At least two tests. */
void backtest_judge(const struct backtest *b, enum backtest_margin margin,
                    const struct method *method, struct backtest_result *out);

static inline bool backtest_exceeds(const struct backtest *b, enum backtest_margin m, uint32_t i)
{
    return -b->profit[i] > b->margin[m][i];
}

#endif
