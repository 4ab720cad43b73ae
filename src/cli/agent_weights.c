/* agent_weights.c: see agent_weights.h. */
#include "cli/agent_weights.h"

#include "cli/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_SIZE = 4400,
    TIMEOUT_S = 60,
    PULL_MS = 1500,
    KEPT_S = 70 * 24 * 3600, /* longer than any challenge window (delivery's terms: 60 days) */
};

void agent_weights_directory(const char *data, char *path, size_t size)
{
    (void)snprintf(path, size, "%s/weights", data);
    files_directory_make(data);
    files_directory_make(path);
}

void agent_weights_path(const char *directory, const struct digest *weights, char *path,
                        size_t size)
{
    char text[DIGEST_TEXT_SIZE];
    digest_text(text, weights);
    (void)snprintf(path, size, "%s/%s.weights", directory, text);
}

bool agent_weights_have(const char *directory, const struct digest *weights)
{
    char path[PATH_SIZE];
    agent_weights_path(directory, weights, path, sizeof path);
    if (files_size(path) < 0) return false;
    files_touch(path);
    return true;
}

uint8_t *agent_weights_read(const char *path, const struct work_workload *w, size_t *size,
                            struct work_error *error)
{
    uint64_t most = work_weights_size(w);
    *size = 0;
    uint8_t *bytes = files_read(path, most, size);
    if (bytes == NULL && errno == EFBIG)
        (void)work_fail(error, "%.100s has more than the %llu bytes of weights of %s", path,
                        (unsigned long long)most, w->name);
    else if (bytes == NULL)
        (void)work_fail(error, "the weights %.100s cannot be read: %s", path, strerror(errno));
    return bytes;
}

/* ---- giving ---- */

bool agent_weights_asked(const struct peer_request *request, struct agent_weights_part *part,
                         struct peer_response *response)
{
    struct json j = {0};
    int64_t offset, size;
    bool good = peer_object(&j, request->body, request->size) &&
                peer_hex(&j, 0, "digest", part->digest.v, DIGEST_BYTES) &&
                peer_int(&j, 0, "offset", &offset) && peer_int(&j, 0, "size", &size) &&
                size <= AGENT_WEIGHTS_PART;
    if (good) part->offset = (uint64_t)offset;
    if (good) part->size = (uint64_t)size;
    if (!good) peer_refuse(response, 400, "digest, offset and size, at most %d, are wanted",
                           AGENT_WEIGHTS_PART);
    free(j.tokens);
    return good;
}

void agent_weights_give(const void *bytes, size_t size, struct peer_response *response)
{
    char *copy = bytes == NULL ? NULL : malloc(size + 1);
    if (copy == NULL) {
        peer_refuse(response, 404, "no such part of these weights");
        return;
    }
    memcpy(copy, bytes, size);
    *response = (struct peer_response){.status = 200, .bytes = true, .body = copy, .size = size};
}

/* ---- pulling ---- */

struct pull {
    struct agent *agent;
    const char *endpoint;
    const struct digest *digest;
    const struct work_workload *workload;
    char part[PATH_SIZE + 8]; /* what has come */
    uint64_t at, size;        /* bytes of it; of all */
    struct work_error *error;
};

/* One part behind the others. */
static enum agent_weights_state part_pull(struct pull *p, FILE *f)
{
    char body[256];
    struct peer_answer answer;
    uint64_t left = p->size - p->at;
    uint64_t most = left < AGENT_WEIGHTS_PART ? left : AGENT_WEIGHTS_PART;
    enum agent_weights_state state = AGENT_WEIGHTS_absent;
    struct json_writer w = {.bytes = body, .capacity = sizeof body};
    json_open_object(&w);
    json_key_hex(&w, "digest", p->digest->v, DIGEST_BYTES);
    json_key_int(&w, "offset", (int64_t)p->at);
    json_key_int(&w, "size", (int64_t)most);
    json_close_object(&w);
    if (peer_ask(p->endpoint, "/weights", &p->agent->asker, body, w.used, TIMEOUT_S,
                 AGENT_WEIGHTS_PART, &answer) != PEER_ok) {
        (void)work_fail(p->error, "%.200s", answer.error);
    } else if (answer.size == 0 || answer.size > most) {
        (void)work_fail(p->error, answer.size == 0 ? "they end at byte %llu: %s has %llu"
                                                   : "more than was asked for at byte %llu: %s "
                                                     "has %llu",
                        (unsigned long long)p->at, p->workload->name, (unsigned long long)p->size);
        state = AGENT_WEIGHTS_wrong;
    } else if (fwrite(answer.bytes, 1, answer.size, f) != answer.size || fflush(f) != 0) {
        (void)work_fail(p->error, "%.150s cannot be written: %s", p->part, strerror(errno));
    } else {
        p->at += answer.size;
        state = p->at == p->size ? AGENT_WEIGHTS_here : AGENT_WEIGHTS_coming;
    }
    peer_answer_free(&answer);
    return state;
}

/* All is there: is it what its name says? */
static enum agent_weights_state whole_check(struct pull *p)
{
    size_t size;
    struct work_weights *weights = NULL;
    uint8_t *bytes = agent_weights_read(p->part, p->workload, &size, p->error);
    if (bytes == NULL) return AGENT_WEIGHTS_absent;
    struct digest found = digest_of(bytes, size);
    enum agent_weights_state state = AGENT_WEIGHTS_wrong;
    if (!digest_equal(&found, p->digest))
        (void)work_fail(p->error, "what came has another digest");
    else if (work_weights_bytes(p->workload, bytes, size, &weights, p->error) == 0)
        state = AGENT_WEIGHTS_here;
    work_weights_close(weights);
    free(bytes);
    return state;
}

/* The file of what has come, behind its last byte; NULL: it cannot be had. */
static FILE *part_open(struct pull *p)
{
    int64_t size = files_size(p->part);
    bool there = size > 0 && (uint64_t)size <= p->size;
    FILE *f = fopen(p->part, there ? "ab" : "wb");
    p->at = there ? (uint64_t)size : 0;
    if (f == NULL)
        (void)work_fail(p->error, "%.150s cannot be written: %s", p->part, strerror(errno));
    return f;
}

enum agent_weights_state agent_weights_pull(struct agent *a, const char *endpoint,
                                            const char *directory, const struct digest *weights,
                                            const struct work_workload *w,
                                            struct work_error *error)
{
    char made[PATH_SIZE];
    struct pull p = {.agent = a, .endpoint = endpoint, .digest = weights, .workload = w,
                     .size = work_weights_size(w), .error = error};
    agent_weights_path(directory, weights, made, sizeof made);
    (void)snprintf(p.part, sizeof p.part, "%s.part", made);
    FILE *f = part_open(&p);
    if (f == NULL) return AGENT_WEIGHTS_absent;
    if (p.at == 0) files_sweep(directory, KEPT_S);
    int64_t until = agent_clock_ms() + PULL_MS;
    enum agent_weights_state state = p.at == p.size ? AGENT_WEIGHTS_here : AGENT_WEIGHTS_coming;
    while (state == AGENT_WEIGHTS_coming && agent_clock_ms() < until && !atomic_load(&a->stopping))
        state = part_pull(&p, f);
    if (state == AGENT_WEIGHTS_here && !files_sync(f)) state = AGENT_WEIGHTS_absent;
    if (fclose(f) != 0) state = AGENT_WEIGHTS_absent;
    if (state == AGENT_WEIGHTS_here) state = whole_check(&p);
    if (state == AGENT_WEIGHTS_here && rename(p.part, made) != 0) state = AGENT_WEIGHTS_absent;
    if (state == AGENT_WEIGHTS_wrong) (void)remove(p.part);
    if (state == AGENT_WEIGHTS_absent) (void)work_fail(error, "%s", strerror(errno));
    return state;
}
