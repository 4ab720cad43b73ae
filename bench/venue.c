/* venue.c: see venue.h. */
#include "venue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void venue_fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

struct core_limits venue_limits(uint32_t accounts, uint32_t instruments, uint32_t orders,
                                uint32_t levels)
{
    struct core_limits l = core_limits_default();
    l.members = 64;
    l.accounts = accounts + 16;
    l.balances = accounts + 64;
    l.instruments = instruments + 1;
    uint64_t pairs = (uint64_t)(accounts + 16) * instruments;
    l.exposures = (uint32_t)(pairs < (1u << 20) ? pairs : 1u << 20);
    l.orders = orders;
    l.orders_closed = 1024;
    l.levels = levels;
    l.client_ids = 1024;
    l.answer_bytes = 1 << 20;
    l.trades = 4096;
    l.postings = 4096;
    l.settlements = 1024;
    return l;
}

/* Pages are touched here, so that no measured command meets a new one. */
static void *memory_take(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) venue_fail("not enough memory");
    (void)madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static void touch(void *memory, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 4096) ((volatile unsigned char *)memory)[i] = 0;
}

static void apply(struct venue *v, struct command *c)
{
    c->header.size = command_size_full((enum command_kind)c->header.kind);
    if (!command_is_valid(c, c->header.size)) venue_fail("an invalid command");
    venue_step(v, c);
    const struct event_header *h = NULL;
    while ((h = outbox_next(&v->out, h)) != NULL) {
        if (h->kind != EVENT_reject) continue;
        const struct event_reject *r = (const struct event_reject *)(const void *)h;
        fprintf(stderr, "bench: command %u rejected: %u\n", r->command, r->reason);
        exit(1);
    }
}

static void open_accounts(struct venue *v, const struct venue_terms *t)
{
    for (uint32_t i = 0; i < t->accounts; i++) {
        struct command c = {.header.kind = COMMAND_account_create};
        snprintf(c.account_create.account, ACCOUNT_NAME_SIZE, "account%u", i);
        snprintf(c.account_create.member, MEMBER_NAME_SIZE, "member%u", i % 50);
        apply(v, &c);
        const struct event_header *h = NULL;
        uint32_t id = 0;
        while ((h = outbox_next(&v->out, h)) != NULL) {
            if (h->kind == EVENT_account) id = ((const struct event_account *)(const void *)h)->id;
        }
        if (i == 0) v->account_first = id;
        if (id != v->account_first + i) venue_fail("account ids are not dense");
        struct command d = {.header.kind = COMMAND_deposit, .header.account = id};
        d.transfer.asset = ASSET_USD;
        d.transfer.amount = MONEY(t->cash * E6);
        apply(v, &d);
    }
}

/* Tiers of a week, each pair of them and each by itself charged; the first is the spot month. */
static void open_margin(struct venue *v)
{
    const ts_t first = TS(INT64_C(1798761600) * NS_PER_SECOND); /* 2027-01-01 */
    struct command c = {.header.kind = COMMAND_margin_set};
    struct command_margin_set *m = &c.margin_set;
    memcpy(m->group, "BENCH", 6);
    m->given = MARGIN_GIVEN_products | MARGIN_GIVEN_tiers | MARGIN_GIVEN_spreads;
    m->product_count = 1;
    m->products[0] = (struct margin_product){.product = 1, .delta_scale = 1};
    m->tier_count = 3;
    for (int64_t i = 0; i < 3; i++) {
        m->tiers[i] = (struct margin_tier){.start = TS(first.v + i * 7 * NS_PER_DAY),
                                           .price_scan = MONEY((5 - i) * E6)};
    }
    m->tiers[0].spot_spread = MONEY(E6 / 20);
    m->tiers[0].spot_outright = MONEY(E6 / 10);
    for (uint32_t a = 0; a < 3; a++) {
        for (uint32_t b = a; b < 3; b++) {
            m->spreads[m->spread_count++] =
                (struct margin_spread){a, b, MONEY(E6 / 5 + (int64_t)(b - a) * E6 / 4)};
        }
    }
    apply(v, &c);
}

static void open_product(struct venue *v, const struct venue_terms *t)
{
    struct command c = {.header.kind = COMMAND_product_create};
    memcpy(c.product_create.name, "BENCH", 6);
    c.product_create.flags = t->product_flags;
    c.product_create.algorithm = ALGORITHM_fifo;
    c.product_create.tick = PRICE(t->tick);
    c.product_create.contract_size = E6;
    c.product_create.flat_margin = MONEY(t->flat_margin);
    c.product_create.margin_model = t->span ? MARGIN_span : MARGIN_flat;
    if (t->quarters) {
        c.product_create.contract_unit = UNIT_hour;
        c.product_create.contract_size = E6 / 2184; /* about as much a lot as a day's */
        c.product_create.calendar.cascades = 1u << PERIOD_quarter;
    }
    apply(v, &c);
    for (uint32_t i = 0; i < t->instruments; i++) { /* days, from 2027-01-01 on */
        uint32_t year = 2027 + i / 336, month = i / 28 % 12;
        struct command l = {.header.kind = COMMAND_instrument_list};
        char *period = l.instrument_list.period;
        l.instrument_list.product = 1;
        if (t->quarters) snprintf(period, PERIOD_NAME_SIZE, "%uQ%u", 2030 + i / 4, i % 4 + 1);
        else snprintf(period, PERIOD_NAME_SIZE, "%uD%02u%02u", year, month + 1, i % 28 + 1);
        apply(v, &l);
    }
    if (t->span) open_margin(v);
    struct command s = {.header.kind = COMMAND_state_set};
    s.state_set.product = 1;
    s.state_set.state = STATE_open;
    apply(v, &s);
}

void venue_open(struct venue *v, const struct core_limits *limits, const struct venue_terms *t)
{
    /* 2026-12-01: before the first delivery day. */
    *v = (struct venue){.limits = *limits, .ts = INT64_C(1796083200) * NS_PER_SECOND,
                        .accounts = t->accounts, .instruments = t->instruments};
    v->bytes = core_bytes(limits);
    v->memory = memory_take(v->bytes);
    touch(v->memory, v->bytes);
    v->core = core_open(limits, v->memory);
    v->out.capacity = core_outbox_bytes(limits);
    v->out.bytes = memory_take(v->out.capacity);
    if (v->core == NULL) venue_fail("core_open failed");
    touch(v->out.bytes, 1 << 20);
    open_accounts(v, t);
    open_product(v, t);
    v->create.header.kind = COMMAND_order_new;
    v->create.header.size = COMMAND_ORDER_NEW_BARE_SIZE;
    v->create.order_new.instrument = 1;
    v->create.order_new.flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    v->create.order_new.type = ORDER_TYPE_limit;
    v->create.order_new.tif = TIF_good_til_cancelled;
    v->cancel.header.kind = COMMAND_order_cancel;
    v->cancel.header.size = command_size_full(COMMAND_order_cancel);
    v->edit.header.kind = COMMAND_order_edit;
    v->edit.header.size = command_size_full(COMMAND_order_edit);
    v->edit.order_edit.flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
}

void venue_close(struct venue *v)
{
    core_close(v->core);
    munmap(v->memory, v->bytes);
    munmap(v->out.bytes, v->out.capacity);
}
