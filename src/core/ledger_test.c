/* ledger_test.c: accounts, deposits, withdrawals, two officers, chains that are all or none
 * (CLEAR-01, CLEAR-13, GUARD-05). */
#include "core/world_test.h"

enum { USD = 1000000 };

static void accounts_and_members(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.accounts = 6;
    struct world w = world_open(&limits);
    assert_int_equal(w.c->s->accounts, 4); /* ccp, bank, fees, rounding */
    assert_int_equal(world_try_account(&w, "alice", "alpha", MODE_margined), REJECT_none);
    const struct event_member *m = world_event(&w, EVENT_member);
    const struct event_account *a = world_event(&w, EVENT_account);
    assert_string_equal(m->name, "alpha");
    assert_string_equal(a->name, "alice");
    assert_true(a->member == m->id && a->id == 5 && a->system == 0 && a->cash.v == 0);
    assert_int_equal(world_try_account(&w, "alice", "beta", MODE_margined),
                     REJECT_already_exists);
    assert_int_equal(world_try_account(&w, "ccp", "beta", MODE_margined), REJECT_already_exists);
    assert_int_equal(world_try_account(&w, "eve", "clearing", MODE_margined),
                     REJECT_unauthorised);
    const char *const wrong[] = {"", "a b", "a/b", "\xc3\xa9", "a:b"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(world_try_account(&w, wrong[i], "beta", MODE_margined),
                         REJECT_malformed_request);
        assert_int_equal(world_try_account(&w, "bob", wrong[i], MODE_margined),
                         REJECT_malformed_request);
    }
    assert_int_equal(world_try_account(&w, "A.b-c_9", "alpha", MODE_collateralised), REJECT_none);
    assert_null(world_event(&w, EVENT_member)); /* alpha exists */
    assert_int_equal(world_try_account(&w, "more", "gamma", MODE_margined),
                     REJECT_capacity_exhausted);
    assert_int_equal(w.c->s->members, 2);
    world_close(&w);
}

static void money_in_and_out(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m"),
             x = world_account(&w, "x", "other");
    uint32_t bank = w.c->s->account_bank;
    assert_int_equal(world_deposit(&w, a, 100 * USD), REJECT_none);
    assert_int_equal(world_count(&w, EVENT_posting), 2);
    assert_int_equal(ledger_cash(w.c, bank), -100 * USD);
    assert_int_equal(world_deposit(&w, a, 0), REJECT_invalid_amount);
    assert_int_equal(world_deposit(&w, a, -1), REJECT_invalid_amount);
    assert_int_equal(world_deposit(&w, a, INT64_MAX), REJECT_invalid_amount);
    assert_int_equal(world_deposit(&w, 0, 1), REJECT_unknown_account);
    assert_int_equal(world_deposit(&w, 99, 1), REJECT_unknown_account);
    assert_int_equal(world_deposit(&w, bank, 1), REJECT_unauthorised);
    assert_int_equal(world_deposit(&w, a, MONEY_MAX), REJECT_amount_overflow);
    struct command tokens = {.transfer = {.asset = 2, .amount = MONEY(1)}};
    assert_int_equal(world_step(&w, &tokens, COMMAND_deposit, a), REJECT_malformed_request);
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 100 * USD + 1),
                     REJECT_insufficient_funds);
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 30 * USD), REJECT_none);
    assert_int_equal(ledger_cash(w.c, a), 70 * USD);
    assert_int_equal(ledger_cash(w.c, bank), -70 * USD);
    assert_int_equal(world_money(&w, COMMAND_transfer, a, b, 20 * USD), REJECT_none);
    assert_int_equal(ledger_cash(w.c, b), 20 * USD);
    assert_int_equal(world_money(&w, COMMAND_transfer, a, x, 1), REJECT_unauthorised);
    assert_int_equal(world_money(&w, COMMAND_transfer, a, a, 1), REJECT_malformed_request);
    assert_int_equal(world_money(&w, COMMAND_transfer, a, bank, 1), REJECT_unauthorised);
    assert_int_equal(world_money(&w, COMMAND_transfer, a, 99, 1), REJECT_unknown_account);
    assert_int_equal(world_money(&w, COMMAND_transfer, a, b, 51 * USD),
                     REJECT_insufficient_funds);
    world_close(&w);
}

/* CLEAR-08: a withdrawal cannot take margin. */
static void withdrawal_leaves_margin(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    terms.product_create.flat_margin = MONEY(10 * USD);
    uint32_t p = world_product(&w, &terms), i = world_list(&w, p, "2027M03");
    uint32_t a = world_account(&w, "a", "m");
    assert_int_equal(world_deposit(&w, a, 100 * USD), REJECT_none);
    assert_int_equal(world_state(&w, p, STATE_open), REJECT_none);
    assert_int_equal(world_order(&w, a, i, SIDE_buy, USD, 6), REJECT_none);
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 40 * USD + 1),
                     REJECT_insufficient_margin);
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 100 * USD + 1),
                     REJECT_insufficient_funds);
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 40 * USD), REJECT_none);
    assert_int_equal(margin_available(w.c, a), 0);
    world_close(&w);
}

static uint64_t request_of(const struct world *w, enum request_status status)
{
    const struct event_request *e = world_event(w, EVENT_request);
    assert_non_null(e);
    assert_int_equal(e->status, status);
    return e->request_id;
}

static void two_officers(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.requests = 2;
    struct world w = world_open(&limits);
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    struct command dual = {.venue_set = {.flags = VENUE_HAS_DUAL_TRANSFERS,
                                         .settings.dual_transfers = 1}};
    assert_int_equal(world_step(&w, &dual, COMMAND_venue_set, 0), REJECT_none);
    assert_int_equal(world_deposit(&w, a, 100 * USD), REJECT_none);
    uint64_t in = request_of(&w, REQUEST_awaiting);
    assert_int_equal(ledger_cash(w.c, a), 0);
    assert_int_equal(world_confirm(&w, in, 1), REJECT_same_officer);
    assert_int_equal(world_confirm(&w, 0, 2), REJECT_unknown_request);
    assert_int_equal(world_confirm(&w, in + 1, 2), REJECT_unknown_request);
    assert_int_equal(world_confirm(&w, in, 2), REJECT_none);
    assert_int_equal(request_of(&w, REQUEST_confirmed), in);
    assert_int_equal(ledger_cash(w.c, a), 100 * USD);
    assert_int_equal(world_confirm(&w, in, 2), REJECT_unknown_request); /* serves once */
    /* What would leave is reserved meanwhile. */
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 60 * USD), REJECT_none);
    uint64_t out = request_of(&w, REQUEST_awaiting);
    assert_int_equal(w.c->balances[w.c->accounts[a].cash].pending_out, 60 * USD);
    assert_int_equal(ledger_cash(w.c, a), 100 * USD);
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 41 * USD),
                     REJECT_insufficient_funds);
    assert_int_equal(world_money(&w, COMMAND_transfer, a, b, 40 * USD), REJECT_none);
    uint64_t over = request_of(&w, REQUEST_awaiting);
    assert_int_equal(world_deposit(&w, a, 1), REJECT_capacity_exhausted);
    assert_int_equal(world_confirm(&w, over, 2), REJECT_none);
    assert_int_equal(ledger_cash(w.c, b), 40 * USD);
    assert_int_equal(world_confirm(&w, out, 3), REJECT_none);
    assert_int_equal(ledger_cash(w.c, a), 0);
    assert_int_equal(ledger_cash(w.c, w.c->s->account_bank), -40 * USD);
    world_close(&w);
}

/* What was reserved may be lost before the second officer comes: the request is dropped. */
static void request_dropped_when_lost(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    uint32_t p = world_product(&w, &terms), i = world_list(&w, p, "2027M03");
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    assert_int_equal(world_deposit(&w, a, 100 * USD), REJECT_none);
    struct command dual = {.venue_set = {.flags = VENUE_HAS_DUAL_TRANSFERS,
                                         .settings.dual_transfers = 1}};
    assert_int_equal(world_step(&w, &dual, COMMAND_venue_set, 0), REJECT_none);
    assert_int_equal(world_state(&w, p, STATE_open), REJECT_none);
    world_trade(&w, i, a, b, 50 * USD, 1);
    assert_int_equal(world_money(&w, COMMAND_withdraw, a, 0, 60 * USD), REJECT_none);
    uint64_t request = request_of(&w, REQUEST_awaiting);
    assert_int_equal(world_settle(&w, i, 9 * USD), REJECT_none);
    assert_int_equal(world_mark(&w), REJECT_none); /* 59 left */
    assert_int_equal(ledger_cash(w.c, a), 59 * USD);
    assert_int_equal(world_confirm(&w, request, 2), REJECT_none);
    assert_int_equal(request_of(&w, REQUEST_dropped), request);
    const struct event_posting *v = world_event(&w, EVENT_posting);
    assert_int_equal(v->phase, PHASE_voided);
    assert_int_equal(ledger_cash(w.c, a), 59 * USD);
    assert_int_equal(w.c->balances[w.c->accounts[a].cash].pending_out, 0);
    world_close(&w);
}

/* A chain is all or none; TigerBeetle's example: credits 100, debits 70, pending 50 is refused. */
static void chains_all_or_none(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    uint32_t bank = w.c->s->account_bank;
    assert_int_equal(world_deposit(&w, a, 100), REJECT_none);
    w.c->out = &w.out;
    outbox_reset(&w.out, w.seq, w.ts);
    struct ledger_line good[4] = {
        {a, ASSET_USD, -70}, {b, ASSET_USD, 70}, {b, ASSET_USD, -20}, {bank, ASSET_USD, 20}};
    assert_int_equal(ledger_post(w.c, good, 4, POSTING_transfer, 0, 7), REJECT_none);
    assert_int_equal(ledger_cash(w.c, a), 30);
    assert_int_equal(ledger_cash(w.c, b), 50);
    assert_int_equal(ledger_pend(w.c, a, ASSET_USD, 50, POSTING_withdrawal, 1),
                     REJECT_insufficient_funds);
    uint64_t hash = core_hash(w.c);
    size_t used = w.out.used;
    /* The third line is short: none of the four may stand. */
    struct ledger_line bad[4] = {
        {b, ASSET_USD, -10}, {a, ASSET_USD, 10}, {a, ASSET_USD, -41}, {b, ASSET_USD, 41}};
    assert_int_equal(ledger_post(w.c, bad, 4, POSTING_transfer, 0, 8),
                     REJECT_insufficient_funds);
    assert_int_equal(core_hash(w.c), hash);
    struct ledger_line wide[2] = {{bank, ASSET_USD, -MONEY_MAX}, {a, ASSET_USD, MONEY_MAX}};
    assert_int_equal(ledger_post(w.c, wide, 2, POSTING_deposit, 0, 9), REJECT_amount_overflow);
    assert_int_equal(core_hash(w.c), hash);
    assert_int_equal(w.out.used, used);
    /* Earlier lines of the chain count: what comes in may go out again. */
    struct ledger_line through[4] = {
        {b, ASSET_USD, -50}, {a, ASSET_USD, 50}, {a, ASSET_USD, -80}, {b, ASSET_USD, 80}};
    assert_int_equal(ledger_post(w.c, through, 4, POSTING_transfer, 0, 10), REJECT_none);
    assert_int_equal(ledger_cash(w.c, a), 0);
    /* Losses may overdraw. */
    struct ledger_line loss[2] = {{a, ASSET_USD, -5}, {b, ASSET_USD, 5}};
    assert_int_equal(ledger_post(w.c, loss, 2, POSTING_transfer, 0, 0),
                     REJECT_insufficient_funds);
    assert_int_equal(ledger_post(w.c, loss, 2, POSTING_variation, 0, 0), REJECT_none);
    assert_int_equal(ledger_cash(w.c, a), -5);
    clearing_check(w.c);
    /* What is pending may not be sent away as well. */
    struct ledger_line out[2] = {{b, ASSET_USD, -50}, {bank, ASSET_USD, 50}};
    assert_int_equal(ledger_pend(w.c, b, ASSET_USD, 40, POSTING_withdrawal, 1), REJECT_none);
    assert_int_equal(ledger_post(w.c, out, 2, POSTING_withdrawal, 0, 0),
                     REJECT_insufficient_funds);
    ledger_unpend(w.c, b, ASSET_USD, 40, POSTING_withdrawal, 1, false, 0);
    assert_int_equal(ledger_post(w.c, out, 2, POSTING_withdrawal, 0, 0), REJECT_none);
    world_close(&w);
}

static void chains_need_room(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    limits.exposures = 2;
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    uint32_t p = world_product(&w, &terms), i = world_list(&w, p, "2027M03");
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    w.c->out = &w.out;
    uint32_t contract = ASSET_INSTRUMENT + i;
    struct ledger_line lines[2] = {{a, contract, 5}, {b, contract, -5}};
    uint64_t hash = core_hash(w.c);
    assert_int_equal(ledger_post(w.c, lines, 2, POSTING_transfer, i, 0),
                     REJECT_capacity_exhausted); /* the clearing house holds one of two */
    assert_int_equal(core_hash(w.c), hash);
    world_close(&w);
}

static void kill_switch(void **state)
{
    (void)state;
    struct core_limits limits = core_limits_small();
    struct world w = world_open(&limits);
    struct command terms = world_product_terms("ZZ");
    uint32_t p = world_product(&w, &terms), i = world_list(&w, p, "2027M03");
    uint32_t a = world_account(&w, "a", "m"), b = world_account(&w, "b", "m");
    assert_int_equal(world_state(&w, p, STATE_open), REJECT_none);
    assert_int_equal(world_order(&w, a, i, SIDE_buy, USD, 6), REJECT_none);
    assert_int_equal(world_order(&w, b, i, SIDE_sell, 2 * USD, 6), REJECT_none);
    struct command kill = {.kill = {.account = a, .on = 1}};
    assert_int_equal(world_step(&w, &kill, COMMAND_kill, 0), REJECT_none);
    assert_non_null(world_event(&w, EVENT_killed));
    assert_int_equal(world_count(&w, EVENT_order), 1);
    assert_int_equal(world_order(&w, a, i, SIDE_buy, USD, 6), REJECT_killed);
    assert_int_equal(world_order(&w, b, i, SIDE_sell, 2 * USD, 6), REJECT_none);
    kill.kill.on = 0;
    assert_int_equal(world_step(&w, &kill, COMMAND_kill, 0), REJECT_none);
    assert_int_equal(world_order(&w, a, i, SIDE_buy, USD, 6), REJECT_none);
    struct command firm = {.kill = {.member = w.c->accounts[a].member, .on = 1}};
    assert_int_equal(world_step(&w, &firm, COMMAND_kill, 0), REJECT_none);
    assert_int_equal(world_count(&w, EVENT_order), 3);
    assert_int_equal(w.c->s->orders_live, 0);
    assert_int_equal(world_order(&w, b, i, SIDE_buy, USD, 6), REJECT_killed);
    struct command both = {.kill = {.account = a, .member = 2, .on = 1}};
    assert_int_equal(world_step(&w, &both, COMMAND_kill, 0), REJECT_malformed_request);
    struct command none = {.kill = {.on = 1}};
    assert_int_equal(world_step(&w, &none, COMMAND_kill, 0), REJECT_malformed_request);
    struct command unknown = {.kill = {.account = 99, .on = 1}};
    assert_int_equal(world_step(&w, &unknown, COMMAND_kill, 0), REJECT_unknown_account);
    struct command house = {.kill = {.account = w.c->s->account_ccp, .on = 1}};
    assert_int_equal(world_step(&w, &house, COMMAND_kill, 0), REJECT_unauthorised);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_and_members),
        cmocka_unit_test(money_in_and_out),
        cmocka_unit_test(withdrawal_leaves_margin),
        cmocka_unit_test(two_officers),
        cmocka_unit_test(request_dropped_when_lost),
        cmocka_unit_test(chains_all_or_none),
        cmocka_unit_test(chains_need_room),
        cmocka_unit_test(kill_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
