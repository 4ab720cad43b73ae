/* replay.c: `dojima replay`: what a data directory says, without changing it.
 *
 * Recovers as the node would (newest usable snapshot, then the journal), read-only: nothing is
 * locked, cut or written, so it may be run beside a node. A damaged directory is refused with the
 * place, and --until stops before it.
 *
 * Upstream: seq. Downstream: main.
 */
#include "cli/cli.h"

#include "io/io.h"
#include "seq/machine_core.h"
#include "seq/recovery.h"
#include "seq/snapshot.h"
#include "wire/event_json.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_UNTIL = 256, KEY_FROM, KEY_HASH, KEY_DUMP, KEY_VERIFY, KEY_JSON, KEY_FULL };
enum { SNAPSHOTS_MAX = 256, LINE_BYTES = 1 << 16, NAME_BYTES = 64 };

struct names { /* of one kind of thing, by id */
    char (*text)[NAME_BYTES];
    uint32_t count;
};

struct replay {
    const char *data;
    uint64_t until;
    uint64_t from;
    bool hash;
    bool dump;
    bool verify;
    bool json;
    bool full;

    struct io *io;
    struct machine *machine;
    char error[512];

    struct names accounts;
    struct names members;
    struct names products;
    struct names instruments;
    struct names assets;
    struct names indices;
    bool named; /* the directory was asked for what came before */
    char *line;

    uint64_t seqs[SNAPSHOTS_MAX]; /* --verify: of the snapshots, and their states' hashes */
    uint64_t hashes[SNAPSHOTS_MAX];
    size_t snapshots;
    size_t unusable;
    size_t differing;
};

/* ---- arguments ---- */

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct replay *r = state->input;
    char *end = NULL;
    switch (key) {
    case 'd': r->data = text; return 0;
    case KEY_UNTIL:
    case KEY_FROM:
        *(key == KEY_UNTIL ? &r->until : &r->from) = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || *end != 0)
            argp_error(state, "a seq is a whole number, not `%s`", text);
        if (key == KEY_UNTIL && r->until == 0) argp_error(state, "the first seq is 1");
        return 0;
    case KEY_HASH: r->hash = true; return 0;
    case KEY_DUMP: r->dump = true; return 0;
    case KEY_VERIFY: r->verify = true; return 0;
    case KEY_JSON: r->json = true; return 0;
    case KEY_FULL: r->full = true; return 0;
    case ARGP_KEY_END:
        if (r->data == NULL) argp_error(state, "--data DIR is needed");
        if (r->verify && (r->dump || r->until != 0))
            argp_error(state, "--verify stands alone");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"data", 'd', "DIR", 0, "the data directory", 0},
    {"until", KEY_UNTIL, "SEQ", 0, "stop after this sequence number", 0},
    {"hash", KEY_HASH, NULL, 0, "print only the hash of the state", 0},
    {"dump", KEY_DUMP, NULL, 0, "print every event: seq, index, kind, fields", 0},
    {"from", KEY_FROM, "SEQ", 0, "with --dump: from this sequence number on", 0},
    {"verify", KEY_VERIFY, NULL, 0, "each snapshot and its tail against a full replay, by hash", 0},
    {"full", KEY_FULL, NULL, 0, "from the first command, without snapshots", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line", 0},
    {0},
};
static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc = "Recovers a data directory read-only and says what is in it.\v"
           "Exit status: 0 recovered (and verified), 1 not, 2 usage.",
};

/* ---- names behind ids ---- */

static void name_learn(struct names *n, uint32_t id, const char *text)
{
    if (id >= n->count) {
        uint32_t count = id + 1 + id / 2;
        char(*more)[NAME_BYTES] = realloc(n->text, count * sizeof *more);
        if (more == NULL) return; /* the number stands for it */
        memset(more + n->count, 0, (count - n->count) * sizeof *more);
        n->text = more;
        n->count = count;
    }
    (void)snprintf(n->text[id], NAME_BYTES, "%s", text);
}

static const char *name_of(const struct names *n, uint32_t id)
{
    return id < n->count ? n->text[id] : "";
}

static const char *account_name(void *c, uint32_t id)
{
    return name_of(&((struct replay *)c)->accounts, id);
}
static const char *member_name(void *c, uint32_t id)
{
    return name_of(&((struct replay *)c)->members, id);
}
static const char *product_name(void *c, uint32_t id)
{
    return name_of(&((struct replay *)c)->products, id);
}
static const char *instrument_name(void *c, uint32_t id)
{
    return name_of(&((struct replay *)c)->instruments, id);
}
static const char *asset_name(void *c, uint32_t id)
{
    return name_of(&((struct replay *)c)->assets, id);
}
static const char *index_name(void *c, uint32_t id)
{
    return name_of(&((struct replay *)c)->indices, id);
}

static void names_learn(struct replay *r, const struct outbox *events)
{
    for (const struct event_header *e = NULL; (e = outbox_next(events, e)) != NULL;) {
        const void *body = e;
        if (e->kind == EVENT_account) {
            const struct event_account *a = body;
            name_learn(&r->accounts, a->id, a->name);
        } else if (e->kind == EVENT_member) {
            const struct event_member *m = body;
            name_learn(&r->members, m->id, m->name);
        } else if (e->kind == EVENT_product) {
            const struct event_product *p = body;
            name_learn(&r->products, p->id, p->terms.name);
        } else if (e->kind == EVENT_instrument) {
            const struct event_instrument *i = body;
            name_learn(&r->instruments, i->id, i->name);
        } else if (e->kind == EVENT_asset) {
            const struct event_asset *a = body;
            name_learn(&r->assets, a->id, a->name);
        } else if (e->kind == EVENT_index) {
            const struct event_index *x = body;
            name_learn(&r->indices, x->id, x->terms.name);
        }
    }
}

/* All that has a name already, once: a dump may begin behind a snapshot. */
static void names_ask(struct replay *r)
{
    if (r->named) return;
    r->named = true;
    struct outbox o = {.bytes = aligned_alloc(64, (r->machine->outbox_bytes + 63) / 64 * 64),
                       .capacity = r->machine->outbox_bytes};
    if (o.bytes == NULL) return;
    struct query q = {.kind = QUERY_directory};
    r->machine->verbs->query(r->machine->state, &q, &o);
    names_learn(r, &o);
    free(o.bytes);
}

/* ---- printing ---- */

/* The end of a JSON value or member: the comma or brace behind it. */
static size_t member_end(const char *json, size_t at, size_t size)
{
    int depth = 0;
    bool quoted = false;
    for (; at < size; at++) {
        char c = json[at];
        if (quoted && c == '\\') at += 1;
        else if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (depth == 0 && (c == ',' || c == '}')) return at;
        if (c == '{' || c == '[') depth += 1;
        if (c == '}' || c == ']') depth -= 1;
    }
    return size;
}

/* One JSON object as `seq index kind name=value ...`. */
static void line_print_text(const struct event_header *e, const char *json, size_t size)
{
    (void)printf("%" PRIu64 " %" PRIu32 " %s", e->seq, e->index,
                 event_kind_name((enum event_kind)e->kind));
    for (size_t at = 1, end; at < size; at = end + 1) {
        end = member_end(json, at, size);
        const char *name = json + at + 1; /* behind its quote */
        const char *colon = memchr(name, ':', end > at ? end - at - 1 : 0);
        if (colon == NULL) break;
        int name_size = (int)(colon - name) - 1;
        const char *value = colon + 1;
        int value_size = (int)(json + end - value);
        bool shown = strncmp(name, "event\"", 6) != 0 && strncmp(name, "seq\"", 4) != 0 &&
                     strncmp(name, "index\"", 6) != 0;
        if (value_size >= 2 && value[0] == '"' && memchr(value, ' ', (size_t)value_size) == NULL) {
            value += 1;
            value_size -= 2;
        }
        if (shown) (void)printf(" %.*s=%.*s", name_size, name, value_size, value);
    }
    (void)putchar('\n');
}

static void events_print(struct replay *r, const struct outbox *events)
{
    const struct event_names names = {.context = r, .account = account_name,
                                      .member = member_name, .product = product_name,
                                      .instrument = instrument_name, .asset = asset_name,
                                      .index = index_name};
    for (const struct event_header *e = NULL; (e = outbox_next(events, e)) != NULL;) {
        struct json_writer w = {.bytes = r->line, .capacity = LINE_BYTES};
        json_reset(&w);
        event_json_write(&w, e, &names);
        if (r->json) (void)printf("%.*s\n", (int)w.used, w.bytes);
        else line_print_text(e, w.bytes, w.used);
    }
}

static void on_events(void *context, const struct command *command, const struct outbox *events)
{
    struct replay *r = context;
    if (r->dump) {
        names_ask(r);
        names_learn(r, events);
        events_print(r, events);
    }
    for (size_t i = 0; r->verify && i < r->snapshots; i++) {
        if (r->seqs[i] != command->header.seq || r->hashes[i] == 0) continue;
        if (r->machine->verbs->hash(r->machine->state) == r->hashes[i]) continue;
        r->differing += 1;
        (void)fprintf(stderr, "dojima: %s differs from the replay of its commands\n",
                      snapshot_name(r->seqs[i]).text);
    }
}

static void on_say(void *context, const char *text)
{
    (void)context;
    (void)fprintf(stderr, "dojima: %s\n", text);
}

static void result_print(const struct replay *r, const struct recovery_result *result)
{
    const struct machine *m = r->machine;
    uint64_t hash = m->verbs->hash(m->state);
    if (r->json) {
        (void)printf("{\"seq\":%" PRIu64 ",\"timestamp\":%" PRId64 ",\"hash\":\"%016" PRIx64
                     "\",\"snapshot\":%" PRIu64 ",\"replayed\":%" PRIu64 ",\"torn_bytes\":%" PRIu64
                     "}\n",
                     result->seq, m->verbs->ts(m->state).v, hash, result->snapshot_seq,
                     result->replayed, result->position.torn_bytes);
    } else if (r->hash) {
        (void)printf("%016" PRIx64 "\n", hash);
    } else if (!r->dump) {
        (void)printf("seq %" PRIu64 ", state hash %016" PRIx64 ", from snapshot %" PRIu64 " and %"
                     PRIu64 " commands\n",
                     result->seq, hash, result->snapshot_seq, result->replayed);
    }
}

/* ---- the work ---- */

static int recover(struct replay *r, bool full, uint64_t events_from,
                   struct recovery_result *result)
{
    struct recovery_options o = {.until = r->until, .full = full, .read_only = true,
                                 .events_from = events_from, .events = on_events, .say = on_say,
                                 .context = r};
    return recovery_run(r->io, r->machine, &o, result, r->error, sizeof r->error);
}

/* Each snapshot's own hash, and the end's from the newest; then all of it from the first
 * command. */
static int verify(struct replay *r)
{
    int64_t count = snapshot_list(r->io, r->seqs, SNAPSHOTS_MAX);
    r->snapshots = count < 0 ? 0 : (size_t)count;
    for (size_t i = 0; i < r->snapshots; i++) {
        struct snapshot_header h;
        char why[128];
        if (snapshot_load(r->io, r->seqs[i], r->machine, &h, why, sizeof why) == 0) {
            r->hashes[i] = h.state_hash;
            continue;
        }
        r->unusable += 1;
        (void)fprintf(stderr, "dojima: %s cannot be used: %s\n", snapshot_name(r->seqs[i]).text,
                      why);
    }
    struct recovery_result tail;
    struct recovery_result whole;
    const struct machine *m = r->machine;
    if (recover(r, false, 0, &tail) < 0) return -1;
    uint64_t hash = m->verbs->hash(m->state);
    r->until = tail.seq; /* a node that runs beside may have gone on */
    if (tail.seq != 0 && recover(r, true, 1, &whole) < 0) return -1;
    if (m->verbs->hash(m->state) != hash) {
        (void)fprintf(stderr, "dojima: snapshot %" PRIu64 " and its tail differ from the full "
                      "replay at seq %" PRIu64 "\n", tail.snapshot_seq, tail.seq);
        r->differing += 1;
    }
    if (r->json) {
        (void)printf("{\"verified\":%s,\"seq\":%" PRIu64 ",\"hash\":\"%016" PRIx64
                     "\",\"snapshots\":%zu,\"unusable\":%zu,\"differing\":%zu}\n",
                     r->unusable + r->differing == 0 ? "true" : "false", tail.seq, hash,
                     r->snapshots, r->unusable, r->differing);
    } else if (r->unusable + r->differing == 0) {
        (void)printf("verified: %" PRIu64 " commands and %zu snapshots agree, state hash %016"
                     PRIx64 "\n", tail.seq, r->snapshots, hash);
    }
    return r->unusable + r->differing == 0 ? 0 : 1;
}

/* A machine with the limits that the journal was written with. */
static int machine_take(struct replay *r)
{
    struct machine_limits recorded;
    struct core_limits limits = core_limits_default();
    int found = recovery_limits(r->io, &recorded, r->error, sizeof r->error);
    if (found < 0) return -1;
    if (found == 0) {
        (void)snprintf(r->error, sizeof r->error, "there is no journal in %s", r->data);
        return -1;
    }
    if (machine_core_limits(&recorded, &limits) < 0) {
        (void)snprintf(r->error, sizeof r->error,
                       "the journal is of another version of this program");
        return -1;
    }
    r->machine = machine_core_new(&limits);
    r->line = malloc(LINE_BYTES);
    if (r->machine != NULL && r->line != NULL) return 0;
    (void)snprintf(r->error, sizeof r->error, "out of memory");
    return -1;
}

static int run(struct replay *r)
{
    if (machine_take(r) < 0) return -1;
    if (r->verify) return verify(r);
    struct recovery_result result;
    uint64_t from = r->dump ? (r->from == 0 ? 1 : r->from) : 0;
    if (recover(r, r->full, from, &result) < 0) return -1;
    if (r->until != 0 && result.seq != r->until) {
        (void)snprintf(r->error, sizeof r->error, "seq %" PRIu64 " is not reached", r->until);
        return -1;
    }
    if (!r->dump || r->hash) result_print(r, &result);
    return 0;
}

int cli_replay(int argc, char **argv)
{
    struct replay r = {0};
    argp_err_exit_status = 2;
    error_t wrong = argp_parse(&argp, argc, argv, 0, NULL, &r);
    if (wrong != 0) return 2;
    r.io = io_directory_open(r.data, IO_DIRECTORY_READ_ONLY, r.error, sizeof r.error);
    int result = r.io == NULL ? -1 : run(&r);
    if (result < 0) (void)fprintf(stderr, "dojima: %s\n", r.error);
    if (r.machine != NULL) machine_core_free(r.machine);
    if (r.io != NULL) io_directory_close(r.io);
    free(r.line);
    free(r.accounts.text);
    free(r.members.text);
    free(r.products.text);
    free(r.instruments.text);
    free(r.assets.text);
    free(r.indices.text);
    return result == 0 && fflush(stdout) == 0 ? 0 : 1;
}
