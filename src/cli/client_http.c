/* client_http.c: see client_http.h. OpenSSL's connect BIOs carry both TCP and TLS.
 *
 * The connection is closed by the node after the answer (Connection: close), so that the end of the
 * body is known from Content-Length or, without one, from the end of the stream.
 */
#include "cli/client_http.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <uv.h>

bool http_url_parse(const char *text, struct http_url *url)
{
    *url = (struct http_url){0};
    if (strncasecmp(text, "https://", 8) == 0) {
        url->tls = true;
        text += 8;
    } else if (strncasecmp(text, "http://", 7) == 0) {
        text += 7;
    } else {
        return false;
    }
    size_t host = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":/?#");
    if (host == 0 || host >= sizeof url->host || host > strlen(text)) return false;
    memcpy(url->host, text, host);
    if (strpbrk(url->host, " \t\r\n\"\\@") != NULL) return false;
    text += host;
    (void)snprintf(url->port, sizeof url->port, "%s", url->tls ? "443" : "80");
    if (text[0] == ':') {
        size_t digits = strspn(text + 1, "0123456789");
        if (digits == 0 || digits > 5) return false;
        memcpy(url->port, text + 1, digits);
        url->port[digits] = 0;
        text += 1 + digits;
    }
    if (text[0] != 0 && text[0] != '/') return false;
    size_t path = strlen(text);
    while (path > 0 && text[path - 1] == '/') path -= 1;
    if (path >= sizeof url->path || strcspn(text, " \t\r\n?#") < path) return false;
    memcpy(url->path, text, path);
    return true;
}

bool http_url_is_loopback(const struct http_url *url)
{
    unsigned char address[4];
    if (strcasecmp(url->host, "localhost") == 0 || strcmp(url->host, "[::1]") == 0) return true;
    return uv_inet_pton(AF_INET, url->host, address) == 0 && address[0] == 127;
}

bool http_address_is_loopback(const char *address)
{
    char text[HTTP_HOST_SIZE + 16];
    struct http_url url;
    (void)snprintf(text, sizeof text, "http://%s", address);
    return http_url_parse(text, &url) && http_url_is_loopback(&url);
}

struct exchange {
    SSL_CTX *context;
    BIO *bio;
    time_t deadline;
    char *bytes;
    size_t used;
    size_t capacity;
    size_t body_max;
};

static int fail(char *error, size_t size, const char *what)
{
    const char *data = "", *why = NULL;
    int flags = 0;
    unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    if (code != 0) why = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                                : ERR_reason_error_string(code);
    /* A name that does not resolve has its reason in the data. */
    if (why != NULL && strcmp(why, "system lib") == 0 && (flags & ERR_TXT_STRING) != 0) why = data;
    (void)snprintf(error, size, "%s%s%s", what, why != NULL ? ": " : "", why != NULL ? why : "");
    ERR_clear_error();
    return -1;
}

static SSL_CTX *context_open(const char *tls_ca, char *error, size_t size)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    char what[HTTP_HOST_SIZE];
    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_default_verify_paths(context) != 1) {
        (void)fail(error, size, "TLS");
    } else if (tls_ca != NULL && SSL_CTX_load_verify_locations(context, tls_ca, NULL) != 1) {
        (void)snprintf(what, sizeof what, "%.200s holds no certificates", tls_ca);
        (void)fail(error, size, what);
    } else {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        return context;
    }
    SSL_CTX_free(context);
    return NULL;
}

bool http_authorities_check(const char *path, char *error, size_t size)
{
    SSL_CTX *context = context_open(path, error, size);
    SSL_CTX_free(context);
    return context != NULL;
}

/* Over TLS the other side shows a certificate of its host that an authority has signed. */
static int tls_connect(struct exchange *x, const struct http_url *url, const char *tls_ca,
                       char *error, size_t size)
{
    char bare[HTTP_HOST_SIZE];
    SSL *ssl = NULL;
    (void)snprintf(bare, sizeof bare, "%s", url->host[0] == '[' ? url->host + 1 : url->host);
    bare[strcspn(bare, "]")] = 0;
    x->context = context_open(tls_ca, error, size);
    if (x->context == NULL) return -1;
    x->bio = BIO_new_ssl_connect(x->context);
    if (x->bio == NULL || BIO_get_ssl(x->bio, &ssl) != 1 || ssl == NULL ||
        SSL_set_tlsext_host_name(ssl, bare) != 1 || SSL_set1_host(ssl, bare) != 1)
        return fail(error, size, "TLS");
    return 0;
}

/* Why there is no connection: a certificate that does not do is said as that. */
static int connect_fail(struct exchange *x, char *error, size_t size)
{
    SSL *ssl = NULL;
    char what[160];
    if (x->context == NULL || BIO_get_ssl(x->bio, &ssl) != 1 || ssl == NULL ||
        SSL_get_verify_result(ssl) == X509_V_OK)
        return fail(error, size, "no connection");
    (void)snprintf(what, sizeof what, "certificate verify failed, it is not trusted: %s",
                   X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    ERR_clear_error();
    return fail(error, size, what);
}

static int exchange_connect(struct exchange *x, const struct http_url *url, const char *tls_ca,
                            char *error, size_t size)
{
    char where[HTTP_HOST_SIZE + 16];
    (void)snprintf(where, sizeof where, "%s:%s", url->host, url->port);
    if (url->tls) {
        if (tls_connect(x, url, tls_ca, error, size) != 0) return -1;
        (void)BIO_set_conn_hostname(x->bio, where);
    } else {
        x->bio = BIO_new_connect(where);
    }
    if (x->bio == NULL) return fail(error, size, "no memory");
    (void)BIO_set_nbio(x->bio, 1);
    while (BIO_do_connect(x->bio) != 1) {
        if (!BIO_should_retry(x->bio) || BIO_wait(x->bio, x->deadline, 2) != 1)
            return connect_fail(x, error, size);
    }
    return 0;
}

static int exchange_send(struct exchange *x, const char *bytes, size_t left, char *error,
                         size_t size)
{
    while (left > 0) {
        int n = BIO_write(x->bio, bytes, (int)left);
        if (n > 0) {
            bytes += n;
            left -= (size_t)n;
        } else if (!BIO_should_retry(x->bio) || BIO_wait(x->bio, x->deadline, 2) != 1) {
            return fail(error, size, "the request could not be sent");
        }
    }
    return 0;
}

static int exchange_room(struct exchange *x)
{
    if (x->capacity - x->used > 4096) return 0;
    size_t capacity = x->capacity == 0 ? 65536 : x->capacity * 2;
    char *bytes = x->capacity > x->body_max + 65536 ? NULL : realloc(x->bytes, capacity);
    if (bytes == NULL) return -1;
    x->bytes = bytes;
    x->capacity = capacity;
    return 0;
}

/* The value of a header line in a head that ends with a zero byte; NULL: there is none. */
static const char *header_find(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return NULL;
}

/* Bytes of head and body together once the head is there; 0: not yet; SIZE_MAX: until the end. */
static size_t size_expected(struct exchange *x)
{
    x->bytes[x->used] = 0;
    char *end = strstr(x->bytes, "\r\n\r\n");
    if (end == NULL) return 0;
    char keep = end[2];
    end[2] = 0;
    const char *text = header_find(x->bytes, "content-length");
    size_t body = text == NULL ? SIZE_MAX : (size_t)strtoull(text, NULL, 10);
    end[2] = keep;
    if (body > x->body_max) return SIZE_MAX;
    return (size_t)(end + 4 - x->bytes) + body;
}

static int exchange_receive(struct exchange *x, char *error, size_t size)
{
    size_t expected = 0;
    while (expected == 0 || x->used < expected) {
        if (exchange_room(x) != 0) return fail(error, size, "the answer is too large");
        int n = BIO_read(x->bio, x->bytes + x->used, (int)(x->capacity - x->used - 1));
        if (n > 0) {
            x->used += (size_t)n;
            if (expected == 0) expected = size_expected(x);
        } else if (BIO_should_retry(x->bio)) {
            if (BIO_wait(x->bio, x->deadline, 2) != 1)
                return fail(error, size, "no answer in time");
        } else {
            break;
        }
    }
    ERR_clear_error();
    if (expected == 0 || (expected != SIZE_MAX && x->used < expected))
        return fail(error, size, "the answer was cut off");
    x->bytes[x->used] = 0;
    return 0;
}

/* Leaves the body alone in x->bytes. */
static int answer_split(struct exchange *x, int *status, char *error, size_t size)
{
    char *end = strstr(x->bytes, "\r\n\r\n");
    if (end == NULL || strncmp(x->bytes, "HTTP/1.", 7) != 0 || x->bytes[8] != ' ')
        return fail(error, size, "this is no HTTP server");
    *status = (int)strtol(x->bytes + 9, NULL, 10);
    end[2] = 0;
    bool chunked = header_find(x->bytes, "transfer-encoding") != NULL;
    if (chunked) return fail(error, size, "an answer in chunks is not understood");
    size_t head = (size_t)(end + 4 - x->bytes);
    x->used -= head;
    memmove(x->bytes, x->bytes + head, x->used + 1);
    return 0;
}

int http_exchange(const struct http_url *url, const struct http_ask *ask, char **answer,
                  size_t *size, int *status, char *error, size_t error_size)
{
    struct exchange x = {.deadline = time(NULL) +
                                     (ask->timeout_s != 0 ? ask->timeout_s : HTTP_TIMEOUT_S),
                         .body_max = ask->body_max != 0 ? ask->body_max : HTTP_BODY_MAX};
    size_t capacity = strlen(ask->headers) + strlen(ask->target) + HTTP_HOST_SIZE + 256;
    char *head = malloc(capacity);
    int result = -1;
    (void)signal(SIGPIPE, SIG_IGN);
    if (head == NULL) return fail(error, error_size, "no memory");
    int length = snprintf(head, capacity,
                          "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\n%s\r\n",
                          ask->target, url->host, url->port, ask->size, ask->headers);
    if (exchange_connect(&x, url, ask->tls_ca, error, error_size) != 0) goto out;
    if (exchange_send(&x, head, (size_t)length, error, error_size) != 0) goto out;
    if (exchange_send(&x, ask->body, ask->size, error, error_size) != 0) goto out;
    if (exchange_receive(&x, error, error_size) != 0) goto out;
    if (answer_split(&x, status, error, error_size) != 0) goto out;
    *answer = x.bytes;
    *size = x.used;
    x.bytes = NULL;
    result = 0;
out:
    free(head);
    free(x.bytes);
    BIO_free_all(x.bio);
    SSL_CTX_free(x.context);
    return result;
}

int http_post(const struct http_url *url, const char *target, const char *headers, const char *body,
              char **answer, size_t *size, int *status, char *error, size_t error_size)
{
    const struct http_ask ask = {.target = target, .headers = headers, .body = body,
                                 .size = strlen(body)};
    return http_exchange(url, &ask, answer, size, status, error, error_size);
}
