/* store_test.c: the history against a made-up stream of events.
 *
 * What is proven: applying twice is applying once; killed in the middle of a batch and fed again,
 * the rows are those of an undisturbed run; rebuilt equals live; statements sum to the ledger; a
 * worker whose queue overflows catches up; what is read back are the events.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "made.h"
#include "store/store.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory_name[] = "/tmp/dojima-store-XXXXXX";
static char path_a[64], path_b[64];

static void remove_file(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char name[80];
        (void)snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

static int setup(void **state)
{
    (void)state;
    remove_file(path_a);
    remove_file(path_b);
    return 0;
}

/* Steps of a stream, one behind the other. */
struct stream {
    unsigned char *bytes;
    size_t *end; /* of step i */
    uint32_t steps;
};

static struct stream stream_make(struct made *m, uint64_t seed, uint32_t steps, int64_t ns)
{
    struct stream s = {.bytes = malloc((size_t)steps * 4096 + MADE_STEP_BYTES),
                       .end = malloc(steps * sizeof(size_t)), .steps = steps};
    assert_non_null(s.bytes);
    assert_non_null(s.end);
    made_start(m, seed, ns);
    size_t at = 0;
    for (uint32_t i = 0; i < steps; i++) {
        at += made_step(m, s.bytes + at);
        s.end[i] = at;
        assert_true(at < (size_t)steps * 4096);
    }
    return s;
}

static void stream_free(struct stream *s)
{
    free(s->bytes);
    free(s->end);
}

static struct store *open_store(const char *path)
{
    struct store *s = NULL;
    int status = store_open(path, &s);
    if (status != STORE_OK) print_error("%s\n", store_error(s));
    assert_int_equal(status, STORE_OK);
    return s;
}

static const char *const tables[] = {
    "projector", "assets", "members", "accounts", "products", "instruments", "orders",
    "order_texts", "order_history", "trades", "settlements", "postings", "statement_cash",
    "statement_positions", "candles", "states", "auctions", "statement_margin",
    "calls", "slices", "busts", "spot_auctions", "spot_hours", "spot_bids", "indices",
    "index_prices"};

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (; *text != 0; text++) hash = random_mix(hash ^ (unsigned char)*text);
    return random_mix(hash + 1);
}

/* The sum of the hashes of all rows of all tables, whatever their order: equal files of history are
   equal hashes. */
static uint64_t hash_of(const char *path)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    uint64_t hash = 1;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        char sql[80];
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", tables[t]);
        sqlite3_stmt *q = NULL;
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
        while (sqlite3_step(q) == SQLITE_ROW) {
            uint64_t row = mix_text(t, tables[t]);
            for (int i = 0; i < sqlite3_column_count(q); i++) {
                const unsigned char *text = sqlite3_column_text(q, i);
                row = mix_text(row, text == NULL ? "null" : (const char *)text);
            }
            hash += row;
        }
        assert_int_equal(sqlite3_finalize(q), SQLITE_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return hash;
}

static int64_t number(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(q, 0);
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    return value;
}

static void apply_all(const char *path, const struct stream *st)
{
    struct store *s = open_store(path);
    assert_int_equal(store_apply(s, st->bytes, st->end[st->steps - 1]), STORE_OK);
    assert_int_equal(store_flush(s), STORE_OK);
    store_close(s);
}

static void twice_is_once(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 7, 3000, NS_PER_SECOND * 60);
    apply_all(path_a, &st);
    uint64_t once = hash_of(path_a);
    apply_all(path_a, &st);
    assert_int_equal(hash_of(path_a), once);
    /* Overlapping batches, cut within a command too. */
    struct store *s = open_store(path_b);
    for (uint32_t i = 0; i < st.steps; i++) {
        size_t from = i < 10 ? 0 : st.end[i - 10];
        assert_int_equal(store_apply(s, st.bytes + from, st.end[i] - from), STORE_OK);
        if (i % 97 == 0) assert_int_equal(store_flush(s), STORE_OK);
    }
    assert_int_equal(store_last_seq(s), st.steps);
    store_close(s);
    assert_int_equal(hash_of(path_b), once);
    assert_int_equal(number(path_a, "SELECT count(*) FROM trades"), m.trade_id);
    assert_true(m.trade_id > 500);
    stream_free(&st);
}

static void split_in_a_command(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 11, 800, NS_PER_SECOND);
    apply_all(path_a, &st);
    struct store *s = open_store(path_b);
    for (size_t at = 0; at < st.end[st.steps - 1];) { /* one event a call */
        struct event_header h;
        memcpy(&h, st.bytes + at, sizeof h);
        assert_int_equal(store_apply(s, st.bytes + at, h.size), STORE_OK);
        if (h.seq % 31 == 0) { /* and a commit between the events of one command */
            store_close(s);
            s = open_store(path_b);
        }
        at += h.size;
    }
    store_close(s);
    assert_int_equal(hash_of(path_b), hash_of(path_a));
    stream_free(&st);
}

/* A child applies and is killed at some place, with a transaction open; again and again, each going
 * on where the file says that it stands. */
static void killed_in_the_middle(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 13, 4000, NS_PER_SECOND * 30);
    apply_all(path_a, &st);
    struct random r = {.state = 5};
    int kills = 0;
    for (bool done = false; !done;) {
        pid_t child = fork();
        assert_true(child >= 0);
        uint64_t run = 100 + random_below(&r, 900), flush_every = 1 + random_below(&r, 60);
        if (child == 0) {
            struct store *s = NULL;
            if (store_open(path_b, &s) != STORE_OK) _exit(3);
            uint64_t from = store_last_seq(s);
            for (uint64_t i = from; i < st.steps; i++) {
                size_t start = i == 0 ? 0 : st.end[i - 1];
                if (store_apply(s, st.bytes + start, st.end[i] - start) != STORE_OK) _exit(4);
                if ((i - from) % flush_every == 0 && store_flush(s) != STORE_OK) _exit(5);
                if (i - from == run) (void)raise(SIGKILL);
            }
            if (store_flush(s) != STORE_OK) _exit(6);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
        done = WIFEXITED(status);
        kills += !done;
    }
    assert_true(kills >= 3);
    assert_int_equal(hash_of(path_b), hash_of(path_a));
    stream_free(&st);
}

/* Of each day: its last mark's, with the money of then; on a day without one the one before. */
static void margin_is_the_last_of_the_day(struct store *s, int64_t first, int64_t last)
{
    uint64_t mark = 0, seen = 0;
    for (int64_t day = first - 1; day <= last; day++) {
        struct event_standing m;
        int n = store_statement_margin(s, MADE_TRADER, day, &m);
        char sql[256];
        (void)snprintf(sql, sizeof sql, "SELECT coalesce(max(id), 0) FROM settlements WHERE ts <"
                                        " %lld", (long long)((day + 1) * NS_PER_DAY));
        int64_t latest = number(path_a, sql);
        assert_int_equal(n, latest != 0);
        if (n == 0) continue;
        assert_int_equal(m.mark_id, latest);
        assert_true(m.taken.v < (day + 1) * NS_PER_DAY);
        (void)snprintf(sql, sizeof sql, "SELECT coalesce((SELECT balance FROM postings WHERE"
                                        " account=%d AND asset=1 AND seq<=(SELECT seq FROM"
                                        " settlements WHERE id=%lld) ORDER BY posting_id DESC"
                                        " LIMIT 1), 0)", MADE_TRADER, (long long)latest);
        assert_int_equal(m.cash.v, number(path_a, sql));
        assert_int_equal(m.missing.v, int64_max(0, m.initial.v - m.equity.v));
        seen += m.mark_id != mark;
        mark = m.mark_id;
    }
    assert_true(seen >= 3);
    assert_int_equal(number(path_a, "SELECT count(*) FROM calls"),
                     number(path_a, "SELECT count(*) FROM statement_margin WHERE missing>0"));
    assert_true(number(path_a, "SELECT count(*) FROM calls") > 0);
    assert_int_equal(number(path_a, "SELECT count(*) FROM slices WHERE price IS NULL"),
                     number(path_a, "SELECT count(*) FROM calls"));
    assert_int_equal(number(path_a, "SELECT count(*) FROM busts"),
                     number(path_a, "SELECT count(*) FROM calls"));
}

/* Every statement line's movements lead from the day before to the next, and the last closing is
 * the ledger's balance (CLEAR-04's chains and all else that moves money). */
static void statements_sum_to_the_ledger(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 17, 6000, NS_PER_SECOND * 60);
    apply_all(path_a, &st);
    struct store *s = NULL;
    assert_int_equal(store_open_read(path_a, &s), STORE_OK);
    int64_t first = INT64_C(1799020800) / 86400, last = m.ts.v / NS_PER_DAY, lines_seen = 0;
    assert_true(last - first >= 4);
    for (uint32_t account = 1; account <= MADE_ACCOUNTS; account++) {
        int64_t cash = 0, position[MADE_INSTRUMENTS + 1] = {0};
        for (int64_t day = first; day <= last; day++) {
            struct store_statement_cash c[4];
            int n = store_statement_cash(s, account, day, c, 4);
            assert_true(n == 0 || n == 1);
            if (n == 1) {
                assert_int_equal(c[0].opening, cash);
                cash = c[0].closing;
                lines_seen += c[0].postings > 0;
            }
            struct store_statement_position p[MADE_INSTRUMENTS];
            n = store_statement_positions(s, account, day, p, MADE_INSTRUMENTS);
            assert_true(n >= 0);
            for (int i = 0; i < n; i++) {
                assert_int_equal(p[i].opening, position[p[i].instrument]);
                position[p[i].instrument] = p[i].closing;
            }
        }
        assert_int_equal(cash, m.cash[account]);
        for (int i = 1; i <= MADE_INSTRUMENTS; i++)
            assert_int_equal(position[i], m.position[account][i]);
    }
    assert_true(lines_seen > 20);
    margin_is_the_last_of_the_day(s, first, last);
    assert_int_equal(number(path_a, "SELECT sum(amount) FROM postings WHERE asset=1"), 0);
    assert_int_equal(number(path_a, "SELECT count(*) FROM (SELECT chain_id, asset, sum(amount) t"
                                    " FROM postings GROUP BY 1, 2) WHERE t<>0"), 0);
    store_close(s);
    stream_free(&st);
}

static void candles_are_the_trades(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 19, 4000, NS_PER_SECOND * 20);
    apply_all(path_a, &st);
    static const char *const wrong =
        "WITH t AS (SELECT instrument i, ts/1000000000/%d*%d b, max(price) h, min(price) l,"
        " sum(qty) v, count(*) n, min(trade_id) f, max(trade_id) z FROM trades GROUP BY 1, 2)"
        " SELECT (SELECT count(*) FROM t) - count(*) FROM t JOIN candles c ON c.instrument=i AND"
        " c.resolution=%d AND c.start=b*1000000000 AND high=h AND low=l AND volume=v AND trades=n"
        " AND open=(SELECT price FROM trades WHERE trade_id=f)"
        " AND close=(SELECT price FROM trades WHERE trade_id=z)";
    static const int widths[] = {60, 3600, 86400};
    for (int i = 0; i < 3; i++) {
        char sql[1024];
        (void)snprintf(sql, sizeof sql, wrong, widths[i], widths[i], widths[i]);
        assert_int_equal(number(path_a, sql), 0);
    }
    struct store *s = NULL;
    assert_int_equal(store_open_read(path_a, &s), STORE_OK);
    struct store_candle hours[100];
    int n = store_candles(s, 1, STORE_CANDLE_HOUR, TS(0), TS(0), hours, 100);
    assert_true(n > 10);
    for (int i = 1; i < n; i++) assert_true(hours[i].start.v > hours[i - 1].start.v);
    int two = store_candles(s, 1, STORE_CANDLE_HOUR, hours[1].start, hours[3].start, hours, 100);
    assert_int_equal(two, 2);
    store_close(s);
    stream_free(&st);
}

/* The last order event of each order, and every trade, come back as they went in. */
static void what_is_read_is_what_was_said(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 23, 1500, NS_PER_SECOND);
    apply_all(path_a, &st);
    struct store *s = NULL;
    assert_int_equal(store_open_read(path_a, &s), STORE_OK);
    uint64_t trades = 0;
    for (size_t at = 0; at < st.end[st.steps - 1];) {
        const struct event_header *h = (const void *)(st.bytes + at);
        if (h->kind == EVENT_trade) {
            struct event_trade want, got;
            memcpy(&want, h, sizeof want);
            struct store_filter f = {.from_id = want.trade_id + 1};
            assert_int_equal(store_trades(s, &f, &got, 1), 1);
            want.header.index = 0;
            want.header.flags = EVENT_FLAG_ANSWER;
            assert_memory_equal(&got, &want, sizeof got);
            f = (struct store_filter){.order_id = want.order_id[0]};
            assert_true(store_trades(s, &f, &got, 1) == 1);
            trades += 1;
        }
        at += h->size;
    }
    assert_int_equal(trades, m.trade_id);
    struct event_order order;
    struct event_order_text text;
    for (uint32_t i = 0; i < m.open_count; i++) {
        struct event_order want = m.open[i].state;
        assert_int_equal(store_order(s, want.order_id, &order, &text), 1);
        assert_memory_equal((unsigned char *)&order + sizeof order.header,
                            (unsigned char *)&want + sizeof want.header,
                            sizeof want - sizeof want.header);
        struct store_order_change changes[64];
        int n = store_order_history(s, want.order_id, changes, 64);
        assert_true(n >= 1);
        assert_int_equal(changes[0].cause, CAUSE_new);
        assert_int_equal(changes[n - 1].filled.v, want.filled.v);
    }
    assert_int_equal(store_order(s, 12345, &order, &text), 0);
    struct event_order closed[50];
    struct event_order_text texts[50];
    struct store_filter f = {.account = MADE_TRADER};
    assert_int_equal(store_orders_closed(s, &f, closed, texts, 50), 50);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(closed[i].account, MADE_TRADER);
        assert_int_not_equal(closed[i].state, ORDER_STATE_open);
        assert_true(i == 0 || closed[i].header.seq <= closed[i - 1].header.seq);
    }
    f.from_id = closed[49].header.seq;
    assert_true(store_orders_closed(s, &f, closed, texts, 50) > 0);
    assert_true(closed[0].header.seq < f.from_id);
    assert_int_equal(store_account_id(s, "account5"), 5);
    assert_int_equal(store_instrument_id(s, "ZZ-2027M02"), 2);
    assert_int_equal(store_instrument_id(s, "nothing"), 0);
    store_close(s);
    stream_free(&st);
}

static void answers_and_repeats_are_not_history(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 29, 300, NS_PER_SECOND);
    apply_all(path_a, &st);
    uint64_t before = hash_of(path_a);
    for (size_t at = 0; at < st.end[st.steps - 1];) {
        struct event_header *h = (void *)(st.bytes + at);
        h->seq += 100000;
        h->flags = at % 16 == 0 ? EVENT_FLAG_REPEAT : EVENT_FLAG_ANSWER;
        at += h->size;
    }
    apply_all(path_a, &st);
    assert_int_equal(hash_of(path_a), before);
    stream_free(&st);
}

/* A mass quote's order that never traded leaves no row; one that did has its whole state. */
static void untraded_quotes_leave_nothing(void **state)
{
    (void)state;
    unsigned char bytes[4096];
    struct outbox out = {.bytes = bytes, .capacity = sizeof bytes};
    struct event_order quote = {.order_id = 5, .account = 4, .instrument = 1, .qty = QTY(10),
                                .flags = ORDER_FLAG_QUOTE, .state = ORDER_STATE_open,
                                .left = QTY(10), .price = PRICE(E6), .trigger = PRICE_NONE};
    for (int i = 0; i < 4; i++) {
        struct event_order *e = outbox_push(&out, EVENT_order, sizeof *e);
        struct event_header header = e->header;
        header.seq = (uint64_t)i + 1;
        *e = quote;
        e->header = header;
        e->order_id = i < 2 ? 5 : 6;
        e->cause = i % 2 == 0 ? CAUSE_new : CAUSE_cancelled_quote;
        if (i % 2 != 0) e->state = ORDER_STATE_cancelled;
        if (i == 3) e->filled = QTY(4);
    }
    struct store *s = open_store(path_a);
    assert_int_equal(store_apply(s, bytes, out.used), STORE_OK);
    assert_int_equal(store_last_seq(s), 4);
    struct event_order order;
    assert_int_equal(store_order(s, 5, &order, NULL), 0);
    assert_int_equal(store_order(s, 6, &order, NULL), 1);
    assert_int_equal(order.filled.v, 4);
    assert_int_equal(order.state, ORDER_STATE_cancelled);
    store_close(s);
}

static void another_version_is_refused(void **state)
{
    (void)state;
    store_close(open_store(path_a));
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path_a, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
    struct store *s = NULL;
    assert_int_equal(store_open(path_a, &s), STORE_VERSION);
    assert_non_null(strstr(store_error(s), "rebuild"));
    store_close(s);
    s = NULL;
    assert_int_equal(store_open_read(path_b, &s), STORE_FAILED); /* there is no such file */
    store_close(s);
}

struct journal {
    const struct stream *stream;
    _Atomic uint32_t durable; /* steps in the journal: each is before it is released */
    int calls;
};

static int catch_up(void *context, struct store *s, uint64_t after_seq)
{
    struct journal *j = context;
    j->calls += 1;
    size_t from = after_seq == 0 ? 0 : j->stream->end[after_seq - 1];
    uint32_t durable = j->durable;
    if (durable <= after_seq) return STORE_OK;
    return store_apply(s, j->stream->bytes + from, j->stream->end[durable - 1] - from);
}

/* A queue far too small: events are dropped, and the journal makes it whole. */
static void worker_catches_up(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 31, 3000, NS_PER_SECOND);
    apply_all(path_a, &st);
    struct journal j = {.stream = &st};
    struct store_worker_options o = {.path = path_b, .queue_bytes = 20000, .catch_up = catch_up,
                                     .context = &j};
    struct store_worker *w = store_worker_start(&o);
    assert_non_null(w);
    store_worker_drain(w); /* the first look into the journal, which is empty */
    uint32_t refused = 0;
    for (uint32_t i = 0; i < st.steps; i++) {
        size_t start = i == 0 ? 0 : st.end[i - 1];
        j.durable = i + 1;
        refused += !store_worker_push(w, st.bytes + start, st.end[i] - start);
    }
    store_worker_drain(w);
    struct store_worker_stats stats = store_worker_stats(w);
    assert_false(stats.failed);
    assert_int_equal(stats.last_seq, st.steps);
    assert_true(refused > 0 && stats.overflows > 0 && j.calls > 1);
    store_worker_stop(w);
    assert_int_equal(hash_of(path_b), hash_of(path_a));
    stream_free(&st);
}

static void worker_with_room_needs_no_journal(void **state)
{
    (void)state;
    struct made m;
    struct stream st = stream_make(&m, 37, 3000, NS_PER_SECOND);
    apply_all(path_a, &st);
    struct store_worker_options o = {.path = path_b};
    struct store_worker *w = store_worker_start(&o);
    assert_non_null(w);
    for (uint32_t i = 0; i < st.steps; i++) {
        size_t start = i == 0 ? 0 : st.end[i - 1];
        assert_true(store_worker_push(w, st.bytes + start, st.end[i] - start));
    }
    store_worker_stop(w);
    assert_int_equal(hash_of(path_b), hash_of(path_a));
    stream_free(&st);
}

/* Tokens have names, and are no line of a statement once their hour is over; of a certificate its
 * latest state is kept (UNIT-02, CERT-02). */
static void tokens_and_certificates(void **state)
{
    (void)state;
    static uint64_t bytes[512];
    struct outbox out = {.bytes = (unsigned char *)bytes, .capacity = sizeof bytes};
    uint32_t asset = token_asset(1, 500443); /* 2027-02-02T19 */
    const struct token_class class = {2026, GRADE_server, "eu"};
    struct store *s = open_store(path_a);
    for (uint32_t step = 1; step <= 2; step++) {
        outbox_reset(&out, step, TS((500400 + 30 * (int64_t)step) * NS_PER_HOUR));
        struct event_token_class *k = outbox_push(&out, EVENT_token_class, sizeof *k);
        *k = (struct event_token_class){.header = k->header, .id = 1, .class = class};
        struct event_posting *p = outbox_push(&out, EVENT_posting, sizeof *p);
        int64_t amount = step == 1 ? 7 : -7;
        *p = (struct event_posting){.header = p->header, .posting_id = step, .chain_id = step,
                                    .account = 5, .asset = asset, .amount = amount,
                                    .code = step == 1 ? POSTING_issue : POSTING_token_expiry,
                                    .balance = step == 1 ? 7 : 0};
        struct event_token *t = outbox_push(&out, EVENT_token, sizeof *t);
        *t = (struct event_token){.header = t->header, .asset = asset, .class = 1, .hour = 500443,
                                  .cause = step == 1 ? TOKEN_issued : TOKEN_expired};
        struct event_certificate *e = outbox_push(&out, EVENT_certificate, sizeof *e);
        *e = (struct event_certificate){
            .header = e->header, .id = 1, .account = 5,
            .status = step == 1 ? CERTIFICATE_effective : CERTIFICATE_lapsed,
            .terms = {.resource = "rack", .class = class, .work_per_hour = 9}};
        assert_int_equal(store_apply(s, out.bytes, out.used), STORE_OK);
    }
    assert_int_equal(store_flush(s), STORE_OK);
    char name[TOKEN_NAME_SIZE];
    struct store_statement_cash lines[4];
    int64_t issued = 500430 / 24, over = 500460 / 24;
    store_asset_name(s, asset, name);
    assert_string_equal(name, "CT-2026-server-eu-2027020219");
    assert_int_equal(store_statement_cash(s, 5, issued, lines, 4), 1);
    assert_int_equal(lines[0].closing, 7);
    assert_int_equal(store_statement_cash(s, 5, over, lines, 4), 1);
    assert_int_equal(store_statement_cash(s, 5, over + 1, lines, 4), 0);
    store_close(s);
    assert_int_equal(number(path_a, "SELECT status FROM certificates WHERE resource='rack'"),
                     CERTIFICATE_lapsed);
    assert_int_equal(number(path_a, "SELECT count(*) FROM certificates"), 1);
}

/* Of an allocation and its hour the latest is kept; notices and ends in money as they were said. */
static void deliveries(void **state)
{
    (void)state;
    static uint64_t bytes[1024];
    struct outbox out = {.bytes = (unsigned char *)bytes, .capacity = sizeof bytes};
    struct store *s = open_store(path_a);
    for (uint32_t step = 1; step <= 2; step++) {
        outbox_reset(&out, step, TS((500400 + (int64_t)step) * NS_PER_HOUR));
        struct event_notice *n = outbox_push(&out, EVENT_notice, sizeof *n);
        *n = (struct event_notice){.header = n->header, .instrument = 3, .price = PRICE(2 * E6),
                                   .open = QTY(5), .allotted = QTY(3), .cash = QTY(2)};
        struct event_allocation *a = outbox_push(&out, EVENT_allocation, sizeof *a);
        *a = (struct event_allocation){.header = a->header, .id = 7, .instrument = 3,
                                       .state = step == 1 ? ALLOCATION_ready : ALLOCATION_window,
                                       .price = PRICE(2 * E6), .paid = MONEY(step)};
        struct event_delivery_hour *h = outbox_push(&out, EVENT_delivery_hour, sizeof *h);
        *h = (struct event_delivery_hour){.header = h->header, .allocation = 7, .instrument = 3,
                                          .hour = TS(500401 * NS_PER_HOUR), .work = 10 * step,
                                          .reference = step == 1 ? PRICE_NONE : PRICE(3 * E6)};
        struct event_delivery_cash *e = outbox_push(&out, EVENT_delivery_cash, sizeof *e);
        *e = (struct event_delivery_cash){.header = e->header, .allocation = 7, .instrument = 3,
                                          .reason = DELIVERY_REASON_shortfall,
                                          .reference = PRICE_NONE, .damages = MONEY(4)};
        assert_int_equal(store_apply(s, out.bytes, out.used), STORE_OK);
    }
    assert_int_equal(store_flush(s), STORE_OK);
    store_close(s);
    assert_int_equal(number(path_a, "SELECT count(*) FROM notices WHERE allotted=3"), 2);
    assert_int_equal(number(path_a, "SELECT state FROM allocations"), ALLOCATION_window);
    assert_int_equal(number(path_a, "SELECT count(*) FROM allocations WHERE paid=2"), 1);
    assert_int_equal(number(path_a, "SELECT work FROM delivery_hours WHERE reference=3000000"), 20);
    assert_int_equal(number(path_a, "SELECT count(*) FROM delivery_hours"), 1);
    assert_int_equal(number(path_a, "SELECT sum(damages) FROM delivery_cash"), 8);
}

/* ---- the spot market: what is read back page by page is the last that was said ---- */

enum { SPOT_AUCTIONS = 256, SPOT_BIDS = 4096, PAGE_BYTES = 1 << 20 };

struct spot_said {
    struct event_spot_auction auction[SPOT_AUCTIONS]; /* by id */
    struct event_spot_hour hour[SPOT_AUCTIONS][SPOT_HOURS_MAX];
    struct event_spot_bid bid[SPOT_BIDS];
    uint64_t auctions, bids;
};

static void spot_hear(struct spot_said *said, const struct event_header *h)
{
    const void *e = h;
    if (h->kind == EVENT_spot_auction) {
        const struct event_spot_auction *a = e;
        assert_true(a->id < SPOT_AUCTIONS);
        said->auction[a->id] = *a;
        said->auctions = a->id;
    } else if (h->kind == EVENT_spot_hour) {
        const struct event_spot_hour *hour = e;
        said->hour[hour->auction][hour->hour] = *hour;
    } else if (h->kind == EVENT_spot_bid) {
        const struct event_spot_bid *b = e;
        assert_true(b->id < SPOT_BIDS);
        said->bid[b->id] = *b;
        if (b->id > said->bids) said->bids = b->id;
    }
}

/* All but the header, of which what was read back has no index. */
static void same_event(const void *read, const void *said, size_t size)
{
    const struct event_header *a = read, *b = said;
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->size, b->size);
    assert_memory_equal((const char *)read + sizeof *a, (const char *)said + sizeof *b,
                        size - sizeof *a);
}

/* Of one auction: where it ends in the answer. */
static const struct event_header *auction_same(const struct spot_said *said,
                                               const struct outbox *out,
                                               const struct event_header *h)
{
    const struct event_spot_auction *a = (const void *)h;
    const struct event_spot_auction *wanted = &said->auction[a->id];
    uint32_t hours = 0, paradoxical = 0;
    same_event(a, wanted, sizeof *a);
    assert_int_equal(a->header.seq, wanted->header.seq);
    assert_int_equal(a->header.ts.v, wanted->header.ts.v);
    for (h = outbox_next(out, h); h != NULL && h->kind != EVENT_spot_auction;
         h = outbox_next(out, h)) {
        assert_int_equal(h->seq, a->header.seq);
        if (h->kind == EVENT_spot_hour) {
            same_event(h, &said->hour[a->id][hours++], sizeof(struct event_spot_hour));
        } else {
            const struct event_spot_bid *b = (const void *)h;
            assert_int_equal(b->state, SPOT_BID_paradoxical);
            same_event(b, &said->bid[b->id], sizeof *b);
            paradoxical += 1;
        }
    }
    if (a->state == SPOT_STATE_done) assert_int_equal(hours, a->hours);
    assert_int_equal(paradoxical, a->paradoxical);
    return h;
}

/* Every auction of the product (0: of all), each once, the newest first. */
static void auctions_page(struct store *s, const struct spot_said *said, uint32_t product,
                          struct outbox *out)
{
    uint64_t next = said->auctions + 1;
    struct query q = {.kind = QUERY_spot, .product = product, .count = 3};
    int n;
    while ((n = store_answer(s, &q, out)) > 0) {
        for (const struct event_header *h = outbox_next(out, NULL); h != NULL; n--) {
            const struct event_spot_auction *a = (const void *)h;
            for (next -= 1; product != 0 && said->auction[next].product != product;) next -= 1;
            assert_int_equal(a->id, next);
            h = auction_same(said, out, h);
        }
        assert_int_equal(n, 0);
        q.from_id = next;
    }
    assert_int_equal(n, 0);
    while (next > 1 && product != 0 && said->auction[next - 1].product != product) next -= 1;
    assert_int_equal(next, 1);
}

/* Every bid of the account (of one auction; 0: of all), and of nobody else. */
static void bids_page(struct store *s, const struct spot_said *said, uint32_t account,
                      uint64_t auction, struct outbox *out)
{
    uint64_t next = said->bids + 1, of = 0;
    struct query q = {.kind = QUERY_spot_bids, .account = account, .order_id = auction,
                      .count = 7};
    while (store_answer(s, &q, out) > 0) {
        of = 0;
        for (const struct event_header *h = outbox_next(out, NULL); h != NULL;
             h = outbox_next(out, h)) {
            const struct event_spot_bid *b = (const void *)h;
            if (h->kind == EVENT_spot_auction) {
                of = ((const struct event_spot_auction *)(const void *)h)->id;
                continue;
            }
            do next -= 1;
            while (said->bid[next].account != account ||
                   (auction != 0 && said->bid[next].auction != auction));
            assert_int_equal(b->id, next);
            assert_int_equal(b->auction, of);
            assert_int_equal(h->seq, said->bid[next].header.seq);
            same_event(b, &said->bid[next], sizeof *b);
        }
        q.from_id = next;
    }
    for (next -= 1; next > 0; next--)
        assert_true(said->bid[next].account != account ||
                    (auction != 0 && said->bid[next].auction != auction));
}

static void spot_is_read_back(void **state)
{
    (void)state;
    static struct spot_said said;
    struct made m;
    struct stream st = stream_make(&m, 29, 9000, NS_PER_SECOND * 60);
    struct outbox out = {.bytes = malloc(PAGE_BYTES), .capacity = PAGE_BYTES};
    for (size_t at = 0; at < st.end[st.steps - 1];) {
        const struct event_header *h = (const void *)(st.bytes + at);
        spot_hear(&said, h);
        at += h->size;
    }
    assert_true(said.auctions > 50 && said.bids > 200);
    apply_all(path_a, &st);
    struct store *s = NULL;
    assert_int_equal(store_open_read(path_a, &s), STORE_OK);
    for (uint32_t product = 0; product <= 3; product++) auctions_page(s, &said, product, &out);
    for (uint32_t account = 1; account <= MADE_ACCOUNTS; account++) {
        bids_page(s, &said, account, 0, &out);
        bids_page(s, &said, account, 17, &out);
    }
    struct query one = {.kind = QUERY_spot, .order_id = 17, .count = 5};
    assert_int_equal(store_answer(s, &one, &out), 1);
    assert_int_equal(out.seq, st.steps);
    (void)auction_same(&said, &out, outbox_next(&out, NULL));
    one.order_id = said.auctions + 1;
    assert_int_equal(store_answer(s, &one, &out), 0);
    /* A page ends where there is no more room, between auctions. */
    out.capacity = 12000;
    struct query all = {.kind = QUERY_spot, .count = 1000};
    int n = store_answer(s, &all, &out);
    assert_true(n > 0 && n < 50 && out.used <= out.capacity);
    store_close(s);
    /* Reference prices: the last that was said of an hour. */
    assert_int_equal(number(path_a, "SELECT count(*) FROM index_prices JOIN indices ON id=index_id"
                                    " WHERE name='CTX'"),
                     number(path_a, "SELECT count(DISTINCT hour) FROM index_prices"));
    assert_true(number(path_a, "SELECT count(*) FROM index_prices") > 50);
    assert_true(number(path_a, "SELECT count(*) FROM index_prices WHERE price IS NULL") > 5);
    free(out.bytes);
    stream_free(&st);
}

int main(void)
{
    if (mkdtemp(directory_name) == NULL) return 1;
    (void)snprintf(path_a, sizeof path_a, "%s/a.db", directory_name);
    (void)snprintf(path_b, sizeof path_b, "%s/b.db", directory_name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(twice_is_once, setup),
        cmocka_unit_test_setup(spot_is_read_back, setup),
        cmocka_unit_test_setup(split_in_a_command, setup),
        cmocka_unit_test_setup(killed_in_the_middle, setup),
        cmocka_unit_test_setup(statements_sum_to_the_ledger, setup),
        cmocka_unit_test_setup(candles_are_the_trades, setup),
        cmocka_unit_test_setup(what_is_read_is_what_was_said, setup),
        cmocka_unit_test_setup(answers_and_repeats_are_not_history, setup),
        cmocka_unit_test_setup(untraded_quotes_leave_nothing, setup),
        cmocka_unit_test_setup(tokens_and_certificates, setup),
        cmocka_unit_test_setup(deliveries, setup),
        cmocka_unit_test_setup(another_version_is_refused, setup),
        cmocka_unit_test_setup(worker_catches_up, setup),
        cmocka_unit_test_setup(worker_with_room_needs_no_journal, setup),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)setup(NULL);
    (void)rmdir(directory_name);
    return failed;
}
