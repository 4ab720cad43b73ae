/* fund.c: the default fund: shares, contributions, calls, own capital (CLEAR-10, CLEAR-11).
 *
 * The fund is sized daily by command: a total that is at least the two largest stress losses (Cover
 * 2, PFMI principle 4), shared by stress loss, or a total shared by the initial margin of each
 * member's accounts. A member whose contribution falls short of its share has a call with a
 * deadline; what stands above the share may be taken back while no default is open.
 *
 * Upstream: ledger, margin. Downstream: core.c, default.c, default_layers.c.
 */
#include "core/default.h"

#include "core/dual.h"
#include "core/margin.h"

#include <stdio.h>
#include <string.h>

/* Sources of the defaults: assessment once the contribution, as at Eurex and CME for one default;
 * five days to pay it (rulebook); two days to refill, as Nasdaq Clearing asked in September 2018;
 * a quarter of own capital before the members' money (EMIR RTS 153, art. 35); a day to port, about
 * what Eurex Clearing and LCH give a client's new clearing member. */
void fund_open(struct core *c)
{
    c->fund->settings = (struct command_fund_set){
        .assessment_e6 = 1000000, .assessment_days = 5, .refill_days = 2, .bidders_min = 8,
        .near_e6 = 100000, .far_e6 = 250000, .skin_e6 = 250000, .porting_hours = 24};
}

/* ---- what stands ---- */

int64_t fund_balance(const struct core *c, uint32_t member)
{
    uint32_t account = c->fund_members[member].account;
    return account == NIL ? 0 : ledger_cash(c, account);
}

int64_t fund_call(const struct core *c, uint32_t member)
{
    const struct fund_member *f = &c->fund_members[member];
    if (f->call_deadline.v == 0) return 0;
    return int64_max(0, f->due.v - fund_balance(c, member));
}

int64_t fund_cap(const struct core *c, uint32_t member)
{
    const struct fund_member *f = &c->fund_members[member];
    int128_t cap = (int128_t)f->base.v * c->fund->settings.assessment_e6 / E6;
    return money_clamp(cap);
}

int64_t fund_headroom(const struct core *c, uint32_t member)
{
    return int64_max(0, fund_cap(c, member) - c->fund_members[member].assessed.v);
}

void event_fund_share_push(const struct core *c, struct outbox *out, uint32_t member)
{
    const struct fund_member *f = &c->fund_members[member];
    struct event_fund_share *e = outbox_push(out, EVENT_fund_share, sizeof *e);
    e->member = member;
    e->account = f->account;
    e->due = f->due;
    e->balance = MONEY(fund_balance(c, member));
    e->call = MONEY(fund_call(c, member));
    e->call_deadline = f->call_deadline;
    e->assessed = f->assessed;
    e->assessment = f->assessment;
    e->assessment_deadline = f->assessment_deadline;
    e->cap = MONEY(fund_cap(c, member));
    e->defaulted = member_is_in_default(c, member);
    e->flags = f->flags;
}

void event_fund_push(const struct core *c, struct outbox *out)
{
    const struct fund_state *f = c->fund;
    int128_t total = 0, paid = 0;
    uint32_t members = 0;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        if (member_is_in_default(c, m)) continue;
        total += c->fund_members[m].due.v;
        paid += fund_balance(c, m);
        members += c->fund_members[m].due.v != 0 || fund_balance(c, m) != 0;
    }
    struct event_fund *e = outbox_push(out, EVENT_fund, sizeof *e);
    e->settings = f->settings;
    e->date = f->date;
    e->cover2 = f->cover2;
    e->total = MONEY((int64_t)total); /* bounded by MONEY_MAX when it was sized */
    e->paid = MONEY(money_clamp(paid));
    e->capital = MONEY(f->capital == NIL ? 0 : ledger_cash(c, f->capital));
    e->skin = MONEY(f->skin == NIL ? 0 : ledger_cash(c, f->skin));
    e->members = members;
    e->defaults_open = f->open;
}

/* Opens a call if something is missing. */
static void refill(struct core *c, uint32_t member)
{
    struct fund_member *f = &c->fund_members[member];
    bool short_of = f->due.v > fund_balance(c, member);
    f->flags &= ~(uint32_t)FUND_SHARE_CALL_MISSED;
    if (!short_of || member_is_in_default(c, member)) {
        f->call_deadline = TS(0);
    } else if (f->call_deadline.v == 0) { /* one that is open keeps its deadline */
        f->call_deadline = TS(c->s->ts.v + c->fund->settings.refill_days * NS_PER_DAY);
    }
}

void fund_refill_all(struct core *c)
{
    for (uint32_t m = 1; m <= c->s->members; m++) {
        int64_t deadline = c->fund_members[m].call_deadline.v;
        refill(c, m);
        if (c->fund_members[m].call_deadline.v != deadline) event_fund_share_push(c, c->out, m);
    }
}

uint32_t clearing_account(struct core *c, const char *name, uint32_t member)
{
    char text[ACCOUNT_NAME_SIZE + MEMBER_NAME_SIZE] = {0};
    char padded[ACCOUNT_NAME_SIZE] = {0};
    if (member == NIL) {
        (void)snprintf(text, sizeof text, "%s", name);
    } else {
        int n = snprintf(text, sizeof text, "%s/%s", c->members[member].name, name);
        if (n >= ACCOUNT_NAME_SIZE) (void)snprintf(text, sizeof text, "#%u/%s", member, name);
    }
    memcpy(padded, text, strnlen(text, sizeof padded - 1));
    return account_room_own(c, 1) ? account_open_own(c, padded) : NIL;
}

/* ---- settings and sizing ---- */

void fund_set(struct core *c, const struct command *cmd)
{
    const struct command_fund_set *s = &cmd->fund_set;
    bool sane = s->assessment_e6 <= 10 * E6 && s->assessment_days >= 1 &&
                s->assessment_days <= 365 && s->refill_days >= 1 && s->refill_days <= 365 &&
                s->bidders_min >= 1 && s->near_e6 <= s->far_e6 && s->far_e6 <= 100 * E6 &&
                s->skin_e6 <= E6 && s->porting_hours <= 720;
    enum reject reason = sane ? REJECT_none : REJECT_malformed_request;
    /* What a running default was counted with stays until it is closed. */
    if (reason == REJECT_none && c->fund->open > 0) reason = REJECT_invalid_state;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (dual_wait(c, cmd)) return; /* GUARD-05 */
    c->fund->settings = *s;
    event_fund_push(c, c->out);
}

/* Weights by member into c->fund_weights, which is scratch. */
static enum reject weights_given(struct core *c, const struct command_fund_size *s,
                                 int64_t *cover2)
{
    int64_t first = 0, second = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct fund_share *share = &s->shares[i];
        uint32_t m = share->member;
        if (m == NIL || m > c->s->members || m == member_clearing(c)) return REJECT_unknown_account;
        if (c->fund_weights[m] != 0) return REJECT_malformed_request; /* named twice */
        if (member_is_in_default(c, m)) return REJECT_in_default;
        int64_t loss = share->stress_loss.v;
        if (loss < 0 || loss > MONEY_MAX / 4) return REJECT_invalid_amount;
        c->fund_weights[m] = loss;
        second = loss > first ? first : int64_max(second, loss);
        first = int64_max(first, loss);
    }
    *cover2 = first + second;
    return REJECT_none;
}

static void weights_margin(struct core *c)
{
    for (uint32_t a = 1; a <= c->s->accounts; a++) {
        const struct account *account = &c->accounts[a];
        if (account->system != 0 || member_is_in_default(c, account->member)) continue;
        int64_t *w = &c->fund_weights[account->member];
        *w = int64_min(MONEY_MAX, *w + int64_min(account->requirement.v, MONEY_MAX - *w));
    }
}

static enum reject size_check(struct core *c, const struct command_fund_size *s, int64_t *total,
                              int64_t *cover2)
{
    bool given = s->basis == FUND_BASIS_stress;
    *cover2 = 0;
    memset(c->fund_weights, 0, ((size_t)c->limits.members + 1) * sizeof *c->fund_weights);
    if (s->total.v < 0 || s->total.v > MONEY_MAX / 2) return REJECT_invalid_amount;
    if (given != (s->count > 0) || s->date <= 0 || s->date > 1000000) {
        return REJECT_malformed_request;
    }
    enum reject reason = given ? weights_given(c, s, cover2) : REJECT_none;
    if (reason != REJECT_none) return reason;
    if (!given) weights_margin(c);
    int128_t sum = 0;
    for (uint32_t m = 1; m <= c->s->members; m++) sum += c->fund_weights[m];
    *total = s->total.v == 0 ? *cover2 : s->total.v;
    if (*total > 0 && sum == 0) return REJECT_invalid_amount; /* nobody to share it */
    if (*total < *cover2) return REJECT_below_cover_2;         /* CLEAR-11 */
    return REJECT_none;
}

static int64_t share_of(int64_t left, int64_t own, int128_t sum)
{
    /* Unlike what is used up, a total may exceed the sum of the weights. */
    return sum == 0 ? 0 : (int64_t)((int128_t)left * own / sum);
}

void fund_size(struct core *c, const struct command *cmd)
{
    const struct command_fund_size *s = &cmd->fund_size;
    int64_t total, cover2;
    enum reject reason = size_check(c, s, &total, &cover2);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    int128_t sum = 0;
    for (uint32_t m = 1; m <= c->s->members; m++) sum += c->fund_weights[m];
    int64_t left = total;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        struct fund_member *f = &c->fund_members[m];
        int64_t share = share_of(left, c->fund_weights[m], sum);
        left -= share;
        sum -= c->fund_weights[m];
        if (share == 0 && f->due.v == 0) continue;
        f->due = MONEY(share);
        refill(c, m);
        event_fund_share_push(c, c->out, m);
    }
    ASSERT(left == 0);
    c->fund->date = s->date;
    c->fund->cover2 = MONEY(cover2);
    default_due_set(c);
    event_fund_push(c, c->out);
}

/* ---- money ---- */

/* The house account that speaks for its member. */
static enum reject house_check(const struct core *c, uint32_t account)
{
    if (!account_exists(c, account)) return REJECT_unknown_account;
    const struct account *a = &c->accounts[account];
    if (a->system != 0 || a->origin != ORIGIN_house) return REJECT_unauthorised;
    /* A closed default's member may pay in again, to be readmitted. */
    bool open = c->defaults[a->member].status == DEFAULT_STATUS_open;
    return open ? REJECT_in_default : REJECT_none;
}

static enum reject amount_check(int64_t amount)
{
    return amount < 1 || amount > MONEY_MAX ? REJECT_invalid_amount : REJECT_none;
}

static enum reject post_two(struct core *c, uint32_t from, uint32_t to, int64_t amount,
                            enum posting_code code, uint64_t reference)
{
    struct ledger_line lines[2] = {{from, ASSET_USD, -amount}, {to, ASSET_USD, amount}};
    return ledger_post(c, lines, 2, code, 0, reference);
}

static enum reject contribute(struct core *c, uint32_t account, int64_t amount)
{
    enum reject reason = house_check(c, account);
    if (reason == REJECT_none) reason = amount_check(amount);
    if (reason == REJECT_none) reason = margin_spares(c, account, amount);
    if (reason != REJECT_none) return reason;
    uint32_t m = c->accounts[account].member;
    struct fund_member *f = &c->fund_members[m];
    if (f->account == NIL) f->account = clearing_account(c, "fund", m);
    if (f->account == NIL) return REJECT_capacity_exhausted;
    reason = post_two(c, account, f->account, amount, POSTING_fund_contribution, 0);
    if (reason != REJECT_none) return reason;
    refill(c, m);
    event_fund_share_push(c, c->out, m);
    return REJECT_none;
}

/* Towards an assessment: at most what is called; it goes to the estate it was called for. */
static void assessment_post(struct core *c, uint32_t account, int64_t amount)
{
    uint32_t m = c->accounts[account].member, defaulter = c->fund->assessed_for;
    struct fund_member *f = &c->fund_members[m];
    struct default_record *d = &c->defaults[defaulter];
    enum reject reason = post_two(c, account, d->estate, amount, POSTING_default_assessment,
                                  d->number);
    ASSERT(reason == REJECT_none);
    f->assessment.v -= amount;
    if (f->assessment.v == 0) {
        f->assessment_deadline = TS(0);
        f->flags &= ~(uint32_t)FUND_SHARE_ASSESSMENT_MISSED;
    }
    default_claim_add(c, defaulter, LAYER_assessment, 0, account, amount);
    event_default_layer_push(c, defaulter, LAYER_assessment, 0, 1, amount);
    event_fund_share_push(c, c->out, m);
}

static bool claims_have_room(const struct core *c, uint32_t count)
{
    return c->fund->claims + count <= default_claims_max(&c->limits);
}

static enum reject assessment_pay(struct core *c, uint32_t account, int64_t amount)
{
    enum reject reason = house_check(c, account);
    if (reason == REJECT_none) reason = amount_check(amount);
    if (reason != REJECT_none) return reason;
    const struct fund_member *f = &c->fund_members[c->accounts[account].member];
    if (f->assessment.v == 0) return REJECT_invalid_state;
    if (amount > f->assessment.v) return REJECT_invalid_amount;
    reason = margin_spares(c, account, amount);
    if (reason != REJECT_none) return reason;
    if (!claims_have_room(c, 1)) return REJECT_capacity_exhausted;
    assessment_post(c, account, amount);
    return REJECT_none;
}

static enum reject release(struct core *c, uint32_t account, int64_t amount)
{
    enum reject reason = house_check(c, account);
    if (reason == REJECT_none) reason = amount_check(amount);
    if (reason != REJECT_none) return reason;
    uint32_t m = c->accounts[account].member;
    const struct fund_member *f = &c->fund_members[m];
    if (c->fund->open > 0) return REJECT_invalid_state; /* bound until the default is closed */
    if (amount > fund_balance(c, m) - f->due.v) return REJECT_insufficient_funds;
    reason = post_two(c, f->account, account, amount, POSTING_fund_release, 0);
    if (reason == REJECT_none) event_fund_share_push(c, c->out, m);
    return reason;
}

/* What the account can spare above its margin. */
static int64_t spare_of(const struct core *c, uint32_t account)
{
    const struct balance *b = &c->balances[c->accounts[account].cash];
    int64_t free = b->amount - b->pending_out;
    return int64_max(0, int64_min(free, margin_withdrawable(c, account)));
}

/* Direct debit: assessments first, then contributions, from house accounts in order. */
static void collect_from(struct core *c, uint32_t account)
{
    uint32_t m = c->accounts[account].member;
    struct fund_member *f = &c->fund_members[m];
    int64_t spare = spare_of(c, account);
    int64_t part = int64_min(f->assessment.v, spare);
    if (part > 0 && claims_have_room(c, 1)) {
        assessment_post(c, account, part);
        spare -= part;
    }
    part = int64_min(fund_call(c, m), spare);
    if (part <= 0) return;
    enum reject reason = contribute(c, account, part);
    ASSERT(reason == REJECT_none || reason == REJECT_capacity_exhausted ||
           reason == REJECT_amount_overflow);
}

static enum reject collect(struct core *c, uint32_t member)
{
    if (member > c->s->members) return REJECT_unknown_account;
    uint32_t count = c->s->accounts; /* a contribution may open an account */
    for (uint32_t a = 1; a <= count; a++) {
        if (member != NIL && c->accounts[a].member != member) continue;
        if (house_check(c, a) == REJECT_none) collect_from(c, a);
    }
    default_due_set(c);
    return REJECT_none;
}

static bool skin_is_enough(const struct core *c, int128_t capital, int128_t skin)
{
    return skin * E6 >= (capital + skin) * c->fund->settings.skin_e6;
}

/* Own capital comes in or goes out, then its tranche is set. */
static enum reject capital_move(struct core *c, int64_t amount, int64_t skin)
{
    struct fund_state *f = c->fund;
    if (amount < -MONEY_MAX || amount > MONEY_MAX || skin < 0) return REJECT_invalid_amount;
    int64_t capital = f->capital == NIL ? 0 : ledger_cash(c, f->capital);
    int64_t tranche = f->skin == NIL ? 0 : ledger_cash(c, f->skin);
    int128_t after = (int128_t)capital + tranche + amount - skin; /* outside the tranche */
    if (c->fund->open > 0 && skin < tranche) return REJECT_invalid_state;
    if (after < 0 || (int128_t)capital + tranche + amount > MONEY_MAX) {
        return REJECT_insufficient_funds;
    }
    if (!skin_is_enough(c, after, skin)) return REJECT_skin_in_the_game;
    if (!money_fits((int128_t)ledger_cash(c, c->s->account_bank) - amount)) {
        return REJECT_amount_overflow;
    }
    if (f->capital == NIL) f->capital = clearing_account(c, "capital", NIL);
    if (f->capital != NIL && f->skin == NIL) f->skin = clearing_account(c, "skin", NIL);
    if (f->skin == NIL) return REJECT_capacity_exhausted;
    struct ledger_chain chain = ledger_chain_open(c, NIL, 0);
    ledger_chain_cash(&chain, c->s->account_bank, -amount, POSTING_capital);
    ledger_chain_cash(&chain, f->capital, amount, POSTING_capital);
    ledger_chain_cash(&chain, f->capital, tranche - skin, POSTING_skin);
    ledger_chain_cash(&chain, f->skin, skin - tranche, POSTING_skin);
    ledger_chain_close(&chain);
    event_fund_push(c, c->out);
    return REJECT_none;
}

static enum reject recover(struct core *c, uint32_t member, int64_t amount)
{
    if (member == NIL || member > c->s->members) return REJECT_unknown_account;
    struct default_record *d = &c->defaults[member];
    if (d->status == DEFAULT_STATUS_none) return REJECT_not_in_default;
    enum reject reason = amount_check(amount);
    if (reason != REJECT_none) return reason;
    if (!money_fits((int128_t)d->recovered.v + amount)) return REJECT_amount_overflow;
    reason = post_two(c, c->s->account_bank, d->estate, amount, POSTING_default_recovery,
                      d->number);
    if (reason != REJECT_none) return reason;
    d->recovered.v += amount;
    /* While it is open the estate needs the money itself; what is too much goes back at the end. */
    if (d->status == DEFAULT_STATUS_closed) default_refund(c, member);
    event_default_push(c, c->out, member);
    return REJECT_none;
}

/* CLEAR-13: money that comes from or goes to the bank waits for a second officer where the venue
 * asks for one. It is checked when it is carried out. */
static bool through_bank(const struct command_fund_move *m)
{
    return m->action == FUND_recover || (m->action == FUND_capital && m->amount.v != 0);
}

void fund_move(struct core *c, const struct command *cmd)
{
    const struct command_fund_move *m = &cmd->fund_move;
    uint32_t account = cmd->header.account;
    enum reject reason = REJECT_malformed_request;
    if (through_bank(m) && c->s->settings.dual_transfers != 0 && dual_wait(c, cmd)) return;
    switch ((enum fund_action)m->action) {
    case FUND_contribute: reason = contribute(c, account, m->amount.v); break;
    case FUND_assessment: reason = assessment_pay(c, account, m->amount.v); break;
    case FUND_release: reason = release(c, account, m->amount.v); break;
    case FUND_collect: reason = collect(c, m->member); break;
    case FUND_capital: reason = capital_move(c, m->amount.v, m->skin.v); break;
    case FUND_recover: reason = recover(c, m->member, m->amount.v); break;
    case FUND_action_count: break;
    }
    if (reason != REJECT_none) reject_push(c, cmd, reason, INT64_MIN);
}
