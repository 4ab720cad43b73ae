/* compute_world_test.h: certified hardware in a small venue, for the tests of certificates and of
 * tokens. */
#ifndef DOJIMA_CORE_COMPUTE_WORLD_TEST_H
#define DOJIMA_CORE_COMPUTE_WORLD_TEST_H

#include "core/world_test.h"

#include "core/token.h"

static inline void compute_key(uint8_t key[PUBLIC_KEY_SIZE], uint8_t which)
{
    memset(key, which, PUBLIC_KEY_SIZE);
}

static inline enum reject compute_accredit(struct world *w, const char *name, uint32_t role,
                                           uint8_t which)
{
    struct command cmd = {.accredit = {.role = role}};
    memcpy(cmd.accredit.name, name, strlen(name));
    compute_key(cmd.accredit.key, which);
    enum reject reason = world_step(w, &cmd, COMMAND_accredit, 0);
    if (reason != REJECT_none) return reason;
    return world_confirm(w, w->c->s->request_id, 2);
}

/* A certificate by certifier `which` for so many nano-CT an hour, valid for so many hours. */
static inline struct command compute_certificate(struct world *w, const char *resource,
                                                 uint8_t which, int64_t work, int64_t hours)
{
    struct command cmd = {0};
    struct certificate_terms *t = &cmd.certificate_submit.terms;
    memcpy(t->resource, resource, strlen(resource));
    memcpy(t->site, "Mito", 4);
    memcpy(t->hardware, "8 x H100", 8);
    t->class = (struct token_class){.vintage = 2026, .grade = GRADE_server, .region = "eu"};
    t->work_per_hour = work;
    t->issued = w->ts;
    t->expires = TS(w->ts.v + hours * NS_PER_HOUR);
    t->duration_s = 600;
    compute_key(t->certifier, which);
    uint64_t unique = w->seq + 1;
    memcpy(t->note, &unique, sizeof unique);
    memcpy(t->evidence, &unique, sizeof unique);
    return cmd;
}

/* Until all that is due by now is done. */
static inline void compute_ticks(struct world *w)
{
    struct command cmd;
    do {
        cmd = (struct command){0};
        assert_int_equal(world_step(w, &cmd, COMMAND_tick, 0), REJECT_none);
    } while (core_due(w->c).v <= w->ts.v);
}

static inline void compute_wait(struct world *w, int64_t ns)
{
    w->ts = TS(w->ts.v + ns);
    compute_ticks(w);
}

static inline enum certificate_status compute_status(const struct world *w, uint64_t certificate)
{
    uint32_t place = certificate_find(w->c, certificate);
    if (place == NIL) return CERTIFICATE_none;
    return (enum certificate_status)w->c->certify.certificates[place].status;
}

#endif
