/* event_json_default.h: the default fund's settings as members of a JSON object, the same in what
 * is dumped and in the interface.
 *
 * Upstream: json. Downstream: event_json, gate (rpc_fund.c).
 */
#ifndef DOJIMA_WIRE_EVENT_JSON_DEFAULT_H
#define DOJIMA_WIRE_EVENT_JSON_DEFAULT_H

#include "msg/event.h"
#include "wire/json.h"

void fund_settings_write(struct json_writer *w, const struct command_fund_set *s);

#endif
