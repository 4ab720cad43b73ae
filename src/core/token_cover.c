/* token_cover.c: tokens pledged for lots sold short by accounts in collateralised mode (CLEAR-08).
 * See token.h.
 *
 * Upstream: core.c, collateral.c. Downstream: ledger, margin.
 */
#include "core/token.h"

#include "core/calendar.h"
#include "core/cascade.h"
#include "core/closeout.h"
#include "core/collateral.h"
#include "core/ledger.h"
#include "core/margin.h"

/* ---- the hours of a block, and the work in them ---- */

int64_t block_hour_next(const struct core *c, uint32_t instrument, int64_t hour)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    const struct command_product_create *p = &product_of(c, instrument)->terms;
    int64_t end = t->end.v / NS_PER_HOUR;
    hour = int64_max(hour, t->start.v / NS_PER_HOUR);
    for (; hour < end && t->block != BLOCK_base; hour++) {
        bool peak = calendar_hour_is_peak(hour, p->peak_start_hour, p->peak_end_hour);
        if (peak == (t->block == BLOCK_peak)) return hour;
    }
    return int64_min(hour, end);
}

static int64_t block_end(const struct core *c, uint32_t instrument)
{
    return c->instruments[instrument].terms.end.v / NS_PER_HOUR;
}

bool block_has_hour(const struct core *c, uint32_t instrument, int64_t hour)
{
    return hour < block_end(c, instrument) && block_hour_next(c, instrument, hour) == hour;
}

int128_t token_product_work(const struct command_product_create *p)
{
    enum { NANO_IN_SIZE = 1000 }; /* contract_size counts 10^-6 CT an hour, work 10^-9 */
    return p->contract_unit == UNIT_hour ? (int128_t)p->contract_size * NANO_IN_SIZE : 0;
}

int128_t token_lot_work(const struct core *c, uint32_t instrument)
{
    return token_product_work(&product_of(c, instrument)->terms);
}

bool token_product_class(const struct core *c, uint32_t product, struct token_class *class)
{
    *class = c->products[product].terms.delivery.class;
    return class->vintage != 0 && class->region[0] != 0;
}

/* ---- what is pledged ---- */

static uint32_t cover_find(const struct core *c, uint32_t account, uint32_t instrument)
{
    uint32_t k = c->token.account_covers[account];
    while (k != NIL && c->token.covers[k].instrument != instrument) k = c->token.covers[k].next;
    return k;
}

/* While a block's first hour has not ended, what is pledged for it, or for a longer contract that
 * became it (CONTRACT-01), covers it. */
int64_t token_cover_lots(const struct core *c, uint32_t account, uint32_t instrument)
{
    int64_t lots = 0;
    struct token_class class;
    uint32_t k = c->token.account_covers[account];
    if (k == NIL || !token_product_class(c, c->instruments[instrument].product, &class)) return 0;
    int64_t first = block_hour_next(c, instrument, 0);
    if (!token_hour_is_valid(first)) return 0;
    uint32_t slot = token_slot_find(c, token_asset(token_class_find(c, &class), first));
    if (slot == NIL || c->token.slots[slot].over != 0) return 0;
    for (; k != NIL; k = c->token.covers[k].next) {
        const struct token_cover *x = &c->token.covers[k];
        if (x->instrument == instrument || cascade_came_from(c, instrument, x->instrument))
            lots += int64_min(x->lots, QTY_MAX);
    }
    return int64_min(lots, margin_lots_max(c));
}

static void cover_drop(struct core *c, uint32_t k)
{
    struct tokens *m = &c->token;
    struct token_cover *x = &m->covers[k];
    uint32_t *link = &m->account_covers[x->account];
    while (*link != k) link = &m->covers[*link].next;
    *link = x->next;
    *x = (struct token_cover){.next = m->s->cover_free};
    m->s->cover_free = k;
    m->s->covers_live -= 1;
}

static void cover_add(struct core *c, uint32_t account, uint32_t instrument, int64_t lots)
{
    struct tokens *m = &c->token;
    uint32_t k = cover_find(c, account, instrument);
    if (k == NIL) {
        k = m->s->cover_free;
        if (k != NIL) m->s->cover_free = m->covers[k].next;
        else k = ++m->s->covers;
        ASSERT(k <= m->cover_max);
        m->covers[k] = (struct token_cover){.account = account, .instrument = instrument,
                                            .next = m->account_covers[account]};
        m->account_covers[account] = k;
        m->s->covers_live += 1;
    }
    m->covers[k].lots += lots;
    if (m->covers[k].lots == 0) cover_drop(c, k);
}

static uint32_t class_of(const struct core *c, uint32_t instrument)
{
    struct token_class class;
    bool some = token_product_class(c, c->instruments[instrument].product, &class);
    return some ? token_class_find(c, &class) : NIL;
}

/* Tokens of one hour go to where collateral is held (lots > 0), or come back. */
static void pledge_hour(struct core *c, uint32_t account, uint32_t instrument, uint32_t asset,
                        int64_t lots)
{
    uint32_t held = c->s->account_collateral;
    int64_t change = (int64_t)(lots * token_lot_work(c, instrument)), amount = int64_abs(change);
    if (lots > 0) token_post(c, account, held, asset, amount, POSTING_pledge);
    else token_post(c, held, account, asset, amount, POSTING_release);
    c->balances[balance_find(c, account, asset)].pledged += change;
    c->token.slots[token_slot_find(c, asset)].pledged += change;
    event_token_push(c, c->out, &(struct token_move){
        .asset = asset, .cause = lots > 0 ? TOKEN_pledged : TOKEN_released, .account = account,
        .amount = amount});
}

/* All hours of the block that are not over. */
static void pledge_hours(struct core *c, uint32_t account, uint32_t instrument, int64_t lots)
{
    uint32_t class = class_of(c, instrument);
    int64_t end = block_end(c, instrument);
    for (int64_t h = block_hour_next(c, instrument, 0); h < end;
         h = block_hour_next(c, instrument, h + 1)) {
        uint32_t asset = token_asset(class, h), slot = token_slot_find(c, asset);
        if (slot == NIL || c->token.slots[slot].over != 0) continue;
        pledge_hour(c, account, instrument, asset, lots);
    }
    cover_add(c, account, instrument, lots);
}

/* Sells that nothing covers any more are cancelled: they could become uncovered shorts. */
static void cover_lost(struct core *c, uint32_t account)
{
    collateral_update(c, account);
    for (uint32_t o = c->accounts[account].orders; o != NIL;) {
        const struct exposure *x = &c->exposures[order_at(c, o)->exposure];
        bool bare = order_at(c, o)->side == SIDE_sell && x->position + x->cover < x->open_sells;
        if (bare) order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_margin);
        o = bare ? c->accounts[account].orders : c->info[o].account_next;
    }
}

int64_t token_cover_idle(const struct core *c, uint32_t account, uint32_t asset)
{
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        if (x->cover > 0 && x->position < x->open_sells) return 0; /* it may need some */
    }
    return c->balances[balance_find(c, account, asset)].pledged;
}

bool token_cover_yield(struct core *c, uint32_t account, uint32_t class, int64_t hour)
{
    for (uint32_t k = c->token.account_covers[account]; k != NIL; k = c->token.covers[k].next) {
        const struct token_cover *x = &c->token.covers[k];
        if (class_of(c, x->instrument) != class) continue;
        if (!block_has_hour(c, x->instrument, hour)) continue;
        pledge_hours(c, account, x->instrument, -x->lots);
        cover_lost(c, account);
        return true;
    }
    return false;
}

void token_covers_end(struct core *c, uint32_t account, int64_t hour)
{
    for (uint32_t k = c->token.account_covers[account], next; k != NIL; k = next) {
        uint32_t i = c->token.covers[k].instrument;
        next = c->token.covers[k].next;
        if (block_hour_next(c, i, hour + 1) < block_end(c, i)) continue;
        cover_drop(c, k);
    }
    cover_lost(c, account);
}

/* ---- the command ---- */

static enum reject offer_check(const struct core *c, const struct command *cmd)
{
    const struct command_token_pledge *t = &cmd->token_pledge;
    uint32_t i = t->instrument;
    if (!account_is_customer(c, cmd->header.account)) return REJECT_unknown_account;
    if (i == NIL || i > c->s->instruments || is_spread(c, i)) return REJECT_unknown_instrument;
    if (closeout_freezes(c, cmd->header.account)) return REJECT_in_default;
    const struct command_product_create *p = &product_of(c, i)->terms;
    bool floored = (p->flags & PRODUCT_FLAG_HAS_FLOOR) != 0 && p->floor.v >= 0;
    bool offered = floored && c->accounts[cmd->header.account].mode == MODE_collateralised &&
                   class_of(c, i) != NIL && token_lot_work(c, i) > 0 &&
                   c->instruments[i].terms.hours <= TOKEN_HOURS_MAX;
    if (!offered) return REJECT_not_offered;
    return t->lots < 1 || t->lots > QTY_MAX ? REJECT_invalid_amount : REJECT_none;
}

static enum reject pledge_check(const struct core *c, const struct command *cmd)
{
    const struct command_token_pledge *t = &cmd->token_pledge;
    uint32_t account = cmd->header.account, class = class_of(c, t->instrument);
    int128_t amount = t->lots * token_lot_work(c, t->instrument);
    int64_t first = block_hour_next(c, t->instrument, 0), end = block_end(c, t->instrument);
    struct token_needs needs = {0};
    if (!money_fits(amount)) return REJECT_amount_overflow;
    if (!token_hour_is_valid(first) || !token_hour_is_valid(end)) return REJECT_invalid_hour;
    for (int64_t h = first; h < end; h = block_hour_next(c, t->instrument, h + 1)) {
        uint32_t asset = token_asset(class, h);
        if (token_balance(c, account, asset) < amount) return REJECT_insufficient_funds;
        token_needs_add(c, &needs, asset, account, c->s->account_collateral);
    }
    if (instrument_is_past(c, t->instrument)) return REJECT_instrument_expired;
    if (promise_is_over(c, first)) return REJECT_invalid_hour;
    bool room = cover_find(c, account, t->instrument) != NIL ||
                c->token.s->covers_live < c->token.cover_max;
    return room && token_needs_fit(c, &needs) ? REJECT_none : REJECT_capacity_exhausted;
}

/* Whether the account's shorts and sells stand with so many lots less: tried, and taken back. */
static enum reject release_check(struct core *c, const struct command *cmd)
{
    const struct command_token_pledge *t = &cmd->token_pledge;
    uint32_t account = cmd->header.account, k = cover_find(c, account, t->instrument);
    if (k == NIL || c->token.covers[k].lots < t->lots) return REJECT_insufficient_funds;
    bool stands = true;
    c->token.covers[k].lots -= t->lots;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        int64_t cover = collateral_cover(c, account, x->instrument);
        stands = stands && (cover == x->cover || x->position + cover >= x->open_sells);
    }
    collateral_update(c, account);
    stands = stands && margin_withdrawable(c, account) >= 0;
    c->token.covers[k].lots += t->lots;
    collateral_update(c, account);
    return stands ? REJECT_none : REJECT_insufficient_margin;
}

void token_pledge(struct core *c, const struct command *cmd)
{
    const struct command_token_pledge *t = &cmd->token_pledge;
    enum reject reason = offer_check(c, cmd);
    if (reason == REJECT_none)
        reason = t->release != 0 ? release_check(c, cmd) : pledge_check(c, cmd);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    pledge_hours(c, cmd->header.account, t->instrument, t->release != 0 ? -t->lots : t->lots);
    collateral_update(c, cmd->header.account);
    event_account_push(c, c->out, cmd->header.account);
}
