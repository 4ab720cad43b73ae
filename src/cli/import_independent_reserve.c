/* import_independent_reserve.c: Independent Reserve's order-by-order feed through the core.
 *
 * A row: receive time, base, quote, event, nonce, side, order's GUID, price, volume, exchange time.
 * Events: SNAPSHOT (the rows of one book have one receive time), NewOrder, OrderChanged (volume is
 * what is left), OrderCanceled. The stream begins before the snapshot is taken, so that around it
 * an order may be told twice (the second is passed over) and a cancel may name an order that the
 * snapshot no longer had; both are counted. Nonces count a pair's events without gaps.
 *
 * Every pair is open: what an order trades at entry is counted, since in this feed an order that
 * trades is told as OrderChanged or OrderCanceled of the resting one.
 */
#include "base/map.h"
#include "cli/import_pairs.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS = 10, LIVE_MAX = IMPORT_ORDERS };

struct live {
    uint64_t order_id;
    uint64_t key;
    uint32_t next_free;
    uint32_t pair; /* place in pairs + 1; 0: free */
    int64_t qty;
};

struct reserve {
    struct import_venue venue;
    struct import_reader reader;
    struct import_pairs pairs;
    int64_t nonce[IMPORT_PAIRS_MAX];
    char snapshot_at[IMPORT_PAIRS_MAX][32]; /* receive time of the pair's snapshot */
    struct map map; /* GUID, folded -> place in live */
    uint32_t map_count;
    struct live *live;
    uint32_t free;
    int64_t snapshots, snapshot_rows, new_orders, changes, cancels;
    int64_t repeated, unknown_before, unknown_after, replaced, gaps, traded, crossed, resting_max;
};

struct row {
    struct import_pair *pair;
    uint32_t place; /* of the pair */
    char event;     /* S, N, H (changed), C */
    uint64_t key;
    enum side side;
    int64_t price;
    int64_t volume;
};

/* 32 hexadecimal digits folded to 64 bits; GUIDs are random, so that two of a file's thousands fall
 * together with a probability below 10^-10. 0: not a GUID. */
static uint64_t guid_fold(const char *text)
{
    uint64_t half[2] = {0, 0};
    int digits = 0;
    for (; *text != 0; text++) {
        if (*text == '-') continue;
        int digit = *text >= '0' && *text <= '9' ? *text - '0'
                    : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10
                    : *text >= 'A' && *text <= 'F' ? *text - 'A' + 10 : -1;
        if (digit < 0 || digits == 32) return 0;
        half[digits / 16] = half[digits / 16] << 4 | (uint64_t)digit;
        digits += 1;
    }
    return digits == 32 ? (half[0] ^ random_mix(half[1])) | 1 : 0;
}

static char event_of(const char *name)
{
    if (strcmp(name, "SNAPSHOT") == 0) return 'S';
    if (strcmp(name, "NewOrder") == 0) return 'N';
    if (strcmp(name, "OrderChanged") == 0) return 'H';
    if (strcmp(name, "OrderCanceled") == 0) return 'C';
    return 0;
}

static int row_read(struct reserve *s, struct row *row)
{
    struct import_reader *r = &s->reader;
    ts_t ts;
    if (r->count != FIELDS) return import_reader_bad(r, "ten fields are expected");
    row->pair = import_pair_find(&s->pairs, r->fields[1], r->fields[2], false);
    if (row->pair == NULL) return import_reader_bad(r, "an unknown pair");
    row->place = (uint32_t)(row->pair - s->pairs.pairs);
    if (!import_time(r->fields[0], &ts)) return import_reader_bad(r, "no time");
    row->event = event_of(r->fields[3]);
    if (row->event == 0) return import_reader_bad(r, "an unknown event");
    row->key = guid_fold(r->fields[6]);
    if (row->key == 0) return import_reader_bad(r, "no GUID");
    row->side = r->fields[5][0] == 'S' ? SIDE_sell : SIDE_buy;
    if (strcmp(r->fields[5], "S") != 0 && strcmp(r->fields[5], "B") != 0)
        return import_reader_bad(r, "neither B nor S");
    bool priced = row->event == 'S' || row->event == 'N';
    if (priced && (!import_number(r->fields[7], row->pair->price_scale, &row->price) ||
                   row->price < 0 || row->price > PRICE_MAX))
        return import_reader_bad(r, "a price out of range");
    if (row->event != 'C' && (!import_number(r->fields[8], row->pair->volume_scale, &row->volume) ||
                              row->volume < 0 || row->volume > QTY_MAX))
        return import_reader_bad(r, "a volume out of range");
    if (priced && row->volume == 0) return import_reader_bad(r, "an order of nothing");
    import_venue_time(&s->venue, ts);
    return 0;
}

static int nonce_check(struct reserve *s, const struct row *row)
{
    int64_t nonce;
    if (row->event == 'S') return 0;
    if (!import_number(s->reader.fields[4], 0, &nonce))
        return import_reader_bad(&s->reader, "no nonce");
    int64_t before = s->nonce[row->place];
    s->gaps += before != 0 && nonce != before + 1;
    s->nonce[row->place] = nonce;
    return 0;
}

static void live_remove(struct reserve *s, struct live *o)
{
    map_remove(&s->map, o->key);
    o->pair = 0;
    o->next_free = s->free;
    s->free = (uint32_t)(o - s->live);
}

static int enter(struct reserve *s, const struct row *row)
{
    if (s->free == 0) return import_reader_bad(&s->reader, "too many orders at once");
    struct import_order order = {.account = s->venue.holders[0], .side = row->side,
                                 .instrument = row->pair->instrument, .price = row->price,
                                 .qty = row->volume};
    uint64_t id = import_order_new(&s->venue, &order);
    if (id == 0) return 0;
    s->traded += import_traded(&s->venue);
    struct live *o = &s->live[s->free];
    map_insert(&s->map, row->key, s->free);
    s->free = o->next_free;
    *o = (struct live){.order_id = id, .key = row->key, .pair = row->place + 1,
                       .qty = row->volume};
    s->resting_max = int64_max(s->resting_max, s->map_count);
    return 0;
}

static void cancel(struct reserve *s, struct live *o)
{
    (void)import_order_cancel(&s->venue, s->venue.holders[0], o->order_id);
    live_remove(s, o);
}

/* A new snapshot of a pair replaces what the stream has told so far. */
static void snapshot_start(struct reserve *s, const struct row *row)
{
    char *at = s->snapshot_at[row->place];
    if (strcmp(at, s->reader.fields[0]) == 0) return;
    (void)snprintf(at, sizeof s->snapshot_at[0], "%.31s", s->reader.fields[0]);
    s->snapshots += 1;
    for (uint32_t i = 1; i < LIVE_MAX; i++) {
        if (s->live[i].pair != row->place + 1) continue;
        s->replaced += 1;
        cancel(s, &s->live[i]);
    }
}

static int apply(struct reserve *s, const struct row *row)
{
    if (row->event == 'S') snapshot_start(s, row);
    uint32_t *place = map_find(&s->map, row->key);
    struct live *o = place == NULL ? NULL : &s->live[*place];
    s->snapshot_rows += row->event == 'S';
    s->new_orders += row->event == 'N';
    s->changes += row->event == 'H';
    s->cancels += row->event == 'C';
    if (row->event == 'S' || row->event == 'N') {
        s->repeated += o != NULL;
        return o != NULL ? 0 : enter(s, row);
    }
    if (o == NULL) {
        bool before = s->snapshot_at[row->place][0] == 0;
        s->unknown_before += before;
        s->unknown_after += !before;
    } else if (row->event == 'C' || row->volume == 0) {
        cancel(s, o);
    } else {
        (void)import_order_edit(&s->venue, s->venue.holders[0], o->order_id, row->volume);
        o->qty = row->volume;
    }
    return 0;
}

static int measure(struct reserve *s, const char *path)
{
    struct import_reader *r = &s->reader;
    if (import_reader_open(r, path, false) != 0) return -1;
    int more;
    while ((more = import_reader_next(r)) > 0) {
        if (r->line == 1 && strcmp(r->fields[0], "recv_ts_unix") == 0) continue;
        if (r->count != FIELDS) return import_reader_bad(r, "ten fields are expected");
        struct import_pair *pair = import_pair_find(&s->pairs, r->fields[1], r->fields[2], true);
        if (pair == NULL) return import_reader_bad(r, "a pair's name, or too many pairs");
        if (r->fields[7][0] != 0 && !import_pair_measure(pair, r->fields[7], r->fields[8]))
            return import_reader_bad(r, "price or volume is no decimal");
        pair->rows += 1;
    }
    import_reader_close(r);
    return more < 0 ? -1 : import_pairs_list(&s->pairs, &s->venue, STATE_open);
}

static int run(struct reserve *s, const struct import_options *o)
{
    struct import_reader *r = &s->reader;
    if (import_reader_open(r, o->path, o->progress) != 0) return -1;
    int more;
    while ((more = import_reader_next(r)) > 0) {
        struct row row = {0};
        if (r->line == 1 && strcmp(r->fields[0], "recv_ts_unix") == 0) continue;
        if (row_read(s, &row) != 0 || nonce_check(s, &row) != 0 || apply(s, &row) != 0) return -1;
        s->crossed += import_crossed(&s->venue, row.pair->instrument);
    }
    return more;
}

static int64_t count_resting(struct reserve *s)
{
    int64_t count = 0;
    for (int i = 0; i < s->pairs.count; i++) {
        import_query(&s->venue, QUERY_book_orders, s->pairs.pairs[i].instrument, 0);
        for (const struct event_header *e = outbox_next(&s->venue.out, NULL); e != NULL;
             e = outbox_next(&s->venue.out, e))
            count += e->kind == EVENT_order;
    }
    return count;
}

static void report(struct reserve *s, struct import_report *r)
{
    int64_t resting = count_resting(s);
    import_figure(r, "pairs", "pairs", s->pairs.count);
    import_figure(r, "snapshots", "snapshots", s->snapshots);
    import_figure(r, "snapshot_rows", "  their orders", s->snapshot_rows);
    import_figure(r, "replaced", "  orders told before and replaced by them", s->replaced);
    import_figure(r, "new_orders", "new orders", s->new_orders);
    import_figure(r, "repeated", "  that the snapshot had already", s->repeated);
    import_figure(r, "changes", "changed orders", s->changes);
    import_figure(r, "cancels", "cancelled orders", s->cancels);
    import_figure(r, "unknown_before", "  unknown, before the snapshot", s->unknown_before);
    import_figure(r, "unknown_after", "  gone already in the snapshot", s->unknown_after);
    import_figure(r, "nonce_gaps", "gaps in the pairs' numbering", s->gaps);
    import_figure(r, "traded", "lots that a new order traded at entry", s->traded);
    import_figure(r, "crossed", "rows after which a book was crossed", s->crossed);
    import_figure(r, "resting_max", "most orders at once", s->resting_max);
    import_figure(r, "resting", "orders resting at the end", resting);
    import_venue_figures(&s->venue, r);
    core_check(s->venue.core);
    r->ok = s->venue.rejects == 0 && s->gaps == 0 && s->crossed == 0 && s->traded == 0 &&
            resting == (int64_t)s->map_count;
}

static int reserve_open(struct reserve *s, const struct import_options *o)
{
    s->live = calloc(LIVE_MAX + 1, sizeof *s->live);
    s->map.slots = calloc(map_slots_for(LIVE_MAX), sizeof *s->map.slots);
    if (s->live == NULL || s->map.slots == NULL)
        return import_reader_bad(&s->reader, "no memory");
    for (uint32_t i = 1; i < LIVE_MAX - 1; i++) s->live[i].next_free = i + 1;
    s->free = 1;
    s->map.mask = map_slots_for(LIVE_MAX) - 1;
    s->map.capacity = LIVE_MAX;
    s->map.count = &s->map_count;
    return import_venue_open(&s->venue, o);
}

int import_independent_reserve(const struct import_options *o, struct import_report *r)
{
    struct reserve *s = calloc(1, sizeof *s);
    if (s == NULL) return -1;
    int status = reserve_open(s, o);
    if (status == 0) status = measure(s, o->path);
    if (status == 0) status = run(s, o);
    import_reader_close(&s->reader);
    if (status == 0) report(s, r);
    else
        (void)snprintf(r->error, sizeof r->error, "%s",
                       s->reader.error[0] != 0 ? s->reader.error : s->venue.error);
    import_venue_close(&s->venue);
    free(s->map.slots);
    free(s->live);
    free(s);
    return status;
}
