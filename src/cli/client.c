/* client.c: see client.h.
 *
 * A key is ID and SECRET, apart by a space or a colon, in DOJIMA_KEY or in a file ('#' begins a
 * comment); in front of them may stand `hmac` or `ed25519`. The signature is made over
 *   ts \n nonce \n POST \n target \n body \n
 * as gate/auth.h says. Secrets are never printed.
 */
#include "cli/client.h"

#include "base/decimal.h"
#include "base/time_text.h"
#include "cli/client_http.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { KEY_URL = 512, KEY_FILE, KEY_TLS_CA, KEY_JSON, KEY_NO_COLOUR, HEADER_SIZE = 1024 };

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct client *c = state->input;
    switch (key) {
    case KEY_URL: c->url = text; return 0;
    case KEY_FILE: c->key_file = text; return 0;
    case KEY_TLS_CA: c->tls_ca = text; return 0;
    case KEY_JSON: c->json = true; return 0;
    case KEY_NO_COLOUR: c->colour = false; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"url", KEY_URL, "URL", 0, "The node [DOJIMA_URL, http://127.0.0.1:8080]", 10},
    {"key-file", KEY_FILE, "FILE", 0,
     "The API key, ID and SECRET [DOJIMA_KEY, ~/.config/dojima/key]", 10},
    {"tls-ca", KEY_TLS_CA, "FILE", 0,
     "Certificates (PEM) of authorities to trust besides the system's", 10},
    {"json", KEY_JSON, NULL, 0, "Print the raw result", 10},
    {"no-colour", KEY_NO_COLOUR, NULL, 0, "No colour on a terminal either", 10},
    {0}};
const struct argp client_argp = {.options = options, .parser = parse};

bool client_colour(void)
{
    return uv_guess_handle(fileno(stdout)) == UV_TTY && getenv("NO_COLOR") == NULL;
}

void client_init(struct client *c)
{
    *c = (struct client){0};
    const char *url = getenv("DOJIMA_URL");
    c->url = url != NULL && url[0] != 0 ? url : "http://127.0.0.1:8080";
    c->colour = client_colour();
}

void client_close(struct client *c)
{
    free(c->body);
    free(c->tokens);
    sodium_memzero(c->key_secret, sizeof c->key_secret);
    c->body = NULL;
    c->tokens = NULL;
}

void client_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    static char name[64]; /* argp prints it in every message, also at the end */
    (void)snprintf(name, sizeof name, "dojima %s", argv[0]);
    argv[0] = name;
    argp_err_exit_status = 2;
    if (argp_parse(argp, argc, argv, 0, NULL, input) != 0) exit(2);
}

/* ---- the key ---- */
static bool key_take(struct client *c, char *text)
{
    const char *gaps = " \t\r\n:";
    char *words[4];
    int count = 0;
    for (char *at = text + strspn(text, gaps); *at != 0 && count < 4;) {
        words[count++] = at;
        at += strcspn(at, gaps);
        if (*at == 0) break;
        *at++ = 0;
        at += strspn(at, gaps);
    }
    if (count != 2 && count != 3) return false;
    if (count == 3) {
        c->ed25519 = strcmp(words[0], "ed25519") == 0;
        if (!c->ed25519 && strcmp(words[0], "hmac") != 0) return false;
    }
    (void)snprintf(c->key_id, sizeof c->key_id, "%s", words[count - 2]);
    (void)snprintf(c->key_secret, sizeof c->key_secret, "%s", words[count - 1]);
    c->has_key = true;
    return true;
}

static int key_file_read(struct client *c, const char *path, bool wanted)
{
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        if (wanted) (void)fprintf(stderr, "dojima: %s cannot be read\n", path);
        return wanted ? 1 : 0;
    }
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "#")] = 0;
        if (line[strspn(line, " \t\r\n")] == 0) continue;
        found = true;
        (void)key_take(c, line);
    }
    (void)fclose(f);
    sodium_memzero(line, sizeof line);
    if (c->has_key) return 0;
    (void)fprintf(stderr, "dojima: %s holds no key: one line, ID and SECRET\n", path);
    return 1;
}

/* The key from where it is: --key-file, DOJIMA_KEY, the file in the home directory. */
static int key_load(struct client *c)
{
    if (c->has_key) return 0;
    if (c->key_file != NULL) return key_file_read(c, c->key_file, true);
    const char *given = getenv("DOJIMA_KEY");
    if (given != NULL && given[0] != 0) {
        char text[512];
        (void)snprintf(text, sizeof text, "%s", given);
        if (key_take(c, text)) return 0;
        (void)fprintf(stderr, "dojima: DOJIMA_KEY holds no key: ID and SECRET\n");
        return 1;
    }
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char path[512] = "";
    if (config != NULL && config[0] != 0)
        (void)snprintf(path, sizeof path, "%s/dojima/key", config);
    else if (home != NULL)
        (void)snprintf(path, sizeof path, "%s/.config/dojima/key", home);
    if (path[0] != 0 && key_file_read(c, path, false) != 0) return 1;
    if (c->has_key) return 0;
    (void)fprintf(stderr, "dojima: this needs an API key: --key-file, DOJIMA_KEY or %s\n", path);
    return 1;
}

/* ---- the signature ---- */
static int sign(const struct client *c, const char *text, char *hex, size_t size)
{
    unsigned char mac[crypto_sign_BYTES];
    if (!c->ed25519) {
        crypto_auth_hmacsha256_state state;
        const unsigned char *key = (const unsigned char *)c->key_secret;
        (void)crypto_auth_hmacsha256_init(&state, key, strlen(c->key_secret));
        (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
        (void)crypto_auth_hmacsha256_final(&state, mac);
        (void)sodium_bin2hex(hex, size, mac, crypto_auth_hmacsha256_BYTES);
        return 0;
    }
    unsigned char seed[crypto_sign_SEEDBYTES], public_key[crypto_sign_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_SECRETKEYBYTES];
    size_t length = 0;
    if (sodium_base642bin(seed, sizeof seed, c->key_secret, strlen(c->key_secret), NULL, &length,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        length != sizeof seed) {
        (void)fprintf(stderr, "dojima: the Ed25519 key is not a seed of 32 bytes in base64url\n");
        return 1;
    }
    (void)crypto_sign_seed_keypair(public_key, secret, seed);
    (void)crypto_sign_detached(mac, NULL, (const unsigned char *)text, strlen(text), secret);
    (void)sodium_bin2hex(hex, size, mac, sizeof mac);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(secret, sizeof secret);
    return 0;
}

static int header_make(struct client *c, const char *target, const char *body, char *header)
{
    header[0] = 0;
    if (key_load(c) != 0) return 1;
    unsigned char random[12];
    char nonce[2 * sizeof random + 1], hex[2 * crypto_sign_BYTES + 1], ts[24];
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(nonce, sizeof nonce, random, sizeof random);
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(ts, sizeof ts, "%lld",
                   (long long)now.tv_sec * 1000 + (long long)now.tv_nsec / 1000000);
    size_t capacity = strlen(target) + strlen(body) + 128;
    char *text = malloc(capacity);
    if (text == NULL) return 1;
    (void)snprintf(text, capacity, "%s\n%s\nPOST\n%s\n%s\n", ts, nonce, target, body);
    int status = sign(c, text, hex, sizeof hex);
    free(text);
    (void)snprintf(header, HEADER_SIZE, "Authorization: %s id=%s,ts=%s,sig=%s,nonce=%s\r\n",
                   c->ed25519 ? "deri-ed25519" : "deri-hmac-sha256", c->key_id, ts, hex, nonce);
    return status;
}

/* ---- the call ---- */
void client_begin(struct client *c)
{
    c->params = (struct json_writer){.bytes = c->params_bytes, .capacity = sizeof c->params_bytes};
    json_reset(&c->params);
    json_open_object(&c->params);
}

bool client_number(struct client *c, const char *name, const char *text)
{
    int64_t unused;
    if (decimal_parse(text, strlen(text), 0, &unused) == DECIMAL_malformed) return false;
    json_key_string(&c->params, name, text);
    return true;
}

/* What the node says against it, as a sentence. */
static void take_error(struct client *c, uint32_t error)
{
    char sentence[CLIENT_VALUE_SIZE * 4], rule[CLIENT_VALUE_SIZE], param[CLIENT_VALUE_SIZE];
    uint32_t data = json_member(&c->answer, error, "data");
    bool has_data = data != 0 && c->tokens[data].kind == JSON_object;
    uint32_t token = has_data ? json_member(&c->answer, data, "sentence") : 0;
    if (token == 0) token = json_member(&c->answer, error, "message");
    if (token == 0 || json_text(&c->answer, token, sentence, sizeof sentence) < 0)
        (void)snprintf(sentence, sizeof sentence, "The node refused the request.");
    (void)client_text(c, has_data ? data : error, "rule", rule);
    (void)client_text(c, has_data ? data : error, "reason", c->reason);
    (void)client_text(c, has_data ? data : error, "param", param);
    const char *comma = rule[0] != 0 && c->reason[0] != 0 ? ", " : "";
    bool brackets = rule[0] != 0 || c->reason[0] != 0;
    (void)snprintf(c->sentence, sizeof c->sentence, "%.280s%s%.30s%s%s%.20s%s%.40s%s", sentence,
                   param[0] != 0 ? " [" : "", param, param[0] != 0 ? "]" : "",
                   brackets ? " (" : "", rule, comma, c->reason, brackets ? ")" : "");
    c->error = error;
}

static void print_value(const struct client *c, uint32_t token)
{
    const struct json_token *t = &c->tokens[token];
    uint32_t quote = t->kind == JSON_string;
    (void)fwrite(c->answer.text + t->start - quote, 1, t->length + 2 * quote, stdout);
    (void)fputc('\n', stdout);
}

static enum client_status say(struct client *c, enum client_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum client_status say(struct client *c, enum client_status status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(c->sentence, sizeof c->sentence, format, list);
    va_end(list);
    return status;
}

static enum client_status answer_read(struct client *c, size_t size, int status)
{
    uint32_t capacity = (uint32_t)(size / 2 + 16);
    free(c->tokens);
    c->tokens = malloc(capacity * sizeof *c->tokens);
    if (c->tokens == NULL) return say(c, CLIENT_unreachable, "no memory");
    c->answer = (struct json){.tokens = c->tokens, .capacity = capacity};
    if (json_parse(&c->answer, c->body, size) != JSON_OK || c->tokens[0].kind != JSON_object)
        return say(c, CLIENT_unreachable, "%s answers HTTP %d, but not in JSON-RPC", c->url,
                   status);
    uint32_t error = json_member(&c->answer, 0, "error");
    if (error != 0 && c->tokens[error].kind == JSON_object) {
        take_error(c, error);
        bool later = status == 429 || status == 503 || strcmp(c->reason, "throttled") == 0 ||
                     strcmp(c->reason, "stale_request") == 0;
        return later ? CLIENT_throttled : CLIENT_refused;
    }
    c->result = json_member(&c->answer, 0, "result");
    if (c->result != 0) return CLIENT_ok;
    return say(c, CLIENT_unreachable, "%s answers without a result", c->url);
}

enum client_status client_try(struct client *c, const char *method)
{
    struct http_url url;
    char target[HTTP_HOST_SIZE + 80], header[HEADER_SIZE] = "", error[256] = "";
    char body[CLIENT_PARAMS_SIZE + 160];
    size_t size = 0;
    int status = 0;
    json_close_object(&c->params);
    c->error = c->result = 0;
    c->sentence[0] = c->reason[0] = 0;
    if (sodium_init() < 0 || !http_url_parse(c->url, &url))
        return say(c, CLIENT_unusable, "%s is no http:// or https:// address", c->url);
    if (c->params.overflow) return say(c, CLIENT_unusable, "the parameters are too long");
    (void)snprintf(target, sizeof target, "%s/api/v2/%s", url.path, method);
    (void)snprintf(body, sizeof body,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%.*s}", method,
                   (int)c->params.used, c->params.bytes);
    bool private_method = strncmp(method, "private/", 8) == 0;
    if (private_method && header_make(c, target, body, header) != 0) return CLIENT_unusable;
    free(c->body);
    c->body = NULL;
    const struct http_ask ask = {.target = target, .headers = header, .body = body,
                                 .size = strlen(body), .tls_ca = c->tls_ca};
    if (http_exchange(&url, &ask, &c->body, &size, &status, error, sizeof error) != 0)
        return say(c, CLIENT_unreachable, "%s: %s", c->url, error);
    return answer_read(c, size, status);
}

int client_call(struct client *c, const char *method)
{
    enum client_status status = client_try(c, method);
    if (status == CLIENT_ok) return 0;
    if (c->sentence[0] != 0) (void)fprintf(stderr, "dojima: %s\n", c->sentence);
    if (c->json && c->error != 0) print_value(c, c->error);
    return 1;
}

void client_print_result(const struct client *c) { print_value(c, c->result); }

/* ---- reading the result ---- */
const char *client_text(const struct client *c, uint32_t object, const char *name, char *out)
{
    out[0] = 0;
    if (c->tokens[object].kind != JSON_object) return out;
    uint32_t token = json_member(&c->answer, object, name);
    if (token == 0) return out;
    const struct json_token *t = &c->tokens[token];
    if (t->kind == JSON_string) {
        if (json_text(&c->answer, token, out, CLIENT_VALUE_SIZE) < 0) out[0] = 0;
    } else if (t->kind != JSON_null && t->length < CLIENT_VALUE_SIZE) {
        (void)snprintf(out, CLIENT_VALUE_SIZE, "%.*s", (int)t->length, c->answer.text + t->start);
    }
    return out;
}

const char *client_time(const struct client *c, uint32_t object, const char *name, char *out)
{
    int64_t ms;
    char text[TIME_TEXT_SIZE];
    out[0] = 0;
    if (c->tokens[object].kind != JSON_object) return out;
    uint32_t token = json_member(&c->answer, object, name);
    if (token == 0 || json_decimal(&c->answer, token, 0, &ms) != DECIMAL_exact || ms < 0 ||
        ms > INT64_C(9000000000000))
        return out;
    (void)time_format(text, TS(ms * NS_PER_MS - ms % 1000 * NS_PER_MS));
    text[10] = ' ';
    text[19] = 0;
    (void)snprintf(out, CLIENT_VALUE_SIZE, "%s.%03d", text, (int)(ms % 1000));
    return out;
}

bool client_true(const struct client *c, uint32_t object, const char *name)
{
    uint32_t token = json_member(&c->answer, object, name);
    return token != 0 && c->tokens[token].kind == JSON_true;
}

uint32_t client_each(const struct client *c, uint32_t array, uint32_t token)
{
    if (array == 0 || c->tokens[array].kind != JSON_array) return 0;
    uint32_t next = token == 0 ? array + 1 : c->tokens[token].next;
    return next < c->tokens[array].next ? next : 0;
}

void client_cell(const struct client *c, struct table *t, uint32_t object, const char *name,
                 enum table_colour colour)
{
    char text[CLIENT_VALUE_SIZE];
    table_add(t, colour, client_text(c, object, name, text));
}
