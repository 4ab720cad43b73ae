/* channel.c: who listens to what. See channel.h. */
#include "gate/channel_internal.h"

#include "wire/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool writer_open(struct json_writer *w, size_t capacity)
{
    *w = (struct json_writer){.bytes = malloc(capacity), .capacity = capacity};
    return w->bytes != NULL;
}

struct channels *channels_open(const struct venue *venue, const struct directory *directory)
{
    struct channels *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->venue = venue;
    c->directory = directory;
    c->hashed = calloc(CHANNELS_HASH, sizeof(struct channel *));
    if (c->hashed == NULL || !writer_open(&c->out, SCRATCH_BYTES) ||
        !writer_open(&c->item, SCRATCH_BYTES) || !writer_open(&c->sides[0], SCRATCH_BYTES / 2) ||
        !writer_open(&c->sides[1], SCRATCH_BYTES / 2)) {
        channels_close(c);
        return NULL;
    }
    return c;
}

static void channel_free(struct channel *ch)
{
    free(ch->listeners);
    buffer_free(&ch->pending);
    buffer_free(&ch->pending2);
    free(ch);
}

void channels_close(struct channels *c)
{
    if (c == NULL) return;
    for (uint32_t i = 0; c->hashed != NULL && i < CHANNELS_HASH; i++) {
        for (struct channel *ch = c->hashed[i], *next; ch != NULL; ch = next) {
            next = ch->next_hash;
            channel_free(ch);
        }
    }
    for (uint32_t i = 0; i < c->held_count; i++) free(c->held[i].bytes);
    mirror_close(&c->mirror);
    free(c->held);
    free(c->hashed);
    free(c->by_instrument);
    free(c->by_account);
    free(c->out.bytes);
    free(c->item.bytes);
    free(c->sides[0].bytes);
    free(c->sides[1].bytes);
    free(c);
}

void channels_server_set(struct channels *c, struct server *server) { c->server = server; }
uint32_t channels_count(const struct channels *c) { return c->count; }
uint64_t channels_notifications(const struct channels *c) { return c->notifications; }
const char *channel_name(const struct channel *channel) { return channel->name; }

int channels_load(struct channels *c)
{
    uint32_t count = directory_count(c->directory, DIRECTORY_instrument);
    for (uint32_t i = 1; i <= count; i++) {
        const struct outbox *events = NULL;
        struct query q = {.kind = QUERY_book, .instrument = i, .count = UINT32_MAX,
                          .now = c->venue->now(c->venue->context)};
        c->venue->query(c->venue->context, &q, &events);
        const struct event_header *h = NULL;
        while ((h = outbox_next(events, h)) != NULL) {
            if (h->kind == EVENT_level &&
                mirror_apply(&c->mirror, (const struct event_level *)(const void *)h) != 0)
                return -1;
        }
    }
    return 0;
}

/* ---- names ---- */

enum { WORDS_MAX = 6 };

struct words {
    char text[CHANNEL_NAME_SIZE];
    const char *at[WORDS_MAX];
    int count;
};

/* Splits at dots. Instruments have none in their names. */
static bool split(struct words *w, const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof w->text) return false;
    memcpy(w->text, name, n + 1);
    w->count = 0;
    for (char *p = w->text; p != NULL;) {
        if (w->count == WORDS_MAX) return false;
        w->at[w->count++] = p;
        p = strchr(p, '.');
        if (p != NULL) *p++ = 0;
    }
    return true;
}

static bool interval_of(const char *word, uint8_t *interval)
{
    if (strcmp(word, "raw") == 0) *interval = MIRROR_raw;
    else if (strcmp(word, "100ms") == 0 || strcmp(word, "agg2") == 0) *interval = MIRROR_100ms;
    else return false;
    return true;
}

static bool instrument_of_name(const struct channels *c, const char *name, struct channel *ch)
{
    ch->instrument = directory_find_text(c->directory, DIRECTORY_instrument, name);
    return ch->instrument != 0;
}

/* KIND.CURRENCY: any, future, future_combo; any, a product or a base currency. */
static bool wildcard_of(const struct channels *c, const char *kind, const char *currency,
                        struct channel *ch)
{
    if (strcmp(kind, "future") == 0) ch->spreads = 2;
    else if (strcmp(kind, "future_combo") == 0 || strcmp(kind, "combo") == 0) ch->spreads = 1;
    else if (strcmp(kind, "any") != 0) return false;
    if (strcmp(currency, "any") == 0 || strcmp(currency, "USD") == 0) return true;
    ch->product = directory_find_text(c->directory, DIRECTORY_product, currency);
    if (ch->product == 0) snprintf(ch->currency, sizeof ch->currency, "%s", currency);
    return true;
}

/* INSTRUMENT.INTERVAL or KIND.CURRENCY.INTERVAL from word `at` on. */
static bool target_of(const struct channels *c, const struct words *w, int at, struct channel *ch)
{
    if (!interval_of(w->at[w->count - 1], &ch->interval)) return false;
    if (w->count == at + 2) {
        return strcmp(w->at[at], "any") == 0 || instrument_of_name(c, w->at[at], ch);
    }
    return w->count == at + 3 && wildcard_of(c, w->at[at], w->at[at + 1], ch);
}

/* PRODUCT, any, or balancing and resale: auctions that are no product's. Products have capital
 * names. */
static bool spot_of(const struct channels *c, const char *name, struct channel *ch)
{
    for (uint8_t kind = SPOT_day_ahead + 1; kind < SPOT_kind_count; kind++) {
        if (strcmp(name, spot_kind_words[kind]) == 0) ch->auctions = kind;
    }
    if (ch->auctions == SPOT_day_ahead && strcmp(name, "any") != 0) {
        ch->product = directory_find_text(c->directory, DIRECTORY_product, name);
        return ch->product != 0;
    }
    return true;
}

static bool user_of(const struct channels *c, const struct words *w, struct channel *ch)
{
    if (w->count < 3) return false;
    if (strcmp(w->at[1], "portfolio") == 0) {
        ch->kind = CHANNEL_user_portfolio;
        ch->interval = MIRROR_100ms;
        return w->count == 3;
    }
    if (strcmp(w->at[1], "calls") == 0) { /* CLEAR-09; user.calls.CURRENCY, as portfolio */
        ch->kind = CHANNEL_user_calls;
        return w->count == 3;
    }
    if (strcmp(w->at[1], "spot") == 0) {
        ch->kind = CHANNEL_user_spot;
        return w->count == 3 && spot_of(c, w->at[2], ch);
    }
    if (strcmp(w->at[1], "orders") == 0) ch->kind = CHANNEL_user_orders;
    else if (strcmp(w->at[1], "trades") == 0) ch->kind = CHANNEL_user_trades;
    else if (strcmp(w->at[1], "changes") == 0) ch->kind = CHANNEL_user_changes;
    else return false;
    return w->count >= 4 && target_of(c, w, 2, ch);
}

static bool book_of(const struct channels *c, const struct words *w, struct channel *ch)
{
    if (w->count == 3) {
        ch->kind = CHANNEL_book;
        return interval_of(w->at[2], &ch->interval) && instrument_of_name(c, w->at[1], ch);
    }
    if (w->count != 5 || strcmp(w->at[2], "none") != 0) return false;
    ch->kind = CHANNEL_depth;
    ch->interval = MIRROR_100ms;
    char *end = NULL;
    unsigned long depth = strtoul(w->at[3], &end, 10);
    if (*end != 0 || depth == 0 || depth > 1000) return false;
    ch->depth = (uint32_t)depth;
    uint8_t interval;
    return interval_of(w->at[4], &interval) && instrument_of_name(c, w->at[1], ch);
}

/* What a name means; false: nothing. */
static bool parse(const struct channels *c, const char *name, struct channel *ch)
{
    struct words w;
    if (!split(&w, name) || w.count < 2) return false;
    snprintf(ch->name, sizeof ch->name, "%s", name);
    if (strcmp(w.at[0], "user") == 0) return user_of(c, &w, ch);
    if (strcmp(w.at[0], "book") == 0) return book_of(c, &w, ch);
    if (strcmp(w.at[0], "trades") == 0) {
        ch->kind = CHANNEL_trades;
        return w.count >= 3 && target_of(c, &w, 1, ch);
    }
    if (strcmp(w.at[0], "ticker") == 0) {
        ch->kind = CHANNEL_ticker;
        return w.count == 3 && interval_of(w.at[2], &ch->interval) &&
               instrument_of_name(c, w.at[1], ch);
    }
    if (strcmp(w.at[0], "quote") == 0) {
        ch->kind = CHANNEL_quote;
        return w.count == 2 && instrument_of_name(c, w.at[1], ch);
    }
    if (strcmp(w.at[0], "index") == 0) {
        ch->kind = CHANNEL_index;
        ch->index = directory_find_text(c->directory, DIRECTORY_index, w.at[1]);
        return w.count == 2 && ch->index != 0;
    }
    if (strcmp(w.at[0], "delivery") == 0) {
        ch->kind = CHANNEL_delivery;
        return w.count == 2 &&
               (strcmp(w.at[1], "any") == 0 || instrument_of_name(c, w.at[1], ch));
    }
    if (strcmp(w.at[0], "spot") == 0) {
        ch->kind = CHANNEL_spot;
        ch->interval = MIRROR_100ms; /* of the first word; what happens is told at once */
        return w.count == 2 && spot_of(c, w.at[1], ch);
    }
    if (strcmp(w.at[0], "halts") != 0 || w.count != 2) return false;
    ch->kind = CHANNEL_halts;
    if (strcmp(w.at[1], "any") != 0)
        ch->product = directory_find_text(c->directory, DIRECTORY_product, w.at[1]);
    return strcmp(w.at[1], "any") == 0 || ch->product != 0;
}

/* ---- the table ---- */

static uint32_t hash_name(const char *name, uint32_t account)
{
    uint64_t h = UINT64_C(1469598103934665603) ^ account;
    for (; *name != 0; name++) h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (uint32_t)(h ^ (h >> 32)) & (CHANNELS_HASH - 1);
}

static struct channel_list *list_at(struct channel_list **lists, uint32_t *places, uint32_t at)
{
    if (at >= *places) {
        uint32_t n = *places == 0 ? 256 : *places;
        while (n <= at) n *= 2;
        struct channel_list *grown = realloc(*lists, n * sizeof *grown);
        if (grown == NULL) return NULL;
        memset(grown + *places, 0, (n - *places) * sizeof *grown);
        *lists = grown;
        *places = n;
    }
    return *lists + at;
}

/* Where a channel is found when an event comes. */
static struct channel_list *key_of(struct channels *c, const struct channel *ch)
{
    if (ch->account != 0) return list_at(&c->by_account, &c->accounts, ch->account);
    if (ch->instrument != ANY) return list_at(&c->by_instrument, &c->instruments, ch->instrument);
    return &c->wild;
}

static struct channel *find(const struct channels *c, const char *name, uint32_t account)
{
    struct channel *ch = c->hashed[hash_name(name, account)];
    while (ch != NULL && (ch->account != account || strcmp(ch->name, name) != 0))
        ch = ch->next_hash;
    return ch;
}

static struct channel *add(struct channels *c, const struct channel *parsed)
{
    struct channel_list *key = key_of(c, parsed);
    struct channel *ch = key == NULL || c->count == CHANNELS_MAX ? NULL : malloc(sizeof *ch);
    if (ch == NULL) return NULL;
    *ch = *parsed;
    ch->hash = hash_name(ch->name, ch->account);
    ch->next_hash = c->hashed[ch->hash];
    c->hashed[ch->hash] = ch;
    ch->next_key = key->first;
    key->first = ch;
    c->count += 1;
    return ch;
}

static void unlink_touched(struct channels *c, const struct channel *ch)
{
    struct channel **p = &c->touched[ch->interval];
    while (ch->touched && *p != NULL && *p != ch) p = &(*p)->next_touched;
    if (ch->touched && *p != NULL) *p = ch->next_touched;
}

static void drop(struct channels *c, struct channel *ch)
{
    struct channel **p = &c->hashed[ch->hash];
    while (*p != ch) p = &(*p)->next_hash;
    *p = ch->next_hash;
    p = &key_of(c, ch)->first;
    while (*p != ch) p = &(*p)->next_key;
    *p = ch->next_key;
    unlink_touched(c, ch);
    channel_forget_held(c, ch);
    if (ch->kind == CHANNEL_book) {
        struct mirror_book *b = mirror_book(&c->mirror, ch->instrument);
        if (b != NULL) mirror_unlisten(b, (enum mirror_interval)ch->interval);
    }
    c->count -= 1;
    channel_free(ch);
}

/* Channels without listeners go here, not while somebody walks over them. */
void channels_sweep(struct channels *c)
{
    if (!c->sweep) return;
    c->sweep = false;
    for (uint32_t i = 0; i < CHANNELS_HASH; i++) {
        for (struct channel *ch = c->hashed[i], *next; ch != NULL; ch = next) {
            next = ch->next_hash;
            if (ch->count == 0) drop(c, ch);
        }
    }
}

void channel_touch(struct channels *c, struct channel *ch)
{
    if (ch->touched) return;
    ch->touched = true;
    ch->next_touched = c->touched[ch->interval];
    c->touched[ch->interval] = ch;
}

bool channel_wants(const struct channels *c, const struct channel *ch, uint32_t instrument)
{
    if (ch->instrument != ANY) return ch->instrument == instrument;
    const struct event_instrument *i = directory_instrument(c->directory, instrument);
    if (i == NULL || (ch->product != ANY && i->product != ch->product)) return false;
    if (ch->spreads != 0 && (ch->spreads == 1) != (i->is_spread != 0)) return false;
    if (ch->currency[0] == 0) return true;
    char own[CURRENCY_SIZE];
    directory_currency(c->directory, i, own);
    return strcmp(own, ch->currency) == 0;
}

/* ---- subscriptions ---- */

static bool listens(const struct subscriptions *s, const struct channel *ch)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->list[i] == ch) return true;
    }
    return false;
}

static bool grow(void **list, uint32_t count, uint32_t *capacity)
{
    if (count < *capacity) return true;
    uint32_t n = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = realloc(*list, n * sizeof(void *));
    if (grown == NULL) return false;
    *list = grown;
    *capacity = n;
    return true;
}

static bool join(struct channel *ch, struct subscriptions *s)
{
    void *listeners = ch->listeners;
    void *list = s->list;
    bool fits = grow(&listeners, ch->count, &ch->capacity);
    ch->listeners = listeners;
    fits = fits && grow(&list, s->count, &s->capacity);
    s->list = list;
    if (!fits) return false;
    ch->listeners[ch->count++] = s;
    s->list[s->count++] = ch;
    return true;
}

enum channel_result channel_subscribe(struct channels *c, struct subscriptions *s,
                                      uint32_t account, const char *name)
{
    struct channel parsed = {0};
    channels_sweep(c);
    if (!parse(c, name, &parsed)) return CHANNEL_UNKNOWN;
    bool private = parsed.kind >= CHANNEL_user_orders;
    if (private && account == 0) return CHANNEL_PRIVATE;
    parsed.account = private ? account : 0;
    struct channel *ch = find(c, name, parsed.account);
    if (ch != NULL && listens(s, ch)) return CHANNEL_OK;
    if (s->connection == NULL || s->count >= CHANNELS_PER_SESSION_MAX) return CHANNEL_FULL;
    bool fresh = ch == NULL;
    if (fresh && (ch = add(c, &parsed)) == NULL) return CHANNEL_FULL;
    if (fresh) channel_start(c, ch);
    if (!join(ch, s)) {
        c->sweep = true;
        return CHANNEL_FULL;
    }
    channel_snapshot(c, ch, s);
    return CHANNEL_OK;
}

/* Both ends let go; the last of each list takes the place. */
static void leave(struct channels *c, struct subscriptions *s, uint32_t at)
{
    struct channel *ch = s->list[at];
    s->list[at] = s->list[--s->count];
    for (uint32_t i = 0; i < ch->count; i++) {
        if (ch->listeners[i] != s) continue;
        ch->listeners[i] = ch->listeners[--ch->count];
        break;
    }
    if (ch->count == 0) c->sweep = true;
}

bool channel_unsubscribe(struct channels *c, struct subscriptions *s, const char *name)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (strcmp(s->list[i]->name, name) != 0) continue;
        leave(c, s, i);
        channels_sweep(c);
        return true;
    }
    return false;
}

void channel_unsubscribe_all(struct channels *c, struct subscriptions *s, bool only_private)
{
    for (uint32_t i = s->count; i-- > 0;) {
        if (!only_private || s->list[i]->account != 0) leave(c, s, i);
    }
    if (s->count != 0) return;
    free(s->list);
    s->list = NULL;
    s->capacity = 0;
}
