/* peer_fuzz.c: any bytes as a peer's Authorization line and body: refused, never accepted, since no
 * input here is signed; what is read lies within the bytes. */
#include "cli/peer_internal.h"

#include "base/assert.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t key[NOTE_KEY_SIZE], bytes[32];
    uint64_t values[16];
    int64_t number;
    if (sodium_init() < 0 || size == 0) return 0;
    size_t header = data[0] < size ? data[0] : size - 1;
    char *text = malloc(size); /* exactly as large: a read behind it is seen */
    if (text == NULL) return 0;
    memcpy(text, data + 1, size - 1);
    ASSERT(peer_signature_check(text, header, "/open", text + header, size - 1 - header, 1000000,
                                key) != NULL);
    struct json_token tokens[256];
    struct json j = {.tokens = tokens, .capacity = 256};
    if (json_parse(&j, text, size - 1) == JSON_OK && tokens[0].kind == JSON_object) {
        (void)peer_int(&j, 0, "hour", &number);
        (void)peer_hex(&j, 0, "digest", bytes, sizeof bytes);
        int64_t n = peer_integers(&j, 0, "indices", values, 16);
        ASSERT(n <= 16);
    }
    free(text);
    return 0;
}
