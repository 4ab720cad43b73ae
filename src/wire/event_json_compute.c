/* event_json_compute.c: certificates and tokens as JSON (CERT-01 to -03, UNIT-02). */
#include "wire/event_json_compute.h"

#include "wire/event_json_internal.h"
#include "wire/words.h"

void token_class_write(struct json_writer *w, const struct token_class *class)
{
    json_key_int(w, "vintage", class->vintage);
    json_key_string(w, "grade", grade_name(class->grade));
    json_key_string(w, "region", class->region);
}

void certification_write(struct json_writer *w, const struct certification_settings *s,
                         uint32_t flags)
{
    if (flags & CERTIFICATION_HAS_ACCEPTANCE)
        json_key_int(w, "acceptance_seconds", s->acceptance_ns / NS_PER_SECOND);
    if (flags & CERTIFICATION_HAS_VALIDITY)
        json_key_int(w, "validity_seconds", s->validity_ns / NS_PER_SECOND);
    if (flags & CERTIFICATION_HAS_APPEAL)
        json_key_int(w, "appeal_seconds", s->appeal_ns / NS_PER_SECOND);
    if (flags & CERTIFICATION_HAS_DURATION)
        json_key_int(w, "duration_minimum", s->duration_min_s);
    if (flags & CERTIFICATION_HAS_WORK) json_key_fixed(w, "work_maximum", s->work_max, 9);
    if (flags & CERTIFICATION_HAS_QUICK) json_key_bool(w, "accept_quick", s->quick != 0);
    if (flags & CERTIFICATION_HAS_VINTAGES) {
        json_key(w, "vintages");
        json_open_array(w);
        for (uint32_t i = 0; i < s->vintage_count && i < VINTAGES_MAX; i++)
            json_int(w, s->vintages[i]);
        json_close_array(w);
    }
    if (flags & CERTIFICATION_HAS_REGIONS) {
        json_key(w, "regions");
        json_open_array(w);
        for (uint32_t i = 0; i < s->region_count && i < REGIONS_MAX; i++)
            json_string(w, s->regions[i]);
        json_close_array(w);
    }
}

void accreditation_write(struct json_writer *w, const struct event_accreditation *a)
{
    json_key_string(w, "name", a->name);
    json_key_string(w, "role", accreditation_role_words[a->role % ROLE_count]);
    json_key_hex(w, "public_key", a->key, sizeof a->key);
    json_key_ms(w, "accredited_at", a->since);
    json_key_bool(w, "accredited", a->until.v == 0);
    if (a->until.v != 0) json_key_ms(w, "revoked_at", a->until);
    json_key_string(w, "reason", a->reason);
}

static void faults_write(struct json_writer *w, uint32_t faults)
{
    json_key(w, "reasons");
    json_open_array(w);
    for (uint32_t i = 0; i < FAULT_count; i++) {
        if (faults & 1u << i) json_string(w, certificate_fault_words[i]);
    }
    json_close_array(w);
}

static void time_write(struct json_writer *w, const char *key, ts_t ts)
{
    if (ts.v != 0) json_key_ms(w, key, ts);
}

/* All but whose it is, which each reader names in its own way. */
void certificate_write(struct json_writer *w, const struct event_certificate *e)
{
    json_key_int(w, "certificate_id", (int64_t)e->id);
    json_key_string(w, "status", certificate_status_words[e->status % CERTIFICATE_status_count]);
    faults_write(w, e->faults);
    json_key_string(w, "reason", e->reason);
    if (e->appeals != 0) json_key_int(w, "appeals", (int64_t)e->appeals);
    if (e->reversed_by != 0) json_key_int(w, "reversed_by", (int64_t)e->reversed_by);
    time_write(w, "submitted_at", e->submitted);
    time_write(w, "effective_at", e->effective);
    time_write(w, "ended_at", e->ended);
    json_key_string(w, "resource", e->terms.resource);
    json_key_string(w, "site", e->terms.site);
    json_key_string(w, "hardware", e->terms.hardware);
    token_class_write(w, &e->terms.class);
    json_key_fixed(w, "work_per_hour", e->terms.work_per_hour, 9);
    json_key_int(w, "duration_seconds", e->terms.duration_s);
    json_key_bool(w, "quick", e->terms.quick != 0);
    json_key_ms(w, "issued_at", e->terms.issued);
    json_key_ms(w, "expires_at", e->terms.expires);
    json_key_hex(w, "evidence", e->terms.evidence, sizeof e->terms.evidence);
    json_key_hex(w, "certifier", e->terms.certifier, sizeof e->terms.certifier);
}

static void resource_write(struct json_writer *w, const struct event_resource *r,
                           const struct event_names *names)
{
    json_key_int(w, "id", r->id);
    ID(account, r->account);
    json_key_string(w, "resource", r->name);
    json_key_string(w, "site", r->site);
    json_key_string(w, "hardware", r->hardware);
}

static void token_write(struct json_writer *w, const struct event_token *t,
                        const struct event_names *names)
{
    ID_AS("token", asset, t->asset);
    json_key_ms(w, "hour", TS(t->hour * NS_PER_HOUR));
    json_key_string(w, "cause", token_cause_words[t->cause % TOKEN_cause_count]);
    json_key_fixed(w, "amount", t->amount, 9);
    ID(account, t->account);
    ID_AS("to", account, t->to);
    json_key_int(w, "resource", t->resource);
    json_key_fixed(w, "outstanding", t->outstanding, 9);
    json_key_fixed(w, "pledged", t->pledged, 9);
    json_key_fixed(w, "escrowed", t->escrowed, 9);
}

bool event_json_compute(struct json_writer *w, const struct event_header *event,
                        const struct event_names *names)
{
    const void *e = event;
    switch (event->kind) {
    case EVENT_certification:
        certification_write(w, &((const struct event_certification *)e)->settings,
                            CERTIFICATION_HAS_ALL);
        json_key_string(w, "reason", ((const struct event_certification *)e)->reason);
        return true;
    case EVENT_accreditation: accreditation_write(w, e); return true;
    case EVENT_resource: resource_write(w, e, names); return true;
    case EVENT_token_class:
        json_key_int(w, "id", ((const struct event_token_class *)e)->id);
        token_class_write(w, &((const struct event_token_class *)e)->class);
        return true;
    case EVENT_certificate:
        certificate_write(w, e);
        ID(account, ((const struct event_certificate *)e)->account);
        return true;
    case EVENT_token: token_write(w, e, names); return true;
    default: return false;
    }
}
