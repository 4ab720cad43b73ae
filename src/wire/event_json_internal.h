/* event_json_internal.h: what the files of event_json share. Flow: event_json.c (every event's
 * head) -> a file for each area that has many events. */
#ifndef DOJIMA_WIRE_EVENT_JSON_INTERNAL_H
#define DOJIMA_WIRE_EVENT_JSON_INTERNAL_H

#include "wire/event_json.h"

#include <stdbool.h>

/* A name where there is one, else the number; nothing at all of id 0. */
void event_json_id(struct json_writer *w, const char *key, uint32_t id,
                   const struct event_names *names,
                   const char *(*name)(void *context, uint32_t id));
#define ID_AS(key, kind, value) \
    event_json_id(w, key, value, names, names == NULL ? NULL : names->kind)
#define ID(kind, value) ID_AS(#kind, kind, value)

/* The members of an area's events, behind their head; false: the event is of another area. */
bool event_json_default(struct json_writer *w, const struct event_header *event,
                        const struct event_names *names);
bool event_json_settlement(struct json_writer *w, const struct event_header *event,
                           const struct event_names *names);
bool event_json_compute(struct json_writer *w, const struct event_header *event,
                        const struct event_names *names);
bool event_json_spot(struct json_writer *w, const struct event_header *event,
                     const struct event_names *names);
bool event_json_delivery(struct json_writer *w, const struct event_header *event,
                         const struct event_names *names);

#endif
