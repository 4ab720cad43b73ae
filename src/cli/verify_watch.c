/* verify_watch.c: `dojima verify --watch`: a verifier's agent. verify_watch.h says how its files
 * go together. */
#include "cli/options.h"
#include "cli/verify_watch.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_WATCH = 900, KEY_SAMPLES, KEY_CANARIES, KEY_PATIENCE, KEY_TIMEOUT, KEY_WORKLOAD,
       KEY_TEST };

static const struct argp_option options[] = {
    {"watch", KEY_WATCH, NULL, 0, "Verify the deliveries of a venue as they come", 0},
    {"samples", KEY_SAMPLES, "N", 0,
     "Tasks of an hour that are opened [90: what catches 5% of false tasks with 99%]", 0},
    {"canaries", KEY_CANARIES, "N", 0, "Tasks of a canary [4]", 0},
    {"workload", KEY_WORKLOAD, "NAME", 0, "Of canaries [the vintage's first]", 0},
    {"patience", KEY_PATIENCE, "SECONDS", 0,
     "Of the venue's time that a seller has to answer [1800]", 0},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "For one request [120]", 0},
    {"test-workloads", KEY_TEST, NULL, 0,
     "Accept workloads that count for nothing: demonstrations only", 0},
    {0}};

static uint32_t number(struct argp_state *state, const char *name, const char *text, uint32_t most)
{
    return (uint32_t)option_whole(state, name, text, 1, most);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct watch *w = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &w->agent; return 0;
    case KEY_WATCH: return 0;
    case KEY_SAMPLES: w->samples = number(state, "samples", text, SAMPLE_MAX); return 0;
    case KEY_CANARIES:
        w->canaries = number(state, "canaries", text, DELIVERY_CANARY_TASKS_MAX);
        return 0;
    case KEY_PATIENCE: w->patience_s = number(state, "patience", text, 86400); return 0;
    case KEY_TIMEOUT: w->timeout_s = number(state, "timeout", text, 3600); return 0;
    case KEY_WORKLOAD: w->workload = text; return 0;
    case KEY_TEST: w->test_workloads = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- verdicts ---- */

static void submit(struct watch *w, const struct agent_hour *at, const char *name,
                   const char *text)
{
    struct client *c = &w->agent.client;
    char mark[AGENT_STORE_NAME_SIZE];
    client_begin(c);
    json_key_string(&c->params, "verdict", text);
    enum client_status status = agent_call(&w->agent, "private/proof_submit");
    if (status == CLIENT_unreachable) return;
    if (status == CLIENT_refused)
        agent_say(&w->agent, "allocation %llu: the verdict is refused: %s",
                  (unsigned long long)at->allocation, c->sentence);
    (void)snprintf(mark, sizeof mark, "%.20s-in", name);
    if (!agent_store_note_set(w->agent.store, at, mark,
                              status == CLIENT_ok ? "in" : c->reason))
        agent_fail(&w->agent, "the store cannot be written");
}

/* Signs what was seen, keeps it, submits it. */
static void verdict_give(struct watch *w, const struct agent_hour *at, const char *name,
                         struct verdict *v, const struct watch_sample *s)
{
    char text[NOTE_SIZE_MAX];
    struct note_error error;
    v->allocation = at->allocation;
    v->hour = at->hour;
    v->sampled = s->sampled;
    v->failed = s->failed;
    if (v->outcome == PROOF_no_answer) v->sampled = v->failed = 0;
    verdict_set_bound(v);
    memcpy(v->seed, s->nonce, sizeof v->seed);
    memcpy(v->verifier, w->agent.key.key, NOTE_KEY_SIZE);
    if (!verdict_sign(v, w->agent.key.secret) || verdict_check(v, &error) != 0) {
        agent_say(&w->agent, "no verdict can be signed: %s", error.text);
        return;
    }
    text[verdict_encode(v, text)] = 0;
    if (agent_store_note_put(w->agent.store, at, name, text) > AGENT_STORE_same) {
        agent_fail(&w->agent, "the verdict cannot be kept");
        return;
    }
    char file[128];
    (void)snprintf(file, sizeof file, "%llu-%lld-%s.note", (unsigned long long)at->allocation,
                   (long long)at->hour, name);
    (void)agent_file_write(&w->agent, "proofs", file, text, strlen(text));
    agent_say(&w->agent, "allocation %llu: %s: %s: %llu of %llu tasks opened, %llu false%s%s",
              (unsigned long long)at->allocation, name, proof_outcome_words[v->outcome],
              (unsigned long long)v->sampled, (unsigned long long)v->tasks,
              (unsigned long long)v->failed, s->reason[0] != 0 ? "; " : "", s->reason);
    submit(w, at, name, text);
}

/* A verdict that is kept goes to the venue again until that has answered. True: there is one. */
static bool verdict_kept(struct watch *w, const struct agent_hour *at, const char *name)
{
    char text[NOTE_SIZE_MAX], mark[AGENT_STORE_NAME_SIZE], said[CLIENT_VALUE_SIZE];
    if (agent_store_note_get(w->agent.store, at, name, text, sizeof text) == 0) return false;
    (void)snprintf(mark, sizeof mark, "%.20s-in", name);
    if (agent_store_note_get(w->agent.store, at, mark, said, sizeof said) == 0)
        submit(w, at, name, text);
    return true;
}

/* Whether the seller has been asked in vain for as long as patience goes. */
static bool patience_ends(struct watch *w, const struct agent_hour *at, const char *name,
                          const char *reason)
{
    char mark[AGENT_STORE_NAME_SIZE], text[32];
    int64_t now = agent_now_ms(&w->agent);
    (void)snprintf(mark, sizeof mark, "%.20s-since", name);
    if (agent_store_note_get(w->agent.store, at, mark, text, sizeof text) == 0) {
        (void)snprintf(text, sizeof text, "%lld", (long long)now);
        (void)agent_store_note_set(w->agent.store, at, mark, text);
        agent_say(&w->agent, "allocation %llu: the seller does not answer: %s",
                  (unsigned long long)at->allocation, reason);
        return false;
    }
    return now - strtoll(text, NULL, 10) >= (int64_t)w->patience_s * 1000;
}

/* ---- what waits ---- */

/* DELIV-02: a receipt that the buyer has not signed says no more than its sample shows. */
static uint128_t flop_verified(const struct delivery_hour *h, const struct watch_sample *s)
{
    uint128_t claimed = delivery_flop(h->work_claimed);
    if (strcmp(h->state, "claimed") != 0) return claimed;
    uint128_t shown = (uint128_t)h->tasks * s->flop_least;
    return claimed < shown ? claimed : shown;
}

static void hour_verify(struct watch *w, const struct delivery_allocation *al,
                        const struct delivery_hour *h, enum proof_kind kind)
{
    static const char *const names[] = {"verdict", "canary", "challenge"};
    const struct agent_hour at = {al->id, h->hour};
    struct watch_sample s;
    if (verdict_kept(w, &at, names[kind]) || !watch_hour(w, al, h, kind, &s)) return;
    struct verdict v = {.kind = kind, .tasks = h->tasks, .root = h->root};
    if (s.failed > 0) {
        v.outcome = PROOF_falsified;
    } else if (s.unknown) { /* not the seller's fault: no verdict of this verifier's */
        agent_say(&w->agent, "allocation %llu: not judged: %s", (unsigned long long)al->id,
                  s.reason);
        return;
    } else if (!s.answered) {
        if (!patience_ends(w, &at, names[kind], s.reason)) return;
        v.outcome = PROOF_no_answer;
    } else {
        v.flop = flop_verified(h, &s);
        v.outcome = h->work_claimed < h->work_due ? PROOF_short : PROOF_ok;
    }
    verdict_give(w, &at, names[kind], &v, &s);
}

/* DELIV-01: on the day before the first hour. */
static void canary_ask(struct watch *w, const struct delivery_allocation *al)
{
    const struct agent_hour at = {al->id, al->first_hour};
    struct watch_sample s;
    struct verdict v = {.kind = PROOF_canary, .tasks = w->canaries};
    if (verdict_kept(w, &at, "canary") || agent_now_ms(&w->agent) < al->canary_ms) return;
    if (!watch_canary(w, al, &s, &v.root, &v.flop)) return;
    if (s.unknown) {
        agent_say(&w->agent, "allocation %llu: the canary is not judged: %s",
                  (unsigned long long)al->id, s.reason);
        return;
    }
    if (s.failed > 0) {
        v.outcome = PROOF_falsified;
        v.flop = 0;
    } else if (!s.answered) {
        if (!patience_ends(w, &at, "canary", s.reason)) return;
        v.outcome = PROOF_no_answer;
        v.flop = 0;
    }
    verdict_give(w, &at, "canary", &v, &s);
}

static bool step(struct agent *a)
{
    struct watch *w = (struct watch *)(void *)a;
    if (!agent_deliveries(a, &w->seen)) return true;
    for (uint32_t i = 0; i < w->seen.count && !atomic_load(&a->stopping); i++) {
        const struct delivery_allocation *al = &w->seen.list[i];
        if (delivery_is(al, "escrowed")) canary_ask(w, al);
        for (uint32_t k = 0; k < al->hour_count && !atomic_load(&a->stopping); k++) {
            const struct delivery_hour *h = &al->hours[k];
            if (strcmp(h->state, "received") == 0 || strcmp(h->state, "claimed") == 0)
                hour_verify(w, al, h, PROOF_hour);
            else if (strcmp(h->state, "challenged") == 0)
                hour_verify(w, al, h, PROOF_challenge);
        }
    }
    return true;
}

int verify_watch(int argc, char **argv)
{
    static struct watch w;
    static const struct argp_child children[] = {{&agent_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .children = children,
        .doc = "A verifier's agent: for every receipt that waits for a verdict it draws a sample, "
               "has the seller open it, checks every opened task to the last product, signs a "
               "verdict and submits it; canaries and challenges too.\vIts first line on standard "
               "output is its public key, which two officers accredit "
               "(private/officer_accredit). Its API key must see all accounts (scope auditor). "
               "Proofs stay under DIR/proofs: `dojima verify FILE` checks them again."};
    agent_init(&w.agent, "verify");
    w.samples = 90;
    w.canaries = 4;
    w.patience_s = 1800;
    w.timeout_s = 120;
    client_parse(&argp, argc, argv, &w);
    return agent_run(&w.agent, step, NULL);
}
