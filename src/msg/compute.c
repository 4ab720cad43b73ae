/* compute.c: see compute.h. */
#include "base/time_text.h"
#include "msg/command.h"

#include "base/time_text.h"

#include <stdio.h>

const char *const grade_words[GRADE_count + 1] = {"offline", "server", "interactive"};

const char *grade_name(uint32_t grade) { return grade < GRADE_count ? grade_words[grade] : ""; }

size_t token_name_write(const struct token_class *class, int64_t hour, char text[TOKEN_NAME_SIZE])
{
    int64_t year, month, day;
    time_date_of_days(int64_div_floor(hour, 24), &year, &month, &day);
    int n = snprintf(text, TOKEN_NAME_SIZE, "CT-%u-%s-%.15s-%04d%02d%02d%02d",
                     (unsigned)class->vintage, grade_name(class->grade), class->region,
                     (int)year % 10000, (int)month % 100, (int)day % 100, (int)(hour % 24));
    ASSERT(n > 0 && n < TOKEN_NAME_SIZE);
    return (size_t)n;
}

/* ---- whether bodies are commands ---- */

static int class_is_valid(const struct token_class *t)
{
    return t->grade < GRADE_count && command_text_is_valid(t->region, sizeof t->region);
}

static int settings_are_valid(const struct certification_settings *s)
{
    if (s->quick > 1 || s->vintage_count > VINTAGES_MAX || s->region_count > REGIONS_MAX) return 0;
    for (unsigned i = 0; i < REGIONS_MAX; i++) {
        if (!command_text_is_valid(s->regions[i], sizeof s->regions[i])) return 0;
    }
    return 1;
}

static int terms_are_valid(const struct certificate_terms *t)
{
    return command_text_is_valid(t->resource, sizeof t->resource) &&
           command_text_is_valid(t->site, sizeof t->site) &&
           command_text_is_valid(t->hardware, sizeof t->hardware) && class_is_valid(&t->class) &&
           t->quick <= 1;
}

static int hours_are_valid(int64_t hour, uint32_t hours)
{
    return hours >= 1 && hours <= TOKEN_HOURS_MAX && hour >= INT32_MIN && hour <= INT32_MAX;
}

int compute_command_is_valid(const struct command *c)
{
    switch ((enum command_kind)c->header.kind) {
    case COMMAND_certification_set:
        return c->certification_set.flags <= CERTIFICATION_HAS_ALL &&
               settings_are_valid(&c->certification_set.settings) &&
               command_text_is_valid(c->certification_set.reason,
                                     sizeof c->certification_set.reason);
    case COMMAND_accredit:
        return c->accredit.role < ROLE_count && c->accredit.revoke <= 1 &&
               command_text_is_valid(c->accredit.name, sizeof c->accredit.name) &&
               command_text_is_valid(c->accredit.reason, sizeof c->accredit.reason);
    case COMMAND_certificate_submit: return terms_are_valid(&c->certificate_submit.terms);
    case COMMAND_certificate_end:
        return c->certificate_end.how < CERTIFICATE_END_count &&
               command_text_is_valid(c->certificate_end.reason, sizeof c->certificate_end.reason);
    case COMMAND_token_issue:
        return c->token_issue.retire <= 1 &&
               hours_are_valid(c->token_issue.hour, c->token_issue.hours);
    case COMMAND_token_transfer:
        return class_is_valid(&c->token_transfer.class) &&
               hours_are_valid(c->token_transfer.hour, c->token_transfer.hours);
    case COMMAND_token_pledge: return c->token_pledge.release <= 1;
    default: return 0;
    }
}
