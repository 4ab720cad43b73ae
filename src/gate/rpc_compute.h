/* rpc_compute.h: what rpc_certificate.c and rpc_token.c offer the other files of rpc. */
#ifndef DOJIMA_GATE_RPC_COMPUTE_H
#define DOJIMA_GATE_RPC_COMPUTE_H

#include "gate/rpc_internal.h"

/* An object's `regions`, at most `most`. */
int regions_get(struct rpc_call *c, uint32_t object, uint32_t most,
                char regions[][REGION_NAME_SIZE], uint32_t *count);
/* The parameter names a certified resource: its id, or unknown_resource. */
int resource_of(struct rpc_call *c, const char *name, uint32_t *id);
/* What a request that waits asks for. */
void certificate_asks(struct rpc_call *c, const struct command *cmd);

/* A product's `supply` (CERT-03): REJECT_none or why not. */
int supply_terms_get(struct rpc_call *c, struct command_product_create *p);
void supply_terms_write(struct json_writer *w, const struct supply_terms *t);

rpc_function rpc_accredit, rpc_revoke_accreditation, rpc_get_accreditations,
    rpc_set_certification, rpc_get_certification;
rpc_function rpc_certificate_submit, rpc_certificate_appeal, rpc_certificate_withdraw,
    rpc_refuse_certificate, rpc_decertify, rpc_get_certificates;
rpc_function rpc_token_issue, rpc_token_retire, rpc_token_transfer, rpc_token_pledge,
    rpc_get_tokens;

#endif
