/* guard.h: protections that an operator cannot switch off; GUARD-00 to GUARD-05, MATCH-07's
 * random end. Numbers are a product's own (msg/guard.def); what a product does not name does not
 * exist.
 *
 *   guard.c        where trades may happen: circuit breaker and velocity, from windows of prices
 *   guard_limit.c  daily limits: what orders may name
 *   guard_halt.c   interruptions: halt, auction, trading again; what the clock brings
 *   guard_set.c    the terms themselves: validity, what loosens, two officers
 *
 * Invariants, asserted by guard_check: (1) a window's low and high are those of the slots that
 * count; (2) while a product has limits, no buy rests above the upper, no sell below the lower;
 * (3) a product or instrument is interrupted exactly while its phase says so; (4) guard_due is the
 * earliest `until`; (5) limits widen only by the product's steps, and return with the date.
 */
#ifndef DOJIMA_CORE_GUARD_H
#define DOJIMA_CORE_GUARD_H

#include "msg/event.h"
#include "msg/query.h"
#include "msg/reject.h"

struct core;
struct entry;

enum { GUARD_SLOTS = 60, HALTS_KEPT = 256, DAILY_STEPS = 3 };

/* The prices traded in a slot of time. low > high: none. */
struct guard_slot {
    px_t low;
    px_t high;
};

/* A price counts from its trade for the whole window, and to the end of that slot. */
struct guard_window {
    int64_t slot; /* the newest, counted from 1970 */
    struct guard_slot all;
    struct guard_slot slots[GUARD_SLOTS + 1]; /* by slot % (GUARD_SLOTS + 1) */
};

/* By instrument; of no meaning while its product has no such guards. */
struct guard {
    struct guard_slot trades; /* GUARD-02, GUARD-03: trades happen from low to high */
    struct guard_slot limits; /* GUARD-04: orders name prices from low to high */
    ts_t due;                 /* when `trades` may have changed by time alone */
    price_t base;             /* the previous settlement; PRICE_NONE: none yet */
    int64_t variant;          /* GUARD-02 in ticks; 0: none */
    ts_t until;               /* of an interruption of this instrument alone */
    uint64_t halt;
    uint32_t phase;           /* enum guard_phase */
    uint32_t reserved;
    struct guard_window breaker;
    struct guard_window velocity;
};
ASSERT_SIZE(struct guard, 16 * 2 + 48 + 2 * (24 + 16 * (GUARD_SLOTS + 1)));

/* An interruption of a whole product; in struct product. */
struct guard_interruption {
    ts_t until;
    ts_t not_before; /* trading before this shortens an interruption */
    uint64_t halt;   /* the id of its event; 0: none */
    uint32_t phase; /* enum guard_phase */
    uint32_t step;  /* GUARD-04: how often the limits were reached today */
};

/* ---- guard.c ---- */
/* GUARD-00: the larger of the share and the product's least number of ticks; in 10^-6 USD. */
int64_t guard_width(const struct command_product_create *terms, int64_t share_e6, price_t of);
/* GUARD-01: the band's width around this reference; -1: there is none. */
int64_t guard_band(const struct command_product_create *terms, price_t reference);
bool guard_slot_holds(const struct guard_slot *s, px_t px);
void guard_open(struct core *c, uint32_t instrument);   /* a new instrument */
void guard_forget(struct core *c, uint32_t instrument); /* prices from before an interruption */
void guard_roll(struct core *c, uint32_t instrument);   /* due has passed */
void guard_print(struct core *c, uint32_t instrument, px_t px);
/* How far an aggressor whose first fill is at `first` can come at most. */
px_t guard_reach(const struct core *c, uint32_t instrument, enum side side, px_t first);
void guard_refresh(struct core *c, uint32_t instrument); /* after its numbers changed */
/* An order would trade at px, beyond the guards: interrupts instead. */
void guard_breach(struct core *c, uint32_t instrument, px_t px);
void guard_check(const struct core *c);

/* ---- guard_limit.c: GUARD-04 ---- */
void price_limit_base(struct core *c, uint32_t instrument);  /* after a settlement price */
void price_limit_day(struct core *c);                        /* a new UTC date */
void price_limit_refresh(struct core *c, uint32_t instrument);
/* Whether the entry's prices lie inside; *limit as in event_reject. */
enum reject price_limit_admit(const struct core *c, const struct entry *e, int64_t *limit);
px_t price_limit_clip(const struct core *c, uint32_t instrument, enum side side, px_t px);
/* The lead month traded or is bid or offered at its limit: a halt, or the end of the day. */
void price_limit_touch(struct core *c, uint32_t instrument);
/* The second leg's price, so that both legs are inside their limits (MATCH-06). */
price_t price_limit_leg(const struct core *c, uint32_t spread, price_t second, price_t price);

/* ---- guard_halt.c ---- */
struct halt_cause {
    uint32_t rule;       /* enum guard_rule */
    uint32_t instrument; /* that did it; 0: an officer */
    price_t price;       /* that would have traded, or was reached */
    price_t limit;
    const char *reason;
};
/* The month that halts its product's group: the first base month still traded, else the first
 * outright. */
uint32_t guard_lead(const struct core *c, uint32_t product);
/* Interrupts the open products of this one's group, itself included. */
void halt_group(struct core *c, uint32_t product, enum guard_phase phase, int64_t length,
                const struct halt_cause *cause);
void halt_instrument(struct core *c, uint32_t instrument, int64_t length,
                     const struct halt_cause *cause);
void halt_close(struct core *c, uint32_t product, const struct halt_cause *cause);
/* How long a circuit breaker halts now. */
int64_t halt_length(const struct core *c, uint32_t product);
/* An officer's change of state: begins or ends an interruption. */
void halt_by_officer(struct core *c, uint32_t product, enum trading_state after,
                     const char *reason);
/* Whether that change would shorten an interruption. */
bool halt_shortened(const struct core *c, uint32_t product, enum trading_state after);
void halt_run(struct core *c); /* guard_due has come */
void query_halts(const struct core *c, const struct query *q, struct outbox *out);

/* ---- guard_set.c: GUARD-05 ---- */
bool guard_terms_valid(const struct command_product_create *p);
void product_guard_flag(struct command_product_create *p); /* PRODUCT_FLAG_GUARDED as it is */
void guards_set(struct core *c, const struct command *cmd);

#endif
