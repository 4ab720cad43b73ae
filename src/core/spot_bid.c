/* spot_bid.c: sealed bids of the spot market (INDEX-01). See spot.h.
 *
 * A bid to a day-ahead auction counts like a working order at its price in the instrument of each
 * of its hours (CLEAR-08): a buyer can pay, a seller has margin or what covers a short. Bids to
 * delivery's own auctions are firm instead (spot_firm.c).
 *
 * Upstream: spot. Downstream: margin, call.
 */
#include "core/delivery.h"
#include "core/spot_internal.h"

#include "core/call.h"

enum { ACCOUNT_SHARE = 4 }; /* an account may have a fourth of the places for bids */

/* ---- the pools ---- */

int64_t spot_lots(const struct core *c, uint32_t bid, uint32_t hour)
{
    const struct spot_order *b = &c->spot.bids[bid];
    if (b->kind == SPOT_BID_block) return c->spot.profiles[b->profile].qty[hour];
    return b->hour == hour ? b->qty : 0;
}

static uint32_t bid_take(struct core *c)
{
    struct spot_market *s = c->spot.s;
    uint32_t b = s->bids_free;
    if (b != NIL) s->bids_free = c->spot.bids[b].next;
    else b = ++s->bids_used;
    ASSERT(b <= c->spot.bid_count);
    c->spot.bids[b] = (struct spot_order){.id = ++s->bid_id};
    return b;
}

static uint32_t profile_take(struct core *c)
{
    struct spot_market *s = c->spot.s;
    uint32_t p = s->profiles_free;
    if (p != NIL) s->profiles_free = (uint32_t)c->spot.profiles[p].qty[0];
    else p = ++s->profiles_used;
    ASSERT(p <= c->spot.profile_count);
    c->spot.profiles[p] = (struct spot_profile){0};
    return p;
}

static void bid_free(struct core *c, uint32_t b)
{
    struct spot_market *s = c->spot.s;
    uint32_t p = c->spot.bids[b].profile;
    ASSERT(c->spot.bids[b].margin.v == 0);
    if (p != NIL) {
        c->spot.profiles[p] = (struct spot_profile){.qty = {s->profiles_free}};
        s->profiles_free = p;
    }
    c->spot.bids[b] = (struct spot_order){.next = s->bids_free};
    s->bids_free = b;
}

static uint32_t list_length(const struct spot *m, uint32_t first, bool profiles)
{
    uint32_t count = 0;
    if (profiles) {
        for (uint32_t p = first; p != NIL; p = (uint32_t)m->profiles[p].qty[0]) count += 1;
    } else {
        for (uint32_t b = first; b != NIL; b = m->bids[b].next) count += 1;
    }
    return count;
}

void spot_forget(struct core *c, struct spot_auction *a)
{
    for (uint32_t b = a->first, next; b != NIL; b = next) {
        next = c->spot.bids[b].next;
        bid_free(c, b);
    }
    a->first = a->last = NIL;
}

static struct spot_auction *oldest_over(struct core *c)
{
    struct spot_auction *found = NULL;
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        struct spot_auction *a = &c->spot.auctions[i];
        bool over = spot_is_spent(a) && a->first != NIL;
        if (over && (found == NULL || a->id < found->id)) found = a;
    }
    return found;
}

void spot_retire(struct core *c, uint32_t product)
{
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        struct spot_auction *a = &c->spot.auctions[i];
        if (a->product == product && spot_is_spent(a)) spot_forget(c, a);
    }
}

bool spot_bid_room(struct core *c, uint32_t count, uint32_t profiles)
{
    const struct spot *m = &c->spot;
    for (;;) {
        uint32_t bids_left = m->bid_count - m->s->bids_used;
        uint32_t profiles_left = m->profile_count - m->s->profiles_used;
        bool bids_fit = count <= bids_left ||
                        count <= bids_left + list_length(m, m->s->bids_free, false);
        bool profiles_fit = profiles <= profiles_left ||
                            profiles <= profiles_left + list_length(m, m->s->profiles_free, true);
        if (bids_fit && profiles_fit) return true;
        struct spot_auction *a = oldest_over(c);
        if (a == NULL) return false;
        spot_forget(c, a);
    }
}

/* ---- events ---- */

void event_spot_bid_push(const struct core *c, struct outbox *out, uint32_t bid)
{
    const struct spot_order *b = &c->spot.bids[bid];
    struct event_spot_bid *e = outbox_push(out, EVENT_spot_bid, sizeof *e);
    e->id = b->id;
    e->auction = c->spot.auctions[b->auction].id;
    e->parent = b->parent == NIL ? 0 : c->spot.bids[b->parent].id;
    e->account = b->account;
    e->kind = b->kind;
    e->side = b->side;
    e->state = b->state;
    e->hour = b->hour;
    e->created = b->created;
    e->price = b->price;
    e->filled = QTY(b->filled);
    for (uint32_t h = 0; h < SPOT_HOURS_MAX; h++) e->qty[h] = QTY(spot_lots(c, bid, h));
}

/* ---- what stands counts as working ---- */

static void hour_work(struct core *c, uint32_t bid, uint32_t hour, int64_t sign)
{
    const struct spot_order *b = &c->spot.bids[bid];
    int64_t lots = spot_lots(c, bid, hour);
    if (lots == 0) return;
    uint32_t instrument = c->spot.auctions[b->auction].hour[hour].instrument;
    uint32_t e = exposure_find(c, b->account, instrument);
    ASSERT(e != NIL);
    margin_work(c, instrument, e, NIL, (enum side)b->side, b->price, sign * lots);
}

static void bid_unwork(struct core *c, uint32_t bid, uint32_t hours)
{
    if (c->spot.auctions[c->spot.bids[bid].auction].kind != SPOT_day_ahead) {
        firm_set(c, bid, MONEY(0));
        return;
    }
    for (uint32_t h = 0; h < hours; h++) hour_work(c, bid, h, -1);
}

/* As it stood: it was admitted so. */
static void bid_rework(struct core *c, uint32_t bid, money_t margin)
{
    const struct spot_auction *a = &c->spot.auctions[c->spot.bids[bid].auction];
    if (a->kind != SPOT_day_ahead) firm_set(c, bid, margin);
    for (uint32_t h = 0; h < a->hours && a->kind == SPOT_day_ahead; h++) hour_work(c, bid, h, 1);
}

/* All its hours, or none. */
static enum reject bid_work(struct core *c, uint32_t bid, int64_t *detail)
{
    const struct spot_order *b = &c->spot.bids[bid];
    const struct spot_auction *a = &c->spot.auctions[b->auction];
    if (a->kind != SPOT_day_ahead) return firm_admit(c, bid, detail);
    for (uint32_t h = 0; h < a->hours; h++) {
        int64_t lots = spot_lots(c, bid, h);
        if (lots == 0) continue;
        uint32_t instrument = a->hour[h].instrument;
        uint32_t e = exposure_get(c, b->account, instrument);
        struct entry entry = {.account = b->account, .instrument = instrument, .qty = lots,
                              .side = b->side};
        enum reject reason = e == NIL ? REJECT_capacity_exhausted : call_admits(c, &entry, 0, 0);
        if (reason == REJECT_none)
            reason = margin_admit(c, b->account, instrument, e, NIL, (enum side)b->side, b->price,
                                  lots, detail);
        if (reason != REJECT_none) {
            bid_unwork(c, bid, h);
            return reason;
        }
        hour_work(c, bid, h, 1);
    }
    return REJECT_none;
}

void spot_unwork(struct core *c, struct spot_auction *a)
{
    for (uint32_t b = a->first; b != NIL; b = c->spot.bids[b].next) {
        if (c->spot.bids[b].state == SPOT_BID_standing) bid_unwork(c, b, a->hours);
    }
}

static uint32_t hour_of(const struct spot_auction *a, uint32_t instrument)
{
    uint32_t hour = 0;
    while (a->hour[hour].instrument != instrument) hour += 1;
    return hour;
}

void spot_working(const struct core *c, uint32_t account, uint32_t instrument, int64_t *buys,
                  int64_t *sells)
{
    uint32_t place = c->instruments[instrument].spot;
    if (place == 0) return;
    const struct spot_auction *a = &c->spot.auctions[place - 1];
    uint32_t hour = hour_of(a, instrument);
    for (uint32_t b = a->first; b != NIL; b = c->spot.bids[b].next) {
        const struct spot_order *o = &c->spot.bids[b];
        if (o->account != account || o->state != SPOT_BID_standing) continue;
        if (o->side == SIDE_buy) *buys += spot_lots(c, b, hour);
        else *sells += spot_lots(c, b, hour);
    }
}

/* ---- entering ---- */

/* The account's standing bid of this id; NIL: none. The latest are at the end. */
static uint32_t bid_find(const struct core *c, const struct spot_auction *a, uint32_t account,
                         uint64_t id)
{
    for (uint32_t b = a->last; b != NIL && c->spot.bids[b].id >= id; b = c->spot.bids[b].prev) {
        const struct spot_order *o = &c->spot.bids[b];
        if (o->id == id && o->account == account && o->state == SPOT_BID_standing) return b;
    }
    return NIL;
}

static bool has_child(const struct core *c, uint32_t bid)
{
    for (uint32_t b = c->spot.bids[bid].next; b != NIL; b = c->spot.bids[b].next) {
        if (c->spot.bids[b].parent == bid && c->spot.bids[b].state == SPOT_BID_standing)
            return true;
    }
    return false;
}

static bool hours_are_valid(const struct command_spot_bid *s, uint32_t hours)
{
    uint32_t seen = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->steps[i].hour >= hours) return false;
        uint32_t bit = 1u << s->steps[i].hour;
        if (s->kind == SPOT_BID_block && (seen & bit) != 0) return false;
        seen |= bit;
    }
    return s->parent == 0 || s->kind == SPOT_BID_block;
}

static enum reject steps_check(const struct core *c, const struct spot_auction *a,
                               const struct command_spot_bid *s, int64_t *detail)
{
    bool market = a->kind == SPOT_day_ahead;
    int64_t tick = market ? c->products[a->product].terms.tick.v : 1;
    int64_t most = market ? c->products[a->product].terms.qty_max.v : 0;
    if (most == 0) most = QTY_MAX;
    for (uint32_t i = 0; i < s->count; i++) {
        *detail = most;
        bool whole = (s->steps[i].inexact & 1) == 0;
        if (!whole || !within(s->steps[i].qty.v, 1, most)) return REJECT_invalid_amount;
    }
    *detail = INT64_MIN;
    for (uint32_t i = 0; i < s->count; i++) {
        if (!within(s->steps[i].price.v, a->price_min.v, a->price_max.v))
            return REJECT_invalid_price;
        if ((s->steps[i].inexact & 2) != 0 || s->steps[i].price.v % tick != 0)
            return REJECT_off_tick;
    }
    return REJECT_none;
}

static enum reject link_check(const struct core *c, const struct spot_auction *a,
                              uint32_t account, const struct command_spot_bid *s)
{
    if (s->parent == 0) return REJECT_none;
    uint32_t parent = bid_find(c, a, account, s->parent);
    if (parent == NIL || c->spot.bids[parent].kind != SPOT_BID_block) return REJECT_invalid_link;
    if (s->parent == s->replaces) return REJECT_invalid_link;
    uint32_t depth = 1;
    for (uint32_t b = parent; b != NIL; b = c->spot.bids[b].parent) depth += 1;
    return depth <= SPOT_DEPTH_MAX ? REJECT_none : REJECT_invalid_link;
}

/* DELIV-05: who bids stands ready for each of the hours. */
static enum reject ready_check(const struct core *c, const struct spot_auction *a,
                               uint32_t account, const struct command_spot_bid *s)
{
    enum reject reason = REJECT_none;
    for (uint32_t i = 0; i < s->count && reason == REJECT_none; i++)
        reason = delivery_may_bid(c, a, account, a->first_hour + s->steps[i].hour);
    return reason;
}

static enum reject bid_check(const struct core *c, const struct command *cmd, int64_t *detail)
{
    const struct command_spot_bid *s = &cmd->spot_bid;
    uint32_t account = cmd->header.account;
    if (!account_is_customer(c, account)) return REJECT_unknown_account;
    const struct spot_auction *a = spot_find(c, s->auction);
    if (a == NULL) return REJECT_unknown_spot_auction;
    enum side only = a->kind == SPOT_balancing ? SIDE_sell : SIDE_buy;
    bool offers = a->kind == SPOT_day_ahead || (s->kind == SPOT_BID_step && s->side == only);
    if (!hours_are_valid(s, a->hours) || !offers) return REJECT_malformed_request;
    uint32_t replaced = s->replaces == 0 ? NIL : bid_find(c, a, account, s->replaces);
    if (s->replaces != 0 && replaced == NIL) return REJECT_unknown_spot_bid;
    if (a->state != SPOT_STATE_open || a->closes.v <= c->s->ts.v) return REJECT_spot_closed;
    enum reject reason = steps_check(c, a, s, detail);
    if (reason == REJECT_none && a->kind != SPOT_day_ahead)
        reason = ready_check(c, a, account, s);
    if (reason == REJECT_none) reason = link_check(c, a, account, s);
    if (reason == REJECT_none && replaced != NIL && has_child(c, replaced))
        reason = REJECT_invalid_link;
    /* In a day-ahead auction an account that may only reduce may do that (bid_work). */
    uint32_t status = c->accounts[account].status;
    bool barred = a->kind == SPOT_day_ahead ? status == ACCOUNT_defaulted
                                            : status != ACCOUNT_normal;
    if (reason == REJECT_none && barred) reason = REJECT_reduce_only_account;
    return reason;
}

static bool within_share(const struct core *c, const struct spot_auction *a, uint32_t account,
                         uint32_t count)
{
    uint32_t mine = 0;
    for (uint32_t b = a->first; b != NIL; b = c->spot.bids[b].next) {
        if (c->spot.bids[b].account == account) mine += 1;
    }
    return mine + count <= c->spot.bid_count / ACCOUNT_SHARE + SPOT_STEPS_MAX;
}

static uint32_t bid_append(struct core *c, struct spot_auction *a, const struct command *cmd)
{
    uint32_t b = bid_take(c);
    struct spot_order *o = &c->spot.bids[b];
    o->auction = spot_index(c, a);
    o->account = cmd->header.account;
    o->side = cmd->spot_bid.side;
    o->kind = cmd->spot_bid.kind;
    o->state = SPOT_BID_standing;
    o->created = c->s->ts;
    o->prev = a->last;
    if (a->last == NIL) a->first = b;
    else c->spot.bids[a->last].next = b;
    a->last = b;
    return b;
}

/* Takes back what was appended from here on, as if it had never come. */
static void bids_drop(struct core *c, struct spot_auction *a, uint32_t from, uint64_t last_id)
{
    a->last = c->spot.bids[from].prev;
    if (a->last == NIL) a->first = NIL;
    else c->spot.bids[a->last].next = NIL;
    for (uint32_t b = from, next; b != NIL; b = next) {
        next = c->spot.bids[b].next;
        bid_free(c, b);
    }
    c->spot.s->bid_id = last_id;
}

static void bids_append(struct core *c, struct spot_auction *a, const struct command *cmd)
{
    const struct command_spot_bid *s = &cmd->spot_bid;
    if (s->kind == SPOT_BID_block) {
        uint32_t parent = s->parent == 0 ? NIL : bid_find(c, a, cmd->header.account, s->parent);
        uint32_t b = bid_append(c, a, cmd);
        c->spot.bids[b].price = s->steps[0].price;
        c->spot.bids[b].parent = parent;
        c->spot.bids[b].profile = profile_take(c);
        for (uint32_t i = 0; i < s->count; i++)
            c->spot.profiles[c->spot.bids[b].profile].qty[s->steps[i].hour] = s->steps[i].qty.v;
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t b = bid_append(c, a, cmd);
        c->spot.bids[b].price = s->steps[i].price;
        c->spot.bids[b].hour = (uint8_t)s->steps[i].hour;
        c->spot.bids[b].qty = s->steps[i].qty.v;
    }
}

/* Margin for all of them, or for none. */
static enum reject bids_work(struct core *c, const struct spot_auction *a, uint32_t from,
                             int64_t *detail)
{
    for (uint32_t b = from; b != NIL; b = c->spot.bids[b].next) {
        enum reject reason = bid_work(c, b, detail);
        if (reason == REJECT_none) continue;
        for (uint32_t done = from; done != b; done = c->spot.bids[done].next)
            bid_unwork(c, done, a->hours);
        return reason;
    }
    return REJECT_none;
}

static void bid_over(struct core *c, struct spot_auction *a, uint32_t b,
                     enum spot_bid_state state)
{
    struct spot_order *o = &c->spot.bids[b];
    if (o->kind == SPOT_BID_block) a->blocks -= 1;
    else a->steps -= 1;
    o->state = (uint8_t)state;
    event_spot_bid_push(c, c->out, b);
}

/* A place of the list is given back at once, unless something names it. */
static void bid_remove(struct core *c, struct spot_auction *a, uint32_t b)
{
    struct spot_order *o = &c->spot.bids[b];
    bid_over(c, a, b, SPOT_BID_cancelled);
    if (o->prev == NIL) a->first = o->next;
    else c->spot.bids[o->prev].next = o->next;
    if (o->next == NIL) a->last = o->prev;
    else c->spot.bids[o->next].prev = o->prev;
    bid_free(c, b);
}

static void bids_say(struct core *c, struct spot_auction *a, uint32_t from)
{
    for (uint32_t b = from; b != NIL; b = c->spot.bids[b].next) {
        if (c->spot.bids[b].kind == SPOT_BID_block) a->blocks += 1;
        else a->steps += 1;
        event_spot_bid_push(c, c->out, b);
    }
    a->version += 1;
}

/* Whether there is room for the command's bids. */
static bool room(struct core *c, const struct command *cmd)
{
    const struct command_spot_bid *s = &cmd->spot_bid;
    const struct spot_auction *a = spot_find(c, s->auction);
    bool block = s->kind == SPOT_BID_block;
    uint32_t count = block ? 1 : s->count;
    return within_share(c, a, cmd->header.account, count) &&
           (!block || a->blocks < SPOT_BLOCKS_MAX) && spot_bid_room(c, count, block ? 1 : 0);
}

void spot_bid(struct core *c, const struct command *cmd)
{
    int64_t detail = INT64_MIN;
    enum reject reason = bid_check(c, cmd, &detail);
    if (reason == REJECT_none && !room(c, cmd)) reason = REJECT_capacity_exhausted;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, detail);
        return;
    }
    struct spot_auction *a = spot_find(c, cmd->spot_bid.auction);
    uint64_t last_id = c->spot.s->bid_id;
    uint32_t last = a->last, replaced = NIL;
    money_t margin = MONEY(0);
    if (cmd->spot_bid.replaces != 0) {
        replaced = bid_find(c, a, cmd->header.account, cmd->spot_bid.replaces);
        margin = c->spot.bids[replaced].margin;
        bid_unwork(c, replaced, a->hours);
    }
    bids_append(c, a, cmd);
    uint32_t from = last == NIL ? a->first : c->spot.bids[last].next;
    reason = bids_work(c, a, from, &detail);
    if (reason == REJECT_none && account_is_killed(c, cmd->header.account)) {
        for (uint32_t b = from; b != NIL; b = c->spot.bids[b].next) bid_unwork(c, b, a->hours);
        reason = REJECT_killed;
    }
    if (reason != REJECT_none) {
        bids_drop(c, a, from, last_id);
        if (replaced != NIL) bid_rework(c, replaced, margin);
        reject_push(c, cmd, reason, detail);
        return;
    }
    if (replaced != NIL) bid_remove(c, a, replaced);
    bids_say(c, a, from);
}

/* ---- going ---- */

/* With it go the blocks that it is a parent of: they could never be accepted. */
static uint32_t bid_cancel(struct core *c, struct spot_auction *a, uint32_t bid)
{
    uint32_t count = 1;
    for (uint32_t b = c->spot.bids[bid].next, next; b != NIL; b = next) {
        next = c->spot.bids[b].next;
        if (c->spot.bids[b].parent != bid) continue;
        while (has_child(c, b)) {
            uint32_t child = c->spot.bids[b].next;
            while (c->spot.bids[child].parent != b) child = c->spot.bids[child].next;
            bid_unwork(c, child, a->hours);
            bid_remove(c, a, child);
            count += 1;
        }
        next = c->spot.bids[b].next;
        bid_unwork(c, b, a->hours);
        bid_remove(c, a, b);
        count += 1;
    }
    bid_unwork(c, bid, a->hours);
    bid_remove(c, a, bid);
    return count;
}

static uint32_t cancel_all(struct core *c, struct spot_auction *a, uint32_t account)
{
    uint32_t count = 0;
    for (uint32_t b = a->last, before; b != NIL; b = before) { /* children before parents */
        before = c->spot.bids[b].prev;
        if (c->spot.bids[b].account != account) continue;
        bid_unwork(c, b, a->hours);
        bid_remove(c, a, b);
        count += 1;
    }
    if (count > 0) a->version += 1;
    return count;
}

/* From bid b on towards earlier ones. */
static uint32_t bid_before(const struct core *c, uint32_t b, uint32_t account, uint32_t hour,
                           enum side side)
{
    for (; b != NIL; b = c->spot.bids[b].prev) {
        const struct spot_order *o = &c->spot.bids[b];
        if (o->account == account && o->side == side && spot_lots(c, b, hour) > 0) return b;
    }
    return NIL;
}

uint32_t spot_bid_latest(const struct core *c, uint32_t account, uint32_t instrument,
                         enum side side)
{
    uint32_t place = c->instruments[instrument].spot;
    if (place == 0) return NIL;
    const struct spot_auction *a = &c->spot.auctions[place - 1];
    return bid_before(c, a->last, account, hour_of(a, instrument), side);
}

ts_t spot_bid_created(const struct core *c, uint32_t bid) { return c->spot.bids[bid].created; }

uint32_t spot_bid_cut(struct core *c, uint32_t *bid, uint32_t instrument)
{
    struct spot_order o = c->spot.bids[*bid]; /* what names it stands behind it, not before */
    struct spot_auction *a = &c->spot.auctions[o.auction];
    uint32_t count = bid_cancel(c, a, *bid);
    a->version += 1;
    *bid = bid_before(c, o.prev, o.account, hour_of(a, instrument), (enum side)o.side);
    return count;
}

uint32_t spot_cancel_account(struct core *c, uint32_t account)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->spot.auction_count; i++) {
        if (spot_is_live(&c->spot.auctions[i]))
            count += cancel_all(c, &c->spot.auctions[i], account);
    }
    return count;
}

void spot_cancel(struct core *c, const struct command *cmd)
{
    const struct command_spot_cancel *s = &cmd->spot_cancel;
    uint32_t account = cmd->header.account;
    struct spot_auction *a = spot_find(c, s->auction);
    enum reject reason = REJECT_none;
    uint32_t bid = NIL;
    if (!account_exists(c, account)) reason = REJECT_unknown_account;
    else if (a == NULL) reason = REJECT_unknown_spot_auction;
    else if (s->bid != 0 && (bid = bid_find(c, a, account, s->bid)) == NIL)
        reason = REJECT_unknown_spot_bid;
    else if (a->state != SPOT_STATE_open || a->closes.v <= c->s->ts.v)
        reason = REJECT_spot_closed;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t count = 0;
    if (bid == NIL) {
        count = cancel_all(c, a, account);
    } else {
        count = bid_cancel(c, a, bid);
        a->version += 1;
    }
    struct event_count *e = outbox_push(c->out, EVENT_count, sizeof *e);
    e->count = count;
}
