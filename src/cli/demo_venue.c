/* demo_venue.c: see demo_stage.h: callers of the venue, and its clock. */
#include "cli/demo_stage.h"

#include "base/time_text.h"
#include "cli/files.h"
#include "gate/keys.h"

#include <stdarg.h>
#include <string.h>

enum { MEMBERS_SIZE = 12000 };

static bool key_write(struct stage *s, const char *account, const struct key *key)
{
    char file[64], path[STAGE_PATH_SIZE], text[256];
    uv_fs_t request;
    (void)snprintf(file, sizeof file, "%s.key", account);
    stage_path(s, path, file);
    int size = snprintf(text, sizeof text, "%s %s\n", key->id, key->secret);
    int descriptor = (int)uv_fs_open(NULL, &request, path, UV_FS_O_WRONLY | UV_FS_O_CREAT, 0600,
                                     NULL);
    uv_fs_req_cleanup(&request);
    if (descriptor < 0) return false;
    uv_buf_t buffer = uv_buf_init(text, (unsigned)size);
    bool good = uv_fs_write(NULL, &request, descriptor, &buffer, 1, 0, NULL) == size;
    uv_fs_req_cleanup(&request);
    (void)uv_fs_close(NULL, &request, descriptor, NULL);
    uv_fs_req_cleanup(&request);
    return good;
}

struct client *stage_caller(struct stage *s, const char *data, const char *account,
                            uint32_t scopes)
{
    struct key key;
    char error[256] = "too many callers";
    files_directory_make(data);
    if (s->caller_count == STAGE_CALLERS ||
        keys_make(data, KEY_hmac, account, scopes, NULL, &key, error, sizeof error) != 0 ||
        !key_write(s, account, &key)) {
        (void)stage_fail(s, "no key for %s: %s", account, error);
        return NULL;
    }
    struct client *c = &s->callers[s->caller_count];
    client_init(c);
    c->url = s->url;
    c->has_key = true;
    (void)snprintf(c->key_id, sizeof c->key_id, "%s", key.id);
    (void)snprintf(c->key_secret, sizeof c->key_secret, "%s", key.secret);
    (void)snprintf(s->names[s->caller_count++], sizeof s->names[0], "%s", account);
    return c;
}

struct client *stage_who(struct stage *s, const char *account)
{
    for (uint32_t i = 0; i < s->caller_count; i++) {
        if (strcmp(s->names[i], account) == 0) return &s->callers[i];
    }
    return &s->callers[0];
}

/* Members of the parameters, as they stand. */
static void members_put(struct client *c, const char *text)
{
    size_t size = strlen(text);
    client_begin(c);
    if (size == 0) return;
    if (c->params.used + size >= c->params.capacity) {
        c->params.overflow = true;
        return;
    }
    memcpy(c->params.bytes + c->params.used, text, size);
    c->params.used += size;
    c->params.comma = true;
}

static bool ask(struct stage *s, const char *account, const char *method, const char *format,
                va_list list)
{
    char members[MEMBERS_SIZE];
    struct client *c = stage_who(s, account);
    if (s->failed) return false;
    (void)vsnprintf(members, sizeof members, format, list);
    for (int i = 0; i < 20; i++) { /* a key that was just made is not known at once */
        members_put(c, members);
        enum client_status status = client_try(c, method);
        if (status == CLIENT_ok) return true;
        bool again = status == CLIENT_throttled || strcmp(c->reason, "unauthorised") == 0;
        if (!again || !stage_moment(s)) break;
        uv_sleep(100);
    }
    return stage_fail(s, "%s, %s: %s", account, method, c->sentence);
}

bool stage_ask(struct stage *s, const char *account, const char *method, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    bool good = ask(s, account, method, format, list);
    va_end(list);
    return good;
}

bool stage_officers(struct stage *s, const char *method, const char *format, ...)
{
    va_list list;
    char request[CLIENT_VALUE_SIZE], state[CLIENT_VALUE_SIZE];
    va_start(list, format);
    bool good = ask(s, "officer", method, format, list);
    va_end(list);
    if (!good) return false;
    struct client *c = stage_who(s, "officer");
    if (c->tokens[c->result].kind != JSON_object) return true;
    (void)client_text(c, c->result, "request", request);
    (void)client_text(c, c->result, "state", state);
    if (request[0] == 0 || strcmp(state, "awaiting") != 0) return true;
    return stage_ask(s, "officer2", "private/officer_confirm", "\"request\":%s", request);
}

/* ---- the clock ---- */

bool stage_jump(struct stage *s, ts_t at)
{
    char when[TIME_TEXT_SIZE];
    (void)time_format(when, at);
    if (!stage_ask(s, "officer", "private/officer_clock", "\"at\":\"%s\"", when)) return false;
    struct client *c = stage_who(s, "officer");
    while (!client_true(c, c->result, "arrived")) {
        if (!stage_moment(s) || !stage_ask(s, "officer", "private/officer_clock", "%s", ""))
            return false;
    }
    return true;
}

bool stage_rate(struct stage *s, int64_t rate)
{
    return stage_ask(s, "officer", "private/officer_clock", "\"rate\":%lld", (long long)rate);
}
