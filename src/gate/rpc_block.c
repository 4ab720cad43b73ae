/* rpc_block.c: blocks, EFP and EFRP (MATCH-11); trades that are busted or adjusted (MATCH-10). */
#include "gate/rpc_limit.h"

#include <string.h>

enum { BLOCK_WINDOW_MINUTES = 15, BUST_WINDOW_MINUTES = 8, WINDOW_MINUTES_MAX = 24 * 60 };
#define NS_PER_MINUTE (60 * NS_PER_SECOND)

const char *const rpc_deal_names[] = {"block", "efp", "efrp", NULL};

/* ---- a product's terms ---- */

static const struct param_spec blocks_specs[] = {
    {.name = "minimum", .kind = PARAM_int},
    {.name = "window_minutes", .kind = PARAM_int},
    {.name = "price_range", .kind = PARAM_decimal},
    {.name = NULL},
};
static const struct param_spec busts_specs[] = {
    {.name = "no_bust_range", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = "window_minutes", .kind = PARAM_int},
    {.name = NULL},
};

static int window_get(struct rpc_call *c, uint32_t object, int64_t otherwise, int64_t *ns)
{
    int64_t minutes = param_int(c, object, "window_minutes", otherwise);
    if (minutes < 1 || minutes > WINDOW_MINUTES_MAX) return malformed(c, "window_minutes");
    *ns = minutes * NS_PER_MINUTE;
    return REJECT_none;
}

int offbook_get(struct rpc_call *c, struct product_offbook *o)
{
    uint32_t blocks = param_find(c, c->params, "blocks");
    uint32_t busts = param_find(c, c->params, "busts");
    int reason = REJECT_none;
    *o = (struct product_offbook){0};
    if (blocks != 0) {
        reason = params_check(c, blocks, blocks_specs);
        if (reason != REJECT_none) return reason;
        reason = param_lots(c, blocks, "minimum", &o->block_minimum);
        if (reason == REJECT_none)
            reason = window_get(c, blocks, BLOCK_WINDOW_MINUTES, &o->window_ns);
        if (reason == REJECT_none)
            reason = param_fixed(c, blocks, "price_range", 0, PRICE_MAX, &o->block_range.v);
    }
    if (busts != 0 && reason == REJECT_none) {
        reason = params_check(c, busts, busts_specs);
        if (reason == REJECT_none)
            reason = window_get(c, busts, BUST_WINDOW_MINUTES, &o->bust_window_ns);
        if (reason == REJECT_none)
            reason = param_fixed(c, busts, "no_bust_range", 0, PRICE_MAX, &o->no_bust_range.v);
    }
    return reason;
}

void offbook_write(struct rpc_call *c, const struct product_offbook *o)
{
    if (o->window_ns != 0) {
        json_key(c->out, "blocks");
        json_open_object(c->out);
        json_key_int(c->out, "minimum", o->block_minimum.v);
        json_key_int(c->out, "window_minutes", o->window_ns / NS_PER_MINUTE);
        json_key_price(c->out, "price_range", o->block_range);
        json_close_object(c->out);
    }
    if (o->bust_window_ns != 0) {
        json_key(c->out, "busts");
        json_open_object(c->out);
        json_key_price(c->out, "no_bust_range", o->no_bust_range);
        json_key_int(c->out, "window_minutes", o->bust_window_ns / NS_PER_MINUTE);
        json_close_object(c->out);
    }
}

/* ---- blocks ---- */

static void block_write(struct rpc_call *c, const struct deal *d)
{
    json_open_object(c->out);
    json_key_int(c->out, "block_id", (int64_t)d->id);
    json_key_string(c->out, "state", d->state < DEAL_STATE_count ? deal_state_words[d->state] : "");
    json_key_string(c->out, "kind", rpc_deal_names[d->kind % DEAL_count]);
    json_key_string(c->out, "instrument_name",
                    directory_name(c->names, DIRECTORY_instrument, d->instrument));
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, d->account));
    json_key_string(c->out, "counterparty",
                    directory_name(c->names, DIRECTORY_account, d->counterparty));
    json_key_string(c->out, "side", rpc_side_names[d->side & 1]);
    json_key_int(c->out, "amount", d->qty.v);
    json_key_price(c->out, "price", d->price);
    json_key_ms(c->out, "executed_at", d->executed_at);
    json_key_ms(c->out, "expires_at", d->deadline);
    json_key_string(c->out, "reference", d->reference);
    if (d->trade_id != 0) {
        json_key(c->out, "trade_id");
        json_uint_text(c->out, d->trade_id);
    }
    json_close_object(c->out);
}

static int block_submit(struct rpc_call *c)
{
    const struct outbox *events;
    const struct event_block *found = NULL; /* the last: before it, what expired meanwhile */
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_block) found = (const struct event_block *)(const void *)h;
    }
    if (found == NULL) return REJECT_unknown_block;
    block_write(c, &found->deal);
    return REJECT_none;
}

int rpc_block_propose(struct rpc_call *c)
{
    uint32_t instrument, account, counterparty;
    int reason = account_own(c, &account);
    if (reason == REJECT_none) reason = account_named(c, "counterparty", &counterparty);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &instrument);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_block_propose,
                                        sizeof cmd->header + sizeof cmd->block_propose);
    struct command_block_propose *p = &cmd->block_propose;
    cmd->header.account = account;
    p->instrument = instrument;
    p->counterparty = counterparty;
    p->kind = (uint8_t)param_enum(c, c->params, "kind", rpc_deal_names, DEAL_block);
    p->side = (uint8_t)param_enum(c, c->params, "side", rpc_side_names, SIDE_buy);
    if (param_decimal(c, c->params, "amount", 0, &p->qty.v) != DECIMAL_exact) p->inexact |= 1;
    enum decimal_result exact = param_decimal(c, c->params, "price", 6, &p->price.v);
    if (exact == DECIMAL_inexact) p->inexact |= 2;
    else if (exact != DECIMAL_exact) return REJECT_invalid_price;
    p->executed_at = TS(c->now.v / NS_PER_MS * NS_PER_MS);
    reason = param_time(c, c->params, "executed_at", &p->executed_at);
    if (reason != REJECT_none) return reason;
    param_text(c, c->params, "reference", p->reference, sizeof p->reference);
    if (p->kind != DEAL_block && p->reference[0] == 0) return malformed(c, "reference");
    return block_submit(c);
}

static int block_decide(struct rpc_call *c, uint32_t yes)
{
    uint32_t account;
    int reason = account_own(c, &account);
    if (reason != REJECT_none) return reason;
    struct command *cmd = command_begin(c, COMMAND_block_answer,
                                        sizeof cmd->header + sizeof cmd->block_answer);
    cmd->header.account = account;
    cmd->block_answer.block = (uint64_t)param_int(c, c->params, "block_id", 0);
    cmd->block_answer.accept = yes;
    return block_submit(c);
}

int rpc_block_accept(struct rpc_call *c) { return block_decide(c, 1); }
int rpc_block_decline(struct rpc_call *c) { return block_decide(c, 0); }

int rpc_get_blocks(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_read(c, &account);
    if (reason != REJECT_none) return reason;
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_blocks, .account = account});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_block)
            block_write(c, &((const struct event_block *)(const void *)h)->deal);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- busts ---- */

static void bust_write(struct rpc_call *c, const struct event_trade_bust *b)
{
    json_open_object(c->out);
    json_key(c->out, "trade_id");
    json_uint_text(c->out, b->trade_id);
    json_key_string(c->out, "instrument_name",
                    directory_name(c->names, DIRECTORY_instrument, b->instrument));
    json_key_string(c->out, "state", b->adjusted != 0 ? "adjusted" : "busted");
    json_key_price(c->out, "price", b->price);
    json_key_int(c->out, "amount", b->qty.v);
    if (b->adjusted != 0) {
        json_key_price(c->out, "adjusted_price", b->adjusted_price);
        json_key(c->out, "adjusted_trade_id");
        json_uint_text(c->out, b->adjusted_trade_id);
    }
    json_key_string(c->out, "reason", b->reason);
    json_close_object(c->out);
}

void bust_asks(struct rpc_call *c, const struct command_trade_bust *b)
{
    json_key(c->out, "trade_id");
    json_uint_text(c->out, b->trade_id);
    json_key_string(c->out, "state", b->adjust != 0 ? "adjusted" : "busted");
    if (b->has_price != 0) json_key_price(c->out, "price", b->price);
}

static bool id_get(struct rpc_call *c, const char *name, uint64_t *id)
{
    char text[24];
    size_t length = param_text(c, c->params, name, text, sizeof text);
    *id = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || *id > UINT64_MAX / 100) return false;
        *id = *id * 10 + (uint64_t)(text[i] - '0');
    }
    return length > 0;
}

static int bust(struct rpc_call *c, uint32_t adjust)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_trade_bust,
                                        sizeof cmd->header + sizeof cmd->trade_bust);
    struct command_trade_bust *b = &cmd->trade_bust;
    if (!id_get(c, "trade_id", &b->trade_id)) return malformed(c, "trade_id");
    b->adjust = adjust;
    param_text(c, c->params, "reason", b->reason, sizeof b->reason);
    if (adjust != 0 && param_find(c, c->params, "price") != 0) {
        b->has_price = 1;
        if (param_decimal(c, c->params, "price", 6, &b->price.v) != DECIMAL_exact)
            return REJECT_invalid_price;
    }
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    if (request_answer(c, events)) return REJECT_none;
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_trade_bust)
            bust_write(c, (const struct event_trade_bust *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_bust_trade(struct rpc_call *c) { return bust(c, 0); }
int rpc_adjust_trade(struct rpc_call *c) { return bust(c, 1); }
