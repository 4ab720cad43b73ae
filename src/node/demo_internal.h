/* demo_internal.h: what the files of the demo share. */
#ifndef DOJIMA_NODE_DEMO_INTERNAL_H
#define DOJIMA_NODE_DEMO_INTERNAL_H

#include "node/demo.h"

enum { /* two officers; no key has these numbers */
    DEMO_OFFICER_FIRST = 0x7ffffff1,
    DEMO_OFFICER_SECOND = 0x7ffffff2,
};

/* Submits `c` (kind, account, principal and body set) and counts what it caused. */
int demo_submit(struct demo *d, struct command *c, const struct outbox **events);

/* A command of this kind and whole size, else zero. */
void demo_command(struct command *c, enum command_kind kind, uint32_t account);

/* demo_seed.c: contracts, accounts, money. */
int demo_seed(struct demo *d, ts_t now);
int demo_refresh(struct demo *d);
int64_t demo_mean(const struct demo_product *p, const struct event_instrument *i, ts_t now);

/* demo_index.c: the reference price that the cash contracts settle at. */
int demo_index_create(struct demo *d);
void demo_index_note(struct demo *d, const struct event_index *e);
int demo_index_submit(struct demo *d, ts_t now); /* once an hour */

/* demo_flow.c: fair values, and one participant's act at a time. */
void demo_step_values(struct demo *d, ts_t now);
void demo_resume_values(struct demo *d);
int64_t demo_fair(const struct demo *d, const struct demo_instrument *i);
struct demo_instrument *demo_find(struct demo *d, uint32_t id);
int demo_act(struct demo *d);
int demo_quote_all(struct demo *d);
int demo_leave_orders(struct demo *d, int count); /* funds act so often */

#endif
