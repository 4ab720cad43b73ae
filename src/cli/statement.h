/* statement.h: an account's day out of the history, read and checked by statement.c. Not for other
 * folders.
 */
#ifndef DOJIMA_CLI_STATEMENT_H
#define DOJIMA_CLI_STATEMENT_H

#include "store/store.h"

enum { STATEMENT_ASSETS_MAX = 64, STATEMENT_LINES_MAX = 4096, STATEMENT_TRADES_MAX = 1000 };

struct statement {
    struct store *store;
    const char *name; /* of the account */
    const char *date; /* YYYY-MM-DD */
    uint32_t account;
    int64_t day;
    int balances, positions, trades;
    struct store_statement_cash cash[STATEMENT_ASSETS_MAX];
    struct store_statement_cash cash_before[STATEMENT_ASSETS_MAX];
    struct store_statement_position held[STATEMENT_LINES_MAX];
    struct store_statement_position held_before[STATEMENT_LINES_MAX];
    int margins; /* 1: `margin` is there */
    struct event_standing margin;
    struct event_trade trade[STATEMENT_TRADES_MAX];
};

/* As tables for people. 0, or 1: no memory. */
int statement_print(const struct statement *d, bool colour);

#endif
