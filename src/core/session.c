/* session.c: the trading states of a product, and what the clock brings; MATCH-07, MATCH-02's
 * times.
 *
 * A product starts closed. A session begins when it leaves `closed`: its last trade is forgotten
 * then. Any move into `open` from another state uncrosses every book of the product first. Day
 * orders, stops too, are cancelled when the product closes; good-til-date orders when the clock
 * reaches their time: a binary heap by (time, order id), so that order is the same everywhere.
 */
#include "core/limit.h"
#include "core/delivery.h"
#include "core/implied.h"
#include "core/supply.h"

#include <string.h>

/* ---- timers ---- */

static bool timer_before(const struct core *c, uint32_t a, uint32_t b)
{
    int64_t ta = c->info[a].expires_at.v, tb = c->info[b].expires_at.v;
    return ta != tb ? ta < tb : order_at(c, a)->id < order_at(c, b)->id;
}

static void timer_put(struct core *c, uint32_t at, uint32_t o)
{
    c->timer_heap[at] = o;
    c->info[o].timer = at;
}

static void timer_up(struct core *c, uint32_t at, uint32_t o)
{
    while (at > 1 && timer_before(c, o, c->timer_heap[at / 2])) {
        timer_put(c, at, c->timer_heap[at / 2]);
        at /= 2;
    }
    timer_put(c, at, o);
}

static void timer_down(struct core *c, uint32_t at, uint32_t o)
{
    uint32_t n = c->s->timers;
    while (2 * at <= n) {
        uint32_t child = 2 * at;
        if (child < n && timer_before(c, c->timer_heap[child + 1], c->timer_heap[child])) child++;
        if (!timer_before(c, c->timer_heap[child], o)) break;
        timer_put(c, at, c->timer_heap[child]);
        at = child;
    }
    timer_put(c, at, o);
}

void timer_add(struct core *c, uint32_t o)
{
    c->s->timers += 1;
    timer_up(c, c->s->timers, o);
}

void timer_remove(struct core *c, uint32_t o)
{
    uint32_t at = c->info[o].timer;
    uint32_t last = c->timer_heap[c->s->timers];
    ASSERT(at != NIL && c->timer_heap[at] == o);
    c->s->timers -= 1;
    c->info[o].timer = NIL;
    if (last == o) return;
    timer_down(c, at, last);
    timer_up(c, c->info[last].timer, last);
}

void timer_run(struct core *c)
{
    while (c->s->timers > 0 && c->info[c->timer_heap[1]].expires_at.v <= c->s->ts.v)
        order_close(c, c->timer_heap[1], ORDER_STATE_cancelled, CAUSE_cancelled_expired);
}

/* A new UTC date: new limits; client order ids may be used again (MATCH-05). */
void session_day(struct core *c)
{
    delivery_age_day(c); /* as of the date that is over */
    c->s->day = int64_div_floor(c->s->ts.v, NS_PER_DAY);
    price_limit_day(c);
    supply_freeze(c);
    limit_sweep_start(c);
    if (c->s->client_ids == 0) return;
    memset(c->client_id_map.slots, 0,
           ((size_t)c->client_id_map.mask + 1) * sizeof(struct map_slot));
    memset(c->client_ids, 0, ((size_t)c->s->client_ids + 1) * sizeof *c->client_ids);
    memset(c->answers, 0, c->s->answer_bytes_used);
    c->s->client_id_map_count = 0;
    c->s->client_ids = 0;
    c->s->answer_bytes_used = 0;
}

/* ---- states ---- */

static void event_state_push(const struct core *c, struct outbox *out, uint32_t product,
                             enum trading_state before, const char *reason)
{
    struct event_state *e = outbox_push(out, EVENT_state, sizeof *e);
    e->product = product;
    e->state = c->products[product].state;
    e->before = before;
    e->instrument = 0;
    memset(e->reason, 0, sizeof e->reason);
    if (reason != NULL) memcpy(e->reason, reason, strnlen(reason, sizeof e->reason - 1));
}

static void day_orders_cancel(struct core *c, uint32_t product)
{
    uint32_t count = 0; /* gathered first: closing one may close linked others */
    for (uint32_t o = 1; o <= c->s->orders_used; o++) {
        const struct order *order = order_at(c, o);
        if (!order_is_live(order)) continue;
        if (order->tif != TIF_good_til_day) continue;
        if (c->instruments[order->instrument].product != product) continue;
        c->shares[count++] = (struct share){.order = o};
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!order_is_live(order_at(c, c->shares[i].order))) continue;
        order_close(c, c->shares[i].order, ORDER_STATE_cancelled, CAUSE_cancelled_expired);
    }
}

static void session_begin(struct core *c, uint32_t product)
{
    for (uint32_t i = c->products[product].instruments; i != NIL;
         i = c->instruments[i].next_of_product)
        c->instruments[i].session_last = PRICE_NONE;
}

/* Those that a protection holds alone go on by themselves. */
static void product_uncross(struct core *c, uint32_t product)
{
    for (uint32_t i = c->products[product].instruments; i != NIL;
         i = c->instruments[i].next_of_product) {
        if (!c->instruments[i].terms.expired && state_of(c, i) == STATE_open)
            auction_uncross(c, i);
    }
    uint32_t lead = guard_lead(c, product);
    if (lead != NIL) price_limit_touch(c, lead);
}

void product_move(struct core *c, uint32_t product, enum trading_state after, const char *reason)
{
    struct product *p = &c->products[product];
    enum trading_state before = (enum trading_state)p->state;
    if (before == STATE_closed && after != STATE_closed) session_begin(c, product);
    p->state = after;
    event_state_push(c, c->out, product, before, reason);
    if (after == STATE_open && before != STATE_open) product_uncross(c, product);
    if (after != before) implied_state_changed(c, product, after == STATE_open);
    if (after == STATE_closed && before != STATE_closed) day_orders_cancel(c, product);
}

void event_instrument_state_push(struct core *c, uint32_t instrument, enum trading_state before,
                                 const char *reason)
{
    event_state_push(c, c->out, c->instruments[instrument].product, before, reason);
    struct event_state *e = (struct event_state *)(void *)(c->out->bytes + c->out->used -
                                                           sizeof *e);
    e->instrument = instrument;
    e->state = state_of(c, instrument);
}

static enum reject state_check(const struct core *c, const struct command *cmd)
{
    const struct command_state_set *s = &cmd->state_set;
    if (s->product == 0 || s->product > c->s->products) return REJECT_unknown_product;
    bool over = c->products[s->product].interruption.step >= LIMIT_STEPS; /* GUARD-04 */
    if (over && s->state != STATE_closed) return REJECT_closed_for_the_day;
    bool shortens = halt_shortened(c, s->product, (enum trading_state)s->state); /* GUARD-05 */
    return shortens && s->reason[0] == 0 ? REJECT_reason_needed : REJECT_none;
}

void state_set(struct core *c, const struct command *cmd)
{
    uint32_t id = cmd->state_set.product;
    enum trading_state after = (enum trading_state)cmd->state_set.state;
    enum reject reason = state_check(c, cmd);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (halt_shortened(c, id, after) && dual_wait(c, cmd)) return;
    halt_by_officer(c, id, after, cmd->state_set.reason);
    product_move(c, id, after, cmd->state_set.reason);
}
