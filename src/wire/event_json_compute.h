/* event_json_compute.h: certificates and tokens as members of a JSON object, the same in what is
 * dumped and in the interface.
 *
 * Upstream: msg. Downstream: event_json, gate (rpc_certificate.c, rpc_token.c).
 */
#ifndef DOJIMA_WIRE_EVENT_JSON_COMPUTE_H
#define DOJIMA_WIRE_EVENT_JSON_COMPUTE_H

#include "msg/event.h"
#include "wire/json.h"

void token_class_write(struct json_writer *w, const struct token_class *class);
/* The settings that `flags` has (CERTIFICATION_HAS_). */
void certification_write(struct json_writer *w, const struct certification_settings *s,
                         uint32_t flags);
void accreditation_write(struct json_writer *w, const struct event_accreditation *a);
/* All but the account. */
void certificate_write(struct json_writer *w, const struct event_certificate *e);

#endif
