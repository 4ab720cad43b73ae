/* client.h: one JSON-RPC call after the other against a running node, over HTTP or HTTPS.
 *
 * The options that every trader's command has, the key, the signature, the answer. What cannot be
 * answered and what is refused is said on standard error as a sentence, with the rule's id; a
 * command then ends with status 1.
 *
 * Upstream: a trader's shell. Downstream: gate (rpc), through the network only.
 */
#ifndef DOJIMA_CLI_CLIENT_H
#define DOJIMA_CLI_CLIENT_H

#include "cli/table.h"
#include "wire/json.h"

#include <argp.h>

enum { CLIENT_PARAMS_SIZE = 16384, CLIENT_KEY_SIZE = 128, CLIENT_VALUE_SIZE = 80,
       CLIENT_ERROR_SIZE = 384 };

enum client_status {
    CLIENT_ok = 0,
    CLIENT_unusable,    /* the request cannot be made: no key, no such address */
    CLIENT_unreachable, /* no answer, or none of this protocol: the same may be asked again */
    CLIENT_refused,     /* the node's error: c->error */
    CLIENT_throttled,   /* the same, and it may be asked again later */
};

struct client {
    /* options */
    const char *url;      /* --url, DOJIMA_URL, http://127.0.0.1:8080 */
    const char *key_file; /* --key-file */
    const char *tls_ca;   /* --tls-ca; NULL: the system's authorities alone */
    bool json;            /* --json */
    bool colour;
    /* the answer to the last call */
    char *body;
    struct json answer;
    struct json_token *tokens;
    uint32_t result; /* token; valid after a call that gave 0 */
    uint32_t error;  /* token of the node's error after CLIENT_refused */
    char sentence[CLIENT_ERROR_SIZE]; /* why the last call failed */
    char reason[CLIENT_VALUE_SIZE];   /* of a reject: its name */
    /* parameters of the next call */
    char params_bytes[CLIENT_PARAMS_SIZE];
    struct json_writer params;
    /* the key */
    bool has_key;
    bool ed25519;
    char key_id[CLIENT_KEY_SIZE];
    char key_secret[CLIENT_KEY_SIZE];
};

/* Parses options --url, --key-file, --tls-ca, --json, --no-colour: an argp_child. Its input is the
 * client. */
extern const struct argp client_argp;
void client_init(struct client *c);
void client_close(struct client *c);

/* Opens the parameters' object; add members with json_key_... on &c->params. */
void client_begin(struct client *c);
/* Adds a number as the user typed it; false when it is no decimal number. */
bool client_number(struct client *c, const char *name, const char *text);
/* Closes the parameters and calls. 0: c->result is there; 1: said on standard error (with --json an
 * error of the node is printed as an object too). A private method is signed. */
int client_call(struct client *c, const char *method);
/* The same without a word on standard error, for processes that go on. */
enum client_status client_try(struct client *c, const char *method);
/* Prints the result as it came and a newline. */
void client_print_result(const struct client *c);

/* ---- reading the result ---- */
/* A member's text: of a string its characters, of a number its digits, of null or nothing "". */
const char *client_text(const struct client *c, uint32_t object, const char *name, char *out);
/* A member in ms since 1970 as 2027-01-04 09:00:00.000 UTC without the zone; "" when absent. */
const char *client_time(const struct client *c, uint32_t object, const char *name, char *out);
bool client_true(const struct client *c, uint32_t object, const char *name);
/* Iterates over an array's values: the first for 0, then the one behind; 0: no more. */
uint32_t client_each(const struct client *c, uint32_t array, uint32_t token);
/* A cell with a member's text. */
void client_cell(const struct client *c, struct table *t, uint32_t object, const char *name,
                 enum table_colour colour);

/* Whether the standard output is a terminal that wants colour. */
bool client_colour(void);

/* Runs argp over a command with the client's options as a child; errors end the process with 2. */
void client_parse(const struct argp *argp, int argc, char **argv, void *input);

#endif
