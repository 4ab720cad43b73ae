/* change.c: what happens to orders by request after they entered: edit, mass cancel, mass quote;
 * MATCH-03, MATCH-09.
 *
 * An edit keeps time when it changes nothing or lowers the amount; a higher amount, another price
 * or another displayed size takes new time, and the order may then trade like a new one.
 */
#include "core/call.h"
#include "core/state.h"

#include <string.h>

/* ---- edit ---- */

/* The order as it would be after the edit. */
static struct entry entry_from_edit(const struct core *c, const struct command *cmd, uint32_t o)
{
    const struct order *order = order_at(c, o);
    const struct order_info *info = &c->info[o];
    const struct command_order_edit *x = &cmd->order_edit;
    price_t tick = c->instruments[order->instrument].tick;
    bool waits = order->state == ORDER_STATE_untriggered;
    /* An elected stop, and a market order that rests, is a limit order now. */
    uint8_t type = waits || order->type == ORDER_TYPE_pegged ? order->type : ORDER_TYPE_limit;
    struct entry e = {.account = order->account, .instrument = order->instrument,
                      .flags = order->flags & ORDER_FLAGS_ALL, .side = order->side, .type = type,
                      .tif = order->tif, .smp_mode = info->smp_mode, .peg = info->peg,
                      .px = waits ? info->limit_px : order->px, .trigger = info->trigger_px,
                      .held = (order->flags & ORDER_BIT_HELD) != 0,
                      .offset = info->offset, .qty = order->left.v, .max_show = info->max_show.v,
                      .smp_id = info->smp_id, .expires_at = info->expires_at,
                      .valid_until = x->valid_until};
    uint32_t inexact = ORDER_FLAG_QTY_INEXACT | ORDER_FLAG_PRICE_INEXACT |
                       ORDER_FLAG_TRIGGER_INEXACT | ORDER_FLAG_MAX_SHOW_INEXACT;
    e.flags = (e.flags & ~inexact) | (x->flags & inexact);
    if (x->flags & ORDER_FLAG_HAS_QTY) e.qty = x->qty.v - info->filled.v;
    if (x->flags & ORDER_FLAG_HAS_MAX_SHOW) {
        e.max_show = x->max_show.v;
        e.flags |= ORDER_FLAG_HAS_MAX_SHOW;
    }
    if (x->flags & ORDER_FLAG_HAS_POST_ONLY)
        e.flags = (e.flags & ~(uint32_t)ORDER_FLAG_POST_ONLY) | (x->flags & ORDER_FLAG_POST_ONLY);
    int64_t off = 0;
    bool out = false;
    if (x->flags & ORDER_FLAG_HAS_PRICE) {
        out = x->price.v > PRICE_MAX || x->price.v < -PRICE_MAX;
        e.px = PX(int64_div_floor(x->price.v, tick.v));
        off |= x->price.v - e.px.v * tick.v;
    }
    if (x->flags & ORDER_FLAG_HAS_TRIGGER) {
        out = out || x->trigger.v > PRICE_MAX || x->trigger.v < -PRICE_MAX;
        e.trigger = PX(int64_div_floor(x->trigger.v, tick.v));
        off |= x->trigger.v - e.trigger.v * tick.v;
    }
    if (x->flags & ORDER_FLAG_HAS_OFFSET) {
        out = out || x->offset.v > PRICE_MAX || x->offset.v < -PRICE_MAX;
        e.offset = int64_div_floor(x->offset.v, tick.v);
        off |= x->offset.v - e.offset * tick.v;
    }
    /* A price that stays is not judged again by the band or the last trade. */
    e.waking = (x->flags & (ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_TRIGGER)) == 0;
    if (off != 0) e.flags |= ENTRY_OFF_TICK;
    if (out) e.flags |= ENTRY_OUT_OF_RANGE;
    return e;
}

/* Whether the order, at its new terms, is margined; what it works now is set aside meanwhile. */
static enum reject edit_admit(struct core *c, uint32_t o, const struct entry *e, int64_t *detail)
{
    const struct order *order = order_at(c, o);
    int64_t more = e->qty - order->left.v;
    px_t px = entry_margin_px(c, e);
    const struct account *a = &c->accounts[e->account];
    bool whole = a->mode == MODE_collateralised; /* there the price counts too */
    if (e->held || (more <= 0 && !whole)) return REJECT_none;
    if (whole) order_work(c, o, -order->left.v);
    enum reject r = margin_admit(c, e->account, e->instrument, order->exposure,
                                 c->info[o].exposure_b, (enum side)e->side,
                                 price_of(c, e->instrument, px), whole ? e->qty : more, detail);
    if (whole) order_work(c, o, order->left.v);
    return r;
}

/* Lower amount, same terms: time is kept (MATCH-03). */
static void edit_in_place(struct core *c, uint32_t o, const struct entry *e)
{
    struct order *order = order_at(c, o);
    int64_t lots = e->qty - order->left.v;
    int64_t show = c->info[o].max_show.v;
    int64_t shown = int64_min(order->shown.v, e->qty) - order->shown.v;
    if (show != 0 && e->qty <= show) shown = e->qty - order->shown.v;
    if (!(order->flags & ORDER_BIT_HELD)) order_work(c, o, lots);
    c->info[o].qty.v += lots;
    if (order->level == NIL) {
        order->left.v += lots;
        order->shown = order->left;
    } else if (order->flags & ORDER_BIT_TRIGGER) {
        book_change(&c->pools, trigger_book(c, o), o, lots, shown);
    } else {
        book_change(&c->pools, book_of(c, order->instrument), o, lots, shown);
    }
    event_order_push(c, c->out, o, CAUSE_edited);
    if (order->level == NIL || (order->flags & ORDER_BIT_TRIGGER)) return;
    book_touched(c, order->instrument);
    event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px,
                     order->level);
}

/* New terms: out of where it waits, changed, and in again with new time. */
static void edit_anew(struct core *c, uint32_t o, const struct entry *e)
{
    struct order *order = order_at(c, o);
    struct order_info *info = &c->info[o];
    struct instrument *in = &c->instruments[order->instrument];
    bool held = (order->flags & ORDER_BIT_HELD) != 0;
    if (!held) order_work(c, o, -order->left.v);
    if (order->flags & ORDER_BIT_TRIGGER) {
        trigger_remove(c, o);
    } else if (order->level != NIL) {
        uint32_t level = c->pools.levels[order->level].count > 1 ? order->level : NIL;
        book_remove(&c->pools, &in->book, o);
        if (in->top[order->side] == o) in->top[order->side] = NIL;
        event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px, level);
        book_touched(c, order->instrument);
    }
    if (order->type == ORDER_TYPE_pegged && !held) special_remove(c, &in->pegged, o);
    info->qty.v += e->qty - order->left.v;
    order->left = QTY(e->qty);
    info->max_show = QTY(entry_max_show(e));
    order->shown = info->max_show.v != 0 ? info->max_show : order->left;
    order->flags = (order->flags & ~(uint32_t)(ORDER_FLAGS_ALL | ORDER_BIT_ICEBERG)) |
                   (e->flags & ORDER_FLAGS_ALL) | (info->max_show.v ? ORDER_BIT_ICEBERG : 0u);
    order->px = order->type == ORDER_TYPE_pegged ? PX_NONE : e->px; /* peg_add finds it */
    info->limit_px = e->px;
    if (order->state == ORDER_STATE_untriggered) info->trigger_px = e->trigger;
    info->offset = e->offset;
    info->modified = c->s->ts;
    if (!held) order_work(c, o, e->qty);
    event_order_push(c, c->out, o, CAUSE_edited);
    if (!held && !(order->flags & ORDER_BIT_QUEUED)) order_start(c, o);
}

static void edit_apply(struct core *c, uint32_t o, const struct entry *e)
{
    const struct order *order = order_at(c, o);
    const struct order_info *info = &c->info[o];
    bool waits = order->state == ORDER_STATE_untriggered;
    px_t px = waits ? info->limit_px : order->px;
    bool same = (e->px.v == px.v || order->type == ORDER_TYPE_pegged) &&
                (!waits || e->trigger.v == info->trigger_px.v) && e->offset == info->offset &&
                entry_max_show(e) == (info->max_show.v >= e->qty ? 0 : info->max_show.v);
    if (!same || e->qty > order->left.v) {
        edit_anew(c, o, e);
        return;
    }
    uint32_t flags = e->flags & ORDER_FLAGS_ALL;
    c->pools.orders[o].flags = (order->flags & ~(uint32_t)ORDER_FLAGS_ALL) | flags;
    c->info[o].modified = c->s->ts;
    edit_in_place(c, o, e);
}

static enum reject edit_check(struct core *c, const struct command *cmd, uint32_t o,
                              struct entry *e, int64_t *detail)
{
    bool killed = account_is_killed(c, e->account);
    bool ends = (cmd->order_edit.flags & ORDER_FLAG_HAS_QTY) && e->qty <= 0 &&
                cmd->order_edit.qty.v >= 1 && !(e->flags & ORDER_FLAG_QTY_INEXACT);
    int64_t qty = e->qty;
    if (ends) e->qty = 1; /* at or below what is filled: cancelled, once the rest is in order */
    enum reject r = entry_check(c, e, detail);
    if (r == REJECT_none && !ends && c->accounts[e->account].status != ACCOUNT_normal) {
        r = call_admits(c, e, order_at(c, o)->left.v, 0); /* CLEAR-09 */
    }
    if (r == REJECT_none && !ends) r = edit_admit(c, o, e, detail);
    if (r == REJECT_none && killed) r = REJECT_killed;
    if (ends) e->qty = qty;
    return r;
}

void order_edit(struct core *c, const struct command *cmd)
{
    uint32_t account = cmd->header.account;
    if (account == 0 || account > c->s->accounts) {
        reject_push(c, cmd, REJECT_unknown_account, INT64_MIN);
        return;
    }
    uint32_t o = order_find(c, cmd->order_edit.order_id);
    if (o == NIL || order_at(c, o)->account != account || !order_is_live(order_at(c, o))) {
        reject_push(c, cmd, REJECT_unknown_order, INT64_MIN);
        return;
    }
    struct entry e = entry_from_edit(c, cmd, o);
    int64_t detail = INT64_MIN;
    enum reject r = edit_check(c, cmd, o, &e, &detail);
    if (r != REJECT_none) {
        reject_push(c, cmd, r, detail);
        return;
    }
    if (e.qty <= 0) order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_by_user);
    else edit_apply(c, o, &e);
    if (c->prints_count > 0) trigger_elect_prints(c);
}

/* ---- mass cancel ---- */

static bool selected(const struct core *c, const struct command *cmd, uint32_t o)
{
    const struct command_cancel_many *m = &cmd->cancel_many;
    const struct order *order = order_at(c, o);
    bool waits = order->state == ORDER_STATE_untriggered;
    if (m->instrument != 0 && order->instrument != m->instrument) return false;
    if (m->product != 0 && c->instruments[order->instrument].product != m->product) return false;
    if ((m->select & CANCEL_SELECT_SIDE) && order->side != m->side) return false;
    if ((m->select & CANCEL_SELECT_QUOTES) && !(order->flags & ORDER_FLAG_QUOTE)) return false;
    if ((m->select & CANCEL_SELECT_TRIGGER) && !waits) return false;
    if ((m->select & CANCEL_SELECT_RESTING) && waits) return false;
    if ((m->select & CANCEL_SELECT_SESSION) && c->info[o].session != cmd->header.session)
        return false;
    if (!(m->select & CANCEL_SELECT_LABEL)) return true;
    if (!(order->flags & ORDER_BIT_TEXT)) return false;
    return memcmp(c->texts[o].label, m->label, sizeof m->label) == 0;
}

/* Gathers first, oldest order first; closing one may close linked others. */
static uint32_t cancel_selected(struct core *c, const struct command *cmd, uint32_t account,
                                enum order_cause cause)
{
    uint32_t count = 0, done = 0;
    for (uint32_t o = c->accounts[account].orders; o != NIL; o = c->info[o].account_next) {
        if (selected(c, cmd, o)) c->shares[count++] = (struct share){.order = o};
    }
    while (count > 0) {
        uint32_t o = c->shares[--count].order;
        done += 1;
        if (order_is_live(order_at(c, o))) order_close(c, o, ORDER_STATE_cancelled, cause);
    }
    return done;
}

static void event_count_push(struct core *c, uint64_t count)
{
    struct event_count *e = outbox_push(c->out, EVENT_count, sizeof *e);
    e->count = count;
}

void order_cancel_many(struct core *c, const struct command *cmd)
{
    const struct command_cancel_many *m = &cmd->cancel_many;
    uint32_t account = cmd->header.account;
    bool by_member = m->scope == CANCEL_SCOPE_member;
    if (by_member ? m->member == 0 || m->member > c->s->members
                  : account == 0 || account > c->s->accounts) {
        reject_push(c, cmd, REJECT_unknown_account, INT64_MIN);
        return;
    }
    if (m->product > c->s->products || m->instrument > c->s->instruments) {
        reject_push(c, cmd, REJECT_unknown_instrument, INT64_MIN);
        return;
    }
    uint64_t count = 0;
    if (by_member) {
        for (uint32_t a = 1; a <= c->s->accounts; a++) {
            if (c->accounts[a].member != m->member) continue;
            count += cancel_selected(c, cmd, a, CAUSE_cancelled_by_officer);
        }
    } else {
        bool session = (m->select & CANCEL_SELECT_SESSION) != 0;
        count = cancel_selected(c, cmd, account,
                                session ? CAUSE_cancelled_disconnect : CAUSE_cancelled_by_user);
    }
    event_count_push(c, count);
}

uint32_t order_cancel_instrument(struct core *c, uint32_t instrument, enum order_cause cause)
{
    uint32_t count = 0, done = 0;
    for (uint32_t o = 1; o <= c->s->orders_used; o++) {
        if (order_is_live(order_at(c, o)) && order_at(c, o)->instrument == instrument)
            c->shares[count++] = (struct share){.order = o};
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!order_is_live(order_at(c, c->shares[i].order))) continue;
        order_close(c, c->shares[i].order, ORDER_STATE_cancelled, cause);
        done += 1;
    }
    return done;
}

/* ---- mass quote ---- */

static void quotes_withdraw(struct core *c, uint32_t account, uint32_t instrument)
{
    uint32_t next;
    for (uint32_t o = c->accounts[account].orders; o != NIL; o = next) {
        next = c->info[o].account_next;
        if (order_at(c, o)->instrument != instrument) continue;
        if (!(order_at(c, o)->flags & ORDER_FLAG_QUOTE)) continue;
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_quote);
    }
}

static void quote_side(struct core *c, const struct command *cmd, uint32_t index, enum side side)
{
    const struct command_mass_quote *m = &cmd->mass_quote;
    const struct quote *q = &m->quotes[index];
    qty_t qty = side == SIDE_buy ? q->bid_qty : q->ask_qty;
    uint32_t flags = side == SIDE_buy ? q->flags : q->ask_flags;
    if (qty.v == 0 && !(flags & ORDER_FLAG_QTY_INEXACT)) return;
    struct command one = {.header = cmd->header};
    one.header.kind = COMMAND_order_new;
    one.header.size = (uint32_t)COMMAND_ORDER_NEW_TEXT_SIZE;
    one.order_new = (struct command_order_new){
        .instrument = q->instrument, .side = (uint8_t)side, .type = ORDER_TYPE_limit,
        .tif = TIF_good_til_cancelled, .smp_mode = (uint8_t)m->smp_mode, .smp_id = m->smp_id,
        .flags = (flags & ORDER_FLAGS_ALL) | ORDER_FLAG_QUOTE | ORDER_FLAG_HAS_PRICE |
                 ORDER_FLAG_HAS_QTY,
        .price = side == SIDE_buy ? q->bid_price : q->ask_price, .qty = qty,
        .valid_until = m->valid_until};
    memcpy(one.order_new.label, m->label, sizeof one.order_new.label);
    size_t from = c->out->used;
    order_new(c, &one);
    struct event_header *h = (struct event_header *)(void *)(c->out->bytes + from);
    if (c->out->used > from && h->kind == EVENT_reject) {
        struct event_reject *r = (struct event_reject *)(void *)h;
        r->command = COMMAND_mass_quote;
        r->entry = index;
    }
}

void order_mass_quote(struct core *c, const struct command *cmd)
{
    const struct command_mass_quote *m = &cmd->mass_quote;
    uint32_t account = cmd->header.account;
    if (account == 0 || account > c->s->accounts || c->accounts[account].system) {
        reject_push(c, cmd, REJECT_unknown_account, INT64_MIN);
        return;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t instrument = m->quotes[i].instrument;
        if (instrument != 0 && instrument <= c->s->instruments)
            quotes_withdraw(c, account, instrument);
        quote_side(c, cmd, i, SIDE_buy);
        quote_side(c, cmd, i, SIDE_sell);
    }
    event_count_push(c, m->count);
}
