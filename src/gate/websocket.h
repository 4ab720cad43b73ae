/* websocket.h: the frames of RFC 6455, server's side; pure, no I/O.
 *
 * Invariants: (1) a frame from a client is masked, its size is encoded in the shortest way, its
 * reserved bits are 0; control frames are whole and at most 125 bytes; anything else is a protocol
 * error with the close code to send; (2) payloads are unmasked in place.
 *
 * Upstream: bytes of clients. Downstream: server.
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

enum { WEBSOCKET_HEAD_MAX = 10, WEBSOCKET_CONTROL_MAX = 125, WEBSOCKET_ACCEPT_SIZE = 29 };

struct websocket_frame {
    uint8_t opcode;
    bool final;
    unsigned char *payload; /* unmasked */
    size_t size;
};

enum websocket_result { WEBSOCKET_MORE = 0, WEBSOCKET_FRAME, WEBSOCKET_BAD };

/* One frame at the start of bytes. WEBSOCKET_FRAME: *frame and *used (its whole size) are set.
 * WEBSOCKET_MORE: not complete. WEBSOCKET_BAD: *code is the close code. A payload above
 * payload_max is refused from its head alone. */
enum websocket_result websocket_parse(unsigned char *bytes, size_t size, size_t payload_max,
                                      struct websocket_frame *frame, size_t *used, int *code);

/* Writes the head of an unmasked final frame; returns its size, at most WEBSOCKET_HEAD_MAX. */
size_t websocket_head(unsigned char *out, enum websocket_opcode opcode, size_t payload);

/* The Sec-WebSocket-Accept for a key, zero-terminated; false when the key is not 24 characters. */
bool websocket_accept(const char *key, size_t key_size, char out[WEBSOCKET_ACCEPT_SIZE]);

bool utf8_is_valid(const unsigned char *bytes, size_t size);

#endif
