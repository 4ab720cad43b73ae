/* statement.c: `dojima statement`: an account's day from the SQL history, as text, JSON or CSV.
 *
 * Money by kind of movement, positions, margin, trades. Each balance and position is checked: what
 * the day before ended with and the day's movements make what it ended with; where they do not,
 * nothing is printed and the exit status is 1. Works beside a running node.
 */
#include "cli/statement.h"

#include "base/decimal.h"
#include "base/time_text.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "wire/json.h"
#include "wire/words.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_DATA = 256, KEY_FORMAT, PATH_SIZE = 512, BYTES_MAX = 4 << 20 };
enum format { FORMAT_text = 0, FORMAT_json, FORMAT_csv };

struct arguments {
    const char *data;
    const char *account;
    const char *date;
    enum format format;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_DATA: a->data = text; return 0;
    case KEY_FORMAT:
        if (strcmp(text, "json") == 0) a->format = FORMAT_json;
        else if (strcmp(text, "csv") == 0) a->format = FORMAT_csv;
        else if (strcmp(text, "text") != 0) argp_error(state, "a format is text, json or csv");
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0) a->account = text;
        else if (state->arg_num == 1) a->date = text;
        else argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (a->date == NULL || a->data == NULL) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int fail(const char *text)
{
    (void)fprintf(stderr, "dojima statement: %s\n", text);
    return 1;
}

/* ---- reading and checking ---- */

static bool cash_adds_up(const struct store_statement_cash *l, const struct statement *d,
                         int before)
{
    int64_t opening = 0;
    for (int i = 0; i < before; i++) {
        if (d->cash_before[i].asset == l->asset) opening = d->cash_before[i].closing;
    }
    int128_t sum = (int128_t)opening + l->deposits + l->withdrawals + l->transfers +
                   l->variation + l->fees + l->other;
    return opening == l->opening && sum == l->closing;
}

static bool position_adds_up(const struct store_statement_position *l, const struct statement *d,
                             int before)
{
    int64_t opening = 0;
    for (int i = 0; i < before; i++) {
        if (d->held_before[i].instrument == l->instrument) opening = d->held_before[i].closing;
    }
    int128_t sum = (int128_t)opening + l->bought - l->sold + l->settled;
    return opening == l->opening && sum == l->closing;
}

static bool margin_adds_up(const struct event_standing *m)
{
    int128_t missing = (int128_t)m->initial.v - m->equity.v - m->credit.v;
    if (m->mode != MODE_margined || missing < 0) missing = 0;
    return m->equity.v == m->cash.v - m->pending.v + m->unsettled.v && m->missing.v == missing;
}

static int day_read(struct statement *d)
{
    struct store_filter f = {.account = d->account, .start = TS(d->day * NS_PER_DAY),
                             .end = TS((d->day + 1) * NS_PER_DAY)};
    int64_t eve = d->day - 1;
    int cash = store_statement_cash(d->store, d->account, eve, d->cash_before,
                                    STATEMENT_ASSETS_MAX);
    int held = store_statement_positions(d->store, d->account, eve, d->held_before,
                                         STATEMENT_LINES_MAX);
    d->balances = store_statement_cash(d->store, d->account, d->day, d->cash,
                                       STATEMENT_ASSETS_MAX);
    d->positions = store_statement_positions(d->store, d->account, d->day, d->held,
                                             STATEMENT_LINES_MAX);
    d->trades = store_trades(d->store, &f, d->trade, STATEMENT_TRADES_MAX);
    d->margins = store_statement_margin(d->store, d->account, d->day, &d->margin);
    if (cash < 0 || held < 0 || d->balances < 0 || d->positions < 0 || d->trades < 0 ||
        d->margins < 0) {
        return fail(store_error(d->store));
    }
    for (int i = 0; i < d->balances; i++) {
        if (!cash_adds_up(&d->cash[i], d, cash)) return fail("a balance does not add up");
    }
    for (int i = 0; i < d->positions; i++) {
        if (!position_adds_up(&d->held[i], d, held)) return fail("a position does not add up");
    }
    if (d->margins > 0 && !margin_adds_up(&d->margin)) return fail("the margin does not add up");
    return 0;
}

/* ---- writing: one walk, two forms ---- */

struct out {
    struct json_writer *w; /* NULL: CSV */
    const char *kind;      /* of the line at work */
    char name[INSTRUMENT_NAME_SIZE];
};

static void line_open(struct out *o, const char *kind, const char *key)
{
    o->kind = kind;
    if (o->w == NULL) return;
    json_open_object(o->w);
    json_key_string(o->w, key, o->name);
}

static void line_close(struct out *o)
{
    if (o->w != NULL) json_close_object(o->w);
}

static void text_add(struct out *o, const char *key, const char *text)
{
    if (o->w != NULL) json_key_string(o->w, key, text);
    else (void)printf("%s,%s,%s,%s\n", o->kind, o->name, key, text);
}

static void fixed_add(struct out *o, const char *key, int64_t value, int scale)
{
    char text[DECIMAL_TEXT_SIZE];
    if (o->w != NULL) {
        json_key_fixed(o->w, key, value, scale);
        return;
    }
    (void)decimal_format(text, value, scale);
    text_add(o, key, text);
}

static void list(struct out *o, const char *key, bool open)
{
    if (o->w == NULL) return;
    if (open) json_key(o->w, key);
    if (open) json_open_array(o->w);
    else json_close_array(o->w);
}

static void balances_write(struct out *o, struct statement *d)
{
    list(o, "balances", true);
    for (int i = 0; i < d->balances; i++) {
        const struct store_statement_cash *l = &d->cash[i];
        int scale = asset_scale(l->asset);
        store_asset_name(d->store, l->asset, o->name);
        line_open(o, "balance", "asset");
        fixed_add(o, "opening", l->opening, scale);
        fixed_add(o, "deposits", l->deposits, scale);
        fixed_add(o, "withdrawals", l->withdrawals, scale);
        fixed_add(o, "transfers", l->transfers, scale);
        fixed_add(o, "variation", l->variation, scale);
        fixed_add(o, "fees", l->fees, scale);
        fixed_add(o, "other", l->other, scale);
        fixed_add(o, "closing", l->closing, scale);
        line_close(o);
    }
    list(o, NULL, false);
}

static void positions_write(struct out *o, struct statement *d)
{
    list(o, "positions", true);
    for (int i = 0; i < d->positions; i++) {
        const struct store_statement_position *l = &d->held[i];
        store_instrument_name(d->store, l->instrument, o->name);
        line_open(o, "position", "instrument_name");
        fixed_add(o, "opening", l->opening, 0);
        fixed_add(o, "bought", l->bought, 0);
        fixed_add(o, "sold", l->sold, 0);
        fixed_add(o, "settled", l->settled, 0);
        fixed_add(o, "closing", l->closing, 0);
        if (!price_is_none(l->settlement)) fixed_add(o, "settlement", l->settlement.v, 6);
        line_close(o);
    }
    list(o, NULL, false);
}

/* As of the day's last mark-to-market, or of the one before it where the day had none. */
static void margin_write(struct out *o, struct statement *d)
{
    const struct event_standing *m = &d->margin;
    char time[TIME_TEXT_SIZE];
    if (o->w != NULL) json_key(o->w, "margin");
    if (d->margins == 0) {
        if (o->w != NULL) json_null(o->w);
        return;
    }
    (void)time_format(time, m->taken);
    (void)snprintf(o->name, sizeof o->name, "%llu", (unsigned long long)m->mark_id);
    line_open(o, "margin", "mark_id");
    text_add(o, "as_of", time);
    text_add(o, "status", account_status_words[m->status % ACCOUNT_status_count]);
    fixed_add(o, "cash", m->cash.v, 6);
    fixed_add(o, "pending", m->pending.v, 6);
    fixed_add(o, "unsettled", m->unsettled.v, 6);
    fixed_add(o, "equity", m->equity.v, 6);
    fixed_add(o, "collateral_credit", m->credit.v, 6);
    fixed_add(o, "initial_margin", m->initial.v, 6);
    fixed_add(o, "maintenance_margin", m->maintenance.v, 6);
    fixed_add(o, "missing", m->missing.v, 6);
    if (m->call != 0) {
        fixed_add(o, "call_id", (int64_t)m->call, 0);
        fixed_add(o, "called", m->called.v, 6);
        (void)time_format(time, m->deadline);
        text_add(o, "deadline", time);
    }
    line_close(o);
}

static void trades_write(struct out *o, struct statement *d)
{
    list(o, "trades", true);
    for (int i = d->trades - 1; i >= 0; i--) {
        const struct event_trade *t = &d->trade[i];
        for (int side = SIDE_buy; side <= SIDE_sell; side++) {
            char time[TIME_TEXT_SIZE], instrument[INSTRUMENT_NAME_SIZE];
            if (t->account[side] != d->account) continue;
            (void)time_format(time, t->header.ts);
            store_instrument_name(d->store, t->instrument, instrument);
            (void)snprintf(o->name, sizeof o->name, "%llu", (unsigned long long)t->trade_id);
            line_open(o, "trade", "trade_id");
            text_add(o, "time", time);
            text_add(o, "instrument_name", instrument);
            text_add(o, "direction", side == SIDE_buy ? "buy" : "sell");
            fixed_add(o, "amount", t->qty.v, 0);
            fixed_add(o, "price", t->price.v, 6);
            fixed_add(o, "fee", t->fee[side].v, 6);
            line_close(o);
        }
    }
    list(o, NULL, false);
}

static int json_print(struct statement *d)
{
    struct json_writer w = {.bytes = malloc(BYTES_MAX), .capacity = BYTES_MAX};
    struct out o = {.w = &w};
    if (w.bytes == NULL) return fail("no memory");
    json_open_object(&w);
    json_key_string(&w, "account", d->name);
    json_key_string(&w, "date", d->date);
    json_key_int(&w, "seq", (int64_t)store_last_seq(d->store));
    balances_write(&o, d);
    positions_write(&o, d);
    margin_write(&o, d);
    trades_write(&o, d);
    json_close_object(&w);
    json_newline(&w);
    int status = w.overflow ? fail("the statement is too long") : 0;
    if (status == 0) (void)fwrite(w.bytes, 1, w.used, stdout);
    free(w.bytes);
    return status;
}

static int csv_print(struct statement *d)
{
    struct out o = {0};
    (void)puts("kind,name,field,value");
    balances_write(&o, d);
    positions_write(&o, d);
    margin_write(&o, d);
    trades_write(&o, d);
    return 0;
}

static int statement(struct statement *d, enum format format)
{
    d->account = store_account_id(d->store, d->name);
    if (d->account == 0) return fail("there is no such account");
    int status = day_read(d);
    if (status != 0) return status;
    switch (format) {
    case FORMAT_json: return json_print(d);
    case FORMAT_csv: return csv_print(d);
    case FORMAT_text: break;
    }
    return statement_print(d, client_colour()) != 0 ? fail("no memory") : 0;
}

int cli_statement(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"data", KEY_DATA, "DIR", 0, "The data directory", 0},
        {"format", KEY_FORMAT, "FORMAT", 0, "text (default), json or csv", 0},
        {0}};
    static const struct argp argp = {
        options, parse, "--data DIR ACCOUNT YYYY-MM-DD",
        "An account's day (UTC): money by kind of movement, positions, margin, trades, from the "
        "history DIR/history.sqlite. "
        "Opening and movements make closing, or it is refused.",
        NULL, NULL, NULL};
    struct arguments a = {0};
    char path[PATH_SIZE], text[TIME_TEXT_SIZE];
    ts_t ts;
    client_parse(&argp, argc, argv, &a);
    (void)snprintf(text, sizeof text, "%.10sT00:00:00Z", a.date);
    if (strlen(a.date) != 10 || time_parse(text, strlen(text), &ts) != 0) {
        (void)fail("the day is YYYY-MM-DD");
        return 2;
    }
    (void)snprintf(path, sizeof path, "%s/history.sqlite", a.data);
    struct statement *d = calloc(1, sizeof *d);
    if (d == NULL) return fail("no memory");
    d->name = a.account;
    d->date = a.date;
    d->day = ts.v / NS_PER_DAY;
    int status = store_open_read(path, &d->store) == STORE_OK
                     ? statement(d, a.format)
                     : fail(d->store == NULL ? "no memory" : store_error(d->store));
    store_close(d->store);
    free(d);
    return status;
}
