/* report_node.c: disclosures from what a node says now, and from the margin method's parameters. */
#include "cli/report.h"

#include "base/decimal.h"
#include "base/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 5 };

struct member {
    char name[QUANT_NAME_SIZE];
    int64_t margin;   /* micro-USD */
    int64_t notional; /* USD of gross open positions, whole */
};

struct totals {
    int64_t house, client, cash, credit; /* micro-USD */
    struct member *members;
    uint32_t member_count, accounts, client_accounts;
};

static int64_t money_of(const struct client *c, uint32_t object, const char *name)
{
    char text[CLIENT_VALUE_SIZE];
    int64_t value = 0;
    (void)client_text(c, object, name, text);
    if (decimal_parse(text, strlen(text), 6, &value) == DECIMAL_malformed) return 0;
    return value;
}

static struct member *member_of(struct totals *t, const char *name)
{
    for (uint32_t m = 0; m < t->member_count; m++) {
        if (strcmp(t->members[m].name, name) == 0) return &t->members[m];
    }
    struct member *fresh = &t->members[t->member_count++];
    *fresh = (struct member){0};
    (void)snprintf(fresh->name, sizeof fresh->name, "%.63s", name);
    return fresh;
}

static int read_accounts(struct client *c, struct totals *t)
{
    client_begin(c);
    if (client_call(c, "private/officer_get_accounts") != 0) return 1;
    t->members = calloc(json_array_count(&c->answer, c->result) + 1, sizeof *t->members);
    if (t->members == NULL) return 1;
    for (uint32_t a = client_each(c, c->result, 0); a != 0; a = client_each(c, c->result, a)) {
        char member[CLIENT_VALUE_SIZE], origin[CLIENT_VALUE_SIZE];
        (void)client_text(c, a, "member", member);
        if (strcmp(member, "clearing") == 0) continue; /* the clearing house's own */
        (void)client_text(c, a, "origin", origin);
        int64_t margin = money_of(c, a, "initial_margin");
        bool client = strcmp(origin, "client") == 0;
        *(client ? &t->client : &t->house) += margin;
        t->cash += money_of(c, a, "cash");
        t->credit += money_of(c, a, "collateral_credit");
        t->accounts += 1;
        t->client_accounts += client;
        member_of(t, member)->margin += margin;
    }
    return 0;
}

/* Gross notional of open positions by member, at the node's marks. */
static double add_positions(struct totals *t, const struct node *node)
{
    double longs = 0;
    for (uint32_t k = 0; k < node->portfolio.count; k++) {
        const struct position *p = &node->portfolio.positions[k];
        const struct node_instrument *i = &node->instruments[p->instrument];
        double value = isnan(i->mark) ? 0 : (double)p->lots * i->contract_size * i->mark;
        if (p->lots > 0) longs += fabs(value);
        member_of(t, node->portfolio.accounts[p->account].member)->notional +=
            (int64_t)fmin(fabs(value), 1e15);
    }
    return longs;
}

static int by_margin(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return (x->margin < y->margin) - (x->margin > y->margin);
}

static int by_notional(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return (x->notional < y->notional) - (x->notional > y->notional);
}

static double share(double part, double all) { return all > 0 ? 100 * part / all : 0; }

static void add_concentration(struct report *r, struct totals *t)
{
    double margin = 0, margin_all = 0, notional = 0, notional_all = 0;
    qsort(t->members, t->member_count, sizeof *t->members, by_notional);
    for (uint32_t m = 0; m < t->member_count; m++) {
        notional += m < LARGEST ? (double)t->members[m].notional : 0;
        notional_all += (double)t->members[m].notional;
    }
    qsort(t->members, t->member_count, sizeof *t->members, by_margin);
    for (uint32_t m = 0; m < t->member_count; m++) {
        margin += m < LARGEST ? (double)t->members[m].margin : 0;
        margin_all += (double)t->members[m].margin;
    }
    report_add(r, "18", "Open positions held by the five largest clearing members", "%",
               "positions at mark", "%.2f", share(notional, notional_all));
    report_add(r, "18", "Initial margin of the five largest clearing members", "%",
               "accounts", "%.2f", share(margin, margin_all));
}

static void money(struct report *r, const char *number, const char *text, const char *source,
                  int64_t micro)
{
    char usd[MARGIN_USD_SIZE];
    report_add(r, number, text, "USD", source, "%s", margin_usd(usd, micro));
}

static int add_fund(struct report *r, struct client *c)
{
    client_begin(c);
    if (client_call(c, "public/get_default_fund") != 0) return 1;
    uint32_t f = c->result, s = json_member(&c->answer, f, "settings");
    char days[CLIENT_VALUE_SIZE], date[CLIENT_VALUE_SIZE];
    int64_t paid = money_of(c, f, "paid"), multiple = money_of(c, s, "assessment_multiple");
    money(r, "4.1", "Prefunded: own capital used before members' contributions",
          "default fund", money_of(c, f, "skin_in_the_game"));
    money(r, "4.1", "Prefunded: own capital used alongside them", "default fund", 0);
    money(r, "4.1", "Prefunded: members' contributions required", "default fund",
          money_of(c, f, "total"));
    money(r, "4.1", "Prefunded: members' contributions posted", "default fund", paid);
    money(r, "4.1", "Committed: members' assessments", "default fund",
          (int64_t)((int128_t)paid * multiple / E6));
    report_add(r, "4.4", "Prefunded resources must cover", "members",
               "CLEAR-11: at least the two with the largest stress losses", "2");
    money(r, "4.4", "Stress loss beyond margin of the two largest members",
          client_text(c, f, "date", date)[0] != 0 ? "default fund, as sized last"
                                                  : "the fund has not been sized",
          money_of(c, f, "cover_2"));
    (void)client_text(c, s, "assessment_days", days);
    report_add(r, "4.1", "Days to pay an assessment", "days", "default fund", "%s", days);
    money(r, "7.1", "Liquid resources in cash: own capital and contributions", "default fund",
          paid + money_of(c, f, "skin_in_the_game"));
    report_add(r, "13", "Defaults open", "defaults", "default fund", "%s",
               client_text(c, f, "defaults_open", date));
    return 0;
}

int report_node(struct report *r, struct client *client)
{
    struct totals t = {0};
    struct node *node = calloc(1, sizeof *node);
    int status = node == NULL ? 1 : read_accounts(client, &t);
    if (status == 0) status = margin_node_read(client, node);
    if (status == 0) status = add_fund(r, client);
    if (status == 0) {
        double longs = add_positions(&t, node);
        money(r, "6.1", "Initial margin required: house, gross", "accounts", t.house);
        money(r, "6.1", "Initial margin required: client, gross", "accounts", t.client);
        money(r, "6.1", "Initial margin required: total", "accounts", t.house + t.client);
        money(r, "6.2", "Held against margin: cash", "accounts", t.cash);
        money(r, "6.2", "Held against margin: certified capacity, after haircut and cap",
              "accounts", t.credit);
        report_add(r, "14", "Client accounts, all individually segregated", "accounts",
                   "accounts", "%u", t.client_accounts);
        money(r, "16", "Cash received from members", "accounts", t.cash);
        report_add(r, "18", "Clearing members", "members", "accounts", "%u",
                   t.member_count);
        add_concentration(r, &t);
        report_add(r, "23", "Notional outstanding, one side", "USD", "positions at mark",
                   "%.2f", longs);
    }
    if (node != NULL) margin_node_close(node);
    free(node);
    free(t.members);
    return status;
}

/* ---- the model ---- */

int report_model(struct report *r, const struct parameters *p)
{
    struct method m;
    struct quant_error error = {0};
    if (method_make(&m, p, &error) != 0) return margin_say(&error);
    const char *from = "margin parameters";
    report_add(r, "4.4", "Close-out period assumed when stress losses are computed", "days",
               from, "%u", m.horizon);
    report_add(r, "6.4", "Initial margin model", "", "docs/margin.md",
               "filtered historical simulation, expected shortfall, with stress");
    report_add(r, "6.4", "Single-tailed confidence level", "%", from, "%g",
               100 - (double)m.tail_ppm / 1e4);
    report_add(r, "6.4", "Look-back period", "joint moves", from, "%u, EWMA %g; long-run %u days",
               m.window, m.lambda, m.long_run_days);
    report_add(r, "6.4", "Adjustments", "", from, "stress weight %g %%, offsets at most %g %%, "
               "volatility floor %g of long-run", (double)m.stress_weight_ppm / 1e4,
               (double)m.offset_max_ppm / 1e4, m.long_run_floor);
    report_add(r, "6.4", "Close-out period", "days", from, "%u", m.horizon);
    report_add(r, "4.4", "Stress loss beyond margin of the largest member", "USD",
               "a node keeps the two largest together; `dojima margin run --fund` prints each",
               NULL);
    return 0;
}
