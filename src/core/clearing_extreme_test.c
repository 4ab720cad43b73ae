/* clearing_extreme_test.c: random commands with the largest numbers that the messages can carry,
 * and every kind of order: nothing a client or an officer can send may overflow or trip an
 * assertion.
 */
#include "core/world_test.h"

enum { ACCOUNTS = 6, PRODUCTS = 3, COMMANDS = 60000 };

struct storm {
    struct world w;
    struct random r;
    uint64_t outcomes[REJECT_count];
};

static uint64_t below(struct storm *s, uint64_t bound) { return random_below(&s->r, bound); }

/* Small numbers, powers of two and ten, bounds, and their neighbours. */
static int64_t any_number(struct storm *s)
{
    int64_t v = (int64_t)below(s, 4);
    switch (below(s, 8)) {
    case 0: return v;
    case 1: return PRICE_MAX - v;
    case 2: return -PRICE_MAX + v;
    case 3: return (int64_t)(UINT64_C(1) << below(s, 62)) - v;
    case 4: return -(int64_t)(UINT64_C(1) << below(s, 62)) + v;
    case 5: return MONEY_MAX - v;
    case 6: return (int64_t)below(s, 1000000);
    default: return -(int64_t)below(s, 1000000);
    }
}

static int64_t any_price(struct storm *s)
{
    switch (below(s, 6)) {
    case 0: return PRICE_MAX - (int64_t)below(s, 2);
    case 1: return -PRICE_MAX + (int64_t)below(s, 2);
    case 2: return any_number(s);
    default: return ((int64_t)below(s, 30) - 4);
    }
}

static int64_t any_qty(struct storm *s)
{
    switch (below(s, 5)) {
    case 0: return QTY_MAX - (int64_t)below(s, 2);
    case 1: return any_number(s);
    case 2: return (int64_t)(UINT64_C(1) << below(s, 50));
    default: return 1 + (int64_t)below(s, 20);
    }
}

static uint32_t any_account(struct storm *s)
{
    return s->w.c->s->accounts - ACCOUNTS + 1 + (uint32_t)below(s, ACCOUNTS);
}

static uint32_t any_instrument(struct storm *s)
{
    return 1 + (uint32_t)below(s, s->w.c->s->instruments);
}

static enum reject order_storm(struct storm *s)
{
    struct command cmd = {.order_new = {
        .instrument = any_instrument(s), .side = (uint8_t)below(s, 2),
        .flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY, .price = PRICE(any_price(s)),
        .qty = QTY(any_qty(s))}};
    struct command_order_new *o = &cmd.order_new;
    if (below(s, 3) == 0) {
        o->type = (uint8_t)below(s, ORDER_TYPE_count);
        o->tif = (uint8_t)below(s, TIF_good_til_date);
        o->flags |= ORDER_FLAG_HAS_TRIGGER;
        o->trigger = PRICE(any_price(s));
        if (o->type == ORDER_TYPE_trailing_stop || o->type == ORDER_TYPE_pegged) {
            o->flags |= ORDER_FLAG_HAS_OFFSET;
            o->offset = PRICE(any_price(s));
            o->peg = o->type == ORDER_TYPE_pegged ? (uint8_t)(1 + below(s, 3)) : PEG_none;
        }
    }
    if (below(s, 8) == 0) o->flags |= ORDER_FLAG_REDUCE_ONLY;
    return world_step(&s->w, &cmd, COMMAND_order_new, any_account(s));
}

static enum reject edit_storm(struct storm *s)
{
    struct core *c = s->w.c;
    uint32_t o = 1 + (uint32_t)below(s, c->s->orders_used + 1);
    struct command cmd = {.order_edit = {
        .order_id = c->pools.orders[o].id, .price = PRICE(any_price(s)), .qty = QTY(any_qty(s)),
        .flags = (below(s, 2) == 0 ? ORDER_FLAG_HAS_PRICE : 0u) | ORDER_FLAG_HAS_QTY}};
    return world_step(&s->w, &cmd, COMMAND_order_edit, c->pools.orders[o].account);
}

static enum reject cancel_storm(struct storm *s)
{
    struct command cmd = {.cancel_many = {.scope = CANCEL_SCOPE_account}};
    return world_step(&s->w, &cmd, COMMAND_cancel_many, any_account(s));
}

static enum reject money_storm(struct storm *s)
{
    enum command_kind kind = (enum command_kind)(COMMAND_deposit + (int)below(s, 3));
    uint32_t to = kind == COMMAND_transfer ? any_account(s) : 0;
    return world_money(&s->w, kind, any_account(s), to, any_number(s));
}

static enum reject settle_storm(struct storm *s)
{
    return world_settle(&s->w, any_instrument(s), any_price(s));
}

static enum reject mark_storm(struct storm *s)
{
    enum reject reason = world_mark(&s->w);
    assert_true(reason == REJECT_none || reason == REJECT_amount_overflow);
    if (reason != REJECT_none) assert_int_equal(s->w.out.count, 1); /* the refusal alone */
    return reason;
}

static enum reject expire_storm(struct storm *s)
{
    return below(s, 30) == 0 ? world_expire(&s->w, any_instrument(s)) : REJECT_none;
}

static enum reject state_storm(struct storm *s)
{
    uint32_t product = 1 + (uint32_t)below(s, PRODUCTS);
    if (below(s, 4) == 0) (void)world_state(&s->w, product, (enum trading_state)below(s, 5));
    return world_state(&s->w, product, STATE_open);
}

static struct command terms_storm(struct storm *s, int product)
{
    const char *const names[PRODUCTS] = {"AA", "BB", "CC"};
    struct command cmd = world_product_terms(names[product]);
    struct command_product_create *p = &cmd.product_create;
    p->tick = PRICE(1);
    p->contract_size = product == 0 ? 1 : int64_max(1, any_number(s));
    p->contract_size = int64_min(p->contract_size, MONEY_MAX);
    p->flat_margin = MONEY(product == 1 ? int64_max(0, any_number(s)) : 0);
    p->flat_margin = MONEY(int64_min(p->flat_margin.v, MONEY_MAX));
    p->fee_tier_count = 1;
    int64_t fee = any_number(s);
    p->fee_tiers[0].taker = MONEY(int64_max(-MONEY_MAX, int64_min(fee, MONEY_MAX)));
    p->fee_tiers[0].maker = MONEY(-p->fee_tiers[0].taker.v);
    p->clearing_fee = MONEY(below(s, 2) == 0 ? 0 : MONEY_MAX);
    if (product == 2) p->fee_tier_count = 0;
    if (product == 2) p->clearing_fee = MONEY(0);
    p->flags = product == 0 ? PRODUCT_FLAG_HAS_FLOOR : 0;
    p->protection = PRICE(below(s, 2) == 0 ? PRICE_MAX : 5);
    p->flags |= PRODUCT_FLAG_HAS_PROTECTION;
    return cmd;
}

static void storm_open(struct storm *s, uint64_t seed)
{
    struct core_limits limits = core_limits_small();
    *s = (struct storm){.w = world_open(&limits), .r = {.state = seed}};
    s->w.check_every = 5;
    const char *const names[ACCOUNTS] = {"a", "b", "c", "d", "e", "f"};
    for (int i = 0; i < ACCOUNTS; i++) {
        enum account_mode mode = i >= 4 ? MODE_collateralised : MODE_margined;
        assert_int_equal(world_try_account(&s->w, names[i], "m", mode), REJECT_none);
        if (i % 2 == 0) {
            assert_int_equal(world_deposit(&s->w, s->w.c->s->accounts, MONEY_MAX / 8), REJECT_none);
        }
    }
    for (int p = 0; p < PRODUCTS; p++) {
        struct command cmd = terms_storm(s, p);
        uint32_t product = world_product(&s->w, &cmd);
        assert_int_equal(world_state(&s->w, product, STATE_open), REJECT_none);
        uint32_t i = world_list(&s->w, product, "2027M03");
        uint32_t j = world_list(&s->w, product, "2027M04");
        assert_int_equal(world_try_spread(&s->w, i, j), REJECT_none);
    }
    assert_int_equal(world_try_spread(&s->w, 1, 4), REJECT_none);
}

typedef enum reject storm_action(struct storm *s);
static storm_action *const actions[] = {
    order_storm, order_storm, order_storm,  order_storm, order_storm,  order_storm,
    order_storm, edit_storm,  cancel_storm, money_storm, settle_storm, mark_storm,
    mark_storm,  state_storm, expire_storm,
};

static void storms(void **state)
{
    (void)state;
    struct storm *s = malloc(sizeof *s);
    assert_non_null(s);
    uint64_t trades = 0, overflows = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        storm_open(s, seed);
        while (s->w.seq < COMMANDS / 40) {
            enum reject reason = actions[below(s, sizeof actions / sizeof actions[0])](s);
            s->outcomes[reason] += 1;
        }
        trades += s->w.c->s->trade_id;
        overflows += s->outcomes[REJECT_amount_overflow];
        world_close(&s->w);
    }
    assert_true(trades > 1000 && overflows > 100);
    print_message("trades %llu, refused as out of range %llu\n", (unsigned long long)trades,
                  (unsigned long long)overflows);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(storms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
