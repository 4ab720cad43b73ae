/* limit_set.c: what officers set of position limits, and their reports (GUARD-07, GUARD-05):
 * tightening takes one officer, loosening two. See limit.h.
 */
#include "core/limit.h"

#include "core/dual.h"

#include <string.h>

/* ---- a product's limits ---- */

/* 0 is no limit at all. */
static bool is_looser(int64_t after, int64_t before)
{
    return before != 0 && (after == 0 || after > before);
}

static bool limits_loosen(const struct product_limits *now, const struct product_limits *to)
{
    bool steps = false;
    for (int i = 0; i < LIMIT_STEPS; i++) steps = steps || to->step_e6[i] > now->step_e6[i];
    bool spot = now->spot_cap.v != 0;
    return is_looser(to->spot_cap.v, now->spot_cap.v) ||
           is_looser(to->spot_share_e6, now->spot_share_e6) ||
           is_looser(to->month.v, now->month.v) ||
           is_looser(to->all_months.v, now->all_months.v) ||
           is_looser(to->accountable_month.v, now->accountable_month.v) ||
           is_looser(to->accountable_all.v, now->accountable_all.v) ||
           (spot && (to->spot_days < now->spot_days || steps));
}

/* GUARD-05: what limits is not switched off, by however many officers. */
static bool limits_switch_off(const struct product_limits *now, const struct product_limits *to)
{
    const int64_t before[] = {now->spot_cap.v, now->spot_share_e6, now->month.v, now->all_months.v,
                              now->accountable_month.v, now->accountable_all.v};
    const int64_t after[] = {to->spot_cap.v, to->spot_share_e6, to->month.v, to->all_months.v,
                             to->accountable_month.v, to->accountable_all.v};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        if (before[i] != 0 && after[i] == 0) return true;
    }
    return false;
}

/* Customers' exposures in a product: counted, and (attach) joined to their holdings. */
static uint32_t exposures_of(struct core *c, uint32_t product, bool attach)
{
    uint32_t count = 0;
    for (uint32_t i = c->products[product].instruments; i != NIL;
         i = c->instruments[i].next_of_product) {
        for (uint32_t e = c->instruments[i].exposures; e != NIL;
             e = c->exposures[e].next_of_instrument) {
            if (c->accounts[c->exposures[e].account].system != 0) continue;
            count += 1;
            if (attach) limit_attach(c, e);
        }
    }
    return count;
}

/* Makes all that a product needs whose limits were just set: buckets, links. */
static enum reject product_limit(struct core *c, uint32_t product)
{
    struct product *p = &c->products[product];
    uint32_t listed = 0;
    if (p->limited != 0) return REJECT_none;
    for (uint32_t i = p->instruments; i != NIL; i = c->instruments[i].next_of_product) {
        if (!is_spread(c, i) && c->instruments[i].terms.expired == 0) listed += 1;
    }
    uint64_t holdings = (uint64_t)exposures_of(c, product, false) * LIMIT_BUCKETS_MAX;
    uint64_t buckets = (uint64_t)listed * LIMIT_BUCKETS_MAX;
    if (c->limit.s->holding_map_count + holdings > c->limit.holding_count ||
        c->limit.s->buckets + buckets > c->limit.bucket_count) {
        return REJECT_capacity_exhausted;
    }
    p->limited = 1;
    for (uint32_t i = p->instruments; i != NIL; i = c->instruments[i].next_of_product) {
        if (is_spread(c, i) || c->instruments[i].terms.expired != 0) continue;
        enum reject reason = limit_list(c, i);
        ASSERT(reason == REJECT_none);
    }
    (void)exposures_of(c, product, true);
    return REJECT_none;
}

static enum reject limits_check_set(const struct core *c, const struct command_limits_set *s)
{
    if (s->product == NIL || s->product > c->s->products) return REJECT_unknown_product;
    const struct product_limits *now = &c->products[s->product].terms.limits;
    bool same = s->limits.micro_of == now->micro_of && s->limits.ratio == now->ratio;
    if (!same || now->micro_of != NIL || !limits_are_valid(c, &s->limits)) {
        return REJECT_malformed_request; /* what is counted with what is for life */
    }
    if (limits_loosen(now, &s->limits) && s->reason[0] == 0) return REJECT_reason_needed;
    return limits_switch_off(now, &s->limits) ? REJECT_guard_needed : REJECT_none;
}

void limits_set(struct core *c, const struct command *cmd)
{
    const struct command_limits_set *s = &cmd->limits_set;
    enum reject reason = limits_check_set(c, s);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct product *p = &c->products[s->product];
    if (limits_loosen(&p->terms.limits, &s->limits) && dual_wait(c, cmd)) return;
    if (limits_are_set(&s->limits)) reason = product_limit(c, s->product);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    p->terms.limits = s->limits;
    event_product_push(c, c->out, s->product);
    limit_sweep_start(c); /* what works beyond a lower limit goes */
    if (c->s->limit_sweep != 0) limit_sweep(c);
}

/* ---- deliverable supply ---- */

/* The contract month that an instrument trades by itself; NIL: several, or no limits. */
static uint32_t month_of(const struct core *c, uint32_t instrument)
{
    const struct limit_map *map = &c->limit.maps[instrument];
    return map->count == 2 ? map->bucket[0] : NIL;
}

static enum reject supply_check(const struct core *c, const struct command_supply_set *s)
{
    if (s->product == NIL || s->product > c->s->products) return REJECT_unknown_product;
    if (s->instrument > c->s->instruments) return REJECT_unknown_instrument;
    if (c->products[limit_group_of(c, s->product)].terms.supply.certified != 0)
        return REJECT_not_offered; /* certificates say it (CERT-03) */
    if (s->amount.v < 0 || s->amount.v > QTY_MAX) return REJECT_invalid_amount;
    if (s->instrument == NIL) return REJECT_none;
    if (c->instruments[s->instrument].product != s->product) return REJECT_unknown_instrument;
    uint32_t b = month_of(c, s->instrument);
    if (b == NIL) return REJECT_malformed_request;
    /* Frozen when the spot period starts: nobody moves a limit under a position. */
    return limit_in_spot(c, &c->limit.buckets[b]) ? REJECT_invalid_state : REJECT_none;
}

/* The supply for all: what is in its spot period keeps what it had. */
static void supply_all(struct core *c, struct limit_group *group, int64_t amount)
{
    for (uint32_t b = group->buckets; b != NIL; b = c->limit.buckets[b].next) {
        struct limit_bucket *bucket = &c->limit.buckets[b];
        if (bucket->supply >= 0 || !limit_in_spot(c, bucket)) continue;
        bucket->supply = group->supply != 0 ? group->supply - 1 : QTY_MAX;
    }
    group->supply = amount + 1;
}

void supply_set(struct core *c, const struct command *cmd)
{
    const struct command_supply_set *s = &cmd->supply_set;
    enum reject reason = supply_check(c, s);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct limit_group *group = &c->limit.groups[limit_group_of(c, s->product)];
    uint32_t b = s->instrument != NIL ? month_of(c, s->instrument) : NIL;
    int64_t before = group->supply - 1; /* -1: none, which is no limit by supply */
    if (b != NIL && c->limit.buckets[b].supply >= 0) before = c->limit.buckets[b].supply;
    if (before >= 0 && s->amount.v > before && dual_wait(c, cmd)) return;
    if (b != NIL) c->limit.buckets[b].supply = s->amount.v;
    else supply_all(c, group, s->amount.v);
    struct event_supply *e = outbox_push(c->out, EVENT_supply, sizeof *e);
    e->product = s->product;
    e->instrument = s->instrument;
    e->amount = s->amount;
    memcpy(e->reason, s->reason, sizeof e->reason);
}

/* ---- owners ---- */

static uint32_t owner_find(const struct core *c, const char *name)
{
    for (uint32_t i = 1; i <= c->limit.s->owners; i++) {
        if (strncmp(c->limit.owners[i].name, name, OWNER_NAME_SIZE) == 0) return i;
    }
    return NIL;
}

/* An owner, or an account that has none: its key; NIL: neither. */
static uint32_t owner_key_find(const struct core *c, const char *name)
{
    uint32_t owner = owner_find(c, name);
    if (owner != NIL) return owner;
    uint32_t a = account_find(c, name);
    bool unowned = account_is_customer(c, a) && c->limit.account_owner[a] == NIL;
    return unowned ? LIMIT_OWNER_ACCOUNT | a : NIL;
}

static bool is_empty(const struct exposure *x)
{
    return x->position == 0 && x->open_buys == 0 && x->open_sells == 0;
}

/* Whether it takes nobody's holding apart, and adds nothing that could be set off against it. */
static bool owner_only_tightens(const struct core *c, uint32_t account)
{
    if (c->limit.account_owner[account] != NIL) return false;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        if (c->exposures[e].limited != 0 && !is_empty(&c->exposures[e])) return false;
    }
    return true;
}

static enum reject owner_check(const struct core *c, const struct command *cmd)
{
    uint32_t account = cmd->header.account;
    const char *name = cmd->owner_set.owner;
    if (name[0] != 0 && !account_name_is_valid(name)) return REJECT_malformed_request;
    if (!account_is_customer(c, account)) return REJECT_unknown_account;
    uint64_t holdings = 0;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        holdings += c->exposures[e].limited != 0 ? LIMIT_BUCKETS_MAX : 0;
    }
    bool fresh = name[0] != 0 && owner_find(c, name) == NIL;
    bool full = c->limit.s->holding_map_count + holdings > c->limit.holding_count ||
                (fresh && c->limit.s->owners >= c->limits.accounts);
    return full ? REJECT_capacity_exhausted : REJECT_none;
}

void owner_set(struct core *c, const struct command *cmd)
{
    const struct command_owner_set *s = &cmd->owner_set;
    uint32_t account = cmd->header.account;
    enum reject reason = owner_check(c, cmd);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (!owner_only_tightens(c, account) && dual_wait(c, cmd)) return;
    uint32_t owner = s->owner[0] != 0 ? owner_find(c, s->owner) : NIL;
    if (s->owner[0] != 0 && owner == NIL) {
        owner = ++c->limit.s->owners;
        memcpy(c->limit.owners[owner].name, s->owner, OWNER_NAME_SIZE);
    }
    uint32_t head = c->accounts[account].exposures, moved = 0;
    for (uint32_t e = head; e != NIL; e = c->exposures[e].next) {
        if (c->exposures[e].limited == 0) continue;
        limit_detach(c, e);
        c->exposures[e].limited = 2; /* to be joined again */
        moved += 1;
    }
    c->limit.account_owner[account] = owner;
    for (uint32_t e = head; e != NIL && moved > 0; e = c->exposures[e].next) {
        if (c->exposures[e].limited != 2) continue;
        c->exposures[e].limited = 0;
        limit_attach(c, e);
    }
    struct event_owner *e = outbox_push(c->out, EVENT_owner, sizeof *e);
    e->account = account;
    e->reserved = 0;
    memcpy(e->owner, s->owner, sizeof e->owner);
    memcpy(e->reason, s->reason, sizeof e->reason);
}

/* ---- exemptions and physical capacity ---- */

static void event_exemption_push(const struct core *c, struct outbox *out,
                                 const struct limit_record *r, bool ended)
{
    struct event_exemption *e = outbox_push(out, EVENT_exemption, sizeof *e);
    e->ended = ended ? 1 : 0;
    e->reserved = 0;
    e->record = *r;
    memcpy(e->record.owner_name, limit_owner_name(c, r->owner), OWNER_NAME_SIZE - 1);
    e->record.owner = 0;
    e->record.bucket = 0;
}

static void record_end(struct core *c, struct limit_record *r)
{
    event_exemption_push(c, c->out, r, true);
    *r = (struct limit_record){0};
    c->limit.s->version += 1;
}

/* Records that have expired give their place back when another is set. */
static void records_prune(struct core *c)
{
    for (uint32_t i = 0; i < c->limit.record_count; i++) {
        struct limit_record *r = &c->limit.records[i];
        if (r->id != 0 && r->expires_at.v <= c->s->ts.v) record_end(c, r);
    }
}

static struct limit_record *record_find(struct core *c, uint64_t id)
{
    for (uint32_t i = 0; i < c->limit.record_count; i++) {
        if (c->limit.records[i].id == id) return &c->limit.records[i];
    }
    return NULL;
}

static struct limit_record *physical_find(struct core *c, uint32_t owner, uint32_t group)
{
    for (uint32_t i = 0; i < c->limit.record_count; i++) {
        struct limit_record *r = &c->limit.records[i];
        if (r->id != 0 && r->kind == LIMIT_RECORD_physical && r->owner == owner &&
            r->product == group)
            return r;
    }
    return NULL;
}

static enum reject exemption_check(const struct core *c, const struct command_exemption_set *s)
{
    bool exempts = s->kind == LIMIT_RECORD_exemption;
    if (s->product == NIL || s->product > c->s->products) return REJECT_unknown_product;
    if (s->instrument > c->s->instruments) return REJECT_unknown_instrument;
    if (owner_key_find(c, s->owner) == NIL) return REJECT_unknown_account;
    if (s->amount.v < (exempts ? 1 : 0) || s->amount.v > QTY_MAX) return REJECT_invalid_amount;
    if (!exempts) {
        bool plain = s->instrument == NIL && s->sides == LIMIT_SIDE_LONG && s->expires_at.v == 0;
        return plain ? REJECT_none : REJECT_malformed_request;
    }
    if (s->sides == 0 || s->sides > (LIMIT_SIDE_LONG | LIMIT_SIDE_SHORT) || s->reason[0] == 0) {
        return REJECT_malformed_request; /* an exemption has a reason */
    }
    if (s->instrument != NIL && (c->instruments[s->instrument].product != s->product ||
                                 month_of(c, s->instrument) == NIL)) {
        return REJECT_unknown_instrument;
    }
    return s->expires_at.v <= c->s->ts.v ? REJECT_expired_time : REJECT_none;
}

static void exemption_revoke(struct core *c, const struct command *cmd)
{
    struct limit_record *r = record_find(c, cmd->exemption_set.revoke);
    if (r == NULL || r->kind != LIMIT_RECORD_exemption) {
        reject_push(c, cmd, REJECT_unknown_request, INT64_MIN);
        return;
    }
    record_end(c, r);
}

void exemption_set(struct core *c, const struct command *cmd)
{
    const struct command_exemption_set *s = &cmd->exemption_set;
    if (s->revoke != 0) {
        exemption_revoke(c, cmd); /* tightens: one officer */
        return;
    }
    enum reject reason = exemption_check(c, s);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    bool exempts = s->kind == LIMIT_RECORD_exemption;
    uint32_t owner = owner_key_find(c, s->owner), group = limit_group_of(c, s->product);
    struct limit_record *old = exempts ? NULL : physical_find(c, owner, group);
    /* More physical capacity leaves less room on the long side. */
    bool loosens = exempts || (old != NULL && s->amount.v < old->amount.v);
    if (loosens && dual_wait(c, cmd)) return;
    records_prune(c);
    struct limit_record *r = old != NULL ? old : record_find(c, 0);
    if (r == NULL) {
        reject_push(c, cmd, REJECT_capacity_exhausted, INT64_MIN);
        return;
    }
    if (old != NULL) record_end(c, old);
    *r = (struct limit_record){.id = ++c->limit.s->record_id, .kind = s->kind, .owner = owner,
                               .product = group, .sides = s->sides, .amount = s->amount,
                               .expires_at = exempts ? s->expires_at : TS(INT64_MAX)};
    memcpy(r->reason, s->reason, sizeof r->reason);
    if (s->instrument != NIL) {
        r->bucket = month_of(c, s->instrument);
        memcpy(r->period, c->limit.buckets[r->bucket].name, sizeof r->period);
    }
    c->limit.s->version += 1;
    event_exemption_push(c, c->out, r, false);
}

/* ---- reports ---- */

void query_large_positions(const struct core *c, uint32_t product, int64_t minimum,
                           struct outbox *out)
{
    uint32_t group = product != NIL && product <= c->s->products ? limit_group_of(c, product) : NIL;
    for (uint32_t h = 1; h <= c->limit.s->holdings; h++) {
        const struct limit_holding *holding = &c->limit.holdings[h];
        if (holding->links == 0) continue;
        if (product != NIL && c->limit.buckets[holding->bucket].group != group) continue;
        int128_t held = holding->net < 0 ? -holding->net : holding->net;
        if (held == 0 || held < (int128_t)minimum * LIMIT_UNIT) continue;
        event_holding_push(c, out, holding, NIL);
    }
}

void query_exemptions(const struct core *c, struct outbox *out)
{
    for (uint32_t i = 0; i < c->limit.record_count; i++) {
        const struct limit_record *r = &c->limit.records[i];
        if (r->id != 0 && r->expires_at.v > c->s->ts.v) event_exemption_push(c, out, r, false);
    }
}
