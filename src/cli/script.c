/* script.c: `dojima script FILE|-`: JSON-RPC requests, one a line, to a fresh venue in memory at
 * virtual time. docs/api.md describes it.
 *
 * Invariants: (1) each answer is written and flushed before the next line is read; (2) time moves
 * only by `at`, and what falls due in between happens, in order; (3) the same lines give the same
 * bytes.
 *
 * Upstream: lines. Downstream: gate/rpc, core.
 */
#include "cli/cli.h"

#include "base/time_text.h"
#include "core/core.h"
#include "gate/rpc.h"
#include "node/config.h"
#include "node/spot.h"
#include "store/store.h"
#include "wire/event_json.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MAX = 4096, EVENT_BYTES = 1 << 16, PRINCIPAL_ACCOUNTS = 1 << 24,
       PRINCIPAL_VENUE = 0x7ffffff0, PAST_BYTES = 8 << 20 };
static const char START[] = "2027-01-04T00:00:00Z";

struct script {
    const char *path;
    const char *config;
    bool events;

    struct core *core;
    void *memory;
    struct outbox outbox;
    struct directory *names;
    struct rpc *rpc;
    struct venue venue;
    struct store *past;        /* in memory, of what is asked of it; made with the first of that */
    struct outbox past_answer;
    ts_t now;
    struct json_token tokens[TOKENS_MAX];
    char event[EVENT_BYTES]; /* one event as text */
};

/* ---- the venue behind rpc ---- */

static const char *name_account(void *context, uint32_t id)
{
    return directory_name(((struct script *)context)->names, DIRECTORY_account, id);
}
static const char *name_member(void *context, uint32_t id)
{
    return directory_name(((struct script *)context)->names, DIRECTORY_member, id);
}
static const char *name_product(void *context, uint32_t id)
{
    return directory_name(((struct script *)context)->names, DIRECTORY_product, id);
}
static const char *name_instrument(void *context, uint32_t id)
{
    return directory_name(((struct script *)context)->names, DIRECTORY_instrument, id);
}
static const char *name_asset(void *context, uint32_t id)
{
    return directory_name(((struct script *)context)->names, DIRECTORY_asset, id);
}

static const char *name_index(void *context, uint32_t id)
{
    return directory_name(((struct script *)context)->names, DIRECTORY_index, id);
}

static void events_print(struct script *s)
{
    struct event_names names = {s,               name_account, name_member, name_product,
                                name_instrument, name_asset,   name_index};
    for (const struct event_header *h = outbox_next(&s->outbox, NULL); h != NULL;
         h = outbox_next(&s->outbox, h)) {
        struct json_writer w = {.bytes = s->event, .capacity = sizeof s->event};
        event_json_write(&w, h, &names);
        json_newline(&w);
        ASSERT(!w.overflow);
        fwrite(w.bytes, 1, w.used, stdout);
    }
}

static bool is_past(uint16_t kind)
{
    return kind == EVENT_spot_auction || kind == EVENT_spot_hour || kind == EVENT_spot_bid;
}

static int past_open(struct script *s)
{
    if (s->past != NULL) return 0;
    s->past_answer.capacity = PAST_BYTES;
    s->past_answer.bytes = malloc(PAST_BYTES);
    return s->past_answer.bytes == NULL ? -1 : store_open(":memory:", &s->past);
}

static int past_keep(struct script *s)
{
    int status = 0;
    for (const struct event_header *h = outbox_next(&s->outbox, NULL); h != NULL && status == 0;
         h = outbox_next(&s->outbox, h)) {
        if (!is_past(h->kind)) continue;
        status = past_open(s);
        if (status == 0) status = store_apply(s->past, h, h->size);
    }
    return status;
}

static int script_past(void *context, const struct query *q, const struct outbox **events)
{
    struct script *s = context;
    *events = &s->past_answer;
    return past_open(s) != 0 || store_answer(s->past, q, &s->past_answer) < 0 ? -1 : 0;
}

static int script_submit(void *context, struct command *c, const struct outbox **events)
{
    struct script *s = context;
    c->header.seq = core_seq(s->core) + 1;
    c->header.ts = s->now;
    core_step(s->core, c, &s->outbox);
    if (directory_apply(s->names, &s->outbox) != 0 || past_keep(s) != 0) return -1;
    if (s->events) events_print(s);
    *events = &s->outbox;
    return 0;
}

static void script_query(void *context, const struct query *q, const struct outbox **events)
{
    struct script *s = context;
    core_query(s->core, q, &s->outbox);
    *events = &s->outbox;
}

static ts_t script_now(void *context) { return ((struct script *)context)->now; }

/* Moves the clock; every instant at which something falls due gets its tick. */
static void clock_move(struct script *s, ts_t to)
{
    for (ts_t due = core_due(s->core); due.v <= to.v; due = core_due(s->core)) {
        const struct outbox *events;
        struct command tick = {.header = {.size = sizeof tick.header, .kind = COMMAND_tick}};
        if (due.v > s->now.v) s->now = due;
        if (script_submit(s, &tick, &events) != 0) return;
        if (spot_solve_waiting(&s->venue, s->names, PRINCIPAL_VENUE) != 0)
            fprintf(stderr, "dojima script: an auction could not be solved\n");
    }
    s->now = to;
}

/* ---- lines ---- */

static void answer_print(const struct rpc_answer *a)
{
    fwrite(a->bytes, 1, a->length, stdout);
    putchar('\n');
    fflush(stdout);
}

/* Who speaks: an officer, an account, or nobody. The clearing house's own accounts cannot. */
static enum reject caller_find(struct script *s, const struct json *j, uint32_t as,
                               struct rpc_caller *caller)
{
    *caller = (struct rpc_caller){0};
    if (as == 0) return REJECT_none;
    bool officer2 = json_equals(j, as, "officer2");
    if (officer2 || json_equals(j, as, "officer")) {
        caller->scopes = RPC_SCOPE_all;
        caller->principal = officer2 ? 2 : 1;
        return REJECT_none;
    }
    char name[ACCOUNT_NAME_SIZE];
    if (j->tokens[as].kind != JSON_string) return REJECT_malformed_request;
    uint32_t account = 0;
    if (json_text(j, as, name, sizeof name) >= 0)
        account = directory_find_text(s->names, DIRECTORY_account, name);
    caller->unknown = account == 0 || directory_account(s->names, account)->system != 0;
    if (caller->unknown) return REJECT_none;
    caller->scopes = RPC_SCOPE_read | RPC_SCOPE_trade | RPC_SCOPE_withdraw;
    caller->principal = PRINCIPAL_ACCOUNTS + account;
    caller->account = account;
    caller->session = account;
    return REJECT_none;
}

/* 0; 2 when the clock would go back. A time that cannot be read is a malformed request. */
static int clock_read(struct script *s, const struct json *j, enum reject *reason,
                      unsigned long number)
{
    char text[TIME_TEXT_SIZE + 8];
    ts_t to;
    uint32_t at = json_member(j, 0, "at");
    if (at == 0) return 0;
    int n = j->tokens[at].kind == JSON_string ? json_text(j, at, text, sizeof text) : -1;
    if (n < 0 || time_parse(text, (size_t)n, &to) != 0) {
        *reason = REJECT_malformed_request;
        return 0;
    }
    if (to.v < s->now.v) {
        fprintf(stderr, "dojima script: line %lu: the clock cannot go back to %s\n", number, text);
        return 2;
    }
    clock_move(s, to);
    return 0;
}

static int line_run(struct script *s, const char *line, size_t length, unsigned long number)
{
    struct json j = {.tokens = s->tokens, .capacity = TOKENS_MAX};
    struct rpc_caller caller = {0};
    struct rpc_request q;
    struct rpc_answer answer;
    enum reject clock = REJECT_none;
    int e = json_parse(&j, line, length);
    if (e == JSON_ERROR_syntax) {
        fprintf(stderr, "dojima script: line %lu: not JSON, at byte %zu\n", number, j.error_at + 1);
        return 2;
    }
    bool object = e == JSON_OK && j.tokens[0].kind == JSON_object;
    if (object && clock_read(s, &j, &clock, number) != 0) return 2;
    enum reject who = REJECT_none;
    if (object) who = caller_find(s, &j, json_member(&j, 0, "as"), &caller);
    enum reject reason = rpc_read(s->rpc, line, length, &q);
    if (reason != REJECT_none) rpc_refuse(s->rpc, &caller, &q, reason, NULL, &answer);
    else if (clock != REJECT_none) rpc_refuse(s->rpc, &caller, &q, clock, "at", &answer);
    else if (who == REJECT_malformed_request) rpc_refuse(s->rpc, &caller, &q, who, "as", &answer);
    else rpc_run(s->rpc, &caller, &q, &answer);
    answer_print(&answer);
    return ferror(stdout) ? 1 : 0;
}

static bool is_blank(const char *line, size_t length)
{
    return strspn(line, " \t\r\n") == length;
}

static int lines_run(struct script *s, FILE *in)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int status = 0;
    for (unsigned long number = 1; status == 0 && (n = getline(&line, &capacity, in)) >= 0;
         number++) {
        if (!is_blank(line, (size_t)n)) status = line_run(s, line, (size_t)n, number);
    }
    if (status == 0 && ferror(in)) {
        fprintf(stderr, "dojima script: %s: %s\n", s->path, strerror(errno));
        status = 1;
    }
    free(line);
    return status;
}

/* ---- start and end ---- */

static int script_open(struct script *s)
{
    struct core_limits limits = core_limits_default();
    limits.orders = 1 << 17; /* one user's venue: room enough, at half a node's address space */
    limits.orders_closed = 1 << 15;
    limits.client_ids = 1 << 18;
    limits.answer_bytes = 64u << 20;
    size_t bytes = core_bytes(&limits), outbox = core_outbox_bytes(&limits);
    /* Large blocks come from the system zeroed and untouched: only what is used takes memory. */
    s->memory = calloc(1, bytes + 63);
    s->outbox.capacity = outbox;
    s->outbox.bytes = malloc(outbox);
    s->names = directory_open();
    if (s->memory == NULL || s->outbox.bytes == NULL || s->names == NULL) return -1;
    unsigned char *base = s->memory;
    s->core = core_open(&limits, base + (64 - (uintptr_t)base % 64) % 64);
    s->venue = (struct venue){.context = s, .submit = script_submit, .query = script_query,
                              .past = script_past, .now = script_now};
    s->rpc = rpc_open(&s->venue, s->names);
    if (s->core == NULL || s->rpc == NULL) return -1;
    ASSERT(time_parse(START, sizeof START - 1, &s->now) == 0);
    core_query(s->core, &(struct query){.kind = QUERY_directory}, &s->outbox);
    return directory_apply(s->names, &s->outbox);
}

static void script_close(struct script *s)
{
    rpc_close(s->rpc);
    directory_close(s->names);
    core_close(s->core);
    store_close(s->past);
    free(s->past_answer.bytes);
    free(s->outbox.bytes);
    free(s->memory);
    free(s);
}

static int script_run(struct script *s)
{
    char error[CONFIG_ERROR_SIZE];
    struct rpc_caller officer = {.scopes = RPC_SCOPE_all, .principal = 1};
    if (script_open(s) != 0) {
        fprintf(stderr, "dojima script: not enough memory\n");
        return 1;
    }
    if (s->config != NULL &&
        config_apply_file(s->rpc, &officer, s->config, NULL, error) != 0) {
        fprintf(stderr, "dojima script: %s\n", error);
        return 1;
    }
    if (strcmp(s->path, "-") == 0) return lines_run(s, stdin);
    FILE *in = fopen(s->path, "r");
    if (in == NULL) {
        fprintf(stderr, "dojima script: %s: %s\n", s->path, strerror(errno));
        return 1;
    }
    int status = lines_run(s, in);
    fclose(in);
    return status;
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct script *s = state->input;
    switch (key) {
    case 'e': s->events = true; return 0;
    case 'c': s->config = argument; return 0;
    case ARGP_KEY_ARG:
        if (s->path != NULL) argp_error(state, "one file at a time");
        s->path = argument;
        return 0;
    case ARGP_KEY_END:
        if (s->path == NULL) argp_error(state, "a file is wanted, or - for standard input");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cli_script(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"events", 'e', NULL, 0, "Print every event of a request before its answer", 0},
        {"config", 'c', "FILE", 0, "Begin with the products, instruments, ... of FILE", 0},
        {0},
    };
    static const struct argp argp = {
        options, option_parse, "FILE|-",
        "Feeds JSON-RPC requests, one a line, to a fresh venue in memory at virtual time, and "
        "prints one answer a line.\v"
        "A line may carry \"as\": \"officer\", \"officer2\" or an account, and \"at\": an RFC 3339 "
        "time to which the clock moves first. The clock begins at 2027-01-04T00:00:00Z. Exit "
        "status: 0 when every line was answered, rejects included; 1 on failure; 2 on a line that "
        "is not JSON or a clock that goes back.",
        NULL, NULL, NULL};
    struct script *s = calloc(1, sizeof *s);
    if (s == NULL) return 1;
    static char name[] = "dojima script";
    argv[0] = name;
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, s);
    int status = script_run(s);
    script_close(s);
    return status;
}
