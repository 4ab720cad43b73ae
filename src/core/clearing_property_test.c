/* clearing_property_test.c: ten times 10^5 random commands against an independent account of what
 * everybody is owed (CLEAR-01, CLEAR-04, CLEAR-12).
 *
 * The account is kept from the events alone: deposits, withdrawals and transfers; each trade's
 * lots, price and fee; the settlement prices at the marks. Whatever is done, cash must
 * be what was paid in, less fees, plus (mark - price) x lots x contract size for every trade since
 * its contract was listed, within half a micro-dollar for each mark that rounded. All invariants of
 * the state are asserted on the way.
 */
#include "core/world_test.h"

enum { ACCOUNTS = 6, PRODUCTS = 2, OUTRIGHTS_MAX = 14, COMMANDS = 100000 };

/* What one account has in one contract, by the events. */
struct holding {
    int64_t lots;
    int128_t paid; /* sum of lots x price, 10^-6 */
};

struct model {
    struct world w;
    struct random r;
    uint32_t account[ACCOUNTS];
    int128_t cash[ACCOUNTS];     /* exact, in 10^-12 USD, but for rounding */
    int64_t slack[ACCOUNTS];     /* marks that may have rounded, half a micro-dollar each */
    uint32_t live[OUTRIGHTS_MAX * 2];
    uint32_t live_count;
    int month;
    uint64_t requests[4];
    uint64_t outcomes[REJECT_count];
    uint64_t trades;
    uint64_t trades_collateralised;
};

static struct holding holdings[ACCOUNTS][64];

static uint64_t below(struct model *m, uint64_t bound) { return random_below(&m->r, bound); }

static int account_index(const struct model *m, uint32_t account)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        if (m->account[i] == account) return i;
    }
    return -1;
}

/* ---- the independent account ---- */

static void model_trade(struct model *m, const struct event_trade *t)
{
    m->trades += 1;
    for (int side = 0; side < 2; side++) {
        int a = account_index(m, t->account[side]);
        /* The orders of an implied trade each print alone, against the clearing house. */
        if (t->account[side] == m->w.c->s->account_ccp) continue;
        assert_true(a >= 0);
        m->trades_collateralised += a == ACCOUNTS - 1 ? 1 : 0;
        m->cash[a] -= (int128_t)t->fee[side].v * E6;
        if (is_spread(m->w.c, t->instrument)) continue; /* held in its legs */
        struct holding *h = &holdings[a][t->instrument];
        int64_t lots = side == SIDE_buy ? t->qty.v : -t->qty.v;
        h->lots += lots;
        h->paid += (int128_t)lots * t->price.v;
    }
}

static void model_mark(struct model *m, uint32_t instrument, bool close)
{
    const struct instrument *in = &m->w.c->instruments[instrument];
    if (price_is_none(in->settlement) && !close) return;
    int64_t price = price_is_none(in->settlement) ? 0 : in->settlement.v;
    for (int a = 0; a < ACCOUNTS; a++) {
        struct holding *h = &holdings[a][instrument];
        int128_t gain = h->lots * (int128_t)price - h->paid;
        m->cash[a] += gain * in->terms.contract_size;
        m->slack[a] += gain * in->terms.contract_size % E6 != 0 ? 1 : 0;
        h->paid = h->lots * (int128_t)price;
        if (close) *h = (struct holding){0};
    }
}

static void model_money(struct model *m, enum command_kind kind, uint32_t account, uint32_t to,
                        int64_t amount)
{
    int from = account_index(m, account);
    m->cash[from] += (int128_t)amount * E6 * (kind == COMMAND_deposit ? 1 : -1);
    if (kind == COMMAND_transfer) m->cash[account_index(m, to)] += (int128_t)amount * E6;
}

static void model_compare(const struct model *m)
{
    int128_t sum = 0;
    for (int a = 0; a < ACCOUNTS; a++) {
        int128_t cash = (int128_t)ledger_cash(m->w.c, m->account[a]) * E6;
        int128_t off = cash - m->cash[a];
        int128_t most = (int128_t)m->slack[a] * E6 / 2;
        assert_true(off <= most && -off <= most);
        sum += cash;
    }
    const struct venue_state *s = m->w.c->s;
    sum += ((int128_t)ledger_cash(m->w.c, s->account_bank) +
            ledger_cash(m->w.c, s->account_fees) + ledger_cash(m->w.c, s->account_rounding)) * E6;
    assert_true(sum == 0);
    for (uint32_t i = 1; i <= s->instruments; i++) {
        if (is_spread(m->w.c, i)) continue;
        for (int a = 0; a < ACCOUNTS; a++) {
            const struct exposure *x = world_exposure(&m->w, m->account[a], i);
            assert_int_equal(x->position, holdings[a][i].lots);
            assert_true(x->cost == holdings[a][i].paid);
        }
    }
}

/* Trades of the last command, whatever caused them; and the chains' sums. */
static void model_events(struct model *m)
{
    const struct event_header *e = NULL;
    uint64_t chain = 0;
    uint32_t asset = 0;
    int64_t sum = 0, money = 0;
    while ((e = outbox_next(&m->w.out, e)) != NULL) {
        if (e->kind == EVENT_trade) model_trade(m, (const void *)e);
        if (e->kind != EVENT_posting) continue;
        const struct event_posting *p = (const void *)e;
        if (p->phase != PHASE_posted) continue;
        if (p->chain_id != chain) {
            assert_int_equal(sum, 0);
            assert_int_equal(money, 0);
            chain = p->chain_id;
            asset = p->asset;
        }
        if (p->asset == ASSET_USD) money += p->amount;
        else {
            assert_int_equal(asset, p->asset);
            sum += p->amount;
        }
    }
    assert_int_equal(sum, 0);
    assert_int_equal(money, 0);
}

static void done(struct model *m, enum reject reason)
{
    m->outcomes[reason] += 1;
    model_events(m);
}

/* ---- random commands ---- */

static uint32_t any_account(struct model *m) { return m->account[below(m, ACCOUNTS)]; }

static uint32_t any_live(struct model *m) { return m->live[below(m, m->live_count)]; }

static void do_order(struct model *m)
{
    uint32_t i = any_live(m);
    int64_t tick = m->w.c->instruments[i].tick.v;
    int64_t middle = is_spread(m->w.c, i) ? 0 : 20;
    int64_t px = middle + (int64_t)below(m, 21) - 10;
    enum side side = below(m, 2) == 0 ? SIDE_buy : SIDE_sell;
    done(m, world_order(&m->w, any_account(m), i, side, px * tick, 1 + (int64_t)below(m, 9)));
}

static void do_cancel(struct model *m)
{
    struct command cmd = {.cancel_many = {.scope = CANCEL_SCOPE_account}};
    if (below(m, 2) == 0) cmd.cancel_many.instrument = any_live(m);
    done(m, world_step(&m->w, &cmd, COMMAND_cancel_many, any_account(m)));
}

static void do_money(struct model *m)
{
    enum command_kind kind = below(m, 3) == 0   ? COMMAND_deposit
                             : below(m, 2) == 0 ? COMMAND_withdraw
                                                : COMMAND_transfer;
    uint32_t account = any_account(m), to = kind == COMMAND_transfer ? any_account(m) : 0;
    int64_t amount = (int64_t)below(m, 3000000);
    enum reject reason = world_money(&m->w, kind, account, to, amount);
    done(m, reason);
    const struct event_request *r = world_event(&m->w, EVENT_request);
    if (r != NULL) m->requests[r->request_id % 4] = r->request_id;
    else if (reason == REJECT_none) model_money(m, kind, account, to, amount);
}

static void do_confirm(struct model *m)
{
    uint64_t id = m->requests[below(m, 4)];
    struct pending_request kept = {0};
    for (uint32_t i = 0; i < m->w.c->limits.requests; i++) {
        if (m->w.c->requests[i].id == id) kept = m->w.c->requests[i];
    }
    done(m, world_confirm(&m->w, id, 1 + (uint32_t)below(m, 3)));
    const struct event_request *r = world_event(&m->w, EVENT_request);
    if (r == NULL || r->status != REQUEST_confirmed) return;
    model_money(m, (enum command_kind)kept.header.kind, kept.header.account, kept.money.transfer.to,
                kept.money.transfer.amount.v);
}

static void do_settle(struct model *m)
{
    uint32_t i = any_live(m);
    done(m, world_settle(&m->w, i, (int64_t)below(m, 60000) - 5000));
}

static void do_mark(struct model *m)
{
    enum reject reason = world_mark(&m->w);
    done(m, reason);
    assert_int_equal(reason, REJECT_none);
    for (uint32_t i = 1; i <= m->w.c->s->instruments; i++) {
        if (!is_spread(m->w.c, i)) model_mark(m, i, false);
    }
}

static void live_refresh(struct model *m)
{
    m->live_count = 0;
    for (uint32_t i = 1; i <= m->w.c->s->instruments; i++) {
        if (m->w.c->instruments[i].terms.expired == 0) m->live[m->live_count++] = i;
    }
}

/* The next month of both products and a spread between them. */
static void list_month(struct model *m)
{
    char period[PERIOD_NAME_SIZE] = "2027M01";
    if (m->month >= 9) return;
    period[6] = (char)('1' + m->month++);
    uint32_t i = world_list(&m->w, 1, period), j = world_list(&m->w, 2, period);
    assert_int_equal(world_try_spread(&m->w, i, j), REJECT_none);
    live_refresh(m);
}

static void do_expire(struct model *m)
{
    uint32_t i = any_live(m);
    if (m->live_count < 5 || below(m, 40) != 0) return;
    enum reject reason = world_expire(&m->w, i);
    done(m, reason);
    if (reason != REJECT_none || is_spread(m->w.c, i)) return;
    model_mark(m, i, true);
    live_refresh(m);
}

static void do_state(struct model *m)
{
    uint32_t product = 1 + (uint32_t)below(m, PRODUCTS);
    const enum trading_state states[] = {STATE_open, STATE_open, STATE_auction, STATE_halted,
                                         STATE_closed};
    done(m, world_state(&m->w, product, states[below(m, 5)]));
    if (below(m, 3) != 0) done(m, world_state(&m->w, product, STATE_open));
}

static void do_settings(struct model *m)
{
    struct command cmd = {.venue_set = {.flags = VENUE_HAS_DUAL_TRANSFERS,
                                        .settings.dual_transfers = below(m, 30) == 0}};
    done(m, world_step(&m->w, &cmd, COMMAND_venue_set, 0));
    m->w.ts = TS(m->w.ts.v + (int64_t)below(m, (uint64_t)NS_PER_DAY / 4));
}

typedef void action(struct model *m);
static action *const actions[] = {do_cancel, do_money,  do_money, do_confirm, do_settle,
                                  do_mark,   do_expire, do_state, do_settings};

static void model_open(struct model *m, uint64_t seed)
{
    struct core_limits limits = core_limits_small();
    limits.instruments = 48;
    limits.exposures = 512;
    limits.levels = 512;
    limits.orders = 512;
    limits.requests = 3;
    *m = (struct model){.w = world_open(&limits), .r = {.state = seed}};
    memset(holdings, 0, sizeof holdings);
    m->w.check_every = 97;
    const char *const names[ACCOUNTS] = {"a", "b", "c", "d", "e", "f"};
    for (int i = 0; i < ACCOUNTS; i++) {
        enum account_mode mode = i == 5 ? MODE_collateralised : MODE_margined;
        assert_int_equal(world_try_account(&m->w, names[i], i < 4 ? "m" : "n", mode), REJECT_none);
        m->account[i] = m->w.c->s->accounts;
    }
    for (int p = 0; p < PRODUCTS; p++) {
        struct command cmd = world_product_terms(p == 0 ? "AA" : "BB");
        struct command_product_create *t = &cmd.product_create;
        t->contract_size = p == 0 ? 333333 : 1234567;
        t->contract_unit = p == 0 ? UNIT_lot : UNIT_hour;
        t->flat_margin = MONEY(p == 0 ? 40000 : 0);
        t->fee_tier_count = 2;
        t->fee_tiers[0] = (struct fee_tier){QTY(0), MONEY(-3), MONEY(11)};
        t->fee_tiers[1] = (struct fee_tier){QTY(1000), MONEY(-5), MONEY(7)};
        t->clearing_fee = MONEY(2);
        if (p == 0) t->flags = PRODUCT_FLAG_HAS_FLOOR;
        uint32_t product = world_product(&m->w, &cmd);
        assert_int_equal(world_state(&m->w, product, STATE_open), REJECT_none);
    }
    list_month(m);
    list_month(m);
}

static void conserve(struct model *m, uint64_t seed)
{
    model_open(m, seed);
    while (m->w.seq < COMMANDS) {
        if (below(m, 4) != 0) do_order(m);
        else actions[below(m, sizeof actions / sizeof actions[0])](m);
        if (m->w.seq % (COMMANDS / 10) == 0) list_month(m);
        if (m->w.seq % 31 == 0) model_compare(m);
    }
    do_mark(m);
    model_compare(m);
    clearing_check(m->w.c);
    /* Not an empty exercise. */
    assert_true(m->trades > COMMANDS / 20 && m->trades_collateralised > 100);
    assert_true(m->outcomes[REJECT_none] > COMMANDS / 4);
    assert_true(m->outcomes[REJECT_insufficient_margin] > 100);
    assert_true(m->outcomes[REJECT_insufficient_funds] > 100);
    assert_true(m->outcomes[REJECT_same_officer] > 10);
    print_message("seed %llu: commands %llu, trades %llu (collateralised %llu), rounding %lld\n",
                  (unsigned long long)seed, (unsigned long long)m->w.seq,
                  (unsigned long long)m->trades, (unsigned long long)m->trades_collateralised,
                  (long long)ledger_cash(m->w.c, m->w.c->s->account_rounding));
    world_close(&m->w);
}

static void conservation(void **state)
{
    (void)state;
    struct model *m = malloc(sizeof *m);
    assert_non_null(m);
    for (uint64_t seed = 1; seed <= 10; seed++) conserve(m, seed);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(conservation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
