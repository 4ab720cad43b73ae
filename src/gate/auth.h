/* auth.h: who is asking: signed requests, logins and bearer tokens over the table of keys.
 *
 * A request is signed in the header
 *   Authorization: deri-hmac-sha256 id=ID,ts=MS,sig=SIGNATURE,nonce=NONCE
 * over  ts \n nonce \n METHOD \n target \n body \n  where target is path and query as sent. The
 * signature is HMAC-SHA256 in hexadecimal or, for an Ed25519 key (scheme deri-ed25519), the
 * signature in hexadecimal or base64. A login by client_signature signs  ts \n nonce \n data.
 *
 * Invariants: (1) a timestamp is good for 5 s to either side, and never from before this node
 * started, so nothing that an earlier run may have served is served again; (2) a nonce of a key
 * serves once: it is kept, as a hash, until its timestamp is out of the window; when there is no
 * place to keep it the request is refused; (3) nothing is kept of a request whose signature is
 * wrong; (4) secrets and signatures are compared in constant time.
 *
 * Upstream: keys, http. Downstream: session.
 */
#ifndef DOJIMA_GATE_AUTH_H
#define DOJIMA_GATE_AUTH_H

#include "gate/http.h"
#include "gate/keys.h"

enum { AUTH_WINDOW_MS = 5000, AUTH_ACCESS_S = 900, AUTH_REFRESH_S = 30 * 86400,
       AUTH_TOKEN_SIZE = 64 };

enum auth_result {
    AUTH_OK = 0,
    AUTH_ABSENT,        /* no Authorization header */
    AUTH_MALFORMED,
    AUTH_UNKNOWN_KEY,   /* or revoked: a stranger is not told which */
    AUTH_BAD_SIGNATURE,
    AUTH_STALE,
    AUTH_REPLAYED,
    AUTH_BAD_TOKEN,     /* unknown or expired */
    AUTH_BUSY,          /* no place for another nonce */
};

/* Reason in short for error.data, and a sentence. Static storage. */
const char *auth_reason(enum auth_result r);
const char *auth_sentence(enum auth_result r);

struct auth_identity {
    struct key *key; /* NULL: nobody */
    uint32_t scopes; /* granted: the key's, or fewer */
    uint64_t nonce;  /* hash, for the journaled command; 0: none was used */
};

/* The parts of a signed header; slices of the header's text. */
struct auth_header {
    bool bearer;
    struct slice token;
    struct slice id;
    struct slice ts;
    struct slice sig;
    struct slice nonce;
};

/* Pure, for any bytes. */
bool auth_header_parse(struct slice text, struct auth_header *h);

struct auth;

struct auth *auth_open(struct keys *keys, ts_t started); /* NULL: out of memory */
void auth_close(struct auth *a);

/* A nonce that a journaled command used before this start. */
void auth_nonce_used(struct auth *a, uint64_t nonce, ts_t ts);

enum auth_result auth_request(struct auth *a, ts_t now, const struct http_request *r,
                              struct auth_identity *who);

enum auth_result auth_credentials(struct auth *a, ts_t now, struct slice id, struct slice secret,
                                  struct auth_identity *who);
enum auth_result auth_signature(struct auth *a, ts_t now, struct slice id, struct slice ts,
                                struct slice nonce, struct slice data, struct slice sig,
                                struct auth_identity *who);
enum auth_result auth_refresh(struct auth *a, ts_t now, struct slice token,
                              struct auth_identity *who);
enum auth_result auth_bearer(struct auth *a, ts_t now, struct slice token,
                             struct auth_identity *who);

/* New tokens for an identity; those of its refresh token, if it came by one, are spent. */
void auth_tokens_make(struct auth *a, ts_t now, const struct auth_identity *who,
                      char access[AUTH_TOKEN_SIZE], char refresh[AUTH_TOKEN_SIZE]);
/* Ends the tokens of a key that were made for `access`; an empty text ends all. */
void auth_tokens_end(struct key *key);

#endif
