/* store.c: `dojima store rebuild|statement`: the SQL history of a data directory.
 *
 * rebuild throws the history away and makes it again from the journal; the node must not run.
 * statement prints an account's day: money by kind of movement, positions, margin, trades. It reads
 * beside a running node.
 */
#include "base/decimal.h"
#include "base/time_text.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/statement.h"
#include "cli/store_replay.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { KEY_DATA = 256, KEY_JSON, PATH_SIZE = 512, LINES_MAX = 4096, TRADES_MAX = 1000 };

struct arguments {
    const char *verb;
    const char *account;
    const char *day;
    const char *data;
    bool json;
    bool terminal;
};

static const struct argp_option options[] = {
    {"data", KEY_DATA, "DIR", 0, "The data directory", 0},
    {"json", KEY_JSON, NULL, 0, "rebuild: the figures as one JSON object", 0},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case KEY_DATA: a->data = text; return 0;
    case KEY_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0) a->verb = text;
        else if (state->arg_num == 1) a->account = text;
        else if (state->arg_num == 2) a->day = text;
        else argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (a->verb == NULL || a->data == NULL) argp_usage(state);
        if (strcmp(a->verb, "rebuild") == 0) {
            if (a->account != NULL) argp_usage(state);
        } else if (strcmp(a->verb, "statement") != 0 || a->day == NULL) {
            argp_usage(state);
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "rebuild --data DIR\nstatement --data DIR ACCOUNT YYYY-MM-DD",
    .doc = "The SQL history of a data directory: DIR/history.sqlite, whose tables stand in "
           "src/store/schema.h.\vThe history is derived: `rebuild` makes it again from the journal "
           "while the node is stopped."};

static int fail(const char *text)
{
    (void)fprintf(stderr, "dojima store: %s\n", text);
    return 1;
}

/* ---- rebuild ---- */
static void draw(void *context, uint64_t seq)
{
    const struct arguments *a = context;
    if (a->terminal && seq % 65536 == 0)
        (void)fprintf(stderr, "\r%llu commands", (unsigned long long)seq);
}

static void remove_history(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char name[PATH_SIZE + 8];
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)remove(name);
    }
}

static int rebuild(struct arguments *a, const char *path)
{
    char error[512] = "";
    struct store *s = NULL;
    struct store_replay_result result;
    int status = 1;
    struct io *io = io_directory_open(a->data, 0, error, sizeof error); /* takes the lock */
    if (io == NULL) return fail(error);
    remove_history(path);
    uint64_t start = uv_hrtime();
    if (store_open(path, &s) != STORE_OK) {
        (void)fail(s == NULL ? "no memory" : store_error(s));
    } else if (store_replay(io, s, 0, draw, a, &result, error, sizeof error) != 0) {
        (void)fail(error);
    } else {
        uint64_t ms = (uv_hrtime() - start) / 1000000;
        if (a->terminal) (void)fprintf(stderr, "\r%*s\r", 40, "");
        const char *sentence = "history to seq %llu: %llu commands, %llu rows, %llu ms\n";
        const char *object = "{\"seq\":%llu,\"commands\":%llu,\"rows\":%llu,\"ms\":%llu}\n";
        (void)printf(a->json ? object : sentence, (unsigned long long)result.seq,
                     (unsigned long long)result.commands, (unsigned long long)store_rows(s),
                     (unsigned long long)ms);
        status = 0;
    }
    store_close(s);
    io_directory_close(io);
    return status;
}

/* ---- statement ---- */
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

static int print_cash(struct store *s, uint32_t account, int64_t day, bool colour)
{
    static const struct table_column columns[] = {
        {"asset", TABLE_TEXT}, {"opening", TABLE_DECIMAL}, {"deposits", TABLE_DECIMAL},
        {"withdrawals", TABLE_DECIMAL}, {"transfers", TABLE_DECIMAL}, {"variation", TABLE_DECIMAL},
        {"fees", TABLE_DECIMAL}, {"other", TABLE_DECIMAL}, {"closing", TABLE_DECIMAL},
        {NULL, TABLE_TEXT}};
    struct store_statement_cash lines[64];
    int n = store_statement_cash(s, account, day, lines, 64);
    struct table *t = n < 0 ? NULL : table_new(columns, colour);
    if (t == NULL) return fail(store_error(s));
    for (int i = 0; i < n; i++) {
        const struct store_statement_cash *l = &lines[i];
        char name[ASSET_NAME_SIZE];
        store_asset_name(s, l->asset, name);
        table_add(t, TABLE_PLAIN, name);
        const int64_t values[] = {l->opening, l->deposits, l->withdrawals, l->transfers,
                                  l->variation, l->fees, l->other, l->closing};
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) add_fixed(t, values[v], 6);
    }
    if (n == 0) (void)puts("no money");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

static int print_positions(struct store *s, uint32_t account, int64_t day, bool colour)
{
    static const struct table_column columns[] = {
        {"instrument", TABLE_TEXT}, {"opening", TABLE_NUMBER}, {"bought", TABLE_NUMBER},
        {"sold", TABLE_NUMBER}, {"settled", TABLE_NUMBER}, {"closing", TABLE_NUMBER},
        {"settlement", TABLE_DECIMAL}, {"trades", TABLE_NUMBER}, {NULL, TABLE_TEXT}};
    struct store_statement_position *lines = calloc(LINES_MAX, sizeof *lines);
    int n = lines == NULL ? STORE_FAILED
                          : store_statement_positions(s, account, day, lines, LINES_MAX);
    struct table *t = n < 0 ? NULL : table_new(columns, colour);
    if (t == NULL) {
        free(lines);
        return fail(store_error(s));
    }
    for (int i = 0; i < n; i++) {
        const struct store_statement_position *l = &lines[i];
        char name[INSTRUMENT_NAME_SIZE];
        store_instrument_name(s, l->instrument, name);
        table_add(t, TABLE_PLAIN, name);
        const int64_t values[] = {l->opening, l->bought, l->sold, l->settled, l->closing};
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) add_fixed(t, values[v], 0);
        add_price(t, l->settlement);
        add_fixed(t, l->trades, 0);
    }
    if (n == 0) (void)puts("no positions");
    else table_print(t, stdout, true);
    table_free(t);
    free(lines);
    return 0;
}

const char *const statement_status_names[ACCOUNT_status_count] = {"normal", "reduce_only",
                                                                  "liquidating", "defaulted"};

static int print_margin(struct store *s, uint32_t account, int64_t day, bool colour)
{
    static const struct table_column columns[] = {
        {"margin as of", TABLE_TEXT}, {"equity", TABLE_DECIMAL}, {"credit", TABLE_DECIMAL},
        {"initial", TABLE_DECIMAL}, {"maintenance", TABLE_DECIMAL}, {"missing", TABLE_DECIMAL},
        {"call", TABLE_NUMBER}, {"called", TABLE_DECIMAL}, {"status", TABLE_TEXT},
        {NULL, TABLE_TEXT}};
    struct event_standing m;
    char time[TIME_TEXT_SIZE];
    int n = store_statement_margin(s, account, day, &m);
    struct table *t = n < 0 ? NULL : table_new(columns, colour);
    if (t == NULL) return fail(store_error(s));
    if (n == 0) {
        (void)puts("no mark-to-market yet");
    } else {
        (void)time_format(time, TS(m.taken.v - m.taken.v % NS_PER_SECOND));
        table_add(t, TABLE_DIM, time);
        const int64_t values[] = {m.equity.v, m.credit.v, m.initial.v, m.maintenance.v,
                                  m.missing.v};
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) add_fixed(t, values[v], 6);
        if (m.call != 0) add_fixed(t, (int64_t)m.call, 0);
        else table_add(t, TABLE_PLAIN, "");
        if (m.call != 0) add_fixed(t, m.called.v, 6);
        else table_add(t, TABLE_PLAIN, "");
        table_add(t, m.status == ACCOUNT_normal ? TABLE_PLAIN : TABLE_RED,
                  statement_status_names[m.status % ACCOUNT_status_count]);
        table_print(t, stdout, true);
    }
    table_free(t);
    return 0;
}

static int print_trades(struct store *s, uint32_t account, int64_t day, bool colour)
{
    static const struct table_column columns[] = {
        {"time", TABLE_TEXT}, {"trade", TABLE_NUMBER}, {"instrument", TABLE_TEXT},
        {"side", TABLE_TEXT}, {"amount", TABLE_NUMBER}, {"price", TABLE_DECIMAL},
        {"fee", TABLE_DECIMAL}, {NULL, TABLE_TEXT}};
    struct store_filter f = {.account = account, .start = TS(day * NS_PER_DAY),
                             .end = TS((day + 1) * NS_PER_DAY)};
    struct event_trade *trades = calloc(TRADES_MAX, sizeof *trades);
    int n = trades == NULL ? STORE_FAILED : store_trades(s, &f, trades, TRADES_MAX);
    struct table *t = n < 0 ? NULL : table_new(columns, colour);
    if (t == NULL) {
        free(trades);
        return fail(store_error(s));
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int side = SIDE_buy; side <= SIDE_sell; side++) {
            const struct event_trade *e = &trades[i];
            if (e->account[side] != account) continue;
            char time[TIME_TEXT_SIZE], name[INSTRUMENT_NAME_SIZE];
            (void)time_format(time, TS(e->header.ts.v - e->header.ts.v % NS_PER_SECOND));
            store_instrument_name(s, e->instrument, name);
            table_add(t, TABLE_DIM, time);
            add_fixed(t, (int64_t)e->trade_id, 0);
            table_add(t, TABLE_PLAIN, name);
            table_add(t, side == SIDE_buy ? TABLE_GREEN : TABLE_RED,
                      side == SIDE_buy ? "buy" : "sell");
            add_fixed(t, e->qty.v, 0);
            add_price(t, e->price);
            add_fixed(t, e->fee[side].v, 6);
        }
    }
    if (n == 0) (void)puts("no trades");
    else table_print(t, stdout, true);
    if (n == TRADES_MAX) (void)printf("only the day's last %d trades\n", TRADES_MAX);
    table_free(t);
    free(trades);
    return 0;
}

int statement_print(struct store *s, const char *name, uint32_t account, const char *date,
                    int64_t day, bool colour)
{
    (void)printf("%s  %s  to seq %llu\n\n", name, date, (unsigned long long)store_last_seq(s));
    int status = print_cash(s, account, day, colour);
    (void)putchar('\n');
    if (status == 0) status = print_positions(s, account, day, colour);
    (void)putchar('\n');
    if (status == 0) status = print_margin(s, account, day, colour);
    (void)putchar('\n');
    return status == 0 ? print_trades(s, account, day, colour) : status;
}

static int statement(const struct arguments *a, const char *path)
{
    char text[TIME_TEXT_SIZE];
    ts_t ts;
    struct store *s = NULL;
    (void)snprintf(text, sizeof text, "%.10sT00:00:00Z", a->day);
    if (strlen(a->day) != 10 || time_parse(text, strlen(text), &ts) != 0) {
        (void)fail("the day is YYYY-MM-DD");
        return 2;
    }
    int64_t day = ts.v / NS_PER_DAY;
    bool colour = a->terminal && getenv("NO_COLOR") == NULL;
    int status = 1;
    if (store_open_read(path, &s) != STORE_OK) {
        (void)fail(s == NULL ? "no memory" : store_error(s));
    } else {
        uint32_t account = store_account_id(s, a->account);
        if (account == 0) {
            (void)fail("there is no such account");
        } else {
            status = statement_print(s, a->account, account, a->day, day, colour);
        }
    }
    store_close(s);
    return status;
}

int cli_store(int argc, char **argv)
{
    struct arguments a = {0};
    char path[PATH_SIZE];
    client_parse(&argp, argc, argv, &a);
    (void)snprintf(path, sizeof path, "%s/history.sqlite", a.data);
    bool again = strcmp(a.verb, "rebuild") == 0;
    a.terminal = uv_guess_handle(fileno(again ? stderr : stdout)) == UV_TTY;
    return again ? rebuild(&a, path) : statement(&a, path);
}
