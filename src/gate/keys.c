/* keys.c: see keys.h. */
#include "gate/keys.h"

#include "base/assert.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

enum { PATH_SIZE = 4096, LINE_SIZE = 512, INDEX_SLOTS = 2 * KEYS_MAX };

static const char header[] = "dojima-keys 1\n";
static const struct { uint32_t scope; const char *name; } scope_names[] = {
    {SCOPE_read, "read"},       {SCOPE_trade, "trade"},     {SCOPE_withdraw, "withdraw"},
    {SCOPE_clear, "clear"},     {SCOPE_officer, "officer"}, {SCOPE_auditor, "auditor"},
};
enum { SCOPE_NAMES = sizeof scope_names / sizeof scope_names[0] };

struct keys {
    char path[PATH_SIZE];
    struct key **list; /* each its own block, so that pointers stay good */
    uint32_t count;
    uint32_t *index;   /* INDEX_SLOTS; position + 1 by hash of the id; 0: empty */
    uint64_t read;     /* bytes of the file that were understood */
};

uint32_t scope_parse(const char *text)
{
    uint32_t scopes = 0;
    while (*text != 0) {
        size_t n = strcspn(text, ",");
        uint32_t found = 0;
        for (unsigned i = 0; i < SCOPE_NAMES; i++) {
            if (strlen(scope_names[i].name) == n && strncmp(scope_names[i].name, text, n) == 0)
                found = scope_names[i].scope;
        }
        if (n == 3 && strncmp(text, "all", 3) == 0) found = SCOPE_all;
        if (found == 0) return 0;
        scopes |= found;
        text += n;
        if (*text == ',') text += 1;
    }
    return scopes;
}

char *scope_text(uint32_t scopes, char out[SCOPE_TEXT_SIZE])
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < SCOPE_NAMES; i++) {
        if ((scopes & scope_names[i].scope) == 0) continue;
        int n = snprintf(out + used, SCOPE_TEXT_SIZE - used, "%s%s", used == 0 ? "" : ",",
                         scope_names[i].name);
        used += (size_t)n;
    }
    return out;
}

static uint32_t hash_id(const char *id, size_t size)
{
    uint64_t h = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)id[i]) * UINT64_C(1099511628211);
    return (uint32_t)(h ^ (h >> 32)) & (INDEX_SLOTS - 1);
}

struct key *keys_find(struct keys *k, const char *id, size_t size)
{
    if (size == 0 || size >= KEY_ID_SIZE) return NULL;
    for (uint32_t i = hash_id(id, size);; i = (i + 1) & (INDEX_SLOTS - 1)) {
        if (k->index[i] == 0) return NULL;
        struct key *key = k->list[k->index[i] - 1];
        if (strlen(key->id) == size && memcmp(key->id, id, size) == 0) return key;
    }
}

struct key *keys_at(struct keys *k, uint32_t index)
{
    return index < k->count ? k->list[index] : NULL;
}

uint32_t keys_count(const struct keys *k)
{
    return k->count;
}

static void insert(struct keys *k, const struct key *key)
{
    if (k->count == KEYS_MAX || keys_find(k, key->id, strlen(key->id)) != NULL) return;
    struct key *kept = malloc(sizeof *kept);
    ASSERT(kept != NULL);
    *kept = *key;
    uint32_t i = hash_id(key->id, strlen(key->id));
    while (k->index[i] != 0) i = (i + 1) & (INDEX_SLOTS - 1);
    k->list[k->count++] = kept;
    kept->principal = k->count; /* the order of the file, whoever wrote at the same time */
    k->index[i] = k->count;
}

static bool decode_public(const char *text, unsigned char out[KEY_PUBLIC_BYTES])
{
    size_t n = 0;
    return sodium_base642bin(out, KEY_PUBLIC_BYTES, text, strlen(text), NULL, &n, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           n == KEY_PUBLIC_BYTES;
}

/* One whole line, zero-terminated. Lines of later versions are passed over. */
static void apply_line(struct keys *k, char *line)
{
    char *save = NULL;
    char *word[9] = {0};
    int count = 0;
    for (char *w = strtok_r(line, " ", &save); w != NULL && count < 9;
         w = strtok_r(NULL, " ", &save))
        word[count++] = w;
    if (count == 3 && strcmp(word[0], "revoke") == 0) {
        struct key *key = keys_find(k, word[1], strlen(word[1]));
        if (key != NULL) key->revoked = true;
        return;
    }
    if (count != 8 || strcmp(word[0], "key") != 0) return;
    struct key key = {0};
    key.principal = (uint32_t)strtoul(word[1], NULL, 10);
    key.type = strcmp(word[2], "ed25519") == 0 ? KEY_ed25519 : KEY_hmac;
    key.scopes = scope_parse(word[6]);
    key.created = TS((int64_t)strtoll(word[7], NULL, 10) * NS_PER_MS);
    if (strlen(word[3]) >= KEY_ID_SIZE || strlen(word[4]) >= KEY_SECRET_SIZE) return;
    if (strlen(word[5]) >= ACCOUNT_NAME_SIZE || key.scopes == 0 || key.principal == 0) return;
    snprintf(key.id, sizeof key.id, "%s", word[3]);
    snprintf(key.account, sizeof key.account, "%s", strcmp(word[5], "-") == 0 ? "" : word[5]);
    if (key.type == KEY_hmac) snprintf(key.secret, sizeof key.secret, "%s", word[4]);
    else if (!decode_public(word[4], key.public_key)) return;
    insert(k, &key);
}

/* Size of the file, -1: there is none. */
static int64_t file_size(const char *path)
{
    uv_fs_t request;
    int status = uv_fs_stat(NULL, &request, path, NULL);
    int64_t size = status < 0 ? -1 : (int64_t)request.statbuf.st_size;
    uv_fs_req_cleanup(&request);
    return size;
}

bool keys_refresh(struct keys *k)
{
    int64_t size = file_size(k->path);
    if (size < 0 || (uint64_t)size <= k->read) return false;
    FILE *f = fopen(k->path, "r");
    if (f == NULL) return false;
    char line[LINE_SIZE];
    bool any = false;
    if (fseek(f, (long)k->read, SEEK_SET) == 0) {
        while (fgets(line, sizeof line, f) != NULL) {
            size_t n = strlen(line);
            if (n == 0 || line[n - 1] != '\n') break; /* torn, or being written */
            k->read += n;
            line[n - 1] = 0;
            apply_line(k, line);
            any = true;
        }
    }
    fclose(f);
    sodium_memzero(line, sizeof line);
    return any;
}

struct keys *keys_open(const char *directory, char *error, size_t error_size)
{
    struct keys *k = calloc(1, sizeof *k);
    snprintf(error, error_size, "out of memory");
    if (k == NULL || sodium_init() < 0) return NULL;
    snprintf(k->path, sizeof k->path, "%s/keys", directory);
    k->list = calloc(KEYS_MAX, sizeof *k->list);
    k->index = calloc(INDEX_SLOTS, sizeof *k->index);
    if (k->list == NULL || k->index == NULL) {
        keys_close(k);
        return NULL;
    }
    (void)keys_refresh(k);
    return k;
}

void keys_close(struct keys *k)
{
    if (k == NULL) return;
    for (uint32_t i = 0; i < k->count; i++) {
        sodium_memzero(k->list[i]->secret, KEY_SECRET_SIZE);
        free(k->list[i]->tokens);
        free(k->list[i]);
    }
    free(k->list);
    free(k->index);
    free(k);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int failed(char *error, size_t error_size, const char *what, const char *path, int status)
{
    snprintf(error, error_size, "%s %s: %s", what, path, uv_strerror(status));
    return -1;
}

/* Adds a line and makes it durable; begins with the header, or ends a torn line, where needed. */
static int append_line(const char *path, const char *line, char *error, size_t error_size)
{
    uv_fs_t request;
    char text[LINE_SIZE + sizeof header];
    int file = uv_fs_open(NULL, &request, path, O_RDWR | O_CREAT | O_APPEND, 0600, NULL);
    uv_fs_req_cleanup(&request);
    if (file < 0) return failed(error, error_size, "cannot open", path, file);
    char last = '\n';
    int64_t size = file_size(path);
    if (size > 0) {
        uv_buf_t one = uv_buf_init(&last, 1);
        (void)uv_fs_read(NULL, &request, file, &one, 1, size - 1, NULL);
        uv_fs_req_cleanup(&request);
    }
    int n = snprintf(text, sizeof text, "%s%s%s", size <= 0 ? header : "",
                     last == '\n' ? "" : "\n", line);
    uv_buf_t all = uv_buf_init(text, (unsigned)n);
    int status = uv_fs_write(NULL, &request, file, &all, 1, -1, NULL);
    uv_fs_req_cleanup(&request);
    if (status >= 0 && status != n) status = UV_ENOSPC;
    if (status >= 0) status = uv_fs_fsync(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    (void)uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    sodium_memzero(text, sizeof text);
    return status < 0 ? failed(error, error_size, "cannot write", path, status) : 0;
}

static void random_base64(char *out, size_t out_size, size_t bytes)
{
    unsigned char raw[32];
    randombytes_buf(raw, bytes);
    sodium_bin2base64(out, out_size, raw, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(raw, sizeof raw);
}

/* Eight letters and digits: enough to be unique, easy to read out. */
static void random_id(char out[KEY_ID_SIZE])
{
    static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    for (int i = 0; i < 8; i++) out[i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
    out[8] = 0;
}

static int account_is_valid(const char *account)
{
    size_t n = strlen(account);
    if (n == 0 || n >= ACCOUNT_NAME_SIZE) return 0;
    for (size_t i = 0; i < n; i++) {
        if (account[i] <= ' ' || account[i] == 0x7f) return 0;
    }
    return 1;
}

static void fill(struct key *made, enum key_type type, const unsigned char *public_key)
{
    if (type == KEY_hmac) {
        random_base64(made->secret, sizeof made->secret, 32);
    } else if (public_key != NULL) {
        memcpy(made->public_key, public_key, KEY_PUBLIC_BYTES);
    } else {
        unsigned char seed[crypto_sign_SEEDBYTES];
        unsigned char secret[crypto_sign_SECRETKEYBYTES];
        randombytes_buf(seed, sizeof seed);
        crypto_sign_seed_keypair(made->public_key, secret, seed);
        sodium_bin2base64(made->secret, sizeof made->secret, seed, sizeof seed,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        sodium_memzero(seed, sizeof seed);
        sodium_memzero(secret, sizeof secret);
    }
}

int keys_make(const char *directory, enum key_type type, const char *account, uint32_t scopes,
              const unsigned char *public_key, struct key *made, char *error, size_t error_size)
{
    char line[LINE_SIZE];
    char scope[SCOPE_TEXT_SIZE];
    char shared[KEY_SECRET_SIZE];
    *made = (struct key){.type = (uint8_t)type, .scopes = scopes & SCOPE_all};
    if (!account_is_valid(account) || made->scopes == 0) {
        snprintf(error, error_size, "an account's name without spaces and at least one of the "
                                    "scopes read, trade, withdraw, clear, officer, auditor");
        return -1;
    }
    struct keys *k = keys_open(directory, error, error_size);
    if (k == NULL) return -1;
    snprintf(made->account, sizeof made->account, "%s", account);
    do random_id(made->id);
    while (keys_find(k, made->id, strlen(made->id)) != NULL);
    made->principal = k->count + 1;
    int64_t ms = now_ms();
    made->created = TS(ms * NS_PER_MS);
    fill(made, type, public_key);
    if (type == KEY_hmac) snprintf(shared, sizeof shared, "%s", made->secret);
    else sodium_bin2base64(shared, sizeof shared, made->public_key, KEY_PUBLIC_BYTES,
                           sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(line, sizeof line, "key %u %s %s %s %s %s %lld\n", made->principal,
             type == KEY_hmac ? "hmac" : "ed25519", made->id, shared, account,
             scope_text(made->scopes, scope), (long long)ms);
    int status = append_line(k->path, line, error, error_size);
    sodium_memzero(line, sizeof line);
    sodium_memzero(shared, sizeof shared);
    keys_close(k);
    return status;
}

int keys_revoke(const char *directory, const char *id, char *error, size_t error_size)
{
    char line[LINE_SIZE];
    struct keys *k = keys_open(directory, error, error_size);
    if (k == NULL) return -1;
    int status = -1;
    if (keys_find(k, id, strlen(id)) == NULL) {
        snprintf(error, error_size, "there is no key %s in %s", id, k->path);
    } else {
        snprintf(line, sizeof line, "revoke %s %lld\n", id, (long long)now_ms());
        status = append_line(k->path, line, error, error_size);
    }
    keys_close(k);
    return status;
}
