/* fund.h: what the default fund must cover: the two members whose failure would cost the most, in
 * the same scenario of the stress set (Cover 2, CLEAR-11; PFMI principle 4, key consideration 4).
 *
 * For each scenario: an account's shortfall is its loss beyond its margin, never below 0: margin
 * of one account does not cover another (client accounts are segregated, and a house account's
 * surplus is not counted on). A member's is the sum over its accounts; the scenario's cover is
 * the sum of the `cover` greatest. The fund must hold the greatest of all scenarios. Losses are
 * rounded up to micro-USD by account; from there on all is integers.
 *
 * Upstream: risk, requirement. Downstream: cli.
 */
#ifndef DOJIMA_QUANT_FUND_H
#define DOJIMA_QUANT_FUND_H

#include "quant/requirement.h"

enum { FUND_COVER_MAX = 8 };

struct fund_account {
    uint32_t member;  /* index */
    uint32_t first, count; /* in positions */
    int64_t margin;   /* micro-USD held against them */
};

struct fund_scenario {
    uint32_t stressed; /* index among the stress scenarios that count */
    int64_t cover;     /* micro-USD */
    uint32_t members[FUND_COVER_MAX]; /* whose, the greatest first */
    int64_t shortfalls[FUND_COVER_MAX];
    uint32_t count;    /* of members with a shortfall, at most what was asked for */
};

struct fund {
    struct fund_scenario worst;
    struct fund_scenario scenarios[STRESS_SCENARIOS_MAX]; /* in the stress set's order */
    uint32_t count;
};

/* member_worst[member_count], where given: each member's shortfall in its own worst scenario.
 * -1 and the sentence where there is no memory or an amount is beyond the ledger. */
int fund_cover(const struct risk *r, const struct position *positions,
              const struct fund_account *accounts, uint32_t account_count, uint32_t member_count,
              uint32_t cover, struct fund *out, int64_t *member_worst, struct quant_error *error);

#endif
