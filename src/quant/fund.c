/* fund.c: see fund.h. */
#include "quant/fund.h"

#include "base/assert.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

/* Shortfalls of all members in one scenario. */
static int shortfalls(const struct risk *r, const struct position *positions,
                      const struct fund_account *accounts, uint32_t count, uint32_t stressed,
                      int64_t *members)
{
    for (uint32_t a = 0; a < count; a++) {
        const struct fund_account *account = &accounts[a];
        int64_t loss;
        if (quant_micro_ceil(requirement_stress_loss(r, &positions[account->first],
                                                     account->count, stressed), &loss) != 0)
            return -1;
        if (loss <= account->margin) continue;
        int128_t sum = (int128_t)members[account->member] + loss - account->margin;
        if (!money_fits(sum)) return -1;
        members[account->member] = (int64_t)sum;
    }
    return 0;
}

/* The greatest few, by insertion; of equal ones the first member. */
static int take_greatest(const int64_t *members, uint32_t member_count, uint32_t cover,
                         struct fund_scenario *s)
{
    int128_t sum = 0;
    for (uint32_t m = 0; m < member_count; m++) {
        if (members[m] <= 0) continue;
        uint32_t at = s->count;
        while (at > 0 && s->shortfalls[at - 1] < members[m]) at--;
        if (at == cover) continue;
        if (s->count < cover) s->count += 1;
        for (uint32_t k = s->count - 1; k > at; k--) {
            s->shortfalls[k] = s->shortfalls[k - 1];
            s->members[k] = s->members[k - 1];
        }
        s->shortfalls[at] = members[m];
        s->members[at] = m;
    }
    for (uint32_t k = 0; k < s->count; k++) sum += s->shortfalls[k];
    if (!money_fits(sum)) return -1;
    s->cover = (int64_t)sum;
    return 0;
}

int fund_cover(const struct risk *r, const struct position *positions,
              const struct fund_account *accounts, uint32_t account_count, uint32_t member_count,
              uint32_t cover, struct fund *out, int64_t *member_worst, struct quant_error *error)
{
    ASSERT(cover >= 1 && cover <= FUND_COVER_MAX);
    memset(out, 0, sizeof *out);
    int64_t *members = malloc((member_count + 1) * sizeof *members);
    if (members == NULL) return quant_fail(error, "fund", 0, "no memory");
    int status = 0;
    for (uint32_t m = 0; m < member_count && member_worst != NULL; m++) member_worst[m] = 0;
    for (uint32_t s = 0; s < r->stressed && status == 0; s++) {
        struct fund_scenario *at = &out->scenarios[out->count++];
        at->stressed = s;
        memset(members, 0, (member_count + 1) * sizeof *members);
        status = shortfalls(r, positions, accounts, account_count, s, members);
        if (status == 0) status = take_greatest(members, member_count, cover, at);
        for (uint32_t m = 0; m < member_count && member_worst != NULL; m++)
            member_worst[m] = int64_max(member_worst[m], members[m]);
        if (s == 0 || at->cover > out->worst.cover) out->worst = *at;
    }
    free(members);
    if (status == 0) return 0;
    return quant_fail(error, "fund", 0, "an amount is beyond what the ledger can hold");
}
