/* note.c: see note.h. A type is a table of fields; writing and reading follow it line by line.
 *
 * The canonical form needs no second pass: each kind of value has one spelling that its reader
 * takes, so that what was read writes the same bytes (the tests and the fuzzer compare them).
 */
#include "proof/note.h"

#include "base/assert.h"
#include "base/time_text.h"
#include "proof/digest.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(NOTE_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(NOTE_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "Ed25519");
_Static_assert(NOTE_SEED_SIZE == crypto_sign_SEEDBYTES, "Ed25519");
_Static_assert(NOTE_SIGNATURE_SIZE == crypto_sign_BYTES, "Ed25519");

static const char PREFIX[] = "dojima ";
static const char SUFFIX[] = "-signature";
static const char *const type_names[] = {"", "certificate", "receipt", "verdict"};
enum { TYPES = sizeof type_names / sizeof type_names[0] };

/* 2262-01-01, in days since 1970: time_text.h knows no later years. */
static const int64_t DAYS_END = 106651;
static const uint128_t U128_MAX = ~(uint128_t)0 >> 1;

enum note_type note_type_of(const char *text, size_t length)
{
    size_t prefix = sizeof PREFIX - 1;
    if (length < prefix || memcmp(text, PREFIX, prefix) != 0) return NOTE_none;
    for (int type = 1; type < TYPES; type++) {
        size_t size = strlen(type_names[type]);
        if (length > prefix + size && memcmp(text + prefix, type_names[type], size) == 0 &&
            text[prefix + size] == ' ')
            return (enum note_type)type;
    }
    return NOTE_none;
}

__attribute__((format(printf, 4, 5)))
static int fail(struct note_error *e, int code, uint32_t line, const char *format, ...)
{
    if (e == NULL) return code;
    e->code = code;
    e->line = line;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(e->text, sizeof e->text, format, list);
    va_end(list);
    return code;
}

/* ---- values ---- */

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static bool is_text(char c) { return c >= ' ' && c <= '~'; }

/* Whether these bytes may be a value of a text kind whose array is of this size. */
static bool text_allowed(const struct note_field *f, const char *text, size_t length)
{
    if (length == 0 || length >= f->size) return false;
    for (size_t i = 0; i < length; i++)
        if (f->kind == NOTE_KIND_name ? !is_name(text[i]) : !is_text(text[i])) return false;
    return text[0] != ' ' && text[length - 1] != ' ';
}

/* Digits alone, no leading zero. */
static bool number_read(const char *text, size_t length, uint128_t max, uint128_t *value)
{
    uint128_t v = 0;
    if (length == 0 || (text[0] == '0' && length > 1)) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        uint128_t digit = (uint128_t)(text[i] - '0');
        if (v > (max - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *value = v;
    return true;
}

/* The time whose one spelling this is. */
static bool time_read(const char *text, size_t length, ts_t *ts)
{
    char again[TIME_TEXT_SIZE];
    return time_parse(text, length, ts) == 0 && ts->v % NS_PER_SECOND == 0 &&
           time_format(again, *ts) == length && memcmp(again, text, length) == 0;
}

static int word_read(const struct note_field *f, const char *text, size_t length)
{
    for (int i = 0; f->words[i] != NULL; i++)
        if (strlen(f->words[i]) == length && memcmp(f->words[i], text, length) == 0) return i;
    return -1;
}

static uint32_t word_count(const struct note_field *f)
{
    uint32_t n = 0;
    while (f->words[n] != NULL) n++;
    return n;
}

static int value_read_number(const struct note_field *f, void *to, const char *text, size_t length)
{
    uint128_t v;
    uint128_t max = f->kind == NOTE_KIND_u32 ? UINT32_MAX :
                    f->kind == NOTE_KIND_u64 ? INT64_MAX : U128_MAX;
    if (!number_read(text, length, max, &v)) return NOTE_bad_number;
    uint32_t u32 = (uint32_t)v;
    uint64_t u64 = (uint64_t)v;
    if (f->kind == NOTE_KIND_u32) memcpy(to, &u32, sizeof u32);
    else if (f->kind == NOTE_KIND_u64) memcpy(to, &u64, sizeof u64);
    else memcpy(to, &v, sizeof v);
    return 0;
}

static int value_read_time(const struct note_field *f, void *to, const char *text, size_t length)
{
    ts_t ts;
    if (!time_read(text, length, &ts)) return NOTE_bad_time;
    if (f->kind == NOTE_KIND_hour) {
        if (ts.v % NS_PER_HOUR != 0) return NOTE_bad_time;
        ts.v /= NS_PER_HOUR;
    }
    memcpy(to, &ts.v, sizeof ts.v);
    return 0;
}

static int value_read(const struct note_field *f, void *object, const char *text, size_t length)
{
    char *to = (char *)object + f->offset;
    int word;
    switch (f->kind) {
    case NOTE_KIND_name:
    case NOTE_KIND_text:
        if (!text_allowed(f, text, length)) return NOTE_bad_text;
        memset(to, 0, f->size);
        memcpy(to, text, length);
        return 0;
    case NOTE_KIND_u32:
    case NOTE_KIND_u64:
    case NOTE_KIND_u128: return value_read_number(f, to, text, length);
    case NOTE_KIND_word:
        if ((word = word_read(f, text, length)) < 0) return NOTE_bad_word;
        memcpy(to, &word, sizeof word);
        return 0;
    case NOTE_KIND_hour:
    case NOTE_KIND_second: return value_read_time(f, to, text, length);
    case NOTE_KIND_hex: return hex_read((uint8_t *)to, f->size, text, length) ? 0 : NOTE_bad_hex;
    }
    return NOTE_bad_text;
}

/* A number as decimal digits; returns the length. */
static size_t number_write(char *text, uint128_t value)
{
    char digits[40];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < n; i++) text[i] = digits[n - 1 - i];
    return n;
}

/* Returns the length: of a text at most its field's size, of hexadecimal twice that. */
static size_t value_write(const struct note_field *f, const void *object, char *text)
{
    const char *from = (const char *)object + f->offset;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    uint128_t u128 = 0;
    int64_t i64 = 0;
    char time[TIME_TEXT_SIZE];
    size_t length = 0;
    switch (f->kind) {
    case NOTE_KIND_name:
    case NOTE_KIND_text: length = strlen(from); memcpy(text, from, length); return length;
    case NOTE_KIND_u32: memcpy(&u32, from, sizeof u32); return number_write(text, u32);
    case NOTE_KIND_u64: memcpy(&u64, from, sizeof u64); return number_write(text, u64);
    case NOTE_KIND_u128: memcpy(&u128, from, sizeof u128); return number_write(text, u128);
    case NOTE_KIND_word:
        memcpy(&u32, from, sizeof u32);
        length = strlen(f->words[u32]);
        memcpy(text, f->words[u32], length);
        return length;
    case NOTE_KIND_hour:
    case NOTE_KIND_second:
        memcpy(&i64, from, sizeof i64);
        length = time_format(time, TS(f->kind == NOTE_KIND_hour ? i64 * NS_PER_HOUR : i64));
        memcpy(text, time, length);
        return length;
    case NOTE_KIND_hex:
        hex_write(text, (const uint8_t *)from, f->size);
        return 2 * (size_t)f->size;
    }
    return length;
}

/* What is wrong with a value that did not come out of a text. */
static int value_check(const struct note_field *f, const void *object)
{
    const char *from = (const char *)object + f->offset;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    uint128_t u128 = 0;
    int64_t i64 = 0;
    switch (f->kind) {
    case NOTE_KIND_name:
    case NOTE_KIND_text:
        return memchr(from, 0, f->size) != NULL && text_allowed(f, from, strlen(from))
                   ? 0 : NOTE_bad_text;
    case NOTE_KIND_u32:
    case NOTE_KIND_hex: return 0;
    case NOTE_KIND_u64:
        memcpy(&u64, from, sizeof u64);
        return u64 <= INT64_MAX ? 0 : NOTE_bad_number;
    case NOTE_KIND_u128:
        memcpy(&u128, from, sizeof u128);
        return u128 <= U128_MAX ? 0 : NOTE_bad_number;
    case NOTE_KIND_word:
        memcpy(&u32, from, sizeof u32);
        return u32 < word_count(f) ? 0 : NOTE_bad_word;
    case NOTE_KIND_hour:
        memcpy(&i64, from, sizeof i64);
        return within(i64, 0, DAYS_END * 24 - 1) ? 0 : NOTE_bad_time;
    case NOTE_KIND_second:
        memcpy(&i64, from, sizeof i64);
        return within(i64, 0, DAYS_END * NS_PER_DAY - 1) && i64 % NS_PER_SECOND == 0
                   ? 0 : NOTE_bad_time;
    }
    return NOTE_bad_text;
}

static const char *value_wanted(const struct note_field *f)
{
    switch (f->kind) {
    case NOTE_KIND_name: return "letters, digits, . _ - within its length";
    case NOTE_KIND_text: return "printable ASCII within its length, no space at either end";
    case NOTE_KIND_u32:
    case NOTE_KIND_u64:
    case NOTE_KIND_u128: return "a decimal integer in range, without sign or leading zeros";
    case NOTE_KIND_word: return "one of the words that may stand there";
    case NOTE_KIND_hour: return "a whole hour of UTC, as 2027-01-04T14:00:00Z";
    case NOTE_KIND_second: return "a whole second of UTC, as 2027-01-04T14:00:00Z";
    case NOTE_KIND_hex: return "lower-case hexadecimal digits of the right number";
    }
    return "";
}

int note_check(const struct note_form *form, const void *object, struct note_error *error)
{
    for (uint32_t i = 0; i < form->field_count; i++) {
        const struct note_field *f = &form->fields[i];
        int code = value_check(f, object);
        if (code != 0) return fail(error, code, 0, "%s is not %s", f->key, value_wanted(f));
    }
    const char *wrong = form->wrong == NULL ? NULL : form->wrong(object);
    return wrong == NULL ? 0 : fail(error, NOTE_inconsistent, 0, "%s", wrong);
}

/* ---- writing ---- */

static size_t copy(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length);
    return length;
}

/* All that is signed. */
static size_t body_write(const struct note_form *form, const void *object, char *text)
{
    size_t n = copy(text, PREFIX);
    n += copy(text + n, type_names[form->type]);
    n += copy(text + n, " 1\n");
    for (uint32_t i = 0; i < form->field_count; i++) {
        const struct note_field *f = &form->fields[i];
        n += copy(text + n, f->key);
        text[n++] = ' ';
        n += value_write(f, object, text + n);
        text[n++] = '\n';
    }
    return n;
}

static uint32_t signed_by_get(const struct note_form *form, const void *object)
{
    uint32_t bits;
    memcpy(&bits, (const char *)object + form->signed_by_offset, sizeof bits);
    return bits;
}

static const uint8_t *key_of(const struct note_form *form, const void *object, uint32_t role)
{
    return (const uint8_t *)object + form->roles[role].key_offset;
}

static const uint8_t *signature_of(const struct note_form *form, const void *object, uint32_t role)
{
    return (const uint8_t *)object + form->roles[role].signature_offset;
}

size_t note_encode(const struct note_form *form, const void *object, char text[NOTE_SIZE_MAX])
{
    ASSERT(note_check(form, object, NULL) == 0);
    size_t n = body_write(form, object, text);
    n += copy(text + n, "--\n");
    for (uint32_t role = 0; role < form->role_count; role++) {
        if ((signed_by_get(form, object) >> role & 1) == 0) continue;
        n += copy(text + n, form->roles[role].name);
        n += copy(text + n, SUFFIX);
        text[n++] = ' ';
        hex_write(text + n, signature_of(form, object, role), NOTE_SIGNATURE_SIZE);
        n += 2 * NOTE_SIGNATURE_SIZE;
        text[n++] = '\n';
    }
    ASSERT(n <= NOTE_SIZE_MAX);
    return n;
}

/* ---- reading ---- */

struct reader {
    const char *text;
    size_t length, at;
    uint32_t line;
    const char *start; /* the line, without its \n */
    size_t size;
};

/* The next line; NOTE_truncated where none is whole. */
static int line_next(struct reader *r)
{
    const char *start = r->text + r->at;
    const char *end = r->at < r->length ? memchr(start, '\n', r->length - r->at) : NULL;
    r->line += 1;
    if (end == NULL) return NOTE_truncated;
    r->start = start;
    r->size = (size_t)(end - start);
    r->at += r->size + 1;
    return 0;
}

/* The value of a line that must begin with this key (in two parts) and a space. */
static const char *line_value(const struct reader *r, const char *key, const char *suffix,
                              size_t *length)
{
    size_t k = strlen(key), s = strlen(suffix);
    if (r->size < k + s + 1 || memcmp(r->start, key, k) != 0 ||
        memcmp(r->start + k, suffix, s) != 0 || r->start[k + s] != ' ')
        return NULL;
    *length = r->size - k - s - 1;
    return r->start + k + s + 1;
}

static int head_read(const struct note_form *form, struct reader *r, struct note_error *error)
{
    size_t prefix = sizeof PREFIX - 1;
    size_t shown = r->length < prefix ? r->length : prefix;
    const char *name = type_names[form->type];
    if (memcmp(r->text, PREFIX, shown) != 0)
        return fail(error, NOTE_not_a_note, 1, "does not begin with `dojima `");
    if (line_next(r) != 0) return fail(error, NOTE_truncated, 1, "ends within its first line");
    size_t size = strlen(name);
    const char *type = r->start + prefix;
    if (r->size < prefix + size + 1 || memcmp(type, name, size) != 0 || type[size] != ' ')
        return fail(error, NOTE_unknown_type, 1, "is not of type %s", name);
    if (r->size != prefix + size + 2 || type[size + 1] != '1')
        return fail(error, NOTE_unknown_version, 1, "is of an unknown version of %s", name);
    return 0;
}

static int fields_read(const struct note_form *form, void *object, struct reader *r,
                       struct note_error *error)
{
    for (uint32_t i = 0; i < form->field_count; i++) {
        const struct note_field *f = &form->fields[i];
        size_t length = 0;
        if (line_next(r) != 0)
            return fail(error, NOTE_truncated, r->line, "ends before or within `%s`", f->key);
        const char *value = line_value(r, f->key, "", &length);
        if (value == NULL)
            return fail(error, NOTE_wrong_key, r->line, "`%s` must stand on line %u", f->key,
                        r->line);
        int code = value_read(f, object, value, length);
        if (code != 0)
            return fail(error, code, r->line, "%s is not %s", f->key, value_wanted(f));
    }
    return 0;
}

/* The signatures that there are, in the order of the roles. */
static int signatures_read(const struct note_form *form, void *object, struct reader *r,
                           struct note_error *error)
{
    uint32_t bits = 0;
    if (line_next(r) != 0) return fail(error, NOTE_truncated, r->line, "ends before `--`");
    if (r->size != 2 || memcmp(r->start, "--", 2) != 0)
        return fail(error, NOTE_wrong_key, r->line, "`--` must stand on line %u", r->line);
    for (uint32_t role = 0; role < form->role_count && r->at < r->length;) {
        if (line_next(r) != 0)
            return fail(error, NOTE_truncated, r->line, "ends within a signature");
        size_t length = 0;
        const char *value = NULL;
        while (role < form->role_count &&
               (value = line_value(r, form->roles[role].name, SUFFIX, &length)) == NULL)
            role += 1;
        if (value == NULL)
            return fail(error, NOTE_wrong_key, r->line, "line %u is no signature that may stand "
                        "there", r->line);
        uint8_t *to = (uint8_t *)object + form->roles[role].signature_offset;
        if (!hex_read(to, NOTE_SIGNATURE_SIZE, value, length))
            return fail(error, NOTE_bad_hex, r->line, "%s-signature is not 128 lower-case "
                        "hexadecimal digits", form->roles[role].name);
        bits |= 1u << role++;
    }
    memcpy((char *)object + form->signed_by_offset, &bits, sizeof bits);
    if (r->at != r->length)
        return fail(error, NOTE_trailing, r->line + 1, "has bytes behind its last line");
    return 0;
}

int note_parse(const struct note_form *form, void *object, const char *text, size_t length,
               struct note_error *error)
{
    struct reader r = {.text = text, .length = length};
    memset(object, 0, form->struct_size);
    if (length > NOTE_SIZE_MAX)
        return fail(error, NOTE_oversized, 0, "is longer than %d bytes", NOTE_SIZE_MAX);
    if (length == 0) return fail(error, NOTE_truncated, 0, "is empty");
    int code = head_read(form, &r, error);
    if (code == 0) code = fields_read(form, object, &r, error);
    if (code == 0) code = signatures_read(form, object, &r, error);
    if (code == 0) code = note_check(form, object, error);
    return code;
}

/* ---- signatures ---- */

bool note_sign(const struct note_form *form, void *object, uint32_t role,
               const uint8_t secret[NOTE_SECRET_SIZE])
{
    char text[NOTE_SIZE_MAX];
    ASSERT(role < form->role_count && note_check(form, object, NULL) == 0);
    if (memcmp(secret + NOTE_SEED_SIZE, key_of(form, object, role), NOTE_KEY_SIZE) != 0)
        return false;
    size_t length = body_write(form, object, text);
    uint8_t *to = (uint8_t *)object + form->roles[role].signature_offset;
    ASSERT(crypto_sign_detached(to, NULL, (const uint8_t *)text, length, secret) == 0);
    uint32_t bits = signed_by_get(form, object) | 1u << role;
    memcpy((char *)object + form->signed_by_offset, &bits, sizeof bits);
    return true;
}

int note_verify(const struct note_form *form, const void *object, uint32_t roles,
                struct note_error *error)
{
    char text[NOTE_SIZE_MAX];
    int code = note_check(form, object, error);
    if (code != 0) return code;
    size_t length = body_write(form, object, text);
    for (uint32_t role = 0; role < form->role_count; role++) {
        const char *name = form->roles[role].name;
        if ((roles >> role & 1) == 0) continue;
        if ((signed_by_get(form, object) >> role & 1) == 0)
            return fail(error, NOTE_unsigned, 0, "is not signed by the %s", name);
        if (crypto_sign_verify_detached(signature_of(form, object, role), (const uint8_t *)text,
                                        length, key_of(form, object, role)) != 0)
            return fail(error, NOTE_bad_signature, 0, "the signature of the %s is not that of the "
                        "key it names over these lines", name);
    }
    return 0;
}

void note_keys(const uint8_t seed[NOTE_SEED_SIZE], uint8_t key[NOTE_KEY_SIZE],
               uint8_t secret[NOTE_SECRET_SIZE])
{
    ASSERT(crypto_sign_seed_keypair(key, secret, seed) == 0);
}
