/* statement.h: an account's day out of the history, for `dojima statement` and `dojima store`. */
#ifndef DOJIMA_CLI_STATEMENT_H
#define DOJIMA_CLI_STATEMENT_H

#include "store/store.h"

enum { STATEMENT_LINES_MAX = 4096, STATEMENT_TRADES_MAX = 1000 };

/* By enum account_status. */
extern const char *const statement_status_names[];

/* As tables for people (store.c). 0, or 1 with the reason on stderr. */
int statement_print(struct store *s, const char *name, uint32_t account, const char *date,
                    int64_t day, bool colour);

#endif
