/* verify_open.c: a sample of an hour's tasks: drawn, opened by the seller, checked. */
#include "cli/agent_weights.h"
#include "cli/verify_watch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64, PATH_SIZE = 4400 };
#define PROOF_BYTES_MAX ((size_t)1 << 30)

/* ---- files ---- */

static void proof_keep(struct watch *w, const struct agent_hour *at, const char *kind,
                       uint32_t part, const struct peer_answer *answer)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%llu-%lld-%s-%u.proof", (unsigned long long)at->allocation,
                   (long long)at->hour, kind, part);
    (void)agent_file_write(&w->agent, "proofs", name, answer->bytes, answer->size);
}

/* ---- weights of buyers ---- */

struct finder {
    struct watch *watch;
    const struct delivery_allocation *allocation;
    uint8_t *bytes; /* of the one that was found; one buyer has one */
    size_t size;
    struct digest digest;
};

/* From the buyer; where it does not give them, from the seller, who has to have them: their digest
 * says that they are the right ones. */
static bool weights_pull(struct finder *f, const char *directory, const struct digest *digest,
                         const struct work_workload *w)
{
    const char *const who[] = {"buyer", "seller"};
    const char *const endpoints[] = {f->allocation->buyer_endpoint,
                                     f->allocation->seller_endpoint};
    enum agent_weights_state state = AGENT_WEIGHTS_absent;
    for (int i = 0; i < 2 && state != AGENT_WEIGHTS_here; i++) {
        struct work_error error = {0};
        do state = agent_weights_pull(&f->watch->agent, endpoints[i], directory, digest, w, &error);
        while (state == AGENT_WEIGHTS_coming && !atomic_load(&f->watch->agent.stopping));
        if (state != AGENT_WEIGHTS_here)
            agent_say(&f->watch->agent, "the buyer's weights from the %s: %s", who[i], error.text);
    }
    return state == AGENT_WEIGHTS_here;
}

static const uint8_t *weights_find(void *context, const struct work_workload *w,
                                   const struct digest *digest, size_t *size)
{
    struct finder *f = context;
    char directory[4200], path[PATH_SIZE];
    struct work_error error = {0};
    if (f->bytes != NULL) return NULL; /* only one model of a buyer's own an hour */
    agent_weights_directory(f->watch->agent.data, directory, sizeof directory);
    agent_weights_path(directory, digest, path, sizeof path);
    if (!agent_weights_have(directory, digest) && !weights_pull(f, directory, digest, w))
        return NULL;
    f->bytes = agent_weights_read(path, w, &f->size, &error);
    *size = f->size;
    return f->bytes;
}

/* ---- judging ---- */

struct judging {
    struct watch *watch;
    const struct delivery_allocation *allocation;
    struct agent_hour at; /* as in the proofs' headers */
    uint64_t tasks;
    uint32_t parts; /* proof files so far */
    struct digest root;
    struct verify *models;
    struct finder finder;
    struct watch_sample *sample;
    uint128_t flop; /* of those that were right */
};

static bool judging_begin(struct judging *j)
{
    uint8_t secret[32];
    randombytes_buf(secret, sizeof secret); /* the seller has committed: now it may exist */
    j->finder = (struct finder){.watch = j->watch, .allocation = j->allocation};
    j->models = verify_open(secret, weights_find, &j->finder);
    sodium_memzero(secret, sizeof secret);
    return j->models != NULL;
}

static void judging_end(struct judging *j)
{
    verify_close(j->models);
    free(j->finder.bytes);
}

static void failed(struct judging *j, uint64_t index, const char *reason)
{
    struct watch_sample *s = j->sample;
    s->failed += 1;
    if (s->reason[0] == 0)
        (void)snprintf(s->reason, sizeof s->reason, "task %llu: %.200s",
                       (unsigned long long)index, reason);
}

static void task_judge(struct judging *j, const struct proof *p, const struct proof_task *t)
{
    struct watch_sample *s = j->sample;
    struct verify_result r;
    verify_task(j->models, p, t, &r);
    s->sampled += 1;
    if (r.outcome == VERIFY_unknown) {
        s->unknown = true;
        s->sampled -= 1;
        (void)snprintf(s->reason, sizeof s->reason, "%s", r.reason);
    } else if (r.outcome != VERIFY_right) {
        failed(j, t->index, r.reason);
    } else if (r.workload->test && !j->watch->test_workloads) {
        failed(j, t->index, "a workload for tests counts for nothing (UNIT-01)");
    } else {
        j->flop += r.flop;
        if (r.flop < s->flop_least) s->flop_least = (uint64_t)r.flop;
    }
}

/* Whether the file is of this hour, and opens the tasks asked for, in order, from the first on.
 * Every one that it opens is judged; *opened says how many. */
static bool proof_judge(struct judging *j, const struct peer_answer *answer,
                        const uint64_t *indices, uint32_t count, uint32_t *opened)
{
    struct proof p;
    struct proof_task t;
    struct proof_error error;
    *opened = 0;
    if (proof_parse(&p, answer->bytes, answer->size, &error) != 0) return false;
    bool same = p.header.allocation == j->at.allocation && p.header.hour == j->at.hour &&
                p.header.tasks == j->tasks && digest_equal(&p.header.root, &j->root);
    int more = 1;
    while (same && *opened < count && (more = proof_task_next(&p, &t, &error)) == 1) {
        if (t.index != indices[*opened]) return false;
        task_judge(j, &p, &t);
        *opened += 1;
        if (atomic_load(&j->watch->agent.stopping)) return false;
    }
    return same && more >= 0 && *opened > 0;
}

/* One request for a part of the sample. */
static uint32_t chunk_open(struct judging *j, const char *kind, const uint64_t *indices,
                           uint32_t count)
{
    char body[CHUNK * 24 + 256];
    struct peer_answer answer;
    uint32_t opened = 0;
    struct json_writer w = {.bytes = body, .capacity = sizeof body};
    json_open_object(&w);
    json_key_int(&w, "allocation", (int64_t)j->at.allocation);
    json_key_int(&w, "hour", j->at.hour);
    json_key(&w, "indices");
    json_open_array(&w);
    for (uint32_t i = 0; i < count; i++) json_uint(&w, indices[i]);
    json_close_array(&w);
    json_close_object(&w);
    enum peer_status status = peer_ask(j->allocation->seller_endpoint, "/open",
                                       &j->watch->agent.asker, body, w.used, j->watch->timeout_s,
                                       PROOF_BYTES_MAX, &answer);
    bool good = status == PEER_ok && proof_judge(j, &answer, indices, count, &opened);
    if (status == PEER_ok) proof_keep(j->watch, &j->at, kind, j->parts++, &answer);
    if (!good && j->sample->reason[0] == 0)
        (void)snprintf(j->sample->reason, sizeof j->sample->reason, "%.200s",
                       answer.error[0] != 0 ? answer.error : "what it opens is no such proof");
    if (!good)
        agent_say(&j->watch->agent, "allocation %llu: task %llu is not opened: %.150s",
                  (unsigned long long)j->at.allocation, (unsigned long long)indices[0],
                  answer.error[0] != 0 ? answer.error : "what came is no such proof");
    peer_answer_free(&answer);
    return good ? opened : 0;
}

/* ---- an hour ---- */

/* Drawn once, kept before anybody is asked. */
static bool nonce_draw(struct watch *w, const struct agent_hour *at, const char *kind,
                       uint8_t nonce[32])
{
    char name[AGENT_STORE_NAME_SIZE], text[65];
    (void)snprintf(name, sizeof name, "nonce-%s", kind);
    if (agent_store_note_get(w->agent.store, at, name, text, sizeof text) == 64)
        return hex_read(nonce, 32, text, 64);
    randombytes_buf(nonce, 32);
    hex_write(text, nonce, 32);
    text[64] = 0;
    return agent_store_note_put(w->agent.store, at, name, text) == AGENT_STORE_new;
}

bool watch_hour(struct watch *w, const struct delivery_allocation *al,
                const struct delivery_hour *h, enum proof_kind kind, struct watch_sample *s)
{
    struct judging j = {.watch = w, .allocation = al, .at = {al->id, h->hour},
                        .tasks = h->tasks, .root = h->root, .sample = s};
    *s = (struct watch_sample){.flop_least = UINT64_MAX};
    uint64_t *indices = calloc(w->samples, sizeof *indices);
    bool good = indices != NULL && nonce_draw(w, &j.at, proof_kind_words[kind], s->nonce) &&
                judging_begin(&j);
    if (good) {
        struct digest seed = sample_seed(&h->root, s->nonce);
        uint32_t count = sample_choose(&seed, h->tasks, w->samples, indices), done = 0;
        while (done < count) {
            uint32_t part = count - done < CHUNK ? count - done : CHUNK;
            uint32_t opened = chunk_open(&j, proof_kind_words[kind], indices + done, part);
            if (opened == 0) break;
            done += opened;
        }
        s->answered = done == count;
        judging_end(&j);
    }
    free(indices);
    return good && !atomic_load(&w->agent.stopping);
}

/* ---- a canary ---- */

static const struct work_workload *canary_workload(const struct watch *w, uint32_t vintage)
{
    if (w->workload != NULL) return work_workload_named(vintage, w->workload);
    const struct work_vintage *v = work_vintage_find(vintage);
    for (uint32_t i = 0; v != NULL && i < v->count; i++) {
        if ((v->workloads[i].grades & WORK_GRADE_offline) != 0) return &v->workloads[i];
    }
    return NULL;
}

static char *canary_body(struct judging *j, const struct work_workload *wl, size_t *size)
{
    size_t capacity = (size_t)j->tasks * (2 * WORK_SPEC_SIZE_MAX + 8) + 256;
    char *body = malloc(capacity);
    struct json_writer w = {.bytes = body, .capacity = body == NULL ? 0 : capacity};
    json_open_object(&w);
    json_key_int(&w, "allocation", (int64_t)j->at.allocation);
    json_key_int(&w, "hour", j->at.hour);
    json_key(&w, "specs");
    json_open_array(&w);
    for (uint64_t i = 0; i < j->tasks && body != NULL; i++) {
        uint8_t bytes[WORK_SPEC_SIZE_MAX];
        struct work_spec spec;
        struct digest nonce = commit_nonce(j->at.allocation, j->at.hour, i);
        work_spec_default(wl, &nonce, &spec);
        json_hex(&w, bytes, work_spec_encode(&spec, bytes));
    }
    json_close_array(&w);
    json_close_object(&w);
    *size = w.used;
    if (!w.overflow) return body;
    free(body);
    return NULL;
}

/* All of a canary's tasks are opened at once, under a root that the seller makes now. */
static void canary_judge(struct judging *j, const struct peer_answer *answer)
{
    uint64_t indices[DELIVERY_CANARY_TASKS_MAX];
    uint32_t opened;
    struct proof p;
    struct proof_error error;
    if (proof_parse(&p, answer->bytes, answer->size, &error) != 0) {
        (void)snprintf(j->sample->reason, sizeof j->sample->reason, "%s", error.text);
        return;
    }
    j->root = p.header.root;
    for (uint64_t i = 0; i < j->tasks; i++) indices[i] = i;
    bool good = proof_judge(j, answer, indices, (uint32_t)j->tasks, &opened);
    j->sample->answered = good && opened == j->tasks;
    proof_keep(j->watch, &j->at, "canary", 0, answer);
}

bool watch_canary(struct watch *w, const struct delivery_allocation *al, struct watch_sample *s,
                  struct digest *root, uint128_t *flop)
{
    const struct work_workload *wl = canary_workload(w, al->vintage);
    struct judging j = {.watch = w, .allocation = al, .tasks = w->canaries, .sample = s};
    struct peer_answer answer;
    size_t size = 0;
    uint64_t draw;
    *s = (struct watch_sample){.flop_least = UINT64_MAX};
    randombytes_buf(s->nonce, sizeof s->nonce);
    randombytes_buf(&draw, sizeof draw);
    j.at = (struct agent_hour){al->id, DELIVERY_CANARY_FIRST + (int64_t)(draw % DELIVERY_CANARIES)};
    if (wl == NULL || !judging_begin(&j)) {
        agent_say(&w->agent, "there is no workload for a canary of vintage %u", al->vintage);
        return false;
    }
    char *body = canary_body(&j, wl, &size);
    enum peer_status status = body == NULL ? PEER_unreachable :
        peer_ask(al->seller_endpoint, "/canary", &w->agent.asker, body, size, w->timeout_s,
                 PROOF_BYTES_MAX, &answer);
    if (body != NULL && status == PEER_ok) canary_judge(&j, &answer);
    else if (body != NULL) (void)snprintf(s->reason, sizeof s->reason, "%.200s", answer.error);
    if (body != NULL) peer_answer_free(&answer);
    free(body);
    judging_end(&j);
    *root = j.root;
    *flop = j.flop;
    return !atomic_load(&w->agent.stopping);
}
