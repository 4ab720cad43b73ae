/* positions.c: `dojima positions`: what the account holds. */
#include "cli/cli.h"
#include "cli/client.h"

#include <string.h>

struct arguments {
    struct client client;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    (void)text;
    if (key == ARGP_KEY_ARG) argp_usage(state);
    if (key != ARGP_KEY_INIT) return ARGP_ERR_UNKNOWN;
    state->child_inputs[0] = &a->client;
    return 0;
}

static const struct argp_child children[] = {{&client_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    .parser = parse, .doc = "The account's positions on a running node.", .children = children};

static enum table_colour sign_colour(const char *text)
{
    if (text[0] == '-') return TABLE_RED;
    return text[strspn(text, "0.")] == 0 ? TABLE_PLAIN : TABLE_GREEN;
}

static void add_signed(const struct client *c, struct table *t, uint32_t object, const char *name)
{
    char text[CLIENT_VALUE_SIZE];
    (void)client_text(c, object, name, text);
    table_add(t, sign_colour(text), text);
}

static int print(const struct client *c)
{
    static const struct table_column columns[] = {
        {"instrument", TABLE_TEXT}, {"size", TABLE_NUMBER}, {"average", TABLE_DECIMAL},
        {"mark", TABLE_DECIMAL}, {"unsettled", TABLE_DECIMAL}, {"settled", TABLE_DECIMAL},
        {"margin", TABLE_DECIMAL}, {"buys", TABLE_NUMBER}, {"sells", TABLE_NUMBER},
        {NULL, TABLE_TEXT}};
    struct table *t = table_new(columns, c->colour);
    if (t == NULL) return 1;
    for (uint32_t p = client_each(c, c->result, 0); p != 0; p = client_each(c, c->result, p)) {
        client_cell(c, t, p, "instrument_name", TABLE_PLAIN);
        add_signed(c, t, p, "size");
        client_cell(c, t, p, "average_price", TABLE_PLAIN);
        client_cell(c, t, p, "mark_price", TABLE_PLAIN);
        add_signed(c, t, p, "floating_profit_loss");
        add_signed(c, t, p, "realized_profit_loss");
        client_cell(c, t, p, "initial_margin", TABLE_PLAIN);
        client_cell(c, t, p, "open_buys", TABLE_PLAIN);
        client_cell(c, t, p, "open_sells", TABLE_PLAIN);
    }
    if (table_rows(t) == 0) (void)puts("no positions");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

int cli_positions(int argc, char **argv)
{
    struct arguments a = {0};
    client_init(&a.client);
    client_begin(&a.client);
    client_parse(&argp, argc, argv, &a);
    int status = client_call(&a.client, "private/get_positions");
    if (status == 0 && a.client.json) client_print_result(&a.client);
    else if (status == 0) status = print(&a.client);
    client_close(&a.client);
    return status;
}
