/* report.h: what `dojima report` is made of. Not for other folders.
 *
 * A disclosure is a heading's number in CPMI-IOSCO's public quantitative disclosure standards
 * for central counterparties (February 2015), or from 13 on the number of the principle it is
 * about, its text in our words, a value or why there is none, and where the value comes from.
 * Headings, not the items below them: several lines may stand under one. Source for 4 to 7: the
 * tables of contents of what DTCC's clearing agencies (2015, 2018, 2021) and SIX x-clear (2017)
 * disclose by the standards.
 *
 * Upstream: a node, its history, the parameters of margin. Downstream: standard output.
 */
#ifndef DOJIMA_CLI_REPORT_H
#define DOJIMA_CLI_REPORT_H

#include "cli/margin_node.h"

enum { REPORT_ITEMS_MAX = 96, REPORT_VALUE_SIZE = 120 };

struct report_item {
    const char *number, *text, *unit, *source;
    uint32_t order;
    char value[REPORT_VALUE_SIZE]; /* empty: there is none, `source` says why */
};

struct report {
    struct report_item items[REPORT_ITEMS_MAX];
    uint32_t count;
    int32_t from, to; /* days, both included */
};

/* Appends; format NULL: no value. */
__attribute__((format(printf, 6, 7))) void report_add(struct report *r, const char *number,
                                                      const char *text, const char *unit,
                                                      const char *source, const char *format, ...);

/* What a node says now. 0, or 1 with the sentence said. */
int report_node(struct report *r, struct client *client);
/* The days from `from` to `to` of a history (SQLite; NULL: none is given). */
int report_history(struct report *r, const char *path);
/* The margin model, from its parameters. */
int report_model(struct report *r, const struct parameters *p);

#endif
