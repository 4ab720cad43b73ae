/* internal.h: what the files of store/ share. Not for other folders. */
#ifndef DOJIMA_STORE_INTERNAL_H
#define DOJIMA_STORE_INTERNAL_H

#include "store/store.h"

#include <sqlite3.h>

/* The statements that write, prepared at open; their SQL stands in project.c. */
enum store_write {
    WRITE_begin,
    WRITE_commit,
    WRITE_rollback,
    WRITE_projector,
    WRITE_asset,
    WRITE_member,
    WRITE_account,
    WRITE_product,
    WRITE_instrument,
    WRITE_order,
    WRITE_order_text,
    WRITE_order_history,
    WRITE_trade,
    WRITE_trade_bust,
    WRITE_candle,
    WRITE_settlement,
    WRITE_posting,
    WRITE_statement_cash,
    WRITE_statement_position,
    WRITE_state,
    WRITE_product_state,
    WRITE_auction,
    WRITE_statement_margin,
    WRITE_call,
    WRITE_slice,
    WRITE_bust,
    WRITE_token_class,
    WRITE_token,
    WRITE_certificate,
    WRITE_notice,
    WRITE_allocation,
    WRITE_delivery_hour,
    WRITE_delivery_cash,
    WRITE_spot_auction,
    WRITE_spot_hour,
    WRITE_spot_bid,
    WRITE_index,
    WRITE_index_price,
    WRITE_count
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *write[WRITE_count]; /* NULL in a store opened for reading */
    bool in_transaction;
    uint64_t seq;           /* of the last event applied */
    uint32_t index;
    ts_t ts;
    uint64_t seq_committed; /* the same at the last commit */
    uint32_t index_committed;
    ts_t ts_committed;
    uint64_t rows;
    uint64_t rows_pending;  /* in the open transaction */
    char error[256];
};

/* Keeps the database's message and returns STORE_FAILED. */
int store_fail(struct store *s, const char *doing);

/* Where the file says that the projection stands: of a reader, whose writer goes on. */
int store_position_read(struct store *s);

/* Runs a prepared write with what has been bound; counts a row when it is one. */
int store_run(struct store *s, enum store_write w);

extern const char *const store_write_sql[WRITE_count];

/* Writes the rows of one event that is new (project.c). */
int store_project(struct store *s, const struct event_header *e);
/* project_clearing.c */
int store_project_standing(struct store *s, const struct event_standing *e);
int store_project_call(struct store *s, const struct event_call *e);
int store_project_slice(struct store *s, const struct event_slice *e);
/* project_delivery.c */
int store_project_notice(struct store *s, const struct event_notice *e);
int store_project_allocation(struct store *s, const struct event_allocation *e);
int store_project_delivery_hour(struct store *s, const struct event_delivery_hour *e);
int store_project_delivery_cash(struct store *s, const struct event_delivery_cash *e);
/* project_compute.c */
int store_project_token_class(struct store *s, const struct event_token_class *e);
int store_project_token(struct store *s, const struct event_token *e);
int store_project_certificate(struct store *s, const struct event_certificate *e);
int store_project_bust(struct store *s, const struct event_trade_bust *e);

/* project_spot.c */
int store_project_spot_auction(struct store *s, const struct event_spot_auction *e);
int store_project_spot_hour(struct store *s, const struct event_spot_hour *e);
int store_project_spot_bid(struct store *s, const struct event_spot_bid *e);
int store_project_index(struct store *s, const struct event_index *e);
int store_project_index_price(struct store *s, const struct event_index_price *e);

/* history.c: reading. NULL: store_error. */
sqlite3_stmt *store_prepare(struct store *s, const char *sql);
/* Steps to the next row: true while there is one; *status says whether the end is an error. */
bool store_next_row(struct store *s, sqlite3_stmt *q, int *status);

static inline int64_t store_column(sqlite3_stmt *q, int i) { return sqlite3_column_int64(q, i); }

static inline price_t store_column_price(sqlite3_stmt *q, int i)
{
    return sqlite3_column_type(q, i) == SQLITE_NULL ? PRICE_NONE
                                                    : PRICE(sqlite3_column_int64(q, i));
}

static inline void store_bind(sqlite3_stmt *q, int place, int64_t value)
{
    (void)sqlite3_bind_int64(q, place, value);
}

/* Numbers in the order of the table's columns. */
static inline void store_bind_all(sqlite3_stmt *q, const int64_t *values, int count)
{
    for (int i = 0; i < count; i++) store_bind(q, i + 1, values[i]);
}

/* Absent prices are NULL. */
static inline void store_bind_price(sqlite3_stmt *q, int place, price_t p)
{
    if (price_is_none(p)) (void)sqlite3_bind_null(q, place);
    else (void)sqlite3_bind_int64(q, place, p.v);
}

/* `text` must live until the statement has run. */
static inline void store_bind_text(sqlite3_stmt *q, int place, const char *text)
{
    (void)sqlite3_bind_text(q, place, text, -1, SQLITE_STATIC);
}

#endif
