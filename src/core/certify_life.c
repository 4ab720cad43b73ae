/* certify_life.c: what becomes of a certificate: accepted, in effect, superseded, lapsed, ended by
 * order (CERT-01, CERT-02). See certify.h.
 *
 * Upstream: certify.c, schedule.c, delivery. Downstream: certify_supply.c, limit.
 */
#include "core/certify.h"

#include "core/dual.h"
#include "core/schedule.h"
#include "core/supply.h"

#include <string.h>

uint32_t certificate_find(const struct core *c, uint64_t id)
{
    for (uint32_t i = 1; i <= c->certify.s->certificates && id != 0; i++) {
        if (c->certify.certificates[i].id == id) return i;
    }
    return NIL;
}

static struct event_certificate *at(const struct core *c, uint32_t place)
{
    return &c->certify.certificates[place];
}

static struct resource *resource_of(const struct core *c, const struct event_certificate *x)
{
    return &c->certify.resources[x->resource];
}

/* ---- what is said ---- */

void event_certificate_push(const struct core *c, struct outbox *out, uint32_t place)
{
    struct event_certificate *e = outbox_push(out, EVENT_certificate, sizeof *e);
    struct event_header header = e->header;
    *e = *at(c, place);
    e->header = header;
}

void event_resource_push(const struct core *c, struct outbox *out, uint32_t resource)
{
    struct event_resource *e = outbox_push(out, EVENT_resource, sizeof *e);
    struct event_header header = e->header;
    *e = c->certify.resources[resource].said;
    e->header = header;
}

void event_token_class_push(const struct core *c, struct outbox *out, uint32_t class)
{
    struct event_token_class *e = outbox_push(out, EVENT_token_class, sizeof *e);
    e->id = class;
    e->reserved = 0;
    e->class = c->certify.s->classes[class];
}

/* ---- the clock ---- */

/* What the clock brings to a resource next; INT64_MAX: nothing. */
static int64_t resource_due(const struct core *c, const struct resource *r)
{
    int64_t due = INT64_MAX;
    if (r->awaiting != NIL) due = at(c, r->awaiting)->effective.v;
    if (r->effective != NIL) due = int64_min(due, at(c, r->effective)->terms.expires.v);
    return due;
}

static uint32_t resource_first(const struct core *c)
{
    uint32_t first = NIL;
    int64_t due = INT64_MAX;
    for (uint32_t i = 1; i <= c->certify.s->resources; i++) {
        int64_t own = resource_due(c, &c->certify.resources[i]);
        if (own >= due) continue;
        due = own;
        first = i;
    }
    return first;
}

int64_t certify_due(const struct core *c) { return c->certify.s->due; }

static void due_find(struct core *c)
{
    uint32_t first = resource_first(c);
    c->certify.s->due =
        first == NIL ? INT64_MAX : resource_due(c, &c->certify.resources[first]);
    schedule_certificates(c);
}

/* ---- in effect, and no longer ---- */

static void end(struct core *c, uint32_t place, enum certificate_status status, uint32_t faults,
                const char *reason)
{
    struct event_certificate *x = at(c, place);
    struct resource *r = resource_of(c, x);
    if (r->effective == place) {
        r->effective = NIL;
        short_refresh(c, x->account);
    }
    if (r->awaiting == place) {
        r->awaiting = NIL;
        x->effective = TS(0);
    }
    x->status = status;
    x->faults = faults;
    x->ended = c->s->ts;
    memset(x->reason, 0, sizeof x->reason);
    memcpy(x->reason, reason, strnlen(reason, sizeof x->reason - 1));
    event_certificate_push(c, c->out, place);
}

static uint32_t class_get(struct core *c, const struct token_class *class)
{
    uint32_t id = token_class_find(c, class);
    if (id != NIL) return id;
    ASSERT(c->certify.s->class_count < TOKEN_CLASSES_MAX);
    id = ++c->certify.s->class_count;
    c->certify.s->classes[id] = *class;
    event_token_class_push(c, c->out, id);
    return id;
}

/* An appeal that took effect: what it answers is reversed (CERT-02). */
static void appeal_succeed(struct core *c, const struct event_certificate *x)
{
    struct resource *r = resource_of(c, x);
    uint32_t from = certificate_find(c, x->appeals);
    if (r->barred_by == x->appeals) {
        r->barred_until = TS(0);
        r->barred_by = 0;
    }
    if (from == NIL) return; /* it gave its place to a new one */
    at(c, from)->reversed_by = x->id;
    event_certificate_push(c, c->out, from);
}

static void take_effect(struct core *c, uint32_t place)
{
    struct event_certificate *x = at(c, place);
    struct resource *r = resource_of(c, x);
    bool renews = r->effective != NIL &&
                  token_class_equal(&at(c, r->effective)->terms.class, &x->terms.class);
    r->awaiting = NIL;
    if (r->effective != NIL) end(c, r->effective, CERTIFICATE_superseded, 0, "");
    if (!renews) r->certified_from = x->effective;
    r->effective = place;
    x->status = CERTIFICATE_effective;
    bool moved = memcmp(r->said.site, x->terms.site, sizeof r->said.site) != 0 ||
                 memcmp(r->said.hardware, x->terms.hardware, sizeof r->said.hardware) != 0;
    memcpy(r->said.site, x->terms.site, sizeof r->said.site);
    memcpy(r->said.hardware, x->terms.hardware, sizeof r->said.hardware);
    if (moved) event_resource_push(c, c->out, x->resource);
    r->class = token_class_find(c, &x->terms.class);
    short_refresh(c, x->account);
    event_certificate_push(c, c->out, place);
    if (x->appeals != 0) appeal_succeed(c, x);
}

void certificate_accept(struct core *c, uint32_t place)
{
    struct event_certificate *x = at(c, place);
    struct resource *r = resource_of(c, x);
    if (r->awaiting != NIL) end(c, r->awaiting, CERTIFICATE_superseded, 0, "");
    x->status = CERTIFICATE_accepting;
    x->effective = TS(c->s->ts.v + c->certify.s->settings.acceptance_ns);
    x->ended = TS(0);
    r->awaiting = place;
    (void)class_get(c, &x->terms.class);
    if (x->effective.v <= c->s->ts.v) take_effect(c, place);
    else event_certificate_push(c, c->out, place);
    due_find(c);
}

void certify_run(struct core *c)
{
    uint32_t id = resource_first(c);
    if (id == NIL) return;
    struct resource *r = &c->certify.resources[id];
    bool takes = r->awaiting != NIL && at(c, r->awaiting)->effective.v == resource_due(c, r);
    if (takes) take_effect(c, r->awaiting);
    else end(c, r->effective, CERTIFICATE_lapsed, 0, "");
    due_find(c);
}

/* ---- by order ---- */

void certificates_disown(struct core *c, const uint8_t key[PUBLIC_KEY_SIZE])
{
    for (uint32_t i = 1; i <= c->certify.s->resources; i++) {
        uint32_t place = c->certify.resources[i].awaiting;
        if (place == NIL || memcmp(at(c, place)->terms.certifier, key, PUBLIC_KEY_SIZE) != 0)
            continue;
        end(c, place, CERTIFICATE_refused, 1u << FAULT_certifier_revoked, "");
    }
    due_find(c);
}

/* The resource's latest that has been in effect; NIL: none that is still kept. */
static uint32_t effective_last(const struct core *c, uint32_t resource)
{
    uint32_t latest = NIL;
    for (uint32_t i = 1; i <= c->certify.s->certificates; i++) {
        const struct event_certificate *x = at(c, i);
        if (x->resource != resource || x->effective.v == 0) continue; /* never was */
        if (latest == NIL || x->id > at(c, latest)->id) latest = i;
    }
    return latest;
}

/* What was found out comes late: when the certificate had ended by itself, it ends so once more;
 * when it had been decertified, that stands, and may be appealed as it could. */
void certificate_revoke(struct core *c, uint32_t resource, const char *reason)
{
    struct resource *r = &c->certify.resources[resource];
    ASSERT(resource_exists(c, resource));
    uint32_t effective = r->effective, awaiting = r->awaiting;
    if (effective == NIL && awaiting == NIL) {
        if (c->s->ts.v < r->barred_until.v) return;
        effective = effective_last(c, resource);
    }
    r->barred_until = TS(c->s->ts.v + c->certify.s->settings.appeal_ns);
    r->barred_by = effective != NIL ? at(c, effective)->id : 0;
    if (awaiting != NIL) {
        if (r->barred_by == 0) r->barred_by = at(c, awaiting)->id;
        end(c, awaiting, CERTIFICATE_refused, 1u << FAULT_decertified, reason);
    }
    if (effective != NIL) end(c, effective, CERTIFICATE_decertified, 0, reason);
    due_find(c);
}

static enum reject end_check(const struct core *c, const struct command *cmd, uint32_t place)
{
    const struct command_certificate_end *v = &cmd->certificate_end;
    if (place == NIL) return REJECT_unknown_certificate;
    const struct event_certificate *x = at(c, place);
    bool accepting = x->status == CERTIFICATE_accepting;
    bool effective = x->status == CERTIFICATE_effective;
    if (v->how == CERTIFICATE_END_withdraw) {
        if (x->account != cmd->header.account || (!accepting && !effective))
            return REJECT_unknown_certificate;
        return effective && promise_ahead(c, x->resource) ? REJECT_insufficient_supply
                                                          : REJECT_none;
    }
    bool fits = v->how == CERTIFICATE_END_refuse ? accepting : effective;
    if (!fits) return REJECT_unknown_certificate;
    return v->reason[0] == 0 ? REJECT_reason_needed : REJECT_none;
}

void certificate_end(struct core *c, const struct command *cmd)
{
    const struct command_certificate_end *v = &cmd->certificate_end;
    uint32_t place = certificate_find(c, v->certificate);
    enum reject reason = end_check(c, cmd, place);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    switch ((enum certificate_end)v->how) {
    case CERTIFICATE_END_withdraw:
        end(c, place, CERTIFICATE_withdrawn, 0, v->reason);
        break;
    case CERTIFICATE_END_refuse:
        end(c, place, CERTIFICATE_refused, 1u << FAULT_by_officer, v->reason);
        break;
    default: /* decertified: two officers */
        if (dual_wait(c, cmd)) return;
        certificate_revoke(c, at(c, place)->resource, v->reason);
        break;
    }
    due_find(c);
}

/* ---- questions ---- */

/* The latest certificate with an id below `bound`, that is asked for; NIL: none. */
static uint32_t certificate_before(const struct core *c, const struct query *q, uint64_t bound)
{
    uint32_t latest = NIL;
    for (uint32_t i = 1; i <= c->certify.s->certificates; i++) {
        const struct event_certificate *x = at(c, i);
        bool live = x->status == CERTIFICATE_accepting || x->status == CERTIFICATE_effective;
        if (x->id == 0 || x->id >= bound || (q->account != 0 && x->account != q->account) ||
            (q->instrument != 0 && x->resource != q->instrument) ||
            (q->order_id != 0 && x->id != q->order_id) ||
            ((q->flags & QUERY_FLAG_LIVE) != 0 && !live)) continue;
        if (latest == NIL || x->id > at(c, latest)->id) latest = i;
    }
    return latest;
}

void query_certificates(const struct core *c, const struct query *q, struct outbox *out)
{
    enum { COUNT_DEFAULT = 20, COUNT_MAX = 1000 };
    uint32_t count = q->count == 0 ? COUNT_DEFAULT : q->count < COUNT_MAX ? q->count : COUNT_MAX;
    uint64_t bound = q->from_id == 0 ? UINT64_MAX : q->from_id;
    for (uint32_t place; count > 0 && (place = certificate_before(c, q, bound)) != NIL; count--) {
        event_certificate_push(c, out, place);
        bound = at(c, place)->id;
    }
}
