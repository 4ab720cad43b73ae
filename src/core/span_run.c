/* span_run.c: results of CLEAR-05 enter as commands; the speed path between two runs (CLEAR-08).
 *
 * A run begins: for every account SPAN of its positions is noted, and whoever computes takes the
 * positions of this moment. Results come in any order and in any number of commands, each taken
 * whole or not at all, and are only kept beside. The commit says how many there are and puts all of
 * them in force at once; without it nothing changes. A later run, or time, ends one that is open.
 *
 * Upstream: span. Downstream: core.c.
 */
#include "core/call.h"
#include "core/span.h"

enum { RUN_VALID_S = 3600 }; /* [for which results of a run are taken] */

/* x by share (of 2^20), rounded up. */
static int64_t share_of(int64_t x, int64_t share)
{
    return (int64_t)(((int128_t)x * share + (1 << 20) - 1) >> 20);
}

int64_t span_speed_path(const struct span_account *a, int64_t span, bool nothing)
{
    if (nothing) return 0;
    if (a->run == 0) return span;
    int128_t moved = (int128_t)a->result.total.v + span - a->span_at_run;
    int128_t least = share_of(span, a->share_e20);
    int128_t need = moved > least ? moved : least;
    return money_clamp(need);
}

static bool is_open(const struct core *c, uint64_t run)
{
    const struct span_venue *v = c->span_venue;
    return v->open != 0 && v->run == run && c->s->ts.v <= v->until.v;
}

static void event_run_push(struct core *c, uint64_t run, uint32_t phase)
{
    struct event_margin_run *e = outbox_push(c->out, EVENT_margin_run, sizeof *e);
    e->run = run;
    e->phase = phase;
    e->count = c->span_venue->results;
    e->begun = c->span_venue->begun;
}

static enum reject run_begin(struct core *c, const struct command_margin_run *m)
{
    struct span_venue *v = c->span_venue;
    if (m->run == 0 || m->run <= v->run) return REJECT_stale_run;
    v->run = m->run;
    v->open = 1;
    v->results = 0;
    v->begun = c->s->ts;
    int64_t seconds = m->count == 0 ? RUN_VALID_S : (int64_t)m->count;
    v->until = TS(c->s->ts.v + seconds * NS_PER_SECOND);
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        struct span_account *s = &c->span_accounts[a];
        s->staged_run = m->run;
        s->staged = 0;
        s->staged_span = 0;
        if (s->records != NIL) s->staged_span = span_of_positions(c, a);
    }
    return REJECT_none;
}

static enum reject run_commit(struct core *c, const struct command_margin_run *m)
{
    struct span_venue *v = c->span_venue;
    if (!is_open(c, m->run)) return REJECT_stale_run;
    if (m->count != v->results) return REJECT_incomplete_run;
    v->open = 0;
    v->committed = m->run;
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        struct span_account *s = &c->span_accounts[a];
        if (s->staged_run != m->run || s->staged == 0) continue;
        s->run = m->run;
        s->result = s->staged_result;
        s->span_at_run = s->staged_span;
        int64_t total = s->result.total.v;
        int128_t share = (int128_t)1 << 20;
        if (total < s->span_at_run) share = int128_div_ceil((int128_t)total << 20, s->span_at_run);
        s->share_e20 = (int64_t)share;
        s->staged = 0;
        span_account_update(c, a);
    }
    return REJECT_none;
}

static enum reject run_abort(struct core *c, const struct command_margin_run *m)
{
    if (c->span_venue->open == 0 || c->span_venue->run != m->run) return REJECT_stale_run;
    c->span_venue->open = 0;
    return REJECT_none;
}

void margin_run(struct core *c, const struct command *cmd)
{
    const struct command_margin_run *m = &cmd->margin_run;
    enum reject reason = m->phase == MARGIN_RUN_begin    ? run_begin(c, m)
                         : m->phase == MARGIN_RUN_commit ? run_commit(c, m)
                                                         : run_abort(c, m);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    event_run_push(c, m->run, m->phase);
    if (m->phase == MARGIN_RUN_commit) call_run(c); /* CLEAR-09 */
}

static bool amount_is_fit(money_t m) { return m.v >= 0 && m.v <= MONEY_MAX; }

/* One line of results; *detail says which, from 0, is refused. */
static enum reject line_check(const struct core *c, const struct command_margin_result *m,
                              uint32_t at)
{
    const struct margin_result *r = &m->results[at];
    if (!account_is_customer(c, r->account)) return REJECT_unknown_account;
    /* Not there when the run began. */
    if (c->span_accounts[r->account].staged_run != m->run) return REJECT_unknown_account;
    if (c->span_accounts[r->account].staged != 0) return REJECT_already_exists;
    for (uint32_t i = 0; i < at; i++) {
        if (m->results[i].account == r->account) return REJECT_already_exists;
    }
    bool fit = amount_is_fit(r->core) && amount_is_fit(r->liquidity) &&
               amount_is_fit(r->concentration) && amount_is_fit(r->floor) &&
               amount_is_fit(r->total) && amount_is_fit(r->stress_loss);
    return fit ? REJECT_none : REJECT_invalid_amount;
}

void margin_result(struct core *c, const struct command *cmd)
{
    const struct command_margin_result *m = &cmd->margin_result;
    enum reject reason = is_open(c, m->run) ? REJECT_none : REJECT_stale_run;
    uint32_t at = 0;
    if (m->count == 0) reason = REJECT_malformed_request;
    while (reason == REJECT_none && at < m->count) reason = line_check(c, m, at++);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        struct span_account *s = &c->span_accounts[m->results[i].account];
        s->staged = 1;
        s->staged_result = m->results[i];
    }
    c->span_venue->results += m->count;
    event_run_push(c, m->run, MARGIN_RUN_count); /* results came */
}
