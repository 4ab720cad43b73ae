/* demo_flow.c: fair values that move, and what makers, funds and takers do about them. */
#include "node/demo_internal.h"

#include <string.h>

enum {
    STEP_MS = 100,            /* of the fair values */
    MARKET_TAU = 6000,        /* steps in which a deviation fades: ten minutes */
    OWN_TAU = 1200,
    TREND_TAU = 50,
    NOISE_DEVIATION = 37837,  /* of the sum of four uniform 16-bit numbers */
    QUOTES_A_COMMAND = 8,
};
#define MARKET_NOISE INT64_C(180000) /* 10^-9 a step: 1% in the long run */
#define OWN_NOISE INT64_C(60000)
#define SHOCK INT64_C(4000000)       /* 0.4%, every few minutes */
#define SCALE INT64_C(1000000000)

/* Nearly normal, of this standard deviation. */
static int64_t noise(struct demo *d, int64_t deviation)
{
    uint64_t r = random_next(&d->random);
    int64_t sum = -2 * 65535;
    for (int i = 0; i < 4; i++) sum += (int64_t)((r >> (16 * i)) & 0xffff);
    return deviation * sum / NOISE_DEVIATION;
}

static uint32_t below(struct demo *d, uint32_t bound)
{
    return (uint32_t)random_below(&d->random, bound);
}

/* Few large, many small: 1 .. about 40 units. */
static int64_t lots(struct demo *d, const struct demo_instrument *i, uint32_t usual)
{
    uint32_t size = 1 + below(d, usual);
    uint32_t luck = below(d, 100);
    if (luck < 20) size += below(d, usual * 3);
    if (luck < 4) size += below(d, usual * 8);
    return (int64_t)size * i->lots;
}

void demo_step_values(struct demo *d, ts_t now)
{
    int64_t steps = (now.v - d->stepped.v) / (STEP_MS * NS_PER_MS);
    if (steps > 50) steps = 50;
    if (steps <= 0) return;
    d->stepped = now;
    for (int64_t s = 0; s < steps; s++) {
        int64_t change = noise(d, MARKET_NOISE) - d->market / MARKET_TAU;
        if (below(d, 2400) == 0) change += below(d, 2) == 0 ? SHOCK : -SHOCK;
        d->market += change;
        d->trend += (change * TREND_TAU - d->trend) / TREND_TAU;
        for (uint32_t k = 0; k < d->instrument_count; k++) {
            struct demo_instrument *i = &d->instruments[k];
            if (i->legs[0] == 0) i->own += noise(d, OWN_NOISE) - i->own / OWN_TAU;
        }
    }
}

struct demo_instrument *demo_find(struct demo *d, uint32_t id)
{
    for (uint32_t k = 0; k < d->instrument_count; k++) {
        if (d->instruments[k].id == id) return &d->instruments[k];
    }
    return NULL;
}

/* After a restart the fair values go on from the last prices. */
void demo_resume_values(struct demo *d)
{
    int64_t sum = 0;
    int64_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t k = 0; k < d->instrument_count; k++) {
            struct demo_instrument *i = &d->instruments[k];
            const struct outbox *events = NULL;
            struct query q = {.kind = QUERY_ticker, .instrument = i->id, .now = d->last};
            if (i->legs[0] != 0 || i->mean <= 0) continue;
            d->venue->query(d->venue->context, &q, &events);
            const struct event_ticker *t = (const void *)outbox_next(events, NULL);
            if (t == NULL || t->header.kind != EVENT_ticker || price_is_none(t->last)) continue;
            int128_t away = (int128_t)(t->last.v - i->mean) * SCALE;
            int64_t deviation = (int64_t)int128_div_floor(away, i->mean);
            deviation = int64_max(-SCALE / 20, int64_min(SCALE / 20, deviation));
            if (pass == 1) i->own = deviation - d->market;
            sum += deviation;
            count += 1;
        }
        if (count == 0) return;
        if (pass == 0) d->market = sum / count;
    }
}

static int64_t outright_fair(const struct demo *d, const struct demo_instrument *i)
{
    int128_t value = (int128_t)i->mean * (SCALE + d->market + i->own);
    return (int64_t)int128_div_floor(value, SCALE);
}

int64_t demo_fair(const struct demo *d, const struct demo_instrument *i)
{
    if (i->legs[0] == 0) return outright_fair(d, i);
    const struct demo_instrument *legs[SPREAD_LEGS_MAX] = {NULL, NULL};
    for (uint32_t k = 0; k < d->instrument_count; k++) {
        if (d->instruments[k].id == i->legs[0]) legs[0] = &d->instruments[k];
        if (d->instruments[k].id == i->legs[1]) legs[1] = &d->instruments[k];
    }
    if (legs[0] == NULL || legs[1] == NULL) return 0;
    return outright_fair(d, legs[0]) - outright_fair(d, legs[1]);
}

/* An instrument by weight; NULL: none trades. */
static struct demo_instrument *pick(struct demo *d)
{
    if (d->weight_sum == 0) return NULL;
    uint32_t at = below(d, d->weight_sum);
    for (uint32_t k = 0; k < d->instrument_count; k++) {
        if (at < d->instruments[k].weight) return &d->instruments[k];
        at -= d->instruments[k].weight;
    }
    return NULL;
}

static price_t on_tick(const struct demo_instrument *i, int64_t value, bool up)
{
    int64_t ticks = int64_div_floor(value + (up ? i->tick.v - 1 : 0), i->tick.v);
    return PRICE(ticks * i->tick.v);
}

static bool under_floor(const struct demo *d, const struct demo_instrument *i, price_t price)
{
    const struct demo_product *p = &d->products[i->product];
    return i->legs[0] == 0 && (p->flags & PRODUCT_FLAG_HAS_FLOOR) != 0 && price.v < p->floor.v;
}

/* The position in lots, out of the answer to QUERY_positions. */
static int64_t position(const struct outbox *events, uint32_t instrument)
{
    for (const struct event_header *e = outbox_next(events, NULL); e != NULL;
         e = outbox_next(events, e)) {
        const struct event_position *p = (const struct event_position *)(const void *)e;
        if (e->kind == EVENT_position && p->instrument == instrument) return p->qty.v;
    }
    return 0;
}

/* One maker's two-sided quote: the higher its number, the farther off and the larger. It leans
 * against its position. */
static struct quote maker_quote(struct demo *d, uint32_t maker, const struct demo_instrument *i,
                                int64_t held)
{
    int64_t tick = i->tick.v;
    int64_t wide = i->weight >= 8 ? 1 : 2;
    int64_t away = (1 + maker) * wide + below(d, 2 + maker / 3);
    int64_t lean = -held / (int64_t)(20 * i->lots);
    if (lean > 6) lean = 6;
    if (lean < -6) lean = -6;
    int64_t fair = demo_fair(d, i) + lean * tick / 2;
    struct quote q = {.instrument = i->id, .flags = ORDER_FLAG_POST_ONLY,
                      .ask_flags = ORDER_FLAG_POST_ONLY,
                      .bid_price = on_tick(i, fair - away * tick + tick / 2, false),
                      .bid_qty = QTY(lots(d, i, 5 + 2 * maker)),
                      .ask_price = on_tick(i, fair + away * tick - tick / 2, true),
                      .ask_qty = QTY(lots(d, i, 5 + 2 * maker))};
    if (under_floor(d, i, q.bid_price)) q.bid_qty = QTY(0);
    if (under_floor(d, i, q.ask_price)) q.ask_qty = QTY(0);
    return q;
}

static int quote(struct demo *d, struct command *c)
{
    c->header.size = (uint32_t)(sizeof c->header + offsetof(struct command_mass_quote, quotes) +
                                c->mass_quote.count * sizeof c->mass_quote.quotes[0]);
    const struct outbox *events = NULL;
    return demo_submit(d, c, &events);
}

static int act_maker(struct demo *d)
{
    uint32_t maker = below(d, DEMO_MAKERS);
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_positions, .account = d->accounts[maker]};
    d->venue->query(d->venue->context, &q, &events);
    struct command c;
    demo_command(&c, COMMAND_mass_quote, d->accounts[maker]);
    struct command_mass_quote *m = &c.mass_quote;
    for (int tries = 0; tries < QUOTES_A_COMMAND; tries++) {
        const struct demo_instrument *i = pick(d);
        if (i == NULL) break;
        bool twice = false;
        for (uint32_t k = 0; k < m->count; k++) twice |= m->quotes[k].instrument == i->id;
        if (!twice) m->quotes[m->count++] = maker_quote(d, maker, i, position(events, i->id));
    }
    return m->count == 0 ? 0 : quote(d, &c);
}

/* At the start every maker quotes everything, so that there is a market at once. */
int demo_quote_all(struct demo *d)
{
    int rc = 0;
    for (uint32_t maker = 0; rc == 0 && maker < DEMO_MAKERS; maker++) {
        for (uint32_t k = 0; rc == 0 && k < d->instrument_count;) {
            struct command c;
            demo_command(&c, COMMAND_mass_quote, d->accounts[maker]);
            struct command_mass_quote *m = &c.mass_quote;
            for (; k < d->instrument_count && m->count < QUOTES_MAX; k++) {
                if (d->instruments[k].weight == 0) continue;
                m->quotes[m->count++] = maker_quote(d, maker, &d->instruments[k], 0);
            }
            if (m->count != 0) rc = quote(d, &c);
        }
    }
    return rc;
}

static struct command_order_new *order(struct demo *d, struct command *c, uint32_t account,
                                       const struct demo_instrument *i, enum side side)
{
    (void)d;
    demo_command(c, COMMAND_order_new, account);
    c->header.size = COMMAND_ORDER_NEW_BARE_SIZE;
    struct command_order_new *o = &c->order_new;
    o->instrument = i->id;
    o->side = (uint8_t)side;
    o->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    return o;
}

static int cancel_one(struct demo *d, struct demo_fund *f, uint32_t account)
{
    uint32_t at = below(d, f->count);
    struct command c;
    demo_command(&c, COMMAND_order_cancel, account);
    c.order_cancel.order_id = f->orders[at];
    f->orders[at] = f->orders[--f->count];
    const struct outbox *events = NULL;
    return demo_submit(d, &c, &events);
}

/* A fund leaves orders away from the market, most of them near, and thinks again now and then. */
static int act_fund(struct demo *d)
{
    uint32_t number = below(d, DEMO_FUNDS);
    struct demo_fund *f = &d->funds[number];
    uint32_t account = d->accounts[DEMO_MAKERS + number];
    if (f->count == DEMO_ORDERS_MAX || (f->count > 16 && below(d, 100) < 45))
        return cancel_one(d, f, account);
    const struct demo_instrument *i = pick(d);
    if (i == NULL) return 0;
    enum side side = below(d, 2) == 0 ? SIDE_buy : SIDE_sell;
    int64_t away = 2 + below(d, 14) + (below(d, 4) == 0 ? below(d, 40) : 0);
    int64_t fair = demo_fair(d, i) + (side == SIDE_buy ? -away : away) * i->tick.v;
    struct command c;
    struct command_order_new *o = order(d, &c, account, i, side);
    o->price = on_tick(i, fair, side == SIDE_sell);
    o->qty = QTY(lots(d, i, 12));
    if (under_floor(d, i, o->price)) return 0;
    if (o->qty.v >= 20 && below(d, 4) == 0) {
        o->flags |= ORDER_FLAG_HAS_MAX_SHOW;
        o->max_show = QTY(o->qty.v / 4);
    }
    const struct outbox *events = NULL;
    int rc = demo_submit(d, &c, &events);
    if (rc < 0) return rc;
    const struct event_header *e = outbox_next(events, NULL);
    const struct event_order *made = (const struct event_order *)(const void *)e;
    if (e != NULL && e->kind == EVENT_order) f->orders[f->count++] = made->order_id;
    return rc;
}

/* A taker follows the trend, or nothing at all, and takes what is there. In an auction it leaves a
 * limit order that crosses. */
static int act_taker(struct demo *d)
{
    const struct demo_instrument *i = pick(d);
    if (i == NULL) return 0;
    uint32_t taker = DEMO_MAKERS + DEMO_FUNDS + below(d, DEMO_TAKERS);
    int64_t lean = d->trend * 4 / MARKET_NOISE;
    if (lean > 30) lean = 30;
    if (lean < -30) lean = -30;
    enum side side = (int64_t)below(d, 100) < 50 + lean ? SIDE_buy : SIDE_sell;
    int64_t through = (2 + below(d, 5)) * i->tick.v;
    struct command c;
    struct command_order_new *o = order(d, &c, d->accounts[taker], i, side);
    o->price = side == SIDE_buy ? on_tick(i, demo_fair(d, i) + through, true)
                                : on_tick(i, demo_fair(d, i) - through, false);
    o->qty = QTY(lots(d, i, 4));
    bool open = d->products[i->product].state == STATE_open;
    o->tif = open ? TIF_immediate_or_cancel : TIF_good_til_day;
    if (under_floor(d, i, o->price)) return 0;
    const struct outbox *events = NULL;
    return demo_submit(d, &c, &events);
}

int demo_leave_orders(struct demo *d, int count)
{
    int rc = 0;
    for (int n = 0; rc == 0 && n < count; n++) rc = act_fund(d);
    return rc;
}

int demo_act(struct demo *d)
{
    uint32_t what = below(d, 100);
    if (what < 55) return act_maker(d);
    if (what < 80) return act_fund(d);
    return act_taker(d);
}
