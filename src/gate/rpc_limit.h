/* rpc_limit.h: position limits in requests and answers, for rpc_limit.c, rpc_product.c,
 * rpc_market.c and rpc_venue.c. */
#ifndef DOJIMA_GATE_RPC_LIMIT_H
#define DOJIMA_GATE_RPC_LIMIT_H

#include "gate/rpc_internal.h"

/* The parameter `limits`; absent: none at all. */
int limits_get(struct rpc_call *c, struct product_limits *l);
void limits_write(struct rpc_call *c, const struct product_limits *l);
/* What a request that waits asks for: supply, owner, exemption. */
void limit_asks(struct rpc_call *c, const struct command *cmd);
void limit_record_write(struct rpc_call *c, const struct limit_record *r);

/* The parameters `blocks` and `busts` (MATCH-10, MATCH-11); absent: neither is offered. */
int offbook_get(struct rpc_call *c, struct product_offbook *o);
void offbook_write(struct rpc_call *c, const struct product_offbook *o);
void bust_asks(struct rpc_call *c, const struct command_trade_bust *b);

extern const char *const rpc_limit_side_names[];
extern const char *const rpc_deal_names[];

#endif
