/* default_test.c: defaults against a naive account of who has to pay (CLEAR-10, CLEAR-11).
 *
 * Random worlds: members with house accounts and clients, random positions, a random fund, own
 * capital; then marks at random prices, defaults (one or several, one after another), auctions with
 * random bids, hedges, allocations, assessments paid or missed, tear-ups, closings, recoveries.
 * After every command all invariants of the state are asserted (world_test.h); after every
 * allocation the postings are compared with a waterfall that is written down here once more, in the
 * simplest way: from what everybody had before it.
 *
 * DOJIMA_DEFAULT_WORLDS sets how many worlds are played (default 150).
 */
#include "core/world_test.h"

#include "base/random.h"
#include "core/default.h"

enum { MEMBERS = 6, ACCOUNTS_MAX = 64, INSTRUMENTS = 2, STEPS = 60 };

struct story {
    struct world w;
    struct random r;
    uint32_t house[MEMBERS];
    uint32_t client[MEMBERS];
    uint32_t member[MEMBERS];
    uint32_t instrument[INSTRUMENTS];
    int64_t gain[ACCOUNTS_MAX];  /* variation since the market last stood paid, less what was cut */
    int64_t declared[MEMBERS][MEMBERS]; /* contributions when [defaulter] was declared */
    int64_t used[MEMBERS][MEMBERS];     /* of those, for that default */
    int64_t assessed[MEMBERS];          /* paid in the period */
    uint64_t seen[LAYER_count];         /* how often a layer was used: the worlds must reach it */
    uint64_t closed;
    uint64_t awards;
    uint64_t refunds;
};

static uint64_t below(struct story *s, uint64_t n) { return random_below(&s->r, n); }

static int64_t cash(const struct story *s, uint32_t account)
{
    return account == NIL ? 0 : ledger_cash(s->w.c, account);
}

static bool gone(const struct story *s, int i)
{
    return s->w.c->defaults[s->member[i]].status != DEFAULT_STATUS_none;
}

static bool is_open(const struct story *s, int i)
{
    return s->w.c->defaults[s->member[i]].status == DEFAULT_STATUS_open;
}

/* ---- commands ---- */

static enum reject fund_command(struct story *s, enum fund_action action, uint32_t account,
                                uint32_t member, int64_t amount, int64_t skin)
{
    struct command cmd = {.fund_move = {.action = (uint32_t)action, .member = member,
                                        .amount = MONEY(amount), .skin = MONEY(skin)}};
    return world_step(&s->w, &cmd, COMMAND_fund_move, account);
}

static enum reject size_fund(struct story *s)
{
    struct command cmd = {.fund_size = {.date = 20822, .basis = FUND_BASIS_stress}};
    for (uint32_t i = 0; i < MEMBERS; i++) {
        if (gone(s, (int)i)) continue;
        cmd.fund_size.shares[cmd.fund_size.count++] =
            (struct fund_share){.member = s->member[i],
                                .stress_loss = MONEY((int64_t)below(s, 60 * E6))};
    }
    cmd.header.kind = COMMAND_fund_size;
    cmd.header.size = (uint32_t)(sizeof cmd.header + offsetof(struct command_fund_size, shares) +
                                 cmd.fund_size.count * sizeof cmd.fund_size.shares[0]);
    cmd.header.seq = ++s->w.seq;
    cmd.header.ts = s->w.ts;
    assert_true(command_is_valid(&cmd, cmd.header.size));
    core_step(s->w.c, &cmd, &s->w.out);
    core_check(s->w.c);
    return world_event(&s->w, EVENT_reject) == NULL ? REJECT_none : REJECT_invalid_state;
}

static enum reject step(struct story *s, enum default_action action, int i)
{
    struct command cmd = {.default_step = {.member = s->member[i], .action = (uint32_t)action}};
    return world_step(&s->w, &cmd, COMMAND_default_step, 0);
}

static void tick(struct story *s)
{
    struct command cmd = {0};
    assert_int_equal(world_step(&s->w, &cmd, COMMAND_tick, 0), REJECT_none);
}

/* ---- what is posted ---- */

static int64_t posted(const struct story *s, enum posting_code code, uint32_t account)
{
    int64_t sum = 0;
    const struct event_header *e = NULL;
    while ((e = outbox_next(&s->w.out, e)) != NULL) {
        const struct event_posting *p = (const struct event_posting *)(const void *)e;
        if (e->kind != EVENT_posting || p->code != code || p->account != account) continue;
        if (p->asset == ASSET_USD) sum += p->amount;
    }
    return sum;
}

static void mark(struct story *s)
{
    bool owed = false;
    for (int i = 0; i < INSTRUMENTS; i++) {
        int64_t price = 90 * E6 + (int64_t)below(s, 20 * E6);
        if (below(s, 6) == 0) price = (int64_t)below(s, 200 * E6);
        assert_int_equal(world_settle(&s->w, s->instrument[i], price), REJECT_none);
    }
    assert_int_equal(world_mark(&s->w), REJECT_none);
    for (int i = 0; i < MEMBERS; i++) {
        s->gain[s->house[i]] += posted(s, POSTING_variation, s->house[i]);
        s->gain[s->client[i]] += posted(s, POSTING_variation, s->client[i]);
        if (!gone(s, i) && cash(s, s->house[i]) < 0) owed = true;
    }
    if (!owed && s->w.c->fund->open == 0) memset(s->gain, 0, sizeof s->gain);
}

/* ---- the waterfall, once more ---- */

struct before {
    int64_t deficit;
    int64_t own;
    int64_t skin;
    int64_t capital;
    int64_t usable[MEMBERS]; /* of contributions */
    int tier[MEMBERS];
    int64_t gain[ACCOUNTS_MAX];
    bool holds;
};

static struct before look(const struct story *s, int d)
{
    const struct core *c = s->w.c;
    uint32_t defaulter = s->member[d];
    struct before b = {.deficit = -cash(s, c->defaults[defaulter].estate)};
    b.own = cash(s, c->fund_members[defaulter].account);
    b.skin = cash(s, c->fund->skin);
    b.capital = cash(s, c->fund->capital);
    for (int i = 0; i < MEMBERS; i++) {
        int64_t left = s->declared[d][i] - s->used[d][i];
        b.tier[i] = *tier_at(c, defaulter, s->member[i]);
        if (gone(s, i)) {
            b.gain[s->client[i]] = int64_max(0, s->gain[s->client[i]]);
            continue;
        }
        b.usable[i] = int64_min(left, cash(s, c->fund_members[s->member[i]].account));
        b.gain[s->house[i]] = int64_max(0, s->gain[s->house[i]]);
        b.gain[s->client[i]] = int64_max(0, s->gain[s->client[i]]);
    }
    for (uint32_t e = c->accounts[c->defaults[defaulter].estate].exposures; e != NIL;
         e = c->exposures[e].next) {
        if (c->exposures[e].position != 0) b.holds = true;
    }
    return b;
}

/* `paid` of `own` where all together paid `amount` of `sum`: nobody more than it has, and pro rata
 * but for a micro-dollar a payer. */
static void check_share(int64_t paid, int64_t own, int64_t amount, int64_t sum)
{
    assert_true(paid >= 0 && paid <= own);
    int128_t off = (int128_t)paid * sum - (int128_t)amount * own;
    if (off < 0) off = -off;
    assert_true(off <= (int128_t)sum * 2 * MEMBERS);
}

static int64_t check_tier(struct story *s, int d, const struct before *b, int tier, int64_t need)
{
    int64_t sum = 0, all = 0;
    for (int i = 0; i < MEMBERS; i++) {
        if (i != d && b->tier[i] == tier) sum += b->usable[i];
    }
    int64_t amount = int64_min(need, sum);
    for (int i = 0; i < MEMBERS; i++) {
        if (i == d || b->tier[i] != tier || gone(s, i)) continue;
        uint32_t fund = s->w.c->fund_members[s->member[i]].account;
        int64_t paid = fund == NIL ? 0 : -posted(s, POSTING_default_fund, fund);
        check_share(paid, b->usable[i], amount, sum);
        s->used[d][i] += paid;
        assert_true(s->used[d][i] <= s->declared[d][i]);
        all += paid;
    }
    assert_int_equal(all, amount);
    if (amount > 0) s->seen[LAYER_survivors] += 1;
    return need - amount;
}

static int64_t check_one(struct story *s, enum default_layer layer, enum posting_code code,
                         uint32_t account, int64_t has, int64_t need)
{
    int64_t paid = account == NIL ? 0 : -posted(s, code, account);
    assert_int_equal(paid, int64_min(has, need));
    if (paid > 0) s->seen[layer] += 1;
    return need - paid;
}

static int64_t check_gains(struct story *s, const struct before *b, int64_t need, bool waits)
{
    int64_t sum = 0, all = 0;
    for (int a = 0; a < ACCOUNTS_MAX; a++) sum += b->gain[a];
    int64_t amount = waits ? 0 : int64_min(need, sum);
    for (uint32_t a = 1; a < ACCOUNTS_MAX && a <= s->w.c->s->accounts; a++) {
        if (s->w.c->accounts[a].system != 0) continue;
        int64_t paid = -posted(s, POSTING_default_gains, a);
        check_share(paid, b->gain[a], amount, sum);
        s->gain[a] -= paid;
        all += paid;
    }
    assert_int_equal(all, amount);
    if (amount > 0) s->seen[LAYER_gains] += 1;
    return need - amount;
}

static bool assessment_waits(const struct story *s)
{
    for (int i = 0; i < MEMBERS; i++) {
        const struct fund_member *f = &s->w.c->fund_members[s->member[i]];
        if (f->assessment.v > 0 && f->assessment_deadline.v > s->w.ts.v) return true;
    }
    return false;
}

static void allocate(struct story *s, int d)
{
    const struct core *c = s->w.c;
    const struct default_record *r = &c->defaults[s->member[d]];
    struct before b = look(s, d);
    assert_int_equal(step(s, DEFAULT_allocate, d), REJECT_none);
    int64_t need = int64_max(0, b.deficit);
    uint32_t own = c->fund_members[s->member[d]].account;
    need = check_one(s, LAYER_own_fund, POSTING_default_own_fund, own, b.own, need);
    need = check_one(s, LAYER_skin, POSTING_default_skin, c->fund->skin, b.skin, need);
    for (int tier = TIER_junior; tier >= TIER_senior; tier--) {
        need = check_tier(s, d, &b, tier, need);
    }
    bool waits = need > 0 && assessment_waits(s);
    if (waits) s->seen[LAYER_assessment] += 1;
    need = check_gains(s, &b, need, waits);
    int64_t capital = waits || b.holds ? 0 : b.capital;
    need = check_one(s, LAYER_capital, POSTING_default_capital, c->fund->capital, capital, need);
    assert_int_equal(-cash(s, r->estate), b.deficit > 0 ? need : b.deficit);
}

/* ---- what else happens ---- */

static void declare(struct story *s, int d)
{
    struct command cmd = {.default_declare = {.member = s->member[d], .reason = "test"}};
    if (s->w.c->fund->open == 0) memset(s->assessed, 0, sizeof s->assessed);
    int64_t had = cash(s, s->house[d]);
    assert_int_equal(world_step(&s->w, &cmd, COMMAND_default_declare, 0), REJECT_none);
    assert_int_equal(cash(s, s->house[d]), 0);
    assert_int_equal(cash(s, s->w.c->defaults[s->member[d]].estate), had);
    for (int i = 0; i < MEMBERS; i++) {
        s->declared[d][i] = cash(s, s->w.c->fund_members[s->member[i]].account);
        s->used[d][i] = 0;
    }
}

static void pay(struct story *s, int i)
{
    const struct fund_member *f = &s->w.c->fund_members[s->member[i]];
    int64_t amount = f->assessment.v == 0 ? 0 : 1 + (int64_t)below(s, (uint64_t)f->assessment.v);
    if (amount == 0) return;
    if (fund_command(s, FUND_assessment, s->house[i], 0, amount, 0) != REJECT_none) return;
    s->assessed[i] += amount;
}

static void auction(struct story *s, int d)
{
    struct command cmd = {.portfolio_open = {.member = s->member[d],
                                             .portions = 1 + (uint32_t)below(s, 5),
                                             .bidders_min = 1 + (uint32_t)below(s, 3),
                                             .flags = (uint32_t)below(s, 2)}};
    cmd.portfolio_open.deadline = TS(s->w.ts.v + NS_PER_SECOND);
    uint32_t portions = cmd.portfolio_open.portions;
    if (world_step(&s->w, &cmd, COMMAND_portfolio_open, 0) != REJECT_none) return;
    const struct portfolio *a = &s->w.c->defaults[s->member[d]].auction;
    for (int n = (int)below(s, 7); n > 0; n--) {
        int i = (int)below(s, MEMBERS);
        struct command bid = {.portfolio_bid = {.auction = a->id,
                                                .portions = (uint32_t)below(s, portions + 1),
                                                .price = MONEY((int64_t)below(s, 30 * E6) -
                                                               25 * E6)}};
        uint32_t account = below(s, 4) == 0 ? s->client[i] : s->house[i];
        (void)world_step(&s->w, &bid, COMMAND_portfolio_bid, account);
        assert_null(world_event(&s->w, EVENT_portfolio)); /* nothing happens before its end */
    }
    int64_t estate = cash(s, s->w.c->defaults[s->member[d]].estate);
    int128_t resources = default_resources(s->w.c, s->member[d]);
    s->w.ts.v += NS_PER_SECOND;
    tick(s);
    assert_int_not_equal(a->status, PORTFOLIO_open);
    assert_true(a->awarded <= portions);
    if (resources < 0) resources = 0;
    assert_true(-(int128_t)a->paid.v <= resources);
    assert_int_equal(cash(s, s->w.c->defaults[s->member[d]].estate), estate + a->paid.v);
    s->awards += a->awarded > 0;
}

static void hedge(struct story *s, int d)
{
    struct command cmd = {.default_hedge = {.member = s->member[d],
                                            .instrument = s->instrument[below(s, INSTRUMENTS)],
                                            .side = (uint32_t)below(s, 2),
                                            .price = PRICE((90 + (int64_t)below(s, 20)) * E6),
                                            .qty = QTY(1 + (int64_t)below(s, 3))}};
    (void)world_step(&s->w, &cmd, COMMAND_default_hedge, 0);
}

/* What is paid back: the last layer first, and the next only when that has got everything. */
static void check_refunds(struct story *s, int d)
{
    uint32_t last = LAYER_count;
    const struct event_header *e = NULL;
    while ((e = outbox_next(&s->w.out, e)) != NULL) {
        const struct event_default_layer *l = (const struct event_default_layer *)(const void *)e;
        if (e->kind != EVENT_default_layer || l->amount.v >= 0) continue;
        assert_true(l->layer <= last);
        for (uint32_t above = l->layer + 1; above < LAYER_count; above++) {
            assert_int_equal(default_claims_of(s->w.c, s->member[d], above), 0);
        }
        last = l->layer;
        s->refunds += 1;
    }
}

static void finish(struct story *s, int d)
{
    if (step(s, DEFAULT_close, d) != REJECT_none) return;
    check_refunds(s, d);
    s->closed += 1;
    assert_int_equal(cash(s, s->w.c->defaults[s->member[d]].estate), 0);
    for (int i = 0; i < MEMBERS; i++) { /* what nobody has to pay beyond, before the haircut */
        assert_true(s->used[d][i] <= s->declared[d][i]);
    }
    if (below(s, 2) == 0) return;
    int64_t owed = 0;
    for (uint32_t l = LAYER_skin; l < LAYER_count; l++) {
        owed += default_claims_of(s->w.c, s->member[d], l);
    }
    int64_t came = 1 + (int64_t)below(s, 40 * E6);
    assert_int_equal(fund_command(s, FUND_recover, 0, s->member[d], came, 0), REJECT_none);
    check_refunds(s, d);
    int64_t still = 0;
    for (uint32_t l = LAYER_skin; l < LAYER_count; l++) {
        still += default_claims_of(s->w.c, s->member[d], l);
    }
    assert_int_equal(still, int64_max(0, owed - came));
}

static void trade(struct story *s)
{
    int a = (int)below(s, MEMBERS), b = (int)below(s, MEMBERS);
    uint32_t buyer = below(s, 4) == 0 ? s->client[a] : s->house[a];
    uint32_t seller = below(s, 4) == 0 ? s->client[b] : s->house[b];
    uint32_t instrument = s->instrument[below(s, INSTRUMENTS)];
    int64_t price = (90 + (int64_t)below(s, 20)) * E6, lots = 1 + (int64_t)below(s, 9);
    (void)world_order(&s->w, buyer, instrument, SIDE_buy, price, lots);
    (void)world_order(&s->w, seller, instrument, SIDE_sell, price, lots);
}

static void settle_down(struct story *s, int d)
{
    if (below(s, 3) == 0) allocate(s, d);
    if (below(s, 4) == 0) auction(s, d);
    if (below(s, 6) == 0) hedge(s, d);
    if (below(s, 8) == 0) (void)step(s, DEFAULT_tear_up, d);
    if (below(s, 4) == 0) finish(s, d);
}

static void act(struct story *s)
{
    uint64_t dice = below(s, 10);
    if (dice < 3) trade(s);
    else if (dice < 6) mark(s);
    else if (dice == 6) s->w.ts.v += NS_PER_DAY * (int64_t)below(s, 4);
    else if (dice == 7) (void)size_fund(s);
    else if (dice == 8) pay(s, (int)below(s, MEMBERS));
    for (int d = 0; d < MEMBERS; d++) {
        bool owes = !gone(s, d) && cash(s, s->house[d]) < 0;
        if (owes && below(s, 2) == 0 && s->w.c->fund->number < MEMBERS - 2) declare(s, d);
        if (is_open(s, d)) settle_down(s, d);
    }
    for (int i = 0; i < MEMBERS; i++) {
        const struct fund_member *f = &s->w.c->fund_members[s->member[i]];
        assert_true(f->assessed.v - f->assessment.v <= fund_cap(s->w.c, s->member[i]));
    }
}

/* ---- worlds ---- */

static struct core_limits limits(void)
{
    struct core_limits l = core_limits_small();
    l.members = 16;
    l.accounts = ACCOUNTS_MAX;
    l.balances = 128;
    l.exposures = 256;
    l.requests = 8;
    return l;
}

static void open_world(struct story *s, uint64_t seed)
{
    struct core_limits l = limits();
    uint64_t seen[LAYER_count], closed = s->closed, awards = s->awards, refunds = s->refunds;
    memcpy(seen, s->seen, sizeof seen);
    *s = (struct story){.r = {seed}, .closed = closed, .awards = awards, .refunds = refunds};
    memcpy(s->seen, seen, sizeof seen);
    s->w = world_open(&l);
    struct command terms = world_product_terms("ZZ");
    terms.product_create.tick = PRICE(E6);
    uint32_t product = world_product(&s->w, &terms);
    s->instrument[0] = world_list(&s->w, product, "2027M03");
    s->instrument[1] = world_list(&s->w, product, "2027M04");
    for (int i = 0; i < MEMBERS; i++) {
        char name[8] = {'h', (char)('0' + i)}, client[8] = {'c', (char)('0' + i)};
        char member[8] = {'m', (char)('0' + i)};
        s->house[i] = world_account(&s->w, name, member);
        struct command c = {.account_create = {.origin = ORIGIN_client}};
        memcpy(c.account_create.account, client, sizeof client);
        memcpy(c.account_create.member, member, sizeof member);
        assert_int_equal(world_step(&s->w, &c, COMMAND_account_create, 0), REJECT_none);
        s->client[i] = s->w.c->s->accounts;
        s->member[i] = s->w.c->accounts[s->house[i]].member;
        int64_t money = 20 * E6 + (int64_t)below(s, 200 * E6);
        assert_int_equal(world_deposit(&s->w, s->house[i], money), REJECT_none);
        assert_int_equal(world_deposit(&s->w, s->client[i], money), REJECT_none);
    }
    int64_t skin = E6 + (int64_t)below(s, 20 * E6);
    int64_t rest = (int64_t)below(s, (uint64_t)(3 * skin));
    assert_int_equal(fund_command(s, FUND_capital, 0, 0, skin + rest, skin), REJECT_none);
    assert_int_equal(size_fund(s), REJECT_none);
    assert_int_equal(fund_command(s, FUND_collect, 0, 0, 0, 0), REJECT_none);
    assert_int_equal(world_state(&s->w, product, STATE_open), REJECT_none);
    for (int i = 0; i < 12; i++) trade(s);
    mark(s);
}

static void test_worlds(void **state)
{
    (void)state;
    const char *text = getenv("DOJIMA_DEFAULT_WORLDS");
    uint64_t worlds = text != NULL ? strtoull(text, NULL, 10) : 150;
    static struct story s;
    for (uint64_t seed = 1; seed <= worlds; seed++) {
        open_world(&s, seed);
        for (int i = 0; i < STEPS; i++) act(&s);
        world_close(&s.w);
    }
    print_message("closed %llu, awards %llu, refunds %llu; own fund %llu, skin %llu, survivors "
                  "%llu, assessment %llu, gains %llu, capital %llu\n",
                  (unsigned long long)s.closed, (unsigned long long)s.awards,
                  (unsigned long long)s.refunds, (unsigned long long)s.seen[LAYER_own_fund],
                  (unsigned long long)s.seen[LAYER_skin],
                  (unsigned long long)s.seen[LAYER_survivors],
                  (unsigned long long)s.seen[LAYER_assessment],
                  (unsigned long long)s.seen[LAYER_gains],
                  (unsigned long long)s.seen[LAYER_capital]);
    assert_true(s.closed > worlds / 10 && s.awards > worlds / 10 && s.refunds > worlds / 10);
    assert_true(s.seen[LAYER_survivors] > 0 && s.seen[LAYER_gains] > 0);
    assert_true(s.seen[LAYER_assessment] > 0);
}

/* The worked example of oracles: loss 180, margin 100, own 20, tranche 15: 22.5, 13.5, 9. */
static void test_shares(void **state)
{
    (void)state;
    assert_int_equal(pro_rata_floor(45 * E6, 50 * E6, 100 * E6), 22500000);
    assert_int_equal(pro_rata_floor(22500000, 30 * E6, 50 * E6), 13500000);
    assert_int_equal(pro_rata_floor(9 * E6, 20 * E6, 20 * E6), 9 * E6);
    assert_int_equal(pro_rata_floor(2, 1, 3), 0);
    assert_int_equal(pro_rata_floor(2, 1, 2), 1);
    assert_int_equal(pro_rata_floor(MONEY_MAX, MONEY_MAX, MONEY_MAX), MONEY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shares),
                                       cmocka_unit_test(test_worlds)};
    return cmocka_run_group_tests_name("default", tests, NULL, NULL);
}
