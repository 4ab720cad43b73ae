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

/* Whether what stands behind a word's ';' is a weight of 0: q=0, q=0.0 and so on. */
static bool is_refused(struct slice weight)
{
    if (weight.size < 3 || lower(weight.at[0]) != 'q' || weight.at[1] != '=') return false;
    for (size_t i = 2; i < weight.size; i++) {
        if (weight.at[i] != '0' && weight.at[i] != '.') return false;
    }
    return true;
}

bool slice_accepts(struct slice list, const char *text)
{
    size_t start = 0;
    if (list.at == NULL) return false;
    for (size_t i = 0; i <= list.size; i++) {
        if (i < list.size && list.at[i] != ',') continue;
        const char *at = list.at + start;
        const char *mark = memchr(at, ';', i - start);
        size_t word = mark == NULL ? i - start : (size_t)(mark - at);
        start = i + 1;
        if (!slice_is_nocase(trimmed(at, word), text)) continue;
        const char *end = list.at + i;
        return mark == NULL || !is_refused(trimmed(mark + 1, (size_t)(end - mark - 1)));
    }
    return false;
}

/* What is known of a head while http_parser goes through it. */
struct head_state {
    struct http_request *request;
    struct slice name; /* of the field whose value comes next */
    bool upgrade;
    int status; /* of a refusal; 0: none */
};

/* Lines end in CRLF, none is folded, and no byte is a control character but the tab. */
static bool lines_are_strict(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\r' && (i + 1 == size || bytes[i + 1] != '\n')) return false;
        if (c == '\n' && (i == 0 || bytes[i - 1] != '\r')) return false;
        if (c == '\n' && i + 1 < size && (bytes[i + 1] == ' ' || bytes[i + 1] == '\t'))
            return false;
        if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f) return false;
    }
    return true;
}

static int refuse(struct head_state *s, int status)
{
    s->status = status;
    return 1;
}

static int on_url(http_parser *parser, const char *at, size_t size)
{
    struct head_state *s = parser->data;
    struct http_request *r = s->request;
    if (at[0] != '/') return refuse(s, 400);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)at[i];
        if (c <= 0x20 || c >= 0x7f || c == '#') return refuse(s, 400);
    }
    const char *mark = memchr(at, '?', size);
    r->target = r->path = (struct slice){at, size};
    if (mark != NULL) {
        r->path.size = (size_t)(mark - at);
        r->query = (struct slice){mark + 1, size - r->path.size - 1};
    }
    return 0;
}

static int on_field(http_parser *parser, const char *at, size_t size)
{
    struct head_state *s = parser->data;
    s->name = (struct slice){at, size};
    return memchr(at, ' ', size) != NULL ? refuse(s, 400) : 0; /* before the colon */
}

/* The place of a field that may appear once; NULL: another field. */
static struct slice *single_field(struct http_request *r, struct slice name)
{
    if (slice_is_nocase(name, "host")) return &r->host;
    if (slice_is_nocase(name, "authorization")) return &r->authorization;
    if (slice_is_nocase(name, "origin")) return &r->origin;
    if (slice_is_nocase(name, "content-type")) return &r->content_type;
    if (slice_is_nocase(name, "sec-websocket-key")) return &r->websocket_key;
    if (slice_is_nocase(name, "sec-websocket-version")) return &r->websocket_version;
    return NULL;
}

static int on_value(http_parser *parser, const char *at, size_t size)
{
    struct head_state *s = parser->data;
    struct http_request *r = s->request;
    struct slice value = trimmed(at, size);
    struct slice *place = single_field(r, s->name);
    if (place != NULL) {
        if (place->at != NULL) return refuse(s, 400);
        *place = value;
    }
    if (slice_is_nocase(s->name, "if-none-match")) r->if_none_match = value;
    if (slice_is_nocase(s->name, "accept-encoding")) r->accept_encoding = value;
    if (slice_is_nocase(s->name, "transfer-encoding")) return refuse(s, 411);
    if (slice_is_nocase(s->name, "content-length")) {
        if (value.size == 0 || r->has_content_length) return refuse(s, 400);
        r->has_content_length = true;
    }
    if (slice_is_nocase(s->name, "expect")) {
        if (!slice_is_nocase(value, "100-continue")) return refuse(s, 417);
        r->expect_continue = true;
    }
    if (slice_is_nocase(s->name, "upgrade")) s->upgrade = slice_has_token(value, "websocket");
    return 0;
}

/* The body is left where it is: the server hands it over in place. */
static int on_head(http_parser *parser)
{
    http_parser_pause(parser, 1);
    return 0;
}

/* A whole head of this size; 0 or the status of the refusal. */
static int parse_head(const char *bytes, size_t size, struct http_request *r)
{
    static const http_parser_settings settings = {
        .on_url = on_url, .on_header_field = on_field, .on_header_value = on_value,
        .on_headers_complete = on_head};
    struct head_state state = {.request = r};
    http_parser parser;
    if (!lines_are_strict(bytes, size)) return 400;
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = &state;
    size_t read = http_parser_execute(&parser, &settings, bytes, size);
    if (state.status != 0) return state.status;
    if (HTTP_PARSER_ERRNO(&parser) != HPE_PAUSED || read + 1 != size) return 400;
    r->method = (enum http_method)parser.method;
    r->method_text = (struct slice){bytes, strlen(http_method_str(r->method))};
    /* The words of the first line have one space between them, and nothing follows them. */
    size_t line = (size_t)((const char *)memchr(bytes, '\r', size) - bytes);
    if (r->target.at != bytes + r->method_text.size + 1 ||
        line != r->method_text.size + r->target.size + strlen("  HTTP/1.1"))
        return 400;
    if (parser.http_major != 1 || parser.http_minor > 1) return 505;
    r->keep_alive = http_should_keep_alive(&parser) != 0;
    r->upgrade_websocket = state.upgrade && parser.upgrade;
    r->content_length = r->has_content_length ? parser.content_length : 0;
    return 0;
}

enum http_result http_parse(const char *bytes, size_t size, size_t head_size_max,
                            struct http_request *request, size_t *head_size, int *status)
{
    *request = (struct http_request){0};
    size_t look = size < head_size_max ? size : head_size_max;
    const char *end = look < 4 ? NULL : memmem(bytes, look, "\r\n\r\n", 4);
    bool foreign = size > 0 && (bytes[0] < 'A' || bytes[0] > 'Z'); /* no method begins so */
    if (foreign || end == NULL) {
        *status = foreign ? 400 : 431;
        return foreign || size >= head_size_max ? HTTP_BAD : HTTP_MORE;
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
    return http_status_str((enum http_status)status);
}
