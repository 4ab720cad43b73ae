/* node.c: the wiring of the daemon as one table in the order of an order's way, and its end.
 *
 * Opened from the top, closed from the bottom: what a stage needs stands above it. A stage that
 * cannot open says why in one line, what is open is closed, and the exit status is 1.
 */
#include "node/node_internal.h"

#include "node/config.h"

#include "gate/keys.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SCAN = 200000, NONCE_SCAN_DEMONSTRATION = 4096, NONCE_SECONDS = 11, DEMO_SEED = 2027 };

struct stage {
    int (*open)(struct node *n, char *error, size_t error_size); /* 0, or negative and a line */
    void (*close)(struct node *n);
};

struct node_options node_options_default(void)
{
    return (struct node_options){.data = "data", .history = true, .clock = TS(-1),
                                 .gate = gate_options_default()};
}

/* ---- log ---- */

void node_log(const struct node *n, const char *level, const char *format, ...)
{
    if (n->options.quiet && strcmp(level, "info") == 0) return;
    char text[1024];
    char line[2304];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    uv_timeval64_t now;
    uv_gettimeofday(&now);
    struct json_writer w = {.bytes = line, .capacity = sizeof line - 1};
    json_open_object(&w);
    json_key_int(&w, "ts_ms", now.tv_sec * 1000 + now.tv_usec / 1000);
    json_key_string(&w, "level", level);
    json_key_string(&w, "text", text);
    json_close_object(&w);
    if (w.overflow) return;
    line[w.used] = '\n';
    (void)fwrite(line, 1, w.used + 1, stderr);
}

/* ---- stages ---- */

static int loop_open(struct node *n, char *error, size_t error_size)
{
    int status = uv_loop_init(&n->loop);
    if (status != 0) snprintf(error, error_size, "no event loop: %s", uv_strerror(status));
    return status;
}

static void loop_close(struct node *n)
{
    (void)uv_run(&n->loop, UV_RUN_DEFAULT); /* what is closing, closes */
    (void)uv_loop_close(&n->loop);
}

static int files_open(struct node *n, char *error, size_t error_size)
{
    n->io = io_directory_open(n->options.data, IO_DIRECTORY_CREATE, error, error_size);
    if (n->io == NULL) return -1;
    n->started = io_now(n->io);
    node_wake_set(n);
    return 0;
}

static int clock_stage_open(struct node *n, char *error, size_t error_size)
{
    return clock_open(&n->clock, n->io, n->options.clock, error, error_size);
}

static void files_close(struct node *n)
{
    io_directory_wake_set(n->io, NULL, NULL);
    uv_close((uv_handle_t *)&n->wake, NULL);
    io_directory_close(n->io);
}

/* A directory keeps the limits that it was begun with. */
static int machine_open(struct node *n, char *error, size_t error_size)
{
    struct core_limits limits = core_limits_default();
    struct machine_limits recorded;
    int had = recovery_limits(n->io, &recorded, error, error_size);
    if (had < 0) return -1;
    if (had == 1 && machine_core_limits(&recorded, &limits) != 0) {
        snprintf(error, error_size, "%s was written by another version", n->options.data);
        return -1;
    }
    n->machine = machine_core_new(&limits);
    if (n->machine == NULL) snprintf(error, error_size, "out of memory for the venue's state");
    return n->machine == NULL ? -1 : 0;
}

static void machine_close(struct node *n) { machine_core_free(n->machine); }

static int sequencer_stage_open(struct node *n, char *error, size_t error_size)
{
    struct sequencer_options o = sequencer_options_default();
    struct sequencer_listener listener = node_listener(n);
    o.now = node_now;
    o.now_context = n;
    n->sequencer = sequencer_open(n->io, n->machine, &o, &listener, error, error_size);
    if (n->sequencer == NULL) return -1;
    const struct recovery_result *r = sequencer_recovery(n->sequencer);
    clock_begin(&n->clock, r->position.ts);
    node_log(n, "info", "recovered to seq %llu: snapshot %llu, %llu commands replayed",
             (unsigned long long)r->seq, (unsigned long long)r->snapshot_seq,
             (unsigned long long)r->replayed);
    if (node_reader_start(n) == 0) return 0;
    snprintf(error, error_size, "out of memory for events");
    return -1;
}

static void sequencer_stage_close(struct node *n)
{
    if (sequencer_close(n->sequencer) < 0) node_failed(n, "the journal could not be closed");
    free(n->events);
}

static int names_open(struct node *n, char *error, size_t error_size)
{
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_directory};
    n->directory = directory_open();
    node_venue_make(n);
    snprintf(error, error_size, "out of memory for names");
    if (n->directory == NULL) return -1;
    sequencer_query(n->sequencer, &q, &events);
    return directory_apply(n->directory, events);
}

static void names_close(struct node *n) { directory_close(n->directory); }

/* CLEAR-09: a venue that runs makes margin calls. Where neither the configuration nor an officer
 * has said how, this is how; only an officer's command changes it then. */
static int calls_begin(struct node *n)
{
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_collateral};
    n->venue.query(n->venue.context, &q, &events);
    const struct event_header *h = NULL;
    while ((h = outbox_next(events, h)) != NULL && h->kind != EVENT_clearing) {}
    const struct event_clearing *now = (const struct event_clearing *)(const void *)h;
    if (now == NULL || now->settings.call_ns != 0) return 0;
    struct command c = {0};
    c.header.kind = COMMAND_clearing_set;
    c.header.size = command_size_full(COMMAND_clearing_set);
    c.header.principal = NODE_PRINCIPAL;
    c.clearing_set.flags = (1u << CLEARING_SETTINGS) - 1;
    c.clearing_set.settings = (struct clearing_settings){
        .call_ns = NS_PER_HOUR, .slice_ns = 60 * NS_PER_SECOND, .slice_share_e6 = 200000,
        .slices_per_day = 50, .slice_width_e6 = 50000, .slice_width_ticks = 10,
        .maintenance_e6 = now->settings.maintenance_e6,
        .collateral_cap_e6 = now->settings.collateral_cap_e6};
    return n->venue.submit(n->venue.context, &c, &events);
}

/* What no officer and no file has set yet: two officers for money (CLEAR-13), requests older than
 * 2 s are not executed (GUARD-08). */
static int venue_defaults(struct node *n)
{
    const struct outbox *events = NULL;
    struct query q = {.kind = QUERY_venue};
    n->venue.query(n->venue.context, &q, &events);
    const struct event_venue *e = (const struct event_venue *)(const void *)events->bytes;
    struct command c = {0};
    c.header.kind = COMMAND_venue_set;
    c.header.size = command_size_full(COMMAND_venue_set);
    c.header.principal = NODE_PRINCIPAL;
    c.venue_set.settings = (struct venue_settings){.dual_transfers = 1,
                                                   .stale_ns = 2 * NS_PER_SECOND};
    if (e->settings.dual_transfers == 0) c.venue_set.flags |= VENUE_HAS_DUAL_TRANSFERS;
    if (e->settings.stale_ns == 0) c.venue_set.flags |= VENUE_HAS_STALE;
    return c.venue_set.flags == 0 ? 0 : n->venue.submit(n->venue.context, &c, &events);
}

/* What the configuration file adds to what is there, then what it leaves open; all of it goes into
 * the journal. */
static int venue_open(struct node *n, char *error, size_t error_size)
{
    bool begins = sequencer_seq(n->sequencer) <= 2; /* nothing but our defaults, at most */
    if (n->options.config != NULL) {
        struct rpc *rpc = rpc_open(&n->venue, n->directory);
        const struct rpc_caller caller = {.scopes = RPC_SCOPE_all, .principal = NODE_PRINCIPAL};
        char reason[CONFIG_ERROR_SIZE] = "out of memory";
        if (rpc != NULL) rpc_require_guards(rpc, true);
        int status = rpc == NULL ? -1 : config_apply_file(rpc, &caller, n->options.config,
                                                          begins ? NULL : n->directory, reason);
        rpc_close(rpc);
        if (status != 0) {
            snprintf(error, error_size, "%s: %s", n->options.config, reason);
            return -1;
        }
    }
    if (venue_defaults(n) != 0 || calls_begin(n) != 0) return -1;
    return sequencer_wait(n->sequencer);
}

static int demo_open(struct node *n, char *error, size_t error_size)
{
    if (!n->options.demo) return 0;
    n->demo = calloc(1, sizeof *n->demo);
    snprintf(error, error_size, "the demonstration could not be seeded");
    return n->demo == NULL ? -1 : demo_start(n->demo, &n->venue, DEMO_SEED, n->options.demo_rate);
}

static void demo_close(struct node *n) { free(n->demo); }

/* The key of the demonstration's visitors: made once, kept with the others. */
static int demo_key(struct node *n, char *error, size_t error_size)
{
    struct key made = {0};
    struct keys *keys = keys_open(n->options.data, error, error_size);
    if (keys == NULL) return -1;
    int status = 0;
    for (uint32_t i = 0; i < keys_count(keys); i++) {
        const struct key *k = keys_at(keys, i);
        if (!k->revoked && k->type == KEY_hmac && k->scopes == (SCOPE_read | SCOPE_trade) &&
            strcmp(k->account, DEMO_GUEST) == 0)
            made = *k;
    }
    keys_close(keys);
    if (made.id[0] == 0)
        status = keys_make(n->options.data, KEY_hmac, DEMO_GUEST, SCOPE_read | SCOPE_trade, NULL,
                           &made, error, error_size);
    snprintf(n->demo_id, sizeof n->demo_id, "%s", made.id);
    snprintf(n->demo_secret, sizeof n->demo_secret, "%s", made.secret);
    n->options.gate.demo_id = n->demo_id;
    n->options.gate.demo_secret = n->demo_secret;
    return status;
}

static size_t metrics(void *context, char *text, size_t size)
{
    const struct node *n = context;
    int used = snprintf(text, size,
                        "dojima_applied_seq %llu\ndojima_commands_total %llu\n"
                        "dojima_busy_total %llu\ndojima_snapshot_seq %llu\n",
                        (unsigned long long)sequencer_seq(n->sequencer),
                        (unsigned long long)n->commands, (unsigned long long)n->busy,
                        (unsigned long long)sequencer_snapshot_seq(n->sequencer));
    return used < 0 || (size_t)used >= size ? 0 : (size_t)used;
}

/* Nonces of signed commands of the last seconds before this start, from the journal's end. */
static void nonces_read(struct node *n)
{
    char error[NODE_ERROR_SIZE];
    const struct command *c = NULL;
    uint64_t last = sequencer_seq(n->sequencer);
    bool other = n->clock.demonstration; /* the journal's times say nothing: its last commands */
    int64_t since = other ? 0 : n->started.v - NONCE_SECONDS * NS_PER_SECOND;
    uint64_t scan = other ? NONCE_SCAN_DEMONSTRATION : NONCE_SCAN;
    uint64_t from = last > scan ? last - scan : 1;
    if (sequencer_recovery(n->sequencer)->position.ts.v < since) return;
    struct journal_reader *r = journal_reader_open(n->io, from, false, error, sizeof error);
    if (r == NULL) return;
    while (journal_reader_next(r, &c) == 1) {
        if (c->header.nonce != 0 && c->header.ts.v >= since)
            gate_nonce_used(n->gate, c->header.nonce, other ? n->started : c->header.ts);
    }
    journal_reader_close(r);
}

static int gate_stage_open(struct node *n, char *error, size_t error_size)
{
    struct gate_options *o = &n->options.gate;
    if (n->options.demo && demo_key(n, error, error_size) != 0) return -1;
    o->directory = n->options.data;
    o->started = n->started;
    o->require_guards = true;
    o->metrics = metrics;
    o->context = n;
    n->gate = gate_open(&n->loop, o, &n->venue, n->directory, error, error_size);
    if (n->gate == NULL) return -1;
    nonces_read(n);
    if (gate_start(n->gate, error, error_size) == 0) {
        gate_released(n->gate, n->released); /* what was recovered is durable */
        return 0;
    }
    gate_close(n->gate);
    return -1;
}

static void gate_stage_close(struct node *n) { gate_close(n->gate); }

static int turn_open(struct node *n, char *error, size_t error_size)
{
    (void)error;
    (void)error_size;
    node_turn_start(n);
    return 0;
}

static const struct stage stages[] = {
    {loop_open, loop_close},
    {files_open, files_close},
    {clock_stage_open, NULL},
    {machine_open, machine_close},
    {sequencer_stage_open, sequencer_stage_close},
    {names_open, names_close},
    {venue_open, NULL},
    {node_history_start, node_history_stop},
    {demo_open, demo_close},
    {gate_stage_open, gate_stage_close},
    {turn_open, NULL},
};
enum { STAGES = sizeof stages / sizeof stages[0] };

/* ---- the end ---- */

static void on_gate_gone(void *context)
{
    struct node *n = context;
    uv_stop(&n->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct node *n = handle->data;
    if (n->stopping) return;
    node_log(n, "info", "signal %d: closing", number);
    if (n->demo != NULL) demo_stop(n->demo);
    n->stopping = true; /* from here on no command is taken */
    sequencer_flush(n->sequencer);
    (void)sequencer_wait(n->sequencer);
    n->durable = sequencer_durable(n->sequencer);
    gate_stop(n->gate, on_gate_gone, n);
}

static void signals_start(struct node *n)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 2; i++) {
        (void)uv_signal_init(&n->loop, &n->signals[i]);
        n->signals[i].data = n;
        (void)uv_signal_start(&n->signals[i], on_signal, numbers[i]);
    }
}

static void announce(struct node *n)
{
    const char *listen = n->options.gate.server.listen;
    const char *colon = strrchr(listen, ':');
    printf("%s://%.*s:%d/\n", gate_has_tls(n->gate) ? "https" : "http", (int)(colon - listen),
           listen, gate_port(n->gate));
    if (gate_keys(n->gate) == 0)
        printf("There are no keys yet: dojima keys make --data %s --account NAME --scopes "
               "read,trade\n", n->options.data);
    fflush(stdout);
    node_log(n, "info", "listening on %s, port %d, seq %llu", listen, gate_port(n->gate),
             (unsigned long long)sequencer_seq(n->sequencer));
}

int node_run(const struct node_options *options)
{
    static struct node node; /* one a process */
    char error[NODE_ERROR_SIZE] = "";
    struct node *n = &node;
    int open = 0;
    n->options = *options;
    while (open < STAGES && stages[open].open(n, error, sizeof error) == 0) open += 1;
    bool served = open == STAGES;
    if (served) {
        signals_start(n);
        announce(n);
        (void)uv_run(&n->loop, UV_RUN_DEFAULT);
        node_turn_stop(n);
        uv_unref((uv_handle_t *)&n->wake); /* the sequencer's until it is closed */
        for (int i = 0; i < 2; i++) uv_close((uv_handle_t *)&n->signals[i], NULL);
        (void)uv_run(&n->loop, UV_RUN_DEFAULT);
    } else {
        fprintf(stderr, "dojima serve: %s\n", error);
    }
    while (open-- > 0) {
        if (stages[open].close != NULL) stages[open].close(n);
    }
    return served ? 0 : 1;
}
