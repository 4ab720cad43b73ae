/* rpc_note.h: signed notes as parameters: certificates, receipts, verdicts (proof/note.h), and the
 * keys that sign them. Form and signatures are checked here, before there is a command. */
#ifndef DOJIMA_GATE_RPC_NOTE_H
#define DOJIMA_GATE_RPC_NOTE_H

#include "gate/rpc_internal.h"
#include "proof/note.h"

/* The text of a PARAM_note; REJECT_none, or malformed_request where it is longer than a note. */
int note_text(struct rpc_call *c, const char *name, char text[NOTE_SIZE_MAX + 1], size_t *length);

/* What a note is refused for: bad_signature, or malformed_request with the note's own sentence in
 * error.data.param. */
int note_refuse(struct rpc_call *c, const char *name, const struct note_error *error);

/* `public_key`, hexadecimal: REJECT_none, or malformed_request. */
int public_key_get(struct rpc_call *c, uint8_t key[PUBLIC_KEY_SIZE]);

#endif
