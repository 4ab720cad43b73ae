/* deliver_answer.c: what others ask of a seller: to open tasks of an hour, to do a canary's.
 *
 *   /open     {allocation, hour, indices}     a proof file (proof/proof.h) over the hour's receipt
 *   /canary   {allocation, hour, specs}       the same over tasks done now
 *   /weights  {digest, offset, size}          bytes of a buyer's weights, for a verifier whom that
 *                                             buyer does not give them
 *
 * Only verifiers that the venue has accredited are answered, and the allocation's buyer of its
 * hours. What would pass ANSWER_MAX is left out: the asker sees which tasks it got and asks again.
 *
 * Upstream: peer_server. Downstream: agent_work, proof.
 */
#include "cli/agent_weights.h"
#include "cli/deliver.h"

#include "proof/proof.h"
#include "proof/receipt.h"

#include <stdlib.h>
#include <string.h>

enum { INDICES_MAX = 4096, CANARY_MAX = DELIVERY_CANARY_TASKS_MAX };
#define ANSWER_MAX ((size_t)256 << 20)

/* ---- requests ---- */

static bool request_read(const struct peer_request *request, struct json *j,
                         struct agent_hour *at, struct peer_response *response)
{
    int64_t allocation;
    if (peer_object(j, request->body, request->size) &&
        peer_int(j, 0, "allocation", &allocation) && peer_int(j, 0, "hour", &at->hour)) {
        at->allocation = (uint64_t)allocation;
        return true;
    }
    peer_refuse(response, 400, "an object with allocation and hour is wanted");
    return false;
}

static bool is_verifier(struct deliver *d, const uint8_t key[NOTE_KEY_SIZE])
{
    (void)pthread_mutex_lock(&d->agent.mutex);
    bool found = verifiers_have(&d->verifiers, key);
    (void)pthread_mutex_unlock(&d->agent.mutex);
    return found;
}

/* ---- proofs ---- */

static int on_step(void *context, uint32_t index, const struct commit_step *step)
{
    struct proof_writer *w = context;
    (void)index;
    proof_write_step(w, step);
    return w->failed ? -1 : 0;
}

/* One task into the proof: done again, step by step. */
static bool task_open(struct deliver *d, const struct cheat *cheat, struct proof_writer *w,
                      const struct agent_task *t, const struct merkle_path *path,
                      struct work_error *error)
{
    struct work_spec spec;
    struct work_answer answer;
    uint32_t *prompt = malloc(WORK_PROMPT_MAX * sizeof *prompt);
    bool good = prompt != NULL &&
                work_spec_decode(t->spec, t->spec_size, &spec, prompt, error) == 0 &&
                work_answer_decode(t->answer, t->answer_size, &answer, error) == 0;
    const struct agent_model *m = good ? agent_work_enter(d->work, &spec, true, error) : NULL;
    if (m != NULL) {
        proof_write_task(w, t->index, t->flop, t->spec, (uint32_t)t->spec_size, t->answer,
                         (uint32_t)t->answer_size, path);
        good = cheat_open(cheat, m->engine, t->index, &spec, &answer, on_step, w, error) == 0;
        agent_work_leave(d->work);
    }
    free(prompt);
    return m != NULL && good && !w->failed;
}

static void proof_respond(struct proof_writer *w, bool good, const struct work_error *error,
                          struct peer_response *response)
{
    if (good && proof_write_end(w) == 0) {
        *response = (struct peer_response){.status = 200, .bytes = true, .body = (char *)w->bytes,
                                           .size = w->size};
        return;
    }
    free(w->bytes);
    peer_refuse(response, 500, "the tasks cannot be opened: %s",
                error->text[0] != 0 ? error->text : "no memory");
}

/* ---- /open ---- */

struct opening {
    struct receipt receipt;
    struct digest *leaves;
    uint64_t indices[INDICES_MAX];
    int64_t count;
};

static bool opening_read(struct deliver *d, const struct peer_request *request,
                         const struct json *j, const struct agent_hour *at, struct opening *o,
                         struct peer_response *response)
{
    char text[NOTE_SIZE_MAX];
    struct note_error error;
    size_t n = agent_store_note_get(d->agent.store, at, "receipt", text, sizeof text);
    if (n == 0 || receipt_parse(&o->receipt, text, n, &error) != 0) {
        peer_refuse(response, 404, "there is no receipt of that hour");
        return false;
    }
    if (!is_verifier(d, request->key) &&
        memcmp(o->receipt.buyer, request->key, NOTE_KEY_SIZE) != 0) {
        peer_refuse(response, 403, "neither an accredited verifier nor the buyer");
        return false;
    }
    o->count = peer_integers(j, 0, "indices", o->indices, INDICES_MAX);
    bool good = o->count > 0;
    for (int64_t i = 0; i < o->count && good; i++)
        good = o->indices[i] < o->receipt.tasks && (i == 0 || o->indices[i] > o->indices[i - 1]);
    if (!good) {
        peer_refuse(response, 400, "indices: rising, below the receipt's %llu tasks",
                    (unsigned long long)o->receipt.tasks);
        return false;
    }
    o->leaves = calloc(o->receipt.tasks, sizeof *o->leaves);
    if (o->leaves != NULL &&
        agent_store_leaves(d->agent.store, at, o->receipt.tasks, o->leaves)) return true;
    peer_refuse(response, 500, "the hour's tasks cannot be read");
    return false;
}

static uint32_t vintage_of(struct deliver *d, const struct agent_hour *at)
{
    struct agent_task t;
    struct work_spec spec = {0};
    struct work_error error = {0};
    uint8_t *bytes;
    uint32_t *prompt = malloc(WORK_PROMPT_MAX * sizeof *prompt);
    if (prompt != NULL && agent_store_task_get(d->agent.store, at, 0, &t, &bytes)) {
        (void)work_spec_decode(t.spec, t.spec_size, &spec, prompt, &error);
        free(bytes);
    }
    free(prompt);
    return spec.vintage;
}

static void open_tasks(struct deliver *d, const struct peer_request *request,
                       const struct json *j, const struct agent_hour *at,
                       struct peer_response *response)
{
    struct work_error error = {0};
    struct proof_writer w = {0};
    struct opening *o = calloc(1, sizeof *o);
    if (o == NULL) return;
    bool good = opening_read(d, request, j, at, o, response);
    if (good) {
        const struct proof_header h = {.vintage = vintage_of(d, at), .allocation = at->allocation,
                                       .hour = at->hour, .tasks = o->receipt.tasks,
                                       .root = o->receipt.root};
        proof_write_begin(&w, &h);
        for (int64_t i = 0; i < o->count && good && (i == 0 || w.size < ANSWER_MAX); i++) {
            struct merkle_path path;
            struct agent_task t;
            uint8_t *bytes = NULL;
            good = merkle_path_of(o->leaves, o->receipt.tasks, o->indices[i], &path) &&
                   agent_store_task_get(d->agent.store, at, o->indices[i], &t, &bytes) &&
                   task_open(d, &d->cheat, &w, &t, &path, &error);
            free(bytes);
        }
        proof_respond(&w, good, &error, response);
    }
    free(o->leaves);
    free(o);
}

/* ---- /canary ---- */

struct canary {
    struct agent_task tasks[CANARY_MAX];
    uint8_t specs[CANARY_MAX][WORK_SPEC_SIZE_MAX];
    uint8_t answers[CANARY_MAX][WORK_ANSWER_SIZE_MAX];
    struct digest leaves[CANARY_MAX];
    uint32_t prompt[WORK_PROMPT_MAX];
    uint32_t count;
    uint32_t vintage;
};

static bool canary_task(struct deliver *d, struct canary *c, const struct json *j, uint32_t token,
                        struct work_error *error)
{
    struct work_spec spec;
    struct work_result *result = malloc(sizeof *result);
    struct agent_task *t = &c->tasks[c->count];
    size_t size = j->tokens[token].length / 2;
    bool good = result != NULL && c->count < CANARY_MAX && size <= WORK_SPEC_SIZE_MAX &&
                hex_read(c->specs[c->count], size, j->text + j->tokens[token].start,
                         j->tokens[token].length) &&
                work_spec_decode(c->specs[c->count], size, &spec, c->prompt, error) == 0;
    const struct agent_model *m = good ? agent_work_enter(d->work, &spec, true, error) : NULL;
    good = m != NULL && work_task_run(m->engine, &spec, result, error) == 0;
    if (m != NULL) agent_work_leave(d->work);
    if (good) {
        *t = (struct agent_task){.index = c->count, .spec = c->specs[c->count], .spec_size = size,
                                 .answer = c->answers[c->count],
                                 .transcript = result->commit.transcript,
                                 .flop = (uint64_t)result->commit.flop};
        t->answer_size = work_answer_encode(&result->answer, c->answers[c->count]);
        c->leaves[c->count] = agent_task_leaf(t);
        c->vintage = spec.vintage;
        c->count += 1;
    }
    free(result);
    return good;
}

/* Work done now, before the first hour, to show that the resource is there (DELIV-01). */
static void canary(struct deliver *d, const struct peer_request *request, const struct json *j,
                   const struct agent_hour *at, struct peer_response *response)
{
    struct work_error error = {0};
    struct proof_writer w = {0};
    uint32_t array = json_member(j, 0, "specs");
    if (!is_verifier(d, request->key)) {
        peer_refuse(response, 403, "no verifier that the venue has accredited");
        return;
    }
    if (at->hour < DELIVERY_CANARY_FIRST) { /* no hour's tasks under the name of a canary's */
        peer_refuse(response, 400, "a canary's number is no hour");
        return;
    }
    struct canary *c = calloc(1, sizeof *c);
    if (c == NULL) return;
    bool good = array != 0 && j->tokens[array].kind == JSON_array;
    for (uint32_t t = array + 1; good && t < j->tokens[array].next; t = j->tokens[t].next)
        good = canary_task(d, c, j, t, &error);
    if (!good || c->count == 0) {
        peer_refuse(response, 400, "specs: 1 to %d tasks: %s", CANARY_MAX, error.text);
        free(c);
        return;
    }
    const struct proof_header h = {.vintage = c->vintage, .allocation = at->allocation,
                                   .hour = at->hour, .tasks = c->count,
                                   .root = merkle_root_of(c->leaves, c->count)};
    const struct cheat honest = {.kind = CHEAT_none}; /* as any cheat is while it is looked at */
    proof_write_begin(&w, &h);
    for (uint32_t i = 0; i < c->count && good; i++) {
        struct merkle_path path;
        good = merkle_path_of(c->leaves, c->count, i, &path) &&
               task_open(d, &honest, &w, &c->tasks[i], &path, &error);
    }
    proof_respond(&w, good, &error, response);
    free(c);
}

/* ---- /weights ---- */

static void weights_give(struct deliver *d, const struct peer_request *request,
                         struct peer_response *response)
{
    struct agent_weights_part part;
    char directory[4200], path[4400];
    if (!is_verifier(d, request->key)) {
        peer_refuse(response, 403, "no verifier that the venue has accredited");
        return;
    }
    if (!agent_weights_asked(request, &part, response)) return;
    agent_weights_directory(d->agent.data, directory, sizeof directory);
    agent_weights_path(directory, &part.digest, path, sizeof path);
    FILE *f = fopen(path, "rb");
    void *bytes = malloc(part.size + 1);
    bool good = f != NULL && bytes != NULL && fseeko(f, (off_t)part.offset, SEEK_SET) == 0;
    size_t size = good ? fread(bytes, 1, part.size, f) : 0;
    agent_weights_give(good ? bytes : NULL, size, response);
    if (f != NULL) (void)fclose(f);
    free(bytes);
}

void deliver_answer(void *context, const struct peer_request *request,
                    struct peer_response *response)
{
    struct deliver *d = context;
    struct json j = {0};
    struct agent_hour at;
    bool open = strcmp(request->path, "/open") == 0;
    if (strcmp(request->path, "/weights") == 0)
        weights_give(d, request, response);
    else if (!open && strcmp(request->path, "/canary") != 0)
        peer_refuse(response, 404, "there is no %s here", request->path);
    else if (request_read(request, &j, &at, response)) {
        bool first = is_verifier(d, request->key); /* a buyer waits for its turn */
        if (first) agent_work_claim(d->work);
        if (open) open_tasks(d, request, &j, &at, response);
        else canary(d, request, &j, &at, response);
        if (first) agent_work_release(d->work);
    }
    free(j.tokens);
}
