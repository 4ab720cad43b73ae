/* deliver_hour.c: an hour of an allocation: its tasks, one after the other, and its receipt.
 *
 * The order of things makes a kill harmless: tasks are done, kept, then handed over; what was done
 * and not kept is done again and comes out the same; what was kept and not handed over is handed
 * over again, and the buyer knows it by its index. The receipt is made when enough is done or the
 * hour is over, of what the buyer has acknowledged; signed once, it is kept and sent until both
 * buyer and venue have it.
 */
#include "cli/agent_weights.h"
#include "cli/deliver.h"

#include "proof/receipt.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_HEX = 2 * WORK_ANSWER_SIZE_MAX + 256, ASK_TIMEOUT_S = 20, ANSWERS_AT_ONCE = 256,
       BODY_MAX = 4 << 20, WITHHELD_MS = 600000 /* DELIV-02 */, WRONG_MIN_MS = 2000,
       WRONG_MAX_MS = 300000 };

/* ---- an hour's place ---- */

static struct deliver_run *run_of(struct deliver *d, const struct agent_hour *at)
{
    struct deliver_run *free_place = NULL;
    for (int i = 0; i < DELIVER_RUNS_MAX; i++) {
        struct deliver_run *r = &d->runs[i];
        if (r->at.allocation == at->allocation && r->at.hour == at->hour) return r;
        bool free_now = r->at.allocation == 0 || r->submitted; /* the store knows those too */
        if (free_now && free_place == NULL) free_place = r;
    }
    if (free_place == NULL) return NULL;
    struct deliver_run run = {.at = *at, .batch = 1};
    char text[NOTE_SIZE_MAX];
    if (!agent_store_hour(d->agent.store, at, &run.done, &run.flop)) {
        agent_fail(&d->agent, "the store cannot be read");
        return NULL;
    }
    run.own = agent_store_note_get(d->agent.store, at, "own", text, sizeof text) > 0;
    run.claimed = agent_store_note_get(d->agent.store, at, "submitted", text, sizeof text) > 0;
    run.submitted = run.claimed && strcmp(text, "both") == 0;
    size_t n = agent_store_note_get(d->agent.store, at, "receipt", text, sizeof text);
    struct receipt receipt;
    run.finished = n > 0 && receipt_parse(&receipt, text, n, NULL) == 0;
    if (run.finished) run.handed = receipt.tasks;
    if (run.done > 0)
        agent_say(&d->agent, "allocation %llu goes on at task %llu",
                  (unsigned long long)at->allocation, (unsigned long long)run.done);
    *free_place = run;
    return free_place;
}

/* Whether something was done in that hour and is not yet submitted. */
static bool run_is_open(struct deliver *d, uint64_t allocation, int64_t hour)
{
    const struct agent_hour at = {allocation, hour};
    uint64_t tasks = 0;
    uint128_t flop;
    char text[8];
    return agent_store_hour(d->agent.store, &at, &tasks, &flop) && tasks > 0 &&
           agent_store_note_get(d->agent.store, &at, "submitted", text, sizeof text) == 0;
}

static void hour_name(char *text, size_t size, const struct agent_hour *at)
{
    (void)snprintf(text, size, "allocation %llu, hour %lld", (unsigned long long)at->allocation,
                   (long long)at->hour);
}

/* The buyer answers, or has not since; says so once. */
static void heard(struct deliver *d, struct deliver_run *r, bool answered, const char *why)
{
    char which[64];
    hour_name(which, sizeof which, &r->at);
    if (answered && r->told) agent_say(&d->agent, "%s: the buyer answers again", which);
    if (!answered && !r->told) agent_say(&d->agent, "%s: the buyer: %s", which, why);
    if (answered) r->silent_ms = 0;
    else if (r->silent_ms == 0) r->silent_ms = agent_now_ms(&d->agent);
    r->told = !answered;
}

/* Receipts are taken, and no more tasks, when the hour is over. */
static bool over(struct deliver *d, const struct delivery_hour *h)
{
    return agent_now_ms(&d->agent) >= (h->hour + 1) * DELIVERY_HOUR_MS;
}

/* ---- tasks ---- */

static struct json_writer request_begin(char *body, size_t size, const struct agent_hour *at)
{
    struct json_writer w = {.bytes = body, .capacity = size};
    json_open_object(&w);
    json_key_int(&w, "allocation", (int64_t)at->allocation);
    json_key_int(&w, "hour", at->hour);
    return w;
}

struct batch {
    struct work_spec specs[DELIVER_BATCH_MAX];
    uint32_t *prompts[DELIVER_BATCH_MAX]; /* of the specs */
    uint32_t count;
    bool over; /* the buyer gives no more */
};

static void batch_free(struct batch *b)
{
    for (uint32_t i = 0; i < b->count; i++) free(b->prompts[i]);
    free(b);
}

/* One spec in hexadecimal; false: it is none, or not of the product's vintage. */
static bool spec_take(struct batch *b, const struct json *j, uint32_t token)
{
    uint8_t bytes[WORK_SPEC_SIZE_MAX];
    struct work_error error = {0};
    size_t size = j->tokens[token].length / 2;
    if (size > sizeof bytes || b->count == DELIVER_BATCH_MAX ||
        !hex_read(bytes, size, j->text + j->tokens[token].start, j->tokens[token].length))
        return false;
    uint32_t *prompt = malloc(WORK_PROMPT_MAX * sizeof *prompt);
    if (prompt == NULL ||
        work_spec_decode(bytes, size, &b->specs[b->count], prompt, &error) != 0) {
        free(prompt);
        return false;
    }
    b->prompts[b->count++] = prompt;
    return true;
}

/* Whoever does a task of another hour, or one that counts for nothing, is accused of it: such tasks
 * are no tasks (DELIV-02, UNIT-01). */
static bool tasks_check(const struct deliver *d, const struct deliver_run *r,
                        const struct delivery_allocation *al, const struct batch *b,
                        uint64_t first, struct peer_answer *answer)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct work_spec *s = &b->specs[i];
        const struct work_workload *w = work_workload_find(s->vintage, s->workload);
        struct digest nonce = commit_nonce(r->at.allocation, r->at.hour, first + i);
        const char *wrong = !digest_equal(&s->nonce, &nonce) ? "not of this allocation and hour"
                            : s->vintage != al->vintage      ? "of another vintage"
                            : w != NULL && w->test && !d->test_workloads
                                ? "of a workload for tests, which counts for nothing" : NULL;
        if (wrong == NULL) continue;
        (void)snprintf(answer->error, sizeof answer->error, "task %llu is %s",
                       (unsigned long long)(first + i), wrong);
        return false;
    }
    return true;
}

static bool batch_take(const struct deliver *d, const struct deliver_run *r,
                       const struct delivery_allocation *al, struct batch *b,
                       struct peer_answer *answer, uint64_t first)
{
    int64_t from;
    if (!peer_answer_json(answer)) return false;
    const struct json *j = &answer->json;
    uint32_t array = json_member(j, 0, "specs");
    if (array == 0 || j->tokens[array].kind != JSON_array || !peer_int(j, 0, "first", &from) ||
        (uint64_t)from != first)
        return false;
    for (uint32_t t = array + 1; t < j->tokens[array].next; t = j->tokens[t].next) {
        if (!spec_take(b, j, t)) return false;
    }
    if (!tasks_check(d, r, al, b, first, answer)) return false;
    uint32_t over = json_member(j, 0, "over");
    b->over = over != 0 && j->tokens[over].kind == JSON_true;
    return true;
}

/* The next `count` behind those that are ahead. */
static struct batch *tasks_ask(struct deliver *d, struct deliver_run *r,
                               const struct delivery_allocation *al, uint32_t count)
{
    uint64_t first = r->done + r->ahead->count;
    char body[256];
    struct peer_answer answer;
    struct batch *b = calloc(1, sizeof *b);
    if (b == NULL) return NULL;
    struct json_writer w = request_begin(body, sizeof body, &r->at);
    json_key_int(&w, "first", (int64_t)first);
    json_key_int(&w, "count", count);
    json_close_object(&w);
    enum peer_status status = peer_ask(al->buyer_endpoint, "/tasks", &d->agent.asker, body,
                                       w.used, ASK_TIMEOUT_S, BODY_MAX * 8, &answer);
    bool good = status == PEER_ok && batch_take(d, r, al, b, &answer, first) && b->count <= count;
    if (!good && answer.error[0] == 0)
        (void)snprintf(answer.error, sizeof answer.error, "its tasks cannot be read");
    if (!good) heard(d, r, false, answer.error);
    peer_answer_free(&answer);
    if (good) {
        r->full = b->count == count;
        return b;
    }
    batch_free(b);
    return NULL;
}

/* ---- a buyer's weights ---- */

static enum agent_weights_state weights_get(struct deliver *d,
                                            const struct delivery_allocation *al,
                                            const struct work_spec *spec,
                                            struct work_error *error)
{
    static const struct digest seeded;
    char directory[4200];
    struct deliver_wrong *wrong = &d->wrong;
    if (digest_equal(&spec->weights, &seeded) || agent_work_has(d->work, &spec->weights))
        return AGENT_WEIGHTS_here;
    if (!digest_equal(&spec->weights, &wrong->digest)) *wrong = (struct deliver_wrong){0};
    else if (agent_clock_ms() < wrong->until_ms) {
        (void)work_fail(error, "they came wrong");
        return AGENT_WEIGHTS_wrong;
    }
    agent_weights_directory(d->agent.data, directory, sizeof directory);
    enum agent_weights_state state = agent_weights_pull(
        &d->agent, al->buyer_endpoint, directory, &spec->weights,
        work_workload_find(spec->vintage, spec->workload), error);
    if (state == AGENT_WEIGHTS_here) agent_say(&d->agent, "the buyer's weights are here");
    if (state != AGENT_WEIGHTS_wrong) return state;
    agent_say(&d->agent, "the buyer's weights: %s", error->text);
    wrong->digest = spec->weights;
    wrong->wait_ms = wrong->wait_ms == 0 ? WRONG_MIN_MS : wrong->wait_ms * 2;
    if (wrong->wait_ms > WRONG_MAX_MS) wrong->wait_ms = WRONG_MAX_MS;
    wrong->until_ms = agent_clock_ms() + wrong->wait_ms;
    return state;
}

/* DELIV-02: tasks over weights that do not come are no tasks. */
static enum agent_weights_state weights_all(struct deliver *d, struct deliver_run *r,
                                            const struct delivery_allocation *al,
                                            const struct batch *b)
{
    enum agent_weights_state state = AGENT_WEIGHTS_here;
    struct work_error error = {0};
    char why[PEER_ERROR_SIZE];
    for (uint32_t i = 0; i < b->count && state == AGENT_WEIGHTS_here; i++)
        state = weights_get(d, al, &b->specs[i], &error);
    (void)snprintf(why, sizeof why, "its weights: %.200s", error.text);
    if (state == AGENT_WEIGHTS_coming) { /* it is heard, but there is nothing to do yet */
        if (r->silent_ms == 0) r->silent_ms = agent_now_ms(&d->agent);
    } else {
        heard(d, r, state == AGENT_WEIGHTS_here, why);
    }
    return state;
}

/* ---- work ---- */

static bool task_keep(struct deliver *d, struct deliver_run *r, const struct work_spec *spec,
                      const struct work_result *result)
{
    uint8_t spec_bytes[WORK_SPEC_SIZE_MAX], answer_bytes[WORK_ANSWER_SIZE_MAX];
    struct agent_task t = {.index = r->done, .spec = spec_bytes, .answer = answer_bytes,
                           .transcript = result->commit.transcript,
                           .flop = (uint64_t)result->commit.flop};
    t.spec_size = work_spec_encode(spec, spec_bytes);
    t.answer_size = work_answer_encode(&result->answer, answer_bytes);
    if (agent_store_task_put(d->agent.store, &r->at, &t) != AGENT_STORE_new) return false;
    r->done += 1;
    r->flop += t.flop;
    return true;
}

/* What is done in front is kept with one commit. */
static bool ahead_keep(struct deliver *d, struct deliver_run *r)
{
    struct deliver_ahead *a = r->ahead;
    struct deliver_run before = *r;
    uint32_t count = 0;
    bool good = true;
    if (a->count == 0 || a->results[0] == NULL) return true;
    agent_store_begin(d->agent.store);
    for (; count < a->count && a->results[count] != NULL && good; count++)
        good = task_keep(d, r, &a->specs[count], a->results[count]);
    if (!agent_store_commit(d->agent.store) || !good) {
        *r = before;
        agent_fail(&d->agent, "the store cannot be written");
        return false;
    }
    deliver_ahead_shift(a, count);
    return true;
}

/* ---- handing over ---- */

static bool task_write(struct deliver *d, const struct deliver_run *r, uint64_t index,
                       struct json_writer *w)
{
    struct agent_task t;
    uint8_t *bytes;
    if (!agent_store_task_get(d->agent.store, &r->at, index, &t, &bytes)) return false;
    bool good = 2 * t.answer_size < ANSWER_HEX;
    if (good) {
        json_open_object(w);
        json_key_hex(w, "answer", t.answer, t.answer_size);
        json_key_hex(w, "transcript", t.transcript.v, DIGEST_BYTES);
        json_key(w, "flop");
        json_uint_text(w, t.flop);
        json_close_object(w);
    }
    free(bytes);
    return good;
}

/* What is done and not yet acknowledged, a part of it. */
static bool answers_send(struct deliver *d, struct deliver_run *r,
                         const struct delivery_allocation *al)
{
    struct peer_answer answer;
    int64_t count = 0;
    char *body = malloc(BODY_MAX);
    if (body == NULL) return false;
    struct json_writer w = request_begin(body, BODY_MAX, &r->at);
    json_key_int(&w, "first", (int64_t)r->handed);
    json_key(&w, "answers");
    json_open_array(&w);
    uint64_t end = r->handed;
    while (end < r->done && end - r->handed < ANSWERS_AT_ONCE &&
           w.used + ANSWER_HEX + 512 < BODY_MAX) {
        if (!task_write(d, r, end, &w)) agent_fail(&d->agent, "a task in the store is damaged");
        end += 1;
    }
    json_close_array(&w);
    json_close_object(&w);
    enum peer_status status = peer_ask(al->buyer_endpoint, "/answers", &d->agent.asker, body,
                                       w.used, ASK_TIMEOUT_S, 65536, &answer);
    bool good = status == PEER_ok && peer_answer_json(&answer) &&
                peer_int(&answer.json, 0, "count", &count) && (uint64_t)count <= r->done;
    if (good) {
        uint32_t enough = json_member(&answer.json, 0, "enough");
        r->handed = (uint64_t)count;
        if (enough != 0 && answer.json.tokens[enough].kind == JSON_true) r->finished = true;
    }
    if (answer.status == 409) r->finished = true; /* it takes no more: what it has, counts */
    heard(d, r, good, answer.error);
    peer_answer_free(&answer);
    free(body);
    return good && r->handed > end - 1;
}

/* ---- the receipt ---- */

static bool receipt_make(struct deliver *d, struct deliver_run *r,
                         const struct delivery_allocation *al)
{
    struct receipt p = {.allocation = r->at.allocation, .hour = r->at.hour, .tasks = r->handed};
    char text[NOTE_SIZE_MAX];
    struct agent_task t;
    uint8_t *bytes;
    struct digest *leaves = calloc(r->handed + 1, sizeof *leaves);
    bool good = leaves != NULL && agent_store_leaves(d->agent.store, &r->at, r->handed, leaves);
    if (good) p.root = merkle_root_of(leaves, r->handed);
    free(leaves);
    for (uint64_t i = 0; i < r->handed && good; i++) {
        good = agent_store_task_get(d->agent.store, &r->at, i, &t, &bytes);
        if (good) p.flop += t.flop;
        free(bytes);
    }
    (void)snprintf(p.instrument, sizeof p.instrument, "%s", al->instrument);
    memcpy(p.seller, d->agent.key.key, NOTE_KEY_SIZE);
    memcpy(p.buyer, al->buyer_key, NOTE_KEY_SIZE);
    struct note_error error;
    if (!good || !receipt_sign(&p, RECEIPT_ROLE_seller, d->agent.key.secret) ||
        receipt_check(&p, &error) != 0) {
        agent_say(&d->agent, "no receipt can be made: %s", good ? error.text : "the store");
        return false;
    }
    text[receipt_encode(&p, text)] = 0;
    if (agent_store_note_put(d->agent.store, &r->at, "receipt", text) > AGENT_STORE_same)
        agent_fail(&d->agent, "the receipt cannot be kept");
    return true;
}

/* The buyer's signature: asked for until it comes. */
static bool countersigned(struct deliver *d, struct deliver_run *r,
                          const struct delivery_allocation *al, char text[NOTE_SIZE_MAX])
{
    char body[2 * NOTE_SIZE_MAX], both[NOTE_SIZE_MAX];
    struct peer_answer answer;
    struct receipt p;
    struct note_error error = {.text = "it is no receipt"};
    struct json_writer w = {.bytes = body, .capacity = sizeof body};
    json_open_object(&w);
    json_key_string(&w, "receipt", text);
    json_close_object(&w);
    enum peer_status status = peer_ask(al->buyer_endpoint, "/receipt", &d->agent.asker, body,
                                       w.used, ASK_TIMEOUT_S, 65536, &answer);
    bool good = status == PEER_ok && peer_answer_json(&answer);
    if (good) {
        uint32_t token = json_member(&answer.json, 0, "receipt");
        int n = token == 0 ? -1 : json_text(&answer.json, token, both, sizeof both);
        size_t unsigned_part = strlen(text) - strlen(strstr(text, "\n--\n"));
        good = n > 0 && receipt_parse(&p, both, (size_t)n, &error) == 0 &&
               receipt_verify(&p, &error) == 0 && strncmp(both, text, unsigned_part) == 0;
        if (!good) (void)snprintf(answer.error, sizeof answer.error, "%s", error.text);
    }
    heard(d, r, good, answer.error);
    peer_answer_free(&answer);
    if (!good) return false;
    memcpy(text, both, strlen(both) + 1);
    if (!agent_store_note_set(d->agent.store, &r->at, "signed", text))
        agent_fail(&d->agent, "the receipt cannot be kept");
    return true;
}

static void submit(struct deliver *d, struct deliver_run *r, const char *text, bool both)
{
    struct client *c = &d->agent.client;
    char which[64];
    hour_name(which, sizeof which, &r->at);
    client_begin(c);
    json_key_string(&c->params, "receipt", text);
    enum client_status status = agent_call(&d->agent, "private/receipt_submit");
    if (status == CLIENT_unreachable) return;
    if (status == CLIENT_refused)
        agent_say(&d->agent, "%s: the receipt is refused: %s", which, c->sentence);
    else agent_say(&d->agent, "%s: the receipt over %llu tasks is in%s", which,
                   (unsigned long long)r->handed, both ? "" : ", without the buyer's signature");
    r->claimed = true;
    r->submitted = both || status == CLIENT_refused;
    if (!agent_store_note_set(d->agent.store, &r->at, "submitted", r->submitted ? "both" : "claim"))
        agent_fail(&d->agent, "the store cannot be written");
}

/* DELIV-02: a signature that is withheld does not hold the hour up: the seller's alone goes to the
 * venue, and again with both when the buyer's comes. */
static void receipt_step(struct deliver *d, struct deliver_run *r,
                         const struct delivery_allocation *al, const struct delivery_hour *h)
{
    char text[NOTE_SIZE_MAX];
    if (agent_store_note_get(d->agent.store, &r->at, "signed", text, sizeof text) > 0) {
        if (over(d, h)) submit(d, r, text, true);
        return;
    }
    if (agent_store_note_get(d->agent.store, &r->at, "receipt", text, sizeof text) == 0) {
        if (!receipt_make(d, r, al)) return;
        if (agent_store_note_get(d->agent.store, &r->at, "receipt", text, sizeof text) == 0) return;
    }
    if (countersigned(d, r, al, text)) {
        if (over(d, h)) submit(d, r, text, true);
    } else if (over(d, h) && !r->claimed && r->silent_ms != 0 &&
               agent_now_ms(&d->agent) - r->silent_ms > WITHHELD_MS) {
        agent_say(&d->agent, "the buyer withholds its signature: the receipt goes without");
        submit(d, r, text, false);
    }
}

/* ---- the hour ---- */

/* DELIV-02: a buyer who gives no tasks does not stop the clock. When half of the hour is over and
 * it has not been heard, reference tasks that anybody can check are done instead. */
static struct batch *own_tasks(struct deliver *d, struct deliver_run *r,
                               const struct delivery_allocation *al)
{
    const struct work_vintage *v = work_vintage_find(al->vintage);
    int64_t half = r->at.hour * DELIVERY_HOUR_MS + DELIVERY_HOUR_MS / 2;
    const struct work_workload *w = NULL;
    if (!r->own && (r->done > 0 || r->silent_ms == 0 || agent_now_ms(&d->agent) < half))
        return NULL;
    for (uint32_t i = 0; v != NULL && i < v->count && w == NULL; i++)
        if ((v->workloads[i].grades & WORK_GRADE_offline) != 0) w = &v->workloads[i];
    struct batch *b = w == NULL ? NULL : calloc(1, sizeof *b);
    if (b == NULL) return NULL;
    if (!r->own && !agent_store_note_set(d->agent.store, &r->at, "own", "1"))
        agent_fail(&d->agent, "the store cannot be written");
    if (!r->own) agent_say(&d->agent, "the buyer gives no tasks: reference tasks are done instead");
    r->own = true;
    struct digest nonce = commit_nonce(r->at.allocation, r->at.hour, r->done);
    work_spec_default(w, &nonce, &b->specs[0]);
    b->count = 1;
    return b;
}

/* How many to ask for: not before half of those that are to wait are under way, and no more than
 * the buyer gives before it has answers. */
static uint32_t tasks_wanted(const struct deliver_run *r)
{
    const struct deliver_ahead *a = r->ahead;
    uint32_t waiting = a->count - a->started;
    uint64_t out = r->done - r->handed + a->count;
    uint32_t room = out < DELIVER_BATCH_MAX ? DELIVER_BATCH_MAX - (uint32_t)out : 0;
    uint32_t wanted = waiting > r->batch / 2 ? 0 : r->batch - waiting;
    return r->own ? 0 : wanted < room ? wanted : room;
}

/* Behind the others. */
static void ahead_take(struct deliver_ahead *a, struct batch *b)
{
    for (uint32_t i = 0; i < b->count; i++, a->count++) {
        a->specs[a->count] = b->specs[i];
        a->prompts[a->count] = b->prompts[i];
    }
    b->count = 0; /* they are the other's */
}

/* The next tasks, for a while. True: there was nothing to do. */
static bool work_step(struct deliver *d, struct deliver_run *r,
                      const struct delivery_allocation *al)
{
    struct work_error error = {0};
    enum agent_weights_state weights = AGENT_WEIGHTS_here;
    if (r->ahead == NULL) r->ahead = calloc(1, sizeof *r->ahead);
    if (r->ahead == NULL) return true;
    uint32_t wanted = tasks_wanted(r);
    struct batch *b = wanted == 0 ? NULL : tasks_ask(d, r, al, wanted);
    if (b != NULL) weights = weights_all(d, r, al, b);
    if (weights != AGENT_WEIGHTS_here) {
        batch_free(b);
        b = NULL;
    }
    if (b == NULL && r->ahead->count == 0) b = own_tasks(d, r, al);
    if (b != NULL) {
        if (b->count == 0 && b->over) r->finished = r->ahead->count == 0;
        ahead_take(r->ahead, b);
        batch_free(b);
    }
    if (r->ahead->count == 0) return weights != AGENT_WEIGHTS_coming;
    bool good = deliver_ahead_do(d, r, &error);
    if (error.text[0] != 0) agent_say(&d->agent, "a task cannot be done: %s", error.text);
    return !ahead_keep(d, r) || !good;
}

/* What is done and not yet acknowledged. False: there is none, or no more hope for it. */
static bool hand_over(struct deliver *d, struct deliver_run *r,
                      const struct delivery_allocation *al, const struct delivery_hour *h,
                      bool *idle)
{
    int64_t end = (h->hour + 1) * DELIVERY_HOUR_MS;
    if (r->finished || r->handed == r->done || (r->own && !over(d, h))) return false;
    bool sent = !r->own;
    while (sent && !r->finished && r->handed < r->done && !atomic_load(&d->agent.stopping))
        sent = answers_send(d, r, al);
    *idle = !sent;
    if (r->finished || sent) return false;
    if (!over(d, h)) return true;
    if (!r->own && agent_now_ms(&d->agent) < end + DELIVERY_GRACE_MS) return true;
    r->handed = r->done; /* the buyer cannot be reached: all that was done is claimed */
    return false;
}

/* One batch, or one look at the buyer. True: there was nothing to do. */
static bool hour_step(struct deliver *d, struct deliver_run *r,
                      const struct delivery_allocation *al, const struct delivery_hour *h)
{
    bool idle = true;
    if (hand_over(d, r, al, h, &idle)) return idle;
    if (!r->finished && r->flop < delivery_flop(h->work_due) && !over(d, h))
        return work_step(d, r, al);
    if (r->own && !over(d, h)) return true;
    r->finished = true;
    deliver_ahead_drop(d, r);
    if (r->handed == 0) { /* nothing was done: no receipt, no delivery */
        r->submitted = true;
        return true;
    }
    receipt_step(d, r, al, h);
    return true;
}

static bool allocation_step(struct deliver *d, const struct delivery_allocation *al)
{
    int64_t now = agent_now_ms(&d->agent);
    struct delivery_hour make_up;
    bool idle = true;
    for (uint32_t k = 0; k <= al->hour_count && !atomic_load(&d->agent.stopping); k++) {
        const struct delivery_hour *h = k < al->hour_count ? &al->hours[k] : &make_up;
        if (k == al->hour_count) { /* after the block's own: the hour in which it is made up */
            int64_t hour = now / DELIVERY_HOUR_MS;
            if (run_is_open(d, al->id, hour - 1)) hour -= 1; /* its receipt is still to come */
            if (delivery_hour_find(al, hour) != NULL || !delivery_make_up(al, hour, &make_up))
                break;
        }
        const struct agent_hour at = {al->id, h->hour};
        if (h->hour * DELIVERY_HOUR_MS > now) continue;
        if (strcmp(h->state, "due") != 0 && strcmp(h->state, "claimed") != 0) continue;
        struct deliver_run *r = run_of(d, &at);
        if (r == NULL || r->submitted) continue;
        if (!hour_step(d, r, al, h)) idle = false;
    }
    return idle;
}

bool deliver_hours(struct deliver *d)
{
    bool idle = true;
    for (uint32_t i = 0; i < d->seen.count && !atomic_load(&d->agent.stopping); i++) {
        const struct delivery_allocation *al = &d->seen.list[i];
        if (!delivery_is(al, "ready") && !delivery_is(al, "making_up")) continue;
        if (!allocation_step(d, al)) idle = false;
    }
    bool wanted = agent_work_wanted(d->work);
    if (d->stream == NULL) return idle || wanted;
    if (work_stream_active(d->stream) > 0 && !wanted) return idle;
    deliver_stream_close(d, true);
    return idle || wanted; /* whoever waits for the model has it before this asks again */
}
