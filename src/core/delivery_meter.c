/* delivery_meter.c: what was delivered in an hour: receipts, verdicts, the figure that counts
 * (DELIV-02, DELIV-04).
 *
 * An hour is metered once, `meter_ns` after its end, or when a seller's lone receipt has waited
 * `sign_ns` for the buyer, whichever is later:
 *
 *   receipt        verdict         counts
 *   none           -               nothing: no receipt, no delivery
 *   both signed    none            the receipt's work, published as unverified
 *   both signed    ok, short       what the verdict verified
 *   seller's only  ok, short       what it verified: the buyer failed to take (take or pay)
 *   seller's only  none            nothing
 *   any            falsified       nothing; the resource is decertified, the rest bought in
 *   any            no answer       nothing
 *
 * Upstream: certify (verifiers), token. Downstream: delivery_pay, delivery_challenge.
 */
#include "core/delivery_internal.h"

#include <string.h>

static int64_t hour_of(ts_t ts) { return ts.v / NS_PER_HOUR; }

static uint128_t flop_join(uint64_t high, uint64_t low) { return (uint128_t)high << 64 | low; }

/* UNIT-06: floored once. */
static int64_t work_of_flop(uint64_t high, uint64_t low)
{
    uint128_t work = flop_join(high, low) / (uint128_t)NS_PER_SECOND;
    return work > WORK_PER_HOUR_MAX ? WORK_PER_HOUR_MAX : (int64_t)work;
}

static bool has_verdict(const struct allotment_hour *y)
{
    static const uint8_t none[PUBLIC_KEY_SIZE];
    return memcmp(y->said.verifier_key, none, sizeof none) != 0;
}

ts_t hour_closes(const struct core *c, uint32_t a, uint32_t h)
{
    const struct allotment_hour *y = &c->deliver.hours[h];
    const struct delivery_terms *t = terms_of(c, c->deliver.allocations[a].said.instrument);
    int64_t closes = y->said.hour.v + NS_PER_HOUR + t->meter_ns;
    bool waits = y->said.state == HOUR_claimed;
    return TS(waits ? int64_max(closes, y->claimed.v + t->sign_ns) : closes);
}

/* ---- receipts ---- */

/* In the make-up time an hour behind the block may make up for what was short in it. */
static bool makes_up(const struct core *c, const struct allotment *x, ts_t hour)
{
    return x->said.state == ALLOCATION_making_up && hour.v >= x->said.end.v &&
           hour.v + NS_PER_HOUR <= x->make_up_until.v && c->s->ts.v >= hour.v + NS_PER_HOUR;
}

static bool keys_match(const struct allotment *x, const struct command_receipt *r)
{
    return memcmp(x->said.seller_key, r->seller_key, PUBLIC_KEY_SIZE) == 0 &&
           memcmp(x->said.buyer_key, r->buyer_key, PUBLIC_KEY_SIZE) == 0;
}

static enum reject receipt_state_check(const struct core *c, uint32_t a, uint32_t h,
                                       const struct command_receipt *r)
{
    const struct allotment *x = &c->deliver.allocations[a];
    if (h == NIL) return makes_up(c, x, r->hour) ? REJECT_none : REJECT_window_closed;
    const struct allotment_hour *y = &c->deliver.hours[h];
    bool claim = y->said.state == HOUR_claimed;
    if (claim) { /* the buyer signs what the seller claimed, and nothing else */
        if (memcmp(y->said.root, r->root, DIGEST_SIZE) != 0) return REJECT_wrong_root;
        bool same = y->flop_high == r->flop_high && y->flop_low == r->flop_low &&
                    y->said.tasks == r->tasks;
        if (!same || (r->flags & RECEIPT_BUYER_SIGNED) == 0) return REJECT_already_received;
    } else if (y->said.state != HOUR_due) {
        return REJECT_already_received;
    }
    bool open = x->said.state == ALLOCATION_ready && c->s->ts.v >= r->hour.v + NS_PER_HOUR &&
                c->s->ts.v < hour_closes(c, a, h).v;
    return open ? REJECT_none : REJECT_window_closed;
}

static enum reject receipt_check(const struct core *c, const struct command *cmd, uint32_t a)
{
    const struct command_receipt *r = &cmd->receipt;
    const struct allotment *x = &c->deliver.allocations[a];
    uint32_t account = cmd->header.account;
    if (a == NIL || (account != x->said.seller && account != x->said.buyer))
        return REJECT_unknown_allocation;
    if (r->instrument != x->said.instrument) return REJECT_unknown_instrument;
    if (r->hour.v < 0 || r->hour.v % NS_PER_HOUR != 0 || r->hour.v > INT64_MAX / 2)
        return REJECT_invalid_hour;
    uint32_t h = hour_of_allocation(c, a, hour_of(r->hour));
    if (h == NIL && r->hour.v < x->said.end.v) return REJECT_invalid_hour;
    if (!keys_match(x, r)) return REJECT_wrong_key;
    enum reject reason = receipt_state_check(c, a, h, r);
    if (reason != REJECT_none) return reason;
    if (certificate_valid(c, x->said.seller, x->said.resource, &x->class, hour_of(r->hour),
                          hour_of(r->hour) + 1) == NIL)
        return REJECT_not_tenderable;
    bool signed_by_both = (r->flags & RECEIPT_BUYER_SIGNED) != 0;
    if (h == NIL && !signed_by_both) return REJECT_wrong_key; /* a make-up is by agreement */
    bool plausible = (r->flop_high | r->flop_low) != 0 && r->tasks != 0;
    return plausible ? REJECT_none : REJECT_invalid_work;
}

void receipt_submit(struct core *c, const struct command *cmd)
{
    const struct command_receipt *r = &cmd->receipt;
    uint32_t a = allocation_find(c, r->allocation), h = NIL;
    enum reject reason = receipt_check(c, cmd, a);
    if (reason == REJECT_none) {
        h = hour_of_allocation(c, a, hour_of(r->hour));
        if (h == NIL) { /* an hour to make up in */
            h = hour_add(c, a, hour_of(r->hour), 0);
            if (h == NIL) reason = REJECT_capacity_exhausted;
            else c->deliver.hours[h].said.flags |= HOUR_FLAG_MAKE_UP;
        }
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct allotment_hour *y = &c->deliver.hours[h];
    bool both = (r->flags & RECEIPT_BUYER_SIGNED) != 0;
    bool verdict = y->said.state == HOUR_claimed && has_verdict(y);
    if (!both) y->claimed = c->s->ts;
    y->said.state = both ? HOUR_received : HOUR_claimed;
    if (both && verdict) y->said.state = HOUR_verified;
    y->said.tasks = r->tasks;
    y->flop_high = r->flop_high;
    y->flop_low = r->flop_low;
    y->said.work_claimed = work_of_flop(r->flop_high, r->flop_low);
    memcpy(y->said.root, r->root, DIGEST_SIZE);
    event_delivery_hour_push(c, c->out, h);
    allocation_say(c, a); /* a claim may move the hour's close */
}

/* ---- verdicts ---- */

static enum reject figures_check(const struct command_verdict *v)
{
    bool sane = v->failed <= v->sampled && v->sampled <= v->tasks && v->bound_e6 <= E6;
    bool blind = v->sampled == 0 || v->failed == v->sampled || v->outcome == PROOF_no_answer;
    bool none = v->flop_high == 0 && v->flop_low == 0;
    if (blind) sane = sane && v->bound_e6 == E6;
    sane = sane && (v->outcome == PROOF_falsified) == (v->failed > 0);
    if (v->outcome == PROOF_ok) sane = sane && !none && v->sampled > 0;
    if (v->outcome == PROOF_falsified || v->outcome == PROOF_no_answer) sane = sane && none;
    return sane ? REJECT_none : REJECT_invalid_work;
}

static enum reject hour_verdict_check(const struct core *c, uint32_t a, uint32_t h,
                                      const struct command_verdict *v)
{
    const struct allotment *x = &c->deliver.allocations[a];
    if (h == NIL) return REJECT_invalid_hour;
    const struct allotment_hour *y = &c->deliver.hours[h];
    bool challenge = v->kind == PROOF_challenge;
    if (y->said.state == HOUR_due) return REJECT_no_receipt;
    if (memcmp(y->said.root, v->root, DIGEST_SIZE) != 0) return REJECT_wrong_root;
    if (challenge != (y->said.state == HOUR_challenged)) return REJECT_window_closed;
    bool make_up = (y->said.flags & HOUR_FLAG_MAKE_UP) != 0;
    enum allocation_state state = (enum allocation_state)x->said.state;
    bool open = state == ALLOCATION_ready || (make_up && state == ALLOCATION_making_up);
    if (!challenge && (has_verdict(y) || y->said.state >= HOUR_verified))
        return REJECT_already_received;
    if (!challenge && !open) return REJECT_window_closed;
    uint128_t verified = flop_join(v->flop_high, v->flop_low);
    uint128_t claimed = flop_join(y->flop_high, y->flop_low);
    if (v->tasks != y->said.tasks || verified > claimed) return REJECT_invalid_work;
    return REJECT_none;
}

static enum reject verdict_check(const struct core *c, const struct command_verdict *v,
                                 uint32_t a, uint32_t *h)
{
    const struct allotment *x = &c->deliver.allocations[a];
    if (a == NIL) return REJECT_unknown_allocation;
    if (v->hour.v < 0 || v->hour.v % NS_PER_HOUR != 0) return REJECT_invalid_hour;
    *h = hour_of_allocation(c, a, hour_of(v->hour));
    bool own = memcmp(v->verifier_key, x->said.seller_key, PUBLIC_KEY_SIZE) == 0 ||
               memcmp(v->verifier_key, x->said.buyer_key, PUBLIC_KEY_SIZE) == 0;
    if (own || certify_accredited(c, ROLE_verifier, v->verifier_key) == NIL)
        return REJECT_wrong_key; /* nobody judges what it signed itself */
    enum reject reason = figures_check(v);
    if (v->kind != PROOF_canary) {
        enum reject state = hour_verdict_check(c, a, *h, v);
        return state != REJECT_none ? state : reason;
    }
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    ts_t from = delivery_instant(c, x->said.instrument, t->canary_days, t->canary_at);
    if (v->hour.v != x->said.first_hour.v) return REJECT_invalid_hour;
    if ((x->said.flags & ALLOCATION_FLAG_CANARY) != 0) return REJECT_already_received;
    if (x->said.state != ALLOCATION_escrowed || c->s->ts.v < from.v) return REJECT_window_closed;
    return reason;
}

void resource_decertify(struct core *c, uint32_t a)
{
    certificate_revoke(c, c->deliver.allocations[a].said.resource, "falsified proof (DELIV-05)");
}

/* DELIV-01, D-1: the canary answered, or this ends in the balancing auction. */
static void canary_judge(struct core *c, uint32_t a, const struct command_verdict *v)
{
    struct allotment *x = &c->deliver.allocations[a];
    x->said.flags |= ALLOCATION_FLAG_CANARY;
    if (v->outcome == PROOF_falsified)
        resource_decertify(c, a);
    if (v->outcome != PROOF_ok) {
        hours_end(c, a, DELIVERY_REASON_canary);
        return;
    }
    x->said.state = ALLOCATION_ready;
    allocation_say(c, a);
}

static void verdict_note(struct core *c, uint32_t h, const struct command_verdict *v)
{
    struct event_delivery_hour *e = &c->deliver.hours[h].said;
    e->outcome = v->outcome;
    e->sampled = v->sampled;
    e->failed = v->failed;
    e->bound_e6 = v->bound_e6;
    if (v->attested) e->flags |= HOUR_FLAG_ATTESTED;
    memcpy(e->seed, v->seed, sizeof e->seed);
    memcpy(e->verifier_key, v->verifier_key, sizeof e->verifier_key);
}

void verdict_submit(struct core *c, const struct command *cmd)
{
    const struct command_verdict *v = &cmd->verdict;
    uint32_t a = allocation_find(c, v->allocation), h = NIL;
    enum reject reason = verdict_check(c, v, a, &h);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (v->kind == PROOF_canary) {
        canary_judge(c, a, v);
        return;
    }
    struct allotment_hour *y = &c->deliver.hours[h];
    int64_t work = work_of_flop(v->flop_high, v->flop_low);
    verdict_note(c, h, v);
    if (v->kind == PROOF_challenge) {
        challenge_decide(c, a, h, (enum proof_outcome)v->outcome, work);
        return;
    }
    y->said.work = work; /* until it is metered: what was verified */
    if (y->said.state == HOUR_received) y->said.state = HOUR_verified;
    event_delivery_hour_push(c, c->out, h);
    if (v->outcome != PROOF_falsified) return;
    resource_decertify(c, a);
    c->deliver.allocations[a].said.flags |= ALLOCATION_FLAG_FALSIFIED;
    if ((y->said.flags & HOUR_FLAG_MAKE_UP) != 0) make_up_end(c, a);
    else hours_end(c, a, DELIVERY_REASON_falsified);
}

/* ---- the figure ---- */

static int64_t work_counted(struct core *c, uint32_t a, struct allotment_hour *y)
{
    bool both = y->said.state == HOUR_received || y->said.state == HOUR_verified;
    if (y->said.state == HOUR_due) return 0;
    if (!has_verdict(y)) {
        if (!both) return 0; /* withheld, and not verified */
        y->said.flags |= HOUR_FLAG_UNVERIFIED;
        return y->said.work_claimed;
    }
    bool counts = y->said.outcome == PROOF_ok || y->said.outcome == PROOF_short;
    if (counts && !both) { /* DELIV-02: verified work, the signature withheld */
        y->said.flags |= HOUR_FLAG_UNTAKEN;
        c->deliver.allocations[a].said.flags |= ALLOCATION_FLAG_UNTAKEN;
    }
    return counts ? y->said.work : 0;
}

void hour_meter(struct core *c, uint32_t a, uint32_t h)
{
    struct allotment_hour *y = &c->deliver.hours[h];
    y->said.work = work_counted(c, a, y);
    bool caught = has_verdict(y) && y->said.outcome == PROOF_falsified;
    y->said.state = caught ? HOUR_falsified : HOUR_metered;
    y->payable = y->said.work;
    c->deliver.allocations[a].said.work_done += y->said.work;
    tokens_end(c, a, h, y->said.work);
    event_delivery_hour_push(c, c->out, h);
}

/* Every hour of the block whose time has come; after the last, the block is closed. Where one was
 * not taken, those to come are for sale. */
void hours_meter(struct core *c, uint32_t a)
{
    bool left = false, untaken = false;
    for (uint32_t h = c->deliver.allocations[a].hours; h != NIL; h = c->deliver.hours[h].next) {
        if (c->deliver.hours[h].said.state >= HOUR_metered) continue;
        if (hour_closes(c, a, h).v <= c->s->ts.v) {
            hour_meter(c, a, h);
            if ((c->deliver.hours[h].said.flags & HOUR_FLAG_UNTAKEN) != 0) untaken = true;
        } else {
            left = true;
        }
    }
    if (!left) {
        block_close(c, a);
        return;
    }
    if (untaken) resale_begin(c, a);
    allocation_say(c, a);
}

/* A buyer's default: the hours that are left are not taken. The seller has its tokens back, to sell
 * again, and the damages of a shortfall. */
static void hours_untaken(struct core *c, uint32_t a)
{
    struct allotment *x = &c->deliver.allocations[a];
    int64_t work = 0;
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        struct allotment_hour *y = &c->deliver.hours[h];
        bool lone = y->said.state == HOUR_claimed && !has_verdict(y);
        if (y->said.state != HOUR_due && !lone) continue;
        tokens_end(c, a, h, 0);
        work += y->said.work_due;
        x->said.work_due -= y->said.work_due;
        y->said.work_due = 0;
        y->said.flags |= HOUR_FLAG_UNTAKEN;
        y->said.state = HOUR_metered;
        event_delivery_hour_push(c, c->out, h);
    }
    struct event_delivery_cash e = {
        .allocation = x->said.id, .instrument = x->said.instrument,
        .reason = DELIVERY_REASON_buyer_default, .buyer = x->said.buyer,
        .seller = x->said.seller, .at_fault = x->said.buyer, .lots = x->said.lots, .work = work,
        .price = x->said.price, .reference = PRICE_NONE};
    int64_t value = delivery_value(work, int64_abs(x->unit.v));
    int64_t damages = delivery_share_floor(value,
                                           terms_of(c, x->said.instrument)->damages_short_e6);
    e.damages.v = escrow_pay(c, a, SIDE_buyer, allocation_account(c, a, SIDE_seller), damages,
                             POSTING_delivery_damages);
    x->said.flags |= ALLOCATION_FLAG_UNTAKEN;
    if (work > 0) delivery_cash_say(c, &e);
}

void hours_end(struct core *c, uint32_t a, enum delivery_reason reason)
{
    struct allotment *x = &c->deliver.allocations[a];
    resale_cancel(c, a);
    x->said.reason = (uint32_t)reason;
    x->said.state = ALLOCATION_ready; /* of which this is the end */
    if (reason == DELIVERY_REASON_buyer_default) hours_untaken(c, a);
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        if (c->deliver.hours[h].said.state < HOUR_metered) hour_meter(c, a, h);
    }
    block_close(c, a);
}
