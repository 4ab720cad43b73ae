/* delivery_challenge.c: within [72 h] an hour that was accepted may be challenged (DELIV-03); the
 * verifier's verdict on it decides, and without one in [24 h] the hour stands.
 *
 *   ok         the hour stands
 *   short      what was paid beyond what is verified now goes back, and the seller pays for what is
 *              short like any shortfall, in money
 *   no answer  the same, for an hour with nothing
 *   falsified  the same, with the damages of a falsified proof, and decertification
 *
 * While a challenge is open the hour is not paid, and the seller's margin stays.
 *
 * Upstream: delivery_meter. Downstream: delivery.c.
 */
#include "core/delivery_internal.h"

bool has_challenge(const struct core *c, uint32_t a)
{
    for (uint32_t h = c->deliver.allocations[a].hours; h != NIL; h = c->deliver.hours[h].next) {
        if (c->deliver.hours[h].said.state == HOUR_challenged) return true;
    }
    return false;
}

static enum reject challenge_check(const struct core *c, const struct command *cmd, uint32_t a,
                                   uint32_t *h)
{
    const struct command_proof_challenge *p = &cmd->proof_challenge;
    const struct allotment *x = &c->deliver.allocations[a];
    /* The buyer's, or an auditor's, who has no account. */
    bool may = cmd->header.account == 0 || cmd->header.account == x->said.buyer;
    if (a == NIL || !may) return REJECT_unknown_allocation;
    if (p->hour.v < 0 || p->hour.v % NS_PER_HOUR != 0) return REJECT_invalid_hour;
    *h = hour_of_allocation(c, a, p->hour.v / NS_PER_HOUR);
    if (*h == NIL) return REJECT_invalid_hour;
    const struct allotment_hour *y = &c->deliver.hours[*h];
    if (y->said.tasks == 0) return REJECT_no_receipt;
    bool once = y->said.challenged_until.v == 0 && y->said.state == HOUR_metered;
    bool open = x->said.state > ALLOCATION_ready && x->said.state != ALLOCATION_closed &&
                c->s->ts.v < x->said.window_until.v;
    return once && open && y->said.work > 0 ? REJECT_none : REJECT_window_closed;
}

void proof_challenge(struct core *c, const struct command *cmd)
{
    uint32_t a = allocation_find(c, cmd->proof_challenge.allocation), h = NIL;
    enum reject reason = challenge_check(c, cmd, a, &h);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    struct event_delivery_hour *e = &c->deliver.hours[h].said;
    e->state = HOUR_challenged;
    e->challenger = cmd->header.account;
    e->challenged_until =
        TS(c->s->ts.v + terms_of(c, c->deliver.allocations[a].said.instrument)->answer_ns);
    event_delivery_hour_push(c, c->out, h);
    allocation_say(c, a);
}

/* Of what was paid for `whole`, what goes when only `work` of it counts. */
static int64_t undone(int64_t paid, int64_t work, int64_t whole)
{
    return paid - (int64_t)int128_div_half_even((int128_t)paid * work, whole);
}

/* What was paid for work that does not count any more; at a negative price, by the seller. */
static void clawback(struct core *c, uint32_t a, uint32_t h, int64_t work)
{
    struct allotment *x = &c->deliver.allocations[a];
    struct allotment_hour *y = &c->deliver.hours[h];
    if (y->said.paid.v == 0 || y->payable <= work) return;
    int64_t back = undone(y->said.paid.v, work, y->payable);
    int64_t first = int64_min(undone(y->paid_first.v, work, y->payable), int64_max(0, back));
    enum delivery_side from = back > 0 ? SIDE_seller : SIDE_buyer;
    uint32_t to = allocation_account(c, a, back > 0 ? SIDE_buyer : SIDE_seller);
    int64_t moved = 0;
    if (first > 0)
        moved = escrow_pay(c, a, SIDE_seller, allocation_account(c, a, SIDE_first), first,
                           POSTING_delivery_clawback);
    y->paid_first.v -= moved;
    moved += escrow_pay(c, a, from, to, int64_abs(back) - moved, POSTING_delivery_clawback);
    back = back > 0 ? moved : -moved;
    y->said.paid.v -= back;
    x->said.paid.v -= back;
}

static void hour_undo(struct core *c, uint32_t a, uint32_t h, int64_t work)
{
    struct allotment *x = &c->deliver.allocations[a];
    struct allotment_hour *y = &c->deliver.hours[h];
    int64_t counted = int64_min(y->payable, y->said.work), lost = counted - work;
    clawback(c, a, h, work);
    if (work < y->said.work) { /* what is published, though it be enough */
        x->said.work_done -= y->said.work - work;
        y->said.work = work;
    }
    if (lost <= 0) return;
    y->payable = work;
    y->said.flags |= HOUR_FLAG_SHORT;
    y->short_work += lost;
    x->said.work_short += lost;
    if (x->said.reason == DELIVERY_REASON_none)
        x->said.reason = work > 0 ? DELIVERY_REASON_shortfall : DELIVERY_REASON_nothing;
    short_in_money(c, a, h, lost);
}

void challenge_decide(struct core *c, uint32_t a, uint32_t h, enum proof_outcome outcome,
                      int64_t work)
{
    struct allotment *x = &c->deliver.allocations[a];
    struct allotment_hour *y = &c->deliver.hours[h];
    bool falsified = outcome == PROOF_falsified;
    y->said.outcome = outcome;
    y->said.flags &= ~(uint32_t)HOUR_FLAG_UNVERIFIED;
    y->said.state = falsified ? HOUR_falsified : HOUR_metered;
    if (falsified) {
        x->said.flags |= ALLOCATION_FLAG_FALSIFIED;
        x->said.reason = DELIVERY_REASON_falsified;
        resource_decertify(c, a);
    }
    bool none = falsified || outcome == PROOF_no_answer;
    if (outcome != PROOF_ok) hour_undo(c, a, h, none ? 0 : work);
    event_delivery_hour_push(c, c->out, h);
    allocation_say(c, a);
}

/* The verifier said nothing in time, which is nobody's fault who is judged: what stood stands. A
 * seller that opens nothing is said to by a verdict (no_answer). */
void challenges_lapse(struct core *c, uint32_t a)
{
    for (uint32_t h = c->deliver.allocations[a].hours; h != NIL; h = c->deliver.hours[h].next) {
        struct event_delivery_hour *e = &c->deliver.hours[h].said;
        if (e->state != HOUR_challenged || e->challenged_until.v > c->s->ts.v) continue;
        e->state = HOUR_metered;
        event_delivery_hour_push(c, c->out, h);
        allocation_say(c, a);
    }
}
