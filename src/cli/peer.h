/* peer.h: how a seller's agent, a buyer's gateway and a verifier speak with each other: HTTP/1.1 on
 * the endpoints that they filed with the venue, a request signed by its sender's Ed25519 key.
 *
 * A request is POST PATH with a body in JSON and
 *   Authorization: dojima-peer key=HEX,ts=MS,sig=HEX
 * where sig is over  dojima peer 1 \n PATH \n MS \n SHA-256(body) in hexadecimal \n. A timestamp is
 * good for a minute to either side. Every request may be sent again: what was done is not done
 * twice, and its answer is the same. An answer is JSON, or bytes where it says so; one that is not
 * 200 is {"error": "a sentence"}.
 *
 * Invariants: (1) what a stranger can make grow is bounded: bytes of a request, requests under way;
 * (2) a handler runs on a thread of its own, never on the server's loop, so a long answer holds up
 * no other; (3) a request that is not signed well reaches no handler.
 *
 * Upstream: gate's server (http), client_http. Downstream: deliver, intake, verify.
 */
#ifndef DOJIMA_CLI_PEER_H
#define DOJIMA_CLI_PEER_H

#include "cli/signing_key.h"
#include "wire/json.h"

enum {
    PEER_REQUEST_MAX = 8 << 20,  /* bytes of a request */
    PEER_PENDING_MAX = 32,       /* requests under way */
    PEER_WINDOW_MS = 60000,
    PEER_ERROR_SIZE = 256,
    PEER_PATH_SIZE = 64,
};

/* ---- asking ---- */

enum peer_status {
    PEER_ok = 0,
    PEER_unreachable, /* no answer: may be asked again */
    PEER_busy,        /* may be asked again later */
    PEER_refused,     /* an answer that says no */
};

struct peer_answer {
    char *bytes; /* with a zero byte behind; peer_answer_free */
    size_t size;
    int status; /* HTTP's; 0: no answer */
    struct json json; /* of an answer in JSON, after peer_answer_json */
    char error[PEER_ERROR_SIZE]; /* why it is not PEER_ok */
};

/* Who asks, and whom it believes. */
struct peer_asker {
    const struct signing_key *key;
    const char *tls_ca; /* authorities besides the system's (PEM); NULL: those alone */
    bool plain;         /* HTTP without TLS to other machines too */
};

/* endpoint: HOST:PORT, or http(s)://HOST:PORT. Without TLS another machine is not asked, unless the
 * asker allows it. */
enum peer_status peer_ask(const char *endpoint, const char *path, const struct peer_asker *asker,
                          const void *body, size_t size, uint32_t timeout_s, size_t answer_max,
                          struct peer_answer *answer);
/* As it is asked: with its scheme. False: it is none. */
struct http_url;
bool peer_endpoint_parse(const char *endpoint, struct http_url *url);
/* Reads it as an object. false: it is none (error is set). */
bool peer_answer_json(struct peer_answer *answer);
void peer_answer_free(struct peer_answer *answer);

/* ---- answering ---- */

struct peer_request {
    const char *path;
    const char *body;
    size_t size;
    uint8_t key[NOTE_KEY_SIZE]; /* whose signature was checked */
};

struct peer_response {
    int status; /* 200, or the error's */
    bool bytes; /* not JSON */
    char *body; /* malloc'd; the server frees it */
    size_t size;
};

/* On a thread of its own, several at once. */
typedef void peer_handler(void *context, const struct peer_request *request,
                          struct peer_response *response);

struct peer_options {
    const char *listen;   /* HOST:PORT; port 0: any free one */
    const char *tls_cert; /* PEM; NULL: plain */
    const char *tls_key;
};

struct peer_server;

/* NULL and a line when it cannot listen. */
struct peer_server *peer_server_open(const struct peer_options *options, peer_handler *handler,
                                     void *context, char *error, size_t size);
int peer_server_port(const struct peer_server *s);
/* Serves until SIGTERM, SIGINT or peer_server_stop; then `stopping` is called, requests under way
 * are finished, and the memory is freed. */
void peer_server_run(struct peer_server *s, void (*stopping)(void *context));
void peer_server_stop(struct peer_server *s); /* any thread */

/* For handlers: an error as a sentence; a JSON body that a writer of its own buffer holds. */
__attribute__((format(printf, 3, 4))) void peer_refuse(struct peer_response *r, int status,
                                                       const char *format, ...);
void peer_respond(struct peer_response *r, const struct json_writer *w);

/* For both sides: reading a body. */
/* As an object; tokens are to be freed in any case. false: it is none. */
bool peer_object(struct json *j, const char *bytes, size_t size);
bool peer_int(const struct json *j, uint32_t object, const char *name, int64_t *value);
bool peer_hex(const struct json *j, uint32_t object, const char *name, uint8_t *bytes, size_t size);
/* An array of `count` unsigned integers at most; -1: it is none. */
int64_t peer_integers(const struct json *j, uint32_t object, const char *name, uint64_t *values,
                      uint32_t count);

#endif
