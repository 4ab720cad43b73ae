/* auth_test.c: keys that are made and revoked, signatures, windows, nonces and tokens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "gate/auth.h"
#include "gate/throttle.h"

static char directory[64];
static struct keys *keys;
static struct auth *auth;
static struct key hmac_key;
static struct key ed25519_key;
#define START TS(1800000000 * NS_PER_SECOND)
#define S(text) ((struct slice){text, strlen(text)})

static int setup(void **state)
{
    (void)state;
    char error[200];
    snprintf(directory, sizeof directory, "/tmp/dojima-keys-XXXXXX");
    if (mkdtemp(directory) == NULL) return -1;
    if (keys_make(directory, KEY_hmac, "alice", SCOPE_read | SCOPE_trade, NULL, &hmac_key, error,
                  sizeof error) != 0)
        return -1;
    keys = keys_open(directory, error, sizeof error);
    auth = auth_open(keys, START);
    /* made while the table is open */
    if (keys_make(directory, KEY_ed25519, "bob", SCOPE_officer, NULL, &ed25519_key, error,
                  sizeof error) != 0)
        return -1;
    return keys == NULL || auth == NULL || !keys_refresh(keys) ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[100];
    uv_fs_t request;
    auth_close(auth);
    keys_close(keys);
    snprintf(path, sizeof path, "%s/keys", directory);
    uv_fs_stat(NULL, &request, path, NULL);
    int mode = (int)(request.statbuf.st_mode & 0777);
    uv_fs_req_cleanup(&request);
    remove(path);
    rmdir(directory);
    return mode == 0600 ? 0 : -1;
}

static char header_text[512];

/* A request of this time and nonce, signed by `secret` over `signed_target`. */
static struct http_request make(const char *secret, int64_t ms, const char *nonce,
                                const char *target, const char *signed_target)
{
    static char text[512];
    unsigned char mac[32];
    char hex[65];
    snprintf(text, sizeof text, "%lld\n%s\nGET\n%s\n\n", (long long)ms, nonce, signed_target);
    crypto_auth_hmacsha256_state h;
    crypto_auth_hmacsha256_init(&h, (const unsigned char *)secret, strlen(secret));
    crypto_auth_hmacsha256_update(&h, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&h, mac);
    sodium_bin2hex(hex, sizeof hex, mac, sizeof mac);
    snprintf(header_text, sizeof header_text,
             "deri-hmac-sha256 id=%s,ts=%lld,sig=%s,nonce=%s", hmac_key.id, (long long)ms, hex,
             nonce);
    return (struct http_request){.method = HTTP_GET, .method_text = S("GET"), .target = S(target),
                                 .authorization = S(header_text)};
}

static void test_signed_request(void **state)
{
    (void)state;
    struct auth_identity who;
    ts_t now = TS(START.v + 60 * NS_PER_SECOND);
    int64_t ms = now.v / NS_PER_MS;
    const char *t = "/api/v2/private/buy?instrument_name=CTF-2027M03%3A2027M04";
    struct http_request r = make(hmac_key.secret, ms, "n1", t, t);
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_OK);
    assert_string_equal(who.key->account, "alice");
    assert_int_equal(who.scopes, SCOPE_read | SCOPE_trade);
    assert_int_equal(who.key->principal, 1);
    assert_int_not_equal(who.nonce, 0);
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_REPLAYED);
    assert_null(who.key);
    r = make(hmac_key.secret, ms, "n2", t, "/api/v2/private/sell");
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_BAD_SIGNATURE);
    r = make("another secret", ms, "n2", t, t);
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_BAD_SIGNATURE);
    r = make(hmac_key.secret, ms - AUTH_WINDOW_MS - 1, "n2", t, t);
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_STALE);
    r = make(hmac_key.secret, ms + AUTH_WINDOW_MS + 1, "n2", t, t);
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_STALE);
    r = make(hmac_key.secret, ms + AUTH_WINDOW_MS, "n2", t, t); /* none of those took the nonce */
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_OK);
}

static void test_before_start_is_stale(void **state)
{
    (void)state;
    struct auth_identity who;
    ts_t now = TS(START.v + NS_PER_SECOND);
    struct http_request r = make(hmac_key.secret, START.v / NS_PER_MS - 1, "old", "/", "/");
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_STALE);
}

static void test_nonce_of_an_earlier_run(void **state)
{
    (void)state;
    struct auth_identity who;
    ts_t now = TS(START.v + 90 * NS_PER_SECOND);
    struct http_request r = make(hmac_key.secret, now.v / NS_PER_MS, "kept", "/", "/");
    assert_int_equal(auth_request(auth, now, &r, &who), AUTH_OK);
    struct auth *second = auth_open(keys, START);
    auth_nonce_used(second, who.nonce, now);
    assert_int_equal(auth_request(second, now, &r, &who), AUTH_REPLAYED);
    auth_close(second);
}

static void test_ed25519(void **state)
{
    (void)state;
    unsigned char seed[32], public_key[32], secret[64], sig[64];
    char hex[129];
    size_t n = 0;
    struct auth_identity who;
    ts_t now = TS(START.v + 70 * NS_PER_SECOND);
    char ms[32], text[64];
    snprintf(ms, sizeof ms, "%lld", (long long)(now.v / NS_PER_MS));
    int length = snprintf(text, sizeof text, "%s\nnn\n", ms);
    assert_int_equal(sodium_base642bin(seed, 32, ed25519_key.secret, strlen(ed25519_key.secret),
                                       NULL, &n, NULL,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING), 0);
    crypto_sign_seed_keypair(public_key, secret, seed);
    crypto_sign_detached(sig, NULL, (unsigned char *)text, (unsigned long long)length, secret);
    sodium_bin2hex(hex, sizeof hex, sig, sizeof sig);
    assert_int_equal(auth_signature(auth, now, S(ed25519_key.id), S(ms), S("nn"), S(""), S(hex),
                                    &who), AUTH_OK);
    assert_int_equal(who.key->principal, 2);
    hex[0] = hex[0] == '0' ? '1' : '0';
    assert_int_equal(auth_signature(auth, now, S(ed25519_key.id), S(ms), S("nn"), S(""), S(hex),
                                    &who), AUTH_BAD_SIGNATURE);
    assert_int_equal(auth_credentials(auth, now, S(ed25519_key.id), S(""), &who),
                     AUTH_UNKNOWN_KEY);
}

static void test_tokens(void **state)
{
    (void)state;
    struct auth_identity who;
    char access[AUTH_TOKEN_SIZE], refresh[AUTH_TOKEN_SIZE];
    ts_t now = TS(START.v + 80 * NS_PER_SECOND);
    assert_int_equal(auth_credentials(auth, now, S(hmac_key.id), S("wrong"), &who),
                     AUTH_BAD_SIGNATURE);
    assert_int_equal(auth_credentials(auth, now, S(hmac_key.id), S(hmac_key.secret), &who),
                     AUTH_OK);
    who.scopes = SCOPE_read;
    auth_tokens_make(auth, now, &who, access, refresh);
    assert_int_equal(auth_bearer(auth, now, S(access), &who), AUTH_OK);
    assert_int_equal(who.scopes, SCOPE_read);
    assert_int_equal(auth_bearer(auth, now, S(refresh), &who), AUTH_BAD_TOKEN);
    ts_t later = TS(now.v + (AUTH_ACCESS_S + 1) * NS_PER_SECOND);
    assert_int_equal(auth_bearer(auth, later, S(access), &who), AUTH_BAD_TOKEN);
    assert_int_equal(auth_refresh(auth, later, S(refresh), &who), AUTH_OK);
    assert_int_equal(auth_refresh(auth, later, S(refresh), &who), AUTH_BAD_TOKEN);
    assert_int_equal(auth_bearer(auth, now, S("x"), &who), AUTH_BAD_TOKEN);
}

static void test_revoked(void **state)
{
    (void)state;
    char error[200];
    struct auth_identity who;
    assert_int_equal(keys_revoke(directory, "nobody", error, sizeof error), -1);
    assert_int_equal(keys_revoke(directory, hmac_key.id, error, sizeof error), 0);
    assert_true(keys_refresh(keys));
    assert_false(keys_refresh(keys));
    assert_int_equal(auth_credentials(auth, START, S(hmac_key.id), S(hmac_key.secret), &who),
                     AUTH_UNKNOWN_KEY);
}

static void test_torn_line(void **state)
{
    (void)state;
    char path[100], error[200];
    struct key made;
    snprintf(path, sizeof path, "%s/keys", directory);
    FILE *f = fopen(path, "a");
    fputs("key 3 hmac TORN sec", f);
    fclose(f);
    (void)keys_refresh(keys);
    assert_null(keys_find(keys, "TORN", 4));
    assert_int_equal(keys_make(directory, KEY_hmac, "carol", SCOPE_all, NULL, &made, error,
                               sizeof error), 0);
    assert_true(keys_refresh(keys));
    assert_non_null(keys_find(keys, made.id, strlen(made.id)));
    assert_null(keys_find(keys, "TORN", 4));
    assert_int_equal(keys_make(directory, KEY_hmac, "a b", SCOPE_all, NULL, &made, error,
                               sizeof error), -1);
}

static void test_throttle(void **state)
{
    (void)state;
    struct throttle t = throttle_make(500, 10);
    int64_t bucket = 0;
    ts_t now = START;
    for (int i = 0; i < 10; i++) assert_int_equal(throttle_take(&t, &bucket, now), 0);
    int64_t wait = throttle_take(&t, &bucket, now);
    assert_int_equal(wait, NS_PER_SECOND / 500);
    assert_int_equal(throttle_take(&t, &bucket, TS(now.v + wait)), 0);
    int passed = 0; /* ten seconds at twice the rate: 500 a second and the burst get through */
    for (int i = 0; i < 10000; i++)
        passed += throttle_take(&t, &bucket, TS(now.v + i * NS_PER_MS)) == 0;
    assert_in_range(passed, 4990, 5015);
}

static void test_header_parse(void **state)
{
    (void)state;
    struct auth_header h;
    assert_true(auth_header_parse(S("deri-hmac-sha256 id=a,ts=1,sig=2,nonce=3"), &h));
    assert_true(auth_header_parse(S("deri-hmac-sha256 id=a, ts=1 , nonce=3,sig=b=="), &h));
    assert_true(slice_is(h.sig, "b=="));
    assert_true(auth_header_parse(S("Bearer abc"), &h) && h.bearer);
    assert_false(auth_header_parse(S("deri-hmac-sha256 id=a,ts=1,sig=2"), &h));
    assert_false(auth_header_parse(S("deri-hmac-sha256 id=a,id=b,ts=1,sig=2,nonce=3"), &h));
    assert_false(auth_header_parse(S("Basic abc"), &h));
    assert_false(auth_header_parse(S("deri-hmac-sha256 "), &h));
    assert_false(auth_header_parse((struct slice){0}, &h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_parse),
        cmocka_unit_test(test_signed_request),
        cmocka_unit_test(test_before_start_is_stale),
        cmocka_unit_test(test_nonce_of_an_earlier_run),
        cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_torn_line),
        cmocka_unit_test(test_revoked),
        cmocka_unit_test(test_throttle),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
