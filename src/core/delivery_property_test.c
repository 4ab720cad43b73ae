/* delivery_property_test.c: worlds of deliveries at random: trades, tenders, intakes, warrants,
 * canaries, receipts, verdicts, challenges, buy-ins, defaults, honest and not, against the clock.
 * After every few commands every invariant holds (core_check: money and tokens in escrow are what
 * allocations say, everything sums to zero); and when time has passed, nothing hangs: every
 * position has left the ledger, every allocation is closed, every escrow is empty.
 *
 * Notices are done again, naively: how many lots are allotted, and each short's pro-rata share; and
 * of what was resold, who has paid what in the end. Every award becomes an allocation.
 */
#include "core/compute_world_test.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/random.h"
#include "core/delivery_internal.h"
#include "core/default.h"
#include "core/spot_internal.h"

enum {
    BUYERS = 3,
    SELLERS = 3,
    PARTIES = BUYERS + SELLERS,
    DAYS = 4,
    PEAK_FIRST = 14,
    PEAK_HOURS = 5,
    TICKS_MAX = 200000,
    FLOWS_MAX = 1024,
};
#define LOT_WORK (INT64_C(10) * NS_PER_SECOND) /* 10 CT in nano-CT */

struct bench {
    struct world w;
    struct random random;
    uint32_t product;
    uint32_t account[PARTIES]; /* buyers first */
    uint32_t instrument[DAYS];
    int64_t day[DAYS];
    bool troubled;             /* this seed has defaults and decertifications */
    bool constrained;          /* and constraints */
    bool inverted;             /* and mostly negative prices */
    bool absent;               /* and buyers who take little: resales */
    uint32_t notices, allotted, closed, falsified, bought, resold;
    int64_t awarded;           /* nano-CT that balancing and resale auctions gave */
    int64_t replaced;          /* of it, what became an allocation */
    uint64_t latest;           /* allocation */
    struct {                   /* by allocation, of what was resold: net of postings */
        int64_t buyer;         /* margin and payment */
        int64_t first;
    } flows[FLOWS_MAX];
};

static uint64_t below(struct bench *b, uint64_t bound) { return random_below(&b->random, bound); }
static bool chance(struct bench *b, uint32_t percent) { return below(b, 100) < percent; }

static struct token_class class_test(void)
{
    return (struct token_class){.vintage = 2026, .grade = GRADE_server, .region = "eu"};
}

static struct delivery_terms terms_test(void)
{
    return (struct delivery_terms){
        .class = class_test(), .grade_e6 = {700000, E6, 1600000}, .grade_cap_e6 = 1600000,
        .tolerance_hour_e6 = 20000, .tolerance_day_e6 = 5000, .margin_seller_e6 = 500000,
        .margin_buyer_e6 = E6, .buy_in_e6 = 1100000, .buy_in_max_e6 = 3 * E6,
        .damages_short_e6 = 100000, .damages_nothing_e6 = 250000, .damages_falsified_e6 = 500000,
        .fee = 10000, .last_days = 6, .position_days = 5, .notice_days = 4, .margin_days = 3,
        .canary_days = 1, .last_at = 43200, .notice_at = 43200, .margin_at = 43200,
        .canary_at = 43200, .canary_by = 50400, .pay_at = 43200, .meter_ns = 2 * NS_PER_HOUR,
        .sign_ns = 600 * NS_PER_SECOND, .make_up_ns = 24 * NS_PER_HOUR,
        .buy_in_ns = 1800 * NS_PER_SECOND, .challenge_ns = 72 * NS_PER_HOUR,
        .answer_ns = 24 * NS_PER_HOUR};
}

static uint8_t key_of(uint32_t party) { return (uint8_t)(100 + party); }

/* ---- the world ---- */

/* Some worlds have terms at their bounds: no make-up or a week of it, a window that closes before
 * the block is paid, a buy-in that bids no more than its least cost. */
static struct delivery_terms terms_of_seed(uint64_t seed)
{
    struct delivery_terms t = terms_test();
    if (seed % 4 == 1) {
        t.make_up_ns = 0;
        t.challenge_ns = NS_PER_HOUR;
        t.buy_in_max_e6 = t.buy_in_e6;
    }
    if (seed % 4 == 2) t.make_up_ns = 7 * NS_PER_DAY;
    if (seed % 4 == 3) { /* so early that there is something left to resell */
        t.meter_ns = NS_PER_HOUR;
        t.buy_in_ns = 1200 * NS_PER_SECOND;
    }
    return t;
}

static void product_open(struct bench *b, uint64_t seed)
{
    struct command p = world_product_terms("CTP");
    p.product_create.contract_unit = UNIT_hour;
    p.product_create.contract_size = 10 * E6;
    p.product_create.settlement = SETTLEMENT_physical;
    p.product_create.peak_start_hour = PEAK_FIRST;
    p.product_create.peak_end_hour = PEAK_FIRST + PEAK_HOURS;
    p.product_create.flat_margin = MONEY(20 * E6);
    p.product_create.delivery = terms_of_seed(seed);
    b->product = world_product(&b->w, &p);
    assert_int_equal(world_state(&b->w, b->product, STATE_open), REJECT_none);
}

static void resources_open(struct bench *b)
{
    static const char *const names[SELLERS] = {"r0", "r1", "r2"};
    assert_int_equal(compute_accredit(&b->w, "first", ROLE_certifier, 1), REJECT_none);
    assert_int_equal(compute_accredit(&b->w, "eye", ROLE_verifier, 9), REJECT_none);
    struct command s = {.certification_set = {.flags = CERTIFICATION_HAS_ACCEPTANCE,
                                              .reason = "test"}};
    assert_int_equal(world_step(&b->w, &s, COMMAND_certification_set, 0), REJECT_none);
    assert_int_equal(world_confirm(&b->w, b->w.c->s->request_id, 2), REJECT_none);
    for (uint32_t i = 0; i < SELLERS; i++) {
        struct command cmd = compute_certificate(&b->w, names[i], 1, 40 * LOT_WORK, 700);
        cmd.certificate_submit.terms.class = class_test();
        assert_int_equal(world_step(&b->w, &cmd, COMMAND_certificate_submit,
                                    b->account[BUYERS + i]), REJECT_none);
    }
}

static void bench_open(struct bench *b, uint64_t seed)
{
    static const char *const names[PARTIES] = {"a", "b", "c", "x", "y", "z"};
    struct core_limits l = core_limits_small();
    l.balances = 4096;
    l.allocations = seed % 5 == 0 ? 6 : 64;
    l.accounts = 24;
    memset(b, 0, sizeof *b);
    b->w = world_open(&l);
    b->w.check_every = 5;
    b->random = (struct random){seed * 7919};
    b->troubled = seed % 3 == 0;
    b->constrained = seed % 2 == 0;
    b->inverted = seed % 8 == 5;
    b->absent = seed % 4 == 3;
    for (uint32_t i = 0; i < PARTIES; i++) {
        b->account[i] = world_account(&b->w, names[i], names[i]);
        int64_t money = (int64_t)(chance(b, 80) ? 5000 : 150) * E6;
        assert_int_equal(world_deposit(&b->w, b->account[i], money), REJECT_none);
    }
    product_open(b, seed);
    resources_open(b);
    for (uint32_t i = 0; i < DAYS; i++) { /* 4 January 2027 is a Monday */
        static const char *const periods[DAYS] = {"2027D0112-PK", "2027D0113-PK", "2027D0114-PK",
                                                  "2027D0114H20"};
        b->instrument[i] = world_list(&b->w, b->product, periods[i]);
        b->day[i] = b->w.c->instruments[b->instrument[i]].terms.start.v / NS_PER_DAY;
    }
}

/* ---- notices, once more ---- */

struct before { /* of one instrument, as the notice finds it */
    int64_t tendered[PARTIES];
    int64_t wanted;
    int64_t open;
};

static struct before before_notice(const struct bench *b, uint32_t instrument)
{
    const struct core *c = b->w.c;
    struct before n = {0};
    for (uint32_t i = 0; i < PARTIES; i++) {
        uint32_t e = exposure_find(c, b->account[i], instrument);
        int64_t held = e == NIL ? 0 : c->exposures[e].position;
        uint32_t defaulted = b->w.c->accounts[b->account[i]].status == ACCOUNT_defaulted;
        if (held > 0) n.open += held;
        for (uint32_t t = 1; t <= c->deliver.s->intakes && held > 0 && !defaulted; t++) {
            const struct intake *x = &c->deliver.intakes[t];
            if (x->account == b->account[i] && x->terms.instrument == instrument)
                n.wanted += held;
        }
        for (uint32_t t = 1; t <= c->deliver.s->tenders && held < 0; t++) {
            const struct tender *x = &c->deliver.tenders[t];
            if (x->account != b->account[i] || x->terms.instrument != instrument) continue;
            n.tendered[i] += int64_min(x->terms.lots.v, -held);
        }
    }
    return n;
}

/* As docs/delivery.md says it: from what is published alone. */
static void shares_again(const struct bench *b, const struct event_notice *e,
                         const struct before *n, int64_t assigned, int64_t tendered,
                         int64_t share[PARTIES])
{
    struct {
        char name[INSTRUMENT_NAME_SIZE];
        int64_t date;
        uint64_t seq;
    } of = {.date = e->header.ts.v / NS_PER_DAY, .seq = e->state_seq};
    uint64_t seed[4], tie[PARTIES];
    memcpy(of.name, b->w.c->instruments[e->instrument].terms.name, sizeof of.name);
    for (uint64_t i = 0; i < 4; i++) seed[i] = XXH3_64bits_withSeed(&of, sizeof of, i);
    assert_memory_equal(seed, e->seed, sizeof seed);
    int64_t left = assigned;
    for (uint32_t i = 0; i < PARTIES; i++) {
        const char *name = b->w.c->accounts[b->account[i]].name;
        tie[i] = XXH3_64bits_withSeed(name, ACCOUNT_NAME_SIZE, seed[0]);
        share[i] = assigned * n->tendered[i] / tendered;
        left -= share[i];
    }
    for (uint64_t from = 0; left > 0;) { /* the lowest hash that is not below */
        uint32_t next = PARTIES;
        for (uint32_t i = 0; i < PARTIES; i++) {
            bool may = tie[i] >= from && share[i] < n->tendered[i];
            if (may && (next == PARTIES || tie[i] < tie[next])) next = i;
        }
        assert_true(next < PARTIES);
        share[next] += 1;
        left -= 1;
        from = tie[next] + 1;
    }
}

static void notice_check(struct bench *b, const struct event_notice *e, const struct before *n)
{
    int64_t tendered = 0, given[PARTIES] = {0};
    for (uint32_t i = 0; i < PARTIES; i++) tendered += n->tendered[i];
    int64_t assigned = int64_min(tendered, n->wanted);
    assert_true(e->allotted.v <= assigned);
    const struct event_header *h = NULL;
    while ((h = outbox_next(&b->w.out, h)) != NULL) {
        const struct event_allocation *a = (const void *)h;
        if (h->kind != EVENT_allocation || a->instrument != e->instrument) continue;
        for (uint32_t i = 0; i < PARTIES; i++)
            given[i] += a->seller == b->account[i] ? a->lots.v : 0;
    }
    b->notices += 1;
    b->allotted += (uint32_t)e->allotted.v;
    if (b->troubled || b->constrained || b->w.c->limits.allocations < 64) return;
    assert_int_equal(e->allotted.v, assigned);
    assert_int_equal(e->open.v, n->open);
    int64_t share[PARTIES] = {0};
    if (assigned > 0) shares_again(b, e, n, assigned, tendered, share);
    for (uint32_t i = 0; i < PARTIES; i++) assert_int_equal(given[i], share[i]);
}

/* ---- firm bids, and who has paid what for what was resold ---- */

static void posting_note(struct bench *b, const struct event_posting *p)
{
    uint32_t a = allocation_find(b->w.c, p->reference);
    const struct allotment *x = &b->w.c->deliver.allocations[a];
    if (a == NIL || x->first_buyer == NIL || p->reference >= FLOWS_MAX) return;
    bool margin = p->code == POSTING_delivery_margin;
    if (p->account == x->said.buyer && (margin || p->code == POSTING_delivery_payment))
        b->flows[p->reference].buyer += p->amount;
    if (p->account == x->first_buyer && (margin || p->code == POSTING_delivery_difference))
        b->flows[p->reference].first += p->amount;
}

static int64_t worth(int64_t work, int64_t price)
{
    return (int64_t)((int128_t)work * price / NS_PER_SECOND);
}

/* What each has paid when all is over, from the figures and the prices alone. `p` is the contract's
 * price, `q` the resale's, `price` a replacement's. */
static void resold_check(struct bench *b, const struct event_allocation *e)
{
    const struct deliveries *d = &b->w.c->deliver;
    const struct allotment *x = &d->allocations[allocation_find(b->w.c, e->id)];
    bool replaced = (e->flags & ALLOCATION_FLAG_REPLACEMENT) != 0;
    uint32_t parent = allocation_find(b->w.c, e->of);
    int64_t contract = 0, price = e->price.v, p = price, q = e->price_resold.v;
    if (b->troubled || parent == NIL || e->id >= FLOWS_MAX) return;
    if (replaced) {
        p = d->allocations[parent].said.price.v;
        q = d->allocations[parent].said.price_resold.v;
    }
    for (uint32_t h = x->hours; h != NIL; h = d->hours[h].next) {
        const struct allotment_hour *y = &d->hours[h];
        bool whole = (y->said.flags & (HOUR_FLAG_SHORT | HOUR_FLAG_MAKE_UP)) == 0;
        contract += whole ? y->said.work_due : y->payable;
        if (y->said.challenged_until.v != 0) return;
    }
    int64_t own = int64_min(price, q), both = int64_min(price, p);
    int64_t apart = e->paid.v - worth(contract, price), in = worth(e->work_due, both - own);
    int64_t buyer = replaced ? worth(e->work_due, price - both + own) : 0;
    int64_t first = in - worth(contract, both - own);
    buyer -= worth(contract, price - both + own) + apart;
    for (uint32_t r = 1; r <= d->s->allocations; r++) {
        const struct event_allocation *z = &d->allocations[r].said;
        if (z->id == 0 || z->of != e->id) continue;
        buyer -= worth(z->work_due, int64_min(z->price.v, q));
        first -= worth(z->work_due, int64_min(z->price.v, p) - int64_min(z->price.v, q));
    }
    const int64_t rounding = 30;
    assert_true(within(b->flows[e->id].buyer - buyer, -rounding, rounding));
    assert_true(within(b->flows[e->id].first - first, -rounding, rounding));
    b->resold += 1;
}

/* What an auction awards, and what of it becomes an allocation. */
static void events_note(struct bench *b)
{
    const uint32_t awards = ALLOCATION_FLAG_REPLACEMENT | ALLOCATION_FLAG_RESOLD;
    const struct event_header *h = NULL;
    while ((h = outbox_next(&b->w.out, h)) != NULL) {
        const struct event_allocation *a = (const void *)h;
        const struct event_spot_bid *o = (const void *)h;
        if (h->kind == EVENT_spot_bid) b->awarded += o->filled.v;
        if (h->kind == EVENT_posting) posting_note(b, (const void *)h);
        if (h->kind != EVENT_allocation) continue;
        bool closed = a->state == ALLOCATION_closed;
        if (closed && (a->flags & ALLOCATION_FLAG_RESOLD) != 0) resold_check(b, a);
        if (a->id <= b->latest) continue;
        b->latest = a->id;
        if ((a->flags & awards) != 0) b->replaced += a->work_due;
    }
}

/* ---- the clock, as the sequencer moves it ---- */

static void tick(struct bench *b)
{
    struct before n[DAYS];
    for (uint32_t i = 0; i < DAYS; i++) n[i] = before_notice(b, b->instrument[i]);
    struct command cmd = {0};
    (void)world_step(&b->w, &cmd, COMMAND_tick, 0);
    events_note(b);
    const struct event_header *h = NULL;
    while ((h = outbox_next(&b->w.out, h)) != NULL) {
        if (h->kind != EVENT_notice) continue;
        const struct event_notice *e = (const void *)h;
        for (uint32_t i = 0; i < DAYS; i++) {
            if (b->instrument[i] == e->instrument) notice_check(b, e, &n[i]);
        }
    }
}

static void advance(struct bench *b, int64_t ns)
{
    int64_t to = b->w.ts.v + ns;
    for (uint32_t i = 0; core_due(b->w.c).v <= to; i++) {
        assert_true(i < TICKS_MAX);
        b->w.ts.v = int64_max(b->w.ts.v, core_due(b->w.c).v);
        tick(b);
    }
    b->w.ts.v = to;
}

/* ---- what parties do ---- */

static void act(struct bench *b, struct command *cmd, enum command_kind kind, uint32_t account)
{
    (void)world_step(&b->w, cmd, kind, account);
    events_note(b);
}

static void trade_do(struct bench *b)
{
    uint32_t i = (uint32_t)below(b, DAYS), buyer = (uint32_t)below(b, BUYERS);
    uint32_t seller = BUYERS + (uint32_t)below(b, SELLERS);
    int64_t price = (int64_t)(1 + below(b, 4)) * E6 / 2;
    if (chance(b, b->inverted ? 60 : 5)) price = -price;
    if (chance(b, 10)) { /* a speculator the other way round */
        uint32_t other = buyer;
        buyer = seller;
        seller = other;
    }
    int64_t lots = 1 + (int64_t)below(b, 6);
    (void)world_order(&b->w, b->account[buyer], b->instrument[i], SIDE_buy, price, lots);
    (void)world_order(&b->w, b->account[seller], b->instrument[i], SIDE_sell, price, lots);
    if (chance(b, 30)) (void)world_settle(&b->w, b->instrument[i], price);
}

/* An intake is filed or withdrawn, sometimes with a seller that it excludes. */
static void intake_act(struct bench *b, uint32_t party, struct command *cmd, uint32_t excludes)
{
    if (cmd->intake.withdraw == 0) {
        cmd->intake.public_key[0] = key_of(party);
        memcpy(cmd->intake.endpoint, "http://b", 8);
        if (b->constrained && chance(b, excludes)) {
            cmd->intake.excluded_count = 1;
            cmd->intake.excluded[0] = b->account[BUYERS + below(b, SELLERS)];
        }
    }
    act(b, cmd, COMMAND_intake, b->account[party]);
}

static void file_do(struct bench *b)
{
    uint32_t i = (uint32_t)below(b, DAYS), party = (uint32_t)below(b, PARTIES);
    uint32_t e = exposure_find(b->w.c, b->account[party], b->instrument[i]);
    int64_t held = e == NIL ? 0 : b->w.c->exposures[e].position;
    struct command cmd = {0};
    if (party >= BUYERS && held < 0) {
        cmd.tender.instrument = chance(b, 85) ? b->instrument[i] : 0;
        cmd.tender.resource = 1 + party - BUYERS;
        cmd.tender.lots = QTY(chance(b, 70) ? -held : (int64_t)below(b, 5));
        cmd.tender.grade = GRADE_server;
        cmd.tender.public_key[0] = key_of(party);
        memcpy(cmd.tender.endpoint, "http://s", 8);
        act(b, &cmd, COMMAND_tender, b->account[party]);
        return;
    }
    cmd.intake.instrument = b->instrument[i];
    cmd.intake.withdraw = chance(b, 5);
    intake_act(b, party, &cmd, 30);
}

static void tokens_do(struct bench *b)
{
    uint32_t seller = (uint32_t)below(b, SELLERS), i = (uint32_t)below(b, DAYS);
    struct command cmd = {0};
    cmd.token_issue.resource = 1 + seller;
    cmd.token_issue.hours = 1 + (uint32_t)below(b, 6);
    cmd.token_issue.hour = b->day[i] * 24 + PEAK_FIRST + (int64_t)below(b, 4);
    if (chance(b, 50)) { /* the whole block */
        cmd.token_issue.hours = PEAK_HOURS;
        cmd.token_issue.hour = b->day[i] * 24 + PEAK_FIRST;
    }
    cmd.token_issue.amount = (int64_t)(1 + below(b, 12)) * LOT_WORK;
    act(b, &cmd, COMMAND_token_issue, b->account[BUYERS + seller]);
}

static void stand_do(struct bench *b, uint32_t seller, bool withdraws)
{
    struct command t = {0};
    t.tender.resource = 1 + seller;
    t.tender.lots = QTY(withdraws ? 0 : 1);
    t.tender.grade = GRADE_server;
    t.tender.public_key[0] = key_of(BUYERS + seller);
    memcpy(t.tender.endpoint, "http://s", 8);
    act(b, &t, COMMAND_tender, b->account[BUYERS + seller]);
}

static void intake_do(struct bench *b, uint32_t party, bool withdraws)
{
    struct command cmd = {0};
    cmd.intake.withdraw = withdraws;
    intake_act(b, party, &cmd, 20);
}

/* A bid for what another does not take. */
static void resale_do(struct bench *b, const struct spot_auction *a)
{
    uint32_t party = (uint32_t)below(b, PARTIES), hour = (uint32_t)below(b, a->hours);
    struct command cmd = {.spot_bid = {.auction = a->id, .kind = SPOT_BID_step,
                                       .side = SIDE_buy, .count = 1}};
    intake_do(b, party, false);
    cmd.spot_bid.steps[0] = (struct spot_step){
        .hour = hour, .price = PRICE((int64_t)below(b, (uint64_t)a->price_max.v + 1)),
        .qty = QTY(1 + (int64_t)below(b, (uint64_t)a->hour[hour].wanted + LOT_WORK))};
    act(b, &cmd, COMMAND_spot_bid, b->account[party]);
    if (chance(b, 10)) intake_do(b, party, true);
}

/* An offer in one of the latest auctions, by one who mostly can deliver: with tokens or without,
 * the money or not; some withdraw what they stand ready with before the close. */
static void spot_do(struct bench *b)
{
    uint32_t seller = (uint32_t)below(b, SELLERS), account = b->account[BUYERS + seller];
    const struct spot_auction *a = spot_find(b->w.c, b->w.c->spot.s->auction_id - below(b, 3));
    if (a == NULL) return;
    if (a->kind == SPOT_resale) {
        for (uint32_t i = 0; i < PARTIES; i++) resale_do(b, a);
        return;
    }
    uint32_t hour = (uint32_t)below(b, a->hours);
    struct command cmd = {0};
    if (chance(b, 80)) {
        cmd.token_issue = (struct command_token_issue){
            .resource = 1 + seller, .hours = 1, .hour = a->first_hour + hour,
            .amount = a->hour[hour].wanted + 1};
        act(b, &cmd, COMMAND_token_issue, account);
    }
    stand_do(b, seller, false);
    cmd = (struct command){.spot_bid = {.auction = a->id, .kind = SPOT_BID_step,
                                        .side = SIDE_sell, .count = 1}};
    cmd.spot_bid.steps[0] = (struct spot_step){
        .hour = hour, .price = PRICE((int64_t)below(b, (uint64_t)a->price_max.v + 1)),
        .qty = QTY(1 + (int64_t)below(b, (uint64_t)a->hour[hour].wanted + LOT_WORK))};
    act(b, &cmd, COMMAND_spot_bid, account);
    if (chance(b, 10)) stand_do(b, seller, true);
}

static void verdict_do(struct bench *b, uint32_t a, const struct event_delivery_hour *e,
                       enum proof_kind kind)
{
    const struct event_allocation *x = &b->w.c->deliver.allocations[a].said;
    struct command cmd = {0};
    struct command_verdict *v = &cmd.verdict;
    uint32_t outcome = chance(b, 90) ? PROOF_ok : 1 + (uint32_t)below(b, 3);
    v->allocation = x->id;
    v->hour = e->hour;
    v->kind = (uint8_t)kind;
    v->outcome = (uint8_t)outcome;
    v->tasks = kind == PROOF_canary ? 10 : e->tasks;
    v->sampled = v->tasks;
    v->failed = outcome == PROOF_falsified ? 1 : 0;
    v->bound_e6 = outcome == PROOF_no_answer ? (uint32_t)E6 : 10000;
    uint128_t flop = (uint128_t)e->work_claimed * (uint128_t)NS_PER_SECOND;
    if (outcome == PROOF_short) flop = flop / 100 * below(b, 100);
    if (kind == PROOF_canary) flop = 1;
    if (outcome == PROOF_falsified || outcome == PROOF_no_answer) flop = 0;
    v->flop_high = (uint64_t)(flop >> 64);
    v->flop_low = (uint64_t)flop;
    memcpy(v->root, e->root, sizeof v->root);
    memset(v->verifier_key, 9, sizeof v->verifier_key);
    act(b, &cmd, COMMAND_verdict, 0);
}

static void receipt_do(struct bench *b, uint32_t a, const struct event_delivery_hour *e,
                       ts_t hour)
{
    const struct event_allocation *x = &b->w.c->deliver.allocations[a].said;
    struct command cmd = {0};
    struct command_receipt *r = &cmd.receipt;
    int64_t due = e == NULL ? x->work_short : e->work_due;
    bool whole = chance(b, b->absent ? 85 : 70);
    int64_t work = whole ? due : (int64_t)(due / 100 * (int64_t)below(b, 106));
    uint128_t flop = (uint128_t)work * (uint128_t)NS_PER_SECOND;
    r->allocation = x->id;
    r->hour = hour;
    r->instrument = x->instrument;
    r->flags = chance(b, b->absent ? 50 : 90) ? RECEIPT_BUYER_SIGNED : 0;
    r->tasks = 1 + below(b, 100);
    r->flop_high = (uint64_t)(flop >> 64);
    r->flop_low = (uint64_t)flop;
    r->root[0] = (uint8_t)(1 + below(b, 200));
    memcpy(r->seller_key, x->seller_key, sizeof r->seller_key);
    memcpy(r->buyer_key, x->buyer_key, sizeof r->buyer_key);
    if (chance(b, 2)) r->buyer_key[0] ^= 1;
    act(b, &cmd, COMMAND_receipt, x->seller);
}

static void warrant_do(struct bench *b, const struct event_allocation *x)
{
    struct command cmd = {.warrant_transfer = {.allocation = x->id,
                                               .to = b->account[below(b, BUYERS)],
                                               .lots = QTY((int64_t)below(b, 4))}};
    act(b, &cmd, COMMAND_warrant_transfer, x->buyer);
}

static void challenge_do(struct bench *b, const struct event_allocation *x,
                         const struct event_delivery_hour *e)
{
    struct command cmd = {.proof_challenge = {.allocation = x->id, .hour = e->hour,
                                              .reason = "why"}};
    act(b, &cmd, COMMAND_proof_challenge, chance(b, 50) ? x->buyer : 0);
}

static void hour_do(struct bench *b, uint32_t a, uint32_t h)
{
    const struct event_allocation *x = &b->w.c->deliver.allocations[a].said;
    const struct event_delivery_hour *e = &b->w.c->deliver.hours[h].said;
    bool over = b->w.ts.v >= e->hour.v + NS_PER_HOUR;
    if (e->state == HOUR_due && over && chance(b, 90)) receipt_do(b, a, e, e->hour);
    bool received = e->state == HOUR_received || e->state == HOUR_claimed;
    if (received && chance(b, b->absent ? 95 : 70)) verdict_do(b, a, e, PROOF_hour);
    if (e->state == HOUR_challenged && chance(b, 40)) verdict_do(b, a, e, PROOF_challenge);
    if (e->state == HOUR_metered && x->state == ALLOCATION_window && chance(b, 1))
        challenge_do(b, x, e);
}

static void allocations_do(struct bench *b)
{
    const struct deliveries *d = &b->w.c->deliver;
    for (uint32_t a = 1; a <= d->s->allocations; a++) {
        const struct event_allocation *x = &d->allocations[a].said;
        if (x->id == 0 || x->state == ALLOCATION_closed) continue;
        int64_t now = b->w.ts.v, canary = x->first_hour.v / NS_PER_DAY * NS_PER_DAY;
        bool trial = x->state == ALLOCATION_escrowed && now >= canary - 12 * NS_PER_HOUR;
        if (trial && chance(b, 80)) verdict_do(b, a, &d->hours[d->allocations[a].hours].said,
                                               PROOF_canary);
        if (x->state < ALLOCATION_ready && chance(b, 2)) warrant_do(b, x);
        uint32_t next;
        for (uint32_t h = d->allocations[a].hours; h != NIL && x->id != 0; h = next) {
            next = d->hours[h].next;
            hour_do(b, a, h);
        }
        if (x->state == ALLOCATION_making_up && chance(b, 30))
            receipt_do(b, a, NULL, TS(now / NS_PER_HOUR * NS_PER_HOUR - NS_PER_HOUR));
    }
}

static void trouble_do(struct bench *b)
{
    struct command cmd = {0};
    if (chance(b, 70)) { /* closed when nothing is left to come of it, and not before */
        cmd.default_step.member = b->w.c->accounts[b->account[below(b, PARTIES)]].member;
        cmd.default_step.action = chance(b, 50)   ? DEFAULT_close
                                  : chance(b, 50) ? DEFAULT_allocate
                                                  : DEFAULT_tear_up;
        act(b, &cmd, COMMAND_default_step, 0);
    } else if (chance(b, 50)) {
        cmd.default_declare.member = b->w.c->accounts[b->account[below(b, PARTIES)]].member;
        memcpy(cmd.default_declare.reason, "test", 5);
        act(b, &cmd, COMMAND_default_declare, 0);
    } else {
        cmd.certificate_end.certificate = 1 + below(b, 3);
        cmd.certificate_end.how = CERTIFICATE_END_decertify;
        memcpy(cmd.certificate_end.reason, "test", 5);
        act(b, &cmd, COMMAND_certificate_end, 0);
        (void)world_confirm(&b->w, b->w.c->s->request_id, 2);
    }
}

/* ---- the whole life ---- */

static void end_check(struct bench *b)
{
    const struct core *c = b->w.c;
    const struct deliveries *d = &c->deliver;
    core_check(c);
    assert_int_equal(d->s->live, 0);
    if (c->limits.allocations == 64) assert_int_equal(b->awarded, b->replaced);
    assert_int_equal(ledger_cash(c, d->s->account), 0);
    for (uint32_t i = 0; i < DAYS; i++) {
        const struct instrument *in = &c->instruments[b->instrument[i]];
        assert_int_equal(in->terms.expired, EXPIRY_done);
        assert_int_equal(in->open_interest.v, 0);
    }
    for (uint32_t a = 1; a <= d->s->allocations; a++) {
        const struct event_allocation *x = &d->allocations[a].said;
        if (x->id == 0) continue;
        b->closed += 1;
        b->falsified += (x->flags & ALLOCATION_FLAG_FALSIFIED) != 0;
        b->bought += (x->flags & ALLOCATION_FLAG_REPLACEMENT) != 0;
        /* What came exactly as it was due is paid exactly: work x price. */
        bool exact = x->reason == 0 && x->work_done == x->work_due && x->work_made_up == 0;
        bool untouched = (x->flags & ALLOCATION_FLAG_FALSIFIED) == 0;
        for (uint32_t h = d->allocations[a].hours; h != NIL; h = d->hours[h].next)
            exact = exact && d->hours[h].said.work == d->hours[h].said.work_due;
        int64_t value = (int64_t)((int128_t)x->work_due * x->price.v / NS_PER_SECOND);
        if (exact && untouched) assert_true(within(x->paid.v - value, -PEAK_HOURS, PEAK_HOURS));
    }
    for (uint32_t i = 0; i < PARTIES; i++) assert_int_equal(d->pending[b->account[i]], 0);
}

static void life(struct bench *b)
{
    const int64_t end = b->day[DAYS - 1] * NS_PER_DAY + 3 * NS_PER_DAY;
    while (b->w.ts.v < end) {
        int64_t minutes = b->absent ? 5 + (int64_t)below(b, 15) : 10 + (int64_t)below(b, 60);
        advance(b, minutes * 60 * NS_PER_SECOND);
        if (chance(b, 60)) trade_do(b);
        if (chance(b, 70)) file_do(b);
        if (chance(b, 50)) tokens_do(b);
        for (uint32_t i = 0; i < 3; i++) {
            if (chance(b, 60)) spot_do(b);
        }
        allocations_do(b);
        if (b->troubled && chance(b, 3)) trouble_do(b);
    }
    advance(b, 20 * NS_PER_DAY);
}

static void test_nobody_hangs(void **state)
{
    (void)state;
    const char *text = getenv("DOJIMA_DELIVERY_SEEDS");
    uint64_t seeds = text == NULL ? 24 : (uint64_t)atoll(text);
    uint32_t notices = 0, allotted = 0, closed = 0, falsified = 0, bought = 0, resold = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct bench b;
        bench_open(&b, seed);
        life(&b);
        end_check(&b);
        notices += b.notices;
        allotted += b.allotted;
        closed += b.closed;
        falsified += b.falsified;
        bought += b.bought;
        resold += b.resold;
        world_close(&b.w);
    }
    print_message("%u notices, %u lots allotted, %u allocations closed, %u falsified, "
                  "%u replacements, %u resold\n", notices, allotted, closed, falsified, bought,
                  resold);
    assert_true(allotted > 0 && closed > 0);
    if (seeds >= 24) assert_true(falsified > 0 && bought > 0 && resold > 0);
}

/* The last day's lots, tendered and with an intake of the first two buyers, on notice day. */
static void last_day_allot(struct bench *b, int64_t lots)
{
    uint32_t i = b->instrument[DAYS - 1], seller = b->account[BUYERS];
    for (uint32_t p = 0; p < PARTIES; p++)
        assert_int_equal(world_deposit(&b->w, b->account[p], 5000 * E6), REJECT_none);
    assert_int_equal(world_order(&b->w, b->account[0], i, SIDE_buy, E6, lots), REJECT_none);
    assert_int_equal(world_order(&b->w, seller, i, SIDE_sell, E6, lots), REJECT_none);
    assert_int_equal(world_settle(&b->w, i, E6), REJECT_none);
    advance(b, b->day[DAYS - 1] * NS_PER_DAY - 5 * NS_PER_DAY + NS_PER_HOUR - b->w.ts.v);
    struct command t = {.tender = {.instrument = i, .resource = 1, .lots = QTY(lots),
                                   .grade = GRADE_server, .endpoint = "http://s"}};
    t.tender.public_key[0] = key_of(BUYERS);
    assert_int_equal(world_step(&b->w, &t, COMMAND_tender, seller), REJECT_none);
    for (uint32_t p = 0; p < 2; p++) {
        struct command n = {.intake = {.instrument = i, .endpoint = "http://b"}};
        n.intake.public_key[0] = key_of(p);
        assert_int_equal(world_step(&b->w, &n, COMMAND_intake, b->account[p]), REJECT_none);
    }
    advance(b, 36 * NS_PER_HOUR);
    assert_int_equal(b->allotted, lots);
}

/* The seller's tokens are there, and no place for the escrow of them: nobody's fault. */
static void test_escrow_without_room(void **state)
{
    (void)state;
    struct bench b;
    enum { LOTS = 2, SEED = 10, HOUR = 20 };
    bench_open(&b, SEED);
    last_day_allot(&b, LOTS);
    struct command t = {.token_issue = {.resource = 1, .hours = 1, .amount = LOTS * LOT_WORK,
                                        .hour = b.day[DAYS - 1] * 24 + HOUR}};
    assert_int_equal(world_step(&b.w, &t, COMMAND_token_issue, b.account[BUYERS]), REJECT_none);
    uint32_t balances = b.w.c->limits.balances;
    b.w.c->limits.balances = b.w.c->s->balance_map_count;
    advance(&b, NS_PER_DAY);
    b.w.c->limits.balances = balances;
    const struct event_delivery_cash *e =
        &b.w.c->deliver.cash[b.w.c->deliver.s->cash_id % b.w.c->deliver.cash_max];
    assert_int_equal(b.w.c->deliver.s->live, 0);
    assert_int_equal(e->reason, DELIVERY_REASON_no_room);
    assert_int_equal(e->at_fault, NIL);
    assert_int_equal(e->damages.v, 0);
    world_close(&b.w);
}

/* Six places: a buyer who passes on its right lot by lot leaves half of them to the next notice. */
static void test_warrants_leave_room(void **state)
{
    (void)state;
    struct bench b;
    enum { LOTS = 10, SEED = 10 };
    bench_open(&b, SEED);
    last_day_allot(&b, LOTS);
    uint32_t moved = 0;
    for (enum reject reason = REJECT_none; reason == REJECT_none; moved++) {
        struct command w = {.warrant_transfer = {.allocation = 1, .to = b.account[1],
                                                 .lots = QTY(1)}};
        reason = world_step(&b.w, &w, COMMAND_warrant_transfer, b.account[0]);
        if (reason != REJECT_none) assert_int_equal(reason, REJECT_capacity_exhausted);
    }
    assert_int_equal(moved, 3); /* two were split off, the third not */
    assert_int_equal(b.w.c->deliver.s->live, 3);
    world_close(&b.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nobody_hangs),
                                       cmocka_unit_test(test_warrants_leave_room),
                                       cmocka_unit_test(test_escrow_without_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
