/* call.c: see call.h. */
#include "core/call.h"

#include "core/closeout.h"
#include "core/collateral.h"
#include "core/dual.h"
#include "core/margin.h"
#include "core/spot.h"

#include <string.h>

enum { CALLS_PER_STEP = 64 }; /* deadlines and slices that one command carries out */

/* Between slices of a close-out where no pace of liquidations is set. */
#define CLOSE_OUT_SLICE_NS (60 * NS_PER_SECOND)

/* ---- the heap of what is due ---- */

static bool due_before(const struct core *c, uint32_t a, uint32_t b)
{
    int64_t da = c->calls[a].due.v, db = c->calls[b].due.v;
    return da != db ? da < db : a < b;
}

static void heap_put(struct core *c, uint32_t at, uint32_t account)
{
    c->call_heap[at] = account;
    c->calls[account].place = at;
}

/* Puts an account that stands at `at` where its due time belongs. */
static void heap_move(struct core *c, uint32_t at)
{
    uint32_t account = c->call_heap[at], n = c->s->calls_live;
    while (at > 1 && due_before(c, account, c->call_heap[at / 2])) {
        heap_put(c, at, c->call_heap[at / 2]);
        at /= 2;
    }
    while (2 * at <= n) {
        uint32_t child = 2 * at;
        if (child < n && due_before(c, c->call_heap[child + 1], c->call_heap[child])) child += 1;
        if (!due_before(c, c->call_heap[child], account)) break;
        heap_put(c, at, c->call_heap[child]);
        at = child;
    }
    heap_put(c, at, account);
}

static void due_set(struct core *c, uint32_t account, ts_t due)
{
    struct margin_call *call = &c->calls[account];
    call->due = due;
    if (call->place == 0) heap_put(c, ++c->s->calls_live, account);
    heap_move(c, call->place);
}

static void due_clear(struct core *c, uint32_t account)
{
    uint32_t at = c->calls[account].place, last = c->call_heap[c->s->calls_live];
    ASSERT(at != 0 && c->call_heap[at] == account);
    c->s->calls_live -= 1;
    c->calls[account].place = 0;
    c->calls[account].due = TS(0);
    if (last == account) return;
    heap_put(c, at, last);
    heap_move(c, at);
}

ts_t call_due(const struct core *c)
{
    return c->s->calls_live == 0 ? TS(INT64_MAX) : c->calls[c->call_heap[1]].due;
}

/* ---- where an account stands ---- */

struct standing call_standing(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    const struct balance *cash = &c->balances[a->cash];
    int128_t unsettled = 0, positions = margin_maintenance_account(c, account);
    for (uint32_t e = a->exposures; e != NIL; e = c->exposures[e].next) {
        unsettled += margin_unrealised(c, e).v;
    }
    struct standing s = {.requirement = a->requirement.v};
    s.equity = money_clamp(cash->amount - cash->pending_out + unsettled);
    s.credit = collateral_credit(c, account, a->requirement.v);
    s.maintenance = money_clamp(int128_div_floor(positions * c->s->clearing.maintenance_e6,
                                                 SHARE_ONE_E6));
    int128_t missing = (int128_t)s.requirement - s.equity - s.credit;
    s.missing = missing > 0 ? money_clamp(missing) : 0;
    return s;
}

static bool can_be_called(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    return a->system == 0 && a->mode == MODE_margined && a->status != ACCOUNT_defaulted;
}

/* ---- the life of a call ---- */

static const struct event_call *event_call_push(const struct core *c, struct outbox *out,
                                                uint32_t account)
{
    const struct margin_call *call = &c->calls[account];
    const struct account *a = &c->accounts[account];
    struct standing s = call_standing(c, account);
    struct event_call *e = outbox_push(out, EVENT_call, sizeof *e);
    e->id = call->id;
    e->account = account;
    e->member = a->member;
    e->origin = a->origin;
    e->state = call->state;
    e->called = call->called;
    e->missing = MONEY(s.missing);
    e->equity = MONEY(s.equity);
    e->credit = MONEY(s.credit);
    e->requirement = MONEY(s.requirement);
    e->maintenance = MONEY(s.maintenance);
    e->issued = call->issued;
    e->deadline = call->deadline;
    bool slices = call->state == CALL_unmet || call->state == CALL_liquidating;
    e->next = slices ? call->due : TS(0);
    e->slices = call->slices;
    e->slices_day = call->day == c->s->day ? call->slices_day : 0;
    return e;
}

void clearing_keep(struct core *c, const void *event)
{
    const struct event_header *h = event;
    union clearing_record *r = &c->records[++c->s->record_id % c->limits.settlements];
    ASSERT(h->size <= sizeof *r);
    memset(r, 0, sizeof *r);
    memcpy(r, h, h->size);
}

static void call_say(struct core *c, uint32_t account)
{
    clearing_keep(c, event_call_push(c, c->out, account));
}

static void call_start(struct core *c, uint32_t account, int64_t missing)
{
    struct margin_call *call = &c->calls[account];
    ASSERT(can_be_called(c, account)); /* never a collateralised account */
    call->id = ++c->s->call_id;
    call->issued = c->s->ts;
    call->deadline = TS(c->s->ts.v + c->s->clearing.call_ns);
    call->called = MONEY(missing);
    call->state = CALL_open;
    call->slices = 0;
    due_set(c, account, call->deadline);
    call_say(c, account);
}

static void call_finish(struct core *c, uint32_t account, enum call_state state)
{
    struct account *a = &c->accounts[account];
    due_clear(c, account);
    c->calls[account].state = state;
    if (a->status != ACCOUNT_defaulted) a->status = ACCOUNT_normal;
    call_say(c, account);
}

void call_drop(struct core *c, uint32_t account)
{
    struct margin_call *call = &c->calls[account];
    if (call_is_live(c, account)) call_finish(c, account, CALL_dropped);
    else if (call->state == CALL_closed) call->state = CALL_dropped;
}

/* Met, if margin is there again. */
static bool call_met(struct core *c, uint32_t account)
{
    span_current(c);
    if (call_standing(c, account).missing > 0) return false;
    call_finish(c, account, CALL_met);
    return true;
}

/* `again`: a liquidation that ended unrestored begins anew, with a new call. */
static void account_look(struct core *c, uint32_t account, bool again)
{
    struct margin_call *call = &c->calls[account];
    if (!can_be_called(c, account)) return;
    span_current(c);
    struct standing s = call_standing(c, account);
    if (call_is_live(c, account)) {
        if (s.missing == 0) {
            call_finish(c, account, CALL_met);
        } else if (again && call->state == CALL_ended) {
            c->accounts[account].status = ACCOUNT_reduce_only;
            call_start(c, account, s.missing);
        } else if (call->state == CALL_open && s.missing > call->called.v) {
            call->called = MONEY(s.missing); /* more is missing; the deadline stays */
            call_say(c, account);
        }
        return;
    }
    if (c->s->clearing.call_ns == 0) return;
    if (s.missing > 0 && (int128_t)s.equity + s.credit < s.maintenance) {
        call_start(c, account, s.missing);
    }
}

void call_run(struct core *c)
{
    if (c->s->clearing.call_ns == 0 && c->s->calls_live == 0) return;
    for (uint32_t a = 1; a <= c->s->accounts; a++) account_look(c, a, false);
}

void call_account(struct core *c, uint32_t account) { account_look(c, account, false); }

void call_look(struct core *c)
{
    const struct event_header *h = NULL;
    uint32_t before = NIL; /* events of one account often come together */
    size_t end = c->out->used; /* what is said here is not looked at */
    while ((h = outbox_next(c->out, h)) != NULL &&
           (size_t)((const unsigned char *)h - c->out->bytes) < end) {
        uint32_t account = NIL;
        const void *e = h;
        if (h->kind == EVENT_posting) account = ((const struct event_posting *)e)->account;
        if (h->kind == EVENT_order) account = ((const struct event_order *)e)->account;
        if (account == NIL || account == before || !call_is_live(c, account)) continue;
        if (c->calls[account].state == CALL_closing) continue; /* no margin ends it */
        before = account;
        (void)call_met(c, account);
    }
}

/* ---- when it is not met ---- */

/* Whether order o may stay when the account may only reduce: it closes part of a position, and what
 * works on that side is not more than the position. */
static bool order_reduces(const struct core *c, uint32_t o)
{
    const struct order *order = order_at(c, o);
    const struct exposure *x = &c->exposures[order->exposure];
    if (is_spread(c, order->instrument) || (order->flags & ORDER_BIT_HELD)) return false;
    if (order->side == SIDE_sell) return x->position > 0 && x->open_sells <= x->position;
    return x->position < 0 && x->open_buys <= -x->position;
}

/* Gathered first: closing one may close linked others. Latest first: the oldest stay. */
static void orders_cut(struct core *c, uint32_t account)
{
    uint32_t count = 0;
    (void)spot_cancel_account(c, account);
    for (uint32_t o = c->accounts[account].orders; o != NIL; o = c->info[o].account_next) {
        c->shares[count++] = (struct share){.order = o};
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t o = c->shares[i].order;
        if (!order_is_live(order_at(c, o)) || order_reduces(c, o)) continue;
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_margin);
    }
}

static void call_unmet(struct core *c, uint32_t account)
{
    c->calls[account].state = CALL_unmet;
    c->accounts[account].status = ACCOUNT_reduce_only;
    orders_cut(c, account);
    if (call_met(c, account)) return; /* without those orders less is required */
    due_set(c, account, TS(c->s->ts.v + c->s->clearing.slice_ns));
    call_say(c, account);
}

/* It may not go on: officers may declare a default. */
static void call_ended(struct core *c, uint32_t account)
{
    c->calls[account].state = CALL_ended;
    c->accounts[account].status = ACCOUNT_reduce_only;
    due_set(c, account, TS(INT64_MAX));
    call_say(c, account);
}

static void call_slice(struct core *c, uint32_t account)
{
    struct margin_call *call = &c->calls[account];
    if (call->day != c->s->day) call->slices_day = 0;
    call->day = c->s->day;
    if (call->slices_day >= c->s->clearing.slices_per_day) {
        call_ended(c, account);
        return;
    }
    call->slices_day += 1;
    call->slices += 1;
    bool open = liquidate_slice(c, account);
    if (call_met(c, account)) return;
    bool more = open && call->slices_day < c->s->clearing.slices_per_day;
    if (!more) {
        call_ended(c, account);
        return;
    }
    due_set(c, account, TS(c->s->ts.v + c->s->clearing.slice_ns));
    call_say(c, account);
}

/* ---- a close-out (closeout.h): the slices go on, whatever margin there is ---- */

void call_close_out(struct core *c, uint32_t account)
{
    struct margin_call *call = &c->calls[account];
    call->id = ++c->s->call_id;
    call->issued = c->s->ts;
    call->deadline = c->s->ts;
    call->called = MONEY(0);
    call->state = CALL_closing;
    call->slices = 0;
    due_set(c, account, c->s->ts);
    call_say(c, account);
}

static void close_slice(struct core *c, uint32_t account)
{
    struct margin_call *call = &c->calls[account];
    const struct clearing_settings *s = &c->s->clearing;
    int64_t pause = s->slice_ns != 0 ? s->slice_ns : CLOSE_OUT_SLICE_NS;
    if (call->day != c->s->day) call->slices_day = 0;
    call->day = c->s->day;
    bool spent = s->slices_per_day != 0 && call->slices_day >= s->slices_per_day;
    if (account_is_flat(c, account) && closeout_finish(c, account)) {
        call_finish(c, account, CALL_closed);
        return;
    }
    due_set(c, account, TS(c->s->ts.v + pause));
    if (!account_holds(c, account)) return; /* to be marked, or what it pledged to be sold */
    if (spent) {
        due_set(c, account, TS((c->s->day + 1) * NS_PER_DAY));
        return;
    }
    call->slices_day += 1;
    call->slices += 1;
    (void)liquidate_slice(c, account);
}

static void call_step(struct core *c, uint32_t account)
{
    struct margin_call *call = &c->calls[account];
    if (call->state == CALL_closing) {
        close_slice(c, account);
        return;
    }
    if (c->accounts[account].status == ACCOUNT_defaulted) {
        call_drop(c, account);
        return;
    }
    if (call_met(c, account)) return;
    switch ((enum call_state)call->state) {
    case CALL_open: call_unmet(c, account); return;
    case CALL_unmet:
        call->state = CALL_liquidating;
        c->accounts[account].status = ACCOUNT_liquidating;
        (void)order_cancel_account(c, account, CAUSE_cancelled_margin);
        if (!call_met(c, account)) call_slice(c, account);
        return;
    case CALL_liquidating: call_slice(c, account); return;
    default: ASSERT(false);
    }
}

void call_timer_run(struct core *c)
{
    for (int i = 0; i < CALLS_PER_STEP && call_due(c).v <= c->s->ts.v; i++) {
        call_step(c, c->call_heap[1]);
    }
}

enum reject call_admits(const struct core *c, const struct entry *e, int64_t working,
                        uint32_t linked)
{
    const struct account *a = &c->accounts[e->account];
    if (a->status == ACCOUNT_normal || (e->flags & ORDER_FLAG_LIQUIDATION)) return REJECT_none;
    if (a->status != ACCOUNT_reduce_only || linked != 0 || e->held != 0 ||
        is_spread(c, e->instrument)) {
        return REJECT_reduce_only_account;
    }
    const struct exposure *x = &c->exposures[exposure_find(c, e->account, e->instrument)];
    int64_t position = e->side == SIDE_sell ? x->position : -x->position;
    int64_t open = (e->side == SIDE_sell ? x->open_sells : x->open_buys) - working;
    return open + e->qty <= position ? REJECT_none : REJECT_reduce_only_account;
}

/* ---- by command ---- */

void call_margin(struct core *c, const struct command *cmd)
{
    uint32_t account = cmd->header.account;
    if (account > c->s->accounts) {
        reject_push(c, cmd, REJECT_unknown_account, INT64_MIN);
        return;
    }
    if (c->s->clearing.call_ns == 0) { /* no deadline is set: there is nothing to call by */
        reject_push(c, cmd, REJECT_invalid_state, INT64_MIN);
        return;
    }
    if (account != 0) account_look(c, account, true);
    else call_run(c);
}

void event_clearing_push(const struct core *c, struct outbox *out, const char *reason)
{
    struct event_clearing *e = outbox_push(out, EVENT_clearing, sizeof *e);
    e->settings = c->s->clearing;
    memset(e->reason, 0, sizeof e->reason);
    if (reason != NULL) memcpy(e->reason, reason, sizeof e->reason);
}

static bool settings_are_valid(const struct clearing_settings *s)
{
    bool calls = s->call_ns > 0;
    if (s->call_ns < 0 || s->call_ns > 30 * NS_PER_DAY) return false;
    if (s->slice_ns < 0 || s->slice_ns > NS_PER_DAY || (calls && s->slice_ns == 0)) return false;
    if (s->slice_share_e6 < 0 || s->slice_share_e6 > SHARE_ONE_E6) return false;
    if (s->slice_lots_max < 0 || s->slice_lots_max > QTY_MAX) return false;
    if (s->slices_per_day < 0 || s->slices_per_day > 100000 || (calls && s->slices_per_day == 0))
        return false;
    if (s->slice_width_e6 < 0 || s->slice_width_e6 > SHARE_ONE_E6) return false;
    if (s->slice_width_ticks < 0 || s->slice_width_ticks > INT32_MAX) return false;
    if (s->maintenance_e6 < 1 || s->maintenance_e6 > SHARE_ONE_E6) return false;
    return s->collateral_cap_e6 >= 0 && s->collateral_cap_e6 <= SHARE_ONE_E6;
}

/* A longer deadline, none at all, a lower trigger or more credit: two officers (GUARD-05). */
static bool settings_loosen(const struct clearing_settings *now,
                            const struct clearing_settings *s)
{
    if (s->collateral_cap_e6 > now->collateral_cap_e6) return true;
    if (now->call_ns == 0) return false; /* what is not there yet cannot be loosened */
    return s->call_ns > now->call_ns || s->slice_ns > now->slice_ns ||
           s->slices_per_day < now->slices_per_day || s->slice_share_e6 < now->slice_share_e6 ||
           s->maintenance_e6 < now->maintenance_e6;
}

/* Settings are numbers of 64 bits in a row: what is not given stays. */
static struct clearing_settings settings_merge(const struct clearing_settings *now,
                                               const struct command_clearing_set *s)
{
    int64_t result[CLEARING_SETTINGS], given[CLEARING_SETTINGS];
    struct clearing_settings merged;
    memcpy(result, now, sizeof result);
    memcpy(given, &s->settings, sizeof given);
    for (uint32_t i = 0; i < CLEARING_SETTINGS; i++) {
        if (s->flags & 1u << i) result[i] = given[i];
    }
    memcpy(&merged, result, sizeof merged);
    return merged;
}

void clearing_set(struct core *c, const struct command *cmd)
{
    const struct clearing_settings *now = &c->s->clearing;
    struct clearing_settings next = settings_merge(now, &cmd->clearing_set);
    enum reject reason = settings_are_valid(&next) ? REJECT_none : REJECT_malformed_request;
    bool loosens = settings_loosen(now, &next);
    if (reason == REJECT_none && now->call_ns != 0 && next.call_ns == 0) {
        reason = REJECT_guard_needed; /* GUARD-05: calls are not switched off */
    }
    if (reason == REJECT_none && loosens && cmd->clearing_set.reason[0] == 0) {
        reason = REJECT_reason_needed;
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (loosens && dual_wait(c, cmd)) return;
    c->s->clearing = next;
    event_clearing_push(c, c->out, cmd->clearing_set.reason);
    call_run(c);
}

void query_calls(const struct core *c, uint32_t account, struct outbox *out)
{
    for (uint32_t a = account == 0 ? 1 : account; a <= c->s->accounts; a++) {
        if (c->calls[a].id != 0) (void)event_call_push(c, out, a);
        if (account != 0) return;
    }
}

/* ---- invariants ---- */

static void check_account(const struct core *c, uint32_t account)
{
    const struct margin_call *call = &c->calls[account];
    const struct account *a = &c->accounts[account];
    bool live = call->place != 0;
    bool closing = call->state == CALL_closing || call->state == CALL_closed;
    if (call->id != 0) ASSERT(a->system == 0);
    if (call->id != 0 && !closing && call->state != CALL_dropped) ASSERT(a->mode == MODE_margined);
    if (a->mode == MODE_collateralised) ASSERT(a->status != ACCOUNT_liquidating);
    if (!live) {
        ASSERT(call->state == CALL_none || call->state == CALL_met ||
               call->state == CALL_dropped || call->state == CALL_closed);
        return;
    }
    ASSERT(c->call_heap[call->place] == account);
    ASSERT(call->place == 1 || !due_before(c, account, c->call_heap[call->place / 2]));
    if (a->status == ACCOUNT_defaulted) return; /* dropped when it falls due */
    if (call->state == CALL_unmet || call->state == CALL_ended)
        ASSERT(a->status == ACCOUNT_reduce_only);
    ASSERT((call->state == CALL_liquidating) == (a->status == ACCOUNT_liquidating));
    if (call->state == CALL_liquidating) ASSERT(a->order_count == 0);
}

void call_check(const struct core *c)
{
    uint32_t live = 0;
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        check_account(c, a);
        live += call_is_live(c, a) ? 1 : 0;
    }
    ASSERT(live == c->s->calls_live);
}
