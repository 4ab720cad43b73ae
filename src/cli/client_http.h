/* client_http.h: one HTTP/1.1 request and its answer over TCP or TLS; waits, but not for ever. */
#ifndef DOJIMA_CLI_CLIENT_HTTP_H
#define DOJIMA_CLI_CLIENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_HOST_SIZE = 256, HTTP_TIMEOUT_S = 15, HTTP_BODY_MAX = 64 << 20 };

struct http_url {
    bool tls;
    char host[HTTP_HOST_SIZE]; /* with the brackets of an IPv6 address */
    char port[8];
    char path[HTTP_HOST_SIZE]; /* in front of /api/v2; may be empty, never ends in a slash */
};

/* http://HOST[:PORT][/PATH] or https://...; false: it is none. */
bool http_url_parse(const char *text, struct http_url *url);

/* Posts `body` to `target` (path as sent). `headers` are lines with CRLF. *answer is the body, with
 * a zero byte behind, to be freed. 0 and *status, or -1 and a sentence in `error`. */
int http_post(const struct http_url *url, const char *target, const char *headers, const char *body,
              char **answer, size_t *size, int *status, char *error, size_t error_size);

#endif
