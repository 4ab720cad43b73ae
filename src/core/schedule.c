/* schedule.c: see schedule.h. */
#include "core/schedule.h"

#include "core/cascade.h"
#include "core/delivery.h"
#include "core/index.h"
#include "core/settle.h"
#include "core/settlement.h"
#include "core/token.h"

enum job_kind { JOB_certificate, JOB_token, JOB_index, JOB_settle, JOB_mark, JOB_expiry,
                JOB_delivery, JOB_none };

struct job {
    int64_t due; /* INT64_MAX: none */
    enum job_kind kind;
    uint32_t id;
};

/* The first instant after `from` at which this second of the day comes. */
static int64_t second_next(int64_t from, uint32_t second)
{
    int64_t at = int64_div_floor(from, NS_PER_DAY) * NS_PER_DAY + (int64_t)second * NS_PER_SECOND;
    return at > from ? at : at + NS_PER_DAY;
}

static void due_note(struct core *c, int64_t due)
{
    if (due < c->s->schedule_due) c->s->schedule_due = due;
}

/* ---- what is due when ---- */

static int64_t settle_next(const struct core *c, uint32_t product, int64_t from)
{
    const struct settlement_rules *r = &c->products[product].terms.settlement_rules;
    int64_t next = INT64_MAX;
    if ((r->flags & SETTLEMENT_RULE_AUTOMATIC) == 0) return next;
    for (uint32_t i = 0; i < SETTLEMENT_CYCLES; i++) {
        struct settlement_cycle s = settlement_cycle_of(c, product, i);
        if (s.end != 0) next = int64_min(next, second_next(from, s.at));
    }
    return next;
}

static int64_t mark_next(const struct core *c, int64_t from)
{
    const struct venue_settings *v = &c->s->settings;
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < v->mark_count; i++)
        next = int64_min(next, second_next(from, v->mark_at[i]));
    return next;
}

void schedule_product(struct core *c, uint32_t product)
{
    c->products[product].settle_due = settle_next(c, product, c->s->ts.v);
    due_note(c, c->products[product].settle_due);
}

/* By the clock cash is settled and contracts cascade. What was listed after its end (a replay's)
 * has none, and a spread ends with its legs. */
void schedule_instrument(struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    bool cash = product_of(c, instrument)->terms.settlement == SETTLEMENT_cash;
    bool ahead = in->terms.expires_at.v > in->terms.created.v;
    c->instruments[instrument].expiry_due = INT64_MAX;
    bool ends = cash || cascade_applies(c, instrument) || delivery_applies(c, instrument);
    if (ends && ahead && !is_spread(c, instrument))
        schedule_expiry(c, instrument, in->terms.expires_at);
}

void schedule_marks(struct core *c)
{
    c->s->mark_due = mark_next(c, c->s->ts.v);
    due_note(c, c->s->mark_due);
}

void schedule_index(struct core *c, uint32_t index)
{
    due_note(c, index_due(&c->indices[index]));
}

void schedule_certificates(struct core *c) { due_note(c, certify_due(c)); }
void schedule_tokens(struct core *c) { due_note(c, token_due(c)); }
void schedule_delivery(struct core *c) { due_note(c, delivery_due(c)); }

void schedule_expiry(struct core *c, uint32_t instrument, ts_t at)
{
    c->instruments[instrument].expiry_due = at.v;
    due_note(c, at.v);
}

void schedule_waiting(struct core *c, uint32_t index)
{
    for (uint32_t p = 1; p <= c->s->products; p++) {
        if (c->products[p].terms.settlement_rules.index != index) continue;
        for (uint32_t i = c->products[p].instruments; i != NIL;
             i = c->instruments[i].next_of_product) {
            const struct instrument *in = &c->instruments[i];
            if (in->terms.expired == EXPIRY_waits && in->expiry_due == INT64_MAX)
                schedule_expiry(c, i, c->s->ts);
        }
    }
}

/* ---- the job due first ---- */

static void job_offer(struct job *best, int64_t due, enum job_kind kind, uint32_t id)
{
    if (due < best->due || (due == best->due && kind < best->kind))
        *best = (struct job){due, kind, id};
}

static struct job job_first(const struct core *c)
{
    struct job best = {INT64_MAX, JOB_none, 0};
    job_offer(&best, certify_due(c), JOB_certificate, 0);
    job_offer(&best, token_due(c), JOB_token, 0);
    for (uint32_t i = 1; i <= c->s->indices; i++)
        job_offer(&best, index_due(&c->indices[i]), JOB_index, i);
    for (uint32_t p = 1; p <= c->s->products; p++)
        job_offer(&best, c->products[p].settle_due, JOB_settle, p);
    job_offer(&best, c->s->mark_due, JOB_mark, 0);
    for (uint32_t i = c->s->live_first; i != NIL; i = c->instruments[i].live_next)
        job_offer(&best, c->instruments[i].expiry_due, JOB_expiry, i);
    job_offer(&best, delivery_due(c), JOB_delivery, 0);
    return best;
}

/* Which cycle it is that was due, and on what date. The latest, when several were missed. */
static void settle_run(struct core *c, uint32_t product)
{
    struct product *p = &c->products[product];
    int64_t latest = p->settle_due, next;
    while ((next = settle_next(c, product, latest)) <= c->s->ts.v) {
        /* Some were missed: at most a day's cycles are walked, from a day before now. */
        latest = next < c->s->ts.v - NS_PER_DAY ? c->s->ts.v - NS_PER_DAY : next;
    }
    int64_t day = int64_div_floor(latest, NS_PER_DAY);
    uint32_t second = (uint32_t)((latest - day * NS_PER_DAY) / NS_PER_SECOND);
    uint32_t cycle = settlement_cycle_of(c, product, 0).at == second ? 0 : 1;
    p->settle_due = next;
    curve_settle(c, product, cycle, day, 0);
}

void schedule_run(struct core *c)
{
    if (c->s->ts.v < c->s->schedule_due) return;
    struct job job = job_first(c);
    if (job.due <= c->s->ts.v) {
        switch (job.kind) {
        case JOB_certificate: certify_run(c); break;
        case JOB_token: token_run(c); break;
        case JOB_index: index_run(c, job.id); break;
        case JOB_settle: settle_run(c, job.id); break;
        case JOB_mark:
            c->s->mark_due = mark_next(c, c->s->ts.v);
            mark_scheduled(c);
            break;
        case JOB_expiry:
            c->instruments[job.id].expiry_due = INT64_MAX;
            expiry_run(c, job.id);
            break;
        case JOB_delivery: delivery_run(c); break;
        case JOB_none: break;
        }
    }
    c->s->schedule_due = job_first(c).due;
}

void schedule_check(const struct core *c)
{
    ASSERT(c->s->schedule_due <= job_first(c).due); /* (1) */
}
