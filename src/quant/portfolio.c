/* portfolio.c: see portfolio.h. */
#include "quant/portfolio.h"

#include "base/decimal.h"

#include <stdlib.h>
#include <string.h>

#define CREDIT_MAX INT64_C(4000000000000000000)
enum { EXPIRY_DAYS_MAX = 36600 };

void portfolio_close(struct portfolio *p)
{
    free(p->positions);
    free(p->accounts);
    memset(p, 0, sizeof *p);
}

int portfolio_account(struct portfolio *p, const char *name)
{
    for (uint32_t i = p->account_count; i-- > 0;) { /* an account's lines mostly stand together */
        if (strcmp(p->accounts[i].name, name) == 0) return (int)i;
    }
    if (p->account_count == PORTFOLIO_ACCOUNTS_MAX) return -1;
    if (p->account_count == p->account_capacity) {
        uint32_t wanted = p->account_capacity == 0 ? 64 : p->account_capacity * 2;
        void *moved = realloc(p->accounts, wanted * sizeof *p->accounts);
        if (moved == NULL) return -1;
        p->accounts = moved;
        p->account_capacity = wanted;
    }
    struct portfolio_account *a = &p->accounts[p->account_count];
    *a = (struct portfolio_account){0};
    strncpy(a->name, name, sizeof a->name - 1);
    return (int)p->account_count++;
}

int portfolio_instrument(struct portfolio *p, const char *name)
{
    for (uint32_t i = 0; i < p->instrument_count; i++) {
        if (strcmp(p->instruments[i], name) == 0) return (int)i;
    }
    if (p->instrument_count == PORTFOLIO_INSTRUMENTS_MAX) return -1;
    char *to = p->instruments[p->instrument_count];
    memset(to, 0, QUANT_NAME_SIZE);
    strncpy(to, name, QUANT_NAME_SIZE - 1);
    return (int)p->instrument_count++;
}

int portfolio_add(struct portfolio *p, const struct position *position)
{
    if (p->count == PORTFOLIO_POSITIONS_MAX) return -1;
    if (p->count == p->capacity) {
        uint32_t wanted = p->capacity == 0 ? 256 : p->capacity * 2;
        void *moved = realloc(p->positions, wanted * sizeof *p->positions);
        if (moved == NULL) return -1;
        p->positions = moved;
        p->capacity = wanted;
    }
    p->positions[p->count++] = *position;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct position *x = a, *y = b;
    if (x->account != y->account) return x->account < y->account ? -1 : 1;
    if (x->instrument != y->instrument) return x->instrument < y->instrument ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->strike < y->strike || x->strike > y->strike) return x->strike < y->strike ? -1 : 1;
    return (x->days > y->days) - (x->days < y->days);
}

void portfolio_order(struct portfolio *p)
{
    if (p->count > 0) qsort(p->positions, p->count, sizeof *p->positions, compare);
    for (uint32_t i = 0, at = 0; i < p->account_count; i++) {
        p->accounts[i].first = at;
        while (at < p->count && p->positions[at].account == i) at++;
        p->accounts[i].count = at - p->accounts[i].first;
    }
}

enum column {
    COLUMN_account, COLUMN_instrument, COLUMN_lots, COLUMN_kind, COLUMN_strike, COLUMN_volatility,
    COLUMN_days, COLUMN_amount, COLUMN_member, COLUMNS
};
static const char *const titles[COLUMNS] = {"account", "instrument", "lots", "kind", "strike",
                                            "volatility", "days", "amount", "member"};

static int read_credit(struct portfolio *p, struct csv *c, const int *column, uint32_t account)
{
    struct portfolio_account *a = &p->accounts[account];
    struct csv_field f = csv_field(c, column[COLUMN_amount]);
    int64_t amount;
    if (a->has_credit) return csv_bad(c, "%s: a second credit", a->name);
    if (f.length == 0 || decimal_parse(f.text, f.length, 6, &amount) != DECIMAL_exact ||
        amount < 0 || amount > CREDIT_MAX)
        return csv_bad(c, "%s: a credit is an amount of 0 or above", a->name);
    if (!csv_empty(c, column[COLUMN_instrument]) || !csv_empty(c, column[COLUMN_lots]))
        return csv_bad(c, "%s: a credit has no instrument and no lots", a->name);
    a->has_credit = true;
    a->credit = amount;
    return 0;
}

static int read_option(struct csv *c, const int *column, struct position *p)
{
    int64_t days;
    if (!csv_number(c, column[COLUMN_strike], &p->strike))
        return csv_bad(c, "an option's strike is no number");
    if (!csv_number(c, column[COLUMN_volatility], &p->volatility) || p->volatility <= 0 ||
        p->volatility > 100)
        return csv_bad(c, "an option's volatility is not above 0 and at most 100");
    if (!csv_integer(c, column[COLUMN_days], &days) || days < 0 || days > EXPIRY_DAYS_MAX)
        return csv_bad(c, "an option's days to expiry are not whole and 0 or more");
    p->days = (int32_t)days;
    return 0;
}

static int read_member(struct portfolio *p, struct csv *c, const int *column, uint32_t account)
{
    struct portfolio_account *a = &p->accounts[account];
    char member[QUANT_NAME_SIZE];
    if (csv_empty(c, column[COLUMN_member])) memcpy(member, a->name, sizeof member);
    else if (!csv_name(c, column[COLUMN_member], member))
        return csv_bad(c, "%s: the member is no name", a->name);
    if (a->member[0] != 0 && strcmp(a->member, member) != 0)
        return csv_bad(c, "%s: of %s and of %s", a->name, a->member, member);
    memcpy(a->member, member, sizeof member);
    return 0;
}

static int read_line(struct portfolio *p, struct csv *c, const int *column)
{
    char account[QUANT_NAME_SIZE], instrument[QUANT_NAME_SIZE];
    struct position position = {0};
    if (!csv_name(c, column[COLUMN_account], account))
        return csv_bad(c, "the account is missing");
    int a = portfolio_account(p, account);
    if (a < 0) return csv_bad(c, "more than %d accounts", PORTFOLIO_ACCOUNTS_MAX);
    position.account = (uint32_t)a;
    if (read_member(p, c, column, (uint32_t)a) != 0) return -1;
    if (csv_is(c, column[COLUMN_kind], "credit")) return read_credit(p, c, column, (uint32_t)a);
    if (!csv_name(c, column[COLUMN_instrument], instrument))
        return csv_bad(c, "%s: the instrument is missing", account);
    if (!csv_integer(c, column[COLUMN_lots], &position.lots) || position.lots == 0 ||
        position.lots > PORTFOLIO_LOTS_MAX || position.lots < -PORTFOLIO_LOTS_MAX)
        return csv_bad(c, "%s: lots are whole, not 0 and at most 10^12", account);
    if (csv_is(c, column[COLUMN_kind], "call")) position.kind = POSITION_call;
    else if (csv_is(c, column[COLUMN_kind], "put")) position.kind = POSITION_put;
    else if (!csv_empty(c, column[COLUMN_kind]) && !csv_is(c, column[COLUMN_kind], "future"))
        return csv_bad(c, "%s: kind is future, call, put or credit", account);
    if (position.kind != POSITION_future && read_option(c, column, &position) != 0) return -1;
    int i = portfolio_instrument(p, instrument);
    if (i < 0) return csv_bad(c, "more than %d instruments", PORTFOLIO_INSTRUMENTS_MAX);
    position.instrument = (uint32_t)i;
    for (uint32_t k = p->count; k-- > 0 && p->positions[k].account == position.account;) {
        if (compare(&p->positions[k], &position) == 0)
            return csv_bad(c, "%s: %s stands twice", account, instrument);
    }
    if (portfolio_add(p, &position) != 0) return csv_bad(c, "no memory");
    return 0;
}

static int read_all(struct portfolio *p, struct csv *c)
{
    int column[COLUMNS], more;
    if (csv_titles(c, titles, COLUMNS, COLUMN_lots + 1, column) != 0) return -1;
    while ((more = csv_next(c)) == 1) {
        if (read_line(p, c, column) != 0) return -1;
    }
    if (more != 0) return -1;
    if (p->count == 0) return quant_fail(c->error, c->name, 0, "there are no positions");
    portfolio_order(p);
    for (uint32_t k = 1; k < p->count; k++) { /* lines of an account that stood apart */
        const struct position *x = &p->positions[k];
        if (compare(x, x - 1) == 0)
            return quant_fail(c->error, c->name, 0, "%s: %s stands twice",
                              p->accounts[x->account].name, p->instruments[x->instrument]);
    }
    return 0;
}

int portfolio_read(struct portfolio *p, const char *file, const char *text, size_t length,
                   struct quant_error *error)
{
    struct csv c;
    memset(p, 0, sizeof *p);
    csv_open(&c, file, text, length, error);
    if (read_all(p, &c) == 0) return 0;
    portfolio_close(p);
    return -1;
}
