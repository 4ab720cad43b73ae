/* margin_fund.c: the default fund that a portfolio's members need (CLEAR-11); see margin.h. */
#include "cli/margin.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { COVER = 2, SHOWN = 5 };

static uint32_t member_of(struct margin_fund *f, const char *name)
{
    for (uint32_t m = 0; m < f->member_count; m++) {
        if (strcmp(f->members[m], name) == 0) return m;
    }
    (void)snprintf(f->members[f->member_count], QUANT_NAME_SIZE, "%s", name);
    return f->member_count++;
}

int margin_fund_cover(struct margin_fund *f, const struct portfolio *p, const struct risk *r,
                      const struct margin_accounts *margins, struct quant_error *error)
{
    ASSERT(margins->count == p->account_count);
    struct fund_account *accounts = calloc(p->account_count + 1, sizeof *accounts);
    *f = (struct margin_fund){.members = calloc(p->account_count + 1, sizeof *f->members),
                              .member_worst = calloc(p->account_count + 1, sizeof(int64_t)),
                              .size = calloc(1, sizeof *f->size)};
    int status = -1;
    if (accounts == NULL || f->members == NULL || f->member_worst == NULL || f->size == NULL) {
        (void)quant_fail(error, "fund", 0, "no memory");
        goto out;
    }
    for (uint32_t i = 0; i < p->account_count; i++)
        accounts[i] = (struct fund_account){
            .member = member_of(f, p->accounts[i].member), .first = p->accounts[i].first,
            .count = p->accounts[i].count,
            .margin = margins->items[i].requirement.total};
    status = fund_cover(r, p->positions, accounts, p->account_count, f->member_count, COVER,
                       f->size, f->member_worst, error);
out:
    free(accounts);
    if (status != 0) margin_fund_free(f);
    return status;
}

void margin_fund_free(struct margin_fund *f)
{
    free(f->members);
    free(f->member_worst);
    free(f->size);
    *f = (struct margin_fund){0};
}

static int by_cover(const void *a, const void *b)
{
    const struct fund_scenario *x = a, *y = b;
    if (x->cover != y->cover) return x->cover > y->cover ? -1 : 1;
    return (x->stressed > y->stressed) - (x->stressed < y->stressed);
}

void margin_fund_print(const struct margin_fund *f, const struct risk *r)
{
    struct fund *sorted = malloc(sizeof *sorted);
    char usd[MARGIN_USD_SIZE];
    if (sorted == NULL || f->size == NULL || f->size->count == 0) {
        free(sorted);
        return;
    }
    *sorted = *f->size;
    qsort(sorted->scenarios, sorted->count, sizeof sorted->scenarios[0], by_cover);
    (void)printf("default fund, Cover %d: USD %s\n", COVER, margin_usd(usd, f->size->worst.cover));
    for (uint32_t i = 0; i < sorted->count && i < SHOWN; i++) {
        const struct fund_scenario *s = &sorted->scenarios[i];
        if (s->cover == 0) break;
        (void)printf("  %-24s %16s", r->stress->scenarios[r->stress_index[s->stressed]].name,
                     margin_usd(usd, s->cover));
        for (uint32_t k = 0; k < s->count; k++)
            (void)printf("%s%s %s", k == 0 ? "  " : ", ", f->members[s->members[k]],
                         margin_usd(usd, s->shortfalls[k]));
        (void)putchar('\n');
    }
    free(sorted);
}
