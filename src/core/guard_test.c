/* guard_test.c: protections under random commands, against a naive reader of the events: no trade
 * prints outside the limits or the windows in force (GUARD-02 to -04), nothing is ever loosened by
 * one officer or switched off (GUARD-05); 100,000 cancels before an opening.
 */
#include "core/world_test.h"

#include "base/random.h"

enum { INSTRUMENTS = 2, PRINTS_MAX = 100000, COMMANDS = 6000, SEEDS = 6 };

static const int64_t TICK = 500000;

struct naive_print {
    int64_t ts;
    int64_t px;
};

/* What an outsider knows, from events alone. */
struct naive {
    struct world w;
    struct random r;
    uint32_t product;
    uint32_t instrument[INSTRUMENTS];
    uint32_t account[4];
    struct naive_print *prints[INSTRUMENTS]; /* since the last interruption */
    uint32_t count[INSTRUMENTS];
    int64_t settlement[INSTRUMENTS];
    int64_t base[INSTRUMENTS]; /* 0: none */
    int64_t day;
    uint32_t step;
    uint64_t trades;
    uint64_t halts[GUARD_RULE_count];
    uint64_t loosened;
};

static uint64_t below(struct naive *n, uint64_t bound) { return random_below(&n->r, bound); }

static const struct guard_terms terms_test = {
    .v = {[GUARD_minimum_ticks] = 4, [GUARD_breaker_percent] = 50000,
          [GUARD_breaker_window_minutes] = NS_PER_HOUR, [GUARD_halt_seconds] = 120 * NS_PER_SECOND,
          [GUARD_velocity_ticks] = 9, [GUARD_velocity_milliseconds] = 3 * NS_PER_SECOND,
          [GUARD_limit_percent] = 100000, [GUARD_limit_percent_2] = 150000,
          [GUARD_limit_percent_3] = 200000, [GUARD_limit_halt_seconds] = 300 * NS_PER_SECOND,
          [GUARD_auction_seconds] = 20 * NS_PER_SECOND,
          [GUARD_auction_random_seconds] = 20 * NS_PER_SECOND}};

static const struct guard_terms *terms_now(const struct naive *n)
{
    return &n->w.c->products[n->product].terms.guards;
}

static int64_t share_of(const struct naive *n, int64_t share, int64_t of)
{
    int64_t width = (int64_t)((int128_t)(of < 0 ? -of : of) * share / E6);
    int64_t least = terms_now(n)->v[GUARD_minimum_ticks] * TICK;
    return width > least ? width : least;
}

/* ---- what must hold of a trade ---- */

static void check_limits(const struct naive *n, int i, int64_t price)
{
    if (n->base[i] == 0) return;
    uint32_t step = n->step > 2 ? 2 : n->step;
    int64_t width = share_of(n, terms_now(n)->v[GUARD_limit_percent + step], n->base[i]);
    assert_true(price <= n->base[i] + width && price >= n->base[i] - width);
}

static void check_window(const struct naive *n, int i, int64_t px, int64_t window, int64_t width)
{
    int64_t slot = (window + 59) / 60, now = n->w.ts.v / slot;
    for (uint32_t k = 0; k < n->count[i]; k++) {
        if (now - n->prints[i][k].ts / slot > 60) continue;
        int64_t distance = px - n->prints[i][k].px;
        assert_true(distance <= width && distance >= -width);
    }
}

static void see_trade(struct naive *n, const struct event_trade *t)
{
    int i = t->instrument == n->instrument[0] ? 0 : t->instrument == n->instrument[1] ? 1 : -1;
    if (i < 0 || t->kind > TRADE_auction) return;
    const int64_t *v = terms_now(n)->v;
    int64_t px = t->price.v / TICK;
    n->trades += 1;
    check_limits(n, i, t->price.v);
    if (t->kind == TRADE_continuous) {
        check_window(n, i, px, v[GUARD_velocity_milliseconds], v[GUARD_velocity_ticks]);
        if (n->base[i] != 0) {
            int64_t variant = share_of(n, v[GUARD_breaker_percent], n->base[i]) / TICK;
            check_window(n, i, px, v[GUARD_breaker_window_minutes], variant);
        }
    }
    assert_true(n->count[i] < PRINTS_MAX);
    n->prints[i][n->count[i]++] = (struct naive_print){n->w.ts.v, px};
}

static void see_halt(struct naive *n, const struct event_halt *h)
{
    if (h->began.v != n->w.ts.v || h->ended.v != 0 || h->rule == GUARD_RULE_officer) return;
    n->halts[h->rule] += 1;
    for (int i = 0; i < INSTRUMENTS; i++) {
        if (h->instrument == 0 || h->instrument == n->instrument[i]) n->count[i] = 0;
    }
    if (h->rule == GUARD_RULE_limit) n->step += 1;
}

static void see(struct naive *n)
{
    const struct event_header *e = NULL;
    int64_t day = n->w.ts.v / NS_PER_DAY;
    if (day != n->day) {
        n->day = day;
        n->step = 0;
        for (int i = 0; i < INSTRUMENTS; i++) n->base[i] = n->settlement[i];
    }
    while ((e = outbox_next(&n->w.out, e)) != NULL) {
        const void *any = e;
        if (e->kind == EVENT_trade) see_trade(n, any);
        if (e->kind == EVENT_halt) see_halt(n, any);
        if (e->kind == EVENT_guards) { /* windows begin anew with other numbers */
            n->count[0] = n->count[1] = 0;
        }
        if (e->kind != EVENT_settlement) continue;
        const struct event_settlement *s = any;
        int i = s->instrument == n->instrument[0] ? 0 : 1;
        n->settlement[i] = s->price.v;
        if (n->base[i] == 0) n->base[i] = s->price.v;
    }
}

/* ---- random commands ---- */

static void do_order(struct naive *n)
{
    static const uint8_t types[] = {ORDER_TYPE_limit, ORDER_TYPE_limit, ORDER_TYPE_limit,
                                    ORDER_TYPE_market, ORDER_TYPE_stop_market,
                                    ORDER_TYPE_stop_limit, ORDER_TYPE_pegged};
    static const uint8_t tifs[] = {TIF_good_til_cancelled, TIF_good_til_cancelled,
                                   TIF_immediate_or_cancel, TIF_fill_or_kill, TIF_good_til_day};
    int i = (int)below(n, INSTRUMENTS);
    int64_t centre = n->settlement[i] / TICK;
    struct command cmd = {0};
    struct command_order_new *o = &cmd.order_new;
    o->instrument = below(n, 12) == 0 ? n->instrument[1] + 1 : n->instrument[i];
    if (o->instrument > n->instrument[1]) centre = 0;
    o->side = (uint8_t)below(n, 2);
    o->type = types[below(n, sizeof types)];
    o->tif = tifs[below(n, sizeof tifs)];
    o->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY | ORDER_FLAG_HAS_TRIGGER;
    o->price = PRICE((centre + (int64_t)below(n, 60) - 30) * TICK);
    o->trigger = PRICE((centre + (int64_t)below(n, 60) - 30) * TICK);
    o->peg = o->type == ORDER_TYPE_pegged ? PEG_primary : PEG_none;
    o->qty = QTY(1 + (int64_t)below(n, 9));
    (void)world_step(&n->w, &cmd, COMMAND_order_new, n->account[below(n, 4)]);
    see(n);
}

static void do_state(struct naive *n)
{
    static const enum trading_state states[] = {STATE_open, STATE_open, STATE_auction,
                                                STATE_halted, STATE_closed};
    (void)world_state(&n->w, n->product, states[below(n, 5)]);
    see(n);
}

static bool is_looser(const int64_t *before, const int64_t *after)
{
    static const enum guard_field larger[] = {GUARD_breaker_percent, GUARD_velocity_ticks,
                                              GUARD_limit_percent, GUARD_minimum_ticks};
    static const enum guard_field smaller[] = {GUARD_breaker_window_minutes, GUARD_halt_seconds,
                                               GUARD_velocity_milliseconds,
                                               GUARD_auction_seconds};
    for (size_t i = 0; i < 4; i++) {
        if (after[larger[i]] > before[larger[i]] || after[smaller[i]] < before[smaller[i]])
            return true;
    }
    return false;
}

static void do_guards(struct naive *n)
{
    struct guard_terms before = *terms_now(n);
    struct command cmd = {.guards_set = {.product = n->product, .reason = "a test"}};
    struct command_guards_set *s = &cmd.guards_set;
    uint32_t by = 1 + (uint32_t)below(n, 2), asked = 0;
    if (below(n, 2) == 0) {
        int field = (int)below(n, GUARD_TERMS);
        s->given = 1u << field;
        s->v[field] = before.v[field] * (int64_t)below(n, 5) / 2;
        n->w.principal = by;
        (void)world_step(&n->w, &cmd, COMMAND_guards_set, 0);
        n->w.principal = 1;
    } else {
        uint64_t id = n->w.c->s->request_id - below(n, 4);
        for (uint32_t i = 0; i < n->w.c->limits.requests; i++) {
            if (n->w.c->requests[i].id == id) asked = n->w.c->requests[i].header.principal;
        }
        (void)world_confirm(&n->w, id, by);
    }
    see(n);
    const int64_t *after = terms_now(n)->v;
    for (int i = 0; i < GUARD_TERMS; i++) assert_true(before.v[i] == 0 || after[i] != 0);
    if (!is_looser(before.v, after)) return;
    n->loosened += 1;
    assert_true(asked != 0 && asked != by);
}

static void do_time(struct naive *n)
{
    static const int64_t steps[] = {NS_PER_SECOND, NS_PER_SECOND, 10 * NS_PER_SECOND,
                                    130 * NS_PER_SECOND, NS_PER_HOUR, NS_PER_DAY / 3};
    int64_t to = n->w.ts.v + steps[below(n, below(n, 4) == 0 ? 6 : 3)];
    for (;;) { /* whatever falls due in between happens in its order, as the sequencer sees to */
        ts_t due = core_due(n->w.c);
        n->w.ts = TS(due.v < to ? (due.v > n->w.ts.v ? due.v : n->w.ts.v) : to);
        struct command tick = {0};
        (void)world_step(&n->w, &tick, COMMAND_tick, 0);
        see(n);
        if (n->w.ts.v >= to) return;
    }
}

static void do_settle(struct naive *n)
{
    int i = (int)below(n, INSTRUMENTS);
    price_t last = n->w.c->instruments[n->instrument[i]].last;
    int64_t price = price_is_none(last) ? 100 * E6 : last.v;
    (void)world_settle(&n->w, n->instrument[i], price);
    see(n);
}

static void naive_open(struct naive *n, uint64_t seed)
{
    struct core_limits limits = core_limits_small();
    limits.orders = 512;
    limits.levels = 512;
    *n = (struct naive){.w = world_open(&limits), .r = {seed}};
    n->w.check_every = 7;
    struct command terms = world_product_terms("ZZ");
    terms.product_create.tick = PRICE(TICK);
    terms.product_create.guards = terms_test;
    terms.product_create.flags = PRODUCT_FLAG_HAS_PROTECTION;
    terms.product_create.protection = PRICE(40 * E6);
    n->product = world_product(&n->w, &terms);
    n->instrument[0] = world_list(&n->w, n->product, "2027M03");
    n->instrument[1] = world_list(&n->w, n->product, "2027M04");
    assert_int_equal(world_try_spread(&n->w, n->instrument[0], n->instrument[1]), REJECT_none);
    for (int i = 0; i < 4; i++) {
        char name[2] = {(char)('a' + i), 0};
        n->account[i] = world_account(&n->w, name, name);
        assert_int_equal(world_deposit(&n->w, n->account[i], MONEY_MAX / 64), REJECT_none);
    }
    for (int i = 0; i < INSTRUMENTS; i++) {
        n->prints[i] = malloc(PRINTS_MAX * sizeof *n->prints[i]);
        assert_non_null(n->prints[i]);
        assert_int_equal(world_settle(&n->w, n->instrument[i], 100 * E6), REJECT_none);
        see(n);
    }
    assert_int_equal(world_state(&n->w, n->product, STATE_open), REJECT_none);
    see(n);
}

static void protections_hold(void **state)
{
    (void)state;
    struct naive n;
    uint64_t trades = 0, loosened = 0, halts[GUARD_RULE_count] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        naive_open(&n, seed);
        for (int k = 0; k < COMMANDS; k++) {
            uint64_t dice = below(&n, 200);
            if (dice < 150) do_order(&n);
            else if (dice < 185) do_time(&n);
            else if (dice < 193) do_settle(&n);
            else if (dice < 196) do_state(&n);
            else if (seed > SEEDS / 2) do_guards(&n);
        }
        trades += n.trades;
        loosened += n.loosened;
        for (int i = 0; i < GUARD_RULE_count; i++) halts[i] += n.halts[i];
        for (int i = 0; i < INSTRUMENTS; i++) free(n.prints[i]);
        world_close(&n.w);
    }
    print_message("%llu trades, %llu circuit breakers, %llu velocity, %llu limits, %llu loosened\n",
                  (unsigned long long)trades, (unsigned long long)halts[GUARD_RULE_breaker],
                  (unsigned long long)halts[GUARD_RULE_velocity],
                  (unsigned long long)halts[GUARD_RULE_limit], (unsigned long long)loosened);
    assert_true(trades > 1000 && halts[GUARD_RULE_breaker] > 10);
    assert_true(halts[GUARD_RULE_velocity] > 10 && halts[GUARD_RULE_limit] > 10 && loosened > 5);
}

/* Facebook's opening, 18 May 2012: cancels that came while the price was being found made Nasdaq
 * find it again, and the next cancels again. Here a price is found once, for what stands there. */
static void cancels_do_not_hold_an_opening_up(void **state)
{
    (void)state;
    enum { ORDERS = 100000 };
    struct core_limits limits = core_limits_default();
    limits.orders = 131072;
    struct world w = world_open(&limits);
    w.check_every = 0;
    struct command terms = world_product_terms("FB");
    uint32_t product = world_product(&w, &terms), i = world_list(&w, product, "2027M03");
    uint32_t a = world_account(&w, "a", "a"), b = world_account(&w, "b", "b");
    assert_int_equal(world_state(&w, product, STATE_pre_open), REJECT_none);
    uint64_t *ids = malloc(ORDERS * sizeof *ids);
    for (int k = 0; k < ORDERS; k++) { /* those of b, beyond what a buys, and a hundred that meet */
        assert_int_equal(world_order(&w, b, i, SIDE_sell, 42000 + k % 500 * 1000, 1), REJECT_none);
        ids[k] = ((const struct event_order *)world_event(&w, EVENT_order))->order_id;
        if (k % 1000 == 0)
            assert_int_equal(world_order(&w, a, i, SIDE_buy, 42000, 1), REJECT_none);
    }
    struct command all = {0};
    for (int k = 0; k < ORDERS; k++) { /* cancels race the uncross: half before, in any order */
        if (k % 500 == 0) continue;    /* these stay */
        all = (struct command){.order_cancel.order_id = ids[k]};
        assert_int_equal(world_step(&w, &all, COMMAND_order_cancel, b), REJECT_none);
        if (k != ORDERS / 2) continue;
        struct command tick = {0};
        assert_int_equal(world_step(&w, &tick, COMMAND_tick, 0), REJECT_none);
    }
    assert_int_equal(world_state(&w, product, STATE_open), REJECT_none);
    assert_int_equal(world_count(&w, EVENT_trade), 100);
    const struct event_auction *result = world_event(&w, EVENT_auction);
    assert_int_equal(result->final, 1);
    assert_int_equal(result->price.v, 42000);
    assert_int_equal(world_exposure(&w, a, i)->position, 100);
    core_check(w.c);
    free(ids);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protections_hold),
        cmocka_unit_test(cancels_do_not_hold_an_opening_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
