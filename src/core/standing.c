/* standing.c: see standing.h. */
#include "core/standing.h"

#include "core/call.h"
#include "core/ledger.h"
#include "core/margin.h"

#include <string.h>

static int64_t day_of(ts_t ts) { return int64_div_floor(ts.v, NS_PER_DAY); }

/* A ring by days with a mark; mark 0: none yet. */
static struct event_standing *slot_of(const struct core *c, uint32_t account, uint32_t slot)
{
    return &c->standings[(size_t)account * STANDINGS_KEPT + slot];
}

/* The latest taken before `before`; NULL: none is kept. */
static const struct event_standing *latest_before(const struct core *c, uint32_t account,
                                                  ts_t before)
{
    const struct event_standing *latest = NULL;
    for (uint32_t i = 0; i < STANDINGS_KEPT; i++) {
        const struct event_standing *s = slot_of(c, account, i);
        if (s->mark_id == 0 || s->taken.v >= before.v) continue;
        if (latest == NULL || s->taken.v > latest->taken.v) latest = s;
    }
    return latest;
}

/* Where today's goes: on today's, or round to the oldest. */
static struct event_standing *slot_today(const struct core *c, uint32_t account)
{
    const struct event_standing *latest = latest_before(c, account, TS(INT64_MAX));
    if (latest == NULL) return slot_of(c, account, 0);
    uint32_t slot = (uint32_t)(latest - slot_of(c, account, 0));
    bool today = day_of(latest->taken) == day_of(c->s->ts);
    return slot_of(c, account, today ? slot : (slot + 1) % STANDINGS_KEPT);
}

static bool has_anything(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    if (a->requirement.v != 0 || a->order_count != 0) return true;
    return c->balances[a->cash].amount != 0 || a->credit.v != 0 || account_holds(c, account);
}

/* Whether what was said last is to be followed by zeros. */
static bool had_something(const struct core *c, uint32_t account)
{
    const struct event_standing *s = latest_before(c, account, TS(INT64_MAX));
    return s != NULL && (s->cash.v != 0 || s->credit.v != 0 || s->initial.v != 0 ||
                         s->maintenance.v != 0);
}

static struct event_standing *standing_push(const struct core *c, struct outbox *out,
                                            uint32_t account, uint64_t mark)
{
    const struct account *a = &c->accounts[account];
    const struct balance *cash = &c->balances[a->cash];
    const struct margin_call *call = &c->calls[account];
    struct standing s = call_standing(c, account);
    bool live = call_is_live(c, account);
    struct event_standing *e = outbox_push(out, EVENT_standing, sizeof *e);
    e->mark_id = mark;
    e->account = account;
    e->member = a->member;
    e->mode = a->mode;
    e->origin = a->origin;
    e->status = a->status;
    e->call_state = live ? call->state : CALL_none;
    e->cash = MONEY(cash->amount);
    e->pending = MONEY(cash->pending_out);
    e->unsettled = MONEY(s.equity - cash->amount + cash->pending_out);
    e->equity = MONEY(s.equity);
    e->credit = MONEY(s.credit);
    e->initial = MONEY(s.requirement);
    e->maintenance = MONEY(s.maintenance);
    e->missing = MONEY(a->mode == MODE_margined ? s.missing : 0);
    e->call = live ? call->id : 0;
    e->called = live ? call->called : MONEY(0);
    e->deadline = live ? call->deadline : TS(0);
    e->taken = c->s->ts;
    return e;
}

void standing_run(struct core *c)
{
    span_current(c); /* requirements as they are after the mark, and after what it set off */
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (c->accounts[a].system != 0) continue;
        if (!has_anything(c, a) && !had_something(c, a)) continue;
        *slot_today(c, a) = *standing_push(c, c->out, a, c->s->mark_id);
    }
}

void query_standings(const struct core *c, uint32_t account, struct outbox *out)
{
    (void)standing_push(c, out, account, 0);
    const struct event_standing *s = latest_before(c, account, TS(INT64_MAX));
    for (; s != NULL; s = latest_before(c, account, s->taken)) {
        struct event_standing *e = outbox_push(out, EVENT_standing, sizeof *e);
        struct event_header header = e->header;
        *e = *s;
        e->header = header;
    }
}

size_t standing_outbox_bytes(const struct core_limits *l)
{
    return ((size_t)l->accounts + STANDINGS_KEPT + 1) * sizeof(struct event_standing);
}

void standing_hash(const struct core *c, void (*add)(void *h, const void *bytes, size_t size),
                   void *h)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        for (uint32_t i = 0; i < STANDINGS_KEPT; i++) {
            const struct event_standing *s = slot_of(c, a, i);
            if (s->mark_id != 0) add(h, s, sizeof *s);
        }
    }
}

static void check_record(const struct core *c, uint32_t account, uint32_t slot)
{
    const struct event_standing *s = slot_of(c, account, slot);
    if (s->mark_id == 0) return;
    ASSERT(s->account == account && s->mark_id <= c->s->mark_id && s->taken.v <= c->s->ts.v);
    const struct event_standing *before = latest_before(c, account, s->taken);
    if (before != NULL) {
        ASSERT(before->mark_id < s->mark_id && day_of(before->taken) < day_of(s->taken));
        ASSERT(before == slot_of(c, account, (slot + STANDINGS_KEPT - 1) % STANDINGS_KEPT));
    }
    int128_t missing = (int128_t)s->initial.v - s->equity.v - s->credit.v;
    if (s->mode != MODE_margined || missing < 0) missing = 0;
    ASSERT(s->missing.v == (missing > MONEY_MAX ? MONEY_MAX : missing));
}

void standing_check(const struct core *c)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        for (uint32_t i = 0; i < STANDINGS_KEPT; i++) check_record(c, a, i);
    }
}
