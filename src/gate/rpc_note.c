/* rpc_note.c: see rpc_note.h. */
#include "gate/rpc_note.h"

#include "proof/digest.h"

#include <stdio.h>

int note_text(struct rpc_call *c, const char *name, char text[NOTE_SIZE_MAX + 1], size_t *length)
{
    uint32_t token = param_find(c, c->params, name);
    int n = json_text(c->json, token, text, NOTE_SIZE_MAX + 1);
    struct note_error oversized = {.code = NOTE_oversized, .text = "longer than a note may be"};
    if (n < 0) return note_refuse(c, name, &oversized);
    *length = (size_t)n;
    return REJECT_none;
}

int note_refuse(struct rpc_call *c, const char *name, const struct note_error *error)
{
    char text[sizeof c->param];
    if (error->code == NOTE_bad_signature || error->code == NOTE_unsigned)
        return REJECT_bad_signature;
    snprintf(text, sizeof text, "%s: %.60s", name, error->text);
    return malformed(c, text);
}

int public_key_get(struct rpc_call *c, uint8_t key[PUBLIC_KEY_SIZE])
{
    char text[2 * PUBLIC_KEY_SIZE + 1];
    size_t n = param_text(c, c->params, "public_key", text, sizeof text);
    return hex_read(key, PUBLIC_KEY_SIZE, text, n) ? REJECT_none : malformed(c, "public_key");
}
