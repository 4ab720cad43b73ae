/* certify_supply.c: what is certified, and what of it is promised (CERT-03). See certify.h.
 *
 * Upstream: certify_life.c, token.c. Downstream: token, limit, delivery.
 */
#include "core/certify.h"

#include "core/schedule.h"

#include <string.h>

/* ---- resources and classes ---- */

bool resource_exists(const struct core *c, uint32_t resource)
{
    return resource != NIL && resource <= c->certify.s->resources;
}

uint32_t resource_account(const struct core *c, uint32_t resource)
{
    return c->certify.resources[resource].said.account;
}

bool resource_class(const struct core *c, uint32_t resource, struct token_class *class)
{
    if (!resource_exists(c, resource)) return false;
    const struct resource *r = &c->certify.resources[resource];
    if (r->effective == NIL) return false;
    *class = c->certify.s->classes[r->class];
    return true;
}

bool token_class_equal(const struct token_class *a, const struct token_class *b)
{
    return memcmp(a, b, sizeof *a) == 0; /* regions are zero-padded */
}

bool token_class_serves(const struct token_class *own, const struct token_class *claimed)
{
    bool there = claimed->region[0] == 0 ||
                 memcmp(own->region, claimed->region, sizeof own->region) == 0;
    return own->vintage == claimed->vintage && own->grade >= claimed->grade && there;
}

uint32_t token_class_find(const struct core *c, const struct token_class *class)
{
    for (uint32_t i = 1; i <= c->certify.s->class_count; i++) {
        if (token_class_equal(&c->certify.s->classes[i], class)) return i;
    }
    return NIL;
}

/* ---- what is certified ---- */

int64_t certificate_work(const struct core *c, uint32_t resource, int64_t hour)
{
    if (!resource_exists(c, resource)) return 0;
    const struct resource *r = &c->certify.resources[resource];
    if (r->effective == NIL) return 0;
    const struct certificate_terms *t = &c->certify.certificates[r->effective].terms;
    int128_t start = (int128_t)hour * NS_PER_HOUR;
    bool covered = start >= r->certified_from.v && start + NS_PER_HOUR <= t->expires.v;
    return covered ? t->work_per_hour : 0;
}

uint32_t certificate_valid(const struct core *c, uint32_t account, uint32_t resource,
                           const struct token_class *class, int64_t from_hour, int64_t end_hour)
{
    struct token_class own;
    if (!resource_class(c, resource, &own) || !token_class_equal(&own, class)) return NIL;
    if (resource_account(c, resource) != account || from_hour >= end_hour) return NIL;
    bool covered = certificate_work(c, resource, from_hour) > 0 &&
                   certificate_work(c, resource, end_hour - 1) > 0;
    return covered ? c->certify.resources[resource].effective : NIL;
}

int64_t certificate_work_now(const struct core *c, uint32_t resource)
{
    uint32_t place = c->certify.resources[resource].effective;
    return place == NIL ? 0 : c->certify.certificates[place].terms.work_per_hour;
}

int64_t promise_of(const struct core *c, uint32_t resource, int64_t hour)
{
    const struct promise *p = promise_find(c, resource, hour);
    return p == NULL ? 0 : int64_max(p->issued, p->escrowed);
}

int64_t certificate_supply(const struct core *c, uint32_t resource, int64_t hour)
{
    int64_t left = certificate_work(c, resource, hour) - promise_of(c, resource, hour);
    return int64_max(left, 0);
}

struct class_supply certify_class_supply(const struct core *c, uint32_t class, int64_t hour)
{
    struct class_supply sum = {0};
    for (uint32_t i = 1; i <= c->certify.s->resources; i++) {
        const struct resource *r = &c->certify.resources[i];
        if (r->effective == NIL || r->class != class) continue;
        sum.certified += certificate_work(c, i, hour);
        sum.promised += promise_of(c, i, hour);
        sum.uncommitted += certificate_supply(c, i, hour);
    }
    return sum;
}

int128_t certify_capacity(const struct core *c, uint32_t account, const struct token_class *class)
{
    int128_t sum = 0;
    for (uint32_t i = c->certify.account_resources[account]; i != NIL;
         i = c->certify.resources[i].account_next) {
        const struct resource *r = &c->certify.resources[i];
        if (r->effective == NIL) continue;
        if (!token_class_serves(&c->certify.s->classes[r->class], class)) continue;
        sum += certificate_work_now(c, i);
    }
    return sum;
}

/* ---- what is promised ---- */

static uint64_t key_of(uint32_t resource, int64_t hour)
{
    return (uint64_t)resource << 32 | (uint32_t)hour;
}

struct promise *promise_find(const struct core *c, uint32_t resource, int64_t hour)
{
    const uint32_t *found = map_find(&c->certify.promise_map, key_of(resource, hour));
    return found == NULL ? NULL : &c->certify.promises[*found];
}

uint32_t promise_room(const struct core *c)
{
    return c->certify.promise_max - c->certify.s->promise_map_count;
}

struct promise *promise_get(struct core *c, uint32_t resource, int64_t hour)
{
    struct certify *m = &c->certify;
    struct promise *p = promise_find(c, resource, hour);
    if (p != NULL) return p;
    if (promise_room(c) == 0) return NULL;
    uint32_t place = m->s->promise_free;
    if (place != NIL) m->s->promise_free = m->promises[place].next;
    else place = ++m->s->promises;
    m->promises[place] = (struct promise){.resource = resource, .hour = hour};
    map_insert(&m->promise_map, key_of(resource, hour), place);
    return &m->promises[place];
}

bool promise_is_over(const struct core *c, int64_t hour)
{
    return (int128_t)(hour + 1) * NS_PER_HOUR <= c->s->ts.v;
}

void promise_settle(struct core *c, uint32_t resource, int64_t hour)
{
    struct certify *m = &c->certify;
    struct promise *p = promise_find(c, resource, hour);
    if (p == NULL || p->escrowed != 0) return;
    if (p->issued != 0 && !promise_is_over(c, hour)) return;
    uint32_t place = (uint32_t)(p - m->promises);
    map_remove(&m->promise_map, key_of(resource, hour));
    *p = (struct promise){.next = m->s->promise_free};
    m->s->promise_free = place;
}

void promises_end(struct core *c, int64_t hour)
{
    for (uint32_t i = 1; i <= c->certify.s->resources; i++) promise_settle(c, i, hour);
}

bool promise_ahead(const struct core *c, uint32_t resource)
{
    const struct certify *m = &c->certify;
    for (uint32_t i = 1; i <= m->s->promises; i++) {
        const struct promise *p = &m->promises[i];
        if (p->resource == resource && !promise_is_over(c, p->hour) &&
            (p->issued > 0 || p->escrowed > 0)) return true;
    }
    return false;
}
