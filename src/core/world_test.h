/* world_test.h: a small venue for the tests of the clearing half: commands in, the first refusal or
 * none out, every invariant asserted after every command.
 */
#ifndef DOJIMA_CORE_WORLD_TEST_H
#define DOJIMA_CORE_WORLD_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/ledger.h"
#include "core/margin.h"

struct world {
    struct core *c;
    void *memory;
    struct outbox out;
    uint64_t seq;
    ts_t ts;
    uint32_t principal;
    uint32_t check_every; /* commands between checks of the whole state; 0: never */
};

static inline struct world world_open(const struct core_limits *limits)
{
    struct world w = {.ts = TS(INT64_C(20822) * NS_PER_DAY), .principal = 1, .check_every = 1};
    w.memory = aligned_alloc(64, core_bytes(limits));
    assert_non_null(w.memory);
    memset(w.memory, 0, core_bytes(limits));
    w.c = core_open(limits, w.memory);
    assert_non_null(w.c);
    w.out.capacity = core_outbox_bytes(limits);
    w.out.bytes = malloc(w.out.capacity);
    assert_non_null(w.out.bytes);
    return w;
}

static inline void world_close(struct world *w)
{
    core_close(w->c);
    free(w->memory);
    free(w->out.bytes);
}

/* The first event of this kind among the last command's; NULL: none. */
static inline const void *world_event(const struct world *w, enum event_kind kind)
{
    const struct event_header *e = NULL;
    while ((e = outbox_next(&w->out, e)) != NULL) {
        if (e->kind == kind) return e;
    }
    return NULL;
}

static inline uint32_t world_count(const struct world *w, enum event_kind kind)
{
    uint32_t count = 0;
    const struct event_header *e = NULL;
    while ((e = outbox_next(&w->out, e)) != NULL) count += e->kind == kind ? 1 : 0;
    return count;
}

static inline enum reject world_step(struct world *w, struct command *cmd, enum command_kind kind,
                                     uint32_t account)
{
    cmd->header.kind = (uint16_t)kind;
    cmd->header.size = command_size_full(kind);
    if (kind == COMMAND_order_new) cmd->header.size = COMMAND_ORDER_NEW_TEXT_SIZE;
    if (kind == COMMAND_spot_bid)
        cmd->header.size = (uint32_t)(sizeof cmd->header +
                                      offsetof(struct command_spot_bid, steps) +
                                      cmd->spot_bid.count * sizeof cmd->spot_bid.steps[0]);
    cmd->header.seq = ++w->seq;
    cmd->header.ts = w->ts;
    cmd->header.account = account;
    cmd->header.principal = w->principal;
    assert_true(command_is_valid(cmd, cmd->header.size));
    core_step(w->c, cmd, &w->out);
    if (w->check_every != 0 && w->seq % w->check_every == 0) {
        core_check(w->c);
    }
    const struct event_reject *r = world_event(w, EVENT_reject);
    return r == NULL ? REJECT_none : (enum reject)r->reason;
}

/* A product of tick 0.001 and contract size 1, without guards, fees or margin. */
static inline struct command world_product_terms(const char *name)
{
    struct command cmd = {0};
    struct command_product_create *p = &cmd.product_create;
    size_t length = strlen(name);
    memcpy(p->name, name, length < sizeof p->name ? length : sizeof p->name);
    p->tick = PRICE(1000);
    p->contract_size = E6;
    p->peak_start_hour = 14;
    p->peak_end_hour = 2;
    return cmd;
}

static inline uint32_t world_product(struct world *w, struct command *terms)
{
    assert_int_equal(world_step(w, terms, COMMAND_product_create, 0), REJECT_none);
    return w->c->s->products;
}

static inline enum reject world_try_list(struct world *w, uint32_t product, const char *period)
{
    struct command cmd = {0};
    cmd.instrument_list.product = product;
    memcpy(cmd.instrument_list.period, period, strlen(period));
    return world_step(w, &cmd, COMMAND_instrument_list, 0);
}

static inline uint32_t world_list(struct world *w, uint32_t product, const char *period)
{
    assert_int_equal(world_try_list(w, product, period), REJECT_none);
    return w->c->s->instruments;
}

static inline enum reject world_try_spread(struct world *w, uint32_t a, uint32_t b)
{
    struct command cmd = {.spread_list = {.legs = {a, b}, .ratios = {1, -1}}};
    return world_step(w, &cmd, COMMAND_spread_list, 0);
}

static inline enum reject world_try_account(struct world *w, const char *account,
                                            const char *member, enum account_mode mode)
{
    struct command cmd = {0};
    memcpy(cmd.account_create.account, account, strlen(account));
    memcpy(cmd.account_create.member, member, strlen(member));
    cmd.account_create.mode = mode;
    return world_step(w, &cmd, COMMAND_account_create, 0);
}

static inline uint32_t world_account(struct world *w, const char *account, const char *member)
{
    assert_int_equal(world_try_account(w, account, member, MODE_margined), REJECT_none);
    return w->c->s->accounts;
}

static inline enum reject world_money(struct world *w, enum command_kind kind, uint32_t account,
                                      uint32_t to, int64_t amount)
{
    struct command cmd = {.transfer = {.asset = ASSET_USD, .to = to, .amount = MONEY(amount)}};
    return world_step(w, &cmd, kind, account);
}

static inline enum reject world_deposit(struct world *w, uint32_t account, int64_t amount)
{
    return world_money(w, COMMAND_deposit, account, 0, amount);
}

static inline enum reject world_state(struct world *w, uint32_t product, enum trading_state state)
{
    struct command cmd = {.state_set = {.product = product, .state = state}};
    return world_step(w, &cmd, COMMAND_state_set, 0);
}

static inline enum reject world_order(struct world *w, uint32_t account, uint32_t instrument,
                                      enum side side, int64_t price, int64_t qty)
{
    struct command cmd = {.order_new = {.instrument = instrument, .side = (uint8_t)side,
                                        .flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY,
                                        .price = PRICE(price), .qty = QTY(qty)}};
    return world_step(w, &cmd, COMMAND_order_new, account);
}

static inline enum reject world_settle(struct world *w, uint32_t instrument, int64_t price)
{
    struct command cmd = {.settlement_price = {.instrument = instrument, .price = PRICE(price)}};
    return world_step(w, &cmd, COMMAND_settlement_price, 0);
}

static inline enum reject world_mark(struct world *w)
{
    struct command cmd = {0};
    return world_step(w, &cmd, COMMAND_mark_to_market, 0);
}

static inline enum reject world_expire(struct world *w, uint32_t instrument)
{
    struct command cmd = {.expire = {.instrument = instrument}};
    return world_step(w, &cmd, COMMAND_expire, 0);
}

static inline enum reject world_confirm(struct world *w, uint64_t request, uint32_t principal)
{
    struct command cmd = {.confirm = {.request = request}};
    uint32_t before = w->principal;
    w->principal = principal;
    enum reject reason = world_step(w, &cmd, COMMAND_confirm, 0);
    w->principal = before;
    return reason;
}

/* Trades qty at price: `buyer` rests, `seller` meets it. */
static inline void world_trade(struct world *w, uint32_t instrument, uint32_t buyer,
                               uint32_t seller, int64_t price, int64_t qty)
{
    assert_int_equal(world_order(w, buyer, instrument, SIDE_buy, price, qty), REJECT_none);
    assert_int_equal(world_order(w, seller, instrument, SIDE_sell, price, qty), REJECT_none);
    assert_non_null(world_event(w, EVENT_trade));
}

static inline const struct exposure *world_exposure(const struct world *w, uint32_t account,
                                                    uint32_t instrument)
{
    return &w->c->exposures[exposure_find(w->c, account, instrument)];
}

#endif
