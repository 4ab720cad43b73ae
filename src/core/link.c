/* link.c: linked orders as Deribit's linked_order_type has them.
 *
 *   one_triggers_other                  a held child wakes when its parent fills
 *   one_cancels_other                   two live orders; a fill, election or end of one ends the
 *   other one_triggers_one_cancels_other      two held children that cancel each other once awake
 *
 * When a parent fills is its fill_condition: first_hit (any fill), complete_fill, or incremental
 * (the child follows the parent's filled amount). A parent that ends without a fill takes its held
 * children with it. A waking child is checked like a new order and queues behind what is elected.
 *
 * Invariants: (1) links are mutual and are cut on both sides when one of the two closes; (2) a held
 * order is in no book and not counted in margin.
 */
#include "core/state.h"

/* Ends the other one of a pair. */
static void sibling_end(struct core *c, uint32_t o)
{
    uint32_t sibling = c->info[o].link_sibling;
    if (sibling == NIL) return;
    c->info[o].link_sibling = NIL;
    c->info[sibling].link_sibling = NIL;
    /* Nothing left: it filled in the same auction, which is about to close it. */
    if (order_is_live(order_at(c, sibling)) && order_at(c, sibling)->left.v > 0)
        order_close(c, sibling, ORDER_STATE_cancelled, CAUSE_cancelled_linked);
}

static void child_wake(struct core *c, uint32_t child)
{
    struct order *order = order_at(c, child);
    if ((order->flags & ORDER_BIT_HELD) && !(order->flags & ORDER_BIT_QUEUED))
        election_push(c, child);
}

/* CLEAR-08 holds for what a child grows by; what is not margined does not grow. */
static bool growth_is_margined(struct core *c, uint32_t child, int64_t lots)
{
    const struct order *order = order_at(c, child);
    const struct order_info *info = &c->info[child];
    struct entry e = {.instrument = order->instrument, .side = order->side, .type = order->type,
                      .px = order->state == ORDER_STATE_open ? order->px : info->limit_px,
                      .trigger = info->trigger_px};
    px_t px = entry_margin_px(c, &e);
    int64_t missing;
    return margin_admit(c, order->account, order->instrument, order->exposure, info->exposure_b,
                        (enum side)order->side, price_of(c, order->instrument, px), lots,
                        &missing) == REJECT_none;
}

/* Incremental: a child that is awake grows with its parent. It loses time (MATCH-03) and enters
 * again behind what is elected, since with more lots it may trade. */
static void child_grow(struct core *c, uint32_t child, int64_t total)
{
    struct order *order = order_at(c, child);
    struct order_info *info = &c->info[child];
    int64_t lots = total - info->qty.v;
    if (lots <= 0) return;
    if (!(order->flags & ORDER_BIT_HELD) && !growth_is_margined(c, child, lots)) return;
    info->qty.v += lots;
    if (order->flags & ORDER_BIT_HELD) {
        order->left.v += lots;
        order->shown = order->left;
        return;
    }
    order_work(c, child, lots);
    if (order->flags & ORDER_BIT_TRIGGER) {
        book_change(&c->pools, trigger_book(c, child), child, lots, lots);
        book_requeue(&c->pools, trigger_book(c, child), child);
    } else {
        if (order->level != NIL) {
            uint32_t level = c->pools.levels[order->level].count > 1 ? order->level : NIL;
            struct instrument *in = &c->instruments[order->instrument];
            book_remove(&c->pools, &in->book, child);
            if (in->top[order->side] == child) in->top[order->side] = NIL;
            book_touched(c, order->instrument);
            event_level_push(c, c->out, order->instrument, (enum side)order->side, order->px,
                             level);
        }
        order->left.v += lots;
        order->shown = order->left;
        if (!(order->flags & ORDER_BIT_QUEUED)) election_push(c, child);
    }
    event_order_push(c, c->out, child, CAUSE_edited);
}

/* The children of a parent that filled (again). */
static void link_wake(struct core *c, uint32_t parent)
{
    struct order_info *info = &c->info[parent];
    uint32_t first = info->link_child;
    uint32_t second = first != NIL ? c->info[first].link_sibling : NIL;
    uint32_t children[2] = {first, second};
    bool incremental = info->fill_condition == FILL_CONDITION_incremental;
    for (int i = 0; i < 2; i++) {
        uint32_t child = children[i];
        if (child == NIL || !order_is_live(order_at(c, child))) continue;
        if (incremental) {
            if (order_at(c, child)->flags & ORDER_BIT_HELD && info->filled.v < info->qty.v &&
                !(order_at(c, child)->flags & ORDER_BIT_QUEUED)) {
                c->info[child].qty = info->filled;
                order_at(c, child)->left = info->filled;
                order_at(c, child)->shown = info->filled;
            } else {
                child_grow(c, child, info->filled.v);
            }
        } else {
            c->info[child].link_parent = NIL;
        }
        child_wake(c, child);
    }
    if (!incremental) info->link_child = NIL;
}

void link_filled(struct core *c, uint32_t o)
{
    const struct order_info *info = &c->info[o];
    if (info->link_child != NIL && info->filled.v > 0 &&
        info->fill_condition != FILL_CONDITION_complete_fill)
        link_wake(c, o);
    if (info->link_type == LINK_one_cancels_other) sibling_end(c, o);
}

static void children_cut(struct core *c, uint32_t o, bool end)
{
    uint32_t first = c->info[o].link_child;
    if (first == NIL) return;
    uint32_t second = c->info[first].link_sibling;
    uint32_t children[2] = {first, second};
    c->info[o].link_child = NIL;
    for (int i = 0; i < 2; i++) {
        if (children[i] == NIL) continue;
        c->info[children[i]].link_parent = NIL;
    }
    if (end && order_is_live(order_at(c, first)) && (order_at(c, first)->flags & ORDER_BIT_HELD))
        order_close(c, first, ORDER_STATE_cancelled, CAUSE_cancelled_linked); /* and its partner */
}

void link_closed(struct core *c, uint32_t o)
{
    struct order_info *info = &c->info[o];
    bool filled = order_at(c, o)->state == ORDER_STATE_filled;
    if (info->link_child != NIL) {
        if (filled) link_wake(c, o);
        children_cut(c, o, !filled);
    }
    if (info->link_parent != NIL) {
        struct order_info *parent = &c->info[info->link_parent];
        if (parent->link_child == o) parent->link_child = info->link_sibling;
        info->link_parent = NIL;
    }
    sibling_end(c, o);
}

/* The entry that a held order makes when it wakes. */
static struct entry entry_of_held(const struct core *c, uint32_t o)
{
    const struct order *order = order_at(c, o);
    const struct order_info *info = &c->info[o];
    return (struct entry){.account = order->account, .instrument = order->instrument,
                          .flags = order->flags & ORDER_FLAGS_ALL, .side = order->side,
                          .type = order->type, .tif = order->tif, .smp_mode = info->smp_mode,
                          .waking = 1,
                          .px = info->limit_px, .trigger = info->trigger_px,
                          .offset = info->offset, .qty = order->left.v,
                          .max_show = info->max_show.v, .smp_id = info->smp_id};
}

void link_activate(struct core *c, uint32_t o)
{
    struct order *order = order_at(c, o);
    struct order_info *info = &c->info[o];
    struct entry e = entry_of_held(c, o);
    int64_t detail;
    if (entry_check(c, &e, &detail) != REJECT_none) {
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_linked);
        return;
    }
    if (type_is_trigger((enum order_type)e.type)) info->trigger_px = e.trigger;
    px_t px = entry_margin_px(c, &e);
    if (margin_admit(c, e.account, e.instrument, order->exposure, info->exposure_b,
                     (enum side)e.side, price_of(c, e.instrument, px), e.qty,
                     &detail) != REJECT_none) {
        order_close(c, o, ORDER_STATE_cancelled, CAUSE_cancelled_margin);
        return;
    }
    order->flags &= ~(uint32_t)ORDER_BIT_HELD;
    info->qty.v -= order->left.v - e.qty; /* reduce-only is cut to the position */
    order->left = QTY(e.qty);
    order->shown = order->left;
    order->px = e.px;
    info->limit_px = e.px;
    if (!type_is_trigger((enum order_type)order->type)) order->state = ORDER_STATE_open;
    order_work(c, o, e.qty);
    event_order_push(c, c->out, o, CAUSE_triggered);
    order_start(c, o);
}
