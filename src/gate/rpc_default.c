/* rpc_default.c: a member's default (CLEAR-10): declaration, hedging, auction, allocation, closing.
 * The fund: rpc_fund.c. */
#include "gate/rpc_default.h"

#include <string.h>

static const char *const status_names[DEFAULT_STATUS_count] = {"readmitted", "open", "closed"};
static const char *const tier_names[TIER_count] = {"senior", "middle", "junior"};
static const char *const portfolio_names[PORTFOLIO_status_count] = {
    "none", "open", "awarded", "partly_awarded", "unsold", "too_few_bidders"};

/* ---- how they are written ---- */

static void portfolio_write_fields(struct rpc_call *c, const struct event_portfolio *a)
{
    json_key_int(c->out, "auction", (int64_t)a->auction);
    json_key_string(c->out, "member", directory_name(c->names, DIRECTORY_member, a->member));
    json_key_string(c->out, "state", portfolio_names[a->status % PORTFOLIO_status_count]);
    json_key_int(c->out, "portions", a->portions);
    json_key_ms(c->out, "deadline", a->deadline);
    json_key_int(c->out, "bidders_min", a->bidders_min);
    json_key_bool(c->out, "clients", (a->flags & PORTFOLIO_FLAG_CLIENTS) != 0);
    if (a->flags & PORTFOLIO_FLAG_HAS_RESERVE) {
        json_key_fixed(c->out, "reserve", a->reserve.v, 6);
    }
    if (a->status == PORTFOLIO_open) return;
    json_key_int(c->out, "bidders", a->bidders);
    json_key_int(c->out, "awarded", a->awarded);
    json_key_fixed(c->out, "paid", a->paid.v, 6);
    if (a->worst.v == INT64_MIN) json_key_null(c->out, "worst_price");
    else json_key_fixed(c->out, "worst_price", a->worst.v, 6);
}

static void default_write(struct rpc_call *c, const struct event_default *d)
{
    json_key_string(c->out, "member", directory_name(c->names, DIRECTORY_member, d->member));
    json_key_string(c->out, "state", status_names[d->status % DEFAULT_STATUS_count]);
    json_key_int(c->out, "number", d->number);
    json_key_string(c->out, "estate", directory_name(c->names, DIRECTORY_account, d->account));
    json_key_ms(c->out, "declared", d->declared);
    json_key_string(c->out, "reason", d->reason);
    json_key_string(c->out, "layer", default_layer_words[d->layer % LAYER_count]);
    json_key_bool(c->out, "assessment_running", d->waiting != 0);
    json_key_fixed(c->out, "margin", d->margin.v, 6);
    json_key_fixed(c->out, "deficit", d->deficit.v > 0 ? d->deficit.v : 0, 6);
    json_key_fixed(c->out, "surplus", d->deficit.v < 0 ? -d->deficit.v : 0, 6);
    json_key_fixed(c->out, "paid_by_others", d->paid.v, 6);
    json_key_fixed(c->out, "recovered", d->recovered.v, 6);
}

static void layer_write(struct rpc_call *c, const struct event_default_layer *l)
{
    json_open_object(c->out);
    json_key_string(c->out, "layer", default_layer_words[l->layer % LAYER_count]);
    if (l->layer == LAYER_survivors) {
        json_key_string(c->out, "tier", tier_names[l->tier % TIER_count]);
    }
    json_key_int(c->out, "payers", l->payers);
    json_key_fixed(c->out, "amount", l->amount.v, 6);
    json_key_fixed(c->out, "deficit", l->deficit.v > 0 ? l->deficit.v : 0, 6);
    json_close_object(c->out);
}

/* The default after a command, and each layer that it used or paid back. */
static int default_answer(struct rpc_call *c, const struct outbox *events, uint32_t member)
{
    const struct event_default *found = NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_default *d = (const struct event_default *)(const void *)h;
        if (h->kind == EVENT_default && d->member == member) found = d;
    }
    if (found == NULL) return REJECT_not_in_default;
    json_open_object(c->out);
    default_write(c, found);
    json_key(c->out, "layers");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_default_layer *l = (const struct event_default_layer *)(const void *)h;
        if (h->kind == EVENT_default_layer && l->member == member) layer_write(c, l);
    }
    json_close_array(c->out);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- methods ---- */

int rpc_declare_default(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t member;
    int reason = member_of(c, "member", &member);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_default_declare,
                                        sizeof cmd->header + sizeof cmd->default_declare);
    struct command_default_declare *d = &cmd->default_declare;
    d->member = member;
    if (param_text(c, c->params, "reason", d->reason, sizeof d->reason) == 0) {
        memcpy(d->reason, "declared by an officer", sizeof "declared by an officer");
    }
    reason = command_submit(c, &events);
    return reason != REJECT_none ? reason : default_answer(c, events, member);
}

/* To readmit takes two officers. */
static int step(struct rpc_call *c, enum default_action action)
{
    const struct outbox *events;
    uint32_t member;
    int reason = member_of(c, "member", &member);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_default_step,
                                        sizeof cmd->header + sizeof cmd->default_step);
    cmd->default_step.member = member;
    cmd->default_step.action = (uint32_t)action;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    return request_answer(c, events) ? REJECT_none : default_answer(c, events, member);
}

int rpc_default_allocate(struct rpc_call *c) { return step(c, DEFAULT_allocate); }
int rpc_default_tear_up(struct rpc_call *c) { return step(c, DEFAULT_tear_up); }
int rpc_default_close(struct rpc_call *c) { return step(c, DEFAULT_close); }
int rpc_default_write_off(struct rpc_call *c) { return step(c, DEFAULT_write_off); }
int rpc_default_readmit(struct rpc_call *c) { return step(c, DEFAULT_readmit); }

int rpc_close_out(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t account;
    int reason = account_named(c, "account", &account);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_close_out,
                                        sizeof cmd->header + sizeof cmd->close_out);
    char *text = cmd->close_out.reason;
    cmd->header.account = account;
    (void)param_text(c, c->params, "reason", text, sizeof cmd->close_out.reason);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_close_out *e = event_find(events, EVENT_close_out);
    if (e == NULL) return REJECT_invalid_state;
    json_open_object(c->out);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, e->account));
    json_key_string(c->out, "member", directory_name(c->names, DIRECTORY_member, e->member));
    json_key_string(c->out, "state", e->over ? "closed_out" : "closing_out");
    json_key_fixed(c->out, "cash", e->cash.v, 6);
    json_key_string(c->out, "reason", e->reason);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_default_recover(struct rpc_call *c)
{
    const struct outbox *events;
    int reason = fund_move_submit(c, FUND_recover, 0, &events);
    if (reason != REJECT_none) return reason;
    if (request_answer(c, events)) return REJECT_none;
    return default_answer(c, events, c->command->fund_move.member);
}

int rpc_default_hedge(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t member, instrument;
    int64_t lots;
    int reason = member_of(c, "member", &member);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &instrument);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_default_hedge,
                                        sizeof cmd->header + sizeof cmd->default_hedge);
    struct command_default_hedge *h = &cmd->default_hedge;
    h->member = member;
    h->instrument = instrument;
    h->side = (uint32_t)param_enum(c, c->params, "direction", rpc_side_names, SIDE_buy);
    h->tif = (uint32_t)param_enum(c, c->params, "time_in_force", tif_words, TIF_good_til_cancelled);
    if (param_decimal(c, c->params, "amount", 0, &lots) != DECIMAL_exact) {
        return REJECT_invalid_amount;
    }
    if (param_decimal(c, c->params, "price", 6, &h->price.v) != DECIMAL_exact) {
        return REJECT_off_tick;
    }
    h->qty = QTY(lots);
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_order *own = NULL;
    for (const struct event_header *e = outbox_next(events, NULL); e != NULL;
         e = outbox_next(events, e)) {
        const struct event_order *o = (const struct event_order *)(const void *)e;
        bool hedge = e->kind == EVENT_order && (o->flags & ORDER_FLAG_LIQUIDATION) != 0;
        if (hedge && (own == NULL || o->order_id >= own->order_id)) own = o;
    }
    if (own == NULL) return REJECT_unknown_order;
    json_open_object(c->out);
    json_key(c->out, "order");
    rpc_write_order(c->out, c->names, own, NULL);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- the auction ---- */

int rpc_auction_open(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t member;
    int reason = member_of(c, "member", &member);
    if (reason != REJECT_none) return reason;
    int64_t portions = param_int(c, c->params, "portions", 1);
    int64_t bidders = param_int(c, c->params, "bidders_min", 0);
    if (portions > AUCTION_PORTIONS_MAX) return malformed(c, "portions");
    if (bidders > UINT16_MAX) return malformed(c, "bidders_min");
    struct command *cmd = command_begin(c, COMMAND_portfolio_open,
                                        sizeof cmd->header + sizeof cmd->portfolio_open);
    struct command_portfolio_open *o = &cmd->portfolio_open;
    o->member = member;
    o->portions = (uint32_t)portions;
    o->bidders_min = (uint32_t)bidders;
    reason = param_time(c, c->params, "deadline", &o->deadline);
    if (reason != REJECT_none) return reason;
    if (param_bool(c, c->params, "clients", false)) o->flags |= PORTFOLIO_FLAG_CLIENTS;
    if (param_find(c, c->params, "reserve") != 0) {
        o->flags |= PORTFOLIO_FLAG_HAS_RESERVE;
        if (param_decimal(c, c->params, "reserve", 6, &o->reserve.v) != DECIMAL_exact) {
            return REJECT_invalid_price;
        }
    }
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_portfolio *a = event_find(events, EVENT_portfolio);
    if (a == NULL) return REJECT_unknown_auction;
    json_open_object(c->out);
    portfolio_write_fields(c, a);
    json_close_object(c->out);
    return REJECT_none;
}

static void bid_write(struct rpc_call *c, const struct event_portfolio_bid *b)
{
    json_open_object(c->out);
    json_key_int(c->out, "auction", (int64_t)b->auction);
    json_key_int(c->out, "bid", (int64_t)b->bid);
    json_key_int(c->out, "portions", b->portions);
    json_key_fixed(c->out, "price", b->price.v, 6);
    json_close_object(c->out);
}

int rpc_auction_bid(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t account;
    int reason = account_acting(c, &account);
    if (reason != REJECT_none) return reason;
    int64_t portions = param_int(c, c->params, "portions", 1);
    if (portions > AUCTION_PORTIONS_MAX) return malformed(c, "portions");
    struct command *cmd = command_begin(c, COMMAND_portfolio_bid,
                                        sizeof cmd->header + sizeof cmd->portfolio_bid);
    struct command_portfolio_bid *b = &cmd->portfolio_bid;
    cmd->header.account = account;
    b->auction = (uint64_t)param_int(c, c->params, "auction", 0);
    b->portions = (uint32_t)portions;
    bool priced = param_decimal(c, c->params, "price", 6, &b->price.v) == DECIMAL_exact;
    if (!priced && portions > 0) return REJECT_invalid_price;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_portfolio_bid *own = NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_portfolio_bid *e = (const struct event_portfolio_bid *)(const void *)h;
        if (h->kind == EVENT_portfolio_bid && e->account == account) own = e;
    }
    if (own == NULL) return REJECT_unknown_auction;
    bid_write(c, own);
    return REJECT_none;
}

static void positions_write(struct rpc_call *c, uint32_t estate)
{
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_positions, .account = estate, .now = c->now});
    json_key(c->out, "positions");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_position *p = (const struct event_position *)(const void *)h;
        if (h->kind != EVENT_position) continue;
        json_open_object(c->out);
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, p->instrument));
        json_key_int(c->out, "size", p->qty.v);
        json_key_price(c->out, "settlement_price", p->mark);
        json_close_object(c->out);
    }
    json_close_array(c->out);
}

static void own_bids_write(struct rpc_call *c, uint64_t auction)
{
    json_key(c->out, "bids");
    json_open_array(c->out);
    if (c->caller->account != 0) {
        const struct outbox *events =
            query_ask(c, &(struct query){.kind = QUERY_portfolio_bids, .order_id = auction,
                                         .account = c->caller->account, .now = c->now});
        for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
             h = outbox_next(events, h)) {
            if (h->kind == EVENT_portfolio_bid)
                bid_write(c, (const struct event_portfolio_bid *)(const void *)h);
        }
    }
    json_close_array(c->out);
}

/* The nth default and its latest auction, copied: a further question reuses the events. */
static bool default_at(struct rpc_call *c, uint32_t nth, struct event_default *d,
                       struct event_portfolio *a)
{
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_fund, .now = c->now});
    bool found = false;
    memset(a, 0, sizeof *a);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_default) {
            if (found) return true;
            if (nth-- != 0) continue;
            memcpy(d, h, sizeof *d);
            found = true;
        } else if (found && h->kind == EVENT_portfolio) {
            memcpy(a, h, sizeof *a);
        }
    }
    return found;
}

int rpc_get_auctions(struct rpc_call *c)
{
    struct event_default d;
    struct event_portfolio a;
    json_open_array(c->out);
    for (uint32_t i = 0; default_at(c, i, &d, &a); i++) {
        if (a.status != PORTFOLIO_open) continue;
        json_open_object(c->out);
        portfolio_write_fields(c, &a);
        positions_write(c, d.account);
        own_bids_write(c, a.auction);
        json_close_object(c->out);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_get_defaults(struct rpc_call *c)
{
    struct event_default d;
    struct event_portfolio a;
    json_open_array(c->out);
    for (uint32_t i = 0; default_at(c, i, &d, &a); i++) {
        json_open_object(c->out);
        default_write(c, &d);
        json_key(c->out, "auction");
        if (a.auction == 0) {
            json_null(c->out);
        } else {
            json_open_object(c->out);
            portfolio_write_fields(c, &a);
            json_close_object(c->out);
        }
        positions_write(c, d.account);
        json_close_object(c->out);
    }
    json_close_array(c->out);
    return REJECT_none;
}
