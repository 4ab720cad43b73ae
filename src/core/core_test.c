/* core_test.c: random commands against the whole core: after each, every invariant of check.c; the
 * same commands give the same hash; a copied block goes on like the original.
 *
 * DOJIMA_RANDOM_COMMANDS sets how many commands a seed gets (default 20,000).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "core/core.h"
#include "core/core_compute_test.h"
#include "core/spot_naive_test.h"

struct world {
    struct core_limits limits;
    void *memory;
    struct core *core;
    struct outbox out;
    uint64_t seq;
    int64_t ts;
    uint64_t recent[64]; /* order ids seen */
    uint32_t recent_count;
    uint64_t request; /* the latest that awaited a second officer */
    uint64_t trade;   /* the latest */
    uint64_t block;
    uint32_t block_to;
    uint32_t busts;   /* how many there were */
    uint32_t blocks;
    uint64_t spot;     /* the latest auction of hours */
    uint64_t spot_bid;
    uint32_t spots;    /* how many were solved */
    uint32_t bids_cut; /* that a lower position limit cancelled */
    bool spot_limited; /* the product of the auctions has position limits too */
    struct product_limits limited[4]; /* of the first products, as they are */
    uint32_t tokens;   /* how many assets expired */
};

static struct core_limits limits_test(void)
{
    struct core_limits l = core_limits_small();
    l.answer_bytes = 1 << 20;
    l.client_ids = 4096;
    l.requests = 16;
    l.accounts = 24;
    return l;
}

static void world_open(struct world *w)
{
    *w = (struct world){.limits = limits_test(), .ts = INT64_C(1798000000) * NS_PER_SECOND};
    w->memory = aligned_alloc(64, core_bytes(&w->limits));
    memset(w->memory, 0, core_bytes(&w->limits));
    w->core = core_open(&w->limits, w->memory);
    assert_non_null(w->core);
    w->out.capacity = core_outbox_bytes(&w->limits);
    w->out.bytes = malloc(w->out.capacity);
}

static void world_close(struct world *w)
{
    core_close(w->core);
    free(w->memory);
    free(w->out.bytes);
}

static void remember(struct world *w)
{
    const struct event_header *h = NULL;
    while ((h = outbox_next(&w->out, h)) != NULL) {
        const void *e = h;
        if (h->kind == EVENT_trade) w->trade = ((const struct event_trade *)e)->trade_id;
        if (h->kind == EVENT_block) w->block = ((const struct event_block *)e)->deal.id;
        if (h->kind == EVENT_block)
            w->block_to = ((const struct event_block *)e)->deal.counterparty;
        if (h->kind == EVENT_trade_bust) w->busts += 1;
        const struct event_product *p = e;
        if (h->kind == EVENT_product && p->id < 4) w->limited[p->id] = p->terms.limits;
        if (h->kind == EVENT_spot_auction) w->spot = ((const struct event_spot_auction *)e)->id;
        if (h->kind == EVENT_spot_auction)
            w->spots += ((const struct event_spot_auction *)e)->state == SPOT_STATE_done;
        if (h->kind == EVENT_token && ((const struct event_token *)e)->cause == TOKEN_expired)
            w->tokens += 1;
        if (h->kind == EVENT_spot_bid) w->spot_bid = ((const struct event_spot_bid *)e)->id;
        if (h->kind == EVENT_block && ((const struct event_block *)e)->deal.trade_id != 0)
            w->blocks += 1;
        if (h->kind == EVENT_request)
            w->request = ((const struct event_request *)(const void *)h)->request_id;
        if (h->kind != EVENT_order) continue;
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (o->state == ORDER_STATE_open || o->state == ORDER_STATE_untriggered)
            w->recent[w->recent_count++ % 64] = o->order_id;
    }
}

/* GUARD-07: with limits that were set nothing works that could take an owner beyond them. */
static void limits_look(struct world *w, const struct command *c)
{
    const struct event_header *h = NULL;
    if (c->header.kind != COMMAND_limits_set) return;
    while ((h = outbox_next(&w->out, h)) != NULL) {
        if (h->kind == EVENT_reject || h->kind == EVENT_request) return;
        const struct event_spot_bid *b = (const struct event_spot_bid *)(const void *)h;
        if (h->kind == EVENT_spot_bid && b->state == SPOT_BID_cancelled) w->bids_cut += 1;
    }
    struct query q = {.kind = QUERY_large_positions, .product = c->limits_set.product};
    core_query(w->core, &q, &w->out);
    for (h = NULL; (h = outbox_next(&w->out, h)) != NULL;) {
        const struct event_holding *e = (const struct event_holding *)(const void *)h;
        if (h->kind != EVENT_holding) continue;
        int64_t longest = e->net + e->buys, shortest = e->sells - e->net;
        assert_true(e->limit[0] < 0 || e->buys == 0 || longest <= e->limit[0]);
        assert_true(e->limit[1] < 0 || e->sells == 0 || shortest <= e->limit[1]);
    }
}

static void apply(struct world *w, struct command *c)
{
    c->header.seq = ++w->seq;
    c->header.ts = TS(w->ts);
    if (c->header.size == 0) c->header.size = command_size_full((enum command_kind)c->header.kind);
    assert_true(command_is_valid(c, c->header.size));
    core_step(w->core, c, &w->out);
    remember(w);
}

/* Windows that come and go while the commands run: 1798000000 is a Wednesday, 04:26:40. */
static const struct settlement_rules rules_test = {
    .cycles = {{5 * 3600, 5 * 3600 + 1800, 5 * 3600 + 1900}, {16400, 16800, 16900}},
    .flags = SETTLEMENT_RULE_AUTOMATIC};

static const struct delivery_terms delivered = {
    .class = {2026, GRADE_server, "eu"}, .grade_e6 = {E6, E6, E6}, .grade_cap_e6 = E6,
    .margin_seller_e6 = E6, .margin_buyer_e6 = E6, .buy_in_e6 = E6, .buy_in_max_e6 = E6,
    .last_days = 6, .position_days = 5, .notice_days = 4, .margin_days = 3, .canary_days = 1,
    .canary_by = 1, .meter_ns = 1, .sign_ns = 1, .buy_in_ns = 1, .challenge_ns = 1,
    .answer_ns = 1};

static void seed_product(struct world *w, const char *name, uint8_t algorithm, uint32_t flags)
{
    struct command c = {.header.kind = COMMAND_product_create};
    memcpy(c.product_create.name, name, strlen(name));
    c.product_create.algorithm = algorithm;
    c.product_create.flags = flags;
    c.product_create.tick = PRICE(500000);
    c.product_create.contract_size = 1 * E6;
    c.product_create.flat_margin = MONEY(3 * E6);
    c.product_create.margin_model = name[0] == 'A' ? MARGIN_span : MARGIN_flat;
    c.product_create.pro_rata_minimum = QTY(2);
    c.product_create.fifo_share_e6 = 400000;
    c.product_create.protection = PRICE(2 * E6);
    c.product_create.top_maximum = QTY(7);
    c.product_create.peak_start_hour = 14;
    c.product_create.peak_end_hour = 2;
    c.product_create.fee_tier_count = 1;
    c.product_create.settlement_rules = rules_test;
    if (name[0] == 'H') c.product_create.settlement_rules.spot_index = 1; /* INDEX-02 */
    c.product_create.fee_tiers[0] = (struct fee_tier){QTY(0), MONEY(-100), MONEY(300)};
    c.product_create.offbook = (struct product_offbook){
        .block_minimum = QTY(3), .window_ns = 900 * NS_PER_SECOND, .block_range = PRICE(4 * E6),
        .no_bust_range = PRICE(0), .bust_window_ns = 480 * NS_PER_SECOND};
    if (name[0] != 'S' || w->spot_limited) { /* GUARD-07: one leads, another is its micro */
        c.product_create.limits = (struct product_limits){
            .spot_cap = QTY(60), .spot_share_e6 = 250000, .month = QTY(200),
            .all_months = QTY(260), .accountable_month = QTY(40), .spot_days = 20,
            .step_e6 = {E6, E6 / 2, E6 / 4}};
    }
    if (name[0] == 'A') c.product_create.limits = (struct product_limits){.micro_of = 1,
                                                                          .ratio = 10};
    if (name[0] == 'F') { /* delivered; about 1 USD of price and lot in a month (CERT-03) */
        c.product_create.contract_unit = UNIT_hour;
        c.product_create.contract_size = COMPUTE_LOT;
        c.product_create.settlement = SETTLEMENT_physical;
        c.product_create.delivery = delivered;
        c.product_create.supply = (struct supply_terms){.short_share_e6 = 900000,
                                                        .short_margin = PRICE(E6 / 8)};
    }
    if (name[0] == 'S') { /* CONTRACT-01: its quarters become months */
        c.product_create.contract_unit = UNIT_hour;
        c.product_create.contract_size = 458;
        c.product_create.calendar.cascades = 1u << PERIOD_quarter;
        c.product_create.spot = (struct spot_terms){ /* INDEX-01, by command */
            .opens_at = 3600, .closes_at = 7200, .result_within = 3600, .price_min = PRICE(0),
            .price_max = PRICE(99 * E6)};
    }
    apply(w, &c);
}

/* Six outrights, two of each product; then the spreads; then hours that an index looks at. */
enum { OUTRIGHTS = 6, SPREADS = 5, HOURS = 2, INSTRUMENTS = OUTRIGHTS + SPREADS + HOURS };
static const uint32_t spread_legs[SPREADS][2] = {{1, 2}, {1, 3}, {2, 3}, {3, 5}, {4, 1}};
static const int32_t spread_ratios[SPREADS][2] = {{1, -1}, {1, -1}, {1, -1}, {2, -1}, {1, -3}};

static void margin_group(struct command *c, int64_t scan, int64_t charge)
{
    struct command_margin_set *m = &c->margin_set;
    c->header.kind = COMMAND_margin_set;
    m->reason[0] = 'x';
    memcpy(m->group, "GG", 2);
    m->given = MARGIN_GIVEN_products | MARGIN_GIVEN_tiers | MARGIN_GIVEN_spreads;
    m->product_count = m->tier_count = m->spread_count = 1;
    m->products[0] = (struct margin_product){2, 0, 1};
    m->tiers[0].price_scan = MONEY(scan * E6);
    m->spreads[0].charge = MONEY(charge * E6);
}

static void seed_index(struct world *w)
{
    struct command c = {.header.kind = COMMAND_index_create};
    c.index_create = (struct command_index_create){
        .name = "IX", .sources = {5, 6, 7, 8}, .source_count = 4, .minimum = 3,
        .carries_max = 1, .tiers = {INDEX_TIER_spot, INDEX_TIER_submissions,
                                    INDEX_TIER_previous_hour, INDEX_TIER_committee},
        .staleness_ns = NS_PER_HOUR, .delay_ns = NS_PER_SECOND, .deviation_e6 = E6 / 2,
        .spot_sellers = 3, .spot_volume = 1, .spot_share_e6 = E6 / 2};
    apply(w, &c);
    seed_product(w, "HH", ALGORITHM_fifo, 0);
    const char *hours[HOURS] = {"2026D1223H04", "2026D1223H05"};
    for (int i = 0; i < HOURS; i++) {
        c = (struct command){.header.kind = COMMAND_instrument_list};
        c.instrument_list.product = 4;
        memcpy(c.instrument_list.period, hours[i], strlen(hours[i]));
        apply(w, &c);
    }
    c = (struct command){.header.kind = COMMAND_venue_set};
    c.venue_set.flags = VENUE_HAS_MARKS;
    c.venue_set.settings.mark_at[0] = 17000;
    c.venue_set.settings.mark_at[1] = 20000;
    c.venue_set.settings.mark_count = 2;
    apply(w, &c);
}

/* Two certifiers, and acceptance within a minute (CERT-01). */
static void seed_compute(struct world *w)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct command c = {.header.principal = 1};
        if (i < 2) compute_accredit_command(&c, i);
        else compute_settings_command(&c);
        apply(w, &c);
        struct command yes = {.header = {.kind = COMMAND_confirm, .principal = 2}};
        yes.confirm.request = w->request;
        apply(w, &yes);
    }
    struct random r = {1};
    for (uint32_t i = 0; i < 4; i++) { /* resource i + 1 is account i + 5's */
        struct command c = {0};
        compute_certificate_command(&c, &r, w->ts, i + 1, i);
        apply(w, &c);
    }
}

static void seed_world(struct world *w)
{
    const char *names[4] = {"ann", "bob", "cid", "dan"};
    for (uint32_t i = 0; i < 4; i++) {
        struct command c = {.header.kind = COMMAND_account_create};
        memcpy(c.account_create.account, names[i], strlen(names[i]));
        memcpy(c.account_create.member, i < 2 ? "alpha" : "beta", i < 2 ? 5 : 4);
        if (i == 3) c.account_create.mode = MODE_collateralised;
        if (i == 1) c.account_create.origin = ORIGIN_client;
        apply(w, &c);
    }
    seed_product(w, "FF", ALGORITHM_fifo, PRODUCT_FLAG_HAS_PROTECTION | PRODUCT_FLAG_HAS_FLOOR);
    seed_product(w, "AA", ALGORITHM_allocation, PRODUCT_FLAG_TOP | PRODUCT_FLAG_HAS_PROTECTION);
    seed_product(w, "SS", ALGORITHM_split, 0);
    struct command margin = {.header = {.kind = COMMAND_margin_set, .principal = 1}};
    margin_group(&margin, 3, 1);
    apply(w, &margin);
    const char *periods[2][2] = {{"2027M03", "2027M04"}, {"2027Q2", "2027Q3"}};
    for (uint32_t p = 1; p <= 3; p++) {
        for (int i = 0; i < 2; i++) {
            struct command c = {.header.kind = COMMAND_instrument_list};
            c.instrument_list.product = p;
            const char *period = periods[p == 3][i];
            memcpy(c.instrument_list.period, period, strlen(period));
            apply(w, &c);
        }
    }
    for (int i = 0; i < SPREADS; i++) { /* within products and across, rings of four among them */
        struct command s = {.header.kind = COMMAND_spread_list};
        s.spread_list = (struct command_spread_list){
            {spread_legs[i][0], spread_legs[i][1]}, {spread_ratios[i][0], spread_ratios[i][1]}};
        apply(w, &s);
    }
    struct command asset = {.header = {.kind = COMMAND_asset_set, .principal = 1}};
    memcpy(asset.asset_set.terms.name, "CAP", 4);
    memcpy(asset.asset_set.terms.source, "test", 5);
    asset.asset_set.terms.instrument = 1;
    asset.asset_set.terms.price = PRICE(30 * E6);
    apply(w, &asset);
    struct command yes = {.header = {.kind = COMMAND_confirm, .principal = 2}};
    yes.confirm.request = w->request;
    apply(w, &yes);
    struct command calls = {.header.kind = COMMAND_clearing_set};
    calls.clearing_set.flags = (1 << CLEARING_SETTINGS) - 1;
    calls.clearing_set.settings = (struct clearing_settings){
        60 * NS_PER_SECOND, 5 * NS_PER_SECOND, 300000, 5, 20, 200000, 4, 900000, 250000};
    apply(w, &calls);
    for (uint32_t a = 5; a <= 8; a++) {
        struct command c = {.header = {.kind = COMMAND_deposit, .account = a}};
        c.transfer = (struct command_transfer){ASSET_USD, 0, MONEY(5000 * E6)};
        apply(w, &c);
    }
    seed_index(w);
    seed_compute(w);
}

static uint64_t below(struct random *r, uint64_t n) { return random_below(r, n); }

static void random_linked(struct random *r, struct command *c)
{
    struct command_order_new *o = &c->order_new;
    o->link_type = (uint8_t)(1 + below(r, LINK_count - 1));
    o->linked_count = o->link_type == LINK_one_triggers_one_cancels_other ? 2 : 1;
    o->fill_condition = (uint8_t)below(r, FILL_CONDITION_count);
    for (uint32_t i = 0; i < o->linked_count; i++) {
        struct linked_order *l = &o->linked[i];
        l->side = (uint8_t)below(r, 2);
        l->type = below(r, 2) ? ORDER_TYPE_limit : ORDER_TYPE_stop_market;
        l->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_TRIGGER | ORDER_FLAG_HAS_QTY;
        if (below(r, 3) == 0) l->flags |= ORDER_FLAG_REDUCE_ONLY;
        l->price = PRICE((int64_t)(80 + below(r, 40)) * 500000);
        l->trigger = PRICE((int64_t)(80 + below(r, 40)) * 500000);
        l->qty = QTY((int64_t)below(r, 9));
    }
    c->header.size =
        (uint32_t)(COMMAND_ORDER_NEW_TEXT_SIZE + o->linked_count * sizeof o->linked[0]);
}

static void random_order(struct world *w, struct random *r, struct command *c)
{
    (void)w;
    c->header.kind = COMMAND_order_new;
    c->header.account = (uint32_t)(5 + below(r, 4));
    c->header.session = (uint32_t)below(r, 3);
    c->header.size = (uint32_t)COMMAND_ORDER_NEW_BARE_SIZE;
    struct command_order_new *o = &c->order_new;
    o->instrument = (uint32_t)(1 + below(r, INSTRUMENTS));
    o->side = (uint8_t)below(r, 2);
    o->type = below(r, 2) ? ORDER_TYPE_limit : (uint8_t)below(r, ORDER_TYPE_count);
    o->tif = below(r, 2) ? TIF_good_til_cancelled : (uint8_t)below(r, TIF_count);
    o->peg = o->type == ORDER_TYPE_pegged ? (uint8_t)(1 + below(r, 3)) : PEG_none;
    o->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_TRIGGER | ORDER_FLAG_HAS_QTY |
               ORDER_FLAG_HAS_OFFSET;
    if (below(r, 6) == 0) o->flags |= ORDER_FLAG_POST_ONLY;
    if (below(r, 6) == 0) o->flags |= ORDER_FLAG_REDUCE_ONLY;
    if (below(r, 5) == 0) o->flags |= ORDER_FLAG_HAS_MAX_SHOW;
    bool spread = o->instrument > OUTRIGHTS && o->instrument <= OUTRIGHTS + SPREADS;
    o->price = PRICE(((spread ? -15 : 80) + (int64_t)below(r, spread ? 30 : 40)) * 500000);
    o->trigger = PRICE(((spread ? -15 : 80) + (int64_t)below(r, spread ? 30 : 40)) * 500000);
    o->offset = PRICE((int64_t)below(r, 6) * 500000);
    o->qty = QTY((int64_t)below(r, 40));
    o->max_show = QTY((int64_t)below(r, 12));
    if (below(r, 12) == 0) o->min_qty = QTY((int64_t)below(r, 20));
    if (below(r, 3) == 0) o->smp_id = 1 + below(r, 2);
    if (o->smp_id != 0) o->smp_mode = (uint8_t)below(r, SMP_count);
    o->expires_at = TS(w->ts + (int64_t)below(r, 100) * NS_PER_SECOND);
    if (below(r, 8) == 0) random_linked(r, c);
    if (below(r, 8) == 0) {
        if (c->header.size < COMMAND_ORDER_NEW_TEXT_SIZE)
            c->header.size = (uint32_t)COMMAND_ORDER_NEW_TEXT_SIZE;
        o->client_order_id[0] = (char)('a' + below(r, 26));
        o->client_order_id[1] = (char)('a' + below(r, 26));
    }
}

static void random_edit(struct world *w, struct random *r, struct command *c)
{
    c->header.kind = COMMAND_order_edit;
    c->header.account = (uint32_t)(5 + below(r, 4));
    c->order_edit.order_id = w->recent[below(r, 64)];
    if (below(r, 2)) c->order_edit.flags |= ORDER_FLAG_HAS_PRICE;
    if (below(r, 2)) c->order_edit.flags |= ORDER_FLAG_HAS_QTY;
    if (below(r, 4) == 0) c->order_edit.flags |= ORDER_FLAG_HAS_TRIGGER;
    if (below(r, 4) == 0) c->order_edit.flags |= ORDER_FLAG_HAS_MAX_SHOW;
    c->order_edit.price = PRICE((int64_t)(80 + below(r, 40)) * 500000);
    c->order_edit.trigger = PRICE((int64_t)(80 + below(r, 40)) * 500000);
    c->order_edit.qty = QTY((int64_t)below(r, 50));
    c->order_edit.max_show = QTY((int64_t)below(r, 12));
}

static void random_limit(struct world *w, struct random *r, struct command *c)
{
    static const char owners[3][8] = {"", "acme", "ann"};
    switch (below(r, 4)) {
    case 0:
        c->header.kind = COMMAND_limits_set;
        c->limits_set.product = (uint32_t)(1 + below(r, 3));
        c->limits_set.limits = (struct product_limits){
            .spot_cap = QTY((int64_t)(40 + below(r, 40))), .spot_share_e6 = 250000,
            .month = QTY((int64_t)(150 + below(r, 99))),
            .all_months = QTY((int64_t)(200 + below(r, 99))),
            .accountable_month = QTY((int64_t)(1 + below(r, 80))), .spot_days = 20,
            .step_e6 = {E6, E6 / 2, E6 / 4}};
        if (below(r, 2)) { /* the tighter ones need one officer */
            c->limits_set.limits = w->limited[c->limits_set.product];
            c->limits_set.limits.month.v = (int64_t)(1 + below(r, 12));
            c->limits_set.limits.spot_cap.v = c->limits_set.limits.spot_cap.v * 3 / 4 + 1;
        }
        c->limits_set.reason[0] = 'r';
        break;
    case 1:
        c->header.kind = COMMAND_supply_set;
        c->supply_set.product = (uint32_t)(1 + below(r, 3));
        c->supply_set.instrument = (uint32_t)below(r, 8);
        c->supply_set.amount = QTY((int64_t)below(r, 600));
        c->supply_set.reason[0] = below(r, 4) ? 'x' : 0;
        break;
    case 2:
        c->header.kind = COMMAND_owner_set;
        c->header.account = (uint32_t)(5 + below(r, 4));
        memcpy(c->owner_set.owner, owners[below(r, 2)], 4);
        c->owner_set.reason[0] = 'x';
        break;
    default:
        c->header.kind = COMMAND_exemption_set;
        c->exemption_set.kind = (uint32_t)below(r, LIMIT_RECORD_count);
        c->exemption_set.product = (uint32_t)(1 + below(r, 3));
        c->exemption_set.sides = (uint32_t)(1 + below(r, 3));
        c->exemption_set.amount = QTY((int64_t)below(r, 30));
        c->exemption_set.expires_at = TS(w->ts + (int64_t)below(r, 5000) * NS_PER_SECOND);
        c->exemption_set.reason[0] = 'r';
        memcpy(c->exemption_set.owner, owners[1 + below(r, 2)], 4);
        if (c->exemption_set.kind == LIMIT_RECORD_physical) {
            c->exemption_set.sides = LIMIT_SIDE_LONG;
            c->exemption_set.expires_at = TS(0);
        }
        break;
    }
    c->header.principal = 1;
}

static void random_off_book(struct world *w, struct random *r, struct command *c)
{
    c->header.account = (uint32_t)(5 + below(r, 4));
    switch (below(r, 5)) {
    case 0:
    case 1: {
        struct command_block_propose *p = &c->block_propose;
        c->header.kind = COMMAND_block_propose;
        p->instrument = (uint32_t)(1 + below(r, 7));
        p->counterparty = (uint32_t)(5 + below(r, 4));
        p->kind = (uint8_t)below(r, DEAL_count);
        p->side = (uint8_t)below(r, 2);
        p->qty = QTY((int64_t)below(r, 30));
        p->price = PRICE((p->instrument == 7 ? -5 : 40) * E6 + (int64_t)below(r, 40) * 500000);
        p->executed_at = TS(w->ts - (int64_t)below(r, 1000) * NS_PER_SECOND);
        p->reference[0] = 'p';
        break;
    }
    case 2:
    case 3:
        c->header.kind = COMMAND_block_answer;
        c->header.account = w->block_to;
        c->block_answer.block = w->block;
        c->block_answer.accept = below(r, 4) != 0;
        break;
    default:
        c->header.kind = COMMAND_trade_bust;
        c->header.principal = 1;
        c->trade_bust.trade_id = w->trade - below(r, 20);
        c->trade_bust.adjust = (uint32_t)below(r, 2);
        c->trade_bust.reason[0] = 'r';
        break;
    }
}

/* The second officer, for what waits. */
static void random_confirm(struct world *w, struct random *r, struct command *c)
{
    c->header.kind = COMMAND_confirm;
    c->header.principal = 2;
    c->confirm.request = w->request - below(r, 3);
    c->confirm.refuse = below(r, 5) == 0;
}

/* Parameters of SPAN and of flat margin, runs and their results (CLEAR-05, CLEAR-06). */
static void random_margin(struct random *r, struct command *c)
{
    c->header.principal = (uint32_t)(1 + below(r, 2));
    switch (below(r, 6)) {
    case 0: margin_group(c, (int64_t)(2 + below(r, 4)), (int64_t)below(r, 3)); break;
    case 1:
        c->header.kind = COMMAND_margin_flat;
        c->margin_flat.product = (uint32_t)(1 + below(r, 3));
        c->margin_flat.flat_margin = MONEY((int64_t)(2 + below(r, 4)) * E6);
        c->margin_flat.reason[0] = below(r, 4) ? 'x' : 0;
        break;
    case 2:
        c->header.kind = COMMAND_margin_inter;
        c->margin_inter.offset_e6 = 700000 + (int64_t)below(r, 200000);
        c->margin_inter.reason[0] = 'x';
        break;
    case 3:
        c->header.kind = COMMAND_margin_run;
        c->margin_run.run = 1 + below(r, 40);
        c->margin_run.phase = (uint32_t)below(r, MARGIN_RUN_count);
        c->margin_run.count = (uint32_t)below(r, 3);
        break;
    default:
        c->header.kind = COMMAND_margin_result;
        c->margin_result.run = 1 + below(r, 40);
        c->margin_result.count = 1;
        c->margin_result.results[0] = (struct margin_result){
            .account = (uint32_t)(4 + below(r, 6)),
            .total = MONEY(((int64_t)below(r, 900) - 5) * E6)};
        c->header.size = (uint32_t)(sizeof c->header +
                                    offsetof(struct command_margin_result, results) +
                                    sizeof(struct margin_result));
        break;
    }
}

/* Settlement, reference prices and what the clock does (CLEAR-03, INDEX-02). */
static void random_settlement(struct world *w, struct random *r, struct command *c)
{
    int64_t hour = w->ts / NS_PER_HOUR - (int64_t)below(r, 3);
    switch (below(r, 6)) {
    case 0:
        c->header.kind = COMMAND_settle_day;
        c->settle_day = (struct command_settle_day){(uint32_t)(1 + below(r, 3)),
                                                    (uint32_t)below(r, 2)};
        break;
    case 1:
    case 2:
        c->header.kind = COMMAND_index_submit;
        c->header.account = (uint32_t)(5 + below(r, 4));
        c->index_submit = (struct command_index_submit){
            .index = 1, .hour = TS(hour * NS_PER_HOUR), .value = PRICE((int64_t)below(r, 9) * E6)};
        break;
    case 3:
        c->header.kind = COMMAND_index_price;
        c->header.principal = (uint32_t)(1 + below(r, 2));
        c->index_price = (struct command_index_price){
            .index = 1, .hour = TS(hour * NS_PER_HOUR), .value = PRICE(E6)};
        break;
    default: c->header.kind = COMMAND_tick; break;
    }
}

static void random_officer(struct world *w, struct random *r, struct command *c)
{
    switch (below(r, 19)) {
    case 16:
    case 17:
    case 18: random_settlement(w, r, c); break;
    case 14:
    case 15: random_margin(r, c); break;
    case 12:
    case 13: random_confirm(w, r, c); break;
    case 8:
    case 9:
    case 10:
    case 11: random_off_book(w, r, c); break;
    case 5:
    case 6: random_limit(w, r, c); break;
    case 7: random_confirm(w, r, c); break;
    case 0:
        c->header.kind = COMMAND_settlement_price;
        c->settlement_price.instrument = (uint32_t)(1 + below(r, INSTRUMENTS));
        c->settlement_price.price = PRICE((int64_t)(40 + below(r, 20)) * E6 + 123457);
        break;
    case 1: c->header.kind = COMMAND_mark_to_market; break;
    case 2:
        c->header.kind = COMMAND_cancel_many;
        c->header.account = (uint32_t)(5 + below(r, 4));
        c->cancel_many.instrument = (uint32_t)below(r, INSTRUMENTS + 1);
        c->cancel_many.select = below(r, 2) ? CANCEL_SELECT_SIDE : 0;
        break;
    case 3:
        c->header.kind = COMMAND_kill;
        c->kill.account = (uint32_t)(5 + below(r, 4));
        c->kill.on = below(r, 4) == 0;
        break;
    default:
        c->header.kind = below(r, 2) ? COMMAND_deposit : COMMAND_withdraw;
        c->header.account = (uint32_t)(5 + below(r, 4));
        c->transfer = (struct command_transfer){ASSET_USD, 0, MONEY((int64_t)below(r, 900) * E6)};
        break;
    }
}

/* Capacity pledged and released, margins called, an account ported (CLEAR-02, CLEAR-09). */
static void random_clearing(struct random *r, struct command *c)
{
    c->header.account = (uint32_t)(5 + below(r, 4));
    switch (below(r, 8)) {
    case 0:
        c->header.kind = COMMAND_asset_set;
        c->asset_set.asset = 2;
        c->asset_set.terms.price = PRICE((int64_t)below(r, 60) * E6);
        c->asset_set.terms.haircut_e6 = (uint32_t)below(r, SHARE_ONE_E6);
        memcpy(c->asset_set.terms.source, "test", 5);
        memcpy(c->asset_set.reason, "test", 5);
        break;
    case 1:
        c->header.kind = COMMAND_asset_issue;
        c->asset_issue.asset = 2;
        c->asset_issue.amount = (int64_t)below(r, 40) * 1000000000;
        c->asset_issue.retire = below(r, 3) == 0;
        memcpy(c->asset_issue.evidence, "test", 5);
        break;
    case 2: c->header.kind = COMMAND_call_margin; break;
    case 4:
        c->header.kind = COMMAND_collateral_sell;
        c->collateral_sell.asset = 2;
        c->collateral_sell.buyer = (uint32_t)(5 + below(r, 4));
        c->collateral_sell.amount = (int64_t)(1 + below(r, 20)) * 1000000000;
        c->collateral_sell.price = MONEY((int64_t)below(r, 40) * E6);
        memcpy(c->collateral_sell.evidence, "test", 5);
        break;
    case 3:
        c->header.kind = below(r, 2) ? COMMAND_port_accept : COMMAND_port;
        c->port.member = (uint32_t)(2 + below(r, 2));
        break;
    default:
        c->header.kind = COMMAND_pledge;
        c->pledge.asset = 2;
        c->pledge.amount = (int64_t)below(r, 20) * 1000000000;
        c->pledge.release = below(r, 3) == 0;
        break;
    }
}

static uint64_t commands_per_seed(void)
{
    const char *text = getenv("DOJIMA_RANDOM_COMMANDS");
    return text != NULL ? strtoull(text, NULL, 10) : 20000;
}

/* CLEAR-10: a member falls only near the end of a run, or nobody would be left to trade. */
static void random_default(struct world *w, struct random *r, struct command *c)
{
    uint32_t member = (uint32_t)(2 + below(r, 2));
    c->header.account = (uint32_t)(5 + below(r, 4));
    switch (below(r, 8)) {
    case 0:
        c->header.kind = COMMAND_fund_size;
        c->fund_size = (struct command_fund_size){.date = 20822, .basis = (uint32_t)below(r, 2),
                                                  .total = MONEY((int64_t)below(r, 200 * E6))};
        c->fund_size.count = c->fund_size.basis == FUND_BASIS_stress ? 2 : 0;
        for (uint32_t i = 0; i < c->fund_size.count; i++) {
            c->fund_size.shares[i].member = 2 + i;
            c->fund_size.shares[i].stress_loss = MONEY((int64_t)below(r, 100 * E6));
        }
        c->header.size = (uint32_t)(sizeof c->header + offsetof(struct command_fund_size, shares) +
                                    c->fund_size.count * sizeof c->fund_size.shares[0]);
        break;
    case 1:
    case 2:
        c->header.kind = COMMAND_fund_move;
        c->fund_move = (struct command_fund_move){.action = (uint32_t)below(r, FUND_action_count),
                                                  .member = member};
        c->fund_move.amount = MONEY((int64_t)below(r, 300 * E6));
        c->fund_move.skin = MONEY((int64_t)below(r, 200 * E6));
        break;
    case 3:
        c->header.kind = COMMAND_default_step;
        c->default_step.member = member;
        c->default_step.action = (uint32_t)below(r, DEFAULT_action_count);
        break;
    case 4:
        c->header.kind = COMMAND_portfolio_open;
        c->portfolio_open = (struct command_portfolio_open){
            .member = member, .portions = (uint32_t)below(r, 4), .bidders_min = 1};
        c->portfolio_open.deadline = TS(w->ts + (int64_t)below(r, 9) * NS_PER_SECOND);
        break;
    case 5:
        c->header.kind = COMMAND_portfolio_bid;
        c->portfolio_bid.auction = 1 + below(r, 4);
        c->portfolio_bid.portions = (uint32_t)below(r, 4);
        c->portfolio_bid.price = MONEY((int64_t)below(r, 60 * E6) - 30 * E6);
        break;
    case 6:
        c->header.kind = COMMAND_default_hedge;
        c->default_hedge = (struct command_default_hedge){
            .member = member, .instrument = (uint32_t)(1 + below(r, INSTRUMENTS)),
            .side = (uint32_t)below(r, 2), .price = PRICE((int64_t)(80 + below(r, 40)) * 500000),
            .qty = QTY((int64_t)below(r, 9))};
        break;
    default:
        if (w->seq % 4 == 3) {
            c->header.kind = COMMAND_close_out;
            c->header.account = (uint32_t)(1 + w->seq / 4 % 12);
            c->close_out.reason[0] = 'x';
            break;
        }
        if (w->seq < commands_per_seed() * 9 / 10) {
            c->header.kind = COMMAND_tick;
            break;
        }
        c->header.kind = COMMAND_default_declare;
        c->default_declare.member = member;
        c->default_declare.reason[0] = 'x';
    }
}

/* ---- the spot market: auctions of three hours, the same again and again ---- */

static void random_spot_bid(struct world *w, struct random *r, struct command *c)
{
    struct command_spot_bid *b = &c->spot_bid;
    c->header.kind = COMMAND_spot_bid;
    c->header.account = (uint32_t)(5 + below(r, 4));
    b->auction = w->spot;
    b->kind = below(r, 3) == 0 ? SPOT_BID_block : SPOT_BID_step;
    b->side = (uint8_t)below(r, 2);
    b->count = (uint16_t)(1 + below(r, 3));
    if (b->kind == SPOT_BID_block && below(r, 3) == 0) b->parent = w->spot_bid;
    if (below(r, 8) == 0) b->replaces = w->spot_bid;
    for (uint32_t i = 0; i < b->count; i++) {
        b->steps[i] = (struct spot_step){
            .hour = b->kind == SPOT_BID_block ? i : (uint32_t)below(r, 3),
            .price = PRICE((int64_t)(80 + below(r, 40)) * 500000),
            .qty = QTY((int64_t)(1 + below(r, 6)))};
    }
    if (below(r, 30) == 0) b->steps[0].price.v += 1;
    if (below(r, 30) == 0) b->steps[0].hour = 3;
    c->header.size = (uint32_t)(sizeof c->header + offsetof(struct command_spot_bid, steps) +
                                b->count * sizeof b->steps[0]);
}

/* The blocks at random, whatever they lose; a field wrong now and then. */
static void random_spot_result(struct world *w, struct random *r, struct command *c)
{
    static struct naive_book book;
    uint64_t waiting = naive_waiting(w->core, &w->out);
    c->header.kind = COMMAND_spot_result;
    c->spot_result.auction = w->spot;
    if (waiting == 0 || !naive_read(w->core, waiting, 500000, &w->out, &book)) return;
    uint64_t blocks = below(r, 2) ? 0 : random_next(r) & random_next(r);
    if (!naive_result(&book, blocks, &c->spot_result)) return;
    if (below(r, 10) == 0) c->spot_result.prices[below(r, 4)].v += 500000;
    if (below(r, 10) == 0) c->spot_result.surplus.low += 1;
    if (below(r, 10) == 0) c->spot_result.accepted[below(r, 128)] ^= 1;
}

static void random_spot(struct world *w, struct random *r, struct command *c)
{
    uint64_t waiting = naive_waiting(w->core, &w->out), dice = below(r, 40);
    if (waiting != 0 && dice < 20) {
        random_spot_result(w, r, c);
    } else if (dice == 0) {
        c->header.kind = COMMAND_spot_open;
        c->spot_open = (struct command_spot_open){
            .product = 3, .hours = 3, .start = TS(INT64_C(1798200000) / 3600 * NS_PER_HOUR),
            .closes = TS(w->ts + (int64_t)(20 + below(r, 900)) * NS_PER_SECOND)};
        c->spot_open.deadline = TS(c->spot_open.closes.v + 300 * NS_PER_SECOND);
    } else if (dice < 5) {
        c->header.kind = COMMAND_spot_cancel;
        c->header.account = (uint32_t)(5 + below(r, 4));
        c->spot_cancel.auction = w->spot;
        c->spot_cancel.bid = below(r, 4) == 0 ? 0 : w->spot_bid;
    } else {
        random_spot_bid(w, r, c);
    }
}

static void random_command(struct world *w, struct random *r, struct command *c)
{
    memset(c, 0, sizeof *c);
    w->ts += (int64_t)below(r, 3) * NS_PER_SECOND;
    uint64_t dice = below(r, 100);
    if (below(r, 1000) == 0) { /* CONTRACT-01 */
        c->header.kind = COMMAND_expire;
        c->expire.instrument = (uint32_t)(OUTRIGHTS - below(r, 2));
    } else if (below(r, 12) == 0) { /* INDEX-01 */
        random_spot(w, r, c);
    } else if (below(r, 12) == 0) { /* CERT, UNIT-02 */
        compute_random_command(c, r, w->ts, w->seq + 1);
    } else if (dice < 70) {
        random_order(w, r, c);
    } else if (dice < 80) {
        random_edit(w, r, c);
    } else if (dice < 90) {
        c->header.kind = COMMAND_order_cancel;
        c->header.account = (uint32_t)(5 + below(r, 4));
        c->order_cancel.order_id = w->recent[below(r, 64)];
    } else if (dice < 94) {
        c->header.kind = COMMAND_state_set;
        c->state_set.product = (uint32_t)(1 + below(r, 4));
        c->state_set.state = below(r, 3) ? STATE_open : (uint32_t)below(r, STATE_count);
    } else if (dice < 95) {
        c->header.kind = COMMAND_mass_quote;
        c->header.account = (uint32_t)(5 + below(r, 4));
        c->mass_quote.count = 1;
        c->mass_quote.quotes[0] = (struct quote){
            .instrument = (uint32_t)(1 + below(r, INSTRUMENTS)), .bid_price = PRICE(45 * E6),
            .bid_qty = QTY((int64_t)below(r, 9)), .ask_price = PRICE(55 * E6),
            .ask_qty = QTY((int64_t)below(r, 9))};
        c->header.size = (uint32_t)(sizeof c->header + offsetof(struct command_mass_quote, quotes) +
                                    sizeof(struct quote));
    } else if (dice < 97) {
        if (below(r, 5) == 0) random_default(w, r, c);
        else random_officer(w, r, c);
    } else if (dice < 99) {
        random_clearing(r, c);
    } else if (w->request != 0) {
        random_confirm(w, r, c);
    } else {
        random_officer(w, r, c);
    }
}

static uint64_t run_seed(uint64_t seed, bool check, uint64_t *trades, uint32_t *seen)
{
    struct world w;
    struct random r = {seed};
    static struct command c;
    world_open(&w);
    w.spot_limited = seed % 2 == 0;
    seed_world(&w);
    for (uint64_t i = 0, n = commands_per_seed(); i < n; i++) {
        random_command(&w, &r, &c);
        apply(&w, &c);
        if (check) core_check(w.core);
        if (check) limits_look(&w, &c);
    }
    struct query q = {.kind = QUERY_hash};
    core_query(w.core, &q, &w.out);
    const struct event_hash *h = (const struct event_hash *)(const void *)w.out.bytes;
    if (seen != NULL)
        *seen |= (w.busts > 0) | (w.blocks > 0) << 1 | (w.spots > 0) << 2 | (w.tokens > 0) << 3 |
                 (w.bids_cut > 0) << 4;
    *trades = h->trades;
    uint64_t hash = h->hash;
    world_close(&w);
    return hash;
}

static void test_invariants_hold_after_every_command(void **state)
{
    (void)state;
    uint32_t seen = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        uint64_t trades = 0;
        (void)run_seed(seed, true, &trades, &seen);
        assert_true(trades > commands_per_seed() / 100); /* the world really trades */
    }
    /* Trades were busted, blocks registered, auctions solved, tokens expired, spot bids cut. */
    assert_int_equal(seen, 31);
}

static void test_same_commands_same_hash(void **state)
{
    (void)state;
    uint64_t trades;
    assert_int_equal(run_seed(77, false, &trades, NULL), run_seed(77, false, &trades, NULL));
    assert_int_not_equal(run_seed(77, false, &trades, NULL), run_seed(78, false, &trades, NULL));
}

static void test_copied_block_goes_on_alike(void **state)
{
    (void)state;
    struct world w, copy;
    struct random r = {5};
    static struct command c;
    world_open(&w);
    seed_world(&w);
    for (int i = 0; i < 3000; i++) {
        random_command(&w, &r, &c);
        apply(&w, &c);
    }
    copy = w;
    size_t bytes;
    const void *image = core_image(w.core, &bytes);
    copy.memory = aligned_alloc(64, bytes);
    memcpy(copy.memory, image, bytes);
    copy.core = core_open(&copy.limits, copy.memory);
    assert_non_null(copy.core);
    copy.out.bytes = malloc(copy.out.capacity);
    assert_int_equal(core_hash(w.core), core_hash(copy.core));
    for (int i = 0; i < 3000; i++) {
        random_command(&w, &r, &c);
        apply(&w, &c);
        copy.ts = w.ts;
        apply(&copy, &c);
        assert_int_equal(w.out.used, copy.out.used);
        assert_memory_equal(w.out.bytes, copy.out.bytes, w.out.used);
    }
    assert_int_equal(core_hash(w.core), core_hash(copy.core));
    world_close(&w);
    world_close(&copy);
}

static void test_block_of_other_limits_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct core_limits other = w.limits;
    other.orders -= 1;
    assert_null(core_open(&other, w.memory));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants_hold_after_every_command),
        cmocka_unit_test(test_same_commands_same_hash),
        cmocka_unit_test(test_copied_block_goes_on_alike),
        cmocka_unit_test(test_block_of_other_limits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
