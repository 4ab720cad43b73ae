/* cascade.c: see cascade.h. */
#include "core/cascade.h"

#include "core/delivery.h"
#include "core/ledger.h"
#include "core/limit.h"
#include "core/margin.h"
#include "core/novation.h"
#include "core/schedule.h"
#include "core/settlement.h"

bool cascade_applies(const struct core *c, uint32_t instrument)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    uint32_t cascades = product_of(c, instrument)->terms.calendar.cascades;
    return t->is_spread == 0 && t->period < PERIOD_none && (cascades >> t->period & 1) != 0;
}

bool cascade_came_from(const struct core *c, uint32_t instrument, uint32_t parent)
{
    const uint32_t *from = c->instruments[instrument].cascaded_from;
    for (uint32_t i = 0; i < CASCADE_PARENTS_MAX && from[i] != NIL; i++) {
        if (from[i] == parent || cascade_came_from(c, from[i], parent)) return true;
    }
    return false;
}

/* ---- the shorter contracts ---- */

static struct period period_of(const struct event_instrument *t)
{
    return (struct period){.kind = (enum period_kind)t->period,
                           .block = (enum block_kind)t->block,
                           .first_hour = t->start.v / NS_PER_HOUR,
                           .end_hour = t->end.v / NS_PER_HOUR};
}

/* Adds the parts that have an hour of the block (a Sunday has no peak); of one that has become
 * shorter ones already, its parts. */
static void parts_add(const struct core *c, struct cascade *k, const struct period *whole)
{
    uint32_t product = c->instruments[k->instrument].product;
    const struct command_product_create *p = &c->products[product].terms;
    struct period parts[CALENDAR_PARTS_MAX];
    uint32_t count = calendar_parts(whole, parts);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t hours = calendar_hours(&parts[i], p->peak_start_hour, p->peak_end_hour);
        uint32_t id = hours == 0 ? NIL : instrument_find(c, product, &parts[i]);
        bool done = id != NIL && c->instruments[id].terms.expired == EXPIRY_done;
        if (hours == 0) continue;
        if (done && cascade_applies(c, id)) {
            parts_add(c, k, &parts[i]); /* years to days: three deep */
            continue;
        }
        ASSERT(k->count < CASCADE_CHILDREN_MAX);
        k->hours += hours;
        k->children[k->count] = id;
        k->parts[k->count++] = parts[i];
    }
}

static enum reject child_list(struct core *c, uint32_t product, const struct period *period,
                              uint32_t *id)
{
    struct command_instrument_list l = {.product = product};
    calendar_period_name(period, l.period);
    enum reject reason = instrument_open(c, &l, true, id);
    if (reason != REJECT_none) return reason;
    struct instrument *in = &c->instruments[*id];
    if (in->terms.expires_at.v > c->s->ts.v) return REJECT_none;
    in->terms.expired = EXPIRY_waits; /* it was never traded, and is settled or goes on */
    event_instrument_push(c, c->out, *id);
    return REJECT_none;
}

static enum reject children_list(struct core *c, struct cascade *k)
{
    uint32_t product = c->instruments[k->instrument].product;
    for (uint32_t i = 0; i < k->count; i++) {
        uint32_t *child = &k->children[i];
        if (*child != NIL) continue;
        enum reject reason = child_list(c, product, &k->parts[i], child);
        if (reason != REJECT_none) return reason;
        k->listed += 1;
    }
    return REJECT_none;
}

/* One that has been settled for good takes nothing more: its hours end at the long contract's final
 * price, to which they are marked. */
static void settled_drop(const struct core *c, struct cascade *k)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        uint32_t child = k->children[i];
        if (child != NIL && c->instruments[child].terms.expired == EXPIRY_done) {
            k->hours -= c->instruments[child].terms.hours;
            continue;
        }
        k->children[kept] = child;
        k->parts[kept++] = k->parts[i];
    }
    k->count = kept;
}

/* ---- room ---- */

static bool is_moved(const struct core *c, uint32_t e, uint32_t ccp)
{
    return e != ccp && c->exposures[e].position != 0;
}

static uint64_t positions_count(const struct core *c, uint32_t instrument)
{
    const struct instrument *in = &c->instruments[instrument];
    uint64_t count = 0;
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument)
        count += is_moved(c, e, in->exposure_ccp) ? 1 : 0;
    return count;
}

/* Before anything is listed; as if no account held one of the shorter contracts yet. */
static bool has_room(const struct core *c, const struct cascade *k)
{
    uint64_t positions = positions_count(c, k->instrument) + 1; /* the clearing house's own */
    uint64_t used = c->s->exposure_map_count;
    uint32_t missing = 0;
    for (uint32_t i = 0; i < k->count; i++) missing += k->children[i] == NIL ? 1 : 0;
    return c->s->instruments + missing <= c->limits.instruments &&
           used + positions * k->count <= c->limits.exposures;
}

/* The exposures in the shorter contracts, position by position, kept for cascade_move. */
static enum reject exposures_make(struct core *c, const struct cascade *k)
{
    const struct instrument *in = &c->instruments[k->instrument];
    int64_t most = margin_lots_max(c);
    uint32_t *to = c->cascade_to;
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        if (!is_moved(c, e, in->exposure_ccp)) continue;
        uint32_t account = c->exposures[e].account;
        int64_t lots = int64_abs(c->exposures[e].position);
        for (uint32_t i = 0; i < k->count; i++) {
            uint32_t f = exposure_get(c, account, k->children[i]);
            if (f == NIL) return REJECT_capacity_exhausted;
            const struct exposure *x = &c->exposures[f];
            int64_t held = int64_abs(x->position) +
                           int64_max(x->open_buys, x->open_sells);
            int128_t cost = (int128_t)lots * k->price.v + x->cost;
            if (held + lots > most || cost > MARGIN_COST_MAX || cost < -MARGIN_COST_MAX)
                return REJECT_amount_overflow;
            *to++ = f;
        }
    }
    return REJECT_none;
}

enum reject cascade_prepare(struct core *c, uint32_t instrument, price_t price, struct cascade *k)
{
    struct period whole = period_of(&c->instruments[instrument].terms);
    k->instrument = instrument;
    k->count = k->listed = k->hours = 0;
    k->price = price;
    parts_add(c, k, &whole);
    ASSERT(k->hours == c->instruments[instrument].terms.hours); /* (1) */
    settled_drop(c, k);
    if (k->count == 0) return REJECT_instrument_expired;
    if (!has_room(c, k)) return REJECT_capacity_exhausted;
    enum reject reason = children_list(c, k);
    return reason != REJECT_none ? reason : exposures_make(c, k);
}

/* ---- the positions ---- */

static void child_adopt(struct core *c, uint32_t child, uint32_t parent)
{
    uint32_t *from = c->instruments[child].cascaded_from, i = 0;
    while (i < CASCADE_PARENTS_MAX && from[i] != NIL) i++;
    ASSERT(i < CASCADE_PARENTS_MAX); /* (3) */
    from[i] = parent;
}

/* What has no price yet has that of the contract it came from. */
static void child_price(struct core *c, uint32_t child, const struct cascade *k)
{
    struct instrument *in = &c->instruments[child];
    if (price_is_none(in->settlement)) {
        struct settlement_made made = settlement_made_of(c, child, c->s->day);
        struct event_settlement_source source = {.instrument = k->instrument, .weight = 1,
                                                 .price = k->price, .implied = k->price};
        made.tier = SETTLEMENT_TIER_cascade;
        made.price = k->price;
        struct event_settlement *e = settlement_open(c, child, &made);
        settlement_source(c, e, &source);
        settlement_close(c, e);
    }
    if (in->terms.expired == EXPIRY_waits) schedule_expiry(c, child, c->s->ts);
}

/* `lots` of exposure e, in the chain's instrument, opened at the price. */
static void position_open(struct core *c, struct ledger_chain *chain, uint32_t e, int64_t lots,
                          price_t price)
{
    struct exposure *x = &c->exposures[e];
    int64_t before = int64_max(x->position, 0);
    novation_exposure_trade(x, lots, price);
    ledger_chain_position(chain, e, lots, POSTING_cascade);
    c->instruments[x->instrument].open_interest.v += int64_max(x->position, 0) - before;
    margin_update(c, e);
    if (x->reduce_only > 0) reduce_only_cut(c, e);
}

static uint64_t positions_move(struct core *c, const struct cascade *k, uint64_t *chain_first)
{
    struct instrument *in = &c->instruments[k->instrument];
    struct ledger_chain chains[CASCADE_CHILDREN_MAX];
    struct ledger_chain out = ledger_chain_open(c, k->instrument, 0);
    const uint32_t *to = c->cascade_to;
    uint64_t moved = 0;
    *chain_first = out.id;
    for (uint32_t i = 0; i < k->count; i++) chains[i] = ledger_chain_open(c, k->children[i], 0);
    for (uint32_t e = in->exposures; e != NIL; e = c->exposures[e].next_of_instrument) {
        struct exposure *x = &c->exposures[e];
        int64_t lots = x->position;
        if (!is_moved(c, e, in->exposure_ccp)) continue;
        ledger_chain_position(&out, e, -lots, POSTING_cascade);
        x->cost = 0;
        x->entry_cost = 0;
        margin_update(c, e);
        for (uint32_t i = 0; i < k->count; i++) {
            delivery_age_move(c, e, *to, lots, 1);
            position_open(c, &chains[i], *to++, lots, k->price);
        }
        moved += 1;
    }
    for (uint32_t i = 0; i < k->count; i++) ledger_chain_close(&chains[i]); /* (2) */
    ledger_chain_close(&out);
    return moved;
}

void cascade_move(struct core *c, const struct cascade *k)
{
    struct instrument *in = &c->instruments[k->instrument];
    int64_t open_interest = in->open_interest.v;
    uint64_t chain;
    uint64_t moved = positions_move(c, k, &chain);
    in->open_interest = QTY(0);
    for (uint32_t i = 0; i < k->count; i++) {
        child_adopt(c, k->children[i], k->instrument);
        child_price(c, k->children[i], k);
    }
    struct event_cascade *e = outbox_push(c->out, EVENT_cascade, sizeof *e);
    e->instrument = k->instrument;
    e->children = k->count;
    e->listed = k->listed;
    e->hours = k->hours;
    e->positions = moved;
    e->open_interest = open_interest;
    e->price = k->price;
    e->chain_id = chain;
}
