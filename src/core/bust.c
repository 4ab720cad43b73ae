/* bust.c: see bust.h. */
#include "core/bust.h"

#include "core/closeout.h"
#include "core/default.h"
#include "core/index_spot.h"
#include "core/ledger.h"
#include "core/limit.h"
#include "core/margin.h"
#include "core/novation.h"
#include "core/offbook.h"
#include "core/settlement.h"
#include "core/value.h"

#include <string.h>

enum { PRINTS_MAX = 24 }; /* of one implied trade: two generations have fewer */

/* The prints that stand or fall together. */
struct unit {
    uint64_t id[PRINTS_MAX]; /* ascending */
    uint32_t count;
    bool implied;            /* the clearing house stands between several orders */
};

void bust_cut(struct core *c, struct arena *a)
{
    c->marks = arena_cut(a, c->limits.instruments + 1, sizeof *c->marks);
}

void bust_note_mark(struct core *c, uint32_t instrument, price_t price)
{
    c->marks[instrument] = (struct mark){.seq = c->s->seq, .price = price};
}

/* ---- which prints belong together ---- */

static struct event_trade *trade_at(const struct core *c, uint64_t id)
{
    struct event_trade *t = &c->trades[id % c->limits.trades];
    return id != 0 && t->trade_id == id ? t : NULL;
}

static bool has_ccp(const struct core *c, const struct event_trade *t)
{
    return t->account[0] == c->s->account_ccp || t->account[1] == c->s->account_ccp;
}

/* What the clearing house has of each instrument, over the prints so far. */
struct tally {
    uint32_t instrument[PRINTS_MAX];
    int64_t lots[PRINTS_MAX];
    uint32_t count;
};

static void tally_add(struct tally *t, uint32_t instrument, int64_t lots)
{
    uint32_t i = 0;
    while (i < t->count && t->instrument[i] != instrument) i += 1;
    if (i == t->count) {
        t->instrument[i] = instrument;
        t->lots[i] = 0;
        t->count += 1;
    }
    t->lots[i] += lots;
}

static bool tally_is_flat(const struct tally *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->lots[i] != 0) return false;
    }
    return true;
}

/* The unit that begins with trade `first`; false: it is not whole any more, or too large. */
static bool unit_from(const struct core *c, uint64_t first, struct unit *u)
{
    struct tally tally = {.count = 0};
    const struct event_trade *t = trade_at(c, first);
    uint64_t seq = t->header.seq;
    uint32_t legs = 0; /* still to come, of a spread's print */
    *u = (struct unit){0};
    for (uint64_t id = first;; id++) {
        t = trade_at(c, id);
        if (t == NULL || t->header.seq != seq || u->count == PRINTS_MAX) return false;
        u->id[u->count++] = id;
        if (is_spread(c, t->instrument)) {
            legs = SPREAD_LEGS_MAX;
            continue;
        }
        if (legs > 0) legs -= 1;
        if (t->account[SIDE_buy] == c->s->account_ccp) tally_add(&tally, t->instrument, t->qty.v);
        if (t->account[SIDE_sell] == c->s->account_ccp)
            tally_add(&tally, t->instrument, -t->qty.v);
        u->implied = u->implied || has_ccp(c, t);
        if (legs == 0 && tally_is_flat(&tally)) return true;
    }
}

/* A command's prints are told apart from its first on: not when that may be forgotten. */
static bool unit_find(const struct core *c, uint64_t trade_id, struct unit *u)
{
    uint64_t seq = trade_at(c, trade_id)->header.seq, first = trade_id;
    const struct event_trade *before;
    while ((before = trade_at(c, first - 1)) != NULL && before->header.seq == seq) first -= 1;
    if (before == NULL && first > 1) return false;
    while (first <= trade_id) {
        if (!unit_from(c, first, u)) return false;
        if (u->id[u->count - 1] >= trade_id) return true;
        first = u->id[u->count - 1] + 1;
    }
    return false;
}

/* ---- by rule ---- */

static bool is_print(const struct event_trade *t)
{
    return t->kind == TRADE_continuous || t->kind == TRADE_auction;
}

/* The price before: the latest print of an earlier command that stands, else the settlement price
 * then in force. */
static price_t reference_of(const struct core *c, const struct event_trade *t)
{
    for (uint64_t id = t->trade_id - 1; id > 0; id--) {
        const struct event_trade *p = trade_at(c, id);
        if (p == NULL) break;
        if (p->instrument != t->instrument || p->header.seq == t->header.seq) continue;
        if (is_print(p) && p->busted == 0) return p->price;
    }
    return t->mark;
}

/* The edge of the range that the price lies beyond; PRICE_NONE: it lies within. */
static price_t edge_beyond(const struct core *c, const struct event_trade *t, price_t reference)
{
    int64_t range = product_of(c, t->instrument)->terms.offbook.no_bust_range.v;
    if (t->price.v > reference.v + range) return PRICE(reference.v + range);
    if (t->price.v < reference.v - range) return PRICE(reference.v - range);
    return PRICE_NONE;
}

static enum reject rule_check(const struct core *c, const struct command *cmd,
                              const struct event_trade *t, price_t *edge)
{
    const struct command_trade_bust *b = &cmd->trade_bust;
    int64_t window = product_of(c, t->instrument)->terms.offbook.bust_window_ns;
    /* What waits for the second officer was asked for when the first one did. */
    ts_t asked = c->confirming != NULL ? c->confirming->header.ts : c->s->ts;
    bool may = is_print(t) || t->kind == TRADE_block || t->kind == TRADE_efp;
    if (c->instruments[t->instrument].terms.expired != 0) return REJECT_instrument_expired;
    if (window == 0) return REJECT_not_offered;
    if (!may || t->busted != 0) return REJECT_invalid_state;
    if (asked.v - t->header.ts.v > window) return REJECT_bust_too_late;
    price_t reference = reference_of(c, t);
    if (price_is_none(reference)) return REJECT_no_settlement_price;
    *edge = edge_beyond(c, t, reference);
    if (price_is_none(*edge)) return REJECT_no_bust_range;
    if (b->adjust != 0 && b->has_price != 0 && b->price.v != edge->v) return REJECT_invalid_price;
    return b->reason[0] == 0 ? REJECT_reason_needed : REJECT_none;
}

/* ---- whether it can be undone ---- */

/* What `t`'s buyer was paid (negative: paid) of variation since. */
static bool paid_since(const struct core *c, const struct event_trade *t, int64_t *paid)
{
    const struct mark *m = &c->marks[t->instrument];
    *paid = 0;
    if (m->seq <= t->header.seq) return true;
    return value_half_even((int128_t)t->qty.v * (m->price.v - t->price.v),
                           c->instruments[t->instrument].terms.contract_size, paid);
}

/* Lots of this side of an instrument over the unit. */
static int64_t unit_lots(const struct core *c, const struct unit *u, uint32_t account,
                         uint32_t instrument, enum side side)
{
    int64_t lots = 0;
    for (uint32_t i = 0; i < u->count; i++) {
        const struct event_trade *t = trade_at(c, u->id[i]);
        if (t->instrument == instrument && t->account[side] == account) lots += t->qty.v;
    }
    return lots;
}

static bool money_has_room(const struct core *c, uint32_t account, int64_t paid)
{
    int64_t reach = MONEY_MAX / PRINTS_MAX / 2; /* whatever the order of the unit's postings */
    int64_t cash = ledger_cash(c, account);
    return paid <= reach && paid >= -reach && cash <= MONEY_MAX / 2 && cash >= -(MONEY_MAX / 2);
}

/* CLEAR-10: a default has settled what this side had of the trade. Its house's positions went to
 * the estate at their own price, and do not come back when the member is readmitted; a client that
 * was closed out, or whose member's default is closed, has nobody who would close a position
 * again. */
static bool is_settled(const struct core *c, const struct event_trade *t, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    const struct default_record *d = &c->defaults[a->member];
    if (a->system != 0) return false;
    if (a->origin == ORIGIN_house) return d->number != 0 && t->header.ts.v <= d->declared.v;
    return d->status == DEFAULT_STATUS_closed ||
           (d->status == DEFAULT_STATUS_open && closeout_is_over(c, account));
}

static enum reject side_check(struct core *c, const struct unit *u, const struct event_trade *t,
                              enum side side, int64_t paid)
{
    uint32_t account = t->account[side];
    if (account == c->s->account_ccp) return REJECT_none;
    if (is_settled(c, t, account)) return REJECT_in_default;
    if (!money_has_room(c, account, paid)) return REJECT_amount_overflow;
    uint32_t e = exposure_get(c, account, t->instrument); /* made anew, if it was given back */
    if (e == NIL) return REJECT_capacity_exhausted;
    int64_t missing, lots = unit_lots(c, u, account, t->instrument, side);
    enum reject reason = margin_admit(c, account, t->instrument, e, NIL, opposite(side), t->price,
                                      lots, &missing);
    /* A want of money does not keep a wrong trade alive; a short that the mode forbids does. */
    bool forbidden = reason == REJECT_insufficient_margin && missing == INT64_MIN;
    return forbidden ? reason : REJECT_none;
}

static enum reject unit_check(struct core *c, const struct unit *u)
{
    for (uint32_t i = 0; i < u->count; i++) {
        const struct event_trade *t = trade_at(c, u->id[i]);
        int64_t paid;
        if (is_spread(c, t->instrument)) continue;
        if (c->instruments[t->instrument].terms.expired != 0) return REJECT_instrument_expired;
        if (!paid_since(c, t, &paid)) return REJECT_amount_overflow;
        for (int side = SIDE_buy; side <= SIDE_sell; side++) {
            enum reject reason = side_check(c, u, t, (enum side)side, paid);
            if (reason != REJECT_none) return reason;
        }
    }
    return REJECT_none;
}

/* ---- undoing ---- */

/* The trade's part of an exposure's cost; of its entry cost, as much as the average allows. */
static void cost_undo(struct core *c, uint32_t e, int64_t lots, price_t price, price_t basis)
{
    struct exposure *x = &c->exposures[e]; /* position is still as it was */
    x->cost -= (int128_t)lots * basis.v;
    int64_t after = x->position - lots;
    bool same_way = x->position != 0 && (after > 0) == (x->position > 0);
    if (after != 0 && same_way) x->entry_cost -= (int128_t)lots * price.v;
    else x->entry_cost = (int128_t)after * price.v;
}

static void side_undo(struct core *c, struct ledger_chain *chain, const struct event_trade *t,
                      enum side side, int64_t paid)
{
    const struct mark *m = &c->marks[t->instrument];
    price_t basis = m->seq > t->header.seq ? m->price : t->price;
    uint32_t ccp = c->instruments[t->instrument].exposure_ccp;
    uint32_t account = t->account[side];
    uint32_t e = exposure_find(c, account, t->instrument);
    int64_t lots = side == SIDE_buy ? t->qty.v : -t->qty.v;
    int64_t back = side == SIDE_buy ? -paid : paid;
    if (e == ccp) {
        c->exposures[e].cost -= (int128_t)lots * basis.v;
        return;
    }
    cost_undo(c, e, lots, t->price, basis);
    ledger_chain_position(chain, e, -lots, POSTING_bust);
    ledger_chain_position(chain, ccp, lots, POSTING_bust);
    ledger_chain_cash(chain, account, back, POSTING_bust_variation);
    ledger_chain_cash(chain, c->s->account_ccp, -back, POSTING_bust_variation);
    c->exposures[e].realised.v += back;
    margin_update(c, e);
}

static void contract_undo(struct core *c, const struct event_trade *t)
{
    struct instrument *in = &c->instruments[t->instrument];
    uint32_t e[2];
    int64_t paid;
    bool ok = paid_since(c, t, &paid);
    ASSERT(ok);
    if (t->account[SIDE_buy] == t->account[SIDE_sell]) return; /* it changed nothing */
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        e[side] = exposure_find(c, t->account[side], t->instrument);
    }
    uint32_t ccp = in->exposure_ccp;
    int64_t before = novation_longs(c, e[0], ccp) + novation_longs(c, e[1], ccp);
    struct ledger_chain chain = ledger_chain_open(c, t->instrument, t->trade_id);
    side_undo(c, &chain, t, SIDE_buy, paid);
    side_undo(c, &chain, t, SIDE_sell, paid);
    ledger_chain_close(&chain);
    in->open_interest.v += novation_longs(c, e[0], ccp) + novation_longs(c, e[1], ccp) - before;
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        if (c->exposures[e[side]].reduce_only > 0) reduce_only_cut(c, e[side]);
    }
}

static void fees_undo(struct core *c, const struct event_trade *t)
{
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        uint32_t account = t->account[side];
        if (t->fee[side].v == 0 || c->accounts[account].system != 0) continue;
        int64_t posted = ledger_post_fee(c, account, -(int128_t)t->fee[side].v, POSTING_bust_fee,
                                         t->instrument, t->trade_id);
        money_t *paid = &c->accounts[account].fees_paid;
        (void)int64_add(paid->v, posted, &paid->v);
    }
}

/* What the instrument remembers of its day: without busted prints, as far as prints are kept. */
static void day_undo(struct core *c, const struct event_trade *t)
{
    struct instrument *in = &c->instruments[t->instrument];
    int64_t day = int64_div_floor(t->header.ts.v, NS_PER_DAY);
    price_t last = PRICE_NONE, last_today = PRICE_NONE, high = PRICE_NONE, low = PRICE_NONE;
    price_t open = PRICE_NONE;
    if (t->kind == TRADE_implied_leg) return;
    if (day == in->day) in->volume.v = int64_max(in->volume.v - t->qty.v, 0);
    if (!is_print(t)) return;
    settlement_untrade(c, t->instrument, t->header.ts, t->price, t->qty.v); /* CLEAR-03 */
    for (uint64_t id = c->s->trade_id; id > 0; id--) {
        const struct event_trade *p = trade_at(c, id);
        if (p == NULL) break;
        if (p->instrument != t->instrument || !is_print(p) || p->busted != 0) continue;
        if (price_is_none(last)) last = p->price;
        if (int64_div_floor(p->header.ts.v, NS_PER_DAY) != in->day) break;
        if (price_is_none(last_today)) last_today = p->price;
        if (price_is_none(high) || p->price.v > high.v) high = p->price;
        if (price_is_none(low) || p->price.v < low.v) low = p->price;
        open = p->price;
    }
    in->last = last;
    if (!price_is_none(in->session_last)) in->session_last = last_today;
    if (day != in->day) return;
    in->high = high;
    in->low = low;
    in->open = open;
}

static void event_bust_push(struct core *c, const struct event_trade *t,
                            const struct command_trade_bust *b, price_t price, uint64_t anew)
{
    struct event_trade_bust *e = outbox_push(c->out, EVENT_trade_bust, sizeof *e);
    e->trade_id = t->trade_id;
    e->instrument = t->instrument;
    e->adjusted = b->adjust;
    e->price = t->price;
    e->qty = t->qty;
    e->adjusted_price = price;
    e->adjusted_trade_id = anew;
    for (int side = SIDE_buy; side <= SIDE_sell; side++) {
        e->account[side] = t->account[side];
        e->order_id[side] = t->order_id[side];
    }
    memcpy(e->reason, b->reason, sizeof e->reason);
}

static void unit_undo(struct core *c, const struct unit *u, const struct command_trade_bust *b,
                      price_t price)
{
    uint64_t anew = b->adjust != 0 ? c->s->trade_id + 1 : 0;
    for (uint32_t i = 0; i < u->count; i++) {
        struct event_trade *t = trade_at(c, u->id[i]);
        event_bust_push(c, t, b, t->kind == TRADE_implied_leg ? PRICE_NONE : price,
                        anew == 0 ? 0 : anew + i);
        if (!is_spread(c, t->instrument)) contract_undo(c, t);
        if (b->adjust == 0) fees_undo(c, t);
        t->busted = b->adjust != 0 ? TRADE_BUSTED_ADJUSTED : TRADE_BUSTED;
    }
    for (uint32_t i = 0; i < u->count; i++) {
        day_undo(c, trade_at(c, u->id[i]));
        index_spot_bust(c, trade_at(c, u->id[i]), price);
    }
    int64_t left = ledger_cash(c, c->s->account_ccp); /* of an implied trade's halves, rounded */
    if (left == 0) return;
    struct ledger_chain chain = ledger_chain_open(c, NIL, u->id[0]);
    ledger_chain_cash(&chain, c->s->account_ccp, -left, POSTING_rounding);
    ledger_chain_cash(&chain, c->s->account_rounding, left, POSTING_rounding);
    ledger_chain_close(&chain);
}

static struct offbook trade_anew(const struct core *c, const struct unit *u, price_t price)
{
    const struct event_trade *t = trade_at(c, u->id[0]);
    bool spread = is_spread(c, t->instrument);
    return (struct offbook){.from = t->account[SIDE_sell], .to = t->account[SIDE_buy],
                            .instrument = t->instrument, .lots = t->qty, .price = price,
                            .kind = TRADE_adjusted, .reference = (uint32_t)t->trade_id,
                            .leg_b = spread ? trade_at(c, u->id[2])->price : PRICE_NONE};
}

/* An adjustment makes the trade anew: two customers, one contract or one spread. */
static enum reject anew_check(struct core *c, const struct unit *u, price_t price)
{
    if (u->implied) return REJECT_invalid_state; /* only busted, whole */
    struct offbook t = trade_anew(c, u, price);
    return t.from == t.to ? REJECT_none : offbook_check(c, &t, NULL);
}

void trade_bust(struct core *c, const struct command *cmd)
{
    const struct command_trade_bust *b = &cmd->trade_bust;
    const struct event_trade *t = trade_at(c, b->trade_id);
    price_t edge = PRICE_NONE;
    struct unit u;
    enum reject reason = t == NULL ? REJECT_unknown_trade : rule_check(c, cmd, t, &edge);
    if (reason == REJECT_none && !unit_find(c, b->trade_id, &u)) reason = REJECT_unknown_trade;
    if (reason == REJECT_none) {
        c->limit.waived = true;
        reason = unit_check(c, &u);
        c->limit.waived = false;
    }
    if (reason == REJECT_none && b->adjust != 0) reason = anew_check(c, &u, edge);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, price_is_none(edge) ? INT64_MIN : edge.v);
        return;
    }
    if (dual_wait(c, cmd)) return;
    struct offbook anew = trade_anew(c, &u, edge);
    unit_undo(c, &u, b, b->adjust != 0 ? edge : PRICE_NONE);
    if (b->adjust != 0 && anew.from != anew.to) (void)offbook_trade(c, &anew);
}
