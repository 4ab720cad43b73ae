/* project_clearing.c: which rows the clearing house's events become: margin, calls, slices, busts.
 *
 * Upstream: project.c. Downstream: sqlite.
 */
#include "store/internal.h"

int store_project_standing(struct store *s, const struct event_standing *e)
{
    const int64_t values[] = {
        e->account, int64_div_floor(e->header.ts.v, NS_PER_DAY), (int64_t)e->mark_id,
        (int64_t)e->header.seq, e->header.ts.v, e->mode, e->status, e->cash.v, e->pending.v,
        e->unsettled.v, e->equity.v, e->credit.v, e->initial.v, e->maintenance.v, e->missing.v,
        (int64_t)e->call, e->call_state, e->called.v, e->deadline.v};
    store_bind_all(s->write[WRITE_statement_margin], values, sizeof values / sizeof values[0]);
    return store_run(s, WRITE_statement_margin);
}

int store_project_call(struct store *s, const struct event_call *e)
{
    const int64_t values[] = {
        (int64_t)e->header.seq, e->header.index, e->header.ts.v, (int64_t)e->id, e->account,
        e->state, e->called.v, e->missing.v, e->equity.v, e->credit.v, e->requirement.v,
        e->maintenance.v, e->issued.v, e->deadline.v, e->slices};
    store_bind_all(s->write[WRITE_call], values, sizeof values / sizeof values[0]);
    return store_run(s, WRITE_call);
}

int store_project_slice(struct store *s, const struct event_slice *e)
{
    const int64_t values[] = {
        (int64_t)e->header.seq, e->header.index, e->header.ts.v, (int64_t)e->call, e->number,
        e->account, e->instrument, e->side, e->result, e->reason, e->before.v, e->asked.v,
        e->filled.v};
    enum { COUNT = sizeof values / sizeof values[0] };
    store_bind_all(s->write[WRITE_slice], values, COUNT);
    store_bind_price(s->write[WRITE_slice], COUNT + 1, e->limit);
    return store_run(s, WRITE_slice);
}

int store_project_bust(struct store *s, const struct event_trade_bust *e)
{
    const int64_t values[] = {(int64_t)e->header.seq, e->header.index, e->header.ts.v,
                              (int64_t)e->trade_id, e->instrument, e->adjusted, e->price.v,
                              e->qty.v};
    enum { COUNT = sizeof values / sizeof values[0] };
    store_bind_all(s->write[WRITE_bust], values, COUNT);
    store_bind_price(s->write[WRITE_bust], COUNT + 1, e->adjusted_price);
    store_bind_text(s->write[WRITE_bust], COUNT + 2, e->reason);
    return store_run(s, WRITE_bust);
}
