/* directory.c: see directory.h. Entries are copies of the events, in arrays by id; one hash table
 * of (kind, name) finds the id. Memory grows with creations, never while trading. */
#include "gate/directory.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
    unsigned char *items;
    size_t item;       /* bytes of one */
    size_t id_at;      /* where its id is */
    size_t name_at;    /* where its name is */
    uint32_t capacity; /* items, [0] unused */
    uint32_t count;    /* highest id */
};

struct name_slot {
    uint32_t kind;
    uint32_t id; /* 0: empty */
};

struct directory {
    struct table tables[DIRECTORY_kind_count];
    struct name_slot *names;
    uint32_t mask;
    uint32_t used;
    struct token_names *tokens;
};

/* Tokens come and go by the hour: their names are made when they are asked for. */
enum { TOKEN_NAMES_KEPT = 8 };
struct token_names {
    struct token_class classes[TOKEN_CLASSES_MAX + 1];
    char kept[TOKEN_NAMES_KEPT][TOKEN_NAME_SIZE];
    uint32_t next;
};

#define TABLE(type, id_member)                                                                    \
    {.item = sizeof(struct type), .id_at = offsetof(struct type, id_member)}

struct directory *directory_open(void)
{
    struct directory *d = calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    struct table tables[DIRECTORY_kind_count] = {
        [DIRECTORY_asset] = TABLE(event_asset, id),
        [DIRECTORY_member] = TABLE(event_member, id),
        [DIRECTORY_account] = TABLE(event_account, id),
        [DIRECTORY_product] = TABLE(event_product, id),
        [DIRECTORY_instrument] = TABLE(event_instrument, id),
        [DIRECTORY_index] = TABLE(event_index, id),
        [DIRECTORY_resource] = TABLE(event_resource, id),
    };
    tables[DIRECTORY_asset].name_at = offsetof(struct event_asset, name);
    tables[DIRECTORY_member].name_at = offsetof(struct event_member, name);
    tables[DIRECTORY_account].name_at = offsetof(struct event_account, name);
    tables[DIRECTORY_product].name_at = offsetof(struct event_product, terms.name);
    tables[DIRECTORY_instrument].name_at = offsetof(struct event_instrument, name);
    tables[DIRECTORY_index].name_at = offsetof(struct event_index, terms.name);
    tables[DIRECTORY_resource].name_at = offsetof(struct event_resource, name);
    memcpy(d->tables, tables, sizeof tables);
    d->mask = 255;
    d->names = calloc(d->mask + 1, sizeof *d->names);
    d->tokens = calloc(1, sizeof *d->tokens);
    if (d->names == NULL || d->tokens == NULL) {
        directory_close(d);
        return NULL;
    }
    return d;
}

void directory_close(struct directory *d)
{
    if (d == NULL) return;
    for (int k = 0; k < DIRECTORY_kind_count; k++) free(d->tables[k].items);
    free(d->names);
    free(d->tokens);
    free(d);
}

static const void *item_get(const struct directory *d, enum directory_kind kind, uint32_t id)
{
    const struct table *t = &d->tables[kind];
    if (id == 0 || id > t->count) return NULL;
    const unsigned char *item = t->items + (size_t)id * t->item;
    uint32_t own;
    memcpy(&own, item + t->id_at, sizeof own);
    return own == id ? item : NULL;
}

static const char *item_name(const struct directory *d, enum directory_kind kind, uint32_t id)
{
    const unsigned char *item = item_get(d, kind, id);
    return item == NULL ? "" : (const char *)item + d->tables[kind].name_at;
}

static uint32_t name_home(const struct directory *d, enum directory_kind kind, const char *name,
                          size_t length)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) + (uint64_t)kind; /* FNV-1a, then mixed */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)random_mix(h) & d->mask;
}

uint32_t directory_find(const struct directory *d, enum directory_kind kind, const char *name,
                        size_t length)
{
    if (length == 0) return 0;
    uint32_t i = name_home(d, kind, name, length);
    for (; d->names[i].id != 0; i = (i + 1) & d->mask) {
        if (d->names[i].kind != (uint32_t)kind) continue;
        const char *other = item_name(d, kind, d->names[i].id);
        if (strlen(other) == length && memcmp(other, name, length) == 0) return d->names[i].id;
    }
    return 0;
}

uint32_t directory_find_text(const struct directory *d, enum directory_kind kind, const char *name)
{
    return directory_find(d, kind, name, strlen(name));
}

static void name_put(struct directory *d, enum directory_kind kind, uint32_t id)
{
    const char *name = item_name(d, kind, id);
    uint32_t i = name_home(d, kind, name, strlen(name));
    while (d->names[i].id != 0) i = (i + 1) & d->mask;
    d->names[i] = (struct name_slot){.kind = (uint32_t)kind, .id = id};
}

/* Keeps the table of names at most half full. */
static int names_grow(struct directory *d)
{
    if (d->used * 2 < d->mask) return 0;
    struct name_slot *old = d->names;
    uint32_t old_count = d->mask + 1;
    struct name_slot *names = calloc((size_t)old_count * 2, sizeof *names);
    if (names == NULL) return -1;
    d->names = names;
    d->mask = old_count * 2 - 1;
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i].id != 0) name_put(d, (enum directory_kind)old[i].kind, old[i].id);
    }
    free(old);
    return 0;
}

static int table_grow(struct table *t, uint32_t id)
{
    if (id < t->capacity) return 0;
    uint32_t capacity = t->capacity == 0 ? 16 : t->capacity * 2;
    while (capacity <= id) capacity *= 2;
    unsigned char *items = realloc(t->items, (size_t)capacity * t->item);
    if (items == NULL) return -1;
    memset(items + (size_t)t->capacity * t->item, 0,
           (size_t)(capacity - t->capacity) * t->item);
    t->items = items;
    t->capacity = capacity;
    return 0;
}

static int item_put(struct directory *d, enum directory_kind kind, const void *event)
{
    struct table *t = &d->tables[kind];
    uint32_t id;
    memcpy(&id, (const unsigned char *)event + t->id_at, sizeof id);
    ASSERT(id != 0 && id < UINT32_MAX / 4);
    bool known = item_get(d, kind, id) != NULL;
    if (table_grow(t, id) != 0 || names_grow(d) != 0) return -1;
    memcpy(t->items + (size_t)id * t->item, event, t->item);
    if (id > t->count) t->count = id;
    if (!known) {
        name_put(d, kind, id);
        d->used += 1;
    }
    return 0;
}

static void state_note(struct directory *d, const struct event_state *e)
{
    struct event_product p;
    const struct event_product *old = directory_product(d, e->product);
    if (old == NULL || e->instrument != 0) return; /* of one instrument alone */
    p = *old;
    p.state = e->state;
    memcpy(d->tables[DIRECTORY_product].items + (size_t)p.id * sizeof p, &p, sizeof p);
}

static void killed_note(struct directory *d, const struct event_killed *e)
{
    const struct event_account *a = directory_account(d, e->account);
    const struct event_member *m = directory_member(d, e->member);
    if (a != NULL) {
        struct event_account changed = *a;
        changed.killed = e->on;
        memcpy(d->tables[DIRECTORY_account].items + (size_t)e->account * sizeof changed, &changed,
               sizeof changed);
    } else if (m != NULL) {
        struct event_member changed = *m;
        changed.killed = e->on;
        memcpy(d->tables[DIRECTORY_member].items + (size_t)e->member * sizeof changed, &changed,
               sizeof changed);
    }
}

static void class_note(struct directory *d, const struct event_token_class *e)
{
    ASSERT(e->id != 0 && e->id <= TOKEN_CLASSES_MAX);
    d->tokens->classes[e->id] = e->class;
}

int directory_apply(struct directory *d, const struct outbox *events)
{
    int e = 0;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL && e == 0;
         h = outbox_next(events, h)) {
        switch (h->kind) {
        case EVENT_asset: e = item_put(d, DIRECTORY_asset, h); break;
        case EVENT_member: e = item_put(d, DIRECTORY_member, h); break;
        case EVENT_account: e = item_put(d, DIRECTORY_account, h); break;
        case EVENT_product: e = item_put(d, DIRECTORY_product, h); break;
        case EVENT_instrument: e = item_put(d, DIRECTORY_instrument, h); break;
        case EVENT_index: e = item_put(d, DIRECTORY_index, h); break;
        case EVENT_resource: e = item_put(d, DIRECTORY_resource, h); break;
        case EVENT_token_class: class_note(d, (const void *)h); break;
        case EVENT_state: state_note(d, (const struct event_state *)(const void *)h); break;
        case EVENT_killed: killed_note(d, (const struct event_killed *)(const void *)h); break;
        default: break;
        }
    }
    return e;
}

uint32_t directory_count(const struct directory *d, enum directory_kind kind)
{
    return d->tables[kind].count;
}

const struct event_asset *directory_asset(const struct directory *d, uint32_t id)
{
    return item_get(d, DIRECTORY_asset, id);
}

const struct event_member *directory_member(const struct directory *d, uint32_t id)
{
    return item_get(d, DIRECTORY_member, id);
}

const struct event_account *directory_account(const struct directory *d, uint32_t id)
{
    return item_get(d, DIRECTORY_account, id);
}

const struct event_product *directory_product(const struct directory *d, uint32_t id)
{
    return item_get(d, DIRECTORY_product, id);
}

const struct event_instrument *directory_instrument(const struct directory *d, uint32_t id)
{
    return item_get(d, DIRECTORY_instrument, id);
}

const struct token_class *directory_token_class(const struct directory *d, uint32_t id)
{
    bool known = id <= TOKEN_CLASSES_MAX && d->tokens->classes[id].vintage != 0;
    return known ? &d->tokens->classes[id] : NULL;
}

uint32_t directory_token_class_find(const struct directory *d, const struct token_class *class)
{
    for (uint32_t i = 1; i <= TOKEN_CLASSES_MAX; i++) {
        if (memcmp(&d->tokens->classes[i], class, sizeof *class) == 0) return i;
    }
    return 0;
}

static const char *token_name(const struct directory *d, uint32_t asset)
{
    const struct token_class *class = directory_token_class(d, token_asset_class(asset));
    if (class == NULL) return "";
    char *text = d->tokens->kept[d->tokens->next];
    d->tokens->next = (d->tokens->next + 1) % TOKEN_NAMES_KEPT;
    token_name_write(class, token_asset_hour(asset), text);
    return text;
}

const char *directory_name(const struct directory *d, enum directory_kind kind, uint32_t id)
{
    if (kind == DIRECTORY_asset && id > ASSET_INSTRUMENT)
        return item_name(d, DIRECTORY_instrument, id - ASSET_INSTRUMENT);
    if (kind == DIRECTORY_asset && asset_is_token(id)) return token_name(d, id);
    return item_name(d, kind, id);
}

void directory_currency(const struct directory *d, const struct event_instrument *i,
                        char text[CURRENCY_SIZE])
{
    static const char *const periods[PERIOD_count] = {".Y", ".Q", "", ".W", ".D", ".H", ""};
    static const char *const blocks[BLOCK_count] = {"", ".PK", ".OP"};
    char hour[16] = "";
    if (i->period == PERIOD_hour && !i->is_spread)
        snprintf(hour, sizeof hour, "%02d", (int)(i->start.v / NS_PER_HOUR % 24));
    int n = snprintf(text, CURRENCY_SIZE, "%s%s%s%s",
                     directory_name(d, DIRECTORY_product, i->product),
                     i->is_spread ? "" : periods[i->period % PERIOD_count], hour,
                     i->is_spread ? "" : blocks[i->block % BLOCK_count]);
    ASSERT(n > 0 && n < CURRENCY_SIZE);
}
