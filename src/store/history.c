/* history.c: what is read back: rows become the events they were made of.
 *
 * So that whoever turns events into answers needs one way for both the core's and the history's.
 * header.index of an event read back is 0 and its flags say ANSWER.
 *
 * Upstream: sqlite. Downstream: gate, cli.
 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

sqlite3_stmt *store_prepare(struct store *s, const char *sql)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK) return q;
    (void)store_fail(s, "history query");
    return NULL;
}

bool store_next_row(struct store *s, sqlite3_stmt *q, int *status)
{
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) *status = store_fail(s, "history query");
    return false;
}

static void column_text(sqlite3_stmt *q, int i, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(q, i);
    (void)snprintf(out, size, "%s", text == NULL ? "" : (const char *)text);
}

static struct event_header header_of(sqlite3_stmt *q, enum event_kind kind, size_t size)
{
    return (struct event_header){.seq = (uint64_t)store_column(q, 0),
                                 .ts = TS(store_column(q, 1)),
                                 .kind = (uint16_t)kind, .size = (uint16_t)size,
                                 .flags = EVENT_FLAG_ANSWER};
}

static void bind_filter(sqlite3_stmt *q, const struct store_filter *f, uint32_t capacity)
{
    store_bind(q, 1, f->account);
    store_bind(q, 2, f->instrument);
    store_bind(q, 3, f->from_id == 0 || f->from_id > INT64_MAX ? INT64_MAX : (int64_t)f->from_id);
    store_bind(q, 4, f->start.v == 0 ? INT64_MIN : f->start.v);
    store_bind(q, 5, f->end.v == 0 ? INT64_MAX : f->end.v);
    store_bind(q, 6, capacity);
}

/* ---- orders ---- */
#define ORDER_COLUMNS                                                                              \
    "o.seq, o.ts, o.order_id, account, instrument, side, type, tif, state, cause, flags, smp_mode,"\
    " peg, link_type, session, price, qty, filled, left, shown, max_show, trigger, offset,"        \
    " min_qty, smp_id, linked_id, notional_high, notional_low, created, modified, expires_at,"     \
    " client_order_id, label FROM orders o LEFT JOIN order_texts t ON t.order_id=o.order_id "

static struct event_order order_of(sqlite3_stmt *q)
{
    return (struct event_order){
        .header = header_of(q, EVENT_order, sizeof(struct event_order)),
        .order_id = (uint64_t)store_column(q, 2),
        .account = (uint32_t)store_column(q, 3),
        .instrument = (uint32_t)store_column(q, 4),
        .side = (uint8_t)store_column(q, 5),
        .type = (uint8_t)store_column(q, 6),
        .tif = (uint8_t)store_column(q, 7),
        .state = (uint8_t)store_column(q, 8),
        .cause = (uint8_t)store_column(q, 9),
        .flags = (uint32_t)store_column(q, 10),
        .smp_mode = (uint8_t)store_column(q, 11),
        .peg = (uint8_t)store_column(q, 12),
        .link_type = (uint8_t)store_column(q, 13),
        .session = (uint32_t)store_column(q, 14),
        .price = store_column_price(q, 15),
        .qty = QTY(store_column(q, 16)),
        .filled = QTY(store_column(q, 17)),
        .left = QTY(store_column(q, 18)),
        .shown = QTY(store_column(q, 19)),
        .max_show = QTY(store_column(q, 20)),
        .trigger = store_column_price(q, 21),
        .offset = store_column_price(q, 22),
        .min_qty = QTY(store_column(q, 23)),
        .smp_id = (uint64_t)store_column(q, 24),
        .linked_id = (uint64_t)store_column(q, 25),
        .notional_high = store_column(q, 26),
        .notional_low = (uint64_t)store_column(q, 27),
        .created = TS(store_column(q, 28)),
        .modified = TS(store_column(q, 29)),
        .expires_at = TS(store_column(q, 30)),
    };
}

static struct event_order_text order_text_of(sqlite3_stmt *q)
{
    struct event_order_text t = {
        .header = header_of(q, EVENT_order_text, sizeof(struct event_order_text)),
        .order_id = (uint64_t)store_column(q, 2),
    };
    column_text(q, 31, t.client_order_id, sizeof t.client_order_id);
    column_text(q, 32, t.label, sizeof t.label);
    return t;
}

static int read_orders(struct store *s, sqlite3_stmt *q, struct event_order *orders,
                       struct event_order_text *texts, uint32_t capacity)
{
    int status = STORE_OK;
    uint32_t n = 0;
    while (n < capacity && store_next_row(s, q, &status)) {
        orders[n] = order_of(q);
        if (texts != NULL) texts[n] = order_text_of(q);
        n += 1;
    }
    (void)sqlite3_finalize(q);
    return status != STORE_OK ? status : (int)n;
}

int store_orders_closed(struct store *s, const struct store_filter *f, struct event_order *orders,
                        struct event_order_text *texts, uint32_t capacity)
{
    sqlite3_stmt *q =
        store_prepare(s, f->account != 0
                             ? "SELECT " ORDER_COLUMNS "WHERE account=?1 AND state IN (2,3)"
                               " AND (?2=0 OR instrument=?2) AND o.seq<?3 AND o.ts>=?4 AND o.ts<?5"
                               " ORDER BY o.seq DESC, o.order_id DESC LIMIT ?6"
                             : "SELECT " ORDER_COLUMNS "WHERE state IN (2,3) AND ?1=0"
                               " AND (?2=0 OR instrument=?2) AND o.seq<?3 AND o.ts>=?4 AND o.ts<?5"
                               " ORDER BY o.seq DESC, o.order_id DESC LIMIT ?6");
    if (q == NULL) return STORE_FAILED;
    bind_filter(q, f, capacity);
    return read_orders(s, q, orders, texts, capacity);
}

int store_order(struct store *s, uint64_t order_id, struct event_order *order,
                struct event_order_text *text)
{
    sqlite3_stmt *q = store_prepare(s, "SELECT " ORDER_COLUMNS "WHERE o.order_id=?1");
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, (int64_t)order_id);
    return read_orders(s, q, order, text, 1);
}

int store_order_history(struct store *s, uint64_t order_id, struct store_order_change *changes,
                        uint32_t capacity)
{
    sqlite3_stmt *q = store_prepare(
        s, "SELECT seq, ts, state, cause, price, qty, filled, left"
           " FROM order_history WHERE order_id=?1 ORDER BY rowid LIMIT ?2");
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, (int64_t)order_id);
    store_bind(q, 2, capacity);
    int status = STORE_OK;
    uint32_t n = 0;
    while (n < capacity && store_next_row(s, q, &status)) {
        changes[n] = (struct store_order_change){
            .seq = (uint64_t)store_column(q, 0),
            .ts = TS(store_column(q, 1)),
            .state = (uint8_t)store_column(q, 2),
            .cause = (uint8_t)store_column(q, 3),
            .price = store_column_price(q, 4),
            .qty = QTY(store_column(q, 5)),
            .filled = QTY(store_column(q, 6)),
            .left = QTY(store_column(q, 7)),
        };
        n += 1;
    }
    (void)sqlite3_finalize(q);
    return status != STORE_OK ? status : (int)n;
}

/* ---- trades ---- */
#define TRADE_COLUMNS                                                                              \
    "SELECT seq, ts, trade_id, instrument, instrument_seq, kind, aggressor_side, price, qty, mark,"\
    " buy_order, sell_order, buy_account, sell_account, buy_maker, sell_maker, buy_fee,"           \
    " sell_fee, reference, busted FROM trades "
#define TRADE_WHERE                                                                                \
    "(?2=0 OR instrument=?2) AND trade_id<?3 AND ts>=?4 AND ts<?5"                                 \
    " AND (?7=0 OR buy_order=?7 OR sell_order=?7) "

static struct event_trade trade_of(sqlite3_stmt *q)
{
    return (struct event_trade){
        .header = header_of(q, EVENT_trade, sizeof(struct event_trade)),
        .trade_id = (uint64_t)store_column(q, 2),
        .instrument = (uint32_t)store_column(q, 3),
        .instrument_seq = (uint64_t)store_column(q, 4),
        .kind = (uint8_t)store_column(q, 5),
        .aggressor_side = (uint8_t)store_column(q, 6),
        .price = PRICE(store_column(q, 7)),
        .qty = QTY(store_column(q, 8)),
        .mark = store_column_price(q, 9),
        .order_id = {(uint64_t)store_column(q, 10), (uint64_t)store_column(q, 11)},
        .account = {(uint32_t)store_column(q, 12), (uint32_t)store_column(q, 13)},
        .maker = {(uint8_t)store_column(q, 14), (uint8_t)store_column(q, 15)},
        .fee = {MONEY(store_column(q, 16)), MONEY(store_column(q, 17))},
        .reference = (uint32_t)store_column(q, 18),
        .busted = (uint8_t)store_column(q, 19),
    };
}

/* The index that serves: both of an account's sides, one instrument, or the ids themselves. */
static const char *trades_sql(const struct store_filter *f)
{
    if (f->account != 0)
        return "SELECT * FROM (" TRADE_COLUMNS "WHERE buy_account=?1 AND " TRADE_WHERE
               "UNION " TRADE_COLUMNS "WHERE sell_account=?1 AND " TRADE_WHERE
               ") ORDER BY trade_id DESC LIMIT ?6";
    if (f->instrument != 0)
        return TRADE_COLUMNS "WHERE instrument=?2 AND ?1=0 AND " TRADE_WHERE
                             "ORDER BY trade_id DESC LIMIT ?6";
    return TRADE_COLUMNS "WHERE ?1=0 AND " TRADE_WHERE "ORDER BY trade_id DESC LIMIT ?6";
}

int store_trades(struct store *s, const struct store_filter *f, struct event_trade *trades,
                 uint32_t capacity)
{
    struct store_filter filter = *f;
    struct event_order order;
    /* An order's account has an index; its id has none. */
    if (f->order_id != 0 && f->account == 0) {
        int found = store_order(s, f->order_id, &order, NULL);
        if (found <= 0) return found;
        filter.account = order.account;
    }
    sqlite3_stmt *q = store_prepare(s, trades_sql(&filter));
    if (q == NULL) return STORE_FAILED;
    bind_filter(q, &filter, capacity);
    store_bind(q, 7, (int64_t)f->order_id);
    int status = STORE_OK;
    uint32_t n = 0;
    while (n < capacity && store_next_row(s, q, &status)) trades[n++] = trade_of(q);
    (void)sqlite3_finalize(q);
    return status != STORE_OK ? status : (int)n;
}

int store_candles(struct store *s, uint32_t instrument, uint32_t resolution_s, ts_t start, ts_t end,
                  struct store_candle *candles, uint32_t capacity)
{
    sqlite3_stmt *q = store_prepare(
        s, "SELECT start, open, high, low, close, volume, trades FROM candles"
           " WHERE instrument=?1 AND resolution=?2 AND start>=?3 AND start<?4"
           " ORDER BY start LIMIT ?5");
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, instrument);
    store_bind(q, 2, resolution_s);
    store_bind(q, 3, start.v == 0 ? INT64_MIN : start.v);
    store_bind(q, 4, end.v == 0 ? INT64_MAX : end.v);
    store_bind(q, 5, capacity);
    int status = STORE_OK;
    uint32_t n = 0;
    while (n < capacity && store_next_row(s, q, &status)) {
        candles[n] = (struct store_candle){
            .start = TS(store_column(q, 0)),
            .open = PRICE(store_column(q, 1)),
            .high = PRICE(store_column(q, 2)),
            .low = PRICE(store_column(q, 3)),
            .close = PRICE(store_column(q, 4)),
            .volume = QTY(store_column(q, 5)),
            .trades = (uint64_t)store_column(q, 6),
        };
        n += 1;
    }
    (void)sqlite3_finalize(q);
    return status != STORE_OK ? status : (int)n;
}

/* ---- statements: the day's row where there is one, else the latest before it, without
   movements */
int store_statement_cash(struct store *s, uint32_t account, int64_t day,
                         struct store_statement_cash *lines, uint32_t capacity)
{
    sqlite3_stmt *q =
        store_prepare(
            s, "SELECT asset, postings, deposits, withdrawals, transfers, variation, fees,"
               " other, closing, day FROM statement_cash c WHERE account=?1 AND day=(SELECT"
               " max(day) FROM statement_cash d WHERE d.account=?1 AND d.asset=c.asset AND"
               " d.day<=?2) AND (asset NOT BETWEEN ?4 AND ?5 OR closing<>0 OR day=?2)"
               " ORDER BY asset LIMIT ?3"); /* tokens of hours that are over are no line */
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, account);
    store_bind(q, 2, day);
    store_bind(q, 3, capacity);
    store_bind(q, 4, TOKEN_ASSET_FIRST);
    store_bind(q, 5, ASSET_INSTRUMENT - 1);
    int status = STORE_OK;
    uint32_t n = 0;
    while (n < capacity && store_next_row(s, q, &status)) {
        bool moved = store_column(q, 9) == day;
        struct store_statement_cash *l = &lines[n++];
        *l = (struct store_statement_cash){.asset = (uint32_t)store_column(q, 0),
                                           .closing = store_column(q, 8),
                                           .opening = store_column(q, 8)};
        if (!moved) continue;
        l->postings = (uint32_t)store_column(q, 1);
        l->deposits = store_column(q, 2);
        l->withdrawals = store_column(q, 3);
        l->transfers = store_column(q, 4);
        l->variation = store_column(q, 5);
        l->fees = store_column(q, 6);
        l->other = store_column(q, 7);
        l->opening -= l->deposits + l->withdrawals + l->transfers + l->variation + l->fees +
                      l->other;
    }
    (void)sqlite3_finalize(q);
    return status != STORE_OK ? status : (int)n;
}

int store_statement_positions(struct store *s, uint32_t account, int64_t day,
                              struct store_statement_position *lines, uint32_t capacity)
{
    sqlite3_stmt *q =
        store_prepare(
            s, "SELECT instrument, trades, bought, sold, settled, closing, day,"
               " (SELECT price FROM settlements p WHERE p.instrument=c.instrument AND p.ts<?4"
               " ORDER BY id DESC LIMIT 1) FROM statement_positions c WHERE account=?1 AND"
               " day=(SELECT max(day) FROM statement_positions d WHERE d.account=?1 AND"
               " d.instrument=c.instrument AND d.day<=?2) AND (closing<>0 OR day=?2)"
               " ORDER BY instrument LIMIT ?3");
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, account);
    store_bind(q, 2, day);
    store_bind(q, 3, capacity);
    store_bind(q, 4, (day + 1) * NS_PER_DAY);
    int status = STORE_OK;
    uint32_t n = 0;
    while (n < capacity && store_next_row(s, q, &status)) {
        bool moved = store_column(q, 6) == day;
        struct store_statement_position *l = &lines[n++];
        *l = (struct store_statement_position){.instrument = (uint32_t)store_column(q, 0),
                                               .opening = store_column(q, 5),
                                               .closing = store_column(q, 5),
                                               .settlement = store_column_price(q, 7)};
        if (!moved) continue;
        l->trades = (uint32_t)store_column(q, 1);
        l->bought = store_column(q, 2);
        l->sold = store_column(q, 3);
        l->settled = store_column(q, 4);
        l->opening -= l->bought - l->sold + l->settled;
    }
    (void)sqlite3_finalize(q);
    return status != STORE_OK ? status : (int)n;
}

int store_statement_margin(struct store *s, uint32_t account, int64_t day,
                           struct event_standing *standing)
{
    sqlite3_stmt *q =
        store_prepare(s, "SELECT mark, ts, mode, status, cash, pending, unsettled, equity, credit,"
                         " initial, maintenance, missing, call, call_state, called, deadline"
                         " FROM statement_margin WHERE account=?1 AND day<=?2"
                         " ORDER BY day DESC, mark DESC LIMIT 1");
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, account);
    store_bind(q, 2, day);
    int status = STORE_OK;
    bool found = store_next_row(s, q, &status);
    if (found) {
        *standing = (struct event_standing){
            .mark_id = (uint64_t)store_column(q, 0),
            .account = account,
            .taken = TS(store_column(q, 1)),
            .mode = (uint32_t)store_column(q, 2),
            .status = (uint32_t)store_column(q, 3),
            .cash = MONEY(store_column(q, 4)),
            .pending = MONEY(store_column(q, 5)),
            .unsettled = MONEY(store_column(q, 6)),
            .equity = MONEY(store_column(q, 7)),
            .credit = MONEY(store_column(q, 8)),
            .initial = MONEY(store_column(q, 9)),
            .maintenance = MONEY(store_column(q, 10)),
            .missing = MONEY(store_column(q, 11)),
            .call = (uint64_t)store_column(q, 12),
            .call_state = (uint32_t)store_column(q, 13),
            .called = MONEY(store_column(q, 14)),
            .deadline = TS(store_column(q, 15)),
        };
    }
    (void)sqlite3_finalize(q);
    return status != STORE_OK ? status : (int)found;
}

static uint32_t id_of(struct store *s, const char *sql, const char *name)
{
    sqlite3_stmt *q = store_prepare(s, sql);
    if (q == NULL) return 0;
    store_bind_text(q, 1, name);
    int status = STORE_OK;
    uint32_t id = store_next_row(s, q, &status) ? (uint32_t)store_column(q, 0) : 0;
    (void)sqlite3_finalize(q);
    return id;
}

uint32_t store_account_id(struct store *s, const char *name)
{
    return id_of(s, "SELECT id FROM accounts WHERE name=?1", name);
}

uint32_t store_instrument_id(struct store *s, const char *name)
{
    return id_of(s, "SELECT id FROM instruments WHERE name=?1", name);
}

static void name_of(struct store *s, const char *sql, uint32_t id, char *name, size_t size)
{
    (void)snprintf(name, size, "%u", id);
    sqlite3_stmt *q = store_prepare(s, sql);
    if (q == NULL) return;
    store_bind(q, 1, id);
    int status = STORE_OK;
    if (store_next_row(s, q, &status)) column_text(q, 0, name, size);
    (void)sqlite3_finalize(q);
}

void store_instrument_name(struct store *s, uint32_t instrument, char name[INSTRUMENT_NAME_SIZE])
{
    name_of(s, "SELECT name FROM instruments WHERE id=?1", instrument, name, INSTRUMENT_NAME_SIZE);
}

void store_asset_name(struct store *s, uint32_t asset, char name[TOKEN_NAME_SIZE])
{
    name_of(s, "SELECT name FROM assets WHERE id=?1", asset, name, TOKEN_NAME_SIZE);
}
