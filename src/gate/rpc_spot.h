/* rpc_spot.h: what rpc_spot.c, rpc_spot_read.c and rpc_spot_history.c offer each other and the
 * other files of rpc (INDEX-01). */
#ifndef DOJIMA_GATE_RPC_SPOT_H
#define DOJIMA_GATE_RPC_SPOT_H

#include "gate/rpc_internal.h"

/* A product's `spot`: REJECT_none or why not. */
int spot_terms_get(struct rpc_call *c, struct command_product_create *p);
void spot_terms_write(struct json_writer *w, const struct spot_terms *t);

/* The auction's event by its id, or the latest of a product; REJECT_unknown_spot_auction. */
int spot_auction_ask(struct rpc_call *c, struct event_spot_auction *auction);
/* Lots, or of a balancing or resale auction CT. */
static inline int spot_scale(uint32_t kind) { return kind == SPOT_day_ahead ? 0 : 9; }

void rpc_write_spot_auction(struct json_writer *w, const struct directory *d,
                            const struct event_spot_auction *a);
/* Its members, with its hours and the blocks rejected although they would have earned, as the
 * events of its command say that begin at `from`. */
void rpc_write_spot_detail(struct json_writer *w, const struct directory *d,
                           const struct event_spot_auction *a, const struct event_header *from,
                           const unsigned char *end);
void rpc_write_spot_bid(struct json_writer *w, const struct directory *d,
                        const struct event_spot_auction *a, const struct event_spot_bid *b,
                        bool own);
/* As its account is told of it elsewhere than beside its auction. */
void rpc_write_spot_own(struct json_writer *w, const struct directory *d,
                        const struct event_spot_auction *a, const struct event_spot_bid *b);

rpc_function rpc_spot_open, rpc_spot_bid, rpc_spot_cancel, rpc_spot_result, rpc_get_spot_auction,
    rpc_get_spot_auctions, rpc_get_spot_bids, rpc_clearing_spot_bids,
    rpc_spot_auction_history, rpc_spot_bid_history;

#endif
