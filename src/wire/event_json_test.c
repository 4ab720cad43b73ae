/* event_json_test.c: every kind of event is one object, in which no key stands twice. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/assert.h"
#include "wire/event_json.h"

#include <string.h>

static const char *name_any(void *context, uint32_t id)
{
    (void)context;
    return id == 1 ? "one" : "";
}

/* An event of this kind whose words are all 1: every field is told, every text is "\1". */
static const struct event_header *event_of_ones(uint16_t kind)
{
    static uint32_t words[2048];
    struct event_header *h = (struct event_header *)(void *)words;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) words[i] = 1;
    *h = (struct event_header){.seq = 7, .ts = TS(NS_PER_DAY), .kind = kind, .index = 3};
    /* The core counts a token's hour from 1970, within what nanoseconds can say. */
    if (kind == EVENT_token) ((struct event_token *)h)->hour = 1;
    return h;
}

/* The parser refuses a name that stands twice. */
static void test_no_key_stands_twice(void **state)
{
    static char text[65536];
    static struct json_token tokens[256];
    const struct event_names all = {NULL,     name_any, name_any, name_any,
                                    name_any, name_any, name_any};
    (void)state;
    for (uint16_t kind = 1; kind < EVENT_kind_count; kind++) {
        for (int named = 0; named < 2; named++) {
            struct json_writer w = {.bytes = text, .capacity = sizeof text};
            struct json j = {.tokens = tokens, .capacity = 256};
            event_json_write(&w, event_of_ones(kind), named ? &all : NULL);
            assert_false(w.overflow);
            if (json_parse(&j, text, w.used) != JSON_OK)
                fail_msg("%s: %.*s", event_kind_name((enum event_kind)kind), (int)w.used, text);
        }
    }
}

/* What an hour's price is of stands by its name, or else by its number. */
static void test_index_by_name(void **state)
{
    static char text[65536];
    const struct event_names names = {.index = name_any};
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct json_writer w = {.bytes = text, .capacity = sizeof text};
        event_json_write(&w, event_of_ones(EVENT_index_price), named ? &names : NULL);
        text[w.used] = 0;
        assert_non_null(strstr(text, named ? "\"index_name\":\"one\"" : "\"index_name\":1,"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_key_stands_twice),
        cmocka_unit_test(test_index_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
