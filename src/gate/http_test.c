/* http_test.c: requests that are understood, and requests that must be refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/http.h"
#include "gate/websocket.h"

enum { HEAD_MAX = 512 };

/* The result, or the status of a refusal. Parses a copy of exactly this size, so that a sanitizer
 * sees any read past it. */
static int parse(const char *text, struct http_request *r)
{
    static char *copy;
    size_t size = strlen(text);
    size_t head = 0;
    int status = 0;
    free(copy);
    copy = malloc(size + 1);
    memcpy(copy, text, size);
    enum http_result got = http_parse(copy, size, HEAD_MAX, r, &head, &status);
    return got == HTTP_DONE ? 0 : got == HTTP_MORE ? -1 : status;
}

static void test_request_is_understood(void **state)
{
    (void)state;
    struct http_request r;
    assert_int_equal(parse("GET /api/v2/public/ticker?a=b%20c&d=%3A HTTP/1.1\r\nHost: x\r\n"
                           "Authorization:  deri \r\n\r\n", &r), 0);
    assert_int_equal(r.method, HTTP_GET);
    assert_true(slice_is(r.target, "/api/v2/public/ticker?a=b%20c&d=%3A"));
    assert_true(slice_is(r.path, "/api/v2/public/ticker"));
    assert_true(slice_is(r.query, "a=b%20c&d=%3A"));
    assert_true(slice_is(r.authorization, "deri"));
    assert_true(r.keep_alive);
    assert_int_equal(parse("POST /x HTTP/1.1\r\ncontent-length: 12\r\nConnection: close\r\n\r\n",
                           &r), 0);
    assert_int_equal(r.content_length, 12);
    assert_false(r.keep_alive);
    assert_int_equal(parse("GET /ws HTTP/1.1\r\nUpgrade: WebSocket\r\n"
                           "Connection: keep-alive, Upgrade\r\n\r\n", &r), 0);
    assert_true(r.upgrade_websocket);
}

static void test_incomplete_waits(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    struct http_request r;
    char part[sizeof text];
    for (size_t i = 0; i < sizeof text - 1; i++) {
        memcpy(part, text, i);
        part[i] = 0;
        assert_int_equal(parse(part, &r), -1);
    }
    assert_int_equal(parse(text, &r), 0);
}

static void test_malformed_is_refused(void **state)
{
    (void)state;
    static const struct { const char *text; int status; } cases[] = {
        {"GET  / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\n\n\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n\r\n", 505},
        {"GET http://x/ HTTP/1.1\r\n\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
        {"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 1 2\r\n\r\n", 400},
        {"GET /  HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET /\t HTTP/1.1\r\n\r\n", 400},
        {"GET /#a HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nA:\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nA: b\nHost: c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nA: \x01\r\n\r\n", 400},
        {"FETCH / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nExpect: a miracle\r\n\r\n", 417},
        {"\x16\x03\x01", 400},
        {"\r\n\r\n", 400},
    };
    struct http_request r;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (parse(cases[i].text, &r) != cases[i].status)
            fail_msg("case %zu: %d", i, parse(cases[i].text, &r));
    }
    char large[HEAD_MAX + 64];
    memset(large, 'a', sizeof large);
    memcpy(large, "GET /", 5);
    large[sizeof large - 1] = 0;
    assert_int_equal(parse(large, &r), 431);
}

static void test_query(void **state)
{
    (void)state;
    struct http_pair p[2];
    char store[64];
    const char *q = "name=a+b%3Ac&empty";
    assert_int_equal(http_query_parse((struct slice){q, strlen(q)}, store, p, 2), 2);
    assert_int_equal(p[0].value_size, 5);
    assert_memory_equal(p[0].value, "a b:c", 5);
    assert_int_equal(p[1].value_size, 0);
    static const char *const bad[] = {"a=%", "a=%4", "a=%zz", "a=%00", "=b", "a=1&b=2&c=3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(http_query_parse((struct slice){bad[i], strlen(bad[i])}, store, p, 2),
                         -1);
    assert_int_equal(http_query_parse((struct slice){0}, store, p, 2), 0);
}

static void test_accepts(void **state)
{
    (void)state;
    static const struct { const char *list; bool accepts; } cases[] = {
        {"gzip", true}, {"deflate, GZIP;q=0.5", true}, {"br , gzip ; q=1.0", true},
        {"gzip;q=0", false}, {"gzip; q=0.000, br", false}, {"gzip;q=0.001", true},
        {"identity", false}, {"gzipped", false}, {"", false}, {",;,", false}, {"gzip;", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice list = {cases[i].list, strlen(cases[i].list)};
        if (slice_accepts(list, "gzip") != cases[i].accepts) fail_msg("%s", cases[i].list);
    }
    assert_false(slice_accepts((struct slice){0}, "gzip"));
}

static void test_websocket_accept(void **state)
{
    (void)state;
    char out[WEBSOCKET_ACCEPT_SIZE]; /* the example of RFC 6455, 1.3 */
    assert_true(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", 24, out));
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_false(websocket_accept("short", 5, out));
}

enum { MESSAGE_MAX = 300 };

struct told {
    char text[MESSAGE_MAX + 1]; /* of the message under way, then of the last */
    size_t size;
    int messages;
    char sent[64];
    size_t sent_size;
    bool full;
    int code;
    bool broken;
};

static void on_data(void *context, const void *bytes, size_t size)
{
    struct told *t = context;
    assert_true(t->size + size <= MESSAGE_MAX);
    memcpy(t->text + t->size, bytes, size);
    t->size += size;
}

static void on_message(void *context)
{
    struct told *t = context;
    t->text[t->size] = 0;
    t->size = 0;
    t->messages += 1;
}

static void on_send(void *context, const void *bytes, size_t size)
{
    struct told *t = context;
    assert_true(t->sent_size + size <= sizeof t->sent);
    memcpy(t->sent + t->sent_size, bytes, size);
    t->sent_size += size;
}

static bool has_room(void *context)
{
    return !((struct told *)context)->full;
}

static void on_ended(void *context, int code, bool broken, const char *reason)
{
    struct told *t = context;
    (void)reason;
    assert_int_equal(t->code, 0); /* once */
    t->code = code;
    t->broken = broken;
}

static const struct websocket_handler handler = {on_data, on_message, on_send, has_room, on_ended};

/* What is told of these bytes, given in steps. */
static void tell(struct told *t, const void *bytes, size_t size, size_t step)
{
    struct websocket *w = websocket_open(&handler, t, MESSAGE_MAX);
    for (size_t at = 0; at < size; at += step)
        websocket_read(w, (const char *)bytes + at, size - at < step ? size - at : step);
    websocket_close(w);
}

static void test_websocket_frames(void **state)
{
    (void)state;
    /* "Hello", masked: RFC 6455, 5.7; then a ping in the midst of "AB" in two fragments */
    static const unsigned char good[] = {
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0x01, 0x81, 0, 0, 0, 0,
        'A',  0x89, 0x82, 1,    2,    3,    4,    'a' ^ 1, 'b' ^ 2, 0x80, 0x81, 0, 0, 0, 0, 'B'};
    for (size_t step = 1; step <= sizeof good; step++) {
        struct told t = {0};
        tell(&t, good, 11, step);
        assert_int_equal(t.messages, 1);
        assert_string_equal(t.text, "Hello");
        tell(&t, good, sizeof good, step);
        assert_int_equal(t.messages, 3);
        assert_string_equal(t.text, "AB");
        assert_int_equal(t.sent_size, 4);
        assert_memory_equal(t.sent, "\x8a\x02" "ab", 4);
        assert_int_equal(t.code, 0);
    }
    struct told t = {.full = true};
    tell(&t, good, sizeof good, 5);
    assert_int_equal(t.messages, 2);
    assert_int_equal(t.sent_size, 0);
}

static void test_websocket_ends(void **state)
{
    (void)state;
    static const struct { unsigned char bytes[16]; int code; bool broken; } cases[] = {
        {{0x81, 0x05}, WEBSOCKET_PROTOCOL_ERROR, true},       /* not masked */
        {{0xc1, 0x80}, WEBSOCKET_PROTOCOL_ERROR, true},       /* reserved bit */
        {{0x83, 0x80}, WEBSOCKET_PROTOCOL_ERROR, true},       /* unknown opcode */
        {{0x8b, 0x80}, WEBSOCKET_PROTOCOL_ERROR, true},       /* unknown control opcode */
        {{0x09, 0x80}, WEBSOCKET_PROTOCOL_ERROR, true},       /* fragmented control */
        {{0x89, 0xfe}, WEBSOCKET_PROTOCOL_ERROR, true},       /* long control */
        {{0x81, 0xfe, 0, 5}, WEBSOCKET_PROTOCOL_ERROR, true}, /* not the shortest size */
        {{0x81, 0xff, 0x80}, WEBSOCKET_PROTOCOL_ERROR, true},
        {{0x80, 0x80}, WEBSOCKET_PROTOCOL_ERROR, true},       /* continues nothing */
        {{0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80}, WEBSOCKET_PROTOCOL_ERROR, true}, /* new in old */
        {{0x81, 0xfe, 1, 45}, WEBSOCKET_TOO_BIG, true},
        {{0x82, 0x80}, WEBSOCKET_UNSUPPORTED, true},
        {{0x81, 0x81, 0, 0, 0, 0, 0xff}, WEBSOCKET_NOT_UTF8, true},
        {{0x81, 0x81, 0, 0, 0, 0, 0xc3}, WEBSOCKET_NOT_UTF8, true},
        {{0x81, 0x83, 0, 0, 0, 0, 0xed, 0xa0, 0x80}, WEBSOCKET_NOT_UTF8, true},
        {{0x81, 0x82, 0, 0, 0, 0, 0xc0, 0x80}, WEBSOCKET_NOT_UTF8, true},
        {{0x88, 0x80}, WEBSOCKET_NORMAL, false},
        {{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9}, 1001, false},
        {{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xee}, WEBSOCKET_PROTOCOL_ERROR, true}, /* 1006 */
        {{0x88, 0x81}, WEBSOCKET_PROTOCOL_ERROR, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step <= 16; step++) {
            struct told t = {0};
            tell(&t, cases[i].bytes, sizeof cases[i].bytes, step);
            if (t.code != cases[i].code || t.broken != cases[i].broken || t.messages != 0)
                fail_msg("case %zu, step %zu: %d", i, step, t.code);
            assert_int_equal(t.sent_size, 0);
        }
    }
    static const unsigned char half[] = {0x01, 0xfe, 0, 160, 0, 0, 0, 0};
    unsigned char two[2 * (sizeof half + 160)] = {0}; /* each within the bound, not their sum */
    memcpy(two, half, sizeof half);
    memcpy(two + sizeof two / 2, half, sizeof half);
    two[sizeof two / 2] = 0x80;
    struct told t = {0};
    tell(&t, two, sizeof two, 50);
    assert_int_equal(t.code, WEBSOCKET_TOO_BIG);
}

static void test_websocket_write(void **state)
{
    (void)state;
    struct told t = {0};
    struct websocket *w = websocket_open(&handler, &t, MESSAGE_MAX);
    websocket_write(w, WEBSOCKET_TEXT, "Hello", 5); /* RFC 6455, 5.7 */
    assert_int_equal(t.sent_size, 7);
    assert_memory_equal(t.sent, "\x81\x05Hello", 7);
    t.sent_size = 0;
    websocket_write(w, WEBSOCKET_PING, "", 0);
    assert_int_equal(t.sent_size, 2);
    assert_memory_equal(t.sent, "\x89\x00", 2);
    websocket_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_is_understood), cmocka_unit_test(test_incomplete_waits),
        cmocka_unit_test(test_malformed_is_refused),  cmocka_unit_test(test_query),
        cmocka_unit_test(test_websocket_accept),      cmocka_unit_test(test_websocket_frames),
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_websocket_ends),        cmocka_unit_test(test_websocket_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
