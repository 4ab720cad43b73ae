/* allocation_test.c: core_step and core_query allocate nothing: the linker turns every malloc,
 * calloc, realloc, aligned_alloc and free of this program into a counter, over commands that
 * trade, rest, edit, cancel and are refused, and over every kind of query.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/random.h"
#include "venue.h"

#include <stdlib.h>

enum { ACCOUNTS = 20, COMMANDS = 50000, REMEMBERED = 256 };

static uint64_t calls;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *p);

void *__wrap_malloc(size_t size)
{
    calls += 1;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls += 1;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    calls += 1;
    return __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    calls += 1;
    return __real_aligned_alloc(alignment, size);
}

void __wrap_free(void *p)
{
    calls += 1;
    __real_free(p);
}

struct counts {
    uint64_t ids[REMEMBERED];
    uint64_t trades;
    uint64_t rejects;
    uint64_t entered;
};

static void events_count(const struct venue *v, struct counts *n)
{
    const struct event_header *h = NULL;
    while ((h = outbox_next(&v->out, h)) != NULL) {
        n->trades += h->kind == EVENT_trade;
        n->rejects += h->kind == EVENT_reject;
        if (h->kind != EVENT_order) continue;
        const struct event_order *o = (const struct event_order *)(const void *)h;
        if (o->cause == CAUSE_new) n->ids[n->entered++ % REMEMBERED] = o->order_id;
    }
}

static void command_apply(struct venue *v, struct random *r, struct counts *n)
{
    uint64_t dice = random_below(r, 100);
    uint64_t id = n->ids[random_below(r, REMEMBERED)];
    struct command *c = dice < 60 ? &v->create : dice < 90 ? &v->cancel : &v->edit;
    c->header.account = v->account_first + (uint32_t)random_below(r, ACCOUNTS);
    int64_t px = (1000 + (int64_t)random_below(r, 40)) * 1000 + (dice == 0 ? 1 : 0);
    int64_t qty = 1 + (int64_t)random_below(r, 30);
    if (dice < 60) {
        c->order_new.side = (uint8_t)random_below(r, 2);
        c->order_new.tif = dice < 50 ? TIF_good_til_cancelled : TIF_fill_or_kill;
        c->order_new.price = PRICE(px);
        c->order_new.qty = QTY(qty);
    } else if (dice < 90) {
        c->order_cancel.order_id = id;
    } else {
        c->order_edit.order_id = id;
        c->order_edit.price = PRICE(px);
        c->order_edit.qty = QTY(qty);
    }
    venue_step(v, c);
    events_count(v, n);
}

static void test_nothing_is_allocated(void **state)
{
    (void)state;
    static struct venue v;
    static struct counts n;
    struct core_limits l = venue_limits(ACCOUNTS, 2, 4096, 1024);
    struct venue_terms t = {.accounts = ACCOUNTS, .instruments = 2, .tick = 1000,
                            .flat_margin = E6, .cash = 1000};
    venue_open(&v, &l, &t);
    struct random r = {3};
    assert_true(calls > 0); /* the counting works: core_open allocates */
    uint64_t before = calls;
    for (int i = 0; i < COMMANDS; i++) command_apply(&v, &r, &n);
    for (uint32_t kind = QUERY_none + 1; kind < QUERY_kind_count; kind++) {
        struct query q = {.kind = kind, .account = v.account_first, .instrument = 1, .count = 50,
                          .order_id = n.ids[0], .now = TS(v.ts)};
        outbox_reset(&v.out, v.seq, TS(v.ts));
        core_query(v.core, &q, &v.out);
    }
    uint64_t hash = core_hash(v.core);
    uint64_t during = calls - before;
    assert_int_equal(during, 0);
    assert_true(hash != 0 && n.trades > 1000 && n.rejects > 1000);
    venue_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_is_allocated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
