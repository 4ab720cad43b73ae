/* http_fuzz.c: any bytes as a request's head, its query and its Authorization, and as frames. */
#include "gate/auth.h"
#include "gate/websocket.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slice(struct slice s, const char *bytes, size_t size)
{
    ASSERT(s.at == NULL || (s.at >= bytes && s.at + s.size <= bytes + size));
}

static void head(const char *bytes, size_t size)
{
    struct http_request r;
    struct auth_header h;
    size_t head_size = 0;
    int status = 0;
    if (http_parse(bytes, size, 16384, &r, &head_size, &status) != HTTP_DONE) return;
    ASSERT(head_size <= size);
    check_slice(r.target, bytes, head_size);
    check_slice(r.authorization, bytes, head_size);
    check_slice(r.websocket_key, bytes, head_size);
    if (auth_header_parse(r.authorization, &h)) check_slice(h.sig, bytes, head_size);
}

static void query(const char *bytes, size_t size)
{
    struct http_pair pairs[8];
    char *store = malloc(size + 1);
    int n = http_query_parse((struct slice){bytes, size}, store, pairs, 8);
    for (int i = 0; i < n; i++)
        ASSERT(pairs[i].value >= store && pairs[i].value + pairs[i].value_size <= store + size);
    free(store);
}

static void frames(const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size + 1);
    memcpy(copy, data, size);
    size_t at = 0;
    struct websocket_frame f;
    size_t used = 0;
    int code = 0;
    while (websocket_parse(copy + at, size - at, 4096, &f, &used, &code) == WEBSOCKET_FRAME) {
        ASSERT(f.payload + f.size <= copy + size && at + used <= size);
        (void)utf8_is_valid(f.payload, f.size);
        at += used;
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_header h;
    head((const char *)data, size);
    query((const char *)data, size);
    frames(data, size);
    if (auth_header_parse((struct slice){(const char *)data, size}, &h) && !h.bearer)
        ASSERT(h.id.at != NULL && h.sig.at != NULL);
    return 0;
}
