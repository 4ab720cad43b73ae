/* mirror.c: see mirror.h. */
#include "gate/mirror.h"

#include <stdlib.h>
#include <string.h>

void mirror_close(struct mirror *m)
{
    for (uint32_t i = 0; i < m->capacity; i++) {
        free(m->books[i].side[0].levels);
        free(m->books[i].side[1].levels);
    }
    free(m->books);
    *m = (struct mirror){0};
}

struct mirror_book *mirror_book(struct mirror *m, uint32_t instrument)
{
    if (instrument >= m->capacity) {
        uint32_t capacity = m->capacity == 0 ? 256 : m->capacity;
        while (capacity <= instrument) capacity *= 2;
        struct mirror_book *books = realloc(m->books, capacity * sizeof *books);
        if (books == NULL) return NULL;
        memset(books + m->capacity, 0, (capacity - m->capacity) * sizeof *books);
        m->books = books;
        m->capacity = capacity;
    }
    return &m->books[instrument];
}

static bool better(enum side side, price_t a, price_t b)
{
    return side == SIDE_buy ? a.v > b.v : a.v < b.v;
}

/* The first level that is not better than the price. */
static uint32_t place_of(const struct mirror_side *s, enum side side, price_t price)
{
    uint32_t low = 0;
    uint32_t high = s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (better(side, s->levels[middle].price, price)) low = middle + 1;
        else high = middle;
    }
    return low;
}

static struct mirror_level *insert(struct mirror_side *s, uint32_t at, price_t price)
{
    if (s->count == s->capacity) {
        uint32_t capacity = s->capacity == 0 ? 16 : s->capacity * 2;
        struct mirror_level *levels = realloc(s->levels, capacity * sizeof *levels);
        if (levels == NULL) return NULL;
        s->levels = levels;
        s->capacity = capacity;
    }
    memmove(s->levels + at + 1, s->levels + at, (s->count - at) * sizeof *s->levels);
    s->count += 1;
    s->levels[at] = (struct mirror_level){.price = price};
    return &s->levels[at];
}

static void drop_if_gone(struct mirror_side *s, uint32_t at)
{
    const struct mirror_level *l = &s->levels[at];
    if (l->amount != 0 || l->said[MIRROR_raw] != 0 || l->said[MIRROR_100ms] != 0) return;
    memmove(s->levels + at, s->levels + at + 1, (s->count - at - 1) * sizeof *s->levels);
    s->count -= 1;
}

int mirror_apply(struct mirror *m, const struct event_level *e)
{
    struct mirror_book *b = mirror_book(m, e->instrument);
    if (b == NULL || e->side > SIDE_sell) return b == NULL ? -1 : 0;
    enum side side = e->side == SIDE_buy ? SIDE_buy : SIDE_sell;
    struct mirror_side *s = &b->side[side];
    uint32_t at = place_of(s, side, e->price);
    int64_t amount = e->shown.v + e->implied.v;
    b->change_id = e->header.seq;
    b->ts = e->header.ts;
    b->depth_dirty = true;
    struct mirror_level *l = at < s->count && s->levels[at].price.v == e->price.v ? &s->levels[at]
                                                                                  : NULL;
    if (l == NULL && amount == 0) return 0;
    if (l == NULL && (l = insert(s, at, e->price)) == NULL) return -1;
    l->amount = amount;
    l->implied = e->implied.v;
    for (int i = 0; i < MIRROR_INTERVALS; i++) {
        if (b->listeners[i] == 0) {
            l->said[i] = amount;
            l->implied_said[i] = l->implied;
        } else {
            l->dirty[i] = true;
            b->dirty[i] = true;
        }
    }
    drop_if_gone(s, at);
    return 0;
}

void mirror_listen(struct mirror_book *b, enum mirror_interval i)
{
    b->listeners[i] += 1;
    if (b->listeners[i] != 1) return;
    b->said_id[i] = b->change_id;
    b->said_ts[i] = b->ts;
}

static void nothing(void *context, enum side side, const struct mirror_level *level,
                    int64_t before)
{
    (void)context;
    (void)side;
    (void)level;
    (void)before;
}

void mirror_unlisten(struct mirror_book *b, enum mirror_interval i)
{
    ASSERT(b->listeners[i] > 0);
    b->listeners[i] -= 1;
    if (b->listeners[i] == 0) mirror_say(b, i, nothing, NULL);
}

void mirror_say(struct mirror_book *b, enum mirror_interval i,
                void (*say)(void *context, enum side side, const struct mirror_level *level,
                            int64_t before),
                void *context)
{
    if (b->dirty[i]) {
        for (int n = 0; n < 2; n++) {
            struct mirror_side *s = &b->side[n];
            for (uint32_t at = s->count; at-- > 0;) { /* from the end, so that one may go */
                struct mirror_level *l = &s->levels[at];
                if (!l->dirty[i]) continue;
                l->dirty[i] = false;
                int64_t before = l->said[i];
                bool same = before == l->amount && l->implied_said[i] == l->implied;
                l->said[i] = l->amount;
                l->implied_said[i] = l->implied;
                if (!same) say(context, n == 0 ? SIDE_buy : SIDE_sell, l, before);
                drop_if_gone(s, at);
            }
        }
    }
    b->dirty[i] = false;
    b->said_id[i] = b->change_id;
    b->said_ts[i] = b->ts;
}
