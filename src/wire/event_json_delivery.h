/* event_json_delivery.h: what is said of delivery, as members of an open object: the same in dumps
 * and in answers. Names (instrument, accounts, resource) are the caller's to write.
 *
 * Upstream: json, words. Downstream: event_json, gate.
 */
#ifndef DOJIMA_WIRE_EVENT_JSON_DELIVERY_H
#define DOJIMA_WIRE_EVENT_JSON_DELIVERY_H

#include "wire/json.h"

#include "msg/event.h"

#include <stdbool.h>

void notice_write(struct json_writer *w, const struct event_notice *e);
void allocation_write(struct json_writer *w, const struct event_allocation *e);
/* Where it is delivered, and by which keys receipts are signed: the parties' alone. */
void allocation_parties_write(struct json_writer *w, const struct event_allocation *e);
void delivery_hour_write(struct json_writer *w, const struct event_delivery_hour *e);
void delivery_cash_write(struct json_writer *w, const struct event_delivery_cash *e);
void tender_write(struct json_writer *w, const struct command_tender *t);
void intake_write(struct json_writer *w, const struct command_intake *t);

#endif
