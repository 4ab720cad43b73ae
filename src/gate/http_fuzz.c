/* http_fuzz.c: any bytes as a request's head, its query and its Authorization, and as frames. */
#include "gate/auth.h"
#include "gate/websocket.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 4096 };

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
    check_slice(r.method_text, bytes, head_size);
    check_slice(r.target, bytes, head_size);
    check_slice(r.query, bytes, head_size);
    check_slice(r.host, bytes, head_size);
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
    (void)slice_accepts((struct slice){bytes, size}, "gzip");
}

/* What a WebSocket told of some bytes. */
struct told {
    size_t size; /* of the message under way */
    size_t messages;
    size_t sent;
    uint64_t sum; /* of the bytes of messages, in order */
    int code;
};

static void on_data(void *context, const void *bytes, size_t size)
{
    struct told *t = context;
    const unsigned char *at = bytes;
    ASSERT(t->code == 0);
    for (size_t i = 0; i < size; i++) t->sum = t->sum * 31 + at[i];
    t->size += size;
    ASSERT(t->size <= MESSAGE_MAX);
}

static void on_message(void *context)
{
    struct told *t = context;
    ASSERT(t->code == 0);
    t->messages += 1;
    t->size = 0;
}

static void on_send(void *context, const void *bytes, size_t size)
{
    struct told *t = context;
    (void)bytes;
    t->sent += size;
}

static bool has_room(void *context)
{
    (void)context;
    return true;
}

static void on_ended(void *context, int code, bool broken, const char *reason)
{
    struct told *t = context;
    (void)reason;
    ASSERT(t->code == 0 && code >= 1000 && code < 5000 && (broken || code != 1005));
    t->code = code;
}

static const struct websocket_handler handler = {on_data, on_message, on_send, has_room, on_ended};

/* Everything is told of these bytes, given in steps. */
static struct told frames(const uint8_t *data, size_t size, size_t step)
{
    struct told t = {0};
    struct websocket *w = websocket_open(&handler, &t, MESSAGE_MAX);
    ASSERT(w != NULL);
    for (size_t at = 0; at < size; at += step) {
        size_t piece = size - at < step ? size - at : step;
        unsigned char *copy = malloc(piece);
        memcpy(copy, data + at, piece);
        websocket_read(w, copy, piece);
        free(copy);
    }
    websocket_close(w);
    ASSERT(t.sent <= size); /* no pong is larger than its ping */
    return t;
}

static void websockets(const uint8_t *data, size_t size)
{
    struct told whole = frames(data, size, size + 1);
    struct told pieces = frames(data, size, 3);
    /* Of the reason in a close frame wslay checks UTF-8 only as far as it comes in one piece. */
    bool reason = whole.code == WEBSOCKET_NOT_UTF8 || pieces.code == WEBSOCKET_NOT_UTF8;
    ASSERT(whole.messages == pieces.messages && (whole.code == pieces.code || reason));
    if (whole.code == 0 && pieces.code == 0)
        ASSERT(whole.sum == pieces.sum && whole.sent == pieces.sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_header h;
    head((const char *)data, size);
    query((const char *)data, size);
    websockets(data, size);
    if (auth_header_parse((struct slice){(const char *)data, size}, &h) && !h.bearer)
        ASSERT(h.id.at != NULL && h.sig.at != NULL);
    return 0;
}
