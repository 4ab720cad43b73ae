/* intake_answer.c: what sellers ask of a buyer's gateway.
 *
 *   /tasks    {allocation, hour, first, count}    {first, specs: [hex], over}
 *   /weights  {digest, offset, size}              bytes of the buyer's weights
 *   /answers  {allocation, hour, first, answers: [{answer, transcript, flop}]}   {count, enough}
 *   /receipt  {receipt}                           {receipt}, countersigned
 *
 * Only the allocation's seller is answered, known by the key that it tendered with.
 *
 * Upstream: peer_server. Downstream: agent_store, proof.
 */
#include "cli/agent_weights.h"
#include "cli/intake.h"

#include "proof/receipt.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWERS_MAX = 512, TASKS_BYTES = 6 << 20, SPEC_HEX = 2 * WORK_SPEC_SIZE_MAX + 8 };

struct asked {
    struct json json;
    struct agent_hour at;
    struct delivery_allocation allocation;
    struct delivery_hour hour;
};

/* ---- who asks, and for what ---- */

static bool body_read(const struct peer_request *request, struct json *j,
                      struct peer_response *response)
{
    if (peer_object(j, request->body, request->size)) return true;
    peer_refuse(response, 400, "an object is wanted");
    return false;
}

/* The allocation and its hour as the venue told them last; refuses what is not the asker's. */
static bool hour_find(struct intake *n, const struct peer_request *request, struct asked *a,
                      struct peer_response *response)
{
    (void)pthread_mutex_lock(&n->agent.mutex);
    const struct delivery_allocation *d = delivery_find(&n->seen, a->at.allocation);
    struct delivery_hour make_up;
    const struct delivery_hour *h = d == NULL ? NULL : delivery_hour_find(d, a->at.hour);
    if (d != NULL && h == NULL && delivery_make_up(d, a->at.hour, &make_up)) h = &make_up;
    if (h != NULL) {
        a->allocation = *d;
        a->hour = *h;
    }
    bool looked = n->looked;
    (void)pthread_mutex_unlock(&n->agent.mutex);
    if (h == NULL && !looked) peer_refuse(response, 503, "the venue was not asked yet");
    else if (h == NULL) peer_refuse(response, 404, "no such hour of this buyer's");
    else if (memcmp(a->allocation.seller_key, request->key, NOTE_KEY_SIZE) != 0)
        peer_refuse(response, 403, "not the key that the allocation's seller tendered with");
    else return true;
    return false;
}

static bool asked_read(struct intake *n, const struct peer_request *request, struct asked *a,
                       struct peer_response *response)
{
    int64_t allocation;
    if (!body_read(request, &a->json, response)) return false;
    if (!peer_int(&a->json, 0, "allocation", &allocation) ||
        !peer_int(&a->json, 0, "hour", &a->at.hour)) {
        peer_refuse(response, 400, "allocation and hour are wanted");
        return false;
    }
    a->at.allocation = (uint64_t)allocation;
    return hour_find(n, request, a, response);
}

/* As the venue's time was asked last: a seller may know of the hour's start before. */
static bool begun(struct intake *n, const struct asked *a)
{
    return agent_now_ms(&n->agent) >= a->at.hour * DELIVERY_HOUR_MS;
}

static bool ended(struct intake *n, const struct asked *a)
{
    return agent_now_ms(&n->agent) >= (a->at.hour + 1) * DELIVERY_HOUR_MS;
}

/* ---- /tasks ---- */

static void task_write(struct intake *n, const struct asked *a, uint64_t index,
                       struct json_writer *w)
{
    uint8_t bytes[WORK_SPEC_SIZE_MAX];
    struct work_spec spec;
    uint32_t *prompt = malloc(WORK_PROMPT_MAX * sizeof *prompt);
    if (prompt == NULL ||
        !intake_spec(n, a->allocation.vintage, &a->at, index, &spec, prompt)) {
        w->overflow = true;
    } else {
        json_hex(w, bytes, work_spec_encode(&spec, bytes));
    }
    free(prompt);
}

/* At most: an answer may stop early. */
static uint64_t task_flop(struct intake *n, const struct asked *a, uint64_t index)
{
    struct work_spec spec;
    const struct work_workload *w = intake_workload(n, a->allocation.vintage);
    uint32_t *prompt = malloc(WORK_PROMPT_MAX * sizeof *prompt);
    bool good = prompt != NULL && w != NULL &&
                intake_spec(n, a->allocation.vintage, &a->at, index, &spec, prompt);
    free(prompt);
    return good ? work_flop(w, spec.prompt_count, spec.answer_count) : 0;
}

static void tasks_give(struct intake *n, const struct asked *a, struct peer_response *response)
{
    int64_t first, count;
    uint64_t tasks;
    uint128_t flop;
    char text[NOTE_SIZE_MAX];
    if (!peer_int(&a->json, 0, "first", &first) || !peer_int(&a->json, 0, "count", &count) ||
        !agent_store_hour(n->agent.store, &a->at, &tasks, &flop)) {
        peer_refuse(response, 400, "first and count are wanted");
        return;
    }
    if ((uint64_t)first > tasks + DELIVERY_TASKS_MAX) {
        peer_refuse(response, 409, "only %llu answers are here", (unsigned long long)tasks);
        return;
    }
    bool over = ended(n, a) || flop >= delivery_flop(a->hour.work_due) ||
                agent_store_note_get(n->agent.store, &a->at, "signed", text, sizeof text) > 0;
    char *bytes = malloc(TASKS_BYTES);
    struct json_writer w = {.bytes = bytes, .capacity = bytes == NULL ? 0 : TASKS_BYTES};
    json_open_object(&w);
    json_key_int(&w, "first", first);
    json_key(&w, "specs");
    json_open_array(&w);
    uint128_t planned = flop; /* with all that is given out and not yet answered */
    for (uint64_t i = tasks; i < (uint64_t)first && !over; i++) planned += task_flop(n, a, i);
    if (!begun(n, a) || over) count = 0;
    for (int64_t i = 0; i < count && i < DELIVERY_TASKS_MAX && w.used + SPEC_HEX < w.capacity &&
                        planned < delivery_flop(a->hour.work_due); i++) {
        task_write(n, a, (uint64_t)(first + i), &w);
        planned += task_flop(n, a, (uint64_t)(first + i));
    }
    json_close_array(&w);
    json_key_bool(&w, "over", over);
    json_close_object(&w);
    if (w.overflow) peer_refuse(response, 500, "no task can be made");
    else peer_respond(response, &w);
    free(bytes);
}

/* ---- /weights ---- */

/* To any seller of an allocation and to verifiers: weights are no secret from whoever runs them. */
static void weights_give(struct intake *n, const struct peer_request *request,
                         struct peer_response *response)
{
    struct agent_weights_part part;
    (void)pthread_mutex_lock(&n->agent.mutex);
    bool known = verifiers_have(&n->verifiers, request->key);
    for (uint32_t i = 0; i < n->seen.count && !known; i++)
        known = memcmp(n->seen.list[i].seller_key, request->key, NOTE_KEY_SIZE) == 0;
    (void)pthread_mutex_unlock(&n->agent.mutex);
    if (!known) {
        peer_refuse(response, 403, "neither a seller of this buyer's nor a verifier");
    } else if (agent_weights_asked(request, &part, response)) {
        bool good = n->weights != NULL && digest_equal(&part.digest, &n->weights_digest) &&
                    part.offset <= n->weights_size;
        uint64_t left = good ? n->weights_size - part.offset : 0;
        agent_weights_give(good ? n->weights + part.offset : NULL,
                           part.size < left ? part.size : left, response);
    }
}

/* ---- /answers ---- */

struct taking {
    struct intake *intake;
    const struct asked *asked;
    uint8_t spec_bytes[WORK_SPEC_SIZE_MAX];
    uint8_t answer_bytes[WORK_ANSWER_SIZE_MAX];
    uint32_t prompt[WORK_PROMPT_MAX];
    struct work_answer answer;
    bool enough; /* the hour has what it is due */
    char wrong[PEER_ERROR_SIZE];
    int status;
};

static bool wrong(struct taking *t, int status, const char *text, uint64_t index)
{
    t->status = status;
    (void)snprintf(t->wrong, sizeof t->wrong, "task %llu: %s", (unsigned long long)index, text);
    return false;
}

/* An answer is one to this side's own task, and claims the FLOP that its shape gives. */
static bool answer_take(struct taking *t, uint32_t token, uint64_t index)
{
    const struct json *j = &t->asked->json;
    struct work_spec spec;
    struct work_error error = {0};
    struct agent_task task = {.index = index, .spec = t->spec_bytes, .answer = t->answer_bytes};
    uint32_t hex = json_member(j, token, "answer");
    int64_t flop;
    size_t size = hex == 0 ? 0 : j->tokens[hex].length / 2;
    const struct work_workload *w = intake_workload(t->intake, t->asked->allocation.vintage);
    if (size == 0 || size > sizeof t->answer_bytes ||
        !peer_hex(j, token, "answer", t->answer_bytes, size) ||
        !peer_hex(j, token, "transcript", task.transcript.v, DIGEST_BYTES) ||
        !peer_int(j, token, "flop", &flop))
        return wrong(t, 400, "answer, transcript and flop are wanted", index);
    if (w == NULL || !intake_spec(t->intake, t->asked->allocation.vintage, &t->asked->at, index,
                                  &spec, t->prompt))
        return wrong(t, 500, "it cannot be made again", index);
    if (work_answer_decode(t->answer_bytes, size, &t->answer, &error) != 0)
        return wrong(t, 400, error.text, index);
    if (t->answer.count > spec.answer_count ||
        (uint64_t)flop != work_flop(w, spec.prompt_count, t->answer.count))
        return wrong(t, 400, "its FLOP are not those of its shape", index);
    task.spec_size = work_spec_encode(&spec, t->spec_bytes);
    task.answer_size = size;
    task.flop = (uint64_t)flop;
    switch (agent_store_task_put(t->intake->agent.store, &t->asked->at, &task)) {
    case AGENT_STORE_new:
    case AGENT_STORE_same: return true;
    case AGENT_STORE_other: return wrong(t, 409, "another answer is kept already", index);
    case AGENT_STORE_gap: return wrong(t, 409, "the one before it is missing", index);
    default: return wrong(t, 500, "it cannot be kept", index);
    }
}

/* All of a request is kept, or nothing, but for what is more than the hour is due; after the hour's
 * receipt is signed, or the hour is over for a while, nothing more. */
static bool answers_keep(struct taking *t, uint32_t array, uint64_t first)
{
    const struct json *j = &t->asked->json;
    char text[NOTE_SIZE_MAX];
    uint64_t tasks, index = first;
    uint128_t flop;
    struct agent_store *store = t->intake->agent.store;
    if (agent_store_note_get(store, &t->asked->at, "signed", text, sizeof text) > 0)
        return wrong(t, 409, "the hour's receipt is signed", first);
    if (agent_now_ms(&t->intake->agent) >
        (t->asked->at.hour + 1) * DELIVERY_HOUR_MS + DELIVERY_GRACE_MS)
        return wrong(t, 409, "the hour is over", first);
    bool good = true;
    agent_store_begin(store);
    for (uint32_t a = array + 1; good && a < j->tokens[array].next; a = j->tokens[a].next) {
        good = agent_store_hour(store, &t->asked->at, &tasks, &flop);
        t->enough = flop >= delivery_flop(t->asked->hour.work_due);
        if (good && index >= tasks && t->enough) break;
        good = good && index - first < ANSWERS_MAX && answer_take(t, a, index++);
    }
    if (!good) agent_store_abandon(store);
    return agent_store_commit(store) && good;
}

static void answers_take(struct intake *n, const struct asked *a, struct peer_response *response)
{
    int64_t first;
    uint64_t tasks;
    uint128_t flop;
    char bytes[128];
    uint32_t array = json_member(&a->json, 0, "answers");
    if (array == 0 || a->json.tokens[array].kind != JSON_array ||
        !peer_int(&a->json, 0, "first", &first)) {
        peer_refuse(response, 400, "first and answers are wanted");
        return;
    }
    struct taking *t = calloc(1, sizeof *t);
    if (t == NULL) return;
    t->intake = n;
    t->asked = a;
    (void)pthread_mutex_lock(&n->store_mutex);
    bool good = answers_keep(t, array, (uint64_t)first);
    (void)pthread_mutex_unlock(&n->store_mutex);
    if (!good) {
        peer_refuse(response, t->status == 0 ? 400 : t->status, "%s", t->wrong);
    } else if (agent_store_hour(n->agent.store, &a->at, &tasks, &flop)) {
        struct json_writer w = {.bytes = bytes, .capacity = sizeof bytes};
        json_open_object(&w);
        json_key_int(&w, "count", (int64_t)tasks);
        json_key_bool(&w, "enough", flop >= delivery_flop(a->hour.work_due));
        json_close_object(&w);
        peer_respond(response, &w);
    }
    free(t);
}

/* ---- /receipt ---- */

/* NULL: the receipt says what this side has; else what it does not. */
static const char *receipt_differs(struct intake *n, const struct asked *a,
                                   const struct receipt *r)
{
    uint64_t tasks;
    uint128_t flop;
    if (strcmp(r->instrument, a->allocation.instrument) != 0) return "the instrument is another";
    if (memcmp(r->seller, a->allocation.seller_key, NOTE_KEY_SIZE) != 0)
        return "the seller's key is another";
    if (memcmp(r->buyer, n->agent.key.key, NOTE_KEY_SIZE) != 0) return "the buyer's key is another";
    if (!agent_store_hour(n->agent.store, &a->at, &tasks, &flop)) return "the hour is not at hand";
    if (r->tasks != tasks) return "the number of tasks is another";
    if (r->flop != flop) return "the FLOP are others";
    struct digest *leaves = calloc(tasks + 1, sizeof *leaves);
    bool same = leaves != NULL && agent_store_leaves(n->agent.store, &a->at, tasks, leaves);
    if (same) {
        struct digest root = merkle_root_of(leaves, tasks);
        same = digest_equal(&root, &r->root);
    }
    free(leaves);
    return same ? NULL : "the root is another";
}

static bool receipt_ask(struct intake *n, const struct peer_request *request, struct asked *a,
                        struct receipt *r, struct peer_response *response)
{
    char text[NOTE_SIZE_MAX];
    struct note_error error = {.text = "a receipt is wanted"};
    if (!body_read(request, &a->json, response)) return false;
    uint32_t token = json_member(&a->json, 0, "receipt");
    int size = token == 0 ? -1 : json_text(&a->json, token, text, sizeof text);
    if (size < 0 || receipt_parse(r, text, (size_t)size, &error) != 0 ||
        receipt_verify_seller(r, &error) != 0) {
        peer_refuse(response, 400, "%s", error.text);
        return false;
    }
    a->at = (struct agent_hour){r->allocation, r->hour};
    return hour_find(n, request, a, response);
}

static void receipt_file(struct intake *n, const struct asked *a, const char *text)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%llu-%lld.note", (unsigned long long)a->at.allocation,
                   (long long)a->at.hour);
    (void)agent_file_write(&n->agent, "receipts", name, text, strlen(text));
}

static bool receipt_sign_once(struct intake *n, const struct asked *a, struct receipt *r,
                              char text[NOTE_SIZE_MAX], struct peer_response *response)
{
    const char *differs = receipt_differs(n, a, r);
    if (differs != NULL) {
        peer_refuse(response, 409, "%s than this gateway's", differs);
        return false;
    }
    if (!receipt_sign(r, RECEIPT_ROLE_buyer, n->agent.key.secret)) return false;
    text[receipt_encode(r, text)] = 0;
    switch (agent_store_note_put(n->agent.store, &a->at, "signed", text)) {
    case AGENT_STORE_new:
        agent_say(&n->agent, "allocation %llu: %llu tasks received, receipt signed",
                  (unsigned long long)r->allocation, (unsigned long long)r->tasks);
        receipt_file(n, a, text);
        if (!intake_answers_write(n, &a->at, r->tasks))
            agent_say(&n->agent, "the answers could not be written to %s/answers", n->agent.data);
        return true;
    case AGENT_STORE_same: return true;
    case AGENT_STORE_other:
        peer_refuse(response, 409, "another receipt of that hour is signed");
        return false;
    default:
        peer_refuse(response, 500, "it cannot be kept");
        return false;
    }
}

static void receipt_countersign(struct intake *n, const struct peer_request *request,
                                struct asked *a, struct peer_response *response)
{
    struct receipt r;
    char text[NOTE_SIZE_MAX], bytes[2 * NOTE_SIZE_MAX];
    if (!receipt_ask(n, request, a, &r, response)) return;
    (void)pthread_mutex_lock(&n->store_mutex);
    bool good = receipt_sign_once(n, a, &r, text, response);
    (void)pthread_mutex_unlock(&n->store_mutex);
    if (!good) return;
    struct json_writer w = {.bytes = bytes, .capacity = sizeof bytes};
    json_open_object(&w);
    json_key_string(&w, "receipt", text);
    json_close_object(&w);
    peer_respond(response, &w);
}

void intake_answer(void *context, const struct peer_request *request,
                   struct peer_response *response)
{
    struct intake *n = context;
    struct asked *a = calloc(1, sizeof *a);
    if (a == NULL) return;
    if (strcmp(request->path, "/receipt") == 0) {
        receipt_countersign(n, request, a, response);
    } else if (strcmp(request->path, "/weights") == 0) {
        weights_give(n, request, response);
    } else if (strcmp(request->path, "/tasks") != 0 && strcmp(request->path, "/answers") != 0) {
        peer_refuse(response, 404, "there is no %s here", request->path);
    } else if (asked_read(n, request, a, response)) {
        if (strcmp(request->path, "/tasks") == 0) tasks_give(n, a, response);
        else answers_take(n, a, response);
    }
    free(a->json.tokens);
    free(a);
}
