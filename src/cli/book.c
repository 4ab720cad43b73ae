/* book.c: `dojima book INSTRUMENT [--depth N]`: both sides of a book, best in the middle. */
#include "cli/cli.h"
#include "cli/client.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_DEPTH = 256, PAIR = 2 };

struct arguments {
    struct client client;
    const char *instrument;
    int depth;
};

static const struct argp_option options[] = {
    {"depth", KEY_DEPTH, "N", 0, "Levels a side [10]", 1}, {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case KEY_DEPTH: {
        char *end = NULL;
        long depth = strtol(text, &end, 10);
        if (*end != 0 || depth < 1 || depth > 10000)
            argp_error(state, "--depth is a number from 1 to 10000");
        a->depth = (int)depth;
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
    .doc = "The order book of an instrument on a running node.",
    .children = children};

/* Price (0) or amount (1) of a level [price, amount]; "" where the side has no such level. */
static void add_level(const struct client *c, struct table *t, uint32_t level, int which,
                      enum table_colour colour)
{
    char text[CLIENT_VALUE_SIZE] = "";
    uint32_t value = client_each(c, level, 0);
    if (which == 1 && value != 0) value = client_each(c, level, value);
    if (value != 0) {
        const struct json_token *n = &c->tokens[value];
        (void)snprintf(text, sizeof text, "%.*s", (int)n->length, c->answer.text + n->start);
    }
    table_add(t, colour, text);
}

static void print_head(const struct client *c)
{
    char name[CLIENT_VALUE_SIZE], state[CLIENT_VALUE_SIZE], last[CLIENT_VALUE_SIZE];
    char price[CLIENT_VALUE_SIZE];
    (void)printf("%s  %s", client_text(c, c->result, "instrument_name", name),
                 client_text(c, c->result, "state", state));
    if (client_text(c, c->result, "last_price", last)[0] != 0) (void)printf("  last %s", last);
    if (client_text(c, c->result, "indicative_price", price)[0] != 0)
        (void)printf("  indicative %s", price);
    (void)putchar('\n');
}

static int print(const struct client *c)
{
    static const struct table_column columns[] = {
        {"amount", TABLE_NUMBER}, {"bid", TABLE_DECIMAL}, {"ask", TABLE_DECIMAL},
        {"amount", TABLE_NUMBER}, {NULL, TABLE_TEXT}};
    uint32_t bids = json_member(&c->answer, c->result, "bids");
    uint32_t asks = json_member(&c->answer, c->result, "asks");
    print_head(c);
    struct table *t = table_new(columns, c->colour);
    if (t == NULL) return 1;
    uint32_t bid = client_each(c, bids, 0), ask = client_each(c, asks, 0);
    while (bid != 0 || ask != 0) {
        add_level(c, t, bid, 1, TABLE_PLAIN);
        add_level(c, t, bid, 0, TABLE_GREEN);
        add_level(c, t, ask, 0, TABLE_RED);
        add_level(c, t, ask, 1, TABLE_PLAIN);
        bid = bid == 0 ? 0 : client_each(c, bids, bid);
        ask = ask == 0 ? 0 : client_each(c, asks, ask);
    }
    if (table_rows(t) == 0) (void)puts("empty");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

int cli_book(int argc, char **argv)
{
    struct arguments a = {.depth = 10};
    client_init(&a.client);
    client_begin(&a.client);
    client_parse(&argp, argc, argv, &a);
    json_key_string(&a.client.params, "instrument_name", a.instrument);
    json_key_int(&a.client.params, "depth", a.depth);
    int status = client_call(&a.client, "public/get_order_book");
    if (status == 0 && a.client.json) client_print_result(&a.client);
    else if (status == 0) status = print(&a.client);
    client_close(&a.client);
    return status;
}
