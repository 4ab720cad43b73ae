/* venue.h: a core ready to trade, for benchmarks: members, accounts with money, an open product
 * with a margin check on every order, instruments.
 *
 * All of it is made by commands through core_step, as a running node would. The caller then fills
 * in and applies commands of its own. What is left out against a node: the gateway,
 * command_is_valid, the journal, and the release of events.
 *
 * Upstream: core. Downstream: bench_core.c, challenge/whole_core.c.
 */
#ifndef DOJIMA_BENCH_VENUE_H
#define DOJIMA_BENCH_VENUE_H

#include "core/core.h"

struct venue {
    struct core_limits limits;
    void *memory;
    size_t bytes;
    struct core *core;
    struct outbox out;
    uint64_t seq;
    int64_t ts;               /* virtual: a microsecond a command */
    uint32_t account_first;   /* accounts account_first .. account_first + accounts - 1 */
    uint32_t accounts;
    uint32_t instruments;     /* 1 .. instruments, all of product 1 */
    struct command create;    /* a limit order, good till cancelled: set account and terms */
    struct command cancel;
    struct command edit;
};

struct venue_terms {
    uint32_t accounts;
    uint32_t instruments;
    uint32_t product_flags;   /* PRODUCT_FLAG_ */
    int64_t tick;             /* 10^-6 USD */
    int64_t flat_margin;      /* 10^-6 USD a lot */
    int64_t cash;             /* whole USD an account */
    bool quarters;            /* contracts are quarters from 2030 on, which become months */
    bool span;                /* margined by SPAN, in three tiers with charges between them */
};

/* Limits that fit a benchmark: as core_limits_default, but for what is given; small rings of closed
 * orders, trades and postings. */
struct core_limits venue_limits(uint32_t accounts, uint32_t instruments, uint32_t orders,
                                uint32_t levels);

/* Aborts, saying why, when something is refused. */
void venue_open(struct venue *v, const struct core_limits *limits, const struct venue_terms *terms);
void venue_close(struct venue *v);

/* Stamps and applies a command; its events are in v->out. */
static inline void venue_step(struct venue *v, struct command *c)
{
    c->header.seq = ++v->seq;
    v->ts += 1000;
    c->header.ts = TS(v->ts);
    core_step(v->core, c, &v->out);
}

#endif
