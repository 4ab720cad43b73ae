/* collateral_property_test.c: random days in which prices move far, against a naive account of what
 * CLEAR-08 and CLEAR-09 promise, kept from events:
 *
 *   no slice ever increases a position, nor turns it round; slices of an account and UTC day never
 *   pass the bound; between two slices lies at least the interval; no slice trades with an account
 *   that is being liquidated; no collateralised account is ever called or liquidated; what counts
 *   of pledged capacity is at most a quarter of the requirement; whoever is short of maintenance
 *   after a mark has a call, and who has a call is short of margin; every asset is conserved.
 *
 * All invariants of the state are asserted on the way. Each world must have seen all of it happen.
 */
#include "core/call.h"
#include "core/collateral.h"
#include "core/world_test.h"

enum { ACCOUNTS = 8, COLLATERALISED = 6, COMMANDS = 30000, SLICES_PER_DAY = 6 };
#define SLICE_NS (20 * NS_PER_SECOND)
#define UNIT INT64_C(1000000000) /* of capacity: 10^-9 */

struct seen {
    uint64_t calls, met, unmet, slices, traded, ended, ported, pledged, released, covered_trades;
};

struct model {
    struct world w;
    struct random r;
    uint32_t account[ACCOUNTS];
    int64_t held[ASSETS_MAX + 1][64]; /* by asset and account, from the postings alone */
    int64_t slice_day[64];
    int64_t slice_last[64];
    uint32_t slices[64];
    uint64_t request;
    struct seen seen;
};

static uint64_t below(struct model *m, uint64_t bound) { return random_below(&m->r, bound); }
static uint32_t any_account(struct model *m) { return m->account[below(m, ACCOUNTS)]; }

static bool is_collateralised(const struct model *m, uint32_t account)
{
    return m->w.c->accounts[account].mode == MODE_collateralised;
}

/* ---- what the events say ---- */

static void saw_posting(struct model *m, const struct event_posting *p)
{
    if (p->asset > ASSET_INSTRUMENT || p->phase != PHASE_posted) return;
    assert_true(p->account < 64 && p->asset <= ASSETS_MAX);
    m->held[p->asset][p->account] += p->amount;
    assert_true(m->held[p->asset][p->account] == p->balance);
}

static void saw_slice(struct model *m, const struct event_slice *s)
{
    int64_t day = s->header.ts.v / NS_PER_DAY, ts = s->header.ts.v;
    assert_false(is_collateralised(m, s->account));
    if (m->slice_day[s->account] != day) m->slices[s->account] = 0;
    m->slice_day[s->account] = day;
    m->slices[s->account] += 1;
    assert_true(m->slices[s->account] <= SLICES_PER_DAY);
    assert_true(m->slice_last[s->account] == 0 || ts - m->slice_last[s->account] >= SLICE_NS);
    m->slice_last[s->account] = ts;
    m->seen.slices += 1;
    if (s->result != SLICE_traded) return;
    int64_t held = s->before.v < 0 ? -s->before.v : s->before.v;
    assert_true((s->side == SIDE_sell) == (s->before.v > 0)); /* against the position */
    assert_true(s->filled.v >= 0 && s->filled.v <= s->asked.v && s->asked.v <= held);
    m->seen.traded += s->filled.v > 0 ? 1 : 0;
}

static void saw_call(struct model *m, const struct event_call *e)
{
    assert_false(is_collateralised(m, e->account));
    if (e->state == CALL_open && e->issued.v == e->header.ts.v) m->seen.calls += 1;
    if (e->state == CALL_met) m->seen.met += 1;
    if (e->state == CALL_unmet) m->seen.unmet += 1;
    if (e->state == CALL_ended) m->seen.ended += 1;
    assert_true((e->state == CALL_met) == (e->missing.v == 0));
}

/* A liquidation's order never meets one of another account that is being liquidated. */
static void saw_trade(struct model *m, const struct event_trade *t)
{
    bool liquidating[2];
    for (int side = 0; side < 2; side++) {
        uint32_t a = t->account[side];
        liquidating[side] = m->w.c->accounts[a].status == ACCOUNT_liquidating;
        m->seen.covered_trades += is_collateralised(m, a) && side == SIDE_sell ? 1 : 0;
    }
    assert_false(liquidating[0] && liquidating[1]);
}

static void saw(struct model *m)
{
    const struct event_header *h = NULL;
    while ((h = outbox_next(&m->w.out, h)) != NULL) {
        const void *e = h;
        if (h->kind == EVENT_posting) saw_posting(m, e);
        if (h->kind == EVENT_slice) saw_slice(m, e);
        if (h->kind == EVENT_call) saw_call(m, e);
        if (h->kind == EVENT_trade) saw_trade(m, e);
        if (h->kind == EVENT_request) m->request = ((const struct event_request *)e)->request_id;
        if (h->kind == EVENT_port && ((const struct event_port *)e)->state == PORT_done)
            m->seen.ported += 1;
    }
    for (uint32_t asset = 1; asset <= m->w.c->s->assets; asset++) {
        int128_t sum = 0;
        for (int a = 0; a < 64; a++) sum += m->held[asset][a];
        assert_true(sum == 0);
    }
}

static enum reject step(struct model *m, struct command *cmd, enum command_kind kind,
                        uint32_t account)
{
    enum reject reason = world_step(&m->w, cmd, kind, account);
    saw(m);
    return reason;
}

/* ---- the naive account ---- */

/* From first principles: money, what the positions have won or lost, and a lot's margin. */
static void naive_stand(const struct model *m, uint32_t account, int128_t *equity,
                        int128_t *positions)
{
    const struct core *c = m->w.c;
    const struct balance *cash = &c->balances[c->accounts[account].cash];
    *equity = cash->amount - cash->pending_out;
    *positions = 0;
    for (uint32_t e = c->accounts[account].exposures; e != NIL; e = c->exposures[e].next) {
        const struct exposure *x = &c->exposures[e];
        int64_t lots = x->position < 0 ? -x->position : x->position;
        if (x->position == 0 && x->cost == 0) continue;
        *equity += x->position * (int128_t)price_mark(c, x->instrument).v - x->cost;
        *positions += (int128_t)lots * 10 * E6;
    }
}

static void compare(struct model *m, bool marked)
{
    const struct core *c = m->w.c;
    for (int i = 0; i < ACCOUNTS; i++) {
        uint32_t account = m->account[i];
        const struct account *a = &c->accounts[account];
        int128_t equity, positions;
        naive_stand(m, account, &equity, &positions);
        int64_t credit = 0;
        if (!is_collateralised(m, account)) {
            credit = collateral_credit(c, account, a->requirement.v);
        }
        assert_true((int128_t)credit * 4 <= a->requirement.v); /* CLEAR-09's cap */
        bool live = call_is_live(c, account);
        if (is_collateralised(m, account)) {
            assert_false(live);
            assert_int_equal(a->status, ACCOUNT_normal);
            continue;
        }
        bool lacks = equity + credit < positions * 9 / 10;
        if (marked && lacks) assert_true(live);
        if (marked && live) assert_true(equity + credit < a->requirement.v);
    }
}

/* ---- random commands ---- */

static void do_order(struct model *m)
{
    uint32_t i = 1 + (uint32_t)below(m, 2);
    price_t mark = price_mark(m->w.c, i);
    int64_t middle = price_is_none(mark) ? 100 * E6 : mark.v / E6 * E6;
    int64_t px = middle + ((int64_t)below(m, 11) - 5) * E6;
    enum side side = below(m, 2) == 0 ? SIDE_buy : SIDE_sell;
    struct command cmd = {.order_new = {.instrument = i, .side = (uint8_t)side,
                                        .flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY,
                                        .price = PRICE(px < 0 ? 0 : px),
                                        .qty = QTY(1 + (int64_t)below(m, 12))}};
    if (below(m, 9) == 0) cmd.order_new.flags |= ORDER_FLAG_REDUCE_ONLY | ORDER_FLAG_LIQUIDATION;
    (void)step(m, &cmd, COMMAND_order_new, any_account(m));
}

static void do_cancel(struct model *m)
{
    struct command cmd = {.cancel_many = {.scope = CANCEL_SCOPE_account}};
    (void)step(m, &cmd, COMMAND_cancel_many, any_account(m));
}

static void do_money(struct model *m)
{
    enum command_kind kind = below(m, 3) == 0 ? COMMAND_deposit : COMMAND_withdraw;
    struct command cmd = {.transfer = {ASSET_USD, 0, MONEY((int64_t)below(m, 200) * E6)}};
    uint32_t account = any_account(m);
    bool called = call_is_live(m->w.c, account);
    enum reject reason = step(m, &cmd, kind, account);
    if (kind == COMMAND_withdraw && called) assert_true(reason != REJECT_none);
}

static void do_pledge(struct model *m)
{
    bool release = below(m, 3) == 0;
    struct command cmd = {.pledge = {2, release, (int64_t)below(m, 20) * UNIT}};
    if (step(m, &cmd, COMMAND_pledge, any_account(m)) != REJECT_none) return;
    if (release) m->seen.released += 1;
    else m->seen.pledged += 1;
}

static void do_confirm(struct model *m)
{
    struct command cmd = {.confirm = {.request = m->request}};
    m->w.principal = 2;
    (void)step(m, &cmd, COMMAND_confirm, 0);
    m->w.principal = 1;
}

static void do_issue(struct model *m)
{
    struct command cmd = {.asset_issue = {.asset = 2, .retire = below(m, 4) == 0,
                                          .amount = (int64_t)below(m, 50) * UNIT}};
    memcpy(cmd.asset_issue.evidence, "seen", 5);
    (void)step(m, &cmd, COMMAND_asset_issue, any_account(m));
    do_confirm(m);
}

static void do_asset(struct model *m)
{
    struct command cmd = {.asset_set = {.asset = 2}};
    cmd.asset_set.terms.price = PRICE((int64_t)below(m, 40) * E6);
    cmd.asset_set.terms.haircut_e6 = (uint32_t)below(m, SHARE_ONE_E6);
    memcpy(cmd.asset_set.terms.source, "test", 5);
    memcpy(cmd.asset_set.reason, "test", 5);
    (void)step(m, &cmd, COMMAND_asset_set, 0);
    if (below(m, 2) == 0) do_confirm(m);
}

static void do_mark(struct model *m)
{
    for (uint32_t i = 1; i <= 2; i++) {
        price_t mark = price_mark(m->w.c, i);
        int64_t now = price_is_none(mark) ? 100 * E6 : mark.v;
        int64_t next = now + ((int64_t)below(m, 9) - 4) * E6;
        struct command cmd = {.settlement_price = {.instrument = i,
                                                   .price = PRICE(next < 0 ? 0 : next)}};
        assert_int_equal(step(m, &cmd, COMMAND_settlement_price, 0), REJECT_none);
    }
    struct command cmd = {0};
    assert_int_equal(step(m, &cmd, COMMAND_mark_to_market, 0), REJECT_none);
    compare(m, true);
}

static void do_call(struct model *m)
{
    struct command cmd = {0};
    (void)step(m, &cmd, COMMAND_call_margin, below(m, 2) == 0 ? 0 : any_account(m));
}

static void do_port(struct model *m)
{
    uint32_t account = any_account(m);
    struct command cmd = {.port = {.member = 2 + (uint32_t)below(m, 2)}};
    if (step(m, &cmd, COMMAND_port_accept, account) != REJECT_none) return;
    struct command go = {.port = {.member = cmd.port.member}};
    assert_int_equal(step(m, &go, COMMAND_port, account), REJECT_none);
}

/* What falls due in between happens at its own time, as on a node. */
static void do_time(struct model *m)
{
    int64_t to = m->w.ts.v + (int64_t)below(m, 40) * NS_PER_SECOND;
    if (below(m, 60) == 0) to += NS_PER_DAY / 3;
    while (core_due(m->w.c).v <= to) {
        struct command tick = {0};
        m->w.ts = TS(int64_max(m->w.ts.v, core_due(m->w.c).v));
        (void)step(m, &tick, COMMAND_tick, 0);
    }
    m->w.ts = TS(to);
}

typedef void action(struct model *m);
static action *const actions[] = {do_cancel, do_money, do_money, do_pledge, do_pledge, do_issue,
                                  do_asset,  do_mark,  do_call,  do_port,   do_time,   do_time};

static void open_account(struct model *m, int i)
{
    const char *const names[ACCOUNTS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct command cmd = {.account_create = {.origin = i % 2 == 0 ? ORIGIN_house : ORIGIN_client,
                                             .mode = i >= COLLATERALISED ? MODE_collateralised
                                                                         : MODE_margined}};
    memcpy(cmd.account_create.account, names[i], 1);
    memcpy(cmd.account_create.member, i < 4 ? "m" : "n", 1);
    assert_int_equal(step(m, &cmd, COMMAND_account_create, 0), REJECT_none);
    m->account[i] = m->w.c->s->accounts;
    struct command pay = {.transfer = {ASSET_USD, 0, MONEY(500 * E6)}};
    assert_int_equal(step(m, &pay, COMMAND_deposit, m->account[i]), REJECT_none);
}

static void model_open(struct model *m, uint64_t seed)
{
    struct core_limits limits = core_limits_small();
    limits.orders = 512;
    limits.levels = 512;
    *m = (struct model){.w = world_open(&limits), .r = {.state = seed}};
    m->w.check_every = 53;
    struct command terms = world_product_terms("AA");
    terms.product_create.flags = PRODUCT_FLAG_HAS_FLOOR | PRODUCT_FLAG_HAS_PROTECTION;
    terms.product_create.protection = PRICE(3 * E6);
    terms.product_create.flat_margin = MONEY(10 * E6);
    (void)world_product(&m->w, &terms);
    (void)world_list(&m->w, 1, "2027M03");
    (void)world_list(&m->w, 1, "2027M04");
    assert_int_equal(world_state(&m->w, 1, STATE_open), REJECT_none);
    for (int i = 0; i < ACCOUNTS; i++) open_account(m, i);
    struct command asset = {0};
    memcpy(asset.asset_set.terms.name, "CAP", 3);
    memcpy(asset.asset_set.terms.source, "test", 4);
    asset.asset_set.terms.instrument = 1;
    asset.asset_set.terms.price = PRICE(20 * E6);
    assert_int_equal(step(m, &asset, COMMAND_asset_set, 0), REJECT_none);
    do_confirm(m);
    struct command calls = {.clearing_set = {.flags = (1 << CLEARING_SETTINGS) - 1}};
    calls.clearing_set.settings = (struct clearing_settings){
        .call_ns = 100 * NS_PER_SECOND, .slice_ns = SLICE_NS, .slice_share_e6 = 300000,
        .slice_lots_max = 7, .slices_per_day = SLICES_PER_DAY, .slice_width_e6 = 50000,
        .slice_width_ticks = 10, .maintenance_e6 = 900000, .collateral_cap_e6 = 250000};
    assert_int_equal(step(m, &calls, COMMAND_clearing_set, 0), REJECT_none);
}

static void promises_hold(void **state)
{
    (void)state;
    struct model *m = malloc(sizeof *m);
    assert_non_null(m);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        model_open(m, seed);
        while (m->w.seq < COMMANDS) {
            if (below(m, 3) != 0) do_order(m);
            else actions[below(m, sizeof actions / sizeof actions[0])](m);
            if (m->w.seq % 17 == 0) compare(m, false);
        }
        core_check(m->w.c);
        const struct seen *s = &m->seen;
        print_message("seed %llu: calls %llu met %llu unmet %llu, slices %llu traded %llu, ended "
                      "%llu, ported %llu, pledged %llu released %llu, covered %llu\n",
                      (unsigned long long)seed, (unsigned long long)s->calls,
                      (unsigned long long)s->met, (unsigned long long)s->unmet,
                      (unsigned long long)s->slices, (unsigned long long)s->traded,
                      (unsigned long long)s->ended, (unsigned long long)s->ported,
                      (unsigned long long)s->pledged, (unsigned long long)s->released,
                      (unsigned long long)s->covered_trades);
        assert_true(s->calls > 10 && s->met > 5 && s->unmet > 5 && s->traded > 10);
        assert_true(s->ended > 0 && s->ported > 10 && s->pledged > 50 && s->released > 5);
        assert_true(s->covered_trades > 20);
        world_close(&m->w);
    }
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(promises_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
