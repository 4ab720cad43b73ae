/* demo_seed.c: what the demonstration needs to exist: contracts, accounts and their money.
 *
 * Whatever the venue's configuration has listed is used; contracts are listed here only where there
 * are none at all. What exists already is left as it is, so that a restart goes on.
 */
#include "node/demo_internal.h"

#include <stdio.h>
#include <string.h>

#define MONEY_PARTICIPANT (INT64_C(5000000000) * E6)
#define MONEY_GUEST (INT64_C(1000000) * E6)
#define BASE_HOUR INT64_C(2000000)  /* USD a CT, 10^-6 */
#define BASE_OTHER INT64_C(2300000) /* USD a GPU-hour */

/* How dear compute is in a month, in thousandths. */
static const int64_t month_season[12] = {985, 1000, 1030, 1010, 1000, 1015,
                                         990, 970, 1020, 1030, 1045, 1005};
enum { PEAK_PER_MILLE = 1120, OFF_PEAK_PER_MILLE = 933, WEEKEND_PER_MILLE = 955,
       PHYSICAL_PER_MILLE = 1004, OBSOLESCENCE_PER_MILLE = 8 };

struct civil { int64_t year; int month; int day; };

/* The UTC date of a time (days_from_civil backwards; proleptic Gregorian, from March on). */
static struct civil civil_of(ts_t t)
{
    int64_t z = int64_div_floor(t.v, NS_PER_DAY) + 719468;
    int64_t era = int64_div_floor(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct civil c = {.day = (int)(doy - (153 * mp + 2) / 5 + 1),
                      .month = (int)(mp < 10 ? mp + 3 : mp - 9)};
    c.year = yoe + era * 400 + (c.month <= 2 ? 1 : 0);
    return c;
}

/* Seasonality by the months that the period covers, less the obsolescence until then. */
int64_t demo_mean(const struct demo_product *p, const struct event_instrument *i, ts_t now)
{
    int64_t base = p->contract_unit == UNIT_hour ? BASE_HOUR : BASE_OTHER;
    struct civil today = civil_of(now);
    int64_t sum = 0;
    int64_t count = 0;
    for (ts_t t = i->start; t.v < i->end.v || count == 0; t.v += 15 * NS_PER_DAY) {
        struct civil c = civil_of(t);
        int64_t months = (c.year - today.year) * 12 + c.month - today.month;
        if (months < 0) months = 0;
        sum += month_season[c.month - 1] * (1000 - int64_min(months, 60) * OBSOLESCENCE_PER_MILLE);
        count += 1;
    }
    int64_t mean = base * (sum / count) / 1000000;
    if (i->block == BLOCK_peak) mean = mean * PEAK_PER_MILLE / 1000;
    if (i->block == BLOCK_off_peak) mean = mean * OFF_PEAK_PER_MILLE / 1000;
    if (p->settlement == SETTLEMENT_physical) mean = mean * PHYSICAL_PER_MILLE / 1000;
    int64_t weekday = (int64_div_floor(i->start.v, NS_PER_DAY) + 4) % 7; /* 0: Sunday */
    bool day = i->period == PERIOD_day || i->period == PERIOD_hour;
    if (day && (weekday == 0 || weekday == 6)) mean = mean * WEEKEND_PER_MILLE / 1000;
    return mean;
}

/* How often an instrument is acted on while its product trades. */
static uint32_t weight_of(const struct event_instrument *i, const struct demo_product *p, ts_t now)
{
    bool large = p->contract_unit != UNIT_hour || p->contract_size >= 10 * E6;
    if (i->is_spread != 0) return large ? 2 : 1;
    uint32_t weight = 1;
    if (i->period == PERIOD_month && i->block == BLOCK_base) {
        int64_t ahead = (i->start.v - now.v) / NS_PER_DAY;
        weight = ahead < 120 ? 20 : 4;
    } else if (i->period == PERIOD_quarter || i->period == PERIOD_year) {
        weight = 3;
    } else if (i->block != BLOCK_base || i->period == PERIOD_week) {
        weight = 2;
    }
    return large ? weight * 2 : weight;
}

static void note_product(struct demo *d, const struct event_product *e)
{
    if (e->id >= DEMO_PRODUCTS_MAX) return;
    d->products[e->id] = (struct demo_product){
        .id = e->id, .state = e->state, .flags = e->terms.flags,
        .contract_unit = e->terms.contract_unit, .settlement = e->terms.settlement,
        .contract_size = e->terms.contract_size, .floor = e->terms.floor};
}

static void note_instrument(struct demo *d, const struct event_instrument *e, ts_t now)
{
    if (e->product == 0 || e->product >= DEMO_PRODUCTS_MAX) return;
    struct demo_instrument *i = demo_find(d, e->id);
    bool dead = e->expired != 0 || e->expires_at.v <= now.v;
    if (i == NULL) {
        if (dead || d->instrument_count == DEMO_INSTRUMENTS_MAX) return;
        i = &d->instruments[d->instrument_count++];
        *i = (struct demo_instrument){.id = e->id, .product = e->product, .tick = e->tick};
    }
    const struct demo_product *p = &d->products[e->product];
    bool trades = p->state == STATE_open || p->state == STATE_auction ||
                  p->state == STATE_pre_open;
    if (e->is_spread != 0) memcpy(i->legs, e->legs, sizeof i->legs);
    i->mean = e->is_spread != 0 ? 0 : demo_mean(p, e, now);
    i->lots = p->contract_unit == UNIT_hour && p->contract_size < 10 * E6 ? 5 : 1;
    i->weight = trades && !dead ? weight_of(e, p, now) : 0;
}

static void participant_name(uint32_t number, char name[ACCOUNT_NAME_SIZE])
{
    const char *kind = "maker";
    if (number >= DEMO_MAKERS) {
        kind = "fund";
        number -= DEMO_MAKERS;
        if (number >= DEMO_FUNDS) {
            kind = "flow";
            number -= DEMO_FUNDS;
        }
    }
    memset(name, 0, ACCOUNT_NAME_SIZE);
    snprintf(name, ACCOUNT_NAME_SIZE, "demo-%s-%u", kind, number + 1);
}

static void note_account(struct demo *d, const struct event_account *e)
{
    char name[ACCOUNT_NAME_SIZE];
    for (uint32_t n = 0; n < DEMO_PARTICIPANTS; n++) {
        participant_name(n, name);
        if (strcmp(name, e->name) == 0) d->accounts[n] = e->id;
    }
    if (strcmp(e->name, DEMO_GUEST) == 0) d->guest = e->id;
}

/* Reads the directory again: what was listed, expired, opened or halted since. */
int demo_refresh(struct demo *d)
{
    ts_t now = d->venue->now(d->venue->context);
    struct query q = {.kind = QUERY_directory, .now = now};
    const struct outbox *events = NULL;
    d->venue->query(d->venue->context, &q, &events);
    if (events == NULL) return -1;
    const struct event_header *e = NULL;
    while ((e = outbox_next(events, e)) != NULL) {
        if (e->kind == EVENT_product) note_product(d, (const void *)e);
        if (e->kind == EVENT_account) note_account(d, (const void *)e);
        if (e->kind == EVENT_index) demo_index_note(d, (const void *)e);
    }
    while ((e = outbox_next(events, e)) != NULL) {
        if (e->kind == EVENT_instrument) note_instrument(d, (const void *)e, now);
    }
    d->weight_sum = 0;
    for (uint32_t k = 0; k < d->instrument_count; k++) d->weight_sum += d->instruments[k].weight;
    d->refreshed = now;
    return 0;
}

static int officer(struct demo *d, struct command *c, const struct outbox **events)
{
    c->header.principal = DEMO_OFFICER_FIRST;
    return demo_submit(d, c, events);
}

/* The id in the first event of a kind that makes something; 0: it was refused. */
static uint32_t made(const struct outbox *events, enum event_kind kind)
{
    const struct event_header *e = NULL;
    while ((e = outbox_next(events, e)) != NULL) {
        if (e->kind != kind) continue;
        if (kind == EVENT_product) return ((const struct event_product *)(const void *)e)->id;
        return ((const struct event_instrument *)(const void *)e)->id;
    }
    return 0;
}

/* Position limits a hundred times the shipped ones: ten makers stand for a whole market here. */
#define LIMIT_SPOT 60000

/* Terms beyond price and margin, as config/dojima.json has them (GUARD-07, MATCH-10, MATCH-11,
 * CLEAR-03): docs/operations.md says why. */
static void product_rules(struct command_product_create *p, uint32_t index)
{
    p->limits = (struct product_limits){
        .spot_cap = QTY(LIMIT_SPOT), .spot_share_e6 = E6 / 4, .spot_days = 3,
        .step_e6 = {E6, E6 / 2, E6 / 4}, .month = QTY(6 * LIMIT_SPOT),
        .all_months = QTY(12 * LIMIT_SPOT), .accountable_month = QTY(3 * LIMIT_SPOT),
        .accountable_all = QTY(6 * LIMIT_SPOT)};
    p->offbook = (struct product_offbook){
        .block_minimum = QTY(50), .window_ns = 15 * 60 * NS_PER_SECOND, .block_range = PRICE(50000),
        .no_bust_range = PRICE(100000), .bust_window_ns = 8 * 60 * NS_PER_SECOND};
    const uint32_t start = (14 * 60 + 28) * 60, end = start + 120;
    p->settlement_rules = (struct settlement_rules){
        .cycles = {{start, end, end}}, .flags = SETTLEMENT_RULE_AUTOMATIC,
        .index = p->settlement == SETTLEMENT_cash ? index : 0};
    const struct last_trading days = {LAST_TRADING_business_days, 8, end};
    const struct last_trading quarters = {LAST_TRADING_business_days, 3, end};
    const struct last_trading last = {LAST_TRADING_last_business, 0, end};
    bool cash = p->settlement == SETTLEMENT_cash; /* CONTRACT-01 */
    p->calendar.last[PERIOD_quarter] = quarters;
    p->calendar.last[PERIOD_month] = cash ? last : days;
    p->calendar.last[PERIOD_day] = (struct last_trading){LAST_TRADING_days, 6, 12 * 3600};
    p->calendar.cascades = 1u << PERIOD_quarter | (cash ? 0 : 1u << PERIOD_month);
}

static int list_product(struct demo *d, const char *name, enum settlement_kind settlement,
                        uint32_t *id)
{
    struct command c;
    demo_command(&c, COMMAND_product_create, 0);
    struct command_product_create *p = &c.product_create;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->flags = PRODUCT_FLAG_HAS_FLOOR | PRODUCT_FLAG_HAS_BAND | PRODUCT_FLAG_HAS_PROTECTION;
    p->settlement = (uint8_t)settlement;
    p->contract_unit = UNIT_hour;
    p->peak_start_hour = 14;
    p->peak_end_hour = 2;
    p->tick = PRICE(1000);
    p->contract_size = 10 * E6;
    p->band = PRICE(500000);
    p->protection = PRICE(50000);
    p->flat_margin = MONEY(2500 * E6);
    p->clearing_fee = MONEY(250000);
    p->fee_tier_count = 1;
    static const int64_t guards[GUARD_TERMS] = {
        [GUARD_minimum_ticks] = 20, [GUARD_breaker_percent] = 50000,
        [GUARD_breaker_window_minutes] = NS_PER_HOUR, [GUARD_halt_seconds] = 120 * NS_PER_SECOND,
        [GUARD_velocity_ticks] = 100, [GUARD_velocity_milliseconds] = NS_PER_SECOND,
        [GUARD_limit_percent] = 150000, [GUARD_limit_percent_2] = 225000,
        [GUARD_limit_percent_3] = 300000, [GUARD_limit_halt_seconds] = 300 * NS_PER_SECOND,
        [GUARD_auction_seconds] = 30 * NS_PER_SECOND,
        [GUARD_auction_random_seconds] = 30 * NS_PER_SECOND};
    memcpy(p->guards.v, guards, sizeof guards);
    product_rules(p, d->index.id);
    p->fee_tiers[0] = (struct fee_tier){.maker = MONEY(250000), .taker = MONEY(500000)};
    const struct outbox *events = NULL;
    int rc = officer(d, &c, &events);
    if (rc == 0) *id = made(events, EVENT_product);
    return rc;
}

static int list_period(struct demo *d, uint32_t product, const char *period, uint32_t *id)
{
    struct command c;
    demo_command(&c, COMMAND_instrument_list, 0);
    c.instrument_list.product = product;
    snprintf(c.instrument_list.period, sizeof c.instrument_list.period, "%s", period);
    const struct outbox *events = NULL;
    int rc = officer(d, &c, &events);
    if (rc == 0) *id = made(events, EVENT_instrument);
    return rc;
}

static int list_spread(struct demo *d, uint32_t first, uint32_t second)
{
    struct command c;
    demo_command(&c, COMMAND_spread_list, 0);
    c.spread_list = (struct command_spread_list){.legs = {first, second}, .ratios = {1, -1}};
    const struct outbox *events = NULL;
    return officer(d, &c, &events);
}

/* Six months, two quarters, a year, and the spreads between neighbouring months. */
static int list_contracts(struct demo *d, const char *name, enum settlement_kind settlement,
                          ts_t now)
{
    uint32_t product = 0;
    int rc = list_product(d, name, settlement, &product);
    if (rc < 0 || product == 0) return rc;
    struct civil today = civil_of(now);
    int64_t month = today.year * 12 + today.month; /* the next one, counted from 0 */
    uint32_t before = 0;
    char period[PERIOD_NAME_SIZE];
    for (int64_t m = month; rc == 0 && m < month + 6; m++) {
        uint32_t id = 0;
        snprintf(period, sizeof period, "%04dM%02d", (int)(m / 12), (int)(m % 12) + 1);
        rc = list_period(d, product, period, &id);
        if (rc == 0 && before != 0 && id != 0) rc = list_spread(d, before, id);
        before = id;
    }
    int64_t quarter = month / 3 + 1;
    for (int64_t q = quarter; rc == 0 && q < quarter + 2; q++) {
        uint32_t id = 0;
        snprintf(period, sizeof period, "%04dQ%d", (int)(q / 4), (int)(q % 4) + 1);
        rc = list_period(d, product, period, &id);
    }
    return rc;
}

/* A deposit by one officer, confirmed by another where the venue asks for that (CLEAR-13). */
static int deposit(struct demo *d, uint32_t account, int64_t amount)
{
    struct command c;
    demo_command(&c, COMMAND_deposit, account);
    c.transfer = (struct command_transfer){.asset = ASSET_USD, .amount = MONEY(amount)};
    const struct outbox *events = NULL;
    int rc = officer(d, &c, &events);
    if (rc < 0) return rc;
    const struct event_header *e = NULL;
    while ((e = outbox_next(events, e)) != NULL) {
        const struct event_request *r = (const struct event_request *)(const void *)e;
        if (e->kind != EVENT_request || r->status != REQUEST_awaiting) continue;
        demo_command(&c, COMMAND_confirm, 0);
        c.confirm.request = r->request_id;
        c.header.principal = DEMO_OFFICER_SECOND;
        return demo_submit(d, &c, &events);
    }
    return 0;
}

static int create_account(struct demo *d, const char *name, int64_t money, uint32_t *id)
{
    struct command c;
    demo_command(&c, COMMAND_account_create, 0);
    snprintf(c.account_create.account, sizeof c.account_create.account, "%s", name);
    snprintf(c.account_create.member, sizeof c.account_create.member, "%s", name);
    const struct outbox *events = NULL;
    int rc = officer(d, &c, &events);
    if (rc < 0) return rc;
    const struct event_header *e = NULL;
    while ((e = outbox_next(events, e)) != NULL) {
        const struct event_account *a = (const struct event_account *)(const void *)e;
        if (e->kind == EVENT_account && strcmp(a->name, name) == 0) *id = a->id;
    }
    return *id == 0 ? 0 : deposit(d, *id, money);
}

int demo_seed(struct demo *d, ts_t now)
{
    int rc = demo_refresh(d);
    char name[ACCOUNT_NAME_SIZE];
    for (uint32_t n = 0; rc == 0 && n < DEMO_PARTICIPANTS; n++) {
        if (d->accounts[n] != 0) continue;
        participant_name(n, name);
        rc = create_account(d, name, MONEY_PARTICIPANT, &d->accounts[n]);
    }
    if (rc == 0 && d->guest == 0) rc = create_account(d, DEMO_GUEST, MONEY_GUEST, &d->guest);
    if (rc == 0 && d->instrument_count == 0) {
        rc = demo_index_create(d);
        if (rc == 0) rc = list_contracts(d, "CTF", SETTLEMENT_cash, now);
        if (rc == 0) rc = list_contracts(d, "CTP", SETTLEMENT_physical, now);
    }
    return rc == 0 ? demo_refresh(d) : rc;
}
