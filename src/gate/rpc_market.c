/* rpc_market.c: what everybody may know: instruments, books, tickers, trades, settlements. */
#include "gate/rpc_compute.h"
#include "gate/rpc_delivery.h"
#include "gate/rpc_limit.h"
#include "gate/rpc_settlement.h"
#include "gate/rpc_spot.h"

#include <string.h>

enum { COUNT_MAX = 1000, COUNT_DEFAULT = 10, DEPTH_MAX = 10000 };

int rpc_get_time(struct rpc_call *c)
{
    json_int(c->out, int64_div_floor(c->now.v, NS_PER_MS));
    return REJECT_none;
}

int rpc_test(struct rpc_call *c)
{
    json_open_object(c->out);
    json_key_string(c->out, "version", "0.1.0");
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_status(struct rpc_call *c)
{
    json_open_object(c->out);
    json_key_string(c->out, "locked", "false");
    json_key(c->out, "locked_indices");
    json_open_array(c->out);
    json_close_array(c->out);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_get_state_hash(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_hash});
    const struct event_hash *h = event_find(events, EVENT_hash);
    static const char hex[] = "0123456789abcdef";
    char text[17] = {0};
    for (int i = 0; h != NULL && i < 16; i++) text[i] = hex[h->hash >> (60 - 4 * i) & 15];
    json_open_object(c->out);
    json_key_string(c->out, "hash", text);
    json_key_int(c->out, "orders", h == NULL ? 0 : (int64_t)h->orders_live);
    json_key_int(c->out, "trades", h == NULL ? 0 : (int64_t)h->trades);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- directory ---- */

/* Whether instrument i is the first of its base currency. */
static bool currency_is_first(const struct rpc_call *c, uint32_t instrument, const char *currency)
{
    char other[CURRENCY_SIZE];
    for (uint32_t i = 1; i < instrument; i++) {
        const struct event_instrument *e = directory_instrument(c->names, i);
        if (e == NULL) continue;
        directory_currency(c->names, e, other);
        if (strcmp(other, currency) == 0) return false;
    }
    return true;
}

static void currency_write(struct json_writer *w, const char *currency, const char *name,
                           int decimals)
{
    json_open_object(w);
    json_key_string(w, "currency", currency);
    json_key_string(w, "currency_long", name);
    json_key_string(w, "coin_type", currency);
    json_key_int(w, "fee_precision", decimals);
    json_key_int(w, "decimals", decimals);
    json_key_int(w, "min_confirmations", 0);
    json_key_int(w, "min_withdrawal_fee", 0);
    json_key_int(w, "withdrawal_fee", 0);
    json_key(w, "withdrawal_priorities");
    json_open_array(w);
    json_close_array(w);
    json_close_object(w);
}

int rpc_get_currencies(struct rpc_call *c)
{
    char currency[CURRENCY_SIZE];
    json_open_array(c->out);
    currency_write(c->out, "USD", "US dollar", 6);
    uint32_t count = directory_count(c->names, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= count; i++) {
        const struct event_instrument *e = directory_instrument(c->names, i);
        if (e == NULL) continue;
        directory_currency(c->names, e, currency);
        if (currency_is_first(c, i, currency))
            currency_write(c->out, currency,
                           directory_name(c->names, DIRECTORY_product, e->product), 0);
    }
    json_close_array(c->out);
    return REJECT_none;
}

static bool instrument_wanted(const struct rpc_call *c, const struct event_instrument *e)
{
    static const char *const kinds[] = {"future", "future_combo", "any", "combo", "option",
                                        "spot", "option_combo", NULL};
    bool expired = param_bool(c, c->params, "expired", false);
    int kind = param_enum(c, c->params, "kind", kinds, 2);
    if ((e->expired == EXPIRY_done) != expired) return false;
    if (kind == 2) return true;
    return e->is_spread ? kind == 1 || kind == 3 : kind == 0;
}

int rpc_get_instruments(struct rpc_call *c)
{
    struct currency currency;
    int reason = currency_of(c, &currency);
    if (reason != REJECT_none) return reason;
    json_open_array(c->out);
    uint32_t count = directory_count(c->names, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= count; i++) {
        const struct event_instrument *e = directory_instrument(c->names, i);
        if (e != NULL && currency_has(c, &currency, i) && instrument_wanted(c, e))
            rpc_write_instrument(c->out, c->names, e);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_get_instrument(struct rpc_call *c)
{
    uint32_t i;
    int reason = instrument_of(c, "instrument_name", &i);
    if (reason != REJECT_none) return reason;
    rpc_write_instrument(c->out, c->names, directory_instrument(c->names, i));
    return REJECT_none;
}

int rpc_get_contract_size(struct rpc_call *c)
{
    uint32_t i;
    int reason = instrument_of(c, "instrument_name", &i);
    if (reason != REJECT_none) return reason;
    json_open_object(c->out);
    json_key_fixed(c->out, "contract_size", directory_instrument(c->names, i)->contract_size, 6);
    json_close_object(c->out);
    return REJECT_none;
}

static void matching_write(struct json_writer *w, const struct rpc_call *c,
                           const struct command_product_create *t)
{
    json_key(w, "matching");
    json_open_object(w);
    json_key_string(w, "algorithm", rpc_algorithm_names[t->algorithm % ALGORITHM_count]);
    json_key_int(w, "pro_rata_minimum", t->pro_rata_minimum.v);
    json_key_fixed(w, "fifo_share", t->fifo_share_e6, 6);
    json_key_bool(w, "top", (t->flags & PRODUCT_FLAG_TOP) != 0);
    json_key_int(w, "top_minimum", t->top_minimum.v);
    json_key_int(w, "top_maximum", t->top_maximum.v);
    json_key(w, "lmm");
    json_open_array(w);
    for (unsigned i = 0; i < t->lmm_count && i < LMM_MAX; i++) {
        json_open_object(w);
        json_key_string(w, "account",
                        directory_name(c->names, DIRECTORY_account, t->lmm[i].account));
        json_key_fixed(w, "share", t->lmm[i].share_e6, 6);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

static void tiers_write(struct json_writer *w, const struct command_product_create *t)
{
    json_key(w, "fees");
    json_open_object(w);
    json_key(w, "tiers");
    json_open_array(w);
    for (unsigned i = 0; i < t->fee_tier_count && i < FEE_TIERS_MAX; i++) {
        json_open_object(w);
        json_key_int(w, "from", t->fee_tiers[i].from.v);
        json_key_fixed(w, "maker", t->fee_tiers[i].maker.v, 6);
        json_key_fixed(w, "taker", t->fee_tiers[i].taker.v, 6);
        json_close_object(w);
    }
    json_close_array(w);
    json_key_fixed(w, "clearing", t->clearing_fee.v, 6);
    json_close_object(w);
}

/* A product as it was created, and its state. */
static void product_write(struct rpc_call *c, const struct event_product *p)
{
    const struct command_product_create *t = &p->terms;
    struct json_writer *w = c->out;
    json_open_object(w);
    json_key_string(w, "product", t->name);
    json_key_int(w, "product_id", p->id);
    json_key_string(w, "state", rpc_state_name(p->state));
    json_key_string(w, "kind", "future");
    json_key_price(w, "tick_size", t->tick);
    json_key_fixed(w, "contract_size", t->contract_size, 6);
    json_key_string(w, "contract_unit", rpc_unit_names[t->contract_unit % UNIT_count]);
    json_key_string(w, "settlement", rpc_settlement_names[t->settlement % SETTLEMENT_count]);
    matching_write(w, c, t);
    json_key_price(w, "price_floor", t->flags & PRODUCT_FLAG_HAS_FLOOR ? t->floor : PRICE_NONE);
    json_key_price(w, "price_band", t->flags & PRODUCT_FLAG_HAS_BAND ? t->band : PRICE_NONE);
    json_key_price(w, "protection_points",
                   t->flags & PRODUCT_FLAG_HAS_PROTECTION ? t->protection : PRICE_NONE);
    json_key(w, "guards");
    rpc_write_guard_terms(w, &t->guards);
    json_key_fixed(w, "flat_margin", t->flat_margin.v, 6);
    json_key_string(w, "margin_model", rpc_margin_names[t->margin_model % MARGIN_count]);
    json_key_int(w, "max_amount", t->qty_max.v == 0 ? QTY_MAX : t->qty_max.v);
    settlement_rules_write(w, c->names, &t->settlement_rules);
    calendar_write(w, &t->calendar);
    if (t->spot.price_max.v > t->spot.price_min.v) spot_terms_write(w, &t->spot);
    supply_terms_write(w, &t->supply);
    delivery_terms_write(w, c->names, &t->delivery);
    tiers_write(w, t);
    limits_write(c, &t->limits);
    offbook_write(c, &t->offbook);
    json_key_bool(w, "directed", (t->flags & PRODUCT_FLAG_DIRECTED) != 0);
    json_close_object(w);
}

int rpc_get_products(struct rpc_call *c)
{
    json_open_array(c->out);
    uint32_t count = directory_count(c->names, DIRECTORY_product);
    for (uint32_t i = 1; i <= count; i++) {
        const struct event_product *p = directory_product(c->names, i);
        if (p != NULL) product_write(c, p);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- books and tickers ---- */

static bool ticker_ask(struct rpc_call *c, uint32_t instrument, struct event_ticker *ticker)
{
    const struct outbox *events = query_ask(
        c, &(struct query){.kind = QUERY_ticker, .instrument = instrument, .now = c->now});
    const struct event_ticker *t = event_find(events, EVENT_ticker);
    if (t == NULL) return false;
    *ticker = *t;
    ticker->header.ts = c->now;
    return true;
}

static void levels_write(struct rpc_call *c, const struct outbox *events, enum side side,
                         int64_t depth)
{
    json_key(c->out, side == SIDE_buy ? "bids" : "asks");
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL && depth > 0;
         h = outbox_next(events, h)) {
        const struct event_level *l = (const struct event_level *)(const void *)h;
        if (h->kind != EVENT_level || l->side != (uint32_t)side) continue;
        json_open_array(c->out);
        json_fixed(c->out, l->price.v, 6);
        json_int(c->out, l->shown.v + l->implied.v); /* MATCH-06: implied is part of the level */
        json_close_array(c->out);
        depth -= 1;
    }
    json_close_array(c->out);
}

int rpc_get_order_book(struct rpc_call *c)
{
    struct event_ticker t;
    uint32_t i;
    int reason = instrument_of(c, "instrument_name", &i);
    if (reason != REJECT_none) return reason;
    int64_t depth = param_int(c, c->params, "depth", 5);
    if (depth < 1 || depth > DEPTH_MAX) return malformed(c, "depth");
    if (!ticker_ask(c, i, &t)) return REJECT_unknown_instrument;
    const struct outbox *events =
        query_ask(c, &(struct query){.kind = QUERY_book, .instrument = i,
                                     .count = (uint32_t)depth, .now = c->now});
    /* The members of a ticker, then the book's. */
    rpc_write_ticker(c->out, c->names, &t);
    c->out->used -= 1;
    json_key_int(c->out, "change_id", (int64_t)events->seq);
    levels_write(c, events, SIDE_buy, depth);
    levels_write(c, events, SIDE_sell, depth);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_ticker(struct rpc_call *c)
{
    struct event_ticker t;
    uint32_t i;
    int reason = instrument_of(c, "instrument_name", &i);
    if (reason != REJECT_none) return reason;
    if (!ticker_ask(c, i, &t)) return REJECT_unknown_instrument;
    rpc_write_ticker(c->out, c->names, &t);
    return REJECT_none;
}

static void summary_write(struct rpc_call *c, const struct event_instrument *i)
{
    struct event_ticker t;
    char currency[CURRENCY_SIZE];
    if (!ticker_ask(c, i->id, &t)) return;
    price_t mark = price_is_none(t.settlement) ? t.last : t.settlement;
    directory_currency(c->names, i, currency);
    json_open_object(c->out);
    json_key_string(c->out, "instrument_name", i->name);
    json_key_string(c->out, "base_currency", currency);
    json_key_string(c->out, "quote_currency", "USD");
    json_key_ms(c->out, "creation_timestamp", c->now);
    json_key_price(c->out, "last", t.last);
    json_key_price(c->out, "bid_price", t.bid_qty.v > 0 ? t.bid : PRICE_NONE);
    json_key_price(c->out, "ask_price", t.ask_qty.v > 0 ? t.ask : PRICE_NONE);
    json_key_price(c->out, "high", t.high);
    json_key_price(c->out, "low", t.low);
    json_key_price(c->out, "mark_price", mark);
    json_key_int(c->out, "volume", t.volume.v);
    json_key_int(c->out, "open_interest", t.open_interest.v);
    json_close_object(c->out);
}

int rpc_get_book_summary(struct rpc_call *c)
{
    struct currency currency;
    int reason = currency_of(c, &currency);
    if (reason != REJECT_none) return reason;
    json_open_array(c->out);
    uint32_t count = directory_count(c->names, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= count; i++) {
        const struct event_instrument *e = directory_instrument(c->names, i);
        if (e != NULL && currency_has(c, &currency, i) && instrument_wanted(c, e))
            summary_write(c, e);
    }
    json_close_array(c->out);
    return REJECT_none;
}

int rpc_get_book_summary_by_instrument(struct rpc_call *c)
{
    uint32_t i;
    int reason = instrument_of(c, "instrument_name", &i);
    if (reason != REJECT_none) return reason;
    json_open_array(c->out);
    summary_write(c, directory_instrument(c->names, i));
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- trades ---- */

static int trades_query(struct rpc_call *c, struct query *q, int64_t *count)
{
    int64_t start = param_int(c, c->params, "start_timestamp", 0);
    int64_t end = param_int(c, c->params, "end_timestamp", 0);
    int64_t end_id = param_int(c, c->params, "end_id", 0);
    *count = param_int(c, c->params, "count", COUNT_DEFAULT);
    if (*count < 1 || *count > COUNT_MAX) return malformed(c, "count");
    if (start > INT64_MAX / NS_PER_MS) return malformed(c, "start_timestamp");
    if (end > INT64_MAX / NS_PER_MS - 1) return malformed(c, "end_timestamp");
    q->kind = QUERY_trades;
    q->start = TS(start * NS_PER_MS);
    q->end = TS(end == 0 ? 0 : end * NS_PER_MS + NS_PER_MS - 1); /* the whole millisecond */
    q->from_id = end_id == 0 ? 0 : (uint64_t)end_id + 1;
    q->count = COUNT_MAX + 1;
    q->now = c->now;
    return REJECT_none;
}

static bool trade_wanted(const struct rpc_call *c, const struct event_trade *t,
                         const struct currency *currency)
{
    int64_t start_seq = param_int(c, c->params, "start_seq", 0);
    int64_t end_seq = param_int(c, c->params, "end_seq", INT64_MAX);
    int64_t start_id = param_int(c, c->params, "start_id", 0);
    if (!trade_is_public((enum trade_kind)t->kind)) return false;
    if ((int64_t)t->instrument_seq < start_seq || (int64_t)t->instrument_seq > end_seq)
        return false;
    if ((int64_t)t->trade_id < start_id) return false;
    return currency == NULL || currency_has(c, currency, t->instrument);
}

static void trades_write(struct rpc_call *c, const struct outbox *events, int64_t count,
                         const struct currency *currency)
{
    const struct event_trade *found[COUNT_MAX];
    int64_t n = 0;
    bool more = false;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL && !more;
         h = outbox_next(events, h)) {
        const struct event_trade *t = (const struct event_trade *)(const void *)h;
        if (h->kind != EVENT_trade || !trade_wanted(c, t, currency)) continue;
        more = n == count;
        if (!more) found[n++] = t;
    }
    static const char *const sortings[] = {"default", "asc", "desc", NULL};
    bool rising = param_enum(c, c->params, "sorting", sortings, 0) == 1;
    json_open_object(c->out);
    json_key(c->out, "trades");
    json_open_array(c->out);
    for (int64_t i = 0; i < n; i++)
        rpc_write_trade(c->out, c->names, found[rising ? n - 1 - i : i], -1, NULL);
    json_close_array(c->out);
    json_key_bool(c->out, "has_more", more);
    json_close_object(c->out);
}

int rpc_get_last_trades(struct rpc_call *c)
{
    struct query q = {0};
    int64_t count;
    int reason = instrument_of(c, "instrument_name", &q.instrument);
    if (reason == REJECT_none) reason = trades_query(c, &q, &count);
    if (reason != REJECT_none) return reason;
    trades_write(c, query_ask(c, &q), count, NULL);
    return REJECT_none;
}

int rpc_get_last_trades_by_currency(struct rpc_call *c)
{
    struct query q = {0};
    struct currency currency;
    int64_t count;
    int reason = currency_of(c, &currency);
    if (reason == REJECT_none) reason = trades_query(c, &q, &count);
    if (reason != REJECT_none) return reason;
    q.product = currency.product;
    trades_write(c, query_ask(c, &q), count, &currency);
    return REJECT_none;
}
