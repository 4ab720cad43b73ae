/* websocket.c: see websocket.h. */
#include "gate/websocket.h"

#include "base/assert.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

struct websocket {
    wslay_event_context_ptr events; /* reads, and answers pings */
    wslay_frame_context_ptr frames; /* writes, without a copy of its own */
    const struct websocket_handler *handler;
    void *context;
    const unsigned char *bytes; /* still to be read */
    size_t size;
    size_t message_size; /* of the message under way */
    size_t message_max;
    bool control; /* the frame under way is a control frame */
    bool muted; /* what wslay wants to send is left out */
    bool over;
};

static void end(struct websocket *w, int code, bool broken, const char *reason)
{
    if (w->over) return;
    websocket_stop(w);
    w->handler->ended(w->context, code, broken, reason);
}

static ssize_t on_receive(wslay_event_context_ptr events, uint8_t *out, size_t size, int flags,
                          void *user)
{
    struct websocket *w = user;
    (void)flags;
    if (w->size == 0) {
        wslay_event_set_error(events, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    if (size > w->size) size = w->size;
    memcpy(out, w->bytes, size);
    w->bytes += size;
    w->size -= size;
    return (ssize_t)size;
}

static ssize_t on_send(wslay_event_context_ptr events, const uint8_t *bytes, size_t size,
                       int flags, void *user)
{
    struct websocket *w = user;
    (void)events;
    (void)flags;
    if (!w->muted) w->handler->send(w->context, bytes, size);
    return (ssize_t)size;
}

static ssize_t on_write(const uint8_t *bytes, size_t size, int flags, void *user)
{
    struct websocket *w = user;
    (void)flags;
    w->handler->send(w->context, bytes, size);
    return (ssize_t)size;
}

/* wslay bounds a frame; the sum of the frames of a message is bounded here. */
static void on_frame(wslay_event_context_ptr events,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
    struct websocket *w = user;
    (void)events;
    w->control = wslay_is_ctrl_frame(frame->opcode) != 0;
    if (w->control) return;
    if (frame->opcode == WEBSOCKET_BINARY) {
        end(w, WEBSOCKET_UNSUPPORTED, true, "messages are text");
    } else if (frame->payload_length > w->message_max - w->message_size) {
        end(w, WEBSOCKET_TOO_BIG, true, "the message is too large");
    } else {
        w->message_size += (size_t)frame->payload_length;
    }
}

static void on_chunk(wslay_event_context_ptr events,
                     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *user)
{
    struct websocket *w = user;
    (void)events;
    if (!w->over && !w->control && chunk->data_length > 0)
        w->handler->data(w->context, chunk->data, chunk->data_length);
}

static void on_message(wslay_event_context_ptr events,
                       const struct wslay_event_on_msg_recv_arg *message, void *user)
{
    struct websocket *w = user;
    if (w->over) return;
    if (message->opcode == WEBSOCKET_CLOSE) {
        bool torn = message->msg_length == 1; /* half a code */
        int code = message->status_code != 0 ? message->status_code : WEBSOCKET_NORMAL;
        end(w, torn ? WEBSOCKET_PROTOCOL_ERROR : code, false, "");
    } else if (message->opcode == WEBSOCKET_PING) { /* its pong waits in wslay */
        w->muted = !w->handler->has_room(w->context);
        (void)wslay_event_send(events);
        w->muted = false;
    } else if (message->opcode == WEBSOCKET_TEXT) {
        w->message_size = 0;
        w->handler->message(w->context);
    }
}

struct websocket *websocket_open(const struct websocket_handler *handler, void *context,
                                 size_t message_max)
{
    static const struct wslay_event_callbacks events = {
        .recv_callback = on_receive, .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame, .on_frame_recv_chunk_callback = on_chunk,
        .on_msg_recv_callback = on_message};
    static const struct wslay_frame_callbacks frames = {.send_callback = on_write};
    struct websocket *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    w->handler = handler;
    w->context = context;
    w->message_max = message_max;
    if (wslay_event_context_server_init(&w->events, &events, w) != 0 ||
        wslay_frame_context_init(&w->frames, &frames, w) != 0) {
        websocket_close(w);
        return NULL;
    }
    wslay_event_config_set_no_buffering(w->events, 1);
    wslay_event_config_set_max_recv_msg_length(w->events, message_max);
    return w;
}

void websocket_close(struct websocket *w)
{
    if (w == NULL) return;
    wslay_event_context_free(w->events);
    wslay_frame_context_free(w->frames);
    free(w);
}

/* wslay has found a fault and queued a close: its code is known once that would be sent, which is
 * left to the user, who has a reason to add. A fault in a frame's head has no code. */
static void end_broken(struct websocket *w)
{
    w->muted = true;
    (void)wslay_event_send(w->events);
    int code = wslay_event_get_status_code_sent(w->events);
    if (code == WEBSOCKET_TOO_BIG) end(w, code, true, "the message is too large");
    else if (code == WEBSOCKET_NOT_UTF8) end(w, code, true, "a message must be UTF-8");
    else end(w, WEBSOCKET_PROTOCOL_ERROR, true, "the frames are malformed");
}

void websocket_read(struct websocket *w, const void *bytes, size_t size)
{
    if (w->over) return;
    w->bytes = bytes;
    w->size = size;
    int status = wslay_event_recv(w->events);
    if (!w->over && (status != 0 || !wslay_event_get_read_enabled(w->events))) end_broken(w);
}

void websocket_stop(struct websocket *w)
{
    w->over = true;
    wslay_event_shutdown_read(w->events);
}

void websocket_write(struct websocket *w, enum websocket_opcode opcode, const void *bytes,
                     size_t size)
{
    struct wslay_frame_iocb frame = {.fin = 1, .opcode = (uint8_t)opcode, .payload_length = size,
                                     .data = bytes, .data_length = size};
    ssize_t sent = wslay_frame_send(w->frames, &frame);
    ASSERT(sent == (ssize_t)size);
}

bool websocket_accept(const char *key, size_t key_size, char out[WEBSOCKET_ACCEPT_SIZE])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof guid];
    unsigned char digest[20];
    unsigned digest_size = 0;
    if (key_size != 24) return false;
    memcpy(text, key, 24);
    memcpy(text + 24, guid, sizeof guid - 1);
    if (EVP_Digest(text, 24 + sizeof guid - 1, digest, &digest_size, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)out, digest, 20);
    return true;
}
