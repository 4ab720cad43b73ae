/* deliver.c: `dojima deliver`: a provider's agent. deliver.h says how its files go together. */
#include "cli/agent_weights.h"
#include "cli/cli.h"
#include "cli/deliver.h"
#include "cli/options.h"

#include "msg/compute.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_RESOURCE = 700, KEY_GRADE, KEY_TENDER, KEY_STANDING, KEY_OWN_TOKENS, KEY_BACKEND,
       KEY_THREADS, KEY_SEQUENCES, KEY_ROWS, KEY_TEST, KEY_CHEAT };

static const struct argp_option options[] = {
    {"resource", KEY_RESOURCE, "NAME", 0, "The certified resource that delivers (required)", 0},
    {"grade", KEY_GRADE, "GRADE", 0, "offline, server or interactive [offline]", 0},
    {"tender", KEY_TENDER, "INSTRUMENT:LOTS", 0,
     "Tender the resource for so many lots short of a day or hour, on its position days; again for "
     "more", 0},
    {"standing", KEY_STANDING, NULL, 0,
     "Stand ready to deliver what it wins in balancing auctions", 0},
    {"own-tokens", KEY_OWN_TOKENS, NULL, 0,
     "Issue no tokens: they are issued by hand (private/token_issue)", 0},
    {"backend", KEY_BACKEND, "NAME", 0, "What computes: openblas, plain, ... [the best]", 0},
    {"threads", KEY_THREADS, "N", 0, "Processors to use [all]", 0},
    {"sequences", KEY_SEQUENCES, "N", 0, "At once [as `dojima certify` of the grade]", 0},
    {"rows", KEY_ROWS, "N", 0, "Of one pass, at most [as `dojima certify` of the grade]", 0},
    {"test-workloads", KEY_TEST, NULL, 0,
     "Do tasks of workloads that count for nothing: demonstrations only", 0},
    {"cheat", KEY_CHEAT, "NAME", 0,
     "Cheat, for tests and demonstrations: garbage, reuse, skip, truncate, low-precision, replay, "
     "one-in-100", 0},
    {0}};

static bool tender_parse(struct deliver *d, const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    struct deliver_tender *t = &d->tenders[d->tender_count];
    if (colon == NULL || colon == text || d->tender_count == DELIVER_TENDERS_MAX ||
        (size_t)(colon - text) >= sizeof t->filing.instrument)
        return false;
    (void)snprintf(t->filing.instrument, sizeof t->filing.instrument, "%.*s", (int)(colon - text),
                   text);
    t->lots = strtoll(colon + 1, &end, 10);
    if (end == colon + 1 || *end != 0 || t->lots <= 0) return false;
    d->tender_count += 1;
    return true;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct deliver *d = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &d->agent; return 0;
    case KEY_RESOURCE: d->resource = text; return 0;
    case KEY_GRADE: d->grade = option_grade(state, text); return 0;
    case KEY_TENDER:
        if (!tender_parse(d, text)) argp_error(state, "--tender: INSTRUMENT:LOTS, at most 16");
        return 0;
    case KEY_STANDING: d->standing = true; return 0;
    case KEY_OWN_TOKENS: d->own_tokens = true; return 0;
    case KEY_BACKEND: d->backend = text; return 0;
    case KEY_THREADS:
        d->threads = (uint32_t)option_whole(state, "threads", text, 0, 4096);
        return 0;
    case KEY_SEQUENCES:
        d->slots = (uint32_t)option_whole(state, "sequences", text, 1, 65536);
        return 0;
    case KEY_ROWS: d->rows = (uint32_t)option_whole(state, "rows", text, 16, 65536); return 0;
    case KEY_TEST: d->test_workloads = true; return 0;
    case KEY_CHEAT:
        if (!cheat_parse(text, &d->cheat.kind)) argp_error(state, "--cheat: no such cheat");
        return 0;
    case ARGP_KEY_END:
        if (d->resource == NULL) argp_error(state, "--resource says which resource delivers");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what the venue is told ---- */

static void tender_params(struct deliver *d)
{
    struct json_writer *w = &d->agent.client.params;
    json_key_string(w, "resource", d->resource);
    json_key_string(w, "grade", grade_name(d->grade));
    json_key_string(w, "endpoint", d->agent.endpoint_text);
    json_key_string(w, "public_key", d->agent.key_text);
}

/* Files what is not filed yet. */
static void tenders_file(struct deliver *d)
{
    struct client *c = &d->agent.client;
    for (uint32_t i = 0; i < d->tender_count; i++) {
        struct deliver_tender *t = &d->tenders[i];
        if (t->filing.filed) continue;
        client_begin(c);
        json_key_string(&c->params, "instrument_name", t->filing.instrument);
        json_key_int(&c->params, "amount", t->lots);
        tender_params(d);
        enum client_status status = agent_file(&d->agent, &t->filing, "private/tender",
                                               "tender for");
        if (status == CLIENT_unreachable) return;
        if (status == CLIENT_ok)
            agent_say(&d->agent, "%s tendered for %lld lots of %s", d->resource,
                      (long long)t->lots, t->filing.instrument);
    }
    if (!d->standing || d->standing_filed) return;
    client_begin(c);
    tender_params(d);
    json_key_int(&c->params, "amount", 1);
    if (agent_call(&d->agent, "private/tender") != CLIENT_ok) return;
    d->standing_filed = true;
    agent_say(&d->agent, "%s stands ready for balancing auctions", d->resource);
}

/* DELIV-01: tokens of every hour of an allocation, before they are taken into escrow. Asked for
 * once: a second time would issue twice, so the mark is made first. */
static void tokens_issue(struct deliver *d, const struct delivery_allocation *al)
{
    struct client *c = &d->agent.client;
    const struct agent_hour at = {al->id, al->first_hour};
    if (agent_store_note_put(d->agent.store, &at, "tokens", "asked") != AGENT_STORE_new) return;
    client_begin(c);
    json_key_string(&c->params, "resource", d->resource);
    json_key_int(&c->params, "hour", al->first_hour * DELIVERY_HOUR_MS);
    json_key_int(&c->params, "hours", al->end_hour - al->first_hour);
    json_key_fixed(&c->params, "amount", al->work_hour, 9);
    enum client_status status = agent_call(&d->agent, "private/token_issue");
    if (status == CLIENT_refused)
        agent_say(&d->agent, "allocation %llu: no tokens: %s", (unsigned long long)al->id,
                  c->sentence);
    if (status == CLIENT_ok)
        agent_say(&d->agent, "allocation %llu: tokens of %lld hours issued",
                  (unsigned long long)al->id, (long long)(al->end_hour - al->first_hour));
}

/* Whom the venue has accredited, for the handlers. */
static bool verifiers_read(struct deliver *d)
{
    struct verifiers v;
    if (!agent_verifiers(&d->agent, &v)) return false;
    (void)pthread_mutex_lock(&d->agent.mutex);
    d->verifiers = v;
    (void)pthread_mutex_unlock(&d->agent.mutex);
    return true;
}

/* ---- running ---- */

static bool step(struct agent *a)
{
    struct deliver *d = (struct deliver *)(void *)a;
    tenders_file(d);
    if (!verifiers_read(d) || !agent_deliveries(a, &d->seen)) return true;
    for (uint32_t i = 0; i < d->seen.count;) { /* another agent of this account has other keys */
        const struct delivery_allocation *al = &d->seen.list[i];
        if (memcmp(al->seller_key, a->key.key, NOTE_KEY_SIZE) == 0) {
            if (delivery_is(al, "allotted") && !d->own_tokens) tokens_issue(d, al);
            i += 1;
        } else {
            d->seen.list[i] = d->seen.list[--d->seen.count];
        }
    }
    return deliver_hours(d);
}

int cli_deliver(int argc, char **argv)
{
    static struct deliver d;
    static const struct argp_child children[] = {{&agent_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .children = children,
        .doc = "A provider's agent: tenders a certified resource, and delivers what is allocated "
               "to it hour by hour: takes tasks from the buyer's gateway, does them, commits to "
               "them, signs the hour's receipt, gets it countersigned, submits it, and opens what "
               "a verifier asks to see.\vIts first line on standard output is its endpoint and "
               "its public key. It may be killed at any instant and goes on from there."};
    char weights[4200];
    agent_init(&d.agent, "deliver");
    d.grade = GRADE_offline;
    client_parse(&argp, argc, argv, &d);
    agent_weights_directory(d.agent.data, weights, sizeof weights);
    const struct agent_work_options o = {.weights = weights, .backend = d.backend,
                                         .threads = d.threads, .grade = d.grade,
                                         .slots = d.slots, .rows = d.rows};
    d.work = agent_work_open(&o);
    if (d.work == NULL) return 1;
    int status = agent_run(&d.agent, step, deliver_answer);
    for (int i = 0; i < DELIVER_RUNS_MAX; i++) deliver_ahead_drop(&d, &d.runs[i]);
    deliver_stream_close(&d, false);
    agent_work_close(d.work);
    return status;
}
