/* machine_core.c: see machine_core.h.
 *
 * The recorded limits are a version word, the size of the state block and struct core_limits: a
 * build whose state has another layout is thereby told apart.
 *
 * Upstream: core. Downstream: node, replay, sim.
 */
#include "seq/machine_core.h"

#include <stdlib.h>
#include <string.h>

enum { MACHINE_CORE_VERSION = 1 };

struct recorded {
    uint64_t version;
    uint64_t state_bytes;
    struct core_limits limits;
};
_Static_assert(sizeof(struct recorded) <= MACHINE_LIMITS_SIZE, "the limits fit their field");

struct machine_core {
    struct machine machine;
    struct core_limits limits;
    size_t bytes;
    void *block;       /* as calloc gave it: pages that are never touched cost nothing */
    void *memory;      /* within it, on a page's boundary */
    struct core *core; /* NULL: closed */
    bool zero;         /* nobody has written to memory yet */
};

enum { PAGE = 4096 };

static void core_step_verb(void *state, const struct command *command, struct outbox *outbox)
{
    core_step(((struct machine_core *)state)->core, command, outbox);
}

static void core_query_verb(void *state, const struct query *query, struct outbox *outbox)
{
    core_query(((struct machine_core *)state)->core, query, outbox);
}

static uint64_t core_hash_verb(void *state)
{
    return core_hash(((struct machine_core *)state)->core);
}

static void core_check_verb(void *state) { core_check(((struct machine_core *)state)->core); }

static const void *core_image_verb(void *state, size_t *bytes)
{
    return core_image(((struct machine_core *)state)->core, bytes);
}

static struct machine *core_twin_verb(const void *state)
{
    return machine_core_new(&((const struct machine_core *)state)->limits);
}

static void core_shut(struct machine_core *mc)
{
    if (mc->core != NULL) core_close(mc->core);
    mc->core = NULL;
}

static void *core_memory_verb(void *state, size_t *bytes)
{
    struct machine_core *mc = state;
    core_shut(mc);
    mc->zero = false;
    *bytes = mc->bytes;
    return mc->memory;
}

static void core_clear_verb(void *state)
{
    struct machine_core *mc = state;
    core_shut(mc);
    if (!mc->zero) memset(mc->memory, 0, mc->bytes);
}

static int core_open_verb(void *state)
{
    struct machine_core *mc = state;
    mc->zero = false;
    mc->core = core_open(&mc->limits, mc->memory);
    return mc->core == NULL ? -1 : 0;
}

static uint64_t core_seq_verb(void *state)
{
    return core_seq(((struct machine_core *)state)->core);
}

static ts_t core_ts_verb(void *state) { return core_ts(((struct machine_core *)state)->core); }
static ts_t core_due_verb(void *state) { return core_due(((struct machine_core *)state)->core); }

static const struct machine_verbs core_verbs = {
    .step = core_step_verb,
    .query = core_query_verb,
    .hash = core_hash_verb,
    .check = core_check_verb,
    .image = core_image_verb,
    .twin = core_twin_verb,
    .drop = machine_core_free,
    .memory = core_memory_verb,
    .clear = core_clear_verb,
    .open = core_open_verb,
    .seq = core_seq_verb,
    .ts = core_ts_verb,
    .due = core_due_verb,
};

struct machine *machine_core_new(const struct core_limits *limits)
{
    struct machine_core *mc = calloc(1, sizeof *mc);
    if (mc == NULL) return NULL;
    mc->limits = *limits;
    mc->bytes = core_bytes(limits);
    mc->block = calloc(1, mc->bytes + PAGE);
    if (mc->block == NULL) {
        free(mc);
        return NULL;
    }
    mc->memory = (unsigned char *)mc->block + (PAGE - (uintptr_t)mc->block % PAGE) % PAGE;
    mc->zero = true;
    struct recorded r = {.version = MACHINE_CORE_VERSION, .state_bytes = mc->bytes,
                         .limits = *limits};
    memcpy(mc->machine.limits.bytes, &r, sizeof r);
    mc->machine.verbs = &core_verbs;
    mc->machine.state = mc;
    mc->machine.outbox_bytes = core_outbox_bytes(limits);
    return &mc->machine;
}

void machine_core_free(struct machine *m)
{
    struct machine_core *mc = m->state;
    core_shut(mc);
    free(mc->block);
    free(mc);
}

int machine_core_limits(const struct machine_limits *recorded, struct core_limits *limits)
{
    struct recorded r;
    memcpy(&r, recorded->bytes, sizeof r);
    if (r.version != MACHINE_CORE_VERSION) return -1;
    *limits = r.limits;
    return core_bytes(limits) == r.state_bytes ? 0 : -1;
}
