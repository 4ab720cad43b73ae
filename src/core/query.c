/* query.c: answers to questions: the state as events, changing nothing.
 *
 * Every answer is bounded: by the query's count, by what exists, or by what is retained.
 */
#include "core/call.h"
#include "core/collateral.h"
#include "core/default.h"
#include "core/implied.h"
#include "core/block.h"
#include "core/limit.h"
#include "core/delivery.h"
#include "core/index.h"
#include "core/settlement.h"
#include "core/state.h"
#include "core/margin.h"
#include "core/token.h"
#include "core/span.h"
#include "core/standing.h"
#include "core/spot.h"

#include <string.h>

enum { COUNT_DEFAULT = 100, COUNT_MAX = 10000, DEPTH_DEFAULT = 5, DEPTH_MAX = 10000 };

static uint32_t count_of(const struct query *q, uint32_t fallback, uint32_t most)
{
    uint32_t count = q->count == 0 ? fallback : q->count;
    return count < most ? count : most;
}

static bool known_account(const struct core *c, uint32_t account)
{
    return account != 0 && account <= c->s->accounts;
}

static bool known_instrument(const struct core *c, uint32_t instrument)
{
    return instrument != 0 && instrument <= c->s->instruments;
}

static void query_reject(struct outbox *out, enum reject reason)
{
    struct event_reject *e = outbox_push(out, EVENT_reject, sizeof *e);
    struct event_header header = e->header;
    *e = (struct event_reject){.header = header, .reason = (uint16_t)reason, .detail = INT64_MIN};
}

/* Levels of orders and of implied prices (MATCH-06), best first. */
static void push_levels(const struct core *c, struct outbox *out, uint32_t instrument,
                        enum side side, uint32_t depth)
{
    uint32_t l = book_of(c, instrument)->side[side].best;
    px_t implied = implied_next(c, instrument, side, PX_NONE);
    for (uint32_t n = 0; n < depth && (l != NIL || !px_is_none(implied)); n++) {
        bool direct = l != NIL && (px_is_none(implied) ||
                                   !px_better(side, implied, c->pools.levels[l].px));
        px_t px = direct ? c->pools.levels[l].px : implied;
        event_level_push(c, out, instrument, side, px, direct ? l : NIL);
        if (!px_is_none(implied) && implied.v == px.v)
            implied = implied_next(c, instrument, side, px);
        if (direct) l = c->pools.levels[l].worse;
    }
}

/* The best price of a side, and what is displayed and implied there. */
static px_t best_of(const struct core *c, uint32_t instrument, enum side side, qty_t *qty)
{
    const struct level *best = book_best(&c->pools, book_of(c, instrument), side);
    px_t implied = implied_next(c, instrument, side, PX_NONE);
    *qty = QTY(0);
    if (best == NULL && px_is_none(implied)) return PX_NONE;
    bool direct = best != NULL && (px_is_none(implied) || !px_better(side, implied, best->px));
    px_t px = direct ? best->px : implied;
    if (direct) *qty = best->shown;
    if (!px_is_none(implied)) qty->v += implied_at(c, instrument, side, px);
    return px;
}

static void query_book(const struct core *c, const struct query *q, struct outbox *out)
{
    if (!known_instrument(c, q->instrument)) {
        query_reject(out, REJECT_unknown_instrument);
        return;
    }
    uint32_t depth = count_of(q, DEPTH_DEFAULT, DEPTH_MAX);
    push_levels(c, out, q->instrument, SIDE_buy, depth);
    push_levels(c, out, q->instrument, SIDE_sell, depth);
}

static void push_order_answer(const struct core *c, struct outbox *out, uint32_t o)
{
    event_order_push(c, out, o, CAUSE_answer);
    if (order_at(c, o)->flags & ORDER_BIT_TEXT) event_order_text_push(c, out, o);
}

static void query_book_orders(const struct core *c, const struct query *q, struct outbox *out)
{
    if (!known_instrument(c, q->instrument)) {
        query_reject(out, REJECT_unknown_instrument);
        return;
    }
    const struct book *b = book_of(c, q->instrument);
    for (int side = 0; side < 2; side++) {
        for (uint32_t l = b->side[side].best; l != NIL; l = c->pools.levels[l].worse) {
            for (uint32_t o = c->pools.levels[l].first; o != NIL; o = order_at(c, o)->next)
                push_order_answer(c, out, o);
        }
    }
}

/* What GUARD-01 and GUARD-04 let in, as they stand. */
static void ticker_band(const struct core *c, uint32_t instrument, struct event_ticker *e)
{
    const struct product *p = product_of(c, instrument);
    e->limit_low = e->limit_high = PRICE_NONE;
    if (p->terms.flags & PRODUCT_FLAG_GUARDED) { /* GUARD-04 */
        const struct guard_slot *limits = &c->guards[instrument].limits;
        bool some = limits->high.v != INT64_MAX;
        e->limit_low = some ? price_of(c, instrument, limits->low) : PRICE_NONE;
        e->limit_high = some ? price_of(c, instrument, limits->high) : PRICE_NONE;
    }
    e->band_low = e->limit_low;
    e->band_high = e->limit_high;
    price_t reference = price_band_reference(c, instrument);
    if (price_is_none(reference)) return;
    int64_t width = guard_band(&p->terms, reference);
    if (width < 0) return;
    int64_t low = reference.v - width, high = reference.v + width;
    if (price_is_none(e->band_low) || low > e->band_low.v) e->band_low = PRICE(low);
    if (price_is_none(e->band_high) || high < e->band_high.v) e->band_high = PRICE(high);
}

static void query_ticker(const struct core *c, const struct query *q, struct outbox *out)
{
    if (!known_instrument(c, q->instrument)) {
        query_reject(out, REJECT_unknown_instrument);
        return;
    }
    const struct instrument *in = &c->instruments[q->instrument];
    qty_t bid_qty, ask_qty;
    px_t bid = best_of(c, q->instrument, SIDE_buy, &bid_qty);
    px_t ask = best_of(c, q->instrument, SIDE_sell, &ask_qty);
    enum trading_state state = state_of(c, q->instrument);
    bool auction = state_gathers(state);
    struct auction a = auction ? auction_find(c, q->instrument) : (struct auction){.px = PX_NONE};
    bool today = in->day == c->s->day;
    struct event_ticker *e = outbox_push(out, EVENT_ticker, sizeof *e);
    e->instrument = q->instrument;
    e->state = in->terms.expired ? STATE_closed : state;
    e->last = in->last;
    e->settlement = in->settlement;
    e->bid = price_of(c, q->instrument, bid);
    e->ask = price_of(c, q->instrument, ask);
    e->bid_qty = bid_qty;
    e->ask_qty = ask_qty;
    e->indicative_price = price_of(c, q->instrument, a.px);
    e->indicative_qty = QTY(a.qty);
    e->high = today ? in->high : PRICE_NONE;
    e->low = today ? in->low : PRICE_NONE;
    e->open = today ? in->open : PRICE_NONE;
    e->volume = today ? in->volume : QTY(0);
    e->open_interest = in->open_interest;
    ticker_band(c, q->instrument, e);
}

/* a / b to the nearest, ties to even, for b of either sign. */
static int64_t average_price(int128_t cost, int64_t lots)
{
    if (lots == 0) return 0;
    if (lots < 0) {
        lots = -lots;
        cost = -cost;
    }
    return (int64_t)int128_div_half_even(cost, lots);
}

static void query_positions(const struct core *c, const struct query *q, struct outbox *out)
{
    if (!known_account(c, q->account)) {
        query_reject(out, REJECT_unknown_account);
        return;
    }
    for (uint32_t i = c->accounts[q->account].exposures; i != NIL; i = c->exposures[i].next) {
        const struct exposure *x = &c->exposures[i];
        if (q->instrument != 0 && x->instrument != q->instrument) continue;
        if (x->position == 0) continue;
        struct event_position *e = outbox_push(out, EVENT_position, sizeof *e);
        e->account = x->account;
        e->instrument = x->instrument;
        e->qty = QTY(x->position);
        e->average_price = PRICE(average_price(x->entry_cost, x->position));
        e->mark = price_mark(c, x->instrument);
        e->settlement = c->instruments[x->instrument].settlement;
        e->unrealised = margin_unrealised(c, i);
        e->realised = x->realised;
        e->initial_margin = margin_alone(c, i);
        e->open_buys = QTY(x->open_buys);
        e->open_sells = QTY(x->open_sells);
    }
}

static void query_orders(const struct core *c, const struct query *q, struct outbox *out)
{
    if (!known_account(c, q->account)) {
        query_reject(out, REJECT_unknown_account);
        return;
    }
    for (uint32_t o = c->accounts[q->account].orders; o != NIL; o = c->info[o].account_next) {
        uint32_t instrument = order_at(c, o)->instrument;
        if (q->instrument != 0 && instrument != q->instrument) continue;
        if (q->product != 0 && c->instruments[instrument].product != q->product) continue;
        push_order_answer(c, out, o);
    }
}

static void query_order(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t o = order_find(c, q->order_id);
    if (o == NIL || (q->account != 0 && order_at(c, o)->account != q->account)) {
        query_reject(out, REJECT_unknown_order);
        return;
    }
    push_order_answer(c, out, o);
}

static void query_orders_closed(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t count = count_of(q, COUNT_DEFAULT, COUNT_MAX);
    if (!known_account(c, q->account)) {
        query_reject(out, REJECT_unknown_account);
        return;
    }
    for (uint32_t i = c->s->closed_count; i > 0 && count > 0; i--) {
        uint32_t o = c->closed[(c->s->closed_first + i - 1) % c->limits.orders_closed];
        if (order_at(c, o)->account != q->account) continue;
        if (q->instrument != 0 && order_at(c, o)->instrument != q->instrument) continue;
        push_order_answer(c, out, o);
        count -= 1;
    }
}

static bool trade_selected(const struct core *c, const struct query *q,
                           const struct event_trade *t)
{
    if (q->instrument != 0 && t->instrument != q->instrument) return false;
    if (q->product != 0 && c->instruments[t->instrument].product != q->product) return false;
    if (q->account != 0 && t->account[0] != q->account && t->account[1] != q->account) return false;
    if (q->order_id != 0 && t->order_id[0] != q->order_id && t->order_id[1] != q->order_id)
        return false;
    if (q->start.v != 0 && t->header.ts.v < q->start.v) return false;
    return q->end.v == 0 || t->header.ts.v <= q->end.v;
}

static void push_copy(struct outbox *out, const struct event_header *kept)
{
    struct event_header *h = outbox_push(out, (enum event_kind)kept->kind, kept->size);
    struct event_header mine = *h;
    memcpy(h, kept, kept->size);
    mine.seq = kept->seq;
    mine.ts = kept->ts;
    *h = mine;
}

static void query_trades(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t count = count_of(q, COUNT_DEFAULT, COUNT_MAX);
    uint64_t oldest = c->s->trade_id > c->limits.trades ? c->s->trade_id - c->limits.trades : 0;
    for (uint64_t id = c->s->trade_id; id > oldest && count > 0; id--) {
        const struct event_trade *t = &c->trades[id % c->limits.trades];
        if (q->from_id != 0 && id >= q->from_id) continue;
        if (!trade_selected(c, q, t)) continue;
        push_copy(out, &t->header);
        count -= 1;
    }
}

static void query_ledger(const struct core *c, const struct query *q, struct outbox *out)
{
    uint32_t count = count_of(q, COUNT_DEFAULT, COUNT_MAX);
    uint64_t last = c->s->posting_id;
    uint64_t oldest = last > c->limits.postings ? last - c->limits.postings : 0;
    for (uint64_t id = last; id > oldest && count > 0; id--) {
        const struct event_posting *p = &c->postings[id % c->limits.postings];
        if (q->from_id != 0 && id >= q->from_id) continue;
        if (q->account != 0 && p->account != q->account) continue;
        push_copy(out, &p->header);
        count -= 1;
    }
}

static void query_account(const struct core *c, const struct query *q, struct outbox *out)
{
    if (!known_account(c, q->account)) {
        query_reject(out, REJECT_unknown_account);
        return;
    }
    event_account_push(c, out, q->account);
    for (uint32_t b = c->accounts[q->account].cash; b != NIL; b = c->balances[b].next) {
        const struct balance *balance = &c->balances[b];
        struct event_balance *e = outbox_push(out, EVENT_balance, sizeof *e);
        e->account = balance->account;
        e->asset = balance->asset;
        e->balance = balance->amount;
        e->pending_out = balance->pending_out;
        e->pledged = balance->pledged;
    }
}

static void query_directory(const struct core *c, struct outbox *out)
{
    for (uint32_t i = 1; i <= c->s->assets; i++) {
        event_asset_push(c, out, i);
    }
    for (uint32_t i = 1; i <= c->s->members; i++) event_member_push(c, out, i);
    for (uint32_t i = 1; i <= c->s->accounts; i++) event_account_push(c, out, i);
    for (uint32_t i = 1; i <= c->s->products; i++) event_product_push(c, out, i);
    for (uint32_t i = 1; i <= c->s->instruments; i++) event_instrument_push(c, out, i);
    for (uint32_t i = 1; i <= c->s->indices; i++) event_index_push(c, out, i);
    for (uint32_t i = 1; i <= c->certify.s->resources; i++) event_resource_push(c, out, i);
    for (uint32_t i = 1; i <= c->certify.s->class_count; i++) event_token_class_push(c, out, i);
}

static void query_hash(const struct core *c, struct outbox *out)
{
    struct event_hash *e = outbox_push(out, EVENT_hash, sizeof *e);
    e->hash = core_hash(c);
    e->orders_live = c->s->orders_live;
    e->trades = c->s->trade_id;
}

static uint32_t record_account(const union clearing_record *r)
{
    if (r->header.kind == EVENT_call) return r->call.account;
    return r->header.kind == EVENT_slice ? r->slice.account : r->port.account;
}

static void query_clearing_records(const struct core *c, const struct query *q,
                                   struct outbox *out)
{
    uint32_t count = count_of(q, COUNT_DEFAULT, COUNT_MAX);
    uint64_t last = c->s->record_id;
    uint64_t oldest = last > c->limits.settlements ? last - c->limits.settlements : 0;
    for (uint64_t id = last; id > oldest && count > 0; id--) {
        const union clearing_record *r = &c->records[id % c->limits.settlements];
        if (q->account != 0 && record_account(r) != q->account) continue;
        push_copy(out, &r->header);
        count -= 1;
    }
}

static void query_collateral(const struct core *c, struct outbox *out)
{
    event_clearing_push(c, out, NULL);
    for (uint32_t i = ASSET_USD + 1; i <= c->s->assets; i++) event_asset_push(c, out, i);
}

void core_query(const struct core *c, const struct query *q, struct outbox *out)
{
    outbox_reset(out, c->s->seq, c->s->ts);
    out->flags = EVENT_FLAG_ANSWER;
    switch ((enum query_kind)q->kind) {
    case QUERY_book: query_book(c, q, out); break;
    case QUERY_book_orders: query_book_orders(c, q, out); break;
    case QUERY_ticker: query_ticker(c, q, out); break;
    case QUERY_positions: query_positions(c, q, out); break;
    case QUERY_orders: query_orders(c, q, out); break;
    case QUERY_order: query_order(c, q, out); break;
    case QUERY_orders_closed: query_orders_closed(c, q, out); break;
    case QUERY_trades: query_trades(c, q, out); break;
    case QUERY_account: query_account(c, q, out); break;
    case QUERY_ledger: query_ledger(c, q, out); break;
    case QUERY_settlements: query_settlements(c, q, out); break;
    case QUERY_requests: query_requests(c, out); break;
    case QUERY_margin: query_margin(c, q, out); break;
    case QUERY_margin_terms: query_margin_terms(c, out); break;
    case QUERY_venue: query_venue(c, out); break;
    case QUERY_halts: query_halts(c, q, out); break;
    case QUERY_directory: query_directory(c, out); break;
    case QUERY_large_positions:
        query_large_positions(c, q->product, (int64_t)q->from_id, out);
        break;
    case QUERY_blocks: query_blocks(c, q->account, out); break;
    case QUERY_exemptions: query_exemptions(c, out); break;
    case QUERY_index: query_index(c, q, out); break;
    case QUERY_hash: query_hash(c, out); break;
    case QUERY_collateral: query_collateral(c, out); break;
    case QUERY_clearing_records: query_clearing_records(c, q, out); break;
    case QUERY_calls:
        if (q->account > c->s->accounts) query_reject(out, REJECT_unknown_account);
        else query_calls(c, q->account, out);
        break;
    case QUERY_fund: query_fund(c, out); break;
    case QUERY_spot: query_spot(c, q, out); break;
    case QUERY_tenders: query_tenders(c, q, out); break;
    case QUERY_allocations: query_allocations(c, q, out); break;
    case QUERY_delivery: query_delivery(c, q, out); break;
    case QUERY_spot_waiting: query_spot_waiting(c, out); break;
    case QUERY_spot_bids: query_spot_bids(c, q, out); break;
    case QUERY_certification: query_certification(c, out); break;
    case QUERY_certificates: query_certificates(c, q, out); break;
    case QUERY_tokens: query_tokens(c, q, out); break;
    case QUERY_standings:
        if (!known_account(c, q->account)) query_reject(out, REJECT_unknown_account);
        else query_standings(c, q->account, out);
        break;
    case QUERY_portfolio_bids: query_portfolio_bids(c, q, out); break;
    default: query_reject(out, REJECT_malformed_request); break;
    }
}
