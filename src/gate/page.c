/* page.c: the trading page, figures for a monitor, and the demonstration's key. */
#include "gate/gate_internal.h"
#include "gate/web_asset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The page is its own files and talks to its own origin; nothing else is let in. */
#define SECURITY                                                                                  \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "          \
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "                                 \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"                             \
    "X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"                                   \
    "Cross-Origin-Opener-Policy: same-origin\r\n"

static const struct web_asset *asset_find(struct slice path)
{
    for (size_t i = 0; i < web_assets_count; i++) {
        if (slice_is(path, web_assets[i].path)) return &web_assets[i];
    }
    return NULL;
}

/* The asset as it was before gzip, to be freed; NULL: out of memory. A gzip file ends with its
 * original size. */
static unsigned char *asset_inflate(const struct web_asset *a, size_t *size)
{
    const unsigned char *end = a->bytes + a->size;
    *size = end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
    unsigned char *out = malloc(*size + 1);
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)a->bytes, .avail_in = (unsigned)a->size,
                  .next_out = out, .avail_out = (unsigned)*size};
    if (out == NULL || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        free(out);
        return NULL;
    }
    int status = inflate(&z, Z_FINISH);
    ASSERT(status == Z_STREAM_END && z.total_out == *size); /* the asset is our own */
    (void)inflateEnd(&z);
    return out;
}

/* Gzipped to those who say that they take it, as browsers do; plain to the others. */
static void serve_asset(struct connection *c, const struct http_request *r,
                        const struct web_asset *a)
{
    char headers[640];
    bool gzip = slice_accepts(r->accept_encoding, "gzip");
    int n = snprintf(headers, sizeof headers,
                     SECURITY "%sVary: Accept-Encoding\r\nCache-Control: no-cache\r\n"
                              "ETag: %s\r\n",
                     gzip ? "Content-Encoding: gzip\r\n" : "", a->etag);
    ASSERT(n > 0 && (size_t)n < sizeof headers);
    if (slice_has_token(r->if_none_match, a->etag)) {
        connection_respond(c, 304, a->content_type, headers, "", 0);
    } else if (gzip) {
        connection_respond(c, 200, a->content_type, headers, a->bytes, a->size);
    } else {
        size_t size = 0;
        unsigned char *plain = asset_inflate(a, &size);
        if (plain == NULL) connection_respond(c, 503, "text/plain", NULL, "503\n", 4);
        else connection_respond(c, 200, a->content_type, headers, plain, size);
        free(plain);
    }
}

static void serve_metrics(struct gate *g, struct connection *c)
{
    char text[16384];
    const struct server_counts *s = server_counts(g->server);
    const struct { const char *name; uint64_t value; } figures[] = {
        {"connections_open", s->open},
        {"websockets_open", s->websockets},
        {"connections_accepted_total", s->accepted},
        {"connections_refused_total", s->refused},
        {"slow_readers_evicted_total", s->evicted},
        {"connections_timed_out_total", s->timed_out},
        {"malformed_total", s->malformed},
        {"http_requests_total", s->requests},
        {"websocket_messages_total", s->messages},
        {"bytes_in_total", s->bytes_in},
        {"bytes_out_total", s->bytes_out},
        {"answers_total", g->answers},
        {"throttled_total", g->throttled},
        {"unauthorised_total", g->unauthorised},
        {"notifications_total", channels_notifications(g->channels)},
        {"channels", channels_count(g->channels)},
        {"keys", keys_count(g->keys)},
        {"durable_seq", g->durable},
    };
    size_t used = 0;
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "dojima_%s %llu\n",
                                 figures[i].name, (unsigned long long)figures[i].value);
    }
    if (g->options.metrics != NULL)
        used += g->options.metrics(g->options.context, text + used, sizeof text - used);
    connection_respond(c, 200, "text/plain; version=0.0.4", NULL, text, used);
}

static void serve_health(struct gate *g, struct connection *c)
{
    char text[96];
    int n = snprintf(text, sizeof text, "{\"status\":\"ok\",\"seq\":%llu}\n",
                     (unsigned long long)g->durable);
    connection_respond(c, 200, "application/json", NULL, text, (size_t)n);
}

static void serve_demo_key(struct gate *g, struct connection *c)
{
    char text[256];
    int n = snprintf(text, sizeof text, "{\"client_id\":\"%s\",\"client_secret\":\"%s\"}\n",
                     g->options.demo_id, g->options.demo_secret);
    connection_respond(c, 200, "application/json", NULL, text, (size_t)n);
}

void page_serve(struct gate *g, struct connection *c, const struct http_request *r)
{
    static const char nothing[] = "404 Not Found\n";
    const struct web_asset *a = asset_find(r->path);
    if (r->method != HTTP_GET && r->method != HTTP_HEAD)
        connection_respond(c, 405, "text/plain", "Allow: GET, HEAD\r\n", "GET or HEAD\n", 12);
    else if (a != NULL) serve_asset(c, r, a);
    else if (slice_is(r->path, "/metrics")) serve_metrics(g, c);
    else if (slice_is(r->path, "/health")) serve_health(g, c);
    else if (slice_is(r->path, "/demo/key") && g->options.demo_id != NULL) serve_demo_key(g, c);
    else connection_respond(c, 404, "text/plain", NULL, nothing, sizeof nothing - 1);
}
