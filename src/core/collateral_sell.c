/* collateral_sell.c: what a defaulter had pledged becomes money (CLEAR-09, CLEAR-10).
 *
 * Pledged capacity is part of a defaulter's margin, so it is turned into money before anybody else
 * pays: two officers sell it, for a price and to a buyer that they name with the evidence of the
 * sale. It goes from the account that holds collateral to the buyer, the price from the buyer to
 * the estate, where it counts as the defaulter's margin. Clients' collateral never pays for the
 * house: of a client that is closed out and owes, what it had pledged is sold for the client
 * itself (closeout.h).
 *
 * Upstream: core. Downstream: ledger, default, collateral.
 */
#include "core/call.h"
#include "core/collateral.h"
#include "core/default.h"
#include "core/dual.h"
#include "core/margin.h"

static enum reject buyer_check(const struct core *c, const struct command_collateral_sell *s)
{
    if (call_withholds(c, s->buyer)) return REJECT_call_open;
    return margin_spares(c, s->buyer, s->price.v);
}

static enum reject sell_check(const struct core *c, uint32_t seller,
                              const struct command_collateral_sell *s)
{
    if (s->evidence[0] == 0) return REJECT_malformed_request;
    bool known = account_is_customer(c, seller) && account_is_customer(c, s->buyer);
    if (!known) return REJECT_unknown_account;
    if (!asset_is_capacity(c, s->asset)) return REJECT_unknown_asset;
    const struct account *a = &c->accounts[seller];
    bool open = c->defaults[a->member].status == DEFAULT_STATUS_open;
    bool owes = c->calls[seller].state == CALL_closing && ledger_cash(c, seller) < 0;
    if (!open || (a->origin != ORIGIN_house && !owes)) return REJECT_not_in_default;
    if (c->accounts[s->buyer].member == a->member) return REJECT_unauthorised;
    if (s->amount < 1 || s->amount > MONEY_MAX) return REJECT_invalid_amount;
    if (s->price.v < 0 || s->price.v > MONEY_MAX) return REJECT_invalid_price;
    uint32_t id = balance_find(c, seller, s->asset);
    if (id == NIL || c->balances[id].pledged < s->amount) return REJECT_insufficient_funds;
    if (c->fund->claims >= default_claims_max(&c->limits)) return REJECT_capacity_exhausted;
    return buyer_check(c, s);
}

void collateral_sell(struct core *c, const struct command *cmd)
{
    const struct command_collateral_sell *s = &cmd->collateral_sell;
    uint32_t seller = cmd->header.account;
    enum reject reason = sell_check(c, seller, s);
    if (reason == REJECT_none && dual_wait(c, cmd)) return;
    if (reason == REJECT_none) {
        uint32_t member = c->accounts[seller].member;
        const struct default_record *d = &c->defaults[member];
        uint32_t to = c->accounts[seller].origin == ORIGIN_house ? d->estate : seller;
        struct ledger_line lines[4] = {{c->s->account_collateral, s->asset, -s->amount},
                                       {s->buyer, s->asset, s->amount},
                                       {s->buyer, ASSET_USD, -s->price.v},
                                       {to, ASSET_USD, s->price.v}};
        uint32_t count = s->price.v > 0 ? 4 : 2;
        bool fits = money_fits((int128_t)d->margin.v + s->price.v);
        reason = fits ? ledger_post(c, lines, count, POSTING_collateral_sale,
                                    c->assets[s->asset].terms.instrument, d->number)
                      : REJECT_amount_overflow;
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t member = c->accounts[seller].member;
    c->balances[balance_find(c, seller, s->asset)].pledged -= s->amount;
    c->assets[s->asset].pledged -= s->amount;
    collateral_update(c, seller);
    bool house = c->accounts[seller].origin == ORIGIN_house;
    if (house) c->defaults[member].margin.v += s->price.v;
    if (house && s->price.v > 0) {
        default_claim_add(c, member, LAYER_margin, 0, seller, s->price.v);
    }
    event_default_push(c, c->out, member);
}
