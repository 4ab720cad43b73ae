/* margin_flat.c: the margin per lot of a flat product, changed while it trades (CLEAR-08,
 * GUARD-05): in force at once, for every exposure of the product; raising it takes one officer,
 * lowering it two.
 *
 * Upstream: margin, dual. Downstream: core.c.
 */
#include "core/call.h"
#include "core/dual.h"
#include "core/margin.h"
#include "core/span.h"

#include <string.h>

static bool is_margined(const struct core *c, uint32_t account)
{
    return c->accounts[account].system == 0 && c->accounts[account].mode == MODE_margined;
}

/* Whether every account's requirement stays in range with the new margin per lot. */
static bool requirements_fit(const struct core *c, uint32_t product, int64_t flat)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        int128_t sum = c->accounts[a].requirement.v;
        for (uint32_t e = c->accounts[a].exposures; e != NIL; e = c->exposures[e].next) {
            const struct exposure *x = &c->exposures[e];
            if (c->instruments[x->instrument].product != product || !is_margined(c, a)) continue;
            int64_t worst = int64_max(x->position + x->open_buys, x->open_sells - x->position);
            sum += (int128_t)worst * flat - x->requirement.v;
        }
        if (sum > MONEY_MAX) return false;
    }
    return true;
}

static uint32_t product_margin(struct core *c, uint32_t product)
{
    uint32_t count = 0;
    uint32_t i = c->products[product].instruments;
    for (; i != NIL; i = c->instruments[i].next_of_product) {
        uint32_t e = c->instruments[i].exposures;
        for (; e != NIL; e = c->exposures[e].next_of_instrument) {
            if (!is_margined(c, c->exposures[e].account)) continue;
            if (c->exposures[e].lot_margin >= 0) {
                c->exposures[e].lot_margin = c->products[product].terms.flat_margin.v;
            }
            margin_update(c, e);
            count += 1;
        }
    }
    return count;
}

static enum reject flat_check(const struct core *c, const struct command_margin_flat *m)
{
    if (m->product == NIL || m->product > c->s->products) return REJECT_unknown_product;
    bool fit = c->products[m->product].terms.margin_model == MARGIN_flat &&
               m->flat_margin.v >= 0 && m->flat_margin.v <= PRICE_MAX;
    /* GUARD-05: a margin is not switched off, by however many officers. */
    if (m->flat_margin.v == 0 && c->products[m->product].terms.flat_margin.v != 0)
        return REJECT_guard_needed;
    if (!fit) return REJECT_invalid_margin_parameters;
    return requirements_fit(c, m->product, m->flat_margin.v) ? REJECT_none : REJECT_amount_overflow;
}

void margin_flat(struct core *c, const struct command *cmd)
{
    const struct command_margin_flat *m = &cmd->margin_flat;
    enum reject reason = flat_check(c, m);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct product *p = &c->products[m->product];
    if (m->flat_margin.v < p->terms.flat_margin.v && dual_wait(c, cmd)) return;
    money_t before = p->terms.flat_margin;
    p->terms.flat_margin = m->flat_margin;
    uint32_t count = product_margin(c, m->product);
    struct event_margin_flat *e = outbox_push(c->out, EVENT_margin_flat, sizeof *e);
    e->product = m->product;
    e->accounts = count;
    e->before = before;
    e->flat_margin = m->flat_margin;
    memcpy(e->source, m->source, sizeof e->source);
    memcpy(e->reason, m->reason, sizeof e->reason);
    event_product_push(c, c->out, m->product);
    call_run(c); /* CLEAR-09 */
}
