/* keys.h: the API keys of one data directory: who may speak for which account, with which scopes.
 *
 * They are one text file, DIR/keys, mode 0600, to which lines are only ever added:
 *
 *   dojima-keys 1
 *   key PRINCIPAL hmac|ed25519 ID SECRET-OR-PUBLIC-KEY ACCOUNT SCOPES CREATED-MS
 *   revoke ID REVOKED-MS
 *
 * An HMAC key's secret must be known to check a signature, so it stands there in clear: whoever
 * reads the file can sign. Of an Ed25519 key only the public half is kept. A line that was torn by
 * a crash has no end and is not read; the next writer begins a new line.
 *
 * Invariants: (1) a principal is a key's number, 1, 2, 3, ..., never used twice: two keys are two
 * principals; (2) a revoked key stays in the table and is never good again; (3) the node rereads
 * the file when it has grown, so that keys made or revoked beside it count at once.
 *
 * Upstream: the file. Downstream: auth, cli.
 */
#ifndef DOJIMA_GATE_KEYS_H
#define DOJIMA_GATE_KEYS_H

#include "gate/scope.h"
#include "msg/command.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KEY_ID_SIZE = 16,
    KEY_SECRET_SIZE = 64,
    KEY_PUBLIC_BYTES = 32,
    KEYS_MAX = 65536,
    KEY_TOKENS = 16, /* logins of one key that are good at a time; the oldest goes first */
};

enum key_type { KEY_hmac = 0, KEY_ed25519 };

struct key_token {
    unsigned char access[32];
    unsigned char refresh[32];
    ts_t access_end; /* 0: the place is free */
    ts_t refresh_end;
    uint32_t scopes;
    uint32_t reserved;
};

struct key {
    uint32_t principal;
    uint32_t scopes;
    uint8_t type;
    bool revoked;
    ts_t created;
    int64_t bucket[2]; /* throttle of signed HTTP requests: throttle.h */
    int64_t bucket_excess;
    struct key_token *tokens; /* KEY_TOKENS; NULL until the first login */
    uint32_t token_next;
    char id[KEY_ID_SIZE];
    char secret[KEY_SECRET_SIZE]; /* HMAC; of a fresh Ed25519 key: the private seed, base64url */
    unsigned char public_key[KEY_PUBLIC_BYTES];
    char account[ACCOUNT_NAME_SIZE];
};

struct keys;

/* The keys of a data directory; no file is no keys. NULL and a line on failure. */
struct keys *keys_open(const char *directory, char *error, size_t error_size);
void keys_close(struct keys *k);

/* Reads what was added since; true when something was. Cheap when nothing was. */
bool keys_refresh(struct keys *k);

/* The key of this id, revoked ones too; NULL: none. Valid until keys_close. */
struct key *keys_find(struct keys *k, const char *id, size_t size);
struct key *keys_at(struct keys *k, uint32_t index); /* in order of making */
uint32_t keys_count(const struct keys *k);

/* Makes a key and writes it; *made is the whole key, secret included, to be shown once. For
 * KEY_ed25519 `public_key` may be given (the private half then stays with its owner), else a pair
 * is made. 0, or -1 and a line. */
int keys_make(const char *directory, enum key_type type, const char *account, uint32_t scopes,
              const unsigned char *public_key, struct key *made, char *error, size_t error_size);

/* Revokes by id. 0, or -1 and a line. */
int keys_revoke(const char *directory, const char *id, char *error, size_t error_size);

#endif
