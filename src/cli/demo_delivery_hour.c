/* demo_delivery_hour.c: from the tenders to the last payment (DELIV-01 to -06). */
#include "cli/demo_delivery.h"

#include "proof/sample.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_S = 300, ALLOCATIONS = 16, RATE = 30, SAMPLES_FAST = 4, SAMPLES = 8 };

struct allocation_seen {
    uint64_t id;
    char state[CLIENT_VALUE_SIZE];
    char reason[CLIENT_VALUE_SIZE];
    char seller[CLIENT_VALUE_SIZE];
    char paid[CLIENT_VALUE_SIZE];
    char damages[CLIENT_VALUE_SIZE];
    uint64_t auction;
    uint64_t of;
};

struct hours_seen {
    struct allocation_seen list[ALLOCATIONS];
    uint32_t count;
};

static uint64_t number_of(const struct client *c, uint32_t object, const char *name)
{
    char text[CLIENT_VALUE_SIZE];
    return strtoull(client_text(c, object, name, text), NULL, 10);
}

static bool allocations_read(struct stage *s, struct hours_seen *h)
{
    h->count = 0;
    if (!stage_ask(s, "officer", "private/get_allocations", "\"count\":16")) return false;
    struct client *c = stage_who(s, "officer");
    for (uint32_t t = client_each(c, c->result, 0); t != 0 && h->count < ALLOCATIONS;
         t = client_each(c, c->result, t)) {
        struct allocation_seen *a = &h->list[h->count++];
        a->id = number_of(c, t, "allocation");
        a->auction = number_of(c, t, "auction");
        a->of = number_of(c, t, "of");
        (void)client_text(c, t, "state", a->state);
        (void)client_text(c, t, "reason", a->reason);
        (void)client_text(c, t, "seller", a->seller);
        (void)client_text(c, t, "paid", a->paid);
        (void)client_text(c, t, "damages", a->damages);
    }
    return true;
}

/* ---- the agents ---- */

static bool agent_start(struct story *t, const char *name, const char *account,
                        const char *const *more)
{
    struct stage *s = &t->stage;
    char key[STAGE_PATH_SIZE], data[STAGE_PATH_SIZE], signing[STAGE_PATH_SIZE], file[64];
    char line[STAGE_LINE_SIZE];
    const char *arguments[STAGE_ARGUMENTS] = {strncmp(name, "gateway", 7) == 0 ? "intake"
                                              : strncmp(name, "watch", 5) == 0 ? "verify"
                                                                               : "deliver",
                                              "--url", s->url, "--key-file", key, "--data", data,
                                              "--sign-key", signing, "--poll-ms", "100"};
    size_t n = 11;
    (void)snprintf(file, sizeof file, "%s.key", account);
    stage_path(s, key, file);
    stage_path(s, data, name);
    (void)snprintf(file, sizeof file, "%s.signing", account);
    stage_path(s, signing, file);
    while (*more != NULL && n + 1 < STAGE_ARGUMENTS) arguments[n++] = *more++;
    struct signing_key made;
    char error[256];
    if (signing_key_read(signing, true, &made, error, sizeof error) != 0)
        return stage_fail(s, "%s", error);
    struct stage_process *p = stage_start(s, name, arguments);
    if (!stage_line(s, p, line)) return false;
    stage_say(s, "%-12s process %d, %s%.40s", name, p->handle.pid,
              strchr(line, ' ') != NULL ? "at " : "key ", line);
    return true;
}

static bool tenders_are_in(struct stage *s, void *context)
{
    static const struct { const char *account, *list; } wanted[] = {
        {"north", "tenders"}, {"south", "tenders"}, {"buyer", "intakes"}};
    struct story *t = context;
    for (int i = 0; i < 3; i++) {
        if (!stage_ask(s, wanted[i].account, "private/get_tenders", "\"instrument_name\":\"%s\"",
                       t->day_name)) return false;
        struct client *c = stage_who(s, wanted[i].account);
        uint32_t list = json_member(&c->answer, c->result, wanted[i].list);
        if (list == 0 || json_array_count(&c->answer, list) == 0) return false;
    }
    return true;
}

bool story_agents(struct story *t)
{
    struct stage *s = &t->stage;
    char tender[STORY_NAME_SIZE + 8], samples[16];
    (void)snprintf(tender, sizeof tender, "%s:1", t->day_name);
    (void)snprintf(samples, sizeof samples, "%d", t->fast ? SAMPLES_FAST : SAMPLES);
    const char *const north[] = {"--resource", "north-cpu", "--tender", tender, "--standing", NULL};
    const char *const south[] = {"--resource", "south-cpu", "--tender", tender, "--cheat",
                                 t->cheat, NULL};
    const char *const gateway[] = {"--instrument", t->day_name, "--workload", "gemm-1b", NULL};
    const char *const watch[] = {"--watch", "--samples", samples, "--canaries", "1", "--workload",
                                 "gemm-1b", "--patience", "600", NULL};
    stage_step(s, "Five days before: sellers tender, the buyer says where it wants delivery.");
    if (!stage_jump(s, TS(t->day.v - 5 * NS_PER_DAY + 9 * NS_PER_HOUR)) ||
        !agent_start(t, "gateway", "buyer", gateway) || !agent_start(t, "north", "north", north) ||
        !agent_start(t, "south", "south", south) || !agent_start(t, "watch", "verifier", watch) ||
        !stage_wait(s, "two tenders and an intake", WAIT_S, tenders_are_in, t))
        return false;
    stage_say(s, "south will cheat: %s.", t->cheat);
    return true;
}

/* ---- states ---- */

struct wanted {
    const char *state;
    uint32_t count;
};

static bool so_many_are(struct stage *s, void *context)
{
    const struct wanted *w = context;
    struct hours_seen h;
    uint32_t count = 0;
    if (!allocations_read(s, &h)) return false;
    for (uint32_t i = 0; i < h.count; i++) count += strcmp(h.list[i].state, w->state) == 0;
    return count >= w->count;
}

static bool allocations_say(struct story *t)
{
    struct hours_seen h;
    if (!allocations_read(&t->stage, &h)) return false;
    for (uint32_t i = h.count; i-- > 0;) {
        const struct allocation_seen *a = &h.list[i];
        stage_say(&t->stage, "allocation %llu: %s to buyer: %s%s%s; paid %s, damages %s",
                  (unsigned long long)a->id, a->seller, a->state, a->reason[0] != 0 ? ", " : "",
                  a->reason, a->paid, a->damages);
    }
    return true;
}

static bool tokens_are_there(struct stage *s, void *context)
{
    static const char *const sellers[] = {"north", "south"};
    (void)context;
    for (int i = 0; i < 2; i++) {
        if (!stage_ask(s, sellers[i], "private/get_balances", "%s", "")) return false;
        struct client *c = stage_who(s, sellers[i]);
        bool found = false;
        for (uint32_t b = client_each(c, c->result, 0); b != 0; b = client_each(c, c->result, b)) {
            char asset[CLIENT_VALUE_SIZE];
            found = found || strncmp(client_text(c, b, "asset", asset), "CT-", 3) == 0;
        }
        if (!found) return false;
    }
    return true;
}

bool story_notice(struct story *t)
{
    struct stage *s = &t->stage;
    struct wanted escrowed = {"escrowed", 2}, ready = {"ready", 2};
    stage_step(s, "Four days before, notice: shorts are assigned to the oldest long.");
    if (!stage_jump(s, TS(t->day.v - 4 * NS_PER_DAY + 12 * NS_PER_HOUR + NS_PER_SECOND)) ||
        !allocations_say(t) ||
        !stage_wait(s, "tokens of both sellers", WAIT_S, tokens_are_there, NULL))
        return false;
    stage_say(s, "Both sellers issue tokens of that hour, claims on their certified work.");
    if (!story_ledger(t)) return false;
    stage_step(s, "Three days before: margin of both sides and the tokens go into escrow.");
    if (!stage_jump(s, TS(t->day.v - 3 * NS_PER_DAY + 12 * NS_PER_HOUR + NS_PER_SECOND)) ||
        !stage_wait(s, "escrow", WAIT_S, so_many_are, &escrowed) || !story_ledger(t))
        return false;
    stage_step(s, "The day before, the canary: work that nobody could know, done now, checked.");
    if (!stage_jump(s, TS(t->day.v - NS_PER_DAY + 12 * NS_PER_HOUR + NS_PER_SECOND)) ||
        !stage_wait(s, "canaries", WAIT_S, so_many_are, &ready))
        return false;
    return allocations_say(t);
}

/* ---- the hour ---- */

static bool receipts_are_signed(struct stage *s, void *context)
{
    const uint32_t *count = context;
    return stage_heard(s, "gateway", "receipt signed") >= *count;
}

/* What is published of an allocation's hours (DELIV-04). */
static bool hours_say(struct story *t, uint64_t allocation, const char *seller)
{
    struct stage *s = &t->stage;
    if (!stage_ask(s, "officer", "public/get_delivery", "\"allocation\":%llu",
                   (unsigned long long)allocation)) return false;
    struct client *c = stage_who(s, "officer");
    uint32_t hours = json_member(&c->answer, c->result, "hours");
    for (uint32_t h = client_each(c, hours, 0); h != 0; h = client_each(c, hours, h)) {
        char state[CLIENT_VALUE_SIZE], work[CLIENT_VALUE_SIZE], outcome[CLIENT_VALUE_SIZE];
        char bound[CLIENT_VALUE_SIZE];
        stage_say(s, "%-6s %s, %s: %s CT accepted; %llu tasks, %llu sampled, %llu false; at 95%% "
                     "at most %s of them are", seller, client_text(c, h, "state", state),
                  client_text(c, h, "outcome", outcome), client_text(c, h, "work", work),
                  (unsigned long long)number_of(c, h, "tasks"),
                  (unsigned long long)number_of(c, h, "sampled"),
                  (unsigned long long)number_of(c, h, "failed"),
                  client_text(c, h, "fault_rate_bound_95", bound));
    }
    return true;
}

static bool verdicts_are_in(struct stage *s, void *context)
{
    const uint32_t *count = context;
    (void)s;
    return stage_heard(s, "watch", " verdict: ") >= *count;
}

static bool all_hours_say(struct story *t)
{
    struct hours_seen h;
    if (!allocations_read(&t->stage, &h)) return false;
    for (uint32_t i = h.count; i-- > 0;) {
        if (!hours_say(t, h.list[i].id, h.list[i].seller)) return false;
    }
    return true;
}

bool story_hour(struct story *t)
{
    struct stage *s = &t->stage;
    uint32_t two = 2;
    stage_step(s, "The hour. Tasks go from the buyer's gateway to the sellers, answers come back.");
    if (!stage_jump(s, TS(t->day.v + 14 * NS_PER_HOUR))) return false;
    if (!t->fast && !stage_rate(s, RATE)) return false;
    if (!t->fast) stage_say(s, "Venue time runs %d times as fast: an hour is two minutes.", RATE);
    if (!stage_wait(s, "both receipts", WAIT_S, receipts_are_signed, &two) || !stage_rate(s, 1))
        return false;
    stage_say(s, "Both have committed to 10^12 FLOP; the gateway has signed both receipts: it "
                 "cannot\n   see that one of them is a lie.");
    stage_step(s, "The hour is over: receipts go in, the verifier draws its samples.");
    if (!stage_jump(s, TS(t->day.v + 15 * NS_PER_HOUR + NS_PER_SECOND)) ||
        !stage_wait(s, "both verdicts", WAIT_S, verdicts_are_in, &two))
        return false;
    return all_hours_say(t);
}

/* ---- the buy-in ---- */

static bool auction_is_open(struct stage *s, void *context)
{
    struct story *t = context;
    struct hours_seen h;
    if (!allocations_read(s, &h)) return false;
    for (uint32_t i = 0; i < h.count; i++) {
        if (strcmp(h.list[i].seller, "south") == 0 && h.list[i].auction != 0)
            t->auction = h.list[i].auction;
    }
    return t->auction != 0;
}

static bool replacement_is_there(struct stage *s, void *context)
{
    struct hours_seen h;
    (void)context;
    if (!allocations_read(s, &h)) return false;
    for (uint32_t i = 0; i < h.count; i++) {
        if (h.list[i].of != 0) return true;
    }
    return false;
}

static bool certificates_say(struct story *t)
{
    struct stage *s = &t->stage;
    if (!stage_ask(s, "officer", "public/get_certificates", "\"provider\":\"south\""))
        return false;
    struct client *c = stage_who(s, "officer");
    char state[CLIENT_VALUE_SIZE] = "", reason[CLIENT_VALUE_SIZE];
    for (uint32_t e = client_each(c, c->result, 0); e != 0; e = client_each(c, c->result, e)) {
        (void)client_text(c, e, "status", state);
        stage_say(s, "south's certificate: %s, %s", state, client_text(c, e, "reason", reason));
    }
    return strcmp(state, "decertified") == 0 ||
           stage_fail(s, "south was not decertified, but is %s", state);
}

bool story_buy_in(struct story *t)
{
    struct stage *s = &t->stage;
    uint32_t three = 3;
    stage_step(s, "south is caught: decertified, and bought in at the balancing auction.");
    if (!stage_wait(s, "the balancing auction", WAIT_S, auction_is_open, t) ||
        !certificates_say(t) ||
        !stage_ask(s, "north", "private/token_issue",
                   "\"resource\":\"north-cpu\",\"hour\":%lld,\"amount\":0.000001",
                   (long long)((t->day.v + 16 * NS_PER_HOUR) / NS_PER_MS)) ||
        !stage_ask(s, "north", "private/spot_bid",
                   "\"auction\":%llu,\"side\":\"sell\",\"price\":%d,\"amount\":0.000001",
                   (unsigned long long)t->auction, STORY_PRICE + STORY_PRICE / 5))
        return false;
    stage_say(s, "north issues tokens of 16:00 and offers the missing work at %d in auction %llu.",
              STORY_PRICE + STORY_PRICE / 5, (unsigned long long)t->auction);
    if (!stage_jump(s, TS(t->day.v + 15 * NS_PER_HOUR + 1900 * NS_PER_SECOND)) ||
        !stage_wait(s, "the replacement", WAIT_S, replacement_is_there, NULL) ||
        !allocations_say(t) || !stage_jump(s, TS(t->day.v + 16 * NS_PER_HOUR)))
        return false;
    if (!t->fast && !stage_rate(s, RATE)) return false;
    if (!stage_wait(s, "the replacement's receipt", WAIT_S, receipts_are_signed, &three) ||
        !stage_rate(s, 1) ||
        !stage_jump(s, TS(t->day.v + 17 * NS_PER_HOUR + NS_PER_SECOND)) ||
        !stage_wait(s, "its verdict", WAIT_S, verdicts_are_in, &three))
        return false;
    return all_hours_say(t) && story_ledger(t);
}

/* ---- the payment ---- */

static bool checked(struct story *t, const char *seller, const struct allocation_seen *a)
{
    bool north = strcmp(a->seller, "north") == 0, ours = strcmp(a->seller, seller) == 0;
    if (!ours) return true;
    if (north && a->reason[0] != 0)
        return stage_fail(&t->stage, "north was honest, but: %s", a->reason);
    if (north && strcmp(a->paid, "0") == 0)
        return stage_fail(&t->stage, "north was not paid");
    if (!north && (strcmp(a->paid, "0") != 0 || strcmp(a->reason, "falsified") != 0))
        return stage_fail(&t->stage, "south was paid %s, reason %s", a->paid, a->reason);
    return north || strcmp(a->damages, "0") != 0 ||
           stage_fail(&t->stage, "south paid no damages");
}

bool story_payment(struct story *t)
{
    struct stage *s = &t->stage;
    struct hours_seen h;
    struct wanted closed = {"closed", 3};
    stage_step(s, "The day after: verified work is paid; sellers' margins wait for challenges.");
    if (!stage_jump(s, TS(t->day.v + NS_PER_DAY + 15 * NS_PER_HOUR)) || !allocations_say(t) ||
        !story_ledger(t))
        return false;
    stage_step(s, "72 hours later nobody has challenged: margins are free, all is closed.");
    if (!stage_jump(s, TS(t->day.v + 5 * NS_PER_DAY)) ||
        !stage_wait(s, "all closed", WAIT_S, so_many_are, &closed) || !allocations_say(t) ||
        !allocations_read(s, &h))
        return false;
    for (uint32_t i = 0; i < h.count; i++) {
        if (strcmp(h.list[i].seller, "south") == 0) t->cheated = h.list[i].id;
        else if (h.list[i].of == 0) t->honest = h.list[i].id;
        if (!checked(t, "north", &h.list[i]) || !checked(t, "south", &h.list[i])) return false;
    }
    return true;
}
