/* rpc_order.c: entering, changing and cancelling orders; MATCH-02 to MATCH-05, MATCH-09.
 *
 * Amounts and prices that are not whole or too fine go to the core with a flag that says so, and
 * the core refuses them where reject.def has their turn. */
#include "gate/rpc_internal.h"

#include <string.h>

static const struct param_spec linked_specs[] = {
    {.name = "direction", .kind = PARAM_enum, .required = REQUIRED, .names = rpc_side_names},
    {.name = "amount", .kind = PARAM_decimal},
    {.name = "contracts", .kind = PARAM_decimal},
    {.name = "type", .kind = PARAM_enum, .names = order_type_words},
    {.name = "label", .kind = PARAM_text, .max = 64},
    {.name = "price", .kind = PARAM_decimal},
    {.name = "time_in_force", .kind = PARAM_enum, .names = tif_words},
    {.name = "max_show", .kind = PARAM_decimal},
    {.name = "post_only", .kind = PARAM_bool},
    {.name = "reject_post_only", .kind = PARAM_bool},
    {.name = "reduce_only", .kind = PARAM_bool},
    {.name = "trigger_price", .kind = PARAM_decimal},
    {.name = "trigger_offset", .kind = PARAM_decimal},
    {.name = "trigger", .kind = PARAM_text, .max = 20},
    {.name = NULL},
};

static const struct param_spec side_specs[] = {
    {.name = "price", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = "amount", .kind = PARAM_decimal, .required = REQUIRED},
    {.name = NULL},
};

static const struct param_spec quote_specs[] = {
    {.name = "instrument_name", .kind = PARAM_text, .required = REQUIRED, .max = 63},
    {.name = "bid", .kind = PARAM_object},
    {.name = "ask", .kind = PARAM_object},
    {.name = "post_only", .kind = PARAM_bool},
    {.name = "reject_post_only", .kind = PARAM_bool},
    {.name = NULL},
};

/* ---- numbers ---- */

/* More digits than 10^-6 are off any tick; what does not fit int64 is out of any range. */
static price_t price_get(const struct rpc_call *c, uint32_t object, const char *name,
                         uint32_t *flags, uint32_t has, uint32_t inexact)
{
    int64_t v;
    if (param_find(c, object, name) == 0) return PRICE(0);
    *flags |= has;
    if (param_decimal(c, object, name, 6, &v) == DECIMAL_inexact) *flags |= inexact;
    return PRICE(v);
}

static qty_t qty_get(const struct rpc_call *c, uint32_t object, const char *name, uint32_t *flags,
                     uint32_t has, uint32_t inexact)
{
    int64_t v;
    if (param_find(c, object, name) == 0) return QTY(0);
    *flags |= has;
    if (param_decimal(c, object, name, 0, &v) != DECIMAL_exact) *flags |= inexact;
    return QTY(v);
}

/* Deribit calls it `amount` or `contracts`: here both are lots. */
static qty_t amount_get(const struct rpc_call *c, uint32_t object, uint32_t *flags)
{
    const char *name = param_find(c, object, "amount") != 0 ? "amount" : "contracts";
    return qty_get(c, object, name, flags, ORDER_FLAG_HAS_QTY, ORDER_FLAG_QTY_INEXACT);
}

static ts_t ms_get(const struct rpc_call *c, uint32_t object, const char *name)
{
    int64_t ms = param_int(c, object, name, 0);
    return TS(ms > INT64_MAX / NS_PER_MS ? INT64_MAX : ms * NS_PER_MS);
}

static uint32_t bools_get(const struct rpc_call *c, uint32_t object)
{
    uint32_t flags = 0;
    if (param_bool(c, object, "post_only", false)) flags |= ORDER_FLAG_POST_ONLY;
    if (param_bool(c, object, "reject_post_only", false)) flags |= ORDER_FLAG_REJECT_POST_ONLY;
    if (param_bool(c, object, "reduce_only", false)) flags |= ORDER_FLAG_REDUCE_ONLY;
    return flags;
}

/* A number is its value, text its hash with the highest bit set, so that the two never meet. */
static uint64_t smp_id_get(const struct rpc_call *c)
{
    char text[72];
    int64_t v;
    size_t n = param_text(c, c->params, "smp_id", text, sizeof text);
    if (n == 0) return 0;
    if (decimal_parse(text, n, 0, &v) == DECIMAL_exact && v > 0 && text[0] != '-')
        return (uint64_t)v;
    return text_hash(text, n) | UINT64_C(1) << 63;
}

static uint8_t smp_mode_get(const struct rpc_call *c)
{
    return (uint8_t)(param_enum(c, c->params, "smp_mode", rpc_smp_names + 1, -1) + 1);
}

static uint64_t order_id_get(const struct rpc_call *c)
{
    char text[24];
    int64_t v;
    size_t n = param_text(c, c->params, "order_id", text, sizeof text);
    return decimal_parse(text, n, 0, &v) == DECIMAL_exact && v > 0 ? (uint64_t)v : 0;
}

/* Distance of a trailing stop in price, of a peg in ticks of its instrument. */
static int offset_get(struct rpc_call *c, uint32_t object, uint32_t instrument, uint32_t *flags,
                      price_t *offset)
{
    const struct event_instrument *i = directory_instrument(c->names, instrument);
    int64_t ticks;
    if (param_find(c, object, "trigger_offset") != 0) {
        *offset = price_get(c, object, "trigger_offset", flags, ORDER_FLAG_HAS_OFFSET,
                            ORDER_FLAG_TRIGGER_INEXACT);
        return REJECT_none;
    }
    if (param_find(c, object, "offset") == 0) return REJECT_none;
    if (param_decimal(c, object, "offset", 0, &ticks) != DECIMAL_exact)
        return malformed(c, "offset");
    *flags |= ORDER_FLAG_HAS_OFFSET;
    if (i != NULL && __builtin_mul_overflow(ticks, i->tick.v, &offset->v))
        return malformed(c, "offset");
    return REJECT_none;
}

/* Triggers look at the last trade, and at nothing else. */
static int trigger_check(struct rpc_call *c, uint32_t object)
{
    uint32_t token = param_find(c, object, "trigger");
    if (token != 0 && !json_equals(c->json, token, "last_price") &&
        !json_equals(c->json, token, "last"))
        return malformed(c, "trigger");
    return REJECT_none;
}

/* ---- private/buy, private/sell ---- */

static int linked_one(struct rpc_call *c, uint32_t object, struct linked_order *l)
{
    int reason = params_check(c, object, linked_specs);
    if (reason == REJECT_none) reason = trigger_check(c, object);
    if (reason != REJECT_none) return reason;
    l->flags = bools_get(c, object);
    l->side = (uint8_t)param_enum(c, object, "direction", rpc_side_names, 0);
    l->type = (uint8_t)param_enum(c, object, "type", order_type_words, ORDER_TYPE_limit);
    l->tif = (uint8_t)param_enum(c, object, "time_in_force", tif_words, 0);
    l->price = price_get(c, object, "price", &l->flags, ORDER_FLAG_HAS_PRICE,
                         ORDER_FLAG_PRICE_INEXACT);
    l->trigger = price_get(c, object, "trigger_price", &l->flags, ORDER_FLAG_HAS_TRIGGER,
                           ORDER_FLAG_TRIGGER_INEXACT);
    l->offset = price_get(c, object, "trigger_offset", &l->flags, ORDER_FLAG_HAS_OFFSET,
                          ORDER_FLAG_TRIGGER_INEXACT);
    l->qty = amount_get(c, object, &l->flags);
    l->max_show = qty_get(c, object, "max_show", &l->flags, ORDER_FLAG_HAS_MAX_SHOW,
                          ORDER_FLAG_MAX_SHOW_INEXACT);
    param_text(c, object, "label", l->label, sizeof l->label);
    return REJECT_none;
}

static int linked_get(struct rpc_call *c, struct command_order_new *o)
{
    uint32_t array = param_find(c, c->params, "otoco_config");
    o->link_type =
        (uint8_t)(param_enum(c, c->params, "linked_order_type", rpc_link_names + 1, -1) + 1);
    o->fill_condition =
        (uint8_t)param_enum(c, c->params, "trigger_fill_condition", rpc_fill_condition_names, 0);
    if ((o->link_type == LINK_none) != (array == 0)) return malformed(c, "linked_order_type");
    if (array == 0) return REJECT_none;
    uint32_t count = json_array_count(c->json, array);
    if (count == 0 || count > LINKED_ORDERS_MAX) return malformed(c, "otoco_config");
    const struct json_token *tokens = c->json->tokens;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        if (tokens[i].kind != JSON_object) return malformed(c, "otoco_config");
        int reason = linked_one(c, i, &o->linked[o->linked_count]);
        if (reason != REJECT_none) return reason;
        o->linked_count += 1;
    }
    return REJECT_none;
}

static void order_new_numbers(struct rpc_call *c, struct command_order_new *o)
{
    uint32_t p = c->params;
    o->price = price_get(c, p, "price", &o->flags, ORDER_FLAG_HAS_PRICE, ORDER_FLAG_PRICE_INEXACT);
    o->trigger = price_get(c, p, "trigger_price", &o->flags, ORDER_FLAG_HAS_TRIGGER,
                           ORDER_FLAG_TRIGGER_INEXACT);
    o->qty = amount_get(c, p, &o->flags);
    o->max_show = qty_get(c, p, "max_show", &o->flags, ORDER_FLAG_HAS_MAX_SHOW,
                          ORDER_FLAG_MAX_SHOW_INEXACT);
    o->min_qty = qty_get(c, p, "min_quantity", &o->flags, 0, ORDER_FLAG_MIN_QTY_INEXACT);
    o->smp_id = smp_id_get(c);
    o->smp_mode = smp_mode_get(c);
    if (o->smp_mode != SMP_none) o->flags |= ORDER_FLAG_HAS_SMP_MODE;
    o->expires_at = ms_get(c, p, "expires_at");
    if (param_find(c, p, "expires_at") != 0) o->flags |= ORDER_FLAG_HAS_EXPIRES_AT;
    o->valid_until = ms_get(c, p, "valid_until");
    char target[24];
    int64_t id;
    size_t n = param_text(c, p, "target_order_id", target, sizeof target);
    if (decimal_parse(target, n, 0, &id) == DECIMAL_exact && id > 0)
        o->target_order_id = (uint64_t)id;
}

static int order_new_build(struct rpc_call *c, enum side side)
{
    struct command *cmd = command_begin(c, COMMAND_order_new,
                                        sizeof cmd->header + sizeof cmd->order_new);
    struct command_order_new *o = &cmd->order_new;
    uint32_t p = c->params;
    /* The core refuses instrument 0, so that a client_order_id has its turn (MATCH-05). */
    instrument_of(c, "instrument_name", &o->instrument);
    o->flags = bools_get(c, p);
    o->side = (uint8_t)side;
    o->type = (uint8_t)param_enum(c, p, "type", order_type_words, ORDER_TYPE_limit);
    o->tif = (uint8_t)param_enum(c, p, "time_in_force", tif_words, TIF_good_til_cancelled);
    o->peg = (uint8_t)(param_enum(c, p, "peg", rpc_peg_names + 1, -1) + 1);
    order_new_numbers(c, o);
    int reason = trigger_check(c, p);
    if (reason == REJECT_none) reason = offset_get(c, p, o->instrument, &o->flags, &o->offset);
    if (reason == REJECT_none) reason = linked_get(c, o);
    if (reason != REJECT_none) return reason;
    size_t texts = param_text(c, p, "client_order_id", o->client_order_id,
                              sizeof o->client_order_id);
    if (texts > 0) cmd->header.flags |= COMMAND_FLAG_REPEAT_SAFE;
    texts += param_text(c, p, "label", o->label, sizeof o->label);
    if (texts == 0 && o->linked_count == 0)
        cmd->header.size = COMMAND_ORDER_NEW_BARE_SIZE;
    else
        cmd->header.size = (uint32_t)(COMMAND_ORDER_NEW_TEXT_SIZE +
                                      o->linked_count * sizeof o->linked[0]);
    return REJECT_none;
}

/* ---- answers ---- */

/* Whether an event belongs to the answer: all do, unless some repeat the first answer. */
static bool repeats(const struct outbox *events)
{
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->flags & EVENT_FLAG_REPEAT) return true;
    }
    return false;
}

/* The order that a command entered: the account's first new one. Orders that fell due before the
 * command was applied, or that its trades set off, have other causes. */
static uint64_t order_entered(const struct rpc_call *c, const struct outbox *events)
{
    bool again = repeats(events);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->kind != EVENT_order || (again && !(h->flags & EVENT_FLAG_REPEAT))) continue;
        if (o->account == c->caller->account && o->cause == CAUSE_new) return o->order_id;
    }
    return 0;
}

static const struct event_order *order_last(const struct outbox *events, uint64_t id)
{
    const struct event_order *found = NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->kind == EVENT_order && o->order_id == id) found = o;
    }
    return found;
}

static const struct event_order_text *text_of(const struct outbox *events, uint64_t id)
{
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_order_text *t = (const struct event_order_text *)(const void *)h;
        if (h->kind == EVENT_order_text && t->order_id == id) return t;
    }
    return NULL;
}

static void trades_write(struct rpc_call *c, const struct outbox *events,
                         const struct event_order *order)
{
    json_key(c->out, "trades");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        if (h->kind != EVENT_trade || t->kind == TRADE_implied_leg) continue;
        for (int side = SIDE_buy; side <= SIDE_sell; side++) {
            if (t->order_id[side] == order->order_id)
                rpc_write_trade(c->out, c->names, t, side, order);
        }
    }
    json_close_array(c->out);
}

static void order_result_write(struct rpc_call *c, const struct outbox *events, uint64_t id,
                               const struct event_order_text *text)
{
    const struct event_order *last = order_last(events, id);
    json_open_object(c->out);
    if (last != NULL) {
        struct event_order order = *last;
        bool edited = c->command->header.kind == COMMAND_order_edit;
        if (edited && order.state == ORDER_STATE_open) order.cause = CAUSE_edited;
        json_key(c->out, "order");
        rpc_write_order(c->out, c->names, &order, text);
        trades_write(c, events, &order);
    }
    json_close_object(c->out);
}

static int order_enter(struct rpc_call *c, enum side side)
{
    const struct outbox *events;
    uint32_t account;
    int reason = order_new_build(c, side);
    if (reason == REJECT_none) reason = account_own(c, &account);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    uint64_t id = order_entered(c, events);
    order_result_write(c, events, id, text_of(events, id));
    return REJECT_none;
}

int rpc_buy(struct rpc_call *c) { return order_enter(c, SIDE_buy); }
int rpc_sell(struct rpc_call *c) { return order_enter(c, SIDE_sell); }

/* ---- private/edit, private/cancel ---- */

/* Label and client order id, which only the first event of an order carries. */
static bool text_ask(struct rpc_call *c, uint64_t id, struct event_order_text *text)
{
    if (id == 0) return false;
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_order, .account = c->caller->account, .order_id = id});
    const struct event_order_text *t = text_of(events, id);
    if (t != NULL) *text = *t;
    return t != NULL;
}

static int edit_build(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_order_edit,
                                        sizeof cmd->header + sizeof cmd->order_edit);
    struct command_order_edit *e = &cmd->order_edit;
    uint32_t p = c->params;
    e->order_id = order_id_get(c);
    e->flags = bools_get(c, p);
    if (param_find(c, p, "post_only") != 0) e->flags |= ORDER_FLAG_HAS_POST_ONLY;
    if (param_find(c, p, "reduce_only") != 0) e->flags |= ORDER_FLAG_HAS_REDUCE_ONLY;
    e->price = price_get(c, p, "price", &e->flags, ORDER_FLAG_HAS_PRICE, ORDER_FLAG_PRICE_INEXACT);
    e->trigger = price_get(c, p, "trigger_price", &e->flags, ORDER_FLAG_HAS_TRIGGER,
                           ORDER_FLAG_TRIGGER_INEXACT);
    e->qty = amount_get(c, p, &e->flags);
    e->max_show = qty_get(c, p, "max_show", &e->flags, ORDER_FLAG_HAS_MAX_SHOW,
                          ORDER_FLAG_MAX_SHOW_INEXACT);
    e->valid_until = ms_get(c, p, "valid_until");
    return trigger_check(c, p);
}

int rpc_edit(struct rpc_call *c)
{
    const struct outbox *events;
    struct event_order_text text;
    uint32_t account, instrument = 0;
    uint64_t id = order_id_get(c);
    int reason = account_own(c, &account);
    if (reason != REJECT_none) return reason;
    bool has_text = text_ask(c, id, &text);
    if (param_find(c, c->params, "offset") != 0 && id != 0) { /* ticks: of which instrument */
        events = query_ask(c, &(struct query){.kind = QUERY_order, .account = account,
                                              .order_id = id});
        const struct event_order *o = event_find(events, EVENT_order);
        instrument = o == NULL ? 0 : o->instrument;
    }
    reason = edit_build(c);
    struct command_order_edit *e = &c->command->order_edit;
    if (reason == REJECT_none) reason = offset_get(c, c->params, instrument, &e->flags, &e->offset);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    order_result_write(c, events, id, has_text ? &text : NULL);
    return REJECT_none;
}

int rpc_cancel(struct rpc_call *c)
{
    const struct outbox *events;
    struct event_order_text text;
    uint32_t account;
    uint64_t id = order_id_get(c);
    int reason = account_own(c, &account);
    if (reason != REJECT_none) return reason;
    bool has_text = text_ask(c, id, &text);
    struct command *cmd = command_begin(c, COMMAND_order_cancel,
                                        sizeof cmd->header + sizeof cmd->order_cancel);
    cmd->order_cancel.order_id = id;
    reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_order *order = order_last(events, id);
    if (order == NULL) return REJECT_unknown_order;
    rpc_write_order(c->out, c->names, order, has_text ? &text : NULL);
    return REJECT_none;
}

/* ---- cancel many ---- */

static struct command_cancel_many *cancel_begin(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_cancel_many,
                                        sizeof cmd->header + sizeof cmd->cancel_many);
    struct command_cancel_many *m = &cmd->cancel_many;
    if (param_find(c, c->params, "side") != 0) {
        m->select |= CANCEL_SELECT_SIDE;
        m->side = (uint32_t)param_enum(c, c->params, "side", rpc_side_names, 0);
    }
    if (param_bool(c, c->params, "session", false)) m->select |= CANCEL_SELECT_SESSION;
    if (param_bool(c, c->params, "quotes", false)) m->select |= CANCEL_SELECT_QUOTES;
    uint32_t type = param_find(c, c->params, "type");
    if (type != 0 && json_equals(c->json, type, "trigger_all")) m->select |= CANCEL_SELECT_TRIGGER;
    if (type != 0 && json_equals(c->json, type, "limit")) m->select |= CANCEL_SELECT_RESTING;
    if (param_find(c, c->params, "label") != 0) {
        m->select |= CANCEL_SELECT_LABEL;
        param_text(c, c->params, "label", m->label, sizeof m->label);
    }
    return m;
}

static int cancel_submit(struct rpc_call *c, uint64_t *count)
{
    const struct outbox *events;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_count *e = event_find(events, EVENT_count);
    *count += e == NULL ? 0 : e->count;
    return REJECT_none;
}

static int cancel_instruments(struct rpc_call *c, const struct currency *currency, uint64_t *count)
{
    int reason = REJECT_none;
    uint32_t instruments = directory_count(c->names, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= instruments && reason == REJECT_none; i++) {
        if (!currency_has(c, currency, i)) continue;
        cancel_begin(c)->instrument = i;
        reason = cancel_submit(c, count);
    }
    return reason;
}

static int cancel_run(struct rpc_call *c)
{
    struct currency currency;
    uint32_t account, instrument, product;
    uint64_t count = 0;
    int reason = account_own(c, &account);
    if (reason == REJECT_none) reason = product_of(c, "product", &product);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &instrument);
    if (reason == REJECT_none) reason = currency_of(c, &currency);
    if (reason != REJECT_none) return reason;
    if (currency.text[0] != 0 && currency.product == 0 && instrument == 0) {
        reason = cancel_instruments(c, &currency, &count);
    } else {
        struct command_cancel_many *m = cancel_begin(c);
        m->instrument = instrument;
        m->product = product != 0 ? product : currency.product;
        reason = cancel_submit(c, &count);
    }
    if (reason == REJECT_none) json_uint(c->out, count);
    return reason;
}

int rpc_cancel_by_label(struct rpc_call *c) { return cancel_run(c); }
int rpc_cancel_all(struct rpc_call *c) { return cancel_run(c); }
int rpc_cancel_all_by_instrument(struct rpc_call *c) { return cancel_run(c); }
int rpc_cancel_all_by_currency(struct rpc_call *c) { return cancel_run(c); }

int rpc_officer_cancel_all(struct rpc_call *c)
{
    uint32_t account, member, instrument, product;
    uint64_t count = 0;
    int reason = account_named(c, "account", &account);
    if (reason == REJECT_none) reason = member_of(c, "member", &member);
    if (reason == REJECT_none) reason = product_of(c, "product", &product);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &instrument);
    if (reason != REJECT_none) return reason;
    if ((account == 0) == (member == 0)) return malformed(c, "account or member");
    struct command_cancel_many *m = cancel_begin(c);
    c->command->header.account = account;
    m->scope = member != 0 ? CANCEL_SCOPE_member : CANCEL_SCOPE_account;
    m->member = member;
    m->instrument = instrument;
    m->product = product;
    reason = cancel_submit(c, &count);
    if (reason == REJECT_none) json_uint(c->out, count);
    return reason;
}

/* ---- private/mass_quote ---- */

static int quote_side(struct rpc_call *c, uint32_t object, const char *name, uint32_t *flags,
                      price_t *price, qty_t *qty)
{
    uint32_t side = param_find(c, object, name);
    if (side == 0) return REJECT_none;
    int reason = params_check(c, side, side_specs);
    if (reason != REJECT_none) return reason;
    *price = price_get(c, side, "price", flags, ORDER_FLAG_HAS_PRICE, ORDER_FLAG_PRICE_INEXACT);
    *qty = qty_get(c, side, "amount", flags, ORDER_FLAG_HAS_QTY, ORDER_FLAG_QTY_INEXACT);
    return REJECT_none;
}

static int quote_get(struct rpc_call *c, uint32_t object, struct quote *q)
{
    char name[INSTRUMENT_NAME_SIZE];
    if (c->json->tokens[object].kind != JSON_object) return malformed(c, "quotes");
    int reason = params_check(c, object, quote_specs);
    if (reason != REJECT_none) return reason;
    size_t n = param_text(c, object, "instrument_name", name, sizeof name);
    q->instrument = directory_find(c->names, DIRECTORY_instrument, name, n);
    q->flags = bools_get(c, object);
    q->ask_flags = q->flags;
    reason = quote_side(c, object, "bid", &q->flags, &q->bid_price, &q->bid_qty);
    if (reason == REJECT_none)
        reason = quote_side(c, object, "ask", &q->ask_flags, &q->ask_price, &q->ask_qty);
    return reason;
}

static int mass_quote_build(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_mass_quote,
                                        sizeof cmd->header + sizeof cmd->mass_quote);
    struct command_mass_quote *m = &cmd->mass_quote;
    uint32_t array = param_find(c, c->params, "quotes");
    uint32_t count = json_array_count(c->json, array);
    if (count == 0 || count > QUOTES_MAX) return malformed(c, "quotes");
    const struct json_token *tokens = c->json->tokens;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        int reason = quote_get(c, i, &m->quotes[m->count]);
        if (reason != REJECT_none) return reason;
        m->count += 1;
    }
    m->smp_id = smp_id_get(c);
    m->smp_mode = smp_mode_get(c);
    m->valid_until = ms_get(c, c->params, "valid_until");
    param_text(c, c->params, "label", m->label, sizeof m->label);
    cmd->header.size = (uint32_t)(sizeof cmd->header + offsetof(struct command_mass_quote, quotes) +
                                  m->count * sizeof m->quotes[0]);
    return REJECT_none;
}

static void quote_orders_write(struct rpc_call *c, const struct outbox *events)
{
    json_key(c->out, "orders");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->kind != EVENT_order || o->account != c->caller->account) continue;
        if (order_last(events, o->order_id) != o) continue;
        rpc_write_order(c->out, c->names, o, text_of(events, o->order_id));
    }
    json_close_array(c->out);
}

static void quote_trades_write(struct rpc_call *c, const struct outbox *events)
{
    json_key(c->out, "trades");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        if (h->kind != EVENT_trade || t->kind == TRADE_implied_leg) continue;
        for (int side = SIDE_buy; side <= SIDE_sell; side++) {
            if (t->account[side] == c->caller->account)
                rpc_write_trade(c->out, c->names, t, side, NULL);
        }
    }
    json_close_array(c->out);
}

static void quote_errors_write(struct rpc_call *c, const struct outbox *events)
{
    json_key(c->out, "errors");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_reject *e = (const struct event_reject *)(const void *)h;
        if (h->kind != EVENT_reject || e->command != COMMAND_mass_quote) continue;
        const struct reject_text *t = reject_text((enum reject)e->reason);
        json_open_object(c->out);
        json_key_int(c->out, "entry", e->entry);
        json_key_int(c->out, "code", t->code);
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, e->instrument));
        json_key_string(c->out, "reason", t->name);
        json_key_string(c->out, "rule", t->rule);
        json_key_string(c->out, "sentence", t->sentence);
        json_close_object(c->out);
    }
    json_close_array(c->out);
}

int rpc_mass_quote(struct rpc_call *c)
{
    const struct outbox *events;
    uint32_t account;
    int reason = mass_quote_build(c);
    if (reason == REJECT_none) reason = account_own(c, &account);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    quote_orders_write(c, events);
    quote_trades_write(c, events);
    quote_errors_write(c, events);
    json_close_object(c->out);
    return REJECT_none;
}
