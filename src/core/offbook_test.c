/* offbook_test.c: trades outside the book (CLEAR-01): what they move, what they leave alone, what
 * is refused; at random against sums kept by the test. */
#include "base/random.h"
#include "core/implied.h"
#include "core/offbook.h"
#include "core/world_test.h"

enum { USD = 1000000 };

struct desk {
    struct world w;
    uint32_t product, i, j, spread, a, b, cash;
};

static struct desk desk_open(int64_t flat_margin)
{
    struct core_limits limits = core_limits_small();
    struct command terms = world_product_terms("ZZ");
    struct command_product_create *p = &terms.product_create;
    p->flat_margin = MONEY(flat_margin);
    p->clearing_fee = MONEY(USD);
    p->flags = PRODUCT_FLAG_HAS_FLOOR;
    struct desk d = {.w = world_open(&limits)};
    d.product = world_product(&d.w, &terms);
    d.i = world_list(&d.w, d.product, "2027M03");
    d.j = world_list(&d.w, d.product, "2027M04");
    assert_int_equal(world_try_spread(&d.w, d.i, d.j), REJECT_none);
    d.spread = d.w.c->s->instruments;
    d.a = world_account(&d.w, "a", "m");
    d.b = world_account(&d.w, "b", "n");
    assert_int_equal(world_try_account(&d.w, "cash", "n", MODE_collateralised), REJECT_none);
    d.cash = d.w.c->s->accounts;
    for (uint32_t a = d.a; a <= d.cash; a++) world_deposit(&d.w, a, INT64_C(1000) * USD);
    assert_int_equal(world_state(&d.w, d.product, STATE_open), REJECT_none);
    return d;
}

/* As a command would: within a step of its own. */
static enum reject trade(struct world *w, const struct offbook *t)
{
    struct core *c = w->c;
    outbox_reset(&w->out, c->s->seq, c->s->ts);
    c->out = &w->out;
    enum reject reason = offbook_check(c, t, NULL);
    if (reason == REJECT_none) (void)offbook_trade(c, t);
    if (c->implied_dirty_count > 0) implied_publish(c);
    c->out = NULL;
    core_check(c);
    return reason;
}

static struct offbook terms_of(uint32_t from, uint32_t to, uint32_t instrument, int64_t lots,
                               int64_t price)
{
    return (struct offbook){.from = from, .to = to, .instrument = instrument, .lots = QTY(lots),
                            .price = PRICE(price), .leg_b = PRICE_NONE, .kind = TRADE_block,
                            .reference = 7};
}

static void moves_as_a_trade_does(void **state)
{
    (void)state;
    struct desk d = desk_open(0);
    struct offbook t = terms_of(d.a, d.b, d.i, 5, 7 * USD + 1); /* need not be on the tick */
    t.fees = true;
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    const struct event_trade *e = world_event(&d.w, EVENT_trade);
    assert_true(e->kind == TRADE_block && e->reference == 7 && e->price.v == 7 * USD + 1);
    assert_true(e->account[SIDE_sell] == d.a && e->account[SIDE_buy] == d.b);
    assert_true(e->order_id[0] == 0 && e->maker[0] == 0 && e->maker[1] == 0);
    assert_true(e->fee[SIDE_buy].v == 5 * USD && e->fee[SIDE_sell].v == 5 * USD);
    assert_true(world_exposure(&d.w, d.a, d.i)->position == -5);
    assert_true(world_exposure(&d.w, d.b, d.i)->position == 5);
    const struct instrument *in = &d.w.c->instruments[d.i];
    assert_true(in->open_interest.v == 5 && in->volume.v == 5);
    assert_true(price_is_none(in->last) && price_is_none(in->session_last));
    assert_memory_equal(e, &d.w.c->trades[e->trade_id], sizeof *e);
    t = terms_of(d.b, d.a, d.i, 5, 9 * USD);
    t.kind = TRADE_transfer; /* a position only moves: no volume */
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    assert_true(in->open_interest.v == 0 && in->volume.v == 5);
    world_close(&d.w);
}

static void short_lots_move_too(void **state)
{
    (void)state;
    struct desk d = desk_open(0);
    world_trade(&d.w, d.i, d.a, d.b, 5 * USD, 3);
    uint32_t third = world_account(&d.w, "third", "p");
    struct offbook t = terms_of(d.b, third, d.i, -3, 5 * USD);
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    assert_true(world_exposure(&d.w, d.b, d.i)->position == 0);
    assert_true(world_exposure(&d.w, third, d.i)->position == -3);
    world_close(&d.w);
}

static void spread_moves_both_legs(void **state)
{
    (void)state;
    struct desk d = desk_open(0);
    assert_int_equal(world_settle(&d.w, d.j, 40 * USD), REJECT_none);
    struct offbook t = terms_of(d.a, d.b, d.spread, 4, -2 * USD);
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    assert_int_equal(world_count(&d.w, EVENT_trade), 3);
    assert_true(world_exposure(&d.w, d.b, d.i)->position == 4);
    assert_true(world_exposure(&d.w, d.b, d.j)->position == -4);
    assert_true(world_exposure(&d.w, d.b, d.i)->cost == (int128_t)4 * 38 * USD);
    assert_true(world_exposure(&d.w, d.b, d.j)->cost == (int128_t)-4 * 40 * USD);
    t.leg_b = PRICE(10 * USD);
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    assert_true(world_exposure(&d.w, d.b, d.i)->cost == (int128_t)4 * (38 + 8) * USD);
    world_close(&d.w);
}

static void refuses(void **state)
{
    (void)state;
    struct desk d = desk_open(100 * USD);
    struct offbook good = terms_of(d.a, d.b, d.i, 5, 7 * USD), t = good;
    t.from = d.w.c->s->account_ccp;
    assert_int_equal(trade(&d.w, &t), REJECT_unknown_account);
    t = good, t.to = 999;
    assert_int_equal(trade(&d.w, &t), REJECT_unknown_account);
    t = good, t.to = d.a;
    assert_int_equal(trade(&d.w, &t), REJECT_malformed_request);
    t = good, t.instrument = 99;
    assert_int_equal(trade(&d.w, &t), REJECT_unknown_instrument);
    t = good, t.lots = QTY(0);
    assert_int_equal(trade(&d.w, &t), REJECT_invalid_amount);
    t = good, t.price = PRICE(PRICE_MAX + 1);
    assert_int_equal(trade(&d.w, &t), REJECT_invalid_price);
    t = good, t.lots = QTY(11), t.margined = true;
    assert_int_equal(trade(&d.w, &t), REJECT_insufficient_margin); /* 1,100 of 1,000 */
    t.margined = false; /* as a porting: the margin is the caller's care */
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    t = good, t.from = d.cash; /* may not become short, asked for margin or not */
    assert_int_equal(trade(&d.w, &t), REJECT_insufficient_margin);
    t = good, t.to = d.cash;
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    assert_int_equal(world_settle(&d.w, d.i, 7 * USD), REJECT_none);
    assert_int_equal(world_expire(&d.w, d.i), REJECT_none);
    assert_int_equal(trade(&d.w, &good), REJECT_instrument_expired);
    world_close(&d.w);
}

static void no_stop_is_elected_and_reduce_only_is_cut(void **state)
{
    (void)state;
    struct desk d = desk_open(0);
    world_trade(&d.w, d.i, d.a, d.b, 5 * USD, 9);
    struct command stop = {.order_new = {.instrument = d.i, .side = SIDE_sell,
                                         .type = ORDER_TYPE_stop_market,
                                         .flags = ORDER_FLAG_HAS_TRIGGER | ORDER_FLAG_HAS_QTY,
                                         .trigger = PRICE(4 * USD), .qty = QTY(1)}};
    assert_int_equal(world_step(&d.w, &stop, COMMAND_order_new, d.b), REJECT_none);
    struct command cut = {.order_new = {.instrument = d.i, .side = SIDE_sell,
                                        .flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY |
                                                 ORDER_FLAG_REDUCE_ONLY,
                                        .price = PRICE(8 * USD), .qty = QTY(9)}};
    assert_int_equal(world_step(&d.w, &cut, COMMAND_order_new, d.a), REJECT_none);
    struct offbook t = terms_of(d.a, d.b, d.i, 6, 3 * USD);
    assert_int_equal(trade(&d.w, &t), REJECT_none);
    const struct event_order *o = world_event(&d.w, EVENT_order);
    assert_true(o->cause == CAUSE_cut && o->left.v == 3);
    assert_int_equal(world_count(&d.w, EVENT_order), 1); /* the stop stays */
    world_close(&d.w);
}

static void random_moves_add_up(void **state)
{
    (void)state;
    struct desk d = desk_open(0);
    struct random r = {11};
    int64_t position[2][3] = {0};
    uint32_t instruments[2] = {d.i, d.j}, accounts[3] = {d.a, d.b, d.cash};
    for (int n = 0; n < 2000; n++) {
        uint32_t i = (uint32_t)random_below(&r, 2), from = (uint32_t)random_below(&r, 3);
        uint32_t to = (uint32_t)random_below(&r, 3);
        int64_t lots = (int64_t)random_below(&r, 19) - 9;
        struct offbook t = terms_of(accounts[from], accounts[to], instruments[i], lots,
                                    (int64_t)random_below(&r, 50));
        t.kind = (enum trade_kind)(TRADE_block + random_below(&r, 5));
        if (trade(&d.w, &t) == REJECT_none) {
            position[i][from] -= lots;
            position[i][to] += lots;
        }
        if (n % 100 == 99) {
            assert_int_equal(world_settle(&d.w, d.i, n), REJECT_none);
            assert_int_equal(world_mark(&d.w), REJECT_none);
        }
    }
    for (int i = 0; i < 2; i++) {
        for (int a = 0; a < 3; a++) {
            assert_int_equal(world_exposure(&d.w, accounts[a], instruments[i])->position,
                             position[i][a]);
        }
    }
    world_close(&d.w);
}

/* MATCH-10: two implied trades of one command, of which the first `lost` prints are forgotten: what
 * is left of them is no whole, and is not undone in pieces. */
static void bust_after(uint64_t lost)
{
    struct core_limits limits = core_limits_small();
    struct command terms = world_product_terms("ZZ");
    terms.product_create.offbook.no_bust_range = PRICE(USD);
    terms.product_create.offbook.bust_window_ns = 8 * 60 * NS_PER_SECOND;
    struct world w = world_open(&limits);
    uint32_t product = world_product(&w, &terms);
    uint32_t i = world_list(&w, product, "2027M03"), j = world_list(&w, product, "2027M04");
    assert_int_equal(world_try_spread(&w, i, j), REJECT_none);
    uint32_t spread = w.c->s->instruments;
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "n");
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    assert_int_equal(world_settle(&w, i, 50 * USD), REJECT_none);
    assert_int_equal(world_settle(&w, j, 50 * USD), REJECT_none);
    assert_int_equal(world_order(&w, a, i, SIDE_sell, 7 * USD, 5), REJECT_none);
    assert_int_equal(world_order(&w, a, i, SIDE_sell, 9 * USD, 5), REJECT_none);
    assert_int_equal(world_order(&w, a, j, SIDE_buy, 3 * USD, 10), REJECT_none);
    assert_int_equal(world_order(&w, b, spread, SIDE_buy, 6 * USD, 10), REJECT_none);
    uint64_t prints = w.c->s->trade_id;
    assert_int_equal(prints, 10); /* twice: the spread and its legs, an order of each leg */
    while (w.c->s->trade_id < limits.trades + lost) world_trade(&w, j, a, b, 3 * USD, 1);
    for (uint64_t id = lost + 1; id <= prints; id++) {
        struct command bust = {.trade_bust = {.trade_id = id, .reason = "wrong"}};
        enum reject reason = world_step(&w, &bust, COMMAND_trade_bust, 0);
        if (lost > 0 && id == prints) assert_int_equal(reason, REJECT_unknown_trade);
        if (lost > 0) assert_int_not_equal(reason, REJECT_none);
        if (lost > 0 || id != prints) continue;
        const struct event_request *r = world_event(&w, EVENT_request);
        assert_int_equal(reason, REJECT_none);
        assert_int_equal(world_confirm(&w, r->request_id, 2), REJECT_none);
    }
    core_check(w.c);
    world_close(&w);
}

static void half_forgotten_trades_are_not_busted(void **state)
{
    (void)state;
    for (uint64_t lost = 0; lost < 10; lost++) bust_after(lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_as_a_trade_does),
        cmocka_unit_test(short_lots_move_too),
        cmocka_unit_test(spread_moves_both_legs),
        cmocka_unit_test(refuses),
        cmocka_unit_test(no_stop_is_elected_and_reduce_only_is_cut),
        cmocka_unit_test(random_moves_add_up),
        cmocka_unit_test(half_forgotten_trades_are_not_busted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
