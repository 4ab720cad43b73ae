/* project_compute.c: which rows certificates and tokens become. Tokens themselves are postings;
 * what they need here is a name.
 *
 * Upstream: project.c. Downstream: sqlite.
 */
#include "store/internal.h"

int store_project_token_class(struct store *s, const struct event_token_class *e)
{
    sqlite3_stmt *q = s->write[WRITE_token_class];
    store_bind(q, 1, e->id);
    store_bind(q, 2, e->class.vintage);
    store_bind_text(q, 3, grade_name(e->class.grade));
    store_bind_text(q, 4, e->class.region);
    return store_run(s, WRITE_token_class);
}

int store_project_token(struct store *s, const struct event_token *e)
{
    sqlite3_stmt *q = s->write[WRITE_token];
    if (e->cause != TOKEN_issued) return STORE_OK;
    store_bind(q, 1, e->asset);
    store_bind(q, 2, e->class);
    store_bind(q, 3, e->hour * (NS_PER_HOUR / NS_PER_SECOND));
    return store_run(s, WRITE_token);
}

int store_project_certificate(struct store *s, const struct event_certificate *e)
{
    const struct certificate_terms *t = &e->terms;
    const int64_t values[] = {
        (int64_t)e->id, (int64_t)e->header.seq, e->header.ts.v, e->account, e->status, e->faults,
        t->class.vintage, t->work_per_hour, e->submitted.v, e->effective.v, t->expires.v,
        e->ended.v, (int64_t)e->appeals, (int64_t)e->reversed_by};
    const char *const texts[] = {t->resource, grade_name(t->class.grade), t->class.region,
                                 e->reason};
    enum { NUMBERS = sizeof values / sizeof values[0], TEXTS = sizeof texts / sizeof texts[0] };
    sqlite3_stmt *q = s->write[WRITE_certificate];
    store_bind_all(q, values, NUMBERS);
    for (int i = 0; i < TEXTS; i++) store_bind_text(q, NUMBERS + i + 1, texts[i]);
    return store_run(s, WRITE_certificate);
}
