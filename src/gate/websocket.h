/* websocket.h: the messages of RFC 6455, server's side, by wslay; no I/O of its own.
 *
 * Invariants: (1) a frame from a client is masked, its size is encoded in the shortest way, its
 * reserved bits are 0; control frames are whole and at most 125 bytes; messages are UTF-8 text and
 * within the bound; anything else ends the connection with the close code that fits; (2) nothing
 * that a client sends makes this file's memory grow: the bytes of a message go to the user, chunk
 * by chunk; (3) after its end nothing more is told.
 *
 * Upstream: bytes of clients. Downstream: connection.
 */
#ifndef DOJIMA_GATE_WEBSOCKET_H
#define DOJIMA_GATE_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

enum { /* close codes */
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_NOT_UTF8 = 1007,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_BIG = 1009,
};

enum { WEBSOCKET_CONTROL_MAX = 125, WEBSOCKET_ACCEPT_SIZE = 29 };

struct websocket;

/* What a WebSocket tells its user, in the course of websocket_read and websocket_write. */
struct websocket_handler {
    void (*data)(void *context, const void *bytes, size_t size); /* of the message under way */
    void (*message)(void *context); /* it is complete */
    void (*send)(void *context, const void *bytes, size_t size); /* part of a frame */
    bool (*has_room)(void *context); /* whether a pong may be sent; otherwise it is left out */
    /* The client closed, or broke the rules: the code to close with, and why. */
    void (*ended)(void *context, int code, bool broken, const char *reason);
};

/* The handler is kept. NULL: out of memory. */
struct websocket *websocket_open(const struct websocket_handler *handler, void *context,
                                 size_t message_max);
void websocket_close(struct websocket *w); /* NULL is fine */

/* Bytes of the client, in pieces of any size. */
void websocket_read(struct websocket *w, const void *bytes, size_t size);

/* Nothing more is read: to be called by the handler that wants to hear no more. */
void websocket_stop(struct websocket *w);

/* Sends one whole message or control frame. */
void websocket_write(struct websocket *w, enum websocket_opcode opcode, const void *bytes,
                     size_t size);

/* The Sec-WebSocket-Accept for a key, zero-terminated; false when the key is not 24 characters. */
bool websocket_accept(const char *key, size_t key_size, char out[WEBSOCKET_ACCEPT_SIZE]);

#endif
