/* order.c: `dojima order buy|sell|edit|list`: enters and changes orders, lists those that work.
 *
 * Amounts and prices go to the node as they were typed, as decimal strings: nothing here rounds.
 */
#include "cli/cli.h"
#include "cli/client.h"

#include <string.h>

enum {
    KEY_PRICE = 256, KEY_TYPE, KEY_TIF, KEY_TRIGGER, KEY_TRIGGER_OFFSET, KEY_MAX_SHOW, KEY_LABEL,
    KEY_POST_ONLY, KEY_REJECT_POST_ONLY, KEY_REDUCE_ONLY, KEY_MIN_QUANTITY, KEY_CLIENT_ORDER_ID,
    KEY_SMP_ID, KEY_SMP_MODE, KEY_PEG, KEY_OFFSET, KEY_EXPIRES_AT, KEY_VALID_UNTIL, KEY_AMOUNT,
};

struct arguments {
    struct client client;
    const char *verb;
    const char *subject; /* instrument or order id */
    const char *amount;
};

static const struct argp_option options[] = {
    {"price", KEY_PRICE, "P", 0, "Limit, in USD per unit of the contract", 1},
    {"type", KEY_TYPE, "TYPE", 0,
     "limit, market, market_limit, stop_limit, stop_market, take_limit, take_market, "
     "trailing_stop, pegged [limit with --price, else market]", 1},
    {"time-in-force", KEY_TIF, "TIF", 0,
     "good_til_cancelled, good_til_day, good_til_date, immediate_or_cancel, fill_or_kill, "
     "at_the_opening", 1},
    {"expires-at", KEY_EXPIRES_AT, "MS", 0, "Of good_til_date, ms since 1970", 1},
    {"trigger-price", KEY_TRIGGER, "P", 0, "Of stop and take orders", 1},
    {"trigger-offset", KEY_TRIGGER_OFFSET, "P", 0, "Distance of a trailing_stop", 1},
    {"max-show", KEY_MAX_SHOW, "AMOUNT", 0, "Displayed part of an iceberg", 1},
    {"min-quantity", KEY_MIN_QUANTITY, "AMOUNT", 0, "Least that must fill at once", 1},
    {"post-only", KEY_POST_ONLY, NULL, 0, "Never takes: re-priced behind the best", 1},
    {"reject-post-only", KEY_REJECT_POST_ONLY, NULL, 0, "Refused where it would take", 1},
    {"reduce-only", KEY_REDUCE_ONLY, NULL, 0, "Only against the position", 1},
    {"peg", KEY_PEG, "PEG", 0, "primary, market, midpoint", 1},
    {"offset", KEY_OFFSET, "TICKS", 0, "Of a pegged order", 1},
    {"label", KEY_LABEL, "TEXT", 0, "Your own word for it; cancel takes it", 1},
    {"client-order-id", KEY_CLIENT_ORDER_ID, "ID", 0, "A repeat is not executed twice", 1},
    {"smp-id", KEY_SMP_ID, "ID", 0, "Self-match prevention", 1},
    {"smp-mode", KEY_SMP_MODE, "MODE", 0,
     "cancel_resting, cancel_aggressing, cancel_both, decrement", 1},
    {"valid-until", KEY_VALID_UNTIL, "MS", 0, "Refused when the node's clock is past it", 1},
    {"amount", KEY_AMOUNT, "AMOUNT", 0, "edit: the new total, what is filled included", 1},
    {0}};

static void add_number(struct argp_state *state, struct arguments *a, const char *name,
                       const char *text)
{
    if (!client_number(&a->client, name, text)) argp_error(state, "%s is no number", text);
}

/* An option's parameter, by the kind of its value. */
static error_t parse_option(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    struct json_writer *w = &a->client.params;
    switch (key) {
    case KEY_PRICE: add_number(state, a, "price", text); return 0;
    case KEY_TRIGGER: add_number(state, a, "trigger_price", text); return 0;
    case KEY_TRIGGER_OFFSET: add_number(state, a, "trigger_offset", text); return 0;
    case KEY_MAX_SHOW: add_number(state, a, "max_show", text); return 0;
    case KEY_MIN_QUANTITY: add_number(state, a, "min_quantity", text); return 0;
    case KEY_OFFSET: add_number(state, a, "offset", text); return 0;
    case KEY_EXPIRES_AT: add_number(state, a, "expires_at", text); return 0;
    case KEY_VALID_UNTIL: add_number(state, a, "valid_until", text); return 0;
    case KEY_TYPE: json_key_string(w, "type", text); return 0;
    case KEY_TIF: json_key_string(w, "time_in_force", text); return 0;
    case KEY_LABEL: json_key_string(w, "label", text); return 0;
    case KEY_CLIENT_ORDER_ID: json_key_string(w, "client_order_id", text); return 0;
    case KEY_SMP_ID: json_key_string(w, "smp_id", text); return 0;
    case KEY_SMP_MODE: json_key_string(w, "smp_mode", text); return 0;
    case KEY_PEG: json_key_string(w, "peg", text); return 0;
    case KEY_POST_ONLY: json_key_bool(w, "post_only", true); return 0;
    case KEY_REJECT_POST_ONLY: json_key_bool(w, "reject_post_only", true); return 0;
    case KEY_REDUCE_ONLY: json_key_bool(w, "reduce_only", true); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void check_arguments(struct argp_state *state, const struct arguments *a)
{
    bool entry = strcmp(a->verb, "buy") == 0 || strcmp(a->verb, "sell") == 0;
    if (!entry && strcmp(a->verb, "edit") != 0 && strcmp(a->verb, "list") != 0)
        argp_error(state, "%s is none of buy, sell, edit, list", a->verb);
    if (strcmp(a->verb, "list") == 0) {
        if (a->amount != NULL) argp_usage(state);
        return;
    }
    if (a->subject == NULL || (entry && a->amount == NULL)) argp_usage(state);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case KEY_AMOUNT: a->amount = text; return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0) a->verb = text;
        else if (state->arg_num == 1) a->subject = text;
        else if (state->arg_num == 2 && a->amount == NULL) a->amount = text;
        else argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num == 0) argp_usage(state);
        check_arguments(state, a);
        if (a->amount != NULL) add_number(state, a, "amount", a->amount);
        return 0;
    default: return parse_option(key, text, state);
    }
}

static const struct argp_child children[] = {{&client_argp, 0, "The node:", 10}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "buy|sell INSTRUMENT AMOUNT\nedit ORDER_ID [AMOUNT]\nlist [INSTRUMENT]",
    .doc = "Enters and changes orders on a running node, and lists those that work."
           "\vAmounts are whole lots. Exit status: 0 done, 1 refused (the reason is said) or no "
           "connection, 2 usage.",
    .children = children};

static enum table_colour side_colour(const struct client *c, uint32_t object)
{
    char text[CLIENT_VALUE_SIZE];
    return strcmp(client_text(c, object, "direction", text), "buy") == 0 ? TABLE_GREEN : TABLE_RED;
}

static void add_order(const struct client *c, struct table *t, uint32_t o)
{
    enum table_colour colour = side_colour(c, o);
    client_cell(c, t, o, "order_id", TABLE_PLAIN);
    client_cell(c, t, o, "instrument_name", TABLE_PLAIN);
    client_cell(c, t, o, "direction", colour);
    client_cell(c, t, o, "amount", TABLE_PLAIN);
    client_cell(c, t, o, "price", TABLE_PLAIN);
    client_cell(c, t, o, "filled_amount", TABLE_PLAIN);
    client_cell(c, t, o, "average_price", TABLE_PLAIN);
    client_cell(c, t, o, "order_type", TABLE_PLAIN);
    client_cell(c, t, o, "order_state", TABLE_BOLD);
    client_cell(c, t, o, "label", TABLE_DIM);
}

static const struct table_column order_columns[] = {
    {"order", TABLE_TEXT}, {"instrument", TABLE_TEXT}, {"side", TABLE_TEXT},
    {"amount", TABLE_NUMBER}, {"price", TABLE_DECIMAL}, {"filled", TABLE_NUMBER},
    {"average", TABLE_DECIMAL}, {"type", TABLE_TEXT}, {"state", TABLE_TEXT},
    {"label", TABLE_TEXT}, {NULL, TABLE_TEXT}};

static int print_orders(const struct client *c, uint32_t array, uint32_t single)
{
    struct table *t = table_new(order_columns, c->colour);
    if (t == NULL) return 1;
    if (single != 0) add_order(c, t, single);
    for (uint32_t o = client_each(c, array, 0); o != 0; o = client_each(c, array, o))
        add_order(c, t, o);
    if (table_rows(t) == 0) (void)puts("no orders");
    else table_print(t, stdout, true);
    table_free(t);
    return 0;
}

static int print_fills(const struct client *c, uint32_t array)
{
    static const struct table_column columns[] = {
        {"trade", TABLE_NUMBER}, {"amount", TABLE_NUMBER}, {"price", TABLE_DECIMAL},
        {"fee", TABLE_DECIMAL}, {"liquidity", TABLE_TEXT}, {NULL, TABLE_TEXT}};
    if (client_each(c, array, 0) == 0) return 0;
    struct table *t = table_new(columns, c->colour);
    if (t == NULL) return 1;
    for (uint32_t o = client_each(c, array, 0); o != 0; o = client_each(c, array, o)) {
        client_cell(c, t, o, "trade_id", TABLE_PLAIN);
        client_cell(c, t, o, "amount", TABLE_PLAIN);
        client_cell(c, t, o, "price", TABLE_PLAIN);
        client_cell(c, t, o, "fee", TABLE_PLAIN);
        client_cell(c, t, o, "liquidity", TABLE_PLAIN);
    }
    (void)putchar('\n');
    table_print(t, stdout, true);
    table_free(t);
    return 0;
}

static int run(struct arguments *a)
{
    struct client *c = &a->client;
    bool list = strcmp(a->verb, "list") == 0, edit = strcmp(a->verb, "edit") == 0;
    char method[48];
    if (a->subject != NULL)
        json_key_string(&c->params, edit ? "order_id" : "instrument_name", a->subject);
    (void)snprintf(method, sizeof method, "private/%s", list ? "get_open_orders" : a->verb);
    int status = client_call(c, method);
    if (status != 0) return status;
    if (c->json) {
        client_print_result(c);
        return 0;
    }
    if (list) return print_orders(c, c->result, 0);
    uint32_t order = json_member(&c->answer, c->result, "order");
    if (order == 0) return 1;
    status = print_orders(c, 0, order);
    return status != 0 ? status : print_fills(c, json_member(&c->answer, c->result, "trades"));
}

/* Without a type an order with a price is a limit order, one without is a market order; the node's
 * own default is a limit order, which then lacks its price. */
static void add_default_type(struct arguments *a, int argc, char **argv)
{
    bool price = false, type = false;
    for (int i = 1; i < argc; i++) {
        price = price || strncmp(argv[i], "--pr", 4) == 0;
        type = type || strncmp(argv[i], "--ty", 4) == 0;
    }
    bool entry = strcmp(a->verb, "buy") == 0 || strcmp(a->verb, "sell") == 0;
    if (entry && !price && !type) json_key_string(&a->client.params, "type", "market");
}

int cli_order(int argc, char **argv)
{
    struct arguments a = {0};
    client_init(&a.client);
    client_begin(&a.client);
    client_parse(&argp, argc, argv, &a);
    add_default_type(&a, argc, argv);
    int status = run(&a);
    client_close(&a.client);
    return status;
}
