/* made.c: see made.h. */
#include "made.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t below(struct made *m, uint64_t bound)
{
    return (int64_t)random_below(&m->random, bound);
}

void made_start(struct made *m, uint64_t seed, int64_t ns_per_step)
{
    memset(m, 0, sizeof *m);
    m->random.state = seed;
    m->ts = TS(INT64_C(1799020800) * NS_PER_SECOND);
    m->ns_per_step = ns_per_step;
}

static void directory(struct made *m)
{
    struct event_asset *asset = outbox_push(&m->out, EVENT_asset, sizeof *asset);
    *asset = (struct event_asset){.header = asset->header, .id = ASSET_USD, .name = "USD"};
    struct event_product *p = outbox_push(&m->out, EVENT_product, sizeof *p);
    *p = (struct event_product){.header = p->header, .id = 1, .state = STATE_open};
    (void)snprintf(p->terms.name, sizeof p->terms.name, "ZZ");
    p->terms.tick = PRICE(1000);
    p->terms.contract_size = E6;
    for (uint32_t i = 1; i <= MADE_ACCOUNTS; i++) {
        struct event_account *a = outbox_push(&m->out, EVENT_account, sizeof *a);
        *a = (struct event_account){.header = a->header, .id = i, .member = 1,
                                    .system = i < MADE_TRADER};
        (void)snprintf(a->name, sizeof a->name, "account%u", i);
    }
    struct event_index *x = outbox_push(&m->out, EVENT_index, sizeof *x);
    *x = (struct event_index){.header = x->header, .id = 1};
    (void)snprintf(x->terms.name, sizeof x->terms.name, "CTX");
    for (uint32_t i = 1; i <= MADE_INSTRUMENTS; i++) {
        struct event_instrument *e = outbox_push(&m->out, EVENT_instrument, sizeof *e);
        *e = (struct event_instrument){.header = e->header, .id = i, .product = 1,
                                       .tick = PRICE(1000), .contract_size = E6};
        (void)snprintf(e->name, sizeof e->name, "ZZ-2027M%02u", i);
    }
}

static void post(struct made *m, uint32_t account, uint32_t asset, int64_t amount, uint16_t code,
                 uint64_t reference)
{
    int64_t *balance = asset >= ASSET_INSTRUMENT ? &m->position[account][asset - ASSET_INSTRUMENT]
                                                 : &m->cash[account];
    *balance += amount;
    struct event_posting *e = outbox_push(&m->out, EVENT_posting, sizeof *e);
    *e = (struct event_posting){
        .header = e->header, .posting_id = ++m->posting_id, .chain_id = m->chain_id,
        .account = account, .asset = asset, .code = code, .amount = amount, .balance = *balance,
        .reference = reference,
        .instrument = asset >= ASSET_INSTRUMENT ? asset - ASSET_INSTRUMENT : 0};
}

static void push_order(struct made *m, struct made_order *o, uint8_t state, uint8_t cause)
{
    o->state.state = state;
    o->state.cause = cause;
    o->state.left = QTY(state == ORDER_STATE_open ? o->state.qty.v - o->state.filled.v : 0);
    o->state.shown = o->state.left;
    o->state.modified = m->ts;
    struct event_order *e = outbox_push(&m->out, EVENT_order, sizeof *e);
    struct event_header header = e->header;
    *e = o->state;
    e->header = header;
}

static struct made_order order_make(struct made *m)
{
    m->order_serial += 1;
    struct made_order o = {
        .state = {.order_id = m->order_serial << 24 | (m->order_serial & 0xffff),
                  .account = (uint32_t)(MADE_TRADER + below(m, MADE_ACCOUNTS - MADE_TRADER + 1)),
                  .instrument = (uint32_t)(1 + below(m, MADE_INSTRUMENTS)),
                  .side = (uint8_t)below(m, 2), .price = PRICE((90 + below(m, 20)) * E6),
                  .qty = QTY(1 + below(m, 20)), .trigger = PRICE_NONE, .created = m->ts}};
    return o;
}

static void step_rest(struct made *m)
{
    struct made_order *o = &m->open[m->open_count++];
    *o = order_make(m);
    if (below(m, 4) == 0) {
        struct event_order_text *t = outbox_push(&m->out, EVENT_order_text, sizeof *t);
        *t = (struct event_order_text){.header = t->header, .order_id = o->state.order_id};
        (void)snprintf(t->label, sizeof t->label, "label%d", (int)(m->order_serial % 100));
    }
    push_order(m, o, ORDER_STATE_open, CAUSE_new);
}

static void fill(struct made_order *o, int64_t qty, price_t price)
{
    o->state.filled.v += qty;
    o->state.notional_low += (uint64_t)(qty * price.v);
}

static void push_trade(struct made *m, const struct made_order *maker,
                       const struct made_order *taker, int64_t qty)
{
    uint8_t side = taker->state.side;
    struct event_trade *t = outbox_push(&m->out, EVENT_trade, sizeof *t);
    *t = (struct event_trade){
        .header = t->header, .trade_id = ++m->trade_id,
        .instrument_seq = ++m->instrument_seq[maker->state.instrument],
        .instrument = maker->state.instrument, .aggressor_side = side,
        .price = maker->state.price, .qty = QTY(qty), .mark = PRICE_NONE};
    t->order_id[side] = taker->state.order_id;
    t->account[side] = taker->state.account;
    t->order_id[1 - side] = maker->state.order_id;
    t->account[1 - side] = maker->state.account;
    t->maker[1 - side] = 1;
    t->fee[0] = t->fee[1] = MONEY(500000);
    uint32_t asset = ASSET_INSTRUMENT + maker->state.instrument;
    m->chain_id += 1;
    int64_t signed_qty = side == SIDE_buy ? qty : -qty;
    post(m, taker->state.account, asset, signed_qty, POSTING_trade, m->trade_id);
    post(m, 1, asset, -signed_qty, POSTING_trade, m->trade_id);
    post(m, maker->state.account, asset, -signed_qty, POSTING_trade, m->trade_id);
    post(m, 1, asset, signed_qty, POSTING_trade, m->trade_id);
    m->chain_id += 1;
    post(m, taker->state.account, ASSET_USD, -500000, POSTING_fee_trade, m->trade_id);
    post(m, maker->state.account, ASSET_USD, -500000, POSTING_fee_trade, m->trade_id);
    post(m, 3, ASSET_USD, 1000000, POSTING_fee_trade, m->trade_id);
}

static void step_trade(struct made *m)
{
    uint32_t place = (uint32_t)below(m, m->open_count);
    struct made_order *maker = &m->open[place];
    struct made_order taker = order_make(m);
    taker.state.instrument = maker->state.instrument;
    taker.state.side = 1 - maker->state.side;
    taker.state.price = maker->state.price;
    taker.state.tif = TIF_immediate_or_cancel;
    push_order(m, &taker, ORDER_STATE_open, CAUSE_new);
    int64_t qty = int64_min(taker.state.qty.v, maker->state.qty.v - maker->state.filled.v);
    push_trade(m, maker, &taker, qty);
    fill(maker, qty, maker->state.price);
    fill(&taker, qty, maker->state.price);
    bool done = maker->state.filled.v == maker->state.qty.v;
    push_order(m, maker, done ? ORDER_STATE_filled : ORDER_STATE_open, CAUSE_filled);
    bool all = taker.state.filled.v == taker.state.qty.v;
    push_order(m, &taker, all ? ORDER_STATE_filled : ORDER_STATE_cancelled,
               all ? CAUSE_filled : CAUSE_cancelled_remainder);
    if (done) *maker = m->open[--m->open_count];
}

static void step_cancel(struct made *m)
{
    uint32_t place = (uint32_t)below(m, m->open_count);
    push_order(m, &m->open[place], ORDER_STATE_cancelled, CAUSE_cancelled_by_user);
    m->open[place] = m->open[--m->open_count];
}

static void step_money(struct made *m)
{
    uint32_t account = (uint32_t)(MADE_TRADER + below(m, MADE_ACCOUNTS - MADE_TRADER + 1));
    bool in = below(m, 3) != 0;
    int64_t amount = (1 + below(m, 1000)) * E6;
    m->chain_id += 1;
    uint16_t code = in ? POSTING_deposit : POSTING_withdrawal;
    post(m, account, ASSET_USD, in ? amount : -amount, code, 0);
    post(m, 2, ASSET_USD, in ? -amount : amount, code, 0);
}

/* Every lot needs 1 USD; who has less is called and liquidated a lot; a trade that is not there is
 * undone. */
static void push_standing(struct made *m, uint32_t account)
{
    int64_t need = 0, missing;
    for (int i = 1; i <= MADE_INSTRUMENTS; i++) need += llabs(m->position[account][i]) * E6;
    missing = need > m->cash[account] ? need - m->cash[account] : 0;
    struct event_standing *e = outbox_push(&m->out, EVENT_standing, sizeof *e);
    *e = (struct event_standing){.header = e->header, .mark_id = m->settlement_id,
                                 .account = account, .cash = MONEY(m->cash[account]),
                                 .equity = MONEY(m->cash[account]), .initial = MONEY(need),
                                 .maintenance = MONEY(need), .missing = MONEY(missing),
                                 .taken = m->ts};
    if (missing == 0) return;
    struct event_call *call = outbox_push(&m->out, EVENT_call, sizeof *call);
    *call = (struct event_call){.header = call->header, .id = m->settlement_id,
                                .account = account, .state = CALL_open,
                                .called = MONEY(missing), .missing = MONEY(missing)};
    struct event_slice *slice = outbox_push(&m->out, EVENT_slice, sizeof *slice);
    *slice = (struct event_slice){.header = slice->header, .call = m->settlement_id,
                                  .account = account, .instrument = 1, .number = 1,
                                  .asked = QTY(1), .limit = PRICE_NONE};
    struct event_trade_bust *bust = outbox_push(&m->out, EVENT_trade_bust, sizeof *bust);
    *bust = (struct event_trade_bust){.header = bust->header, .trade_id = INT32_MAX,
                                      .instrument = 1, .price = PRICE(E6), .qty = QTY(1),
                                      .adjusted_price = PRICE_NONE, .reason = "made up"};
}

static void step_settle(struct made *m)
{
    uint32_t instrument = (uint32_t)(1 + below(m, MADE_INSTRUMENTS));
    struct event_settlement *e = outbox_push(&m->out, EVENT_settlement, sizeof *e);
    *e = (struct event_settlement){.header = e->header, .instrument = instrument,
                                   .price = PRICE((90 + below(m, 20)) * E6),
                                   .id = ++m->settlement_id};
    m->chain_id += 1;
    for (uint32_t a = MADE_TRADER; a <= MADE_ACCOUNTS; a++) {
        int64_t amount = m->position[a][instrument] * (below(m, 2000) - 1000) * 1000;
        if (amount == 0) continue;
        post(m, a, ASSET_USD, amount, POSTING_variation, 0);
        post(m, 1, ASSET_USD, -amount, POSTING_variation, 0);
    }
    for (uint32_t a = MADE_TRADER; a <= MADE_ACCOUNTS; a++) push_standing(m, a);
}

/* ---- the spot market: opened, bid for, one bid cancelled, its result; each fifth is void ---- */

static void push_spot(struct made *m)
{
    struct event_spot_auction *e = outbox_push(&m->out, EVENT_spot_auction, sizeof *e);
    struct event_header header = e->header;
    *e = m->spot;
    e->header = header;
}

static void push_spot_hours(struct made *m, bool done)
{
    for (uint32_t h = 0; h < m->spot.hours; h++) {
        struct event_spot_hour *e = outbox_push(&m->out, EVENT_spot_hour, sizeof *e);
        bool traded = done && below(m, 4) != 0;
        *e = (struct event_spot_hour){
            .header = e->header, .auction = m->spot.id, .hour = h,
            .instrument = m->spot.kind == SPOT_balancing ? 0 : 1 + h % MADE_INSTRUMENTS,
            .start = TS(m->spot.start.v + h * NS_PER_HOUR), .price_low = PRICE_NONE,
            .price = traded ? PRICE(below(m, 200) - 100) : PRICE_NONE, .price_high = PRICE_NONE,
            .qty = QTY(traded ? below(m, 1000) : 0), .wanted = QTY(below(m, 5))};
    }
}

static void push_spot_bid(struct made *m, const struct event_spot_bid *b)
{
    struct event_spot_bid *e = outbox_push(&m->out, EVENT_spot_bid, sizeof *e);
    struct event_header header = e->header;
    *e = *b;
    e->header = header;
}

static void spot_open(struct made *m)
{
    bool balancing = below(m, 3) == 0;
    uint32_t hours = 1 + (uint32_t)below(m, SPOT_HOURS_MAX);
    m->spot = (struct event_spot_auction){
        .id = m->spot.id + 1, .version = 1, .kind = balancing ? SPOT_balancing : SPOT_day_ahead,
        .product = balancing ? 0 : 1 + (uint32_t)below(m, 2), .hours = hours,
        .state = SPOT_STATE_open, .start = TS(m->ts.v + NS_PER_DAY), .opened = m->ts,
        .closes = TS(m->ts.v + NS_PER_HOUR), .deadline = TS(m->ts.v + 2 * NS_PER_HOUR),
        .price_min = PRICE(-E6), .price_max = PRICE(100 * E6)};
    if (balancing)
        m->spot.class = (struct token_class){2026, (uint32_t)below(m, GRADE_count), "eu-north"};
    m->spot_bid_count = 0;
    push_spot(m);
    if (balancing) push_spot_hours(m, false);
}

static void spot_enter(struct made *m)
{
    uint32_t count = 1 + (uint32_t)below(m, MADE_SPOT_BIDS);
    for (uint32_t i = 0; i < count; i++) {
        struct event_spot_bid *b = &m->spot_bids[m->spot_bid_count++];
        bool block = below(m, 2) != 0;
        *b = (struct event_spot_bid){
            .id = ++m->spot_bid_id, .auction = m->spot.id, .side = (uint8_t)below(m, 2),
            .account = (uint32_t)(MADE_TRADER + below(m, MADE_ACCOUNTS - MADE_TRADER + 1)),
            .kind = block ? SPOT_BID_block : SPOT_BID_step, .state = SPOT_BID_standing,
            .hour = block ? 0 : (uint8_t)below(m, m->spot.hours), .created = m->ts,
            .price = PRICE(below(m, 200) - 100), .parent = block && i > 0 ? b->id - 1 : 0};
        for (uint32_t h = 0; h < m->spot.hours; h++)
            if (block || h == b->hour) b->qty[h] = QTY(block ? below(m, 3) : 1 + below(m, 50));
        push_spot_bid(m, b);
    }
}

static void spot_end(struct made *m)
{
    bool void_ = below(m, 5) == 0;
    m->spot.state = void_ ? SPOT_STATE_failed : SPOT_STATE_done;
    m->spot.done = m->ts;
    m->spot.surplus = (struct spot_surplus){below(m, 3) - 1, random_next(&m->random)};
    m->spot.bound = m->spot.claimed = m->spot.surplus;
    m->spot.steps = m->spot_bid_count;
    m->spot.paradoxical = 0;
    for (uint32_t i = 0; i < m->spot_bid_count; i++) {
        struct event_spot_bid *b = &m->spot_bids[i];
        b->state = void_ ? SPOT_BID_cancelled
                         : (uint8_t)(SPOT_BID_accepted + below(m, 4));
        b->filled = QTY(below(m, 2));
        m->spot.paradoxical += b->state == SPOT_BID_paradoxical;
    }
    push_spot(m);
    for (uint32_t i = 0; i < m->spot_bid_count; i++) push_spot_bid(m, &m->spot_bids[i]);
    if (!void_) push_spot_hours(m, true);
}

static void step_spot(struct made *m)
{
    switch (m->spot_phase++ % 4) {
    case 0: spot_open(m); break;
    case 1: spot_enter(m); break;
    case 2:
        m->spot.version += 1;
        m->spot_bids[0].state = SPOT_BID_cancelled;
        push_spot_bid(m, &m->spot_bids[0]);
        m->spot_bids[0] = m->spot_bids[--m->spot_bid_count];
        break;
    default: spot_end(m); break;
    }
    struct event_index_price *e = outbox_push(&m->out, EVENT_index_price, sizeof *e);
    *e = (struct event_index_price){
        .header = e->header, .index = 1, .tier = (uint8_t)(1 + below(m, 3)), .inputs = 5,
        .hour = TS(m->ts.v / (2 * NS_PER_HOUR) * (2 * NS_PER_HOUR)), /* said again and again */
        .price = below(m, 3) == 0 ? PRICE_NONE : PRICE(below(m, 200)), .median = PRICE_NONE};
}

size_t made_step(struct made *m, unsigned char *bytes)
{
    m->seq += 1;
    m->ts.v += m->ns_per_step;
    m->out.bytes = bytes;
    m->out.capacity = MADE_STEP_BYTES;
    outbox_reset(&m->out, m->seq, m->ts);
    int64_t dice = below(m, 100);
    if (m->seq == 1) directory(m);
    else if (m->seq % 40 == 7) step_spot(m);
    else if (m->open_count == MADE_OPEN_MAX || (m->open_count > 100 && dice < 30)) step_trade(m);
    else if (m->open_count > 100 && dice < 50) step_cancel(m);
    else if (dice < 97) step_rest(m);
    else if (dice < 99) step_money(m);
    else step_settle(m);
    return m->out.used;
}
