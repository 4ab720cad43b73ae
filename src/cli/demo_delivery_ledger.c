/* demo_delivery_ledger.c: the ledger as whoever watches sees it, and that it adds up. */
#include "cli/demo_delivery.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { ACCOUNTS_MAX = 64, ASSETS_MAX = 256, SCALE = 9 };

struct asset_sum {
    char name[CLIENT_VALUE_SIZE];
    int128_t sum;
    uint32_t holders;
};

struct sums {
    struct asset_sum assets[ASSETS_MAX];
    uint32_t count;
};

/* ---- reading ---- */

static bool accounts_read(struct stage *s, char names[ACCOUNTS_MAX][CLIENT_VALUE_SIZE],
                          uint32_t *count)
{
    *count = 0;
    if (!stage_ask(s, "officer", "private/officer_get_accounts", "%s", "")) return false;
    struct client *c = stage_who(s, "officer");
    for (uint32_t a = client_each(c, c->result, 0); a != 0 && *count < ACCOUNTS_MAX;
         a = client_each(c, c->result, a))
        (void)client_text(c, a, "account", names[(*count)++]);
    return true;
}

static void sum_add(struct sums *sums, const char *name, int64_t value)
{
    uint32_t i = 0;
    while (i < sums->count && strcmp(sums->assets[i].name, name) != 0) i += 1;
    if (i == ASSETS_MAX) return;
    if (i == sums->count)
        (void)snprintf(sums->assets[sums->count++].name, CLIENT_VALUE_SIZE, "%s", name);
    sums->assets[i].sum += value;
    sums->assets[i].holders += value != 0;
}

/* Positions stand in the ledger as balances of contracts; here in words. */
static bool positions_add(struct stage *s, const char *account, char *line, size_t size,
                          size_t *used)
{
    if (!stage_ask(s, "officer", "private/get_positions", "\"account\":\"%s\"", account))
        return false;
    struct client *c = stage_who(s, "officer");
    for (uint32_t p = client_each(c, c->result, 0); p != 0; p = client_each(c, c->result, p)) {
        char name[CLIENT_VALUE_SIZE], lots[CLIENT_VALUE_SIZE];
        if (*used + 60 > size) break;
        int n = snprintf(line + *used, size - *used, "  %.10s %.30s",
                         client_text(c, p, "size", lots),
                         client_text(c, p, "instrument_name", name));
        *used += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* An account's balances into the sums; prints its line when it has any that is not zero. */
static bool account_read(struct story *t, const char *account, struct sums *sums, bool print)
{
    struct stage *s = &t->stage;
    char line[512] = "";
    size_t used = 0;
    uint32_t tokens = 0;
    if (!stage_ask(s, "officer", "private/get_balances", "\"account\":\"%s\"", account))
        return false;
    struct client *c = stage_who(s, "officer");
    for (uint32_t b = client_each(c, c->result, 0); b != 0; b = client_each(c, c->result, b)) {
        char name[CLIENT_VALUE_SIZE], value[CLIENT_VALUE_SIZE];
        int64_t number = 0;
        (void)client_text(c, b, "asset", name);
        (void)client_text(c, b, "balance", value);
        uint32_t token = json_member(&c->answer, b, "balance");
        if (token == 0 || json_decimal(&c->answer, token, SCALE, &number) != DECIMAL_exact)
            return stage_fail(s, "%s: the balance of %s cannot be read", account, name);
        sum_add(sums, name, number);
        if (number == 0 || used + 64 > sizeof line) continue;
        if (strncmp(name, "CT-", 3) == 0 && ++tokens > 3) continue;
        int n = snprintf(line + used, sizeof line - used, "  %.20s %.40s", value, name);
        used += n > 0 ? (size_t)n : 0;
    }
    if (print && !positions_add(s, account, line, sizeof line, &used)) return false;
    if (print && line[0] != 0)
        (void)printf("   | %-12s%s%s\n", account, line, tokens > 3 ? " ..." : "");
    return true;
}

bool story_ledger(struct story *t)
{
    char names[ACCOUNTS_MAX][CLIENT_VALUE_SIZE];
    uint32_t count;
    struct sums *sums = calloc(1, sizeof *sums);
    bool good = sums != NULL && accounts_read(&t->stage, names, &count);
    if (good) stage_say(&t->stage, "The ledger:");
    for (uint32_t i = 0; good && i < count; i++) good = account_read(t, names[i], sums, true);
    for (uint32_t i = 0; good && i < sums->count; i++) {
        if (sums->assets[i].sum != 0)
            good = stage_fail(&t->stage, "%s does not add up to zero", sums->assets[i].name);
    }
    if (good) (void)printf("   | %u assets, each adds up to zero over all accounts\n", sums->count);
    free(sums);
    return good;
}

/* ---- the end ---- */

static bool nothing_is_held(struct story *t)
{
    static const char *const names[] = {"buyer", "north", "south"};
    struct stage *s = &t->stage;
    for (int i = 0; i < 3; i++) {
        if (!stage_ask(s, "officer", "private/get_positions", "\"account\":\"%s\"", names[i]))
            return false;
        struct client *c = stage_who(s, "officer");
        if (client_each(c, c->result, 0) != 0)
            return stage_fail(s, "%s still has a position", names[i]);
        if (!stage_ask(s, "officer", "private/get_balances", "\"account\":\"%s\"", names[i]))
            return false;
        for (uint32_t b = client_each(c, c->result, 0); b != 0; b = client_each(c, c->result, b)) {
            char asset[CLIENT_VALUE_SIZE], value[CLIENT_VALUE_SIZE];
            if (strncmp(client_text(c, b, "asset", asset), "CT-", 3) == 0 &&
                strcmp(client_text(c, b, "balance", value), "0") != 0)
                return stage_fail(s, "%s still has tokens: %s", names[i], asset);
        }
    }
    return true;
}

/* The venue is ended and its whole journal replayed: the same state, by its hash, and every
 * invariant of the core asserted on the way. */
static bool replayed(struct story *t)
{
    struct stage *s = &t->stage;
    char line[STAGE_LINE_SIZE], path[STAGE_PATH_SIZE];
    bool same = false;
    if (!stage_ask(s, "officer", "public/get_state_hash", "%s", "")) return false;
    struct client *c = stage_who(s, "officer");
    (void)client_text(c, c->result, "hash", t->hash);
    for (uint32_t i = s->process_count; i-- > 0;) (void)stage_stop(s, &s->processes[i], SIGTERM);
    const char *const arguments[] = {"replay", "--data", t->data, "--verify", "--hash", NULL};
    if (stage_run(s, "replay", arguments) != 0)
        return stage_fail(s, "the replay found a difference");
    stage_path(s, path, "replay.out");
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strstr(line, t->hash) != NULL) same = true;
    if (f != NULL) (void)fclose(f);
    if (!same) return stage_fail(s, "the replay does not end at %s", t->hash);
    stage_say(s, "The whole journal, replayed, ends in the same state: %s", t->hash);
    return true;
}

/* Whether `dojima verify` finds an hour's receipt, verdict and proofs right, without a venue. */
static int verified(struct story *t, uint64_t allocation, const char *name)
{
    enum { PARTS = 16 };
    char receipt[STAGE_PATH_SIZE], verdict[STAGE_PATH_SIZE], proofs[PARTS][STAGE_PATH_SIZE];
    char file[96];
    long long hour = (long long)(t->day.v / NS_PER_HOUR + 14);
    const char *arguments[PARTS + 4] = {"verify", receipt, verdict};
    (void)snprintf(file, sizeof file, "gateway/receipts/%llu-%lld.note",
                   (unsigned long long)allocation, hour);
    stage_path(&t->stage, receipt, file);
    (void)snprintf(file, sizeof file, "watch/proofs/%llu-%lld-verdict.note",
                   (unsigned long long)allocation, hour);
    stage_path(&t->stage, verdict, file);
    for (size_t i = 0; i < PARTS; i++) {
        (void)snprintf(file, sizeof file, "watch/proofs/%llu-%lld-hour-%zu.proof",
                       (unsigned long long)allocation, hour, i);
        stage_path(&t->stage, proofs[i], file);
        FILE *f = fopen(proofs[i], "rb");
        if (f == NULL) break;
        (void)fclose(f);
        arguments[3 + i] = proofs[i];
    }
    return stage_run(&t->stage, name, arguments);
}

static bool offline(struct story *t)
{
    struct stage *s = &t->stage;
    if (verified(t, t->honest, "verify-north") != 0)
        return stage_fail(s, "what north delivered does not check offline");
    if (verified(t, t->cheated, "verify-south") == 0)
        return stage_fail(s, "what south delivered checks offline");
    stage_say(s, "`dojima verify`, with no venue there: north's receipt, verdict and proofs "
                 "are right,\n   south's are not.");
    return !s->failed;
}

bool story_conserved(struct story *t)
{
    stage_step(&t->stage, "What is left: the ledger adds up, nothing is held, all can be checked.");
    return nothing_is_held(t) && story_ledger(t) && replayed(t) && offline(t);
}
