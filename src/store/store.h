/* store.h: the history of the venue as SQL: a projection of the event stream, never its source.
 *
 * Events go in, rows come out (schema.h). The projection can be thrown away and made again from the
 * journal at any time; nothing on the way of an order waits for it.
 *
 * Invariants: (1) the position of the projector, (seq, index) of the last event applied, changes in
 * the same transaction as the rows of that event, so that after any crash the rows are exactly
 * those of the events up to the position; (2) an event at or below the position changes nothing, so
 * applying a batch twice is applying it once; (3) answers to queries and repeats of first answers
 * are not history: they are passed over, but for directory records, which are idempotent by id.
 *
 * Errors: functions that return int give 0 (or a count) or a negative number; store_error says why.
 * After a failed apply or flush the open transaction is rolled back and the position is what it was
 * at the last flush: feed again from there.
 *
 * Upstream: msg (events). Downstream: gate (history queries), cli (rebuild), sqlite.
 */
#ifndef DOJIMA_STORE_STORE_H
#define DOJIMA_STORE_STORE_H

#include "msg/event.h"
#include "msg/query.h"

#include <stdbool.h>

struct store;

enum store_status {
    STORE_OK = 0,
    STORE_FAILED = -1,  /* the database said no: store_error */
    STORE_VERSION = -2, /* the file has another schema version: rebuild it */
};

/* Opens or makes the database for writing; one writer a file. On failure too *out is to be closed,
 * so that store_error can be read (NULL when there was no memory). */
int store_open(const char *path, struct store **out);
/* Opens an existing database for reading only; its own connection, usable on another thread. */
int store_open_read(const char *path, struct store **out);
/* Commits what is pending (a failure to is not reported: flush first) and frees. NULL is
   allowed. */
void store_close(struct store *s);
/* The last error as a sentence; never NULL. */
const char *store_error(const struct store *s);

/* Applies events that lie one behind the other in `bytes`. A command's events may be split over
 * calls. Commits by itself every STORE_COMMIT_ROWS rows. */
int store_apply(struct store *s, const void *bytes, size_t size);
int store_flush(struct store *s);
/* The seq of the last event applied, flushed or not; 0: none. */
uint64_t store_last_seq(const struct store *s);
/* Rows written since the store was opened. */
uint64_t store_rows(const struct store *s);
enum { STORE_COMMIT_ROWS = 50000 };

/* ---- history: newest first; a count or negative ---- */
struct store_filter {
    uint32_t account;    /* 0: any */
    uint32_t instrument; /* 0: any */
    uint64_t order_id;   /* 0: any; trades only */
    uint64_t from_id;    /* > 0: ids (trades, postings, settlements) or seqs (orders) below it */
    ts_t start;          /* 0: no bound; inclusive */
    ts_t end;            /* 0: no bound; exclusive */
};

struct store_order_change {
    uint64_t seq;
    ts_t ts;
    price_t price;
    qty_t qty;
    qty_t filled;
    qty_t left;
    uint8_t state; /* enum order_state */
    uint8_t cause; /* enum order_cause */
    uint8_t reserved[6];
};

/* Orders that are filled or cancelled. Texts, when not NULL, has as many places; an order without
 * any has empty ones. */
int store_orders_closed(struct store *s, const struct store_filter *f, struct event_order *orders,
                        struct event_order_text *texts, uint32_t capacity);
/* 1: found, 0: there is no such order. */
int store_order(struct store *s, uint64_t order_id, struct event_order *order,
                struct event_order_text *text);
/* Oldest first. */
int store_order_history(struct store *s, uint64_t order_id, struct store_order_change *changes,
                        uint32_t capacity);
int store_trades(struct store *s, const struct store_filter *f, struct event_trade *trades,
                 uint32_t capacity);

enum { STORE_CANDLE_MINUTE = 60, STORE_CANDLE_HOUR = 3600, STORE_CANDLE_DAY = 86400 };
struct store_candle {
    ts_t start;
    price_t open;
    price_t high;
    price_t low;
    price_t close;
    qty_t volume;
    uint64_t trades;
};
/* Oldest first, start <= candle.start < end (0: no bound); hours and minutes without a trade have
 * none. Resolution is one of STORE_CANDLE_. */
int store_candles(struct store *s, uint32_t instrument, uint32_t resolution_s, ts_t start, ts_t end,
                  struct store_candle *candles, uint32_t capacity);

/* One asset of an account's statement of one day (UTC, days since 1970-01-01). The movements sum to
 * closing - opening. */
struct store_statement_cash {
    uint32_t asset;
    uint32_t postings;
    int64_t opening;
    int64_t deposits; /* and withdrawals below zero, apart */
    int64_t withdrawals;
    int64_t transfers;
    int64_t variation;
    int64_t fees;
    int64_t other;
    int64_t closing;
};
struct store_statement_position {
    uint32_t instrument;
    uint32_t trades;
    int64_t opening; /* lots, negative: short */
    int64_t bought;
    int64_t sold;
    int64_t settled; /* closed at expiry or moved otherwise, signed */
    int64_t closing;
    price_t settlement; /* the latest of the day or before it; PRICE_NONE: none */
};
/* Every asset, and every instrument, in which the account had anything by the end of that day. */
int store_statement_cash(struct store *s, uint32_t account, int64_t day,
                         struct store_statement_cash *lines, uint32_t capacity);
int store_statement_positions(struct store *s, uint32_t account, int64_t day,
                              struct store_statement_position *lines, uint32_t capacity);

/* Where the account stood after the last mark-to-market of that day, or of an earlier one (see
 * `taken`). 1: found, 0: there was none. */
int store_statement_margin(struct store *s, uint32_t account, int64_t day,
                           struct event_standing *standing);

/* A question to the past, answered with events, newest first, below `from_id` (0: from the newest),
 * at most `count` and as many as `out` has room for:
 *   QUERY_spot       auctions of `product` (0: any), or the one `order_id`; each with its hours and
 *                    the blocks that were rejected although they would have earned
 *   QUERY_spot_bids  bids of `account`, of all auctions or of `order_id`; each auction before its
 *                    bids
 * How many auctions or bids, or negative; out->seq is that of the last event that the rows know. */
int store_answer(struct store *s, const struct query *q, struct outbox *out);

/* The id behind a name, or 0; for tools that have no directory of their own. */
uint32_t store_account_id(struct store *s, const char *name);
uint32_t store_instrument_id(struct store *s, const char *name);
/* The name behind an id, or the id where the history knows none. */
void store_instrument_name(struct store *s, uint32_t instrument, char name[INSTRUMENT_NAME_SIZE]);
void store_asset_name(struct store *s, uint32_t asset, char name[TOKEN_NAME_SIZE]);

/* ---- the worker: the projector on a thread of its own ---- */
struct store_worker;

/* Brings the store from `after_seq` (store_last_seq) up to what is durable now, from the journal,
 * by store_apply. 0 or negative. Called on the worker's thread. */
typedef int (*store_catch_up)(void *context, struct store *store, uint64_t after_seq);

struct store_worker_options {
    const char *path;
    size_t queue_bytes; /* bound of what may wait; 0: 64 MiB. Twice this is taken */
    store_catch_up catch_up; /* NULL: a full queue makes the worker stop with an error */
    void *context;
};

struct store_worker_stats {
    uint64_t last_seq;  /* flushed */
    uint64_t rows;
    uint64_t overflows; /* times that the queue was full */
    uint64_t catch_ups;
    bool failed;        /* stopped: see store_worker_error */
};

/* Opens the store, catches up when behind, and waits for events. NULL on failure, said on
   stderr. */
struct store_worker *store_worker_start(const struct store_worker_options *options);
/* Hands over released events (whole events; copied). Never blocks: false when the queue is full,
 * and then the worker catches up from the journal by itself: nothing need be done. */
bool store_worker_push(struct store_worker *w, const void *bytes, size_t size);
/* Waits until all that was pushed is flushed. For tests and an orderly end. */
void store_worker_drain(struct store_worker *w);
struct store_worker_stats store_worker_stats(struct store_worker *w);
/* Drains, ends the thread, closes. NULL is allowed. */
void store_worker_stop(struct store_worker *w);

#endif
