/* rpc_account.c: what an account may know of itself, and an auditor or officer of any. */
#include "gate/rpc_internal.h"

#include <string.h>

enum { COUNT_MAX = 1000, COUNT_DEFAULT = 20 };

static const struct event_order_text *text_of(const struct outbox *events, uint64_t id)
{
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_order_text *t = (const struct event_order_text *)(const void *)h;
        if (h->kind == EVENT_order_text && t->order_id == id) return t;
    }
    return NULL;
}

/* ---- balances ---- */

static const struct event_account *account_ask(struct rpc_call *c, uint32_t account)
{
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_account, .account = account, .now = c->now});
    return event_find(events, EVENT_account);
}

int rpc_get_account_summary(struct rpc_call *c)
{
    uint32_t account, asset;
    int reason = account_read(c, &account);
    if (reason == REJECT_none) reason = asset_of(c, "currency", &asset);
    if (reason != REJECT_none) return reason;
    const struct event_account *a = account_ask(c, account);
    if (a == NULL) return REJECT_unknown_account;
    rpc_write_account(c->out, c->names, a);
    return REJECT_none;
}

int rpc_get_account_summaries(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_read(c, &account);
    if (reason != REJECT_none) return reason;
    const struct event_account *a = account_ask(c, account);
    if (a == NULL) return REJECT_unknown_account;
    json_open_object(c->out);
    json_key_int(c->out, "id", a->id);
    json_key_string(c->out, "username", a->name);
    json_key_string(c->out, "type", "main");
    json_key(c->out, "summaries");
    json_open_array(c->out);
    rpc_write_account(c->out, c->names, a);
    json_close_array(c->out);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_get_accounts(struct rpc_call *c)
{
    json_open_array(c->out);
    uint32_t count = directory_count(c->names, DIRECTORY_account);
    for (uint32_t i = 1; i <= count; i++) {
        const struct event_account *known = directory_account(c->names, i);
        if (known == NULL) continue;
        const struct event_account *a = account_ask(c, i);
        if (a != NULL) rpc_write_account(c->out, c->names, a);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- positions ---- */

int rpc_get_positions(struct rpc_call *c)
{
    struct currency currency;
    struct query q = {.kind = QUERY_positions, .now = c->now};
    int reason = account_read(c, &q.account);
    if (reason == REJECT_none) reason = currency_of(c, &currency);
    if (reason != REJECT_none) return reason;
    const struct outbox *events = query_ask(c, &q);
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_position *p = (const struct event_position *)(const void *)h;
        if (h->kind != EVENT_position || p->qty.v == 0) continue;
        if (currency_has(c, &currency, p->instrument)) rpc_write_position(c->out, c->names, p);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_get_position(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_positions, .now = c->now};
    int reason = account_read(c, &q.account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason != REJECT_none) return reason;
    const struct event_position *p = event_find(query_ask(c, &q), EVENT_position);
    struct event_position none = {.account = q.account, .instrument = q.instrument};
    none.mark = PRICE_NONE;
    rpc_write_position(c->out, c->names, p == NULL ? &none : p);
    return REJECT_none;
}

/* ---- orders ---- */

/* Deribit's `type` of open orders. */
static bool type_wanted(const struct rpc_call *c, const struct event_order *o)
{
    uint32_t type = param_find(c, c->params, "type");
    bool trigger = o->state == ORDER_STATE_untriggered;
    if (type == 0 || json_equals(c->json, type, "all")) return true;
    if (json_equals(c->json, type, "limit")) return !trigger;
    if (json_equals(c->json, type, "trigger_all")) return trigger;
    return json_equals(c->json, type, order_type_words[o->type]);
}

static void orders_write(struct rpc_call *c, const struct outbox *events,
                         const struct currency *currency, int64_t skip, int64_t count)
{
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL && count > 0;
         h = outbox_next(events, h)) {
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (h->kind != EVENT_order || !type_wanted(c, o)) continue;
        if (!currency_has(c, currency, o->instrument) || skip-- > 0) continue;
        rpc_write_order(c->out, c->names, o, text_of(events, o->order_id));
        count -= 1;
    }
    json_close_array(c->out);
}

int rpc_get_open_orders(struct rpc_call *c)
{
    struct currency currency;
    struct query q = {.kind = QUERY_orders, .now = c->now};
    int reason = account_read(c, &q.account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason == REJECT_none) reason = currency_of(c, &currency);
    if (reason != REJECT_none) return reason;
    q.product = currency.product;
    orders_write(c, query_ask(c, &q), &currency, 0, INT64_MAX);
    return REJECT_none;
}

int rpc_get_order_history(struct rpc_call *c)
{
    struct currency currency;
    struct query q = {.kind = QUERY_orders_closed, .now = c->now};
    int64_t count = param_int(c, c->params, "count", COUNT_DEFAULT);
    int64_t skip = param_int(c, c->params, "offset", 0);
    int reason = account_read(c, &q.account);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason == REJECT_none) reason = currency_of(c, &currency);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > COUNT_MAX) return malformed(c, "count");
    if (skip > 100 * COUNT_MAX) return malformed(c, "offset");
    bool all = currency.text[0] == 0;
    q.count = (uint32_t)(all ? count + skip : 100 * COUNT_MAX);
    orders_write(c, query_ask(c, &q), &currency, skip, count);
    return REJECT_none;
}

int rpc_get_order_state(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_order, .now = c->now};
    char text[24];
    int64_t id;
    int reason = account_read(c, &q.account);
    bool any = param_find(c, c->params, "account") == 0 && c->caller->account == 0;
    if (reason != REJECT_none && !(any && sees_all(c))) return reason;
    size_t n = param_text(c, c->params, "order_id", text, sizeof text);
    if (decimal_parse(text, n, 0, &id) != DECIMAL_exact || id <= 0) return REJECT_unknown_order;
    q.order_id = (uint64_t)id;
    const struct outbox *events = query_ask(c, &q);
    const struct event_order *o = event_find(events, EVENT_order);
    if (o == NULL || (q.account != 0 && o->account != q.account)) return REJECT_unknown_order;
    rpc_write_order(c->out, c->names, o, text_of(events, o->order_id));
    return REJECT_none;
}

/* ---- trades ---- */

static int own_trades_query(struct rpc_call *c, struct query *q, int64_t *count)
{
    int64_t start = param_int(c, c->params, "start_timestamp", 0);
    int64_t end = param_int(c, c->params, "end_timestamp", 0);
    *count = param_int(c, c->params, "count", 10);
    if (*count < 1 || *count > COUNT_MAX) return malformed(c, "count");
    if (start > INT64_MAX / NS_PER_MS) return malformed(c, "start_timestamp");
    if (end > INT64_MAX / NS_PER_MS - 1) return malformed(c, "end_timestamp");
    q->kind = QUERY_trades;
    q->start = TS(start * NS_PER_MS);
    q->end = TS(end == 0 ? 0 : end * NS_PER_MS + NS_PER_MS - 1);
    q->count = COUNT_MAX + 1;
    q->now = c->now;
    return account_read(c, &q->account);
}

struct own_trade {
    const struct event_trade *trade;
    int side;
};

static void own_write(struct rpc_call *c, const struct own_trade *found, int64_t n)
{
    static const char *const sortings[] = {"default", "asc", "desc", NULL};
    bool rising = param_enum(c, c->params, "sorting", sortings, 0) == 1;
    json_open_array(c->out);
    for (int64_t i = 0; i < n; i++) {
        const struct own_trade *t = &found[rising ? n - 1 - i : i];
        rpc_write_trade(c->out, c->names, t->trade, t->side, NULL);
    }
    json_close_array(c->out);
}

/* A trade with oneself is listed twice, once for each side. */
static int64_t own_find(const struct rpc_call *c, const struct outbox *events,
                        const struct query *q, const struct currency *currency, int64_t count,
                        struct own_trade *found)
{
    int64_t n = 0;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL && n <= count;
         h = outbox_next(events, h)) {
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        if (h->kind != EVENT_trade || t->kind == TRADE_implied_leg) continue;
        if (!currency_has(c, currency, t->instrument)) continue;
        for (int side = SIDE_buy; side <= SIDE_sell && n <= count; side++) {
            if (t->account[side] != q->account) continue;
            if (q->order_id != 0 && t->order_id[side] != q->order_id) continue;
            found[n++] = (struct own_trade){t, side};
        }
    }
    return n;
}

int rpc_get_user_trades(struct rpc_call *c)
{
    struct own_trade found[COUNT_MAX + 1];
    struct currency currency;
    struct query q = {0};
    int64_t count;
    int reason = own_trades_query(c, &q, &count);
    if (reason == REJECT_none) reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason == REJECT_none) reason = currency_of(c, &currency);
    if (reason != REJECT_none) return reason;
    q.product = currency.product;
    int64_t n = own_find(c, query_ask(c, &q), &q, &currency, count, found);
    json_open_object(c->out);
    json_key(c->out, "trades");
    own_write(c, found, n > count ? count : n);
    json_key_bool(c->out, "has_more", n > count);
    json_close_object(c->out);
    return REJECT_none;
}

/* Deribit answers this one with a bare array. */
int rpc_get_user_trades_by_order(struct rpc_call *c)
{
    struct own_trade found[COUNT_MAX + 1];
    struct currency currency = {0};
    struct query q = {.kind = QUERY_trades, .count = COUNT_MAX, .now = c->now};
    char text[24];
    int64_t id;
    int reason = account_read(c, &q.account);
    if (reason != REJECT_none) return reason;
    size_t n = param_text(c, c->params, "order_id", text, sizeof text);
    if (decimal_parse(text, n, 0, &id) != DECIMAL_exact || id <= 0) return REJECT_unknown_order;
    q.order_id = (uint64_t)id;
    own_write(c, found, own_find(c, query_ask(c, &q), &q, &currency, COUNT_MAX, found));
    return REJECT_none;
}

/* ---- ledger ---- */

static void posting_write(struct rpc_call *c, const struct event_posting *p)
{
    int scale = asset_scale(p->asset);
    json_open_object(c->out);
    json_key_int(c->out, "posting_id", (int64_t)p->posting_id);
    json_key_int(c->out, "chain_id", (int64_t)p->chain_id);
    json_key_ms(c->out, "timestamp", p->header.ts);
    json_key_int(c->out, "seq", (int64_t)p->header.seq);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, p->account));
    json_key_string(c->out, "asset", directory_name(c->names, DIRECTORY_asset, p->asset));
    json_key_string(c->out, "code", posting_code_name(p->code));
    json_key_string(c->out, "phase", posting_phase_words[p->phase % 3]);
    json_key_fixed(c->out, "amount", p->amount, scale);
    json_key_fixed(c->out, "balance", p->balance, scale);
    if (p->instrument != 0)
        json_key_string(c->out, "instrument_name",
                        directory_name(c->names, DIRECTORY_instrument, p->instrument));
    json_key(c->out, "reference");
    json_uint_text(c->out, p->reference);
    json_close_object(c->out);
}

int rpc_get_ledger(struct rpc_call *c)
{
    struct query q = {.kind = QUERY_ledger, .now = c->now};
    int64_t count = param_int(c, c->params, "count", 100);
    int reason = account_read(c, &q.account);
    bool everything = param_find(c, c->params, "account") == 0 && c->caller->account == 0;
    if (everything && sees_all(c)) reason = REJECT_none;
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > 10 * COUNT_MAX) return malformed(c, "count");
    q.count = (uint32_t)count;
    q.from_id = (uint64_t)param_int(c, c->params, "from_id", 0);
    const struct outbox *events = query_ask(c, &q);
    json_open_object(c->out);
    json_key(c->out, "postings");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_posting)
            posting_write(c, (const struct event_posting *)(const void *)h);
    }
    json_close_array(c->out);
    json_close_object(c->out);
    return REJECT_none;
}
