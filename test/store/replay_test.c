/* replay_test.c: the history made live beside the real core and journal, against the history made
 * again from that journal, and against the core's own ledger.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "cli/store_replay.h"
#include "seq/machine_core.h"
#include "seq/sequencer.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRADERS = 6, INSTRUMENTS = 2, ORDERS = 4000 };

static char folder[] = "/tmp/dojima-replay-XXXXXX";
static char live_path[80], again_path[80];

struct world {
    struct io *io;
    struct machine *machine;
    struct sequencer *sequencer;
    struct store *live;
    struct command command;
    struct random random;
    uint32_t account[TRADERS];
    uint32_t instrument[INSTRUMENTS];
    uint32_t product;
    uint64_t last_order;
};

static void failed(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void durable(void *context, uint64_t seq)
{
    (void)context;
    (void)seq;
}

static void say(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static struct sequencer *sequencer_make(struct world *w)
{
    struct sequencer_options o = sequencer_options_default();
    struct sequencer_listener l = {.durable = durable, .failed = failed, .say = say, .context = w};
    char error[256];
    o.snapshot_commands = 1000; /* so that the replay cannot begin with the newest snapshot */
    struct sequencer *s = sequencer_open(w->io, w->machine, &o, &l, error, sizeof error);
    if (s == NULL) print_error("%s\n", error);
    assert_non_null(s);
    return s;
}

/* Submits w->command; its events go to the live history. */
static const struct outbox *submit(struct world *w, enum command_kind kind, uint32_t account,
                                   size_t size)
{
    const struct outbox *events = NULL;
    w->command.header = (struct command_header){.size = (uint32_t)size, .kind = (uint16_t)kind,
                                                .account = account, .principal = 1};
    enum sequencer_status status = sequencer_submit(w->sequencer, &w->command, &events);
    while (status == SEQUENCER_BUSY) {
        assert_int_equal(sequencer_wait(w->sequencer), 0);
        status = sequencer_submit(w->sequencer, &w->command, &events);
    }
    assert_int_equal(status, SEQUENCER_OK);
    assert_int_equal(store_apply(w->live, events->bytes, events->used), STORE_OK);
    return events;
}

static const void *find(const struct outbox *events, enum event_kind kind)
{
    for (const struct event_header *e = outbox_next(events, NULL); e != NULL;
         e = outbox_next(events, e)) {
        if (e->kind == kind) return e;
    }
    return NULL;
}

static const struct outbox *submit_full(struct world *w, enum command_kind kind, uint32_t account)
{
    return submit(w, kind, account, command_size_full(kind));
}

static void make_venue(struct world *w)
{
    w->command = (struct command){0};
    struct command_product_create *p = &w->command.product_create;
    (void)snprintf(p->name, sizeof p->name, "ZZ");
    p->tick = PRICE(E6 / 2);
    p->contract_size = 10 * E6;
    p->fee_tier_count = 1;
    p->fee_tiers[0] = (struct fee_tier){.maker = MONEY(100000), .taker = MONEY(250000)};
    p->clearing_fee = MONEY(50000);
    const struct event_product *product = find(submit_full(w, COMMAND_product_create, 0),
                                               EVENT_product);
    assert_non_null(product);
    w->product = product->id;
    for (int i = 0; i < INSTRUMENTS; i++) {
        w->command = (struct command){.instrument_list = {.product = w->product}};
        (void)snprintf(w->command.instrument_list.period, PERIOD_NAME_SIZE, "209%d", i);
        const struct event_instrument *e = find(submit_full(w, COMMAND_instrument_list, 0),
                                                EVENT_instrument);
        assert_non_null(e);
        w->instrument[i] = e->id;
    }
    for (int i = 0; i < TRADERS; i++) {
        w->command = (struct command){0};
        (void)snprintf(w->command.account_create.account, ACCOUNT_NAME_SIZE, "trader%d", i);
        (void)snprintf(w->command.account_create.member, MEMBER_NAME_SIZE, "member%d", i / 2);
        const struct event_account *e = find(submit_full(w, COMMAND_account_create, 0),
                                             EVENT_account);
        assert_non_null(e);
        w->account[i] = e->id;
        w->command = (struct command){.transfer = {.asset = ASSET_USD, .amount = MONEY(E6 * E6)}};
        assert_null(find(submit_full(w, COMMAND_deposit, w->account[i]), EVENT_reject));
    }
    w->command = (struct command){.state_set = {.product = w->product, .state = STATE_open}};
    assert_null(find(submit_full(w, COMMAND_state_set, 0), EVENT_reject));
}

static uint64_t below(struct world *w, uint64_t bound) { return random_below(&w->random, bound); }

static void enter_order(struct world *w)
{
    w->command = (struct command){0};
    struct command_order_new *o = &w->command.order_new;
    o->instrument = w->instrument[below(w, INSTRUMENTS)];
    o->flags = ORDER_FLAG_HAS_PRICE | ORDER_FLAG_HAS_QTY;
    o->side = (uint8_t)below(w, 2);
    o->tif = below(w, 4) == 0 ? TIF_immediate_or_cancel : TIF_good_til_cancelled;
    o->price = PRICE((int64_t)(190 + below(w, 20)) * (E6 / 2));
    o->qty = QTY((int64_t)(1 + below(w, 30)));
    uint32_t account = w->account[below(w, TRADERS)];
    size_t size = COMMAND_ORDER_NEW_BARE_SIZE;
    if (below(w, 3) == 0) {
        (void)snprintf(o->label, sizeof o->label, "label %d", (int)below(w, 5));
        size = COMMAND_ORDER_NEW_TEXT_SIZE;
    }
    const struct event_order *e = find(submit(w, COMMAND_order_new, account, size), EVENT_order);
    if (e != NULL && e->state == ORDER_STATE_open) w->last_order = e->order_id;
}

static void enter_quote(struct world *w)
{
    w->command = (struct command){0};
    struct command_mass_quote *m = &w->command.mass_quote;
    int64_t middle = (int64_t)(195 + below(w, 10));
    m->count = 1;
    m->quotes[0] = (struct quote){.instrument = w->instrument[below(w, INSTRUMENTS)],
                                  .bid_price = PRICE((middle - 2) * (E6 / 2)), .bid_qty = QTY(5),
                                  .ask_price = PRICE((middle + 2) * (E6 / 2)), .ask_qty = QTY(5)};
    size_t size = sizeof w->command.header + offsetof(struct command_mass_quote, quotes) +
                  sizeof m->quotes[0];
    (void)submit(w, COMMAND_mass_quote, w->account[below(w, TRADERS)], size);
}

static void step(struct world *w)
{
    uint64_t dice = below(w, 100);
    if (dice < 20) {
        enter_quote(w);
        return;
    }
    if (dice < 80) {
        enter_order(w);
    } else if (dice < 92 && w->last_order != 0) {
        w->command = (struct command){.order_cancel = {.order_id = w->last_order}};
        (void)submit_full(w, COMMAND_order_cancel, w->account[below(w, TRADERS)]);
    } else if (dice < 96) {
        w->command = (struct command){.settlement_price = {
            .instrument = w->instrument[below(w, INSTRUMENTS)],
            .price = PRICE((int64_t)(95 * E6 + (int64_t)below(w, 10) * E6 + 12345))}};
        (void)submit_full(w, COMMAND_settlement_price, 0);
        w->command = (struct command){0};
        (void)submit_full(w, COMMAND_mark_to_market, 0);
    } else {
        w->command = (struct command){.transfer = {.asset = ASSET_USD, .amount = MONEY(7 * E6)}};
        (void)submit_full(w, dice < 98 ? COMMAND_withdraw : COMMAND_deposit,
                          w->account[below(w, TRADERS)]);
    }
}

static void directory_to(struct world *w, struct store *s)
{
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_directory};
    sequencer_query(w->sequencer, &q, &events);
    assert_int_equal(store_apply(s, events->bytes, events->used), STORE_OK);
}

static int64_t number(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char attach[160];
    (void)snprintf(attach, sizeof attach, "ATTACH '%s' AS other", again_path);
    assert_int_equal(sqlite3_exec(db, attach, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return value;
}

/* Rows that one of the two histories has and the other has not, over all tables. */
static void assert_same_histories(void)
{
    static const char *const tables[] = {
        "projector", "assets", "members", "accounts", "products", "instruments", "orders",
        "order_texts", "order_history", "trades", "settlements", "postings", "statement_cash",
        "statement_positions", "candles", "states", "auctions", "statement_margin",
        "calls", "slices", "busts"};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sql[512];
        const char *t = tables[i];
        (void)snprintf(sql, sizeof sql,
                       "SELECT (SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT SELECT * FROM"
                       " other.%s)) + (SELECT count(*) FROM (SELECT * FROM other.%s EXCEPT SELECT"
                       " * FROM main.%s)) + abs((SELECT count(*) FROM main.%s) - (SELECT count(*)"
                       " FROM other.%s))", t, t, t, t, t, t);
        int64_t different = number(live_path, sql);
        if (different != 0) print_error("%s: %lld rows differ\n", t, (long long)different);
        assert_int_equal(different, 0);
    }
    assert_true(number(live_path, "SELECT count(*) FROM trades") > 500);
    assert_int_equal(number(live_path, "SELECT count(*) FROM accounts WHERE system=1"), 4);
}

/* What the core keeps of its last mark is what the history says of that day. */
static void assert_margin_is_kept(struct world *w, uint32_t account, int64_t day)
{
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_standings, .account = account};
    struct event_standing written;
    sequencer_query(w->sequencer, &q, &events);
    const struct event_header *h = outbox_next(events, NULL);
    assert_int_equal(h->kind, EVENT_standing);
    const struct event_standing *now = (const void *)h;
    assert_int_equal(now->mark_id, 0);
    h = outbox_next(events, h);
    assert_int_equal(store_statement_margin(w->live, account, day, &written), h != NULL);
    if (h == NULL) return;
    const struct event_standing *kept = (const void *)h;
    assert_int_equal(written.mark_id, kept->mark_id);
    assert_int_equal(written.taken.v, kept->taken.v);
    assert_int_equal(written.cash.v, kept->cash.v);
    assert_int_equal(written.equity.v, kept->equity.v);
    assert_int_equal(written.initial.v, kept->initial.v);
    assert_int_equal(written.maintenance.v, kept->maintenance.v);
    assert_int_equal(written.missing.v, kept->missing.v);
}

/* CLEAR-01, CLEAR-04: what the history says of every account's money and positions today is what
 * the core's ledger says. */
static void assert_history_is_the_ledger(struct world *w)
{
    int64_t day = io_now(w->io).v / NS_PER_DAY;
    for (int i = 0; i < TRADERS; i++) {
        const struct outbox *events = NULL;
        struct query q = {.kind = QUERY_account, .account = w->account[i]};
        sequencer_query(w->sequencer, &q, &events);
        const struct event_account *a = find(events, EVENT_account);
        assert_non_null(a);
        struct store_statement_cash cash[4];
        assert_int_equal(store_statement_cash(w->live, w->account[i], day, cash, 4), 1);
        assert_int_equal(cash[0].closing, a->cash.v);
        assert_int_equal(cash[0].closing, cash[0].opening + cash[0].deposits + cash[0].withdrawals +
                                              cash[0].transfers + cash[0].variation +
                                              cash[0].fees + cash[0].other);
        char fees[96]; /* over all days: the test may run at midnight */
        (void)snprintf(fees, sizeof fees, "SELECT -sum(fees) FROM statement_cash WHERE account=%u",
                       w->account[i]);
        assert_int_equal(number(live_path, fees), a->fees_paid.v);
        assert_margin_is_kept(w, w->account[i], day);
        struct store_statement_position p[INSTRUMENTS];
        int n = store_statement_positions(w->live, w->account[i], day, p, INSTRUMENTS);
        assert_true(n > 0);
        q.kind = QUERY_positions;
        for (int k = 0; k < n; k++) {
            q.instrument = p[k].instrument;
            sequencer_query(w->sequencer, &q, &events);
            const struct event_position *e = find(events, EVENT_position);
            assert_int_equal(p[k].closing, e == NULL ? 0 : e->qty.v);
        }
    }
}

static void world_open(struct world *w)
{
    char error[256], data[80];
    struct core_limits limits = core_limits_small();
    limits.orders = 4096;
    limits.orders_closed = 4096;
    limits.levels = 4096;
    limits.trades = 4096;
    limits.postings = 4096;
    limits.fills_per_command = 512;
    *w = (struct world){.random = {.state = 99}};
    (void)snprintf(data, sizeof data, "%s/data", folder);
    w->io = io_directory_open(data, IO_DIRECTORY_CREATE, error, sizeof error);
    assert_non_null(w->io);
    w->machine = machine_core_new(&limits);
    assert_non_null(w->machine);
    w->sequencer = sequencer_make(w);
    assert_int_equal(store_open(live_path, &w->live), STORE_OK);
}

static void replay_to(struct world *w, const char *path, uint64_t commands)
{
    char error[256] = "";
    struct store *again = NULL;
    struct store_replay_result result;
    assert_int_equal(store_open(path, &again), STORE_OK);
    uint64_t after = store_last_seq(again);
    int status = store_replay(w->io, again, after, NULL, NULL, &result, error, sizeof error);
    if (status != 0) print_error("%s\n", error);
    assert_int_equal(status, 0);
    assert_int_equal(result.commands, commands);
    store_close(again);
}

static void rebuilt_is_live(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    make_venue(&w);
    for (int i = 0; i < ORDERS; i++) step(&w);
    assert_int_equal(sequencer_wait(w.sequencer), 0);
    directory_to(&w, w.live);
    assert_int_equal(store_flush(w.live), STORE_OK);
    assert_history_is_the_ledger(&w);
    uint64_t seq = sequencer_seq(w.sequencer);
    replay_to(&w, again_path, seq); /* from nothing, beside the running node */
    assert_same_histories();
    for (int i = 0; i < 500; i++) step(&w); /* then only what came since */
    uint64_t more = sequencer_seq(w.sequencer) - seq;
    assert_int_equal(sequencer_close(w.sequencer), 0);
    assert_int_equal(store_flush(w.live), STORE_OK);
    replay_to(&w, again_path, more);
    assert_same_histories();
    store_close(w.live);
    machine_core_free(w.machine);
    io_directory_close(w.io);
}

int main(void)
{
    if (mkdtemp(folder) == NULL) return 1;
    (void)snprintf(live_path, sizeof live_path, "%s/live.sqlite", folder);
    (void)snprintf(again_path, sizeof again_path, "%s/again.sqlite", folder);
    const struct CMUnitTest tests[] = {cmocka_unit_test(rebuilt_is_live)};
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    pid_t child = fork();
    if (child == 0) (void)execlp("rm", "rm", "-rf", folder, (char *)NULL);
    else if (child > 0) (void)waitpid(child, NULL, 0);
    return result;
}
