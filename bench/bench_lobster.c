/* bench_lobster.c: `core-lobster`: an hour of recorded order flow through the whole core, over
 * and over.
 *
 * The file is LOBSTER's message format (time, type, order id, size, price x 10^4, direction),
 * plain or gzip. New orders are limit orders; partial deletions are edits to a lower amount;
 * deletions are cancels; visible executions are immediate-or-cancel orders from the other side at
 * the price; hidden executions and messages about orders that predate the file are passed over. At
 * the end of the hour all orders are cancelled and it begins again with ids of its own.
 */
#include "bench.h"
#include "venue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { ACCOUNTS = 100, ORDERS = 1 << 16, LEVELS = 1 << 15, REFERENCES_MAX = 1 << 20,
       NAME_SIZE = 4096 };

struct message {
    uint32_t reference; /* dense number of the order id in the file, from 1 */
    uint32_t size;
    int64_t price;      /* 10^-6 USD */
    uint8_t type;
    uint8_t side;
    uint8_t reserved[6];
};

struct hour {
    struct message *messages;
    size_t count;
    uint32_t references;
    uint64_t *order_id; /* by reference: the core's id in this turn; 0: none */
    int64_t *total;     /* by reference: the order's whole amount */
    uint64_t *ids;      /* hash table of the file's ids: id, then reference */
    struct venue venue;
    uint64_t trades;
    uint64_t rejects;
    uint64_t skipped;
};

static uint32_t reference_of(struct hour *h, uint64_t id)
{
    uint64_t at = id * UINT64_C(0x9e3779b97f4a7c15) >> 42; /* 2^22 places of two words */
    while (h->ids[at * 2] != 0 && h->ids[at * 2] != id) at = (at + 1) & ((1u << 22) - 1);
    if (h->ids[at * 2] == 0) {
        h->ids[at * 2] = id;
        h->ids[at * 2 + 1] = ++h->references;
    }
    return (uint32_t)h->ids[at * 2 + 1];
}

static bool hour_read(struct hour *h, const char *name)
{
    gzFile file = gzopen(name, "rb");
    if (file == NULL) return false;
    size_t capacity = 1 << 17;
    h->messages = malloc(capacity * sizeof *h->messages);
    char line[256];
    while (h->messages != NULL && gzgets(file, line, sizeof line) != NULL &&
           h->references < REFERENCES_MAX) {
        unsigned type;
        unsigned long long id, size;
        long long price;
        int direction;
        if (sscanf(line, "%*[^,],%u,%llu,%llu,%lld,%d", &type, &id, &size, &price, &direction) != 5)
            continue;
        if (type < 1 || type > 4 || id == 0) continue;
        if (h->count == capacity) {
            capacity *= 2;
            struct message *more = realloc(h->messages, capacity * sizeof *more);
            if (more == NULL) break;
            h->messages = more;
        }
        h->messages[h->count++] = (struct message){
            .reference = reference_of(h, id), .size = (uint32_t)size, .price = price * 100,
            .type = (uint8_t)type, .side = direction == 1 ? SIDE_buy : SIDE_sell};
    }
    gzclose(file);
    return h->count > 0;
}

static void events_walk(struct hour *h, uint32_t reference)
{
    const struct event_header *e = NULL;
    while ((e = outbox_next(&h->venue.out, e)) != NULL) {
        if (e->kind == EVENT_trade) h->trades += 1;
        if (e->kind == EVENT_reject) h->rejects += 1;
        if (e->kind != EVENT_order || reference == 0) continue;
        const struct event_order *o = (const struct event_order *)(const void *)e;
        if (o->cause == CAUSE_new) h->order_id[reference] = o->order_id;
    }
}

/* The command of a message; NULL when it is to be passed over. */
static struct command *command_make(struct hour *h, const struct message *m)
{
    struct venue *v = &h->venue;
    uint64_t id = h->order_id[m->reference];
    uint32_t account = v->account_first + m->reference % ACCOUNTS;
    struct command *c;
    if (m->type != 1 && id == 0) return NULL;
    if (m->type == 2) {
        c = &v->edit;
        h->total[m->reference] -= m->size;
        c->order_edit.order_id = id;
        c->order_edit.price = PRICE(m->price);
        c->order_edit.qty = QTY(h->total[m->reference]);
    } else if (m->type == 3) {
        c = &v->cancel;
        c->order_cancel.order_id = id;
    } else {
        bool fresh = m->type == 1;
        c = &v->create;
        if (fresh) h->total[m->reference] = m->size;
        else account = v->account_first + (m->reference + 1) % ACCOUNTS;
        c->order_new.side = fresh ? m->side : m->side ^ 1;
        c->order_new.tif = fresh ? TIF_good_til_cancelled : TIF_immediate_or_cancel;
        c->order_new.price = PRICE(m->price);
        c->order_new.qty = QTY(m->size);
    }
    c->header.account = account;
    return c;
}

static void everything_cancel(struct hour *h)
{
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        struct command c = {.header.kind = COMMAND_cancel_many};
        c.header.size = command_size_full(COMMAND_cancel_many);
        c.header.account = h->venue.account_first + i;
        venue_step(&h->venue, &c);
    }
    memset(h->order_id, 0, (h->references + 1) * sizeof *h->order_id);
}

/* One pass over the hour; returns how many commands there were. */
static size_t hour_run(struct hour *h, uint32_t *times)
{
    size_t commands = 0;
    for (size_t i = 0; i < h->count; i++) {
        const struct message *m = &h->messages[i];
        struct command *c = command_make(h, m);
        if (c == NULL) {
            h->skipped += 1;
            continue;
        }
        uint64_t before = times != NULL ? bench_now() : 0;
        venue_step(&h->venue, c);
        if (times != NULL) times[commands] = (uint32_t)(bench_now() - before);
        commands += 1;
        events_walk(h, m->type == 1 ? m->reference : 0);
    }
    everything_cancel(h);
    return commands;
}

static void hour_measure(struct hour *h, uint32_t rounds, uint32_t *times)
{
    double ns[64];
    size_t commands = 0;
    (void)hour_run(h, NULL);
    struct bench_heap heap = bench_heap_now();
    for (uint32_t i = 0; i < rounds; i++) {
        h->trades = h->rejects = h->skipped = 0;
        uint64_t start = bench_now();
        commands = hour_run(h, NULL);
        ns[i] = (double)(bench_now() - start) / (double)commands;
    }
    double median = bench_median(ns, rounds);
    printf("  %zu messages, %zu commands: %.0f thousand commands/s (%.0f ns; best %.0f)\n",
           h->count, commands, 1e6 / median, median, ns[0]);
    printf("  a turn: %llu trades, %llu rejected, %llu passed over\n",
           (unsigned long long)h->trades, (unsigned long long)h->rejects,
           (unsigned long long)h->skipped);
    commands = hour_run(h, times);
    bool same = bench_heap_same(heap);
    bench_percentiles_print(times, commands);
    printf("  hash %016llx; nothing was allocated while commands ran: %s\n"
           "  left out: gateway, validation of bytes, journal, release of events, feeds\n",
           (unsigned long long)core_hash(h->venue.core), same ? "yes" : "NO");
}

static int run(const struct bench_options *options)
{
    char name[NAME_SIZE];
    const char *shared = getenv("DOJIMA_SHARED");
    snprintf(name, sizeof name, "%s/data/lobster_AAPL_20120621_0930_1030_message50.csv.gz",
             shared != NULL ? shared : "../shared");
    const char *file = options->file != NULL ? options->file : name;
    struct hour *h = calloc(1, sizeof *h);
    if (h == NULL || (h->ids = calloc(2u << 22, sizeof *h->ids)) == NULL) abort();
    int status = 0;
    if (!hour_read(h, file)) {
        printf("  skipped: %s is not there\n", file);
        status = options->file != NULL ? 2 : 0;
        goto out;
    }
    uint32_t *times = malloc(h->count * sizeof *times);
    h->order_id = calloc(h->references + 1, sizeof *h->order_id);
    h->total = calloc(h->references + 1, sizeof *h->total);
    if (times == NULL || h->order_id == NULL || h->total == NULL) abort();
    struct core_limits l = venue_limits(ACCOUNTS, 1, ORDERS, LEVELS);
    struct venue_terms t = {.accounts = ACCOUNTS, .instruments = 1, .tick = 100,
                            .flat_margin = E6, .cash = 1000000000};
    venue_open(&h->venue, &l, &t);
    uint32_t rounds = options->rounds != 0 ? options->rounds : 9;
    hour_measure(h, rounds > 64 ? 64 : rounds, times);
    venue_close(&h->venue);
    free(times);
out:
    free(h->messages);
    free(h->order_id);
    free(h->total);
    free(h->ids);
    free(h);
    return status;
}

const struct bench bench_core_lobster = {
    "core-lobster", "the whole core: an hour of recorded order flow, over and over", run};
