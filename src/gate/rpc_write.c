/* rpc_write.c: events as the JSON objects of the interface (Deribit's names where it has one). */
#include "gate/rpc_internal.h"

/* An smp_id that was a number comes back as it was; one that was text is its hash. */
static void smp_write(struct json_writer *w, const struct event_order *o)
{
    if (o->smp_id == 0) return;
    json_key(w, "smp_id");
    json_uint_text(w, o->smp_id);
    json_key_string(w, "smp_mode",
                    rpc_smp_names[o->smp_mode == SMP_none ? SMP_cancel_resting : o->smp_mode]);
}

static bool is_trigger(enum order_type type)
{
    return type >= ORDER_TYPE_stop_limit && type <= ORDER_TYPE_trailing_stop;
}

static void order_price_write(struct json_writer *w, const struct event_order *o)
{
    if (price_is_none(o->price)) json_key_string(w, "price", "market_price");
    else json_key_price(w, "price", o->price);
    if (is_trigger((enum order_type)o->type)) {
        json_key_price(w, "trigger_price", o->trigger);
        json_key_price(w, "stop_price", o->trigger);
        json_key_string(w, "trigger", "last_price");
        json_key_bool(w, "triggered", o->state != ORDER_STATE_untriggered);
    }
    if (o->type == ORDER_TYPE_trailing_stop) json_key_price(w, "trigger_offset", o->offset);
    if (o->type == ORDER_TYPE_pegged) {
        json_key_string(w, "peg", rpc_peg_names[o->peg]);
        json_key_price(w, "peg_offset", o->offset);
    }
}

static void order_amount_write(struct json_writer *w, const struct event_order *o)
{
    int128_t notional = int128_join(o->notional_high, o->notional_low);
    int128_t average = o->filled.v == 0 ? 0 : int128_div_half_even(notional, o->filled.v);
    json_key_int(w, "amount", o->qty.v);
    json_key_int(w, "contracts", o->qty.v);
    json_key_int(w, "filled_amount", o->filled.v);
    json_key_fixed(w, "average_price", average, 6);
    json_key_int(w, "max_show", o->max_show.v == 0 ? o->qty.v : o->max_show.v);
    if (o->cause == CAUSE_answer) json_key_int(w, "displayed_amount", o->shown.v);
    if (o->min_qty.v > 0) json_key_int(w, "min_quantity", o->min_qty.v);
}

static void order_end_write(struct json_writer *w, const struct event_order *o)
{
    if (o->state == ORDER_STATE_cancelled && o->cause != CAUSE_answer)
        json_key_string(w, "cancel_reason", rpc_cause_names[o->cause]);
    if (o->cause != CAUSE_answer) json_key_string(w, "last_event", rpc_cause_names[o->cause]);
    if (o->linked_id != 0) {
        json_key(w, "linked_order_id");
        json_uint_text(w, o->linked_id);
    }
    if (o->link_type != LINK_none)
        json_key_string(w, "linked_order_type", rpc_link_names[o->link_type]);
    if (o->expires_at.v != 0) json_key_ms(w, "expires_at", o->expires_at);
    json_key_ms(w, "creation_timestamp", o->created);
    json_key_ms(w, "last_update_timestamp", o->modified);
}

void rpc_write_order(struct json_writer *w, const struct directory *d,
                     const struct event_order *o, const struct event_order_text *text)
{
    json_open_object(w);
    json_key(w, "order_id");
    json_uint_text(w, o->order_id);
    json_key_string(w, "order_state", order_state_words[o->state]);
    json_key_string(w, "order_type", order_type_words[o->type]);
    json_key_string(w, "instrument_name", directory_name(d, DIRECTORY_instrument, o->instrument));
    json_key_string(w, "direction", rpc_side_names[o->side]);
    order_price_write(w, o);
    order_amount_write(w, o);
    json_key_string(w, "time_in_force", tif_words[o->tif]);
    json_key_bool(w, "post_only", (o->flags & ORDER_FLAG_POST_ONLY) != 0);
    json_key_bool(w, "reject_post_only", (o->flags & ORDER_FLAG_REJECT_POST_ONLY) != 0);
    json_key_bool(w, "reduce_only", (o->flags & ORDER_FLAG_REDUCE_ONLY) != 0);
    json_key_bool(w, "replaced", o->cause == CAUSE_edited);
    json_key_bool(w, "is_liquidation", (o->flags & ORDER_FLAG_LIQUIDATION) != 0);
    json_key_bool(w, "quote", (o->flags & ORDER_FLAG_QUOTE) != 0);
    json_key_bool(w, "api", true);
    json_key_string(w, "label", text == NULL ? "" : text->label);
    if (text != NULL && text->client_order_id[0] != 0)
        json_key_string(w, "client_order_id", text->client_order_id);
    smp_write(w, o);
    order_end_write(w, o);
    json_close_object(w);
}

static void trade_side_write(struct json_writer *w, const struct event_trade *t, enum side side,
                             const struct event_order *order)
{
    json_key(w, "order_id");
    json_uint_text(w, t->order_id[side]);
    json_key_fixed(w, "fee", t->fee[side].v, 6);
    json_key_string(w, "fee_currency", "USD");
    json_key_string(w, "liquidity", t->maker[side] ? "M" : "T");
    json_key_bool(w, "self_trade", t->account[SIDE_buy] == t->account[SIDE_sell]);
    json_key_null(w, "matching_id");
    if (order == NULL) return;
    json_key_string(w, "order_type", order_type_words[order->type]);
    json_key_string(w, "state", order_state_words[order->state]);
    json_key_bool(w, "post_only", (order->flags & ORDER_FLAG_POST_ONLY) != 0);
    json_key_bool(w, "reduce_only", (order->flags & ORDER_FLAG_REDUCE_ONLY) != 0);
}

void rpc_write_trade(struct json_writer *w, const struct directory *d,
                     const struct event_trade *t, int side, const struct event_order *order)
{
    json_open_object(w);
    json_key(w, "trade_id");
    json_uint_text(w, t->trade_id);
    json_key_int(w, "trade_seq", (int64_t)t->instrument_seq);
    json_key_string(w, "instrument_name", directory_name(d, DIRECTORY_instrument, t->instrument));
    json_key_string(w, "direction", rpc_side_names[side < 0 ? t->aggressor_side : side]);
    json_key_price(w, "price", t->price);
    json_key_int(w, "amount", t->qty.v);
    json_key_int(w, "contracts", t->qty.v);
    json_key_ms(w, "timestamp", t->header.ts);
    json_key_price(w, "mark_price", price_is_none(t->mark) ? t->price : t->mark);
    json_key_price(w, "index_price", price_is_none(t->mark) ? t->price : t->mark);
    json_key_string(w, "match_type", t->kind < TRADE_count ? trade_kind_words[t->kind] : "");
    if (t->busted != TRADE_STANDS)
        json_key_string(w, "busted", t->busted == TRADE_BUSTED ? "busted" : "adjusted");
    if (t->reference != 0 && (t->kind == TRADE_block || t->kind == TRADE_efp))
        json_key_int(w, "block_trade_id", t->reference);
    if (side >= 0) trade_side_write(w, t, (enum side)side, order);
    json_key_int(w, "seq", (int64_t)t->header.seq);
    json_close_object(w);
}

static void price_positive_write(struct json_writer *w, const char *name, price_t p, qty_t q)
{
    json_key_price(w, name, q.v > 0 ? p : PRICE_NONE);
}

void rpc_write_ticker(struct json_writer *w, const struct directory *d,
                      const struct event_ticker *t)
{
    price_t mark = price_is_none(t->settlement) ? t->last : t->settlement;
    json_open_object(w);
    json_key_string(w, "instrument_name", directory_name(d, DIRECTORY_instrument, t->instrument));
    json_key_ms(w, "timestamp", t->header.ts);
    json_key_string(w, "state", rpc_state_name(t->state));
    json_key_price(w, "last_price", t->last);
    json_key_price(w, "mark_price", mark);
    json_key_price(w, "index_price", mark);
    json_key_price(w, "settlement_price", t->settlement);
    price_positive_write(w, "best_bid_price", t->bid, t->bid_qty);
    json_key_int(w, "best_bid_amount", t->bid_qty.v);
    price_positive_write(w, "best_ask_price", t->ask, t->ask_qty);
    json_key_int(w, "best_ask_amount", t->ask_qty.v);
    json_key_price(w, "indicative_price", t->indicative_price);
    json_key_int(w, "indicative_amount", t->indicative_qty.v);
    json_key_price(w, "estimated_delivery_price", mark);
    json_key_price(w, "min_price", t->band_low);
    json_key_price(w, "max_price", t->band_high);
    json_key_price(w, "lower_limit", t->limit_low);
    json_key_price(w, "upper_limit", t->limit_high);
    json_key_int(w, "open_interest", t->open_interest.v);
    json_key(w, "stats");
    json_open_object(w);
    json_key_int(w, "volume", t->volume.v);
    json_key_price(w, "high", t->high);
    json_key_price(w, "low", t->low);
    json_key_price(w, "open", t->open);
    json_close_object(w);
    json_close_object(w);
}

void rpc_write_position(struct json_writer *w, const struct directory *d,
                        const struct event_position *p)
{
    json_open_object(w);
    json_key_string(w, "instrument_name", directory_name(d, DIRECTORY_instrument, p->instrument));
    json_key_string(w, "kind", "future");
    json_key_int(w, "size", p->qty.v);
    json_key_string(w, "direction", p->qty.v > 0 ? "buy" : p->qty.v < 0 ? "sell" : "zero");
    json_key_price(w, "average_price", p->qty.v == 0 ? PRICE(0) : p->average_price);
    json_key_price(w, "mark_price", p->mark);
    json_key_price(w, "index_price", p->mark);
    json_key_price(w, "settlement_price", p->settlement);
    json_key_fixed(w, "floating_profit_loss", p->unrealised.v, 6);
    json_key_fixed(w, "realized_profit_loss", p->realised.v, 6);
    json_key_fixed(w, "total_profit_loss", (int128_t)p->unrealised.v + p->realised.v, 6);
    json_key_fixed(w, "initial_margin", p->initial_margin.v, 6);
    json_key_fixed(w, "maintenance_margin", p->initial_margin.v, 6);
    json_key_int(w, "open_buys", p->open_buys.v);
    json_key_int(w, "open_sells", p->open_sells.v);
    json_key_string(w, "account", directory_name(d, DIRECTORY_account, p->account));
    json_close_object(w);
}

/* The members of a summary, inside an object that the caller opens. */
void rpc_write_account(struct json_writer *w, const struct directory *d,
                       const struct event_account *a)
{
    json_open_object(w);
    json_key_string(w, "currency", "USD");
    json_key_string(w, "account", a->name);
    json_key_string(w, "username", a->name);
    json_key_string(w, "system_name", a->name);
    json_key_string(w, "member", directory_name(d, DIRECTORY_member, a->member));
    json_key_int(w, "id", a->id);
    json_key_string(w, "mode", rpc_mode_names[a->mode % MODE_count]);
    json_key_string(w, "origin", rpc_origin_names[a->origin % ORIGIN_count]);
    json_key_bool(w, "killed", a->killed != 0);
    json_key_fixed(w, "equity", a->equity.v, 6);
    json_key_fixed(w, "cash", a->cash.v, 6);
    json_key_fixed(w, "balance", a->cash.v, 6);
    json_key_fixed(w, "pending_withdrawals", a->pending.v, 6);
    json_key_fixed(w, "margin_balance", a->equity.v, 6);
    json_key_fixed(w, "session_upl", a->unrealised.v, 6);
    json_key_fixed(w, "initial_margin", a->initial_margin.v, 6);
    json_key_fixed(w, "maintenance_margin", a->maintenance_margin.v, 6);
    json_key_fixed(w, "available_funds", a->available.v, 6);
    json_key_fixed(w, "available_withdrawal_funds", a->available.v < 0 ? 0 : a->available.v, 6);
    json_key_fixed(w, "fees_paid", a->fees_paid.v, 6);
    json_key_fixed(w, "collateral_credit", a->credit.v, 6);
    json_key_string(w, "status", account_status_words[a->status % ACCOUNT_status_count]);
    json_close_object(w);
}

static void legs_write(struct json_writer *w, const struct directory *d,
                       const struct event_instrument *i)
{
    json_key(w, "legs");
    json_open_array(w);
    for (int leg = 0; leg < SPREAD_LEGS_MAX; leg++) {
        json_open_object(w);
        json_key_string(w, "instrument_name",
                        directory_name(d, DIRECTORY_instrument, i->legs[leg]));
        json_key_int(w, "ratio", i->ratios[leg]);
        json_close_object(w);
    }
    json_close_array(w);
}

static void fees_write(struct json_writer *w, const struct event_product *p)
{
    bool some = p != NULL && p->terms.fee_tier_count > 0;
    json_key_fixed(w, "maker_commission", some ? p->terms.fee_tiers[0].maker.v : 0, 6);
    json_key_fixed(w, "taker_commission", some ? p->terms.fee_tiers[0].taker.v : 0, 6);
}

void rpc_write_instrument(struct json_writer *w, const struct directory *d,
                          const struct event_instrument *i)
{
    static const char *const periods[PERIOD_count] = {"year", "quarter", "month", "week",
                                                      "day",  "hour",    "none"};
    static const char *const blocks[BLOCK_count] = {"base", "peak", "off_peak"};
    const struct event_product *p = directory_product(d, i->product);
    char currency[CURRENCY_SIZE];
    directory_currency(d, i, currency);
    json_open_object(w);
    json_key_string(w, "instrument_name", i->name);
    json_key_int(w, "instrument_id", i->id);
    json_key_string(w, "kind", i->is_spread ? "future_combo" : "future");
    json_key_string(w, "instrument_type", "linear");
    json_key_string(w, "product", directory_name(d, DIRECTORY_product, i->product));
    json_key_string(w, "base_currency", currency);
    json_key_string(w, "quote_currency", "USD");
    json_key_string(w, "counter_currency", "USD");
    json_key_string(w, "settlement_currency", "USD");
    json_key_string(w, "settlement_period", periods[i->period % PERIOD_count]);
    json_key_string(w, "block", blocks[i->block % BLOCK_count]);
    json_key_bool(w, "is_active", i->expired == 0);
    json_key_string(w, "state", i->expired == EXPIRY_waits   ? "awaiting_settlement"
                                : i->expired || p == NULL ? "expired" : rpc_state_name(p->state));
    json_key_price(w, "tick_size", i->tick);
    json_key_int(w, "min_trade_amount", 1);
    json_key_fixed(w, "contract_size", i->contract_size, 6);
    json_key_int(w, "hours", i->hours);
    fees_write(w, p);
    json_key_ms(w, "creation_timestamp", i->created);
    json_key_ms(w, "expiration_timestamp", i->expires_at);
    json_key_ms(w, "delivery_start", i->start);
    json_key_ms(w, "delivery_end", i->end);
    if (i->is_spread) legs_write(w, d, i);
    json_close_object(w);
}
