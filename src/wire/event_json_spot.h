/* event_json_spot.h: an auction of the spot market as members of a JSON object, the same in what is
 * dumped and in the interface.
 *
 * Upstream: json, words. Downstream: event_json, gate (rpc_spot_read.c).
 */
#ifndef DOJIMA_WIRE_EVENT_JSON_SPOT_H
#define DOJIMA_WIRE_EVENT_JSON_SPOT_H

#include "msg/event.h"
#include "wire/json.h"

/* All but the product, which each reader names in its own way, and the sums of price x lots, which
 * are money only by the product's terms. */
void spot_auction_write(struct json_writer *w, const struct event_spot_auction *a);

#endif
