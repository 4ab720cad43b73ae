/* msg.c: what is common to all records: names, sizes, and whether stored bytes are a command. */
#include "msg/command.h"
#include "msg/event.h"

static const char *const command_names[COMMAND_kind_count] = {
    [COMMAND_none] = "none",
    [COMMAND_tick] = "tick",
    [COMMAND_venue_set] = "venue_set",
    [COMMAND_product_create] = "product_create",
    [COMMAND_instrument_list] = "instrument_list",
    [COMMAND_spread_list] = "spread_list",
    [COMMAND_account_create] = "account_create",
    [COMMAND_deposit] = "deposit",
    [COMMAND_withdraw] = "withdraw",
    [COMMAND_transfer] = "transfer",
    [COMMAND_confirm] = "confirm",
    [COMMAND_state_set] = "state_set",
    [COMMAND_settlement_price] = "settlement_price",
    [COMMAND_settle_day] = "settle_day",
    [COMMAND_mark_to_market] = "mark_to_market",
    [COMMAND_expire] = "expire",
    [COMMAND_kill] = "kill",
    [COMMAND_order_new] = "order_new",
    [COMMAND_order_edit] = "order_edit",
    [COMMAND_order_cancel] = "order_cancel",
    [COMMAND_cancel_many] = "cancel_many",
    [COMMAND_mass_quote] = "mass_quote",
    [COMMAND_limits_set] = "limits_set",
    [COMMAND_block_propose] = "block_propose",
    [COMMAND_block_answer] = "block_answer",
    [COMMAND_trade_bust] = "trade_bust",
    [COMMAND_supply_set] = "supply_set",
    [COMMAND_owner_set] = "owner_set",
    [COMMAND_exemption_set] = "exemption_set",
    [COMMAND_asset_set] = "asset_set",
    [COMMAND_asset_issue] = "asset_issue",
    [COMMAND_pledge] = "pledge",
    [COMMAND_collateral_sell] = "collateral_sell",
    [COMMAND_clearing_set] = "clearing_set",
    [COMMAND_call_margin] = "call_margin",
    [COMMAND_port_accept] = "port_accept",
    [COMMAND_port] = "port",
    [COMMAND_margin_set] = "margin_set",
    [COMMAND_margin_inter] = "margin_inter",
    [COMMAND_margin_flat] = "margin_flat",
    [COMMAND_margin_run] = "margin_run",
    [COMMAND_margin_result] = "margin_result",
    [COMMAND_margin_convert] = "margin_convert",
    [COMMAND_fund_set] = "fund_set",
    [COMMAND_fund_size] = "fund_size",
    [COMMAND_fund_move] = "fund_move",
    [COMMAND_default_declare] = "default_declare",
    [COMMAND_default_step] = "default_step",
    [COMMAND_default_hedge] = "default_hedge",
    [COMMAND_close_out] = "close_out",
    [COMMAND_portfolio_open] = "portfolio_open",
    [COMMAND_portfolio_bid] = "portfolio_bid",
    [COMMAND_index_create] = "index_create",
    [COMMAND_index_submit] = "index_submit",
    [COMMAND_index_price] = "index_price",
    [COMMAND_guards_set] = "guards_set",
    [COMMAND_spot_open] = "spot_open",
    [COMMAND_spot_bid] = "spot_bid",
    [COMMAND_spot_cancel] = "spot_cancel",
    [COMMAND_spot_result] = "spot_result",
    [COMMAND_certification_set] = "certification_set",
    [COMMAND_accredit] = "accredit",
    [COMMAND_certificate_submit] = "certificate_submit",
    [COMMAND_certificate_end] = "certificate_end",
    [COMMAND_token_issue] = "token_issue",
    [COMMAND_token_transfer] = "token_transfer",
    [COMMAND_token_pledge] = "token_pledge",
    [COMMAND_tender] = "tender",
    [COMMAND_intake] = "intake",
    [COMMAND_warrant_transfer] = "warrant_transfer",
    [COMMAND_receipt] = "receipt",
    [COMMAND_verdict] = "verdict",
    [COMMAND_proof_challenge] = "proof_challenge",
};

static const char *const event_names[EVENT_kind_count] = {
    [EVENT_none] = "none",       [EVENT_reject] = "reject",
    [EVENT_order] = "order",     [EVENT_order_text] = "order_text",
    [EVENT_trade] = "trade",     [EVENT_level] = "level",
    [EVENT_posting] = "posting", [EVENT_position] = "position",
    [EVENT_state] = "state",     [EVENT_auction] = "auction",
    [EVENT_settlement] = "settlement", [EVENT_ticker] = "ticker",
    [EVENT_account] = "account", [EVENT_balance] = "balance",
    [EVENT_asset] = "asset",     [EVENT_member] = "member",
    [EVENT_product] = "product", [EVENT_instrument] = "instrument",
    [EVENT_request] = "request", [EVENT_killed] = "killed",
    [EVENT_count] = "count",     [EVENT_hash] = "hash",
    [EVENT_block] = "block", [EVENT_trade_bust] = "trade_bust",
    [EVENT_holding] = "holding", [EVENT_owner] = "owner",
    [EVENT_supply] = "supply",   [EVENT_exemption] = "exemption",
    [EVENT_venue] = "venue",     [EVENT_collateral] = "collateral",
    [EVENT_halt] = "halt",       [EVENT_guards] = "guards",
    [EVENT_clearing] = "clearing", [EVENT_call] = "call",
    [EVENT_slice] = "slice",     [EVENT_port] = "port",
    [EVENT_margin_terms] = "margin_terms",
    [EVENT_margin_inter] = "margin_inter", [EVENT_margin_flat] = "margin_flat",
    [EVENT_margin_run] = "margin_run", [EVENT_margin_group] = "margin_group",
    [EVENT_margin] = "margin",
    [EVENT_fund] = "fund",       [EVENT_fund_share] = "fund_share",
    [EVENT_default] = "default", [EVENT_default_layer] = "default_layer",
    [EVENT_portfolio] = "portfolio", [EVENT_close_out] = "close_out",
     [EVENT_portfolio_bid] = "portfolio_bid",
    [EVENT_settlement_source] = "settlement_source",
    [EVENT_settlement_wait] = "settlement_wait",
    [EVENT_mark] = "mark",
    [EVENT_index] = "index",
    [EVENT_index_price] = "index_price",
    [EVENT_index_input] = "index_input",
    [EVENT_certification] = "certification",
    [EVENT_accreditation] = "accreditation",
    [EVENT_resource] = "resource",
    [EVENT_certificate] = "certificate",
    [EVENT_token_class] = "token_class",
    [EVENT_token] = "token",
    [EVENT_index_spot] = "index_spot",
    [EVENT_index_seller] = "index_seller",
    [EVENT_standing] = "standing",
    [EVENT_cascade] = "cascade",
    [EVENT_spot_auction] = "spot_auction",
    [EVENT_spot_hour] = "spot_hour",
    [EVENT_spot_bid] = "spot_bid",
    [EVENT_tender] = "tender",
    [EVENT_intake] = "intake",
    [EVENT_notice] = "notice",
    [EVENT_allocation] = "allocation",
    [EVENT_delivery_hour] = "delivery_hour",
    [EVENT_delivery_cash] = "delivery_cash",
};

static const char *const posting_names[POSTING_code_count] = {
    [0] = "none",
    [POSTING_deposit] = "deposit",
    [POSTING_withdrawal] = "withdrawal",
    [POSTING_transfer] = "transfer",
    [POSTING_trade] = "trade",
    [POSTING_variation] = "variation",
    [POSTING_rounding] = "rounding",
    [POSTING_fee_trade] = "fee_trade",
    [POSTING_fee_clearing] = "fee_clearing",
    [POSTING_settlement] = "settlement",
    [POSTING_cascade] = "cascade",
    [POSTING_issue] = "issue",
    [POSTING_retire] = "retire",
    [POSTING_pledge] = "pledge",
    [POSTING_release] = "release",
    [POSTING_bust] = "bust",
    [POSTING_bust_variation] = "bust_variation",
    [POSTING_bust_fee] = "bust_fee",
    [POSTING_collateral_sale] = "collateral_sale",
    [POSTING_capital] = "capital",
    [POSTING_skin] = "skin",
    [POSTING_fund_contribution] = "fund_contribution",
    [POSTING_fund_release] = "fund_release",
    [POSTING_default_position] = "default_position",
    [POSTING_default_margin] = "default_margin",
    [POSTING_default_own_fund] = "default_own_fund",
    [POSTING_default_skin] = "default_skin",
    [POSTING_default_fund] = "default_fund",
    [POSTING_default_assessment] = "default_assessment",
    [POSTING_default_gains] = "default_gains",
    [POSTING_default_capital] = "default_capital",
    [POSTING_default_client] = "default_client",
    [POSTING_default_auction] = "default_auction",
    [POSTING_default_recovery] = "default_recovery",
    [POSTING_default_refund] = "default_refund",
    [POSTING_default_estate] = "default_estate",
    [POSTING_token_escrow] = "token_escrow",
    [POSTING_token_return] = "token_return",
    [POSTING_token_redeem] = "token_redeem",
    [POSTING_token_expiry] = "token_expiry",
    [POSTING_delivery] = "delivery",
    [POSTING_delivery_margin] = "delivery_margin",
    [POSTING_delivery_payment] = "delivery_payment",
    [POSTING_delivery_fee] = "delivery_fee",
    [POSTING_delivery_difference] = "delivery_difference",
    [POSTING_delivery_damages] = "delivery_damages",
    [POSTING_delivery_clawback] = "delivery_clawback",
};

#define BODY_SIZE(member) (uint32_t)sizeof(((struct command *)0)->member)

static const uint32_t body_sizes[COMMAND_kind_count] = {
    [COMMAND_venue_set] = BODY_SIZE(venue_set),
    [COMMAND_product_create] = BODY_SIZE(product_create),
    [COMMAND_instrument_list] = BODY_SIZE(instrument_list),
    [COMMAND_spread_list] = BODY_SIZE(spread_list),
    [COMMAND_account_create] = BODY_SIZE(account_create),
    [COMMAND_deposit] = BODY_SIZE(transfer),
    [COMMAND_withdraw] = BODY_SIZE(transfer),
    [COMMAND_transfer] = BODY_SIZE(transfer),
    [COMMAND_confirm] = BODY_SIZE(confirm),
    [COMMAND_state_set] = BODY_SIZE(state_set),
    [COMMAND_settlement_price] = BODY_SIZE(settlement_price),
    [COMMAND_settle_day] = BODY_SIZE(settle_day),
    [COMMAND_expire] = BODY_SIZE(expire),
    [COMMAND_kill] = BODY_SIZE(kill),
    [COMMAND_order_new] = BODY_SIZE(order_new),
    [COMMAND_order_edit] = BODY_SIZE(order_edit),
    [COMMAND_order_cancel] = BODY_SIZE(order_cancel),
    [COMMAND_cancel_many] = BODY_SIZE(cancel_many),
    [COMMAND_mass_quote] = BODY_SIZE(mass_quote),
    [COMMAND_limits_set] = BODY_SIZE(limits_set),
    [COMMAND_block_propose] = BODY_SIZE(block_propose),
    [COMMAND_block_answer] = BODY_SIZE(block_answer),
    [COMMAND_trade_bust] = BODY_SIZE(trade_bust),
    [COMMAND_supply_set] = BODY_SIZE(supply_set),
    [COMMAND_owner_set] = BODY_SIZE(owner_set),
    [COMMAND_exemption_set] = BODY_SIZE(exemption_set),
    [COMMAND_asset_set] = BODY_SIZE(asset_set),
    [COMMAND_asset_issue] = BODY_SIZE(asset_issue),
    [COMMAND_pledge] = BODY_SIZE(pledge),
    [COMMAND_collateral_sell] = BODY_SIZE(collateral_sell),
    [COMMAND_clearing_set] = BODY_SIZE(clearing_set),
    [COMMAND_port_accept] = BODY_SIZE(port),
    [COMMAND_port] = BODY_SIZE(port),
    [COMMAND_margin_set] = BODY_SIZE(margin_set),
    [COMMAND_margin_inter] = BODY_SIZE(margin_inter),
    [COMMAND_margin_flat] = BODY_SIZE(margin_flat),
    [COMMAND_margin_run] = BODY_SIZE(margin_run),
    [COMMAND_margin_result] = BODY_SIZE(margin_result),
    [COMMAND_margin_convert] = BODY_SIZE(margin_convert),
    [COMMAND_fund_set] = BODY_SIZE(fund_set),
    [COMMAND_fund_size] = BODY_SIZE(fund_size),
    [COMMAND_fund_move] = BODY_SIZE(fund_move),
    [COMMAND_default_declare] = BODY_SIZE(default_declare),
    [COMMAND_default_step] = BODY_SIZE(default_step),
    [COMMAND_default_hedge] = BODY_SIZE(default_hedge),
    [COMMAND_close_out] = BODY_SIZE(close_out),
    [COMMAND_portfolio_open] = BODY_SIZE(portfolio_open),
    [COMMAND_portfolio_bid] = BODY_SIZE(portfolio_bid),
    [COMMAND_index_create] = BODY_SIZE(index_create),
    [COMMAND_index_submit] = BODY_SIZE(index_submit),
    [COMMAND_index_price] = BODY_SIZE(index_price),
    [COMMAND_guards_set] = BODY_SIZE(guards_set),
    [COMMAND_spot_open] = BODY_SIZE(spot_open),
    [COMMAND_spot_bid] = BODY_SIZE(spot_bid),
    [COMMAND_spot_cancel] = BODY_SIZE(spot_cancel),
    [COMMAND_spot_result] = BODY_SIZE(spot_result),
    [COMMAND_certification_set] = BODY_SIZE(certification_set),
    [COMMAND_accredit] = BODY_SIZE(accredit),
    [COMMAND_certificate_submit] = BODY_SIZE(certificate_submit),
    [COMMAND_certificate_end] = BODY_SIZE(certificate_end),
    [COMMAND_token_issue] = BODY_SIZE(token_issue),
    [COMMAND_token_transfer] = BODY_SIZE(token_transfer),
    [COMMAND_token_pledge] = BODY_SIZE(token_pledge),
    [COMMAND_tender] = BODY_SIZE(tender),
    [COMMAND_intake] = BODY_SIZE(intake),
    [COMMAND_warrant_transfer] = BODY_SIZE(warrant_transfer),
    [COMMAND_receipt] = BODY_SIZE(receipt),
    [COMMAND_verdict] = BODY_SIZE(verdict),
    [COMMAND_proof_challenge] = BODY_SIZE(proof_challenge),
};

const char *command_kind_name(enum command_kind kind)
{
    ASSERT((unsigned)kind < COMMAND_kind_count);
    return command_names[kind];
}

const char *event_kind_name(enum event_kind kind)
{
    ASSERT((unsigned)kind < EVENT_kind_count);
    return event_names[kind];
}

const char *posting_code_name(uint16_t code)
{
    return code < POSTING_code_count ? posting_names[code] : "";
}

uint32_t command_size_full(enum command_kind kind)
{
    if ((unsigned)kind >= COMMAND_kind_count || kind == COMMAND_none) return 0;
    return (uint32_t)sizeof(struct command_header) + body_sizes[kind];
}

/* A name is text that ends within its field, with zeros behind it. */
int command_text_is_valid(const char *text, size_t size)
{
    size_t length = 0;
    while (length < size && text[length] != 0) {
        unsigned char c = (unsigned char)text[length];
        if (c < 0x20 || c == 0x7f) return 0;
        length += 1;
    }
    if (length == size) return 0;
    for (size_t i = length; i < size; i++) {
        if (text[i] != 0) return 0;
    }
    return 1;
}

static int order_new_is_valid(const struct command *c)
{
    const struct command_order_new *o = &c->order_new;
    if (o->side > SIDE_sell || o->type >= ORDER_TYPE_count || o->tif >= TIF_count) return 0;
    if (o->smp_mode >= SMP_count || o->peg >= PEG_count || o->link_type >= LINK_count) return 0;
    if (o->fill_condition >= FILL_CONDITION_count || o->linked_count > LINKED_ORDERS_MAX) return 0;
    if (c->header.size == COMMAND_ORDER_NEW_BARE_SIZE) return o->linked_count == 0;
    if (!command_text_is_valid(o->client_order_id, sizeof o->client_order_id)) return 0;
    if (!command_text_is_valid(o->label, sizeof o->label)) return 0;
    if (c->header.size != COMMAND_ORDER_NEW_TEXT_SIZE + o->linked_count * sizeof o->linked[0])
        return 0;
    for (unsigned i = 0; i < o->linked_count; i++) {
        const struct linked_order *l = &o->linked[i];
        if (l->side > SIDE_sell || l->type >= ORDER_TYPE_count || l->tif >= TIF_count) return 0;
        if (!command_text_is_valid(l->label, sizeof l->label)) return 0;
    }
    return 1;
}

static int mass_quote_is_valid(const struct command *c)
{
    const struct command_mass_quote *q = &c->mass_quote;
    size_t fixed = sizeof c->header + offsetof(struct command_mass_quote, quotes);
    if (c->header.size < fixed || q->count > QUOTES_MAX || q->smp_mode >= SMP_count) return 0;
    if (!command_text_is_valid(q->label, sizeof q->label)) return 0;
    return c->header.size == fixed + q->count * sizeof q->quotes[0];
}

static int product_create_is_valid(const struct command_product_create *p)
{
    return command_text_is_valid(p->name, sizeof p->name) && p->settlement < SETTLEMENT_count &&
           p->algorithm < ALGORITHM_count && p->contract_unit < UNIT_count &&
           p->margin_model < MARGIN_count && p->peak_start_hour < 24 && p->peak_end_hour < 24 &&
           p->lmm_count <= LMM_MAX && p->fee_tier_count <= FEE_TIERS_MAX &&
           command_text_is_valid(p->guards.group, sizeof p->guards.group) &&
           p->spot.zone < SPOT_ZONE_count;
}

static int fund_size_is_valid(const struct command *c)
{
    const struct command_fund_size *f = &c->fund_size;
    size_t fixed = sizeof c->header + offsetof(struct command_fund_size, shares);
    if (c->header.size < fixed || f->count > FUND_SHARES_MAX || f->basis >= FUND_BASIS_count)
        return 0;
    return c->header.size == fixed + f->count * sizeof f->shares[0];
}

/* Of the default fund and of defaults. */
static int default_is_valid(const struct command *c)
{
    switch ((enum command_kind)c->header.kind) {
    case COMMAND_fund_size: return fund_size_is_valid(c);
    case COMMAND_fund_move: return c->fund_move.action < FUND_action_count;
    case COMMAND_default_declare:
        return command_text_is_valid(c->default_declare.reason, sizeof c->default_declare.reason);
    case COMMAND_close_out:
        return command_text_is_valid(c->close_out.reason, sizeof c->close_out.reason);
    case COMMAND_default_step: return c->default_step.action < DEFAULT_action_count;
    case COMMAND_default_hedge:
        return c->default_hedge.side <= SIDE_sell && c->default_hedge.tif < TIF_count;
    case COMMAND_portfolio_open:
        return c->portfolio_open.flags <= (PORTFOLIO_FLAG_CLIENTS | PORTFOLIO_FLAG_HAS_RESERVE);
    default: return 0;
    }
}

static int collateral_is_valid(const struct command *c)
{
    switch ((enum command_kind)c->header.kind) {
    case COMMAND_asset_set:
        return command_text_is_valid(c->asset_set.terms.name, sizeof c->asset_set.terms.name) &&
               command_text_is_valid(c->asset_set.terms.source, sizeof c->asset_set.terms.source) &&
               command_text_is_valid(c->asset_set.reason, sizeof c->asset_set.reason);
    case COMMAND_asset_issue:
        return c->asset_issue.retire <= 1 &&
               command_text_is_valid(c->asset_issue.evidence, sizeof c->asset_issue.evidence);
    case COMMAND_pledge: return c->pledge.release <= 1;
    case COMMAND_collateral_sell:
        return command_text_is_valid(c->collateral_sell.evidence,
                                     sizeof c->collateral_sell.evidence);
    case COMMAND_clearing_set:
        return c->clearing_set.flags < 1u << CLEARING_SETTINGS &&
               command_text_is_valid(c->clearing_set.reason, sizeof c->clearing_set.reason);
    case COMMAND_port_accept:
    case COMMAND_port: return c->port.withdraw <= 1;
    default: return 0;
    }
}

static int index_is_valid(const struct command *c)
{
    if (c->header.kind == COMMAND_index_price)
        return command_text_is_valid(c->index_price.reason, sizeof c->index_price.reason);
    return command_text_is_valid(c->index_create.name, sizeof c->index_create.name) &&
           c->index_create.source_count <= INDEX_SOURCES_MAX;
}

/* A cut command: as many steps as it says. */
static int spot_is_valid(const struct command *c)
{
    const struct command_spot_bid *b = &c->spot_bid;
    if (c->header.kind == COMMAND_spot_result) return c->spot_result.flags <= SPOT_RESULT_OPTIMAL;
    size_t fixed = sizeof c->header + offsetof(struct command_spot_bid, steps);
    if (c->header.size < fixed || b->count < 1 || b->count > SPOT_STEPS_MAX) return 0;
    if (b->kind >= SPOT_BID_count || b->side > SIDE_sell) return 0;
    return c->header.size == fixed + b->count * sizeof b->steps[0];
}

/* Of blocks, busts and position limits. */
static int limit_is_valid(const struct command *c)
{
    switch ((enum command_kind)c->header.kind) {
    case COMMAND_block_propose:
        return c->block_propose.kind < DEAL_count && c->block_propose.side <= SIDE_sell &&
               command_text_is_valid(c->block_propose.reference, sizeof c->block_propose.reference);
    case COMMAND_trade_bust:
        return c->trade_bust.adjust <= 1 &&
               command_text_is_valid(c->trade_bust.reason, sizeof c->trade_bust.reason);
    case COMMAND_limits_set:
        return command_text_is_valid(c->limits_set.reason, sizeof c->limits_set.reason);
    case COMMAND_supply_set:
        return command_text_is_valid(c->supply_set.reason, sizeof c->supply_set.reason);
    case COMMAND_owner_set:
        return command_text_is_valid(c->owner_set.owner, sizeof c->owner_set.owner) &&
               command_text_is_valid(c->owner_set.reason, sizeof c->owner_set.reason);
    case COMMAND_exemption_set:
        return c->exemption_set.kind < LIMIT_RECORD_count &&
               command_text_is_valid(c->exemption_set.owner, sizeof c->exemption_set.owner) &&
               command_text_is_valid(c->exemption_set.reason, sizeof c->exemption_set.reason);
    default: return 0;
    }
}

static int body_is_valid(const struct command *c)
{
    if (c->header.kind >= COMMAND_tender && c->header.kind <= COMMAND_proof_challenge)
        return delivery_command_is_valid(c);
    switch ((enum command_kind)c->header.kind) {
    case COMMAND_order_new: return order_new_is_valid(c);
    case COMMAND_mass_quote: return mass_quote_is_valid(c);
    case COMMAND_product_create: return product_create_is_valid(&c->product_create);
    case COMMAND_instrument_list:
        return command_text_is_valid(c->instrument_list.period, sizeof c->instrument_list.period);
    case COMMAND_account_create:
        return command_text_is_valid(c->account_create.account, sizeof c->account_create.account) &&
               command_text_is_valid(c->account_create.member, sizeof c->account_create.member) &&
               c->account_create.mode < MODE_count && c->account_create.origin < ORIGIN_count;
    case COMMAND_state_set:
        return c->state_set.state < STATE_count &&
               command_text_is_valid(c->state_set.reason, sizeof c->state_set.reason);
    case COMMAND_venue_set:
        return c->venue_set.settings.stale_ns >= 0 && c->venue_set.settings.dual_transfers <= 1 &&
               command_text_is_valid(c->venue_set.reason, sizeof c->venue_set.reason);
    case COMMAND_confirm: return c->confirm.refuse <= 1;
    case COMMAND_asset_set:
    case COMMAND_asset_issue:
    case COMMAND_pledge:
    case COMMAND_collateral_sell:
    case COMMAND_clearing_set:
    case COMMAND_port_accept:
    case COMMAND_port: return collateral_is_valid(c);
    case COMMAND_guards_set:
        return command_text_is_valid(c->guards_set.group, sizeof c->guards_set.group) &&
               command_text_is_valid(c->guards_set.reason, sizeof c->guards_set.reason);
    case COMMAND_cancel_many:
        return c->cancel_many.scope < CANCEL_SCOPE_count && c->cancel_many.side <= SIDE_sell &&
               command_text_is_valid(c->cancel_many.label, sizeof c->cancel_many.label);
    case COMMAND_block_propose:
    case COMMAND_trade_bust:
    case COMMAND_limits_set:
    case COMMAND_supply_set:
    case COMMAND_owner_set:
    case COMMAND_exemption_set: return limit_is_valid(c);
    case COMMAND_margin_set:
    case COMMAND_margin_inter:
    case COMMAND_margin_flat:
    case COMMAND_margin_run:
    case COMMAND_margin_result: return margin_command_is_valid(c);
    case COMMAND_spot_bid:
    case COMMAND_spot_result: return spot_is_valid(c);
    case COMMAND_certification_set:
    case COMMAND_accredit:
    case COMMAND_certificate_submit:
    case COMMAND_certificate_end:
    case COMMAND_token_issue:
    case COMMAND_token_transfer:
    case COMMAND_token_pledge: return compute_command_is_valid(c);
    case COMMAND_settle_day: return c->settle_day.cycle < SETTLEMENT_CYCLES;
    case COMMAND_index_create:
    case COMMAND_index_price: return index_is_valid(c);
    case COMMAND_fund_size:
    case COMMAND_fund_move:
    case COMMAND_default_declare:
    case COMMAND_close_out:
    case COMMAND_default_step:
    case COMMAND_default_hedge:
    case COMMAND_portfolio_open: return default_is_valid(c);
    default: return 1;
    }
}

int command_is_valid(const struct command *c, size_t bytes)
{
    if (bytes < sizeof c->header || c->header.size != bytes || bytes % 8 != 0) return 0;
    uint32_t full = command_size_full((enum command_kind)c->header.kind);
    if (full == 0 || bytes > full) return 0;
    int cut = c->header.kind == COMMAND_order_new || c->header.kind == COMMAND_mass_quote ||
              c->header.kind == COMMAND_margin_result ||
              c->header.kind == COMMAND_fund_size || c->header.kind == COMMAND_spot_bid;
    if (!cut && bytes != full) return 0;
    if (c->header.kind == COMMAND_order_new && bytes < COMMAND_ORDER_NEW_BARE_SIZE) return 0;
    return body_is_valid(c);
}
