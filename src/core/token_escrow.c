/* token_escrow.c: tokens that a delivery holds, and tokens whose hour is over (UNIT-02). See
 * token.h.
 *
 * Upstream: delivery, schedule. Downstream: ledger, certify_supply, token_cover.
 */
#include "core/token.h"

#include "core/ledger.h"
#include "core/schedule.h"

/* ---- escrow ---- */

enum reject token_escrow_check(const struct core *c, uint32_t account, uint32_t resource,
                               const struct token_class *class, int64_t hour, int64_t amount)
{
    uint32_t id = token_class_find(c, class);
    struct token_class own;
    struct token_needs needs = {0};
    if (id == NIL) return REJECT_unknown_asset;
    if (amount < 1 || amount > MONEY_MAX) return REJECT_invalid_amount;
    bool certified = resource_class(c, resource, &own) && token_class_serves(&own, class) &&
                     resource_account(c, resource) == account &&
                     certificate_work(c, resource, hour) > 0;
    if (!certified) return REJECT_uncertified;
    const struct promise *p = promise_find(c, resource, hour);
    int128_t bound = (int128_t)amount + token_escrowed(c, resource, hour);
    if (bound > certificate_work(c, resource, hour)) return REJECT_insufficient_supply;
    if (!token_hour_is_open(c, hour)) return REJECT_invalid_hour;
    uint32_t asset = token_asset(id, hour);
    int128_t some = token_balance(c, account, asset);
    if (some + token_cover_idle(c, account, asset) < amount) return REJECT_insufficient_funds;
    token_needs_add(c, &needs, asset, account, c->token.s->account_escrow);
    bool room = token_needs_fit(c, &needs) && (p != NULL || promise_room(c) > 0);
    return room ? REJECT_none : REJECT_capacity_exhausted;
}

enum reject token_escrow(struct core *c, uint32_t account, uint32_t resource,
                         const struct token_class *class, int64_t hour, int64_t amount)
{
    enum reject reason = token_escrow_check(c, account, resource, class, hour, amount);
    if (reason != REJECT_none) return reason;
    uint32_t id = token_class_find(c, class), asset = token_asset(id, hour);
    while (token_balance(c, account, asset) < amount) {
        bool yielded = token_cover_yield(c, account, id, hour);
        ASSERT(yielded);
    }
    token_post(c, account, c->token.s->account_escrow, asset, amount, POSTING_token_escrow);
    promise_get(c, resource, hour)->escrowed += amount;
    c->token.slots[token_slot_find(c, asset)].escrowed += amount;
    event_token_push(c, c->out, &(struct token_move){.asset = asset, .cause = TOKEN_escrowed,
                                                     .account = account, .resource = resource,
                                                     .amount = amount});
    return REJECT_none;
}

int64_t token_escrowed(const struct core *c, uint32_t resource, int64_t hour)
{
    const struct promise *p = promise_find(c, resource, hour);
    return p == NULL ? 0 : p->escrowed;
}

/* Out of escrow: back to who gave them, or to the issuer's account. */
static void escrow_leave(struct core *c, const struct token_move *m, uint32_t to,
                         enum posting_code code)
{
    uint32_t place = token_slot_find(c, m->asset);
    int64_t hour = token_asset_hour(m->asset);
    struct promise *p = promise_find(c, m->resource, hour);
    ASSERT(place != NIL && p != NULL && m->amount > 0 && p->escrowed >= m->amount);
    struct token_slot *slot = &c->token.slots[place];
    token_post(c, c->token.s->account_escrow, to, m->asset, m->amount, code);
    p->escrowed -= m->amount;
    slot->escrowed -= m->amount;
    event_token_push(c, c->out, m);
    promise_settle(c, m->resource, hour);
    bool gone = token_balance(c, c->s->account_issuer, m->asset) == 0;
    if (gone) token_slot_release(c, place);
}

void token_escrow_return(struct core *c, uint32_t account, uint32_t resource,
                         const struct token_class *class, int64_t hour, int64_t amount)
{
    struct token_move m = {.asset = token_asset(token_class_find(c, class), hour),
                           .cause = TOKEN_returned, .account = account, .resource = resource,
                           .amount = amount};
    if (token_hour_is_open(c, hour)) {
        escrow_leave(c, &m, account, POSTING_token_return);
        return;
    }
    m.cause = TOKEN_expired;
    escrow_leave(c, &m, c->s->account_issuer, POSTING_token_expiry);
}

void token_redeem(struct core *c, uint32_t account, uint32_t resource,
                  const struct token_class *class, int64_t hour, int64_t amount)
{
    struct token_move m = {.asset = token_asset(token_class_find(c, class), hour),
                           .cause = TOKEN_redeemed, .account = account, .resource = resource,
                           .amount = amount};
    escrow_leave(c, &m, c->s->account_issuer, POSTING_token_redeem);
}

/* ---- the end of an hour ---- */

static bool something_waits(const struct core *c)
{
    return c->token.s->slot_map_count > c->token.s->over ||
           c->certify.s->promise_map_count > 0;
}

void token_hours_begin(struct core *c)
{
    if (something_waits(c)) return;
    c->token.s->hour_next = int64_div_floor(c->s->ts.v, NS_PER_HOUR);
}

int64_t token_due(const struct core *c)
{
    return something_waits(c) ? (c->token.s->hour_next + 1) * NS_PER_HOUR : INT64_MAX;
}

/* Whoever holds them, pledged or not: back to the issuer's account. What is in escrow stays. */
static void slot_expire(struct core *c, uint32_t place)
{
    struct token_slot *slot = &c->token.slots[place];
    uint32_t asset = slot->asset, issuer = c->s->account_issuer;
    struct ledger_chain chain = ledger_chain_open(c, NIL, 0);
    int64_t total = 0;
    for (uint32_t b = slot->balances; b != NIL; b = c->balances[b].asset_next) {
        uint32_t account = c->balances[b].account;
        int64_t amount = c->balances[b].amount;
        if (account == issuer || account == c->token.s->account_escrow || amount == 0) continue;
        ledger_chain_asset(&chain, account, asset, -amount, POSTING_token_expiry);
        total += amount;
    }
    ledger_chain_asset(&chain, issuer, asset, total, POSTING_token_expiry);
    ledger_chain_close(&chain);
    slot->pledged = 0;
    slot->over = 1;
    c->token.s->over += 1;
    event_token_push(c, c->out, &(struct token_move){.asset = asset, .cause = TOKEN_expired,
                                                     .amount = total});
    for (uint32_t b = slot->balances; b != NIL; b = c->balances[b].asset_next) {
        if (c->balances[b].pledged == 0) continue;
        c->balances[b].pledged = 0;
        token_covers_end(c, c->balances[b].account, token_asset_hour(asset));
    }
    if (slot->escrowed == 0) token_slot_release(c, place);
}

/* One asset of the hour a time; the hour is over when none is left. */
void token_run(struct core *c)
{
    struct token_state *s = c->token.s;
    if (token_due(c) > c->s->ts.v) return;
    uint32_t classes = token_hour_is_valid(s->hour_next) ? c->certify.s->class_count : 0;
    for (uint32_t class = 1; class <= classes; class++) {
        uint32_t place = token_slot_find(c, token_asset(class, s->hour_next));
        if (place == NIL || c->token.slots[place].over != 0) continue;
        slot_expire(c, place);
        return;
    }
    promises_end(c, s->hour_next);
    s->hour_next += 1;
}
