/* token_test.c: tokens (UNIT-02) against a naive twin over random commands: what is issued, moved,
 * pledged, escrowed, redeemed and expired, hour by hour; and the cases that a reader looks for. */
#include "core/compute_world_test.h"

#include "base/random.h"

enum {
    ACCOUNTS = 3,    /* the last one in collateralised mode */
    RESOURCES = 3,   /* of account 0, 1, 0; the last of another grade */
    CLASSES = 2,
    WEEK = 168,
    HOURS = 2 * WEEK, /* from a Monday on, that the twin knows */
    WEEKS = 2,       /* instruments of class 0: Monday to Friday, 14:00 to 02:00 */
    PEAK_FIRST = 14, /* of the week */
    PEAK_LAST = 4 * 24 + 25,
    CERTIFIED = 320, /* hours */
    LOT_WORK = 1000, /* nano-CT of a lot in an hour */
};

/* Everything again, in arrays. */
struct twin {
    int64_t first;
    int64_t free[ACCOUNTS][CLASSES][HOURS];
    int64_t escrow[RESOURCES][CLASSES][HOURS];
    int64_t issued[RESOURCES][HOURS];
    int64_t pledged[WEEKS]; /* lots, of the last account */
};

struct bench {
    struct world w;
    struct random random;
    uint32_t account[ACCOUNTS];
    uint32_t instrument[WEEKS];
    struct twin twin;
};

static const uint32_t resource_owner[RESOURCES] = {0, 1, 0};
static const uint32_t resource_class_of[RESOURCES] = {0, 0, 1};

static struct token_class class_of(uint32_t class)
{
    return (struct token_class){.vintage = 2026, .region = "eu",
                                .grade = class == 0 ? GRADE_server : GRADE_interactive};
}

static void certify(struct bench *b, uint32_t resource, int64_t work, int64_t hours)
{
    static const char *const names[RESOURCES] = {"r0", "r1", "r2"};
    struct command cmd = compute_certificate(&b->w, names[resource], 1, work, hours);
    cmd.certificate_submit.terms.class = class_of(resource_class_of[resource]);
    assert_int_equal(world_step(&b->w, &cmd, COMMAND_certificate_submit,
                                b->account[resource_owner[resource]]), REJECT_none);
}

/* Delivered; what of it is not about tokens does not matter here. */
static struct delivery_terms delivered(void)
{
    return (struct delivery_terms){
        .class = class_of(0), .grade_e6 = {E6, E6, E6}, .grade_cap_e6 = E6,
        .margin_seller_e6 = E6, .margin_buyer_e6 = E6, .buy_in_e6 = E6, .buy_in_max_e6 = E6,
        .last_days = 6, .position_days = 5, .notice_days = 4, .margin_days = 3, .canary_days = 1,
        .canary_by = 1, .meter_ns = 1, .sign_ns = 1, .buy_in_ns = 1, .challenge_ns = 1,
        .answer_ns = 1};
}

static uint32_t week_product(struct world *w)
{
    struct command p = world_product_terms("CTP");
    p.product_create.contract_unit = UNIT_hour;
    p.product_create.contract_size = 1;
    p.product_create.flags = PRODUCT_FLAG_HAS_FLOOR;
    p.product_create.settlement = SETTLEMENT_physical;
    p.product_create.delivery = delivered();
    return world_product(w, &p);
}

static void bench_open_of(struct bench *b, uint64_t seed, uint32_t balances)
{
    static const char *const names[ACCOUNTS] = {"a", "b", "c"};
    struct core_limits l = core_limits_small();
    l.balances = balances;
    memset(b, 0, sizeof *b);
    b->w = world_open(&l);
    b->w.check_every = 1;
    b->random = (struct random){seed};
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        assert_int_equal(world_try_account(&b->w, names[i], names[i],
                                           i == 2 ? MODE_collateralised : MODE_margined),
                         REJECT_none);
        b->account[i] = b->w.c->s->accounts;
    }
    assert_int_equal(compute_accredit(&b->w, "first", ROLE_certifier, 1), REJECT_none);
    struct command s = {.certification_set = {.flags = CERTIFICATION_HAS_ACCEPTANCE,
                                              .reason = "test"}};
    assert_int_equal(world_step(&b->w, &s, COMMAND_certification_set, 0), REJECT_none);
    assert_int_equal(world_confirm(&b->w, b->w.c->s->request_id, 2), REJECT_none);
    for (uint32_t i = 0; i < RESOURCES; i++) certify(b, i, 5000 + 2000 * i, CERTIFIED);
    uint32_t product = week_product(&b->w);
    b->instrument[0] = world_list(&b->w, product, "2027W01-PK");
    b->instrument[1] = world_list(&b->w, product, "2027W02-PK");
    b->twin.first = b->w.ts.v / NS_PER_HOUR;
}

static void bench_open(struct bench *b, uint64_t seed) { bench_open_of(b, seed, 4096); }

static int64_t below(struct bench *b, uint64_t bound)
{
    return (int64_t)random_below(&b->random, bound);
}

static bool hour_is_over(const struct bench *b, int64_t hour)
{
    return (b->twin.first + hour + 1) * NS_PER_HOUR <= b->w.ts.v;
}

/* ---- the twin's rules ---- */

static bool twin_may_issue(const struct bench *b, uint32_t r, int64_t hour, int64_t amount)
{
    const struct twin *t = &b->twin;
    int64_t work = certificate_work(b->w.c, r + 1, t->first + hour);
    int64_t bound = 0;
    for (uint32_t k = 0; k < CLASSES; k++) bound += t->escrow[r][k][hour];
    int64_t promised = t->issued[r][hour] > bound ? t->issued[r][hour] : bound;
    return work > 0 && !hour_is_over(b, hour) && promised + amount <= work;
}

static void twin_end_hours(struct bench *b)
{
    struct twin *t = &b->twin;
    for (int64_t h = 0; h < HOURS; h++) {
        if (!hour_is_over(b, h)) continue;
        for (uint32_t a = 0; a < ACCOUNTS; a++)
            for (uint32_t k = 0; k < CLASSES; k++) t->free[a][k][h] = 0;
        for (uint32_t r = 0; r < RESOURCES; r++) t->issued[r][h] = 0;
    }
    for (uint32_t d = 0; d < WEEKS; d++) {
        if (hour_is_over(b, d * WEEK + PEAK_LAST)) t->pledged[d] = 0;
    }
}

static bool is_peak(int64_t hour)
{
    int64_t of_week = hour % WEEK;
    return of_week >= PEAK_FIRST && of_week <= PEAK_LAST && (of_week - PEAK_FIRST) % 24 < 12;
}

static int64_t twin_pledged(const struct bench *b, uint32_t a, uint32_t k, int64_t hour)
{
    bool some = a == 2 && k == 0 && is_peak(hour) && !hour_is_over(b, hour);
    return some ? b->twin.pledged[hour / WEEK] * LOT_WORK : 0;
}

static int64_t held(const struct bench *b, uint32_t account, uint32_t k, int64_t hour)
{
    struct token_class class = class_of(k);
    uint32_t id = token_class_find(b->w.c, &class);
    if (id == NIL) return 0;
    return b->w.c->balances[balance_find(b->w.c, account, token_asset(id, b->twin.first + hour))]
        .amount;
}

static void compare(const struct bench *b)
{
    const struct twin *t = &b->twin;
    for (int64_t h = 0; h < HOURS; h++) {
        for (uint32_t k = 0; k < CLASSES; k++) {
            int64_t escrowed = 0, pledged = 0, all = 0;
            for (uint32_t a = 0; a < ACCOUNTS; a++) {
                assert_int_equal(held(b, b->account[a], k, h), t->free[a][k][h]);
                pledged += twin_pledged(b, a, k, h);
                all += t->free[a][k][h];
            }
            for (uint32_t r = 0; r < RESOURCES; r++) escrowed += t->escrow[r][k][h];
            if (b->w.c->token.s->account_escrow == NIL) continue;
            assert_int_equal(held(b, b->w.c->token.s->account_escrow, k, h), escrowed);
            assert_int_equal(held(b, b->w.c->s->account_collateral, k, h), pledged);
            assert_int_equal(-held(b, b->w.c->s->account_issuer, k, h), all + escrowed + pledged);
        }
    }
    for (uint32_t d = 0; d < WEEKS; d++) {
        int64_t lots = hour_is_over(b, d * WEEK + PEAK_FIRST) ? 0 : t->pledged[d];
        assert_int_equal(token_cover_lots(b->w.c, b->account[2], b->instrument[d]), lots);
    }
}

/* ---- random commands, foretold ---- */

/* Some hours; now and then those of a peak week, so that pledges find what they need. */
static int64_t random_hours(struct bench *b, bool week, int64_t *hours)
{
    *hours = week ? PEAK_LAST - PEAK_FIRST + 1 : 1 + below(b, below(b, 2) ? 200 : 3);
    if (week) return below(b, WEEKS) * WEEK + PEAK_FIRST;
    return below(b, (uint64_t)(HOURS - *hours));
}

static void random_issue(struct bench *b)
{
    struct twin *t = &b->twin;
    bool week = below(b, 3) == 0;
    uint32_t r = week ? 0 : (uint32_t)below(b, RESOURCES), a = resource_owner[r];
    uint32_t k = resource_class_of[r];
    int64_t hours, from = random_hours(b, week, &hours), amount = 1 + below(b, 3000);
    bool retire = below(b, 4) == 0, may = true;
    if (week) amount = LOT_WORK;
    for (int64_t h = from; h < from + hours; h++) {
        bool back = t->issued[r][h] >= amount && t->free[a][k][h] >= amount;
        bool open = !hour_is_over(b, h) && certificate_work(b->w.c, r + 1, t->first + h) > 0;
        may = may && (retire ? back && open : twin_may_issue(b, r, h, amount));
    }
    struct command cmd = {.token_issue = {.resource = r + 1, .hours = (uint32_t)hours,
                                          .hour = t->first + from, .amount = amount,
                                          .retire = retire}};
    enum reject reason = world_step(&b->w, &cmd, COMMAND_token_issue, b->account[a]);
    assert_int_equal(reason == REJECT_none, may);
    for (int64_t h = from; h < from + hours && may; h++) {
        t->issued[r][h] += retire ? -amount : amount;
        t->free[a][k][h] += retire ? -amount : amount;
    }
}

static void random_transfer(struct bench *b)
{
    struct twin *t = &b->twin;
    uint32_t a = (uint32_t)below(b, ACCOUNTS), to = (uint32_t)below(b, ACCOUNTS);
    uint32_t k = below(b, 5) == 0;
    bool week = below(b, 3) == 0;
    int64_t hours, from = random_hours(b, week, &hours), amount = 1 + below(b, 2000);
    if (week) {
        a = k = 0;
        to = 2;
        amount = LOT_WORK;
    }
    bool may = a != to;
    for (int64_t h = from; h < from + hours; h++)
        may = may && !hour_is_over(b, h) && t->free[a][k][h] >= amount;
    struct command cmd = {.token_transfer = {.class = class_of(k), .hour = t->first + from,
                                             .hours = (uint32_t)hours, .amount = amount,
                                             .to = b->account[to]}};
    enum reject reason = world_step(&b->w, &cmd, COMMAND_token_transfer, b->account[a]);
    assert_int_equal(reason == REJECT_none, may);
    for (int64_t h = from; h < from + hours && may; h++) {
        t->free[a][k][h] -= amount;
        t->free[to][k][h] += amount;
    }
}

static void twin_pledge(struct bench *b, uint32_t week, int64_t lots)
{
    for (int64_t h = week * WEEK; h < (week + 1) * WEEK; h++) {
        if (is_peak(h) && !hour_is_over(b, h)) b->twin.free[2][0][h] -= lots * LOT_WORK;
    }
    b->twin.pledged[week] += lots;
}

static void random_pledge(struct bench *b)
{
    uint32_t week = (uint32_t)below(b, WEEKS);
    int64_t lots = 1 + below(b, 2), first = week * WEEK;
    bool release = below(b, 3) == 0, may = release ? b->twin.pledged[week] >= lots
                                                   : !hour_is_over(b, first + PEAK_FIRST);
    for (int64_t h = first; h < first + WEEK && !release; h++)
        may = may && (!is_peak(h) || b->twin.free[2][0][h] >= lots * LOT_WORK);
    struct command cmd = {.token_pledge = {.instrument = b->instrument[week], .lots = lots,
                                           .release = release}};
    enum reject reason = world_step(&b->w, &cmd, COMMAND_token_pledge, b->account[2]);
    assert_int_equal(reason == REJECT_none, may);
    if (may) twin_pledge(b, week, release ? -lots : lots);
}

/* What a delivery does in the middle of a command. */
static void random_escrow(struct bench *b)
{
    struct twin *t = &b->twin;
    uint32_t r = (uint32_t)below(b, RESOURCES), a = resource_owner[r];
    uint32_t k = resource_class_of[r] == 1 ? (uint32_t)below(b, 2) : 0; /* a better grade may */
    int64_t h = below(b, HOURS), amount = 1 + below(b, 3000), bound = 0;
    struct token_class class = class_of(k);
    outbox_reset(&b->w.out, b->w.seq, b->w.ts);
    b->w.c->out = &b->w.out;
    if (below(b, 2)) {
        for (uint32_t i = 0; i < CLASSES; i++) bound += t->escrow[r][i][h];
        int64_t work = certificate_work(b->w.c, r + 1, t->first + h);
        bool may = work > 0 && bound + amount <= work && !hour_is_over(b, h) &&
                   t->free[a][k][h] >= amount;
        enum reject reason =
            token_escrow(b->w.c, b->account[a], r + 1, &class, t->first + h, amount);
        assert_int_equal(reason == REJECT_none, may);
        if (may) {
            t->escrow[r][k][h] += amount;
            t->free[a][k][h] -= amount;
        }
    } else if (t->escrow[r][k][h] > 0) {
        amount = 1 + below(b, (uint64_t)t->escrow[r][k][h]);
        bool redeem = below(b, 2);
        t->escrow[r][k][h] -= amount;
        if (redeem)
            token_redeem(b->w.c, b->account[a], r + 1, &class, t->first + h, amount);
        else
            token_escrow_return(b->w.c, b->account[a], r + 1, &class, t->first + h, amount);
        if (!redeem && !hour_is_over(b, h)) t->free[a][k][h] += amount;
    }
    b->w.c->out = NULL;
}

static void test_against_the_twin(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct bench *b = malloc(sizeof *b);
        assert_non_null(b);
        bench_open(b, seed);
        for (uint32_t i = 0; i < 900; i++) {
            switch (below(b, 12)) {
            case 0:
            case 1:
            case 2:
            case 3: random_issue(b); break;
            case 4:
            case 5:
            case 6: random_transfer(b); break;
            case 7:
            case 8: random_pledge(b); break;
            case 9:
            case 10: random_escrow(b); break;
            default:
                if (below(b, 3) != 0) break;
                compute_wait(&b->w, below(b, 6) * NS_PER_HOUR + 1);
                twin_end_hours(b);
                break;
            }
            compare(b);
        }
        compute_wait(&b->w, HOURS * NS_PER_HOUR);
        twin_end_hours(b);
        compare(b);
        world_close(&b->w);
        free(b);
    }
}

/* ---- what a reader looks for ---- */

static enum reject issue(struct bench *b, uint32_t r, int64_t hour, int64_t hours, int64_t amount)
{
    struct command cmd = {.token_issue = {.resource = r + 1, .hours = (uint32_t)hours,
                                          .hour = b->twin.first + hour, .amount = amount}};
    return world_step(&b->w, &cmd, COMMAND_token_issue, b->account[resource_owner[r]]);
}

static enum reject give(struct bench *b, uint32_t to, int64_t hour, int64_t hours, int64_t amount)
{
    struct command cmd = {.token_transfer = {.class = class_of(0), .hour = b->twin.first + hour,
                                             .hours = (uint32_t)hours, .amount = amount,
                                             .to = b->account[to]}};
    return world_step(&b->w, &cmd, COMMAND_token_transfer, b->account[0]);
}

static void test_all_hours_or_none(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    assert_int_equal(issue(&b, 0, 10, 1, 5000), REJECT_none);
    assert_int_equal(issue(&b, 0, 0, 24, 1), REJECT_insufficient_supply); /* hour 10 is full */
    assert_int_equal(held(&b, b.account[0], 0, 0), 0);
    /* The certificate ends before the second hour. */
    assert_int_equal(issue(&b, 0, CERTIFIED - 1, 2, 1), REJECT_uncertified);
    assert_int_equal(issue(&b, 0, 0, 10, 5001), REJECT_insufficient_supply);
    assert_int_equal(issue(&b, 0, 0, 10, 0), REJECT_invalid_amount);
    world_close(&b.w);
}

static void test_expired_at_the_end_of_the_hour(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    assert_int_equal(issue(&b, 0, 0, 2, 5000), REJECT_none);
    assert_int_equal(b.w.c->token.s->slot_map_count, 2);
    compute_wait(&b.w, NS_PER_HOUR - 1);
    assert_int_equal(held(&b, b.account[0], 0, 0), 5000);
    compute_wait(&b.w, 1);
    assert_int_equal(held(&b, b.account[0], 0, 0), 0);
    assert_int_equal(held(&b, b.account[0], 0, 1), 5000);
    assert_int_equal(give(&b, 1, 0, 1, 1), REJECT_insufficient_funds);
    assert_int_equal(issue(&b, 0, 0, 1, 1), REJECT_invalid_hour);
    assert_int_equal(b.w.c->token.s->slot_map_count, 1); /* its place is given back */
    compute_wait(&b.w, NS_PER_HOUR);
    assert_int_equal(b.w.c->token.s->slot_map_count, 0);
    assert_int_equal(b.w.c->certify.s->promise_map_count, 0);
    world_close(&b.w);
}

/* CLEAR-08: pledged tokens of the hours cover shorts; without them the sell goes. */
static void test_pledged_tokens_cover_shorts(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    struct command cmd = {.token_pledge = {.instrument = b.instrument[0], .lots = 2}};
    assert_int_equal(world_state(&b.w, 1, STATE_open), REJECT_none);
    assert_int_equal(world_deposit(&b.w, b.account[2], 100 * E6), REJECT_none);
    assert_int_equal(world_order(&b.w, b.account[2], b.instrument[0], SIDE_sell, E6, 1),
                     REJECT_insufficient_margin);
    assert_int_equal(issue(&b, 0, 14, 108, 3000), REJECT_none);
    assert_int_equal(give(&b, 2, 14, 107, 2000), REJECT_none);
    assert_int_equal(world_step(&b.w, &cmd, COMMAND_token_pledge, b.account[2]),
                     REJECT_insufficient_funds); /* an hour is missing */
    assert_int_equal(give(&b, 2, PEAK_LAST, 1, 2000), REJECT_none);
    assert_int_equal(world_step(&b.w, &cmd, COMMAND_token_pledge, b.account[2]), REJECT_none);
    assert_int_equal(world_order(&b.w, b.account[2], b.instrument[0], SIDE_sell, E6, 3),
                     REJECT_insufficient_margin);
    assert_int_equal(world_order(&b.w, b.account[2], b.instrument[0], SIDE_sell, E6, 1),
                     REJECT_none);
    assert_int_equal(world_order(&b.w, b.account[1], b.instrument[0], SIDE_buy, E6, 1),
                     REJECT_none);
    assert_int_equal(world_exposure(&b.w, b.account[2], b.instrument[0])->position, -1);
    assert_int_equal(world_order(&b.w, b.account[2], b.instrument[0], SIDE_sell, E6, 1),
                     REJECT_none);
    cmd.token_pledge.release = 1;
    cmd.token_pledge.lots = 1;
    assert_int_equal(world_step(&b.w, &cmd, COMMAND_token_pledge, b.account[2]),
                     REJECT_insufficient_margin); /* the working sell needs it */
    struct command move = {.token_transfer = {.class = class_of(0), .hours = 1, .amount = 1,
                                              .hour = b.twin.first + 14, .to = b.account[0]}};
    assert_int_equal(world_step(&b.w, &move, COMMAND_token_transfer, b.account[2]),
                     REJECT_insufficient_funds); /* what is pledged cannot be transferred */
    assert_int_equal(b.w.c->accounts[b.account[2]].order_count, 1);
    compute_wait(&b.w, 15 * NS_PER_HOUR); /* the first hour is over: the cover falls away */
    assert_int_equal(world_exposure(&b.w, b.account[2], b.instrument[0])->cover, 0);
    assert_int_equal(b.w.c->accounts[b.account[2]].order_count, 0);
    world_close(&b.w);
}

/* Escrow takes what is free, then what was pledged. */
static void test_escrow_ends_a_pledge(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    struct command r = compute_certificate(&b.w, "r9", 1, 9000, CERTIFIED);
    assert_int_equal(world_step(&b.w, &r, COMMAND_certificate_submit, b.account[2]), REJECT_none);
    struct command i = {.token_issue = {.resource = 4, .hours = 108, .hour = b.twin.first + 14,
                                        .amount = 5000}};
    assert_int_equal(world_step(&b.w, &i, COMMAND_token_issue, b.account[2]), REJECT_none);
    struct command p = {.token_pledge = {.instrument = b.instrument[0], .lots = 4}};
    assert_int_equal(world_step(&b.w, &p, COMMAND_token_pledge, b.account[2]), REJECT_none);
    struct token_class class = class_of(0);
    outbox_reset(&b.w.out, b.w.seq, b.w.ts);
    b.w.c->out = &b.w.out;
    assert_int_equal(token_escrow(b.w.c, b.account[2], 4, &class, b.twin.first + 16, 3000),
                     REJECT_none);
    b.w.c->out = NULL;
    core_check(b.w.c);
    assert_int_equal(token_cover_lots(b.w.c, b.account[2], b.instrument[0]), 0);
    assert_int_equal(held(&b, b.account[2], 0, 16), 2000);
    assert_int_equal(held(&b, b.account[2], 0, 40), 5000);
    assert_int_equal(token_escrowed(b.w.c, 4, b.twin.first + 16), 3000);
    world_close(&b.w);
}

/* What a resource is to deliver is promised, whoever issued the tokens. */
static void test_escrow_binds_the_resource(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, 1);
    struct token_class class = class_of(0);
    assert_int_equal(issue(&b, 0, 16, 1, 5000), REJECT_none);
    assert_int_equal(give(&b, 1, 16, 1, 5000), REJECT_none);
    outbox_reset(&b.w.out, b.w.seq, b.w.ts);
    b.w.c->out = &b.w.out;
    assert_int_equal(token_escrow(b.w.c, b.account[1], 2, &class, b.twin.first + 16, 4000),
                     REJECT_none);
    b.w.c->out = NULL;
    assert_int_equal(certificate_supply(b.w.c, 2, b.twin.first + 16), 3000); /* of 7000 */
    assert_int_equal(issue(&b, 1, 16, 1, 3001), REJECT_insufficient_supply);
    assert_int_equal(issue(&b, 1, 16, 1, 3000), REJECT_none);
    world_close(&b.w);
}

static uint32_t accounts_open(struct bench *b)
{
    uint32_t opened = 0;
    for (char name[] = "d"; world_try_account(&b->w, name, "a", MODE_margined) == REJECT_none;
         name[0] += 1)
        opened += 1;
    return opened;
}

/* However many tokens there are, every account that the venue may have has a place for money. */
static void test_accounts_have_room(void **state)
{
    (void)state;
    struct bench few, many;
    enum { HERE = 24, PLACES = 96 };
    bench_open_of(&few, 1, PLACES);
    bench_open_of(&many, 1, PLACES);
    assert_int_equal(issue(&few, 0, 0, 1, 1), REJECT_none);
    assert_int_equal(issue(&many, 0, 0, HERE, HERE), REJECT_none);
    enum reject reason = REJECT_none;
    for (uint32_t i = 0; i < 2 * HERE && reason == REJECT_none; i++)
        reason = give(&many, 1 + i / HERE, i % HERE, 1, 1);
    assert_int_equal(reason, REJECT_capacity_exhausted);
    uint32_t opened = accounts_open(&few);
    assert_true(opened > 0);
    assert_int_equal(accounts_open(&many), opened);
    world_close(&few.w);
    world_close(&many.w);
}

static void test_names_and_ids(void **state)
{
    (void)state;
    char text[TOKEN_NAME_SIZE];
    struct token_class class = class_of(0);
    uint32_t asset = token_asset(TOKEN_CLASSES_MAX, TOKEN_HOUR_END - 1);
    assert_int_equal(asset, ASSET_INSTRUMENT - 1);
    assert_int_equal(token_asset_class(asset), TOKEN_CLASSES_MAX);
    assert_int_equal(token_asset_hour(asset), TOKEN_HOUR_END - 1);
    token_name_write(&class, 500443, text); /* 2027-02-02T19 */
    assert_string_equal(text, "CT-2026-server-eu-2027020219");
    token_name_write(&class, 509615, text);
    assert_string_equal(text, "CT-2026-server-eu-2028021923");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_twin),
        cmocka_unit_test(test_all_hours_or_none),
        cmocka_unit_test(test_expired_at_the_end_of_the_hour),
        cmocka_unit_test(test_pledged_tokens_cover_shorts),
        cmocka_unit_test(test_escrow_ends_a_pledge),
        cmocka_unit_test(test_escrow_binds_the_resource),
        cmocka_unit_test(test_accounts_have_room),
        cmocka_unit_test(test_names_and_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
