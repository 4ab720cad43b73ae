/* agent_weights.c: see agent_weights.h. */
#include "cli/agent_weights.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { PART = 4 << 20, PATH_SIZE = 4400, TIMEOUT_S = 60 };
#define WEIGHTS_BYTES_MAX (INT64_C(1) << 38)

static void directory_make(const char *path)
{
    uv_fs_t request;
    (void)uv_fs_mkdir(NULL, &request, path, 0700, NULL);
    uv_fs_req_cleanup(&request);
}

void agent_weights_directory(const char *data, char *path, size_t size)
{
    (void)snprintf(path, size, "%s/weights", data);
    directory_make(data);
    directory_make(path);
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
    FILE *f = fopen(path, "rb");
    if (f != NULL) (void)fclose(f);
    return f != NULL;
}

uint8_t *agent_weights_read(const char *path, size_t *size, struct work_error *error)
{
    uint8_t *bytes = NULL;
    FILE *f = fopen(path, "rb");
    long length = -1;
    if (f != NULL && fseek(f, 0, SEEK_END) == 0) length = ftell(f);
    if (length > 0 && length <= WEIGHTS_BYTES_MAX && fseek(f, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)length);
    if (bytes != NULL && fread(bytes, 1, (size_t)length, f) != (size_t)length) {
        free(bytes);
        bytes = NULL;
    }
    if (f != NULL) (void)fclose(f);
    if (bytes == NULL) (void)work_fail(error, "the weights %.150s cannot be read", path);
    *size = bytes == NULL ? 0 : (size_t)length;
    return bytes;
}

/* One part behind the others. How many bytes; 0: no more, or *good is false. */
static size_t part_pull(struct agent *a, const char *endpoint, const struct digest *weights,
                        uint64_t offset, FILE *f, bool *good)
{
    char body[256];
    struct peer_answer answer;
    struct json_writer w = {.bytes = body, .capacity = sizeof body};
    json_open_object(&w);
    json_key_hex(&w, "digest", weights->v, DIGEST_BYTES);
    json_key_int(&w, "offset", (int64_t)offset);
    json_key_int(&w, "size", PART);
    json_close_object(&w);
    *good = peer_ask(endpoint, "/weights", &a->key, body, w.used, TIMEOUT_S, PART, &answer) ==
                PEER_ok &&
            fwrite(answer.bytes, 1, answer.size, f) == answer.size;
    size_t got = *good ? answer.size : 0;
    if (!*good) agent_say(a, "the buyer's weights: %s", answer.error);
    peer_answer_free(&answer);
    return got;
}

bool agent_weights_pull(struct agent *a, const char *endpoint, const char *directory,
                        const struct digest *weights)
{
    char path[PATH_SIZE + 8], made[PATH_SIZE];
    uint64_t offset = 0;
    agent_weights_path(directory, weights, made, sizeof made);
    (void)snprintf(path, sizeof path, "%s.part", made);
    FILE *f = fopen(path, "wb");
    bool good = f != NULL;
    for (size_t got = PART; good && got == PART; offset += got)
        got = part_pull(a, endpoint, weights, offset, f, &good);
    if (f != NULL && fclose(f) != 0) good = false;
    return good && offset > 0 && rename(path, made) == 0;
}
