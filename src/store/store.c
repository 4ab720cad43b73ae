/* store.c: opening, transactions, and which events are new. See store.h for the invariants.
 *
 * Upstream: worker.c, cli. Downstream: project.c (rows), sqlite.
 */
#include "store/internal.h"
#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int store_fail(struct store *s, const char *doing)
{
    (void)snprintf(s->error, sizeof s->error, "history: %s: %s", doing, sqlite3_errmsg(s->db));
    return STORE_FAILED;
}

const char *store_error(const struct store *s) { return s->error; }
uint64_t store_last_seq(const struct store *s) { return s->seq; }
uint64_t store_rows(const struct store *s) { return s->rows; }

int store_run(struct store *s, enum store_write w)
{
    sqlite3_stmt *q = s->write[w];
    int code = sqlite3_step(q);
    if (code != SQLITE_DONE) {
        (void)store_fail(s, store_write_sql[w]);
        (void)sqlite3_reset(q);
        return STORE_FAILED;
    }
    (void)sqlite3_reset(q);
    if (w > WRITE_projector) {
        s->rows += 1;
        s->rows_pending += 1;
    }
    return STORE_OK;
}

static int execute(struct store *s, const char *sql)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK) return STORE_OK;
    return store_fail(s, "setup");
}

/* One number of a one-row question into *value. */
static int ask(struct store *s, const char *sql, int column, int64_t *value)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK) return store_fail(s, sql);
    int status = STORE_OK;
    if (sqlite3_step(q) == SQLITE_ROW) *value = sqlite3_column_int64(q, column);
    else status = store_fail(s, sql);
    (void)sqlite3_finalize(q);
    return status;
}

int store_position_read(struct store *s)
{
    int64_t seq = 0, index = 0, ts = 0;
    const char *sql = "SELECT seq, idx, ts FROM projector";
    int status = ask(s, sql, 0, &seq);
    if (status == STORE_OK) status = ask(s, sql, 1, &index);
    if (status == STORE_OK) status = ask(s, sql, 2, &ts);
    s->seq = s->seq_committed = (uint64_t)seq;
    s->index = s->index_committed = (uint32_t)index;
    s->ts = s->ts_committed = TS(ts);
    return status;
}

/* A fresh file gets its tables; a file of another version is refused. */
static int check_schema(struct store *s, bool may_create)
{
    int64_t version = 0, tables = 0;
    int status = ask(s, "PRAGMA user_version", 0, &version);
    if (status == STORE_OK) status = ask(s, "SELECT count(*) FROM sqlite_master", 0, &tables);
    if (status != STORE_OK) return status;
    if (version == STORE_SCHEMA_VERSION) return STORE_OK;
    if (version != 0 || tables != 0 || !may_create) {
        (void)snprintf(s->error, sizeof s->error,
                       "history: schema version %lld, this program's is %d: rebuild the history",
                       (long long)version, STORE_SCHEMA_VERSION);
        return STORE_VERSION;
    }
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version=%d", STORE_SCHEMA_VERSION);
    status = execute(s, "BEGIN IMMEDIATE");
    if (status == STORE_OK) status = execute(s, STORE_SCHEMA_DIRECTORY);
    if (status == STORE_OK) status = execute(s, STORE_SCHEMA_ORDERS);
    if (status == STORE_OK) status = execute(s, STORE_SCHEMA_MONEY);
    if (status == STORE_OK) status = execute(s, STORE_SCHEMA_COMPUTE);
    if (status == STORE_OK) status = execute(s, STORE_SCHEMA_DELIVERY);
    if (status == STORE_OK) status = execute(s, STORE_SCHEMA_SPOT);
    if (status == STORE_OK) status = execute(s, sql);
    return status == STORE_OK ? execute(s, "COMMIT") : status;
}

static int prepare_writes(struct store *s)
{
    for (int i = 0; i < WRITE_count; i++) {
        unsigned flags = SQLITE_PREPARE_PERSISTENT;
        if (sqlite3_prepare_v3(s->db, store_write_sql[i], -1, flags, &s->write[i], NULL) !=
            SQLITE_OK)
            return store_fail(s, store_write_sql[i]);
    }
    return STORE_OK;
}

static int open_write(struct store *s)
{
    /* NORMAL: a power cut may lose the last commits but not tear; the journal has them all. */
    int status = execute(s, "PRAGMA journal_mode=WAL");
    if (status == STORE_OK) status = execute(s, "PRAGMA synchronous=NORMAL");
    if (status == STORE_OK) status = execute(s, "PRAGMA cache_size=-65536");
    if (status == STORE_OK) status = execute(s, "PRAGMA wal_autocheckpoint=8192");
    if (status == STORE_OK) status = check_schema(s, true);
    if (status == STORE_OK) status = prepare_writes(s);
    return status;
}

static int open_with(const char *path, int flags, struct store **out)
{
    struct store *s = calloc(1, sizeof *s);
    *out = s;
    if (s == NULL) return STORE_FAILED;
    if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK) return store_fail(s, path);
    (void)sqlite3_busy_timeout(s->db, 5000);
    (void)sqlite3_extended_result_codes(s->db, 1);
    int status = (flags & SQLITE_OPEN_READONLY) != 0 ? check_schema(s, false) : open_write(s);
    return status == STORE_OK ? store_position_read(s) : status;
}

int store_open(const char *path, struct store **out)
{
    return open_with(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, out);
}

int store_open_read(const char *path, struct store **out)
{
    return open_with(path, SQLITE_OPEN_READONLY, out);
}

void store_close(struct store *s)
{
    if (s == NULL) return;
    (void)store_flush(s);
    for (int i = 0; i < WRITE_count; i++) (void)sqlite3_finalize(s->write[i]);
    (void)sqlite3_close_v2(s->db);
    free(s);
}

static int begin(struct store *s)
{
    if (s->in_transaction) return STORE_OK;
    int status = store_run(s, WRITE_begin);
    s->in_transaction = status == STORE_OK;
    return status;
}

/* Back to the last commit: rows and position alike. */
static void roll_back(struct store *s)
{
    char error[sizeof s->error];
    memcpy(error, s->error, sizeof error);
    if (sqlite3_get_autocommit(s->db) == 0) (void)store_run(s, WRITE_rollback);
    memcpy(s->error, error, sizeof error);
    s->in_transaction = false;
    s->rows -= s->rows_pending;
    s->rows_pending = 0;
    s->seq = s->seq_committed;
    s->index = s->index_committed;
    s->ts = s->ts_committed;
}

int store_flush(struct store *s)
{
    if (!s->in_transaction) return STORE_OK;
    sqlite3_stmt *q = s->write[WRITE_projector];
    store_bind(q, 1, (int64_t)s->seq);
    store_bind(q, 2, s->index);
    store_bind(q, 3, s->ts.v);
    int status = store_run(s, WRITE_projector);
    if (status == STORE_OK) status = store_run(s, WRITE_commit);
    if (status != STORE_OK) {
        roll_back(s);
        return status;
    }
    s->in_transaction = false;
    s->rows_pending = 0;
    s->seq_committed = s->seq;
    s->index_committed = s->index;
    s->ts_committed = s->ts;
    return STORE_OK;
}

static bool is_directory(uint16_t kind)
{
    return kind == EVENT_asset || kind == EVENT_member || kind == EVENT_account ||
           kind == EVENT_product || kind == EVENT_instrument || kind == EVENT_token_class ||
           kind == EVENT_index;
}

/* Whether the event is beyond the position (invariant 2). Index 0 of the position's own seq is
 * never new: a position exists only after an event. */
static bool is_new(const struct store *s, const struct event_header *e)
{
    return e->seq > s->seq || (e->seq == s->seq && e->seq != 0 && e->index > s->index);
}

static int apply_event(struct store *s, const struct event_header *e)
{
    if ((e->flags & EVENT_FLAG_REPEAT) != 0) return STORE_OK;
    bool answer = (e->flags & EVENT_FLAG_ANSWER) != 0;
    if (answer ? !is_directory(e->kind) : !is_new(s, e)) return STORE_OK;
    int status = begin(s);
    if (status == STORE_OK) status = store_project(s, e);
    if (status != STORE_OK) return status;
    if (!answer) {
        s->seq = e->seq;
        s->index = e->index;
        s->ts = e->ts;
    }
    return s->rows_pending >= STORE_COMMIT_ROWS ? store_flush(s) : STORE_OK;
}

int store_apply(struct store *s, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    ASSERT(s->write[WRITE_begin] != NULL); /* not opened for reading only */
    for (size_t at = 0; at < size;) {
        const struct event_header *e = (const void *)(p + at);
        ASSERT(size - at >= sizeof *e && e->size >= sizeof *e && e->size <= size - at);
        int status = apply_event(s, e);
        if (status != STORE_OK) {
            roll_back(s);
            return status;
        }
        at += e->size;
    }
    return STORE_OK;
}
