/* rpc_certificate.c: who certifies, what certificates must satisfy, and certificates (CERT-01,
 * CERT-02).
 *
 * A certificate comes as a note (proof/note.h). Its form and its signature are checked here, before
 * there is a command: what is malformed or forged never reaches the core, which needs no
 * cryptography. `dojima script` and a node run this same code.
 */
#include "gate/rpc_compute.h"
#include "gate/rpc_note.h"

#include "proof/certificate.h"
#include "proof/digest.h"
#include "wire/event_json_compute.h"

#include <string.h>

/* ---- who certifies, who verifies ---- */

static int accredit_submit(struct rpc_call *c)
{
    const struct outbox *events;
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_accreditation *a = event_find(events, EVENT_accreditation);
    if (a == NULL && request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    if (a != NULL) accreditation_write(c->out, a);
    json_close_object(c->out);
    return REJECT_none;
}

static struct command_accredit *accredit_begin(struct rpc_call *c)
{
    struct command *cmd = command_begin(c, COMMAND_accredit,
                                        sizeof cmd->header + sizeof cmd->accredit);
    struct command_accredit *a = &cmd->accredit;
    param_text(c, c->params, "name", a->name, sizeof a->name);
    a->role = (uint32_t)param_enum(c, c->params, "role", accreditation_role_words, 0);
    param_text(c, c->params, "reason", a->reason, sizeof a->reason);
    return a;
}

int rpc_accredit(struct rpc_call *c)
{
    int reason = public_key_get(c, accredit_begin(c)->key);
    return reason == REJECT_none ? accredit_submit(c) : reason;
}

int rpc_revoke_accreditation(struct rpc_call *c)
{
    accredit_begin(c)->revoke = 1;
    return accredit_submit(c);
}

int rpc_get_accreditations(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_certification});
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind != EVENT_accreditation) continue;
        json_open_object(c->out);
        accreditation_write(c->out, (const struct event_accreditation *)(const void *)h);
        json_close_object(c->out);
    }
    json_close_array(c->out);
    return REJECT_none;
}

/* ---- what certificates must satisfy ---- */

static int seconds_get(struct rpc_call *c, const char *name, uint32_t flag, uint32_t *flags,
                       int64_t unit, int64_t *value)
{
    enum { SECONDS_MAX = 1000000000 };
    if (param_find(c, c->params, name) == 0) return REJECT_none;
    int64_t seconds = param_int(c, c->params, name, 0);
    if (seconds > SECONDS_MAX) return malformed(c, name);
    *value = seconds * unit;
    *flags |= flag;
    return REJECT_none;
}

static int vintages_get(struct rpc_call *c, struct certification_settings *s, uint32_t *flags)
{
    uint32_t array = param_find(c, c->params, "vintages");
    const struct json_token *tokens = c->json->tokens;
    if (array == 0) return REJECT_none;
    for (uint32_t i = array + 1; i < tokens[array].next; i = tokens[i].next) {
        int64_t vintage;
        bool exact = tokens[i].kind == JSON_number &&
                     json_decimal(c->json, i, 0, &vintage) == DECIMAL_exact;
        if (!exact || vintage < 1 || vintage > 9999 || s->vintage_count == VINTAGES_MAX)
            return malformed(c, "vintages");
        s->vintages[s->vintage_count++] = (uint32_t)vintage;
    }
    *flags |= CERTIFICATION_HAS_VINTAGES;
    return REJECT_none;
}

int regions_get(struct rpc_call *c, uint32_t object, uint32_t most,
                char regions[][REGION_NAME_SIZE], uint32_t *count)
{
    const struct json_token *tokens = c->json->tokens;
    uint32_t array = param_find(c, object, "regions");
    *count = 0;
    for (uint32_t i = array + 1; array != 0 && i < tokens[array].next; i = tokens[i].next) {
        if (*count == most || tokens[i].kind != JSON_string ||
            json_text(c->json, i, regions[*count], REGION_NAME_SIZE) < 1)
            return malformed(c, "regions");
        *count += 1;
    }
    return REJECT_none;
}

static int settings_get(struct rpc_call *c, struct command_certification_set *v)
{
    struct certification_settings *s = &v->settings;
    int reason = seconds_get(c, "acceptance_seconds", CERTIFICATION_HAS_ACCEPTANCE, &v->flags,
                             NS_PER_SECOND, &s->acceptance_ns);
    if (reason == REJECT_none)
        reason = seconds_get(c, "validity_seconds", CERTIFICATION_HAS_VALIDITY, &v->flags,
                             NS_PER_SECOND, &s->validity_ns);
    if (reason == REJECT_none)
        reason = seconds_get(c, "appeal_seconds", CERTIFICATION_HAS_APPEAL, &v->flags,
                             NS_PER_SECOND, &s->appeal_ns);
    if (reason == REJECT_none)
        reason = seconds_get(c, "duration_minimum", CERTIFICATION_HAS_DURATION, &v->flags, 1,
                             &s->duration_min_s);
    if (reason == REJECT_none) reason = vintages_get(c, s, &v->flags);
    if (reason == REJECT_none)
        reason = regions_get(c, c->params, REGIONS_MAX, s->regions, &s->region_count);
    if (reason != REJECT_none) return reason;
    if (param_find(c, c->params, "regions") != 0) v->flags |= CERTIFICATION_HAS_REGIONS;
    if (param_find(c, c->params, "work_maximum") != 0) {
        if (param_decimal(c, c->params, "work_maximum", 9, &s->work_max) != DECIMAL_exact)
            return malformed(c, "work_maximum");
        v->flags |= CERTIFICATION_HAS_WORK;
    }
    if (param_find(c, c->params, "accept_quick") != 0) v->flags |= CERTIFICATION_HAS_QUICK;
    s->quick = param_bool(c, c->params, "accept_quick", false) ? 1 : 0;
    return REJECT_none;
}

int rpc_set_certification(struct rpc_call *c)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_certification_set,
                                        sizeof cmd->header + sizeof cmd->certification_set);
    struct command_certification_set *v = &cmd->certification_set;
    param_text(c, c->params, "reason", v->reason, sizeof v->reason);
    int reason = settings_get(c, v);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_certification *e = event_find(events, EVENT_certification);
    if (e == NULL && request_answer(c, events)) return REJECT_none;
    json_open_object(c->out);
    if (e != NULL) certification_write(c->out, &e->settings, CERTIFICATION_HAS_ALL);
    json_close_object(c->out);
    return REJECT_none;
}

int rpc_get_certification(struct rpc_call *c)
{
    const struct outbox *events = query_ask(c, &(struct query){.kind = QUERY_certification});
    const struct event_certification *e = event_find(events, EVENT_certification);
    json_open_object(c->out);
    if (e != NULL) certification_write(c->out, &e->settings, CERTIFICATION_HAS_ALL);
    json_close_object(c->out);
    return REJECT_none;
}

/* ---- certificates ---- */

static void certificate_answer(struct rpc_call *c, const struct event_certificate *e)
{
    json_open_object(c->out);
    certificate_write(c->out, e);
    json_key_string(c->out, "account", directory_name(c->names, DIRECTORY_account, e->account));
    json_close_object(c->out);
}

/* Reads the note and checks its signature; its digest is what a replay has in common. */
static int note_get(struct rpc_call *c, struct certificate *note, struct certificate_terms *t)
{
    char text[NOTE_SIZE_MAX + 1];
    struct note_error error = {0};
    size_t n;
    int reason = note_text(c, "certificate", text, &n);
    if (reason != REJECT_none) return reason;
    bool sound = certificate_parse(note, text, n, &error) == 0 &&
                 certificate_verify(note, &error) == 0;
    if (!sound) return note_refuse(c, "certificate", &error);
    memcpy(t->resource, note->resource, sizeof t->resource);
    memcpy(t->site, note->site, sizeof t->site);
    memcpy(t->hardware, note->hardware, sizeof t->hardware);
    memcpy(t->class.region, note->region, sizeof t->class.region);
    t->class.vintage = note->vintage;
    t->class.grade = note->grade;
    t->work_per_hour = (int64_t)note->work;
    t->issued = note->issued;
    t->expires = note->expires;
    t->duration_s = note->duration_s;
    t->quick = note->quick;
    memcpy(t->evidence, note->evidence, sizeof t->evidence);
    memcpy(t->certifier, note->certifier, sizeof t->certifier);
    struct digest digest = digest_of(text, n);
    memcpy(t->note, digest.v, sizeof t->note);
    return REJECT_none;
}

/* For the provider that the note names: its own account, or an officer for it. */
static int provider_of(struct rpc_call *c, const struct certificate *note, uint32_t *account)
{
    *account = directory_find_text(c->names, DIRECTORY_account, note->provider);
    if (*account == 0) return REJECT_unknown_account;
    bool may = *account == c->caller->account || (c->caller->scopes & RPC_SCOPE_officer) != 0;
    return may ? REJECT_none : REJECT_unauthorised;
}

static int submit(struct rpc_call *c, uint64_t appeals)
{
    const struct outbox *events;
    struct certificate note;
    struct command *cmd = command_begin(c, COMMAND_certificate_submit,
                                        sizeof cmd->header + sizeof cmd->certificate_submit);
    cmd->certificate_submit.appeals = appeals;
    int reason = note_get(c, &note, &cmd->certificate_submit.terms);
    if (reason == REJECT_none) reason = provider_of(c, &note, &cmd->header.account);
    if (reason == REJECT_none) reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    /* What it reversed or superseded is said as well: the answer is of the one that came. */
    const struct event_certificate *own = NULL;
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        const struct event_certificate *e = (const struct event_certificate *)(const void *)h;
        if (h->kind == EVENT_certificate && (own == NULL || e->id >= own->id)) own = e;
    }
    if (own == NULL) return REJECT_unknown_certificate;
    certificate_answer(c, own);
    return REJECT_none;
}

int rpc_certificate_submit(struct rpc_call *c) { return submit(c, 0); }

int rpc_certificate_appeal(struct rpc_call *c)
{
    int64_t appeals = param_int(c, c->params, "appeals", 0);
    return appeals == 0 ? malformed(c, "appeals") : submit(c, (uint64_t)appeals);
}

static int certificate_ends(struct rpc_call *c, enum certificate_end how, uint32_t account)
{
    const struct outbox *events;
    struct command *cmd = command_begin(c, COMMAND_certificate_end,
                                        sizeof cmd->header + sizeof cmd->certificate_end);
    struct command_certificate_end *v = &cmd->certificate_end;
    cmd->header.account = account;
    v->certificate = (uint64_t)param_int(c, c->params, "certificate_id", 0);
    v->how = how;
    param_text(c, c->params, "reason", v->reason, sizeof v->reason);
    int reason = command_submit(c, &events);
    if (reason != REJECT_none) return reason;
    const struct event_certificate *e = event_find(events, EVENT_certificate);
    if (e == NULL && request_answer(c, events)) return REJECT_none;
    if (e == NULL) return REJECT_unknown_certificate;
    certificate_answer(c, e);
    return REJECT_none;
}

int rpc_certificate_withdraw(struct rpc_call *c)
{
    uint32_t account;
    int reason = account_acting(c, &account);
    if (reason != REJECT_none) return reason;
    return certificate_ends(c, CERTIFICATE_END_withdraw, account);
}

int rpc_refuse_certificate(struct rpc_call *c)
{
    return certificate_ends(c, CERTIFICATE_END_refuse, 0);
}

int rpc_decertify(struct rpc_call *c) { return certificate_ends(c, CERTIFICATE_END_decertify, 0); }

void certificate_asks(struct rpc_call *c, const struct command *cmd)
{
    switch ((enum command_kind)cmd->header.kind) {
    case COMMAND_certification_set:
        certification_write(c->out, &cmd->certification_set.settings,
                            cmd->certification_set.flags);
        break;
    case COMMAND_accredit:
        json_key_string(c->out, "name", cmd->accredit.name);
        json_key_string(c->out, "role", accreditation_role_words[cmd->accredit.role % ROLE_count]);
        json_key_hex(c->out, "public_key", cmd->accredit.key, PUBLIC_KEY_SIZE);
        break;
    default:
        json_key_int(c->out, "certificate_id", (int64_t)cmd->certificate_end.certificate);
        break;
    }
}

/* ---- what anybody may know ---- */

int resource_of(struct rpc_call *c, const char *name, uint32_t *id)
{
    *id = 0;
    if (param_find(c, c->params, name) == 0) return REJECT_none;
    *id = id_of(c, c->params, name, DIRECTORY_resource);
    return *id == 0 ? REJECT_unknown_resource : REJECT_none;
}

int rpc_get_certificates(struct rpc_call *c)
{
    enum { COUNT_MAX = 1000, COUNT_DEFAULT = 20 };
    int64_t count = param_int(c, c->params, "count", COUNT_DEFAULT);
    struct query q = {.kind = QUERY_certificates};
    int reason = resource_of(c, "resource", &q.instrument);
    if (reason == REJECT_none) reason = account_named(c, "provider", &q.account);
    if (reason != REJECT_none) return reason;
    if (count < 1 || count > COUNT_MAX) return malformed(c, "count");
    q.count = (uint32_t)count;
    q.order_id = (uint64_t)param_int(c, c->params, "certificate_id", 0);
    q.from_id = (uint64_t)param_int(c, c->params, "from_id", 0);
    if (param_bool(c, c->params, "live", false)) q.flags = QUERY_FLAG_LIVE;
    const struct outbox *events = query_ask(c, &q);
    json_open_array(c->out);
    for (const struct event_header *h = outbox_next(events, NULL); h != NULL;
         h = outbox_next(events, h)) {
        if (h->kind == EVENT_certificate)
            certificate_answer(c, (const struct event_certificate *)(const void *)h);
    }
    json_close_array(c->out);
    return REJECT_none;
}
