/* margin_node.h: accounts, positions and terms of a running node, as a portfolio. Not for other
 * folders.
 *
 * Upstream: a node, by JSON-RPC with a key that may read every account (clear or auditor).
 * Downstream: margin_run.c.
 */
#ifndef DOJIMA_CLI_MARGIN_NODE_H
#define DOJIMA_CLI_MARGIN_NODE_H

#include "cli/client.h"
#include "cli/margin.h"
#include "quant/fund.h"

struct node_instrument {
    double mark;          /* NAN: none yet */
    double contract_size; /* USD for 1.0 of price and lot */
    int32_t expiry;       /* day */
};

struct node {
    struct portfolio portfolio; /* accounts with positions only */
    struct node_instrument instruments[PORTFOLIO_INSTRUMENTS_MAX];
    uint32_t accounts; /* of members, those without positions too */
};

/* 0, or 1 with the sentence said. Positions are those at the moments of the calls. */
int margin_node_read(struct client *client, struct node *node);
void margin_node_close(struct node *node);

/* The node's own prices, sizes and tenors into a risk over the portfolio's instruments at its
 * today; `day` is the day that tenors count from. */
int margin_node_apply(const struct node *node, struct risk *r, int32_t day,
                      struct quant_error *error);

#endif
