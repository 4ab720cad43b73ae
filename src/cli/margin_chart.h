/* margin_chart.h: backtests drawn, in the terminal and as SVG. Not for other folders. */
#ifndef DOJIMA_CLI_MARGIN_CHART_H
#define DOJIMA_CLI_MARGIN_CHART_H

#include "cli/margin.h"
#include "quant/backtest.h"

struct margin_case {
    char name[QUANT_NAME_SIZE];
    const char *side; /* long, short, account */
    struct backtest test;
    struct backtest_result result[BACKTEST_MARGINS];
};

/* A few lines: the greatest loss by margin over time, and where it was exceeded. */
void margin_chart_print(const struct margin_case *c);

/* One panel a case: profit and loss, margin, exceedances. 0, or 1 with the sentence said. */
int margin_chart_svg(const char *path, const struct margin_case *cases, uint32_t count);

#endif
