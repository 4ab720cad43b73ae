/* rpc_default.h: the methods of the default fund and of defaults (CLEAR-10, CLEAR-11): what
 * rpc_fund.c and rpc_default.c share, and their parameters for rpc_table.c.
 */
#ifndef DOJIMA_GATE_RPC_DEFAULT_H
#define DOJIMA_GATE_RPC_DEFAULT_H

#include "base/time_text.h"
#include "gate/rpc_internal.h"

/* What a request that waits asks for: the settings, a move of money, a step of a default. */
void fund_asks(struct rpc_call *c, const struct command *cmd);
/* Money into, out of or within the fund, of the parameters `member`, `amount` and
 * `skin_in_the_game`. */
int fund_move_submit(struct rpc_call *c, enum fund_action action, uint32_t account,
                     const struct outbox **events);

extern const char *const rpc_basis_names[];

rpc_function rpc_get_default_fund, rpc_get_fund, rpc_fund_set, rpc_fund_size, rpc_capital,
    rpc_fund_contribute, rpc_fund_pay_assessment, rpc_fund_release, rpc_fund_collect;
rpc_function rpc_declare_default, rpc_default_allocate, rpc_default_tear_up, rpc_default_close,
    rpc_default_write_off, rpc_default_recover, rpc_default_hedge, rpc_auction_open,
    rpc_auction_bid, rpc_get_auctions, rpc_get_defaults, rpc_default_readmit, rpc_close_out;

#endif
