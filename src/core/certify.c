/* certify.c: see certify.h. What certificates must satisfy, who certifies, and how a certificate is
 * judged; what then becomes of it is in certify_life.c. */
#include "core/certify.h"

#include "core/closeout.h"
#include "core/dual.h"

#include <string.h>

void certify_cut(struct core *c, struct arena *a)
{
    enum { RESOURCES = 4096, CERTIFICATES_EACH = 4 };
    const struct core_limits *l = &c->limits;
    struct certify *m = &c->certify;
    m->resource_max = l->accounts < RESOURCES ? l->accounts : RESOURCES;
    m->certificate_max = CERTIFICATES_EACH * m->resource_max;
    m->promise_max = l->balances / 2;
    m->s = arena_cut(a, 1, sizeof *m->s);
    m->accreditations = arena_cut(a, ACCREDITATIONS_MAX + 1, sizeof *m->accreditations);
    m->resources = arena_cut(a, m->resource_max + 1, sizeof *m->resources);
    m->certificates = arena_cut(a, m->certificate_max + 1, sizeof *m->certificates);
    m->promises = arena_cut(a, m->promise_max + 1, sizeof *m->promises);
    m->account_resources = arena_cut(a, l->accounts + 1, sizeof *m->account_resources);
    map_cut(&m->promise_map, a, m->promise_max, a->base ? &m->s->promise_map_count : NULL);
}

/* CERT-01's [defaults]; regions: any. */
void certify_start(struct core *c)
{
    enum { ACCEPTANCE_HOURS = 48, VALIDITY_DAYS = 30, APPEAL_DAYS = 14, DURATION_MIN = 600,
           VINTAGE = 2026 };
    c->certify.s->settings = (struct certification_settings){
        .acceptance_ns = ACCEPTANCE_HOURS * NS_PER_HOUR, .validity_ns = VALIDITY_DAYS * NS_PER_DAY,
        .appeal_ns = APPEAL_DAYS * NS_PER_DAY, .duration_min_s = DURATION_MIN,
        .work_max = WORK_PER_HOUR_MAX, .vintage_count = 1, .vintages = {VINTAGE}};
    c->certify.s->due = INT64_MAX;
}

/* ---- what certificates must satisfy ---- */

static bool vintage_is_known(const struct certification_settings *s, uint32_t vintage)
{
    for (uint32_t i = 0; i < s->vintage_count; i++) {
        if (s->vintages[i] == vintage) return true;
    }
    return false;
}

static bool region_is_known(const struct certification_settings *s, const char *region)
{
    for (uint32_t i = 0; i < s->region_count; i++) {
        if (strncmp(s->regions[i], region, REGION_NAME_SIZE) == 0) return true;
    }
    return s->region_count == 0;
}

static bool lists_are_valid(const struct certification_settings *s)
{
    if (s->vintage_count == 0 || s->vintage_count > VINTAGES_MAX || s->region_count > REGIONS_MAX)
        return false;
    for (uint32_t i = 0; i < VINTAGES_MAX; i++) {
        if ((s->vintages[i] != 0) != (i < s->vintage_count)) return false;
    }
    for (uint32_t i = 0; i < REGIONS_MAX; i++) {
        if ((s->regions[i][0] != 0) != (i < s->region_count)) return false;
        if (i < s->region_count && !account_name_is_valid(s->regions[i])) return false;
    }
    return true;
}

static bool settings_are_valid(const struct certification_settings *s)
{
    return within(s->acceptance_ns, 0, 30 * NS_PER_DAY) &&
           within(s->validity_ns, NS_PER_HOUR, 92 * NS_PER_DAY) &&
           within(s->appeal_ns, 0, 366 * NS_PER_DAY) &&
           within(s->duration_min_s, 0, 7 * (int64_t)DAY_SECONDS) &&
           within(s->work_max, 1, WORK_PER_HOUR_MAX) && s->quick <= 1 && s->reserved == 0 &&
           lists_are_valid(s);
}

/* The settings as they would be. */
static struct certification_settings settings_after(const struct core *c,
                                                    const struct command_certification_set *v)
{
    struct certification_settings s = c->certify.s->settings;
    const struct certification_settings *to = &v->settings;
    if (v->flags & CERTIFICATION_HAS_ACCEPTANCE) s.acceptance_ns = to->acceptance_ns;
    if (v->flags & CERTIFICATION_HAS_VALIDITY) s.validity_ns = to->validity_ns;
    if (v->flags & CERTIFICATION_HAS_APPEAL) s.appeal_ns = to->appeal_ns;
    if (v->flags & CERTIFICATION_HAS_DURATION) s.duration_min_s = to->duration_min_s;
    if (v->flags & CERTIFICATION_HAS_WORK) s.work_max = to->work_max;
    if (v->flags & CERTIFICATION_HAS_QUICK) s.quick = to->quick;
    if (v->flags & CERTIFICATION_HAS_VINTAGES) {
        s.vintage_count = to->vintage_count;
        memcpy(s.vintages, to->vintages, sizeof s.vintages);
    }
    if (v->flags & CERTIFICATION_HAS_REGIONS) {
        s.region_count = to->region_count;
        memcpy(s.regions, to->regions, sizeof s.regions);
    }
    return s;
}

/* Whether something would be accepted that is not accepted now (GUARD-05); nothing is, while nobody
 * has ever been accredited. */
static bool settings_loosen(const struct certification_settings *now,
                            const struct certification_settings *to)
{
    bool loosens = to->acceptance_ns < now->acceptance_ns || to->validity_ns > now->validity_ns ||
                   to->appeal_ns < now->appeal_ns || to->duration_min_s < now->duration_min_s ||
                   to->work_max > now->work_max || to->quick > now->quick ||
                   (to->region_count == 0 && now->region_count != 0);
    for (uint32_t i = 0; i < to->vintage_count; i++) {
        loosens = loosens || !vintage_is_known(now, to->vintages[i]);
    }
    for (uint32_t i = 0; i < to->region_count; i++) {
        loosens = loosens || !region_is_known(now, to->regions[i]);
    }
    return loosens;
}

static void event_certification_push(const struct core *c, struct outbox *out, const char *reason)
{
    struct event_certification *e = outbox_push(out, EVENT_certification, sizeof *e);
    e->settings = c->certify.s->settings;
    memset(e->reason, 0, sizeof e->reason);
    memcpy(e->reason, reason, strnlen(reason, sizeof e->reason - 1));
}

void certification_set(struct core *c, const struct command *cmd)
{
    const struct command_certification_set *v = &cmd->certification_set;
    struct certification_settings after = settings_after(c, v);
    bool loosens = c->certify.s->accreditations > 0 &&
                   settings_loosen(&c->certify.s->settings, &after);
    enum reject reason = settings_are_valid(&after) ? REJECT_none : REJECT_malformed_request;
    if (reason == REJECT_none && loosens && v->reason[0] == 0) reason = REJECT_reason_needed;
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (loosens && dual_wait(c, cmd)) return;
    c->certify.s->settings = after;
    event_certification_push(c, c->out, v->reason);
}

/* ---- who certifies and who verifies ---- */

static bool bytes_are_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

static struct event_accreditation *accreditation_at(const struct core *c, uint32_t id)
{
    return &c->certify.accreditations[id].said;
}

uint32_t certify_accredited(const struct core *c, enum accreditation_role role,
                            const uint8_t key[PUBLIC_KEY_SIZE])
{
    for (uint32_t i = 1; i <= c->certify.s->accreditations; i++) {
        const struct event_accreditation *a = accreditation_at(c, i);
        if (a->role == role && a->until.v == 0 && memcmp(a->key, key, PUBLIC_KEY_SIZE) == 0)
            return i;
    }
    return NIL;
}

static uint32_t accredited_name(const struct core *c, uint32_t role, const char *name)
{
    for (uint32_t i = 1; i <= c->certify.s->accreditations; i++) {
        const struct event_accreditation *a = accreditation_at(c, i);
        bool named = strncmp(a->name, name, CERTIFIER_NAME_SIZE) == 0;
        if (a->role == role && a->until.v == 0 && named) return i;
    }
    return NIL;
}

static void event_accreditation_push(const struct core *c, struct outbox *out, uint32_t id)
{
    struct event_accreditation *e = outbox_push(out, EVENT_accreditation, sizeof *e);
    struct event_header header = e->header;
    *e = *accreditation_at(c, id);
    e->header = header;
}

static enum reject accredit_check(const struct core *c, const struct command_accredit *a)
{
    if (!account_name_is_valid(a->name)) return REJECT_malformed_request;
    uint32_t standing = accredited_name(c, a->role, a->name);
    if (a->revoke != 0) {
        if (standing == NIL) return REJECT_unknown_certifier;
        return a->reason[0] == 0 ? REJECT_reason_needed : REJECT_none;
    }
    if (bytes_are_zero(a->key, sizeof a->key)) return REJECT_malformed_request;
    uint32_t keyed = certify_accredited(c, (enum accreditation_role)a->role, a->key);
    if (standing != NIL || keyed != NIL) return REJECT_already_exists;
    return c->certify.s->accreditations < ACCREDITATIONS_MAX ? REJECT_none
                                                              : REJECT_capacity_exhausted;
}

static void accreditation_end(struct core *c, const struct command_accredit *a)
{
    uint32_t id = accredited_name(c, a->role, a->name);
    struct event_accreditation *said = accreditation_at(c, id);
    said->until = c->s->ts;
    memcpy(said->reason, a->reason, sizeof said->reason);
    event_accreditation_push(c, c->out, id);
    if (a->role == ROLE_certifier) certificates_disown(c, said->key);
}

void accredit(struct core *c, const struct command *cmd)
{
    const struct command_accredit *a = &cmd->accredit;
    enum reject reason = accredit_check(c, a);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    if (a->revoke != 0) {
        accreditation_end(c, a);
        return;
    }
    if (dual_wait(c, cmd)) return;
    uint32_t id = ++c->certify.s->accreditations;
    struct event_accreditation *said = accreditation_at(c, id);
    *said = (struct event_accreditation){.id = id, .role = a->role, .since = c->s->ts};
    memcpy(said->name, a->name, sizeof said->name);
    memcpy(said->key, a->key, sizeof said->key);
    memcpy(said->reason, a->reason, sizeof said->reason);
    event_accreditation_push(c, c->out, id);
}

void query_certification(const struct core *c, struct outbox *out)
{
    event_certification_push(c, out, "");
    for (uint32_t i = 1; i <= c->certify.s->accreditations; i++)
        event_accreditation_push(c, out, i);
}

/* ---- a certificate comes ---- */

static uint32_t resource_find(const struct core *c, const char *name)
{
    for (uint32_t i = 1; i <= c->certify.s->resources; i++) {
        if (strncmp(c->certify.resources[i].said.name, name, RESOURCE_NAME_SIZE) == 0) return i;
    }
    return NIL;
}

static bool is_replayed(const struct core *c, const struct certificate_terms *t)
{
    for (uint32_t i = 1; i <= c->certify.s->certificates; i++) {
        const struct event_certificate *known = &c->certify.certificates[i];
        if (known->id == 0) continue;
        if (memcmp(known->terms.note, t->note, DIGEST_SIZE) == 0 ||
            memcmp(known->terms.evidence, t->evidence, DIGEST_SIZE) == 0) return true;
    }
    return false;
}

static bool is_live(const struct event_certificate *x)
{
    return x->status == CERTIFICATE_accepting || x->status == CERTIFICATE_effective;
}

/* A free place, else that of the oldest which is finished and has expired; NIL: none. */
static uint32_t place_find(const struct core *c)
{
    const struct certify *m = &c->certify;
    uint32_t oldest = NIL;
    if (m->s->certificates < m->certificate_max) return m->s->certificates + 1;
    for (uint32_t i = 1; i <= m->s->certificates; i++) {
        const struct event_certificate *x = &m->certificates[i];
        if (is_live(x) || x->terms.expires.v > c->s->ts.v) continue;
        if (oldest == NIL || x->id < m->certificates[oldest].id) oldest = i;
    }
    return oldest;
}

/* CERT-02: what an appeal may answer. */
static enum reject appeal_check(const struct core *c, const struct command *cmd)
{
    const struct command_certificate_submit *s = &cmd->certificate_submit;
    uint32_t place = certificate_find(c, s->appeals);
    if (place == NIL) return REJECT_unknown_certificate;
    const struct event_certificate *from = &c->certify.certificates[place];
    bool own = from->account == cmd->header.account &&
               strncmp(from->terms.resource, s->terms.resource, RESOURCE_NAME_SIZE) == 0;
    bool ended = from->status == CERTIFICATE_refused || from->status == CERTIFICATE_decertified;
    if (!own || !ended || from->reversed_by != 0) return REJECT_unknown_certificate;
    if (certify_accredited(c, ROLE_certifier, s->terms.certifier) == NIL)
        return REJECT_unknown_certifier;
    if (is_replayed(c, &s->terms)) return REJECT_replayed;
    if (memcmp(from->terms.certifier, s->terms.certifier, PUBLIC_KEY_SIZE) == 0)
        return REJECT_same_certifier;
    bool late = c->s->ts.v - from->ended.v > c->certify.s->settings.appeal_ns;
    return late || s->terms.issued.v < from->ended.v ? REJECT_appeal_too_late : REJECT_none;
}

/* What is refused outright: nothing of it is kept. */
static enum reject submit_check(const struct core *c, const struct command *cmd)
{
    const struct command_certificate_submit *s = &cmd->certificate_submit;
    const struct certificate_terms *t = &s->terms;
    if (!account_name_is_valid(t->resource) || t->site[0] == 0 || t->hardware[0] == 0 ||
        !account_name_is_valid(t->class.region)) return REJECT_malformed_request;
    if (!account_is_customer(c, cmd->header.account)) return REJECT_unknown_account;
    if (s->appeals != 0) {
        enum reject reason = appeal_check(c, cmd);
        if (reason != REJECT_none) return reason;
    }
    if (certify_accredited(c, ROLE_certifier, t->certifier) == NIL)
        return REJECT_unknown_certifier;
    if (is_replayed(c, t)) return REJECT_replayed;
    if (closeout_freezes(c, cmd->header.account)) return REJECT_in_default;
    bool room = resource_find(c, t->resource) != NIL ||
                c->certify.s->resources < c->certify.resource_max;
    bool classed = token_class_find(c, &t->class) != NIL ||
                   c->certify.s->class_count < TOKEN_CLASSES_MAX;
    return room && classed && place_find(c) != NIL ? REJECT_none : REJECT_capacity_exhausted;
}

/* CERT-02: all that is wrong with what was properly signed; kept with it. */
static uint32_t faults_of(const struct core *c, const struct command *cmd)
{
    const struct command_certificate_submit *v = &cmd->certificate_submit;
    const struct certificate_terms *t = &v->terms;
    const struct certification_settings *s = &c->certify.s->settings;
    const struct resource *r = &c->certify.resources[resource_find(c, t->resource)];
    const int64_t now = c->s->ts.v;
    bool other = r->said.id != NIL && r->said.account != cmd->header.account;
    bool barred = r->said.id != NIL && now < r->barred_until.v &&
                  (v->appeals == 0 || v->appeals != r->barred_by);
    const bool wrong[FAULT_count] = {
        [FAULT_expired] = t->expires.v <= t->issued.v || t->expires.v <= now + s->acceptance_ns,
        [FAULT_issued_in_the_future] = t->issued.v > now,
        [FAULT_valid_too_long] = (int128_t)t->expires.v - t->issued.v > s->validity_ns,
        [FAULT_unknown_vintage] = !vintage_is_known(s, t->class.vintage),
        [FAULT_unknown_region] = !region_is_known(s, t->class.region),
        [FAULT_quick] = t->quick != 0 && s->quick == 0,
        [FAULT_measured_too_short] = t->quick == 0 && t->duration_s < s->duration_min_s,
        [FAULT_work_out_of_range] = t->work_per_hour < 1 || t->work_per_hour > s->work_max,
        [FAULT_other_provider] = other,
        [FAULT_decertified] = barred,
    };
    uint32_t faults = 0;
    for (uint32_t i = 0; i < FAULT_count; i++) faults |= (uint32_t)wrong[i] << i;
    if (v->appeals != 0) {
        const struct event_certificate *from =
            &c->certify.certificates[certificate_find(c, v->appeals)];
        if (!token_class_equal(&from->terms.class, &t->class)) faults |= 1u << FAULT_other_class;
    }
    return faults;
}

static uint32_t resource_get(struct core *c, const struct command *cmd)
{
    const struct certificate_terms *t = &cmd->certificate_submit.terms;
    uint32_t id = resource_find(c, t->resource);
    if (id != NIL) return id;
    id = ++c->certify.s->resources;
    struct resource *r = &c->certify.resources[id];
    *r = (struct resource){.said = {.id = id, .account = cmd->header.account},
                           .account_next = c->certify.account_resources[cmd->header.account]};
    memcpy(r->said.name, t->resource, sizeof r->said.name);
    memcpy(r->said.site, t->site, sizeof r->said.site);
    memcpy(r->said.hardware, t->hardware, sizeof r->said.hardware);
    c->certify.account_resources[cmd->header.account] = id;
    event_resource_push(c, c->out, id);
    return id;
}

void certificate_submit(struct core *c, const struct command *cmd)
{
    const struct command_certificate_submit *s = &cmd->certificate_submit;
    enum reject reason = submit_check(c, cmd);
    if (reason != REJECT_none) {
        reject_push(c, cmd, reason, INT64_MIN);
        return;
    }
    uint32_t faults = faults_of(c, cmd), place = place_find(c), id = resource_get(c, cmd);
    if (place > c->certify.s->certificates) c->certify.s->certificates = place;
    struct event_certificate *x = &c->certify.certificates[place];
    *x = (struct event_certificate){
        .id = ++c->certify.s->certificate_id, .resource = id, .account = cmd->header.account,
        .status = CERTIFICATE_refused, .faults = faults, .appeals = s->appeals,
        .submitted = c->s->ts, .ended = c->s->ts, .terms = s->terms};
    if (faults == 0) certificate_accept(c, place);
    else event_certificate_push(c, c->out, place);
}
