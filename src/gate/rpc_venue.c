/* rpc_venue.c: the venue's settings, and requests that await a second officer (GUARD-05). */
#include "gate/rpc_compute.h"
#include "gate/rpc_default.h"
#include "gate/rpc_limit.h"
#include "gate/rpc_settlement.h"

#include "base/time_text.h"

#include <string.h>

/* ---- what a request asks for ---- */

static void venue_asks(struct rpc_call *c, const struct command_venue_set *v)
{
    if (v->flags & VENUE_HAS_DUAL_TRANSFERS)
        json_key_bool(c->out, "dual_transfers", v->settings.dual_transfers != 0);
    if (v->flags & VENUE_HAS_STALE)
        json_key_int(c->out, "stale_ms", v->settings.stale_ns / NS_PER_MS);
    if (v->flags & VENUE_HAS_MARKS) mark_times_write(c->out, &v->settings);
}

/* The parameters of the request that waits, as its own method takes them. Deposits, withdrawals
 * and transfers are told by the members that every request has. */
static void asks_write(struct rpc_call *c, const struct command *cmd)
{
    switch ((enum command_kind)cmd->header.kind) {
    case COMMAND_venue_set: venue_asks(c, &cmd->venue_set); break;
    case COMMAND_asset_set:
    case COMMAND_asset_issue:
    case COMMAND_collateral_sell:
    case COMMAND_clearing_set: collateral_asks(c, cmd); break;
    case COMMAND_margin_set:
    case COMMAND_margin_inter:
    case COMMAND_margin_flat: margin_asks(c, cmd); break;
    case COMMAND_fund_set:
    case COMMAND_fund_move:
    case COMMAND_default_step: fund_asks(c, cmd); break;
    case COMMAND_guards_set:
        json_key_string(c->out, "product",
                        directory_name(c->names, DIRECTORY_product, cmd->guards_set.product));
        rpc_write_guards_asked(c->out, &cmd->guards_set);
        break;
    case COMMAND_state_set:
        json_key_string(c->out, "product",
                        directory_name(c->names, DIRECTORY_product, cmd->state_set.product));
        json_key_string(c->out, "state", rpc_state_name(cmd->state_set.state));
        break;
    case COMMAND_transfer:
        json_key_string(c->out, "destination",
                        directory_name(c->names, DIRECTORY_account, cmd->transfer.to));
        break;
    case COMMAND_certification_set:
    case COMMAND_accredit:
    case COMMAND_certificate_end: certificate_asks(c, cmd); break;
    case COMMAND_trade_bust: bust_asks(c, &cmd->trade_bust); break;
    case COMMAND_limits_set:
        json_key_string(c->out, "product",
                        directory_name(c->names, DIRECTORY_product, cmd->limits_set.product));
        limits_write(c, &cmd->limits_set.limits);
        break;
    case COMMAND_supply_set:
    case COMMAND_owner_set:
    case COMMAND_exemption_set: limit_asks(c, cmd); break;
    case COMMAND_settlement_price:
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument,
                                       cmd->settlement_price.instrument));
        json_key_price(c->out, "price", cmd->settlement_price.price);
        break;
    case COMMAND_index_price:
        json_key_string(c->out, "index_name",
                        directory_name(c->names, DIRECTORY_index, cmd->index_price.index));
        json_key_ms(c->out, "hour", cmd->index_price.hour);
        json_key_price(c->out, "value", cmd->index_price.value);
        break;
    default: break;
    }
}

static void request_write(struct rpc_call *c, const struct event_request *r)
{
    static const char *const states[] = {"awaiting", "confirmed", "dropped"};
    struct command cmd;
    memset(&cmd, 0, sizeof cmd);
    memcpy(&cmd, r + 1, r->command_bytes);
    json_open_object(c->out);
    json_key_int(c->out, "request", (int64_t)r->request_id);
    json_key_string(c->out, "command",
                    r->command < COMMAND_kind_count
                        ? command_kind_name((enum command_kind)r->command)
                        : "");
    json_key_string(c->out, "state", states[r->status % 3]);
    if (r->account != 0)
        json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, r->account));
    if (r->asset != 0) {
        json_key_string(c->out, "asset", directory_name(c->names, DIRECTORY_asset, r->asset));
        json_key_fixed(c->out, "amount", r->amount, asset_scale(r->asset));
    }
    json_key(c->out, "asks");
    json_open_object(c->out);
    asks_write(c, &cmd);
    json_close_object(c->out);
    json_key_string(c->out, "reason", r->reason);
    json_key_int(c->out, "requested_by", r->principal);
    if (r->confirmer != 0)
        json_key_int(c->out, r->status == REQUEST_confirmed ? "confirmed_by" : "dropped_by",
                     r->confirmer);
    if (r->refused != REJECT_none)
        json_key_string(c->out, "refused", reject_text((enum reject)r->refused)->name);
    json_close_object(c->out);
}

bool request_answer(struct rpc_call *c, const struct outbox *events)
{
    const struct event_request *r = event_find(events, EVENT_request);
    if (r == NULL) return false;
    request_write(c, r);
    return true;
}

/* ---- methods ---- */

static int request_decide(struct rpc_call *c, uint32_t refuse)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_confirm,
                                        sizeof cmd->header + sizeof cmd->confirm);
    cmd->confirm.request = (uint64_t)param_int(c, c->params, "request", 0);
    cmd->confirm.refuse = refuse;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    return request_answer(c, events) ? REJECT_none : REJECT_unknown_request;
}

int rpc_confirm(struct rpc_call *c) { return request_decide(c, 0); }
int rpc_request_refuse(struct rpc_call *c) { return request_decide(c, 1); }

int rpc_get_requests(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_requests});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_request)
            request_write(c, (const struct event_request *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_venue_set(struct rpc_call *c)
{
    const struct outbox *events;
    int64_t ms = param_int(c, c->params, "stale_ms", 0);
    if (ms > 3600 * 1000) return malformed(c, "stale_ms");
    struct command *cmd = command_begin(c, COMMAND_venue_set,
                                        sizeof cmd->header + sizeof cmd->venue_set);
    struct command_venue_set *v = &cmd->venue_set;
    if (param_find(c, c->params, "dual_transfers") != 0) v->flags |= VENUE_HAS_DUAL_TRANSFERS;
    if (param_find(c, c->params, "stale_ms") != 0) v->flags |= VENUE_HAS_STALE;
    if (param_find(c, c->params, "mark_times") != 0) v->flags |= VENUE_HAS_MARKS;
    v->settings.dual_transfers = param_bool(c, c->params, "dual_transfers", false) ? 1 : 0;
    v->settings.stale_ns = ms * NS_PER_MS;
    param_text(c, c->params, "reason", v->reason, sizeof v->reason);
    int reason = mark_times_get(c, &v->settings);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_venue *e = event_find(events, EVENT_venue);
    if (e == NULL && request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    json_key_bool(c->out, "dual_transfers", e != NULL && e->settings.dual_transfers != 0);
    json_key_int(c->out, "stale_ms", e != NULL ? e->settings.stale_ns / NS_PER_MS : 0);
    if (e != NULL) mark_times_write(c->out, &e->settings);
    json_close_object(c->out);
    return REJECT_none;
}

/* Only a demonstration has a clock that can be moved; no other venue knows the method. */
int rpc_clock(struct rpc_call *c)
{
    enum { RATE_MAX = 100000 };
    struct venue_clock_ask ask = {.rate_e6 = -1};
    struct venue_clock clock;
    char text[TIME_TEXT_SIZE];
    if (c->venue->clock == NULL) return REJECT_unknown_method;
    int reason = param_time(c, c->params, "at", &ask.at);
    if (reason == REJECT_none)
        reason = param_fixed(c, c->params, "rate", 0, RATE_MAX * INT64_C(1000000), &ask.rate_e6);
    if (reason != REJECT_none) return reason;
    if (ask.at.v != 0 && ask.at.v < c->now.v) return malformed(c, "at");
    c->venue->clock(c->venue->context, &ask, &clock);
    json_open_object(c->out);
    json_key_string(c->out, "now", (time_format(text, clock.now), text));
    json_key_string(c->out, "target", (time_format(text, clock.target), text));
    json_key_fixed(c->out, "rate", clock.rate_e6, 6);
    json_key_bool(c->out, "arrived", clock.now.v >= clock.target.v);
    json_close_object(c->out);
    return REJECT_none;
}
