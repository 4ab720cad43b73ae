/* http.c: see http.h. */
#include "gate/http.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool slice_is(struct slice s, const char *text)
{
    size_t n = strlen(text);
    return s.at != NULL && s.size == n && memcmp(s.at, text, n) == 0;
}

bool slice_is_nocase(struct slice s, const char *text)
{
    size_t n = strlen(text);
    if (s.at == NULL || s.size != n) return false;
    for (size_t i = 0; i < n; i++) {
        if (lower(s.at[i]) != lower(text[i])) return false;
    }
    return true;
}

static struct slice trimmed(const char *at, size_t size)
{
    while (size > 0 && (*at == ' ' || *at == '\t')) at++, size--;
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t')) size--;
    return (struct slice){at, size};
}

bool slice_has_token(struct slice list, const char *text)
{
    size_t start = 0;
    if (list.at == NULL) return false;
    for (size_t i = 0; i <= list.size; i++) {
        if (i < list.size && list.at[i] != ',') continue;
        if (slice_is_nocase(trimmed(list.at + start, i - start), text)) return true;
        start = i + 1;
    }
    return false;
}

/* The characters of a method or a field's name (RFC 9110, 5.6.2). */
static bool is_token_char(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (!is_token_char(s.at[i])) return false;
    }
    return s.size > 0;
}

static bool parse_length(struct slice s, uint64_t *value)
{
    if (s.size == 0 || s.size > 15) return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') return false;
        v = v * 10 + (uint64_t)(s.at[i] - '0');
    }
    *value = v;
    return true;
}

/* METHOD SP target SP HTTP/1.x; 0 or the status of the refusal. */
static int parse_request_line(struct slice line, struct http_request *r)
{
    const char *first = memchr(line.at, ' ', line.size);
    if (first == NULL) return 400;
    r->method_text = (struct slice){line.at, (size_t)(first - line.at)};
    if (!is_token(r->method_text)) return 400;
    const char *target = first + 1;
    size_t left = line.size - r->method_text.size - 1;
    const char *second = memchr(target, ' ', left);
    if (second == NULL) return 400;
    r->target = (struct slice){target, (size_t)(second - target)};
    struct slice version = {second + 1, left - r->target.size - 1};
    if (slice_is(version, "HTTP/1.1")) r->keep_alive = true;
    else if (slice_is(version, "HTTP/1.0")) r->keep_alive = false;
    else return version.size == 8 && memcmp(version.at, "HTTP/", 5) == 0 ? 505 : 400;
    if (r->target.size == 0 || r->target.at[0] != '/') return 400;
    for (size_t i = 0; i < r->target.size; i++) {
        unsigned char c = (unsigned char)r->target.at[i];
        if (c <= 0x20 || c >= 0x7f || c == '#') return 400;
    }
    const char *mark = memchr(r->target.at, '?', r->target.size);
    r->path = r->target;
    if (mark != NULL) {
        r->path.size = (size_t)(mark - r->target.at);
        r->query = (struct slice){mark + 1, r->target.size - r->path.size - 1};
    }
    r->method = slice_is(r->method_text, "GET")       ? HTTP_GET
                : slice_is(r->method_text, "POST")    ? HTTP_POST
                : slice_is(r->method_text, "HEAD")    ? HTTP_HEAD
                : slice_is(r->method_text, "OPTIONS") ? HTTP_OPTIONS
                                                      : HTTP_OTHER;
    return 0;
}

/* What the fields said that only makes sense together. */
struct head_state {
    bool upgrade;
    bool connection_upgrade;
    bool has_host;
};

/* Keeps a field that may appear once; twice is refused. */
static int keep_once(struct slice *place, struct slice value)
{
    if (place->at != NULL) return 400;
    *place = value;
    return 0;
}

static int apply_field(struct slice name, struct slice value, struct http_request *r,
                       struct head_state *s)
{
    if (slice_is_nocase(name, "host")) return keep_once(&r->host, value);
    if (slice_is_nocase(name, "authorization")) return keep_once(&r->authorization, value);
    if (slice_is_nocase(name, "origin")) return keep_once(&r->origin, value);
    if (slice_is_nocase(name, "content-type")) return keep_once(&r->content_type, value);
    if (slice_is_nocase(name, "sec-websocket-key")) return keep_once(&r->websocket_key, value);
    if (slice_is_nocase(name, "sec-websocket-version"))
        return keep_once(&r->websocket_version, value);
    if (slice_is_nocase(name, "if-none-match")) r->if_none_match = value;
    if (slice_is_nocase(name, "transfer-encoding")) return 411;
    if (slice_is_nocase(name, "content-length")) {
        if (r->has_content_length || !parse_length(value, &r->content_length)) return 400;
        r->has_content_length = true;
    }
    if (slice_is_nocase(name, "expect")) {
        if (!slice_is_nocase(value, "100-continue")) return 417;
        r->expect_continue = true;
    }
    if (slice_is_nocase(name, "upgrade")) s->upgrade = slice_has_token(value, "websocket");
    if (slice_is_nocase(name, "connection")) {
        if (slice_has_token(value, "close")) r->keep_alive = false;
        else if (slice_has_token(value, "keep-alive")) r->keep_alive = true;
        if (slice_has_token(value, "upgrade")) s->connection_upgrade = true;
    }
    return 0;
}

static int parse_field(struct slice line, struct http_request *r, struct head_state *s)
{
    const char *colon = memchr(line.at, ':', line.size);
    if (colon == NULL) return 400;
    struct slice name = {line.at, (size_t)(colon - line.at)};
    if (!is_token(name)) return 400; /* a folded line or a space before the colon ends here */
    struct slice value = trimmed(colon + 1, line.size - name.size - 1);
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return 400;
    }
    return apply_field(name, value, r, s);
}

/* All lines of a head of known size; 0 or a status. */
static int parse_head(const char *bytes, size_t size, struct http_request *r)
{
    struct head_state state = {0};
    size_t start = 0;
    bool first = true;
    while (start < size) {
        const char *end = memchr(bytes + start, '\r', size - start);
        size_t line_size = (size_t)(end - (bytes + start));
        if (end == NULL || start + line_size + 1 >= size || end[1] != '\n') return 400;
        if (line_size == 0) break;
        struct slice line = {bytes + start, line_size};
        if (memchr(line.at, '\n', line.size) != NULL) return 400;
        int status = first ? parse_request_line(line, r) : parse_field(line, r, &state);
        if (status != 0) return status;
        first = false;
        start += line_size + 2;
    }
    r->upgrade_websocket = state.upgrade && state.connection_upgrade;
    return first ? 400 : 0;
}

enum http_result http_parse(const char *bytes, size_t size, size_t head_size_max,
                            struct http_request *request, size_t *head_size, int *status)
{
    *request = (struct http_request){0};
    size_t look = size < head_size_max ? size : head_size_max;
    const char *end = look < 4 ? NULL : memmem(bytes, look, "\r\n\r\n", 4);
    if (end == NULL) {
        bool binary = size > 0 && !is_token_char(bytes[0]);
        *status = binary ? 400 : 431;
        return binary || size >= head_size_max ? HTTP_BAD : HTTP_MORE;
    }
    *head_size = (size_t)(end - bytes) + 4;
    *status = parse_head(bytes, *head_size, request);
    return *status != 0 ? HTTP_BAD : HTTP_DONE;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Decodes in[0 .. size) to out; the decoded size, or -1. */
static int decode(const char *in, size_t size, char *out)
{
    int n = 0;
    for (size_t i = 0; i < size; i++) {
        char c = in[i] == '+' ? ' ' : in[i];
        if (c == '%') {
            if (i + 2 >= size) return -1;
            int high = hex_value(in[i + 1]);
            int low = hex_value(in[i + 2]);
            if (high < 0 || low < 0) return -1;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == 0) return -1;
        out[n++] = c;
    }
    return n;
}

int http_query_parse(struct slice query, char *store, struct http_pair *pairs, int pairs_max)
{
    int count = 0;
    size_t start = 0;
    for (size_t i = 0; query.at != NULL && i <= query.size; i++) {
        if (i < query.size && query.at[i] != '&') continue;
        const char *part = query.at + start;
        size_t size = i - start;
        start = i + 1;
        if (size == 0) continue;
        if (count == pairs_max) return -1;
        const char *equals = memchr(part, '=', size);
        size_t name_size = equals == NULL ? size : (size_t)(equals - part);
        int name = decode(part, name_size, store);
        if (name <= 0) return -1;
        char *value_at = store + name;
        int value = equals == NULL ? 0 : decode(equals + 1, size - name_size - 1, value_at);
        if (value < 0) return -1;
        pairs[count++] = (struct http_pair){store, (size_t)name, value_at, (size_t)value};
        store = value_at + value;
    }
    return count;
}

const char *http_status_text(int status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 417: return "Expectation Failed";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}
