/* signing_key.h: the Ed25519 key with which a seller, a buyer, a verifier or a certifier signs.
 *
 * A file of one line, the seed in 64 hexadecimal digits, readable by its owner only: one that
 * others may read is refused. It never leaves the machine; the venue is given the public key.
 *
 * Upstream: a file. Downstream: certify, deliver, intake, verify, peer.
 */
#ifndef DOJIMA_CLI_SIGNING_KEY_H
#define DOJIMA_CLI_SIGNING_KEY_H

#include "proof/note.h"

enum { SIGNING_KEY_TEXT_SIZE = 2 * NOTE_KEY_SIZE + 1 };

struct signing_key {
    uint8_t key[NOTE_KEY_SIZE];
    uint8_t secret[NOTE_SECRET_SIZE];
};

/* `make`: a file that is not there is made. 0, or -1 and a line in `error`. */
int signing_key_read(const char *path, bool make, struct signing_key *key, char *error,
                     size_t size);
/* The public key in hexadecimal, with a zero byte. */
void signing_key_text(const struct signing_key *key, char text[SIGNING_KEY_TEXT_SIZE]);

#endif
