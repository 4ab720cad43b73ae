/* guard_set.c: the protections' terms; GUARD-05. One officer may tighten; to loosen takes two with
 * different keys, and a reason; to switch one off is not possible. What is changed is published.
 *
 * Upstream: core.c, instrument.c. Downstream: dual.c, guard_limit.c.
 */
#include "core/guard.h"
#include "core/state.h"

#include <string.h>

enum looser { LARGER, SMALLER, CHANGED };

static const struct {
    enum looser looser;
    enum guard_field belongs;
} fields[GUARD_FIELDS] = {
#define GUARD_FIELD(name, looser, unit, otherwise, belongs) {looser, GUARD_##belongs},
#include "msg/guard.def"
#undef GUARD_FIELD
};

/* ---- what terms make sense ---- */

static bool between(int64_t v, int64_t low, int64_t high) { return v >= low && v <= high; }

static bool shares_are_valid(const int64_t *v, enum guard_field first)
{
    const int64_t *s = v + first;
    return s[0] == 0 ? s[1] == 0 && s[2] == 0 : s[0] <= s[1] && s[1] <= s[2];
}

/* The shares of delivery are no wider than the others. */
static bool delivery_is_smaller(const int64_t *v)
{
    for (int i = 0; i < DAILY_STEPS; i++) {
        if (v[GUARD_delivery_limit_percent + i] > v[GUARD_limit_percent + i]) return false;
    }
    return true;
}

bool guard_terms_valid(const struct command_product_create *p)
{
    const int64_t *v = p->guards.v;
    const int64_t share_max = 10 * (int64_t)E6;
    static const enum guard_field shares[] = {
        GUARD_band_percent, GUARD_breaker_percent, GUARD_limit_percent, GUARD_limit_percent_2,
        GUARD_limit_percent_3, GUARD_delivery_limit_percent, GUARD_delivery_limit_percent_2,
        GUARD_delivery_limit_percent_3};
    for (int i = 0; i < GUARD_TERMS; i++) {
        if (!between(v[i], 0, NS_PER_DAY)) return false;
    }
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        if (v[shares[i]] > share_max) return false;
    }
    int64_t ticks_max = PRICE_MAX / p->tick.v;
    if (v[GUARD_minimum_ticks] > ticks_max || v[GUARD_velocity_ticks] > ticks_max) return false;
    bool breaker = v[GUARD_breaker_percent] == 0 ||
                   (v[GUARD_breaker_window_minutes] != 0 && v[GUARD_halt_seconds] != 0);
    bool late = v[GUARD_session_end] == 0 || v[GUARD_late_halt_seconds] != 0;
    bool velocity = v[GUARD_velocity_ticks] == 0 || v[GUARD_velocity_milliseconds] != 0;
    bool limits = v[GUARD_limit_percent] == 0 || v[GUARD_limit_halt_seconds] != 0;
    return breaker && late && velocity && limits && shares_are_valid(v, GUARD_limit_percent) &&
           shares_are_valid(v, GUARD_delivery_limit_percent) && delivery_is_smaller(v);
}

/* The one branch that products without these guards pay. */
void product_guard_flag(struct command_product_create *p)
{
    const int64_t *v = p->guards.v;
    bool any = v[GUARD_band_percent] != 0 || v[GUARD_breaker_percent] != 0 ||
               v[GUARD_velocity_ticks] != 0 || v[GUARD_limit_percent] != 0;
    if (any) p->flags |= PRODUCT_FLAG_GUARDED;
}

/* ---- change ---- */

static int64_t terms_get(const struct command_product_create *p, int field)
{
    if (field == GUARD_price_band) return p->flags & PRODUCT_FLAG_HAS_BAND ? p->band.v : 0;
    if (field == GUARD_protection_points)
        return p->flags & PRODUCT_FLAG_HAS_PROTECTION ? p->protection.v : 0;
    return p->guards.v[field];
}

static bool terms_has(const struct command_product_create *p, int field)
{
    if (field == GUARD_price_band) return (p->flags & PRODUCT_FLAG_HAS_BAND) != 0;
    if (field == GUARD_protection_points) return (p->flags & PRODUCT_FLAG_HAS_PROTECTION) != 0;
    return p->guards.v[field] != 0;
}

static void terms_set(struct command_product_create *p, int field, int64_t v)
{
    if (field == GUARD_price_band) {
        p->band = PRICE(v);
        p->flags |= PRODUCT_FLAG_HAS_BAND;
    } else if (field == GUARD_protection_points) {
        p->protection = PRICE(v);
        p->flags |= PRODUCT_FLAG_HAS_PROTECTION;
    } else {
        p->guards.v[field] = v;
    }
}

static bool is_loosened(int64_t before, int64_t after, enum looser looser)
{
    return looser == LARGER ? after > before : looser == SMALLER ? after < before : after != before;
}

/* A width in points may be 0 (no wider than nothing); all else at 0 would be off. */
static bool is_switched_off(int field, int64_t after)
{
    return after == 0 && field < GUARD_TERMS;
}

/* The terms as they would be. What a product lacked is tightened by naming it; what belongs to a
 * guard that did not exist may be named with it. */
static enum reject merge(const struct command_product_create *now,
                         const struct command_guards_set *s, struct command_product_create *next,
                         bool *loosens)
{
    *loosens = false;
    for (int i = 0; i < GUARD_FIELDS; i++) {
        if (!(s->given >> i & 1)) continue;
        bool stands = terms_has(now, i) ||
                      (terms_has(now, (int)fields[i].belongs) && fields[i].looser == SMALLER);
        if (stands && terms_has(now, i) && is_switched_off(i, s->v[i])) return REJECT_guard_needed;
        if (stands && is_loosened(terms_get(now, i), s->v[i], fields[i].looser)) *loosens = true;
        terms_set(next, i, s->v[i]);
    }
    /* A least width where there was none widens what per cents there are. */
    if (next->guards.v[GUARD_minimum_ticks] > now->guards.v[GUARD_minimum_ticks] &&
        (now->flags & PRODUCT_FLAG_GUARDED))
        *loosens = true;
    /* A shorter halt late in a session, where there was none, shortens the others. */
    if (terms_has(next, GUARD_session_end) && !terms_has(now, GUARD_session_end) &&
        terms_has(now, GUARD_breaker_percent))
        *loosens = true;
    if (s->given & GUARDS_HAS_GROUP) {
        bool stood = now->guards.group[0] != 0;
        if (stood && memcmp(now->guards.group, s->group, GUARD_GROUP_SIZE) != 0) *loosens = true;
        if (stood && s->group[0] == 0) return REJECT_guard_needed;
        memcpy(next->guards.group, s->group, GUARD_GROUP_SIZE);
    }
    if (!guard_terms_valid(next)) return REJECT_malformed_request;
    bool widths = between(next->band.v, 0, PRICE_MAX) && between(next->protection.v, 0, PRICE_MAX);
    return widths ? REJECT_none : REJECT_malformed_request;
}

static void event_guards_push(struct core *c, const struct command *cmd, bool loosens)
{
    const struct command_guards_set *s = &cmd->guards_set;
    const struct command_product_create *p = &c->products[s->product].terms;
    struct event_guards *e = outbox_push(c->out, EVENT_guards, sizeof *e);
    e->product = s->product;
    e->given = s->given;
    e->loosened = loosens ? 1 : 0;
    e->principal = cmd->header.principal;
    e->confirmer = dual_confirmed(c) ? c->confirmer : 0;
    e->reserved = 0;
    for (int i = 0; i < GUARD_FIELDS; i++) e->v[i] = terms_get(p, i);
    memcpy(e->group, p->guards.group, sizeof e->group);
    memcpy(e->reason, s->reason, sizeof e->reason);
}

void guards_set(struct core *c, const struct command *cmd)
{
    const struct command_guards_set *s = &cmd->guards_set;
    struct command_product_create next;
    bool loosens = false;
    enum reject reason = REJECT_unknown_product;
    if (s->product != NIL && s->product <= c->s->products) {
        next = c->products[s->product].terms;
        reason = merge(&c->products[s->product].terms, s, &next, &loosens);
    }
    if (reason == REJECT_none && loosens && s->reason[0] == 0) reason = REJECT_reason_needed;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (loosens && dual_wait(c, cmd)) return;
    struct product *p = &c->products[s->product];
    p->terms = next;
    product_guard_flag(&p->terms);
    event_product_push(c, c->out, s->product);
    event_guards_push(c, cmd, loosens);
    for (uint32_t i = p->instruments; i != NIL; i = c->instruments[i].next_of_product) {
        if (!c->instruments[i].terms.is_spread && price_is_none(c->guards[i].base))
            c->guards[i].base = c->instruments[i].settlement;
        guard_forget(c, i);
        guard_refresh(c, i);
        price_limit_refresh(c, i);
    }
}
