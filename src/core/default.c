/* default.c: a member's default from its declaration to its closing (CLEAR-10).
 *
 * Declared: every order of the member's accounts is cancelled, trading and withdrawals stop. Its
 * house accounts' positions, at their cost, and cash go to the estate. Clients' accounts keep both,
 * to be ported; their collateral never pays for the house.
 *
 * The estate is hedged in the book, auctioned (portfolio.c), or torn up; its deficit is allocated
 * (default_layers.c). Closed, when it holds nothing and owes nothing: what is left goes back to
 * those who paid, last layer first, and then to the defaulter.
 *
 * Upstream: ledger, margin, offbook, order. Downstream: core.c.
 */
#include "core/default.h"

#include "core/call.h"
#include "core/closeout.h"
#include "core/delivery.h"
#include "core/dual.h"
#include "core/margin.h"
#include "core/novation.h"
#include "core/offbook.h"
#include "core/span.h"

#include <string.h>

bool member_is_in_default(const struct core *c, uint32_t member)
{
    return c->defaults[member].status != DEFAULT_STATUS_none;
}

static bool is_house(const struct core *c, uint32_t account, uint32_t member)
{
    const struct account *a = &c->accounts[account];
    return a->member == member && a->system == 0 && a->origin == ORIGIN_house;
}

static enum reject member_check(const struct core *c, uint32_t member)
{
    if (member == NIL || member > c->s->members) return REJECT_unknown_account;
    bool own = member == member_clearing(c);
    return own ? REJECT_unauthorised : REJECT_none;
}

/* A default that is open. */
static enum reject open_check(const struct core *c, uint32_t member)
{
    enum reject reason = member_check(c, member);
    if (reason != REJECT_none) return reason;
    bool open = c->defaults[member].status == DEFAULT_STATUS_open;
    return open ? REJECT_none : REJECT_not_in_default;
}

void event_default_push(const struct core *c, struct outbox *out, uint32_t member)
{
    const struct default_record *d = &c->defaults[member];
    int128_t paid = 0;
    for (uint32_t layer = LAYER_skin; layer < LAYER_count; layer++) {
        paid += default_claims_of(c, member, layer);
    }
    struct event_default *e = outbox_push(out, EVENT_default, sizeof *e);
    e->member = member;
    e->account = d->estate;
    e->status = d->status;
    e->layer = d->layer;
    e->number = d->number;
    e->waiting = d->status == DEFAULT_STATUS_open && c->fund->assessed_for == member &&
                 default_assessment_runs(c);
    e->margin = d->margin;
    e->deficit = MONEY(default_deficit(c, member));
    e->paid = MONEY(money_clamp(paid));
    e->recovered = d->recovered;
    e->declared = d->declared;
    memcpy(e->reason, d->reason, sizeof e->reason);
}

void query_fund(const struct core *c, struct outbox *out)
{
    event_fund_push(c, out);
    for (uint32_t m = 1; m <= c->s->members; m++) {
        const struct fund_member *f = &c->fund_members[m];
        if (f->account != NIL || f->due.v != 0) event_fund_share_push(c, out, m);
    }
    for (uint32_t m = 1; m <= c->s->members; m++) {
        if (!member_is_in_default(c, m)) continue;
        event_default_push(c, out, m);
        if (c->defaults[m].auction.id != 0) event_portfolio_push(c, out, m);
    }
}

/* ---- gains that may be cut ---- */

static int64_t realised_of(const struct core *c, uint32_t account)
{
    int128_t sum = 0;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        sum += c->exposures[e].realised.v;
    }
    return money_clamp(sum);
}

void default_marked(struct core *c)
{
    if (c->fund->open > 0) return;
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        const struct account *account = &c->accounts[a];
        bool house = account->system == 0 && account->origin == ORIGIN_house;
        if (house && ledger_cash(c, a) < 0 && !member_is_in_default(c, account->member)) return;
    }
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        c->gains[a] = (struct gain_window){.base = realised_of(c, a)};
    }
}

int64_t default_gain(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    bool gone = a->origin == ORIGIN_house && member_is_in_default(c, a->member);
    if (a->system != 0 || gone) return 0;
    int128_t gain = (int128_t)realised_of(c, account) - c->gains[account].base -
                    c->gains[account].cut;
    int128_t most = (int128_t)ledger_cash(c, account) + MONEY_MAX;
    if (gain > most) gain = most;
    return gain <= 0 ? 0 : money_clamp(gain);
}

/* ---- declaration ---- */

static bool exposures_have_room(const struct core *c, uint32_t member)
{
    uint32_t count = 0; /* at most one for each instrument */
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (!is_house(c, a, member)) continue;
        for (uint32_t e = c->accounts[a].exposures; e != NIL; e = c->exposures[e].next) {
            if (c->exposures[e].position != 0 || c->exposures[e].cost != 0) count += 1;
        }
    }
    if (count > c->s->instruments) count = c->s->instruments;
    return c->s->exposure_map_count + count <= c->exposure_map.capacity;
}

static enum reject declare_check(const struct core *c, const struct command_default_declare *d)
{
    enum reject reason = member_check(c, d->member);
    if (reason != REJECT_none) return reason;
    if (d->reason[0] == 0) return REJECT_reason_needed;
    if (member_is_in_default(c, d->member)) return REJECT_in_default;
    int128_t cash = 0, reach = 0;
    uint32_t houses = 0;
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (!is_house(c, a, d->member)) continue;
        int64_t own = ledger_cash(c, a);
        cash += own;
        reach += own < 0 ? -own : own;
        houses += 1;
    }
    if (!money_fits(cash) || !money_fits(reach)) return REJECT_amount_overflow;
    bool room = exposures_have_room(c, d->member) &&
                c->fund->claims + houses <= default_claims_max(&c->limits);
    return room ? REJECT_none : REJECT_capacity_exhausted;
}

/* One position to the estate, with its cost: no price is made and no money moves by it. */
static void position_take(struct core *c, uint32_t from, uint32_t estate, uint64_t number)
{
    struct exposure *x = &c->exposures[from];
    uint32_t instrument = x->instrument;
    uint32_t to = exposure_get(c, estate, instrument);
    ASSERT(to != NIL);
    struct exposure *y = &c->exposures[to];
    struct instrument *in = &c->instruments[instrument];
    uint32_t ccp = in->exposure_ccp;
    int64_t before = novation_longs(c, from, ccp) + novation_longs(c, to, ccp);
    int64_t lots = x->position;
    struct ledger_chain chain = ledger_chain_open(c, instrument, number);
    ledger_chain_position(&chain, from, -lots, POSTING_default_position);
    ledger_chain_position(&chain, to, lots, POSTING_default_position);
    ledger_chain_close(&chain);
    y->cost += x->cost;
    y->entry_cost += x->entry_cost;
    x->cost = 0;
    x->entry_cost = 0;
    if (y->position == 0) y->entry_cost = 0;
    in->open_interest.v += novation_longs(c, from, ccp) + novation_longs(c, to, ccp) - before;
    margin_update(c, from);
    margin_update(c, to);
}

static void estate_take(struct core *c, uint32_t member, uint32_t account)
{
    struct default_record *d = &c->defaults[member];
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        if (x->position == 0 && x->cost == 0) continue;
        d->lots += x->position < 0 ? -x->position : x->position;
        position_take(c, e, d->estate, d->number);
    }
    int64_t cash = ledger_cash(c, account);
    struct ledger_chain chain = ledger_chain_open(c, NIL, d->number);
    ledger_chain_cash(&chain, account, -cash, POSTING_default_margin);
    ledger_chain_cash(&chain, d->estate, cash, POSTING_default_margin);
    ledger_chain_close(&chain);
    d->margin.v += cash;
    if (cash > 0) default_claim_add(c, member, LAYER_margin, 0, account, cash);
}

/* The first default that is open begins a period: what members had paid in by then is the measure
 * of their assessments until the last one is closed. */
static void period_begin(struct core *c)
{
    if (c->fund->open > 0) return;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        struct fund_member *f = &c->fund_members[m];
        f->base = MONEY(int64_max(f->due.v, fund_balance(c, m)));
        f->assessed = MONEY(0);
    }
}

static void trading_stop(struct core *c, uint32_t member)
{
    c->members[member].killed = 1;
    event_killed_push(c, NIL, member, 1);
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (c->accounts[a].member != member || c->accounts[a].system != 0) continue;
        (void)order_cancel_account(c, a, CAUSE_cancelled_killed);
        c->accounts[a].status = ACCOUNT_defaulted;
        call_drop(c, a); /* what it was called for is this default's matter now */
    }
}

/* The defaulter owes no calls any more: what it has paid in is a layer of its own. */
static void calls_drop(struct core *c, uint32_t member)
{
    struct fund_member *f = &c->fund_members[member];
    f->call_deadline = TS(0);
    f->assessment = MONEY(0);
    f->assessment_deadline = TS(0);
    f->flags = 0;
}

void default_declare(struct core *c, const struct command *cmd)
{
    const struct command_default_declare *x = &cmd->default_declare;
    enum reject reason = declare_check(c, x);
    struct default_record *d = &c->defaults[x->member];
    if (reason == REJECT_none && d->estate == NIL) {
        d->estate = clearing_account(c, "default", x->member);
        if (d->estate == NIL) reason = REJECT_capacity_exhausted;
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    c->accounts[d->estate].system = SYSTEM_estate;
    period_begin(c);
    *d = (struct default_record){.estate = d->estate, .status = DEFAULT_STATUS_open,
                                 .number = ++c->fund->number, .declared = c->s->ts,
                                 .porting_until = TS(c->s->ts.v + c->fund->settings.porting_hours *
                                                                      NS_PER_HOUR)};
    d->contribution = MONEY(int64_max(c->fund_members[x->member].due.v,
                                      fund_balance(c, x->member)));
    memcpy(d->reason, x->reason, sizeof d->reason);
    c->fund->open += 1;
    calls_drop(c, x->member);
    trading_stop(c, x->member);
    span_current(c); /* requirements without the orders */
    int128_t requirement = 0;
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (!is_house(c, a, x->member)) continue;
        if (d->home == NIL) d->home = a;
        requirement += c->accounts[a].requirement.v; /* of positions: no order is left */
        estate_take(c, x->member, a);
    }
    d->requirement = MONEY(money_clamp(requirement));
    memset(tier_at(c, x->member, 0), TIER_senior, c->limits.members + 1);
    for (uint32_t m = 1; m <= c->s->members; m++) *bound_at(c, x->member, m) = fund_balance(c, m);
    default_due_set(c);
    delivery_default(c);
    event_default_push(c, c->out, x->member);
}

/* ---- hedging ---- */

/* A liquidator cannot loop: what the estate holds and works towards, together, never passes twice
 * what it took over. */
static bool hedge_is_bounded(const struct core *c, const struct default_record *d, int64_t qty)
{
    int128_t lots = qty;
    for (uint32_t e = c->accounts[d->estate].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        lots += x->position < 0 ? -(int128_t)x->position : x->position;
        lots += (int128_t)x->open_buys + x->open_sells;
    }
    return lots <= (int128_t)2 * d->lots;
}

void default_hedge(struct core *c, const struct command *cmd)
{
    const struct command_default_hedge *h = &cmd->default_hedge;
    enum reject reason = open_check(c, h->member);
    const struct default_record *d = &c->defaults[reason == REJECT_none ? h->member : 0];
    if (reason == REJECT_none && (h->instrument == NIL || h->instrument > c->s->instruments)) {
        reason = REJECT_unknown_instrument;
    }
    if (reason == REJECT_none && d->auction.status == PORTFOLIO_open) reason = REJECT_invalid_state;
    if (reason == REJECT_none && (h->qty.v < 1 || h->qty.v > QTY_MAX)) {
        reason = REJECT_invalid_amount;
    }
    if (reason == REJECT_none && !hedge_is_bounded(c, d, h->qty.v)) reason = REJECT_position_limit;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct command one = {.header = cmd->header};
    one.header.kind = COMMAND_order_new;
    one.header.size = (uint32_t)COMMAND_ORDER_NEW_BARE_SIZE;
    one.header.account = d->estate;
    one.order_new = (struct command_order_new){
        .instrument = h->instrument, .side = (uint8_t)h->side, .type = ORDER_TYPE_limit,
        .tif = (uint8_t)h->tif, .price = h->price, .qty = h->qty,
        .flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY | ORDER_FLAG_LIQUIDATION};
    size_t from = c->out->used;
    order_new(c, &one);
    struct event_header *e = (struct event_header *)(void *)(c->out->bytes + from);
    if (c->out->used > from && e->kind == EVENT_reject) {
        ((struct event_reject *)(void *)e)->command = COMMAND_default_hedge;
    }
}

/* ---- tear-up ---- */

enum reject default_estate_check(const struct core *c, uint32_t estate)
{
    for (uint32_t e = c->accounts[estate].exposures; e != NIL; e = c->exposures[e].next) {
        bool priced = !price_is_none(c->instruments[c->exposures[e].instrument].settlement);
        if (c->exposures[e].position != 0 && !priced) return REJECT_no_settlement_price;
    }
    return account_holds(c, estate) ? REJECT_none : REJECT_invalid_state;
}

/* A tear-up comes when the layers are used up, or when nobody wanted what an auction offered. */
static enum reject tear_up_check(const struct core *c, const struct default_record *d)
{
    if (d->auction.status == PORTFOLIO_open) return REJECT_invalid_state;
    if (d->layer < LAYER_tear_up && d->auctions == 0) return REJECT_layers_left;
    return default_estate_check(c, d->estate);
}

static void orders_cancel_in(struct core *c, uint32_t account, uint32_t e)
{
    uint32_t count = 0;
    for (uint32_t o = c->accounts[account].orders; o != NIL; o = c->info[o].account_next) {
        if (order_at(c, o)->exposure != e && c->info[o].exposure_b != e) continue;
        c->shares[count++] = (struct share){.order = o};
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t o = c->shares[i].order;
        if (!order_is_live(order_at(c, o))) continue;
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_by_officer);
    }
}

/* One contract at its settlement price, against all who hold the opposite, pro rata. */
static uint32_t contract_tear(struct core *c, const struct default_record *d, uint32_t e)
{
    const struct exposure *x = &c->exposures[e];
    const struct instrument *in = &c->instruments[x->instrument];
    int64_t left = x->position < 0 ? -x->position : x->position;
    int64_t sign = x->position < 0 ? -1 : 1;
    int128_t sum = 0;
    uint32_t torn = 0;
    for (uint32_t o = in->exposures; o != NIL; o = c->exposures[o].next_of_instrument) {
        if (c->exposures[o].position * sign < 0) sum -= c->exposures[o].position * sign;
    }
    for (uint32_t o = in->exposures; o != NIL; o = c->exposures[o].next_of_instrument) {
        int64_t own = -c->exposures[o].position * sign;
        if (own <= 0) continue;
        int64_t lots = pro_rata_floor(left, own, sum);
        sum -= own;
        left -= lots;
        if (lots == 0) continue;
        orders_cancel_in(c, c->exposures[o].account, o);
        offbook_move(c, d->estate, c->exposures[o].account, x->instrument, QTY(lots * sign),
                     in->settlement, TRADE_default, d->number);
        torn += 1;
    }
    ASSERT(left == 0);
    return torn;
}

static enum reject tear_up(struct core *c, uint32_t member)
{
    struct default_record *d = &c->defaults[member];
    enum reject reason = tear_up_check(c, d);
    if (reason != REJECT_none) return reason;
    uint32_t torn = 0;
    (void)order_cancel_account(c, d->estate, CAUSE_cancelled_by_officer);
    for (uint32_t e = c->accounts[d->estate].exposures; e != NIL; e = c->exposures[e].next) {
        if (c->exposures[e].position != 0) torn += contract_tear(c, d, e);
    }
    if (d->layer < LAYER_tear_up) d->layer = LAYER_tear_up;
    event_default_layer_push(c, member, LAYER_tear_up, 0, torn, 0);
    event_default_push(c, c->out, member);
    return REJECT_none;
}

/* ---- closing ---- */

static void leave_to_home(struct core *c, const struct default_record *d, uint32_t from)
{
    int64_t left = from == NIL ? 0 : ledger_cash(c, from);
    if (left <= 0 || d->home == NIL) return;
    if (!money_fits((int128_t)ledger_cash(c, d->home) + left)) return;
    struct ledger_chain chain = ledger_chain_open(c, NIL, d->number);
    ledger_chain_cash(&chain, from, -left, POSTING_default_estate);
    ledger_chain_cash(&chain, d->home, left, POSTING_default_estate);
    ledger_chain_close(&chain);
}

/* What of an assessment was not paid is not owed any more when its default is closed. */
static void assessment_end(struct core *c)
{
    for (uint32_t m = 1; m <= c->s->members; m++) {
        struct fund_member *f = &c->fund_members[m];
        f->assessed.v -= f->assessment.v;
        f->assessment = MONEY(0);
        f->assessment_deadline = TS(0);
        f->flags &= ~(uint32_t)FUND_SHARE_ASSESSMENT_MISSED;
    }
    c->fund->assessed_for = NIL;
}

static void period_end(struct core *c)
{
    if (c->fund->open > 0) return;
    assessment_end(c);
    for (uint32_t m = 1; m <= c->s->members; m++) {
        c->fund_members[m].base = MONEY(0);
        c->fund_members[m].assessed = MONEY(0);
    }
}

static enum reject close_default(struct core *c, uint32_t member)
{
    struct default_record *d = &c->defaults[member];
    if (d->auction.status == PORTFOLIO_open) return REJECT_invalid_state;
    if (!account_is_flat(c, d->estate)) return REJECT_invalid_state;
    if (closeout_is_needed(c, member)) return REJECT_invalid_state; /* what they owe it owes */
    if (delivery_is_open(c, NIL, member)) return REJECT_invalid_state; /* more may come of them */
    if (default_deficit(c, member) > 0) return REJECT_layers_left;
    (void)order_cancel_account(c, d->estate, CAUSE_cancelled_by_officer);
    default_refund(c, member);
    leave_to_home(c, d, d->estate);
    leave_to_home(c, d, c->fund_members[member].account);
    d->status = DEFAULT_STATUS_closed;
    c->fund->open -= 1;
    c->fund_members[member].due = MONEY(0);
    if (c->fund->assessed_for == member) assessment_end(c);
    period_end(c);
    fund_refill_all(c);
    default_due_set(c);
    event_default_push(c, c->out, member);
    event_fund_push(c, c->out);
    return REJECT_none;
}

static enum reject write_off(struct core *c, uint32_t member)
{
    enum reject reason = member_check(c, member);
    if (reason != REJECT_none) return reason;
    if (c->defaults[member].status == DEFAULT_STATUS_none) return REJECT_not_in_default;
    if (c->defaults[member].status != DEFAULT_STATUS_closed) return REJECT_invalid_state;
    default_claims_drop(c, member);
    event_default_push(c, c->out, member);
    return REJECT_none;
}

/* ---- readmission ---- */

/* What others paid has been paid back or written off, and the contribution is what it was. */
static enum reject readmit_check(const struct core *c, uint32_t member)
{
    const struct default_record *d = &c->defaults[member];
    enum reject reason = member_check(c, member);
    if (reason != REJECT_none) return reason;
    if (d->status == DEFAULT_STATUS_none) return REJECT_not_in_default;
    if (d->status != DEFAULT_STATUS_closed) return REJECT_invalid_state;
    for (uint32_t layer = LAYER_skin; layer < LAYER_count; layer++) {
        if (default_claims_of(c, member, layer) > 0) return REJECT_invalid_state;
    }
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        bool own = c->accounts[a].member == member && c->accounts[a].system == 0;
        if (own && ledger_cash(c, a) < 0) return REJECT_insufficient_funds;
    }
    return fund_balance(c, member) < d->contribution.v ? REJECT_insufficient_funds : REJECT_none;
}

static enum reject readmit(struct core *c, const struct command *cmd, uint32_t member)
{
    enum reject reason = readmit_check(c, member);
    if (reason != REJECT_none || dual_wait(c, cmd)) return reason;
    struct default_record *d = &c->defaults[member];
    default_claims_drop(c, member); /* only its own are left */
    d->status = DEFAULT_STATUS_none;
    d->porting_until = TS(0);
    c->fund_members[member].due = d->contribution; /* until the fund is sized again */
    c->members[member].killed = 0;
    event_killed_push(c, NIL, member, 0);
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        if (c->accounts[a].member != member || c->accounts[a].system != 0) continue;
        call_drop(c, a);
        c->accounts[a].status = ACCOUNT_normal;
    }
    default_due_set(c);
    event_fund_share_push(c, c->out, member);
    event_default_push(c, c->out, member);
    return REJECT_none;
}

void default_step(struct core *c, const struct command *cmd)
{
    const struct command_default_step *s = &cmd->default_step;
    bool closed = s->action == DEFAULT_write_off || s->action == DEFAULT_readmit;
    enum reject reason = closed ? REJECT_none : open_check(c, s->member);
    if (reason == REJECT_none) {
        switch ((enum default_action)s->action) {
        case DEFAULT_allocate: reason = default_allocate(c, s->member); break;
        case DEFAULT_tear_up: reason = tear_up(c, s->member); break;
        case DEFAULT_close: reason = close_default(c, s->member); break;
        case DEFAULT_write_off: reason = write_off(c, s->member); break;
        case DEFAULT_readmit: reason = readmit(c, cmd, s->member); break;
        case DEFAULT_action_count: break;
        }
    }
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}
