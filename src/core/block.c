/* block.c: see block.h. */
#include "core/block.h"

#include "core/call.h"
#include "core/offbook.h"

#include <string.h>

enum {
    DEALS_PER_REQUEST = 16, /* capacity, by the venue's limits */
    DEALS_SHARE = 16,       /* an account may have a sixteenth of it waiting */
};

void deals_cut(struct core *c, struct arena *a)
{
    c->deal.count = c->limits.requests * DEALS_PER_REQUEST;
    c->deal.s = arena_cut(a, 1, sizeof *c->deal.s);
    c->deal.deals = arena_cut(a, c->deal.count, sizeof *c->deal.deals);
}

void deals_start(struct core *c) { c->deal.s->due = TS(INT64_MAX); }

/* ---- the pool ---- */

static struct deal *deal_find(struct core *c, uint64_t id)
{
    struct deal *d = &c->deal.deals[id % c->deal.count];
    return id != 0 && d->id == id ? d : NULL;
}

/* The next id whose place is free; 0: no room. */
static uint64_t deal_next(const struct core *c, uint32_t account)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < c->deal.count; i++) {
        const struct deal *d = &c->deal.deals[i];
        if (d->id != 0 && d->account == account) waiting += 1;
    }
    if (waiting >= c->deal.count / DEALS_SHARE) return 0;
    for (uint64_t id = c->deal.s->last_id + 1; id <= c->deal.s->last_id + c->deal.count; id++) {
        if (c->deal.deals[id % c->deal.count].id == 0) return id;
    }
    return 0;
}

static void event_block_push(struct outbox *out, const struct deal *d)
{
    struct event_block *e = outbox_push(out, EVENT_block, sizeof *e);
    e->deal = *d;
}

/* The proposal is over: said, and its place is free. */
static void deal_end(struct core *c, struct deal *d, enum deal_state state, uint64_t trade_id)
{
    ts_t deadline = d->deadline;
    d->state = (uint8_t)state;
    d->trade_id = trade_id;
    event_block_push(c->out, d);
    *d = (struct deal){0};
    if (deadline.v != c->deal.s->due.v) return;
    ts_t due = TS(INT64_MAX);
    for (uint32_t i = 0; i < c->deal.count; i++) {
        const struct deal *other = &c->deal.deals[i];
        if (other->id != 0 && other->deadline.v < due.v) due = other->deadline;
    }
    c->deal.s->due = due;
}

/* ---- checks ---- */

static enum reject state_check(const struct core *c, uint32_t instrument)
{
    if (state_of(c, instrument) == STATE_closed) return REJECT_instrument_closed;
    if (state_of(c, instrument) == STATE_halted) return REJECT_instrument_halted;
    return instrument_is_past(c, instrument) ? REJECT_instrument_expired : REJECT_none;
}

/* A fair price: within the day's range of prices, as wide again as the product says on each side;
 * before there was a trade, about the settlement price. */
static bool price_is_fair(const struct core *c, const struct command_block_propose *p,
                          int64_t *detail)
{
    const struct instrument *in = &c->instruments[p->instrument];
    int64_t range = product_of(c, p->instrument)->terms.offbook.block_range.v;
    price_t low = in->day == c->s->day ? in->low : PRICE_NONE;
    price_t high = in->day == c->s->day ? in->high : PRICE_NONE;
    price_t about = price_is_none(in->settlement) ? in->last : in->settlement;
    if (price_is_none(low)) low = high = about;
    if (price_is_none(low)) return true; /* nothing to compare with */
    if (p->price.v > high.v + range) *detail = high.v + range;
    else if (p->price.v < low.v - range) *detail = low.v - range;
    else return true;
    return false;
}

/* GUARD-04: what is agreed outside the book keeps the day's limits, as they are now. */
static enum reject limits_check_price(const struct core *c, uint32_t instrument, price_t price,
                                      int64_t *detail)
{
    int64_t tick = c->instruments[instrument].tick.v;
    struct entry e = {.instrument = instrument, .type = ORDER_TYPE_limit, .trigger = PX_NONE,
                      .px = PX(price.v / tick)};
    return price_limit_admit(c, &e, detail);
}

static enum reject terms_check(const struct core *c, const struct command *cmd, int64_t *detail)
{
    const struct command_block_propose *p = &cmd->block_propose;
    if (!account_is_customer(c, cmd->header.account) || !account_is_customer(c, p->counterparty))
        return REJECT_unknown_account;
    if (p->instrument == NIL || p->instrument > c->s->instruments)
        return REJECT_unknown_instrument;
    if (p->counterparty == cmd->header.account) return REJECT_malformed_request;
    if (p->kind != DEAL_block && p->reference[0] == 0) return REJECT_malformed_request;
    const struct command_product_create *t = &product_of(c, p->instrument)->terms;
    bool offered = t->offbook.window_ns != 0 &&
                   (p->kind != DEAL_block || t->offbook.block_minimum.v != 0);
    if (!offered) return REJECT_not_offered;
    enum reject reason = state_check(c, p->instrument);
    if (reason != REJECT_none) return reason;
    int64_t least = p->kind == DEAL_block ? t->offbook.block_minimum.v : 1;
    if ((p->inexact & 1) != 0 || p->qty.v < least || p->qty.v > QTY_MAX) {
        *detail = least;
        return REJECT_invalid_amount;
    }
    bool floor = (t->flags & PRODUCT_FLAG_HAS_FLOOR) != 0 && !is_spread(c, p->instrument);
    if (!price_fits(p->price)) return REJECT_invalid_price;
    if (floor && p->price.v < t->floor.v) return REJECT_invalid_price;
    if ((p->inexact & 2) != 0 || p->price.v % t->tick.v != 0) return REJECT_off_tick;
    bool late = p->executed_at.v > c->s->ts.v ||
                p->executed_at.v < c->s->ts.v - t->offbook.window_ns;
    if (late) return REJECT_late_registration;
    if (!price_is_fair(c, p, detail)) return REJECT_price_out_of_band;
    return limits_check_price(c, p->instrument, p->price, detail);
}

static struct offbook trade_of(const struct deal *d)
{
    bool buys = d->side == SIDE_buy;
    return (struct offbook){.from = buys ? d->counterparty : d->account,
                            .to = buys ? d->account : d->counterparty,
                            .instrument = d->instrument, .lots = d->qty, .price = d->price,
                            .kind = d->kind == DEAL_block ? TRADE_block : TRADE_efp,
                            .reference = d->id, .leg_b = PRICE_NONE, .margined = true,
                            .fees = true};
}

/* CLEAR-09: an account whose call is not met only reduces; in default it does nothing. */
static enum reject status_check(const struct core *c, const struct deal *d, uint32_t account)
{
    bool proposer = account == d->account;
    struct entry e = {.account = account, .instrument = d->instrument, .qty = d->qty.v,
                      .side = proposer ? d->side : (uint8_t)opposite((enum side)d->side)};
    return call_admits(c, &e, 0, 0);
}

/* ---- commands ---- */

static struct deal deal_of(const struct core *c, const struct command *cmd)
{
    const struct command_block_propose *p = &cmd->block_propose;
    int64_t window = product_of(c, p->instrument)->terms.offbook.window_ns;
    struct deal d = {.instrument = p->instrument, .account = cmd->header.account,
                     .counterparty = p->counterparty, .kind = p->kind, .side = p->side,
                     .state = DEAL_STATE_proposed, .qty = p->qty, .price = p->price,
                     .executed_at = p->executed_at, .deadline = TS(p->executed_at.v + window + 1)};
    memcpy(d.reference, p->reference, sizeof d.reference);
    return d;
}

void block_propose(struct core *c, const struct command *cmd)
{
    int64_t detail = INT64_MIN;
    struct deal d = {0};
    enum reject reason = terms_check(c, cmd, &detail);
    if (reason == REJECT_none) {
        d = deal_of(c, cmd);
        struct offbook t = trade_of(&d);
        reason = status_check(c, &d, cmd->header.account);
        if (reason == REJECT_none) reason = offbook_check_side(c, &t, cmd->header.account, &detail);
    }
    if (reason == REJECT_none && account_is_killed(c, cmd->header.account)) reason = REJECT_killed;
    if (reason == REJECT_none) {
        d.id = deal_next(c, cmd->header.account);
        if (d.id == 0 || d.id > UINT32_MAX) reason = REJECT_capacity_exhausted;
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, detail);
        return;
    }
    c->deal.s->last_id = d.id;
    c->deal.deals[d.id % c->deal.count] = d;
    if (d.deadline.v < c->deal.s->due.v) c->deal.s->due = d.deadline;
    event_block_push(c->out, &d);
}

static enum reject accept(struct core *c, struct deal *d, int64_t *detail)
{
    struct offbook t = trade_of(d);
    enum reject reason = state_check(c, d->instrument);
    if (reason == REJECT_none) reason = limits_check_price(c, d->instrument, d->price, detail);
    if (reason == REJECT_none) reason = status_check(c, d, d->account);
    if (reason == REJECT_none) reason = status_check(c, d, d->counterparty);
    if (reason == REJECT_none) reason = offbook_check(c, &t, detail);
    bool killed = account_is_killed(c, d->account) || account_is_killed(c, d->counterparty);
    if (reason == REJECT_none && killed) reason = REJECT_killed;
    if (reason != REJECT_none) return reason;
    deal_end(c, d, DEAL_STATE_registered, offbook_trade(c, &t));
    return REJECT_none;
}

void block_answer(struct core *c, const struct command *cmd)
{
    const struct command_block_answer *a = &cmd->block_answer;
    uint32_t account = cmd->header.account;
    struct deal *d = deal_find(c, a->block);
    enum reject reason = REJECT_none;
    int64_t detail = INT64_MIN;
    bool proposed = d != NULL && d->account == account;
    if (d == NULL || (d->counterparty != account && !(proposed && a->accept == 0))) {
        reason = REJECT_unknown_block;
    } else if (a->accept != 0) {
        reason = accept(c, d, &detail);
    } else {
        deal_end(c, d, proposed ? DEAL_STATE_withdrawn : DEAL_STATE_declined, 0);
    }
    if (reason != REJECT_none) reject_push(c, cmd, reason, detail);
}

void block_run(struct core *c)
{
    while (c->deal.s->due.v <= c->s->ts.v) {
        for (uint32_t i = 0; i < c->deal.count; i++) {
            struct deal *d = &c->deal.deals[i];
            if (d->id != 0 && d->deadline.v <= c->s->ts.v) {
                deal_end(c, d, DEAL_STATE_expired, 0);
            }
        }
    }
}

void query_blocks(const struct core *c, uint32_t account, struct outbox *out)
{
    for (uint32_t i = 0; i < c->deal.count; i++) {
        const struct deal *d = &c->deal.deals[i];
        if (d->id == 0) continue;
        if (account == NIL || d->account == account || d->counterparty == account)
            event_block_push(out, d);
    }
}

void deals_check(const struct core *c)
{
    ts_t due = TS(INT64_MAX);
    for (uint32_t i = 0; i < c->deal.count; i++) {
        const struct deal *d = &c->deal.deals[i];
        if (d->id == 0) continue;
        ASSERT(d->id % c->deal.count == i && d->id <= c->deal.s->last_id);
        ASSERT(d->state == DEAL_STATE_proposed && d->deadline.v > c->s->ts.v);
        if (d->deadline.v < due.v) due = d->deadline;
    }
    ASSERT(due.v == c->deal.s->due.v);
}
