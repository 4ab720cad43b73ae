/* cancel.c: `dojima cancel ORDER_ID | --label TEXT | --all`. */
#include "cli/cli.h"
#include "cli/client.h"

#include <string.h>

enum { KEY_ALL = 256, KEY_LABEL, KEY_INSTRUMENT };

struct arguments {
    struct client client;
    const char *order_id;
    const char *label;
    const char *instrument;
    bool all;
};

static const struct argp_option options[] = {
    {"all", KEY_ALL, NULL, 0, "All of the account's orders, stops included", 1},
    {"label", KEY_LABEL, "TEXT", 0, "All orders of this label", 1},
    {"instrument", KEY_INSTRUMENT, "NAME", 0, "With --all: only this instrument's", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case KEY_ALL: a->all = true; return 0;
    case KEY_LABEL: a->label = text; return 0;
    case KEY_INSTRUMENT: a->instrument = text; return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) argp_usage(state);
        a->order_id = text;
        return 0;
    case ARGP_KEY_END:
        if ((a->order_id != NULL) + (a->label != NULL) + a->all != 1)
            argp_error(state, "one of ORDER_ID, --label and --all is expected");
        if (a->instrument != NULL && !a->all) argp_error(state, "--instrument goes with --all");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&client_argp, 0, "The node:", 10}, {0}};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "ORDER_ID\n--label TEXT\n--all [--instrument NAME]",
    .doc = "Cancels orders on a running node.",
    .children = children};

static const char *method_of(struct arguments *a)
{
    struct json_writer *w = &a->client.params;
    if (a->order_id != NULL) {
        json_key_string(w, "order_id", a->order_id);
        return "private/cancel";
    }
    if (a->label != NULL) {
        json_key_string(w, "label", a->label);
        return "private/cancel_by_label";
    }
    if (a->instrument == NULL) return "private/cancel_all";
    json_key_string(w, "instrument_name", a->instrument);
    return "private/cancel_all_by_instrument";
}

/* The count of a mass cancel: the result itself, or its member `count`. */
static const char *count_of(const struct client *c, char *text)
{
    const struct json_token *t = &c->tokens[c->result];
    if (t->kind == JSON_object) return client_text(c, c->result, "count", text);
    (void)snprintf(text, CLIENT_VALUE_SIZE, "%.*s", (int)t->length, c->answer.text + t->start);
    return text;
}

static void print(const struct arguments *a)
{
    const struct client *c = &a->client;
    char id[CLIENT_VALUE_SIZE], state[CLIENT_VALUE_SIZE], filled[CLIENT_VALUE_SIZE];
    char amount[CLIENT_VALUE_SIZE];
    if (a->order_id == NULL) {
        const char *count = count_of(c, id);
        (void)printf("%s order%s cancelled\n", count, strcmp(count, "1") == 0 ? "" : "s");
        return;
    }
    (void)printf("order %s %s, %s of %s filled\n", client_text(c, c->result, "order_id", id),
                 client_text(c, c->result, "order_state", state),
                 client_text(c, c->result, "filled_amount", filled),
                 client_text(c, c->result, "amount", amount));
}

int cli_cancel(int argc, char **argv)
{
    struct arguments a = {0};
    client_init(&a.client);
    client_begin(&a.client);
    client_parse(&argp, argc, argv, &a);
    int status = client_call(&a.client, method_of(&a));
    if (status == 0 && a.client.json) client_print_result(&a.client);
    else if (status == 0) print(&a);
    client_close(&a.client);
    return status;
}
