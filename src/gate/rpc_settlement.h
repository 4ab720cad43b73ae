/* rpc_settlement.h: what rpc_settlement.c and rpc_index.c offer the other files of rpc. */
#ifndef DOJIMA_GATE_RPC_SETTLEMENT_H
#define DOJIMA_GATE_RPC_SETTLEMENT_H

#include "base/time_text.h"
#include "gate/rpc_internal.h"

/* HH:MM or HH:MM:SS of a UTC day, in seconds, of an object; absent leaves *seconds. */
int time_of_day_get(struct rpc_call *c, uint32_t object, const char *name, uint32_t *seconds);
void time_of_day_write(struct json_writer *w, uint32_t seconds);

/* A product's `calendar` (CONTRACT-01; rpc_calendar.c): REJECT_none or why not. */
int calendar_get(struct rpc_call *c, struct command_product_create *p);
void calendar_write(struct json_writer *w, const struct trading_calendar *t);

/* A product's `settlement_rules`: REJECT_none or why not. */
int settlement_rules_get(struct rpc_call *c, struct command_product_create *p);
void settlement_rules_write(struct json_writer *w, const struct directory *d,
                            const struct settlement_rules *r);
/* The venue's `mark_times`. */
int mark_times_get(struct rpc_call *c, struct venue_settings *settings);
void mark_times_write(struct json_writer *w, const struct venue_settings *settings);

extern const char *const rpc_cycle_names[];

/* A record with its sources, which follow it in `events`. */
void rpc_write_settlement(struct json_writer *w, const struct directory *d,
                          const struct outbox *events, const struct event_settlement *s);
/* An hour's price without its inputs: the members of an object. */
void rpc_write_index_price(struct json_writer *w, const struct event_index_price *p);
/* With the events that follow it, which end at `end`. */
void rpc_write_index_hour(struct json_writer *w, const struct directory *names,
                          const struct event_index_price *p, const unsigned char *end);

rpc_function rpc_settle_day, rpc_settlement_price, rpc_get_settlements,
    rpc_get_settlement_history;
rpc_function rpc_index_create, rpc_index_submit, rpc_index_set_price, rpc_get_index,
    rpc_get_index_price;

#endif
