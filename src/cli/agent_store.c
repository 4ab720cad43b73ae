/* agent_store.c: see agent_store.h. */
#include "cli/agent_store.h"

#include "base/assert.h"
#include "cli/files.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STORE_VERSION = 1 };

enum statement {
    STATEMENT_task_put, STATEMENT_task_get, STATEMENT_hour_get, STATEMENT_hour_set,
    STATEMENT_leaves, STATEMENT_note_put, STATEMENT_note_set, STATEMENT_note_get, STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [STATEMENT_task_put] =
        "INSERT INTO task VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [STATEMENT_task_get] =
        ("SELECT spec, answer, transcript, flop FROM task WHERE allocation = ?1 AND hour = ?2 AND "
         "position = ?3"),
    [STATEMENT_hour_get] =
        "SELECT tasks, flop_high, flop_low FROM hour WHERE allocation = ?1 AND hour = ?2",
    [STATEMENT_hour_set] = "INSERT OR REPLACE INTO hour VALUES (?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_leaves] =
        "SELECT leaf FROM task WHERE allocation = ?1 AND hour = ?2 ORDER BY position LIMIT ?3",
    [STATEMENT_note_put] = "INSERT INTO note VALUES (?1, ?2, ?3, ?4)",
    [STATEMENT_note_set] = "INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3, ?4)",
    [STATEMENT_note_get] =
        "SELECT text FROM note WHERE allocation = ?1 AND hour = ?2 AND name = ?3",
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS task (allocation INTEGER, hour INTEGER, position INTEGER,"
    " spec BLOB, answer BLOB, transcript BLOB, flop INTEGER, leaf BLOB,"
    " PRIMARY KEY (allocation, hour, position)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS hour (allocation INTEGER, hour INTEGER, tasks INTEGER,"
    " flop_high INTEGER, flop_low INTEGER, PRIMARY KEY (allocation, hour)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS note (allocation INTEGER, hour INTEGER, name TEXT, text TEXT,"
    " PRIMARY KEY (allocation, hour, name)) WITHOUT ROWID;";

struct agent_store {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENTS];
    pthread_mutex_t mutex; /* recursive: a batch holds it */
    uint32_t depth; /* of batches within batches: the outermost is what is kept, or not */
    bool broken; /* something of the batch failed */
};

static bool run(struct agent_store *s, const char *sql)
{
    return sqlite3_exec(s->database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* ---- opening ---- */

static bool version_check(struct agent_store *s)
{
    sqlite3_stmt *ask = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(s->database, "PRAGMA user_version", -1, &ask, NULL) == SQLITE_OK &&
        sqlite3_step(ask) == SQLITE_ROW) version = sqlite3_column_int(ask, 0);
    (void)sqlite3_finalize(ask);
    char set[48];
    (void)snprintf(set, sizeof set, "PRAGMA user_version = %d", STORE_VERSION);
    return version == STORE_VERSION || (version == 0 && run(s, set));
}

static bool prepare(struct agent_store *s)
{
    for (int i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v3(s->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &s->statements[i], NULL) != SQLITE_OK) return false;
    }
    return true;
}

struct agent_store *agent_store_open(const char *directory, char *error, size_t size)
{
    char path[4096];
    struct agent_store *s = calloc(1, sizeof *s);
    (void)snprintf(error, size, "out of memory");
    if (s == NULL) return NULL;
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(&s->mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    files_directory_make(directory);
    (void)snprintf(path, sizeof path, "%s/agent.sqlite", directory);
    bool ok = sqlite3_open_v2(path, &s->database,
                              SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                              NULL) == SQLITE_OK &&
              run(s, "PRAGMA locking_mode = EXCLUSIVE") && run(s, "PRAGMA journal_mode = WAL") &&
              run(s, "PRAGMA synchronous = FULL") && run(s, "BEGIN IMMEDIATE; COMMIT") &&
              version_check(s) && run(s, schema) && prepare(s);
    if (ok) return s;
    int code = s->database == NULL ? SQLITE_NOMEM : sqlite3_errcode(s->database);
    (void)snprintf(error, size, "%.150s cannot be used: %s", path,
                   code == SQLITE_BUSY ? "another process has it" : sqlite3_errstr(code));
    agent_store_close(s);
    return NULL;
}

void agent_store_close(struct agent_store *s)
{
    if (s == NULL) return;
    for (int i = 0; i < STATEMENTS; i++) (void)sqlite3_finalize(s->statements[i]);
    (void)sqlite3_close(s->database);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
}

/* ---- batches ---- */

void agent_store_begin(struct agent_store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    if (s->depth++ == 0) s->broken = !run(s, "BEGIN IMMEDIATE");
}

bool agent_store_commit(struct agent_store *s)
{
    ASSERT(s->depth > 0);
    s->depth -= 1;
    bool done = !s->broken && (s->depth > 0 || run(s, "COMMIT"));
    if (!done && s->depth == 0) (void)run(s, "ROLLBACK");
    (void)pthread_mutex_unlock(&s->mutex);
    return done;
}

void agent_store_abandon(struct agent_store *s)
{
    ASSERT(s->depth > 0);
    s->broken = true;
}

/* A change by itself is a batch of one. */
static bool enter(struct agent_store *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    bool own = s->depth == 0;
    if (own) agent_store_begin(s);
    return own;
}

static enum agent_store_result leave(struct agent_store *s, bool own,
                                     enum agent_store_result result)
{
    if (result == AGENT_STORE_failed) s->broken = true;
    if (own && !agent_store_commit(s)) result = AGENT_STORE_failed;
    (void)pthread_mutex_unlock(&s->mutex);
    return result;
}

static sqlite3_stmt *begin(struct agent_store *s, enum statement which, const struct agent_hour *h)
{
    sqlite3_stmt *t = s->statements[which];
    (void)sqlite3_bind_int64(t, 1, (sqlite3_int64)h->allocation);
    (void)sqlite3_bind_int64(t, 2, h->hour);
    return t;
}

static void end(sqlite3_stmt *t)
{
    (void)sqlite3_reset(t);
    (void)sqlite3_clear_bindings(t);
}

/* ---- tasks ---- */

struct digest agent_task_leaf(const struct agent_task *t)
{
    struct commit_task c = {.index = t->index, .transcript = t->transcript, .flop = t->flop};
    c.spec = digest_of(t->spec, t->spec_size);
    c.answer = digest_of(t->answer, t->answer_size);
    return commit_task_leaf(&c);
}

static bool bytes_equal(sqlite3_stmt *t, int column, const void *bytes, size_t size)
{
    return (size_t)sqlite3_column_bytes(t, column) == size &&
           (size == 0 || memcmp(sqlite3_column_blob(t, column), bytes, size) == 0);
}

/* What is there under this index: new when nothing is. */
static enum agent_store_result task_compare(struct agent_store *s, const struct agent_hour *h,
                                            const struct agent_task *k)
{
    sqlite3_stmt *t = begin(s, STATEMENT_task_get, h);
    (void)sqlite3_bind_int64(t, 3, (sqlite3_int64)k->index);
    int status = sqlite3_step(t);
    enum agent_store_result result = AGENT_STORE_failed;
    if (status == SQLITE_DONE) {
        result = AGENT_STORE_new;
    } else if (status == SQLITE_ROW) {
        bool same = bytes_equal(t, 0, k->spec, k->spec_size) &&
                    bytes_equal(t, 1, k->answer, k->answer_size) &&
                    bytes_equal(t, 2, k->transcript.v, DIGEST_BYTES) &&
                    (uint64_t)sqlite3_column_int64(t, 3) == k->flop;
        result = same ? AGENT_STORE_same : AGENT_STORE_other;
    }
    end(t);
    return result;
}

static bool task_insert(struct agent_store *s, const struct agent_hour *h,
                        const struct agent_task *k)
{
    struct digest leaf = agent_task_leaf(k);
    sqlite3_stmt *t = begin(s, STATEMENT_task_put, h);
    (void)sqlite3_bind_int64(t, 3, (sqlite3_int64)k->index);
    (void)sqlite3_bind_blob64(t, 4, k->spec, k->spec_size, SQLITE_STATIC);
    (void)sqlite3_bind_blob64(t, 5, k->answer, k->answer_size, SQLITE_STATIC);
    (void)sqlite3_bind_blob(t, 6, k->transcript.v, DIGEST_BYTES, SQLITE_STATIC);
    (void)sqlite3_bind_int64(t, 7, (sqlite3_int64)k->flop);
    (void)sqlite3_bind_blob(t, 8, leaf.v, DIGEST_BYTES, SQLITE_STATIC);
    bool done = sqlite3_step(t) == SQLITE_DONE;
    end(t);
    return done;
}

static bool hour_read(struct agent_store *s, const struct agent_hour *h, uint64_t *tasks,
                      uint128_t *flop)
{
    sqlite3_stmt *t = begin(s, STATEMENT_hour_get, h);
    int status = sqlite3_step(t);
    *tasks = 0;
    *flop = 0;
    if (status == SQLITE_ROW) {
        *tasks = (uint64_t)sqlite3_column_int64(t, 0);
        *flop = (uint128_t)(uint64_t)sqlite3_column_int64(t, 1) << 64 |
                (uint64_t)sqlite3_column_int64(t, 2);
    }
    end(t);
    return status == SQLITE_ROW || status == SQLITE_DONE;
}

static bool hour_write(struct agent_store *s, const struct agent_hour *h, uint64_t tasks,
                       uint128_t flop)
{
    sqlite3_stmt *t = begin(s, STATEMENT_hour_set, h);
    (void)sqlite3_bind_int64(t, 3, (sqlite3_int64)tasks);
    (void)sqlite3_bind_int64(t, 4, (sqlite3_int64)(uint64_t)(flop >> 64));
    (void)sqlite3_bind_int64(t, 5, (sqlite3_int64)(uint64_t)flop);
    bool done = sqlite3_step(t) == SQLITE_DONE;
    end(t);
    return done;
}

enum agent_store_result agent_store_task_put(struct agent_store *s, const struct agent_hour *h,
                                             const struct agent_task *k)
{
    uint64_t tasks;
    uint128_t flop;
    bool own = enter(s);
    enum agent_store_result result = AGENT_STORE_failed;
    if (hour_read(s, h, &tasks, &flop)) result = task_compare(s, h, k);
    if (result == AGENT_STORE_new && k->index != tasks) result = AGENT_STORE_gap;
    if (result == AGENT_STORE_new &&
        (!task_insert(s, h, k) || !hour_write(s, h, tasks + 1, flop + k->flop)))
        result = AGENT_STORE_failed;
    return leave(s, own, result);
}

bool agent_store_hour(struct agent_store *s, const struct agent_hour *h, uint64_t *tasks,
                      uint128_t *flop)
{
    (void)pthread_mutex_lock(&s->mutex);
    bool done = hour_read(s, h, tasks, flop);
    (void)pthread_mutex_unlock(&s->mutex);
    return done;
}

static bool task_take(sqlite3_stmt *t, uint64_t index, struct agent_task *k, uint8_t **bytes)
{
    size_t spec = (size_t)sqlite3_column_bytes(t, 0), answer = (size_t)sqlite3_column_bytes(t, 1);
    uint8_t *room = malloc(spec + answer + 1);
    if (room == NULL || sqlite3_column_bytes(t, 2) != DIGEST_BYTES) {
        free(room);
        return false;
    }
    if (spec > 0) memcpy(room, sqlite3_column_blob(t, 0), spec);
    if (answer > 0) memcpy(room + spec, sqlite3_column_blob(t, 1), answer);
    *k = (struct agent_task){.index = index, .spec = room, .spec_size = spec,
                             .answer = room + spec, .answer_size = answer,
                             .flop = (uint64_t)sqlite3_column_int64(t, 3)};
    memcpy(k->transcript.v, sqlite3_column_blob(t, 2), DIGEST_BYTES);
    *bytes = room;
    return true;
}

bool agent_store_task_get(struct agent_store *s, const struct agent_hour *h, uint64_t index,
                          struct agent_task *k, uint8_t **bytes)
{
    *bytes = NULL;
    (void)pthread_mutex_lock(&s->mutex);
    sqlite3_stmt *t = begin(s, STATEMENT_task_get, h);
    (void)sqlite3_bind_int64(t, 3, (sqlite3_int64)index);
    bool found = sqlite3_step(t) == SQLITE_ROW && task_take(t, index, k, bytes);
    end(t);
    (void)pthread_mutex_unlock(&s->mutex);
    return found;
}

bool agent_store_leaves(struct agent_store *s, const struct agent_hour *h, uint64_t count,
                        struct digest *leaves)
{
    uint64_t n = 0;
    (void)pthread_mutex_lock(&s->mutex);
    sqlite3_stmt *t = begin(s, STATEMENT_leaves, h);
    (void)sqlite3_bind_int64(t, 3, (sqlite3_int64)count);
    while (n < count && sqlite3_step(t) == SQLITE_ROW &&
           sqlite3_column_bytes(t, 0) == DIGEST_BYTES)
        memcpy(leaves[n++].v, sqlite3_column_blob(t, 0), DIGEST_BYTES);
    end(t);
    (void)pthread_mutex_unlock(&s->mutex);
    return n == count;
}

/* ---- notes ---- */

static bool note_write(struct agent_store *s, const struct agent_hour *h, const char *name,
                       const char *text, enum statement which)
{
    sqlite3_stmt *t = begin(s, which, h);
    (void)sqlite3_bind_text(t, 3, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(t, 4, text, -1, SQLITE_STATIC);
    bool done = sqlite3_step(t) == SQLITE_DONE;
    end(t);
    return done;
}

/* A text as SQLite has it, zero byte behind; NULL: none. `t` is to be ended. */
static const char *note_find(struct agent_store *s, const struct agent_hour *h, const char *name,
                             sqlite3_stmt **t)
{
    *t = begin(s, STATEMENT_note_get, h);
    (void)sqlite3_bind_text(*t, 3, name, -1, SQLITE_STATIC);
    return sqlite3_step(*t) == SQLITE_ROW ? (const char *)sqlite3_column_text(*t, 0) : NULL;
}

enum agent_store_result agent_store_note_put(struct agent_store *s, const struct agent_hour *h,
                                             const char *name, const char *text)
{
    sqlite3_stmt *t;
    bool own = enter(s);
    const char *there = note_find(s, h, name, &t);
    enum agent_store_result result = AGENT_STORE_new;
    if (there != NULL) result = strcmp(there, text) == 0 ? AGENT_STORE_same : AGENT_STORE_other;
    end(t);
    if (result == AGENT_STORE_new && !note_write(s, h, name, text, STATEMENT_note_put))
        result = AGENT_STORE_failed;
    return leave(s, own, result);
}

bool agent_store_note_set(struct agent_store *s, const struct agent_hour *h, const char *name,
                          const char *text)
{
    bool own = enter(s);
    bool done = note_write(s, h, name, text, STATEMENT_note_set);
    return leave(s, own, done ? AGENT_STORE_new : AGENT_STORE_failed) == AGENT_STORE_new;
}

size_t agent_store_note_get(struct agent_store *s, const struct agent_hour *h, const char *name,
                            char *text, size_t size)
{
    sqlite3_stmt *t;
    size_t length = 0;
    (void)pthread_mutex_lock(&s->mutex);
    const char *there = note_find(s, h, name, &t);
    if (there != NULL && strlen(there) < size) {
        length = strlen(there);
        memcpy(text, there, length + 1);
    }
    end(t);
    (void)pthread_mutex_unlock(&s->mutex);
    return length;
}
