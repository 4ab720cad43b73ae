/* rpc_note.c: see rpc_note.h. */
#include "gate/rpc_note.h"

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
