/* http.h: the bytes of HTTP/1.1 requests and responses; pure, no I/O.
 *
 * A head is given to http_parser once it is complete; this file holds it to what two readers cannot
 * understand in two ways, where the library is lenient: lines end in CRLF, no folded lines, one
 * space between the words of the first line, single-valued fields once, no Transfer-Encoding
 * (answered 411). The target is kept as it was sent, because signatures are made over it.
 *
 * Invariants: (1) every slice points into the bytes given; (2) nothing is read past them; (3) a
 * status other than 0 is final: the connection is answered with it and closed.
 *
 * Upstream: bytes of clients. Downstream: server, session, auth.
 */
#ifndef DOJIMA_GATE_HTTP_H
#define DOJIMA_GATE_HTTP_H

#include <http_parser.h> /* enum http_method: HTTP_GET and so on */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *at; /* NULL: absent */
    size_t size;
};

struct http_request {
    enum http_method method;
    bool keep_alive;
    bool expect_continue;
    bool upgrade_websocket; /* Upgrade: websocket and Connection: upgrade are both there */
    struct slice method_text;
    struct slice target; /* as sent: path and query */
    struct slice path;   /* of target, up to '?' */
    struct slice query;  /* behind '?'; absent: none */
    struct slice host;
    struct slice origin;
    struct slice authorization;
    struct slice content_type;
    struct slice if_none_match;
    struct slice accept_encoding;
    struct slice websocket_key;
    struct slice websocket_version;
    uint64_t content_length;
    bool has_content_length;
    struct slice body; /* set by the server when complete */
};

enum http_result { HTTP_MORE = 0, HTTP_DONE, HTTP_BAD };

/* Looks for a complete head in bytes[0 .. size). HTTP_DONE: *request is filled and *head_size is
 * the bytes of the head, blank line included. HTTP_MORE: not complete yet. HTTP_BAD: *status is
 * the HTTP status to answer with. */
enum http_result http_parse(const char *bytes, size_t size, size_t head_size_max,
                            struct http_request *request, size_t *head_size, int *status);

/* One name=value pair of a query string, decoded in place of `text`. */
struct http_pair {
    const char *name;
    size_t name_size;
    const char *value;
    size_t value_size;
};

/* Splits and decodes a query string ('+' is a space, %XX a byte). Decoded bytes are written to
 * `store` (at least query.size bytes). Returns the number of pairs, or -1 when an escape is
 * malformed, a zero byte appears or there are more than `pairs_max`. */
int http_query_parse(struct slice query, char *store, struct http_pair *pairs, int pairs_max);

/* The words of a status, as in "Not Found"; static storage. */
const char *http_status_text(int status);

bool slice_is(struct slice s, const char *text);          /* exactly */
bool slice_is_nocase(struct slice s, const char *text);   /* ASCII letters in either case */
bool slice_has_token(struct slice list, const char *text); /* in a comma-separated list */
bool slice_accepts(struct slice list, const char *text);   /* the same, unless its weight is 0 */

#endif
