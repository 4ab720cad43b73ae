/* span_test.c: SPAN against its naive twin: random parameters, random books, random commands.
 *
 * DOJIMA_RANDOM_COMMANDS sets how many commands the flow gets (default 4,000).
 */
#include "core/span_naive_test.h"

#include "base/random.h"

enum { PRODUCTS = 4, ACCOUNTS_FIRST = 5, ACCOUNTS = 3 };

struct desk {
    struct world w;
    struct random r;
};

static int64_t below(struct desk *d, int64_t n)
{
    return (int64_t)random_below(&d->r, (uint64_t)n);
}

static void list(struct desk *d, uint32_t product)
{
    static const char *const periods[] = {"2027M02", "2027M03", "2027M05"};
    for (int i = 0; i < 3; i++) (void)world_list(&d->w, product, periods[i]);
}

static void open_world(struct desk *d, uint64_t seed)
{
    static const char *const names[PRODUCTS] = {"AA", "AM", "BB", "CC"};
    struct core_limits limits = core_limits_small();
    limits.exposures = 256;
    limits.instruments = 32;
    *d = (struct desk){.w = world_open(&limits), .r = {seed}};
    for (uint32_t p = 0; p < PRODUCTS; p++) {
        struct command terms = world_product_terms(names[p]);
        terms.product_create.margin_model = p == 3 ? MARGIN_flat : MARGIN_span;
        terms.product_create.flat_margin = MONEY(p == 3 ? 7 * E6 : 0);
        if (p == 0) terms.product_create.contract_size = 10 * E6; /* AM is its micro */
        list(d, world_product(&d->w, &terms));
    }
    (void)world_account(&d->w, "ann", "alpha");
    (void)world_account(&d->w, "bob", "beta");
    (void)world_account(&d->w, "cid", "beta");
}

/* Random parameters that are in order: charges are small beside the scan. */
static enum reject set_group(struct desk *d, uint32_t group)
{
    struct command cmd = {0};
    struct command_margin_set *m = &cmd.margin_set;
    memcpy(m->group, group == 1 ? "A" : "B", 1);
    m->reason[0] = 'x';
    m->given = MARGIN_GIVEN_products | MARGIN_GIVEN_tiers | MARGIN_GIVEN_spreads |
               MARGIN_GIVEN_inter_scale | MARGIN_GIVEN_extreme;
    m->product_count = group == 1 ? 2 : 1;
    m->products[0] = (struct margin_product){group == 1 ? 1 : 3, 0, group == 1 ? 10 : 1};
    if (group == 1) m->products[1] = (struct margin_product){2, 0, 1};
    m->inter_scale = group == 1 ? 1 : 3;
    m->extreme_move_e6 = 3 * E6;
    m->extreme_cover_e6 = below(d, 2) ? 330000 : 400000;
    m->tier_count = (uint8_t)(1 + below(d, 3));
    static const int64_t starts[] = {0, INT64_C(1803859200), INT64_C(1809129600)};
    for (uint32_t t = 0; t < m->tier_count; t++) {
        m->tiers[t] = (struct margin_tier){
            .start = TS(starts[t] * NS_PER_SECOND), .price_scan = MONEY(100 + below(d, 100)),
            .spot_spread = MONEY(t == 0 ? below(d, 9) : 0),
            .spot_outright = MONEY(t == 0 ? below(d, 9) : 0)};
    }
    for (uint32_t a = 0; a < m->tier_count; a++) {
        for (uint32_t b = a; b < m->tier_count; b++) {
            if (below(d, 4) == 0) continue;
            m->spreads[m->spread_count++] = (struct margin_spread){a, b, MONEY(below(d, 50))};
        }
    }
    enum reject reason = world_step(&d->w, &cmd, COMMAND_margin_set, 0);
    const struct event_request *r = world_event(&d->w, EVENT_request);
    if (reason != REJECT_none || r == NULL) return reason;
    return world_confirm(&d->w, r->request_id, 2);
}

static void set_credits(struct desk *d)
{
    struct command cmd = {.margin_inter = {.count = 1, .offset_e6 = 100000 + below(d, 700000)}};
    struct margin_inter *m = &cmd.margin_inter.inters[0];
    cmd.margin_inter.reason[0] = 'x';
    m->group_a[0] = 'A';
    m->group_b[0] = 'B';
    m->credit_e6 = cmd.margin_inter.offset_e6 - below(d, 100000);
    assert_int_equal(world_step(&d->w, &cmd, COMMAND_margin_inter, 0), REJECT_none);
    const struct event_request *r = world_event(&d->w, EVENT_request);
    if (r != NULL) assert_int_equal(world_confirm(&d->w, r->request_id, 2), REJECT_none);
}

/* ---- boxes ---- */

struct box {
    struct query_leg legs[SPAN_LEGS_MAX];
    uint32_t count;
    int64_t low[NAIVE_INSTRUMENTS];
    int64_t high[NAIVE_INSTRUMENTS];
};

static void box_add(struct box *b, uint32_t instrument, uint32_t kind, int64_t lots)
{
    b->legs[b->count++] = (struct query_leg){instrument, kind, lots};
    if (kind != 2) b->high[instrument] += lots;
    if (kind == 0) b->low[instrument] += lots;
    if (kind == 2) b->low[instrument] -= lots;
}

static int64_t box_span(const struct desk *d, const struct box *b, struct span_book *book)
{
    span_reckon(d->w.c, ACCOUNTS_FIRST, SPAN_LEGS_ONLY, b->legs, b->count, book);
    assert_int_equal(book->span, naive_span(d->w.c, b->low, b->high));
    return book->span;
}

/* The greatest requirement over all outcomes, by trying each. */
static int64_t outcomes_worst(const struct desk *d, const struct box *b, uint32_t group)
{
    int64_t at[NAIVE_INSTRUMENTS], worst = 0, net;
    memcpy(at, b->low, sizeof at);
    for (;;) {
        uint32_t i = 1;
        worst = int64_max(worst, naive_requirement(d->w.c, group, at, &net));
        for (; i <= d->w.c->s->instruments; i++) {
            if (at[i]++ < b->high[i]) break;
            at[i] = b->low[i];
        }
        if (i > d->w.c->s->instruments) return worst;
    }
}

/* CLEAR-08: the larger corner is exactly the worst outcome. */
static void test_worst_case_is_the_worst_outcome(void **state)
{
    (void)state;
    struct desk d;
    struct span_book book;
    open_world(&d, 11);
    d.w.check_every = 0;
    for (int round = 0; round < 400; round++) {
        assert_int_equal(set_group(&d, 1), REJECT_none);
        struct box b = {0};
        for (uint32_t i = 1; i <= 6; i++) {
            if (below(&d, 2)) box_add(&b, i, 0, (below(&d, 7) - 3) * (i <= 3 ? 1 : 10));
        }
        for (int n = 0; n < 3; n++) {
            box_add(&b, (uint32_t)(1 + below(&d, 6)), (uint32_t)(1 + below(&d, 2)), below(&d, 4));
        }
        (void)box_span(&d, &b, &book);
        assert_int_equal(book.records[1].requirement, outcomes_worst(&d, &b, 1));
    }
    world_close(&d.w);
}

/* Margin is never negative; more risk never needs less; credits are capped. */
static void test_monotone_and_capped(void **state)
{
    (void)state;
    struct desk d;
    struct span_book book;
    uint64_t credited = 0, capped = 0;
    open_world(&d, 12);
    d.w.check_every = 0;
    for (int round = 0; round < 6000; round++) {
        if (round % 20 == 0) {
            for (uint32_t g = 1; g <= 2; g++) assert_int_equal(set_group(&d, g), REJECT_none);
            set_credits(&d);
        }
        struct box b = {0};
        for (uint32_t i = 1; i <= 9; i++) {
            if (below(&d, 2)) box_add(&b, i, 0, (below(&d, 41) - 20) * (i > 6 ? 5 : 1));
        }
        int64_t before = box_span(&d, &b, &book);
        int128_t floor = book.groups * (E6 - d.w.c->span_venue->table.offset_e6);
        assert_true(before >= 0 && (int128_t)before * E6 >= floor);
        credited += book.credit > 0;
        capped += book.credit > 0 && before == book.offset_floor;
        for (int n = 0; n < 6; n++) {
            box_add(&b, (uint32_t)(1 + below(&d, 9)), (uint32_t)(1 + below(&d, 2)),
                    below(&d, 25));
            int64_t after = box_span(&d, &b, &book);
            assert_true(after >= before);
            before = after;
        }
    }
    assert_true(credited > 1000 && capped > 0); /* the cases exist */
    world_close(&d.w);
}

/* ---- commands ---- */

static void accounts_check(const struct desk *d)
{
    const struct core *c = d->w.c;
    for (uint32_t a = ACCOUNTS_FIRST; a < ACCOUNTS_FIRST + ACCOUNTS; a++) {
        int64_t low[NAIVE_INSTRUMENTS] = {0}, high[NAIVE_INSTRUMENTS] = {0}, flat = 0;
        int128_t variation = 0;
        for (uint32_t e = c->accounts[a].exposures; e != NIL; e = c->exposures[e].next) {
            const struct exposure *x = &c->exposures[e];
            const struct instrument *in = &c->instruments[x->instrument];
            low[x->instrument] = x->position - x->open_sells;
            high[x->instrument] = x->position + x->open_buys;
            if (in->product == 4) {
                flat += int64_max(high[x->instrument], -low[x->instrument]) * 7 * E6;
            } else if (!price_is_none(in->settlement)) { /* contract size 10, or 1 */
                int128_t gain = (int128_t)x->position * in->settlement.v - x->cost;
                variation += gain * (in->product == 1 ? 10 : 1);
            }
        }
        int64_t span = naive_span(c, low, high);
        assert_int_equal(c->span_accounts[a].span, span);
        assert_true(c->accounts[a].variation.v == variation);
        if (c->span_accounts[a].run == 0) {
            assert_int_equal(c->accounts[a].requirement.v, span + flat);
        }
        assert_true(c->accounts[a].requirement.v >= 0);
        assert_true(margin_maintenance_account(c, a) <= c->accounts[a].requirement.v);
    }
}

static enum reject random_order(struct desk *d)
{
    struct command cmd = {0};
    struct command_order_new *o = &cmd.order_new;
    o->instrument = (uint32_t)(1 + below(d, 14)); /* 13 and 14 are spreads */
    o->side = (uint8_t)below(d, 2);
    o->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    o->price = PRICE((o->instrument > 12 ? below(d, 11) - 5 : 95 + below(d, 11)) * 1000);
    o->qty = QTY(1 + below(d, 30));
    uint32_t account = (uint32_t)(ACCOUNTS_FIRST + below(d, ACCOUNTS));
    int64_t before = d->w.c->accounts[account].requirement.v;
    int64_t free = margin_available(d->w.c, account);
    enum reject reason = world_step(&d->w, &cmd, COMMAND_order_new, account);
    if (reason == REJECT_insufficient_margin) { /* nothing changed */
        assert_int_equal(d->w.c->accounts[account].requirement.v, before);
        const struct event_reject *e = world_event(&d->w, EVENT_reject);
        assert_true(e->detail > 0 && e->detail <= MONEY_MAX);
    } else if (reason == REJECT_none && world_event(&d->w, EVENT_trade) == NULL) {
        int64_t rise = d->w.c->accounts[account].requirement.v - before;
        assert_true(rise >= 0); /* adding an order never lowers it */
        assert_true(rise == 0 || rise <= free);
    }
    return reason;
}

static void random_cancel(struct desk *d)
{
    struct command cmd = {0};
    uint32_t account = (uint32_t)(ACCOUNTS_FIRST + below(d, ACCOUNTS));
    int64_t before = d->w.c->accounts[account].requirement.v;
    cmd.cancel_many.instrument = (uint32_t)(1 + below(d, 14));
    (void)world_step(&d->w, &cmd, COMMAND_cancel_many, account);
    assert_true(d->w.c->accounts[account].requirement.v <= before);
}

static void random_run(struct desk *d)
{
    struct command cmd = {0};
    uint64_t run = d->w.c->span_venue->run;
    int64_t kind = below(d, 4);
    if (kind == 0) {
        cmd.margin_run = (struct command_margin_run){.run = run + (uint64_t)below(d, 2)};
        (void)world_step(&d->w, &cmd, COMMAND_margin_run, 0);
    } else if (kind == 1) {
        uint32_t count = d->w.c->span_venue->results + (uint32_t)(below(d, 4) == 0);
        cmd.margin_run = (struct command_margin_run){run, MARGIN_RUN_commit, count};
        (void)world_step(&d->w, &cmd, COMMAND_margin_run, 0);
    } else {
        cmd.margin_result.run = run;
        cmd.margin_result.count = 1;
        cmd.margin_result.results[0].account = (uint32_t)(ACCOUNTS_FIRST + below(d, 2));
        cmd.margin_result.results[0].total = MONEY(below(d, 40000) - 100);
        cmd.header.kind = COMMAND_margin_result;
        cmd.header.size = (uint32_t)(sizeof cmd.header + 16 + sizeof(struct margin_result));
        cmd.header.seq = ++d->w.seq;
        cmd.header.ts = d->w.ts;
        assert_true(command_is_valid(&cmd, cmd.header.size));
        core_step(d->w.c, &cmd, &d->w.out);
        core_check(d->w.c);
    }
}

/* CONTRACT-03: what is required does not change. */
static uint64_t random_convert(struct desk *d)
{
    uint32_t account = (uint32_t)(ACCOUNTS_FIRST + below(d, ACCOUNTS));
    uint32_t standard = (uint32_t)(1 + below(d, 3)), micro = standard + 3;
    bool up = below(d, 2) != 0;
    struct command cmd = {.margin_convert = {.from = up ? micro : standard,
                                             .to = up ? standard : micro,
                                             .lots = QTY(1 + below(d, 3))}};
    if (below(d, 9) == 0) cmd.margin_convert.to = (uint32_t)below(d, 16);
    int64_t before = d->w.c->span_accounts[account].span;
    if (world_step(&d->w, &cmd, COMMAND_margin_convert, account) != REJECT_none) return 0;
    assert_true(d->w.c->span_accounts[account].span <= before); /* reduce-only orders may end */
    return 1;
}

static void random_step(struct desk *d, uint64_t *orders, uint64_t *refused, uint64_t *converted)
{
    int64_t dice = below(d, 100);
    if (dice < 70) {
        enum reject reason = random_order(d);
        *orders += reason == REJECT_none;
        *refused += reason == REJECT_insufficient_margin;
    } else if (dice < 74) {
        *converted += random_convert(d);
    } else if (dice < 85) {
        random_cancel(d);
    } else if (dice < 90) {
        (void)world_settle(&d->w, (uint32_t)(1 + below(d, 12)), (90 + below(d, 20)) * 1000 + 7);
    } else if (dice < 92) {
        (void)world_mark(&d->w);
    } else if (dice < 96) {
        (void)set_group(d, (uint32_t)(1 + below(d, 2)));
    } else if (dice < 97) {
        set_credits(d);
    } else {
        random_run(d);
    }
}

static void test_commands_against_the_naive_twin(void **state)
{
    (void)state;
    const char *text = getenv("DOJIMA_RANDOM_COMMANDS");
    uint64_t commands = text != NULL ? strtoull(text, NULL, 10) : 4000, orders = 0, refused = 0;
    uint64_t converted = 0;
    struct desk d;
    open_world(&d, 13);
    for (uint32_t g = 1; g <= 2; g++) assert_int_equal(set_group(&d, g), REJECT_none);
    set_credits(&d);
    assert_int_equal(world_try_spread(&d.w, 1, 2), REJECT_none);
    assert_int_equal(world_try_spread(&d.w, 3, 12), REJECT_none); /* SPAN against flat */
    for (uint32_t p = 1; p <= PRODUCTS; p++) (void)world_state(&d.w, p, STATE_open);
    for (uint32_t a = ACCOUNTS_FIRST; a < ACCOUNTS_FIRST + ACCOUNTS; a++) {
        (void)world_deposit(&d.w, a, a == ACCOUNTS_FIRST ? 2000 * E6 : 300000);
    }
    for (uint64_t n = 0; n < commands; n++) {
        random_step(&d, &orders, &refused, &converted);
        accounts_check(&d);
    }
    assert_true(orders > commands / 10 && refused > commands / 100);
    assert_true(converted > commands / 500);
    world_close(&d.w);
}

/* Sums that leave their range require all there is, and are exact again when they are back. */
static void test_out_of_range_and_back(void **state)
{
    (void)state;
    struct desk d;
    open_world(&d, 14);
    struct command cmd = {.margin_set = {.group = "A", .given = 3, .product_count = 1,
                                         .tier_count = 1}};
    cmd.margin_set.products[0] = (struct margin_product){1, 0, 1000000};
    cmd.margin_set.tiers[0].price_scan = MONEY(INT64_C(50000000000));
    assert_int_equal(world_step(&d.w, &cmd, COMMAND_margin_set, 0), REJECT_none);
    assert_int_equal(world_deposit(&d.w, 5, MONEY_MAX / 2), REJECT_none);
    (void)world_state(&d.w, 1, STATE_open);
    assert_int_equal(world_order(&d.w, 5, 1, SIDE_buy, 1000, 1), REJECT_none);
    int64_t one = d.w.c->accounts[5].requirement.v;
    assert_true(one == INT64_C(50000000000) * 1000000);
    assert_int_equal(world_order(&d.w, 5, 1, SIDE_buy, 1000, QTY_MAX / 1000),
                     REJECT_insufficient_margin);
    assert_int_equal(d.w.c->accounts[5].requirement.v, one);
    /* Beyond what any sum can hold: a scale is refused, by name. */
    cmd.margin_set.tiers[0].price_scan = MONEY(PRICE_MAX);
    assert_int_equal(world_step(&d.w, &cmd, COMMAND_margin_set, 0), REJECT_amount_overflow);
    world_close(&d.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worst_case_is_the_worst_outcome),
        cmocka_unit_test(test_monotone_and_capped),
        cmocka_unit_test(test_commands_against_the_naive_twin),
        cmocka_unit_test(test_out_of_range_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
