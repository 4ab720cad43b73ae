/* agent_weights.c: see agent_weights.h. */
#include "cli/agent_weights.h"

#include "cli/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 4400, TIMEOUT_S = 60 };
#define WEIGHTS_BYTES_MAX ((size_t)1 << 38)

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
    FILE *f = fopen(path, "rb");
    if (f != NULL) (void)fclose(f);
    return f != NULL;
}

uint8_t *agent_weights_read(const char *path, size_t *size, struct work_error *error)
{
    *size = 0;
    uint8_t *bytes = files_read(path, WEIGHTS_BYTES_MAX, size);
    if (bytes == NULL)
        (void)work_fail(error, "the weights %.100s cannot be read: %s", path, strerror(errno));
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
    json_key_int(&w, "size", AGENT_WEIGHTS_PART);
    json_close_object(&w);
    *good = peer_ask(endpoint, "/weights", &a->key, body, w.used, TIMEOUT_S, AGENT_WEIGHTS_PART,
                     &answer) == PEER_ok &&
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
    for (size_t got = AGENT_WEIGHTS_PART; good && got == AGENT_WEIGHTS_PART; offset += got)
        got = part_pull(a, endpoint, weights, offset, f, &good);
    if (f != NULL && fclose(f) != 0) good = false;
    return good && offset > 0 && rename(path, made) == 0;
}
