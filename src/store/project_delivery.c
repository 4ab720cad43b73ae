/* project_delivery.c: which rows deliveries become (DELIV-01 to -06): notices and what ended in
 * money as they were said, allocations and their hours as they last were.
 *
 * Upstream: project.c. Downstream: sqlite.
 */
#include "store/internal.h"

/* Of a statement whose last columns are such. */
static void bind_bytes(sqlite3_stmt *q, int place, const uint8_t *bytes, int size)
{
    (void)sqlite3_bind_blob(q, place, bytes, size, SQLITE_TRANSIENT);
}

#define COUNT(values) (int)(sizeof(values) / sizeof(values)[0])

int store_project_notice(struct store *s, const struct event_notice *e)
{
    const int64_t values[] = {(int64_t)e->header.seq, e->header.ts.v, e->instrument,
                              e->allocations, 0, e->open.v, e->allotted.v, e->cash.v,
                              (int64_t)e->state_seq};
    enum { PRICE_PLACE = 5 };
    sqlite3_stmt *q = s->write[WRITE_notice];
    store_bind_all(q, values, COUNT(values));
    store_bind_price(q, PRICE_PLACE, e->price);
    bind_bytes(q, COUNT(values) + 1, e->seed, sizeof e->seed);
    return store_run(s, WRITE_notice);
}

int store_project_allocation(struct store *s, const struct event_allocation *e)
{
    const int64_t values[] = {
        (int64_t)e->id, (int64_t)e->header.seq, e->header.ts.v, (int64_t)e->of, e->instrument,
        e->state, e->buyer, e->seller, e->resource, e->grade, e->flags, e->reason, e->lots.v,
        e->work_due, e->work_done, e->work_made_up, e->work_bought, e->work_resold, e->price.v,
        e->price_resold.v, e->factor_e6, e->first_hour.v, e->end.v, e->paid.v, e->damages.v};
    store_bind_all(s->write[WRITE_allocation], values, COUNT(values));
    return store_run(s, WRITE_allocation);
}

int store_project_delivery_hour(struct store *s, const struct event_delivery_hour *e)
{
    const int64_t values[] = {
        (int64_t)e->allocation, e->hour.v, (int64_t)e->header.seq, e->header.ts.v, e->instrument,
        e->state, e->flags, e->outcome, e->work_due, e->work_claimed, e->work, (int64_t)e->tasks,
        (int64_t)e->sampled, (int64_t)e->failed, e->bound_e6, 0, e->paid.v};
    enum { REFERENCE_PLACE = 16 };
    sqlite3_stmt *q = s->write[WRITE_delivery_hour];
    store_bind_all(q, values, COUNT(values));
    store_bind_price(q, REFERENCE_PLACE, e->reference);
    bind_bytes(q, COUNT(values) + 1, e->root, sizeof e->root);
    bind_bytes(q, COUNT(values) + 2, e->seed, sizeof e->seed);
    bind_bytes(q, COUNT(values) + 3, e->verifier_key, sizeof e->verifier_key);
    return store_run(s, WRITE_delivery_hour);
}

int store_project_delivery_cash(struct store *s, const struct event_delivery_cash *e)
{
    const int64_t values[] = {
        (int64_t)e->header.seq, e->header.ts.v, (int64_t)e->allocation, e->instrument, e->reason,
        e->buyer, e->seller, e->at_fault, e->lots.v, e->work, e->price.v, 0, e->difference.v,
        e->damages.v};
    enum { REFERENCE_PLACE = 12 };
    sqlite3_stmt *q = s->write[WRITE_delivery_cash];
    store_bind_all(q, values, COUNT(values));
    store_bind_price(q, REFERENCE_PLACE, e->reference);
    return store_run(s, WRITE_delivery_cash);
}
