/* portfolio.c: the auction of a defaulter's portfolio (CLEAR-10).
 *
 * The estate is offered in equal portions. A bid names how many and a price per portion: what the
 * bidder pays, or, below zero, what it asks to be paid. Bids are sealed: until the deadline nobody
 * but the bidder sees them. Then the best prices are awarded first, the earlier bid first at one
 * price, and each pays what it bid (as at Eurex and Nasdaq Clearing). Positions move at their
 * settlement price; the bid is posted beside it.
 *
 * Fewer members than the minimum bid: nothing is awarded. A price below the reserve, or one that
 * the layers before the gains haircut could not pay, is not awarded either; what is left stays in
 * the estate. A bidder whose account would not be margined after the award (CLEAR-08) is passed
 * over and the next bid is taken: the risk must not go from one that cannot carry it to another.
 * Each auction ranks the members by how far their best bid was from the worst awarded one: who did
 * not bid, or bid far off, loses its contribution first (juniors; Eurex, LCH).
 *
 * Rounding. n of r remaining portions get floor(lots x n / r) of each position: the last portion
 * takes what is left.
 *
 * Upstream: ledger, offbook, margin. Downstream: core.c, default.c.
 */
#include "core/default.h"

#include "core/collateral.h"
#include "core/margin.h"
#include "core/offbook.h"

#include <string.h>

/* What one bid may amount to, so that all of them together stay within a balance. */
#define PORTFOLIO_PAYMENT_MAX (MONEY_MAX / 4096)

uint32_t default_bids_max(const struct core_limits *l) { return 4 * l->requests; }

void event_portfolio_push(const struct core *c, struct outbox *out, uint32_t member)
{
    const struct portfolio *a = &c->defaults[member].auction;
    struct event_portfolio *e = outbox_push(out, EVENT_portfolio, sizeof *e);
    e->auction = a->id;
    e->member = member;
    e->status = a->status;
    e->portions = a->portions;
    e->awarded = a->awarded;
    e->bidders = a->bidders;
    e->bidders_min = a->bidders_min;
    e->flags = a->flags;
    e->reserved = 0;
    e->deadline = a->deadline;
    e->reserve = a->reserve;
    e->paid = a->paid;
    e->worst = a->worst;
}

static void event_bid_push(const struct core *c, struct outbox *out, const struct portfolio_bid *b)
{
    struct event_portfolio_bid *e = outbox_push(out, EVENT_portfolio_bid, sizeof *e);
    e->auction = b->auction;
    e->bid = b->id;
    e->account = b->account;
    e->member = c->accounts[b->account].member;
    e->portions = b->portions;
    e->awarded = b->awarded;
    e->price = b->price;
    e->paid = MONEY(b->price.v * b->awarded);
    e->refused = b->refused;
    e->reserved = 0;
}

/* Only an account's own: an auction that is open is sealed from everybody else. */
void query_portfolio_bids(const struct core *c, const struct query *q, struct outbox *out)
{
    for (uint32_t i = 0; i < c->fund->bids; i++) {
        const struct portfolio_bid *b = &c->bids[i];
        if (b->account == q->account && (q->order_id == 0 || b->auction == q->order_id)) {
            event_bid_push(c, out, b);
        }
    }
}

/* ---- opening ---- */

static enum reject open_check(const struct core *c, const struct command_portfolio_open *o)
{
    if (o->member == NIL || o->member > c->s->members) return REJECT_unknown_account;
    const struct default_record *d = &c->defaults[o->member];
    if (d->status != DEFAULT_STATUS_open) return REJECT_not_in_default;
    if (d->auction.status == PORTFOLIO_open) return REJECT_invalid_state;
    if (o->portions < 1 || o->portions > AUCTION_PORTIONS_MAX) return REJECT_invalid_amount;
    int64_t reserve = o->reserve.v;
    if (reserve > PORTFOLIO_PAYMENT_MAX || reserve < -PORTFOLIO_PAYMENT_MAX) {
        return REJECT_invalid_price;
    }
    if (o->deadline.v <= c->s->ts.v) return REJECT_expired_time;
    return default_estate_check(c, d->estate);
}

void portfolio_open(struct core *c, const struct command *cmd)
{
    const struct command_portfolio_open *o = &cmd->portfolio_open;
    enum reject reason = open_check(c, o);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct default_record *d = &c->defaults[o->member];
    /* What is offered does not change while it is: hedges that work are cancelled. */
    (void)order_cancel_account(c, d->estate, CAUSE_cancelled_by_officer);
    d->auction = (struct portfolio){
        .id = ++c->fund->auction_id, .status = PORTFOLIO_open, .portions = o->portions,
        .bidders_min = o->bidders_min != 0 ? o->bidders_min : c->fund->settings.bidders_min,
        .flags = o->flags, .deadline = o->deadline, .reserve = o->reserve,
        .worst = MONEY(INT64_MIN)};
    default_due_set(c);
    event_portfolio_push(c, c->out, o->member);
}

/* ---- bids ---- */

static uint32_t auction_of(const struct core *c, uint64_t id)
{
    for (uint32_t m = 1; m <= c->s->members && id != 0; m++) {
        const struct portfolio *a = &c->defaults[m].auction;
        if (a->id == id && a->status == PORTFOLIO_open) return m;
    }
    return NIL;
}

bool portfolio_is_open(const struct core *c, uint64_t auction)
{
    return auction_of(c, auction) != NIL;
}

static bool may_bid(const struct core *c, uint32_t account, uint32_t flags)
{
    const struct account *a = &c->accounts[account];
    bool client = a->origin == ORIGIN_client;
    if (a->system != 0 || a->mode != MODE_margined) return false;
    if (account_is_killed(c, account) || member_is_in_default(c, a->member)) return false;
    return !client || (flags & PORTFOLIO_FLAG_CLIENTS) != 0;
}

/* What the account would pay if all its bids were taken. */
static int128_t bids_sum(const struct core *c, uint32_t account, uint64_t auction)
{
    int128_t sum = 0;
    for (uint32_t i = 0; i < c->fund->bids; i++) {
        const struct portfolio_bid *b = &c->bids[i];
        if (b->account != account || b->auction != auction || b->price.v <= 0) continue;
        sum += (int128_t)b->price.v * b->portions;
    }
    return sum;
}

/* An award needs a place for every position. */
static bool exposures_ready(struct core *c, uint32_t estate, uint32_t account)
{
    for (uint32_t e = c->accounts[estate].exposures; e != NIL; e = c->exposures[e].next) {
        if (c->exposures[e].position == 0) continue;
        if (exposure_get(c, account, c->exposures[e].instrument) == NIL) return false;
    }
    return true;
}

static enum reject bid_check(struct core *c, const struct command *cmd, uint32_t member)
{
    const struct command_portfolio_bid *b = &cmd->portfolio_bid;
    uint32_t account = cmd->header.account;
    if (!account_exists(c, account)) return REJECT_unknown_account;
    if (member == NIL) return REJECT_unknown_auction;
    const struct default_record *d = &c->defaults[member];
    if (!may_bid(c, account, d->auction.flags)) return REJECT_not_qualified;
    if (b->portions == 0) return REJECT_none;
    if (b->portions > d->auction.portions) return REJECT_invalid_amount;
    int128_t payment = (int128_t)b->price.v * b->portions;
    if (payment > PORTFOLIO_PAYMENT_MAX || payment < -PORTFOLIO_PAYMENT_MAX) {
        return REJECT_invalid_price;
    }
    int128_t all = bids_sum(c, account, b->auction) + payment;
    if (payment > 0 && all > margin_withdrawable(c, account)) return REJECT_insufficient_funds;
    bool room = c->fund->bids < default_bids_max(&c->limits) &&
                exposures_ready(c, d->estate, account);
    return room ? REJECT_none : REJECT_capacity_exhausted;
}

/* Takes out the bids of an auction, of one account or of all (NIL). */
static void bids_drop(struct core *c, uint64_t auction, uint32_t account)
{
    uint32_t kept = 0, count = c->fund->bids;
    for (uint32_t i = 0; i < count; i++) {
        bool hit = c->bids[i].auction == auction &&
                   (account == NIL || c->bids[i].account == account);
        if (!hit) c->bids[kept++] = c->bids[i];
    }
    memset(&c->bids[kept], 0, (count - kept) * sizeof *c->bids);
    c->fund->bids = kept;
}

void portfolio_bid(struct core *c, const struct command *cmd)
{
    const struct command_portfolio_bid *b = &cmd->portfolio_bid;
    uint32_t account = cmd->header.account, member = auction_of(c, b->auction);
    enum reject reason = bid_check(c, cmd, member);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct portfolio_bid one = {.auction = b->auction, .account = account,
                                .portions = b->portions, .price = b->price, .member = member};
    if (b->portions == 0) {
        bids_drop(c, b->auction, account);
    } else {
        one.id = ++c->fund->bid_id;
        c->bids[c->fund->bids++] = one;
    }
    event_bid_push(c, c->out, &one);
}

/* ---- award ---- */

/* portfolio_bid.rank, before and beside the places of the awarded. */
#define RANK_NONE UINT32_C(0)
#define RANK_PASSED UINT32_MAX

/* The best price that was not looked at yet, the earliest at that price; NULL: none. */
static struct portfolio_bid *bid_best(struct core *c, uint64_t auction)
{
    struct portfolio_bid *best = NULL;
    for (uint32_t i = 0; i < c->fund->bids; i++) {
        struct portfolio_bid *b = &c->bids[i];
        if (b->auction != auction || b->rank != RANK_NONE) continue;
        if (best == NULL || b->price.v > best->price.v) best = b;
    }
    return best;
}

/* How many portions of this bid can be awarded: of those left, those that can be paid for. */
static uint32_t portions_payable(const struct core *c, uint32_t member,
                                 const struct portfolio_bid *b, uint32_t left)
{
    uint32_t n = b->portions < left ? b->portions : left;
    if (b->price.v >= 0) return n;
    int128_t most = default_resources(c, member) / -(int128_t)b->price.v;
    if (most <= 0) return 0;
    return most < n ? (uint32_t)most : n;
}

static int64_t lots_of(int64_t position, uint32_t n, uint32_t left)
{
    return (int64_t)((int128_t)position * n / left);
}

static bool is_movable(struct core *c, uint32_t estate, uint32_t account, uint32_t n,
                       uint32_t left, int64_t payment)
{
    if (!money_fits((int128_t)ledger_cash(c, account) - payment)) return false;
    if (!money_fits((int128_t)ledger_cash(c, estate) + payment)) return false;
    for (uint32_t e = c->accounts[estate].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        int64_t lots = lots_of(x->position, n, left);
        price_t price = c->instruments[x->instrument].settlement;
        if (lots == 0) continue;
        if (offbook_movable(c, estate, account, x->instrument, QTY(lots), price) != REJECT_none) {
            return false;
        }
    }
    return true;
}

/* CLEAR-08: whether the account is margined when it has these lots and has paid. Reckoned for all
 * the positions at once, so that what they offset counts; who ends with no more risk and pays
 * nothing is never refused. */
static bool is_margined_after(struct core *c, uint32_t estate, uint32_t account, uint32_t n,
                              uint32_t left, int64_t payment)
{
    const struct account *a = &c->accounts[account];
    struct span_book book;
    uint32_t count = 0;
    span_current(c);
    for (uint32_t e = c->accounts[estate].exposures; e != NIL; e = c->exposures[e].next) {
        int64_t lots = lots_of(c->exposures[e].position, n, left);
        if (lots == 0) continue;
        c->legs[count++] = (struct query_leg){.instrument = c->exposures[e].instrument,
                                              .lots = lots};
    }
    span_reckon(c, account, SPAN_WITH_ORDERS, c->legs, count, &book);
    int128_t need = (int128_t)book.flat +
                    span_speed_path(&c->span_accounts[account], book.span, book.nothing);
    if (need > MONEY_MAX) return false;
    if (need <= a->requirement.v && payment <= 0) return true;
    int128_t available = (int128_t)margin_available(c, account) + a->requirement.v -
                         collateral_credit(c, account, a->requirement.v);
    return available + collateral_credit(c, account, (int64_t)need) - payment >= need;
}

/* Why this bid cannot have n portions; REJECT_none: it can. */
static enum reject award_check(struct core *c, uint32_t member, const struct portfolio_bid *b,
                               uint32_t n, uint32_t left)
{
    uint32_t estate = c->defaults[member].estate;
    int64_t payment = b->price.v * n;
    if (n == 0) return REJECT_layers_left; /* it asks for more than the layers before gains have */
    if (!is_movable(c, estate, b->account, n, left, payment)) return REJECT_amount_overflow;
    bool margined = is_margined_after(c, estate, b->account, n, left, payment);
    return margined ? REJECT_none : REJECT_insufficient_margin;
}

static void award(struct core *c, uint32_t member, struct portfolio_bid *b, uint32_t n,
                  uint32_t left)
{
    struct default_record *d = &c->defaults[member];
    int64_t payment = b->price.v * n;
    for (uint32_t e = c->accounts[d->estate].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        int64_t lots = lots_of(x->position, n, left);
        if (lots == 0) continue;
        offbook_move(c, d->estate, b->account, x->instrument, QTY(lots),
                     c->instruments[x->instrument].settlement, TRADE_default, d->number);
    }
    struct ledger_chain chain = ledger_chain_open(c, NIL, d->auction.id);
    ledger_chain_cash(&chain, b->account, -payment, POSTING_default_auction);
    ledger_chain_cash(&chain, d->estate, payment, POSTING_default_auction);
    ledger_chain_close(&chain);
    b->awarded = n;
    d->auction.awarded += n;
    d->auction.paid.v += payment;
    d->auction.worst = b->price;
}

static void awards_run(struct core *c, uint32_t member)
{
    struct default_record *d = &c->defaults[member];
    uint32_t rank = 0;
    for (struct portfolio_bid *b = bid_best(c, d->auction.id); b != NULL;
         b = bid_best(c, d->auction.id)) {
        uint32_t left = d->auction.portions - d->auction.awarded;
        bool low = (d->auction.flags & PORTFOLIO_FLAG_HAS_RESERVE) != 0 &&
                   b->price.v < d->auction.reserve.v;
        uint32_t n = left == 0 ? 0 : portions_payable(c, member, b, left);
        bool barred = !may_bid(c, b->account, d->auction.flags);
        b->rank = RANK_PASSED;
        if (left == 0) continue;
        b->refused = low      ? REJECT_invalid_price
                     : barred ? REJECT_not_qualified
                              : award_check(c, member, b, n, left);
        if (b->refused != REJECT_none) continue;
        b->rank = ++rank;
        award(c, member, b, n, left);
    }
}

/* ---- ranking ---- */

/* The best bid of any of the member's accounts; false: none. */
static bool best_of(const struct core *c, uint64_t auction, uint32_t member, int64_t *price)
{
    bool found = false;
    for (uint32_t i = 0; i < c->fund->bids; i++) {
        const struct portfolio_bid *b = &c->bids[i];
        if (b->auction != auction || c->accounts[b->account].member != member) continue;
        if (!found || b->price.v > *price) *price = b->price.v;
        found = true;
    }
    return found;
}

static uint32_t bidders_count(const struct core *c, uint64_t auction)
{
    uint32_t count = 0;
    int64_t price = 0;
    for (uint32_t m = 1; m <= c->s->members; m++) count += best_of(c, auction, m, &price);
    return count;
}

/* The margin of a portion: of what was taken over, as much as is still there. */
static int64_t portion_margin(const struct default_record *d, int64_t lots)
{
    if (d->lots == 0 || d->auction.portions == 0) return 0;
    int128_t margin = (int128_t)d->requirement.v * int64_min(lots, d->lots) / d->lots;
    return (int64_t)(margin / d->auction.portions);
}

static uint8_t tier_of(const struct core *c, const struct portfolio *a, uint32_t member,
                       int64_t margin)
{
    int64_t price = 0;
    if (!best_of(c, a->id, member, &price)) return TIER_junior;
    if (a->worst.v == INT64_MIN) return TIER_senior; /* it bid; nothing to measure it by */
    int128_t distance = (int128_t)a->worst.v - price;
    if (distance <= (int128_t)margin * c->fund->settings.near_e6 / E6) return TIER_senior;
    return distance <= (int128_t)margin * c->fund->settings.far_e6 / E6 ? TIER_middle
                                                                         : TIER_junior;
}

static int64_t gross_lots(const struct core *c, uint32_t account)
{
    int128_t lots = 0;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        int64_t own = c->exposures[e].position;
        lots += own < 0 ? -(int128_t)own : own;
    }
    return lots > INT64_MAX ? INT64_MAX : (int64_t)lots;
}

static enum portfolio_status status_of(const struct portfolio *a)
{
    if (a->bidders < a->bidders_min) return PORTFOLIO_few_bidders;
    if (a->awarded == 0) return PORTFOLIO_unsold;
    return a->awarded == a->portions ? PORTFOLIO_awarded : PORTFOLIO_partly;
}

void portfolio_end(struct core *c, uint32_t member)
{
    struct default_record *d = &c->defaults[member];
    struct portfolio *a = &d->auction;
    int64_t margin = portion_margin(d, gross_lots(c, d->estate));
    ASSERT(a->status == PORTFOLIO_open);
    a->bidders = bidders_count(c, a->id);
    if (a->bidders >= a->bidders_min) awards_run(c, member);
    a->status = status_of(a);
    d->auctions += 1;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        uint8_t *tier = tier_at(c, member, m), now = tier_of(c, a, m, margin);
        if (now > *tier) *tier = now; /* the worst of all auctions */
    }
    for (uint32_t i = 0; i < c->fund->bids; i++) {
        if (c->bids[i].auction == a->id) event_bid_push(c, c->out, &c->bids[i]);
    }
    bids_drop(c, a->id, NIL);
    event_portfolio_push(c, c->out, member);
}
