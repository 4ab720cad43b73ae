/* certify.c: see certify.h. */
#include "core/certify.h"

#include <string.h>

void certify_cut(struct core *c, struct arena *a)
{
    const struct core_limits *l = &c->limits;
    struct certify *m = &c->certify;
    m->resource_max = l->accounts < 4096 ? l->accounts : 4096;
    m->certificate_max = 4 * m->resource_max;
    m->promise_max = l->balances / 2;
    m->s = arena_cut(a, 1, sizeof *m->s);
    m->accreditations = arena_cut(a, ACCREDITATIONS_MAX + 1, sizeof *m->accreditations);
    m->resources = arena_cut(a, m->resource_max + 1, sizeof *m->resources);
    m->certificates = arena_cut(a, m->certificate_max + 1, sizeof *m->certificates);
    m->promises = arena_cut(a, m->promise_max + 1, sizeof *m->promises);
    m->account_resources = arena_cut(a, l->accounts + 1, sizeof *m->account_resources);
    map_cut(&m->promise_map, a, m->promise_max, a->base ? &m->s->promise_map_count : NULL);
}

void certify_start(struct core *c)
{
    enum { ACCEPTANCE_HOURS = 48, VALIDITY_DAYS = 30, APPEAL_DAYS = 14, DURATION_MIN = 600 };
    c->certify.s->settings = (struct certification_settings){
        .acceptance_ns = ACCEPTANCE_HOURS * NS_PER_HOUR, .validity_ns = VALIDITY_DAYS * NS_PER_DAY,
        .appeal_ns = APPEAL_DAYS * NS_PER_DAY, .duration_min_s = DURATION_MIN,
        .work_max = WORK_PER_HOUR_MAX, .vintage_count = 1, .vintages = {2026}};
    c->certify.s->due = INT64_MAX;
}

/* ---- commands ---- */

static void command_refuse(struct core *c, const struct command *cmd)
{
    reject_push(c, cmd, REJECT_not_offered, INT64_MIN);
}

void certification_set(struct core *c, const struct command *cmd) { command_refuse(c, cmd); }
void accredit(struct core *c, const struct command *cmd) { command_refuse(c, cmd); }
void certificate_submit(struct core *c, const struct command *cmd) { command_refuse(c, cmd); }
void certificate_end(struct core *c, const struct command *cmd) { command_refuse(c, cmd); }
