/* peer_internal.h: what peer.c and peer_server.c share. */
#ifndef DOJIMA_CLI_PEER_INTERNAL_H
#define DOJIMA_CLI_PEER_INTERNAL_H

#include "cli/peer.h"

int64_t peer_now_ms(void);

/* NULL and whose key signed, or what is wrong. Pure, for any bytes. */
const char *peer_signature_check(const char *authorization, size_t length, const char *path,
                                 const void *body, size_t size, int64_t now_ms,
                                 uint8_t key[NOTE_KEY_SIZE]);

#endif
