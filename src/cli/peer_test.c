/* peer_test.c: two peers over a real socket: signed requests, refusals, long answers, bounds. */
#include "cli/client_http.h"
#include "cli/peer_internal.h"

#include "proof/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct signing_key key;
static const struct peer_asker asker = {.key = &key};
static struct peer_server *server;
static pthread_t thread;
static char endpoint[64];
static atomic_int under_way, most;

static void slow(struct peer_response *out)
{
    int now = atomic_fetch_add(&under_way, 1) + 1;
    if (now > atomic_load(&most)) atomic_store(&most, now);
    (void)usleep(150000);
    (void)atomic_fetch_sub(&under_way, 1);
    out->status = 200;
    out->body = strdup("{}");
    out->size = 2;
}

static void handle(void *context, const struct peer_request *r, struct peer_response *out)
{
    char text[256];
    struct json_writer w = {.bytes = text, .capacity = sizeof text};
    (void)context;
    if (strcmp(r->path, "/echo") == 0) {
        *out = (struct peer_response){.status = 200, .bytes = true, .body = malloc(r->size + 1),
                                      .size = r->size};
        memcpy(out->body, r->body, r->size);
    } else if (strcmp(r->path, "/who") == 0) {
        json_open_object(&w);
        json_key_hex(&w, "key", r->key, NOTE_KEY_SIZE);
        json_close_object(&w);
        peer_respond(out, &w);
    } else if (strcmp(r->path, "/slow") == 0) {
        slow(out);
    } else if (strcmp(r->path, "/large") == 0) {
        *out = (struct peer_response){.status = 200, .bytes = true, .body = calloc(1, 20 << 20),
                                      .size = 20 << 20};
    } else if (strcmp(r->path, "/nothing") != 0) {
        peer_refuse(out, 404, "there is no %s", r->path);
    }
}

static void *serve(void *context)
{
    (void)context;
    peer_server_run(server, NULL);
    return NULL;
}

static int start(void **state)
{
    char error[256];
    uint8_t seed[NOTE_SEED_SIZE] = {1, 2, 3};
    (void)state;
    if (sodium_init() < 0) return -1;
    note_keys(seed, key.key, key.secret);
    const struct peer_options o = {.listen = "127.0.0.1:0"};
    server = peer_server_open(&o, handle, NULL, error, sizeof error);
    if (server == NULL) return -1;
    (void)snprintf(endpoint, sizeof endpoint, "127.0.0.1:%d", peer_server_port(server));
    return pthread_create(&thread, NULL, serve, NULL);
}

static int stop(void **state)
{
    (void)state;
    peer_server_stop(server);
    return pthread_join(thread, NULL);
}

static enum peer_status ask(const char *path, const void *body, size_t size, size_t most_bytes,
                            struct peer_answer *a)
{
    return peer_ask(endpoint, path, &asker, body, size, 10, most_bytes, a);
}

static void what_is_sent_comes_back(void **state)
{
    struct peer_answer a;
    uint8_t bytes[100000], back[NOTE_KEY_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7);
    assert_int_equal(ask("/echo", bytes, sizeof bytes, 1 << 20, &a), PEER_ok);
    assert_int_equal(a.size, sizeof bytes);
    assert_memory_equal(a.bytes, bytes, sizeof bytes);
    peer_answer_free(&a);
    assert_int_equal(ask("/who", "{}", 2, 1 << 20, &a), PEER_ok);
    assert_true(peer_answer_json(&a));
    assert_true(peer_hex(&a.json, 0, "key", back, sizeof back));
    assert_memory_equal(back, key.key, sizeof back);
    peer_answer_free(&a);
}

static void refusals_say_why(void **state)
{
    struct peer_answer a;
    (void)state;
    assert_int_equal(ask("/other", "{}", 2, 1 << 20, &a), PEER_refused);
    assert_string_equal(a.error, "HTTP 404: there is no /other");
    peer_answer_free(&a);
    assert_int_equal(ask("/nothing", "{}", 2, 1 << 20, &a), PEER_refused); /* a handler's fault */
    peer_answer_free(&a);
    assert_int_equal(peer_ask("127.0.0.1:1", "/who", &asker, "", 0, 2, 100, &a), PEER_unreachable);
    assert_true(a.error[0] != 0);
    peer_answer_free(&a);
    assert_int_equal(peer_ask("no endpoint", "/who", &asker, "", 0, 2, 100, &a), PEER_refused);
    peer_answer_free(&a);
}

/* Another machine is not asked in the clear, and what only looks like this one is another. */
static void other_machines_are_asked_by_https(void **state)
{
    static const char *const others[] = {"192.0.2.1:9", "http://192.0.2.1:9", "127.0.0.1.example:9",
                                         "http://[2001:db8::1]:9", "localhost.example:80",
                                         "HTTP://192.0.2.1:9"};
    static const char *const none[] = {"ftp://127.0.0.1:9", "https://", "http://user@127.0.0.1:9"};
    struct peer_answer a;
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(peer_ask(others[i], "/who", &asker, "", 0, 1, 100, &a), PEER_refused);
        assert_non_null(strstr(a.error, "is another machine, and its endpoint not https"));
        peer_answer_free(&a);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(peer_ask(none[i], "/who", &asker, "", 0, 1, 100, &a), PEER_refused);
        assert_non_null(strstr(a.error, "is no endpoint"));
        peer_answer_free(&a);
    }
    static const char *const here[] = {"127.0.0.1:1", "http://127.9.9.9:1", "http://localhost:1",
                                       "http://[::1]:1"};
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        assert_int_equal(peer_ask(here[i], "/who", &asker, "", 0, 2, 100, &a), PEER_unreachable);
        peer_answer_free(&a);
    }
}

static void sizes_are_bounded(void **state)
{
    struct peer_answer a;
    char *large = calloc(1, PEER_REQUEST_MAX + 1);
    (void)state;
    assert_non_null(large);
    assert_int_equal(ask("/large", "{}", 2, 21 << 20, &a), PEER_ok);
    assert_int_equal(a.size, 20 << 20);
    peer_answer_free(&a);
    assert_int_equal(ask("/large", "{}", 2, 1 << 20, &a), PEER_unreachable);
    peer_answer_free(&a);
    assert_int_equal(ask("/echo", large, PEER_REQUEST_MAX, PEER_REQUEST_MAX, &a), PEER_ok);
    peer_answer_free(&a);
    assert_int_not_equal(ask("/echo", large, PEER_REQUEST_MAX + 1, 1 << 24, &a), PEER_ok);
    peer_answer_free(&a);
    free(large);
}

static void *ask_slow(void *context)
{
    struct peer_answer a;
    *(enum peer_status *)context = ask("/slow", "{}", 2, 100, &a);
    peer_answer_free(&a);
    return NULL;
}

static void long_answers_hold_up_no_other(void **state)
{
    pthread_t threads[3];
    enum peer_status got[3];
    (void)state;
    atomic_store(&most, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_slow, &got[i]), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(got[i], PEER_ok);
    }
    assert_true(atomic_load(&most) >= 2);
}

static int plain(const char *path, const char *header)
{
    struct http_url url;
    char address[96], *answer = NULL, error[256];
    size_t size;
    int status = 0;
    (void)snprintf(address, sizeof address, "http://%s", endpoint);
    assert_true(http_url_parse(address, &url));
    assert_int_equal(http_post(&url, path, header, "{}", &answer, &size, &status, error,
                               sizeof error), 0);
    free(answer);
    return status;
}

static void what_is_not_signed_well_reaches_nobody(void **state)
{
    (void)state;
    assert_int_equal(plain("/who", ""), 401);
    assert_int_equal(plain("/who", "Authorization: dojima-peer key=00,ts=1,sig=00\r\n"), 401);
    assert_int_equal(plain("/who", "Authorization: deri-hmac-sha256 id=a\r\n"), 401);
}

static void signature(char *out, size_t size, const char *path, const char *body, int64_t ms)
{
    char text[256], hash[DIGEST_TEXT_SIZE], hex[129], who[65];
    uint8_t made[NOTE_SIGNATURE_SIZE];
    struct digest d = digest_of(body, strlen(body));
    digest_text(hash, &d);
    int n = snprintf(text, sizeof text, "dojima peer 1\n%s\n%lld\n%s\n", path, (long long)ms, hash);
    assert_int_equal(crypto_sign_detached(made, NULL, (uint8_t *)text, (unsigned long long)n,
                                          key.secret), 0);
    hex_write(hex, made, sizeof made);
    hex_write(who, key.key, NOTE_KEY_SIZE);
    hex[128] = who[64] = 0;
    (void)snprintf(out, size, "dojima-peer key=%s,ts=%lld,sig=%s", who, (long long)ms, hex);
}

static const char *checked(const char *header, const char *path, const char *body, int64_t now)
{
    uint8_t who[NOTE_KEY_SIZE];
    return peer_signature_check(header, strlen(header), path, body, strlen(body), now, who);
}

static void a_signature_is_of_one_request_at_one_time(void **state)
{
    char header[512];
    (void)state;
    signature(header, sizeof header, "/open", "{\"a\":1}", 1000000);
    assert_null(checked(header, "/open", "{\"a\":1}", 1000000 + PEER_WINDOW_MS));
    assert_non_null(checked(header, "/open", "{\"a\":2}", 1000000));
    assert_non_null(checked(header, "/tasks", "{\"a\":1}", 1000000));
    assert_non_null(checked(header, "/open", "{\"a\":1}", 1000001 + PEER_WINDOW_MS));
    assert_non_null(checked(header, "/open", "{\"a\":1}", 999999 - PEER_WINDOW_MS));
    for (size_t i = 0; i < strlen(header); i++) { /* any other header is refused */
        char changed[512];
        (void)snprintf(changed, sizeof changed, "%s", header);
        changed[i] = changed[i] == '7' ? '8' : '7';
        assert_non_null(checked(changed, "/open", "{\"a\":1}", 1000000));
        changed[i] = 0;
        assert_non_null(checked(changed, "/open", "{\"a\":1}", 1000000));
    }
}

static void a_key_is_made_once_and_kept_from_others(void **state)
{
    char path[] = "/tmp/dojima-key-XXXXXX", error[256];
    struct signing_key first, again;
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    (void)close(file);
    assert_int_equal(signing_key_read(path, true, &first, error, sizeof error), -1); /* empty */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(signing_key_read(path, false, &first, error, sizeof error), -1);
    assert_int_equal(signing_key_read(path, true, &first, error, sizeof error), 0);
    assert_int_equal(signing_key_read(path, true, &again, error, sizeof error), 0);
    assert_memory_equal(&first, &again, sizeof first);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(signing_key_read(path, false, &again, error, sizeof error), -1);
    assert_non_null(strstr(error, "others"));
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_comes_back),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(other_machines_are_asked_by_https),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(long_answers_hold_up_no_other),
        cmocka_unit_test(what_is_not_signed_well_reaches_nobody),
        cmocka_unit_test(a_signature_is_of_one_request_at_one_time),
        cmocka_unit_test(a_key_is_made_once_and_kept_from_others),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
