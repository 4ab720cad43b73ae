/* event_json_default.h: a part of event_json.c. */
#ifndef DOJIMA_WIRE_EVENT_JSON_DEFAULT_H
#define DOJIMA_WIRE_EVENT_JSON_DEFAULT_H

#include "wire/event_json.h"

#include <stdbool.h>

/* The fields of an event of the fund or of a default; false: it is none. */
bool event_json_default_write(struct json_writer *w, const struct event_header *event,
                              const struct event_names *names);

#endif
