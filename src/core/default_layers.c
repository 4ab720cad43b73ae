/* default_layers.c: who pays for a default, in which order (CLEAR-10), and who gets back first.
 *
 *   the defaulter's margin, its contribution, the clearing house's tranche, the survivors'
 *   contributions (juniors first), assessments up to a cap, a haircut of the gains that the market
 *   made meanwhile, tear-up of what is left, own capital
 *
 * A layer is touched only when those before it are empty. Each use is one chain of postings with a
 * code of its own and one event. What is paid is kept as a claim of who paid it; a surplus at the
 * end and every later recovery pays claims in the reverse order.
 *
 * Sources: PFMI principles 13 and 14; EMIR art. 45; the default rules of Eurex (juniors), LCH and
 * CME (assessment, gains haircut, tear-up).
 *
 * Upstream: ledger. Downstream: default.c, fund.c.
 */
#include "core/default.h"

#include <string.h>

uint32_t default_claims_max(const struct core_limits *l)
{
    return 4 * l->accounts + 8 * l->members;
}

int64_t default_deficit(const struct core *c, uint32_t member)
{
    uint32_t estate = c->defaults[member].estate;
    return estate == NIL ? 0 : -ledger_cash(c, estate);
}

int64_t pro_rata_floor(int64_t left, int64_t own, int128_t sum)
{
    ASSERT(own >= 0 && own <= sum && left >= 0 && left <= sum);
    return sum == 0 ? 0 : (int64_t)((int128_t)left * own / sum);
}

/* ---- claims ---- */

int64_t default_claims_of(const struct core *c, uint32_t member, uint32_t layer)
{
    int128_t sum = 0;
    for (uint32_t i = 0; i < c->fund->claims; i++) {
        const struct default_claim *k = &c->claims[i];
        if (k->member == member && k->layer == layer) sum += k->amount;
    }
    return money_clamp(sum);
}

/* The search begins behind the last one found: payers come in the same order every time. */
void default_claim_add(struct core *c, uint32_t member, enum default_layer layer, uint32_t tier,
                       uint32_t account, int64_t amount)
{
    uint32_t count = c->fund->claims;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (c->claim_cursor + i) % count;
        struct default_claim *k = &c->claims[at];
        if (k->member != member || k->account != account) continue;
        if (k->layer != layer || k->tier != tier) continue;
        k->amount += amount;
        c->claim_cursor = at + 1;
        return;
    }
    ASSERT(count < default_claims_max(&c->limits));
    c->claims[count] = (struct default_claim){.member = member, .account = account,
                                              .layer = (uint16_t)layer, .tier = (uint16_t)tier,
                                              .amount = amount};
    c->fund->claims += 1;
    c->claim_cursor = 0;
}

/* Those of `member` (0: none), and whatever is paid back. */
void default_claims_drop(struct core *c, uint32_t member)
{
    uint32_t kept = 0, count = c->fund->claims;
    for (uint32_t i = 0; i < count; i++) {
        bool gone = c->claims[i].amount == 0 || c->claims[i].member == member;
        if (!gone) c->claims[kept++] = c->claims[i];
    }
    memset(&c->claims[kept], 0, (count - kept) * sizeof *c->claims);
    c->fund->claims = kept;
    c->claim_cursor = 0;
}

/* ---- one layer ---- */

struct layer {
    uint32_t member; /* the defaulter */
    enum default_layer layer;
    uint32_t tier;
    enum posting_code code;
    uint32_t count;  /* of c->payers */
    uint32_t reserved;
    int128_t sum;
};

static void payer_add(struct core *c, struct layer *l, uint32_t account, int64_t own,
                      uint32_t member)
{
    if (own <= 0) return;
    c->payers[l->count++] = (struct payer){.account = account, .member = member, .own = own};
    l->sum += own;
}

void event_default_layer_push(struct core *c, uint32_t member, enum default_layer layer,
                              uint32_t tier, uint32_t payers, int64_t amount)
{
    struct event_default_layer *e = outbox_push(c->out, EVENT_default_layer, sizeof *e);
    e->member = member;
    e->layer = layer;
    e->tier = tier;
    e->payers = payers;
    e->amount = MONEY(amount);
    e->deficit = MONEY(default_deficit(c, member));
}

/* Takes what is needed of the payers gathered, pro rata; rounding: default.h. */
static void layer_take(struct core *c, const struct layer *l)
{
    struct default_record *d = &c->defaults[l->member];
    int64_t need = int64_max(0, default_deficit(c, l->member));
    int64_t left = l->sum < need ? (int64_t)l->sum : need;
    int64_t amount = left;
    int128_t sum = l->sum;
    uint32_t payers = 0;
    if (left == 0) return;
    struct ledger_chain chain = ledger_chain_open(c, NIL, d->number);
    for (uint32_t i = 0; i < l->count; i++) {
        const struct payer *p = &c->payers[i];
        int64_t share = pro_rata_floor(left, p->own, sum);
        sum -= p->own;
        left -= share;
        if (share == 0) continue;
        ledger_chain_cash(&chain, p->account, -share, l->code);
        default_claim_add(c, l->member, l->layer, l->tier, p->account, share);
        if (l->layer == LAYER_gains) c->gains[p->account].cut += share;
        if (l->layer == LAYER_survivors) *bound_at(c, l->member, p->member) -= share;
        payers += 1;
    }
    ledger_chain_cash(&chain, d->estate, amount, l->code);
    ledger_chain_close(&chain);
    ASSERT(left == 0);
    if (d->layer < l->layer) d->layer = l->layer;
    event_default_layer_push(c, l->member, l->layer, l->tier, payers, amount);
}

/* ---- the layers ---- */

static bool survives(const struct core *c, uint32_t member)
{
    return !member_is_in_default(c, member);
}

/* The cash that was taken over is in the estate: a deficit says that it is gone. */
static void use_margin(struct core *c, uint32_t member)
{
    struct default_record *d = &c->defaults[member];
    int64_t used = int64_max(0, d->margin.v);
    if (used == d->margin_used.v) return;
    event_default_layer_push(c, member, LAYER_margin, 0, 1, used - d->margin_used.v);
    d->margin_used = MONEY(used);
    if (d->layer < LAYER_margin) d->layer = LAYER_margin;
}

static void use_one(struct core *c, uint32_t member, enum default_layer layer, uint32_t account,
                    enum posting_code code)
{
    struct layer l = {.member = member, .layer = layer, .code = code};
    if (account != NIL) payer_add(c, &l, account, ledger_cash(c, account), NIL);
    layer_take(c, &l);
}

static void use_survivors(struct core *c, uint32_t member)
{
    for (int tier = TIER_count - 1; tier >= 0; tier--) {
        struct layer l = {.member = member, .layer = LAYER_survivors, .tier = (uint32_t)tier,
                          .code = POSTING_default_fund};
        for (uint32_t m = 1; m <= c->s->members; m++) {
            if (!survives(c, m) || *tier_at(c, member, m) != tier) continue;
            int64_t own = int64_min(fund_balance(c, m), *bound_at(c, member, m));
            payer_add(c, &l, c->fund_members[m].account, own, m);
        }
        layer_take(c, &l);
    }
    fund_refill_all(c);
}

bool default_assessment_runs(const struct core *c)
{
    for (uint32_t m = 1; m <= c->s->members; m++) {
        const struct fund_member *f = &c->fund_members[m];
        if (f->assessment.v > 0 && f->assessment_deadline.v > c->s->ts.v) return true;
    }
    return false;
}

static bool may_assess(const struct core *c, uint32_t member)
{
    bool missed = (c->fund_members[member].flags & FUND_SHARE_ASSESSMENT_MISSED) != 0;
    return survives(c, member) && !missed;
}

/* Calls what is missing, within the caps. True: wait for it to be paid. */
static bool assess(struct core *c, uint32_t member)
{
    if (default_assessment_runs(c)) return true; /* for this default, or for one before it */
    int128_t sum = 0;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        if (may_assess(c, m)) sum += fund_headroom(c, m);
    }
    int64_t need = default_deficit(c, member);
    int64_t left = sum < need ? (int64_t)sum : need;
    if (left <= 0) return false;
    c->fund->assessed_for = member;
    c->defaults[member].layer = LAYER_assessment;
    for (uint32_t m = 1; m <= c->s->members; m++) {
        struct fund_member *f = &c->fund_members[m];
        int64_t own = may_assess(c, m) ? fund_headroom(c, m) : 0;
        int64_t share = pro_rata_floor(left, own, sum);
        sum -= own;
        left -= share;
        if (share == 0) continue;
        f->assessment.v += share;
        f->assessed.v += share;
        f->assessment_deadline =
            TS(c->s->ts.v + c->fund->settings.assessment_days * NS_PER_DAY);
        event_fund_share_push(c, c->out, m);
    }
    ASSERT(left == 0);
    default_due_set(c);
    return true;
}

static void use_gains(struct core *c, uint32_t member)
{
    struct layer l = {.member = member, .layer = LAYER_gains, .code = POSTING_default_gains};
    for (uint32_t a = 1; a <= c->s->accounts; a++) payer_add(c, &l, a, default_gain(c, a), NIL);
    layer_take(c, &l);
}

static bool owes(const struct core *c, uint32_t member) { return default_deficit(c, member) > 0; }

static void layers_run(struct core *c, uint32_t member)
{
    struct default_record *d = &c->defaults[member];
    use_margin(c, member);
    use_one(c, member, LAYER_own_fund, c->fund_members[member].account, POSTING_default_own_fund);
    if (owes(c, member)) {
        use_one(c, member, LAYER_skin, c->fund->skin, POSTING_default_skin);
    }
    if (owes(c, member)) use_survivors(c, member);
    if (!owes(c, member) || assess(c, member)) return;
    use_gains(c, member);
    if (!owes(c, member)) return;
    if (d->layer < LAYER_tear_up) d->layer = LAYER_tear_up;
    /* While it holds positions an officer tears up; then the rest is own capital's. */
    if (account_holds(c, d->estate)) return;
    use_one(c, member, LAYER_capital, c->fund->capital, POSTING_default_capital);
}

enum reject default_allocate(struct core *c, uint32_t member)
{
    uint64_t claims = (uint64_t)c->fund->claims + 3 + c->s->members + c->s->accounts;
    if (claims > default_claims_max(&c->limits)) return REJECT_capacity_exhausted;
    if (owes(c, member)) layers_run(c, member);
    event_default_push(c, c->out, member);
    return REJECT_none;
}

int128_t default_resources(const struct core *c, uint32_t member)
{
    int128_t sum = -(int128_t)default_deficit(c, member) + fund_balance(c, member);
    if (c->fund->skin != NIL) sum += ledger_cash(c, c->fund->skin);
    for (uint32_t m = 1; m <= c->s->members; m++) {
        if (!survives(c, m)) continue;
        sum += int64_min(fund_balance(c, m), *bound_at(c, member, m));
        if (!may_assess(c, m)) continue;
        sum += (int128_t)fund_headroom(c, m) + c->fund_members[m].assessment.v;
    }
    return sum;
}

/* ---- back in the reverse order ---- */

/* At absurd sums a balance that is full takes no more. */
static int64_t claim_payable(const struct core *c, const struct default_claim *k)
{
    int64_t room = MONEY_MAX - int64_max(0, ledger_cash(c, k->account));
    return int64_max(0, int64_min(k->amount, room));
}

static bool claim_is(const struct default_claim *k, const struct layer *l)
{
    return k->member == l->member && k->layer == l->layer && k->tier == l->tier;
}

static void tier_refund(struct core *c, uint32_t member, enum default_layer layer, uint32_t tier)
{
    struct default_record *d = &c->defaults[member];
    struct layer l = {.member = member, .layer = layer, .tier = tier};
    int64_t have = ledger_cash(c, d->estate);
    uint32_t paid = 0;
    for (uint32_t i = 0; i < c->fund->claims; i++) {
        if (claim_is(&c->claims[i], &l)) l.sum += claim_payable(c, &c->claims[i]);
    }
    int64_t left = l.sum < have ? (int64_t)l.sum : have, amount = left;
    if (left <= 0) return;
    struct ledger_chain chain = ledger_chain_open(c, NIL, d->number);
    for (uint32_t i = 0; i < c->fund->claims; i++) {
        struct default_claim *k = &c->claims[i];
        if (!claim_is(k, &l)) continue;
        int64_t own = claim_payable(c, k), share = pro_rata_floor(left, own, l.sum);
        l.sum -= own;
        left -= share;
        k->amount -= share;
        ledger_chain_cash(&chain, k->account, share, POSTING_default_refund);
        paid += share != 0;
    }
    ledger_chain_cash(&chain, d->estate, -amount, POSTING_default_refund);
    ledger_chain_close(&chain);
    ASSERT(left == 0);
    event_default_layer_push(c, member, layer, tier, paid, -amount);
}

void default_refund(struct core *c, uint32_t member)
{
    for (int layer = LAYER_capital; layer >= LAYER_margin; layer--) {
        for (uint32_t tier = 0; tier < TIER_count; tier++) {
            if (default_deficit(c, member) >= 0) break;
            tier_refund(c, member, (enum default_layer)layer, tier);
        }
    }
    default_claims_drop(c, NIL);
}
