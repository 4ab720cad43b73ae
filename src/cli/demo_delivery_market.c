/* demo_delivery_market.c: from hardware to days: certificates, a contract, its cascade. */
#include "cli/demo_delivery.h"

#include "base/time_text.h"
#include "gate/scope.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEAD_DAYS = 12, QUARTER_DAYS = 11, MONTH_DAYS = 9, DEPOSIT = 1000, CERTIFIED_DAYS = 90 };

/* ---- when ---- */

/* The first month, or quarter, that begins after this date; its first date counted from 1970. */
static int64_t period_after(int64_t date, int64_t months, int64_t *year, int64_t *number)
{
    int64_t month, day;
    time_date_of_days(date, year, &month, &day);
    *number = (month - 1) / months + 2;
    if (*number > 12 / months) {
        *year += 1;
        *number = 1;
    }
    return time_days_of_date(*year, (*number - 1) * months + 1, 1);
}

/* A quarter, unless it begins later than a certificate may last: then a month. And its first
 * working day. */
static void dates_choose(struct story *t)
{
    struct timespec now;
    int64_t year, number, month, day;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t today = now.tv_sec / 86400, first = period_after(today + LEAD_DAYS, 3, &year, &number);
    t->is_quarter = first - today < CERTIFIED_DAYS - 10;
    if (!t->is_quarter) first = period_after(today + LEAD_DAYS, 1, &year, &number);
    (void)snprintf(t->period_name, sizeof t->period_name, t->is_quarter ? "CTP-%lldQ%lld-PK"
                                                                        : "CTP-%lldM%02lld-PK",
                   (long long)year, (long long)number);
    int64_t working = first;
    while ((working + 3) % 7 >= 5) working += 1; /* 1970-01-01 was a Thursday; Monday is 0 */
    t->period = TS(first * NS_PER_DAY);
    t->day = TS(working * NS_PER_DAY);
    time_date_of_days(working, &year, &month, &day);
    (void)snprintf(t->day_name, sizeof t->day_name, "CTP-%lldD%02lld%02lld-PK", (long long)year,
                   (long long)month, (long long)day);
}

/* ---- certificates ---- */

static bool certify(struct story *t, const char *seller)
{
    struct stage *s = &t->stage;
    char key[STAGE_PATH_SIZE], out[STAGE_PATH_SIZE], file[64], resource[64], name[32];
    (void)snprintf(file, sizeof file, "%s.certificate", seller);
    (void)snprintf(resource, sizeof resource, "%s-cpu", seller);
    (void)snprintf(name, sizeof name, "certify-%s", seller);
    stage_path(s, key, "certifier.signing");
    stage_path(s, out, file);
    const char *const arguments[] = {
        "certify", "--quick", "--seconds", t->fast ? "2" : "10", "--workload", "gemm-1b",
        "--device", "cpu", "--key", key, "--make-key", "--out", out, "--provider", seller,
        "--resource", resource, "--region", "demo", "--site", "this machine", "--days", "90",
        NULL};
    int status = stage_run(s, name, arguments);
    return status == 0 || stage_fail(s, "certify ended with %d: see %s.err", status, name);
}

bool story_certify(struct story *t)
{
    dates_choose(t);
    stage_step(&t->stage, "The certifier measures this machine for each seller (CERT-01).");
    stage_say(&t->stage, "dojima certify --quick: matrix products of a reference workload, %s s "
                         "each; marked as a try.", t->fast ? "2" : "10");
    return certify(t, "north") && certify(t, "south");
}

/* ---- the venue ---- */

/* A lot is a millionth of a CT/h, 10^12 FLOP in an hour, so that this machine can deliver it; a
 * price is quoted a million times as high, so that its money is seen. */
static const char config[] =
    "{\"venue\":{\"stale_ms\":5000},\"products\":[{\"product\":\"CTP\",\"kind\":\"future\","
    "\"settlement\":\"physical\",\"contract_unit\":\"hour\",\"contract_size\":0.000001,"
    "\"tick_size\":1000,\"price_floor\":0,\"price_band\":500000,\"protection_points\":100000,"
    "\"flat_margin\":0.01,\"peak_hours\":{\"start\":14,\"end\":15},"
    "\"matching\":{\"algorithm\":\"fifo\"},"
    "\"settlement_rules\":{\"window_start\":\"14:28\",\"window_end\":\"14:30\"},"
    "\"calendar\":{\"quarter\":{\"days_before\":11,\"time\":\"14:30\",\"cascades\":true},"
    "\"month\":{\"days_before\":9,\"time\":\"14:30\",\"cascades\":true},"
    "\"day\":{\"days_before\":6,\"time\":\"12:00\"}},"
    "\"guards\":{\"breaker_percent\":100,\"velocity_ticks\":100000,"
    "\"limit_percent\":[100,200,300],\"auction_random_seconds\":5},"
    "\"delivery\":{\"vintage\":2026,\"grade\":\"offline\",\"region\":\"demo\","
    "\"grade_differentials\":[1,1.4,2.2]}}]}\n";

static bool config_write(struct story *t, char path[STAGE_PATH_SIZE])
{
    stage_path(&t->stage, path, "venue.json");
    FILE *f = fopen(path, "w");
    bool good = f != NULL && fputs(config, f) >= 0;
    if (f != NULL && fclose(f) != 0) good = false;
    return good || stage_fail(&t->stage, "%s cannot be written", path);
}

static bool callers_make(struct story *t)
{
    struct stage *s = &t->stage;
    uint32_t own = SCOPE_read | SCOPE_trade | SCOPE_withdraw;
    return stage_caller(s, t->data, "officer", SCOPE_all) != NULL &&
           stage_caller(s, t->data, "officer2", SCOPE_all) != NULL &&
           stage_caller(s, t->data, "buyer", own) != NULL &&
           stage_caller(s, t->data, "north", own) != NULL &&
           stage_caller(s, t->data, "south", own) != NULL &&
           stage_caller(s, t->data, "verifier", SCOPE_read | SCOPE_auditor) != NULL;
}

static bool serve(struct story *t)
{
    struct stage *s = &t->stage;
    char path[STAGE_PATH_SIZE], when[TIME_TEXT_SIZE];
    stage_path(s, t->data, "venue");
    (void)time_format(when, TS(t->period.v - LEAD_DAYS * NS_PER_DAY + 8 * NS_PER_HOUR));
    if (!callers_make(t) || !config_write(t, path)) return false;
    const char *const arguments[] = {
        "serve", "--data", t->data, "--listen", "127.0.0.1:0", "--config", path, "--clock", when,
        "--limits", "rate=100000,burst=100000", "--no-history", "--quiet", NULL};
    char line[STAGE_LINE_SIZE];
    t->venue = stage_start(s, "serve", arguments);
    if (!stage_line(s, t->venue, line)) return false;
    line[strcspn(line, " \r\n")] = 0;
    size_t length = strlen(line);
    if (length > 0 && line[length - 1] == '/') line[length - 1] = 0;
    (void)snprintf(s->url, sizeof s->url, "%.60s", line);
    stage_say(s, "%s, venue time %s", s->url, when);
    return true;
}

static bool accredit(struct story *t, const char *role)
{
    char file[64], path[STAGE_PATH_SIZE], text[SIGNING_KEY_TEXT_SIZE], error[256];
    struct signing_key key;
    (void)snprintf(file, sizeof file, "%s.signing", role);
    stage_path(&t->stage, path, file);
    if (signing_key_read(path, true, &key, error, sizeof error) != 0)
        return stage_fail(&t->stage, "%s", error);
    signing_key_text(&key, text);
    return stage_officers(&t->stage, "private/officer_accredit",
                          "\"name\":\"%s-1\",\"role\":\"%s\",\"public_key\":\"%s\"", role, role,
                          text);
}

static bool certificate_submit(struct story *t, const char *seller)
{
    struct stage *s = &t->stage;
    char file[64], path[STAGE_PATH_SIZE], text[NOTE_SIZE_MAX + 1], note[2 * NOTE_SIZE_MAX];
    (void)snprintf(file, sizeof file, "%s.certificate", seller);
    stage_path(s, path, file);
    FILE *f = fopen(path, "r");
    size_t n = f == NULL ? 0 : fread(text, 1, NOTE_SIZE_MAX, f);
    if (f != NULL) (void)fclose(f);
    text[n] = 0;
    struct json_writer w = {.bytes = note, .capacity = sizeof note};
    json_string(&w, text);
    if (n == 0 || w.overflow) return stage_fail(s, "%s cannot be read", path);
    if (!stage_ask(s, seller, "private/certificate_submit", "\"certificate\":%.*s", (int)w.used,
                   note))
        return false;
    struct client *c = stage_who(s, seller);
    char resource[CLIENT_VALUE_SIZE], state[CLIENT_VALUE_SIZE], work[CLIENT_VALUE_SIZE];
    stage_say(s, "%s: %s CT/h of %s, %s", seller,
              client_text(c, c->result, "work_per_hour", work),
              client_text(c, c->result, "resource", resource),
              client_text(c, c->result, "status", state));
    return true;
}

static bool members_make(struct story *t)
{
    static const char *const names[] = {"buyer", "north", "south"};
    for (int i = 0; i < 3; i++) {
        if (!stage_officers(&t->stage, "private/officer_create_account",
                            "\"account\":\"%s\",\"member\":\"member_%s\"", names[i], names[i]) ||
            !stage_officers(&t->stage, "private/officer_deposit",
                            "\"account\":\"%s\",\"asset\":\"USD\",\"amount\":%d", names[i],
                            DEPOSIT))
            return false;
    }
    return true;
}

bool story_venue(struct story *t)
{
    struct stage *s = &t->stage;
    stage_step(s, "The venue opens. Two officers admit members, a certifier and a verifier.");
    if (!serve(t) || !members_make(t) ||
        !stage_officers(s, "private/officer_set_certification",
                        "\"acceptance_seconds\":600,\"validity_seconds\":7776000,"
                        "\"duration_minimum\":1,\"accept_quick\":true,\"vintages\":[2026],"
                        "\"regions\":[\"demo\"],\"reason\":\"a demonstration\"") ||
        !accredit(t, "certifier") || !accredit(t, "verifier") ||
        !certificate_submit(t, "north") || !certificate_submit(t, "south"))
        return false;
    stage_say(s, "The certificates take effect after the acceptance period; this venue has allowed "
                 "tries.");
    return stage_jump(s, TS(t->period.v - LEAD_DAYS * NS_PER_DAY + 9 * NS_PER_HOUR));
}

/* ---- trading ---- */

static bool order(struct story *t, const char *account, const char *side, const char *instrument,
                  int lots)
{
    return stage_ask(&t->stage, account, strcmp(side, "buy") == 0 ? "private/buy" : "private/sell",
                     "\"instrument_name\":\"%s\",\"type\":\"limit\",\"price\":%d,\"amount\":%d",
                     instrument, STORY_PRICE, lots);
}

/* The buyer takes one lot from each seller, or gives it back. */
static bool exchange(struct story *t, const char *instrument, bool buyer_buys)
{
    const char *sellers = buyer_buys ? "sell" : "buy";
    return order(t, "north", sellers, instrument, 1) && order(t, "south", sellers, instrument, 1) &&
           order(t, "buyer", buyer_buys ? "buy" : "sell", instrument, 2);
}

bool story_trade(struct story *t)
{
    struct stage *s = &t->stage;
    stage_step(s, "A %s's peak contract, %s, is listed and trades.",
               t->is_quarter ? "quarter" : "month", t->period_name);
    if (!stage_officers(s, "private/officer_list_instrument",
                        "\"product\":\"CTP\",\"period\":\"%s\"",
                        t->period_name + strlen("CTP-")) ||
        !stage_officers(s, "private/officer_set_state", "\"product\":\"CTP\",\"state\":\"open\"") ||
        !exchange(t, t->period_name, true))
        return false;
    stage_say(s, "buyer 2 lots at %d, from north 1 and south 1: one hour of 10^12 FLOP a lot and "
                 "working day.", STORY_PRICE);
    stage_say(s, "(A lot is a millionth of a CT/h, which this machine can deliver; its price is "
                 "quoted a\n   million times as high, so that its money is seen.)");
    return story_ledger(t);
}

/* ---- cascade ---- */

/* All contracts that the buyer holds but the one named are given back at their price. */
static bool give_back(struct story *t, const char *kept, bool months, uint32_t *count)
{
    struct stage *s = &t->stage;
    char names[100][STORY_NAME_SIZE];
    uint32_t n = 0;
    *count = 0;
    if (!stage_ask(s, "buyer", "private/get_positions", "%s", "")) return false;
    struct client *c = stage_who(s, "buyer");
    for (uint32_t p = client_each(c, c->result, 0); p != 0; p = client_each(c, c->result, p)) {
        char name[CLIENT_VALUE_SIZE];
        (void)client_text(c, p, "instrument_name", name);
        *count += 1;
        bool first = months && strstr(name, kept) != NULL;
        if (n < 100 && !first && strcmp(name, kept) != 0)
            (void)snprintf(names[n++], STORY_NAME_SIZE, "%.60s", name);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!exchange(t, names[i], false)) return false;
    }
    return true;
}

bool story_cascade(struct story *t)
{
    struct stage *s = &t->stage;
    uint32_t months, days;
    int64_t year, month, day;
    char first[16];
    time_date_of_days(t->day.v / NS_PER_DAY, &year, &month, &day);
    (void)snprintf(first, sizeof first, "M%02lld", (long long)month);
    stage_step(s, "Cascade (CONTRACT-01): long contracts become shorter ones, and no money moves.");
    if (!stage_officers(s, "private/officer_settlement_price",
                        "\"instrument_name\":\"%s\",\"price\":%d", t->period_name, STORY_PRICE))
        return false;
    if (t->is_quarter) {
        if (!stage_jump(s, TS(t->period.v - QUARTER_DAYS * NS_PER_DAY + 15 * NS_PER_HOUR)) ||
            !give_back(t, first, true, &months))
            return false;
        stage_say(s, "The quarter is %u months; the buyer sells the later ones back.", months);
    }
    if (!stage_jump(s, TS(t->period.v - MONTH_DAYS * NS_PER_DAY + 15 * NS_PER_HOUR)) ||
        !give_back(t, t->day_name, false, &days))
        return false;
    stage_say(s, "The month is %u days with peak hours; the buyer keeps %s alone:\n   the hour "
                 "from 14:00 UTC.", days, t->day_name);
    return story_ledger(t);
}
