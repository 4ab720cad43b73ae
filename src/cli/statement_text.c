/* statement_text.c: an account's day as tables for people; see statement.h. */
#include "cli/statement.h"

#include "base/decimal.h"
#include "base/time_text.h"
#include "cli/table.h"
#include "wire/words.h"

#include <stdio.h>

static void add_fixed(struct table *t, int64_t value, int scale)
{
    char text[DECIMAL_TEXT_SIZE];
    (void)decimal_format(text, value, scale);
    table_add(t, value < 0 ? TABLE_RED : TABLE_PLAIN, text);
}

static void add_price(struct table *t, price_t price)
{
    if (price_is_none(price)) table_add(t, TABLE_PLAIN, "");
    else add_fixed(t, price.v, 6);
}

/* To the second. */
static void add_time(struct table *t, ts_t ts)
{
    char text[TIME_TEXT_SIZE];
    (void)time_format(text, TS(ts.v - ts.v % NS_PER_SECOND));
    table_add(t, TABLE_DIM, text);
}

static int print_cash(const struct statement *d, bool colour)
{
    static const struct table_column columns[] = {
        {"asset", TABLE_TEXT}, {"opening", TABLE_DECIMAL}, {"deposits", TABLE_DECIMAL},
        {"withdrawals", TABLE_DECIMAL}, {"transfers", TABLE_DECIMAL}, {"variation", TABLE_DECIMAL},
        {"fees", TABLE_DECIMAL}, {"other", TABLE_DECIMAL}, {"closing", TABLE_DECIMAL},
        {NULL, TABLE_TEXT}};
    struct table *t = table_new(columns, colour);
    if (t == NULL) return 1;
    for (int i = 0; i < d->balances; i++) {
        const struct store_statement_cash *l = &d->cash[i];
        char name[TOKEN_NAME_SIZE];
        store_asset_name(d->store, l->asset, name);
        table_add(t, TABLE_PLAIN, name);
        const int64_t values[] = {l->opening, l->deposits, l->withdrawals, l->transfers,
                                  l->variation, l->fees, l->other, l->closing};
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++)
            add_fixed(t, values[v], asset_scale(l->asset));
    }
    if (d->balances == 0) (void)puts("no money");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

static int print_positions(const struct statement *d, bool colour)
{
    static const struct table_column columns[] = {
        {"instrument", TABLE_TEXT}, {"opening", TABLE_NUMBER}, {"bought", TABLE_NUMBER},
        {"sold", TABLE_NUMBER}, {"settled", TABLE_NUMBER}, {"closing", TABLE_NUMBER},
        {"settlement", TABLE_DECIMAL}, {"trades", TABLE_NUMBER}, {NULL, TABLE_TEXT}};
    struct table *t = table_new(columns, colour);
    if (t == NULL) return 1;
    for (int i = 0; i < d->positions; i++) {
        const struct store_statement_position *l = &d->held[i];
        char name[INSTRUMENT_NAME_SIZE];
        store_instrument_name(d->store, l->instrument, name);
        table_add(t, TABLE_PLAIN, name);
        const int64_t values[] = {l->opening, l->bought, l->sold, l->settled, l->closing};
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) add_fixed(t, values[v], 0);
        add_price(t, l->settlement);
        add_fixed(t, l->trades, 0);
    }
    if (d->positions == 0) (void)puts("no positions");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

static int print_margin(const struct statement *d, bool colour)
{
    static const struct table_column columns[] = {
        {"margin as of", TABLE_TEXT}, {"equity", TABLE_DECIMAL}, {"credit", TABLE_DECIMAL},
        {"initial", TABLE_DECIMAL}, {"maintenance", TABLE_DECIMAL}, {"missing", TABLE_DECIMAL},
        {"call", TABLE_NUMBER}, {"called", TABLE_DECIMAL}, {"status", TABLE_TEXT},
        {NULL, TABLE_TEXT}};
    const struct event_standing *m = &d->margin;
    if (d->margins == 0) {
        (void)puts("no mark-to-market yet");
        return 0;
    }
    struct table *t = table_new(columns, colour);
    if (t == NULL) return 1;
    add_time(t, m->taken);
    const int64_t values[] = {m->equity.v, m->credit.v, m->initial.v, m->maintenance.v,
                              m->missing.v};
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) add_fixed(t, values[v], 6);
    if (m->call != 0) {
        add_fixed(t, (int64_t)m->call, 0);
        add_fixed(t, m->called.v, 6);
    } else {
        table_add(t, TABLE_PLAIN, "");
        table_add(t, TABLE_PLAIN, "");
    }
    table_add(t, m->status == ACCOUNT_normal ? TABLE_PLAIN : TABLE_RED,
              account_status_words[m->status % ACCOUNT_status_count]);
    table_print(t, stdout, true);
    table_free(t);
    return 0;
}

static int print_trades(const struct statement *d, bool colour)
{
    static const struct table_column columns[] = {
        {"time", TABLE_TEXT}, {"trade", TABLE_NUMBER}, {"instrument", TABLE_TEXT},
        {"side", TABLE_TEXT}, {"amount", TABLE_NUMBER}, {"price", TABLE_DECIMAL},
        {"fee", TABLE_DECIMAL}, {NULL, TABLE_TEXT}};
    struct table *t = table_new(columns, colour);
    if (t == NULL) return 1;
    for (int i = d->trades - 1; i >= 0; i--) {
        for (int side = SIDE_buy; side <= SIDE_sell; side++) {
            const struct event_trade *e = &d->trade[i];
            if (e->account[side] != d->account) continue;
            char name[INSTRUMENT_NAME_SIZE];
            store_instrument_name(d->store, e->instrument, name);
            add_time(t, e->header.ts);
            add_fixed(t, (int64_t)e->trade_id, 0);
            table_add(t, TABLE_PLAIN, name);
            table_add(t, side == SIDE_buy ? TABLE_GREEN : TABLE_RED,
                      side == SIDE_buy ? "buy" : "sell");
            add_fixed(t, e->qty.v, 0);
            add_price(t, e->price);
            add_fixed(t, e->fee[side].v, 6);
        }
    }
    if (d->trades == 0) (void)puts("no trades");
    else table_print(t, stdout, true);
    if (d->trades == STATEMENT_TRADES_MAX)
        (void)printf("only the day's last %d trades\n", STATEMENT_TRADES_MAX);
    table_free(t);
    return 0;
}

int statement_print(const struct statement *d, bool colour)
{
    (void)printf("%s  %s  to seq %llu\n\n", d->name, d->date,
                 (unsigned long long)store_last_seq(d->store));
    int status = print_cash(d, colour);
    (void)putchar('\n');
    if (status == 0) status = print_positions(d, colour);
    (void)putchar('\n');
    if (status == 0) status = print_margin(d, colour);
    (void)putchar('\n');
    return status == 0 ? print_trades(d, colour) : status;
}
