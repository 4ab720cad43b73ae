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

static void test_websocket_accept(void **state)
{
    (void)state;
    char out[WEBSOCKET_ACCEPT_SIZE]; /* the example of RFC 6455, 1.3 */
    assert_true(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", 24, out));
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_false(websocket_accept("short", 5, out));
}

static void test_websocket_frames(void **state)
{
    (void)state;
    /* "Hello", masked: RFC 6455, 5.7 */
    unsigned char hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    struct websocket_frame f;
    size_t used = 0;
    int code = 0;
    for (size_t i = 0; i < sizeof hello; i++)
        assert_int_equal(websocket_parse(hello, i, 100, &f, &used, &code), WEBSOCKET_MORE);
    assert_int_equal(websocket_parse(hello, sizeof hello, 100, &f, &used, &code),
                     WEBSOCKET_FRAME);
    assert_int_equal(used, sizeof hello);
    assert_true(f.final);
    assert_memory_equal(f.payload, "Hello", 5);
    static const struct { unsigned char bytes[10]; int code; } bad[] = {
        {{0x81, 0x05}, WEBSOCKET_PROTOCOL_ERROR},       /* not masked */
        {{0xc1, 0x80}, WEBSOCKET_PROTOCOL_ERROR},       /* reserved bit */
        {{0x83, 0x80}, WEBSOCKET_PROTOCOL_ERROR},       /* unknown opcode */
        {{0x09, 0x80}, WEBSOCKET_PROTOCOL_ERROR},       /* fragmented control */
        {{0x89, 0xfe}, WEBSOCKET_PROTOCOL_ERROR},       /* long control */
        {{0x81, 0xfe, 0, 5}, WEBSOCKET_PROTOCOL_ERROR}, /* not the shortest size */
        {{0x81, 0xfe, 1, 0}, WEBSOCKET_TOO_BIG},
        {{0x81, 0xff, 0x80}, WEBSOCKET_PROTOCOL_ERROR},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unsigned char copy[10];
        memcpy(copy, bad[i].bytes, sizeof copy);
        assert_int_equal(websocket_parse(copy, sizeof copy, 100, &f, &used, &code),
                         WEBSOCKET_BAD);
        assert_int_equal(code, bad[i].code);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    static const char *const bad[] = {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80", "\x80", "\xc3", "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(utf8_is_valid((const unsigned char *)good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(utf8_is_valid((const unsigned char *)bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_is_understood), cmocka_unit_test(test_incomplete_waits),
        cmocka_unit_test(test_malformed_is_refused),  cmocka_unit_test(test_query),
        cmocka_unit_test(test_websocket_accept),      cmocka_unit_test(test_websocket_frames),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
