/* core.c: the state block, and the one place where commands are told apart.
 *
 * A step: the clock moves to the command's time; what fell due happens (session.c); the command is
 * applied; then what it set off (elected stops, pegged orders) runs to its end. All events of these
 * carry the command's sequence number.
 *
 * Upstream: seq. Downstream: order.c and the other files named in state.h.
 */
#include "core/core.h"

#include "core/default.h"
#include "core/delivery.h"
#include "core/implied.h"
#include "core/block.h"
#include "core/certify.h"
#include "core/token.h"
#include "core/bust.h"
#include "core/limit.h"
#include "core/margin.h"
#include "core/call.h"
#include "core/closeout.h"
#include "core/collateral.h"
#include "core/port.h"
#include "core/index_spot.h"
#include "core/schedule.h"
#include "core/settlement.h"
#include "core/state.h"
#include "core/span.h"
#include "core/spot.h"
#include "core/standing.h"

#include <stdlib.h>
#include <string.h>

struct core_limits core_limits_default(void)
{
    return (struct core_limits){
        .members = 1024, .accounts = 16384, .products = 256, .instruments = 65536,
        .balances = 262144, .exposures = 262144, .orders = 262144, .orders_closed = 65536,
        .levels = 131072, .client_ids = 1 << 20, .answer_bytes = 384u << 20, .trades = 131072,
        .postings = 131072, .settlements = 16384, .requests = 256, .indices = 16,
        .index_hours = 9216, .fills_per_command = 16384, .spreads_per_leg = 32,
        .allocations = 4096};
}

struct core_limits core_limits_small(void)
{
    return (struct core_limits){
        .members = 8, .accounts = 16, .products = 4, .instruments = 20, .balances = 96,
        .exposures = 128, .orders = 128, .orders_closed = 32, .levels = 128, .client_ids = 64,
        .answer_bytes = 16384, .trades = 32, .postings = 64, .settlements = 16, .requests = 4,
        .indices = 2, .index_hours = 16, .fills_per_command = 32, .spreads_per_leg = 8,
        .allocations = 8};
}

uint32_t order_slots(const struct core_limits *l) { return l->orders + l->orders_closed + 1; }

/* Cuts everything from the arena, in one order; with a counting arena it only measures. */
static void core_cut(struct core *c, struct arena *a)
{
    const struct core_limits *l = &c->limits;
    c->s = arena_cut(a, 1, sizeof *c->s);
    book_pools_cut(&c->pools, a, order_slots(l) - 1, l->levels);
    c->info = arena_cut(a, order_slots(l), sizeof *c->info);
    c->texts = arena_cut(a, order_slots(l), sizeof *c->texts);
    c->assets = arena_cut(a, ASSETS_MAX + 1, sizeof *c->assets);
    c->members = arena_cut(a, l->members + 1, sizeof *c->members);
    c->accounts = arena_cut(a, l->accounts + 1, sizeof *c->accounts);
    c->balances = arena_cut(a, l->balances + 1, sizeof *c->balances);
    c->exposures = arena_cut(a, l->exposures + 1, sizeof *c->exposures);
    c->exposures_before = arena_cut(a, l->exposures + 1, sizeof *c->exposures_before);
    c->products = arena_cut(a, l->products + 1, sizeof *c->products);
    c->instruments = arena_cut(a, l->instruments + 1, sizeof *c->instruments);
    c->spread_refs = arena_cut(a, 2 * l->instruments + 1, sizeof *c->spread_refs);
    c->spreads = arena_cut(a, l->instruments + 1, sizeof *c->spreads);
    c->guards = arena_cut(a, l->instruments + 1, sizeof *c->guards);
    c->halts = arena_cut(a, HALTS_KEPT, sizeof *c->halts);
    c->client_ids = arena_cut(a, l->client_ids + 1, sizeof *c->client_ids);
    c->answers = arena_cut(a, l->answer_bytes, 1);
    c->trades = arena_cut(a, l->trades, sizeof *c->trades);
    c->postings = arena_cut(a, l->postings, sizeof *c->postings);
    c->settlements = arena_cut(a, l->settlements, sizeof *c->settlements);
    c->settlement_sources =
        arena_cut(a, settlement_sources_kept(l), sizeof *c->settlement_sources);
    c->windows = arena_cut(a, l->instruments + 1, sizeof *c->windows);
    c->indices = arena_cut(a, l->indices + 1, sizeof *c->indices);
    c->index_hours = arena_cut(a, ((size_t)l->indices + 1) * l->index_hours,
                               sizeof *c->index_hours);
    c->index_inputs = arena_cut(a, ((size_t)l->indices + 1) * index_input_hours(l) *
                                       INDEX_SOURCES_MAX, sizeof *c->index_inputs);
    index_spot_cut(c, a);
    c->requests = arena_cut(a, l->requests, sizeof *c->requests);
    c->span_venue = arena_cut(a, 1, sizeof *c->span_venue);
    c->span_groups = arena_cut(a, SPAN_GROUPS_MAX + 1, sizeof *c->span_groups);
    c->span_instruments = arena_cut(a, l->instruments + 1, sizeof *c->span_instruments);
    c->span_records = arena_cut(a, span_records_max(l) + 1, sizeof *c->span_records);
    c->span_exposures = arena_cut(a, l->exposures + 1, sizeof *c->span_exposures);
    c->span_accounts = arena_cut(a, l->accounts + 1, sizeof *c->span_accounts);
    c->closed = arena_cut(a, l->orders_closed, sizeof *c->closed);
    c->timer_heap = arena_cut(a, order_slots(l), sizeof *c->timer_heap);
    c->elections = arena_cut(a, order_slots(l), sizeof *c->elections);
    c->calls = arena_cut(a, l->accounts + 1, sizeof *c->calls);
    c->records = arena_cut(a, l->settlements, sizeof *c->records);
    c->call_heap = arena_cut(a, l->accounts + 1, sizeof *c->call_heap);
    c->standings = arena_cut(a, ((size_t)l->accounts + 1) * STANDINGS_KEPT,
                             sizeof *c->standings);
    c->fund = arena_cut(a, 1, sizeof *c->fund);
    c->fund_members = arena_cut(a, l->members + 1, sizeof *c->fund_members);
    c->defaults = arena_cut(a, l->members + 1, sizeof *c->defaults);
    c->default_tiers = arena_cut(a, (size_t)(l->members + 1) * (l->members + 1), 1);
    c->default_bounds = arena_cut(a, (size_t)(l->members + 1) * (l->members + 1),
                                  sizeof *c->default_bounds);
    c->bids = arena_cut(a, default_bids_max(l), sizeof *c->bids);
    c->claims = arena_cut(a, default_claims_max(l), sizeof *c->claims);
    c->gains = arena_cut(a, l->accounts + 1, sizeof *c->gains);
    map_cut(&c->balance_map, a, l->balances, a->base ? &c->s->balance_map_count : NULL);
    map_cut(&c->exposure_map, a, l->exposures, a->base ? &c->s->exposure_map_count : NULL);
    map_cut(&c->name_map, a, l->instruments, a->base ? &c->s->name_map_count : NULL);
    map_cut(&c->client_id_map, a, l->client_ids, a->base ? &c->s->client_id_map_count : NULL);
    limits_cut(c, a);
    deals_cut(c, a);
    spot_cut(c, a);
    bust_cut(c, a);
    certify_cut(c, a);
    tokens_cut(c, a);
    delivery_cut(c, a);
}

size_t core_bytes(const struct core_limits *limits)
{
    struct core c = {.limits = *limits};
    struct arena a = {0};
    core_cut(&c, &a);
    return a.used;
}

size_t core_outbox_bytes(const struct core_limits *l)
{
    /* The most that one fill can say: a spread's trade and its two legs, their postings, fees of
     * both sides, both orders, both levels. Each order of an auction or a mass cancel causes at
     * most one such; so does each fill of continuous trading, and each entry of an answer. */
    const size_t fill = 3 * sizeof(struct event_trade) + 24 * sizeof(struct event_posting) +
                        2 * sizeof(struct event_order) + 2 * sizeof(struct event_level);
    size_t orders = order_slots(l);
    /* MATCH-06: each quote of a spread changes four times in a command at most, before and after
     * pegged orders, and after calls, and says two levels then; each fill says its legs' levels. */
    const size_t implied = 4 * 6 * 2 * sizeof(struct event_level);
    return (orders * 2 + l->fills_per_command) * fill + l->instruments * implied +
           ((size_t)l->accounts + l->members + l->products + l->instruments + 64) * 512 +
           (size_t)l->exposures * 3 * sizeof(struct event_posting) + l->answer_bytes / 4 +
           (size_t)l->trades * sizeof(struct event_trade) +
           (size_t)l->postings * sizeof(struct event_posting) +
           (size_t)l->settlements * sizeof(union clearing_record) +
           (size_t)l->accounts * (2 * sizeof(struct event_call) + sizeof(struct event_slice)) +
           standing_outbox_bytes(l) + spot_outbox_bytes(l) +
           ASSETS_MAX * (sizeof(struct event_asset) + sizeof(struct event_collateral)) +
           (size_t)l->settlements * (sizeof(struct event_settlement) +
                                     4 * sizeof(struct event_settlement_source)) +
           /* a day's prices: each part is told for at most five longer periods and a spread */
           (size_t)l->instruments * (sizeof(struct event_settlement) +
                                     10 * sizeof(struct event_settlement_source)) +
           (size_t)1000 * (sizeof(struct event_index_price) +
                           INDEX_SOURCES_MAX * sizeof(struct event_index_input)) +
           index_spot_outbox_bytes(l) + delivery_outbox_bytes(l) +
           /* an hour's tokens; a command's; a pledge that gives way to escrow (UNIT-02) */
           ((size_t)l->balances + 4 * TOKEN_HOURS_MAX) *
               (2 * sizeof(struct event_posting) + sizeof(struct event_token)) +
           (size_t)1000 * sizeof(struct event_certificate) +
           (size_t)l->accounts * (sizeof(struct event_resource) + sizeof(struct event_balance)) +
           (size_t)l->balances * sizeof(struct event_balance) +
           (size_t)l->requests * (sizeof(struct event_request) + REQUEST_COMMAND_SIZE_MAX) +
           (1u << 20);
}

static void core_start(struct core *c)
{
    c->s->magic = CORE_MAGIC;
    c->s->limits = c->limits;
    c->s->assets = ASSET_USD;
    c->s->guard_due = TS(INT64_MAX);
    c->s->implied_expiry = TS(INT64_MAX);
    memcpy(c->assets[ASSET_USD].terms.name, "USD", sizeof "USD");
    c->s->clearing.maintenance_e6 = SHARE_ONE_E6;
    c->s->clearing.collateral_cap_e6 = COLLATERAL_CAP_DEFAULT_E6;
    deals_start(c);
    spot_start(c);
    certify_start(c);
    delivery_start(c);
    c->s->mark_due = c->s->schedule_due = INT64_MAX;
    account_open_system(c);
    span_start(c);
    fund_open(c);
}

static int core_scratch(struct core *c)
{
    size_t orders = order_slots(&c->limits), accounts = (size_t)c->limits.accounts + 1;
    c->shares = calloc(orders, sizeof *c->shares);
    c->shares_opposite = calloc(orders, sizeof *c->shares_opposite);
    c->prints = calloc((size_t)c->limits.fills_per_command + 1, sizeof *c->prints);
    c->implied_dirty = calloc((size_t)c->limits.instruments + 1, sizeof *c->implied_dirty);
    c->implied_marks = calloc((size_t)c->limits.instruments + 1, sizeof *c->implied_marks);
    c->depth = calloc(1, implied_depth_bytes(c->limits.instruments));
    c->payers = calloc((size_t)c->limits.accounts + 1, sizeof *c->payers);
    c->fund_weights = calloc((size_t)c->limits.members + 1, sizeof *c->fund_weights);
    c->cascade_to = calloc((size_t)c->limits.exposures + 1, sizeof *c->cascade_to);
    if (c->cascade_to == NULL) return -1;
    c->legs = calloc((size_t)c->limits.instruments + 1, sizeof *c->legs);
    if (c->payers == NULL || c->fund_weights == NULL || c->legs == NULL) return -1;
    bool ok = c->shares != NULL && c->shares_opposite != NULL && c->prints != NULL &&
              c->implied_dirty != NULL && c->implied_marks != NULL && c->depth != NULL;
    c->span_noted = calloc((size_t)c->limits.exposures + 1, sizeof *c->span_noted);
    c->span_scratch = calloc(1, span_scratch_bytes(c->limits.instruments));
    ok = ok && c->span_noted != NULL && c->span_scratch != NULL;
    c->curve = calloc(1, curve_bytes(&c->limits));
    if (!ok || c->curve == NULL) return -1;
    curve_open(c->curve, &c->limits);
    c->deliver.notice = calloc(1, delivery_scratch_bytes(&c->limits));
    if (c->deliver.notice == NULL) return -1;
    delivery_scratch_open(c->deliver.notice, &c->limits);
    c->index_spot.sellers = calloc(accounts, sizeof *c->index_spot.sellers);
    c->index_spot.places = calloc(2 * accounts, sizeof *c->index_spot.places);
    if (c->index_spot.sellers == NULL || c->index_spot.places == NULL) return -1;
    c->spot.net = calloc(accounts, sizeof *c->spot.net);
    c->spot.values = calloc((size_t)c->spot.profile_count + 1, sizeof *c->spot.values);
    return c->spot.net != NULL && c->spot.values != NULL ? 0 : -1;
}

struct core *core_open(const struct core_limits *limits, void *memory)
{
    ASSERT(order_slots(limits) < (1u << 24));
    struct core *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->limits = *limits;
    c->block = memory;
    c->block_bytes = core_bytes(limits);
    struct arena a = {.base = memory, .capacity = c->block_bytes};
    core_cut(c, &a);
    if (core_scratch(c) != 0) goto fail;
    if (c->s->magic == 0) {
        core_start(c);
    } else if (c->s->magic != CORE_MAGIC || memcmp(&c->s->limits, limits, sizeof *limits) != 0) {
        goto fail;
    }
    return c;
fail:
    core_close(c);
    return NULL;
}

void core_close(struct core *c)
{
    if (c == NULL) return;
    free(c->shares);
    free(c->shares_opposite);
    free(c->prints);
    free(c->payers);
    free(c->fund_weights);
    free(c->legs);
    free(c->cascade_to);
    free(c->implied_dirty);
    free(c->implied_marks);
    free(c->depth);
    free(c->span_noted);
    free(c->span_scratch);
    free(c->curve);
    free(c->deliver.notice);
    free(c->spot.net);
    free(c->spot.values);
    free(c->index_spot.sellers);
    free(c->index_spot.places);
    free(c);
}

const void *core_image(const struct core *c, size_t *bytes)
{
    *bytes = c->block_bytes;
    return c->block;
}

uint64_t core_seq(const struct core *c) { return c->s->seq; }
ts_t core_ts(const struct core *c) { return c->s->ts; }

static inline int64_t day_next(const struct core *c) { return (c->s->day + 1) * NS_PER_DAY; }

ts_t core_due(const struct core *c)
{
    if ((c->s->elections_count | c->s->implied_sweep | c->s->limit_sweep) != 0) return c->s->ts;
    int64_t due = int64_min(int64_min(call_due(c).v, c->s->schedule_due), c->s->implied_expiry.v);
    due = int64_min(due, c->s->guard_due.v);
    /* A new date moves limits, and what they allow no more goes (GUARD-04, GUARD-07). */
    if (c->s->products > 0) due = int64_min(due, day_next(c));
    if (c->s->default_due.v != 0) due = int64_min(due, c->s->default_due.v);
    due = int64_min(due, c->deal.s->due.v);
    due = int64_min(due, c->spot.s->due);
    if (c->s->timers == 0) return TS(due);
    return TS(int64_min(c->info[c->timer_heap[1]].expires_at.v, due));
}

void reject_push(struct core *c, const struct command *cmd, enum reject reason, int64_t detail)
{
    if (c->confirming != NULL) { /* the request that is dropped says it (dual.c) */
        c->refused = reason;
        return;
    }
    struct event_reject *e = outbox_push(c->out, EVENT_reject, sizeof *e);
    e->reason = (uint16_t)reason;
    e->command = cmd->header.kind;
    e->account = cmd->header.account;
    e->instrument = cmd->header.kind == COMMAND_order_new ? cmd->order_new.instrument : 0;
    e->entry = 0;
    e->order_id = cmd->header.kind == COMMAND_order_edit     ? cmd->order_edit.order_id
                  : cmd->header.kind == COMMAND_order_cancel ? cmd->order_cancel.order_id
                                                             : 0;
    e->detail = detail;
}

/* What has changed of the prices at which a product's gathering orders would cross. */
static void indicatives_say(struct core *c, uint32_t product)
{
    for (uint32_t i = c->products[product].instruments; i != NIL;
         i = c->instruments[i].next_of_product) {
        if (!state_gathers(state_of(c, i))) continue;
        struct auction a = auction_find(c, i);
        struct instrument *in = &c->instruments[i];
        price_t price = price_of(c, i, a.px);
        if (price.v == in->indicative_price.v && a.qty == in->indicative_qty.v) continue;
        event_auction_push(c, i, a, false);
    }
}

static void tick(struct core *c, const struct command *cmd)
{
    (void)cmd;
    spot_run(c);
    schedule_run(c);
    /* A contract that gathers orders alone does so until an instant (GUARD-02): where none is set,
     * those of an open product need not be looked at one by one. */
    bool alone = c->s->guard_due.v != INT64_MAX;
    for (uint32_t p = 1; p <= c->s->products; p++) {
        bool gathers = state_gathers((enum trading_state)c->products[p].state);
        if (gathers || alone) indicatives_say(c, p);
    }
}

typedef void command_function(struct core *c, const struct command *cmd);
static command_function *const command_functions[COMMAND_kind_count] = {
    [COMMAND_tick] = tick,
    [COMMAND_venue_set] = venue_set,
    [COMMAND_product_create] = product_create,
    [COMMAND_instrument_list] = instrument_list,
    [COMMAND_spread_list] = spread_list,
    [COMMAND_account_create] = account_create,
    [COMMAND_deposit] = deposit,
    [COMMAND_withdraw] = withdraw,
    [COMMAND_transfer] = transfer,
    [COMMAND_confirm] = confirm,
    [COMMAND_state_set] = state_set,
    [COMMAND_settlement_price] = settlement_price,
    [COMMAND_settle_day] = settle_day,
    [COMMAND_mark_to_market] = mark_to_market,
    [COMMAND_expire] = expire,
    [COMMAND_kill] = account_kill,
    [COMMAND_order_new] = order_new,
    [COMMAND_order_edit] = order_edit,
    [COMMAND_order_cancel] = order_cancel,
    [COMMAND_cancel_many] = order_cancel_many,
    [COMMAND_mass_quote] = order_mass_quote,
    [COMMAND_limits_set] = limits_set,
    [COMMAND_block_propose] = block_propose,
    [COMMAND_block_answer] = block_answer,
    [COMMAND_trade_bust] = trade_bust,
    [COMMAND_supply_set] = supply_set,
    [COMMAND_owner_set] = owner_set,
    [COMMAND_exemption_set] = exemption_set,
    [COMMAND_asset_set] = asset_set,
    [COMMAND_asset_issue] = asset_issue,
    [COMMAND_pledge] = pledge,
    [COMMAND_collateral_sell] = collateral_sell,
    [COMMAND_clearing_set] = clearing_set,
    [COMMAND_call_margin] = call_margin,
    [COMMAND_port_accept] = port_accept,
    [COMMAND_port] = port,
    [COMMAND_margin_set] = margin_set,
    [COMMAND_margin_inter] = margin_inter,
    [COMMAND_margin_flat] = margin_flat,
    [COMMAND_margin_run] = margin_run,
    [COMMAND_margin_result] = margin_result,
    [COMMAND_margin_convert] = margin_convert,
    [COMMAND_fund_set] = fund_set,
    [COMMAND_fund_size] = fund_size,
    [COMMAND_fund_move] = fund_move,
    [COMMAND_default_declare] = default_declare,
    [COMMAND_default_step] = default_step,
    [COMMAND_default_hedge] = default_hedge,
    [COMMAND_close_out] = close_out,
    [COMMAND_portfolio_open] = portfolio_open,
    [COMMAND_portfolio_bid] = portfolio_bid,
    [COMMAND_index_create] = index_create,
    [COMMAND_index_submit] = index_submit,
    [COMMAND_index_price] = index_price,
    [COMMAND_guards_set] = guards_set,
    [COMMAND_spot_open] = spot_open,
    [COMMAND_spot_bid] = spot_bid,
    [COMMAND_spot_cancel] = spot_cancel,
    [COMMAND_spot_result] = spot_result,
    [COMMAND_certification_set] = certification_set,
    [COMMAND_accredit] = accredit,
    [COMMAND_certificate_submit] = certificate_submit,
    [COMMAND_certificate_end] = certificate_end,
    [COMMAND_token_issue] = token_issue,
    [COMMAND_token_transfer] = token_transfer,
    [COMMAND_token_pledge] = token_pledge,
    [COMMAND_tender] = tender_file,
    [COMMAND_intake] = intake_file,
    [COMMAND_warrant_transfer] = warrant_transfer,
    [COMMAND_receipt] = receipt_submit,
    [COMMAND_verdict] = verdict_submit,
    [COMMAND_proof_challenge] = proof_challenge,
};

void command_apply(struct core *c, const struct command *cmd)
{
    command_functions[cmd->header.kind](c, cmd);
}

/* GUARD-08: an order that a stalled gateway held too long is refused, not executed. */
static bool is_stale(const struct core *c, const struct command *cmd)
{
    int64_t limit = c->s->settings.stale_ns;
    if (limit == 0 || cmd->header.received_ts.v == 0) return false;
    if (cmd->header.ts.v - cmd->header.received_ts.v <= limit) return false;
    return cmd->header.kind == COMMAND_order_new || cmd->header.kind == COMMAND_order_edit ||
           cmd->header.kind == COMMAND_mass_quote;
}

/* What the books' new state sets off beyond elections: implied prices and pegged orders. */
static void aftermath(struct core *c)
{
    while (c->implied_dirty_count > 0 && implied_settle(c)) trigger_run(c);
    if (c->implied_dirty_count > 0) implied_publish(c);
    if (c->touched_count > 0) peg_run(c);
    if (c->implied_dirty_count > 0) implied_publish(c); /* the pegged orders moved */
    c->touched_count = 0;
}

/* Whether anything has fallen due, or goes on from the command before. */
static inline bool is_due(const struct core *c, ts_t ts)
{
    const struct venue_state *s = c->s;
    int64_t due = int64_min(int64_min(day_next(c), s->implied_expiry.v),
                            int64_min(c->deal.s->due.v, s->guard_due.v));
    uint32_t pending = s->timers | s->implied_sweep | s->calls_live | s->elections_count |
                       s->limit_sweep;
    return ts.v >= due || pending != 0 || s->default_due.v != 0;
}

static void before_command(struct core *c, ts_t ts)
{
    if (ts.v >= day_next(c)) session_day(c);
    if (c->s->timers > 0) timer_run(c);
    if (ts.v >= c->s->implied_expiry.v) implied_expire(c);
    if (ts.v >= c->deal.s->due.v) block_run(c);
    if (ts.v >= c->s->guard_due.v) halt_run(c);
    if (c->s->limit_sweep != 0) limit_sweep(c);
    if (c->s->implied_sweep != 0) implied_sweep(c);
    if (c->s->calls_live > 0) call_timer_run(c);
    if (c->s->default_due.v != 0 && c->s->default_due.v <= ts.v) default_run(c);
    if (c->s->elections_count > 0) trigger_run(c);
}

/* Whether the command set something off. */
static inline bool has_consequences(const struct core *c)
{
    return (c->s->elections_count | c->s->calls_live | c->implied_dirty_count | c->touched_count |
            c->span_noted_count) != 0;
}

static void after_command(struct core *c)
{
    if (c->s->elections_count > 0) trigger_run(c);
    if (c->implied_dirty_count > 0 || c->touched_count > 0) aftermath(c);
    span_current(c);
    if (c->s->calls_live > 0) call_look(c);
    span_current(c); /* what a call set off */
    if (c->implied_dirty_count > 0 || c->touched_count > 0) aftermath(c);
}

void core_step(struct core *c, const struct command *cmd, struct outbox *out)
{
    assert_seq_current = cmd->header.seq;
    ASSERT(cmd->header.seq == c->s->seq + 1);
    ASSERT(cmd->header.ts.v >= c->s->ts.v);
    ASSERT(cmd->header.kind > COMMAND_none && cmd->header.kind < COMMAND_kind_count);
    outbox_reset(out, cmd->header.seq, cmd->header.ts);
    c->out = out;
    c->s->seq = cmd->header.seq;
    c->s->ts = cmd->header.ts;
    c->fills_left = c->limits.fills_per_command;
    c->prints_count = 0;
    c->touched_count = 0;
    if (is_due(c, cmd->header.ts)) before_command(c, cmd->header.ts);
    if (is_stale(c, cmd)) {
        reject_push(c, cmd, REJECT_stale_request, cmd->header.ts.v - cmd->header.received_ts.v);
    } else {
        command_apply(c, cmd);
    }
    if (has_consequences(c)) after_command(c);
    c->out = NULL;
    assert_seq_current = 0;
}
