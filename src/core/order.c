/* order.c: the life of an order: entered, edited, cancelled, closed; MATCH-02, -03, -05, -09.
 *
 * Invariants: (1) a slot is live (open or untriggered) exactly while it is in its account's list;
 * (2) what works in the book, waits as a trigger or stands in the election queue is counted in its
 * exposure through margin_work; a held linked order is not; (3) a closed slot keeps its content
 * until `orders_closed` later ones have closed, so that questions about it can be answered.
 *
 * Upstream: core.c. Downstream: entry.c (checks), margin.c, match.c, trigger.c, peg.c, link.c.
 */
#include "core/implied.h"
#include "core/call.h"
#include "core/margin_lot.h"
#include "core/spot.h"

#include <stddef.h>
#include <string.h>

enum { ORDER_SLOT_BITS = 24 };

/* ---- slots ---- */

static uint32_t slot_take(struct core *c)
{
    struct venue_state *s = c->s;
    ASSERT(s->orders_live < c->limits.orders);
    s->orders_live += 1;
    uint32_t o = s->orders_free;
    if (o != NIL) {
        s->orders_free = c->pools.orders[o].next;
    } else {
        ASSERT(s->orders_used + 1 < order_slots(&c->limits));
        o = ++s->orders_used;
    }
    s->order_serial += 1;
    c->pools.orders[o].id = s->order_serial << ORDER_SLOT_BITS | o;
    return o;
}

/* A closed order's slot is kept for questions; the one kept longest becomes free. */
static void slot_retire(struct core *c, uint32_t o)
{
    struct venue_state *s = c->s;
    uint32_t capacity = c->limits.orders_closed;
    s->orders_live -= 1;
    if (s->closed_count == capacity) {
        uint32_t oldest = c->closed[s->closed_first];
        c->pools.orders[oldest].next = s->orders_free;
        c->pools.orders[oldest].state = ORDER_STATE_none;
        s->orders_free = oldest;
        c->closed[s->closed_first] = o;
        s->closed_first = s->closed_first + 1 == capacity ? 0 : s->closed_first + 1;
        __builtin_prefetch(&c->info[oldest], 1); /* the next new order takes this slot */
        __builtin_prefetch(&c->pools.orders[c->closed[s->closed_first]], 1);
    } else {
        uint32_t at = s->closed_first + s->closed_count;
        c->closed[at >= capacity ? at - capacity : at] = o;
        s->closed_count += 1;
    }
}

/* Asks for what closing an order will touch, all at once: one after the other, each behind a guess
 * that may prove wrong, they would be waited for in turn. */
static inline void order_fetch(const struct core *c, uint32_t o)
{
    const struct order *order = &c->pools.orders[o];
    __builtin_prefetch(&c->info[o], 1);
    __builtin_prefetch(&c->pools.levels[order->level], 1);
    __builtin_prefetch(&c->pools.orders[order->next], 1);
    __builtin_prefetch(&c->pools.orders[order->prev], 1);
    __builtin_prefetch(&c->exposures[order->exposure], 1);
    __builtin_prefetch(&c->accounts[order->account].requirement, 1);
}

uint32_t order_find(const struct core *c, uint64_t id)
{
    uint32_t o = (uint32_t)(id & ((1u << ORDER_SLOT_BITS) - 1));
    if (o == NIL || o > c->s->orders_used) return NIL;
    const struct order *order = &c->pools.orders[o];
    return order->id == id && order->state != ORDER_STATE_none ? o : NIL;
}

/* ---- events ---- */

/* side, type, tif and state lie together, in this order, in both records. */
_Static_assert(offsetof(struct order, state) - offsetof(struct order, side) == 3 &&
                   offsetof(struct event_order, state) - offsetof(struct event_order, side) == 3 &&
                   offsetof(struct event_order, link_type) -
                           offsetof(struct event_order, cause) == 3,
               "event_order_push copies them as one word");

/* What an order without such terms has. */
static inline void event_terms_none(struct event_order *e, enum order_cause cause)
{
    const uint32_t word = (uint32_t)cause; /* smp_mode, peg, link_type: 0 */
    memcpy(&e->cause, &word, sizeof word);
    e->max_show = QTY(0);
    e->trigger = PRICE_NONE;
    e->offset = PRICE(0);
    e->min_qty = QTY(0);
    e->smp_id = 0;
    e->linked_id = 0;
    e->expires_at = TS(0);
}

static void event_terms(const struct core *c, struct event_order *e, const struct order *order,
                        const struct order_info *info, enum order_cause cause)
{
    const int64_t tick = c->instruments[order->instrument].tick.v;
    bool trigger = !px_is_none(info->trigger_px);
    px_t px = trigger && order->state == ORDER_STATE_untriggered ? info->limit_px : order->px;
    uint32_t linked = info->link_parent != NIL ? info->link_parent : info->link_sibling;
    e->cause = (uint8_t)cause;
    e->smp_mode = info->smp_mode;
    e->peg = info->peg;
    e->link_type = info->link_type;
    e->price = px_is_none(px) ? PRICE_NONE : PRICE(px.v * tick);
    e->max_show = info->max_show;
    e->trigger = trigger ? PRICE(info->trigger_px.v * tick) : PRICE_NONE;
    e->offset = PRICE(info->offset * tick);
    e->min_qty = info->min_qty;
    e->smp_id = info->smp_id;
    e->linked_id = linked != NIL ? c->pools.orders[linked].id : 0;
    e->expires_at = info->expires_at;
}

/* The longest record of the hot path: an order without terms is written without looking at them. */
void event_order_push(const struct core *c, struct outbox *out, uint32_t o, enum order_cause cause)
{
    const struct order *order = &c->pools.orders[o];
    const struct order_info *info = &c->info[o];
    const uint32_t flags = order->flags;
    const int64_t tick = c->instruments[order->instrument].tick.v;
    struct event_order *e = outbox_push(out, EVENT_order, sizeof *e);
    e->order_id = order->id;
    e->account = order->account;
    e->instrument = order->instrument;
    e->flags = flags & ORDER_FLAGS_ALL;
    memcpy(&e->side, &order->side, sizeof(uint32_t));
    e->session = info->session;
    e->qty = info->qty;
    e->filled = info->filled;
    e->left = QTY(order->left.v & -(int64_t)order_is_live(order));
    e->shown = QTY(order->shown.v & -(int64_t)(order->state == ORDER_STATE_open));
    e->notional_high = (int64_t)(info->notional >> 64);
    e->notional_low = (uint64_t)info->notional;
    e->created = info->created;
    e->modified = info->modified;
    if (__builtin_expect((flags & ORDER_BIT_TERMS) == 0, 1)) {
        e->price = PRICE(order->px.v * tick); /* only terms can leave an order without one */
        event_terms_none(e, cause);
    } else {
        event_terms(c, e, order, info, cause);
    }
}

void event_order_text_push(const struct core *c, struct outbox *out, uint32_t o)
{
    struct event_order_text *e = outbox_push(out, EVENT_order_text, sizeof *e);
    e->order_id = c->pools.orders[o].id;
    memcpy(e->client_order_id, c->texts[o].client_order_id, sizeof e->client_order_id);
    memcpy(e->label, c->texts[o].label, sizeof e->label);
}

void event_level_push(const struct core *c, struct outbox *out, uint32_t instrument,
                      enum side side, px_t px, uint32_t l)
{
    const struct instrument *in = &c->instruments[instrument];
    const struct level *level = &c->pools.levels[l];
    struct event_level *e = outbox_push(out, EVENT_level, sizeof *e);
    e->instrument = instrument;
    e->side = side;
    e->price = PRICE(px.v * in->tick.v);
    e->shown = l != NIL ? level->shown : QTY(0);
    e->implied = QTY(in->implied == 0 ? 0 : implied_at(c, instrument, side, px));
    e->orders = l != NIL ? level->count : 0;
    e->reserved = 0;
}

/* ---- creation ---- */

/* Who else has orders cannot be foretold: instead of branching, what has no neighbour is written to
 * slot NIL, which nobody reads. */
static void account_list_add(struct core *c, uint32_t o)
{
    struct account *a = &c->accounts[c->pools.orders[o].account];
    c->info[o].account_prev = NIL;
    c->info[o].account_next = a->orders;
    c->info[a->orders].account_prev = o;
    a->orders = o;
    a->order_count += 1;
}

static void account_list_remove(struct core *c, uint32_t o)
{
    struct account *a = &c->accounts[c->pools.orders[o].account];
    uint32_t next = c->info[o].account_next, prev = c->info[o].account_prev;
    c->info[prev].account_next = next;
    c->info[next].account_prev = prev;
    a->orders = uint32_select(prev == NIL, next, a->orders);
    a->order_count -= 1;
}

/* ---- terms that most orders do not have: they are not even written then ---- */

static void order_terms_clear(struct order_info *i)
{
    i->max_show = QTY(0);
    i->min_qty = QTY(0);
    i->smp_id = 0;
    i->limit_px = PX_NONE;
    i->trigger_px = PX_NONE;
    i->offset = 0;
    i->expires_at = TS(0);
    i->timer = i->special_next = i->special_prev = NIL;
    i->link_parent = i->link_child = i->link_sibling = NIL;
    i->smp_mode = i->peg = i->link_type = i->fill_condition = 0;
}

static bool entry_has_terms(const struct entry *e, int64_t max_show)
{
    return max_show != 0 || e->min_qty != 0 || e->smp_id != 0 || e->smp_mode != 0 || e->held != 0 ||
           e->offset != 0 || e->tif == TIF_good_til_date || e->type > ORDER_TYPE_market_limit;
}

static void order_terms_set(struct core *c, uint32_t o, const struct entry *e, int64_t max_show)
{
    struct order_info *info = &c->info[o];
    order_terms_clear(info);
    info->max_show = QTY(max_show);
    info->min_qty = QTY(e->min_qty);
    info->smp_id = e->smp_id;
    info->limit_px = e->px;
    info->trigger_px = type_is_trigger((enum order_type)e->type) ? e->trigger : PX_NONE;
    info->offset = e->offset;
    info->smp_mode = e->smp_mode;
    info->peg = e->peg;
    info->expires_at = e->tif == TIF_good_til_date ? e->expires_at : TS(0);
    c->pools.orders[o].flags |= ORDER_BIT_TERMS;
}

/* Links a new order that is not plain to what its terms need. */
static void order_create_rest(struct core *c, uint32_t o, const struct entry *e, int64_t max_show)
{
    if (entry_has_terms(e, max_show)) order_terms_set(c, o, e, max_show);
    if (e->tif == TIF_good_til_date) timer_add(c, o);
    if (e->flags & ORDER_FLAG_REDUCE_ONLY)
        c->exposures[c->pools.orders[o].exposure].reduce_only += 1;
}

/* A live order of this entry, its exposures looked up, not yet in a book and not yet counted in
 * margin. */
static uint32_t order_create(struct core *c, const struct entry *e, uint32_t session)
{
    uint32_t o = slot_take(c);
    struct order *order = &c->pools.orders[o];
    struct order_info *info = &c->info[o];
    const bool spread = e->exposure_b != NIL, plain = e->plain != 0;
    bool waits = !plain && (type_is_trigger((enum order_type)e->type) || e->held);
    int64_t max_show = plain ? 0 : entry_max_show(e);
    bool terms_left = order->account == NIL || (order->flags & ORDER_BIT_TERMS);
    order->px = e->px;
    order->left = QTY(e->qty);
    order->shown = QTY(max_show != 0 ? max_show : e->qty);
    order->next = order->prev = order->level = NIL;
    order->account = e->account;
    order->exposure = e->exposure;
    order->instrument = e->instrument;
    uint32_t kinds = (uint32_t)e->side | (uint32_t)e->type << 8 | (uint32_t)e->tif << 16 |
                     (waits ? (uint32_t)ORDER_STATE_untriggered : ORDER_STATE_open) << 24;
    memcpy(&order->side, &kinds, sizeof kinds); /* whole: its event soon reads it whole */
    order->flags = (e->flags & ORDER_FLAGS_ALL) | (max_show != 0 ? ORDER_BIT_ICEBERG : 0u) |
                   (spread ? ORDER_BIT_SPREAD : 0u);
    info->qty = QTY(e->qty);
    info->filled = QTY(0);
    info->notional = 0;
    info->created = c->s->ts;
    info->modified = c->s->ts;
    info->session = session;
    info->exposure_b = e->exposure_b;
    if (terms_left) order_terms_clear(info);
    account_list_add(c, o);
    if (!plain) order_create_rest(c, o, e, max_show);
    return o;
}

px_t entry_margin_px(const struct core *c, const struct entry *e)
{
    if (e->type == ORDER_TYPE_pegged) return PX_NONE;
    if (!px_is_none(e->px)) return e->px;
    if (px_is_none(e->trigger)) return PX(0);
    return trigger_limit(c, e->instrument, (enum side)e->side, e->trigger);
}

/* The price at which an order counts for margin: its limit, or what that will be once elected. */
static px_t order_margin_px(const struct core *c, uint32_t o)
{
    const struct order *order = &c->pools.orders[o];
    const struct order_info *info = &c->info[o];
    if (order->state != ORDER_STATE_untriggered) return px_is_none(order->px) ? PX(0) : order->px;
    if (!px_is_none(info->limit_px)) return info->limit_px;
    if (px_is_none(info->trigger_px)) return PX(0);
    return trigger_limit(c, order->instrument, (enum side)order->side, info->trigger_px);
}

/* Counts `lots` more (or fewer) of order o as working. */
void order_work(struct core *c, uint32_t o, int64_t lots)
{
    const struct order *order = &c->pools.orders[o];
    if ((order->flags & ORDER_BIT_SPREAD) == 0 &&
        margin_lot_work(c, order->exposure, (enum side)order->side, lots)) {
        return; /* its price does not matter */
    }
    const int64_t tick = c->instruments[order->instrument].tick.v;
    margin_work(c, order->instrument, order->exposure, c->info[o].exposure_b,
                (enum side)order->side, PRICE(order_margin_px(c, o).v * tick), lots);
}

/* Puts a created and counted order where it belongs: trigger book, auction book, trading. */
void order_start(struct core *c, uint32_t o)
{
    struct order *order = &c->pools.orders[o];
    if (type_is_trigger((enum order_type)order->type) && !(order->flags & ORDER_BIT_ELECTED)) {
        trigger_add(c, o);
        return;
    }
    if (order->type == ORDER_TYPE_pegged) {
        peg_add(c, o);
        return;
    }
    if (state_of(c, order->instrument) == STATE_open) {
        match_enter(c, o);
        return;
    }
    match_rest(c, o);
}

/* Room for one more order with all that it may need, before anything is changed; looks up the
 * entry's exposures on the way. */
static bool room_for_order(struct core *c, struct entry *e, uint32_t orders)
{
    if (c->s->orders_live + orders > c->limits.orders || !book_has_room(&c->pools)) return false;
    const struct instrument *in = &c->instruments[e->instrument];
    bool spread = in->terms.is_spread;
    e->exposure = exposure_get(c, e->account, spread ? in->terms.legs[0] : e->instrument);
    e->exposure_b = spread ? exposure_get(c, e->account, in->terms.legs[1]) : NIL;
    return e->exposure != NIL && (!spread || e->exposure_b != NIL);
}

/* CLEAR-08, the kill switch and capacity: the checks that come after the order's own. */
static enum reject admit(struct core *c, struct entry *e, uint32_t orders, int64_t *detail)
{
    bool room = room_for_order(c, e, orders);
    if (__builtin_expect(c->accounts[e->account].status != ACCOUNT_normal, 0)) {
        enum reject refused = call_admits(c, e, 0, orders - 1); /* CLEAR-09 */
        if (refused != REJECT_none) return refused;
    }
    bool by_lot = room && e->exposure_b == NIL &&
                  margin_lot_admits(c, e->exposure, (enum side)e->side, e->qty);
    if (room && !by_lot) {
        px_t px = entry_margin_px(c, e);
        int64_t missing = INT64_MIN;
        enum reject r = margin_admit(c, e->account, e->instrument, e->exposure, e->exposure_b,
                                     (enum side)e->side, price_of(c, e->instrument, px), e->qty,
                                     &missing);
        if (r != REJECT_none) {
            *detail = missing;
            return r;
        }
    }
    if (account_is_killed(c, e->account)) return REJECT_killed; /* MATCH-09 */
    return room ? REJECT_none : REJECT_capacity_exhausted;
}

/* ---- new ---- */

static void order_set_text(struct core *c, uint32_t o, const char *client_order_id,
                           const char *label)
{
    if ((client_order_id == NULL || client_order_id[0] == 0) && label[0] == 0) return;
    struct order_text *t = &c->texts[o];
    *t = (struct order_text){0};
    if (client_order_id != NULL) memcpy(t->client_order_id, client_order_id, CLIENT_ORDER_ID_SIZE);
    memcpy(t->label, label, LABEL_SIZE);
    c->pools.orders[o].flags |= ORDER_BIT_TEXT;
}

static void order_announce(struct core *c, uint32_t o)
{
    event_order_push(c, c->out, o, CAUSE_new);
    if (c->pools.orders[o].flags & ORDER_BIT_TEXT) event_order_text_push(c, c->out, o);
}

/* Creates, counts and starts an admitted order; trading and what it elects is done on return. */
static uint32_t order_enter(struct core *c, const struct entry *e, uint32_t session,
                            const char *client_order_id, const char *label, uint64_t target)
{
    uint32_t o = order_create(c, e, session);
    if (label != NULL) order_set_text(c, o, client_order_id, label);
    bool by_lot = e->plain && e->exposure_b == NIL &&
                  margin_lot_work(c, e->exposure, (enum side)e->side, e->qty);
    if (!by_lot) order_work(c, o, e->qty);
    order_announce(c, o);
    if (e->plain && target == 0 && state_of(c, e->instrument) == STATE_open) match_enter(c, o);
    else if (target != 0) match_directed(c, o, order_find(c, target));
    else order_start(c, o);
    return o;
}

bool order_enter_own(struct core *c, struct entry *e)
{
    if (!room_for_order(c, e, 1)) return false;
    (void)order_enter(c, e, 0, NULL, NULL, 0);
    if (c->prints_count > 0) trigger_elect_prints(c);
    return true;
}

/* The linked orders of a new one: OTO children are held until it fills, an OCO partner lives. */
static enum reject check_linked(const struct core *c, const struct command *cmd)
{
    const struct command_order_new *o = &cmd->order_new;
    if (o->link_type == LINK_none) return o->linked_count == 0 ? REJECT_none
                                                               : REJECT_invalid_order_type;
    uint32_t expected = o->link_type == LINK_one_triggers_one_cancels_other ? 2 : 1;
    if (o->linked_count != expected || cmd->header.size < COMMAND_ORDER_NEW_TEXT_SIZE)
        return REJECT_invalid_order_type;
    for (uint32_t i = 0; i < o->linked_count; i++) {
        struct entry e;
        int64_t detail;
        entry_from_linked(c, cmd, i, &e);
        e.held = o->link_type != LINK_one_cancels_other;
        enum reject r = entry_check(c, &e, &detail);
        if (r != REJECT_none) return r;
        if (e.type == ORDER_TYPE_pegged || e.tif == TIF_good_til_date)
            return REJECT_invalid_order_type;
    }
    return REJECT_none;
}

/* Creates the linked orders behind their parent `o`, held; an OCO partner wakes at once. */
static void order_link(struct core *c, const struct command *cmd, uint32_t o)
{
    const struct command_order_new *n = &cmd->order_new;
    uint32_t before = NIL;
    bool oco = n->link_type == LINK_one_cancels_other;
    c->pools.orders[o].flags |= ORDER_BIT_TERMS;
    c->info[o].link_type = n->link_type;
    c->info[o].fill_condition = n->fill_condition;
    for (uint32_t i = 0; i < n->linked_count; i++) {
        struct entry e;
        entry_from_linked(c, cmd, i, &e);
        e.held = 1;
        e.exposure = c->pools.orders[o].exposure; /* of one account in one instrument, like it */
        e.exposure_b = c->info[o].exposure_b;
        uint32_t child = order_create(c, &e, cmd->header.session);
        order_set_text(c, child, NULL, n->linked[i].label);
        c->pools.orders[child].flags |= ORDER_BIT_HELD;
        struct order_info *info = &c->info[child];
        if (oco) {
            info->link_type = LINK_one_cancels_other;
            info->link_sibling = o;
            c->info[o].link_sibling = child;
        } else {
            info->link_type = before != NIL ? LINK_one_cancels_other : LINK_none;
            info->link_parent = o;
            if (before == NIL) {
                c->info[o].link_child = child;
            } else { /* one triggers one-cancels-other: the two children cancel each other */
                c->info[before].link_type = LINK_one_cancels_other;
                c->info[before].link_sibling = child;
                info->link_sibling = before;
            }
            before = child;
        }
        order_announce(c, child);
    }
}

static enum reject order_new_check(struct core *c, const struct command *cmd, struct entry *e,
                                   int64_t *detail)
{
    enum reject r = entry_check(c, e, detail);
    if (r != REJECT_none) return r;
    if ((r = check_linked(c, cmd)) != REJECT_none) return r;
    uint64_t target = cmd->order_new.target_order_id;
    if (target != 0) {
        if (!(product_of(c, e->instrument)->terms.flags & PRODUCT_FLAG_DIRECTED))
            return REJECT_invalid_order_type;
        uint32_t t = order_find(c, target);
        if (t == NIL || c->pools.orders[t].level == NIL ||
            c->pools.orders[t].instrument != e->instrument || c->pools.orders[t].side == e->side ||
            (c->pools.orders[t].flags & ORDER_BIT_TRIGGER))
            return REJECT_cannot_fill;
    }
    return admit(c, e, 1u + cmd->order_new.linked_count, detail);
}

static void order_new_first(struct core *c, const struct command *cmd)
{
    struct entry e;
    int64_t detail = INT64_MIN;
    enum reject r = entry_from_new(c, cmd, &e);
    if (r == REJECT_none) r = order_new_check(c, cmd, &e, &detail);
    if (r != REJECT_none) {
        reject_push(c, cmd, r, detail);
        return;
    }
    const struct command_order_new *n = &cmd->order_new;
    bool has_text = cmd->header.size > COMMAND_ORDER_NEW_BARE_SIZE;
    if (n->link_type == LINK_none) {
        (void)order_enter(c, &e, cmd->header.session, has_text ? n->client_order_id : NULL,
                          has_text ? n->label : NULL, n->target_order_id);
        return;
    }
    uint32_t o = order_create(c, &e, cmd->header.session);
    order_set_text(c, o, n->client_order_id, n->label);
    order_work(c, o, e.qty);
    order_announce(c, o);
    order_link(c, cmd, o);
    uint32_t partner = n->link_type == LINK_one_cancels_other ? c->info[o].link_sibling : NIL;
    order_start(c, o);
    if (partner != NIL && order_is_live(&c->pools.orders[partner])) link_activate(c, partner);
}

void order_new(struct core *c, const struct command *cmd)
{
    bool keyed = cmd->header.size > COMMAND_ORDER_NEW_BARE_SIZE &&
                 cmd->order_new.client_order_id[0] != 0;
    if (!keyed) {
        order_new_first(c, cmd);
    } else {
        uint64_t body_hash = 0;
        size_t from = c->out->used;
        if (repeat_look(c, cmd, &body_hash) != REPEAT_first) return;
        if (!repeat_has_room(c)) {
            reject_push(c, cmd, REJECT_capacity_exhausted, INT64_MIN);
            return;
        }
        order_new_first(c, cmd);
        repeat_keep(c, cmd, body_hash, from);
    }
    if (c->prints_count > 0) trigger_elect_prints(c);
}

/* ---- closing ---- */

/* Takes a live order out of wherever it waits: book, trigger book, queues. */
static void order_withdraw(struct core *c, uint32_t o, bool announce)
{
    struct order *order = &c->pools.orders[o];
    struct instrument *in = &c->instruments[order->instrument];
    if (order->flags & ORDER_BIT_TRIGGER) {
        trigger_remove(c, o);
    } else if (order->level != NIL) {
        uint32_t level = c->pools.levels[order->level].count > 1 ? order->level : NIL;
        book_remove(&c->pools, &in->book, o);
        if (in->top[order->side] == o) in->top[order->side] = NIL;
        if (announce)
            event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px,
                             level);
        book_touched(c, order->instrument);
    }
    if (order->flags & ORDER_BIT_QUEUED) election_drop(c, o);
    if (order->type == ORDER_TYPE_pegged && !(order->flags & ORDER_BIT_HELD))
        special_remove(c, &in->pegged, o);
}

void order_close(struct core *c, uint32_t o, enum order_state state, enum order_cause cause)
{
    struct order *order = &c->pools.orders[o];
    struct order_info *info = &c->info[o];
    ASSERT(order_is_live(order));
    bool held = (order->flags & ORDER_BIT_HELD) != 0;
    if (!held && order->left.v != 0) order_work(c, o, -order->left.v);
    order_withdraw(c, o, cause != CAUSE_filled); /* of fills, the matcher says the level once */
    account_list_remove(c, o);
    bool terms = (order->flags & ORDER_BIT_TERMS) != 0;
    if (terms && info->timer != NIL) timer_remove(c, o);
    if (order->flags & ORDER_FLAG_REDUCE_ONLY) c->exposures[order->exposure].reduce_only -= 1;
    order->state = (uint8_t)state;
    if (cause != CAUSE_filled) info->modified = c->s->ts;
    event_order_push(c, c->out, o, cause);
    if (terms && (info->link_child | info->link_sibling | info->link_parent) != NIL)
        link_closed(c, o);
    slot_retire(c, o);
}

void order_cancel(struct core *c, const struct command *cmd)
{
    uint32_t account = cmd->header.account;
    if (account == 0 || account > c->s->accounts) {
        reject_push(c, cmd, REJECT_unknown_account, INT64_MIN);
        return;
    }
    uint32_t o = order_find(c, cmd->order_cancel.order_id);
    if (o == NIL || c->pools.orders[o].account != account || !order_is_live(&c->pools.orders[o])) {
        reject_push(c, cmd, REJECT_unknown_order, INT64_MIN);
        return;
    }
    order_fetch(c, o);
    order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_by_user);
}

uint32_t order_cancel_account(struct core *c, uint32_t account, enum order_cause cause)
{
    uint32_t count = 0;
    while (c->accounts[account].orders != NIL) {
        order_close(c, c->accounts[account].orders, ORDER_STATE_cancelled, cause);
        count += 1;
    }
    return count + spot_cancel_account(c, account);
}
