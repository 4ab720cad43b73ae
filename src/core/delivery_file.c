/* delivery_file.c: what the two sides file (DELIV-01): tenders, intakes; and warrants, the buyer's
 * right while it still moves (DELIV-06).
 *
 * Upstream: certify, margin. Downstream: core.c, delivery_notice, delivery_short.
 */
#include "core/delivery_internal.h"

#include "core/closeout.h"
#include "core/margin.h"

#include <string.h>

/* ---- what is asked of a tender and of an intake ---- */

/* Its certificate is of one stretch of time: the block's first hour and its last tell. */
bool tender_is_good(const struct core *c, const struct tender *t, uint32_t instrument,
                    struct token_class *class)
{
    const struct delivery_terms *terms = terms_of(c, instrument);
    int64_t from_hour = block_hour_next(c, instrument, 0), end_hour = from_hour;
    for (int64_t hour = from_hour; block_has_hour(c, instrument, hour);
         hour = block_hour_next(c, instrument, hour + 1))
        end_hour = hour + 1;
    if (!resource_exists(c, t->terms.resource) ||
        resource_account(c, t->terms.resource) != t->account ||
        !resource_class(c, t->terms.resource, class))
        return false;
    bool grade = t->terms.grade >= terms->class.grade && t->terms.grade <= class->grade;
    if (!grade || !token_class_serves(class, &terms->class)) return false;
    return certificate_valid(c, t->account, t->terms.resource, class, from_hour, end_hour) != NIL;
}

bool intake_allows(const struct intake *t, const struct token_class *class, uint32_t grade,
                   uint32_t provider)
{
    bool region = t->terms.region_count == 0;
    for (uint32_t i = 0; i < t->terms.region_count; i++) {
        region = region ||
                 strncmp(t->terms.regions[i], class->region, REGION_NAME_SIZE) == 0;
    }
    for (uint32_t i = 0; i < t->terms.excluded_count; i++) {
        if (t->terms.excluded[i] == provider) return false;
    }
    return region && grade >= t->terms.grade_minimum;
}

/* Whether the key that a side files is one with which another account signs on the other side,
 * which could then not sign at all; or a buyer's is a verifier's, who may not judge what it signed,
 * to its seller's harm. Whoever files a key need not show that it is its own. */
static bool key_is_anothers(const struct core *c, uint32_t account, enum delivery_side side,
                            const uint8_t key[PUBLIC_KEY_SIZE])
{
    const struct deliveries *d = &c->deliver;
    bool found = side == SIDE_buyer && certify_accredited(c, ROLE_verifier, key) != NIL;
    for (uint32_t t = 1; side == SIDE_seller && !found && t <= d->s->intakes; t++) {
        const struct intake *x = &d->intakes[t];
        found = x->account != NIL && x->account != account &&
                memcmp(x->terms.public_key, key, PUBLIC_KEY_SIZE) == 0;
    }
    for (uint32_t t = 1; side == SIDE_buyer && !found && t <= d->s->tenders; t++) {
        const struct tender *x = &d->tenders[t];
        found = x->account != NIL && x->account != account &&
                memcmp(x->terms.public_key, key, PUBLIC_KEY_SIZE) == 0;
    }
    for (uint32_t a = 1; !found && a <= d->s->allocations; a++) {
        const struct event_allocation *e = &d->allocations[a].said;
        uint32_t other = side == SIDE_seller ? e->buyer : e->seller;
        found = e->id != 0 && e->state != ALLOCATION_closed && other != account &&
                memcmp(side == SIDE_seller ? e->buyer_key : e->seller_key, key,
                       PUBLIC_KEY_SIZE) == 0;
    }
    return found;
}

/* DELIV-01: from the position day on; tenders until the notice, intakes until warrants end. */
static bool in_window(const struct core *c, uint32_t instrument, bool tender)
{
    const struct delivery_terms *t = terms_of(c, instrument);
    ts_t from = delivery_instant(c, instrument, t->position_days, 0);
    ts_t notice = delivery_notice_at(c, instrument);
    ts_t canary = delivery_instant(c, instrument, t->canary_days, t->canary_at);
    ts_t until = tender || notice.v > canary.v ? notice : canary;
    bool noticed = c->instruments[instrument].terms.expired == EXPIRY_done;
    if (tender && noticed) return false;
    return c->s->ts.v >= from.v && c->s->ts.v < until.v;
}

/* ---- tenders ---- */

static int64_t tendered(const struct core *c, uint32_t account, uint32_t instrument,
                        uint32_t besides)
{
    int128_t sum = 0;
    for (uint32_t t = 1; t <= c->deliver.s->tenders; t++) {
        const struct tender *x = &c->deliver.tenders[t];
        if (x->account == account && x->terms.instrument == instrument && t != besides)
            sum += x->terms.lots.v;
    }
    return money_clamp(sum);
}

static uint32_t place_of_tender(const struct core *c)
{
    for (uint32_t t = 1; t <= c->deliver.s->tenders; t++) {
        if (c->deliver.tenders[t].account == NIL) return t;
    }
    return c->deliver.s->tenders < c->deliver.tender_max ? c->deliver.s->tenders + 1 : NIL;
}

/* Enough certified work for the lots in every hour: what is promised elsewhere is for the tokens
 * to tell (CERT-03). */
static bool work_suffices(const struct core *c, uint32_t instrument, uint32_t resource,
                          int64_t lots)
{
    const struct event_instrument *t = &c->instruments[instrument].terms;
    int128_t need = token_lot_work(c, instrument) * lots;
    for (int64_t hour = t->start.v / NS_PER_HOUR; hour < t->end.v / NS_PER_HOUR; hour++) {
        if (block_has_hour(c, instrument, hour) && certificate_work(c, resource, hour) < need)
            return false;
    }
    return true;
}

static enum reject tender_place_check(const struct core *c, const struct tender *t,
                                      uint32_t existing)
{
    uint32_t i = t->terms.instrument;
    uint32_t e = exposure_find(c, t->account, i);
    int64_t held = e == NIL ? 0 : int64_max(0, -c->exposures[e].position);
    struct token_class class;
    if (t->terms.lots.v > held - tendered(c, t->account, i, existing)) return REJECT_invalid_amount;
    if (!tender_is_good(c, t, i, &class) ||
        !work_suffices(c, i, t->terms.resource, t->terms.lots.v))
        return REJECT_not_tenderable;
    return REJECT_none;
}

static enum reject tender_check(const struct core *c, const struct tender *t, uint32_t existing)
{
    uint32_t i = t->terms.instrument;
    if (!account_is_customer(c, t->account)) return REJECT_unknown_account;
    if (i > c->s->instruments) return REJECT_unknown_instrument;
    if (t->terms.lots.v < 0 || t->terms.lots.v > QTY_MAX) return REJECT_invalid_amount;
    bool withdraws = t->terms.lots.v == 0;
    if (withdraws && existing == NIL) return REJECT_invalid_amount;
    if (i != NIL && (!delivery_applies(c, i) || !in_window(c, i, true)))
        return REJECT_not_deliverable;
    bool own = resource_exists(c, t->terms.resource) &&
               resource_account(c, t->terms.resource) == t->account;
    if (!own) return REJECT_not_tenderable;
    if (!withdraws && i != NIL) {
        enum reject reason = tender_place_check(c, t, existing);
        if (reason != REJECT_none) return reason;
    }
    if (!withdraws && key_is_anothers(c, t->account, SIDE_seller, t->terms.public_key))
        return REJECT_wrong_key;
    bool full = existing == NIL && place_of_tender(c) == NIL;
    return full ? REJECT_capacity_exhausted : REJECT_none;
}

void event_tender_push(struct outbox *out, const struct tender *t, bool withdrawn)
{
    struct event_tender *e = outbox_push(out, EVENT_tender, sizeof *e);
    e->account = t->account;
    e->withdrawn = withdrawn ? 1 : 0;
    e->terms = t->terms;
}

void tender_file(struct core *c, const struct command *cmd)
{
    struct tender t = {.account = cmd->header.account, .terms = cmd->tender};
    uint32_t existing = tender_find(c, t.account, t.terms.instrument, t.terms.resource);
    enum reject reason = t.terms.resource == 0 ? REJECT_not_tenderable
                                               : tender_check(c, &t, existing);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t place = existing != NIL ? existing : place_of_tender(c);
    bool withdrawn = t.terms.lots.v == 0;
    if (place > c->deliver.s->tenders) c->deliver.s->tenders = place;
    c->deliver.tenders[place] = withdrawn ? (struct tender){0} : t;
    event_tender_push(c->out, &t, withdrawn);
}

void tenders_drop(struct core *c, uint32_t instrument)
{
    for (uint32_t t = 1; t <= c->deliver.s->tenders; t++) {
        struct tender *x = &c->deliver.tenders[t];
        if (x->account != NIL && x->terms.instrument == instrument) *x = (struct tender){0};
    }
}

/* A better grade of the same vintage and region will do. */
uint32_t tender_standing(const struct core *c, uint32_t account, const struct token_class *wanted,
                         int64_t hour)
{
    for (uint32_t t = 1; t <= c->deliver.s->tenders; t++) {
        const struct tender *x = &c->deliver.tenders[t];
        struct token_class class;
        if (x->account != account || x->terms.instrument != NIL) continue;
        if (!resource_class(c, x->terms.resource, &class)) continue;
        bool serves = x->terms.grade >= wanted->grade && token_class_serves(&class, wanted);
        if (serves && certificate_valid(c, account, x->terms.resource, &class, hour, hour + 1))
            return t;
    }
    return NIL;
}

/* ---- intakes ---- */

/* Those whose window is over give their places back when one is needed. */
static uint32_t place_of_intake(const struct core *c)
{
    for (uint32_t t = 1; t <= c->deliver.s->intakes; t++) {
        const struct intake *x = &c->deliver.intakes[t];
        if (x->account == NIL) return t;
        if (x->terms.instrument != NIL && !in_window(c, x->terms.instrument, false)) return t;
    }
    return c->deliver.s->intakes < c->deliver.tender_max ? c->deliver.s->intakes + 1 : NIL;
}

static enum reject intake_check(const struct core *c, const struct intake *t, uint32_t existing)
{
    uint32_t i = t->terms.instrument;
    if (!account_is_customer(c, t->account)) return REJECT_unknown_account;
    if (i > c->s->instruments) return REJECT_unknown_instrument;
    if (i != NIL && (!delivery_applies(c, i) || !in_window(c, i, false)))
        return REJECT_not_deliverable;
    if (t->terms.withdraw != 0) return existing == NIL ? REJECT_no_intake : REJECT_none;
    for (uint32_t n = 0; n < t->terms.excluded_count; n++) {
        if (!account_exists(c, t->terms.excluded[n])) return REJECT_unknown_account;
    }
    if (key_is_anothers(c, t->account, SIDE_buyer, t->terms.public_key)) return REJECT_wrong_key;
    bool full = existing == NIL && place_of_intake(c) == NIL;
    return full ? REJECT_capacity_exhausted : REJECT_none;
}

void event_intake_push(struct outbox *out, const struct intake *t)
{
    struct event_intake *e = outbox_push(out, EVENT_intake, sizeof *e);
    e->account = t->account;
    e->reserved = 0;
    e->terms = t->terms;
}

void intake_file(struct core *c, const struct command *cmd)
{
    struct intake t = {.account = cmd->header.account, .terms = cmd->intake};
    uint32_t existing = intake_find(c, t.account, t.terms.instrument);
    enum reject reason = intake_check(c, &t, existing);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t place = existing != NIL ? existing : place_of_intake(c);
    if (place > c->deliver.s->intakes) c->deliver.s->intakes = place;
    c->deliver.intakes[place] = t.terms.withdraw != 0 ? (struct intake){0} : t;
    event_intake_push(c->out, &t);
}

/* ---- warrants (DELIV-06) ---- */

static bool can_margin(const struct core *c, const struct allotment *x, uint32_t account,
                       int64_t need)
{
    bool escrowed = x->said.state != ALLOCATION_allotted;
    if (escrowed && ledger_cash_free(c, account) < need) return false;
    return margin_available(c, account) >= need;
}

static int64_t part_floor(int64_t whole, int64_t lots, int64_t all)
{
    return (int64_t)int128_div_floor((int128_t)whole * lots, all);
}

static enum reject warrant_check(const struct core *c, const struct command *cmd, uint32_t a)
{
    const struct command_warrant_transfer *w = &cmd->warrant_transfer;
    const struct allotment *x = &c->deliver.allocations[a];
    if (!account_is_customer(c, w->to)) return REJECT_unknown_account;
    if (a == NIL || x->said.buyer != cmd->header.account) return REJECT_unknown_allocation;
    if (closeout_freezes(c, x->said.buyer)) return REJECT_in_default;
    if (c->accounts[w->to].status == ACCOUNT_defaulted) return REJECT_in_default;
    if (w->to == x->said.buyer || w->to == x->said.seller) return REJECT_malformed_request;
    if (w->lots.v < 0 || w->lots.v > x->said.lots.v) return REJECT_invalid_amount;
    const struct delivery_terms *t = terms_of(c, x->said.instrument);
    bool moves = x->said.state == ALLOCATION_allotted || x->said.state == ALLOCATION_escrowed;
    ts_t end = delivery_instant(c, x->said.instrument, t->canary_days, t->canary_at);
    if (!moves || c->s->ts.v >= end.v) return REJECT_warrant_bound;
    uint32_t n = intake_find(c, w->to, x->said.instrument);
    if (n == NIL || !intake_allows(&c->deliver.intakes[n], &x->class, x->said.grade,
                                   x->said.seller))
        return REJECT_no_intake;
    int64_t lots = w->lots.v == 0 ? x->said.lots.v : w->lots.v;
    if (c->accounts[w->to].status != ACCOUNT_normal) return REJECT_reduce_only_account;
    if (!can_margin(c, x, w->to, part_floor(x->said.margin_buyer.v, lots, x->said.lots.v)))
        return REJECT_insufficient_margin;
    return account_is_killed(c, w->to) ? REJECT_killed : REJECT_none;
}

static void part_move(money_t *from, money_t *to, int64_t lots, int64_t all)
{
    to->v = part_floor(from->v, lots, all);
    from->v -= to->v;
}

/* The lots that stay and the lots that go, with their share of everything. No money moves: what is
 * required of either account in all is what it was. */
static uint32_t allocation_split(struct core *c, uint32_t a, int64_t lots)
{
    struct allotment *x = &c->deliver.allocations[a];
    const int64_t all = x->said.lots.v;
    uint32_t b = allocation_take(c, x->block_hours);
    if (b == NIL) return NIL;
    struct allotment *y = &c->deliver.allocations[b];
    uint64_t id = y->said.id;
    *y = *x;
    y->said.id = id;
    y->said.of = x->said.id;
    y->hours = y->hour_last = NIL;
    part_move(&x->said.margin_buyer, &y->said.margin_buyer, lots, all);
    part_move(&x->said.margin_seller, &y->said.margin_seller, lots, all);
    part_move(&x->pending_buyer, &y->pending_buyer, lots, all);
    part_move(&x->pending_seller, &y->pending_seller, lots, all);
    part_move(&x->escrow_buyer, &y->escrow_buyer, lots, all);
    part_move(&x->escrow_seller, &y->escrow_seller, lots, all);
    y->said.lots.v = lots;
    x->said.lots.v -= lots;
    y->said.work_hour = x->said.work_hour / all * lots;
    x->said.work_hour -= y->said.work_hour;
    y->said.work_due = y->said.work_hour * x->block_hours;
    x->said.work_due -= y->said.work_due;
    for (uint32_t h = x->hours; h != NIL; h = c->deliver.hours[h].next) {
        struct allotment_hour *from = &c->deliver.hours[h];
        uint32_t g = hour_add(c, b, from->said.hour.v / NS_PER_HOUR, y->said.work_hour);
        ASSERT(g != NIL);
        from->said.work_due = x->said.work_hour;
        if (from->escrowed == 0) continue;
        c->deliver.hours[g].escrowed = y->said.work_hour;
        from->escrowed -= y->said.work_hour;
    }
    return b;
}

/* The new buyer's margin in the place of the old one's. */
static void buyer_change(struct core *c, uint32_t a, uint32_t to)
{
    struct allotment *x = &c->deliver.allocations[a];
    const struct intake *t = &c->deliver.intakes[intake_find(c, to, x->said.instrument)];
    int64_t pending = x->pending_buyer.v, escrow = x->escrow_buyer.v;
    pending_set(c, a, SIDE_buyer, 0);
    escrow_release(c, a, SIDE_buyer);
    x->said.buyer = to;
    memcpy(x->said.buyer_key, t->terms.public_key, sizeof x->said.buyer_key);
    memcpy(x->said.buyer_endpoint, t->terms.endpoint, sizeof x->said.buyer_endpoint);
    pending_set(c, a, SIDE_buyer, pending);
    escrow_in(c, a, SIDE_buyer, escrow);
}

void warrant_transfer(struct core *c, const struct command *cmd)
{
    const struct command_warrant_transfer *w = &cmd->warrant_transfer;
    uint32_t a = allocation_find(c, w->allocation);
    span_current(c);
    enum reject reason = warrant_check(c, cmd, a);
    uint32_t b = a;
    bool splits = reason == REJECT_none && w->lots.v != 0 &&
                  w->lots.v < c->deliver.allocations[a].said.lots.v;
    if (splits) { /* half of the places are for notices */
        bool room = c->deliver.s->live < c->deliver.allocation_max / 2;
        b = room ? allocation_split(c, a, w->lots.v) : NIL;
        if (b == NIL) reason = REJECT_capacity_exhausted;
    }
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    buyer_change(c, b, w->to);
    if (splits) allocation_say(c, a);
    allocation_say(c, b);
}
