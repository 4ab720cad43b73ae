/* agent.h: what a seller's agent, a buyer's gateway and a verifier have in common: a process that
 * runs for weeks, asks the venue every moment, answers its peers, and may be killed at any instant.
 *
 *   main thread   the peers' requests (peer.h), each handed to a worker; without a server, signals
 *   own thread    the agent's step, again and again: it asks the venue and its peers, and works
 *
 * Invariants: (1) the venue is asked by the agent's own thread only; what handlers need of it they
 * find in the agent's own tables, under its mutex; (2) an answer that does not come is asked for
 * again, with waits that double up to AGENT_BACKOFF_MAX_MS; (3) what must not be forgotten is in
 * the store before anybody is told.
 *
 * Upstream: client, peer, agent_store. Downstream: deliver, intake, verify_watch.
 */
#ifndef DOJIMA_CLI_AGENT_H
#define DOJIMA_CLI_AGENT_H

#include "base/units.h"
#include "cli/agent_store.h"
#include "cli/client.h"
#include "cli/peer.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    AGENT_POLL_MS = 500,         /* between two looks at the venue */
    AGENT_BACKOFF_MIN_MS = 100,
    AGENT_BACKOFF_MAX_MS = 5000,
    AGENT_ENDPOINT_SIZE = 96,
    AGENT_NAME_SIZE = 64,
};

struct agent {
    /* options */
    struct client client; /* --url, --key-file */
    const char *data;     /* --data */
    const char *signing;  /* --sign-key; NULL: DATA/signing.key */
    const char *endpoint; /* --endpoint: what peers are told, https where there is TLS */
    const char *listen;   /* --listen; NULL: the endpoint's host and port */
    const char *tls_cert;
    const char *tls_key;
    uint32_t poll_ms;
    bool quiet;
    /* what runs */
    const char *name; /* of the subcommand */
    char data_default[64];
    struct signing_key key;
    struct peer_asker asker; /* key, --tls-ca, --plain */
    char key_text[SIGNING_KEY_TEXT_SIZE];
    char endpoint_text[AGENT_ENDPOINT_SIZE];
    struct agent_store *store;
    struct peer_server *server;
    pthread_mutex_t mutex; /* over the tables that step and handlers share, and over venue_ms */
    pthread_cond_t wake;
    pthread_t starter; /* the main thread */
    pthread_t thread;
    bool (*step)(struct agent *a); /* false: something is to be done at once */
    peer_handler *handler;
    atomic_bool stopping;
    bool failed;
    bool stood; /* the venue answered last time */
    int64_t venue_ms; /* its time when it was asked last */
};

/* Options that every agent has: an argp_child whose input is the agent; client_argp is its own
 * child. */
extern const struct argp agent_argp;
void agent_init(struct agent *a, const char *name);

/* Reads the key, opens store and server, says where it listens on standard output, runs until it is
 * told to end (SIGTERM, SIGINT). The exit status. `step` returns true when it may wait until the
 * next poll. handler NULL: it has no server. */
int agent_run(struct agent *a, bool (*step)(struct agent *a), peer_handler *handler);

/* One line on standard error, with the venue's time in front. */
__attribute__((format(printf, 2, 3))) void agent_say(struct agent *a, const char *format, ...);
/* The disk failed: the same, and the process ends with 1. */
void agent_fail(struct agent *a, const char *what);

/* Writes a file DATA/FOLDER/NAME, whole or not at all, for whoever wants to look. */
bool agent_file_write(struct agent *a, const char *folder, const char *name, const void *bytes,
                      size_t size);

/* Calls the venue (client_begin and parameters before), again while it cannot be reached.
 * CLIENT_ok, CLIENT_refused with the reason in the client, or CLIENT_unreachable when the agent is
 * to end. */
enum client_status agent_call(struct agent *a, const char *method);
/* Asks the venue's time. False: it is to end. */
bool agent_time(struct agent *a);
int64_t agent_now_ms(struct agent *a); /* as it was asked last; any thread */
int64_t agent_clock_ms(void); /* this machine's, which never goes back: for what takes how long */

/* A tender or an intake. What was filed for an instrument stays filed when its window is over: kept
 * across starts. */
struct agent_filing {
    char instrument[AGENT_NAME_SIZE];
    bool filed;
    char said[CLIENT_VALUE_SIZE]; /* the reason that was told last */
};
/* Calls the venue; what it refuses is said once ("the PAPER INSTRUMENT: ...") and may be tried
 * again: its days may not have come. As agent_call. */
enum client_status agent_file(struct agent *a, struct agent_filing *f, const char *method,
                              const char *paper);

/* ---- reading an answer of the venue ---- */
/* A member's text into a buffer of its own size; "" when it is not there or too long. */
const char *agent_text(const struct client *c, uint32_t object, const char *name, char *out,
                       size_t size);
int64_t agent_int(const struct client *c, uint32_t object, const char *name, int64_t otherwise);
/* A decimal as an integer of 10^-scale; exact, else `otherwise`. */
int64_t agent_fixed(const struct client *c, uint32_t object, const char *name, int scale,
                    int64_t otherwise);
bool agent_hex(const struct client *c, uint32_t object, const char *name, uint8_t *bytes,
               size_t size);

#endif
