/* tiny.c: see tiny.h. */
#include "sim/tiny.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

enum { TINY_CELLS = 60 };

struct tiny_state {
    uint64_t magic; /* 0 in a fresh block */
    uint64_t seq;
    ts_t ts;
    uint64_t mix;
    uint64_t cells[TINY_CELLS];
};

struct tiny {
    struct machine machine;
    bool open;
    struct tiny_state state;
};

#define TINY_MAGIC UINT64_C(0x796e6974)

static void tiny_step(void *state, const struct command *c, struct outbox *o)
{
    struct tiny *t = state;
    struct tiny_state *s = &t->state;
    ASSERT(t->open && c->header.seq == s->seq + 1 && c->header.ts.v >= s->ts.v);
    s->seq = c->header.seq;
    s->ts = c->header.ts;
    const unsigned char *bytes = (const unsigned char *)c;
    for (size_t i = 0; i < sizeof *c && i < c->header.size + 64; i += 8) { /* past the cut too */
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        s->mix = random_mix(s->mix + word + 1);
        s->cells[s->mix % TINY_CELLS] += s->mix ^ i;
    }
    for (uint64_t n = s->mix % 4; n > 0; n--) {
        struct event_count *e = outbox_push(o, EVENT_count, sizeof *e);
        e->count = s->cells[n];
    }
}

static void tiny_query(void *state, const struct query *query, struct outbox *o)
{
    const struct tiny *t = state;
    struct event_count *e = outbox_push(o, EVENT_count, sizeof *e);
    e->count = t->state.mix + query->kind;
}

static uint64_t state_hash(const struct tiny_state *s)
{
    uint64_t hash = s->seq ^ (uint64_t)s->ts.v;
    for (int i = 0; i < TINY_CELLS; i++) hash = random_mix(hash + s->cells[i] + 1);
    return random_mix(hash + s->mix);
}

static uint64_t tiny_hash(void *state) { return state_hash(&((struct tiny *)state)->state); }

static void tiny_check(void *state)
{
    const struct tiny *t = state;
    ASSERT(t->open && t->state.magic == TINY_MAGIC);
}

static const void *tiny_image(void *state, size_t *bytes)
{
    struct tiny *t = state;
    *bytes = sizeof t->state;
    return &t->state;
}

static struct machine *tiny_twin(const void *state)
{
    (void)state;
    return tiny_new();
}

static void *tiny_memory(void *state, size_t *bytes)
{
    struct tiny *t = state;
    t->open = false;
    *bytes = sizeof t->state;
    return &t->state;
}

static void tiny_clear(void *state)
{
    struct tiny *t = state;
    t->open = false;
    memset(&t->state, 0, sizeof t->state);
}

static int tiny_open(void *state)
{
    struct tiny *t = state;
    if (t->state.magic != 0 && t->state.magic != TINY_MAGIC) return -1;
    t->state.magic = TINY_MAGIC;
    t->open = true;
    return 0;
}

static uint64_t tiny_seq(void *state) { return ((struct tiny *)state)->state.seq; }
static ts_t tiny_ts(void *state) { return ((struct tiny *)state)->state.ts; }
static ts_t tiny_due(void *state) { return TS(((struct tiny *)state)->state.ts.v + NS_PER_SECOND); }

static const struct machine_verbs tiny_verbs = {
    .step = tiny_step, .query = tiny_query, .hash = tiny_hash, .check = tiny_check,
    .image = tiny_image, .twin = tiny_twin, .drop = tiny_free, .memory = tiny_memory,
    .clear = tiny_clear, .open = tiny_open, .seq = tiny_seq, .ts = tiny_ts, .due = tiny_due,
};

struct machine *tiny_new(void)
{
    struct tiny *t = calloc(1, sizeof *t);
    ASSERT(t != NULL);
    t->machine.verbs = &tiny_verbs;
    t->machine.state = t;
    t->machine.outbox_bytes = 4 * sizeof(struct event_count);
    memcpy(t->machine.limits.bytes, "tiny", 4);
    return &t->machine;
}

void tiny_free(struct machine *m) { free(m->state); }
