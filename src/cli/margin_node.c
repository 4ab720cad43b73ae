/* margin_node.c: see margin_node.h. */
#include "cli/margin_node.h"

#include "base/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MONTH_DAYS = 30 };
#define MS_PER_DAY INT64_C(86400000)

static int say(const char *what, const char *of)
{
    (void)fprintf(stderr, "dojima: %s%s%s\n", what, of[0] != 0 ? ": " : "", of);
    return 1;
}

static bool number_of(const struct client *c, uint32_t object, const char *name, double *value)
{
    char text[CLIENT_VALUE_SIZE];
    (void)client_text(c, object, name, text);
    return quant_number(text, strlen(text), value);
}

/* ---- accounts ---- */

struct names {
    char (*name)[QUANT_NAME_SIZE], (*member)[QUANT_NAME_SIZE];
    uint32_t count;
};

static int read_accounts(struct client *c, struct names *n)
{
    client_begin(c);
    if (client_call(c, "private/officer_get_accounts") != 0) return 1;
    uint32_t capacity = json_array_count(&c->answer, c->result) + 1;
    n->name = calloc(capacity, sizeof *n->name);
    n->member = calloc(capacity, sizeof *n->member);
    if (n->name == NULL || n->member == NULL) return say("no memory", "");
    for (uint32_t a = client_each(c, c->result, 0); a != 0; a = client_each(c, c->result, a)) {
        char text[CLIENT_VALUE_SIZE];
        (void)client_text(c, a, "member", text);
        if (strcmp(text, "clearing") == 0) continue; /* the clearing house's own */
        (void)snprintf(n->member[n->count], QUANT_NAME_SIZE, "%.63s", text);
        (void)client_text(c, a, "account", text);
        (void)snprintf(n->name[n->count++], QUANT_NAME_SIZE, "%.63s", text);
    }
    return 0;
}

/* ---- positions ---- */

static int add_position(struct client *c, struct node *node, uint32_t token, const char *account,
                        const char *member)
{
    char name[CLIENT_VALUE_SIZE];
    double size;
    (void)client_text(c, token, "instrument_name", name);
    if (!number_of(c, token, "size", &size) || fabs(size) > 1e12)
        return say("a position's size is no number within 10^12", name);
    if (size == 0.0) return 0;
    int a = portfolio_account(&node->portfolio, account);
    int i = portfolio_instrument(&node->portfolio, name);
    if (a < 0 || i < 0) return say("more accounts or instruments than a run can take", name);
    (void)snprintf(node->portfolio.accounts[a].member, QUANT_NAME_SIZE, "%s", member);
    const struct position p = {.account = (uint32_t)a, .instrument = (uint32_t)i,
                               .lots = (int64_t)size};
    if (portfolio_add(&node->portfolio, &p) != 0) return say("too many positions", "");
    if (!number_of(c, token, "mark_price", &node->instruments[i].mark))
        node->instruments[i].mark = NAN;
    return 0;
}

static int read_positions(struct client *c, struct node *node, const struct names *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        client_begin(c);
        json_key_string(&c->params, "account", n->name[i]);
        if (client_call(c, "private/get_positions") != 0) return 1;
        for (uint32_t p = client_each(c, c->result, 0); p != 0; p = client_each(c, c->result, p)) {
            if (add_position(c, node, p, n->name[i], n->member[i]) != 0) return 1;
        }
    }
    portfolio_order(&node->portfolio);
    return 0;
}

static int read_terms(struct client *c, struct node *node)
{
    for (uint32_t i = 0; i < node->portfolio.instrument_count; i++) {
        const char *name = node->portfolio.instruments[i];
        struct node_instrument *t = &node->instruments[i];
        double expiry;
        client_begin(c);
        json_key_string(&c->params, "instrument_name", name);
        if (client_call(c, "public/get_instrument") != 0) return 1;
        if (!number_of(c, c->result, "contract_size", &t->contract_size) ||
            t->contract_size <= 0 || !number_of(c, c->result, "expiration_timestamp", &expiry))
            return say("the node's terms are not numbers", name);
        t->expiry = (int32_t)(expiry / (double)MS_PER_DAY);
    }
    return 0;
}

int margin_node_read(struct client *client, struct node *node)
{
    struct names n = {0};
    memset(node, 0, sizeof *node);
    int status = read_accounts(client, &n);
    node->accounts = n.count;
    if (status == 0) status = read_positions(client, node, &n);
    if (status == 0) status = read_terms(client, node);
    free(n.name);
    free(n.member);
    if (status != 0) margin_node_close(node);
    return status;
}

void margin_node_close(struct node *node) { portfolio_close(&node->portfolio); }

int margin_node_apply(const struct node *node, struct risk *r, int32_t day,
                      struct quant_error *error)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct node_instrument *t = &node->instruments[i];
        /* CT in a lot are as many for each unit of size as the parameters say */
        r->instruments[i].ct_per_lot *= t->contract_size / r->instruments[i].contract_size;
        r->instruments[i].contract_size = t->contract_size;
        r->instruments[i].tenor = t->expiry > day ? (t->expiry - day) / MONTH_DAYS : 0;
        double price = isnan(t->mark) ? r->instruments[i].price : t->mark;
        if (risk_reprice(r, i, price, error) != 0) return -1;
    }
    return 0;
}
