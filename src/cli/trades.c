/* trades.c: `dojima trades INSTRUMENT [--mine] [--count N]`: what traded, newest first. */
#include "cli/cli.h"
#include "cli/client.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MINE = 256, KEY_COUNT };

struct arguments {
    struct client client;
    const char *instrument;
    int count;
    bool mine;
};

static const struct argp_option options[] = {
    {"mine", KEY_MINE, NULL, 0, "The account's own, with fees", 1},
    {"count", KEY_COUNT, "N", 0, "How many [20]", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case KEY_MINE: a->mine = true; return 0;
    case KEY_COUNT: {
        char *end = NULL;
        long count = strtol(text, &end, 10);
        if (*end != 0 || count < 1 || count > 1000)
            argp_error(state, "--count is a number from 1 to 1000");
        a->count = (int)count;
        return 0;
    }
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) argp_usage(state);
        a->instrument = text;
        return 0;
    case ARGP_KEY_END:
        if (a->instrument == NULL) argp_usage(state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&client_argp, 0, "The node:", 10}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "INSTRUMENT",
    .doc = "The latest trades of an instrument on a running node, newest first, in UTC.",
    .children = children};

static void add_trade(const struct client *c, struct table *t, uint32_t trade, bool mine)
{
    char text[CLIENT_VALUE_SIZE];
    bool buy = strcmp(client_text(c, trade, "direction", text), "buy") == 0;
    table_add(t, TABLE_DIM, client_time(c, trade, "timestamp", text));
    client_cell(c, t, trade, "trade_id", TABLE_PLAIN);
    client_cell(c, t, trade, "direction", buy ? TABLE_GREEN : TABLE_RED);
    client_cell(c, t, trade, "amount", TABLE_PLAIN);
    client_cell(c, t, trade, "price", TABLE_PLAIN);
    if (!mine) return;
    client_cell(c, t, trade, "fee", TABLE_PLAIN);
    client_cell(c, t, trade, "liquidity", TABLE_PLAIN);
    client_cell(c, t, trade, "order_id", TABLE_PLAIN);
}

static int print(const struct client *c, bool mine)
{
    static const struct table_column own[] = {
        {"time", TABLE_TEXT}, {"trade", TABLE_NUMBER}, {"side", TABLE_TEXT},
        {"amount", TABLE_NUMBER}, {"price", TABLE_DECIMAL}, {"fee", TABLE_DECIMAL},
        {"liquidity", TABLE_TEXT}, {"order", TABLE_TEXT}, {NULL, TABLE_TEXT}};
    static const struct table_column everybody[] = {
        {"time", TABLE_TEXT}, {"trade", TABLE_NUMBER}, {"taker", TABLE_TEXT},
        {"amount", TABLE_NUMBER}, {"price", TABLE_DECIMAL}, {NULL, TABLE_TEXT}};
    uint32_t trades = c->result;
    if (c->tokens[trades].kind == JSON_object)
        trades = json_member(&c->answer, c->result, "trades");
    struct table *t = table_new(mine ? own : everybody, c->colour);
    if (t == NULL) return 1;
    for (uint32_t i = client_each(c, trades, 0); i != 0; i = client_each(c, trades, i))
        add_trade(c, t, i, mine);
    if (table_rows(t) == 0) (void)puts("no trades");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

int cli_trades(int argc, char **argv)
{
    struct arguments a = {.count = 20};
    client_init(&a.client);
    client_begin(&a.client);
    client_parse(&argp, argc, argv, &a);
    json_key_string(&a.client.params, "instrument_name", a.instrument);
    json_key_int(&a.client.params, "count", a.count);
    json_key_string(&a.client.params, "sorting", "desc");
    int status = client_call(&a.client, a.mine ? "private/get_user_trades_by_instrument"
                                               : "public/get_last_trades_by_instrument");
    if (status == 0 && a.client.json) client_print_result(&a.client);
    else if (status == 0) status = print(&a.client, a.mine);
    client_close(&a.client);
    return status;
}
