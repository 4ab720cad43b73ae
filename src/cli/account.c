/* account.c: `dojima account`: the account's money and margin. */
#include "cli/cli.h"
#include "cli/client.h"

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
    .parser = parse,
    .doc = "The account's money and margin on a running node, in USD.",
    .children = children};

static int print(const struct client *c)
{
    static const struct table_column columns[] = {
        {"", TABLE_TEXT}, {"USD", TABLE_DECIMAL}, {NULL, TABLE_TEXT}};
    static const struct { const char *label, *name; } lines[] = {
        {"equity", "equity"}, {"cash", "cash"}, {"unsettled variation", "session_upl"},
        {"initial margin", "initial_margin"}, {"maintenance margin", "maintenance_margin"},
        {"available", "available_funds"}, {"pending withdrawals", "pending_withdrawals"},
        {"fees paid", "fees_paid"}};
    char name[CLIENT_VALUE_SIZE], member[CLIENT_VALUE_SIZE], mode[CLIENT_VALUE_SIZE];
    (void)printf("%s  member %s  %s%s\n", client_text(c, c->result, "account", name),
                 client_text(c, c->result, "member", member),
                 client_text(c, c->result, "mode", mode),
                 client_true(c, c->result, "killed") ? "  TRADING SWITCHED OFF" : "");
    struct table *t = table_new(columns, c->colour);
    if (t == NULL) return 1;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char value[CLIENT_VALUE_SIZE];
        (void)client_text(c, c->result, lines[i].name, value);
        table_add(t, TABLE_PLAIN, lines[i].label);
        table_add(t, value[0] == '-' ? TABLE_RED : TABLE_PLAIN, value);
    }
    table_print(t, stdout, false);
    table_free(t);
    return 0;
}

int cli_account(int argc, char **argv)
{
    struct arguments a = {0};
    client_init(&a.client);
    client_begin(&a.client);
    client_parse(&argp, argc, argv, &a);
    json_key_string(&a.client.params, "currency", "USD");
    int status = client_call(&a.client, "private/get_account_summary");
    if (status == 0 && a.client.json) client_print_result(&a.client);
    else if (status == 0) status = print(&a.client);
    client_close(&a.client);
    return status;
}
