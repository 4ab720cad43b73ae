/* json.h: a strict reader and a bounded writer of JSON (RFC 8259), for requests and answers.
 *
 * The reader turns text into a flat array of tokens over the caller's buffer. Nothing is copied and
 * numbers stay text until somebody asks for them at a scale: they never go through a double.
 *
 * Invariants: (1) what is accepted is RFC 8259 in UTF-8, whole: one value and white space; (2) a
 * name stands once in an object; (3) depth, tokens and bytes are bounded by the caller's arrays and
 * the limits below; (4) tokens are in the order of the text, and a token's `next` is the first one
 * behind its whole subtree; (5) the writer never writes behind its capacity: it sets `overflow`.
 *
 * Upstream: bytes of strangers. Downstream: gate (requests), cli (script), node (configuration).
 */
#ifndef DOJIMA_WIRE_JSON_H
#define DOJIMA_WIRE_JSON_H

#include "base/decimal.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 16 };

enum json_kind {
    JSON_null = 0,
    JSON_false,
    JSON_true,
    JSON_number,
    JSON_string, /* start and length: between the quotes, escapes as typed */
    JSON_array,
    JSON_object, /* its children: name (a string), value, name, value, ... */
};

struct json_token {
    uint8_t kind;
    uint8_t escaped; /* a string with escapes in it */
    uint16_t depth;
    uint32_t start; /* offset in the text */
    uint32_t length;
    uint32_t next;  /* index of the first token behind this one and all in it */
};

enum json_error {
    JSON_OK = 0,
    JSON_ERROR_syntax = -1,
    JSON_ERROR_depth = -2,     /* nested deeper than JSON_DEPTH_MAX */
    JSON_ERROR_capacity = -3,  /* more tokens than the array holds */
    JSON_ERROR_duplicate = -4, /* a name twice in one object */
};

struct json {
    const char *text; /* the caller's; must outlive the tokens */
    size_t length;
    struct json_token *tokens; /* the caller's */
    uint32_t capacity;
    uint32_t count;
    size_t error_at; /* offset of what was wrong */
};

/* Reads `length` bytes (below 2^31) into j->tokens (capacity at least 1). enum json_error. */
int json_parse(struct json *j, const char *text, size_t length);

/* A short sentence for an error. Static storage. */
const char *json_error_text(int error);

/* The value of this name in object `object` (a token's index), or 0 (the root, never a value). */
uint32_t json_member(const struct json *j, uint32_t object, const char *name);

/* Whether the string token's text, escapes resolved, equals `text`. */
bool json_equals(const struct json *j, uint32_t token, const char *text);

/* The string token's text, escapes resolved, with a zero byte behind; returns its length, or -1
 * when it does not fit `size` or contains a zero byte. */
int json_text(const struct json *j, uint32_t token, char *text, size_t size);

/* A number, or a string that holds one, at this scale. */
enum decimal_result json_decimal(const struct json *j, uint32_t token, int scale, int64_t *value);

/* How many values an array holds. */
uint32_t json_array_count(const struct json *j, uint32_t array);

/* ---- writer ---- */

struct json_writer {
    char *bytes; /* the caller's */
    size_t capacity;
    size_t used;
    bool overflow; /* something did not fit; what is in `bytes` is of no use */
    bool comma;    /* a value stands before the place of writing */
};

void json_reset(struct json_writer *w);
void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *name); /* plain ASCII, no quotes */
void json_null(struct json_writer *w);
void json_bool(struct json_writer *w, bool value);
void json_int(struct json_writer *w, int64_t value);
void json_uint(struct json_writer *w, uint64_t value);
void json_uint_text(struct json_writer *w, uint64_t value); /* in quotes */
void json_fixed(struct json_writer *w, int128_t value, int scale); /* value / 10^scale, exactly */
void json_string(struct json_writer *w, const char *text);
void json_string_n(struct json_writer *w, const char *text, size_t length);
void json_hex(struct json_writer *w, const uint8_t *bytes, size_t size); /* lower case, in quotes */
void json_raw(struct json_writer *w, const char *text, size_t length); /* a value as it stands */
void json_newline(struct json_writer *w);

/* A name and its value. */
void json_key_bool(struct json_writer *w, const char *name, bool value);
void json_key_int(struct json_writer *w, const char *name, int64_t value);
void json_key_string(struct json_writer *w, const char *name, const char *text);
void json_key_hex(struct json_writer *w, const char *name, const uint8_t *bytes, size_t size);
void json_key_fixed(struct json_writer *w, const char *name, int128_t value, int scale);
void json_key_null(struct json_writer *w, const char *name);
void json_key_price(struct json_writer *w, const char *name, price_t price); /* null: none */
void json_key_ms(struct json_writer *w, const char *name, ts_t ts); /* floored */

#endif
