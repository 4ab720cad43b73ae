/* delivery_fuzz.c: a venue in which positions are about to be delivered, and any order of what its
 * parties, its verifier, its officers and the clock may do: no bytes may reach an assertion, no
 * state may wait for ever.
 *
 * The input is a row of records of eight bytes: what is done, by whom, and six numbers. (Bodies as
 * they come are core_fuzz.c's.)
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"

enum {
    FIRST = 5,         /* accounts from here: two buyers, two sellers */
    PARTIES = 4,
    TICKS_MAX = 5000,  /* of one advance */
    DAY = 20836,       /* 18 January 2027, a Monday */
    INSTRUMENTS = 3,
    PEAK_HOURS = 6,    /* so that something is left to resell when the first is not taken */
};
#define LOT_WORK (INT64_C(10) * NS_PER_SECOND)

struct world {
    struct core *core;
    struct outbox out;
    ts_t ts;
};

static void step(struct world *w, struct command *cmd, enum command_kind kind, uint32_t account)
{
    cmd->header.kind = (uint16_t)kind;
    cmd->header.account = account;
    cmd->header.seq = core_seq(w->core) + 1;
    cmd->header.ts = w->ts;
    if (cmd->header.size == 0) cmd->header.size = command_size_full(kind);
    if (command_is_valid(cmd, cmd->header.size)) core_step(w->core, cmd, &w->out);
}

/* As the sequencer moves the clock. What never comes to rest is found by the count. */
static void advance(struct world *w, int64_t ns)
{
    int64_t to = w->ts.v + ns;
    for (uint32_t i = 0; core_due(w->core).v <= to; i++) {
        struct command tick = {0};
        ASSERT(i < TICKS_MAX);
        if (core_due(w->core).v > w->ts.v) w->ts = core_due(w->core);
        step(w, &tick, COMMAND_tick, 0);
    }
    w->ts.v = to;
}

struct record {
    uint8_t what;
    uint8_t who;
    uint8_t n[6];
};

/* ---- the world ---- */

static void confirm(struct world *w, uint64_t request)
{
    struct command yes = {.header.principal = 2, .confirm = {.request = request}};
    step(w, &yes, COMMAND_confirm, 0);
}

static struct delivery_terms terms(void)
{
    return (struct delivery_terms){
        .class = {2026, GRADE_server, "eu"}, .grade_e6 = {700000, E6, 1600000},
        .grade_cap_e6 = 1600000, .tolerance_hour_e6 = 20000, .tolerance_day_e6 = 5000,
        .margin_seller_e6 = 500000, .margin_buyer_e6 = E6, .buy_in_e6 = 1100000,
        .buy_in_max_e6 = 3 * E6, .damages_short_e6 = 100000, .damages_nothing_e6 = 250000,
        .damages_falsified_e6 = 500000, .fee = 10000, .last_days = 6, .position_days = 5,
        .notice_days = 4, .margin_days = 3, .canary_days = 1, .last_at = 43200,
        .notice_at = 43200, .margin_at = 43200, .canary_at = 43200, .canary_by = 50400,
        .pay_at = 43200, .meter_ns = NS_PER_HOUR, .sign_ns = 600 * NS_PER_SECOND,
        .make_up_ns = 24 * NS_PER_HOUR, .buy_in_ns = 1800 * NS_PER_SECOND,
        .challenge_ns = 72 * NS_PER_HOUR, .answer_ns = 24 * NS_PER_HOUR};
}

static void seed_product(struct world *w)
{
    static const char *const periods[INSTRUMENTS] = {"2027D0118-PK", "2027D0119-PK",
                                                     "2027D0119H20"};
    struct command p = {0};
    memcpy(p.product_create.name, "CTP", 4);
    p.product_create.tick = PRICE(1000);
    p.product_create.contract_size = 10 * E6;
    p.product_create.contract_unit = UNIT_hour;
    p.product_create.settlement = SETTLEMENT_physical;
    p.product_create.peak_start_hour = 14;
    p.product_create.peak_end_hour = 14 + PEAK_HOURS;
    p.product_create.flat_margin = MONEY(20 * E6);
    p.product_create.delivery = terms();
    step(w, &p, COMMAND_product_create, 0);
    for (uint32_t i = 0; i < INSTRUMENTS; i++) {
        struct command l = {.instrument_list = {.product = 1}};
        memcpy(l.instrument_list.period, periods[i], strlen(periods[i]));
        step(w, &l, COMMAND_instrument_list, 0);
    }
    struct command open = {.state_set = {.product = 1, .state = STATE_open}};
    step(w, &open, COMMAND_state_set, 0);
}

static void seed_resources(struct world *w)
{
    for (uint32_t role = 0; role < ROLE_count; role++) {
        struct command a = {.header.principal = 1, .accredit = {.role = role}};
        a.accredit.name[0] = (char)('p' + role);
        memset(a.accredit.key, (int)(1 + role), sizeof a.accredit.key);
        step(w, &a, COMMAND_accredit, 0);
        confirm(w, 1 + role);
    }
    struct command s = {.header.principal = 1};
    s.certification_set.flags = CERTIFICATION_HAS_ACCEPTANCE;
    s.certification_set.reason[0] = 'x';
    step(w, &s, COMMAND_certification_set, 0);
    confirm(w, 3);
    for (uint32_t i = 0; i < 2; i++) {
        struct command cmd = {0};
        struct certificate_terms *t = &cmd.certificate_submit.terms;
        t->resource[0] = (char)('r' + i);
        t->site[0] = t->hardware[0] = 'h';
        t->class = terms().class;
        t->work_per_hour = 30 * LOT_WORK;
        t->issued = w->ts;
        t->expires = TS(w->ts.v + 28 * NS_PER_DAY);
        t->duration_s = 600;
        memset(t->certifier, 1, sizeof t->certifier);
        t->note[0] = t->evidence[0] = (uint8_t)(1 + i);
        step(w, &cmd, COMMAND_certificate_submit, FIRST + 2 + i);
    }
}

static void trade(struct world *w, uint32_t instrument, uint32_t buyer, uint32_t seller,
                  int64_t price, int64_t lots)
{
    for (uint32_t side = 0; side < 2; side++) {
        struct command o = {.header.size = COMMAND_ORDER_NEW_BARE_SIZE};
        o.order_new = (struct command_order_new){
            .instrument = instrument, .side = (uint8_t)side, .price = PRICE(price),
            .qty = QTY(lots), .flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY};
        step(w, &o, COMMAND_order_new, side == SIDE_buy ? buyer : seller);
    }
}

static void seed(struct world *w)
{
    w->ts = TS((DAY - 7) * NS_PER_DAY);
    for (uint32_t i = 0; i < PARTIES; i++) {
        struct command a = {0};
        a.account_create.account[0] = a.account_create.member[0] = (char)('a' + i);
        step(w, &a, COMMAND_account_create, 0);
        struct command d = {.transfer = {ASSET_USD, 0, MONEY((i == 1 ? 300 : 4000) * E6)}};
        step(w, &d, COMMAND_deposit, FIRST + i);
    }
    seed_product(w);
    seed_resources(w);
    for (uint32_t i = 1; i <= INSTRUMENTS; i++) {
        trade(w, i, FIRST, FIRST + 2, 2 * E6, 3);
        trade(w, i, FIRST + 1, FIRST + 3, 2 * E6, 2);
        struct command p = {.settlement_price = {i, 0, PRICE(2 * E6)}};
        step(w, &p, COMMAND_settlement_price, 0);
        for (uint32_t s = 0; s < 2; s++) {
            struct command t = {.token_issue = {.resource = 1 + s, .hours = PEAK_HOURS,
                                                .hour = (DAY + (i > 1 ? 1 : 0)) * 24 + 14,
                                                .amount = 4 * LOT_WORK}};
            step(w, &t, COMMAND_token_issue, FIRST + 2 + s);
        }
    }
    advance(w, 3 * NS_PER_DAY); /* to D-4 of the first, D-5 of the others */
}


/* ---- what a record does ---- */

static uint32_t party(uint8_t n) { return FIRST + n % PARTIES; }

static void keys_set(uint8_t key[PUBLIC_KEY_SIZE], uint32_t account)
{
    memset(key, 0, PUBLIC_KEY_SIZE);
    key[0] = (uint8_t)account;
}

static void file_do(struct world *w, const struct record *r)
{
    struct command cmd = {0};
    uint32_t account = party(r->who);
    if (r->what % 2 == 0) {
        cmd.tender.instrument = r->n[0] % (INSTRUMENTS + 1);
        cmd.tender.resource = 1 + r->n[1] % 2;
        cmd.tender.lots = QTY(r->n[2] % 5);
        cmd.tender.grade = GRADE_server;
        keys_set(cmd.tender.public_key, account);
        cmd.tender.endpoint[0] = 'h';
        step(w, &cmd, COMMAND_tender, account);
        return;
    }
    cmd.intake.instrument = (1 + r->n[0]) % (INSTRUMENTS + 1);
    cmd.intake.withdraw = r->n[1] == 1;
    cmd.intake.excluded_count = r->n[2] == 1;
    cmd.intake.excluded[0] = r->n[2] == 1 ? FIRST + 2 : 0;
    keys_set(cmd.intake.public_key, account);
    cmd.intake.endpoint[0] = 'h';
    step(w, &cmd, COMMAND_intake, account);
}

/* An hour of the blocks, or near them. */
static ts_t hour_of(uint8_t n)
{
    return TS(((DAY + n / 16 % 3) * INT64_C(24) + 12 + n % 16) * NS_PER_HOUR);
}

static void flop_set(int64_t work, uint64_t *high, uint64_t *low)
{
    uint128_t flop = (uint128_t)work * (uint128_t)NS_PER_SECOND;
    *high = (uint64_t)(flop >> 64);
    *low = (uint64_t)flop;
}

static void receipt_do(struct world *w, const struct record *r)
{
    struct command cmd = {0};
    struct command_receipt *x = &cmd.receipt;
    x->allocation = 1 + r->n[0] % 8;
    x->hour = hour_of(r->n[1]);
    x->instrument = 1 + r->n[2] % INSTRUMENTS;
    x->flags = r->n[3] % 4 != 0;
    x->tasks = 10;
    flop_set(LOT_WORK * (r->n[4] % 40) / 10, &x->flop_high, &x->flop_low);
    keys_set(x->seller_key, FIRST + 2 + r->n[5] % 2);
    keys_set(x->buyer_key, FIRST + r->n[5] / 2 % 2);
    step(w, &cmd, COMMAND_receipt, party(r->who));
}

static void verdict_do(struct world *w, const struct record *r)
{
    struct command cmd = {0};
    struct command_verdict *x = &cmd.verdict;
    x->allocation = 1 + r->n[0] % 8;
    x->hour = hour_of(r->n[1]);
    x->kind = r->n[2] % PROOF_kind_count;
    x->outcome = r->n[3] % 16 < 10 ? PROOF_ok : r->n[3] % PROOF_outcome_count;
    x->tasks = 10;
    x->sampled = 5;
    x->failed = x->outcome == PROOF_falsified;
    x->bound_e6 = x->outcome == PROOF_no_answer ? (uint32_t)E6 : 300000;
    if (x->outcome == PROOF_ok || x->outcome == PROOF_short)
        flop_set(x->kind == PROOF_canary ? 1 : LOT_WORK * (r->n[4] % 40) / 10, &x->flop_high,
                 &x->flop_low);
    memset(x->verifier_key, 2, sizeof x->verifier_key);
    step(w, &cmd, COMMAND_verdict, 0);
}

static void spot_do(struct world *w, const struct record *r)
{
    struct command cmd = {.header.size = (uint32_t)(sizeof cmd.header +
                                                    offsetof(struct command_spot_bid, steps) +
                                                    sizeof cmd.spot_bid.steps[0])};
    cmd.spot_bid.auction = 1 + r->n[0] % 4;
    cmd.spot_bid.side = r->n[4] % 2 == 0 ? SIDE_sell : SIDE_buy;
    cmd.spot_bid.count = 1;
    cmd.spot_bid.steps[0] = (struct spot_step){.hour = r->n[1] % 4,
                                               .price = PRICE((1 + r->n[2] % 8) * E6 / 2),
                                               .qty = QTY(LOT_WORK * (r->n[3] % 40) / 10)};
    step(w, &cmd, COMMAND_spot_bid, party(r->who));
}

static void officer_do(struct world *w, const struct record *r)
{
    struct command cmd = {.header.principal = 1};
    if (r->n[0] % 3 == 0) {
        cmd.default_declare.member = 2 + r->n[1] % PARTIES;
        cmd.default_declare.reason[0] = 'x';
        step(w, &cmd, COMMAND_default_declare, 0);
    } else if (r->n[0] % 3 == 1) {
        cmd.certificate_end.certificate = 1 + r->n[1] % 2;
        cmd.certificate_end.how = CERTIFICATE_END_decertify;
        cmd.certificate_end.reason[0] = 'x';
        step(w, &cmd, COMMAND_certificate_end, 0);
        confirm(w, 4 + r->n[2] % 8);
    } else {
        cmd.transfer = (struct command_transfer){ASSET_USD, 0, MONEY(r->n[1] * 20 * E6)};
        step(w, &cmd, COMMAND_withdraw, party(r->who));
    }
}

static void party_do(struct world *w, const struct record *r)
{
    struct command cmd = {0};
    if (r->n[0] % 4 == 0) {
        cmd.proof_challenge.allocation = 1 + r->n[1] % 8;
        cmd.proof_challenge.hour = hour_of(r->n[2]);
        step(w, &cmd, COMMAND_proof_challenge, r->n[3] % 2 == 0 ? 0 : party(r->who));
    } else if (r->n[0] % 4 == 1) {
        cmd.warrant_transfer.allocation = 1 + r->n[1] % 8;
        cmd.warrant_transfer.to = party(r->n[2]);
        cmd.warrant_transfer.lots = QTY(r->n[3] % 4);
        step(w, &cmd, COMMAND_warrant_transfer, party(r->who));
    } else {
        trade(w, 1 + r->n[1] % INSTRUMENTS, party(r->n[2]), party(r->n[3]),
              (r->n[4] % 8 - 2) * E6 / 2, 1 + r->n[5] % 4);
    }
}

static void record_do(struct world *w, const struct record *r)
{
    switch (r->what % 16) {
    case 0: advance(w, (int64_t)(1 + r->n[0]) * 60 * NS_PER_SECOND); break;
    case 1: advance(w, (int64_t)(1 + r->n[0] % 24) * NS_PER_HOUR); break;
    case 2:
    case 3:
    case 4:
    case 5: file_do(w, r); break;
    case 6:
    case 7:
    case 8: receipt_do(w, r); break;
    case 9:
    case 10:
    case 11: verdict_do(w, r); break;
    case 12: spot_do(w, r); break;
    case 13: officer_do(w, r); break;
    default: party_do(w, r); break;
    }
}

/* The same world on the day of delivery: all has gone well so far. */
static void seed_later(struct world *w)
{
    for (uint8_t i = 0; i < 2; i++) {
        file_do(w, &(struct record){.what = 2, .who = (uint8_t)(2 + i),
                                    .n = {1, i, (uint8_t)(3 - i)}});
        file_do(w, &(struct record){.what = 3, .who = i, .n = {0}});
    }
    advance(w, 3 * NS_PER_DAY + 13 * NS_PER_HOUR);
    for (uint8_t a = 0; a < 3; a++)
        verdict_do(w, &(struct record){.n = {a, 2, PROOF_canary}});
    advance(w, NS_PER_DAY + 2 * NS_PER_HOUR + NS_PER_HOUR / 2);
}

/* Nobody has signed for the first hour: the rest is for sale, and those who may want it stand
 * ready. */
static void seed_sale(struct world *w)
{
    for (uint8_t a = 0; a < 3; a++) {
        for (uint8_t keys = 0; keys < 4; keys++)
            receipt_do(w, &(struct record){.who = (uint8_t)(2 + keys % 2),
                                           .n = {a, 2, 0, 0, 30, keys}});
        verdict_do(w, &(struct record){.n = {a, 2, PROOF_hour, 0, 30}});
    }
    for (uint8_t i = 0; i < PARTIES; i++)
        file_do(w, &(struct record){.what = 3, .who = i, .n = {INSTRUMENTS}});
    advance(w, NS_PER_HOUR / 2);
    for (uint8_t i = 0; i < 2 * PARTIES; i++) /* some of them by who may not */
        spot_do(w, &(struct record){.who = i, .n = {i / PARTIES, i % 3, 1 + i % 2, 12, 1}});
}

static bool is_on_sale(struct world *w)
{
    const struct event_header *h = NULL;
    core_query(w->core, &(struct query){.kind = QUERY_allocations}, &w->out);
    while ((h = outbox_next(&w->out, h)) != NULL) {
        const struct event_allocation *a = (const void *)h;
        bool on_sale = h->kind == EVENT_allocation && (a->flags & ALLOCATION_FLAG_ON_SALE) != 0;
        if (on_sale) return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { STAGES = 3 };
    static unsigned char *pristine[STAGES], *block;
    static struct world w;
    static ts_t began[STAGES];
    static size_t bytes;
    struct core_limits limits = core_limits_small();
    limits.balances = 1024;
    if (block == NULL) {
        bytes = core_bytes(&limits);
        block = aligned_alloc(64, bytes);
        w.out.capacity = core_outbox_bytes(&limits);
        w.out.bytes = malloc(w.out.capacity);
        memset(block, 0, bytes);
        w.core = core_open(&limits, block);
        for (int stage = 0; stage < STAGES; stage++) {
            if (stage == 0) seed(&w);
            else if (stage == 1) seed_later(&w);
            else seed_sale(&w);
            began[stage] = w.ts;
            pristine[stage] = aligned_alloc(64, bytes);
            memcpy(pristine[stage], block, bytes);
        }
        ASSERT(is_on_sale(&w));
    }
    int stage = size == 0 || (data[0] & 0x80) != 0 ? 0 : (data[0] & 0x40) != 0 ? 2 : 1;
    memcpy(block, pristine[stage], bytes);
    w.ts = began[stage];
    for (; size >= sizeof(struct record); data += sizeof(struct record)) {
        struct record r;
        memcpy(&r, data, sizeof r);
        size -= sizeof r;
        record_do(&w, &r);
    }
    core_check(w.core);
    for (uint32_t kind = QUERY_tenders; kind <= QUERY_delivery; kind++)
        core_query(w.core, &(struct query){.kind = kind, .instrument = 1}, &w.out);
    advance(&w, 12 * NS_PER_DAY);
    core_check(w.core);
    return 0;
}
