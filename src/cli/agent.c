/* agent.c: see agent.h. */
#include "cli/agent.h"

#include "base/time_text.h"
#include "cli/client_http.h"
#include "cli/files.h"
#include "cli/options.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_DATA = 600, KEY_SIGN, KEY_ENDPOINT, KEY_LISTEN, KEY_TLS_CERT, KEY_TLS_KEY, KEY_PLAIN,
       KEY_POLL, KEY_QUIET };

static const struct argp_option options[] = {
    {"data", KEY_DATA, "DIR", 0, "Where it keeps what it must not forget [./NAME-data]", 1},
    {"sign-key", KEY_SIGN, "FILE", 0,
     "The Ed25519 key that signs its notes [DIR/signing.key, made when absent]", 1},
    {"endpoint", KEY_ENDPOINT, "ADDRESS", 0,
     "Where its peers reach it: HOST:PORT, or https://HOST:PORT [127.0.0.1:0]", 1},
    {"listen", KEY_LISTEN, "HOST:PORT", 0, "Where it listens, when that is elsewhere", 1},
    {"tls-cert", KEY_TLS_CERT, "FILE", 0, "Certificate chain (PEM): HTTPS for its peers", 1},
    {"tls-key", KEY_TLS_KEY, "FILE", 0, "Its private key", 1},
    {"plain", KEY_PLAIN, NULL, 0, "HTTP without TLS with other machines too", 1},
    {"poll-ms", KEY_POLL, "N", 0, "Between two looks at the venue [500]", 1},
    {"quiet", KEY_QUIET, NULL, 0, "Says nothing but what goes wrong", 1},
    {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct agent *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &a->client; return 0;
    case KEY_DATA: a->data = text; return 0;
    case KEY_SIGN: a->signing = text; return 0;
    case KEY_ENDPOINT: a->endpoint = text; return 0;
    case KEY_LISTEN: a->listen = text; return 0;
    case KEY_TLS_CERT: a->tls_cert = text; return 0;
    case KEY_TLS_KEY: a->tls_key = text; return 0;
    case KEY_PLAIN: a->asker.plain = true; return 0;
    case KEY_QUIET: a->quiet = true; return 0;
    case KEY_POLL: a->poll_ms = (uint32_t)option_whole(state, "poll-ms", text, 1, 60000); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&client_argp, 0, NULL, 0}, {0}};
const struct argp agent_argp = {.options = options, .parser = parse, .children = children};

void agent_init(struct agent *a, const char *name)
{
    *a = (struct agent){.name = name, .poll_ms = AGENT_POLL_MS, .endpoint = "127.0.0.1:0"};
    (void)snprintf(a->data_default, sizeof a->data_default, "%.40s-data", name);
    a->data = a->data_default;
    client_init(&a->client);
    (void)pthread_mutex_init(&a->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&a->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

/* ---- words ---- */

void agent_say(struct agent *a, const char *format, ...)
{
    char text[512], when[TIME_TEXT_SIZE] = "";
    va_list list;
    if (a->quiet) return;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    int64_t now = agent_now_ms(a);
    if (now > 0) (void)time_format(when, TS(now / 1000 * NS_PER_SECOND));
    (void)fprintf(stderr, "%s%s%s: %s\n", when, when[0] != 0 ? " " : "", a->name, text);
}

void agent_fail(struct agent *a, const char *what)
{
    (void)fprintf(stderr, "dojima %s: %s\n", a->name, what);
    a->failed = true;
    atomic_store(&a->stopping, true);
    if (a->server != NULL) peer_server_stop(a->server);
}

bool agent_file_write(struct agent *a, const char *folder, const char *name, const void *bytes,
                      size_t size)
{
    char path[4400];
    (void)snprintf(path, sizeof path, "%.4000s/%.64s", a->data, folder);
    files_directory_make(path);
    (void)snprintf(path, sizeof path, "%.4000s/%.64s/%.200s", a->data, folder, name);
    if (files_write(path, bytes, size)) return true;
    agent_say(a, "%s cannot be written", path);
    return false;
}

/* ---- the venue ---- */

/* Waits, unless it is to end. */
static void rest(struct agent *a, uint32_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec += 1;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&a->mutex);
    while (!atomic_load(&a->stopping) &&
           pthread_cond_timedwait(&a->wake, &a->mutex, &until) != ETIMEDOUT) {}
    (void)pthread_mutex_unlock(&a->mutex);
}

enum client_status agent_call(struct agent *a, const char *method)
{
    struct client *c = &a->client;
    struct json_writer params = c->params; /* client_try closes it */
    uint32_t wait = AGENT_BACKOFF_MIN_MS;
    while (!atomic_load(&a->stopping)) {
        c->params = params;
        enum client_status status = client_try(c, method);
        if (status == CLIENT_ok || status == CLIENT_refused) {
            if (!a->stood) agent_say(a, "%s answers", c->url);
            a->stood = true;
            return status;
        }
        if (status == CLIENT_unusable) {
            agent_fail(a, c->sentence[0] != 0 ? c->sentence : "the venue cannot be asked");
            return CLIENT_unreachable;
        }
        if (a->stood) agent_say(a, "%s", c->sentence);
        a->stood = status == CLIENT_throttled;
        rest(a, wait);
        wait = wait * 2 > AGENT_BACKOFF_MAX_MS ? AGENT_BACKOFF_MAX_MS : wait * 2;
    }
    return CLIENT_unreachable;
}

bool agent_time(struct agent *a)
{
    int64_t ms;
    client_begin(&a->client);
    if (agent_call(a, "public/get_time") != CLIENT_ok) return false;
    if (json_decimal(&a->client.answer, a->client.result, 0, &ms) != DECIMAL_exact) return false;
    (void)pthread_mutex_lock(&a->mutex);
    a->venue_ms = ms;
    (void)pthread_mutex_unlock(&a->mutex);
    return true;
}

int64_t agent_now_ms(struct agent *a)
{
    (void)pthread_mutex_lock(&a->mutex);
    int64_t ms = a->venue_ms;
    (void)pthread_mutex_unlock(&a->mutex);
    return ms;
}

int64_t agent_clock_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- running ---- */

static void *thread_run(void *context)
{
    struct agent *a = context;
    while (!atomic_load(&a->stopping)) {
        if (!agent_time(a)) continue;
        if (a->step(a)) rest(a, a->poll_ms);
    }
    if (a->server == NULL) (void)pthread_kill(a->starter, SIGTERM); /* it waits for that */
    return NULL;
}

static void on_request(void *context, const struct peer_request *request,
                       struct peer_response *response)
{
    struct agent *a = context;
    a->handler(a, request, response);
    if (response->body == NULL) peer_refuse(response, 500, "no answer");
}

static void on_stopping(void *context)
{
    struct agent *a = context;
    (void)pthread_mutex_lock(&a->mutex);
    atomic_store(&a->stopping, true);
    (void)pthread_cond_broadcast(&a->wake);
    (void)pthread_mutex_unlock(&a->mutex);
}

/* Without a server the main thread waits for the signal alone; before other threads begin. */
static void signals_block(sigset_t *ends)
{
    (void)sigemptyset(ends);
    (void)sigaddset(ends, SIGTERM);
    (void)sigaddset(ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, ends, NULL);
}

/* What peers are told: the endpoint, with the port that was given for port 0, and its scheme where
 * it is served with TLS. */
static void endpoint_write(struct agent *a)
{
    char port[8] = "";
    const char *colon = strrchr(a->endpoint, ':');
    bool any = colon != NULL && strcmp(colon, ":0") == 0;
    bool full = strstr(a->endpoint, "://") != NULL;
    if (any) (void)snprintf(port, sizeof port, "%d", peer_server_port(a->server));
    (void)snprintf(a->endpoint_text, sizeof a->endpoint_text, "%s%.*s%s",
                   a->tls_cert != NULL && !full ? "https://" : "",
                   (int)(any ? colon + 1 - a->endpoint : (long)strlen(a->endpoint)), a->endpoint,
                   port);
}

/* Nothing that is said to other machines goes without TLS, unless the caller wants it so. */
static const char *addresses_check(const struct agent *a, const char *listen)
{
    struct http_url url;
    if ((a->tls_cert == NULL) != (a->tls_key == NULL))
        return "--tls-cert and --tls-key go together";
    if (!peer_endpoint_parse(a->endpoint, &url) || strlen(a->endpoint) + 16 > AGENT_ENDPOINT_SIZE)
        return "--endpoint is HOST:PORT or https://HOST:PORT";
    bool full = strstr(a->endpoint, "://") != NULL;
    if (a->tls_cert != NULL && full && !url.tls)
        return "with --tls-cert the endpoint is no http://";
    if (a->asker.plain) return NULL;
    if (a->tls_cert == NULL && !http_address_is_loopback(listen))
        return "an address that is not the loopback needs --tls-cert and --tls-key, or --plain "
               "behind a TLS proxy";
    if (a->tls_cert == NULL && !url.tls && !http_url_is_loopback(&url))
        return "peers on other machines do not ask an endpoint that is not https: --plain";
    return NULL;
}

/* Where it was before, when any port would do: its peers were told that one. */
static int server_start(struct agent *a, char *error, size_t size)
{
    static const struct agent_hour all = {0, 0};
    char before[AGENT_ENDPOINT_SIZE];
    const char *scheme = strstr(a->endpoint, "://");
    const char *listen = a->listen != NULL ? a->listen :
                         scheme != NULL ? scheme + 3 : a->endpoint;
    const char *colon = strrchr(listen, ':'), *wrong = addresses_check(a, listen);
    struct peer_options o = {.listen = listen, .tls_cert = a->tls_cert, .tls_key = a->tls_key};
    bool any = a->listen == NULL && colon != NULL && strcmp(colon, ":0") == 0;
    if (wrong != NULL) {
        (void)snprintf(error, size, "%s", wrong);
        return -1;
    }
    if (any && agent_store_note_get(a->store, &all, "endpoint", before, sizeof before) > 0 &&
        strncmp(before, listen, (size_t)(colon - listen) + 1) == 0) {
        o.listen = before;
        a->server = peer_server_open(&o, on_request, a, error, size);
        o.listen = listen;
    }
    if (a->server == NULL) a->server = peer_server_open(&o, on_request, a, error, size);
    if (a->server == NULL) return -1;
    endpoint_write(a);
    if (!any) return 0;
    (void)snprintf(before, sizeof before, "%.*s%d", (int)(colon + 1 - listen), listen,
                   peer_server_port(a->server));
    return agent_store_note_set(a->store, &all, "endpoint", before) ? 0 : -1;
}

static int parts_open(struct agent *a, char *error, size_t size)
{
    char path[4200];
    a->store = agent_store_open(a->data, error, size);
    if (a->store == NULL) return -1;
    (void)snprintf(path, sizeof path, "%s/signing.key", a->data);
    if (signing_key_read(a->signing != NULL ? a->signing : path, a->signing == NULL, &a->key,
                         error, size) != 0)
        return -1;
    signing_key_text(&a->key, a->key_text);
    a->asker.key = &a->key;
    a->asker.tls_ca = a->client.tls_ca;
    if (a->asker.tls_ca != NULL && !http_authorities_check(a->asker.tls_ca, error, size)) return -1;
    if (a->handler == NULL) return 0;
    return server_start(a, error, size);
}

int agent_run(struct agent *a, bool (*step)(struct agent *a), peer_handler *handler)
{
    char error[AGENT_STORE_ERROR_SIZE] = "";
    a->step = step;
    a->handler = handler;
    if (sodium_init() < 0 || parts_open(a, error, sizeof error) != 0) {
        (void)fprintf(stderr, "dojima %s: %s\n", a->name, error);
        agent_store_close(a->store);
        return 1;
    }
    if (a->server != NULL) (void)printf("%s %s\n", a->endpoint_text, a->key_text);
    else (void)printf("%s\n", a->key_text);
    (void)fflush(stdout);
    sigset_t ends;
    int number;
    a->starter = pthread_self();
    if (a->server == NULL) signals_block(&ends);
    if (pthread_create(&a->thread, NULL, thread_run, a) == 0) {
        if (a->server != NULL) peer_server_run(a->server, on_stopping);
        else (void)sigwait(&ends, &number);
        on_stopping(a);
        (void)pthread_join(a->thread, NULL);
    } else {
        a->failed = true;
    }
    agent_store_close(a->store);
    client_close(&a->client);
    sodium_memzero(&a->key, sizeof a->key);
    return a->failed ? 1 : 0;
}

/* ---- what was filed ---- */

static const struct agent_hour of_no_hour = {0, 0};

static bool filed_before(struct agent *a, const char *instrument)
{
    char name[80], text[8];
    (void)snprintf(name, sizeof name, "filed-%.64s", instrument);
    return agent_store_note_get(a->store, &of_no_hour, name, text, sizeof text) > 0;
}

static void filed_set(struct agent *a, const char *instrument)
{
    char name[80];
    (void)snprintf(name, sizeof name, "filed-%.64s", instrument);
    if (!agent_store_note_set(a->store, &of_no_hour, name, "1"))
        agent_fail(a, "the store cannot be written");
}

enum client_status agent_file(struct agent *a, struct agent_filing *f, const char *method,
                              const char *paper)
{
    const struct client *c = &a->client;
    enum client_status status = agent_call(a, method);
    if (status == CLIENT_unreachable) return status;
    f->filed = status == CLIENT_ok || filed_before(a, f->instrument);
    if (status == CLIENT_ok) filed_set(a, f->instrument);
    else if (!f->filed && strcmp(f->said, c->reason) != 0)
        agent_say(a, "the %s %s: %s", paper, f->instrument, c->sentence);
    (void)snprintf(f->said, sizeof f->said, "%s", f->filed ? "" : c->reason);
    return status;
}

/* ---- reading an answer ---- */

const char *agent_text(const struct client *c, uint32_t object, const char *name, char *out,
                       size_t size)
{
    uint32_t token = json_member(&c->answer, object, name);
    out[0] = 0;
    if (token == 0) return out;
    const struct json_token *t = &c->tokens[token];
    if (t->kind == JSON_string) {
        if (json_text(&c->answer, token, out, size) < 0) out[0] = 0;
    } else if (t->kind == JSON_number && t->length < size) {
        memcpy(out, c->answer.text + t->start, t->length);
        out[t->length] = 0;
    }
    return out;
}

int64_t agent_fixed(const struct client *c, uint32_t object, const char *name, int scale,
                    int64_t otherwise)
{
    int64_t value;
    uint32_t token = json_member(&c->answer, object, name);
    if (token == 0 || json_decimal(&c->answer, token, scale, &value) != DECIMAL_exact)
        return otherwise;
    return value;
}

int64_t agent_int(const struct client *c, uint32_t object, const char *name, int64_t otherwise)
{
    return agent_fixed(c, object, name, 0, otherwise);
}

bool agent_hex(const struct client *c, uint32_t object, const char *name, uint8_t *bytes,
               size_t size)
{
    return peer_hex(&c->answer, object, name, bytes, size);
}
