/* core_compute_test.h: random commands of certified hardware and tokens for the random worlds of
 * core_test.c and core_fuzz.c. Accounts 5 to 8, two certifiers, four resources. */
#ifndef DOJIMA_CORE_CORE_COMPUTE_TEST_H
#define DOJIMA_CORE_CORE_COMPUTE_TEST_H

#include "base/random.h"
#include "msg/command.h"

#include <string.h>

/* contract_size of the random worlds' delivered product; nano-CT of a lot in an hour. */
enum { COMPUTE_LOT = 1344, COMPUTE_WORK = COMPUTE_LOT * 1000 };

static inline uint32_t compute_below(struct random *r, uint64_t n)
{
    return (uint32_t)random_below(r, n);
}

static inline void compute_accredit_command(struct command *c, uint32_t which)
{
    c->header.kind = COMMAND_accredit;
    c->accredit.role = ROLE_certifier;
    memcpy(c->accredit.name, which == 0 ? "k0" : "k1", 2);
    memset(c->accredit.key, (int)which + 1, sizeof c->accredit.key);
    c->accredit.reason[0] = 'x';
}

/* Acceptance within a minute. */
static inline void compute_settings_command(struct command *c)
{
    c->header.kind = COMMAND_certification_set;
    c->certification_set.flags = CERTIFICATION_HAS_ACCEPTANCE;
    c->certification_set.settings.acceptance_ns = 60 * NS_PER_SECOND;
    c->certification_set.reason[0] = 'x';
}

static inline void compute_certificate_command(struct command *c, struct random *r, int64_t now,
                                               uint64_t unique, uint32_t resource)
{
    struct certificate_terms *t = &c->certificate_submit.terms;
    bool other = compute_below(r, 9) == 0 && unique > 100;
    c->header.kind = COMMAND_certificate_submit;
    c->header.account = other ? 5 + compute_below(r, 4) : 5 + resource;
    if (compute_below(r, 8) == 0) c->certificate_submit.appeals = 1 + compute_below(r, 40);
    t->resource[0] = 'r';
    t->resource[1] = (char)('0' + resource);
    t->site[0] = t->hardware[0] = 'x';
    t->class = (struct token_class){.vintage = 2026, .region = "eu",
                                    .grade = compute_below(r, 4) == 0 ? GRADE_interactive
                                                                      : GRADE_server};
    t->work_per_hour = COMPUTE_WORK * (int64_t)(1 + compute_below(r, 60));
    t->issued = TS(now);
    t->expires = TS(now + (int64_t)(1 + compute_below(r, 12)) * NS_PER_HOUR);
    t->duration_s = 600;
    t->quick = compute_below(r, 10) == 0;
    memset(t->certifier, 1 + (int)compute_below(r, 2), sizeof t->certifier);
    memcpy(t->note, &unique, sizeof unique);
    memcpy(t->evidence, &unique, sizeof unique);
}

static inline void compute_token_command(struct command *c, struct random *r, int64_t now)
{
    int64_t hour = now / NS_PER_HOUR + (int64_t)compute_below(r, 4);
    int64_t amount = (int64_t)compute_below(r, 12 * COMPUTE_WORK);
    uint32_t which = compute_below(r, 4);
    c->header.account = 5 + which;
    switch (compute_below(r, 5)) {
    case 0:
        c->header.kind = COMMAND_token_pledge;
        c->token_pledge = (struct command_token_pledge){.instrument = 1 + compute_below(r, 16),
                                                        .release = compute_below(r, 2),
                                                        .lots = 1 + (int64_t)compute_below(r, 3)};
        break;
    case 1:
    case 2:
        c->header.kind = COMMAND_token_transfer;
        c->token_transfer = (struct command_token_transfer){
            .class = {2026, compute_below(r, 4) == 0 ? GRADE_interactive : GRADE_server, "eu"},
            .hour = hour, .hours = 1 + compute_below(r, 2), .amount = amount / 4,
            .to = 5 + compute_below(r, 4)};
        break;
    default:
        c->header.kind = COMMAND_token_issue;
        c->token_issue = (struct command_token_issue){
            .resource = 1 + which, .hours = 1 + compute_below(r, 3), .hour = hour,
            .amount = amount, .retire = compute_below(r, 5) == 0};
        break;
    }
}

static inline void compute_random_command(struct command *c, struct random *r, int64_t now,
                                          uint64_t unique)
{
    c->header.principal = 1 + compute_below(r, 2);
    switch (compute_below(r, 16)) {
    case 0:
        compute_accredit_command(c, compute_below(r, 2));
        c->accredit.revoke = compute_below(r, 40) == 0;
        break;
    case 1:
        c->header.kind = COMMAND_certificate_end;
        c->header.account = 5 + compute_below(r, 4);
        c->certificate_end.certificate = 1 + compute_below(r, 60);
        if (compute_below(r, 4) == 0)
            c->certificate_end.how = compute_below(r, CERTIFICATE_END_count);
        c->certificate_end.reason[0] = 'x';
        break;
    case 2: compute_certificate_command(c, r, now, unique, compute_below(r, 4)); break;
    default: compute_token_command(c, r, now); break;
    }
}

#endif
