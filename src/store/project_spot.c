/* project_spot.c: which rows the spot market and reference prices become (INDEX-01, INDEX-02):
 * auctions, hours and bids as they last were.
 *
 * Upstream: project.c. Downstream: sqlite.
 */
#include "store/internal.h"

#include <stdio.h>

#define COUNT(values) (int)(sizeof(values) / sizeof(values)[0])

/* A day that has no auction is said as one without a number: no row. */
int store_project_spot_auction(struct store *s, const struct event_spot_auction *e)
{
    const int64_t values[] = {
        (int64_t)e->id, (int64_t)e->header.seq, e->header.ts.v, e->kind, e->product, e->state,
        (int64_t)e->version, (int64_t)e->reference, e->hours, e->start.v, e->opened.v,
        e->closes.v, e->deadline.v, e->done.v, e->price_min.v, e->price_max.v, e->steps,
        e->blocks, e->optimal, e->nodes, e->accepted, e->paradoxical, e->surplus.high,
        (int64_t)e->surplus.low, e->bound.high, (int64_t)e->bound.low, e->claimed.high,
        (int64_t)e->claimed.low, e->class.vintage};
    char class[sizeof e->class.region + 16] = "";
    sqlite3_stmt *q = s->write[WRITE_spot_auction];
    if (e->id == 0) return STORE_OK;
    if (e->kind != SPOT_day_ahead)
        (void)snprintf(class, sizeof class, "%s-%s", grade_name(e->class.grade), e->class.region);
    store_bind_all(q, values, COUNT(values));
    store_bind_text(q, COUNT(values) + 1, class);
    return store_run(s, WRITE_spot_auction);
}

int store_project_spot_hour(struct store *s, const struct event_spot_hour *e)
{
    const int64_t values[] = {(int64_t)e->auction, e->hour, e->instrument, e->start.v, 0, 0, 0,
                              e->qty.v, e->wanted.v};
    enum { PRICE_PLACE = 5 };
    sqlite3_stmt *q = s->write[WRITE_spot_hour];
    store_bind_all(q, values, COUNT(values));
    store_bind_price(q, PRICE_PLACE, e->price);
    store_bind_price(q, PRICE_PLACE + 1, e->price_low);
    store_bind_price(q, PRICE_PLACE + 2, e->price_high);
    return store_run(s, WRITE_spot_hour);
}

/* A block's amounts, up to its last hour that has any. */
static void amounts_text(const struct event_spot_bid *e, char *text, size_t size)
{
    uint32_t hours = SPOT_HOURS_MAX;
    size_t used = 0;
    while (hours > 0 && e->qty[hours - 1].v == 0) hours -= 1;
    for (uint32_t h = 0; h < hours; h++)
        used += (size_t)snprintf(text + used, size - used, "%c%lld", h == 0 ? '[' : ',',
                                 (long long)e->qty[h].v);
    (void)snprintf(text + used, size - used, hours == 0 ? "[]" : "]");
}

int store_project_spot_bid(struct store *s, const struct event_spot_bid *e)
{
    int64_t qty = 0;
    char text[SPOT_HOURS_MAX * 21 + 2];
    for (uint32_t h = 0; h < SPOT_HOURS_MAX; h++) qty += e->qty[h].v;
    const int64_t values[] = {
        (int64_t)e->id, (int64_t)e->header.seq, e->header.ts.v, (int64_t)e->auction, e->account,
        e->kind, e->side, e->state, (int64_t)e->parent, e->hour, e->created.v, e->price.v, qty,
        e->filled.v};
    sqlite3_stmt *q = s->write[WRITE_spot_bid];
    store_bind_all(q, values, COUNT(values));
    if (e->kind == SPOT_BID_block) {
        amounts_text(e, text, sizeof text);
        store_bind_text(q, COUNT(values) + 1, text);
    } else {
        (void)sqlite3_bind_null(q, COUNT(values) + 1);
    }
    return store_run(s, WRITE_spot_bid);
}

int store_project_index(struct store *s, const struct event_index *e)
{
    sqlite3_stmt *q = s->write[WRITE_index];
    store_bind(q, 1, e->id);
    store_bind_text(q, 2, e->terms.name);
    return store_run(s, WRITE_index);
}

int store_project_index_price(struct store *s, const struct event_index_price *e)
{
    const int64_t values[] = {e->index, e->hour.v, (int64_t)e->header.seq, e->header.ts.v, 0,
                              e->tier, 0, e->inputs, e->counted, e->trimmed};
    enum { PRICE_PLACE = 5, MEDIAN_PLACE = 7 };
    sqlite3_stmt *q = s->write[WRITE_index_price];
    store_bind_all(q, values, COUNT(values));
    store_bind_price(q, PRICE_PLACE, e->price);
    store_bind_price(q, MEDIAN_PLACE, e->median);
    return store_run(s, WRITE_index_price);
}
