/* core_fuzz.c: whatever command passes command_is_valid, the core answers it with events and keeps
 * its invariants: no bytes that a client can cause may reach an assertion.
 *
 * The input is a row of records: kind, account, session, then body bytes; what is missing is zero.
 * A world with three products, a spread and four accounts is copied afresh for every input.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/core_compute_test.h"

struct reader {
    const uint8_t *bytes;
    size_t left;
};

static void take(struct reader *r, void *to, size_t size)
{
    size_t n = size < r->left ? size : r->left;
    memset(to, 0, size);
    if (n > 0) memcpy(to, r->bytes, n);
    r->bytes += n;
    r->left -= n;
}

static struct core_limits limits_fuzz(void)
{
    struct core_limits l = core_limits_small();
    l.answer_bytes = 1 << 16;
    return l;
}

static void step(struct core *c, struct command *cmd, struct outbox *out)
{
    cmd->header.seq = core_seq(c) + 1;
    if (cmd->header.size == 0)
        cmd->header.size = command_size_full((enum command_kind)cmd->header.kind);
    if (command_is_valid(cmd, cmd->header.size)) core_step(c, cmd, out);
}

static void seed_product(struct core *c, struct outbox *out, char letter, uint8_t algorithm)
{
    struct command p = {.header.kind = COMMAND_product_create};
    p.product_create.name[0] = letter;
    p.product_create.algorithm = algorithm;
    p.product_create.flags = PRODUCT_FLAG_TOP | PRODUCT_FLAG_HAS_PROTECTION;
    p.product_create.tick = PRICE(500000);
    p.product_create.contract_size = E6;
    p.product_create.flat_margin = MONEY(E6);
    p.product_create.fifo_share_e6 = 500000;
    p.product_create.margin_model = letter == 'A' ? MARGIN_span : MARGIN_flat;
    p.product_create.offbook = (struct product_offbook){
        .block_minimum = QTY(1), .window_ns = NS_PER_HOUR, .block_range = PRICE(PRICE_MAX),
        .no_bust_range = PRICE(1), .bust_window_ns = NS_PER_HOUR};
    if (letter == 'F') {
        p.product_create.limits = (struct product_limits){
            .spot_cap = QTY(50), .month = QTY(90), .all_months = QTY(120), .spot_days = 9,
            .accountable_all = QTY(9), .step_e6 = {E6, E6 / 2, E6 / 4}};
    }
    if (letter == 'H') p.product_create.settlement_rules.spot_index = 1; /* INDEX-02 */
    if (letter == 'S')
        p.product_create.limits = (struct product_limits){.micro_of = 1, .ratio = 10};
    if (letter == 'S') { /* CONTRACT-01 */
        p.product_create.contract_unit = UNIT_hour;
        p.product_create.contract_size = 458;
        p.product_create.calendar.cascades = 1u << PERIOD_quarter;
        p.product_create.spot = (struct spot_terms){ /* INDEX-01 */
            .opens_at = 60, .closes_at = 120, .result_within = 60, .price_max = PRICE(50 * E6)};
    }
    step(c, &p, out);
}

/* An index, and an hour whose trades are its. */
static void seed_index(struct core *c, struct outbox *out)
{
    struct command x = {.header.kind = COMMAND_index_create};
    x.index_create = (struct command_index_create){
        .name = "I", .sources = {5, 6, 7}, .source_count = 3, .minimum = 3,
        .tiers = {INDEX_TIER_spot, INDEX_TIER_submissions}, .staleness_ns = NS_PER_HOUR,
        .deviation_e6 = E6, .spot_sellers = 3, .spot_volume = 1, .spot_share_e6 = E6 / 2};
    step(c, &x, out);
    seed_product(c, out, 'H', ALGORITHM_fifo);
    struct command l = {.header.kind = COMMAND_instrument_list};
    l.instrument_list.product = 4;
    memcpy(l.instrument_list.period, "1970D0101H01", 12);
    step(c, &l, out);
}

/* A day-ahead auction of two hours, which closes in ten seconds. */
static void seed_spot(struct core *c, struct outbox *out)
{
    struct command o = {.header.kind = COMMAND_spot_open};
    o.spot_open = (struct command_spot_open){.product = 3, .hours = 2,
                                             .start = TS(500000 * NS_PER_HOUR),
                                             .closes = TS(10 * NS_PER_SECOND),
                                             .deadline = TS(60 * NS_PER_SECOND)};
    step(c, &o, out);
    struct command b = {.header = {.kind = COMMAND_spot_bid, .account = 6}};
    b.spot_bid = (struct command_spot_bid){.auction = 1, .kind = SPOT_BID_block, .side = SIDE_sell,
                                           .count = 1};
    b.spot_bid.steps[0] = (struct spot_step){.price = PRICE(E6), .qty = QTY(3)};
    b.header.size = (uint32_t)(sizeof b.header + offsetof(struct command_spot_bid, steps) +
                               sizeof b.spot_bid.steps[0]);
    step(c, &b, out);
}

static void seed_certifier(struct core *c, struct outbox *out)
{
    struct command a = {.header.principal = 1};
    compute_accredit_command(&a, 0);
    step(c, &a, out);
    struct command yes = {.header = {.kind = COMMAND_confirm, .principal = 2}};
    yes.confirm.request = 2; /* the asset was the first */
    step(c, &yes, out);
    struct command x = {0};
    struct random r = {1};
    compute_certificate_command(&x, &r, 0, 1, 0);
    x.certificate_submit.terms.expires = TS(49 * NS_PER_HOUR);
    memset(x.certificate_submit.terms.certifier, 1, PUBLIC_KEY_SIZE);
    step(c, &x, out);
}

static void seed(struct core *c, struct outbox *out)
{
    seed_product(c, out, 'F', ALGORITHM_fifo);
    seed_product(c, out, 'A', ALGORITHM_allocation);
    seed_product(c, out, 'S', ALGORITHM_split);
    struct command m = {.header.kind = COMMAND_margin_set};
    m.margin_set.group[0] = 'G';
    m.margin_set.given = MARGIN_GIVEN_products | MARGIN_GIVEN_tiers | MARGIN_GIVEN_spreads;
    m.margin_set.product_count = m.margin_set.tier_count = m.margin_set.spread_count = 1;
    m.margin_set.products[0] = (struct margin_product){2, 0, 1};
    m.margin_set.tiers[0].price_scan = MONEY(2 * E6);
    m.margin_set.spreads[0].charge = MONEY(E6);
    step(c, &m, out);
    for (uint32_t i = 0; i < 4; i++) {
        struct command l = {.header.kind = COMMAND_instrument_list};
        l.instrument_list.product = i < 2 ? 1 : i;
        static const char *const periods[] = {"2027M03", "2027M04", "2027M03", "2027Q2"};
        memcpy(l.instrument_list.period, periods[i], strlen(periods[i]));
        step(c, &l, out);
        struct command a = {.header.kind = COMMAND_account_create};
        a.account_create.account[0] = (char)('a' + i);
        a.account_create.member[0] = (char)('m' + i / 2);
        a.account_create.mode = i == 3 ? MODE_collateralised : MODE_margined;
        step(c, &a, out);
        struct command d = {.header = {.kind = COMMAND_deposit, .account = 5 + i}};
        d.transfer = (struct command_transfer){ASSET_USD, 0, MONEY(1000000 * E6)};
        step(c, &d, out);
    }
    for (uint32_t leg = 2; leg <= 4; leg++) { /* within a product and across (MATCH-06) */
        struct command s = {.header.kind = COMMAND_spread_list};
        s.spread_list = (struct command_spread_list){{leg == 4 ? 2 : 1, leg}, {1, -1}};
        step(c, &s, out);
    }
    struct command asset = {.header = {.kind = COMMAND_asset_set, .principal = 1}};
    memcpy(asset.asset_set.terms.name, "CAP", 4);
    memcpy(asset.asset_set.terms.source, "x", 2);
    asset.asset_set.terms.instrument = 1;
    asset.asset_set.terms.price = PRICE(E6);
    step(c, &asset, out);
    struct command yes = {.header = {.kind = COMMAND_confirm, .principal = 2}};
    yes.confirm.request = 1;
    step(c, &yes, out);
    struct command calls = {.header.kind = COMMAND_clearing_set};
    calls.clearing_set.flags = (1 << CLEARING_SETTINGS) - 1;
    calls.clearing_set.settings = (struct clearing_settings){
        5 * NS_PER_SECOND, NS_PER_SECOND, 300000, 5, 20, 200000, 4, 900000, 250000};
    step(c, &calls, out);
    seed_index(c, out);
    seed_spot(c, out);
    seed_certifier(c, out);
    for (uint32_t p = 1; p <= 4; p++) {
        struct command o = {.header.kind = COMMAND_state_set};
        o.state_set.product = p;
        o.state_set.state = STATE_open;
        step(c, &o, out);
    }
}

/* So that bids and solutions are more often of an auction that there is. */
static void spot_shape(struct command *c)
{
    if (c->header.kind == COMMAND_spot_bid) {
        struct command_spot_bid *b = &c->spot_bid;
        b->auction &= 3;
        b->kind &= 1;
        b->side &= 1;
        b->count = (uint16_t)(1 + b->count % 3);
        for (uint32_t i = 0; i < 3; i++) {
            b->steps[i].hour %= 3;
            b->steps[i].inexact &= 3;
            b->steps[i].price.v = b->steps[i].price.v % 128 * 500000;
            b->steps[i].qty.v %= 64;
        }
        c->header.size = (uint32_t)(sizeof c->header + offsetof(struct command_spot_bid, steps) +
                                    b->count * sizeof b->steps[0]);
    }
    if (c->header.kind == COMMAND_spot_result) {
        c->spot_result.auction &= 3;
        c->spot_result.version &= 15;
        c->spot_result.flags &= SPOT_RESULT_OPTIMAL;
    }
}

/* So that certificates are more often by an accredited key for one of a few resources. */
static void compute_shape(struct command *c)
{
    if (c->header.kind == COMMAND_certificate_submit) {
        struct certificate_terms *t = &c->certificate_submit.terms;
        uint8_t which = t->certifier[0] & 1, resource = t->certifier[1] & 3;
        memset(t, 0, offsetof(struct certificate_terms, class));
        memset(t->class.region, 0, sizeof t->class.region);
        memset(t->certifier, which + 1, sizeof t->certifier);
        t->resource[0] = (char)('a' + resource);
        t->site[0] = t->hardware[0] = t->class.region[0] = 'x';
        t->class.vintage = 2026;
        t->class.grade %= GRADE_count;
        t->quick &= 1;
        c->certificate_submit.appeals &= 15;
    }
    if (c->header.kind == COMMAND_token_issue) {
        c->token_issue.resource &= 3;
        c->token_issue.hours %= 5;
        c->token_issue.retire &= 1;
    }
    if (c->header.kind == COMMAND_certificate_end) {
        c->certificate_end.certificate &= 15;
        c->certificate_end.how %= CERTIFICATE_END_count;
        memset(c->certificate_end.reason, 0, sizeof c->certificate_end.reason);
        c->certificate_end.reason[0] = 'x';
    }
}

/* Counts within their arrays and zeros behind them, so that this is more often a command. */
static void margin_shape(struct command *c)
{
    if (c->header.kind == COMMAND_margin_result) {
        c->margin_result.count %= 4;
        c->margin_result.reserved = 0;
        for (uint32_t i = 0; i < 3; i++) c->margin_result.results[i].reserved = 0;
        c->header.size = (uint32_t)(sizeof c->header +
                                    offsetof(struct command_margin_result, results) +
                                    c->margin_result.count * sizeof(struct margin_result));
    }
    if (c->header.kind != COMMAND_margin_set) return;
    struct command_margin_set *m = &c->margin_set;
    m->given &= MARGIN_GIVEN_ALL;
    m->product_count %= 3;
    m->tier_count %= 3;
    m->spread_count %= 3;
    m->reserved = 0;
    for (uint32_t i = 0; i < SPAN_PRODUCTS_MAX; i++) {
        m->products[i].reserved = 0;
        if (i >= m->product_count) m->products[i] = (struct margin_product){0};
    }
    memset(m->tiers + m->tier_count, 0, sizeof m->tiers - m->tier_count * sizeof m->tiers[0]);
    memset(m->spreads + m->spread_count, 0,
           sizeof m->spreads - m->spread_count * sizeof m->spreads[0]);
    memset(m->group, 0, sizeof m->group);
    m->group[0] = 'G';
    memset(m->source, 0, sizeof m->source + sizeof m->reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char *pristine, *block;
    static struct core *core;
    static struct outbox out;
    static size_t bytes;
    const struct core_limits limits = limits_fuzz();
    if (pristine == NULL) {
        bytes = core_bytes(&limits);
        pristine = aligned_alloc(64, bytes);
        block = aligned_alloc(64, bytes);
        out.capacity = core_outbox_bytes(&limits);
        out.bytes = malloc(out.capacity);
        memset(block, 0, bytes);
        core = core_open(&limits, block);
        seed(core, &out);
        memcpy(pristine, block, bytes);
    }
    memcpy(block, pristine, bytes);
    struct reader r = {data, size};
    ts_t ts = core_ts(core);
    while (r.left > 0) {
        static struct command c;
        uint8_t head[4];
        take(&r, head, sizeof head);
        memset(&c, 0, sizeof c);
        c.header.kind = (uint16_t)(head[0] % COMMAND_kind_count);
        uint32_t full = command_size_full((enum command_kind)c.header.kind);
        if (full == 0) continue;
        size_t cut = full;
        if (c.header.kind == COMMAND_order_new && (head[3] & 1)) cut = COMMAND_ORDER_NEW_BARE_SIZE;
        take(&r, (unsigned char *)&c + sizeof c.header, cut - sizeof c.header);
        c.header.size = (uint32_t)cut;
        if (c.header.kind == COMMAND_order_new && cut == full)
            c.header.size = (uint32_t)(COMMAND_ORDER_NEW_TEXT_SIZE +
                                       c.order_new.linked_count % (LINKED_ORDERS_MAX + 1) *
                                           sizeof c.order_new.linked[0]);
        margin_shape(&c);
        spot_shape(&c);
        compute_shape(&c);
        if (c.header.kind == COMMAND_fund_size) {
            c.fund_size.count %= 5;
            c.header.size = (uint32_t)(sizeof c.header +
                                       offsetof(struct command_fund_size, shares) +
                                       c.fund_size.count * sizeof c.fund_size.shares[0]);
        }
        c.header.account = head[1] % 10;
        c.header.session = head[2] % 3;
        c.header.principal = head[2] % 5; /* two officers may meet */
        ts.v += (head[2] >> 4) * NS_PER_SECOND;
        c.header.ts = ts;
        step(core, &c, &out);
    }
    core_check(core);
    return 0;
}
