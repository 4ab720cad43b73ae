/* ledger.c: see ledger.h. */
#include "core/ledger.h"

#include "core/collateral.h"
#include "core/limit.h"
#include "core/span.h"
#include "core/supply.h"
#include "core/token.h"

static uint64_t key_of(uint32_t account, uint32_t other)
{
    return (uint64_t)account << 32 | other;
}

/* ---- finding and making records ---- */

uint32_t balance_find(const struct core *c, uint32_t account, uint32_t asset)
{
    const uint32_t *found = map_find(&c->balance_map, key_of(account, asset));
    return found == NULL ? NIL : *found;
}

uint32_t balance_get(struct core *c, uint32_t account, uint32_t asset)
{
    uint32_t id = balance_find(c, account, asset);
    if (id != NIL) return id;
    if (map_full(&c->balance_map)) return NIL; /* as many as there are places */
    id = c->s->balance_free;
    if (id != NIL) c->s->balance_free = c->balances[id].next;
    else id = ++c->s->balances;
    c->balances[id] = (struct balance){.account = account, .asset = asset};
    map_insert(&c->balance_map, key_of(account, asset), id);
    struct account *a = &c->accounts[account];
    if (a->cash == NIL) {
        ASSERT(asset == ASSET_USD); /* the list of an account's balances begins with its cash */
        a->cash = id;
        return id;
    }
    uint32_t second = c->balances[a->cash].next;
    c->balances[id].next = second;
    c->balances[id].before = a->cash;
    c->balances[a->cash].next = id;
    if (second != NIL) c->balances[second].before = id;
    if (asset_is_token(asset)) token_balance_made(c, id);
    return id;
}

void balance_release(struct core *c, uint32_t balance)
{
    struct balance *b = &c->balances[balance];
    ASSERT(asset_is_token(b->asset) && b->amount == 0 && b->pledged == 0 && b->pending_out == 0);
    c->balances[b->before].next = b->next;
    if (b->next != NIL) c->balances[b->next].before = b->before;
    map_remove(&c->balance_map, key_of(b->account, b->asset));
    *b = (struct balance){.next = c->s->balance_free};
    c->s->balance_free = balance;
}

uint32_t exposure_find(const struct core *c, uint32_t account, uint32_t instrument)
{
    const uint32_t *found = map_find(&c->exposure_map, key_of(account, instrument));
    return found == NULL ? NIL : *found;
}

uint32_t exposure_reach(struct core *c, uint32_t account, uint32_t instrument)
{
    uint32_t id = exposure_find(c, account, instrument);
    c->accounts[account].exposure_recent = id;
    if (id != NIL) return id;
    ASSERT(!is_spread(c, instrument));
    bool span = product_of(c, instrument)->terms.margin_model == MARGIN_span &&
                c->accounts[account].system == 0 && c->accounts[account].mode == MODE_margined;
    if (span && !span_prepare(c, account, instrument)) return NIL;
    if (map_full(&c->exposure_map)) return NIL; /* as many as there are places */
    bool limited = product_of(c, instrument)->limited != 0 && c->accounts[account].system == 0;
    if (limited && !limit_has_room(c, account, instrument)) return NIL;
    id = c->s->exposure_free;
    if (id != NIL) c->s->exposure_free = c->exposures[id].next;
    else id = ++c->s->exposures;
    struct account *a = &c->accounts[account];
    struct instrument *i = &c->instruments[instrument];
    bool by_lot = a->system == 0 && a->mode == MODE_margined;
    int64_t lot_margin = by_lot ? product_of(c, instrument)->terms.flat_margin.v : LOT_MARGIN_NONE;
    if (short_is_limited(&product_of(c, instrument)->terms)) lot_margin = LOT_MARGIN_NONE;
    if (span) lot_margin = LOT_MARGIN_SPAN;
    c->exposures[id] = (struct exposure){.account = account, .instrument = instrument,
                                         .lot_margin = lot_margin,
                                         .cover = collateral_cover(c, account, instrument),
                                         .next = a->exposures, .next_of_instrument = i->exposures};
    c->exposures_before[id] = (struct exposure_before){.of_account = NIL, .of_instrument = NIL};
    c->exposures_before[a->exposures].of_account = id;
    c->exposures_before[i->exposures].of_instrument = id;
    a->exposures = id;
    i->exposures = id;
    map_insert(&c->exposure_map, key_of(account, instrument), id);
    if (limited) limit_attach(c, id);
    if (span) span_attach(c, id);
    return id;
}

int64_t ledger_cash(const struct core *c, uint32_t account)
{
    return c->balances[c->accounts[account].cash].amount;
}

int128_t ledger_cash_free(const struct core *c, uint32_t account)
{
    const struct balance *cash = &c->balances[c->accounts[account].cash];
    return (int128_t)cash->amount - cash->pending_out;
}

/* ---- writing postings ---- */

struct posting {
    uint64_t chain;
    uint64_t reference;
    uint32_t account;
    uint32_t asset;
    uint32_t instrument;
    enum posting_code code;
    enum posting_phase phase;
};

static inline void posting_set(struct event_posting *e, uint64_t id, const struct posting *p,
                               int64_t amount, int64_t balance)
{
    e->posting_id = id;
    e->chain_id = p->chain;
    e->account = p->account;
    e->asset = p->asset;
    e->code = (uint16_t)p->code;
    e->phase = (uint16_t)p->phase;
    e->instrument = p->instrument;
    e->amount = amount;
    e->balance = balance;
    e->reference = p->reference;
}

/* The event, and the same once more in the ring. Field by field in both: reading back what was just
 * written in smaller pieces stalls, and this is the most frequent record of all. */
static inline void posting_write_at(struct core *c, uint64_t id, uint64_t place,
                                    const struct posting *p, int64_t amount, int64_t balance)
{
    const struct outbox *out = c->out;
    uint32_t index = out->count;
    struct event_posting *e = outbox_push(c->out, EVENT_posting, sizeof *e);
    posting_set(e, id, p, amount, balance);
    struct event_posting *kept = &c->postings[place];
    event_header_set(&kept->header, out, EVENT_posting, sizeof *kept, index);
    posting_set(kept, id, p, amount, balance);
}

static void posting_write(struct core *c, const struct posting *p, int64_t amount, int64_t balance)
{
    uint64_t id = ++c->s->posting_id;
    posting_write_at(c, id, id % c->limits.postings, p, amount, balance);
}

static void balance_post(struct core *c, uint32_t id, int64_t amount, struct posting *p)
{
    struct balance *b = &c->balances[id];
    bool ok = int64_add(b->amount, amount, &b->amount);
    ASSERT(ok);
    p->account = b->account;
    p->asset = b->asset;
    posting_write(c, p, amount, b->amount);
}

static void position_post(struct core *c, uint32_t e, int64_t lots, struct posting *p)
{
    struct exposure *x = &c->exposures[e];
    bool ok = int64_add(x->position, lots, &x->position);
    ASSERT(ok);
    p->account = x->account;
    p->asset = ASSET_INSTRUMENT + x->instrument;
    posting_write(c, p, lots, x->position);
}

struct ledger_chain ledger_chain_open(struct core *c, uint32_t instrument, uint64_t reference)
{
    return (struct ledger_chain){.c = c, .id = ++c->s->chain_id, .reference = reference,
                                 .instrument = instrument};
}

void ledger_chain_cash(struct ledger_chain *chain, uint32_t account, int64_t amount,
                       enum posting_code code)
{
    struct posting p = {.chain = chain->id, .reference = chain->reference,
                        .instrument = chain->instrument, .code = code};
    if (amount == 0) return;
    chain->money += amount;
    balance_post(chain->c, chain->c->accounts[account].cash, amount, &p);
}

void ledger_chain_asset(struct ledger_chain *chain, uint32_t account, uint32_t asset,
                        int64_t amount, enum posting_code code)
{
    struct posting p = {.chain = chain->id, .reference = chain->reference, .code = code};
    if (amount == 0) return;
    chain->money += amount;
    uint32_t id = balance_get(chain->c, account, asset);
    ASSERT(id != NIL);
    balance_post(chain->c, id, amount, &p);
}

void ledger_chain_position(struct ledger_chain *chain, uint32_t e, int64_t lots,
                           enum posting_code code)
{
    struct posting p = {.chain = chain->id, .reference = chain->reference,
                        .instrument = chain->instrument, .code = code};
    ASSERT(chain->c->exposures[e].instrument == chain->instrument);
    if (lots == 0) return;
    chain->lots += lots;
    position_post(chain->c, e, lots, &p);
}

void ledger_chain_close(struct ledger_chain *chain)
{
    ASSERT(chain->money == 0 && chain->lots == 0); /* CLEAR-01 */
}

/* ---- trades ---- */

/* One side of a trade: `lots` to exposure e, as many from the clearing house, or the reverse order
 * for the seller. Written out, because it is on the way of every trade. */
static inline void side_post(struct core *c, uint32_t e, uint32_t ccp, int64_t lots,
                             struct posting *p, bool ccp_first)
{
    struct exposure *x = &c->exposures[e], *house = &c->exposures[ccp];
    bool ok = int64_add(x->position, lots, &x->position) &&
              int64_add(house->position, -lots, &house->position);
    ASSERT(ok);
    uint64_t id = c->s->posting_id + 1, capacity = c->limits.postings;
    uint64_t first = id % capacity, second = first + 1 == capacity ? 0 : first + 1;
    c->s->posting_id += 2;
    p->account = ccp_first ? house->account : x->account;
    posting_write_at(c, id, first, p, ccp_first ? -lots : lots,
                     ccp_first ? house->position : x->position);
    p->account = ccp_first ? x->account : house->account;
    posting_write_at(c, id + 1, second, p, ccp_first ? lots : -lots,
                     ccp_first ? x->position : house->position);
}

void ledger_post_trade(struct core *c, uint32_t instrument, uint32_t buyer, uint32_t seller,
                       int64_t qty, uint64_t trade_id)
{
    uint32_t ccp = c->instruments[instrument].exposure_ccp;
    struct posting p = {.chain = ++c->s->chain_id, .reference = trade_id,
                        .asset = ASSET_INSTRUMENT + instrument, .instrument = instrument,
                        .code = POSTING_trade};
    if (buyer != ccp) side_post(c, buyer, ccp, qty, &p, false);
    if (seller != ccp) side_post(c, seller, ccp, -qty, &p, true);
}

static int64_t fee_within(int128_t fee, int64_t payer, int64_t receiver)
{
    int128_t most = (int128_t)payer + MONEY_MAX;
    int128_t least = (int128_t)payer - MONEY_MAX;
    if (most > (int128_t)MONEY_MAX - receiver) most = (int128_t)MONEY_MAX - receiver;
    if (least < -(int128_t)MONEY_MAX - receiver) least = -(int128_t)MONEY_MAX - receiver;
    if (fee > most) fee = most;
    return (int64_t)(fee < least ? least : fee);
}

int64_t ledger_post_fee(struct core *c, uint32_t account, int128_t fee, enum posting_code code,
                        uint32_t instrument, uint64_t trade_id)
{
    uint32_t fees = c->s->account_fees;
    int64_t amount = fee_within(fee, ledger_cash(c, account), ledger_cash(c, fees));
    if (amount == 0) return 0;
    struct ledger_chain chain = ledger_chain_open(c, instrument, trade_id);
    ledger_chain_cash(&chain, account, -amount, code);
    ledger_chain_cash(&chain, fees, amount, code);
    ledger_chain_close(&chain);
    return amount;
}

/* ---- chains of any lines ---- */

static bool is_position(uint32_t asset) { return asset >= ASSET_INSTRUMENT; }

static int64_t line_amount_now(const struct core *c, const struct ledger_line *l, int64_t *pending)
{
    *pending = 0;
    if (is_position(l->asset)) {
        return c->exposures[exposure_find(c, l->account, l->asset - ASSET_INSTRUMENT)].position;
    }
    const struct balance *b = &c->balances[balance_find(c, l->account, l->asset)];
    *pending = b->pending_out;
    return b->amount;
}

static bool code_may_overdraw(enum posting_code code)
{
    return code != POSTING_deposit && code != POSTING_withdrawal && code != POSTING_transfer &&
           code != POSTING_pledge && code != POSTING_retire && code != POSTING_collateral_sale;
}

/* Whether line `at` may stand, after the lines before it. */
static enum reject line_check(const struct core *c, const struct ledger_line *lines, uint32_t at,
                              enum posting_code code)
{
    const struct ledger_line *l = &lines[at];
    int64_t pending;
    int128_t after = line_amount_now(c, l, &pending);
    for (uint32_t i = 0; i <= at; i++) {
        if (lines[i].account == l->account && lines[i].asset == l->asset) after += lines[i].amount;
    }
    bool ordinary = c->accounts[l->account].system == 0 && !is_position(l->asset);
    if (ordinary && l->amount < 0 && after < pending && !code_may_overdraw(code)) {
        return REJECT_insufficient_funds;
    }
    return money_fits(after) ? REJECT_none : REJECT_amount_overflow;
}

/* Whether line `at` needs a record that neither exists nor is made for an earlier line. */
static bool line_is_new(const struct core *c, const struct ledger_line *lines, uint32_t at)
{
    const struct ledger_line *l = &lines[at];
    for (uint32_t i = 0; i < at; i++) {
        if (lines[i].account == l->account && lines[i].asset == l->asset) return false;
    }
    return is_position(l->asset)
               ? exposure_find(c, l->account, l->asset - ASSET_INSTRUMENT) == NIL
               : balance_find(c, l->account, l->asset) == NIL;
}

static bool lines_have_room(const struct core *c, const struct ledger_line *lines, uint32_t count)
{
    uint32_t balances = c->s->balance_map_count, exposures = c->s->exposure_map_count;
    for (uint32_t i = 0; i < count; i++) {
        if (!line_is_new(c, lines, i)) continue;
        if (is_position(lines[i].asset)) exposures += 1;
        else balances += 1;
    }
    return balances <= c->limits.balances && exposures <= c->limits.exposures &&
           balances <= c->balance_map.capacity && exposures <= c->exposure_map.capacity;
}

static void lines_assert_balanced(const struct ledger_line *lines, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int128_t sum = 0;
        for (uint32_t j = 0; j < count; j++) {
            if (lines[j].asset == lines[i].asset) sum += lines[j].amount;
        }
        ASSERT(sum == 0);
    }
}

static uint64_t lines_write(struct core *c, const struct ledger_line *lines, uint32_t count,
                            struct posting *p)
{
    p->chain = ++c->s->chain_id;
    for (uint32_t i = 0; i < count; i++) {
        const struct ledger_line *l = &lines[i];
        if (is_position(l->asset)) {
            uint32_t e = exposure_get(c, l->account, l->asset - ASSET_INSTRUMENT);
            position_post(c, e, l->amount, p);
        } else {
            balance_post(c, balance_get(c, l->account, l->asset), l->amount, p);
        }
    }
    return p->chain;
}

enum reject ledger_post(struct core *c, const struct ledger_line *lines, uint32_t count,
                        enum posting_code code, uint32_t instrument, uint64_t reference)
{
    ASSERT(count >= 1 && count <= LEDGER_LINES_MAX);
    lines_assert_balanced(lines, count);
    for (uint32_t i = 0; i < count; i++) {
        enum reject reason = line_check(c, lines, i, code);
        if (reason != REJECT_none) return reason;
    }
    if (!lines_have_room(c, lines, count)) return REJECT_capacity_exhausted;
    struct posting p = {.reference = reference, .instrument = instrument, .code = code};
    (void)lines_write(c, lines, count, &p);
    return REJECT_none;
}

/* ---- two phases ---- */

enum reject ledger_pend(struct core *c, uint32_t account, uint32_t asset, int64_t amount,
                        enum posting_code code, uint64_t reference)
{
    ASSERT(amount > 0);
    uint32_t id = balance_find(c, account, asset);
    struct balance *b = &c->balances[id];
    if (id == NIL || (int128_t)b->amount - b->pending_out < amount) {
        return REJECT_insufficient_funds;
    }
    b->pending_out += amount;
    struct posting p = {.chain = ++c->s->chain_id, .reference = reference, .account = account,
                        .asset = asset, .code = code, .phase = PHASE_pending};
    posting_write(c, &p, -amount, b->amount);
    return REJECT_none;
}

void ledger_unpend(struct core *c, uint32_t account, uint32_t asset, int64_t amount,
                   enum posting_code code, uint64_t reference, bool post, uint32_t to)
{
    struct balance *b = &c->balances[balance_find(c, account, asset)];
    ASSERT(amount > 0 && b->pending_out >= amount);
    b->pending_out -= amount;
    struct posting p = {.chain = 0, .reference = reference, .account = account, .asset = asset,
                        .code = code, .phase = PHASE_voided};
    if (!post) {
        p.chain = ++c->s->chain_id;
        posting_write(c, &p, amount, b->amount);
        return;
    }
    p.phase = PHASE_posted;
    struct ledger_line lines[2] = {{account, asset, -amount}, {to, asset, amount}};
    (void)lines_write(c, lines, 2, &p);
}
