/* websocket.c: see websocket.h. */
#include "gate/websocket.h"

#include <openssl/evp.h>
#include <string.h>

static void unmask(unsigned char *payload, size_t size, const unsigned char *mask)
{
    uint32_t word;
    memcpy(&word, mask, 4);
    size_t i = 0;
    for (; i + 4 <= size; i += 4) {
        uint32_t v;
        memcpy(&v, payload + i, 4);
        v ^= word;
        memcpy(payload + i, &v, 4);
    }
    for (; i < size; i++) payload[i] = (unsigned char)(payload[i] ^ mask[i % 4]);
}

static enum websocket_result bad(int *code, int value)
{
    *code = value;
    return WEBSOCKET_BAD;
}

/* The payload's size and where the mask begins; WEBSOCKET_FRAME when both are known. */
static enum websocket_result parse_size(const unsigned char *bytes, size_t size, uint64_t *payload,
                                        size_t *at, int *code)
{
    uint64_t length = bytes[1] & 0x7fu;
    *at = 2;
    if (length == 126) {
        if (size < 4) return WEBSOCKET_MORE;
        length = ((uint64_t)bytes[2] << 8) | bytes[3];
        *at = 4;
        if (length < 126) return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    } else if (length == 127) {
        if (size < 10) return WEBSOCKET_MORE;
        length = 0;
        for (size_t i = 2; i < 10; i++) length = (length << 8) | bytes[i];
        *at = 10;
        if (length < 65536 || length >> 63 != 0) return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    }
    *payload = length;
    return WEBSOCKET_FRAME;
}

enum websocket_result websocket_parse(unsigned char *bytes, size_t size, size_t payload_max,
                                      struct websocket_frame *frame, size_t *used, int *code)
{
    if (size < 2) return WEBSOCKET_MORE;
    uint8_t opcode = bytes[0] & 0x0fu;
    bool final = (bytes[0] & 0x80u) != 0;
    bool control = opcode >= 8;
    if ((bytes[0] & 0x70u) != 0 || (bytes[1] & 0x80u) == 0)
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    if ((opcode > WEBSOCKET_BINARY && !control) || opcode > WEBSOCKET_PONG)
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    if (control && (!final || (bytes[1] & 0x7fu) > WEBSOCKET_CONTROL_MAX))
        return bad(code, WEBSOCKET_PROTOCOL_ERROR);
    uint64_t payload = 0;
    size_t at = 0;
    enum websocket_result sized = parse_size(bytes, size, &payload, &at, code);
    if (sized != WEBSOCKET_FRAME) return sized;
    if (payload > payload_max) return bad(code, WEBSOCKET_TOO_BIG);
    if (size < at + 4 + payload) return WEBSOCKET_MORE;
    unmask(bytes + at + 4, (size_t)payload, bytes + at);
    *frame = (struct websocket_frame){.opcode = opcode, .final = final,
                                      .payload = bytes + at + 4, .size = (size_t)payload};
    *used = at + 4 + (size_t)payload;
    return WEBSOCKET_FRAME;
}

size_t websocket_head(unsigned char *out, enum websocket_opcode opcode, size_t payload)
{
    out[0] = (unsigned char)(0x80u | (unsigned)opcode);
    if (payload < 126) {
        out[1] = (unsigned char)payload;
        return 2;
    }
    if (payload < 65536) {
        out[1] = 126;
        out[2] = (unsigned char)(payload >> 8);
        out[3] = (unsigned char)payload;
        return 4;
    }
    out[1] = 127;
    for (unsigned i = 0; i < 8; i++)
        out[2 + i] = (unsigned char)((uint64_t)payload >> (56 - 8 * i));
    return 10;
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

/* How many bytes a character that begins with `lead` has; 0: none begins so. */
static size_t utf8_size(unsigned char lead)
{
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return 2;
    if (lead >= 0xe0 && lead <= 0xef) return 3;
    if (lead >= 0xf0 && lead <= 0xf4) return 4;
    return 0;
}

bool utf8_is_valid(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t n = utf8_size(bytes[i]);
        if (n == 0 || n > size - i) return false;
        for (size_t k = 1; k < n; k++) {
            if ((bytes[i + k] & 0xc0u) != 0x80u) return false;
        }
        if (n > 2) { /* overlong forms, surrogates, beyond U+10FFFF */
            unsigned char a = bytes[i];
            unsigned char b = bytes[i + 1];
            if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f) || (a == 0xf0 && b < 0x90) ||
                (a == 0xf4 && b > 0x8f))
                return false;
        }
        i += n;
    }
    return true;
}
