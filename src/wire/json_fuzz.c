/* json_fuzz.c: any bytes through the reader; what is accepted is written again and read again, and
 * must give the same tokens. */
#include "base/assert.h"
#include "wire/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS = 256, BYTES = 1 << 16 };

static uint32_t value_copy(const struct json *j, uint32_t token, struct json_writer *w)
{
    static char text[BYTES];
    const struct json_token *t = &j->tokens[token];
    uint32_t i = token + 1;
    if (t->kind == JSON_object || t->kind == JSON_array) {
        if (t->kind == JSON_object) json_open_object(w);
        else json_open_array(w);
        while (i < t->next) {
            if (t->kind == JSON_object) {
                json_raw(w, j->text + j->tokens[i].start - 1, j->tokens[i].length + 2);
                json_raw(w, ":", 1);
                w->bytes[w->used - 2] = ':'; /* the writer put a comma before the colon */
                w->used -= 1;
                w->comma = false;
                i += 1;
            }
            i = value_copy(j, i, w);
        }
        if (t->kind == JSON_object) json_close_object(w);
        else json_close_array(w);
    } else if (t->kind == JSON_string) {
        int n = json_text(j, token, text, sizeof text);
        if (n < 0) json_raw(w, j->text + t->start - 1, t->length + 2);
        else json_string_n(w, text, (size_t)n);
    } else {
        json_raw(w, j->text + t->start, t->length);
    }
    ASSERT(i == t->next);
    return i;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_token first[TOKENS], second[TOKENS];
    static char copy[BYTES];
    if (size > BYTES / 8) return 0;
    char *exact = malloc(size + 1); /* so that a read behind the end is seen */
    if (exact == NULL) return 0;
    for (size_t i = 0; i < size; i++) exact[i] = (char)data[i];
    char *text = realloc(exact, size == 0 ? 1 : size);
    ASSERT(text != NULL);
    struct json j = {.tokens = first, .capacity = TOKENS};
    if (json_parse(&j, text, size) == JSON_OK) {
        struct json_writer w = {.bytes = copy, .capacity = sizeof copy};
        struct json again = {.tokens = second, .capacity = TOKENS};
        value_copy(&j, 0, &w);
        ASSERT(!w.overflow && json_parse(&again, copy, w.used) == JSON_OK);
        ASSERT(again.count == j.count);
        for (uint32_t i = 0; i < j.count; i++) {
            int64_t x, y;
            ASSERT(first[i].kind == second[i].kind && first[i].next == second[i].next);
            ASSERT(json_decimal(&j, i, 6, &x) == json_decimal(&again, i, 6, &y) && x == y);
        }
    }
    free(text);
    return 0;
}
