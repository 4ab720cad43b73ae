/* auth.c: see auth.h. */
#include "gate/auth.h"

#include "base/map.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    NONCES = 1 << 17, /* kept at a time: 13,000 signed requests a second over the window */
    NONCE_TEXT_MAX = 128,
    TOKEN_BYTES = 32,
};

struct nonce {
    uint64_t hash;
    ts_t end; /* may be forgotten then */
};

struct auth {
    struct keys *keys;
    ts_t started;
    struct map map; /* hash to place in the ring */
    uint32_t map_count;
    uint32_t first; /* ring of nonces, oldest first */
    uint32_t count;
    struct nonce *ring; /* NONCES */
};

const char *auth_reason(enum auth_result r)
{
    static const char *const names[] = {"ok", "no_credentials", "malformed_credentials",
                                        "unknown_key", "bad_signature", "stale_timestamp",
                                        "nonce_used", "bad_token", "busy"};
    return names[r];
}

const char *auth_sentence(enum auth_result r)
{
    static const char *const texts[] = {
        "", "This method needs a signed request, a bearer token or a login by public/auth.",
        "The credentials are malformed.", "There is no such key, or it was revoked.",
        "The signature does not match the request.",
        "The timestamp is more than 5 s off, or from before this node started.",
        "The nonce was used before; each serves once.", "The token is unknown or has expired.",
        "Too many signed requests; wait and try again."};
    return texts[r];
}

struct auth *auth_open(struct keys *keys, ts_t started)
{
    struct auth *a = calloc(1, sizeof *a);
    if (a == NULL) return NULL;
    uint32_t slots = map_slots_for(NONCES);
    a->keys = keys;
    a->started = started;
    a->ring = calloc(NONCES, sizeof *a->ring);
    a->map = (struct map){.slots = calloc(slots, sizeof *a->map.slots), .mask = slots - 1,
                          .capacity = NONCES, .count = &a->map_count};
    if (a->ring == NULL || a->map.slots == NULL) {
        auth_close(a);
        return NULL;
    }
    return a;
}

void auth_close(struct auth *a)
{
    if (a == NULL) return;
    free(a->ring);
    free(a->map.slots);
    free(a);
}

/* ---- nonces ---- */

static void nonces_forget(struct auth *a, ts_t now, unsigned most)
{
    while (a->count > 0 && most-- > 0 && a->ring[a->first].end.v < now.v) {
        map_remove(&a->map, a->ring[a->first].hash);
        a->first = (a->first + 1) % NONCES;
        a->count -= 1;
    }
}

/* Takes note of a nonce whose signature was right. */
static enum auth_result nonce_take(struct auth *a, ts_t now, uint64_t hash)
{
    nonces_forget(a, now, 8);
    if (map_find(&a->map, hash) != NULL) return AUTH_REPLAYED;
    if (a->count == NONCES) return AUTH_BUSY;
    uint32_t at = (a->first + a->count) % NONCES;
    a->ring[at] = (struct nonce){hash, TS(now.v + 2 * (AUTH_WINDOW_MS + 1000) * NS_PER_MS)};
    map_insert(&a->map, hash, at);
    a->count += 1;
    return AUTH_OK;
}

void auth_nonce_used(struct auth *a, uint64_t nonce, ts_t ts)
{
    if (nonce != 0) (void)nonce_take(a, ts, nonce);
}

static uint64_t nonce_hash(const struct key *key, struct slice nonce)
{
    char text[KEY_ID_SIZE + NONCE_TEXT_MAX + 2];
    int n = snprintf(text, sizeof text, "%s\n%.*s", key->id, (int)nonce.size, nonce.at);
    uint64_t h = XXH3_64bits(text, (size_t)n);
    return h == 0 ? 1 : h;
}

/* A key made a moment ago is in the file already: a stranger costs one look at its size. */
static struct key *key_of(struct auth *a, struct slice id)
{
    struct key *key = keys_find(a->keys, id.at, id.size);
    if (key == NULL && keys_refresh(a->keys)) key = keys_find(a->keys, id.at, id.size);
    return key;
}

/* ---- signatures ---- */

static bool parse_ms(struct slice s, int64_t *ms)
{
    int64_t v = 0;
    if (s.size == 0 || s.size > 15) return false;
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') return false;
        v = v * 10 + (s.at[i] - '0');
    }
    *ms = v;
    return true;
}

static bool check_hmac(const struct key *key, const struct slice *parts, int count,
                       struct slice sig)
{
    unsigned char want[crypto_auth_hmacsha256_BYTES];
    unsigned char got[crypto_auth_hmacsha256_BYTES];
    size_t n = 0;
    if (sig.size != 2 * sizeof got ||
        sodium_hex2bin(got, sizeof got, sig.at, sig.size, NULL, &n, NULL) != 0 || n != sizeof got)
        return false;
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key->secret, strlen(key->secret));
    for (int i = 0; i < count; i++)
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)parts[i].at, parts[i].size);
    crypto_auth_hmacsha256_final(&state, want);
    return sodium_memcmp(want, got, sizeof got) == 0;
}

static bool check_ed25519(const struct key *key, const struct slice *parts, int count,
                          struct slice sig)
{
    unsigned char got[crypto_sign_BYTES];
    size_t n = 0;
    size_t total = 0;
    bool read = sig.size == 2 * sizeof got
                    ? sodium_hex2bin(got, sizeof got, sig.at, sig.size, NULL, &n, NULL) == 0
                    : sodium_base642bin(got, sizeof got, sig.at, sig.size, NULL, &n, NULL,
                                        sig.size == 88
                                            ? sodium_base64_VARIANT_ORIGINAL
                                            : sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
    if (!read || n != sizeof got) return false;
    for (int i = 0; i < count; i++) total += parts[i].size;
    unsigned char *text = malloc(total + 1); /* bounded: head and body have limits */
    if (text == NULL) return false;
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (parts[i].size != 0) memcpy(text + at, parts[i].at, parts[i].size);
        at += parts[i].size;
    }
    bool good = crypto_sign_verify_detached(got, text, total, key->public_key) == 0;
    free(text);
    return good;
}

/* The common part: key, time, signature over parts, nonce, in this order. */
static enum auth_result check_signed(struct auth *a, ts_t now, struct slice id, struct slice ts,
                                     struct slice nonce, struct slice sig,
                                     const struct slice *parts, int count,
                                     struct auth_identity *who)
{
    int64_t ms = 0;
    if (!parse_ms(ts, &ms) || nonce.size == 0 || nonce.size > NONCE_TEXT_MAX)
        return AUTH_MALFORMED;
    struct key *key = key_of(a, id);
    if (key == NULL || key->revoked) return AUTH_UNKNOWN_KEY;
    bool good = key->type == KEY_hmac ? check_hmac(key, parts, count, sig)
                                      : check_ed25519(key, parts, count, sig);
    if (!good) return AUTH_BAD_SIGNATURE;
    int64_t off = now.v / NS_PER_MS - ms;
    if (off > AUTH_WINDOW_MS || off < -AUTH_WINDOW_MS || ms < a->started.v / NS_PER_MS)
        return AUTH_STALE;
    uint64_t hash = nonce_hash(key, nonce);
    enum auth_result taken = nonce_take(a, now, hash);
    if (taken != AUTH_OK) return taken;
    *who = (struct auth_identity){key, key->scopes, hash};
    return AUTH_OK;
}

#define TEXT(s) ((struct slice){s, sizeof(s) - 1})

enum auth_result auth_signature(struct auth *a, ts_t now, struct slice id, struct slice ts,
                                struct slice nonce, struct slice data, struct slice sig,
                                struct auth_identity *who)
{
    struct slice parts[] = {ts, TEXT("\n"), nonce, TEXT("\n"), data};
    return check_signed(a, now, id, ts, nonce, sig, parts, 5, who);
}

enum auth_result auth_credentials(struct auth *a, ts_t now, struct slice id, struct slice secret,
                                  struct auth_identity *who)
{
    (void)now;
    struct key *key = key_of(a, id);
    if (key == NULL || key->revoked || key->type != KEY_hmac) return AUTH_UNKNOWN_KEY;
    size_t n = strlen(key->secret);
    if (secret.size != n || n == 0 || sodium_memcmp(secret.at, key->secret, n) != 0)
        return AUTH_BAD_SIGNATURE;
    *who = (struct auth_identity){key, key->scopes, 0};
    return AUTH_OK;
}

/* ---- tokens: KEYID.BASE64URL of 32 random bytes ---- */

/* The key of a token and its bytes; NULL: it is none. */
static struct key *token_parse(struct auth *a, struct slice token, unsigned char out[TOKEN_BYTES])
{
    const char *dot = token.at == NULL ? NULL : memchr(token.at, '.', token.size);
    size_t n = 0;
    if (dot == NULL) return NULL;
    size_t id = (size_t)(dot - token.at);
    struct key *key = keys_find(a->keys, token.at, id);
    if (key == NULL || key->revoked || key->tokens == NULL) return NULL;
    if (sodium_base642bin(out, TOKEN_BYTES, dot + 1, token.size - id - 1, NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 || n != TOKEN_BYTES)
        return NULL;
    return key;
}

enum auth_result auth_bearer(struct auth *a, ts_t now, struct slice token,
                             struct auth_identity *who)
{
    unsigned char bytes[TOKEN_BYTES];
    struct key *key = token_parse(a, token, bytes);
    if (key == NULL) return AUTH_BAD_TOKEN;
    for (int i = 0; i < KEY_TOKENS; i++) {
        const struct key_token *t = &key->tokens[i];
        if (t->access_end.v > now.v && sodium_memcmp(t->access, bytes, TOKEN_BYTES) == 0) {
            *who = (struct auth_identity){key, t->scopes, 0};
            return AUTH_OK;
        }
    }
    return AUTH_BAD_TOKEN;
}

enum auth_result auth_refresh(struct auth *a, ts_t now, struct slice token,
                              struct auth_identity *who)
{
    unsigned char bytes[TOKEN_BYTES];
    struct key *key = token_parse(a, token, bytes);
    if (key == NULL) return AUTH_BAD_TOKEN;
    for (int i = 0; i < KEY_TOKENS; i++) {
        struct key_token *t = &key->tokens[i];
        if (t->refresh_end.v > now.v && sodium_memcmp(t->refresh, bytes, TOKEN_BYTES) == 0) {
            *who = (struct auth_identity){key, t->scopes, 0};
            *t = (struct key_token){0}; /* it serves once */
            return AUTH_OK;
        }
    }
    return AUTH_BAD_TOKEN;
}

static void token_write(const struct key *key, const unsigned char *bytes,
                        char out[AUTH_TOKEN_SIZE])
{
    int n = snprintf(out, AUTH_TOKEN_SIZE, "%s.", key->id);
    sodium_bin2base64(out + n, AUTH_TOKEN_SIZE - (size_t)n, bytes, TOKEN_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void auth_tokens_make(struct auth *a, ts_t now, const struct auth_identity *who,
                      char access[AUTH_TOKEN_SIZE], char refresh[AUTH_TOKEN_SIZE])
{
    struct key *key = who->key;
    (void)a;
    if (key->tokens == NULL) {
        key->tokens = calloc(KEY_TOKENS, sizeof *key->tokens);
        ASSERT(key->tokens != NULL);
    }
    struct key_token *t = &key->tokens[key->token_next++ % KEY_TOKENS];
    randombytes_buf(t->access, sizeof t->access);
    randombytes_buf(t->refresh, sizeof t->refresh);
    t->access_end = TS(now.v + AUTH_ACCESS_S * NS_PER_SECOND);
    t->refresh_end = TS(now.v + AUTH_REFRESH_S * NS_PER_SECOND);
    t->scopes = who->scopes;
    token_write(key, t->access, access);
    token_write(key, t->refresh, refresh);
}

void auth_tokens_end(struct key *key)
{
    if (key->tokens != NULL) memset(key->tokens, 0, KEY_TOKENS * sizeof *key->tokens);
}

/* ---- the header ---- */

static bool starts_with_nocase(struct slice s, const char *text, struct slice *rest)
{
    size_t n = strlen(text);
    if (s.at == NULL || s.size < n || !slice_is_nocase((struct slice){s.at, n}, text)) return false;
    *rest = (struct slice){s.at + n, s.size - n};
    return true;
}

static struct slice *header_place(struct auth_header *h, struct slice name)
{
    if (slice_is(name, "id")) return &h->id;
    if (slice_is(name, "ts")) return &h->ts;
    if (slice_is(name, "sig")) return &h->sig;
    if (slice_is(name, "nonce")) return &h->nonce;
    return NULL;
}

/* One name=value; unknown and repeated names are refused. */
static bool header_part(struct auth_header *h, const char *at, size_t size)
{
    while (size > 0 && *at == ' ') at++, size--;
    while (size > 0 && at[size - 1] == ' ') size--;
    const char *equals = size == 0 ? NULL : memchr(at, '=', size);
    if (equals == NULL) return false;
    struct slice name = {at, (size_t)(equals - at)};
    struct slice *place = header_place(h, name);
    if (place == NULL || place->at != NULL) return false;
    *place = (struct slice){equals + 1, size - name.size - 1};
    return true;
}

bool auth_header_parse(struct slice text, struct auth_header *h)
{
    struct slice rest;
    *h = (struct auth_header){0};
    if (starts_with_nocase(text, "bearer ", &rest)) {
        h->bearer = true;
        h->token = rest;
        return rest.size > 0;
    }
    if (!starts_with_nocase(text, "deri-hmac-sha256 ", &rest) &&
        !starts_with_nocase(text, "deri-ed25519 ", &rest))
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= rest.size; i++) {
        if (i < rest.size && rest.at[i] != ',') continue;
        if (!header_part(h, rest.at + start, i - start)) return false;
        start = i + 1;
    }
    return h->id.at && h->ts.at && h->sig.at && h->nonce.at;
}

enum auth_result auth_request(struct auth *a, ts_t now, const struct http_request *r,
                              struct auth_identity *who)
{
    struct auth_header h;
    *who = (struct auth_identity){0};
    if (r->authorization.at == NULL) return AUTH_ABSENT;
    if (!auth_header_parse(r->authorization, &h)) return AUTH_MALFORMED;
    if (h.bearer) return auth_bearer(a, now, h.token, who);
    struct slice parts[] = {h.ts,      TEXT("\n"), h.nonce,  TEXT("\n"), r->method_text, TEXT("\n"),
                            r->target, TEXT("\n"), r->body,  TEXT("\n")};
    return check_signed(a, now, h.id, h.ts, h.nonce, h.sig, parts, 10, who);
}
