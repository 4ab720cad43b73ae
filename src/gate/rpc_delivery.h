/* rpc_delivery.h: what rpc_delivery.c offers the other files of rpc. */
#ifndef DOJIMA_GATE_RPC_DELIVERY_H
#define DOJIMA_GATE_RPC_DELIVERY_H

#include "gate/rpc_internal.h"

/* A product's `delivery` (DELIV-01): REJECT_none or why not. */
int delivery_terms_get(struct rpc_call *c, struct command_product_create *p);
void delivery_terms_write(struct json_writer *w, const struct directory *d,
                          const struct delivery_terms *t);

/* What is said in public of a notice, an allocation, an hour, an end in money: an object. */
void rpc_write_delivery(struct json_writer *w, const struct directory *d,
                        const struct event_header *event);
uint32_t rpc_delivery_instrument(const struct event_header *event);

rpc_function rpc_tender, rpc_intake, rpc_warrant_transfer, rpc_receipt_submit, rpc_proof_submit,
    rpc_proof_challenge, rpc_get_allocations, rpc_get_own_allocations, rpc_get_tenders,
    rpc_get_delivery;

#endif
