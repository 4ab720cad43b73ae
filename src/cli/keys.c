/* keys.c: `dojima keys`: make, list and revoke the API keys of a data directory; a running node
 * takes note within a second. */
#include "cli/cli.h"

#include "cli/files.h"
#include "cli/signing_key.h"
#include "gate/keys.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct key_options {
    const char *data;
    const char *account;
    const char *scopes;
    const char *type;
    const char *public_key;
    int json;
};

static void usage(FILE *to)
{
    fputs("Usage: dojima keys make --data DIR --account NAME --scopes LIST [--type hmac|ed25519]\n"
          "                        [--public-key BASE64URL] [--json]\n"
          "       dojima keys list --data DIR [--json]\n"
          "       dojima keys revoke --data DIR ID\n"
          "       dojima keys signing FILE\n\n"
          "Scopes: read, trade, withdraw, clear, officer, auditor, or all. A secret is shown\n"
          "once; DIR/keys keeps HMAC secrets readable to its owner only, for signatures are\n"
          "checked with them; of an Ed25519 key it keeps the public half. Two keys are two\n"
          "officers.\n\n"
          "signing: the public key of FILE, with which receipts, verdicts or certificates are\n"
          "signed; the file is made when it is not there.\n", to);
}

static int failed(const char *text)
{
    fprintf(stderr, "dojima keys: %s\n", text);
    return 1;
}

static int make_one(const struct key_options *o)
{
    unsigned char public_key[KEY_PUBLIC_BYTES];
    char error[300], scopes[SCOPE_TEXT_SIZE], shown[64];
    struct key key;
    size_t n = 0;
    if (o->account == NULL || o->scopes == NULL || scope_parse(o->scopes) == 0) {
        usage(stderr);
        return 2;
    }
    enum key_type type = strcmp(o->type, "ed25519") == 0 ? KEY_ed25519 : KEY_hmac;
    if ((type == KEY_hmac && strcmp(o->type, "hmac") != 0) ||
        (o->public_key != NULL &&
         (type == KEY_hmac ||
          sodium_base642bin(public_key, sizeof public_key, o->public_key, strlen(o->public_key),
                            NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
          n != sizeof public_key))) {
        usage(stderr);
        return 2;
    }
    files_directory_make(o->data); /* a key can be made before the first start */
    if (keys_make(o->data, type, o->account, scope_parse(o->scopes),
                  o->public_key == NULL ? NULL : public_key, &key, error, sizeof error) != 0)
        return failed(error);
    sodium_bin2base64(shown, sizeof shown, key.public_key, KEY_PUBLIC_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (type == KEY_hmac) shown[0] = 0;
    scope_text(key.scopes, scopes);
    if (o->json) {
        printf("{\"client_id\":\"%s\",\"client_secret\":\"%s\",\"public_key\":\"%s\","
               "\"type\":\"%s\",\"account\":\"%s\",\"scopes\":\"%s\",\"principal\":%u}\n",
               key.id, key.secret, shown, o->type, key.account, scopes, key.principal);
        return 0;
    }
    printf("client_id      %s\nclient_secret  %s\n", key.id,
           key.secret[0] == 0 ? "(yours)" : key.secret);
    if (type == KEY_ed25519) printf("public_key     %s\n", shown);
    printf("account        %s\nscopes         %s\n", key.account, scopes);
    puts(type == KEY_hmac ? "The secret is not shown again."
                          : "The secret is the private seed; it is kept nowhere else.");
    return 0;
}

static int list_all(const struct key_options *o)
{
    char error[300], scopes[SCOPE_TEXT_SIZE];
    struct keys *keys = keys_open(o->data, error, sizeof error);
    if (keys == NULL) return failed(error);
    if (!o->json) printf("%-10s %-8s %-16s %-8s %s\n", "ID", "TYPE", "ACCOUNT", "STATE", "SCOPES");
    for (uint32_t i = 0; i < keys_count(keys); i++) {
        const struct key *k = keys_at(keys, i);
        const char *type = k->type == KEY_hmac ? "hmac" : "ed25519";
        const char *state = k->revoked ? "revoked" : "good";
        scope_text(k->scopes, scopes);
        if (o->json)
            printf("{\"client_id\":\"%s\",\"type\":\"%s\",\"account\":\"%s\",\"state\":\"%s\","
                   "\"scopes\":\"%s\",\"principal\":%u}\n",
                   k->id, type, k->account, state, scopes, k->principal);
        else printf("%-10s %-8s %-16s %-8s %s\n", k->id, type, k->account, state, scopes);
    }
    keys_close(keys);
    return 0;
}

static int revoke_one(const struct key_options *o, const char *id)
{
    char error[300];
    if (keys_revoke(o->data, id, error, sizeof error) != 0) return failed(error);
    printf("revoked %s\n", id);
    return 0;
}

static int signing_one(const char *path)
{
    char error[300], text[SIGNING_KEY_TEXT_SIZE];
    struct signing_key key;
    if (signing_key_read(path, true, &key, error, sizeof error) != 0) return failed(error);
    signing_key_text(&key, text);
    sodium_memzero(&key, sizeof key);
    puts(text);
    return 0;
}

int cli_keys(int argc, char **argv)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},   {"account", required_argument, NULL, 'a'},
        {"scopes", required_argument, NULL, 's'}, {"type", required_argument, NULL, 't'},
        {"public-key", required_argument, NULL, 'p'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    struct key_options o = {.data = "data", .type = "hmac"};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'd': o.data = optarg; break;
        case 'a': o.account = optarg; break;
        case 's': o.scopes = optarg; break;
        case 't': o.type = optarg; break;
        case 'p': o.public_key = optarg; break;
        case 'j': o.json = 1; break;
        case 'h': usage(stdout); return 0;
        default: usage(stderr); return 2;
        }
    }
    int words = argc - optind;
    const char *verb = words > 0 ? argv[optind] : "";
    if (sodium_init() < 0) return failed("no source of randomness");
    if (words == 1 && strcmp(verb, "make") == 0) return make_one(&o);
    if (words == 1 && strcmp(verb, "list") == 0) return list_all(&o);
    if (words == 2 && strcmp(verb, "revoke") == 0) return revoke_one(&o, argv[optind + 1]);
    if (words == 2 && strcmp(verb, "signing") == 0) return signing_one(argv[optind + 1]);
    usage(stderr);
    return 2;
}
