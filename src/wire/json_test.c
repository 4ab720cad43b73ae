/* json_test.c: what RFC 8259 allows, what it does not, and the writer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/json.h"

#include <string.h>

static struct json_token tokens[64];

static int parse(struct json *j, const char *text)
{
    *j = (struct json){.tokens = tokens, .capacity = 64};
    return json_parse(j, text, strlen(text));
}

static void test_accepts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}", "[]", " [ 1 , 2 ] ", "\"\"", "null", "true", "false", "0", "-0.5e+10",
        "{\"a\":{\"a\":[{}]}}", "\"\\u00e9\\ud83d\\ude00\\n\"", "\"\xc3\xa9\"",
        "{\"a\":1,\"b\":2}"};
    struct json j;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (parse(&j, good[i]) != JSON_OK) fail_msg("%s", good[i]);
    }
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
        "[,1]", "tru", "truex", "nul", "01", "+1", "1.", ".5", "NaN", "\"", "\"\\x\"", "\"\t\"",
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\xff\"", "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "{} {}", "[1]]", "// 1", "\xef\xbb\xbf{}"};
    struct json j;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(&j, bad[i]) != JSON_ERROR_syntax) fail_msg("accepted: %s", bad[i]);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    struct json j;
    assert_int_equal(parse(&j, "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), JSON_OK);
    assert_int_equal(parse(&j, "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), JSON_ERROR_depth);
    assert_int_equal(parse(&j, "{\"a\":1,\"a\":2}"), JSON_ERROR_duplicate);
    assert_int_equal(parse(&j, "{\"a\":1,\"\\u0061\":2}"), JSON_ERROR_duplicate);
    assert_int_equal(parse(&j, "{\"a\":{\"b\":1},\"b\":{\"a\":1}}"), JSON_OK);
    j = (struct json){.tokens = tokens, .capacity = 3};
    assert_int_equal(json_parse(&j, "[1,2]", 5), JSON_OK);
    assert_int_equal(json_parse(&j, "[1,2,3]", 7), JSON_ERROR_capacity);
}

static void test_access(void **state)
{
    (void)state;
    struct json j;
    static const char text_in[] = "{\"n\":[1,{\"x\":0}],\"p\":100.5,\"t\":\"0.1\","
                                  "\"s\":\"a\\u00e9\\\"\"}";
    assert_int_equal(parse(&j, text_in), JSON_OK);
    uint32_t n = json_member(&j, 0, "n"), p = json_member(&j, 0, "p");
    int64_t v;
    assert_int_equal(json_array_count(&j, n), 2);
    assert_int_equal(json_decimal(&j, p, 6, &v), DECIMAL_exact);
    assert_true(v == 100500000);
    assert_int_equal(json_decimal(&j, json_member(&j, 0, "t"), 1, &v), DECIMAL_exact);
    assert_true(v == 1);
    assert_int_equal(json_decimal(&j, n, 1, &v), DECIMAL_malformed);
    char text[8];
    assert_int_equal(json_text(&j, json_member(&j, 0, "s"), text, sizeof text), 4);
    assert_string_equal(text, "a\xc3\xa9\"");
    assert_int_equal(json_text(&j, json_member(&j, 0, "s"), text, 4), -1);
    assert_int_equal(json_member(&j, 0, "x"), 0);
    assert_int_equal(parse(&j, "\"a\\u0000b\""), JSON_OK);
    assert_int_equal(json_text(&j, 0, text, sizeof text), -1);
}

static void test_writer(void **state)
{
    (void)state;
    char bytes[256];
    struct json_writer w = {.bytes = bytes, .capacity = sizeof bytes};
    json_open_object(&w);
    json_key_int(&w, "a", -1);
    json_key_fixed(&w, "b", 100500000, 6);
    json_key(&w, "c");
    json_open_array(&w);
    json_string(&w, "q\"\\\n");
    json_uint_text(&w, UINT64_MAX);
    json_open_object(&w);
    json_close_object(&w);
    json_close_array(&w);
    json_key_price(&w, "d", PRICE_NONE);
    json_key_ms(&w, "e", TS(1999999));
    json_key_hex(&w, "f", (const uint8_t[]){0x00, 0x9a, 0xff}, 3);
    json_close_object(&w);
    assert_false(w.overflow);
    bytes[w.used] = 0;
    assert_string_equal(bytes, "{\"a\":-1,\"b\":100.5,\"c\":[\"q\\\"\\\\\\u000a\","
                               "\"18446744073709551615\",{}],\"d\":null,\"e\":1,\"f\":\"009aff\"}");
    w = (struct json_writer){.bytes = bytes, .capacity = 4};
    json_string(&w, "abcd");
    assert_true(w.overflow);
    assert_true(w.used <= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts), cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_bounds),  cmocka_unit_test(test_access),
        cmocka_unit_test(test_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
