/* peer.c: see peer.h: the signature, and the asking side. */
#include "cli/peer_internal.h"

#include "cli/client_http.h"
#include "proof/digest.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TARGET_TEXT = 256 };

/* ---- the signature ---- */

int64_t peer_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int signed_text(char *text, size_t size, const char *path, const char *ts,
                       const void *body, size_t body_size)
{
    char hash[DIGEST_TEXT_SIZE];
    struct digest d = digest_of(body, body_size);
    digest_text(hash, &d);
    return snprintf(text, size, "dojima peer 1\n%s\n%s\n%s\n", path, ts, hash);
}

static void header_make(char *header, size_t size, const struct signing_key *key, const char *path,
                        const void *body, size_t body_size)
{
    char text[TARGET_TEXT + 256], ts[24], who[2 * NOTE_KEY_SIZE + 1];
    char hex[2 * NOTE_SIGNATURE_SIZE + 1];
    uint8_t signature[NOTE_SIGNATURE_SIZE];
    (void)snprintf(ts, sizeof ts, "%lld", (long long)peer_now_ms());
    int n = signed_text(text, sizeof text, path, ts, body, body_size);
    (void)crypto_sign_detached(signature, NULL, (const uint8_t *)text, (unsigned long long)n,
                               key->secret);
    hex_write(hex, signature, sizeof signature);
    hex_write(who, key->key, NOTE_KEY_SIZE);
    hex[sizeof hex - 1] = who[sizeof who - 1] = 0;
    (void)snprintf(header, size, "Authorization: dojima-peer key=%s,ts=%s,sig=%s\r\n", who, ts,
                   hex);
}

/* The value of `name=` up to a comma or the end; NULL: it is not there. */
static const char *part_find(const char *text, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    for (const char *at = text; at != NULL; at = strchr(at, ',')) {
        if (*at == ',') at += 1;
        if (strncmp(at, name, length) != 0 || at[length] != '=') continue;
        size_t n = strcspn(at + length + 1, ",");
        if (n >= size) return NULL;
        memcpy(value, at + length + 1, n);
        value[n] = 0;
        return value;
    }
    return NULL;
}

const char *peer_signature_check(const char *authorization, size_t length, const char *path,
                                 const void *body, size_t size, int64_t now_ms,
                                 uint8_t key[NOTE_KEY_SIZE])
{
    static const char scheme[] = "dojima-peer ";
    char text[512], message[TARGET_TEXT + 256], ts[24], who[2 * NOTE_KEY_SIZE + 1];
    char hex[2 * NOTE_SIGNATURE_SIZE + 1], *end = NULL;
    uint8_t signature[NOTE_SIGNATURE_SIZE];
    if (length < sizeof scheme - 1 || length >= sizeof text ||
        memcmp(authorization, scheme, sizeof scheme - 1) != 0)
        return "the request is not signed";
    memcpy(text, authorization, length);
    text[length] = 0;
    const char *parts = text + sizeof scheme - 1;
    if (part_find(parts, "key", who, sizeof who) == NULL ||
        part_find(parts, "ts", ts, sizeof ts) == NULL ||
        part_find(parts, "sig", hex, sizeof hex) == NULL ||
        !hex_read(key, NOTE_KEY_SIZE, who, strlen(who)) ||
        !hex_read(signature, sizeof signature, hex, strlen(hex)))
        return "the signature cannot be read";
    long long ms = strtoll(ts, &end, 10);
    if (end == ts || *end != 0 || ms < now_ms - PEER_WINDOW_MS || ms > now_ms + PEER_WINDOW_MS)
        return "the request's time is more than a minute off";
    int n = signed_text(message, sizeof message, path, ts, body, size);
    if (crypto_sign_verify_detached(signature, (const uint8_t *)message, (unsigned long long)n,
                                    key) != 0)
        return "the signature is wrong";
    return NULL;
}

/* ---- asking ---- */

static void error_take(struct peer_answer *a, int status)
{
    char text[PEER_ERROR_SIZE - 32] = "";
    if (peer_answer_json(a)) {
        uint32_t token = json_member(&a->json, 0, "error");
        if (token == 0 || json_text(&a->json, token, text, sizeof text) < 0) text[0] = 0;
    }
    (void)snprintf(a->error, sizeof a->error, "HTTP %d%s%s", status, text[0] != 0 ? ": " : "",
                   text);
}

bool peer_endpoint_parse(const char *endpoint, struct http_url *url)
{
    char address[HTTP_HOST_SIZE];
    bool full = strstr(endpoint, "://") != NULL;
    int n = snprintf(address, sizeof address, "%s%s", full ? "" : "http://", endpoint);
    return n < (int)sizeof address && http_url_parse(address, url);
}

enum peer_status peer_ask(const char *endpoint, const char *path, const struct peer_asker *asker,
                          const void *body, size_t size, uint32_t timeout_s, size_t answer_max,
                          struct peer_answer *answer)
{
    struct http_url url;
    char target[HTTP_HOST_SIZE + PEER_PATH_SIZE], header[512];
    int status = 0;
    *answer = (struct peer_answer){0};
    if (!peer_endpoint_parse(endpoint, &url)) {
        (void)snprintf(answer->error, sizeof answer->error, "%.150s is no endpoint", endpoint);
        return PEER_refused;
    }
    if (!url.tls && !asker->plain && !http_url_is_loopback(&url)) {
        (void)snprintf(answer->error, sizeof answer->error,
                       "%.150s is another machine, and its endpoint not https: --plain asks it",
                       endpoint);
        return PEER_refused;
    }
    (void)snprintf(target, sizeof target, "%s%s", url.path, path);
    header_make(header, sizeof header, asker->key, path, body, size);
    const struct http_ask ask = {.target = target, .headers = header, .body = body, .size = size,
                                 .tls_ca = asker->tls_ca, .body_max = answer_max,
                                 .timeout_s = timeout_s};
    if (http_exchange(&url, &ask, &answer->bytes, &answer->size, &status, answer->error,
                      sizeof answer->error) != 0)
        return PEER_unreachable;
    answer->status = status;
    if (status == 200) return PEER_ok;
    error_take(answer, status);
    return status == 503 || status == 429 ? PEER_busy : PEER_refused;
}

bool peer_answer_json(struct peer_answer *a)
{
    free(a->json.tokens);
    if (peer_object(&a->json, a->bytes, a->size)) return true;
    (void)snprintf(a->error, sizeof a->error, "the answer is not in JSON");
    return false;
}

void peer_answer_free(struct peer_answer *a)
{
    free(a->bytes);
    free(a->json.tokens);
    *a = (struct peer_answer){0};
}

/* ---- bodies ---- */

void peer_refuse(struct peer_response *r, int status, const char *format, ...)
{
    char text[PEER_ERROR_SIZE], bytes[2 * PEER_ERROR_SIZE];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    struct json_writer w = {.bytes = bytes, .capacity = sizeof bytes};
    json_open_object(&w);
    json_key_string(&w, "error", text);
    json_close_object(&w);
    free(r->body);
    peer_respond(r, &w);
    r->status = status;
}

void peer_respond(struct peer_response *r, const struct json_writer *w)
{
    *r = (struct peer_response){.status = 200, .body = malloc(w->used + 1), .size = w->used};
    if (r->body == NULL || w->overflow) {
        free(r->body);
        *r = (struct peer_response){.status = 500};
        return;
    }
    memcpy(r->body, w->bytes, w->used);
}

bool peer_object(struct json *j, const char *bytes, size_t size)
{
    uint32_t capacity = (uint32_t)(size / 2 + 16);
    *j = (struct json){.tokens = malloc(capacity * sizeof *j->tokens), .capacity = capacity};
    return j->tokens != NULL && json_parse(j, bytes, size) == JSON_OK &&
           j->tokens[0].kind == JSON_object;
}

bool peer_int(const struct json *j, uint32_t object, const char *name, int64_t *value)
{
    uint32_t token = json_member(j, object, name);
    return token != 0 && json_decimal(j, token, 0, value) == DECIMAL_exact && *value >= 0;
}

bool peer_hex(const struct json *j, uint32_t object, const char *name, uint8_t *bytes, size_t size)
{
    uint32_t token = json_member(j, object, name);
    return token != 0 && j->tokens[token].kind == JSON_string &&
           hex_read(bytes, size, j->text + j->tokens[token].start, j->tokens[token].length);
}

int64_t peer_integers(const struct json *j, uint32_t object, const char *name, uint64_t *values,
                      uint32_t count)
{
    uint32_t array = json_member(j, object, name), n = 0;
    if (array == 0 || j->tokens[array].kind != JSON_array) return -1;
    for (uint32_t t = array + 1; t < j->tokens[array].next; t = j->tokens[t].next) {
        int64_t value;
        if (n == count || json_decimal(j, t, 0, &value) != DECIMAL_exact || value < 0) return -1;
        values[n++] = (uint64_t)value;
    }
    return n;
}
