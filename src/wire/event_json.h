/* event_json.h: any event as one JSON object, for people, dumps and `dojima script --events`.
 *
 * Upstream: msg. Downstream: cli (script, replay).
 */
#ifndef DOJIMA_WIRE_EVENT_JSON_H
#define DOJIMA_WIRE_EVENT_JSON_H

#include "msg/event.h"
#include "msg/reject.h"
#include "wire/json.h"

/* Names behind ids; any may be NULL, and may return "" for what it does not know: then the number
 * stands. */
struct event_names {
    void *context;
    const char *(*account)(void *context, uint32_t id);
    const char *(*member)(void *context, uint32_t id);
    const char *(*product)(void *context, uint32_t id);
    const char *(*instrument)(void *context, uint32_t id);
    const char *(*asset)(void *context, uint32_t id);
    const char *(*index)(void *context, uint32_t id); /* of prices: CLEAR-03, INDEX-02 */
};

/* Writes {"event":kind,"seq":...,"index":...,"time":RFC 3339,...}; names may be NULL. */
void event_json_write(struct json_writer *w, const struct event_header *event,
                      const struct event_names *names);

#endif
