/* config.c: see config.h. */
#include "node/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_TOKENS_MAX = 65536, CONFIG_BYTES_MAX = 4 << 20, CONFIG_NAME_SIZE = 128 };

struct loader {
    struct rpc *rpc;
    const struct rpc_caller *officer;
    const struct json *json;
    char *request; /* CONFIG_BYTES_MAX */
    const struct directory *known; /* NULL: nothing was there before */
    uint32_t products;             /* of them, when this began */
    uint32_t past;                 /* contracts whose trading has ended (CONTRACT-01) */
    char *error;
};

/* ---- what is there already ---- */

/* The text of a member, or "" where it is not one: the request's answer will say what is wrong. */
static const char *member_get(const struct loader *l, uint32_t object, const char *name,
                              char text[CONFIG_NAME_SIZE])
{
    uint32_t token = json_member(l->json, object, name);
    text[0] = 0;
    if (token == 0 || l->json->tokens[token].kind != JSON_string ||
        json_text(l->json, token, text, CONFIG_NAME_SIZE) < 0) text[0] = 0;
    return text;
}

/* The settings of venue, clearing and certification, each one object: there from the first command
 * on. */
static bool settings_exist(const struct loader *l, uint32_t token)
{
    (void)l;
    (void)token;
    return true;
}

static bool product_exists(const struct loader *l, uint32_t token)
{
    char name[CONFIG_NAME_SIZE];
    member_get(l, token, "product", name);
    return directory_find_text(l->known, DIRECTORY_product, name) != 0;
}

static bool instrument_exists(const struct loader *l, uint32_t token)
{
    char product[CONFIG_NAME_SIZE], period[CONFIG_NAME_SIZE], name[2 * CONFIG_NAME_SIZE];
    snprintf(name, sizeof name, "%s-%s", member_get(l, token, "product", product),
             member_get(l, token, "period", period));
    return directory_find_text(l->known, DIRECTORY_instrument, name) != 0;
}

static bool spread_exists(const struct loader *l, uint32_t token)
{
    const struct json_token *tokens = l->json->tokens;
    uint32_t array = json_member(l->json, token, "legs"), legs[SPREAD_LEGS_MAX] = {0}, n = 0;
    if (array == 0 || tokens[array].kind != JSON_array) return false;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        char name[CONFIG_NAME_SIZE];
        if (tokens[i].kind != JSON_object || n == SPREAD_LEGS_MAX) return false;
        member_get(l, i, "instrument_name", name);
        legs[n++] = directory_find_text(l->known, DIRECTORY_instrument, name);
    }
    for (uint32_t id = directory_count(l->known, DIRECTORY_instrument); id > 0; id--) {
        const struct event_instrument *i = directory_instrument(l->known, id);
        if (i != NULL && i->is_spread && memcmp(i->legs, legs, sizeof legs) == 0) return true;
    }
    return false;
}

static bool account_exists(const struct loader *l, uint32_t token)
{
    char name[CONFIG_NAME_SIZE];
    member_get(l, token, "account", name);
    return directory_find_text(l->known, DIRECTORY_account, name) != 0;
}

static bool index_exists(const struct loader *l, uint32_t token)
{
    char name[CONFIG_NAME_SIZE];
    member_get(l, token, "index_name", name);
    return directory_find_text(l->known, DIRECTORY_index, name) != 0;
}

/* A state is applied only to what this reading of the file has made. */
static bool state_exists(const struct loader *l, uint32_t token)
{
    char name[CONFIG_NAME_SIZE];
    member_get(l, token, "product", name);
    uint32_t id = directory_find_text(l->known, DIRECTORY_product, name);
    return id != 0 && id <= l->products;
}

/* Margin parameters are the officers' once their product was there: no old file undoes them. */
static bool margin_exists(const struct loader *l, uint32_t token)
{
    const struct json_token *tokens = l->json->tokens;
    char name[CONFIG_NAME_SIZE];
    member_get(l, token, "product", name);
    uint32_t array = json_member(l->json, token, "products");
    bool listed = array != 0 && tokens[array].kind == JSON_array && array + 1 < tokens[array].next;
    if (listed && tokens[array + 1].kind == JSON_object) {
        member_get(l, array + 1, "product", name);
    }
    uint32_t id = directory_find_text(l->known, DIRECTORY_product, name);
    return name[0] == 0 || (id != 0 && id <= l->products);
}

struct section {
    const char *name;
    const char *method;
    bool (*exists)(const struct loader *l, uint32_t token); /* of an object; known is not NULL */
};

static const struct section sections[] = {
    {"venue", "private/officer_venue_set", settings_exist},
    {"clearing", "private/officer_set_clearing", settings_exist},
    {"certification", "private/officer_set_certification", settings_exist},
    {"accounts", "private/officer_create_account", account_exists},
    {"indices", "private/officer_create_index", index_exists},
    {"products", "private/officer_create_product", product_exists},
    {"instruments", "private/officer_list_instrument", instrument_exists},
    {"spreads", "private/officer_list_spread", spread_exists},
    {"margins", "private/officer_set_margin", margin_exists},
    {"states", "private/officer_set_state", state_exists},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

/* ---- the file as requests ---- */

static int fail(char *error, const char *what, const char *detail)
{
    snprintf(error, CONFIG_ERROR_SIZE, "%s%s%s", what, detail[0] == 0 ? "" : ": ", detail);
    return -1;
}

/* A file outlives the contracts in it: those whose last trading instant has passed are not listed,
 * nor are their spreads. */
static bool is_past(struct loader *l, const struct section *s, int reason)
{
    if (s->exists == spread_exists) return l->past > 0 && reason == REJECT_unknown_instrument;
    bool past = s->exists == instrument_exists && reason == REJECT_expired_time;
    l->past += past ? 1 : 0;
    return past;
}

static int request_send(struct loader *l, const struct section *s, uint32_t token)
{
    const struct json_token *t = &l->json->tokens[token];
    struct rpc_answer a;
    if (t->kind != JSON_object) return fail(l->error, s->name, "an object is wanted");
    if (l->known != NULL && s->exists(l, token)) return 0;
    struct json_writer w = {.bytes = l->request, .capacity = CONFIG_BYTES_MAX};
    json_open_object(&w);
    json_key_string(&w, "method", s->method);
    json_key(&w, "params");
    json_raw(&w, l->json->text + t->start, t->length);
    json_close_object(&w);
    if (w.overflow) return fail(l->error, s->name, "too long");
    rpc_handle(l->rpc, l->officer, w.bytes, w.used, &a);
    if (a.reason == REJECT_none && !a.unavailable) return 0;
    if (is_past(l, s, a.reason)) return 0;
    char detail[CONFIG_ERROR_SIZE - 64];
    snprintf(detail, sizeof detail, "%.*s", (int)(a.length < 380 ? a.length : 380), a.bytes);
    return fail(l->error, s->name, detail);
}

static int section_send(struct loader *l, const struct section *s)
{
    const struct json_token *tokens = l->json->tokens;
    uint32_t token = json_member(l->json, 0, s->name);
    if (token == 0) return 0;
    if (s->exists == settings_exist) return request_send(l, s, token); /* one object */
    if (tokens[token].kind != JSON_array) return fail(l->error, s->name, "an array is wanted");
    for (uint32_t i = token + 1; i < tokens[token].next; i = tokens[i].next) {
        if (request_send(l, s, i) != 0) return -1;
    }
    return 0;
}

/* A section that is not known is an error, so that a misspelt guard is not a missing one. */
static int names_check(const struct json *j, char *error)
{
    if (j->tokens[0].kind != JSON_object) return fail(error, "an object is wanted", "");
    for (uint32_t i = 1; i < j->count; i = j->tokens[i + 1].next) {
        bool known = json_equals(j, i, "comment");
        for (int s = 0; s < SECTIONS; s++) known = known || json_equals(j, i, sections[s].name);
        char name[64] = "?";
        if (known) continue;
        if (json_text(j, i, name, sizeof name) < 0) name[0] = 0;
        return fail(error, "no such section", name);
    }
    return 0;
}

int config_apply(struct rpc *r, const struct rpc_caller *officer, const char *text, size_t length,
                 const struct directory *known, char error[CONFIG_ERROR_SIZE])
{
    int result = -1;
    struct json j = {.capacity = CONFIG_TOKENS_MAX};
    struct loader l = {.rpc = r, .officer = officer, .json = &j, .known = known, .error = error};
    if (known != NULL) l.products = directory_count(known, DIRECTORY_product);
    if (length > CONFIG_BYTES_MAX / 2) return fail(error, "the file is too long", "");
    j.tokens = malloc(CONFIG_TOKENS_MAX * sizeof *j.tokens);
    l.request = malloc(CONFIG_BYTES_MAX);
    if (j.tokens == NULL || l.request == NULL) {
        fail(error, "no memory", "");
        goto out;
    }
    int e = json_parse(&j, text, length);
    if (e != JSON_OK) {
        char detail[80];
        snprintf(detail, sizeof detail, "%s at byte %zu", json_error_text(e), j.error_at);
        fail(error, "the configuration is not readable", detail);
        goto out;
    }
    result = names_check(&j, error);
    for (int s = 0; s < SECTIONS && result == 0; s++) result = section_send(&l, &sections[s]);
out:
    free(l.request);
    free(j.tokens);
    return result;
}

int config_apply_file(struct rpc *r, const struct rpc_caller *officer, const char *path,
                      const struct directory *known, char error[CONFIG_ERROR_SIZE])
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) return fail(error, path, strerror(errno));
    int result = -1;
    char *text = malloc(CONFIG_BYTES_MAX);
    size_t n = text == NULL ? 0 : fread(text, 1, CONFIG_BYTES_MAX, f);
    if (text == NULL) fail(error, path, "no memory");
    else if (ferror(f)) fail(error, path, strerror(errno));
    else result = config_apply(r, officer, text, n, known, error);
    free(text);
    fclose(f);
    return result;
}
