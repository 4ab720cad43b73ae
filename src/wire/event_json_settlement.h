/* event_json_settlement.h: what an hour's reference price follows from (INDEX-02) and what a
 * contract turned into (CONTRACT-01), as members of a JSON object, the same in what is dumped and
 * in the interface. Of which index or contract, and whose it is, each reader names in its own way.
 *
 * Upstream: json, words. Downstream: event_json, gate (rpc_index_write.c, rpc_officer.c).
 */
#ifndef DOJIMA_WIRE_EVENT_JSON_SETTLEMENT_H
#define DOJIMA_WIRE_EVENT_JSON_SETTLEMENT_H

#include "msg/event.h"
#include "wire/json.h"

void index_price_write(struct json_writer *w, const struct event_index_price *p);
void index_input_write(struct json_writer *w, const struct event_index_input *i);
void index_spot_write(struct json_writer *w, const struct event_index_spot *s);
void index_seller_write(struct json_writer *w, const struct event_index_seller *s);
void cascade_write(struct json_writer *w, const struct event_cascade *e);

#endif
