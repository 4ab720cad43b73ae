/* certify_check.c: asserts the invariants of certify.h, and hashes the registry. */
#include "core/certify.h"

#include <string.h>

static void check_certificate(const struct core *c, uint32_t place)
{
    const struct event_certificate *x = &c->certify.certificates[place];
    const struct resource *r = &c->certify.resources[x->resource];
    ASSERT(resource_exists(c, x->resource) && x->id <= c->certify.s->certificate_id);
    ASSERT((r->effective == place) == (x->status == CERTIFICATE_effective)); /* (1) */
    ASSERT((r->awaiting == place) == (x->status == CERTIFICATE_accepting));
    ASSERT((x->status == CERTIFICATE_refused) == (x->faults != 0));
    if (x->status != CERTIFICATE_effective && x->status != CERTIFICATE_accepting) {
        ASSERT(x->ended.v >= x->submitted.v);
        return;
    }
    bool known = false; /* (2) */
    for (uint32_t i = 1; i <= c->certify.s->accreditations; i++) {
        const struct event_accreditation *a = &c->certify.accreditations[i].said;
        known = known || (a->role == ROLE_certifier && a->since.v <= x->submitted.v &&
                          memcmp(a->key, x->terms.certifier, PUBLIC_KEY_SIZE) == 0);
    }
    ASSERT(known && x->account == r->said.account && x->terms.expires.v > x->effective.v);
}

static int64_t due_of(const struct core *c, const struct resource *r)
{
    int64_t due = INT64_MAX;
    if (r->awaiting != NIL) due = c->certify.certificates[r->awaiting].effective.v;
    if (r->effective != NIL)
        due = int64_min(due, c->certify.certificates[r->effective].terms.expires.v);
    return due;
}

static void check_promises(const struct core *c)
{
    const struct certify *m = &c->certify;
    uint32_t used = 0, freed = 0;
    for (uint32_t i = 1; i <= m->s->promises; i++) {
        const struct promise *p = &m->promises[i];
        if (p->resource == NIL) continue;
        used += 1;
        ASSERT(promise_find(c, p->resource, p->hour) == p && p->issued >= 0 && p->escrowed >= 0);
        ASSERT(p->issued <= p->backed); /* CERT-03 */
        ASSERT(p->hour >= c->token.s->hour_next || p->escrowed > 0); /* (5) */
    }
    for (uint32_t i = m->s->promise_free; i != NIL; i = m->promises[i].next) freed += 1;
    ASSERT(used == m->s->promise_map_count && used + freed == m->s->promises);
}

void certify_check(const struct core *c)
{
    const struct certify *m = &c->certify;
    int64_t due = INT64_MAX;
    for (uint32_t i = 1; i <= m->s->certificates; i++) {
        if (m->certificates[i].id != 0) check_certificate(c, i);
    }
    for (uint32_t i = 1; i <= m->s->resources; i++) {
        const struct resource *r = &m->resources[i];
        due = int64_min(due, due_of(c, r));
        ASSERT(r->said.id == i && account_exists(c, r->said.account));
        ASSERT(r->effective == NIL || (r->class != NIL && r->class <= m->s->class_count));
    }
    ASSERT(m->s->due == due); /* (4) */
    check_promises(c);
}

void certify_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t size),
                  void *h)
{
    const struct certify *m = &c->certify;
    struct certify_state s = *m->s;
    s.promises = s.promise_free = 0;
    add(h, &s, sizeof s);
    add(h, m->accreditations, ((size_t)s.accreditations + 1) * sizeof *m->accreditations);
    add(h, m->resources, ((size_t)s.resources + 1) * sizeof *m->resources);
    add(h, m->certificates, ((size_t)s.certificates + 1) * sizeof *m->certificates);
    for (uint32_t i = 1; i <= m->s->promises; i++) {
        const struct promise *p = &m->promises[i];
        if (p->resource == NIL) continue;
        int64_t numbers[5] = {p->resource, p->hour, p->issued, p->escrowed, p->backed};
        add(h, numbers, sizeof numbers);
    }
}
