/* json.c: the reader; see json.h. */
#include "wire/json.h"

#include "base/assert.h"

#include <string.h>

struct reader {
    struct json *j;
    const unsigned char *text;
    size_t at;
};

static int value_read(struct reader *r, uint16_t depth);

static int fail(struct reader *r, int error)
{
    r->j->error_at = r->at;
    return error;
}

static bool has(const struct reader *r, unsigned char c)
{
    return r->at < r->j->length && r->text[r->at] == c;
}

static void space_skip(struct reader *r)
{
    while (r->at < r->j->length) {
        unsigned char c = r->text[r->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return;
        r->at += 1;
    }
}

/* A new token, or NULL when the array is full. */
static struct json_token *token_push(struct reader *r, enum json_kind kind, uint16_t depth)
{
    if (r->j->count == r->j->capacity) return NULL;
    struct json_token *t = &r->j->tokens[r->j->count++];
    *t = (struct json_token){.kind = (uint8_t)kind, .depth = depth, .start = (uint32_t)r->at};
    t->next = r->j->count;
    return t;
}

/* The length of the UTF-8 sequence at p (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4) return 0;
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < n) return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
    }
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    if (p[0] == 0xed && p[1] > 0x9f) return 0;
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
    return n;
}

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const unsigned char *p, size_t left)
{
    int32_t v = 0;
    if (left < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* Resolves the escape at p[0] == '\\' into a code point; *used: its bytes; -1: no such escape. */
static int32_t escape_read(const unsigned char *p, size_t left, size_t *used)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (left < 2) return -1;
    *used = 2;
    const char *simple = p[1] == 0 ? NULL : strchr(from, p[1]);
    if (simple != NULL) return to[simple - from];
    if (p[1] != 'u') return -1;
    int32_t high = hex4(p + 2, left - 2);
    *used = 6;
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || left < 8 || p[6] != '\\' || p[7] != 'u') return -1;
    int32_t low = hex4(p + 8, left - 8);
    *used = 12;
    if (low < 0xdc00 || low > 0xdfff) return -1;
    return 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
}

static int string_read(struct reader *r, uint16_t depth)
{
    size_t used = 0;
    r->at += 1;
    struct json_token *t = token_push(r, JSON_string, depth);
    if (t == NULL) return fail(r, JSON_ERROR_capacity);
    for (; r->at < r->j->length; r->at += used) {
        const unsigned char *p = r->text + r->at;
        size_t left = r->j->length - r->at;
        if (*p == '"') {
            t->length = (uint32_t)r->at - t->start;
            r->at += 1;
            return JSON_OK;
        }
        if (*p < 0x20) break;
        if (*p == '\\') {
            t->escaped = 1;
            if (escape_read(p, left, &used) < 0) break;
        } else {
            used = utf8_length(p, left);
            if (used == 0) break;
        }
    }
    return fail(r, JSON_ERROR_syntax);
}

static int number_read(struct reader *r, uint16_t depth)
{
    struct json_token *t = token_push(r, JSON_number, depth);
    if (t == NULL) return fail(r, JSON_ERROR_capacity);
    while (r->at < r->j->length && r->text[r->at] != 0 &&
           strchr("+-.0123456789eE", r->text[r->at]) != NULL)
        r->at += 1;
    t->length = (uint32_t)r->at - t->start;
    int64_t unused;
    if (decimal_parse(r->j->text + t->start, t->length, 0, &unused) == DECIMAL_malformed)
        return fail(r, JSON_ERROR_syntax);
    return JSON_OK;
}

static int word_read(struct reader *r, enum json_kind kind, const char *word, uint16_t depth)
{
    size_t n = strlen(word);
    if (r->j->length - r->at < n || memcmp(r->text + r->at, word, n) != 0)
        return fail(r, JSON_ERROR_syntax);
    struct json_token *t = token_push(r, kind, depth);
    if (t == NULL) return fail(r, JSON_ERROR_capacity);
    t->length = (uint32_t)n;
    r->at += n;
    return JSON_OK;
}

/* The next code point of a string token at *at; INT32_MIN at its end. */
static int32_t string_next(const struct json *j, const struct json_token *t, size_t *at)
{
    const unsigned char *p = (const unsigned char *)j->text + t->start + *at;
    size_t left = t->length - *at, used = 0;
    if (left == 0) return INT32_MIN;
    if (*p == '\\') {
        int32_t c = escape_read(p, left, &used);
        *at += used;
        return c;
    }
    used = utf8_length(p, left);
    *at += used;
    if (used == 1) return p[0];
    int32_t c = p[0] & (0xff >> (used + 1));
    for (size_t i = 1; i < used; i++) c = c * 64 + (p[i] & 0x3f);
    return c;
}

static bool strings_equal(const struct json *j, uint32_t a, uint32_t b)
{
    const struct json_token *x = &j->tokens[a], *y = &j->tokens[b];
    if (!x->escaped && !y->escaped)
        return x->length == y->length &&
               memcmp(j->text + x->start, j->text + y->start, x->length) == 0;
    size_t i = 0, k = 0;
    for (;;) {
        int32_t c = string_next(j, x, &i);
        if (c != string_next(j, y, &k)) return false;
        if (c == INT32_MIN) return true;
    }
}

/* Whether the last name of `object` stands in it before. Quadratic in the names of one object,
 * which the token array bounds. */
static bool name_repeats(const struct json *j, uint32_t object, uint32_t name)
{
    for (uint32_t i = object + 1; i < name; i = j->tokens[i + 1].next) {
        if (strings_equal(j, i, name)) return true;
    }
    return false;
}

static int pair_read(struct reader *r, uint32_t object, uint16_t depth)
{
    uint32_t name = r->j->count;
    if (!has(r, '"')) return fail(r, JSON_ERROR_syntax);
    int e = string_read(r, (uint16_t)(depth + 1));
    if (e != JSON_OK) return e;
    if (name_repeats(r->j, object, name)) return fail(r, JSON_ERROR_duplicate);
    space_skip(r);
    if (!has(r, ':')) return fail(r, JSON_ERROR_syntax);
    r->at += 1;
    return value_read(r, (uint16_t)(depth + 1));
}

static int container_read(struct reader *r, bool object, uint16_t depth)
{
    uint32_t self = r->j->count;
    unsigned char end = object ? '}' : ']';
    if (depth >= JSON_DEPTH_MAX) return fail(r, JSON_ERROR_depth);
    if (token_push(r, object ? JSON_object : JSON_array, depth) == NULL)
        return fail(r, JSON_ERROR_capacity);
    r->at += 1;
    space_skip(r);
    for (bool first = true; !has(r, end); first = false) {
        if (!first && !has(r, ',')) return fail(r, JSON_ERROR_syntax);
        if (!first) r->at += 1;
        space_skip(r);
        int e = object ? pair_read(r, self, depth) : value_read(r, (uint16_t)(depth + 1));
        if (e != JSON_OK) return e;
        space_skip(r);
    }
    r->at += 1;
    r->j->tokens[self].length = (uint32_t)r->at - r->j->tokens[self].start;
    r->j->tokens[self].next = r->j->count;
    return JSON_OK;
}

/* Recursion is bounded by JSON_DEPTH_MAX. */
static int value_read(struct reader *r, uint16_t depth)
{
    space_skip(r);
    if (r->at >= r->j->length) return fail(r, JSON_ERROR_syntax);
    switch (r->text[r->at]) {
    case '{': return container_read(r, true, depth);
    case '[': return container_read(r, false, depth);
    case '"': return string_read(r, depth);
    case 't': return word_read(r, JSON_true, "true", depth);
    case 'f': return word_read(r, JSON_false, "false", depth);
    case 'n': return word_read(r, JSON_null, "null", depth);
    default: return number_read(r, depth);
    }
}

int json_parse(struct json *j, const char *text, size_t length)
{
    ASSERT(j->capacity >= 1 && length < UINT32_MAX / 2);
    j->text = text;
    j->length = length;
    j->count = 0;
    j->error_at = 0;
    struct reader r = {.j = j, .text = (const unsigned char *)text};
    int e = value_read(&r, 0);
    if (e != JSON_OK) return e;
    space_skip(&r);
    return r.at == length ? JSON_OK : fail(&r, JSON_ERROR_syntax);
}

const char *json_error_text(int error)
{
    switch (error) {
    case JSON_ERROR_depth: return "nested too deep";
    case JSON_ERROR_capacity: return "too many values";
    case JSON_ERROR_duplicate: return "a name stands twice in one object";
    default: return "not JSON";
    }
}

bool json_equals(const struct json *j, uint32_t token, const char *text)
{
    const struct json_token *t = &j->tokens[token];
    size_t n = strlen(text);
    if (t->kind != JSON_string) return false;
    if (!t->escaped) return t->length == n && memcmp(j->text + t->start, text, n) == 0;
    char resolved[256];
    int length = json_text(j, token, resolved, sizeof resolved);
    return length >= 0 && (size_t)length == n && memcmp(resolved, text, n) == 0;
}

uint32_t json_member(const struct json *j, uint32_t object, const char *name)
{
    const struct json_token *o = &j->tokens[object];
    if (o->kind != JSON_object) return 0;
    for (uint32_t i = object + 1; i < o->next; i = j->tokens[i + 1].next) {
        if (json_equals(j, i, name)) return i + 1;
    }
    return 0;
}

static size_t utf8_write(int32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)((0xf00 >> n & 0xff) | c);
    return n;
}

int json_text(const struct json *j, uint32_t token, char *text, size_t size)
{
    const struct json_token *t = &j->tokens[token];
    size_t at = 0, used = 0;
    ASSERT(t->kind == JSON_string && size > 0);
    for (;;) {
        int32_t c = string_next(j, t, &at);
        if (c == INT32_MIN) break;
        char utf8[4];
        size_t n = utf8_write(c, utf8);
        if (c == 0 || used + n >= size) return -1;
        memcpy(text + used, utf8, n);
        used += n;
    }
    text[used] = 0;
    return (int)used;
}

enum decimal_result json_decimal(const struct json *j, uint32_t token, int scale, int64_t *value)
{
    const struct json_token *t = &j->tokens[token];
    *value = 0;
    if (t->kind != JSON_number && t->kind != JSON_string) return DECIMAL_malformed;
    return decimal_parse(j->text + t->start, t->length, scale, value);
}

uint32_t json_array_count(const struct json *j, uint32_t array)
{
    uint32_t n = 0;
    ASSERT(j->tokens[array].kind == JSON_array);
    for (uint32_t i = array + 1; i < j->tokens[array].next; i = j->tokens[i].next) n += 1;
    return n;
}
