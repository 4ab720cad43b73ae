/* import_kraken.c: Kraken's level-2 book feed through the core, checked against Kraken's checksums.
 *
 * A row: receive time, pair, S (snapshot) or U (update), side a or b, price, volume, exchange time,
 * CRC32. A message ends with the row that has a checksum (a snapshot has none). An update gives a
 * level's whole volume, 0 removes it; what lies beyond the subscription's depth is dropped after
 * each message. The checksum is over the ten best asks, then bids: price and volume of each,
 * without the point and leading zeros.
 *
 * Here a level is one order, replaced when its volume changes; the product stays in pre_open, where
 * orders rest and nothing trades, because the feed's books cross for moments within a message. The
 * digits of the checksum come from the book as the core tells it.
 *
 * Volumes count in units of 10^-8, so that one far from the touch can be above the venue's largest
 * order, and a book's sum above what one account may have working: such a level is several orders
 * at its price, and the orders are spread over accounts, each within the limit.
 */
#include "cli/import_pairs.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIELDS = 8, PARTS_MAX = 8, CHECK_DEPTH = 10, LEVELS_MAX = 4096 };

struct part {
    uint64_t order_id;
    uint32_t holder; /* place in `accounts` */
    int64_t qty;
};

struct level {
    int64_t price;
    int parts;
    struct part part[PARTS_MAX];
};

struct side_levels {
    struct level *levels; /* [LEVELS_MAX], best first */
    int count;
    int64_t working[IMPORT_HOLDERS]; /* lots, by account */
};

struct kraken {
    struct import_venue venue;
    struct import_reader reader;
    struct import_pairs pairs;
    struct side_levels sides[IMPORT_PAIRS_MAX][2];
    uint32_t depth;
    int64_t snapshot_rows, update_rows, removals, edits, entries, unknown_removals, trimmed;
    int64_t split_levels, messages, checked, matched, crossed, traded;
    char first_bad[96];
};

struct row {
    struct import_pair *pair;
    struct side_levels *levels;
    enum side side;
    int64_t price;
    int64_t volume;
    bool snapshot;
    bool ends;
    uint32_t crc;
};

static int row_read(struct kraken *k, struct row *row)
{
    struct import_reader *r = &k->reader;
    ts_t ts;
    int64_t crc = 0;
    if (r->count != FIELDS) return import_reader_bad(r, "eight fields are expected");
    row->pair = import_pair_find(&k->pairs, r->fields[1], "", false);
    if (row->pair == NULL) return import_reader_bad(r, "an unknown pair");
    if (!import_time(r->fields[0], &ts)) return import_reader_bad(r, "no time");
    row->snapshot = strcmp(r->fields[2], "S") == 0;
    if (!row->snapshot && strcmp(r->fields[2], "U") != 0)
        return import_reader_bad(r, "neither S nor U");
    row->side = strcmp(r->fields[3], "a") == 0 ? SIDE_sell : SIDE_buy;
    if (row->side == SIDE_buy && strcmp(r->fields[3], "b") != 0)
        return import_reader_bad(r, "neither a nor b");
    if (!import_number(r->fields[4], row->pair->price_scale, &row->price) || row->price < 0 ||
        row->price > PRICE_MAX)
        return import_reader_bad(r, "a price out of range");
    if (!import_number(r->fields[5], row->pair->volume_scale, &row->volume) || row->volume < 0 ||
        row->volume > PARTS_MAX * QTY_MAX)
        return import_reader_bad(r, "a volume out of range");
    row->ends = r->fields[7][0] != 0;
    if (row->ends && (!import_number(r->fields[7], 0, &crc) || crc < 0 || crc > UINT32_MAX))
        return import_reader_bad(r, "no checksum");
    row->crc = (uint32_t)crc;
    row->levels = &k->sides[row->pair - k->pairs.pairs][row->side];
    import_venue_time(&k->venue, ts);
    return 0;
}

/* The place of a price, or where it would be put. */
static int level_place(const struct side_levels *s, enum side side, int64_t price, bool *found)
{
    int low = 0, high = s->count;
    while (low < high) {
        int middle = (low + high) / 2;
        int64_t at = s->levels[middle].price;
        if (side == SIDE_buy ? at > price : at < price) low = middle + 1;
        else high = middle;
    }
    *found = low < s->count && s->levels[low].price == price;
    return low;
}

static void level_cancel(struct kraken *k, struct side_levels *s, struct level *l)
{
    for (int i = 0; i < l->parts; i++) {
        struct part *part = &l->part[i];
        (void)import_order_cancel(&k->venue, k->venue.holders[part->holder], part->order_id);
        s->working[part->holder] -= part->qty;
    }
    l->parts = 0;
}

/* The first account that may have so much more working; IMPORT_HOLDERS: none. */
static uint32_t holder_with_room(const struct side_levels *s, int64_t qty)
{
    uint32_t i = 0;
    while (i < IMPORT_HOLDERS && s->working[i] > QTY_MAX - qty) i++;
    return i;
}

static int refused(struct kraken *k)
{
    return import_reader_bad(&k->reader, reject_text((enum reject)k->venue.reason)->sentence);
}

static int level_enter(struct kraken *k, const struct row *row, struct level *l)
{
    int64_t left = row->volume;
    for (l->parts = 0; left > 0; l->parts++) {
        struct part *part = &l->part[l->parts];
        part->qty = int64_min(left, QTY_MAX);
        part->holder = holder_with_room(row->levels, part->qty);
        if (part->holder == IMPORT_HOLDERS)
            return import_reader_bad(&k->reader, "a book with more volume than can be held");
        struct import_order o = {.account = k->venue.holders[part->holder], .side = row->side,
                                 .instrument = row->pair->instrument, .price = row->price,
                                 .qty = part->qty};
        part->order_id = import_order_new(&k->venue, &o);
        if (part->order_id == 0) return refused(k);
        k->traded += import_traded(&k->venue);
        row->levels->working[part->holder] += part->qty;
        left -= part->qty;
    }
    k->entries += 1;
    k->split_levels += l->parts > 1;
    return 0;
}

static void level_remove(struct kraken *k, struct side_levels *s, int place)
{
    level_cancel(k, s, &s->levels[place]);
    s->count -= 1;
    memmove(&s->levels[place], &s->levels[place + 1],
            (size_t)(s->count - place) * sizeof *s->levels);
}

static int row_apply(struct kraken *k, const struct row *row)
{
    struct side_levels *s = row->levels;
    bool found;
    int place = level_place(s, row->side, row->price, &found);
    struct level *l = &s->levels[place];
    if (row->volume == 0) {
        k->removals += 1;
        if (found) level_remove(k, s, place);
        else k->unknown_removals += 1;
        return 0;
    }
    if (found && l->parts == 1) {
        struct part *part = &l->part[0];
        int64_t working = s->working[part->holder] - part->qty;
        if (row->volume <= QTY_MAX - working) {
            k->edits += 1;
            if (!import_order_edit(&k->venue, k->venue.holders[part->holder], part->order_id,
                                   row->volume))
                return refused(k);
            s->working[part->holder] = working + row->volume;
            part->qty = row->volume;
            return 0;
        }
    }
    if (found) {
        level_cancel(k, s, l);
        return level_enter(k, row, l);
    }
    if (s->count == LEVELS_MAX) return import_reader_bad(&k->reader, "too many levels");
    memmove(l + 1, l, (size_t)(s->count - place) * sizeof *l);
    s->count += 1;
    l->price = row->price;
    return level_enter(k, row, l);
}

/* A pair's snapshot replaces what was known of it. */
static void pair_clear(struct kraken *k, const struct import_pair *pair)
{
    for (int side = 0; side < 2; side++) {
        struct side_levels *s = &k->sides[pair - k->pairs.pairs][side];
        while (s->count > 0) level_remove(k, s, s->count - 1);
    }
}

/* The digits of value / 10^scale as a decimal of `width` places, without point and leading
   zeros. */
static uLong checksum_add(uLong crc, int64_t value, int scale, int width)
{
    char text[64];
    int length = snprintf(text, sizeof text, "%lld%.*s", (long long)value, width - scale,
                          "000000000000000000");
    return crc32(crc, (const Bytef *)text, (uInt)length);
}

/* Kraken's checksum over the book as the core tells it. */
static uint32_t checksum(struct kraken *k, const struct import_pair *pair)
{
    import_query(&k->venue, QUERY_book, pair->instrument, CHECK_DEPTH);
    const struct outbox *out = &k->venue.out;
    uLong crc = crc32(0, NULL, 0);
    for (uint32_t side = 2; side-- > 0;) { /* asks, then bids */
        int seen = 0;
        for (const struct event_header *e = outbox_next(out, NULL); e != NULL;
             e = outbox_next(out, e)) {
            const struct event_level *l = (const void *)e;
            if (e->kind != EVENT_level || l->side != side || seen++ >= CHECK_DEPTH) continue;
            crc = checksum_add(crc, l->price.v, pair->price_scale, pair->price_width);
            crc = checksum_add(crc, l->shown.v, pair->volume_scale, pair->volume_width);
        }
    }
    return (uint32_t)crc;
}

static void message_end(struct kraken *k, const struct row *row)
{
    const struct import_pair *pair = row->pair;
    for (int side = 0; side < 2; side++) {
        struct side_levels *s = &k->sides[pair - k->pairs.pairs][side];
        while (s->count > (int)k->depth) {
            level_remove(k, s, s->count - 1);
            k->trimmed += 1;
        }
    }
    k->messages += 1;
    k->checked += 1;
    bool equal = checksum(k, pair) == row->crc;
    k->matched += equal;
    if (!equal && k->first_bad[0] == 0)
        (void)snprintf(k->first_bad, sizeof k->first_bad, "%s at line %llu", pair->name,
                       (unsigned long long)k->reader.line);
    k->crossed += import_crossed(&k->venue, pair->instrument);
}

/* The first reading: pairs, and the width of their numbers. */
static int measure(struct kraken *k, const char *path)
{
    struct import_reader *r = &k->reader;
    if (import_reader_open(r, path, false) != 0) return -1;
    int more;
    while ((more = import_reader_next(r)) > 0) {
        if (r->line == 1 && strcmp(r->fields[0], "recv_ts_unix") == 0) continue;
        if (r->count != FIELDS) return import_reader_bad(r, "eight fields are expected");
        struct import_pair *pair = import_pair_find(&k->pairs, r->fields[1], "", true);
        if (pair == NULL) return import_reader_bad(r, "a pair's name, or too many pairs");
        if (!import_pair_measure(pair, r->fields[4], r->fields[5]))
            return import_reader_bad(r, "price or volume is no decimal");
        pair->rows += 1;
    }
    import_reader_close(r);
    if (more < 0 || import_pairs_list(&k->pairs, &k->venue, STATE_pre_open) != 0) return -1;
    for (int i = 0; i < k->pairs.count; i++) {
        for (int side = 0; side < 2; side++) {
            k->sides[i][side].levels = calloc(LEVELS_MAX, sizeof(struct level));
            if (k->sides[i][side].levels == NULL) return import_reader_bad(r, "no memory");
        }
    }
    return 0;
}

static int run(struct kraken *k, const struct import_options *o)
{
    struct import_reader *r = &k->reader;
    if (import_reader_open(r, o->path, o->progress) != 0) return -1;
    const struct import_pair *loading = NULL; /* whose snapshot is being read */
    int more;
    while ((more = import_reader_next(r)) > 0) {
        struct row row = {0};
        if (r->line == 1 && strcmp(r->fields[0], "recv_ts_unix") == 0) continue;
        if (row_read(k, &row) != 0) return -1;
        if (row.snapshot && loading != row.pair) pair_clear(k, row.pair);
        loading = row.snapshot ? row.pair : NULL;
        k->snapshot_rows += row.snapshot;
        k->update_rows += !row.snapshot;
        if (row_apply(k, &row) != 0) return -1;
        if (row.ends) message_end(k, &row);
    }
    return more;
}

static void report(struct kraken *k, struct import_report *r)
{
    int64_t levels = 0;
    for (int i = 0; i < k->pairs.count; i++) levels += k->sides[i][0].count + k->sides[i][1].count;
    import_figure(r, "pairs", "pairs", k->pairs.count);
    import_figure(r, "rows", "rows", k->snapshot_rows + k->update_rows);
    import_figure(r, "snapshot_rows", "  of snapshots", k->snapshot_rows);
    import_figure(r, "update_rows", "  of updates", k->update_rows);
    import_figure(r, "entries", "levels entered", k->entries);
    import_figure(r, "edits", "levels changed in place", k->edits);
    import_figure(r, "removals", "levels removed", k->removals);
    import_figure(r, "unknown_removals", "  that were not there", k->unknown_removals);
    import_figure(r, "trimmed", "levels dropped beyond the depth", k->trimmed);
    import_figure(r, "split_levels", "levels entered as several orders", k->split_levels);
    import_figure(r, "crossed", "messages after which a book was crossed", k->crossed);
    import_figure(r, "traded", "lots traded (the books stay in pre_open)", k->traded);
    import_figure(r, "levels", "levels at the end", levels);
    import_figure(r, "checksums", "checksums in the file", k->checked);
    import_figure(r, "checksums_equal", "checksums equal", k->matched);
    import_venue_figures(&k->venue, r);
    core_check(k->venue.core);
    r->ok = k->checked == k->matched && k->venue.rejects == 0 && k->traded == 0;
    if (k->first_bad[0] != 0)
        (void)snprintf(r->error, sizeof r->error, "the first checksum that differs: %s",
                       k->first_bad);
}

int import_kraken(const struct import_options *o, struct import_report *r)
{
    struct kraken *k = calloc(1, sizeof *k);
    if (k == NULL) return -1;
    k->depth = o->depth;
    int status = import_venue_open(&k->venue, o);
    if (status == 0) status = measure(k, o->path);
    if (status == 0) status = run(k, o);
    import_reader_close(&k->reader);
    if (status == 0) report(k, r);
    else
        (void)snprintf(r->error, sizeof r->error, "%s",
                       k->reader.error[0] != 0 ? k->reader.error : k->venue.error);
    import_venue_close(&k->venue);
    for (int i = 0; i < k->pairs.count; i++) {
        free(k->sides[i][0].levels);
        free(k->sides[i][1].levels);
    }
    free(k);
    return status;
}
