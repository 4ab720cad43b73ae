/* history_spot.c: auctions of the spot market and bids read back as the events they were made of
 * (INDEX-01). See history.c.
 *
 * Upstream: sqlite. Downstream: node, cli (through venue.past).
 */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

static void header_read(struct event_header *h, sqlite3_stmt *q)
{
    h->seq = (uint64_t)store_column(q, 1);
    h->ts = TS(store_column(q, 2));
}

static void class_read(struct token_class *class, uint32_t vintage, const char *text)
{
    const char *dash = strchr(text, '-');
    class->vintage = vintage;
    if (dash == NULL) return;
    for (uint32_t g = 0; g < GRADE_count; g++) {
        const char *name = grade_name(g);
        if (strlen(name) == (size_t)(dash - text) && memcmp(name, text, (size_t)(dash - text)) == 0)
            class->grade = g;
    }
    strncpy(class->region, dash + 1, sizeof class->region - 1);
}

static struct spot_surplus surplus_read(sqlite3_stmt *q, int at)
{
    return (struct spot_surplus){store_column(q, at), (uint64_t)store_column(q, at + 1)};
}

static struct event_spot_auction *auction_push(sqlite3_stmt *q, struct outbox *out)
{
    struct event_spot_auction *e = outbox_push(out, EVENT_spot_auction, sizeof *e);
    struct event_header header = e->header;
    *e = (struct event_spot_auction){
        .header = header, .id = (uint64_t)store_column(q, 0),
        .kind = (uint8_t)store_column(q, 3), .product = (uint32_t)store_column(q, 4),
        .state = (uint8_t)store_column(q, 5), .version = (uint64_t)store_column(q, 6),
        .reference = (uint64_t)store_column(q, 7), .hours = (uint32_t)store_column(q, 8),
        .start = TS(store_column(q, 9)), .opened = TS(store_column(q, 10)),
        .closes = TS(store_column(q, 11)), .deadline = TS(store_column(q, 12)),
        .done = TS(store_column(q, 13)), .price_min = PRICE(store_column(q, 14)),
        .price_max = PRICE(store_column(q, 15)), .steps = (uint32_t)store_column(q, 16),
        .blocks = (uint32_t)store_column(q, 17), .optimal = (uint8_t)store_column(q, 18),
        .nodes = (uint32_t)store_column(q, 19), .accepted = (uint32_t)store_column(q, 20),
        .paradoxical = (uint32_t)store_column(q, 21), .surplus = surplus_read(q, 22),
        .bound = surplus_read(q, 24), .claimed = surplus_read(q, 26)};
    class_read(&e->class, (uint32_t)store_column(q, 28), (const char *)sqlite3_column_text(q, 29));
    header_read(&e->header, q);
    return e;
}

static int hours_push(struct store *s, const struct event_spot_auction *a, struct outbox *out)
{
    sqlite3_stmt *q = store_prepare(s, "SELECT hour, instrument, start, price, price_low,"
                                       " price_high, qty, wanted FROM spot_hours WHERE auction=?1"
                                       " ORDER BY hour");
    int status = STORE_OK;
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, (int64_t)a->id);
    while (store_next_row(s, q, &status)) {
        struct event_spot_hour *e = outbox_push(out, EVENT_spot_hour, sizeof *e);
        e->header.seq = a->header.seq;
        e->header.ts = a->header.ts;
        e->auction = a->id;
        e->hour = (uint32_t)store_column(q, 0);
        e->instrument = (uint32_t)store_column(q, 1);
        e->start = TS(store_column(q, 2));
        e->price = store_column_price(q, 3);
        e->price_low = store_column_price(q, 4);
        e->price_high = store_column_price(q, 5);
        e->qty = QTY(store_column(q, 6));
        e->wanted = QTY(store_column(q, 7));
    }
    (void)sqlite3_finalize(q);
    return status;
}

/* ---- bids ---- */

#define BID_COLUMNS                                                                                \
    "SELECT b.id, b.seq, b.ts, b.auction, b.account, b.kind, b.side, b.state, b.parent, b.hour,"   \
    " b.created, b.price, b.qty, b.filled, b.amounts FROM spot_bids b "

static struct event_spot_bid *bid_push(sqlite3_stmt *q, struct outbox *out)
{
    struct event_spot_bid *e = outbox_push(out, EVENT_spot_bid, sizeof *e);
    struct event_header header = e->header;
    const char *text = (const char *)sqlite3_column_text(q, 14);
    *e = (struct event_spot_bid){
        .header = header, .id = (uint64_t)store_column(q, 0),
        .auction = (uint64_t)store_column(q, 3), .account = (uint32_t)store_column(q, 4),
        .kind = (uint8_t)store_column(q, 5), .side = (uint8_t)store_column(q, 6),
        .state = (uint8_t)store_column(q, 7), .parent = (uint64_t)store_column(q, 8),
        .hour = (uint8_t)store_column(q, 9), .created = TS(store_column(q, 10)),
        .price = PRICE(store_column(q, 11)), .filled = QTY(store_column(q, 13))};
    header_read(&e->header, q);
    if (text == NULL) e->qty[e->hour % SPOT_HOURS_MAX] = QTY(store_column(q, 12));
    for (uint32_t h = 0; text != NULL && h < SPOT_HOURS_MAX && *text != 0 && *text != ']'; h++) {
        char *end;
        e->qty[h] = QTY(strtoll(text + 1, &end, 10));
        text = end;
    }
    return e;
}

/* The blocks that were rejected although they would have earned. */
static int paradoxes_push(struct store *s, const struct event_spot_auction *a, struct outbox *out)
{
    sqlite3_stmt *q;
    int status = STORE_OK;
    if (a->paradoxical == 0) return STORE_OK;
    q = store_prepare(s, BID_COLUMNS "WHERE b.auction=?1 AND b.state=?2 ORDER BY b.id LIMIT ?3");
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, (int64_t)a->id);
    store_bind(q, 2, SPOT_BID_paradoxical);
    store_bind(q, 3, a->paradoxical);
    while (store_next_row(s, q, &status)) bid_push(q, out)->header.seq = a->header.seq;
    (void)sqlite3_finalize(q);
    return status;
}

static int64_t below_of(const struct query *q)
{
    return q->from_id == 0 || q->from_id > INT64_MAX ? INT64_MAX : (int64_t)q->from_id;
}

static bool fits(const struct outbox *out, uint32_t bids)
{
    size_t most = sizeof(struct event_spot_auction) +
                  SPOT_HOURS_MAX * sizeof(struct event_spot_hour) +
                  bids * sizeof(struct event_spot_bid);
    return out->capacity - out->used >= most;
}

static int auctions_push(struct store *s, const struct query *ask, struct outbox *out)
{
    sqlite3_stmt *q = store_prepare(
        s, ask->product != 0 ? "SELECT * FROM spot_auctions WHERE product=?1 AND id<?2 AND id>=?3"
                               " ORDER BY id DESC LIMIT ?4"
                             : "SELECT * FROM spot_auctions WHERE ?1=0 AND id<?2 AND id>=?3"
                               " ORDER BY id DESC LIMIT ?4");
    int status = STORE_OK;
    uint32_t n = 0;
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, ask->product);
    store_bind(q, 2, ask->order_id != 0 ? (int64_t)ask->order_id + 1 : below_of(ask));
    store_bind(q, 3, (int64_t)ask->order_id);
    store_bind(q, 4, ask->count);
    while (status == STORE_OK && store_next_row(s, q, &status)) {
        if (!fits(out, (uint32_t)store_column(q, 21))) break; /* the next page begins with it */
        const struct event_spot_auction *a = auction_push(q, out);
        status = hours_push(s, a, out);
        if (status == STORE_OK) status = paradoxes_push(s, a, out);
        n += 1;
    }
    (void)sqlite3_finalize(q);
    return status == STORE_OK ? (int)n : status;
}

/* Its auction stands before a bid of another than the bid before it. */
static int auction_of_bid(struct store *s, uint64_t id, struct outbox *out)
{
    sqlite3_stmt *q = store_prepare(s, "SELECT * FROM spot_auctions WHERE id=?1");
    int status = STORE_OK;
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, (int64_t)id);
    if (store_next_row(s, q, &status)) auction_push(q, out);
    (void)sqlite3_finalize(q);
    return status;
}

static int bids_push(struct store *s, const struct query *ask, struct outbox *out)
{
    sqlite3_stmt *q = store_prepare(
        s, ask->order_id != 0
               ? BID_COLUMNS "WHERE b.account=?1 AND b.id<?2 AND +b.auction=?4"
                             " ORDER BY b.id DESC LIMIT ?3"
               : BID_COLUMNS "WHERE b.account=?1 AND b.id<?2 AND ?4=0"
                             " ORDER BY b.id DESC LIMIT ?3");
    int status = STORE_OK;
    uint32_t n = 0;
    uint64_t auction = 0;
    if (q == NULL) return STORE_FAILED;
    store_bind(q, 1, ask->account);
    store_bind(q, 2, below_of(ask));
    store_bind(q, 3, ask->count);
    store_bind(q, 4, (int64_t)ask->order_id);
    while (status == STORE_OK && store_next_row(s, q, &status)) {
        if (!fits(out, 1)) break;
        if ((uint64_t)store_column(q, 3) != auction) {
            auction = (uint64_t)store_column(q, 3);
            status = auction_of_bid(s, auction, out);
        }
        if (status == STORE_OK) (void)bid_push(q, out);
        n += 1;
    }
    (void)sqlite3_finalize(q);
    return status == STORE_OK ? (int)n : status;
}

int store_answer(struct store *s, const struct query *q, struct outbox *out)
{
    bool reads_only = s->write[WRITE_begin] == NULL;
    int status = reads_only ? store_position_read(s) : STORE_OK;
    outbox_reset(out, s->seq, s->ts);
    out->flags = EVENT_FLAG_ANSWER;
    if (status != STORE_OK) return status;
    switch (q->kind) {
    case QUERY_spot: return auctions_push(s, q, out);
    case QUERY_spot_bids: return bids_push(s, q, out);
    default: return 0;
    }
}
