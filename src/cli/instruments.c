/* instruments.c: `dojima instruments [--product NAME] [--expired]`: what is listed. */
#include "cli/cli.h"
#include "cli/client.h"

#include <string.h>

enum { KEY_PRODUCT = 256, KEY_EXPIRED };

struct arguments {
    struct client client;
    const char *product;
    bool expired;
};

static const struct argp_option options[] = {
    {"product", KEY_PRODUCT, "NAME", 0, "Only this product's", 1},
    {"expired", KEY_EXPIRED, NULL, 0, "Those that have expired", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case KEY_PRODUCT: a->product = text; return 0;
    case KEY_EXPIRED: a->expired = true; return 0;
    case ARGP_KEY_ARG: argp_usage(state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&client_argp, 0, "The node:", 10}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc = "The instruments of a running node.\vWith --json the node's whole list, whatever "
           "--product says.",
    .children = children};

static int print(const struct arguments *a)
{
    static const struct table_column columns[] = {
        {"instrument", TABLE_TEXT}, {"state", TABLE_TEXT}, {"kind", TABLE_TEXT},
        {"period", TABLE_TEXT}, {"tick", TABLE_DECIMAL}, {"contract size", TABLE_DECIMAL},
        {"hours", TABLE_NUMBER}, {"expires", TABLE_TEXT}, {NULL, TABLE_TEXT}};
    const struct client *c = &a->client;
    struct table *t = table_new(columns, c->colour);
    if (t == NULL) return 1;
    for (uint32_t i = client_each(c, c->result, 0); i != 0; i = client_each(c, c->result, i)) {
        char text[CLIENT_VALUE_SIZE];
        (void)client_text(c, i, "product", text);
        if (a->product != NULL && strcmp(a->product, text) != 0) continue;
        bool open = strcmp(client_text(c, i, "state", text), "open") == 0;
        client_cell(c, t, i, "instrument_name", TABLE_PLAIN);
        client_cell(c, t, i, "state", open ? TABLE_GREEN : TABLE_DIM);
        client_cell(c, t, i, "kind", TABLE_PLAIN);
        client_cell(c, t, i, "settlement_period", TABLE_PLAIN);
        client_cell(c, t, i, "tick_size", TABLE_PLAIN);
        client_cell(c, t, i, "contract_size", TABLE_PLAIN);
        client_cell(c, t, i, "hours", TABLE_PLAIN);
        (void)client_time(c, i, "expiration_timestamp", text);
        text[strcspn(text, ".")] = 0;
        table_add(t, TABLE_PLAIN, text);
    }
    if (table_rows(t) == 0) (void)puts("no instruments");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

int cli_instruments(int argc, char **argv)
{
    struct arguments a = {0};
    client_init(&a.client);
    client_begin(&a.client);
    client_parse(&argp, argc, argv, &a);
    json_key_string(&a.client.params, "currency", "any");
    json_key_bool(&a.client.params, "expired", a.expired);
    int status = client_call(&a.client, "public/get_instruments");
    if (status == 0 && a.client.json) client_print_result(&a.client);
    else if (status == 0) status = print(&a);
    client_close(&a.client);
    return status;
}
