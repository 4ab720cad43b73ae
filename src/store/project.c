/* project.c: which rows an event becomes.
 *
 * One function a kind of event; each binds and runs prepared statements and nothing else. What is
 * not history (levels, tickers, counts, rejects) has no case.
 *
 * Upstream: store.c (events that are new). Downstream: sqlite.
 */
#include "store/internal.h"

const char *const store_write_sql[WRITE_count] = {
    [WRITE_begin] = "BEGIN IMMEDIATE",
    [WRITE_commit] = "COMMIT",
    [WRITE_rollback] = "ROLLBACK",
    [WRITE_projector] = "UPDATE projector SET seq=?1, idx=?2, ts=?3 WHERE id=1",
    [WRITE_asset] = "INSERT OR REPLACE INTO assets VALUES(?1,?2)",
    [WRITE_member] = "INSERT OR REPLACE INTO members VALUES(?1,?2,?3)",
    [WRITE_account] = "INSERT OR REPLACE INTO accounts VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [WRITE_product] = "INSERT OR REPLACE INTO products VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [WRITE_instrument] = "INSERT OR REPLACE INTO instruments VALUES"
                         "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
    [WRITE_order] = "INSERT OR REPLACE INTO orders VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,"
                    "?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,?29,?30,?31)",
    [WRITE_order_text] = "INSERT OR REPLACE INTO order_texts VALUES(?1,?2,?3)",
    [WRITE_order_history] = "INSERT INTO order_history VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [WRITE_trade] = "INSERT INTO trades VALUES"
                    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)",
    [WRITE_trade_bust] = "UPDATE trades SET busted=?2 WHERE trade_id=?1",
    [WRITE_candle] = "INSERT INTO candles VALUES(?1,?2,?3,?4,?4,?4,?4,?5,1) "
                     "ON CONFLICT DO UPDATE SET high=max(high,excluded.high),"
                     " low=min(low,excluded.low), close=excluded.close,"
                     " volume=volume+excluded.volume, trades=trades+1",
    [WRITE_settlement] = "INSERT INTO settlements VALUES(?1,?2,?3,?4,?5,?6)",
    [WRITE_posting] = "INSERT INTO postings VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
    [WRITE_statement_cash] =
        "INSERT INTO statement_cash VALUES(?1,?2,?3,1,?4,?5,?6,?7,?8,?9,?10) "
        "ON CONFLICT DO UPDATE SET postings=postings+1, deposits=deposits+excluded.deposits,"
        " withdrawals=withdrawals+excluded.withdrawals, transfers=transfers+excluded.transfers,"
        " variation=variation+excluded.variation, fees=fees+excluded.fees,"
        " other=other+excluded.other, closing=excluded.closing",
    [WRITE_statement_position] =
        "INSERT INTO statement_positions VALUES(?1,?2,?3,?4,?5,?6,?7,?8) "
        "ON CONFLICT DO UPDATE SET trades=trades+excluded.trades, bought=bought+excluded.bought,"
        " sold=sold+excluded.sold, settled=settled+excluded.settled, closing=excluded.closing",
    [WRITE_state] = "INSERT INTO states VALUES(?1,?2,?3,?4,?5,?6)",
    [WRITE_product_state] = "UPDATE products SET state=?2 WHERE id=?1",
    [WRITE_auction] = "INSERT INTO auctions VALUES(?1,?2,?3,?4,?5,?6)",
    [WRITE_statement_margin] = "INSERT INTO statement_margin VALUES"
                               "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,"
                               "?19)",
    [WRITE_call] = "INSERT INTO calls VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
    [WRITE_slice] = "INSERT INTO slices VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    [WRITE_token_class] = "INSERT OR REPLACE INTO token_classes VALUES(?1,?2,?3,?4)",
    [WRITE_token] = "INSERT OR IGNORE INTO assets SELECT ?1,'CT-'||vintage||'-'||grade||'-'||region"
                    "||'-'||strftime('%Y%m%d%H',?3,'unixepoch') FROM token_classes WHERE id=?2",
    [WRITE_certificate] = "INSERT OR REPLACE INTO certificates VALUES"
                          "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)",
    [WRITE_notice] = "INSERT INTO notices VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [WRITE_allocation] = "INSERT OR REPLACE INTO allocations VALUES"
                         "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,"
                         "?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25)",
    [WRITE_delivery_hour] = "INSERT OR REPLACE INTO delivery_hours VALUES"
                            "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,"
                            "?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)",
    [WRITE_delivery_cash] = "INSERT INTO delivery_cash VALUES"
                            "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    [WRITE_spot_auction] = "INSERT OR REPLACE INTO spot_auctions VALUES"
                           "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,"
                           "?20,?21,?22,?23,?24,?25,?26,?27,?28,?29,?30)",
    [WRITE_spot_hour] = "INSERT OR REPLACE INTO spot_hours VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
    [WRITE_spot_bid] = "INSERT OR REPLACE INTO spot_bids VALUES"
                       "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
    [WRITE_index] = "INSERT OR REPLACE INTO indices VALUES(?1,?2)",
    [WRITE_index_price] = "INSERT OR REPLACE INTO index_prices VALUES"
                          "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [WRITE_bust] = "INSERT INTO busts VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
};

static int project_asset(struct store *s, const struct event_asset *e)
{
    sqlite3_stmt *q = s->write[WRITE_asset];
    store_bind(q, 1, e->id);
    store_bind_text(q, 2, e->name);
    return store_run(s, WRITE_asset);
}

static int project_member(struct store *s, const struct event_member *e)
{
    sqlite3_stmt *q = s->write[WRITE_member];
    store_bind(q, 1, e->id);
    store_bind_text(q, 2, e->name);
    store_bind(q, 3, e->killed);
    return store_run(s, WRITE_member);
}

static int project_account(struct store *s, const struct event_account *e)
{
    sqlite3_stmt *q = s->write[WRITE_account];
    store_bind(q, 1, e->id);
    store_bind_text(q, 2, e->name);
    store_bind(q, 3, e->member);
    store_bind(q, 4, e->mode);
    store_bind(q, 5, e->origin);
    store_bind(q, 6, e->killed);
    store_bind(q, 7, e->system);
    return store_run(s, WRITE_account);
}

static int project_product(struct store *s, const struct event_product *e)
{
    sqlite3_stmt *q = s->write[WRITE_product];
    store_bind(q, 1, e->id);
    store_bind_text(q, 2, e->terms.name);
    store_bind(q, 3, e->state);
    store_bind(q, 4, e->terms.settlement);
    store_bind(q, 5, e->terms.algorithm);
    store_bind(q, 6, e->terms.tick.v);
    store_bind(q, 7, e->terms.contract_size);
    return store_run(s, WRITE_product);
}

static int project_instrument(struct store *s, const struct event_instrument *e)
{
    sqlite3_stmt *q = s->write[WRITE_instrument];
    store_bind(q, 1, e->id);
    store_bind_text(q, 2, e->name);
    store_bind(q, 3, e->product);
    store_bind(q, 4, e->period);
    store_bind(q, 5, e->block);
    store_bind(q, 6, e->is_spread);
    store_bind(q, 7, e->expired);
    store_bind(q, 8, e->hours);
    store_bind(q, 9, e->legs[0]);
    store_bind(q, 10, e->legs[1]);
    store_bind(q, 11, e->start.v);
    store_bind(q, 12, e->end.v);
    store_bind(q, 13, e->expires_at.v);
    store_bind(q, 14, e->created.v);
    store_bind(q, 15, e->tick.v);
    store_bind(q, 16, e->contract_size);
    return store_run(s, WRITE_instrument);
}

static int project_order_history(struct store *s, const struct event_order *e)
{
    sqlite3_stmt *q = s->write[WRITE_order_history];
    store_bind(q, 1, (int64_t)e->order_id);
    store_bind(q, 2, (int64_t)e->header.seq);
    store_bind(q, 3, e->header.index);
    store_bind(q, 4, e->header.ts.v);
    store_bind(q, 5, e->state);
    store_bind(q, 6, e->cause);
    store_bind_price(q, 7, e->price);
    store_bind(q, 8, e->qty.v);
    store_bind(q, 9, e->filled.v);
    store_bind(q, 10, e->left.v);
    return store_run(s, WRITE_order_history);
}

/* Market makers replace quotes many times a second, and nearly none trades: a mass quote's order
 * has rows from its first fill on (MATCH-09). The journal has them all. */
static bool is_untraded_quote(const struct event_order *e)
{
    return (e->flags & ORDER_FLAG_QUOTE) != 0 && e->filled.v == 0;
}

static int project_order(struct store *s, const struct event_order *e)
{
    if (is_untraded_quote(e)) return STORE_OK;
    sqlite3_stmt *q = s->write[WRITE_order];
    store_bind(q, 1, (int64_t)e->order_id);
    store_bind(q, 2, (int64_t)e->header.seq);
    store_bind(q, 3, e->header.ts.v);
    store_bind(q, 4, e->account);
    store_bind(q, 5, e->instrument);
    store_bind(q, 6, e->side);
    store_bind(q, 7, e->type);
    store_bind(q, 8, e->tif);
    store_bind(q, 9, e->state);
    store_bind(q, 10, e->cause);
    store_bind(q, 11, e->flags);
    store_bind(q, 12, e->smp_mode);
    store_bind(q, 13, e->peg);
    store_bind(q, 14, e->link_type);
    store_bind(q, 15, e->session);
    store_bind_price(q, 16, e->price);
    store_bind(q, 17, e->qty.v);
    store_bind(q, 18, e->filled.v);
    store_bind(q, 19, e->left.v);
    store_bind(q, 20, e->shown.v);
    store_bind(q, 21, e->max_show.v);
    store_bind_price(q, 22, e->trigger);
    store_bind_price(q, 23, e->offset);
    store_bind(q, 24, e->min_qty.v);
    store_bind(q, 25, (int64_t)e->smp_id);
    store_bind(q, 26, (int64_t)e->linked_id);
    store_bind(q, 27, e->notional_high);
    store_bind(q, 28, (int64_t)e->notional_low);
    store_bind(q, 29, e->created.v);
    store_bind(q, 30, e->modified.v);
    store_bind(q, 31, e->expires_at.v);
    int status = store_run(s, WRITE_order);
    return status != STORE_OK ? status : project_order_history(s, e);
}

static int project_order_text(struct store *s, const struct event_order_text *e)
{
    sqlite3_stmt *q = s->write[WRITE_order_text];
    store_bind(q, 1, (int64_t)e->order_id);
    store_bind_text(q, 2, e->client_order_id);
    store_bind_text(q, 3, e->label);
    return store_run(s, WRITE_order_text);
}

/* A trade is a print of its book unless it was only the leg of a spread trade, or off book. */
static int project_candles(struct store *s, const struct event_trade *e)
{
    static const int64_t resolutions[] = {STORE_CANDLE_MINUTE, STORE_CANDLE_HOUR, STORE_CANDLE_DAY};
    if (e->kind != TRADE_continuous && e->kind != TRADE_auction) return STORE_OK;
    for (size_t i = 0; i < sizeof resolutions / sizeof resolutions[0]; i++) {
        sqlite3_stmt *q = s->write[WRITE_candle];
        int64_t width = resolutions[i] * NS_PER_SECOND;
        store_bind(q, 1, e->instrument);
        store_bind(q, 2, resolutions[i]);
        store_bind(q, 3, int64_div_floor(e->header.ts.v, width) * width);
        store_bind(q, 4, e->price.v);
        store_bind(q, 5, e->qty.v);
        int status = store_run(s, WRITE_candle);
        if (status != STORE_OK) return status;
    }
    return STORE_OK;
}

static int project_trade(struct store *s, const struct event_trade *e)
{
    sqlite3_stmt *q = s->write[WRITE_trade];
    store_bind(q, 1, (int64_t)e->trade_id);
    store_bind(q, 2, (int64_t)e->header.seq);
    store_bind(q, 3, e->header.ts.v);
    store_bind(q, 4, e->instrument);
    store_bind(q, 5, (int64_t)e->instrument_seq);
    store_bind(q, 6, e->kind);
    store_bind(q, 7, e->aggressor_side);
    store_bind(q, 8, e->price.v);
    store_bind(q, 9, e->qty.v);
    store_bind_price(q, 10, e->mark);
    store_bind(q, 11, (int64_t)e->order_id[SIDE_buy]);
    store_bind(q, 12, (int64_t)e->order_id[SIDE_sell]);
    store_bind(q, 13, e->account[SIDE_buy]);
    store_bind(q, 14, e->account[SIDE_sell]);
    store_bind(q, 15, e->maker[SIDE_buy]);
    store_bind(q, 16, e->maker[SIDE_sell]);
    store_bind(q, 17, e->fee[SIDE_buy].v);
    store_bind(q, 18, e->fee[SIDE_sell].v);
    store_bind(q, 19, e->reference);
    store_bind(q, 20, e->busted);
    int status = store_run(s, WRITE_trade);
    return status != STORE_OK ? status : project_candles(s, e);
}

/* MATCH-10: nothing is erased; the trade is marked. */
static int project_trade_bust(struct store *s, const struct event_trade_bust *e)
{
    sqlite3_stmt *q = s->write[WRITE_trade_bust];
    store_bind(q, 1, (int64_t)e->trade_id);
    store_bind(q, 2, e->adjusted != 0 ? TRADE_BUSTED_ADJUSTED : TRADE_BUSTED);
    int status = store_run(s, WRITE_trade_bust);
    return status == STORE_OK ? store_project_bust(s, e) : status;
}

static int project_settlement(struct store *s, const struct event_settlement *e)
{
    sqlite3_stmt *q = s->write[WRITE_settlement];
    store_bind(q, 1, (int64_t)e->id);
    store_bind(q, 2, (int64_t)e->header.seq);
    store_bind(q, 3, e->header.ts.v);
    store_bind(q, 4, e->instrument);
    store_bind(q, 5, e->final);
    store_bind(q, 6, e->price.v);
    return store_run(s, WRITE_settlement);
}

/* Which column of statement_cash a posting's code moves: its place in WRITE_statement_cash. */
static int statement_column(uint16_t code)
{
    switch (code) {
    case POSTING_deposit: return 4;
    case POSTING_withdrawal: return 5;
    case POSTING_transfer: return 6;
    case POSTING_variation:
    case POSTING_bust_variation: return 7;
    case POSTING_fee_trade:
    case POSTING_delivery_fee:
    case POSTING_bust_fee:
    case POSTING_fee_clearing: return 8;
    default: return 9;
    }
}

static int project_statement_cash(struct store *s, const struct event_posting *e)
{
    sqlite3_stmt *q = s->write[WRITE_statement_cash];
    store_bind(q, 1, e->account);
    store_bind(q, 2, int64_div_floor(e->header.ts.v, NS_PER_DAY));
    store_bind(q, 3, e->asset);
    int column = statement_column(e->code);
    for (int i = 4; i <= 9; i++) store_bind(q, i, i == column ? e->amount : 0);
    store_bind(q, 10, e->balance);
    return store_run(s, WRITE_statement_cash);
}

static int project_statement_position(struct store *s, const struct event_posting *e)
{
    bool trade = e->code == POSTING_trade;
    sqlite3_stmt *q = s->write[WRITE_statement_position];
    store_bind(q, 1, e->account);
    store_bind(q, 2, int64_div_floor(e->header.ts.v, NS_PER_DAY));
    store_bind(q, 3, (int64_t)e->asset - ASSET_INSTRUMENT);
    store_bind(q, 4, trade);
    store_bind(q, 5, trade && e->amount > 0 ? e->amount : 0);
    store_bind(q, 6, trade && e->amount < 0 ? -e->amount : 0);
    store_bind(q, 7, trade ? 0 : e->amount);
    store_bind(q, 8, e->balance);
    return store_run(s, WRITE_statement_position);
}

static int project_posting(struct store *s, const struct event_posting *e)
{
    sqlite3_stmt *q = s->write[WRITE_posting];
    store_bind(q, 1, (int64_t)e->posting_id);
    store_bind(q, 2, (int64_t)e->header.seq);
    store_bind(q, 3, e->header.ts.v);
    store_bind(q, 4, (int64_t)e->chain_id);
    store_bind(q, 5, e->account);
    store_bind(q, 6, e->asset);
    store_bind(q, 7, e->code);
    store_bind(q, 8, e->phase);
    store_bind(q, 9, e->instrument);
    store_bind(q, 10, e->amount);
    store_bind(q, 11, e->balance);
    store_bind(q, 12, (int64_t)e->reference);
    int status = store_run(s, WRITE_posting);
    /* What is only reserved, or was given back, has moved nothing. */
    if (status != STORE_OK || e->phase != PHASE_posted) return status;
    return e->asset >= ASSET_INSTRUMENT ? project_statement_position(s, e)
                                        : project_statement_cash(s, e);
}

static int project_state(struct store *s, const struct event_state *e)
{
    sqlite3_stmt *q = s->write[WRITE_state];
    store_bind(q, 1, (int64_t)e->header.seq);
    store_bind(q, 2, e->header.ts.v);
    store_bind(q, 3, e->product);
    store_bind(q, 4, e->state);
    store_bind(q, 5, e->before);
    store_bind_text(q, 6, e->reason);
    int status = store_run(s, WRITE_state);
    if (status != STORE_OK) return status;
    q = s->write[WRITE_product_state];
    store_bind(q, 1, e->product);
    store_bind(q, 2, e->state);
    return store_run(s, WRITE_product_state);
}

static int project_auction(struct store *s, const struct event_auction *e)
{
    if (!e->final) return STORE_OK;
    sqlite3_stmt *q = s->write[WRITE_auction];
    store_bind(q, 1, (int64_t)e->header.seq);
    store_bind(q, 2, e->header.ts.v);
    store_bind(q, 3, e->instrument);
    store_bind_price(q, 4, e->price);
    store_bind(q, 5, e->qty.v);
    store_bind(q, 6, e->surplus.v);
    return store_run(s, WRITE_auction);
}

int store_project(struct store *s, const struct event_header *e)
{
    const void *p = e;
    switch ((enum event_kind)e->kind) {
    case EVENT_asset: return project_asset(s, p);
    case EVENT_member: return project_member(s, p);
    case EVENT_account: return project_account(s, p);
    case EVENT_product: return project_product(s, p);
    case EVENT_instrument: return project_instrument(s, p);
    case EVENT_order: return project_order(s, p);
    case EVENT_order_text: return project_order_text(s, p);
    case EVENT_trade: return project_trade(s, p);
    case EVENT_trade_bust: return project_trade_bust(s, p);
    case EVENT_settlement: return project_settlement(s, p);
    case EVENT_posting: return project_posting(s, p);
    case EVENT_state: return project_state(s, p);
    case EVENT_auction: return project_auction(s, p);
    case EVENT_standing: return store_project_standing(s, p);
    case EVENT_call: return store_project_call(s, p);
    case EVENT_slice: return store_project_slice(s, p);
    case EVENT_token_class: return store_project_token_class(s, p);
    case EVENT_token: return store_project_token(s, p);
    case EVENT_certificate: return store_project_certificate(s, p);
    case EVENT_notice: return store_project_notice(s, p);
    case EVENT_allocation: return store_project_allocation(s, p);
    case EVENT_delivery_hour: return store_project_delivery_hour(s, p);
    case EVENT_delivery_cash: return store_project_delivery_cash(s, p);
    case EVENT_spot_auction: return store_project_spot_auction(s, p);
    case EVENT_spot_hour: return store_project_spot_hour(s, p);
    case EVENT_spot_bid: return store_project_spot_bid(s, p);
    case EVENT_index: return store_project_index(s, p);
    case EVENT_index_price: return store_project_index_price(s, p);
    default: return STORE_OK;
    }
}
