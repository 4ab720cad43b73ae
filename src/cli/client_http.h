/* client_http.h: one HTTP/1.1 request and its answer over TCP or TLS; waits, but not for ever. */
#ifndef DOJIMA_CLI_CLIENT_HTTP_H
#define DOJIMA_CLI_CLIENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_HOST_SIZE = 256, HTTP_TIMEOUT_S = 15, HTTP_BODY_MAX = 64 << 20 };

struct http_url {
    bool tls;
    char host[HTTP_HOST_SIZE]; /* with the brackets of an IPv6 address */
    char port[8];
    char path[HTTP_HOST_SIZE]; /* in front of /api/v2; may be empty, never ends in a slash */
};

/* http://HOST[:PORT][/PATH] or https://...; false: it is none. */
bool http_url_parse(const char *text, struct http_url *url);
/* Whether that is this machine, where nothing has to be encrypted. */
bool http_url_is_loopback(const struct http_url *url);
/* The same of an address to listen at, HOST:PORT. */
bool http_address_is_loopback(const char *address);
/* Whether a file of authorities can be read; else a sentence. */
bool http_authorities_check(const char *path, char *error, size_t size);

struct http_ask {
    const char *target;  /* path as sent */
    const char *headers; /* lines with CRLF; may be "" */
    const void *body;
    size_t size;
    const char *tls_ca;  /* PEM file of authorities, besides the system's; NULL: those alone */
    size_t body_max;     /* of the answer; 0: HTTP_BODY_MAX */
    uint32_t timeout_s;  /* for all of it; 0: HTTP_TIMEOUT_S */
};

/* Posts JSON. *answer is the answer's body, with a zero byte behind, to be freed. 0 and *status, or
 * -1 and a sentence in `error`. */
int http_exchange(const struct http_url *url, const struct http_ask *ask, char **answer,
                  size_t *size, int *status, char *error, size_t error_size);

/* The same of a text, within the usual limits. */
int http_post(const struct http_url *url, const char *target, const char *headers, const char *body,
              char **answer, size_t *size, int *status, char *error, size_t error_size);

#endif
