/* scope.h: what a key may do. */
#ifndef DOJIMA_GATE_SCOPE_H
#define DOJIMA_GATE_SCOPE_H

#include <stdint.h>

enum {
    SCOPE_read = 1 << 0,     /* the account's own orders, trades, positions, ledger */
    SCOPE_trade = 1 << 1,    /* orders, quotes, cancels */
    SCOPE_withdraw = 1 << 2, /* withdrawals and transfers */
    SCOPE_clear = 1 << 3,    /* private/clearing_* */
    SCOPE_officer = 1 << 4,  /* private/officer_* */
    SCOPE_auditor = 1 << 5,  /* reads every account, ledger and state hash */
    SCOPE_all = (1 << 6) - 1,
};

/* Parses "read,trade"; 0 when a word is unknown or there is none. */
uint32_t scope_parse(const char *text);

enum { SCOPE_TEXT_SIZE = 64 };

/* Writes "read,trade"; returns `out`. */
char *scope_text(uint32_t scopes, char out[SCOPE_TEXT_SIZE]);

#endif
