/* collateral.c: see collateral.h. */
#include "core/collateral.h"

#include "core/call.h"
#include "core/cascade.h"
#include "core/closeout.h"
#include "core/dual.h"
#include "core/ledger.h"
#include "core/margin.h"
#include "core/token.h"

#include <string.h>

/* 10^-9 units x 10^-6 USD x 10^-6 of haircut, in 10^-6 USD */
#define VALUE_DIVISOR ((int128_t)1000000000 * SHARE_ONE_E6)
enum { UNITS_OF_SIZE = 1000 }; /* contract_size counts 10^-6 units, assets 10^-9 */

/* ---- values ---- */

static bool is_worthless(const struct core *c, const struct collateral_terms *t)
{
    return t->instrument != NIL && c->instruments[t->instrument].terms.expired != 0;
}

/* Rounded down, and never above MONEY_MAX. */
static int64_t value_floor(const struct core *c, const struct balance *b)
{
    const struct collateral_terms *t = &c->assets[b->asset].terms;
    int128_t share, value;
    if (b->pledged == 0 || is_worthless(c, t)) return 0;
    share = (int128_t)t->price.v * (SHARE_ONE_E6 - t->haircut_e6);
    if (!int128_mul(share, b->pledged, &value)) return MONEY_MAX;
    value = int128_div_floor(value, VALUE_DIVISOR);
    return money_clamp(value);
}

int64_t collateral_credit_capped(const struct core *c, const struct account *a,
                                 int64_t requirement)
{
    int64_t cap_e6 = c->s->clearing.collateral_cap_e6;
    int128_t most = int128_div_floor((int128_t)requirement * cap_e6, SHARE_ONE_E6);
    return most < a->credit.v ? (int64_t)most : a->credit.v;
}

static int64_t credit_of(const struct core *c, uint32_t account)
{
    int128_t sum = 0;
    for (uint32_t b = c->accounts[account].cash; b != NIL; b = c->balances[b].next) {
        if (asset_is_capacity(c, c->balances[b].asset)) sum += value_floor(c, &c->balances[b]);
    }
    return money_clamp(sum);
}

/* How many lots short what is pledged of this asset covers (CLEAR-08). */
static int64_t cover_of(const struct core *c, const struct balance *b)
{
    uint32_t i = c->assets[b->asset].terms.instrument;
    if (b->pledged == 0 || i == NIL) return 0;
    const struct command_product_create *p = &product_of(c, i)->terms;
    if ((p->flags & PRODUCT_FLAG_HAS_FLOOR) == 0 || p->floor.v < 0) return 0;
    int128_t units = (int128_t)c->instruments[i].terms.contract_size * UNITS_OF_SIZE;
    return (int64_t)(b->pledged / units);
}

/* All assets of one instrument's hours cover it together, each in whole lots. */
int64_t collateral_cover(const struct core *c, uint32_t account, uint32_t instrument)
{
    if (c->accounts[account].mode != MODE_collateralised) return 0;
    int64_t lots = 0;
    for (uint32_t b = c->accounts[account].cash; b != NIL; b = c->balances[b].next) {
        if (!asset_is_capacity(c, c->balances[b].asset)) continue;
        uint32_t of = c->assets[c->balances[b].asset].terms.instrument;
        if (of != instrument && (of == NIL || !cascade_came_from(c, instrument, of))) continue;
        lots += int64_min(cover_of(c, &c->balances[b]), QTY_MAX);
    }
    lots += token_cover_lots(c, account, instrument);
    return int64_min(lots, margin_lots_max(c));
}

static void cover_update(struct core *c, uint32_t account)
{
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        struct exposure *x = &c->exposures[e];
        int64_t cover = collateral_cover(c, account, x->instrument);
        if (cover == x->cover) continue;
        x->cover = cover;
        margin_update(c, e);
    }
}

void collateral_update(struct core *c, uint32_t account)
{
    struct account *a = &c->accounts[account];
    if (a->system != 0) return;
    if (a->mode == MODE_collateralised) cover_update(c, account);
    else a->credit = MONEY(credit_of(c, account));
}

/* After the price, the haircut or the life of an asset has changed. */
static void revalue(struct core *c, uint32_t asset)
{
    for (uint32_t b = 1; b <= c->s->balances; b++) {
        const struct balance *balance = &c->balances[b];
        if (balance->asset == asset && balance->pledged != 0) {
            collateral_update(c, balance->account);
        }
    }
}

void collateral_expire(struct core *c, uint32_t instrument)
{
    for (uint32_t a = ASSET_USD + 1; a <= c->s->assets; a++) {
        if (c->assets[a].terms.instrument == instrument) revalue(c, a);
    }
}

/* ---- assets ---- */

void event_asset_push(const struct core *c, struct outbox *out, uint32_t asset)
{
    const struct asset *a = &c->assets[asset];
    struct event_asset *e = outbox_push(out, EVENT_asset, sizeof *e);
    e->id = asset;
    e->reserved = 0;
    memcpy(e->name, a->terms.name, sizeof e->name);
    if (asset == ASSET_USD) return;
    struct event_collateral *v = outbox_push(out, EVENT_collateral, sizeof *v);
    v->asset = asset;
    v->reserved = 0;
    v->issued = a->issued;
    v->pledged = a->pledged;
    v->terms = a->terms;
}

static uint32_t asset_find(const struct core *c, const char *name)
{
    for (uint32_t i = 1; i <= c->s->assets; i++) {
        if (strncmp(c->assets[i].terms.name, name, ASSET_NAME_SIZE) == 0) return i;
    }
    return NIL;
}

static enum reject asset_new_check(const struct core *c, const struct collateral_terms *t)
{
    if (!account_name_is_valid(t->name)) return REJECT_malformed_request;
    if (t->instrument > c->s->instruments ||
        (t->instrument != NIL && is_spread(c, t->instrument))) {
        return REJECT_unknown_instrument;
    }
    if (asset_find(c, t->name) != NIL) return REJECT_already_exists;
    if (t->instrument != NIL && c->instruments[t->instrument].terms.expired != 0) {
        return REJECT_instrument_expired;
    }
    bool full = c->s->assets >= ASSETS_MAX ||
                (c->s->account_issuer == NIL && !account_room_own(c, 2));
    return full ? REJECT_capacity_exhausted : REJECT_none;
}

static enum reject asset_set_check(const struct core *c, const struct command_asset_set *s)
{
    const struct collateral_terms *t = &s->terms;
    if (t->haircut_e6 > SHARE_ONE_E6 || t->source[0] == 0) return REJECT_malformed_request;
    if (s->asset != 0 && !asset_is_capacity(c, s->asset)) return REJECT_unknown_asset;
    enum reject reason = s->asset == 0 ? asset_new_check(c, t) : REJECT_none;
    if (reason == REJECT_capacity_exhausted) return reason;
    bool priced = t->price.v >= 0 && t->price.v <= PRICE_MAX;
    return reason == REJECT_none && !priced ? REJECT_invalid_price : reason;
}

/* A new asset, a higher price or a smaller haircut lends against more: two officers (GUARD-05). */
static bool asset_loosens(const struct core *c, const struct command_asset_set *s)
{
    const struct collateral_terms *now = &c->assets[s->asset].terms;
    return s->asset == 0 || s->terms.price.v > now->price.v ||
           s->terms.haircut_e6 < now->haircut_e6;
}

void asset_set(struct core *c, const struct command *cmd)
{
    const struct command_asset_set *s = &cmd->asset_set;
    enum reject reason = asset_set_check(c, s);
    bool loosens = reason == REJECT_none && asset_loosens(c, s);
    if (loosens && s->asset != 0 && s->reason[0] == 0) reason = REJECT_reason_needed;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (loosens && dual_wait(c, cmd)) return;
    uint32_t asset = s->asset;
    if (asset == 0) {
        if (c->s->account_issuer == NIL) {
            c->s->account_issuer = account_open_own(c, "issuer");
            c->s->account_collateral = account_open_own(c, "collateral");
        }
        asset = ++c->s->assets;
        c->assets[asset] = (struct asset){.terms = s->terms};
    } else {
        struct collateral_terms *t = &c->assets[asset].terms;
        t->price = s->terms.price;
        t->haircut_e6 = s->terms.haircut_e6;
        memcpy(t->source, s->terms.source, sizeof t->source);
        revalue(c, asset);
    }
    event_asset_push(c, c->out, asset);
    call_run(c);
}

/* ---- capacity comes and goes ---- */

static int64_t free_of(const struct core *c, uint32_t account, uint32_t asset)
{
    const struct balance *b = &c->balances[balance_find(c, account, asset)];
    return b->amount - b->pending_out;
}

static enum reject holder_check(const struct core *c, uint32_t account, uint32_t asset,
                                int64_t amount)
{
    if (!account_exists(c, account)) return REJECT_unknown_account;
    if (c->accounts[account].system != 0) return REJECT_unauthorised;
    if (!asset_is_capacity(c, asset)) return REJECT_unknown_asset;
    return amount < 1 || amount > MONEY_MAX ? REJECT_invalid_amount : REJECT_none;
}

static enum reject move(struct core *c, uint32_t from, uint32_t to, uint32_t asset, int64_t amount,
                        enum posting_code code)
{
    struct ledger_line lines[2] = {{from, asset, -amount}, {to, asset, amount}};
    return ledger_post(c, lines, 2, code, c->assets[asset].terms.instrument, 0);
}

void asset_issue(struct core *c, const struct command *cmd)
{
    const struct command_asset_issue *i = &cmd->asset_issue;
    uint32_t account = cmd->header.account, issuer = c->s->account_issuer;
    enum reject reason = holder_check(c, account, i->asset, i->amount);
    if (reason == REJECT_none && i->evidence[0] == 0) reason = REJECT_malformed_request;
    if (reason == REJECT_none && i->retire != 0 && free_of(c, account, i->asset) < i->amount) {
        reason = REJECT_insufficient_funds;
    }
    if (reason == REJECT_none && dual_wait(c, cmd)) return;
    if (reason == REJECT_none) {
        reason = i->retire != 0
                     ? move(c, account, issuer, i->asset, i->amount, POSTING_retire)
                     : move(c, issuer, account, i->asset, i->amount, POSTING_issue);
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    c->assets[i->asset].issued += i->retire != 0 ? -i->amount : i->amount;
    event_asset_push(c, c->out, i->asset);
}

/* ---- pledged and released ---- */

/* Whether the account stands without `amount` of what it pledged: tried, and taken back. */
static enum reject release_check(struct core *c, uint32_t account, struct balance *b,
                                 int64_t amount)
{
    struct account *a = &c->accounts[account];
    if (b->pledged < amount) return REJECT_insufficient_funds;
    if (call_withholds(c, account)) return REJECT_call_open;
    b->pledged -= amount;
    collateral_update(c, account);
    bool stands = margin_withdrawable(c, account) >= 0;
    for (uint32_t e = a->exposures; e != NIL && a->mode == MODE_collateralised;
         e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        stands = stands && x->position + x->cover >= x->open_sells && x->position + x->cover >= 0;
    }
    b->pledged += amount;
    collateral_update(c, account);
    return stands ? REJECT_none : REJECT_insufficient_margin;
}

static enum reject pledge_post(struct core *c, uint32_t account, const struct command_pledge *p)
{
    uint32_t held = c->s->account_collateral;
    uint32_t id = balance_find(c, account, p->asset);
    if (id == NIL) return REJECT_insufficient_funds; /* never had any */
    struct balance *b = &c->balances[id];
    if (p->release != 0) {
        enum reject reason = release_check(c, account, b, p->amount);
        if (reason == REJECT_none) {
            reason = move(c, held, account, p->asset, p->amount, POSTING_release);
        }
        if (reason != REJECT_none) return reason;
        b->pledged -= p->amount;
        c->assets[p->asset].pledged -= p->amount;
    } else {
        if (free_of(c, account, p->asset) < p->amount) return REJECT_insufficient_funds;
        enum reject reason = move(c, account, held, p->asset, p->amount, POSTING_pledge);
        if (reason != REJECT_none) return reason;
        b->pledged += p->amount;
        c->assets[p->asset].pledged += p->amount;
    }
    collateral_update(c, account);
    return REJECT_none;
}

void pledge(struct core *c, const struct command *cmd)
{
    const struct command_pledge *p = &cmd->pledge;
    enum reject reason = holder_check(c, cmd->header.account, p->asset, p->amount);
    if (reason == REJECT_none && closeout_freezes(c, cmd->header.account)) {
        reason = REJECT_in_default;
    }
    if (reason == REJECT_none) reason = pledge_post(c, cmd->header.account, p);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    event_account_push(c, c->out, cmd->header.account);
}

/* ---- invariants ---- */

static int64_t held_by(const struct core *c, uint32_t account, uint32_t asset)
{
    return account == NIL ? 0 : c->balances[balance_find(c, account, asset)].amount;
}

static void check_account(const struct core *c, uint32_t account)
{
    const struct account *a = &c->accounts[account];
    bool collateralised = a->mode == MODE_collateralised;
    ASSERT(a->credit.v == (collateralised ? 0 : credit_of(c, account)));
    int64_t credit = collateral_credit(c, account, a->requirement.v);
    ASSERT((int128_t)credit * SHARE_ONE_E6 <=
           (int128_t)a->requirement.v * c->s->clearing.collateral_cap_e6);
    for (uint32_t e = a->exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        ASSERT(x->cover == collateral_cover(c, account, x->instrument));
    }
}

void collateral_check(const struct core *c)
{
    int64_t pledged[ASSETS_MAX + 1] = {0};
    for (uint32_t b = 1; b <= c->s->balances; b++) {
        const struct balance *balance = &c->balances[b];
        ASSERT(balance->pledged >= 0);
        ASSERT(balance->asset != ASSET_USD || balance->pledged == 0);
        if (!asset_is_token(balance->asset)) pledged[balance->asset] += balance->pledged;
    }
    for (uint32_t a = ASSET_USD + 1; a <= c->s->assets; a++) {
        ASSERT(c->assets[a].issued == -held_by(c, c->s->account_issuer, a));
        ASSERT(c->assets[a].pledged == held_by(c, c->s->account_collateral, a));
        ASSERT(c->assets[a].pledged == pledged[a]);
        ASSERT(c->assets[a].pledged <= c->assets[a].issued);
    }
    for (uint32_t a = 1; a <= c->s->accounts; a++) check_account(c, a);
}
