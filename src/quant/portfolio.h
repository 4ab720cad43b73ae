/* portfolio.h: positions and credits by account, from a file.
 *
 * Lines account,instrument,lots[,kind,strike,volatility,days,amount,member]. kind: future (or
 * blank), call, put (European, on the future: strike, yearly volatility, days to expiry), credit
 * (amount in USD, 0 or above; no instrument). Lots are whole, negative for short. member: whose
 * account it is [a member of the account's name]; the lines of an account agree on it.
 *
 * Invariants: (1) an account holds an instrument (kind, strike, days) once and has one credit line;
 * (2) no position of 0 lots; (3) instruments and accounts are numbered in the order of the file.
 *
 * Upstream: a file, or the positions of a node. Downstream: requirement, fund, backtest.
 */
#ifndef DOJIMA_QUANT_PORTFOLIO_H
#define DOJIMA_QUANT_PORTFOLIO_H

#include "quant/csv.h"

enum {
    PORTFOLIO_POSITIONS_MAX = 1 << 20,
    PORTFOLIO_ACCOUNTS_MAX = 1 << 14,
    PORTFOLIO_INSTRUMENTS_MAX = 256,
};
#define PORTFOLIO_LOTS_MAX INT64_C(1000000000000)

enum position_kind { POSITION_future = 0, POSITION_call, POSITION_put };

struct position {
    uint32_t account, instrument;
    int64_t lots;
    enum position_kind kind;
    double strike, volatility;
    int32_t days; /* to expiry */
};

struct portfolio_account {
    char name[QUANT_NAME_SIZE];
    char member[QUANT_NAME_SIZE];
    int64_t credit; /* micro-USD */
    bool has_credit;
    uint32_t first, count; /* in positions */
};

struct portfolio {
    struct position *positions; /* by account */
    uint32_t count, capacity;
    struct portfolio_account *accounts;
    uint32_t account_count, account_capacity;
    char instruments[PORTFOLIO_INSTRUMENTS_MAX][QUANT_NAME_SIZE];
    uint32_t instrument_count;
};

/* Reads into an empty portfolio; on -1 it is empty again and the sentence is in *error. */
int portfolio_read(struct portfolio *p, const char *file, const char *text, size_t length,
                   struct quant_error *error);
/* One more; 0, or -1 where there is no room for it. Positions of an account stay together only
 * after portfolio_order. */
int portfolio_account(struct portfolio *p, const char *name);
int portfolio_instrument(struct portfolio *p, const char *name);
int portfolio_add(struct portfolio *p, const struct position *position);
void portfolio_order(struct portfolio *p);
void portfolio_close(struct portfolio *p);

#endif
