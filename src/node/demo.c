/* demo.c: the demonstration's clock: opens trading, spreads the participants' acts over time,
 * settles and holds auctions. */
#include "node/demo_internal.h"

#include <stdio.h>
#include <string.h>

#define REFRESH_NS (2 * NS_PER_SECOND)
#define PRE_OPEN_NS (NS_PER_SECOND * 3 / 2)
#define AUCTION_EVERY_NS (240 * NS_PER_SECOND)
#define AUCTION_NS (65 * NS_PER_SECOND) /* by then the venue has ended it itself (MATCH-07) */
#define SETTLE_EVERY_NS (600 * NS_PER_SECOND)
#define SETTLED_A_TICK 8
#define ORDERS_AT_START 500

void demo_command(struct command *c, enum command_kind kind, uint32_t account)
{
    memset(c, 0, sizeof *c);
    c->header.kind = (uint16_t)kind;
    c->header.size = command_size_full(kind);
    c->header.account = account;
}

int demo_submit(struct demo *d, struct command *c, const struct outbox **events)
{
    int rc = d->venue->submit(d->venue->context, c, events);
    if (rc < 0) return rc;
    d->counts.commands += 1;
    const struct event_header *e = NULL;
    while ((e = outbox_next(*events, e)) != NULL) {
        if (e->kind == EVENT_reject) d->counts.rejects += 1;
        if (e->kind == EVENT_trade) d->counts.trades += 1;
    }
    return 0;
}

static int set_state(struct demo *d, uint32_t product, enum trading_state state, const char *why)
{
    struct command c;
    demo_command(&c, COMMAND_state_set, 0);
    c.header.principal = DEMO_OFFICER_FIRST;
    c.state_set.product = product;
    c.state_set.state = state;
    snprintf(c.state_set.reason, sizeof c.state_set.reason, "%s", why);
    const struct outbox *events = NULL;
    int rc = demo_submit(d, &c, &events);
    if (rc == 0) d->products[product].state = state;
    return rc;
}

static int set_states(struct demo *d, enum trading_state from, enum trading_state to)
{
    int rc = 0;
    for (uint32_t p = 1; rc == 0 && p < DEMO_PRODUCTS_MAX; p++) {
        if (d->products[p].id != 0 && d->products[p].state == from)
            rc = set_state(d, p, to, "demonstration");
    }
    return rc;
}

/* A settlement at the last price, or at the fair value of what has not traded yet. */
static int settle(struct demo *d, struct demo_instrument *i, ts_t now)
{
    if (i->legs[0] != 0) return 0; /* positions are held in legs only */
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_ticker, .instrument = i->id, .now = now};
    d->venue->query(d->venue->context, &q, &events);
    const struct event_ticker *t = (const struct event_ticker *)(const void *)
                                   outbox_next(events, NULL);
    if (t == NULL || t->header.kind != EVENT_ticker) return 0;
    price_t price = t->last;
    if (price_is_none(price)) price = PRICE(demo_fair(d, i) / i->tick.v * i->tick.v);
    if (!i->settled && !price_is_none(t->settlement)) {
        i->settled = true; /* of an earlier run */
        return 0;
    }
    struct command c;
    demo_command(&c, COMMAND_settlement_price, 0);
    c.header.principal = DEMO_OFFICER_FIRST;
    c.settlement_price.instrument = i->id;
    c.settlement_price.price = price;
    i->settled = true;
    return demo_submit(d, &c, &events);
}

static int settle_some(struct demo *d, ts_t now)
{
    if (d->settle_next == 0) {
        if (now.v < d->settle_at.v) return 0;
        d->settle_at = TS(now.v + SETTLE_EVERY_NS);
        d->settle_next = 1;
    }
    int rc = 0;
    for (int n = 0; rc == 0 && n < SETTLED_A_TICK && d->settle_next <= d->instrument_count; n++)
        rc = settle(d, &d->instruments[d->settle_next++ - 1], now);
    if (rc < 0 || d->settle_next <= d->instrument_count) return rc;
    d->settle_next = 0;
    struct command c;
    demo_command(&c, COMMAND_mark_to_market, 0);
    c.header.principal = DEMO_OFFICER_FIRST;
    const struct outbox *events = NULL;
    return demo_submit(d, &c, &events);
}

/* One open product, but the first, is put up for auction every few minutes. */
static int hold_auction(struct demo *d, ts_t now)
{
    if (now.v < d->auction_at.v) return 0;
    uint32_t product = d->auction_product;
    if (product != 0) {
        d->auction_product = 0;
        d->auction_at = TS(now.v + AUCTION_EVERY_NS);
        if (d->products[product].state != STATE_auction) return 0; /* an officer was there first */
        return set_state(d, product, STATE_open, "demonstration: end of the auction");
    }
    d->auction_at = TS(now.v + AUCTION_NS);
    uint32_t open[DEMO_PRODUCTS_MAX];
    uint32_t count = 0;
    for (uint32_t p = 2; p < DEMO_PRODUCTS_MAX; p++) {
        if (d->products[p].id != 0 && d->products[p].state == STATE_open) open[count++] = p;
    }
    if (count == 0) return 0;
    d->auction_product = open[random_below(&d->random, count)];
    return set_state(d, d->auction_product, STATE_auction, "demonstration: auction");
}

static int cancel_all(struct demo *d)
{
    int rc = 0;
    for (uint32_t n = 0; rc == 0 && n < DEMO_PARTICIPANTS; n++) {
        struct command c;
        demo_command(&c, COMMAND_cancel_many, d->accounts[n]);
        const struct outbox *events = NULL;
        if (d->accounts[n] != 0) rc = demo_submit(d, &c, &events);
    }
    for (uint32_t n = 0; n < DEMO_FUNDS; n++) d->funds[n].count = 0;
    return rc;
}

int demo_start(struct demo *d, const struct venue *venue, uint64_t seed, uint32_t rate)
{
    memset(d, 0, sizeof *d);
    d->venue = venue;
    d->random.state = seed;
    d->rate = rate == 0 ? DEMO_RATE_DEFAULT : rate;
    if (d->rate > DEMO_RATE_MAX) d->rate = DEMO_RATE_MAX;
    ts_t now = venue->now(venue->context);
    d->last = now;
    d->stepped = now;
    d->settle_at = now;
    d->open_at = TS(now.v + PRE_OPEN_NS);
    d->auction_at = TS(now.v + AUCTION_EVERY_NS);
    int rc = demo_seed(d, now);
    if (rc == 0) rc = cancel_all(d);
    if (rc == 0) rc = set_states(d, STATE_auction, STATE_open); /* left by a run that was cut off */
    if (rc == 0) rc = set_states(d, STATE_closed, STATE_pre_open);
    if (rc == 0) rc = demo_refresh(d);
    if (rc == 0) demo_resume_values(d);
    if (rc == 0) rc = demo_quote_all(d);
    return rc == 0 ? demo_leave_orders(d, ORDERS_AT_START) : rc;
}

/* What time brings, before anyone acts. */
static int keep_hours(struct demo *d, ts_t now)
{
    int rc = 0;
    if (now.v - d->refreshed.v >= REFRESH_NS) rc = demo_refresh(d);
    if (rc == 0 && d->open_at.v != 0 && now.v >= d->open_at.v) {
        rc = set_states(d, STATE_pre_open, STATE_open);
        if (rc == 0) d->open_at = TS(0);
    }
    if (rc == 0) rc = hold_auction(d, now);
    if (rc == 0) rc = demo_index_submit(d, now);
    return rc == 0 ? settle_some(d, now) : rc;
}

int demo_tick(struct demo *d, ts_t now)
{
    demo_step_values(d, now);
    int rc = keep_hours(d, now);
    int64_t ms = (now.v - d->last.v) / NS_PER_MS;
    if (ms > DEMO_BURST_MS) {
        ms = DEMO_BURST_MS;
        d->last = now;
    } else {
        d->last.v += ms * NS_PER_MS;
    }
    /* In each millisecond someone acts or not: a Poisson stream, as near as it matters. */
    for (int64_t n = 0; rc == 0 && n < ms; n++) {
        if (random_below(&d->random, 1000) < d->rate) rc = demo_act(d);
    }
    return rc;
}

void demo_stop(struct demo *d)
{
    (void)cancel_all(d);
}
