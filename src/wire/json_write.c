/* json_write.c: the writer; see json.h. */
#include "wire/json.h"

#include <string.h>

static const char hex[] = "0123456789abcdef";

static void put(struct json_writer *w, const char *bytes, size_t length)
{
    if (w->overflow || w->capacity - w->used < length) {
        w->overflow = true;
        return;
    }
    memcpy(w->bytes + w->used, bytes, length);
    w->used += length;
}

static void put_char(struct json_writer *w, char c)
{
    if (w->overflow || w->capacity == w->used) {
        w->overflow = true;
        return;
    }
    w->bytes[w->used++] = c;
}

/* What stands before every value and name. */
static void separate(struct json_writer *w)
{
    if (w->comma) put_char(w, ',');
    w->comma = true;
}

void json_reset(struct json_writer *w)
{
    w->used = 0;
    w->overflow = false;
    w->comma = false;
}

static void open_with(struct json_writer *w, char c)
{
    separate(w);
    put_char(w, c);
    w->comma = false;
}

static void close_with(struct json_writer *w, char c)
{
    put_char(w, c);
    w->comma = true;
}

void json_open_object(struct json_writer *w) { open_with(w, '{'); }
void json_close_object(struct json_writer *w) { close_with(w, '}'); }
void json_open_array(struct json_writer *w) { open_with(w, '['); }
void json_close_array(struct json_writer *w) { close_with(w, ']'); }

void json_key(struct json_writer *w, const char *name)
{
    separate(w);
    put_char(w, '"');
    put(w, name, strlen(name));
    put(w, "\":", 2);
    w->comma = false;
}

void json_raw(struct json_writer *w, const char *text, size_t length)
{
    separate(w);
    put(w, text, length);
}

void json_null(struct json_writer *w) { json_raw(w, "null", 4); }

void json_bool(struct json_writer *w, bool value)
{
    if (value) json_raw(w, "true", 4);
    else json_raw(w, "false", 5);
}

void json_fixed(struct json_writer *w, int128_t value, int scale)
{
    char text[DECIMAL_TEXT_SIZE];
    size_t n = decimal_format(text, value, scale);
    json_raw(w, text, n);
}

void json_int(struct json_writer *w, int64_t value) { json_fixed(w, value, 0); }
void json_uint(struct json_writer *w, uint64_t value) { json_fixed(w, (int128_t)value, 0); }

void json_uint_text(struct json_writer *w, uint64_t value)
{
    char text[DECIMAL_TEXT_SIZE];
    size_t n = decimal_format(text, (int128_t)value, 0);
    json_string_n(w, text, n);
}

void json_string_n(struct json_writer *w, const char *text, size_t length)
{
    separate(w);
    put_char(w, '"');
    size_t plain = 0; /* first byte not yet written */
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        put(w, text + plain, i - plain);
        plain = i + 1;
        char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        if (c == '"' || c == '\\') {
            escape[1] = (char)c;
            put(w, escape, 2);
        } else {
            put(w, escape, 6);
        }
    }
    put(w, text + plain, length - plain);
    put_char(w, '"');
}

void json_string(struct json_writer *w, const char *text) { json_string_n(w, text, strlen(text)); }

void json_hex(struct json_writer *w, const uint8_t *bytes, size_t size)
{
    separate(w);
    put_char(w, '"');
    for (size_t i = 0; i < size; i++) {
        put_char(w, hex[bytes[i] >> 4]);
        put_char(w, hex[bytes[i] & 15]);
    }
    put_char(w, '"');
}

void json_newline(struct json_writer *w)
{
    put_char(w, '\n');
    w->comma = false;
}

void json_key_bool(struct json_writer *w, const char *name, bool value)
{
    json_key(w, name);
    json_bool(w, value);
}

void json_key_hex(struct json_writer *w, const char *name, const uint8_t *bytes, size_t size)
{
    json_key(w, name);
    json_hex(w, bytes, size);
}

void json_key_int(struct json_writer *w, const char *name, int64_t value)
{
    json_key(w, name);
    json_int(w, value);
}

void json_key_string(struct json_writer *w, const char *name, const char *text)
{
    json_key(w, name);
    json_string(w, text);
}

void json_key_fixed(struct json_writer *w, const char *name, int128_t value, int scale)
{
    json_key(w, name);
    json_fixed(w, value, scale);
}

void json_key_null(struct json_writer *w, const char *name)
{
    json_key(w, name);
    json_null(w);
}

void json_key_price(struct json_writer *w, const char *name, price_t price)
{
    if (price_is_none(price)) json_key_null(w, name);
    else json_key_fixed(w, name, price.v, 6);
}

void json_key_ms(struct json_writer *w, const char *name, ts_t ts)
{
    json_key_int(w, name, int64_div_floor(ts.v, NS_PER_MS));
}
