/* margin_accounts.c: what each account of a portfolio needs at a risk's today; see margin.h. */
#include "cli/margin.h"

#include <stdlib.h>
#include <string.h>

int margin_accounts_compute(struct margin_accounts *a, const struct portfolio *p,
                            const struct risk *r, const char *only, struct quant_error *error)
{
    struct requirement_work work = {0};
    *a = (struct margin_accounts){.items = calloc(p->account_count + 1, sizeof *a->items)};
    if (a->items == NULL) return quant_fail(error, "margin", 0, "no memory");
    int status = requirement_work_open(&work, r, error);
    for (uint32_t i = 0; i < p->account_count && status == 0; i++) {
        const struct portfolio_account *account = &p->accounts[i];
        if (only != NULL && strcmp(only, account->name) != 0) continue;
        struct margin_account *result = &a->items[a->count++];
        result->name = account->name;
        status = requirement_compute(r, &p->positions[account->first], account->count,
                                     account->credit, &work, &result->requirement, error);
    }
    requirement_work_close(&work);
    return status;
}

void margin_accounts_free(struct margin_accounts *a)
{
    free(a->items);
    *a = (struct margin_accounts){0};
}
